/* SPDX-License-Identifier: MIT */
/* export_ring [thousands]: a program and its sender as two threads: records of every length through
 * the ring of a target, and counters of the run beside.  Now and then the sender starts anew, as
 * after a death.  Each record comes whole, in order and once; the numbers of records add up.  Meant
 * for ThreadSanitizer; a plain program. */
#include "tools/export/board.h"
#include "tools/export/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 4096, LIVES = 1000 };

static struct export_ring ring;
static _Alignas(8) uint8_t ring_bytes[RING_BYTES];
static struct export_board board;
static struct export_books books;
static uint64_t total, wrong;
static _Atomic int is_over;

/* Returns the length of a record, by number. */
static uint32_t number_length(uint64_t number)
{
	return 8 + (uint32_t)(number * 2654435761u % 300);
}

/* Checks a record behind the record `last`.  Returns its number. */
static uint64_t judge_record(const uint8_t *record, uint32_t n, uint64_t last)
{
	uint64_t number;

	memcpy(&number, record, sizeof number);
	wrong += number <= last || n != number_length(number);
	for (uint32_t i = 8; i < n; i++)
		wrong += record[i] != (uint8_t)(number * 31 + i);
	return number;
}

/* Reads the counters, which are whole if all words of the packets are equal. */
static void check_counts(struct export_counts *counts)
{
	if (!export_board_number(&board) || !export_board_read(&board, counts))
		return;
	wrong += counts->stats.read_packets != counts->stats.delivered_packets;
	wrong += counts->workers[EXPORT_WORKERS_MOST - 1].packets != counts->stats.read_packets;
}

/* Takes records as a sender that lives for so many records.  Returns false at the end. */
static bool live_as_sender(uint64_t records, uint64_t *last, struct export_counts *counts)
{
	struct export_ring_end end;

	export_ring_attach(&end, &ring, ring_bytes, RING_BYTES, false);
	while (records) {
		/* pairs: main */
		const int ended = atomic_load_explicit(&is_over, memory_order_acquire);
		uint32_t n;
		bool is_torn;
		const uint8_t *record = export_ring_peek(&end, &n, &is_torn);

		wrong += is_torn;
		if (!record && ended)
			return false;
		if (!record) {
			check_counts(counts);
			sched_yield();
			continue;
		}
		*last = judge_record(record, n, *last);
		export_ring_drop(&end);
		export_add(&books.taken, 1);
		records--;
	}
	return true;
}

static void *run_senders(void *counts)
{
	uint64_t last = 0;

	for (uint64_t life = 1; live_as_sender(1 + life * 7919 % LIVES, &last, counts); life++)
		continue;
	return NULL;
}

/* Offers all records.  A record without room is dropped now and then, and else waited for. */
static void offer_records(struct export_counts *counts)
{
	struct export_ring_end end;
	uint8_t record[400];

	export_ring_attach(&end, &ring, ring_bytes, RING_BYTES, true);
	for (uint64_t number = 1; number <= total; number++) {
		const uint32_t n = number_length(number);

		memcpy(record, &number, sizeof number);
		for (uint32_t i = 8; i < n; i++)
			record[i] = (uint8_t)(number * 31 + i);
		export_add(&books.offered, 1);
		bool is_taken = export_ring_push(&end, record, n);

		while (!is_taken && number % 3) {
			sched_yield();
			is_taken = export_ring_push(&end, record, n);
		}
		if (!is_taken)
			export_add(&books.ring_dropped, 1);
		if (number % 256)
			continue;
		counts->stats.read_packets = counts->stats.delivered_packets = number;
		counts->workers[EXPORT_WORKERS_MOST - 1].packets = number;
		export_board_write(&board, counts);
	}
}

int main(int argc, char **argv)
{
	static struct export_counts counts, read;
	pthread_t sender;

	total = (argc > 1 ? strtoull(argv[1], NULL, 10) : 500) * 1000;
	if (pthread_create(&sender, NULL, run_senders, &read))
		return 1;
	offer_records(&counts);
	/* pairs: live_as_sender */
	atomic_store_explicit(&is_over, 1, memory_order_release);
	pthread_join(sender, NULL);
	const uint64_t offered = atomic_load(&books.offered);
	const uint64_t dropped = atomic_load(&books.ring_dropped);
	const uint64_t taken = atomic_load(&books.taken);

	wrong += offered != total || offered != dropped + taken;
	wrong += export_ring_count(&ring) != 0 || export_ring_taken(&ring, taken) != taken;
	printf("%llu offered, %llu dropped, %llu taken, %llu wrong\n", (unsigned long long)offered,
		(unsigned long long)dropped, (unsigned long long)taken, (unsigned long long)wrong);
	return wrong != 0 || !taken;
}
