/* SPDX-License-Identifier: MIT */
#include "write/keep.h"

#include <criterion/criterion.h>

static const struct bpei_kept files[] = { { 100, 10 }, { 200, 20 }, { 300, 30 }, { 400, 40 } };
#define COUNT (sizeof files / sizeof *files)

static size_t count_excess(struct bpei_keep keep, struct bpei_keep_now now)
{
	return bpei_keep_excess(&keep, files, COUNT, &now);
}

Test(keep, without_limits_all_stay)
{
	cr_expect_eq(
		count_excess((struct bpei_keep){ 0 }, (struct bpei_keep_now){ 1, 1, 1000, 1, 0 }),
		0);
	cr_expect_eq(bpei_keep_excess(&(struct bpei_keep){ .files = 1 }, NULL, 0,
			     &(struct bpei_keep_now){ .open_files = 1 }),
		0, "no files");
}

Test(keep, the_open_file_counts_as_a_file)
{
	const struct bpei_keep keep = { .files = 4 };

	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .open_files = 0 }), 0);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .open_files = 1 }), 1);
	cr_expect_eq(count_excess((struct bpei_keep){ .files = 1 },
			     (struct bpei_keep_now){ .open_files = 1 }),
		4, "the open file stays alone");
}

Test(keep, bytes_of_all_files)
{
	const struct bpei_keep keep = { .bytes = 1000 };

	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .open_files = 1 }), 0);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 1, 0, 0, 0 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 100, 0, 0, 0 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 101, 0, 0, 0 }), 2);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 5000, 0, 0, 0 }), COUNT);
}

Test(keep, age_since_the_last_packet)
{
	const struct bpei_keep keep = { .age_ns = 15 };

	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .now_ns = 25 }), 0);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .now_ns = 26 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .now_ns = 46 }), 3);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ .now_ns = -5 }), 0);
}

Test(keep, free_room_of_the_file_system)
{
	const struct bpei_keep keep = { .free_percent = 10 };

	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 10000, 1000 }), 0);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 10000, 999 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 10000, 900 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 10000, 899 }), 2);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 100000, 0 }), COUNT);
	cr_expect_eq(
		count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 0, 0 }), 0, "unknown size");
	cr_expect_eq(count_excess((struct bpei_keep){ .free_percent = 200 },
			     (struct bpei_keep_now){ 1, 0, 0, 100, 100 }),
		0, "more than all is all");
}

Test(keep, limits_join)
{
	const struct bpei_keep keep = { .files = 4, .bytes = 900, .age_ns = 15 };

	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 0, 0, 0, 0 }), 1);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 1, 0, 0, 0 }), 2);
	cr_expect_eq(count_excess(keep, (struct bpei_keep_now){ 1, 1, 46, 0, 0 }), 3);
}
