/* SPDX-License-Identifier: MIT */
/* The packet in the packet.  A tunnel counts as one only if what it carries has a flow: if not, the outer packet's flow is the packet's.  Pure.
 *
 * Sources: IPv4 in IPv4: RFC 2003; IPv6 in IPv4: RFC 4213; anything in IPv6: RFC 2473; EtherIP: RFC 3378; GRE: RFC 2784, 2890; with PPP: RFC 2637;
 * ERSPAN: draft-foschiano-erspan-03; VXLAN: RFC 7348; Geneve: RFC 8926; GTP-U: 3GPP TS 29.281; Teredo: RFC 4380; L2TP: RFC 2661. */
#include "arch/scalar/packet.h"
#include "base/bytes.h"

enum { GTPU_PDU = 255, AS_ETHERNET = 0x10000, AS_PPP, AS_IP };	/* beside ethertypes */

/* What lies at offset, a packet of that kind: true if it has a flow; else nothing is changed. */
static bool enter(const struct bpei_packet *p, uint32_t offset, uint32_t kind)
{
	struct bpe_layers *l = p->layers, outer = *l;
	struct bpei_packet inner = *p;
	if (offset >= l->end || offset > BPE_NO_OFFSET - 64) return false;
	inner.depth++;
	inner.caplen = l->end;
	if (l->end < p->caplen) inner.wirelen = l->end;
	if (l->flags & BPE_PKT_FIRST_FRAGMENT) inner.wirelen = UINT32_MAX;	/* its lengths count bytes that later fragments bring */
	if (kind == AS_IP) kind = p->data[offset] >> 4 == 4 ? TYPE_IP4 : p->data[offset] >> 4 == 6 ? TYPE_IP6 : 0;

	l->network = l->transport = l->payload = BPE_NO_OFFSET;
	l->flags &= BPE_PKT_OUTGOING | BPE_PKT_VLAN | BPE_PKT_FIRST_FRAGMENT;
	l->ip_proto = 0;
	l->proto = BPE_PROTO_NONE;
	l->ethertype = kind == AS_PPP ? TYPE_PPP : (uint16_t)kind;
	switch (kind) {
	case AS_ETHERNET:
		if (l->end - offset < 14) break;
		l->flags &= (uint16_t)~BPE_PKT_VLAN;	/* the tags of the frame that the packet lies in */
		l->vlan_count = 0;
		l->vlan[0] = l->vlan[1] = 0;
		bpei_packet_ethertype(&inner, offset + 14, bpei_be16(p->data + offset + 12));
		break;
	case AS_PPP:	/* with its address and control bytes or without */
		if (l->end - offset >= 2 && bpei_be16(p->data + offset) == 0xff03) offset += 2;
		bpei_packet_ppp(&inner, offset);
		break;
	case TYPE_IP4: bpei_packet_ip4(&inner, offset); break;
	case TYPE_IP6: bpei_packet_ip6(&inner, offset); break;
	default:
		if (kind >= TYPE_LEAST) bpei_packet_ethertype(&inner, offset, (uint16_t)kind);
	}
	if (l->flags & BPE_PKT_KEY) {
		l->flags |= BPE_PKT_TUNNEL;
		return true;
	}
	*l = outer;
	return false;
}

/* Whether n bytes at offset are the packet's. */
static bool has(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	return offset <= p->layers->end && p->layers->end - offset >= n;
}

static bool erspan(const struct bpei_packet *p, uint32_t offset, bool third)
{
	if (!has(p, offset, third ? 12 : 8)) return false;
	uint32_t version = p->data[offset] >> 4, bytes = third ? 12 + 8 * (p->data[offset + 11] & 1u) : 8;
	return version == (third ? 2 : 1) && enter(p, offset + bytes, AS_ETHERNET);
}

static bool gre(const struct bpei_packet *p, uint32_t offset)
{
	enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGED = 0x0080, VERSION = 7 };
	if (!has(p, offset, 4)) return false;
	uint32_t flags = bpei_be16(p->data + offset), type = bpei_be16(p->data + offset + 2);
	uint32_t to = offset + 4 + (flags & CHECKSUM ? 4 : 0) + (flags & KEY ? 4 : 0) + (flags & SEQUENCE ? 4 : 0);
	if (flags & ROUTING) return false;
	if ((flags & VERSION) == 1) return type == TYPE_PPP && enter(p, to + (flags & ACKNOWLEDGED ? 4 : 0), AS_PPP);
	if (flags & VERSION) return false;
	switch (type) {
	case TYPE_BRIDGED: return enter(p, to, AS_ETHERNET);
	case TYPE_ERSPAN: return flags & SEQUENCE ? erspan(p, to, false) : enter(p, to, AS_ETHERNET);	/* its first version has no header */
	case TYPE_ERSPAN3: return erspan(p, to, true);
	case TYPE_PPP: return enter(p, to, AS_PPP);
	default: return type >= TYPE_LEAST && enter(p, to, type);
	}
}

bool bpei_packet_in_ip(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	if (p->depth >= BPEI_MOST_TUNNELS) return false;
	switch (proto) {
	case IP_IPIP: return enter(p, offset, TYPE_IP4);
	case IP_IPV6: return enter(p, offset, TYPE_IP6);
	case IP_GRE: return gre(p, offset);
	case IP_ETHERIP: return has(p, offset, 2) && p->data[offset] == 0x30 && enter(p, offset + 2, AS_ETHERNET);
	default: return false;
	}
}

static bool vxlan(const struct bpei_packet *p, uint32_t offset)
{
	return has(p, offset, 8) && p->data[offset] & 0x08 && !(p->data[offset] & 0x77) && !p->data[offset + 7] && enter(p, offset + 8, AS_ETHERNET);
}

static bool geneve(const struct bpei_packet *p, uint32_t offset)
{
	if (!has(p, offset, 8) || p->data[offset] >> 6 || p->data[offset + 7]) return false;
	uint32_t type = bpei_be16(p->data + offset + 2), to = offset + 8 + (p->data[offset] & 0x3fu) * 4;
	return type == TYPE_BRIDGED ? enter(p, to, AS_ETHERNET) : type >= TYPE_LEAST && enter(p, to, type);
}

static bool gtpu(const struct bpei_packet *p, uint32_t offset)
{
	enum { VERSION_1 = 0x30, EXTENSION = 4, ANY_OPTION = 7 };
	if (!has(p, offset, 8) || (p->data[offset] & 0xf0) != VERSION_1 || p->data[offset + 1] != GTPU_PDU) return false;
	uint32_t flags = p->data[offset], to = offset + 8;
	if (flags & ANY_OPTION) {
		if (!has(p, to, 4)) return false;
		uint32_t next = flags & EXTENSION ? p->data[to + 3] : 0;
		for (to += 4; next;) {
			if (!has(p, to, 4)) return false;
			uint32_t bytes = p->data[to] * 4u;
			if (!bytes || !has(p, to, bytes)) return false;
			next = p->data[to + bytes - 1];
			to += bytes;
		}
	}
	return enter(p, to, AS_IP);
}

static bool teredo(const struct bpei_packet *p, uint32_t offset)
{
	if (has(p, offset, 4) && bpei_be16(p->data + offset) == 1) offset += 4u + p->data[offset + 2] + p->data[offset + 3] + 9;	/* authentication */
	if (has(p, offset, 8) && bpei_be16(p->data + offset) == 0) offset += 8;	/* origin */
	return has(p, offset, 40) && enter(p, offset, TYPE_IP6);
}

static bool l2tp(const struct bpei_packet *p, uint32_t offset)
{
	enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200, VERSION = 0x000f };
	if (!has(p, offset, 6)) return false;
	uint32_t flags = bpei_be16(p->data + offset), to = offset + 6 + (flags & LENGTH ? 2 : 0) + (flags & SEQUENCE ? 4 : 0);
	if ((flags & VERSION) != 2 || flags & CONTROL) return false;
	if (flags & OFFSET) {
		if (!has(p, to, 2)) return false;
		to += 2u + bpei_be16(p->data + to);
	}
	return enter(p, to, AS_PPP);
}

bool bpei_packet_in_udp(const struct bpei_packet *p, uint32_t offset, uint32_t ports)
{
	if (p->depth >= BPEI_MOST_TUNNELS) return false;
	for (uint32_t end = 0; end < 2; end++, ports >>= 16) {
		bool found;
		switch (ports & 0xffff) {
		case PORT_VXLAN: case PORT_VXLAN_OLD: found = vxlan(p, offset + 8); break;
		case PORT_GENEVE: found = geneve(p, offset + 8); break;
		case PORT_GTPU: found = gtpu(p, offset + 8); break;
		case PORT_TEREDO: found = teredo(p, offset + 8); break;
		case PORT_L2TP: found = l2tp(p, offset + 8); break;
		default: found = false;
		}
		if (found) return true;
	}
	return false;
}
