/* SPDX-License-Identifier: MIT */
/* Compressed files of a writer: read again whole, and cut at many places up to the last whole
 * frame; forms by names and options; refusals. */
#include "compress/compress.h"
#include "writer/packing.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITTEN_PACKETS 3000u
#define LONGEST 1400u

static char path[64];

static void name_packed_file(const char *ending)
{
	snprintf(path, sizeof path, "/tmp/bpe-packing-%ld%s", (long)getpid(), ending);
}

/* Returns the form's status for a path and a compression. */
static enum bpei_packing choose_form(const char *name, uint32_t compression)
{
	struct bpe_writer_options o;

	bpe_writer_options_init(&o);
	o.path = name;
	o.compression = compression;
	return bpei_writer_packing(&o);
}

Test(writer_packing, by_name_and_option)
{
	cr_assert_eq(choose_form("a.pcapng.zst", BPE_COMPRESSION_AUTO), BPEI_PACKING_ZSTD);
	cr_assert_eq(choose_form("a.pcap.lz4", BPE_COMPRESSION_AUTO), BPEI_PACKING_LZ4);
	cr_assert_eq(choose_form("a.gz", BPE_COMPRESSION_AUTO), BPEI_PACKING_GZIP);
	cr_assert_eq(choose_form("a.pcapng", BPE_COMPRESSION_AUTO), BPEI_PACKING_NONE);
	cr_assert_eq(choose_form("-", BPE_COMPRESSION_AUTO), BPEI_PACKING_NONE);
	cr_assert_eq(choose_form(NULL, BPE_COMPRESSION_AUTO), BPEI_PACKING_NONE);
	cr_assert_eq(choose_form(NULL, BPE_COMPRESSION_GZIP), BPEI_PACKING_GZIP);
	cr_assert_eq(choose_form("a.zst", BPE_COMPRESSION_NONE), BPEI_PACKING_NONE);
	cr_assert_eq(choose_form("a.zst", BPE_COMPRESSION_LZ4), BPEI_PACKING_LZ4);
	cr_assert_eq(choose_form("a", BPE_COMPRESSION_ZSTD), BPEI_PACKING_ZSTD);
}

/* Returns the status of a writer's opening, and demands a word of the error's text. */
static int refuse_opening(const char *ending, int32_t level, const char *word)
{
	struct bpe_writer_options o;
	struct bpe_writer *w = NULL;
	struct bpe_error e = { 0 };

	name_packed_file(ending);
	bpe_writer_options_init(&o);
	o.path = path;
	o.compression_level = level;
	const int status = bpe_writer_open(&o, &w, &e);

	cr_assert(status < 0 && strstr(e.text, word), "%d %s", status, e.text);
	cr_assert(access(path, F_OK) != 0);
	return status;
}

Test(writer_packing, refusals_make_no_file)
{
	cr_assert_eq(refuse_opening(".xz", 0, ".zst, .lz4 or .gz"), BPE_E_UNSUPPORTED);
	cr_assert_eq(refuse_opening(".pcapng", 3, "not compressed"), BPE_E_ARGUMENT);
	if (bpei_packing_can_write(BPEI_PACKING_ZSTD))
		cr_assert_eq(refuse_opening(".zst", 23, "-7 to 22"), BPE_E_ARGUMENT);
	else
		cr_assert_eq(refuse_opening(".zst", 0, "libzstd"), BPE_E_UNSUPPORTED);
	if (bpei_packing_can_write(BPEI_PACKING_GZIP))
		cr_assert_eq(refuse_opening(".gz", 10, "1 to 9"), BPE_E_ARGUMENT);
}

/* Fills packet k's bytes; half of each packet does not compress. */
static uint32_t fill_packet(uint32_t k, uint8_t *bytes)
{
	const uint32_t n = 60 + k * 37 % (LONGEST - 60);
	uint32_t x = k * 2654435761u + 1;

	for (uint32_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = i % 2 ? (uint8_t)(x >> 24) : (uint8_t)k;
	}
	return n;
}

/* Writes the packets. */
static void write_packed(const struct bpe_writer_options *o)
{
	struct bpe_writer *w;
	struct bpe_error e;
	uint8_t bytes[LONGEST];

	cr_assert_eq(bpe_writer_open(o, &w, &e), BPE_OK, "%s", e.text);
	for (uint32_t k = 0; k < WRITTEN_PACKETS; k++) {
		struct bpe_packet p;

		bpe_packet_init(&p);
		p.data = bytes;
		p.caplen = p.wirelen = fill_packet(k, bytes);
		p.time_ns = 1000000000000 + k;
		cr_assert_eq(bpe_writer_packet(w, &p, NULL), BPE_OK);
	}
	cr_assert_eq(bpe_writer_close(w, &e), BPE_OK, "%s", e.text);
}

/* Reads the file's first n bytes.  Returns the packets, and the end's status in *end. */
static uint32_t read_cut_file(const uint8_t *file, size_t n, int *end)
{
	struct bpe_options o;
	struct bpe_capture *c = NULL;
	struct bpe_batch b;
	struct bpe_error e;
	uint8_t bytes[LONGEST];
	uint32_t k = 0;
	int got;

	bpe_options_init(&o);
	o.memory = file;
	o.memory_bytes = n;
	o.flows = false;
	*end = bpe_capture_open(&o, &c, &e);
	if (*end < 0)
		return 0;
	while ((got = bpe_capture_next(c, &b, -1, &e)) >= 0)
		for (uint32_t i = 0; got > 0 && i < b.count; i++) {
			const uint32_t length = fill_packet(k, bytes);

			cr_assert_eq(b.caplen[i], length);
			cr_assert_eq(b.time_ns[i], 1000000000000 + k);
			cr_assert_eq(memcmp(b.data[i], bytes, length), 0);
			k++;
		}
	*end = got;
	bpe_capture_close(c);
	return k;
}

/* Reads the whole file into memory, which the caller frees. */
static uint8_t *load_packed(size_t *n)
{
	const size_t room = WRITTEN_PACKETS * (LONGEST + 100);
	uint8_t *const bytes = malloc(room);
	const int fd = open(path, O_RDONLY);
	ssize_t got;

	*n = 0;
	while ((got = read(fd, bytes + *n, room - *n)) > 0)
		*n += (size_t)got;
	close(fd);
	return bytes;
}

Test(writer_packing, whole_and_cut, .timeout = 550)
{
	static const struct {
		const char *ending;
		enum bpei_packing packing;
		uint32_t format;
	} rows[] = { { ".pcapng.zst", BPEI_PACKING_ZSTD, BPE_WRITE_PCAPNG },
		{ ".pcap.lz4", BPEI_PACKING_LZ4, BPE_WRITE_PCAP_NS },
		{ ".pcapng.gz", BPEI_PACKING_GZIP, BPE_WRITE_AUTO } };

	for (size_t f = 0; f < sizeof rows / sizeof *rows; f++) {
		struct bpe_writer_options o;
		uint32_t before = 0;
		size_t n;
		int end;

		if (!bpei_packing_can_write(rows[f].packing))
			continue;
		name_packed_file(rows[f].ending);
		bpe_writer_options_init(&o);
		o.path = path;
		o.format = rows[f].format;
		write_packed(&o);
		uint8_t *const file = load_packed(&n);

		unlink(path);
		cr_assert_eq(bpei_packing_of(file, n), rows[f].packing);
		cr_assert_eq(read_cut_file(file, n, &end), WRITTEN_PACKETS);
		cr_assert_eq(end, BPE_E_END);
		for (size_t cut = n / 40; cut < n; cut += n / 40) {
			const uint32_t packets = read_cut_file(file, cut, &end);

			cr_assert(packets >= before && packets <= WRITTEN_PACKETS);
			cr_assert(end == BPE_E_TORN || end == BPE_E_END || !packets);
			before = packets;
		}
		cr_assert_gt(before, WRITTEN_PACKETS / 4);
		free(file);
	}
}
