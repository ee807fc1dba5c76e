/* SPDX-License-Identifier: MIT */
/* Packed bytes: each form written and read in pieces of each size, cut at each byte, damaged, and
 * with frames behind each other.  A form that the build lacks must be refused. */
#include "compress/compress.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_BYTES 3000u
#define ROOM (1u << 20)

static const enum bpei_packing written[] = { BPEI_PACKING_GZIP, BPEI_PACKING_ZSTD,
	BPEI_PACKING_LZ4 };
#define WRITTEN (sizeof written / sizeof *written)

static uint8_t plain[PLAIN_BYTES];

/* Fills the plain bytes: half of them repeat, half do not. */
static void make_plain(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PLAIN_BYTES; i++) {
		x = x * 1664525u + 1013904223u;
		plain[i] = i / 100 % 2 ? (uint8_t)(x >> 24) : (uint8_t)(i % 7);
	}
}
TestSuite(compress, .init = make_plain);

/* Packs the plain bytes into `parts` frames.  Returns the length; 0 where the build cannot. */
static size_t pack_plain(enum bpei_packing packing, uint32_t parts, uint8_t *out)
{
	struct bpei_packer *p;
	struct bpe_error e;
	size_t at = 0;

	const int r = bpei_packer_open(packing, BPEI_PACKING_LEVEL_USUAL, &p, &e);
	if (!bpei_packing_can_write(packing)) {
		cr_assert_eq(r, BPE_E_UNSUPPORTED);
		cr_assert(strstr(e.text, bpei_packing_library(packing)), "%s", e.text);
		return 0;
	}
	cr_assert_eq(r, BPE_OK, "%s", e.text);
	for (uint32_t k = 0; k < parts; k++) {
		const size_t n = PLAIN_BYTES / parts;
		const size_t bound = bpei_packer_bound(p, n);
		const size_t made = bpei_packer_frame(p, plain + k * n, n, out + at, bound);

		cr_assert(made && made <= bound);
		cr_assert_eq(bpei_packer_frame(p, plain, n, out + at + made, 3), 0);
		at += made;
	}
	bpei_packer_close(p);
	return at;
}

struct got {
	uint8_t bytes[3 * PLAIN_BYTES];
	size_t length;
	int end;
	uint64_t frames, taken;
	const char *why;
};

/* Unpacks in steps of `in` packed bytes and `out` unpacked ones. */
static struct got unpack_in_pieces(const uint8_t *bytes, size_t n, size_t in, size_t out)
{
	struct got g = { .length = 0 };
	struct bpei_unpacker u;
	size_t given = 0;

	bpei_unpacker_init(&u);
	while (g.end == BPE_OK) {
		const size_t at = (size_t)u.taken;
		const size_t room = sizeof g.bytes - g.length;
		struct bpei_codec_step s = { bytes + at, given - at, g.bytes + g.length,
			out < room ? out : room };
		uint8_t *const before = s.out;

		g.end = bpei_unpacker_step(&u, &s, given == n);
		cr_assert_eq((size_t)u.taken, given - s.in_bytes);
		g.length += (size_t)(s.out - before);
		cr_assert_eq(u.made, g.length);
		if (s.out_bytes)
			given = n - given < in ? n : given + in;
		cr_assert_lt(g.length, sizeof g.bytes);
	}
	g.frames = u.frames;
	g.taken = u.taken;
	g.why = u.why;
	bpei_unpacker_free(&u);
	bpei_unpacker_free(&u);
	return g;
}

Test(compress, forms_by_their_first_bytes)
{
	const struct {
		const char *bytes;
		size_t n;
		enum bpei_packing packing;
	} cases[] = { { "\x1f\x8b", 2, BPEI_PACKING_GZIP },
		{ "\x28\xb5\x2f\xfd", 4, BPEI_PACKING_ZSTD },
		{ "\x04\x22\x4d\x18", 4, BPEI_PACKING_LZ4 },
		{ "\x02\x21\x4c\x18", 4, BPEI_PACKING_LZ4_LEGACY },
		{ "\xfd"
		  "7zXZ\0",
			6, BPEI_PACKING_XZ },
		{ "BZh", 3, BPEI_PACKING_BZIP2 }, { "\x50\x2a\x4d\x18", 4, BPEI_PACKING_SKIPPABLE },
		{ "\x5f\x2a\x4d\x18", 4, BPEI_PACKING_SKIPPABLE },
		{ "\x60\x2a\x4d\x18", 4, BPEI_PACKING_NONE },
		{ "\xd4\xc3\xb2\xa1", 4, BPEI_PACKING_NONE },
		{ "\x0a\x0d\x0d\x0a", 4, BPEI_PACKING_NONE } };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		const uint8_t *b = (const uint8_t *)cases[k].bytes;
		const bool is_packed = cases[k].packing != BPEI_PACKING_NONE;

		cr_assert_eq(bpei_packing_of(b, cases[k].n), cases[k].packing, "case %zu", k);
		for (size_t n = 1; n < cases[k].n; n++) {
			cr_assert_eq(bpei_packing_of(b, n), BPEI_PACKING_NONE);
			cr_assert(!is_packed || bpei_packing_may_begin(b, n), "%zu %zu", k, n);
		}
		cr_assert(is_packed || !bpei_packing_may_begin(b, cases[k].n));
	}
}

Test(compress, forms_by_names)
{
	cr_assert_eq(bpei_packing_of_name("a.pcapng.zst"), BPEI_PACKING_ZSTD);
	cr_assert_eq(bpei_packing_of_name("a.lz4"), BPEI_PACKING_LZ4);
	cr_assert_eq(bpei_packing_of_name("a.gz"), BPEI_PACKING_GZIP);
	cr_assert_eq(bpei_packing_of_name(".gz"), BPEI_PACKING_NONE);
	cr_assert_eq(bpei_packing_of_name("a.pcapng"), BPEI_PACKING_NONE);
	cr_assert_eq(bpei_packing_of_name(""), BPEI_PACKING_NONE);
}

Test(compress, whole_in_pieces_of_each_size)
{
	static const size_t sizes[] = { 1, 2, 7, 8, 9, 100, ROOM };
	uint8_t *const packed = malloc(ROOM);

	for (size_t f = 0; f < WRITTEN; f++) {
		const size_t n = pack_plain(written[f], 3, packed);

		for (size_t k = 0; n && k < 49; k++) {
			const struct got g =
				unpack_in_pieces(packed, n, sizes[k % 7], sizes[k / 7]);

			cr_assert_eq(g.end, BPE_E_END, "%d %s", g.end, g.why);
			cr_assert_eq(g.length, PLAIN_BYTES);
			cr_assert_eq(g.frames, 3);
			cr_assert_eq(memcmp(g.bytes, plain, PLAIN_BYTES), 0);
		}
	}
	free(packed);
}

Test(compress, cut_at_each_byte)
{
	uint8_t *const packed = malloc(ROOM);

	for (size_t f = 0; f < WRITTEN; f++) {
		const size_t n = pack_plain(written[f], 3, packed);
		const size_t first = n ? pack_plain(written[f], 1, packed + n) : 0;
		size_t ends = 0;

		for (size_t k = 1; k < n; k++) {
			const struct got g = unpack_in_pieces(packed, k, ROOM, ROOM);

			cr_assert_eq(memcmp(g.bytes, plain, g.length), 0);
			cr_assert_geq(g.length, g.frames * (PLAIN_BYTES / 3));
			if (g.end == BPE_E_END)
				cr_assert_eq(g.length, ++ends * (PLAIN_BYTES / 3));
			else
				cr_assert_eq(
					g.end, BPE_E_TORN, "%zu of %zu: %d %s", k, n, g.end, g.why);
		}
		cr_assert_eq(ends, n ? 2 : 0);
		cr_assert(!n || first);
	}
	free(packed);
}

Test(compress, each_byte_damaged)
{
	uint8_t *const packed = malloc(ROOM);

	for (size_t f = 0; f < WRITTEN; f++) {
		const size_t n = pack_plain(written[f], 2, packed);
		size_t found = 0;

		for (size_t k = 0; k < n; k++) {
			packed[k] ^= 0xff;
			const struct got g = unpack_in_pieces(packed, n, 100, 512);

			packed[k] ^= 0xff;
			cr_assert(g.end == BPE_E_END || g.end == BPE_E_FORMAT ||
					  g.end == BPE_E_TORN || g.end == BPE_E_UNSUPPORTED,
				"%d", g.end);
			cr_assert(g.end == BPE_E_END || g.why);
			if (g.end != BPE_E_END)
				found++;
			else
				cr_assert_eq(memcmp(g.bytes, plain, PLAIN_BYTES), 0);
		}
		cr_assert_geq(found, n - n / 8);
	}
	free(packed);
}

Test(compress, skippable_frames_and_mixed_forms)
{
	static const uint8_t skippable[] = { 0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3 };
	uint8_t *const packed = malloc(ROOM);
	size_t at = 0;
	size_t whole = 0;

	for (size_t f = 0; f < WRITTEN; f++) {
		memcpy(packed + at, skippable, sizeof skippable);
		at += sizeof skippable;
		const size_t n = pack_plain(written[f], 1, packed + at);

		at += n;
		whole += n > 0;
		if (whole == 2)
			break;
	}
	memcpy(packed + at, skippable, sizeof skippable);
	at += sizeof skippable;
	for (size_t in = 1; in < 30; in++) {
		const struct got g = unpack_in_pieces(packed, at, in, 1000);

		cr_assert_eq(g.end, BPE_E_END, "%d %s", g.end, g.why);
		cr_assert_eq(g.length, whole * PLAIN_BYTES);
		cr_assert_eq(g.taken, at);
	}
	for (size_t cut = 1; cut < sizeof skippable; cut++)
		cr_assert_eq(unpack_in_pieces(packed, at - cut, 5, 1000).end, BPE_E_TORN);
	free(packed);
}

Test(compress, bytes_that_are_no_frame)
{
	static const char padding[] = "\0\0\0\0\0\0\0\0\0\0\0";
	uint8_t *const packed = malloc(ROOM);

	for (size_t f = 0; f < WRITTEN; f++) {
		const size_t n = pack_plain(written[f], 1, packed);

		if (!n)
			continue;
		memcpy(packed + n, "no frame at all", 15);
		struct got g = unpack_in_pieces(packed, n + 15, 4, ROOM);

		cr_assert_eq(g.end, BPE_E_FORMAT);
		cr_assert_eq(g.length, PLAIN_BYTES);
		cr_assert_eq(g.taken, n);
		cr_assert_eq(unpack_in_pieces(packed, n + 3, 4, ROOM).end, BPE_E_FORMAT);
		memcpy(packed + n, padding, sizeof padding);
		g = unpack_in_pieces(packed, n + sizeof padding, 4, ROOM);
		cr_assert_eq(g.end, written[f] == BPEI_PACKING_GZIP ? BPE_E_END : BPE_E_FORMAT,
			"%d", g.end);
		cr_assert_eq(g.length, PLAIN_BYTES);
	}
	free(packed);
}

Test(compress, levels)
{
	for (size_t f = 0; f < WRITTEN; f++) {
		const struct bpei_packing_levels l = bpei_packing_levels(written[f]);
		struct bpei_packer *p = NULL;
		struct bpe_error e;

		if (!bpei_packing_can_write(written[f]))
			continue;
		for (int level = l.least; level <= l.most; level++) {
			uint8_t out[2 * PLAIN_BYTES];

			cr_assert_eq(bpei_packer_open(written[f], level, &p, &e), BPE_OK);
			const size_t n = bpei_packer_frame(p, plain, PLAIN_BYTES, out, sizeof out);

			bpei_packer_close(p);
			cr_assert(n);
			const struct got g = unpack_in_pieces(out, n, ROOM, ROOM);

			cr_assert(g.end == BPE_E_END && !memcmp(g.bytes, plain, PLAIN_BYTES));
		}
		cr_assert_eq(bpei_packer_open(written[f], l.most + 1, &p, &e), BPE_E_ARGUMENT);
		cr_assert_eq(bpei_packer_open(written[f], -100, &p, &e), BPE_E_ARGUMENT);
	}
	bpei_packer_close(NULL);
}

Test(compress, frames_in_the_packers_memory)
{
	for (size_t f = 0; f < WRITTEN; f++) {
		struct bpei_packer *p;
		struct bpe_error e;
		const void *frame;
		size_t n;

		if (bpei_packer_open(written[f], BPEI_PACKING_LEVEL_USUAL, &p, &e) < 0)
			continue;
		for (size_t bytes = 1; bytes <= PLAIN_BYTES; bytes += 333) {
			cr_assert_eq(bpei_packer_pack(p, plain, bytes, &frame, &n), BPE_OK);
			const struct got g = unpack_in_pieces(frame, n, ROOM, ROOM);

			cr_assert_eq(g.end, BPE_E_END);
			cr_assert_eq(g.length, bytes);
			cr_assert_eq(memcmp(g.bytes, plain, bytes), 0);
		}
		bpei_packer_close(p);
	}
}

Test(compress, forms_that_are_never_read)
{
	static const char old[] = "\x02\x21\x4c\x18 and more bytes";
	static const char bzip2[] = "BZh91AY&SY and more bytes";
	const struct got a = unpack_in_pieces((const uint8_t *)old, sizeof old, 5, ROOM);
	const struct got b = unpack_in_pieces((const uint8_t *)bzip2, sizeof bzip2, 5, ROOM);

	cr_assert_eq(a.end, BPE_E_UNSUPPORTED);
	cr_assert_eq(b.end, BPE_E_UNSUPPORTED);
	cr_assert_eq(unpack_in_pieces(plain, 0, 1, 1).end, BPE_E_END);
}
