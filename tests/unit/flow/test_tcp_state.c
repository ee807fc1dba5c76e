/* SPDX-License-Identifier: MIT */
/* TCP analysis: conversations with known loss, reordering, round trips and retransmissions, and the
 * counts in their records. */
#include "base/bytes.h"
#include "flow_clock.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
#define MS INT64_C(1000000)

static struct bpei_table *table;
static struct bpei_timeline timeline;
static struct bpe_flow ended[64];
static uint32_t ended_count, last_flow;
static int64_t now;
static bool ip6, cut, offload;
static uint16_t window;

/* Keeps a record that the table reports. */
static void keep_tcp_record(void *user, const struct bpe_flow *flow)
{
	(void)user;
	cr_assert(ended_count < 64);
	ended[ended_count++] = *flow;
}

/* Makes a table, and starts the time. */
static void make_tcp_table(void)
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 1000,
		.on_end = keep_tcp_record,
		.tcp_health = true };
	bpei_role_enter(&bpei_worker_role);
	timeline = (struct bpei_timeline){ .has_time = false };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	now = INT64_C(1700000000000000000);
	window = 1000;
}

/* Returns the key of the connection. */
static struct bpe_key tcp_test_key(void)
{
	return (struct bpe_key){ .port = { 1000, 80 },
		.ip_proto = 6,
		.ip_version = ip6 ? 6 : 4,
		.addr = { { 1 }, { 2 } } };
}

/* Writes the IP header's length and the TCP header of a segment.  options: bytes of options. */
static void write_segment_headers(uint8_t *ip, uint32_t end, uint8_t flags, uint32_t seq,
	uint32_t ack, uint32_t options, uint32_t bytes)
{
	/* MSS 1460 and scale 2 by end 1; MSS 1500 and scale 7 by end 0. */
	static const char syn_options[2][9] = { "\2\4\5\334\1\3\3\7", "\2\4\5\264\1\3\3\2" };
	uint8_t *const tcp = ip + (ip6 ? 40 : 20);
	const uint32_t length = 20 + options + bytes + (ip6 ? 0 : 20);

	/* A packet too long for IP's length field has the length 0. */
	const uint16_t ip_length = offload ? 0 : (uint16_t)length;
	bpei_put_be16(ip + (ip6 ? 4 : 2), ip_length);
	bpei_put_be32(tcp + 4, seq);
	bpei_put_be32(tcp + 8, ack);
	tcp[12] = (uint8_t)((20 + options) / 4 << 4);
	tcp[13] = flags;
	bpei_put_be16(tcp + 14, window);
	if (options)
		memcpy(tcp + 20, syn_options[end], 8);
}

/* Sends a segment by end 0 or 1 of the key, at `now`. */
static void send_segment(uint32_t end, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
	uint8_t frame[128] = { 0 };
	const uint32_t network = 14;
	const uint32_t transport = network + (ip6 ? 40 : 20);
	const uint32_t options = flags & SYN ? 8 : 0;
	const uint32_t payload = transport + 20 + options;
	const uint32_t whole = payload + bytes;
	const bool is_cut = cut || whole > sizeof frame;
	uint32_t wirelen = whole;
	uint32_t caplen = is_cut ? payload : whole;
	uint32_t layer_flags = BPE_PKT_KEY;
	uint32_t flow[BPE_BATCH];

	write_segment_headers(frame + network, end, flags, seq, ack, options, bytes);
	if (!options && wirelen < 60 && !offload) {
		wirelen = 60; /* Ethernet's padding is no data */
		caplen = 60;
	}
	layer_flags |= ip6 ? BPE_PKT_IP6 : BPE_PKT_IP4;
	if (end)
		layer_flags |= BPE_PKT_REVERSED;
	const struct bpe_key key = tcp_test_key();
	const struct bpe_layers l = { .network = (uint16_t)network,
		.transport = (uint16_t)transport,
		.payload = (uint16_t)payload,
		.end = whole < caplen ? whole : caplen,
		.proto = BPE_PROTO_TCP,
		.ip_proto = 6,
		.tcp_flags = flags,
		.flags = (uint16_t)layer_flags };
	const uint8_t *const data = frame;
	const uint32_t hash = 77;
	const struct bpe_batch b = { .count = 1,
		.data = &data,
		.time_ns = &now,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &l,
		.key = &key,
		.hash = &hash };
	flow_clock_update(&timeline, table, &b, flow);
	last_flow = flow[0];
}

/* Returns the record of the connection. */
static struct bpe_flow get_tcp_record(void)
{
	struct bpe_flow f;
	struct bpe_key key = tcp_test_key();
	cr_assert_eq(bpei_table_get(table, last_flow, &key, &f), 1);
	return f;
}

/* Sends SYN, SYN-ACK 30 ms later, and ACK 10 ms later.  Both ends begin at `from`; the next number
 * is from + 1. */
static void send_handshake(uint32_t from)
{
	send_segment(0, SYN, from, 0, 0);
	now += 30 * MS;
	send_segment(1, SYN | ACK, from, from + 1, 0);
	now += 10 * MS;
	send_segment(0, ACK, from + 1, from + 1, 0);
}

/* Checks that a record has no anomalies. */
static void check_undisturbed(const struct bpe_flow *f)
{
	for (int k = 0; k < 2; k++)
		cr_assert_eq(f->retransmissions[k] + f->fast_retransmissions[k] +
				     f->spurious_retransmissions[k] + f->out_of_order[k] +
				     f->repeated_acks[k] + f->zero_windows[k] +
				     f->lost_segments[k] + f->unseen_acks[k] + f->keep_alives[k],
			0);
}

/* Sends a conversation without anomalies, and checks the record. */
static void run_whole_conversation(void)
{
	make_tcp_table();
	send_handshake(0xffffff00u); /* wraps round */
	uint32_t seq = 0xffffff01u;
	for (int k = 0; k < 20; k++) {
		now += MS;
		send_segment(0, ACK | PSH, seq, 0xffffff01u, offload ? 3000 : 300);
		seq += offload ? 3000 : 300;
		now += MS;
		send_segment(1, ACK, 0xffffff01u, seq, 0);
	}
	send_segment(0, FIN | ACK, seq, 0xffffff01u, 0);
	send_segment(1, FIN | ACK, 0xffffff01u, seq + 1, 0);
	send_segment(0, ACK, seq + 1, 0xffffff02u, 0);
	struct bpe_flow f = get_tcp_record();
	check_undisturbed(&f);
	cr_assert_str_eq(f.history, "ShADaFf");
	cr_assert_str_eq(bpe_flow_conn_state(&f), "SF");
	cr_assert_eq(f.tcp_state, BPE_TCP_CLOSED);
	cr_assert_eq(f.tcp_flags[0], SYN | ACK | PSH | FIN);
	cr_assert_eq(f.tcp_flags[1], SYN | ACK | FIN);
	cr_assert_leq(llabs(f.handshake_ns[1] - 30 * MS), 30 * MS / 1024);
	cr_assert_leq(llabs(f.handshake_ns[0] - 10 * MS), 10 * MS / 1024);
	cr_assert_eq(f.mss[0], 1500);
	cr_assert_eq(f.mss[1], 1460);
	cr_assert_eq(f.window_scale[0], 7);
	cr_assert_eq(f.window_scale[1], 2);
	cr_assert_eq(f.flags, BPE_FLOW_HEALTH);
	bpei_table_free(table);
}

Test(tcp, nothing_is_wrong_with_a_sound_conversation)
{
	for (int k = 0; k < 8; k++) {
		ip6 = k & 1;
		cut = k & 2;
		offload = k & 4;
		run_whole_conversation();
	}
}

/* Checks that round trips converge by an eighth a sample: 20 ms on the right and 5 on the left of
 * the tap, then 40 and 5.  A segment sent again gives no sample. */
Test(tcp, round_trips_are_smoothed_as_they_come)
{
	make_tcp_table();
	send_handshake(0);
	uint32_t seq[2] = { 1, 1 };
	double want[2] = { 0, 0 };
	cr_assert_eq(get_tcp_record().rtt_ns[0], -1);
	for (int k = 0; k < 30; k++) {
		int64_t right = (k < 15 ? 20 : 40) * MS;
		send_segment(0, ACK | PSH, seq[0], seq[1], 60);
		seq[0] += 60;
		if (k == 20) { /* sent again, and acknowledged an age later */
			now += 500 * MS;
			send_segment(0, ACK | PSH, seq[0] - 60, seq[1], 60);
		}
		now += right;
		send_segment(1, ACK | PSH, seq[1], seq[0], 40); /* carries data, too */
		if (k != 20)
			want[1] = want[1] > 0 ? want[1] * 7 / 8 + (double)right / 8 : (double)right;
		seq[1] += 40;
		now += 5 * MS;
		send_segment(0, ACK, seq[0], seq[1], 0);
		want[0] = want[0] > 0 ? want[0] * 7 / 8 + 5.0 * (double)MS / 8 : 5.0 * (double)MS;
		struct bpe_flow f = get_tcp_record();
		for (int e = 0; e < 2; e++)
			cr_assert_leq(llabs(f.rtt_ns[e] - (int64_t)want[e]), (int64_t)want[e] / 100,
				"round %d end %d: %lld, %lld", k, e, (long long)f.rtt_ns[e],
				(long long)want[e]);
	}
	bpei_table_free(table);
}

/* Checks that the shortcut for a first SYN has the result of the general path, for both ends.  A
 * SYN with data or other flags takes the general path. */
Test(tcp, a_first_syn_is_a_first_syn)
{
	static const struct {
		uint8_t flags;
		uint32_t bytes;
		const char *history;
	} rows[] = { { SYN, 0, "S" }, { SYN, 0, "S" }, { SYN, 10, "SD" }, { SYN | 0xc0, 0, "S" },
		{ SYN | FIN, 0, "Q" } };
	for (uint32_t k = 0; k < 2 * sizeof rows / sizeof *rows; k++) {
		const uint32_t end = k & 1;
		const uint32_t r = k / 2;
		make_tcp_table();
		send_segment(end, rows[r].flags, 100, 0, rows[r].bytes);
		struct bpe_flow f = get_tcp_record();
		cr_assert_str_eq(f.history, rows[r].history, "row %u: %s", r, f.history);
		cr_assert_eq(f.tcp_flags[0], rows[r].flags);
		cr_assert_eq(f.mss[0], end ? 1460 : 1500);
		cr_assert_eq(f.port[0], end ? 80 : 1000);
		send_segment(
			!end, SYN | ACK, 500, 101 + rows[r].bytes + !!(rows[r].flags & FIN), 0);
		send_segment(end, SYN, 100, 0, 0); /* sent again */
		cr_assert_eq(get_tcp_record().retransmissions[0], 1, "row %u", r);
		cr_assert_eq(get_tcp_record().unseen_acks[1], 0);
		bpei_table_free(table);
		ended_count = 0;
	}
}

/* Checks that a connection does not complete the RTT sample of the connection before in the same
 * entry. */
Test(tcp, a_round_ends_with_its_connection)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK | PSH, 1, 1, 60);
	now += MS;
	send_segment(0, RST, 61, 0, 0);
	now += MS;
	send_handshake(60);
	send_segment(1, ACK, 61, 61, 0); /* as if for the old connection */
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(get_tcp_record().rtt_ns[1], -1);
	bpei_table_free(table);
}

Test(tcp, a_lost_segment_and_its_fast_retransmission)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK, 1, 1, 100);
	now += MS;
	send_segment(0, ACK, 201, 1, 100); /* 101 is lost */
	for (int k = 0; k < 3; k++) {
		now += 40 * MS;
		send_segment(1, ACK, 1, 101, 0); /* the first is no duplicate */
		now += MS;
		send_segment(0, ACK, 301 + 100 * (uint32_t)k, 1, 100);
	}
	now += 50 * MS;
	send_segment(1, ACK, 1, 101, 0);
	now += MS;
	send_segment(0, ACK, 101, 1, 100);
	now += MS;
	send_segment(1, ACK, 1, 601, 0);
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.lost_segments[0], 1);
	cr_assert_eq(f.repeated_acks[1], 3);
	cr_assert_eq(f.retransmissions[0], 1);
	cr_assert_eq(f.fast_retransmissions[0], 1);
	cr_assert_eq(f.out_of_order[0], 0);
	cr_assert_eq(f.spurious_retransmissions[0], 0);
	cr_assert_str_eq(f.history, "ShADGaT");
}

Test(tcp, reordering_is_no_retransmission)
{
	make_tcp_table();
	send_handshake(0);
	uint32_t at = 1;
	for (int k = 0; k < 10; k++, at += 300) {
		now += 50 * MS;
		send_segment(0, ACK, at, 1, 100);
		now += MS / 10;
		send_segment(0, ACK, at + 200, 1, 100);
		now += MS / 10;
		send_segment(0, ACK, at + 100, 1, 100);
	}
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.out_of_order[0], 10);
	cr_assert_eq(f.lost_segments[0], 10);
	cr_assert_eq(f.retransmissions[0], 0);
}

Test(tcp, timed_out_and_spurious_retransmissions)
{
	make_tcp_table();
	send_segment(0, SYN, 0, 0, 0);
	now += 1000 * MS;
	send_segment(0, SYN, 0, 0, 0);
	now += 5 * MS;
	send_segment(1, SYN | ACK, 0, 1, 0);
	send_segment(0, ACK, 1, 1, 0);
	send_segment(0, ACK, 1, 1, 100);
	now += 300 * MS;
	send_segment(0, ACK, 1, 1, 100); /* not acknowledged */
	send_segment(1, ACK, 1, 101, 0);
	now += 300 * MS;
	send_segment(0, ACK, 1, 1, 100); /* acknowledged already */
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.retransmissions[0], 3);
	cr_assert_eq(f.spurious_retransmissions[0], 1);
	cr_assert_eq(f.fast_retransmissions[0], 0);
	cr_assert_leq(llabs(f.handshake_ns[1] - 5 * MS), 5 * MS / 1024); /* from the answered SYN */
	cr_assert_eq(ended_count, 0);
}

/* Sends a requested segment again, and checks that the record counts a fast retransmission, the
 * only retransmission.  Returns the record. */
static struct bpe_flow check_fast_retransmission(int64_t later_ns, uint32_t seq)
{
	now += later_ns;
	send_segment(0, ACK, seq, 1, 100);
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.retransmissions[0], 1);
	cr_assert_eq(f.fast_retransmissions[0], 1);
	return f;
}

/* Checks that two duplicate ACKs request a segment, even without an open hole, where the fast path
 * follows the ACKs. */
Test(tcp, two_repeated_acks_ask_for_a_segment)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK, 1, 1, 100);
	send_segment(1, ACK, 1, 101, 0);
	now += MS;
	send_segment(0, ACK, 101, 1, 100);
	for (int k = 0; k < 2; k++) {
		now += 30 * MS;
		send_segment(1, ACK, 1, 101, 0);
	}
	cr_assert_eq(check_fast_retransmission(5 * MS, 101).repeated_acks[1], 2);
	bpei_table_free(table);
}

/* Checks that a requested segment is a fast retransmission, even if the segment comes soon enough
 * after the next ones to be out of order. */
Test(tcp, a_fast_retransmission_in_a_full_flight)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK, 101, 1, 100); /* 1 is lost */
	for (uint32_t k = 0; k < 30; k++) {
		now += MS;
		send_segment(0, ACK, 201 + 100 * k, 1, 100);
	}
	for (int k = 0; k < 4; k++)
		send_segment(1, ACK, 1, 1, 0);
	struct bpe_flow f = check_fast_retransmission(10 * MS, 1);
	cr_assert_eq(f.out_of_order[0], 0);
	for (uint32_t k = 0; k < 2; k++) { /* The other end is 30 ms away: the segment comes within
					    * twice the round trip, or later. */
		uint32_t at = 1 + 1000 * k;
		send_segment(1, ACK, at + 100, 3201, 100);
		for (int i = 0; i < 3; i++)
			send_segment(0, ACK, 3201, at, 0);
		now += (k ? 70 : 31) * MS;
		send_segment(1, ACK, at, 3201, 100);
		send_segment(0, ACK, 3201, at + 200, 0);
		send_segment(1, ACK, at + 200, 3201, 800);
		send_segment(0, ACK, 3201, at + 1000, 0);
	}
	f = get_tcp_record();
	cr_assert_eq(f.retransmissions[1], 2);
	cr_assert_eq(f.fast_retransmissions[1], 1);
}

Test(tcp, a_keep_alive_excuses_its_answer_alone)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK, 1, 1, 100);
	send_segment(1, ACK, 1, 101, 0);
	window = 0;
	send_segment(0, ACK, 100, 1, 0);
	send_segment(1, ACK, 1, 101, 0); /* answered, with the window shut */
	window = 1000;
	send_segment(1, ACK, 1, 101, 0);
	send_segment(1, ACK, 1, 101, 0);
	cr_assert_eq(get_tcp_record().repeated_acks[1], 1);
	send_segment(0, ACK, 100, 1, 0); /* not answered */
	send_segment(0, ACK, 101, 1, 100);
	send_segment(1, ACK, 1, 101, 0);
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.repeated_acks[1], 2);
	cr_assert_eq(f.keep_alives[0], 2);
}

Test(tcp, windows_keep_alives_and_unseen_data)
{
	make_tcp_table();
	send_handshake(0);
	send_segment(0, ACK, 1, 1, 100);
	window = 0;
	send_segment(1, ACK, 1, 101, 0);
	window = 1000;
	now += 100 * MS;
	send_segment(1, ACK, 1, 101, 0); /* a window update is no repeated ACK */
	for (int k = 0; k < 3; k++) {
		now += 10000 * MS;
		send_segment(0, ACK, 100, 1, 0);
		now += MS;
		send_segment(1, ACK, 1, 101, 0);
	}
	send_segment(1, ACK, 1, 501, 0);
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.zero_windows[1], 1);
	cr_assert_eq(f.keep_alives[0], 3);
	cr_assert_eq(f.repeated_acks[1], 0);
	cr_assert_eq(f.unseen_acks[1], 1);
	cr_assert_eq(f.retransmissions[0], 0);
	cr_assert_str_eq(f.history, "ShADaw");
}

Test(tcp, a_syn_of_another_number_is_another_connection)
{
	make_tcp_table();
	send_handshake(1000);
	send_segment(0, ACK, 1001, 1001, 500);
	send_segment(0, SYN, 1000, 0, 0); /* sent again */
	cr_assert_eq(ended_count, 0);
	send_segment(0, SYN, 900000, 0, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_str_eq(bpe_flow_conn_state(&ended[0]), "S1");
	cr_assert_eq(get_tcp_record().packets[0], 1);
	send_segment(0, SYN, 900001, 0, 0); /* before any answer, too */
	cr_assert_eq(ended_count, 2);
	cr_assert_str_eq(bpe_flow_conn_state(&ended[1]), "S0");
}

Test(tcp, directions_inferred_and_simultaneous)
{
	make_tcp_table();
	send_segment(0, SYN | ACK, 0, 1, 0); /* the other end began */
	send_segment(1, ACK, 1, 1, 0);
	struct bpe_flow f = get_tcp_record();
	cr_assert_eq(f.port[0], 80);
	cr_assert_eq(f.flags, BPE_FLOW_MIDSTREAM | BPE_FLOW_HEALTH);
	cr_assert_str_eq(f.history, "^hA");
	bpei_table_free(table);
	make_tcp_table();
	send_segment(0, SYN, 0, 0, 0);
	send_segment(1, SYN, 5000, 0, 0);
	send_segment(0, SYN | ACK, 0, 5001, 0);
	send_segment(1, SYN | ACK, 5000, 1, 0);
	send_segment(0, ACK, 1, 5001, 0);
	f = get_tcp_record();
	cr_assert_eq(f.tcp_state, BPE_TCP_ESTABLISHED);
	cr_assert_str_eq(f.history, "SsHhA");
	cr_assert_str_eq(bpe_flow_conn_state(&f), "S1");
}

/* Chooses the fate of each segment at random, and checks that the counts are the counts of the
 * choices. */
Test(tcp, a_thousand_fates)
{
	uint64_t random = 88172645463325252u;
	uint32_t lost = 0;
	uint32_t late = 0;
	uint32_t again = 0;
	uint32_t seq = 1;
	make_tcp_table();
	send_handshake(0);
	for (int k = 0; k < 10000; k++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		uint32_t bytes = 1 + (uint32_t)(random >> 20) % 1460 + (random & 15 ? 1 : 0);
		now += 45 * MS;
		switch (random % 8) {
		case 0: /* lost before the capture, sent again after a time-out */
			send_segment(0, ACK, seq + bytes, 1, 50);
			now += 200 * MS;
			send_segment(0, ACK, seq, 1, bytes);
			lost++;
			again++;
			seq += bytes + 50;
			break;
		case 1: /* overtaken */
			send_segment(0, ACK, seq + bytes, 1, 50);
			now += MS;
			send_segment(0, ACK, seq, 1, bytes);
			lost++;
			late++;
			seq += bytes + 50;
			break;
		case 2: /* lost behind the capture */
			bytes += 1;
			send_segment(0, ACK, seq, 1, bytes);
			now += 200 * MS;
			send_segment(0, ACK, seq, 1, bytes);
			again++;
			seq += bytes;
			break;
		default:
			send_segment(0, ACK, seq, 1, bytes);
			seq += bytes;
		}
		send_segment(1, ACK, 1, seq, 0);
	}
	struct bpe_flow f = get_tcp_record();
	cr_assert(again > 2000 && late > 1000 && lost > 2000);
	cr_assert_eq(f.lost_segments[0], lost);
	cr_assert_eq(f.out_of_order[0], late);
	cr_assert_eq(f.retransmissions[0], again);
	cr_assert_eq(f.spurious_retransmissions[0] + f.unseen_acks[1] + f.repeated_acks[1], 0);
	cr_assert_eq(f.flags, BPE_FLOW_HEALTH);
}
