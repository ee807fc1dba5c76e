/* SPDX-License-Identifier: MIT */
/* Tests the live view without a terminal: rates, order and filter of the rows, the lines and
 * columns of every window, and the text in the lines. */
#include "tools/bpfengine/top.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define T0 1700000000000000000

static struct top_model m;
static struct top_shot shot;

static void make_top_model(void)
{
	cr_assert(top_model_init(&m));
	shot = (struct top_shot){ .flows = calloc(TOP_FLOWS, sizeof *shot.flows) };
	cr_assert(shot.flows);
}

static void free_top_model(void)
{
	top_model_free(&m);
	free(shot.flows);
}

static struct bpe_flow make_top_flow(uint32_t id, uint64_t packets, uint64_t bytes, int64_t first)
{
	struct bpe_flow f = { .size = sizeof f,
		.addr = { { 10, 0, (uint8_t)(id >> 8), (uint8_t)id }, { 192, 0, 2, 1 } },
		.port = { (uint16_t)(40000 + id), 443 },
		.ip_proto = 6,
		.ip_version = 4,
		.hash = id * 77,
		.tcp_state = BPE_TCP_ESTABLISHED,
		.packets = { packets / 2, packets - packets / 2 },
		.wire_bytes = { bytes / 3, bytes - bytes / 3 },
		.first_ns = first,
		.last_ns = first + SECOND,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.pid = -1 };
	return f;
}

static void add_top_flow(struct bpe_flow f)
{
	shot.flows[shot.count++] = f;
}

static void take_top_shot(double seconds, uint64_t alive, int64_t packet_ns)
{
	shot.stats.elapsed_ns = (uint64_t)(seconds * 1e9);
	shot.about =
		(struct bpe_flow_totals){ .packet_ns = packet_ns, .alive = alive, .recent = alive };
	top_model_take(&m, &shot);
	shot.count = 0;
}

static const struct top_row *find_top_row(uint32_t id)
{
	for (size_t i = 0; i < m.now.count; i++)
		if (m.rows[i].flow->hash == id * 77)
			return &m.rows[i];
	cr_assert_fail("flow %u is not there", id);
	return NULL;
}

Test(top, a_rate_is_what_a_flow_gained)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0)), add_top_flow(make_top_flow(2, 7, 500, T0));
	take_top_shot(2, 2, T0 + SECOND);
	cr_assert(m.first);
	cr_assert_float_eq(m.seconds, 2, 1e-9);
	cr_assert_eq(find_top_row(1)->new_bytes, 1000); /* the first shot: since the start */
	add_top_flow(make_top_flow(2, 17, 2500, T0)), add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(4.5, 2, T0 + 2 * SECOND);
	cr_assert_not(m.first);
	cr_assert_float_eq(m.seconds, 2.5, 1e-9);
	cr_assert_eq(find_top_row(2)->new_bytes, 2000);
	cr_assert_eq(find_top_row(2)->new_packets, 10);
	cr_assert_eq(find_top_row(1)->new_bytes, 0);
	cr_assert(find_top_row(1)->known);
	cr_assert_eq(m.rows[m.order[0]].flow->hash, 2 * 77);
	free_top_model();
}

/* Checks flows which begin anew: a period ended (counts went back), the key was opened
 * again, or the direction was corrected. */
Test(top, flows_that_begin_anew)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 100, 9000, T0));
	add_top_flow(make_top_flow(2, 100, 9000, T0));
	add_top_flow(make_top_flow(3, 100, 9000, T0));
	add_top_flow(make_top_flow(4, 100, 9000, T0));
	take_top_shot(1, 4, T0 + SECOND);
	add_top_flow(make_top_flow(1, 3, 200, T0));                 /* less than before */
	add_top_flow(make_top_flow(2, 150, 9900, T0 + 5 * SECOND)); /* more, and yet another flow */
	struct bpe_flow turned = make_top_flow(3, 110, 9500, T0);
	memcpy(turned.addr[0], (uint8_t[4]){ 192, 0, 2, 1 }, 4);
	memcpy(turned.addr[1], (uint8_t[4]){ 10, 0, 0, 3 }, 4);
	turned.port[0] = 443;
	turned.port[1] = 40003;
	add_top_flow(turned);
	add_top_flow(make_top_flow(4, 110, 9500, T0 - 5)); /* a packet out of order was the first */
	take_top_shot(2, 4, T0 + 6 * SECOND);
	cr_assert_eq(find_top_row(1)->new_bytes, 200);
	cr_assert_eq(find_top_row(1)->new_packets, 3);
	cr_assert_eq(find_top_row(2)->new_bytes, 9900);
	cr_assert_eq(find_top_row(3)->new_bytes, 500);
	cr_assert_eq(find_top_row(4)->new_bytes, 500);
	free_top_model();
}

/* Checks counters which wrap round after 64 bits. */
Test(top, counts_of_full_length)
{
	make_top_model();
	struct bpe_flow f = make_top_flow(1, 0, 0, T0);
	f.wire_bytes[0] = UINT64_MAX;
	f.wire_bytes[1] = 0;
	add_top_flow(f);
	take_top_shot(1, 1, T0);
	f.wire_bytes[1] = 101; /* the sum wrapped round: 100 */
	add_top_flow(f);
	take_top_shot(2, 1, T0);
	cr_assert_eq(find_top_row(1)->bytes, 100);
	cr_assert_eq(find_top_row(1)->new_bytes, 100);
	char text[TOP_LINE];
	struct top_layout l;
	for (int width = 1; width < 200; width++) {
		top_layout(&l, width, TOP_RATE, true);
		cr_assert(top_cells(top_text_row(text, &m, &l, &m.rows[0], true), true) <= width);
	}
	free_top_model();
}

Test(top, flows_that_come_back)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(1, 5, T0 + SECOND); /* four others were smaller, and left out */
	add_top_flow(make_top_flow(1, 10, 1000, T0)), add_top_flow(make_top_flow(2, 10, 900, T0)),
		add_top_flow(make_top_flow(3, 10, 800, T0 + SECOND));
	take_top_shot(2, 5, T0 + 2 * SECOND);
	cr_assert_not(find_top_row(2)->known); /* alive before: the growth is unknown */
	cr_assert_eq(find_top_row(2)->new_bytes, 0);
	cr_assert(find_top_row(3)->known); /* opened since */
	cr_assert_eq(find_top_row(3)->new_bytes, 800);
	add_top_flow(make_top_flow(2, 20, 1900, T0)),
		add_top_flow(make_top_flow(3, 10, 800, T0 + SECOND));
	take_top_shot(3, 2, T0 + 3 * SECOND); /* all flows */
	cr_assert_eq(find_top_row(2)->new_bytes, 1000);
	add_top_flow(make_top_flow(1, 12, 1200, T0)), add_top_flow(make_top_flow(2, 20, 1900, T0));
	take_top_shot(4, 2, T0 + 4 * SECOND);
	cr_assert(find_top_row(1)->known); /* new whatever the time stamp: the snapshot before
					had all flows */
	cr_assert_eq(find_top_row(1)->new_bytes, 1200);
	free_top_model();
}

/* Checks the rates after the end of the run.  Time stands still, so the rates of the last period
 * stay. */
Test(top, rates_of_a_run_that_is_over)
{
	make_top_model();
	add_top_flow(make_top_flow(1, 10, 1000, T0));
	take_top_shot(1, 1, T0);
	for (int k = 0; k < 3; k++) {
		add_top_flow(make_top_flow(1, 30, 4000, T0));
		take_top_shot(3, 1, T0);
		cr_assert_eq(find_top_row(1)->new_bytes, 3000);
		cr_assert_float_eq(m.seconds, 2, 1e-9);
	}
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

Test(top, a_full_list)
{
	make_top_model();
	for (int round = 1; round <= 3; round++) {
		for (uint32_t id = 0; id < TOP_FLOWS; id++) {
			struct bpe_flow f = make_top_flow(
				id, 10 * (uint64_t)round, 1000 * (uint64_t)round + id, T0);
			f.hash = id % 3; /* in three heaps */
			add_top_flow(f);
		}
		take_top_shot(round, TOP_FLOWS + 5, T0);
		for (uint32_t id = 0; id < TOP_FLOWS; id++) {
			cr_assert(m.rows[id].known);
			cr_assert_eq(m.rows[id].new_bytes, round == 1 ? 1000 + id : 1000);
		}
		cr_assert_eq(m.shown, TOP_FLOWS);
	}
	free_top_model();
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
	for (int sort = 0; sort < TOP_SORTS; sort++)
		for (int reverse = 0; reverse < 2; reverse++) {
			m.sort = (enum top_sort)sort;
			m.reverse = reverse;
			top_model_arrange(&m);
			cr_assert_eq(m.shown, 50);
			uint64_t seen = 0;
			for (size_t i = 0; i < 50; i++) {
				seen |= 1ull << m.order[i];
				if (!i)
					continue;
				const struct top_row *a = &m.rows[m.order[i - (size_t)reverse]];
				const struct top_row *b = &m.rows[m.order[i - !reverse]];
				/* a is not larger than b */
				switch (sort) {
				case TOP_RATE:
					cr_assert(a->new_bytes <= b->new_bytes);
					break;
				case TOP_BYTES:
					cr_assert(a->bytes <= b->bytes);
					break;
				case TOP_PACKETS:
					cr_assert(a->packets <= b->packets);
					break;
				case TOP_RETRANSMISSIONS:
					cr_assert(a->retransmissions <= b->retransmissions);
					break;
				case TOP_RTT:
					cr_assert(a->rtt_ns <= b->rtt_ns);
					break;
				default:
					cr_assert(a->age_ns <= b->age_ns);
					break;
				}
			}
			cr_assert_eq(seen, (1ull << 50) - 1);
			cr_assert(strlen(top_sort_name((enum top_sort)sort)) > 2);
		}
	free_top_model();
}

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
	f = make_top_flow(2, 5, 500, T0);
	add_top_flow(make_top_flow(1, 5, 500, T0)), add_top_flow(f),
		add_top_flow(make_top_flow(3, 5, 500, T0));
	take_top_shot(1, 3, T0);
	snprintf(m.filter, sizeof m.filter, "10.0.0.2");
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_eq(m.rows[m.order[0]].flow->hash, 2 * 77);
	free_top_model();
}

/* ---- Text ---- */

/* Checks whether all lines lie apart from each other and fit, in windows of 0 to 99 lines. */
Test(top, lines_of_every_height)
{
	for (int height = 0; height < 100; height++) {
		struct top_lines l;
		int used[8] = { 0 };
		int n = 0;
		top_lines(&l, height);
		const int one[] = { l.source, l.rate, l.drops, l.protocols, l.head, l.status };
		for (int i = 0; i < 6; i++)
			if (one[i] >= 0)
				used[n++] = one[i];
		for (int i = 0; i < n; i++) {
			cr_assert(used[i] < height);
			cr_assert(l.row_count <= 0 || used[i] < l.rows ||
				  used[i] >= l.rows + l.row_count);
			for (int k = 0; k < i; k++)
				cr_assert_neq(used[i], used[k]);
		}
		cr_assert_eq(n + (l.row_count > 0 ? l.row_count : 0), height, "%d lines of %d",
			n + l.row_count, height);
	}
}

Test(top, columns_of_every_width)
{
	for (int width = 0; width <= 300; width++)
		for (int sort = 0; sort < TOP_SORTS; sort++)
			for (int processes = 0; processes < 2; processes++) {
				struct top_layout l;
				int sum = -1;
				uint32_t ids = 0;
				top_layout(&l, width, (enum top_sort)sort, processes);
				for (uint32_t k = 0; k < l.count; k++) {
					cr_assert(l.column[k].width > 0);
					cr_assert(!k || l.column[k].id > l.column[k - 1].id);
					sum += l.column[k].width + 1;
					ids |= 1u << l.column[k].id;
				}
				cr_assert(sum <= width, "%d cells of %d", sum, width);
				if (width)
					cr_assert(ids & 1u << TOP_COLUMN_FROM);
				if (!processes)
					cr_assert_not(ids & 1u << TOP_COLUMN_PROCESS);
				if (width >= 28)
					cr_assert(ids & 1u << TOP_COLUMN_TO);
				static const uint32_t of[] = { TOP_COLUMN_RATE, TOP_COLUMN_BYTES,
					TOP_COLUMN_PACKETS, TOP_COLUMN_RETRANSMISSIONS,
					TOP_COLUMN_RTT, TOP_COLUMN_AGE };
				if (width >= 27)
					cr_assert(ids & 1u << of[sort], "width %d", width);
				if (width >= 140)
					cr_assert_eq(ids,
						processes ? 0xfff
							  : 0xfff & ~(1u << TOP_COLUMN_PROCESS));
			}
}

Test(top, what_stands_in_a_row)
{
	char text[TOP_LINE];
	struct top_layout l;
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	make_top_model();
	m.service = name_service_443;
	struct bpe_flow f = make_top_flow(1, 100, 200000, T0);
	f.handshake_ns[0] = 1500000;
	f.handshake_ns[1] = 2000000;
	f.retransmissions[0] = 3;
	f.pid = 7;
	memcpy(f.comm, "curl", 5);
	add_top_flow(f);
	inet_pton(AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666", f.addr[0]);
	f.ip_version = 6;
	f.hash = 9;
	add_top_flow(f);
	take_top_shot(2, 2, T0);
	cr_assert(m.processes);
	top_layout(&l, 140, TOP_RATE, true);
	cr_assert_str_eq(top_text_row(text, &m, &l, find_top_row(1), true),
		"10.0.0.1:40001           192.0.2.1:443            tcp     800 k      50   200 k      100 established     3.50     3     1.0 curl (7)        ");
	cr_assert_str_eq(top_text_head(text, &m, &l, false),
		"originator               responder                proto  bit/sv   pkt/s   bytes  packets state         rtt ms  retr  time s process         ");
	m.bytes = m.names = m.reverse = true;
	cr_assert_str_eq(top_text_row(text, &m, &l, find_top_row(1), true),
		"10.0.0.1:40001           192.0.2.1:https          tcp     100 k      50   200 k      100 established     3.50     3     1.0 curl (7)        ");
	cr_assert(strstr(top_text_head(text, &m, &l, true), " B/s\xe2\x96\xb2 "));
	top_layout(&l, 34, TOP_RATE, true); /* too narrow for the whole address: the port stays */
	cr_assert(strstr(top_text_row(text, &m, &l, &m.rows[1], true), "~]:40001 "), "%s", text);
	free_top_model();
}

Test(top, no_line_is_wider_than_its_window)
{
	char text[TOP_LINE];
	bool some;
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	make_top_model();
	struct bpe_flow f = make_top_flow(1, UINT64_MAX / 2, UINT64_MAX / 2, INT64_MIN / 2);
	memset(f.addr, 0xfe, sizeof f.addr);
	f.ip_version = 6;
	f.pid = INT32_MAX;
	f.last_ns = INT64_MAX;
	f.tcp_state = 200;
	f.ip_proto = 6;
	f.handshake_ns[0] = f.handshake_ns[1] = INT64_MAX / 4;
	f.retransmissions[0] = f.retransmissions[1] = UINT32_MAX;
	strcpy(f.comm, "\xe6\xbc\xa2\xe5\xad\x97 \xc3\xbc\x1b[31m\xff name");
	add_top_flow(f);
	shot.stats.kernel_dropped = shot.stats.dropped[0] = shot.stats.flows_evicted =
		shot.stats.wire_bytes = UINT64_MAX;
	shot.stats.kernel_known = BPE_KNOWN_DROPPED;
	for (shot.protocol_count = 0; shot.protocol_count < TOP_PROTOCOLS; shot.protocol_count++)
		snprintf(shot.protocols[shot.protocol_count].name, 32,
			"protocol-of-a-long-name-%zu", shot.protocol_count),
			shot.protocols[shot.protocol_count].packets = 1 + shot.protocol_count;
	take_top_shot(1e-9, 1, T0);
	for (int utf8 = 0; utf8 < 2; utf8++)
		for (int width = 0; width <= 250; width++) {
			struct top_layout l;
			top_layout(&l, width, TOP_BYTES, true);
			const char *lines[] = { top_text_row(text, &m, &l, &m.rows[0], utf8) };
			cr_assert(top_cells(lines[0], utf8) <= width);
			for (const char *s = text; *s; s++)
				cr_assert((unsigned char)*s >= 0x20 && *s != 0x7f &&
					  (utf8 || !(*s & 0x80)));
			cr_assert(top_cells(top_text_head(text, &m, &l, utf8), utf8) <= width);
			cr_assert(top_cells(top_text_rate(text, &m, width), utf8) <= width);
			cr_assert(top_cells(top_text_drops(text, &m, width, &some), utf8) <= width);
			cr_assert(top_cells(top_text_protocols(text, &m, width), utf8) <= width);
			cr_assert(top_cells(top_text_source(text, "savefile /tmp/\xc3\xbc.pcap",
						    1e9, "ended", width, utf8),
					  utf8) <= width);
			cr_assert(
				top_cells(top_text_cut(text, f.comm, width, utf8), utf8) <= width);
		}
	cr_assert_str_eq(top_text_cut(text, "a\x1b[31m\tb\xff\xc0\x80\xed\xa0\x80", 40, true),
		"a?[31m?b??????");
	cr_assert_str_eq(top_text_cut(text, "\xc3\xbc", 40, false), "??");
	cr_assert_str_eq(top_text_cut(text, "\xe6\xbc\xa2\xe5\xad\x97", 3, true),
		"\xe6\xbc\xa2"); /* two cells each */
	cr_assert_eq(top_cells("\xe6\xbc\xa2\xe5\xad\x97", true), 4);
	free_top_model();
}

Test(top, rates_and_drops_of_all)
{
	char text[TOP_LINE];
	bool some;
	make_top_model();
	shot.stats.read_packets = 1000;
	shot.stats.wire_bytes = 100000;
	shot.stats.kernel_dropped = 5;
	take_top_shot(1, 0, T0);
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel -  interface -  ring_full 0  stalled 0  duplicate 0");
	free_top_model();
	make_top_model();
	shot.stats.read_packets = 1000;
	shot.stats.wire_bytes = 100000;
	shot.stats.kernel_dropped = 5;
	shot.stats.kernel_known = BPE_KNOWN_DROPPED | BPE_KNOWN_INTERFACE_DROPPED;
	take_top_shot(1, 0, T0);
	cr_assert_str_eq(top_text_rate(text, &m, 200),
		"1.0 k packets/s  800 kbit/s  0 flows  in all 1.0 k packets, 100 kB");
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel 5  interface 0  ring_full 0  stalled 0  duplicate 0");
	cr_assert_not(some); /* from before somebody looked */
	shot.stats.kernel_known = BPE_KNOWN_DROPPED | BPE_KNOWN_INTERFACE_DROPPED;
	shot.stats.read_packets = 3000;
	shot.stats.wire_bytes = 300000;
	shot.stats.kernel_dropped = 15;
	shot.stats.dropped[BPE_DROP_RING_FULL] = 100;
	shot.stats.flows_active = 7;
	shot.protocol_count = 2;
	snprintf(shot.protocols[0].name, 32, "tcp"), snprintf(shot.protocols[1].name, 32, "udp");
	shot.protocols[0].packets = 100;
	shot.protocols[1].packets = 2000;
	take_top_shot(3, 0, T0);
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel 15 (+5/s)  interface 0  ring_full 100 (+50/s)  stalled 0  duplicate 0");
	cr_assert(some);
	cr_assert_str_eq(top_text_rate(text, &m, 200),
		"1.0 k packets/s  800 kbit/s  7 flows  in all 3.0 k packets, 300 kB");
	cr_assert_str_eq(top_text_protocols(text, &m, 200), "Packets/s  udp 1.0 k  tcp 50");
	shot.stats = m.now.stats;
	shot.stats.wire_bytes += 20;
	take_top_shot(5, 0, T0);
	cr_assert_str_eq(top_text_rate(text, &m, 200),
		"0 packets/s  80 bit/s  7 flows  in all 3.0 k packets, 300 kB");
	m.bytes = true;
	cr_assert_str_eq(top_text_rate(text, &m, 17), "0 packets/s  10 B");
	cr_assert(strstr(top_text_rate(text, &m, 200), " 10 B/s "));
	free_top_model();
}
