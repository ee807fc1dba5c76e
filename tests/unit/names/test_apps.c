/* SPDX-License-Identifier: MIT */
/* Names of protocols of payload, of sources of names, and of owners. */
#include "bpfengine.h"

#include <criterion/criterion.h>

/* Checks that count names are there, all different, and none beyond. */
static void check_app_names(const char *(*name)(int), int count)
{
	for (int k = 0; k < count; k++) {
		cr_assert_not_null(name(k), "%d", k);
		for (int other = 0; other < k; other++)
			cr_assert_str_neq(name(k), name(other));
		for (const char *p = name(k); *p; p++)
			cr_assert((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9'));
	}
	cr_assert_null(name(-1));
	cr_assert_null(name(count));
}

Test(apps, names)
{
	check_app_names(bpe_app_name, BPE_APP_COUNT);
	check_app_names(bpe_name_source_name, BPE_NAME_COUNT);
	check_app_names(bpe_owner_name, BPE_OWNER_KNOWN + 1);
	cr_assert_str_eq(bpe_app_name(BPE_APP_NONE), "");
	cr_assert_str_eq(bpe_app_name(BPE_APP_POSTGRESQL), "postgresql");
	cr_assert_str_eq(bpe_name_source_name(BPE_NAME_NONE), "");
	cr_assert_str_eq(bpe_name_source_name(BPE_NAME_DNS), "dns");
	cr_assert_str_eq(bpe_owner_name(BPE_OWNER_UNKNOWN), "unknown");
	cr_assert_str_eq(bpe_owner_name(BPE_OWNER_NONE), "none");
}
