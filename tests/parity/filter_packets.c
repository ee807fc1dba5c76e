/* SPDX-License-Identifier: MIT */
/* Packets of many link types: from savefiles, from the generator, made, cut, and random bytes. */
#include "filter_packets.h"

#include "bpfengine.h"
#include "link_headers.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 20000u
/* The first link types keep all packets, the next fewer, the others still fewer. */
#define PLAIN 7
#define FREQUENT 18

const struct link_number links[LINKS] = { { 1, DLT_EN10MB }, { 0, DLT_NULL }, { 108, DLT_LOOP },
	{ 101, DLT_RAW }, { 113, DLT_LINUX_SLL }, { 276, DLT_LINUX_SLL2 }, { 9, DLT_PPP },
	{ 50, DLT_PPP_SERIAL }, { 51, DLT_PPP_ETHER }, { 104, DLT_C_HDLC }, { 8, DLT_SLIP },
	{ 10, DLT_FDDI }, { 6, DLT_IEEE802 }, { 105, DLT_IEEE802_11 },
	{ 127, DLT_IEEE802_11_RADIO }, { 163, DLT_IEEE802_11_RADIO_AVS }, { 119, DLT_PRISM_HEADER },
	{ 192, DLT_PPI }, { 7, DLT_ARCNET }, { 12, DLT_RAW }, { 99, 99 }, { 100, DLT_ATM_RFC1483 },
	{ 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS }, { 106, DLT_ATM_CLIP }, { 107, 107 },
	{ 109, 109 }, { 112, 112 }, { 114, 114 }, { 117, 117 }, { 122, 122 }, { 123, 123 },
	{ 129, 129 }, { 130, 130 }, { 132, 132 }, { 133, 133 }, { 135, 135 }, { 137, 137 },
	{ 138, 138 }, { 139, 139 }, { 140, 140 }, { 164, 164 }, { 165, 165 }, { 166, 166 },
	{ 167, 167 }, { 168, 168 }, { 178, 178 }, { 179, 179 }, { 181, 181 }, { 183, 183 },
	{ 197, 197 }, { 226, 226 }, { 228, 228 }, { 229, 229 }, { 232, 232 }, { 240, 240 },
	{ 241, 241 }, { 147, 147 }, { 195, 195 }, { 219, 219 }, { 253, 253 },
	{ 289, 289 } }; /* the last have bytes alone */
struct packet *packets[LINKS];
uint32_t count[LINKS];
static uint64_t state = 7;

uint32_t draw_packet_number(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Stores the begin of the 802.11 frame, and whether its header is padded.  Returns false if there
 * is no such frame, or only a part of its radio header. */
static bool find_frame(int link, const uint8_t *d, uint32_t n, uint32_t *at, bool *padded)
{
	*padded = false;
	*at = 0;
	if (link == 105)
		return true;
	if (n < 8)
		return false;
	switch (link) {
	case 127:
		*at = read_le16(d + 2);
		*padded = d[7] & 0x80 || (*at % 4 && d[4] & 2);
		return true;
	case 163:
		*at = (uint32_t)d[6] << 8 | d[7];
		return true;
	case 119:
		*at = d[0] == 0x80 ? (uint32_t)d[6] << 8 | d[7] : 144;
		return true;
	case 192:
		*at = read_le16(d + 2);
		return true;
	default:
		return false;
	}
}

/* Returns true if libpcap 1.10.3 looks for the payload in the wrong place: 802.11 frames with four
 * addresses or HT control, padding behind a radio header of odd length, several bitmaps; IP in
 * frame relay, which libpcap expects 4 bytes earlier.  filter_inside.c compares these packets with
 * the same packets on Ethernet. */
static bool misplaces_payload(int l, const uint8_t *d, uint32_t n)
{
	const int link = links[l].link;
	uint32_t at;
	bool padded;

	if (link == 107)
		return n > 3 && d[2] == 3 && (d[3] == 0xcc || d[3] == 0x8e);
	if (!find_frame(link, d, n, &at, &padded))
		return false;
	if (link == 119 && d[0] != 0x80 && (d[4] != 144 || d[5] || d[6] || d[7]))
		return true;
	if (at + 2 > n || (d[at] & 0x0c) != 0x08)
		return false;
	return padded || (d[at + 1] & 3) == 3 || (d[at] & 0x80 && d[at + 1] & 0x80);
}

/* Returns true for loopback headers with another system's number for IPv6, or in another host's
 * byte order: libpcap knows only this host's. */
static bool is_foreign_loopback(int l, const uint8_t *data, uint32_t caplen)
{
	if (l != 1 && l != 2 && links[l].link != 109)
		return false;
	for (uint32_t k = 0; k < 4 && k < caplen; k++)
		if (data[k] == 24 || data[k] == 28 || data[k] == 30)
			return true;
	return l == 1 && caplen > 3 && !data[0] && !data[1] && !data[2];
}

static uint32_t most_packets(int l)
{
	if (l < PLAIN)
		return PACKETS;
	return l < FREQUENT ? PACKETS / 4 : PACKETS / 20;
}

/* Keeps a copy of the packet for the comparisons, if there is room. */
static void keep_for_libpcap(int l, const uint8_t *data, uint32_t caplen, uint32_t wirelen)
{
	if (is_foreign_loopback(l, data, caplen) || misplaces_payload(l, data, caplen))
		return;
	if (count[l] == most_packets(l))
		return;
	if (!packets[l])
		packets[l] = calloc(PACKETS, sizeof **packets);
	uint8_t *copy = malloc(caplen ? caplen : 1); /* of the same size, for the sanitizers */
	if (!packets[l] || !copy)
		exit(2);
	memcpy(copy, data, caplen);
	packets[l][count[l]++] = (struct packet){ copy, caplen, wirelen };
}

/* Keeps the packet, and a cut of less than `most` bytes. */
static void keep_cut(int l, const struct bpe_batch *b, int i, uint32_t most)
{
	const uint32_t caplen = b->caplen[i];

	if (caplen)
		keep_for_libpcap(l, b->data[i],
			draw_packet_number() % (caplen < most ? caplen : most), b->wirelen[i]);
}

void read_savefile(const char *path)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	uint32_t taken = 0;
	bpe_options_init(&o);
	o.file = path;
	if (bpe_capture_open(&o, &c, NULL) < 0)
		return;
	for (int n; taken < 300 && (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++, taken++)
			for (int l = 0; l < LINKS; l++) {
				if (b.layers[i].link_type != links[l].link || b.caplen[i] >= 4000)
					continue;
				keep_for_libpcap(l, b.data[i], b.caplen[i], b.wirelen[i]);
				if (draw_packet_number() % 4 == 0)
					keep_cut(l, &b, i, 100);
			}
	bpe_capture_close(c);
}

static void put_other_type(uint8_t *to, uint32_t type)
{
	to[0] = (uint8_t)(type >> 8);
	to[1] = (uint8_t)type;
}

/* Writes a header of the link type that announces the ethertype.  Returns its length. */
static uint32_t make_other_header(int link, uint8_t *bytes, uint32_t type)
{
	const bool six = type == 0x86dd;

	memset(bytes, 0, 20);
	switch (link) {
	case 0:
		bytes[0] = six ? 10 : 2;
		return 4;
	case 108:
		bytes[3] = six ? 10 : 2;
		return 4;
	case 113:
		bytes[1] = draw_packet_number() % 5;
		put_other_type(bytes + 14, type);
		return 16;
	case 276:
		bytes[10] = draw_packet_number() % 5;
		put_other_type(bytes, type);
		return 20;
	case 9:
		bytes[0] = 0xff;
		bytes[1] = 3;
		bytes[3] = six ? 0x57 : 0x21;
		return 4;
	case 101:
		return 0;
	default:
		return make_link_type_header(link, bytes, type);
	}
}

/* Puts the Ethernet packets under the headers of all other link types. */
void make_other_packets(void)
{
	const uint32_t n = count[0];
	uint8_t bytes[4096];

	for (uint32_t i = 0; i < n; i += 1 + i % 3) {
		const struct packet *p = &packets[0][i];

		if (p->caplen < 14 || p->caplen > 3800)
			continue;
		const uint32_t type = (uint32_t)p->data[12] << 8 | p->data[13];
		const uint32_t body = p->caplen - 14;
		for (int l = 1; l < LINKS; l++) {
			const uint32_t head = make_other_header(links[l].link, bytes, type);

			memcpy(bytes + head, p->data + 14, body);
			keep_for_libpcap(l, bytes, head + body, p->wirelen + head - 14);
		}
	}
}

void make_random_packets(void)
{
	uint8_t bytes[120];

	for (int l = 0; l < LINKS; l++)
		for (int i = 0; i < 500; i++) {
			const uint32_t size = draw_packet_number() % sizeof bytes;

			for (uint32_t k = 0; k < size; k++)
				bytes[k] = draw_packet_number() % 3 ? (uint8_t)draw_packet_number()
								    : 0;
			keep_for_libpcap(l, bytes, size, size + draw_packet_number() % 10);
		}
}

void read_synth(void)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;

	bpe_options_init(&o);
	o.interface_name = "synth:count=2000,flows=200,vlan=20,ipv6=40";
	if (bpe_capture_open(&o, &c, NULL) < 0)
		exit(2);
	for (int n; (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++) {
			keep_for_libpcap(0, b.data[i], b.caplen[i], b.wirelen[i]);
			keep_cut(0, &b, i, 80);
		}
	bpe_capture_close(c);
}
