/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Test(error, a_failure_fills_the_structure_and_returns_the_status)
{
	struct bpe_error e;

	cr_expect_eq(bpei_fail(&e, BPE_E_BUSY, "open", 0, "%s %d", "node", 3), BPE_E_BUSY);
	cr_expect(e.status == BPE_E_BUSY && e.sys_errno == 0);
	cr_expect_str_eq(e.step, "open");
	cr_expect_str_eq(e.text, "node 3");
	cr_expect_eq(bpei_fail(NULL, BPE_E_IO, "read", EIO, "unused"), BPE_E_IO);
}

Test(error, the_systems_text_follows)
{
	struct bpe_error e;
	char want[128];

	bpei_fail(&e, BPE_E_IO, "read", EIO, "en0");
	snprintf(want, sizeof want, "en0: %s", strerror(EIO));
	cr_expect_str_eq(e.text, want);
	cr_expect_eq(e.sys_errno, EIO);
	bpei_fail(&e, BPE_E_IO, "read", EIO, "%s", "");
	cr_expect_str_eq(e.text, strerror(EIO));
}

Test(error, a_long_text_is_cut_and_control_characters_are_shown)
{
	struct bpe_error e;
	char name[2000];

	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = 0;
	bpei_fail(&e, BPE_E_IO, "read", EIO, "%s", name);
	cr_expect_lt(strlen(e.text), sizeof e.text);
	bpei_fail(&e, BPE_E_IO, "read", 0, "%s", "a\x1b[31m\nb");
	cr_expect_str_eq(e.text, "a\\x1b[31m\\nb");
	bpei_fail(&e, BPE_E_IO, "read", 0, "%s\nsecond", "first");
	cr_expect_str_eq(e.text, "first\nsecond");
}

Test(error, an_errno_has_a_status_and_a_status_a_text)
{
	cr_expect_eq(bpei_status_of(EPERM), BPE_E_RIGHTS);
	cr_expect_eq(bpei_status_of(ENXIO), BPE_E_ABSENT);
	cr_expect_eq(bpei_status_of(EBUSY), BPE_E_BUSY);
	cr_expect_eq(bpei_status_of(ENOBUFS), BPE_E_MEMORY);
	cr_expect_eq(bpei_status_of(EOPNOTSUPP), BPE_E_UNSUPPORTED);
	cr_expect_eq(bpei_status_of(EINVAL), BPE_E_IO);
	cr_expect_str_eq(bpe_status_text(BPE_OK), "no error");
	cr_expect_str_eq(bpe_status_text(BPE_E_END), "end of source");
	cr_expect_str_eq(bpe_status_text(1), "unknown error");
	cr_expect_str_eq(bpe_status_text(-99), "unknown error");
}
