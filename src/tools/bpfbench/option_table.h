/* SPDX-License-Identifier: MIT */
/* What the files of bpfbench's command line share. */
#ifndef BENCH_OPTION_TABLE_H
#define BENCH_OPTION_TABLE_H

#include "options.h"

#include "tools/common/option.h"

extern const struct option_program bench_option_program;

/* Prints the message about a word that getopt refused (struct option_program). */
int bench_option_misused(int problem, const char *given);
/* Refuses an option that the kind of measurement does not take. */
int bench_option_before(void *target, const struct option_spec *spec, char **rest);

#endif
