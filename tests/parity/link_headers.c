/* SPDX-License-Identifier: MIT */
/* Link headers for made packets.  Each function writes to `h`, which holds zeros, and returns the
 * header's length; `type` is the ethertype of the packet behind. */
#include "link_headers.h"

#include "filter_packets.h"

#include <string.h>

static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };

static void put_header_type(uint8_t *h, uint32_t type)
{
	h[0] = (uint8_t)(type >> 8);
	h[1] = (uint8_t)type;
}

/* Writes a frame of 802.11, mostly of data, with SNAP or another LLC header.  padded: as radiotap
 * says. */
static uint32_t make_wlan_header(uint8_t *h, uint32_t from, uint32_t type, int padded)
{
	static const uint8_t kinds[] = { 0x08, 0x08, 0x08, 0x88, 0x88, 0x48, 0x18, 0x80, 0x00, 0x40,
		0xb4, 0xc4, 0xd4, 0xa4, 0x84, 0x94 };
	uint32_t at = from + 24;
	for (uint32_t i = from; i < at; i++)
		h[i] = draw_packet_number() % 4 ? (uint8_t)(1 + i % 6)
						: (uint8_t)draw_packet_number();
	if (draw_packet_number() % 4 == 0)
		memset(h + from + 4, 255, 6);
	h[from] = draw_packet_number() % 5 ? kinds[draw_packet_number() % sizeof kinds]
					   : (uint8_t)draw_packet_number();
	h[from + 1] = draw_packet_number() % 3 ? (uint8_t)(draw_packet_number() % 4)
					       : (uint8_t)draw_packet_number();
	if ((h[from] & 0x8c) == 0x88)
		at += 2;
	if (padded)
		while (at % 4)
			h[at++] = 0;
	if (draw_packet_number() % 8) {
		memcpy(h + at, snap, sizeof snap);
		put_header_type(h + at + 6, type);
	} else {
		static const uint8_t saps[] = { 0x42, 0xfe, 0xf0, 0xe0, 0xaa, 0x06 };
		memset(h + at, saps[draw_packet_number() % sizeof saps], 2);
		for (int k = 2; k < 8; k++)
			h[at + (uint32_t)k] = (uint8_t)draw_packet_number();
	}
	return at + 8;
}

static uint8_t ppp_number_of_type(uint32_t type)
{
	if (type == 0x86dd)
		return 0x57;
	return type == 0x0800 ? 0x21 : 0x31;
}

/* Writes an LLC header with SNAP, or now and then of OSI or of the spanning tree. */
static uint32_t make_llc_header(uint8_t *h, uint32_t type)
{
	memcpy(h, snap, sizeof snap);
	put_header_type(h + 6, type);
	if (draw_packet_number() % 8)
		return 8;
	memset(h, draw_packet_number() % 2 ? 0x42 : 0xfe, 2);
	h[3] = 0x83;
	h[7] = (uint8_t)(15 + draw_packet_number() % 13);
	return 8;
}

static uint32_t make_ethernet_header(uint8_t *h, uint32_t type)
{
	for (uint32_t i = 0; i < 12; i++)
		h[i] = draw_packet_number() % 3 ? (uint8_t)(i % 7) : (uint8_t)draw_packet_number();
	if (draw_packet_number() % 4 == 0)
		memset(h, 255, 6);
	put_header_type(h + 12, type);
	return 14;
}

static uint32_t make_atm_header(uint8_t *h, uint32_t type)
{
	static const uint8_t messages[] = { 0x5a, 0x4d, 0x0f, 0x07, 0x05, 0x02, 9 };

	h[0] = (uint8_t)(draw_packet_number() % 3 | (draw_packet_number() & 0xf0));
	h[1] = draw_packet_number() % 3 ? 0 : (uint8_t)(draw_packet_number() % 5);
	h[3] = draw_packet_number() % 3 ? (uint8_t)(draw_packet_number() % 7) : 16;
	if ((h[0] & 15) == 1) {
		if (draw_packet_number() % 4 == 0)
			h[4] = 0xff;
		return 6 + make_ethernet_header(h + 6, type);
	}
	if ((h[0] & 15) == 2)
		return 4 + make_llc_header(h + 4, type);
	h[9] = messages[draw_packet_number() % sizeof messages];
	return 10;
}

static uint32_t make_pflog_header(uint8_t *h, uint32_t type)
{
	static const char names[][4] = { "eth0", "em1", "foo", "" };

	h[0] = draw_packet_number() % 4 ? 61 : 64;
	h[1] = type == 0x86dd ? 10 : 2;
	h[2] = draw_packet_number() % 12;
	h[3] = draw_packet_number() % 16;
	memcpy(h + 4, names[draw_packet_number() % 4], 4);
	memcpy(h + 20, names[draw_packet_number() % 4], 4);
	h[39] = draw_packet_number() % 8;
	h[43] = draw_packet_number() % 8;
	h[60] = draw_packet_number() % 3;
	return 64;
}

/* Writes a signal unit of SS7: a length of a few bytes, and the routing label. */
static uint32_t make_signal_header(uint8_t *h, uint32_t in_front)
{
	h[0] = draw_packet_number() % 2;
	h[in_front + 2] = draw_packet_number() % 4 ? (uint8_t)(draw_packet_number() % 5)
						   : (uint8_t)draw_packet_number();
	for (uint32_t i = 3; i < 12; i++)
		h[in_front + i] = draw_packet_number() % 2 ? (uint8_t)(draw_packet_number() % 8)
							   : (uint8_t)draw_packet_number();
	return in_front + 12;
}

static uint32_t make_arcnet_header(uint8_t *h, uint32_t in_front, uint32_t type)
{
	h[0] = (uint8_t)(draw_packet_number() % 8);
	h[1] = (uint8_t)(draw_packet_number() % 4);
	h[in_front + 2] = draw_packet_number() % 2 ? 0xd4 : 0xf0;
	if (type == 0x86dd)
		h[in_front + 2] = 0xc4;
	else if (type == 0x0806)
		h[in_front + 2] = 0xd5;
	if (draw_packet_number() % 9 == 0)
		h[in_front + 2] = (uint8_t)(0xd0 + draw_packet_number() % 16);
	return in_front + 6;
}

/* Writes a magic number and flags of Juniper; the length is of any of Juniper's link types. */
static uint32_t make_juniper_header(uint8_t *h)
{
	static const uint8_t lengths[] = { 4, 6, 8, 12, 32 };
	memcpy(h, draw_packet_number() % 9 ? "MGC" : "MGD", 3);
	h[3] = (uint8_t)draw_packet_number();
	return lengths[draw_packet_number() % sizeof lengths];
}

/* Writes a first byte as in raw IP, or a direction. */
static uint8_t draw_direction_or_version(void)
{
	const uint8_t version = draw_packet_number() % 2 ? 0x45 : 0x60;

	return draw_packet_number() % 2 ? (uint8_t)(draw_packet_number() % 2) : version;
}

static void put_frelay_protocol(uint8_t *h, uint32_t type)
{
	h[2] = 3;
	h[3] = draw_packet_number() % 3 ? 0xcc : (uint8_t)(0x80 + draw_packet_number() % 4);
	if (type == 0x86dd)
		h[3] = 0x8e;
}

static bool is_juniper_link(int link)
{
	return (link >= 130 && link <= 183) || link == 194 || link == 200 || link == 232;
}

/* Writes a header of a telephony or other rare link type.  Returns 0 for other link types. */
static uint32_t make_rare_header(int link, uint8_t *h, uint32_t type)
{
	switch (link) {
	case 7:
		return make_arcnet_header(h, 0, type);
	case 129:
		return make_arcnet_header(h, 2, type);
	case 99:
		put_header_type(h + 6, type);
		return 44;
	case 100:
	case 106:
		return make_llc_header(h, type);
	case 122:
		make_ethernet_header(h + 2, 0);
		return 16 + make_llc_header(h + 16, type);
	case 102:
		h[0] = draw_direction_or_version();
		return 24;
	case 103:
		h[6] = draw_packet_number() % 3 ? ppp_number_of_type(type) : 0x2d;
		return 24;
	case 107:
		put_frelay_protocol(h, type);
		return 4;
	case 109:
		h[0] = type == 0x86dd ? 10 : 2;
		return 12;
	case 112:
		h[0] = 15;
		put_header_type(h + 2, type);
		return 4;
	case 117:
		return make_pflog_header(h, type);
	case 123:
		return make_atm_header(h, type);
	case 138:
		put_header_type(h + 16, type);
		return 18;
	case 139:
		return make_signal_header(h, 4);
	case 140:
		return make_signal_header(h, 0);
	case 197:
		return make_signal_header(h, 20);
	case 166:
		h[0] = draw_packet_number() % 3;
		h[1] = 3;
		h[3] = ppp_number_of_type(type);
		return 4;
	case 226:
		h[1] = type == 0x86dd ? 26 : 2;
		h[3] = draw_packet_number() % 4;
		return 24;
	case 240:
		return 4 + make_ethernet_header(h + 4, type);
	case 241:
		return 12 + make_ethernet_header(h + 12, type);
	default:
		return is_juniper_link(link) ? make_juniper_header(h) : 0;
	}
}

/* Writes FDDI (13) or token ring (14): `at` bytes, then SNAP or another LLC header. */
static uint32_t make_ring_header(uint8_t *h, uint32_t at, uint32_t type)
{
	for (uint32_t i = 0; i < at; i++)
		h[i] = (uint8_t)(draw_packet_number() % 3 ? i % 7 : draw_packet_number());
	memcpy(h + at, snap, sizeof snap);
	put_header_type(h + at + 6, type);
	if (draw_packet_number() % 8 == 0) {
		memset(h + at, draw_packet_number() % 2 ? 0x42 : 0xfe, 2);
		h[at + 3] = 0x83;
	}
	return at + 8;
}

static uint32_t make_radiotap_header(uint8_t *h, uint32_t type)
{
	uint32_t present = draw_packet_number() % 16;
	uint32_t length = 8;

	if (draw_packet_number() % 8 == 0)
		present |= 0x80000000u;
	h[4] = (uint8_t)present;
	h[7] = (uint8_t)(present >> 24);
	if (present >> 31)
		length += 4;
	if (present & 1)
		length += 8;
	const uint32_t flags_at = length;
	if (present & 2)
		h[length++] = draw_packet_number() % 2 ? 0x20 : (uint8_t)draw_packet_number();
	length += draw_packet_number() % 20;
	h[2] = (uint8_t)length;
	return make_wlan_header(h, length, type, (present & 2) && h[flags_at] & 0x20);
}

static uint32_t make_avs_header(uint8_t *h, uint32_t type, uint8_t version)
{
	memcpy(h, "\x80\x21\x10", 3);
	h[3] = version;
	h[7] = 64;
	return make_wlan_header(h, 64, type, 0);
}

uint32_t make_link_type_header(int link, uint8_t *h, uint32_t type)
{
	memset(h, 0, 200);
	const uint32_t rare = make_rare_header(link, h, type);
	if (rare)
		return rare;
	switch (link) {
	case 50:
		h[3] = ppp_number_of_type(type);
		return 4;
	case 51:
		h[7] = ppp_number_of_type(type);
		return 8;
	case 104:
		h[0] = 15;
		put_header_type(h + 2, type);
		return 4;
	case 8:
		h[0] = draw_direction_or_version();
		return 16;
	case 10:
		return make_ring_header(h, 13, type);
	case 6:
		return make_ring_header(h, 14, type);
	case 105:
		return make_wlan_header(h, 0, type, 0);
	case 127:
		return make_radiotap_header(h, type);
	case 163:
		return make_avs_header(h, type, 1);
	case 192:
		h[2] = (uint8_t)(8 + draw_packet_number() % 24);
		h[4] = draw_packet_number() % 8 ? 105 : 1;
		return make_wlan_header(h, h[2], type, 0);
	case 119: /* Prism, or AVS in Prism's place */
		if (draw_packet_number() % 2 == 0)
			return make_avs_header(h, type, (uint8_t)(draw_packet_number() % 3));
		h[4] = 144;
		return make_wlan_header(h, 144, type, 0);
	default:
		return 0; /* unknown, or without a header */
	}
}
