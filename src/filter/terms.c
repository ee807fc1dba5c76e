/* SPDX-License-Identifier: MIT */
/* What the terms of the filter language mean on each link type (pcap-filter(7)), as tests on the packet's bytes.  The order of the tests
 * is part of the meaning: a load past the captured bytes ends the program with "no", whatever stands behind it. */
#include "filter/tree.h"

#include <string.h>

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276 };
enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, TYPE_RARP = 0x8035, TYPE_IP6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100,
       TYPE_MPLS = 0x8847, TYPE_PPPOED = 0x8863, TYPE_PPPOES = 0x8864, TYPE_ATALK = 0x809b, TYPE_AARP = 0x80f3 };
enum { SAP_ISO = 0xfe, SAP_IP = 0x06, SAP_STP = 0x42, SAP_IPX = 0xe0, SAP_NETBEUI = 0xf0, SAP_SNAP = 0xaa };
#define LLC_MOST 1500u

const char *bpei_proto_text(enum proto p)
{
	static const char *const names[P_COUNT] = { "", "ether", "ip", "arp", "rarp", "sctp", "tcp", "udp", "icmp", "igmp", "igrp", "atalk", "decnet", "lat",
		"sca", "moprc", "mopdl", "ip6", "icmp6", "ah", "esp", "pim", "vrrp", "carp", "aarp", "iso", "esis", "isis", "clnp", "stp", "ipx", "netbeui" };
	return names[p];
}

bool bpei_terms_init(struct bpei_compile *c, uint32_t link)
{
	struct offsets o = { .link = link };
	switch (link) {
	case LINK_ETHERNET: o.type = 12, o.network = 14; break;
	case LINK_NULL: case LINK_LOOP: o.network = 4; break;
	case LINK_RAW: case LINK_IPV4: case LINK_IPV6: break;
	case LINK_SLL: o.type = 14, o.network = 16; break;
	case LINK_SLL2: o.type = 0, o.network = 20; break;
	case LINK_PPP: o.type = 2, o.network = 4; break;
	default: return false;
	}
	c->offsets = o;
	return true;
}

static int32_t absolute(struct bpei_compile *c, uint32_t size, uint32_t at) { return bpei_value_load(c, size, -1, at); }
static int32_t compare(struct bpei_compile *c, uint32_t size, uint32_t at, uint32_t k) { return bpei_test(c, absolute(c, size, at), CMP_EQ, k); }
static int32_t network(struct bpei_compile *c, uint32_t size, uint32_t at, uint32_t k) { return compare(c, size, c->offsets.network + at, k); }

static int32_t masked(struct bpei_compile *c, uint32_t size, uint32_t at, uint32_t k, uint32_t mask)
{
	uint32_t all = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	int32_t v = absolute(c, size, at);
	if ((mask & all) != all) v = bpei_value_alu(c, OP_AND, v, bpei_value_imm(c, mask));
	return bpei_test(c, v, CMP_EQ, k & mask);
}

/* ---- Link types ---- */

static int32_t is_802_3(struct bpei_compile *c) { return bpei_not(c, bpei_test(c, absolute(c, 2, c->offsets.type), CMP_GT, LLC_MOST)); }

static int32_t snap(struct bpei_compile *c, uint32_t oui, uint32_t type)
{
	uint32_t at = c->offsets.network;	/* aa aa 03, three bytes of owner, two of type */
	return bpei_and(c, compare(c, 4, at + 4, (oui & 0xffff) << 16 | type), compare(c, 4, at, 0xaaaa0300u | oui >> 16));
}

static int32_t ethernet_type(struct bpei_compile *c, uint32_t type)
{
	int32_t b;
	switch (type) {
	case SAP_ISO: case SAP_IP: case SAP_NETBEUI: return bpei_and(c, is_802_3(c), network(c, 2, 0, type << 8 | type));
	case SAP_IPX:	/* 802.3 with an LLC header, raw 802.3, SNAP, or Ethernet II */
		b = bpei_or(c, network(c, 1, 0, SAP_IPX), network(c, 2, 0, 0xffff));
		b = bpei_and(c, is_802_3(c), bpei_or(c, snap(c, 0, 0x8137), b));
		return bpei_or(c, compare(c, 2, c->offsets.type, 0x8137), b);
	case TYPE_ATALK: case TYPE_AARP:
		b = bpei_and(c, is_802_3(c), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, compare(c, 2, c->offsets.type, type), b);
	default:
		if (type > LLC_MOST) return compare(c, 2, c->offsets.type, type);
		return bpei_and(c, is_802_3(c), network(c, 1, 0, type));
	}
}

/* The protocol field of PPP (RFC 1661) for an ethertype or LLC address. */
static uint32_t ppp_type(uint32_t type)
{
	switch (type) {
	case TYPE_IP: return 0x21;
	case TYPE_IP6: return 0x57;
	case 0x6003: return 0x27;
	case TYPE_ATALK: return 0x29;
	case SAP_ISO: return 0x23;
	case SAP_STP: return 0x31;
	case SAP_IPX: return 0x2b;
	default: return type;
	}
}

/* DLT_NULL's family is in the order of the host that captured: this one's.  IPv6's number differs from system to system. */
static int32_t loopback_type(struct bpei_compile *c, uint32_t type, bool network_order)
{
	static const uint32_t families6[] = { 30, 28, 24, 10 };
	int32_t family = absolute(c, 4, 0), b = -1;
	bool swap = !network_order && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	if (type == TYPE_IP) return bpei_test(c, family, CMP_EQ, swap ? __builtin_bswap32(2) : 2);
	if (type != TYPE_IP6) return bpei_const(c, false);
	for (size_t i = 0; i < 4; i++) {
		int32_t t = bpei_test(c, family, CMP_EQ, swap ? __builtin_bswap32(families6[i]) : families6[i]);
		b = i ? bpei_or(c, b, t) : t;
	}
	return b;
}

/* Linux's cooked headers: type 1 is raw 802.3, type 4 has an LLC header. */
static int32_t cooked_type(struct bpei_compile *c, uint32_t type)
{
	uint32_t at = c->offsets.type;
	int32_t b;
	switch (type) {
	case SAP_ISO: case SAP_IP: case SAP_NETBEUI: return bpei_and(c, compare(c, 2, at, 4), network(c, 2, 0, type << 8 | type));
	case SAP_IPX:
		b = bpei_or(c, network(c, 1, 0, SAP_IPX), snap(c, 0, 0x8137));
		b = bpei_and(c, compare(c, 2, at, 4), b);
		b = bpei_or(c, compare(c, 2, at, 1), b);
		return bpei_or(c, compare(c, 2, at, 0x8137), b);
	case TYPE_ATALK: case TYPE_AARP:
		b = bpei_and(c, compare(c, 2, at, 4), snap(c, type == TYPE_ATALK ? 0x080007 : 0, type));
		return bpei_or(c, compare(c, 2, at, type), b);
	default:
		if (type > LLC_MOST) return compare(c, 2, at, type);
		return bpei_and(c, compare(c, 2, at, 4), network(c, 1, 0, type));
	}
}

static int32_t version(struct bpei_compile *c, uint32_t type)
{
	return type == TYPE_IP || type == TYPE_IP6 ? masked(c, 1, c->offsets.network, type == TYPE_IP ? 0x40 : 0x60, 0xf0) : bpei_const(c, false);
}

int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type)
{
	const struct offsets *o = &c->offsets;
	if (o->mpls) {
		if (type != TYPE_IP && type != TYPE_IP6) return bpei_compile_fail(c, "behind mpls only ip and ip6 can be told");
		return bpei_and(c, masked(c, 1, o->network - 2, 1, 1), version(c, type));	/* bottom of stack */
	}
	switch (o->link) {
	case LINK_ETHERNET: return ethernet_type(c, type);
	case LINK_NULL: return loopback_type(c, type, false);
	case LINK_LOOP: return loopback_type(c, type, true);
	case LINK_RAW: return version(c, type);
	case LINK_IPV4: return bpei_const(c, type == TYPE_IP);
	case LINK_IPV6: return bpei_const(c, type == TYPE_IP6);
	case LINK_PPP: return compare(c, 2, o->type, ppp_type(type));
	case LINK_SLL2: return compare(c, 2, o->type, type);	/* as libpcap: no LLC here */
	default: return cooked_type(c, type);
	}
}

/* ---- Protocols ---- */

static int32_t ip_proto(struct bpei_compile *c, uint32_t n) { return bpei_and(c, bpei_term_linktype(c, TYPE_IP), network(c, 1, 9, n)); }

static int32_t ip6_proto(struct bpei_compile *c, uint32_t n)	/* at once, or behind a fragment header */
{
	int32_t fragment = bpei_and(c, network(c, 1, 6, 44), network(c, 1, 40, n));
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), bpei_or(c, network(c, 1, 6, n), fragment));
}

int32_t bpei_term_proto(struct bpei_compile *c, uint32_t n, enum proto of, enum direction d)
{
	if (d != D_DEFAULT) return bpei_compile_fail(c, "a direction cannot stand before proto");
	switch (of) {
	case P_DEFAULT: return bpei_or(c, ip_proto(c, n), ip6_proto(c, n));
	case P_LINK: return bpei_term_linktype(c, n);
	case P_IP: return ip_proto(c, n);
	case P_IP6: return ip6_proto(c, n);
	case P_ISO: case P_ISIS:
		if (of == P_ISO) return bpei_and(c, bpei_term_linktype(c, SAP_ISO), network(c, 1, c->offsets.link == LINK_ETHERNET ? 3 : 0, n));
		/* fall through */
	default: return bpei_compile_fail(c, "\"%s\" cannot stand before proto", bpei_proto_text(of));
	}
}

int32_t bpei_term_proto_name(struct bpei_compile *c, enum proto p)
{
	switch (p) {
	case P_SCTP: return bpei_term_proto(c, 132, P_DEFAULT, D_DEFAULT);
	case P_TCP: return bpei_term_proto(c, 6, P_DEFAULT, D_DEFAULT);
	case P_UDP: return bpei_term_proto(c, 17, P_DEFAULT, D_DEFAULT);
	case P_PIM: return bpei_term_proto(c, 103, P_DEFAULT, D_DEFAULT);
	case P_AH: return bpei_term_proto(c, 51, P_DEFAULT, D_DEFAULT);
	case P_ESP: return bpei_term_proto(c, 50, P_DEFAULT, D_DEFAULT);
	case P_ICMP: return ip_proto(c, 1);
	case P_IGMP: return ip_proto(c, 2);
	case P_IGRP: return ip_proto(c, 9);
	case P_VRRP: case P_CARP: return ip_proto(c, 112);
	case P_ICMP6: return ip6_proto(c, 58);
	case P_IP: return bpei_term_linktype(c, TYPE_IP);
	case P_IP6: return bpei_term_linktype(c, TYPE_IP6);
	case P_ARP: return bpei_term_linktype(c, TYPE_ARP);
	case P_RARP: return bpei_term_linktype(c, TYPE_RARP);
	case P_ATALK: return bpei_term_linktype(c, TYPE_ATALK);
	case P_AARP: return bpei_term_linktype(c, TYPE_AARP);
	case P_DECNET: return bpei_term_linktype(c, 0x6003);
	case P_SCA: return bpei_term_linktype(c, 0x6007);
	case P_LAT: return bpei_term_linktype(c, 0x6004);
	case P_MOPDL: return bpei_term_linktype(c, 0x6001);
	case P_MOPRC: return bpei_term_linktype(c, 0x6002);
	case P_ISO: return bpei_term_linktype(c, SAP_ISO);
	case P_ESIS: return bpei_term_proto(c, 0x82, P_ISO, D_DEFAULT);
	case P_ISIS: return bpei_term_proto(c, 0x83, P_ISO, D_DEFAULT);
	case P_CLNP: return bpei_term_proto(c, 0x81, P_ISO, D_DEFAULT);
	case P_STP: return bpei_term_linktype(c, SAP_STP);
	case P_IPX: return bpei_term_linktype(c, SAP_IPX);
	case P_NETBEUI: return bpei_term_linktype(c, SAP_NETBEUI);
	default: return bpei_compile_fail(c, "\"%s\" wants something behind it, such as host, proto or [...]", bpei_proto_text(p));
	}
}

/* ---- Addresses ---- */

/* The two ends of something, tested one by one. */
static int32_t both(struct bpei_compile *c, int32_t source, int32_t target, enum direction d)
{
	switch (d) {
	case D_SRC: return source;
	case D_DST: return target;
	case D_AND: return bpei_and(c, source, target);
	default: return bpei_or(c, source, target);
	}
}

static int32_t host_of(struct bpei_compile *c, uint32_t type, uint32_t source, uint32_t target, uint32_t address, uint32_t mask, enum direction d)
{
	int32_t s = bpei_and(c, bpei_term_linktype(c, type), masked(c, 4, c->offsets.network + source, address, mask));
	int32_t t = bpei_and(c, bpei_term_linktype(c, type), masked(c, 4, c->offsets.network + target, address, mask));
	return both(c, s, t, d);
}

int32_t bpei_term_host(struct bpei_compile *c, uint32_t address, uint32_t mask, enum proto p, enum direction d, const char *what)
{
	int32_t b;
	switch (p) {
	case P_DEFAULT:
		b = host_of(c, TYPE_IP, 12, 16, address, mask, d);
		if (c->offsets.mpls) return b;
		b = bpei_or(c, b, host_of(c, TYPE_ARP, 14, 24, address, mask, d));
		return bpei_or(c, b, host_of(c, TYPE_RARP, 14, 24, address, mask, d));
	case P_IP: return host_of(c, TYPE_IP, 12, 16, address, mask, d);
	case P_ARP: return host_of(c, TYPE_ARP, 14, 24, address, mask, d);
	case P_RARP: return host_of(c, TYPE_RARP, 14, 24, address, mask, d);
	case P_LINK: return bpei_compile_fail(c, "an IPv4 address is no link-layer address: leave out \"ether\", or give aa:bb:cc:dd:ee:ff");
	default: return bpei_compile_fail(c, "\"%s\" cannot stand before %s", bpei_proto_text(p), what);
	}
}

static int32_t words6(struct bpei_compile *c, uint32_t at, const uint8_t a[16], const uint8_t m[16])
{
	int32_t b = -1;
	for (int i = 3; i >= 0; i--) {
		uint32_t k = 0, mask = 0;
		for (int j = 0; j < 4; j++) k = k << 8 | a[4 * i + j], mask = mask << 8 | m[4 * i + j];
		if (!mask) continue;	/* says nothing, and would only demand the bytes */
		int32_t t = masked(c, 4, c->offsets.network + at + 4 * (uint32_t)i, k, mask);
		b = b < 0 ? t : bpei_and(c, t, b);
	}
	return b < 0 ? bpei_const(c, true) : b;
}

int32_t bpei_term_host6(struct bpei_compile *c, const uint8_t a[16], const uint8_t m[16], enum proto p, enum direction d, const char *what)
{
	if (p != P_DEFAULT && p != P_IP6) return bpei_compile_fail(c, "\"%s\" cannot stand before an IPv6 %s", bpei_proto_text(p), what);
	int32_t s = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), words6(c, 8, a, m));
	int32_t t = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), words6(c, 24, a, m));
	return both(c, s, t, d);
}

static int32_t mac(struct bpei_compile *c, uint32_t at, const uint8_t a[6])
{
	uint32_t high = (uint32_t)a[0] << 8 | a[1], low = (uint32_t)a[2] << 24 | (uint32_t)a[3] << 16 | (uint32_t)a[4] << 8 | a[5];
	return bpei_and(c, compare(c, 4, at + 2, low), compare(c, 2, at, high));
}

int32_t bpei_term_ether(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	if (c->offsets.link != LINK_ETHERNET) return bpei_compile_fail(c, "this link type has no Ethernet addresses");
	return both(c, mac(c, c->offsets.header + 6, a), mac(c, c->offsets.header, a), d);
}

/* ---- Ports ---- */

static int32_t port_value(struct bpei_compile *c, bool six, uint32_t at)
{
	uint32_t n = c->offsets.network;
	if (six) return absolute(c, 2, n + 40 + at);
	return bpei_value_load(c, 2, bpei_value(c, (struct value){ .kind = VALUE_MSH, .a = -1, .b = -1, .k = n }), n + at);
}

static int32_t port_at(struct bpei_compile *c, bool six, uint32_t at, uint32_t low, uint32_t high)
{
	int32_t v = port_value(c, six, at);
	if (low == high) return bpei_test(c, v, CMP_EQ, low);
	return bpei_and(c, bpei_test(c, v, CMP_GE, low), bpei_not(c, bpei_test(c, v, CMP_GT, high)));
}

static int32_t no_fragment(struct bpei_compile *c) { return bpei_not(c, bpei_test(c, absolute(c, 2, c->offsets.network + 6), CMP_SET, 0x1fff)); }

static int32_t port_of(struct bpei_compile *c, bool six, uint32_t proto, uint32_t low, uint32_t high, enum direction d)
{
	int32_t b = network(c, 1, six ? 6 : 9, proto);
	if (!six) b = bpei_and(c, b, no_fragment(c));
	return bpei_and(c, b, both(c, port_at(c, six, 0, low, high), port_at(c, six, 2, low, high), d));
}

static int32_t ports(struct bpei_compile *c, bool six, enum proto p, uint32_t low, uint32_t high, enum direction d)
{
	static const uint32_t numbers[] = { [P_TCP] = 6, [P_UDP] = 17, [P_SCTP] = 132 };
	int32_t type = bpei_term_linktype(c, six ? TYPE_IP6 : TYPE_IP), b;
	if (p != P_DEFAULT) return bpei_and(c, type, port_of(c, six, numbers[p], low, high, d));
	b = bpei_or(c, port_of(c, six, 6, low, high, d), port_of(c, six, 17, low, high, d));
	return bpei_and(c, type, bpei_or(c, port_of(c, six, 132, low, high, d), b));
}

int32_t bpei_term_port(struct bpei_compile *c, uint32_t low, uint32_t high, enum proto p, enum direction d)
{
	if (p != P_DEFAULT && p != P_TCP && p != P_UDP && p != P_SCTP) return bpei_compile_fail(c, "\"%s\" has no ports: tcp, udp and sctp have", bpei_proto_text(p));
	if (low > 65535 || high > 65535) return bpei_compile_fail(c, "ports end at 65535");
	if (low > high) {
		uint32_t t = low;
		low = high;
		high = t;
	}
	return bpei_or(c, ports(c, true, p, low, high, d), ports(c, false, p, low, high, d));
}

/* ---- Broadcast, multicast, direction ---- */

int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	if (p == P_DEFAULT || p == P_LINK) {
		if (c->offsets.link != LINK_ETHERNET) return bpei_compile_fail(c, "this link type has no broadcast address");
		return mac(c, c->offsets.header, all);
	}
	if (p != P_IP) return bpei_compile_fail(c, "only ether and ip can stand before broadcast");
	if (!c->has_netmask) return bpei_compile_fail(c, "ip broadcast needs the interface's netmask, which is not known here");
	int32_t host = bpei_value_alu(c, OP_AND, absolute(c, 4, c->offsets.network + 16), bpei_value_imm(c, ~c->netmask));
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP), bpei_or(c, bpei_test(c, host, CMP_EQ, 0), bpei_test(c, host, CMP_EQ, ~c->netmask)));
}

int32_t bpei_term_multicast(struct bpei_compile *c, enum proto p)
{
	switch (p) {
	case P_DEFAULT: case P_LINK:
		if (c->offsets.link != LINK_ETHERNET) return bpei_compile_fail(c, "this link type has no multicast addresses");
		return bpei_test(c, absolute(c, 1, c->offsets.header), CMP_SET, 1);
	case P_IP: return bpei_and(c, bpei_term_linktype(c, TYPE_IP), bpei_test(c, absolute(c, 1, c->offsets.network + 16), CMP_GE, 224));
	case P_IP6: return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), network(c, 1, 24, 255));
	default: return bpei_compile_fail(c, "only ether, ip and ip6 can stand before multicast");
	}
}

int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound)
{
	int32_t b;
	if (c->offsets.link == LINK_SLL) b = compare(c, 2, 0, 4);
	else if (c->offsets.link == LINK_SLL2) b = compare(c, 1, 10, 4);
	else return bpei_compile_fail(c, "packets of this link type do not say their direction (-Q asks the device)");
	return outbound ? b : bpei_not(c, b);
}

/* ---- What moves the headers ---- */

int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id)
{
	if (c->offsets.mpls) return bpei_compile_fail(c, "no vlan can follow an mpls");
	if (has_id && id > 4095) return bpei_compile_fail(c, "VLAN ids end at 4095");
	if (c->offsets.link != LINK_ETHERNET) return bpei_compile_fail(c, "this link type has no VLAN tags");
	int32_t b = bpei_or(c, bpei_term_linktype(c, TYPE_VLAN), bpei_term_linktype(c, TYPE_QINQ));
	b = bpei_or(c, b, bpei_term_linktype(c, TYPE_QINQ_OLD));
	if (has_id) b = bpei_and(c, b, masked(c, 2, c->offsets.network, id, 0x0fff));
	c->offsets.type += 4;
	c->offsets.network += 4;
	return b;
}

int32_t bpei_term_mpls(struct bpei_compile *c, bool has_label, uint32_t label)
{
	int32_t b;
	if (has_label && label > 0xfffff) return bpei_compile_fail(c, "MPLS labels end at 1048575");
	if (c->offsets.mpls) b = masked(c, 1, c->offsets.network - 2, 0, 1);	/* the label before is not the last */
	else if (c->offsets.link == LINK_ETHERNET) b = bpei_term_linktype(c, TYPE_MPLS);
	else if (c->offsets.link == LINK_PPP) b = compare(c, 2, c->offsets.type, 0x281);
	else return bpei_compile_fail(c, "this link type has no MPLS");
	if (has_label) b = bpei_and(c, b, masked(c, 4, c->offsets.network, label << 12, 0xfffff000));
	c->offsets.network += 4;
	c->offsets.mpls++;
	return b;
}

int32_t bpei_term_pppoe(struct bpei_compile *c, bool session, bool has_id, uint32_t id)
{
	if (has_id && id > 65535) return bpei_compile_fail(c, "PPPoE sessions end at 65535");
	int32_t b = bpei_term_linktype(c, session ? TYPE_PPPOES : TYPE_PPPOED);
	if (!session) return b;
	if (has_id) b = bpei_and(c, b, masked(c, 2, c->offsets.network + 2, id, 0xffff));
	c->offsets = (struct offsets){ .link = LINK_PPP, .header = c->offsets.network + 6, .type = c->offsets.network + 6, .network = c->offsets.network + 8 };
	return b;
}

/* ---- proto[index:size] ---- */

int32_t bpei_term_load(struct bpei_compile *c, enum proto p, int32_t index, uint32_t size, int32_t *guard)
{
	uint32_t n = c->offsets.network;
	*guard = -1;
	if (index < 0) return -1;
	switch (p) {
	case P_LINK: return bpei_value_load(c, size, index, c->offsets.header);
	case P_IP: case P_ARP: case P_RARP: case P_ATALK: case P_DECNET: case P_LAT: case P_SCA: case P_MOPRC: case P_MOPDL: case P_IP6:
		*guard = bpei_term_proto_name(c, p);
		return bpei_value_load(c, size, index, n);
	case P_SCTP: case P_TCP: case P_UDP: case P_ICMP: case P_IGMP: case P_IGRP: case P_PIM: case P_VRRP: case P_CARP: {
		*guard = bpei_and(c, bpei_term_linktype(c, TYPE_IP), bpei_and(c, bpei_term_proto_name(c, p), no_fragment(c)));
		int32_t header = bpei_value(c, (struct value){ .kind = VALUE_MSH, .a = -1, .b = -1, .k = n });
		uint32_t k;
		if (bpei_value_const(c, index, &k) && k < 65536) return bpei_value_load(c, size, header, n + k);
		return bpei_value_load(c, size, bpei_value_alu(c, OP_ADD, header, index), n);
	}
	case P_ICMP6:
		*guard = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), network(c, 1, 6, 58));
		return bpei_value_load(c, size, index, n + 40);
	default: return bpei_compile_fail(c, "\"%s\" cannot be indexed", bpei_proto_text(p));
	}
}
