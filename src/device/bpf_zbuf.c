/* SPDX-License-Identifier: MIT */
/* FreeBSD's zero-copy buffers (bpf(4), "BUFFER MODES"; sys/net/bpf_zerocopy.c).
 *
 * The kernel fills the two buffers in turn.  Each begins with a header of 32 bytes: kernel_gen,
 * kernel_len, user_gen.  A buffer is ours while the two generations differ; storing kernel_gen in
 * user_gen releases the buffer.  The kernel notices the release at the next packet, and at no other
 * time.  Until then the hold slot is taken, and BIOCROTZBUF hands nothing over.  Packets which came
 * while a buffer was ours would lie in the other buffer until a packet follows, or for ever.  So
 * the reader looks ahead into the buffer which the kernel still fills.
 *
 * Looking ahead.  FIONREAD tells the bytes in both buffers.  If a following BIOCROTZBUF hands
 * nothing over, the other buffer held the slot at both times, and accounts for kernel_len bytes.
 * The rest is the length of whole records in the filled buffer, since the kernel stores a record
 * and the length under the same lock.  The records are lent as a block, and skipped when the kernel
 * hands the buffer over.  In the other order BIOCROTZBUF could come before a packet and FIONREAD
 * behind the packet.
 * Hazard: with both buffers full the other buffer is the filled buffer, and the rest is the length
 * of old records.  So releasing a buffer makes the first record void, and looking ahead checks for
 * this record before FIONREAD.  A valid record shows that the kernel fills this buffer.  A void
 * record means an empty buffer, so looking at an idle link makes no system call.
 *
 * Waiting.  The descriptor is ready when a buffer is full, or a tick after the first packet
 * (BIOCSRTIMEOUT).  The descriptor is also ready as long as a buffer is ours, and while records
 * which were looked at lie in the store.  Then the wait is a sleep, which grows while nothing
 * comes. Order: kernel_gen is acquired before the length and the records are read; user_gen is
 * released when nobody reads the buffer. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEADER 32u
#define MODE_ZBUF 2u
#define MOST_BYTES (2u << 20)
#define STEP_NS 1000000       /* between two looks at a busy link */
#define STEP_MOST_NS 10000000 /* ... at an idle link without readiness */

/* struct bpf_zbuf_header */
struct zbuf_header {
	_Atomic uint32_t kernel_gen;
	uint32_t kernel_len;
	_Atomic uint32_t user_gen;
	uint32_t unused[5];
};
_Static_assert(sizeof(struct zbuf_header) == HEADER, "struct bpf_zbuf_header");

/* struct bpf_zbuf */
struct zbuf_request {
	void *a, *b;
	size_t length;
};

static struct zbuf_header *zbuf_header_of(const struct bpei_bpf *b, uint32_t which)
{
	return (void *)(b->zbuf.memory + which * b->zbuf.bytes);
}

/* ---- Open and close ---- */

/* Maps and registers the buffers. */
int bpei_zbuf_open(struct bpei_bpf *b)
{
	uint32_t mode = MODE_ZBUF;
	uint64_t most = 0;
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t want = b->options.buffer_bytes ? b->options.buffer_bytes : MOST_BYTES;
	int r = bpei_bpf_call_u32(b, BPEI_BIOCSETBUFMODE, &mode);
	if (r >= 0)
		r = bpei_bpf_call(b, BPEI_BIOCGETZMAX, &most);
	if (r < 0)
		return r;
	if (want > most)
		want = most;
	want = want / page * page;
	if (!want)
		return -ENOMEM;
	b->zbuf = (struct bpei_zbuf){ .memory = bpei_mem_map(want * 2, 0), .bytes = want };
	if (!b->zbuf.memory)
		return -ENOMEM;
	struct zbuf_request z = { b->zbuf.memory, b->zbuf.memory + want, want };
	r = bpei_bpf_call(b, BPEI_BIOCSETZBUF, &z);
	if (r < 0)
		bpei_zbuf_close(b);
	else
		b->buffer_bytes = want - HEADER;
	return r;
}

void bpei_zbuf_close(struct bpei_bpf *b)
{
	bpei_mem_unmap(b->zbuf.memory, b->zbuf.bytes * 2);
	b->zbuf = (struct bpei_zbuf){ .memory = NULL };
}

/* ---- Blocks ---- */

/* Lends bytes [from, to) of the next buffer as a block; whole: the buffer's last part. */
static void lend_bytes(
	struct bpei_bpf *b, struct bpei_block *block, uint32_t from, uint32_t to, bool whole)
{
	struct bpei_zbuf *z = &b->zbuf;
	block->bytes = (const uint8_t *)zbuf_header_of(b, z->next) + HEADER + from;
	block->length = to - from;
	block->stop_offset = to - from;
	block->position = 0;
	bpei_device_filled(&b->device, to - from, whole ? b->buffer_bytes : 0);
	z->whole[(z->first + z->lent++) % BPEI_ZBUF_BLOCKS] = whole;
	z->idle_ns = 0;
	b->busy = true;
	b->quiet_since_ns = 0;
}

/* Returns the offset of the first record which was not lent yet. */
static uint32_t next_offset(const struct bpei_bpf *b)
{
	return bpei_layout_align(b->zbuf.looked, b->walk.layout->align);
}

/* Returns true if the kernel has handed the next buffer over. */
static bool is_handed_over(const struct bpei_bpf *b)
{
	struct zbuf_header *h = zbuf_header_of(b, b->zbuf.next);
	/* pairs: kernel, bpf_zerocopy_bufheld */
	uint32_t kernel = atomic_load_explicit(&h->kernel_gen, memory_order_acquire);
	uint32_t user = atomic_load_explicit(&h->user_gen, memory_order_relaxed);
	return b->zbuf.ours < 2 && kernel != user;
}

/* Lends the next buffer, if the kernel has handed the buffer over, without the records lent before.
 * The block may be empty. */
static bool lend_buffer(struct bpei_bpf *b, struct bpei_block *block)
{
	if (!is_handed_over(b))
		return false;
	uint32_t length = zbuf_header_of(b, b->zbuf.next)->kernel_len;
	const uint32_t from = next_offset(b);
	if (length > b->zbuf.bytes - HEADER) {
		length = 0;
		bpei_counter_add(&b->device.torn_blocks, 1);
	}
	lend_bytes(b, block, from < length ? from : length, length, true);
	b->zbuf.looked = 0;
	b->zbuf.next ^= 1;
	b->zbuf.ours++;
	return true;
}

void bpei_zbuf_done(struct bpei_bpf *b)
{
	struct bpei_zbuf *z = &b->zbuf;
	bool whole = z->whole[z->first];
	z->first = (z->first + 1) % BPEI_ZBUF_BLOCKS;
	z->lent--;
	if (!whole)
		return;
	/* Blocks come back in order: the oldest buffer is ours since `ours` buffers ago. */
	struct zbuf_header *h = zbuf_header_of(b, (z->next + z->ours) & 1);
	uint32_t kernel = atomic_load_explicit(&h->kernel_gen, memory_order_relaxed);
	z->ours--;
	memset(h + 1, 0, HEADER); /* makes the first record void */
	/* pairs: kernel, bpf_zerocopy_canfreebuf */
	atomic_store_explicit(&h->user_gen, kernel, memory_order_release);
}

/* ---- Looking ahead ---- */

/* Returns true if the kernel has stored a record in the next buffer since the release. */
static bool is_begun(const struct bpei_bpf *b)
{
	const uint8_t *record = (const uint8_t *)(zbuf_header_of(b, b->zbuf.next) + 1);
	return bpei_load16(record + b->walk.layout->hdrlen);
}

/* Makes the kernel hand the next buffer over, or looks ahead into the buffer.  Returns 1: a block;
 * 0: none; or -errno. */
static int look_ahead_zbuf(struct bpei_bpf *b, struct bpei_block *block)
{
	struct bpei_zbuf *z = &b->zbuf;
	struct zbuf_request request = { NULL, NULL, 0 };
	uint32_t stored = 0;
	if (z->ours == 2 || z->lent == BPEI_ZBUF_BLOCKS || !is_begun(b))
		return 0;
	int r = bpei_bpf_call_u32(b, BPEI_FIONREAD, &stored);
	if (r >= 0)
		r = bpei_bpf_call(b, BPEI_BIOCROTZBUF, &request);
	if (lend_buffer(b, block))
		return 1;
	if (r < 0)
		return r;
	const uint32_t held = zbuf_header_of(b, z->next ^ 1)->kernel_len;
	const uint32_t from = next_offset(b);
	uint32_t length = stored > held ? stored - held : 0;
	if (length <= from || length > z->bytes - HEADER)
		return 0;
	lend_bytes(b, block, from, length, false);
	z->looked = length;
	return 1;
}

/* ---- Waiting ---- */

/* Waits until the next look: for a full buffer, a tick after a packet, or a step.  Returns
 * BPEI_WAIT_*. */
static int wait_zbuf(struct bpei_bpf *b, int64_t timeout_ns)
{
	struct bpei_zbuf *z = &b->zbuf;
	const bool latency = b->options.read_mode == BPE_READ_LATENCY;
	int64_t step = b->busy || latency || z->ours ? STEP_NS : z->idle_ns;
	if (step < STEP_NS)
		step = STEP_NS;
	/* With records which were looked at the time-out ends soon, and immediate mode is ready at
	 * once. */
	bool waits = !z->ours && !z->spins && !(z->looked && (latency || step > STEP_NS));
	z->idle_ns = step < STEP_MOST_NS / 2 ? step * 2 : STEP_MOST_NS;
	z->spins = false;
	/* Readiness will report the next packet: no step is needed. */
	bool reported = !b->busy && !is_begun(b);
	if (b->options.read_mode == BPE_READ_THROUGHPUT)
		reported = !z->looked;
	if (step > timeout_ns || (waits && reported))
		step = timeout_ns;
	return b->sys.wait(b->sys.context, &b->waiter, waits ? b->fd : -1, b->wake[0], 0, step);
}

int bpei_zbuf_fill(struct bpei_bpf *b, struct bpei_block *block, int64_t timeout_ns, int *events)
{
	if (lend_buffer(b, block))
		return 1;
	if (timeout_ns > 0 && !b->leaving)
		*events = wait_zbuf(b, timeout_ns);
	else
		*events = b->sys.wait(b->sys.context, &b->waiter, -1, b->wake[0], 0, 0);
	if (lend_buffer(b, block))
		return 1;
	int r = look_ahead_zbuf(b, block);
	if (r > 0)
		return 1;
	bpei_counter_add(&b->device.empty_reads, 1);
	b->busy = false;
	if (!b->quiet_since_ns)
		b->quiet_since_ns = b->sys.now(b->sys.context);
	if (b->leaving)
		return 2;
	/* Ready without data: the interface may be gone (bpfpoll). */
	b->zbuf.spins = *events > 0 && *events & BPEI_WAIT_DEVICE;
	if ((r < 0 || b->zbuf.spins) && !bpei_bpf_is_there(b))
		b->leaving = true;
	return 0;
}
