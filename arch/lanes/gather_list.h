/* SPDX-License-Identifier: MIT */
/* Lists of packets that arch/lanes/parse_lanes.h gathers into groups by IP version. */
#ifndef BPEI_LANES_GATHER_LIST_H
#define BPEI_LANES_GATHER_LIST_H

#include "arch/arch.h"

enum { GATHER_IP4 = 0x80, GATHER_IP6 = 0x40 };

/* A packet of a list. */
struct gather_entry {
	uint16_t bytes_left; /* bytes captured from the IP header on; 65535: so many or more */
	uint8_t index;       /* the packet's index in the batch */
	uint8_t network;     /* offset of the IP header, and GATHER_IP4 or GATHER_IP6 */
};
_Static_assert(sizeof(struct gather_entry) == 4 && BPE_BATCH <= 256, "a word of a vector");

/* The two lists of a batch, with lengths. */
struct gather_lists {
	struct gather_entry *ip4, *ip6;
	size_t ip4_count, ip6_count;
};

/* Returns the layers of lane j: of packet indexes[j], or of packet j if indexes is NULL. */
static inline __attribute__((always_inline)) struct bpe_layers *layers_at(
	struct bpe_layers *layers, const uint32_t *indexes, uint32_t j)
{
	return layers + (indexes ? indexes[j] : j);
}

/* Returns the key of lane j: of packet indexes[j], or of packet j if indexes is NULL. */
static inline __attribute__((always_inline)) struct bpe_key *key_at(
	struct bpe_key *key, const uint32_t *indexes, uint32_t j)
{
	return key + (indexes ? indexes[j] : j);
}

/* Appends n entries, given as words.  Each entry is written behind the end of both lists.  The
 * entry's flags then make a list longer, or none.  So there is no branch on the version. */
static inline __attribute__((always_inline)) void append_words(
	struct gather_lists *lists, const uint32_t *words, uint32_t n)
{
	size_t ip4_count = lists->ip4_count;
	size_t ip6_count = lists->ip6_count;

	for (uint32_t j = 0; j < n; j++) {
		const uint32_t word = words[j];

		memcpy(lists->ip4 + ip4_count, &word, sizeof word);
		memcpy(lists->ip6 + ip6_count, &word, sizeof word);
		ip4_count += word >> 31;
		ip6_count += word >> 30 & 1;
	}
	lists->ip4_count = ip4_count;
	lists->ip6_count = ip6_count;
}

#endif
