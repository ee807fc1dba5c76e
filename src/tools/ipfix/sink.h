/* SPDX-License-Identifier: MIT */
/* The sinks of IPFIX, NetFlow v9 and NetFlow v5. */
#ifndef IPFIX_SINK_H
#define IPFIX_SINK_H

#include "tools/export/export.h"

extern const struct export_sink ipfix_sink, netflow9_sink, netflow5_sink;

#endif
