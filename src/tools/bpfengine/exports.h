/* SPDX-License-Identifier: MIT */
/* Targets of a run, by --export, --metrics, --metrics-file or a table of --flows, and the sender
 * processes (tools/export/export.h has the whole). */
#ifndef CLI_EXPORTS_H
#define CLI_EXPORTS_H

#include "tools/export/export.h"

#include <stdio.h>

struct cli;
struct cli_exports;

/* Targets as the options name them. */
struct cli_targets {
	uint32_t count;
	struct {
		const char *option; /* "--export" */
		struct export_address address;
	} target[EXPORT_TARGETS_MOST];
};

/* ---- Options (export_options.c) ---- */

/* Adds a target with a plain path, as a table of --flows: cli_targets_add(c, "--flows",
 * "parquet", path).  Returns 0 or EXIT_USAGE after the message. */
int cli_targets_add(struct cli *cli, const char *option, const char *scheme, const char *path);
/* Makes a target of a --flows that names a table.  Returns 0 or EXIT_USAGE after the message
 * (table_options.c). */
int cli_complete_tables(struct cli *cli);
/* Refuses a table that is a file which the program reads or writes.  Returns 0 or EXIT_ERROR after
 * the message. */
int cli_check_table_file(const struct cli *cli);
/* Returns whether records go to a target. */
bool cli_has_targets(const struct cli *cli);

/* ---- Processes (exports.c).  Calls that return int return 0, or the exit code after the message.
 * All but two calls are for the main thread. ---- */

/* Checks the targets by their sinks, and has counted what the sinks need.  Runs before anything is
 * opened. */
int cli_targets_check(struct cli *cli);
/* Starts a keeper for each target, while rights are there, and waits until all are prepared. */
int cli_exports_start(struct cli_exports **exports, const struct cli *cli);
/* Lets the senders begin.  Runs just before the engine starts. */
int cli_exports_begin(struct cli_exports *exports);
/* Offers a record to each target; the engine's output thread alone. */
void cli_exports_record(struct cli_exports *exports, const struct bpe_flow *flow);
/* Limits from now on how long a target is waited for.  Safe in a signal handler. */
void cli_exports_ending(struct cli_exports *exports);
/* Asks the targets that write files for new files.  Safe in a signal handler. */
void cli_exports_reopen(struct cli_exports *exports);
/* Writes the counters of the run for the senders. */
void cli_exports_counts(struct cli_exports *exports, const struct export_counts *counts);
/* Tells what the senders said.  tell prints a text. */
void cli_exports_look(
	struct cli_exports *exports, void (*tell)(void *user, const char *text), void *user);
/* Ends the senders once the run has ended, and settles the books. */
void cli_exports_finish(
	struct cli_exports *exports, void (*tell)(void *user, const char *text), void *user);
/* Tells of records that did not reach their target.  Returns whether all did. */
bool cli_exports_tell_missing(const struct cli_exports *exports);
/* Returns the number of targets; exports NULL: 0. */
uint32_t cli_exports_count(const struct cli_exports *exports);
/* Returns a target, for the report. */
const struct export_target *cli_exports_target(const struct cli_exports *exports, uint32_t k);
/* Ends all processes that are still there, and frees. */
void cli_exports_close(struct cli_exports *exports);

/* ---- The report (export_report.c): nothing without targets ---- */

void cli_report_exports(FILE *to, const struct cli *cli);
void cli_report_exports_json(FILE *to, const struct cli *cli);

#endif
