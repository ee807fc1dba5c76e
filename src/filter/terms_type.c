/* SPDX-License-Identifier: MIT */
/* How each kind of link header says what it carries (pcap-filter(7); RFC 1661 and 1547 for PPP,
 * RFC 1042 for LLC with SNAP, RFC 2427 for frame relay).  The order of the tests is part of the
 * meaning: a load past the captured bytes ends the program with "no", whatever stands behind it. */
#include "filter/terms.h"

#define LLC_MOST 1500u

int32_t bpei_link_802_3(struct bpei_compile *c)
{
	return bpei_not(c, bpei_test(c, bpei_at(c, 2, c->offsets.type, 0), CMP_GT, LLC_MOST));
}

static int32_t is_802_3(struct bpei_compile *c)
{
	return bpei_link_802_3(c);
}

static int32_t type_is(struct bpei_compile *c, uint32_t k)
{
	return bpei_at_is(c, 2, c->offsets.type, 0, k);
}

static int32_t sap_is(struct bpei_compile *c, uint32_t sap)
{
	return bpei_at_is(c, 1, c->offsets.payload, 0, sap);
}

static int32_t saps_are(struct bpei_compile *c, uint32_t sap)
{
	return bpei_at_is(c, 2, c->offsets.payload, 0, sap << 8 | sap);
}

static int32_t snap(struct bpei_compile *c, uint32_t oui, uint32_t type)
{
	struct place p = c->offsets.payload; /* aa aa 03, three bytes of owner, two of type */
	return bpei_and(c, bpei_at_is(c, 4, p, 4, (oui & 0xffff) << 16 | type),
		bpei_at_is(c, 4, p, 0, 0xaaaa0300u | oui >> 16));
}

static int32_t ethernet_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return bpei_and(c, is_802_3(c), saps_are(c, type));
	case SAP_IPX: /* 802.3 with an LLC header, raw 802.3, SNAP, or Ethernet II */
		b = bpei_or(c, sap_is(c, SAP_IPX), bpei_at_is(c, 2, c->offsets.payload, 0, 0xffff));
		b = bpei_and(c, is_802_3(c), bpei_or(c, snap(c, 0, 0x8137), b));
		return bpei_or(c, type_is(c, 0x8137), b);
	case TYPE_ATALK:
	case TYPE_AARP:
		b = bpei_and(c, is_802_3(c), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, type_is(c, type), b);
	default:
		if (type > LLC_MOST)
			return type_is(c, type);
		return bpei_and(c, is_802_3(c), sap_is(c, type));
	}
}

/* An LLC header always; SNAP is not looked at for a type, as in libpcap. */
static int32_t llc_type(struct bpei_compile *c, uint32_t type)
{
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return saps_are(c, type);
	case TYPE_ATALK:
		return snap(c, 0x080007, type);
	default:
		return type > LLC_MOST ? type_is(c, type) : sap_is(c, type);
	}
}

/* The protocol field of PPP (RFC 1661) for an ethertype or LLC address. */
static uint32_t ppp_type(uint32_t type)
{
	switch (type) {
	case TYPE_IP4:
		return 0x21;
	case TYPE_IP6:
		return 0x57;
	case TYPE_DECNET:
		return 0x27;
	case TYPE_ATALK:
		return 0x29;
	case 0x0600:
		return 0x25; /* Xerox NS */
	case SAP_ISO:
		return 0x23;
	case SAP_STP:
		return 0x31;
	case SAP_IPX:
		return 0x2b;
	default:
		return type;
	}
}

/* DLT_NULL's family is in the order of the host that captured: a kernel's is its own, a savefile's
 * may be either, as the parser takes it.  IPv6's number differs from system to system in the same
 * way. */
static int32_t family_is(struct bpei_compile *c, uint32_t family, bool network_order)
{
	bool swap = !network_order && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	int32_t at = bpei_at(c, 4, c->offsets.header, 0);
	uint32_t own = swap ? __builtin_bswap32(family) : family;
	int32_t b = bpei_test(c, at, CMP_EQ, own);
	if (network_order || c->family6)
		return b;
	return bpei_or(c, b, bpei_test(c, at, CMP_EQ, __builtin_bswap32(own)));
}

static const uint8_t families6[] = { 30, 28, 24,
	10 }; /* macOS, FreeBSD, NetBSD and OpenBSD, Linux */

static int32_t loopback_type(struct bpei_compile *c, uint32_t type, bool network_order)
{
	int32_t b = -1;
	if (type == TYPE_IP4)
		return family_is(c, 2, network_order);
	if (type != TYPE_IP6)
		return bpei_const(c, false);
	if (c->family6)
		return family_is(c, c->family6, network_order);
	for (size_t i = 0; i < sizeof families6; i++)
		b = bpei_either(c, b, family_is(c, families6[i], network_order));
	return b;
}

/* One byte that is one of some; 0 ends them. */
static int32_t byte_is_one(struct bpei_compile *c, const uint8_t *bytes)
{
	int32_t b = -1;
	for (; *bytes; bytes++)
		b = bpei_either(c, b, bpei_at_is(c, 1, c->offsets.type, 0, *bytes));
	return b < 0 ? bpei_const(c, false) : b;
}

static int32_t pflog_type(struct bpei_compile *c, uint32_t type)
{
	const uint8_t own[] = { (uint8_t)c->family6, 0 };
	if (type == TYPE_IP4)
		return byte_is_one(c, (const uint8_t[]){ 2, 0 });
	if (type != TYPE_IP6)
		return bpei_const(c, false);
	return byte_is_one(c, c->family6 ? own : (const uint8_t[]){ 30, 28, 24, 10, 0 });
}

static int32_t ipnet_type(struct bpei_compile *c, uint32_t type) /* Solaris's families */
{
	const uint8_t family[] = { type == TYPE_IP4 ? 2 : type == TYPE_IP6 ? 26 : 0, 0 };
	return byte_is_one(c, family);
}

static int32_t arcnet_type(struct bpei_compile *c, uint32_t type) /* RFC 1201, 1051, 2497 */
{
	switch (type) {
	case TYPE_IP4:
		return byte_is_one(c, (const uint8_t[]){ 0xd4, 0xf0, 0 });
	case TYPE_IP6:
		return byte_is_one(c, (const uint8_t[]){ 0xc4, 0 });
	case TYPE_ARP:
		return byte_is_one(c, (const uint8_t[]){ 0xd5, 0xf1, 0 });
	case TYPE_RARP:
		return byte_is_one(c, (const uint8_t[]){ 0xd6, 0 });
	case TYPE_ATALK:
		return byte_is_one(c, (const uint8_t[]){ 0xdd, 0 });
	default:
		return bpei_const(c, false);
	}
}

/* Frame relay with two bytes of address: control byte 3, then the network layer's number. */
static int32_t frelay_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b = -1;
	if (type == TYPE_IP4)
		return type_is(c, 0x03cc);
	if (type == TYPE_IP6)
		return type_is(c, 0x038e);
	if (type != SAP_ISO)
		return bpei_const(c, false);
	for (uint32_t osi = 0x81; osi <= 0x83; osi++)
		b = bpei_either(c, b, type_is(c, 0x0300 | osi));
	return b;
}

/* PPP on the serial lines of BSD/OS marks compressed TCP/IP by numbers of its own (RFC 1144). */
static int32_t bsdos_type(struct bpei_compile *c, uint32_t type)
{
	if (type != TYPE_IP4)
		return type_is(c, ppp_type(type));
	return bpei_or(c, bpei_or(c, type_is(c, 0x21), type_is(c, 0x2d)), type_is(c, 0x2f));
}

/* Behind an ATM header: LLC, or a frame of LAN emulation that is no control frame. */
static int32_t atm_type(struct bpei_compile *c, uint32_t type)
{
	return bpei_and(c, bpei_term_atm_llc(c), llc_type(c, type));
}

/* Linux's cooked headers: type 1 is raw 802.3, type 4 has an LLC header. */
static int32_t cooked_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return bpei_and(c, type_is(c, 4), saps_are(c, type));
	case SAP_IPX:
		b = bpei_or(c, sap_is(c, SAP_IPX), snap(c, 0, 0x8137));
		b = bpei_and(c, type_is(c, 4), b);
		b = bpei_or(c, type_is(c, 1), b);
		return bpei_or(c, type_is(c, 0x8137), b);
	case TYPE_ATALK:
	case TYPE_AARP:
		b = bpei_and(c, type_is(c, 4), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, type_is(c, type), b);
	default:
		if (type > LLC_MOST)
			return type_is(c, type);
		return bpei_and(c, type_is(c, 4), sap_is(c, type));
	}
}

static int32_t version(struct bpei_compile *c, struct place at, uint32_t type)
{
	return type == TYPE_IP4 || type == TYPE_IP6
		       ? bpei_at_masked(c, 1, at, 0, type == TYPE_IP4 ? 0x40 : 0x60, 0xf0)
		       : bpei_const(c, false);
}

static int32_t unknown_type(struct bpei_compile *c)
{
	const char *name = bpe_link_type_name((int)c->offsets.link);
	c->unsupported = true;
	return bpei_compile_fail_term(c,
		"what %s packets carry is not known: use len, byte, link[...], "
		"or go without",
		name ? name : "such");
}

/* The link type's own header says so; no labels of MPLS are in front. */
static int32_t plain_linktype(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	switch (o->kind) {
	case KIND_ETHERNET:
		return ethernet_type(c, type);
	case KIND_LLC:
		return llc_type(c, type);
	case KIND_NULL:
		return loopback_type(c, type, false);
	case KIND_LOOP:
		return loopback_type(c, type, true);
	case KIND_RAW:
		return version(c, o->header, type); /* SLIP as libpcap: not at the packet */
	case KIND_IPV4:
		return bpei_const(c, type == TYPE_IP4);
	case KIND_IPV6:
		return bpei_const(c, type == TYPE_IP6);
	case KIND_PPP:
		return type_is(c, ppp_type(type));
	case KIND_PPP_BSDOS:
		return bsdos_type(c, type);
	case KIND_HDLC:
		return type_is(c, type == SAP_ISO ? SAP_ISO << 8 | SAP_ISO : type);
	case KIND_TYPE:
		return type_is(c, type); /* LINUX_SLL2 as libpcap: no LLC here */
	case KIND_SLL:
		return cooked_type(c, type);
	case KIND_FRELAY:
		return frelay_type(c, type);
	case KIND_ARCNET:
		return arcnet_type(c, type);
	case KIND_LTALK:
		return bpei_const(c, type == TYPE_ATALK);
	case KIND_PFLOG:
		return pflog_type(c, type);
	case KIND_IPNET:
		return ipnet_type(c, type);
	case KIND_JUNIPER:
		return bpei_at_masked(c, 4, o->header, 0, 0x4d474300, 0xffffff00);
	case KIND_BACNET:
		return bpei_at_masked(c, 4, o->header, 0, 0x55ff0000, 0xffff0000);
	case KIND_ATM:
		return atm_type(c, type);
	case KIND_WLAN:
		return bpei_and(c, bpei_wlan_data(c), llc_type(c, type));
	default:
		return unknown_type(c);
	}
}

/* In LAN emulation: that it is no control frame, and the test. */
int32_t bpei_link_frame(struct bpei_compile *c, int32_t b)
{
	if (!c->offsets.lane)
		return b;
	int32_t control = bpei_at_is(c, 2, c->offsets.header, (uint32_t)-2, 0xff00);
	return bpei_and(c, bpei_not(c, control), b);
}

int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	if (o->mpls) {
		if (type != TYPE_IP4 && type != TYPE_IP6)
			return bpei_compile_fail_term(c, "behind mpls only ip and ip6 can be told");
		int32_t last = bpei_at_masked(c, 1, o->network, (uint32_t)-2, 1, 1);
		return bpei_and(c, last, version(c, o->network, type));
	}
	return bpei_link_frame(c, plain_linktype(c, type));
}
