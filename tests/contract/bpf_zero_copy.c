/* SPDX-License-Identifier: MIT */
/* FreeBSD's zero-copy buffers on the scripted double.  No packet is withheld, lost without a count,
 * or delivered twice; an idle link costs no more than in the other modes. The driver takes a
 * returned buffer back at its next packet only.  A plain program. */
#include "bpf_harness.h"

#define KEPT 6 /* most blocks in use, as with workers */

static struct reader *start_zero_copy(size_t buffer_bytes, uint32_t mode)
{
	struct reader *r = start_reader(&bpei_bpf_abis[BPEI_FREEBSD]);
	struct bpe_options o = harness_options();
	r->d.model.zero_copy_enabled = true;
	o.zero_copy = true;
	o.buffer_bytes = buffer_bytes;
	o.read_mode = mode;
	EXPECT(open_it(r, o) == BPE_OK && r->device->maps_blocks);
	return r;
}

/* ---- Known traffic ---- */

/* Checks that each known packet is delivered once, in each read mode. */
static void check_zero_copy_delivery(void) BPEI_READER
{
	for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++) {
		struct reader *r = start_zero_copy(65536, mode);
		what = "zero-copy buffers, mode by mode";
		EXPECT(r->device->fd == -1 && strstr(r->device->source, "zero-copy"));
		uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 20, 64);
		n += send_traffic(r, 3 * SECOND, 1000, 3000, 64);
		read_until(r, 5 * SECOND);
		ask_stats(r);
		EXPECT(r->seen == n && !r->wrong && kernel_received(r) == n && !kernel_dropped(r) &&
			!r->d.reads);
		EXPECT(r->worst_ns <= (mode == BPE_READ_THROUGHPUT ? 61 : 11) * MS);
		if (mode == BPE_READ_LATENCY)
			EXPECT(r->worst_ns <= 2 * MS);
		finish_reader(r);
	}
}

/* Checks that thirty packets come out of a buffer for half of them, although nothing follows. */
static void check_prompt_delivery(void) BPEI_READER
{
	struct reader *r = start_zero_copy(8192, BPE_READ_AUTO);
	what = "what came while a buffer was lent comes without another packet";
	uint32_t n = send_traffic(r, 2 * SECOND, 1000, 30, 200);
	r->d.now_ns = 2 * SECOND;
	EXPECT(bpei_device_fill(r->device, &r->block, 10 * MS, &r->error) == 1);
	r->d.now_ns = 2001 * MS;
	ask_stats(r); /* the rest comes while the block is in our hands */
	EXPECT(kernel_received(r) == n);
	take_block(r);
	EXPECT(r->seen > 10 && r->seen < n);
	read_until(r, 4 * SECOND);
	ask_stats(r);
	EXPECT(r->seen == n && !r->wrong && kernel_received(r) == n && !kernel_dropped(r));
	EXPECT(r->worst_ns <= 3 * MS);
	uint32_t calls = r->d.calls;
	read_until(r, 14 * SECOND);
	what = "idle, while looked-at packets lie in the store: steps of ten milliseconds";
	EXPECT(r->d.calls - calls < 4000);
	printf("system calls in ten idle seconds with packets in the store: %u\n",
		r->d.calls - calls);
	n += send_traffic(r, 15 * SECOND, 1000, 7, 200);
	read_until(r, 16 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->worst_ns <= 12 * MS);
	finish_reader(r);
}

static void take_all_blocks(struct reader *r, struct bpei_block *block) BPEI_READER
{
	uint32_t k;
	while ((k = bpei_device_walk(r->device, block, &r->columns, BPE_BATCH)))
		check_packets(r, k);
}

static void check_full_buffers(void) BPEI_READER
{
	struct reader *r = start_zero_copy(65536, BPE_READ_AUTO);
	struct bpei_block block[KEPT];
	uint32_t n, held = 0;
	what = "both buffers in our hands: the kernel drops, and goes on when one comes back";
	r->gaps = true;
	n = send_traffic(r, 2 * SECOND, 1000, 2000, 64);
	r->d.now_ns = 2 * SECOND;
	for (int tries = 0; tries < 20 && held < KEPT; tries++)
		held += bpei_device_fill(r->device, &block[held], 2 * MS, &r->error) == 1;
	EXPECT(r->d.model.node[0].zassigned[0] && r->d.model.node[0].zassigned[1]);
	EXPECT(bpei_device_fill(r->device, &r->block, 50 * MS, &r->error) == 0);
	for (uint32_t i = 0; i < held; i++) {
		take_all_blocks(r, &block[i]);
		bpei_device_done(r->device, &block[i]);
	}
	read_until(r, 3 * SECOND);
	n += send_traffic(r, 4 * SECOND, 1000, 50, 64);
	read_until(r, 5 * SECOND);
	ask_stats(r);
	EXPECT(kernel_dropped(r) > 0 && r->seen + kernel_dropped(r) == n &&
		kernel_received(r) == n && !r->wrong);
	finish_reader(r);
}

static void check_zero_copy_end(void) BPEI_READER
{
	struct reader *r = start_zero_copy(8192, BPE_READ_AUTO);
	struct bpe_options o = harness_options();
	what = "removal: what is left is given, then it is told";
	uint32_t n = send_traffic(r, 2 * SECOND, 1000, 30, 200);
	double_at(&r->d, 2 * SECOND + 40000, DOUBLE_REMOVE);
	uint32_t calls = r->d.calls;
	read_until(r, 6 * SECOND);
	EXPECT(r->end == BPE_E_GONE && r->seen == n && !r->wrong && r->d.now_ns < 3 * SECOND);
	EXPECT(r->d.calls - calls < 100);
	finish_reader(r);

	r = start_reader(&bpei_bpf_abis[BPEI_FREEBSD]);
	what = "zero-copy and waiting for the interface do not go together";
	o.zero_copy = o.wait_interface = true;
	EXPECT(open_it(r, o) == BPE_E_ARGUMENT);
	finish_reader(r);
}

/* ---- Idle ---- */

/* Checks the system calls of ten idle seconds.  Looking each millisecond took 30,000. */
static void check_zero_copy_idle(void) BPEI_READER
{
	struct reader *r = start_zero_copy(65536, BPE_READ_AUTO);
	what = "idle, nothing ever came";
	uint32_t calls = r->d.calls;
	read_until(r, 11 * SECOND);
	EXPECT(r->d.calls - calls < 500);
	printf("system calls in ten idle seconds: %u", r->d.calls - calls);

	what = "idle, after packets that were read from a whole buffer";
	uint32_t n = send_traffic(r, 12 * SECOND, 3 * MS, 5, 64);
	read_until(r, 13 * SECOND);
	calls = r->d.calls;
	read_until(r, 23 * SECOND);
	EXPECT(r->seen == n && r->d.calls - calls < 4000);
	printf(", %u\n", r->d.calls - calls);
	finish_reader(r);
}

/* ---- Random bursts, at every system call ---- */

struct bursts {
	struct reader *reader;
	uint64_t seed;
	uint32_t sent, most, in_a_burst, quiet;
};

static uint32_t draw_size(struct bursts *b, uint32_t below)
{
	b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(b->seed >> 33) % below;
}

static uint32_t size_of(uint32_t number)
{
	return 64 + number * 2654435761u % 1400;
}

static void tap_burst(struct bpf_double *d)
{
	struct bursts *b = d->user;
	static uint8_t bytes[DOUBLE_MOST];
	if (draw_size(b, b->quiet))
		return;
	for (uint32_t k = draw_size(b, b->in_a_burst) + 1; k && b->sent < b->most; k--) {
		uint32_t number = b->sent++;
		uint32_t size = size_of(number);
		double_bytes(bytes, number, size);
		struct model_packet p = { .data = bytes,
			.caplen = size,
			.wirelen = size,
			.time_ns = d->wall_ns + d->now_ns };
		model_tap(&d->model, d->interface, &p, d->now_ns);
	}
}

/* Walks a block: packets whole, in order, none twice. */
static void check_burst(struct reader *r, struct bpei_block *block) BPEI_READER
{
	static uint8_t bytes[DOUBLE_MOST];
	for (uint32_t k; (k = bpei_device_walk(r->device, block, &r->columns, BPE_BATCH));)
		for (uint32_t i = 0; i < k; i++) {
			const uint8_t *p = r->columns.data[i];
			uint32_t number = bpei_be32(p + 42);
			uint32_t size = size_of(number);
			double_bytes(bytes, number, size);
			r->wrong += number < r->expected || r->columns.caplen[i] != size ||
				    memcmp(p, bytes, size);
			r->expected = number + 1;
			r->seen++;
		}
}

/* Reads bursts with up to `keep` blocks in hand, as many as workers might have. */
static void read_bursts(struct bursts *b, uint32_t keep) BPEI_READER
{
	struct reader *r = b->reader;
	struct bpei_block block[KEPT];
	uint32_t first = 0, held = 0;
	int64_t end = INT64_MAX;
	while (r->d.now_ns < end) {
		struct bpei_block *next = &block[(first + held) % KEPT];
		int f = bpei_device_fill(r->device, next, draw_size(b, 3) * MS, &r->error);
		EXPECT(f >= 0);
		held += f == 1;
		while (held && (held > keep || !draw_size(b, 4) || !f)) {
			check_burst(r, &block[first]);
			bpei_device_done(r->device, &block[first]);
			first = (first + 1) % KEPT;
			held--;
			if (f && draw_size(b, 2))
				break;
		}
		if (!f)
			r->d.now_ns += 1000;
		if (b->sent == b->most && end == INT64_MAX)
			end = r->d.now_ns + SECOND;
	}
	while (held--) {
		check_burst(r, &block[first]);
		bpei_device_done(r->device, &block[first]);
		first = (first + 1) % KEPT;
	}
}

static void check_random_bursts(void) BPEI_READER
{
	static const size_t sizes[] = { 4096, 8192, 12288, 16384, 65536 };
	static const uint32_t bursts[] = { 2, 9, 40 };
	uint64_t lost = 0, all = 0, torn = 0;
	what = "random bursts: read + dropped = sent, none torn, none twice";
	for (uint64_t run = 0; run < 5 * 3 * 2 * 4; run++) {
		size_t size = sizes[run % 5];
		struct reader *r = start_zero_copy(size, run / 30 % 4);
		struct bursts b = { .reader = r,
			.seed = run + 1,
			.most = 3000,
			.in_a_burst = bursts[run / 5 % 3],
			.quiet = 2 + run % 3 };
		r->d.user = &b;
		r->d.at_call = tap_burst;
		read_bursts(&b, run / 15 % 2 ? KEPT - 1 : 0);
		r->d.at_call = NULL;
		read_until(r, r->d.now_ns + MS);
		ask_stats(r);
		uint64_t lack = b.sent - r->seen - kernel_dropped(r);
		EXPECT(b.sent == b.most && kernel_received(r) == b.sent && !lack && !r->wrong);
		lost += kernel_dropped(r);
		all += b.sent;
		torn += r->wrong;
		finish_reader(r);
	}
	printf("%llu frames in random bursts, %llu dropped by the kernel, %llu wrong\n",
		(unsigned long long)all, (unsigned long long)lost, (unsigned long long)torn);
	EXPECT(lost > 0 && lost < all / 2);
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	system_name = "FreeBSD";
	check_zero_copy_delivery();
	check_prompt_delivery();
	check_full_buffers();
	check_zero_copy_end();
	check_zero_copy_idle();
	check_random_bursts();
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
