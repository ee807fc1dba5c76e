/* SPDX-License-Identifier: MIT */
/* Measures the cost of a packet from read() to the walked batch on a BPF device.  The device's read
 * copies a full buffer and does nothing else.  For each buffer length and frame size, in one run:
 *   memcpy         the same bytes copied, never read.
 *   bare walk      the records of a buffer in memory.
 *   fill + walk    the device as the engine drives a device, with the read's copy (throughput and
 * auto mode).
 *   ... no copy    fill + walk with a read without copy: the cost behind the copy.
 * The device is the scripted double's; only the read is replaced.  No packets are parsed.  Blocks
 * rotate as in the engine. */
#include "bench.h"
#include "records/batch.h"
#include "bpf_double.h"
#include "device/bpf.h"

#include "base/bytes.h"

#include <string.h>
#include <sys/types.h>

#define BYTES_A_ROUND (64u << 20)
#define BLOCKS 2

static struct bpf_double twin;
static uint8_t *kernel;
static size_t kernel_length, size;
static bool copies;

static ssize_t read_full_buffer(void *context, int fd, void *buffer, size_t bytes)
{
	(void)context, (void)fd;
	if (bytes != size)
		abort();
	if (copies)
		memcpy(buffer, kernel, kernel_length);
	return (ssize_t)kernel_length;
}

static int wait_nothing(void *context, struct bpei_bpf_waiter *waiter, int fd, int wake,
	size_t low_water, int64_t timeout_ns)
{
	(void)context, (void)waiter, (void)fd, (void)wake, (void)low_water, (void)timeout_ns;
	return 0;
}

static uint32_t make_records(uint32_t frame)
{
	uint32_t n = 0;
	size_t at = 0;
	while (at + 18 + frame <= size) {
		memset(kernel + at, 0, 20);
		bpei_store32(kernel + at, 1700000000);
		bpei_store32(kernel + at + 8, frame);
		bpei_store32(kernel + at + 12, frame);
		bpei_store16(kernel + at + 16, 18);
		double_bytes(kernel + at + 18, n++, frame);
		kernel_length = at + 18 + frame;
		at = (kernel_length + 3) & ~(size_t)3;
	}
	return n;
}

static struct bpei_device *open_double_device(uint32_t mode)
{
	struct bpe_options o;
	struct bpe_error e;
	struct bpei_device *d;
	bpe_options_init(&o);
	o.interface_name = "bpf:en0";
	o.bpf_abi = "macos";
	o.buffer_bytes = size;
	o.read_mode = mode;
	double_init(&twin, &bpei_bpf_abis[BPEI_MACOS]);
	struct bpei_bpf_sys sys = twin.sys;
	if (bpei_bpf_open_with(&sys, &o, &d, &e) < 0)
		exit(1);
	bpei_bpf_of(d)->sys.read = read_full_buffer;
	bpei_bpf_of(d)->sys.wait = wait_nothing;
	bpei_bpf_of(d)->sys.now = bpei_bpf_sys_real.now;
	return d;
}

static double device_round(struct bpei_device *d, struct bpei_block *blocks, struct bpei_columns *c,
	uint64_t reads) BPEI_READER
{
	uint64_t packets = 0;
	int64_t start = bpei_clock_mono_ns();
	for (uint64_t r = 0; r < reads; r++) {
		struct bpei_block *b = &blocks[r % BLOCKS];
		while (bpei_device_fill(d, b, 1000000000, NULL) != 1)
			continue;
		for (uint32_t n; (n = bpei_device_walk(d, b, c, BPE_BATCH)); packets += n)
			bench_keep((uint64_t)(uintptr_t)c->data[n - 1]);
		bpei_device_done(d, b);
	}
	return (double)(bpei_clock_mono_ns() - start) / (double)packets;
}

static double walk_round(const struct bpei_bpf_walk *how, struct bpei_block *blocks,
	struct bpei_columns *c, uint64_t reads)
{
	uint64_t packets = 0;
	int64_t start = bpei_clock_mono_ns();
	for (uint64_t r = 0; r < reads; r++) {
		struct bpei_block b = { .bytes = blocks[r % BLOCKS].memory,
			.length = kernel_length,
			.stop_offset = kernel_length };
		for (uint32_t n; (n = bpei_walk_bpf(how, &b, c, BPE_BATCH)); packets += n)
			bench_keep((uint64_t)(uintptr_t)c->data[n - 1]);
	}
	return (double)(bpei_clock_mono_ns() - start) / (double)packets;
}

static double copy_round(struct bpei_block *blocks, uint64_t reads, uint32_t records)
{
	int64_t start = bpei_clock_mono_ns();
	for (uint64_t r = 0; r < reads; r++) {
		memcpy(blocks[r % BLOCKS].memory, kernel, kernel_length);
		bench_keep((uint64_t)(uintptr_t)blocks[r % BLOCKS].memory);
	}
	return (double)(bpei_clock_mono_ns() - start) / (double)(reads * records);
}

static void measure_buffer(size_t buffer, uint32_t frame) BPEI_READER
{
	struct bench_row row[] = { { "memcpy of the same bytes", { 0 } }, { "bare walk", { 0 } },
		{ "fill + walk, throughput", { 0 } }, { "fill + walk, auto", { 0 } },
		{ "fill + walk, throughput, no copy", { 0 } },
		{ "fill + walk, auto, no copy", { 0 } } };
	struct bpei_columns c;
	struct bpei_block blocks[BLOCKS];
	memset(blocks, 0, sizeof blocks);
	bpei_counter torn = { 0 };
	size = buffer;
	kernel = malloc(size);
	if (!kernel || bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(1);
	uint32_t records = make_records(frame);
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i].memory_bytes = size;
		blocks[i].memory = malloc(size);
		if (!blocks[i].memory)
			exit(1);
		memcpy(blocks[i].memory, kernel, kernel_length);
	}
	struct bpei_device *d[2] = { open_double_device(BPE_READ_THROUGHPUT),
		open_double_device(BPE_READ_AUTO) };
	struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 1,
		.snaplen = 262144,
		.plain = true,
		.torn_blocks = &torn };
	uint64_t reads = BYTES_A_ROUND / kernel_length + 1;
	for (int r = 0; r < BENCH_ROUNDS; r++) {
		row[0].ns[r] = copy_round(blocks, reads, records);
		row[1].ns[r] = walk_round(&how, blocks, &c, reads);
		for (int k = 0; k < 4; k++) {
			copies = k < 2;
			row[2 + k].ns[r] = device_round(d[k & 1], blocks, &c, reads);
		}
	}
	double m[6];
	for (int k = 0; k < 6; k++)
		m[k] = bench_median(&row[k]);
	printf("%8zu KiB %6u B  %8.2f %8.2f %10.2f %8.2f %12.2f %8.2f %11.2f\n", buffer >> 10,
		frame, m[0], m[1], m[2], m[3], m[4], m[5], m[5] / m[1]);
	for (int k = 0; k < 2; k++)
		bpei_device_close(d[k]);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i].memory);
	bpei_columns_free(&c, BPE_BATCH);
	free(kernel);
}

int main(void)
{
	static const size_t buffers[] = { 4096, 32768, 262144, 1 << 20, 4 << 20, 32 << 20 };
	static const uint32_t frames[] = { 64, 512, 1500 };
	bpei_role_enter(&bpei_reader_role);
	printf("ns a packet, medians of %d rounds in turn\n%12s %8s  %8s %8s %10s %8s %12s %8s %11s\n",
		BENCH_ROUNDS, "buffer", "frame", "memcpy", "walk", "throughput", "auto",
		"no copy: thr", "auto", "auto/walk");
	for (size_t b = 0; b < sizeof buffers / sizeof *buffers; b++)
		for (size_t f = 0; f < sizeof frames / sizeof *frames; f++)
			measure_buffer(buffers[b], frames[f]);
	bpei_role_leave(&bpei_reader_role);
	return 0;
}
