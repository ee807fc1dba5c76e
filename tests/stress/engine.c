/* SPDX-License-Identifier: MIT */
/* engine [rounds]: starts and stops engines again and again, with stalling workers, overflowing
 * rings and stops in mid-traffic.  Every packet carries a number in the time stamp.  Each worker
 * must see rising numbers, no number may come twice, and packets read must be packets seen plus
 * packets dropped.  A plain program, meant for ThreadSanitizer, too. */
#include "bpfengine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 100000u
#define EPOCH_NS 1700000000000000000
#define STEP_NS 10000

static struct round {
	struct bpe_engine *engine;
	struct {
		int64_t last;
		uint64_t packets, disorder;
		uint32_t random;
	} worker[BPE_MAX_WORKERS]; /* w: the worker's thread */
	_Atomic unsigned char seen[PACKETS];
	_Atomic uint64_t twice;
	uint64_t stop_at;
	uint32_t stall_every;
} r;

static void check_engine_batch(void *user, const struct bpe_batch *b)
{
	struct timespec nap = { 0, 300000 };
	(void)user;
	for (uint32_t i = 0; i < b->count; i++) {
		int64_t number = (b->time_ns[i] - EPOCH_NS) / STEP_NS;
		if (number <= r.worker[b->worker].last || number >= PACKETS || number < 0)
			r.worker[b->worker].disorder++;
		else if (atomic_exchange_explicit(&r.seen[number], 1, memory_order_relaxed))
			atomic_fetch_add_explicit(&r.twice, 1, memory_order_relaxed);
		r.worker[b->worker].last = number;
		if (r.stop_at && (uint64_t)number >= r.stop_at)
			bpe_engine_stop(r.engine);
	}
	r.worker[b->worker].packets += b->count;
	uint32_t *random = &r.worker[b->worker].random;
	*random = *random * 1664525 + 1013904223;
	if (r.stall_every && *random >> 8 < 0x1000000 / r.stall_every)
		nanosleep(&nap, NULL);
}

/* Returns 1 if the round's counts are right. */
static int run_engine_round(uint32_t k)
{
	struct bpe_options o;
	struct bpe_error error;
	struct bpe_stats s;
	memset(&r, 0, sizeof r);
	for (uint32_t w = 0; w < BPE_MAX_WORKERS; w++) {
		r.worker[w].last = -1;
		r.worker[w].random = k * 97 + w;
	}
	r.stall_every = k % 3 ? 20 : 0;
	r.stop_at = k % 4 == 1 ? 1 + k * 1237 % PACKETS : 0;
	bpe_options_init(&o);
	o.interface_name = "synth:count=100000,flows=300";
	o.workers = (int32_t)(k % 5);
	o.ring_slots = 64u << k % 4;
	o.overload = k & 1 ? BPE_OVERLOAD_DROP : BPE_OVERLOAD_WAIT;
	o.block_count = 2 + k % 7;
	o.max_flows = 100;
	o.on_batch = check_engine_batch;
	o.names = k % 3 ? BPE_NAMES_ALL : 0; /* the generator sends DNS, too */
	o.names_bytes = k % 2 ? 1 : 1u << 20;
	if (bpe_engine_open(&o, &r.engine, &error) < 0 || bpe_engine_run(r.engine, 0, &error) < 0) {
		printf("round %u: %s\n", k, error.text);
		return 0;
	}
	bpe_engine_stats(r.engine, &s);
	bpe_engine_close(r.engine);
	uint64_t seen = 0, packets = 0, disorder = 0;
	for (uint32_t i = 0; i < PACKETS; i++)
		seen += r.seen[i];
	for (uint32_t w = 0; w < BPE_MAX_WORKERS; w++) {
		packets += r.worker[w].packets;
		disorder += r.worker[w].disorder;
	}
	int good = !disorder && !r.twice && seen == packets && packets == s.delivered_packets &&
		   !s.in_flight && !s.names_pending && (!o.names == !s.names_flows) &&
		   s.read_packets ==
			   packets + s.dropped[BPE_DROP_RING_FULL] + s.dropped[BPE_DROP_STALLED] &&
		   (r.stop_at || s.read_packets == PACKETS) &&
		   (o.overload == BPE_OVERLOAD_DROP || packets == s.read_packets);
	printf("round %u: %u workers, %llu read, %llu seen, %llu dropped, %llu waits: %s\n", k,
		s.workers, (unsigned long long)s.read_packets, (unsigned long long)seen,
		(unsigned long long)s.dropped[BPE_DROP_RING_FULL], (unsigned long long)s.waits,
		good ? "good" : "WRONG");
	return good;
}

int main(int argc, char **argv)
{
	const uint32_t rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 20;
	uint32_t good = 0;

	for (uint32_t k = 0; k < rounds; k++)
		good += (uint32_t)run_engine_round(k);
	printf("%u passed, %u failed\n", good, rounds - good);
	return good != rounds;
}
