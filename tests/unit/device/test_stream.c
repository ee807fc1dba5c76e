/* SPDX-License-Identifier: MIT */
/* Compressed savefiles through the device contract: as a file, in memory, and through a pipe in
 * pieces of each size; cut at each byte, damaged, and with empty frames. */
#include "compress/compress.h"
#include "device/device.h"
#include "filebuild.h"

#include "records/batch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKETS 6u
#define PACKED_ROOM (1u << 20)

static const enum bpei_packing forms[] = { BPEI_PACKING_GZIP, BPEI_PACKING_ZSTD, BPEI_PACKING_LZ4 };
#define FORMS (sizeof forms / sizeof *forms)

static char path[64];
static struct image image;
static uint8_t *packed;
static size_t ends[PACKETS + 1]; /* of the frames: the header's, then each packet's */

/* Makes the savefile; packet k has bytes of value k. */
static void prepare_stream(void)
{
	snprintf(path, sizeof path, "/tmp/bpe-stream-%ld", (long)getpid());
	pcap_header(&image, 0xa1b2c3d4, 4, 65535, 1);
	for (uint32_t k = 0; k < PACKETS; k++)
		pcap_packet(&image, 1000 + k, 0, 60 + 7 * k, 100, 0);
	packed = malloc(PACKED_ROOM);
	signal(SIGPIPE, SIG_IGN);
}

static void remove_stream(void)
{
	unlink(path);
	free(packed);
}
TestSuite(stream, .init = prepare_stream, .fini = remove_stream, .timeout = 550);

/* Packs the header and each packet, each into a frame.  Returns the length; 0 if the build lacks
 * the form. */
static size_t pack_image(enum bpei_packing packing)
{
	struct bpei_packer *p;
	struct bpe_error e;
	size_t from = 0;
	size_t n = 0;

	if (bpei_packer_open(packing, BPEI_PACKING_LEVEL_USUAL, &p, &e) < 0)
		return 0;
	for (uint32_t k = 0; k <= PACKETS; k++) {
		const size_t to = k ? image.whole[k - 1] : 24;

		n += bpei_packer_frame(
			p, image.bytes + from, to - from, packed + n, PACKED_ROOM - n);
		ends[k] = n;
		from = to;
	}
	bpei_packer_close(p);
	return n;
}

struct seen {
	uint32_t packets;
	int end;
	uint64_t position, bytes;
	char source[384];
	struct bpe_error error;
};

/* Reads a source to its end through the device. */
static struct seen read_packed_source(const struct bpe_options *o)
{
	struct seen s = { .packets = 0 };
	struct bpei_block b = { .memory = NULL };
	struct bpei_columns c;
	struct bpei_device *d;

	s.end = bpei_device_open(o, &d, &s.error);
	if (s.end < 0)
		return s;
	snprintf(s.source, sizeof s.source, "%s", d->source);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	cr_assert(!d->maps_blocks);
	b.memory_bytes = d->block_bytes;
	b.memory = malloc(b.memory_bytes);
	bpei_role_enter(&bpei_reader_role);
	while ((s.end = bpei_device_fill(d, &b, -1, &s.error)) >= 0) {
		uint32_t n = 0;

		while (s.end > 0 && (n = bpei_device_walk(d, &b, &c, 4)))
			for (uint32_t i = 0; i < n; i++) {
				const uint32_t k = s.packets++ % PACKETS;

				cr_assert_eq(c.caplen[i], 60 + 7 * k);
				for (uint32_t j = 0; j < c.caplen[i]; j++)
					cr_assert_eq(c.data[i][j], (uint8_t)k);
			}
		if (s.end > 0)
			bpei_device_done(d, &b);
	}
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), s.end);
	s.position = bpei_counter_get(&d->source_position);
	s.bytes = d->source_bytes;
	bpei_role_leave(&bpei_reader_role);
	free(b.memory);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
	return s;
}

static struct seen read_packed_file(size_t n)
{
	struct bpe_options o;
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0 && write(fd, packed, n) == (ssize_t)n);
	close(fd);
	bpe_options_init(&o);
	o.file = path;
	return read_packed_source(&o);
}

static struct seen read_packed_memory(size_t n)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.memory = packed;
	o.memory_bytes = n;
	return read_packed_source(&o);
}

struct pieces {
	size_t n, step;
};

static void *feed_packed(void *arg)
{
	const struct pieces *f = arg;
	const int fd = open(path, O_WRONLY);

	for (size_t at = 0; at < f->n; at += f->step)
		if (write(fd, packed + at, f->n - at < f->step ? f->n - at : f->step) < 0)
			break;
	close(fd);
	return NULL;
}

static struct seen read_packed_pipe(size_t n, size_t step)
{
	struct pieces f = { n, step };
	struct bpe_options o;
	pthread_t t;

	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(pthread_create(&t, NULL, feed_packed, &f), 0);
	bpe_options_init(&o);
	o.file = path;
	const struct seen s = read_packed_source(&o);

	pthread_join(t, NULL);
	unlink(path);
	return s;
}

Test(stream, whole_from_file_memory_and_pipe)
{
	for (size_t f = 0; f < FORMS; f++) {
		const size_t n = pack_image(forms[f]);
		char form[32];

		if (!n)
			continue;
		snprintf(form, sizeof form, "-endian, %s)", bpei_packing_name(forms[f]));
		const struct seen file = read_packed_file(n);

		cr_assert_eq(file.end, BPE_E_END, "%s", file.error.text);
		cr_assert_eq(file.packets, PACKETS);
		cr_assert_eq(file.bytes, n);
		cr_assert_eq(file.position, n);
		cr_assert(strstr(file.source, form), "%s", file.source);
		const struct seen memory = read_packed_memory(n);

		cr_assert_eq(memory.end, BPE_E_END, "%s", memory.error.text);
		cr_assert_eq(memory.packets, PACKETS);
		cr_assert_eq(memory.position, n);
		cr_assert(strstr(memory.source, "savefile in memory ("), "%s", memory.source);
		for (size_t step = 1; step < 40; step++) {
			const struct seen pipe = read_packed_pipe(n, step);

			cr_assert_eq(pipe.end, BPE_E_END, "%s", pipe.error.text);
			cr_assert_eq(pipe.packets, PACKETS);
		}
	}
}

/* Checks the packets and the end of a file which was cut. */
static void check_cut(const struct seen *s, size_t cut)
{
	uint32_t frames = 0;

	while (frames <= PACKETS && ends[frames] <= cut)
		frames++;
	if (!frames) {
		cr_assert(s->end == BPE_E_TORN || s->end == BPE_E_FORMAT, "%zu: %d", cut, s->end);
		return;
	}
	/* The packet of the torn frame may be there already, without the frame's checksum. */
	cr_assert(s->packets == frames - 1 || s->packets == frames);
	cr_assert_eq(s->end, cut == ends[frames - 1] ? BPE_E_END : BPE_E_TORN, "%zu: %d %s", cut,
		s->end, s->error.text);
	if (s->end == BPE_E_TORN)
		cr_assert(strstr(s->error.text, "truncated"), "%s", s->error.text);
}

Test(stream, cut_at_each_byte)
{
	for (size_t f = 0; f < FORMS; f++) {
		const size_t n = pack_image(forms[f]);

		for (size_t cut = 0; cut <= n && n; cut++) {
			const struct seen file = read_packed_file(cut);

			check_cut(&file, cut);
			const struct seen memory = read_packed_memory(cut);

			cr_assert_eq(memory.end, file.end);
			cr_assert_eq(memory.packets, file.packets);
			if (cut % 11)
				continue;
			const struct seen pipe = read_packed_pipe(cut, cut % 7 + 1);

			cr_assert_eq(pipe.end, file.end);
			cr_assert_eq(pipe.packets, file.packets);
		}
	}
}

Test(stream, damage_is_told_with_its_place)
{
	for (size_t f = 0; f < FORMS; f++) {
		const size_t n = pack_image(forms[f]);
		char place[64];

		if (!n)
			continue;
		memcpy(packed + n, "no frame", 8);
		const struct seen s = read_packed_file(n + 8);

		snprintf(place, sizeof place, "damaged at byte %zu of the %s file", n,
			bpei_packing_name(forms[f]));
		cr_assert_eq(s.end, BPE_E_FORMAT);
		cr_assert_eq(s.packets, PACKETS);
		cr_assert(strstr(s.error.text, place), "%s", s.error.text);
	}
}

Test(stream, frames_of_nothing)
{
	static const uint8_t skippable[] = { 0x53, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f };
	const size_t n = pack_image(BPEI_PACKING_ZSTD);

	if (!n)
		return;
	memmove(packed + 11, packed, n);
	memcpy(packed, skippable, 8);
	memcpy(packed + 4, "\3\0\0", 4);
	struct seen s = read_packed_file(n + 11);

	cr_assert_eq(s.end, BPE_E_END, "%s", s.error.text);
	cr_assert_eq(s.packets, PACKETS);
	cr_assert(strstr(s.source, "zstd"), "%s", s.source);
	memcpy(packed, skippable, 8);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct bpe_options o;

	cr_assert(fd >= 0 && write(fd, packed, 8) == 8 && !ftruncate(fd, 1 << 30));
	close(fd);
	bpe_options_init(&o);
	o.file = path;
	s = read_packed_source(&o);
	cr_assert_eq(s.end, BPE_E_FORMAT);
	cr_assert(strstr(s.error.text, "no savefile in"), "%s", s.error.text);
}

Test(stream, forms_that_no_build_reads)
{
	static const struct {
		const char *bytes;
		const char *told;
	} rows[] = { { "BZh91AY&SY", "bzip2 -dc FILE | bpfengine -r -" },
		{ "\x02\x21\x4c\x18 more", "lz4 -dc FILE | bpfengine -r -" } };

	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		memcpy(packed, rows[k].bytes, 9);
		struct seen s = read_packed_file(9);

		cr_assert_eq(s.end, BPE_E_UNSUPPORTED);
		cr_assert(strstr(s.error.text, rows[k].told), "%s", s.error.text);
		s = read_packed_memory(9);
		cr_assert_eq(s.end, BPE_E_UNSUPPORTED);
		cr_assert(strstr(s.error.text, "decompress it first"), "%s", s.error.text);
	}
}
