/* SPDX-License-Identifier: MIT */
/* Where the rows of a group's packets lie in their batch, for arch/lanes/parse_lanes.h and the operations that it asks for. */
#ifndef BPEI_LANES_LISTED_H
#define BPEI_LANES_LISTED_H

#include "arch/arch.h"

struct listed {
	uint16_t layers;	/* bytes from the first packet's layers; a key's are twice as many */
	uint8_t place;		/* the packet's number */
	uint8_t what;		/* 1: tagged; BPE_PKT_OUTGOING */
};
_Static_assert(sizeof(struct bpe_key) == 2 * sizeof(struct bpe_layers) && BPE_BATCH * sizeof(struct bpe_layers) <= UINT16_MAX, "twice as many; in 16 bits");
_Static_assert(BPE_PKT_OUTGOING > 1 && BPE_PKT_OUTGOING <= UINT8_MAX, "beside the tag's bit");

/* Lane j's rows: of the packet on the list, or, without one, of packet j. */
static inline __attribute__((always_inline)) struct bpe_layers *layers_of(struct bpe_layers *layers, const struct listed *list, uint32_t j)
{
	return list ? (struct bpe_layers *)(void *)((char *)layers + list[j].layers) : layers + j;
}

static inline __attribute__((always_inline)) struct bpe_key *key_of(struct bpe_key *key, const struct listed *list, uint32_t j)
{
	return list ? (struct bpe_key *)(void *)((char *)key + 2 * (size_t)list[j].layers) : key + j;
}

#endif
