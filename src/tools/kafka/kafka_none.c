/* SPDX-License-Identifier: MIT */
/* No librdkafka: targets kafka:// are refused. */
#include "kafka.h"
#include "settings.h"

#include <stdio.h>

static int refuse_kafka(const struct export_address *address, char *why, size_t room)
{
	(void)address;
	snprintf(why, room,
		"this bpfengine was built without librdkafka: install librdkafka-dev (brew: "
		"librdkafka) and build with -Dkafka=enabled");
	return -1;
}

const struct export_sink kafka_sink = {
	.scheme = "kafka",
	.usage = KAFKA_USAGE,
	.check = refuse_kafka,
};
