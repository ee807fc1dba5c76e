/* SPDX-License-Identifier: MIT */
/* Choosing the backend by the options' source; stateless. */
#include "base/error.h"
#include "device/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void bpei_notice(const struct bpe_options *options, const char *format, ...)
{
	char text[256];
	va_list args;
	if (!options->on_notice) return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	options->on_notice(options->user, text);
}

int bpei_device_open(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	if (!o->interface_name == !o->file)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "exactly one source is wanted: an interface or a savefile");
	if (o->file) return bpei_savefile_open(o, device, error);
	if (!o->interface_name[0]) return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "the interface's name is empty (bpfengine -L lists them)");
	if (!strcmp(o->interface_name, "synth") || !strncmp(o->interface_name, "synth:", 6)) return bpei_synth_open(o, device, error);
#ifdef BPEI_HAVE_AFPACKET
	return bpei_afpacket_open(o, device, error);
#else
	return bpei_fail(error, BPE_E_UNSUPPORTED, "open", 0, "this version captures live on Linux only; here it reads savefiles (-r) and synth");
#endif
}
