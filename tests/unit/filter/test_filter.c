/* SPDX-License-Identifier: MIT */
#include "filter/filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN(...) bpei_filter_run((struct bpe_insn[]){ __VA_ARGS__ }, packet, 1500, sizeof packet)
#define WRONG(...)                                                                                 \
	bpei_filter_check((struct bpe_insn[]){ __VA_ARGS__ },                                      \
		sizeof((struct bpe_insn[]){ __VA_ARGS__ }) / sizeof(struct bpe_insn))
static const uint8_t packet[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x47, 5 };

Test(filter, loads_in_network_order)
{
	cr_expect_eq(RUN({ 0x20, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0x12345678);
	cr_expect_eq(RUN({ 0x28, 0, 0, 2 }, { 0x16, 0, 0, 0 }), 0x5678);
	cr_expect_eq(RUN({ 0x30, 0, 0, 7 }, { 0x16, 0, 0, 0 }), 0xf0);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x40, 0, 0, 4 }, { 0x16, 0, 0, 0 }), 0xdef04705);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x48, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0x5678);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x50, 0, 0, 1 }, { 0x16, 0, 0, 0 }), 0x78);
	cr_expect_eq(RUN({ 0xb1, 0, 0, 8 }, { 0x87, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 28,
		"4 * (0x47 & 15)");
	cr_expect_eq(RUN({ 0x80, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 1500, "the length on the wire");
}

Test(filter, loads_past_the_end_reject)
{
	cr_expect_eq(RUN({ 0x20, 0, 0, 7 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x20, 0, 0, 6 }, { 0x06, 0, 0, 9 }), 9);
	cr_expect_eq(RUN({ 0x28, 0, 0, 9 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x30, 0, 0, 10 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x30, 0, 0, 0xfffff000 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x01, 0, 0, 0xffffffff }, { 0x50, 0, 0, 2 }, { 0x06, 0, 0, 9 }), 0,
		"x + k runs over");
	cr_expect_eq(RUN({ 0xb1, 0, 0, 10 }, { 0x06, 0, 0, 9 }), 0);
}

Test(filter, arithmetic_and_jumps)
{
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 7 }, { 0x24, 0, 0, 6 }, { 0x34, 0, 0, 4 }, { 0x16, 0, 0, 0 }),
		10);
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 7 }, { 0x01, 0, 0, 0 }, { 0x3c, 0, 0, 0 }, { 0x06, 0, 0, 9 }), 0,
		"X is 0");
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 7 }, { 0x94, 0, 0, 4 }, { 0xa4, 0, 0, 1 }, { 0x16, 0, 0, 0 }), 2);
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 1 }, { 0x01, 0, 0, 33 }, { 0x6c, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0,
		"a shift by 33");
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x84, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0xfffffffb);
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x02, 0, 0, 15 }, { 0x61, 0, 0, 15 },
			     { 0x0c, 0, 0, 0 }, { 0x16, 0, 0, 0 }),
		10);
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 5 }, { 0x25, 0, 1, 4 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 1);
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 5 }, { 0x35, 1, 0, 6 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 1);
	cr_expect_eq(
		RUN({ 0x00, 0, 0, 5 }, { 0x45, 1, 0, 4 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 2);
	cr_expect_eq(RUN({ 0x05, 0, 0, 1 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 2);
}

Test(filter, what_no_kernel_takes)
{
	cr_expect_not_null(bpei_filter_check(NULL, 0));
	cr_expect_not_null(WRONG({ 0x00, 0, 0, 0 }), "no return");
	cr_expect_not_null(WRONG({ 0x15, 1, 0, 0 }, { 0x06, 0, 0, 0 }), "a jump past the end");
	cr_expect_not_null(WRONG({ 0x05, 0, 0, 0xffffffff }, { 0x06, 0, 0, 0 }), "a jump back");
	cr_expect_not_null(WRONG({ 0x34, 0, 0, 0 }, { 0x06, 0, 0, 0 }), "a division by 0");
	cr_expect_not_null(WRONG({ 0x94, 0, 0, 0 }, { 0x06, 0, 0, 0 }));
	cr_expect_not_null(WRONG({ 0x02, 0, 0, 16 }, { 0x06, 0, 0, 0 }), "M[16]");
	cr_expect_not_null(WRONG({ 0x60, 0, 0, 16 }, { 0x06, 0, 0, 0 }));
	cr_expect_not_null(WRONG({ 0x0e, 0, 0, 0 }), "RET X");
	cr_expect_not_null(WRONG({ 0xb0, 0, 0, 0 }, { 0x06, 0, 0, 0 }), "LD MSH");
	cr_expect_not_null(WRONG({ 0x106, 0, 0, 0 }), "a code above a byte");
	cr_expect_null(WRONG({ 0x05, 0, 0, 0 }, { 0x15, 0, 0, 1 }, { 0x06, 0, 0, 1 }));
	cr_expect_null(WRONG({ 0x16, 0, 0, 0 }));
}

/* A PKTAP header (156 bytes of version 1, as Macs write it) before a packet of the DLT. */
static uint32_t behind_pktap(uint8_t *to, uint32_t dlt, const uint8_t *inner, uint32_t n)
{
	memset(to, 0, 156);
	to[0] = 156, to[4] = 1, to[8] = (uint8_t)dlt;
	memcpy(to + 156, inner, n);
	return 156 + n;
}

Test(filter, pktap_is_filtered_by_the_packet_inside)
{
	static const uint8_t ip[28] = { 0x45, [9] = 17, [12] = 10, [15] = 1, [16] = 10, [19] = 2,
		[22] = 0, [23] = 53 },
			     null[] = { 2, 0, 0, 0 },
			     ether[14] = { 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 0 };
	static const struct {
		const char *expression;
		bool ether, raw, null;
	} cases[] = { { "udp port 53", 1, 1, 1 }, { "ip host 10.0.0.2", 1, 1, 1 },
		{ "tcp", 0, 0, 0 }, { "not tcp", 1, 1, 1 }, { "ether src 4:4:4:4:4:4", 1, 0, 0 },
		{ "not ether src 4:4:4:4:4:4", 0, 0, 0 }, { "ether[0] = 2", 1, 0, 1 },
		{ "udp[3] = 53", 1, 1, 1 }, { "", 1, 1, 1 } };
	uint8_t a[256], b[256], c[256], inner[64];
	memcpy(inner, ether, 14), memcpy(inner + 14, ip, 28);
	uint32_t an = behind_pktap(a, 1, inner, 42), bn = behind_pktap(b, 12, ip, 28);
	memcpy(inner, null, 4), memcpy(inner + 4, ip, 28);
	uint32_t cn = behind_pktap(c, 0, inner, 32);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bpe_insn *program;
		uint32_t length;
		struct bpe_error e;
		cr_assert_eq(bpe_filter_compile(cases[i].expression, 258, 0, &program, &length, &e),
			BPE_OK, "%s: %s", cases[i].expression, e.text);
		cr_expect_eq(!!bpe_filter_run(program, a, an, an), cases[i].ether, "%s in Ethernet",
			cases[i].expression);
		cr_expect_eq(!!bpe_filter_run(program, b, bn, bn), cases[i].raw, "%s in raw IP",
			cases[i].expression);
		cr_expect_eq(!!bpe_filter_run(program, c, cn, cn), cases[i].null,
			"%s in BSD loopback", cases[i].expression);
		for (uint32_t cut = 0; cut < 156; cut++)
			cr_expect_eq(!!bpe_filter_run(program, a, an, cut), !*cases[i].expression);
		bpe_filter_free(program);
	}
}

static bool matches_usb(const char *expression, const uint8_t *sent, uint32_t bytes)
{
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e = { .text = "" };
	cr_assert_eq(bpe_filter_compile(expression, 189, 0, &program, &length, &e), BPE_OK,
		"%s: %s", expression, e.text);
	bool yes = bpe_filter_run(program, sent, bytes, bytes);
	bpe_filter_free(program);
	return yes;
}

/* Bytes and the length can be asked for on any link type, known or not; what it carries cannot. */
Test(filter, link_types_whose_headers_are_not_known)
{
	const uint8_t sent[40] = { 1, 2, 3, 4, 0x12, 0x34 };
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	cr_expect(matches_usb("len > 30 and link[4:2] = 0x1234", sent, 40));
	cr_expect(matches_usb("byte 2 = 3 and less 40", sent, 40));
	cr_expect(matches_usb("greater 40 and not ether[0] = 2", sent, 40));
	cr_expect(!matches_usb("len < 40 or link[link[0]] = 3", sent, 40));
	cr_expect_eq(bpe_filter_compile("len > 30 or tcp", 189, 0, &program, &length, &e),
		BPE_E_UNSUPPORTED);
	cr_expect(strstr(e.text, "USB_LINUX") && strstr(e.text, "without") && strstr(e.text, "^^^"),
		"%s", e.text);
	for (int link = 0; link < 400; link++) {
		cr_assert_eq(bpe_filter_compile(
				     "len > 100 and link[3] = 1", link, 0, &program, &length, &e),
			BPE_OK, "%d: %s", link, e.text);
		bpe_filter_free(program);
	}
	cr_expect_eq(
		bpe_filter_compile("len > 1", 65536, 0, &program, &length, &e), BPE_E_UNSUPPORTED);
	cr_expect_eq(
		bpe_filter_compile("len > 1", -1, 0, &program, &length, &e), BPE_E_UNSUPPORTED);
}

/* Thousands of hosts that do not follow each other, longer than short jumps reach: each is found at
 * both ends, in IPv4 and ARP; their neighbours are not. */
Test(filter, long_lists_are_searched)
{
	enum { HOSTS = 3000 };
	char *text = calloc(HOSTS, 40);
	uint8_t frame[60] = { [12] = 8, [14] = 0x45 };
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	cr_assert_not_null(text);
	for (uint32_t i = 0, at = 0; i < HOSTS; i++)
		at += (uint32_t)sprintf(text + at, "%shost 10.%u.%u.%u", i ? " or " : "",
			i * 37 % 250, i * 11 % 240, i * 96 % 250 & 254u);
	cr_assert_eq(bpe_filter_compile(text, 1, 77, &program, &length, &e), BPE_OK, "%s", e.text);
	cr_expect_null(bpei_filter_check(program, length));
	cr_expect_leq(length, HOSTS * 4);
	for (uint32_t i = 0; i < HOSTS; i++) {
		const uint8_t host[4] = { 10, (uint8_t)(i * 37 % 250), (uint8_t)(i * 11 % 240),
			(uint8_t)(i * 96 % 250 & 254u) };
		static const uint8_t places[][2] = { { 0x00, 26 }, { 0x00, 30 }, { 0x06, 28 },
			{ 0x06, 38 }, { 0x35, 38 } };
		for (size_t k = 0; k < 5; k++) {
			frame[12] = places[k][0] == 0x35 ? 0x80 : 8, frame[13] = places[k][0];
			memset(frame + 26, 0, 20);
			memcpy(frame + places[k][1], host, 4);
			cr_assert_eq(bpe_filter_run(program, frame, 60, 60), 77, "host %u at %u", i,
				places[k][1]);
			frame[places[k][1] + 3] |= 1;
			cr_assert_eq(bpe_filter_run(program, frame, 60, 60), 0,
				"the neighbour of host %u at %u", i, places[k][1]);
		}
	}
	bpe_filter_free(program);
	free(text);
}

static bool matches(
	const char *expression, int link_type, uint32_t through, const uint8_t *bytes, uint32_t n)
{
	struct bpe_filter_options o;
	struct bpe_insn *program, *plain;
	uint32_t length;
	struct bpe_error e;
	bpe_filter_options_init(&o);
	o.link_type = link_type;
	o.through = through;
	cr_assert_eq(bpe_filter_compile_with(expression, &o, &program, &length, &e), BPE_OK,
		"%s: %s", expression, e.text);
	cr_assert_null(bpei_filter_check(program, length));
	bool yes = bpe_filter_run(program, bytes, n, n);
	o.unoptimized = 1;
	cr_assert_eq(bpe_filter_compile_with(expression, &o, &plain, &length, &e), BPE_OK, "%s: %s",
		expression, e.text);
	cr_expect_eq(!!bpe_filter_run(plain, bytes, n, n), yes, "%s, optimized or not", expression);
	for (uint32_t cut = 0; cut < n; cut++) { /* of its size, for the sanitizers */
		uint8_t *part = malloc(cut + !cut);
		memcpy(part, bytes, cut);
		bpe_filter_run(program, part, n, cut);
		free(part);
	}
	bpe_filter_free(program);
	bpe_filter_free(plain);
	return yes;
}

/* Ethernet and IPv4 (with options) or IPv6 around a payload of that protocol. */
static uint32_t around(
	uint8_t *to, bool six, bool ethernet, uint8_t proto, const void *payload, uint32_t n)
{
	uint32_t at = ethernet ? 14 : 0, header = six ? 40 : 24;
	memset(to, 0, at + header);
	if (ethernet)
		to[0] = 4, to[6] = 2, to[12] = six ? 0x86 : 8, to[13] = six ? 0xdd : 0;
	to[at] = six ? 0x60 : 0x46;
	to[at + (six ? 6 : 9)] = proto;
	to[at + (six ? 23 : 15)] = 7; /* the sender's last byte */
	memcpy(to + at + header, payload, n);
	return at + header + n;
}

static uint32_t udp_around(uint8_t *to, bool six, uint16_t port, const uint8_t *head,
	uint32_t head_bytes, const uint8_t *inner, uint32_t n)
{
	uint8_t bytes[400] = { [2] = (uint8_t)(port >> 8), [3] = (uint8_t)port };
	memcpy(bytes + 8, head, head_bytes);
	memcpy(bytes + 8 + head_bytes, inner, n);
	return around(to, six, true, 17, bytes, 8 + head_bytes + n);
}

Test(filter, through_encapsulations)
{
	static const uint8_t dns[8] = { 1, 2, 0, 53 };
	uint8_t raw4[64], raw6[64], frame[128], all[512], nested[512], gre[400];
	uint32_t raw4n = around(raw4, false, false, 17, dns, 8),
		 raw6n = around(raw6, true, false, 17, dns, 8),
		 framen = around(frame, true, true, 17, dns, 8), n;
	const char *e = "udp port 53 and (src host 0.0.0.7 or src host ::7:0:0 or len > 0)";
	for (int six = 0; six < 2; six++) {
		n = around(all, six, true, 4, raw4, raw4n);
		cr_expect(matches(e, 1, BPE_THROUGH_IPIP, all, n) &&
			  matches("inner(udp port 53)", 1, 0, all, n) &&
			  !matches(e, 1, 0, all, n) &&
			  !matches(e, 1, 0xff & ~BPE_THROUGH_IPIP, all, n));
		n = around(all, six, true, 41, raw6, raw6n);
		cr_expect(matches(e, 1, BPE_THROUGH_IPIP, all, n) &&
			  matches("inner(ip6 and udp)", 1, 0, all, n) &&
			  !matches("inner(ip)", 1, 0, all, n));
		for (uint32_t bits = 0; bits < 8;
			bits++) { /* GRE with every choice of checksum, key and sequence */
			uint32_t head = 4 + 4u * (uint32_t)__builtin_popcount(bits);
			memset(gre, 0xff, sizeof gre);
			gre[0] = (uint8_t)((bits & 1) << 7 | (bits & 2) << 4 | (bits & 4) << 2),
			gre[1] = 0, gre[2] = 8, gre[3] = 0;
			memcpy(gre + head, raw4, raw4n);
			n = around(all, six, true, 47, gre, head + raw4n);
			cr_expect(matches(e, 1, BPE_THROUGH_GRE, all, n) &&
					  !matches(e, 1, 0, all, n) &&
					  matches("inner(ip src 0.0.0.7)", 1, BPE_THROUGH_GRE, all,
						  n),
				"GRE flags %u", bits);
			gre[2] = 0x65, gre[3] = 0x58;
			memcpy(gre + head, frame, framen);
			n = around(all, six, true, 47, gre, head + framen);
			cr_expect(matches(e, 1, BPE_THROUGH_GRE, all, n) &&
					  matches("inner(ether src 2:0:0:0:0:0)", 1, 0, all, n),
				"Ethernet in GRE, flags %u", bits);
		}
		static const uint8_t vxlan[8] = { 8, [6] = 5 };
		n = udp_around(all, six, 4789, vxlan, 8, frame, framen);
		cr_expect(matches(e, 1, BPE_THROUGH_VXLAN, all, n) &&
			  matches("vxlan and udp port 53", 1, 0, all, n) &&
			  matches("vxlan 5", 1, 0, all, n) && !matches("vxlan 6", 1, 0, all, n) &&
			  matches("not vxlan 6 and udp port 4789", 1, 0, all, n) &&
			  !matches("vxlan and tcp", 1, 0, all, n) &&
			  !matches(e, 1, BPE_THROUGH_GENEVE, all, n));
		uint8_t geneve[24] = {
			4, [2] = 0x65, [3] = 0x58, [6] = 9
		}; /* 16 bytes of options */
		n = udp_around(all, six, 6081, geneve, 24, frame, framen);
		cr_expect(matches(e, 1, BPE_THROUGH_GENEVE, all, n) &&
			  matches("geneve 9 and ip6 and udp dst port 53", 1, 0, all, n) &&
			  !matches("geneve 8", 1, 0, all, n));
		geneve[2] = 8, geneve[3] = 0;
		n = udp_around(all, six, 6081, geneve, 24, raw4, raw4n);
		cr_expect(matches(e, 1, BPE_THROUGH_GENEVE, all, n) &&
			  matches("geneve and udp dst port 53", 1, 0, all, n));
		static const uint8_t gtp[] = { 0x30, 255 },
				     gtp_more[16] = { 0x34, 255, [11] = 0x85, [12] = 1 };
		uint8_t gtp8[8] = { 0 };
		memcpy(gtp8, gtp, 2);
		n = udp_around(all, six, 2152, gtp8, 8, raw4, raw4n);
		cr_expect(matches(e, 1, BPE_THROUGH_GTPU, all, n) &&
			  !matches(e, 1, BPE_THROUGH_GTPU, all, n - 8));
		n = udp_around(all, six, 2152, gtp_more, 16, raw6, raw6n);
		cr_expect(matches(e, 1, BPE_THROUGH_GTPU, all, n), "behind an extension header");
	}
	memcpy(nested, frame, 12);
	memcpy(nested + 12, (const uint8_t[]){ 0x81, 0, 0, 5, 0x81, 0, 0, 6 }, 8);
	n = around(all, false, true, 4, raw4, raw4n);
	memcpy(nested + 20, all + 12, n - 12);
	cr_expect(!matches(e, 1, BPE_THROUGH_VLAN | BPE_THROUGH_IPIP, nested, n + 8), "three deep");
	cr_expect(
		matches(e, 1, BPE_THROUGH_VLAN | BPE_THROUGH_IPIP, nested + 4 - 4, n + 8) == false);
	memmove(nested + 12, nested + 16, n - 8);
	cr_expect(matches(e, 1, BPE_THROUGH_VLAN | BPE_THROUGH_IPIP, nested, n + 4),
		"a tag, and IP in IP");
	cr_expect(!matches(e, 1, BPE_THROUGH_VLAN, nested, n + 4) &&
		  !matches(e, 1, BPE_THROUGH_IPIP, nested, n + 4));
	cr_expect(matches("inner(inner(udp port 53))", 1, 0, nested, n + 4));
}

Test(filter, what_pktap_packets_say_of_themselves)
{
	static const uint8_t ip[28] = { 0x45, [9] = 17, [23] = 53 };
	uint8_t p[256];
	uint32_t n = behind_pktap(p, 12, ip, 28);
	memcpy(p + 12, "en0", 4), memcpy(p + 56, "Safari", 7), memcpy(p + 88, "curl", 5);
	p[52] = 0x92, p[53] = 0x10, p[84] = 5, p[36] = 2, p[76] = 0x20, p[77] = 3;
	static const char *const yes[] = { "pid 4242", "epid 5", "proc Safari", "eproc curl",
		"if en0", "dir out", "svc VO", "svc 800",
		"pid 4242 and udp port 53 and not proc curl", "not dir in", "proc Safari or tcp" },
				 *const no[] = { "pid 4243", "epid 4", "proc Safar", "proc Safari2",
					 "eproc Curl", "if en", "if en01", "dir in", "svc BE",
					 "pid 4242 and tcp" };
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		cr_expect(matches(yes[i], 258, 0, p, n), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		cr_expect(!matches(no[i], 258, 0, p, n), "%s", no[i]);
	static const char *const wrong[] = { "pid x", "pid", "proc", "svc XX",
		"proc a-name-of-more-than-16", "dir sideways" };
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(bpe_filter_compile(wrong[i], 258, 0, &program, &length, &e),
			BPE_E_ARGUMENT, "%s", wrong[i]);
	cr_expect_eq(bpe_filter_compile("pid 4", 1, 0, &program, &length, &e), BPE_E_ARGUMENT,
		"not on Ethernet");
}

static char *list_file(const char *text)
{
	static char path[] = "/tmp/bpfengine-list-XXXXXX";
	strcpy(path + strlen(path) - 6, "XXXXXX");
	int file = mkstemp(path);
	cr_assert_geq(file, 0);
	cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	return path;
}

/* A list means what its values joined by "or" mean: the same program. */
Test(filter, lists_in_files)
{
	static const struct {
		const char *with, *list, *plain;
	} cases[] = {
		{ "host in %s", "# ours\n10.0.0.1 10.0.0.2\n192.168.1.1 # one more\n\nfe80::1",
			"host 10.0.0.1 or host 10.0.0.2 or host 192.168.1.1 or host fe80::1" },
		{ "not src host in %s and tcp", "10.0.0.1\n10.0.0.9",
			"not (src host 10.0.0.1 or src host 10.0.0.9) and tcp" },
		{ "dst net in %s", "10.0.0.0/8 2001:db8::/32\n172.16.0.0/12",
			"dst net 10.0.0.0/8 or dst net 2001:db8::/32 or dst net 172.16.0.0/12" },
		{ "(tcp port in %s) and ip", "80 443\n8000-8010",
			"(tcp port 80 or tcp port 443 or tcp portrange 8000-8010) and ip" },
		{ "ether host in %s", "1:2:3:4:5:6\n2:3:4:5:6:7",
			"ether host 1:2:3:4:5:6 or ether host 2:3:4:5:6:7" },
		{ "host in %s or 10.9.9.9", "10.1.1.1", "host 10.1.1.1 or host 10.9.9.9" }
	};
	static const struct {
		const char *with, *list, *says;
	} wrong[] = { { "host in %s", "10.0.0.1\n10.0.0.x.y", "line 2" },
		{ "host in %s", "# nothing\n", "lists nothing" },
		{ "port in %s", "80\n\n70000", "line 3" },
		{ "ip proto in %s", "6", "hosts, nets and ports" },
		{ "host in %s.not", "1", "No such file" } };
	char text[300];
	struct bpe_insn *a, *b;
	uint32_t an, bn;
	struct bpe_error e;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *path = list_file(cases[i].list);
		snprintf(text, sizeof text, cases[i].with, path);
		cr_assert_eq(bpe_filter_compile(text, 1, 0, &a, &an, &e), BPE_OK, "%s: %s", text,
			e.text);
		cr_assert_eq(bpe_filter_compile(cases[i].plain, 1, 0, &b, &bn, &e), BPE_OK, "%s",
			e.text);
		cr_expect(an == bn && !memcmp(a, b, an * sizeof *a), "%s", text);
		bpe_filter_free(a), bpe_filter_free(b);
		unlink(path);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char *path = list_file(wrong[i].list);
		snprintf(text, sizeof text, wrong[i].with, path);
		cr_expect_eq(
			bpe_filter_compile(text, 1, 0, &a, &an, &e), BPE_E_ARGUMENT, "%s", text);
		cr_expect(strstr(e.text, wrong[i].says), "%s: %s", text, e.text);
		unlink(path);
	}
}

/* Nothing is forgiven for being read for many shapes: what is too long, too deep or out of place is
 * said, and soon. */
Test(filter, limits_hold_in_all_shapes, .timeout = 30)
{
	static const struct {
		const char *expression, *says;
	} cases[] = { { "inner(inner(inner(tcp)))", "two encapsulations" },
		{ "inner(inner(inner(inner(inner(inner(inner(tcp)))))))", "two encapsulations" },
		{ "inner(geneve and tcp)", "cannot stand in inner" },
		{ "ip or inner(vxlan 5)", "cannot stand in inner" },
		{ "geneve and vxlan", "one geneve or vxlan" },
		{ "inner(tcp", "closing parenthesis" }, { "inner(pot 80)", "did you mean" } };
	struct bpe_filter_options o;
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	bpe_filter_options_init(&o);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect_eq(
			bpe_filter_compile_with(cases[i].expression, &o, &program, &length, &e),
			BPE_E_ARGUMENT, "%s", cases[i].expression);
		cr_expect(strstr(e.text, cases[i].says), "%s: %s", cases[i].expression, e.text);
	}
	cr_expect_eq(bpe_filter_compile_with("inner(inner(tcp)) and inner(udp) or inner(ip)", &o,
			     &program, &length, &e),
		BPE_OK, "one beside the other: %s", e.text);
	bpe_filter_free(program);

	char *text = calloc(30000, 32); /* fits once, and not 300 times */
	cr_assert_not_null(text);
	for (uint32_t i = 0, at = 0; i < 30000; i++)
		at += (uint32_t)sprintf(text + at, "%shost 10.%u.%u.%u", i ? " or " : "", i % 250,
			i / 250 % 250, i % 7);
	cr_expect_eq(
		bpe_filter_compile_with(text, &o, &program, &length, &e), BPE_OK, "%s", e.text);
	bpe_filter_free(program);
	o.through = 0xff;
	cr_expect_eq(bpe_filter_compile_with(text, &o, &program, &length, &e), BPE_E_ARGUMENT);
	cr_expect(strstr(e.text, "too long"), "%s", e.text);
	free(text);
}

/* --through ipv6ext: what stands behind extension headers, each kind alone, in rows up to four, and
 * what must not be taken for one. */
Test(filter, behind_ipv6_extension_headers)
{
	enum { MOST = 6 };
	static const struct {
		uint8_t headers[MOST], last;
		bool found;
	} cases[] = { { { 0 }, 6, 1 }, { { 1 }, 6, 1 }, { { 43 }, 6, 1 }, { { 44 }, 6, 1 },
		{ { 51 }, 6, 1 }, { { 60 }, 6, 1 }, { { 135 }, 6, 1 }, { { 139 }, 6, 1 },
		{ { 140 }, 6, 1 }, { { 1, 60, 43, 44 }, 6, 1 }, { { 1, 51, 60, 51 }, 6, 1 },
		{ { 51, 51, 51, 51 }, 6, 1 }, { { 1, 60, 43, 44, 60 }, 6, 0 }, { { 50 }, 6, 0 },
		{ { 59 }, 6, 0 }, { { 45 }, 6, 0 }, { { 44, 44 }, 6, 1 }, { { 60, 1 }, 17, 1 },
		{ { 60 }, 132, 1 } }; /* 1: hop-by-hop, whose number is 0 */
	static const struct {
		const char *expression;
		uint8_t proto;
		bool word;
	} expressions[] = { { "tcp port 80", 6, 0 },
		{ "tcp dst port 80 and tcp src port 1234", 6, 0 }, { "tcp[13] & 2 != 0", 6, 0 },
		{ "tcp[0:2] + 1 = 1235 and tcp", 6, 0 }, { "tcp", 6, 1 }, { "ip6 proto 6", 6, 1 },
		{ "proto 6", 6, 1 }, { "proto 17", 17, 1 }, { "tcp and not udp", 6, 1 },
		{ "udp port 80", 17, 0 }, { "udp[2:2] = 80", 17, 0 }, { "sctp", 132, 1 },
		{ "sctp[2:2] = 80", 132, 0 }, { "port 80", 0, 0 }, { "portrange 70-90", 0, 0 } };
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
		for (int later = 0; later < 2; later++) {
			uint8_t p[256] = { 0x60 };
			uint32_t at = 40, next = 6, depth = 0, fragments = 0;
			for (; depth < MOST && cases[k].headers[depth]; depth++) {
				uint8_t kind = cases[k].headers[depth],
					units = (uint8_t)(kind == 44 ? 0 : depth + 1);
				p[next] = kind == 1 ? 0 : kind;
				next = at;
				p[at + 1] = units;
				if (kind == 44)
					p[at + 2] = later ? 1 : 0, p[at + 3] = later ? 0x10 : 1,
					       fragments++;
				at += kind == 51 ? 8u + units * 4u : 8u + units * 8u;
			}
			p[next] = cases[k].last;
			p[at] = 1234 >> 8, p[at + 1] = 1234 & 255, p[at + 3] = 80, p[at + 13] = 2;
			for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
				struct bpe_filter_options o = { .link_type = 101,
					.through = BPE_THROUGH_IPV6_EXT };
				struct bpe_insn *program, *not_it;
				uint32_t n;
				char text[128];
				snprintf(text, sizeof text, "not (%s)", expressions[e].expression);
				cr_assert_eq(bpe_filter_compile_with(expressions[e].expression, &o,
						     &program, &n, NULL),
					BPE_OK);
				cr_expect_leq(n, 512, "%s: %u", expressions[e].expression, n);
				cr_assert_eq(bpe_filter_compile_with(text, &o, &not_it, &n, NULL),
					BPE_OK);
				bool of_kind = !expressions[e].proto ||
					       expressions[e].proto == cases[k].last;
				/* A later fragment's header names the protocol, if it is the last
				 * header. */
				bool told = expressions[e].word && fragments == 1 &&
					    cases[k].headers[depth - 1] == 44;
				bool expected =
					cases[k].found && of_kind && (!later || !fragments || told);
				cr_expect_eq(!!bpe_filter_run(program, p, 250, 250), expected,
					"%s, case %zu, %d", expressions[e].expression, k, later);
				cr_expect_eq(!!bpe_filter_run(not_it, p, 250, 250), !expected,
					"%s, case %zu, %d", text, k, later);
				bpe_filter_free(program), bpe_filter_free(not_it);
			}
		}
}
