/* SPDX-License-Identifier: MIT */
/* The cost of waiting in system calls of the scripted double, and the effect on other waiters of
 * the same descriptor.  On macOS all knotes share a flag, and the removal of any knote clears the
 * flag. A plain program. */
#include "bpf_harness.h"

static uint64_t count_empty_reads(struct reader *r)
{
	return bpei_counter_get(&r->device->empty_reads);
}

/* Checks the system calls a packet, with a packet every 3 ms: in latency mode, and in auto mode,
 * which waits alike while packets are rare. */
static void check_calls_of_rare_packets(const struct bpei_bpf_abi *abi, uint32_t mode) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	o.read_mode = mode;
	what = "two system calls a packet, the wait and the read, and no read that finds nothing";
	EXPECT(open_it(r, o) == BPE_OK);
	uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 500, 64);
	read_until(r, 2 * SECOND - 1);
	uint32_t calls = r->d.calls;
	uint64_t empty = count_empty_reads(r);
	read_until(r, 2 * SECOND + 1500 * MS);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns < MS / 10);
	EXPECT(r->d.calls - calls <= 2 * n + 20);
	EXPECT(count_empty_reads(r) - empty <= 5);
	EXPECT(r->d.queues_made == (abi->system == BPEI_MACOS));
	finish_reader(r);
}

/* Checks that packets which came while others were read cost no wait. */
static void check_calls_of_bursts(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	o.read_mode = BPE_READ_LATENCY;
	what = "a burst is read to its end, then waited behind";
	r->d.read_cost_ns = 2000;
	EXPECT(open_it(r, o) == BPE_OK);
	uint32_t n = 0;
	for (int k = 0; k < 100; k++)
		n += send_traffic(r, 2 * SECOND + k * 10 * MS, 1, 10, 64);
	read_until(r, 2 * SECOND - 1);
	uint32_t calls = r->d.calls;
	uint64_t empty = count_empty_reads(r);
	read_until(r, 3 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns < MS / 10);
	EXPECT(r->d.calls - calls <= 100 * 5 + 20);
	EXPECT(count_empty_reads(r) - empty <= 100 + 5);
	finish_reader(r);
}

static void check_idle_calls(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (uint32_t mode = 0; mode < BPE_READ_PACED; mode++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		o.read_mode = mode;
		what = "an idle link: a wait and a read each tenth of a second";
		EXPECT(open_it(r, o) == BPE_OK);
		uint32_t calls = r->d.calls;
		read_until(r, 11 * SECOND);
		/* A blocking read waits half as long, and looks at the pipe behind. */
		EXPECT(r->d.calls - calls <= (mode == BPE_READ_THROUGHPUT ? 430 : 230));
		finish_reader(r);
	}
}

/* ---- macOS: knotes ---- */

/* Checks that the wait registers a single knote. */
static void check_single_knote(void) BPEI_READER
{
	struct reader *r = start_reader(&bpei_bpf_abis[BPEI_MACOS]);
	what = "the knote stays where it is while packets come: a caller's own is told, too";
	EXPECT(open_it(r, harness_options()) == BPE_OK);
	uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 500, 64);
	n += send_traffic(r, 4 * SECOND, 2000, 5000, 64);
	read_until(r, 2 * SECOND); /* up to a packet: a wait that ends without any adds anew */
	uint32_t added = r->d.knotes_added;
	uint32_t removed = r->d.knotes_removed;
	read_until(r, 2 * SECOND + 1490 * MS);
	EXPECT(added && r->d.knotes_added == added && r->d.knotes_removed == removed);
	read_until(r, 5 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->d.queues_made == 1 && r->d.knote_flag);
	finish_reader(r);
}

/* Checks that a descriptor lent to the program gets no knote and is read in time. */
static void check_lent_descriptor(void) BPEI_READER
{
	for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++) {
		struct reader *r = start_reader(&bpei_bpf_abis[BPEI_MACOS]);
		struct bpe_options o = harness_options();
		o.read_mode = mode;
		what = "a program's own knote lives on: the wait adds and removes no knote";
		EXPECT(open_it(r, o) == BPE_OK);
		uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 100, 64);
		n += send_traffic(r, 4 * SECOND, 3 * MS, 100, 64);
		read_until(r, 3 * SECOND);
		r->device->ops->lend_fd(r->device);
		r->d.knote_flag = true; /* the program's knote */
		uint32_t added = r->d.knotes_added;
		uint32_t removed = r->d.knotes_removed;
		EXPECT(r->d.queues == 0);
		r->worst_ns = 0;
		read_until(r, 6 * SECOND);
		EXPECT(r->d.knotes_added == added && r->d.knotes_removed == removed);
		EXPECT(r->d.knote_flag && r->d.queues == 0);
		EXPECT(r->seen == n && !r->wrong);
		EXPECT(mode == BPE_READ_THROUGHPUT || r->worst_ns < 15 * MS);
		r->device->ops->lend_fd(r->device); /* lent before: nothing happens */
		EXPECT(r->d.knote_flag);
		finish_reader(r);
	}
}

static void check_polling_caller(void) BPEI_READER
{
	struct reader *r = start_reader(&bpei_bpf_abis[BPEI_MACOS]);
	struct bpe_options o = harness_options();
	o.read_mode = BPE_READ_LATENCY;
	what = "a caller's poll took the flag along: the next wait but one is told again";
	EXPECT(open_it(r, o) == BPE_OK);
	send_traffic(r, 2 * SECOND, 3 * MS, 1, 64);
	uint32_t n = 1 + send_traffic(r, 3 * SECOND, 3 * MS, 100, 64);
	read_until(r, 2 * SECOND + MS);
	r->d.knote_flag = false;
	read_until(r, 2900 * MS);
	r->worst_ns = 0;
	read_until(r, 4 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns < MS / 10 && r->d.queues_made == 1);
	r->d.knote_flag = false;
	n += send_traffic(r, 5 * SECOND, 3 * MS, 3, 64);
	read_until(r, 5 * SECOND - 1);
	r->d.knote_flag = false; /* just before a packet */
	read_until(r, 6 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns < 110 * MS);
	finish_reader(r);
}

static void check_reused_descriptor(void) BPEI_READER
{
	struct reader *r = start_reader(&bpei_bpf_abis[BPEI_MACOS]);
	struct bpe_options o = harness_options();
	o.read_mode = BPE_READ_LATENCY;
	o.wait_interface = true;
	what = "an interface that came back is waited on anew";
	EXPECT(open_it(r, o) == BPE_OK);
	uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 5, 64);
	double_at(&r->d, 3 * SECOND, DOUBLE_REMOVE);
	double_at(&r->d, 5 * SECOND, DOUBLE_RETURN);
	n += send_traffic(r, 8 * SECOND, 3 * MS, 50, 64);
	read_until(r, 7 * SECOND);
	uint32_t before = r->seen;
	r->worst_ns = 0;
	read_until(r, 9 * SECOND);
	EXPECT(before == 5 && r->seen == n && r->worst_ns < MS / 10 && r->d.queues == 1);
	finish_reader(r);
}

static void the_plan(void)
{
	struct bpei_bpf_waiter w;
	bpei_bpf_waiter_init(&w);
	what = "what the kqueue is told";
	EXPECT(bpei_bpf_waiter_plan(&w, 5, 0) == BPEI_QUEUE_ADD);
	EXPECT(bpei_bpf_waiter_plan(&w, 5, 0) == 0);
	EXPECT(bpei_bpf_waiter_plan(&w, 5, 100) == BPEI_QUEUE_ADD);
	EXPECT(bpei_bpf_waiter_plan(&w, 5, 100) == 0);
	w.quiet = true;
	EXPECT(bpei_bpf_waiter_plan(&w, 5, 100) == (BPEI_QUEUE_FORGET | BPEI_QUEUE_ADD));
	EXPECT(bpei_bpf_waiter_plan(&w, 6, 100) == BPEI_QUEUE_ADD);
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	for (int s = 0; s < BPEI_SYSTEMS; s++) {
		system_name = bpei_bpf_abis[s].title;
		check_calls_of_rare_packets(&bpei_bpf_abis[s], BPE_READ_LATENCY);
		check_calls_of_rare_packets(&bpei_bpf_abis[s], BPE_READ_AUTO);
		check_calls_of_bursts(&bpei_bpf_abis[s]);
		check_idle_calls(&bpei_bpf_abis[s]);
	}
	system_name = "macOS";
	check_single_knote();
	check_polling_caller();
	check_lent_descriptor();
	check_reused_descriptor();
	the_plan();
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
