/* SPDX-License-Identifier: MIT */
/* From a link type's header to the network header.  Pure.
 *
 * Sources: Ethernet and 802.1Q/ad: IEEE 802.3, 802.1Q; NULL, LOOP, RAW, SLL, SLL2, PPP, C_HDLC,
 * PPI, IPNET: the LINKTYPE_ registry of tcpdump.org; PPP: RFC 1661, 1662; PPPoE: RFC 2516; MPLS:
 * RFC 3032; LLC and SNAP: IEEE 802.2, RFC 1042, IP in LLC: RFC 1060; STP: IEEE 802.1D; FDDI: RFC
 * 1188; IP over IEEE 1394: RFC 2734; ENC, PFLOG: if_enc.h, if_pflog.h of OpenBSD; PKTAP: xnu's
 * bsd/net/pktap.h. */
#include "arch/scalar/packet.h"
#include "arch/scalar/wlan.h"
#include "base/bytes.h"
#include "base/cacheline.h"
#include "base/pktap.h"

enum { SLL_OUTGOING = 4, SLL_P_802_2 = 4 };

/* Parses ARP, or RARP, which has the same layout. */
static void parse_arp(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	struct bpe_layers *l = p->layers;
	uint32_t left = p->caplen - offset;
	l->proto = proto;
	l->network = (uint16_t)offset;
	bpei_packet_place(p, offset, BPEI_PLACE_ARP);
	uint32_t need = left < 8 ? 8 : 8 + 2u * (p->data[offset + 4] + p->data[offset + 5]);
	if (left < need)
		l->flags |= offset + need > p->wirelen ? BPE_PKT_BAD_LENGTH : BPE_PKT_TRUNCATED;
	else
		l->end = offset + need;
}

/* Returns whether an IP header lies at offset, by more than its first half byte: of IPv4 a right
 * checksum, of IPv6 a length that fits. */
static bool looks_like_ip(const struct bpei_packet *p, uint32_t offset, unsigned version)
{
	const uint8_t *ip = p->data + offset;
	uint32_t left = p->caplen - offset;
	uint32_t sum = 0;
	if (version == 6)
		return left >= 40 && offset + 40 + bpei_be16(ip + 4) <= p->wirelen;
	uint32_t header = (ip[0] & 15u) * 4;
	if (version != 4 || header < 20 || left < header)
		return false;
	for (uint32_t i = 0; i < header; i += 2)
		sum += bpei_be16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static void parse_mpls_labels(const struct bpei_packet *p, uint32_t offset)
{
	do {
		if (!bpei_packet_there(p, offset, 4))
			return;
		offset += 4;
	} while (!(p->data[offset - 2] & 1));
	if (!bpei_packet_there(p, offset, 1))
		return;
	/* Labels do not name their content.  The first half byte decides, as everywhere; but a
	 * frame's address may begin like IP as well. */
	unsigned version = p->data[offset] >> 4;
	if (!looks_like_ip(p, offset, version) && bpei_packet_in_labels(p, offset))
		return;
	switch (version) {
	case 4:
		bpei_packet_ip4(p, offset);
		return;
	case 6:
		bpei_packet_ip6(p, offset);
		return;
	default:
		bpei_packet_unknown(p, offset, BPE_PROTO_ETHERTYPE);
	}
}

/* Parses PPP from its protocol field on. */
void bpei_packet_ppp(const struct bpei_packet *p, uint32_t offset)
{
	if (!bpei_packet_there(p, offset, 2))
		return;
	uint32_t protocol = p->data[offset];
	uint32_t bytes = protocol & 1 ? 1 : 2;
	if (bytes == 2)
		protocol = bpei_be16(p->data + offset);
	offset += bytes;
	switch (protocol) {
	case 0x21:
		bpei_packet_ip4(p, offset);
		return;
	case 0x57:
		bpei_packet_ip6(p, offset);
		return;
	case 0x281:
	case 0x283:
		parse_mpls_labels(p, offset);
		return;
	default:
		bpei_packet_unknown(p, offset, BPE_PROTO_ETHERTYPE);
	}
}

/* Returns the packet without the padding that lies more than n bytes behind offset. */
static struct bpei_packet cut_packet_at(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	struct bpei_packet inner = *p;
	if (n < p->caplen - offset)
		inner.caplen = inner.wirelen = p->layers->end = offset + n;
	return inner;
}

static void parse_pppoe(const struct bpei_packet *p, uint32_t offset)
{
	if (!bpei_packet_there(p, offset, 6))
		return;
	uint32_t length = bpei_be16(p->data + offset + 4);
	if (p->data[offset] != 0x11 || p->data[offset + 1]) {
		bpei_packet_unknown(p, offset, BPE_PROTO_ETHERTYPE);
		return;
	}
	offset += 6;
	if (length < 2) {
		p->layers->flags |= BPE_PKT_BAD_LENGTH;
		bpei_packet_unknown(p, offset, BPE_PROTO_ETHERTYPE);
		p->layers->end = offset;
		return;
	}
	const struct bpei_packet inner = cut_packet_at(p, offset, length);
	bpei_packet_ppp(&inner, offset);
}

/* Parses an LLC header, with or without SNAP. */
static void parse_llc_header(const struct bpei_packet *p, uint32_t offset)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
	static const uint8_t bridge_tunnel[] = { 0xaa, 0xaa, 3, 0, 0, 0xf8 };
	const uint8_t *h = p->data + offset;
	bpei_packet_unknown(p, offset, BPE_PROTO_LLC);
	if (p->caplen - offset >= 3 && h[0] == 0x42 && h[1] == 0x42 && h[2] == 3)
		p->layers->proto = BPE_PROTO_STP;
	if (p->caplen - offset >= 4 && h[0] == 6 && h[1] == 6 && h[2] == 3 && h[3] >> 4 == 4 &&
		bpei_packet_opens(p, BPE_TUNNEL_LLC_IP)) {
		p->layers->network = p->layers->payload = BPE_NO_OFFSET;
		p->layers->proto = BPE_PROTO_NONE;
		bpei_packet_ethertype(p, offset + 3, TYPE_IP4);
		return;
	}
	if (p->caplen - offset < 8 || (memcmp(h, snap, 6) && memcmp(h, bridge_tunnel, 6)))
		return;
	uint16_t type = bpei_be16(h + 6);
	if (type < TYPE_LEAST)
		return;
	p->layers->network = p->layers->payload = BPE_NO_OFFSET;
	p->layers->proto = BPE_PROTO_NONE;
	bpei_packet_ethertype(p, offset + 8, type);
}

/* Parses the content at offset by its ethertype, VLAN tags first. */
void bpei_packet_ethertype(const struct bpei_packet *p, uint32_t offset, uint16_t type)
{
	struct bpe_layers *l = p->layers;
again:
	while (BPEI_UNLIKELY(type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD)) {
		l->flags |= BPE_PKT_VLAN;
		l->ethertype = type;
		if (p->caplen - offset < 4 || offset > BPE_NO_OFFSET - 64) {
			l->flags |= BPE_PKT_TRUNCATED;
			l->proto = BPE_PROTO_ETHERTYPE;
			return;
		}
		if (l->vlan_count < 2)
			l->vlan[l->vlan_count] = bpei_be16(p->data + offset) & 0xfff;
		if (l->vlan_count < 255)
			l->vlan_count++;
		type = bpei_be16(p->data + offset + 2);
		offset += 4;
	}
	l->ethertype = type;
	if (BPEI_LIKELY(type == TYPE_IP4)) {
		bpei_packet_ip4(p, offset);
	} else if (type == TYPE_IP6) {
		bpei_packet_ip6(p, offset);
	} else if (type == TYPE_ARP || type == TYPE_RARP) {
		parse_arp(p, offset, type == TYPE_ARP ? BPE_PROTO_ARP : BPE_PROTO_ETHERTYPE);
	} else if (type == TYPE_MPLS || type == TYPE_MPLS_MULTICAST) {
		parse_mpls_labels(p, offset);
	} else if (type == TYPE_PPPOE) {
		parse_pppoe(p, offset);
	} else if (type >= TYPE_LEAST) {
		if (bpei_packet_shim(p, &offset, &type))
			goto again;
		if (!bpei_packet_in_frame(p, offset, type))
			bpei_packet_unknown(p, offset, BPE_PROTO_ETHERTYPE);
	} else {
		const struct bpei_packet inner = cut_packet_at(p, offset, type ? type : UINT32_MAX);
		parse_llc_header(&inner, offset);
	}
}

static void parse_raw_ip(const struct bpei_packet *p, uint32_t offset, unsigned version)
{
	if (p->caplen == offset) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (!version)
		version = p->data[offset] >> 4;
	p->layers->ethertype = version == 6 ? TYPE_IP6 : TYPE_IP4;
	if (version == 6)
		bpei_packet_ip6(p, offset);
	else
		bpei_packet_ip4(p, offset);
}

/* Parses DLT_NULL, with the address family in the capturing host's byte order, and DLT_LOOP, in
 * network order. */
static void parse_loopback(const struct bpei_packet *p, uint32_t offset, bool network_order)
{
	if (p->caplen - offset < 4) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	uint32_t family = bpei_be32(p->data + offset);
	if (!network_order && family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		parse_raw_ip(p, offset + 4, 4);
		return;
	case 10:
	case 24:
	case 28:
	case 30:
		parse_raw_ip(p, offset + 4, 6);
		return; /* Linux; NetBSD and OpenBSD; FreeBSD; macOS */
	default:
		bpei_packet_unknown(p, offset + 4, BPE_PROTO_ETHERTYPE);
		p->layers->ethertype = (uint16_t)(family < 0x600 ? family : 0xffff);
	}
}

static void parse_cooked(
	const struct bpei_packet *p, uint32_t header, uint32_t type_at, uint32_t kind)
{
	if (p->caplen < header) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (kind == SLL_OUTGOING)
		p->layers->flags |= BPE_PKT_OUTGOING;
	uint16_t type = bpei_be16(p->data + type_at);
	if (type < TYPE_LEAST) { /* LINUX_SLL_P_*: no ethertype */
		p->layers->network = p->layers->payload = (uint16_t)header;
		p->layers->ethertype = type;
		p->layers->proto = type == SLL_P_802_2 ? BPE_PROTO_LLC : BPE_PROTO_ETHERTYPE;
		return;
	}
	bpei_packet_ethertype(p, header, type);
}

/* ---- Link types that are less common ---- */

/* Ends a packet whose content is not parsed. */
static void parse_raw_version(const struct bpei_packet *p)
{
	p->layers->payload = 0;
	p->layers->proto = BPE_PROTO_LINKTYPE;
}

/* Parses a packet in an 802.11 frame, of at most `bytes` bytes.  A mesh control may come first. */
static void parse_msdu(const struct bpei_packet *p, uint32_t offset, uint32_t n, bool mesh)
{
	if (mesh && bpei_packet_opens(p, BPE_TUNNEL_MESH)) {
		uint32_t bytes = bpei_wlan_mesh(p->data, p->caplen, offset);
		if (bytes > n)
			return;
		offset += bytes;
		n -= bytes;
	}
	if (offset >= p->caplen || offset > BPE_NO_OFFSET - 64)
		return;
	const struct bpei_packet inner = cut_packet_at(p, offset, n);
	parse_llc_header(&inner, offset);
}

void bpei_packet_wlan(const struct bpei_packet *p, uint32_t offset, uint32_t link_type)
{
	enum { SUBFRAME = 14 }; /* target, source, length */
	bool padded = false;
	bool swapped = link_type == LINK_WLAN_SWAPPED;
	const uint8_t *frame = p->data + offset;
	uint32_t n = p->caplen - offset;
	uint32_t radio = bpei_wlan_radio(frame, n, swapped ? LINK_WLAN : link_type, &padded);
	struct bpei_wlan_content d = { .first = radio };
	if (radio != BPEI_WLAN_CUT)
		d = bpei_wlan_content(frame + radio, n - radio, padded, swapped);
	parse_raw_version(p);
	if (d.first == BPEI_WLAN_CUT)
		p->layers->flags |= BPE_PKT_TRUNCATED;
	if (!d.first || d.first == BPEI_WLAN_CUT)
		return;
	uint32_t first = offset + radio + d.first;
	if (!d.several) {
		parse_msdu(p, first, UINT32_MAX, d.mesh);
	} else if (bpei_packet_opens(p, BPE_TUNNEL_AMSDU) && first <= p->caplen &&
		   p->caplen - first >= SUBFRAME) {
		parse_msdu(p, first + SUBFRAME, bpei_be16(p->data + first + 12), d.mesh);
	}
}

/* Parses PPP with or without address and control bytes. */
static void parse_framed_ppp(const struct bpei_packet *p)
{
	p->layers->ethertype = TYPE_PPP;
	bpei_packet_ppp(p, p->data[0] == 0xff && p->data[1] == 3 ? 2 : 0);
}

/* Parses serial lines: PPP with or without address and control bytes, or Cisco's framing. */
static void parse_serial(const struct bpei_packet *p, bool cisco)
{
	p->layers->ethertype = TYPE_PPP;
	if (!bpei_packet_there(p, 0, 4))
		return;
	uint16_t type = bpei_be16(p->data + 2);
	bool by_cisco = (p->data[0] == 0x0f || p->data[0] == 0x8f) && !p->data[1];
	p->layers->ethertype = type;
	if ((cisco || by_cisco) && type == TYPE_RARP)
		bpei_packet_unknown(p, 4, BPE_PROTO_ETHERTYPE); /* SLARP uses this number */
	else if (cisco || by_cisco)
		bpei_packet_ethertype(p, 4, type);
	else
		parse_framed_ppp(p);
}

/* Parses a packet of another link type at offset. */
static void parse_from_offset(const struct bpei_packet *p, uint32_t offset, uint32_t link_type)
{
	p->layers->payload = BPE_NO_OFFSET;
	p->layers->proto = BPE_PROTO_NONE;
	switch (link_type) {
	case LINK_ETHERNET:
		bpei_packet_place(p, offset, BPEI_PLACE_ETHERNET);
		if (bpei_packet_there(p, offset, 14))
			bpei_packet_ethertype(p, offset + 14, bpei_be16(p->data + offset + 12));
		return;
	case LINK_RAW:
	case LINK_RAW_12:
	case LINK_RAW_14:
		parse_raw_ip(p, offset, 0);
		return;
	case LINK_NULL:
		parse_loopback(p, offset, false);
		return;
	case LINK_WLAN:
	case LINK_PRISM:
	case LINK_RADIOTAP:
	case LINK_AVS:
		bpei_packet_wlan(p, offset, link_type);
		return;
	default:
		parse_raw_version(p);
	}
}

/* Parses a header in front of a packet of another link type.  PPI names a LINKTYPE_, macOS's
 * PKTAP a DLT_; the two are equal for the link types above. */
static void parse_wrapped(const struct bpei_packet *p, uint32_t link_type)
{
	uint32_t least = link_type == LINK_PPI ? 8 : 40, length, inner;
	parse_raw_version(p);
	if (p->caplen < least) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (link_type == LINK_PPI) {
		length = bpei_le16(p->data + 2);
		inner = bpei_le32(p->data + 4);
	} else {
		uint32_t flags = bpei_le32(p->data + PKTAP_FLAGS);
		bool v2 = flags & PKTAP_V2;
		length = v2 ? p->data[0] : bpei_le32(p->data + PKTAP_LENGTH);
		inner = v2 ? bpei_le16(p->data + 6) : bpei_le32(p->data + PKTAP_DLT);
		if (flags & PKTAP_OUT)
			p->layers->flags |= BPE_PKT_OUTGOING;
	}
	if (length < least || length > p->caplen || length > BPE_NO_OFFSET - 64)
		p->layers->flags |= length < least ? BPE_PKT_BAD_HEADER : BPE_PKT_TRUNCATED;
	else
		parse_from_offset(p, length, inner);
}

/* Parses FDDI: an LLC frame, or a frame that is not parsed. */
static void parse_fddi(const struct bpei_packet *p)
{
	if (!bpei_packet_there(p, 0, 13))
		return;
	if ((p->data[0] & 0xf0) == 0x50)
		parse_llc_header(p, 13);
	else
		parse_raw_version(p);
}

/* Parses Token Ring, with or without source routing. */
static void parse_token_ring(const struct bpei_packet *p)
{
	if (!bpei_packet_there(p, 0, 16))
		return;
	const uint32_t routing = p->data[8] & 0x80 ? p->data[14] & 0x1f : 0;
	if ((p->data[1] & 0xc0) != 0x40)
		parse_raw_version(p);
	else if (bpei_packet_there(p, 14 + routing, 3))
		parse_llc_header(p, 14 + routing);
}

/* Parses OpenBSD's pflog.  The header's length does not count the padding to a multiple of 4. */
static void parse_pflog(const struct bpei_packet *p)
{
	if (!bpei_packet_there(p, 0, 1))
		return;
	const uint32_t header = (p->data[0] + 3u) & ~3u;
	if (header < 8) {
		parse_raw_version(p);
		p->layers->flags |= BPE_PKT_BAD_HEADER;
	} else if (bpei_packet_there(p, 0, header)) {
		parse_raw_ip(p, header, 0);
	}
}

/* Parses a packet of a link type that bpei_packet_link leaves: less common ones. */
static void parse_rare_link(const struct bpei_packet *p, uint32_t link_type)
{
	switch (link_type) {
	case LINK_PPP:
	case LINK_PPP_SERIAL:
		parse_serial(p, false);
		return;
	case LINK_C_HDLC:
		parse_serial(p, true);
		return;
	case LINK_PPP_ETHER:
		p->layers->ethertype = TYPE_PPPOE;
		parse_pppoe(p, 0);
		return;
	case LINK_IP1394:
		if (bpei_packet_there(p, 0, 18))
			bpei_packet_ethertype(p, 18, bpei_be16(p->data + 16));
		return;
	case LINK_FDDI:
		parse_fddi(p);
		return;
	case LINK_IEEE802:
		parse_token_ring(p);
		return;
	case LINK_IPNET:
		if (bpei_packet_there(p, 0, 24))
			parse_raw_ip(p, 24, p->data[1] == 2 ? 4 : 6);
		return;
	case LINK_ENC:
		if (bpei_packet_there(p, 0, 12))
			parse_raw_ip(p, 12, 0);
		return;
	case LINK_PFLOG:
		parse_pflog(p);
		return;
	case LINK_PPI:
	case LINK_PKTAP:
		parse_wrapped(p, link_type);
		return;
	default:
		parse_raw_version(p);
	}
}

void bpei_packet_link(const struct bpei_packet *p, uint32_t link_type)
{
	switch (link_type) {
	case LINK_ETHERNET:
		bpei_packet_place(p, 0, BPEI_PLACE_ETHERNET);
		if (BPEI_LIKELY(p->caplen >= 14))
			bpei_packet_ethertype(p, 14, bpei_be16(p->data + 12));
		else
			p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	case LINK_NULL:
		parse_loopback(p, 0, false);
		return;
	case LINK_LOOP:
		parse_loopback(p, 0, true);
		return;
	case LINK_RAW:
	case LINK_RAW_12:
	case LINK_RAW_14:
		parse_raw_ip(p, 0, 0);
		return;
	case LINK_IPV4:
		parse_raw_ip(p, 0, 4);
		return;
	case LINK_IPV6:
		parse_raw_ip(p, 0, 6);
		return;
	case LINK_SLL:
		parse_cooked(p, 16, 14, p->caplen >= 2 ? bpei_be16(p->data) : 0);
		return;
	case LINK_SLL2:
		parse_cooked(p, 20, 0, p->caplen >= 11 ? p->data[10] : 0);
		return;
	case LINK_WLAN:
	case LINK_PRISM:
	case LINK_RADIOTAP:
	case LINK_AVS:
		bpei_packet_wlan(p, 0, link_type);
		return;
	default:
		parse_rare_link(p, link_type);
	}
}
