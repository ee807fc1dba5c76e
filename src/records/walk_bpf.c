/* SPDX-License-Identifier: MIT */
/* The records of a BPF buffer, in place.  Pure: the state is the caller's.
 *
 * The buffer's last record is not padded, so the place of a next one may lie past the end by less
 * than the alignment: that is an end, not damage.  A header shorter than the layout's, or lengths
 * that reach past the end, are damage, and final: nothing behind them can be believed.  The common
 * layouts have loops of their own, made from one inline function. */
#include "base/bytes.h"
#include "base/cacheline.h"
#include "records/layout.h"

static inline __attribute__((always_inline)) int64_t stamp(
	const uint8_t *r, const struct bpei_layout l)
{
	int64_t seconds;
	uint64_t fraction;
	if (l.stamp_bytes == 4) {
		uint32_t s = bpei_load32(r);
		seconds = l.stamp_signed ? (int32_t)s : (int64_t)s;
		fraction = bpei_load32(r + 4);
	} else {
		seconds = (int64_t)bpei_load64(r);
		fraction = bpei_load64(r + 8);
	}
	if (l.timestamp_format == BPEI_STAMP_MICRO)
		fraction *= 1000;
	else if (l.timestamp_format == BPEI_STAMP_BINTIME)
		fraction = ((fraction >> 32) * 1000000000) >> 32;
	return (int64_t)((uint64_t)seconds * 1000000000 +
			 fraction); /* modulo 2^64: a damaged stamp harms nobody */
}

/* A wrong guess costs what is won by about so many right ones (bench_kernels). */
#define BPEI_WALK_CHANGES 4u
#define BPEI_WALK_AHEAD 2048 /* bytes; may lie behind the block: asking for them is no reading */

static uint32_t torn(const struct bpei_bpf_walk *how, struct bpei_block *b, uint32_t n)
{
	bpei_counter_add(how->torn_blocks, 1);
	b->position = b->length;
	return n;
}

/* The plain records.  Where one begins is known when the one before has been looked at: a chain of
 * a load and a few additions, longer than all else that is done for a record.  guess: the last
 * distance is taken for the next one, too, and looked at in a branch, which the CPU predicts: so
 * the chain is broken where the records are all of a length, and costs a wrong guess where they are
 * not.  headers32: such records are gone through many at a time (bpei_walk_uniform). */
static inline __attribute__((always_inline)) uint32_t walk_records(const struct bpei_bpf_walk *how,
	struct bpei_block *b, const struct bpei_columns *c, uint32_t max,
	const struct bpei_layout l, bool guess, bool headers32)
{
	const uint8_t *const end = b->bytes + b->length, *r = b->bytes + b->position;
	const uint8_t *const last = b->length < l.min_header
					    ? r - 1
					    : end - l.min_header; /* where a record can begin */
	const struct bpei_columns to = *c;
	size_t n = 0, most = max, changes = 0, stride = 0, snaplen = how->snaplen;
	for (; n < most && r <= last; n++) {
		size_t caplen = bpei_load32(r + l.caplen), hdrlen = bpei_load16(r + l.hdrlen),
		       size = hdrlen + caplen;
		if (BPEI_UNLIKELY(hdrlen < l.min_header) || BPEI_UNLIKELY(size > (size_t)(end - r)))
			break;
		to.data[n] = r + hdrlen;
		to.time_ns[n] = stamp(r, l);
		to.caplen[n] = (uint32_t)(caplen < snaplen ? caplen : snaplen);
		to.wirelen[n] = bpei_load32(r + l.datalen);
		size_t next = (size + l.align - 1) & ~(size_t)(l.align - 1);
		if (guess && headers32) {
			changes += next != stride;
			stride = next;
			size_t left = (size_t)(end - r),
			       more = most - n - 1; /* records behind this one, as far as they would
						       be whole */
			if (more * stride > left - size)
				more = (left - size) / stride;
			const struct bpei_columns behind = { .data = to.data + n + 1,
				.time_ns = to.time_ns + n + 1,
				.caplen = to.caplen + n + 1,
				.wirelen = to.wirelen + n + 1 };
			const struct bpei_record_run run = { .record = r + stride,
				.stride = stride,
				.hdrlen = (uint32_t)hdrlen,
				.caplen = (uint32_t)caplen,
				.snaplen = how->snaplen,
				.fraction_ns = 1000,
				.checks_hdrlen = true,
				.stamp_signed = l.stamp_signed };
			uint32_t some = bpei_walk_uniform(&behind, (uint32_t)more, &run);
			n += some;
			r += some * stride;
		} else if (guess) {
			size_t differs = next - stride;
			__asm__(""
				: "+r"(differs)); /* else the compiler knows that they are the same,
						     and adds `next` */
			if (BPEI_UNLIKELY(differs))
				stride = next, changes++;
		} else {
			__builtin_prefetch(r + BPEI_WALK_AHEAD); /* the CPU's own does not know
								    where the next header is */
			changes += next != stride;
			stride = next;
		}
		r += stride;
	}
	memset(to.interface_id, 0, n * sizeof *to.interface_id);
	memset(to.outgoing, 0, n);
	b->uniform_lengths = changes * BPEI_WALK_CHANGES <= n;
	b->position = r < end ? (size_t)(r - b->bytes) : b->length;
	return n < most && r < end ? torn(how, b, (uint32_t)n) : (uint32_t)n;
}

/* Guesses where the last batch's records would have been guessed rightly. */
static inline __attribute__((always_inline)) uint32_t walk_plain(const struct bpei_bpf_walk *how,
	struct bpei_block *b, const struct bpei_columns *c, uint32_t max,
	const struct bpei_layout l, bool headers32)
{
	b->link_type = how->link_type;
	return b->uniform_lengths ? walk_records(how, b, c, max, l, true, headers32)
				  : walk_records(how, b, c, max, l, false, false);
}

/* Returns the meta element of a packet whose record begins `back` bytes before the data; 0: too
 * far. */
static uint16_t pack_meta_element(uint32_t back, uint32_t bits)
{
	return back <= BPEI_META_BACK ? (uint16_t)(back | bits) : 0;
}

uint32_t bpei_bpf_unwrap(const struct bpei_bpf_walk *how, const struct bpei_columns *c, uint32_t i)
{
	struct bpei_pktap tap;
	uint32_t hdrlen = c->meta[i] & BPEI_META_BACK;
	uint32_t ext = c->meta[i] & BPEI_META_EXT;

	if (!bpei_pktap_read(c->data[i], c->caplen[i], &tap)) {
		if (!ext)
			c->meta[i] = 0;
		return how->link_type;
	}
	c->meta[i] = hdrlen ? pack_meta_element(hdrlen + tap.length, ext | BPEI_META_PKTAP) : 0;
	c->data[i] += tap.length;
	c->caplen[i] -= tap.length;
	c->wirelen[i] = c->wirelen[i] > tap.length ? c->wirelen[i] - tap.length : 0;
	if (c->wirelen[i] < c->caplen[i])
		c->wirelen[i] = c->caplen[i];
	if (tap.flags & BPEI_PKTAP_IN_OUT)
		c->outgoing[i] = tap.flags & BPEI_PKTAP_OUT ? BPE_PKT_OUTGOING : 0;
	return how->link_type_of(tap.dlt);
}

/* The general path: directions, extended headers, PKTAP.  A batch ends where the link type changes.
 */
static uint32_t walk_extended(const struct bpei_bpf_walk *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	const struct bpei_layout l = *how->layout;
	uint32_t n = 0;
	b->link_type = how->link_type;
	while (n < max && b->position < b->length) {
		const uint8_t *r = b->bytes + b->position;
		size_t left = b->length - b->position;
		if (left < l.min_header)
			return torn(how, b, n);
		uint32_t caplen = bpei_load32(r + l.caplen);
		uint32_t hdrlen = bpei_load16(r + l.hdrlen);
		if (hdrlen < l.min_header || hdrlen > left || caplen > left - hdrlen)
			return torn(how, b, n);
		size_t next = ((size_t)hdrlen + caplen + l.align - 1) & ~(size_t)(l.align - 1);
		enum bpei_ext ext =
			how->extended ? bpei_ext_of(hdrlen, how->compression_known) : BPEI_EXT_NONE;
		bool outgoing = bpei_ext_outgoing(ext, r) ||
				(l.flags && hdrlen > l.flags && r[l.flags] & 0x20);
		uint32_t link_type = how->link_type;
		c->data[n] = r + hdrlen;
		c->caplen[n] = caplen;
		c->wirelen[n] = bpei_load32(r + l.datalen);
		c->outgoing[n] = outgoing ? BPE_PKT_OUTGOING : 0;
		if (how->meta) /* without an extended header only unwrapping needs the length */
			c->meta[n] = ext || how->pktap
					     ? pack_meta_element(
						       hdrlen, (uint32_t)ext << BPEI_META_EXT_SHIFT)
					     : 0;
		if (how->pktap && !how->keeps_pktap)
			link_type = bpei_bpf_unwrap(how, c, n);
		if (n && link_type != b->link_type)
			break;
		b->link_type = link_type;
		if (c->caplen[n] > how->snaplen)
			c->caplen[n] = how->snaplen;
		c->time_ns[n] = stamp(r, l);
		c->interface_id[n] = 0;
		b->position += next;
		n++;
	}
	return n;
}

uint32_t bpei_walk_bpf(const struct bpei_bpf_walk *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	if (!how->plain)
		return walk_extended(how, b, c, max);
	if (how->layout == &bpei_layout_macos)
		return walk_plain(how, b, c, max,
			(struct bpei_layout){ .align = 4,
				.min_header = 18,
				.timestamp_format = BPEI_STAMP_MICRO,
				.stamp_bytes = 4,
				.stamp_signed = true,
				.caplen = 8,
				.datalen = 12,
				.hdrlen = 16 },
			__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
	if (how->layout == &bpei_layout_freebsd || how->layout == &bpei_layout_netbsd)
		return walk_plain(how, b, c, max,
			(struct bpei_layout){ .align = 8,
				.min_header = 26,
				.timestamp_format = BPEI_STAMP_MICRO,
				.stamp_bytes = 8,
				.stamp_signed = true,
				.caplen = 16,
				.datalen = 20,
				.hdrlen = 24 },
			false);
	b->link_type = how->link_type;
	return walk_records(how, b, c, max, *how->layout, false, false);
}

/* ---- Prefix compression ---- */

/* The record at `at`: false if it cannot be.  Plain headers (18 bytes and less than a comp
 * header's) have no complen. */
static bool compressed(const uint8_t *from, size_t n, size_t at, uint32_t *hdrlen, uint32_t *caplen,
	uint32_t *complen)
{
	size_t left = n - at;
	if (left < 20)
		return false;
	*caplen = bpei_load32(from + at + 8);
	*hdrlen = bpei_load16(from + at + 16);
	*complen = from[at + 18];
	return *hdrlen >= 20 && *hdrlen <= left && *caplen <= left - *hdrlen;
}

size_t bpei_inflate_size(const uint8_t *from, size_t n)
{
	size_t total = 0;
	uint32_t hdrlen, caplen, complen;
	for (size_t at = 0; at < n; at += bpei_layout_align(hdrlen + caplen, 4)) {
		if (!compressed(from, n, at, &hdrlen, &caplen, &complen))
			return BPEI_INFLATE_FAILED;
		total += ((size_t)hdrlen + caplen + complen + 3) & ~(size_t)3;
	}
	return total;
}

size_t bpei_inflate(
	struct bpei_inflate *chain, const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	size_t out = 0, end = 0;
	uint32_t hdrlen, caplen, complen;
	for (size_t at = 0; at < n; at += bpei_layout_align(hdrlen + caplen, 4)) {
		if (!compressed(from, n, at, &hdrlen, &caplen, &complen))
			return BPEI_INFLATE_FAILED;
		uint32_t whole = complen + caplen;
		if (complen > chain->length || room < out || room - out < (size_t)hdrlen + whole)
			return BPEI_INFLATE_FAILED;
		uint8_t *r = to + out;
		memcpy(r, from + at, hdrlen);
		memcpy(r + hdrlen, chain->bytes, complen);
		memcpy(r + hdrlen + complen, from + at + hdrlen, caplen);
		bpei_store32(r + 8, whole);
		r[18] = 0;
		/* The kernel keeps at most as many bytes of a packet as its length's low byte says
		 * (bpf.c, catchpacket). */
		chain->length = whole & 0xff;
		memcpy(chain->bytes, r + hdrlen, chain->length);
		end = out + hdrlen + whole;
		out = (end + 3) & ~(size_t)3;
	}
	return end;
}
