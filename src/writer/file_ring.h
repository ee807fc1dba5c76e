/* SPDX-License-Identifier: MIT */
/* The complete files of a writer, oldest first, and the ledger, which remembers the files of
 * earlier runs. Files of others are never in the ring, and never removed. */
#ifndef BPEI_FILE_RING_H
#define BPEI_FILE_RING_H

#include "write/keep.h"
#include "write/ledger.h"
#include "writer/files.h"

/* A file of the ring. */
struct bpei_ring_entry {
	char *name;
	uint64_t number, inode;
};

struct bpei_file_ring {
	const struct bpei_file_calls *calls;
	int directory;
	struct bpei_keep keep;
	struct bpei_ring_entry *files; /* [count]; free() */
	struct bpei_kept *kept;        /* [count], of the same files; free() */
	size_t count, room;
	int ledger;            /* -1: none */
	uint64_t ledger_bytes; /* up to the last whole line */
	uint64_t torn_bytes;   /* behind them, left by an error */
	uint64_t removed;
	int first_error;   /* a negative errno of removing, until taken; 0: none */
	bool foreign_kept; /* a file of the ring's name was not the ring's file any more */
};

/* Initialises a ring without files and ledger. */
void bpei_file_ring_init(struct bpei_file_ring *ring, const struct bpei_file_calls *calls,
	int directory, const struct bpei_keep *keep);
/* Frees the memory and closes the ledger. */
void bpei_file_ring_end(struct bpei_file_ring *ring);

/* Opens the ledger, alone among all runs, and takes existing files into the ring.
 * Returns BPE_OK; BPE_E_BUSY if another run has the ledger; BPE_E_ARGUMENT if the file is not a
 * ledger; BPE_E_MEMORY; others as the system says.  Fills *error. */
int bpei_file_ring_load(struct bpei_file_ring *ring, const char *name, struct bpe_error *error);

/* Adds a complete file.  Returns 0, or -ENOMEM: the file stays for ever. */
int bpei_file_ring_add(struct bpei_file_ring *ring, const char *name,
	const struct bpei_file_state *state, uint64_t number, int64_t last_ns);

/* Removes the oldest files as far as the limits ask.  open_bytes: of the file that is open or about
 * to be. */
void bpei_file_ring_trim(
	struct bpei_file_ring *ring, uint64_t open_files, uint64_t open_bytes, int64_t now_ns);

/* Appends a line.  Returns 0 (also without a ledger), or a negative errno; then the ledger ends
 * with its last whole line. */
int bpei_file_ring_note(struct bpei_file_ring *ring, const struct bpei_ledger_entry *entry);

#endif
