/* SPDX-License-Identifier: MIT */
/* Tests the rows of the live view without a terminal: rates, order, groups, filter, cursor, and the
 * flows that ended. */
#include "top_shots.h"

#include "tools/bpfengine/top_closed.h"

Test(top, a_rate_is_what_a_flow_gained)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	add_top_flow(make_top_flow(2, 7, 500, T0));
	take_top_shot(2, 2, T0 + SECOND);
	cr_assert(m.is_first);
	cr_assert_float_eq(top_rate_of(1, 0), 500, 1e-9); /* the first shot: since the start */
	add_top_flow(make_top_flow(2, 17, 2500, T0));
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(4.5, 2, T0 + 2 * SECOND);
	cr_assert_not(m.is_first);
	cr_assert_float_eq(m.seconds, 2.5, 1e-9);
	cr_assert_float_eq(top_rate_of(2, 0), 2000 / 2.5, 1e-9);
	cr_assert_float_eq(find_top_row(2)->rate[0][0], 500 / 2.5, 1e-9); /* a quarter goes out */
	cr_assert_float_eq(find_top_row(2)->packet_rate[0], 10 / 2.5, 1e-9);
	cr_assert_float_eq(top_rate_of(1, 0), 0, 1e-9);
	cr_assert(find_top_row(1)->known);
	cr_assert_eq(top_row_at(&m, 0)->flow->hash, 2 * 77);
	free_top_model();
}

/* Checks averages of a flow of 1,000 bytes a second for 30 s, then of 5,000, looked at four
 * times a second. */
Test(top, averages_over_2_10_and_40_seconds)
{
	uint64_t bytes = 0;
	make_top_model();
	for (int quarter = 1; quarter <= 4 * 60; quarter++) {
		bytes += quarter <= 120 ? 250 : 1250;
		add_top_flow(make_top_flow(1, 1, bytes, T0));
		take_top_shot(quarter * 0.25, 1, T0);
		cr_assert(m.window[0].seconds <= m.window[1].seconds);
		cr_assert(m.window[1].seconds <= m.window[2].seconds);
		if (quarter == 4 * 32) { /* two seconds of the faster time */
			cr_assert_float_eq(top_rate_of(1, 0), 5000, 1e-6);
			cr_assert(top_rate_of(1, 1) > 1600 && top_rate_of(1, 1) < 2000);
			cr_assert(top_rate_of(1, 2) > 1200 && top_rate_of(1, 2) < 1300);
		}
		if (quarter < 4 * 41)
			continue;
		cr_assert(m.window[0].seconds >= 1.5 && m.window[0].seconds <= 3);
		cr_assert(m.window[1].seconds >= 9.5 && m.window[1].seconds <= 11);
		cr_assert(m.window[2].seconds >= 39.5 && m.window[2].seconds <= 41);
	}
	cr_assert_float_eq(top_rate_of(1, 0), 5000, 1e-6);
	cr_assert_float_eq(top_rate_of(1, 1), 5000, 1e-6);
	cr_assert(top_rate_of(1, 2) > 3900 && top_rate_of(1, 2) < 4100);
	free_top_model();
}

/* Checks flows which begin anew: a period ended (counts went back), the key was opened
 * again, or the direction was corrected. */
Test(top, flows_that_begin_anew)
{
	make_top_model();
	for (uint32_t id = 1; id <= 4; id++)
		add_top_flow(make_top_flow(id, 100, 9000, T0));
	take_top_shot(3, 4, T0 + SECOND);
	add_top_flow(make_top_flow(1, 3, 200, T0));                 /* less than before */
	add_top_flow(make_top_flow(2, 150, 9900, T0 + 5 * SECOND)); /* more, and yet another flow */
	struct bpe_flow turned = make_top_flow(3, 110, 9500, T0);
	memcpy(turned.addr[0], (uint8_t[4]){ 192, 0, 2, 1 }, 4);
	memcpy(turned.addr[1], (uint8_t[4]){ 10, 0, 0, 3 }, 4);
	turned.port[0] = 443;
	turned.port[1] = 40003;
	turned.wire_bytes[0] = 6750 + 500; /* the former responder */
	turned.wire_bytes[1] = 2250;
	add_top_flow(turned);
	add_top_flow(make_top_flow(4, 110, 9500, T0 - 5)); /* a packet out of order was the first */
	take_top_shot(5, 4, T0 + 6 * SECOND);
	cr_assert_float_eq(top_rate_of(1, 0), 100, 1e-9);
	cr_assert_float_eq(find_top_row(1)->packet_rate[0], 1.5, 1e-9);
	cr_assert_float_eq(top_rate_of(2, 0), 4950, 1e-9);
	cr_assert_float_eq(find_top_row(3)->rate[0][0], 250, 1e-9);
	cr_assert_float_eq(find_top_row(3)->rate[0][1], 0, 1e-9);
	cr_assert_float_eq(top_rate_of(4, 0), 250, 1e-9);
	free_top_model();
}

Test(top, flows_that_come_back)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(1, 5, T0 + SECOND); /* four others were smaller, and left out */
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	add_top_flow(make_top_flow(2, 10, 900, T0));
	add_top_flow(make_top_flow(3, 10, 800, T0 + SECOND));
	take_top_shot(2, 5, T0 + 2 * SECOND);
	cr_assert_not(find_top_row(2)->known); /* alive before: the growth is unknown */
	cr_assert_float_eq(top_rate_of(2, 0), 0, 1e-9);
	cr_assert(find_top_row(3)->known); /* opened since */
	cr_assert_float_eq(top_rate_of(3, 0), 400, 1e-9);
	add_top_flow(make_top_flow(2, 20, 1900, T0));
	add_top_flow(make_top_flow(3, 10, 800, T0 + SECOND));
	take_top_shot(3, 2, T0 + 3 * SECOND); /* all flows */
	cr_assert(find_top_row(2)->known);
	cr_assert_float_eq(top_rate_of(2, 0), 1000, 1e-9); /* the second that was seen */
	cr_assert_float_eq(top_rate_of(2, 2), 1000, 1e-9);
	add_top_flow(make_top_flow(1, 12, 3000, T0));
	take_top_shot(4, 2, T0 + 4 * SECOND);
	/* flow 1 was missing for a second: the growth is spread over both */
	cr_assert_float_eq(top_rate_of(1, 0), 1000, 1e-9);
	free_top_model();
}

/* Checks the end of a run: all rates become averages over the whole run, looked at twice. */
Test(top, rates_of_a_run_that_is_over)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(1, 1, T0);
	for (int k = 0; k < 3; k++) {
		m.is_whole = true;
		add_top_flow(make_top_flow(1, 30, 4000, T0));
		take_top_shot(4, 1, T0);
		cr_assert_float_eq(top_rate_of(1, 0), 1000, 1e-9);
		cr_assert_float_eq(top_rate_of(1, 2), 1000, 1e-9);
		cr_assert_float_eq(m.seconds, 3, 1e-9);
	}
	free_top_model();
}

/* Checks that the time of a file is the time of the packets, not of reading. */
Test(top, rates_of_a_file_by_packet_time)
{
	make_top_model();
	m.is_file = true;
	take_top_shot(0.1, 0, 0); /* before the first packet */
	shot.stats.first_packet_ns = T0;
	shot.stats.last_packet_ns = T0 + 100 * SECOND;
	shot.stats.wire_bytes = 5000;
	shot.stats.read_packets = 50;
	add_top_flow(make_top_flow(1, 50, 5000, T0));
	take_top_shot(0.2, 1, T0 + 100 * SECOND);
	cr_assert_float_eq(top_rate_of(1, 0), 50, 1e-9);
	cr_assert_float_eq(top_run_seconds(&m), 100, 1e-9);
	char text[TOP_LINE];
	cr_assert(strstr(top_text_rate(text, &m, 100), "0 packets/s  400 bit/s  "), "%s", text);
	shot.stats.last_packet_ns = T0 + 200 * SECOND;
	shot.stats.wire_bytes = 45000;
	add_top_flow(make_top_flow(1, 90, 45000, T0));
	m.is_whole = true;
	take_top_shot(0.3, 1, T0 + 200 * SECOND);
	cr_assert_float_eq(top_rate_of(1, 0), 225, 1e-9);
	cr_assert(strstr(top_text_source(text, &m, "x.pcap", "ended", 80, false),
			  "x.pcap  200.0 s of packets  ended"),
		"%s", text);
	free_top_model();
}

Test(top, round_trips)
{
	make_top_model();
	struct bpe_flow f[4];
	for (uint32_t k = 0; k < 4; k++)
		f[k] = make_top_flow(k, 10, 1000, T0);
	f[1].handshake_ns[0] = 1000;
	f[1].handshake_ns[1] = 2000;
	f[2].handshake_ns[0] = 1000;
	f[2].handshake_ns[1] = 2000;
	f[2].rtt_ns[0] = 30;
	f[2].rtt_ns[1] = 40;
	f[3].handshake_ns[0] = 1000;
	f[3].handshake_ns[1] = 2000;
	f[3].rtt_ns[0] = 30; /* a half alone is no RTT */
	for (uint32_t k = 0; k < 4; k++)
		add_top_flow(f[k]);
	take_top_shot(1, 4, T0);
	cr_assert_eq(find_top_row(0)->rtt_ns, -1);
	cr_assert_eq(find_top_row(1)->rtt_ns, 3000);
	cr_assert_eq(find_top_row(2)->rtt_ns, 70);
	cr_assert_eq(find_top_row(3)->rtt_ns, 3000);
	free_top_model();
}

/* Checks full snapshots with colliding hashes, and then as many other flows: tracks run out. */
Test(top, a_full_list)
{
	make_top_model();
	for (int round = 1; round <= 5; round++) {
		const uint32_t base = round > 3 ? TOP_FLOWS * (uint32_t)round : 0;
		for (uint32_t id = 0; id < TOP_FLOWS; id++) {
			struct bpe_flow f = make_top_flow(
				base + id, 10 * (uint64_t)round, 1000 * (uint64_t)round + id, T0);
			f.addr[0][1] = (uint8_t)round > 3 ? (uint8_t)round : 0;
			f.hash = id % 3; /* in three heaps */
			add_top_flow(f);
		}
		take_top_shot(2 * round, TOP_FLOWS, T0);
		for (uint32_t id = 0; id < TOP_FLOWS; id++) {
			const double rate = m.rows[id].rate[0][0] + m.rows[id].rate[0][1];
			const double all = 1000.0 * round + id;
			cr_assert(m.rows[id].known);
			cr_assert_float_eq(rate, (round > 3 || round == 1 ? all : 1000) / 2, 1e-9);
		}
		cr_assert_eq(m.shown, TOP_FLOWS);
	}
	free_top_model();
}

/* Returns the value that orders the rows. */
static double value_of_row(const struct top_row *r, int sort)
{
	switch (sort) {
	case TOP_RATE:
		return r->rate[0][0] + r->rate[0][1];
	case TOP_BYTES:
		return (double)(r->bytes[0] + r->bytes[1]);
	case TOP_PACKETS:
		return (double)(r->packets[0] + r->packets[1]);
	case TOP_RETRANSMISSIONS:
		return (double)r->retransmissions;
	case TOP_RTT:
		return (double)r->rtt_ns;
	default:
		return (double)r->age_ns;
	}
}

Test(top, every_order_both_ways)
{
	make_top_model();
	for (uint32_t id = 0; id < 50; id++) {
		struct bpe_flow f = make_top_flow(id, id * 7 % 50 + 1, id * 11 % 50 * 100 + 60, T0);
		f.retransmissions[1] = id * 13 % 50;
		if (id % 5) {
			f.handshake_ns[0] = id * 17 % 50 * 1000;
			f.handshake_ns[1] = 5;
		}
		f.last_ns = T0 + id * 19 % 50 * SECOND;
		add_top_flow(f);
	}
	take_top_shot(1, 50, T0);
	for (int k = 0; k < 2 * TOP_SORTS; k++) {
		uint64_t seen = 0;
		m.sort = (enum top_sort)(k / 2);
		m.reverse = k % 2;
		top_model_arrange(&m);
		cr_assert_eq(m.shown, 50);
		for (size_t i = 0; i < 50; i++) {
			seen |= 1ull << m.order[i];
			if (!i)
				continue;
			const double a = value_of_row(top_row_at(&m, i - 1), k / 2);
			const double b = value_of_row(top_row_at(&m, i), k / 2);
			cr_assert(m.reverse ? a <= b : a >= b, "%d: %f %f", k, a, b);
		}
		cr_assert_eq(seen, (1ull << 50) - 1);
		cr_assert(strlen(top_sort_name(&m)) > 2);
	}
	free_top_model();
}

/* ---- Groups ---- */

/* Adds three flows: two from 10.0.0.1 to 192.0.2.1, one back from there to 10.0.0.1. */
static void add_flows_of_a_pair(void)
{
	struct bpe_flow f[3];
	for (uint32_t k = 0; k < 3; k++) {
		f[k] = make_top_flow(1, 10, 1000, T0);
		f[k].port[0] = (uint16_t)(50000 + k);
		f[k].hash = k;
		f[k].wire_bytes[0] = 100;
		f[k].wire_bytes[1] = 900;
	}
	memcpy(f[2].addr[0], (uint8_t[4]){ 192, 0, 2, 1 }, 4);
	memcpy(f[2].addr[1], (uint8_t[4]){ 10, 0, 0, 1 }, 4);
	f[2].port[1] = 22;
	f[2].retransmissions[0] = 4;
	f[1].pid = 7;
	strcpy(f[1].comm, "curl");
	for (uint32_t k = 0; k < 3; k++)
		add_top_flow(f[k]);
	take_top_shot(2, 3, T0);
}

Test(top, groups_have_the_sums_of_their_flows)
{
	make_top_model();
	add_flows_of_a_pair();
	m.group = TOP_GROUP_HOST;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct top_row *r = top_row_at(&m, i);
		const bool is_server = r->flow->addr[r->end][0] == 192;
		cr_assert_eq(r->flows, 3);
		cr_assert_eq(r->bytes[0], is_server ? 1900 : 1100); /* sent */
		cr_assert_eq(r->bytes[1], is_server ? 1100 : 1900);
		cr_assert_float_eq(r->rate[0][0], is_server ? 950 : 550, 1e-9);
		cr_assert_eq(r->retransmissions, 4);
	}
	m.group = TOP_GROUP_PAIR;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_eq(top_row_at(&m, 0)->flows, 3);
	cr_assert_eq(top_row_at(&m, 0)->bytes[0], 1100);
	m.group = TOP_GROUP_SERVICE;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	cr_assert_eq(top_row_at(&m, 0)->bytes[1], 1800);
	cr_assert_eq(top_row_at(&m, 1)->flow->port[1], 22);
	m.group = TOP_GROUP_PROCESS;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	cr_assert_eq(top_row_at(&m, 0)->flows, 2); /* without a known process */
	cr_assert_eq(top_row_at(&m, 1)->flow->pid, 7);
	free_top_model();
}

Test(top, the_flows_of_a_group)
{
	make_top_model();
	add_flows_of_a_pair();
	add_top_flow(make_top_flow(9, 5, 600, T0));
	add_top_flow(make_top_flow(1, 5, 600, T0));
	take_top_shot(3, 2, T0);
	m.within.group = TOP_GROUP_HOST;
	m.within.flow = make_top_flow(1, 0, 0, 0);
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_eq(top_row_at(&m, 0)->flow->hash, 77);
	m.within.end = 1; /* 192.0.2.1, which both talk with */
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	for (int group = 0; group < TOP_GROUPS; group++)
		cr_assert(strlen(top_group_name((enum top_group)group)) > 3);
	free_top_model();
}

/* Checks hosts that talk to themselves, and as many groups as flows. */
Test(top, every_flow_in_a_group_of_its_own)
{
	make_top_model();
	for (uint32_t id = 0; id < TOP_FLOWS; id++) {
		struct bpe_flow f = make_top_flow(id, 2, 100, T0);
		memcpy(f.addr[1], f.addr[0], 16);
		if (id % 2)
			f.addr[1][1] = 77;
		f.port[1] = (uint16_t)(1 + id);
		add_top_flow(f);
	}
	take_top_shot(1, TOP_FLOWS, T0);
	m.group = TOP_GROUP_HOST;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, TOP_FLOWS + TOP_FLOWS / 2);
	m.group = TOP_GROUP_SERVICE;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, TOP_FLOWS);
	free_top_model();
}

/* ---- Filter ---- */

/* Returns the name of the only service that has a name. */
static const char *name_service_443(uint16_t port, uint8_t ip_proto)
{
	return port == 443 && ip_proto == 6 ? "https" : NULL;
}

Test(top, filters)
{
	static const struct {
		const char *filter;
		bool matches;
	} rows[] = {
		{ "", true },
		{ "   ", true },
		{ "10.0.0.1", true },
		{ "10.0.0.2", false },
		{ ":443", true },
		{ ":40001", true },
		{ ":44", false },
		{ ":4000", false },
		{ ":443x", false },
		{ ":999999", false },
		{ ":80", false },
		{ ":0", false },
		{ "tcp", true },
		{ "TCP", true },
		{ "udp", false },
		{ "tcp 192.0.2", true },
		{ "tcp 192.0.3", false },
		{ "!tcp", false },
		{ "!udp", true },
		{ "!udp  :443", true },
		{ "!udp !established", false },
		{ "estab", true },
		{ "curl", true },
		{ "CuRL", true },
		{ "(812)", true },
		{ "wget", false },
		{ "https", true },
		{ ":http", true },
		{ "!", true },
		{ "curl !firefox", true },
		{ "192.0.2.1:443", true },
	};
	make_top_model();
	struct bpe_flow f = make_top_flow(1, 5, 500, T0);
	f.pid = 812;
	memcpy(f.comm, "curl", 5);
	m.service = name_service_443;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_eq(
			top_matches(&m, &f, rows[i].filter), rows[i].matches, "%s", rows[i].filter);
	f.pid = -1;
	cr_assert_not(top_matches(&m, &f, "curl"));
	memset(f.comm, 'x', sizeof f.comm); /* not ended by 0 */
	f.pid = 1;
	cr_assert(top_matches(&m, &f, "xxxx"));
	f.ip_proto = 1; /* the identifier of an echo is no port */
	cr_assert_not(top_matches(&m, &f, ":443"));
	cr_assert_not(top_matches(&m, &f, "443"));
	for (uint32_t id = 1; id <= 3; id++)
		add_top_flow(make_top_flow(id, 5, 500, T0));
	take_top_shot(1, 3, T0);
	snprintf(m.filter, sizeof m.filter, "10.0.0.2");
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_eq(top_row_at(&m, 0)->flow->hash, 2 * 77);
	free_top_model();
}

/* ---- Flows that ended ---- */

Test(top, the_latest_flows_that_ended)
{
	struct top_closed closed;
	struct bpe_flow copy[3];
	uint64_t all;
	cr_assert(top_closed_init(&closed, 3));
	cr_assert_eq(top_closed_copy(&closed, copy, &all), 0);
	static const uint8_t ends[] = { BPE_END_CLOSED, BPE_END_STOP, BPE_END_IDLE, BPE_END_ACTIVE,
		BPE_END_DUMPED, BPE_END_EVICTED, BPE_END_CLOSED, BPE_END_NONE };
	for (uint32_t id = 0; id < sizeof ends; id++) {
		struct bpe_flow f = make_top_flow(id, 1, 100, T0);
		f.end = ends[id];
		top_closed_add(&closed, &f);
	}
	cr_assert_eq(top_closed_copy(&closed, copy, &all), 3);
	cr_assert_eq(all, 4);
	cr_assert_eq(copy[0].hash, 6 * 77);
	cr_assert_eq(copy[1].hash, 5 * 77);
	cr_assert_eq(copy[2].hash, 2 * 77);
	top_closed_free(&closed);
	top_closed_free(&closed);
}

Test(top, the_list_of_flows_that_ended)
{
	char text[TOP_LINE];
	struct top_layout l;
	make_top_model();
	for (uint32_t id = 0; id < 4; id++) {
		m.closed[id] = make_top_flow(id, 5, 500 + id, T0);
		m.closed[id].end = id == 2 ? BPE_END_IDLE : BPE_END_CLOSED;
	}
	m.closed_count = 4;
	m.closed_all = 9000;
	m.shows_closed = true;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 4);
	cr_assert_eq(top_row_at(&m, 0)->flow->hash, 0); /* the latest first */
	cr_assert_str_eq(top_sort_name(&m), "latest");
	top_layout(&l, &m, 100, (int[2]){ 14, 13 });
	cr_assert(strstr(top_text_head(text, &m, &l, false), " endv "), "%s", text);
	cr_assert_not(strstr(text, "2 s"));
	cr_assert(
		strstr(top_text_row(text, &m, &l, top_row_at(&m, 2), false), " idle "), "%s", text);
	const struct top_cursor cursor = { .at = 0 };
	cr_assert_str_eq(top_text_status(text, &m, &cursor, "", 100, false),
		"closed flows by latest  1/4  of the latest 4 of 9.0 k closed");
	m.sort = TOP_BYTES;
	top_model_arrange(&m);
	cr_assert_eq(top_row_at(&m, 0)->flow->hash, 3 * 77);
	m.group = TOP_GROUP_SERVICE;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_eq(top_row_at(&m, 0)->flows, 4);
	snprintf(m.filter, sizeof m.filter, "idle");
	top_model_arrange(&m);
	cr_assert_eq(top_row_at(&m, 0)->flows, 1);
	free_top_model();
}

/* ---- Cursor ---- */

/* Takes ten flows; the flow `big` is the largest. */
static void take_ten_flows(double seconds, uint32_t big)
{
	for (uint32_t id = 0; id < 10; id++)
		add_top_flow(make_top_flow(id, 10, id == big ? 100000 : 1000 - id, T0));
	take_top_shot(seconds, 10, T0);
}

Test(top, the_cursor_stays_with_its_flow)
{
	struct top_cursor c = { .at = 0 };
	make_top_model();
	m.sort = TOP_BYTES;
	top_cursor_settle(&c, &m, 4); /* an empty list */
	top_cursor_move(&c, &m, TOP_MOVE_END, 0, 4);
	cr_assert_eq(c.at, 0);
	take_ten_flows(1, 0);
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.flow.hash, 0);
	top_cursor_move(&c, &m, TOP_MOVE_LINES, 2, 4);
	cr_assert_eq(c.flow.hash, 2 * 77);
	take_ten_flows(2, 9); /* flow 9 comes first, the others move down */
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.flow.hash, 2 * 77);
	cr_assert_eq(c.at, 3);
	cr_assert_eq(top_cursor_find(&c, &m)->flow->hash, 2 * 77);
	take_ten_flows(2.5, 2); /* to the first place, which is in the window */
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.at, 0);
	cr_assert_eq(c.flow.hash, 2 * 77);
	top_cursor_move(&c, &m, TOP_MOVE_LINES, 7, 4);
	cr_assert_eq(c.at, 7);
	cr_assert_eq(c.first, 4);
	cr_assert_eq(c.flow.hash, 7 * 77);
	take_ten_flows(2.7, 7); /* out of the window: the cursor keeps its place */
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.at, 7);
	cr_assert_eq(c.first, 4);
	cr_assert_eq(c.flow.hash, 6 * 77);
	top_cursor_move(&c, &m, TOP_MOVE_END, 0, 4);
	cr_assert_eq(c.at, 9);
	cr_assert_eq(c.first, 6);
	top_cursor_move(&c, &m, TOP_MOVE_LINES, -100, 4);
	cr_assert_eq(c.at, 0);
	take_ten_flows(3, 5); /* at home the cursor takes whatever is first */
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.at, 0);
	cr_assert_eq(c.flow.hash, 5 * 77);
	free_top_model();
}

Test(top, a_cursor_whose_flow_has_ended)
{
	struct top_cursor c = { .at = 0 };
	make_top_model();
	m.sort = TOP_BYTES;
	take_ten_flows(1, 0);
	top_cursor_move(&c, &m, TOP_MOVE_LINES, 9, 4);
	cr_assert_eq(c.flow.hash, 9 * 77);
	m.closed[0] = make_top_flow(9, 11, 1200, T0 + 5); /* a later flow of the same key */
	m.closed[1] = make_top_flow(9, 11, 1100, T0);
	m.closed_count = 2;
	struct top_cursor detail = c;
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(2, 1, T0);
	cr_assert_null(top_cursor_find(&detail, &m));
	cr_assert(top_cursor_find_closed(&detail, &m));
	cr_assert_eq(detail.flow.wire_bytes[0] + detail.flow.wire_bytes[1], 1100);
	top_cursor_settle(&c, &m, 4);
	cr_assert_eq(c.at, 0);
	cr_assert_eq(c.flow.hash, 77);
	free_top_model();
}
