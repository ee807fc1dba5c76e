/* SPDX-License-Identifier: MIT */
/* ring [millions]: two threads move numbered items in bursts of every size, with stalls on either
 * side.  Every item comes once and in order.  A mark never passes while earlier items are unread.
 * Meant for ThreadSanitizer; a plain program. */
#include "base/clock.h"
#include "ring/ring.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 256u

static struct bpei_ring ring;
static uint64_t slot[SLOTS];
static uint64_t total;
static unsigned long failures;

static uint64_t next_ring_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void *consume_items(void *unused)
{
	uint64_t *wrong = unused;
	uint64_t expected = 0;
	uint64_t seed = 88172645463325252u;

	bpei_role_enter(&bpei_worker_role);
	while (expected < total) {
		uint32_t n = bpei_ring_peek(&ring, (uint32_t)(next_ring_random(&seed) % 100 + 1));
		for (uint32_t i = 0; i < n; i++) {
			uint64_t *s = &slot[(ring.own_head + i) & ring.mask];
			if (*s != expected++)
				++*wrong;
			*s = UINT64_MAX; /* poison: a slot read twice, or pushed unwritten, is seen
					  */
		}
		if (n)
			bpei_ring_drop(&ring, n);
		if (next_ring_random(&seed) % 20000 == 0)
			bpei_clock_sleep_ns(200000);
	}
	bpei_role_leave(&bpei_worker_role);
	return NULL;
}

static void produce_items(void)
{
	uint64_t next = 0;
	uint64_t seed = 362436069u;
	uint32_t marks[64], used = 0;
	bpei_role_enter(&bpei_reader_role);
	while (next < total) {
		const uint32_t want = (uint32_t)(next_ring_random(&seed) % 70 + 1);
		const uint32_t room = bpei_ring_room(&ring, want);
		uint32_t n = want < room ? want : room;

		if (next + n > total)
			n = (uint32_t)(total - next);
		for (uint32_t i = 0; i < n; i++)
			slot[(ring.own_tail + i) & ring.mask] = next++;
		if (n)
			bpei_ring_push(&ring, n);
		/* Marks are freed oldest first, as blocks are. */
		while (used && bpei_ring_passed(&ring, marks[0])) {
			for (uint32_t i = 1; i < used; i++)
				marks[i - 1] = marks[i];
			used--;
		}
		if (used < 64)
			marks[used++] = ring.own_tail;
		if ((int32_t)(ring.own_tail - ring.seen_head) < 0 ||
			ring.own_tail - ring.seen_head > SLOTS)
			failures++;
		if (next_ring_random(&seed) % 20000 == 0)
			bpei_clock_sleep_ns(200000);
	}
	bpei_role_leave(&bpei_reader_role);
}

int main(int argc, char **argv)
{
	uint64_t wrong = 0;
	pthread_t thread;
	total = (argc > 1 ? strtoull(argv[1], NULL, 10) : 3) * 1000000;
	bpei_ring_init(&ring, SLOTS);
	if (pthread_create(&thread, NULL, consume_items, &wrong))
		return 1;
	produce_items();
	pthread_join(thread, NULL);
	failures += wrong != 0;
	bpei_role_enter(&bpei_reader_role);
	if (!bpei_ring_passed(&ring, ring.own_tail) || bpei_ring_depth(&ring))
		failures++;
	bpei_role_leave(&bpei_reader_role);
	printf("%llu items, %llu out of order\n%d passed, %d failed\n", (unsigned long long)total,
		(unsigned long long)wrong, !failures, !!failures);
	return failures != 0;
}
