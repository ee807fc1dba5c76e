/* SPDX-License-Identifier: MIT */
/* A run of the program, from the opening of the source to the report.  All calls are for the main
 * thread, unless noted. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli.h"
#include "intervals.h"
#include "top.h"

#include "tools/print/printer.h"

#include <signal.h>
#include <sys/utsname.h>

struct trigger;

struct run {
	struct cli cli;
	struct bpe_engine *engine; /* NULL until the source is open, and after the run */
	struct top_view *view;     /* NULL: no live view */
	struct printer *printer;   /* NULL: packets are not printed */
	bool view_has_terminal;
	struct utsname system;     /* what the machine said before the confinement; "": nothing */
	bool is_described;         /* the first interface that was written; the reading thread's */
	_Atomic bool is_busy_told; /* that the recorder takes no trigger; w: any  r: any */
	struct trigger *trigger;   /* of the flight recorder; NULL: none */
	bpe_batch_fn next_read;    /* on_read that was there before (run_record.c) */
	bpe_batch_fn next_batch;   /* on_batch likewise; NULL: none */
	_Atomic bool has_several_interfaces; /* of packets that were written; w: reader  r: any */
	int64_t counts_due_ns;               /* when the senders get the counters again */
	bool has_intervals;                  /* lines of --stats-interval by the packets' time */
	struct cli_intervals intervals;
};

/* ---- Signals (signals.c) ---- */

/* What signals asked for since the program looked.  Handlers set the members. */
struct run_signals {
	volatile sig_atomic_t stops;     /* SIGINT, SIGTERM: how many */
	volatile sig_atomic_t reports;   /* SIGINFO, SIGUSR1 */
	volatile sig_atomic_t rereads;   /* SIGUSR2 */
	volatile sig_atomic_t rotates;   /* SIGHUP */
	volatile sig_atomic_t suspends;  /* SIGTSTP, with the live view */
	volatile sig_atomic_t continues; /* SIGCONT, with the live view */
};
extern struct run_signals run_signals;

void run_install_handler(int signal, void (*handler)(int));
/* Installs the handlers.  The source is open; the handlers may stop the engine from now on. */
void run_watch_signals(const struct run *run);
/* Keep the handlers away from the engine and the outputs, which are about to be closed. */
void run_forget_engine(void);
void run_forget_flows(void);
void run_forget_printer(void);
/* Does what SIGUSR1 and SIGUSR2 asked for (signal_work.c). */
void run_handle_sigusr1(struct run *run);
void run_handle_sigusr2(struct run *run);

/* ---- Messages (messages.c) ---- */

/* Shows a message in the live view, or prints the message on stderr.  Any thread. */
void run_tell(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* on_notice of the engine. */
void run_on_notice(void *run, const char *text);

/* ---- The printing of packets (run_print.c) ---- */

/* Opens the printer if packets are to be printed, and takes on_batch.  Runs before rights are given
 * up.  Returns 0, or the exit code after the message. */
int run_print_open(struct run *run);
/* Writes the last lines.  Returns 0, or the exit code after the message about lines that could not
 * be written. */
int run_print_finish(struct run *run);
/* Prints how many packets were printed. */
void run_print_report(FILE *to, const struct run *run);

/* ---- The writing of savefiles (run_write.c) ---- */

/* Takes on_read if packets are to be written.  Runs before the source is opened. */
void run_write_prepare(struct run *run);
/* Opens the writer.  Runs once rights are given up, before the engine starts.  Returns 0, or the
 * exit code after the message. */
int run_write_begin(struct run *run);
/* Tells the writer what the source has counted, for the statistics of the files. */
void run_write_counts(struct run *run);
/* Tells of commands of -z, does what SIGHUP asked for, and tells the writer the counts.  Runs again
 * and again. */
void run_write_look(struct run *run);
/* Completes the files, once the run has ended.  Returns 0, or the exit code after the message. */
int run_write_finish(struct run *run);
void run_write_close(struct run *run);

/* ---- Cutoff and flight recorder (run_record.c) ---- */

/* Reads the trigger, and chains handlers.  Runs behind all other parts that take handlers, and
 * before rights are given up.  Returns 0, or the exit code after the message. */
int run_record_open(struct run *run);
/* Writes what the recorder has.  Returns false if there is no recorder. */
bool run_record_trigger(struct run *run);
/* Returns whether the trigger is counters, at which the program must look. */
bool run_record_watches(const struct run *run);
/* Looks at the counters. */
void run_record_look(struct run *run, const struct bpe_stats *stats);
void run_record_close(struct run *run);

/* ---- Targets (run_export.c).  Nothing without targets. ---- */

/* Tells what the senders said, and gives them the counters of the run.  Runs again and again. */
void run_export_look(struct run *run);
/* Gives the last counters, and ends the senders, once the run has ended. */
void run_export_finish(struct run *run);

/* ---- Waiting for the end of the run (run_line.c, run_view.c) ---- */

/* Waits for the end of the run, prints lines of statistics, and minds signals. */
void run_live_line(struct run *run);
/* Runs with the live view on the terminal.  At the end of a savefile the view stays until the user
 * leaves. */
void run_top_view(struct run *run);

#endif
