/* SPDX-License-Identifier: MIT */
/* Tests of the environment's variables, in a program without borrowed rights. */
#include "base/environment.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(environment, has_what_was_set)
{
	setenv("BPEI_TEST_VARIABLE", "seven", 1);
	cr_expect_str_eq(bpei_environment_get("BPEI_TEST_VARIABLE"), "seven");
	unsetenv("BPEI_TEST_VARIABLE");
	cr_expect_null(bpei_environment_get("BPEI_TEST_VARIABLE"));
}
