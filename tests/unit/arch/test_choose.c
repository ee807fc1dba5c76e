/* SPDX-License-Identifier: MIT */
/* Tests of the choice of a backend: the best that fits, a wanted one, and what is refused. */
#include "arch/arch_list.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int say_yes(void)
{
	return 1;
}

static int say_no(void)
{
	return 0;
}

static const struct bpei_backend old_cpu[] = {
	{ "plain", NULL, NULL, NULL, say_yes },
	{ "wide", NULL, NULL, NULL, say_yes },
	{ "wider", NULL, NULL, NULL, say_no },
};

static const char *name_found(const char *wanted)
{
	const struct bpei_backend *found = bpei_backend_find(old_cpu, 3, wanted);

	return found ? found->name : "none";
}

Test(choose, takes_the_last_that_fits)
{
	cr_expect_str_eq(name_found(NULL), "wide");
}

Test(choose, takes_a_wanted_one_if_it_fits)
{
	cr_expect_str_eq(name_found("plain"), "plain");
	cr_expect_str_eq(name_found("wide"), "wide");
	cr_expect_str_eq(name_found("wider"), "none");
	cr_expect_str_eq(name_found("widest"), "none");
	cr_expect_str_eq(name_found("wid"), "none");
}

static bool is_built_for_all(void)
{
	return !strcmp(BPEI_ARCH_TEXT, "all");
}

Test(choose, obeys_the_variable)
{
	char why[BPEI_UNFIT_TEXT];
	const char *own = is_built_for_all() ? "scalar" : BPEI_ARCH_TEXT;

	setenv("BPFENGINE_ARCH", own, 1);
	cr_expect_eq(bpei_backend_check(why, sizeof why), BPEI_FITS);
	cr_expect_str_eq(bpei_backend_choose()->name, own);
	cr_expect_eq(bpei_backend_get(), bpei_backend_choose());
}

Test(choose, refuses_an_unknown_name)
{
	char why[BPEI_UNFIT_TEXT];

	unsetenv("BPFENGINE_ARCH");
	const char *best = bpei_backend_choose()->name;
	setenv("BPFENGINE_ARCH", "mmx", 1);
	cr_expect_eq(bpei_backend_check(why, sizeof why), BPEI_UNFIT_WANTED);
	cr_expect(strstr(why, "BPFENGINE_ARCH=mmx: "), "%s", why);
	cr_expect(strstr(why, best), "%s", why);
	cr_expect_str_eq(bpei_backend_choose()->name, best, "calls without an engine run the best");
	setenv("BPFENGINE_ARCH", "", 1);
	cr_expect_eq(bpei_backend_check(why, sizeof why), BPEI_FITS, "an empty value asks nothing");
}

Test(choose, calls_the_chosen_kernels)
{
	static const struct bpei_bucket bucket;
	const uint32_t hash = 0;
	const struct bpei_lookup probe = { .buckets = &bucket, .hash = &hash, .n = 1, .none = 7 };
	uint32_t entry = 0;

	setenv("BPFENGINE_ARCH", is_built_for_all() ? "scalar" : BPEI_ARCH_TEXT, 1);
	cr_expect_eq(bpei_probe(&probe, &entry), 0);
	cr_expect_eq(entry, 7);
}
