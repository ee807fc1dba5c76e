/* SPDX-License-Identifier: MIT */
/* The columns of a result as data, and its facts. */
#include "result.h"

#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#define RUNS (KIND_RUN | KIND_SWEEP | KIND_LOOP | KIND_COMPARE)
#define SENT (KIND_SWEEP | KIND_LOOP | KIND_COMPARE)
#define TEXT(name, member, kinds, text)                                                            \
	{ name, COLUMN_TEXT, offsetof(struct row, member), kinds, text, 0 }
#define COUNT(member, kinds, text)                                                                 \
	{ #member, COLUMN_COUNT, offsetof(struct row, member), kinds, text, 0 }
#define NUMBER(name, member, kinds, text, decimals)                                                \
	{ name, COLUMN_NUMBER, offsetof(struct row, member), kinds, text, decimals }
#define NS(name, member)                                                                           \
	{ name, COLUMN_COUNT, offsetof(struct row, member), RUNS, KIND_RUN | KIND_COMPARE, 0 }

const struct column row_columns[] = { TEXT("what", what, RUNS, KIND_RUN | KIND_COMPARE),
	COUNT(round, KIND_SWEEP | KIND_COMPARE, KIND_SWEEP | KIND_COMPARE),
	TEXT("filter", filter, SENT, KIND_SWEEP), TEXT("mode", mode, SENT, KIND_SWEEP),
	COUNT(buffer_bytes, SENT, KIND_SWEEP), COUNT(frame_bytes, SENT, KIND_SWEEP),
	COUNT(workers, SENT, KIND_SWEEP), COUNT(rate, SENT, KIND_SWEEP | KIND_LOOP),
	NUMBER("start_s", start_s, RUNS, KIND_RUN, 3),
	NUMBER("seconds", seconds, RUNS, KIND_RUN, 3), COUNT(sent, SENT, KIND_LOOP),
	COUNT(arrived, SENT, KIND_LOOP), COUNT(packets, RUNS, RUNS),
	COUNT(delivered, RUNS, KIND_LOOP), COUNT(dropped, RUNS, KIND_RUN | KIND_COMPARE),
	COUNT(ring_full, RUNS, 0), COUNT(stalled, RUNS, 0), COUNT(duplicate, RUNS, 0),
	COUNT(in_flight, RUNS, 0), COUNT(wire_bytes, RUNS, KIND_RUN),
	COUNT(captured_bytes, RUNS, 0), COUNT(kernel_received, RUNS, 0),
	COUNT(kernel_dropped, RUNS, KIND_RUN | KIND_LOOP | KIND_COMPARE),
	COUNT(interface_dropped, RUNS, 0), COUNT(filtered, RUNS, 0),
	COUNT(lost, RUNS, KIND_SWEEP | KIND_LOOP),
	NUMBER("loss", loss, RUNS, KIND_SWEEP | KIND_LOOP, 6), COUNT(reads, RUNS, KIND_RUN),
	COUNT(empty_reads, RUNS, 0), COUNT(block_bytes, RUNS, 0), COUNT(block_capacity, RUNS, 0),
	COUNT(waits, RUNS, 0), COUNT(user_ns, RUNS, 0), COUNT(system_ns, RUNS, 0),
	NUMBER("packets_per_second", packets_per_second, RUNS, KIND_RUN | KIND_SWEEP | KIND_LOOP,
		0),
	NUMBER("bits_per_second", bits_per_second, RUNS, 0, 0),
	NUMBER("packets_per_read", packets_per_read, RUNS, KIND_RUN | KIND_SWEEP, 1),
	NUMBER("fill", fill, RUNS, KIND_RUN | KIND_SWEEP, 4),
	NUMBER("user_ns_per_packet", user_ns_per_packet, RUNS, RUNS, 1),
	NUMBER("system_ns_per_packet", system_ns_per_packet, RUNS, RUNS, 1),
	NUMBER("wall_ns_per_packet", wall_ns_per_packet, RUNS, KIND_COMPARE, 1),
	{ "latency_samples", COLUMN_COUNT, offsetof(struct row, latency_samples), RUNS, 0, 0 },
	{ "latency_early", COLUMN_COUNT, offsetof(struct row, latency_early), RUNS, 0, 0 },
	NS("latency_min_ns", latency_least), NS("latency_50_ns", latency_50),
	NS("latency_90_ns", latency_90), NS("latency_99_ns", latency_99),
	NS("latency_99_9_ns", latency_99_9), NS("latency_max_ns", latency_most),
	{ NULL, COLUMN_TEXT, 0, 0, 0, 0 } };

#define FIGURE(name, type, member, text, decimals)                                                 \
	{ name, type, offsetof(struct figure, member), KIND_STAGES, (text) ? KIND_STAGES : 0,      \
		decimals }
const struct column figure_columns[] = { FIGURE("stage", COLUMN_TEXT, stage, 1, 0),
	FIGURE("layout", COLUMN_TEXT, layout, 1, 0), FIGURE("backend", COLUMN_TEXT, backend, 1, 0),
	FIGURE("rounds", COLUMN_COUNT, rounds, 0, 0),
	FIGURE("packets", COLUMN_COUNT, packets, 0, 0), FIGURE("bytes", COLUMN_COUNT, bytes, 0, 0),
	FIGURE("ns_per_packet", COLUMN_NUMBER, ns, 1, 2),
	FIGURE("ns_least", COLUMN_NUMBER, ns_least, 1, 2),
	FIGURE("ns_quarter", COLUMN_NUMBER, ns_low, 1, 2),
	FIGURE("ns_three_quarters", COLUMN_NUMBER, ns_high, 1, 2),
	FIGURE("ns_most", COLUMN_NUMBER, ns_most, 1, 2),
	FIGURE("cycles_per_packet", COLUMN_NUMBER, cycles, 1, 1),
	FIGURE("bytes_per_second", COLUMN_NUMBER, bytes_per_second, 1, 0),
	FIGURE("to_memcpy", COLUMN_NUMBER, to_copy, 1, 3), { NULL, COLUMN_TEXT, 0, 0, 0, 0 } };

const char *kind_name(enum kind kind)
{
	switch (kind) {
	case KIND_RUN:
		return "run";
	case KIND_SWEEP:
		return "sweep";
	case KIND_LOOP:
		return "loop";
	case KIND_COMPARE:
		return "compare";
	case KIND_STAGES:
		return "stages";
	}
	return "";
}

void result_init(struct result *r, enum kind kind)
{
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->columns = kind == KIND_STAGES ? figure_columns : row_columns;
	r->row_bytes = kind == KIND_STAGES ? sizeof(struct figure) : sizeof(struct row);
}

static struct fact *append_fact(struct facts *f, const char *name)
{
	if (f->count == FACTS)
		f->count--; /* never reached: no kind of result has so many */
	struct fact *to = &f->fact[f->count++];
	snprintf(to->name, sizeof to->name, "%s", name);
	to->is_number = false;
	return to;
}

void fact_add(struct facts *f, const char *name, const char *format, ...)
{
	va_list args;
	struct fact *to = append_fact(f, name);
	va_start(args, format);
	vsnprintf(to->text, sizeof to->text, format, args);
	va_end(args);
}

void fact_number(struct facts *f, const char *name, double value)
{
	struct fact *to = append_fact(f, name);
	if (isnan(value))
		snprintf(to->text, sizeof to->text, "null");
	else
		snprintf(to->text, sizeof to->text, "%.10g", value);
	to->is_number = true;
}

void note_add(struct result *r, const char *format, ...)
{
	va_list args;
	struct fact *to = append_fact(&r->notes, "");
	va_start(args, format);
	vsnprintf(to->text, sizeof to->text, format, args);
	va_end(args);
}

bool cell(char *to, size_t room, const struct column *c, const void *row, int decimals)
{
	const char *at = (const char *)row + c->offset;
	uint64_t n;
	double v;
	switch (c->type) {
	case COLUMN_TEXT:
		snprintf(to, room, "%s", at);
		return *at != 0;
	case COLUMN_COUNT:
		memcpy(&n, at, sizeof n);
		snprintf(to, room, "%" PRIu64, n);
		return n != ABSENT;
	case COLUMN_NUMBER:
		memcpy(&v, at, sizeof v);
		if (decimals < 0)
			snprintf(to, room, "%.10g", v);
		else
			snprintf(to, room, "%.*f", decimals, v);
		return isfinite(v);
	}
	return false;
}
