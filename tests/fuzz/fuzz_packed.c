/* SPDX-License-Identifier: MIT */
/* Gives any bytes as a compressed savefile.  Unpacked whole and in pieces they give the same bytes
 * and the same end; a device reads them to an end with a reason; and the bytes packed by each form
 * are the same bytes again.
 *
 * Input: a byte of choices (bits 0-2 the size of pieces in, 3-5 of pieces out), then the file. */
#include "compress/compress.h"
#include "device/device.h"
#include "fuzz.h"
#include "records/batch.h"

#include <string.h>

#define OUTPUT_MOST (4u << 20)
#define FILLS_MOST 300u

struct output {
	uint64_t hash, bytes, taken;
	int status;
};

/* Unpacks in steps of `in` and `out` bytes, until the end or until enough came out. */
static struct output unpack_any(const uint8_t *bytes, size_t n, size_t in, size_t out)
{
	struct output o = { .hash = 14695981039346656037u };
	uint8_t *const room = malloc(out);
	struct bpei_unpacker u;
	size_t given = 0;

	FUZZ_CHECK(room != NULL);
	bpei_unpacker_init(&u);
	while (o.status == BPE_OK && o.bytes < OUTPUT_MOST) {
		const size_t at = (size_t)u.taken;
		struct bpei_codec_step s = { bytes + at, given - at, room, out };

		o.status = bpei_unpacker_step(&u, &s, given == n);
		FUZZ_CHECK(s.in + s.in_bytes == bytes + given && s.in_bytes <= given - at);
		FUZZ_CHECK(u.taken == given - s.in_bytes && s.out_bytes <= out);
		for (const uint8_t *p = room; p < s.out && o.bytes < OUTPUT_MOST; p++, o.bytes++)
			o.hash = (o.hash ^ *p) * 1099511628211u;
		if (s.out_bytes)
			given = n - given < in ? n : given + in;
	}
	FUZZ_CHECK(o.status <= BPE_OK && (o.status >= BPE_E_END || u.why));
	o.taken = u.taken;
	bpei_unpacker_free(&u);
	free(room);
	return o;
}

/* Reads the bytes through the device, as far as the fills go. */
static void drain_packed(const uint8_t *bytes, size_t n) BPEI_READER
{
	const struct bpe_options options = {
		.memory = bytes, .memory_bytes = n, .snaplen = BPE_MAX_SNAPLEN
	};
	struct bpei_block block = { .memory = NULL };
	struct bpei_columns columns;
	struct bpei_device *device = NULL;
	struct bpe_error error = { .status = 0 };
	int status = bpei_device_open(&options, &device, &error);

	if (status < 0) {
		FUZZ_CHECK(error.status == status && error.text[0]);
		return;
	}
	FUZZ_CHECK(bpei_columns_new(&columns, BPE_BATCH) == BPE_OK);
	block.memory_bytes = device->block_bytes;
	block.memory = device->maps_blocks ? NULL : malloc(block.memory_bytes);
	for (uint32_t fills = 0; status >= 0 && fills < FILLS_MOST; fills++) {
		status = bpei_device_fill(device, &block, -1, &error);
		if (status <= 0)
			continue;
		for (uint32_t got; (got = bpei_device_walk(device, &block, &columns, BPE_BATCH));)
			for (uint32_t i = 0; i < got; i++)
				FUZZ_CHECK(columns.data[i] >= block.bytes &&
					   columns.data[i] + columns.caplen[i] <=
						   block.bytes + block.length);
		bpei_device_done(device, &block);
	}
	FUZZ_CHECK(status >= 0 || status == BPE_E_END || (error.status == status && error.text[0]));
	FUZZ_CHECK(bpei_counter_get(&device->source_position) <= n);
	bpei_device_close(device);
	free(block.memory);
	bpei_columns_free(&columns, BPE_BATCH);
}

/* Packs the bytes into two frames and demands the same bytes. */
static void pack_and_unpack(enum bpei_packing packing, const uint8_t *bytes, size_t n)
{
	struct output plain = { .hash = 14695981039346656037u };
	struct bpei_packer *p;
	size_t length = 0;

	if (bpei_packer_open(packing, BPEI_PACKING_LEVEL_USUAL, &p, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		plain.hash = (plain.hash ^ bytes[i]) * 1099511628211u;
	const size_t room = 2 * bpei_packer_bound(p, n);
	uint8_t *const packed = malloc(room);

	FUZZ_CHECK(packed != NULL);
	length += bpei_packer_frame(p, bytes, n / 2, packed, room);
	length += bpei_packer_frame(p, bytes + n / 2, n - n / 2, packed + length, room - length);
	bpei_packer_close(p);
	const struct output o = unpack_any(packed, length, length, OUTPUT_MOST);

	FUZZ_CHECK(o.status == BPE_E_END && o.bytes == n && o.hash == plain.hash);
	free(packed);
}

void fuzz_packed(const uint8_t *bytes, size_t n)
{
	static const size_t pieces[8] = { 1, 2, 7, 8, 9, 100, 1000, 65536 };

	if (!n)
		return;
	const uint8_t choices = *bytes++;

	n--;
	const struct output whole = unpack_any(bytes, n, n, OUTPUT_MOST);
	const struct output parts =
		unpack_any(bytes, n, pieces[choices & 7], pieces[choices >> 3 & 7]);

	/* How far a library comes in a damaged frame depends on the pieces. */
	if (whole.status == BPE_OK || whole.status == BPE_E_END)
		FUZZ_CHECK(whole.bytes == parts.bytes && whole.hash == parts.hash);
	if (whole.status < BPE_OK && whole.bytes < OUTPUT_MOST)
		FUZZ_CHECK(whole.status == parts.status);
	FUZZ_CHECK(whole.status != BPE_E_END || whole.taken == n);
	bpei_role_enter(&bpei_reader_role);
	drain_packed(bytes, n);
	bpei_role_leave(&bpei_reader_role);
	pack_and_unpack(BPEI_PACKING_GZIP, bytes, n);
	pack_and_unpack(BPEI_PACKING_ZSTD, bytes, n);
	pack_and_unpack(BPEI_PACKING_LZ4, bytes, n);
}
