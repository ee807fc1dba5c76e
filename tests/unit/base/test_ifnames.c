/* SPDX-License-Identifier: MIT */
#include "base/ifnames.h"

#include <criterion/criterion.h>

Test(ifnames, names_are_found_by_number_and_keep_their_address)
{
	static struct bpei_names names;

	bpei_names_add(&names, 0, "en0", 3);
	bpei_names_add(&names, 7, "lo0 and more", 3);
	const char *lo = bpei_names_find(&names, 7);
	cr_expect_str_eq(bpei_names_find(&names, 0), "en0");
	cr_expect_str_eq(lo, "lo0");
	cr_expect_str_eq(bpei_names_find(&names, 1), "");
	for (uint32_t i = 100; i < 3000; i++)
		bpei_names_add(&names, i, "x", 1);
	cr_expect_eq(names.count, BPEI_NAMES);
	cr_expect_eq(bpei_names_find(&names, 7), lo);
	cr_expect_str_eq(bpei_names_find(&names, 2999), "");
	bpei_names_free(&names);
}

Test(ifnames, long_names_are_cut_and_empty_names_left_out)
{
	static struct bpei_names names;
	char text[400];

	memset(text, 'y', sizeof text);
	bpei_names_add(&names, 1, text, sizeof text);
	bpei_names_add(&names, 2, text, 0);
	cr_expect_eq(strlen(bpei_names_find(&names, 1)), BPEI_NAME_BYTES);
	cr_expect_str_eq(bpei_names_find(&names, 2), "");
	bpei_names_free(&names);
}
