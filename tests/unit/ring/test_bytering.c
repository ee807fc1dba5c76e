/* SPDX-License-Identifier: MIT */
/* The ring of records, with a single thread in both roles; tests/stress/bytering.c has two threads.
 */
#include "ring/bytering.h"

#include <criterion/criterion.h>

#define SIZE 256u

static struct bpei_bytering ring;
static _Alignas(8) uint8_t bytes[SIZE + 8];

static void set_up_bytering(void)
{
	memset(bytes, 0xee, sizeof bytes);
	bpei_bytering_init(&ring, bytes, SIZE);
	bpei_role_enter(&bpei_worker_role);
	bpei_role_enter(&bpei_output_role);
}

TestSuite(bytering, .init = set_up_bytering);

static bool put_test_record(uint32_t n, uint8_t value)
{
	uint8_t *to = bpei_bytering_begin(&ring, n);
	if (!to)
		return false;
	cr_assert_eq((uintptr_t)to % 8, 0);
	cr_assert(to >= bytes && to + n <= bytes + SIZE);
	memset(to, value, n);
	bpei_bytering_commit(&ring);
	return true;
}

static void expect_test_record(uint32_t n, uint8_t value)
{
	uint32_t length = 0;
	const uint8_t *p = bpei_bytering_peek(&ring, &length);
	cr_assert_not_null(p);
	cr_assert_eq(length, n);
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(p[i], value);
	bpei_bytering_drop(&ring);
}

static bool is_bytering_empty(void)
{
	uint32_t n;
	return !bpei_bytering_peek(&ring, &n);
}

Test(bytering, records_come_in_order_and_whole)
{
	cr_assert(is_bytering_empty());
	for (uint32_t n = 0; n < 20; n++) {
		cr_assert(put_test_record(n, (uint8_t)n));
		cr_assert(put_test_record(1, 0xaa));
		expect_test_record(n, (uint8_t)n);
		expect_test_record(1, 0xaa);
		cr_assert(is_bytering_empty());
	}
}

Test(bytering, full_refuses_and_changes_nothing)
{
	uint32_t k = 0;
	while (put_test_record(24, (uint8_t)k))
		k++;
	cr_assert_eq(k, SIZE / 32);
	cr_assert_eq(bpei_bytering_used(&ring), SIZE);
	cr_assert_not(put_test_record(0, 1));
	expect_test_record(24, 0);
	cr_assert(put_test_record(24, 99));
	for (uint32_t i = 1; i < k; i++)
		expect_test_record(24, (uint8_t)i);
	expect_test_record(24, 99);
	cr_assert(is_bytering_empty());
}

Test(bytering, wraps_in_one_piece)
{
	cr_assert(put_test_record(180, 1));
	expect_test_record(180, 1);
	/* 192 bytes are passed: 64 are left at the end, 72 do not fit there. */
	cr_assert(put_test_record(64, 2));
	cr_assert_eq(ring.begun, 192 + 64 + 72);
	expect_test_record(64, 2);
	for (uint32_t i = 0; i < 8; i++)
		cr_assert_eq(bytes[SIZE + i], 0xee);
}

Test(bytering, the_filler_counts_when_it_is_full)
{
	cr_assert(put_test_record(180, 1)); /* 192 of 256 */
	cr_assert_not(put_test_record(
		64, 2)); /* 64 of filler and 72: too much, though 64 bytes are free */
	cr_assert(put_test_record(56, 3)); /* just the end */
	cr_assert_not(put_test_record(0, 4));
	expect_test_record(180, 1);
	cr_assert(put_test_record(100, 5));
	expect_test_record(56, 3);
	expect_test_record(100, 5);
	cr_assert(is_bytering_empty());
}

Test(bytering, a_torn_record_is_not_there)
{
	cr_assert(put_test_record(10, 1));
	void *torn = bpei_bytering_begin(&ring, 40);
	cr_assert_not_null(torn);
	memset(torn, 7, 20);
	expect_test_record(10, 1);
	cr_assert(is_bytering_empty());
	cr_assert(put_test_record(30, 2)); /* begun anew in its place */
	expect_test_record(30, 2);
	cr_assert(is_bytering_empty());
}

Test(bytering, indices_wrap_around_32_bits)
{
	const uint32_t start = UINT32_MAX - 255 - 64; /* a multiple of 8 */
	ring.own_tail = ring.seen_head = ring.own_head = ring.seen_tail = start;
	atomic_store_explicit(&ring.tail, start, memory_order_relaxed);
	atomic_store_explicit(&ring.head, start, memory_order_relaxed);
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t n = i * 7 % 56;
		cr_assert(put_test_record(n, (uint8_t)i));
		cr_assert(put_test_record(3, (uint8_t)~i));
		expect_test_record(n, (uint8_t)i);
		expect_test_record(3, (uint8_t)~i);
	}
	cr_assert_lt(ring.own_head, start);
}

Test(bytering, the_longest_safe_record_fits_wherever_the_ring_stands)
{
	for (uint32_t i = 0; i < 64; i++) {
		cr_assert(put_test_record(8 * (i % 5), 1));
		expect_test_record(8 * (i % 5), 1);
		cr_assert(put_test_record(BPEI_BYTERING_MOST(SIZE), (uint8_t)i));
		expect_test_record(BPEI_BYTERING_MOST(SIZE), (uint8_t)i);
	}
}
