/* SPDX-License-Identifier: MIT */
/* The ring's indices, with a single thread in both roles; tests/stress/ring.c has two threads. */
#include "ring/ring.h"

#include <criterion/criterion.h>

static struct bpei_ring ring;

static void set_up_ring(void)
{
	bpei_ring_init(&ring, 8);
	bpei_role_enter(&bpei_reader_role);
	bpei_role_enter(&bpei_worker_role);
}

TestSuite(ring, .init = set_up_ring);

Test(ring, fills_and_empties)
{
	cr_assert_eq(bpei_ring_peek(&ring, 64), 0);
	cr_assert_eq(bpei_ring_room(&ring, 64), 8);
	bpei_ring_push(&ring, 5);
	cr_assert_eq(bpei_ring_room(&ring, 64), 3);
	cr_assert_eq(bpei_ring_depth(&ring), 5);
	cr_assert_eq(bpei_ring_peek(&ring, 3), 3);
	cr_assert_eq(bpei_ring_peek(&ring, 64), 5);
	bpei_ring_drop(&ring, 5);
	cr_assert_eq(bpei_ring_room(&ring, 64), 8);
	cr_assert_eq(bpei_ring_depth(&ring), 0);
}

Test(ring, a_run_ends_at_the_arrays_end)
{
	bpei_ring_push(&ring, 6);
	bpei_ring_drop(&ring, bpei_ring_peek(&ring, 6));
	cr_assert_eq(bpei_ring_room(&ring, 8), 8);
	bpei_ring_push(&ring, 5);
	cr_assert_eq(bpei_ring_peek(&ring, 64), 2);
	bpei_ring_drop(&ring, 2);
	cr_assert_eq(ring.own_head & ring.mask, 0);
	cr_assert_eq(bpei_ring_peek(&ring, 64), 3);
}

Test(ring, marks_pass_when_dropped)
{
	bpei_ring_push(&ring, 4);
	uint32_t mark = ring.own_tail;
	cr_assert(!bpei_ring_passed(&ring, mark));
	cr_assert_eq(bpei_ring_peek(&ring, 4), 4);
	bpei_ring_drop(&ring, 3);
	cr_assert(!bpei_ring_passed(&ring, mark));
	bpei_ring_drop(&ring, 1);
	cr_assert(bpei_ring_passed(&ring, mark));
}

Test(ring, indices_wrap_around_32_bits)
{
	uint32_t start = UINT32_MAX - 3;
	ring.own_tail = ring.seen_tail = ring.own_head = ring.seen_head = start;
	atomic_store_explicit(&ring.tail, start, memory_order_relaxed);
	atomic_store_explicit(&ring.head, start, memory_order_relaxed);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t n = i % 8 + 1, mark;
		cr_assert_eq(bpei_ring_room(&ring, n), 8);
		bpei_ring_push(&ring, n);
		mark = ring.own_tail;
		cr_assert(!bpei_ring_passed(&ring, mark));
		for (uint32_t got = 0, k; got < n; got += k) {
			cr_assert((k = bpei_ring_peek(&ring, 8)) > 0);
			bpei_ring_drop(&ring, k);
		}
		cr_assert(bpei_ring_passed(&ring, mark));
		cr_assert_eq(bpei_ring_peek(&ring, 8), 0);
	}
}
