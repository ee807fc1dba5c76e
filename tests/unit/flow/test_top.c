/* SPDX-License-Identifier: MIT */
/* The largest flows beside a sort of all flows: in stretches of every length, with ties, old flows,
 * and flows ending during the scan. */
#include "flow/top.h"
#include "flow_clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define T0 1700000000000000000
#define FLOWS 700u

static struct bpei_table *table;
static struct bpei_timeline timeline;
static struct {
	uint64_t packets, bytes;
	int64_t last;
	uint32_t at;
	bool ended;
} model[FLOWS];

/* Sends a packet of a flow, and counts the packet in the model. */
static void send_counted_packet(uint32_t id, int end, uint32_t wire, int64_t time)
{
	struct bpe_key key = { .port = { 10, 20 }, .ip_proto = 17, .ip_version = 4 };
	memcpy(key.addr[0], &id, 4);
	uint32_t flags = BPE_PKT_KEY | BPE_PKT_IP4;
	if (end)
		flags |= BPE_PKT_REVERSED;
	struct bpe_layers layers = {
		.flags = (uint16_t)flags, .transport = 34, .proto = BPE_PROTO_UDP, .ip_proto = 17
	};
	const uint32_t caplen = wire < 60 ? wire : 60;
	const uint32_t h = id * 2654435761u | 1;
	uint32_t flow[BPE_BATCH];
	struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &wire,
		.layers = &layers,
		.key = &key,
		.hash = &h };
	flow_clock_update(&timeline, table, &b, flow);
	model[id].packets++;
	model[id].bytes += wire;
	model[id].last = time > model[id].last ? time : model[id].last;
	model[id].at = flow[0];
}

/* Returns a random number. */
static uint32_t random_number(void)
{
	static uint32_t s = 7;
	s = s * 1664525 + 1013904223;
	return s >> 8;
}

/* Makes a table with packets of random flows. */
static void fill_top_table(void)
{
	struct bpei_table_options o = { .timeline = &timeline, .max_flows = FLOWS };
	timeline = (struct bpei_timeline){ .has_time = false };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t n = 0; n < 6000; n++)
		send_counted_packet(random_number() % FLOWS, random_number() & 1,
			60 + 20 * (random_number() % 3), T0 + n);
}

/* Returns the packets or bytes of a record. */
static uint64_t value_of_record(const struct bpe_flow *f, enum bpe_order order)
{
	return order == BPE_ORDER_PACKETS ? f->packets[0] + f->packets[1]
					  : f->wire_bytes[0] + f->wire_bytes[1];
}

/* Returns the packets or bytes of a flow in the model. */
static uint64_t value_in_model(uint32_t id, enum bpe_order order)
{
	return order == BPE_ORDER_PACKETS ? model[id].packets : model[id].bytes;
}
/* Returns the number of the record's flow. */
static uint32_t id_of_record(const struct bpe_flow *f)
{
	uint32_t a[2];
	memcpy(&a[0], f->addr[0], 4);
	memcpy(&a[1], f->addr[1], 4);
	return a[0] | a[1];
}

static enum bpe_order sorted_by;

/* Compares by value, largest first, then by entry. */
static int compare_by_model(const void *x, const void *y)
{
	const uint32_t a = *(const uint32_t *)x;
	const uint32_t b = *(const uint32_t *)y;
	const uint64_t value_a = value_in_model(a, sorted_by);
	const uint64_t value_b = value_in_model(b, sorted_by);

	if (value_a != value_b)
		return value_a > value_b ? -1 : 1;
	return model[a].at < model[b].at ? -1 : 1;
}

Test(top, a_sort_says_the_same)
{
	static const uint32_t stretches[] = { 1, 2, 7, 256, 100000, UINT32_MAX };
	fill_top_table();
	for (uint32_t k = 0; k < 6 * 2 * 2; k++) {
		enum bpe_order order = k & 1 ? BPE_ORDER_PACKETS : BPE_ORDER_BYTES;
		int64_t since = k & 2 ? T0 + 5000 : INT64_MIN;
		for (size_t n = 0; n <= 1000; n = n ? n * 10 : 1) {
			struct bpei_top top;
			static struct bpe_flow flows[1000];
			uint32_t order_of[FLOWS], all = 0;
			cr_assert_eq(bpei_top_init(&top, order, since, n), BPE_OK);
			while (!bpei_top_scan(table, &top, stretches[k / 4]))
				continue;
			for (uint32_t id = 0; id < FLOWS; id++)
				if (model[id].packets && model[id].last >= since)
					order_of[all++] = id;
			sorted_by = order;
			qsort(order_of, all, sizeof *order_of, compare_by_model);
			cr_assert_eq(top.recent, all);
			cr_assert_eq(
				top.alive, bpei_counter_get(&bpei_table_counts(table)->active));
			int found = bpei_top_merge(&top, 1, flows, sizeof(struct bpe_flow), n);
			cr_assert_eq((size_t)found, all < n ? all : n);
			for (int i = 0; i < found; i++) {
				cr_assert_eq(
					id_of_record(&flows[i]), order_of[i], "%d of %d", i, found);
				cr_assert_eq(value_of_record(&flows[i], order),
					value_in_model(order_of[i], order));
			}
			bpei_top_free(&top);
		}
	}
	bpei_table_free(table);
}

/* Checks that the work of a call is bounded: a record counts as eight further entries. */
Test(top, a_stretch_is_no_longer_than_allowed)
{
	struct bpei_top top;
	fill_top_table();
	cr_assert_eq(bpei_top_init(&top, BPE_ORDER_BYTES, INT64_MIN, 1000), BPE_OK);
	for (uint32_t calls = 1; !bpei_top_scan(table, &top, 90); calls++) {
		cr_assert(top.next <= calls * 90);
		cr_assert(top.filled <= calls * 10, "%zu records in %u calls", top.filled, calls);
	}
	bpei_top_free(&top);
	bpei_table_free(table);
}

Test(top, flows_that_change_while_the_scan_goes_on)
{
	struct bpei_top top;
	static struct bpe_flow flows[FLOWS + 100];
	fill_top_table();
	cr_assert_eq(bpei_top_init(&top, BPE_ORDER_BYTES, INT64_MIN, FLOWS), BPE_OK);
	cr_assert_not(bpei_top_scan(table, &top, 2700));
	uint32_t passed = top.next;
	cr_assert(passed > 100 && passed < FLOWS - 100);
	uint64_t met = top.alive;
	struct bpe_flow before = top.flows[top.heap[0].record];
	for (uint32_t id = 0; id < FLOWS; id++)
		send_counted_packet(
			id, 0, 1000, T0 + 10000); /* all flows have more now; passed records stay */
	while (!bpei_top_scan(table, &top, 64))
		continue;
	int found = bpei_top_merge(&top, 1, flows, sizeof(struct bpe_flow), FLOWS);
	cr_assert((size_t)found >= met && found <= (int)FLOWS);
	for (int i = 0; i < found; i++) {
		uint32_t id = id_of_record(&flows[i]);
		uint64_t bytes = value_of_record(&flows[i], BPE_ORDER_BYTES);
		cr_assert(bytes == model[id].bytes ||
				  (model[id].at < passed && bytes == model[id].bytes - 1000),
			"flow %u has %llu", id, (unsigned long long)bytes);
		if (id == id_of_record(&before))
			cr_assert_eq(bytes, value_of_record(&before, BPE_ORDER_BYTES));
	}
	bpei_top_free(&top);
	bpei_table_free(table);
}

/* Checks that a flow that ended before the scan passed is left out, and a later end is not. */
Test(top, flows_that_end_while_the_scan_goes_on)
{
	struct bpei_table_options o = {
		.timeline = &timeline, .max_flows = FLOWS, .idle_ns = 1000000000
	};
	struct bpei_top top;
	static struct bpe_flow flows[FLOWS];
	timeline = (struct bpei_timeline){ .has_time = false };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t id = 0; id < 600; id++) {
		send_counted_packet(id, 0, 60, T0);
		send_counted_packet(id, 1, 60, T0 + 1);
	}
	cr_assert_eq(bpei_top_init(&top, BPE_ORDER_PACKETS, INT64_MIN, FLOWS), BPE_OK);
	cr_assert_not(bpei_top_scan(table, &top, 900));
	uint32_t met = top.next;
	for (uint32_t n = 0; n < 200; n++)
		flow_clock_age(&timeline, table, T0 + 2000000000 + n);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->active), 0);
	while (!bpei_top_scan(table, &top, 900))
		continue;
	cr_assert_eq(top.alive, met);
	cr_assert_eq(bpei_top_merge(&top, 1, flows, sizeof(struct bpe_flow), FLOWS), (int)met);
	for (uint32_t i = 0; i < met; i++)
		cr_assert_eq(flows[i].end, BPE_END_NONE);
	bpei_top_free(&top);
	bpei_table_free(table);
}

Test(top, several_tables_are_one_list)
{
	struct bpei_top tops[2];
	static struct bpe_flow one[FLOWS], both[2 * FLOWS];
	fill_top_table();
	for (int k = 0; k < 2; k++) {
		cr_assert_eq(bpei_top_init(&tops[k], BPE_ORDER_PACKETS, INT64_MIN, FLOWS), BPE_OK);
		while (!bpei_top_scan(table, &tops[k], 1000))
			continue;
	}
	const int n = bpei_top_merge(tops, 1, one, sizeof(struct bpe_flow), FLOWS);
	const int m = bpei_top_merge(tops, 2, both, sizeof(struct bpe_flow), 2 * FLOWS);
	cr_assert_eq(m, 2 * n);
	for (int i = 1; i < m; i++)
		cr_assert(value_of_record(&both[i], BPE_ORDER_PACKETS) <=
			  value_of_record(&both[i - 1], BPE_ORDER_PACKETS));
	for (int i = 0; i < m; i += 2)
		cr_assert_eq(value_of_record(&both[i], BPE_ORDER_PACKETS),
			value_of_record(&one[i / 2], BPE_ORDER_PACKETS));
	cr_assert_eq(bpei_top_merge(tops, 2, both, sizeof(struct bpe_flow), 5), 5);
	for (int k = 0; k < 2; k++)
		bpei_top_free(&tops[k]);
	bpei_table_free(table);
}
