/* SPDX-License-Identifier: MIT */
/* The options of bpfbench, and the functions which the measurements share. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bpfengine.h"
#include "judge.h"
#include "result.h"

/* EXIT_SMALL: measured and written, but a sample was too small to be judged. */
enum {
	EXIT_GOOD = 0,
	EXIT_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_RIGHTS = 3,
	EXIT_SOURCE = 4,
	EXIT_SMALL = 5
};

#define LIST 16
#define OUTPUTS 8

struct numbers {
	size_t count;
	uint64_t value[LIST];
};
struct words {
	size_t count;
	const char *value[LIST];
	char *memory; /* holds the words; NULL: they are borrowed */
};

struct options {
	enum kind kind;
	struct bpe_options engine; /* of a run, and of each case before its own settings */
	const char *source;        /* -i; NULL: none */
	double seconds;            /* of a run, a case, a step, a round */
	double loss_below;         /* part of packets: "nothing was lost" claims less than this */
	bool seconds_given, latency, quiet, done;
	const char *output[OUTPUTS];
	size_t outputs;
	/* sweep; compare and loop use the first of sizes and rates */
	struct numbers buffers, sizes, workers, rates;
	struct words modes, filters;
	uint64_t rounds; /* of a sweep, of stages and of compare */
	/* stages */
	struct words stages;
	uint64_t packets;
	/* loop */
	uint64_t rate_from, rate_to, steps;
};

/* Reads the command line.  Returns 0, or an exit code after the message. */
int options_read(struct options *options, int argc, char **argv);
/* Adds the settings which hold for the whole result. */
void options_facts(const struct options *options, struct facts *facts);
/* Returns the name of a read mode. */
const char *mode_name(uint32_t read_mode);
/* Returns true for generated traffic, whose time stamps tell nothing about delivery. */
bool is_synth(const char *source);
/* Returns true if the source is read through a BPF device. */
bool reads_bpf_device(const char *source);
/* Returns what is known about the source, for the verdicts. */
struct judge options_judge(const struct options *options);
/* Returns true for a pair of interfaces, made for the measurement, with a sender. */
bool is_pair(const char *source);

#define SETTLE_NS 500000000 /* time for the last sent packets to arrive */

/* Run a kind of measurement and write the result.  Return an exit code. */
int run_main(const struct options *options);
int sweep_main(const struct options *options);
int stages_main(const struct options *options);
int loop_main(const struct options *options);
int compare_main(const struct options *options);

/* Reports an error of the engine.  Returns the exit code for the status. */
int exit_of(const struct bpe_error *error);
/* Writes the result to each -o, or to stdout.  Returns an exit code; EXIT_SMALL after a message if
 * a sample was too small to be judged. */
int outputs_write(const struct options *options, const struct result *result);

/* Checks, before a measurement which may take hours, whether each output can be written and is no
 * input. An existing file stays as it is until there is a result.  Returns an exit code after the
 * message. */
int outputs_check(const struct options *options);

/* Makes a write to a closed pipe fail instead of ending the program. */
void signals_ignore_pipe(void);
/* Installs the handler of SIGINT and SIGTERM. */
void signals_begin(void);
/* Returns true after SIGINT or SIGTERM. */
bool asked_to_stop(void);
/* Makes signals stop this engine; NULL: none. */
void stop_also(struct bpe_engine *engine);

#endif
