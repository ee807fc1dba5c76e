/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include <criterion/criterion.h>

Test(cursor, numbers_are_read_in_either_byte_order)
{
	static const uint8_t bytes[] = { 1, 0x12, 0x34, 0x34, 0x12, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 0,
		0, 0, 0, 1, 0 };
	struct bpei_cursor c = bpei_cursor_init(bytes, sizeof bytes);

	cr_expect_eq(bpei_cursor_u8(&c), 1);
	cr_expect_eq(bpei_cursor_u16(&c, true), 0x1234);
	cr_expect_eq(bpei_cursor_u16(&c, false), 0x1234);
	cr_expect_eq(bpei_cursor_u32(&c, true), 0x01020304);
	cr_expect_eq(bpei_cursor_u32(&c, false), 0x01020304);
	cr_expect_eq(bpei_cursor_u64(&c, true), 256);
	cr_expect(bpei_cursor_left(&c) == 0 && !c.bad);
}

Test(cursor, a_failed_take_lasts)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct bpei_cursor c = bpei_cursor_init(bytes, sizeof bytes);

	cr_expect_eq(bpei_cursor_u32(&c, true), 0);
	cr_expect(c.bad);
	cr_expect_eq(bpei_cursor_u8(&c), 0);
	cr_expect_null(bpei_cursor_take(&c, 1));
	cr_expect_eq(bpei_cursor_left(&c), 3);
}

Test(cursor, bytes_are_loaded_and_stored_at_any_address)
{
	uint8_t bytes[12] = { 0 };

	bpei_store64(bytes + 1, UINT64_C(0x0102030405060708));
	cr_expect_eq(bpei_load64(bytes + 1), UINT64_C(0x0102030405060708));
	bpei_put_be32(bytes + 3, 0xa1b2c3d4);
	cr_expect(bytes[3] == 0xa1 && bytes[6] == 0xd4);
	cr_expect_eq(bpei_be32(bytes + 3), 0xa1b2c3d4);
	bpei_put_be16(bytes + 5, 0x1234);
	cr_expect(bpei_be16(bytes + 5) == 0x1234 && bpei_le16(bytes + 5) == 0x3412);
}
