/* SPDX-License-Identifier: MIT */
/* Verifies the Internet checksum (RFC 1071) of the innermost packet: IPv4's header (RFC 791), TCP
 * (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), ICMP (RFC 792), ICMPv6 (RFC 4443), IGMP (RFC
 * 3376).  Pure.
 *
 * Not verified:
 *   packets not captured whole, and fragments;
 *   UDP over IPv4 without a checksum;
 *   packets with a routing header: the final destination is not the IP header's;
 *   frames that this host sent, and frames with a field that holds the sum of the pseudo header
 * alone: the network card was to fill in the checksum. */
#include "names/numbers.h"
#include "packet/packet.h"

#include "base/bytes.h"

/* Returns the sum of n bytes as 16-bit words in network order, not yet folded. */
static uint64_t sum_be16_words(const uint8_t *p, uint32_t n)
{
	uint64_t s = 0;

	for (; n >= 4; p += 4, n -= 4)
		s += bpei_be32(p);
	if (n >= 2) {
		s += (uint64_t)bpei_be16(p) << 16;
		p += 2;
		n -= 2;
	}
	if (n)
		s += (uint64_t)*p << 24;
	return s;
}

static uint16_t fold_ones_sum(uint64_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/* Returns the bytes of the IP packet by the packet's own length field; 0 if the field is 0. */
static uint32_t ip_packet_bytes(const uint8_t *ip, bool ip4)
{
	const uint32_t length = bpei_be16(ip + (ip4 ? 2 : 4));

	if (ip4 || !length)
		return length;
	return length + 40;
}

/* Returns whether a routing header comes before the IPv6 packet's transport header. */
static bool has_routing_header(const uint8_t *data, const struct bpe_layers *l)
{
	uint32_t at = l->network + 40u;
	uint32_t next = data[l->network + 6];

	while (at < l->transport) {
		uint32_t length;

		if (next == IP_ROUTING)
			return true;
		if (next == IP_FRAGMENT)
			length = 8;
		else if (next == IP_AH)
			length = (data[at + 1] + 2u) * 4;
		else
			length = (data[at + 1] + 1u) * 8;
		next = data[at];
		at += length;
	}
	return false;
}

/* Returns the offset of the checksum in the transport header; 0: the protocol has none here. */
static uint32_t checksum_offset(uint8_t proto)
{
	switch (proto) {
	case BPE_PROTO_TCP:
		return 16;
	case BPE_PROTO_UDP:
	case BPE_PROTO_WIREGUARD:
	case BPE_PROTO_GTP_PRIME:
	case BPE_PROTO_UDPLITE:
		return 6;
	case BPE_PROTO_ICMP:
	case BPE_PROTO_IGMP:
	case BPE_PROTO_ICMP6:
		return 2;
	default:
		return 0;
	}
}

static bool is_carried_by_udp(uint8_t proto)
{
	return proto == BPE_PROTO_UDP || proto == BPE_PROTO_WIREGUARD ||
	       proto == BPE_PROTO_GTP_PRIME;
}

/* Returns whether the checksum of the transport header is wrong. */
static bool transport_is_wrong(const uint8_t *data, const struct bpe_layers *l)
{
	const uint8_t *ip = data + l->network;
	const uint8_t *l4 = data + l->transport;
	const bool ip4 = l->flags & BPE_PKT_IP4;
	const bool pseudo = l->proto != BPE_PROTO_ICMP && l->proto != BPE_PROTO_IGMP;
	const bool udp = is_carried_by_udp(l->proto);
	const uint32_t field = checksum_offset(l->proto);
	const uint32_t length = l->end - l->transport;
	uint32_t covered = length;
	uint64_t s = 0;

	if (!ip_packet_bytes(ip, ip4) || !field)
		return false; /* segmentation offload leaves a length of 0 */
	if (l->proto == BPE_PROTO_UDPLITE) {
		if (bpei_be16(l4 + 4))
			covered = bpei_be16(l4 + 4);
		if (covered < 8 || covered > length)
			return false;
	}
	/* the IP payload; UDP's own length may be less */
	const uint32_t whole = l->network + ip_packet_bytes(ip, ip4) - l->transport;
	if (length < field + 2 || (!udp && whole != length))
		return false;
	if (udp && bpei_be16(l4 + 4) != length)
		return false;
	const uint16_t found = bpei_be16(l4 + field);
	if (udp && !found)
		return !ip4; /* IPv6 needs a checksum, except in tunnels (RFC 6935) */
	const uint8_t *addresses = ip + (ip4 ? 12 : 8);
	if (pseudo)
		s = sum_be16_words(addresses, ip4 ? 8 : 32) + length + l->ip_proto;
	if (pseudo && found == fold_ones_sum(s))
		return false;
	return fold_ones_sum(s + sum_be16_words(l4, covered)) != 0xffff;
}

/* Returns whether the checksum of the IPv4 header is wrong; a checksum of 0 was not computed. */
static bool ip4_header_is_wrong(const uint8_t *ip, uint32_t left)
{
	const uint32_t header = (ip[0] & 15u) * 4;

	return header >= 20 && header <= left && bpei_be16(ip + 10) &&
	       fold_ones_sum(sum_be16_words(ip, header)) != 0xffff;
}

/* Returns whether the transport header has a checksum that the whole packet would show. */
static bool has_transport_checksum(const uint8_t *data, const struct bpe_layers *l)
{
	if (l->transport == BPE_NO_OFFSET || !checksum_offset(l->proto))
		return false;
	if (l->flags & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT | BPE_PKT_WRONG))
		return false;
	return l->flags & BPE_PKT_IP4 || !has_routing_header(data, l);
}

/* Returns whether the packet's checksums are wrong, and counts the packet. */
static bool checksum_is_wrong(
	const struct bpei_columns *c, uint32_t i, struct bpei_checked *checked)
{
	const struct bpe_layers *l = &c->layers[i];
	const uint8_t *data = c->data[i];
	const bool ip4 = l->flags & BPE_PKT_IP4;
	const bool is_cut = c->caplen[i] < c->wirelen[i];
	const bool has_checksum = has_transport_checksum(data, l);
	bool wrong = ip4 && ip4_header_is_wrong(data + l->network, c->caplen[i] - l->network);
	bool is_verified = wrong;

	if (!wrong && has_checksum) {
		is_verified = l->network + ip_packet_bytes(data + l->network, ip4) <= c->caplen[i];
		wrong = is_verified && transport_is_wrong(data, l);
	}
	checked->verified += is_verified;
	checked->cut += !is_verified && is_cut && (has_checksum || l->flags & BPE_PKT_TRUNCATED);
	return wrong;
}

struct bpei_checked bpei_checksums(const struct bpei_columns *c, uint32_t n)
{
	struct bpei_checked checked = { 0, 0 };

	for (uint32_t i = 0; i < n; i++) {
		struct bpe_layers *l = &c->layers[i];

		if (!(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)) || l->flags & BPE_PKT_OUTGOING)
			continue;
		if (checksum_is_wrong(c, i, &checked))
			l->flags |= BPE_PKT_BAD_CHECKSUM;
	}
	return checked;
}
