/* SPDX-License-Identifier: MIT */
/* The sink metrics in a build without libmicrohttpd: refuses each target.  Stateless. */
#include "sinks.h"

#include <stdio.h>

static int refuse_web(const struct export_address *address, char *why, size_t room)
{
	(void)address;
	snprintf(why, room,
		"this bpfengine was built without libmicrohttpd: install libmicrohttpd-dev and build with -Dhttp=enabled, or use --metrics-file FILE");
	return -1;
}

const struct export_sink metrics_sink = { .scheme = "metrics",
	.usage = "--metrics (not in this build)",
	.check = refuse_web,
	.without_flows = true };
