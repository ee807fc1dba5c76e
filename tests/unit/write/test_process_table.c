/* SPDX-License-Identifier: MIT */
/* Tests of the processes of a section: places in order, equal processes once, undo, growth. */
#include "write/process_table.h"

#include <criterion/criterion.h>

static struct bpei_process_info numbered_process(uint32_t pid, const char *name)
{
	struct bpei_process_info p = { .pid = pid };

	memcpy(p.name, name, strlen(name));
	return p;
}

Test(process_table, a_process_has_a_place)
{
	const struct bpei_process_info a = numbered_process(7, "a");
	const struct bpei_process_info b = numbered_process(7, "b");
	struct bpei_process_info c = a;
	struct bpei_process_table t = { .count = 0 };
	bool is_new;

	c.has_uuid = 1;
	cr_assert_eq(bpei_process_table_add(&t, &a, &is_new), 0);
	cr_assert(is_new);
	cr_assert_eq(bpei_process_table_add(&t, &b, &is_new), 1);
	cr_assert_eq(bpei_process_table_add(&t, &c, &is_new), 2);
	cr_assert_eq(bpei_process_table_add(&t, &a, &is_new), 0);
	cr_assert_not(is_new);
	bpei_process_table_clear(&t);
	cr_assert_eq(bpei_process_table_add(&t, &b, &is_new), 0);
	cr_assert(is_new);
	bpei_process_table_free(&t);
}

Test(process_table, the_last_can_be_undone)
{
	struct bpei_process_table t = { .count = 0 };
	bool is_new;

	for (uint32_t i = 0; i < 3000; i++) {
		const struct bpei_process_info p = numbered_process(i, "p");
		const struct bpei_process_info q = numbered_process(i, "q");

		cr_assert_eq(bpei_process_table_add(&t, &p, &is_new), i);
		cr_assert_eq(bpei_process_table_add(&t, &q, &is_new), i + 1);
		bpei_process_table_undo(&t);
	}
	for (uint32_t i = 0; i < 3000; i++) {
		const struct bpei_process_info p = numbered_process(i, "p");

		cr_assert_eq(bpei_process_table_add(&t, &p, &is_new), i);
		cr_assert_not(is_new);
	}
	bpei_process_table_free(&t);
}

Test(process_table, a_full_table_says_so)
{
	struct bpei_process_table t = { .count = 0 };
	bool is_new;
	uint32_t i = 0;

	for (;; i++) {
		const struct bpei_process_info p = numbered_process(i, "p");

		if (bpei_process_table_add(&t, &p, &is_new) == BPEI_NO_PROCESS)
			break;
		cr_assert(i < 1u << 20);
	}
	cr_assert_not(is_new);
	cr_assert_eq(i, 1u << 18);
	const struct bpei_process_info known = numbered_process(5, "p");
	cr_assert_eq(bpei_process_table_add(&t, &known, &is_new), 5);
	bpei_process_table_free(&t);
}
