/* SPDX-License-Identifier: MIT */
/* The largest flows of a running engine: a query to each owner of a flow table.
 *
 * Each answerer scans a table into a bounded list (flow/top.h); the asker merges
 * the lists when the query is over. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/sized.h"

#include <stdlib.h>

struct top_query {
	struct bpei_query query;
	struct bpei_top *tops; /* a list for each share of the engine */
};

/* Scans the next entries of a table into the answerer's list. */
static enum bpei_progress step_top_query(
	struct bpei_query *query, struct bpei_answerer *answerer, uint32_t budget) BPEI_UNCHECKED
{
	const struct bpei_worker *w = answerer->self;
	struct bpei_top *top = &((struct top_query *)query)->tops[w->number];
	const bool is_over = !w->table || bpei_top_scan(w->table, top, budget);

	return is_over ? BPEI_QUERY_DONE : BPEI_QUERY_MORE;
}

/* Returns an empty list of at most n flows for each share; NULL: no memory. */
static struct bpei_top *make_top_lists(
	const struct bpe_engine *e, enum bpe_order order, int64_t since_ns, size_t n)
{
	struct bpei_top *tops = calloc(e->plan.shares, sizeof *tops);
	int status = tops ? BPE_OK : BPE_E_MEMORY;

	for (uint32_t k = 0; k < e->plan.shares && status >= 0; k++) {
		const uint64_t most = e->workers[k].table ? e->options.max_flows : 0;

		status = bpei_top_init(&tops[k], order, since_ns, n < most ? n : (size_t)most);
	}
	if (status >= 0)
		return tops;
	for (uint32_t k = 0; tops && k < e->plan.shares; k++)
		bpei_top_free(&tops[k]);
	free(tops);
	return NULL;
}

int bpei_engine_largest_flows(
	struct bpe_engine *e, const struct bpe_flow_question *question, struct bpe_error *error)
{
	int64_t since_ns = question->since_ns;
	size_t n = question->n;
	struct bpe_flow_totals sums = { .packet_ns = (int64_t)bpei_counter_get(
						&e->input.last_packet_ns) };
	struct top_query top = { .query = { step_top_query } };

	if (bpei_query_is_own_thread(e))
		return bpei_fail(error, BPE_E_STATE, "snapshot", 0,
			"a handler cannot ask for the flows: its thread is one of those that answer");
	if (n > INT32_MAX)
		n = INT32_MAX;
	/* Where the source's clock steps, tables have other times than packets. */
	if (!bpei_timeline_is_plain(&e->flows.timeline))
		since_ns = INT64_MIN;
	top.tops = make_top_lists(e, question->order, since_ns, n);
	int found = BPE_E_MEMORY;
	if (top.tops) {
		bpei_query_ask(&e->top_desk, &top.query);
		found = bpei_top_merge(
			top.tops, e->plan.shares, question->flows, question->flow_bytes, n);
	}
	for (uint32_t k = 0; top.tops && k < e->plan.shares; k++) {
		sums.alive += top.tops[k].alive;
		sums.recent += top.tops[k].recent;
		bpei_top_free(&top.tops[k]);
	}
	free(top.tops);
	if (found < 0)
		return bpei_fail(
			error, found, "snapshot", 0, "no memory for the records of %zu flows", n);
	if (question->totals)
		bpei_sized_give(question->totals, question->totals_bytes, &sums, sizeof sums);
	return found;
}
