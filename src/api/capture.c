/* SPDX-License-Identifier: MIT */
/* The capture level: a device, one batch, and the caller's own thread.
 *
 * One block at a time: a batch is good until the next call, so a block is given back, and filled
 * anew, only by the call that finds it empty.  After the device has said its end, every further
 * call says it again. */
#include "api/options.h"
#include "arch/arch.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "records/batch.h"
#include "device/device.h"
#include "filter/kernel.h"
#include "packet/packet.h"

#include <stdlib.h>
#include <string.h>

struct bpe_capture {
	struct bpe_options options;
	struct bpei_device *device;
	struct bpei_columns columns;
	struct bpei_dissector dissector;
	struct bpei_block block;
	bool holds; /* block is filled and not given back */
	int end;    /* what fill said at the end; 0 before */
	struct bpe_error error;
	int64_t start_ns, tick_ns;
	bool has_time;           /* counts' first and latest packet are set */
	struct bpe_stats counts; /* of the caller's thread alone */
};

int bpe_capture_open(
	const struct bpe_options *options, struct bpe_capture **capture, struct bpe_error *error)
{
	struct bpe_options o;
	if (!capture)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "nowhere to put the capture");
	int r = bpei_options_check(&o, options, error);
	if (r < 0)
		return r;
	struct bpe_capture *c = calloc(1, sizeof *c);
	if (!c)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for the capture");
	c->options = o;
	r = bpei_dissector_new(&c->dissector, &o);
	if (r < 0)
		r = bpei_fail(error, r, "open", 0, "no memory for the capture");
	else if (c->dissector.weak_seed)
		bpei_notice(&o, "%s", bpei_weak_seed_text);
	if (r >= 0)
		r = bpei_device_open(&o, &c->device, error);
	if (r >= 0 && !c->device->maps_blocks) {
		c->block.memory_bytes = c->device->block_bytes;
		c->block.memory = bpei_mem_map(c->block.memory_bytes, 1);
	}
	if (r >= 0 && (bpei_columns_new(&c->columns, BPE_BATCH) < 0 ||
			      (!c->device->maps_blocks && !c->block.memory)))
		r = bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for a block of %zu bytes",
			c->device->block_bytes);
	if (r < 0) {
		bpe_capture_close(c);
		return r;
	}
	c->start_ns = c->tick_ns = bpei_clock_mono_ns();
	*capture = c;
	return BPE_OK;
}

static void count_time(struct bpe_capture *c, int64_t ns)
{
	struct bpe_stats *s = &c->counts;
	if (!c->has_time)
		s->first_packet_ns = s->last_packet_ns = ns;
	c->has_time = true;
	if (ns < s->first_packet_ns)
		s->first_packet_ns = ns;
	if (ns > s->last_packet_ns)
		s->last_packet_ns = ns;
}

static void count(struct bpe_capture *c, uint32_t n)
{
	struct bpe_stats *s = &c->counts;
	for (uint32_t i = 0; i < n; i++) {
		s->captured_bytes += c->columns.caplen[i];
		s->wire_bytes += c->columns.wirelen[i];
		if (!c->device->timeless)
			count_time(c, c->columns.time_ns[i]);
	}
	s->read_packets += n;
	s->delivered_packets += n;
	s->batches++;
}

/* The next packets of the block at hand; 0 when it is empty. */
static uint32_t take(struct bpe_capture *c) BPEI_READER
{
	uint64_t limit = c->options.max_packets,
		 left = limit ? limit - c->counts.delivered_packets : BPE_BATCH;
	if (!left) {
		c->end = BPE_E_END;
		return 0;
	}
	uint32_t n = bpei_device_walk(
		c->device, &c->block, &c->columns, left < BPE_BATCH ? (uint32_t)left : BPE_BATCH);
	if (!n)
		return 0;
	bpei_dissect(&c->dissector, &c->columns, n, c->block.link_type);
	count(c, n);
	return n;
}

static int next(struct bpe_capture *c, struct bpe_batch *batch, int64_t timeout_ns,
	struct bpe_error *error) BPEI_READER
{
	int64_t now = bpei_clock_mono_ns(), deadline = timeout_ns > 0 ? now + timeout_ns : 0;
	if (now - c->tick_ns > 1000000000) {
		bpei_device_stats(c->device);
		c->tick_ns = now;
	}
	for (;;) {
		uint32_t n = c->holds && !c->end ? take(c) : 0;
		if (n) {
			*batch = bpei_batch_view(&c->columns, 0, n, 0);
			if (!c->device->has_meta)
				batch->meta = NULL;
			batch->closed_tunnels = c->options.closed_tunnels;
			return (int)n;
		}
		if (c->holds)
			bpei_device_done(c->device, &c->block);
		c->holds = false;
		if (c->end) {
			bpei_device_stats(c->device);
			if (error && c->end != BPE_E_END)
				*error = c->error;
			return c->end;
		}
		int64_t wait = timeout_ns > 0 ? deadline - bpei_clock_mono_ns() : timeout_ns;
		int r = bpei_device_fill(
			c->device, &c->block, timeout_ns > 0 && wait < 0 ? 0 : wait, &c->error);
		if (!r)
			return 0;
		if (r < 0)
			c->end = r;
		else
			c->holds = true, c->counts.blocks++;
	}
}

int bpe_capture_next(
	struct bpe_capture *c, struct bpe_batch *batch, int64_t timeout_ns, struct bpe_error *error)
{
	bpei_role_enter(&bpei_reader_role);
	int r = next(c, batch, timeout_ns, error);
	bpei_role_leave(&bpei_reader_role);
	return r;
}

void bpe_capture_stats(struct bpe_capture *c, struct bpe_stats *stats)
{
	const struct bpei_device *d = c->device;
	struct bpe_stats s = c->counts;
	bpei_role_enter(&bpei_reader_role);
	bpei_device_stats(c->device);
	bpei_role_leave(&bpei_reader_role);
	s.elapsed_ns = (uint64_t)(bpei_clock_mono_ns() - c->start_ns);
	s.dropped[BPE_DROP_DUPLICATE] = bpei_counter_get(&d->duplicates);
	s.read_packets += s.dropped[BPE_DROP_DUPLICATE];
	s.captured_bytes += bpei_counter_get(&d->duplicate_captured);
	s.wire_bytes += bpei_counter_get(&d->duplicate_wire);
	s.kernel_received = bpei_counter_get(&d->kernel_received);
	s.kernel_dropped = bpei_counter_get(&d->kernel_dropped);
	s.interface_dropped = bpei_counter_get(&d->interface_dropped);
	s.interface_down = bpei_counter_get(&d->interface_down);
	s.kernel_accepted = bpei_counter_get(&d->kernel_accepted);
	s.kernel_known = bpei_counter_get(&d->kernel_known);
	s.filtered = bpei_counter_get(&d->filtered);
	s.inbound_packets = bpei_counter_get(&d->inbound);
	s.outbound_packets = bpei_counter_get(&d->outbound);
	const struct bpei_fragment_counts *f = bpei_fragments_counts(c->dissector.fragments);
	s.fragments_followed = bpei_counter_get(&f->followed);
	s.fragments_lost = bpei_counter_get(&f->lost);
	s.fragments_evicted = bpei_counter_get(&f->evicted);
	s.torn_blocks = bpei_counter_get(&d->torn_blocks);
	s.empty_reads = bpei_counter_get(&d->empty_reads);
	s.block_bytes = bpei_counter_get(&d->filled_bytes);
	s.block_capacity = bpei_counter_get(&d->filled_capacity);
	s.source_bytes = d->source_bytes;
	s.source_position = bpei_counter_get(&d->source_position);
	*stats = s;
}

int bpe_capture_set_filter(struct bpe_capture *c, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	const char *why = length ? bpei_filter_check(filter, length) : NULL;
	if (why)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "filter", 0, "this is no BPF program: %s", why);
	return bpei_device_set_filter(c->device, filter, length, error);
}

int bpe_capture_set_expression(
	struct bpe_capture *c, const char *expression, struct bpe_error *error)
{
	struct bpei_filter f;
	int r = bpei_device_compile(
		c->device, expression, c->options.snaplen, c->options.filter_through, &f, error);
	if (r < 0)
		return r;
	r = bpei_device_set_expression(c->device, expression, c->options.filter_through, &f, error);
	free(f.program), free(f.wide);
	return r;
}

int bpe_capture_fd(const struct bpe_capture *c)
{
	return c->device->fd;
}
const char *bpe_capture_source(const struct bpe_capture *c)
{
	return c->device->source;
}

const char *bpe_capture_link_type(const struct bpe_capture *c)
{
	const char *name = bpe_link_type_name((int)c->device->link_type);
	return name ? name : "unknown";
}

void bpe_capture_wake(struct bpe_capture *c)
{
	c->device->ops->wake(c->device);
}

void bpe_capture_close(struct bpe_capture *c)
{
	if (!c)
		return;
	bpei_device_close(c->device);
	bpei_mem_unmap(c->block.memory, c->block.memory_bytes);
	if (c->columns.data)
		bpei_columns_free(&c->columns, BPE_BATCH);
	bpei_dissector_free(&c->dissector);
	free(c);
}
