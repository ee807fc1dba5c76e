/* SPDX-License-Identifier: MIT */
/* The flow table's rules, each with packets made for it; time is an argument. */
#include "flow/flow.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
#define SECOND 1000000000
#define T0 1700000000000000000

static struct bpei_table *table;
static struct bpe_flow ended[4096];
static uint32_t ended_count;
static uint64_t packets_in;

static void on_end(void *user, const struct bpe_flow *flow)
{
	(void)user;
	cr_assert(ended_count < 4096);
	ended[ended_count++] = *flow;
}

static void make(uint64_t max_flows, int64_t idle_ns, int64_t closed_ns)
{
	struct bpei_table_options o = {
		.max_flows = max_flows, .idle_ns = idle_ns, .closed_ns = closed_ns, .on_end = on_end
	};
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
}

static void balance(void)
{
	const struct bpei_table_counts *c = bpei_table_counts(table);
	cr_assert_eq(bpei_counter_get(&c->opened), bpei_counter_get(&c->active) +
							   bpei_counter_get(&c->ended) +
							   bpei_counter_get(&c->evicted));
	cr_assert_eq(bpei_counter_get(&c->packets) + bpei_counter_get(&c->refused), packets_in);
}

/* One packet of flow `id`, sent by an end of its key.  hash 0: made of the id. */
static uint32_t packet(
	uint32_t id, uint8_t proto, int end, uint8_t flags, int64_t time, uint32_t hash)
{
	struct bpe_key key = { .port = { 10, 20 }, .ip_proto = proto, .ip_version = 4 };
	memcpy(key.addr[0], &id, 4);
	struct bpe_layers layers = { .flags = (uint16_t)(BPE_PKT_KEY | BPE_PKT_IP4 |
							 (end ? BPE_PKT_REVERSED : 0)),
		.transport = 34,
		.proto = proto == 6 ? BPE_PROTO_TCP : BPE_PROTO_UDP,
		.ip_proto = proto,
		.tcp_flags = flags };
	uint32_t caplen = 60, wirelen = 100, flow[BPE_BATCH],
		 h = hash ? hash : id * 2654435761u | 1;
	struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &layers,
		.key = &key,
		.hash = &h };
	bpei_table_update(table, &b, flow);
	packets_in++;
	balance();
	return flow[0];
}

static struct bpe_flow look(uint32_t id, uint8_t proto, uint32_t flow)
{
	struct bpe_key key = { .port = { 10, 20 }, .ip_proto = proto, .ip_version = 4 };
	struct bpe_flow f = { .tcp_state = 99 };
	memcpy(key.addr[0], &id, 4);
	cr_assert_eq(bpei_table_get(table, flow, &key, &f), 1);
	return f;
}

static uint8_t state(uint32_t id, uint32_t flow)
{
	return look(id, 6, flow).tcp_state;
}
static uint64_t active(void)
{
	return bpei_counter_get(&bpei_table_counts(table)->active);
}

/* A flow that an ICMP error or a later fragment began is TCP's as soon as a TCP header comes. */
Test(table, tcp_begun_by_what_has_no_header)
{
	make(10, 0, 0);
	struct bpe_key key = {
		.port = { 10, 20 }, .ip_proto = 6, .ip_version = 4, .addr = { { 2 } }
	};
	struct bpe_layers error = { .flags = BPE_PKT_KEY | BPE_PKT_IP4 | BPE_PKT_REVERSED |
					     BPE_PKT_ICMP_ERROR,
		.transport = 34,
		.proto = BPE_PROTO_ICMP,
		.ip_proto = 1 };
	uint32_t caplen = 60, wirelen = 100, entries[BPE_BATCH], h = 2 * 2654435761u | 1;
	int64_t time = T0;
	struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &error,
		.key = &key,
		.hash = &h };
	bpei_table_update(table, &b, entries);
	packets_in++;
	cr_assert_eq(state(2, entries[0]), BPE_TCP_NONE);
	uint32_t flow = packet(2, 6, 0, 2, T0 + 2, 0);
	cr_assert_eq(flow, entries[0]);
	cr_assert_eq(state(2, flow), BPE_TCP_SYN_SENT);
	cr_assert_eq(look(2, 6, flow).packets[0],
		1); /* the SYN's sender is the originator, whoever was first */
	packet(2, 6, 1, 0x12, T0 + 3, 0);
	packet(2, 6, 0, 0x10, T0 + 4, 0);
	cr_assert_eq(state(2, flow), BPE_TCP_ESTABLISHED);
}

Test(table, counts_by_end_and_names_the_first_sender_originator)
{
	make(10, 0, 0);
	packet(1, 17, 1, 0, T0, 0);
	packet(1, 17, 0, 0, T0 + 5, 0);
	uint32_t flow = packet(1, 17, 1, 0, T0 + 9, 0);
	struct bpe_flow f = look(1, 17, flow);
	cr_assert_eq(f.port[0], 20); /* end 1 of the key began */
	cr_assert_eq(f.packets[0], 2);
	cr_assert_eq(f.packets[1], 1);
	cr_assert_eq(f.wire_bytes[0], 200);
	cr_assert_eq(f.captured_bytes[1], 60);
	cr_assert_eq(f.first_ns, T0);
	cr_assert_eq(f.last_ns, T0 + 9);
	cr_assert_eq(f.tcp_state, BPE_TCP_NONE);
	bpei_table_end_all(table);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_STOP);
	cr_assert_eq(active(), 1); /* it stays, for top */
}

Test(table, tcp_handshake_close_and_reset)
{
	make(10, 0, 0);
	cr_assert_eq(state(1, packet(1, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(state(1, packet(1, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(state(1, packet(1, 6, 0, SYN | ACK, T0, 0)), BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(state(1, packet(1, 6, 1, ACK, T0, 0)), BPE_TCP_ESTABLISHED);
	cr_assert_eq(state(1, packet(1, 6, 0, FIN | ACK, T0, 0)), BPE_TCP_CLOSING);
	cr_assert_eq(state(1, packet(1, 6, 0, FIN | ACK, T0, 0)), BPE_TCP_CLOSING); /* sent again */
	cr_assert_eq(state(1, packet(1, 6, 1, FIN | ACK, T0, 0)), BPE_TCP_CLOSED);
	uint32_t flow = packet(1, 6, 0, ACK, T0, 0);
	struct bpe_flow f = look(1, 6, flow);
	cr_assert_eq(f.tcp_state, BPE_TCP_CLOSED);
	cr_assert_eq(f.packets[0] + f.packets[1], 8);
	cr_assert_eq(f.port[0], 20);
	cr_assert_eq(f.flags, 0);
	cr_assert_eq(f.tcp_flags[0], SYN | ACK | FIN);
	cr_assert_eq(state(2, packet(2, 6, 0, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(state(2, packet(2, 6, 1, RST | ACK, T0, 0)), BPE_TCP_RESET);
	cr_assert_eq(state(2, packet(2, 6, 1, ACK, T0, 0)), BPE_TCP_RESET);
	cr_assert_eq(active(), 2);
}

Test(table, tcp_joined_in_the_middle_and_simultaneous_open)
{
	make(10, 0, 0);
	struct bpe_flow f = look(1, 6, packet(1, 6, 1, ACK, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_ESTABLISHED);
	cr_assert_eq(f.flags, BPE_FLOW_MIDSTREAM);
	f = look(2, 6, packet(2, 6, 0, SYN | ACK, T0, 0)); /* a SYN-ACK goes to the originator */
	cr_assert_eq(f.tcp_state, BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(f.port[0], 20);
	cr_assert_eq(f.flags, BPE_FLOW_MIDSTREAM);
	packet(3, 6, 0, SYN, T0, 0);
	cr_assert_eq(state(3, packet(3, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(state(3, packet(3, 6, 0, ACK, T0, 0)), BPE_TCP_ESTABLISHED);
	f = look(4, 6, packet(4, 6, 0, FIN | ACK, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_CLOSING);
	f = look(5, 6, packet(5, 6, 0, RST, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_RESET);
}

Test(table, a_syn_on_a_closed_connection_is_a_new_one)
{
	make(10, 0, 0);
	packet(1, 6, 0, SYN, T0, 0);
	packet(1, 6, 1, RST | ACK, T0 + 1, 0);
	uint32_t flow = packet(1, 6, 0, SYN, T0 + 2, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_CLOSED);
	cr_assert_eq(ended[0].tcp_state, BPE_TCP_RESET);
	cr_assert_eq(look(1, 6, flow).packets[0], 1);
	packet(1, 6, 1, SYN | ACK, T0 + 3, 0);
	packet(1, 6, 0, SYN, T0 + 4, 0); /* a SYN sent again while open is not */
	cr_assert_eq(ended_count, 1);
}

Test(table, idle_time_is_exact_where_a_packet_comes)
{
	make(10, 5 * (int64_t)SECOND, 0);
	packet(1, 17, 0, 0, T0, 0);
	packet(1, 17, 0, 0, T0 + 5 * (int64_t)SECOND, 0); /* not later than the time-out */
	cr_assert_eq(ended_count, 0);
	packet(1, 17, 0, 0, T0 + 10 * (int64_t)SECOND + 1, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_IDLE);
	cr_assert_eq(ended[0].packets[0], 2);
	cr_assert_eq(ended[0].last_ns, T0 + 5 * (int64_t)SECOND);
}

Test(table, quiet_flows_end_without_their_packets)
{
	make(100, 5 * (int64_t)SECOND, SECOND);
	for (uint32_t id = 1; id <= 20; id++)
		packet(id, 17, 0, 0, T0, 0);
	packet(50, 6, 0, SYN, T0, 0);
	packet(50, 6, 1, RST, T0, 0);
	for (int k = 1; k <= 40; k++)
		packet(99, 17, 0, 0, T0 + k * (int64_t)SECOND / 4, 0);
	cr_assert_eq(active(), 1);
	cr_assert_eq(ended_count, 21);
	cr_assert_eq(ended[0].end, BPE_END_CLOSED); /* the shorter time-out comes first */
	bpei_table_age(table, T0 + 100 * (int64_t)SECOND);
	cr_assert_eq(active(), 0);
}

Test(table, time_out_of_order_ends_nothing)
{
	make(10, 5 * (int64_t)SECOND, SECOND);
	packet(1, 17, 0, 0, T0 + 100 * (int64_t)SECOND, 0);
	uint32_t flow = packet(1, 17, 0, 0, T0, 0); /* a hundred seconds early */
	cr_assert_eq(ended_count, 0);
	cr_assert_eq(look(1, 17, flow).first_ns, T0);
	cr_assert_eq(look(1, 17, flow).last_ns, T0 + 100 * (int64_t)SECOND);
	packet(2, 17, 0, 0, INT64_MIN, 0);
	packet(2, 17, 0, 0, INT64_MAX, 0);
	packet(3, 17, 0, 0, INT64_MAX, 0);
	packet(3, 17, 0, 0, INT64_MIN, 0);
	packet(4, 17, 0, 0, 0, 0);
	bpei_table_age(table, INT64_MAX);
	balance();
}

/* Those of one packet go first, in turn; of the others the one that has been quiet longest. */
/* Who waits for his eviction and has a packet meanwhile is passed over. */
Test(table, a_packet_puts_off_an_eviction)
{
	make(8, 0, 0);
	for (uint32_t k = 1; k <= 8; k++)
		packet(k, 6, 0, SYN, T0 + k, 0);
	packet(9, 6, 0, SYN, T0 + 9, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].addr[0][0], 1);
	packet(2, 6, 0, SYN, T0 + 10, 0);
	packet(10, 6, 0, SYN, T0 + 11, 0);
	cr_assert_eq(ended_count, 2);
	cr_assert_eq(ended[1].addr[0][0], 3);
	for (uint32_t k = 11; k < 100; k++) { /* nobody but flows that had one packet since */
		packet(k, 6, 0, SYN, T0 + k + 1, 0);
		cr_assert_eq(active(), 8);
	}
	cr_assert_eq(ended_count, 91);
	bpei_table_free(table);
}

/* The inner VLAN id lies apart from the key's other parts. */
Test(table, inner_vlans_tell_flows_apart)
{
	static const uint16_t inner[] = { 0, 7, 0x807, 0xfff };
	uint32_t seen[4], caplen = 60, wirelen = 60, entries[BPE_BATCH], h = 5; /* all of one tag */
	struct bpe_layers l = { .flags = BPE_PKT_KEY | BPE_PKT_IP4,
		.transport = 34,
		.proto = BPE_PROTO_UDP,
		.ip_proto = 17 };
	make(10, 0, 0);
	for (uint32_t k = 0; k < 12; k++) {
		struct bpe_key key = { .port = { 10, 20 },
			.ip_proto = 17,
			.ip_version = 4,
			.vlan = { 5, inner[k % 4] } };
		struct bpe_flow f;
		int64_t time = T0 + k;
		struct bpe_batch b = { .count = 1,
			.time_ns = &time,
			.caplen = &caplen,
			.wirelen = &wirelen,
			.layers = &l,
			.key = &key,
			.hash = &h };
		bpei_table_update(table, &b, entries);
		if (k < 4)
			seen[k] = entries[0];
		cr_assert_eq(entries[0], seen[k % 4]);
		cr_assert_eq(bpei_table_get(table, entries[0], &key, &f), 1);
		cr_assert_eq(f.packets[0], k / 4 + 1);
		cr_assert_eq(f.vlan[0], 5);
		cr_assert_eq(f.vlan[1], inner[k % 4]);
	}
	cr_assert_eq(active(), 4);
	bpei_table_free(table);
}

/* An entry counts to 2^23 packets and 2^31 bytes; what is more is counted elsewhere. */
Test(table, counts_go_on_beyond_the_entry)
{
	enum { BATCHES = (1 << 23) / BPE_BATCH + 1 };
	struct bpe_key key[BPE_BATCH];
	struct bpe_layers l[BPE_BATCH];
	uint32_t length[BPE_BATCH], entries[BPE_BATCH], h[BPE_BATCH];
	int64_t time[BPE_BATCH];
	struct bpe_flow f;
	make(10, 0, 0);
	for (uint32_t k = 0; k < BPE_BATCH; k++) {
		key[k] = (struct bpe_key){ .port = { 10, 20 }, .ip_proto = 17, .ip_version = 4 };
		l[k] = (struct bpe_layers){ .flags = BPE_PKT_KEY | BPE_PKT_IP4,
			.transport = 34,
			.proto = BPE_PROTO_UDP,
			.ip_proto = 17 };
		length[k] = 1000, h[k] = 5, time[k] = T0;
	}
	struct bpe_batch b = { .count = BPE_BATCH,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = l,
		.key = key,
		.hash = h };
	for (uint32_t k = 0; k < BATCHES; k++)
		bpei_table_update(table, &b, entries);
	cr_assert_eq(bpei_table_get(table, entries[0], &key[0], &f), 1);
	cr_assert_eq(f.packets[0], (uint64_t)BATCHES * BPE_BATCH);
	cr_assert_eq(f.wire_bytes[0], (uint64_t)BATCHES * BPE_BATCH * 1000);
	cr_assert_eq(f.packets[1] + f.wire_bytes[1], 0);
	cr_assert_eq(f.tcp_state, 0);
	bpei_table_free(table);
}

Test(table, the_weak_then_the_quietest_are_evicted)
{
	make(4, 0, 0);
	for (uint32_t id = 1; id <= 4; id++)
		packet(id, 17, 0, 0, T0 + id * 1000 * 1000, 0);
	packet(1, 17, 0, 0, T0 + 10 * 1000 * 1000, 0);
	packet(2, 17, 0, 0, T0 + 9 * 1000 * 1000, 0);
	static const uint32_t order[] = { 3, 4, 10, 11 };
	for (uint32_t k = 0; k < 4; k++) {
		packet(10 + k, 17, 0, 0, T0 + (20 + k) * 1000 * 1000, 0);
		cr_assert_eq(ended_count, k + 1);
		cr_assert_eq(ended[k].end, BPE_END_EVICTED);
		cr_assert_eq(ended[k].addr[0][0], order[k], "%u went, not %u", ended[k].addr[0][0],
			order[k]);
		cr_assert_eq(active(), 4);
	}
	packet(12, 17, 0, 0, T0 + 30 * 1000 * 1000, 0);
	packet(13, 17, 0, 0, T0 + 31 * 1000 * 1000, 0); /* now none of the four is weak */
	packet(14, 17, 0, 0, T0 + 32 * 1000 * 1000, 0);
	cr_assert_eq(ended[4].addr[0][0], 2, "%u went", ended[4].addr[0][0]);
	cr_assert_eq(
		bpei_counter_get(&bpei_table_counts(table)->evicted_by[BPE_EVICTED_SINGLE]), 4);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->evicted_by[BPE_EVICTED_ALIVE]), 1);
}

Test(table, no_room_at_all)
{
	make(0, 0, 0);
	cr_assert_eq(packet(1, 17, 0, 0, T0, 0), BPEI_NO_FLOW);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->refused), 1);
	bpei_table_end_all(table);
	cr_assert_eq(ended_count, 0);
}

/* Keys of one hash are told apart, and bounded: those that find no room push out the quietest of
 * their kind. */
Test(table, keys_of_one_hash)
{
	make(4000, 0, 0);
	for (uint32_t id = 1; id <= 200; id++)
		packet(id, 17, 0, 0, T0 + id, 77);
	cr_assert_eq(active(), 200);
	for (uint32_t id = 1; id <= 200; id++)
		cr_assert_eq(look(id, 17, packet(id, 17, 1, 0, T0 + 300 + id, 77)).packets[1], 1);
	cr_assert_eq(ended_count, 0);
	for (uint32_t id = 201; id <= 2000; id++)
		packet(id, 17, 0, 0, T0 + 1000 + id, 77);
	cr_assert(active() < 300);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->evicted), ended_count);
}

Test(table, grows_and_finds_all_again)
{
	make(100000, 0, 0);
	for (uint32_t id = 1; id <= 50000; id++)
		packet(id, 17, 0, 0, T0 + id, 0);
	cr_assert_eq(active(), 50000);
	for (uint32_t id = 1; id <= 50000; id++)
		packet(id, 17, 1, 0, T0 + 50000 + id, 0);
	cr_assert_eq(active(), 50000);
	cr_assert_eq(ended_count, 0);
}

/* The first packets of one flow within one batch, and packets without a key between them. */
Test(table, a_new_flow_twice_in_a_batch)
{
	struct bpe_key keys[8];
	struct bpe_layers layers[8];
	uint32_t length[8], hash[8], flow[BPE_BATCH];
	int64_t time[8];
	make(10, 0, 0);
	memset(keys, 0, sizeof keys);
	for (int i = 0; i < 8; i++) {
		keys[i] = (struct bpe_key){
			.ip_version = 4, .ip_proto = 17, .port = { (uint16_t)(i % 3), 9 }
		};
		layers[i] = (struct bpe_layers){ .flags = i % 4 == 3 ? 0 : BPE_PKT_KEY };
		length[i] = 100, time[i] = T0 + i,
		hash[i] = i % 4 == 3 ? 0 : (uint32_t)(i % 3 + 1) * 64;
	}
	struct bpe_batch b = { .count = 8,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = layers,
		.key = keys,
		.hash = hash };
	bpei_table_update(table, &b, flow);
	cr_assert_eq(active(), 3);
	cr_assert_eq(flow[3], BPEI_NO_FLOW);
	cr_assert_eq(flow[1], flow[4]);
	cr_assert_eq(flow[2], flow[5]);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->packets), 6);
}

/* A flood of SYNs from random addresses through a full table: established connections live, and so
 * do their counts. */
Test(table, a_syn_flood_pushes_out_no_established_connection)
{
	enum { CONNECTIONS = 1000, ROOM = 4096, FLOOD = 200000 };
	bpei_role_enter(&bpei_worker_role);
	struct bpei_table_options o = { .max_flows = ROOM };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	static uint32_t flow[CONNECTIONS];
	for (uint32_t id = 1; id <= CONNECTIONS; id++) {
		packet(id, 6, 0, SYN, T0, 0);
		packet(id, 6, 1, SYN | ACK, T0, 0);
		flow[id - 1] = packet(id, 6, 0, ACK, T0, 0);
	}
	uint64_t bytes = 0;
	for (uint32_t k = 0; k < FLOOD; k++) {
		packet(100000 + k, 6, 0, SYN, T0 + 1 + k, 0);
		if (k % 3 == 0)
			packet(100000 + k, 6, 1, k % 2 ? SYN | ACK : RST | ACK, T0 + 1 + k, 0);
		if (k == 2 * ROOM)
			bytes = bpei_counter_get(&bpei_table_counts(table)->bytes);
	}
	for (uint32_t id = 1; id <= CONNECTIONS; id++) {
		cr_assert_eq(state(id, flow[id - 1]), BPE_TCP_ESTABLISHED);
		cr_assert_eq(look(id, 6, flow[id - 1]).packets[0], 2);
	}
	const struct bpei_table_counts *c = bpei_table_counts(table);
	cr_assert_eq(bpei_counter_get(&c->bytes), bytes); /* memory is constant */
	cr_assert_eq(bpei_counter_get(&c->evicted), FLOOD + CONNECTIONS - ROOM);
	cr_assert_eq(bpei_counter_get(&c->evicted_by[BPE_EVICTED_HALF_OPEN]) +
			     bpei_counter_get(&c->evicted_by[BPE_EVICTED_CLOSED]),
		FLOOD + CONNECTIONS - ROOM);
	cr_assert(bpei_counter_get(&c->evicted_by[BPE_EVICTED_CLOSED]) > 0);
}

Test(table, each_kind_has_its_time_out)
{
	struct bpei_table_options o = { .max_flows = 100, .on_end = on_end };
	for (int k = 0; k < BPE_TIMEOUT_COUNT; k++)
		o.timeout_ns[k] = (k + 1) * 10 * (int64_t)SECOND;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	packet(1, 6, 0, SYN, T0, 0);
	packet(2, 6, 0, ACK, T0, 0);
	packet(3, 6, 0, FIN | ACK, T0, 0);
	packet(4, 6, 0, RST, T0, 0);
	packet(5, 17, 0, 0, T0, 0);
	packet(6, 17, 0, 0, T0, 0);
	packet(6, 17, 1, 0, T0, 0);
	packet(7, 1, 0, 0, T0, 0);
	packet(8, 47, 0, 0, T0, 0);
	for (uint32_t k = 0; k < 8; k++) {
		int64_t limit = (k + 1) * 10 * (int64_t)SECOND;
		bpei_table_age(table, T0 + limit);
		cr_assert_eq(ended_count, k, "%u ended at the %u. time-out", ended_count, k + 1);
		bpei_table_age(table, T0 + limit + SECOND / 2);
		cr_assert_eq(ended_count, k + 1);
		cr_assert_eq(ended[k].addr[0][0], k + 1);
		cr_assert_eq(ended[k].end, k == 3 ? BPE_END_CLOSED : BPE_END_IDLE);
	}
}

/* The answer shortens what the flow waits for: it is looked at in time all the same. */
Test(table, an_answered_flow_may_end_sooner_than_one_that_was_not)
{
	struct bpei_table_options o = {
		.max_flows = 100, .on_end = on_end, .idle_ns = 60 * (int64_t)SECOND
	};
	o.timeout_ns[BPE_TIMEOUT_UDP_TWO_WAY] = 10 * (int64_t)SECOND;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	packet(1, 17, 0, 0, T0, 0);
	packet(2, 17, 0, 0, T0, 0);
	packet(2, 17, 1, 0, T0, 0);
	bpei_table_age(table, T0 + 10 * (int64_t)SECOND);
	cr_assert_eq(ended_count, 0);
	bpei_table_age(table, T0 + 10 * (int64_t)SECOND + SECOND / 2);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].addr[0][0], 2);
	bpei_table_age(table, T0 + 60 * (int64_t)SECOND);
	cr_assert_eq(ended_count, 1);
	bpei_table_age(table, T0 + 60 * (int64_t)SECOND + SECOND / 2);
	cr_assert_eq(ended_count, 2);
}

/* A file may say any time: one that is further away than half of all times is long ago, not soon.
 */
Test(table, a_flow_of_long_ago_ends)
{
	make(100, 10 * (int64_t)SECOND, 0);
	packet(1, 17, 0, 0, INT64_MIN / 8 * 7, 0);
	bpei_table_age(table, INT64_MAX / 8 * 7);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_IDLE);
}

Test(table, a_long_flow_is_told_of_in_periods)
{
	struct bpei_table_options o = { .max_flows = 10,
		.on_end = on_end,
		.active_ns = 10 * (int64_t)SECOND,
		.idle_ns = 60 * (int64_t)SECOND };
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	for (int k = 0; k < 35; k++)
		packet(1, 17, k & 1, 0, T0 + k * (int64_t)SECOND, 0);
	bpei_table_end_all(table);
	cr_assert_eq(ended_count, 4);
	uint64_t sum = 0;
	for (uint32_t k = 0; k < 4; k++) {
		cr_assert_eq(ended[k].end, k < 3 ? BPE_END_ACTIVE : BPE_END_STOP);
		cr_assert_eq(ended[k].flags, k ? BPE_FLOW_CONTINUED : 0);
		cr_assert_eq(ended[k].first_ns, T0 + 11 * k * (int64_t)SECOND);
		sum += ended[k].packets[0] + ended[k].packets[1];
	}
	cr_assert_eq(sum, 35);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->opened), 1);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->periods), 3);
}

/* One packet of a wrong time ends nobody's flow; a clock set back or forward is followed. */
Test(table, the_clock_steps_only_when_two_batches_say_so)
{
	make(100, 5 * (int64_t)SECOND, 0);
	for (uint32_t id = 1; id <= 3; id++)
		packet(id, 17, 0, 0, T0, 0);
	packet(9, 17, 0, 0, INT64_MAX, 0);
	for (int k = 0; k < 40; k++)
		packet(1, 17, 0, 0, T0 + k * (int64_t)SECOND / 10, 0);
	cr_assert_eq(ended_count, 0);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->time_steps), 0);
	for (int k = 0; k < 200; k++)
		packet(20, 17, 0, 0, T0 - 3600 * (int64_t)SECOND + k * (int64_t)SECOND / 10,
			0); /* an hour back */
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->time_steps), 1);
	for (uint32_t k = 0; k < ended_count; k++)
		cr_assert_neq(ended[k].addr[0][0], 20); /* nobody ends who is busy */
	cr_assert_eq(
		look(20, 17, packet(20, 17, 0, 0, T0 - 3580 * (int64_t)SECOND, 0)).packets[0], 201);
	cr_assert_eq(ended_count, 4); /* those from before the step */
	for (int k = 0; k < 3; k++)
		packet(21, 17, 0, 0, T0 + (3600 + k) * (int64_t)SECOND, 0);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->time_steps), 2);
	cr_assert_eq(ended_count, 5);
}

Test(table, memory_bounds_the_flows)
{
	struct bpei_table_options o = { .max_flows = 10000000, .max_bytes = 4 << 20 };
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	for (uint32_t id = 1; id <= 60000; id++) {
		packet(id, 17, 0, 0, T0 + id, 0);
		cr_assert(bpei_counter_get(&bpei_table_counts(table)->bytes) <= 4 << 20);
	}
	cr_assert(active() > 16000, "%u flows in 4 MiB", (unsigned)active());
	cr_assert(bpei_counter_get(&bpei_table_counts(table)->evicted) > 0);
	for (uint64_t n = 1000000; n <= 11000000;
		n += 1000000) { /* the promise of table.h at three quarters; the index doubles, so
				   twice its share at worst */
		const double each = (double)bpei_table_most_bytes(n, false) / (double)n;
		cr_assert(each < 144 + 27 + 16 /* counts of cut packets */ + 16 /* large counts */
					 + 15 /* tunnels */ + 16 /* VLAN tags */);
	}
}
