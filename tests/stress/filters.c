/* SPDX-License-Identifier: MIT */
/* filters [rounds]: changes filters again and again while an engine runs, by another thread and by
 * the handlers.  Every packet carries a number.  The engine's count before and after each change
 * tells which filters may have been in use when a packet was read.  A packet taken by all of these
 * filters must come, a packet taken by none must not, and the counts must add up.  A plain program,
 * meant for ThreadSanitizer, too. */
#include "bpfengine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 400000u
#define EPOCH_NS 1700000000000000000
#define STEP_NS 10000
#define CHANGES 20000u
#define SOURCE "synth:count=400000,flows=300"

static const char *const expressions[] = { "ip[15] & 1 = 0", "ip[15] & 1 = 1", "", "tcp",
	"udp or ip[15] & 3 = 2", "greater 1" };
#define FILTERS (sizeof expressions / sizeof *expressions)
static struct bpe_insn *programs[FILTERS];
static uint32_t lengths[FILTERS];
static uint8_t takes[PACKETS]; /* bit k: filter k takes the packet */

static struct round {
	struct bpe_engine *engine;
	_Atomic uint8_t seen[PACKETS];
	_Atomic uint32_t wrong, asked_inside;
	uint32_t every; /* batches between two changes by a handler */
	struct {
		uint32_t filter;
		uint64_t before, behind;
	} change[CHANGES];
	uint32_t changes;
	pthread_mutex_t
		mutex; /* a change at a time: the counts around a change belong to the change */
} r;

static uint64_t count_seen_packets(void)
{
	struct bpe_stats s;
	bpe_engine_stats(r.engine, &s);
	return s.read_packets + s.filtered;
}

static int change_filter_once(uint32_t filter, bool in_words)
{
	struct bpe_error e;
	pthread_mutex_lock(&r.mutex);
	uint32_t at = r.changes;
	int status = BPE_E_STATE;
	if (at < CHANGES) {
		r.change[at].filter = filter;
		r.change[at].before = count_seen_packets();
		status = in_words ? bpe_engine_set_expression(r.engine, expressions[filter], &e)
				  : bpe_engine_set_filter(
					    r.engine, programs[filter], lengths[filter], &e);
		r.change[at].behind = count_seen_packets();
		if (status == BPE_OK)
			r.changes++;
		else if (status != BPE_E_STATE)
			atomic_fetch_add(&r.wrong, 1);
	}
	pthread_mutex_unlock(&r.mutex);
	return status;
}

static void check_filtered_batch(void *user, const struct bpe_batch *b)
{
	(void)user;
	for (uint32_t i = 0; i < b->count; i++) {
		int64_t number = (b->time_ns[i] - EPOCH_NS) / STEP_NS;
		if (number < 0 || number >= PACKETS ||
			atomic_exchange_explicit(&r.seen[number], 1, memory_order_relaxed))
			atomic_fetch_add(&r.wrong, 1);
	}
	if (r.every && b->count && !((b->time_ns[0] / STEP_NS + b->worker) % r.every) &&
		!pthread_mutex_trylock(
			&r.mutex)) { /* else a thread is changing, and may wait for this handler */
		uint32_t at = r.changes;
		if (at < CHANGES) {
			r.change[at].filter = (uint32_t)(b->time_ns[0] / STEP_NS) % FILTERS;
			r.change[at].before = count_seen_packets();
			if (bpe_engine_set_filter(r.engine, programs[r.change[at].filter],
				    lengths[r.change[at].filter], NULL) == BPE_OK)
				r.changes++, atomic_fetch_add(&r.asked_inside, 1);
			r.change[at].behind = count_seen_packets();
		}
		pthread_mutex_unlock(&r.mutex);
	}
}

static void *run_filter_changer(void *seed)
{
	uint32_t state = *(const uint32_t *)seed;
	struct timespec nap = { 0, 50000 };
	for (int status = BPE_OK; status == BPE_OK;) {
		state = state * 1664525 + 1013904223;
		status = change_filter_once((state >> 8) % FILTERS, state >> 24 & 1);
		if (state >> 28 == 0)
			nanosleep(&nap, NULL);
	}
	return NULL;
}

/* Learns the packets taken by each filter, from a run without a filter. */
static void learn_filter_results(void)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	bpe_options_init(&o);
	o.interface_name = SOURCE;
	if (bpe_capture_open(&o, &c, NULL) < 0)
		exit(2);
	for (uint32_t k = 0; k < FILTERS; k++)
		if (bpe_filter_compile(expressions[k], 1, 0, &programs[k], &lengths[k], NULL) < 0)
			exit(2);
	while (bpe_capture_next(c, &b, -1, NULL) > 0)
		for (uint32_t i = 0; i < b.count; i++)
			for (uint32_t k = 0; k < FILTERS; k++)
				if (bpe_filter_run(
					    programs[k], b.data[i], b.wirelen[i], b.caplen[i]))
					takes[(b.time_ns[i] - EPOCH_NS) / STEP_NS] |=
						(uint8_t)(1u << k);
	bpe_capture_close(c);
}

/* Returns true if the last round had too few changes to prove anything: on a busy machine. */
static bool has_changed_too_seldom(void)
{
	return r.changes <= 3 || (r.every && !r.asked_inside && r.changes <= 100);
}

struct findings {
	uint32_t seen, lost, too_many;
};

/* Compares the packets seen with the filters in use when each packet was read. */
static struct findings compare_with_filters(void)
{
	struct findings f = { .seen = 0 };
	uint32_t c = 0;

	for (uint32_t n = 0; n < PACKETS; n++) {
		uint8_t may = 0;
		uint8_t must = 0xff;

		while (c + 1 < r.changes && r.change[c + 1].behind <= n)
			c++; /* c: the latest change surely made */
		for (uint32_t at = c; at < r.changes && (at == c || r.change[at].before <= n);
			at++) {
			uint8_t bit = takes[n] >> r.change[at].filter & 1;
			may |= bit;
			must &= bit;
		}
		f.seen += r.seen[n];
		f.lost += must && !r.seen[n];
		f.too_many += !may && r.seen[n];
	}
	return f;
}

static int run_filters_round(uint32_t k)
{
	struct bpe_options o;
	struct bpe_error error;
	struct bpe_stats s;
	pthread_t thread;
	memset(&r, 0, sizeof r);
	pthread_mutex_init(&r.mutex, NULL);
	bpe_options_init(&o);
	o.interface_name = SOURCE;
	o.workers = (int32_t)(k % 4);
	o.ring_slots = 64u << k % 3;
	o.block_count = 2 + k % 5;
	o.on_batch = check_filtered_batch;
	r.every = k % 3 ? 40 + k % 7 : 0;
	if (bpe_engine_open(&o, &r.engine, &error) < 0)
		return printf("FAILED: %s\n", error.text), 0;
	int early = change_filter_once(k % FILTERS, k & 1); /* before the start */
	if (bpe_engine_start(r.engine, &error) < 0)
		return printf("FAILED: %s\n", error.text), 0;
	pthread_create(&thread, NULL, run_filter_changer, &k);
	while (!bpe_engine_wait(r.engine, -1))
		continue;
	pthread_join(thread, NULL);
	const int late = bpe_engine_set_filter(r.engine, programs[0], lengths[0], &error);
	const int wrong_one = bpe_engine_set_expression(r.engine, "tcp prot 80", &error);

	bpe_engine_stats(r.engine, &s);
	const struct findings found = compare_with_filters();

	int good = early == BPE_OK && late == BPE_E_STATE && wrong_one == BPE_E_ARGUMENT &&
		   !r.wrong && !found.lost && !found.too_many &&
		   found.seen == s.delivered_packets && s.read_packets == found.seen &&
		   s.read_packets + s.filtered == PACKETS;
	if (!good)
		printf("FAILED round %u: %u changes (%u inside), wrong %u, lost %u, too many %u, seen %u, delivered %llu, filtered %llu, %d %d %d\n",
			k, r.changes, r.asked_inside, r.wrong, found.lost, found.too_many,
			found.seen, (unsigned long long)s.delivered_packets,
			(unsigned long long)s.filtered, early, late, wrong_one);
	bpe_engine_close(r.engine);
	pthread_mutex_destroy(&r.mutex);
	return good;
}

/* Answers to many threads that ask at once, handlers among them. */
static _Atomic uint32_t answered;

static void ask_from_batch(void *user, const struct bpe_batch *b)
{
	(void)user;
	if (!(b->time_ns[0] / STEP_NS % 16) &&
		bpe_engine_set_filter(r.engine, programs[b->count % FILTERS],
			lengths[b->count % FILTERS], NULL) == BPE_OK)
		atomic_fetch_add(&answered, 1);
}

static void *ask_from_thread(void *unused)
{
	for (uint32_t k = 0; bpe_engine_set_filter(r.engine, programs[k % FILTERS],
				     lengths[k % FILTERS], NULL) == BPE_OK;
		k++)
		atomic_fetch_add(&answered, 1);
	return unused;
}

static int run_filter_crowd(uint32_t workers)
{
	struct bpe_options o;
	struct bpe_stats s;
	pthread_t threads[3];
	bpe_options_init(&o);
	o.interface_name = SOURCE;
	o.workers = (int32_t)workers;
	o.on_batch = ask_from_batch;
	answered = 0;
	if (bpe_engine_open(&o, &r.engine, NULL) < 0 || bpe_engine_start(r.engine, NULL) < 0)
		return 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, ask_from_thread, NULL);
	while (!bpe_engine_wait(r.engine, -1))
		continue;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	bpe_engine_stats(r.engine, &s);
	int good = s.read_packets == s.delivered_packets && s.read_packets + s.filtered == PACKETS;
	if (!good)
		printf("FAILED crowd of %u workers: %u answers\n", workers, answered);
	bpe_engine_close(r.engine);
	return good;
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 12;
	uint32_t passed = 0;
	uint64_t changes = 0;
	learn_filter_results();
	for (uint32_t k = 0; k < rounds; k++) {
		int good = run_filters_round(k);
		while (good && has_changed_too_seldom())
			good = run_filters_round(k);
		passed += (uint32_t)good;
		changes += r.changes;
	}
	for (uint32_t k = 0; k < 4; k++, rounds++) {
		int good = run_filter_crowd(k);
		while (good && answered <= 10)
			good = run_filter_crowd(k);
		passed += (uint32_t)good;
	}
	for (uint32_t k = 0; k < FILTERS; k++)
		bpe_filter_free(programs[k]);
	printf("%llu changes\n%u passed, %u failed\n", (unsigned long long)changes, passed,
		rounds - passed);
	return passed != rounds;
}
