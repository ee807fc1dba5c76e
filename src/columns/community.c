/* SPDX-License-Identifier: MIT */
/* The Community IDs of a block of rows (format/community_id.c has the rules).
 *
 * An ID is a SHA-1 of one block of 64 bytes (RFC 3174), and a step of SHA-1 waits for the step
 * before.  So four rows are computed side by side, a row in each lane. */
#include "columns/columns.h"
#include "packet/icmp.h"

#include <string.h>

#define LANES 4u
#define DIGEST_WORDS 5u

typedef uint32_t sha1_lanes __attribute__((vector_size(16)));

/* Returns whether the type of ICMP has a reply; *ports: the request's type and the reply's. */
static bool find_icmp_types(const struct bpe_flow *f, uint16_t ports[2])
{
	const int other =
		f->flags & BPE_FLOW_ICMP ? bpei_icmp_counterpart(f->ip_proto, f->icmp_type) : -1;

	ports[0] = f->icmp_type;
	ports[1] = (uint16_t)other;
	return other >= 0;
}

void bpei_columns_stage_community(struct bpei_staged *s, const struct bpe_flow *f)
{
	const bool is_icmp = f->ip_proto == 1 || f->ip_proto == 58;
	const bool has_ports =
		is_icmp || f->ip_proto == 6 || f->ip_proto == 17 || f->ip_proto == 132;
	const size_t bytes = f->ip_version == 6 ? 16 : 4;
	uint16_t ports[2] = { f->port[0], f->port[1] };
	uint8_t *at = s->message + 2; /* behind the seed, 0 */

	s->has_community = !is_icmp || find_icmp_types(f, ports);
	if (!s->has_community)
		return;
	const int order = memcmp(f->addr[0], f->addr[1], bytes);
	const int first = order ? order > 0 : has_ports && ports[0] > ports[1];

	memset(s->message, 0, sizeof s->message);
	for (int k = 0; k < 2; k++, at += bytes)
		memcpy(at, f->addr[k ^ first], bytes);
	*at = f->ip_proto;
	at += 2;
	for (int k = 0; k < 2 && has_ports; k++) {
		*at++ = (uint8_t)(ports[k ^ first] >> 8);
		*at++ = (uint8_t)ports[k ^ first];
	}
	*at = 0x80;
	/* At the block's end are the bits of the message, at most 320. */
	const size_t bits = (size_t)(at - s->message) * 8;
	s->message[BPEI_COMMUNITY_BLOCK - 2] = (uint8_t)(bits >> 8);
	s->message[BPEI_COMMUNITY_BLOCK - 1] = (uint8_t)bits;
}

static inline sha1_lanes rotate_lanes(sha1_lanes v, int n)
{
	return v << n | v >> (32 - n);
}

/* Computes a step of RFC 3174, section 6.1, on A to E.  f: the function of B, C and D. */
static inline void mix_lanes(sha1_lanes v[5], sha1_lanes f, uint32_t constant, sha1_lanes w)
{
	const sha1_lanes next = rotate_lanes(v[0], 5) + f + v[4] + constant + w;

	v[4] = v[3];
	v[3] = v[2];
	v[2] = rotate_lanes(v[1], 30);
	v[1] = v[0];
	v[0] = next;
}

/* Returns word i of a message. */
static inline uint32_t message_word(const struct bpei_staged *row, int i)
{
	const uint8_t *at = row->message + 4 * i;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Computes the digests of LANES messages.  digests[i]: word i of each digest. */
static void digest_lanes(const struct bpei_staged *const rows[LANES], sha1_lanes digests[5])
{
	static const uint32_t begin[DIGEST_WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe,
		0x10325476, 0xc3d2e1f0 };
	sha1_lanes w[80], v[DIGEST_WORDS];

	for (int i = 0; i < 16; i++)
		w[i] = (sha1_lanes){ message_word(rows[0], i), message_word(rows[1], i),
			message_word(rows[2], i), message_word(rows[3], i) };
	for (int i = 16; i < 80; i++)
		w[i] = rotate_lanes(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (uint32_t i = 0; i < DIGEST_WORDS; i++)
		v[i] = (sha1_lanes){ 0 } + begin[i];
	for (int i = 0; i < 20; i++)
		mix_lanes(v, v[3] ^ (v[1] & (v[2] ^ v[3])), 0x5a827999, w[i]);
	for (int i = 20; i < 40; i++)
		mix_lanes(v, v[1] ^ v[2] ^ v[3], 0x6ed9eba1, w[i]);
	for (int i = 40; i < 60; i++)
		mix_lanes(v, (v[1] & v[2]) | (v[3] & (v[1] | v[2])), 0x8f1bbcdc, w[i]);
	for (int i = 60; i < 80; i++)
		mix_lanes(v, v[1] ^ v[2] ^ v[3], 0xca62c1d6, w[i]);
	for (uint32_t i = 0; i < DIGEST_WORDS; i++)
		digests[i] = v[i] + begin[i];
}

/* Writes the text of an ID: "1:", and the digest of five words in base64, 12 bits at a time. */
static void write_community(const struct bpe_columns *c, const uint32_t digest[5], char *to)
{
	const uint64_t words[3] = { (uint64_t)digest[0] << 32 | digest[1],
		(uint64_t)digest[2] << 32 | digest[3], (uint64_t)digest[4] << 32 };
	const uint64_t parts[3] = { words[0] >> 4, words[0] << 56 | words[1] >> 8,
		words[1] << 52 | words[2] >> 12 };

	*to++ = '1';
	*to++ = ':';
	for (int i = 0; i < 14; i++) {
		const uint64_t part = parts[i / 5] >> (48 - 12 * (i % 5));

		memcpy(to + 2 * i, c->base64[part & 0xfff], 2);
	}
	to[27] = '='; /* 20 bytes: the last group has two */
}

uint64_t bpei_columns_write_communities(const struct bpe_columns *c, uint32_t n, char *to)
{
	uint64_t valid = 0;

	for (uint32_t from = 0; from < n; from += LANES) {
		const struct bpei_staged *rows[LANES];
		sha1_lanes digests[DIGEST_WORDS];

		for (uint32_t k = 0; k < LANES; k++)
			rows[k] = &c->block[from + k < n ? from + k : from];
		digest_lanes(rows, digests);
		for (uint32_t k = 0; k < LANES && from + k < n; k++) {
			const uint32_t digest[DIGEST_WORDS] = { digests[0][k], digests[1][k],
				digests[2][k], digests[3][k], digests[4][k] };

			if (!rows[k]->has_community)
				continue;
			write_community(c, digest, to);
			to += BPEI_COMMUNITY_BYTES;
			valid |= UINT64_C(1) << (from + k);
		}
	}
	return valid;
}
