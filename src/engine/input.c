/* SPDX-License-Identifier: MIT */
/* Reading batches from a device: walk, parse, count.  The caller fills and frees the blocks.
 *
 * Books: every record given by walk is counted as read.  A record left out by walk as the
 * second sight of a packet is counted as read and as dropped (BPE_DROP_DUPLICATE). */
#include "engine/input.h"

#include "base/error.h"

#include <string.h>

int bpei_input_open(struct bpei_input *in, const struct bpe_options *options, const char *owner,
	struct bpe_error *error)
{
	const int status = bpei_dissector_new(&in->dissector, options);

	if (status < 0)
		return bpei_fail(error, status, "open", 0, "no memory for the %s", owner);
	if (in->dissector.weak_seed)
		bpei_notice(options, "%s", bpei_weak_seed_text);
	in->closed_tunnels = options->closed_tunnels;
	in->max_packets = options->max_packets;
	return bpei_device_open(options, &in->device, error);
}

void bpei_input_close(struct bpei_input *in)
{
	if (in->columns.data)
		bpei_columns_free(&in->columns, BPE_BATCH);
	bpei_device_close(in->device);
	bpei_dissector_free(&in->dissector);
}

/* Counts the records that walk has left out since the last call as read and dropped. */
static void count_duplicate_records(struct bpei_input *in) BPEI_READER
{
	struct bpei_device *d = in->device;
	const uint64_t all = bpei_counter_get(&d->duplicates);
	const uint64_t known = bpei_counter_get(&in->dropped[BPE_DROP_DUPLICATE]);

	if (BPEI_LIKELY(all == known))
		return;
	bpei_counter_add(&in->read_packets, all - known);
	bpei_counter_add(&in->captured_bytes, bpei_counter_get(&d->duplicate_captured));
	bpei_counter_add(&in->wire_bytes, bpei_counter_get(&d->duplicate_wire));
	bpei_counter_set(&d->duplicate_captured, 0);
	bpei_counter_set(&d->duplicate_wire, 0);
	bpei_counter_set(&in->dropped[BPE_DROP_DUPLICATE], all);
}

/* Extends the span of packet times. */
static void extend_packet_times(
	struct bpei_input *in, int64_t least_ns, int64_t most_ns) BPEI_READER
{
	if (BPEI_UNLIKELY(!in->has_packet_time)) {
		in->has_packet_time = true;
		bpei_counter_set(&in->first_packet_ns, (uint64_t)least_ns);
		bpei_counter_set(&in->last_packet_ns, (uint64_t)most_ns);
		return;
	}
	if (least_ns < (int64_t)bpei_counter_get(&in->first_packet_ns))
		bpei_counter_set(&in->first_packet_ns, (uint64_t)least_ns);
	if (most_ns > (int64_t)bpei_counter_get(&in->last_packet_ns))
		bpei_counter_set(&in->last_packet_ns, (uint64_t)most_ns);
}

/* Extends the span of packet times by a batch's.  A packet with the time 0 has none. */
static void count_packet_times(struct bpei_input *in, const struct bpe_batch *batch,
	const struct bpei_sums *sums) BPEI_READER
{
	if (BPEI_UNLIKELY(in->device->timeless))
		return; /* no packet with a time stamp has come yet */
	if (BPEI_LIKELY(sums->least_ns > 0)) {
		extend_packet_times(in, sums->least_ns, sums->most_ns);
		return;
	}
	for (size_t i = 0; i < batch->count; i++)
		if (batch->time_ns[i])
			extend_packet_times(in, batch->time_ns[i], batch->time_ns[i]);
}

/* Gives the packets the layers of a link type without a parser; only flags of walk stay. */
static void mark_unparsed(const struct bpei_columns *c, uint32_t n, uint32_t link_type)
{
	for (uint32_t i = 0; i < n; i++)
		c->layers[i] = (struct bpe_layers){ .network = BPE_NO_OFFSET,
			.transport = BPE_NO_OFFSET,
			.payload = BPE_NO_OFFSET,
			.flags = c->layers[i].flags,
			.end = c->caplen[i],
			.proto = BPE_PROTO_LINKTYPE,
			.link_type = (uint16_t)link_type };
}

/* Returns how many more packets may be read, at most a batch.  Duplicates are counted as read, and
 * so are left out: they must not eat up the limit, or carry the count past the limit. */
static uint32_t count_packets_left(const struct bpei_input *in) BPEI_READER
{
	const uint64_t read = bpei_counter_get(&in->read_packets);
	const uint64_t taken = read - bpei_counter_get(&in->dropped[BPE_DROP_DUPLICATE]);
	const uint64_t left = in->max_packets - taken;

	return !in->max_packets || left > BPE_BATCH ? BPE_BATCH : (uint32_t)left;
}

bool bpei_input_is_complete(const struct bpei_input *in)
{
	return !count_packets_left(in);
}

uint32_t bpei_input_next(struct bpei_input *in, struct bpei_block *block, struct bpei_columns *to,
	struct bpe_batch *batch, struct bpei_sums *sums)
{
	const uint32_t max = count_packets_left(in);
	const uint32_t n = max ? bpei_device_walk(in->device, block, to, max) : 0;

	count_duplicate_records(in);
	if (!n)
		return 0;
	if (in->count_only)
		mark_unparsed(to, n, block->link_type);
	else
		bpei_dissect(&in->dissector, to, n, block->link_type);
	*batch = bpei_input_view(in, to, 0, n, 0);
	bpei_batch_sum(batch, sums);
	count_packet_times(in, batch, sums);
	bpei_counter_add(&in->captured_bytes, sums->captured);
	bpei_counter_add(&in->wire_bytes, sums->wire);
	bpei_counter_add(&in->read_packets, n);
	return n;
}
