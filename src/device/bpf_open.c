/* SPDX-License-Identifier: MIT */
/* Opening a BPF node, and the ladder: every request between open() and the first packet, in the one order that all four systems
 * allow.  A step that fails names itself, and everything done before it is undone by closing the node: on macOS a BIOCSETIF
 * that failed may leave the descriptor linked to the interface (bpf_attachd), so no rung is tried twice on one descriptor.
 *
 * Fences, with their reasons:
 * - nodes are opened for reading only;
 * - BIOCSHDRCOMP gets 1 or nothing: any other value makes macOS return with its global BPF lock held (bpf.c, all of 13 to 15);
 * - BIOCIMMEDIATE gets 0 or 1: macOS reads its lowest byte only;
 * - BIOCSDVRTIN, which cuts the host off its interface, and everything about writing are not in the tables. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_BUFFER (32u << 20)	/* macOS 13 and later give it; elsewhere the kernel cuts it to its limit */
#define LEAST_BUFFER 4096u
#define NODES_MOST 1024
#define THROUGHPUT_WAIT_NS 50000000	/* a multiple of macOS's and NetBSD's 10 ms tick */
#define FIRST_PACKET_NS 10000000
#define PKTAP_ROOM 256u			/* the kernel's snapshot length counts the PKTAP header */
#define XBPF_D_BYTES 136u		/* struct xbpf_d, <net/bpf.h> of xnu-11417, private: pid at 24, ifname at 80 */
#define FREEBSD_NANOTIME 1u

int bpei_bpf_call(struct bpei_bpf *b, enum bpei_bpf_call call, void *argument)
{
	if (!b->abi->call[call]) return -EINVAL;
	int r;
	do r = b->sys.ioctl(b->sys.context, b->fd, b->abi->call[call], argument);
	while (r == -EINTR);
	return r < 0 ? -bpei_bpf_errno(b->abi, -r) : r;
}

int bpei_bpf_call_u32(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t *value) { return bpei_bpf_call(b, call, value); }

int bpei_bpf_nonblocking(struct bpei_bpf *b, bool on)
{
	uint32_t value = on;
	int r = b->sys.nonblocking(b->sys.context, b->fd, on);
	if (r < 0) return r;
	/* A served node may know the device's own request only; the real systems' descriptor layer has done it already. */
	if (b->options.bpf_device) bpei_bpf_call_u32(b, BPEI_FIONBIO, &value);
	b->can_nonblocking = on;
	return 0;
}

static int set(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t value) { return bpei_bpf_call_u32(b, call, &value); }

static int set_time(struct bpei_bpf *b, enum bpei_bpf_call call, int64_t ns)
{
	uint8_t timeval[16] = { 0 };	/* whole: macOS's tv_usec is 4 bytes, and 4 of padding */
	bpei_store64(timeval, (uint64_t)(ns / 1000000000));
	if (b->abi->microsecond_bytes == 4) bpei_store32(timeval + 8, (uint32_t)(ns % 1000000000 / 1000));
	else bpei_store64(timeval + 8, (uint64_t)(ns % 1000000000 / 1000));
	return bpei_bpf_call(b, call, timeval);
}

static int fail(struct bpei_bpf *b, struct bpe_error *error, enum bpei_bpf_call call, int r, const char *hint)
{
	return bpei_fail(error, bpei_status_of(-r), bpei_bpf_call_name(call), -r, "%s%s%s", b->name, hint ? ": " : "", hint ? hint : "");
}

/* ---- The node ---- */

/* Who holds the nodes, from macOS's debug.bpf_stats: "tcpdump (pid 71) on en0, ...". */
static void holders(struct bpei_bpf *b, char *text, size_t room)
{
	uint8_t *list = malloc(XBPF_D_BYTES * 256);
	ssize_t n = list ? b->sys.sysctl(b->sys.context, "debug.bpf_stats", list, XBPF_D_BYTES * 256) : -ENOMEM;
	size_t used = 0, size = n >= (ssize_t)XBPF_D_BYTES ? bpei_load32(list) : 0;
	text[0] = 0;
	if (size < 96 || size > 4096) n = 0;
	for (ssize_t at = 0; n - at >= (ssize_t)size && size; at += (ssize_t)size) {
		char process[40] = "", entry[96];
		int pid = (int)bpei_load32(list + at + 24);
		b->sys.process_name(b->sys.context, pid, process, sizeof process);
		int w = snprintf(entry, sizeof entry, "%s%.20s%spid %d on %.16s", used ? ", " : "", process, process[0] ? " " : "", pid, (const char *)list + at + 80);
		if (used + (size_t)w + 4 >= room) {
			snprintf(text + used, room - used, " ...");
			break;
		}
		memcpy(text + used, entry, (size_t)w + 1);
		used += (size_t)w;
	}
	free(list);
}

static int open_path(struct bpei_bpf *b, const char *path)
{
	int fd;
	do fd = b->sys.open(b->sys.context, path);
	while (fd == -EINTR);
	if (fd < 0) return -bpei_bpf_errno(b->abi, -fd);
	snprintf(b->node, sizeof b->node, "%s", path);
	return b->fd = fd;
}

static int rights(struct bpei_bpf *b, struct bpe_error *error, int r, const char *path)
{
	return bpei_fail(error, BPE_E_RIGHTS, "open", -r, "%s: run it with sudo, or give your group access to %s%s (scripts/bpf-access.sh)",
			 path, b->options.bpf_device ? b->options.bpf_device : b->abi->device, b->abi->numbered ? "*" : "");
}

/* macOS: one opener a node; opening the last one makes the next appear, so a second look may find what the first did not. */
static int scan(struct bpei_bpf *b, const char *prefix, struct bpe_error *error)
{
	char path[256], denied[256] = "", who[160];
	int busy = 0, r = -ENOENT, why = 0;
	for (int tries = 0; tries < 3; tries++) {
		busy = 0;
		for (b->minor = 0; b->minor < NODES_MOST; b->minor++) {
			snprintf(path, sizeof path, "%s%d", prefix, b->minor);
			r = open_path(b, path);
			if (r >= 0) return BPE_OK;
			if (r == -EBUSY) busy++;
			else if (r == -EACCES || r == -EPERM) {
				if (!denied[0]) memcpy(denied, path, sizeof path), why = r;
			} else if (r != -ENXIO) break;
		}
		if (r != -ENOENT || denied[0] || !busy) break;
	}
	if (denied[0]) return rights(b, error, why, denied);	/* before "busy": a node was free, and not for us */
	if (r != -ENOENT && r != -EBUSY && r != -ENXIO) return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s", path);
	if (busy) {
		holders(b, who, sizeof who);
		return bpei_fail(error, BPE_E_BUSY, "open", 0, "all %d of %s* are in use%s%s: stop one of their holders and try again", busy, prefix,
				 who[0] ? ", by " : "", who);
	}
	return bpei_fail(error, BPE_E_ABSENT, "open", 0, "there is no %s0: no BPF device here%s", prefix,
			 b->options.bpf_device ? "" : " (Linux captures without bpf:, --bpf-device names a served node)");
}

static int open_node(struct bpei_bpf *b, struct bpe_error *error)
{
	const char *path = b->options.bpf_device ? b->options.bpf_device : b->abi->device;
	if (strlen(path) > sizeof b->node - 8) return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "the path of the BPF device is too long");
	if (b->abi->numbered) return scan(b, path, error);
	int r = open_path(b, path);
	if (r == -ENOENT) {
		char first[256];
		snprintf(first, sizeof first, "%s0", path);
		r = open_path(b, first);
	}
	if (r >= 0) return BPE_OK;
	if (r == -EACCES || r == -EPERM) return rights(b, error, r, path);
	return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s%s", path, r == -ENOENT ? ": no BPF device here" : "");
}

/* ---- The rungs ---- */

static int check_version(struct bpei_bpf *b, struct bpe_error *error)
{
	uint16_t version[2] = { 0, 0 };
	int r = bpei_bpf_call(b, BPEI_BIOCVERSION, version);
	if (r < 0) return bpei_fail(error, r == -ENOTTY || r == -EINVAL ? BPE_E_UNSUPPORTED : bpei_status_of(-r), "BIOCVERSION", -r,
				    "%s is no BPF device of %s", b->node, b->abi->title);
	if (version[0] != 1 || version[1] < 1)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "BIOCVERSION", 0, "the kernel's filter machine is version %u.%u, not 1.1", version[0], version[1]);
	return BPE_OK;
}

static int set_buffer(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	for (int tries = 0;; tries++) {
		uint32_t got = (uint32_t)want;
		int r = bpei_bpf_call_u32(b, BPEI_BIOCSBLEN, &got);
		if (r < 0) return fail(b, error, BPEI_BIOCSBLEN, r, NULL);
		b->buffer_bytes = got;
		if (got < 32 || got > 1u << 30) return bpei_fail(error, BPE_E_IO, "BIOCSBLEN", 0, "the kernel gave a buffer of %u bytes", got);
		if (!(got % 8) || got < 64 || tries) return BPE_OK;	/* macOS does not round: an odd limit would leave us unaligned */
		want = got & ~7u;
	}
}

/* What macOS knows beyond its public header: each is asked for, and its absence told. */
static void set_private(struct bpei_bpf *b)
{
	const struct bpe_options *o = &b->options;
	const char *absent = "%s is not there (%s); going on without";
	int r;
	if (b->abi->system != BPEI_MACOS) {
		if (o->process || o->head_drop || o->header_compression || o->truncate_payload)
			bpei_notice(o, "processes, head drop, header compression and truncation are macOS's: %s has none of them", b->abi->title);
		return;
	}
	bool tap = !strncmp(b->name, "pktap", 5) || !strncmp(b->name, "iptap", 5);
	if (o->process && !tap) {
		r = set(b, BPEI_BIOCSEXTHDR, 1);
		b->walk.extended = r >= 0;
		if (r < 0) bpei_notice(o, absent, "BIOCSEXTHDR", strerror(-r));
	}
	uint32_t any = 0;
	b->walk.compression_known = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMP, &any) >= 0;
	if (tap) {
		r = set(b, BPEI_BIOCSWANTPKTAP, 1);
		if (r < 0) bpei_notice(o, absent, "BIOCSWANTPKTAP", strerror(-r));
	}
	if (o->truncate_payload) {
		r = set(b, BPEI_BIOCSTRUNCATE, 1);
		if (r < 0) bpei_notice(o, absent, "BIOCSTRUNCATE", strerror(-r));
		else if (!tap) bpei_notice(o, "BIOCSTRUNCATE does nothing on %s: macOS truncates on pktap only; -s cuts everywhere", b->name);
	}
	if (o->head_drop) {
		r = set(b, BPEI_BIOCSHEADDROP, 1);
		if (r < 0) bpei_notice(o, absent, "BIOCSHEADDROP", strerror(-r));
	}
	b->inflates = false;
	if (o->header_compression) {
		uint32_t on = 0;
		r = set(b, BPEI_BIOCSHDRCOMP, 1);	/* 1 and nothing else: see above */
		if (r < 0) bpei_notice(o, absent, "BIOCSHDRCOMP", strerror(-r));
		else b->inflates = bpei_bpf_call_u32(b, BPEI_BIOCGHDRCOMPON, &on) >= 0 && on;	/* asked for is not switched on */
		if (r >= 0 && !b->inflates) bpei_notice(o, "header compression is switched off on this system (debug.bpf_hdr_comp_enable)");
		b->chain.length = 0;
	}
}

static void set_stamp(struct bpei_bpf *b)
{
	b->walk.layout = b->abi->layout;
	if (b->abi->call[BPEI_BIOCSTSTAMP] && set(b, BPEI_BIOCSTSTAMP, FREEBSD_NANOTIME) >= 0) b->walk.layout = &bpei_layout_freebsd_nano;
}

/* BPE_OK, BPE_E_MEMORY if a smaller buffer might do, or another. */
static int set_interface(struct bpei_bpf *b, struct bpe_error *error)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	memcpy(ifreq, b->name, sizeof b->name);
	int r = bpei_bpf_call(b, BPEI_BIOCSETIF, ifreq);
	switch (-r) {
	case ENXIO: case ENODEV:
		return fail(b, error, BPEI_BIOCSETIF, r, b->walk.pktap || !strncmp(b->name, "pktap", 5)
			    ? "no such interface (-i pktap makes one, as root; so does: sudo ifconfig pktap0 create)" : "no such interface, or one without BPF (bpfengine -L lists them)");
	case ENETDOWN: return fail(b, error, BPEI_BIOCSETIF, r, "the interface is down (ifconfig NAME up)");
	case ENOBUFS: case ENOMEM: return bpei_fail(error, BPE_E_MEMORY, "BIOCSETIF", -r, "%s: no kernel memory for two buffers of %zu bytes (-B asks for less)",
						    b->name, b->buffer_bytes);
	case EACCES: case EPERM: return fail(b, error, BPEI_BIOCSETIF, r, "the system denies it (run it with sudo)");
	default: return r < 0 ? fail(b, error, BPEI_BIOCSETIF, r, NULL) : BPE_OK;
	}
}

static void offered(struct bpei_bpf *b, char *text, size_t room)
{
	uint8_t list[16] = { 0 };
	uint32_t dlt[64];
	size_t used = 0;
	const void *at = dlt;
	bpei_store32(list, 64);
	memcpy(list + b->abi->dltlist_pointer, &at, sizeof at);	/* macOS packs it: unaligned */
	text[0] = 0;
	if (bpei_bpf_call(b, BPEI_BIOCGDLTLIST, list) < 0) return;
	uint32_t n = bpei_load32(list);
	for (uint32_t i = 0; i < n && i < 64; i++) {
		int link = (int)b->abi->link_type_of(dlt[i]);
		const char *name = bpe_link_type_name(link);
		int w = name ? snprintf(text + used, room - used, "%s%s", used ? ", " : "", name) : snprintf(text + used, room - used, "%s%d", used ? ", " : "", link);
		if (w < 0 || used + (size_t)w >= room) return;
		used += (size_t)w;
	}
}

static int set_link_type(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t dlt = 0;
	int r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, &dlt);
	if (r < 0) return fail(b, error, BPEI_BIOCGDLT, r, NULL);
	if (b->options.link_type >= 0 && b->abi->link_type_of(dlt) != (uint32_t)b->options.link_type) {
		char list[128];
		const char *name = bpe_link_type_name(b->options.link_type);
		r = set(b, BPEI_BIOCSDLT, b->abi->dlt_of((uint32_t)b->options.link_type));
		if (r == -EINVAL) {
			offered(b, list, sizeof list);
			return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSDLT", 0, "%s has no link type %s; it has: %s", b->name, name ? name : "of that number", list);
		}
		if (r < 0) return fail(b, error, BPEI_BIOCSDLT, r, NULL);
		r = bpei_bpf_call_u32(b, BPEI_BIOCGDLT, &dlt);
		if (r < 0) return fail(b, error, BPEI_BIOCGDLT, r, NULL);
	}
	b->walk.link_type = b->abi->link_type_of(dlt);
	b->walk.link_type_of = b->abi->link_type_of;
	b->walk.pktap = b->walk.link_type == 258;
	return BPE_OK;
}

static int set_direction(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t want = b->options.direction;
	if (want == BPE_DIRECTION_BOTH) return BPE_OK;
	enum bpei_bpf_call call = b->abi->call[BPEI_BIOCSDIRFILT] ? BPEI_BIOCSDIRFILT : BPEI_BIOCSDIRECTION;
	int r = set(b, call, b->abi->direction[want]);
	if (r == -EINVAL && want == BPE_DIRECTION_IN && b->abi->call[BPEI_BIOCSSEESENT]) r = set(b, call = BPEI_BIOCSSEESENT, 0);
	if (r == -EINVAL) return bpei_fail(error, BPE_E_UNSUPPORTED, bpei_bpf_call_name(call), 0, "this kernel cannot show outgoing packets alone (macOS: 14 and later)");
	return r < 0 ? fail(b, error, call, r, NULL) : BPE_OK;
}

static int set_mode(struct bpei_bpf *b, struct bpe_error *error)
{
	uint32_t mode = b->options.read_mode;
	int r;
	bool immediate = mode == BPE_READ_LATENCY || (mode == BPE_READ_AUTO && !b->zero_copy);
	r = set(b, BPEI_BIOCIMMEDIATE, immediate);
	if (r < 0) return fail(b, error, BPEI_BIOCIMMEDIATE, r, NULL);
	/* With shared buffers readiness of a packet alone would mean a buffer for each: a tick later. */
	if (b->zero_copy && mode != BPE_READ_THROUGHPUT) {
		r = set_time(b, BPEI_BIOCSRTIMEOUT, BPEI_PACE_MOST_NS);
		if (r < 0) return fail(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
	}
	if (mode == BPE_READ_THROUGHPUT) {
		r = set_time(b, BPEI_BIOCSRTIMEOUT, THROUGHPUT_WAIT_NS);
		if (r < 0) return fail(b, error, BPEI_BIOCSRTIMEOUT, r, NULL);
		/* OpenBSD: counted from the first packet, so better than from the read.  Of it and BIOCIMMEDIATE the last wins. */
		if (b->abi->call[BPEI_BIOCSWTIMEOUT]) set_time(b, BPEI_BIOCSWTIMEOUT, FIRST_PACKET_NS);
	}
	b->can_nonblocking = false;
	if (mode == BPE_READ_THROUGHPUT) return BPE_OK;
	r = bpei_bpf_nonblocking(b, true);
	return r < 0 ? bpei_fail(error, BPE_E_IO, "O_NONBLOCK", -r, "%s", b->node) : BPE_OK;
}

/* ---- Filters ---- */

int bpei_bpf_install(struct bpei_bpf *b, enum bpei_bpf_call call)
{
	struct bpe_insn whole = { 0x06, 0, 0, b->filter ? UINT32_MAX : b->options.snaplen + (b->walk.pktap ? PKTAP_ROOM : 0) };	/* what runs here wants all of it */
	struct { uint32_t length; const struct bpe_insn *insns; } program = { 1, &whole };
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
	/* FreeBSD's net.bpf.optimize_writers takes a first program of this form for a writer's, and shows it nothing. */
	return r >= 0 && b->abi->system == BPEI_FREEBSD ? bpei_bpf_call(b, call, &program) : r;
}

void bpei_bpf_tell_filter(struct bpei_bpf *b)
{
	if (!b->filter || b->kernel_filters) return;
	if (!b->kernel_narrows) bpei_notice(&b->options, "the kernel does not take the filter: it runs here, and the kernel's counts are of all packets");
	else bpei_notice(&b->options, "the kernel has a wider filter of %u instructions (%s), the rest is filtered here", b->fit.length, b->fit.why ? b->fit.why : "it has no whole one");
}

static int set_filter(struct bpei_bpf *b, struct bpe_error *error)
{
	int r = bpei_bpf_install(b, BPEI_BIOCSETF);
	if (r < 0) return fail(b, error, BPEI_BIOCSETF, r, NULL);
	bpei_bpf_tell_filter(b);
	b->refilter_reads = 0;
	return BPE_OK;
}

/* ---- The ladder ---- */

static int climb(struct bpei_bpf *b, size_t want, struct bpe_error *error)
{
	int r = open_node(b, error);
	if (r >= 0) r = check_version(b, error);
	if (r >= 0) {
		b->zero_copy = b->options.zero_copy && b->abi->call[BPEI_BIOCSETZBUF];
		int z = b->zero_copy ? bpei_zbuf_open(b) : 0;
		if (b->options.zero_copy && (!b->zero_copy || z < 0)) {
			bpei_notice(&b->options, b->zero_copy ? "no zero-copy buffers (%s; sysctl net.bpf.zerocopy_enable=1 allows them): reading instead"
				    : "no zero-copy buffers on %s: reading instead", b->zero_copy ? strerror(-z) : b->abi->title);
			b->zero_copy = false;
		}
		if (!b->zero_copy) r = set_buffer(b, want, error);
	}
	if (r < 0) return r;
	set_private(b);
	set_stamp(b);
	r = set_interface(b, error);
	if (r >= 0) r = set_link_type(b, error);
	if (r < 0) return r;
	if (b->options.promiscuous) {
		int p = bpei_bpf_call(b, BPEI_BIOCPROMISC, NULL);
		if (p < 0) bpei_notice(&b->options, "interface %s is not promiscuous: %s", b->name, strerror(-p));
	}
	r = set_direction(b, error);
	if (r >= 0) r = set_mode(b, error);
	if (r >= 0) r = set_filter(b, error);
	if (r < 0) return r;
	uint32_t length = 0;
	int f = bpei_bpf_call(b, BPEI_BIOCFLUSH, NULL);
	if (f < 0) return fail(b, error, BPEI_BIOCFLUSH, f, NULL);
	int g = bpei_bpf_call_u32(b, BPEI_BIOCGBLEN, &length);
	if (g < 0) return fail(b, error, BPEI_BIOCGBLEN, g, NULL);
	if (!b->zero_copy) b->buffer_bytes = length;	/* read() wants exactly this */
	b->walk.meta = b->walk.extended || b->walk.pktap;
	b->walk.plain = !b->walk.meta && !b->walk.layout->flags;
	b->last_received = b->last_dropped = b->last_accepted = 0;	/* BIOCFLUSH zeroed them */
	b->chain.length = 0;
	return BPE_OK;
}

void bpei_bpf_detach(struct bpei_bpf *b)
{
	if (b->fd >= 0) b->sys.close(b->sys.context, b->fd);
	b->fd = -1;
	bpei_zbuf_close(b);
}

int bpei_bpf_attach(struct bpei_bpf *b, struct bpe_error *error)
{
	uint64_t asked = b->options.buffer_bytes ? b->options.buffer_bytes : WANTED_BUFFER;
	if (asked > 1u << 30) return bpei_fail(error, BPE_E_ARGUMENT, "BIOCSBLEN", 0, "a buffer of %llu bytes is too large: at most 1 GiB", (unsigned long long)asked);
	if (b->block_bytes && asked > b->block_bytes) asked = b->block_bytes;
	for (size_t want = asked & ~(uint64_t)7;; want = want / 2 & ~(size_t)7) {
		struct bpe_error why = { .status = BPE_OK };
		if (want < 32) want = 32;
		int r = climb(b, want, &why);
		if (r >= 0 && b->block_bytes && b->buffer_bytes > b->block_bytes)
			r = bpei_fail(&why, BPE_E_MEMORY, "BIOCGBLEN", 0, "%s came back with a larger buffer than before", b->name);
		if (r >= 0) {
			if (b->options.buffer_bytes && b->buffer_bytes < asked)
				bpei_notice(&b->options, "the kernel gave a buffer of %zu bytes, not %llu (%s bounds it)", b->buffer_bytes, (unsigned long long)asked,
					    b->abi->buffer_sysctl);
			return BPE_OK;
		}
		bpei_bpf_detach(b);
		if (r != BPE_E_MEMORY || (why.sys_errno != ENOBUFS && why.sys_errno != ENOMEM) || want <= LEAST_BUFFER || b->zero_copy) {
			if (error) *error = why;
			return r;
		}
		if (want > b->buffer_bytes && b->buffer_bytes > LEAST_BUFFER) want = b->buffer_bytes;	/* halve what the kernel allowed */
	}
}
