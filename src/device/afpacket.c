/* SPDX-License-Identifier: MIT */
/* Live capture on Linux: a mapped TPACKET_V3 ring (packet(7);
 * Documentation/networking/packet_mmap.rst).
 *
 * The kernel fills blocks in turn and hands each block over when the block is full or RETIRE_MS
 * old. fill waits for the next block, done returns the block, in the same order.  Nothing is
 * copied.  If all blocks are in use the kernel drops and counts packets.  Reading PACKET_STATISTICS
 * zeroes the counters, so they are summed up here. An interface which goes down is reported once
 * and waited for.  Removal of the interface is reported after the last blocks were returned.  With
 * wait_interface the socket is bound again to the next interface of the name; the ring stays.  The
 * program may give up privileges, the file system and sockets after opening: later requests use
 * descriptors which are open by then. Hazard: a block's status word is shared with the kernel.
 * Acquire before reading the block, release when done. */
#include "device/afpacket.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_MOST_MS 1000000
#define OUT_WAIT_MS 1   /* while blocks are in use, see fill_afpacket */
#define LAST_WAIT_MS 50 /* for blocks of an interface which is gone */
#define DOWN_PAUSE_NS 1000000
#define AWAY_LOOK_MS 100 /* between two looks for an interface that went away */

static struct bpei_afpacket *afpacket_of(struct bpei_device *d)
{
	return (struct bpei_afpacket *)(void *)d;
}

static _Atomic uint32_t *block_status(struct bpei_afpacket *a, uint32_t block)
{
	struct tpacket_block_desc *d = (void *)(a->ring + block * a->block_bytes);

	return (_Atomic uint32_t *)&d->hdr.bh1.block_status;
}

/* ---- Capturing ---- */

/* Returns true if the kernel has handed over the next block. */
static bool next_block_ready(struct bpei_afpacket *a)
{
	if (a->lent >= a->blocks)
		return false;
	/* pairs: kernel, prb_close_block */
	uint32_t status = atomic_load_explicit(block_status(a, a->next), memory_order_acquire);
	return status & TP_STATUS_USER;
}

/* Returns the time-out for poll. */
static int poll_timeout(const struct bpei_afpacket *a, int64_t timeout_ns)
{
	int ms = -1;

	if (a->gone)
		return LAST_WAIT_MS;
	if (a->away && (timeout_ns < 0 || timeout_ns > (int64_t)AWAY_LOOK_MS * 1000000))
		timeout_ns = (int64_t)AWAY_LOOK_MS * 1000000;
	if (timeout_ns > (int64_t)POLL_MOST_MS * 1000000)
		ms = POLL_MOST_MS;
	else if (timeout_ns >= 0)
		ms = (int)((timeout_ns + 999999) / 1000000);
	if (a->lent && (ms < 0 || ms > OUT_WAIT_MS))
		ms = OUT_WAIT_MS;
	return ms;
}

/* Takes the error off the socket, which a state change of the interface has set. */
static void handle_socket_error(struct bpei_afpacket *a)
{
	int e = 0;
	socklen_t size = sizeof e;

	getsockopt(a->device.fd, SOL_SOCKET, SO_ERROR, &e, &size);
	bpei_afpacket_check_interface(a);
	if (a->down)
		bpei_clock_sleep_ns(DOWN_PAUSE_NS); /* the error may come again at once */
}

/* Waits for a block, the wake descriptor or the time.  Returns the result of poll.  While blocks
 * are in use, only time ends the wait, and soon.  packet_poll calls the socket readable while the
 * block before the next is in use.  A poll of the socket would then return at once, again and
 * again. */
static int wait_block(struct bpei_afpacket *a, int64_t timeout_ns)
{
	struct pollfd p[2] = { { .fd = a->lent ? -1 : a->device.fd, .events = POLLIN },
		{ .fd = a->wake, .events = POLLIN } };
	int r = poll(p, 2, poll_timeout(a, timeout_ns));

	if (r > 0 && p[1].revents) {
		uint64_t n;

		while (read(a->wake, &n, sizeof n) > 0)
			continue;
	}
	if (r > 0 && p[0].revents & POLLERR)
		handle_socket_error(a);
	return r;
}

static int fill_afpacket(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct bpei_afpacket *a = afpacket_of(d);

	if (!next_block_ready(a)) {
		int r = wait_block(a, timeout_ns);
		const int status = a->away ? bpei_afpacket_return(a, error) : BPE_OK;

		if (status < 0)
			return status;
		if (!next_block_ready(a)) {
			bpei_counter_add(&d->empty_reads, 1);
			if (!a->gone || r > 0)
				return 0;
			return bpei_fail(error, BPE_E_GONE, "read", 0,
				"interface %s went away while capturing; what came before was delivered",
				a->name);
		}
	}
	bpei_device_filter_count_fill(d);
	struct tpacket_block_desc *desc = (void *)(a->ring + a->next * a->block_bytes);
	b->bytes = (const uint8_t *)desc;
	b->length = a->block_bytes;
	b->stop_offset = a->block_bytes;
	b->position = desc->hdr.bh1.offset_to_first_pkt;
	b->device_data = 0;
	bpei_device_filled(d, desc->hdr.bh1.blk_len, a->block_bytes);
	a->next = (a->next + 1) % a->blocks;
	a->lent++;
	return 1;
}

static uint32_t walk_afpacket(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	return bpei_walk_tpacket(&afpacket_of(d)->how, b, c, max);
}

static void release_afpacket(struct bpei_device *d, struct bpei_block *b)
{
	struct bpei_afpacket *a = afpacket_of(d);
	uint32_t block = (uint32_t)((size_t)(b->bytes - a->ring) / a->block_bytes);

	a->lent--;
	/* pairs: kernel, prb_open_block */
	atomic_store_explicit(block_status(a, block), TP_STATUS_KERNEL, memory_order_release);
}

/* ---- Filter ---- */

/* Attaches a program. */
int bpei_afpacket_attach(struct bpei_afpacket *a, const struct bpe_insn *program, uint32_t length)
{
	_Static_assert(sizeof(struct sock_filter) == sizeof *program &&
			       offsetof(struct sock_filter, k) == offsetof(struct bpe_insn, k),
		"the same");
	struct sock_fprog p = { .len = (unsigned short)length,
		.filter = (struct sock_filter *)(uintptr_t)program };

	return setsockopt(a->device.fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) ? -errno : 0;
}

int bpei_afpacket_attach_none(struct bpei_afpacket *a)
{
	int off = 0;
	struct bpe_insn some[BPEI_TPACKET_NONE];
	uint32_t n = bpei_tpacket_filter_none(&a->how, a->device.snaplen, some);

	if (n)
		return bpei_afpacket_attach(a, some, n);
	if (!setsockopt(a->device.fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

/* Attaches the socket's version of the filter, or no filter if the filter is empty or refused.
 * Returns 1 if the kernel runs the whole filter, 0 if user space must filter, or a status. */
static int attach_filter(
	struct bpei_afpacket *a, const struct bpei_filter *f, struct bpe_error *error)
{
	struct bpei_kernel_program fit = { .exact = false };
	int r = -EINVAL;

	if (f->length && bpei_tpacket_filter(&a->how, f, &fit) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			f->length);
	if (f->length)
		r = bpei_afpacket_attach(a, fit.program, fit.length);
	free(fit.program);
	if (r >= 0) {
		if (f->wide)
			bpei_notice(&a->options,
				"the filter has %u instructions, more than the kernel is given: it gets the widest part of it, the rest is filtered here",
				f->length);
		return fit.exact;
	}
	int none = bpei_afpacket_attach_none(a);
	if (none < 0)
		return bpei_fail(error, BPE_E_IO, "SO_ATTACH_FILTER", -none, "%s", a->name);
	if (f->length)
		bpei_notice(&a->options, "the kernel does not take the filter (%s): it runs here",
			strerror(-r));
	return 0;
}

/* Replaces the kernel's filter in a single step.  The ring still holds packets which the old filter
 * accepted, so the new filter runs here until every block was filled once.  Where the kernel's
 * filter is wider, the new filter runs here for good. */
static int set_afpacket_filter(
	struct bpei_device *d, const struct bpei_filter *f, struct bpe_error *error)
{
	struct bpei_afpacket *a = afpacket_of(d);
	const bool shut = a->shut;

	if (bpei_device_filter_here(d, f->program, f->length) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			f->length);
	int r = attach_filter(a, f, error);
	if (r < 0)
		return r;
	a->shut = false;
	if (r && shut) /* the ring is empty */
		bpei_device_filter_here(d, NULL, 0);
	else if (r)
		bpei_device_filter_until(d, a->blocks);
	return BPE_OK;
}

/* ---- Statistics, wake, close ---- */

/* Adds the kernel's counts.  tp_packets includes tp_drops, and is counted behind the filter. */
static void update_afpacket_stats(struct bpei_device *d)
{
	struct bpei_afpacket *a = afpacket_of(d);
	struct tpacket_stats_v3 s;
	socklen_t size = sizeof s;

	if (!getsockopt(d->fd, SOL_PACKET, PACKET_STATISTICS, &s, &size)) {
		bpei_counter_add(&d->kernel_received, s.tp_packets);
		bpei_counter_add(&d->kernel_accepted, s.tp_packets);
		bpei_counter_add(&d->kernel_dropped, s.tp_drops);
	}
	uint64_t drops = bpei_afpacket_interface_drops(a);
	if (drops > a->interface_base)
		bpei_counter_max(
			&d->interface_dropped, a->earlier_drops + drops - a->interface_base);
	bpei_afpacket_check_interface(a);
}

static void wake_afpacket(struct bpei_device *d)
{
	uint64_t one = 1;
	ssize_t n = write(afpacket_of(d)->wake, &one, sizeof one);

	(void)n;
}

static void close_afpacket(struct bpei_device *d)
{
	struct bpei_afpacket *a = afpacket_of(d);

	if (a->ring)
		munmap(a->ring, a->ring_bytes);
	if (d->fd >= 0)
		close(d->fd);
	if (a->wake >= 0)
		close(a->wake);
	bpei_afpacket_close_counters(a);
	free(a);
}

const struct bpei_device_ops bpei_afpacket_ops = {
	.name = "af_packet",
	.fill = fill_afpacket,
	.walk = walk_afpacket,
	.done = release_afpacket,
	.stats = update_afpacket_stats,
	.wake = wake_afpacket,
	.close = close_afpacket,
	.set_filter = set_afpacket_filter,
};
