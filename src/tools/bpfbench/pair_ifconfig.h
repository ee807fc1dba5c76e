/* SPDX-License-Identifier: MIT */
/* What pair_darwin.c and pair_freebsd.c share. */
#ifndef BENCH_PAIR_IFCONFIG_H
#define BENCH_PAIR_IFCONFIG_H

#include "pair.h"

/* Runs `ifconfig a b c` (NULL ends the words early) and stores the first printed word in answer.
 * Returns false if ifconfig failed. */
bool ifconfig(char *answer, size_t room, const char *a, const char *b, const char *c);
/* Reports that a step failed.  Returns an exit code. */
int pair_refused(const char *what);

#endif
