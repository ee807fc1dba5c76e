/* SPDX-License-Identifier: MIT */
/* The ladder: every request between open() and the first packet.  All four systems allow this
 * order. A failing step names itself, and closing the node undoes everything before.  No rung is
 * tried twice on a descriptor: on macOS a failed BIOCSETIF may leave the descriptor linked to the
 * interface (bpf_attachd).
 *
 * Fences, with their reasons:
 * - BIOCSEXTHDR comes before BIOCSETIF.  Switched on while plain records lie in the buffers, macOS
 *   fills in fields of extended headers inside packets.  Up to 46 bytes past the buffer are written
 *   (bpfread).
 * - BIOCSHEADDROP comes before BIOCSBLEN: in macOS 11 and 12 head drop doubles the limit of the
 *   buffer.
 * - Header compression and PKTAP exclude each other.  bpfread fills in a packet's process only
 * where nothing was left out, and the comparison for what to leave out comes before.
 * - BIOCSHDRCOMP gets 1 or nothing.  Any other value makes macOS return with the global BPF lock
 *   held (bpf.c, all of 13 to 15).
 * - BIOCIMMEDIATE gets 0 or 1: macOS reads the lowest byte only.
 * - The tables lack BIOCSDVRTIN, which cuts the host off the interface, and all of writing. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"
#include "names/numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* macOS 13 and later give a buffer of this size; other kernels cut the size to their limit. */
#define WANTED_BUFFER (32u << 20)
#define MOST_BUFFER (1u << 30)
#define LEAST_BUFFER 4096u
#define LEAST_KERNEL_BUFFER 32u
#define FIRST_PACKET_NS 10000000
#define FREEBSD_NANOTIME 1u
#define DLT_LIST_MOST 64u

static int set_u32(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t value)
{
	return bpei_bpf_call_u32(b, call, &value);
}

static int set_timeval(struct bpei_bpf *b, enum bpei_bpf_call call, int64_t ns)
{
	/* 16 bytes for all systems: macOS's tv_usec has 4 bytes, and 4 of padding. */
	uint8_t timeval[16] = { 0 };
	uint64_t microseconds = (uint64_t)(ns % 1000000000 / 1000);

	bpei_store64(timeval, (uint64_t)(ns / 1000000000));
	if (b->abi->microsecond_bytes == 4)
		bpei_store32(timeval + 8, (uint32_t)microseconds);
	else
		bpei_store64(timeval + 8, microseconds);
	return bpei_bpf_call(b, call, timeval);
}

/* Writes the error of a request that returned r = -errno; `hint`: what the user can do, or NULL. */
static int fail_request(struct bpei_bpf *b, struct bpe_error *error, enum bpei_bpf_call call, int r,
	const char *hint)
{
	/* A request that the device does not know may be another system's. */
	if (!hint && b->options.bpf_abi && (r == -EINVAL || r == -ENOTTY))
		return bpei_fail(error, BPE_E_UNSUPPORTED, bpei_bpf_call_name(call), -r,
			"%s: %s does not know this request of %s's BPF devices: --bpf-abi must name"
			" the system whose device it is (here that is %s, without --bpf-abi)",
			b->name, b->node, b->abi->title, bpei_bpf_abi_native()->name);
	if (!hint)
		return bpei_fail(
			error, bpei_status_of(-r), bpei_bpf_call_name(call), -r, "%s", b->name);
	return bpei_fail(
		error, bpei_status_of(-r), bpei_bpf_call_name(call), -r, "%s: %s", b->name, hint);
}

static bool names_tap(const struct bpei_bpf *b)
{
	return !strncmp(b->name, "pktap", 5) || !strncmp(b->name, "iptap", 5);
}

/* ---- The rungs before BIOCSETIF ---- */

/* Checks that the node speaks BPF, and the version of the kernel's filter machine. */
static int check_version(struct bpei_bpf *b, struct bpe_error *error)
{
	uint16_t version[2] = { 0, 0 };
	int r = bpei_bpf_call(b, BPEI_BIOCVERSION, version);
	bool unknown = r == -ENOTTY || r == -EINVAL;

	if (r < 0)
		return bpei_fail(error, unknown ? BPE_E_UNSUPPORTED : bpei_status_of(-r),
			"BIOCVERSION", -r, "%s is no BPF device of %s", b->node, b->abi->title);
	if (version[0] != 1 || version[1] < 1)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "BIOCVERSION", 0,
			"the kernel's filter machine is version %u.%u, not 1.1", version[0],
			version[1]);
	return BPE_OK;
}

/* Asks for zero-copy buffers, if the user wants them; a notice says why there are none. */
static void enable_zero_copy(struct bpei_bpf *b)
{
	b->zero_copy = false;
	if (!b->options.zero_copy)
		return;
	if (!b->abi->call[BPEI_BIOCSETZBUF]) {
		bpei_notice(
			&b->options, "no zero-copy buffers on %s: reading instead", b->abi->title);
		return;
	}
	int r = bpei_zbuf_open(b);
	b->zero_copy = r >= 0;
	if (r < 0)
		bpei_notice(&b->options,
			"no zero-copy buffers (%s; sysctl net.bpf.zerocopy_enable=1 allows them): reading instead",
			strerror(-r));
}

/* Sets the buffer's size; the kernel may choose a smaller size. */
static int set_read_buffer(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	for (int tries = 0;; tries++) {
		uint32_t got = (uint32_t)want;
		int r = bpei_bpf_call_u32(b, BPEI_BIOCSBLEN, &got);

		if (r < 0)
			return fail_request(b, error, BPEI_BIOCSBLEN, r, NULL);
		b->buffer_bytes = got;
		if (got < LEAST_KERNEL_BUFFER || got > MOST_BUFFER)
			return bpei_fail(error, BPE_E_IO, "BIOCSBLEN", 0,
				"the kernel gave a buffer of %u bytes", got);
		/* macOS does not round: an odd limit would leave the records unaligned. */
		if (!(got % 8) || got < 64 || tries)
			return BPE_OK;
		want = got & ~7u;
	}
}

static const char absent[] = "%s is not there (%s); going on without";

static void enable_head_drop(struct bpei_bpf *b)
{
	if (b->abi->system != BPEI_MACOS || !b->options.head_drop)
		return;
	int r = set_u32(b, BPEI_BIOCSHEADDROP, 1);
	if (r < 0)
		bpei_notice(&b->options, absent, "BIOCSHEADDROP", strerror(-r));
}

/* Switches prefix compression on.  The request may succeed without effect. */
static void enable_compression(struct bpei_bpf *b)
{
	const struct bpe_options *o = &b->options;
	uint32_t on = 0;

	b->inflates = false;
	b->chain.length = 0;
	if (!o->header_compression)
		return;
	int r = set_u32(b, BPEI_BIOCSHDRCOMP, 1); /* 1 and nothing else: see above */
	if (r < 0) {
		bpei_notice(o, absent, "BIOCSHDRCOMP", strerror(-r));
		return;
	}
	b->inflates = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMPON, &on) >= 0 && on;
	if (!b->inflates)
		bpei_notice(o, "header compression is switched off on this system"
			       " (debug.bpf_hdr_comp_enable)");
}

static void enable_truncation(struct bpei_bpf *b)
{
	if (!b->options.truncate_payload)
		return;
	int r = set_u32(b, BPEI_BIOCSTRUNCATE, 1);
	if (r < 0)
		bpei_notice(&b->options, absent, "BIOCSTRUNCATE", strerror(-r));
	else if (!names_tap(b))
		bpei_notice(&b->options,
			"BIOCSTRUNCATE does nothing on %s: macOS truncates on pktap only; -s cuts everywhere",
			b->name);
}

/* Switches on what macOS offers beyond the public header; a notice reports each absent feature. */
static void enable_macos_features(struct bpei_bpf *b)
{
	const struct bpe_options *o = &b->options;
	bool wants_any = o->head_drop || o->header_compression;
	uint32_t level = 0;
	int r;

	if (b->abi->system != BPEI_MACOS) {
		if (wants_any || o->truncate_payload)
			bpei_notice(o,
				"head drop, header compression and truncation are macOS's: %s has none of them",
				b->abi->title);
		return;
	}
	if (o->process && !names_tap(b)) {
		r = set_u32(b, BPEI_BIOCSEXTHDR, 1);
		b->walk.extended = r >= 0;
		if (r < 0)
			bpei_notice(o, absent, "BIOCSEXTHDR", strerror(-r));
	}
	b->walk.compression_known = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMP, &level) >= 0;
	if (names_tap(b)) {
		r = set_u32(b, BPEI_BIOCSWANTPKTAP, 1);
		if (r < 0)
			bpei_notice(o, absent, "BIOCSWANTPKTAP", strerror(-r));
	}
	enable_truncation(b);
	enable_compression(b);
}

static void select_timestamps(struct bpei_bpf *b)
{
	b->walk.layout = b->abi->layout;
	if (b->abi->call[BPEI_BIOCSTSTAMP] && set_u32(b, BPEI_BIOCSTSTAMP, FREEBSD_NANOTIME) >= 0)
		b->walk.layout = &bpei_layout_freebsd_nano;
}

/* Returns the advice about an interface that the system does not have. */
static const char *explain_absence(const struct bpei_bpf *b, bool pktap)
{
	if (pktap)
		return "no such interface (-i pktap makes one, as root; so does: sudo ifconfig pktap0 create)";
	if (!strcmp(b->name, "any"))
		return "\"any\" is Linux's; BPF devices see an interface each, and macOS all of them as pktap (-i pktap)";
	return "no such interface, or one without BPF (bpfengine -L lists them)";
}

/* Attaches to the interface.  Returns BPE_OK, BPE_E_MEMORY if a smaller buffer might do, or another
 * status. */
static int attach_interface(struct bpei_bpf *b, struct bpe_error *error)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	bool pktap = b->walk.pktap || !strncmp(b->name, "pktap", 5);

	memcpy(ifreq, b->name, sizeof b->name);
	int r = bpei_bpf_call(b, BPEI_BIOCSETIF, ifreq);
	switch (-r) {
	case ENXIO:
	case ENODEV:
		return fail_request(b, error, BPEI_BIOCSETIF, r, explain_absence(b, pktap));
	case ENETDOWN:
		return fail_request(
			b, error, BPEI_BIOCSETIF, r, "the interface is down (ifconfig NAME up)");
	case ENOBUFS:
	case ENOMEM:
		return bpei_fail(error, BPE_E_MEMORY, "BIOCSETIF", -r,
			"%s: no kernel memory for two buffers of %zu bytes (-B asks for less)",
			b->name, b->buffer_bytes);
	case EACCES:
	case EPERM:
		return fail_request(
			b, error, BPEI_BIOCSETIF, r, "the system denies it (run it with sudo)");
	default:
		return r < 0 ? fail_request(b, error, BPEI_BIOCSETIF, r, NULL) : BPE_OK;
	}
}

/* ---- The link type ---- */

/* Writes the names of the interface's link types; "" if the kernel does not list them. */
static void list_link_types(struct bpei_bpf *b, char *text, size_t room)
{
	uint8_t list[16] = { 0 };
	uint32_t dlt[DLT_LIST_MOST];
	const void *at = dlt;
	size_t used = 0;

	bpei_store32(list, DLT_LIST_MOST);
	memcpy(list + b->abi->dltlist_pointer, &at, sizeof at); /* macOS packs it: unaligned */
	text[0] = 0;
	if (bpei_bpf_call(b, BPEI_BIOCGDLTLIST, list) < 0)
		return;
	uint32_t n = bpei_load32(list);
	for (uint32_t i = 0; i < n && i < DLT_LIST_MOST; i++) {
		int link = (int)b->abi->link_type_of(dlt[i]);
		const char *name = bpe_link_type_name(link);
		const char *comma = used ? ", " : "";
		int w;

		if (name)
			w = snprintf(text + used, room - used, "%s%s", comma, name);
		else
			w = snprintf(text + used, room - used, "%s%d", comma, link);
		if (w < 0 || used + (size_t)w >= room)
			return;
		used += (size_t)w;
	}
}

int bpei_bpf_refuse_compression(struct bpe_error *error, const char *name)
{
	return bpei_fail(error, BPE_E_ARGUMENT, "header compression", 0,
		"%s: header compression and PKTAP exclude each other: macOS would give packets wrong"
		" process names and times; leave out --header-compression",
		name);
}

/* Warns of a link type without packets.  The taps of Ethernet name no link type, and so reach only
 * listeners of the interface's first type (bpf_tap_imp). */
static void notice_silent_type(struct bpei_bpf *b, uint32_t first)
{
	if (first != LINK_ETHERNET || b->walk.link_type != LINK_RAW)
		return;
	bpei_notice(&b->options,
		"interface %s lists RAW, but its packets come as EN10MB:"
		" nothing will arrive (leave out -y RAW)",
		b->name);
}

/* Selects the link type that the user asked for, and reads back in *dlt the type that holds. */
static int select_link_type(struct bpei_bpf *b, uint32_t *dlt, struct bpe_error *error)
{
	const char *name = bpe_link_type_name(b->options.link_type);
	char list[128];
	int r = set_u32(b, BPEI_BIOCSDLT, b->abi->dlt_of((uint32_t)b->options.link_type));

	if (r == -EINVAL) {
		list_link_types(b, list, sizeof list);
		return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSDLT", 0,
			"%s has no link type %s; it has: %s", b->name,
			name ? name : "of that number", list);
	}
	if (r < 0)
		return fail_request(b, error, BPEI_BIOCSDLT, r, NULL);
	r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, dlt);
	return r < 0 ? fail_request(b, error, BPEI_BIOCGDLT, r, NULL) : BPE_OK;
}

static int set_link_type(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t dlt = 0;
	int r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, &dlt);

	if (r < 0)
		return fail_request(b, error, BPEI_BIOCGDLT, r, NULL);
	const uint32_t first = b->abi->link_type_of(dlt);
	if (b->options.link_type >= 0 && first != (uint32_t)b->options.link_type) {
		r = select_link_type(b, &dlt, error);
		if (r < 0)
			return r;
	}
	b->walk.link_type = b->abi->link_type_of(dlt);
	b->walk.link_type_of = b->abi->link_type_of;
	b->walk.pktap = b->walk.link_type == LINK_PKTAP;
	if (b->walk.pktap && b->options.header_compression && b->abi->system == BPEI_MACOS)
		return bpei_bpf_refuse_compression(error, b->name);
	notice_silent_type(b, first);
	return BPE_OK;
}

/* ---- The rungs behind BIOCSETIF ---- */

/* Switches promiscuous mode on; a failure is reported and ignored. */
static void enable_promiscuous(struct bpei_bpf *b)
{
	if (!b->options.promiscuous)
		return;
	int r = bpei_bpf_call(b, BPEI_BIOCPROMISC, NULL);
	if (r < 0)
		bpei_notice(
			&b->options, "interface %s is not promiscuous: %s", b->name, strerror(-r));
}

static int select_direction(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t want = b->options.direction;
	enum bpei_bpf_call call = BPEI_BIOCSDIRECTION;

	if (want == BPE_DIRECTION_BOTH)
		return BPE_OK;
	if (b->abi->call[BPEI_BIOCSDIRFILT])
		call = BPEI_BIOCSDIRFILT;
	int r = set_u32(b, call, b->abi->direction[want]);
	if (r == -EINVAL && want == BPE_DIRECTION_IN && b->abi->call[BPEI_BIOCSSEESENT]) {
		call = BPEI_BIOCSSEESENT;
		r = set_u32(b, call, 0);
	}
	if (r == -EINVAL && b->abi->system == BPEI_MACOS)
		return bpei_fail(error, BPE_E_UNSUPPORTED, bpei_bpf_call_name(call), 0,
			"this kernel cannot show outgoing packets alone (macOS: 14 and later)");
	return r < 0 ? fail_request(b, error, call, r, NULL) : BPE_OK;
}

/* Sets the time-out of blocking reads, for throughput. */
static int set_read_timeout(struct bpei_bpf *b, struct bpe_error *error)
{
	int r = set_timeval(b, BPEI_BIOCSRTIMEOUT, BPEI_THROUGHPUT_WAIT_NS);

	if (r < 0)
		return fail_request(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
	/* OpenBSD: a time-out from the first packet on is better than from the read on.  Of this
	 * request and BIOCIMMEDIATE the last wins. */
	if (b->abi->call[BPEI_BIOCSWTIMEOUT])
		set_timeval(b, BPEI_BIOCSWTIMEOUT, FIRST_PACKET_NS);
	return BPE_OK;
}

static int select_read_mode(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t mode = b->options.read_mode;
	bool immediate = mode == BPE_READ_LATENCY || (mode == BPE_READ_AUTO && !b->zero_copy);
	int r = set_u32(b, BPEI_BIOCIMMEDIATE, immediate);

	if (r < 0)
		return fail_request(b, error, BPEI_BIOCIMMEDIATE, r, NULL);
	/* With shared buffers readiness for each packet would cost a buffer for each: readiness
	 * comes a tick later. */
	if (b->zero_copy && mode != BPE_READ_THROUGHPUT) {
		r = set_timeval(b, BPEI_BIOCSRTIMEOUT, BPEI_PACE_MOST_NS);
		if (r < 0)
			return fail_request(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
	}
	b->can_nonblocking = false;
	if (mode == BPE_READ_THROUGHPUT) {
		r = set_read_timeout(b, error);
		/* A blocking read would wait for the whole of a large buffer. */
		b->times_reads = !b->zero_copy && b->buffer_bytes / 2 > BPEI_BPF_PORTION;
		if (r < 0 || !b->times_reads)
			return r;
	}
	r = bpei_bpf_nonblocking(b, true);
	return r < 0 ? bpei_fail(error, BPE_E_IO, "O_NONBLOCK", -r, "%s", b->node) : BPE_OK;
}

static int set_attached_filter(struct bpei_bpf *b, struct bpe_error *error)
{
	int r = bpei_bpf_install(b);

	if (r < 0)
		return fail_request(b, error, BPEI_BIOCSETF, r, NULL);
	if (bpei_bpf_filter_attached(b) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			b->filter_length);
	return BPE_OK;
}

/* Empties the buffers of packets from before the filter, and reads the buffer's final size. */
static int flush_node(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t length = 0;
	int r = bpei_bpf_call(b, BPEI_BIOCFLUSH, NULL);

	if (r < 0)
		return fail_request(b, error, BPEI_BIOCFLUSH, r, NULL);
	r = bpei_bpf_call_u32(b, BPEI_BIOCGBLEN, &length);
	if (r < 0)
		return fail_request(b, error, BPEI_BIOCGBLEN, r, NULL);
	if (!b->zero_copy)
		b->buffer_bytes = length; /* read() wants exactly this */
	bpei_bpf_counters_zeroed(b);
	b->chain.length = 0;
	return BPE_OK;
}

/* ---- The ladder ---- */

/* Makes the requests up to BIOCSETIF. */
static int climb_to_interface(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	int r = bpei_bpf_open_node(b, error);

	if (r >= 0)
		r = check_version(b, error);
	if (r < 0)
		return r;
	enable_zero_copy(b);
	enable_head_drop(b);
	if (!b->zero_copy)
		r = set_read_buffer(b, want, error);
	if (r < 0)
		return r;
	enable_macos_features(b);
	select_timestamps(b);
	return attach_interface(b, error);
}

/* Makes all requests.  Returns BPE_OK, BPE_E_MEMORY if a smaller buffer might do, or a status. */
static int climb_ladder(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	int r = climb_to_interface(b, want, error);

	if (r >= 0)
		r = set_link_type(b, error);
	if (r < 0)
		return r;
	enable_promiscuous(b);
	r = select_direction(b, error);
	if (r >= 0)
		r = select_read_mode(b, error);
	if (r >= 0)
		r = set_attached_filter(b, error);
	if (r >= 0)
		r = flush_node(b, error);
	if (r < 0)
		return r;
	b->walk.meta = b->walk.extended || b->walk.pktap;
	b->walk.plain = !b->walk.meta && !b->walk.layout->flags;
	b->device.wraps_packets = b->walk.pktap;
	return BPE_OK;
}

/* Returns the name of the setting that bounds the buffer.  macOS 11 and 12, which know no header
 * compression, had another name. */
static const char *buffer_sysctl(const struct bpei_bpf *b)
{
	if (b->zero_copy)
		return "BIOCGETZMAX";
	bool old = b->abi->system == BPEI_MACOS && !b->walk.compression_known;
	return old ? "debug.bpf_maxbufsize" : b->abi->buffer_sysctl;
}

/* Reports a smaller buffer than the user asked for, and an interface that is down. */
static void report_attached(struct bpei_bpf *b, uint64_t asked)
{
	size_t got = b->zero_copy ? b->zbuf.bytes : b->buffer_bytes;
	/* The interface of a served node is unknown to this system. */
	const bool down = !b->options.bpf_device && !b->sys.is_up(b->sys.context, b->name);

	if (b->options.buffer_bytes && got < asked)
		bpei_notice(&b->options,
			"the kernel gave a buffer of %zu bytes, not %llu (%s bounds it)", got,
			(unsigned long long)asked, buffer_sysctl(b));
	bpei_counter_set(&b->device.interface_down, down);
	if (down)
		bpei_notice_down(&b->options, b->name);
}

void bpei_bpf_detach(struct bpei_bpf *b)
{
	if (b->fd >= 0)
		b->sys.close(b->sys.context, b->fd);
	b->fd = -1;
	/* The next descriptor may have the same number. */
	b->sys.wait_end(b->sys.context, &b->waiter);
	bpei_zbuf_close(b);
}

/* Climbs the ladder, and checks that the buffer fits into the blocks of the first attachment. */
static int attach_with_buffer(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	int r = climb_ladder(b, want, error);

	if (r >= 0 && b->block_bytes && b->buffer_bytes > b->block_bytes)
		return bpei_fail(error, BPE_E_MEMORY, "BIOCGBLEN", 0,
			"%s came back with a larger buffer than before", b->name);
	return r;
}

int bpei_bpf_attach(struct bpei_bpf *b, struct bpe_error *error)
{
	uint64_t asked = b->options.buffer_bytes ? b->options.buffer_bytes : WANTED_BUFFER;

	if (asked > MOST_BUFFER)
		return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSBLEN", 0,
			"a buffer of %llu bytes is too large: at most 1 GiB",
			(unsigned long long)asked);
	if (b->block_bytes && asked > b->block_bytes)
		asked = b->block_bytes;
	for (size_t want = asked & ~(uint64_t)7;; want = want / 2 & ~(size_t)7) {
		struct bpe_error why = { .status = BPE_OK };

		if (want < LEAST_KERNEL_BUFFER)
			want = LEAST_KERNEL_BUFFER;
		int r = attach_with_buffer(b, want, &why);
		if (r >= 0) {
			report_attached(b, asked);
			return BPE_OK;
		}
		bpei_bpf_detach(b);
		bool no_memory = why.sys_errno == ENOBUFS || why.sys_errno == ENOMEM;
		bool may_halve = r == BPE_E_MEMORY && no_memory && want > LEAST_BUFFER;
		if (!may_halve || b->zero_copy) {
			if (error)
				*error = why;
			return r;
		}
		if (want > b->buffer_bytes && b->buffer_bytes > LEAST_BUFFER)
			want = b->buffer_bytes; /* halve what the kernel allowed */
	}
}
