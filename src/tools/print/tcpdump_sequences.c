/* SPDX-License-Identifier: MIT */
/* First sequence numbers of TCP's connections.
 *
 * A table of a fixed size: buckets of four places.  A new connection in a full bucket takes the
 * place of the least recently used connection, which then begins anew.  tcpdump itself
 * keeps all connections for ever. */
#include "tcpdump_layers.h"

#include <stdlib.h>

enum { BUCKET_BITS = 15, WAYS = 4 };

struct tcpdump_sequences {
	struct tcpdump_connection places[1 << BUCKET_BITS][WAYS];
};

struct tcpdump_sequences *tcpdump_sequences_new(void)
{
	return calloc(1, sizeof(struct tcpdump_sequences));
}

void tcpdump_sequences_free(struct tcpdump_sequences *sequences)
{
	free(sequences);
}

static uint32_t hash_connection(const struct tcpdump_connection *key)
{
	uint64_t words[4] = { 0 };
	uint64_t hash = (uint64_t)key->port[0] << 16 | key->port[1];

	memcpy(words, key->address, key->version == 4 ? 20 : 32);
	for (int i = 0; i < 4; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return (uint32_t)(hash >> (32 - BUCKET_BITS)) & ((1u << BUCKET_BITS) - 1);
}

static bool is_same_connection(
	const struct tcpdump_connection *a, const struct tcpdump_connection *b)
{
	return a->version == b->version && a->port[0] == b->port[0] && a->port[1] == b->port[1] &&
	       !memcmp(a->address, b->address, sizeof a->address);
}

/* Makes a place the youngest of its bucket; ages are 0 (youngest) to 3. */
static void renew_place(struct tcpdump_connection *bucket, struct tcpdump_connection *place)
{
	for (int i = 0; i < WAYS; i++)
		bucket[i].age = (uint8_t)(bucket[i].age + (bucket[i].age < place->age));
	place->age = 0;
}

struct tcpdump_connection *tcpdump_connection_find(
	struct tcpdump_sequences *sequences, const struct tcpdump_connection *key, bool *is_new)
{
	struct tcpdump_connection *bucket = sequences->places[hash_connection(key)];
	struct tcpdump_connection *oldest = bucket;

	for (int i = 0; i < WAYS; i++) {
		if (is_same_connection(&bucket[i], key)) {
			if (bucket[i].age)
				renew_place(bucket, &bucket[i]);
			*is_new = false;
			return &bucket[i];
		}
		if (!bucket[i].version || (oldest->version && bucket[i].age > oldest->age))
			oldest = &bucket[i];
	}
	/* A free place is the oldest of all. */
	if (!oldest->version)
		oldest->age = WAYS;
	renew_place(bucket, oldest);
	memcpy(oldest, key, sizeof *key);
	*is_new = true;
	return oldest;
}
