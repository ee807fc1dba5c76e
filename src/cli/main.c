/* SPDX-License-Identifier: MIT */
/* The program: options, run, report.  Rights are given up between opening the source and starting its threads (rights.h).
 *
 * Signals: the handlers only set flags and ask the engine to stop (bpe_engine_stop may be called from a handler); `running` is
 * set before they are installed and cleared after the run, so none meets an engine that is gone. */
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

static struct bpe_engine *running;
static volatile sig_atomic_t stops, reports, rereads, suspends, continues;

static struct cli_flows *flows;	/* as running */

static void on_stop(int signal)
{
	if (stops++) {
		top_view_restore();
		_exit(128 + signal);
	}
	if (flows) cli_flows_ending(flows);
	if (running) bpe_engine_stop(running);
}

static void on_reopen(int signal)
{
	(void)signal;
	if (flows) cli_flows_reopen(flows);
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

struct run { struct cli cli; struct top_view *view; bool views; };	/* views: the terminal is the view's */

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
	fprintf(stderr, "bpfengine: %s\n", text);
}

static void on_notice(void *user, const char *text)
{
	struct run *r = user;
	if (r->cli.quiet) return;
	say(r, "%s", text);
}

/* The filter's files may say something else now; if they are wrong, or gone, the filter stays as it is. */
static void reread(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_error error = { .status = BPE_OK };
	char why[512] = "there is no filter";
	if (c->rights.filter_fixed) {
		say(r, "the filter stays as it was: what confines this program does not let it change (--no-confine does)");
		return;
	}
	char *text = c->filter_path ? cli_filter_file(c->filter_path, why, sizeof why) : c->filter ? strdup(c->filter) : NULL;
	if (!text) say(r, "nothing to read again: %s", why);
	else if (bpe_engine_set_expression(running, text, &error) < 0)
		say(r, "the filter stays as it was: %s%s", error.text, !c->rights.confined[0] || !strstr(error.text, "unknown ") ? ""
			: "\n(a confined program asks no name server: give numbers, or --no-confine)");
	else if (!c->quiet) say(r, "the filter was read again");
	free(text);
}

static int exit_of(int status)
{
	switch (status) {
	case BPE_E_RIGHTS: return EXIT_RIGHTS;
	case BPE_E_ARGUMENT: return EXIT_USAGE;
	default: return EXIT_SOURCE;
	}
}

/* SIGUSR2 with --flows: the flows that are alive are written, too. */
static void show_flows(struct run *r)
{
	int status = bpe_engine_snapshot_flows(running, NULL, NULL);
	if (status == BPE_E_BUSY) say(r, "the flows asked for before are not all written yet: ask again");
	else if (status == BPE_OK && !r->cli.quiet) say(r, "the flows that are alive are written to %s", r->cli.flows_path);
}

/* SIGUSR2. */
static void asked_again(struct run *r)
{
	if (!rereads) return;
	rereads = 0;
	if (r->cli.flows) show_flows(r);
	if (r->cli.filter || !r->cli.flows) reread(r);
}

/* Waits for the end of the run, showing what there is to show; stops it when its time is up. */
static void watch(struct run *r)
{
	struct bpe_stats s;
	struct cli *c = &r->cli;
	bool live = isatty(STDERR_FILENO) && !c->quiet && !c->json && !c->stats_interval;
	double next = c->stats_interval;
	for (;;) {
		bpe_engine_stats(running, &s);
		int64_t elapsed = (int64_t)s.elapsed_ns, wait = live ? LIVE_NS : 1000000000;
		if (c->duration_ns && elapsed >= c->duration_ns) {
			if (c->flows) cli_flows_ending(c->flows);
			bpe_engine_stop(running);
		}
		if (c->duration_ns && elapsed < c->duration_ns && c->duration_ns - elapsed < wait) wait = c->duration_ns - elapsed;
		if (next > 0 && (double)elapsed * 1e-9 >= next) {
			cli_interval_line(stderr, running);
			while (next <= (double)elapsed * 1e-9) next += c->stats_interval;
		}
		if (next > 0 && next * 1e9 - (double)elapsed < (double)wait) wait = (int64_t)(next * 1e9 - (double)elapsed) + 1;
		if (bpe_engine_wait(running, wait)) break;
		asked_again(r);
		if (reports) {
			reports = 0;
			cli_live_clear();
			cli_report_text(stderr, running, c, NULL);
		}
		if (live) cli_live_line(running);
	}
	cli_live_clear();
}

/* The same with the view on the terminal, which stays when a file is at its end, until the user has seen enough. */
static void show(struct run *r)
{
	struct bpe_stats s;
	bool ended = false;
	r->views = true;
	top_view_start(r->view, running);
	for (;;) {
		bpe_engine_stats(running, &s);
		if (r->cli.duration_ns && (int64_t)s.elapsed_ns >= r->cli.duration_ns) break;
		if (!ended && bpe_engine_wait(running, 0)) {
			ended = true;
			if (bpe_engine_result(running, NULL) < 0) break;
		}
		if (stops || !top_view_step(r->view, ended)) break;
		if (suspends) suspends = continues = 0, top_view_suspend(r->view);
		if (continues) continues = 0, top_view_redraw(r->view);
		asked_again(r);
	}
	bpe_engine_stop(running);
	while (!bpe_engine_wait(running, -1)) continue;
	r->views = false;
	top_view_close(r->view);
	r->view = NULL;
}

static bool balanced(void)
{
	struct bpe_stats s;
	bpe_engine_stats(running, &s);
	uint64_t done = s.delivered_packets;
	for (int i = 0; i < BPE_DROP_COUNT; i++) done += s.dropped[i];
	return done == s.read_packets && s.flows_opened == s.flows_active + s.flows_ended + s.flows_evicted;
}

static int run(struct run *r)
{
	struct bpe_error error;
	struct cli *c = &r->cli;
	int status = bpe_engine_open(&c->engine, &running, &error);
	if (status < 0) {
		fprintf(stderr, "bpfengine: %s: %s\n", error.step, error.text);
		return exit_of(status);
	}
	int code = cli_rights_give_up(c);
	if (code) return code;
	handle(SIGINT, on_stop);
	handle(SIGTERM, on_stop);
	if (r->view) {
		handle(SIGHUP, on_stop);
		handle(SIGQUIT, on_stop);
		handle(SIGTSTP, on_suspend);
		handle(SIGCONT, on_continue);
		handle(SIGNAL_REPORT, SIG_IGN);	/* the view is the report */
	} else {
		handle(SIGNAL_REPORT, on_report);
	}
	handle(SIGUSR2, on_reread);
	if (c->flows) {
		if (!r->view) handle(SIGHUP, on_reopen);	/* the view ends with its terminal */
		cli_flows_begin(c->flows, running);
	}
	if (stops) bpe_engine_stop(running);
	status = bpe_engine_start(running, &error);
	if (status < 0) {
		fprintf(stderr, "bpfengine: %s: %s\n", error.step, error.text);
		return EXIT_ERROR;
	}
	if (r->view) show(r);
	else watch(r);
	status = bpe_engine_result(running, &error);
	const char *wrong = status < 0 ? error.text : NULL;
	if (wrong) fprintf(stderr, "bpfengine: %s\n", wrong);
	FILE *to = c->flows_path && !strcmp(c->flows_path, "-") ? stderr : stdout;
	if (c->json) cli_report_json(to, running, c, wrong);
	else cli_report_text(to, running, c, NULL);
	if (c->flows) {
		uint64_t written, lost;
		cli_flows_counts(c->flows, &written, &lost);
		if (lost) fprintf(stderr, "bpfengine: flows were not all written to %s: %" PRIu64 " of %" PRIu64 " are missing\n", c->flows_path, lost, written + lost);
		if (lost) status = BPE_E_IO;
	}
	errno = 0;
	if ((fflush(to) || ferror(to)) && to == stdout) {
		if (errno != EPIPE) fprintf(stderr, "bpfengine: the report was not written: %s\n", strerror(errno));
		status = BPE_E_IO;
	}
	if (!balanced()) {
		fprintf(stderr, "bpfengine: the books do not balance: packets read are not those delivered and dropped; please report this\n");
		status = BPE_E_STATE;
	}
	return status < 0 ? EXIT_ERROR : EXIT_GOOD;
}

int main(int argc, char **argv)
{
	static struct run r;
	int code = cli_options(&r.cli, argc, argv);
	if (code || r.cli.done) return code;
	handle(SIGPIPE, SIG_IGN);	/* a closed pipe is a write error, and ends quietly */
	if (r.cli.list) return cli_list(r.cli.json);
	if (r.cli.dump || r.cli.explain) {
		code = cli_program_print(&r.cli);
		free(r.cli.filter);
		return code;
	}
	code = cli_rights_prepare(&r.cli);
	if (code) return code;
	if (r.cli.flows_path) {
		code = cli_flows_open(&r.cli.flows, &r.cli);
		if (code) return code;
		flows = r.cli.flows;
		r.cli.engine.on_record = on_record;
	}
	if (r.cli.top) {
		code = top_view_open(&r.view, &r.cli);
		if (code) {
			if (r.cli.flows) cli_flows_close(r.cli.flows);
			return code;
		}
	}
	r.cli.engine.on_notice = on_notice;
	r.cli.engine.user = &r;
	code = run(&r);
	struct bpe_engine *engine = running;
	running = NULL;
	bpe_engine_close(engine);
	int failed = r.cli.flows ? cli_flows_close(r.cli.flows) : 0;
	if (failed && !code) fprintf(stderr, "bpfengine: flows were not written to %s: %s\n", r.cli.flows_path, strerror(failed)), code = EXIT_ERROR;
	flows = NULL;
	top_view_close(r.view);
	free(r.cli.filter);
	return code;
}
