/* SPDX-License-Identifier: MIT */
/* Sets: tests for equality one after another that all lead to one place ("host a or host b or
 * ...").  Those of one value come side by side, so that it is loaded once, and where they are many
 * they become a balanced search.  With a limit of ranges the smallest gaps between numbers are
 * closed, which lets the fewest others in; or, where the set's numbers are the refused ones, the
 * smallest ranges are left out. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define LEAF 8 /* ranges compared one by one */

struct member {
	struct block test;
	uint32_t last;
	int32_t first;
}; /* the numbers test.k to last; the first member's place of the same value */

static int by_first_then_number(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->test.k < b->test.k ? -1 : a->test.k > b->test.k;
}

struct sized {
	uint32_t size;
	int32_t at;
};

static int largest_first(const void *x, const void *y)
{
	const struct sized *a = x, *b = y;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->at - b->at;
}

static int32_t add_block(struct graph *g, struct block b)
{
	if (g->count == g->room) {
		int32_t room = g->room * 2 + 16;
		struct block *blocks = realloc(g->blocks, (size_t)room * sizeof *blocks);
		if (!blocks)
			return -3;
		g->blocks = blocks;
		g->room = room;
	}
	g->blocks[g->count] = b;
	return g->count++;
}

/* The n sorted ranges as a balanced search; a way that is in none of them leads to `no`.  -3: no
 * memory. */
static int32_t search(struct graph *g, const struct member *m, int32_t n, int32_t yes, int32_t no)
{
	if (n > LEAF) {
		int32_t half = n / 2, low = search(g, m, half, yes, no),
			high = search(g, m + half, n - half, yes, no);
		if (low == -3 || high == -3)
			return -3;
		return add_block(g, (struct block){ .value = m->test.value,
					    .x = -1,
					    .k = m[half].test.k,
					    .cmp = CMP_GE,
					    .yes = high,
					    .no = low });
	}
	int32_t at = no;
	for (int32_t i = n - 1; i >= 0 && at != -3; i--) {
		const uint32_t first = m[i].test.k, last = m[i].last;
		struct block b = { .value = m->test.value,
			.x = -1,
			.k = first,
			.cmp = CMP_EQ,
			.yes = yes,
			.no = at };
		if (last - first == 1)
			at = add_block(g, (struct block){ .value = b.value,
						  .x = -1,
						  .k = last,
						  .cmp = CMP_EQ,
						  .yes = yes,
						  .no = at });
		if (last - first > 1) {
			b.cmp = CMP_GE;
			b.yes = add_block(g, (struct block){ .value = b.value,
						     .x = -1,
						     .k = last,
						     .cmp = CMP_GT,
						     .yes = at,
						     .no = yes });
			if (b.yes == -3)
				return -3;
		}
		b.no = at;
		at = at == -3 ? at : add_block(g, b);
	}
	return at;
}

/* Numbers that follow each other become one range: how many there are then. */
static int32_t join(struct member *m, int32_t n)
{
	int32_t kept = 0;
	for (int32_t i = 1; i < n; i++) {
		if (m[i].test.k - m[kept].last <= 1)
			m[kept].last = m[i].last;
		else
			m[++kept] = m[i];
	}
	return kept + 1;
}

/* Whether all that is accepted behind `from` is accepted behind `by`, as far as is easily seen: its
 * ways end in a refusal or in `by`. */
static bool within(const struct graph *g, int32_t from, int32_t by)
{
	if (by == WAY_ACCEPT || from == WAY_REJECT || from == by)
		return true;
	if (from < 0)
		return false;
	bool good = true;
	int32_t top = 0, *stack = malloc(((size_t)g->count + 1) * sizeof *stack);
	uint8_t *seen = calloc((size_t)g->count + 1, 1);
	if (stack && seen)
		stack[top++] = from, seen[from] = 1;
	else
		good = false;
	while (good && top) {
		const struct block *b = &g->blocks[stack[--top]];
		for (int yes = 0; yes < 2; yes++) {
			int32_t to = yes ? b->yes : b->no;
			if (to == WAY_ACCEPT)
				good = false;
			if (to >= 0 && to != by && !seen[to])
				seen[to] = 1, stack[top++] = to;
		}
	}
	free(stack), free(seen);
	return good;
}

/* At most `most` of the n ranges: the smallest gaps are closed, or the smallest ranges left out; n
 * if neither may be done, 0: no memory. */
static int32_t fewer(
	const struct graph *g, struct member *m, int32_t n, int32_t most, int32_t yes, int32_t no)
{
	bool drops = !within(g, no, yes);
	int32_t kept = 0;
	if (drops && !within(g, yes, no))
		return n;
	struct sized *s = malloc((size_t)n * sizeof *s);
	bool *stays = calloc((size_t)n, sizeof *stays);
	if (s && stays) {
		for (int32_t i = 0; i < n; i++)
			s[i] = (struct sized){ drops ? m[i].last - m[i].test.k
					       : i   ? m[i].test.k - m[i - 1].last
						     : UINT32_MAX,
				i };
		qsort(s, (size_t)n, sizeof *s, largest_first);
		for (int32_t i = 0; i < most; i++)
			stays[s[i].at] = true;
		for (int32_t i = 0; i < n; i++) {
			if (stays[i])
				m[kept++] = m[i];
			else if (!drops)
				m[kept - 1].last = m[i].last;
		}
	}
	free(s), free(stays);
	return kept;
}

bool bpei_graph_sets(struct graph *g, uint32_t ranges)
{
	int32_t n = g->count, *before = calloc((size_t)n + 1, sizeof *before);
	struct member *m = malloc(((size_t)n + 1) * sizeof *m);
	bool good = before && m;
	for (int32_t i = 0; good && i < n; i++) {
		if (g->blocks[i].yes >= 0)
			before[g->blocks[i].yes]++;
		if (g->blocks[i].no >= 0)
			before[g->blocks[i].no]++;
	}
	for (int32_t i = 0; good && i < n; i++) {
		const struct block head = g->blocks[i];
		int32_t k = 0, last = i, kinds = 0;
		if (before[i] < 0 || head.cmp != CMP_EQ || head.x >= 0)
			continue;
		for (int32_t at = i; at >= 0 && at < n; at = g->blocks[at].no) {
			const struct block *b = &g->blocks[at];
			if (b->cmp != CMP_EQ || b->x >= 0 || b->yes != head.yes ||
				(at != i && before[at] != 1))
				break;
			m[k] = (struct member){ *b, b->k, kinds };
			for (int32_t j = k - 1; j >= 0 && j >= k - 64; j--)
				if (m[j].test.value == b->value) {
					m[k].first = m[j].first;
					break;
				}
			if (m[k].first == kinds)
				kinds++;
			if (at != i)
				before[at] = -1; /* taken */
			last = at;
			k++;
		}
		if (k < 3)
			continue;
		int32_t no = g->blocks[last].no;
		qsort(m, (size_t)k, sizeof *m, by_first_then_number);
		for (int32_t end = k; end > 0 && good;) {
			int32_t begin = end - 1;
			while (begin && m[begin - 1].first == m[end - 1].first)
				begin--;
			int32_t count = join(m + begin, end - begin);
			if (ranges && count > (int32_t)ranges && count > LEAF)
				count = fewer(g, m + begin, count, (int32_t)ranges, head.yes, no);
			no = count ? search(g, m + begin, count, head.yes, no) : -3;
			good = no != -3;
			end = begin;
		}
		if (good)
			g->blocks[i] = g->blocks[no]; /* the head keeps its place, for those who
							 lead to it */
	}
	free(before);
	free(m);
	return good && bpei_graph_sort(g) && bpei_graph_merge(g);
}
