/* SPDX-License-Identifier: MIT */
/* Processes and their sockets, as the tree of /proc shows them.
 *
 * A look reads the descriptors of processes until all wanted inodes are found.  New processes come
 * first, then processes that were found lately, then all others, the newest first.  Sockets and
 * processes are kept, also when a process has ended.  Looks take at most a tenth of the time
 * (BPEI_PROCS_SHARE): a look in excess finds nothing and is counted.
 * The root of the tree is an argument, so tests bring a tree of their own. */
#ifndef BPEI_OWNERS_PROCS_H
#define BPEI_OWNERS_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpei_procs;

#define BPEI_PROCS_SHARE 10                    /* looks take a 10th of the time */
#define BPEI_PROCS_SAVED_NS INT64_C(200000000) /* most time that is saved for looks */

struct bpei_procs_found {
	int32_t pid;
	uint32_t uid;
	char comm[32];
	char container[64];
};

/* Work of all looks; for tests and measurements. */
struct bpei_procs_counts {
	uint64_t looks, refused, processes, descriptors, denied;
};

/* Makes an empty list over the tree, as "/proc".  now: the clock, in ns.  Returns NULL without
 * memory or without the tree. */
struct bpei_procs *bpei_procs_new(const char *root, int64_t (*now)(void));
void bpei_procs_free(struct bpei_procs *procs); /* NULL is allowed */
/* Looks for the inodes that are not known yet.  Returns false without a look if the time for looks
 * is used up. */
bool bpei_procs_look(struct bpei_procs *procs, const uint32_t *inodes, size_t n);
/* Fills *found with the process that has or had the socket.  Returns false if none is known. */
bool bpei_procs_find(struct bpei_procs *procs, uint32_t inode, struct bpei_procs_found *found);
/* Fills *found with the process of a number.  Returns false if there is and was none. */
bool bpei_procs_by_pid(struct bpei_procs *procs, int32_t pid, struct bpei_procs_found *found);
/* Returns whether the last look was denied the descriptors of some process. */
bool bpei_procs_were_denied(const struct bpei_procs *procs);
const struct bpei_procs_counts *bpei_procs_count(const struct bpei_procs *procs);

#endif
