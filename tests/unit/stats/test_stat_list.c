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

Test(stat_list, every_byte_of_the_structure_is_listed_once)
{
	unsigned char seen[sizeof(struct bpe_stats)] = { 0 };
	size_t count;
	size_t listed = 0;
	const struct bpe_stat *stats = bpe_stat_list(&count);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < (size_t)stats[i].bytes * stats[i].count; k++)
			cr_assert_eq(seen[stats[i].offset + k]++, 0, "%s overlaps", stats[i].name);
		listed += (size_t)stats[i].bytes * stats[i].count;
	}
	/* `workers` alone is shorter than the alignment and leaves padding. */
	cr_assert_eq(listed, sizeof(struct bpe_stats) - sizeof(uint32_t));
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
