/* SPDX-License-Identifier: MIT */
/* Finds a packet in a packet: in IP, in a frame, behind labels; in UDP: tunnel_udp.c.  A tunnel
 * counts only if the inner packet has a flow; otherwise the outer packet's flow is the packet's.
 * Pure.
 *
 * Sources: IPv4 in IPv4: RFC 2003; IPv6 in IPv4: RFC 4213; anything in IPv6: RFC 2473; 6to4: RFC
 * 3056; EtherIP: RFC 3378; GRE: RFC 2784, 2890, with its routing: RFC 1701; with PPP: RFC 2637;
 * ERSPAN: draft-foschiano-erspan-03; EoIP: MikroTik's manual, "EoIP", and tcpdump's print-gre.c;
 * WCCP: draft-param-wccp-v2rev1, "4.12.1"; MPLS in IP: RFC 4023; Ethernet as protocol 143: RFC
 * 8986, "10.1"; pseudowires: RFC 4385, 4448; PBB: IEEE 802.1Q, "9.7"; NSH: RFC 8300; FabricPath:
 * Cisco's "FabricPath encapsulation", as tshark reads it.
 *
 * Reserved bits are ignored, as the specifications demand of a receiver (RFC 2784 2.3, RFC 7348 5,
 * RFC 8926 3.4, RFC 8300 2.2).  Versions are checked. */
#include "arch/scalar/tunnel.h"
#include "base/bytes.h"

static uint64_t mix_identity(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

static uint32_t make_nonzero(uint64_t h)
{
	uint32_t folded = (uint32_t)(h ^ h >> 32);
	return folded + !folded;
}

/* Returns the addresses of the IP header in front, the sender's first; NULL without one. */
static const uint8_t *outer_addresses(
	const struct bpei_packet *p, const struct bpe_layers *l, uint32_t *bytes)
{
	if (!(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)))
		return NULL;
	const bool ip4 = l->flags & BPE_PKT_IP4;
	*bytes = ip4 ? 4 : 16;
	return p->data + l->network + (ip4 ? 12 : 8);
}

/* Sets the identity of the inner packet's tunnels, from the outer tunnels' and this tunnel's. */
static void add_identity(struct bpei_packet *inner, const struct bpei_identity *identity)
{
	uint64_t h = mix_identity(inner->tunnel,
		identity->kind | identity->has_id * 0x100u | identity->one_way * 0x200u);
	uint32_t bytes = 0;
	const uint8_t *from = identity->ends ? outer_addresses(inner, inner->layers, &bytes) : NULL;
	if (inner->columns->no_identity || (!identity->has_id && !identity->ends))
		return;
	if (from) { /* the lower address first, since an answer comes from the other end */
		bool swap = memcmp(from, from + bytes, bytes) > 0;
		for (uint32_t k = 0; k < 2; k++, swap = !swap)
			for (uint32_t i = 0; i < bytes; i += 4)
				h = mix_identity(h, bpei_be32(from + swap * bytes + i));
	}
	if (identity->has_id && !identity->one_way)
		h = mix_identity(h, identity->id);
	if (identity->has_id && identity->one_way)
		inner->direction = make_nonzero(
			mix_identity(mix_identity(inner->direction, identity->kind), identity->id));
	inner->tunnel = make_nonzero(h);
}

/* Reports the tunnel to the caller.  The innermost tunnel comes first and stays. */
static void report_tunnel(const struct bpei_packet *p, const struct bpei_identity *identity,
	const struct bpe_layers *outer)
{
	struct bpe_tunnel *t = p->columns->tunnel;
	uint32_t bytes = 0;
	if (t->depth++)
		return;
	t->kind = (uint8_t)identity->kind;
	t->has_id = identity->has_id;
	t->id = identity->has_id ? identity->id : 0;
	const uint8_t *from = outer_addresses(p, outer, &bytes);
	if (!from)
		return;
	t->ip_version = bytes == 4 ? 4 : 6;
	for (uint32_t k = 0; k < 2; k++)
		memcpy(t->addr[k], from + k * bytes, bytes);
}

/* Parses the packet in a tunnel, with layers as bpei_parse_scalar begins. */
static void parse_inner_packet(const struct bpei_packet *inner, uint32_t offset, uint32_t as)
{
	struct bpe_layers *l = inner->layers;
	const uint8_t *at = inner->data + offset;
	uint32_t left = l->end - offset;
	switch (as) {
	case AS_ETHERNET:
		bpei_packet_place(inner, offset, BPEI_PLACE_ETHERNET);
		if (left >= 14)
			bpei_packet_ethertype(inner, offset + 14, bpei_be16(at + 12));
		return;
	case AS_PPP: /* with its address and control bytes or without */
		if (left >= 2 && bpei_be16(at) == 0xff03)
			offset += 2;
		bpei_packet_ppp(inner, offset);
		return;
	case AS_WLAN:
		bpei_packet_wlan(inner, offset, LINK_WLAN);
		return;
	case AS_WLAN_SWAPPED:
		bpei_packet_wlan(inner, offset, LINK_WLAN_SWAPPED);
		return;
	case AS_PRISM:
		bpei_packet_wlan(inner, offset, LINK_PRISM);
		return;
	case AS_AVS:
		bpei_packet_wlan(inner, offset, LINK_AVS);
		return;
	case TYPE_IP4:
		bpei_packet_ip4(inner, offset);
		return;
	case TYPE_IP6:
		bpei_packet_ip6(inner, offset);
		return;
	default:
		if (as >= TYPE_LEAST)
			bpei_packet_ethertype(inner, offset, (uint16_t)as);
	}
}

/* Returns the ethertype of an IP version; 0 if there is none. */
static uint32_t version_ethertype(uint32_t version)
{
	if (version == 4)
		return TYPE_IP4;
	return version == 6 ? TYPE_IP6 : 0;
}

bool bpei_packet_enter(const struct bpei_packet *p, uint32_t offset, uint32_t as,
	const struct bpei_identity *identity)
{
	struct bpe_layers *l = p->layers;
	struct bpe_layers outer = *l;
	struct bpei_packet inner = *p;
	const uint32_t places = p->places ? p->places->count : 0;
	if (p->depth >= BPEI_MOST_TUNNELS || offset >= l->end || offset > BPE_NO_OFFSET - 64)
		return false;
	inner.depth++;
	inner.caplen = l->end;
	if (l->end < p->caplen)
		inner.wirelen = l->end;
	if (l->flags & BPE_PKT_FIRST_FRAGMENT)
		inner.wirelen = UINT32_MAX; /* the lengths count bytes of later fragments */
	add_identity(&inner, identity);
	if (as == AS_IP)
		as = version_ethertype(p->data[offset] >> 4);

	l->network = l->transport = l->payload = BPE_NO_OFFSET;
	l->flags &= BPE_PKT_OUTGOING | BPE_PKT_VLAN | BPE_PKT_FIRST_FRAGMENT;
	l->ip_proto = 0;
	l->proto = BPE_PROTO_NONE;
	l->ethertype = as == AS_PPP ? TYPE_PPP : (uint16_t)as;
	/* The VLAN tags are those of the innermost frame. */
	if (as == AS_ETHERNET || (as >= AS_WLAN && as <= AS_AVS)) {
		l->flags &= (uint16_t)~BPE_PKT_VLAN;
		l->vlan_count = 0;
		l->vlan[0] = l->vlan[1] = 0;
	}
	parse_inner_packet(&inner, offset, as);
	if (l->flags & BPE_PKT_KEY) {
		l->flags |= BPE_PKT_TUNNEL;
		if (p->columns->tunnel)
			report_tunnel(p, identity, &outer);
		return true;
	}
	if (p->places && !(l->flags & BPE_PKT_TRUNCATED))
		p->places->count = places; /* no packet; the header of a cut packet stays */
	*l = outer;
	return false;
}

/* ---- In GRE ---- */

/* Opens ERSPAN type II, or III. */
static bool open_erspan(const struct bpei_packet *p, uint32_t offset, bool third)
{
	enum { IP_PACKET = 2 }; /* a frame type of version 3; 0: Ethernet */
	if (!bpei_tunnel_has(p, offset, third ? 12 : 8))
		return false;
	uint32_t version = p->data[offset] >> 4;
	uint32_t bytes = third ? 12 + 8 * (p->data[offset + 11] & 1u) : 8;
	uint32_t frame = third ? p->data[offset + 10] >> 2 & 0x1fu : 0;
	const struct bpei_identity session = { .kind = BPE_TUNNEL_ERSPAN,
		.has_id = true,
		.ends = true,
		.id = bpei_be16(p->data + offset + 2) & 0x3ff };
	if (version != (third ? 2 : 1) || (frame && frame != IP_PACKET))
		return false;
	return bpei_packet_enter(p, offset + bytes, frame ? AS_IP : AS_ETHERNET, &session);
}

/* Opens ERSPAN type I, which has no header of its own. */
static bool open_erspan_plain(const struct bpei_packet *p, uint32_t offset)
{
	const struct bpei_identity mirror = { .kind = BPE_TUNNEL_ERSPAN, .ends = true };
	return bpei_packet_enter(p, offset, AS_ETHERNET, &mirror);
}

/* Opens GRE version 1: PPTP with the receiver's call id, or EoIP with a little-endian tunnel id. */
static bool open_gre_enhanced(
	const struct bpei_packet *p, uint32_t offset, uint32_t flags, uint32_t type)
{
	enum { KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGED = 0x0080 };
	if (!(flags & KEY) || !bpei_tunnel_has(p, offset, 8))
		return false;
	const struct bpei_identity call = { .kind = BPE_TUNNEL_GRE,
		.has_id = true,
		.one_way = true,
		.ends = true,
		.id = bpei_be16(p->data + offset + 6) };
	const struct bpei_identity bridge = { .kind = BPE_TUNNEL_EOIP,
		.has_id = true,
		.ends = true,
		.id = bpei_le16(p->data + offset + 6) };
	if (type == TYPE_EOIP && bpei_packet_opens(p, BPE_TUNNEL_EOIP))
		return bpei_packet_enter(p, offset + 8, AS_ETHERNET, &bridge);
	if (type != TYPE_PPP || !bpei_packet_opens(p, BPE_TUNNEL_GRE))
		return false;
	uint32_t to = offset + 8;
	to += flags & SEQUENCE ? 4 : 0;
	to += flags & ACKNOWLEDGED ? 4 : 0;
	return bpei_packet_enter(p, to, AS_PPP, &call);
}

/* Returns the offset behind RFC 1701's source route entries, of which the last is empty; 0 if
 * they are cut. */
static uint32_t skip_routes(const struct bpei_packet *p, uint32_t at)
{
	for (;;) {
		if (!bpei_tunnel_has(p, at, 4))
			return 0;
		uint32_t family = bpei_be16(p->data + at);
		uint32_t bytes = p->data[at + 3];
		at += 4 + bytes;
		if (!family && !bytes)
			return at;
	}
}

bool bpei_tunnel_gre(const struct bpei_packet *p, uint32_t offset, uint32_t kind)
{
	enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, VERSION = 7 };
	if (!bpei_tunnel_has(p, offset, 4))
		return false;
	uint32_t flags = bpei_be16(p->data + offset);
	uint32_t type = bpei_be16(p->data + offset + 2);
	uint32_t key = offset + 4 + (flags & (CHECKSUM | ROUTING) ? 4 : 0);
	uint32_t to = key + (flags & KEY ? 4 : 0);
	to += flags & SEQUENCE ? 4 : 0;
	if (flags & VERSION)
		return (flags & VERSION) == 1 && open_gre_enhanced(p, offset, flags, type);
	if (!bpei_tunnel_has(p, offset, to - offset))
		return false;
	struct bpei_identity tunnel = { .kind = kind, .has_id = flags & KEY, .ends = true };
	if (flags & KEY)
		tunnel.id = bpei_be32(p->data + key);
	if (flags & ROUTING && !(to = skip_routes(p, to)))
		return false;
	switch (type) {
	case TYPE_ERSPAN:
	case TYPE_ERSPAN3:
		if (!bpei_packet_opens(p, BPE_TUNNEL_ERSPAN))
			return false;
		return type == TYPE_ERSPAN && !(flags & SEQUENCE)
			       ? open_erspan_plain(p, to)
			       : open_erspan(p, to, type == TYPE_ERSPAN3);
	case TYPE_WCCP:
		/* Version 2 has a header of 4 bytes.  Packets back to the server come without
		 * this tunnel. */
		tunnel = (struct bpei_identity){ .kind = BPE_TUNNEL_WCCP };
		if (!bpei_packet_opens(p, BPE_TUNNEL_WCCP) || !bpei_tunnel_has(p, to, 1))
			return false;
		return bpei_packet_enter(p, p->data[to] >> 4 == 4 ? to : to + 4, AS_IP, &tunnel);
	default:
		break;
	}
	if (!bpei_packet_opens(p, kind))
		return false;
	if (type == TYPE_BRIDGED)
		return bpei_packet_enter(p, to, AS_ETHERNET, &tunnel);
	if (type == TYPE_PPP)
		return bpei_packet_enter(p, to, AS_PPP, &tunnel);
	return type >= TYPE_LEAST && bpei_packet_enter(p, to, type, &tunnel);
}

/* ---- In IP ---- */

/* Returns whether a tunnel is 6to4.  Relays are public, so an answer comes through another
 * relay. */
static bool is_6to4_tunnel(const struct bpei_packet *p, uint32_t offset)
{
	const uint8_t *ip = p->data + offset;
	return bpei_tunnel_has(p, offset, 40) &&
	       (bpei_be16(ip + 8) == 0x2002 || bpei_be16(ip + 24) == 0x2002);
}

/* Returns a digest of the addresses in front, for segment routing: the addresses are of segments,
 * and differ between the two directions. */
static uint32_t mix_segments(const struct bpei_packet *p)
{
	const uint8_t *from = p->data + p->layers->network + 8;
	uint64_t h = 0;
	for (uint32_t i = 0; i < 32; i += 4)
		h = mix_identity(h, bpei_be32(from + i));
	return make_nonzero(h);
}

bool bpei_packet_in_ip(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	struct bpei_identity tunnel = { .kind = BPE_TUNNEL_IPIP, .ends = true };
	uint32_t as = 0;
	if (p->columns->outermost)
		return false;
	switch (proto) {
	case IP_GRE:
		return bpei_tunnel_gre(p, offset, BPE_TUNNEL_GRE);
	case IP_IPIP:
		as = TYPE_IP4;
		break;
	case IP_IPV6:
		as = TYPE_IP6;
		tunnel.ends = !is_6to4_tunnel(p, offset);
		break;
	case IP_ETHERIP:
		if (!bpei_tunnel_has(p, offset, 2) || p->data[offset] >> 4 != 3)
			return false;
		tunnel.kind = BPE_TUNNEL_ETHERIP;
		as = AS_ETHERNET;
		offset += 2;
		break;
	case IP_MPLS:
		tunnel.kind = BPE_TUNNEL_MPLS_IP;
		as = TYPE_MPLS;
		break;
	case IP_ETHERNET:
		tunnel.kind = BPE_TUNNEL_SRV6;
		as = AS_ETHERNET;
		break;
	default:
		return false;
	}
	bool routed = p->layers->flags & BPE_PKT_IP6 &&
		      (tunnel.kind == BPE_TUNNEL_SRV6 || offset > p->layers->network + 40u);
	if (routed && tunnel.ends) {
		tunnel.has_id = true;
		tunnel.one_way = true;
		tunnel.ends = false;
		tunnel.id = mix_segments(p);
	}
	return bpei_packet_opens(p, tunnel.kind) && bpei_packet_enter(p, offset, as, &tunnel);
}

/* ---- In frames ---- */

/* Looks up the content that NSH, or VXLAN-GPE, names by number. */
uint32_t bpei_tunnel_next(uint8_t next_protocol)
{
	static const uint32_t types[] = { 0, TYPE_IP4, TYPE_IP6, AS_ETHERNET, TYPE_NSH, TYPE_MPLS };
	return next_protocol < sizeof types / sizeof *types ? types[next_protocol] : 0;
}

/* Opens NSH.  The way back is another path. */
static bool open_nsh(const struct bpei_packet *p, uint32_t offset)
{
	if (!bpei_tunnel_has(p, offset, 8))
		return false;
	const uint8_t *h = p->data + offset;
	uint32_t bytes = (h[1] & 0x3fu) * 4;
	uint32_t as = bpei_tunnel_next(h[3]);
	const struct bpei_identity path = {
		.kind = BPE_TUNNEL_NSH, .has_id = true, .one_way = true, .id = bpei_be32(h + 4) >> 8
	};
	return !(h[0] >> 6) && bytes >= 8 && as && bpei_packet_enter(p, offset + bytes, as, &path);
}

bool bpei_packet_in_frame(const struct bpei_packet *p, uint32_t offset, uint16_t type)
{
	struct bpei_identity backbone = { .kind = BPE_TUNNEL_PBB, .has_id = true };
	const struct bpei_identity fabric = { .kind = BPE_TUNNEL_FABRICPATH };
	switch (type) {
	case TYPE_PBB:
		if (!bpei_packet_opens(p, BPE_TUNNEL_PBB) || !bpei_tunnel_has(p, offset, 4))
			return false;
		backbone.id = bpei_be32(p->data + offset) & 0xffffff;
		return bpei_packet_enter(p, offset + 4, AS_ETHERNET, &backbone);
	case TYPE_FABRICPATH:
		return bpei_packet_opens(p, BPE_TUNNEL_FABRICPATH) &&
		       bpei_packet_enter(p, offset + 2, AS_ETHERNET, &fabric);
	case TYPE_NSH:
		return bpei_packet_opens(p, BPE_TUNNEL_NSH) && open_nsh(p, offset);
	default:
		return false;
	}
}

/* Opens an Ethernet frame behind labels, with or without a control word: labels do not say
 * which.  Each end chooses its own label. */
bool bpei_packet_in_labels(const struct bpei_packet *p, uint32_t offset)
{
	const struct bpei_identity wire = { .kind = BPE_TUNNEL_EOMPLS,
		.has_id = true,
		.one_way = true,
		.id = bpei_be32(p->data + offset - 4) >> 12 };
	if (!bpei_packet_opens(p, BPE_TUNNEL_EOMPLS) || !bpei_tunnel_has(p, offset, 18))
		return false;
	bool word = !(p->data[offset] >> 4) && !(p->data[offset + 1] & 0xc0);
	return (word && bpei_packet_enter(p, offset + 4, AS_ETHERNET, &wire)) ||
	       bpei_packet_enter(p, offset, AS_ETHERNET, &wire);
}
