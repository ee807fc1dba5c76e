/* SPDX-License-Identifier: MIT */
/* Finds a packet in a UDP datagram, by the ports.  Pure.
 *
 * Sources: VXLAN: RFC 7348; VXLAN-GPE: draft-ietf-nvo3-vxlan-gpe-13; Geneve: RFC 8926; GTP-U: 3GPP
 * TS 29.281; Teredo: RFC 4380; L2TP: RFC 2661; GRE in UDP: RFC 8086; MPLS in UDP: RFC 7510; TZSP:
 * the parsers of tcpdump and tshark ("TaZmen Sniffer Protocol"); CAPWAP: RFC 5415, with 802.11: RFC
 * 5416. */
#include "arch/scalar/tunnel.h"
#include "base/bytes.h"

enum { GTPU_PDU = 255 };

static bool open_vxlan(const struct bpei_packet *p, uint32_t offset, bool gpe)
{
	enum { VERSION = 0x30, HAS_VNI = 0x08, HAS_PROTOCOL = 0x04 };
	if (!bpei_tunnel_has(p, offset, 8))
		return false;
	const uint8_t *h = p->data + offset;
	const struct bpei_identity network = { .kind = gpe ? BPE_TUNNEL_VXLAN_GPE
							   : BPE_TUNNEL_VXLAN,
		.has_id = true,
		.id = bpei_be32(h + 4) >> 8 };
	uint32_t as = gpe && h[0] & HAS_PROTOCOL ? bpei_tunnel_next(h[3]) : AS_ETHERNET;
	if (!(h[0] & HAS_VNI) || (gpe && h[0] & VERSION) || !as)
		return false;
	return bpei_packet_opens(p, network.kind) && bpei_packet_enter(p, offset + 8, as, &network);
}

static bool open_geneve(const struct bpei_packet *p, uint32_t offset)
{
	if (!bpei_tunnel_has(p, offset, 8) || p->data[offset] >> 6)
		return false;
	const struct bpei_identity network = { .kind = BPE_TUNNEL_GENEVE,
		.has_id = true,
		.id = bpei_be32(p->data + offset + 4) >> 8 };
	uint32_t type = bpei_be16(p->data + offset + 2);
	uint32_t to = offset + 8 + (p->data[offset] & 0x3fu) * 4;
	if (!bpei_packet_opens(p, BPE_TUNNEL_GENEVE) || type < TYPE_LEAST)
		return false;
	return bpei_packet_enter(p, to, type == TYPE_BRIDGED ? AS_ETHERNET : type, &network);
}

static bool open_gtpu(const struct bpei_packet *p, uint32_t offset)
{
	enum { VERSION_1 = 0x30, EXTENSION = 4, ANY_OPTION = 7 };
	if (!bpei_packet_opens(p, BPE_TUNNEL_GTPU) || !bpei_tunnel_has(p, offset, 8))
		return false;
	if ((p->data[offset] & 0xf0) != VERSION_1 || p->data[offset + 1] != GTPU_PDU)
		return false;
	const struct bpei_identity bearer = { .kind = BPE_TUNNEL_GTPU,
		.has_id = true,
		.one_way = true,
		.ends = true,
		.id = bpei_be32(p->data + offset + 4) };
	uint32_t flags = p->data[offset];
	uint32_t to = offset + 8;
	if (flags & ANY_OPTION) {
		if (!bpei_tunnel_has(p, to, 4))
			return false;
		uint32_t next = flags & EXTENSION ? p->data[to + 3] : 0;
		for (to += 4; next;) {
			if (!bpei_tunnel_has(p, to, 4))
				return false;
			uint32_t bytes = p->data[to] * 4u;
			if (!bytes || !bpei_tunnel_has(p, to, bytes))
				return false;
			next = p->data[to + bytes - 1];
			to += bytes;
		}
	}
	return bpei_packet_enter(p, to, AS_IP, &bearer);
}

/* Opens Teredo.  The inner addresses are global, and relays change. */
static bool open_teredo(const struct bpei_packet *p, uint32_t offset)
{
	const struct bpei_identity none = { .kind = BPE_TUNNEL_TEREDO };
	if (!bpei_packet_opens(p, BPE_TUNNEL_TEREDO))
		return false;
	if (bpei_tunnel_has(p, offset, 4) && bpei_be16(p->data + offset) == 1)
		offset += 4u + p->data[offset + 2] + p->data[offset + 3] + 9; /* authentication */
	if (bpei_tunnel_has(p, offset, 8) && bpei_be16(p->data + offset) == 0)
		offset += 8; /* origin */
	return bpei_tunnel_has(p, offset, 40) && bpei_packet_enter(p, offset, TYPE_IP6, &none);
}

static bool open_l2tp(const struct bpei_packet *p, uint32_t offset)
{
	enum {
		CONTROL = 0x8000,
		LENGTH = 0x4000,
		SEQUENCE = 0x0800,
		OFFSET = 0x0200,
		VERSION = 0x000f
	};
	if (!bpei_packet_opens(p, BPE_TUNNEL_L2TP) || !bpei_tunnel_has(p, offset, 6))
		return false;
	uint32_t flags = bpei_be16(p->data + offset);
	uint32_t ids = offset + 2 + (flags & LENGTH ? 2 : 0);
	uint32_t to = ids + 4 + (flags & SEQUENCE ? 4 : 0);
	if ((flags & VERSION) != 2 || flags & CONTROL || !bpei_tunnel_has(p, ids, 4))
		return false;
	const struct bpei_identity session = { .kind = BPE_TUNNEL_L2TP,
		.has_id = true,
		.one_way = true,
		.ends = true,
		.id = bpei_be32(p->data + ids) };
	if (flags & OFFSET) {
		if (!bpei_tunnel_has(p, to, 2))
			return false;
		to += 2u + bpei_be16(p->data + to);
	}
	return bpei_packet_enter(p, to, AS_PPP, &session);
}

/* Opens TZSP: a frame that was captured elsewhere, behind a list of tags. */
static bool open_tzsp(const struct bpei_packet *p, uint32_t offset)
{
	enum { RECEIVED = 0, TO_BE_SENT = 1, PADDING = 0, LAST = 1 };
	const struct bpei_identity mirror = { .kind = BPE_TUNNEL_TZSP, .ends = true };
	if (!bpei_packet_opens(p, BPE_TUNNEL_TZSP) || !bpei_tunnel_has(p, offset, 4))
		return false;
	const uint8_t *h = p->data + offset;
	uint32_t as = 0;
	if (h[0] != 1 || (h[1] != RECEIVED && h[1] != TO_BE_SENT))
		return false;
	switch (bpei_be16(h + 2)) {
	case 1:
		as = AS_ETHERNET;
		break;
	case 4:
		as = AS_PPP;
		break;
	case 18:
		as = AS_WLAN;
		break;
	case 119:
		as = AS_PRISM;
		break;
	case 127:
		as = AS_AVS;
		break;
	default:
		return false;
	}
	for (offset += 4; bpei_tunnel_has(p, offset, 1);) {
		uint32_t tag = p->data[offset++];
		if (tag == LAST)
			return bpei_packet_enter(p, offset, as, &mirror);
		if (tag == PADDING)
			continue;
		if (!bpei_tunnel_has(p, offset, 1))
			return false;
		offset += 1u + p->data[offset];
	}
	return false;
}

/* Opens CAPWAP.  Fragments stay together on the outer flow, since only the first has headers. */
static bool open_capwap(const struct bpei_packet *p, uint32_t offset)
{
	enum { NATIVE = 0x01, WLAN = 0x02, BINDING = 0x3e, FRAGMENT = 0x80, KEEP_ALIVE = 0x08 };
	const struct bpei_identity ends = { .kind = BPE_TUNNEL_CAPWAP, .ends = true };
	if (!bpei_packet_opens(p, BPE_TUNNEL_CAPWAP) || !bpei_tunnel_has(p, offset, 8))
		return false;
	const uint8_t *h = p->data + offset;
	uint32_t bytes = (h[1] >> 3) * 4u;
	if (h[0] || bytes < 8 || h[3] & (FRAGMENT | KEEP_ALIVE))
		return false; /* not 0: another version, or DTLS */
	if (!(h[2] & NATIVE))
		return bpei_packet_enter(p, offset + bytes, AS_ETHERNET, &ends);
	if ((h[2] & BINDING) != WLAN)
		return false;
	/* Cisco's controllers swap the bytes of the frame control. */
	return bpei_packet_enter(p, offset + bytes, AS_WLAN, &ends) ||
	       bpei_packet_enter(p, offset + bytes, AS_WLAN_SWAPPED, &ends);
}

static bool open_mpls_udp(const struct bpei_packet *p, uint32_t offset)
{
	const struct bpei_identity ends = { .kind = BPE_TUNNEL_MPLS_UDP, .ends = true };
	return bpei_packet_opens(p, BPE_TUNNEL_MPLS_UDP) &&
	       bpei_packet_enter(p, offset, TYPE_MPLS, &ends);
}

bool bpei_packet_in_udp(const struct bpei_packet *p, uint32_t offset, uint32_t ports)
{
	if (p->columns->outermost)
		return false;
	offset += 8;
	for (uint32_t end = 0; end < 2; end++, ports >>= 16) {
		bool found = false;
		switch (ports & 0xffff) {
		case PORT_VXLAN:
		case PORT_VXLAN_OLD:
			found = open_vxlan(p, offset, false);
			break;
		case PORT_VXLAN_GPE:
			found = open_vxlan(p, offset, true);
			break;
		case PORT_GENEVE:
			found = open_geneve(p, offset);
			break;
		case PORT_GTPU:
			found = open_gtpu(p, offset);
			break;
		case PORT_TEREDO:
			found = open_teredo(p, offset);
			break;
		case PORT_L2TP:
			found = open_l2tp(p, offset);
			break;
		case PORT_GRE:
			found = bpei_tunnel_gre(p, offset, BPE_TUNNEL_GRE_UDP);
			break;
		case PORT_MPLS:
			found = open_mpls_udp(p, offset);
			break;
		case PORT_CAPWAP:
			found = open_capwap(p, offset);
			break;
		case PORT_TZSP:
			found = end && open_tzsp(p, offset);
			break; /* as a target only, since other programs' ports may be as high */
		default:
			break;
		}
		if (found)
			return true;
	}
	return false;
}
