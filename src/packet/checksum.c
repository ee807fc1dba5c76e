/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071) of what the parser found: IPv4's header (RFC 791), TCP (RFC
 * 9293), UDP (RFC 768), UDP-Lite (RFC 3828), ICMP (RFC 792), ICMPv6 (RFC 4443), IGMP (RFC 3376); of
 * the innermost packet.  Pure.
 *
 * Not judged: what was not captured whole; fragments; UDP over IPv4 without a checksum; what goes
 * through a routing header, whose last target is not the header's; frames that this host sent, and
 * any whose field holds the sum of the pseudo header alone: the network card was to fill it in. */
#include "names/numbers.h"
#include "packet/packet.h"

#include "base/bytes.h"

/* The sum of n bytes as 16-bit words in network order, not yet folded. */
static uint64_t sum_be16_words(const uint8_t *p, uint32_t n)
{
	uint64_t s = 0;
	for (; n >= 4; p += 4, n -= 4)
		s += bpei_be32(p);
	if (n >= 2)
		s += (uint64_t)bpei_be16(p) << 16, p += 2, n -= 2;
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

/* Bytes of the IP packet by its own header; 0: not told. */
static uint32_t report_checksum(const uint8_t *ip, bool four)
{
	uint32_t length = bpei_be16(ip + (four ? 2 : 4));
	return four ? length : length ? length + 40 : 0;
}

static bool final_destination(const uint8_t *data, const struct bpe_layers *l)
{
	uint32_t at = l->network + 40u, next = data[l->network + 6];
	while (at < l->transport) {
		if (next == IP_ROUTING)
			return true;
		uint32_t length = next == IP_FRAGMENT ? 8
				  : next == IP_AH     ? (data[at + 1] + 2u) * 4
						      : (data[at + 1] + 1u) * 8;
		next = data[at];
		at += length;
	}
	return false;
}

/* Whether the checksum of the transport header is wrong. */
static bool transport_is_wrong(const uint8_t *data, const struct bpe_layers *l)
{
	const uint8_t *ip = data + l->network, *l4 = data + l->transport;
	bool four = l->flags & BPE_PKT_IP4, pseudo = true;
	uint32_t length = l->end - l->transport, covered = length, field;
	if (!report_checksum(ip, four))
		return false; /* as segmentation offload leaves it */
	uint32_t whole = l->network + report_checksum(ip, four) -
			 l->transport; /* of the IP payload: UDP's length may be less */
	switch (l->proto) {
	case BPE_PROTO_TCP:
		field = 16;
		break;
	case BPE_PROTO_UDP:
	case BPE_PROTO_WIREGUARD:
	case BPE_PROTO_GTP_PRIME:
		field = 6;
		break;
	case BPE_PROTO_UDPLITE:
		field = 6;
		if (bpei_be16(l4 + 4))
			covered = bpei_be16(l4 + 4);
		if (covered < 8 || covered > length)
			return false;
		break;
	case BPE_PROTO_ICMP:
	case BPE_PROTO_IGMP:
		field = 2, pseudo = false;
		break;
	case BPE_PROTO_ICMP6:
		field = 2;
		break;
	default:
		return false;
	}
	uint32_t udp = l->proto == BPE_PROTO_UDP || l->proto == BPE_PROTO_WIREGUARD ||
		       l->proto == BPE_PROTO_GTP_PRIME;
	if (length < field + 2 || (!udp && whole != length))
		return false;
	if (udp && bpei_be16(l4 + 4) != length)
		return false;
	uint16_t told_sum = bpei_be16(l4 + field);
	if (udp && !told_sum)
		return !four; /* IPv6 has to have one, except in tunnels (RFC 6935) */
	uint64_t s = 0;
	if (pseudo)
		s = sum_be16_words(ip + (four ? 12 : 8), four ? 8 : 32) + length + l->ip_proto;
	if (pseudo && told_sum == fold_ones_sum(s))
		return false;
	return fold_ones_sum(s + sum_be16_words(l4, covered)) != 0xffff;
}

void bpei_checksums(const struct bpei_columns *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct bpe_layers *l = &c->layers[i];
		const uint8_t *data = c->data[i];
		bool wrong = false;
		if (!(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)) || l->flags & BPE_PKT_OUTGOING)
			continue;
		const uint8_t *ip = data + l->network;
		if (l->flags & BPE_PKT_IP4) {
			uint32_t header = (ip[0] & 15u) * 4;
			wrong = header >= 20 && l->network + header <= c->caplen[i] &&
				fold_ones_sum(sum_be16_words(ip, header)) != 0xffff &&
				bpei_be16(ip + 10);
		}
		if (l->transport != BPE_NO_OFFSET &&
			!(l->flags & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT | BPE_PKT_WRONG)) &&
			(l->flags & BPE_PKT_IP4 || !final_destination(data, l)) &&
			l->network + report_checksum(ip, l->flags & BPE_PKT_IP4) <= c->caplen[i])
			wrong = wrong || transport_is_wrong(data, l);
		if (wrong)
			l->flags |= BPE_PKT_BAD_CHECKSUM;
	}
}
