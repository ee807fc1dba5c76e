/* SPDX-License-Identifier: MIT */
/* The input: a device, its packets parsed batch by batch, and the counters of both.  The engine's
 * reader and the capture level read through the same input.
 *
 * Life: open -> columns by the owner -> next, again and again, on filled blocks -> close.  One
 * thread reads; any thread may read the counters (bpei_input_stats). */
#ifndef BPEI_INPUT_H
#define BPEI_INPUT_H

#include "base/cacheline.h"
#include "base/counter.h"
#include "base/roles.h"
#include "records/batch.h"
#include "bpfengine.h"
#include "device/device.h"
#include "packet/packet.h"

struct bpei_input {
	struct bpei_device *device;
	struct bpei_dissector dissector; /* reader's */
	struct bpei_columns columns;     /* reader's: BPE_BATCH elements for a batch */
	uint64_t closed_tunnels;         /* options.closed_tunnels */
	uint64_t max_packets;            /* options.max_packets; 0: no limit */
	bool count_only;                 /* options.count_only: packets are not parsed */
	bool asks_owners;                /* owners of flows are asked for (asker.h) */
	bool has_packet_time;            /* reader's: first_packet_ns and last_packet_ns are set */

	/* w: reader  r: any */
	BPEI_ALIGNED bpei_counter read_packets;
	bpei_counter captured_bytes, wire_bytes;
	bpei_counter dropped[BPE_DROP_COUNT];
	bpei_counter blocks_read, waits;
	bpei_counter first_packet_ns, last_packet_ns;
};

/* Opens the device and all that parsing needs.  owner: "engine" or "capture", for error texts.
 * Returns BPE_OK, or a failure with *error filled.  bpei_input_close frees a failed input, too. */
int bpei_input_open(struct bpei_input *input, const struct bpe_options *options, const char *owner,
	struct bpe_error *error);
void bpei_input_close(struct bpei_input *input);

/* Reads the block's next packets, at most BPE_BATCH, into the columns `to`: the input's own, or the
 * slots of a ring.  Parses and counts them.  Returns their number; 0 when the block is
 * empty or max_packets were read, with *batch and *sums unchanged. */
uint32_t bpei_input_next(struct bpei_input *input, struct bpei_block *block,
	struct bpei_columns *to, struct bpe_batch *batch, struct bpei_sums *sums) BPEI_READER;
/* Returns true once max_packets were read.  Second sights (BPE_DROP_DUPLICATE) are not among
 * them. */
bool bpei_input_is_complete(const struct bpei_input *input) BPEI_READER;

/* Adds the input's, the device's and the parser's counters to *stats.  Any thread. */
void bpei_input_stats(const struct bpei_input *input, struct bpe_stats *stats);

/* Returns the `count` packets from `from` on in any columns as a batch for tables and handlers.
 * The batch has metadata only if the device gives any. */
static inline struct bpe_batch bpei_input_view(const struct bpei_input *input,
	const struct bpei_columns *columns, uint32_t from, uint32_t count, uint32_t worker)
{
	struct bpe_batch batch = bpei_batch_view(columns, from, count, worker);

	batch.closed_tunnels = input->closed_tunnels;
	batch.source = input->device;
	if (!input->device->has_meta)
		batch.meta = NULL;
	return batch;
}

#endif
