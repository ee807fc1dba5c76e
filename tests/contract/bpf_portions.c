/* SPDX-License-Identifier: MIT */
/* The part of a large buffer in use, on the scripted double.  A fast reader takes portions, so the
 * kernel fills the beginnings of the buffers only.  A late reader finds all packets up to the size
 * of the buffer: no packet is lost or comes twice.  A plain program. */
#include "bpf_harness.h"

#define LARGE (32u << 20)
#define LATE_NS (3 * MS)
/* Packets come during the read, too, so a block may be longer than a portion. */
#define SMALL (2 * BPEI_BPF_PORTION)

/* Reads until the clock reaches `until`.  Returns the length of the longest block. */
static size_t read_blocks_until(struct reader *r, int64_t until) BPEI_READER
{
	size_t longest = 0;

	while (!r->end && r->d.now_ns < until) {
		const int f =
			bpei_device_fill(r->device, &r->block, until - r->d.now_ns, &r->error);

		if (f < 0)
			r->end = f;
		if (f <= 0)
			continue;
		if (r->block.length > longest)
			longest = r->block.length;
		take_block(r);
	}
	return longest;
}

static void check_portions(const struct bpei_bpf_abi *abi, uint32_t mode) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	const int64_t start = 2 * SECOND;

	o.read_mode = mode;
	o.buffer_bytes = LARGE;
	r->d.model.buffer_most = LARGE;
	r->d.read_cost_ns = 1000;
	r->d.byte_cost_ps = 20;
	what = "small blocks while the reader keeps up, a large one after it was late";
	EXPECT(open_it(r, o) == BPE_OK && r->device->block_bytes == LARGE);
	uint32_t n = send_traffic(r, start, 2000, 7000, 8900); /* 4.5 GB/s */
	read_blocks_until(r, start + 4 * MS);
	size_t longest = read_blocks_until(r, start + 9 * MS);
	EXPECT(mode == BPE_READ_THROUGHPUT || (longest && longest <= SMALL));
	r->d.now_ns += LATE_NS;
	longest = read_blocks_until(r, start + 13 * MS);
	EXPECT(longest > LARGE / 3);
	longest = read_blocks_until(r, start + 14 * MS);
	EXPECT(longest && longest <= SMALL);
	read_blocks_until(r, start + SECOND);
	ask_stats(r);
	EXPECT(r->seen == n && !r->wrong && !kernel_dropped(r) && kernel_received(r) == n);
	finish_reader(r);
}

/* Checks the calls of an idle second of timed reads, and that a lone packet is not late. */
static void check_timed_reads(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();

	o.read_mode = BPE_READ_THROUGHPUT;
	o.buffer_bytes = LARGE;
	r->d.model.buffer_most = LARGE;
	what = "timed reads of an idle link";
	EXPECT(open_it(r, o) == BPE_OK);
	read_until(r, 2 * SECOND);
	const uint32_t calls = r->d.calls;
	read_until(r, 12 * SECOND);
	EXPECT(r->d.calls - calls <= 530);
	uint32_t n = send_traffic(r, 13 * SECOND, 300 * MS, 10, 64);
	read_until(r, 20 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns <= 51 * MS);
	finish_reader(r);
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	for (int s = 0; s < BPEI_SYSTEMS; s++) {
		system_name = bpei_bpf_abis[s].title;
		/* paced reads at the intervals that the user chose */
		for (uint32_t mode = 0; mode < BPE_READ_PACED; mode++)
			check_portions(&bpei_bpf_abis[s], mode);
		check_timed_reads(&bpei_bpf_abis[s]);
	}
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
