/* SPDX-License-Identifier: MIT */
/* The exported functions of the engine level: check the arguments, call the engine. */
#include "engine/engine.h"

#include "api/options.h"
#include "api/unused.h"
#include "base/error.h"
#include "base/sized.h"
#include "device/push.h"
#include "filter/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports the options that the engine does not use.  Returns as bpei_unused_tell. */
static int report_engine_options(struct bpe_engine *e, struct bpe_error *error)
{
	const struct bpei_opened opened = { .device = e->input.device,
		.is_engine = true,
		.workers = e->plan.workers,
		.has_flows = e->plan.has_tables,
		.asks_owners = e->asker.is_used };

	return bpei_unused_tell(&e->options, &opened, error);
}

int bpe_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error)
{
	struct bpe_options checked;
	struct bpe_engine *e;

	if (!engine)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "nowhere to put the engine");
	int status = bpei_options_check(&checked, options, error);

	if (status == BPE_OK)
		status = bpei_engine_open(&checked, &e, error);
	if (status < 0)
		return status;
	status = report_engine_options(e, error);
	if (status < 0)
		bpei_engine_close(e);
	else
		*engine = e;
	return status;
}

int bpe_engine_start(struct bpe_engine *e, struct bpe_error *error)
{
	return bpei_engine_start(e, error);
}

int bpe_engine_push_sized(struct bpe_engine *e, const struct bpe_packet *packets,
	size_t packet_bytes, size_t meta_bytes, size_t n, int64_t timeout_ns,
	struct bpe_error *error)
{
	const struct bpei_push_input input = { packets, n, packet_bytes, meta_bytes };

	return bpei_engine_push(e, &input, timeout_ns, error);
}

int bpe_engine_push_end(struct bpe_engine *e, struct bpe_error *error)
{
	return bpei_engine_push_end(e, error);
}

int bpe_engine_wait(struct bpe_engine *e, int64_t timeout_ns)
{
	return bpei_engine_wait(e, timeout_ns);
}

void bpe_engine_stop(struct bpe_engine *e)
{
	bpei_engine_stop(e);
}

struct bpe_engine *bpe_engine_current(void)
{
	return bpei_query_own_engine();
}

void bpe_engine_close(struct bpe_engine *e)
{
	bpei_engine_close(e);
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
	struct bpe_stats s;
	int64_t left_ns = -1;

	if (e->plan.pulls)
		return bpei_fail(error, BPE_E_STATE, "run", 0,
			"with pull_records nobody would take the records meanwhile: use bpe_engine_start and bpe_engine_next_record");
	const int status = bpei_engine_start(e, error);

	if (status < 0)
		return status;
	do { /* a signal may end a wait early */
		bpei_engine_stats(e, &s);
		if (duration_ns > 0) {
			left_ns = duration_ns - (int64_t)s.elapsed_ns;
			if (left_ns <= 0)
				break;
		}
	} while (!bpei_engine_wait(e, left_ns));
	bpei_engine_stop(e);
	while (!bpei_engine_wait(e, -1))
		continue;
	return bpe_engine_result(e, error);
}

const char *bpe_engine_source(const struct bpe_engine *e)
{
	return e->input.device->source;
}

const char *bpe_engine_link_type(const struct bpe_engine *e)
{
	const char *name = bpe_link_type_name((int)e->input.device->link_type);

	return name ? name : "unknown";
}

int bpe_engine_set_filter(struct bpe_engine *e, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	const char *why = length ? bpei_filter_check(filter, length) : NULL;
	/* The device copies the program. */
	const struct bpei_filter f = { .program = (struct bpe_insn *)(uintptr_t)filter,
		.length = length };

	if (why)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "filter", 0, "this is no BPF program: %s", why);
	return bpei_engine_change_filter(e, NULL, &f, error);
}

int bpe_engine_set_expression(struct bpe_engine *e, const char *expression, struct bpe_error *error)
{
	struct bpei_filter f;
	int status = bpei_device_compile(e->input.device, expression, e->options.snaplen,
		e->options.filter_through, &f, error);

	if (status < 0)
		return status;
	status = bpei_engine_change_filter(e, expression, &f, error);
	free(f.program);
	free(f.wide);
	return status;
}

/* ---- Statistics ---- */

void bpe_engine_stats_sized(struct bpe_engine *e, struct bpe_stats *stats, size_t bytes)
{
	struct bpe_stats s;

	bpei_engine_stats(e, &s);
	bpei_sized_give(stats, bytes, &s, sizeof s);
}

int bpe_engine_worker_stats_sized(
	struct bpe_engine *e, uint32_t w, struct bpe_worker_stats *stats, size_t bytes)
{
	struct bpe_worker_stats s;
	const int status = bpei_engine_worker_stats(e, w, &s);

	if (status >= 0)
		bpei_sized_give(stats, bytes, &s, sizeof s);
	return status;
}

/* Gives the numbers of an engine's only source.  Returns false if k is not 0. */
static bool give_only_source(struct bpe_engine *e, uint32_t k, struct bpe_interface_stats *to)
{
	const struct bpe_options *o = &e->options;
	const char *name = e->input.device->source;
	struct bpe_stats s;

	if (k)
		return false;
	if (o->interface_name || o->file)
		name = o->interface_name ? o->interface_name : o->file;
	bpei_engine_stats(e, &s);
	*to = (struct bpe_interface_stats){ .link_type = (int32_t)e->input.device->link_type,
		.status = bpei_engine_wait(e, 0) > 0 ? e->result : BPE_OK,
		.interface_down = (uint32_t)s.interface_down,
		.read_packets = s.read_packets,
		.captured_bytes = s.captured_bytes,
		.wire_bytes = s.wire_bytes,
		.filtered = s.filtered,
		.duplicates = s.dropped[BPE_DROP_DUPLICATE],
		.kernel_known = s.kernel_known,
		.kernel_received = s.kernel_received,
		.kernel_accepted = s.kernel_accepted,
		.kernel_dropped = s.kernel_dropped,
		.interface_dropped = s.interface_dropped };
	snprintf(to->name, sizeof to->name, "%.255s", name);
	return true;
}

size_t bpe_engine_interfaces_sized(
	struct bpe_engine *e, struct bpe_interface_stats *list, size_t bytes, size_t max)
{
	const struct bpei_device *d = e->input.device;
	struct bpe_interface_stats one;
	uint32_t k = 0;

	for (; d->ops->source_stats ? d->ops->source_stats(d, k, &one)
				    : give_only_source(e, k, &one);
		k++)
		if (k < max)
			bpei_sized_give((char *)list + k * bytes, bytes, &one, sizeof one);
	return k;
}

size_t bpe_engine_protocols_sized(
	struct bpe_engine *e, struct bpe_protocol *protocols, size_t bytes, size_t max)
{
	const struct bpei_counts *counts[BPE_MAX_WORKERS];

	for (uint32_t k = 0; k < e->plan.shares; k++)
		counts[k] = &e->workers[k].counts;
	return bpei_counts_protocols(counts, e->plan.shares, protocols, bytes, max);
}

/* ---- Flows ---- */

int bpe_engine_largest_flows_sized(
	struct bpe_engine *e, const struct bpe_flow_question *question, struct bpe_error *error)
{
	struct bpe_flow_question q = { .since_ns = INT64_MIN };
	const int status =
		bpei_sized_take(&q, sizeof q, question, "sizeof(struct bpe_flow_question)", error);

	if (status < 0)
		return status;
	if (q.order > BPE_ORDER_PACKETS)
		return bpei_fail(error, BPE_E_ARGUMENT, "snapshot", 0,
			"order is bytes or packets, not %u", q.order);
	return bpei_engine_largest_flows(e, &q, error);
}

int bpe_engine_dump_flows(struct bpe_engine *e, bpe_flow_fn fn, void *user)
{
	return bpei_engine_dump_flows(e, fn, user);
}

int bpe_engine_records_fd(const struct bpe_engine *e)
{
	return e->pull.bell.pipe[0];
}

int bpe_engine_next_record(
	struct bpe_engine *e, const struct bpe_flow **flow, struct bpe_error *error)
{
	if (!e->plan.pulls)
		return bpei_fail(error, BPE_E_STATE, "next record", 0,
			"the engine has no records to take: set options.pull_records before bpe_engine_open");
	if (!e->started)
		return bpei_fail(error, BPE_E_STATE, "next record", 0,
			"the engine was not started: use bpe_engine_start");
	const int found = bpei_pull_next(e);

	if (found > 0)
		*flow = &e->pull.flow;
	return found;
}

int bpe_batch_flow_sized(
	const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow, size_t bytes)
{
	struct bpe_flow record;

	if (!batch->table || i >= batch->count || batch->flow[i] == BPEI_NO_FLOW)
		return 0;
	const struct bpei_table *table = batch->table;
	const int found = bpei_table_get(table, batch->flow[i], &batch->key[i], &record);

	if (found > 0)
		bpei_flow_give(flow, bytes, &record);
	return found;
}

int bpe_batch_flow_end(const struct bpe_batch *batch, uint32_t i)
{
	if (!batch->table || i >= batch->count || batch->flow[i] == BPEI_NO_FLOW)
		return -1;
	const struct bpei_table *table = batch->table;

	return bpei_table_end(table, batch->flow[i], &batch->key[i], bpe_batch_sender(batch, i));
}

void bpe_flow_copy_sized(struct bpe_flow *copy, size_t bytes, const struct bpe_flow *flow)
{
	bpei_flow_give(copy, bytes, flow);
}
