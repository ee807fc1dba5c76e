/* SPDX-License-Identifier: MIT */
#include "device/interfaces.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

Test(list_frameworks, names_hardware_and_releases_what_it_copied)
{
	struct bpe_interface all[5] = { { .name = "lo0" }, { .name = "en0" }, { .name = "en5" },
		{ .name = "bridge0", .description = "known" }, { .name = "en7" } };
	const char *path = getenv("FRAMEWORKS");
	cr_assert_not_null(path);
	cr_assert_eq(bpei_list_frameworks(path, path, all, 5), 1);
	cr_assert_str_eq(all[1].description, "Wi-Fi");
	cr_assert_str_eq(all[3].description, "known");
	for (int k = 0; k < 5; k += 2)
		cr_assert_str_empty(all[k].description);
	all[3].description[0] = 0;
	cr_assert_eq(bpei_list_frameworks(path, path, all, 5), 1);
	cr_assert_str_eq(all[3].description, "Thunderbolt-Br\xc3\xbc"
					     "cke");
	int (*alive)(void);
	void *function = dlsym(dlopen(path, RTLD_NOW), "frameworks_double_alive");
	cr_assert_not_null(function);
	memcpy(&alive, &function, sizeof function);
	cr_assert_eq(alive(), 0);
}

Test(list_frameworks, does_without_frameworks_that_are_not_there_or_lack_a_function)
{
	struct bpe_interface one = { .name = "en0" };
	cr_assert_eq(bpei_list_frameworks(
			     "/nowhere/CoreFoundation", "/nowhere/SystemConfiguration", &one, 1),
		0);
	cr_assert_eq(bpei_list_frameworks("libc.so.6", "libc.so.6", &one, 1), 0);
	cr_assert_str_empty(one.description);
}
