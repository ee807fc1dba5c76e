/* SPDX-License-Identifier: MIT */
/* A writer with a flight recorder: numbered packets, under a clock of the test's own.  A file has
 * the last packets before the trigger and the packets within the time behind, without a gap. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define MIB (1u << 20)
#define FILES 8

static char folder[64];
static int64_t clock_ns;
static struct bpe_writer *writer;
static uint32_t next_number;

/* A file after reading: the numbers of the first and last packet. */
struct recorded {
	uint32_t first, last, packets;
};

static int64_t tell_clock(void *user)
{
	(void)user;
	return clock_ns;
}

static void open_recorder(const char *name, uint64_t bytes, int64_t ns, bool has_clock)
{
	struct bpe_writer_options o;
	struct bpe_error error;
	char path[128];

	strcpy(folder, "/tmp/bpfengine_recorder_XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/%s", folder, name);
	bpe_writer_options_init(&o);
	o.path = path;
	o.recorder_bytes = bytes;
	o.recorder_ns = ns;
	o.packet_clock = o.wait = !has_clock;
	o.no_thread = has_clock;
	o.now = has_clock ? tell_clock : NULL;
	next_number = 0;
	cr_assert_eq(bpe_writer_open(&o, &writer, &error), BPE_OK, "%s", error.text);
}

/* Offers n packets of 1,000 bytes, a millisecond apart, with their number in front. */
static void offer_packets(uint32_t n)
{
	uint8_t data[1000] = { 0 };
	struct bpe_packet packet;

	bpe_packet_init(&packet);
	packet.data = data;
	packet.caplen = packet.wirelen = sizeof data;
	for (; n; n--, next_number++) {
		memcpy(data, &next_number, sizeof next_number);
		packet.time_ns = clock_ns = next_number * MS;
		cr_assert_eq(bpe_writer_packet(writer, &packet, NULL), BPE_OK);
	}
}

/* Checks the books, closes the writer, and returns the counters. */
static struct bpe_written close_recorder(void)
{
	struct bpe_written s;
	struct bpe_error error;
	uint64_t unwritten = 0;

	cr_assert_eq(bpe_writer_finish(writer, &error), BPE_OK, "%s", error.text);
	bpe_writer_stats(writer, &s);
	cr_assert_eq(bpe_writer_close(writer, &error), BPE_OK, "%s", error.text);
	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		unwritten += s.unwritten[k];
	cr_expect_eq(s.offered, next_number);
	cr_expect_eq(s.offered, s.written + unwritten);
	cr_expect_eq(unwritten, s.unwritten[BPE_UNWRITTEN_RECORDER]);
	cr_expect_eq(s.waiting, 0);
	return s;
}

/* Reads a file.  The packets must have numbers without a gap. */
static struct recorded read_recorded(const char *name)
{
	struct bpe_options options;
	struct bpe_capture *capture = NULL;
	struct bpe_batch b;
	struct bpe_error error = { .status = BPE_OK };
	struct recorded r = { .packets = 0 };
	char path[400];
	int n;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	bpe_options_init(&options);
	options.file = path;
	cr_assert_eq(bpe_capture_open(&options, &capture, &error), BPE_OK, "%s", error.text);
	while ((n = bpe_capture_next(capture, &b, -1, &error)) > 0)
		for (uint32_t i = 0; i < b.count; i++) {
			uint32_t number;

			memcpy(&number, b.data[i], sizeof number);
			cr_assert_eq(b.time_ns[i], number * MS);
			cr_assert(
				!r.packets || number == r.last + 1, "%u behind %u", number, r.last);
			if (!r.packets)
				r.first = number;
			r.last = number;
			r.packets++;
		}
	cr_assert_eq(n, BPE_E_END, "%s", error.text);
	bpe_capture_close(capture);
	return r;
}

/* Removes the folder.  Returns the number of files. */
static int remove_recorded(void)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[400];
	int files = 0;

	cr_assert_not_null(d);
	while ((entry = readdir(d))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		cr_expect_eq(unlink(path), 0);
		files++;
	}
	closedir(d);
	cr_expect_eq(rmdir(folder), 0);
	return files;
}

Test(recording, the_last_seconds)
{
	struct recorded r;

	open_recorder("x.pcapng", 0, 1600 * MS, false);
	offer_packets(10000); /* 0 to 9.999 s */
	cr_expect_eq(bpe_writer_trigger(writer, 500 * MS), BPE_OK);
	offer_packets(10000);
	const struct bpe_written s = close_recorder();

	r = read_recorded("x_00001.pcapng");
	cr_expect_eq(r.last, 10499);
	cr_expect(r.first <= 9999 - 1600 && r.first >= 9999 - 1600 - 101, "%u", r.first);
	cr_expect_eq(s.written, r.packets);
	cr_expect_eq(s.files, 1);
	cr_expect_eq(remove_recorded(), 1);
}

Test(recording, the_last_bytes)
{
	const uint32_t block = 1032;
	struct recorded r;

	open_recorder("x.pcapng", 8 * MIB, 0, false);
	offer_packets(50000);
	cr_expect_eq(bpe_writer_trigger(writer, 0), BPE_OK);
	offer_packets(50000);
	const struct bpe_written s = close_recorder();

	r = read_recorded("x_00001.pcapng");
	cr_expect_eq(r.last, 49999);
	cr_expect_leq(r.packets * block, 8 * MIB);
	cr_expect_geq(r.packets * block, 7 * MIB - 8 * block, "%u packets", r.packets);
	/* a MiB for the head, and packets that waited for the file */
	cr_expect_leq(s.memory_peak, (8 + 1 + 64) * MIB);
	cr_expect_eq(remove_recorded(), 1);
}

Test(recording, holds_no_more_than_its_memory)
{
	struct bpe_written s;

	open_recorder("x.pcapng", 8 * MIB, 0, false);
	offer_packets(50000);
	bpe_writer_stats(writer, &s);
	cr_expect_leq(s.memory_peak, 9 * MIB, "%llu", (unsigned long long)s.memory_peak);
	cr_expect_leq(s.waiting * 1032, 8 * MIB);
	s = close_recorder(); /* never triggered: no file */
	cr_expect_eq(s.unwritten[BPE_UNWRITTEN_RECORDER], 50000);
	cr_expect_eq(s.files, 0);
	cr_expect_eq(remove_recorded(), 0);
}

Test(recording, arms_again)
{
	struct recorded r[3];
	uint64_t packets = 0;

	open_recorder("x.pcap", 0, 1000 * MS, false);
	for (int k = 0; k < 3; k++) {
		offer_packets(5000);
		cr_expect_eq(bpe_writer_trigger(writer, 100 * MS), BPE_OK);
		offer_packets(50);
		cr_expect_eq(bpe_writer_trigger(writer, 100 * MS), BPE_OK); /* the file goes on */
		offer_packets(950);
	}
	const struct bpe_written s = close_recorder();

	r[0] = read_recorded("x_00001.pcap");
	r[1] = read_recorded("x_00002.pcap");
	r[2] = read_recorded("x_00003.pcap");
	for (uint32_t k = 0; k < 3; k++) {
		cr_expect_eq(r[k].last, 6000 * k + 5000 + 49 + 100, "%u", r[k].last);
		cr_expect(r[k].first <= 6000 * k + 4000, "%u", r[k].first);
		packets += r[k].packets;
	}
	cr_expect_eq(s.written, packets);
	cr_expect_eq(remove_recorded(), 3);
}

Test(recording, a_file_ends_by_the_clock)
{
	struct recorded r;
	struct bpe_written s;

	open_recorder("x.pcapng", 0, 1000 * MS, true);
	offer_packets(3000);
	cr_expect_eq(bpe_writer_trigger(writer, 2000 * MS), BPE_OK);
	offer_packets(100);
	clock_ns += 2000 * MS; /* no packets come */
	cr_expect_eq(bpe_writer_tick(writer), BPE_OK);
	r = read_recorded("x_00001.pcapng"); /* is complete already */
	cr_expect_eq(r.last, 3099);
	cr_expect_leq(r.first, 2000);
	offer_packets(100);
	clock_ns += 1000 * MS * 60; /* the kept packets grow too old */
	cr_expect_eq(bpe_writer_tick(writer), BPE_OK);
	cr_expect_eq(bpe_writer_trigger(writer, 0), BPE_OK);
	next_number += 70000;
	offer_packets(1);
	next_number -= 70000;
	s = close_recorder();
	cr_expect_eq(s.files, 2);
	cr_expect_eq(remove_recorded(), 2);
}

Test(recording, wrong_calls)
{
	struct bpe_writer_options o;
	struct bpe_error error;

	open_recorder("x.pcapng", 8 * MIB, 0, false);
	cr_expect_eq(bpe_writer_trigger(writer, -1), BPE_E_ARGUMENT);
	close_recorder();
	remove_recorded();
	bpe_writer_options_init(&o);
	o.path = "x";
	o.recorder_bytes = 8 * MIB;
	o.rotate_bytes = 1;
	cr_expect_eq(bpe_writer_open(&o, &writer, &error), BPE_E_ARGUMENT);
	o.rotate_bytes = 0;
	o.recorder_ns = -1;
	cr_expect_eq(bpe_writer_open(&o, &writer, &error), BPE_E_ARGUMENT);
}
