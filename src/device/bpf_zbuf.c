/* SPDX-License-Identifier: MIT */
/* FreeBSD's zero-copy buffers (bpf(4), "BUFFER MODES"; sys/net/bpf_zerocopy.c).
 *
 * Two buffers, filled in turn.  Each begins with a header of 32 bytes: kernel_gen, kernel_len, user_gen.  It is ours while the two
 * generations differ; storing kernel_gen in user_gen gives it back.  The kernel sees that at its next packet.
 * Not in immediate mode, where readiness would mean a part-filled buffer: the wait ends when one is full, or after a millisecond,
 * and then what there is is asked for (BIOCROTZBUF).  While one is ours the descriptor is always ready, and is not waited on.
 * Hazard: kernel_gen is acquired before the length and the records are read; user_gen is released when nobody reads them. */
#include "device/bpf.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEADER 32u
#define MODE_ZBUF 2u
#define MOST_BYTES (2u << 20)
#define ROTATE_NS 1000000

struct header { _Atomic uint32_t kernel_gen; uint32_t kernel_len; _Atomic uint32_t user_gen; uint32_t unused[5]; };
_Static_assert(sizeof(struct header) == HEADER, "struct bpf_zbuf_header");
struct request { void *a, *b; size_t length; };	/* struct bpf_zbuf */

static struct header *header_of(const struct bpei_bpf *b, uint32_t which) { return (void *)(b->zbuf.memory + which * b->zbuf.bytes); }

int bpei_zbuf_open(struct bpei_bpf *b)
{
	uint32_t mode = MODE_ZBUF;
	uint64_t most = 0, page = (uint64_t)sysconf(_SC_PAGESIZE), want = b->options.buffer_bytes ? b->options.buffer_bytes : MOST_BYTES;
	int r = bpei_bpf_call_u32(b, BPEI_BIOCSETBUFMODE, &mode);
	if (r >= 0) r = bpei_bpf_call(b, BPEI_BIOCGETZMAX, &most);
	if (r < 0) return r;
	if (want > most) want = most;
	want = want / page * page;
	if (!want) return -ENOMEM;
	b->zbuf = (struct bpei_zbuf){ .memory = bpei_mem_map(want * 2, 0), .bytes = want };
	if (!b->zbuf.memory) return -ENOMEM;
	struct request z = { b->zbuf.memory, b->zbuf.memory + want, want };
	r = bpei_bpf_call(b, BPEI_BIOCSETZBUF, &z);
	if (r < 0) bpei_zbuf_close(b);
	else b->buffer_bytes = want - HEADER;
	return r;
}

void bpei_zbuf_close(struct bpei_bpf *b)
{
	bpei_mem_unmap(b->zbuf.memory, b->zbuf.bytes * 2);
	b->zbuf = (struct bpei_zbuf){ .memory = NULL };
}

static bool ours(const struct bpei_bpf *b)
{
	struct header *h = header_of(b, b->zbuf.next);
	uint32_t kernel = atomic_load_explicit(&h->kernel_gen, memory_order_acquire);	/* pairs: kernel, bpf_zerocopy_bufheld */
	return b->zbuf.lent < 2 && kernel != atomic_load_explicit(&h->user_gen, memory_order_relaxed);
}

static bool give(struct bpei_bpf *b, struct bpei_block *block)
{
	if (!ours(b)) return false;
	struct header *h = header_of(b, b->zbuf.next);
	uint32_t length = h->kernel_len;
	if (length > b->zbuf.bytes - HEADER) length = 0, bpei_counter_add(&b->device.torn_blocks, 1);
	block->bytes = (const uint8_t *)h + HEADER;
	block->length = block->limit = length;
	block->position = 0;
	bpei_device_filled(&b->device, length, b->buffer_bytes);
	b->zbuf.next ^= 1;
	b->zbuf.lent++;
	b->busy = true;
	b->quiet_since_ns = 0;
	return true;
}

/* 1: a buffer; 0: none within the time; 2: the interface is gone. */
int bpei_zbuf_fill(struct bpei_bpf *b, struct bpei_block *block, int64_t timeout_ns)
{
	if (give(b, block)) return 1;
	if (b->leaving) return 2;
	if (timeout_ns > 0) b->sys.wait(b->sys.context, b->zbuf.lent ? -1 : b->fd, b->wake[0], 0, timeout_ns < ROTATE_NS ? timeout_ns : ROTATE_NS);
	struct request z = { NULL, NULL, 0 };
	if (!give(b, block)) {
		/* Hands the part-filled one over, if there is one; refused without an interface. */
		if (b->zbuf.lent < 2 && bpei_bpf_call(b, BPEI_BIOCROTZBUF, &z) < 0 && !bpei_bpf_is_there(b)) return 2;
		if (!give(b, block)) {
			if (!b->quiet_since_ns) b->quiet_since_ns = b->sys.now(b->sys.context);
			bpei_counter_add(&b->device.empty_reads, 1);
			return 0;
		}
	}
	return 1;
}

void bpei_zbuf_done(struct bpei_bpf *b)
{
	/* Blocks come back in order: the oldest is ours since lent buffers ago. */
	struct header *h = header_of(b, (b->zbuf.next + b->zbuf.lent) & 1);
	b->zbuf.lent--;
	atomic_store_explicit(&h->user_gen, atomic_load_explicit(&h->kernel_gen, memory_order_relaxed), memory_order_release);	/* pairs: kernel, bpf_zerocopy_canfreebuf */
}
