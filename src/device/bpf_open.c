/* SPDX-License-Identifier: MIT */
/* The ladder: every request between open() and the first packet, in the one order that all four
 * systems allow.  A step that fails names itself, and everything done before it is undone by
 * closing the node: on macOS a BIOCSETIF that failed may leave the descriptor linked to the
 * interface (bpf_attachd), so no rung is tried twice on one descriptor.
 *
 * Fences, with their reasons:
 * - BIOCSEXTHDR comes before BIOCSETIF: switched on while plain records lie in its buffers, macOS
 *   fills in fields of extended ones inside packets, and up to 46 bytes past the buffer (bpfread);
 * - BIOCSHEADDROP comes before BIOCSBLEN: in macOS 11 and 12 it doubles the limit of the buffer;
 * - header compression and PKTAP exclude each other: bpfread fills in a packet's process only where
 *   nothing was left out, and what was left out was compared before that;
 * - BIOCSHDRCOMP gets 1 or nothing: any other value makes macOS return with its global BPF lock
 * held (bpf.c, all of 13 to 15);
 * - BIOCIMMEDIATE gets 0 or 1: macOS reads its lowest byte only;
 * - BIOCSDVRTIN, which cuts the host off its interface, and everything about writing are not in the
 * tables. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"
#include "names/numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_BUFFER                                                                              \
	(32u << 20) /* macOS 13 and later give it; elsewhere the kernel cuts it to its limit */
#define LEAST_BUFFER 4096u
#define THROUGHPUT_WAIT_NS 50000000 /* a multiple of macOS's and NetBSD's 10 ms tick */
#define FIRST_PACKET_NS 10000000
#define PKTAP_ROOM 256u /* the kernel's snapshot length counts the PKTAP header */
#define FREEBSD_NANOTIME 1u

static int set(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t value)
{
	return bpei_bpf_call_u32(b, call, &value);
}

static int set_time(struct bpei_bpf *b, enum bpei_bpf_call call, int64_t ns)
{
	uint8_t timeval[16] = { 0 }; /* whole: macOS's tv_usec is 4 bytes, and 4 of padding */
	bpei_store64(timeval, (uint64_t)(ns / 1000000000));
	if (b->abi->microsecond_bytes == 4)
		bpei_store32(timeval + 8, (uint32_t)(ns % 1000000000 / 1000));
	else
		bpei_store64(timeval + 8, (uint64_t)(ns % 1000000000 / 1000));
	return bpei_bpf_call(b, call, timeval);
}

static int fail(struct bpei_bpf *b, struct bpe_error *error, enum bpei_bpf_call call, int r,
	const char *hint)
{
	/* A request that the device does not know: it may be another system's. */
	if (!hint && b->options.bpf_abi && (r == -EINVAL || r == -ENOTTY))
		return bpei_fail(error, BPE_E_UNSUPPORTED, bpei_bpf_call_name(call), -r,
			"%s: %s does not know this request of %s's BPF devices: --bpf-abi must name"
			" the system whose device it is (here that is %s, without --bpf-abi)",
			b->name, b->node, b->abi->title, bpei_bpf_abi_native()->name);
	return bpei_fail(error, bpei_status_of(-r), bpei_bpf_call_name(call), -r, "%s%s%s", b->name,
		hint ? ": " : "", hint ? hint : "");
}

/* ---- The rungs ---- */

static int check_version(struct bpei_bpf *b, struct bpe_error *error)
{
	uint16_t version[2] = { 0, 0 };
	int r = bpei_bpf_call(b, BPEI_BIOCVERSION, version);
	if (r < 0)
		return bpei_fail(error,
			r == -ENOTTY || r == -EINVAL ? BPE_E_UNSUPPORTED : bpei_status_of(-r),
			"BIOCVERSION", -r, "%s is no BPF device of %s", b->node, b->abi->title);
	if (version[0] != 1 || version[1] < 1)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "BIOCVERSION", 0,
			"the kernel's filter machine is version %u.%u, not 1.1", version[0],
			version[1]);
	return BPE_OK;
}

static int set_buffer(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	for (int tries = 0;; tries++) {
		uint32_t got = (uint32_t)want;
		int r = bpei_bpf_call_u32(b, BPEI_BIOCSBLEN, &got);
		if (r < 0)
			return fail(b, error, BPEI_BIOCSBLEN, r, NULL);
		b->buffer_bytes = got;
		if (got < 32 || got > 1u << 30)
			return bpei_fail(error, BPE_E_IO, "BIOCSBLEN", 0,
				"the kernel gave a buffer of %u bytes", got);
		if (!(got % 8) || got < 64 || tries)
			return BPE_OK; /* macOS does not round: an odd limit would leave us
					  unaligned */
		want = got & ~7u;
	}
}

static const char absent[] = "%s is not there (%s); going on without";

static void set_head_drop(struct bpei_bpf *b)
{
	if (b->abi->system != BPEI_MACOS || !b->options.head_drop)
		return;
	int r = set(b, BPEI_BIOCSHEADDROP, 1);
	if (r < 0)
		bpei_notice(&b->options, absent, "BIOCSHEADDROP", strerror(-r));
}

/* Prefix compression.  What is asked for is not always switched on. */
static void set_compression(struct bpei_bpf *b)
{
	const struct bpe_options *o = &b->options;
	uint32_t on = 0;
	b->inflates = false;
	b->chain.length = 0;
	if (!o->header_compression)
		return;
	int r = set(b, BPEI_BIOCSHDRCOMP, 1); /* 1 and nothing else: see above */
	if (r < 0) {
		bpei_notice(o, absent, "BIOCSHDRCOMP", strerror(-r));
		return;
	}
	b->inflates = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMPON, &on) >= 0 && on;
	if (!b->inflates)
		bpei_notice(o, "header compression is switched off on this system"
			       " (debug.bpf_hdr_comp_enable)");
}

/* What macOS knows beyond its public header: each is asked for, and its absence told. */
static void set_private(struct bpei_bpf *b)
{
	const struct bpe_options *o = &b->options;
	int r;
	if (b->abi->system != BPEI_MACOS) {
		if (o->process || o->head_drop || o->header_compression || o->truncate_payload)
			bpei_notice(o,
				"processes, head drop, header compression and truncation are macOS's: %s has none of them",
				b->abi->title);
		return;
	}
	bool tap = !strncmp(b->name, "pktap", 5) || !strncmp(b->name, "iptap", 5);
	if (o->process && !tap) {
		r = set(b, BPEI_BIOCSEXTHDR, 1);
		b->walk.extended = r >= 0;
		if (r < 0)
			bpei_notice(o, absent, "BIOCSEXTHDR", strerror(-r));
	}
	uint32_t any = 0;
	b->walk.compression_known = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMP, &any) >= 0;
	if (tap) {
		r = set(b, BPEI_BIOCSWANTPKTAP, 1);
		if (r < 0)
			bpei_notice(o, absent, "BIOCSWANTPKTAP", strerror(-r));
	}
	if (o->truncate_payload) {
		r = set(b, BPEI_BIOCSTRUNCATE, 1);
		if (r < 0)
			bpei_notice(o, absent, "BIOCSTRUNCATE", strerror(-r));
		else if (!tap)
			bpei_notice(o,
				"BIOCSTRUNCATE does nothing on %s: macOS truncates on pktap only; -s cuts everywhere",
				b->name);
	}
	set_compression(b);
}

static void set_stamp(struct bpei_bpf *b)
{
	b->walk.layout = b->abi->layout;
	if (b->abi->call[BPEI_BIOCSTSTAMP] && set(b, BPEI_BIOCSTSTAMP, FREEBSD_NANOTIME) >= 0)
		b->walk.layout = &bpei_layout_freebsd_nano;
}

/* BPE_OK, BPE_E_MEMORY if a smaller buffer might do, or another. */
static int set_interface(struct bpei_bpf *b, struct bpe_error *error)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	memcpy(ifreq, b->name, sizeof b->name);
	int r = bpei_bpf_call(b, BPEI_BIOCSETIF, ifreq);
	switch (-r) {
	case ENXIO:
	case ENODEV:
		return fail(b, error, BPEI_BIOCSETIF, r,
			b->walk.pktap || !strncmp(b->name, "pktap", 5)
				? "no such interface (-i pktap makes one, as root; so does: sudo ifconfig pktap0 create)"
				: "no such interface, or one without BPF (bpfengine -L lists them)");
	case ENETDOWN:
		return fail(
			b, error, BPEI_BIOCSETIF, r, "the interface is down (ifconfig NAME up)");
	case ENOBUFS:
	case ENOMEM:
		return bpei_fail(error, BPE_E_MEMORY, "BIOCSETIF", -r,
			"%s: no kernel memory for two buffers of %zu bytes (-B asks for less)",
			b->name, b->buffer_bytes);
	case EACCES:
	case EPERM:
		return fail(b, error, BPEI_BIOCSETIF, r, "the system denies it (run it with sudo)");
	default:
		return r < 0 ? fail(b, error, BPEI_BIOCSETIF, r, NULL) : BPE_OK;
	}
}

static void offered(struct bpei_bpf *b, char *text, size_t room)
{
	uint8_t list[16] = { 0 };
	uint32_t dlt[64];
	size_t used = 0;
	const void *at = dlt;
	bpei_store32(list, 64);
	memcpy(list + b->abi->dltlist_pointer, &at, sizeof at); /* macOS packs it: unaligned */
	text[0] = 0;
	if (bpei_bpf_call(b, BPEI_BIOCGDLTLIST, list) < 0)
		return;
	uint32_t n = bpei_load32(list);
	for (uint32_t i = 0; i < n && i < 64; i++) {
		int link = (int)b->abi->link_type_of(dlt[i]);
		const char *name = bpe_link_type_name(link);
		int w = name ? snprintf(text + used, room - used, "%s%s", used ? ", " : "", name)
			     : snprintf(text + used, room - used, "%s%d", used ? ", " : "", link);
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

/* Taps of Ethernet name no link type, and so reach listeners of the first one only (bpf_tap_imp).
 */
static void tell_silent(struct bpei_bpf *b, uint32_t first)
{
	if (first != LINK_ETHERNET || b->walk.link_type != LINK_RAW)
		return;
	bpei_notice(&b->options,
		"interface %s lists RAW, but its packets come as EN10MB:"
		" nothing will arrive (leave out -y RAW)",
		b->name);
}

static int set_link_type(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t dlt = 0, first;
	int r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, &dlt);
	if (r < 0)
		return fail(b, error, BPEI_BIOCGDLT, r, NULL);
	first = b->abi->link_type_of(dlt);
	if (b->options.link_type >= 0 &&
		b->abi->link_type_of(dlt) != (uint32_t)b->options.link_type) {
		char list[128];
		const char *name = bpe_link_type_name(b->options.link_type);
		r = set(b, BPEI_BIOCSDLT, b->abi->dlt_of((uint32_t)b->options.link_type));
		if (r == -EINVAL) {
			offered(b, list, sizeof list);
			return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSDLT", 0,
				"%s has no link type %s; it has: %s", b->name,
				name ? name : "of that number", list);
		}
		if (r < 0)
			return fail(b, error, BPEI_BIOCSDLT, r, NULL);
		r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, &dlt);
		if (r < 0)
			return fail(b, error, BPEI_BIOCGDLT, r, NULL);
	}
	b->walk.link_type = b->abi->link_type_of(dlt);
	b->walk.link_type_of = b->abi->link_type_of;
	b->walk.pktap = b->walk.link_type == LINK_PKTAP;
	if (b->walk.pktap && b->options.header_compression && b->abi->system == BPEI_MACOS)
		return bpei_bpf_refuse_compression(error, b->name);
	tell_silent(b, first);
	return BPE_OK;
}

static int set_direction(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t want = b->options.direction;
	if (want == BPE_DIRECTION_BOTH)
		return BPE_OK;
	enum bpei_bpf_call call =
		b->abi->call[BPEI_BIOCSDIRFILT] ? BPEI_BIOCSDIRFILT : BPEI_BIOCSDIRECTION;
	int r = set(b, call, b->abi->direction[want]);
	if (r == -EINVAL && want == BPE_DIRECTION_IN && b->abi->call[BPEI_BIOCSSEESENT])
		r = set(b, call = BPEI_BIOCSSEESENT, 0);
	if (r == -EINVAL && b->abi->system == BPEI_MACOS)
		return bpei_fail(error, BPE_E_UNSUPPORTED, bpei_bpf_call_name(call), 0,
			"this kernel cannot show outgoing packets alone (macOS: 14 and later)");
	return r < 0 ? fail(b, error, call, r, NULL) : BPE_OK;
}

static int set_mode(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t mode = b->options.read_mode;
	int r;
	bool immediate = mode == BPE_READ_LATENCY || (mode == BPE_READ_AUTO && !b->zero_copy);
	r = set(b, BPEI_BIOCIMMEDIATE, immediate);
	if (r < 0)
		return fail(b, error, BPEI_BIOCIMMEDIATE, r, NULL);
	/* With shared buffers readiness of a packet alone would mean a buffer for each: a tick
	 * later. */
	if (b->zero_copy && mode != BPE_READ_THROUGHPUT) {
		r = set_time(b, BPEI_BIOCSRTIMEOUT, BPEI_PACE_MOST_NS);
		if (r < 0)
			return fail(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
	}
	if (mode == BPE_READ_THROUGHPUT) {
		r = set_time(b, BPEI_BIOCSRTIMEOUT, THROUGHPUT_WAIT_NS);
		if (r < 0)
			return fail(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
		/* OpenBSD: counted from the first packet, so better than from the read.  Of it and
		 * BIOCIMMEDIATE the last wins. */
		if (b->abi->call[BPEI_BIOCSWTIMEOUT])
			set_time(b, BPEI_BIOCSWTIMEOUT, FIRST_PACKET_NS);
	}
	b->can_nonblocking = false;
	if (mode == BPE_READ_THROUGHPUT)
		return BPE_OK;
	r = bpei_bpf_nonblocking(b, true);
	return r < 0 ? bpei_fail(error, BPE_E_IO, "O_NONBLOCK", -r, "%s", b->node) : BPE_OK;
}

/* ---- Filters ---- */

int bpei_bpf_install(struct bpei_bpf *b, enum bpei_bpf_call call)
{
	struct bpe_insn whole = {
		0x06, 0, 0,
		b->filter ? UINT32_MAX : b->options.snaplen + (b->walk.pktap ? PKTAP_ROOM : 0)
	}; /* what runs here wants all of it */
	struct {
		uint32_t length;
		const struct bpe_insn *insns;
	} program = { 1, &whole };
	b->kernel_filters = b->kernel_narrows = false;
	if (b->filter) {
		program.length = b->fit.length;
		program.insns = b->fit.program;
		int r = bpei_bpf_call(b, call, &program);
		if (r != -EINVAL) {
			b->kernel_filters = r >= 0 && b->fit.exact;
			b->kernel_narrows = r >= 0 && !b->fit.exact;
			return r;
		}
		program.length = 1;
		program.insns = &whole;
	}
	int r = bpei_bpf_call(b, call, &program);
	/* FreeBSD's net.bpf.optimize_writers takes a first program of this form for a writer's, and
	 * shows it nothing. */
	return r >= 0 && b->abi->system == BPEI_FREEBSD ? bpei_bpf_call(b, call, &program) : r;
}

void bpei_bpf_tell_filter(struct bpei_bpf *b)
{
	if (!b->filter || b->kernel_filters)
		return;
	if (!b->kernel_narrows)
		bpei_notice(&b->options,
			"the kernel does not take the filter: it runs here, and the kernel's counts are of all packets");
	else
		bpei_notice(&b->options,
			"the kernel has a wider filter of %u instructions (%s), the rest is filtered here",
			b->fit.length, b->fit.why ? b->fit.why : "it has no whole one");
}

static int set_filter(struct bpei_bpf *b, struct bpe_error *error)
{
	int r = bpei_bpf_install(b, BPEI_BIOCSETF);
	if (r < 0)
		return fail(b, error, BPEI_BIOCSETF, r, NULL);
	bpei_bpf_tell_filter(b);
	const bool here = b->filter && !b->kernel_filters;
	if (bpei_device_filter_here(&b->device, b->filter, here ? b->filter_length : 0) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			b->filter_length);
	return BPE_OK;
}

/* ---- The ladder ---- */

static int climb(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	int r = bpei_bpf_open_node(b, error);
	if (r >= 0)
		r = check_version(b, error);
	if (r >= 0) {
		b->zero_copy = b->options.zero_copy && b->abi->call[BPEI_BIOCSETZBUF];
		int z = b->zero_copy ? bpei_zbuf_open(b) : 0;
		if (b->options.zero_copy && (!b->zero_copy || z < 0)) {
			bpei_notice(&b->options,
				b->zero_copy
					? "no zero-copy buffers (%s; sysctl net.bpf.zerocopy_enable=1 allows them): reading instead"
					: "no zero-copy buffers on %s: reading instead",
				b->zero_copy ? strerror(-z) : b->abi->title);
			b->zero_copy = false;
		}
		set_head_drop(b);
		if (!b->zero_copy)
			r = set_buffer(b, want, error);
	}
	if (r < 0)
		return r;
	set_private(b);
	set_stamp(b);
	r = set_interface(b, error);
	if (r >= 0)
		r = set_link_type(b, error);
	if (r < 0)
		return r;
	if (b->options.promiscuous) {
		int p = bpei_bpf_call(b, BPEI_BIOCPROMISC, NULL);
		if (p < 0)
			bpei_notice(&b->options, "interface %s is not promiscuous: %s", b->name,
				strerror(-p));
	}
	r = set_direction(b, error);
	if (r >= 0)
		r = set_mode(b, error);
	if (r >= 0)
		r = set_filter(b, error);
	if (r < 0)
		return r;
	uint32_t length = 0;
	int f = bpei_bpf_call(b, BPEI_BIOCFLUSH, NULL);
	if (f < 0)
		return fail(b, error, BPEI_BIOCFLUSH, f, NULL);
	int g = bpei_bpf_call_u32(b, BPEI_BIOCGBLEN, &length);
	if (g < 0)
		return fail(b, error, BPEI_BIOCGBLEN, g, NULL);
	if (!b->zero_copy)
		b->buffer_bytes = length; /* read() wants exactly this */
	b->walk.meta = b->walk.extended || b->walk.pktap;
	b->walk.plain = !b->walk.meta && !b->walk.layout->flags;
	b->device.wraps_packets = b->walk.pktap;
	b->last_received = b->last_dropped = b->last_accepted = 0; /* BIOCFLUSH zeroed them */
	b->chain.length = 0;
	return BPE_OK;
}

/* What bounds the buffer.  macOS 11 and 12, which know no header compression, had another name. */
static const char *buffer_sysctl(const struct bpei_bpf *b)
{
	if (b->zero_copy)
		return "BIOCGETZMAX";
	bool old = b->abi->system == BPEI_MACOS && !b->walk.compression_known;
	return old ? "debug.bpf_maxbufsize" : b->abi->buffer_sysctl;
}

/* A served node's interface is none of this system's. */
static void tell_down(struct bpei_bpf *b)
{
	const bool down = !b->options.bpf_device && !b->sys.is_up(b->sys.context, b->name);
	bpei_counter_set(&b->device.interface_down, down);
	if (down)
		bpei_notice_down(&b->options, b->name);
}

void bpei_bpf_detach(struct bpei_bpf *b)
{
	if (b->fd >= 0)
		b->sys.close(b->sys.context, b->fd);
	b->fd = -1;
	b->sys.wait_end(
		b->sys.context, &b->waiter); /* the next descriptor may have the same number */
	bpei_zbuf_close(b);
}

int bpei_bpf_attach(struct bpei_bpf *b, struct bpe_error *error)
{
	uint64_t asked = b->options.buffer_bytes ? b->options.buffer_bytes : WANTED_BUFFER;
	if (asked > 1u << 30)
		return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSBLEN", 0,
			"a buffer of %llu bytes is too large: at most 1 GiB",
			(unsigned long long)asked);
	if (b->block_bytes && asked > b->block_bytes)
		asked = b->block_bytes;
	for (size_t want = asked & ~(uint64_t)7;; want = want / 2 & ~(size_t)7) {
		struct bpe_error why = { .status = BPE_OK };
		if (want < 32)
			want = 32;
		int r = climb(b, want, &why);
		if (r >= 0 && b->block_bytes && b->buffer_bytes > b->block_bytes)
			r = bpei_fail(&why, BPE_E_MEMORY, "BIOCGBLEN", 0,
				"%s came back with a larger buffer than before", b->name);
		if (r >= 0) {
			size_t got = b->zero_copy ? b->zbuf.bytes : b->buffer_bytes;
			if (b->options.buffer_bytes && got < asked)
				bpei_notice(&b->options,
					"the kernel gave a buffer of %zu bytes, not %llu (%s bounds it)",
					got, (unsigned long long)asked, buffer_sysctl(b));
			tell_down(b);
			return BPE_OK;
		}
		bpei_bpf_detach(b);
		if (r != BPE_E_MEMORY || (why.sys_errno != ENOBUFS && why.sys_errno != ENOMEM) ||
			want <= LEAST_BUFFER || b->zero_copy) {
			if (error)
				*error = why;
			return r;
		}
		if (want > b->buffer_bytes && b->buffer_bytes > LEAST_BUFFER)
			want = b->buffer_bytes; /* halve what the kernel allowed */
	}
}
