/* SPDX-License-Identifier: MIT */
/* Measures remedies against the walk's chain of loads: prefetched lines, two blocks alternately,
 * and the engine's prediction of the distance to the next record.  The macOS records have 60 bytes,
 * or 60, 590 and 1514 by chance (7 : 4 : 1), in blocks of 512 KiB. */
#include "kernels.h"

#include "base/bytes.h"
#include "records/walk_bpf.h"

#include <string.h>

#define BLOCK (512u << 10)
#define BLOCKS 24u

static uint8_t memory[BLOCKS][BLOCK];
static struct bpei_block blocks[BLOCKS];
static uint64_t records;
static bpei_counter torn;

static void fill_walk_buffers(bool mixed)
{
	records = 0;
	for (uint32_t k = 0; k < BLOCKS; k++) {
		size_t at = 0;
		for (;; records++) {
			uint32_t chance = kernels_chance(12);
			uint32_t caplen = 60;
			if (mixed && chance >= 7)
				caplen = chance < 11 ? 590 : 1514;
			uint32_t bytes = bpei_layout_align(18 + caplen, 4);
			if (at + bytes > BLOCK)
				break;
			memset(memory[k] + at, 0, 18);
			memcpy(memory[k] + at + 8, &caplen, 4);
			memcpy(memory[k] + at + 12, &caplen, 4);
			memory[k][at + 16] = 18;
			at += bytes;
		}
		blocks[k] = (struct bpei_block){ .bytes = memory[k], .length = at };
	}
}

static inline size_t walk_one_record(
	const struct bpei_block *b, size_t at, const struct bpei_columns *c, uint32_t i)
{
	const uint8_t *r = b->bytes + at;
	uint32_t caplen = bpei_load32(r + 8);
	uint32_t hdrlen = bpei_load16(r + 16);
	if (hdrlen < 18 || (uint64_t)hdrlen + caplen > b->length - at)
		abort();
	c->data[i] = r + hdrlen;
	c->time_ns[i] =
		(int64_t)(int32_t)bpei_load32(r) * 1000000000 + bpei_load32(r + 4) * INT64_C(1000);
	c->caplen[i] = caplen;
	c->wirelen[i] = bpei_load32(r + 12);
	return at + (((size_t)hdrlen + caplen + 3) & ~(size_t)3);
}

static uint64_t walk_by_chain(const struct bpei_columns *c, uint32_t ahead)
{
	uint64_t n = 0;
	for (uint32_t k = 0; k < BLOCKS; k++)
		for (size_t at = 0; at < blocks[k].length; n++) {
			if (ahead)
				__builtin_prefetch(blocks[k].bytes + at + ahead);
			at = walk_one_record(&blocks[k], at, c, n % BPE_BATCH);
		}
	return n;
}

/* Walks two blocks alternately.  An engine would have to sort the records again. */
static uint64_t walk_two_blocks(const struct bpei_columns *c, uint32_t unused)
{
	uint64_t n = 0;
	(void)unused;
	for (uint32_t k = 0; k < BLOCKS; k += 2) {
		size_t a = 0, b = 0;
		for (; a < blocks[k].length && b < blocks[k + 1].length; n += 2) {
			a = walk_one_record(&blocks[k], a, c, n % BPE_BATCH);
			b = walk_one_record(&blocks[k + 1], b, c, (n + 1) % BPE_BATCH);
		}
		for (; a < blocks[k].length; n++)
			a = walk_one_record(&blocks[k], a, c, n % BPE_BATCH);
		for (; b < blocks[k + 1].length; n++)
			b = walk_one_record(&blocks[k + 1], b, c, n % BPE_BATCH);
	}
	return n;
}

static uint64_t walk_by_engine(const struct bpei_columns *c, uint32_t unused)
{
	static const struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 1,
		.snaplen = BPE_MAX_SNAPLEN,
		.plain = true,
		.torn_blocks = &torn };
	uint64_t n = 0;
	uint32_t some;
	(void)unused;
	for (uint32_t k = 0; k < BLOCKS; k++)
		for (blocks[k].position = 0;
			(some = bpei_walk_bpf(&how, &blocks[k], c, BPE_BATCH)) > 0;)
			n += some;
	return n;
}

void kernels_walk(void)
{
	static const struct {
		const char *name;
		uint64_t (*walk)(const struct bpei_columns *c, uint32_t ahead);
		uint32_t ahead;
	} ways[] = { { "chain", walk_by_chain, 0 },
		{ "chain, 512 bytes ahead", walk_by_chain, 512 },
		{ "chain, 2048 bytes ahead", walk_by_chain, 2048 },
		{ "chain, two blocks in turn", walk_two_blocks, 0 },
		{ "the engine's", walk_by_engine, 0 } };
	enum { WAYS = sizeof ways / sizeof *ways };
	struct bpei_columns c;
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		abort();
	for (int mixed = 0; mixed < 2; mixed++) {
		struct bench_row rows[WAYS] = { { .name = NULL } };
		fill_walk_buffers(mixed);
		printf("walks, %s: %llu records\n", mixed ? "60, 590 and 1514 bytes" : "60 bytes",
			(unsigned long long)records);
		for (int k = 0; k < WAYS; k++)
			rows[k].name = ways[k].name;
		for (int r = -1; r < BENCH_ROUNDS; r++)
			for (int k = 0; k < WAYS; k++) {
				int64_t start = bpei_clock_mono_ns();
				if (ways[k].walk(&c, ways[k].ahead) != records)
					abort();
				rows[k].ns[r < 0 ? 0 : r] =
					(double)(bpei_clock_mono_ns() - start) / (double)records;
				bench_keep(c.caplen[0]);
			}
		bench_print(rows, WAYS, "record");
	}
	bpei_columns_free(&c, BPE_BATCH);
}
