/* SPDX-License-Identifier: MIT */
/* Shared by the files that write a graph as a program: emit.c chooses the values to keep in memory
 * words, emit_values.c writes the instructions of each block, emit_layout.c places the blocks. */
#ifndef BPEI_FILTER_EMIT_H
#define BPEI_FILTER_EMIT_H

#include "filter/graph.h"

#define KEPT_MOST                                                                                  \
	8 /* memory words for kept values; the upper words are for intermediate values             \
	   */
#define NO_VALUE (-1)

/* The values that the registers hold. */
struct registers {
	int32_t a, x;
	uint16_t stored; /* bits: the word of this kept value holds the value */
	bool reached;
};

/* The instructions of all blocks, one block behind the other, without the jumps. */
struct block_code {
	const struct bpei_compile *c;
	struct bpe_insn *insns;
	uint32_t count, room;
	struct registers now;
	uint32_t borrowed; /* words for intermediate values, from the last word down */
	int32_t kept[KEPT_MOST];
	uint32_t keeps;
	bool failed;
	bool too_complex; /* failed, because the memory words did not suffice */
};

/* emit_values.c.  Brings the operands of the block's test to A and X. */
void bpei_emit_operands(struct block_code *o, const struct block *b);

/* emit_layout.c.  Places the blocks and writes the jumps.  bodies[i]: index of block i's first
 * instruction in o->insns; bodies[g->count]: the end.  g's blocks are changed.  Returns the
 * program, from malloc; NULL: no memory. */
struct bpe_insn *bpei_emit_layout(const struct block_code *o, struct graph *g,
	const uint32_t *bodies, uint32_t snaplen, uint32_t *length);

#endif
