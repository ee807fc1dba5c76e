/* SPDX-License-Identifier: MIT */
/* The two mechanisms of Linux's confinement.  Each works without the other. */
#ifndef CONFINE_LINUX_H
#define CONFINE_LINUX_H

#include "rights.h"

/* Confines the opening of files by Landlock: only the listed files and, if how->filter, the tables
 * of names can be opened for reading.  Returns 0 or an errno.  *version: of the kernel's interface.
 */
int cli_landlock(const struct cli_confinement *how, int *version);
/* Confines system calls by seccomp.  Returns 0 or an errno; ENOTSUP: there is no list of calls for
 * this kind of machine.  *calls: the number of calls that are allowed. */
int cli_seccomp(const struct cli_confinement *how, unsigned *calls);

/* Descriptor numbers, both ends included. */
struct cli_range {
	uint32_t first, last;
};
/* Lists the open descriptors that nothing is written to, in order.  Returns the number of ranges,
 * or SIZE_MAX if there are more than `most` or poll(2) fails. */
size_t cli_unwritten(struct cli_range *ranges, size_t most);
/* Lists the open descriptors that are written to.  Returns the number of ranges, or SIZE_MAX if
 * there are more than `most`. */
size_t cli_written(struct cli_range *ranges, size_t most);

#endif
