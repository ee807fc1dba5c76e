/* SPDX-License-Identifier: MIT */
/* Walks the records of a BPF buffer in place.  Pure: the state is the caller's.
 *
 * The buffer's last record is not padded, so the place of a next record may lie past the end by
 * less than the alignment.  This is an end and no damage.  A header shorter than the layout's, or
 * lengths that reach past the end, are damage and final: nothing behind them can be believed.  The
 * common layouts have separate loops, copies of an inline function. */
#include "records/walk_bpf.h"

#include "base/bytes.h"
#include "base/cacheline.h"
#include "records/macos_meta.h"

enum { OPENBSD_OUT = 0x20 }; /* bh_flags: the packet is outgoing */

/* Returns the time stamp of the record at r, modulo 2^64: a damaged stamp harms nobody. */
static inline __attribute__((always_inline)) int64_t read_stamp(
	const uint8_t *r, const struct bpei_layout l)
{
	int64_t seconds;
	uint64_t fraction;

	if (l.stamp_bytes == 4) {
		const uint32_t s = bpei_load32(r);

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
	return (int64_t)((uint64_t)seconds * 1000000000 + fraction);
}

/* Right predictions of the next record, worth a misprediction (bench_kernels). */
#define CHANGES_COST 4u
/* Bytes from a record to the prefetched place, which may lie behind the block. */
#define WALK_AHEAD 2048

static uint32_t end_torn_block(const struct bpei_bpf_walk *how, struct bpei_block *b, uint32_t n)
{
	bpei_counter_add(how->torn_blocks, 1);
	b->position = b->length;
	return n;
}

/* Walks the records behind the record at r, with the same stride and the given lengths.  room:
 * columns left; left: bytes from r to the end of the block.  Returns the number of records. */
static inline __attribute__((always_inline)) uint32_t walk_like_this(const struct bpei_columns *to,
	size_t n, size_t room, const uint8_t *r, size_t left, const struct bpei_record_run *lengths)
{
	const size_t size = (size_t)lengths->hdrlen + lengths->caplen;
	const struct bpei_columns behind = {
		.data = to->data + n,
		.time_ns = to->time_ns + n,
		.caplen = to->caplen + n,
		.wirelen = to->wirelen + n,
	};
	struct bpei_record_run run = *lengths;
	size_t whole = room;

	run.record = r + run.stride;
	if (whole * run.stride > left - size)
		whole = (left - size) / run.stride;
	return bpei_walk_uniform(&behind, (uint32_t)whole, &run);
}

/* Walks plain records.  The place of a record is known when the record before has been read: a
 * chain of a load and a few additions, longer than all other work for a record.
 *
 * predicts: the last distance is assumed for the next record as well and checked in a branch, which
 * the CPU predicts.  This breaks the chain where all records have the same length, and costs
 * a misprediction elsewhere.  uniform: records of the same length are walked many at a time
 * (bpei_walk_uniform). */
static inline __attribute__((always_inline)) uint32_t walk_records(const struct bpei_bpf_walk *how,
	struct bpei_block *b, const struct bpei_columns *c, uint32_t max,
	const struct bpei_layout l, bool predicts, bool uniform)
{
	const uint8_t *const end = b->bytes + b->length;
	const uint8_t *r = b->bytes + b->position;
	const bool has_header = b->length >= l.min_header;
	const uint8_t *const last = has_header ? end - l.min_header : r - 1;
	const struct bpei_columns to = *c;
	const size_t most = max;
	const size_t snaplen = how->snaplen;
	size_t n = 0, changes = 0, stride = 0;

	for (; n < most && r <= last; n++) {
		const size_t caplen = bpei_load32(r + l.caplen);
		const size_t hdrlen = bpei_load16(r + l.hdrlen);
		const size_t size = hdrlen + caplen;

		if (BPEI_UNLIKELY(hdrlen < l.min_header) || BPEI_UNLIKELY(size > (size_t)(end - r)))
			break;
		to.data[n] = r + hdrlen;
		to.time_ns[n] = read_stamp(r, l);
		to.caplen[n] = (uint32_t)(caplen < snaplen ? caplen : snaplen);
		to.wirelen[n] = bpei_load32(r + l.datalen);
		const size_t next = (size + l.align - 1) & ~(size_t)(l.align - 1);
		if (predicts && uniform) {
			changes += next != stride;
			stride = next;
			const struct bpei_record_run lengths = {
				.stride = stride,
				.hdrlen = (uint32_t)hdrlen,
				.caplen = (uint32_t)caplen,
				.snaplen = how->snaplen,
				.fraction_ns = 1000,
				.checks_hdrlen = true,
				.stamp_signed = l.stamp_signed,
			};
			const uint32_t more = walk_like_this(
				&to, n + 1, most - n - 1, r, (size_t)(end - r), &lengths);
			n += more;
			r += more * stride;
		} else if (predicts) {
			size_t differs = next - stride;

			/* Hidden from the compiler, which would add `next` if the two were known
			 * to be equal. */
			__asm__("" : "+r"(differs));
			if (BPEI_UNLIKELY(differs)) {
				stride = next;
				changes++;
			}
		} else {
			/* The CPU's own prefetcher cannot tell where the next header is. */
			__builtin_prefetch(r + WALK_AHEAD);
			changes += next != stride;
			stride = next;
		}
		r += stride;
	}
	memset(to.interface_id, 0, n * sizeof *to.interface_id);
	memset(to.outgoing, 0, n);
	b->uniform_lengths = changes * CHANGES_COST <= n;
	b->position = r < end ? (size_t)(r - b->bytes) : b->length;
	return n < most && r < end ? end_torn_block(how, b, (uint32_t)n) : (uint32_t)n;
}

/* Walks plain records of a layout known at compile time.  Predicts where predictions would have
 * been right in the last batch. */
static inline __attribute__((always_inline)) uint32_t walk_plain(const struct bpei_bpf_walk *how,
	struct bpei_block *b, const struct bpei_columns *c, uint32_t max,
	const struct bpei_layout l, bool uniform)
{
	b->link_type = how->link_type;
	if (b->uniform_lengths)
		return walk_records(how, b, c, max, l, true, uniform);
	return walk_records(how, b, c, max, l, false, false);
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
	const uint32_t hdrlen = c->meta[i] & BPEI_META_BACK;
	const uint32_t ext = c->meta[i] & BPEI_META_EXT;

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

/* Fills row n from the whole record at r.  Returns the packet's link type. */
static uint32_t fill_extended(
	const struct bpei_bpf_walk *how, const struct bpei_columns *c, uint32_t n, const uint8_t *r)
{
	const struct bpei_layout *l = how->layout;
	const uint32_t hdrlen = bpei_load16(r + l->hdrlen);
	enum bpei_ext ext = BPEI_EXT_NONE;

	if (how->extended)
		ext = bpei_ext_generation(hdrlen, how->compression_known);
	const bool outgoing = bpei_ext_outgoing(ext, r) ||
			      (l->flags && hdrlen > l->flags && r[l->flags] & OPENBSD_OUT);
	c->data[n] = r + hdrlen;
	c->caplen[n] = bpei_load32(r + l->caplen);
	c->wirelen[n] = bpei_load32(r + l->datalen);
	c->outgoing[n] = outgoing ? BPE_PKT_OUTGOING : 0;
	if (how->meta) {
		const uint32_t bits = (uint32_t)ext << BPEI_META_EXT_SHIFT;

		/* without an extended header only unwrapping needs the length */
		c->meta[n] = ext || how->pktap ? pack_meta_element(hdrlen, bits) : 0;
	}
	if (how->pktap && !how->keeps_pktap)
		return bpei_bpf_unwrap(how, c, n);
	return how->link_type;
}

/* Walks records with directions, extended headers or PKTAP headers.  A batch ends where the link
 * type changes. */
static uint32_t walk_extended(const struct bpei_bpf_walk *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	const struct bpei_layout l = *how->layout;
	uint32_t n = 0;

	b->link_type = how->link_type;
	while (n < max && b->position < b->length) {
		const uint8_t *r = b->bytes + b->position;
		const size_t left = b->length - b->position;

		if (left < l.min_header)
			return end_torn_block(how, b, n);
		const uint32_t caplen = bpei_load32(r + l.caplen);
		const uint32_t hdrlen = bpei_load16(r + l.hdrlen);
		if (hdrlen < l.min_header || hdrlen > left || caplen > left - hdrlen)
			return end_torn_block(how, b, n);
		const uint32_t link_type = fill_extended(how, c, n, r);
		if (n && link_type != b->link_type)
			break;
		b->link_type = link_type;
		if (c->caplen[n] > how->snaplen)
			c->caplen[n] = how->snaplen;
		c->time_ns[n] = read_stamp(r, l);
		c->interface_id[n] = 0;
		b->position += ((size_t)hdrlen + caplen + l.align - 1) & ~(size_t)(l.align - 1);
		n++;
	}
	return n;
}

uint32_t bpei_walk_bpf(const struct bpei_bpf_walk *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	/* Copies with constant members, from the same macros as the layouts: so each loop is
	 * compiled for the layout's numbers. */
	const struct bpei_layout stamp32 = { BPEI_LAYOUT_STAMP32(18, true) };
	const struct bpei_layout stamp64 = { BPEI_LAYOUT_STAMP64(BPEI_STAMP_MICRO) };
	const bool uniform = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (!how->plain)
		return walk_extended(how, b, c, max);
	switch (how->layout->loop) {
	case BPEI_LOOP_STAMP32:
		return walk_plain(how, b, c, max, stamp32, uniform);
	case BPEI_LOOP_STAMP64:
		return walk_plain(how, b, c, max, stamp64, false);
	default:
		b->link_type = how->link_type;
		return walk_records(how, b, c, max, *how->layout, false, false);
	}
}
