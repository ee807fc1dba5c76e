/* SPDX-License-Identifier: MIT */
/* The records of a pcap file.  Pure: the state is the caller's.  The common forms (this host's byte
 * order, microseconds or nanoseconds) have loops of their own, made from one inline function.  It
 * asks for no bytes ahead: they were just read, and lie in the second-level cache
 * (device/savefile.c). */
#include "base/bytes.h"
#include "base/cacheline.h"
#include "records/walk.h"

#include <string.h>

#define ZEROS_MOST 1024u /* so many are looked at */
#define BRIEF 4096u      /* longer records are proved to be whole with more comparisons */

uint32_t bpei_link_most(uint32_t link_type)
{
	switch (link_type) {
	case 231:
		return 128u << 20; /* DBUS */
	case 279:
		return 8u << 20; /* EBHSCR */
	case 189:
	case 220:
	case 249:
		return 128u << 20; /* USB_LINUX, USB_LINUX_MMAPPED, USBPCAP */
	default:
		return 262144;
	}
}

static uint32_t load(bool swapped, const uint8_t *p)
{
	uint32_t v = bpei_load32(p);
	return swapped ? __builtin_bswap32(v) : v;
}

int bpei_pcap_init(struct bpei_pcap *pcap, const uint8_t *h)
{
	struct bpei_pcap f = { .swapped = false };
	uint32_t magic = bpei_load32(h);
	if (magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1 || magic == 0x34cdb2a1)
		f.swapped = true, magic = __builtin_bswap32(magic);
	if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34)
		return 0;
	f.nanoseconds = magic == 0xa1b23c4d;
	f.modified = magic == 0xa1b2cd34;
	uint16_t major = bpei_load16(h + 4), minor = bpei_load16(h + 6);
	if (f.swapped)
		major = __builtin_bswap16(major), minor = __builtin_bswap16(minor);
	f.snaplen = load(f.swapped, h + 16);
	f.link_type = load(f.swapped, h + 20) & 0x03ffffff; /* above: frame check sequence length */
	f.most = bpei_link_most(f.link_type);
	if (!f.snaplen || f.snaplen > INT32_MAX)
		f.snaplen = f.most;
	/* Old tcpdumps wrote the two lengths the other way round. */
	f.lengths_swapped = (major == 2 && minor < 3) || major == 543;
	f.lengths_maybe_swapped = major == 2 && minor == 3;
	*pcap = f;
	if ((major == 2 && minor <= 4) || (major == 543 && minor == 0))
		return 1;
	pcap->why = major < 2 ? "the version of the pcap format is older than 2.0"
			      : "the version of the pcap format is newer than 2.4";
	return -1;
}

static bool is_pcap(uint32_t magic)
{
	return magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xa1b2cd34;
}

/* Judges a record header of zeros.  BAD: nothing but zeros follow a packet, as they do where a file
 * was not written out to its end. PARTIAL: that hangs on bytes that are not here yet.  MORE: it is
 * a record; it is the only one, or stands among records without bytes, or something else follows.
 */
static enum bpei_walk_stop judge_zeros(const struct bpei_pcap *f, const uint8_t *p, size_t left)
{
	static const uint8_t zeros[ZEROS_MOST] = { 0 };
	if (memcmp(p, zeros, left < sizeof zeros ? left : sizeof zeros))
		return BPEI_WALK_MORE;
	if (f->has_packets && !f->last_bytes)
		return BPEI_WALK_MORE;
	if (left < sizeof zeros && !f->at_end)
		return BPEI_WALK_PARTIAL;
	return f->has_packets || left >= 2 * 16 ? BPEI_WALK_BAD : BPEI_WALK_MORE;
}

/* A record header that no packet has, of zeros, or the header of another file that was appended.
 * MORE: it is none of them; LIMIT: a header, and the walk goes on behind it. */
static __attribute__((noinline)) enum bpei_walk_stop look_closer(
	struct bpei_pcap *f, const uint8_t *p, size_t left)
{
	struct bpei_pcap next;
	const uint32_t magic = bpei_load32(p);
	if (!magic) {
		const enum bpei_walk_stop zeros = judge_zeros(f, p, left);
		if (zeros == BPEI_WALK_BAD)
			f->why = "zeros where a record should be";
		if (zeros != BPEI_WALK_MORE)
			return zeros;
	}
	if (bpei_pcapng_is(p) &&
		(bpei_load32(p + 8) == 0x1a2b3c4d || bpei_load32(p + 8) == 0x4d3c2b1a))
		return f->why = "another savefile, a pcapng one, begins here: read it by itself",
		       BPEI_WALK_BAD;
	if ((!is_pcap(magic) && !is_pcap(__builtin_bswap32(magic))) || bpei_load32(p + 12))
		return BPEI_WALK_MORE;
	if (left < BPEI_PCAP_HEADER)
		return BPEI_WALK_PARTIAL;
	if (bpei_pcap_init(&next, p) != 1)
		return BPEI_WALK_MORE;
	next.files = f->files + 1;
	next.at_end = f->at_end;
	next.has_packets = f->has_packets;
	next.last_bytes = f->last_bytes;
	next.why = f->why;
	if (next.most > BPEI_PCAPNG_MAX_BLOCK && next.most > f->most)
		next.most = f->most; /* of a block's memory */
	*f = next;
	return BPEI_WALK_LIMIT;
}

struct head {
	uint32_t sec, fraction, caplen, wirelen;
};

static inline __attribute__((always_inline)) struct head head_at(const uint8_t *p, bool swapped)
{
	return (struct head){ load(swapped, p), load(swapped, p + 4), load(swapped, p + 8),
		load(swapped, p + 12) };
}

static inline __attribute__((always_inline)) uint32_t walk(struct bpei_pcap *f,
	struct bpei_block *block, const struct bpei_columns *c, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop, bool quirks, bool swapped, int64_t unit, uint32_t header)
{
	const uint8_t *p = block->bytes + block->position, *end = block->bytes + block->length;
	const uint8_t *limit =
		block->bytes +
		(block->stop_offset < block->length ? block->stop_offset : block->length);
	size_t n = 0;
	uint32_t most = f->most, keep = f->snaplen < snaplen ? f->snaplen : snaplen;
	/* A record of at most `brief` bytes that begins before `near` ends before `end`, and
	 * nothing is cut from it: two comparisons. */
	uint32_t brief = most < keep ? most : keep;
	if (brief > BRIEF)
		brief = BRIEF;
	const uint8_t *near =
		block->length > (size_t)header + brief ? end - header - brief : block->bytes;
	if (near > limit)
		near = limit;
	/* Here, so that no store is feared to change where the next one goes. */
	const uint8_t **data = c->data;
	int64_t *time_ns = c->time_ns;
	uint32_t *caplens = c->caplen, *wirelens = c->wirelen;

	block->link_type = f->link_type;
	*stop = BPEI_WALK_MORE;
	for (; n < max; n++) {
		bool close = p >= near;
		if (BPEI_UNLIKELY(close) && (p >= limit || (size_t)(end - p) < header)) {
			*stop = p >= limit ? BPEI_WALK_LIMIT : BPEI_WALK_PARTIAL;
			break;
		}
		struct head h = head_at(p, swapped);
		if (quirks && (f->lengths_swapped ||
				      (f->lengths_maybe_swapped && h.caplen > h.wirelen))) {
			uint32_t t = h.caplen;
			h.caplen = h.wirelen;
			h.wirelen = t;
		}
		uint32_t shown = h.caplen;
		if (BPEI_UNLIKELY(close || h.caplen > brief)) {
			if (h.caplen > most) {
				f->why =
					"its captured length is more than any packet of this link type can have";
				*stop = BPEI_WALK_BAD;
				break;
			}
			if ((size_t)(end - p) - header < h.caplen) {
				*stop = BPEI_WALK_PARTIAL;
				break;
			}
			if (shown > keep)
				shown = keep;
		}
		data[n] = p + header;
		time_ns[n] = (int64_t)h.sec * 1000000000 + (int64_t)h.fraction * unit;
		caplens[n] = shown;
		wirelens[n] = h.wirelen;
		p += header + h.caplen;
	}
	memset(c->interface_id, 0, n * sizeof *c->interface_id);
	memset(c->outgoing, 0, n);
	block->position = (size_t)(p - block->bytes);
	return (uint32_t)n;
}

static uint32_t walk_file(struct bpei_pcap *f, struct bpei_block *block,
	const struct bpei_columns *c, uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop)
{
	if (BPEI_UNLIKELY(f->modified || f->lengths_swapped || f->lengths_maybe_swapped))
		return walk(f, block, c, max, snaplen, stop, true, f->swapped,
			f->nanoseconds ? 1 : 1000, f->modified ? 24 : 16);
	if (f->swapped)
		return walk(f, block, c, max, snaplen, stop, false, true, f->nanoseconds ? 1 : 1000,
			16);
	return f->nanoseconds ? walk(f, block, c, max, snaplen, stop, false, false, 1, 16)
			      : walk(f, block, c, max, snaplen, stop, false, false, 1000, 16);
}

/* Whether a length is 0, which few packets have.  Without a branch, so that compilers make vectors
 * of it. */
static bool has_zero(const uint32_t *lengths, uint32_t n)
{
	uint32_t any = 0;
	for (uint32_t i = 0; i < n; i++)
		any |= lengths[i] == 0;
	return any;
}

/* What stands at p, where a record of no bytes on the wire was found or none could be; last_bytes:
 * shown of the packet before. If it is more than that, the walk ends before it, or goes on behind a
 * file's header. */
static bool ends_at(
	struct bpei_pcap *f, struct bpei_block *block, const uint8_t *p, enum bpei_walk_stop *stop)
{
	const size_t at = (size_t)(p - block->bytes);
	const enum bpei_walk_stop is = look_closer(f, p, block->length - at);
	if (is == BPEI_WALK_MORE)
		return false;
	*stop = is == BPEI_WALK_LIMIT ? BPEI_WALK_MORE : is;
	block->position = at;
	if (is == BPEI_WALK_LIMIT)
		f->file_at = at, block->position += BPEI_PCAP_HEADER;
	return true;
}

uint32_t bpei_walk_pcap(struct bpei_pcap *f, struct bpei_block *block, const struct bpei_columns *c,
	uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop)
{
	for (;;) {
		const uint32_t files = f->files, header = f->modified ? 24 : 16;
		uint32_t n = walk_file(f, block, c, max, snaplen, stop);
		for (uint32_t i = 0; BPEI_UNLIKELY(has_zero(c->wirelen + i, n - i)); i++) {
			while (c->wirelen[i])
				i++;
			if (i)
				f->has_packets = true, f->last_bytes = c->caplen[i - 1];
			if (!ends_at(f, block, c->data[i] - header, stop))
				continue;
			n = i;
			break;
		}
		if (n)
			f->has_packets = true, f->last_bytes = c->caplen[n - 1];
		if (n && f->files == files)
			return n;
		if (f->files == files && (*stop == BPEI_WALK_BAD || *stop == BPEI_WALK_PARTIAL) &&
			block->length - block->position >= 16)
			ends_at(f, block, block->bytes + block->position, stop);
		if (BPEI_LIKELY(n || f->files == files))
			return n; /* else a file's header came first */
	}
}
