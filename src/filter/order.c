/* SPDX-License-Identifier: MIT */
/* Swaps neighbouring tests to spare loads.  Tests in a row with a common exit ("a and b", "a or b")
 * may change places.  The test goes first whose value the register A holds already.
 *
 * A swap is allowed if the common exit is a refusal, since a load past the end is a refusal, too.
 * Otherwise both values must have been computed before on every path, so neither load can fail. */
#include "filter/graph.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 3
#define VALUES 64u /* values with a bit of their own; further values are never swapped */

/* The state in which a block is entered. */
struct entry_state {
	int32_t a;       /* the value in A, -1: unknown */
	uint32_t before; /* edges that lead here */
	bool reached;
	uint64_t done; /* bits of the values computed on every path */
};

/* The values that are tested, each with a bit. */
struct tested_values {
	int32_t values[VALUES];
	uint32_t count;
};

/* Returns the value's bit; 0 if there are too many values. */
static uint64_t bit_of_value(struct tested_values *t, int32_t value)
{
	uint32_t i = 0;

	while (i < t->count && t->values[i] != value)
		i++;
	if (i == VALUES)
		return 0;
	if (i == t->count)
		t->values[t->count++] = value;
	return (uint64_t)1 << i;
}

/* Joins another path to the state at a block's entry. */
static void join_entry(struct entry_state *e, int32_t a, uint64_t done)
{
	e->a = !e->reached || e->a == a ? a : -1;
	e->done = e->reached ? e->done & done : done;
	e->reached = true;
}

/* Exchanges the tests, not the exits, of blocks i and j. */
static void exchange_tests(struct graph *g, int32_t i, int32_t j, uint64_t *bits)
{
	const struct block u = g->blocks[i];
	const struct block v = g->blocks[j];
	const uint64_t bit = bits[i];

	g->blocks[i].value = v.value;
	g->blocks[i].k = v.k;
	g->blocks[i].cmp = v.cmp;
	g->blocks[j].value = u.value;
	g->blocks[j].k = u.k;
	g->blocks[j].cmp = u.cmp;
	bits[i] = bits[j];
	bits[j] = bit;
}

/* Swaps block i with the block at an exit, if allowed and useful.  Returns true if swapped. */
static bool swap_with_next(struct graph *g, const struct entry_state *e, int32_t i, uint64_t *bits)
{
	const struct block *u = &g->blocks[i];

	for (int no = 0; no < 2; no++) {
		const int32_t next = no ? u->no : u->yes;
		const int32_t common = no ? u->yes : u->no;
		const struct block *v = next >= 0 ? &g->blocks[next] : NULL;

		if (!v || (no ? v->yes : v->no) != common || e[next].before != 1)
			continue;
		if (u->x >= 0 || v->x >= 0 || u->value == e[i].a || v->value != e[i].a)
			continue;
		const bool both_done =
			bits[i] && bits[next] && e[i].done & bits[i] && e[i].done & bits[next];
		if (common != WAY_REJECT && !both_done)
			continue;
		exchange_tests(g, i, next, bits);
		return true;
	}
	return false;
}

static void prepare_round(const struct graph *g, struct entry_state *e, uint64_t *bits)
{
	struct tested_values tested = { .count = 0 };

	memset(e, 0, ((size_t)g->count + 1) * sizeof *e);
	for (int32_t i = 0; i < g->count; i++) {
		const struct block *b = &g->blocks[i];

		bits[i] = bit_of_value(&tested, b->value);
		if (b->yes >= 0)
			e[b->yes].before++;
		if (b->no >= 0)
			e[b->no].before++;
	}
	if (g->root >= 0)
		e[g->root] = (struct entry_state){ .a = -1, .before = 1, .reached = true };
}

/* Swaps where possible, from the root on: every edge leads to a later block.  Returns true if any
 * tests were swapped. */
static bool run_swap_round(struct graph *g, struct entry_state *e, uint64_t *bits)
{
	bool changed = false;

	for (int32_t i = 0; i < g->count; i++) {
		if (!e[i].reached)
			e[i].a = -1;
		changed |= swap_with_next(g, e, i, bits);
		const struct block *b = &g->blocks[i];
		const uint64_t done = e[i].done | bits[i];
		if (b->yes >= 0)
			join_entry(&e[b->yes], b->value, done);
		if (b->no >= 0)
			join_entry(&e[b->no], b->value, done);
	}
	return changed;
}

bool bpei_graph_order(struct graph *g)
{
	struct entry_state *e = malloc(((size_t)g->count + 1) * sizeof *e);
	uint64_t *bits = malloc(((size_t)g->count + 1) * sizeof *bits);
	bool any = false;
	bool changed = e && bits;

	for (int round = 0; changed && round < ROUNDS; round++) {
		prepare_round(g, e, bits);
		changed = run_swap_round(g, e, bits);
		any |= changed;
	}
	free(e);
	free(bits);
	return any;
}
