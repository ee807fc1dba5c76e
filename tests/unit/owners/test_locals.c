/* SPDX-License-Identifier: MIT */
/* Own addresses. */
#include "owners/locals.h"

#include <criterion/criterion.h>

static const uint8_t own_4[4] = { 192, 0, 2, 1 };
static const uint8_t other_4[4] = { 192, 0, 2, 2 };
static const uint8_t own_6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

Test(locals, addresses_that_were_added)
{
	struct bpei_locals l = { .count = 0 };
	const uint8_t loopback[4] = { 127, 3, 2, 1 };

	for (int k = 0; k < 40; k++)
		cr_assert(bpei_locals_add(&l, own_4, 4));
	cr_assert(bpei_locals_add(&l, own_6, 6));
	cr_expect(bpei_locals_have(&l, own_4, 4));
	cr_expect(bpei_locals_have(&l, own_6, 6));
	cr_expect_not(bpei_locals_have(&l, other_4, 4));
	cr_expect_not(bpei_locals_have(&l, own_6, 4));
	bpei_locals_free(&l);
	cr_expect_not(bpei_locals_have(&l, own_4, 4));
	cr_expect(bpei_locals_have(&l, loopback, 4), "always own");
}

Test(locals, the_system_is_asked_once_a_second)
{
	struct bpei_locals l = { .count = 0 };

	bpei_locals_read(&l, 1);
	bpei_locals_read(&l, 999999999);
	cr_expect_eq(l.read_ns, 1);
	bpei_locals_read(&l, 1000000002);
	cr_expect_eq(l.read_ns, 1000000002);
	bpei_locals_free(&l);
}

Test(locals, addresses_of_many)
{
	const uint8_t all[4] = { 255, 255, 255, 255 };
	const uint8_t group_4[4] = { 224, 0, 0, 251 };
	const uint8_t group_6[16] = { 0xff, 2, [15] = 0xfb };

	cr_expect(bpei_is_address_of_many(all, 4));
	cr_expect(bpei_is_address_of_many(group_4, 4));
	cr_expect(bpei_is_address_of_many(group_6, 6));
	cr_expect_not(bpei_is_address_of_many(own_4, 4));
	cr_expect_not(bpei_is_address_of_many(own_6, 6));
}
