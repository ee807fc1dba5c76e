/* SPDX-License-Identifier: MIT */
/* What the command line says. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bpfengine.h"
#include "result.h"

enum { EXIT_GOOD = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_RIGHTS = 3, EXIT_SOURCE = 4 };

#define LIST 16
#define OUTPUTS 8

struct numbers {
	size_t count;
	uint64_t value[LIST];
};
struct words {
	size_t count;
	const char *value[LIST];
	char *memory;
}; /* where the words lie; NULL: elsewhere */

struct options {
	enum kind kind;
	struct bpe_options engine; /* of a run, and of each case before its own settings */
	const char *source;        /* -i; NULL: none */
	double seconds;            /* of a run, a case, a step, a round */
	bool seconds_given, latency, quiet, done;
	const char *output[OUTPUTS];
	size_t outputs;
	/* sweep; compare and loop: the first of sizes and rates */
	struct numbers buffers, sizes, workers, rates;
	struct words modes, filters;
	/* stages */
	struct words stages;
	uint64_t rounds, packets;
	/* loop */
	uint64_t rate_from, rate_to, steps;
};

/* 0, or the exit code after the message was printed. */
int options_read(struct options *options, int argc, char **argv);
/* Into the result, as they hold for all of it. */
void options_facts(const struct options *options, struct facts *facts);
const char *mode_name(uint32_t read_mode);
bool is_synth(const char *source); /* generated: its time stamps say nothing of delivery */
bool is_pair(const char *source);  /* a pair of interfaces made for the measurement, and frames sent
				      through it */

#define SETTLE_NS 500000000 /* for what was sent last to arrive */

int run_main(const struct options *options);
int sweep_main(const struct options *options);
int stages_main(const struct options *options);
int loop_main(const struct options *options);
int compare_main(const struct options *options);
int exit_of(const struct bpe_error *error);
int outputs_write(
	const struct options *options, const struct result *result); /* to each -o, or stdout */

bool asked_to_stop(void);
void stop_also(struct bpe_engine *engine); /* this one, when a signal comes; NULL: none */

#endif
