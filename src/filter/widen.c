/* SPDX-License-Identifier: MIT */
/* The widest part of a filter that fits a program of limited length: sets in fewer ranges, and,
 * where that is not enough, tests left out that lie behind many others that said yes.  Both only
 * ever let more packets through.  Of the fits tried the one with the most tests in a row wins, then
 * the one with the most ranges. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define RANGES_FEW 8u
#define RANGES_MOST 4096u
#define DEPTHS 24 /* tried */

/* With tests cut off that have more than `depth` yeses in front of them on every way to them. */
static bool prune(struct graph *g, const uint32_t *depths, uint32_t depth)
{
	for (int32_t i = 0; i < g->count; i++) {
		struct block *b = &g->blocks[i];
		if (b->yes >= 0 && depths[b->yes] > depth)
			b->yes = WAY_ACCEPT;
		if (b->no >= 0 && depths[b->no] > depth)
			b->no = WAY_ACCEPT;
	}
	return bpei_graph_sort(g) && bpei_graph_merge(g);
}

static struct bpe_insn *attempt(struct bpei_compile *c, const struct graph *g,
	const uint32_t *depths, uint32_t depth, uint32_t ranges, uint32_t most, uint32_t *length)
{
	struct graph copy = *g;
	struct bpe_insn *program = NULL;
	copy.blocks = malloc(((size_t)g->count + 1) * sizeof *copy.blocks);
	if (!copy.blocks)
		return NULL;
	memcpy(copy.blocks, g->blocks, (size_t)g->count * sizeof *copy.blocks);
	copy.room = g->count + 1;
	bool keep = c->failed;
	if (prune(&copy, depths, depth) && bpei_graph_sets(&copy, ranges) &&
		copy.count <= (int32_t)most * 4)
		program = bpei_emit(c, &copy, length);
	c->failed = keep;
	free(copy.blocks);
	if (program && *length <= most)
		return program;
	free(program);
	return NULL;
}

struct bpe_insn *bpei_widen(
	struct bpei_compile *c, const struct graph *g, uint32_t most, uint32_t *length)
{
	uint32_t *depths = malloc(((size_t)g->count + 1) * sizeof *depths), deepest = 0, tries = 0;
	struct bpe_insn *best = NULL;
	if (!depths)
		return NULL;
	for (int32_t i = 0; i < g->count; i++)
		depths[i] = i == g->root ? 0 : UINT32_MAX;
	for (int32_t i = 0; i < g->count; i++) { /* every way leads on */
		const struct block *b = &g->blocks[i];
		if (depths[i] > deepest && depths[i] != UINT32_MAX)
			deepest = depths[i];
		if (b->yes >= 0 && depths[b->yes] > depths[i] + 1)
			depths[b->yes] = depths[i] + 1;
		if (b->no >= 0 && depths[b->no] > depths[i])
			depths[b->no] = depths[i];
	}
	uint32_t step = deepest / DEPTHS + 1;
	for (uint32_t depth = deepest; !best && tries++ <= DEPTHS;
		depth -= depth < step ? depth : step) {
		uint32_t good = RANGES_FEW, bad = RANGES_MOST, n;
		best = attempt(c, g, depths, depth, RANGES_FEW, most, length);
		while (best && bad - good > good / 16 + 1) {
			uint32_t ranges = good + (bad - good) / 2;
			struct bpe_insn *more = attempt(c, g, depths, depth, ranges, most, &n);
			if (more) {
				free(best);
				best = more, *length = n, good = ranges;
			} else {
				bad = ranges;
			}
		}
		if (!best)
			best = attempt(c, g, depths, depth, 1, most, length);
		if (!depth)
			break;
	}
	free(depths);
	return best;
}
