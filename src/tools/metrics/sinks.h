/* SPDX-License-Identifier: MIT */
/* The sinks of metrics. */
#ifndef METRICS_SINKS_H
#define METRICS_SINKS_H

#include "tools/export/export.h"

extern const struct export_sink metrics_sink;      /* a page (page_sink.c, page_none.c) */
extern const struct export_sink metrics_file_sink; /* a file (file_sink.c) */

#endif
