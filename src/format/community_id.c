/* SPDX-License-Identifier: MIT */
/* The Community ID, by which other tools name a flow (github.com/corelight/community-id-spec).  The
 * specification uses SHA-1 (RFC 3174), of which one block is enough.  The ID is no secret.  Pure.
 */
#include "base/sized.h"
#include "bpfengine.h"
#include "packet/icmp.h"

#include <stdbool.h>
#include <string.h>

#define SHA1_BLOCK 64u
#define SHA1_ROUNDS 20 /* of each function */

typedef uint32_t sha1_function(uint32_t b, uint32_t c, uint32_t d);

static inline uint32_t rotate_left32(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

/* Returns the bits of c where b has ones, else those of d (RFC 3174, section 5). */
static inline uint32_t sha1_choose(uint32_t b, uint32_t c, uint32_t d)
{
	return d ^ (b & (c ^ d));
}

static inline uint32_t sha1_parity(uint32_t b, uint32_t c, uint32_t d)
{
	return b ^ c ^ d;
}

static inline uint32_t sha1_majority(uint32_t b, uint32_t c, uint32_t d)
{
	return (b & c) | (d & (b ^ c));
}

/* Returns word i of the schedule, of which the last 16 are kept.  Computed when needed: gcc makes
 * vectors of a loop over all 80 words, and vectors wait for stores. */
static inline uint32_t sha1_schedule_word(uint32_t w[16], int i)
{
	if (i >= 16)
		w[i % 16] = rotate_left32(
			w[(i - 3) % 16] ^ w[(i - 8) % 16] ^ w[(i - 14) % 16] ^ w[i % 16], 1);
	return w[i % 16];
}

/* Computes the steps of a function (RFC 3174, section 6.1) on A to E.  Moves no values from step to
 * step: A of step i is v[(80 - i) % 5].  Unrolled, so that A to E are registers. */
__attribute__((always_inline)) static inline void sha1_steps(
	uint32_t v[5], uint32_t w[16], int from, sha1_function *function, uint32_t constant)
{
#pragma GCC unroll 20
	for (int i = from; i < from + SHA1_ROUNDS; i++) {
		const uint32_t a = v[(80 - i) % 5];
		uint32_t *const b = &v[(81 - i) % 5];
		const uint32_t f = function(*b, v[(82 - i) % 5], v[(83 - i) % 5]);

		v[(84 - i) % 5] += rotate_left32(a, 5) + f + constant + sha1_schedule_word(w, i);
		*b = rotate_left32(*b, 30);
	}
}

/* Computes the digest of a message of one padded block. */
static void sha1_block(const uint8_t block[SHA1_BLOCK], uint8_t digest[20])
{
	const uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint32_t v[5];
	uint32_t w[16];

	memcpy(v, h, sizeof v);
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	sha1_steps(v, w, 0 * SHA1_ROUNDS, sha1_choose, 0x5a827999);
	sha1_steps(v, w, 1 * SHA1_ROUNDS, sha1_parity, 0x6ed9eba1);
	sha1_steps(v, w, 2 * SHA1_ROUNDS, sha1_majority, 0x8f1bbcdc);
	sha1_steps(v, w, 3 * SHA1_ROUNDS, sha1_parity, 0xca62c1d6);
	for (int i = 0; i < 20; i++)
		digest[i] = (uint8_t)((h[i / 4] + v[i / 4]) >> (24 - 8 * (i % 4)));
}

static void put_block_word(uint8_t *to, uint16_t word)
{
	to[0] = (uint8_t)(word >> 8);
	to[1] = (uint8_t)word;
}

/* Writes the message of the ID, padded to a block.  Returns false for ICMP without a counterpart.
 */
static bool write_community_block(
	const struct bpe_flow *f, uint16_t seed, uint8_t block[SHA1_BLOCK])
{
	const size_t bytes = f->ip_version == 6 ? 16 : 4;
	const bool is_icmp = f->ip_proto == 1 || f->ip_proto == 58;
	const bool has_ports =
		is_icmp || f->ip_proto == 6 || f->ip_proto == 17 || f->ip_proto == 132;
	uint16_t port[2] = { f->port[0], f->port[1] };
	uint8_t *at = block + 2;

	if (is_icmp) { /* the request's type and the reply's */
		const int other = f->flags & BPE_FLOW_ICMP
					  ? bpei_icmp_counterpart(f->ip_proto, f->icmp_type)
					  : -1;
		if (other < 0)
			return false;
		port[0] = f->icmp_type;
		port[1] = (uint16_t)other;
	}
	const int order = memcmp(f->addr[0], f->addr[1], bytes);
	const int first = order ? order > 0 : has_ports && port[0] > port[1];

	memset(block, 0, SHA1_BLOCK);
	put_block_word(block, seed);
	for (int k = 0; k < 2; k++, at += bytes)
		memcpy(at, f->addr[k ^ first], bytes);
	*at = f->ip_proto;
	at += 2;
	for (int k = 0; k < 2 && has_ports; k++, at += 2)
		put_block_word(at, port[k ^ first]);
	*at = 0x80;
	/* At the block's end are the bits of the message, at most 320. */
	put_block_word(block + SHA1_BLOCK - 2, (uint16_t)((at - block) * 8));
	return true;
}

/* Writes 20 bytes in base64: 28 characters, of which the last is "=". */
static void write_digest_base64(const uint8_t digest[20], char to[28])
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t padded[24] = { 0 };

	memcpy(padded, digest, 20);
	for (int i = 0; i < 7; i++) {
		const uint32_t three = (uint32_t)padded[3 * i] << 16 |
				       (uint32_t)padded[3 * i + 1] << 8 | padded[3 * i + 2];

		for (int k = 0; k < 4; k++)
			to[4 * i + k] = base64[three >> (18 - 6 * k) & 63];
	}
	to[27] = '=';
}

int bpe_flow_community_id(
	const struct bpe_flow *flow, uint16_t seed, char id[BPE_COMMUNITY_ID_BYTES])
{
	struct bpe_flow whole;
	const struct bpe_flow *f = bpei_flow_whole(flow, &whole);
	uint8_t block[SHA1_BLOCK];
	uint8_t digest[20];

	if (!f || !write_community_block(f, seed, block))
		return 0;
	sha1_block(block, digest);
	id[0] = '1';
	id[1] = ':';
	write_digest_base64(digest, id + 2);
	id[30] = 0;
	return 1;
}
