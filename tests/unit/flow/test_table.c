/* SPDX-License-Identifier: MIT */
/* The rules of the flow table: finding, counting, TCP states, opening. */
#include "table_harness.h"

/* Checks that a flow opened by an ICMP error gets a TCP state as soon as a TCP header comes. */
Test(table, tcp_opened_without_a_header)
{
	make_table(10, 0, 0);
	struct bpe_key key = {
		.port = { 10, 20 }, .ip_proto = 6, .ip_version = 4, .addr = { { 2 } }
	};
	struct bpe_layers error = { .flags = BPE_PKT_KEY | BPE_PKT_IP4 | BPE_PKT_REVERSED |
					     BPE_PKT_ICMP_ERROR,
		.transport = 34,
		.proto = BPE_PROTO_ICMP,
		.ip_proto = 1 };
	const uint32_t caplen = 60;
	const uint32_t wirelen = 100;
	const uint32_t h = 2 * 2654435761u | 1;
	uint32_t entries[BPE_BATCH];
	int64_t time = T0;
	struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &error,
		.key = &key,
		.hash = &h };
	flow_clock_update(&timeline, table, &b, entries);
	packets_in++;
	cr_assert_eq(tcp_state_of(2, entries[0]), BPE_TCP_NONE);
	uint32_t flow = send_packet(2, 6, 0, 2, T0 + 2, 0);
	cr_assert_eq(flow, entries[0]);
	cr_assert_eq(tcp_state_of(2, flow), BPE_TCP_SYN_SENT);
	cr_assert_eq(get_record(2, 6, flow).packets[0],
		1); /* the sender of the SYN is the originator, also if second */
	send_packet(2, 6, 1, 0x12, T0 + 3, 0);
	send_packet(2, 6, 0, 0x10, T0 + 4, 0);
	cr_assert_eq(tcp_state_of(2, flow), BPE_TCP_ESTABLISHED);
}

Test(table, counts_by_end_with_the_first_sender_as_originator)
{
	make_table(10, 0, 0);
	send_packet(1, 17, 1, 0, T0, 0);
	send_packet(1, 17, 0, 0, T0 + 5, 0);
	uint32_t flow = send_packet(1, 17, 1, 0, T0 + 9, 0);
	struct bpe_flow f = get_record(1, 17, flow);
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
	cr_assert_eq(count_active(), 1); /* the flow stays, for top.c */
}

Test(table, tcp_handshake_close_and_reset)
{
	make_table(10, 0, 0);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 0, SYN | ACK, T0, 0)), BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 1, ACK, T0, 0)), BPE_TCP_ESTABLISHED);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 0, FIN | ACK, T0, 0)), BPE_TCP_CLOSING);
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 0, FIN | ACK, T0, 0)),
		BPE_TCP_CLOSING); /* sent again */
	cr_assert_eq(tcp_state_of(1, send_packet(1, 6, 1, FIN | ACK, T0, 0)), BPE_TCP_CLOSED);
	uint32_t flow = send_packet(1, 6, 0, ACK, T0, 0);
	struct bpe_flow f = get_record(1, 6, flow);
	cr_assert_eq(f.tcp_state, BPE_TCP_CLOSED);
	cr_assert_eq(f.packets[0] + f.packets[1], 8);
	cr_assert_eq(f.port[0], 20);
	cr_assert_eq(f.flags, 0);
	cr_assert_eq(f.tcp_flags[0], SYN | ACK | FIN);
	cr_assert_eq(tcp_state_of(2, send_packet(2, 6, 0, SYN, T0, 0)), BPE_TCP_SYN_SENT);
	cr_assert_eq(tcp_state_of(2, send_packet(2, 6, 1, RST | ACK, T0, 0)), BPE_TCP_RESET);
	cr_assert_eq(tcp_state_of(2, send_packet(2, 6, 1, ACK, T0, 0)), BPE_TCP_RESET);
	cr_assert_eq(count_active(), 2);
}

Test(table, tcp_joined_in_the_middle_and_simultaneous_open)
{
	make_table(10, 0, 0);
	struct bpe_flow f = get_record(1, 6, send_packet(1, 6, 1, ACK, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_ESTABLISHED);
	cr_assert_eq(f.flags, BPE_FLOW_MIDSTREAM);
	f = get_record(2, 6,
		send_packet(2, 6, 0, SYN | ACK, T0, 0)); /* a SYN-ACK goes to the originator */
	cr_assert_eq(f.tcp_state, BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(f.port[0], 20);
	cr_assert_eq(f.flags, BPE_FLOW_MIDSTREAM);
	send_packet(3, 6, 0, SYN, T0, 0);
	cr_assert_eq(tcp_state_of(3, send_packet(3, 6, 1, SYN, T0, 0)), BPE_TCP_SYN_RECEIVED);
	cr_assert_eq(tcp_state_of(3, send_packet(3, 6, 0, ACK, T0, 0)), BPE_TCP_ESTABLISHED);
	f = get_record(4, 6, send_packet(4, 6, 0, FIN | ACK, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_CLOSING);
	f = get_record(5, 6, send_packet(5, 6, 0, RST, T0, 0));
	cr_assert_eq(f.tcp_state, BPE_TCP_RESET);
}

Test(table, a_syn_on_a_closed_connection_opens_a_new_flow)
{
	make_table(10, 0, 0);
	send_packet(1, 6, 0, SYN, T0, 0);
	send_packet(1, 6, 1, RST | ACK, T0 + 1, 0);
	uint32_t flow = send_packet(1, 6, 0, SYN, T0 + 2, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_CLOSED);
	cr_assert_eq(ended[0].tcp_state, BPE_TCP_RESET);
	cr_assert_eq(get_record(1, 6, flow).packets[0], 1);
	send_packet(1, 6, 1, SYN | ACK, T0 + 3, 0);
	send_packet(1, 6, 0, SYN, T0 + 4, 0); /* a SYN sent again while open is not */
	cr_assert_eq(ended_count, 1);
}

/* Checks the inner VLAN id, which lies apart from the other parts of the key. */
Test(table, inner_vlans_tell_flows_apart)
{
	static const uint16_t inner[] = { 0, 7, 0x807, 0xfff };
	const uint32_t length = 60;
	const uint32_t h = 5; /* all keys have the same tag */
	uint32_t seen[4];
	uint32_t entries[BPE_BATCH];
	struct bpe_layers l = { .flags = BPE_PKT_KEY | BPE_PKT_IP4,
		.transport = 34,
		.proto = BPE_PROTO_UDP,
		.ip_proto = 17 };
	make_table(10, 0, 0);
	for (uint32_t k = 0; k < 12; k++) {
		struct bpe_key key = { .port = { 10, 20 },
			.ip_proto = 17,
			.ip_version = 4,
			.vlan = { 5, inner[k % 4] } };
		struct bpe_flow f;
		int64_t time = T0 + k;
		struct bpe_batch b = { .count = 1,
			.time_ns = &time,
			.caplen = &length,
			.wirelen = &length,
			.layers = &l,
			.key = &key,
			.hash = &h };
		flow_clock_update(&timeline, table, &b, entries);
		if (k < 4)
			seen[k] = entries[0];
		cr_assert_eq(entries[0], seen[k % 4]);
		cr_assert_eq(bpei_table_get(table, entries[0], &key, &f), 1);
		cr_assert_eq(f.packets[0], k / 4 + 1);
		cr_assert_eq(f.vlan[0], 5);
		cr_assert_eq(f.vlan[1], inner[k % 4]);
	}
	cr_assert_eq(count_active(), 4);
	bpei_table_free(table);
}

/* Checks counts beyond the counters of the entry, which end at 2^22 packets and 2^31 bytes. */
Test(table, counts_go_on_beyond_the_entry)
{
	enum { BATCHES = (1 << 23) / BPE_BATCH + 1 };
	struct bpe_key key[BPE_BATCH];
	struct bpe_layers l[BPE_BATCH];
	uint32_t length[BPE_BATCH], entries[BPE_BATCH], h[BPE_BATCH];
	int64_t time[BPE_BATCH];
	struct bpe_flow f;
	make_table(10, 0, 0);
	for (uint32_t k = 0; k < BPE_BATCH; k++) {
		key[k] = (struct bpe_key){ .port = { 10, 20 }, .ip_proto = 17, .ip_version = 4 };
		l[k] = (struct bpe_layers){ .flags = BPE_PKT_KEY | BPE_PKT_IP4,
			.transport = 34,
			.proto = BPE_PROTO_UDP,
			.ip_proto = 17 };
		length[k] = 1000;
		h[k] = 5;
		time[k] = T0;
	}
	struct bpe_batch b = { .count = BPE_BATCH,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = l,
		.key = key,
		.hash = h };
	for (uint32_t k = 0; k < BATCHES; k++)
		flow_clock_update(&timeline, table, &b, entries);
	cr_assert_eq(bpei_table_get(table, entries[0], &key[0], &f), 1);
	cr_assert_eq(f.packets[0], (uint64_t)BATCHES * BPE_BATCH);
	cr_assert_eq(f.wire_bytes[0], (uint64_t)BATCHES * BPE_BATCH * 1000);
	cr_assert_eq(f.packets[1] + f.wire_bytes[1], 0);
	cr_assert_eq(f.tcp_state, 0);
	bpei_table_free(table);
}

Test(table, grows_and_finds_all_again)
{
	make_table(100000, 0, 0);
	for (uint32_t id = 1; id <= 50000; id++)
		send_packet(id, 17, 0, 0, T0 + id, 0);
	cr_assert_eq(count_active(), 50000);
	for (uint32_t id = 1; id <= 50000; id++)
		send_packet(id, 17, 1, 0, T0 + 50000 + id, 0);
	cr_assert_eq(count_active(), 50000);
	cr_assert_eq(ended_count, 0);
}

/* Checks several first packets of a flow in the same batch, with packets without a key between. */
Test(table, a_new_flow_twice_in_a_batch)
{
	struct bpe_key keys[8];
	struct bpe_layers layers[8];
	uint32_t length[8], hash[8], flow[BPE_BATCH];
	int64_t time[8];
	make_table(10, 0, 0);
	memset(keys, 0, sizeof keys);
	for (int i = 0; i < 8; i++) {
		keys[i] = (struct bpe_key){
			.ip_version = 4, .ip_proto = 17, .port = { (uint16_t)(i % 3), 9 }
		};
		layers[i] = (struct bpe_layers){ .flags = i % 4 == 3 ? 0 : BPE_PKT_KEY };
		length[i] = 100;
		time[i] = T0 + i;
		hash[i] = i % 4 == 3 ? 0 : (uint32_t)(i % 3 + 1) * 64;
	}
	struct bpe_batch b = { .count = 8,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = layers,
		.key = keys,
		.hash = hash };
	flow_clock_update(&timeline, table, &b, flow);
	cr_assert_eq(count_active(), 3);
	cr_assert_eq(flow[3], BPEI_NO_FLOW);
	cr_assert_eq(flow[1], flow[4]);
	cr_assert_eq(flow[2], flow[5]);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->packets), 6);
}
