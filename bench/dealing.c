/* SPDX-License-Identifier: MIT */
/* dealing [WORKERS...]: what dealing packets costs the reader and a worker, on two cores.
 *
 * Two designs.  copy: the reader copies each packet from the reader's columns into the columns of a
 * worker's ring.  numbers: the batch lies in shared slots; the reader puts slot numbers into the
 * workers' rings, and each worker copies packets (src/engine/reader.c, worker.c).
 *
 * A core plays the reader, another core plays the workers.  For the reader's cost the second core
 * takes the packets of all workers, so each line has to come back.  For a worker's cost the second
 * core takes a single worker's packets, so no other worker has fetched the lines before.  Waiting
 * is not in the figures, which are the least of some rounds.  Output: CSV, read by simulate.py. */
#include "bench.h"

#include "base/clock.h"
#include "base/thread.h"
#include "records/batch.h"
#include "ring/ring.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORKERS 16u
#define TEMPLATES 4096u
#define PACKETS 400000u
#define ROUNDS 7
#define SLOTS 16384u

/* A worker, as far as dealing goes. */
struct dealt_worker {
	struct bpei_ring ring;
	struct bpei_columns columns; /* copy: the ring's slots; numbers: a batch */
	uint32_t *numbers;
};

static struct deal {
	bool copies;
	bool takes_all; /* the taker plays all workers */
	uint32_t workers, ring_slots;
	double deal_ns, take_ns; /* a packet, without waiting */
	uint64_t taken;
	struct dealt_worker worker[MAX_WORKERS];
	struct bpei_columns templates, own, slots;
	pthread_barrier_t barrier;
	_Atomic int over;
} d;

static void relax_dealing(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Writes a batch into the columns, as walk and parse do. */
static void write_dealt_batch(const struct bpei_columns *to, uint32_t t)
{
#define WRITE_COLUMN(type, name, condition)                                                        \
	memcpy(to->name, d.templates.name + t, BPE_BATCH * sizeof *to->name);
	BPEI_COLUMNS(WRITE_COLUMN)
#undef WRITE_COLUMN
}

/* Waits until the worker's ring has room for a batch.  Returns the ns of waiting. */
static int64_t wait_for_ring_room(struct dealt_worker *w) BPEI_UNCHECKED
{
	if (bpei_ring_room(&w->ring, BPE_BATCH) >= BPE_BATCH)
		return 0;
	const int64_t since = bpei_clock_mono_ns();

	while (bpei_ring_room(&w->ring, BPE_BATCH) < BPE_BATCH)
		relax_dealing();
	return bpei_clock_mono_ns() - since;
}

/* Deals a batch that was written to `from`; `first`: number of its first slot. */
static void deal_batch(const struct bpei_columns *from, uint32_t first) BPEI_UNCHECKED
{
	uint32_t pushed[MAX_WORKERS] = { 0 };

	for (uint32_t i = 0; i < BPE_BATCH; i++) {
		const uint32_t k = (uint32_t)((uint64_t)from->hash[i] * d.workers >> 32);
		struct dealt_worker *w = &d.worker[k];
		const uint32_t at = (w->ring.own_tail + pushed[k]++) & w->ring.mask;

		if (d.copies)
			bpei_columns_copy(&w->columns, at, from, i);
		else
			w->numbers[at] = first + i;
	}
	for (uint32_t k = 0; k < d.workers; k++)
		if (pushed[k])
			bpei_ring_push(&d.worker[k].ring, pushed[k]);
}

static void drop_unread(void) BPEI_UNCHECKED
{
	for (uint32_t k = 1; k < d.workers; k++) {
		struct bpei_ring *ring = &d.worker[k].ring;

		bpei_ring_drop(ring, ring->own_tail - ring->own_head);
	}
}

static void *run_dealer(void *unused) BPEI_UNCHECKED
{
	bpei_thread_pin(0);
	for (;;) {
		pthread_barrier_wait(&d.barrier);
		if (d.over == 2)
			return unused;
		int64_t waited = 0;
		const int64_t start = bpei_clock_mono_ns();

		for (uint32_t p = 0; p < PACKETS; p += BPE_BATCH) {
			const uint32_t first = p & (SLOTS - 1);
			const struct bpei_columns to =
				d.copies ? d.own : bpei_columns_from(&d.slots, first);

			for (uint32_t k = 0; k < (d.takes_all ? d.workers : 1); k++)
				waited += wait_for_ring_room(&d.worker[k]);
			write_dealt_batch(&to, p % TEMPLATES);
			deal_batch(&to, first);
			if (!d.takes_all)
				drop_unread();
		}
		d.deal_ns = (double)(bpei_clock_mono_ns() - start - waited) / PACKETS;
		d.over = 1;
		pthread_barrier_wait(&d.barrier);
	}
}

/* Takes a worker's next batch, and reads it as a worker does.  Returns the number of packets. */
static uint32_t take_dealt_batch(struct dealt_worker *w, uint64_t *sum) BPEI_UNCHECKED
{
	const uint32_t n = bpei_ring_peek(&w->ring, BPE_BATCH);
	const uint32_t at = w->ring.own_head & w->ring.mask;
	struct bpei_columns c = bpei_columns_from(&w->columns, d.copies ? at : 0);

	for (uint32_t i = 0; !d.copies && i < n; i++) {
		__builtin_prefetch(&d.slots.key[w->numbers[at + i]]);
		__builtin_prefetch(&d.slots.layers[w->numbers[at + i]]);
	}
	for (uint32_t i = 0; !d.copies && i < n; i++)
		bpei_columns_copy(&c, i, &d.slots, w->numbers[at + i]);
	for (uint32_t i = 0; i < n; i++)
		*sum += c.hash[i] + c.layers[i].flags + c.key[i].port[0] + (uint64_t)c.time_ns[i] +
			c.caplen[i] + c.wirelen[i] + (uintptr_t)c.data[i];
	if (n)
		bpei_ring_drop(&w->ring, n);
	return n;
}

/* Plays the workers of a round. */
static void run_taker(void)
{
	const uint32_t workers = d.takes_all ? d.workers : 1;
	static volatile uint64_t kept;
	uint64_t sum = 0;
	int64_t busy = 0;

	d.taken = 0;
	d.over = 0;
	pthread_barrier_wait(&d.barrier);
	while (!d.over) {
		const int64_t start = bpei_clock_mono_ns();
		uint64_t n = 0;

		/* rarely looked at, so that batches are full and the clock costs little */
		for (uint32_t k = 0; k < workers; k++)
			for (uint32_t b = 0; b < 16; b++)
				n += take_dealt_batch(&d.worker[k], &sum);
		if (n >= 128u) {
			busy += bpei_clock_mono_ns() - start;
			d.taken += n;
		}
		for (int i = 0; i < 50; i++)
			relax_dealing();
	}
	kept = sum;
	(void)kept;
	pthread_barrier_wait(&d.barrier);
	d.take_ns = d.taken ? (double)busy / (double)d.taken : 0;
}

static void start_round(void)
{
	for (uint32_t k = 0; k < d.workers; k++)
		bpei_ring_init(&d.worker[k].ring, d.ring_slots);
}

/* Makes the memory for a number of workers, as the engine sizes it. */
static void make_workers_of(uint32_t workers)
{
	d.workers = workers;
	d.ring_slots = 16384;
	while (d.ring_slots > 1024 && d.ring_slots * workers > 16384)
		d.ring_slots /= 2;
	for (uint32_t k = 0; k < workers; k++) {
		if (!d.worker[k].numbers)
			d.worker[k].numbers = calloc(16384, sizeof(uint32_t));
		if (!d.worker[k].columns.data && bpei_columns_new(&d.worker[k].columns, 16384) < 0)
			abort();
	}
}

static void measure_dealing(bool copies, double *deal, double *take)
{
	*deal = *take = 1e9;
	d.copies = copies;
	if (copies)
		d.ring_slots = 16384; /* as it was with this design */
	for (int round = 0; round < ROUNDS; round++) {
		d.takes_all = true;
		start_round();
		run_taker();
		*deal = d.deal_ns < *deal ? d.deal_ns : *deal;
		d.takes_all = false;
		start_round();
		run_taker();
		*take = d.take_ns < *take ? d.take_ns : *take;
	}
}

/* Times the writing of a batch to the dealer's own columns: no part of dealing. */
static double measure_writing(void)
{
	double least = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		const int64_t start = bpei_clock_mono_ns();

		for (uint32_t p = 0; p < PACKETS; p += BPE_BATCH) {
			write_dealt_batch(&d.own, p % TEMPLATES);
			__asm__ volatile("" ::: "memory");
		}
		const double ns = (double)(bpei_clock_mono_ns() - start) / PACKETS;

		least = ns < least ? ns : least;
	}
	return least;
}

static void fill_templates(void)
{
	uint32_t random = 1;

	for (uint32_t i = 0; i < TEMPLATES; i++) {
		random = random * 1664525 + 1013904223;
		d.templates.hash[i] = random ^ random >> 15;
		d.templates.layers[i].flags = BPE_PKT_KEY;
	}
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "1", "2", "4", "8", "16" };
	pthread_t dealer;

	if (bpei_columns_new(&d.templates, TEMPLATES) < 0 ||
		bpei_columns_new(&d.own, BPE_BATCH) < 0 || bpei_columns_new(&d.slots, SLOTS) < 0)
		return 1;
	fill_templates();
	bpei_thread_pin(1);
	pthread_barrier_init(&d.barrier, NULL, 2);
	pthread_create(&dealer, NULL, run_dealer, NULL);
	const double writing = measure_writing();

	puts("design,workers,deal_ns,take_ns");
	for (int a = 0; a < (argc > 1 ? argc - 1 : 5); a++) {
		const uint32_t workers = (uint32_t)atoi(argc > 1 ? argv[a + 1] : usual[a]);

		if (!workers || workers > MAX_WORKERS)
			return 2;
		for (int copies = 1; copies >= 0; copies--) {
			double deal, take;

			make_workers_of(workers);
			measure_dealing(copies, &deal, &take);
			printf("%s,%u,%.1f,%.1f\n", copies ? "copy" : "numbers", workers,
				deal - writing, take);
			fflush(stdout);
		}
	}
	d.over = 2;
	pthread_barrier_wait(&d.barrier);
	pthread_join(dealer, NULL);
	return 0;
}
