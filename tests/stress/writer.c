/* SPDX-License-Identifier: MIT */
/* Four threads use a writer at once, over a slow reader: every packet offered is in the
 * pipe, or counted as unwritten.  No number of a packet comes twice, and the numbers of a
 * thread rise.  A plain program, meant for ThreadSanitizer, too. */
#include "bpfengine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, EACH = 30000, PACKET = 200, BATCHED = 16, BLOCK_HEAD = 8, PACKET_AT = 28 };

static _Atomic unsigned failures;

static void check_books_that(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "line %d: %s\n", line, what);
	failures++;
}
#define CHECK(condition) check_books_that(condition, #condition, __LINE__)

struct offering {
	struct bpe_writer *writer;
	uint32_t number; /* of the thread */
};

struct reading {
	int fd;
	uint64_t packets;
	uint32_t next[THREADS]; /* least number to come */
	bool is_wrong;
};

static void read_fully(int fd, uint8_t *to, size_t n, bool *ended)
{
	while (n) {
		const ssize_t got = read(fd, to, n);

		if (got <= 0) {
			*ended = true;
			return;
		}
		to += got;
		n -= (size_t)got;
	}
}

static void take_written_block(struct reading *r, const uint8_t *block, uint32_t type)
{
	uint32_t word[2];

	if (type != 6)
		return;
	memcpy(word, block + PACKET_AT, sizeof word);
	r->packets++;
	if (word[0] >= THREADS || word[1] < r->next[word[0]])
		r->is_wrong = true;
	else
		r->next[word[0]] = word[1] + 1;
}

/* Reads blocks of pcapng, and sleeps now and then. */
static void *run_dawdling_reader(void *user)
{
	struct reading *r = user;
	static uint8_t block[1 << 20];
	bool ended = false;

	for (uint32_t n = 0;; n++) {
		uint32_t head[2];

		read_fully(r->fd, block, BLOCK_HEAD, &ended);
		if (ended)
			return NULL;
		memcpy(head, block, sizeof head);
		if (head[1] < 12 || head[1] > sizeof block) {
			r->is_wrong = true;
			return NULL;
		}
		read_fully(r->fd, block + BLOCK_HEAD, head[1] - BLOCK_HEAD, &ended);
		take_written_block(r, block, head[0]);
		if (n % 4096 == 0)
			usleep(2000);
	}
}

/* Offers a batch of the program's own making. */
static void offer_batch(struct offering *o, uint32_t from)
{
	uint8_t bytes[BATCHED][PACKET] = { { 0 } };
	const uint8_t *data[BATCHED];
	int64_t times[BATCHED];
	uint32_t lengths[BATCHED], ids[BATCHED];
	struct bpe_layers layers[BATCHED];
	struct bpe_batch batch = { .size = sizeof batch, .count = BATCHED };

	memset(layers, 0, sizeof layers);
	for (uint32_t i = 0; i < BATCHED; i++) {
		const uint32_t word[2] = { o->number, from + i };

		memcpy(bytes[i], word, sizeof word);
		data[i] = bytes[i];
		times[i] = 1000000000 + from + i;
		lengths[i] = PACKET;
		ids[i] = o->number % 3;
		layers[i].link_type = 1;
	}
	batch.data = data;
	batch.time_ns = times;
	batch.caplen = batch.wirelen = lengths;
	batch.interface_id = ids;
	batch.layers = layers;
	CHECK(bpe_writer_batch(o->writer, &batch, 0, BATCHED) == BPE_OK);
}

static void *run_offering(void *user)
{
	struct offering *o = user;

	for (uint32_t n = 0; n < EACH; n += BATCHED) {
		struct bpe_written s;
		const uint8_t addr[16] = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n };

		offer_batch(o, n);
		if (n % 1024)
			continue;
		bpe_writer_stats(o->writer, &s);
		CHECK(s.offered >= s.written);
		CHECK(bpe_writer_name(o->writer, addr, 4, "a.name.example") == BPE_OK);
		CHECK(bpe_writer_tick(o->writer) == BPE_OK);
	}
	return NULL;
}

static void run_case(bool waits, uint64_t memory)
{
	struct bpe_writer_options options;
	struct bpe_writer *writer = NULL;
	struct bpe_written s;
	struct bpe_error error = { .status = 0 };
	struct offering offerings[THREADS];
	struct reading reading = { .packets = 0 };
	pthread_t threads[THREADS], reader;
	uint64_t unwritten = 0;
	int ends[2];

	CHECK(!pipe(ends));
	reading.fd = ends[0];
	bpe_writer_options_init(&options);
	options.fd = ends[1];
	options.memory_bytes = memory;
	options.wait = waits;
	CHECK(bpe_writer_open(&options, &writer, &error) == BPE_OK);
	CHECK(!pthread_create(&reader, NULL, run_dawdling_reader, &reading));
	for (uint32_t k = 0; k < THREADS; k++) {
		offerings[k] = (struct offering){ writer, k };
		CHECK(!pthread_create(&threads[k], NULL, run_offering, &offerings[k]));
	}
	for (uint32_t k = 0; k < THREADS; k++)
		pthread_join(threads[k], NULL);
	CHECK(bpe_writer_finish(writer, &error) == BPE_OK);
	bpe_writer_stats(writer, &s);
	bpe_writer_close(writer, NULL);
	close(ends[1]);
	pthread_join(reader, NULL);
	close(ends[0]);
	for (int k = 0; k < BPE_UNWRITTEN_ROOM; k++)
		unwritten += s.unwritten[k];
	CHECK(!reading.is_wrong && reading.packets == s.written && !s.waiting);
	CHECK(s.offered == (uint64_t)THREADS * EACH && s.offered == s.written + unwritten);
	CHECK(unwritten == s.unwritten[BPE_UNWRITTEN_FULL]);
	CHECK(!waits || !unwritten);
	printf("%s: %llu written, %llu for want of memory\n", waits ? "waits" : "drops",
		(unsigned long long)s.written, (unsigned long long)unwritten);
}

int main(void)
{
	run_case(true, 0);
	run_case(false, 0);
	run_case(false, UINT64_C(256) << 20);
	printf("%u passed, %u failed\n", !failures, failures);
	return failures != 0;
}
