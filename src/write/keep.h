/* SPDX-License-Identifier: MIT */
/* Which of a ring's own files are removed: always the oldest first.  Pure. */
#ifndef BPEI_KEEP_H
#define BPEI_KEEP_H

#include <stddef.h>
#include <stdint.h>

/* The limits of a ring; 0: none. */
struct bpei_keep {
	uint64_t files;        /* the open file counts */
	uint64_t bytes;        /* of all files, the open file included */
	int64_t age_ns;        /* since a file's last packet */
	uint64_t free_percent; /* of the file system */
};

/* A complete file of the ring. */
struct bpei_kept {
	uint64_t bytes;
	int64_t last_ns; /* the last packet, or the end of a file without packets; since 1970 */
};

/* The world at the decision. */
struct bpei_keep_now {
	uint64_t open_files; /* 1 while a file is open, or about to be opened */
	uint64_t open_bytes; /* the open file's length, or the length that the file will reach */
	int64_t now_ns;
	uint64_t disk_bytes; /* the file system's size; 0: unknown */
	uint64_t free_bytes; /* free for the writer */
};

/* Returns how many of the files, the oldest first, must go for all limits to hold.  Removing all
 * may be too little; the open file stays. */
size_t bpei_keep_excess(const struct bpei_keep *keep, const struct bpei_kept *files, size_t count,
	const struct bpei_keep_now *now);

#endif
