/* SPDX-License-Identifier: MIT */
/* The whole engine on generated traffic: the counts balance in all circumstances. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 200000u
#define SOURCE "synth:flows=500,seed=3,count=200000"

struct seen {
	struct bpe_engine *engine;
	_Atomic uint64_t packets, bytes, batches, flows, flow_packets, flow_bytes, known, wrong;
	_Atomic int hold; /* 1: handlers wait until it is 0 */
	uint64_t stop_after;
	long pause_ns;
};

static void pause_engine_test(long ns)
{
	struct timespec t = { 0, ns };
	nanosleep(&t, NULL);
}

static void check_seen_batch(void *user, const struct bpe_batch *b)
{
	struct seen *s = user;
	uint64_t bytes = 0, known = 0, wrong = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		struct bpe_flow f;
		bytes += b->wirelen[i];
		if (b->caplen[i] > b->wirelen[i] || !b->caplen[i])
			wrong++;
		if (!(b->layers[i].flags & BPE_PKT_KEY) != !b->hash[i])
			wrong++;
		if (bpe_batch_flow(b, i, &f)) {
			known++;
			if (f.ip_proto != b->key[i].ip_proto || f.hash != b->hash[i] ||
				f.end != BPE_END_NONE)
				wrong++;
			if (f.packets[0] + f.packets[1] == 0 || f.last_ns < b->time_ns[i])
				wrong++;
			const uint32_t sender = bpe_batch_sender(b, i);
			const int end = bpe_batch_flow_end(b, i);
			if (end < 0 || memcmp(f.addr[end], b->key[i].addr[sender], 16) ||
				f.port[end] != b->key[i].port[sender])
				wrong++;
		} else if (bpe_batch_flow_end(b, i) != -1) {
			wrong++;
		}
	}
	while (atomic_load(&s->hold))
		pause_engine_test(1000000);
	if (s->pause_ns)
		pause_engine_test(s->pause_ns);
	s->bytes += bytes;
	s->known += known;
	s->wrong += wrong;
	s->batches++;
	uint64_t all = atomic_fetch_add(&s->packets, b->count) + b->count;
	if (s->stop_after && all >= s->stop_after)
		bpe_engine_stop(s->engine);
}

static void count_seen_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;
	s->flows++;
	s->flow_packets += f->packets[0] + f->packets[1];
	s->flow_bytes += f->wire_bytes[0] + f->wire_bytes[1];
	if (worker >= BPE_MAX_WORKERS || f->end == BPE_END_NONE || f->first_ns > f->last_ns)
		s->wrong++;
}

static struct bpe_options make_engine_options(const char *source, int workers, struct seen *seen)
{
	struct bpe_options o;
	memset(seen, 0, sizeof *seen);
	bpe_options_init(&o);
	o.interface_name = source;
	o.workers = workers;
	o.on_batch = check_seen_batch;
	o.on_flow = count_seen_flow;
	o.user = seen;
	o.fixed_seed = true;
	return o;
}

static void open_test_engine(const struct bpe_options *o, struct seen *seen)
{
	struct bpe_error error = { 0 };
	cr_assert_eq(bpe_engine_open(o, &seen->engine, &error), BPE_OK, "%s", error.text);
}

static struct bpe_stats expect_engine_balance(struct seen *seen)
{
	struct bpe_stats s;
	uint64_t done = 0, by_worker = 0;
	struct bpe_worker_stats w;
	bpe_engine_stats(seen->engine, &s);
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		done += s.dropped[i];
	cr_expect_eq(s.read_packets, s.delivered_packets + done);
	cr_expect_eq(s.in_flight, 0);
	cr_expect_eq(s.delivered_packets, atomic_load(&seen->packets));
	cr_expect_eq(s.batches, atomic_load(&seen->batches));
	cr_expect_eq(s.flows_opened, s.flows_active + s.flows_ended + s.flows_evicted);
	cr_expect_eq(s.flows_opened, atomic_load(&seen->flows)); /* each handed over once */
	cr_expect_eq(s.flow_packets, atomic_load(&seen->flow_packets));
	cr_expect_eq(atomic_load(&seen->wrong), 0);
	for (uint32_t k = 0; bpe_engine_worker_stats(seen->engine, k, &w) == BPE_OK; k++)
		by_worker += w.packets;
	cr_expect_eq(by_worker, s.delivered_packets);
	struct bpe_protocol p[64];
	uint64_t in_protocols = 0, in_sizes = 0;
	for (size_t i = 0, n = bpe_engine_protocols(seen->engine, p, 64); i < n; i++)
		in_protocols += p[i].packets;
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		in_sizes += s.sizes[k];
	cr_expect_eq(in_protocols, s.delivered_packets);
	cr_expect_eq(in_sizes, s.delivered_packets);
	return s;
}

Test(engine, every_number_of_workers_sees_the_same, .timeout = 550)
{
	struct bpe_stats first = { 0 };
	static const int workers[] = { 0, 1, 2, 4 };
	for (int i = 0; i < 4; i++) {
		struct seen seen;
		struct bpe_options o = make_engine_options(SOURCE, workers[i], &seen);
		open_test_engine(&o, &seen);
		cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
		struct bpe_stats s = expect_engine_balance(&seen);
		cr_assert_eq(s.read_packets, PACKETS);
		cr_assert_eq(s.delivered_packets, PACKETS);
		cr_assert_eq(s.workers, (uint32_t)workers[i]);
		cr_assert_eq(s.wire_bytes, atomic_load(&seen.bytes));
		if (!i)
			first = s;
		cr_assert_eq(s.wire_bytes, first.wire_bytes);
		cr_assert_eq(s.flows_opened, first.flows_opened, "%d workers: %llu flows, not %llu",
			workers[i], (unsigned long long)s.flows_opened,
			(unsigned long long)first.flows_opened);
		cr_assert_eq(s.flow_packets, first.flow_packets);
		cr_assert_eq(atomic_load(&seen.known), s.flow_packets);
		bpe_engine_close(seen.engine);
	}
}

static void check_unparsed_batch(void *user, const struct bpe_batch *b)
{
	struct seen *s = user;
	for (uint32_t i = 0; i < b->count; i++) {
		const struct bpe_layers *l = &b->layers[i];
		struct bpe_layers again;
		struct bpe_key key;
		if (l->proto != BPE_PROTO_LINKTYPE || l->link_type != 1 || l->flags || b->hash[i] ||
			l->network != BPE_NO_OFFSET)
			s->wrong++;
		if (bpe_batch_layers(b, i, BPE_LAYERS_INNERMOST, &again, &key) == 1 &&
			again.flags & (BPE_PKT_IP4 | BPE_PKT_IP6))
			s->known++;
	}
	if (b->flow || b->table)
		s->wrong++;
	s->packets += b->count;
}

Test(engine, count_only_parses_nothing_and_balances, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options(SOURCE, 2, &seen);
	o.count_only = true;
	o.on_flow = NULL; /* no flows are kept */
	o.on_batch = check_unparsed_batch;
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
	struct bpe_stats s;
	struct bpe_protocol p[2];
	uint64_t in_sizes = 0;
	bpe_engine_stats(seen.engine, &s);
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		in_sizes += s.sizes[k];
	cr_assert_eq(s.read_packets, PACKETS);
	cr_assert_eq(s.delivered_packets, PACKETS);
	cr_assert_eq(in_sizes, PACKETS);
	cr_assert_eq(atomic_load(&seen.packets), PACKETS);
	cr_assert_eq(atomic_load(&seen.wrong), 0);
	cr_assert(atomic_load(&seen.known) > PACKETS / 2,
		"bpe_batch_layers parses what is asked for");
	cr_assert_eq(s.workers, 0);
	cr_assert_eq(s.flows_opened + s.ip4_packets + s.ip6_packets, 0);
	cr_assert_eq(bpe_engine_protocols(seen.engine, p, 2), 1);
	cr_assert_str_eq(p[0].name, "EN10MB");
	cr_assert_eq(p[0].packets, PACKETS);
	cr_assert_eq(p[0].bytes, s.wire_bytes);
	bpe_engine_close(seen.engine);
}

Test(engine, blocks_say_how_full_they_were, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options(SOURCE, 0, &seen);
	struct bpe_stats s;
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
	bpe_engine_stats(seen.engine, &s);
	cr_assert_eq(s.block_capacity, s.blocks * 262144);
	cr_assert(s.block_bytes > s.captured_bytes && s.block_bytes <= s.block_capacity);
	bpe_engine_close(seen.engine);
}

Test(engine, a_slow_worker_is_waited_for, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options("synth:count=20000", 2, &seen);
	o.ring_slots = 64;
	seen.pause_ns = 100000;
	atomic_store(&seen.hold, 1);
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_start(seen.engine, NULL), BPE_OK);
	struct bpe_stats s;
	while (bpe_engine_stats(seen.engine, &s), !s.waits)
		pause_engine_test(1000000);
	atomic_store(&seen.hold, 0);
	while (!bpe_engine_wait(seen.engine, -1))
		continue;
	s = expect_engine_balance(&seen);
	cr_assert_eq(s.delivered_packets, 20000);
	cr_assert(s.waits > 0);
	bpe_engine_close(seen.engine);
}

Test(engine, a_slow_worker_drops_by_option, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options(SOURCE, 2, &seen);
	o.ring_slots = 64;
	o.overload = BPE_OVERLOAD_DROP;
	seen.pause_ns = 1000000;
	atomic_store(&seen.hold, 1);
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_start(seen.engine, NULL), BPE_OK);
	struct bpe_stats s;
	while (bpe_engine_stats(seen.engine, &s), !s.dropped[BPE_DROP_RING_FULL])
		pause_engine_test(1000000);
	atomic_store(&seen.hold, 0);
	while (!bpe_engine_wait(seen.engine, -1))
		continue;
	s = expect_engine_balance(&seen);
	cr_assert_eq(s.read_packets, PACKETS);
	cr_assert(s.dropped[BPE_DROP_RING_FULL] > 0);
	cr_assert_eq(s.dropped[BPE_DROP_STALLED], 0);
	bpe_engine_close(seen.engine);
}

/* Where the packets of a run lie, in the order of reading. */
struct places {
	const struct bpe_layers *read; /* w: reader, before the first packet is handed over */
	uint64_t delivered, elsewhere; /* w: worker */
};

static void note_read_place(void *user, const struct bpe_batch *b)
{
	struct places *at = user;

	if (!at->read)
		at->read = b->layers;
}

static void check_delivered_place(void *user, const struct bpe_batch *b)
{
	struct places *at = user;

	at->elsewhere += b->layers != at->read + at->delivered;
	at->delivered += b->count;
}

Test(engine, packets_of_an_only_worker_are_not_copied, .timeout = 550)
{
	struct bpe_options o;
	struct bpe_engine *engine;
	struct places at = { 0 };

	bpe_options_init(&o);
	o.interface_name = "synth:flows=50,seed=3,count=5000"; /* fewer than the ring has slots */
	o.workers = 1;
	o.on_read = note_read_place;
	o.on_batch = check_delivered_place;
	o.user = &at;
	cr_assert_eq(bpe_engine_open(&o, &engine, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_run(engine, 0, NULL), BPE_OK);
	bpe_engine_close(engine);
	cr_assert_eq(at.delivered, 5000);
	cr_assert_eq(at.elsewhere, 0);
}

/* Returns how many packets each worker's ring holds by default. */
static uint32_t read_ring_room(int workers)
{
	struct seen seen;
	struct bpe_options o = make_engine_options(SOURCE, workers, &seen);
	struct bpe_worker_stats w;

	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_worker_stats(seen.engine, 0, &w), BPE_OK);
	bpe_engine_close(seen.engine);
	return w.ring_slots;
}

Test(engine, rings_of_all_workers_share_the_usual_room)
{
	cr_expect_eq(read_ring_room(1), 16384);
	cr_expect_eq(read_ring_room(2), 8192);
	cr_expect_eq(read_ring_room(3), 4096);
	cr_expect_eq(read_ring_room(16), 1024);
	cr_expect_eq(read_ring_room(64), 1024);
}

#define HELD_PACKETS 3000u

/* Worker 0 stands still until all packets were read.  Worker 1 keeps up: the reader waits for it.
 */
struct held_first {
	_Atomic uint64_t read, done_by_second;
	uint64_t for_second; /* w: reader */
};

static void wait_for_second(void *user, const struct bpe_batch *b)
{
	struct held_first *h = user;

	for (int k = 0; atomic_load(&h->done_by_second) < h->for_second && k < 200000; k++)
		pause_engine_test(100000);
	for (uint32_t i = 0; i < b->count; i++)
		h->for_second += b->hash[i] >> 31; /* of two workers */
	atomic_fetch_add(&h->read, b->count);
}

static void hold_first_worker(void *user, const struct bpe_batch *b)
{
	struct held_first *h = user;

	if (b->worker)
		atomic_fetch_add(&h->done_by_second, b->count);
	while (!b->worker && atomic_load(&h->read) < HELD_PACKETS)
		pause_engine_test(100000);
}

Test(engine, a_worker_that_stands_still_drops_its_own_packets_alone, .timeout = 550)
{
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_worker_stats w[2];
	struct held_first held = { 0 };

	bpe_options_init(&o);
	o.interface_name = "synth:flows=500,seed=3,count=3000";
	o.ignore_vlan = true; /* so that the hash is the one by which packets are dealt */
	o.workers = 2;
	o.ring_slots = 256;
	o.fixed_seed = true;
	o.overload = BPE_OVERLOAD_DROP;
	o.on_read = wait_for_second;
	o.on_batch = hold_first_worker;
	o.user = &held;
	cr_assert_eq(bpe_engine_open(&o, &engine, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_run(engine, 0, NULL), BPE_OK);
	for (uint32_t k = 0; k < 2; k++)
		cr_assert_eq(bpe_engine_worker_stats(engine, k, &w[k]), BPE_OK);
	bpe_engine_close(engine);
	cr_assert(w[0].dropped > 0);
	cr_assert_eq(w[1].dropped, 0);
	cr_assert_eq(w[0].packets + w[0].dropped + w[1].packets, HELD_PACKETS);
}

Test(engine, stop_in_mid_traffic, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers += 3) {
		struct seen seen;
		struct bpe_options o = make_engine_options("synth:flows=100", workers, &seen);
		seen.stop_after = 50000;
		open_test_engine(&o, &seen);
		cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
		struct bpe_stats s = expect_engine_balance(&seen);
		cr_assert(s.delivered_packets >= 50000);
		bpe_engine_close(seen.engine);
	}
}

Test(engine, a_worker_that_hangs_is_given_up_and_counted, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options("synth:flows=100", 1, &seen);
	o.ring_slots = 64;
	atomic_store(&seen.hold, 1);
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_start(seen.engine, NULL), BPE_OK);
	struct bpe_stats s;
	while (bpe_engine_stats(seen.engine, &s), !s.waits)
		pause_engine_test(1000000); /* the ring is full and the reader waits */
	bpe_engine_stop(seen.engine);
	while (bpe_engine_stats(seen.engine, &s), !s.dropped[BPE_DROP_STALLED])
		pause_engine_test(1000000);
	cr_assert_eq(bpe_engine_wait(seen.engine, 0), 0);
	atomic_store(&seen.hold, 0);
	while (!bpe_engine_wait(seen.engine, -1))
		continue;
	s = expect_engine_balance(&seen);
	cr_assert(s.dropped[BPE_DROP_STALLED] > 0);
	bpe_engine_close(seen.engine);
}

Test(engine, count_is_exact, .timeout = 550)
{
	static const uint64_t counts[] = { 1, 63, 64, 65, 1000, 77777 };
	for (int workers = 0; workers <= 2; workers += 2)
		for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
			struct seen seen;
			struct bpe_options o = make_engine_options("synth", workers, &seen);
			o.max_packets = counts[i];
			open_test_engine(&o, &seen);
			cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
			cr_assert_eq(expect_engine_balance(&seen).read_packets, counts[i]);
			bpe_engine_close(seen.engine);
		}
}

Test(engine, duration_ends_an_endless_run, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options("synth:rate=10000", 0, &seen);
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_run(seen.engine, 300000000, NULL), BPE_OK);
	struct bpe_stats s = expect_engine_balance(
		&seen); /* of any number of packets: a busy machine may read none in time */
	cr_assert(s.elapsed_ns >= 300000000);
	bpe_engine_close(seen.engine);
}

/* The handler stops the run at the first packet, long before the duration is over. */
Test(engine, a_stop_comes_before_the_duration, .timeout = 550)
{
	struct seen seen;
	struct bpe_options o = make_engine_options("synth:rate=10000", 0, &seen);
	seen.stop_after = 1;
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_run(seen.engine, 3600000000000, NULL), BPE_OK);
	struct bpe_stats s = expect_engine_balance(&seen);
	cr_assert(s.read_packets > 0);
	bpe_engine_close(seen.engine);
}

Test(engine, full_flow_tables_evict_and_balance, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers += 3) {
		struct seen seen;
		struct bpe_options o = make_engine_options(SOURCE, workers, &seen);
		o.max_flows = 50;
		open_test_engine(&o, &seen);
		cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
		struct bpe_stats s = expect_engine_balance(&seen);
		cr_assert(s.flows_evicted > 0);
		cr_assert(s.flows_peak <= 50 && s.flows_active <= 50);
		bpe_engine_close(seen.engine);
	}
}

Test(engine, top_flows_are_the_largest, .timeout = 550)
{
	struct seen seen;
	struct bpe_flow top[20], all[2000];
	struct bpe_options o = make_engine_options("synth:flows=300,count=50000", 3, &seen);
	open_test_engine(&o, &seen);
	cr_assert_eq(
		bpe_engine_top_flows(seen.engine, top, 20), 0); /* not started: there are none */
	cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
	int n = bpe_engine_top_flows(seen.engine, all, 2000);
	cr_assert_eq(bpe_engine_top_flows(seen.engine, top, 20), 20);
	cr_assert(n > 20);
	for (int i = 0; i < n; i++) {
		uint64_t bytes = all[i].wire_bytes[0] + all[i].wire_bytes[1];
		if (i < 20)
			cr_assert_eq(bytes, top[i].wire_bytes[0] + top[i].wire_bytes[1]);
		if (i)
			cr_assert(bytes <= all[i - 1].wire_bytes[0] + all[i - 1].wire_bytes[1]);
	}
	bpe_engine_close(seen.engine);
}

Test(engine, wrong_calls_are_told)
{
	struct seen seen;
	struct bpe_error error;
	struct bpe_options o = make_engine_options("synth:count=10", 0, &seen), bad;
	struct bpe_engine *engine = NULL;
	cr_assert_eq(bpe_engine_open(NULL, &engine, &error), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_engine_open(&o, NULL, &error), BPE_E_ARGUMENT);
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		bad = o;                                                                           \
		bad.change;                                                                        \
		cr_assert_eq(bpe_engine_open(&bad, &engine, &error), BPE_E_ARGUMENT, #change);     \
		cr_assert(error.text[0]);                                                          \
		cr_assert_null(engine);                                                            \
	} while (0)
	REFUSED(struct_size = 0);
	REFUSED(file = "x.pcap");
	REFUSED(interface_name = NULL);
	REFUSED(snaplen = 0);
	REFUSED(workers = 65);
	REFUSED(workers = -2);
	REFUSED(ring_slots = 100);
	REFUSED(block_bytes = 1);
	REFUSED(overload = 9);
	REFUSED(priority = 9);
	REFUSED(interface_name = "synth:nonsense=1");
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_result(seen.engine, &error), BPE_E_STATE);
	cr_assert_eq(bpe_engine_start(seen.engine, &error), BPE_OK);
	cr_assert_eq(bpe_engine_start(seen.engine, &error), BPE_E_STATE);
	bpe_engine_close(seen.engine);
	bpe_engine_close(NULL);
	open_test_engine(&o, &seen);
	bpe_engine_close(seen.engine); /* never started */
}

/* Accepts an older caller's options, which end early: later members have their defaults. */
Test(engine, a_shorter_options_structure_is_accepted)
{
	struct seen seen;
	struct bpe_options o = make_engine_options("synth:count=1000", 0, &seen);
	o.struct_size = offsetof(struct bpe_options, flows);
	o.flows = false;
	open_test_engine(&o, &seen);
	cr_assert_eq(bpe_engine_run(seen.engine, 0, NULL), BPE_OK);
	struct bpe_stats s;
	bpe_engine_stats(seen.engine, &s);
	cr_assert_eq(s.read_packets, 1000);
	cr_assert(s.flows_opened > 0);
	bpe_engine_close(seen.engine);
}
