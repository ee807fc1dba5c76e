/* SPDX-License-Identifier: MIT */
/* Conditions of flows: every operator, kind of value and unit; precedence; unknown members; both
 * ends; errors with their columns; and the bounds on hostile expressions. */
#include "where/program.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bpe_flow make_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.ip_proto = 6,
		.ip_version = 4,
		.addr = { { 10, 1, 2, 3 }, { 192, 0, 2, 1 } },
		.port = { 50000, 443 },
		.vlan = { 7, 0 },
		.tcp_state = BPE_TCP_CLOSED,
		.tcp_flags = { 0x1b, 0x12 },
		.end = BPE_END_CLOSED,
		.flags = BPE_FLOW_HEALTH | BPE_FLOW_TUNNEL,
		.packets = { 10, 20 },
		.wire_bytes = { 1000, 2000000 },
		.first_ns = 1700000000500000000,
		.last_ns = 1700000002000000000,
		.pid = 42,
		.effective_pid = -1,
		.handshake_ns = { 1000000, 20000000 },
		.rtt_ns = { -1, 120000000 },
		.mss = { 1460, 0 },
		.window_scale = { -1, 0 },
		.retransmissions = { 0, 3 },
		.tunnel = { .kind = BPE_TUNNEL_VXLAN, .depth = 1, .ip_version = 6, .has_id = 1 },
		.names = { .app = BPE_APP_TLS,
			.source = BPE_NAME_TLS,
			.tls_version = 0x0303,
			.tls_cipher = 0xc02f,
			.uid = -1 } };

	inet_pton(AF_INET6, "2001:db8::1", f.tunnel.addr[0]);
	inet_pton(AF_INET6, "2001:db8::2", f.tunnel.addr[1]);
	strcpy(f.interface_name, "eth0");
	strcpy(f.comm, "Curl");
	strcpy(f.history, "ShADaFf");
	strcpy(f.names.server, "www.Example.com");
	strcpy(f.names.others, "cdn.example.net,a.example.org");
	strcpy(f.names.alpn, "h2,http/1.1");
	strcpy(f.names.hassh[1], "0123456789abcdef0123456789abcdef");
	return f;
}

static bool does_match(const char *expression, const struct bpe_flow *flow)
{
	struct bpe_where *where = NULL;
	struct bpe_error error = { 0 };
	const int status = bpe_where_compile(expression, &where, &error);

	cr_assert_eq(status, BPE_OK, "%s: %s", expression, error.text);
	const bool matches = bpe_where_match(where, flow);

	bpe_where_free(where);
	return matches;
}

/* Expects of each expression what is wanted, and of the opposite the other answer. */
static void expect_all(const char *const *expressions, size_t n, bool wanted)
{
	const struct bpe_flow f = make_flow();

	for (size_t i = 0; i < n; i++) {
		char opposite[512];

		snprintf(opposite, sizeof opposite, "not (%s)", expressions[i]);
		cr_expect_eq(does_match(expressions[i], &f), wanted, "%s", expressions[i]);
		cr_expect_eq(does_match(opposite, &f), !wanted, "%s", opposite);
	}
}

#define EXPECT(list, wanted) expect_all(list, sizeof list / sizeof *list, wanted)

Test(where, operators_match)
{
	static const char *const all[] = { "name = www.example.com", "name == \"WWW.example.COM\"",
		"name != www.example.org", "name like \"*.example.com\"", "name like www.*",
		"name like 'www.?xample.*'", "name not like \"*.org\"",
		"name in (a, www.example.com)", "name not in (a, b)", "name in www.example.com",
		"packets = 30", "packets > 29", "packets >= 30", "packets < 31", "packets <= 30",
		"packets != 31", "packets in (1, 30)", "tunnel", "tunnel = true", "tunnel != false",
		"midstream = false", "process = curl", "history = ShADaFf",
		"history like \"*aF*\"" };
	static const char *const none[] = { "name = example.com", "name != www.example.com",
		"name like example", "name like \"*.org\"", "name not like \"*\"", "name in (a, b)",
		"name not in (a, www.example.com)", "packets = 31", "packets > 30", "packets >= 31",
		"packets < 30", "packets <= 29", "packets != 30", "packets not in (1, 30)",
		"midstream", "tunnel = false", "tunnel != true", "history = shadaff",
		"name = \"\"" };

	EXPECT(all, true);
	EXPECT(none, false);
}

Test(where, units_and_values)
{
	static const char *const all[] = { "bytes > 2M", "bytes = 2001000", "bytes < 2.1MB",
		"bytes > 1.9MiB", "bytes > 1954Ki", "bytes < 1G", "bytes < 0.1TiB",
		"orig.bytes = 1k", "orig.bytes = 1000B", "rtt = 120ms", "rtt = 0.12s",
		"rtt = 120000us", "rtt = 120000000ns", "rtt > 0", "rtt < 1m", "rtt < 0.1h",
		"rtt < 1d", "rtt < 1min", "duration = 1.5s", "handshake = 21ms",
		"orig.handshake = 1ms", "client_rtt = 1ms", "server_rtt = 20ms",
		"first > 2023-11-14", "first >= 2023-11-14T22:13:20.5Z",
		"first <= '2023-11-14 22:13:20.5'", "first = 2023-11-14T23:13:20.5+01:00",
		"first = 1700000000.5", "last = 1700000002", "last < 2023-11-14T22:14",
		"tls_cipher = 0xc02f", "tls_cipher = 49199", "tls_version = 1.2",
		"tls_version >= 1.1", "tls_version < 1.3", "proto = tcp", "proto = 6",
		"proto in (udp, TCP)", "app = tls", "state = closed", "end = closed",
		"tunnel_kind = vxlan", "tunnel_id = 0", "tcp_flags = \"FSP.\"",
		"orig.tcp_flags like \"*F*\"", "resp.tcp_flags = S.", "ip = 4", "vlan = 7" };
	static const char *const none[] = { "bytes > 2.1M", "rtt > 120ms", "rtt < 120ms",
		"first < 2023-11-14", "first > 2023-11-15", "tls_version = 1.3",
		"tls_version < 1.2", "proto = udp", "app = http", "state = reset",
		"resp.tcp_flags like \"*F*\"", "vlan = 8" };

	EXPECT(all, true);
	EXPECT(none, false);
}

Test(where, precedence)
{
	/* "and" binds more than "or", "not" more than "and". */
	static const char *const all[] = { "ip = 4 or ip = 6 and ip = 6",
		"ip = 6 and ip = 6 or ip = 4", "not ip = 6 and ip = 4", "! ip = 6 && ip = 4",
		"not not ip = 4", "(ip = 6 or ip = 4) and proto = tcp",
		"not (ip = 6 or proto = udp) and tunnel", "ip = 4 AND Not ip = 6",
		"ip = 6 || ip = 4" };

	EXPECT(all, true);
}

Test(where, every_combination_of_three)
{
	/* Random conditions over three facts, against C's own operators. */
	static const char *const fact[2][3] = { { "ip = 4", "proto = tcp", "tunnel" },
		{ "ip = 6", "proto = udp", "midstream" } };
	const struct bpe_flow f = make_flow();

	for (unsigned bits = 0; bits < 8; bits++) {
		bool v[3];
		const char *s[3];
		char text[300];

		for (int i = 0; i < 3; i++) {
			v[i] = bits >> i & 1;
			s[i] = fact[!v[i]][i];
		}
		snprintf(text, sizeof text, "%s and %s or %s", s[0], s[1], s[2]);
		cr_expect_eq(does_match(text, &f), (v[0] && v[1]) || v[2], "%s", text);
		snprintf(text, sizeof text, "%s or %s and %s", s[0], s[1], s[2]);
		cr_expect_eq(does_match(text, &f), v[0] || (v[1] && v[2]), "%s", text);
		snprintf(text, sizeof text, "%s and (%s or not %s)", s[0], s[1], s[2]);
		cr_expect_eq(does_match(text, &f), v[0] && (v[1] || !v[2]), "%s", text);
		snprintf(text, sizeof text, "not (%s and %s) and %s", s[0], s[1], s[2]);
		cr_expect_eq(does_match(text, &f), !(v[0] && v[1]) && v[2], "%s", text);
		snprintf(text, sizeof text, "not (not (%s or %s) or not %s)", s[0], s[1], s[2]);
		cr_expect_eq(does_match(text, &f), (v[0] || v[1]) && v[2], "%s", text);
	}
}

Test(where, ends)
{
	static const char *const all[] = { "port = 443", "port = 50000", "orig.port = 50000",
		"resp.port = 443", "dport = 443", "sport in (1, 50000)", "host = 10.1.2.3",
		"host in 192.0.2.0/24", "src in (172.16.0.0/12, 10.0.0.0/8)", "dst = 192.0.2.1",
		"orig.host != 192.0.2.1", "port != 80", "resp.packets = 20", "mss = 1460",
		"orig.mss > 0", "hassh like \"0123*\"", "resp.hassh", "lost = 0",
		"retransmissions = 3", "resp.retransmissions = 3", "orig.retransmissions = 0",
		"alpn = h2", "alpn = http/1.1", "name_others = a.example.org",
		"name_others like \"*.net\"", "resp.window_scale = 0", "tunnel_src = 2001:db8::1",
		"tunnel_dst in 2001:db8::/126", "tunnel_host in 2001:db8::/64",
		"host in 10.1.2.3/32", "host in 0.0.0.0/0", "src in 10.1.2.0/25" };
	static const char *const none[] = { "orig.port = 443", "resp.port = 50000", "port != 443",
		"port != 50000", "host != 10.1.2.3", "host in 10.2.0.0/16",
		"host not in 10.0.0.0/8", "dst = 10.1.2.3", "host in ::/0", "orig.hassh",
		"alpn = h3", "alpn != h2", "tunnel_dst in 2001:db8::/127", "src in 10.1.2.128/25",
		"name_others = example.org", "orig.window_scale = 0" };

	EXPECT(all, true);
	EXPECT(none, false);
}

Test(where, unknown_members)
{
	/* Every comparison with an unknown member is false, and its opposite with "not" is true. */
	static const char *const none[] = { "ip_bytes", "ip_bytes = 0", "ip_bytes != 5",
		"ip_bytes < 5", "ip_bytes >= 0", "orig.rtt", "orig.rtt < 1s", "orig.rtt != 1s",
		"container", "container = x", "container != x", "container like \"*\"",
		"container not like x", "container not in (x, y)", "icmp_type = 0",
		"interface_id = 0", "effective_pid != 1", "uid = 0", "uid", "name_age < 1s",
		"http_status != 200", "resp.mss = 0", "quic_version = 0", "ja4" };
	static const char *const all[] = { "name", "pid", "rtt", "not container", "not uid",
		"owner = unknown", "app", "mss", "not ja4", "hash", "not (ja4 = x)" };
	struct bpe_flow f = make_flow();

	EXPECT(none, false);
	EXPECT(all, true);
	f.names.owner = BPE_OWNER_KNOWN;
	f.names.uid = 0;
	cr_expect(does_match("uid = 0 and owner = known", &f));
	f.flags |= BPE_FLOW_LENGTHS;
	cr_expect(does_match("ip_bytes = 0", &f));
	f.names.source = BPE_NAME_DNS;
	cr_expect(does_match("name_age < 1s and name_source = dns", &f));
	f.tunnel.has_id = 0;
	cr_expect(!does_match("tunnel_id = 0", &f));
	f.flags &= ~BPE_FLOW_HEALTH;
	cr_expect(!does_match("retransmissions = 0", &f));
}

Test(where, records_of_another_size)
{
	struct bpe_flow f = make_flow();

	f.size = offsetof(struct bpe_flow, names); /* of a library before names */
	cr_expect(does_match("pid = 42 and bytes > 2M", &f));
	cr_expect(!does_match("name", &f));
	cr_expect(!does_match("uid", &f));
	f.size = offsetof(struct bpe_flow, pid);
	cr_expect(!does_match("pid", &f));
	cr_expect(!does_match("rtt", &f));
	f.size = 2;
	cr_expect(!does_match("ip = 4 or not ip = 4", &f), "no record");
}

Test(where, extreme_numbers)
{
	struct bpe_flow f = make_flow();

	f.wire_bytes[0] = UINT64_MAX;
	f.wire_bytes[1] = UINT64_MAX;
	cr_expect(does_match("bytes = 9223372036854775807", &f));
	cr_expect(does_match("orig.bytes > 8000T", &f));
	f.first_ns = INT64_MIN;
	f.last_ns = INT64_MAX;
	cr_expect(does_match("duration > 100000d", &f));
	cr_expect(does_match("first < 1970-01-01", &f));
	f.first_ns = INT64_MAX;
	f.last_ns = INT64_MIN;
	cr_expect(does_match("duration < 0", &f));
	memset(f.names.server, 'x', sizeof f.names.server); /* no final 0 */
	cr_expect(does_match("name like \"x*x\"", &f));
}

Test(where, patterns)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} cases[] = { { "", "", true }, { "*", "", true }, { "?", "", false }, { "**", "a", true },
		{ "a*b*c", "aXbXc", true }, { "a*b*c", "aXbX", false }, { "*a", "ba", true },
		{ "*a", "ab", false }, { "\\*", "*", true }, { "\\*", "a", false },
		{ "\\?", "a", false }, { "\\\\", "\\", true }, { "a\\", "a\\", true },
		{ "*ab*ab", "abab", true }, { "*ab*ab", "ab", false }, { "a?c", "abc", true },
		{ "a?c", "ac", false }, { "*.b", "a.b.b", true }, { "x*", "", false },
		{ "*\\*", "ab*", true } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(bpei_where_glob(cases[i].pattern, strlen(cases[i].pattern),
				     cases[i].text, strlen(cases[i].text), true),
			cases[i].fits, "%s %s", cases[i].pattern, cases[i].text);
	const struct bpe_flow f = make_flow();

	cr_expect(does_match("name like \"WWW\\.*\"", &f), "an escaped letter is itself");
	cr_expect(!does_match("name like \"\\*\"", &f));
}

Test(where, errors)
{
	static const struct {
		const char *expression, *text;
	} cases[] = {
		{ "", "condition, column 1: the condition is empty" },
		{ "  ", "condition, column 3: the condition is empty" },
		{ "nmae = x",
			"condition, column 1: there is no field \"nmae\"; did you mean name?" },
		{ "ip = 4 and orig.byte > 1",
			"condition, column 12: there is no field \"orig.byte\"; did you mean orig.bytes" },
		{ "orig.name = x", "condition, column 1: there is no field \"orig.name\"" },
		{ "app = htpt",
			"condition, column 7: app wants a known name, not \"htpt\"; did you "
			"mean http" },
		{ "rtt > 100", "condition, column 7: rtt wants a time with its unit" },
		{ "rtt > 100xs", "condition, column 7: rtt wants a time with its unit" },
		{ "bytes > -1", "condition, column 9: wire_bytes wants a number of bytes" },
		{ "bytes > 99999999999999999999", "condition, column 9: wire_bytes wants" },
		{ "bytes > 9999999999T", "condition, column 9: wire_bytes wants" },
		{ "packets > 0.5", "condition, column 11: packets wants a number" },
		{ "host = 1.2.3", "condition, column 8: host wants an address or a network" },
		{ "host in 10.0.0.0/33",
			"condition, column 9: host wants an address or a network" },
		{ "first > 2026-13-01", "condition, column 9: first wants a time" },
		{ "tls_version = 1.4", "condition, column 15: tls_version wants a version" },
		{ "tunnel = yes", "condition, column 10: tunnel wants true or false" },
		{ "name < x", "condition, column 6: name has no order: use = or != or in or like" },
		{ "host > 1.1.1.1", "condition, column 6: host has no order: use = or != or in" },
		{ "bytes like 3", "condition, column 7: wire_bytes is no text: use = or in" },
		{ "name not = x",
			"condition, column 10: expected \"like\" or \"in\" after \"not\"" },
		{ "name = ", "condition, column 8: expected a value, not the end" },
		{ "name = and", "condition, column 8: expected a value, not \"and\"" },
		{ "name = \"abc", "condition, column 8: the quote has no end" },
		{ "name in (a b)", "condition, column 12: expected \",\" or \")\" after a value" },
		{ "name in ()", "condition, column 10: expected a value, not \")\"" },
		{ "(ip = 4",
			"condition, column 8: expected \")\", \"and\" or \"or\", not the end" },
		{ "ip = 4)",
			"condition, column 7: expected \"and\", \"or\" or the end, not \")\"" },
		{ "ip = 4 and", "condition, column 11: expected a field, \"not\" or \"(\"" },
		{ "port 443", "condition, column 6: expected a comparison" },
		{ "ip = 4 & proto = tcp", "condition, column 8: expected \"and\", \"or\"" },
		{ "ip = 4 \x01", "condition, column 8: expected \"and\", \"or\" or the end, not "
				 "\"\\x01\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bpe_where *where = (struct bpe_where *)&where;
		struct bpe_where *const before = where;
		struct bpe_error error = { 0 };
		const int status = bpe_where_compile(cases[i].expression, &where, &error);

		cr_expect_eq(status, BPE_E_ARGUMENT, "%s", cases[i].expression);
		cr_expect_eq(where, before, "%s: outputs stay", cases[i].expression);
		cr_expect(strstr(error.text, cases[i].text) == error.text, "%s: %s",
			cases[i].expression, error.text);
	}
	cr_expect_eq(bpe_where_compile("", &(struct bpe_where *){ NULL }, NULL), BPE_E_ARGUMENT);
}

/* Returns n copies of a text, with a last text behind. */
static char *copy_text_often(const char *text, size_t n, const char *last)
{
	const size_t bytes = strlen(text);
	char *all = malloc(n * bytes + strlen(last) + 1);

	cr_assert_not_null(all);
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * bytes, text, bytes);
	strcpy(all + n * bytes, last);
	return all;
}

static int compile_repeated(const char *text, size_t n, const char *last, bool *matches)
{
	const struct bpe_flow f = make_flow();
	struct bpe_where *where = NULL;
	struct bpe_error error;
	char *all = copy_text_often(text, n, last);
	const int status = bpe_where_compile(all, &where, &error);

	if (status == BPE_OK)
		*matches = bpe_where_match(where, &f);
	else
		cr_expect(error.text[0]);
	bpe_where_free(where);
	free(all);
	return status;
}

Test(where, bounds)
{
	bool matches = false;

	cr_expect_eq(compile_repeated("ip = 6 or ", 1023, "ip = 4", &matches), BPE_OK);
	cr_expect(matches);
	cr_expect_eq(compile_repeated("ip = 4 and ", 1023, "ip = 6", &matches), BPE_OK);
	cr_expect(!matches);
	cr_expect_eq(compile_repeated("ip = 6 or ", 1024, "ip = 4", &matches), BPE_E_ARGUMENT);
	cr_expect_eq(compile_repeated("name != a and ", 511, "ip = 4", &matches), BPE_OK);
	cr_expect(matches);
	cr_expect_eq(compile_repeated("name != a and ", 512, "ip = 4", &matches), BPE_E_ARGUMENT);
	cr_expect_eq(compile_repeated("(", 100, "ip = 4", &matches), BPE_E_ARGUMENT, "not closed");
	cr_expect_eq(compile_repeated("(", 101, "ip = 4", &matches), BPE_E_ARGUMENT);
	cr_expect_eq(compile_repeated("not (", 60000, "ip", &matches), BPE_E_ARGUMENT, "too long");
	cr_expect_eq(compile_repeated("! ", 30000, "ip = 4", &matches), BPE_OK, "nots are free");
	cr_expect(matches);
	cr_expect_eq(compile_repeated("(", 60000, "", &matches), BPE_E_ARGUMENT);
	cr_expect_eq(compile_repeated(" ", 70000, "ip", &matches), BPE_E_ARGUMENT);
	char *deep = copy_text_often("(", 100, "ip = 4");
	char *closed = copy_text_often(")", 100, "");
	char *whole = copy_text_often(deep, 1, closed);
	const struct bpe_flow f = make_flow();

	cr_expect(does_match(whole, &f), "100 parentheses");
	free(deep);
	free(closed);
	free(whole);
	char *stars = copy_text_often("*x", 127, "");
	char *like = copy_text_often("name like ", 1, stars);
	struct bpe_flow full = make_flow();

	memset(full.names.server, 'x', sizeof full.names.server);
	full.names.server[254] = 'y';
	full.names.server[255] = 0;
	cr_expect(!does_match(like, &full), "a pattern of stars ends soon");
	free(stars);
	free(like);
	stars = copy_text_often("x", 256, "");
	like = copy_text_often("name = ", 1, stars);
	cr_expect_eq(compile_repeated(like, 1, "", &matches), BPE_E_ARGUMENT, "a long value");
	free(stars);
	free(like);
}

Test(where, every_field_has_its_name)
{
	const struct bpe_flow f = make_flow();
	const char *name;
	bool has_ends;
	size_t count = 0;

	for (; (name = bpei_where_field_name(count, &has_ends)); count++) {
		char text[80];
		uint8_t end;
		const struct bpei_where_field *field = bpei_where_field(name, strlen(name), &end);

		cr_assert_not_null(field, "%s", name);
		cr_expect_leq((size_t)field->offset + field->bytes, sizeof f, "%s", name);
		does_match(name, &f);
		snprintf(text, sizeof text, "orig.%s", name);
		cr_expect_eq(
			bpei_where_field(text, strlen(text), &end) != NULL, has_ends, "%s", text);
	}
	cr_expect_gt(count, 80);
	cr_expect_null(bpei_where_field("orig.", 5, &(uint8_t){ 0 }));
}

Test(where, texts_keep_quotes)
{
	struct bpe_flow f = make_flow();

	strcpy(f.comm, "a\"b'c\\d");
	cr_expect(does_match("process = \"a\\\"b'c\\\\d\"", &f));
	cr_expect(does_match("process = 'a\"b\\'c\\\\d'", &f));
	strcpy(f.comm, "in");
	cr_expect(does_match("process = 'in'", &f));
}
