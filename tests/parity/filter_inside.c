/* SPDX-License-Identifier: MIT */
/* filter_inside: a filter has the same verdict on a packet behind Ethernet and behind another link
 * header.  These are the headers for which libpcap 1.10.3 looks in the wrong place: 802.11 with
 * four addresses, HT control and padding, bare and behind radio headers of any length, and frame
 * relay. The parser finds the packet in the same place. */
#include "bpfengine.h"
#include "parse_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 40000, BODY = 60, ROOM = 320 };

static const char *const expressions[] = { "ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6",
	"not ip", "not udp", "tcp port 80", "udp port 53", "not port 53", "host 10.0.0.1",
	"src net 10.0.0.0/9", "ip6 host 2001:db8::1", "ip[8] > 5", "tcp[13] & 2 != 0",
	"udp[4:2] = 20", "ip6[7] > 3", "ip multicast", "ip broadcast", "ip proto 17 or ip6 proto 6",
	"protochain 17", "portrange 50-90 and not host 10.0.0.2" };
enum { EXPRESSIONS = sizeof expressions / sizeof *expressions };
enum { ETHER, WLAN, RADIOTAP, AVS, PRISM, PPI, FRELAY, LINKS };
static const int links[LINKS] = { 1, 105, 127, 163, 119, 192, 107 };

static struct bpe_insn *programs[LINKS][EXPRESSIONS];
static uint64_t state = 5;
static unsigned long passed, failed;

/* Returns a random number below n. */
static uint32_t draw_below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static void put_inside_be16(uint8_t *to, uint32_t number)
{
	to[0] = (uint8_t)(number >> 8);
	to[1] = (uint8_t)number;
}

/* Writes an IPv4 header to p, with numbers from the expressions. */
static void make_ip4_header(uint8_t *p, uint8_t protocol)
{
	p[0] = 0x45;
	p[6] = draw_below(4) ? 0 : 0x20;
	p[7] = draw_below(4) ? 0 : 5;
	p[9] = protocol;
	p[12] = draw_below(6) ? 10 : (uint8_t)draw_below(256);
	memset(p + 13, 0, 2);
	memcpy(p + 16, p + 12, 3);
}

/* Writes a packet of IPv4, IPv6 or ARP, with numbers from the expressions.  Returns the ethertype.
 */
static uint32_t make_body(uint8_t *p)
{
	static const uint8_t protocols[] = { 6, 17, 1, 58, 132 };
	static const uint8_t ports[] = { 53, 80, 90, 7 };
	const uint32_t kind = draw_below(8);
	const uint32_t transport = kind < 5 ? 20 : 40;

	for (uint32_t i = 0; i < BODY; i++)
		p[i] = (uint8_t)(draw_below(3) ? draw_below(4) : draw_below(256));
	if (kind == 7) {
		p[1] = 1;
		return 0x0806;
	}
	p[transport + draw_below(2) * 2] = 0;
	p[transport + 1] = ports[draw_below(4)];
	p[transport + 3] = ports[draw_below(4)];
	if (kind < 5) {
		make_ip4_header(p, protocols[draw_below(5)]);
		return 0x0800;
	}
	p[0] = 0x60;
	p[6] = protocols[draw_below(5)];
	if (draw_below(2))
		memcpy(p + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	return 0x86dd;
}

/* Writes radiotap with several bitmaps, with or without time and flags, and with fields of any
 * length behind.  Returns the length. */
static uint32_t make_radiotap(uint8_t *h, bool *padded)
{
	const uint32_t words = 1 + draw_below(4);
	const uint32_t present = draw_below(16);
	uint32_t at = 4 + 4 * words;

	for (uint32_t i = 1; i < words; i++)
		h[4 * i + 3] = 0x80;
	h[4] = (uint8_t)present;
	if (present & 1)
		at = (at + 7) / 8 * 8 + 8;
	*padded = present & 2 && draw_below(2);
	if (present & 2)
		h[at++] = *padded ? 0x20 : (uint8_t)(draw_below(256) & ~0x20u);
	for (uint32_t end = at + draw_below(24); at < end; at++)
		h[at] = (uint8_t)draw_below(256);
	h[2] = (uint8_t)at;
	return at;
}

/* Writes a data frame of any shape with LLC and SNAP behind.  Returns the begin of the packet. */
static uint32_t make_wlan(uint8_t *h, uint32_t from, bool padded, uint32_t type)
{
	const bool qos = draw_below(2);
	const bool four = draw_below(2);
	const bool order = draw_below(2);
	const uint32_t ds_bits = four ? 3 : draw_below(3);
	uint32_t at = from + 24 + (four ? 6 : 0);

	h[from] = (uint8_t)(0x08 | (qos ? 0x80 : 0) | draw_below(4) << 4);
	h[from + 1] = (uint8_t)(ds_bits | (order ? 0x80 : 0) | (draw_below(4) << 2));
	for (uint32_t i = from + 4; i < at; i++)
		h[i] = (uint8_t)draw_below(256);
	h[from + 22] &= 0xf0;
	if (qos) {
		h[at] = (uint8_t)draw_below(16);
		at += order ? 6 : 2;
	}
	if (padded)
		at += (from - at) & 3;
	memcpy(h + at, "\xaa\xaa\3\0\0", 5);
	put_inside_be16(h + at + 6, type);
	return at + 8;
}

/* Writes the link header.  Returns the begin of the packet. */
static uint32_t make_link_header(int link, uint8_t *h, uint32_t type)
{
	bool padded = false;
	uint32_t length;

	memset(h, 0, ROOM);
	switch (link) {
	case WLAN:
		return make_wlan(h, 0, false, type);
	case RADIOTAP:
		length = make_radiotap(h, &padded);
		return make_wlan(h, length, padded, type);
	case AVS:
		length = 64 + draw_below(9);
		memcpy(h, "\x80\x21\x10\1", 4);
		h[7] = (uint8_t)length;
		return make_wlan(h, length, false, type);
	case PRISM:
		length = draw_below(2) ? 144 : 100 + draw_below(40);
		h[3] = 0x44;
		h[draw_below(2) ? 4 : 7] = (uint8_t)length; /* in either byte order */
		return make_wlan(h, length, false, type);
	case PPI:
		length = 8 + draw_below(40);
		h[2] = (uint8_t)length;
		h[4] = 105;
		return make_wlan(h, length, false, type);
	default:
		h[2] = 3;
		h[3] = type == 0x0800 ? 0xcc : 0x8e;
		return 4;
	}
}

static void report_inside_failure(const char *what, int link, uint32_t try, const char *expression)
{
	if (++failed < 30)
		printf("FAILED: link type %d, try %u: %s: %s\n", links[link], try, what,
			expression);
}

/* Compares all expressions on a packet behind Ethernet and behind the link header. */
static void compare_headers(int link, uint32_t try)
{
	uint8_t ether[14 + BODY] = { 0 }, other[ROOM];
	const uint32_t type = make_body(ether + 14);
	const uint32_t cut = draw_below(3) ? BODY : draw_below(BODY + 1);

	put_inside_be16(ether + 12, type);
	if (link == FRELAY && type == 0x0806)
		return;
	const uint32_t head = make_link_header(link, other, type);
	memcpy(other + head, ether + 14, BODY);
	if (link != FRELAY && cut >= 40 && type != 0x0806) {
		const struct parsed p =
			parse_bytes((uint32_t)links[link], other, head + cut, head + BODY);

		if (p.layers.network != head)
			report_inside_failure(
				"the parser finds the packet elsewhere", link, try, "");
	}
	for (int e = 0; e < EXPRESSIONS; e++) {
		if (!programs[link][e])
			continue;
		const bool a = bpe_filter_run(programs[ETHER][e], ether, 14 + BODY, 14 + cut);
		const bool b = bpe_filter_run(programs[link][e], other, head + BODY, head + cut);
		if (a == b)
			passed++;
		else
			report_inside_failure(b ? "matches, unlike on Ethernet"
						: "does not match, unlike on Ethernet",
				link, try, expressions[e]);
	}
}

/* Compiles all expressions.  Frame relay has no ARP; protochain needs headers of a fixed length. */
static bool compile_all(void)
{
	struct bpe_error error;
	uint32_t length;

	for (int link = 0; link < LINKS; link++)
		for (int e = 0; e < EXPRESSIONS; e++) {
			const int status = bpe_filter_compile(expressions[e], links[link], 0,
				&programs[link][e], &length, &error);

			if (status == BPE_OK || strstr(error.text, "rejects all") ||
				strstr(error.text, "protochain"))
				continue;
			printf("FAILED: link type %d: %s: %s\n", links[link], expressions[e],
				error.text);
			return false;
		}
	return true;
}

int main(void)
{
	if (!compile_all())
		return 1;
	for (uint32_t try = 0; try < TRIES; try++)
		for (int link = WLAN; link < LINKS; link++)
			compare_headers(link, try);
	for (int link = 0; link < LINKS; link++)
		for (int e = 0; e < EXPRESSIONS; e++)
			bpe_filter_free(programs[link][e]);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !passed;
}
