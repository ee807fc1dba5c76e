/* SPDX-License-Identifier: MIT */
/* Settling the parts of a run: workers, rings, blocks, tables, records.  Pure, except for reading
 * the number of cores. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/thread.h"

#define DEFAULT_RING_SLOTS 16384u /* of all workers: about 10 ms at 1.5 million packets/s */
#define LEAST_RING_SLOTS 1024u    /* of a worker, by default */
#define MAX_RING_SLOTS (1u << 22)
#define DROP_ROOM 8u
#define DEFAULT_BLOCKS 8u
#define MIN_BLOCK_BYTES 4096u
#define MAX_AUTO_WORKERS 4u
/* A worker's thread and ring take as long to make as a few hundred thousand bytes to read. */
#define LEAST_SHARED_FILE (16u << 20)

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* Returns whether a worker shall keep the flows of a savefile: the file is large, a core is free,
 * and no handler of the program gets packets, on whatever thread. */
static bool is_file_shared(const struct bpe_options *o, const struct bpei_device *device)
{
	return device->source_bytes >= LEAST_SHARED_FILE && o->flows && !o->on_batch &&
	       bpei_thread_own_cores() > 1;
}

/* Returns the number of workers, named by the options or chosen here. */
static uint32_t count_workers(const struct bpe_options *o, const struct bpei_device *device)
{
	if (o->count_only)
		return 0;
	if (o->workers >= 0)
		return (uint32_t)o->workers;
	if (!device->live) /* a single worker keeps the flows' order */
		return is_file_shared(o, device) ? 1 : 0;
	/* The reader needs a core.  With two cores or fewer, handing over costs more than workers
	 * gain. */
	const uint32_t cores = bpei_thread_cores();

	if (cores <= 2)
		return 0;
	return cores - 1 < MAX_AUTO_WORKERS ? cores - 1 : MAX_AUTO_WORKERS;
}

/* Checks the sizes in the options.  Returns BPE_OK, or BPE_E_ARGUMENT with *error filled. */
static int check_plan_options(const struct bpe_options *o, struct bpe_error *error)
{
	const bool has_slots = o->ring_slots != 0;

	if (o->workers > BPE_MAX_WORKERS || o->workers < BPE_WORKERS_AUTO)
		return bpei_fail(error, BPE_E_ARGUMENT, "workers", 0,
			"workers must be 0 to %d or auto, not %d", BPE_MAX_WORKERS, o->workers);
	if (has_slots && (!is_power_of_two(o->ring_slots) || o->ring_slots < BPE_BATCH ||
				 o->ring_slots > MAX_RING_SLOTS))
		return bpei_fail(error, BPE_E_ARGUMENT, "ring", 0,
			"ring slots must be a power of two from %d to %u, not %u", BPE_BATCH,
			MAX_RING_SLOTS, o->ring_slots);
	if (o->block_count > BPEI_MAX_BLOCKS)
		return bpei_fail(error, BPE_E_ARGUMENT, "block count", 0,
			"at most %d blocks, not %u", BPEI_MAX_BLOCKS, o->block_count);
	if (o->block_bytes && o->block_bytes < MIN_BLOCK_BYTES)
		return bpei_fail(error, BPE_E_ARGUMENT, "block size", 0,
			"a block has at least %u bytes, not %u", MIN_BLOCK_BYTES, o->block_bytes);
	return BPE_OK;
}

/* Settles number and size of the blocks.  A device with blocks of its own needs no memory. */
static void plan_blocks(
	struct bpei_engine_plan *p, const struct bpe_options *o, const struct bpei_device *device)
{
	if (device->maps_blocks) {
		p->blocks = device->max_blocks_in_flight ? device->max_blocks_in_flight : 1;
		if (p->blocks > BPEI_MAX_BLOCKS)
			p->blocks = BPEI_MAX_BLOCKS;
		return;
	}
	p->blocks = DEFAULT_BLOCKS;
	if (o->block_count)
		p->blocks = o->block_count;
	else if (!p->workers)
		p->blocks = 1; /* each block is done before the next: the memory stays cached */
	if (p->blocks > device->max_blocks_in_flight && device->max_blocks_in_flight)
		p->blocks = device->max_blocks_in_flight;
	p->block_bytes = (device->block_bytes + BPEI_LINE - 1) & ~(size_t)(BPEI_LINE - 1);
}

/* Settles the sizes of rings and slots.  Several workers share the slots, which are used in turn.
 * Where packets are dropped, there are DROP_ROOM times as many slots as ring elements.  So a slow
 * worker's ring is full, and drops, before its old packets keep slots from the other workers. */
static void plan_rings(struct bpei_engine_plan *p, const struct bpe_options *o)
{
	const uint64_t times = o->overload == BPE_OVERLOAD_DROP ? DROP_ROOM : 1;

	p->ring_slots = DEFAULT_RING_SLOTS;
	while (p->ring_slots > LEAST_RING_SLOTS && p->ring_slots * p->workers > DEFAULT_RING_SLOTS)
		p->ring_slots /= 2;
	if (o->ring_slots)
		p->ring_slots = o->ring_slots;
	p->slots = p->workers ? p->ring_slots : 0;
	if (p->workers < 2)
		return;
	if (p->slots < BPEI_SLOT_PARTS * BPE_BATCH)
		p->slots = BPEI_SLOT_PARTS * BPE_BATCH;
	while (p->slots < MAX_RING_SLOTS && p->slots < times * p->workers * p->ring_slots)
		p->slots *= 2;
}

int bpei_plan(struct bpei_engine_plan *plan, const struct bpe_options *o,
	const struct bpei_device *device, struct bpe_error *error)
{
	const int status = check_plan_options(o, error);

	if (status < 0)
		return status;
	*plan = (struct bpei_engine_plan){ .workers = count_workers(o, device) };
	plan_rings(plan, o);
	plan->shares = plan->workers ? plan->workers : 1;
	plan_blocks(plan, o, device);
	plan->has_tables = o->flows && !o->count_only;
	plan->pulls = o->pull_records;
	plan->has_records = plan->has_tables && (o->on_record || o->pull_records);
	plan->has_rings = plan->has_records || (plan->has_tables && o->on_event);
	plan->waits_record = o->record_overload == BPE_RECORD_WAIT ||
			     (o->record_overload == BPE_RECORD_AUTO && !device->live);
	return BPE_OK;
}
