/* SPDX-License-Identifier: MIT */
/* The tree as a graph of tests, and the tests left out whose answer is known on the way to them.
 *
 * Equal tests with equal ways out are one block.  Then facts go along the ways: what a test said is
 * known behind it, as far as all ways that lead there agree; an edge whose target's answer follows
 * from what is known on that edge goes to where that answer leads. Leaving a test out is sound
 * although a load past the end would reject: the fact is about the same load, which was done. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define FACTS 24
#define WORK 2000000 /* blocks looked at, in all rounds */

struct fact {
	int32_t value, x;
	uint32_t k;
	uint8_t cmp, yes;
};
struct known {
	struct fact fact[FACTS];
	uint8_t count;
	bool reached;
};

/* ---- Building ---- */

struct builder {
	struct bpei_compile *c;
	struct graph *g;
	int32_t *table;
	uint32_t mask;
	bool failed;
};

static uint32_t hash_block(const struct block *b)
{
	uint64_t h = ((uint64_t)(uint32_t)b->value << 32 | b->k) * 0x9e3779b97f4a7c15u ^
		     ((uint64_t)(uint32_t)b->yes << 32 | (uint32_t)b->no) * 0xd6e8feb86659fd93u;
	h ^= (uint64_t)b->cmp << 40 ^ (uint64_t)(uint32_t)b->x << 8;
	return (uint32_t)(h ^ h >> 29) * 0x9e3779b1u;
}

static bool rehash(struct builder *w, uint32_t size)
{
	int32_t *table = malloc(size * sizeof *table);
	if (!table)
		return false;
	memset(table, 0xff, size * sizeof *table);
	for (int32_t i = 0; i < w->g->count; i++) {
		uint32_t at = hash_block(&w->g->blocks[i]);
		while (table[at &= size - 1] >= 0)
			at++;
		table[at] = i;
	}
	free(w->table);
	w->table = table;
	w->mask = size - 1;
	return true;
}

static int32_t block(struct builder *w, struct block b)
{
	struct graph *g = w->g;
	if (b.yes == b.no)
		return b.yes; /* the load may reject where this does not: see bpei_graph_make */
	if (g->count == g->room) {
		int32_t room = g->room ? g->room * 2 : 64;
		struct block *blocks = realloc(g->blocks, (size_t)room * sizeof *blocks);
		if (blocks)
			g->blocks = blocks, g->room = room;
		if (!blocks || !rehash(w, (uint32_t)room * 2)) {
			w->failed = true;
			return WAY_REJECT;
		}
	}
	uint32_t at = hash_block(&b) & w->mask;
	for (; w->table[at] >= 0; at = (at + 1) & w->mask) {
		const struct block *o = &g->blocks[w->table[at]];
		if (o->value == b.value && o->x == b.x && o->k == b.k && o->cmp == b.cmp &&
			o->yes == b.yes && o->no == b.no)
			return w->table[at];
	}
	g->blocks[g->count] = b;
	return w->table[at] = g->count++;
}

static int32_t build(struct builder *w, int32_t n, int32_t yes, int32_t no)
{
	while (!w->failed) {
		const struct node *t = &w->c->nodes[n];
		switch (t->kind) {
		case NODE_CONST:
			return t->value ? yes : no;
		case NODE_NOT: {
			int32_t other = yes;
			yes = no, no = other;
			n = t->left;
			continue;
		}
		case NODE_AND:
			yes = build(w, t->right, yes, no);
			n = t->left;
			continue;
		case NODE_OR:
			no = build(w, t->right, yes, no);
			n = t->left;
			continue;
		default:
			return block(w, (struct block){ t->value, t->x, t->k, t->cmp, yes, no });
		}
	}
	return WAY_REJECT;
}

bool bpei_graph_make(struct bpei_compile *c, int32_t tree, struct graph *g)
{
	struct builder w = { .c = c, .g = g };
	*g = (struct graph){ .root = WAY_ACCEPT };
	g->root = build(&w, tree, WAY_ACCEPT, WAY_REJECT);
	free(w.table);
	return !w.failed;
}

/* ---- Order ---- */

/* Blocks so that every way leads to a later one; those that nothing leads to go.  An explicit
 * stack: graphs may be deep. */
bool bpei_graph_sort(struct graph *g)
{
	int32_t n = g->count, top = 0, left = n;
	int32_t *stack = malloc(((size_t)n + 1) * sizeof *stack),
		*order = malloc(((size_t)n + 1) * sizeof *order);
	uint8_t *state = calloc((size_t)n + 1, 1);
	struct block *sorted = malloc(((size_t)n + 1) * sizeof *sorted);
	if (!stack || !order || !state || !sorted) {
		free(stack), free(order), free(state), free(sorted);
		return false;
	}
	if (g->root >= 0)
		stack[top++] = g->root, state[g->root] = 1;
	while (top) {
		int32_t at = stack[top - 1], next = -1;
		if (state[at] == 1)
			next = g->blocks[at].no,
			state[at] = 2; /* its "no" last, so that "yes" stands behind it */
		else if (state[at] == 2)
			next = g->blocks[at].yes, state[at] = 3;
		else {
			order[at] = --left;
			top--;
			continue;
		}
		if (next >= 0 && !state[next])
			stack[top++] = next, state[next] = 1;
	}
	int32_t kept = n - left;
	for (int32_t i = 0; i < n; i++) {
		if (!state[i])
			continue;
		struct block b = g->blocks[i];
		if (b.yes >= 0)
			b.yes = order[b.yes] - left;
		if (b.no >= 0)
			b.no = order[b.no] - left;
		sorted[order[i] - left] = b;
	}
	if (g->root >= 0)
		g->root = order[g->root] - left;
	free(g->blocks);
	g->blocks = sorted;
	g->count = kept;
	g->room = n + 1;
	free(stack), free(order), free(state);
	return true;
}

/* Blocks that have become alike are made one, from the end on; a test both of whose answers lead to
 * one place goes. */
bool bpei_graph_merge(struct graph *g)
{
	struct graph to = { .root = g->root };
	struct builder w = { .g = &to };
	int32_t *now = malloc(((size_t)g->count + 1) * sizeof *now);
	for (int32_t i = g->count - 1; now && i >= 0 && !w.failed; i--) {
		struct block b = g->blocks[i];
		if (b.yes >= 0)
			b.yes = now[b.yes];
		if (b.no >= 0)
			b.no = now[b.no];
		now[i] = block(&w, b);
	}
	free(w.table);
	bool done = now && !w.failed;
	if (done) {
		to.root = g->root >= 0 ? now[g->root] : g->root;
		free(g->blocks);
		*g = to;
	} else {
		free(to.blocks);
	}
	free(now);
	return done && bpei_graph_sort(g);
}

/* ---- Facts ---- */

static bool holds(uint8_t cmp, uint32_t a, uint32_t b)
{
	return cmp == CMP_EQ   ? a == b
	       : cmp == CMP_GT ? a > b
	       : cmp == CMP_GE ? a >= b
			       : (a & b) != 0;
}

/* The value as a number, if the facts say it. */
static bool number(const struct bpei_compile *c, const struct known *k, int32_t v, uint32_t *n)
{
	const struct value *value = &c->values[v];
	uint32_t a, b;
	if (value->kind == VALUE_IMM)
		return *n = value->k, true;
	for (int i = 0; i < k->count; i++)
		if (k->fact[i].value == v && k->fact[i].x < 0 && k->fact[i].cmp == CMP_EQ &&
			k->fact[i].yes)
			return *n = k->fact[i].k, true;
	if (value->kind != VALUE_ALU || value->op != OP_AND || value->b < 0 ||
		c->values[value->b].kind != VALUE_IMM)
		return false;
	if (!number(c, k, value->a, &a))
		return false;
	b = c->values[value->b].k;
	return *n = a & b, true;
}

/* 1: yes, 0: no, -1: not known. */
static int answer(const struct bpei_compile *c, const struct known *k, const struct block *b)
{
	uint32_t n;
	for (int i = 0; i < k->count; i++) {
		const struct fact *f = &k->fact[i];
		if (f->value != b->value)
			continue;
		if (f->x == b->x && f->k == b->k && f->cmp == b->cmp)
			return f->yes;
		if (f->x >= 0 || b->x >= 0)
			continue;
		uint32_t least = 0, most = UINT32_MAX; /* what is known of its size */
		if (f->cmp == CMP_GT && f->yes)
			least = f->k + 1;
		else if (f->cmp == CMP_GT)
			most = f->k;
		else if (f->cmp == CMP_GE && f->yes)
			least = f->k;
		else if (f->cmp == CMP_GE && f->k)
			most = f->k - 1;
		else if (f->cmp == CMP_EQ && f->yes)
			return holds(b->cmp, f->k, b->k);
		if (f->cmp == CMP_GT && f->yes && f->k == UINT32_MAX)
			continue;
		if (b->cmp == CMP_EQ && (b->k < least || b->k > most))
			return 0;
		if (b->cmp == CMP_GT && (least > b->k || most <= b->k))
			return least > b->k;
		if (b->cmp == CMP_GE && (least >= b->k || most < b->k))
			return least >= b->k;
	}
	return b->x < 0 && number(c, k, b->value, &n) ? holds(b->cmp, n, b->k) : -1;
}

static void learn(struct known *k, const struct block *b, bool yes)
{
	if (k->count == FACTS) { /* the oldest goes that says which number something is not: all
				    others say more */
		int oldest = 0;
		while (oldest < FACTS - 1 && (k->fact[oldest].yes || k->fact[oldest].cmp != CMP_EQ))
			oldest++;
		memmove(k->fact + oldest, k->fact + oldest + 1,
			(size_t)(FACTS - 1 - oldest) * sizeof *k->fact);
		k->count--;
	}
	k->fact[k->count++] = (struct fact){ b->value, b->x, b->k, b->cmp, yes };
}

static void copy_known(struct known *to, const struct known *from)
{
	to->count = from->count;
	to->reached = true;
	memcpy(to->fact, from->fact, from->count * sizeof *from->fact);
}

static void meet(struct known *to, const struct known *from)
{
	if (!to->reached) {
		copy_known(to, from);
		return;
	}
	uint8_t kept = 0;
	for (int i = 0; i < to->count; i++)
		for (int j = 0; j < from->count; j++) {
			const struct fact *a = &to->fact[i], *b = &from->fact[j];
			if (a->value != b->value || a->x != b->x || a->k != b->k ||
				a->cmp != b->cmp || a->yes != b->yes)
				continue;
			to->fact[kept++] = *a;
			break;
		}
	to->count = kept;
}

/* Where the edge really leads. */
static int32_t follow(
	const struct bpei_compile *c, const struct graph *g, const struct known *k, int32_t to)
{
	while (to >= 0) {
		int a = answer(c, k, &g->blocks[to]);
		if (a < 0)
			break;
		to = a ? g->blocks[to].yes : g->blocks[to].no;
	}
	return to;
}

bool bpei_graph_thread(struct bpei_compile *c, struct graph *g)
{
	if (!bpei_graph_sort(g))
		return false;
	for (int32_t work = 0; work < WORK; work += g->count + 1) {
		bool changed = false;
		struct known *k = malloc(((size_t)g->count + 1) * sizeof *k);
		if (!k)
			return false;
		for (int32_t i = 0; i <= g->count; i++)
			k[i].count = 0, k[i].reached = false;
		for (int32_t i = 0; i < g->count; i++) {
			struct block *b = &g->blocks[i];
			if (i && !k[i].reached)
				continue;
			for (int yes = 0; yes < 2; yes++) {
				struct known on;
				copy_known(&on, &k[i]);
				learn(&on, b, yes);
				int32_t *way = yes ? &b->yes : &b->no, to = follow(c, g, &on, *way);
				changed |= to != *way;
				*way = to;
				if (to >= 0)
					meet(&k[to], &on);
			}
		}
		free(k);
		if (!bpei_graph_sort(g) || !bpei_graph_merge(g))
			return false;
		if (!changed)
			break;
	}
	return true;
}
