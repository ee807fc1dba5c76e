/* SPDX-License-Identifier: MIT */
/* The graph of tests between the tree and the program: made by graph.c and threaded by
 * thread.c.  sets.c adds searches, order.c swaps tests, relax.c relaxes the graph, and emit.c
 * writes the program. */
#ifndef BPEI_FILTER_GRAPH_H
#define BPEI_FILTER_GRAPH_H

#include "filter/compile.h"

/* A test and its two exits. */
struct block {
	int32_t value, x; /* as in struct node */
	uint32_t k;
	uint8_t cmp;
	int32_t yes, no; /* blocks, or WAY_* */
};
enum { WAY_ACCEPT = -1, WAY_REJECT = -2 };
struct graph {
	struct block *blocks; /* sorted: every edge leads to a later block */
	int32_t count, room, root;
};

/* graph.c and thread.c.  Each function returns false if there is no memory. */
bool bpei_graph_make(struct bpei_compile *c, int32_t tree, struct graph *g);
/* Sorts, and leaves out tests whose answer is known on the way to them. */
bool bpei_graph_thread(struct bpei_compile *c, struct graph *g);
bool bpei_graph_sort(struct graph *g);
/* Makes equal blocks a single block, and sorts. */
bool bpei_graph_merge(struct graph *g);
/* Returns a copy of the graph in *copy, which has room for another block. */
bool bpei_graph_copy(const struct graph *g, struct graph *copy);

/* sets.c.  Makes many tests of a value for equality a balanced search, of at most `ranges` ranges
 * (0: any number, exact).  Where there are more ranges, numbers are added to the set or left out,
 * so the graph accepts at least what it did before.  Returns false if there is no memory. */
bool bpei_graph_sets(struct graph *g, uint32_t ranges);

/* order.c.  Swaps tests where a swap may spare a load.  Returns true if any were swapped. */
bool bpei_graph_order(struct graph *g);

/* relax.c.  Returns a program of at most `most` instructions that accepts all packets that the
 * graph accepts, and maybe more.  NULL: none was found, or no memory. */
struct bpe_insn *bpei_filter_relax(
	struct bpei_compile *c, const struct graph *g, uint32_t most, uint32_t *length);

/* emit.c.  Returns the graph's program, from malloc.  NULL: no memory, or longer than a program
 * can be. */
struct bpe_insn *bpei_emit(struct bpei_compile *c, const struct graph *g, uint32_t *length);

#endif
