/* SPDX-License-Identifier: MIT */
/* Undoes macOS 13's prefix compression of BPF records (bpf_inflate.h).  The state is the caller's.
 */
#include "records/bpf_inflate.h"

#include "base/bytes.h"
#include "records/layout.h"

#include <stdbool.h>
#include <string.h>

/* Offsets in struct bpf_comp_hdr, and its size. */
enum { COMP_CAPLEN = 8, COMP_HDRLEN = 16, COMP_COMPLEN = 18, COMP_HEADER = 20, COMP_ALIGN = 4 };

struct comp_lengths {
	uint32_t hdrlen, caplen;
	uint32_t complen; /* bytes left out of the packet */
};

/* Reads the lengths of the record at offset `at` of n bytes.  Returns false if they cannot be:
 * plain headers, which are shorter, have no complen. */
static bool read_comp_lengths(const uint8_t *from, size_t n, size_t at, struct comp_lengths *l)
{
	const size_t left = n - at;

	if (left < COMP_HEADER)
		return false;
	l->caplen = bpei_load32(from + at + COMP_CAPLEN);
	l->hdrlen = bpei_load16(from + at + COMP_HDRLEN);
	l->complen = from[at + COMP_COMPLEN];
	return l->hdrlen >= COMP_HEADER && l->hdrlen <= left && l->caplen <= left - l->hdrlen;
}

size_t bpei_inflate_size(const uint8_t *from, size_t n)
{
	struct comp_lengths l;
	size_t total = 0;

	for (size_t at = 0; at < n; at += bpei_layout_align(l.hdrlen + l.caplen, COMP_ALIGN)) {
		if (!read_comp_lengths(from, n, at, &l))
			return BPEI_INFLATE_FAILED;
		total += ((size_t)l.hdrlen + l.caplen + l.complen + 3) & ~(size_t)3;
	}
	return total;
}

size_t bpei_inflate(
	struct bpei_inflate *chain, const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	struct comp_lengths l;
	size_t out = 0, end = 0;

	for (size_t at = 0; at < n; at += bpei_layout_align(l.hdrlen + l.caplen, COMP_ALIGN)) {
		if (!read_comp_lengths(from, n, at, &l))
			return BPEI_INFLATE_FAILED;
		const uint32_t whole = l.complen + l.caplen;
		if (l.complen > chain->length || room < out ||
			room - out < (size_t)l.hdrlen + whole)
			return BPEI_INFLATE_FAILED;
		uint8_t *r = to + out;
		memcpy(r, from + at, l.hdrlen);
		memcpy(r + l.hdrlen, chain->bytes, l.complen);
		memcpy(r + l.hdrlen + l.complen, from + at + l.hdrlen, l.caplen);
		bpei_store32(r + COMP_CAPLEN, whole);
		r[COMP_COMPLEN] = 0;
		/* The kernel keeps as many bytes of a packet as the low byte of its length says
		 * (bpf.c, catchpacket). */
		chain->length = whole & 0xff;
		memcpy(chain->bytes, r + l.hdrlen, chain->length);
		end = out + l.hdrlen + whole;
		out = (end + 3) & ~(size_t)3;
	}
	return end;
}
