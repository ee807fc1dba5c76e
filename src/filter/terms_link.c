/* SPDX-License-Identifier: MIT */
/* Link types: where their headers lie, and how they say what they carry (pcap-filter(7); the LINKTYPE_ registry of tcpdump.org;
 * RFC 1661 and 1547 for PPP, RFC 1042 for LLC with SNAP).  The order of the tests is part of the meaning: a load past the captured
 * bytes ends the program with "no", whatever stands behind it. */
#include "base/pktap.h"
#include "filter/terms.h"

#define LLC_MOST 1500u

/* ---- Where ---- */

static struct place from_start(uint32_t at) { return (struct place){ -1, at }; }

/* 16 bits in little-endian order at `at`. */
static int32_t little16(struct bpei_compile *c, uint32_t at)
{
	int32_t high = bpei_value_alu(c, OP_LSH, bpei_at(c, 1, from_start(at + 1), 0), bpei_value_imm(c, 8));
	return bpei_value_alu(c, OP_OR, high, bpei_at(c, 1, from_start(at), 0));
}

bool bpei_link_plain(struct bpei_compile *c, uint32_t link, struct place at)
{
	static const struct { uint8_t link; uint8_t type, payload, network; } kinds[] = { { LINK_ETHERNET, 12, 14, 14 }, { LINK_IEEE802, 14 + 6, 14, 22 },
		{ LINK_SLIP, 0, 16, 16 }, { LINK_PPP, 2, 4, 4 }, { LINK_FDDI, 13 + 6, 13, 21 }, { LINK_PPP_SERIAL, 2, 4, 4 }, { LINK_PPP_ETHER, 6, 8, 8 },
		{ LINK_RAW, 0, 0, 0 }, { LINK_C_HDLC, 2, 4, 4 }, { LINK_NULL, 0, 4, 4 }, { LINK_LOOP, 0, 4, 4 }, { LINK_SLL, 14, 16, 16 },
		{ LINK_IPV4, 0, 0, 0 }, { LINK_IPV6, 0, 0, 0 } };
	struct offsets o = { .link = link, .header = at, .type = at, .payload = at, .network = at };
	if (link == LINK_SLL2) {
		o.payload.at = o.network.at = at.at + 20;
		c->offsets = o;
		return true;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].link != link) continue;
		o.type.at += kinds[i].type, o.payload.at += kinds[i].payload, o.network.at += kinds[i].network;
		c->offsets = o;
		return true;
	}
	return false;
}

/* PKTAP: its own length, and the inner packet's DLT. */
static int pktap(struct bpei_compile *c, int32_t *guard)
{
	static const struct { uint32_t dlt, link; } inner[] = { { 1, LINK_ETHERNET }, { 12, LINK_RAW }, { 0, LINK_NULL } };
	if (c->variant == sizeof inner / sizeof *inner) return 1;
	*guard = bpei_at_is(c, 4, from_start(PKTAP_DLT), 0, __builtin_bswap32(inner[c->variant].dlt));
	bpei_link_plain(c, inner[c->variant].link, (struct place){ little16(c, PKTAP_LENGTH), 0 });
	return BPE_OK;
}

int bpei_terms_init(struct bpei_compile *c, uint32_t link, int32_t *guard)
{
	*guard = -1;
	if (link == LINK_PKTAP) return pktap(c, guard);
	if (link == LINK_PRISM) {	/* an AVS header tells itself by its first word, and has its length in the second */
		if (c->variant == 2) return 1;
		*guard = bpei_at_masked(c, 4, from_start(0), 0, 0x80211000, 0xfffff000);
		if (c->variant) *guard = bpei_not(c, *guard);
		c->offsets = (struct offsets){ .link = link, .header = c->variant ? from_start(144) : (struct place){ bpei_at(c, 4, from_start(4), 0), 0 } };
		bpei_wlan_init(c, -1, false);
		return BPE_OK;
	}
	if (c->variant) return 1;
	c->offsets = (struct offsets){ .link = link, .header = from_start(0) };
	switch (link) {
	case LINK_WLAN: bpei_wlan_init(c, -1, false); return BPE_OK;
	case LINK_RADIOTAP: bpei_wlan_init(c, little16(c, 2), true); return BPE_OK;
	case LINK_AVS: bpei_wlan_init(c, bpei_at(c, 4, from_start(4), 0), false); return BPE_OK;
	case LINK_PPI:	/* packets that it says are 802.11 */
		*guard = bpei_at_is(c, 4, from_start(4), 0, 0x69000000);
		bpei_wlan_init(c, little16(c, 2), false);
		c->offsets.no_wlan_types = true;
		return BPE_OK;
	default: return bpei_link_plain(c, link, from_start(0)) ? BPE_OK : BPE_E_UNSUPPORTED;
	}
}

bool bpei_link_is_802(const struct bpei_compile *c)
{
	return c->offsets.link == LINK_ETHERNET || c->offsets.link == LINK_FDDI || c->offsets.link == LINK_IEEE802 || bpei_link_is_wlan(c);
}

/* Where the target's address lies in the header; the source's follows.  Not for 802.11. */
static uint32_t target_at(const struct bpei_compile *c) { return c->offsets.link == LINK_FDDI ? 1 : c->offsets.link == LINK_IEEE802 ? 2 : 0; }

/* ---- What is carried ---- */

static int32_t is_802_3(struct bpei_compile *c) { return bpei_not(c, bpei_test(c, bpei_at(c, 2, c->offsets.type, 0), CMP_GT, LLC_MOST)); }
static int32_t type_is(struct bpei_compile *c, uint32_t k) { return bpei_at_is(c, 2, c->offsets.type, 0, k); }
static int32_t sap_is(struct bpei_compile *c, uint32_t sap) { return bpei_at_is(c, 1, c->offsets.payload, 0, sap); }
static int32_t saps_are(struct bpei_compile *c, uint32_t sap) { return bpei_at_is(c, 2, c->offsets.payload, 0, sap << 8 | sap); }

static int32_t snap(struct bpei_compile *c, uint32_t oui, uint32_t type)
{
	struct place p = c->offsets.payload;	/* aa aa 03, three bytes of owner, two of type */
	return bpei_and(c, bpei_at_is(c, 4, p, 4, (oui & 0xffff) << 16 | type), bpei_at_is(c, 4, p, 0, 0xaaaa0300u | oui >> 16));
}

static int32_t ethernet_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO: case SAP_IP: case SAP_NETBEUI: return bpei_and(c, is_802_3(c), saps_are(c, type));
	case SAP_IPX:	/* 802.3 with an LLC header, raw 802.3, SNAP, or Ethernet II */
		b = bpei_or(c, sap_is(c, SAP_IPX), bpei_at_is(c, 2, c->offsets.payload, 0, 0xffff));
		b = bpei_and(c, is_802_3(c), bpei_or(c, snap(c, 0, 0x8137), b));
		return bpei_or(c, type_is(c, 0x8137), b);
	case TYPE_ATALK: case TYPE_AARP:
		b = bpei_and(c, is_802_3(c), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, type_is(c, type), b);
	default:
		if (type > LLC_MOST) return type_is(c, type);
		return bpei_and(c, is_802_3(c), sap_is(c, type));
	}
}

/* An LLC header always; SNAP is not looked at for a type, as in libpcap. */
static int32_t llc_type(struct bpei_compile *c, uint32_t type)
{
	switch (type) {
	case SAP_ISO: case SAP_IP: case SAP_NETBEUI: return saps_are(c, type);
	case TYPE_ATALK: return snap(c, 0x080007, type);
	default: return type > LLC_MOST ? type_is(c, type) : sap_is(c, type);
	}
}

/* The protocol field of PPP (RFC 1661) for an ethertype or LLC address. */
static uint32_t ppp_type(uint32_t type)
{
	switch (type) {
	case TYPE_IP: return 0x21;
	case TYPE_IP6: return 0x57;
	case TYPE_DECNET: return 0x27;
	case TYPE_ATALK: return 0x29;
	case 0x0600: return 0x25;	/* Xerox NS */
	case SAP_ISO: return 0x23;
	case SAP_STP: return 0x31;
	case SAP_IPX: return 0x2b;
	default: return type;
	}
}

/* DLT_NULL's family is in the order of the host that captured: this one's.  IPv6's number differs from system to system:
 * a kernel's own is its own, a savefile's may be any. */
static int32_t loopback_type(struct bpei_compile *c, uint32_t type, bool network_order)
{
	static const uint32_t families6[] = { 30, 28, 24, 10 };
	int32_t family = bpei_at(c, 4, c->offsets.header, 0), b = -1;
	bool swap = !network_order && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	if (type == TYPE_IP) return bpei_test(c, family, CMP_EQ, swap ? __builtin_bswap32(2) : 2);
	if (type != TYPE_IP6) return bpei_const(c, false);
	if (c->family6) return bpei_test(c, family, CMP_EQ, swap ? __builtin_bswap32(c->family6) : c->family6);
	for (size_t i = 0; i < 4; i++) {
		int32_t t = bpei_test(c, family, CMP_EQ, swap ? __builtin_bswap32(families6[i]) : families6[i]);
		b = i ? bpei_or(c, b, t) : t;
	}
	return b;
}

/* Linux's cooked headers: type 1 is raw 802.3, type 4 has an LLC header. */
static int32_t cooked_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO: case SAP_IP: case SAP_NETBEUI: return bpei_and(c, type_is(c, 4), saps_are(c, type));
	case SAP_IPX:
		b = bpei_or(c, sap_is(c, SAP_IPX), snap(c, 0, 0x8137));
		b = bpei_and(c, type_is(c, 4), b);
		b = bpei_or(c, type_is(c, 1), b);
		return bpei_or(c, type_is(c, 0x8137), b);
	case TYPE_ATALK: case TYPE_AARP:
		b = bpei_and(c, type_is(c, 4), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, type_is(c, type), b);
	default:
		if (type > LLC_MOST) return type_is(c, type);
		return bpei_and(c, type_is(c, 4), sap_is(c, type));
	}
}

static int32_t version(struct bpei_compile *c, struct place at, uint32_t type)
{
	return type == TYPE_IP || type == TYPE_IP6 ? bpei_at_masked(c, 1, at, 0, type == TYPE_IP ? 0x40 : 0x60, 0xf0) : bpei_const(c, false);
}

int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	if (o->mpls) {
		if (type != TYPE_IP && type != TYPE_IP6) return bpei_compile_fail_term(c, "behind mpls only ip and ip6 can be told");
		return bpei_and(c, bpei_at_masked(c, 1, o->network, (uint32_t)-2, 1, 1), version(c, o->network, type));	/* bottom of stack */
	}
	switch (o->link) {
	case LINK_ETHERNET: return ethernet_type(c, type);
	case LINK_FDDI: case LINK_IEEE802: return llc_type(c, type);
	case LINK_NULL: return loopback_type(c, type, false);
	case LINK_LOOP: return loopback_type(c, type, true);
	case LINK_RAW: case LINK_SLIP: return version(c, o->header, type);	/* SLIP as libpcap: not at the packet, but 16 bytes before */
	case LINK_IPV4: return bpei_const(c, type == TYPE_IP);
	case LINK_IPV6: return bpei_const(c, type == TYPE_IP6);
	case LINK_PPP: case LINK_PPP_SERIAL: case LINK_PPP_ETHER: return type_is(c, ppp_type(type));
	case LINK_C_HDLC: return type_is(c, type == SAP_ISO ? SAP_ISO << 8 | SAP_ISO : type);
	case LINK_SLL2: return type_is(c, type);	/* as libpcap: no LLC here */
	case LINK_SLL: return cooked_type(c, type);
	default: return bpei_and(c, bpei_wlan_data(c), llc_type(c, type));
	}
}

/* LLC (IEEE 802.2): the kind of frame by its control field, `kind` one of the names of pcap-filter(7). */
int32_t bpei_term_llc(struct bpei_compile *c, const char *kind)
{
	static const struct { const char *name; uint8_t value, mask; } kinds[] = { { "s", 1, 3 }, { "u", 3, 3 }, { "rr", 0x01, 0x0f }, { "rnr", 0x05, 0x0f },
		{ "rej", 0x09, 0x0f }, { "ui", 0x03, 0xef }, { "ua", 0x63, 0xef }, { "disc", 0x43, 0xef }, { "sabme", 0x6f, 0xef }, { "test", 0xe3, 0xef },
		{ "xid", 0xaf, 0xef }, { "frmr", 0x87, 0xef } };
	int32_t there;
	if (c->offsets.link == LINK_ETHERNET) there = bpei_and(c, is_802_3(c), bpei_not(c, bpei_at_is(c, 2, c->offsets.payload, 0, 0xffff)));	/* not Novell's */
	else if (bpei_link_is_wlan(c)) there = bpei_wlan_data(c);
	else if (bpei_link_is_802(c)) there = bpei_const(c, true);
	else return bpei_compile_fail_term(c, "packets of this link type have no LLC header");
	if (!kind) return there;
	if (!__builtin_strcmp(kind, "i")) return bpei_and(c, there, bpei_not(c, bpei_at_has(c, c->offsets.payload, 2, 1)));
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!__builtin_strcmp(kind, kinds[i].name)) return bpei_and(c, there, bpei_at_masked(c, 1, c->offsets.payload, 2, kinds[i].value, kinds[i].mask));
	return bpei_compile_fail(c, "no kind of LLC frame: i, s, u, rr, rnr, rej, ui, ua, disc, sabme, test, xid and frmr are");
}

/* ---- Addresses and directions ---- */

int32_t bpei_term_ether(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	if (bpei_link_is_wlan(c)) return bpei_wlan_address(c, a, d);
	if (d > D_AND) return bpei_compile_fail_term(c, "only 802.11 headers have addr1 to addr4, ra and ta");
	if (!bpei_link_is_802(c)) return bpei_compile_fail_term(c, "this link type has no Ethernet addresses");
	return bpei_both(c, bpei_at_mac(c, c->offsets.header, target_at(c) + 6, a), bpei_at_mac(c, c->offsets.header, target_at(c), a), d);
}

int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	if (p == P_DEFAULT || p == P_LINK) {
		if (!bpei_link_is_802(c)) return bpei_compile_fail_term(c, "this link type has no broadcast address");
		return bpei_term_ether(c, all, D_DST);
	}
	if (p != P_IP) return bpei_compile_fail_term(c, "only ether and ip can stand before broadcast");
	if (!c->has_netmask) return bpei_compile_fail_term(c, "ip broadcast needs the interface's netmask, which is not known here");
	int32_t host = bpei_value_alu(c, OP_AND, bpei_at(c, 4, c->offsets.network, 16), bpei_value_imm(c, ~c->netmask));
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP), bpei_or(c, bpei_test(c, host, CMP_EQ, 0), bpei_test(c, host, CMP_EQ, ~c->netmask)));
}

int32_t bpei_term_multicast(struct bpei_compile *c, enum proto p)
{
	switch (p) {
	case P_DEFAULT: case P_LINK:
		if (bpei_link_is_wlan(c)) return bpei_wlan_multicast(c);
		if (!bpei_link_is_802(c)) return bpei_compile_fail_term(c, "this link type has no multicast addresses");
		return bpei_at_has(c, c->offsets.header, target_at(c), 1);
	case P_IP: return bpei_and(c, bpei_term_linktype(c, TYPE_IP), bpei_test(c, bpei_at(c, 1, c->offsets.network, 16), CMP_GE, 224));
	case P_IP6: return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), bpei_at_is(c, 1, c->offsets.network, 24, 255));
	default: return bpei_compile_fail_term(c, "only ether, ip and ip6 can stand before multicast");
	}
}

int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound)
{
	int32_t b;
	switch (c->offsets.link) {
	case LINK_SLL: b = bpei_at_is(c, 2, c->offsets.header, 0, 4); break;
	case LINK_SLL2: b = bpei_at_is(c, 1, c->offsets.header, 10, 4); break;
	case LINK_SLIP:	/* the first byte: 0 received, 1 sent */
		b = bpei_not(c, bpei_at_is(c, 1, c->offsets.header, 0, 0));
		break;
	default:
		if (c->way) return bpei_const(c, c->way == (outbound ? BPE_WAY_OUT : BPE_WAY_IN));
		return bpei_compile_fail_term(c, "packets of this link type do not say their direction (-Q asks the device)");
	}
	return outbound ? b : bpei_not(c, b);
}

int32_t bpei_term_ifindex(struct bpei_compile *c, uint32_t index)
{
	if (c->offsets.link != LINK_SLL2) return bpei_compile_fail_term(c, "packets of this link type do not say their interface's index: LINUX_SLL2 ones do");
	return bpei_at_is(c, 4, c->offsets.header, 4, index);
}

/* ---- What moves the headers ---- */

int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id)
{
	if (c->offsets.mpls) return bpei_compile_fail_term(c, "no vlan can follow an mpls");
	if (has_id && id > 4095) return bpei_compile_fail_term(c, "VLAN ids end at 4095");
	if (c->offsets.link != LINK_ETHERNET && (!bpei_link_is_wlan(c) || c->offsets.link == LINK_PPI))
		return bpei_compile_fail_term(c, "this link type has no VLAN tags");
	int32_t b = bpei_or(c, bpei_term_linktype(c, TYPE_VLAN), bpei_term_linktype(c, TYPE_QINQ));
	b = bpei_or(c, b, bpei_term_linktype(c, TYPE_QINQ_OLD));
	if (has_id) b = bpei_and(c, b, bpei_at_masked(c, 2, c->offsets.payload, 0, id, 0x0fff));
	c->offsets.type.at += 4;
	c->offsets.payload.at += 4;
	c->offsets.network.at += 4;
	return b;
}

int32_t bpei_term_mpls(struct bpei_compile *c, bool has_label, uint32_t label)
{
	int32_t b;
	if (has_label && label > 0xfffff) return bpei_compile_fail_term(c, "MPLS labels end at 1048575");
	if (c->offsets.mpls) b = bpei_at_masked(c, 1, c->offsets.network, (uint32_t)-2, 0, 1);	/* the label before is not the last */
	else if (c->offsets.link == LINK_ETHERNET || c->offsets.link == LINK_C_HDLC) b = bpei_term_linktype(c, TYPE_MPLS);
	else if (c->offsets.link == LINK_PPP) b = type_is(c, 0x281);
	else return bpei_compile_fail_term(c, "this link type has no MPLS");
	if (has_label) b = bpei_and(c, b, bpei_at_masked(c, 4, c->offsets.network, 0, label << 12, 0xfffff000));
	c->offsets.network.at += 4;
	c->offsets.payload.at += 4;
	c->offsets.mpls++;
	return b;
}

int32_t bpei_term_pppoe(struct bpei_compile *c, bool session, bool has_id, uint32_t id)
{
	if (has_id && id > 65535) return bpei_compile_fail_term(c, "PPPoE sessions end at 65535");
	int32_t b = bpei_term_linktype(c, session ? TYPE_PPPOES : TYPE_PPPOED);
	if (!session) return b;
	if (has_id) b = bpei_and(c, b, bpei_at_masked(c, 2, c->offsets.network, 2, id, 0xffff));
	struct place type = { c->offsets.network.base, c->offsets.network.at + 6 }, behind = { type.base, type.at + 2 };
	c->offsets = (struct offsets){ .link = LINK_PPP, .header = type, .type = type, .payload = behind, .network = behind };
	return b;
}
