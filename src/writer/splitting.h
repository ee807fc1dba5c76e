/* SPDX-License-Identifier: MIT */
/* The writer with a split (split.h) in place of its files. */
#ifndef BPEI_SPLITTING_H
#define BPEI_SPLITTING_H

#include "writer/packets.h"
#include "writer/split.h"
#include "writer/writer.h"

/* Opens the split of the options.  Returns as bpei_split_open. */
int bpei_splitting_open(struct bpe_writer *w, struct bpe_error *error);
/* Counts what the split has written and lost.  The lock is held. */
void bpei_splitting_count(struct bpe_writer *w, const struct bpei_split_lost *lost);
/* Writes all and closes the split.  Returns BPE_OK, or the first error. */
int bpei_splitting_close(struct bpe_writer *w);
/* Writes the record in front of a block of so many bytes.  p NULL: the block describes.  Returns
 * the record's bytes. */
size_t bpei_splitting_put_record(
	const struct bpe_writer *w, uint8_t *to, const struct bpei_offered *p, size_t bytes);

#endif
