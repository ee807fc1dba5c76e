/* SPDX-License-Identifier: MIT */
/* The decoded program beside the reference interpreter: hand-made cases, and random valid programs
 * on random packets and all cuts of them. */
#include "filter/decode.h"
#include "filter/opcodes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t state = 1;

static uint32_t draw_number(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Compares both verdicts on all cuts of the packet.  Returns the first caplen with different
 * verdicts, or -1. */
static int find_different_cut(
	const struct bpe_insn *p, uint32_t n, const uint8_t *data, uint32_t size)
{
	struct bpei_decoded *f = bpei_decode(p, n);
	int found = -1;

	cr_assert(f);
	for (uint32_t cut = 0; cut <= size && found < 0; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* of the same size, for the sanitizers */
		cr_assert(copy);
		for (uint32_t i = 0; i < cut; i++)
			copy[i] = data[i];
		if (bpei_decoded_run(f, copy, size, cut) != bpei_filter_run(p, copy, size, cut))
			found = (int)cut;
		free(copy);
	}
	bpei_decoded_free(f);
	return found;
}

#define ALIKE(...)                                                                                 \
	cr_expect_eq(find_different_cut((struct bpe_insn[]){ __VA_ARGS__ },                        \
			     sizeof((struct bpe_insn[]){ __VA_ARGS__ }) / sizeof(struct bpe_insn), \
			     packet, sizeof packet),                                               \
		-1)
static const uint8_t packet[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 0, 0x45, 15, 16, 17, 18,
	19, 20, 21, 22, 6 };

Test(decode, hand_made)
{
	ALIKE({ 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x800 }, { 0x06, 0, 0, 7 }, { 0x06, 0, 0, 0 });
	ALIKE({ 0x30, 0, 0, 14 }, { 0x54, 0, 0, 0xf0 }, { 0x15, 0, 1, 0x40 }, { 0x16, 0, 0, 0 },
		{ 0x06, 0, 0, 1 });
	ALIKE({ 0xb1, 0, 0, 14 }, { 0x48, 0, 0, 2 }, { 0x35, 0, 1, 22 << 8 }, { 0x16, 0, 0, 0 },
		{ 0x87, 0, 0, 0 }, { 0x16, 0, 0, 0 });
	ALIKE({ 0xb1, 0, 0, 0xffffffff }, { 0x06, 0, 0, 1 });
	ALIKE({ 0x20, 0, 0, 0xfffffffd }, { 0x06, 0, 0, 1 });
	ALIKE({ 0x01, 0, 0, 0xffffffff }, { 0x50, 0, 0, 2 }, { 0x06, 0, 0, 1 });
	ALIKE({ 0x61, 0, 0, 3 }, { 0x87, 0, 0, 0 }, { 0x14, 0, 0, 1 }, { 0x16, 0, 0, 0 });
}

/* Checks the length again where a single path has loaded the last byte. */
Test(decode, proof_on_every_path)
{
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 22 },
		{ 0x06, 0, 0, 1 });
	ALIKE({ 0x30, 0, 0, 1 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 22 },
		{ 0x06, 0, 0, 1 });
	ALIKE({ 0x01, 0, 0, 0 }, { 0x50, 0, 0, 20 }, { 0x20, 0, 0, 17 }, { 0x20, 0, 0, 18 },
		{ 0x16, 0, 0, 0 });
	ALIKE({ 0x05, 0, 0, 1 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 20 }, { 0x16, 0, 0, 0 });
}

Test(decode, jumps_into_joined_steps)
{
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 14 }, { 0x54, 0, 0, 15 },
		{ 0x15, 0, 1, 5 }, { 0x06, 0, 0, 1 }, { 0x16, 0, 0, 0 });
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 2, 0, 0 }, { 0x30, 0, 0, 14 }, { 0x54, 0, 0, 15 },
		{ 0x25, 0, 1, 5 }, { 0x06, 0, 0, 1 }, { 0x16, 0, 0, 0 });
}

/* Runs chains of every length with values in, below, between and above the keys, and with repeated
 * keys. */
Test(decode, chains)
{
	for (uint32_t n = 1; n < 40; n++)
		for (int twice = 0; twice < 3; twice++) {
			struct bpe_insn p[64] = { { 0x30, 0, 0, 0 } };
			for (uint32_t i = 0; i < n; i++) {
				const uint8_t spread = twice == 2 ? i % 3 : 0;
				uint32_t key = draw_number() % 100 * 2 + 1;

				if (twice && i > n / 2)
					key = p[1 + i / 2].k;
				p[1 + i] = (struct bpe_insn){ 0x15, (uint8_t)(n - i - 1 + spread),
					0, key };
			}
			for (uint32_t i = 0; i < 4; i++)
				p[1 + n + i] = (struct bpe_insn){ 0x06, 0, 0, i + 1 };
			for (uint32_t v = 0; v < 256; v++)
				cr_expect_eq(
					find_different_cut(p, n + 5, (uint8_t[]){ (uint8_t)v }, 1),
					-1, "%u keys, value %u", n, v);
		}
}

static const uint8_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x81, 0x00, 0x01, 0x60,
	0x61, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x44,
	0x4c, 0x54, 0x5c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x05, 0x15, 0x1d, 0x25, 0x2d,
	0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87, 0x06, 0x16,
	/* more often: the usual opcodes of compilers */
	0x28, 0x30, 0x20, 0x48, 0x50, 0x54, 0x15, 0x15, 0x15, 0x15, 0x25, 0x35, 0x45, 0xb1 };

/* Returns a number that the opcode accepts. */
static uint32_t draw_operand(uint32_t code)
{
	const uint32_t k = draw_number() % 3 ? draw_number() % 40 : draw_number();
	const uint32_t class = code & INSN_CLASS;

	if (class == INSN_ST || class == INSN_STX || code == INSN_LD_MEM || code == INSN_LDX_MEM)
		return k % INSN_WORDS;
	if (code == INSN_LSH_K || code == INSN_RSH_K)
		return k % 32;
	if (code == INSN_DIV_K || code == INSN_MOD_K)
		return k ? k : 1;
	return k;
}

/* Fills in the jump's targets; `left` instructions follow. */
static void draw_targets(struct bpe_insn *i, uint32_t left)
{
	const uint32_t near = left > 9 && draw_number() % 4 ? 9 : left;

	if (left < 2) {
		i->code = INSN_TAX;
	} else if (i->code == INSN_JA) {
		i->k %= left;
	} else {
		i->jt = (uint8_t)(draw_number() % near);
		i->jf = (uint8_t)(draw_number() % 3 ? 0 : draw_number() % left);
	}
}

/* Writes a random valid program to p.  Returns its length. */
static uint32_t make_random_program(struct bpe_insn *p)
{
	const uint32_t n = 1 + draw_number() % 40;
	const bool chains = draw_number() % 4 == 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t left = n - i - 1;
		const bool test = chains && draw_number() % 2;
		uint32_t code = test ? INSN_JEQ_K : codes[draw_number() % sizeof codes];

		if (!left)
			code = INSN_RET_K;
		else if (code == INSN_RET_K && draw_number() % 4)
			code = INSN_LD_ABS_H;
		p[i] = (struct bpe_insn){ (uint16_t)code, 0, 0, draw_operand(code) };
		if (bpei_insn_is_jump(&p[i]))
			draw_targets(&p[i], left);
	}
	return n;
}

Test(decode, random_programs)
{
	uint32_t tested = 0;
	for (int round = 0; round < 60000; round++) {
		struct bpe_insn p[64];
		uint8_t data[48];
		uint32_t n = make_random_program(p);
		const char *why = bpei_filter_check(p, n);
		cr_assert_null(why, "program %d: %s", round, why);
		for (size_t i = 0; i < sizeof data; i++)
			data[i] = (uint8_t)(draw_number() % 4 ? draw_number() % 40 : draw_number());
		int cut = find_different_cut(p, n, data, sizeof data);
		cr_assert_eq(cut, -1, "program %d, caplen %d", round, cut);
		tested++;
	}
	cr_expect_eq(tested, 60000);
}
