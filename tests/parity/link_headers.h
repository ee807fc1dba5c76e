/* SPDX-License-Identifier: MIT */
/* Link headers for made packets, of every link type that filters know, in front of a packet of an
 * ethertype.  Each writes to `h`, 200 zeros, and returns how many bytes it took.  The including
 * file has random_libpcap(), random numbers. */
#ifndef LINK_HEADERS_H
#define LINK_HEADERS_H

#include <stdint.h>
#include <string.h>

static uint32_t random_libpcap(void);

/* A frame of 802.11, mostly of data, with an LLC header or without; what stands before the network
 * header.  padded: as radiotap says. */
static uint32_t wlan_header(uint8_t *h, uint32_t from, uint32_t type, int padded)
{
	static const uint8_t kinds[] = { 0x08, 0x08, 0x08, 0x88, 0x88, 0x48, 0x18, 0x80, 0x00, 0x40,
		0xb4, 0xc4, 0xd4, 0xa4, 0x84, 0x94 };
	uint32_t at = from + 24;
	for (uint32_t i = from; i < at; i++)
		h[i] = random_libpcap() % 4 ? (uint8_t)(1 + i % 6) : (uint8_t)random_libpcap();
	if (random_libpcap() % 4 == 0)
		memset(h + from + 4, 255, 6);
	h[from] = random_libpcap() % 5 ? kinds[random_libpcap() % sizeof kinds]
				       : (uint8_t)random_libpcap();
	h[from + 1] =
		random_libpcap() % 3 ? (uint8_t)(random_libpcap() % 4) : (uint8_t)random_libpcap();
	if ((h[from] & 0x8c) == 0x88)
		h[at++] = 0, h[at++] = 0;
	if (padded)
		while (at % 4)
			h[at++] = 0;
	if (random_libpcap() % 8) {
		static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
		memcpy(h + at, snap, 6), h[at + 6] = (uint8_t)(type >> 8),
						h[at + 7] = (uint8_t)type;
	} else {
		static const uint8_t saps[] = { 0x42, 0xfe, 0xf0, 0xe0, 0xaa, 0x06 };
		memset(h + at, saps[random_libpcap() % sizeof saps], 2);
		for (int k = 2; k < 8; k++)
			h[at + (uint32_t)k] = (uint8_t)random_libpcap();
	}
	return at + 8;
}

static void put_type(uint8_t *h, uint32_t type)
{
	h[0] = (uint8_t)(type >> 8), h[1] = (uint8_t)type;
}

static uint8_t ppp_number(uint32_t type)
{
	return type == 0x86dd ? 0x57 : type == 0x0800 ? 0x21 : 0x31;
}

/* An LLC header with SNAP, or now and then OSI's, or one of the spanning tree. */
static uint32_t llc_header(uint8_t *h, uint32_t type)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
	memcpy(h, snap, 6);
	put_type(h + 6, type);
	if (random_libpcap() % 8)
		return 8;
	memset(h, random_libpcap() % 2 ? 0x42 : 0xfe, 2);
	h[3] = 0x83, h[7] = (uint8_t)(15 + random_libpcap() % 13);
	return 8;
}

static uint32_t ethernet_header(uint8_t *h, uint32_t type)
{
	for (uint32_t i = 0; i < 12; i++)
		h[i] = random_libpcap() % 3 ? (uint8_t)(i % 7) : (uint8_t)random_libpcap();
	if (random_libpcap() % 4 == 0)
		memset(h, 255, 6);
	put_type(h + 12, type);
	return 14;
}

static uint32_t atm_header(uint8_t *h, uint32_t type)
{
	static const uint8_t messages[] = { 0x5a, 0x4d, 0x0f, 0x07, 0x05, 0x02, 9 };
	h[0] = (uint8_t)(random_libpcap() % 3 | (random_libpcap() & 0xf0)),
	h[1] = random_libpcap() % 3 ? 0 : (uint8_t)(random_libpcap() % 5);
	h[3] = random_libpcap() % 3 ? (uint8_t)(random_libpcap() % 7) : 16;
	if ((h[0] & 15) == 1) {
		if (random_libpcap() % 4 == 0)
			h[4] = 0xff;
		return 6 + ethernet_header(h + 6, type);
	}
	if ((h[0] & 15) == 2)
		return 4 + llc_header(h + 4, type);
	h[9] = messages[random_libpcap() % sizeof messages];
	return 10;
}

static uint32_t pflog_header(uint8_t *h, uint32_t type)
{
	static const char names[][4] = { "eth0", "em1", "foo", "" };
	h[0] = random_libpcap() % 4 ? 61 : 64, h[1] = type == 0x86dd ? 10 : 2,
	h[2] = random_libpcap() % 12, h[3] = random_libpcap() % 16;
	memcpy(h + 4, names[random_libpcap() % 4], 4);
	memcpy(h + 20, names[random_libpcap() % 4], 4);
	h[39] = random_libpcap() % 8, h[43] = random_libpcap() % 8, h[60] = random_libpcap() % 3;
	return 64;
}

/* Of SS7: a length of a few bytes, and the routing label. */
static uint32_t signal_header(uint8_t *h, uint32_t in_front)
{
	h[0] = random_libpcap() % 2;
	h[in_front + 2] =
		random_libpcap() % 4 ? (uint8_t)(random_libpcap() % 5) : (uint8_t)random_libpcap();
	for (uint32_t i = 3; i < 12; i++)
		h[in_front + i] = random_libpcap() % 2 ? (uint8_t)(random_libpcap() % 8)
						       : (uint8_t)random_libpcap();
	return in_front + 12;
}

static uint32_t arcnet_header(uint8_t *h, uint32_t in_front, uint32_t type)
{
	h[0] = (uint8_t)(random_libpcap() % 8), h[1] = (uint8_t)(random_libpcap() % 4);
	h[in_front + 2] = type == 0x86dd         ? 0xc4
			  : type == 0x0806       ? 0xd5
			  : random_libpcap() % 2 ? 0xd4
						 : 0xf0;
	if (random_libpcap() % 9 == 0)
		h[in_front + 2] = (uint8_t)(0xd0 + random_libpcap() % 16);
	return in_front + 6;
}

/* Juniper's: a magic number, flags, and as many bytes as one of its kin has. */
static uint32_t juniper_header(uint8_t *h)
{
	static const uint8_t lengths[] = { 4, 6, 8, 12, 32 };
	memcpy(h, random_libpcap() % 9 ? "MGC" : "MGD", 3);
	h[3] = (uint8_t)random_libpcap();
	return lengths[random_libpcap() % sizeof lengths];
}

/* Link types that came later than the first ones; 0: none of them. */
static uint32_t rare_header(int link, uint8_t *h, uint32_t type)
{
	switch (link) {
	case 7:
		return arcnet_header(h, 0, type);
	case 129:
		return arcnet_header(h, 2, type);
	case 99:
		put_type(h + 6, type);
		return 44;
	case 100:
	case 106:
		return llc_header(h, type);
	case 122:
		ethernet_header(h + 2, 0);
		return 16 + llc_header(h + 16, type);
	case 102:
		h[0] = random_libpcap() % 2   ? (uint8_t)(random_libpcap() % 2)
		       : random_libpcap() % 2 ? 0x45
					      : 0x60;
		return 24;
	case 103:
		h[6] = random_libpcap() % 3 ? ppp_number(type) : 0x2d;
		return 24;
	case 107:
		h[2] = 3, h[3] = type == 0x86dd         ? 0x8e
				 : random_libpcap() % 3 ? 0xcc
							: (uint8_t)(0x80 + random_libpcap() % 4);
		return 4;
	case 109:
		h[0] = type == 0x86dd ? 10 : 2;
		return 12;
	case 112:
		h[0] = 15;
		put_type(h + 2, type);
		return 4;
	case 117:
		return pflog_header(h, type);
	case 123:
		return atm_header(h, type);
	case 138:
		put_type(h + 16, type);
		return 18;
	case 139:
		return signal_header(h, 4);
	case 140:
		return signal_header(h, 0);
	case 197:
		return signal_header(h, 20);
	case 166:
		h[0] = random_libpcap() % 3, h[1] = 3, h[3] = ppp_number(type);
		return 4;
	case 226:
		h[1] = type == 0x86dd ? 26 : 2, h[3] = random_libpcap() % 4;
		return 24;
	case 240:
		return 4 + ethernet_header(h + 4, type);
	case 241:
		return 12 + ethernet_header(h + 12, type);
	default:
		return (link >= 130 && link <= 183) || link == 194 || link == 200 || link == 232
			       ? juniper_header(h)
			       : 0;
	}
}

static uint32_t other_header(int link, uint8_t *h, uint32_t type)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
	uint32_t at = 0;
	memset(h, 0, 200);
	if ((at = rare_header(link, h, type)))
		return at;
	switch (link) {
	case 50:
	case 51:
		at = link == 50 ? 2 : 6;
		h[at] = 0, h[at + 1] = type == 0x86dd ? 0x57 : type == 0x0800 ? 0x21 : 0x31;
		return at + 2;
	case 104:
		h[0] = 15, h[2] = (uint8_t)(type >> 8), h[3] = (uint8_t)type;
		return 4;
	case 8:
		h[0] = random_libpcap() % 3   ? (uint8_t)(random_libpcap() % 2)
		       : random_libpcap() % 2 ? 0x45
					      : 0x60;
		return 16;
	case 10:
	case 6:
		at = link == 10 ? 13 : 14;
		for (uint32_t i = 0; i < at; i++)
			h[i] = (uint8_t)(random_libpcap() % 3 ? i % 7 : random_libpcap());
		memcpy(h + at, snap, 6), h[at + 6] = (uint8_t)(type >> 8),
						h[at + 7] = (uint8_t)type;
		if (random_libpcap() % 8 == 0)
			memset(h + at, random_libpcap() % 2 ? 0x42 : 0xfe, 2), h[at + 3] = 0x83;
		return at + 8;
	case 105:
		return wlan_header(h, 0, type, 0);
	case 127: {
		uint32_t length = 8;
		uint32_t present = random_libpcap() % 16;
		uint32_t flags_at;
		if (random_libpcap() % 8 == 0)
			present |= 0x80000000u;
		h[4] = (uint8_t)present, h[7] = (uint8_t)(present >> 24);
		if (present >> 31)
			length += 4;
		if (present & 1)
			length += 8;
		flags_at = length;
		if (present & 2)
			h[length++] = random_libpcap() % 2 ? 0x20 : (uint8_t)random_libpcap();
		length += random_libpcap() % 20;
		h[2] = (uint8_t)length;
		return wlan_header(h, length, type, (present & 2) && h[flags_at] & 0x20);
	}
	case 163:
		h[0] = 0x80, h[1] = 0x21, h[2] = 0x10, h[3] = 1, h[7] = 64;
		return wlan_header(h, 64, type, 0);
	case 192:
		h[2] = (uint8_t)(8 + random_libpcap() % 24), h[4] = random_libpcap() % 8 ? 105 : 1;
		return wlan_header(h, h[2], type, 0);
	case 119: /* or AVS in its place */
		if (random_libpcap() % 2)
			return h[4] = 144, wlan_header(h, 144, type, 0);
		h[0] = 0x80, h[1] = 0x21, h[2] = 0x10, h[3] = random_libpcap() % 3, h[7] = 64;
		return wlan_header(h, 64, type, 0);
	default:
		return 0; /* nothing is known of them, or nothing is in front */
	}
}

#endif
