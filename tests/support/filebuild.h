/* SPDX-License-Identifier: MIT */
/* Savefiles made in memory, byte by byte, in either byte order. */
#ifndef FILEBUILD_H
#define FILEBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct image {
	bool big;
	size_t length, whole[64]; /* whole[k]: the end of packet k */
	uint32_t packets;
	uint8_t bytes[16384];
};

static inline void put_number(struct image *f, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->bytes[f->length++] = (uint8_t)(v >> 8 * (f->big ? n - 1 - i : i));
}

static inline void put_bytes(struct image *f, uint32_t n, uint8_t fill) /* padded to 4 */
{
	memset(f->bytes + f->length, fill, n);
	f->length += n;
}

static inline void pad_block(struct image *f)
{
	while (f->length % 4)
		f->bytes[f->length++] = 0;
}
static inline void packet_done(struct image *f)
{
	f->whole[f->packets++] = f->length;
}

static inline void pcap_header(
	struct image *f, uint32_t magic, uint16_t minor, uint32_t snaplen, uint32_t link_type)
{
	put_number(f, magic, 4), put_number(f, 2, 2), put_number(f, minor, 2), put_number(f, 0, 8),
		put_number(f, snaplen, 4), put_number(f, link_type, 4);
}

static inline void pcap_packet(struct image *f, uint32_t sec, uint32_t frac, uint32_t caplen,
	uint32_t wirelen, uint32_t more_header)
{
	put_number(f, sec, 4), put_number(f, frac, 4), put_number(f, caplen, 4),
		put_number(f, wirelen, 4);
	put_bytes(f, more_header, 0xaa), put_bytes(f, caplen, (uint8_t)f->packets);
	packet_done(f);
}

static inline size_t ng_begin(struct image *f, uint32_t type)
{
	size_t at = f->length;
	put_number(f, type, 4), put_number(f, 0, 4);
	return at;
}

static inline void ng_end(struct image *f, size_t at)
{
	pad_block(f);
	size_t end = f->length + 4;
	f->length = at + 4;
	put_number(f, end - at, 4);
	f->length = end - 4;
	put_number(f, end - at, 4);
}

static inline void ng_section(struct image *f, bool big)
{
	f->big = big;
	size_t at = ng_begin(f, 0x0a0d0d0a);
	put_number(f, 0x1a2b3c4d, 4), put_number(f, 1, 2), put_number(f, 0, 2),
		put_number(f, UINT64_MAX, 8);
	ng_end(f, at);
}

/* Writes an interface block.  tsresol < 0, tsoffset 0: without the option. */
static inline void ng_interface(
	struct image *f, uint16_t link_type, uint32_t snaplen, int tsresol, int64_t tsoffset)
{
	size_t at = ng_begin(f, 1);
	put_number(f, link_type, 2), put_number(f, 0, 2), put_number(f, snaplen, 4);
	if (tsresol >= 0)
		put_number(f, 9, 2), put_number(f, 1, 2), put_bytes(f, 1, (uint8_t)tsresol),
			pad_block(f);
	if (tsoffset)
		put_number(f, 14, 2), put_number(f, 8, 2), put_number(f, (uint64_t)tsoffset, 8);
	put_number(f, 0, 4);
	ng_end(f, at);
}

static inline void ng_packet(struct image *f, uint32_t kind, uint32_t interface, uint64_t time,
	uint32_t caplen, uint32_t wirelen)
{
	size_t at = ng_begin(f, kind);
	if (kind == 6)
		put_number(f, interface, 4);
	if (kind == 2)
		put_number(f, interface, 2), put_number(f, 7, 2);
	if (kind == 3)
		put_number(f, wirelen, 4);
	else
		put_number(f, time >> 32, 4), put_number(f, time & 0xffffffff, 4),
			put_number(f, caplen, 4), put_number(f, wirelen, 4);
	put_bytes(f, caplen, (uint8_t)f->packets);
	ng_end(f, at);
	packet_done(f);
}

#endif
