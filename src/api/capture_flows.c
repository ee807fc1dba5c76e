/* SPDX-License-Identifier: MIT */
/* The flow table of the capture level: the engine's table and flow times, on the caller's thread.
 *
 * The table counts each batch before bpe_capture_next returns the batch.  Handlers run meanwhile.
 * A handler that calls its own capture finds a table at work.  A handler that leaves by longjmp
 * leaves a table behind that can only be freed.  bpei_capture_enter refuses both.
 * At the end of the source the flows are handed over, but stay in the table, as in the engine.
 * bpe_capture_end_flows takes them out, since packets may follow. */
#include "api/capture.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/sized.h"
#include "engine/flows.h"
#include "flow/top.h"

#include <limits.h>

#define AGE_EVERY_NS 100000000 /* while no packets come */

struct bpei_capture_flows {
	struct bpei_flows flows;
	struct bpei_table *table;
	struct bpei_share_names names;
	uint32_t flow[BPE_BATCH]; /* column of the batch at hand */
	int64_t aged_ns;          /* when the flows last aged by the clock */
	uint64_t events;          /* given to on_event */
	bool finished;            /* the end of the source: all flows were handed over */
};

int bpei_capture_enter(struct bpe_capture *c, const char *step, struct bpe_error *error)
{
	if (c->inside)
		return bpei_fail(error, BPE_E_STATE, step, 0,
			"a handler of this capture has not returned: it calls the capture, or has left by longjmp or an exception; then only closing is left");
	c->inside = true;
	return BPE_OK;
}

bool bpei_capture_takes(struct bpe_capture *c, const struct bpe_flow *flow)
{
	if (!c->where || bpe_where_match(c->where, flow))
		return true;
	c->records_filtered++;
	return false;
}

static void hand_over_capture_flow(void *capture, const struct bpe_flow *flow)
{
	struct bpe_capture *c = capture;

	if (bpei_capture_takes(c, flow))
		c->options.on_flow(c->options.user, flow, 0);
}

static void hand_over_capture_opening(void *capture, const struct bpe_flow *flow)
{
	const struct bpe_options *o = &((struct bpe_capture *)capture)->options;

	o->on_flow_open(o->user, flow, 0);
}

static void hand_over_capture_update(void *capture, const struct bpe_flow *flow)
{
	const struct bpe_options *o = &((struct bpe_capture *)capture)->options;

	o->on_flow_update(o->user, flow, 0);
}

static void hand_over_capture_event(void *capture, const struct bpe_event *event)
{
	struct bpe_capture *c = capture;

	if (!bpei_capture_takes(c, event->flow))
		return;
	c->flows->events++;
	c->options.on_event(c->options.user, event);
}

int bpei_capture_flows_open(struct bpe_capture *c, struct bpe_error *error)
{
	struct bpei_flow_share share = { .shares = 1, .user = c };

	if (c->options.on_flow)
		share.on_end = hand_over_capture_flow;
	if (c->options.on_flow_open)
		share.on_open = hand_over_capture_opening;
	if (c->options.on_flow_update)
		share.on_update = hand_over_capture_update;
	if (c->options.on_event)
		share.on_event = hand_over_capture_event;
	if (!c->options.flow_table)
		return BPE_OK;
	int status = BPE_E_MEMORY;

	c->flows = bpei_mem_map(sizeof *c->flows, 0);
	if (c->flows)
		status = bpei_naming_open(&c->flows->flows.naming, &c->options, 1, error);
	if (c->flows && status < 0)
		return status;
	if (status >= 0)
		status = bpei_flows_open(&c->flows->flows, &c->input, &c->options, true);
	if (status >= 0) {
		share.names = &c->flows->names;
		status = bpei_flows_table(&c->flows->flows, &c->options, &share, &c->flows->table);
	}
	if (status < 0)
		return bpei_fail(error, status, "open", 0, "no memory for the flow table");
	return BPE_OK;
}

void bpei_capture_flows_close(struct bpe_capture *c)
{
	if (!c->flows)
		return;
	bpei_table_free(c->flows->table);
	bpei_share_names_close(&c->flows->names);
	bpei_flows_close(&c->flows->flows);
	bpei_mem_unmap(c->flows, sizeof *c->flows);
}

void bpei_capture_flows_count(
	struct bpe_capture *c, struct bpe_batch *batch, const struct bpei_sums *sums)
{
	struct bpei_capture_flows *f = c->flows;

	if (!f)
		return;
	bpei_flows_assign_times(&f->flows, &c->input.columns, &c->block, batch->count, sums);
	bpei_role_enter(&bpei_worker_role);
	bpei_flows_count(f->table, &c->input.columns, 0, sums, batch, f->flow);
	if (f->names.namer)
		bpei_share_names_read(&f->names, batch);
	bpei_role_leave(&bpei_worker_role);
}

void bpei_capture_flows_pass_block(struct bpe_capture *c)
{
	if (c->flows)
		bpei_flows_publish_packets(&c->flows->flows);
}

int64_t bpei_capture_flows_step(const struct bpe_capture *c)
{
	return c->flows && c->input.device->live ? AGE_EVERY_NS : -1;
}

void bpei_capture_flows_idle(struct bpe_capture *c)
{
	struct bpei_capture_flows *f = c->flows;

	if (!f || !c->input.device->live)
		return;
	const int64_t now = bpei_clock_mono_ns();

	if (f->aged_ns && now - f->aged_ns < AGE_EVERY_NS)
		return;
	f->aged_ns = now;
	bpei_flows_publish_clock(&f->flows);
	bpei_role_enter(&bpei_worker_role);
	bpei_flows_age(
		f->table, &f->names, atomic_load_explicit(&f->flows.now, memory_order_relaxed));
	bpei_role_leave(&bpei_worker_role);
}

void bpei_capture_flows_finish(struct bpe_capture *c)
{
	struct bpei_capture_flows *f = c->flows;

	if (!f || f->finished)
		return;
	f->finished = true;
	bpei_role_enter(&bpei_worker_role);
	bpei_flows_finish(&f->flows, f->table, &f->names);
	bpei_role_leave(&bpei_worker_role);
}

void bpei_capture_flows_stats(const struct bpe_capture *c, struct bpe_stats *stats)
{
	if (c->flows)
		bpei_flows_stats(&c->flows->flows, c->flows->table, c->flows->names.namer, stats);
	if (c->flows)
		stats->events = c->flows->events;
}

/* ---- Public functions ---- */

/* Begins a call about flows.  Returns BPE_OK, or BPE_E_STATE also without a flow table. */
static int enter_flow_call(struct bpe_capture *c, const char *step, struct bpe_error *error)
{
	if (!c->flows)
		return bpei_fail(error, BPE_E_STATE, step, 0,
			"the capture keeps no flows: set options.flow_table before bpe_capture_open");
	return bpei_capture_enter(c, step, error);
}

int bpe_capture_end_flows(struct bpe_capture *c, struct bpe_error *error)
{
	const int status = enter_flow_call(c, "end flows", error);

	if (status < 0)
		return status;
	struct bpei_capture_flows *f = c->flows;
	const struct bpei_table_counts *counts = bpei_table_counts(f->table);
	const uint64_t ended = bpei_counter_get(&counts->ended);

	bpei_role_enter(&bpei_reader_role);
	bpei_role_enter(&bpei_worker_role);
	if (!f->finished) {
		bpei_flows_publish_packets(&f->flows);
		bpei_flows_age(f->table, &f->names,
			atomic_load_explicit(&f->flows.now, memory_order_relaxed));
		bpei_table_empty(f->table);
	}
	bpei_role_leave(&bpei_worker_role);
	bpei_role_leave(&bpei_reader_role);
	bpei_capture_leave(c);
	return (int)(bpei_counter_get(&counts->ended) - ended);
}

/* Copies the largest flows of the table, with the totals.  Returns their number, or
 * BPE_E_MEMORY. */
static int copy_largest_flows(
	struct bpe_capture *c, struct bpei_top *top, const struct bpe_flow_question *q)
{
	bpei_role_enter(&bpei_worker_role);
	while (!bpei_top_scan(c->flows->table, top, UINT32_MAX))
		continue;
	bpei_role_leave(&bpei_worker_role);
	const struct bpe_flow_totals sums = {
		.packet_ns = (int64_t)bpei_counter_get(&c->input.last_packet_ns),
		.alive = top->alive,
		.recent = top->recent,
	};
	const int found = bpei_top_merge(top, 1, q->flows, q->flow_bytes, q->n);

	if (found >= 0 && q->totals)
		bpei_sized_give(q->totals, q->totals_bytes, &sums, sizeof sums);
	return found;
}

int bpe_capture_largest_flows_sized(
	struct bpe_capture *c, const struct bpe_flow_question *question, struct bpe_error *error)
{
	struct bpe_flow_question q = { .since_ns = INT64_MIN };
	struct bpei_top top;
	int found =
		bpei_sized_take(&q, sizeof q, question, "sizeof(struct bpe_flow_question)", error);

	if (found >= 0)
		found = enter_flow_call(c, "largest flows", error);
	if (found < 0)
		return found;
	bpei_capture_leave(c); /* no handler runs below */
	if (q.order > BPE_ORDER_PACKETS)
		return bpei_fail(error, BPE_E_ARGUMENT, "largest flows", 0,
			"order is bytes or packets, not %u", q.order);
	/* Where the source's clock steps, the table has other times than packets. */
	if (!bpei_timeline_is_plain(&c->flows->flows.timeline))
		q.since_ns = INT64_MIN;
	const uint64_t alive = bpei_counter_get(&bpei_table_counts(c->flows->table)->active);

	if (q.n > alive)
		q.n = (size_t)alive;
	found = bpei_top_init(&top, q.order, q.since_ns, q.n);
	if (found >= 0)
		found = copy_largest_flows(c, &top, &q);
	bpei_top_free(&top);
	if (found < 0)
		return bpei_fail(error, found, "largest flows", 0,
			"no memory for the records of %zu flows", q.n);
	return found;
}
