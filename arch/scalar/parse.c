/* SPDX-License-Identifier: MIT */
/* The reference parser: one packet after another; each byte is proved to be captured before it
 * is read.  Pure.  This file has a shortcut for plain packets.  link.c, network.c and tunnel.c
 * parse all packets, and give the same result for plain packets. */
#include "arch/scalar/packet.h"
#include "base/bytes.h"
#include "base/cacheline.h"

/* Returns bit, hiding from the compiler that the number is 0 or 1.  So the compiler makes no
 * branch. */
static inline uint32_t hide_bit(uint32_t bit)
{
	__asm__("" : "+r"(bit));
	return bit;
}

static inline uint32_t select_by_bit(uint32_t bit, uint32_t if_1, uint32_t if_0)
{
	return if_0 ^ ((if_0 ^ if_1) & (0 - bit));
}

/* A sound IP header behind an untagged Ethernet header. */
struct plain_ip {
	uint32_t transport; /* offset of the transport header */
	uint32_t end;       /* of the packet, by IP's length */
	uint32_t addresses; /* offset of the sender's address */
	uint8_t proto;
	bool six;
	bool above; /* the sender's address is the greater */
	bool equal; /* the addresses are equal */
};

/* Parses a whole and sound TCP or UDP header behind a sound IP header: most packets of most
 * traffic.  There is no branch on the protocol, since a misprediction costs more than all other
 * work.  Returns false, and writes nothing, for an unusual packet; parse_general gives the same
 * result as this function. */
static inline __attribute__((always_inline)) bool parse_plain_transport(
	const struct bpei_packet *p, const struct plain_ip ip, uint16_t outgoing)
{
	const uint32_t offset = ip.transport;
	const uint8_t proto = ip.proto;
	const uint8_t *l4 = p->data + offset;
	uint32_t left = ip.end - offset;
	uint32_t tcp = hide_bit(proto == IP_TCP);
	uint32_t udp = hide_bit(proto == IP_UDP);
	if (BPEI_UNLIKELY(!(udp | tcp)) || BPEI_UNLIKELY(left < 8 + 12 * tcp))
		return false;
	uint32_t header = select_by_bit(tcp, (uint32_t)(l4[12 * tcp] >> 4) * 4, 8);
	uint32_t length = bpei_be16(l4 + 4);
	uint32_t whole = select_by_bit(tcp, left, length);
	if (BPEI_UNLIKELY(header < 8 + 12 * tcp) || BPEI_UNLIKELY(header > left) ||
		BPEI_UNLIKELY(whole - 8 > left - 8) || BPEI_UNLIKELY(offset > 4096))
		return false;

	uint32_t source = bpei_be16(l4);
	uint32_t target = bpei_be16(l4 + 2);
	if (BPEI_UNLIKELY(udp && (bpei_tunnel_port(source) || bpei_tunnel_port(target))))
		return false;
	uint32_t swap = hide_bit(ip.above) | (hide_bit(ip.equal) & (source > target));
	const uint8_t *from = p->data + ip.addresses;
	struct bpe_key *k = p->key;
	if (ip.six) {
		memcpy(k->addr[swap], from, 16);
		memcpy(k->addr[!swap], from + 16, 16);
	} else {
		memset(k->addr, 0, sizeof k->addr);
		bpei_store32(k->addr[swap], bpei_load32(from));
		bpei_store32(k->addr[!swap], bpei_load32(from + 4));
	}
	k->port[swap] = (uint16_t)source;
	k->port[!swap] = (uint16_t)target;
	k->ip_proto = proto;
	k->ip_version = ip.six ? 6 : 4;
	k->vlan[0] = k->vlan[1] = 0;
	memset(k->zero, 0, sizeof k->zero);
	k->tunnel = 0;
	const uint32_t version = ip.six ? BPE_PKT_IP6 : BPE_PKT_IP4;
	*p->layers = (struct bpe_layers){ .network = 14,
		.transport = (uint16_t)offset,
		.payload = (uint16_t)(offset + header),
		.flags = (uint16_t)(outgoing | BPE_PKT_KEY | version | swap * BPE_PKT_REVERSED),
		.end = offset + whole,
		.ethertype = ip.six ? TYPE_IP6 : TYPE_IP4,
		.ip_proto = proto,
		.proto = (uint8_t)(BPE_PROTO_UDP - tcp),
		.link_type = LINK_ETHERNET,
		.tcp_flags = (uint8_t)(l4[13 * tcp] * tcp) };
	return true;
}

_Static_assert(BPE_PROTO_UDP - 1 == BPE_PROTO_TCP, "subtracted in plain");

static inline __attribute__((always_inline)) bool parse_plain_ethernet(
	const struct bpei_packet *p, uint16_t outgoing)
{
	const uint8_t *ip = p->data + 14;
	if (BPEI_UNLIKELY(p->caplen < 14 + 20 + 8))
		return false;
	uint32_t type = bpei_load16(p->data + 12);
	uint32_t left = p->caplen - 14;
	if (BPEI_LIKELY(type == bpei_be16(&(uint16_t){ TYPE_IP4 }))) {
		uint32_t total = bpei_be16(ip + 2);
		uint32_t source = bpei_be32(ip + 12);
		uint32_t target = bpei_be32(ip + 16);
		if (BPEI_UNLIKELY(ip[0] != 0x45 || total < 20 || total > left ||
				  bpei_be16(ip + 6) & 0x3fff))
			return false;
		const struct plain_ip ip4 = { .transport = 34,
			.end = 14 + total,
			.addresses = 26,
			.proto = ip[9],
			.above = source > target,
			.equal = source == target };
		return parse_plain_transport(p, ip4, outgoing);
	}
	if (type != bpei_be16(&(uint16_t){ TYPE_IP6 }) || left < 40)
		return false;
	uint32_t length = bpei_be16(ip + 4);
	if (BPEI_UNLIKELY(ip[0] >> 4 != 6 || !length || length > left - 40))
		return false;
	uint64_t source0 = bpei_be64(ip + 8);
	uint64_t target0 = bpei_be64(ip + 24);
	uint64_t source1 = bpei_be64(ip + 16);
	uint64_t target1 = bpei_be64(ip + 32);
	bool same = source0 == target0;
	const struct plain_ip ip6 = { .transport = 54,
		.end = 54 + length,
		.addresses = 22,
		.proto = ip[6],
		.six = true,
		.above = same ? source1 > target1 : source0 > target0,
		.equal = same && source1 == target1 };
	return parse_plain_transport(p, ip6, outgoing);
}

/* Parses packet i by link.c, network.c and tunnel.c. */
static __attribute__((noinline)) void parse_general(
	const struct bpei_columns *c, uint32_t i, uint32_t link_type)
{
	struct bpei_places *places = c->places;
	if (places) {
		places += i;
		places->count = 0;
	}
	const struct bpei_packet p = { .data = c->data[i],
		.caplen = c->caplen[i],
		.wirelen = c->wirelen[i],
		.layers = &c->layers[i],
		.key = &c->key[i],
		.columns = c,
		.way = c->way ? c->way + i : NULL,
		.places = places };
	*p.layers = (struct bpe_layers){ .network = BPE_NO_OFFSET,
		.transport = BPE_NO_OFFSET,
		.payload = BPE_NO_OFFSET,
		.flags = c->outgoing ? c->outgoing[i] : 0,
		.end = p.caplen,
		.link_type = (uint16_t)link_type };
	bpei_packet_link(&p, link_type);
}

void bpei_parse_scalar(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	const bool shortcut = link_type == LINK_ETHERNET && !columns->places;
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_packet p = { .data = columns->data[i],
			.caplen = columns->caplen[i],
			.layers = &columns->layers[i],
			.key = &columns->key[i] };
		uint16_t outgoing = columns->outgoing ? columns->outgoing[i] : 0;
		if (BPEI_LIKELY(shortcut && parse_plain_ethernet(&p, outgoing)))
			continue;
		parse_general(columns, i, link_type);
	}
	if (seed)
		bpei_hash(columns, n, seed);
}
