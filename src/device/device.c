/* SPDX-License-Identifier: MIT */
/* Services for all backends: notices, and the closing of a device; stateless. */
#include "device/device.h"

#include <stdarg.h>
#include <stdio.h>

void bpei_notice(const struct bpe_options *options, const char *format, ...)
{
	char text[384];
	va_list args;

	if (!options->on_notice)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	options->on_notice(options->user, text);
}

void bpei_notice_down(const struct bpe_options *options, const char *name)
{
	bpei_notice(options, "interface %.64s is down: nothing will arrive until it is up", name);
}

void bpei_device_close(struct bpei_device *d)
{
	if (!d)
		return;
	bpei_device_filter_free(d);
	bpei_names_free(&d->names);
	d->ops->close(d);
}
