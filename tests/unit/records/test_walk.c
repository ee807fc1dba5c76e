/* SPDX-License-Identifier: MIT */
/* Tests of the walk of BPF records beside a plain loop, and of the walk of pcap files.  Records
 * come in runs of equal and of varying lengths, in batches of any size.  The walk predicts
 * distances rightly and wrongly.  The blocks are cut and damaged at any place. */
#include "base/bytes.h"
#include "records/batch.h"
#include "records/bpf_inflate.h"
#include "records/macos_meta.h"
#include "records/walk_bpf.h"
#include "records/walk_pcap.h"
#include "records/walk_pcapng.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MOST 600u

static uint64_t state = 5;
static bpei_counter torn;

static uint32_t walk_random(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 32) * below >> 32);
}

struct record {
	size_t at;
	uint32_t caplen, wirelen;
	int64_t time_ns;
};

static const struct bpei_layout *const layouts[] = { &bpei_layout_macos, &bpei_layout_freebsd,
	&bpei_layout_netbsd, &bpei_layout_openbsd };

/* Writes records in runs of equal length, the last without padding; returns the bytes written. */
static size_t fill_records(
	uint8_t *bytes, const struct bpei_layout *l, struct record *records, uint32_t n)
{
	const uint32_t header = bpei_layout_hdrlen(l->hdrlen_base, l->align, 14);
	size_t at = 0, end = 0;
	for (uint32_t i = 0, run = 0, caplen = 0; i < n; i++) {
		if (!run--) {
			run = walk_random(2) ? walk_random(3) : walk_random(200);
			caplen = walk_random(300);
		}
		uint8_t *r = bytes + at;
		uint32_t seconds = walk_random(1u << 31);
		uint32_t micros = walk_random(1000000);
		uint32_t wirelen = caplen + walk_random(2000);
		memset(r, 0, header + caplen);
		if (l->stamp_bytes == 4) {
			bpei_store32(r, seconds);
			bpei_store32(r + 4, micros);
		} else {
			bpei_store64(r, seconds);
			bpei_store64(r + 8, micros);
		}
		bpei_store32(r + l->caplen, caplen);
		bpei_store32(r + l->datalen, wirelen);
		bpei_store16(r + l->hdrlen, (uint16_t)header);
		records[i] = (struct record){ at + header, caplen, wirelen,
			(int64_t)seconds * 1000000000 + micros * INT64_C(1000) };
		end = at + header + caplen;
		at = bpei_layout_align((uint32_t)end, l->align);
	}
	return end;
}

/* Returns the number of records that lie whole in the first `length` bytes. */
static uint32_t count_whole_records(const struct record *records, uint32_t n, size_t length)
{
	uint32_t k = 0;
	while (k < n && records[k].at + records[k].caplen <= length)
		k++;
	return k;
}

static void check_walk(const uint8_t *bytes, size_t length, const struct bpei_layout *l,
	const struct record *records, uint32_t n, const struct bpei_columns *c)
{
	struct bpei_bpf_walk how = { .layout = l,
		.link_type = 1,
		.snaplen = walk_random(2) ? BPE_MAX_SNAPLEN : 60,
		.plain = true,
		.torn_blocks = &torn };
	struct bpei_block b = {
		.bytes = bytes, .length = length, .uniform_lengths = walk_random(2)
	};
	uint32_t seen = 0;
	for (;;) {
		memset(c->outgoing, 0xff, BPE_BATCH);
		memset(c->interface_id, 0xff, BPE_BATCH * 4);
		const uint32_t max = 1 + walk_random(BPE_BATCH);
		const uint32_t got = bpei_walk_bpf(&how, &b, c, max);
		if (!got)
			break;
		cr_assert(got <= max);
		for (uint32_t i = 0; i < got; i++, seen++) {
			cr_assert_lt(seen, n);
			const struct record *r = &records[seen];
			cr_assert_eq(c->data[i], bytes + r->at, "record %u", seen);
			cr_assert_eq(
				c->caplen[i], r->caplen < how.snaplen ? r->caplen : how.snaplen);
			cr_assert_eq(c->wirelen[i], r->wirelen);
			cr_assert_eq(c->time_ns[i], r->time_ns);
			cr_assert_eq(c->outgoing[i] | c->interface_id[i], 0);
		}
	}
	cr_assert_eq(seen, n);
	cr_assert_eq(b.position, b.length);
}

Test(walk, predictions)
{
	static struct record records[MOST];
	struct bpei_columns c;
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	for (uint32_t round = 0; round < 400; round++) {
		const struct bpei_layout *l = layouts[round % 4];
		uint8_t *bytes = malloc(MOST * 400);
		uint32_t n = walk_random(MOST);
		size_t length = fill_records(bytes, l, records, n);
		uint64_t before = bpei_counter_get(&torn);
		check_walk(bytes, length, l, records, n, &c);
		cr_assert_eq(bpei_counter_get(&torn), before);

		/* Cut anywhere, in memory that ends at the cut: the walk returns whole records and
		 * counts the rest as torn, unless the rest is padding alone. */
		if (!n) {
			free(bytes);
			continue;
		}
		size_t cut = walk_random((uint32_t)length + 1);
		uint8_t *part = malloc(cut + !cut);
		memcpy(part, bytes, cut);
		uint32_t left = count_whole_records(records, n, cut);
		size_t next = left ? bpei_layout_align((uint32_t)(records[left - 1].at +
								  records[left - 1].caplen),
					     l->align)
				   : 0;
		check_walk(part, cut, l, records, left, &c);
		cr_assert_eq(bpei_counter_get(&torn), before + (cut > next));
		free(part);

		/* An impossible length: the walk returns no record behind. */
		uint32_t bad = walk_random(n);
		uint32_t header = bpei_layout_hdrlen(l->hdrlen_base, l->align, 14);
		uint8_t *r = bytes + records[bad].at - header;
		before = bpei_counter_get(&torn);
		if (walk_random(2))
			bpei_store16(r + l->hdrlen, (uint16_t)walk_random(l->min_header));
		else
			bpei_store32(r + l->caplen, UINT32_MAX - walk_random(1000));
		check_walk(bytes, length, l, records, bad, &c);
		cr_assert_eq(bpei_counter_get(&torn), before + 1);
		free(bytes);
	}
	bpei_columns_free(&c, BPE_BATCH);
}

#define PCAP_RECORDS 40u

/* Compares the walk's batches, and the reason for the walk's end, with the plain meaning of the n
 * records of the given lengths. */
static void check_pcap_walk(struct bpei_pcap *pcap, struct bpei_block *block,
	const struct bpei_columns *c, const uint32_t *caplen, uint32_t n, uint32_t snaplen,
	int round)
{
	const uint32_t keep = pcap->snaplen < snaplen ? pcap->snaplen : snaplen;
	const size_t length = block->length;
	const size_t limit = block->stop_offset < length ? block->stop_offset : length;
	uint32_t at = 0;
	uint32_t k = 0;
	enum bpei_walk_stop stop, want;
	do {
		uint32_t got = bpei_walk_pcap(pcap, block, c, 1 + walk_random(64), snaplen, &stop);
		for (uint32_t i = 0; i < got; i++, k++) {
			cr_assert(k < n && at < limit && at + 16 + caplen[k] <= length &&
					  caplen[k] <= 262144,
				"record %u is not there", k);
			cr_assert_eq(c->data[i], block->bytes + at + 16);
			cr_assert_eq(c->time_ns[i], k * INT64_C(1000000000));
			cr_assert_eq(c->caplen[i], caplen[k] < keep ? caplen[k] : keep);
			cr_assert_eq(c->wirelen[i], caplen[k] + k);
			cr_assert_eq(c->interface_id[i] | c->outgoing[i], 0);
			at += 16 + caplen[k];
		}
		cr_assert_eq(block->position, at);
		memset(c->interface_id, 1, 64 * sizeof *c->interface_id);
		memset(c->outgoing, 1, 64);
	} while (stop == BPEI_WALK_MORE);
	if (at >= limit)
		want = BPEI_WALK_LIMIT;
	else if (at + 16 > length)
		want = BPEI_WALK_PARTIAL;
	else
		want = caplen[k] > 262144 ? BPEI_WALK_BAD : BPEI_WALK_PARTIAL;
	cr_assert_eq(stop, want, "round %d: %d for %d", round, stop, want);
	if (want == BPEI_WALK_PARTIAL)
		cr_assert_gt(at + 16 + caplen[k], length);
}

/* Walks pcap records around every bound of the walk: blocks and limits end anywhere. */
Test(walk, pcap_records_of_every_length)
{
	static const uint32_t lengths[] = { 0, 1, 60, 113, 1514, 4095, 4096, 4097, 9000, 65535,
		262144, 262145 };
	static const uint32_t snaplens[] = { 0, 1, 100, 4096, 5000, 262144, UINT32_MAX };
	uint8_t header[BPEI_PCAP_HEADER] = { 0 };
	struct bpei_columns c;
	cr_assert_eq(bpei_columns_new(&c, 64), BPE_OK);
	bpei_store32(header, 0xa1b2c3d4);
	bpei_store16(header + 4, 2);
	bpei_store16(header + 6, 4);
	bpei_store32(header + 20, 1);
	for (int round = 0; round < 600; round++) {
		struct bpei_pcap pcap;
		uint32_t caplen[PCAP_RECORDS];
		uint32_t n = walk_random(PCAP_RECORDS);
		uint32_t snaplen = snaplens[walk_random(7)];
		size_t all = 0;
		bpei_store32(header + 16, snaplens[walk_random(7)]);
		cr_assert_eq(bpei_pcap_init(&pcap, header), 1);
		pcap.at_end = true;
		for (uint32_t i = 0; i < n; i++)
			all += 16 + (caplen[i] = lengths[walk_random(walk_random(3) ? 8 : 12)]);
		uint8_t *bytes = calloc(1, all + 1);
		for (uint32_t i = 0, p = 0; i < n; p += 16 + caplen[i++]) {
			bpei_store32(bytes + p, i);
			bpei_store32(bytes + p + 8, caplen[i]);
			bpei_store32(bytes + p + 12, caplen[i] + i);
		}
		size_t length = walk_random(2) ? all : walk_random((uint32_t)all + 1);
		uint8_t *cut = malloc(length + !length);
		memcpy(cut, bytes, length);
		struct bpei_block block = { .bytes = cut,
			.length = length,
			.stop_offset = walk_random(2) ? length : walk_random((uint32_t)all + 1) };
		check_pcap_walk(&pcap, &block, &c, caplen, n, snaplen, round);
		free(cut);
		free(bytes);
	}
	bpei_columns_free(&c, 64);
}

/* Walks zeros behind a packet: the bytes behind decide about a record of zeros, and the walk waits
 * for them. */
Test(walk, zeros_wait_for_what_follows)
{
	enum { PACKET = 16 + 60, WHOLE = PACKET + 2048 };
	static uint8_t file[WHOLE];
	uint8_t header[BPEI_PCAP_HEADER] = { 0 };
	struct bpei_columns c;
	cr_assert_eq(bpei_columns_new(&c, 64), BPE_OK);
	bpei_store32(header, 0xa1b2c3d4);
	bpei_store16(header + 4, 2);
	bpei_store16(header + 6, 4);
	bpei_store32(header + 16, 65535);
	bpei_store32(header + 20, 1);
	bpei_store32(file, 1);
	bpei_store32(file + 8, 60);
	bpei_store32(file + 12, 60);
	for (size_t zeros = 16; zeros <= 2048; zeros += 16) {
		for (int at_end = 0; at_end < 2; at_end++) {
			struct bpei_pcap pcap;
			struct bpei_block block = { .bytes = file, .length = PACKET + zeros };
			enum bpei_walk_stop stop;
			block.stop_offset = block.length;
			cr_assert_eq(bpei_pcap_init(&pcap, header), 1);
			pcap.at_end = at_end;
			cr_assert_eq(bpei_walk_pcap(&pcap, &block, &c, 64, 65535, &stop), 1);
			cr_assert_eq(block.position, PACKET);
			const bool known = at_end || zeros >= 1024;
			cr_assert_eq(stop, known ? BPEI_WALK_BAD : BPEI_WALK_PARTIAL, "%zu zeros",
				zeros);
		}
	}
	bpei_columns_free(&c, 64);
}
