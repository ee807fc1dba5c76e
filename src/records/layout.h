/* SPDX-License-Identifier: MIT */
/* The records that read() on a BPF device returns, as data: one layout for each system, all known
 * on every host.  A record is a header of hdrlen bytes, then caplen bytes of the packet.  The next
 * record begins at the next multiple of align.
 *
 * Sources: struct bpf_hdr, bpf_xhdr, bpf_comp_hdr in <net/bpf.h> of xnu-11417, FreeBSD 14, NetBSD
 * 10, OpenBSD 7.7. */
#ifndef BPEI_LAYOUT_H
#define BPEI_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* What the fraction of a time stamp counts: microseconds, nanoseconds, 2^-64 s. */
enum bpei_stamp { BPEI_STAMP_MICRO, BPEI_STAMP_NANO, BPEI_STAMP_BINTIME };

/* Which loop of walk_bpf.c a layout's plain records take: a loop made for the constants below, or
 * the loop for any layout. */
enum bpei_walk_loop { BPEI_LOOP_ANY, BPEI_LOOP_STAMP32, BPEI_LOOP_STAMP64 };

struct bpei_layout {
	const char *name;
	uint8_t align;
	uint8_t min_header;       /* bytes that every header has: up to and with hdrlen */
	uint8_t timestamp_format; /* enum bpei_stamp */
	uint8_t stamp_bytes;      /* size of seconds (at 0) and of the fraction behind: 4 or 8 */
	bool stamp_signed;
	uint8_t caplen, datalen, hdrlen; /* offsets: u32, u32, u16 */
	uint8_t flags;        /* OpenBSD: offset of bh_flags (0x10 in, 0x20 out); 0: none */
	uint8_t loop;         /* enum bpei_walk_loop */
	uint16_t size;        /* sizeof the structure */
	uint16_t hdrlen_base; /* bytes from which the kernel computes hdrlen */
};

/* Members of the two common shapes, up to hdrlen: time stamps of two 32-bit words (macOS, OpenBSD),
 * and of two 64-bit words (FreeBSD, NetBSD). */
#define BPEI_LAYOUT_STAMP32(least, is_signed)                                                      \
	.align = 4, .min_header = (least), .timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 4, \
	.stamp_signed = (is_signed), .caplen = 8, .datalen = 12, .hdrlen = 16
#define BPEI_LAYOUT_STAMP64(format)                                                                \
	.align = 8, .min_header = 26, .timestamp_format = (format), .stamp_bytes = 8,              \
	.stamp_signed = true, .caplen = 16, .datalen = 20, .hdrlen = 24

extern const struct bpei_layout bpei_layout_macos, bpei_layout_macos_comp, bpei_layout_freebsd,
	bpei_layout_freebsd_nano, bpei_layout_freebsd_bintime, bpei_layout_netbsd,
	bpei_layout_openbsd, bpei_layout_openbsd_old;

/* Returns n rounded up to a multiple of align, a power of two. */
static inline uint32_t bpei_layout_align(uint32_t n, uint32_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Returns the hdrlen that a kernel computes, so that the bytes behind the link header are aligned.
 */
static inline uint32_t bpei_layout_hdrlen(uint32_t hdrlen_base, uint32_t align, uint32_t link_bytes)
{
	return bpei_layout_align(hdrlen_base + link_bytes, align) - link_bytes;
}

#endif
