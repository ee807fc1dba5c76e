/* SPDX-License-Identifier: MIT */
/* The sinks of this build (tools/export/export.h); constant. */
#include "exports.h"

#include "tools/ipfix/sink.h"
#include "tools/kafka/kafka.h"
#include "tools/metrics/sinks.h"
#include "tools/tables/tables.h"

#include <string.h>

/* The list ends with NULL, so it may be empty. */
static const struct export_sink *const sinks[] = {
	&kafka_sink,
	&ipfix_sink,
	&netflow9_sink,
	&netflow5_sink,
	&metrics_sink,
	&metrics_file_sink,
	&parquet_sink,
	&sqlite_sink,
	NULL,
};

const struct export_sink *export_sink_find(const char *scheme)
{
	for (size_t k = 0; sinks[k]; k++)
		if (!strcmp(sinks[k]->scheme, scheme))
			return sinks[k];
	return NULL;
}
