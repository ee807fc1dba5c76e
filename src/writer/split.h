/* SPDX-License-Identifier: MIT */
/* A capture split into many files: one for each flow, host or process (--split).
 *
 * Life: open -> add for each chunk, tick when time passes -> close.  The encoder fills chunks with
 * records, and each record names the file of the block behind.  Blocks of a file gather in memory
 * and are appended together.  Few files are open at a time; the file used longest ago closes first.
 * Owner: the writer's thread, or the writer's lock without a thread.
 *
 * Invariant: a file on the disk is whole at all times; a torn block is cut off.  Bounds: open
 * files, files in all, memory. */
#ifndef BPEI_WRITER_SPLIT_H
#define BPEI_WRITER_SPLIT_H

#include "write/split_key.h"
#include "writer/files.h"

#define BPEI_SPLIT_OPEN 64u /* files open at a time, at most */
#define BPEI_SPLIT_FILES 100000u

/* In front of each block in a chunk of a split writer. */
struct bpei_split_record {
	uint32_t bytes;            /* of the block behind */
	uint32_t caplen;           /* captured bytes of the packet */
	uint32_t is_packet;        /* 0: the block describes, and is for all files */
	struct bpei_split_key key; /* of a packet */
};

struct bpei_split_options {
	const struct bpei_file_calls *calls; /* NULL: the system's */
	const char *path; /* words are added before the end: "x.pcapng" is "x-WORDS.pcapng" */
	int directory;    /* path begins here; -1: the working directory; not closed */
	uint32_t most_open, most_files; /* at least 1 */
	uint64_t most_bytes;            /* in memory */
	bool stop_on_error;
	void (*on_notice)(void *user, const char *text); /* NULL */
	void *user;
};

/* Packets lost on their way into a file. */
struct bpei_split_lost {
	uint32_t error; /* a file could not be written */
	uint32_t files; /* most_files exist already */
};

/* Counters since the opening. */
struct bpei_split_counts {
	uint64_t packets, captured_bytes, file_bytes, files, errors;
	uint64_t waiting; /* packets in memory */
	uint64_t bytes;   /* memory of these packets */
	uint64_t open;    /* descriptors */
};

struct bpei_split;

/* Returns BPE_OK, BPE_E_ARGUMENT (a path without a name), BPE_E_MEMORY or the errors of opening a
 * directory. */
int bpei_split_open(struct bpei_split **split, const struct bpei_split_options *options,
	struct bpe_error *error);
/* Takes the records of a chunk.  Packets taken before may be lost here, too: their file fails. */
struct bpei_split_lost bpei_split_add(struct bpei_split *split, const struct bpei_chunk *chunk);
/* Appends some packets in memory to their files, the longest unused files first. */
struct bpei_split_lost bpei_split_tick(struct bpei_split *split);
/* Appends all packets in memory. */
struct bpei_split_lost bpei_split_flush(struct bpei_split *split);
const struct bpei_split_counts *bpei_split_counts(const struct bpei_split *split);
/* Returns BPE_OK, or the first error with lost packets and *error filled. */
int bpei_split_status(const struct bpei_split *split, struct bpe_error *error);
/* Closes and frees, after a flush.  Returns as bpei_split_status.  NULL is allowed. */
int bpei_split_close(struct bpei_split *split, struct bpe_error *error);

#endif
