/* SPDX-License-Identifier: MIT */
/* The terms of the link layer: LLC's frame types, addresses, directions; and the terms for
 * further headers: VLAN tags, MPLS labels, PPPoE. */
#include "base/pktap.h"
#include "filter/links.h"

#include <string.h>

/* Returns the offset of the target's address in the header; the source's follows.  Not for 802.11.
 */
static uint32_t target_offset(const struct bpei_compile *c)
{
	switch (c->offsets.link) {
	case LINK_FDDI:
		return 1;
	case LINK_IEEE802:
	case LINK_FIBRE:
		return 2;
	default:
		return 0;
	}
}

/* ---- LLC ---- */

/* Frame types of LLC (IEEE 802.2), by the control field; the names of pcap-filter(7). */
static const struct llc_kind {
	const char *name;
	uint8_t value, mask;
} llc_kinds[] = { { "s", 1, 3 }, { "u", 3, 3 }, { "rr", 0x01, 0x0f }, { "rnr", 0x05, 0x0f },
	{ "rej", 0x09, 0x0f }, { "ui", 0x03, 0xef }, { "ua", 0x63, 0xef }, { "disc", 0x43, 0xef },
	{ "dm", 0x0f, 0xef }, { "sabme", 0x6f, 0xef }, { "test", 0xe3, 0xef },
	{ "xid", 0xaf, 0xef }, { "frmr", 0x87, 0xef } };

/* Returns the test for an LLC header. */
static int32_t test_llc_header(struct bpei_compile *c)
{
	const uint32_t link = c->offsets.link;

	if (link == LINK_ETHERNET) {
		const int32_t novell = bpei_place_is(c, 2, c->offsets.payload, 0, 0xffff);
		const int32_t no_novell = bpei_not(c, novell);

		return bpei_and(c, bpei_link_has_length(c), no_novell);
	}
	if (bpei_link_is_wlan(c))
		return bpei_wlan_data(c);
	if (link == LINK_FDDI || link == LINK_IEEE802 || link == LINK_RFC1483_11 ||
		link == LINK_RFC1483)
		return bpei_const(c, true);
	if (c->offsets.kind == KIND_ATM)
		return bpei_atm_has_llc(c);
	return bpei_compile_fail_term(c, "packets of this link type have no LLC header");
}

int32_t bpei_term_llc(struct bpei_compile *c, const char *kind)
{
	const struct place control = { c->offsets.payload.base, c->offsets.payload.at + 2 };
	const int32_t header = test_llc_header(c);

	if (header < 0 || !kind)
		return header;
	if (!strcmp(kind, "i"))
		return bpei_and(c, header, bpei_not(c, bpei_place_has(c, control, 0, 1)));
	for (size_t i = 0; i < sizeof llc_kinds / sizeof *llc_kinds; i++) {
		const struct llc_kind *k = &llc_kinds[i];

		if (!strcmp(kind, k->name))
			return bpei_and(c, header,
				bpei_place_is_masked(c, 1, control, 0, k->value, k->mask));
	}
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
	if (!bpei_link_has_macs(c))
		return bpei_compile_fail_term(c, "this link type has no Ethernet addresses");
	const uint32_t at = target_offset(c);
	const int32_t source = bpei_place_is_mac(c, c->offsets.header, at + 6, a);
	const int32_t target = bpei_place_is_mac(c, c->offsets.header, at, a);

	return bpei_link_frame(c, bpei_by_direction(c, source, target, d));
}

int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

	if (p == P_DEFAULT || p == P_LINK) {
		if (c->offsets.kind == KIND_ARCNET)
			return bpei_term_arcnet(c, 0, D_DST);
		if (!bpei_link_has_macs(c))
			return bpei_compile_fail_term(c, "this link type has no broadcast address");
		return bpei_term_ether(c, all, D_DST);
	}
	if (p != P_IP)
		return bpei_compile_fail_term(c, "only ether and ip can stand before broadcast");
	/* Without a netmask, as in savefiles, c->netmask is 0: only addresses of all 1 bits and of
	 * all 0 bits are broadcast addresses. */
	const struct place to = { c->offsets.network.base, c->offsets.network.at + 16 };
	const int32_t ones = bpei_place_is_masked(c, 4, to, 0, UINT32_MAX, ~c->netmask);
	const int32_t zeros = bpei_place_is_masked(c, 4, to, 0, 0, ~c->netmask);
	const int32_t b = bpei_or(c, zeros, ones);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), b);
}

int32_t bpei_term_arcnet(struct bpei_compile *c, uint32_t address, enum direction d)
{
	if (d > D_AND)
		return bpei_compile_fail_term(
			c, "only 802.11 headers have addr1 to addr4, ra and ta");
	if (c->offsets.kind != KIND_ARCNET)
		return bpei_compile_fail_term(c, "this link type has no ARCnet addresses");
	const int32_t target = bpei_place_is(c, 1, c->offsets.header, 1, address);
	const int32_t source = bpei_place_is(c, 1, c->offsets.header, 0, address);

	return bpei_by_direction(c, source, target, d);
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
		if (!bpei_link_has_macs(c))
			return bpei_compile_fail_term(
				c, "this link type has no multicast addresses");
		return bpei_link_frame(
			c, bpei_place_has(c, c->offsets.header, target_offset(c), 1));
	case P_IP:
		return bpei_and(c, bpei_term_linktype(c, TYPE_IP4),
			bpei_place_is_masked(c, 1, c->offsets.network, 16, 0xe0, 0xf0));
	case P_IP6:
		return bpei_and(c, bpei_term_linktype(c, TYPE_IP6),
			bpei_place_is(c, 1, c->offsets.network, 24, 255));
	default:
		return bpei_compile_fail_term(
			c, "only ether, ip and ip6 can stand before multicast");
	}
}

/* Link types with a field for the packet's direction.  out: the field's number if
 * this host did; in: the number if not; 0xff: any other number. */
struct direction_field {
	uint16_t first, last; /* link types */
	uint8_t size, at, out, in;
};
#define ANY_OTHER 0xff

static const struct direction_field direction_fields[] = {
	{ LINK_SLIP, LINK_SLIP, 1, 0, ANY_OTHER, 0 },
	{ LINK_SLL, LINK_SLL, 2, 0, 4, ANY_OTHER },
	{ LINK_SLL2, LINK_SLL2, 1, 10, 4, ANY_OTHER },
	{ LINK_IRDA, LINK_IRDA, 2, 0, 4, ANY_OTHER },
	{ LINK_LAPD, LINK_LAPD, 2, 0, 4, ANY_OTHER },
	{ LINK_PFLOG, LINK_PFLOG, 1, 60, 2, 1 },
	{ LINK_IPNET, LINK_IPNET, 2, 2, 1, 2 },
	{ LINK_PPPD, LINK_PPPD, 1, 0, 1, 0 },
	{ LINK_MTP2_PHDR, LINK_MTP2_PHDR, 1, 0, 1, 0 },
	{ LINK_HCI_PHDR, LINK_HCI_PHDR, 4, 0, 0, 1 },
	{ LINK_PPP_DIR, LINK_LAPB_DIR, 1, 0, ANY_OTHER, 0 },
};

int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound)
{
	const struct place h = c->offsets.header;
	if (c->pktap)
		return bpei_term_pktap_flag(c, outbound ? PKTAP_OUT : PKTAP_IN);
	if (c->offsets.kind == KIND_JUNIPER)
		return bpei_place_is_masked(c, 1, h, 3, outbound ? 0 : 1, 1);
	for (size_t i = 0; i < sizeof direction_fields / sizeof *direction_fields; i++) {
		const struct direction_field *f = &direction_fields[i];
		const uint8_t own = outbound ? f->out : f->in;
		const uint8_t other = outbound ? f->in : f->out;

		if (c->offsets.link < f->first || c->offsets.link > f->last)
			continue;
		if (own != ANY_OTHER)
			return bpei_place_is(c, f->size, h, f->at, own);
		return bpei_not(c, bpei_place_is(c, f->size, h, f->at, other));
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
	return bpei_place_is(c, 4, c->offsets.header, 4, index);
}

/* ---- Moving the headers ---- */

/* Tests for a tag of 802.1Q or 802.1ad. */
int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id)
{
	if (c->offsets.mpls)
		return bpei_compile_fail_term(c, "no vlan can follow an mpls");
	if (has_id && id > 4095)
		return bpei_compile_fail_term(c, "VLAN ids end at 4095");
	if (c->offsets.kind != KIND_ETHERNET &&
		(!bpei_link_is_wlan(c) || c->offsets.link == LINK_PPI))
		return bpei_compile_fail_term(c, "this link type has no VLAN tags");
	const int32_t service = bpei_term_linktype(c, TYPE_QINQ);
	int32_t b = bpei_or(c, bpei_term_linktype(c, TYPE_VLAN), service);
	b = bpei_or(c, b, bpei_term_linktype(c, TYPE_QINQ_OLD));
	if (has_id)
		b = bpei_and(c, b, bpei_place_is_masked(c, 2, c->offsets.payload, 0, id, 0x0fff));
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
	if (c->offsets.mpls) /* the label before must not be the last */
		b = bpei_place_is_masked(c, 1, c->offsets.network, (uint32_t)-2, 0, 1);
	else if (c->offsets.kind == KIND_ETHERNET || c->offsets.kind == KIND_HDLC)
		b = bpei_term_linktype(c, TYPE_MPLS);
	else if (c->offsets.link == LINK_PPP)
		b = bpei_place_is(c, 2, c->offsets.type, 0, 0x281);
	else
		return bpei_compile_fail_term(c, "this link type has no MPLS");
	if (has_label)
		b = bpei_and(c, b,
			bpei_place_is_masked(c, 4, c->offsets.network, 0, label << 12, 0xfffff000));
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
		b = bpei_and(c, b, bpei_place_is_masked(c, 2, c->offsets.network, 2, id, 0xffff));
	const struct place type = { c->offsets.network.base, c->offsets.network.at + 6 };
	const struct place behind = { type.base, type.at + 2 };

	c->offsets = (struct offsets){ .link = LINK_PPP,
		.kind = KIND_PPP,
		.header = type,
		.type = type,
		.payload = behind,
		.network = behind };
	return b;
}
