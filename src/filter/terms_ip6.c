/* SPDX-License-Identifier: MIT */
/* IPv6's extension headers (RFC 8200), and "protochain", which follows them.  A program for a
 * kernel has no loops, so a fixed number of headers is followed. */
#include "filter/terms_ip6.h"

#include "names/numbers.h"

#define CHAIN_HEADERS 6

/* Computes the length of the header.  IPv6's extension headers count in units of 8 bytes, without
 * the first (RFC 8200).  Authentication headers count in units of 4, without the first two (RFC
 * 4302).  So the length is 8 + n * 4 * 2 or 8 + n * 4 * 1.
 * Among extension header numbers only 51 (AH) has bits 0 and 4 set, which is tested by masks:
 * kernels differ on shifts by a computed count. */
struct place bpei_ip6_behind_extension(
	struct bpei_compile *c, int32_t number, struct place at, bool six)
{
	int32_t length = bpei_value_alu_imm(c, OP_LSH, bpei_place_load(c, 1, at, 1), 2);
	const int32_t bit_4 = bpei_value_alu_imm(c, OP_RSH, number, 4);
	const int32_t both_bits = bpei_value_alu(c, OP_AND, bit_4, number);
	const int32_t is_ah = bpei_value_alu_imm(c, OP_AND, both_bits, 1);

	if (six) {
		const int32_t minus = bpei_value_alu(c, OP_NEG, is_ah, -1);
		const int32_t factor = bpei_value_alu_imm(c, OP_ADD, minus, 2);

		length = bpei_value_alu(c, OP_MUL, length, factor);
	}
	return bpei_place_behind(c, at, length, 8);
}

struct carried_header bpei_ip6_carried(struct bpei_compile *c, uint32_t depth)
{
	const struct place n = c->offsets.network;
	struct carried_header h = { { n.base, n.at + IP6_NEXT_HEADER },
		{ n.base, n.at + IP6_HEADER_BYTES } };

	while (depth--) {
		const int32_t number = bpei_place_load(c, 1, h.next, 0);

		h = (struct carried_header){ h.at,
			bpei_ip6_behind_extension(c, number, h.at, true) };
	}
	return h;
}

/* Returns the test that the header behind `depth` extension headers is an extension header, too
 * (RFC 8200; 4302, 6275, 7401, 5533), other than a fragment's. */
static int32_t test_extension(struct bpei_compile *c, uint32_t depth)
{
	static const uint8_t kinds[] = { IP_HOPOPTS, IP_ROUTING, IP_AH, IP_DSTOPTS, IP_MOBILITY,
		IP_HIP, IP_SHIM6 };
	const int32_t number = bpei_place_load(c, 1, bpei_ip6_carried(c, depth).next, 0);
	int32_t any = -1;

	for (size_t i = 0; i < sizeof kinds; i++)
		any = bpei_or_optional(c, any, bpei_test(c, number, CMP_EQ, kinds[i]));
	return any;
}

/* Joins the tests, from the deepest header on.  A later fragment's header names the protocol of the
 * datagram, although no header of the protocol follows.  The name is enough for tests of the
 * protocol alone (of_fragments). */
int32_t bpei_term_extensions(
	struct bpei_compile *c, const int32_t each[BPEI_EXTENSIONS + 1], bool of_fragments)
{
	int32_t b = each[BPEI_EXTENSIONS];

	for (uint32_t depth = BPEI_EXTENSIONS; depth--;) {
		const struct place next = bpei_ip6_carried(c, depth).next;
		const int32_t fragment = bpei_place_is(c, 1, next, 0, IP_FRAGMENT);
		const struct place at = bpei_ip6_carried(c, depth).at;
		const int32_t first = bpei_place_is_masked(c, 4, at, 0, 0, 0x00fffff8);
		const int32_t first_fragment = bpei_and(c, fragment, first);
		const int32_t on = bpei_or(c, test_extension(c, depth), first_fragment);

		b = bpei_or(c, each[depth], bpei_and(c, on, b));
		if (!of_fragments)
			continue;
		const int32_t later = bpei_and(c, fragment, bpei_not(c, first));
		b = bpei_or(c, b, bpei_and(c, later, each[depth + 1]));
	}
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), b);
}

struct chain {
	uint32_t number; /* the protocol searched for */
	bool six;
};

/* Returns the test for the protocol among the next `left` + 1 headers.  The first header has the
 * protocol number `first` (a value) and begins at `at`. */
static int32_t test_chain(
	struct bpei_compile *c, const struct chain *chain, int32_t first, struct place at, int left)
{
	static const uint8_t extensions[] = { IP_HOPOPTS, IP_DSTOPTS, IP_ROUTING, IP_FRAGMENT };
	const int32_t found = bpei_test(c, first, CMP_EQ, chain->number);
	int32_t on = bpei_test(c, first, CMP_EQ, IP_AH);

	if (!left)
		return found;
	const struct place behind = bpei_ip6_behind_extension(c, first, at, chain->six);
	for (size_t i = 0; chain->six && i < sizeof extensions; i++)
		on = bpei_or(c, bpei_test(c, first, CMP_EQ, extensions[i]), on);
	const int32_t next = bpei_place_load(c, 1, at, 0);
	const int32_t rest = test_chain(c, chain, next, behind, left - 1);

	return bpei_or(c, found, bpei_and(c, on, rest));
}

int32_t bpei_term_protochain(struct bpei_compile *c, uint32_t number, enum proto of)
{
	if (of == P_DEFAULT) {
		const int32_t four = bpei_term_protochain(c, number, P_IP);

		return bpei_or(c, four, bpei_term_protochain(c, number, P_IP6));
	}
	if (of != P_IP && of != P_IP6)
		return bpei_compile_fail_term(c, "only ip and ip6 can stand before protochain");
	if (number > 255)
		return bpei_compile_fail_term(c, "protocols end at 255");
	if (c->offsets.network.base >= 0) /* as libpcap */
		return bpei_compile_fail_term(
			c, "protochain does not go with headers of variable length");
	const struct chain chain = { number, of == P_IP6 };
	const struct place n = c->offsets.network;
	struct place behind = { n.base, n.at + IP6_HEADER_BYTES };
	if (!chain.six)
		behind = bpei_place_behind_ip4(c);
	const uint32_t field = chain.six ? IP6_NEXT_HEADER : IP4_PROTOCOL;
	const int32_t first = bpei_place_load(c, 1, n, field);
	const int32_t found = test_chain(c, &chain, first, behind, CHAIN_HEADERS);

	return bpei_and(c, bpei_term_linktype(c, chain.six ? TYPE_IP6 : TYPE_IP4), found);
}
