/* SPDX-License-Identifier: MIT */
/* First sequence numbers of connections, from which our own lines count (-v).
 *
 * The table has a fixed number of places.  A connection takes over the place of an
 * older connection, and the older then counts anew from the next number. */
#ifndef PRINT_SEQUENCES_H
#define PRINT_SEQUENCES_H

#include "print.h"

struct own_sequences;

struct own_numbers {
	uint32_t seq, ack;
};

/* Returns NULL without memory. */
struct own_sequences *sequences_new(void);
void sequences_free(struct own_sequences *sequences);
/* Makes the numbers of packet i, a TCP packet, relative.  The numbers of a SYN become 0. */
void sequences_relative(struct own_sequences *sequences, const struct bpe_batch *batch, uint32_t i,
	struct own_numbers *numbers);

#endif
