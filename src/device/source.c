/* SPDX-License-Identifier: MIT */
/* The names that -i takes: an interface, "if:" or "bpf:" and an interface, "any", "synth". Pure. */
#include "device/device.h"

#include <string.h>

const char *bpei_device_interface(const char *source)
{
	if (!strncmp(source, "if:", 3))
		return source + 3;
	return strncmp(source, "bpf:", 4) ? source : source + 4;
}

bool bpei_source_is_synth_only(const char *source)
{
	return !strncmp(source, "synth:", 6);
}

bool bpei_source_is_synth_name(const char *source)
{
	return !strcmp(source, "synth");
}

bool bpei_device_name_is_taken(const char *name)
{
#ifdef BPEI_HAVE_AFPACKET
	if (!strcmp(name, "any"))
		return true;
#endif
	return bpei_device_interface(name) != name || bpei_source_is_synth_only(name) ||
	       bpei_source_is_synth_name(name);
}
