/* SPDX-License-Identifier: MIT */
/* Which of a ring's own files are removed: always the oldest first.  Pure. */
#ifndef BPEI_KEEP_H
#define BPEI_KEEP_H

#include <stddef.h>
#include <stdint.h>

/* What is kept; 0: no limit. */
struct bpei_keep {
	uint64_t files;        /* the file that is being written counts */
	uint64_t bytes;        /* of all files, with the file that is being written */
	int64_t age_ns;        /* since the file's last packet */
	uint64_t free_percent; /* of the file system, which stay free */
};

/* A complete file of the ring. */
struct bpei_kept {
	uint64_t bytes;
	int64_t last_ns; /* its last packet, or its end without packets; since 1970 */
};

/* The world at the decision. */
struct bpei_keep_now {
	uint64_t open_files; /* 1 while a file is being written, or is about to be */
	uint64_t open_bytes; /* its length, or the length that it will reach */
	int64_t now_ns;
	uint64_t disk_bytes; /* the file system's size; 0: unknown */
	uint64_t free_bytes; /* ... of which are free for the writer */
};

/* Returns how many of the files, the oldest first, must go so that all limits hold.  Removing all
 * may be too little; the file that is being written stays. */
size_t bpei_keep_excess(const struct bpei_keep *keep, const struct bpei_kept *files, size_t count,
	const struct bpei_keep_now *now);

#endif
