/* SPDX-License-Identifier: MIT */
/* Makes the graph of tests from the tree, sorts and merges its blocks.  Equal tests with equal
 * exits are a single block.  thread.c leaves out tests with a known answer. */
#include "filter/graph.h"

#include <stdlib.h>
#include <string.h>

/* ---- Building ---- */

struct graph_builder {
	const struct bpei_compile *c;
	struct graph *g;
	int32_t *table; /* open addressing over equal blocks */
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

static bool equal_blocks(const struct block *a, const struct block *b)
{
	return a->value == b->value && a->x == b->x && a->k == b->k && a->cmp == b->cmp &&
	       a->yes == b->yes && a->no == b->no;
}

/* Makes the table anew with `size` slots, a power of 2. */
static bool rehash_blocks(struct graph_builder *w, uint32_t size)
{
	int32_t *table = malloc(size * sizeof *table);

	if (!table)
		return false;
	memset(table, 0xff, size * sizeof *table);
	for (int32_t i = 0; i < w->g->count; i++) {
		uint32_t at = hash_block(&w->g->blocks[i]) & (size - 1);

		while (table[at] >= 0)
			at = (at + 1) & (size - 1);
		table[at] = i;
	}
	free(w->table);
	w->table = table;
	w->mask = size - 1;
	return true;
}

static bool grow_blocks(struct graph_builder *w)
{
	struct graph *g = w->g;
	const int32_t room = g->room ? g->room * 2 : 64;
	struct block *blocks = realloc(g->blocks, (size_t)room * sizeof *blocks);

	if (blocks) {
		g->blocks = blocks;
		g->room = room;
	}
	return blocks && rehash_blocks(w, (uint32_t)room * 2);
}

/* Returns the index of the block, which is added unless an equal block exists.  A block with equal
 * exits is left out; the load in it could have rejected, but nothing depends on the test. */
static int32_t intern_block(struct graph_builder *w, struct block b)
{
	struct graph *g = w->g;

	if (b.yes == b.no)
		return b.yes;
	if (g->count == g->room && !grow_blocks(w)) {
		w->failed = true;
		return WAY_REJECT;
	}
	uint32_t at = hash_block(&b) & w->mask;
	for (; w->table[at] >= 0; at = (at + 1) & w->mask)
		if (equal_blocks(&g->blocks[w->table[at]], &b))
			return w->table[at];
	g->blocks[g->count] = b;
	w->table[at] = g->count;
	return g->count++;
}

/* Adds the tree's node n with the exits yes and no.  Returns the first block, or an exit.  The left
 * side is walked in a loop, so that long rows of "or" need no stack. */
static int32_t build_tree(struct graph_builder *w, int32_t n, int32_t yes, int32_t no)
{
	while (!w->failed) {
		const struct node *t = &w->c->nodes[n];
		const int32_t old_yes = yes;

		switch (t->kind) {
		case NODE_CONST:
			return t->value ? yes : no;
		case NODE_NOT:
			yes = no;
			no = old_yes;
			n = t->left;
			continue;
		case NODE_AND:
			yes = build_tree(w, t->right, yes, no);
			n = t->left;
			continue;
		case NODE_OR:
			no = build_tree(w, t->right, yes, no);
			n = t->left;
			continue;
		default:
			return intern_block(
				w, (struct block){ t->value, t->x, t->k, t->cmp, yes, no });
		}
	}
	return WAY_REJECT;
}

bool bpei_graph_make(struct bpei_compile *c, int32_t tree, struct graph *g)
{
	struct graph_builder w = { .c = c, .g = g };

	*g = (struct graph){ .root = WAY_ACCEPT };
	g->root = build_tree(&w, tree, WAY_ACCEPT, WAY_REJECT);
	free(w.table);
	return !w.failed;
}

bool bpei_graph_copy(const struct graph *g, struct graph *copy)
{
	*copy = *g;
	copy->room = g->count + 1;
	copy->blocks = malloc((size_t)copy->room * sizeof *copy->blocks);
	if (!copy->blocks)
		return false;
	if (g->count)
		memcpy(copy->blocks, g->blocks, (size_t)g->count * sizeof *g->blocks);
	return true;
}

/* ---- Sorting ---- */

/* The work space of a sort: an explicit stack, since graphs can be deep. */
struct sorter {
	int32_t *stack;
	int32_t top;
	int32_t *order; /* a block's place, counted from the end of all blocks */
	uint8_t *state; /* SORT_* of each block */
	struct block *sorted;
};

enum { SORT_UNSEEN, SORT_NEW, SORT_NO_DONE, SORT_YES_DONE };

static void push_block(struct sorter *s, int32_t block)
{
	if (block < 0 || s->state[block] != SORT_UNSEEN)
		return;
	s->stack[s->top++] = block;
	s->state[block] = SORT_NEW;
}

/* Numbers the blocks that the root leads to, from the end on.  A block's "no" is numbered first, so
 * "yes" stands directly behind the block.  Returns the number of the first block. */
static int32_t number_blocks(const struct graph *g, struct sorter *s)
{
	int32_t first = g->count;

	push_block(s, g->root);
	while (s->top) {
		const int32_t at = s->stack[s->top - 1];

		switch (s->state[at]) {
		case SORT_NEW:
			s->state[at] = SORT_NO_DONE;
			push_block(s, g->blocks[at].no);
			break;
		case SORT_NO_DONE:
			s->state[at] = SORT_YES_DONE;
			push_block(s, g->blocks[at].yes);
			break;
		default:
			s->order[at] = --first;
			s->top--;
			break;
		}
	}
	return first;
}

/* Moves the blocks to their places; `first` becomes 0. */
static void place_blocks(struct graph *g, struct sorter *s, int32_t first)
{
	for (int32_t i = 0; i < g->count; i++) {
		struct block b = g->blocks[i];

		if (s->state[i] == SORT_UNSEEN)
			continue;
		if (b.yes >= 0)
			b.yes = s->order[b.yes] - first;
		if (b.no >= 0)
			b.no = s->order[b.no] - first;
		s->sorted[s->order[i] - first] = b;
	}
	if (g->root >= 0)
		g->root = s->order[g->root] - first;
	free(g->blocks);
	g->blocks = s->sorted;
	s->sorted = NULL;
	g->room = g->count + 1;
	g->count -= first;
}

bool bpei_graph_sort(struct graph *g)
{
	const size_t n = (size_t)g->count + 1;
	struct sorter s = { .top = 0 };

	s.stack = malloc(n * sizeof *s.stack);
	s.order = malloc(n * sizeof *s.order);
	s.state = calloc(n, 1);
	s.sorted = malloc(n * sizeof *s.sorted);
	const bool has_memory = s.stack && s.order && s.state && s.sorted;
	if (has_memory)
		place_blocks(g, &s, number_blocks(g, &s));
	free(s.stack);
	free(s.order);
	free(s.state);
	free(s.sorted);
	return has_memory;
}

/* ---- Merging ---- */

/* Adds all blocks to a new graph, from the last block on, which makes equal blocks one. */
bool bpei_graph_merge(struct graph *g)
{
	struct graph to = { .root = g->root };
	struct graph_builder w = { .g = &to };
	int32_t *now = malloc(((size_t)g->count + 1) * sizeof *now);

	for (int32_t i = g->count - 1; now && i >= 0 && !w.failed; i--) {
		struct block b = g->blocks[i];

		if (b.yes >= 0)
			b.yes = now[b.yes];
		if (b.no >= 0)
			b.no = now[b.no];
		now[i] = intern_block(&w, b);
	}
	free(w.table);
	const bool done = now && !w.failed;
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
