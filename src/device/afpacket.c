/* SPDX-License-Identifier: MIT */
/* Live capture on Linux: a mapped TPACKET_V3 ring (packet(7);
 * Documentation/networking/packet_mmap.rst).
 *
 * The kernel fills blocks in turn and hands each over when it is full or RETIRE_MS old; fill waits
 * for the next one, done hands it back, in the same order.  Nothing is copied.  If we hold them all
 * the kernel drops and counts: PACKET_STATISTICS, whose counters are zeroed by reading, so they are
 * summed up here. The socket is bound last, when ring and options stand, so that no packet comes
 * from elsewhere or unwanted. An interface that goes down is told once and waited for.  One that is
 * removed is told after its last blocks were given. Whoever opened it may give up its rights then,
 * and the file system, and sockets: what is asked later goes over what is open by then. Hazard: a
 * block's status word is shared with the kernel: acquire before reading the block, release when
 * done. */
#include "device/afpacket.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "names/numbers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
#define DEFAULT_BUFFER                                                                             \
	(16u << 20) /* the kernel clears it at the start: 2.5 ms a MiB on a slow machine, and 70   \
		       ms of 1.5 million small packets/s */
#define DEFAULT_BLOCK (1u << 20)
#define LEAST_BLOCKS 4u
#define RETIRE_MS 10
#define OUT_WAIT_MS 1
#define LAST_WAIT_MS 50 /* for blocks of an interface that is gone */

struct afpacket {
	struct bpei_device device;
	struct bpe_options options;
	struct bpei_tpacket how;
	char name[IFNAMSIZ];
	int wake, index;
	int counters[2]; /* the interface's, in sysfs; -1: none */
	uint8_t *ring;
	size_t ring_bytes, block_bytes;
	uint32_t blocks, next, lent; /* next to be filled by us; filled and not done */
	bool down, gone;
	bool shut; /* a filter that lets nothing through is attached, until the real one is */
	uint64_t interface_base;
};

static struct afpacket *of(struct bpei_device *d)
{
	return (struct afpacket *)(void *)d;
}

static _Atomic uint32_t *status_of(struct afpacket *a, uint32_t block)
{
	struct tpacket_block_desc *d = (void *)(a->ring + block * a->block_bytes);
	return (_Atomic uint32_t *)&d->hdr.bh1.block_status;
}

/* ---- Capturing ---- */

static bool interface_is_there(struct afpacket *a)
{
	struct ifreq r = { .ifr_ifindex =
				   a->index }; /* not if_indextoname: it would make a socket */
	return !a->index || !ioctl(a->device.fd, SIOCGIFNAME, &r) || errno != ENODEV;
}

static void look_at_interface(struct afpacket *a)
{
	struct ifreq r = { .ifr_flags = 0 };
	if (!a->index || a->gone)
		return;
	if (!interface_is_there(a)) {
		a->gone = true;
		return;
	}
	memcpy(r.ifr_name, a->name, sizeof a->name);
	if (ioctl(a->device.fd, SIOCGIFFLAGS, &r))
		return;
	bool down = !(r.ifr_flags & IFF_UP);
	if (down != a->down)
		bpei_notice(&a->options, "interface %s is %s", a->name,
			down ? "down: waiting for it" : "up");
	a->down = down;
	bpei_counter_set(&a->device.interface_down, down);
}

static bool ready(struct afpacket *a)
{
	/* pairs: kernel, prb_close_block */
	return a->lent < a->blocks &&
	       atomic_load_explicit(status_of(a, a->next), memory_order_acquire) & TP_STATUS_USER;
}

static int fill(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct afpacket *a = of(d);
	if (!ready(a)) {
		/* While the block before the next one is out, the kernel calls the socket readable
		 * (packet_poll asks whose the previous block is): a poll would return at once,
		 * again and again.  Then the time alone ends the wait, and soon. */
		struct pollfd p[2] = { { .fd = a->lent ? -1 : d->fd, .events = POLLIN },
			{ .fd = a->wake, .events = POLLIN } };
		int ms = timeout_ns < 0               ? -1
			 : timeout_ns > 1000000000000 ? 1000000
						      : (int)((timeout_ns + 999999) / 1000000);
		if (a->lent && (ms < 0 || ms > OUT_WAIT_MS))
			ms = OUT_WAIT_MS;
		int r = poll(p, 2, a->gone ? LAST_WAIT_MS : ms);
		if (r > 0 && p[1].revents) {
			uint64_t n;
			while (read(a->wake, &n, sizeof n) > 0)
				continue;
		}
		if (r > 0 && p[0].revents & POLLERR) {
			int e = 0;
			socklen_t size = sizeof e;
			getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &e, &size); /* clears it */
			look_at_interface(a);
			if (a->down)
				bpei_clock_sleep_ns(1000000); /* the error may come again at once */
		}
		if (!ready(a)) {
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
	b->length = b->stop_offset = a->block_bytes;
	b->position = desc->hdr.bh1.offset_to_first_pkt;
	b->device_data = 0;
	bpei_device_filled(d, desc->hdr.bh1.blk_len, a->block_bytes);
	a->next = (a->next + 1) % a->blocks;
	a->lent++;
	return 1;
}

static uint32_t walk(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	return bpei_walk_tpacket(&of(d)->how, b, c, max);
}

static void done(struct bpei_device *d, struct bpei_block *b)
{
	struct afpacket *a = of(d);
	uint32_t block = (uint32_t)((size_t)(b->bytes - a->ring) / a->block_bytes);
	a->lent--;
	/* pairs: kernel, prb_open_block */
	atomic_store_explicit(status_of(a, block), TP_STATUS_KERNEL, memory_order_release);
}

/* ---- Filter ---- */

static int attach(struct afpacket *a, const struct bpe_insn *program, uint32_t length)
{
	_Static_assert(sizeof(struct sock_filter) == sizeof *program &&
			       offsetof(struct sock_filter, k) == offsetof(struct bpe_insn, k),
		"the same");
	struct sock_fprog p = { .len = (unsigned short)length,
		.filter = (struct sock_filter *)(uintptr_t)program };
	return setsockopt(a->device.fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) ? -errno : 0;
}

/* Every packet once, and of those no more than will be shown. */
static int attach_none(struct afpacket *a)
{
	int off = 0;
	struct bpe_insn some[BPEI_TPACKET_NONE];
	uint32_t n = bpei_tpacket_filter_none(&a->how, a->device.snaplen, some);
	if (n)
		return attach(a, some, n);
	return setsockopt(a->device.fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off) &&
			       errno != ENOENT
		       ? -errno
		       : 0;
}

/* The kernel's is changed at a stroke.  What the ring holds by then was let through by the old one,
 * so the new one is run here until every block has come once, and for good where the kernel's is
 * wider. */
static int set_filter(struct bpei_device *d, const struct bpei_filter *f, struct bpe_error *error)
{
	struct afpacket *a = of(d);
	struct bpei_kernel_program fit = { .exact = false };
	bool shut = a->shut;
	if (bpei_device_filter_here(d, f->program, f->length) < 0 ||
		(f->length && bpei_tpacket_filter(&a->how, f, &fit) < 0))
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			f->length);
	int r = f->length ? attach(a, fit.program, fit.length) : -EINVAL;
	free(fit.program);
	if (r < 0) {
		int none = attach_none(a);
		if (none < 0)
			return bpei_fail(error, BPE_E_IO, "SO_ATTACH_FILTER", -none, "%s", a->name);
		if (f->length)
			bpei_notice(&a->options,
				"the kernel does not take the filter (%s): it runs here",
				strerror(-r));
	} else if (f->wide) {
		bpei_notice(&a->options,
			"the filter has %u instructions, more than the kernel is given: it gets the widest part of it, the rest is filtered here",
			f->length);
	}
	a->shut = false;
	if (r < 0 || !fit.exact)
		return BPE_OK;
	if (shut)
		bpei_device_filter_here(d, NULL, 0);
	else
		bpei_device_filter_until(d, a->blocks);
	return BPE_OK;
}

static void open_counters(struct afpacket *a)
{
	static const char *const names[] = { "rx_dropped", "rx_missed_errors" };
	char path[128];
	for (int i = 0; i < 2 && a->index; i++) {
		snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", a->name, names[i]);
		a->counters[i] = bpei_fd_open(path, O_RDONLY);
	}
}

static uint64_t interface_drops(const struct afpacket *a)
{
	uint64_t sum = 0;
	for (int i = 0; i < 2; i++) {
		char text[32] = "";
		if (a->counters[i] >= 0 && pread(a->counters[i], text, sizeof text - 1, 0) > 0)
			sum += strtoull(text, NULL, 10);
	}
	return sum;
}

static void stats(struct bpei_device *d)
{
	struct afpacket *a = of(d);
	struct tpacket_stats_v3 s;
	socklen_t size = sizeof s;
	if (!getsockopt(d->fd, SOL_PACKET, PACKET_STATISTICS, &s,
		    &size)) { /* tp_packets includes tp_drops */
		bpei_counter_add(&d->kernel_received, s.tp_packets);
		bpei_counter_add(
			&d->kernel_accepted, s.tp_packets); /* it counts behind the filter */
		bpei_counter_add(&d->kernel_dropped, s.tp_drops);
	}
	uint64_t drops = interface_drops(a);
	if (drops > a->interface_base)
		bpei_counter_max(&d->interface_dropped, drops - a->interface_base);
	look_at_interface(a);
}

static void wake(struct bpei_device *d)
{
	uint64_t one = 1;
	ssize_t n = write(of(d)->wake, &one, sizeof one);
	(void)n;
}

static void close_afpacket(struct bpei_device *d)
{
	struct afpacket *a = of(d);
	if (a->ring)
		munmap(a->ring, a->ring_bytes);
	if (d->fd >= 0)
		close(d->fd);
	if (a->wake >= 0)
		close(a->wake);
	for (int i = 0; i < 2; i++)
		if (a->counters[i] >= 0)
			close(a->counters[i]);
	free(a);
}

static const struct bpei_device_ops ops = { "af_packet", fill, walk, done, stats, wake,
	close_afpacket, set_filter, NULL, NULL };

/* ---- Open ---- */

static int choose_link_type(struct afpacket *a, struct bpe_error *error)
{
	struct ifreq r = { .ifr_flags = 0 };
	a->how.link_type = LINK_SLL2;
	a->how.cooked = true;
	if (!a->index)
		return BPE_OK;
	memcpy(r.ifr_name, a->name, sizeof a->name);
	int s = bpei_fd_keep(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int failed = s < 0 || ioctl(s, SIOCGIFHWADDR, &r) ? errno : 0;
	if (s >= 0)
		close(s);
	if (failed)
		return bpei_fail(
			error, bpei_status_of(failed), "SIOCGIFHWADDR", failed, "%s", a->name);
	switch (r.ifr_hwaddr.sa_family) {
	case ARPHRD_ETHER:
		a->how.link_type = LINK_ETHERNET;
		break;
	case ARPHRD_LOOPBACK:
		a->how.link_type = LINK_ETHERNET;
		a->how.skip_outgoing = true;
		break;
	case ARPHRD_IEEE80211:
		a->how.link_type = LINK_WLAN;
		break;
	case ARPHRD_IEEE80211_RADIOTAP:
		a->how.link_type = LINK_RADIOTAP;
		break;
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		a->how.link_type = LINK_RAW;
		break;
	default:
		return BPE_OK; /* no name for it: cooked */
	}
	a->how.cooked = false;
	return BPE_OK;
}

static int open_socket(struct afpacket *a, struct bpe_error *error)
{
	/* Raw IP comes without whatever link header the interface may have. */
	bool network_layer = a->how.cooked || a->how.link_type == LINK_RAW;
	int kind = network_layer ? SOCK_DGRAM : SOCK_RAW;
	a->device.fd = bpei_fd_keep(socket(AF_PACKET, kind | SOCK_CLOEXEC, 0));
	if (a->device.fd >= 0)
		return BPE_OK;
	if (errno == EPERM || errno == EACCES)
		return bpei_fail(error, BPE_E_RIGHTS, "socket", errno,
			"capturing on %s needs rights: run it with sudo, or once: sudo setcap "
			"cap_net_raw,cap_net_admin+ep followed by the path of bpfengine",
			a->name);
	return bpei_fail(error, bpei_status_of(errno), "socket", errno, "AF_PACKET");
}

static size_t round_block(uint32_t want)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page;
	while (size < want && size < 64u << 20)
		size *= 2;
	return size;
}

static int make_ring(struct afpacket *a, struct bpe_error *error)
{
	int version = TPACKET_V3;
	unsigned reserve = TPACKET_ALIGN(BPEI_COOKED_HEADER + BPEI_TAG);
	const struct bpe_options *o = &a->options;
	uint64_t buffer = o->buffer_bytes ? o->buffer_bytes : DEFAULT_BUFFER;
	a->block_bytes = round_block(o->block_bytes ? o->block_bytes : DEFAULT_BLOCK);
	while (!o->block_bytes && a->block_bytes > 65536 * 2 &&
		buffer / a->block_bytes < LEAST_BLOCKS * 2)
		a->block_bytes /= 2;
	if (buffer > 0xffff0000u)
		return bpei_fail(error, BPE_E_ARGUMENT, "PACKET_RX_RING", 0,
			"a buffer of %llu bytes is too large: at most 4 GiB",
			(unsigned long long)buffer);
	if (setsockopt(a->device.fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version))
		return bpei_fail(error, BPE_E_UNSUPPORTED, "PACKET_VERSION", errno,
			"TPACKET_V3 needs Linux 3.2 or later");
	if (setsockopt(a->device.fd, SOL_PACKET, PACKET_RESERVE, &reserve, sizeof reserve))
		return bpei_fail(error, BPE_E_IO, "PACKET_RESERVE", errno, "%s", a->name);
	for (uint64_t asked = buffer;; buffer /= 2) {
		a->blocks = o->block_count && buffer == asked ? o->block_count
							      : (uint32_t)(buffer / a->block_bytes);
		if (a->blocks < LEAST_BLOCKS)
			a->blocks = LEAST_BLOCKS;
		struct tpacket_req3 r = { .tp_block_size = (unsigned)a->block_bytes,
			.tp_block_nr = a->blocks,
			.tp_frame_size = 2048,
			.tp_frame_nr = (unsigned)(a->block_bytes / 2048 * a->blocks),
			.tp_retire_blk_tov = RETIRE_MS };
		a->ring_bytes = a->block_bytes * a->blocks;
		if (!setsockopt(a->device.fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r)) {
			if (buffer != asked)
				bpei_notice(o, "the kernel gave a buffer of %zu bytes, not %llu",
					a->ring_bytes, (unsigned long long)asked);
			break;
		}
		if ((errno != ENOMEM && errno != EINVAL) || a->blocks == LEAST_BLOCKS)
			return bpei_fail(error, BPE_E_MEMORY, "PACKET_RX_RING", errno,
				"no kernel buffer of %zu bytes in blocks of %zu (ask for less with -B)",
				a->ring_bytes, a->block_bytes);
	}
	a->ring = mmap(NULL, a->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->device.fd, 0);
	if (a->ring == MAP_FAILED) {
		a->ring = NULL;
		return bpei_fail(error, BPE_E_MEMORY, "mmap", errno,
			"the kernel buffer of %zu bytes", a->ring_bytes);
	}
	return BPE_OK;
}

static void ask_for_extras(struct afpacket *a)
{
	int one = 1;
	struct packet_mreq m = { .mr_ifindex = a->index, .mr_type = PACKET_MR_PROMISC };
	if (a->how.skip_outgoing && a->index) /* else walk skips them */
		setsockopt(a->device.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
	if (!a->options.promiscuous)
		return;
	if (!a->index)
		bpei_notice(&a->options,
			"\"any\" cannot be promiscuous: capturing what this host sees");
	else if (setsockopt(a->device.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m))
		bpei_notice(&a->options, "interface %s is not promiscuous: %s", a->name,
			strerror(errno));
}

static int open_all(struct afpacket *a, struct bpe_error *error)
{
	const char *given = a->options.interface_name, *name = bpei_device_interface(given);
	const bool any = !strcmp(given, "any");
	if (!name[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"the interface's name is empty (bpfengine -L lists them)");
	if (strlen(name) >= sizeof a->name)
		return bpei_fail(error, BPE_E_ABSENT, "open", 0,
			"interface names have at most %zu characters: %.64s (bpfengine -L lists them)",
			sizeof a->name - 1, name);
	memcpy(a->name, name, strlen(name) + 1);
	if (!any) {
		a->index = (int)if_nametoindex(name);
		if (!a->index)
			return bpei_fail(error, BPE_E_ABSENT, "open", 0,
				"%s: no such interface (bpfengine -L lists them)", name);
	}
	int r = choose_link_type(a, error);
	if (r >= 0)
		r = open_socket(a, error);
	if (r >= 0)
		r = make_ring(a, error);
	if (r < 0)
		return r;
	a->how.skip_outgoing |= !a->index;
	a->device.many_interfaces = !a->index;
	ask_for_extras(a);
	if (a->options.filter || a->options.filter_expression) {
		static const struct bpe_insn nothing = { .code = 0x06 };
		a->shut = attach(a, &nothing, 1) >= 0;
	} else if ((r = attach_none(a)) < 0) {
		return bpei_fail(error, BPE_E_IO, "SO_ATTACH_FILTER", -r, "%s", a->name);
	}
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = a->index
	};
	if (bind(a->device.fd, (struct sockaddr *)&to, sizeof to))
		return bpei_fail(error, bpei_status_of(errno), "bind", errno, "%s", a->name);
	a->wake = bpei_fd_keep(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (a->wake < 0)
		return bpei_fail(
			error, BPE_E_IO, "eventfd", errno, "no descriptor to wake the reader by");
	open_counters(a);
	a->interface_base = interface_drops(a);
	look_at_interface(a);
	return BPE_OK;
}

int bpei_afpacket_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct afpacket *a = calloc(1, sizeof *a);
	if (!a)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	a->device = (struct bpei_device){ .ops = &ops,
		.fd = -1,
		.maps_blocks = true,
		.live = true,
		.snaplen = o->snaplen,
		.kernel = &bpei_kernels[BPEI_KERNEL_LINUX],
		.kernel_insns = bpei_kernels[BPEI_KERNEL_LINUX].given };
	a->options = *o;
	a->wake = a->counters[0] = a->counters[1] = -1;
	a->how = (struct bpei_tpacket){ .direction = o->direction,
		.torn_blocks = &a->device.torn_blocks,
		.duplicates = &a->device.duplicates,
		.duplicate_captured = &a->device.duplicate_captured,
		.duplicate_wire = &a->device.duplicate_wire };
	int r = open_all(a, error);
	if (r < 0) {
		close_afpacket(&a->device);
		return r;
	}
	const uint64_t told = BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED | BPE_KNOWN_ACCEPTED;
	bool sees_drops = a->counters[0] >= 0 || a->counters[1] >= 0;
	bpei_counter_set(
		&a->device.kernel_known, told | (sees_drops ? BPE_KNOWN_INTERFACE_DROPPED : 0));
	a->device.link_type = a->how.link_type;
	a->device.max_blocks_in_flight =
		a->blocks - a->blocks / 4; /* the kernel keeps some to go on with */
	snprintf(a->device.source, sizeof a->device.source,
		"interface %s (AF_PACKET, %zu KiB in %u blocks)", a->name, a->ring_bytes >> 10,
		a->blocks);
	*device = &a->device;
	return BPE_OK;
}
