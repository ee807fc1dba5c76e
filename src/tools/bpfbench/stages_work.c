/* SPDX-License-Identifier: MIT */
/* Making the buffers, and the stages themselves: each is what the engine does, in the engine's
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

/* Keeps a value, and what it was worked out from, from being optimised away. */
static inline void keep(uint64_t v)
{
	__asm__ volatile("" : : "r"(v) : "memory");
}

static void wrong(const char *what)
{
	program_tell("stage %s gave other packets than were made; please report this", what);
	exit(EXIT_ERROR);
}

static uint32_t record(const struct bpei_layout *l, uint8_t *at, uint32_t number,
	const uint8_t *frame, uint32_t bytes)
{
	const uint32_t header = bpei_layout_hdrlen(l->hdrlen_base, l->align, 14);
	uint64_t us = (uint64_t)number * STEP_US, stamp[2] = { EPOCH + us / 1000000, us % 1000000 };
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

static bool fill(struct load *l, const char *source)
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
		at += record(l->layout, l->memory + (l->used - 1) * l->block_bytes + at, i, frame,
			bytes);
		l->blocks[l->used - 1].length = at;
	}
	for (uint32_t k = 0; k < l->used; k++)
		l->bytes += l->blocks[k].length;
	bpei_synth_gen_free(gen);
	return true;
}

static uint32_t walk(
	struct load *l, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	const struct bpei_bpf_walk how = { .layout = l->layout,
		.link_type = 1,
		.snaplen = BPE_MAX_SNAPLEN,
		.plain = !l->layout->flags,
		.torn_blocks = &l->torn };
	return bpei_walk_bpf(&how, b, c, max);
}

/* The one place that knows how a backend is called; its parse works out the hash, too. */
static void parse(const struct load *l, const struct bpei_backend *b, const struct bpei_columns *c,
	uint32_t n)
{
	b->parse(c, n, 1, &l->seed);
}

static bool prepare(struct load *l)
{
	uint32_t done = 0, n;
	for (uint32_t k = 0; k < l->used; k++) {
		l->blocks[k].position = 0;
		for (struct bpei_columns c; c = bpei_columns_from(&l->all, done),
					    (n = walk(l, &l->blocks[k], &c, BPE_BATCH)) > 0;
			done += n)
			parse(l, &bpei_backends[0], &c, n); /* scalar is the first */
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
	l->name = layout->name, l->layout = layout->layout;
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
		    bpei_table_new(&t, &l->table) >= 0 && fill(l, source);
	if (good && prepare(l))
		return l;
	if (good)
		wrong("walk");
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
		keep(l->copy[l->blocks[k].length - 1]);
	}
}

void stage_walk(struct load *l, const struct bpei_backend *b)
{
	uint32_t sum = 0, n;
	(void)b;
	for (uint32_t k = 0; k < l->used; k++) {
		l->blocks[k].position = 0;
		while ((n = walk(l, &l->blocks[k], &l->batch, BPE_BATCH)) > 0)
			sum += n;
	}
	keep(l->batch.caplen[0]);
	if (sum != l->packets || bpei_counter_get(&l->torn))
		wrong("walk");
}

void stage_parse(struct load *l, const struct bpei_backend *b)
{
	for (uint32_t i = 0; i < l->packets; i += BPE_BATCH) {
		uint32_t n = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH;
		struct bpei_columns c = bpei_columns_from(&l->all, i);
		c.layers = l->batch.layers, c.key = l->batch.key, c.hash = l->batch.hash;
		parse(l, b, &c, n);
		keep(c.layers[0].flags);
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
		keep(c.hash[0]);
	}
}

static void push(struct load *l, uint32_t i, uint32_t n) BPEI_READER
{
	for (uint32_t k = 0; k < n; k++)
		bpei_columns_copy(&l->slots, (l->ring.own_tail + k) & l->ring.mask, &l->all, i + k);
	bpei_ring_push(&l->ring, n);
}

static uint64_t drop(struct load *l, uint32_t most, uint64_t *sum) BPEI_WORKER
{
	uint32_t n = bpei_ring_peek(&l->ring, most), at = l->ring.own_head & l->ring.mask;
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
			wrong("ring");
		push(l, i, n);
		for (uint64_t k = 0, got = 0; got < n; got += k)
			taken += k = drop(l, BPE_BATCH, &sum);
	}
	bpei_role_leave(&bpei_worker_role);
	bpei_role_leave(&bpei_reader_role);
	keep(sum);
	if (taken != l->packets)
		wrong("ring");
}

static void *take_all(void *load)
{
	struct load *l = load;
	uint64_t sum = 0;
	uint32_t idle = 0;
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t taken = 0, n; taken < l->packets; taken += n) {
		n = drop(l, BPE_BATCH, &sum);
		if (n)
			idle = 0;
		else
			bpei_pause(idle++);
	}
	bpei_role_leave(&bpei_worker_role);
	keep(sum);
	return NULL;
}

void stage_ring_two(struct load *l, const struct bpei_backend *b)
{
	pthread_t thread;
	uint32_t idle = 0;
	(void)b;
	if (pthread_create(&thread, NULL, take_all, l))
		wrong("ring");
	bpei_role_enter(&bpei_reader_role);
	for (uint32_t i = 0; i < l->packets;) {
		uint32_t want = l->packets - i < BPE_BATCH ? l->packets - i : BPE_BATCH,
			 n = bpei_ring_room(&l->ring, want);
		if (n > want)
			n = want;
		if (!n) {
			bpei_pause(idle++);
			continue;
		}
		idle = 0;
		push(l, i, n);
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
		keep(flow[0]);
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
		while ((n = walk(l, &l->blocks[k], &l->batch, BPE_BATCH)) > 0) {
			parse(l, b, &l->batch, n);
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
		wrong("pipeline");
}
