/* SPDX-License-Identifier: MIT */
/* Lines of --stats-interval by the packets' own time, for savefiles (intervals.c). */
#ifndef CLI_INTERVALS_H
#define CLI_INTERVALS_H

#include "cli.h"

struct cli_intervals {
	FILE *to;
	int64_t interval_ns;
	bool is_begun;                      /* a packet with a time has come */
	int64_t from_ns, due_ns, latest_ns; /* the present interval, and its latest packet */
	uint64_t packets, bytes;            /* of the present interval */
	uint64_t all_packets;
	uint32_t steps; /* of the clock, backwards */
};

void cli_intervals_begin(struct cli_intervals *intervals, FILE *to, int64_t interval_ns);
/* Counts a batch and prints the due lines.  In a handler of the engine. */
void cli_intervals_add(
	struct cli_intervals *intervals, struct bpe_engine *engine, const struct bpe_batch *batch);
/* Prints the line of the last, partial interval, if packets came.  After the run. */
void cli_intervals_end(struct cli_intervals *intervals, struct bpe_engine *engine);

#endif
