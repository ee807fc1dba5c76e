/* SPDX-License-Identifier: MIT */
/* A dump of all flows: a query without a waiting asker.  Each owner of a flow table hands the
 * table's flows over, a few after each batch.
 *
 * A worker goes through the table by entry numbers, which a flow keeps for life.  Each flow
 * alive from the start to the end of the dump is therefore handed over exactly once.  fn and user
 * change only while no dump runs.  The first worker to end closes the desk; each worker
 * finishes an open dump before the table is closed down. */
#include "engine/engine.h"

/* Puts a dumped flow into the worker's record ring. */
static void dump_to_ring(void *worker, const struct bpe_flow *flow, uint32_t number) BPEI_UNCHECKED
{
	struct bpei_worker *w = worker;

	(void)number;
	bpei_counter_add(&w->flows_dumped, 1);
	if (bpei_worker_takes(w, flow))
		bpei_output_put(w, flow);
}

/* Hands over the flows of the next entries.  For on_record a step takes no more than fits into
 * the ring, unless the run is at the end (budget without limit). */
static enum bpei_progress step_dump_query(
	struct bpei_query *query, struct bpei_answerer *answerer, uint32_t budget) BPEI_UNCHECKED
{
	const struct bpei_dump *dump = (struct bpei_dump *)query;
	struct bpei_worker *w = answerer->self;
	const bpe_flow_fn fn = dump->fn ? dump->fn : dump_to_ring;
	void *const user = dump->fn ? dump->user : w;

	if (!dump->fn && budget != UINT32_MAX) {
		const uint32_t room = bpei_output_room(w);

		if (!room)
			return BPEI_QUERY_BLOCKED;
		if (budget > room)
			budget = room;
	}
	if (!bpei_table_dump(w->table, &answerer->position, budget, fn, user))
		return BPEI_QUERY_MORE;
	if (dump->fn)
		dump->fn(dump->user, NULL, w->number);
	return BPEI_QUERY_DONE;
}

int bpei_engine_dump_flows(struct bpe_engine *e, bpe_flow_fn fn, void *user)
{
	struct bpei_query_desk *desk = &e->dump_desk;
	int status = BPE_OK;

	if (!fn && !e->options.on_record && !e->plan.pulls)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&desk->mutex);
	if (!desk->open) {
		status = BPE_E_STATE;
	} else if (desk->pending) {
		status = BPE_E_BUSY;
	} else {
		e->dump =
			(struct bpei_dump){ .query = { step_dump_query }, .fn = fn, .user = user };
		bpei_query_start(desk, &e->dump.query);
	}
	pthread_mutex_unlock(&desk->mutex);
	return status;
}
