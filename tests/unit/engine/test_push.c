/* SPDX-License-Identifier: MIT */
/* Pushing into an engine that runs: full buffers, handlers, several threads, and the end.  Every
 * packet that was taken is read. */
#include "base/clock.h"
#include "push_case.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

Test(push, gives_every_packet_to_workers_and_without, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(MANY);
	struct bpe_error error = { 0 };

	for (int32_t workers = 0; workers <= 2; workers++) {
		struct bpe_options o;

		init_push(&o);
		o.workers = workers;
		struct bpe_engine *e = open_push(&o);
		cr_assert_eq(bpe_engine_start(e, &error), BPE_OK, "%s", error.text);
		for (uint32_t at = 0; at < MANY; at += 1000)
			cr_assert_eq(bpe_engine_push(e, packets + at, 1000, -1, &error), 1000);
		cr_assert_eq(bpe_engine_push(e, NULL, 0, -1, &error), 0);
		cr_assert_eq(bpe_engine_push_end(e, &error), BPE_OK);
		const struct bpe_stats s = finish_push(e);
		cr_assert_eq(s.read_packets, MANY);
		cr_assert_eq(s.flow_packets, MANY);
		cr_assert_eq(s.flows_opened, 1);
		cr_assert_eq(s.last_packet_ns, START_NS + MANY - 1);
		cr_assert_str_eq(bpe_engine_source(e), "pushed packets");
		cr_assert_str_eq(bpe_engine_link_type(e), "EN10MB");
		bpe_engine_close(e);
	}
	free(packets);
}

Test(push, tells_that_the_buffer_is_full, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(MANY);
	struct bpe_error error = { 0 };
	struct bpe_options o;

	init_push(&o);
	o.buffer_bytes = 1;
	struct bpe_engine *e = open_push(&o);
	const int taken = bpe_engine_push(e, packets, MANY, 0, &error);
	cr_assert(taken > 1000 && taken < (int)MANY, "%d: %s", taken, error.text);
	cr_assert_eq(bpe_engine_push(e, packets, 1, 0, &error), 0);
	/* Nobody would make room. */
	cr_assert_eq(bpe_engine_push(e, packets, 1, -1, &error), BPE_E_STATE);
	cr_assert(strstr(error.text, "has not been started"));
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_push(e, packets, MANY, -1, &error), (int)MANY);
	cr_assert_eq(bpe_engine_push_end(e, NULL), BPE_OK);
	cr_assert_eq(finish_push(e).read_packets, (uint64_t)taken + MANY);
	bpe_engine_close(e);
	free(packets);
}

/* Blocks the reader until opened. */
struct gate {
	_Atomic int entered, open;
};

static void wait_at_gate(void *user, const struct bpe_batch *batch)
{
	struct gate *g = user;
	(void)batch;

	g->entered = 1;
	while (!g->open)
		bpei_clock_sleep_ns(1000000);
}

Test(push, waits_no_longer_than_asked, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(MANY);
	struct gate gate = { 0 };
	struct bpe_options o;

	init_push(&o);
	o.buffer_bytes = 1;
	o.on_batch = wait_at_gate;
	o.user = &gate;
	struct bpe_engine *e = open_push(&o);
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	const int taken = bpe_engine_push(e, packets, MANY, 10000000, NULL);
	cr_assert(taken > 0 && taken < (int)MANY);
	cr_assert_eq(bpe_engine_push(e, packets, 1, 0, NULL), 0);
	gate.open = 1;
	cr_assert_eq(bpe_engine_push_end(e, NULL), BPE_OK);
	cr_assert_eq(finish_push(e).read_packets, (uint64_t)taken);
	bpe_engine_close(e);
	free(packets);
}

Test(push, refuses_packets_after_the_end, .timeout = 550)
{
	const struct bpe_packet p = make_udp(0);
	struct bpe_error error = { 0 };
	struct bpe_options o;

	init_push(&o);
	struct bpe_engine *e = open_push(&o);
	cr_assert_eq(bpe_engine_push_end(e, &error), BPE_OK);
	cr_assert_eq(bpe_engine_push(e, &p, 1, -1, &error), BPE_E_STATE);
	cr_assert(strstr(error.text, "pushed already"));
	cr_assert_eq(bpe_engine_push_end(e, &error), BPE_E_STATE);
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	cr_assert_eq(finish_push(e).read_packets, 0);
	cr_assert_eq(bpe_engine_push(e, &p, 1, -1, &error), BPE_E_STATE);
	cr_assert(strstr(error.text, "run is over"));
	bpe_engine_close(e);
	o.push = false;
	o.interface_name = "synth:count=1";
	e = open_push(&o);
	cr_assert_eq(bpe_engine_push(e, &p, 1, 0, &error), BPE_E_STATE);
	cr_assert(strstr(error.text, "options.push"));
	cr_assert_eq(bpe_engine_push_end(e, &error), BPE_E_STATE);
	bpe_engine_close(e);
}

/* An engine for its own handlers, and what they met. */
struct inner {
	struct bpe_engine *engine;
	_Atomic int calls, refused, ended;
};

static void push_inside(struct inner *in)
{
	const struct bpe_packet p = make_udp(0);
	struct bpe_error error = { 0 };

	in->calls++;
	if (bpe_engine_push(in->engine, &p, 1, -1, &error) == BPE_E_STATE &&
		strstr(error.text, "own engine"))
		in->refused++;
}

static void push_in_batch(void *user, const struct bpe_batch *batch)
{
	(void)batch;
	push_inside(user);
}

static void push_in_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)flow;
	(void)worker;
	push_inside(user);
}

Test(push, is_refused_in_handlers_of_the_engine, .timeout = 550)
{
	const struct bpe_packet p = make_udp(0);

	for (int32_t workers = 0; workers <= 1; workers++) {
		struct inner in = { 0 };
		struct bpe_options o;

		init_push(&o);
		o.workers = workers;
		o.on_batch = push_in_batch;
		o.on_flow = push_in_record;
		o.on_record = push_in_record;
		o.user = &in;
		in.engine = open_push(&o);
		cr_assert_eq(bpe_engine_push(in.engine, &p, 1, 0, NULL), 1);
		cr_assert_eq(bpe_engine_push_end(in.engine, NULL), BPE_OK);
		cr_assert_eq(bpe_engine_start(in.engine, NULL), BPE_OK);
		cr_assert_eq(finish_push(in.engine).read_packets, 1);
		cr_assert(in.calls >= 3);
		cr_assert_eq(in.refused, in.calls);
		bpe_engine_close(in.engine);
	}
}

static void end_in_batch(void *user, const struct bpe_batch *batch)
{
	struct inner *in = user;
	(void)batch;

	in->ended += bpe_engine_push_end(in->engine, NULL) == BPE_OK;
}

Test(push, may_be_ended_by_a_handler, .timeout = 550)
{
	const struct bpe_packet p = make_udp(0);
	struct inner in = { 0 };
	struct bpe_options o;

	init_push(&o);
	o.on_batch = end_in_batch;
	o.user = &in;
	in.engine = open_push(&o);
	cr_assert_eq(bpe_engine_start(in.engine, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_push(in.engine, &p, 1, -1, NULL), 1);
	cr_assert_eq(finish_push(in.engine).read_packets, 1);
	cr_assert_eq(in.ended, 1);
	bpe_engine_close(in.engine);
}

struct pusher {
	struct bpe_engine *engine;
	struct bpe_packet *packets;
	size_t at_once;
	_Atomic uint64_t taken;
	int last;
};

/* Pushes until no more is taken. */
static void *push_until_refused(void *user)
{
	struct pusher *p = user;

	do {
		p->last = bpe_engine_push(p->engine, p->packets, p->at_once, -1, NULL);
		p->taken += p->last > 0 ? (uint64_t)p->last : 0;
	} while (p->last == (int)p->at_once);
	return NULL;
}

static void wait_for_reads(struct bpe_engine *e, uint64_t packets)
{
	struct bpe_stats s;

	for (bpe_engine_stats(e, &s); s.read_packets < packets; bpe_engine_stats(e, &s))
		bpei_clock_sleep_ns(1000000);
}

Test(push, loses_nothing_when_the_run_is_stopped, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(100);

	for (int32_t workers = 0; workers <= 1; workers++) {
		struct pusher p[2] = { { .packets = packets, .at_once = 100 },
			{ .packets = packets, .at_once = 7 } };
		struct bpe_options o;
		pthread_t t[2];

		init_push(&o);
		o.workers = workers;
		struct bpe_engine *e = open_push(&o);
		cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
		for (int k = 0; k < 2; k++) {
			p[k].engine = e;
			cr_assert_eq(pthread_create(&t[k], NULL, push_until_refused, &p[k]), 0);
		}
		wait_for_reads(e, 100000);
		bpe_engine_stop(e);
		for (int k = 0; k < 2; k++)
			pthread_join(t[k], NULL);
		const struct bpe_stats s = finish_push(e);
		cr_assert_eq(s.read_packets, p[0].taken + p[1].taken);
		cr_assert_eq(s.kernel_dropped, 0);
		bpe_engine_close(e);
	}
	free(packets);
}

Test(push, is_left_by_a_waiting_thread_when_the_engine_is_closed, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(MANY);
	struct gate gate = { 0 };
	struct bpe_options o;
	pthread_t t;

	init_push(&o);
	o.buffer_bytes = 1; /* less than one call pushes: the call waits */
	o.on_batch = wait_at_gate;
	o.user = &gate;
	struct pusher p = { .packets = packets, .at_once = MANY };
	struct bpe_engine *e = open_push(&o);
	p.engine = e;
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	cr_assert_eq(pthread_create(&t, NULL, push_until_refused, &p), 0);
	while (!gate.entered)
		bpei_clock_sleep_ns(1000000);
	bpe_engine_stop(e);
	gate.open = 1;
	bpe_engine_close(e);
	pthread_join(t, NULL);
	cr_assert(p.last == BPE_E_STATE || (p.last > 0 && p.last < (int)MANY), "%d", p.last);
	free(packets);
}

static void count_ends(void *user, const struct bpe_flow *f, uint32_t worker)
{
	(void)worker;
	((struct inner *)user)->ended += f->end == BPE_END_IDLE;
}

Test(push, ages_flows_by_the_clock_if_live, .timeout = 550)
{
	struct bpe_packet p = make_udp(0);
	struct inner aged = { 0 };
	struct bpe_options o;

	init_push(&o);
	o.push_live = true;
	o.flow_idle_ns = 1000000;
	o.on_flow = count_ends;
	o.user = &aged;
	p.time_ns = bpei_clock_wall_ns();
	struct bpe_engine *e = open_push(&o);
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_push(e, &p, 1, -1, NULL), 1);
	while (!aged.ended)
		bpei_clock_sleep_ns(1000000);
	bpe_engine_stop(e);
	cr_assert_eq(finish_push(e).flows_ended, 1);
	bpe_engine_close(e);
}
