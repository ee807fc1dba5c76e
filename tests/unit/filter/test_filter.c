/* SPDX-License-Identifier: MIT */
#include "filter/filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN(...) bpei_filter_run((struct bpe_insn[]){ __VA_ARGS__ }, packet, 1500, sizeof packet)
#define WRONG(...) bpei_filter_wrong((struct bpe_insn[]){ __VA_ARGS__ }, sizeof((struct bpe_insn[]){ __VA_ARGS__ }) / sizeof(struct bpe_insn))
static const uint8_t packet[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x47, 5 };

Test(filter, loads_in_network_order)
{
	cr_expect_eq(RUN({ 0x20, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0x12345678);
	cr_expect_eq(RUN({ 0x28, 0, 0, 2 }, { 0x16, 0, 0, 0 }), 0x5678);
	cr_expect_eq(RUN({ 0x30, 0, 0, 7 }, { 0x16, 0, 0, 0 }), 0xf0);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x40, 0, 0, 4 }, { 0x16, 0, 0, 0 }), 0xdef04705);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x48, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0x5678);
	cr_expect_eq(RUN({ 0x01, 0, 0, 2 }, { 0x50, 0, 0, 1 }, { 0x16, 0, 0, 0 }), 0x78);
	cr_expect_eq(RUN({ 0xb1, 0, 0, 8 }, { 0x87, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 28, "4 * (0x47 & 15)");
	cr_expect_eq(RUN({ 0x80, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 1500, "the length on the wire");
}

Test(filter, loads_past_the_end_reject)
{
	cr_expect_eq(RUN({ 0x20, 0, 0, 7 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x20, 0, 0, 6 }, { 0x06, 0, 0, 9 }), 9);
	cr_expect_eq(RUN({ 0x28, 0, 0, 9 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x30, 0, 0, 10 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x30, 0, 0, 0xfffff000 }, { 0x06, 0, 0, 9 }), 0);
	cr_expect_eq(RUN({ 0x01, 0, 0, 0xffffffff }, { 0x50, 0, 0, 2 }, { 0x06, 0, 0, 9 }), 0, "x + k runs over");
	cr_expect_eq(RUN({ 0xb1, 0, 0, 10 }, { 0x06, 0, 0, 9 }), 0);
}

Test(filter, arithmetic_and_jumps)
{
	cr_expect_eq(RUN({ 0x00, 0, 0, 7 }, { 0x24, 0, 0, 6 }, { 0x34, 0, 0, 4 }, { 0x16, 0, 0, 0 }), 10);
	cr_expect_eq(RUN({ 0x00, 0, 0, 7 }, { 0x01, 0, 0, 0 }, { 0x3c, 0, 0, 0 }, { 0x06, 0, 0, 9 }), 0, "X is 0");
	cr_expect_eq(RUN({ 0x00, 0, 0, 7 }, { 0x94, 0, 0, 4 }, { 0xa4, 0, 0, 1 }, { 0x16, 0, 0, 0 }), 2);
	cr_expect_eq(RUN({ 0x00, 0, 0, 1 }, { 0x01, 0, 0, 33 }, { 0x6c, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0, "a shift by 33");
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x84, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 0xfffffffb);
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x02, 0, 0, 15 }, { 0x61, 0, 0, 15 }, { 0x0c, 0, 0, 0 }, { 0x16, 0, 0, 0 }), 10);
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x25, 0, 1, 4 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 1);
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x35, 1, 0, 6 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 1);
	cr_expect_eq(RUN({ 0x00, 0, 0, 5 }, { 0x45, 1, 0, 4 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 2);
	cr_expect_eq(RUN({ 0x05, 0, 0, 1 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 2 }), 2);
}

Test(filter, what_no_kernel_takes)
{
	cr_expect_not_null(bpei_filter_wrong(NULL, 0));
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
	static const uint8_t ip[28] = { 0x45, [9] = 17, [12] = 10, [15] = 1, [16] = 10, [19] = 2, [22] = 0, [23] = 53 }, null[] = { 2, 0, 0, 0 },
		ether[14] = { 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 0 };
	static const struct { const char *expression; bool ether, raw, null; } cases[] = { { "udp port 53", 1, 1, 1 }, { "ip host 10.0.0.2", 1, 1, 1 },
		{ "tcp", 0, 0, 0 }, { "not tcp", 1, 1, 1 }, { "ether src 4:4:4:4:4:4", 1, 0, 0 }, { "not ether src 4:4:4:4:4:4", 0, 0, 0 },
		{ "ether[0] = 2", 1, 0, 1 }, { "udp[3] = 53", 1, 1, 1 }, { "", 1, 1, 1 } };
	uint8_t a[256], b[256], c[256], inner[64];
	memcpy(inner, ether, 14), memcpy(inner + 14, ip, 28);
	uint32_t an = behind_pktap(a, 1, inner, 42), bn = behind_pktap(b, 12, ip, 28);
	memcpy(inner, null, 4), memcpy(inner + 4, ip, 28);
	uint32_t cn = behind_pktap(c, 0, inner, 32);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bpe_insn *program;
		uint32_t length;
		struct bpe_error e;
		cr_assert_eq(bpe_filter_compile(cases[i].expression, 258, 0, &program, &length, &e), BPE_OK, "%s: %s", cases[i].expression, e.text);
		cr_expect_eq(!!bpe_filter_run(program, a, an, an), cases[i].ether, "%s in Ethernet", cases[i].expression);
		cr_expect_eq(!!bpe_filter_run(program, b, bn, bn), cases[i].raw, "%s in raw IP", cases[i].expression);
		cr_expect_eq(!!bpe_filter_run(program, c, cn, cn), cases[i].null, "%s in BSD loopback", cases[i].expression);
		for (uint32_t cut = 0; cut < 156; cut++) cr_expect_eq(!!bpe_filter_run(program, a, an, cut), !*cases[i].expression);
		bpe_filter_free(program);
	}
}

Test(filter, link_types_that_no_filter_is_for)
{
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	cr_expect_eq(bpe_filter_compile("tcp", 189, 0, &program, &length, &e), BPE_E_UNSUPPORTED);
	cr_expect(strstr(e.text, "USB_LINUX") && strstr(e.text, "without"), "%s", e.text);
}

/* Thousands of hosts that do not follow each other, longer than short jumps reach: each is found at both ends, in IPv4 and ARP; their
 * neighbours are not. */
Test(filter, long_lists_are_searched)
{
	enum { HOSTS = 3000 };
	char *text = calloc(HOSTS, 40);
	uint8_t frame[60] = { [12] = 8, [14] = 0x45 };
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;
	cr_assert_not_null(text);
	for (uint32_t i = 0, at = 0; i < HOSTS; i++) at += (uint32_t)sprintf(text + at, "%shost 10.%u.%u.%u", i ? " or " : "", i * 37 % 250, i * 11 % 240, i * 96 % 250 & 254u);
	cr_assert_eq(bpe_filter_compile(text, 1, 77, &program, &length, &e), BPE_OK, "%s", e.text);
	cr_expect_null(bpei_filter_wrong(program, length));
	cr_expect_leq(length, HOSTS * 4);
	for (uint32_t i = 0; i < HOSTS; i++) {
		const uint8_t host[4] = { 10, (uint8_t)(i * 37 % 250), (uint8_t)(i * 11 % 240), (uint8_t)(i * 96 % 250 & 254u) };
		static const uint8_t places[][2] = { { 0x00, 26 }, { 0x00, 30 }, { 0x06, 28 }, { 0x06, 38 }, { 0x35, 38 } };
		for (size_t k = 0; k < 5; k++) {
			frame[12] = places[k][0] == 0x35 ? 0x80 : 8, frame[13] = places[k][0];
			memset(frame + 26, 0, 20);
			memcpy(frame + places[k][1], host, 4);
			cr_assert_eq(bpe_filter_run(program, frame, 60, 60), 77, "host %u at %u", i, places[k][1]);
			frame[places[k][1] + 3] |= 1;
			cr_assert_eq(bpe_filter_run(program, frame, 60, 60), 0, "the neighbour of host %u at %u", i, places[k][1]);
		}
	}
	bpe_filter_free(program);
	free(text);
}
