/* SPDX-License-Identifier: MIT */
/* The records that read() on a BPF device gives, as data: one layout for each system, all known on
 * every host. A record is a header of hdrlen bytes, then caplen bytes of the packet; the next
 * record begins at the next multiple of align. Sources: struct bpf_hdr, bpf_xhdr, bpf_hdr_ext,
 * bpf_comp_hdr in <net/bpf.h> of xnu-11417, FreeBSD 14, NetBSD 10, OpenBSD 7.7; struct pktap_header
 * and pktap_v2_hdr in xnu's bsd/net/pktap.h. */
#ifndef BPEI_LAYOUT_H
#define BPEI_LAYOUT_H

#include "arch/arch.h"
#include "base/counter.h"
#include "records/block.h"

enum bpei_stamp { BPEI_STAMP_MICRO, BPEI_STAMP_NANO, BPEI_STAMP_BINTIME /* 2^-64 s */ };

struct bpei_layout {
	const char *name;
	uint8_t align;
	uint8_t min_header;       /* bytes that every header has: up to and with hdrlen */
	uint8_t timestamp_format; /* enum bpei_stamp: what the fraction counts */
	uint8_t stamp_bytes;      /* size of seconds (at 0) and of the fraction behind: 4 or 8 */
	bool stamp_signed;
	uint8_t caplen, datalen, hdrlen; /* offsets: u32, u32, u16 */
	uint8_t flags;        /* OpenBSD: offset of bh_flags (0x10 in, 0x20 out); 0: none */
	uint16_t size;        /* sizeof the structure */
	uint16_t hdrlen_base; /* bytes from which the kernel computes hdrlen */
};

extern const struct bpei_layout bpei_layout_macos, bpei_layout_macos_comp, bpei_layout_freebsd,
	bpei_layout_freebsd_nano, bpei_layout_freebsd_bintime, bpei_layout_netbsd,
	bpei_layout_openbsd, bpei_layout_openbsd_old;

static inline uint32_t bpei_layout_align(uint32_t n, uint32_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* The hdrlen that a kernel computes: so that what follows the link header is aligned. */
static inline uint32_t bpei_layout_hdrlen(uint32_t hdrlen_base, uint32_t align, uint32_t link_bytes)
{
	return bpei_layout_align(hdrlen_base + link_bytes, align) - link_bytes;
}

/* ---- macOS's longer headers ---- */

/* Which of struct bpf_hdr_ext's generations a header is: from its length, and from 60 bytes' two
 * meanings. */
enum bpei_ext {
	BPEI_EXT_NONE,
	BPEI_EXT_52,     /* 10.8 to 10.11 */
	BPEI_EXT_60_OLD, /* 10.12 to 12: flags u16 at 18, pktflags at 42 */
	BPEI_EXT_60,     /* 13 to 15.1: flags u8 at 19, pktflags at 41 */
	BPEI_EXT_64,     /* 15.2 on */
	BPEI_EXTS
};
enum bpei_ext bpei_ext_of(uint32_t hdrlen, bool compression_known);
bool bpei_ext_outgoing(enum bpei_ext ext, const uint8_t *record);

#define BPEI_PKTAP_V1_LEAST 108u /* up to and with ecomm: what every version has */
#define BPEI_PKTAP_V2_LEAST 40u

/* A PKTAP header that lies in caplen bytes: its length and its packet's DLT, direction flags (1 in,
 * 2 out); false: damaged. */
struct bpei_pktap {
	uint32_t length, dlt, flags;
	bool v2;
};
enum { BPEI_PKTAP_IN = 1, BPEI_PKTAP_OUT = 2, BPEI_PKTAP_IN_OUT = 3 };
bool bpei_pktap_read(const uint8_t *p, uint32_t caplen, struct bpei_pktap *pktap);

/* A packet's element in the meta column: how many bytes before its data the record begins, the
 * generation, whether a PKTAP header lies between. */
#define BPEI_META_BACK 0x0fffu
#define BPEI_META_EXT_SHIFT 12
#define BPEI_META_EXT 0x7000u
#define BPEI_META_PKTAP 0x8000u
_Static_assert(BPEI_EXTS <= 8, "three bits");

/* ---- Walking ---- */

struct bpei_bpf_walk {
	const struct bpei_layout *layout;
	uint32_t link_type; /* LINKTYPE_*; of PKTAP: 258 */
	uint32_t snaplen;
	bool plain;    /* no direction, extended header or PKTAP header is wanted: the fast path */
	bool extended; /* macOS, BIOCSEXTHDR: headers are struct bpf_hdr_ext where they are long
			  enough */
	bool compression_known; /* the kernel is 13 or later: which of the two 60-byte generations
				 */
	bool pktap;             /* packets lie behind PKTAP headers; each says its own link type */
	bool keeps_pktap;       /* the header stays: a filter runs first, then bpei_bpf_unwrap */
	bool meta;              /* the meta column is wanted */
	uint32_t (*link_type_of)(uint32_t dlt); /* PKTAP's DLTs, the system's own, to LINKTYPE_ */
	bpei_counter *torn_blocks;
};

/* As struct bpei_device_ops.walk.  A record whose lengths do not fit ends the block, and counts it
 * as torn. */
uint32_t bpei_walk_bpf(const struct bpei_bpf_walk *how, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);

/* Takes the PKTAP header off packet i, which bpei_walk_bpf left on (keeps_pktap).  Returns the link
 * type of the packet behind the header; of a damaged header LINKTYPE_PKTAP, and the packet is left
 * as it was. */
uint32_t bpei_bpf_unwrap(
	const struct bpei_bpf_walk *how, const struct bpei_columns *columns, uint32_t i);

/* BIOCSHDRCOMP: a packet's first complen bytes are those of the packet before it.  Writes to `to`
 * (of room bytes) the n bytes of records at `from` with every packet whole again, complen 0.  chain
 * is kept from read to read; begin with length 0. */
struct bpei_inflate {
	uint8_t bytes[255];
	uint32_t length;
};
#define BPEI_INFLATE_FAILED SIZE_MAX /* a record that cannot be, or no room */
size_t bpei_inflate_size(
	const uint8_t *from, size_t n); /* bytes that it will take; BPEI_INFLATE_FAILED */
size_t bpei_inflate(
	struct bpei_inflate *chain, const uint8_t *from, size_t n, uint8_t *to, size_t room);

#endif
