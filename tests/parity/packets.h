/* SPDX-License-Identifier: MIT */
/* Packets of every shape for the parity tests.  A number determines each packet, so a failure can
 * name the packet by number. */
#ifndef PARITY_PACKETS_H
#define PARITY_PACKETS_H

#include <stdint.h>
#include <string.h>

#define PACKET_MOST 256u

/* Numbers of choices; a shape is one choice of each kind. */
enum { TAGS = 5, NETWORKS = 14, TRANSPORTS = 16, ENDS = 7, BODIES = 3 };
#define SHAPES (TAGS * NETWORKS * TRANSPORTS * ENDS * BODIES)

struct shape {
	uint32_t tags, network, transport, ends, body;
};

/* Returns the shape with the number, below SHAPES. */
static inline struct shape decode_shape(uint32_t number)
{
	struct shape s;
	s.tags = number % TAGS;
	number /= TAGS;
	s.network = number % NETWORKS;
	number /= NETWORKS;
	s.transport = number % TRANSPORTS;
	number /= TRANSPORTS;
	s.ends = number % ENDS;
	number /= ENDS;
	s.body = number % BODIES;
	return s;
}

/* Writes a number in network byte order; returns the byte behind. */
static inline uint8_t *put_shape_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* Writes the transport header of a packet with a body of `body` bytes, and the protocol's number to
 * *proto; returns the end of the header. */
static inline uint8_t *put_shape_transport(
	uint8_t *p, const struct shape *s, uint32_t body, uint8_t *proto)
{
	static const uint8_t protos[TRANSPORTS] = { 6, 6, 6, 6, 17, 17, 17, 17, 1, 58, 132, 2, 200,
		17, 17, 4 };
	static const uint16_t ports[ENDS][2] = { { 1000, 80 }, { 80, 1000 }, { 80, 80 },
		{ 80, 1000 }, { 1000, 80 }, { 0x8001, 0x7fff }, { 80, 80 } };
	*proto = protos[s->transport];
	put_shape_be16(put_shape_be16(p, ports[s->ends][0]), ports[s->ends][1]);
	switch (s->transport) {
	case 0:
		p[12] = 0x50;
		p[13] = 0x12;
		return p + 20;
	case 1:
		p[12] = 0x80;
		p[13] = 0xff;
		return p + 32; /* options */
	case 2:
		p[12] = 0x4f;
		p[13] = 0x02;
		return p + 20; /* header too short */
	case 3:
		p[12] = 0xf0;
		p[13] = 0x11;
		return p + 20; /* header longer than the packet */
	case 4:
		put_shape_be16(p + 4, 8 + body);
		return p + 8;
	case 5:
		put_shape_be16(p + 4, 0);
		return p + 8;
	case 6:
		put_shape_be16(p + 4, body ? 8 + body - 1 : 7);
		return p + 8; /* shorter than in IP's header */
	case 7:
		put_shape_be16(p + 4, 9 + body);
		return p + 8; /* longer than in IP's header */
	case 8:
		p[0] = (uint8_t)(s->ends * 2 + s->body);
		return p + 8; /* ICMP of many types, errors among them */
	case 9:
		p[0] = (uint8_t)(s->ends < 5 ? 126 + s->ends : s->ends - 4 + s->body);
		return p + 8;
	case 13:
		put_shape_be16(put_shape_be16(p + 2, 4789), 8 + body);
		return p + 8; /* ports of tunnels: the parser reads the packet behind */
	case 14:
		put_shape_be16(put_shape_be16(put_shape_be16(p, 2152), 1000), 8 + body);
		return p + 8;
	default:
		return p + 12;
	}
}

/* Writes both addresses, of `length` bytes each; returns the byte behind. */
static inline uint8_t *put_shape_addresses(uint8_t *p, const struct shape *s, uint32_t length)
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

/* Writes an IPv4 header for `bytes` bytes of transport header and body: plain, with options, a
 * fragment, without a length, of a wrong version or length.  Returns the end of the header. */
static inline uint8_t *put_shape_ipv4(
	uint8_t *ip, const struct shape *s, uint8_t proto, uint32_t bytes)
{
	static const uint16_t fragments[] = { 0x4000, 0x4000, 0x2000, 0x00b9, 0x4000, 0x4000,
		0x4000 };
	const uint32_t header = s->network == 1 ? 24 : 20;
	uint32_t total = header + bytes;
	if (s->network == 4)
		total = 0;
	else if (s->network == 6)
		total++;
	memset(ip, 0, header);
	ip[0] = (uint8_t)((s->network == 5 ? 0x50 : 0x40) | header / 4);
	put_shape_be16(ip + 2, total);
	put_shape_be16(ip + 6, fragments[s->network]);
	ip[8] = 64;
	ip[9] = proto;
	put_shape_addresses(ip + 12, s, 4);
	return ip + header;
}

/* Writes an IPv6 header for `bytes` bytes of transport header and body: plain, with an extension, a
 * fragment, without a length, of a wrong length.  Returns the end of the headers. */
static inline uint8_t *put_shape_ipv6(
	uint8_t *ip, const struct shape *s, uint8_t proto, uint32_t bytes)
{
	const uint32_t extension = s->network == 8 || s->network == 9 ? 8 : 0;
	uint32_t length = extension + bytes;
	if (s->network == 10)
		length = 0;
	else if (s->network == 11)
		length++;
	memset(ip, 0, 48);
	ip[0] = 0x6f;
	put_shape_be16(ip + 4, length);
	ip[6] = proto;
	if (s->network == 8)
		ip[6] = 0;
	else if (s->network == 9)
		ip[6] = 44;
	uint8_t *end = put_shape_addresses(ip + 8, s, 16);
	if (extension) {
		end[0] = proto;
		end[3] = s->network == 9 ? 1 : 0;
	}
	return end + extension;
}

/* Writes an ARP packet of zeros with the lengths of the addresses; returns the end of the packet.
 */
static inline uint8_t *put_shape_arp(uint8_t *p)
{
	memset(p, 0, 28);
	p[4] = 6;
	p[5] = 4;
	return p + 28;
}

/* Writes the ethertype and the network header; returns the end of the header. */
static inline uint8_t *put_shape_network(
	uint8_t *p, const struct shape *s, uint8_t proto, uint32_t bytes)
{
	if (s->network < 7)
		return put_shape_ipv4(put_shape_be16(p, 0x0800), s, proto, bytes);
	if (s->network < 12)
		return put_shape_ipv6(put_shape_be16(p, 0x86dd), s, proto, bytes);
	if (s->network == 12)
		return put_shape_arp(put_shape_be16(p, 0x0806));
	return put_shape_be16(p, s->body == 0 ? 0x88cc : 0x0026);
}

/* Writes packet `number`; returns the packet's length. */
static inline uint32_t make_shaped_packet(uint8_t packet[PACKET_MOST], uint32_t number)
{
	static const uint16_t tpid[TAGS][2] = { { 0, 0 }, { 0x8100, 0 }, { 0x88a8, 0x8100 },
		{ 0x9100, 0 }, { 0x8100, 0x8100 } };
	static const uint32_t bodies[BODIES] = { 0, 3, 40 };
	const struct shape s = decode_shape(number);
	const uint32_t body = bodies[s.body];
	const uint32_t padding = s.body == 1 ? 6 : 0;
	uint8_t *p = packet + 12;
	uint8_t proto;
	uint8_t l4[64] = { 0 };

	memset(packet, 0x5a, PACKET_MOST);
	for (int t = 0; t < 2; t++)
		if (tpid[s.tags][t])
			p = put_shape_be16(
				put_shape_be16(p, tpid[s.tags][t]), 0xf123 + (uint32_t)t);
	const uint32_t l4_bytes = (uint32_t)(put_shape_transport(l4, &s, body, &proto) - l4);
	p = put_shape_network(p, &s, proto, l4_bytes + body);
	memcpy(p, l4, l4_bytes);
	return (uint32_t)(p - packet) + l4_bytes + body + padding;
}

#endif
