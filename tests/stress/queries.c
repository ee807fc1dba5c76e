/* SPDX-License-Identifier: MIT */
/* queries [rounds]: asks for the largest flows again and again, by two threads, while packets
 * pass 0 to 3 workers, before the start and after the end.  Packets are short and captured whole.
 * A torn record is therefore visible: bytes do not match packets, or bytes captured do not match
 * bytes on the wire.  A plain program, meant for ThreadSanitizer, too. */
#include "bpfengine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM 400u
#define LEAST 42u
#define MOST 110u

static struct bpe_engine *engine;
static _Atomic int over;
static _Atomic uint32_t wrong, asked, inside, full;
static const char *_Atomic what;

static void note_wrong_answer(const char *text)
{
	atomic_store(&what, text);
	atomic_fetch_add(&wrong, 1);
}

static void check_largest_flows(struct bpe_flow *flows, uint32_t k)
{
	struct bpe_flow_totals s = { .packet_ns = -1 };
	struct bpe_error e;
	uint32_t order = k & 1;
	size_t n = k % 5 ? ROOM : k % 7;
	int found = bpe_engine_largest_flows(engine, order, INT64_MIN, flows, n, &s, &e);
	uint64_t before = UINT64_MAX;
	if (found < 0 || (size_t)found > n || s.recent != s.alive || s.packet_ns < 0 ||
		(uint64_t)found > s.alive)
		note_wrong_answer("the answer as a whole");
	if (n == ROOM && s.alive <= 100 && (uint64_t)found != s.alive)
		note_wrong_answer("flows are missing");
	for (int i = 0; i < found; i++) {
		const uint64_t packets = flows[i].packets[0] + flows[i].packets[1];
		const uint64_t bytes = flows[i].wire_bytes[0] + flows[i].wire_bytes[1];
		const uint64_t value = order ? packets : bytes;

		for (int end = 0; end < 2; end++)
			if (flows[i].wire_bytes[end] != flows[i].captured_bytes[end])
				note_wrong_answer("a record's bytes");
		if (!packets || bytes < packets * LEAST || bytes > packets * MOST ||
			flows[i].last_ns < flows[i].first_ns || flows[i].end != BPE_END_NONE)
			note_wrong_answer("a record");
		if (value > before)
			note_wrong_answer("the order");
		before = value;
	}
	if (found > 50)
		atomic_fetch_add(&full, 1);
	atomic_fetch_add(&asked, 1);
}

static void *run_flow_asker(void *number)
{
	struct bpe_flow *flows = calloc(ROOM, sizeof *flows);
	struct timespec nap = { 0, 100000 };
	for (uint32_t k = *(uint32_t *)number; flows && !atomic_load(&over); k += 3) {
		check_largest_flows(flows, k);
		if (k % 11 == 0)
			nanosleep(&nap, NULL);
	}
	free(flows);
	return NULL;
}

static void ask_from_handler(void *user, const struct bpe_batch *b)
{
	struct bpe_flow f;
	struct bpe_error e = { .status = BPE_OK };
	(void)user;
	if (b->count && b->hash[0] % 64)
		return;
	if (bpe_engine_largest_flows(engine, BPE_ORDER_BYTES, INT64_MIN, &f, 1, NULL, &e) !=
			BPE_E_STATE ||
		e.status != BPE_E_STATE)
		note_wrong_answer("a handler was answered");
	if (bpe_engine_top_flows(engine, &f, 1) != BPE_E_STATE)
		note_wrong_answer("a handler was answered");
	atomic_fetch_add(&inside, 1);
}

/* Returns the options of round k. */
static struct bpe_options make_round_options(uint32_t k, bool endless)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name =
		endless ? "synth:flows=90,size=64,vlan=0,ipv6=0,retransmit=0,rate=150000"
			: "synth:flows=300,size=64,vlan=0,ipv6=0,retransmit=0,count=200000";
	o.workers = (int32_t)(k % 4);
	o.ring_slots = 64u << k % 4;
	o.block_count = 2 + k % 5;
	o.max_flows = k % 3 ? 200 : 1000;
	o.flow_closed_ns = 1000000;
	o.on_batch = ask_from_handler;
	o.names = k % 2 ? BPE_NAMES_ALL : 0;
	return o;
}

/* Waits until the run has ended.  An endless run is stopped once a thread and a handler have asked.
 */
static void wait_for_queries(bool endless, uint32_t before)
{
	if (endless) {
		bool ended = bpe_engine_wait(engine, 300000000);

		while (!ended && (asked == before || !inside))
			ended = bpe_engine_wait(engine, 10000000);
		bpe_engine_stop(engine);
	}
	while (!bpe_engine_wait(engine, -1))
		continue;
}

/* Checks that the flows after the end are the flows of the counts, and that the counts add up. */
static void check_after_end(struct bpe_flow *flows, const struct bpe_stats *s)
{
	struct bpe_flow_totals last;
	const int found = bpe_engine_largest_flows(
		engine, BPE_ORDER_BYTES, INT64_MIN, flows, ROOM, &last, NULL);

	if (found < 0 || last.alive != s->flows_active)
		note_wrong_answer("flows after the end");
	if (s->read_packets != s->delivered_packets ||
		s->flows_opened != s->flows_active + s->flows_ended + s->flows_evicted)
		note_wrong_answer("the books");
}

static int run_queries_round(uint32_t k)
{
	struct bpe_error error;
	struct bpe_stats s;
	pthread_t thread[2];
	uint32_t number[2] = { 1, 2 };
	static struct bpe_flow flows[ROOM];
	const bool endless = k % 3 == 2;
	const struct bpe_options o = make_round_options(k, endless);

	over = 0;
	wrong = asked = inside = full = 0;
	if (bpe_engine_open(&o, &engine, &error) < 0)
		return printf("FAILED: %s\n", error.text), 0;
	if (bpe_engine_largest_flows(engine, 2, 0, flows, ROOM, NULL, &error) != BPE_E_ARGUMENT)
		note_wrong_answer("an order that there is not");
	if (bpe_engine_largest_flows(
		    engine, BPE_ORDER_BYTES, INT64_MIN, flows, ROOM, NULL, &error) != 0)
		note_wrong_answer("flows before the start");
	for (int t = 0; t < 2; t++)
		pthread_create(&thread[t], NULL, run_flow_asker,
			&number[t]); /* before the start, and on */
	if (bpe_engine_start(engine, &error) < 0)
		return printf("FAILED: %s\n", error.text), 0;
	uint32_t before = asked;
	wait_for_queries(endless, before);
	uint32_t during = asked;
	check_largest_flows(flows, 5);
	atomic_store(&over, 1);
	for (int t = 0; t < 2; t++)
		pthread_join(thread[t], NULL);
	bpe_engine_stats(engine, &s);
	check_after_end(flows, &s);
	bpe_engine_close(engine);
	const char *failure = wrong ? what : "too few";
	const int good = !wrong && (!endless || (during > before && inside));
	printf("round %u: %u workers, %llu packets, %u queries while it ran, %u of more than 50 flows in all, %u by handlers: %s\n",
		k, s.workers, (unsigned long long)s.read_packets, during, full, inside,
		good ? "good" : failure);
	return good;
}

int main(int argc, char **argv)
{
	const uint32_t rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 12;
	uint32_t good = 0;

	for (uint32_t k = 0; k < rounds; k++)
		good += (uint32_t)run_queries_round(k);
	printf("%u passed, %u failed\n", good, rounds - good);
	return good != rounds;
}
