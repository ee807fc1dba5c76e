/* SPDX-License-Identifier: MIT */
/* The counters of the run in shared memory (board.h).  State: in shared memory.
 *
 * Orders: the odd number is stored before any word, since the words are stored with release.  A
 * reader with a new word therefore gets the odd number behind the words, or a later number. */
#include "board.h"

#include <string.h>

enum { TRIES = 1000 };

void export_board_write(struct export_board *board, const struct export_counts *counts)
{
	const uint64_t before = atomic_load_explicit(&board->sequence, memory_order_relaxed);
	const uint8_t *from = (const uint8_t *)counts;

	atomic_store_explicit(&board->sequence, before + 1, memory_order_relaxed);
	for (size_t k = 0; k < EXPORT_BOARD_WORDS; k++) {
		const size_t left = sizeof *counts - k * 8;
		uint64_t word = 0;

		memcpy(&word, from + k * 8, left < 8 ? left : 8);
		/* pairs: export_board_read */
		atomic_store_explicit(&board->words[k], word, memory_order_release);
	}
	/* pairs: export_board_read */
	atomic_store_explicit(&board->sequence, before + 2, memory_order_release);
}

uint64_t export_board_number(const struct export_board *board)
{
	return atomic_load_explicit(&board->sequence, memory_order_relaxed) / 2;
}

bool export_board_read(const struct export_board *board, struct export_counts *counts)
{
	uint8_t *to = (uint8_t *)counts;

	for (int tries = 0; tries < TRIES; tries++) {
		/* pairs: export_board_write */
		const uint64_t before =
			atomic_load_explicit(&board->sequence, memory_order_acquire);

		for (size_t k = 0; k < EXPORT_BOARD_WORDS; k++) {
			/* pairs: export_board_write */
			const uint64_t word =
				atomic_load_explicit(&board->words[k], memory_order_acquire);
			const size_t left = sizeof *counts - k * 8;

			memcpy(to + k * 8, &word, left < 8 ? left : 8);
		}
		const uint64_t after = atomic_load_explicit(&board->sequence, memory_order_relaxed);

		if (before == after && !(before & 1))
			return true;
	}
	return false;
}
