/* SPDX-License-Identifier: MIT */
/* A packet on the list of those that are gathered, for arch/lanes/parse_lanes.h and the operations
 * that it asks for. */
#ifndef BPEI_LANES_LISTED_H
#define BPEI_LANES_LISTED_H

#include "arch/arch.h"

enum { LISTED_4 = 0x80, LISTED_6 = 0x40 };
struct listed {
	uint16_t left;   /* bytes captured from its IP header on; 65535: so many or more */
	uint8_t place;   /* the packet's number in the batch */
	uint8_t network; /* where that is, and LISTED_4 or LISTED_6 */
};
_Static_assert(sizeof(struct listed) == 4 && BPE_BATCH <= 256, "a word of a vector");

/* Lane j's rows: of packet places[j], or, without places, of packet j. */
static inline __attribute__((always_inline)) struct bpe_layers *layers_of(
	struct bpe_layers *layers, const uint32_t *places, uint32_t j)
{
	return layers + (places ? places[j] : j);
}

static inline __attribute__((always_inline)) struct bpe_key *key_of(
	struct bpe_key *key, const uint32_t *places, uint32_t j)
{
	return key + (places ? places[j] : j);
}

/* Of n words, each at the end of both lists, of which it makes one longer or none: without a branch
 * on which. */
static inline __attribute__((always_inline)) void pack_words(struct listed *four, size_t *fours,
	struct listed *six, size_t *sixes, const uint32_t *words, uint32_t n)
{
	size_t to_four = *fours, to_six = *sixes;
	for (uint32_t j = 0; j < n; j++) {
		uint32_t word = words[j];
		memcpy(four + to_four, &word, sizeof word);
		memcpy(six + to_six, &word, sizeof word);
		to_four += word >> 31;
		to_six += word >> 30 & 1;
	}
	*fours = to_four, *sixes = to_six;
}

#endif
