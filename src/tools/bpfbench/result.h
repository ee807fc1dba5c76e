/* SPDX-License-Identifier: MIT */
/* The layout of a result: what was measured, where, how, and the figures.
 *
 * Rows are plain structures.  The columns of a row, their names and the kinds of result with each
 * column are data (struct column).  Every writer reads these data, so that JSON, CSV and text
 * cannot differ.  A figure that was not measured is absent (ABSENT or NAN), never 0. */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include "bpfengine.h"
#include "histogram.h"
#include "tools/common/program.h"

#include <stdio.h>

#define ABSENT UINT64_MAX

enum kind { KIND_RUN = 1, KIND_SWEEP = 2, KIND_LOOP = 4, KIND_COMPARE = 8, KIND_STAGES = 16 };

/* A second of a run or the whole run, a case of a sweep, a step of the loop, a contender's round.
 */
struct row {
	char what[48];
	uint64_t round;
	/* The settings of the measurement. */
	char filter[200], mode[16];
	uint64_t buffer_bytes, frame_bytes, workers, rate;
	/* The books: packets = delivered + dropped + in flight now - in flight at the start. */
	double start_s, seconds;
	uint64_t sent, arrived; /* with a sender: frames sent, frames at the receiver */
	uint64_t packets, delivered, dropped, ring_full, stalled, duplicate, in_flight;
	uint64_t wire_bytes, captured_bytes;
	uint64_t kernel_received, kernel_dropped, interface_dropped, filtered;
	uint64_t lost; /* kernel_dropped + dropped without duplicates + sent - arrived */
	double loss;   /* part of delivered + lost */
	uint64_t reads, empty_reads, block_bytes, block_capacity, waits;
	uint64_t user_ns, system_ns; /* CPU time of the process */
	/* Computed by row_work_out and row_latency. */
	double packets_per_second, bits_per_second, packets_per_read, fill, user_ns_per_packet,
		system_ns_per_packet, wall_ns_per_packet;
	uint64_t latency_samples, latency_early, latency_least, latency_50, latency_90, latency_99,
		latency_99_9, latency_most;
};

/* The figures of a stage of the packet path, on the buffers of a system, by a backend. */
struct figure {
	char stage[24], layout[16], backend[16];
	uint64_t rounds, packets, bytes;
	double ns, ns_least, ns_low, ns_high,
		ns_most;         /* a packet: ns is the median, low and high are the quartiles */
	double cycles;           /* a packet, median */
	double bytes_per_second; /* bytes of the buffers, by the median */
	double to_copy;          /* time, relative to memcpy of the same bytes */
};

struct column {
	const char *name;
	enum { COLUMN_TEXT, COLUMN_COUNT, COLUMN_NUMBER } type;
	size_t offset;
	unsigned kinds; /* kinds of result with this column */
	unsigned text;  /* kinds with this column in their text */
	int decimals;   /* of numbers, in text */
};
extern const struct column row_columns[], figure_columns[]; /* ended by a NULL name */

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
	struct facts notes; /* without names */
	const struct column *columns;
	const void *rows;
	size_t row_bytes, count;
	const void *total;               /* a row; NULL: none */
	const struct histogram *latency; /* of the whole run; NULL: not measured */
	struct verdict *verdicts;        /* verdict.h; NULL: none */
	size_t verdict_count;
};

/* Empties the result. */
void result_init(struct result *result, enum kind kind);
/* Adds a fact with a formatted text. */
void fact_add(struct facts *facts, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a fact with a number; NAN becomes null. */
void fact_number(struct facts *facts, const char *name, double value);
/* Adds a note, a sentence about the result. */
void note_add(struct result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Returns the name of a kind: "run", "sweep", ... */
const char *kind_name(enum kind kind);

/* Makes every figure of the row absent, and every count 0. */
void row_init(struct row *row, const char *what);
/* Computes the figures that follow from the counts. */
void row_work_out(struct row *row);
/* Returns the packets that were offered in a second: sent, or delivered and lost.  NAN: no time. */
double row_offered(const struct row *row);
/* Fills the latency figures from a histogram; NULL makes them absent. */
void row_latency(struct row *row, const struct histogram *h);
/* Makes the counts of reads absent, for a contender that does not tell them. */
void row_hide_reads(struct row *row);

/* Stores the CPU time of this process. */
void cpu_now(uint64_t *user_ns, uint64_t *system_ns);
/* Returns the monotonic clock in nanoseconds. */
int64_t mono_now(void);
/* Returns the wall clock in nanoseconds since 1970. */
int64_t wall_now(void);

/* Writes a cell as JSON has it, but without quotes.  decimals < 0: all that there are.  Returns
 * false if the figure is absent. */
bool cell(char *to, size_t room, const struct column *column, const void *row, int decimals);

/* Write a result.  Return 0 or an errno.  write_page is for sweeps: tables and plots as XHTML. */
int write_json(FILE *to, const struct result *result);
int write_csv(FILE *to, const struct result *result);
int write_text(FILE *to, const struct result *result);
int write_page(FILE *to, const struct result *result);
/* Writes a result in the format of the path's extension; NULL: as text to stdout.  Returns an exit
 * code after the message. */
int result_write(const struct result *result, struct outfile *to);
/* Returns true if the path's extension names a format for this kind of result. */
bool result_path_fits(const char *path, enum kind kind);

/* Adds the facts of the host: machine, system, load, and versions. */
void host_facts(struct facts *facts);
extern const char bench_revision[]; /* revision.c */

#endif
