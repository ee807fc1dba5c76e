/* SPDX-License-Identifier: MIT */
/* Flows at the capture level: the table, handlers inside calls, event loops. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

struct keeper {
	struct bpe_capture *capture;
	uint64_t records, stopped, idle;
	int inner[4]; /* what calls from within the handler returned */
	jmp_buf *leave;
	bool wakes;
};

static void keep_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct keeper *k = user;

	cr_assert_eq(worker, 0);
	k->records++;
	k->stopped += flow->end == BPE_END_STOP;
	k->idle += flow->end == BPE_END_IDLE;
	if (k->wakes)
		bpe_capture_wake(k->capture);
	if (k->leave)
		longjmp(*k->leave, 1);
}

static struct bpe_options flow_options(const char *source, struct keeper *k)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = source;
	o.flow_table = true;
	o.on_flow = keep_flow;
	o.user = k;
	return o;
}

static struct bpe_capture *open_with_flows(const struct bpe_options *o, struct keeper *k)
{
	struct bpe_error error = { 0 };
	struct bpe_capture *c = NULL;

	cr_assert_eq(bpe_capture_open(o, &c, &error), BPE_OK, "%s", error.text);
	k->capture = c;
	return c;
}

/* Reads to the end.  Returns the status of the end. */
static int read_to_end(struct bpe_capture *c)
{
	struct bpe_batch b;
	int n;

	while ((n = bpe_capture_next(c, &b, -1, NULL)) > 0)
		continue;
	return n;
}

Test(capture_flows, end_in_the_middle_and_at_the_end, .timeout = 550)
{
	struct keeper k = { .records = 0 };
	const struct bpe_options o = flow_options("synth:count=20000,flows=300,seed=3", &k);
	struct bpe_capture *c = open_with_flows(&o, &k);
	struct bpe_flow flows[3];
	struct bpe_flow_totals totals;
	struct bpe_stats s;
	struct bpe_batch b;

	for (int i = 0; i < 100; i++)
		cr_assert_gt(bpe_capture_next(c, &b, -1, NULL), 0);
	bpe_capture_stats(c, &s);
	cr_assert(s.flows_active > 100 && s.flows_opened == s.flows_active + k.records);
	cr_assert_eq(
		bpe_capture_largest_flows(c, BPE_ORDER_BYTES, INT64_MIN, flows, 3, &totals, NULL),
		3);
	cr_assert_eq(totals.alive, s.flows_active);
	cr_assert_eq(totals.packet_ns, s.last_packet_ns);
	cr_assert(flows[0].wire_bytes[0] + flows[0].wire_bytes[1] >=
		  flows[1].wire_bytes[0] + flows[1].wire_bytes[1]);
	const uint64_t before = k.records;
	cr_assert_eq(bpe_capture_end_flows(c, NULL), (int)s.flows_active);
	cr_assert_eq(k.records, before + s.flows_active);
	cr_assert(k.stopped > 0);
	cr_assert_eq(bpe_capture_end_flows(c, NULL), 0);
	cr_assert_eq(bpe_batch_flow(&b, 0, flows), 0); /* gone with the others */
	bpe_capture_stats(c, &s);
	cr_assert_eq(s.flows_active, 0);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_BATCH);
	uint32_t with_flow = 0;
	for (uint32_t i = 0; i < b.count; i++)
		with_flow += (uint32_t)bpe_batch_flow(&b, i, flows);
	cr_assert(with_flow > BPE_BATCH / 2);
	cr_assert_eq(read_to_end(c), BPE_E_END);
	cr_assert_eq(bpe_capture_end_flows(c, NULL), 0);
	const uint64_t all = k.records;
	cr_assert_eq(read_to_end(c), BPE_E_END); /* handed over once */
	bpe_capture_stats(c, &s);
	cr_assert_eq(k.records, all);
	cr_assert_eq(s.flows_opened, all);
	bpe_capture_close(c);
}

Test(capture_flows, are_refused_without_a_table, .timeout = 550)
{
	struct keeper k = { .records = 0 };
	struct bpe_options o = flow_options("synth:count=100", &k);
	struct bpe_error error = { 0 };
	struct bpe_flow flow;
	struct bpe_batch b;

	o.flow_table = false;
	struct bpe_capture *c = NULL;
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_E_ARGUMENT);
	cr_assert_not_null(strstr(error.text, "flow_table"));
	o.on_flow = NULL;
	c = open_with_flows(&o, &k);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_BATCH);
	cr_assert_null(b.flow);
	cr_assert_eq(bpe_capture_end_flows(c, &error), BPE_E_STATE);
	cr_assert_not_null(strstr(error.text, "flow_table"));
	cr_assert_eq(
		bpe_capture_largest_flows(c, BPE_ORDER_BYTES, INT64_MIN, &flow, 1, NULL, &error),
		BPE_E_STATE);
	cr_assert_eq(read_to_end(c), BPE_E_END);
	cr_assert_eq(k.records, 0);
	bpe_capture_close(c);

	o.flow_table = true;
	o.on_flow = keep_flow;
	c = open_with_flows(&o, &k);
	cr_assert_eq(
		bpe_capture_largest_flows(c, 2, INT64_MIN, &flow, 1, NULL, &error), BPE_E_ARGUMENT);
	cr_assert_eq(
		bpe_capture_largest_flows(c, BPE_ORDER_PACKETS, INT64_MIN, &flow, 1, NULL, &error),
		0);
	/* Live flows, and nobody wants them. */
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_BATCH);
	bpe_capture_close(c);
	cr_assert_eq(k.records, 0);
}

/* No packet passes after the first batch, so only the clock can end the flows. */
Test(capture_flows, age_by_the_clock_while_a_call_waits, .timeout = 550)
{
	static const struct bpe_insn nothing[] = { { 0x06, 0, 0, 0 } };
	struct keeper k = { .wakes = true };
	struct bpe_options o = flow_options("synth:rate=5,flows=10", &k);
	struct bpe_batch b;
	struct bpe_stats s;
	int n;

	o.flow_idle_ns = 1000000;
	struct bpe_capture *c = open_with_flows(&o, &k);
	do {
		n = bpe_capture_next(c, &b, -1, NULL);
		cr_assert(n >= 0);
		bpe_capture_stats(c, &s);
	} while (!s.flows_active);
	cr_assert_eq(bpe_capture_set_filter(c, nothing, 1, NULL), BPE_OK);
	do {
		n = bpe_capture_next(c, &b, -1, NULL);
		cr_assert_eq(n, 0); /* woken by the handler */
		bpe_capture_stats(c, &s);
	} while (s.flows_active);
	cr_assert_eq(k.records, s.flows_opened);
	cr_assert(k.idle > 0 && !k.stopped);
	bpe_capture_close(c);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void *wake_around_steps(void *capture)
{
	for (long i = 0; i < 20; i++) {
		sleep_ms(90 + i);
		bpe_capture_wake(capture);
	}
	return NULL;
}

/* The wait goes on in steps of 100 ms; a wake-up at the end of a step is not taken for the step's
 * own end. */
Test(capture_flows, a_wake_up_is_not_lost_between_steps, .timeout = 550)
{
	static const struct bpe_insn nothing[] = { { 0x06, 0, 0, 0 } };
	struct keeper k = { .records = 0 };
	struct bpe_options o = flow_options("synth:rate=1", &k);
	struct bpe_batch b;
	pthread_t t;

	o.filter = nothing;
	o.filter_length = 1;
	struct bpe_capture *c = open_with_flows(&o, &k);
	for (int round = 0; round < 3; round++) {
		cr_assert_eq(pthread_create(&t, NULL, wake_around_steps, c), 0);
		cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 0);
		pthread_join(t, NULL);
		cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 0);
		while (bpe_capture_next(c, &b, 0, NULL) != 0)
			continue;
	}
	bpe_capture_close(c);
}

static void call_from_within(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct keeper *k = user;
	struct bpe_flow copy;
	struct bpe_batch b;
	struct bpe_stats s;

	(void)flow;
	(void)worker;
	k->records++;
	k->inner[0] = bpe_capture_next(k->capture, &b, 0, NULL);
	k->inner[1] = bpe_capture_end_flows(k->capture, NULL);
	k->inner[2] = bpe_capture_largest_flows(
		k->capture, BPE_ORDER_BYTES, INT64_MIN, &copy, 1, NULL, NULL);
	k->inner[3] = bpe_capture_set_expression(k->capture, "tcp", NULL);
	bpe_capture_stats(k->capture, &s);
	cr_assert(s.flows_opened > 0);
}

Test(capture_flows, a_handler_cannot_call_its_own_capture, .timeout = 550)
{
	struct keeper k = { .records = 0 };
	struct bpe_options o = flow_options("synth:count=1000", &k);

	o.on_flow = call_from_within;
	struct bpe_capture *c = open_with_flows(&o, &k);
	cr_assert_eq(read_to_end(c), BPE_E_END);
	cr_assert(k.records > 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(k.inner[i], BPE_E_STATE, "%d: %d", i, k.inner[i]);
	bpe_capture_close(c);
}

/* Leaves a handler by longjmp: how 0: out of a call for packets, 1: out of the end, 2: out of
 * bpe_capture_end_flows. */
static void leave_by_longjmp(int how)
{
	static struct keeper k;
	static struct bpe_capture *c;
	static jmp_buf back;
	struct bpe_error error = { 0 };
	struct bpe_flow flow;
	struct bpe_batch b;

	k = (struct keeper){ .leave = &back };
	struct bpe_options o = flow_options("synth:count=5000,flows=100", &k);
	o.max_flows = how ? 1000000 : 20; /* evicts */
	c = open_with_flows(&o, &k);
	if (!setjmp(back)) {
		if (how == 2) {
			cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_BATCH);
			bpe_capture_end_flows(c, NULL);
		} else {
			read_to_end(c);
		}
		cr_assert_fail("the handler was not called");
	}
	cr_assert_eq(k.records, 1);
	cr_assert_eq(bpe_capture_next(c, &b, 0, &error), BPE_E_STATE);
	cr_assert_not_null(strstr(error.text, "longjmp"));
	cr_assert_eq(bpe_capture_end_flows(c, NULL), BPE_E_STATE);
	cr_assert_eq(bpe_capture_largest_flows(c, BPE_ORDER_BYTES, INT64_MIN, &flow, 1, NULL, NULL),
		BPE_E_STATE);
	cr_assert_eq(bpe_capture_set_filter(c, NULL, 0, NULL), BPE_E_STATE);
	bpe_capture_close(c);
	cr_assert_eq(k.records, 1);
}

Test(capture_flows, a_handler_that_leaves_by_longjmp_is_survived, .timeout = 550)
{
	for (int how = 0; how < 3; how++)
		leave_by_longjmp(how);
}

/* ---- Event loops on a pipe ---- */

#define PIPED 3000u

static uint8_t *write_number(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

/* Writes a savefile of UDP packets on 50 flows into the FIFO, in pieces of all lengths. */
static void *write_savefile(void *path)
{
	static uint8_t file[24 + PIPED * (16 + 42)];
	uint8_t *p = file;
	uint32_t random = 1;
	FILE *out = fopen(path, "wb");

	cr_assert_not_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	p = write_number(write_number(write_number(p, 0xa1b2c3d4), 0x00040002), 0);
	p = write_number(write_number(write_number(p, 0), 65535), 1);
	for (uint32_t i = 0; i < PIPED; i++) {
		uint8_t *q = write_number(write_number(p, 1000 + i / 1000), i % 1000 * 1000);
		q = write_number(write_number(q, 42), 42);
		memset(q, 0, 42);
		memcpy(q + 12, "\x08\x00\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11", 12);
		memcpy(q + 26, "\x0a\x00\x00\x01\x0a\x00\x00\x02\x04\x00\x00\x35\x00\x08", 14);
		q[35] = (uint8_t)(i % 50);
		p = q + 42;
	}
	for (uint8_t *from = file; from < p;) {
		random = random * 1103515245 + 12345;
		size_t n = random >> 16 & 2047;
		if (n > (size_t)(p - from))
			n = (size_t)(p - from);
		cr_assert_eq(fwrite(from, 1, n, out), n);
		from += n;
		if (!(random >> 28 & 7))
			sleep_ms(1);
	}
	fclose(out);
	return NULL;
}

/* Waits for the descriptor without limit, by poll or by epoll. */
static void wait_for_descriptor(int fd, bool by_epoll)
{
#ifdef __linux__
	if (by_epoll) {
		struct epoll_event event = { .events = EPOLLIN };
		int queue = epoll_create1(0);

		cr_assert_geq(queue, 0);
		cr_assert_eq(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event), 0);
		cr_assert_eq(epoll_wait(queue, &event, 1, -1), 1);
		close(queue);
		return;
	}
#endif
	(void)by_epoll;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	cr_assert_eq(poll(&p, 1, -1), 1);
}

/* Only the descriptor says when to call: a wake-up that is lost hangs the test. */
Test(capture_flows, serve_an_event_loop, .timeout = 550)
{
	char folder[] = "/tmp/bpfengine-flows-XXXXXX";
	char path[64];

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/fifo", folder);
	cr_assert_eq(mkfifo(path, 0600), 0);
	for (int by_epoll = 0; by_epoll < 2; by_epoll++) {
		struct keeper k = { .records = 0 };
		struct bpe_options o = flow_options(NULL, &k);
		struct bpe_batch b;
		pthread_t t;
		uint64_t packets = 0;
		int n;

		o.file = path;
		cr_assert_eq(pthread_create(&t, NULL, write_savefile, path), 0);
		struct bpe_capture *c = open_with_flows(&o, &k);
		cr_assert_geq(bpe_capture_fd(c), 0);
		while ((n = bpe_capture_next(c, &b, 0, NULL)) >= 0) {
			packets += (uint64_t)n;
			if (!n)
				wait_for_descriptor(bpe_capture_fd(c), by_epoll);
		}
		cr_assert_eq(n, BPE_E_END);
		cr_assert_eq(packets, PIPED);
		cr_assert_eq(k.records, 50);
		cr_assert_eq(k.stopped, 50);
		pthread_join(t, NULL);
		bpe_capture_close(c);
	}
	unlink(path);
	rmdir(folder);
}
