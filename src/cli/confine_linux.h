/* SPDX-License-Identifier: MIT */
/* The two halves of Linux's confinement; each holds without the other. */
#ifndef CONFINE_LINUX_H
#define CONFINE_LINUX_H

#include "rights.h"

/* Files: those listed and, where `filter`, the tables of names may be opened for reading; nothing else.  0 or an errno; *version is the
 * kernel's. */
int cli_landlock(const struct cli_confinement *how, int *version);
/* System calls.  0 or an errno; *calls says how many are let through.  ENOTSUP: no list for this kind of machine. */
int cli_seccomp(const struct cli_confinement *how, unsigned *calls);

#endif
