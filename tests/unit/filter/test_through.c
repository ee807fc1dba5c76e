/* SPDX-License-Identifier: MIT */
/* Filters behind encapsulations (--through, inner(), geneve, vxlan) and behind IPv6's extension
 * headers. */
#include "match_packet.h"

#include <stdio.h>

/* Writes IPv4 (with options) or IPv6 around a payload of the protocol, behind Ethernet if wanted.
 * The sender's address ends in 7.  Returns the length. */
static uint32_t wrap_in_ip(
	uint8_t *to, bool six, bool ethernet, uint8_t proto, const void *payload, uint32_t n)
{
	const uint32_t at = ethernet ? 14 : 0;
	const uint32_t header = six ? 40 : 24;

	memset(to, 0, at + header);
	if (ethernet) {
		to[0] = 4;
		to[6] = 2;
		memcpy(to + 12, six ? "\x86\xdd" : "\x08\0", 2);
	}
	to[at] = six ? 0x60 : 0x46;
	to[at + (six ? 6 : 9)] = proto;
	to[at + (six ? 23 : 15)] = 7;
	memcpy(to + at + header, payload, n);
	return at + header + n;
}

static uint32_t wrap_in_udp(uint8_t *to, bool six, uint16_t port, const uint8_t *head,
	uint32_t head_bytes, const uint8_t *inner, uint32_t n)
{
	uint8_t bytes[400] = { [2] = (uint8_t)(port >> 8), [3] = (uint8_t)port };
	memcpy(bytes + 8, head, head_bytes);
	memcpy(bytes + 8 + head_bytes, inner, n);
	return wrap_in_ip(to, six, true, 17, bytes, 8 + head_bytes + n);
}

/* Packets for encapsulations: UDP to port 53, in raw IPv4, in raw IPv6, and in Ethernet. */
static uint8_t raw4[64], raw6[64], frame[128], outer[512];
static uint32_t raw4_bytes, raw6_bytes, frame_bytes;

static const char *const dns = "udp port 53 and (src host 0.0.0.7 or src host ::7:0:0 or len > 0)";

static void make_inner_packets(void)
{
	static const uint8_t udp[8] = { 1, 2, 0, 53 };

	raw4_bytes = wrap_in_ip(raw4, false, false, 17, udp, 8);
	raw6_bytes = wrap_in_ip(raw6, true, false, 17, udp, 8);
	frame_bytes = wrap_in_ip(frame, true, true, 17, udp, 8);
}

/* Tests an Ethernet frame in `outer`. */
static bool matches_outer(const char *expression, uint32_t through, uint32_t n)
{
	return matches_packet(expression, 1, through, outer, n);
}

Test(through, through_ip_in_ip, .init = make_inner_packets)
{
	for (int six = 0; six < 2; six++) {
		uint32_t n = wrap_in_ip(outer, six, true, 4, raw4, raw4_bytes);

		cr_expect(matches_outer(dns, BPE_THROUGH_IPIP, n));
		cr_expect(matches_outer("inner(udp port 53)", 0, n));
		cr_expect(!matches_outer(dns, 0, n));
		cr_expect(!matches_outer(dns, 0xff & ~BPE_THROUGH_IPIP, n));
		n = wrap_in_ip(outer, six, true, 41, raw6, raw6_bytes);
		cr_expect(matches_outer(dns, BPE_THROUGH_IPIP, n));
		cr_expect(matches_outer("inner(ip6 and udp)", 0, n));
		cr_expect(!matches_outer("inner(ip)", 0, n));
	}
}

/* Tests every choice of GRE's checksum, key and sequence number. */
Test(through, through_gre, .init = make_inner_packets)
{
	uint8_t gre[400];

	for (uint32_t k = 0; k < 16; k++) {
		const bool six = k & 8;
		const uint32_t bits = k & 7;
		const uint32_t head = 4 + 4u * (uint32_t)__builtin_popcount(bits);

		memset(gre, 0xff, sizeof gre);
		gre[0] = (uint8_t)((bits & 1) << 7 | (bits & 2) << 4 | (bits & 4) << 2);
		memcpy(gre + 1, "\0\x08\0", 3);
		memcpy(gre + head, raw4, raw4_bytes);
		uint32_t n = wrap_in_ip(outer, six, true, 47, gre, head + raw4_bytes);
		cr_expect(matches_outer(dns, BPE_THROUGH_GRE, n), "GRE flags %u", bits);
		cr_expect(!matches_outer(dns, 0, n), "GRE flags %u", bits);
		cr_expect(matches_outer("inner(ip src 0.0.0.7)", BPE_THROUGH_GRE, n));
		memcpy(gre + 2, "\x65\x58", 2);
		memcpy(gre + head, frame, frame_bytes);
		n = wrap_in_ip(outer, six, true, 47, gre, head + frame_bytes);
		cr_expect(matches_outer(dns, BPE_THROUGH_GRE, n), "Ethernet in GRE, %u", bits);
		cr_expect(matches_outer("inner(ether src 2:0:0:0:0:0)", 0, n));
	}
}

Test(through, through_vxlan, .init = make_inner_packets)
{
	static const uint8_t vxlan[8] = { 8, [6] = 5 };

	for (int six = 0; six < 2; six++) {
		const uint32_t n = wrap_in_udp(outer, six, 4789, vxlan, 8, frame, frame_bytes);

		cr_expect(matches_outer(dns, BPE_THROUGH_VXLAN, n));
		cr_expect(matches_outer("vxlan and udp port 53", 0, n));
		cr_expect(matches_outer("vxlan 5", 0, n));
		cr_expect(!matches_outer("vxlan 6", 0, n));
		cr_expect(matches_outer("not vxlan 6 and udp port 4789", 0, n));
		cr_expect(!matches_outer("vxlan and tcp", 0, n));
		cr_expect(!matches_outer(dns, BPE_THROUGH_GENEVE, n));
	}
}

Test(through, through_geneve, .init = make_inner_packets)
{
	for (int six = 0; six < 2; six++) {
		uint8_t geneve[24] = { 4, [2] = 0x65, [3] = 0x58, [6] = 9 }; /* with 16 bytes of
										options */
		uint32_t n = wrap_in_udp(outer, six, 6081, geneve, 24, frame, frame_bytes);

		cr_expect(matches_outer(dns, BPE_THROUGH_GENEVE, n));
		cr_expect(matches_outer("geneve 9 and ip6 and udp dst port 53", 0, n));
		cr_expect(!matches_outer("geneve 8", 0, n));
		memcpy(geneve + 2, "\x08\0", 2);
		n = wrap_in_udp(outer, six, 6081, geneve, 24, raw4, raw4_bytes);
		cr_expect(matches_outer(dns, BPE_THROUGH_GENEVE, n));
		cr_expect(matches_outer("geneve and udp dst port 53", 0, n));
	}
}

Test(through, through_gtpu, .init = make_inner_packets)
{
	static const uint8_t gtp[8] = { 0x30, 255 };
	static const uint8_t gtp_more[16] = { 0x34, 255, [11] = 0x85, [12] = 1 };

	for (int six = 0; six < 2; six++) {
		uint32_t n = wrap_in_udp(outer, six, 2152, gtp, 8, raw4, raw4_bytes);

		cr_expect(matches_outer(dns, BPE_THROUGH_GTPU, n));
		cr_expect(!matches_outer(dns, BPE_THROUGH_GTPU, n - 8));
		n = wrap_in_udp(outer, six, 2152, gtp_more, 16, raw6, raw6_bytes);
		cr_expect(matches_outer(dns, BPE_THROUGH_GTPU, n), "behind an extension header");
	}
}

Test(through, through_two_levels, .init = make_inner_packets)
{
	const uint32_t both = BPE_THROUGH_VLAN | BPE_THROUGH_IPIP;
	uint8_t nested[512];

	memcpy(nested, frame, 12);
	memcpy(nested + 12, "\x81\0\0\5\x81\0\0\6", 8);
	const uint32_t n = wrap_in_ip(outer, false, true, 4, raw4, raw4_bytes);
	memcpy(nested + 20, outer + 12, n - 12);
	cr_expect(!matches_packet(dns, 1, both, nested, n + 8), "three deep");
	memmove(nested + 12, nested + 16, n - 8);
	cr_expect(matches_packet(dns, 1, both, nested, n + 4), "a tag, and IP in IP");
	cr_expect(!matches_packet(dns, 1, BPE_THROUGH_VLAN, nested, n + 4));
	cr_expect(!matches_packet(dns, 1, BPE_THROUGH_IPIP, nested, n + 4));
	cr_expect(matches_packet("inner(inner(udp port 53))", 1, 0, nested, n + 4));
}

/* ---- --through ipv6ext ---- */

#define HEADERS_MOST 6
#define HOP_BY_HOP 1 /* stands for 0, which ends a list */
#define FRAGMENT 44
#define AUTHENTICATION 51

/* A row of extension headers; found: whether the program follows the row to the last protocol. */
struct ip6_case {
	uint8_t headers[HEADERS_MOST], last;
	bool found;
};

/* Each type alone, in rows up to four, and headers of other types. */
static const struct ip6_case ip6_cases[] = { { { HOP_BY_HOP }, 6, 1 }, { { 43 }, 6, 1 },
	{ { FRAGMENT }, 6, 1 }, { { AUTHENTICATION }, 6, 1 }, { { 60 }, 6, 1 }, { { 135 }, 6, 1 },
	{ { 139 }, 6, 1 }, { { 140 }, 6, 1 }, { { 0 }, 6, 1 },
	{ { HOP_BY_HOP, 60, 43, FRAGMENT }, 6, 1 },
	{ { HOP_BY_HOP, AUTHENTICATION, 60, AUTHENTICATION }, 6, 1 },
	{ { AUTHENTICATION, AUTHENTICATION, AUTHENTICATION, AUTHENTICATION }, 6, 1 },
	{ { HOP_BY_HOP, 60, 43, FRAGMENT, 60 }, 6, 0 }, { { 50 }, 6, 0 }, { { 59 }, 6, 0 },
	{ { 45 }, 6, 0 }, { { FRAGMENT, FRAGMENT }, 6, 1 }, { { 60, HOP_BY_HOP }, 17, 1 },
	{ { 60 }, 132, 1 } };

/* proto: the protocol that the expression needs (0: TCP, UDP or SCTP).  word: the expression tests
 * the protocol's number alone. */
struct ip6_expression {
	const char *text;
	uint8_t proto;
	bool word;
};

static const struct ip6_expression ip6_expressions[] = { { "tcp port 80", 6, 0 },
	{ "tcp dst port 80 and tcp src port 1234", 6, 0 }, { "tcp[13] & 2 != 0", 6, 0 },
	{ "tcp[0:2] + 1 = 1235 and tcp", 6, 0 }, { "tcp", 6, 1 }, { "ip6 proto 6", 6, 1 },
	{ "proto 6", 6, 1 }, { "proto 17", 17, 1 }, { "tcp and not udp", 6, 1 },
	{ "udp port 80", 17, 0 }, { "udp[2:2] = 80", 17, 0 }, { "sctp", 132, 1 },
	{ "sctp[2:2] = 80", 132, 0 }, { "port 80", 0, 0 }, { "portrange 70-90", 0, 0 } };

/* Writes IPv6 with the headers to p; ports 1234 and 80, TCP's SYN.  later: fragments are no first
 * fragments. */
static void make_ip6_packet(uint8_t p[256], const struct ip6_case *c, bool later)
{
	uint32_t at = 40;
	uint32_t next = 6;

	memset(p, 0, 256);
	p[0] = 0x60;
	for (uint32_t depth = 0; depth < HEADERS_MOST && c->headers[depth]; depth++) {
		const uint8_t kind = c->headers[depth];
		const uint8_t units = (uint8_t)(kind == FRAGMENT ? 0 : depth + 1);

		p[next] = kind == HOP_BY_HOP ? 0 : kind;
		next = at;
		p[at + 1] = units;
		if (kind == FRAGMENT) {
			p[at + 2] = later ? 1 : 0;
			p[at + 3] = later ? 0x10 : 1;
		}
		at += 8u + units * (kind == AUTHENTICATION ? 4u : 8u);
	}
	p[next] = c->last;
	p[at] = 1234 >> 8;
	p[at + 1] = 1234 & 255;
	p[at + 3] = 80;
	p[at + 13] = 2;
}

/* Returns the verdict that the expression must have.  A later fragment's header names the protocol
 * if the fragment header is the last. */
static bool expect_ip6_match(const struct ip6_case *c, const struct ip6_expression *e, bool later)
{
	uint32_t fragments = 0;
	uint8_t last_header = 0;

	for (uint32_t i = 0; i < HEADERS_MOST && c->headers[i]; i++) {
		last_header = c->headers[i];
		fragments += last_header == FRAGMENT;
	}
	if (!c->found || (e->proto && e->proto != c->last))
		return false;
	return !later || !fragments || (e->word && fragments == 1 && last_header == FRAGMENT);
}

Test(through, behind_ipv6_extension_headers)
{
	const struct bpe_filter_options o = {
		.struct_size = sizeof o, .link_type = 101, .through = BPE_THROUGH_IPV6_EXT
	};
	const size_t cases = sizeof ip6_cases / sizeof *ip6_cases;

	for (size_t e = 0; e < sizeof ip6_expressions / sizeof *ip6_expressions; e++) {
		const struct ip6_expression *expression = &ip6_expressions[e];
		struct bpe_insn *program, *negated;
		uint32_t n;
		char text[128];

		snprintf(text, sizeof text, "not (%s)", expression->text);
		cr_assert_eq(
			bpe_filter_compile_with(expression->text, &o, &program, &n, NULL), BPE_OK);
		cr_expect_leq(n, 512, "%s: %u", expression->text, n);
		cr_assert_eq(bpe_filter_compile_with(text, &o, &negated, &n, NULL), BPE_OK);
		for (size_t k = 0; k < 2 * cases; k++) {
			const struct ip6_case *c = &ip6_cases[k / 2];
			const bool later = k & 1;
			const bool expected = expect_ip6_match(c, expression, later);
			uint8_t p[256];

			make_ip6_packet(p, c, later);
			cr_expect_eq(!!bpe_filter_run(program, p, 250, 250), expected,
				"%s, case %zu, %d", expression->text, k / 2, later);
			cr_expect_eq(!!bpe_filter_run(negated, p, 250, 250), !expected,
				"%s, case %zu, %d", text, k / 2, later);
		}
		bpe_filter_free(program);
		bpe_filter_free(negated);
	}
}
