/* SPDX-License-Identifier: MIT */
/* bench/ring [core] [core] | bursts: compares bpei_ring with DPDK's rte_ring (single producer,
 * single consumer) on the same two cores with the same work.  The producer makes numbers in bursts
 * of 32; the consumer checks the sequence.  bpei_ring runs with 8-byte slots, as rte_ring has, and
 * with whole packet records (columns), as the engine uses the ring.  bursts: packet records in
 * bursts of 1 to 64, since a reader's batch is divided among many workers. */
#include "bench.h"
#include "records/batch.h"
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#ifdef HAVE_DPDK
#include <rte_eal.h>
#include <rte_ring.h>
#endif

#define BURST 32u
#define ITEMS (bursts_only ? 1000000u : 20000000u)

enum contender { RTE_1024, OURS_1024, RTE_8192, OURS_8192, COLUMNS_8192, CONTENDERS };

static struct bpei_ring ring;
static uint64_t slot[8192];
static struct bpei_columns columns;
static pthread_barrier_t barrier;
static enum contender job;
static bool over;
static bool bursts_only;
static uint32_t burst = BURST; /* of packet records */
static int producer_core = 1;
static int consumer_core = 0;
#ifdef HAVE_DPDK
static struct rte_ring *rte[2];
#endif

static void pin_to_core(int core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static inline void relax_spin(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void produce_ours(void)
{
	bpei_role_enter(&bpei_reader_role);
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = bpei_ring_room(&ring, BURST);
		if (!n) {
			relax_spin();
			continue;
		}
		if (n > BURST)
			n = BURST;
		for (uint32_t k = 0; k < n; k++)
			slot[(ring.own_tail + k) & ring.mask] = ++i;
		bpei_ring_push(&ring, n);
	}
	bpei_role_leave(&bpei_reader_role);
}

static void consume_ours(void)
{
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = bpei_ring_peek(&ring, BURST);
		if (!n) {
			relax_spin();
			continue;
		}
		for (uint32_t k = 0; k < n; k++)
			if (slot[(ring.own_head + k) & ring.mask] != ++i)
				abort();
		bpei_ring_drop(&ring, n);
	}
	bpei_role_leave(&bpei_worker_role);
}

static void produce_columns(void)
{
	struct bpe_layers layers = { .flags = BPE_PKT_KEY };
	struct bpe_key key = { .ip_version = 4 };
	bpei_role_enter(&bpei_reader_role);
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = bpei_ring_room(&ring, burst);
		if (!n) {
			relax_spin();
			continue;
		}
		if (n > burst)
			n = burst;
		for (uint32_t k = 0; k < n; k++) {
			const uint32_t t = (ring.own_tail + k) & ring.mask;
			const uint32_t v = (uint32_t)++i;

			columns.data[t] = (const uint8_t *)&ring;
			columns.time_ns[t] = (int64_t)i;
			columns.caplen[t] = columns.wirelen[t] = columns.interface_id[t] =
				columns.hash[t] = v;
			columns.layers[t] = layers;
			columns.key[t] = key;
		}
		bpei_ring_push(&ring, n);
	}
	bpei_role_leave(&bpei_reader_role);
}

static void consume_columns(void)
{
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = bpei_ring_peek(&ring, burst);
		if (!n) {
			relax_spin();
			continue;
		}
		for (uint32_t k = 0; k < n; k++) {
			uint32_t t = (ring.own_head + k) & ring.mask;
			if (columns.hash[t] != (uint32_t)++i || columns.key[t].ip_version != 4 ||
				!columns.layers[t].flags)
				abort();
		}
		bpei_ring_drop(&ring, n);
	}
	bpei_role_leave(&bpei_worker_role);
}

#ifdef HAVE_DPDK
static void produce_rte(struct rte_ring *r)
{
	void *v[BURST];
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = BURST;
		for (uint32_t k = 0; k < n; k++)
			v[k] = (void *)(uintptr_t)(i + k + 1);
		for (uint32_t done = 0; done < n;) {
			uint32_t d = rte_ring_sp_enqueue_burst(r, v + done, n - done, NULL);
			if (!d)
				relax_spin();
			done += d;
		}
		i += n;
	}
}

static void consume_rte(struct rte_ring *r)
{
	void *v[BURST];
	for (uint64_t i = 0; i < ITEMS;) {
		uint32_t n = rte_ring_sc_dequeue_burst(r, v, BURST, NULL);
		if (!n)
			relax_spin();
		for (uint32_t k = 0; k < n; k++)
			if ((uintptr_t)v[k] != ++i)
				abort();
	}
}
#endif

static void *run_producer(void *unused)
{
	pin_to_core(producer_core);
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (over)
			return unused;
		if (job == COLUMNS_8192)
			produce_columns();
		else if (job == OURS_1024 || job == OURS_8192)
			produce_ours();
#ifdef HAVE_DPDK
		else
			produce_rte(rte[job == RTE_8192]);
#endif
	}
}

static double time_once(enum contender c)
{
	job = c;
	bpei_ring_init(&ring, c == OURS_1024 ? 1024 : 8192);
	pthread_barrier_wait(&barrier);
	int64_t start = bpei_clock_mono_ns();
	if (c == COLUMNS_8192)
		consume_columns();
	else if (c == OURS_1024 || c == OURS_8192)
		consume_ours();
#ifdef HAVE_DPDK
	else
		consume_rte(rte[c == RTE_8192]);
#endif
	return (double)(bpei_clock_mono_ns() - start) / ITEMS;
}

/* Reads the command line.  Returns true if only bursts are to be measured. */
static bool read_ring_options(int argc, char **argv)
{
	bursts_only = argc > 1 && !strcmp(argv[1], "bursts");
	if (argc > 1 && !bursts_only)
		producer_core = atoi(argv[1]);
	if (argc > 2 && !bursts_only)
		consumer_core = atoi(argv[2]);
	return bursts_only;
}

int main(int argc, char **argv)
{
	static struct bench_row rows[CONTENDERS] = {
		{ .name = "rte_ring SP/SC, 1024 slots of 8 bytes" },
		{ .name = "bpei_ring, 1024 slots of 8 bytes" },
		{ .name = "rte_ring SP/SC, 8192 slots of 8 bytes" },
		{ .name = "bpei_ring, 8192 slots of 8 bytes" },
		{ .name = "bpei_ring, 8192 packet records of 104 bytes" }
	};
	pthread_t thread;
	const bool bursts = read_ring_options(argc, argv);

#ifdef HAVE_DPDK
	char *eal[] = { "ring", "--no-pci", "--no-huge", "--no-telemetry", "-m", "64", "-l", "0",
		"--log-level", "1" };
	if (rte_eal_init(10, eal) < 0)
		return 1;
	rte[0] = rte_ring_create("r0", 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	rte[1] = rte_ring_create("r1", 8192, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
#else
	printf("built without DPDK: rte_ring is not measured\n");
#endif
	if (bpei_columns_new(&columns, 8192) < 0)
		return 1;
	pin_to_core(consumer_core);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, run_producer, NULL);
	static struct bench_row sweep[7] = { { .name = "bursts of 1" }, { .name = "2" },
		{ .name = "4" }, { .name = "8" }, { .name = "16" }, { .name = "32" },
		{ .name = "64" } };
	for (int r = -1; r < BENCH_ROUNDS && bursts; r++)
		for (int k = 0; k < 7; k++) {
			burst = 1u << k;
			double ns = time_once(COLUMNS_8192);
			if (r >= 0)
				sweep[k].ns[r] = ns;
		}
	if (bursts)
		bench_print(sweep, 7, "packet record of 104 bytes, core to core");
	for (int r = -1; r < BENCH_ROUNDS && !bursts; r++)
		for (int c = 0; c < CONTENDERS; c++) {
#ifndef HAVE_DPDK
			if (c == RTE_1024 || c == RTE_8192)
				continue;
#endif
			double ns = time_once((enum contender)c);
			if (r >= 0)
				rows[c].ns[r] = ns;
		}
	over = true;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	if (bursts)
		return 0;
#ifdef HAVE_DPDK
	bench_print(rows, CONTENDERS, "item, bursts of 32");
#else
	bench_print(rows + OURS_8192, 2, "item, bursts of 32");
#endif
	return 0;
}
