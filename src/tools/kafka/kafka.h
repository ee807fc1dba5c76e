/* SPDX-License-Identifier: MIT */
/* The sink of targets kafka://; one of kafka.c and kafka_none.c is built. */
#ifndef KAFKA_KAFKA_H
#define KAFKA_KAFKA_H

#include "tools/export/export.h"

extern const struct export_sink kafka_sink;

#endif
