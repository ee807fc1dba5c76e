/* SPDX-License-Identifier: MIT */
/* Declarations of bpfengine's command line: the table, and the readers of values which need
 * code of their own. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "tools/common/option.h"

extern const struct option_program cli_option_program;

/* Prints the message about a word which getopt refused (struct option_program). */
int cli_option_misused(int problem, const char *given);
/* Refuses a number behind --top, which takes none. */
int cli_option_before(void *target, const struct option_spec *spec, char **rest);

int cli_act_help(void *target);
int cli_act_version(void *target);

/* Readers (option_values.c): target is a struct cli.  Return 0 or EXIT_USAGE after the message. */
int cli_read_autostop(void *target, const struct option_spec *spec, const char *word);
int cli_read_workers(void *target, const struct option_spec *spec, const char *word);
int cli_read_flow_timeout(void *target, const struct option_spec *spec, const char *word);
int cli_read_link_type(void *target, const struct option_spec *spec, const char *word);
int cli_read_through(void *target, const struct option_spec *spec, const char *word);
int cli_read_tunnels(void *target, const struct option_spec *spec, const char *word);
int cli_read_filter(void *target, const struct option_spec *spec, const char *word);
int cli_read_filter_file(void *target, const struct option_spec *spec, const char *path);

#endif
