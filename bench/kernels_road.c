/* SPDX-License-Identifier: MIT */
/* The road from records to hashes: macOS records in blocks of 512 KiB, 131,072 different packets, walked alone, and walked, parsed and
 * hashed by each backend, batch by batch as in the engine. */
#include "kernels.h"

#include "block/layout.h"

#include <string.h>

#define ROAD_PACKETS 131072u
#define BLOCK_BYTES (512u << 10)
#define BLOCKS 40u

static uint8_t memory[BLOCKS][BLOCK_BYTES];
static struct bpei_block blocks[BLOCKS];
static uint32_t used, packets;
static bpei_counter torn, filtered;

static void fill(const struct kernels_mix *mix)
{
	const uint32_t align = bpei_layout_macos.align, header = bpei_layout_hdrlen(bpei_layout_macos.counted, align, 14);
	uint32_t at = BLOCK_BYTES;
	used = packets = 0;
	for (; packets < ROAD_PACKETS; packets++) {
		uint8_t packet[KERNELS_BYTES] = { 0 };
		uint32_t caplen = kernels_packet(packet, mix), bytes = bpei_layout_align(header + caplen, align);
		if (at + bytes > BLOCK_BYTES) {
			blocks[used] = (struct bpei_block){ .bytes = memory[used], .memory = memory[used], .memory_bytes = BLOCK_BYTES };
			used++;
			at = 0;
		}
		uint8_t *r = memory[used - 1] + at;
		memset(r, 0, header);
		memcpy(r + bpei_layout_macos.caplen, &caplen, 4);
		memcpy(r + bpei_layout_macos.datalen, &caplen, 4);
		memcpy(r + bpei_layout_macos.hdrlen, &(uint16_t){ (uint16_t)header }, 2);
		memcpy(r + header, packet, caplen);
		at += bytes;
		blocks[used - 1].length = at;
	}
}

static double road(const struct bpei_backend *b, const struct bpei_columns *c, const struct bpei_seed *seed)
{
	static const struct bpei_bpf_walk how = { .layout = &bpei_layout_macos, .link_type = 1, .snaplen = BPE_MAX_SNAPLEN, .plain = true, .torn_blocks = &torn,
		.filtered = &filtered };
	int64_t start = bpei_clock_mono_ns();
	uint64_t sum = 0;
	for (uint32_t k = 0; k < used; k++) {
		uint32_t n;
		blocks[k].position = 0;
		while ((n = bpei_walk_bpf(&how, &blocks[k], c, BPE_BATCH)) > 0) {
			if (b) b->parse(c, n, 1), b->hash(c, n, seed);
			sum += n;
		}
	}
	double ns = (double)(bpei_clock_mono_ns() - start);
	if (sum != packets || bpei_counter_get(&torn)) abort();
	bench_keep(c->hash[0]);
	return ns / packets;
}

void kernels_road(const struct kernels_mix *mix, const struct bpei_seed *seed)
{
	struct bench_row rows[BPEI_BACKENDS + 1] = { { .name = "walk alone" } };
	static char names[BPEI_BACKENDS][64];
	const struct bpei_backend *of[BPEI_BACKENDS + 1] = { NULL };
	struct bpei_columns c;
	int n = 1;
	if (bpei_columns_new(&c, BPE_BATCH) < 0) abort();
	fill(mix);
	for (size_t b = 0; b < BPEI_BACKENDS; b++) {
		if (!bpei_backends[b].cpu_fits()) continue;
		snprintf(names[b], sizeof names[b], "walk, parse, hash, %s", bpei_backends[b].name);
		of[n] = &bpei_backends[b];
		rows[n++].name = names[b];
	}
	printf("%s: %u packets in %u blocks\n", mix->name, packets, used);
	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < n; k++) rows[k].ns[r < 0 ? 0 : r] = road(of[k], &c, seed);
	bench_print(rows, n, "packet");
	for (int k = 2; k < n; k++)
		printf("%s adds %.0f%% of what scalar adds\n", of[k]->name,
		       100 * (bench_median(&rows[k]) - bench_median(&rows[0])) / (bench_median(&rows[1]) - bench_median(&rows[0])));
	bpei_columns_free(&c, BPE_BATCH);
}
