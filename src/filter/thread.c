/* SPDX-License-Identifier: MIT */
/* Leaves out tests whose answer is known on the way to them ("jump threading").
 *
 * Facts go along the edges: the answer of a test is known behind the test, as far as all paths that
 * lead there agree.  If the answer of an edge's target follows from the facts, the edge moves on to
 * the exit for this answer.  Leaving a test out is sound although a load past the end would reject:
 * the fact is about the same load, which succeeded. */
#include "filter/graph.h"

#include <stdlib.h>
#include <string.h>

#define FACTS 24
#define WORK_MOST 2000000 /* blocks handled in all rounds */

struct fact {
	int32_t value, x;
	uint32_t k;
	uint8_t cmp, yes;
};

/* The facts at a block's entry. */
struct known_facts {
	struct fact fact[FACTS];
	uint8_t count;
	bool reached;
};

static bool equal_facts(const struct fact *a, const struct fact *b)
{
	return a->value == b->value && a->x == b->x && a->k == b->k && a->cmp == b->cmp &&
	       a->yes == b->yes;
}

/* Stores the number that the value has by the facts.  Returns false if unknown. */
static bool find_known_number(
	const struct bpei_compile *c, const struct known_facts *known, int32_t v, uint32_t *number)
{
	const struct value *value = &c->values[v];
	uint32_t mask;

	if (bpei_value_is_imm(c, v, number))
		return true;
	for (int i = 0; i < known->count; i++) {
		const struct fact *f = &known->fact[i];

		if (f->value == v && f->x < 0 && f->cmp == CMP_EQ && f->yes) {
			*number = f->k;
			return true;
		}
	}
	if (value->kind != VALUE_ALU || value->op != OP_AND ||
		!bpei_value_is_imm(c, value->b, &mask))
		return false;
	if (!find_known_number(c, known, value->a, number))
		return false;
	*number &= mask;
	return true;
}

/* Returns the answer to "a value from least to most cmp k": 1, 0, or -1 if not known. */
static int compare_range(uint32_t least, uint32_t most, uint8_t cmp, uint32_t k)
{
	switch (cmp) {
	case CMP_EQ:
		return k < least || k > most ? 0 : -1;
	case CMP_GT:
		return least > k || most <= k ? least > k : -1;
	case CMP_GE:
		return least >= k || most < k ? least >= k : -1;
	default:
		return -1;
	}
}

/* Returns the answer to the block's test by a fact about the same value: 1, 0, or -1 if not known.
 */
static int answer_by_fact(const struct fact *f, const struct block *b)
{
	uint32_t least = 0;
	uint32_t most = UINT32_MAX;

	if (f->x == b->x && f->k == b->k && f->cmp == b->cmp)
		return f->yes;
	if (f->x >= 0 || b->x >= 0)
		return -1;
	if (f->cmp == CMP_EQ && f->yes)
		return bpei_compare(b->cmp, f->k, b->k);
	if (f->cmp == CMP_GT && f->yes && f->k == UINT32_MAX)
		return -1;
	if (f->cmp == CMP_GT && f->yes)
		least = f->k + 1;
	else if (f->cmp == CMP_GT)
		most = f->k;
	else if (f->cmp == CMP_GE && f->yes)
		least = f->k;
	else if (f->cmp == CMP_GE && f->k)
		most = f->k - 1;
	return compare_range(least, most, b->cmp, b->k);
}

/* Returns the answer to the block's test by all facts: 1, 0, or -1 if not known. */
static int answer_by_facts(
	const struct bpei_compile *c, const struct known_facts *known, const struct block *b)
{
	uint32_t number;

	for (int i = 0; i < known->count; i++) {
		if (known->fact[i].value != b->value)
			continue;
		const int answer = answer_by_fact(&known->fact[i], b);
		if (answer >= 0)
			return answer;
	}
	if (b->x < 0 && find_known_number(c, known, b->value, &number))
		return bpei_compare(b->cmp, number, b->k);
	return -1;
}

/* Makes room for a fact.  The oldest "is not this number" goes, since all others say more. */
static void drop_fact(struct known_facts *known)
{
	int oldest = 0;

	while (oldest < FACTS - 1 && (known->fact[oldest].yes || known->fact[oldest].cmp != CMP_EQ))
		oldest++;
	memmove(known->fact + oldest, known->fact + oldest + 1,
		(size_t)(FACTS - 1 - oldest) * sizeof *known->fact);
	known->count--;
}

static void add_fact(struct known_facts *known, const struct block *b, bool yes)
{
	if (known->count == FACTS)
		drop_fact(known);
	known->fact[known->count++] = (struct fact){ b->value, b->x, b->k, b->cmp, yes };
}

static void copy_facts(struct known_facts *to, const struct known_facts *from)
{
	to->count = from->count;
	to->reached = true;
	memcpy(to->fact, from->fact, from->count * sizeof *from->fact);
}

static bool has_fact(const struct known_facts *known, const struct fact *fact)
{
	for (int i = 0; i < known->count; i++)
		if (equal_facts(&known->fact[i], fact))
			return true;
	return false;
}

/* Joins another path to a block: facts that do not hold on both paths go. */
static void meet_facts(struct known_facts *to, const struct known_facts *from)
{
	uint8_t kept = 0;

	if (!to->reached) {
		copy_facts(to, from);
		return;
	}
	for (int i = 0; i < to->count; i++)
		if (has_fact(from, &to->fact[i]))
			to->fact[kept++] = to->fact[i];
	to->count = kept;
}

/* Returns the block or exit to which an edge leads, past tests with a known answer. */
static int32_t follow_edge(const struct bpei_compile *c, const struct graph *g,
	const struct known_facts *known, int32_t to)
{
	while (to >= 0) {
		const int answer = answer_by_facts(c, known, &g->blocks[to]);

		if (answer < 0)
			break;
		to = answer ? g->blocks[to].yes : g->blocks[to].no;
	}
	return to;
}

/* Threads both edges of block i.  Returns true if any changed. */
static bool thread_block(
	const struct bpei_compile *c, struct graph *g, struct known_facts *known, int32_t i)
{
	struct block *b = &g->blocks[i];
	bool changed = false;

	for (int yes = 0; yes < 2; yes++) {
		struct known_facts behind;
		int32_t *edge = yes ? &b->yes : &b->no;

		copy_facts(&behind, &known[i]);
		add_fact(&behind, b, yes);
		const int32_t to = follow_edge(c, g, &behind, *edge);
		changed |= to != *edge;
		*edge = to;
		if (to >= 0)
			meet_facts(&known[to], &behind);
	}
	return changed;
}

/* Threads all edges once.  *changed: whether any changed.  Returns false if there is no memory. */
static bool thread_all(const struct bpei_compile *c, struct graph *g, bool *changed)
{
	struct known_facts *known = malloc(((size_t)g->count + 1) * sizeof *known);

	*changed = false;
	if (!known)
		return false;
	for (int32_t i = 0; i <= g->count; i++) {
		known[i].count = 0;
		known[i].reached = false;
	}
	for (int32_t i = 0; i < g->count; i++)
		if (!i || known[i].reached)
			*changed |= thread_block(c, g, known, i);
	free(known);
	return true;
}

bool bpei_graph_thread(struct bpei_compile *c, struct graph *g)
{
	bool changed = true;

	if (!bpei_graph_sort(g))
		return false;
	for (int32_t work = 0; changed && work < WORK_MOST; work += g->count + 1)
		if (!thread_all(c, g, &changed) || !bpei_graph_sort(g) || !bpei_graph_merge(g))
			return false;
	return true;
}
