/* SPDX-License-Identifier: MIT */
/* AES-128 by a table of 256 words.  Source: FIPS 197, "5.1 Cipher()", "5.2 KeyExpansion()".  Pure.
 */
#include "rewrite/aes.h"
#include "base/bytes.h"

enum { ROUNDS = 10 };

static uint8_t double_in_field(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

static uint8_t rotate_byte(uint8_t x, int n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

static uint32_t rotate_right32(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* Fills the S-box: p goes through the powers of 3, and q through those of 3's inverse. */
static void fill_aes_box(uint8_t box[256])
{
	uint8_t p = 1;
	uint8_t q = 1;

	do {
		p ^= double_in_field(p);
		q ^= (uint8_t)(q << 1);
		q ^= (uint8_t)(q << 2);
		q ^= (uint8_t)(q << 4);
		if (q & 0x80)
			q ^= 0x09;
		box[p] = (uint8_t)(q ^ rotate_byte(q, 1) ^ rotate_byte(q, 2) ^ rotate_byte(q, 3) ^
				   rotate_byte(q, 4) ^ 0x63);
	} while (p != 1);
	box[0] = 0x63;
}

static uint32_t substitute_word(const uint8_t box[256], uint32_t w)
{
	return (uint32_t)box[w >> 24] << 24 | (uint32_t)box[w >> 16 & 255] << 16 |
	       (uint32_t)box[w >> 8 & 255] << 8 | box[w & 255];
}

void bpei_aes_init(struct bpei_aes *aes, const uint8_t key[16])
{
	uint8_t constant = 1;

	fill_aes_box(aes->box);
	for (uint32_t i = 0; i < 256; i++) {
		const uint32_t once = aes->box[i];
		const uint32_t twice = double_in_field(aes->box[i]);

		aes->table[i] = twice << 24 | once << 16 | once << 8 | (once ^ twice);
	}
	for (uint32_t i = 0; i < 4; i++)
		aes->round_key[i] = bpei_be32(key + 4 * (size_t)i);
	for (uint32_t i = 4; i < 44; i++) {
		uint32_t w = aes->round_key[i - 1];

		if (i % 4 == 0) {
			w = substitute_word(aes->box, rotate_right32(w, 24)) ^ (uint32_t)constant
										       << 24;
			constant = double_in_field(constant);
		}
		aes->round_key[i] = aes->round_key[i - 4] ^ w;
	}
}

void bpei_aes_encrypt(const struct bpei_aes *aes, const uint8_t in[16], uint8_t out[16])
{
	const uint32_t *key = aes->round_key;
	const uint32_t *table = aes->table;
	uint32_t s[4], t[4];

	for (uint32_t i = 0; i < 4; i++)
		s[i] = bpei_be32(in + 4 * (size_t)i) ^ key[i];
	for (uint32_t round = 1; round < ROUNDS; round++) {
		key += 4;
		for (uint32_t i = 0; i < 4; i++)
			t[i] = table[s[i] >> 24] ^
			       rotate_right32(table[s[(i + 1) & 3] >> 16 & 255], 8) ^
			       rotate_right32(table[s[(i + 2) & 3] >> 8 & 255], 16) ^
			       rotate_right32(table[s[(i + 3) & 3] & 255], 24) ^ key[i];
		for (uint32_t i = 0; i < 4; i++)
			s[i] = t[i];
	}
	key += 4;
	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t mixed = (s[i] & 0xff000000) | (s[(i + 1) & 3] & 0xff0000) |
				       (s[(i + 2) & 3] & 0xff00) | (s[(i + 3) & 3] & 0xff);

		t[i] = substitute_word(aes->box, mixed) ^ key[i];
	}
	for (uint32_t i = 0; i < 4; i++)
		bpei_put_be32(out + 4 * (size_t)i, t[i]);
}
