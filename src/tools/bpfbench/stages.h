/* SPDX-License-Identifier: MIT */
/* The stages of the packet path, measured on generated buffers. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include "arch/arch_list.h"
#include "records/walk_bpf.h"
#include "flow/flow.h"
#include "options.h"
#include "ring/ring.h"
#include "stats/stats.h"

/* Generated frames: as records in blocks, in the layout of a system's read(), and as columns,
 * walked, parsed and hashed by the scalar backend. */
struct load {
	const char *name;
	const struct bpei_layout *layout;
	uint8_t *memory;
	size_t memory_bytes, block_bytes;
	struct bpei_block *blocks;
	uint32_t used, packets, room; /* room: packets, rounded up to a power of two */
	uint64_t bytes;               /* bytes of the records in all blocks */
	/* all: every packet.  batch: room for BPE_BATCH, used again and again as in the engine. */
	struct bpei_columns all, batch;
	struct bpei_columns slots; /* the ring's */
	struct bpei_ring ring;
	struct bpei_table *table;
	struct bpei_counts *counts;
	struct bpei_seed seed;
	uint8_t *copy; /* the target of memcpy */
	bpei_counter torn;
};

extern const struct layout_name {
	const char *name;
	const struct bpei_layout *layout;
} stage_layouts[]; /* ended by a NULL name */

/* Makes a load.  source: synth or synth:..., already checked.  Returns NULL without memory. */
struct load *load_new(
	const struct layout_name *layout, const char *source, uint32_t packets, size_t block_bytes);
void load_free(struct load *load);

/* Run a stage once over all packets.  backend: NULL if the stage has none.  A stage ends the
 * program if the packets that come out differ from the packets that went in. */
void stage_memcpy(struct load *load, const struct bpei_backend *backend);
void stage_walk(struct load *load, const struct bpei_backend *backend);
void stage_parse(struct load *load, const struct bpei_backend *backend);
void stage_hash(struct load *load, const struct bpei_backend *backend);
void stage_ring(struct load *load, const struct bpei_backend *backend);
/* stage_ring_two has the other end of the ring on a thread. */
void stage_ring_two(struct load *load, const struct bpei_backend *backend);
void stage_flow(struct load *load, const struct bpei_backend *backend);
void stage_pipeline(struct load *load, const struct bpei_backend *backend);

/* Cycles of the calling thread, if the machine tells. */
enum cycles { CYCLES_NONE, CYCLES_CORE, CYCLES_TSC };
/* Opens the best source of cycles and returns its kind. */
enum cycles cycles_open(void);
/* Returns the present count of cycles. */
uint64_t cycles_now(void);

#endif
