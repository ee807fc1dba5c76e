/* SPDX-License-Identifier: MIT */
/* The program: reads options, runs, reports.  Rights are given up between the opening of the source
 * and the start of the engine's threads (rights.h).
 *
 * Signals: the handlers only set flags and ask the engine to stop (bpe_engine_stop may be called
 * from a handler).  `running` is set before the handlers are installed and cleared after the run,
 * so no handler meets a closed engine. */
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

static struct bpe_engine *running; /* NULL: no engine which a handler may stop */
static struct cli_flows *running_flows;
static volatile sig_atomic_t stops, reports, rereads, suspends, continues;

struct run {
	struct cli cli;
	struct top_view *view; /* NULL: no live view */
	bool view_has_terminal;
};

/* ---- Signal handlers ---- */

/* Stops the engine; a second signal ends the process at once, with the terminal restored. */
static void on_stop_signal(int signal)
{
	if (stops++) {
		top_view_restore();
		_exit(128 + signal);
	}
	if (running_flows)
		cli_flows_ending(running_flows);
	if (running)
		bpe_engine_stop(running);
}

static void on_reopen_signal(int signal)
{
	(void)signal;
	if (running_flows)
		cli_flows_reopen(running_flows);
}

static void on_report_signal(int signal)
{
	(void)signal;
	reports = 1;
}

static void on_reread_signal(int signal)
{
	(void)signal;
	rereads = 1;
}

static void on_suspend_signal(int signal)
{
	(void)signal;
	suspends = 1;
}

static void on_continue_signal(int signal)
{
	(void)signal;
	continues = 1;
}

static void install_handler(int signal, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	sigaction(signal, &action, NULL);
}

static void install_handlers(const struct run *r)
{
	install_handler(SIGINT, on_stop_signal);
	install_handler(SIGTERM, on_stop_signal);
	install_handler(SIGUSR2, on_reread_signal);
	if (r->view) {
		install_handler(SIGHUP, on_stop_signal); /* the view ends with its terminal */
		install_handler(SIGQUIT, on_stop_signal);
		install_handler(SIGTSTP, on_suspend_signal);
		install_handler(SIGCONT, on_continue_signal);
		install_handler(SIGNAL_REPORT, SIG_IGN); /* the view is the report */
		return;
	}
	install_handler(SIGNAL_REPORT, on_report_signal);
	if (r->cli.flows)
		install_handler(SIGHUP, on_reopen_signal);
}

/* ---- Messages and records ---- */

static void on_flow_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct run *r = user;

	(void)worker;
	cli_flows_record(r->cli.flows, flow);
}

static void report_message(struct run *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Shows a message in the live view, or prints the message on stderr. */
static void report_message(struct run *r, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (r->view_has_terminal) {
		top_view_say(r->view, text);
		return;
	}
	cli_live_clear();
	program_tell("%s", text);
}

static void on_engine_notice(void *user, const char *text)
{
	struct run *r = user;

	if (!r->cli.quiet)
		report_message(r, "%s", text);
}

/* ---- SIGUSR1, SIGUSR2 ---- */

/* Returns the expression as the filter's file has the text now, to be freed; NULL: none, and why.
 */
static char *read_filter_again(const struct cli *c, char *why, size_t room)
{
	if (c->filter_path)
		return cli_filter_file(c->filter_path, why, room);
	return c->filter ? strdup(c->filter) : NULL;
}

/* Compiles the filter again, since the filter's files may have changed.  The filter stays as it is
 * if a file is missing or wrong. */
static void reread_filter(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_error error = { .status = BPE_OK };
	char why[512] = "there is no filter";

	if (c->rights.filter_fixed) {
		report_message(r,
			"the filter stays as it was: what confines this program does not let it change (--no-confine does)");
		return;
	}
	char *text = read_filter_again(c, why, sizeof why);
	if (!text) {
		report_message(r, "nothing to read again: %s", why);
		return;
	}
	if (bpe_engine_set_expression(running, text, &error) < 0) {
		const bool may_need_names = c->rights.confined[0] && strstr(error.text, "unknown ");

		report_message(r, "the filter stays as it was: %s%s", error.text,
			may_need_names
				? "\n(a confined program asks no name server: give numbers, or --no-confine)"
				: "");
	} else if (!c->quiet) {
		report_message(r, "the filter was read again");
	}
	free(text);
}

/* Asks the engine for records of all flows which are alive. */
static void dump_live_flows(struct run *r)
{
	const int status = bpe_engine_dump_flows(running, NULL, NULL);

	if (status == BPE_E_BUSY)
		report_message(r, "the flows asked for before are not all written yet: ask again");
	else if (status == BPE_OK && !r->cli.quiet)
		report_message(r, "the flows that are alive are written to %s", r->cli.flows_shown);
}

static void handle_sigusr2(struct run *r)
{
	if (!rereads)
		return;
	rereads = 0;
	if (r->cli.flows)
		dump_live_flows(r);
	if (r->cli.filter || !r->cli.flows)
		reread_filter(r);
}

/* Prints the report so far: SIGINFO, SIGUSR1. */
static void handle_report_signal(const struct cli *c)
{
	if (!reports)
		return;
	reports = 0;
	cli_live_clear();
	cli_report_text(stderr, running, c, NULL);
}

/* ---- The run ---- */

/* Stops the run when its time is up.  A live source which has given all its packets ends by itself;
 * the flow file then gets no more time than after a signal. */
static void end_run_in_time(const struct cli *c, const struct bpe_stats *s)
{
	const bool is_timed_out = c->duration_ns && (int64_t)s->elapsed_ns >= c->duration_ns;
	const uint64_t counted = s->read_packets - s->dropped[BPE_DROP_DUPLICATE];
	const bool is_counted = c->engine.interface_name && c->engine.max_packets &&
				counted >= c->engine.max_packets;

	if (c->flows && (is_timed_out || is_counted))
		cli_flows_ending(c->flows);
	if (is_timed_out)
		bpe_engine_stop(running);
}

/* Returns the shorter of two times to wait; until <= 0: no limit. */
static int64_t shorter_wait(int64_t wait, int64_t until)
{
	return until > 0 && until < wait ? until : wait;
}

/* Prints the line of --stats-interval if the line is due.  Returns the time of the next line. */
static int64_t print_due_interval(
	const struct cli *c, struct cli_rates *rates, struct bpe_stats *s, int64_t due_ns)
{
	const int64_t elapsed_ns = (int64_t)s->elapsed_ns;

	if (!c->stats_interval_ns || elapsed_ns < due_ns)
		return due_ns;
	cli_rates_take(rates, s, 0);
	cli_interval_line(stderr, s);
	while (due_ns <= elapsed_ns)
		due_ns += c->stats_interval_ns;
	return due_ns;
}

/* Waits for the end of the run, prints lines of statistics, and minds signals. */
static void run_live_line(struct run *r)
{
	struct bpe_stats s;
	struct cli_rates rates = { .count = 0 };
	const struct cli *c = &r->cli;
	bool is_live = isatty(STDERR_FILENO) && !c->quiet && !c->json && !c->stats_interval_ns;
	int64_t due_ns = c->stats_interval_ns;

	for (;;) {
		bpe_engine_stats(running, &s);
		const int64_t elapsed_ns = (int64_t)s.elapsed_ns;

		end_run_in_time(c, &s);
		due_ns = print_due_interval(c, &rates, &s, due_ns);
		int64_t wait_ns = is_live ? LIVE_NS : SECOND_NS;
		wait_ns = shorter_wait(wait_ns, c->duration_ns - elapsed_ns);
		if (c->stats_interval_ns)
			wait_ns = shorter_wait(wait_ns, due_ns - elapsed_ns + 1);
		if (bpe_engine_wait(running, wait_ns))
			break;
		handle_sigusr2(r);
		handle_report_signal(c);
		if (!is_live)
			continue;
		bpe_engine_stats(running, &s);
		cli_rates_take(&rates, &s, SECOND_NS);
		is_live = cli_live_line(&s);
	}
	cli_live_clear();
}

/* Minds SIGTSTP and SIGCONT. */
static void handle_view_signals(struct run *r)
{
	if (suspends) {
		suspends = 0;
		continues = 0;
		top_view_suspend(r->view);
	}
	if (continues) {
		continues = 0;
		top_view_redraw(r->view);
	}
}

static bool is_duration_over(const struct cli *c)
{
	struct bpe_stats s;

	if (!c->duration_ns)
		return false;
	bpe_engine_stats(running, &s);
	return (int64_t)s.elapsed_ns >= c->duration_ns;
}

/* Runs with the live view on the terminal.  At the end of a savefile the view stays until the user
 * leaves. */
static void run_top_view(struct run *r)
{
	bool is_ended = false;

	r->view_has_terminal = true;
	top_view_start(r->view, running);
	while (!is_duration_over(&r->cli)) {
		if (!is_ended && bpe_engine_wait(running, 0)) {
			is_ended = true;
			if (bpe_engine_result(running, NULL) < 0)
				break;
		}
		if (stops || !top_view_step(r->view, is_ended))
			break;
		handle_view_signals(r);
		handle_sigusr2(r);
	}
	if (r->cli.flows)
		cli_flows_ending(r->cli.flows);
	bpe_engine_stop(running);
	while (!bpe_engine_wait(running, -1))
		continue;
	r->view_has_terminal = false;
	top_view_close(r->view);
	r->view = NULL;
}

/* ---- Before the run ---- */

/* Returns the exit code for the engine's status BPE_E_*. */
static int exit_of_status(int status)
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

/* Warns if SIGHUP will not be able to make a new flow file.  A log is usually rotated by moving the
 * file away and sending SIGHUP.  In root's directories, as /var/log, the user which the program
 * becomes cannot make a file.  A helper process which stayed root for the purpose would be another
 * target of attacks.  So the program warns at the start and names the alternatives. */
static void warn_of_rotation(const struct cli *c)
{
	const int directory = cli_flows_directory(c->flows);

	if (directory < 0 || c->quiet || !c->engine.interface_name)
		return;
	if (cli_rights_may_make(directory))
		return;
	program_tell(
		"SIGHUP will not open %s anew: the user that this program becomes may make no file there"
		" (copy and cut it to rotate it, or give that user a directory)",
		c->flows_shown);
}

/* Makes the flow file, gives up rights, and empties the flow file.  Returns 0 or an exit code. */
static int prepare_outputs(struct run *r)
{
	struct cli *c = &r->cli;
	int code;

	if (c->flows && (code = cli_flows_make(c->flows)))
		return code;
	if (c->flows)
		warn_of_rotation(c);
	code = cli_rights_give_up(c);
	if (code)
		return code;
	/* Until here a signal ends the program in the default way, as there is nothing to report */
	install_handlers(r);
	return c->flows ? cli_flows_begin(c->flows, running) : 0;
}

/* Opens the source, prepares the outputs, starts the engine.  Returns 0 or an exit code. */
static int start_engine(struct run *r)
{
	struct bpe_error error;
	int status = bpe_engine_open(&r->cli.engine, &running, &error);
	int code;

	if (status < 0) {
		program_tell("%s: %s", error.step, error.text);
		return exit_of_status(status);
	}
	code = prepare_outputs(r);
	if (code)
		return code;
	if (stops)
		bpe_engine_stop(running);
	status = bpe_engine_start(running, &error);
	if (status < 0)
		program_tell("%s: %s", error.step, error.text);
	return status < 0 ? EXIT_ERROR : 0;
}

/* ---- After the run ---- */

/* Returns whether all packets and flows are accounted for. */
static bool do_counts_balance(void)
{
	struct bpe_stats s;

	bpe_engine_stats(running, &s);
	uint64_t accounted = s.delivered_packets;
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		accounted += s.dropped[i];
	return accounted == s.read_packets &&
	       s.flows_opened == s.flows_active + s.flows_ended + s.flows_evicted;
}

/* Prints the report; error: of the run, or NULL.  Returns whether the report and all records were
 * written. */
static bool print_report(const struct run *r, const char *error)
{
	const struct cli *c = &r->cli;
	/* flows on the standard output share it with no report but JSON */
	FILE *to = c->flows && cli_flows_on_stdout(c->flows) && !c->json ? stderr : stdout;
	uint64_t written = 0;
	uint64_t lost = 0;
	bool is_printed;

	clearerr(stderr);
	if (c->json)
		cli_report_json(to, running, c, error);
	else
		cli_report_text(to, running, c, NULL);
	if (to == stdout)
		is_printed = program_end_output("the report");
	else
		is_printed = !fflush(stderr) && !ferror(stderr);
	if (c->flows)
		cli_flows_counts(c->flows, &written, &lost);
	if (lost)
		program_tell("flows were not all written to %s: %" PRIu64 " of %" PRIu64
			     " are missing",
			c->flows_shown, lost, written + lost);
	return is_printed && !lost;
}

static int run_engine(struct run *r)
{
	struct bpe_error error;
	int code = start_engine(r);

	if (code)
		return code;
	if (r->view)
		run_top_view(r);
	else
		run_live_line(r);
	const int status = bpe_engine_result(running, &error);
	if (status < 0)
		program_tell("%s", error.text);
	if (!print_report(r, status < 0 ? error.text : NULL))
		code = EXIT_ERROR;
	if (!do_counts_balance()) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped;"
			" please report this");
		code = EXIT_ERROR;
	}
	return status < 0 ? EXIT_ERROR : code;
}

/* ---- The program ---- */

/* Finds the files which no output may be, and opens the outputs.  Returns 0 or an exit code. */
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
	running_flows = c->flows;
	c->engine.on_record = on_flow_record;
	return 0;
}

/* Closes all which the run opened.  Returns 0, or the errno of the flow file. */
static int close_run(struct run *r)
{
	struct bpe_engine *engine = running;
	int failed = 0;

	running = NULL;
	bpe_engine_close(engine);
	running_flows = NULL;
	if (r->cli.flows)
		failed = cli_flows_close(r->cli.flows);
	top_view_close(r->view);
	free(r->cli.filter);
	return failed;
}

/* Captures and reports.  Returns the program's exit code. */
static int run_and_report(struct run *r)
{
	int code = cli_rights_prepare(&r->cli);

	if (!code)
		code = open_outputs(r);
	if (!code && r->cli.top)
		code = top_view_open(&r->view, &r->cli);
	if (!code) {
		r->cli.engine.on_notice = on_engine_notice;
		r->cli.engine.user = r;
		code = run_engine(r);
	}
	const int failed = close_run(r);
	if (!failed || code)
		return code;
	program_tell("flows were not written to %s: %s", r->cli.flows_shown, strerror(failed));
	return EXIT_ERROR;
}

int main(int argc, char **argv)
{
	static struct run r;
	int code;

	program_begin("bpfengine");
	install_handler(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, and ends quietly */
	code = cli_options(&r.cli, argc, argv);
	if (code)
		return code;
	if (r.cli.done)
		return program_end_output("the text") ? EXIT_GOOD : EXIT_ERROR;
	if (r.cli.list)
		return cli_list_interfaces(r.cli.json);
	if (!r.cli.dump && !r.cli.explain)
		return run_and_report(&r);
	code = cli_dump_filter(&r.cli);
	free(r.cli.filter);
	return code;
}
