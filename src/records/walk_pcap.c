/* SPDX-License-Identifier: MIT */
/* Walks the records of a pcap file.  Pure: the state is the caller's.  The common forms (this
 * host's byte order, microseconds or nanoseconds) have separate loops, copies of an inline
 * function. Nothing is prefetched, since the bytes were just read and lie in the second-level cache
 * (device/savefile.c). */
#include "records/walk_pcap.h"

#include "base/bytes.h"
#include "base/cacheline.h"
#include "names/numbers.h"

#include <string.h>

#define ZEROS_MOST 1024u /* bytes compared with zeros */
#define BRIEF 4096u      /* longer records are proved to be whole with more comparisons */

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u
#define PCAPNG_ORDER 0x1a2b3c4du
#define PCAPNG_ORDER_SWAPPED 0x4d3c2b1au
enum { RECORD_HEADER = 16, RECORD_HEADER_MODIFIED = 24 };
enum { MAJOR_STRANGE = 543 }; /* of old files with swapped lengths, as libpcap knows them */

uint32_t bpei_link_most(uint32_t link_type)
{
	switch (link_type) {
	case LINK_DBUS:
	case LINK_USB_LINUX:
	case LINK_USB_LINUX_MMAPPED:
	case LINK_USBPCAP:
		return 128u << 20;
	case LINK_EBHSCR:
		return 8u << 20;
	default:
		return 262144;
	}
}

static uint32_t load_pcap32(bool swapped, const uint8_t *p)
{
	const uint32_t v = bpei_load32(p);

	return swapped ? __builtin_bswap32(v) : v;
}

static uint16_t load_pcap16(bool swapped, const uint8_t *p)
{
	const uint16_t v = bpei_load16(p);

	return swapped ? __builtin_bswap16(v) : v;
}

static bool is_pcap_magic(uint32_t magic)
{
	return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MODIFIED;
}

int bpei_pcap_init(struct bpei_pcap *pcap, const uint8_t *h)
{
	struct bpei_pcap f = { .swapped = false };
	uint32_t magic = bpei_load32(h);

	if (is_pcap_magic(__builtin_bswap32(magic))) {
		f.swapped = true;
		magic = __builtin_bswap32(magic);
	}
	if (!is_pcap_magic(magic))
		return 0;
	f.nanoseconds = magic == MAGIC_NANO;
	f.modified = magic == MAGIC_MODIFIED;
	const uint16_t major = load_pcap16(f.swapped, h + 4);
	const uint16_t minor = load_pcap16(f.swapped, h + 6);
	f.snaplen = load_pcap32(f.swapped, h + 16);
	/* the bits above hold the length of the frame check sequence */
	f.link_type = load_pcap32(f.swapped, h + 20) & 0x03ffffff;
	f.most = bpei_link_most(f.link_type);
	if (!f.snaplen || f.snaplen > INT32_MAX)
		f.snaplen = f.most;
	/* Old tcpdumps wrote the wire length before the captured length. */
	f.lengths_swapped = (major == 2 && minor < 3) || major == MAJOR_STRANGE;
	f.lengths_maybe_swapped = major == 2 && minor == 3;
	*pcap = f;
	if ((major == 2 && minor <= 4) || (major == MAJOR_STRANGE && minor == 0))
		return 1;
	pcap->why = major < 2 ? "the version of the pcap format is older than 2.0"
			      : "the version of the pcap format is newer than 2.4";
	return -1;
}

/* Decides on a record header of zeros.  Returns BAD if nothing but zeros follow a packet, as in a
 * file not written to the end; PARTIAL if the decision needs bytes not read yet.  Returns MORE if
 * the header is a record: the only record, among records without bytes, or followed by other
 * bytes. */
static enum bpei_walk_stop judge_zeros(const struct bpei_pcap *f, const uint8_t *p, size_t left)
{
	static const uint8_t zeros[ZEROS_MOST] = { 0 };

	if (memcmp(p, zeros, left < sizeof zeros ? left : sizeof zeros))
		return BPEI_WALK_MORE;
	if (f->has_packets && !f->last_bytes)
		return BPEI_WALK_MORE;
	if (left < sizeof zeros && !f->at_end)
		return BPEI_WALK_PARTIAL;
	return f->has_packets || left >= 2 * RECORD_HEADER ? BPEI_WALK_BAD : BPEI_WALK_MORE;
}

/* Returns whether p begins a pcapng file.  At least RECORD_HEADER bytes are there. */
static bool is_pcapng_header(const uint8_t *p)
{
	const uint32_t order = bpei_load32(p + 8);

	return bpei_pcapng_is(p) && (order == PCAPNG_ORDER || order == PCAPNG_ORDER_SWAPPED);
}

/* Reads the header of a pcap file appended to this file.  Returns LIMIT, with *f of the new file,
 * if the walk goes on behind the header; MORE if p is no file header; PARTIAL. */
static enum bpei_walk_stop enter_appended_file(struct bpei_pcap *f, const uint8_t *p, size_t left)
{
	struct bpei_pcap next;
	const uint32_t magic = bpei_load32(p);

	if (!is_pcap_magic(magic) && !is_pcap_magic(__builtin_bswap32(magic)))
		return BPEI_WALK_MORE;
	if (bpei_load32(p + 12)) /* "sigfigs", always 0; of a record its wire length */
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
	/* a block's memory was allocated for the first file's longest record */
	if (next.most > BPEI_PCAPNG_MAX_BLOCK && next.most > f->most)
		next.most = f->most;
	*f = next;
	return BPEI_WALK_LIMIT;
}

/* Examines a record header without a packet: zeros, or the header of an appended file.  Returns
 * MORE if the header is neither; LIMIT if the walk goes on behind a file's header. */
static __attribute__((noinline)) enum bpei_walk_stop examine_header(
	struct bpei_pcap *f, const uint8_t *p, size_t left)
{
	if (!bpei_load32(p)) {
		const enum bpei_walk_stop zeros = judge_zeros(f, p, left);

		if (zeros == BPEI_WALK_BAD)
			f->why = "zeros where a record should be";
		if (zeros != BPEI_WALK_MORE)
			return zeros;
	}
	if (is_pcapng_header(p)) {
		f->why = "another savefile, a pcapng one, begins here: read it by itself";
		return BPEI_WALK_BAD;
	}
	return enter_appended_file(f, p, left);
}

/* The form of a file's records; constant in each copy of walk_form. */
struct record_form {
	bool quirks; /* lengths may be swapped */
	bool swapped;
	int64_t unit; /* nanoseconds of a unit of the fraction */
	uint32_t header;
};

struct record_head {
	uint32_t sec, fraction, caplen, wirelen;
};

static inline __attribute__((always_inline)) struct record_head read_record_head(
	const struct bpei_pcap *f, const uint8_t *p, const struct record_form form)
{
	const struct record_head h = {
		.sec = load_pcap32(form.swapped, p),
		.fraction = load_pcap32(form.swapped, p + 4),
		.caplen = load_pcap32(form.swapped, p + 8),
		.wirelen = load_pcap32(form.swapped, p + 12),
	};
	const bool maybe = f->lengths_maybe_swapped && h.caplen > h.wirelen;

	if (form.quirks && (f->lengths_swapped || maybe))
		return (struct record_head){ h.sec, h.fraction, h.wirelen, h.caplen };
	return h;
}

/* Returns the place from which on a record of header and `brief` bytes may reach past the block's
 * end, or past the limit. */
static inline __attribute__((always_inline)) const uint8_t *near_end(
	const struct bpei_block *block, const uint8_t *limit, uint32_t header, uint32_t brief)
{
	const uint8_t *near = block->bytes;

	if (block->length > (size_t)header + brief)
		near = block->bytes + block->length - header - brief;
	return near < limit ? near : limit;
}

/* Walks up to max records of the form. */
static inline __attribute__((always_inline)) uint32_t walk_form(struct bpei_pcap *f,
	struct bpei_block *block, const struct bpei_columns *c, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop, const struct record_form form)
{
	const uint32_t header = form.header;
	const uint32_t most = f->most;
	const uint32_t keep = f->snaplen < snaplen ? f->snaplen : snaplen;
	const uint8_t *p = block->bytes + block->position;
	const uint8_t *end = block->bytes + block->length;
	const uint8_t *limit = end;
	size_t n = 0;

	if (block->stop_offset < block->length)
		limit = block->bytes + block->stop_offset;
	/* A record of at most `brief` bytes with a beginning before `near` ends before `end`, and
	 * stays whole: two comparisons. */
	uint32_t brief = most < keep ? most : keep;
	if (brief > BRIEF)
		brief = BRIEF;
	const uint8_t *near = near_end(block, limit, header, brief);
	/* Local copies: so the compiler knows the place of each store. */
	const uint8_t **data = c->data;
	int64_t *time_ns = c->time_ns;
	uint32_t *caplens = c->caplen;
	uint32_t *wirelens = c->wirelen;

	block->link_type = f->link_type;
	*stop = BPEI_WALK_MORE;
	for (; n < max; n++) {
		const bool close = p >= near;

		if (BPEI_UNLIKELY(close) && (p >= limit || (size_t)(end - p) < header)) {
			*stop = p >= limit ? BPEI_WALK_LIMIT : BPEI_WALK_PARTIAL;
			break;
		}
		const struct record_head h = read_record_head(f, p, form);
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
		time_ns[n] = (int64_t)h.sec * 1000000000 + (int64_t)h.fraction * form.unit;
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
	const struct record_form micro = { .unit = 1000, .header = RECORD_HEADER };
	const struct record_form nano = { .unit = 1, .header = RECORD_HEADER };
	struct record_form form = micro;

	form.unit = f->nanoseconds ? 1 : 1000;
	if (BPEI_UNLIKELY(f->modified || f->lengths_swapped || f->lengths_maybe_swapped)) {
		form.quirks = true;
		form.swapped = f->swapped;
		form.header = f->modified ? RECORD_HEADER_MODIFIED : RECORD_HEADER;
		return walk_form(f, block, c, max, snaplen, stop, form);
	}
	if (f->swapped) {
		form.swapped = true;
		return walk_form(f, block, c, max, snaplen, stop, form);
	}
	if (f->nanoseconds)
		return walk_form(f, block, c, max, snaplen, stop, nano);
	return walk_form(f, block, c, max, snaplen, stop, micro);
}

/* Returns whether a length is 0, which few packets have.  Without a branch, so that compilers make
 * vectors of it. */
static bool has_zero_length(const uint32_t *lengths, uint32_t n)
{
	uint32_t any = 0;

	for (uint32_t i = 0; i < n; i++)
		any |= lengths[i] == 0;
	return any;
}

/* Examines the header at p, where a record of no bytes on the wire was found, or no record could
 * be.  Returns false if p is a record.  Else the walk ends before p, or goes on behind a file's
 * header: *stop and the position are set. */
static bool ends_walk_at(
	struct bpei_pcap *f, struct bpei_block *block, const uint8_t *p, enum bpei_walk_stop *stop)
{
	const size_t at = (size_t)(p - block->bytes);
	const enum bpei_walk_stop is = examine_header(f, p, block->length - at);

	if (is == BPEI_WALK_MORE)
		return false;
	*stop = is == BPEI_WALK_LIMIT ? BPEI_WALK_MORE : is;
	block->position = at;
	if (is == BPEI_WALK_LIMIT) {
		f->file_at = at;
		block->position += BPEI_PCAP_HEADER;
	}
	return true;
}

static void note_last_packet(struct bpei_pcap *f, const struct bpei_columns *c, uint32_t n)
{
	if (!n)
		return;
	f->has_packets = true;
	f->last_bytes = c->caplen[n - 1];
}

/* Examines each record without bytes on the wire among n that were walked.  Returns how many of the
 * n are packets before the walk's end. */
static uint32_t cut_at_empty_record(struct bpei_pcap *f, struct bpei_block *block,
	const struct bpei_columns *c, uint32_t n, enum bpei_walk_stop *stop)
{
	const uint32_t header = f->modified ? RECORD_HEADER_MODIFIED : RECORD_HEADER;

	for (uint32_t i = 0; BPEI_UNLIKELY(has_zero_length(c->wirelen + i, n - i)); i++) {
		while (c->wirelen[i])
			i++;
		note_last_packet(f, c, i);
		if (ends_walk_at(f, block, c->data[i] - header, stop))
			return i;
	}
	return n;
}

uint32_t bpei_walk_pcap(struct bpei_pcap *f, struct bpei_block *block, const struct bpei_columns *c,
	uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop)
{
	for (;;) {
		const uint32_t files = f->files;
		const uint32_t n = cut_at_empty_record(
			f, block, c, walk_file(f, block, c, max, snaplen, stop), stop);

		note_last_packet(f, c, n);
		if (n && f->files == files)
			return n;
		const bool stuck = *stop == BPEI_WALK_BAD || *stop == BPEI_WALK_PARTIAL;
		if (f->files == files && stuck && block->length - block->position >= RECORD_HEADER)
			ends_walk_at(f, block, block->bytes + block->position, stop);
		/* without packets the walk goes on behind a file's header */
		if (BPEI_LIKELY(n || f->files == files))
			return n;
	}
}
