/* SPDX-License-Identifier: MIT */
#include "filter/filter.h"
#include "match_packet.h"

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

Test(filter, programs_that_no_kernel_accepts)
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

/* Writes a PKTAP header (156 bytes of version 1, as on Macs) and a packet of the DLT.  Returns the
 * length. */
static uint32_t make_pktap_packet(uint8_t *to, uint32_t dlt, const uint8_t *inner, uint32_t n)
{
	memset(to, 0, 156);
	to[0] = 156;
	to[4] = 1;
	to[8] = (uint8_t)dlt;
	memcpy(to + 156, inner, n);
	return 156 + n;
}

Test(filter, pktap_is_filtered_by_the_packet_inside)
{
	static const uint8_t ip[28] = {
		0x45, [9] = 17, [12] = 10, [15] = 1, [16] = 10, [19] = 2, [22] = 0, [23] = 53
	};
	static const uint8_t null[] = { 2, 0, 0, 0 };
	static const uint8_t ether[14] = { 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 0 };
	static const struct {
		const char *expression;
		bool ether, raw, null;
	} cases[] = { { "udp port 53", 1, 1, 1 }, { "ip host 10.0.0.2", 1, 1, 1 },
		{ "tcp", 0, 0, 0 }, { "not tcp", 1, 1, 1 }, { "ether src 4:4:4:4:4:4", 1, 0, 0 },
		{ "not ether src 4:4:4:4:4:4", 0, 0, 0 }, { "ether[0] = 2", 1, 0, 1 },
		{ "udp[3] = 53", 1, 1, 1 }, { "", 1, 1, 1 } };
	uint8_t a[256], b[256], c[256], inner[64];
	memcpy(inner, ether, 14);
	memcpy(inner + 14, ip, 28);
	const uint32_t an = make_pktap_packet(a, 1, inner, 42);
	const uint32_t bn = make_pktap_packet(b, 12, ip, 28);
	memcpy(inner, null, 4);
	memcpy(inner + 4, ip, 28);
	const uint32_t cn = make_pktap_packet(c, 0, inner, 32);
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

/* Compiles tests of bytes and of the length for any link type; other terms need a known link type.
 */
Test(filter, link_types_with_unknown_headers)
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

/* Compiles thousands of hosts without a common range, more than short jumps reach.  Each host is
 * found at both ends, in IPv4 and ARP; the neighbours are not. */
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
			frame[12] = places[k][0] == 0x35 ? 0x80 : 8;
			frame[13] = places[k][0];
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

Test(filter, terms_of_pktap_packets)
{
	static const uint8_t ip[28] = { 0x45, [9] = 17, [23] = 53 };
	uint8_t p[256];
	uint32_t n = make_pktap_packet(p, 12, ip, 28);
	memcpy(p + 12, "en0", 4);
	memcpy(p + 56, "Safari", 7);
	memcpy(p + 88, "curl", 5);
	p[36] = 2;
	p[52] = 0x92; /* process 4242 */
	p[53] = 0x10;
	p[76] = 0x20; /* service class 800 */
	p[77] = 3;
	p[84] = 5;
	static const char *const yes[] = { "pid 4242", "epid 5", "proc Safari", "eproc curl",
		"if en0", "dir out", "svc VO", "svc 800",
		"pid 4242 and udp port 53 and not proc curl", "not dir in", "proc Safari or tcp" };
	static const char *const no[] = { "pid 4243", "epid 4", "proc Safar", "proc Safari2",
		"eproc Curl", "if en", "if en01", "dir in", "svc BE", "pid 4242 and tcp" };
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		cr_expect(matches_packet(yes[i], 258, 0, p, n), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		cr_expect(!matches_packet(no[i], 258, 0, p, n), "%s", no[i]);
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

static char *write_list_file(const char *text)
{
	static char path[] = "/tmp/bpfengine-list-XXXXXX";
	strcpy(path + strlen(path) - 6, "XXXXXX");
	int file = mkstemp(path);
	cr_assert_geq(file, 0);
	cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	return path;
}

/* Compares the program of a list with the program of the values joined by "or". */
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
		char *path = write_list_file(cases[i].list);
		snprintf(text, sizeof text, cases[i].with, path);
		cr_assert_eq(bpe_filter_compile(text, 1, 0, &a, &an, &e), BPE_OK, "%s: %s", text,
			e.text);
		cr_assert_eq(bpe_filter_compile(cases[i].plain, 1, 0, &b, &bn, &e), BPE_OK, "%s",
			e.text);
		cr_expect(an == bn && !memcmp(a, b, an * sizeof *a), "%s", text);
		bpe_filter_free(a);
		bpe_filter_free(b);
		unlink(path);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char *path = write_list_file(wrong[i].list);
		snprintf(text, sizeof text, wrong[i].with, path);
		cr_expect_eq(
			bpe_filter_compile(text, 1, 0, &a, &an, &e), BPE_E_ARGUMENT, "%s", text);
		cr_expect(strstr(e.text, wrong[i].says), "%s: %s", text, e.text);
		unlink(path);
	}
}

/* Refuses expressions that are too long, too deep or out of place, although they are parsed for
 * many shapes, and soon. */
Test(filter, limits_hold_in_all_shapes, .timeout = 550)
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

	char *text = calloc(30000, 32); /* fits a single time, and not 300 times */
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
