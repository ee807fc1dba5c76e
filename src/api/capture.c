/* SPDX-License-Identifier: MIT */
/* The capture level: the engine's input with a single block, on the caller's thread.
 *
 * A batch is good until the next call, so a block is given back and filled anew only when a call
 * finds the block empty.  Once the device has ended, every further call reports the same end. Flows
 * are in capture_flows.c. */
#include "api/capture.h"

#include "api/options.h"
#include "api/unused.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/flows.h"
#include "base/sized.h"
#include "device/push.h"
#include "filter/kernel.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS 1000000000

/* Makes the block, unless blocks lie in the device's memory, and the columns. */
static int make_capture_memory(struct bpe_capture *c, struct bpe_error *error)
{
	const struct bpei_device *d = c->input.device;

	if (!d->maps_blocks) {
		c->block.memory_bytes = d->block_bytes;
		c->block.memory = bpei_mem_map(d->block_bytes, 1);
	}
	if (bpei_columns_new(&c->input.columns, BPE_BATCH) < 0 ||
		(!d->maps_blocks && !c->block.memory))
		return bpei_fail(error, BPE_E_MEMORY, "open", 0,
			"no memory for a block of %zu bytes", d->block_bytes);
	return BPE_OK;
}

/* Reports the options that the capture does not use.  Returns as bpei_unused_tell. */
static int report_capture_options(const struct bpe_capture *c, struct bpe_error *error)
{
	const struct bpei_opened opened = { .device = c->input.device, .has_flows = c->flows };

	return bpei_unused_tell(&c->options, &opened, error);
}

int bpe_capture_open(
	const struct bpe_options *options, struct bpe_capture **capture, struct bpe_error *error)
{
	struct bpe_options checked;
	struct bpe_capture *c;

	if (!capture)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "nowhere to put the capture");
	int status = bpei_options_check(&checked, options, error);

	if (status < 0)
		return status;
	if (posix_memalign((void **)&c, BPEI_LINE, sizeof *c))
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for the capture");
	memset(c, 0, sizeof *c);
	c->options = checked;
	if (checked.where)
		status = bpe_where_compile(checked.where, &c->where, error);
	if (status >= 0)
		status = bpei_input_open(&c->input, &checked, "capture", error);
	if (status >= 0)
		status = make_capture_memory(c, error);
	if (status >= 0 && checked.flow_table)
		status = bpei_flows_check_memory(&c->input, &checked, 1, error);
	if (status >= 0)
		status = bpei_capture_flows_open(c, error);
	if (status >= 0)
		status = report_capture_options(c, error);
	if (status < 0) {
		bpe_capture_close(c);
		return status;
	}
	c->start_ns = bpei_clock_mono_ns();
	c->tick_ns = c->start_ns;
	*capture = c;
	return BPE_OK;
}

/* Takes the next batch from the block at hand.  Returns the size; 0: the block is empty, or the
 * limit of packets is reached. */
static uint32_t take_capture_batch(struct bpe_capture *c, struct bpe_batch *batch) BPEI_READER
{
	struct bpei_sums sums;
	const uint32_t n = bpei_input_next(&c->input, &c->block, &c->input.columns, batch, &sums);

	if (!n && bpei_input_is_complete(&c->input))
		c->end = BPE_E_END;
	if (!n)
		return 0;
	c->delivered_packets += n;
	c->batches++;
	bpei_capture_flows_count(c, batch, &sums);
	return n;
}

/* Gives the block back, if the capture holds any. */
static void release_capture_block(struct bpe_capture *c) BPEI_READER
{
	if (!c->holds_block)
		return;
	bpei_capture_flows_pass_block(c);
	bpei_device_done(c->input.device, &c->block);
	c->holds_block = false;
}

/* Returns the status of the end, with *error filled if the end has a reason.  The flows end with
 * the source. */
static int report_capture_end(struct bpe_capture *c, struct bpe_error *error) BPEI_READER
{
	if (c->options.push)
		bpei_push_leave(c->input.device);
	bpei_capture_flows_finish(c);
	bpei_device_stats(c->input.device);
	if (error && c->end != BPE_E_END)
		*error = c->error;
	return c->end;
}

/* Returns the rest of a time-out with its deadline; a time-out of 0 or below stays. */
static int64_t remaining_timeout(int64_t timeout_ns, int64_t deadline)
{
	if (timeout_ns <= 0)
		return timeout_ns;
	const int64_t left = deadline - bpei_clock_mono_ns();

	return left > 0 ? left : 0;
}

/* Returns true if bpe_capture_wake was called since the last time. */
static bool take_wake_up(struct bpe_capture *c)
{
	/* pairs: bpe_capture_wake */
	if (!atomic_load_explicit(&c->woken, memory_order_acquire))
		return false;
	/* A call in between is served by the same return. */
	atomic_store_explicit(&c->woken, 0, memory_order_relaxed);
	return true;
}

/* Fills the block.  Returns as the device's fill does; 0 only if the caller's wait is over. */
static int fill_capture_block(
	struct bpe_capture *c, int64_t timeout_ns, int64_t deadline) BPEI_READER
{
	const int64_t step = bpei_capture_flows_step(c);

	for (;;) {
		const int64_t left = remaining_timeout(timeout_ns, deadline);
		const bool is_cut = step >= 0 && (left < 0 || left > step);
		const int filled = bpei_device_fill(
			c->input.device, &c->block, is_cut ? step : left, &c->error);

		if (filled)
			return filled;
		bpei_capture_flows_idle(c);
		/* The device does not tell a wake-up from a time that passed. */
		if (take_wake_up(c) || !is_cut)
			return 0;
	}
}

static int next_capture_batch(struct bpe_capture *c, struct bpe_batch *batch, int64_t timeout_ns,
	struct bpe_error *error) BPEI_READER
{
	const int64_t now = bpei_clock_mono_ns();
	/* Nobody pushes while this thread waits. */
	const int64_t wait_ns = c->options.push ? 0 : timeout_ns;
	const int64_t deadline = wait_ns > 0 ? now + wait_ns : 0;

	if (now - c->tick_ns > TICK_NS) {
		bpei_device_stats(c->input.device);
		c->tick_ns = now;
	}
	for (;;) {
		const uint32_t n = c->holds_block && !c->end ? take_capture_batch(c, batch) : 0;

		if (n)
			return (int)n;
		release_capture_block(c);
		if (c->end)
			return report_capture_end(c, error);
		const int filled = fill_capture_block(c, wait_ns, deadline);

		if (!filled)
			return 0;
		if (filled < 0) {
			c->end = filled;
			continue;
		}
		c->holds_block = true;
		bpei_counter_add(&c->input.blocks_read, 1);
	}
}

int bpe_capture_next_sized(struct bpe_capture *c, struct bpe_batch *batch, size_t bytes,
	int64_t timeout_ns, struct bpe_error *error)
{
	struct bpe_batch next;
	int n = bpei_capture_enter(c, "next", error);

	if (n < 0)
		return n;
	bpei_role_enter(&bpei_reader_role);
	n = next_capture_batch(c, &next, timeout_ns, error);
	bpei_role_leave(&bpei_reader_role);
	bpei_capture_leave(c);
	if (n > 0) {
		next.size = (uint32_t)(bytes < sizeof next ? bytes : sizeof next);
		bpei_sized_give(batch, bytes, &next, sizeof next);
	}
	return n;
}

/* Refuses a capture with another source. */
static int check_capture_pushes(const struct bpe_capture *c, struct bpe_error *error)
{
	if (c->options.push)
		return BPE_OK;
	return bpei_fail(error, BPE_E_STATE, "push", 0,
		"the source is %s: set options.push to push packets", c->input.device->source);
}

int bpe_capture_push_sized(struct bpe_capture *c, const struct bpe_packet *packets,
	size_t packet_bytes, size_t meta_bytes, size_t n, struct bpe_error *error)
{
	const struct bpei_push_input input = { packets, n, packet_bytes, meta_bytes };
	int status = check_capture_pushes(c, error);

	if (status == BPE_OK)
		status = bpei_capture_enter(c, "push", error);
	if (status < 0)
		return status;
	status = bpei_push_put(c->input.device, &input, 0, error);
	bpei_capture_leave(c);
	return status;
}

int bpe_capture_push_end(struct bpe_capture *c, struct bpe_error *error)
{
	const int status = check_capture_pushes(c, error);

	return status < 0 ? status : bpei_push_finish(c->input.device, BPEI_PUSH_ENDED, error);
}

void bpe_capture_stats_sized(struct bpe_capture *c, struct bpe_stats *stats, size_t bytes)
{
	struct bpe_stats s = { .delivered_packets = c->delivered_packets,
		.batches = c->batches,
		.records_filtered = c->records_filtered };

	bpei_role_enter(&bpei_reader_role);
	bpei_device_stats(c->input.device);
	bpei_role_leave(&bpei_reader_role);
	s.elapsed_ns = (uint64_t)(bpei_clock_mono_ns() - c->start_ns);
	bpei_input_stats(&c->input, &s);
	bpei_capture_flows_stats(c, &s);
	bpei_sized_give(stats, bytes, &s, sizeof s);
}

int bpe_capture_set_filter(struct bpe_capture *c, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	const char *why = length ? bpei_filter_check(filter, length) : NULL;

	if (why)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "filter", 0, "this is no BPF program: %s", why);
	int status = bpei_capture_enter(c, "filter", error);

	if (status < 0)
		return status;
	status = bpei_device_set_filter(c->input.device, filter, length, error);
	bpei_capture_leave(c);
	return status;
}

int bpe_capture_set_expression(
	struct bpe_capture *c, const char *expression, struct bpe_error *error)
{
	const uint32_t through = c->options.filter_through;
	struct bpei_filter f;
	int status = bpei_device_compile(
		c->input.device, expression, c->options.snaplen, through, &f, error);

	if (status < 0)
		return status;
	status = bpei_capture_enter(c, "filter", error);
	if (status >= 0) {
		status =
			bpei_device_set_expression(c->input.device, expression, through, &f, error);
		bpei_capture_leave(c);
	}
	free(f.program);
	free(f.wide);
	return status;
}

int bpe_capture_fd(const struct bpe_capture *c)
{
	struct bpei_device *d = c->input.device;

	if (d->ops->lend_fd)
		d->ops->lend_fd(d);
	return d->fd;
}

const char *bpe_capture_source(const struct bpe_capture *c)
{
	return c->input.device->source;
}

const char *bpe_capture_link_type(const struct bpe_capture *c)
{
	const char *name = bpe_link_type_name((int)c->input.device->link_type);

	return name ? name : "unknown";
}

void bpe_capture_wake(struct bpe_capture *c)
{
	/* pairs: take_wake_up; before the device is woken */
	atomic_store_explicit(&c->woken, 1, memory_order_release);
	c->input.device->ops->wake(c->input.device);
}

void bpe_capture_close(struct bpe_capture *c)
{
	if (!c)
		return;
	bpei_capture_flows_close(c);
	bpei_input_close(&c->input);
	bpe_where_free(c->where);
	bpei_mem_unmap(c->block.memory, c->block.memory_bytes);
	free(c);
}
