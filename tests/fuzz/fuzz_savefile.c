/* SPDX-License-Identifier: MIT */
/* Gives any bytes as a savefile, read from a file, from memory and through a pipe.  All reads give
 * the same packets and the same end, every packet lies in the packet's block, and reading comes to
 * an end.
 *
 * Input: a byte of choices (bits 0-1 snaplen, 2-3 the mapped file's stretch, 4-5 the size of the
 * pieces written to the pipe, 6 no pipe), then the file.  Standard input is replaced meanwhile,
 * because the device reads standard input. */
#include "base/mem.h"
#include "records/batch.h"
#include "compress/packing.h"
#include "device/device.h"
#include "fuzz.h"
#include "layers_check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct sum {
	uint64_t packets, bytes, hash;
	int status;
};
struct writer {
	int fd;
	const uint8_t *bytes;
	size_t n, piece;
};

static void mix_into_sum(struct sum *s, uint64_t v)
{
	s->hash = (s->hash ^ v) * 0x9e3779b97f4a7c15u;
	s->hash ^= s->hash >> 29;
}

static void take_batch(struct sum *s, const struct bpei_block *b, const struct bpei_columns *c,
	uint32_t n, uint32_t snaplen)
{
	FUZZ_CHECK(n <= BPE_BATCH);
	FUZZ_CHECK(b->position <= b->length);
	bpei_parse_scalar(c, n, b->link_type, NULL);
	for (uint32_t i = 0; i < n; i++) {
		FUZZ_CHECK(c->caplen[i] <= snaplen);
		FUZZ_CHECK(c->data[i] >= b->bytes &&
			   c->data[i] + c->caplen[i] <= b->bytes + b->length);
		FUZZ_CHECK(!layers_wrong(&c->layers[i], &c->key[i], c->caplen[i], b->link_type));
		s->packets++;
		s->bytes += c->caplen[i];
		mix_into_sum(s, (uint64_t)c->time_ns[i]);
		mix_into_sum(s, (uint64_t)c->caplen[i] << 32 | c->wirelen[i]);
		mix_into_sum(s, (uint64_t)c->interface_id[i] << 32 | b->link_type);
		for (uint32_t k = 0; k < c->caplen[i]; k++)
			mix_into_sum(s, c->data[i][k]);
	}
}

/* Reads a source of n bytes to its end. */
static struct sum drain_source(const struct bpe_options *options, size_t n) BPEI_READER
{
	struct bpei_columns columns;
	struct bpei_block block = { .memory = NULL };
	struct bpei_device *device = NULL;
	struct bpe_error error = { .status = 0 };
	struct sum s = { .status = bpei_device_open(options, &device, &error) };
	if (s.status < 0) {
		FUZZ_CHECK(error.status == s.status && error.text[0]);
		return s;
	}
	FUZZ_CHECK(bpei_columns_new(&columns, BPE_BATCH) == BPE_OK);
	FUZZ_CHECK(memchr(device->source, 0, sizeof device->source) &&
		   device->max_blocks_in_flight > 0);
	if (!device->maps_blocks)
		FUZZ_CHECK((block.memory = bpei_mem_map(
				    block.memory_bytes = device->block_bytes, 0)) != NULL);
	for (size_t fills = 0; (s.status = bpei_device_fill(device, &block, -1, &error)) >= 0;
		fills++) {
		FUZZ_CHECK(fills <= 4 * n + 100);
		if (!s.status)
			continue;
		for (uint32_t got; (got = bpei_device_walk(device, &block, &columns, BPE_BATCH));)
			take_batch(&s, &block, &columns, got, options->snaplen);
		bpei_device_done(device, &block);
	}
	FUZZ_CHECK(s.status == BPE_E_END || s.status == BPE_E_TORN || s.status == BPE_E_FORMAT);
	FUZZ_CHECK(s.status == BPE_E_END || (error.status == s.status && error.text[0]));
	FUZZ_CHECK(bpei_device_fill(device, &block, 0, &error) == s.status);
	FUZZ_CHECK(s.packets <= n / 16 && s.bytes <= n);
	bpei_device_close(device);
	bpei_mem_unmap(block.memory, block.memory_bytes);
	bpei_columns_free(&columns, BPE_BATCH);
	return s;
}

/* Reads standard input to its end. */
static struct sum drain_savefile(size_t n, uint32_t snaplen, uint32_t stretch) BPEI_READER
{
	const struct bpe_options options = {
		.file = "-", .snaplen = snaplen, .block_bytes = stretch
	};

	return drain_source(&options, n);
}

/* Reads memory of exactly n bytes. */
static struct sum sum_memory(
	const uint8_t *bytes, size_t n, uint32_t snaplen, uint32_t stretch) BPEI_READER
{
	uint8_t *copy = malloc(n + !n);
	const struct bpe_options options = {
		.memory = copy, .memory_bytes = n, .snaplen = snaplen, .block_bytes = stretch
	};

	FUZZ_CHECK(copy != NULL);
	if (n)
		memcpy(copy, bytes, n);
	const struct sum s = drain_source(&options, n);
	free(copy);
	return s;
}

static void *write_pieces(void *user)
{
	struct writer *w = user;
	for (size_t at = 0; at < w->n;) {
		ssize_t n =
			write(w->fd, w->bytes + at, w->piece < w->n - at ? w->piece : w->n - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(w->fd);
	return NULL;
}

static struct sum sum_mapped(
	const uint8_t *bytes, size_t n, uint32_t snaplen, uint32_t stretch) BPEI_READER
{
	char name[] = "/tmp/fuzz_savefile.XXXXXX";
	int fd = mkstemp(name);
	FUZZ_CHECK(fd >= 0 && !unlink(name));
	FUZZ_CHECK(write(fd, bytes, n) == (ssize_t)n && !lseek(fd, 0, SEEK_SET));
	FUZZ_CHECK(dup2(fd, STDIN_FILENO) == STDIN_FILENO && !close(fd));
	return drain_savefile(n, snaplen, stretch);
}

static struct sum sum_piped(
	const uint8_t *bytes, size_t n, uint32_t snaplen, size_t piece) BPEI_READER
{
	int ends[2];
	pthread_t thread;
	FUZZ_CHECK(!pipe(ends));
	struct writer w = { ends[1], bytes, n, piece };
	FUZZ_CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO && !close(ends[0]));
	FUZZ_CHECK(!pthread_create(&thread, NULL, write_pieces, &w));
	struct sum s = drain_savefile(n, snaplen, 0);
	close(STDIN_FILENO);
	FUZZ_CHECK(!pthread_join(thread, NULL));
	FUZZ_CHECK(open("/dev/null", O_RDONLY) == STDIN_FILENO);
	return s;
}

/* Compares a mapped file's result with a pipe's.  A file's size reveals a damaged block length.
 * Through a pipe the same block looks cut off, and the packet at the block's head is given. */
static void check_alike(const struct sum *file, const struct sum *pipe)
{
	bool same = file->packets == pipe->packets;
	if (file->status == BPE_E_FORMAT && pipe->status == BPE_E_TORN) {
		FUZZ_CHECK(same || file->packets + 1 == pipe->packets);
		return;
	}
	FUZZ_CHECK(same && file->bytes == pipe->bytes && file->hash == pipe->hash);
	FUZZ_CHECK(file->status == pipe->status);
}

void fuzz_savefile(const uint8_t *bytes, size_t n)
{
	static const uint32_t snaplens[4] = { BPE_MAX_SNAPLEN, 96, 20, 1 };
	static const uint32_t stretches[4] = { 0, 1, 64, 1000 };
	static const size_t pieces[4] = { 65536, 37, 500, 5 };
	struct fuzz_input in = { bytes, bytes + n };
	uint8_t choices = fuzz_u8(&in);
	uint32_t snaplen = snaplens[choices & 3];
	size_t length = fuzz_left(&in);

	/* Compressed files, which fuzz_packed takes, have other bounds. */
	if (bpei_packing_of(in.next, length) != BPEI_PACKING_NONE)
		return;
	signal(SIGPIPE, SIG_IGN);
	bpei_role_enter(&bpei_reader_role);
	struct sum a = sum_mapped(in.next, length, snaplen, stretches[choices >> 2 & 3]);
	struct sum m = sum_memory(in.next, length, snaplen, stretches[choices >> 2 & 3]);
	FUZZ_CHECK(a.packets == m.packets && a.bytes == m.bytes && a.hash == m.hash);
	FUZZ_CHECK(a.status == m.status);
	if (!(choices & 64)) {
		struct sum b = sum_piped(in.next, length, snaplen, pieces[choices >> 4 & 3]);
		check_alike(&a, &b);
	}
	bpei_role_leave(&bpei_reader_role);
}
