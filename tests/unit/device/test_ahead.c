/* SPDX-License-Identifier: MIT */
/* Files read ahead by a second thread: pieces one by one, and savefiles through the device contract
 * beside the same files without a thread.  The tests start the thread, on any number of CPUs. */
#include "device/ahead.h"

#include "base/bytes.h"
#include "device/savefile.h"
#include "records/batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1u << 20)
#define HELD 6u /* blocks that are not done at a time */

static char path[64];
static uint8_t *image; /* the file's bytes */
static size_t image_bytes;

static void name_ahead_file(void)
{
	snprintf(path, sizeof path, "/tmp/bpe-ahead-%ld", (long)getpid());
}

static void remove_ahead_file(void)
{
	unlink(path);
	free(image);
}
TestSuite(ahead, .init = name_ahead_file, .fini = remove_ahead_file);

/* Writes n bytes of the image. */
static void write_image(size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(image, 1, n, f), n);
	fclose(f);
}

/* Makes an image of words that count. */
static void make_counted_image(size_t bytes)
{
	image_bytes = bytes;
	image = malloc(bytes);
	cr_assert_not_null(image);
	for (size_t i = 0; i < bytes; i++)
		image[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

/* Reads the file from `start` on, with `lent` bytes held back.  Returns the last piece's end. */
static uint64_t read_in_pieces(uint64_t start, size_t stretch, size_t lent)
{
	const int fd = open(path, O_RDONLY);
	struct bpei_ahead *a = bpei_ahead_start(fd, start, stretch, lent);
	uint64_t at = start;

	cr_assert_not_null(a);
	for (bool ends = false; !ends;) {
		const struct bpei_ahead_piece *p = bpei_ahead_next(a);

		cr_assert_eq(p->begin, at);
		cr_assert_eq(p->failure, 0);
		cr_assert(!memcmp(p->bytes, image + at, p->length));
		memset(p->bytes - BPEI_AHEAD_HEADROOM, 7, BPEI_AHEAD_HEADROOM);
		at += p->length;
		ends = p->is_last;
		cr_assert(ends || at % stretch == 0);
		if (at > lent)
			bpei_ahead_release(a, at - lent);
	}
	bpei_ahead_stop(a);
	close(fd);
	return at;
}

Test(ahead, pieces_are_the_file_from_any_place_on)
{
	make_counted_image(9 * MIB + 12345);
	write_image(image_bytes);
	cr_assert_eq(read_in_pieces(0, 256u << 10, 0), image_bytes);
	cr_assert_eq(read_in_pieces(24, 256u << 10, 2 * MIB), image_bytes);
	cr_assert_eq(read_in_pieces(4097, 4096, 5 * MIB), image_bytes);
	cr_assert_eq(read_in_pieces(3 * MIB + 1, 300001, MIB), image_bytes);
	cr_assert_eq(read_in_pieces(image_bytes - 3, MIB, 0), image_bytes);
	cr_assert_eq(read_in_pieces(image_bytes, MIB, 0), image_bytes);
	write_image(8 * MIB);
	cr_assert_eq(read_in_pieces(0, MIB, 0), 8 * MIB, "ends with a whole piece");
}

Test(ahead, a_failed_read_is_told)
{
	const int fd = open("/", O_RDONLY);
	struct bpei_ahead *a = bpei_ahead_start(fd, 0, MIB, 0);
	const struct bpei_ahead_piece *p = bpei_ahead_next(a);

	cr_assert_eq(p->failure, EISDIR);
	cr_assert_eq(p->length, 0);
	cr_assert(p->is_last);
	bpei_ahead_stop(a);
	close(fd);
}

Test(ahead, may_be_stopped_at_any_time)
{
	make_counted_image(9 * MIB);
	write_image(image_bytes);
	for (int taken = 0; taken < 8; taken++) {
		const int fd = open(path, O_RDONLY);
		struct bpei_ahead *a = bpei_ahead_start(fd, 0, MIB, 0);

		for (int k = 0; k < taken; k++) {
			bpei_ahead_next(a);
			bpei_ahead_release(a, (uint64_t)k * MIB);
		}
		bpei_ahead_stop(a);
		close(fd);
	}
	bpei_ahead_stop(NULL);
	cr_assert_null(bpei_ahead_start(0, 0, MIB, 1000 * (size_t)MIB), "too much to be lent");
}

/* ---- Savefiles ---- */

/* Makes a pcap file of records of 1 to 999 bytes, and some longer than the room before a piece. */
static void make_savefile(size_t bytes)
{
	static const uint8_t header[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 4, 0, 1, 0, 0, 0 };
	size_t at = sizeof header;
	uint32_t k = 0;

	make_counted_image(bytes);
	memcpy(image, header, sizeof header);
	while (at + 16 + 262144 < bytes) {
		const uint32_t caplen = k % 3001 == 3000 ? 200000 + k : k * 7919 % 999 + 1;

		bpei_store32(image + at, 1000000 + k);
		bpei_store32(image + at + 4, k % 1000000);
		bpei_store32(image + at + 8, caplen);
		bpei_store32(image + at + 12, caplen);
		at += 16 + caplen;
		k++;
	}
	image_bytes = at;
	write_image(at);
}

struct reading {
	uint32_t packets, blocks;
	uint64_t sum; /* of all bytes, lengths, times and ends of blocks */
	int end;
	struct bpe_error error;
};

static void sum_walked_packets(struct reading *r, const struct bpei_columns *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < c->caplen[i]; j++)
			r->sum = r->sum * 31 + c->data[i][j];
		r->sum = r->sum * 31 + c->caplen[i];
		r->sum = r->sum * 31 + (uint64_t)c->time_ns[i];
	}
	r->packets += n;
}

/* Starts the thread as a device with CPUs to spare would, once the head is handed out. */
static void start_ahead_here(struct bpei_device *d)
{
	struct bpei_savefile *s = (struct bpei_savefile *)(void *)d;

	if (s->is_planned || s->stream.input_bytes)
		return;
	s->is_planned = true;
	s->ahead = bpei_ahead_start(s->stream.file, s->offset + s->left_bytes, s->stretch,
		(size_t)d->max_blocks_in_flight * s->stretch);
	cr_assert_not_null(s->ahead);
}

/* Reads the savefile, with `held` blocks at a time not done.  With cut, the file's length becomes
 * `cut` after the first block behind the head. */
static struct reading read_ahead_savefile(bool with_thread, uint32_t held, size_t cut)
{
	struct reading r = { .packets = 0 };
	struct bpei_block blocks[HELD] = { { .memory = NULL } };
	struct bpei_device *d;
	struct bpei_columns c;
	struct bpe_options o;

	bpe_options_init(&o);
	o.file = path;
	cr_assert_eq(bpei_device_open(&o, &d, &r.error), BPE_OK);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	for (uint32_t k = 0; k < HELD; k++) {
		blocks[k].memory_bytes = d->block_bytes;
		blocks[k].memory = malloc(d->block_bytes);
	}
	bpei_role_enter(&bpei_reader_role);
	for (;;) {
		struct bpei_block *b = &blocks[r.blocks % held];

		if (r.blocks >= held)
			bpei_device_done(d, b);
		if (with_thread)
			start_ahead_here(d);
		r.end = bpei_device_fill(d, b, -1, &r.error);
		if (r.end < 0)
			break;
		for (uint32_t n; (n = bpei_device_walk(d, b, &c, BPE_BATCH));)
			sum_walked_packets(&r, &c, n);
		r.sum = r.sum * 31 + b->length;
		if (++r.blocks == 2 && cut)
			cr_assert_eq(truncate(path, (off_t)cut), 0);
	}
	cr_assert_eq(bpei_device_fill(d, &blocks[0], -1, NULL), r.end, "repeated");
	bpei_role_leave(&bpei_reader_role);
	bpei_device_close(d);
	bpei_columns_free(&c, BPE_BATCH);
	for (uint32_t k = 0; k < HELD; k++)
		free(blocks[k].memory);
	return r;
}

Test(ahead, a_savefile_has_the_same_packets_in_the_same_blocks)
{
	make_savefile(20 * MIB);
	const struct reading plain = read_ahead_savefile(false, 1, 0);
	const struct reading alone = read_ahead_savefile(true, 1, 0);
	const struct reading lent = read_ahead_savefile(true, HELD, 0);

	cr_assert_eq(plain.end, BPE_E_END);
	cr_assert(plain.packets > 20000);
	cr_assert_eq(alone.end, BPE_E_END);
	cr_assert_eq(alone.packets, plain.packets);
	cr_assert_eq(alone.blocks, plain.blocks);
	cr_assert_eq(alone.sum, plain.sum);
	cr_assert_eq(lent.end, BPE_E_END);
	cr_assert_eq(lent.packets, plain.packets);
	cr_assert_eq(lent.sum, plain.sum);
}

Test(ahead, a_savefile_cut_while_it_is_read_is_torn)
{
	make_savefile(20 * MIB);
	/* The thread is at most five pieces ahead of the second block. */
	const struct reading r = read_ahead_savefile(true, 1, 12 * MIB + 77);

	cr_assert_eq(r.end, BPE_E_TORN, "%d", r.end);
	cr_assert_not_null(strstr(r.error.text, "truncated dump file"), "%s", r.error.text);
	cr_assert(r.packets > 1000);
}
