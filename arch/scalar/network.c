/* SPDX-License-Identifier: MIT */
/* From the network header on: IP, its extension headers, the transport header, the flow key.  Pure.
 *
 * Sources: ARP: RFC 826, RARP: RFC 903; IPv4: RFC 791; IPv6: RFC 8200; AH: RFC 4302; TCP: RFC 9293;
 * UDP: RFC 768; UDP-Lite: RFC 3828; DCCP: RFC 4340; SCTP: RFC 9260; ICMP: RFC 792, 4443; CARP:
 * OpenBSD's netinet/ip_carp.h; WireGuard: its white paper, "5.4 Messages"; GTP': 3GPP TS 32.295,
 * "6.1". */
#include "arch/scalar/packet.h"
#include "base/bytes.h"
#include "base/cacheline.h"

#define KEYED (-1) /* in place of ports: the key is filled already */

/* Returns the flag that says why n bytes at offset are missing: the capture was cut, or the
 * packet is shorter by its own length. */
static uint16_t mark_missing(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	return offset + n > p->caplen ? BPE_PKT_TRUNCATED : BPE_PKT_BAD_LENGTH;
}

static bool ends_are_swapped(uint32_t ports)
{
	return (ports & 0xffff) > ports >> 16;
}

/* Fills the key.  from: both addresses, the sender's first.  turned: the addresses are those of
 * a packet in the other direction. */
static void fill_packet_key(const struct bpei_packet *p, const uint8_t *from, uint32_t ports,
	uint8_t version, uint8_t proto, bool turned)
{
	struct bpe_layers *l = p->layers;
	struct bpe_key *k = p->key;
	bool swap;
	if (version == 4) {
		uint32_t source = bpei_be32(from);
		uint32_t target = bpei_be32(from + 4);
		swap = source > target || (source == target && ends_are_swapped(ports));
		memset(k->addr, 0, sizeof k->addr);
		bpei_store32(k->addr[swap], bpei_load32(from));
		bpei_store32(k->addr[!swap], bpei_load32(from + 4));
	} else {
		uint64_t source0 = bpei_be64(from);
		uint64_t target0 = bpei_be64(from + 16);
		uint64_t source1 = bpei_be64(from + 8);
		uint64_t target1 = bpei_be64(from + 24);
		if (source0 != target0)
			swap = source0 > target0;
		else
			swap = source1 != target1 ? source1 > target1 : ends_are_swapped(ports);
		memcpy(k->addr[swap], from, 16);
		memcpy(k->addr[!swap], from + 16, 16);
	}
	k->port[swap] = (uint16_t)ports;
	k->port[!swap] = (uint16_t)(ports >> 16);
	k->ip_proto = proto;
	k->ip_version = version;
	k->vlan[0] = l->vlan[0];
	k->vlan[1] = l->vlan[1];
	memset(k->zero, 0, sizeof k->zero);
	k->tunnel = p->tunnel;
	if (p->way)
		*p->way = p->direction;
	l->flags |= (uint16_t)(BPE_PKT_KEY | (swap != turned ? BPE_PKT_REVERSED : 0));
}

/* Marks a fragment.  A later fragment inside the first fragment of a tunnel's packet stays a
 * later fragment. */
static void mark_fragment(struct bpe_layers *l, bool first)
{
	l->flags = (uint16_t)((l->flags & ~BPE_PKT_FIRST_FRAGMENT) |
			      (first ? BPE_PKT_FIRST_FRAGMENT : BPE_PKT_FRAGMENT));
}

/* Skips the extension headers.  Returns the offset behind them, with l->ip_proto set to the
 * header found there; 0 if they are cut or damaged.  A later fragment ends the walk. */
static uint32_t skip_extensions(const struct bpei_packet *p, uint32_t offset, uint8_t next)
{
	struct bpe_layers *l = p->layers;
	for (;;) {
		uint32_t least = 8, length;
		l->ip_proto = next;
		switch (next) {
		case IP_HOPOPTS:
		case IP_ROUTING:
		case IP_DSTOPTS:
		case IP_MOBILITY:
		case IP_HIP:
		case IP_SHIM6:
		case IP_AH:
		case IP_FRAGMENT:
			break;
		default:
			return offset;
		}
		if (l->end < offset + least) {
			l->flags |= mark_missing(p, offset, least);
			return 0;
		}
		const uint8_t *h = p->data + offset;
		if (next == IP_FRAGMENT) {
			uint32_t fragment = bpei_be16(h + 2);
			length = 8;
			if (fragment & 0xfff8) {
				mark_fragment(l, false);
				l->ip_proto = h[0];
				return offset + length;
			}
			if (fragment & 1)
				mark_fragment(l, true);
		} else {
			length = next == IP_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
			if (length < 8) {
				l->flags |= BPE_PKT_BAD_HEADER;
				return 0;
			}
		}
		if (l->end - offset < length) {
			l->flags |= mark_missing(p, offset, length);
			return 0;
		}
		next = h[0];
		offset += length;
	}
}

static bool proto_has_ports(uint8_t proto)
{
	return proto == IP_TCP || proto == IP_UDP || proto == IP_SCTP || proto == IP_UDPLITE ||
	       proto == IP_DCCP;
}

/* Fills an ICMP error's key with the flow of the packet that the error quotes at offset.  The
 * direction is reversed, since the quoted packet's sender receives the error.  Returns false,
 * and writes nothing, if the quotation is too short. */
static bool parse_quoted(const struct bpei_packet *p, uint32_t offset, uint8_t version)
{
	struct bpe_layers *l = p->layers;
	struct bpe_layers saved = *l;
	uint32_t at = 0;
	uint32_t ports = 0;
	uint32_t least = version == 4 ? 20 : 40;
	const uint8_t *ip = p->data + offset;
	if (l->end < offset + least || ip[0] >> 4 != version)
		return false;
	l->flags = 0;
	l->ip_proto = version == 4 ? ip[9] : ip[6];
	if (version == 6)
		at = skip_extensions(p, offset + 40, ip[6]);
	else if ((ip[0] & 15) >= 5)
		at = offset + (ip[0] & 15u) * 4;
	if (version == 4 && bpei_be16(ip + 6) & 0x1fff)
		l->flags |= BPE_PKT_FRAGMENT;
	uint8_t proto = l->ip_proto;
	uint8_t echo = version == 4 ? IP_ICMP : IP_ICMP6;
	bool later = l->flags & BPE_PKT_FRAGMENT;
	*l = saved;
	if (!at)
		return false;
	if (!later && proto_has_ports(proto)) {
		if (l->end < at + 4)
			return false;
		ports = bpei_be16(p->data + at) | (uint32_t)bpei_be16(p->data + at + 2) << 16;
	} else if (!later && proto == echo) {
		if (l->end < at + 6)
			return false;
		uint8_t type = p->data[at];
		if (version == 4 ? type == 8 || type == 0 : type == 128 || type == 129)
			ports = bpei_be16(p->data + at + 4) * 0x10001u;
	}
	fill_packet_key(p, ip + (version == 4 ? 12 : 8), ports, version, proto, true);
	l->flags |= BPE_PKT_ICMP_ERROR;
	return true;
}

/* Returns the ports of an ICMP message, or KEYED. */
static int64_t parse_icmp(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	const uint8_t *h = p->data + offset;
	bool echo, error;
	if (proto == BPE_PROTO_ICMP) {
		echo = h[0] == 8 || h[0] == 0;
		error = (h[0] >= 3 && h[0] <= 5) || h[0] == 11 || h[0] == 12;
	} else {
		echo = h[0] == 128 || h[0] == 129;
		error = h[0] >= 1 && h[0] <= 4;
	}
	if (error && parse_quoted(p, offset + 8, proto == BPE_PROTO_ICMP ? 4 : 6))
		return KEYED;
	return echo ? bpei_be16(h + 4) * 0x10001u : 0; /* the identifier */
}

static bool is_wireguard(const uint8_t *message, uint32_t there, uint32_t length)
{
	if (there < 4 || message[1] || message[2] || message[3])
		return false;
	switch (message[0]) {
	case 1:
		return length == 148;
	case 2:
		return length == 92;
	case 3:
		return length == 64;
	case 4:
		return length >= 32 && length % 16 == 0;
	default:
		return false;
	}
}

/* Returns whether a message is GTP'.  The header has 6 bytes, or 20 in the oldest version, and
 * holds the number of bytes behind. */
static bool is_gtp_prime(const uint8_t *message, uint32_t there, uint32_t length)
{
	enum { PROTOCOL_TYPE = 0x10, SHORT = 0x01 };
	if (there < 6 || message[0] & PROTOCOL_TYPE || message[0] >> 5 > 2)
		return false;
	const uint8_t type = message[1];
	const uint32_t header = message[0] >> 5 || message[0] & SHORT ? 6 : 20;
	return ((type >= 1 && type <= 7) || type == 240 || type == 241) &&
	       header + bpei_be16(message + 2) == length;
}

/* Returns the BPE_PROTO_* of a datagram without an inner packet, by its ports. */
static uint8_t recognise_udp(
	const uint8_t *message, uint32_t there, uint32_t length, uint32_t ports)
{
	for (uint32_t end = 0; end < 2; end++, ports >>= 16) {
		if ((uint16_t)ports == PORT_WIREGUARD && is_wireguard(message, there, length))
			return BPE_PROTO_WIREGUARD;
		if ((uint16_t)ports == PORT_GTP_PRIME && is_gtp_prime(message, there, length))
			return BPE_PROTO_GTP_PRIME;
	}
	return BPE_PROTO_UDP;
}

/* Sets the layers' protocol by IP's.  Returns the bytes of the fixed transport header; 0: unknown.
 */
static inline uint32_t set_transport_proto(struct bpe_layers *l, uint8_t proto)
{
	switch (proto) {
	case IP_TCP:
		l->proto = BPE_PROTO_TCP;
		return 20;
	case IP_UDP:
		l->proto = BPE_PROTO_UDP;
		return 8;
	case IP_SCTP:
		l->proto = BPE_PROTO_SCTP;
		return 12;
	case IP_UDPLITE:
		l->proto = BPE_PROTO_UDPLITE;
		return 8;
	case IP_DCCP:
		l->proto = BPE_PROTO_DCCP;
		return 12;
	case IP_ICMP:
		l->proto = l->flags & BPE_PKT_IP4 ? BPE_PROTO_ICMP : BPE_PROTO_IP_OTHER;
		return 8;
	case IP_ICMP6:
		l->proto = l->flags & BPE_PKT_IP6 ? BPE_PROTO_ICMP6 : BPE_PROTO_IP_OTHER;
		return 8;
	case IP_IGMP:
		l->proto = BPE_PROTO_IGMP;
		return 8;
	default:
		l->proto = BPE_PROTO_IP_OTHER;
		return 0;
	}
}

/* Parses a UDP header of which `left` bytes are there.  Returns true if an inner packet's key is
 * filled. */
static inline bool parse_udp(
	const struct bpei_packet *p, uint32_t offset, uint32_t left, uint32_t ports)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *udp = p->data + offset;
	const uint32_t length = bpei_be16(udp + 4);
	const bool differs = length && length != left; /* 0: longer than 64 KiB, RFC 2675 */
	if (length >= 8 && length < left)
		l->end = offset + length;
	else if (differs && !(l->flags & BPE_PKT_FIRST_FRAGMENT) &&
		 (length < 8 || offset + length > p->wirelen))
		l->flags |= BPE_PKT_BAD_LENGTH;
	if (!bpei_tunnel_port((uint16_t)ports) && !bpei_tunnel_port(ports >> 16))
		return false;
	if (bpei_packet_in_udp(p, offset, ports))
		return true;
	l->proto = recognise_udp(udp + 8, l->end - offset - 8, length - 8, ports);
	return false;
}

/* Parses the transport header at offset.  Returns the ports, first | second << 16; 0 if the packet
 * has none; or KEYED. */
static int64_t parse_transport(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *l4 = p->data + offset;
	const uint32_t left = l->end > offset ? l->end - offset : 0;
	const uint32_t least = set_transport_proto(l, proto);
	uint32_t header = least;
	int64_t ports = 0;

	if (l->flags & BPE_PKT_FRAGMENT || offset > BPE_NO_OFFSET - 64) {
		l->payload = (uint16_t)(offset < BPE_NO_OFFSET ? offset : BPE_NO_OFFSET);
		return 0;
	}
	if (!least && bpei_packet_in_ip(p, offset, proto))
		return KEYED;
	if (BPEI_UNLIKELY(left < least))
		l->flags |= mark_missing(p, offset, least);
	if (proto_has_ports(proto)) {
		if (left >= 4)
			ports = bpei_be16(l4) | (int64_t)bpei_be16(l4 + 2) << 16;
	} else if ((l->proto == BPE_PROTO_ICMP || l->proto == BPE_PROTO_ICMP6) && left >= 6) {
		ports = parse_icmp(p, offset, l->proto);
	}
	if (BPEI_UNLIKELY(left < least)) {
		if (left)
			l->transport = (uint16_t)offset;
		if (l->proto == BPE_PROTO_TCP && left >= 14)
			l->tcp_flags = l4[13];
		return ports;
	}
	if (BPEI_LIKELY(left))
		l->transport = (uint16_t)offset;
	if (l->proto == BPE_PROTO_TCP || l->proto == BPE_PROTO_DCCP) {
		if (l->proto == BPE_PROTO_TCP)
			l->tcp_flags = l4[13];
		header = l->proto == BPE_PROTO_TCP ? (uint32_t)(l4[12] >> 4) * 4 : l4[4] * 4u;
		if (BPEI_UNLIKELY(header < least)) {
			l->flags |= BPE_PKT_BAD_HEADER;
			return ports;
		}
		if (BPEI_UNLIKELY(header > left)) {
			l->flags |= mark_missing(p, offset, header);
			return ports;
		}
	} else if (l->proto == BPE_PROTO_UDP) {
		if (parse_udp(p, offset, left, (uint32_t)ports))
			return KEYED;
	} else if (proto == IP_VRRP && left == 36 && l4[0] == 0x21 && l4[3] == 7) {
		/* CARP has VRRP's number; a VRRP packet with 7 addresses is longer */
		l->proto = BPE_PROTO_CARP;
	}
	l->payload = (uint16_t)(offset + header);
	return ports;
}

void bpei_packet_ip4(const struct bpei_packet *p, uint32_t offset)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *ip = p->data + offset;
	uint32_t left = p->caplen - offset;

	l->network = (uint16_t)offset;
	bpei_packet_place(p, offset, BPEI_PLACE_IP4);
	if (BPEI_UNLIKELY(left < 20)) {
		l->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (BPEI_UNLIKELY(ip[0] >> 4 != 4)) {
		l->flags |= BPE_PKT_BAD_VERSION;
		return;
	}
	uint32_t header = (ip[0] & 15u) * 4;
	uint32_t total = bpei_be16(ip + 2);
	uint32_t fragment = bpei_be16(ip + 6);
	if (BPEI_UNLIKELY(header < 20)) {
		l->flags |= BPE_PKT_BAD_HEADER;
		return;
	}
	l->flags |= BPE_PKT_IP4;
	l->ip_proto = ip[9];
	if (BPEI_UNLIKELY(total < header)) {
		if (total)
			l->flags |= BPE_PKT_BAD_LENGTH;
		else
			total = left; /* left to the network card by segmentation offload */
	}
	if (total >= header && total < left)
		l->end = offset + total;
	else if (BPEI_UNLIKELY(total > left && offset + total > p->wirelen))
		l->flags |= BPE_PKT_BAD_LENGTH;
	if (BPEI_UNLIKELY(fragment & 0x3fff))
		mark_fragment(l, !(fragment & 0x1fff));

	int64_t ports = 0;
	uint32_t l4 = offset + header;
	if (BPEI_UNLIKELY(header > left)) {
		l->flags |= BPE_PKT_TRUNCATED;
		l4 = 0;
	} else if (BPEI_UNLIKELY(ip[9] == IP_AH && !(l->flags & BPE_PKT_FRAGMENT))) {
		l4 = skip_extensions(p, l4, IP_AH);
	}
	if (BPEI_LIKELY(l4))
		ports = parse_transport(p, l4, l->ip_proto);
	else
		l->proto = BPE_PROTO_IP_OTHER;
	if (ports != KEYED)
		fill_packet_key(p, ip + 12, (uint32_t)ports, 4, l->ip_proto, false);
}

void bpei_packet_ip6(const struct bpei_packet *p, uint32_t offset)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *ip = p->data + offset;
	uint32_t left = p->caplen - offset;

	l->network = (uint16_t)offset;
	bpei_packet_place(p, offset, BPEI_PLACE_IP6);
	if (BPEI_UNLIKELY(left < 40)) {
		l->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (BPEI_UNLIKELY(ip[0] >> 4 != 6)) {
		l->flags |= BPE_PKT_BAD_VERSION;
		return;
	}
	l->flags |= BPE_PKT_IP6;
	uint32_t length = bpei_be16(ip + 4);
	if (length && length < left - 40)
		l->end =
			offset + 40 + length; /* 0: jumbogram or segmentation offload: to the end */
	else if (BPEI_UNLIKELY(length > left - 40 && offset + 40 + length > p->wirelen))
		l->flags |= BPE_PKT_BAD_LENGTH;

	int64_t ports = 0;
	uint32_t l4 = skip_extensions(p, offset + 40, ip[6]);
	if (BPEI_LIKELY(l4))
		ports = parse_transport(p, l4, l->ip_proto);
	else
		l->proto = BPE_PROTO_IP_OTHER;
	if (ports != KEYED)
		fill_packet_key(p, ip + 8, (uint32_t)ports, 6, l->ip_proto, false);
}
