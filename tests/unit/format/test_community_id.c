/* SPDX-License-Identifier: MIT */
/* Tests of community IDs against the specification's reference (communityid for Python, by
 * Corelight), and of conn_state against Zeek's table. */
#include "bpfengine.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static struct bpe_flow make_community_flow(
	uint8_t proto, const char *a, uint16_t a_port, const char *b, uint16_t b_port)
{
	struct bpe_flow f = { .size = sizeof f,
		.ip_proto = proto,
		.ip_version = strchr(a, ':') ? 6 : 4,
		.port = { a_port, b_port } };
	if (proto == 1 || proto == 58) {
		f.flags = BPE_FLOW_ICMP;
		f.icmp_type = proto == 1 ? 8 : 128; /* the originator sends an echo request */
	}
	cr_assert_eq(inet_pton(f.ip_version == 6 ? AF_INET6 : AF_INET, a, f.addr[0]), 1);
	cr_assert_eq(inet_pton(f.ip_version == 6 ? AF_INET6 : AF_INET, b, f.addr[1]), 1);
	return f;
}

Test(names, community_ids)
{
	static const struct {
		uint8_t proto;
		const char *a;
		uint16_t a_port;
		const char *b;
		uint16_t b_port;
		uint16_t seed;
		const char *id;
	} known[] = {
		{ 6, "128.232.110.120", 34855, "66.35.250.204", 80, 0,
			"1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
		{ 6, "66.35.250.204", 80, "128.232.110.120", 34855, 0,
			"1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
		{ 6, "128.232.110.120", 34855, "66.35.250.204", 80, 1,
			"1:3V71V58M3Ksw/yuFALMcW0LAHvc=" },
		{ 17, "192.168.1.52", 54585, "8.8.8.8", 53, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
		{ 1, "192.168.0.89", 7, "192.168.0.1", 7, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
		{ 58, "fe80::200:86ff:fe05:80da", 9, "fe80::260:97ff:fe07:69ea", 9, 0,
			"1:QrVnZEjGihSsEkRF1XxqheQ1Za8=" },
		{ 6, "fe80::1", 443, "fe80::2", 2000, 0, "1:BuhB0hF3u5hj1Nt9WI1lY8sHc3w=" },
		{ 132, "192.168.170.8", 7, "192.168.170.56", 80, 0,
			"1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=" },
		{ 46, "10.1.24.4", 0, "10.1.12.1", 0, 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char id[BPE_COMMUNITY_ID_BYTES];
		struct bpe_flow f = make_community_flow(
			known[i].proto, known[i].a, known[i].a_port, known[i].b, known[i].b_port);
		cr_assert_eq(bpe_flow_community_id(&f, known[i].seed, id), 1);
		cr_assert_str_eq(id, known[i].id);
	}
	char id[BPE_COMMUNITY_ID_BYTES] = "untouched";
	struct bpe_flow f = make_community_flow(1, "10.0.0.1", 0, "10.0.0.2", 0);
	f.icmp_type = 3; /* no request */
	cr_assert_eq(bpe_flow_community_id(&f, 0, id), 0);
	f.flags = 0;
	f.icmp_type = 8; /* not known */
	cr_assert_eq(bpe_flow_community_id(&f, 0, id), 0);
	cr_assert_str_eq(id, "untouched");
}

Test(names, conn_states)
{
	enum { F = 1, S = 2, R = 4, A = 16 };
	static const struct {
		uint8_t flags[2];
		const char *state;
	} known[] = {
		{ { S, 0 }, "S0" },
		{ { S | A, S | A }, "S1" },
		{ { S | A | F, S | A | F }, "SF" },
		{ { S, R | A }, "REJ" },
		{ { S | A | F, S | A }, "S2" },
		{ { S | A, S | A | F }, "S3" },
		{ { S | A | R, S | A }, "RSTO" },
		{ { S | A, S | A | R }, "RSTR" },
		{ { S | R, 0 }, "RSTOS0" },
		{ { 0, S | A | R }, "RSTRH" },
		{ { S | F, 0 }, "SH" },
		{ { 0, S | A | F }, "SHR" },
		{ { A, A }, "OTH" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct bpe_flow f = { .size = sizeof f,
			.ip_proto = 6,
			.tcp_state = BPE_TCP_ESTABLISHED,
			.tcp_flags = { known[i].flags[0], known[i].flags[1] } };
		cr_assert_str_eq(bpe_flow_conn_state(&f), known[i].state, "%zu: %s", i,
			bpe_flow_conn_state(&f));
	}
	struct bpe_flow udp = { .size = sizeof udp, .ip_proto = 17, .packets = { 1, 0 } };
	struct bpe_flow icmp = { .size = sizeof icmp, .ip_proto = 1, .packets = { 1, 1 } };
	cr_assert_str_eq(bpe_flow_conn_state(&udp), "S0");
	udp.packets[1] = 1;
	cr_assert_str_eq(bpe_flow_conn_state(&udp), "SF");
	cr_assert_str_eq(bpe_flow_conn_state(&icmp), "OTH");
}
