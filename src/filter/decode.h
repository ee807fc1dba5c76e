/* SPDX-License-Identifier: MIT */
/* A checked program, decoded for running often: a load, the mask and the comparison behind the
 * load become a single step.  The verdict equals bpei_filter_run's on every packet. */
#ifndef BPEI_DECODE_H
#define BPEI_DECODE_H

#include "filter/filter.h"

struct bpei_decoded;

/* Decodes a program in which bpei_filter_check finds no fault.  The program may be freed
 * afterwards.  Returns NULL if there is no memory; bpei_decoded_free releases the result. */
struct bpei_decoded *bpei_decode(const struct bpe_insn *program, uint32_t length);
void bpei_decoded_free(struct bpei_decoded *decoded); /* NULL is allowed */

/* Runs the program; returns the same number as bpei_filter_run.  Any thread, several at a time. */
uint32_t bpei_decoded_run(
	const struct bpei_decoded *decoded, const uint8_t *data, uint32_t wirelen, uint32_t caplen);

#endif
