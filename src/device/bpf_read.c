/* SPDX-License-Identifier: MIT */
/* Waiting and reading.
 *
 * Modes.  throughput: a blocking read, which returns a full buffer, or a part when the read
 * time-out passes; with buffers larger than two portions, reads by the clock, a portion each.  The
 * other modes read without blocking.  latency waits for readiness, which BIOCIMMEDIATE makes each
 * packet.  paced reads in intervals, so that the kernel wakes nobody, and again at once after more
 * than a portion.  auto waits like latency while nothing comes, and paces reads while packets come:
 * at most 1 ms from one read to the next, less where a portion comes sooner.  auto switches nothing
 * in the kernel between the two gaits, so a switch can lose nothing.
 *
 * A portion is half a buffer, or the bytes that caches hold (BPEI_BPF_PORTION).  The kernel's part
 * of a large buffer which is in use so follows the reader: it is small while the reader keeps up,
 * and grows to the whole buffer while the reader is late.
 *
 * A round begins with a read, or with a wait where the last read probably left nothing: it found
 * nothing, or a single record.  A lone packet so costs two system calls.  No request stands between
 * readiness and read, since on macOS, FreeBSD and NetBSD any ioctl takes readiness back (bpfioctl,
 * BPF_IDLE).
 *
 * Removal of the interface.  macOS: ENXIO, which a blocking read gets although packets are left;
 * another read without blocking brings the packets.  FreeBSD: ENXIO.  OpenBSD: EIO, then ENXIO.
 * NetBSD and a macOS poll report nothing: after a second without packets the presence of the
 * interface is checked.  The rest is returned first, then the end is reported, or with
 * wait_interface waited out.  A read of 0 bytes is a time-out (OpenBSD: also "nothing there"),
 * never an end. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS 1000000000
/* Longest wait: the read that follows tells whether the interface is there. */
#define WAIT_MOST_NS 100000000
#define QUIET_NS SECOND_NS                      /* silence before the interface is checked */
#define RETURN_STEP_NS 200000000                /* between two attempts to attach again */
#define PAUSE_MOST_NS ((int64_t)10 * SECOND_NS) /* longer: the clock has jumped */
#define LENT_STEP_NS 10000000                   /* between reads, if the program waits for fd */
#define SPIN_NS 1000000                         /* pause if ready without data, repeatedly */

enum read_result { NOTHING = 0, PACKETS = 1, GONE = 2, WOKEN = 3 };

static void set_block(struct bpei_block *block, const uint8_t *bytes, size_t length)
{
	block->bytes = bytes;
	block->length = length;
	block->stop_offset = length;
	block->position = 0;
}

/* Returns memory for `size` bytes of inflated packets, or NULL.  Blocks come back in order, so the
 * memory of the block BPEI_BPF_BLOCKS fills ago is free again. */
static uint8_t *inflate_memory(struct bpei_bpf *b, uint32_t at, size_t size)
{
	if (size > b->inflated[at].bytes) {
		size_t bytes = size < b->buffer_bytes * 2 ? b->buffer_bytes * 2 : size;

		bpei_mem_unmap(b->inflated[at].memory, b->inflated[at].bytes);
		b->inflated[at].memory = bpei_mem_map(bytes, 1);
		b->inflated[at].bytes = b->inflated[at].memory ? bytes : 0;
	}
	return size <= b->inflated[at].bytes ? b->inflated[at].memory : NULL;
}

/* Restores the first bytes of packets that the kernel compressed.  Returns false if the buffer is
 * damaged: the block is counted as torn and lost. */
static bool inflate_block(struct bpei_bpf *b, struct bpei_block *block, size_t n)
{
	uint32_t at = b->fills % BPEI_BPF_BLOCKS;
	size_t size = bpei_inflate_size(block->memory, n);
	size_t made = BPEI_INFLATE_FAILED;
	uint8_t *memory = size != BPEI_INFLATE_FAILED ? inflate_memory(b, at, size) : NULL;

	if (memory)
		made = bpei_inflate(&b->chain, block->memory, n, memory, b->inflated[at].bytes);
	if (made == BPEI_INFLATE_FAILED) {
		bpei_counter_add(&b->device.torn_blocks, 1);
		/* The kernel begins a new chain, and so does this side. */
		bpei_bpf_call(b, BPEI_BIOCFLUSH, NULL);
		bpei_bpf_counters_zeroed(b);
		b->chain.length = 0;
		return false;
	}
	set_block(block, memory, made);
	b->fills++;
	return true;
}

/* Returns the longest pause between two reads. */
static int64_t longest_pace(const struct bpei_bpf *b)
{
	return b->times_reads ? BPEI_THROUGHPUT_WAIT_NS : BPEI_PACE_MOST_NS;
}

/* Computes the pause before the next read: the time in which a portion comes at the rate of the
 * last read.  Earlier reads would cost more than they bring; later reads would touch more memory
 * than caches hold, or risk a full buffer.  After more than a portion the next read follows at
 * once. */
static void set_pace(struct bpei_bpf *b, size_t n, int64_t since_ns)
{
	const size_t portion = bpei_bpf_portion(b);

	b->much = n > portion;
	if (since_ns > SECOND_NS)
		since_ns = SECOND_NS;
	b->pace_ns = (int64_t)((uint64_t)portion * (uint64_t)since_ns / n);
	if (b->pace_ns > longest_pace(b))
		b->pace_ns = longest_pace(b);
}

/* Returns true if the n bytes are a single record. */
static bool is_single_record(const struct bpei_layout *layout, const uint8_t *bytes, size_t n)
{
	if (n < layout->min_header)
		return false;
	return (size_t)bpei_load16(bytes + layout->hdrlen) + bpei_load32(bytes + layout->caplen) >=
	       n;
}

static int accept_buffer(struct bpei_bpf *b, struct bpei_block *block, size_t n, int64_t now)
{
	const bool rare = now - b->last_read_ns >= BPEI_PACE_MOST_NS;

	bpei_device_filter_count_fill(&b->device);
	/* A packet that came alone, and in auto mode not soon behind another: more are waited for,
	 * since a look would find nothing. */
	b->drained = is_single_record(b->walk.layout, block->memory, n) &&
		     (rare || b->options.read_mode == BPE_READ_LATENCY);
	b->busy = !b->drained;
	b->has_read = true;
	b->quiet_since_ns = 0;
	set_pace(b, n, now - b->last_read_ns);
	b->last_read_ns = now;
	bpei_device_filled(&b->device, n, b->buffer_bytes);
	if (b->inflates)
		return inflate_block(b, block, n) ? PACKETS : NOTHING;
	set_block(block, block->memory, n);
	return PACKETS;
}

/* Notes a read that returned no packets. */
static int note_empty_read(struct bpei_bpf *b, int64_t now)
{
	if (b->can_nonblocking)
		bpei_device_filter_drained(&b->device);
	b->busy = false;
	b->much = false;
	b->drained = true;
	b->pace_ns = longest_pace(b);
	b->last_read_ns = now;
	if (!b->quiet_since_ns)
		b->quiet_since_ns = now;
	return b->leaving ? GONE : NOTHING;
}

_Static_assert(EWOULDBLOCK == EAGAIN, "read_buffer");

/* Reads once, at the time `now`.  Returns PACKETS, NOTHING, GONE, or a negative errno.  The clock
 * is not read again: with small buffers of large packets that would cost more than walking them. */
static int read_buffer(struct bpei_bpf *b, struct bpei_block *block, int64_t now)
{
	ssize_t n = b->sys.read(b->sys.context, b->fd, block->memory, b->buffer_bytes);

	if (n > 0 && (size_t)n <= b->buffer_bytes)
		return accept_buffer(b, block, (size_t)n, now);
	int e = n < 0 ? bpei_bpf_errno(b->abi, (int)-n) : 0;
	bpei_counter_add(&b->device.empty_reads, 1);
	switch (e) {
	case EINTR: /* the buffer keeps its packets; macOS returns them instead of EINTR */
		return NOTHING;
	case 0:
	case EAGAIN:
		return note_empty_read(b, now);
	case ENXIO:
	case EIO:
	case ENODEV:
		return GONE;
	default:
		return -e;
	}
}

static int set_blocking(struct bpei_bpf *b, bool blocking)
{
	return b->can_nonblocking == !blocking ? 0 : bpei_bpf_nonblocking(b, !blocking);
}

/* Checks, now and then while nothing comes, whether the interface is still there.  Called after an
 * empty read only. */
static void check_interface(struct bpei_bpf *b, int64_t now)
{
	if (!b->quiet_since_ns || now - b->quiet_since_ns < QUIET_NS || b->leaving)
		return;
	b->quiet_since_ns = now;
	if (bpei_bpf_is_there(b))
		return;
	b->leaving = true;
	set_blocking(b, false);
}

/* Empties the wake pipe.  Returns true if a wait's `events` say that the reader was woken. */
static bool drain_wake_pipe(struct bpei_bpf *b, int events)
{
	char drain[64];

	if (events <= 0 || !(events & BPEI_WAIT_WAKE))
		return false;
	while (read(b->wake[0], drain, sizeof drain) > 0)
		continue;
	return true;
}

/* Waits for the device (if fd is true), the wake pipe or the time.  Returns BPEI_WAIT_*.  A
 * descriptor that the program waits for is left alone: the wait is a short sleep. */
static int wait_bpf(struct bpei_bpf *b, bool fd, size_t low_water, int64_t timeout_ns)
{
	if (b->lent && fd) {
		fd = false;
		if (!low_water && (timeout_ns < 0 || timeout_ns > LENT_STEP_NS))
			timeout_ns = LENT_STEP_NS;
	}
	return b->sys.wait(
		b->sys.context, &b->waiter, fd ? b->fd : -1, b->wake[0], low_water, timeout_ns);
}

/* Waits for the interface's return.  Returns 1 if the interface is back, 0 if the time passed or
 * the reader was woken, or a status. */
static int wait_for_return(struct bpei_bpf *b, int64_t deadline, struct bpe_error *error)
{
	for (;;) {
		struct bpe_error why;
		int r = bpei_bpf_attach(b, &why);

		if (r >= 0) {
			bpei_notice(&b->options, "interface %s is back", b->name);
			b->leaving = false;
			b->busy = false;
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
		if (left > RETURN_STEP_NS)
			left = RETURN_STEP_NS;
		if (drain_wake_pipe(b, wait_bpf(b, false, 0, left)))
			return 0;
	}
}

/* ---- One round ---- */

/* One call of fill. */
struct bpf_round {
	int64_t now, deadline;
	bool may_wait;
	bool ready; /* the last wait said that the device is readable */
	int events; /* of the last wait: BPEI_WAIT_* */
};

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int read_blocking(struct bpei_bpf *b, struct bpei_block *block, struct bpf_round *round)
{
	int r = set_blocking(b, round->may_wait && !b->leaving);

	if (r < 0)
		return r;
	r = read_buffer(b, block, round->now);
	/* A blocking read fails before the last packets are read: they may still be there. */
	if (r == GONE && !b->can_nonblocking) {
		b->leaving = true;
		set_blocking(b, false);
		r = read_buffer(b, block, round->now);
	}
	if (r != PACKETS)
		round->events = wait_bpf(b, false, 0, 0);
	return r;
}

/* Pauses before the next paced read.  A portion ends the pause early, where the system can say so,
 * lest pacing lose a burst.  Without immediate mode a full buffer does.  Returns false if fill is
 * to return. */
static bool pause_reading(struct bpei_bpf *b, int64_t due, struct bpf_round *round)
{
	int64_t pause = min_ns(due, round->deadline) - round->now;
	const bool tells_full = b->times_reads && b->abi->system != BPEI_MACOS;
	int events = wait_bpf(b, true, tells_full ? 0 : bpei_bpf_portion(b), pause);

	if (drain_wake_pipe(b, events))
		return false;
	if (due > round->deadline && !(events > 0 && events & BPEI_WAIT_DEVICE))
		return false;
	round->now = b->sys.now(b->sys.context);
	return true;
}

static int read_paced(struct bpei_bpf *b, struct bpei_block *block, struct bpf_round *round)
{
	const uint32_t mode = b->options.read_mode;
	const bool paced = mode == BPE_READ_PACED;
	int64_t due = b->last_read_ns + (paced ? b->options.read_interval_ns : b->pace_ns);
	bool in_turn = paced || b->times_reads || (mode == BPE_READ_AUTO && b->busy);
	bool pauses = in_turn && !b->much;
	bool too_early = round->now < due && due - round->now <= PAUSE_MOST_NS;

	if (pauses && round->may_wait && !b->leaving && too_early && !pause_reading(b, due, round))
		return WOKEN;
	return read_buffer(b, block, round->now);
}

/* Reads once, in the way of the mode.  Returns an enum read_result or a negative errno. */
static int read_round(struct bpei_bpf *b, struct bpei_block *block, struct bpf_round *round)
{
	round->events = 0;
	if (b->zero_copy)
		return bpei_zbuf_fill(b, block, min_ns(round->deadline - round->now, WAIT_MOST_NS),
			&round->events);
	if (b->options.read_mode == BPE_READ_THROUGHPUT && !b->times_reads)
		return read_blocking(b, block, round);
	return read_paced(b, block, round);
}

/* Waits for readiness, where the last read left nothing behind.  Returns false if the reader was
 * woken.
 */
static bool wait_readiness(struct bpei_bpf *b, struct bpf_round *round)
{
	const uint32_t mode = b->options.read_mode;

	b->drained = false;
	if (mode == BPE_READ_THROUGHPUT || mode == BPE_READ_PACED || b->zero_copy || b->leaving)
		return true; /* the read itself waits */
	/* Ready without data: a pause, lest the loop spin. */
	if (round->ready && drain_wake_pipe(b, wait_bpf(b, false, 0, SPIN_NS)))
		return false;
	int events = wait_bpf(b, true, 0, min_ns(round->deadline - round->now, WAIT_MOST_NS));
	if (drain_wake_pipe(b, events))
		return false;
	round->ready = events > 0 && events & BPEI_WAIT_DEVICE;
	round->now = b->sys.now(b->sys.context);
	return true;
}

/* Begins a round with a wait instead of a read, if the last read probably left nothing.  Returns
 * false if the reader was woken. */
static bool wait_first(struct bpei_bpf *b, struct bpf_round *round)
{
	const bool waits = b->drained && round->may_wait && !b->lent;

	return !waits || wait_readiness(b, round);
}

int bpei_bpf_fill(struct bpei_device *d, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	struct bpf_round round = { .now = b->sys.now(b->sys.context), .may_wait = timeout_ns != 0 };
	bool endless = timeout_ns < 0 || timeout_ns > INT64_MAX / 2;
	int r;

	round.deadline = endless ? INT64_MAX : round.now + timeout_ns;
	for (;;) {
		if (b->fd < 0) {
			r = wait_for_return(b, round.deadline, error);
			if (r <= 0)
				return r;
		}
		if (!wait_first(b, &round))
			return 0;
		r = read_round(b, block, &round);
		if (r == PACKETS)
			return 1;
		if (r == WOKEN)
			return 0;
		round.now = b->sys.now(b->sys.context);
		if (r == GONE) {
			r = bpei_bpf_went_away(b, error);
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0) {
			r = bpei_bpf_read_failed(b, -r, error);
			if (r < 0)
				return r;
		}
		if (drain_wake_pipe(b, round.events))
			return 0;
		check_interface(b, round.now);
		if (round.now >= round.deadline || !wait_readiness(b, &round))
			return 0;
	}
}
