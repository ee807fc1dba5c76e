/* SPDX-License-Identifier: MIT */
/* Measures the cost of a BPF buffer's size, and of the bytes between two reads.  A driver copies
 * each packet into the store buffer, then swaps store and hold buffer.  A read copies the hold
 * buffer to the reader's block, and the block is walked.  The drivers of all four systems fill a
 * buffer from the beginning.  So a large buffer touches no more memory than a small buffer if reads
 * come early. One thread, macOS's records. */
#include "bench.h"
#include "records/batch.h"
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <string.h>

#define BYTES_A_ROUND ((size_t)96 << 20)
#define FRAMES 64u /* different packets, in the driver's own memory */
#define MOST_FRAME 1500u
#define RECORD_HEAD 18u

static const struct {
	size_t buffer, between; /* bytes of the buffer, and between two reads; 0: full buffers */
} cases[] = { { 512u << 10, 0 }, { 4u << 20, 0 }, { 32u << 20, 0 }, { 32u << 20, 128u << 10 },
	{ 32u << 20, 256u << 10 }, { 32u << 20, 512u << 10 }, { 32u << 20, 1u << 20 },
	{ 32u << 20, 4u << 20 } };
enum { CASES = sizeof cases / sizeof *cases };

static uint8_t *store, *hold, *block_memory;
static uint8_t packets[FRAMES][MOST_FRAME];
static struct bpei_columns columns;
static bpei_counter torn;

/* Copies packets into the store buffer until `bytes` are there.  Returns the bytes. */
static size_t tap_packets(size_t bytes, uint32_t frame, uint64_t *count)
{
	size_t length = 0;

	for (;;) {
		const size_t at = (length + 3) & ~(size_t)3;

		if (at + RECORD_HEAD + frame > bytes)
			return length;
		bpei_store32(store + at, 1700000000);
		bpei_store32(store + at + 4, (uint32_t)*count & 0xffff);
		bpei_store32(store + at + 8, frame);
		bpei_store32(store + at + 12, frame);
		bpei_store16(store + at + 16, RECORD_HEAD);
		memcpy(store + at + RECORD_HEAD, packets[*count % FRAMES], frame);
		length = at + RECORD_HEAD + frame;
		(*count)++;
	}
}

/* Fills, reads and walks.  Returns nanoseconds a packet. */
static double run_buffer(int k, uint32_t frame)
{
	const struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 1,
		.snaplen = 262144,
		.plain = true,
		.torn_blocks = &torn };
	const size_t bytes = cases[k].between ? cases[k].between : cases[k].buffer;
	uint64_t count = 0;
	const int64_t start = bpei_clock_mono_ns();

	for (size_t done = 0; done < BYTES_A_ROUND; done += bytes) {
		const size_t length = tap_packets(bytes, frame, &count);
		uint8_t *full = store;

		store = hold;
		hold = full;
		memcpy(block_memory, hold, length);
		struct bpei_block b = {
			.bytes = block_memory, .length = length, .stop_offset = length
		};
		for (uint32_t n; (n = bpei_walk_bpf(&how, &b, &columns, BPE_BATCH));)
			bench_keep((uint64_t)(uintptr_t)columns.data[n - 1]);
	}
	return (double)(bpei_clock_mono_ns() - start) / (double)count;
}

static void measure_frames(uint32_t frame)
{
	struct bench_row row[CASES] = { { .name = NULL } };
	char name[CASES][96];

	for (int r = 0; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < CASES; k++)
			row[k].ns[r] = run_buffer(k, frame);
	for (int k = 0; k < CASES; k++) {
		const size_t bytes = cases[k].between ? cases[k].between : cases[k].buffer;

		snprintf(name[k], sizeof name[k], "%4u bytes, buffer %5zu KiB, read at %5zu KiB",
			frame, cases[k].buffer >> 10, bytes >> 10);
		row[k].name = name[k];
	}
	bench_print(row, CASES, "packet");
}

int main(void)
{
	static const uint32_t frames[] = { 64, 512, 1500 };
	const size_t most = 32u << 20;

	store = bpei_mem_map(most, 0);
	hold = bpei_mem_map(most, 0);
	block_memory = bpei_mem_map(most, 1);
	if (!store || !hold || !block_memory || bpei_columns_new(&columns, BPE_BATCH) < 0)
		return 1;
	for (uint32_t i = 0; i < FRAMES; i++)
		memset(packets[i], (int)i, MOST_FRAME);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		measure_frames(frames[i]);
	bpei_columns_free(&columns, BPE_BATCH);
	return 0;
}
