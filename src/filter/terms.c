/* SPDX-License-Identifier: MIT */
/* The meaning of protocols' names, of "proto", and of protocol[index:size] (pcap-filter(7)).  The
 * knowledge of each protocol is a row of a table. */
#include "filter/terms.h"

#include "filter/links.h"
#include "filter/terms_ip6.h"

/* The meaning of a protocol's name alone. */
enum name_meaning {
	MEANS_NOTHING, /* the name wants something behind */
	MEANS_TYPE,    /* the link header announces the number: an ethertype or LLC address */
	MEANS_IP4,     /* the protocol number over IPv4 */
	MEANS_IP6,
	MEANS_IP,   /* the protocol number over IPv4 or IPv6 */
	MEANS_OSI,  /* the number is the first byte of OSI's network layer */
	MEANS_ISIS, /* IS-IS, with any of the PDU types */
};

/* The header that protocol[index] counts from. */
enum index_base {
	INDEX_NONE,
	INDEX_LINK,
	INDEX_RADIO,
	INDEX_NETWORK,
	INDEX_OVER_IP4,
	INDEX_OVER_IP6,
};

#define ISIS_TYPES 6

/* over_ip6: protocol[index] holds over IPv6, too, with BPE_THROUGH_IPV6_EXT. */
struct protocol {
	const char *word;
	uint16_t number;
	uint8_t meaning, index; /* enum name_meaning, enum index_base */
	bool over_ip6;
	uint8_t isis_types[ISIS_TYPES]; /* PDU types of IS-IS (ISO/IEC 10589); 0 ends them */
};

static const struct protocol protocols[P_COUNT] = {
	[P_DEFAULT] = { "", 0, MEANS_NOTHING, INDEX_NONE, false, { 0 } },
	[P_LINK] = { "ether", 0, MEANS_NOTHING, INDEX_LINK, false, { 0 } },
	[P_IP] = { "ip", TYPE_IP4, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_ARP] = { "arp", TYPE_ARP, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_RARP] = { "rarp", TYPE_RARP, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_SCTP] = { "sctp", IP_SCTP, MEANS_IP, INDEX_OVER_IP4, true, { 0 } },
	[P_TCP] = { "tcp", IP_TCP, MEANS_IP, INDEX_OVER_IP4, true, { 0 } },
	[P_UDP] = { "udp", IP_UDP, MEANS_IP, INDEX_OVER_IP4, true, { 0 } },
	[P_ICMP] = { "icmp", IP_ICMP, MEANS_IP4, INDEX_OVER_IP4, false, { 0 } },
	[P_IGMP] = { "igmp", IP_IGMP, MEANS_IP4, INDEX_OVER_IP4, false, { 0 } },
	[P_IGRP] = { "igrp", IP_IGRP, MEANS_IP4, INDEX_OVER_IP4, false, { 0 } },
	[P_ATALK] = { "atalk", TYPE_ATALK, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_DECNET] = { "decnet", TYPE_DECNET, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_LAT] = { "lat", TYPE_LAT, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_SCA] = { "sca", TYPE_SCA, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_MOPRC] = { "moprc", TYPE_MOP_RC, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_MOPDL] = { "mopdl", TYPE_MOP_DL, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_IP6] = { "ip6", TYPE_IP6, MEANS_TYPE, INDEX_NETWORK, false, { 0 } },
	[P_ICMP6] = { "icmp6", IP_ICMP6, MEANS_IP6, INDEX_OVER_IP6, true, { 0 } },
	[P_AH] = { "ah", IP_AH, MEANS_IP, INDEX_NONE, false, { 0 } },
	[P_ESP] = { "esp", IP_ESP, MEANS_IP, INDEX_NONE, false, { 0 } },
	[P_PIM] = { "pim", IP_PIM, MEANS_IP, INDEX_OVER_IP4, true, { 0 } },
	[P_VRRP] = { "vrrp", IP_VRRP, MEANS_IP4, INDEX_OVER_IP4, false, { 0 } },
	[P_CARP] = { "carp", IP_VRRP, MEANS_IP4, INDEX_OVER_IP4, false, { 0 } },
	[P_AARP] = { "aarp", TYPE_AARP, MEANS_TYPE, INDEX_NONE, false, { 0 } },
	[P_ISO] = { "iso", SAP_ISO, MEANS_TYPE, INDEX_NONE, false, { 0 } },
	[P_ESIS] = { "esis", OSI_ESIS, MEANS_OSI, INDEX_NONE, false, { 0 } },
	[P_ISIS] = { "isis", OSI_ISIS, MEANS_OSI, INDEX_NONE, false, { 0 } },
	[P_CLNP] = { "clnp", OSI_CLNP, MEANS_OSI, INDEX_NONE, false, { 0 } },
	[P_STP] = { "stp", SAP_STP, MEANS_TYPE, INDEX_NONE, false, { 0 } },
	[P_IPX] = { "ipx", SAP_IPX, MEANS_TYPE, INDEX_NONE, false, { 0 } },
	[P_NETBEUI] = { "netbeui", SAP_NETBEUI, MEANS_TYPE, INDEX_NONE, false, { 0 } },
	[P_L1] = { "l1", 0, MEANS_ISIS, INDEX_NONE, false, { 26, 24, 18, 15, 17 } },
	[P_L2] = { "l2", 0, MEANS_ISIS, INDEX_NONE, false, { 27, 25, 20, 16, 17 } },
	[P_IIH] = { "iih", 0, MEANS_ISIS, INDEX_NONE, false, { 17, 15, 16 } },
	[P_LSP] = { "lsp", 0, MEANS_ISIS, INDEX_NONE, false, { 18, 20 } },
	[P_SNP] = { "snp", 0, MEANS_ISIS, INDEX_NONE, false, { 27, 26, 24, 25 } },
	[P_CSNP] = { "csnp", 0, MEANS_ISIS, INDEX_NONE, false, { 24, 25 } },
	[P_PSNP] = { "psnp", 0, MEANS_ISIS, INDEX_NONE, false, { 26, 27 } },
	[P_RADIO] = { "radio", 0, MEANS_NOTHING, INDEX_RADIO, false, { 0 } },
};

/* Returns the word of the protocol's row. */
const char *bpei_proto_text(enum proto p)
{
	return protocols[p].word;
}

/* ---- A protocol by number ---- */

/* Returns the test for IPv4 with the protocol. */
static int32_t test_ip4_proto(struct bpei_compile *c, uint32_t number)
{
	const int32_t b = bpei_place_is(c, 1, c->offsets.network, IP4_PROTOCOL, number);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), b);
}

/* Returns the test that IPv6 carries the protocol, directly or behind a fragment header; with
 * BPE_THROUGH_IPV6_EXT, behind several extension headers. */
static int32_t test_ip6_proto(struct bpei_compile *c, uint32_t number)
{
	const struct place n = c->offsets.network;
	int32_t each[BPEI_EXTENSIONS + 1];

	if (c->through & BPE_THROUGH_IPV6_EXT) {
		for (uint32_t depth = 0; depth <= BPEI_EXTENSIONS; depth++)
			each[depth] =
				bpei_place_is(c, 1, bpei_ip6_carried(c, depth).next, 0, number);
		return bpei_term_extensions(c, each, true);
	}
	const int32_t behind = bpei_place_is(c, 1, n, IP6_HEADER_BYTES, number);
	const int32_t is_fragment = bpei_place_is(c, 1, n, IP6_NEXT_HEADER, IP_FRAGMENT);
	const int32_t fragment = bpei_and(c, is_fragment, behind);
	const int32_t direct = bpei_place_is(c, 1, n, IP6_NEXT_HEADER, number);
	const int32_t either = bpei_or(c, direct, fragment);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), either);
}

/* Returns the test for a protocol of OSI, the first byte behind the LLC header (ISO/IEC TR 9577).
 * Frame relay's number of the network layer is the same byte. */
static int32_t test_osi_proto(struct bpei_compile *c, uint32_t number)
{
	if (c->offsets.kind == KIND_FRELAY)
		return bpei_place_is(c, 2, c->offsets.type, 0, 0x0300 | number);
	const int32_t b = bpei_place_is(c, 1, c->offsets.payload, c->offsets.osi, number);

	return bpei_and(c, bpei_term_linktype(c, SAP_ISO), b);
}

/* Returns the test for a PDU type of IS-IS (ISO/IEC 10589). */
static int32_t test_isis_type(struct bpei_compile *c, uint32_t type)
{
	const int32_t b = bpei_place_is(c, 1, c->offsets.payload, c->offsets.osi + 4, type);

	return bpei_and(c, test_osi_proto(c, OSI_ISIS), b);
}

static int32_t test_isis_types(struct bpei_compile *c, const uint8_t types[ISIS_TYPES])
{
	int32_t b = test_isis_type(c, types[0]);

	for (size_t i = 1; i < ISIS_TYPES && types[i]; i++)
		b = bpei_or(c, b, test_isis_type(c, types[i]));
	return b;
}

int32_t bpei_term_proto(struct bpei_compile *c, uint32_t n, enum proto of, enum direction d)
{
	if (d != D_DEFAULT)
		return bpei_compile_fail_term(c, "a direction cannot stand before proto");
	if (of == P_LINK && n > 65535)
		return bpei_compile_fail_term(c, "Ethernet types end at 65535");
	if (of == P_LINK && n > 255 && n <= 1500)
		return bpei_compile_fail_term(
			c, "LLC addresses end at 255, and Ethernet types begin at 1501");
	if (of == P_ISIS && n > 31)
		return bpei_compile_fail_term(c, "kinds of IS-IS end at 31");
	if (of != P_LINK && n > 255)
		return bpei_compile_fail_term(c, "protocols end at 255");
	switch (of) {
	case P_DEFAULT:
		return bpei_or(c, test_ip4_proto(c, n), test_ip6_proto(c, n));
	case P_LINK:
		return bpei_term_linktype(c, n);
	case P_IP:
		return test_ip4_proto(c, n);
	case P_IP6:
		return test_ip6_proto(c, n);
	case P_ISO:
		return test_osi_proto(c, n);
	case P_ISIS:
		return test_isis_type(c, n);
	default:
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before proto", bpei_proto_text(of));
	}
}

int32_t bpei_term_proto_name(struct bpei_compile *c, enum proto p)
{
	const struct protocol *protocol = &protocols[p];

	switch (protocol->meaning) {
	case MEANS_TYPE:
		return bpei_term_linktype(c, protocol->number);
	case MEANS_IP4:
		return test_ip4_proto(c, protocol->number);
	case MEANS_IP6:
		return test_ip6_proto(c, protocol->number);
	case MEANS_IP:
		return bpei_term_proto(c, protocol->number, P_DEFAULT, D_DEFAULT);
	case MEANS_OSI:
		return bpei_term_proto(c, protocol->number, P_ISO, D_DEFAULT);
	case MEANS_ISIS:
		return test_isis_types(c, protocol->isis_types);
	default:
		return bpei_compile_fail_term(c,
			"\"%s\" wants something behind it, such as host, proto or [...]",
			protocol->word);
	}
}

/* ---- proto[index:size] ---- */

/* Loads at a place plus an index, which may be computed. */
static int32_t load_indexed(struct bpei_compile *c, uint32_t size, struct place p, int32_t index)
{
	uint32_t k;

	if (bpei_value_is_imm(c, index, &k) && k < 65536)
		return bpei_place_load(c, size, p, k);
	if (p.base >= 0)
		index = bpei_value_alu(c, OP_ADD, index, p.base);
	return bpei_value_load(c, size, index, p.at);
}

static int32_t load_radio(struct bpei_compile *c, uint32_t size, int32_t index)
{
	const uint32_t link = c->offsets.link;

	if (link != LINK_RADIOTAP && link != LINK_AVS && link != LINK_PRISM)
		return bpei_compile_fail_term(c, "packets of this link type have no radio header");
	return bpei_value_load(c, size, index, 0);
}

/* Returns the test for an IPv4 packet of the protocol that has the protocol's header. */
static int32_t guard_over_ip4(struct bpei_compile *c, enum proto p)
{
	const int32_t no_fragment = bpei_place_no_fragment(c);
	const int32_t b = bpei_and(c, bpei_term_proto_name(c, p), no_fragment);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), b);
}

static int32_t guard_over_ip6(struct bpei_compile *c, uint32_t number)
{
	const int32_t b = bpei_place_is(c, 1, c->offsets.network, IP6_NEXT_HEADER, number);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), b);
}

int32_t bpei_term_load(
	struct bpei_compile *c, enum proto p, int32_t index, uint32_t size, int32_t *guard)
{
	const struct protocol *protocol = &protocols[p];
	const struct place n = c->offsets.network;
	const struct place behind_ip6 = { n.base, n.at + IP6_HEADER_BYTES };

	*guard = -1;
	if (index < 0)
		return -1;
	c->indexes_carried |= protocol->over_ip6;
	if (c->extensions && protocol->over_ip6) {
		const struct carried_header h = bpei_ip6_carried(c, c->extensions - 1);

		*guard = bpei_place_is(c, 1, h.next, 0, protocol->number);
		return load_indexed(c, size, h.at, index);
	}
	switch (protocol->index) {
	case INDEX_LINK:
		return load_indexed(c, size, c->offsets.header, index);
	case INDEX_RADIO:
		return load_radio(c, size, index);
	case INDEX_NETWORK:
		*guard = bpei_term_proto_name(c, p);
		return load_indexed(c, size, n, index);
	case INDEX_OVER_IP4:
		*guard = guard_over_ip4(c, p);
		return load_indexed(c, size, bpei_place_behind_ip4(c), index);
	case INDEX_OVER_IP6:
		*guard = guard_over_ip6(c, protocol->number);
		return load_indexed(c, size, behind_ip6, index);
	default:
		return bpei_compile_fail_term(c, "\"%s\" cannot be indexed", protocol->word);
	}
}
