/* SPDX-License-Identifier: MIT */
/* Copies any savefile with the writer, and reads the copy.  Packets, metadata and comments stay
 * the same, and times as far as the copy's resolution goes.  A copy of the copy has equal bytes. */
#include "bpfengine.h"
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* A file in memory, and a sum over the packets. */
struct copied {
	uint8_t *bytes;
	size_t n;
	uint64_t packets, hash;
};

static void mix_copied(struct copied *c, const void *bytes, size_t n)
{
	const uint8_t *p = (const uint8_t *)bytes;

	for (size_t i = 0; i < n; i++)
		c->hash = (c->hash ^ p[i]) * 0x100000001b3u;
}

/* Returns the time as the interface's digits hold it. */
static int64_t hold_time(int64_t ns, uint32_t digits)
{
	int64_t unit = 1;

	for (; digits < 9; digits++)
		unit *= 10;
	return ns < 0 ? 0 : ns - ns % unit;
}

static void mix_packet(struct copied *c, const struct bpe_batch *b, uint32_t i)
{
	struct bpe_write_interface told;
	struct bpe_meta meta;
	const char *comment;
	size_t bytes;

	memset(&meta, 0, sizeof meta);
	bpe_write_interface_init(&told);
	bpe_batch_interface(b, i, &told);
	const int64_t ns = hold_time(b->time_ns[i], told.time_digits);
	mix_copied(c, &ns, sizeof ns);
	mix_copied(c, &b->caplen[i], 4);
	mix_copied(c, &b->wirelen[i], 4);
	mix_copied(c, &b->layers[i].link_type, 2);
	mix_copied(c, b->data[i], b->caplen[i]);
	if (!bpe_batch_meta(b, i, &meta))
		meta.pid = meta.effective_pid = -1;
	mix_copied(c, &meta, sizeof meta);
	for (uint32_t k = 0; bpe_batch_comment(b, i, k, &comment, &bytes); k++) {
		mix_copied(c, &bytes, sizeof bytes);
		mix_copied(c, comment, bytes);
	}
	c->packets++;
}

/* Reads the file written to the descriptor. */
static void take_written(struct copied *c, int fd)
{
	const off_t end = lseek(fd, 0, SEEK_END);

	FUZZ_CHECK(end >= 0);
	c->n = (size_t)end;
	c->bytes = malloc(c->n + 1);
	FUZZ_CHECK(c->bytes && pread(fd, c->bytes, c->n, 0) == end);
}

/* Copies the packets of a capture to the descriptor. */
static void copy_capture(struct copied *c, struct bpe_capture *capture, int fd)
{
	struct bpe_writer_options options;
	struct bpe_writer *writer = NULL;
	struct bpe_written stats;
	struct bpe_error error;
	struct bpe_batch batch;

	bpe_writer_options_init(&options);
	options.fd = fd;
	options.format = BPE_WRITE_PCAPNG;
	options.no_thread = true;
	options.packet_clock = true;
	FUZZ_CHECK(bpe_writer_open(&options, &writer, &error) == BPE_OK);
	while (bpe_capture_next(capture, &batch, 0, &error) > 0) {
		for (uint32_t i = 0; i < batch.count; i++)
			mix_packet(c, &batch, i);
		FUZZ_CHECK(bpe_writer_batch(writer, &batch, 0, batch.count) == BPE_OK);
	}
	FUZZ_CHECK(bpe_writer_finish(writer, &error) == BPE_OK);
	bpe_writer_stats(writer, &stats);
	FUZZ_CHECK(stats.offered == c->packets && stats.written == c->packets);
	FUZZ_CHECK(bpe_writer_close(writer, &error) == BPE_OK);
}

/* Copies a savefile in memory.  Returns false for no savefile. */
static bool copy_savefile(struct copied *c, const uint8_t *bytes, size_t n)
{
	char name[] = "/tmp/fuzz_copy.XXXXXX";
	struct bpe_capture *capture = NULL;
	struct bpe_options options;
	struct bpe_error error;

	*c = (struct copied){ .bytes = NULL };
	bpe_options_init(&options);
	options.memory = bytes;
	options.memory_bytes = n;
	if (bpe_capture_open(&options, &capture, &error) != BPE_OK)
		return false;
	const int fd = mkstemp(name);
	FUZZ_CHECK(fd >= 0 && !unlink(name));
	copy_capture(c, capture, fd);
	bpe_capture_close(capture);
	take_written(c, fd);
	close(fd);
	return true;
}

void fuzz_copy(const uint8_t *bytes, size_t n)
{
	struct copied once, twice, thrice;

	if (n < 4 || n > 1 << 20)
		return;
	if (!copy_savefile(&once, bytes, n))
		return;
	FUZZ_CHECK(copy_savefile(&twice, once.bytes, once.n));
	FUZZ_CHECK(twice.packets == once.packets && twice.hash == once.hash);
	FUZZ_CHECK(copy_savefile(&thrice, twice.bytes, twice.n));
	FUZZ_CHECK(thrice.hash == twice.hash);
	FUZZ_CHECK(twice.n == once.n && !memcmp(once.bytes, twice.bytes, once.n));
	free(once.bytes);
	free(twice.bytes);
	free(thrice.bytes);
}
