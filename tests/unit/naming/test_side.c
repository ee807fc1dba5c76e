/* SPDX-License-Identifier: MIT */
/* Reassembly of one direction: any order, overlaps, holes, datagrams, and the pool's balance. */
#include "naming/side.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bpei_account account;
static struct bpei_pool chunks;
static struct bpei_side side;
static uint8_t room[BPEI_STREAM_MOST];
static uint8_t text[BPEI_STREAM_MOST + 4096];

static void begin_side(uint64_t bytes)
{
	account = (struct bpei_account){ .most = bytes };
	cr_assert(bpei_pool_init(&chunks, &account, BPEI_PART_CHUNKS, BPEI_CHUNK, 1u << 20));
	side = (struct bpei_side){ .next = 0 };
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = (uint8_t)(k * 31 + k / 256);
}

/* Gives every chunk back; touched memory stays counted. */
static void end_side(void)
{
	bpei_side_clear(&side, &chunks);
	cr_assert_eq(chunks.used, 0);
	cr_assert_eq(bpei_counter_get(&account.used), (uint64_t)chunks.touched * BPEI_CHUNK);
	bpei_pool_free(&chunks);
}

/* Expects the first n bytes of the text. */
static void expect_ready(uint32_t n)
{
	cr_assert_eq(bpei_side_ready(&side), n);
	if (n)
		cr_assert(!memcmp(bpei_side_bytes(&side, &chunks, n, room), text, n));
}

/* Puts [from, to) of the text. */
static void put_part_of_text(uint32_t from, uint32_t to)
{
	cr_assert(bpei_side_put(&side, &chunks, from, text + from, to - from));
}

Test(side, any_order_of_three_gives_the_text)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };
	const uint32_t cuts[4] = { 0, 1200, 4500, 6001 };

	for (int o = 0; o < 6; o++) {
		begin_side(1u << 20);
		for (int k = 0; k < 3; k++)
			put_part_of_text(cuts[orders[o][k]], cuts[orders[o][k] + 1]);
		expect_ready(6001);
		cr_assert_eq(side.spans, 1);
		end_side();
	}
}

Test(side, the_first_bytes_win)
{
	uint8_t other[3000];

	begin_side(1u << 20);
	memset(other, 0xee, sizeof other);
	put_part_of_text(100, 200);
	put_part_of_text(300, 400);
	put_part_of_text(0, 50);
	cr_assert(bpei_side_put(&side, &chunks, 50, other, 550));
	cr_assert_eq(bpei_side_ready(&side), 600);
	const uint8_t *const bytes = bpei_side_bytes(&side, &chunks, 600, room);

	cr_assert(!memcmp(bytes, text, 50));
	cr_assert(!memcmp(bytes + 100, text + 100, 100));
	cr_assert(!memcmp(bytes + 300, text + 300, 100));
	cr_assert_eq(bytes[50], 0xee);
	cr_assert_eq(bytes[200], 0xee);
	cr_assert_eq(bytes[599], 0xee);
	end_side();
}

Test(side, spans_and_bytes_have_a_ceiling)
{
	begin_side(1u << 20);
	for (uint32_t k = 1; k <= 20; k++)
		put_part_of_text(k * 100, k * 100 + 10);
	cr_assert_eq(side.spans, BPEI_SIDE_SPANS);
	cr_assert_eq(bpei_side_ready(&side), 0);
	cr_assert(bpei_side_put(&side, &chunks, BPEI_STREAM_MOST, text, 1000));
	put_part_of_text(0, 1000);
	expect_ready(1000);
	cr_assert(bpei_side_put(&side, &chunks, 1000, text + 1000, 18000));
	expect_ready(BPEI_STREAM_MOST);
	end_side();
}

Test(side, using_bytes_moves_what_is_behind)
{
	begin_side(1u << 20);
	put_part_of_text(0, 100);
	put_part_of_text(6200, 6300);
	put_part_of_text(9000, 9100);
	bpei_side_use(&side, &chunks, 100, room);
	cr_assert_eq(side.next, 100);
	cr_assert_eq(side.spans, 2);
	cr_assert_eq(side.span[0].from, 6100);
	cr_assert(bpei_side_put(&side, &chunks, 0, text + 100, 6100));
	cr_assert_eq(bpei_side_ready(&side), 6200);
	cr_assert(!memcmp(bpei_side_bytes(&side, &chunks, 6200, room), text + 100, 6200));
	end_side();
}

Test(side, datagrams_lie_end_to_end)
{
	begin_side(1u << 20);
	cr_assert(bpei_side_append(&side, &chunks, text, 1200));
	cr_assert(bpei_side_append(&side, &chunks, text + 1200, 1300));
	cr_assert(bpei_side_append(&side, &chunks, text + 2500, 10));
	cr_assert_eq(side.datagrams, 3);
	expect_ready(2510);
	bpei_side_use(&side, &chunks, 1200, room);
	cr_assert_eq(side.datagrams, 2);
	cr_assert_eq(side.ends[0], 1300);
	cr_assert_eq(side.ends[1], 1310);
	cr_assert(!memcmp(bpei_side_bytes(&side, &chunks, 1310, room), text + 1200, 1310));
	for (int k = 0; k < 40; k++)
		cr_assert(bpei_side_append(&side, &chunks, text, 100));
	cr_assert_eq(side.datagrams, BPEI_DATAGRAMS_MOST);
	end_side();
}

Test(side, without_room_nothing_is_put)
{
	begin_side(16 * BPEI_CHUNK / 6 * 3 + 16); /* 6 of 16 parts: a chunk and a bit */
	put_part_of_text(0, 100);
	cr_assert(!bpei_side_put(&side, &chunks, 100, text + 100, 8000));
	expect_ready(100);
	end_side();
}
