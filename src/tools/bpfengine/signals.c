/* SPDX-License-Identifier: MIT */
/* Signals of a run (run.h).
 *
 * The handlers only set flags and ask the engine to stop (bpe_engine_stop may be called from a
 * handler).  The engine is noted before the handlers are installed and forgotten after the run, so
 * no handler meets a closed engine. */
#include "exports.h"
#include "run.h"

#include <string.h>
#include <unistd.h>

#ifdef SIGINFO
#define SIGNAL_REPORT SIGINFO
#else
#define SIGNAL_REPORT SIGUSR1
#endif

struct run_signals run_signals;
static struct bpe_engine *watched_engine;   /* NULL: no engine which a handler may stop */
static struct cli_flows *watched_flows;     /* NULL: likewise */
static struct cli_flows *watched_events;    /* NULL: likewise */
static struct cli_exports *watched_exports; /* NULL: likewise */
static struct printer *watched_printer;     /* NULL: likewise */

/* Stops the engine; a second signal ends the process at once, with the terminal restored. */
static void on_stop_signal(int signal)
{
	if (run_signals.stops++) {
		top_view_restore();
		_exit(128 + signal);
	}
	if (watched_flows)
		cli_flows_ending(watched_flows);
	if (watched_events)
		cli_flows_ending(watched_events);
	if (watched_exports)
		cli_exports_ending(watched_exports);
	if (watched_printer)
		print_ending(watched_printer);
	if (watched_engine)
		bpe_engine_stop(watched_engine);
}

static void on_reopen_signal(int signal)
{
	(void)signal;
	run_signals.rotates = 1;
	if (watched_flows)
		cli_flows_reopen(watched_flows);
	if (watched_events)
		cli_flows_reopen(watched_events);
	if (watched_exports)
		cli_exports_reopen(watched_exports);
}

static void on_report_signal(int signal)
{
	(void)signal;
	run_signals.reports = 1;
}

static void on_reread_signal(int signal)
{
	(void)signal;
	run_signals.rereads = 1;
}

static void on_suspend_signal(int signal)
{
	(void)signal;
	run_signals.suspends = 1;
}

static void on_continue_signal(int signal)
{
	(void)signal;
	run_signals.continues = 1;
}

void run_install_handler(int signal, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	sigaction(signal, &action, NULL);
}

void run_watch_signals(const struct run *r)
{
	watched_engine = r->engine;
	watched_flows = r->cli.flows;
	watched_events = r->cli.events;
	watched_exports = r->cli.exports;
	watched_printer = r->printer;
	run_install_handler(SIGINT, on_stop_signal);
	run_install_handler(SIGTERM, on_stop_signal);
	run_install_handler(SIGUSR2, on_reread_signal);
	if (r->view) {
		run_install_handler(SIGHUP, on_stop_signal); /* the view ends with its terminal */
		run_install_handler(SIGQUIT, on_stop_signal);
		run_install_handler(SIGTSTP, on_suspend_signal);
		run_install_handler(SIGCONT, on_continue_signal);
		run_install_handler(SIGNAL_REPORT, SIG_IGN); /* the view is the report */
		return;
	}
	run_install_handler(SIGNAL_REPORT, on_report_signal);
	if (r->cli.flows || r->cli.events || r->cli.exports || r->cli.place.used)
		run_install_handler(SIGHUP, on_reopen_signal);
}

void run_forget_engine(void)
{
	watched_engine = NULL;
}

void run_forget_flows(void)
{
	watched_flows = NULL;
	watched_events = NULL;
	watched_exports = NULL;
}

void run_forget_printer(void)
{
	watched_printer = NULL;
}
