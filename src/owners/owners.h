/* SPDX-License-Identifier: MIT */
/* Processes that have the sockets of flows, by the system's own lists; a file for each system.
 *
 * Linux (owners_linux.c): sock_diag(7) tells the socket (diag.c, diag_linux.c).  The socket's inode
 * is looked for among the descriptors of processes (procs.c).  A tracepoint tells connections of
 * processes that end too soon (trace.c, trace_linux.c).
 * FreeBSD (owners_freebsd.c): the lists of sysctl(3).  macOS (owners_darwin.c): libproc.  Elsewhere
 * owners_none.c refuses.
 * Life: open, with rights -> ask, again and again -> close.  One thread at a time. */
#ifndef BPEI_OWNERS_H
#define BPEI_OWNERS_H

#include "bpfengine.h"

struct bpe_owners;

/* Says whether this system can be asked. */
extern const bool bpei_owners_are_told;

/* As the public functions of these names. */
int bpei_owners_open(struct bpe_owners **owners, struct bpe_error *error);
int bpei_owners_ask(struct bpe_owners *owners, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n);
void bpei_owners_close(struct bpe_owners *owners);

#endif
