/* SPDX-License-Identifier: MIT */
/* The road from records to hashes: macOS records in blocks of 512 KiB, 131,072 different packets,
 * walked alone, and walked, parsed and hashed by each backend, batch by batch as in the engine; and
 * the same packets through peers, where they are installed. */
#include "kernels.h"

#include "base/bytes.h"
#include "records/walk_bpf.h"

#include <string.h>

#define ROAD_PACKETS 131072u
#define BLOCK_BYTES (512u << 10)
#define BLOCKS 40u

static uint8_t memory[BLOCKS][BLOCK_BYTES];
static struct bpei_block blocks[BLOCKS];
static uint32_t used, packets;
static bpei_counter torn;

static void fill_road_buffers(const struct kernels_mix *mix)
{
	const uint32_t align = bpei_layout_macos.align;
	const uint32_t header = bpei_layout_hdrlen(bpei_layout_macos.hdrlen_base, align, 14);
	uint32_t at = BLOCK_BYTES;
	used = packets = 0;
	for (; packets < ROAD_PACKETS; packets++) {
		uint8_t packet[KERNELS_BYTES] = { 0 };
		uint32_t caplen = kernels_packet(packet, mix);
		uint32_t bytes = bpei_layout_align(header + caplen, align);
		if (at + bytes > BLOCK_BYTES) {
			blocks[used] = (struct bpei_block){ .bytes = memory[used],
				.memory = memory[used],
				.memory_bytes = BLOCK_BYTES };
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

/* Follows the lengths only: the chain of loads every walk without prediction waits for. */
static double walk_bare_road(const struct bpei_columns *c, uint32_t number)
{
	(void)number;
	int64_t start = bpei_clock_mono_ns();
	uint64_t sum = 0, bytes = 0;
	for (uint32_t k = 0; k < used; k++)
		for (size_t at = 0; at + 18 <= blocks[k].length; sum++) {
			const uint8_t *r = blocks[k].bytes + at;
			uint32_t caplen = bpei_load32(r + 8);
			uint32_t hdrlen = bpei_load16(r + 16);
			if (hdrlen < 18 || (uint64_t)hdrlen + caplen > blocks[k].length - at)
				break;
			bytes += caplen;
			at += ((size_t)hdrlen + caplen + 3) & ~(size_t)3;
		}
	double ns = (double)(bpei_clock_mono_ns() - start);
	if (sum != packets)
		abort();
	bench_keep((uint32_t)bytes);
	(void)c;
	return ns / packets;
}

static const struct bpei_seed *road_seed;

/* Runs the engine's walk, then backend `number - 1`'s parse; 0: the walk alone. */
static double measure_road_round(const struct bpei_columns *c, uint32_t number)
{
	static const struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 1,
		.snaplen = BPE_MAX_SNAPLEN,
		.plain = true,
		.torn_blocks = &torn };
	const struct bpei_backend *b = number ? &bpei_backends[number - 1] : NULL;
	int64_t start = bpei_clock_mono_ns();
	uint64_t sum = 0;
	for (uint32_t k = 0; k < used; k++) {
		uint32_t n;
		blocks[k].position = 0;
		while ((n = bpei_walk_bpf(&how, &blocks[k], c, BPE_BATCH)) > 0) {
			if (b)
				b->parse(c, n, 1, road_seed);
			sum += n;
		}
	}
	double ns = (double)(bpei_clock_mono_ns() - start);
	if (sum != packets || bpei_counter_get(&torn))
		abort();
	bench_keep(c->hash[0]);
	return ns / packets;
}

static double walk_peer_road(const struct bpei_columns *c, uint32_t number)
{
	(void)c;
	int64_t start = bpei_clock_mono_ns();
	if (kernels_peers[number].round() != packets)
		abort();
	return (double)(bpei_clock_mono_ns() - start) / packets;
}

/* Gives the peers the same packets, each record's bytes. */
static void give_road_block(void)
{
	for (uint32_t k = 0; k < used; k++)
		for (size_t at = 0; at < blocks[k].length;) {
			const uint8_t *r = blocks[k].bytes + at;
			uint32_t caplen = bpei_load32(r + 8);
			uint32_t hdrlen = bpei_load16(r + 16);
			for (uint32_t p = 0; p < kernels_peer_count; p++)
				kernels_peers[p].add(r + hdrlen, caplen);
			at += bpei_layout_align(hdrlen + caplen, 4);
		}
}

#define MOST_ROWS (BPEI_BACKENDS + 2 + KERNELS_MOST_PEERS)

void kernels_road(const struct kernels_mix *mix, const struct bpei_seed *seed)
{
	struct bench_row rows[MOST_ROWS] = { { .name = "bare walk: the lengths followed" },
		{ .name = "walk" } };
	double (*how[MOST_ROWS])(
		const struct bpei_columns *, uint32_t) = { walk_bare_road, measure_road_round };
	uint32_t number[MOST_ROWS] = { 0 };
	static char names[BPEI_BACKENDS][64];
	struct bpei_columns c;
	int n = 2;
	road_seed = seed;
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		abort();
	fill_road_buffers(mix);
	give_road_block();
	for (uint32_t b = 0; b < BPEI_BACKENDS; b++) {
		if (!bpei_backends[b].cpu_fits())
			continue;
		snprintf(names[b], sizeof names[b], "walk, parse, hash, %s", bpei_backends[b].name);
		how[n] = measure_road_round;
		number[n] = b + 1;
		rows[n++].name = names[b];
	}
	const int ours = n;
	for (uint32_t p = 0; p < kernels_peer_count; p++) {
		how[n] = walk_peer_road;
		number[n] = p;
		rows[n++].name = kernels_peers[p].name;
	}
	printf("%s: %u packets in %u blocks\n", mix->name, packets, used);
	/* The peers in rounds of their own: their copies of the packets would put ours out of the
	 * cache. */
	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < ours; k++)
			rows[k].ns[r < 0 ? 0 : r] = how[k](&c, number[k]);
	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = ours; k < n; k++)
			rows[k].ns[r < 0 ? 0 : r] = how[k](&c, number[k]);
	bench_print(rows, n, "packet");
	for (int k = 3; k < ours; k++)
		printf("%s adds to the walk %.0f%% of what scalar adds\n",
			bpei_backends[number[k] - 1].name,
			100 * (bench_median(&rows[k]) - bench_median(&rows[1])) /
				(bench_median(&rows[2]) - bench_median(&rows[1])));
	for (int k = ours; k < n; k++)
		printf("%s: %.1f times the time of %s\n", rows[k].name,
			bench_median(&rows[k]) / bench_median(&rows[ours - 1]),
			rows[ours - 1].name);
	for (uint32_t p = 0; p < kernels_peer_count; p++)
		kernels_peers[p].end();
	bpei_columns_free(&c, BPE_BATCH);
}
