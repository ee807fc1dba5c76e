/* SPDX-License-Identifier: MIT */
/* A checked program made ready for running often: decoded, with what follows upon a load in one
 * step with it.  Its verdict is bpei_filter_run's on every packet. */
#ifndef BPEI_PREPARE_H
#define BPEI_PREPARE_H

#include "filter/filter.h"

struct bpei_decoded;

/* Of a program that bpei_filter_check finds no fault with; it is not needed any more afterwards.
 * NULL: no memory. */
struct bpei_decoded *bpei_decode(const struct bpe_insn *program, uint32_t length);
void bpei_decoded_free(struct bpei_decoded *prepared); /* NULL is allowed */

/* Any thread, several at a time. */
uint32_t bpei_decoded_run(const struct bpei_decoded *prepared, const uint8_t *data,
	uint32_t wirelen, uint32_t caplen);

#endif
