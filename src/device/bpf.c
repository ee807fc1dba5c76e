/* SPDX-License-Identifier: MIT */
/* The BPF device of macOS and the BSDs, read directly.
 *
 * Life: as device.h says.  The kernel fills one of two buffers of its own and gives a full one to
 * each read(), whole records only; a read wants exactly the buffer's length.  Every block is such a
 * buffer's copy and is walked in place; the kernel may lose packets only while both its buffers are
 * full. The kernel's counters are 32 bits wide in most systems and are zeroed by attaching, by
 * BIOCSETF and by BIOCFLUSH: differences are summed up here, taken at least once a second.  The
 * reader owns everything but the wake pipe's writing end. */
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

#define KERNEL_BUFFERS 2u                 /* of each descriptor */
#define KEEP_ALL (BPE_MAX_SNAPLEN + 256u) /* PKTAP's header counts */
#define XBPF_D_LEAST                                                                               \
	96u /* struct xbpf_d of xnu-11417: minor at 4, rcount, dcount and fcount at 40, 48, 56 */

static uint32_t walk(
	struct bpei_device *d, struct bpei_block *block, const struct bpei_columns *c, uint32_t max)
{
	struct bpei_bpf *b = bpei_bpf_of(d);

	/* A filter must see the whole packet. */
	b->walk.snaplen = d->filter ? UINT32_MAX : d->snaplen;
	b->walk.keeps_pktap = d->filter;
	return bpei_walk_bpf(&b->walk, block, c, max);
}

static uint32_t unwrap_pktap(struct bpei_device *d, const struct bpei_columns *c, uint32_t i)
{
	return bpei_bpf_unwrap(&bpei_bpf_of(d)->walk, c, i);
}

static void done(struct bpei_device *d, struct bpei_block *block)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	(void)block;
	if (b->zero_copy)
		bpei_zbuf_done(b);
}

/* ---- Statistics ---- */

struct counts {
	uint64_t received, dropped, accepted;
	bool wide, has_accepted;
};

/* macOS's debug.bpf_stats has this descriptor's counters in 64 bits, and how many its filter let
 * through. */
static bool wide_counts(struct bpei_bpf *b, struct counts *c)
{
	if (!b->abi->numbered)
		return false;
	uint8_t *list = malloc(65536);
	ssize_t n = list ? b->sys.sysctl(b->sys.context, "debug.bpf_stats", list, 65536) : -ENOMEM;
	size_t size = n >= (ssize_t)XBPF_D_LEAST ? bpei_load32(list) : 0;
	bool found = false;
	for (size_t at = 0; size >= XBPF_D_LEAST && at + size <= (size_t)n && !found; at += size) {
		if ((int)bpei_load32(list + at + 4) != b->minor)
			continue;
		*c = (struct counts){ bpei_load64(list + at + 40), bpei_load64(list + at + 48),
			bpei_load64(list + at + 56), true, true };
		found = true;
	}
	free(list);
	return found;
}

static bool narrow_counts(struct bpei_bpf *b, struct counts *c)
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

/* The rise of a counter; a narrow one may have gone round. */
static uint64_t rise(uint64_t now, uint64_t *last, bool wide)
{
	uint64_t before = *last;
	*last = now;
	if (!wide)
		return (uint32_t)(now - before);
	return now >= before ? now - before : now; /* zeroed behind our back: what has come since */
}

static void stats(struct bpei_device *d)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	struct counts c = { .wide = false };
	if (b->fd < 0 || (!wide_counts(b, &c) && !narrow_counts(b, &c)))
		return;
	uint64_t known = BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED;
	if (c.has_accepted)
		known |= BPE_KNOWN_ACCEPTED;
	bpei_counter_set(&d->kernel_known, bpei_counter_get(&d->kernel_known) | known);
	uint64_t more = rise(c.received, &b->last_received, c.wide);
	bpei_counter_add(&d->kernel_received, more);
	/* A confined process may not ask any more: what comes tells that the interface is up. */
	if (more)
		bpei_counter_set(&d->interface_down, 0);
	bpei_counter_add(&d->kernel_dropped, rise(c.dropped, &b->last_dropped, c.wide));
	if (c.has_accepted)
		bpei_counter_add(&d->kernel_accepted, rise(c.accepted, &b->last_accepted, c.wide));
}

/* ---- Filter, wake, close ---- */

/* Keeps a copy of the filter, what the kernel is given of the filter, and runs the copy here until
 * the kernel has taken the filter. */
static int copy_filter(struct bpei_bpf *b, const struct bpei_filter *filter)
{
	struct bpe_insn *copy = NULL;
	struct bpei_kernel_program fit = { .length = 0 };
	uint32_t length = filter->length;

	if (length) {
		copy = malloc(length * sizeof *copy);
		if (!copy || bpei_filter_fit(b->device.kernel, filter, b->device.kernel_insns,
				     KEEP_ALL, &fit) < 0) {
			free(copy);
			return BPE_E_MEMORY;
		}
		memcpy(copy, filter->program, length * sizeof *copy);
	}
	if (bpei_device_filter_here(&b->device, copy, length) < 0) {
		free(copy);
		free(fit.program);
		return BPE_E_MEMORY;
	}
	free(b->filter);
	free(b->fit.program);
	b->filter = copy;
	b->fit = fit;
	b->filter_length = length;
	return BPE_OK;
}

/* Installs the filter without emptying the kernel's buffers (BIOCSETFNR).  The buffers then hold
 * packets that the old filter accepted, so the new one runs here until they have been read.  NetBSD
 * has no such request: there the packets in the buffers are lost, which a notice reports. */
static int set_bpf_filter(
	struct bpei_device *d, const struct bpei_filter *filter, struct bpe_error *error)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	bool keeps = b->abi->call[BPEI_BIOCSETFNR];

	if (copy_filter(b, filter) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			filter->length);
	if (b->fd < 0)
		return BPE_OK; /* the interface is away: attaching will install the filter */
	stats(d);
	int r = bpei_bpf_install(b, keeps ? BPEI_BIOCSETFNR : BPEI_BIOCSETF);
	if (r == -EINVAL && keeps && !b->zero_copy) { /* macOS before 10.9 */
		r = bpei_bpf_install(b, BPEI_BIOCSETF);
		keeps = false;
	}
	if (!keeps) {
		b->last_received = b->last_dropped = b->last_accepted = 0;
		bpei_notice(&b->options,
			"%s empties its buffers when the filter changes: what was in them is lost",
			b->abi->title);
	}
	if (r < 0)
		return bpei_fail(error, bpei_status_of(-r), keeps ? "BIOCSETFNR" : "BIOCSETF", -r,
			"%s", b->name);
	bpei_bpf_tell_filter(b);
	if (b->kernel_filters) /* the block being walked is the old filter's in any case */
		bpei_device_filter_until(d, keeps ? KERNEL_BUFFERS : 0);
	return BPE_OK;
}

static void wake(struct bpei_device *d)
{
	ssize_t n = write(bpei_bpf_of(d)->wake[1], "", 1);
	(void)n; /* full: it is woken already */
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
	free(b->filter), free(b->fit.program);
	free(b);
}

static const struct bpei_device_ops ops = { "bpf", bpei_bpf_fill, walk, done, stats, wake,
	close_bpf, set_bpf_filter, NULL, unwrap_pktap };

/* ---- Open ---- */

static int make_pipe(int wake[2])
{
	return bpei_fd_pipe(wake, true) ? -errno : 0;
}

/* "pktap" alone is a kind of interface: one is made for us, and goes when we go (as Apple's tcpdump
 * has it). */
static int make_interface(struct bpei_bpf *b, struct bpe_error *error)
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

static int open_all(struct bpei_bpf *b, struct bpe_error *error)
{
	const struct bpe_options *o = &b->options;
	const char *name = o->interface_name;
	name = bpei_device_interface(name);
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
	bool tap = !strncmp(b->name, "pktap", 5) || !strncmp(b->name, "iptap", 5);
	tap |= o->link_type == LINK_PKTAP || o->link_type == DLT_PKTAP;
	if (tap && o->header_compression && b->abi->system == BPEI_MACOS)
		return bpei_bpf_refuse_compression(error, b->name);
	if (o->zero_copy && o->wait_interface)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"zero-copy buffers go away with their interface: choose one of zero_copy and wait_interface");
	if (!o->read_interval_ns)
		b->options.read_interval_ns = BPEI_PACE_MOST_NS;
	const struct bpei_filter given = { .program = (struct bpe_insn *)(uintptr_t)o->filter,
		.length = o->filter_length }; /* copied */
	b->device.kernel = &bpei_kernels[b->abi->system];
	b->device.kernel_insns = b->device.kernel->most;
	if (o->filter && copy_filter(b, &given) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			o->filter_length);
	int r = make_pipe(b->wake);
	if (r < 0)
		return bpei_fail(
			error, BPE_E_IO, "pipe", -r, "no descriptors to wake the reader by");
	r = make_interface(b, error);
	if (r >= 0)
		r = bpei_bpf_attach(b, error);
	if (r < 0)
		return r;
	return BPE_OK;
}

/* "512 KiB"; what is no whole number of them in bytes.  A shared buffer counts with its header. */
static const char *tell_size(const struct bpei_bpf *b, char *text, size_t room)
{
	size_t bytes = b->zero_copy ? b->zbuf.bytes : b->buffer_bytes;
	if (bytes % 1024)
		snprintf(text, room, "%zu bytes", bytes);
	else
		snprintf(text, room, "%zu KiB", bytes >> 10);
	return text;
}

int bpei_bpf_open_with(const struct bpei_bpf_sys *sys, const struct bpe_options *o,
	struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_bpf *b = calloc(1, sizeof *b);
	if (!b)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	b->device = (struct bpei_device){ .ops = &ops,
		.fd = -1,
		.live = true,
		.max_blocks_in_flight = BPEI_BPF_BLOCKS,
		.snaplen = o->snaplen,
		.walk_cuts = true };
	b->options = *o;
	b->sys = *sys;
	bpei_bpf_waiter_init(&b->waiter);
	b->fd = b->wake[0] = b->wake[1] = -1;
	b->walk = (struct bpei_bpf_walk){ .torn_blocks = &b->device.torn_blocks };
	int r = open_all(b, error);
	if (r < 0) {
		close_bpf(&b->device);
		return r;
	}
	struct bpei_device *d = &b->device;
	d->maps_blocks = b->zero_copy;
	if (b->zero_copy)
		d->max_blocks_in_flight = BPEI_ZBUF_BLOCKS;
	d->block_bytes = b->block_bytes = b->buffer_bytes;
	d->has_meta = b->walk.meta;
	d->link_type = b->walk.link_type;
	/* A device that may be away, or that is looked at by the clock, has nothing to wait on. */
	d->fd = o->wait_interface || o->read_mode == BPE_READ_PACED || b->zero_copy ? -1 : b->fd;
	char size[32];
	snprintf(d->source, sizeof d->source, "interface %s (%s, %s ABI, %s%s%s)", b->name, b->node,
		b->abi->title, tell_size(b, size, sizeof size), b->zero_copy ? " zero-copy" : "",
		b->walk.pktap      ? ", PKTAP"
		: b->walk.extended ? ", extended headers"
				   : "");
	stats(d); /* what the kernel tells is known from the beginning */
	*device = d;
	return BPE_OK;
}

int bpei_bpf_open(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	return bpei_bpf_open_with(&bpei_bpf_sys_real, o, device, error);
}
