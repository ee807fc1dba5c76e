/* SPDX-License-Identifier: MIT */
/* Classic BPF programs (McCanne and Jacobson, "The BSD Packet Filter", 1993; bpf(4)): the check
 * and the reference interpreter.  Pure. */
#ifndef BPEI_FILTER_H
#define BPEI_FILTER_H

#include "bpfengine.h"

/* Returns why no kernel would take the program, or NULL if the program is well made.  A well made
 * program is bounded, jumps forward only, has known opcodes alone and ends with a return.  All
 * memory words are below 16, and no division is by the constant 0. */
const char *bpei_filter_check(const struct bpe_insn *program, uint32_t length);

/* Runs the program over a packet.  Returns how many bytes of the packet to keep, or 0 for none.
 * bpei_filter_check must have found no fault.  A load past the captured bytes, and a division by
 * X = 0, return 0.  LD LEN gives wirelen. */
uint32_t bpei_filter_run(
	const struct bpe_insn *program, const uint8_t *data, uint32_t wirelen, uint32_t caplen);

#endif
