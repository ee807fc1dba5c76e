/* SPDX-License-Identifier: MIT */
/* Sets: tests for equality in a row that all lead to the same block ("host a or host b or ...").
 * Tests of the same value are put side by side, so the value is loaded once.  Many of them become a
 * balanced search.
 *
 * With a limit of ranges, the smallest gaps between numbers are closed, which lets the fewest other
 * numbers in.  If the numbers of the set are refused, the smallest ranges are left out instead. */
#include "filter/graph.h"

#include <stdlib.h>
#include <string.h>

#define LEAF 8         /* ranges compared in a row */
#define LOOK_BACK 64   /* tests in which an earlier test of the same value is searched */
#define SET_LEAST 3    /* tests that are worth a set */
#define NO_MEMORY (-3) /* beside a block's index and WAY_* */

/* A test of a set: the numbers from test.k to last; `first` numbers the tests' values in the order
 * of their first test. */
struct set_member {
	struct block test;
	uint32_t last;
	int32_t first;
};

static int compare_members(const void *x, const void *y)
{
	const struct set_member *a = x;
	const struct set_member *b = y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->test.k > b->test.k) - (a->test.k < b->test.k);
}

struct sized_range {
	uint32_t size;
	int32_t at;
};

/* Sorts the largest range first. */
static int compare_ranges(const void *x, const void *y)
{
	const struct sized_range *a = x;
	const struct sized_range *b = y;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->at - b->at;
}

/* ---- Searches ---- */

/* Adds the test "value cmp k".  Returns the block's index, or NO_MEMORY. */
static int32_t add_set_test(struct graph *g, struct block test)
{
	if (g->count == g->room) {
		const int32_t room = g->room * 2 + 16;
		struct block *blocks = realloc(g->blocks, (size_t)room * sizeof *blocks);

		if (!blocks)
			return NO_MEMORY;
		g->blocks = blocks;
		g->room = room;
	}
	test.x = -1;
	g->blocks[g->count] = test;
	return g->count++;
}

/* Adds the test of a range; `no` is the next test.  Returns as add_set_test. */
static int32_t add_range_test(struct graph *g, const struct set_member *m, int32_t yes, int32_t no)
{
	const uint32_t first = m->test.k;
	struct block b = {
		.value = m->test.value, .k = first, .cmp = CMP_EQ, .yes = yes, .no = no
	};

	if (m->last - first == 1) {
		struct block second = b;

		second.k = m->last;
		b.no = add_set_test(g, second);
		if (b.no == NO_MEMORY)
			return NO_MEMORY;
	} else if (m->last != first) {
		const struct block above = {
			.value = b.value, .k = m->last, .cmp = CMP_GT, .yes = no, .no = yes
		};

		b.cmp = CMP_GE;
		b.yes = add_set_test(g, above);
		if (b.yes == NO_MEMORY)
			return NO_MEMORY;
	}
	return add_set_test(g, b);
}

/* Adds the n sorted ranges as a balanced search; values in none of them lead to `no`.  Returns as
 * add_set_test. */
static int32_t add_search(
	struct graph *g, const struct set_member *m, int32_t n, int32_t yes, int32_t no)
{
	if (n > LEAF) {
		const int32_t half = n / 2;
		const int32_t low = add_search(g, m, half, yes, no);
		const int32_t high = add_search(g, m + half, n - half, yes, no);

		if (low == NO_MEMORY || high == NO_MEMORY)
			return NO_MEMORY;
		return add_set_test(g, (struct block){ .value = m->test.value,
					       .k = m[half].test.k,
					       .cmp = CMP_GE,
					       .yes = high,
					       .no = low });
	}
	int32_t at = no;
	for (int32_t i = n - 1; i >= 0 && at != NO_MEMORY; i--)
		at = add_range_test(g, &m[i], yes, at);
	return at;
}

/* ---- Ranges ---- */

/* Joins numbers that follow each other to ranges.  Returns the number of ranges. */
static int32_t join_ranges(struct set_member *m, int32_t n)
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

/* Follows all edges from `from`, but not beyond `by`.  Returns true if none accepts; false if any
 * does, or there is no memory. */
static bool never_accepts(const struct graph *g, int32_t from, int32_t by)
{
	int32_t *stack = malloc(((size_t)g->count + 1) * sizeof *stack);
	uint8_t *seen = calloc((size_t)g->count + 1, 1);
	bool good = stack && seen;
	int32_t top = 0;

	if (good) {
		stack[top++] = from;
		seen[from] = 1;
	}
	while (good && top) {
		const struct block *b = &g->blocks[stack[--top]];

		for (int yes = 0; yes < 2; yes++) {
			const int32_t to = yes ? b->yes : b->no;

			if (to == WAY_ACCEPT)
				good = false;
			if (to >= 0 && to != by && !seen[to]) {
				seen[to] = 1;
				stack[top++] = to;
			}
		}
	}
	free(stack);
	free(seen);
	return good;
}

/* Returns true if everything accepted behind `from` is accepted behind `by`, as far as is easily
 * seen: all paths end in a refusal or in `by`. */
static bool accepts_within(const struct graph *g, int32_t from, int32_t by)
{
	if (by == WAY_ACCEPT || from == WAY_REJECT || from == by)
		return true;
	return from >= 0 && never_accepts(g, from, by);
}

/* Returns the size by which range i is kept: its own size, or the gap in front. */
static uint32_t measure_range(const struct set_member *m, int32_t i, bool by_size)
{
	if (by_size)
		return m[i].last - m[i].test.k;
	return i ? m[i].test.k - m[i - 1].last : UINT32_MAX;
}

/* Reduces the n ranges to `most`: closes the smallest gaps, or drops the smallest ranges if the set
 * is refused (drops).  Returns the number of ranges; 0: no memory. */
static int32_t reduce_ranges(struct set_member *m, int32_t n, int32_t most, bool drops)
{
	struct sized_range *s = malloc((size_t)n * sizeof *s);
	bool *stays = calloc((size_t)n, sizeof *stays);
	int32_t kept = 0;

	if (s && stays) {
		for (int32_t i = 0; i < n; i++)
			s[i] = (struct sized_range){ measure_range(m, i, drops), i };
		qsort(s, (size_t)n, sizeof *s, compare_ranges);
		for (int32_t i = 0; i < most; i++)
			stays[s[i].at] = true;
		for (int32_t i = 0; i < n; i++) {
			if (stays[i])
				m[kept++] = m[i];
			else if (!drops)
				m[kept - 1].last = m[i].last;
		}
	}
	free(s);
	free(stays);
	return kept;
}

/* Limits the n ranges to `most`, if the graph then accepts at least what it did before.  Returns
 * the number of ranges; 0: no memory. */
static int32_t limit_ranges(const struct graph *g, struct set_member *m, int32_t n, int32_t most,
	int32_t yes, int32_t no)
{
	const bool drops = !accepts_within(g, no, yes);

	if (drops && !accepts_within(g, yes, no))
		return n;
	return reduce_ranges(m, n, most, drops);
}

/* ---- Rows of tests ---- */

/* A row of tests for equality with the same "yes". */
struct set {
	struct set_member *members;
	int32_t count;
	int32_t kinds; /* different values */
	int32_t last;  /* the last test's block */
};

static int32_t find_kind(const struct set *set, int32_t value)
{
	const int32_t n = set->count;

	for (int32_t j = n - 1; j >= 0 && j >= n - LOOK_BACK; j--)
		if (set->members[j].test.value == value)
			return set->members[j].first;
	return set->kinds;
}

/* Collects the row that begins with block i, among the first n blocks.  before: how many edges lead
 * to each block; -1 marks a collected block. */
static void collect_set(const struct graph *g, int32_t i, int32_t n, int32_t *before, struct set *s)
{
	const int32_t yes = g->blocks[i].yes;

	s->count = 0;
	s->kinds = 0;
	for (int32_t at = i; at >= 0 && at < n; at = g->blocks[at].no) {
		const struct block *b = &g->blocks[at];

		if (b->cmp != CMP_EQ || b->x >= 0 || b->yes != yes || (at != i && before[at] != 1))
			break;
		const int32_t kind = find_kind(s, b->value);
		if (kind == s->kinds)
			s->kinds++;
		s->members[s->count++] = (struct set_member){ *b, b->k, kind };
		if (at != i)
			before[at] = -1;
		s->last = at;
	}
}

/* Replaces the row that begins with block i by searches, the last value's first.  The head keeps
 * its place, for the edges that lead to it.  Returns false if there is no memory. */
static bool replace_set(struct graph *g, int32_t i, struct set *s, uint32_t ranges)
{
	const int32_t yes = g->blocks[i].yes;
	struct set_member *m = s->members;
	int32_t no = g->blocks[s->last].no;

	qsort(m, (size_t)s->count, sizeof *m, compare_members);
	for (int32_t end = s->count; end > 0;) {
		int32_t begin = end - 1;

		while (begin && m[begin - 1].first == m[end - 1].first)
			begin--;
		int32_t count = join_ranges(m + begin, end - begin);
		if (ranges && count > (int32_t)ranges && count > LEAF)
			count = limit_ranges(g, m + begin, count, (int32_t)ranges, yes, no);
		no = count ? add_search(g, m + begin, count, yes, no) : NO_MEMORY;
		if (no == NO_MEMORY)
			return false;
		end = begin;
	}
	g->blocks[i] = g->blocks[no];
	return true;
}

static void count_edges(const struct graph *g, int32_t *before)
{
	for (int32_t i = 0; i < g->count; i++) {
		if (g->blocks[i].yes >= 0)
			before[g->blocks[i].yes]++;
		if (g->blocks[i].no >= 0)
			before[g->blocks[i].no]++;
	}
}

bool bpei_graph_sets(struct graph *g, uint32_t ranges)
{
	const int32_t n = g->count;
	int32_t *before = calloc((size_t)n + 1, sizeof *before);
	struct set set = { .members = malloc(((size_t)n + 1) * sizeof *set.members) };
	bool good = before && set.members;

	if (good)
		count_edges(g, before);
	for (int32_t i = 0; good && i < n; i++) {
		if (before[i] < 0 || g->blocks[i].cmp != CMP_EQ || g->blocks[i].x >= 0)
			continue;
		collect_set(g, i, n, before, &set);
		if (set.count >= SET_LEAST)
			good = replace_set(g, i, &set, ranges);
	}
	free(before);
	free(set.members);
	return good && bpei_graph_sort(g) && bpei_graph_merge(g);
}
