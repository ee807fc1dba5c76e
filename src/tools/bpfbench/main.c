/* SPDX-License-Identifier: MIT */
/* bpfbench: options, one kind of measurement, its result.
 *
 * SIGINT and SIGTERM end the measurement and what there is of it is reported; a second one leaves
 * at once.  The handler asks the engine that runs to stop, which may be done from a handler. */
#include "arch/arch.h"
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BENCH_TEXT2(x) #x
#define BENCH_TEXT(x) BENCH_TEXT2(x)

static volatile sig_atomic_t stops;
static struct bpe_engine *volatile running;

bool asked_to_stop(void)
{
	return stops != 0;
}

void stop_also(struct bpe_engine *engine)
{
	running = engine;
}

static void on_stop(int signal)
{
	if (stops++)
		_exit(128 + signal);
	if (running)
		bpe_engine_stop(running);
}

static void handle(int signal, void (*handler)(int))
{
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = handler;
	sigaction(signal, &a, NULL);
}

int exit_of(const struct bpe_error *error)
{
	program_tell("%s: %s", error->step, error->text);
	switch (error->status) {
	case BPE_E_RIGHTS:
		return EXIT_RIGHTS;
	case BPE_E_ARGUMENT:
		return EXIT_USAGE;
	default:
		return EXIT_SOURCE;
	}
}

static struct outfile outputs[OUTPUTS];

int outputs_write(const struct options *o, const struct result *r)
{
	int code = EXIT_GOOD;
	if (!o->outputs)
		return result_write(r, NULL);
	for (size_t i = 0; i < o->outputs; i++) {
		int one = result_write(r, &outputs[i]);
		if (one)
			code = one;
	}
	return code;
}

static int not_writable(const char *path, const char *why)
{
	char shown[200];
	program_tell("the result cannot be written to %s: %s",
		program_visible(shown, sizeof shown, path), why);
	return EXIT_ERROR;
}

/* Whether two outputs that are not there yet would be one file. */
static bool is_same_place(const struct outfile *a, const struct outfile *b)
{
	struct stat x, y;
	if (a->fd >= 0 || b->fd >= 0 || strcmp(a->name, b->name))
		return false;
	return !fstat(a->directory, &x) && !fstat(b->directory, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Before a measurement that may take hours: whether its result can be written, and harms no file
 * that is read.  What stands there stays until there is a result. */
static int outputs_check(const struct options *o)
{
	static struct program_files used;
	if (o->engine.file)
		program_files_add(&used, o->engine.file, "the savefile that is read");
	program_files_add_filter(&used, o->engine.filter_expression);
	for (size_t i = 0; i < o->filters.count; i++)
		program_files_add_filter(&used, o->filters.value[i]);
	program_files_add_output(&used, STDOUT_FILENO, "the standard output, too");
	program_files_add_output(&used, STDERR_FILENO, "where messages go");
	for (size_t i = 0; i < o->outputs; i++) {
		if (outfile_find(&outputs[i], o->output[i], &used, geteuid()))
			return not_writable(o->output[i], outputs[i].why);
		for (size_t k = 0; k < i; k++)
			if (is_same_place(&outputs[k], &outputs[i]))
				return not_writable(o->output[i], "it is given twice");
		if (outputs[i].notice[0] && !o->quiet)
			program_tell("%s", outputs[i].notice);
		if (outputs[i].fd >= 0)
			program_files_add_output(&used, outputs[i].fd, "another output, too");
	}
	return EXIT_GOOD;
}

struct told {
	struct result *result;
	bool quiet;
};

static void on_notice(void *user, const char *text)
{
	struct told *t = user;
	note_add(t->result, "%s", text);
	if (!t->quiet)
		program_tell("%s", text);
}

static void found(struct result *result, const struct run *r, const struct options *o)
{
	const struct row *t = &r->total;
	fact_add(&result->findings, "source", "%s", r->source);
	fact_add(&result->findings, "linktype", "%s", r->link_type);
	fact_number(&result->findings, "workers", r->workers);
	fact_number(&result->findings, "packets_per_second", t->packets_per_second);
	fact_number(&result->findings, "bits_per_second", t->bits_per_second);
	fact_number(&result->findings, "loss", t->loss);
	if (o->engine.count_only && o->engine.workers > 0)
		note_add(result, "counting alone runs on the reading thread: -p changes nothing");
	if (!r->latency)
		note_add(result, "latency was not measured: %s",
			is_synth(o->source) ? "the time stamps of generated traffic are made up"
					    : "--no-latency");
	else
		note_add(result,
			"latency: from the packet's time stamp (the system's, in its resolution) to the call of the handler on a worker's thread");
	if (is_synth(o->source))
		note_add(result,
			"CPU and time include the generator's, which stands where a kernel would; blocks are as full as it fills them");
	note_add(result,
		"CPU is of the whole process; kernel_* of single rows may be up to a second old, those of the total are exact");
}

int run_main(const struct options *o)
{
	static struct run run;
	static struct result result;
	struct told told = { &result, o->quiet };
	struct bpe_error error = { 0 };
	result_init(&result, KIND_RUN);
	options_facts(o, &result.options);
	run.on_notice = on_notice;
	run.user = &told;
	run.tells = !o->quiet;
	if (run_open(&run, &o->engine, o->latency, &error) < 0)
		return exit_of(&error);
	stop_also(run.engine);
	if (run_start(&run, &error) < 0)
		return exit_of(&error);
	run_wait(&run, (int64_t)(o->seconds * 1e9));
	int status = run_end(&run, &error);
	stop_also(NULL);
	if (status < 0) {
		program_tell("%s", error.text);
		note_add(&result, "the run was cut short: %s", error.text);
	}
	found(&result, &run, o);
	result.rows = run.rows;
	result.count = run.count;
	result.total = &run.total;
	result.latency = run.latency ? &run.all : NULL;
	int code = outputs_write(o, &result);
	if (!run_balanced(&run)) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped; please report this");
		code = EXIT_ERROR;
	}
	run_close(&run);
	return status < 0 && !code ? EXIT_ERROR : code;
}

/* The stages call kernels without an engine, which would ask the CPU. */
static int cpu_check(void)
{
	if (bpei_cpu_fits())
		return EXIT_GOOD;
	program_tell(
		"this build needs a CPU with %s; build with -Darch=scalar", BENCH_TEXT(BPEI_ARCH));
	return EXIT_SOURCE;
}

int main(int argc, char **argv)
{
	static struct options o;
	program_begin("bpfbench");
	handle(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, and ends quietly */
	int code = options_read(&o, argc, argv);
	if (!code && o.done)
		return program_end_output("the text") ? EXIT_GOOD : EXIT_ERROR;
	if (code)
		return code;
	code = cpu_check();
	if (!code)
		code = outputs_check(&o);
	if (code)
		return code;
	handle(SIGINT, on_stop);
	handle(SIGTERM, on_stop);
	switch (o.kind) {
	case KIND_RUN:
		return run_main(&o);
	case KIND_SWEEP:
		return sweep_main(&o);
	case KIND_STAGES:
		return stages_main(&o);
	case KIND_LOOP:
		return loop_main(&o);
	case KIND_COMPARE:
		return compare_main(&o);
	}
	return EXIT_USAGE;
}
