/* SPDX-License-Identifier: MIT */
/* The two halves of Linux's confinement; each holds without the other. */
#ifndef CONFINE_LINUX_H
#define CONFINE_LINUX_H

#include "rights.h"

/* Files: those listed and, where `filter`, the tables of names may be opened for reading; nothing
 * else.  0 or an errno; *version is the kernel's. */
int cli_landlock(const struct cli_confinement *how, int *version);
/* System calls.  0 or an errno; *calls says how many are let through.  ENOTSUP: no list for this
 * kind of machine. */
int cli_seccomp(const struct cli_confinement *how, unsigned *calls);

/* Descriptors by their numbers, both ends included. */
struct cli_range {
	uint32_t first, last;
};
/* Those that are open and nothing is written to, in order; all others are free.  Returns how many
 * ranges; SIZE_MAX: more than `most`, or poll does not tell.  The other way round: those that are
 * written to, the first `most` ranges of them. */
size_t cli_unwritten(struct cli_range *ranges, size_t most);
size_t cli_written(struct cli_range *ranges, size_t most);

#endif
