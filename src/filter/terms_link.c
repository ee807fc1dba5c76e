/* SPDX-License-Identifier: MIT */
/* What link headers say beside what they carry: LLC's kinds, addresses, directions; and what moves
 * the headers: VLAN tags, MPLS labels, PPPoE. */
#include "base/pktap.h"
#include "filter/terms.h"

/* Where the target's address lies in the header; the source's follows.  Not for 802.11. */
static uint32_t target_at(const struct bpei_compile *c)
{
	uint32_t link = c->offsets.link;
	return link == LINK_FDDI ? 1 : link == LINK_IEEE802 || link == LINK_FIBRE ? 2 : 0;
}

/* LLC (IEEE 802.2): the kind of frame by its control field, `kind` one of the names of
 * pcap-filter(7). */
int32_t bpei_term_llc(struct bpei_compile *c, const char *kind)
{
	static const struct {
		const char *name;
		uint8_t value, mask;
	} kinds[] = { { "s", 1, 3 }, { "u", 3, 3 }, { "rr", 0x01, 0x0f }, { "rnr", 0x05, 0x0f },
		{ "rej", 0x09, 0x0f }, { "ui", 0x03, 0xef }, { "ua", 0x63, 0xef },
		{ "disc", 0x43, 0xef }, { "dm", 0x0f, 0xef }, { "sabme", 0x6f, 0xef },
		{ "test", 0xe3, 0xef }, { "xid", 0xaf, 0xef }, { "frmr", 0x87, 0xef } };
	int32_t there;
	if (c->offsets.link == LINK_ETHERNET) {
		int32_t novell = bpei_at_is(c, 2, c->offsets.payload, 0, 0xffff);
		there = bpei_and(c, bpei_link_802_3(c), bpei_not(c, novell));
	} else if (bpei_link_is_wlan(c)) {
		there = bpei_wlan_data(c);
	} else if (c->offsets.link == LINK_FDDI || c->offsets.link == LINK_IEEE802 ||
		   c->offsets.link == 11 || c->offsets.link == LINK_RFC1483) {
		there = bpei_const(c, true);
	} else if (c->offsets.kind == KIND_ATM) {
		there = bpei_term_atm_llc(c);
	} else {
		return bpei_compile_fail_term(c, "packets of this link type have no LLC header");
	}
	if (!kind)
		return there;
	if (!__builtin_strcmp(kind, "i"))
		return bpei_and(c, there, bpei_not(c, bpei_at_has(c, c->offsets.payload, 2, 1)));
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!__builtin_strcmp(kind, kinds[i].name))
			return bpei_and(c, there,
				bpei_at_masked(c, 1, c->offsets.payload, 2, kinds[i].value,
					kinds[i].mask));
	return bpei_compile_fail(c,
		"no kind of LLC frame: i, s, u, rr, rnr, rej, ui, ua, disc, dm, sabme, test, xid and frmr are");
}

/* ---- Addresses and directions ---- */

int32_t bpei_term_ether(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	if (bpei_link_is_wlan(c))
		return bpei_wlan_address(c, a, d);
	if (d > D_AND)
		return bpei_compile_fail_term(
			c, "only 802.11 headers have addr1 to addr4, ra and ta");
	if (!bpei_link_is_802(c))
		return bpei_compile_fail_term(c, "this link type has no Ethernet addresses");
	int32_t source = bpei_at_mac(c, c->offsets.header, target_at(c) + 6, a);
	int32_t target = bpei_at_mac(c, c->offsets.header, target_at(c), a);
	return bpei_link_frame(c, bpei_both(c, source, target, d));
}

int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	if (p == P_DEFAULT || p == P_LINK) {
		if (c->offsets.kind == KIND_ARCNET)
			return bpei_term_arcnet(c, 0, D_DST);
		if (!bpei_link_is_802(c))
			return bpei_compile_fail_term(c, "this link type has no broadcast address");
		return bpei_term_ether(c, all, D_DST);
	}
	if (p != P_IP)
		return bpei_compile_fail_term(c, "only ether and ip can stand before broadcast");
	/* Without a netmask, as in savefiles, it is 0: the addresses of all ones and all zeros
	 * alone. */
	struct place to = { c->offsets.network.base, c->offsets.network.at + 16 };
	int32_t b = bpei_or(c, bpei_at_masked(c, 4, to, 0, 0, ~c->netmask),
		bpei_at_masked(c, 4, to, 0, UINT32_MAX, ~c->netmask));
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), b);
}

int32_t bpei_term_arcnet(struct bpei_compile *c, uint32_t address, enum direction d)
{
	if (d > D_AND)
		return bpei_compile_fail_term(
			c, "only 802.11 headers have addr1 to addr4, ra and ta");
	if (c->offsets.kind != KIND_ARCNET)
		return bpei_compile_fail_term(c, "this link type has no ARCnet addresses");
	return bpei_both(c, bpei_at_is(c, 1, c->offsets.header, 0, address),
		bpei_at_is(c, 1, c->offsets.header, 1, address), d);
}

int32_t bpei_term_multicast(struct bpei_compile *c, enum proto p)
{
	switch (p) {
	case P_DEFAULT:
	case P_LINK:
		if (bpei_link_is_wlan(c))
			return bpei_wlan_multicast(c);
		if (c->offsets.kind == KIND_ARCNET)
			return bpei_term_arcnet(c, 0, D_DST);
		if (!bpei_link_is_802(c))
			return bpei_compile_fail_term(
				c, "this link type has no multicast addresses");
		return bpei_link_frame(c, bpei_at_has(c, c->offsets.header, target_at(c), 1));
	case P_IP:
		return bpei_and(c, bpei_term_linktype(c, TYPE_IP4),
			bpei_at_masked(c, 1, c->offsets.network, 16, 0xe0, 0xf0));
	case P_IP6:
		return bpei_and(c, bpei_term_linktype(c, TYPE_IP6),
			bpei_at_is(c, 1, c->offsets.network, 24, 255));
	default:
		return bpei_compile_fail_term(
			c, "only ether, ip and ip6 can stand before multicast");
	}
}

/* Link types that tell by a field whether this host sent the packet: the number that says so, and
 * the one that says it did not (or 0xff: any other). */
struct sent {
	uint16_t first, last;
	uint8_t size, at, out, in;
};

static const struct sent sents[] = {
	{ LINK_SLIP, LINK_SLIP, 1, 0, 0xff, 0 },
	{ LINK_SLL, LINK_SLL, 2, 0, 4, 0xff },
	{ LINK_SLL2, LINK_SLL2, 1, 10, 4, 0xff },
	{ LINK_IRDA, LINK_IRDA, 2, 0, 4, 0xff },
	{ LINK_LAPD, LINK_LAPD, 2, 0, 4, 0xff },
	{ LINK_PFLOG, LINK_PFLOG, 1, 60, 2, 1 },
	{ LINK_IPNET, LINK_IPNET, 2, 2, 1, 2 },
	{ LINK_PPPD, LINK_PPPD, 1, 0, 1, 0 },
	{ LINK_MTP2_PHDR, LINK_MTP2_PHDR, 1, 0, 1, 0 },
	{ LINK_HCI_PHDR, LINK_HCI_PHDR, 4, 0, 0, 1 },
	{ LINK_PPP_DIR, LINK_LAPB_DIR, 1, 0, 0xff, 0 },
};

int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound)
{
	const struct place h = c->offsets.header;
	if (c->pktap)
		return bpei_term_pktap_flag(c, outbound ? PKTAP_OUT : PKTAP_IN);
	if (c->offsets.kind == KIND_JUNIPER)
		return bpei_at_masked(c, 1, h, 3, outbound ? 0 : 1, 1);
	for (size_t i = 0; i < sizeof sents / sizeof *sents; i++) {
		const struct sent *s = &sents[i];
		if (c->offsets.link < s->first || c->offsets.link > s->last)
			continue;
		uint8_t own = outbound ? s->out : s->in, other = outbound ? s->in : s->out;
		if (own != 0xff)
			return bpei_at_is(c, s->size, h, s->at, own);
		return bpei_not(c, bpei_at_is(c, s->size, h, s->at, other));
	}
	if (c->way)
		return bpei_const(c, c->way == (outbound ? BPE_WAY_OUT : BPE_WAY_IN));
	return bpei_compile_fail_term(
		c, "packets of this link type do not say their direction (-Q asks the device)");
}

int32_t bpei_term_ifindex(struct bpei_compile *c, uint32_t index)
{
	if (c->offsets.link != LINK_SLL2)
		return bpei_compile_fail_term(c,
			"packets of this link type do not say their interface's index: LINUX_SLL2 ones do");
	return bpei_at_is(c, 4, c->offsets.header, 4, index);
}

/* ---- What moves the headers ---- */

int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id)
{
	if (c->offsets.mpls)
		return bpei_compile_fail_term(c, "no vlan can follow an mpls");
	if (has_id && id > 4095)
		return bpei_compile_fail_term(c, "VLAN ids end at 4095");
	if (c->offsets.kind != KIND_ETHERNET &&
		(!bpei_link_is_wlan(c) || c->offsets.link == LINK_PPI))
		return bpei_compile_fail_term(c, "this link type has no VLAN tags");
	int32_t b = bpei_or(c, bpei_term_linktype(c, TYPE_VLAN), bpei_term_linktype(c, TYPE_QINQ));
	b = bpei_or(c, b, bpei_term_linktype(c, TYPE_QINQ_OLD));
	if (has_id)
		b = bpei_and(c, b, bpei_at_masked(c, 2, c->offsets.payload, 0, id, 0x0fff));
	c->offsets.type.at += 4;
	c->offsets.payload.at += 4;
	c->offsets.network.at += 4;
	return b;
}

int32_t bpei_term_mpls(struct bpei_compile *c, bool has_label, uint32_t label)
{
	int32_t b;
	if (has_label && label > 0xfffff)
		return bpei_compile_fail_term(c, "MPLS labels end at 1048575");
	if (c->offsets.mpls)
		b = bpei_at_masked(c, 1, c->offsets.network, (uint32_t)-2, 0,
			1); /* the label before is not the last */
	else if (c->offsets.kind == KIND_ETHERNET || c->offsets.kind == KIND_HDLC)
		b = bpei_term_linktype(c, TYPE_MPLS);
	else if (c->offsets.link == LINK_PPP)
		b = bpei_at_is(c, 2, c->offsets.type, 0, 0x281);
	else
		return bpei_compile_fail_term(c, "this link type has no MPLS");
	if (has_label)
		b = bpei_and(
			c, b, bpei_at_masked(c, 4, c->offsets.network, 0, label << 12, 0xfffff000));
	c->offsets.network.at += 4;
	c->offsets.payload.at += 4;
	c->offsets.mpls++;
	return b;
}

int32_t bpei_term_pppoe(struct bpei_compile *c, bool session, bool has_id, uint32_t id)
{
	if (has_id && id > 65535)
		return bpei_compile_fail_term(c, "PPPoE sessions end at 65535");
	int32_t b = bpei_term_linktype(c, session ? TYPE_PPPOE : TYPE_PPPOE_DISCOVERY);
	if (!session)
		return b;
	if (has_id)
		b = bpei_and(c, b, bpei_at_masked(c, 2, c->offsets.network, 2, id, 0xffff));
	struct place type = { c->offsets.network.base, c->offsets.network.at + 6 },
		     behind = { type.base, type.at + 2 };
	c->offsets = (struct offsets){ .link = LINK_PPP,
		.kind = KIND_PPP,
		.header = type,
		.type = type,
		.payload = behind,
		.network = behind };
	return b;
}
