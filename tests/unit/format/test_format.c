/* SPDX-License-Identifier: MIT */
/* Tests of records as lines: whole lines against expected text, each optional member present and
 * absent, text that needs escaping, and too little room. */
#include "format/formats.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct bpe_flow make_plain_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.ip_proto = 17,
		.ip_version = 4,
		.addr = { { 10, 0, 0, 1 }, { 192, 168, 255, 254 } },
		.port = { 5353, 53 },
		.packets = { 2, 1 },
		.wire_bytes = { 120, 90 },
		.captured_bytes = { 120, 80 },
		.first_ns = 1700000000123456789,
		.last_ns = 1700000001000000000,
		.hash = 4000000000u,
		.worker = 3,
		.end = BPE_END_IDLE,
		.pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };
	return f;
}

static struct bpe_flow make_tcp_flow(void)
{
	struct bpe_flow f = make_plain_flow();
	f.ip_proto = 6;
	f.ip_version = 6;
	f.flags = BPE_FLOW_HEALTH | BPE_FLOW_LENGTHS;
	inet_pton(AF_INET6, "2001:db8::1", f.addr[0]);
	inet_pton(AF_INET6, "fe80:0:0:1::", f.addr[1]);
	f.port[1] = 443;
	f.tcp_state = BPE_TCP_CLOSED;
	f.tcp_flags[0] = 0x1b;
	f.tcp_flags[1] = 0x12;
	f.end = BPE_END_CLOSED;
	strcpy(f.history, "ShADaFf");
	f.handshake_ns[0] = 1500000;
	f.handshake_ns[1] = 2000000000;
	f.mss[0] = 1440;
	f.window_scale[1] = 7;
	f.ip_bytes[0] = 100;
	f.ip_bytes[1] = 70;
	f.payload_bytes[0] = 9;
	f.payload_bytes[1] = 18446744073709551615u;
	return f;
}

static const char *format_flow_line(const struct bpe_flow *f, uint32_t format)
{
	static char text[BPE_FORMAT_BYTES];
	int n = bpe_flow_format(f, format, text, sizeof text);
	cr_assert_eq(n, (int)strlen(text));
	return text;
}

/* Replaces the letters and digits of the hash behind `before`: each letter by `by`, or a whole
 * number by one "0". */
static const char *mask_varying(const char *text, const char *before, const char *by)
{
	static char to[BPE_FORMAT_BYTES];
	const char *at = strstr(text, before);
	cr_assert_not_null(at);
	at += strlen(before);
	size_t n = strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	size_t used = (size_t)(at - text);
	cr_assert_gt(n, 5);
	memcpy(to, text, used);
	for (size_t i = 0; i < (*by == '0' ? 1 : n); i++)
		to[used++] = *by;
	strcpy(to + used, at + n);
	return to;
}

Test(format, whole_lines)
{
	struct bpe_flow u = make_plain_flow();
	struct bpe_flow t = make_tcp_flow();
	cr_expect_str_eq(format_flow_line(&u, BPE_FORMAT_JSON),
		"{\"schema\":\"bpfengine.flow/1\",\"src\":\"10.0.0.1\",\"sport\":5353,\"dst\":\"192.168.255.254\",\"dport\":53,\"proto\":\"udp\","
		"\"ip_proto\":17,\"ip\":4,\"first\":1700000000.123456789,\"duration\":0.876543211,\"packets\":[2,1],\"wire_bytes\":[120,90],\"captured_bytes\":[120,80],"
		"\"conn_state\":\"SF\",\"community_id\":\"1:08nTjJzwxF4lfHj6Kl6DoiwOUZ0=\",\"end\":\"idle\",\"hash\":4000000000,\"worker\":3}\n");
	cr_expect_str_eq(mask_varying(format_flow_line(&t, BPE_FORMAT_ZEEK), "\"uid\":\"C", "x"),
		"{\"ts\":1700000000.123456,\"uid\":\"Cxxxxxxxxxxxxxxxxx\",\"id.orig_h\":\"2001:db8::1\",\"id.orig_p\":5353,"
		"\"id.resp_h\":\"fe80:0:0:1::\",\"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":0.876543,\"orig_bytes\":9,\"resp_bytes\":18446744073709551615,"
		"\"conn_state\":\"SF\",\"missed_bytes\":0,\"history\":\"ShADaFf\",\"orig_pkts\":2,\"orig_ip_bytes\":100,\"resp_pkts\":1,\"resp_ip_bytes\":70,\"ip_proto\":6,"
		"\"community_id\":\"1:BlhKi57GsjtQNvTtq+cPYkfUhJA=\"}\n");
	cr_expect_str_eq(mask_varying(format_flow_line(&t, BPE_FORMAT_EVE), "\"flow_id\":", "0"),
		"{\"timestamp\":\"2023-11-14T22:13:21.000000+0000\",\"flow_id\":0,\"event_type\":\"flow\",\"src_ip\":\"2001:db8::1\",\"src_port\":5353,"
		"\"dest_ip\":\"fe80:0:0:1::\",\"dest_port\":443,\"ip_v\":6,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":2,\"pkts_toclient\":1,\"bytes_toserver\":120,\"bytes_toclient\":90,"
		"\"start\":\"2023-11-14T22:13:20.123456+0000\",\"end\":\"2023-11-14T22:13:21.000000+0000\",\"age\":1,\"state\":\"closed\",\"reason\":\"timeout\"},"
		"\"community_id\":\"1:BlhKi57GsjtQNvTtq+cPYkfUhJA=\",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"12\",\"fin\":true,\"syn\":true,\"psh\":true,"
		"\"ack\":true,\"state\":\"closed\"}}\n");
	cr_expect_str_eq(format_flow_line(&u, BPE_FORMAT_ECS),
		"{\"@timestamp\":\"2023-11-14T22:13:21.000000000Z\",\"ecs\":{\"version\":\"8.11.0\"},\"event\":{\"kind\":\"event\",\"category\":[\"network\"],"
		"\"type\":[\"connection\",\"end\"],\"module\":\"bpfengine\",\"dataset\":\"bpfengine.flow\",\"start\":\"2023-11-14T22:13:20.123456789Z\",\"end\":\"2023-11-14T22:13:21.000000000Z\","
		"\"duration\":876543211,\"reason\":\"idle\"},\"source\":{\"ip\":\"10.0.0.1\",\"port\":5353,\"bytes\":120,\"packets\":2},\"destination\":{\"ip\":\"192.168.255.254\",\"port\":53,"
		"\"bytes\":90,\"packets\":1},\"network\":{\"type\":\"ipv4\",\"transport\":\"udp\",\"iana_number\":\"17\",\"bytes\":210,\"packets\":3,"
		"\"community_id\":\"1:08nTjJzwxF4lfHj6Kl6DoiwOUZ0=\"},\"bpfengine\":{\"conn_state\":\"SF\"}}\n");
	cr_expect_str_eq(format_flow_line(&u, BPE_FORMAT_CSV),
		"1700000000.123456789,1700000001.000000000,10.0.0.1,5353,192.168.255.254,53,udp,17,4,,,2,1,120,90,120,80,"
		",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,SF,1:08nTjJzwxF4lfHj6Kl6DoiwOUZ0=,,,,false,,false,false,,,,,idle,4000000000,3,0,0,0,0,,,,,,,,,"
		",,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n");
}

/* Checks for the member in both formats with room for all members. */
static void check_both_formats(struct bpe_flow f, const char *json, const char *csv, bool there)
{
	cr_expect_eq(!!strstr(format_flow_line(&f, BPE_FORMAT_JSON), json), there, "%s in %s", json,
		format_flow_line(&f, BPE_FORMAT_JSON));
	cr_expect_eq(!!strstr(format_flow_line(&f, BPE_FORMAT_CSV), csv), there, "%s in %s", csv,
		format_flow_line(&f, BPE_FORMAT_CSV));
}

Test(format, optional_members)
{
	struct bpe_flow f = make_plain_flow(), with;
#define WITH(json, csv, ...)                                                                       \
	do {                                                                                       \
		with = f;                                                                          \
		__VA_ARGS__;                                                                       \
		check_both_formats(f, json, csv, false);                                           \
		check_both_formats(with, json, csv, true);                                         \
	} while (0)
	WITH(",\"vlan\":[4094]", ",4,4094,,", with.vlan[0] = 4094);
	WITH(",\"vlan\":[4,7]", ",4,4,7,", with.vlan[0] = 4, with.vlan[1] = 7);
	WITH(",\"ip_bytes\":[60,0],\"payload_bytes\":[0,8]", ",60,0,0,8,",
		with.flags = BPE_FLOW_LENGTHS, with.ip_bytes[0] = 60, with.payload_bytes[1] = 8);
	WITH(",\"unwritten_packets\":[60,0],\"unwritten_bytes\":[8,18446744073709551615],",
		",60,0,8,18446744073709551615,", with.flags = BPE_FLOW_CUTOFF,
		with.unwritten_packets[0] = 60, with.unwritten_bytes[0] = 8,
		with.unwritten_bytes[1] = UINT64_MAX);
	WITH(",\"icmp_type\":3,\"icmp_code\":13", ",3,13,", with.ip_proto = 1,
		with.flags = BPE_FLOW_ICMP, with.icmp_type = 3, with.icmp_code = 13);
	WITH(",\"tunnel\":true", ",true,,false,false,", with.flags = BPE_FLOW_TUNNEL);
	WITH(",\"direction\":\"port\"", ",false,port,false,", with.flags = BPE_FLOW_BY_PORT);
	WITH(",\"continued\":true", ",false,,true,false,", with.flags = BPE_FLOW_CONTINUED);
	WITH(",\"cut\":true", ",false,,false,true,", with.flags = BPE_FLOW_CUT);
	WITH(",\"interface\":\"en0\"", ",en0,,,", strcpy(with.interface_name, "en0"));
	WITH(",\"interface_index\":9", ",,9,,", with.interface_index = 9);
	WITH(",\"interface_id\":0", ",,,0,", with.flags = BPE_FLOW_INTERFACE_ID);
	WITH(",\"pid\":77,\"process\":\"Mail\"", ",77,Mail,,,", with.pid = 77,
		strcpy(with.comm, "Mail"));
	WITH(",\"effective_pid\":78,\"effective_process\":\"x\"", ",77,,78,x,", with.pid = 77,
		with.effective_pid = 78, strcpy(with.effective_comm, "x"));
	WITH(",\"icmp_errors\":[0,4000000000]", ",0,4000000000,0,0",
		with.icmp_errors[1] = 4000000000u);
	WITH(",\"duplicates\":[5,0]", ",0,0,5,0", with.duplicates[0] = 5);
	WITH(",\"end\":\"snapshot\"", ",snapshot,", with.end = BPE_END_DUMPED);
	WITH(",\"event\":\"begin\"", ",begin,", with.end = BPE_END_BEGUN);
	f = make_tcp_flow();
	WITH(",\"history\":\"^hA\"", ",^hA,", strcpy(with.history, "^hA"));
	WITH(",\"midstream\":true", "FSP.,S.,true,", with.flags |= BPE_FLOW_MIDSTREAM);
	WITH(",\"client_rtt\":0.000001000,", ",0.000001000,2.000000000,,,",
		with.handshake_ns[0] = 1000);
	WITH(",\"client_ack_rtt\":0.000000007,", ",2.000000000,0.000000007,,", with.rtt_ns[0] = 7);
	WITH(",\"server_ack_rtt\":0.000000008,", ",2.000000000,,0.000000008,", with.rtt_ns[1] = 8);
	WITH(",\"mss\":[1440,536]", ",1440,536,", with.mss[1] = 536);
	WITH(",\"window_scale\":[0,7]", ",0,7,", with.window_scale[0] = 0);
	WITH(",\"zero_windows\":[0,4000000000]", ",0,4000000000,",
		with.zero_windows[1] = 4000000000u);
	f.flags = 0; /* TCP was not analysed: the analysis columns are empty */
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_CSV), ",1440,,,7,,,,,,,,,,,,,,,,,,,SF,"),
		"%s", format_flow_line(&f, BPE_FORMAT_CSV));
	f.end = BPE_END_NONE;
	cr_expect(!strstr(format_flow_line(&f, BPE_FORMAT_JSON), "\"end\""));
}

Test(format, zeek_says_what_it_knows)
{
	struct bpe_flow f = make_tcp_flow();
#define ZEEK(there, text, ...)                                                                     \
	do {                                                                                       \
		struct bpe_flow g = f;                                                             \
		__VA_ARGS__;                                                                       \
		bool is = strstr(format_flow_line(&g, BPE_FORMAT_ZEEK), text);                     \
		cr_expect_eq(is, there, "%s: %s", text, format_flow_line(&g, BPE_FORMAT_ZEEK));    \
	} while (0)
	ZEEK(false, "orig_bytes", g.flags = BPE_FLOW_HEALTH);
	ZEEK(false, "_ip_bytes", g.flags = BPE_FLOW_HEALTH);
	ZEEK(false, "orig_bytes", g.flags = BPE_FLOW_LENGTHS);
	ZEEK(false, "missed_bytes", g.flags = BPE_FLOW_LENGTHS);
	ZEEK(false, "orig_bytes", g.retransmissions[0] = 1);
	ZEEK(true, "resp_bytes", g.retransmissions[0] = 1);
	ZEEK(false, "resp_bytes", g.lost_segments[1] = 1);
	ZEEK(false, "missed_bytes", g.lost_segments[1] = 1);
	ZEEK(false, "missed_bytes", g.unseen_acks[0] = 1);
	ZEEK(false, "orig_bytes", g.keep_alives[0] = 1);
	ZEEK(false, "orig_bytes", g.flags |= BPE_FLOW_CUT);
	ZEEK(false, "\"_path\"", g.end = BPE_END_STOP);
	ZEEK(true, "{\"_path\":\"conn_active\",\"ts\"", g.end = BPE_END_ACTIVE);
	ZEEK(true, "{\"_path\":\"conn_snapshot\",\"ts\"", g.end = BPE_END_DUMPED);
	ZEEK(true, "{\"_path\":\"conn_begin\",\"ts\"", g.end = BPE_END_BEGUN);
	ZEEK(true, "\"vlan\":5,\"inner_vlan\":6", g.vlan[0] = 5, g.vlan[1] = 6);
	ZEEK(true, "\"proto\":\"unknown_transport\"", g.ip_proto = 132);
	f = make_plain_flow();
	f.ip_proto = 58;
	f.ip_version = 6;
	ZEEK(false, "_p\":", (void)g);
	ZEEK(true,
		"\"id.orig_p\":135,\"id.resp_h\":\"c0a8:fffe::\",\"id.resp_p\":136,\"proto\":\"icmp\"",
		g.flags = BPE_FLOW_ICMP, g.icmp_type = 135);
	ZEEK(true, "\"id.orig_p\":1,\"id.resp_h\":\"c0a8:fffe::\",\"id.resp_p\":4,",
		g.flags = BPE_FLOW_ICMP, g.icmp_type = 1, g.icmp_code = 4);
}

Test(format, names_may_hold_anything)
{
	struct bpe_flow f = make_plain_flow();
	f.pid = 1;
	memcpy(f.comm, "a\"\\\n\x7f\xc3\xa9\xff\xed\xa0\x80", 12);
	memset(f.interface_name, 'i', sizeof f.interface_name); /* no 0 behind it */
	cr_expect(
		strstr(format_flow_line(&f, BPE_FORMAT_JSON),
			"\"process\":\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\""),
		"%s", format_flow_line(&f, BPE_FORMAT_JSON));
	char name[300] = "\"interface\":\"";
	memset(name + 13, 'i', sizeof f.interface_name);
	strcpy(name + 13 + sizeof f.interface_name, "\"");
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_JSON), name));
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_EVE), strchr(name, ':')));
	cr_expect(
		strstr(format_flow_line(&f, BPE_FORMAT_CSV),
			",1,\"a\"\"\\\\u000a\\u007f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",,,"),
		"%s", format_flow_line(&f, BPE_FORMAT_CSV));
	memset(f.comm, 0xff, sizeof f.comm);
	memset(f.effective_comm, 1, sizeof f.effective_comm);
	memset(f.interface_name, 0xff, sizeof f.interface_name);
	f.effective_pid = 2;
	for (uint32_t k = 0; k < BPE_FORMAT_COUNT; k++)
		cr_expect_gt(strlen(format_flow_line(&f, k)), 200);
}

/* Checks F7: no format passes on terminal control characters, and no spreadsheet reads a name as a
 * formula. */
Test(format, f7_names_hold_no_control_characters)
{
	static const char *const controls[] = { "\x01", "\x09", "\x0a", "\x0d", "\x1b", "\x7f",
		"\xc2\x80", "\xc2\x85", "\xc2\x9b", "\xc2\x9f", "\xe2\x80\xa8" };
	static const char *const signs[] = { "=", "+", "-", "@", "\xef\xbc\x9d" };
	struct bpe_flow f = make_plain_flow();
	f.pid = 1;
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
		snprintf(f.comm, sizeof f.comm, "a%sb", controls[i]);
		snprintf(f.interface_name, sizeof f.interface_name, "c%sd", controls[i]);
		for (uint32_t k = 0; k < BPE_FORMAT_COUNT; k++) {
			char *text = (char *)(uintptr_t)format_flow_line(&f, k);
			char *last = strrchr(text, k == BPE_FORMAT_CSV ? '\r' : '\n');
			if (last)
				*last = 0;
			cr_expect(!strstr(text, controls[i]), "control %zu in format %u: %s", i, k,
				text);
			cr_expect(k != BPE_FORMAT_CSV || strstr(text, "c\\u"), "%s", text);
		}
	}
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		char field[32];
		snprintf(f.comm, sizeof f.comm, "%s1", signs[i]);
		snprintf(field, sizeof field, ",'%s1,", signs[i]);
		cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_CSV), field), "%s",
			format_flow_line(&f, BPE_FORMAT_CSV));
	}
}

Test(format, times_of_all_ages)
{
	static const struct {
		int64_t ns;
		const char *iso, *seconds, *rest;
	} known[] = { { 0, "1970-01-01T00:00:00.000000+0000", "0.000000000", "000Z" },
		{ -1, "1969-12-31T23:59:59.999999+0000", "-0.000000001", "999Z" },
		{ 951782400000000000, "2000-02-29T00:00:00.000000+0000", "951782400.000000000",
			"000Z" },
		{ 1709251199999999999, "2024-02-29T23:59:59.999999+0000", "1709251199.999999999",
			"999Z" },
		{ 4107542400000000000, "2100-03-01T00:00:00.000000+0000", "4107542400.000000000",
			"000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775+0000", "9223372036.854775807", "807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224+0000", "-9223372036.854775808", "192Z" } };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char text[64] = "";
		struct bpei_writer t = { text, text + 63, false };
		bpei_write_iso(&t, known[i].ns, 6, "+0000");
		cr_expect_str_eq(text, known[i].iso);
		memset(text, 0, sizeof text);
		t.at = text;
		bpei_write_iso(&t, known[i].ns, 9, "Z");
		cr_expect_eq(strlen(text), 30);
		cr_expect(!strncmp(text, known[i].iso, 26) && !strcmp(text + 26, known[i].rest),
			"%s", text);
		memset(text, 0, sizeof text);
		t.at = text;
		bpei_write_seconds(&t, known[i].ns, 9);
		cr_expect_str_eq(text, known[i].seconds);
	}
}

Test(format, too_little_room)
{
	struct bpe_flow f = make_tcp_flow();
	for (uint32_t k = 0; k < BPE_FORMAT_COUNT; k++) {
		char whole[BPE_FORMAT_BYTES];
		int n = bpe_flow_format(&f, k, whole, sizeof whole);
		for (int size = 0; size <= n + 1; size++) {
			/* The sanitizers and the check below see the last byte. */
			char *text = malloc((size_t)size + 1);
			memset(text, 'Z', (size_t)size + 1);
			int r = bpe_flow_format(&f, k, text, (size_t)size);
			cr_assert_eq(r, size <= n ? BPE_E_ARGUMENT : n);
			cr_assert_eq(text[size], 'Z');
			if (size <= n)
				for (int i = 0; i < size; i++)
					cr_assert_eq(text[i], 'Z');
			else
				cr_assert_str_eq(text, whole);
			free(text);
		}
	}
	char text[BPE_FORMAT_BYTES] = "untouched";
	cr_expect_eq(bpe_flow_format(&f, BPE_FORMAT_COUNT, text, sizeof text), BPE_E_ARGUMENT);
	f.version = BPE_FLOW_VERSION + 1;
	cr_expect_eq(bpe_flow_format(&f, BPE_FORMAT_JSON, text, sizeof text), BPE_E_ARGUMENT);
	cr_expect_str_eq(text, "untouched");
	cr_expect_eq(bpe_flow_format(NULL, BPE_FORMAT_JSON, text, sizeof text), 0);
	cr_expect_str_eq(text, "");
	int n = bpe_flow_format(NULL, BPE_FORMAT_CSV, text, sizeof text);
	cr_expect(n > 900 && !strcmp(text + n - 12, ",names_cut\r\n") &&
			  !strncmp(text, "first,last,src,", 15),
		"%s", text);
}

Test(format, ids_differ_with_each_member)
{
	struct bpe_flow f = make_plain_flow(), g;
	struct bpei_flow_id a = bpei_flow_id(&f), b;
#define DIFFERS(...)                                                                               \
	do {                                                                                       \
		g = f;                                                                             \
		__VA_ARGS__;                                                                       \
		b = bpei_flow_id(&g);                                                              \
		cr_expect(a.a != b.a && a.b != b.b);                                               \
	} while (0)
	DIFFERS(g.first_ns++);
	DIFFERS(g.hash++);
	DIFFERS(g.addr[1][15]++);
	DIFFERS(g.port[0]++);
	DIFFERS(g.ip_proto++);
	DIFFERS(g.vlan[1]++);
	g = f;
	g.last_ns++;
	g.packets[0]++;
	g.end = BPE_END_STOP;
	b = bpei_flow_id(&g);
	cr_expect(a.a == b.a && a.b == b.b);
}

Test(format, the_tunnel)
{
	struct bpe_flow f = make_plain_flow();
	cr_expect(!strstr(format_flow_line(&f, BPE_FORMAT_JSON), "tunnel"));
	f.flags |= BPE_FLOW_TUNNEL;
	f.tunnel = (struct bpe_tunnel){ .kind = BPE_TUNNEL_GRE,
		.depth = 2,
		.ip_version = 6,
		.has_id = 1,
		.id = 4000000000u,
		.addr = { { 0x20, 1 }, { 0x20, 2 } } };
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_JSON),
		",\"tunnel\":true,\"tunnel_kind\":\"gre\",\"tunnel_id\":4000000000,\"tunnel_depth\":2,\"tunnel_src\":\"2001::\",\"tunnel_dst\":\"2002::\","));
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_ZEEK),
		",\"tunnel_kind\":\"gre\",\"tunnel_id\":4000000000,\"tunnel_depth\":2,"));
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_EVE),
		",\"tunnel\":{\"src_ip\":\"2001::\",\"dest_ip\":\"2002::\",\"proto\":\"gre\",\"id\":4000000000,\"depth\":2}"));
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_ECS),
		",\"tunnel\":{\"src\":\"2001::\",\"dst\":\"2002::\",\"kind\":\"gre\",\"id\":4000000000,\"depth\":2}}}"));
	cr_expect(strstr(
		format_flow_line(&f, BPE_FORMAT_CSV), ",gre,4000000000,2,2001::,2002::,,,,,"));
	f.tunnel = (struct bpe_tunnel){ .kind = BPE_TUNNEL_FABRICPATH, .depth = 1 };
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_JSON),
		",\"tunnel_kind\":\"fabricpath\",\"tunnel_depth\":1,\"end\""));
	cr_expect(strstr(format_flow_line(&f, BPE_FORMAT_CSV), ",fabricpath,,1,,,,,,,"));
	f.tunnel.kind = BPE_TUNNEL_COUNT; /* from a later library */
	cr_expect(!strstr(format_flow_line(&f, BPE_FORMAT_JSON), "tunnel_kind"));
}

Test(format, ecs_has_what_is_known)
{
	struct bpe_flow f = make_plain_flow();
#define ECS(text, ...)                                                                             \
	do {                                                                                       \
		struct bpe_flow g = f;                                                             \
		cr_expect(!strstr(format_flow_line(&g, BPE_FORMAT_ECS), text));                    \
		__VA_ARGS__;                                                                       \
		cr_expect(strstr(format_flow_line(&g, BPE_FORMAT_ECS), text), "%s",                \
			format_flow_line(&g, BPE_FORMAT_ECS));                                     \
	} while (0)
	ECS(",\"vlan\":{\"id\":\"4094\"}}", g.vlan[0] = 4094);
	ECS(",\"vlan\":{\"id\":\"4\"},\"inner\":{\"vlan\":{\"id\":\"7\"}}}", g.vlan[0] = 4,
		g.vlan[1] = 7);
	ECS(",\"observer\":{\"ingress\":{\"interface\":{\"id\":\"9\",\"name\":\"en0\"}}},",
		g.interface_index = 9, strcpy(g.interface_name, "en0"));
	ECS(",\"observer\":{\"ingress\":{\"interface\":{\"id\":\"9\"}}},", g.interface_index = 9);
	ECS(",\"observer\":{\"ingress\":{\"interface\":{\"name\":\"en0\"}}},",
		strcpy(g.interface_name, "en0"));
	ECS(",\"process\":{\"pid\":77,\"name\":\"Mail\"},", g.pid = 77, strcpy(g.comm, "Mail"));
	ECS("\"type\":[\"connection\",\"info\"]", g.end = BPE_END_ACTIVE);
	ECS("\"reason\":\"snapshot\"", g.end = BPE_END_DUMPED);
	ECS("\"type\":[\"connection\",\"start\"]", g.end = BPE_END_BEGUN);
	ECS("\"reason\":\"begin\"", g.end = BPE_END_BEGUN);
	ECS("\"source\":{\"ip\":\"10.0.0.1\",\"bytes\"", g.ip_proto = 1);
	ECS("\"transport\":\"icmp\"", g.ip_proto = 1);
	ECS("\"type\":\"ipv6\",\"transport\":\"ipv6-icmp\",\"iana_number\":\"58\"",
		g.ip_version = 6, g.ip_proto = 58);
	ECS("\"type\":\"ipv4\",\"iana_number\":\"254\"", g.ip_proto = 254);
	ECS("\"bpfengine\":{\"conn_state\":\"OTH\",\"icmp_type\":3,\"icmp_code\":13}}",
		g.ip_proto = 1, g.flags = BPE_FLOW_ICMP, g.icmp_type = 3, g.icmp_code = 13);
	f.end = BPE_END_NONE;
	cr_expect(!strstr(format_flow_line(&f, BPE_FORMAT_ECS), "reason"));
	f = make_tcp_flow();
	cr_expect(
		strstr(format_flow_line(&f, BPE_FORMAT_ECS),
			",\"bpfengine\":{\"conn_state\":\"SF\",\"tcp_state\":\"closed\",\"history\":\"ShADaFf\"}}\n"),
		"%s", format_flow_line(&f, BPE_FORMAT_ECS));
}

Test(format, names_of_formats_and_ends)
{
	cr_expect_str_eq(bpe_format_name(BPE_FORMAT_EVE), "eve");
	cr_expect_str_eq(bpe_format_name(BPE_FORMAT_ECS), "ecs");
	cr_expect_null(bpe_format_name(BPE_FORMAT_COUNT));
	cr_expect_null(bpe_format_name(-1));
	cr_expect_str_eq(bpe_flow_end_name(BPE_END_DUMPED), "snapshot");
	cr_expect_str_eq(bpe_flow_end_name(BPE_END_BEGUN), "begin");
	cr_expect_null(bpe_flow_end_name(BPE_END_BEGUN + 1));
}
