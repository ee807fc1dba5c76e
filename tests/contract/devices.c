/* SPDX-License-Identifier: MIT */
/* The device contract (src/device/device.h) as a list of expectations, run on every backend:
 * generated traffic, a savefile as a file, in memory and through a pipe, pushed packets, and the
 * live ring on lo given the rights.  A plain program. */
#include "base/clock.h"
#include "records/batch.h"
#include "device/device.h"
#include "device/push.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned passed, failed, skipped;
static const char *backend;
static char path[64], fifo[64];
static bool fifo_source;
#define EXPECT(what, condition)                                                                    \
	((condition) ? (void)passed++                                                              \
		     : (void)(failed++,                                                            \
			       printf("FAILED %s: %s (line %d)\n", backend, what, __LINE__)))

static int open_descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/dev/fd");
	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#define PACKETS 20000u
#define MOST_LENGTH 1460u
#define PUSHED_AT_ONCE 100u

static uint32_t contract_length(uint32_t i)
{
	return 60 + i * 37 % 1400;
}

static uint8_t contract_byte(uint32_t i, uint32_t j)
{
	return (uint8_t)(i * 7 + j);
}

/* Pushes packets of two link types and every direction, and ends pushing.  The bytes repeat every
 * 256 packets. */
static void *feed_push(void *device)
{
	static uint8_t bytes[256][MOST_LENGTH];
	struct bpe_packet packets[PUSHED_AT_ONCE];

	for (uint32_t i = 0; i < 256; i++)
		for (uint32_t j = 0; j < MOST_LENGTH; j++)
			bytes[i][j] = contract_byte(i, j);
	for (uint32_t first = 0; first < PACKETS; first += PUSHED_AT_ONCE) {
		const struct bpei_push_input in = { packets, PUSHED_AT_ONCE, sizeof *packets,
			sizeof(struct bpe_meta) };
		for (uint32_t k = 0; k < PUSHED_AT_ONCE; k++) {
			const uint32_t i = first + k;
			packets[k] = (struct bpe_packet){ .data = bytes[i & 255],
				.time_ns = (int64_t)i * 1000,
				.caplen = contract_length(i),
				.wirelen = contract_length(i),
				.interface_id = i % 3,
				.link_type = i % 3000 < 1000 ? 101 : -1,
				.direction = i % 3 };
		}
		if (bpei_push_put(device, &in, -1, NULL) != (int)PUSHED_AT_ONCE)
			return NULL; /* the device is being closed */
	}
	bpei_push_finish(device, BPEI_PUSH_ENDED, NULL);
	return NULL;
}

static void *feed_fifo(void *unused)
{
	char buffer[1000];
	int from = open(path, O_RDONLY);
	int to = open(fifo, O_WRONLY);
	for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
		if (write(to, buffer, (size_t)n) < 0)
			break;
	close(from), close(to);
	return unused;
}

static pthread_t feeder;

static struct bpei_device *open_contract_device(struct bpe_options o)
{
	struct bpei_device *d = NULL;
	struct bpe_error e = { 0 };
	if (fifo_source && pthread_create(&feeder, NULL, feed_fifo, NULL))
		return NULL;
	if (bpei_device_open(&o, &d, &e) < 0) {
		printf("%s: %s\n", backend, e.text);
		return NULL;
	}
	if (o.push && pthread_create(&feeder, NULL, feed_push, d)) {
		bpei_device_close(d);
		return NULL;
	}
	return d;
}

static void close_device(struct bpei_device *d, const struct bpe_options *o)
{
	if (o->push) { /* no thread pushes into a closed device */
		bpei_push_finish(d, BPEI_PUSH_OVER, NULL);
		pthread_join(feeder, NULL);
	}
	bpei_device_close(d);
	if (fifo_source)
		pthread_join(feeder, NULL);
}

static void *wake_soon(void *device)
{
	struct bpei_device *d = device;
	bpei_clock_sleep_ns(20000000);
	d->ops->wake(d);
	return NULL;
}

#define BLOCKS 3u
struct read_result {
	uint64_t packets, bytes, check;
	int end;
	bool wrong;
};

static bool check_inside(const struct bpei_block *b, const uint8_t *p, uint32_t n)
{
	return p >= b->bytes && p + n <= b->bytes + b->length;
}

/* Fills the block.  Stores in *wrong whether a fill without packets changed the block. */
static int fill_block(struct bpei_device *d, struct bpei_block *b, bool *wrong) BPEI_READER
{
	const struct bpei_block before = *b;
	const int r = bpei_device_fill(d, b, 1000000000, NULL);
	const bool same = b->bytes == before.bytes && b->length == before.length &&
			  b->stop_offset == before.stop_offset && b->position == before.position &&
			  b->device_data == before.device_data;

	*wrong |= r <= 0 && !same;
	return r;
}

/* Walks all packets of the device, at most `max` a walk, with several blocks out at a time. Returns
 * a checksum of all results. */
static struct read_result read_all(
	struct bpei_device *d, struct bpei_columns *c, uint32_t max) BPEI_READER
{
	struct read_result r = { .check = 1469598103934665603u };
	struct bpei_block blocks[BLOCKS] = { { 0 } };
	uint64_t sums[BLOCKS] = { 0 };
	const uint8_t *kept[BLOCKS] = { NULL };
	uint32_t kept_length[BLOCKS] = { 0 };
	uint32_t out = 0;
	uint32_t first = 0;
	uint32_t most = d->max_blocks_in_flight < BLOCKS ? d->max_blocks_in_flight : BLOCKS;
	for (uint32_t i = 0; i < BLOCKS && !d->maps_blocks; i++) {
		blocks[i].memory_bytes = d->block_bytes;
		blocks[i].memory = malloc(d->block_bytes);
	}
	for (;;) {
		if (out == most) { /* the oldest block goes back; the packets must not have changed
				      since */
			uint64_t sum = 0;
			for (uint32_t j = 0; j < kept_length[first]; j++)
				sum = sum * 31 + kept[first][j];
			r.wrong |= sum != sums[first];
			bpei_device_done(d, &blocks[first]);
			first = (first + 1) % BLOCKS;
			out--;
		}
		uint32_t at = (first + out) % BLOCKS, n;
		struct bpei_block *b = &blocks[at];
		r.end = fill_block(d, b, &r.wrong);
		if (r.end < 0)
			break;
		if (!r.end)
			continue;
		out++;
		sums[at] = kept_length[at] = 0;
		while ((n = bpei_device_walk(d, b, c, max))) {
			r.wrong |= n > max;
			for (uint32_t i = 0; i < n; i++) {
				r.wrong |= (c->outgoing[i] & ~BPE_PKT_OUTGOING) ||
					   !check_inside(b, c->data[i], c->caplen[i]);
				uint64_t sum = 0;
				for (uint32_t j = 0; j < c->caplen[i]; j++)
					sum = sum * 31 + c->data[i][j];
				if (!kept_length[at]) {
					kept[at] = c->data[i];
					kept_length[at] = c->caplen[i];
					sums[at] = sum;
				}
				r.check = (r.check ^ sum ^ (uint64_t)c->time_ns[i] ^ c->wirelen[i] ^
						  b->link_type) *
					  1099511628211u;
				r.bytes += c->caplen[i];
				c->outgoing[i] = 0xff; /* the next walk has to write it */
			}
			r.packets += n;
		}
	}
	for (; out; out--, first = (first + 1) % BLOCKS)
		bpei_device_done(d, &blocks[first]);
	r.wrong |= bpei_device_fill(d, &blocks[0], 0, NULL) != r.end;
	for (uint32_t i = 0; i < BLOCKS; i++)
		free(blocks[i].memory);
	return r;
}

/* Checks an open that fails: by a wrong name, by a torn header in memory, or by a wrong link type
 * of pushed packets, since these have no name. */
static void check_failed_open(struct bpe_options o)
{
	struct bpe_error e = { 0 };
	struct bpei_device *untouched = NULL;

	if (o.push)
		o.link_type = 65536;
	else if (o.memory)
		o.memory_bytes = 23; /* a part of the header */
	else if (o.file)
		o.file = "/nonexistent/file";
	else
		o.interface_name = "synth:nonsense";
	EXPECT("a failed open says why and leaves its output alone",
		bpei_device_open(&o, &untouched, &e) < 0 && e.text[0] && !untouched);
}

/* Checks a source with an end.  Returns the checksum of the packets. */
static uint64_t check_finite_source(
	const char *name, struct bpe_options o, uint64_t packets) BPEI_READER
{
	struct bpei_columns c;
	struct bpei_device *d;
	struct read_result first = { 0 };
	int before = open_descriptors();
	backend = name;
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(1);
	static const uint32_t maxima[] = { 64, 1, 7, 63 };
	for (int i = 0; i < 4; i++) {
		d = open_contract_device(o);
		EXPECT("opens", d != NULL);
		if (!d)
			return 0;
		EXPECT("says what it is", d->source[0] && d->max_blocks_in_flight &&
						  (d->maps_blocks || d->block_bytes >= 4096));
		struct read_result r = read_all(d, &c, maxima[i]);
		EXPECT("ends, and says so again", r.end == BPE_E_END);
		EXPECT("walks inside its block, at most max, flags written, older blocks unchanged",
			!r.wrong);
		EXPECT("gives every packet", r.packets == packets);
		if (!i)
			first = r;
		EXPECT("gives the same whatever max is",
			r.check == first.check && r.bytes == first.bytes);
		bpei_device_stats(d);
		close_device(d, &o);
	}
	struct bpe_options cut = o;
	cut.snaplen = 50;
	d = open_contract_device(cut);
	struct read_result r = read_all(d, &c, 64);
	EXPECT("cuts to the snapshot length",
		r.packets == packets && r.bytes < first.bytes && r.bytes <= 50 * packets);
	close_device(d, &o);
	d = open_contract_device(o);
	d->ops->wake(d);
	d->ops->wake(d);
	r = read_all(d, &c, 64);
	EXPECT("loses nothing by being woken", r.packets == packets && r.check == first.check);
	close_device(d, &o);
	if (!fifo_source) {
		d = open_contract_device(o);
		close_device(d, &o);
		check_failed_open(o);
	}
	EXPECT("leaves no descriptor behind", open_descriptors() == before);
	bpei_columns_free(&c, BPE_BATCH);
	return first.check;
}

/* Checks time-outs and wake-ups of sources that wait. */
static void check_waiting_source(const char *name, struct bpe_options o) BPEI_READER
{
	struct bpei_block b = { .memory = NULL };
	struct bpei_columns c;
	struct bpe_error e = { 0 };
	struct bpei_device *d = NULL;
	pthread_t t;
	int r, before = open_descriptors();
	backend = name;
	r = bpei_device_open(&o, &d, &e);
	if (r == BPE_E_RIGHTS || r == BPE_E_UNSUPPORTED) {
		printf("SKIP: %s: %s\n", name, e.text);
		skipped++;
		return;
	}
	EXPECT("opens", r == BPE_OK);
	if (r < 0 || bpei_columns_new(&c, BPE_BATCH) < 0)
		return;
	if (!d->maps_blocks) {
		b.memory_bytes = d->block_bytes;
		b.memory = malloc(b.memory_bytes);
	}
	for (int quiet = 0; quiet < 3;) { /* packets there already */
		r = bpei_device_fill(d, &b, 100000000, &e);
		if (r <= 0) {
			quiet = r ? 3 : quiet + 1;
			continue;
		}
		while (bpei_device_walk(d, &b, &c, 64))
			continue;
		bpei_device_done(d, &b);
		quiet++;
	}
	EXPECT("is live", d->live && r >= 0);
	r = bpei_device_fill(d, &b, 0, &e);
	EXPECT("does not wait with time-out 0", r >= 0);
	if (r > 0)
		bpei_device_done(d, &b);
	pthread_create(&t, NULL, wake_soon, d);
	r = bpei_device_fill(
		d, &b, 20000000000, &e); /* 20 s: only the wake-up can end it in time */
	EXPECT("is woken", r >= 0);
	if (r > 0)
		bpei_device_done(d, &b);
	pthread_join(t, NULL);
	bpei_device_stats(d);
	bpei_device_close(d);
	free(b.memory);
	bpei_columns_free(&c, BPE_BATCH);
	EXPECT("leaves no descriptor behind", open_descriptors() == before);
}

static void write_contract_savefile(uint32_t packets)
{
	FILE *f = fopen(path, "wb");
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zero[2], snaplen, link_type;
	} header = { 0xa1b2c3d4, 2, 4, { 0 }, 65535, 1 };
	if (!f)
		exit(1);
	fwrite(&header, sizeof header, 1, f);
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t length = contract_length(i);
		uint32_t record[4] = { 1700000000 + i / 1000, i % 1000, length, length };
		fwrite(record, sizeof record, 1, f);
		for (uint32_t j = 0; j < length; j++)
			putc(contract_byte(i, j), f);
	}
	fclose(f);
}

/* Checks the savefile in memory.  The packets are the same as from the file. */
static void check_memory(struct bpe_options o, uint64_t check) BPEI_READER
{
	struct stat st;
	const int fd = open(o.file, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		exit(1);
	void *bytes = malloc((size_t)st.st_size);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != (ssize_t)st.st_size)
		exit(1);
	close(fd);
	o.file = NULL;
	o.memory = bytes;
	o.memory_bytes = (size_t)st.st_size;
	EXPECT("gives the packets of the file",
		check_finite_source("savefile in memory", o, PACKETS) == check);
	o.block_bytes = 4096;
	EXPECT("gives the packets of the file",
		check_finite_source("savefile in memory, small blocks", o, PACKETS) == check);
	free(bytes);
}

/* Checks pushed packets in the default buffer and the least, and a wait without packets. */
static void check_push(struct bpe_options o) BPEI_READER
{
	o.push = true;
	const uint64_t check = check_finite_source("push", o, PACKETS);
	o.buffer_bytes = 1;
	EXPECT("gives the same whatever the buffer is",
		check_finite_source("push, least buffer", o, PACKETS) == check);
	o.push_live = true;
	check_waiting_source("push, live", o);
}

int main(void)
{
	struct bpe_options o;
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof path, "/tmp/bpe-contract-%ld.pcap", (long)getpid());
	snprintf(fifo, sizeof fifo, "/tmp/bpe-contract-%ld.fifo", (long)getpid());
	write_contract_savefile(PACKETS);
	if (mkfifo(fifo, 0600))
		return 1;
	bpei_role_enter(&bpei_reader_role);
	bpe_options_init(&o);
	o.interface_name = "synth:count=20000,flows=100";
	check_finite_source("synth", o, PACKETS);
	o.interface_name = NULL;
	o.file = path;
	const uint64_t check = check_finite_source("savefile", o, PACKETS);
	check_memory(o, check);
	o.block_bytes = 4096;
	check_finite_source("savefile, small blocks", o, PACKETS);
	o.block_bytes = 0;
	o.file = fifo;
	fifo_source = true;
	check_finite_source("savefile, pipe", o, PACKETS);
	fifo_source = false;
	o.file = NULL;
	check_push(o);
	o.interface_name = "synth:rate=2";
	check_waiting_source("synth with a rate", o);
	o.interface_name = "lo";
	check_waiting_source("live on lo", o);
	bpei_role_leave(&bpei_reader_role);
	unlink(path);
	unlink(fifo);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}
