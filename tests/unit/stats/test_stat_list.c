/* SPDX-License-Identifier: MIT */
/* The list of statistics: complete, without overlap, and equal to the manual's list. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANUAL "man/bpfengine.3"
#define LIST_BEGIN ".\\\" Statistics: as bpe_stat_list says.\n"
#define LIST_END ".\\\" End of the statistics.\n"

/* Returns the bytes behind a member that are an array's room for more elements, or padding. */
static size_t spare_bytes_of_stat(const char *name)
{
	if (!strcmp(name, "dropped"))
		return (BPE_DROP_ROOM - BPE_DROP_COUNT) * sizeof(uint64_t);
	if (!strcmp(name, "sizes"))
		return (BPE_SIZE_ROOM - BPE_SIZE_CLASSES) * sizeof(uint64_t);
	if (!strcmp(name, "evicted"))
		return (BPE_EVICTED_ROOM - BPE_EVICTED_COUNT) * sizeof(uint64_t);
	return strcmp(name, "workers") ? 0 : sizeof(uint32_t); /* of 4 bytes, alone */
}

Test(stat_list, the_members_are_listed_in_their_order_without_gaps)
{
	size_t count;
	size_t end = 0;
	const struct bpe_stat *stats = bpe_stat_list(&count);

	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(stats[i].offset, end, "%s lies elsewhere", stats[i].name);
		end += (size_t)stats[i].bytes * stats[i].count + spare_bytes_of_stat(stats[i].name);
	}
	cr_assert_eq(end, sizeof(struct bpe_stats));
}

Test(stat_list, ends_where_the_structure_of_an_older_program_ends)
{
	size_t all, count;
	const struct bpe_stat *stats = bpe_stat_list(&all);

	for (size_t bytes = 0; bytes <= sizeof(struct bpe_stats); bytes++) {
		cr_assert_eq(bpe_stat_list_sized(bytes, &count), stats);
		cr_assert(count == all
				  ? bytes >= sizeof(struct bpe_stats)
				  : stats[count].offset + stats[count].bytes * stats[count].count >
					    bytes);
		if (count)
			cr_assert_leq(stats[count - 1].offset +
					      stats[count - 1].bytes * stats[count - 1].count,
				bytes);
	}
	cr_assert_eq(bpe_stat_list_sized(2 * sizeof(struct bpe_stats), &count), stats);
	cr_assert_eq(count, all);
}

Test(stat_list, names_and_keys_are_unique_and_have_a_text)
{
	size_t count;
	const struct bpe_stat *stats = bpe_stat_list(&count);

	for (size_t i = 0; i < count; i++) {
		cr_expect(stats[i].help[0], "%s has no help", stats[i].name);
		cr_expect(stats[i].bytes == 8 || !strcmp(stats[i].name, "workers"));
		for (size_t k = 0; k < i; k++) {
			cr_expect_str_neq(stats[i].name, stats[k].name);
			cr_expect(!stats[i].key || !stats[k].key ||
				  strcmp(stats[i].key, stats[k].key) != 0);
		}
	}
}

/* Returns a file's text, for free. */
static char *read_manual_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 200000);

	cr_assert(file && text, "%s", path);
	cr_assert_gt(fread(text, 1, 199999, file), 0);
	fclose(file);
	return text;
}

Test(stat_list, the_manual_has_the_same_list)
{
	size_t count;
	const struct bpe_stat *stats = bpe_stat_list(&count);
	char *manual = read_manual_text(MANUAL);
	char *wanted = calloc(count, 400);
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const char *unit = stats[i].unit;

		length += (size_t)sprintf(
			wanted + length, ".It Va %s\n%s", stats[i].name, stats[i].help);
		if (unit[0])
			length += (size_t)sprintf(wanted + length, " (%s)", unit);
		wanted[length++] = '\n';
	}
	const char *list = strstr(manual, LIST_BEGIN);

	cr_assert_not_null(list);
	cr_assert_not_null(strstr(list, LIST_END));
	cr_expect_not_null(strstr(list, wanted), "the list in " MANUAL " must be:\n%s", wanted);
	free(wanted);
	free(manual);
}
