/* SPDX-License-Identifier: MIT */
/* A regular file's bytes, read ahead by a second thread.
 *
 * Life: start -> (next -> release)* -> stop.  The bytes come in pieces, in order.  A piece's bytes
 * stay where they are until the piece is released. */
#ifndef BPEI_AHEAD_H
#define BPEI_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room before a piece's bytes, for the caller's bytes of the piece before. */
#define BPEI_AHEAD_HEADROOM (64u << 10)
/* Longest stretch that can be read ahead. */
#define BPEI_AHEAD_PIECE (1u << 20)

struct bpei_ahead;

struct bpei_ahead_piece {
	uint8_t *bytes;
	size_t length;  /* shorter than the piece only at the end */
	uint64_t begin; /* offset in the file */
	bool is_last;   /* the file ends here, or cannot be read further */
	int failure;    /* errno of the read that failed behind these bytes; 0: none did */
};

/* Starts a thread that reads the file from `start` on.  Pieces end at multiples of the stretch,
 * which is at most BPEI_AHEAD_PIECE.  lent: most bytes of unreleased pieces while the
 * next piece is taken.  Returns NULL without memory or thread, or if `lent` is too much. */
struct bpei_ahead *bpei_ahead_start(int file, uint64_t start, size_t stretch, size_t lent);
/* Ends the thread, and frees all pieces.  NULL is allowed. */
void bpei_ahead_stop(struct bpei_ahead *ahead);

/* Returns the next piece, good until released.  Reads the piece here if the thread has not begun,
 * or keeps the caller waiting.  Never called behind the last piece. */
const struct bpei_ahead_piece *bpei_ahead_next(struct bpei_ahead *ahead);
/* Releases the pieces that end at the offset `end` or before. */
void bpei_ahead_release(struct bpei_ahead *ahead, uint64_t end);

#endif
