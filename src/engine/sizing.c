/* SPDX-License-Identifier: MIT */
/* Settling what the options leave to us: workers, ring and block sizes.  Pure but for asking how
 * many cores there are. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/thread.h"

#define DEFAULT_RING_SLOTS 16384u /* 1.7 MB of columns: about 10 ms at 1.5 million packets/s */
#define DEFAULT_BLOCKS 8u
#define MIN_BLOCK_BYTES 4096u

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

int bpei_plan(struct bpei_engine_plan *plan, const struct bpe_options *o,
	const struct bpei_device *device, struct bpe_error *error)
{
	struct bpei_engine_plan p = { .ring_slots = DEFAULT_RING_SLOTS, .blocks = DEFAULT_BLOCKS };

	if (o->workers > BPE_MAX_WORKERS || o->workers < BPE_WORKERS_AUTO)
		return bpei_fail(error, BPE_E_ARGUMENT, "workers", 0,
			"workers must be 0 to %d or auto, not %d", BPE_MAX_WORKERS, o->workers);
	if (o->count_only) {
		p.workers = 0;
	} else if (o->workers >= 0) {
		p.workers = (uint32_t)o->workers;
	} else if (device->live) { /* one core reads; with two or fewer, handing over costs more
				      than it gains */
		uint32_t cores = bpei_thread_cores();
		p.workers = cores <= 2 ? 0 : cores - 1 < 4 ? cores - 1 : 4;
	}
	if (o->ring_slots) {
		if (!power_of_two(o->ring_slots) || o->ring_slots < BPE_BATCH ||
			o->ring_slots > 1u << 22)
			return bpei_fail(error, BPE_E_ARGUMENT, "ring", 0,
				"ring slots must be a power of two from %d to %u, not %u",
				BPE_BATCH, 1u << 22, o->ring_slots);
		p.ring_slots = o->ring_slots;
	}
	if (o->block_count > BPEI_MAX_BLOCKS)
		return bpei_fail(error, BPE_E_ARGUMENT, "block count", 0,
			"at most %d blocks, not %u", BPEI_MAX_BLOCKS, o->block_count);
	if (o->block_bytes && o->block_bytes < MIN_BLOCK_BYTES)
		return bpei_fail(error, BPE_E_ARGUMENT, "block size", 0,
			"a block has at least %u bytes, not %u", MIN_BLOCK_BYTES, o->block_bytes);
	if (device->maps_blocks) {
		p.blocks = device->max_blocks_in_flight ? device->max_blocks_in_flight : 1;
		if (p.blocks > BPEI_MAX_BLOCKS)
			p.blocks = BPEI_MAX_BLOCKS;
	} else {
		if (o->block_count)
			p.blocks = o->block_count;
		else if (!p.workers)
			p.blocks = 1; /* done with before the next is read: the same memory stays in
					 the cache */
		if (p.blocks > device->max_blocks_in_flight && device->max_blocks_in_flight)
			p.blocks = device->max_blocks_in_flight;
		p.block_bytes = (device->block_bytes + BPEI_LINE - 1) & ~(size_t)(BPEI_LINE - 1);
	}
	*plan = p;
	return BPE_OK;
}
