/* SPDX-License-Identifier: MIT */
/* What the protocol, address and port terms of the filter language mean (pcap-filter(7)), as tests
 * on the packet's bytes. */
#include "filter/terms.h"

#include <string.h>

const char *bpei_proto_text(enum proto p)
{
	static const char *const names[P_COUNT] = { "", "ether", "ip", "arp", "rarp", "sctp", "tcp",
		"udp", "icmp", "igmp", "igrp", "atalk", "decnet", "lat", "sca", "moprc", "mopdl",
		"ip6", "icmp6", "ah", "esp", "pim", "vrrp", "carp", "aarp", "iso", "esis", "isis",
		"clnp", "stp", "ipx", "netbeui", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp",
		"radio" };
	return names[p];
}

static int32_t net_is(struct bpei_compile *c, uint32_t size, uint32_t at, uint32_t k)
{
	return bpei_at_is(c, size, c->offsets.network, at, k);
}
static int32_t net_masked(
	struct bpei_compile *c, uint32_t size, uint32_t at, uint32_t k, uint32_t mask)
{
	return bpei_at_masked(c, size, c->offsets.network, at, k, mask);
}

/* What an IPv4 header is followed by: 4 times the low half of its first byte behind its begin. */
struct place bpei_place_behind_ip4(struct bpei_compile *c)
{
	struct place n = c->offsets.network;
	if (n.base < 0)
		return (struct place){
			bpei_value(c,
				(struct value){ .kind = VALUE_MSH, .a = -1, .b = -1, .k = n.at }),
			n.at
		};
	int32_t length = bpei_value_alu(c, OP_LSH,
		bpei_value_alu(c, OP_AND, bpei_at(c, 1, n, 0), bpei_value_imm(c, 15)),
		bpei_value_imm(c, 2));
	return (struct place){ bpei_value_alu(c, OP_ADD, length, n.base), n.at };
}

/* ---- Protocols ---- */

static int32_t ip_proto(struct bpei_compile *c, uint32_t n)
{
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), net_is(c, 1, 9, n));
}

/* What header `p` at `at` is followed by.  IPv6's extension headers count their length in 8 bytes,
 * without one (RFC 8200); authentication headers in 4, without two (RFC 4302): 8 and twice or once
 * the length times 4.  Of the numbers that lead on, 51 alone has both bit 0 and bit 4.  (No shift
 * by a reckoned number: kernels do not agree on those.) */
static struct place behind_extension(struct bpei_compile *c, int32_t p, struct place at, bool six)
{
	int32_t one = bpei_value_imm(c, 1), two = bpei_value_imm(c, 2),
		length = bpei_value_alu(c, OP_LSH, bpei_at(c, 1, at, 1), two);
	int32_t is_51 = bpei_value_alu(c, OP_AND,
		bpei_value_alu(c, OP_AND, bpei_value_alu(c, OP_RSH, p, bpei_value_imm(c, 4)), p),
		one);
	if (six)
		length = bpei_value_alu(c, OP_MUL, length,
			bpei_value_alu(c, OP_ADD, bpei_value_alu(c, OP_NEG, is_51, -1), two));
	return (struct place){ at.base < 0 ? length : bpei_value_alu(c, OP_ADD, length, at.base),
		at.at + 8 };
}

/* Behind `depth` extension headers of IPv6: the field that says what comes next, and where that
 * begins. */
struct carried {
	struct place next, at;
};

static struct carried carried_at(struct bpei_compile *c, uint32_t depth)
{
	struct place n = c->offsets.network;
	struct carried r = { { n.base, n.at + 6 }, { n.base, n.at + 40 } };
	while (depth--)
		r = (struct carried){ r.at,
			behind_extension(c, bpei_at(c, 1, r.next, 0), r.at, true) };
	return r;
}

/* Whether that is one more of them (RFC 8200; 4302, 6275, 7401, 5533), a fragment's aside. */
static int32_t leads_on(struct bpei_compile *c, uint32_t depth)
{
	static const uint8_t kinds[] = { 0, 43, 51, 60, 135, 139, 140 };
	int32_t p = bpei_at(c, 1, carried_at(c, depth).next, 0), on = -1;
	for (size_t i = 0; i < sizeof kinds; i++)
		on = bpei_either(c, on, bpei_test(c, p, CMP_EQ, kinds[i]));
	return on;
}

/* A later fragment's header says what the datagram carries, and what follows it is no header: that
 * is enough for protocols (of_fragments). */
int32_t bpei_term_extensions(
	struct bpei_compile *c, const int32_t each[BPEI_EXTENSIONS + 1], bool of_fragments)
{
	int32_t b = each[BPEI_EXTENSIONS];
	for (uint32_t depth = BPEI_EXTENSIONS; depth--;) {
		int32_t fragment = bpei_at_is(c, 1, carried_at(c, depth).next, 0, 44);
		int32_t first = bpei_at_masked(c, 4, carried_at(c, depth).at, 0, 0, 0x00fffff8);
		int32_t on = bpei_or(c, leads_on(c, depth), bpei_and(c, fragment, first));
		b = bpei_or(c, each[depth], bpei_and(c, on, b));
		if (!of_fragments)
			continue;
		int32_t later = bpei_and(c, fragment, bpei_not(c, first));
		b = bpei_or(c, b, bpei_and(c, later, each[depth + 1]));
	}
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), b);
}

static int32_t ip6_proto(struct bpei_compile *c,
	uint32_t n) /* at once, or behind a fragment header; or behind more, if asked for */
{
	int32_t each[BPEI_EXTENSIONS + 1];
	for (uint32_t d = 0; c->through & BPE_THROUGH_IPV6_EXT && d <= BPEI_EXTENSIONS; d++)
		each[d] = bpei_at_is(c, 1, carried_at(c, d).next, 0, n);
	if (c->through & BPE_THROUGH_IPV6_EXT)
		return bpei_term_extensions(c, each, true);
	int32_t fragment = bpei_and(c, net_is(c, 1, 6, 44), net_is(c, 1, 40, n));
	return bpei_and(
		c, bpei_term_linktype(c, TYPE_IP6), bpei_or(c, net_is(c, 1, 6, n), fragment));
}

/* OSI's protocols: the first byte behind the LLC header (ISO/IEC TR 9577); frame relay's own number
 * of the network layer is that byte. */
static int32_t iso_proto(struct bpei_compile *c, uint32_t n)
{
	if (c->offsets.kind == KIND_FRELAY)
		return bpei_at_is(c, 2, c->offsets.type, 0, 0x0300 | n);
	return bpei_and(c, bpei_term_linktype(c, SAP_ISO),
		bpei_at_is(c, 1, c->offsets.payload, c->offsets.osi, n));
}

/* IS-IS (ISO/IEC 10589): the kind of its PDU, by number. */
static int32_t isis_proto(struct bpei_compile *c, uint32_t n)
{
	return bpei_and(
		c, iso_proto(c, 0x83), bpei_at_is(c, 1, c->offsets.payload, c->offsets.osi + 4, n));
}

static int32_t isis_kinds(struct bpei_compile *c, const uint8_t *kinds) /* 0 ends them */
{
	int32_t b = isis_proto(c, *kinds);
	while (*++kinds)
		b = bpei_or(c, b, isis_proto(c, *kinds));
	return b;
}

static const char protocols_end[] = "protocols end at 255";

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
		return bpei_compile_fail_term(c, "%s", protocols_end);
	switch (of) {
	case P_DEFAULT:
		return bpei_or(c, ip_proto(c, n), ip6_proto(c, n));
	case P_LINK:
		return bpei_term_linktype(c, n);
	case P_IP:
		return ip_proto(c, n);
	case P_IP6:
		return ip6_proto(c, n);
	case P_ISO:
		return iso_proto(c, n);
	case P_ISIS:
		return isis_proto(c, n);
	default:
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before proto", bpei_proto_text(of));
	}
}

int32_t bpei_term_proto_name(struct bpei_compile *c, enum proto p)
{
	switch (p) {
	case P_SCTP:
		return bpei_term_proto(c, 132, P_DEFAULT, D_DEFAULT);
	case P_TCP:
		return bpei_term_proto(c, 6, P_DEFAULT, D_DEFAULT);
	case P_UDP:
		return bpei_term_proto(c, 17, P_DEFAULT, D_DEFAULT);
	case P_PIM:
		return bpei_term_proto(c, 103, P_DEFAULT, D_DEFAULT);
	case P_AH:
		return bpei_term_proto(c, 51, P_DEFAULT, D_DEFAULT);
	case P_ESP:
		return bpei_term_proto(c, 50, P_DEFAULT, D_DEFAULT);
	case P_ICMP:
		return ip_proto(c, 1);
	case P_IGMP:
		return ip_proto(c, 2);
	case P_IGRP:
		return ip_proto(c, 9);
	case P_VRRP:
	case P_CARP:
		return ip_proto(c, 112);
	case P_ICMP6:
		return ip6_proto(c, 58);
	case P_IP:
		return bpei_term_linktype(c, TYPE_IP4);
	case P_IP6:
		return bpei_term_linktype(c, TYPE_IP6);
	case P_ARP:
		return bpei_term_linktype(c, TYPE_ARP);
	case P_RARP:
		return bpei_term_linktype(c, TYPE_RARP);
	case P_ATALK:
		return bpei_term_linktype(c, TYPE_ATALK);
	case P_AARP:
		return bpei_term_linktype(c, TYPE_AARP);
	case P_DECNET:
		return bpei_term_linktype(c, 0x6003);
	case P_SCA:
		return bpei_term_linktype(c, 0x6007);
	case P_LAT:
		return bpei_term_linktype(c, 0x6004);
	case P_MOPDL:
		return bpei_term_linktype(c, 0x6001);
	case P_MOPRC:
		return bpei_term_linktype(c, 0x6002);
	case P_ISO:
		return bpei_term_linktype(c, SAP_ISO);
	case P_ESIS:
		return bpei_term_proto(c, 0x82, P_ISO, D_DEFAULT);
	case P_ISIS:
		return bpei_term_proto(c, 0x83, P_ISO, D_DEFAULT);
	case P_CLNP:
		return bpei_term_proto(c, 0x81, P_ISO, D_DEFAULT);
	case P_L1:
		return isis_kinds(c, (const uint8_t[]){ 26, 24, 18, 15, 17, 0 });
	case P_L2:
		return isis_kinds(c, (const uint8_t[]){ 27, 25, 20, 16, 17, 0 });
	case P_IIH:
		return isis_kinds(c, (const uint8_t[]){ 17, 15, 16, 0 });
	case P_LSP:
		return isis_kinds(c, (const uint8_t[]){ 18, 20, 0 });
	case P_SNP:
		return isis_kinds(c, (const uint8_t[]){ 27, 26, 24, 25, 0 });
	case P_CSNP:
		return isis_kinds(c, (const uint8_t[]){ 24, 25, 0 });
	case P_PSNP:
		return isis_kinds(c, (const uint8_t[]){ 26, 27, 0 });
	case P_STP:
		return bpei_term_linktype(c, SAP_STP);
	case P_IPX:
		return bpei_term_linktype(c, SAP_IPX);
	case P_NETBEUI:
		return bpei_term_linktype(c, SAP_NETBEUI);
	default:
		return bpei_compile_fail_term(c,
			"\"%s\" wants something behind it, such as host, proto or [...]",
			bpei_proto_text(p));
	}
}

/* ---- Addresses ---- */

static int32_t host_of(struct bpei_compile *c, uint32_t type, uint32_t source, uint32_t target,
	uint32_t address, uint32_t mask, enum direction d)
{
	int32_t s =
		bpei_and(c, bpei_term_linktype(c, type), net_masked(c, 4, source, address, mask));
	int32_t t =
		bpei_and(c, bpei_term_linktype(c, type), net_masked(c, 4, target, address, mask));
	return bpei_both(c, s, t, d);
}

int32_t bpei_term_host(struct bpei_compile *c, uint32_t address, uint32_t mask, enum proto p,
	enum direction d, const char *what)
{
	int32_t b;
	switch (p) {
	case P_DEFAULT:
		b = host_of(c, TYPE_IP4, 12, 16, address, mask, d);
		if (c->offsets.mpls)
			return b;
		b = bpei_or(c, b, host_of(c, TYPE_ARP, 14, 24, address, mask, d));
		return bpei_or(c, b, host_of(c, TYPE_RARP, 14, 24, address, mask, d));
	case P_IP:
		return host_of(c, TYPE_IP4, 12, 16, address, mask, d);
	case P_ARP:
		return host_of(c, TYPE_ARP, 14, 24, address, mask, d);
	case P_RARP:
		return host_of(c, TYPE_RARP, 14, 24, address, mask, d);
	case P_LINK:
		return bpei_compile_fail_term(c,
			"an IPv4 address is no link-layer address: leave out \"ether\", or give aa:bb:cc:dd:ee:ff");
	default:
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before %s", bpei_proto_text(p), what);
	}
}

static int32_t words6(struct bpei_compile *c, uint32_t at, const uint8_t a[16], const uint8_t m[16])
{
	int32_t b = -1;
	for (int i = 3; i >= 0; i--) {
		uint32_t k = 0, mask = 0;
		for (int j = 0; j < 4; j++)
			k = k << 8 | a[4 * i + j], mask = mask << 8 | m[4 * i + j];
		if (!mask)
			continue; /* says nothing, and would only demand the bytes */
		int32_t t = net_masked(c, 4, at + 4 * (uint32_t)i, k, mask);
		b = b < 0 ? t : bpei_and(c, t, b);
	}
	return b < 0 ? bpei_const(c, true) : b;
}

int32_t bpei_term_host6(struct bpei_compile *c, const uint8_t a[16], const uint8_t m[16],
	enum proto p, enum direction d, const char *what)
{
	if (p != P_DEFAULT && p != P_IP6)
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before an IPv6 %s", bpei_proto_text(p), what);
	int32_t s = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), words6(c, 8, a, m));
	int32_t t = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), words6(c, 24, a, m));
	return bpei_both(c, s, t, d);
}

/* ---- Ports ---- */

static int32_t port_at(
	struct bpei_compile *c, struct place transport, uint32_t at, uint32_t low, uint32_t high)
{
	int32_t v = bpei_at(c, 2, transport, at);
	if (low == high)
		return bpei_test(c, v, CMP_EQ, low);
	return bpei_and(
		c, bpei_test(c, v, CMP_GE, low), bpei_not(c, bpei_test(c, v, CMP_GT, high)));
}

static int32_t no_fragment(struct bpei_compile *c)
{
	return bpei_not(c, bpei_test(c, bpei_at(c, 2, c->offsets.network, 6), CMP_SET, 0x1fff));
}

struct ports {
	enum proto proto;
	uint32_t low, high;
	enum direction direction;
};

/* Of the header at `transport` whose number stands at `next`. */
static int32_t ports_of(struct bpei_compile *c, bool six, struct place next, struct place transport,
	const struct ports *p)
{
	static const struct {
		enum proto proto;
		uint32_t number;
	} kinds[] = { { P_SCTP, 132 }, { P_TCP, 6 }, { P_UDP, 17 } };
	int32_t all = -1;
	for (size_t i = 0; i < 3; i++) {
		if (p->proto != P_DEFAULT && p->proto != kinds[i].proto)
			continue;
		int32_t b = bpei_at_is(c, 1, next, 0, kinds[i].number);
		if (!six)
			b = bpei_and(c, b, no_fragment(c));
		b = bpei_and(c, b,
			bpei_both(c, port_at(c, transport, 0, p->low, p->high),
				port_at(c, transport, 2, p->low, p->high), p->direction));
		all = bpei_either(c, all, b);
	}
	return all;
}

static int32_t ports(struct bpei_compile *c, bool six, const struct ports *p)
{
	const struct place n = c->offsets.network;
	int32_t each[BPEI_EXTENSIONS + 1];
	if (!six)
		return bpei_and(c, bpei_term_linktype(c, TYPE_IP4),
			ports_of(c, false, (struct place){ n.base, n.at + 9 },
				bpei_place_behind_ip4(c), p));
	for (uint32_t d = 0; d <= BPEI_EXTENSIONS && (!d || c->through & BPE_THROUGH_IPV6_EXT);
		d++) {
		const struct carried r = carried_at(c, d);
		each[d] = ports_of(c, true, r.next, r.at, p);
	}
	return c->through & BPE_THROUGH_IPV6_EXT
		       ? bpei_term_extensions(c, each, false)
		       : bpei_and(c, bpei_term_linktype(c, TYPE_IP6), each[0]);
}

int32_t bpei_term_port(
	struct bpei_compile *c, uint32_t low, uint32_t high, enum proto p, enum direction d)
{
	if (p != P_DEFAULT && p != P_TCP && p != P_UDP && p != P_SCTP)
		return bpei_compile_fail_term(
			c, "\"%s\" has no ports: tcp, udp and sctp have", bpei_proto_text(p));
	if (low > 65535 || high > 65535)
		return bpei_compile_fail_term(c, "ports end at 65535");
	if (low > high) {
		uint32_t t = low;
		low = high;
		high = t;
	}
	const struct ports of = { p, low, high, d };
	return bpei_or(c, ports(c, true, &of), ports(c, false, &of));
}

/* ---- DECnet, protochain ---- */

/* Routing headers: a short or long data packet, perhaps with a padding byte in front (0x81);
 * addresses are little-endian. */
int32_t bpei_term_decnet(struct bpei_compile *c, uint32_t area, uint32_t node, enum direction d)
{
	if (area > 63 || node > 1023)
		return bpei_compile_fail_term(c, "a DECnet address is AREA.NODE, up to 63.1023");
	uint32_t a = area << 10 | node, swapped = (a & 0xff) << 8 | a >> 8;
	int32_t ends[2];
	for (int target = 0; target < 2; target++) {
		const uint32_t plain = target ? 3 : 5, whole = target ? 9 : 17;
		int32_t b = bpei_and(c, net_masked(c, 1, 2, 2, 7), net_is(c, 2, plain, swapped));
		b = bpei_or(c, b,
			bpei_and(c, net_masked(c, 2, 2, 0x8102, 0xff07),
				net_is(c, 2, plain + 1, swapped)));
		b = bpei_or(
			c, b, bpei_and(c, net_masked(c, 1, 2, 6, 7), net_is(c, 2, whole, swapped)));
		b = bpei_or(c, b,
			bpei_and(c, net_masked(c, 2, 2, 0x8106, 0xff07),
				net_is(c, 2, whole + 1, swapped)));
		ends[target] = bpei_and(c, bpei_term_linktype(c, TYPE_DECNET), b);
	}
	return bpei_both(c, ends[0], ends[1], d);
}

#define CHAIN 6 /* headers followed: a program for a kernel has no loops */

/* Whether `number` comes in the chain that goes on with header `p` at `at`. */
static int32_t chain(
	struct bpei_compile *c, int32_t p, struct place at, uint32_t number, bool six, int left)
{
	static const uint8_t extensions[] = { 0, 60, 43, 44 };
	int32_t found = bpei_test(c, p, CMP_EQ, number), on = bpei_test(c, p, CMP_EQ, 51);
	if (!left)
		return found;
	struct place behind = behind_extension(c, p, at, six);
	for (size_t i = 0; six && i < sizeof extensions; i++)
		on = bpei_or(c, bpei_test(c, p, CMP_EQ, extensions[i]), on);
	return bpei_or(c, found,
		bpei_and(c, on, chain(c, bpei_at(c, 1, at, 0), behind, number, six, left - 1)));
}

int32_t bpei_term_protochain(struct bpei_compile *c, uint32_t number, enum proto of)
{
	if (of == P_DEFAULT) {
		int32_t four = bpei_term_protochain(c, number, P_IP);
		return bpei_or(c, four, bpei_term_protochain(c, number, P_IP6));
	}
	if (of != P_IP && of != P_IP6)
		return bpei_compile_fail_term(c, "only ip and ip6 can stand before protochain");
	if (number > 255)
		return bpei_compile_fail_term(c, "%s", protocols_end);
	if (c->offsets.network.base >= 0)
		return bpei_compile_fail_term(c,
			"protochain does not go with headers of variable length"); /* as libpcap */
	struct place n = c->offsets.network, behind = of == P_IP
							      ? bpei_place_behind_ip4(c)
							      : (struct place){ n.base, n.at + 40 };
	int32_t first = bpei_at(c, 1, n, of == P_IP ? 9 : 6);
	return bpei_and(c, bpei_term_linktype(c, of == P_IP ? TYPE_IP4 : TYPE_IP6),
		chain(c, first, behind, number, of == P_IP6, CHAIN));
}

/* ---- proto[index:size] ---- */

static int32_t load_from(struct bpei_compile *c, uint32_t size, struct place p, int32_t index)
{
	uint32_t k;
	if (bpei_value_const(c, index, &k) && k < 65536)
		return bpei_at(c, size, p, k);
	return bpei_value_load(
		c, size, p.base < 0 ? index : bpei_value_alu(c, OP_ADD, index, p.base), p.at);
}

int32_t bpei_term_load(
	struct bpei_compile *c, enum proto p, int32_t index, uint32_t size, int32_t *guard)
{
	if (index < 0)
		return *guard = -1;
	const uint32_t number = p == P_SCTP    ? 132
				: p == P_TCP   ? 6
				: p == P_UDP   ? 17
				: p == P_ICMP6 ? 58
				: p == P_PIM   ? 103
					       : 0;
	const struct place n = c->offsets.network;
	c->carried |= number;
	*guard = -1;
	if (c->extensions && number) {
		const struct carried r = carried_at(c, c->extensions - 1);
		*guard = bpei_at_is(c, 1, r.next, 0, number);
		return load_from(c, size, r.at, index);
	}
	switch (p) {
	case P_LINK:
		return load_from(c, size, c->offsets.header, index);
	case P_RADIO:
		if (c->offsets.link != LINK_RADIOTAP && c->offsets.link != LINK_AVS &&
			c->offsets.link != LINK_PRISM)
			return bpei_compile_fail_term(
				c, "packets of this link type have no radio header");
		return bpei_value_load(c, size, index, 0);
	case P_IP:
	case P_ARP:
	case P_RARP:
	case P_ATALK:
	case P_DECNET:
	case P_LAT:
	case P_SCA:
	case P_MOPRC:
	case P_MOPDL:
	case P_IP6:
		*guard = bpei_term_proto_name(c, p);
		return load_from(c, size, n, index);
	case P_SCTP:
	case P_TCP:
	case P_UDP:
	case P_ICMP:
	case P_IGMP:
	case P_IGRP:
	case P_PIM:
	case P_VRRP:
	case P_CARP:
		*guard = bpei_and(c, bpei_term_linktype(c, TYPE_IP4),
			bpei_and(c, bpei_term_proto_name(c, p), no_fragment(c)));
		return load_from(c, size, bpei_place_behind_ip4(c), index);
	case P_ICMP6:
		*guard = bpei_and(c, bpei_term_linktype(c, TYPE_IP6), net_is(c, 1, 6, 58));
		return load_from(c, size, (struct place){ n.base, n.at + 40 }, index);
	default:
		return bpei_compile_fail_term(c, "\"%s\" cannot be indexed", bpei_proto_text(p));
	}
}
