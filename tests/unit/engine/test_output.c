/* SPDX-License-Identifier: MIT */
/* Records on the output thread, and dumps of all flows.  Records given are the flows ended, however
 * slow the handler; a dump shows no flow twice. */
#include "engine/engine.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCE "synth:flows=400,seed=3,count=60000"

struct seen {
	struct bpe_engine *engine;
	_Atomic uint64_t flows, flow_sum, records, record_sum, record_packets, idles, wrong;
	_Atomic int hold; /* on_record waits for 0 */
	_Atomic int done; /* bit of each worker with a finished dump */
	long pause_ns;
	pthread_t thread;
	bool has_thread;
	uint64_t *shown; /* hashes of the dumped flows */
	_Atomic uint32_t shown_count;
	int again; /* status of a second dump, asked within the first */
};

static void pause_output_test(long ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };
	nanosleep(&t, NULL);
}

static uint64_t hash_bytes(const void *p, size_t n) /* FNV-1a */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void sum_ended_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;
	s->flows++;
	s->flow_sum += hash_bytes(f, sizeof *f);
	if (worker != f->worker || f->version != BPE_FLOW_VERSION || f->size != sizeof *f)
		s->wrong++;
}

static void take_test_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;
	if (!s->has_thread) {
		s->thread = pthread_self();
		s->has_thread = true;
	}
	if (!pthread_equal(s->thread, pthread_self()))
		s->wrong++;
	if (!f) {
		s->idles++;
		return;
	}
	while (atomic_load(&s->hold))
		pause_output_test(1000000);
	if (s->pause_ns)
		pause_output_test(s->pause_ns);
	s->records++;
	s->record_sum += hash_bytes(f, sizeof *f);
	s->record_packets += f->packets[0] + f->packets[1];
	if (worker != f->worker || f->end == BPE_END_NONE)
		s->wrong++;
}

static struct bpe_options make_output_options(const char *source, int workers, struct seen *s)
{
	struct bpe_options o;
	memset(s, 0, sizeof *s);
	bpe_options_init(&o);
	o.interface_name = source;
	o.workers = workers;
	o.on_record = take_test_record;
	o.user = s;
	o.fixed_seed = true;
	return o;
}

static void open_output_engine(const struct bpe_options *o, struct seen *s)
{
	struct bpe_error error = { .text = "" };
	cr_assert_eq(bpe_engine_open(o, &s->engine, &error), BPE_OK, "%s", error.text);
}

/* Checks all counts at the end, also by worker. */
static struct bpe_stats expect_records_balance(struct seen *s)
{
	struct bpe_stats t;
	struct bpe_worker_stats w;
	uint64_t given = 0, dropped = 0;
	bpe_engine_stats(s->engine, &t);
	for (uint32_t k = 0; bpe_engine_worker_stats(s->engine, k, &w) == BPE_OK; k++) {
		given += w.records;
		dropped += w.records_dropped;
	}
	cr_assert_eq(given, t.records);
	cr_assert_eq(dropped, t.records_dropped);
	cr_assert_eq(t.records, s->records);
	cr_assert_eq(t.records + t.records_dropped,
		t.flows_opened + t.flows_periods + t.flows_dumped + t.flows_begun);
	cr_assert_eq(t.read_packets, t.delivered_packets);
	cr_assert_eq(s->wrong, 0);
	return t;
}

Test(output, records_are_what_ended, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers++) {
		struct seen s;
		struct bpe_options o = make_output_options(SOURCE, workers, &s);
		o.on_flow = sum_ended_flow;
		o.flow_idle_ns = 2000000;
		o.flow_closed_ns = 1000000;
		o.flow_active_ns = 500000;
		o.flow_lengths = true;
		open_output_engine(&o, &s);
		cr_assert_eq(bpe_engine_run(s.engine, 0, NULL), BPE_OK);
		struct bpe_stats t = expect_records_balance(&s);
		cr_assert_eq(s.flows, s.records);
		cr_assert_eq(s.flow_sum, s.record_sum); /* byte by byte, in whatever order */
		cr_assert_eq(s.record_packets, t.flow_packets);
		cr_assert(t.records_dropped == 0 && t.flows_ended > 0 && t.flows_periods > 0 &&
			  s.idles >= 1);
		bpe_engine_close(s.engine);
	}
}

static void count_record_ends(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;

	take_test_record(user, f, worker);
	if (!f || f->end != BPE_END_BEGUN)
		return;
	s->flows++;
	if (f->packets[0] + f->packets[1] != 1)
		s->wrong++;
}

/* Each flow is told of at its beginning, with the first packet counted, and at its end. */
Test(output, records_of_flows_that_begin, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers++) {
		struct seen s;
		struct bpe_options o = make_output_options(SOURCE, workers, &s);

		o.on_record = count_record_ends;
		o.record_begins = true;
		o.flow_idle_ns = 2000000;
		open_output_engine(&o, &s);
		cr_assert_eq(bpe_engine_run(s.engine, 0, NULL), BPE_OK);
		struct bpe_stats t = expect_records_balance(&s);

		cr_assert(t.flows_opened > 400, "%lu", (unsigned long)t.flows_opened);
		cr_assert_eq(s.flows, t.flows_opened);
		cr_assert_eq(t.flows_begun, t.flows_opened);
		cr_assert_eq(s.records, 2 * t.flows_opened);
		bpe_engine_close(s.engine);
	}
}

Test(output, a_full_ring_drops_records_and_no_packets, .timeout = 550)
{
	for (int round = 0; round < 4; round++) { /* asked to drop; and live by itself */
		struct seen s;
		const bool live = round & 1;
		struct bpe_options o =
			make_output_options(live ? SOURCE ",rate=150000" : SOURCE, round & 2, &s);
		o.flow_idle_ns = 1000000;
		o.record_ring_bytes = 4096;
		o.record_overload = live ? BPE_RECORD_AUTO : BPE_RECORD_DROP;
		open_output_engine(&o, &s);
		s.pause_ns = 200000;
		s.hold = 1; /* until all packets are read: the ring holds few of their records */
		cr_assert_eq(bpe_engine_start(s.engine, NULL), BPE_OK);
		struct bpe_stats t;
		while (bpe_engine_stats(s.engine, &t), t.delivered_packets < 60000)
			pause_output_test(1000000);
		atomic_store(&s.hold, 0);
		while (!bpe_engine_wait(s.engine, -1))
			continue;
		t = expect_records_balance(&s);
		struct bpe_worker_stats w;
		cr_assert(t.records > 0 && t.records_dropped > (live ? 0 : t.records),
			"%lu given, %lu dropped", (unsigned long)t.records,
			(unsigned long)t.records_dropped);
		cr_assert_eq(bpe_engine_worker_stats(s.engine, 0, &w), BPE_OK);
		cr_assert(w.record_ring_bytes == 4096 && w.record_ring_peak > 2048 &&
			  w.record_ring_peak <= 4096);
		bpe_engine_close(s.engine);
	}
}

Test(output, waiting_loses_nothing, .timeout = 550)
{
	for (int workers = 0; workers <= 2; workers += 2) {
		struct seen s;
		struct bpe_options o =
			make_output_options("synth:flows=400,seed=3,count=20000", workers, &s);
		o.flow_idle_ns = 1000000;
		o.record_ring_bytes =
			4096; /* record_overload: automatic, and this source is not live */
		open_output_engine(&o, &s);
		s.pause_ns = 1000;
		cr_assert_eq(bpe_engine_run(s.engine, 0, NULL), BPE_OK);
		struct bpe_stats t = expect_records_balance(&s);
		cr_assert(t.records_dropped == 0 && t.records > 500);
		bpe_engine_close(s.engine);
	}
}

/* Lets the handler go once the engine has dropped all records outside the ring. */
static void *let_go(void *user)
{
	struct seen *s = user;
	struct bpe_stats t;
	do {
		pause_output_test(1000000);
		bpe_engine_stats(s->engine, &t);
	} while (t.delivered_packets < 60000 || t.records_dropped + 100 < t.flows_opened);
	atomic_store(&s->hold, 0);
	return NULL;
}

Test(output, a_handler_that_stands_still_at_the_end_is_given_up, .timeout = 550)
{
	struct seen s;
	struct bpe_options o = make_output_options(SOURCE, 1, &s);
	pthread_t thread;
	o.record_ring_bytes = 8192;
	open_output_engine(&o, &s);
	s.hold = 1;
	cr_assert_eq(pthread_create(&thread, NULL, let_go, &s), 0);
	cr_assert_eq(bpe_engine_run(s.engine, 0, NULL), BPE_OK);
	struct bpe_stats t = expect_records_balance(&s);
	cr_assert(t.elapsed_ns > 2000000000 && t.records > 5 && t.records < 100, "%lu records",
		(unsigned long)t.records);
	pthread_join(thread, NULL);
	bpe_engine_close(s.engine);
}

/* Packs records with and without each part, through a wrapping ring. */
#define EACH 400u

static struct bpe_flow put[EACH];

static void compare_put_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;
	if (!f)
		return;
	if (worker || s->records >= EACH || memcmp(f, &put[s->records], sizeof *f) != 0)
		s->wrong++;
	s->records++;
}

Test(output, every_part_of_a_record, .timeout = 550)
{
	static struct bpe_engine e;
	static struct bpei_worker w;
	struct seen s = { .records = 0 };
	e = (struct bpe_engine){ .workers = &w,
		.plan = { .shares = 1,
			.has_tables = true,
			.has_records = true,
			.has_rings = true,
			.waits_record = true },
		.options = { .on_record = compare_put_record,
			.user = &s,
			.record_ring_bytes = 4096,
			.record_overload = BPE_RECORD_WAIT } };
	w = (struct bpei_worker){ .engine = &e };
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_output_new(&e), BPE_OK);
	cr_assert_eq(bpei_output_begin(&e), 0);
	for (uint32_t i = 0; i < EACH; i++) {
		struct bpe_flow *f = &put[i];
		*f = (struct bpe_flow){ .version = BPE_FLOW_VERSION,
			.size = sizeof *f,
			.hash = i,
			.pid = -1,
			.effective_pid = -1,
			.handshake_ns = { -1, -1 },
			.rtt_ns = { -1, -1 },
			.window_scale = { -1, -1 },
			.names = { .uid = -1 },
			.ip_bytes = { i, 7 },
			.last_ns = -5,
			.flags = 0x1ff };
		if (i & 1)
			strcpy(f->interface_name, "utun4567890123");
		if (i & 2) {
			f->pid = (int32_t)i;
			f->effective_pid = 9;
			strcpy(f->comm, "daemon");
			memset(f->effective_comm, 'x', sizeof f->effective_comm);
		}
		if (i & 4) {
			f->tcp_state = BPE_TCP_CLOSED;
			f->handshake_ns[1] = 6;
			f->rtt_ns[0] = 8;
			f->keep_alives[1] = i;
			f->history[31] = 'F';
			f->mss[0] = 1;
			f->window_scale[1] = 14;
		}
		if (i & 8) {
			f->icmp_errors[1] = i;
			f->duplicates[0] = 3;
		}
		if (i & 16) {
			f->flags |= BPE_FLOW_CUTOFF;
			f->unwritten_packets[1] = i;
			f->unwritten_bytes[0] = UINT64_MAX;
		}
		bpei_output_put(&w, f);
	}
	bpei_output_end(&e);
	cr_assert(s.records == EACH && s.wrong == 0, "%lu of %u, %lu wrong",
		(unsigned long)s.records, EACH, (unsigned long)s.wrong);
	cr_assert_eq(bpei_counter_get(&w.records_dropped), 0);
	bpei_output_free(&e);
	bpei_role_leave(&bpei_worker_role);
}

Test(output, wrong_options_and_no_flows)
{
	struct seen s;
	struct bpe_options o = make_output_options(SOURCE, 0, &s);
	o.record_ring_bytes = 5000;
	cr_assert_eq(bpe_engine_open(&o, &s.engine, NULL), BPE_E_ARGUMENT);
	o.record_ring_bytes = 2048;
	cr_assert_eq(bpe_engine_open(&o, &s.engine, NULL), BPE_E_ARGUMENT);
	o.record_ring_bytes = 0;
	o.record_overload = 3;
	cr_assert_eq(bpe_engine_open(&o, &s.engine, NULL), BPE_E_ARGUMENT);
	o.record_overload = 0;
	o.flows = false;
	cr_assert_eq(bpe_engine_open(&o, &s.engine, NULL), BPE_E_ARGUMENT);
	o.on_record = NULL;
	open_output_engine(&o, &s);
	cr_assert_eq(bpe_engine_run(s.engine, 0, NULL), BPE_OK);
	cr_assert(s.records == 0 && s.idles == 0);
	cr_assert_eq(bpe_engine_dump_flows(s.engine, take_test_record, NULL), BPE_E_STATE);
	bpe_engine_close(s.engine);
}

/* ---- Dumps ---- */

#define SHOWN 200000u

static void note_dumped_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *s = user;
	if (!f) {
		if (atomic_fetch_or(&s->done, 1 << worker) >> worker & 1)
			s->wrong++; /* told twice */
		return;
	}
	if (f->end != BPE_END_DUMPED || f->worker != worker)
		s->wrong++;
	uint32_t at = atomic_fetch_add(&s->shown_count, 1);
	if (!at)
		s->again = bpe_engine_dump_flows(
			s->engine, note_dumped_flow, s); /* from a handler: busy, and no dead end */
	if (at < SHOWN)
		s->shown[at] = hash_bytes(f->addr, sizeof f->addr) ^
			       hash_bytes(f->port, sizeof f->port) * 3 ^
			       (uint64_t)f->ip_proto << 56 ^
			       hash_bytes(f->vlan, sizeof f->vlan) * 5 ^ (uint64_t)f->first_ns;
}

static int compare_flow_sums(const void *x, const void *y)
{
	const uint64_t a = *(const uint64_t *)x;
	const uint64_t b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static void wait_for_dump(struct seen *s, int workers)
{
	int all = (1 << (workers ? workers : 1)) - 1;
	while (atomic_load(&s->done) != all)
		pause_output_test(1000000);
	cr_assert_eq(s->done, all);
	cr_assert_leq(s->shown_count, SHOWN);
	qsort(s->shown, s->shown_count, sizeof *s->shown, compare_flow_sums);
	for (uint32_t i = 1; i < s->shown_count; i++)
		cr_assert_neq(s->shown[i - 1], s->shown[i], "a flow was shown twice");
}

/* Dumps each living flow once, with and without packets meanwhile. */
Test(show, every_flow_once, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers++) {
		struct seen s;
		struct bpe_options o =
			make_output_options("synth:flows=2000,seed=9,rate=100000", workers, &s);
		struct bpe_stats t, after;
		open_output_engine(&o, &s);
		s.shown = calloc(SHOWN, sizeof *s.shown);
		cr_assert_eq(bpe_engine_dump_flows(s.engine, note_dumped_flow, &s), BPE_E_STATE);
		cr_assert_eq(bpe_engine_start(s.engine, NULL), BPE_OK);
		for (int round = 0; round < 3; round++) {
			do {
				pause_output_test(300000000);
				bpe_engine_stats(s.engine, &t);
			} while (!t.flows_active);
			atomic_store(&s.done, 0);
			atomic_store(&s.shown_count, 0);
			cr_assert_eq(bpe_engine_dump_flows(s.engine, note_dumped_flow, &s), BPE_OK);
			wait_for_dump(&s, workers);
			bpe_engine_stats(s.engine, &after);
			cr_assert_eq(s.again, BPE_E_BUSY);
			cr_assert(s.shown_count >= t.flows_active &&
					  s.shown_count <= after.flows_active,
				"%lu, %u, %lu", (unsigned long)t.flows_active, s.shown_count,
				(unsigned long)after.flows_active);
		}
		bpe_engine_stop(s.engine);
		while (!bpe_engine_wait(s.engine, -1))
			continue;
		cr_assert_eq(bpe_engine_dump_flows(s.engine, note_dumped_flow, &s), BPE_E_STATE);
		cr_assert_eq(expect_records_balance(&s).flows_dumped, 0); /* of on_record's alone */
		bpe_engine_close(s.engine);
		free(s.shown);
	}
}

/* Dumps through a small and slow ring: no record is dropped, and a late dump is answered at the
 * end.
 */
Test(show, to_on_record, .timeout = 550)
{
	for (int workers = 0; workers <= 2; workers += 2) {
		struct seen s;
		struct bpe_options o =
			make_output_options("synth:flows=2000,seed=9,rate=50000", workers, &s);
		o.record_ring_bytes = 16384;
		o.record_overload = BPE_RECORD_WAIT; /* for the end's */
		open_output_engine(&o, &s);
		s.pause_ns = 2000;
		struct bpe_stats t;
		cr_assert_eq(bpe_engine_start(s.engine, NULL), BPE_OK);
		while (bpe_engine_stats(s.engine, &t), t.flows_active <= 500)
			pause_output_test(1000000);
		cr_assert_eq(bpe_engine_dump_flows(s.engine, NULL, NULL), BPE_OK);
		for (int r; (r = bpe_engine_dump_flows(s.engine, NULL, NULL)) !=
			    BPE_OK;) { /* a second one, as soon as it can be */
			cr_assert_eq(r, BPE_E_BUSY);
			pause_output_test(1000000);
		}
		bpe_engine_stop(s.engine);
		while (!bpe_engine_wait(s.engine, -1))
			continue;
		t = expect_records_balance(&s);
		cr_assert(t.records_dropped == 0 && t.flows_dumped > 1000, "%lu dropped, %lu shown",
			(unsigned long)t.records_dropped, (unsigned long)t.flows_dumped);
		bpe_engine_close(s.engine);
	}
	struct seen s;
	struct bpe_options o = make_output_options(SOURCE, 0, &s);
	o.on_record = NULL;
	open_output_engine(&o, &s);
	cr_assert_eq(bpe_engine_dump_flows(s.engine, NULL, NULL), BPE_E_ARGUMENT);
	bpe_engine_close(s.engine);
}
