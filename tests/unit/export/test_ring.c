/* SPDX-License-Identifier: MIT */
/* Pushes records through the ring of a target: order, fillers, a full ring, senseless words of the
 * other end, a new consumer in mid-way, and two processes. */
#include "tools/export/ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum { SMALL = 256, LARGE = 4096, RECORDS = 200000 };

struct shared {
	struct export_ring ring;
	uint8_t bytes[LARGE];
	uint8_t guard[64];
};

static struct shared *shared;
static struct export_ring_end producer, consumer;

static void share_ring(uint32_t size)
{
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq((void *)shared, MAP_FAILED);
	memset(shared->bytes + size, 0xa5, sizeof shared->bytes - size);
	export_ring_attach(&producer, &shared->ring, shared->bytes, size, true);
	export_ring_attach(&consumer, &shared->ring, shared->bytes, size, false);
}

/* Makes the bytes of record k, of a length that depends on k. */
static uint32_t make_record(uint8_t *to, uint32_t k, uint32_t most)
{
	const uint32_t n = (k * 7919u) % (most + 1);

	for (uint32_t i = 0; i < n; i++)
		to[i] = (uint8_t)(k + i * 3);
	return n;
}

/* Takes record k, and compares the bytes.  Returns false if the ring is empty. */
static bool expect_record(uint32_t k, uint32_t most)
{
	uint8_t wanted[LARGE];
	uint32_t n;
	bool is_torn;
	const void *record = export_ring_peek(&consumer, &n, &is_torn);

	cr_assert(!is_torn, "record %u", k);
	if (!record)
		return false;
	cr_assert_eq(n, make_record(wanted, k, most), "record %u", k);
	cr_assert_arr_eq(record, wanted, n);
	export_ring_drop(&consumer);
	return true;
}

Test(ring, keeps_order_and_bytes)
{
	uint8_t record[LARGE];
	uint32_t pushed = 0, taken = 0;

	share_ring(SMALL);
	while (taken < 5000) {
		const uint32_t n = make_record(record, pushed, 56);

		if (export_ring_push(&producer, record, n)) {
			pushed++;
			continue;
		}
		cr_assert_gt(pushed, taken);
		for (uint32_t k = 0; k < 1 + taken % 5 && expect_record(taken, 56); k++)
			taken++;
		cr_assert_eq(export_ring_count(&shared->ring), pushed - taken);
		cr_assert_eq(export_ring_taken(&shared->ring, taken ? taken - 1 : 0), taken);
		cr_assert_eq(export_ring_taken(&shared->ring, taken + 1), taken);
	}
	for (size_t k = SMALL; k < sizeof shared->bytes; k++)
		cr_assert_eq(shared->bytes[k], 0xa5);
}

Test(ring, is_full_and_empty)
{
	const uint8_t record[SMALL] = { 1 };
	uint32_t n;
	bool is_torn;

	share_ring(SMALL);
	cr_assert_null(export_ring_peek(&consumer, &n, &is_torn));
	cr_assert(!is_torn);
	cr_assert(!export_ring_is_filling(&producer));
	cr_assert(!export_ring_push(&producer, record, SMALL));
	cr_assert(!export_ring_push(&producer, record, UINT32_MAX));
	cr_assert(export_ring_push(&producer, record, SMALL - 8));
	cr_assert(export_ring_is_filling(&producer));
	cr_assert(!export_ring_push(&producer, record, 0));
	cr_assert_not_null(export_ring_peek(&consumer, &n, &is_torn));
	cr_assert_eq(n, SMALL - 8);
	export_ring_drop(&consumer);
	cr_assert(export_ring_push(&producer, record, 0));
	cr_assert_not_null(export_ring_peek(&consumer, &n, &is_torn));
	cr_assert_eq(n, 0);
}

/* Lets another consumer go on where an earlier consumer ended. */
Test(ring, takes_another_consumer)
{
	uint8_t record[LARGE];

	share_ring(SMALL);
	for (uint32_t k = 0; k < 6; k++)
		cr_assert(export_ring_push(&producer, record, make_record(record, k, 20)));
	cr_assert(expect_record(0, 20));
	cr_assert(expect_record(1, 20));
	memset(&consumer, 0, sizeof consumer);
	export_ring_attach(&consumer, &shared->ring, shared->bytes, SMALL, false);
	for (uint32_t k = 2; k < 6; k++)
		cr_assert(expect_record(k, 20));
	cr_assert(!expect_record(6, 20));
	cr_assert_eq(export_ring_taken(&shared->ring, 0), 6);
}

/* Writes any word as head: the producer writes within the ring all the same. */
Test(ring, believes_no_head)
{
	uint8_t record[40] = { 0 };
	uint64_t random = 1;

	share_ring(SMALL);
	for (int k = 0; k < 10000; k++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		atomic_store(&shared->ring.head, random ^ random >> 31);
		export_ring_push(&producer, record, (uint32_t)(random >> 59));
	}
	for (size_t k = SMALL; k < sizeof shared->bytes; k++)
		cr_assert_eq(shared->bytes[k], 0xa5);
}

/* Writes any bytes into the ring: the consumer reads within the ring all the same. */
Test(ring, believes_no_bytes)
{
	uint64_t random = 7;
	int torn = 0;

	share_ring(SMALL);
	for (int k = 0; k < 20000; k++) {
		uint32_t n = 0;
		bool is_torn;

		for (size_t i = 0; i < SMALL; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			shared->bytes[i] =
				(uint8_t)(random >> 60 ? random >> 56 & 0x80 : random >> 33);
		}
		atomic_store(&shared->ring.tail, random >> 20);
		export_ring_attach(&consumer, &shared->ring, shared->bytes, SMALL, false);
		const uint8_t *got = export_ring_peek(&consumer, &n, &is_torn);

		torn += is_torn;
		if (!got)
			continue;
		cr_assert_leq(n, SMALL - 8);
		cr_assert(got >= shared->bytes && got + n <= shared->bytes + SMALL);
	}
	cr_assert_gt(torn, 0);
}

Test(ring, joins_two_processes)
{
	uint8_t record[LARGE];
	int status = -1;

	share_ring(LARGE);
	const pid_t child = fork();

	cr_assert_geq(child, 0);
	if (!child) {
		for (uint32_t k = 0; k < RECORDS;)
			if (export_ring_push(&producer, record, make_record(record, k, 900)))
				k++;
			else
				usleep(1);
		_exit(0);
	}
	for (uint32_t k = 0; k < RECORDS;)
		if (expect_record(k, 900))
			k++;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(export_ring_count(&shared->ring), 0);
	cr_assert_eq(export_ring_taken(&shared->ring, 0), RECORDS);
}
