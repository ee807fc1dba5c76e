/* SPDX-License-Identifier: MIT */
/* Loads and tests at places of the packet.  Pure over struct bpei_compile. */
#include "filter/places.h"

int32_t bpei_place_load(struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus)
{
	return bpei_value_load(c, size, p.base, p.at + plus);
}

int32_t bpei_place_is(
	struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus, uint32_t k)
{
	return bpei_test(c, bpei_place_load(c, size, p, plus), CMP_EQ, k);
}

int32_t bpei_place_has(struct bpei_compile *c, struct place p, uint32_t plus, uint32_t bits)
{
	return bpei_test(c, bpei_place_load(c, 1, p, plus), CMP_SET, bits);
}

int32_t bpei_place_is_masked(struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus,
	uint32_t k, uint32_t mask)
{
	const uint32_t all = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	int32_t v = bpei_place_load(c, size, p, plus);

	if ((mask & all) != all)
		v = bpei_value_alu_imm(c, OP_AND, v, mask);
	return bpei_test(c, v, CMP_EQ, k & mask);
}

int32_t bpei_place_is_mac(struct bpei_compile *c, struct place p, uint32_t plus, const uint8_t a[6])
{
	const uint32_t high = (uint32_t)a[0] << 8 | a[1];
	const uint32_t low =
		(uint32_t)a[2] << 24 | (uint32_t)a[3] << 16 | (uint32_t)a[4] << 8 | a[5];
	const int32_t high_equal = bpei_place_is(c, 2, p, plus, high);
	const int32_t low_equal = bpei_place_is(c, 4, p, plus + 2, low);

	return bpei_and(c, low_equal, high_equal);
}

struct place bpei_place_behind(
	struct bpei_compile *c, struct place p, int32_t length, uint32_t plus)
{
	if (p.base >= 0)
		length = bpei_value_alu(c, OP_ADD, length, p.base);
	return (struct place){ length, p.at + plus };
}

/* Computes the length of the IPv4 header, which is 4 times the lower half of the first byte. */
struct place bpei_place_behind_ip4(struct bpei_compile *c)
{
	const struct place n = c->offsets.network;

	if (n.base < 0) {
		const struct value msh = { .kind = VALUE_MSH, .a = -1, .b = -1, .k = n.at };

		return (struct place){ bpei_value_intern(c, msh), n.at };
	}
	const int32_t words = bpei_value_alu_imm(c, OP_AND, bpei_place_load(c, 1, n, 0), 15);

	return bpei_place_behind(c, n, bpei_value_alu_imm(c, OP_LSH, words, 2), 0);
}

int32_t bpei_place_no_fragment(struct bpei_compile *c)
{
	const int32_t fragment = bpei_place_load(c, 2, c->offsets.network, 6);

	return bpei_not(c, bpei_test(c, fragment, CMP_SET, 0x1fff));
}

int32_t bpei_by_direction(struct bpei_compile *c, int32_t source, int32_t target, enum direction d)
{
	switch (d) {
	case D_SRC:
		return source;
	case D_DST:
		return target;
	case D_AND:
		return bpei_and(c, source, target);
	default:
		return bpei_or(c, source, target);
	}
}
