/* SPDX-License-Identifier: MIT */
/* A measured run of the engine: opened, started, read each second, ended. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "options.h"

struct run {
	struct bpe_engine *engine;
	char source[384], link_type[32];
	uint32_t workers; /* threads of the run */
	bool latency;     /* latency is measured */
	bool tells;       /* prints a line to stderr each second */
	struct row *rows; /* the seconds so far */
	size_t count, room;
	struct row total;
	struct histogram *worker_latency; /* of each worker */
	struct histogram all, before;     /* all workers: now, and at the end of the last row */
	struct bpe_stats last;
	int64_t start_ns, last_ns; /* monotonic */
	uint64_t user_ns, system_ns, first_user_ns, first_system_ns;
	void (*on_notice)(void *user, const char *text);
	void *user;
};

/* Opens the engine with a copy of the options.  latency asks for latencies; run->latency tells
 * whether they are measured, which needs a source whose time stamps come from a clock.  Returns the
 * status of bpe_engine_open. */
int run_open(
	struct run *run, const struct bpe_options *options, bool latency, struct bpe_error *error);
/* Starts the engine.  Returns the status of bpe_engine_start. */
int run_start(struct run *run, struct bpe_error *error);
/* Waits until ns have passed since the start, the run ends, or a signal comes.  Adds a row each
 * second. Returns 1 if the run has ended. */
int run_wait(struct run *run, int64_t ns);
/* Returns the packets delivered so far. */
uint64_t run_delivered(struct run *run);
/* Stops the engine and fills the last row and the total.  Returns the result of the run, as
 * bpe_engine_result. */
int run_end(struct run *run, struct bpe_error *error);
/* Closes the engine and frees the rows. */
void run_close(struct run *run);
/* Returns true if, after the end, packets = delivered + dropped. */
bool run_balanced(const struct run *run);

#endif
