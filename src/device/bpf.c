/* SPDX-License-Identifier: MIT */
/* The BPF device of macOS and the BSDs, read directly.
 *
 * Life: as device.h says.  The kernel fills one of two buffers and returns a full buffer to each
 * read(), whole records only; a read wants exactly the buffer's length.  Every block is a copy of a
 * buffer and is walked in place.  The kernel may lose packets only while both buffers are full.
 * The kernel's counters are 32 bits wide in most systems and are zeroed by attaching, by BIOCSETF
 * and by BIOCFLUSH.  Their differences are summed up here, at least once a second.  The reader owns
 * everything but the writing end of the wake pipe. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/mem.h"
#include "names/numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DLT_PKTAP = 149 };

static uint32_t walk_bpf_block(
	struct bpei_device *d, struct bpei_block *block, const struct bpei_columns *c, uint32_t max)
{
	struct bpei_bpf *b = bpei_bpf_of(d);

	/* A filter must see the whole packet, as the kernel's filter would have. */
	b->walk.snaplen = d->filter ? UINT32_MAX : d->snaplen;
	b->walk.keeps_pktap = d->filter;
	return bpei_walk_bpf(&b->walk, block, c, max);
}

static uint32_t unwrap_pktap(struct bpei_device *d, const struct bpei_columns *c, uint32_t i)
{
	return bpei_bpf_unwrap(&bpei_bpf_of(d)->walk, c, i);
}

static void release_bpf_block(struct bpei_device *d, struct bpei_block *block)
{
	struct bpei_bpf *b = bpei_bpf_of(d);

	(void)block;
	if (b->zero_copy)
		bpei_zbuf_done(b);
}

/* ---- Statistics ---- */

struct bpf_counts {
	uint64_t received, dropped, accepted;
	bool wide, has_accepted;
};

/* struct xbpf_d of xnu-11417, private: offsets, and the size that all versions have. */
enum { XBPF_MINOR = 4, XBPF_RCOUNT = 40, XBPF_DCOUNT = 48, XBPF_FCOUNT = 56, XBPF_LEAST = 96 };
#define XBPF_LIST_BYTES 65536u

/* Reads macOS's debug.bpf_stats, which has this descriptor's counters in 64 bits, and how many
 * packets the descriptor's filter accepted.  Returns false where there is none. */
static bool read_wide_counts(struct bpei_bpf *b, struct bpf_counts *c)
{
	if (!b->abi->numbered)
		return false;
	uint8_t *list = malloc(XBPF_LIST_BYTES);
	ssize_t n = -ENOMEM;
	if (list)
		n = b->sys.sysctl(b->sys.context, "debug.bpf_stats", list, XBPF_LIST_BYTES);
	size_t size = n >= XBPF_LEAST ? bpei_load32(list) : 0;
	bool found = false;
	for (size_t at = 0; size >= XBPF_LEAST && at + size <= (size_t)n && !found; at += size) {
		const uint8_t *entry = list + at;

		if ((int)bpei_load32(entry + XBPF_MINOR) != b->minor)
			continue;
		*c = (struct bpf_counts){ .received = bpei_load64(entry + XBPF_RCOUNT),
			.dropped = bpei_load64(entry + XBPF_DCOUNT),
			.accepted = bpei_load64(entry + XBPF_FCOUNT),
			.wide = true,
			.has_accepted = true };
		found = true;
	}
	free(list);
	return found;
}

/* Reads the counters by BIOCGSTATS.  Returns false if the request fails. */
static bool read_kernel_counts(struct bpei_bpf *b, struct bpf_counts *c)
{
	uint8_t s[128] = { 0 };

	if (bpei_bpf_call(b, BPEI_BIOCGSTATS, s) < 0)
		return false;
	c->wide = b->abi->stat_width == 8;
	c->received = c->wide ? bpei_load64(s) : bpei_load32(s);
	c->dropped = c->wide ? bpei_load64(s + 8) : bpei_load32(s + 4);
	c->has_accepted = b->abi->capt_offset;
	c->accepted = c->has_accepted ? bpei_load64(s + b->abi->capt_offset) : 0;
	return true;
}

/* Returns the increase of a counter since *last; a 32-bit counter may have wrapped around. */
static uint64_t counter_increase(uint64_t now, uint64_t *last, bool wide)
{
	uint64_t before = *last;

	*last = now;
	if (!wide)
		return (uint32_t)(now - before);
	return now >= before ? now - before : now; /* below: zeroed by another process */
}

static void update_bpf_stats(struct bpei_device *d)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	struct bpf_counts c = { .wide = false };

	if (b->fd < 0 || (!read_wide_counts(b, &c) && !read_kernel_counts(b, &c)))
		return;
	uint64_t known = BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED;
	if (c.has_accepted)
		known |= BPE_KNOWN_ACCEPTED;
	bpei_counter_set(&d->kernel_known, bpei_counter_get(&d->kernel_known) | known);
	uint64_t received = counter_increase(c.received, &b->last_received, c.wide);
	bpei_counter_add(&d->kernel_received, received);
	/* A confined process may not ask for the interface's flags any more: packets show that the
	 * interface is up. */
	if (received)
		bpei_counter_set(&d->interface_down, 0);
	bpei_counter_add(&d->kernel_dropped, counter_increase(c.dropped, &b->last_dropped, c.wide));
	if (c.has_accepted)
		bpei_counter_add(&d->kernel_accepted,
			counter_increase(c.accepted, &b->last_accepted, c.wide));
}

/* ---- Wake, close ---- */

/* Wakes the reader through the pipe. */
static void wake_bpf(struct bpei_device *d)
{
	ssize_t n = write(bpei_bpf_of(d)->wake[1], "", 1);

	(void)n; /* a full pipe has woken the reader already */
}

static void close_bpf(struct bpei_device *d)
{
	struct bpei_bpf *b = bpei_bpf_of(d);

	bpei_bpf_detach(b);
	if (b->made_interface)
		b->sys.interface(b->sys.context, b->name, false);
	for (int i = 0; i < 2; i++)
		if (b->wake[i] >= 0)
			close(b->wake[i]);
	for (uint32_t i = 0; i < BPEI_BPF_BLOCKS; i++)
		bpei_mem_unmap(b->inflated[i].memory, b->inflated[i].bytes);
	free(b->filter);
	free(b->fit.program);
	free(b);
}

/* Leaves the descriptor to the program's own knote.  On macOS the removal of any knote silences all
 * others of the descriptor, so the own knote goes before the program has one. */
static void lend_bpf_fd(struct bpei_device *d)
{
	struct bpei_bpf *b = bpei_bpf_of(d);

	if (b->abi->system != BPEI_MACOS || b->lent)
		return;
	b->lent = true;
	b->sys.wait_end(b->sys.context, &b->waiter);
}

static const struct bpei_device_ops bpf_ops = {
	.name = "bpf",
	.fill = bpei_bpf_fill,
	.walk = walk_bpf_block,
	.done = release_bpf_block,
	.stats = update_bpf_stats,
	.wake = wake_bpf,
	.close = close_bpf,
	.lend_fd = lend_bpf_fd,
	.set_filter = bpei_bpf_set_filter,
	.unwrap = unwrap_pktap,
};

/* ---- Open ---- */

/* Creates an interface if the name is "pktap" alone, the name of a kind.  The interface is
 * destroyed at close, as by Apple's tcpdump. */
static int create_pktap(struct bpei_bpf *b, struct bpe_error *error)
{
	if (!b->abi->numbered || strcmp(b->name, "pktap"))
		return BPE_OK;
	int r = b->sys.interface(b->sys.context, b->name, true);
	if (r == -EPERM || r == -EACCES)
		return bpei_fail(error, BPE_E_RIGHTS, "SIOCIFCREATE", -r,
			"only root may make a pktap interface: run it with sudo, or make one once and use that"
			" (sudo ifconfig pktap0 create; bpfengine -i pktap0)");
	if (r < 0)
		return bpei_fail(
			error, BPE_E_IO, "SIOCIFCREATE", -r, "the system makes no pktap interface");
	b->made_interface = true;
	return BPE_OK;
}

/* Copies the interface's name and finds the ABI. */
static int resolve_interface(struct bpei_bpf *b, struct bpe_error *error)
{
	const struct bpe_options *o = &b->options;
	const char *name = bpei_device_interface(o->interface_name);

	if (!name[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"the interface's name is empty (bpfengine -L lists them)");
	if (strlen(name) >= sizeof b->name)
		return bpei_fail(error, BPE_E_ABSENT, "open", 0,
			"interface names have at most %zu characters: %.64s (bpfengine -L lists them)",
			sizeof b->name - 1, name);
	memcpy(b->name, name, strlen(name) + 1);
	b->abi = o->bpf_abi ? bpei_bpf_abi_find(o->bpf_abi) : bpei_bpf_abi_native();
	if (!b->abi)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"no BPF ABI is called %.64s: there are macos, freebsd, netbsd and openbsd",
			o->bpf_abi);
	return BPE_OK;
}

/* Refuses options that exclude each other. */
static int check_bpf_options(struct bpei_bpf *b, struct bpe_error *error)
{
	const struct bpe_options *o = &b->options;
	bool tap = !strncmp(b->name, "pktap", 5) || !strncmp(b->name, "iptap", 5);

	tap |= o->link_type == LINK_PKTAP || o->link_type == DLT_PKTAP;
	if (tap && o->header_compression && b->abi->system == BPEI_MACOS)
		return bpei_bpf_refuse_compression(error, b->name);
	if (o->zero_copy && o->wait_interface)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"zero-copy buffers go away with their interface: choose one of zero_copy and wait_interface");
	return BPE_OK;
}

static int open_bpf(struct bpei_bpf *b, struct bpe_error *error)
{
	const struct bpe_options *o = &b->options;
	int r = resolve_interface(b, error);

	if (r >= 0)
		r = check_bpf_options(b, error);
	if (r < 0)
		return r;
	if (!o->read_interval_ns)
		b->options.read_interval_ns = BPEI_PACE_MOST_NS;
	/* The cast is safe: the filter is copied and not written to. */
	const struct bpei_filter given = { .program = (struct bpe_insn *)(uintptr_t)o->filter,
		.length = o->filter_length };
	b->device.kernel = &bpei_kernels[b->abi->system];
	b->device.kernel_insns = b->device.kernel->most;
	if (o->filter && bpei_bpf_keep_filter(b, &given) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			o->filter_length);
	if (bpei_fd_pipe(b->wake, true))
		return bpei_fail(
			error, BPE_E_IO, "pipe", errno, "no descriptors to wake the reader by");
	r = create_pktap(b, error);
	return r < 0 ? r : bpei_bpf_attach(b, error);
}

/* Writes the buffer's size as "512 KiB", or in bytes where the size is no whole number of KiB.  A
 * shared buffer counts with the header. */
static const char *format_buffer_size(const struct bpei_bpf *b, char *text, size_t room)
{
	size_t bytes = b->zero_copy ? b->zbuf.bytes : b->buffer_bytes;

	if (bytes % 1024)
		snprintf(text, room, "%zu bytes", bytes);
	else
		snprintf(text, room, "%zu KiB", bytes >> 10);
	return text;
}

static void describe_bpf(struct bpei_bpf *b)
{
	char size[32];
	const char *headers = b->walk.extended ? ", extended headers" : "";

	if (b->walk.pktap)
		headers = ", PKTAP";
	snprintf(b->device.source, sizeof b->device.source, "interface %s (%s, %s ABI, %s%s%s)",
		b->name, b->node, b->abi->title, format_buffer_size(b, size, sizeof size),
		b->zero_copy ? " zero-copy" : "", headers);
}

/* Sets the members of the device that depend on the attached node. */
static void publish_bpf(struct bpei_bpf *b)
{
	struct bpei_device *d = &b->device;
	const struct bpe_options *o = &b->options;
	bool paced = o->read_mode == BPE_READ_PACED;

	d->maps_blocks = b->zero_copy;
	if (b->zero_copy)
		d->max_blocks_in_flight = BPEI_ZBUF_BLOCKS;
	b->block_bytes = b->buffer_bytes;
	d->block_bytes = b->buffer_bytes;
	d->has_meta = b->walk.meta;
	d->link_type = b->walk.link_type;
	/* A device that may be away, or that is read by the clock, has nothing to poll. */
	d->fd = o->wait_interface || paced || b->zero_copy ? -1 : b->fd;
	describe_bpf(b);
}

int bpei_bpf_open_with(const struct bpei_bpf_sys *sys, const struct bpe_options *o,
	struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_bpf *b = calloc(1, sizeof *b);

	if (!b)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	b->device = (struct bpei_device){ .ops = &bpf_ops,
		.fd = -1,
		.live = true,
		.late_ns = BPEI_PACE_MOST_NS,
		.walk_cuts = true,
		.max_blocks_in_flight = BPEI_BPF_BLOCKS,
		.snaplen = o->snaplen };
	b->options = *o;
	b->sys = *sys;
	bpei_bpf_waiter_init(&b->waiter);
	b->fd = -1;
	b->wake[0] = -1;
	b->wake[1] = -1;
	b->walk = (struct bpei_bpf_walk){ .torn_blocks = &b->device.torn_blocks };
	int r = open_bpf(b, error);
	if (r < 0) {
		bpei_device_close(&b->device);
		return r;
	}
	publish_bpf(b);
	update_bpf_stats(&b->device); /* so kernel_known is right from the beginning */
	*device = &b->device;
	return BPE_OK;
}

int bpei_bpf_open(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	return bpei_bpf_open_with(&bpei_bpf_sys_real, o, device, error);
}
