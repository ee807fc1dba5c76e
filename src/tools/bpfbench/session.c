/* SPDX-License-Identifier: MIT */
/* What every measurement shares: signals, exit codes and outputs.
 *
 * SIGINT and SIGTERM end the measurement; the result so far is reported.  A second signal ends the
 * program at once.  The handler calls bpe_engine_stop on the running engine, which is safe in a
 * signal handler. */
#include "options.h"
#include "verdict.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void handle_stop_signal(int signal)
{
	if (stops++)
		_exit(128 + signal);
	if (running)
		bpe_engine_stop(running);
}

static void set_handler(int signal, void (*handler)(int))
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

/* Returns EXIT_SMALL after a message if a sample was too small, else EXIT_GOOD. */
static int judge_result(const struct result *r)
{
	if (verdicts_judged(r))
		return EXIT_GOOD;
	program_tell("a sample is too small to be judged: the result says why (exit code %d)",
		EXIT_SMALL);
	return EXIT_SMALL;
}

int outputs_write(const struct options *o, const struct result *r)
{
	int code = o->outputs ? EXIT_GOOD : result_write(r, NULL);
	for (size_t i = 0; i < o->outputs; i++) {
		int one = result_write(r, &outputs[i]);
		if (one)
			code = one;
	}
	return code ? code : judge_result(r);
}

static int refuse_output(const char *path, const char *why)
{
	char shown[200];
	program_tell("the result cannot be written to %s: %s",
		program_visible(shown, sizeof shown, path), why);
	return EXIT_ERROR;
}

/* Returns true if two outputs that do not exist yet would be the same file. */
static bool is_same_place(const struct outfile *a, const struct outfile *b)
{
	struct stat x, y;
	if (a->fd >= 0 || b->fd >= 0 || strcmp(a->name, b->name))
		return false;
	return !fstat(a->directory, &x) && !fstat(b->directory, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int outputs_check(const struct options *o)
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
			return refuse_output(o->output[i], outputs[i].why);
		for (size_t k = 0; k < i; k++)
			if (is_same_place(&outputs[k], &outputs[i]))
				return refuse_output(o->output[i], "it is given twice");
		if (outputs[i].notice[0] && !o->quiet)
			program_tell("%s", outputs[i].notice);
		if (outputs[i].fd >= 0)
			program_files_add_output(&used, outputs[i].fd, "another output, too");
	}
	return EXIT_GOOD;
}

void signals_ignore_pipe(void)
{
	set_handler(SIGPIPE, SIG_IGN); /* a closed pipe becomes a write error */
}

void signals_begin(void)
{
	set_handler(SIGINT, handle_stop_signal);
	set_handler(SIGTERM, handle_stop_signal);
}
