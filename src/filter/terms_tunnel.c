/* SPDX-License-Identifier: MIT */
/* Encapsulations: the test that a packet has the encapsulation, and the place of the packet inside.
 * Sources: RFC 2784 and 2890 (GRE), RFC 2003, 2473 and 4213 (IP in IP), RFC 7348 (VXLAN), RFC 8926
 * (Geneve), 3GPP TS 29.281 (GTP-U). */
#include "filter/links.h"
#include "filter/terms_ip6.h"

#define UDP_HEADER_BYTES 8u

enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_GTPU = 2152 };

/* A network identifier that the packet must have, if `given`. */
struct network_id {
	bool given;
	uint32_t number;
};

/* Tests for IPv4 or IPv6 that carries the protocol, and is no later fragment.  Stores the begin of
 * the protocol's header in *at. */
static int32_t test_carried_ip(struct bpei_compile *c, bool six, uint32_t proto, struct place *at)
{
	const struct place n = c->offsets.network;
	const uint32_t field = six ? IP6_NEXT_HEADER : IP4_PROTOCOL;
	const int32_t is_proto = bpei_place_is(c, 1, n, field, proto);
	const int32_t b = bpei_and(c, bpei_term_linktype(c, six ? TYPE_IP6 : TYPE_IP4), is_proto);

	if (six) {
		*at = (struct place){ n.base, n.at + IP6_HEADER_BYTES };
		return b;
	}
	*at = bpei_place_behind_ip4(c);
	return bpei_and(c, b, bpei_place_no_fragment(c));
}

/* Tests for UDP to the port.  Stores the begin of UDP's payload in *at. */
static int32_t test_carried_udp(struct bpei_compile *c, bool six, uint32_t port, struct place *at)
{
	int32_t b = test_carried_ip(c, six, IP_UDP, at);

	b = bpei_and(c, b, bpei_place_is(c, 2, *at, 2, port));
	at->at += UDP_HEADER_BYTES;
	return b;
}

/* Moves the offsets to the packet at `at`, whose ethertype is at `type`: an Ethernet frame, or any
 * other packet.  Returns the test of the ethertype. */
static int32_t enter_typed(
	struct bpei_compile *c, struct place type, bool ethernet, struct place at)
{
	const int32_t is_ethernet = bpei_place_is(c, 2, type, 0, TYPE_BRIDGED);

	if (ethernet) {
		bpei_link_enter(c, LINK_ETHERNET, at);
		return is_ethernet;
	}
	c->offsets = (struct offsets){ .link = LINK_GENEVE,
		.kind = KIND_TYPE,
		.header = at,
		.type = type,
		.payload = at,
		.network = at };
	return bpei_not(c, is_ethernet);
}

/* Returns 4 if the bit of GRE's flags is set, otherwise 0: the bytes of an optional field. */
static int32_t load_gre_field(struct bpei_compile *c, int32_t flags, uint32_t bit)
{
	return bpei_value_alu_imm(c, OP_AND, bpei_value_alu_imm(c, OP_RSH, flags, bit - 2), 4);
}

static int32_t enter_gre(struct bpei_compile *c, bool six, bool ethernet)
{
	struct place at;
	int32_t b = test_carried_ip(c, six, IP_GRE, &at);
	const int32_t flags = bpei_place_load(c, 2, at, 0);
	const struct place type = { at.base, at.at + 2 };

	/* Version 0, and no source routes. */
	b = bpei_and(c, b, bpei_not(c, bpei_test(c, flags, CMP_SET, 0x4007)));
	const int32_t checksum = load_gre_field(c, flags, 15);
	const int32_t key = load_gre_field(c, flags, 13);
	const int32_t sequence = load_gre_field(c, flags, 12);
	const int32_t two = bpei_value_alu(c, OP_ADD, sequence, key);
	const int32_t length = bpei_value_alu(c, OP_ADD, two, checksum);
	const struct place inside = bpei_place_behind(c, at, length, 4);

	return bpei_and(c, b, enter_typed(c, type, ethernet, inside));
}

static int32_t enter_ip_in_ip(struct bpei_compile *c, bool six)
{
	struct place at;
	const int32_t four = test_carried_ip(c, six, IP_IPIP, &at);
	const int32_t b = bpei_or(c, four, test_carried_ip(c, six, IP_IPV6, &at));

	bpei_link_enter(c, LINK_RAW, at);
	return b;
}

/* Returns "b, and the network identifier at `at` + 4 is `id`". */
static int32_t add_network_id(
	struct bpei_compile *c, int32_t b, struct place at, const struct network_id *id)
{
	if (!id->given)
		return b;
	return bpei_and(c, b, bpei_place_is_masked(c, 4, at, 4, id->number << 8, 0xffffff00));
}

static int32_t enter_vxlan(struct bpei_compile *c, bool six, const struct network_id *id)
{
	struct place at;
	int32_t b = test_carried_udp(c, six, PORT_VXLAN, &at);

	b = bpei_and(c, b, bpei_place_has(c, at, 0, 8));
	b = add_network_id(c, b, at, id);
	at.at += 8;
	bpei_link_enter(c, LINK_ETHERNET, at);
	return b;
}

static int32_t enter_geneve(
	struct bpei_compile *c, bool six, bool ethernet, const struct network_id *id)
{
	struct place at;
	int32_t b = test_carried_udp(c, six, PORT_GENEVE, &at);

	b = bpei_and(c, b, bpei_place_is_masked(c, 1, at, 0, 0, 0xc0));
	b = add_network_id(c, b, at, id);
	const int32_t words = bpei_value_alu_imm(c, OP_AND, bpei_place_load(c, 1, at, 0), 0x3f);
	const int32_t options = bpei_value_alu_imm(c, OP_LSH, words, 2);
	const struct place type = { at.base, at.at + 2 };
	const struct place inside = bpei_place_behind(c, at, options, 8);

	return bpei_and(c, b, enter_typed(c, type, ethernet, inside));
}

/* Enters a G-PDU.  With any of the flags E, S and PN the header has four bytes more; with E, an
 * extension header follows. */
static int32_t enter_gtpu(struct bpei_compile *c, bool six)
{
	struct place at;
	int32_t b = test_carried_udp(c, six, PORT_GTPU, &at);
	const int32_t flags = bpei_place_load(c, 1, at, 0);
	const int32_t is_g_pdu = bpei_place_is(c, 1, at, 1, 255);

	b = bpei_and(c, b, bpei_place_is_masked(c, 1, at, 0, 0x30, 0xf0));
	b = bpei_and(c, b, is_g_pdu);
	const int32_t any_flag = bpei_value_alu_imm(c, OP_AND, flags, 7);
	const int32_t sum = bpei_value_alu_imm(c, OP_ADD, any_flag, 7);
	const int32_t half = bpei_value_alu_imm(c, OP_RSH, sum, 1);
	const int32_t four_if_any = bpei_value_alu_imm(c, OP_AND, half, 4);
	const int32_t words = bpei_place_load(c, 1, at, 12);
	const int32_t four_if_e = bpei_value_alu_imm(c, OP_AND, flags, 4);
	const int32_t extension = bpei_value_alu(c, OP_MUL, four_if_e, words);
	const int32_t length = bpei_value_alu(c, OP_ADD, extension, four_if_any);

	bpei_link_enter(c, LINK_RAW, bpei_place_behind(c, at, length, 8));
	return b;
}

int32_t bpei_tunnel_enter(
	struct bpei_compile *c, uint32_t kind, uint32_t shape, bool has_vni, uint32_t vni)
{
	/* Shapes of each encapsulation, by the bits of BPE_THROUGH_. */
	static const uint8_t shapes[] = { 1, 1, 1, 4, 2, 2, 4, 2 };
	const bool six = shape & 1;
	const bool ethernet = shape & 2;
	const struct network_id id = { has_vni, vni };

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
		return enter_gre(c, six, ethernet);
	case BPE_THROUGH_IPIP:
		return enter_ip_in_ip(c, six);
	case BPE_THROUGH_VXLAN:
		return enter_vxlan(c, six, &id);
	case BPE_THROUGH_GENEVE:
		return enter_geneve(c, six, ethernet, &id);
	default:
		return enter_gtpu(c, six);
	}
}

/* Assumes the c->tunnel-th shape of the tunnel, or, behind the last shape, a packet without the
 * tunnel (parse_shapes in compile.c). */
int32_t bpei_term_tunnel(struct bpei_compile *c, uint32_t kind, bool has_vni, uint32_t vni)
{
	const struct offsets here = c->offsets;
	int32_t any = -1;
	int32_t b;

	if (c->inners)
		return bpei_compile_fail_final(c,
			"geneve and vxlan cannot stand in inner(), which goes behind them itself");
	if (c->tunnel_kind)
		return bpei_compile_fail_term(c,
			"one geneve or vxlan can be in an expression (inner() and --through go on)");
	if (has_vni && vni > 0xffffff)
		return bpei_compile_fail_term(c, "network identifiers end at 16777215");
	for (uint32_t shape = 0;; shape++) {
		c->offsets = here;
		b = bpei_tunnel_enter(c, kind, shape, has_vni, vni);
		if (b < 0 || shape == c->tunnel)
			break;
		any = any < 0 ? b : bpei_or(c, any, b);
	}
	if (c->failed)
		return -1;
	c->tunnel_kind = kind;
	if (b != BPEI_NO_SHAPE) {
		c->tunnel_guard = b;
		return bpei_const(c, true);
	}
	c->tunnel_guard = bpei_not(c, any);
	c->offsets = here;
	c->tunnel_absent = true;
	return bpei_const(c, false);
}
