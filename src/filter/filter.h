/* SPDX-License-Identifier: MIT */
/* Classic BPF programs (McCanne and Jacobson, "The BSD Packet Filter", 1993; bpf(4)): what a
 * machine does with one.  Pure. */
#ifndef BPEI_FILTER_H
#define BPEI_FILTER_H

#include "bpfengine.h"

/* Why no kernel would take the program, NULL if it is well made: bounded, forward jumps only, known
 * opcodes, last instruction a return, memory words below 16, no division by the constant 0. */
const char *bpei_filter_check(const struct bpe_insn *program, uint32_t length);

/* How many bytes of the packet to keep, 0: none.  The program is one that bpei_filter_check finds
 * no fault with.  A load past the captured bytes, and a division by X = 0, return 0; LD LEN gives
 * wirelen. */
uint32_t bpei_filter_run(
	const struct bpe_insn *program, const uint8_t *data, uint32_t wirelen, uint32_t caplen);

#endif
