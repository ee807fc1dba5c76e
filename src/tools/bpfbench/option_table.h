/* SPDX-License-Identifier: MIT */
/* What the files of bpfbench's command line share. */
#ifndef BENCH_OPTION_TABLE_H
#define BENCH_OPTION_TABLE_H

#include "options.h"

#include "tools/common/option.h"

/* The table, in the order of --help. */
extern const struct option_spec bench_option_specs[];
extern const size_t bench_option_count;

#endif
