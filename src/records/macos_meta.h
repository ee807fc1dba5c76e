/* SPDX-License-Identifier: MIT */
/* macOS's longer headers: struct bpf_hdr_ext in front of a packet (BIOCSEXTHDR), and PKTAP headers
 * between record and packet.  Pure.  Sources: <net/bpf.h>, struct pktap_header and pktap_v2_hdr of
 * bsd/net/pktap.h, in xnu-11417. */
#ifndef BPEI_MACOS_META_H
#define BPEI_MACOS_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Generations of struct bpf_hdr_ext. */
enum bpei_ext {
	BPEI_EXT_NONE,
	BPEI_EXT_52,     /* 10.8 to 10.11 */
	BPEI_EXT_60_OLD, /* 10.12 to 12: flags u16 at 18, pktflags at 42 */
	BPEI_EXT_60,     /* 13 to 15.1: flags u8 at 19, pktflags at 41 */
	BPEI_EXT_64,     /* 15.2 on */
	BPEI_EXT_PUSHED, /* no header: the program gave the metadata (records/pushed.h) */
	BPEI_EXT_PCAPNG, /* no header: the packet's block has options (records/pcapng_options.h) */
	BPEI_EXTS
};

/* Returns the generation of a header of hdrlen bytes.  compression_known: the kernel is 13 or
 * later, which tells the two generations of 60 bytes apart. */
enum bpei_ext bpei_ext_generation(uint32_t hdrlen, bool compression_known);

/* Returns whether the header says that this host sent the packet. */
bool bpei_ext_outgoing(enum bpei_ext ext, const uint8_t *record);

/* Copies a name of at most n bytes, which may lack a terminating 0.  Bytes that are not printable
 * become '?'. */
static inline void bpei_meta_copy_name(char *to, size_t room, const uint8_t *from, size_t n)
{
	size_t i = 0;

	for (; i < n && i + 1 < room && from[i]; i++)
		to[i] = from[i] >= 0x20 && from[i] != 0x7f ? (char)from[i] : '?';
	to[i] = 0;
}

#define BPEI_PKTAP_V1_LEAST 108u /* up to and with ecomm: what every version has */
#define BPEI_PKTAP_V2_LEAST 40u

/* A PKTAP header. */
struct bpei_pktap {
	uint32_t length; /* bytes */
	uint32_t dlt;    /* the packet's DLT, the system's own number */
	uint32_t flags;
	bool v2;
};
enum { BPEI_PKTAP_IN = 1, BPEI_PKTAP_OUT = 2, BPEI_PKTAP_IN_OUT = 3 };

/* Reads the PKTAP header at p.  Returns true; false if the header is damaged, or longer than
 * caplen. */
bool bpei_pktap_read(const uint8_t *p, uint32_t caplen, struct bpei_pktap *pktap);

struct bpe_batch;
struct bpe_meta;

/* What Apple's files have of a packet, and struct bpe_meta has not. */
struct bpei_meta_more {
	bool has_service_class;               /* 0 is a class, too */
	uint32_t pktap_flags;                 /* 0 without PKTAP */
	uint32_t compression;                 /* generation; 0: unknown */
	const uint8_t *uuid, *effective_uuid; /* 16 bytes; NULL: unknown */
};

/* Reads the metadata of packet i as bpe_batch_meta, and the rest of it.  Returns false if the
 * source tells nothing. */
bool bpei_batch_meta_more(const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta,
	struct bpei_meta_more *more);

/* A packet's element in the meta column.  BACK: bytes from the beginning of the record to the
 * packet's data.  EXT: the header's generation.  PKTAP: a PKTAP header lies between the two. */
#define BPEI_META_BACK 0x0fffu
#define BPEI_META_EXT_SHIFT 12
#define BPEI_META_EXT 0x7000u
#define BPEI_META_PKTAP 0x8000u
_Static_assert(BPEI_EXTS <= 8, "three bits");

#endif
