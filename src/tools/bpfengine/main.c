/* SPDX-License-Identifier: MIT */
/* The program: options, run, report.  Rights are given up between opening the source and starting
 * its threads (rights.h).
 *
 * Signals: the handlers only set flags and ask the engine to stop (bpe_engine_stop may be called
 * from a handler); `running` is set before they are installed and cleared after the run, so none
 * meets an engine that is gone. */
#include "cli.h"
#include "top.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef SIGINFO
#define SIGNAL_REPORT SIGINFO
#else
#define SIGNAL_REPORT SIGUSR1
#endif
#define LIVE_NS 250000000
#define SECOND_NS 1000000000

static struct bpe_engine *running;
static volatile sig_atomic_t stops, reports, rereads, suspends, continues;

static struct cli_flows *flows; /* as running */

static void on_stop(int signal)
{
	if (stops++) {
		top_view_restore();
		_exit(128 + signal);
	}
	if (flows)
		cli_flows_ending(flows);
	if (running)
		bpe_engine_stop(running);
}

static void on_reopen(int signal)
{
	(void)signal;
	if (flows)
		cli_flows_reopen(flows);
}

static void on_report(int signal)
{
	(void)signal;
	reports = 1;
}

static void on_reread(int signal)
{
	(void)signal;
	rereads = 1;
}

static void on_suspend(int signal)
{
	(void)signal;
	suspends = 1;
}

static void on_continue(int signal)
{
	(void)signal;
	continues = 1;
}

static void handle(int signal, void (*handler)(int))
{
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = handler;
	sigaction(signal, &a, NULL);
}

struct run {
	struct cli cli;
	struct top_view *view;
	bool views;
}; /* views: the terminal is the view's */

static void on_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct run *r = user;
	(void)worker;
	cli_flows_record(r->cli.flows, flow);
}

static void say(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct run *r, const char *format, ...)
{
	char text[600];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (r->views) {
		top_view_say(r->view, text);
		return;
	}
	cli_live_clear();
	program_tell("%s", text);
}

static void on_notice(void *user, const char *text)
{
	struct run *r = user;
	if (r->cli.quiet)
		return;
	say(r, "%s", text);
}

/* The filter's files may say something else now; if they are wrong, or gone, the filter stays as it
 * is. */
static void reread(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_error error = { .status = BPE_OK };
	char why[512] = "there is no filter";
	if (c->rights.filter_fixed) {
		say(r, "the filter stays as it was: what confines this program does not let it change (--no-confine does)");
		return;
	}
	char *text = c->filter_path ? cli_filter_file(c->filter_path, why, sizeof why)
		     : c->filter    ? strdup(c->filter)
				    : NULL;
	if (!text)
		say(r, "nothing to read again: %s", why);
	else if (bpe_engine_set_expression(running, text, &error) < 0)
		say(r, "the filter stays as it was: %s%s", error.text,
			!c->rights.confined[0] || !strstr(error.text, "unknown ")
				? ""
				: "\n(a confined program asks no name server: give numbers, or --no-confine)");
	else if (!c->quiet)
		say(r, "the filter was read again");
	free(text);
}

static int exit_of(int status)
{
	switch (status) {
	case BPE_E_RIGHTS:
		return EXIT_RIGHTS;
	case BPE_E_ARGUMENT:
		return EXIT_USAGE;
	default:
		return EXIT_SOURCE;
	}
}

/* SIGUSR2 with --flows: the flows that are alive are written, too. */
static void show_flows(struct run *r)
{
	int status = bpe_engine_dump_flows(running, NULL, NULL);
	if (status == BPE_E_BUSY)
		say(r, "the flows asked for before are not all written yet: ask again");
	else if (status == BPE_OK && !r->cli.quiet)
		say(r, "the flows that are alive are written to %s", r->cli.flows_shown);
}

/* SIGUSR2. */
static void asked_again(struct run *r)
{
	if (!rereads)
		return;
	rereads = 0;
	if (r->cli.flows)
		show_flows(r);
	if (r->cli.filter || !r->cli.flows)
		reread(r);
}

/* Ends the run when its time is up.  A live source that has given its packets ends by itself, and
 * its flows are waited for no longer than after a signal. */
static void end_in_time(const struct cli *c, const struct bpe_stats *s)
{
	bool timed = c->duration_ns && (int64_t)s->elapsed_ns >= c->duration_ns,
	     live = c->engine.interface_name;
	bool counted = live && c->engine.max_packets && s->read_packets >= c->engine.max_packets;
	if (c->flows && (timed || counted))
		cli_flows_ending(c->flows);
	if (timed)
		bpe_engine_stop(running);
}

/* Returns the nearer of two times to wait for. */
static int64_t sooner(int64_t wait, int64_t until)
{
	return until > 0 && until < wait ? until : wait;
}

/* SIGINFO and SIGUSR1. */
static void report_again(const struct cli *c)
{
	if (!reports)
		return;
	reports = 0;
	cli_live_clear();
	cli_report_text(stderr, running, c, NULL);
}

/* Waits for the end of the run, showing what there is to show; stops it when its time is up. */
static void watch(struct run *r)
{
	struct bpe_stats s;
	struct cli_rates rates = { .count = 0 };
	struct cli *c = &r->cli;
	bool live = isatty(STDERR_FILENO) && !c->quiet && !c->json && !c->stats_interval_ns;
	double next = (double)c->stats_interval_ns;
	for (;;) {
		bpe_engine_stats(running, &s);
		int64_t elapsed = (int64_t)s.elapsed_ns;
		end_in_time(c, &s);
		if (next > 0 && (double)elapsed >= next) {
			cli_rates_take(&rates, &s, 0);
			cli_interval_line(stderr, &s);
			while (next <= (double)elapsed)
				next += (double)c->stats_interval_ns;
		}
		int64_t wait = sooner(live ? LIVE_NS : SECOND_NS, c->duration_ns - elapsed);
		if (next > 0)
			wait = sooner(wait, (int64_t)(next - (double)elapsed) + 1);
		if (bpe_engine_wait(running, wait))
			break;
		asked_again(r);
		report_again(c);
		if (!live)
			continue;
		bpe_engine_stats(running, &s);
		cli_rates_take(&rates, &s, SECOND_NS);
		live = cli_live_line(&s);
	}
	cli_live_clear();
}

/* The same with the view on the terminal, which stays when a file is at its end, until the user has
 * seen enough. */
static void show(struct run *r)
{
	struct bpe_stats s;
	bool ended = false;
	r->views = true;
	top_view_start(r->view, running);
	for (;;) {
		bpe_engine_stats(running, &s);
		if (r->cli.duration_ns && (int64_t)s.elapsed_ns >= r->cli.duration_ns)
			break;
		if (!ended && bpe_engine_wait(running, 0)) {
			ended = true;
			if (bpe_engine_result(running, NULL) < 0)
				break;
		}
		if (stops || !top_view_step(r->view, ended))
			break;
		if (suspends)
			suspends = continues = 0, top_view_suspend(r->view);
		if (continues)
			continues = 0, top_view_redraw(r->view);
		asked_again(r);
	}
	if (r->cli.flows)
		cli_flows_ending(r->cli.flows);
	bpe_engine_stop(running);
	while (!bpe_engine_wait(running, -1))
		continue;
	r->views = false;
	top_view_close(r->view);
	r->view = NULL;
}

static bool balanced(void)
{
	struct bpe_stats s;
	bpe_engine_stats(running, &s);
	uint64_t done = s.delivered_packets;
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		done += s.dropped[i];
	return done == s.read_packets &&
	       s.flows_opened == s.flows_active + s.flows_ended + s.flows_evicted;
}

static void handle_signals(const struct run *r)
{
	handle(SIGINT, on_stop);
	handle(SIGTERM, on_stop);
	handle(SIGUSR2, on_reread);
	if (r->view) {
		handle(SIGHUP, on_stop); /* the view ends with its terminal */
		handle(SIGQUIT, on_stop);
		handle(SIGTSTP, on_suspend);
		handle(SIGCONT, on_continue);
		handle(SIGNAL_REPORT, SIG_IGN); /* the view is the report */
	} else {
		handle(SIGNAL_REPORT, on_report);
		if (r->cli.flows)
			handle(SIGHUP, on_reopen);
	}
}

/* The default way of rotating a log is to move it away and to send SIGHUP.  Root's directories, as
 * /var/log, do not let the user make a file that the program becomes: a helper that stayed root for
 * that would be one more thing to break into, so it is told at the start, and what works instead.
 */
static void tell_rotation(const struct cli *c)
{
	int directory = cli_flows_directory(c->flows);
	if (directory < 0 || c->quiet || !c->engine.interface_name ||
		cli_rights_may_make(directory))
		return;
	program_tell(
		"SIGHUP will not open %s anew: the user that this program becomes may make no file there"
		" (copy and cut it to rotate it, or give that user a directory)",
		c->flows_shown);
}

/* Opens the source, makes what is to be written, gives up rights.  0, or an exit code. */
static int prepare(struct run *r)
{
	struct bpe_error error;
	struct cli *c = &r->cli;
	int status = bpe_engine_open(&c->engine, &running, &error), code;
	if (status < 0) {
		program_tell("%s: %s", error.step, error.text);
		return exit_of(status);
	}
	if (c->flows && (code = cli_flows_make(c->flows)))
		return code;
	if (c->flows)
		tell_rotation(c);
	if ((code = cli_rights_give_up(c)))
		return code;
	/* Up to here a signal ends the program as it ends any other: there is nothing to report. */
	handle_signals(r);
	if (c->flows && (code = cli_flows_begin(c->flows, running)))
		return code;
	if (stops)
		bpe_engine_stop(running);
	status = bpe_engine_start(running, &error);
	if (status < 0)
		program_tell("%s: %s", error.step, error.text);
	return status < 0 ? EXIT_ERROR : 0;
}

/* Prints the report.  Returns whether all that was to be written was written. */
static bool report(const struct run *r, const char *wrong)
{
	const struct cli *c = &r->cli;
	uint64_t written, lost = 0;
	/* Flows on the standard output are alone there. */
	FILE *to = c->flows && cli_flows_on_stdout(c->flows) && !c->json ? stderr : stdout;
	clearerr(stderr);
	if (c->json)
		cli_report_json(to, running, c, wrong);
	else
		cli_report_text(to, running, c, NULL);
	bool good = to == stdout ? program_end_output("the report")
				 : !fflush(stderr) && !ferror(stderr);
	if (c->flows)
		cli_flows_counts(c->flows, &written, &lost);
	if (lost)
		program_tell("flows were not all written to %s: %" PRIu64 " of %" PRIu64
			     " are missing",
			c->flows_shown, lost, written + lost);
	return good && !lost;
}

static int run(struct run *r)
{
	struct bpe_error error;
	int code = prepare(r);
	if (code)
		return code;
	if (r->view)
		show(r);
	else
		watch(r);
	int status = bpe_engine_result(running, &error);
	if (status < 0)
		program_tell("%s", error.text);
	if (!report(r, status < 0 ? error.text : NULL))
		code = EXIT_ERROR;
	if (!balanced()) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped;"
			" please report this");
		code = EXIT_ERROR;
	}
	return status < 0 ? EXIT_ERROR : code;
}

/* Finds what no output may be, and opens the outputs.  0, or an exit code. */
static int open_outputs(struct run *r)
{
	struct cli *c = &r->cli;
	int code = cli_outputs_check(c);
	if (code || !c->flows_path)
		return code;
	program_visible(c->flows_shown, sizeof c->flows_shown, c->flows_path);
	code = cli_flows_open(&c->flows, c, cli_rights_user());
	if (code)
		return code;
	flows = c->flows;
	c->engine.on_record = on_record;
	return 0;
}

/* Closes what run left open.  0, or an exit code. */
static int close_all(struct run *r)
{
	struct bpe_engine *engine = running;
	int failed = 0;
	running = NULL;
	bpe_engine_close(engine);
	flows = NULL;
	if (r->cli.flows)
		failed = cli_flows_close(r->cli.flows);
	top_view_close(r->view);
	free(r->cli.filter);
	return failed;
}

int main(int argc, char **argv)
{
	static struct run r;
	program_begin("bpfengine");
	handle(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, and ends quietly */
	int code = cli_options(&r.cli, argc, argv);
	if (!code && r.cli.done)
		return program_end_output("the text") ? EXIT_GOOD : EXIT_ERROR;
	if (code)
		return code;
	if (r.cli.list)
		return cli_list(r.cli.json);
	if (r.cli.dump || r.cli.explain) {
		code = cli_program_print(&r.cli);
		free(r.cli.filter);
		return code;
	}
	code = cli_rights_prepare(&r.cli);
	if (!code)
		code = open_outputs(&r);
	if (!code && r.cli.top)
		code = top_view_open(&r.view, &r.cli);
	if (!code) {
		r.cli.engine.on_notice = on_notice;
		r.cli.engine.user = &r;
		code = run(&r);
	}
	int failed = close_all(&r);
	if (failed && !code) {
		program_tell(
			"flows were not written to %s: %s", r.cli.flows_shown, strerror(failed));
		code = EXIT_ERROR;
	}
	return code;
}
