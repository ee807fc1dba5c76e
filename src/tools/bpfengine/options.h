/* SPDX-License-Identifier: MIT */
/* Declarations of bpfengine's command line: the table, and the readers of values which need
 * code of their own. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli.h"

/* The table, in the order of --help (option_table.c). */
extern const struct option_spec cli_option_specs[];
extern const size_t cli_option_count;

/* Checks the options together, and completes the options.  Returns 0 or EXIT_USAGE after the
 * message (option_checks.c). */
int cli_check_options(struct cli *cli);

/* Chooses what names are looked for, and compiles --where (names_options.c).  Runs once the outputs
 * are known.  Returns 0 or EXIT_USAGE after the message. */
int cli_complete_names(struct cli *cli);

int cli_act_version(void *target);

/* Readers (option_values.c): target is a struct cli.  Return 0 or EXIT_USAGE after the message. */
int cli_read_print(void *target, const struct option_spec *spec, const char *word);
int cli_read_count(void *target, const struct option_spec *spec, const char *word);
int cli_read_autostop(void *target, const struct option_spec *spec, const char *word);
int cli_read_fanout(void *target, const struct option_spec *spec, const char *word);
int cli_read_direction(void *target, const struct option_spec *spec, const char *word);
int cli_read_clock(void *target, const struct option_spec *spec, const char *word);
int cli_read_workers(void *target, const struct option_spec *spec, const char *word);
int cli_read_flow_timeout(void *target, const struct option_spec *spec, const char *word);
int cli_read_link_type(void *target, const struct option_spec *spec, const char *word);
int cli_read_through(void *target, const struct option_spec *spec, const char *word);
int cli_read_tunnels(void *target, const struct option_spec *spec, const char *word);
int cli_read_filter(void *target, const struct option_spec *spec, const char *word);
int cli_read_interface(void *target, const struct option_spec *spec, const char *word);
int cli_read_savefile(void *target, const struct option_spec *spec, const char *word);
int cli_read_export(void *target, const struct option_spec *spec, const char *word);
int cli_read_metrics(void *target, const struct option_spec *spec, const char *word);
int cli_read_metrics_file(void *target, const struct option_spec *spec, const char *word);
int cli_read_flows_rotate(void *target, const struct option_spec *spec, const char *word);
int cli_read_names(void *target, const struct option_spec *spec, const char *word);
int cli_read_filter_file(void *target, const struct option_spec *spec, const char *path);

#endif
