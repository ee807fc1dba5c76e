/* SPDX-License-Identifier: MIT */
/* filter_inside: a filter has the verdict that it has on Ethernet when the same packet lies behind
 * another link header, where libpcap 1.10.3 looks in the wrong place: 802.11 with four addresses,
 * HT control and padding, bare and behind radio headers of any length, and frame relay.
 * The parser finds the packet in the same place. */
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

static uint32_t random_inside(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* A packet of IPv4, IPv6 or ARP, with numbers that the expressions ask for; returns its ethertype.
 */
static uint32_t make_inside_body(uint8_t *p)
{
	static const uint8_t protocols[] = { 6, 17, 1, 58, 132 };
	static const uint8_t ports[] = { 53, 80, 90, 7 };
	uint32_t kind = random_inside(8);
	uint32_t transport = kind < 5 ? 20 : 40;
	for (uint32_t i = 0; i < BODY; i++)
		p[i] = (uint8_t)(random_inside(3) ? random_inside(4) : random_inside(256));
	if (kind == 7)
		return p[1] = 1, 0x0806;
	p[transport + random_inside(2) * 2] = 0;
	p[transport + 1] = ports[random_inside(4)], p[transport + 3] = ports[random_inside(4)];
	if (kind < 5) {
		p[0] = 0x45, p[6] = random_inside(4) ? 0 : 0x20, p[7] = random_inside(4) ? 0 : 5;
		p[9] = protocols[random_inside(5)];
		p[12] = p[16] = random_inside(6) ? 10 : (uint8_t)random_inside(256),
		p[13] = p[14] = p[17] = p[18] = 0;
		return 0x0800;
	}
	p[0] = 0x60, p[6] = protocols[random_inside(5)];
	if (random_inside(2))
		memcpy(p + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	return 0x86dd;
}

/* Radiotap with so many bitmaps, perhaps a time and flags, and fields of any length behind. */
static uint32_t make_radiotap_header(uint8_t *h, int *padded)
{
	const uint32_t words = 1 + random_inside(4);
	const uint32_t present = random_inside(16);
	uint32_t at = 4 + 4 * words;
	for (uint32_t i = 1; i < words; i++)
		h[4 * i + 3] = 0x80;
	h[4] = (uint8_t)present;
	if (present & 1)
		at = (at + 7) / 8 * 8 + 8;
	*padded = present & 2 && random_inside(2);
	if (present & 2)
		h[at++] = *padded ? 0x20 : (uint8_t)(random_inside(256) & ~0x20u);
	for (uint32_t end = at + random_inside(24); at < end; at++)
		h[at] = (uint8_t)random_inside(256);
	h[2] = (uint8_t)at;
	return at;
}

/* A data frame of any shape with LLC and SNAP behind; returns where the packet begins. */
static uint32_t make_wlan_header(uint8_t *h, uint32_t from, int padded, uint32_t type)
{
	const int qos = random_inside(2), four = random_inside(2), order = random_inside(2);
	uint32_t at = from + 24 + (four ? 6 : 0);
	h[from] = (uint8_t)(0x08 | (qos ? 0x80 : 0) | random_inside(4) << 4);
	h[from + 1] = (uint8_t)((four ? 3 : random_inside(3)) | (order ? 0x80 : 0) |
				(random_inside(4) << 2));
	for (uint32_t i = from + 4; i < at; i++)
		h[i] = (uint8_t)random_inside(256);
	h[from + 22] &= 0xf0;
	if (qos)
		h[at] = (uint8_t)random_inside(16), at += order ? 6 : 2;
	if (padded)
		at += (from - at) & 3;
	memcpy(h + at, "\xaa\xaa\3\0\0", 5);
	h[at + 6] = (uint8_t)(type >> 8), h[at + 7] = (uint8_t)type;
	return at + 8;
}

static uint32_t make_inside_header(int link, uint8_t *h, uint32_t type)
{
	int padded = 0;
	uint32_t length;
	memset(h, 0, ROOM);
	switch (link) {
	case WLAN:
		return make_wlan_header(h, 0, 0, type);
	case RADIOTAP:
		length = make_radiotap_header(h, &padded);
		return make_wlan_header(h, length, padded, type);
	case AVS:
		length = 64 + random_inside(9);
		memcpy(h, "\x80\x21\x10\1", 4), h[7] = (uint8_t)length;
		return make_wlan_header(h, length, 0, type);
	case PRISM:
		length = random_inside(2) ? 144 : 100 + random_inside(40);
		h[3] = 0x44, h[random_inside(2) ? 4 : 7] = (uint8_t)length; /* in either order */
		return make_wlan_header(h, length, 0, type);
	case PPI:
		length = 8 + random_inside(40);
		h[2] = (uint8_t)length, h[4] = 105;
		return make_wlan_header(h, length, 0, type);
	default:
		h[2] = 3, h[3] = type == 0x0800 ? 0xcc : 0x8e;
		return 4;
	}
}

static void report_inside_fault(const char *what, int link, uint32_t try, const char *expression)
{
	if (++failed < 30)
		printf("FAILED: link type %d, try %u: %s: %s\n", links[link], try, what,
			expression);
}

static void compare_inside(int link, uint32_t try)
{
	uint8_t ether[14 + BODY] = { 0 }, other[ROOM];
	uint32_t type = make_inside_body(ether + 14);
	uint32_t cut = random_inside(3) ? BODY : random_inside(BODY + 1);
	ether[12] = (uint8_t)(type >> 8), ether[13] = (uint8_t)type;
	if (link == FRELAY && type == 0x0806)
		return;
	uint32_t head = make_inside_header(link, other, type);
	memcpy(other + head, ether + 14, BODY);
	if (link != FRELAY && cut >= 40 && type != 0x0806) {
		struct parsed p = parse((uint32_t)links[link], other, head + cut, head + BODY);
		if (p.layers.network != head)
			report_inside_fault("the parser finds the packet elsewhere", link, try, "");
	}
	for (int e = 0; e < EXPRESSIONS; e++) {
		if (!programs[link][e])
			continue;
		bool a = bpe_filter_run(programs[ETHER][e], ether, 14 + BODY, 14 + cut);
		bool b = bpe_filter_run(programs[link][e], other, head + BODY, head + cut);
		if (a == b)
			passed++;
		else
			report_inside_fault(b ? "matches, unlike on Ethernet"
					      : "does not match, unlike on Ethernet",
				link, try, expressions[e]);
	}
}

int main(void)
{
	struct bpe_error error;
	uint32_t length;
	for (int link = 0; link < LINKS; link++)
		for (int e = 0; e < EXPRESSIONS; e++) {
			int r = bpe_filter_compile(expressions[e], links[link], 0,
				&programs[link][e], &length, &error);
			/* Frame relay tells of no ARP; protochain goes with headers of one length.
			 */
			if (r == BPE_OK || strstr(error.text, "rejects all") ||
				strstr(error.text, "protochain"))
				continue;
			printf("FAILED: link type %d: %s: %s\n", links[link], expressions[e],
				error.text);
			return 1;
		}
	for (uint32_t try = 0; try < TRIES; try++)
		for (int link = WLAN; link < LINKS; link++)
			compare_inside(link, try);
	for (int link = 0; link < LINKS; link++)
		for (int e = 0; e < EXPRESSIONS; e++)
			bpe_filter_free(programs[link][e]);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !passed;
}
