/* SPDX-License-Identifier: MIT */
/* One measured run of the engine: opened, started, looked at each second, ended. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "options.h"

struct run {
	struct bpe_engine *engine;
	char source[384], link_type[32];
	uint32_t workers; /* threads, as settled */
	bool latency;     /* measured */
	bool tells;       /* a line on stderr each second */
	struct row *rows; /* the seconds so far */
	size_t count, room;
	struct row total;
	struct histogram *worker_latency; /* of each worker */
	struct histogram all, before;     /* of all workers: now, and when the last row ended */
	struct bpe_stats last;
	int64_t start_ns, last_ns; /* monotonic */
	uint64_t user_ns, system_ns, first_user_ns, first_system_ns;
	void (*on_notice)(void *user, const char *text);
	void *user;
};

/* A status as bpe_engine_open; options are copied, latency is asked for by `latency`, and granted
 * where the source's stamps are a clock's. */
int run_open(
	struct run *run, const struct bpe_options *options, bool latency, struct bpe_error *error);
int run_start(struct run *run, struct bpe_error *error);
/* Waits until `ns` have passed since the start, or the run ends by itself, or a signal comes: 1 if
 * it has ended.  Rows come each second. */
int run_wait(struct run *run, int64_t ns);
uint64_t run_delivered(struct run *run);
/* Stops and fills the last row and the total.  How it ended, as bpe_engine_result. */
int run_end(struct run *run, struct bpe_error *error);
void run_close(struct run *run);
bool run_balanced(const struct run *run); /* after the end: packets = delivered + dropped */

#endif
