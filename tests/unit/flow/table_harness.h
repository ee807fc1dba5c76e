/* SPDX-License-Identifier: MIT */
/* A flow table under test: packets made by number of the flow, records that the table reports. Time
 * is an argument, mapped by the product's clock. */
#ifndef TABLE_HARNESS_H
#define TABLE_HARNESS_H

#include "flow_clock.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
#define SECOND 1000000000
#define T0 1700000000000000000

static struct bpei_table *table;
static struct bpei_timeline timeline;
static struct bpe_flow ended[4096];
static uint32_t ended_count;
static uint64_t packets_in;

/* Keeps a record that the table reports. */
static inline void keep_ended_record(void *user, const struct bpe_flow *flow)
{
	(void)user;
	cr_assert(ended_count < 4096);
	ended[ended_count++] = *flow;
}

/* Makes a table; the time-outs are for all kinds and for closed connections. */
static inline void make_table(uint64_t max_flows, int64_t idle_ns, int64_t closed_ns)
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = max_flows,
		.idle_ns = idle_ns,
		.closed_ns = closed_ns,
		.on_end = keep_ended_record };
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
}

/* Checks that the counters of the table add up. */
static inline void check_balance(void)
{
	const struct bpei_table_counts *c = bpei_table_counts(table);
	cr_assert_eq(bpei_counter_get(&c->opened), bpei_counter_get(&c->active) +
							   bpei_counter_get(&c->ended) +
							   bpei_counter_get(&c->evicted));
	cr_assert_eq(bpei_counter_get(&c->packets) + bpei_counter_get(&c->refused), packets_in);
}

/* Sends a packet of flow `id` by an end of the key; hash 0: made of the id.  Returns the entry. */
static inline uint32_t send_packet(
	uint32_t id, uint8_t proto, int end, uint8_t flags, int64_t time, uint32_t hash)
{
	struct bpe_key key = { .port = { 10, 20 }, .ip_proto = proto, .ip_version = 4 };
	memcpy(key.addr[0], &id, 4);
	uint32_t layer_flags = BPE_PKT_KEY | BPE_PKT_IP4;
	if (end)
		layer_flags |= BPE_PKT_REVERSED;
	struct bpe_layers layers = { .flags = (uint16_t)layer_flags,
		.transport = 34,
		.proto = proto == 6 ? BPE_PROTO_TCP : BPE_PROTO_UDP,
		.ip_proto = proto,
		.tcp_flags = flags };
	const uint32_t caplen = 60;
	const uint32_t wirelen = 100;
	const uint32_t h = hash ? hash : id * 2654435761u | 1;
	uint32_t flow[BPE_BATCH];
	struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &layers,
		.key = &key,
		.hash = &h };
	flow_clock_update(&timeline, table, &b, flow);
	packets_in++;
	check_balance();
	return flow[0];
}

/* Returns the record of flow `id` at an entry. */
static inline struct bpe_flow get_record(uint32_t id, uint8_t proto, uint32_t flow)
{
	struct bpe_key key = { .port = { 10, 20 }, .ip_proto = proto, .ip_version = 4 };
	struct bpe_flow f = { .tcp_state = 99 };
	memcpy(key.addr[0], &id, 4);
	cr_assert_eq(bpei_table_get(table, flow, &key, &f), 1);
	return f;
}

/* Returns the TCP state of flow `id` at an entry. */
static inline uint8_t tcp_state_of(uint32_t id, uint32_t flow)
{
	return get_record(id, 6, flow).tcp_state;
}

/* Returns the number of flows alive. */
static inline uint64_t count_active(void)
{
	return bpei_counter_get(&bpei_table_counts(table)->active);
}

#endif
