/* SPDX-License-Identifier: MIT */
/* Opening an AF_PACKET socket with a mapped ring (packet(7)).  The socket is bound last, when ring
 * and options stand, so no packet comes from elsewhere or unwanted. */
#include "device/afpacket.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "names/numbers.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
/* The kernel clears the buffer at the start, at 2.5 ms a MiB on a slow machine.  This size holds
 * 70 ms of 1.5 million small packets/s. */
#define DEFAULT_BUFFER (16u << 20)
#define MOST_BUFFER 0xffff0000u
#define DEFAULT_BLOCK (1u << 20)
#define SMALL_BLOCK (128u << 10)
#define MOST_BLOCK (64u << 20)
#define LEAST_BLOCKS 4u
#define FRAME_BYTES 2048u
#define RETIRE_MS 10

/* Chooses the link type by the interface's hardware. */
static int choose_link_type(struct bpei_afpacket *a, struct bpe_error *error)
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
	bpei_afpacket_present(&a->how, r.ifr_hwaddr.sa_family);
	return BPE_OK;
}

static int open_socket(struct bpei_afpacket *a, struct bpe_error *error)
{
	/* Raw IP comes without the link header which the interface may have. */
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

/* ---- The ring ---- */

/* Returns the smallest power-of-two multiple of a page which holds `want` bytes. */
static size_t round_block(uint32_t want)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	while (size < want && size < MOST_BLOCK)
		size *= 2;
	return size;
}

/* Returns the size of a block for a buffer of the size. */
static size_t choose_block_bytes(const struct bpe_options *o, uint64_t buffer)
{
	size_t bytes = round_block(o->block_bytes ? o->block_bytes : DEFAULT_BLOCK);

	/* Size and number of the buffer's blocks say how long a block is. */
	if (!o->block_bytes && o->buffer_bytes && o->block_count)
		return round_block((uint32_t)(buffer / o->block_count));
	while (!o->block_bytes && bytes > SMALL_BLOCK && buffer / bytes < LEAST_BLOCKS * 2)
		bytes /= 2;
	return bytes;
}

static int set_packet_version(struct bpei_afpacket *a, struct bpe_error *error)
{
	int version = TPACKET_V3;

	if (setsockopt(a->device.fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version))
		return bpei_fail(error, BPE_E_UNSUPPORTED, "PACKET_VERSION", errno,
			"TPACKET_V3 needs Linux 3.2 or later");
	return BPE_OK;
}

/* Writes a number of bytes in the largest unit that divides it.  Returns text. */
static const char *write_size(char *text, size_t room, uint64_t bytes)
{
	if (bytes % (1u << 20) == 0)
		snprintf(text, room, "%llu MiB", (unsigned long long)(bytes >> 20));
	else if (bytes % 1024 == 0)
		snprintf(text, room, "%llu KiB", (unsigned long long)(bytes >> 10));
	else
		snprintf(text, room, "%llu bytes", (unsigned long long)bytes);
	return text;
}

/* Refuses a number of blocks that makes another buffer than the size that was asked for. */
static int check_blocks(const struct bpei_afpacket *a, struct bpe_error *error)
{
	const struct bpe_options *o = &a->options;
	const uint64_t made = (uint64_t)a->block_bytes * o->block_count;
	char block[32], whole[32];

	if (!o->buffer_bytes || !o->block_count)
		return BPE_OK;
	if (made >= o->buffer_bytes && made - o->buffer_bytes < a->block_bytes)
		return BPE_OK;
	return bpei_fail(error, BPE_E_ARGUMENT, "PACKET_RX_RING", 0,
		"%s contradict each other: %u blocks of %s are %s",
		o->option_words ? "-B and --block-count"
				: "buffer_bytes (-B) and block_count (--block-count)",
		o->block_count, write_size(block, sizeof block, a->block_bytes),
		write_size(whole, sizeof whole, made));
}

/* Tells of a ring that is not what the options say. */
static void tell_ring(const struct bpei_afpacket *a, uint64_t asked, bool halved)
{
	const struct bpe_options *o = &a->options;
	char got[32], want[32];

	if (o->block_count && !halved && a->blocks != o->block_count)
		bpei_notice(o, "%s: the kernel's buffer has %u blocks, not %u",
			o->option_words ? "--block-count" : "block_count (--block-count)",
			a->blocks, o->block_count);
	else if (halved || (o->buffer_bytes && !o->block_count && a->ring_bytes != asked))
		bpei_notice(o, "the kernel gave a buffer of %s, not %s",
			write_size(got, sizeof got, a->ring_bytes),
			write_size(want, sizeof want, asked));
}

/* Asks the kernel for a ring; halves the size until the kernel has the memory. */
static int request_ring(struct bpei_afpacket *a, uint64_t asked, struct bpe_error *error)
{
	const struct bpe_options *o = &a->options;

	for (uint64_t buffer = asked;; buffer /= 2) {
		a->blocks = (uint32_t)(buffer / a->block_bytes);
		if (o->block_count && buffer == asked)
			a->blocks = o->block_count;
		if (a->blocks < LEAST_BLOCKS)
			a->blocks = LEAST_BLOCKS;
		struct tpacket_req3 r = { .tp_block_size = (unsigned)a->block_bytes,
			.tp_block_nr = a->blocks,
			.tp_frame_size = FRAME_BYTES,
			.tp_frame_nr = (unsigned)(a->block_bytes / FRAME_BYTES * a->blocks),
			.tp_retire_blk_tov = RETIRE_MS };
		a->ring_bytes = a->block_bytes * a->blocks;
		if (!setsockopt(a->device.fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r)) {
			tell_ring(a, asked, buffer != asked);
			return BPE_OK;
		}
		if ((errno != ENOMEM && errno != EINVAL) || a->blocks == LEAST_BLOCKS)
			return bpei_fail(error, BPE_E_MEMORY, "PACKET_RX_RING", errno,
				"no kernel buffer of %zu bytes in blocks of %zu (ask for less with -B)",
				a->ring_bytes, a->block_bytes);
	}
}

static int make_ring(struct bpei_afpacket *a, struct bpe_error *error)
{
	const struct bpe_options *o = &a->options;
	uint64_t buffer = o->buffer_bytes ? o->buffer_bytes : DEFAULT_BUFFER;

	a->block_bytes = choose_block_bytes(o, buffer);
	if (buffer > MOST_BUFFER)
		return bpei_fail(error, BPE_E_ARGUMENT, "PACKET_RX_RING", 0,
			"a buffer of %llu bytes is too large: at most 4 GiB",
			(unsigned long long)buffer);
	int r = check_blocks(a, error);
	if (r >= 0)
		r = set_packet_version(a, error);
	if (r >= 0)
		r = request_ring(a, buffer, error);
	if (r < 0)
		return r;
	a->ring = mmap(NULL, a->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->device.fd, 0);
	if (a->ring == MAP_FAILED) {
		a->ring = NULL;
		return bpei_fail(error, BPE_E_MEMORY, "mmap", errno,
			"the kernel buffer of %zu bytes", a->ring_bytes);
	}
	return BPE_OK;
}

/* ---- Options and interface ---- */

/* Tells why nothing waits for the interface's return. */
static void tell_vain_wait(struct bpei_afpacket *a)
{
	const struct bpe_options *o = &a->options;
	const char *why = "\"any\" has each interface that comes";

	if (!o->wait_interface || (a->index && !o->fanout))
		return;
	if (a->index)
		why = "the kernel binds no socket of a group again, so the run ends with the interface";
	bpei_notice(o, "%s has no effect here: %s",
		o->option_words ? "--wait-interface" : "wait_interface (--wait-interface)", why);
	a->options.wait_interface = false;
}

/* Asks the kernel to leave loopback's second copies out (else walk skips them), and for promiscuous
 * mode.  A failure is no error. */
static void request_options(struct bpei_afpacket *a)
{
	int one = 1;

	if (a->how.skip_outgoing && a->index)
		setsockopt(a->device.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
	if (a->how.skip_outgoing && a->index && a->how.direction == BPE_DIRECTION_OUT)
		bpei_notice(&a->options,
			"packets of %s come once, as incoming: the direction out (-Q out) shows none",
			a->name);
	bpei_afpacket_promiscuous(a);
	tell_vain_wait(a);
}

/* Takes the interface's own name instead of another name or the label of an address (eth0:1). */
static void take_real_name(struct bpei_afpacket *a)
{
	char real[IF_NAMESIZE];

	if (!if_indextoname((unsigned)a->index, real) || !strcmp(real, a->name))
		return;
	if (strchr(a->name, ':'))
		bpei_notice(&a->options,
			"%s is an address of %s: all packets of %s are captured (a filter chooses: host ADDRESS)",
			a->name, real, real);
	memcpy(a->name, real, sizeof real);
}

static int find_index(struct bpei_afpacket *a, struct bpe_error *error)
{
	const char *name = bpei_device_interface(a->options.interface_name);

	if (!name[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"the interface's name is empty (bpfengine -L lists them)");
	if (strlen(name) >= sizeof a->name)
		return bpei_fail(error, BPE_E_ABSENT, "open", 0,
			"interface names have at most %zu characters: %.64s (bpfengine -L lists them)",
			sizeof a->name - 1, name);
	memcpy(a->name, name, strlen(name) + 1);
	if (!strcmp(a->options.interface_name, "any"))
		return BPE_OK;
	a->index = (int)if_nametoindex(name);
	if (!a->index && a->options.wait_interface)
		return bpei_fail(error, BPE_E_ABSENT, "open", 0,
			"%s: no such interface (--wait-interface waits for the return of an interface that was there at the start; bpfengine -L lists them)",
			name);
	if (!a->index)
		return bpei_fail(error, BPE_E_ABSENT, "open", 0,
			"%s: no such interface (bpfengine -L lists them)", name);
	take_real_name(a);
	return BPE_OK;
}

static bool has_filter(const struct bpe_options *o)
{
	return o->filter || o->filter_expression;
}

static int attach_no_filter(struct bpei_afpacket *a, struct bpe_error *error)
{
	int r = bpei_afpacket_attach_none(a);
	return r < 0 ? bpei_fail(error, BPE_E_IO, "SO_ATTACH_FILTER", -r, "%s", a->name) : BPE_OK;
}

/* Attaches the program which holds until a filter is set: no packets if there will be a filter.  A
 * socket outside of the group rejects all packets: other members get the packets. */
static int attach_first_program(struct bpei_afpacket *a, struct bpe_error *error)
{
	static const struct bpe_insn reject = { .code = 0x06 };

	if (!has_filter(&a->options) && !a->options.fanout)
		return attach_no_filter(a, error);
	a->shut = bpei_afpacket_attach(a, &reject, 1) >= 0;
	return BPE_OK;
}

/* ---- Groups of sockets (PACKET_FANOUT) ---- */

/* The modes in the order of enum bpe_fanout. */
static const struct {
	const char *name;
	uint32_t kernel;
} fanout_modes[] = { { "", 0 }, { "hash", PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG },
	{ "lb", PACKET_FANOUT_LB }, { "cpu", PACKET_FANOUT_CPU }, { "qm", PACKET_FANOUT_QM } };

/* Says why the socket is in no group. */
static int fail_group(struct bpei_afpacket *a, int why, struct bpe_error *error)
{
	const struct bpe_options *o = &a->options;
	const char *option = o->option_words ? "--fanout" : "fanout (--fanout)";
	const uint32_t group = o->fanout_group;

	bpei_afpacket_check_interface(a);
	if (why == ENOSPC)
		return bpei_fail(error, BPE_E_BUSY, "PACKET_FANOUT", why,
			"%s: group %u is full (the kernel allows 256 members): take another group",
			option, group);
	if (why == EINVAL && a->down)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "PACKET_FANOUT", why,
			"%s: %s is down, and this kernel has groups on interfaces that are up: ip link set %s up",
			option, a->name, a->name);
	if (why == EINVAL)
		return bpei_fail(error, BPE_E_ARGUMENT, "PACKET_FANOUT", why,
			"%s: group %u has another mode than %s, or another interface than %s: give all its members the same of both, or take another group",
			option, group, fanout_modes[o->fanout].name, a->name);
	return bpei_fail(error, bpei_status_of(why), "PACKET_FANOUT", why, "%s: group %u on %s",
		option, group, a->name);
}

/* Puts the bound socket into the group, and lets packets in. */
static int join_fanout(struct bpei_afpacket *a, struct bpe_error *error)
{
	const struct bpe_options *o = &a->options;
	const uint32_t word = o->fanout_group | fanout_modes[o->fanout].kernel << 16;

	if (!o->fanout)
		return BPE_OK;

	if (setsockopt(a->device.fd, SOL_PACKET, PACKET_FANOUT, &word, sizeof word))
		return fail_group(a, errno, error);
	if (has_filter(o))
		return BPE_OK;
	a->shut = false;
	return attach_no_filter(a, error);
}

/* ---- The device ---- */

/* Opens the socket: ring, options, binding, group. */
static int open_afpacket(struct bpei_afpacket *a, struct bpe_error *error)
{
	int r = find_index(a, error);

	if (r >= 0)
		r = choose_link_type(a, error);
	if (r >= 0)
		r = open_socket(a, error);
	if (r >= 0)
		r = make_ring(a, error);
	if (r < 0)
		return r;
	a->how.skip_outgoing |= !a->index;
	a->device.many_interfaces = !a->index;
	request_options(a);
	r = attach_first_program(a, error);
	if (r >= 0)
		r = bpei_afpacket_bind(a, error);
	if (r >= 0)
		r = join_fanout(a, error);
	if (r < 0)
		return r;
	a->wake = bpei_fd_keep(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (a->wake < 0)
		return bpei_fail(
			error, BPE_E_IO, "eventfd", errno, "no descriptor to wake the reader by");
	bpei_afpacket_open_counters(a);
	a->interface_base = bpei_afpacket_interface_drops(a);
	bpei_afpacket_check_interface(a);
	return BPE_OK;
}

/* Sets the members of the device which depend on the ring. */
static void publish_afpacket(struct bpei_afpacket *a)
{
	uint64_t known = BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED | BPE_KNOWN_ACCEPTED;

	if (a->counters[0] >= 0 || a->counters[1] >= 0)
		known |= BPE_KNOWN_INTERFACE_DROPPED;
	bpei_counter_set(&a->device.kernel_known, known);
	a->device.link_type = a->how.link_type;
	/* The kernel keeps some blocks to go on with. */
	a->device.max_blocks_in_flight = a->blocks - a->blocks / 4;
	char group[32] = "";

	if (a->options.fanout)
		snprintf(group, sizeof group, ", group %u by %s", a->options.fanout_group,
			fanout_modes[a->options.fanout].name);
	snprintf(a->device.source, sizeof a->device.source,
		"interface %s (AF_PACKET, %zu KiB in %u blocks%s)", a->name, a->ring_bytes >> 10,
		a->blocks, group);
}

int bpei_afpacket_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_afpacket *a = calloc(1, sizeof *a);

	if (!a)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	a->device = (struct bpei_device){ .ops = &bpei_afpacket_ops,
		.fd = -1,
		.maps_blocks = true,
		.live = true,
		.late_ns = 3 * RETIRE_MS * 1000000, /* a block may stay open for two ticks */
		.snaplen = o->snaplen,
		.kernel = &bpei_kernels[BPEI_KERNEL_LINUX],
		.kernel_insns = bpei_kernels[BPEI_KERNEL_LINUX].given };
	a->options = *o;
	a->wake = -1;
	a->counters[0] = -1;
	a->counters[1] = -1;
	a->how = (struct bpei_tpacket){ .direction = o->direction,
		.torn_blocks = &a->device.torn_blocks,
		.duplicates = &a->device.duplicates,
		.duplicate_captured = &a->device.duplicate_captured,
		.duplicate_wire = &a->device.duplicate_wire };
	int r = open_afpacket(a, error);
	if (r < 0) {
		bpei_device_close(&a->device);
		return r;
	}
	publish_afpacket(a);
	*device = &a->device;
	return BPE_OK;
}
