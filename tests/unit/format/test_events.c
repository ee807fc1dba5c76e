/* SPDX-License-Identifier: MIT */
/* Tests of events as lines, and of names in records: whole lines against expected text, all kinds
 * in all formats as valid JSON, hostile names, and too little room. */
#include "format/events.h"
#include "names/names.h"

#include "../../fuzz/json_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const uint32_t json_formats[] = { BPE_FORMAT_JSON, BPE_FORMAT_ZEEK, BPE_FORMAT_EVE,
	BPE_FORMAT_ECS };
#define JSON_FORMATS (sizeof json_formats / sizeof *json_formats)

static struct bpe_flow make_event_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.ip_proto = 6,
		.ip_version = 4,
		.addr = { { 192, 0, 2, 1 }, { 198, 51, 100, 7 } },
		.port = { 40000, 443 },
		.packets = { 2, 1 },
		.first_ns = 1700000000000000000,
		.last_ns = 1700000001000000000,
		.pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };

	return f;
}

static void fill_tls_names(struct bpe_flow_names *n)
{
	*n = (struct bpe_flow_names){ .app = BPE_APP_TLS,
		.source = BPE_NAME_TLS,
		.flags = BPE_NAMED_SERVER | BPE_NAMED_ECH,
		.tls_version = 0x0303,
		.tls_cipher = 0xc02f,
		.server = "www.example.com",
		.alpn = "h2",
		.ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1",
		.ja3 = "cd08e31494f9531f560d64c695473da9",
		.subject = "CN=www.example.com",
		.issuer = "CN=R3,O=Let's Encrypt,C=US" };
}

static struct bpe_dns make_dns(void)
{
	struct bpe_dns d = { .id = 4660,
		.flags = 0x8180,
		.type = 1,
		.class_ = 1,
		.seen = BPE_DNS_QUERY | BPE_DNS_ANSWER,
		.answer_count = 2,
		.answer_total = 2,
		.rtt_ns = 12345678,
		.query = "www.example.com",
		.answers = { { .type = 5, .ttl = 60, .text = "host.example.net" },
			{ .type = 1, .ttl = 30, .text = "192.0.2.80" } } };

	return d;
}

static const char *format_event(
	uint32_t kind, uint32_t format, const struct bpe_flow *f, const struct bpe_dns *d)
{
	static char text[BPE_EVENT_FORMAT_BYTES];
	const struct bpe_event e = { .version = BPE_FLOW_VERSION,
		.size = sizeof e,
		.kind = kind,
		.time_ns = 1700000000500000000,
		.flow = f,
		.dns = d };
	const int n = bpe_event_format(&e, format, text, sizeof text);

	cr_assert_eq(n, (int)strlen(text), "%d", n);
	cr_assert(n > 0 && text[n - 1] == '\n');
	cr_expect(text_harmless(text, (size_t)n - 1));
	cr_expect(json_valid(text, (size_t)n - 1), "%s", text);
	return text;
}

static void expect_part(const char *line, const char *part)
{
	cr_expect(strstr(line, part), "%s in %s", part, line);
}

static void expect_no_part(const char *line, const char *part)
{
	cr_expect(!strstr(line, part), "%s in %s", part, line);
}

Test(events, dns_in_all_formats)
{
	struct bpe_flow f = make_event_flow();
	struct bpe_dns d = make_dns();

	f.ip_proto = 17;
	f.port[1] = 53;
	f.names.app = BPE_APP_DNS;
	const char *line = format_event(BPE_EVENT_DNS, BPE_FORMAT_JSON, &f, &d);

	expect_part(line,
		"{\"schema\":\"bpfengine.event/1\",\"event\":\"dns\",\"time\":1700000000.500000000,\"src\":\"192.0.2.1\",\"sport\":40000,");
	expect_part(line,
		",\"dns\":{\"seen\":\"both\",\"id\":4660,\"opcode\":\"QUERY\",\"flags\":[\"RD\",\"RA\"],\"query\":\"www.example.com\",\"type\":\"A\",\"class\":\"IN\",\"rcode\":\"NOERROR\",\"answer_count\":2,\"answers\":[{\"type\":\"CNAME\",\"ttl\":60,\"data\":\"host.example.net\"},{\"type\":\"A\",\"ttl\":30,\"data\":\"192.0.2.80\"}],\"rtt\":0.012345678},\"app\":\"dns\"");
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_ZEEK, &f, &d);
	expect_part(line, "{\"_path\":\"dns\",\"ts\":1700000000.487654,\"uid\":\"C");
	expect_part(line,
		",\"id.orig_h\":\"192.0.2.1\",\"id.orig_p\":40000,\"id.resp_h\":\"198.51.100.7\",\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":4660,\"rtt\":0.012345,\"query\":\"www.example.com\",\"qclass\":1,\"qclass_name\":\"C_INTERNET\",\"qtype\":1,\"qtype_name\":\"A\",\"rcode\":0,\"rcode_name\":\"NOERROR\",\"AA\":false,\"TC\":false,\"RD\":true,\"RA\":true,\"Z\":0,\"answers\":[\"host.example.net\",\"192.0.2.80\"],\"TTLs\":[60.0,30.0]}");
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_EVE, &f, &d);
	expect_part(line, "{\"timestamp\":\"2023-11-14T22:13:20.500000+0000\",\"flow_id\":");
	expect_part(line,
		"\"event_type\":\"dns\",\"src_ip\":\"192.0.2.1\",\"src_port\":40000,\"dest_ip\":\"198.51.100.7\",\"dest_port\":53,\"ip_v\":4,\"proto\":\"UDP\",\"app_proto\":\"dns\"");
	expect_part(line,
		",\"dns\":{\"version\":3,\"type\":\"response\",\"id\":4660,\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,\"opcode\":0,\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"www.example.com\",\"rrtype\":\"A\"}],\"answers\":[{\"rrtype\":\"CNAME\",\"ttl\":60,\"rdata\":\"host.example.net\"},{\"rrtype\":\"A\",\"ttl\":30,\"rdata\":\"192.0.2.80\"}],\"rtt\":0.012345678}");
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_ECS, &f, &d);
	expect_part(line,
		"\"dataset\":\"bpfengine.dns\",\"start\":\"2023-11-14T22:13:20.487654322Z\",\"end\":\"2023-11-14T22:13:20.500000000Z\",\"duration\":12345678}");
	expect_part(line, "\"protocol\":\"dns\"");
	expect_part(line,
		",\"dns\":{\"type\":\"answer\",\"id\":\"4660\",\"op_code\":\"QUERY\",\"header_flags\":[\"RD\",\"RA\"],\"question\":{\"name\":\"www.example.com\",\"type\":\"A\",\"class\":\"IN\"},\"response_code\":\"NOERROR\",\"answers\":[{\"type\":\"CNAME\",\"ttl\":60,\"data\":\"host.example.net\"},{\"type\":\"A\",\"ttl\":30,\"data\":\"192.0.2.80\"}],\"resolved_ip\":[\"192.0.2.80\"]}");
}

Test(events, dns_queries_alone_and_unknown_numbers)
{
	struct bpe_flow f = make_event_flow();
	struct bpe_dns d = make_dns();

	d.seen = BPE_DNS_QUERY;
	d.flags = 0x0100;
	d.rtt_ns = -1;
	d.answer_count = 0;
	d.type = 1234;
	d.class_ = 77;
	d.opcode = 15;
	const char *line = format_event(BPE_EVENT_DNS, BPE_FORMAT_JSON, &f, &d);

	expect_part(line,
		"\"seen\":\"query\",\"id\":4660,\"flags\":[\"RD\"],\"query\":\"www.example.com\",\"type\":\"TYPE1234\",\"class\":77}");
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_ZEEK, &f, &d);
	expect_part(line, "{\"_path\":\"dns\",\"ts\":1700000000.500000,");
	expect_part(
		line, "\"qclass\":77,\"qtype\":1234,\"qtype_name\":\"query-1234\",\"AA\":false");
	expect_no_part(line, "rtt");
	expect_no_part(line, "rcode");
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_EVE, &f, &d);
	expect_part(line,
		"\"dns\":{\"version\":3,\"type\":\"request\",\"id\":4660,\"rd\":true,\"opcode\":15,\"queries\":[{\"rrname\":\"www.example.com\",\"rrtype\":\"1234\"}]}");
	d.seen = BPE_DNS_ANSWER;
	d.rcode = 14;
	d.type = 255;
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_ZEEK, &f, &d);
	expect_part(line,
		"\"qtype\":255,\"qtype_name\":\"*\",\"rcode\":14,\"rcode_name\":\"rcode-14\"");
	d.answer_count = 2;
	d.answers[0] = (struct bpe_dns_answer){ .type = 15, .ttl = 1, .text = "10 mx.example.com" };
	d.answers[1] =
		(struct bpe_dns_answer){ .type = 33, .ttl = 2, .text = "0 5 53 a.example.com" };
	line = format_event(BPE_EVENT_DNS, BPE_FORMAT_ZEEK, &f, &d);
	expect_part(line, "\"answers\":[\"mx.example.com\",\"a.example.com\"],\"TTLs\":[1.0,2.0]");
}

Test(events, tls_in_all_formats)
{
	struct bpe_flow f = make_event_flow();

	fill_tls_names(&f.names);
	const char *line = format_event(BPE_EVENT_TLS, BPE_FORMAT_JSON, &f, NULL);

	expect_part(line,
		",\"app\":\"tls\",\"name\":\"www.example.com\",\"name_source\":\"tls\",\"alpn\":\"h2\",\"tls_version\":\"1.2\",\"tls_cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\",\"server_hello\":true,\"ech\":\"offered\",\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\",\"ja3\":\"cd08e31494f9531f560d64c695473da9\",\"subject\":\"CN=www.example.com\",\"issuer\":\"CN=R3,O=Let's Encrypt,C=US\"");
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_ZEEK, &f, NULL);
	expect_part(line, "{\"_path\":\"ssl\",");
	expect_part(line,
		"\"proto\":\"tcp\",\"version\":\"TLSv12\",\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\",\"server_name\":\"www.example.com\",\"next_protocol\":\"h2\",\"subject\":\"CN=www.example.com\",\"issuer\":\"CN=R3,O=Let's Encrypt,C=US\",\"ja3\":");
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line,
		",\"tls\":{\"subject\":\"CN=www.example.com\",\"issuerdn\":\"CN=R3,O=Let's Encrypt,C=US\",\"sni\":\"www.example.com\",\"version\":\"TLS 1.2\",\"ja3\":{\"hash\":\"cd08e31494f9531f560d64c695473da9\"},\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\",\"server_alpns\":[\"h2\"]}");
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_ECS, &f, NULL);
	expect_part(line, ",\"domain\":\"www.example.com\"");
	expect_part(line,
		",\"tls\":{\"version\":\"1.2\",\"version_protocol\":\"tls\",\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\",\"next_protocol\":\"h2\",\"client\":{\"server_name\":\"www.example.com\",\"ja3\":\"cd08e31494f9531f560d64c695473da9\"},\"server\":{\"subject\":\"CN=www.example.com\",\"issuer\":\"CN=R3,O=Let's Encrypt,C=US\"}}");
	f.names = (struct bpe_flow_names){ .app = BPE_APP_TLS,
		.tls_version = 0x7f1c,
		.tls_cipher = 0xfafa,
		.flags = BPE_NAMED_OUTER | BPE_NAMED_ECH | BPE_NAMED_INNER | BPE_NAMED_CUT,
		.alpn = "h2,http/1.1" };
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_JSON, &f, NULL);
	expect_part(line,
		"\"alpn\":\"h2,http/1.1\",\"tls_version\":\"0x7f1c\",\"tls_cipher\":\"0xfafa\",\"ech\":\"outer\",\"app_inner\":true,\"names_cut\":true");
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line, ",\"tls\":{\"client_alpns\":[\"h2\",\"http/1.1\"]}");
	line = format_event(BPE_EVENT_TLS, BPE_FORMAT_ZEEK, &f, NULL);
	expect_no_part(line, "version");
	expect_no_part(line, "next_protocol");
}

Test(events, quic_http_and_ssh)
{
	struct bpe_flow f = make_event_flow();

	f.names = (struct bpe_flow_names){ .app = BPE_APP_QUIC,
		.source = BPE_NAME_QUIC,
		.quic_version = 1,
		.server = "www.example.com",
		.alpn = "h3",
		.ja4 = "q13d0310h3_55b375c5d22e_cd85d2d88918" };
	const char *line = format_event(BPE_EVENT_QUIC, BPE_FORMAT_ZEEK, &f, NULL);

	expect_part(line, "{\"_path\":\"quic\",");
	expect_part(line,
		"\"version\":\"1\",\"server_name\":\"www.example.com\",\"client_protocol\":\"h3\",\"ja4\"");
	line = format_event(BPE_EVENT_QUIC, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line, "\"quic\":{\"version\":\"1\",\"sni\":\"www.example.com\",\"ja4\":");
	f.names.quic_version = 0xbabababa;
	line = format_event(BPE_EVENT_QUIC, BPE_FORMAT_JSON, &f, NULL);
	expect_part(line, "\"quic_version\":\"0xbabababa\"");
	f.names = (struct bpe_flow_names){ .app = BPE_APP_HTTP,
		.source = BPE_NAME_HTTP,
		.server = "www.example.com",
		.method = "GET",
		.http_status = 304 };
	line = format_event(BPE_EVENT_HTTP, BPE_FORMAT_ZEEK, &f, NULL);
	expect_part(line,
		"\"trans_depth\":1,\"method\":\"GET\",\"host\":\"www.example.com\",\"status_code\":304}");
	line = format_event(BPE_EVENT_HTTP, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line,
		"\"http\":{\"hostname\":\"www.example.com\",\"http_method\":\"GET\",\"status\":304}");
	line = format_event(BPE_EVENT_HTTP, BPE_FORMAT_ECS, &f, NULL);
	expect_part(line,
		"\"http\":{\"request\":{\"method\":\"GET\"},\"response\":{\"status_code\":304}},\"url\":{\"domain\":\"www.example.com\"}");
	f.names = (struct bpe_flow_names){ .app = BPE_APP_SSH,
		.banner = { "SSH-2.0-OpenSSH_9.6 Debian", "SSH-1.99-x" },
		.hassh = { "aa", "bb" } };
	line = format_event(BPE_EVENT_SSH, BPE_FORMAT_ZEEK, &f, NULL);
	expect_part(line,
		"\"version\":2,\"client\":\"SSH-2.0-OpenSSH_9.6 Debian\",\"server\":\"SSH-1.99-x\",\"hassh\":\"aa\",\"hasshServer\":\"bb\"}");
	line = format_event(BPE_EVENT_SSH, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line,
		"\"ssh\":{\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"OpenSSH_9.6\",\"hassh\":{\"hash\":\"aa\"}},\"server\":{\"proto_version\":\"1.99\",\"software_version\":\"x\",\"hassh\":{\"hash\":\"bb\"}}}");
	strcpy(f.names.banner[0], "SSH-");
	line = format_event(BPE_EVENT_SSH, BPE_FORMAT_EVE, &f, NULL);
	expect_part(line, "\"ssh\":{\"client\":{\"hassh\"");
}

Test(events, records_have_names)
{
	struct bpe_flow f = make_event_flow();
	char text[BPE_FORMAT_BYTES];

	f.tcp_state = BPE_TCP_ESTABLISHED;
	fill_tls_names(&f.names);
	f.names.source = BPE_NAME_DNS;
	f.names.age_ns = 1500000000;
	f.names.ttl_ns = 60000000000;
	strcpy(f.names.others, "a.example.com,b.example.com");
	f.names.others_count = 3;
	strcpy(f.names.client, "laptop");
	f.names.owner = BPE_OWNER_KNOWN;
	f.names.uid = 1000;
	strcpy(f.names.container, "docker:1f2e");
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_JSON, text, sizeof text), 0);
	expect_part(text,
		"\"name_source\":\"dns\",\"name_others\":[\"a.example.com\",\"b.example.com\"],\"name_others_count\":3,\"name_age\":1.500000000,\"name_ttl\":60.000000000,\"client_name\":\"laptop\",");
	expect_part(text, "\"owner\":\"known\",\"uid\":1000,\"container\":\"docker:1f2e\"");
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_ZEEK, text, sizeof text), 0);
	expect_part(text, "\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\"");
	expect_no_part(text, "\"app\"");
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_EVE, text, sizeof text), 0);
	expect_part(text, "\"proto\":\"TCP\",\"app_proto\":\"tls\",\"flow\"");
	expect_part(text, "\"bpfengine\":{\"name\":\"www.example.com\"");
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_ECS, text, sizeof text), 0);
	expect_part(text, "\"protocol\":\"tls\"");
	expect_part(text, "\"user\":{\"id\":\"1000\"}");
	expect_part(text, "\"source\":{\"ip\":\"192.0.2.1\",\"port\":40000,\"domain\":\"laptop\"");
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_CSV, text, sizeof text), 0);
	expect_part(text,
		",tls,www.example.com,dns,\"a.example.com,b.example.com\",3,1.500000000,60.000000000,laptop,h2,1.2,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,true,offered,");
	size_t cells[2];
	for (int k = 0; k < 2; k++) {
		bool is_quoted = false;

		cr_assert_gt(bpe_flow_format(k ? &f : NULL, BPE_FORMAT_CSV, text, sizeof text), 0);
		cells[k] = 1;
		for (const char *at = text; *at; at++) {
			is_quoted ^= *at == '"';
			cells[k] += *at == ',' && !is_quoted;
		}
	}
	cr_expect_eq(cells[0], cells[1], "%zu columns, %zu fields", cells[0], cells[1]);
	f.names = (struct bpe_flow_names){ .app = BPE_APP_QUIC, .alpn = "h3" };
	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_ZEEK, text, sizeof text), 0);
	expect_part(text, "\"service\":\"quic,ssl\"");
}

/* Fills all texts of names with a byte. */
static void fill_hostile_names(struct bpe_flow_names *n, int byte)
{
	memset(n, byte, sizeof *n);
	n->app = BPE_APP_TLS;
	n->source = BPE_NAME_HTTP;
	n->owner = BPE_OWNER_KNOWN;
	n->uid = 1000;
}

Test(events, hostile_bytes_make_valid_lines_that_fit)
{
	static const int bytes[] = { 0xff, '"', '\\', '\n', 0x1b, ',', 0x80, 'a' };
	static char text[BPE_FORMAT_BYTES];
	static struct bpe_dns d;
	struct bpe_flow f = make_event_flow();

	f.tcp_state = BPE_TCP_ESTABLISHED;
	for (size_t b = 0; b < sizeof bytes / sizeof *bytes; b++) {
		fill_hostile_names(&f.names, bytes[b]);
		memset(&d, bytes[b], sizeof d);
		d.rtt_ns = 1;
		for (size_t k = 0; k < JSON_FORMATS; k++) {
			const int n = bpe_flow_format(&f, json_formats[k], text, sizeof text);

			cr_assert_gt(n, 0, "%zu %zu", b, k);
			cr_expect(json_valid(text, (size_t)n - 1), "%s", text);
			cr_expect(text_harmless(text, (size_t)n - 1));
			for (uint32_t kind = 1; kind < BPE_EVENT_COUNT; kind++)
				format_event(kind, json_formats[k], &f,
					kind == BPE_EVENT_DNS ? &d : NULL);
		}
		cr_expect_gt(bpe_flow_format(&f, BPE_FORMAT_CSV, text, sizeof text), 0);
	}
}

Test(events, wrong_events_and_little_room)
{
	static char text[BPE_EVENT_FORMAT_BYTES];
	struct bpe_flow f = make_event_flow();
	struct bpe_dns d = make_dns();
	struct bpe_event e = { .version = BPE_FLOW_VERSION,
		.size = sizeof e,
		.kind = BPE_EVENT_DNS,
		.flow = &f,
		.dns = &d };
	const int n = bpe_event_format(&e, BPE_FORMAT_EVE, text, sizeof text);

	cr_assert_gt(n, 0);
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_EVE, text, (size_t)n + 1), n);
	for (int room = 0; room <= n; room++)
		cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_EVE, text, (size_t)room),
			BPE_E_ARGUMENT, "%d", room);
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_CSV, text, sizeof text), BPE_E_UNSUPPORTED);
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_COUNT, text, sizeof text), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_event_format(NULL, BPE_FORMAT_EVE, text, sizeof text), 0);
	e.dns = NULL;
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_EVE, text, sizeof text), BPE_E_ARGUMENT);
	e.kind = BPE_EVENT_COUNT;
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_EVE, text, sizeof text), BPE_E_ARGUMENT);
	e.kind = BPE_EVENT_TLS;
	e.version = 0;
	cr_expect_eq(bpe_event_format(&e, BPE_FORMAT_EVE, text, sizeof text), BPE_E_ARGUMENT);
	cr_expect_null(bpe_event_kind_name(0));
	cr_expect_null(bpe_event_kind_name(BPE_EVENT_COUNT));
	cr_expect_str_eq(bpe_event_kind_name(BPE_EVENT_SSH), "ssh");
}

Test(events, numbers_have_their_names)
{
	cr_expect_str_eq(bpei_tls_cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
	cr_expect_str_eq(
		bpei_tls_cipher_name(0xcca8), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
	cr_expect_str_eq(bpei_tls_cipher_name(0x0001), "TLS_RSA_WITH_NULL_MD5");
	cr_expect_null(bpei_tls_cipher_name(0));
	cr_expect_null(bpei_tls_cipher_name(0x0a0a));
	cr_expect_null(bpei_tls_cipher_name(0xffff));
	cr_expect_str_eq(bpei_tls_version_name(0x0304), "1.3");
	cr_expect_str_eq(bpei_quic_version_name(0xff00001d), "draft-29");
	cr_expect_str_eq(bpei_dns_type_name(65), "HTTPS");
	cr_expect_str_eq(bpei_dns_rcode_name(3), "NXDOMAIN");
	cr_expect_null(bpei_dns_opcode_name(3));
	cr_expect_str_eq(bpei_dns_class_name(3), "CH");
}
