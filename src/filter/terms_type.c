/* SPDX-License-Identifier: MIT */
/* The test that a link header announces a protocol, for each kind of link header (pcap-filter(7);
 * RFC 1661 and 1547 for PPP, RFC 1042 for LLC with SNAP, RFC 2427 for frame relay).  A protocol is
 * an ethertype or an LLC address.  The order of the tests is part of the meaning: a load past the
 * captured bytes ends the program with "no", whatever test follows. */
#include "filter/links.h"

#define LENGTH_MOST 1500u   /* a larger number in the type field is an ethertype */
#define OUI_APPLE 0x080007u /* SNAP's owner for AppleTalk */

/* Tests the type field against the largest length. */
int32_t bpei_link_has_length(struct bpei_compile *c)
{
	return bpei_not(
		c, bpei_test(c, bpei_place_load(c, 2, c->offsets.type, 0), CMP_GT, LENGTH_MOST));
}

static int32_t test_type_field(struct bpei_compile *c, uint32_t k)
{
	return bpei_place_is(c, 2, c->offsets.type, 0, k);
}

static int32_t test_sap(struct bpei_compile *c, uint32_t sap)
{
	return bpei_place_is(c, 1, c->offsets.payload, 0, sap);
}

static int32_t test_both_saps(struct bpei_compile *c, uint32_t sap)
{
	return bpei_place_is(c, 2, c->offsets.payload, 0, sap << 8 | sap);
}

/* Returns the test for a SNAP header: aa aa 03, three bytes of owner, two of type. */
static int32_t test_snap(struct bpei_compile *c, uint32_t oui, uint32_t type)
{
	const struct place p = c->offsets.payload;
	const int32_t begin = bpei_place_is(c, 4, p, 0, 0xaaaa0300u | oui >> 16);
	const int32_t end = bpei_place_is(c, 4, p, 4, (oui & 0xffff) << 16 | type);

	return bpei_and(c, end, begin);
}

/* Returns the test for AppleTalk, or for AppleTalk's ARP, in a SNAP header. */
static int32_t test_appletalk_snap(struct bpei_compile *c, uint32_t type)
{
	return test_snap(c, type == TYPE_ATALK ? OUI_APPLE : 0, type);
}

static int32_t test_ethernet_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return bpei_and(c, bpei_link_has_length(c), test_both_saps(c, type));
	case SAP_IPX: /* 802.3 with an LLC header, raw 802.3, SNAP, Ethernet II */
		b = bpei_or(c, test_sap(c, SAP_IPX),
			bpei_place_is(c, 2, c->offsets.payload, 0, 0xffff));
		b = bpei_and(c, bpei_link_has_length(c), bpei_or(c, test_snap(c, 0, TYPE_IPX), b));
		return bpei_or(c, test_type_field(c, TYPE_IPX), b);
	case TYPE_ATALK:
	case TYPE_AARP:
		b = bpei_and(c, bpei_link_has_length(c), test_appletalk_snap(c, type));
		return bpei_or(c, test_type_field(c, type), b);
	default:
		if (type > LENGTH_MOST)
			return test_type_field(c, type);
		return bpei_and(c, bpei_link_has_length(c), test_sap(c, type));
	}
}

/* Tests a packet that always has an LLC header.  A type in a SNAP header is not tested, as in
 * libpcap. */
static int32_t test_llc_type(struct bpei_compile *c, uint32_t type)
{
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return test_both_saps(c, type);
	case TYPE_ATALK:
		return test_snap(c, OUI_APPLE, type);
	default:
		return type > LENGTH_MOST ? test_type_field(c, type) : test_sap(c, type);
	}
}

/* Returns the protocol field of PPP (RFC 1661) for an ethertype or LLC address. */
static uint32_t ppp_protocol(uint32_t type)
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
	case TYPE_XNS:
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

/* Tests the address family in front of the packet.  DLT_NULL's family is in the byte order of the
 * host that captured.  For a kernel that is the kernel's own order; a savefile may have either
 * order, and the parser of packets accepts both. */
static int32_t test_family(struct bpei_compile *c, uint32_t family, bool network_order)
{
	const bool swap = !network_order && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const int32_t at = bpei_place_load(c, 4, c->offsets.header, 0);
	const uint32_t own = swap ? __builtin_bswap32(family) : family;
	const int32_t b = bpei_test(c, at, CMP_EQ, own);

	if (network_order || c->family6)
		return b;
	return bpei_or(c, b, bpei_test(c, at, CMP_EQ, __builtin_bswap32(own)));
}

/* AF_INET is 2 everywhere.  AF_INET6 differs between systems: a kernel's filter has the kernel's
 * number, a filter for savefiles accepts all four. */
#define FAMILY_IP4 2
/* macOS, FreeBSD, NetBSD and OpenBSD, Linux; 0 ends them. */
static const uint8_t families6[] = { 30, 28, 24, 10, 0 };

/* Tests the address family in front of the packet, of a kernel or of any. */
static int32_t test_loopback_type(struct bpei_compile *c, uint32_t type, bool network_order)
{
	int32_t b = -1;
	if (type == TYPE_IP4)
		return test_family(c, FAMILY_IP4, network_order);
	if (type != TYPE_IP6)
		return bpei_const(c, false);
	if (c->family6)
		return test_family(c, c->family6, network_order);
	for (size_t i = 0; families6[i]; i++)
		b = bpei_or_optional(c, b, test_family(c, families6[i], network_order));
	return b;
}

/* Tests whether the type field, a byte, equals `byte`. */
static int32_t test_type_byte(struct bpei_compile *c, uint8_t byte)
{
	return bpei_place_is(c, 1, c->offsets.type, 0, byte);
}

/* Tests whether the type field, a byte, is in the list, which a 0 ends. */
static int32_t test_type_bytes(struct bpei_compile *c, const uint8_t *bytes)
{
	int32_t b = -1;
	for (; *bytes; bytes++)
		b = bpei_or_optional(c, b, test_type_byte(c, *bytes));
	return b;
}

/* Tests the address family in the header of OpenBSD's packet log, of a kernel or of any. */
static int32_t test_pflog_type(struct bpei_compile *c, uint32_t type)
{
	if (type == TYPE_IP4)
		return test_type_byte(c, FAMILY_IP4);
	if (type != TYPE_IP6)
		return bpei_const(c, false);
	if (c->family6)
		return test_type_byte(c, (uint8_t)c->family6);
	return test_type_bytes(c, families6);
}

/* Tests the address family as Solaris numbers it. */
static int32_t test_ipnet_type(struct bpei_compile *c, uint32_t type)
{
	if (type == TYPE_IP4)
		return test_type_byte(c, FAMILY_IP4);
	if (type == TYPE_IP6)
		return test_type_byte(c, 26);
	return bpei_const(c, false);
}

/* Tests ARCnet's protocol byte (RFC 1201, 1051, 2497). */
static int32_t test_arcnet_type(struct bpei_compile *c, uint32_t type)
{
	static const uint8_t ip4[] = { 0xd4, 0xf0, 0 };
	static const uint8_t arp[] = { 0xd5, 0xf1, 0 };

	switch (type) {
	case TYPE_IP4:
		return test_type_bytes(c, ip4);
	case TYPE_IP6:
		return test_type_byte(c, 0xc4);
	case TYPE_ARP:
		return test_type_bytes(c, arp);
	case TYPE_RARP:
		return test_type_byte(c, 0xd6);
	case TYPE_ATALK:
		return test_type_byte(c, 0xdd);
	default:
		return bpei_const(c, false);
	}
}

/* Tests frame relay with two bytes of address: control byte 3, then the network layer's number. */
static int32_t test_frelay_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b = -1;
	if (type == TYPE_IP4)
		return test_type_field(c, 0x03cc);
	if (type == TYPE_IP6)
		return test_type_field(c, 0x038e);
	if (type != SAP_ISO)
		return bpei_const(c, false);
	for (uint32_t osi = OSI_CLNP; osi <= OSI_ISIS; osi++)
		b = bpei_or_optional(c, b, test_type_field(c, 0x0300 | osi));
	return b;
}

/* Tests PPP on the serial lines of BSD/OS, which has further numbers for compressed TCP/IP (RFC
 * 1144). */
static int32_t test_bsdos_type(struct bpei_compile *c, uint32_t type)
{
	if (type != TYPE_IP4)
		return test_type_field(c, ppp_protocol(type));
	const int32_t uncompressed = test_type_field(c, 0x2f);
	const int32_t compressed = test_type_field(c, 0x2d);
	const int32_t plain = bpei_or(c, test_type_field(c, 0x21), compressed);

	return bpei_or(c, plain, uncompressed);
}

/* Tests the LLC header behind an ATM header. */
static int32_t test_atm_type(struct bpei_compile *c, uint32_t type)
{
	return bpei_and(c, bpei_atm_has_llc(c), test_llc_type(c, type));
}

/* Tests Linux's cooked header: type 1 is raw 802.3, type 4 has an LLC header. */
static int32_t test_cooked_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO:
	case SAP_IP:
	case SAP_NETBEUI:
		return bpei_and(c, test_type_field(c, 4), test_both_saps(c, type));
	case SAP_IPX:
		b = bpei_or(c, test_sap(c, SAP_IPX), test_snap(c, 0, TYPE_IPX));
		b = bpei_and(c, test_type_field(c, 4), b);
		b = bpei_or(c, test_type_field(c, 1), b);
		return bpei_or(c, test_type_field(c, TYPE_IPX), b);
	case TYPE_ATALK:
	case TYPE_AARP:
		b = bpei_and(c, test_type_field(c, 4), test_appletalk_snap(c, type));
		return bpei_or(c, test_type_field(c, type), b);
	default:
		if (type > LENGTH_MOST)
			return test_type_field(c, type);
		return bpei_and(c, test_type_field(c, 4), test_sap(c, type));
	}
}

/* Tests the version in the first byte of an IP header. */
static int32_t test_ip_version(struct bpei_compile *c, struct place at, uint32_t type)
{
	if (type != TYPE_IP4 && type != TYPE_IP6)
		return bpei_const(c, false);
	return bpei_place_is_masked(c, 1, at, 0, type == TYPE_IP4 ? 0x40 : 0x60, 0xf0);
}

static int32_t fail_unknown_type(struct bpei_compile *c)
{
	const char *name = bpe_link_type_name((int)c->offsets.link);
	c->unsupported = true;
	return bpei_compile_fail_term(c,
		"what %s packets carry is not known: use len, byte, link[...], "
		"or go without",
		name ? name : "such");
}

/* Tests the link type's own header, with no MPLS labels behind it. */
static int32_t test_link_header(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	switch (o->kind) {
	case KIND_ETHERNET:
		return test_ethernet_type(c, type);
	case KIND_LLC:
		return test_llc_type(c, type);
	case KIND_NULL:
		return test_loopback_type(c, type, false);
	case KIND_LOOP:
		return test_loopback_type(c, type, true);
	case KIND_RAW:
		return test_ip_version(
			c, o->header, type); /* for SLIP not at the packet, as libpcap */
	case KIND_IPV4:
		return bpei_const(c, type == TYPE_IP4);
	case KIND_IPV6:
		return bpei_const(c, type == TYPE_IP6);
	case KIND_PPP:
		return test_type_field(c, ppp_protocol(type));
	case KIND_PPP_BSDOS:
		return test_bsdos_type(c, type);
	case KIND_HDLC:
		return test_type_field(c, type == SAP_ISO ? SAP_ISO << 8 | SAP_ISO : type);
	case KIND_TYPE:
		return test_type_field(c, type); /* LINUX_SLL2 has no LLC, as libpcap */
	case KIND_SLL:
		return test_cooked_type(c, type);
	case KIND_FRELAY:
		return test_frelay_type(c, type);
	case KIND_ARCNET:
		return test_arcnet_type(c, type);
	case KIND_LTALK:
		return bpei_const(c, type == TYPE_ATALK);
	case KIND_PFLOG:
		return test_pflog_type(c, type);
	case KIND_IPNET:
		return test_ipnet_type(c, type);
	case KIND_JUNIPER:
		return bpei_place_is_masked(c, 4, o->header, 0, 0x4d474300, 0xffffff00);
	case KIND_BACNET:
		return bpei_place_is_masked(c, 4, o->header, 0, 0x55ff0000, 0xffff0000);
	case KIND_ATM:
		return test_atm_type(c, type);
	case KIND_WLAN:
		return bpei_and(c, bpei_wlan_data(c), test_llc_type(c, type));
	default:
		return fail_unknown_type(c);
	}
}

int32_t bpei_link_frame(struct bpei_compile *c, int32_t b)
{
	if (!c->offsets.lane)
		return b;
	const int32_t control = bpei_place_is(c, 2, c->offsets.header, (uint32_t)-2, 0xff00);
	return bpei_and(c, bpei_not(c, control), b);
}

int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	if (o->mpls) {
		if (type != TYPE_IP4 && type != TYPE_IP6)
			return bpei_compile_fail_term(c, "behind mpls only ip and ip6 can be told");
		const int32_t last = bpei_place_is_masked(c, 1, o->network, (uint32_t)-2, 1, 1);
		return bpei_and(c, last, test_ip_version(c, o->network, type));
	}
	return bpei_link_frame(c, test_link_header(c, type));
}
