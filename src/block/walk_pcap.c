/* SPDX-License-Identifier: MIT */
/* The records of a pcap file.  Pure: the state is the caller's.  The common forms (this host's byte order, microseconds or
 * nanoseconds) have loops of their own, made from one inline function; it asks for the bytes 2 KiB ahead, since each record's
 * place is known only from the one before, and memory would be waited for at every step. */
#include "base/bytes.h"
#include "base/cacheline.h"
#include "block/walk.h"

#define AHEAD 2048u

uint32_t bpei_link_most(uint32_t link_type)
{
	switch (link_type) {
	case 231: return 128u << 20;				/* DBUS */
	case 279: return 8u << 20;				/* EBHSCR */
	case 189: case 220: case 249: return 128u << 20;	/* USB_LINUX, USB_LINUX_MMAPPED, USBPCAP */
	default: return 262144;
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
	if (magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1 || magic == 0x34cdb2a1) f.swapped = true, magic = __builtin_bswap32(magic);
	if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34) return 0;
	f.nanoseconds = magic == 0xa1b23c4d;
	f.modified = magic == 0xa1b2cd34;
	uint16_t major = bpei_load16(h + 4), minor = bpei_load16(h + 6);
	if (f.swapped) major = __builtin_bswap16(major), minor = __builtin_bswap16(minor);
	f.snaplen = load(f.swapped, h + 16);
	f.link_type = load(f.swapped, h + 20) & 0x03ffffff;	/* above: frame check sequence length */
	f.most = bpei_link_most(f.link_type);
	if (!f.snaplen || f.snaplen > INT32_MAX) f.snaplen = f.most;
	/* Old tcpdumps wrote the two lengths the other way round. */
	f.lengths_swapped = (major == 2 && minor < 3) || major == 543;
	f.lengths_maybe_swapped = major == 2 && minor == 3;
	*pcap = f;
	if ((major == 2 && minor <= 4) || (major == 543 && minor == 0)) return 1;
	pcap->why = major < 2 ? "the version of the pcap format is older than 2.0" : "the version of the pcap format is newer than 2.4";
	return -1;
}

static inline __attribute__((always_inline)) uint32_t walk(struct bpei_pcap *f, struct bpei_block *block, const struct bpei_columns *c,
		uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop, bool quirks, bool swapped, int64_t unit, uint32_t header)
{
	const uint8_t *p = block->bytes + block->position, *end = block->bytes + block->length;
	const uint8_t *limit = block->bytes + (block->limit < block->length ? block->limit : block->length);
	/* A record that begins before `sure` ends before `end`. */
	const uint8_t *sure = block->length > (size_t)header + f->most ? end - header - f->most : block->bytes, *near = limit < sure ? limit : sure;
	uint32_t n = 0, most = f->most, keep = f->snaplen < snaplen ? f->snaplen : snaplen;
	const struct bpei_columns to = *c;	/* here, so that no store is feared to change where the next one goes */

	*stop = BPEI_WALK_MORE;
	for (; n < max; n++) {
		bool close = p >= near;
		if (BPEI_UNLIKELY(close) && (p >= limit || (size_t)(end - p) < header)) {
			*stop = p >= limit ? BPEI_WALK_LIMIT : BPEI_WALK_PARTIAL;
			break;
		}
		uint32_t sec = load(swapped, p), fraction = load(swapped, p + 4), caplen = load(swapped, p + 8), wirelen = load(swapped, p + 12);
		if (quirks && (f->lengths_swapped || (f->lengths_maybe_swapped && caplen > wirelen))) {
			uint32_t t = caplen;
			caplen = wirelen;
			wirelen = t;
		}
		if (BPEI_UNLIKELY(caplen > most)) {
			f->why = "its captured length is more than any packet of this link type can have";
			*stop = BPEI_WALK_BAD;
			break;
		}
		if (BPEI_UNLIKELY(close) && (size_t)(end - p) - header < caplen) {
			*stop = BPEI_WALK_PARTIAL;
			break;
		}
		const uint8_t *ahead = p + AHEAD;
		__builtin_prefetch(ahead, 0, 2);
		__builtin_prefetch(ahead + 64, 0, 2);
		if (BPEI_UNLIKELY(caplen > 112))
			for (const uint8_t *behind = ahead + header + caplen; (ahead += 64) < behind - 64;) __builtin_prefetch(ahead + 64, 0, 2);
		to.data[n] = p + header;
		to.time_ns[n] = (int64_t)sec * 1000000000 + (int64_t)fraction * unit;
		to.caplen[n] = caplen < keep ? caplen : keep;
		to.wirelen[n] = wirelen;
		to.interface_id[n] = 0;
		to.outgoing[n] = 0;
		p += header + caplen;
	}
	block->position = (size_t)(p - block->bytes);
	block->link_type = f->link_type;
	return n;
}

uint32_t bpei_walk_pcap(struct bpei_pcap *f, struct bpei_block *block, const struct bpei_columns *c, uint32_t max, uint32_t snaplen,
			enum bpei_walk_stop *stop)
{
	if (BPEI_UNLIKELY(f->modified || f->lengths_swapped || f->lengths_maybe_swapped))
		return walk(f, block, c, max, snaplen, stop, true, f->swapped, f->nanoseconds ? 1 : 1000, f->modified ? 24 : 16);
	if (f->swapped) return walk(f, block, c, max, snaplen, stop, false, true, f->nanoseconds ? 1 : 1000, 16);
	return f->nanoseconds ? walk(f, block, c, max, snaplen, stop, false, false, 1, 16) : walk(f, block, c, max, snaplen, stop, false, false, 1000, 16);
}
