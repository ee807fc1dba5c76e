/* SPDX-License-Identifier: MIT */
/* Tests the text of the live view without a terminal: the lines and columns of every window, cut
 * addresses, histories, pages. */
#include "top_shots.h"

/* Checks whether all lines lie apart from each other and fit, in windows of 0 to 99 lines. */
Test(top_text, lines_of_every_height)
{
	for (int height = 0; height < 100; height++) {
		struct top_lines l;
		int used[16] = { 0 };
		int n = 0;
		top_lines(&l, height);
		const int one[] = { l.source, l.rate, l.drops, l.protocols, l.past, l.head,
			l.chosen, l.status, l.keys };
		for (int i = 0; i < 9; i++)
			if (one[i] >= 0)
				used[n++] = one[i];
		for (int i = 0; i < n; i++) {
			cr_assert(used[i] < height);
			cr_assert(l.row_count <= 0 || used[i] < l.rows ||
				  used[i] >= l.rows + l.row_count);
			for (int k = 0; k < i; k++)
				cr_assert_neq(used[i], used[k]);
		}
		cr_assert_eq(n + l.row_count, height, "%d lines of %d", n + l.row_count, height);
		if (height >= 15) { /* nothing is left out */
			cr_assert_eq(n, 9);
			cr_assert(l.row_count >= 6);
		}
	}
}

/* Returns the columns of a window as bits, and checks the sum of the widths. */
static uint32_t columns_of(int width, const int ends[2], struct top_layout *l)
{
	int sum = -1;
	uint32_t ids = 0;

	top_layout(l, &m, width, ends);
	for (uint32_t k = 0; k < l->count; k++) {
		cr_assert(l->column[k].width > 0);
		cr_assert(!k || l->column[k].id > l->column[k - 1].id);
		sum += l->column[k].width + 1;
		ids |= 1u << l->column[k].id;
	}
	cr_assert(sum <= width, "%d cells of %d", sum, width);
	return ids;
}

/* Checks every width, order and kind of list: while an end is too narrow, no column but the
 * sorted column is left. */
Test(top_text, addresses_are_cut_last)
{
	static const int needs[][2] = { { 9, 9 }, { 21, 21 }, { 25, 47 }, { 47, 47 } };
	make_top_model();
	for (int kind = 0; kind < 4 * TOP_SORTS * TOP_GROUPS * 2; kind++) {
		const int *ends = needs[kind % 4];
		m.sort = (enum top_sort)(kind / 4 % TOP_SORTS);
		m.group = (enum top_group)(kind / 4 / TOP_SORTS % TOP_GROUPS);
		m.shows_closed = kind / 4 / TOP_SORTS / TOP_GROUPS;
		m.has_processes = true;
		m.has_names = true;
		m.has_apps = true;
		const bool has_to = !m.group || m.group == TOP_GROUP_PAIR;
		for (int width = 0; width <= 300; width++) {
			struct top_layout l;
			const uint32_t ids = columns_of(width, ends, &l);
			const uint32_t sorted = 1u << top_sort_column(&m);
			const uint32_t others =
				ids & ~(sorted | 1u << TOP_COLUMN_FROM | 1u << TOP_COLUMN_TO);
			if (width)
				cr_assert(ids & 1u << TOP_COLUMN_FROM);
			if (width >= 30)
				cr_assert_eq(!(ids & 1u << TOP_COLUMN_TO), !has_to);
			if (others) {
				cr_assert(l.column[0].width >= ends[0]);
				cr_assert(!has_to || l.column[1].width >= ends[1]);
			}
			/* IPv4 with ports: both directions stand beside them in 60 cells */
			if (width >= 60 && !m.group && !m.shows_closed && ends[1] == 21 && !m.sort)
				cr_assert(others & 1u << TOP_COLUMN_OUT, "%d", width);
			if (width >= 30 && !(sorted & 1u << TOP_COLUMN_RTT))
				cr_assert(ids & sorted || (m.group && m.sort == TOP_RTT));
		}
	}
	free_top_model();
}

Test(top_text, an_address_is_cut_in_the_middle)
{
	char text[TOP_LINE];
	struct top_layout l;
	make_top_model();
	struct bpe_flow f = make_top_flow(1, 100, 200000, T0);
	inet_pton(AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666", f.addr[0]);
	inet_pton(AF_INET6, "2001:db8::1", f.addr[1]);
	f.ip_version = 6;
	add_top_flow(f);
	take_top_shot(2, 1, T0);
	int ends[2] = { 0, 0 };
	top_need_ends(ends, &m, &m.rows[0], true);
	cr_assert_eq(ends[0], (int)strlen("[2001:db8:1111:2222:3333:4444:5555:6666]:40001"));
	cr_assert_eq(ends[1], (int)strlen("[2001:db8::1]:443"));
	top_layout(&l, &m, 60, ends);
	cr_assert_str_eq(top_text_row(text, &m, &l, &m.rows[0], true),
		"[2001:db8:1111\xe2\x80\xa6"
		"444:5555:6666]:40001 [2001:db8::1]:443  800 k");
	cr_assert_str_eq(top_text_row(text, &m, &l, &m.rows[0], false),
		"[2001:db8:1111~444:5555:6666]:40001 [2001:db8::1]:443  800 k");
	for (int width = 19; width <= 120; width++) {
		top_layout(&l, &m, width, ends);
		top_text_row(text, &m, &l, &m.rows[0], false);
		cr_assert(strstr(text, "6]:40001 ") || width < 40, "%s", text);
		cr_assert(strstr(text, ":1]:443 ") || width < 40, "%s", text);
		cr_assert(!strncmp(text, "[2", 2) || (text[0] == '2' && width < 40), "%s", text);
	}
	free_top_model();
}

static const char *name_https(uint16_t port, uint8_t ip_proto)
{
	return port == 443 && ip_proto == 6 ? "https" : NULL;
}

Test(top_text, what_stands_in_a_row)
{
	char text[TOP_LINE];
	struct top_layout l;
	make_top_model();
	m.service = name_https;
	struct bpe_flow f = make_top_flow(1, 100, 200000, T0);
	f.handshake_ns[0] = 1500000;
	f.handshake_ns[1] = 2000000;
	f.retransmissions[0] = 3;
	f.pid = 7;
	memcpy(f.comm, "curl", 5);
	add_top_flow(f);
	take_top_shot(2, 1, T0);
	cr_assert(m.has_processes);
	top_layout(&l, &m, 172, (int[2]){ 14, 13 });
	cr_assert_str_eq(top_text_head(text, &m, &l, false),
		"originator      responder      proto   -> 2 s  <- 2 s   2 sv   10 s   40 s  pkt/s  bytes -> bytes <- bytes  packets state         rtt ms  retr   time s process             ");
	cr_assert_str_eq(top_text_row(text, &m, &l, &m.rows[0], true),
		"10.0.0.1:40001  192.0.2.1:443  tcp      200 k   600 k  800 k  800 k  800 k     50  200 k   50.0 k    150 k      100 established     3.50     3      1.0 curl (7)            ");
	m.bytes = m.names = m.reverse = true;
	m.average = 1;
	top_layout(&l, &m, 80, (int[2]){ 14, 15 });
	cr_assert_str_eq(top_text_head(text, &m, &l, true),
		"originator     responder       proto  -> 10 s <- 10 s  10 s\xe2\x96\xb2  bytes process     ");
	cr_assert_str_eq(top_text_row(text, &m, &l, &m.rows[0], true),
		"10.0.0.1:40001 192.0.2.1:https tcp     25.0 k  75.0 k  100 k  200 k curl (7)    ");
	free_top_model();
}

Test(top_text, an_identifier_is_no_port)
{
	char text[TOP_LINE];
	struct top_layout l;
	make_top_model();
	struct bpe_flow f = make_top_flow(1, 4, 400, T0);
	f.ip_proto = 1;
	f.tcp_state = 0;
	f.port[0] = f.port[1] = 4711;
	add_top_flow(f);
	take_top_shot(1, 1, T0);
	top_layout(&l, &m, 120, (int[2]){ 8, 9 });
	top_text_row(text, &m, &l, &m.rows[0], false);
	cr_assert(!strncmp(text, "10.0.0.1 ", 9), "%s", text);
	cr_assert(strstr(text, " 192.0.2.1 "), "%s", text);
	cr_assert(strstr(text, " id 4711 "), "%s", text);
	static struct top_page page;
	top_page_begin(&page, 80, false);
	top_page_flow(&page, &m, &m.rows[0], &f, false);
	bool has_identifier = false;
	for (size_t i = 0; i < page.count; i++)
		has_identifier |= !strncmp(top_page_line(&page, i), "icmp identifier ", 16);
	cr_assert(has_identifier);
	free_top_model();
}

/* ---- Lines around the list ---- */

Test(top_text, no_line_is_wider_than_its_window)
{
	char text[TOP_LINE];
	bool some;
	make_top_model();
	struct bpe_flow f = make_top_flow(1, UINT64_MAX / 2, UINT64_MAX / 2, INT64_MIN / 2);
	memset(f.addr, 0xfe, sizeof f.addr);
	f.ip_version = 6;
	f.pid = INT32_MAX;
	f.last_ns = INT64_MAX;
	f.tcp_state = 200;
	f.handshake_ns[0] = f.handshake_ns[1] = INT64_MAX / 4;
	f.retransmissions[0] = f.retransmissions[1] = UINT32_MAX;
	strcpy(f.comm, "\xe6\xbc\xa2\xe5\xad\x97 \xc3\xbc\x1b[31m\xff name");
	strcpy(f.names.server, "\x1b]0;title\a\xe2\x80\xae.example\xff");
	f.names.app = 255;
	add_top_flow(f);
	shot.stats.kernel_dropped = shot.stats.dropped[0] = shot.stats.flows_evicted =
		shot.stats.wire_bytes = UINT64_MAX;
	shot.stats.kernel_known = BPE_KNOWN_DROPPED;
	for (shot.protocol_count = 0; shot.protocol_count < TOP_PROTOCOLS; shot.protocol_count++) {
		snprintf(shot.protocols[shot.protocol_count].name, 32,
			"protocol-of-a-long-name-%zu", shot.protocol_count);
		shot.protocols[shot.protocol_count].packets = 1 + shot.protocol_count;
	}
	take_top_shot(1e-9, 1, T0);
	snprintf(m.filter, sizeof m.filter, "%s", "!nothing");
	const struct top_cursor cursor = { .at = 0 };
	const int ends[2] = { 46, 46 };
	for (int k = 0; k <= 2 * 250; k++) {
		const int width = k / 2;
		const bool utf8 = k % 2;
		struct top_layout l;
		top_layout(&l, &m, width, ends);
		cr_assert(top_cells(top_text_row(text, &m, &l, &m.rows[0], utf8), utf8) <= width);
		for (const char *s = text; *s; s++)
			cr_assert(
				(unsigned char)*s >= 0x20 && *s != 0x7f && (utf8 || !(*s & 0x80)));
		cr_assert(top_cells(top_text_head(text, &m, &l, utf8), utf8) <= width);
		cr_assert(top_cells(top_text_rate(text, &m, width), utf8) <= width);
		cr_assert(top_cells(top_text_drops(text, &m, width, &some), utf8) <= width);
		cr_assert(top_cells(top_text_protocols(text, &m, width), utf8) <= width);
		cr_assert(top_cells(top_text_past(text, &m, NULL, width, utf8), utf8) <= width);
		cr_assert(top_cells(top_text_status(text, &m, &cursor, "PAUSED", width, utf8),
				  utf8) <= width);
		top_text_source(text, &m, "savefile /tmp/\xc3\xbc.pcap", "ended", width, utf8);
		cr_assert(top_cells(text, utf8) <= width);
		cr_assert(top_cells(top_text_cut(text, f.comm, width, utf8), utf8) <= width);
	}
	cr_assert_str_eq(top_text_cut(text, "a\x1b[31m\tb\xff\xc0\x80\xed\xa0\x80", 40, true),
		"a?[31m?b??????");
	cr_assert_str_eq(top_text_cut(text, "\xc3\xbc", 40, false), "??");
	cr_assert_str_eq(top_text_cut(text, "\xe6\xbc\xa2\xe5\xad\x97", 3, true),
		"\xe6\xbc\xa2"); /* two cells each */
	cr_assert_eq(top_cells("\xe6\xbc\xa2\xe5\xad\x97", true), 4);
	free_top_model();
}

/* Checks the line of keys in any width: "h help" comes first, and the last entry is whole. */
Test(top_text, keys_are_never_cut)
{
	static const char *const last[] = { "h help", "q quit", "Enter details", "g group",
		"c closed", "/ filter", "s sort", "w average", "space pause", "r reverse",
		"u bytes", "n names" };
	char text[TOP_LINE];
	for (int width = 6; width < 200; width++) {
		bool ends_whole = false;
		top_text_keys(text, TOP_KEYS_LIST, width);
		cr_assert(!strncmp(text, "h help", 6));
		for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
			const size_t n = strlen(last[i]);
			ends_whole |=
				strlen(text) >= n && !strcmp(text + strlen(text) - n, last[i]);
		}
		cr_assert(ends_whole, "%s", text);
		if (width >= 59)
			cr_assert(strstr(text, "q quit   Enter details   g group   c closed"));
	}
	cr_assert(strstr(text, "n names"));
}

Test(top_text, rates_and_drops_of_all)
{
	char text[TOP_LINE];
	bool some;
	make_top_model();
	shot.stats.kernel_dropped = 5;
	take_top_shot(2, 0, T0);
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel -  interface -  ring_full 0  stalled 0  duplicate 0");
	cr_assert_str_eq(
		top_text_drops(text, &m, 60, &some), "Dropped  kernel -  interface -  by us 0");
	free_top_model();
	make_top_model();
	shot.stats.read_packets = 1000;
	shot.stats.wire_bytes = 100000;
	shot.stats.kernel_dropped = 5;
	shot.stats.kernel_known = BPE_KNOWN_DROPPED | BPE_KNOWN_INTERFACE_DROPPED;
	take_top_shot(2, 0, T0);
	cr_assert_str_eq(top_text_rate(text, &m, 200),
		"500 packets/s  400 kbit/s  0 flows  in all 1.0 k packets, 100 kB");
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel 5  interface 0  ring_full 0  stalled 0  duplicate 0");
	cr_assert_not(some); /* from before somebody looked */
	shot.stats = m.now.stats;
	shot.stats.read_packets = 3000;
	shot.stats.wire_bytes = 300000;
	shot.stats.kernel_dropped = 15;
	shot.stats.dropped[BPE_DROP_RING_FULL] = 100;
	shot.stats.flows_active = 7;
	shot.protocol_count = 2;
	snprintf(shot.protocols[0].name, 32, "tcp"), snprintf(shot.protocols[1].name, 32, "udp");
	shot.protocols[0].packets = 100;
	shot.protocols[1].packets = 2000;
	take_top_shot(4, 0, T0);
	cr_assert_str_eq(top_text_drops(text, &m, 200, &some),
		"Dropped  kernel 15 (+5/s)  interface 0  ring_full 100 (+50/s)  stalled 0  duplicate 0");
	cr_assert(some);
	cr_assert_str_eq(top_text_drops(text, &m, 70, &some),
		"Dropped  kernel 15 (+5/s)  interface 0  ring_full 100 (+50/s)");
	cr_assert_str_eq(top_text_rate(text, &m, 200),
		"1.0 k packets/s  800 kbit/s  7 flows  in all 3.0 k packets, 300 kB  10 s: 600 kbit/s");
	cr_assert_str_eq(top_text_protocols(text, &m, 200), "Packets/s  udp 1.0 k  tcp 50");
	shot.stats = m.now.stats;
	shot.stats.wire_bytes += 20;
	take_top_shot(6, 0, T0);
	m.bytes = true;
	cr_assert_str_eq(top_text_rate(text, &m, 20), "0 packets/s  10 B/s");
	cr_assert_str_eq(top_text_rate(text, &m, 17), "0 packets/s"); /* no rate without a unit */
	free_top_model();
}

Test(top_text, a_line_of_history)
{
	char text[TOP_LINE];
	make_top_model();
	for (int k = 1; k <= 8; k++) {
		shot.stats.wire_bytes += (uint64_t)(k == 3 ? 0 : k * 1000);
		add_top_flow(make_top_flow(1, 1, shot.stats.wire_bytes, T0));
		const uint64_t bytes = shot.stats.wire_bytes;
		take_top_shot(k, 1, T0);
		shot.stats.wire_bytes = bytes;
	}
	cr_assert_str_eq(top_text_past(text, &m, NULL, 80, true),
		"Link     \xe2\x96\x81\xe2\x96\x82 \xe2\x96\x84\xe2\x96\x85\xe2\x96\x86\xe2\x96\x87\xe2\x96\x88  peak 64.0 kbit/s");
	cr_assert_str_eq(
		top_text_past(text, &m, NULL, 80, false), "Link     _. -=+*#  peak 64.0 kbit/s");
	cr_assert_str_eq(
		top_text_past(text, &m, &m.rows[0], 34, false), "Chosen   =+*#  peak 64.0 kbit/s");
	cr_assert_str_eq(top_text_past(text, &m, NULL, 20, false), "Link     ");
	free_top_model();
}

/* ---- Pages ---- */

/* Returns whether a line of the page has both texts. */
static bool has_page_line(const struct top_page *p, const char *a, const char *b)
{
	for (size_t i = 0; i < p->count; i++)
		if (strstr(top_page_line(p, i), a) && strstr(top_page_line(p, i), b))
			return true;
	return false;
}

/* Checks the page of a flow for each column of the record, by the record's own list. */
Test(top_text, a_page_has_every_field)
{
	static char names[BPE_FORMAT_BYTES];
	static struct top_page page;
	make_top_model();
	struct bpe_flow f = make_top_flow(1, 100, 200000, T0);
	f.flags = BPE_FLOW_HEALTH | BPE_FLOW_LENGTHS | BPE_FLOW_TUNNEL;
	f.mss[0] = 1460;
	f.mss[1] = 1380;
	f.pid = 7;
	strcpy(f.comm, "a \"quoted\", name");
	f.vlan[0] = 77;
	f.zero_windows[1] = 31;
	add_top_flow(f);
	take_top_shot(2, 1, T0);
	top_page_begin(&page, 100, true);
	top_page_flow(&page, &m, &m.rows[0], &f, true);
	cr_assert(has_page_line(&page, "mss ", "1460 "));
	cr_assert(has_page_line(&page, "mss ", " 1380"));
	cr_assert(has_page_line(&page, "zero windows ", " 31"));
	cr_assert(has_page_line(&page, "vlan ", "77"));
	cr_assert(has_page_line(&page, "process ", "a \"quoted\", name"));
	cr_assert(has_page_line(&page, "rate, 2 s", "200 kbit/s"));
	cr_assert(has_page_line(&page, "first ", "2023-11-14 22:13:20 UTC"));
	cr_assert(bpe_flow_format(NULL, BPE_FORMAT_CSV, names, sizeof names) > 0);
	int fields = 0;
	for (char *name = strtok(names, ",\r\n"); name; name = strtok(NULL, ",\r\n")) {
		static const char *const ends[] = { "orig_", "resp_", "client_", "server_" };
		char title[64];
		for (size_t k = 0; k < 4; k++)
			if (!strncmp(name, ends[k], strlen(ends[k])))
				name += strlen(ends[k]);
		snprintf(title, sizeof title, "%s", name);
		if (!strcmp(name, "src") || !strcmp(name, "dst"))
			snprintf(title, sizeof title, "address");
		if (!strcmp(name, "sport") || !strcmp(name, "dport"))
			snprintf(title, sizeof title, "port");
		for (char *s = title; *s; s++)
			*s = *s == '_' ? ' ' : *s;
		strcat(title, " ");
		bool is_there = false;
		for (size_t i = 0; i < page.count; i++)
			is_there |= !strncmp(top_page_line(&page, i), title, strlen(title));
		cr_assert(is_there, "%s", title);
		fields++;
	}
	cr_assert(fields > 70);
	free_top_model();
}

/* Checks pages of every width: no line is wider, no word is lost. */
Test(top_text, pages_are_wrapped)
{
	static struct top_page page;
	make_top_model();
	top_page_begin(&page, 1000, false);
	top_page_help(&page, false);
	size_t letters = 0;
	for (size_t i = 0; i < page.count; i++)
		for (const char *s = top_page_line(&page, i); *s; s++)
			letters += *s != ' ';
	cr_assert(letters > 2000);
	for (int width = 12; width < 200; width++) {
		size_t found = 0;
		top_page_begin(&page, width, false);
		top_page_help(&page, false);
		for (size_t i = 0; i < page.count; i++) {
			cr_assert(top_cells(top_page_line(&page, i), false) <= width);
			for (const char *s = top_page_line(&page, i); *s; s++)
				found += *s != ' ';
		}
		cr_assert_eq(found, letters, "width %d: %zu of %zu", width, found, letters);
	}
	free_top_model();
}

/* Checks help for each key of the line of keys, and the title of each column. */
Test(top_text, help_is_complete)
{
	static struct top_page page;
	static char all[sizeof page.text];
	char keys[TOP_LINE], title[48];
	make_top_model();
	top_page_begin(&page, 1000, false);
	top_page_help(&page, false);
	for (size_t i = 0; i < page.count; i++) {
		strcat(all, "\n");
		strcat(all, top_page_line(&page, i));
	}
	top_text_keys(keys, TOP_KEYS_LIST, 400);
	for (char *item = strtok(keys, " "); item; item = strtok(NULL, " ")) {
		char line[32];
		snprintf(line, sizeof line, "\n%s ", item);
		cr_assert(strstr(all, line), "%s", item);
		item = strtok(NULL, " ");
		cr_assert(item);
	}
	for (int id = 0; id < TOP_COLUMNS; id++) {
		top_column_title(title, sizeof title, &m, (enum top_column_id)id);
		if (id == TOP_COLUMN_OUT || id == TOP_COLUMN_IN)
			title[2] = 0; /* without the average */
		cr_assert(strstr(all, title), "%s", title);
	}
	free_top_model();
}
