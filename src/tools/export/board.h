/* SPDX-License-Identifier: MIT */
/* The counters of the run in shared memory: the program writes, and each sender reads.
 *
 * A sequence number is odd while the program writes.  All words are atomic, so no process reads a
 * word while it changes; a reader reads again if the number changed. */
#ifndef EXPORT_BOARD_H
#define EXPORT_BOARD_H

#include "export.h"

#define EXPORT_BOARD_WORDS ((sizeof(struct export_counts) + 7) / 8)

/* Shared memory; all zero: nothing was written yet. */
struct export_board {
	_Atomic uint64_t sequence;                  /* w: program  r: senders */
	_Atomic uint64_t words[EXPORT_BOARD_WORDS]; /* likewise */
};

/* Writes the counters.  One thread of the program. */
void export_board_write(struct export_board *board, const struct export_counts *counts);
/* Returns the number of the latest counters; 0: none.  Any process. */
uint64_t export_board_number(const struct export_board *board);
/* Reads the counters.  Returns false, and leaves *counts without sense, if the program wrote at the
 * same time, again and again. */
bool export_board_read(const struct export_board *board, struct export_counts *counts);

#endif
