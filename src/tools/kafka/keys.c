/* SPDX-License-Identifier: MIT */
/* Keys of messages (keys.h); pure. */
#include "keys.h"

#include <string.h>

/* Returns FNV-1a of 64 bits (draft-eastlake-fnv). */
static uint64_t mix_key_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	for (size_t k = 0; k < n; k++)
		hash = (hash ^ at[k]) * 0x100000001b3u;
	return hash;
}

static uint64_t hash_key_end(uint64_t hash, const struct bpe_flow *f, uint32_t end)
{
	const uint8_t port[2] = { (uint8_t)(f->port[end] >> 8), (uint8_t)f->port[end] };

	return mix_key_bytes(
		mix_key_bytes(hash, f->addr[end], f->ip_version == 6 ? 16 : 4), port, 2);
}

/* Returns a hash that does not depend on which end is first: the lower endpoint goes first. */
static uint64_t hash_key_of(const struct bpe_flow *f)
{
	const int order = memcmp(f->addr[0], f->addr[1], f->ip_version == 6 ? 16 : 4);
	const uint32_t lower = order > 0 || (!order && f->port[0] > f->port[1]);
	uint64_t hash = mix_key_bytes(0xcbf29ce484222325u, &f->ip_proto, 1);

	hash = hash_key_end(hash, f, lower);
	return hash_key_end(hash, f, !lower);
}

static size_t write_hash_key(char *to, const struct bpe_flow *f)
{
	const uint64_t hash = hash_key_of(f);

	for (unsigned k = 0; k < 16; k++)
		to[k] = "0123456789abcdef"[hash >> (60 - 4 * k) & 15];
	to[16] = 0;
	return 16;
}

size_t kafka_key_copy(char to[KAFKA_KEY_BYTES], const char *line)
{
	/* a quotation mark within a value has a backslash before it: no value looks so */
	static const char member[] = ",\"community_id\":\"";
	const char *at = strstr(line, member);

	to[0] = 0;
	if (!at)
		return 0;
	at += sizeof member - 1;
	const size_t n = strcspn(at, "\"");

	if (n >= KAFKA_KEY_BYTES)
		return 0;
	memcpy(to, at, n);
	to[n] = 0;
	return n;
}

size_t kafka_key_write(char to[KAFKA_KEY_BYTES], const struct bpe_flow *flow, enum kafka_key kind)
{
	to[0] = 0;
	if (kind == KAFKA_KEY_NONE)
		return 0;
	if (kind == KAFKA_KEY_COMMUNITY && bpe_flow_community_id(flow, 0, to))
		return strlen(to);
	return write_hash_key(to, flow);
}
