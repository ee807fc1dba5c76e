/* SPDX-License-Identifier: MIT */
/* Waiting and reading.
 *
 * Modes.  throughput: a blocking read, which returns a full buffer, or what there is when the read
 * time-out passes.  The others read without blocking: latency waits for readiness, which
 * BIOCIMMEDIATE makes each packet; paced looks every so often, so that the kernel wakes nobody, and
 * again at once when it found more than half a buffer; auto waits like latency while nothing comes,
 * and paces itself while something does: not more than 1 ms from one read to the next, less where
 * half a buffer comes sooner.  Nothing is switched in the kernel when auto changes its gait, so
 * nothing can be lost by it. Every round begins with a read: no request stands between readiness
 * and read, for on macOS, FreeBSD and NetBSD any ioctl takes readiness back (bpfioctl, BPF_IDLE).
 * Removal.  macOS: ENXIO, and a blocking read gets it although packets are left: one more read
 * without blocking brings them. FreeBSD: ENXIO; OpenBSD: EIO, then ENXIO; NetBSD and a macOS poll
 * say nothing: after a second without packets the interface is asked for.  What is left is given,
 * then the end is told, or with wait_interface waited out. A read of 0 bytes is a time-out
 * (OpenBSD: also "nothing there"), never an end. */
#include "device/bpf.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MOST_NS                                                                               \
	100000000 /* a wait that nothing ends: the read that follows tells whether the interface   \
		     is there */
#define QUIET_NS 1000000000
#define COME_BACK_NS 200000000
#define SPLIT_BYTES 983040u
#define SPIN_NS 1000000 /* readiness without data, again and again */

enum { NOTHING = 0, PACKETS = 1, GONE = 2 };

static void block_is(struct bpei_block *block, const uint8_t *bytes, size_t length)
{
	block->bytes = bytes;
	block->length = block->stop_offset = length;
	block->position = 0;
}

/* Makes packets whole again that the kernel sent without their first bytes.  A buffer that cannot
 * be is torn, and lost. */
static bool inflate(struct bpei_bpf *b, struct bpei_block *block, size_t n)
{
	uint32_t at =
		b->fills %
		BPEI_BPF_BLOCKS; /* blocks come back in order: this one's memory is free again */
	size_t size = bpei_inflate_size(block->memory, n), made = BPEI_INFLATE_FAILED;
	if (size != BPEI_INFLATE_FAILED && size > b->inflated[at].bytes) {
		bpei_mem_unmap(b->inflated[at].memory, b->inflated[at].bytes);
		b->inflated[at].bytes = size < b->buffer_bytes * 2 ? b->buffer_bytes * 2 : size;
		b->inflated[at].memory = bpei_mem_map(b->inflated[at].bytes, 1);
		if (!b->inflated[at].memory)
			b->inflated[at].bytes = 0;
	}
	if (b->inflated[at].memory && size <= b->inflated[at].bytes)
		made = bpei_inflate(
			&b->chain, block->memory, n, b->inflated[at].memory, b->inflated[at].bytes);
	if (made == BPEI_INFLATE_FAILED) {
		bpei_counter_add(&b->device.torn_blocks, 1);
		bpei_bpf_call(b, BPEI_BIOCFLUSH, NULL); /* the kernel begins anew, and so do we */
		b->last_received = b->last_dropped = b->last_accepted = 0;
		b->chain.length = 0;
		return false;
	}
	block_is(block, b->inflated[at].memory, made);
	b->fills++;
	return true;
}

/* The next look is due when half a buffer will have come at the rate of the last one, and not later
 * than a millisecond: looks sooner than that would cost more than they bring, later ones would risk
 * a full buffer.  More than half found: the next look is now. */
static void set_pace(struct bpei_bpf *b, size_t n, int64_t since_ns)
{
	b->much = n > b->buffer_bytes / 2;
	if (since_ns > 1000000000)
		since_ns = 1000000000;
	b->pace_ns = (int64_t)((uint64_t)(b->buffer_bytes / 2) * (uint64_t)since_ns / n);
	if (b->pace_ns > BPEI_PACE_MOST_NS)
		b->pace_ns = BPEI_PACE_MOST_NS;
}

/* One read, begun at `now`: PACKETS, NOTHING, GONE, or a negative errno.  The clock is not asked
 * again: with small buffers of large packets that would cost more than walking them. */
static int take(struct bpei_bpf *b, struct bpei_block *block, int64_t now)
{
	ssize_t n = b->sys.read(b->sys.context, b->fd, block->memory, b->buffer_bytes);
	if (n > 0 && (size_t)n <= b->buffer_bytes) {
		bpei_device_filter_count_fill(&b->device);
		b->busy = b->has_read = true;
		b->quiet_since_ns = 0;
		set_pace(b, (size_t)n, now - b->last_read_ns);
		b->last_read_ns = now;
		bpei_device_filled(&b->device, (uint64_t)n, b->buffer_bytes);
		if (b->inflates)
			return inflate(b, block, (size_t)n) ? PACKETS : NOTHING;
		block_is(block, block->memory, (size_t)n);
		return PACKETS;
	}
	int e = n < 0 ? bpei_bpf_errno(b->abi, (int)-n) : 0;
	bpei_counter_add(&b->device.empty_reads, 1);
	if (e == EINTR)
		return NOTHING; /* what is there stays there (macOS returns it instead) */
	if (!e || e == EAGAIN || e == EWOULDBLOCK) {
		if (b->can_nonblocking)
			bpei_device_filter_drained(&b->device);
		b->busy = b->much = false;
		b->last_read_ns = now;
		if (!b->quiet_since_ns)
			b->quiet_since_ns = now;
		return b->leaving ? GONE : NOTHING;
	}
	if (e == ENXIO || e == EIO || e == ENODEV)
		return GONE;
	return -e;
}

static int block_or_not(struct bpei_bpf *b, bool nonblocking)
{
	return b->can_nonblocking == nonblocking ? 0 : bpei_bpf_nonblocking(b, nonblocking);
}

/* Asks, now and then while nothing comes, whether the interface is still there.  After an empty
 * read only. */
static void look_after(struct bpei_bpf *b, int64_t now)
{
	if (!b->quiet_since_ns || now - b->quiet_since_ns < QUIET_NS || b->leaving)
		return;
	b->quiet_since_ns = now;
	if (bpei_bpf_is_there(b))
		return;
	b->leaving = true;
	block_or_not(b, true);
}

static bool woken(struct bpei_bpf *b, int events)
{
	char drain[64];
	if (!(events > 0 && events & BPEI_WAIT_WAKE))
		return false;
	while (read(b->wake[0], drain, sizeof drain) > 0)
		continue;
	return true;
}

/* Waits for the interface's return: 1 when it is back, 0 when the time passed, or a status. */
static int come_back(struct bpei_bpf *b, int64_t deadline, struct bpe_error *error)
{
	for (;;) {
		struct bpe_error why;
		int r = bpei_bpf_attach(b, &why);
		if (r >= 0) {
			bpei_notice(&b->options, "interface %s is back", b->name);
			b->leaving = b->busy = false;
			b->quiet_since_ns = 0;
			return 1;
		}
		if (r != BPE_E_ABSENT && r != BPE_E_BUSY && r != BPE_E_MEMORY && r != BPE_E_IO) {
			if (error)
				*error = why;
			return r;
		}
		int64_t left = deadline - b->sys.now(b->sys.context);
		if (left <= 0)
			return 0;
		if (woken(b, b->sys.wait(b->sys.context, &b->waiter, -1, b->wake[0], 0,
				     left < COME_BACK_NS ? left : COME_BACK_NS)))
			return 0;
	}
}

/* The interface is gone and nothing is left of it. */
static int gone(struct bpei_bpf *b, struct bpe_error *error)
{
	if (!b->options.wait_interface)
		return bpei_fail(error, BPE_E_GONE, "read", 0,
			"interface %s went away while capturing; what came before was delivered",
			b->name);
	b->device.ops->stats(&b->device);
	bpei_bpf_detach(b);
	bpei_notice(&b->options, "interface %s went away: waiting for its return", b->name);
	return 0;
}

/* A read that failed otherwise. */
static int failed(struct bpei_bpf *b, int e, struct bpe_error *error)
{
	uint32_t length = 0;
	if (e == EINVAL && bpei_bpf_call_u32(b, BPEI_BIOCGBLEN, &length) >= 0 &&
		length != b->buffer_bytes && length <= b->block_bytes && length >= 32) {
		b->buffer_bytes = length; /* somebody else with this descriptor changed it: macOS
					     and NetBSD allow that while detached */
		return 0;
	}
	if (e == EINVAL && !b->has_read && b->buffer_bytes > SPLIT_BYTES && b->options.bpf_device) {
		/* Linux hands a served node's long reads on in pieces of at most a megabyte, which
		 * a driver refuses. */
		b->options.buffer_bytes = SPLIT_BYTES;
		bpei_bpf_detach(b);
		int r = bpei_bpf_attach(b, error);
		if (r >= 0)
			bpei_notice(&b->options,
				"%s cannot be read in buffers of that size: %zu KiB now", b->node,
				b->buffer_bytes >> 10);
		return r;
	}
	return bpei_fail(error, BPE_E_IO, "read", e, "%s on %s", b->name, b->node);
}

/* One round in throughput mode; as bpei_bpf_fill, 2: go on. */
static int blocking_round(
	struct bpei_bpf *b, struct bpei_block *block, bool wait, int64_t now, int *events)
{
	int r = block_or_not(b, !wait || b->leaving);
	if (r < 0)
		return r;
	r = take(b, block, now);
	if (r == GONE && !b->can_nonblocking) { /* a blocking read is told before the last packets
						   are read: they may still be there */
		b->leaving = true;
		block_or_not(b, true);
		r = take(b, block, now);
	}
	if (r != PACKETS)
		*events = b->sys.wait(b->sys.context, &b->waiter, -1, b->wake[0], 0, 0);
	return r;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int bpei_bpf_fill(struct bpei_device *d, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	const uint32_t mode = b->options.read_mode;
	int64_t now = b->sys.now(b->sys.context),
		deadline =
			timeout_ns < 0 || timeout_ns > INT64_MAX / 2 ? INT64_MAX : now + timeout_ns;
	bool ready = false;
	for (;;) {
		int events = 0, r;
		if (b->fd < 0 && (r = come_back(b, deadline, error)) <= 0)
			return r;
		if (b->zero_copy) {
			r = bpei_zbuf_fill(b, block, least(deadline - now, WAIT_MOST_NS), &events);
		} else if (mode == BPE_READ_THROUGHPUT) {
			r = blocking_round(b, block, timeout_ns != 0, now, &events);
		} else {
			int64_t due =
				b->last_read_ns +
				(mode == BPE_READ_PACED ? b->options.read_interval_ns : b->pace_ns);
			bool paces = !b->much &&
				     (mode == BPE_READ_PACED || (mode == BPE_READ_AUTO && b->busy));
			if (paces && timeout_ns && !b->leaving && now < due &&
				due - now <= (int64_t)10 * 1000000000) {
				/* Half a buffer ends the pause early, where the system can say so:
				 * a burst is not lost to pacing. */
				events = b->sys.wait(b->sys.context, &b->waiter, b->fd, b->wake[0],
					b->buffer_bytes / 2, least(due, deadline) - now);
				if (woken(b, events))
					return 0;
				if (due > deadline && !(events > 0 && events & BPEI_WAIT_DEVICE))
					return 0;
				events = 0;
				now = b->sys.now(b->sys.context);
			}
			r = take(b, block, now);
		}
		if (r == PACKETS)
			return 1;
		now = b->sys.now(b->sys.context);
		if (r < 0 && (r = failed(b, -r, error)) < 0)
			return r;
		if (r == GONE) {
			if ((r = gone(b, error)) < 0)
				return r;
			continue;
		}
		if (woken(b, events))
			return 0;
		look_after(b, now);
		if (now >= deadline)
			return 0;
		if (mode == BPE_READ_THROUGHPUT || mode == BPE_READ_PACED || b->zero_copy ||
			b->leaving)
			continue;
		if (ready && woken(b, b->sys.wait(b->sys.context, &b->waiter, -1, b->wake[0], 0,
					      SPIN_NS)))
			return 0; /* ready, and nothing: do not spin */
		events = b->sys.wait(b->sys.context, &b->waiter, b->fd, b->wake[0], 0,
			least(deadline - now, WAIT_MOST_NS));
		if (woken(b, events))
			return 0;
		ready = events > 0 && events & BPEI_WAIT_DEVICE;
		now = b->sys.now(b->sys.context);
	}
}
