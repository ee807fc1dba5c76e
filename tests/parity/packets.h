/* SPDX-License-Identifier: MIT */
/* Packets of every shape for the parity tests: built from a number, so that a failure can be named
 * by it. */
#ifndef PARITY_PACKETS_H
#define PARITY_PACKETS_H

#include <stdint.h>
#include <string.h>

#define PACKET_MOST 256u

/* One of each to make a shape. */
enum { TAGS = 5, NETWORKS = 14, TRANSPORTS = 16, ENDS = 7, BODIES = 3 };
#define SHAPES (TAGS * NETWORKS * TRANSPORTS * ENDS * BODIES)

struct shape {
	uint32_t tags, network, transport, ends, body;
};

static inline struct shape shape_of(uint32_t number)
{
	struct shape s;
	s.tags = number % TAGS, number /= TAGS;
	s.network = number % NETWORKS, number /= NETWORKS;
	s.transport = number % TRANSPORTS, number /= TRANSPORTS;
	s.ends = number % ENDS, number /= ENDS;
	s.body = number % BODIES;
	return s;
}

static inline uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* The transport header, and how long it and the body are together. */
static inline uint8_t *put_transport(
	uint8_t *p, const struct shape *s, uint32_t body, uint8_t *proto)
{
	static const uint8_t protos[TRANSPORTS] = { 6, 6, 6, 6, 17, 17, 17, 17, 1, 58, 132, 2, 200,
		17, 17, 4 };
	static const uint16_t ports[ENDS][2] = { { 1000, 80 }, { 80, 1000 }, { 80, 80 },
		{ 80, 1000 }, { 1000, 80 }, { 0x8001, 0x7fff }, { 80, 80 } };
	*proto = protos[s->transport];
	put16(put16(p, ports[s->ends][0]), ports[s->ends][1]);
	switch (s->transport) {
	case 0:
		p[12] = 0x50, p[13] = 0x12;
		return p + 20;
	case 1:
		p[12] = 0x80, p[13] = 0xff;
		return p + 32; /* options */
	case 2:
		p[12] = 0x4f, p[13] = 0x02;
		return p + 20; /* header too short */
	case 3:
		p[12] = 0xf0, p[13] = 0x11;
		return p + 20; /* header longer than the packet */
	case 4:
		put16(p + 4, 8 + body);
		return p + 8;
	case 5:
		put16(p + 4, 0);
		return p + 8;
	case 6:
		put16(p + 4, body ? 8 + body - 1 : 7);
		return p + 8; /* shorter than IP says */
	case 7:
		put16(p + 4, 9 + body);
		return p + 8; /* longer */
	case 8:
		p[0] = (uint8_t)(s->ends * 2 + s->body);
		return p + 8; /* ICMP of many types, errors among them */
	case 9:
		p[0] = (uint8_t)(s->ends < 5 ? 126 + s->ends : s->ends - 4 + s->body);
		return p + 8;
	case 13:
		put16(put16(p + 2, 4789), 8 + body);
		return p + 8; /* ports that are looked behind */
	case 14:
		put16(put16(put16(p, 2152), 1000), 8 + body);
		return p + 8;
	default:
		return p + 12;
	}
}

static inline uint8_t *put_ends(uint8_t *p, const struct shape *s, uint32_t length)
{
	/* Differences in the first byte and in the last, with the top bit and without. */
	static const uint8_t first[ENDS][2] = { { 10, 10 }, { 10, 10 }, { 200, 100 }, { 10, 10 },
		{ 10, 10 }, { 127, 128 }, { 10, 10 } };
	static const uint8_t last[ENDS][2] = { { 1, 2 }, { 2, 1 }, { 1, 2 }, { 1, 1 }, { 1, 1 },
		{ 1, 1 }, { 1, 1 } };
	for (int end = 0; end < 2; end++, p += length) {
		memset(p, 3, length);
		p[0] = first[s->ends][end];
		p[length - 1] = last[s->ends][end];
	}
	return p;
}

/* Writes packet `number`, and returns its length. */
static inline uint32_t packet_make(uint8_t packet[PACKET_MOST], uint32_t number)
{
	static const uint16_t tpid[TAGS][2] = { { 0, 0 }, { 0x8100, 0 }, { 0x88a8, 0x8100 },
		{ 0x9100, 0 }, { 0x8100, 0x8100 } };
	static const uint32_t bodies[BODIES] = { 0, 3, 40 };
	struct shape s = shape_of(number);
	uint8_t *p = packet;
	uint8_t proto;
	uint8_t *ip;
	uint8_t l4[64] = { 0 };
	uint32_t body = bodies[s.body], l4_bytes;
	memset(packet, 0x5a, PACKET_MOST);
	p += 12;
	for (int t = 0; t < 2; t++)
		if (tpid[s.tags][t])
			p = put16(put16(p, tpid[s.tags][t]), 0xf123 + (uint32_t)t);
	l4_bytes = (uint32_t)(put_transport(l4, &s, body, &proto) - l4);
	ip = p + 2;
	switch (s.network) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6: { /* IPv4: plain, options, fragments, no length, wrong version, length */
		uint32_t header = s.network == 1 ? 24 : 20;
		put16(p, 0x0800);
		memset(ip, 0, header);
		ip[0] = (uint8_t)((s.network == 5 ? 0x50 : 0x40) | header / 4);
		put16(ip + 2,
			s.network == 4 ? 0 : header + l4_bytes + body + (s.network == 6 ? 1 : 0));
		put16(ip + 6, s.network == 2 ? 0x2000 : s.network == 3 ? 0x00b9 : 0x4000);
		ip[8] = 64;
		ip[9] = proto;
		put_ends(ip + 12, &s, 4);
		p = ip + header;
		break;
	}
	case 7:
	case 8:
	case 9:
	case 10:
	case 11: { /* IPv6: plain, extension, fragment, no length, wrong length */
		uint32_t extension = s.network == 8 || s.network == 9 ? 8 : 0;
		put16(p, 0x86dd);
		memset(ip, 0, 48);
		ip[0] = 0x6f;
		put16(ip + 4, s.network == 10
				      ? 0
				      : extension + l4_bytes + body + (s.network == 11 ? 1 : 0));
		ip[6] = s.network == 8 ? 0 : s.network == 9 ? 44 : proto;
		p = put_ends(ip + 8, &s, 16);
		if (extension)
			p[0] = proto, p[3] = s.network == 9 ? 1 : 0, p += 8;
		break;
	}
	case 12:
		put16(p, 0x0806), p = ip, memset(p, 0, 28), p[4] = 6, p[5] = 4, p += 28;
		break;
	default:
		put16(p, s.body == 0 ? 0x88cc : 0x0026), p = ip;
		break;
	}
	memcpy(p, l4, l4_bytes);
	p += l4_bytes + body;
	return (uint32_t)(p - packet) + (s.body == 1 ? 6 : 0); /* padding */
}

#endif
