/* SPDX-License-Identifier: MIT */
/* Undoes macOS 13's prefix compression of BPF records (BIOCSHDRCOMP): a packet's first complen
 * bytes are left out where the packet before had the same bytes. */
#ifndef BPEI_BPF_INFLATE_H
#define BPEI_BPF_INFLATE_H

#include <stddef.h>
#include <stdint.h>

/* The first bytes of the last packet.  Kept from read to read; begins with length 0. */
struct bpei_inflate {
	uint8_t bytes[255];
	uint32_t length;
};

#define BPEI_INFLATE_FAILED SIZE_MAX /* a record that cannot be, or no room */

/* Returns the bytes that bpei_inflate needs for n bytes of records, or BPEI_INFLATE_FAILED. */
size_t bpei_inflate_size(const uint8_t *from, size_t n);

/* Writes n bytes of records at `from` to `to`, with every packet whole and complen 0.  room: bytes
 * at `to`.  Returns the bytes written, or BPEI_INFLATE_FAILED. */
size_t bpei_inflate(
	struct bpei_inflate *chain, const uint8_t *from, size_t n, uint8_t *to, size_t room);

#endif
