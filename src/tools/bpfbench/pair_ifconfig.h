/* SPDX-License-Identifier: MIT */
/* For pair_darwin.c and pair_freebsd.c. */
#ifndef BENCH_PAIR_IFCONFIG_H
#define BENCH_PAIR_IFCONFIG_H

#include "pair.h"

/* ifconfig a b c (NULL ends them early); the first word that it prints. */
bool ifconfig(char *answer, size_t room, const char *a, const char *b, const char *c);
int pair_refused(const char *what);

#endif
