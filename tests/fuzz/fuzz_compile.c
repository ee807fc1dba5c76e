/* SPDX-License-Identifier: MIT */
/* Gives any text as a filter: the text compiles, or an error gives the reason.  A program passes
 * the checks of kernels and ends on a packet.  The text consists of words of the language, because
 * other words would be sent to a resolver. */
#include "bpfengine.h"
#include "filter/filter.h"
#include "fuzz.h"

#include <string.h>

static const char *const words[] = { "tcp", "udp", "ip", "ip6", "icmp", "arp", "ether",
	"host 10.0.0.1", "net 10.0.0.0/8", "port 80", "portrange 1-9", "src ", "dst ", "and ",
	"or ", "not ", "(", ")", "[", "]", ":2", "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>",
	"<", ">", "=", "!=", "len", "vlan ", "mpls ", "pppoes ", "1", "0x7f", "255", "4", "proto ",
	"fe80::1", "less 9", "tcpflags", "broadcast", "multicast", "inbound", "2", "0", "or 443",
	"stp", "ipx", "iso", "host fe80::1", "greater 60", "ether host 1:2:3:4:5:6", "sctp",
	"<=", ">=", "proto 6", "type ", "subtype ", "mgt", "data", "beacon", "qos-data", "dir tods",
	"wlan addr2 1:2:3:4:5:6", "wlan", "llc", "llc ui", "ip6 protochain 6", "protochain 17",
	"decnet host 1.2", "iih", "radio", "byte 3 = 4", "ifindex 3", "tcp[13]", "ip[ip[9]]",
	"(ip[3] & ip[9])", "udp[2:2]", "< (ip[8] - ip[9])", "= 7 or", "inner(", "geneve 5", "vxlan",
	"pid 4", "proc a", "dir in" };

static const uint8_t packet[64] = { [12] = 8, [14] = 0x45, [23] = 6 };

/* Compares a program with the unoptimized program of the text, on whole packets of the input's
 * bytes: all loads lie inside. */
static void check_unoptimized(const char *text, struct bpe_filter_options *o,
	const struct bpe_insn *program, const uint8_t *bytes, size_t n)
{
	static uint8_t whole[1 << 17];
	struct bpe_insn *plain;
	struct bpe_error e = { 0 };
	uint32_t length;

	o->unoptimized = 1;
	if (bpe_filter_compile_with(text, o, &plain, &length, &e) != BPE_OK) {
		FUZZ_CHECK(strstr(e.text, "too deep"));
		return;
	}
	for (size_t turn = 0; turn < 4; turn++) {
		for (size_t i = 0; i < 200; i++)
			whole[i] = (uint8_t)(bytes[(i + turn) % n] * (turn & 1 ? i + 1 : 1));
		memcpy(whole + 12, turn < 2 ? packet + 12 : whole, 12);
		if (turn == 3) {
			whole[12] = 0x86;
			whole[13] = 0xdd;
			whole[20] = 17;
		}
		uint32_t a = bpei_filter_run(program, whole, 200, sizeof whole);
		uint32_t b = bpei_filter_run(plain, whole, 200, sizeof whole);
		FUZZ_CHECK(a == b);
	}
	bpe_filter_free(plain);
}

void fuzz_compile(const uint8_t *bytes, size_t n)
{
	static const int links[] = { 1, 0, 108, 101, 113, 276, 9, 228, 105, 127, 119, 163, 192, 104,
		10, 258 };
	char text[2048] = "";
	size_t used = 0;
	if (n < 1)
		return;
	for (size_t i = 1; i < n && used + 32 < sizeof text; i++) {
		const char *w = words[bytes[i] % (sizeof words / sizeof *words)];
		used += (size_t)snprintf(text + used, sizeof text - used, " %s", w);
	}
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e = { 0 };
	struct bpe_filter_options o;
	bpe_filter_options_init(&o);
	o.link_type = links[bytes[0] % 16];
	o.snaplen = 100;
	if (bytes[0] >= 224)
		o.through = 1u << bytes[0] % 9;
	if (bpe_filter_compile_with(text, &o, &program, &length, &e) < 0) {
		FUZZ_CHECK(e.status < 0 && e.text[0]);
		return;
	}
	FUZZ_CHECK(!bpei_filter_check(program, length));
	char *told;
	if (bytes[0] & 1 && n < 60) {
		FUZZ_CHECK(bpe_filter_explain(text, &o, &told, NULL) == BPE_OK && told[0]);
		bpe_filter_text_free(told);
	}
	uint32_t kept = bpei_filter_run(program, packet, sizeof packet, sizeof packet);
	FUZZ_CHECK(kept == 0 || kept == 100);
	check_unoptimized(text, &o, program, bytes, n);
	bpe_filter_free(program);
}
