/* SPDX-License-Identifier: MIT */
/* The stages of the road on buffers that were made here. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include "arch/arch_list.h"
#include "records/layout.h"
#include "flow/flow.h"
#include "options.h"
#include "ring/ring.h"
#include "stats/stats.h"

/* Generated frames as the records that a system's read() gives, in blocks, and as columns: walked,
 * parsed and hashed by scalar. */
struct load {
	const char *name;
	const struct bpei_layout *layout;
	uint8_t *memory;
	size_t memory_bytes, block_bytes;
	struct bpei_block *blocks;
	uint32_t used, packets, room;   /* room: packets, rounded up to a power of two */
	uint64_t bytes;                 /* of the records, all blocks together */
	struct bpei_columns all, batch; /* every packet; BPE_BATCH of them, used again and again as
					   the engine does */
	struct bpei_columns slots;      /* the ring's */
	struct bpei_ring ring;
	struct bpei_table *table;
	struct bpei_counts *counts;
	struct bpei_seed seed;
	uint8_t *copy; /* where memcpy copies a block to */
	bpei_counter torn;
};

extern const struct layout_name {
	const char *name;
	const struct bpei_layout *layout;
} stage_layouts[]; /* a NULL name ends them */

/* NULL: no memory.  source: synth, synth:..., as bpfengine's; it has been checked. */
struct load *load_new(
	const struct layout_name *layout, const char *source, uint32_t packets, size_t block_bytes);
void load_free(struct load *load);

/* Once over all packets; backend: NULL where the stage has none.  They end the program if what
 * comes out is not what went in. */
void stage_memcpy(struct load *load, const struct bpei_backend *backend);
void stage_walk(struct load *load, const struct bpei_backend *backend);
void stage_parse(struct load *load, const struct bpei_backend *backend);
void stage_hash(struct load *load, const struct bpei_backend *backend);
void stage_ring(struct load *load, const struct bpei_backend *backend);
void stage_ring_two(struct load *load,
	const struct bpei_backend *backend); /* the other end on a thread of its own */
void stage_flow(struct load *load, const struct bpei_backend *backend);
void stage_pipeline(struct load *load, const struct bpei_backend *backend);

/* Cycles of the calling thread, where the machine tells. */
enum cycles { CYCLES_NONE, CYCLES_CORE, CYCLES_TSC };
enum cycles cycles_open(void);
uint64_t cycles_now(void);

#endif
