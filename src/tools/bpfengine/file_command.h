/* SPDX-License-Identifier: MIT */
/* -z: runs a command for each complete file, without a shell.  The file's name is the only
 * argument.
 *
 * The program is confined and may start no process.  So a helper process is forked before the
 * source is opened: the helper gives up rights, takes names from a pipe, and runs one command at a
 * time at the lowest priority.  A full pipe loses the name, which is counted and told; the writer
 * never waits. */
#ifndef CLI_FILE_COMMAND_H
#define CLI_FILE_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct cli;
struct cli_command;

/* Counts of commands so far. */
struct cli_command_counts {
	uint64_t good;    /* commands with exit code 0 */
	uint64_t failed;  /* other commands, and commands without a start */
	uint64_t not_run; /* files without a command, since too many commands waited */
};

/* Starts the helper if -z was given.  Runs after cli_write_find and before the source is opened.
 * Returns 0, or the exit code after the message. */
int cli_command_start(struct cli_command **command, const struct cli *cli);
/* Hands on the name of a complete file, as the writer tells the name.  Never waits.  Any thread,
 * one at a time. */
void cli_command_file(struct cli_command *command, const char *name);
/* Tells of failed commands since the call before.  Never waits.  Main thread. */
void cli_command_look(struct cli_command *command);
/* Waits for waiting commands, and for the helper.  stops: another signal to stop leaves
 * both alone.  Main thread. */
void cli_command_finish(struct cli_command *command, const volatile sig_atomic_t *stops);
/* Gives the counts.  Main thread. */
void cli_command_count(const struct cli_command *command, struct cli_command_counts *counts);
/* Frees; NULL is allowed.  A helper that still works goes on alone. */
void cli_command_close(struct cli_command *command);

#endif
