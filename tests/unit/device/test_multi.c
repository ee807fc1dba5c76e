/* SPDX-License-Identifier: MIT */
/* Several sources through the device contract and the engine: order, interfaces, filters, blocks
 * in flight, ends of single sources, silent sources. */
#include "device/device.h"
#include "filebuild.h"

#include "records/batch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 3
#define MOST 4096
#define MICRO 0xa1b2c3d4u
enum { ETHERNET = 1, RAW = 101 };

static char path[FILES][64];
static struct bpe_source sources[FILES];
static struct bpe_options options;
static char notices[2048];

static void on_notice(void *user, const char *text)
{
	(void)user;
	strncat(notices, text, sizeof notices - strlen(notices) - 2);
	strcat(notices, "\n");
}

static void name_files(void)
{
	notices[0] = 0;
	bpe_options_init(&options);
	options.on_notice = on_notice;
	options.sources = sources;
	options.source_count = FILES;
	for (int k = 0; k < FILES; k++) {
		snprintf(path[k], sizeof path[k], "/tmp/bpe-multi-%ld-%d", (long)getpid(), k);
		sources[k] =
			(struct bpe_source){ .struct_size = sizeof sources[k], .file = path[k] };
	}
}

static void unlink_sources(void)
{
	for (int k = 0; k < FILES; k++)
		unlink(path[k]);
}
TestSuite(multi, .init = name_files, .fini = unlink_sources);

static void write_source_image(int k, const void *bytes, size_t length)
{
	FILE *f = fopen(path[k], "wb");

	cr_assert(f);
	cr_assert_eq(fwrite(bytes, 1, length, f), length);
	fclose(f);
}

/* Writes a pcap file of n packets, a second apart, the first at `begin`; the packets' bytes are
 * numbers of the packets. */
static void write_pcap(int k, uint32_t link_type, uint32_t begin, uint32_t step, uint32_t n)
{
	static struct image f;

	f = (struct image){ .big = false };
	pcap_header(&f, MICRO, 4, 65535, link_type);
	for (uint32_t i = 0; i < n; i++) {
		put_number(&f, begin + i * step, 4);
		put_number(&f, 0, 4);
		put_number(&f, 60, 4);
		put_number(&f, 60, 4);
		put_bytes(&f, 60, (uint8_t)i);
	}
	write_source_image(k, f.bytes, f.length);
}

/* Everything read. */
struct seen {
	uint32_t packets;
	int64_t time_ns[MOST];
	uint32_t link_type[MOST], interface_id[MOST];
	uint8_t byte[MOST];
	int end;
	struct bpe_error error;
};

static void note_packets(
	struct seen *s, const struct bpei_columns *c, uint32_t n, uint32_t link_type)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t k = s->packets++;

		cr_assert_lt(k, MOST);
		s->time_ns[k] = c->time_ns[i];
		s->link_type[k] = link_type;
		s->interface_id[k] = c->interface_id[i];
		s->byte[k] = c->data[i][0];
		for (uint32_t j = 1; j < c->caplen[i]; j++)
			cr_assert_eq(c->data[i][j], c->data[i][0]);
	}
}

/* Reads all; `max` packets a walk. */
static struct seen *read_sources(uint32_t max)
{
	static struct seen s;
	struct bpei_device *d;
	struct bpei_columns c;
	struct bpei_block b = { .memory = NULL };

	memset(&s, 0, sizeof s);
	s.end = bpei_device_open(&options, &d, &s.error);
	if (s.end < 0)
		return &s;
	cr_assert(d->maps_blocks);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	bpei_role_enter(&bpei_reader_role);
	while ((s.end = bpei_device_fill(d, &b, -1, &s.error)) > 0) {
		uint32_t n;

		while ((n = bpei_device_walk(d, &b, &c, max)))
			note_packets(&s, &c, n, b.link_type);
		bpei_device_done(d, &b);
	}
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), s.end);
	bpei_role_leave(&bpei_reader_role);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
	return &s;
}

Test(multi, savefiles_are_merged_by_time)
{
	static struct image f;

	write_pcap(0, ETHERNET, 10, 2, 20); /* 10, 12 ... 48 */
	write_pcap(1, RAW, 11, 2, 20);      /* 11, 13 ... 49 */
	ng_section(&f, true);
	ng_interface(&f, ETHERNET, 0, -1, 0);
	ng_interface(&f, ETHERNET, 0, -1, 0);
	ng_packet(&f, 6, 1, 5000000, 60, 60);  /* second 5 */
	ng_packet(&f, 6, 0, 11000000, 60, 60); /* second 11: after file 1's */
	ng_packet(&f, 6, 0, 60000000, 60, 60);
	write_source_image(2, f.bytes, f.length);
	for (uint32_t max = 1; max <= BPE_BATCH; max += 21) {
		const struct seen *s = read_sources(max);

		cr_assert_eq(s->end, BPE_E_END);
		cr_assert_eq(s->packets, 43);
		for (uint32_t i = 1; i < s->packets; i++)
			cr_assert_leq(s->time_ns[i - 1], s->time_ns[i]);
		cr_assert_eq(s->interface_id[0], 2); /* files 0 and 1 have 0 and 1 */
		cr_assert_eq(s->interface_id[1], 0);
		cr_assert_eq(s->link_type[2], RAW);
		cr_assert_eq(s->interface_id[2], 1);
		cr_assert_eq(s->time_ns[3], 11000000000);
		cr_assert_eq(s->interface_id[3], 3);
		cr_assert_eq(s->byte[3], 1);
		cr_assert_eq(s->interface_id[42], 3);
	}
}

Test(multi, own_order_of_a_savefile_stays)
{
	static struct image f;

	pcap_header(&f, MICRO, 4, 65535, ETHERNET);
	pcap_packet(&f, 30, 0, 60, 60, 0);
	pcap_packet(&f, 10, 0, 60, 60, 0);
	pcap_packet(&f, 50, 0, 60, 60, 0);
	write_source_image(0, f.bytes, f.length);
	write_pcap(1, ETHERNET, 20, 20, 2); /* 20, 40 */
	write_pcap(2, ETHERNET, 20, 20, 0);
	const struct seen *s = read_sources(BPE_BATCH);
	static const int64_t expected[] = { 20, 30, 10, 40, 50 };

	cr_assert_eq(s->packets, 5);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(s->time_ns[i], expected[i] * 1000000000);
}

/* ---- Blocks ---- */

Test(multi, packets_stay_until_their_block_is_done)
{
	enum { OUT = 12 };
	struct bpei_block blocks[OUT] = { { .memory = NULL } };
	const uint8_t *data[MOST];
	uint8_t byte[MOST];
	struct bpei_device *d;
	struct bpei_columns c;
	uint32_t packets = 0, first = 0, used = 0, n;
	int filled;

	options.block_bytes = 4096; /* a block holds 53 packets */
	for (int k = 0; k < FILES; k++)
		write_pcap(k, ETHERNET, 10 + (uint32_t)k, 3, 200);
	cr_assert_eq(bpei_device_open(&options, &d, NULL), BPE_OK);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	bpei_role_enter(&bpei_reader_role);
	for (;;) {
		if (used == OUT) { /* packets in flight are as they were */
			for (uint32_t i = 0; i < packets; i++)
				cr_assert(!data[i] || *data[i] == byte[i]);
			memset(data, 0, sizeof data);
			for (; used; used--, first++)
				bpei_device_done(d, &blocks[first % OUT]);
		}
		filled = bpei_device_fill(d, &blocks[(first + used) % OUT], 0, NULL);
		if (filled < 0)
			break;
		if (!filled) { /* all blocks of a source are out */
			cr_assert(used);
			memset(data, 0, sizeof data);
			for (; used; used--, first++)
				bpei_device_done(d, &blocks[first % OUT]);
			continue;
		}
		while ((n = bpei_device_walk(d, &blocks[(first + used) % OUT], &c, BPE_BATCH)))
			for (uint32_t i = 0; i < n; i++) {
				data[packets] = c.data[i];
				byte[packets++] = *c.data[i];
			}
		used++;
	}
	bpei_role_leave(&bpei_reader_role);
	cr_assert_eq(filled, BPE_E_END);
	cr_assert_eq(packets, 600);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
}

/* ---- Ends ---- */

Test(multi, torn_savefile_ends_alone)
{
	static struct image f;

	pcap_header(&f, MICRO, 4, 65535, ETHERNET);
	pcap_packet(&f, 10, 0, 60, 60, 0);
	pcap_packet(&f, 11, 0, 60, 60, 0);
	write_source_image(0, f.bytes, f.length - 7);
	write_pcap(1, ETHERNET, 10, 1, 30);
	write_pcap(2, ETHERNET, 10, 1, 30);
	const struct seen *s = read_sources(BPE_BATCH);

	cr_assert_eq(s->end, BPE_E_TORN);
	cr_assert_eq(s->packets, 61);
	cr_assert(strstr(s->error.text, path[0]));
	cr_assert(strstr(notices, "the other sources go on"));
}

Test(multi, savefile_that_cannot_be_opened_is_named)
{
	write_pcap(0, ETHERNET, 10, 1, 1);
	write_source_image(1, "rubbish of no format", 20);
	write_pcap(2, ETHERNET, 10, 1, 1);
	const struct seen *s = read_sources(BPE_BATCH);

	cr_assert_eq(s->end, BPE_E_FORMAT);
	cr_assert(strstr(s->error.text, path[1]));
}

Test(multi, silent_pipe_is_waited_for)
{
	static struct image f;
	struct bpei_device *d;
	struct bpei_block b = { .memory = NULL };
	struct bpei_columns c;
	uint32_t n = 0, all = 0;

	write_pcap(0, ETHERNET, 10, 10, 3);
	options.source_count = 2;
	cr_assert_eq(mkfifo(path[1], 0600), 0);
	const int pipe = open(path[1], O_RDWR);
	pcap_header(&f, MICRO, 4, 65535, ETHERNET);
	cr_assert_eq(write(pipe, f.bytes, f.length), (ssize_t)f.length);
	cr_assert_eq(bpei_device_open(&options, &d, NULL), BPE_OK);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	bpei_role_enter(&bpei_reader_role);
	cr_assert_eq(bpei_device_fill(d, &b, 0, NULL), 0);
	d->ops->wake(d);
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), 0);
	const size_t begin = f.length;
	pcap_packet(&f, 5, 0, 60, 60, 0);
	pcap_packet(&f, 25, 0, 60, 60, 0);
	cr_assert_eq(write(pipe, f.bytes + begin, f.length - begin), (ssize_t)(f.length - begin));
	while (all < 4) { /* 5, 10, 20, 25; the 30 waits for the pipe */
		cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), 1);
		while ((n = bpei_device_walk(d, &b, &c, BPE_BATCH)))
			all += n;
		bpei_device_done(d, &b);
	}
	cr_assert_eq(all, 4);
	close(pipe);
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), 1);
	cr_assert_eq(bpei_device_walk(d, &b, &c, BPE_BATCH), 1);
	cr_assert_eq(c.time_ns[0], 30000000000);
	cr_assert_eq(bpei_device_walk(d, &b, &c, BPE_BATCH), 0);
	bpei_device_done(d, &b);
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), BPE_E_END);
	bpei_role_leave(&bpei_reader_role);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
}

/* ---- Filters ---- */

Test(multi, each_source_has_its_filter)
{
	for (int k = 0; k < FILES; k++)
		write_pcap(k, ETHERNET, 10, 1, 10);
	options.filter_expression = "ether[0] < 3"; /* packets 0, 1, 2 */
	sources[1].filter_expression = "ether[0] > 8";
	const struct seen *s = read_sources(BPE_BATCH);
	uint32_t of[FILES] = { 0 };

	cr_assert_eq(s->end, BPE_E_END);
	for (uint32_t i = 0; i < s->packets; i++)
		of[s->interface_id[i]]++;
	cr_assert_eq(of[0], 3);
	cr_assert_eq(of[1], 1);
	cr_assert_eq(of[2], 3);
}

Test(multi, filter_that_fits_no_link_type_is_refused)
{
	write_pcap(0, RAW, 10, 1, 10);
	write_pcap(1, RAW, 10, 1, 10);
	write_pcap(2, ETHERNET, 10, 1, 10);
	options.filter_expression = "ether src 00:00:00:00:00:00 or ether[0] >= 0";
	cr_assert_eq(read_sources(BPE_BATCH)->packets, 10);
	cr_assert(strstr(notices, "does not fit"));
	options.source_count = 2;
	const struct seen *s = read_sources(BPE_BATCH);
	cr_assert(s->end == BPE_E_ARGUMENT || s->end == BPE_E_UNSUPPORTED);
}

/* ---- The engine ---- */

/* Adds a batch's packets to *user. */
static void sum_batch_packets(void *user, const struct bpe_batch *batch)
{
	*(uint64_t *)user += batch->count;
}

Test(multi, books_of_each_source_sum_up)
{
	static const char *const names[FILES] = { "synth:count=3000",
		"synth:count=2000,rate=100000", "synth:count=1000,rate=50000" };
	struct bpe_interface_stats of[FILES + 1];
	struct bpe_engine *e;
	struct bpe_stats all;
	uint64_t given = 0;

	for (int k = 0; k < FILES; k++) {
		sources[k].file = NULL;
		sources[k].interface_name = names[k];
	}
	options.on_batch = sum_batch_packets;
	options.user = &given;
	options.on_notice = NULL;
	options.workers = 0;
	cr_assert_eq(bpe_engine_open(&options, &e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
	bpe_engine_stats(e, &all);
	cr_assert_eq(bpe_engine_interfaces(e, of, FILES + 1), FILES);
	cr_assert_eq(of[0].read_packets, 3000);
	cr_assert_eq(of[1].read_packets, 2000);
	cr_assert_eq(of[2].read_packets, 1000);
	cr_assert_eq(of[2].status, BPE_E_END);
	cr_assert_str_eq(of[1].name, names[1]);
	cr_assert_eq(of[0].wire_bytes + of[1].wire_bytes + of[2].wire_bytes, all.wire_bytes);
	cr_assert_eq(all.read_packets, 6000);
	cr_assert_eq(given, 6000);
	bpe_engine_close(e);
}

Test(multi, sources_that_cannot_be_are_refused)
{
	struct bpe_engine *e;
	struct bpe_error error;

	write_pcap(0, ETHERNET, 10, 1, 1);
	options.source_count = 2;
	sources[1].file = NULL;
	sources[1].interface_name = "synth";
	cr_assert_eq(bpe_engine_open(&options, &e, &error), BPE_E_ARGUMENT);
	cr_assert(strstr(error.text, "cannot be read together"));
	sources[1].file = path[0];
	cr_assert_eq(bpe_engine_open(&options, &e, &error), BPE_E_ARGUMENT);
	cr_assert(strstr(error.text, "not both"));
	options.file = path[0];
	cr_assert_eq(bpe_engine_open(&options, &e, &error), BPE_E_ARGUMENT);
	options.file = NULL;
	options.source_count = 0;
	cr_assert_eq(bpe_engine_open(&options, &e, &error), BPE_E_ARGUMENT);
}
