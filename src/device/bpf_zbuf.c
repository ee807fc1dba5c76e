/* SPDX-License-Identifier: MIT */
/* FreeBSD's zero-copy buffers (bpf(4), "BUFFER MODES"; sys/net/bpf_zerocopy.c).
 *
 * The two buffers are filled in turn.  Each begins with a header of 32 bytes: kernel_gen,
 * kernel_len, user_gen.  It is ours while the two generations differ; storing kernel_gen in
 * user_gen gives it back.  The kernel notices that at its next packet, and at no other time.  Until
 * then its hold slot is taken, and BIOCROTZBUF hands nothing over: what came while a buffer was
 * ours would lie in the other one until a packet follows, or for ever.  So the reader looks ahead
 * into the buffer that is still filled.
 *
 * Looking ahead.  FIONREAD tells the bytes in both buffers.  If BIOCROTZBUF after it hands nothing
 * over, the other buffer held the slot at both times, and its kernel_len is its share.  The rest is
 * the length of whole records in the filled buffer, since the kernel stores a record and its length
 * under one lock.  They are given as a block, and skipped when the kernel hands the buffer over.
 * In the other order BIOCROTZBUF could come before a packet and FIONREAD behind it.
 * Hazard: with both buffers full the filled one is the other one, and the rest is the length of old
 * records.  So giving a buffer back makes its first record void, and a look asks for that record
 * before FIONREAD: if it is there, the kernel fills this buffer.  A void one means that nothing is
 * in it, so an idle look makes no system call.
 *
 * Waiting.  The descriptor is ready when a buffer is full, or a tick after the first packet
 * (BIOCSRTIMEOUT).  It is ready all the time while a buffer is ours, and while records that were
 * looked at lie in the store: then the wait is a sleep, which grows while nothing comes.
 * Order: kernel_gen is acquired before the length and the records are read; user_gen is released
 * when nobody reads them. */
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
#define STEP_MOST_NS 10000000 /* ... at an idle one that cannot be waited on */

struct header {
	_Atomic uint32_t kernel_gen;
	uint32_t kernel_len;
	_Atomic uint32_t user_gen;
	uint32_t unused[5];
};
_Static_assert(sizeof(struct header) == HEADER, "struct bpf_zbuf_header");
struct request {
	void *a, *b;
	size_t length;
}; /* struct bpf_zbuf */

static struct header *header_of(const struct bpei_bpf *b, uint32_t which)
{
	return (void *)(b->zbuf.memory + which * b->zbuf.bytes);
}

/* ---- Open and close ---- */

int bpei_zbuf_open(struct bpei_bpf *b)
{
	uint32_t mode = MODE_ZBUF;
	uint64_t most = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
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
	struct request z = { b->zbuf.memory, b->zbuf.memory + want, want };
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

/* Lends bytes [from, to) of the next buffer; whole: the last of it. */
static void lend(
	struct bpei_bpf *b, struct bpei_block *block, uint32_t from, uint32_t to, bool whole)
{
	struct bpei_zbuf *z = &b->zbuf;
	block->bytes = (const uint8_t *)header_of(b, z->next) + HEADER + from;
	block->length = block->stop_offset = to - from;
	block->position = 0;
	bpei_device_filled(&b->device, to - from, whole ? b->buffer_bytes : 0);
	z->whole[(z->first + z->lent++) % BPEI_ZBUF_BLOCKS] = whole;
	z->idle_ns = 0;
	b->busy = true;
	b->quiet_since_ns = 0;
}

/* Where the first record begins that was not given. */
static uint32_t skip(const struct bpei_bpf *b)
{
	return bpei_layout_align(b->zbuf.looked, b->walk.layout->align);
}

static bool is_ours(const struct bpei_bpf *b)
{
	struct header *h = header_of(b, b->zbuf.next);
	/* pairs: kernel, bpf_zerocopy_bufheld */
	uint32_t kernel = atomic_load_explicit(&h->kernel_gen, memory_order_acquire);
	uint32_t user = atomic_load_explicit(&h->user_gen, memory_order_relaxed);
	return b->zbuf.ours < 2 && kernel != user;
}

/* Gives the next buffer, if the kernel has handed it over.  What was looked at is left out, and
 * nothing may be left. */
static bool give(struct bpei_bpf *b, struct bpei_block *block)
{
	if (!is_ours(b))
		return false;
	uint32_t length = header_of(b, b->zbuf.next)->kernel_len, from = skip(b);
	if (length > b->zbuf.bytes - HEADER) {
		length = 0;
		bpei_counter_add(&b->device.torn_blocks, 1);
	}
	lend(b, block, from < length ? from : length, length, true);
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
	struct header *h = header_of(b, (z->next + z->ours) & 1);
	uint32_t kernel = atomic_load_explicit(&h->kernel_gen, memory_order_relaxed);
	z->ours--;
	memset(h + 1, 0, HEADER); /* its first record is void */
	/* pairs: kernel, bpf_zerocopy_canfreebuf */
	atomic_store_explicit(&h->user_gen, kernel, memory_order_release);
}

/* ---- Looking ahead ---- */

/* Whether the kernel has stored a record in the next buffer since that was given back. */
static bool is_begun(const struct bpei_bpf *b)
{
	const uint8_t *record = (const uint8_t *)(header_of(b, b->zbuf.next) + 1);
	return bpei_load16(record + b->walk.layout->hdrlen);
}

/* Has the kernel hand over what there is, or looks at it where it lies: 1: a block; 0: none; or
 * -errno. */
static int look(struct bpei_bpf *b, struct bpei_block *block)
{
	struct bpei_zbuf *z = &b->zbuf;
	struct request request = { NULL, NULL, 0 };
	uint32_t stored = 0;
	if (z->ours == 2 || z->lent == BPEI_ZBUF_BLOCKS || !is_begun(b))
		return 0;
	int r = bpei_bpf_call_u32(b, BPEI_FIONREAD, &stored);
	if (r >= 0)
		r = bpei_bpf_call(b, BPEI_BIOCROTZBUF, &request);
	if (give(b, block))
		return 1;
	if (r < 0)
		return r;
	uint32_t held = header_of(b, z->next ^ 1)->kernel_len, from = skip(b);
	uint32_t length = stored > held ? stored - held : 0;
	if (length <= from || length > z->bytes - HEADER)
		return 0;
	lend(b, block, from, length, false);
	z->looked = length;
	return 1;
}

/* ---- Waiting ---- */

/* Waits for the next look: until a buffer is full, a tick after a packet, or a step.  Returns the
 * events. */
static int wait_for_it(struct bpei_bpf *b, int64_t timeout_ns)
{
	struct bpei_zbuf *z = &b->zbuf;
	const bool latency = b->options.read_mode == BPE_READ_LATENCY;
	int64_t step = b->busy || latency || z->ours ? STEP_NS : z->idle_ns;
	if (step < STEP_NS)
		step = STEP_NS;
	/* With records that were looked at the time-out is over soon, immediate mode ready at once.
	 */
	bool waits = !z->ours && !z->spins && !(z->looked && (latency || step > STEP_NS));
	z->idle_ns = step < STEP_MOST_NS / 2 ? step * 2 : STEP_MOST_NS;
	z->spins = false;
	/* Else the kernel tells when there is something. */
	bool told =
		b->options.read_mode == BPE_READ_THROUGHPUT ? !z->looked : !b->busy && !is_begun(b);
	if (waits && told)
		step = timeout_ns;
	if (step > timeout_ns)
		step = timeout_ns;
	return b->sys.wait(b->sys.context, &b->waiter, waits ? b->fd : -1, b->wake[0], 0, step);
}

int bpei_zbuf_fill(struct bpei_bpf *b, struct bpei_block *block, int64_t timeout_ns, int *events)
{
	if (give(b, block))
		return 1;
	if (timeout_ns > 0 && !b->leaving)
		*events = wait_for_it(b, timeout_ns);
	else
		*events = b->sys.wait(b->sys.context, &b->waiter, -1, b->wake[0], 0, 0);
	if (give(b, block))
		return 1;
	int r = look(b, block);
	if (r > 0)
		return 1;
	bpei_counter_add(&b->device.empty_reads, 1);
	b->busy = false;
	if (!b->quiet_since_ns)
		b->quiet_since_ns = b->sys.now(b->sys.context);
	if (b->leaving)
		return 2;
	/* Ready, and nothing there: it is so where the interface is gone (bpfpoll). */
	b->zbuf.spins = *events > 0 && *events & BPEI_WAIT_DEVICE;
	if ((r < 0 || b->zbuf.spins) && !bpei_bpf_is_there(b))
		b->leaving = true;
	return 0;
}
