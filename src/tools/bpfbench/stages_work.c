/* SPDX-License-Identifier: MIT */
/* Makes the buffers and runs the stages.  Each stage does the engine's work, in the engine's
 * batches, and nothing else. */
#include "stages.h"

#include "base/mem.h"
#include "base/pause.h"
#include "records/batch.h"
#include "device/synth_gen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RING_SLOTS 16384u /* the engine's default */
#define EPOCH 1700000000u
#define STEP_US 10u

const struct layout_name stage_layouts[] = { { "macos", &bpei_layout_macos },
	{ "freebsd", &bpei_layout_freebsd }, { "netbsd", &bpei_layout_netbsd },
	{ "openbsd", &bpei_layout_openbsd }, { NULL, NULL } };

/* Keeps the compiler from removing a value and its computation. */
static inline void keep_value(uint64_t v)
{
	__asm__ volatile("" : : "r"(v) : "memory");
}

/* Ends the program after a message. */
static void fail_stage(const char *what)
{
	program_tell("stage %s gave other packets than were made; please report this", what);
	exit(EXIT_ERROR);
}

/* Writes a record in the layout and returns its aligned length. */
static uint32_t put_record(const struct bpei_layout *l, uint8_t *at, uint32_t number,
	const uint8_t *frame, uint32_t bytes)
{
	const uint32_t header = bpei_layout_hdrlen(l->hdrlen_base, l->align, 14);
	const uint64_t us = (uint64_t)number * STEP_US;
	const uint64_t stamp[2] = { EPOCH + us / 1000000, us % 1000000 };

	memset(at, 0, header);
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t narrow = (uint32_t)stamp[k];
		memcpy(at + k * l->stamp_bytes,
			l->stamp_bytes == 4 ? (const void *)&narrow : (const void *)&stamp[k],
			l->stamp_bytes);
	}
	memcpy(at + l->caplen, &bytes, 4);
	memcpy(at + l->datalen, &bytes, 4);
	memcpy(at + l->hdrlen, &(uint16_t){ (uint16_t)header }, 2);
	memcpy(at + header, frame, bytes);
	return bpei_layout_align(header + bytes, l->align);
}

/* Fills the blocks with records.  Returns false without memory. */
static bool fill_blocks(struct load *l, const char *source)
{
	struct bpei_synth_options o;
	char why[200];
	uint8_t frame[BPEI_SYNTH_FRAME];
	size_t at = 0;
	struct bpei_synth_gen *gen =
		bpei_synth_parse(source, &o, why, sizeof why) ? NULL : bpei_synth_gen_new(&o);
	if (!gen)
		return false;
	for (uint32_t i = 0; i < l->packets; i++) {
		uint32_t bytes = bpei_synth_gen_next(gen, frame);
		if (!l->used || at + bytes + 64 > l->block_bytes) {
			l->blocks[l->used].bytes = l->blocks[l->used].memory =
				l->memory + l->used * l->block_bytes;
			l->blocks[l->used].memory_bytes = l->block_bytes;
			l->used++;
			at = 0;
		}
		at += put_record(l->layout, l->memory + (l->used - 1) * l->block_bytes + at, i,
			frame, bytes);
		l->blocks[l->used - 1].length = at;
	}
	for (uint32_t k = 0; k < l->used; k++)
		l->bytes += l->blocks[k].length;
	bpei_synth_gen_free(gen);
	return true;
}

/* Walks at most max records of the block into the columns.  Returns their number. */
static uint32_t walk_block(
	struct load *l, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	const struct bpei_bpf_walk how = { .layout = l->layout,
		.link_type = 1,
		.snaplen = BPE_MAX_SNAPLEN,
		.plain = !l->layout->flags,
		.torn_blocks = &l->torn };
	return bpei_walk_bpf(&how, b, c, max);
}

/* Parses n packets by a backend, which hashes their keys as well. */
static void parse_packets(const struct load *l, const struct bpei_backend *b,
	const struct bpei_columns *c, uint32_t n)
{
	b->parse(c, n, 1, &l->seed);
}

/* Walks and parses all packets into l->all.  Returns false if a packet is missing. */
static bool prepare_columns(struct load *l)
{
	const struct bpei_backend *scalar = &bpei_backends[0];
	uint32_t done = 0, n;

	for (uint32_t k = 0; k < l->used; k++) {
		l->blocks[k].position = 0;
		do {
			const struct bpei_columns c = bpei_columns_from(&l->all, done);

			n = walk_block(l, &l->blocks[k], &c, BPE_BATCH);
			if (n)
				parse_packets(l, scalar, &c, n);
			done += n;
		} while (n);
	}
	return done == l->packets && !bpei_counter_get(&l->torn);
}

struct load *load_new(
	const struct layout_name *layout, const char *source, uint32_t packets, size_t block_bytes)
{
	struct load *l = calloc(1, sizeof *l);
	struct bpei_table_options t = {
		.max_flows = 1000000, .idle_ns = 300000000000, .closed_ns = 10000000000
	};
	if (!l)
		return NULL;
	l->name = layout->name;
	l->layout = layout->layout;
	l->packets = packets;
	for (l->room = BPE_BATCH; l->room < packets + BPE_BATCH;)
		l->room *= 2;
	l->block_bytes = block_bytes;
	uint32_t most = (uint32_t)((uint64_t)packets * (BPEI_SYNTH_FRAME + 64) / block_bytes) + 2;
	l->memory_bytes = most * block_bytes;
	l->memory = bpei_mem_map(l->memory_bytes, 1);
	l->blocks = calloc(most, sizeof *l->blocks);
	l->copy = bpei_mem_map(block_bytes, 1);
	l->counts = calloc(1, sizeof *l->counts);
	bpei_seed_init(&l->seed, 1);
	bpei_ring_init(&l->ring, RING_SLOTS);
	bool good = l->memory && l->blocks && l->copy && l->counts &&
		    bpei_columns_new(&l->all, l->room) >= 0 &&
		    bpei_columns_new(&l->batch, BPE_BATCH) >= 0 &&
		    bpei_columns_new(&l->slots, RING_SLOTS) >= 0 &&
		    bpei_table_new(&t, &l->table) >= 0 && fill_blocks(l, source);
	if (good && prepare_columns(l))
		return l;
	if (good)
		fail_stage("walk");
	load_free(l);
	return NULL;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	if (l->all.data)
		bpei_columns_free(&l->all, l->room);
	if (l->batch.data)
		bpei_columns_free(&l->batch, BPE_BATCH);
	if (l->slots.data)
		bpei_columns_free(&l->slots, RING_SLOTS);
	bpei_table_free(l->table);
	bpei_mem_unmap(l->memory, l->memory_bytes);
	bpei_mem_unmap(l->copy, l->block_bytes);
	free(l->blocks);
	free(l->counts);
	free(l);
}

void stage_memcpy(struct load *l, const struct bpei_backend *b)
{
	(void)b;
	for (uint32_t k = 0; k < l->used; k++) {
		memcpy(l->copy, l->blocks[k].bytes, l->blocks[k].length);
		keep_value(l->copy[l->blocks[k].length - 1]);
	}
}

void stage_walk(struct load *l, const struct bpei_backend *b)
{
	uint32_t sum = 0, n;
	(void)b;
	for (uint32_t k = 0; k < l->used; k++) {
		l->blocks[k].position = 0;
		while ((n = walk_block(l, &l->blocks[k], &l->batch, BPE_BATCH)) > 0)
			sum += n;
	}
	keep_value(l->batch.caplen[0]);
	if (sum != l->packets || bpei_counter_get(&l->torn))
		fail_stage("walk");
}

void stage_parse(struct load *l, const struct bpei_backend *b)
{
	for (uint32_t i = 0; i < l->packets; i += BPE_BATCH) {
		uint32_t n = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH;
		struct bpei_columns c = bpei_columns_from(&l->all, i);
		c.layers = l->batch.layers;
		c.key = l->batch.key;
		c.hash = l->batch.hash;
		parse_packets(l, b, &c, n);
		keep_value(c.layers[0].flags);
	}
}

void stage_hash(struct load *l, const struct bpei_backend *b)
{
	(void)b;
	for (uint32_t i = 0; i < l->packets; i += BPE_BATCH) {
		uint32_t n = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH;
		struct bpei_columns c = bpei_columns_from(&l->all, i);
		c.hash = l->batch.hash;
		bpei_hash(&c, n, &l->seed);
		keep_value(c.hash[0]);
	}
}

static void push_packets(struct load *l, uint32_t i, uint32_t n) BPEI_READER
{
	for (uint32_t k = 0; k < n; k++)
		bpei_columns_copy(&l->slots, (l->ring.own_tail + k) & l->ring.mask, &l->all, i + k);
	bpei_ring_push(&l->ring, n);
}

/* Takes at most `most` packets out of the ring and adds up what a worker reads of them. */
static uint64_t drain_packets(struct load *l, uint32_t most, uint64_t *sum) BPEI_WORKER
{
	const uint32_t n = bpei_ring_peek(&l->ring, most);
	const uint32_t at = l->ring.own_head & l->ring.mask;

	for (uint32_t k = 0; k < n; k++)
		*sum += l->slots.hash[at + k] + l->slots.key[at + k].port[0] +
			l->slots.layers[at + k].flags;
	if (n)
		bpei_ring_drop(&l->ring, n);
	return n;
}

void stage_ring(struct load *l, const struct bpei_backend *b)
{
	uint64_t sum = 0, taken = 0;
	(void)b;
	bpei_role_enter(&bpei_reader_role);
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t i = 0; i < l->packets; i += BPE_BATCH) {
		uint32_t n = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH;
		if (bpei_ring_room(&l->ring, n) < n)
			fail_stage("ring");
		push_packets(l, i, n);
		for (uint64_t got = 0; got < n;)
			got += drain_packets(l, BPE_BATCH, &sum);
		taken += n;
	}
	bpei_role_leave(&bpei_worker_role);
	bpei_role_leave(&bpei_reader_role);
	keep_value(sum);
	if (taken != l->packets)
		fail_stage("ring");
}

static void *drain_all(void *load)
{
	struct load *l = load;
	uint64_t sum = 0;
	uint32_t idle = 0;
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t taken = 0, n; taken < l->packets; taken += n) {
		n = drain_packets(l, BPE_BATCH, &sum);
		if (n)
			idle = 0;
		else
			bpei_pause(idle++);
	}
	bpei_role_leave(&bpei_worker_role);
	keep_value(sum);
	return NULL;
}

void stage_ring_two(struct load *l, const struct bpei_backend *b)
{
	pthread_t thread;
	uint32_t idle = 0;
	(void)b;
	if (pthread_create(&thread, NULL, drain_all, l))
		fail_stage("ring");
	bpei_role_enter(&bpei_reader_role);
	for (uint32_t i = 0; i < l->packets;) {
		const uint32_t want = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH;
		uint32_t n = bpei_ring_room(&l->ring, want);

		if (n > want)
			n = want;
		if (!n) {
			bpei_pause(idle++);
			continue;
		}
		idle = 0;
		push_packets(l, i, n);
		i += n;
	}
	bpei_role_leave(&bpei_reader_role);
	pthread_join(thread, NULL);
}

void stage_flow(struct load *l, const struct bpei_backend *b)
{
	uint32_t flow[BPE_BATCH];
	(void)b;
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t i = 0; i < l->packets; i += BPE_BATCH) {
		struct bpe_batch batch = bpei_batch_view(
			&l->all, i, l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH, 0);
		batch.meta = NULL;
		bpei_table_clock(l->table, batch.time_ns[batch.count - 1]);
		bpei_table_update(l->table, &batch, flow);
		keep_value(flow[0]);
	}
	bpei_role_leave(&bpei_worker_role);
}

void stage_pipeline(struct load *l, const struct bpei_backend *b)
{
	uint32_t flow[BPE_BATCH], sum = 0, n;
	struct bpei_sums sums;
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t k = 0; k < l->used; k++) {
		l->blocks[k].position = 0;
		while ((n = walk_block(l, &l->blocks[k], &l->batch, BPE_BATCH)) > 0) {
			parse_packets(l, b, &l->batch, n);
			struct bpe_batch batch = bpei_batch_view(&l->batch, 0, n, 0);
			batch.meta = NULL;
			bpei_table_clock(l->table, batch.time_ns[batch.count - 1]);
			bpei_table_update(l->table, &batch, flow);
			bpei_batch_sum(&batch, &sums);
			bpei_counts_add(l->counts, &batch, &sums);
			sum += n;
		}
	}
	bpei_role_leave(&bpei_worker_role);
	if (sum != l->packets || bpei_counter_get(&l->torn))
		fail_stage("pipeline");
}
