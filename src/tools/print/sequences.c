/* SPDX-License-Identifier: MIT */
/* First sequence numbers of connections (sequences.h). */
#include "sequences.h"

#include <stdlib.h>

#define PLACES 65536u
#define SYN_FLAG 0x02

struct sequence_place {
	struct bpe_key key;
	bool is_used;
	bool is_known[2];  /* by end of the key */
	uint32_t first[2]; /* number of the SYN */
};

struct own_sequences {
	struct sequence_place places[PLACES];
};

struct own_sequences *sequences_new(void)
{
	return calloc(1, sizeof(struct own_sequences));
}

void sequences_free(struct own_sequences *sequences)
{
	free(sequences);
}

void sequences_relative(struct own_sequences *sequences, const struct bpe_batch *b, uint32_t i,
	struct own_numbers *numbers)
{
	const struct bpe_layers *const l = &b->layers[i];
	const struct bpe_key *const key = &b->key[i];
	const uint32_t end = !!(l->flags & BPE_PKT_REVERSED);

	if (!(l->flags & BPE_PKT_KEY))
		return;
	struct sequence_place *const place = &sequences->places[b->hash[i] % PLACES];
	if (!place->is_used || memcmp(&place->key, key, sizeof *key))
		*place = (struct sequence_place){ .key = *key, .is_used = true };
	if (l->tcp_flags & SYN_FLAG || !place->is_known[end]) {
		/* without a SYN the first byte seen is number 1 */
		place->first[end] = numbers->seq - !(l->tcp_flags & SYN_FLAG);
		place->is_known[end] = true;
	}
	if (!place->is_known[!end] && l->tcp_flags & 0x10) {
		place->first[!end] = numbers->ack - 1;
		place->is_known[!end] = true;
	}
	numbers->seq -= place->first[end];
	if (place->is_known[!end])
		numbers->ack -= place->first[!end];
}
