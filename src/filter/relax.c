/* SPDX-License-Identifier: MIT */
/* Finds a program of limited length that accepts at least the same packets as a filter.  Sets of
 * numbers get fewer ranges.  Where this is not enough, tests behind many successful tests are left
 * out. Both changes only let more packets through.  Of the programs in question, the program with
 * the most tests in a row wins, then the program with the most ranges. */
#include "filter/graph.h"

#include <stdlib.h>

#define RANGES_FEW 8u
#define RANGES_MOST 4096u
#define DEPTHS_TRIED 24

/* A filter to relax, and the length to reach. */
struct relaxation {
	struct bpei_compile *c;
	const struct graph *g;
	uint32_t *depths; /* of each block: the fewest tests with "yes" in front of it */
	uint32_t deepest;
	uint32_t most;
};

/* Accepts where the graph goes on to a test deeper than `depth`. */
static bool prune_graph(struct graph *g, const uint32_t *depths, uint32_t depth)
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

/* Returns a program with tests down to `depth`, and sets of at most `ranges` ranges; NULL if the
 * program is too long, or there is no memory. */
static struct bpe_insn *try_relaxation(
	const struct relaxation *r, uint32_t depth, uint32_t ranges, uint32_t *length)
{
	const bool failed = r->c->failed;
	struct bpe_insn *program = NULL;
	struct graph copy;

	if (!bpei_graph_copy(r->g, &copy))
		return NULL;
	if (prune_graph(&copy, r->depths, depth) && bpei_graph_sets(&copy, ranges) &&
		copy.count <= (int32_t)r->most * 4)
		program = bpei_emit(r->c, &copy, length);
	r->c->failed = failed; /* too long is no error here */
	free(copy.blocks);
	if (program && *length <= r->most)
		return program;
	free(program);
	return NULL;
}

/* Computes depths and deepest.  Every edge leads to a later block. */
static void measure_depths(struct relaxation *r)
{
	const struct graph *g = r->g;

	for (int32_t i = 0; i < g->count; i++)
		r->depths[i] = i == g->root ? 0 : UINT32_MAX;
	for (int32_t i = 0; i < g->count; i++) {
		const struct block *b = &g->blocks[i];
		const uint32_t depth = r->depths[i];

		if (depth > r->deepest && depth != UINT32_MAX)
			r->deepest = depth;
		if (b->yes >= 0 && r->depths[b->yes] > depth + 1)
			r->depths[b->yes] = depth + 1;
		if (b->no >= 0 && r->depths[b->no] > depth)
			r->depths[b->no] = depth;
	}
}

/* Returns the program with the most ranges at this depth, found by bisection; NULL: none fits. */
static struct bpe_insn *relax_to_depth(const struct relaxation *r, uint32_t depth, uint32_t *length)
{
	uint32_t good = RANGES_FEW;
	uint32_t bad = RANGES_MOST;
	struct bpe_insn *best = try_relaxation(r, depth, good, length);

	while (best && bad - good > good / 16 + 1) {
		const uint32_t ranges = good + (bad - good) / 2;
		uint32_t n;
		struct bpe_insn *more = try_relaxation(r, depth, ranges, &n);

		if (more) {
			free(best);
			best = more;
			*length = n;
			good = ranges;
		} else {
			bad = ranges;
		}
	}
	return best ? best : try_relaxation(r, depth, 1, length);
}

struct bpe_insn *bpei_filter_relax(
	struct bpei_compile *c, const struct graph *g, uint32_t most, uint32_t *length)
{
	struct relaxation r = { .c = c, .g = g, .most = most };
	struct bpe_insn *best = NULL;

	r.depths = malloc(((size_t)g->count + 1) * sizeof *r.depths);
	if (!r.depths)
		return NULL;
	measure_depths(&r);
	const uint32_t step = r.deepest / DEPTHS_TRIED + 1;
	uint32_t depth = r.deepest;
	for (int tries = 0; !best && tries <= DEPTHS_TRIED; tries++) {
		best = relax_to_depth(&r, depth, length);
		if (!depth)
			break;
		depth -= depth < step ? depth : step;
	}
	free(r.depths);
	return best;
}
