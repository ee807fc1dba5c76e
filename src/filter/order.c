/* SPDX-License-Identifier: MIT */
/* Tests that stand in a row with one way out in common ("a and b", "a or b") may change places: the
 * one goes first whose value the register holds already, from the test before.  It may if the
 * common way out is a refusal, since a load past the end is one, too, or if both values were worked
 * out before on every way there, so that neither can fail. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 3
#define VALUES 64u /* told apart */

struct entry {
	int32_t a;
	uint32_t before;
	bool reached;
	uint64_t done;
}; /* of a block: what A holds, ways that lead here, values worked out */

/* A number below VALUES for each value that is tested; VALUES: there are more. */
static uint32_t index_of(int32_t *known, uint32_t *count, int32_t value)
{
	uint32_t i = 0;
	while (i < *count && known[i] != value)
		i++;
	if (i == *count && i < VALUES)
		known[(*count)++] = value;
	return i;
}

static uint64_t bit(uint32_t index)
{
	return index < VALUES ? (uint64_t)1 << index : 0;
}

static void arrive(struct entry *e, int32_t a, uint64_t done)
{
	e->a = !e->reached || e->a == a ? a : -1;
	e->done = e->reached ? e->done & done : done;
	e->reached = true;
}

static bool swap(struct graph *g, const struct entry *e, int32_t i, uint64_t *bits)
{
	struct block *u = &g->blocks[i];
	for (int either = 0; either < 2; either++) {
		int32_t next = either ? u->no : u->yes, common = either ? u->yes : u->no;
		struct block *v = next >= 0 ? &g->blocks[next] : NULL;
		if (!v || (either ? v->yes : v->no) != common || e[next].before != 1)
			continue;
		if (u->x >= 0 || v->x >= 0 || u->value == e[i].a || v->value != e[i].a)
			continue;
		if (common != WAY_REJECT &&
			!(bits[i] && bits[next] && e[i].done & bits[i] && e[i].done & bits[next]))
			continue;
		const struct block was = *u;
		u->value = v->value, u->k = v->k, u->cmp = v->cmp;
		v->value = was.value, v->k = was.k, v->cmp = was.cmp;
		const uint64_t b = bits[i];
		bits[i] = bits[next], bits[next] = b;
		return true;
	}
	return false;
}

bool bpei_graph_order(struct graph *g)
{
	struct entry *e = malloc(((size_t)g->count + 1) * sizeof *e);
	uint64_t *bits = malloc(((size_t)g->count + 1) * sizeof *bits);
	bool any = false, changed = e && bits;
	for (int round = 0; changed && round < ROUNDS; round++) {
		int32_t known[VALUES];
		uint32_t count = 0;
		changed = false;
		memset(e, 0, ((size_t)g->count + 1) * sizeof *e);
		for (int32_t i = 0; i < g->count; i++) {
			const struct block *b = &g->blocks[i];
			bits[i] = bit(index_of(known, &count, b->value));
			if (b->yes >= 0)
				e[b->yes].before++;
			if (b->no >= 0)
				e[b->no].before++;
		}
		if (g->root >= 0)
			e[g->root] = (struct entry){ .a = -1, .before = 1, .reached = true };
		for (int32_t i = 0; i < g->count; i++) { /* every way leads on */
			e[i].a = e[i].reached ? e[i].a : -1;
			any |= changed |= swap(g, e, i, bits);
			const struct block *b = &g->blocks[i];
			const uint64_t done = e[i].done | bits[i];
			if (b->yes >= 0)
				arrive(&e[b->yes], b->value, done);
			if (b->no >= 0)
				arrive(&e[b->no], b->value, done);
		}
	}
	free(e), free(bits);
	return any;
}
