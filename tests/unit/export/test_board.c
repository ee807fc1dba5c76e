/* SPDX-License-Identifier: MIT */
/* Writes and reads counters of the run: whole, and while another thread writes. */
#include "tools/export/board.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

static struct export_board board;
static _Atomic int is_over;

/* Fills all bytes of the counters with a byte. */
static void fill_counts(struct export_counts *counts, int byte)
{
	memset(counts, byte, sizeof *counts);
}

/* Returns whether all bytes are the first. */
static bool is_whole(const struct export_counts *counts)
{
	const uint8_t *bytes = (const uint8_t *)counts;

	return !memcmp(bytes, bytes + 1, sizeof *counts - 1);
}

Test(board, gives_the_latest)
{
	static struct export_counts counts, got;

	cr_assert_eq(export_board_number(&board), 0);
	for (int k = 1; k < 4; k++) {
		fill_counts(&counts, k);
		export_board_write(&board, &counts);
		cr_assert_eq(export_board_number(&board), (uint64_t)k);
		cr_assert(export_board_read(&board, &got));
		cr_assert_arr_eq(&counts, &got, sizeof got);
	}
}

static void *write_counts(void *unused)
{
	static struct export_counts counts;

	(void)unused;
	for (int k = 0; !atomic_load(&is_over); k++) {
		fill_counts(&counts, k & 0xff);
		export_board_write(&board, &counts);
	}
	return NULL;
}

Test(board, is_whole_beside_a_writer)
{
	static struct export_counts got;
	pthread_t writer;

	cr_assert_eq(pthread_create(&writer, NULL, write_counts, NULL), 0);
	for (int k = 0; k < 2000; k++) {
		if (!export_board_read(&board, &got))
			continue;

		cr_assert(is_whole(&got));
	}
	atomic_store(&is_over, 1);
	cr_assert_eq(pthread_join(writer, NULL), 0);
	cr_assert(export_board_read(&board, &got));
	cr_assert(is_whole(&got));
}
