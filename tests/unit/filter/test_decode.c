/* SPDX-License-Identifier: MIT */
/* The prepared program beside the plain one: hand-made cases, and random valid programs on random
 * packets and all their cuts. */
#include "filter/decode.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t state = 1;
static uint32_t any(void)
{
	return (uint32_t)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33);
}

/* -1: alike on all cuts of the packet; else the first caplen on which they are not. */
static int unlike(const struct bpe_insn *p, uint32_t n, const uint8_t *data, uint32_t size)
{
	struct bpei_decoded *f = bpei_decode(p, n);
	int found = -1;
	cr_assert(f);
	for (uint32_t cut = 0; cut <= size && found < 0; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* of its size, for the sanitizers */
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
	cr_expect_eq(unlike((struct bpe_insn[]){ __VA_ARGS__ },                                    \
			     sizeof((struct bpe_insn[]){ __VA_ARGS__ }) / sizeof(struct bpe_insn), \
			     packet, sizeof packet),                                               \
		-1)
static const uint8_t packet[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 0, 0x45, 15, 16, 17, 18,
	19, 20, 21, 22, 6 };

Test(prepare, hand_made)
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

/* One way has loaded the last byte, the other has not: the load after both must look. */
Test(prepare, proof_on_every_way)
{
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 22 },
		{ 0x06, 0, 0, 1 });
	ALIKE({ 0x30, 0, 0, 1 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 22 },
		{ 0x06, 0, 0, 1 });
	ALIKE({ 0x01, 0, 0, 0 }, { 0x50, 0, 0, 20 }, { 0x20, 0, 0, 17 }, { 0x20, 0, 0, 18 },
		{ 0x16, 0, 0, 0 });
	ALIKE({ 0x05, 0, 0, 1 }, { 0x30, 0, 0, 23 }, { 0x30, 0, 0, 20 }, { 0x16, 0, 0, 0 });
}

Test(prepare, jumps_into_what_was_joined)
{
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 1, 0, 0 }, { 0x30, 0, 0, 14 }, { 0x54, 0, 0, 15 },
		{ 0x15, 0, 1, 5 }, { 0x06, 0, 0, 1 }, { 0x16, 0, 0, 0 });
	ALIKE({ 0x30, 0, 0, 0 }, { 0x15, 2, 0, 0 }, { 0x30, 0, 0, 14 }, { 0x54, 0, 0, 15 },
		{ 0x25, 0, 1, 5 }, { 0x06, 0, 0, 1 }, { 0x16, 0, 0, 0 });
}

/* Chains of every length, values in, below, between and above the keys, with keys that come twice.
 */
Test(prepare, chains)
{
	for (uint32_t n = 1; n < 40; n++)
		for (int twice = 0; twice < 3; twice++) {
			struct bpe_insn p[64] = { { 0x30, 0, 0, 0 } };
			for (uint32_t i = 0; i < n; i++) {
				uint32_t key = any() % 100 * 2 + 1;
				if (twice && i > n / 2)
					key = p[1 + i / 2].k;
				p[1 + i] = (struct bpe_insn){ 0x15,
					(uint8_t)(n - i - 1 + (twice == 2 ? i % 3 : 0)), 0, key };
			}
			for (uint32_t i = 0; i < 4; i++)
				p[1 + n + i] = (struct bpe_insn){ 0x06, 0, 0, i + 1 };
			for (uint32_t v = 0; v < 256; v++)
				cr_expect_eq(unlike(p, n + 5, (uint8_t[]){ (uint8_t)v }, 1), -1,
					"%u keys, value %u", n, v);
		}
}

static const uint8_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x81, 0x00, 0x01, 0x60,
	0x61, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x44,
	0x4c, 0x54, 0x5c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x05, 0x15, 0x1d, 0x25, 0x2d,
	0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87, 0x06, 0x16,
	/* what compilers write, more often */
	0x28, 0x30, 0x20, 0x48, 0x50, 0x54, 0x15, 0x15, 0x15, 0x15, 0x25, 0x35, 0x45, 0xb1 };

static uint32_t random_program(struct bpe_insn *p)
{
	uint32_t n = 1 + any() % 40, loads = any() % 4 ? 0 : 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t left = n - i - 1,
			 code = loads && any() % 2 ? 0x15 : codes[any() % sizeof codes],
			 k = any() % 3 ? any() % 40 : any();
		if (!left || (code == 0x06 && any() % 4))
			code = left ? 0x28 : 0x06;
		if ((code & 7) == 2 || (code & 7) == 3 || (code & 0xe6) == 0x60)
			k %= 16;
		if (code == 0x64 || code == 0x74)
			k %= 32;
		if ((code == 0x34 || code == 0x94) && !k)
			k = 1;
		p[i] = (struct bpe_insn){ (uint16_t)code, 0, 0, k };
		if ((code & 7) == 5 && left < 2)
			p[i].code = 0x07;
		else if (code == 0x05)
			p[i].k %= left;
		else if ((code & 7) == 5)
			p[i].jt = (uint8_t)(any() % (left > 9 && any() % 4 ? 9 : left)),
			p[i].jf = (uint8_t)(any() % 3 ? 0 : any() % left);
	}
	return n;
}

Test(prepare, random_programs)
{
	uint32_t tested = 0;
	for (int round = 0; round < 60000; round++) {
		struct bpe_insn p[64];
		uint8_t data[48];
		uint32_t n = random_program(p);
		const char *why = bpei_filter_check(p, n);
		cr_assert_null(why, "program %d: %s", round, why);
		for (size_t i = 0; i < sizeof data; i++)
			data[i] = (uint8_t)(any() % 4 ? any() % 40 : any());
		int cut = unlike(p, n, data, sizeof data);
		cr_assert_eq(cut, -1, "program %d, caplen %d", round, cut);
		tested++;
	}
	cr_expect_eq(tested, 60000);
}
