/* SPDX-License-Identifier: MIT */
/* Encapsulations: the test that a packet has one, and where the packet inside it begins.  Sources:
 * RFC 2784 and 2890 (GRE), RFC 2003, 2473 and 4213 (IP in IP), RFC 7348 (VXLAN), RFC 8926 (Geneve),
 * 3GPP TS 29.281 (GTP-U). */
#include "filter/terms.h"

enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_GTPU = 2152 };

static int32_t imm(struct bpei_compile *c, uint32_t k)
{
	return bpei_value_imm(c, k);
}
static int32_t alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	return bpei_value_alu(c, op, a, b);
}

/* The place `length` (a value) and `plus` behind p. */
static struct place behind(struct bpei_compile *c, struct place p, int32_t length, uint32_t plus)
{
	return (struct place){ p.base < 0 ? length : alu(c, OP_ADD, length, p.base), p.at + plus };
}

/* IPv4 or IPv6 that carries the protocol, no later fragment; where that begins goes to *at. */
static int32_t carried(struct bpei_compile *c, bool six, uint32_t proto, struct place *at)
{
	struct place n = c->offsets.network;
	int32_t b = bpei_and(c, bpei_term_linktype(c, six ? TYPE_IP6 : TYPE_IP4),
		bpei_at_is(c, 1, n, six ? 6 : 9, proto));
	*at = six ? (struct place){ n.base, n.at + 40 } : bpei_place_behind_ip4(c);
	if (!six)
		b = bpei_and(c, b, bpei_not(c, bpei_test(c, bpei_at(c, 2, n, 6), CMP_SET, 0x1fff)));
	return b;
}

static int32_t carried_udp(struct bpei_compile *c, bool six, uint32_t port, struct place *at)
{
	int32_t b = carried(c, six, IP_UDP, at);
	b = bpei_and(c, b, bpei_at_is(c, 2, *at, 2, port));
	at->at += 8;
	return b;
}

/* Ethernet by its ethertype, or any other packet, which is then told by that. */
static int32_t inside(struct bpei_compile *c, struct place type, bool ethernet, struct place at)
{
	int32_t b = bpei_at_is(c, 2, type, 0, TYPE_BRIDGED);
	if (ethernet) {
		bpei_link_plain(c, LINK_ETHERNET, at);
		return b;
	}
	c->offsets = (struct offsets){ .link = LINK_GENEVE,
		.kind = KIND_TYPE,
		.header = at,
		.type = type,
		.payload = at,
		.network = at };
	return bpei_not(c, b);
}

static int32_t gre(struct bpei_compile *c, bool six, bool ethernet)
{
	struct place at;
	int32_t b = carried(c, six, IP_GRE, &at), flags = bpei_at(c, 2, at, 0), four = imm(c, 4);
	b = bpei_and(c, b,
		bpei_not(
			c, bpei_test(c, flags, CMP_SET, 0x4007))); /* no source routes, version 0 */
	int32_t sum = alu(c, OP_AND, alu(c, OP_RSH, flags, imm(c, 13)), four),
		key = alu(c, OP_AND, alu(c, OP_RSH, flags, imm(c, 11)), four);
	int32_t length = alu(c, OP_ADD,
		alu(c, OP_ADD, alu(c, OP_AND, alu(c, OP_RSH, flags, imm(c, 10)), four), key), sum);
	return bpei_and(c, b,
		inside(c, (struct place){ at.base, at.at + 2 }, ethernet,
			behind(c, at, length, 4)));
}

static int32_t ipip(struct bpei_compile *c, bool six)
{
	const struct offsets here = c->offsets;
	struct place at;
	int32_t four = carried(c, six, IP_IPIP, &at),
		b = bpei_or(c, four, carried(c, six, IP_IPV6, &at));
	c->offsets = here;
	bpei_link_plain(c, LINK_RAW, at);
	return b;
}

static int32_t vni_is(
	struct bpei_compile *c, int32_t b, struct place at, bool has_vni, uint32_t vni)
{
	return has_vni ? bpei_and(c, b, bpei_at_masked(c, 4, at, 4, vni << 8, 0xffffff00)) : b;
}

static int32_t vxlan(struct bpei_compile *c, bool six, bool has_vni, uint32_t vni)
{
	struct place at;
	int32_t b = carried_udp(c, six, PORT_VXLAN, &at);
	b = vni_is(c, bpei_and(c, b, bpei_at_has(c, at, 0, 8)), at, has_vni, vni);
	at.at += 8;
	bpei_link_plain(c, LINK_ETHERNET, at);
	return b;
}

static int32_t geneve(struct bpei_compile *c, bool six, bool ethernet, bool has_vni, uint32_t vni)
{
	struct place at;
	int32_t b = carried_udp(c, six, PORT_GENEVE, &at);
	b = vni_is(c, bpei_and(c, b, bpei_at_masked(c, 1, at, 0, 0, 0xc0)), at, has_vni, vni);
	int32_t options =
		alu(c, OP_LSH, alu(c, OP_AND, bpei_at(c, 1, at, 0), imm(c, 0x3f)), imm(c, 2));
	return bpei_and(c, b,
		inside(c, (struct place){ at.base, at.at + 2 }, ethernet,
			behind(c, at, options, 8)));
}

/* A G-PDU; with any of the flags E, S and PN four bytes more, with E one extension header more. */
static int32_t gtpu(struct bpei_compile *c, bool six)
{
	struct place at;
	int32_t b = carried_udp(c, six, PORT_GTPU, &at), flags = bpei_at(c, 1, at, 0);
	b = bpei_and(c, bpei_and(c, b, bpei_at_masked(c, 1, at, 0, 0x30, 0xf0)),
		bpei_at_is(c, 1, at, 1, 255));
	int32_t any = alu(c, OP_AND,
		alu(c, OP_RSH, alu(c, OP_ADD, alu(c, OP_AND, flags, imm(c, 7)), imm(c, 7)),
			imm(c, 1)),
		imm(c, 4));
	int32_t extension = alu(c, OP_MUL, alu(c, OP_AND, flags, imm(c, 4)), bpei_at(c, 1, at, 12));
	at = behind(c, at, alu(c, OP_ADD, extension, any), 8);
	bpei_link_plain(c, LINK_RAW, at);
	return b;
}

int32_t bpei_tunnel_enter(
	struct bpei_compile *c, uint32_t kind, uint32_t shape, bool has_vni, uint32_t vni)
{
	static const uint8_t shapes[] = { 1, 1, 1, 4, 2, 2, 4,
		2 }; /* by the bits of BPE_THROUGH_ */
	bool six = shape & 1, ethernet = shape & 2;
	if (shape >= shapes[__builtin_ctz(kind)])
		return BPEI_NO_SHAPE;
	switch (kind) {
	case BPE_THROUGH_VLAN:
		return bpei_term_vlan(c, false, 0);
	case BPE_THROUGH_MPLS:
		return bpei_term_mpls(c, false, 0);
	case BPE_THROUGH_PPPOE:
		return bpei_term_pppoe(c, true, false, 0);
	case BPE_THROUGH_GRE:
		return gre(c, six, ethernet);
	case BPE_THROUGH_IPIP:
		return ipip(c, six);
	case BPE_THROUGH_VXLAN:
		return vxlan(c, six, has_vni, vni);
	case BPE_THROUGH_GENEVE:
		return geneve(c, six, ethernet, has_vni, vni);
	default:
		return gtpu(c, six);
	}
}

/* In the expression itself the packet is taken to have the c->tunnel-th shape, or (the last one) to
 * have none: see bpei_compile. */
int32_t bpei_term_tunnel(struct bpei_compile *c, uint32_t kind, bool has_vni, uint32_t vni)
{
	if (c->inners)
		return bpei_compile_end(c,
			"geneve and vxlan cannot stand in inner(), which goes behind them itself");
	if (c->tunnel_kind)
		return bpei_compile_fail_term(c,
			"one geneve or vxlan can be in an expression (inner() and --through go on)");
	if (has_vni && vni > 0xffffff)
		return bpei_compile_fail_term(c, "network identifiers end at 16777215");
	const struct offsets here = c->offsets;
	int32_t all = -1, b;
	for (uint32_t shape = 0;; shape++) { /* one that the packet has, or any at all */
		c->offsets = here;
		b = bpei_tunnel_enter(c, kind, shape, has_vni, vni);
		if (b == BPEI_NO_SHAPE || b < 0)
			break;
		if (shape == c->tunnel)
			break;
		all = all < 0 ? b : bpei_or(c, all, b);
	}
	if (c->failed)
		return -1;
	c->tunnel_kind = kind;
	c->tunnel_guard = b != BPEI_NO_SHAPE ? b : bpei_not(c, all);
	if (b != BPEI_NO_SHAPE)
		return bpei_const(c, true);
	c->offsets = here;
	c->tunnel_last = true;
	return bpei_const(c, false);
}
