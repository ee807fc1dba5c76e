/* SPDX-License-Identifier: MIT */
/* The exported functions of the engine level: check the arguments, call the engine. */
#include "engine/engine.h"

#include "api/options.h"
#include "base/error.h"
#include "filter/kernel.h"

#include <stdlib.h>
#include <string.h>

int bpe_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error)
{
	struct bpe_options o;
	if (!engine)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "nowhere to put the engine");
	int r = bpei_options_check(&o, options, error);
	return r < 0 ? r : bpei_engine_open(&o, engine, error);
}

int bpe_engine_start(struct bpe_engine *e, struct bpe_error *error)
{
	return bpei_engine_start(e, error);
}
int bpe_engine_wait(struct bpe_engine *e, int64_t timeout_ns)
{
	return bpei_engine_wait(e, timeout_ns);
}
void bpe_engine_stop(struct bpe_engine *e)
{
	bpei_engine_stop(e);
}
void bpe_engine_close(struct bpe_engine *e)
{
	bpei_engine_close(e);
}
void bpe_engine_stats(struct bpe_engine *e, struct bpe_stats *stats)
{
	bpei_engine_stats(e, stats);
}
int bpe_engine_worker_stats(struct bpe_engine *e, uint32_t w, struct bpe_worker_stats *stats)
{
	return bpei_engine_worker_stats(e, w, stats);
}
const char *bpe_engine_source(const struct bpe_engine *e)
{
	return e->device->source;
}

const char *bpe_engine_link_type(const struct bpe_engine *e)
{
	const char *name = bpe_link_type_name((int)e->device->link_type);
	return name ? name : "unknown";
}

int bpe_engine_result(struct bpe_engine *e, struct bpe_error *error)
{
	if (!bpei_engine_wait(e, 0))
		return bpei_fail(error, BPE_E_STATE, "result", 0, "the run has not ended");
	if (e->result < 0 && error)
		*error = e->error;
	return e->result;
}

int bpe_engine_run(struct bpe_engine *e, int64_t duration_ns, struct bpe_error *error)
{
	int r = bpei_engine_start(e, error);
	if (r < 0)
		return r;
	struct bpe_stats s;
	do { /* a signal may end a wait early */
		bpei_engine_stats(e, &s);
		if (duration_ns > 0 && (int64_t)s.elapsed_ns >= duration_ns)
			break;
	} while (!bpei_engine_wait(e, duration_ns > 0 ? duration_ns - (int64_t)s.elapsed_ns : -1));
	bpei_engine_stop(e);
	while (!bpei_engine_wait(e, -1))
		continue;
	return bpe_engine_result(e, error);
}

int bpe_engine_set_filter(struct bpe_engine *e, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	const char *why = length ? bpei_filter_check(filter, length) : NULL;
	if (why)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "filter", 0, "this is no BPF program: %s", why);
	const struct bpei_filter f = { .program = (struct bpe_insn *)(uintptr_t)filter,
		.length = length }; /* copied */
	return bpei_change_ask(e, NULL, &f, error);
}

int bpe_engine_set_expression(struct bpe_engine *e, const char *expression, struct bpe_error *error)
{
	struct bpei_filter f;
	int r = bpei_device_compile(
		e->device, expression, e->options.snaplen, e->options.filter_through, &f, error);
	if (r < 0)
		return r;
	r = bpei_change_ask(e, expression, &f, error);
	free(f.program), free(f.wide);
	return r;
}

size_t bpe_engine_protocols(struct bpe_engine *e, struct bpe_protocol *protocols, size_t max)
{
	const struct bpei_counts *counts[BPE_MAX_WORKERS];
	uint32_t n = e->plan.workers ? e->plan.workers : 1;
	for (uint32_t k = 0; k < n; k++)
		counts[k] = &e->workers[k].counts;
	return bpei_counts_protocols(counts, n, protocols, max);
}

int bpe_engine_top_flows(struct bpe_engine *e, struct bpe_flow *flows, size_t n)
{
	return bpei_engine_snapshot(e, BPE_ORDER_BYTES, INT64_MIN, flows, n, NULL, NULL);
}

int bpe_engine_snapshot(struct bpe_engine *e, uint32_t order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_snapshot *snapshot, struct bpe_error *error)
{
	if (order > BPE_ORDER_PACKETS)
		return bpei_fail(error, BPE_E_ARGUMENT, "snapshot", 0,
			"order is bytes or packets, not %u", order);
	return bpei_engine_snapshot(e, order, since_ns, flows, n, snapshot, error);
}

int bpe_engine_snapshot_flows(struct bpe_engine *e, bpe_flow_fn fn, void *user)
{
	return bpei_engine_snapshot_flows(e, fn, user);
}

int bpe_batch_flow(const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow)
{
	if (!batch->table || i >= batch->count || batch->flow[i] == BPEI_NO_FLOW)
		return 0;
	const struct bpei_table *table = batch->table;
	return bpei_table_get(table, batch->flow[i], &batch->key[i], flow);
}
