/* SPDX-License-Identifier: MIT */
/* The one layout of a result: what was measured, where, how, and what came out.
 *
 * Rows are plain structures; what a row has, under which name and in which kinds of result, is data
 * (struct column), read by every writer, so that JSON, CSV and text cannot differ.  A figure that
 * was not measured is absent (ABSENT, NAN), never 0. */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include "bpfengine.h"
#include "histogram.h"
#include "tools/common/program.h"

#include <stdio.h>

#define ABSENT UINT64_MAX

enum kind { KIND_RUN = 1, KIND_SWEEP = 2, KIND_LOOP = 4, KIND_COMPARE = 8, KIND_STAGES = 16 };

/* A second of a run, or its whole; a case of a sweep; a step of the loop; a contender's round. */
struct row {
	char what[48];
	uint64_t round;
	/* How it was measured, as settled. */
	char filter[200], mode[16];
	uint64_t buffer_bytes, frame_bytes, workers, rate;
	/* The books: packets = delivered + dropped + what is in flight now - what was at the start.
	 */
	double start_s, seconds;
	uint64_t sent, arrived; /* loop and pair: by the sender; at the receiving interface */
	uint64_t packets, delivered, dropped, ring_full, stalled, duplicate, in_flight;
	uint64_t wire_bytes, captured_bytes;
	uint64_t kernel_received, kernel_dropped, interface_dropped, filtered;
	uint64_t lost; /* kernel_dropped + dropped but duplicates + sent - arrived */
	double loss;   /* of delivered and lost */
	uint64_t reads, empty_reads, block_bytes, block_capacity, waits;
	uint64_t user_ns, system_ns; /* CPU of the process */
	/* Worked out of these. */
	double packets_per_second, bits_per_second, packets_per_read, fill, user_ns_per_packet,
		system_ns_per_packet, wall_ns_per_packet;
	uint64_t latency_samples, latency_early, latency_least, latency_50, latency_90, latency_99,
		latency_99_9, latency_most;
};

/* One stage of the road, on one system's buffers, by one backend. */
struct figure {
	char stage[24], layout[16], backend[16];
	uint64_t rounds, packets, bytes;
	double ns, ns_least, ns_low, ns_high,
		ns_most;         /* a packet; ns is the median, low and high the quartiles */
	double cycles;           /* a packet, median */
	double bytes_per_second; /* of the buffers' bytes, by the median */
	double to_copy;          /* time, against memcpy of the same bytes */
};

struct column {
	const char *name;
	enum { COLUMN_TEXT, COLUMN_COUNT, COLUMN_NUMBER } type;
	size_t offset;
	unsigned kinds; /* of result that have it */
	unsigned text;  /* of those: whose text output shows it */
	int decimals;   /* of numbers in text output */
};
extern const struct column row_columns[], figure_columns[]; /* a NULL name ends them */

#define FACTS 64
struct fact {
	char name[40], text[400];
	bool is_number;
};
struct facts {
	size_t count;
	struct fact fact[FACTS];
};

struct result {
	enum kind kind;
	struct facts host, options, findings;
	struct facts notes; /* names are empty */
	const struct column *columns;
	const void *rows;
	size_t row_bytes, count;
	const void *total;               /* a row; NULL: none */
	const struct histogram *latency; /* of the whole run; NULL: not measured */
};

void result_init(struct result *result, enum kind kind);
void fact_add(struct facts *facts, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fact_number(struct facts *facts, const char *name, double value); /* not a number: null */
void note_add(struct result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *kind_name(enum kind kind);

void row_init(struct row *row,
	const char *what);          /* every figure absent or 0 as it must be before it is filled */
void row_work_out(struct row *row); /* what follows from the counts */
void row_latency(struct row *row, const struct histogram *h);
void cpu_now(uint64_t *user_ns, uint64_t *system_ns); /* of this process */
int64_t mono_now(void), wall_now(void);

/* A cell as it is in JSON, but for quotes: false if it is absent.  decimals < 0: all that there
 * are. */
bool cell(char *to, size_t room, const struct column *column, const void *row, int decimals);

/* 0, or an errno. */
int write_json(FILE *to, const struct result *result);
int write_csv(FILE *to, const struct result *result);
int write_text(FILE *to, const struct result *result);
int write_page(
	FILE *to, const struct result *result); /* sweeps: tables and plots as one XHTML page */
/* By the path's extension; NULL: text on stdout.  An exit code, after the message was printed. */
int result_write(const struct result *result, struct outfile *to);
bool result_path_fits(
	const char *path, enum kind kind); /* the extension is one that can be written */

void host_facts(struct facts *facts);
extern const char bench_revision[]; /* revision.c */

#endif
