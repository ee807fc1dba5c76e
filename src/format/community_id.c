/* SPDX-License-Identifier: MIT */
/* The Community ID, by which other tools name a flow (github.com/corelight/community-id-spec).  The
 * specification uses SHA-1 (RFC 3174), of which one block is enough.  The ID is no secret.  Pure.
 */
#include "base/sized.h"
#include "bpfengine.h"
#include "packet/icmp.h"

#include <string.h>

static inline uint32_t rotate_left32(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

/* Returns word i of the schedule, of which the last 16 are kept.  Computed when needed: of a loop
 * over all 80 words gcc makes vectors, which wait for one another's stores. */
static inline uint32_t sha1_schedule_word(uint32_t w[16], int i)
{
	if (i >= 16)
		w[i % 16] = rotate_left32(
			w[(i - 3) % 16] ^ w[(i - 8) % 16] ^ w[(i - 14) % 16] ^ w[i % 16], 1);
	return w[i % 16];
}

/* Computes a step of RFC 3174, section 6.1, on A to E.  f: the function of B, C and D. */
static inline void sha1_round(uint32_t v[5], uint32_t f, uint32_t constant, uint32_t w)
{
	const uint32_t next = rotate_left32(v[0], 5) + f + v[4] + constant + w;
	v[4] = v[3];
	v[3] = v[2];
	v[2] = rotate_left32(v[1], 30);
	v[1] = v[0];
	v[0] = next;
}

/* Computes the digest of at most 55 bytes. */
static void sha1_short(const uint8_t *bytes, size_t n, uint8_t digest[20])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint32_t v[5];
	uint32_t w[16] = { 0 };
	for (size_t i = 0; i < n; i++)
		w[i / 4] |= (uint32_t)bytes[i] << (24 - 8 * (i % 4));
	w[n / 4] |= 0x80u << (24 - 8 * (n % 4));
	w[15] = (uint32_t)n * 8;
	memcpy(v, h, sizeof v);
	for (int i = 0; i < 20; i++)
		sha1_round(v, (v[1] & v[2]) | (~v[1] & v[3]), 0x5a827999, sha1_schedule_word(w, i));
	for (int i = 20; i < 40; i++)
		sha1_round(v, v[1] ^ v[2] ^ v[3], 0x6ed9eba1, sha1_schedule_word(w, i));
	for (int i = 40; i < 60; i++)
		sha1_round(v, (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]), 0x8f1bbcdc,
			sha1_schedule_word(w, i));
	for (int i = 60; i < 80; i++)
		sha1_round(v, v[1] ^ v[2] ^ v[3], 0xca62c1d6, sha1_schedule_word(w, i));
	for (int i = 0; i < 5; i++)
		h[i] += v[i];
	for (int i = 0; i < 20; i++)
		digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

int bpe_flow_community_id(
	const struct bpe_flow *flow, uint16_t seed, char id[BPE_COMMUNITY_ID_BYTES])
{
	struct bpe_flow whole;
	const struct bpe_flow *f = bpei_flow_whole(flow, &whole);

	if (!f)
		return 0;
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t text[2 + 32 + 2 + 4] = { (uint8_t)(seed >> 8), (uint8_t)seed };
	uint8_t digest[21] = { 0 };
	size_t n = 2;
	size_t bytes = f->ip_version == 6 ? 16 : 4;
	uint16_t port[2] = { f->port[0], f->port[1] };
	bool icmp = f->ip_proto == 1 || f->ip_proto == 58;
	bool ports = icmp || f->ip_proto == 6 || f->ip_proto == 17 || f->ip_proto == 132;
	if (icmp) { /* the request's type and the reply's */
		int other = f->flags & BPE_FLOW_ICMP
				    ? bpei_icmp_counterpart(f->ip_proto, f->icmp_type)
				    : -1;
		if (other < 0)
			return 0;
		port[0] = f->icmp_type;
		port[1] = (uint16_t)other;
	}
	int order = memcmp(f->addr[0], f->addr[1], bytes);
	int first = order ? order > 0 : ports && port[0] > port[1];
	for (int k = 0; k < 2; k++, n += bytes)
		memcpy(text + n, f->addr[k ^ first], bytes);
	text[n++] = f->ip_proto;
	text[n++] = 0;
	for (int k = 0; k < 2 && ports; k++) {
		text[n++] = (uint8_t)(port[k ^ first] >> 8);
		text[n++] = (uint8_t)port[k ^ first];
	}
	sha1_short(text, n, digest);
	id[0] = '1';
	id[1] = ':';
	for (int i = 0; i < 28; i++) {
		uint32_t three = (uint32_t)digest[i / 4 * 3] << 16 |
				 (uint32_t)digest[i / 4 * 3 + 1] << 8 | digest[i / 4 * 3 + 2];
		id[2 + i] = base64[three >> (18 - 6 * (i % 4)) & 63];
	}
	id[29] = '='; /* 20 bytes: the last group has two */
	id[30] = 0;
	return 1;
}
