/* SPDX-License-Identifier: MIT */
/* Files of a writer by size, packets and a clock of the test's own. */
#include "../../support/write_case.h"

#include "bpfengine.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#define HOUR (3600 * CASE_S)
#define NOON (INT64_C(1720958400) * CASE_S) /* 2024-07-14 12:00:00 UTC */
#define MOST_FILES 64

/* The files told by on_file, and the clock. */
static struct rotation {
	_Atomic int64_t now_ns;
	_Atomic int files;
	char names[MOST_FILES][64];
	uint64_t packets[MOST_FILES], bytes[MOST_FILES];
	uint64_t all_packets;
} rotation;

static int64_t tell_time(void *user)
{
	(void)user;
	return atomic_load(&rotation.now_ns);
}

static void note_file(void *user, const struct bpe_written_file *file)
{
	const int at = atomic_load(&rotation.files);

	(void)user;
	cr_assert_lt(at, MOST_FILES);
	snprintf(rotation.names[at], sizeof rotation.names[at], "%s", file->name);
	rotation.packets[at] = file->packets;
	rotation.bytes[at] = file->file_bytes;
	rotation.all_packets += file->packets;
	atomic_store(&rotation.files, at + 1);
}

static void begin_rotation(void)
{
	setenv("TZ", "UTC", 1);
	case_begin();
	memset(&rotation, 0, sizeof rotation);
	atomic_store(&rotation.now_ns, NOON + 600 * CASE_S);
}

TestSuite(rotation, .init = begin_rotation, .fini = case_end, .timeout = 550);

static struct bpe_writer_options rotation_options(const char *path)
{
	struct bpe_writer_options o;

	bpe_writer_options_init(&o);
	o.path = path;
	o.directory = write_case.directory;
	o.no_thread = true;
	o.now = tell_time;
	o.on_file = note_file;
	return o;
}

static struct bpe_writer *open_rotation(const struct bpe_writer_options *o)
{
	struct bpe_writer *writer = NULL;
	struct bpe_error error = { 0 };

	cr_assert_eq(bpe_writer_open(o, &writer, &error), BPE_OK, "%s", error.text);
	return writer;
}

static int offer_sized_packet(struct bpe_writer *writer, uint32_t bytes)
{
	static const uint8_t data[4096];
	struct bpe_packet packet;

	bpe_packet_init(&packet);
	packet.data = data;
	packet.caplen = bytes;
	packet.wirelen = bytes;
	packet.time_ns = tell_time(NULL);
	return bpe_writer_packet(writer, &packet, NULL);
}

static void move_clock(struct bpe_writer *writer, int64_t to_ns)
{
	atomic_store(&rotation.now_ns, to_ns);
	cr_expect_eq(bpe_writer_tick(writer), BPE_OK);
}

static void close_rotation(struct bpe_writer *writer)
{
	struct bpe_error error = { 0 };
	struct bpe_written stats;

	cr_expect_eq(bpe_writer_finish(writer, &error), BPE_OK, "%s", error.text);
	bpe_writer_stats(writer, &stats);
	cr_expect_eq(stats.waiting, 0);
	cr_expect_eq(stats.written, rotation.all_packets);
	bpe_writer_close(writer, NULL);
}

Test(rotation, the_clock_ends_a_file_though_no_packet_comes)
{
	struct bpe_writer_options o = rotation_options("%H%M%S.pcapng");

	o.rotate_ns = HOUR;
	struct bpe_writer *writer = open_rotation(&o);
	offer_sized_packet(writer, 100);
	move_clock(writer, NOON + HOUR - 1);
	cr_expect_eq(rotation.files, 0);
	cr_expect(case_has("121000.pcapng.part"));
	move_clock(writer, NOON + HOUR);
	cr_expect_eq(rotation.files, 1);
	cr_expect(case_has("121000.pcapng") && !case_has("121000.pcapng.part"));
	move_clock(writer, NOON + 5 * HOUR);
	cr_expect_eq(rotation.files, 1, "hours without packets make no files");
	move_clock(writer, NOON + 5 * HOUR + 60 * CASE_S);
	offer_sized_packet(writer, 100);
	move_clock(writer, NOON + 6 * HOUR);
	cr_expect_eq(rotation.files, 2);
	cr_expect_str_eq(rotation.names[1], "170100.pcapng");
	offer_sized_packet(writer, 100);
	close_rotation(writer);
	cr_expect_eq(rotation.files, 3);
	cr_expect_str_eq(rotation.names[2], "180000.pcapng");
	struct case_found found = { 0 };
	case_each(read_found, &found);
	cr_expect(found.files == 3 && !found.torn);
}

Test(rotation, tcpdumps_time_counts_from_the_file)
{
	struct bpe_writer_options o = rotation_options("%H%M%S");

	o.rotate_ns = HOUR;
	o.rotate_from_start = true;
	o.names = BPE_NAMES_TCPDUMP;
	struct bpe_writer *writer = open_rotation(&o);
	offer_sized_packet(writer, 100);
	move_clock(writer, NOON + 600 * CASE_S + HOUR - 1);
	cr_expect_eq(rotation.files, 0);
	move_clock(writer, NOON + 600 * CASE_S + HOUR);
	cr_expect_eq(rotation.files, 1);
	close_rotation(writer);
}

Test(rotation, no_file_is_longer_than_said)
{
	static const uint32_t formats[] = { BPE_WRITE_PCAPNG, BPE_WRITE_PCAP };

	for (int f = 0; f < 2; f++) {
		struct bpe_writer_options o = rotation_options("x-%N");
		begin_rotation();
		o.directory = write_case.directory;
		o.format = formats[f];
		o.rotate_bytes = 10000;
		struct bpe_writer *writer = open_rotation(&o);
		for (uint32_t i = 0; i < 300; i++)
			cr_expect_eq(offer_sized_packet(writer, 60 + i * 37 % 1400), BPE_OK);
		close_rotation(writer);
		cr_expect_eq(rotation.all_packets, 300);
		cr_expect(rotation.files > 20 && rotation.files < MOST_FILES);
		for (int i = 0; i < rotation.files; i++) {
			cr_expect_leq(rotation.bytes[i], 10000);
			cr_expect(i == rotation.files - 1 || rotation.bytes[i] > 8000, "%d", i);
		}
		if (!f)
			case_end();
	}
}

Test(rotation, the_first_limit_counts)
{
	struct bpe_writer_options o = rotation_options("x-%N");

	o.rotate_bytes = 10000;
	o.rotate_packets = 5;
	o.rotate_ns = HOUR;
	struct bpe_writer *writer = open_rotation(&o);
	for (int i = 0; i < 12; i++)
		offer_sized_packet(writer, 60);
	for (int i = 0; i < 4; i++)
		offer_sized_packet(writer, 4000);
	move_clock(writer, NOON + HOUR);
	offer_sized_packet(writer, 60);
	close_rotation(writer);
	static const uint64_t packets[] = { 5, 5, 4, 2, 1 };
	cr_assert_eq(rotation.files, 5);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(rotation.packets[i], packets[i], "file %d", i + 1);
}

Test(rotation, a_program_ends_a_file_when_it_likes)
{
	struct bpe_writer_options o = rotation_options("x-%N");

	o.rotate_bytes = UINT64_C(1) << 30;
	struct bpe_writer *writer = open_rotation(&o);
	offer_sized_packet(writer, 60);
	cr_expect_eq(bpe_writer_rotate(writer), BPE_OK);
	cr_expect_eq(rotation.files, 1);
	cr_expect_eq(bpe_writer_rotate(writer), BPE_OK);
	cr_expect_eq(rotation.files, 1, "no file is open");
	offer_sized_packet(writer, 60);
	offer_sized_packet(writer, 60);
	close_rotation(writer);
	cr_expect(rotation.files == 2 && rotation.packets[1] == 2);
}

Test(rotation, after_so_many_files_the_writer_ends)
{
	struct bpe_writer_options o = rotation_options("x-%N");
	int answer = BPE_OK;

	o.rotate_packets = 2;
	o.stop_files = 3;
	struct bpe_writer *writer = open_rotation(&o);
	for (int i = 0; i < 20 && answer == BPE_OK; i++)
		answer = offer_sized_packet(writer, 60);
	cr_expect_eq(answer, BPE_E_END);
	close_rotation(writer);
	cr_expect(rotation.files == 3 && rotation.all_packets == 6);
}

Test(rotation, a_clock_that_is_set_back_begins_a_file)
{
	struct bpe_writer_options o = rotation_options("%H%M%S");

	o.rotate_ns = HOUR;
	struct bpe_writer *writer = open_rotation(&o);
	offer_sized_packet(writer, 60);
	move_clock(writer, NOON);
	cr_expect_eq(rotation.files, 0);
	move_clock(writer, NOON - 5 * HOUR);
	cr_expect_eq(rotation.files, 1);
	offer_sized_packet(writer, 60);
	close_rotation(writer);
	cr_expect_str_eq(rotation.names[1], "070000");
}

/* Waits for a file of a writer's own thread. */
static void wait_for_files(int count)
{
	while (atomic_load(&rotation.files) < count)
		usleep(2000);
}

Test(rotation, the_writers_thread_looks_at_the_clock)
{
	struct bpe_writer_options o = rotation_options("%H%M%S");

	o.no_thread = false;
	o.rotate_ns = HOUR;
	struct bpe_writer *writer = open_rotation(&o);
	cr_expect_eq(offer_sized_packet(writer, 60), BPE_OK);
	atomic_store(&rotation.now_ns, NOON + HOUR + 1);
	wait_for_files(1);
	cr_expect_eq(offer_sized_packet(writer, 60), BPE_OK);
	atomic_store(&rotation.now_ns, NOON + 2 * HOUR);
	wait_for_files(2);
	close_rotation(writer);
	cr_expect_str_eq(rotation.names[0], "121000");
	cr_expect_str_eq(rotation.names[1], "130000");
}
