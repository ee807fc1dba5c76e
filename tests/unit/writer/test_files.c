/* SPDX-License-Identifier: MIT */
#include "writer/files.h"

#include "../../support/write_case.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>

TestSuite(files, .init = case_begin, .fini = case_end, .timeout = 550);

static struct case_chunk chunk;
static uint32_t next_packet = 1;

static struct bpei_files *open_files(const struct bpei_files_options *options)
{
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };
	const int status = bpei_files_open(&files, options, CASE_S * 1720958477, &error);

	cr_assert_eq(status, BPE_OK, "%s", error.text);
	return files;
}

/* Writes a chunk of n packets, and returns how many were lost. */
static uint32_t write_packets(
	struct bpei_files *files, bool pcapng, uint32_t n, bool starts, bool ends)
{
	chunk_begin(&chunk, pcapng, starts);
	for (uint32_t i = 0; i < n; i++)
		chunk_packet(&chunk, pcapng, next_packet++);
	chunk.chunk.ends_file = ends;
	return bpei_files_write(files, &chunk.chunk);
}

static void expect_found(uint64_t files, uint64_t packets)
{
	struct case_found found = { 0 };

	case_each(read_found, &found);
	cr_expect_eq(found.files, files, "%zu files", (size_t)found.files);
	cr_expect_eq(found.packets, packets, "%zu packets", (size_t)found.packets);
	cr_expect_eq(found.torn, 0);
}

static void expect_mode(const char *name, unsigned mode)
{
	struct stat st;

	cr_assert(!fstatat(write_case.directory, name, &st, 0), "%s", name);
	cr_expect_eq(st.st_mode & 07777, mode, "%o", st.st_mode);
}

Test(files, a_file_has_its_last_name_when_it_is_complete)
{
	struct bpei_files_options o = case_options("x-%N.pcapng");

	o.part = true;
	struct bpei_files *files = open_files(&o);
	cr_expect_eq(write_packets(files, true, 3, true, false), 0);
	cr_expect(case_has("x-00001.pcapng.part") && !case_has("x-00001.pcapng"));
	cr_expect_eq(write_packets(files, true, 2, false, true), 0);
	cr_expect(!case_has("x-00001.pcapng.part") && case_has("x-00001.pcapng"));
	cr_expect_eq(write_packets(files, true, 4, true, false), 0);
	cr_expect(case_has("x-00002.pcapng.part"));
	const struct bpei_files_counts *counts = bpei_files_counts(files);
	cr_expect(counts->files == 2 && counts->packets == 9 && counts->captured_bytes == 540);
	cr_expect_eq(bpei_files_close(files, NULL, NULL), BPE_OK);
	cr_expect_str_eq(write_case.last_name, "x-00002.pcapng");
	cr_expect_eq(write_case.told_packets, 9);
	expect_found(2, 9);
	cr_expect_eq(write_case.open_files, 0);
}

Test(files, files_belong_to_their_owner_alone)
{
	struct bpei_files_options o = case_options("x.pcapng");
	const mode_t before = umask(0);

	o.ledger = true;
	struct bpei_files *files = open_files(&o);
	write_packets(files, true, 1, true, true);
	umask(0777);
	write_packets(files, true, 1, true, true);
	bpei_files_close(files, NULL, NULL);
	umask(before);
	expect_mode("x_00001.pcapng", 0600);
	expect_mode("x_00002.pcapng", 0600);
	expect_mode("x.jsonl", 0600);
}

Test(files, nothing_is_overwritten)
{
	struct bpei_files_options o = case_options("x-%N.pcapng");
	long n = 0;

	case_put("x-00001.pcapng", "theirs");
	case_put("x-00001-2.pcapng", "theirs");
	case_put("x-00001-3.pcapng.part", "theirs");
	o.part = true;
	write_case.link_fails = 2;
	struct bpei_files *files = open_files(&o);
	write_packets(files, true, 5, true, false);
	cr_expect(case_has("x-00001-3.pcapng.part2"));
	bpei_files_close(files, NULL, NULL);
	cr_expect_str_eq(write_case.last_name, "x-00001-5.pcapng", "taken twice meanwhile");
	static const char *const theirs[] = { "x-00001.pcapng", "x-00001-2.pcapng",
		"x-00001-3.pcapng.part" };
	for (size_t i = 0; i < 3; i++) {
		char *text = case_get(theirs[i], &n);
		cr_expect_str_eq(text, "theirs");
		free(text);
	}
}

Test(files, a_plain_name_replaces_a_file_and_keeps_its_mode)
{
	struct bpei_files_options o = case_options("x.pcapng");

	case_put("x.pcapng", "old text that is longer than the packets are, by far ............."
			     "................................................................."
			     ".................................................................");
	o.style = BPEI_NAMES_PLAIN;
	o.replace = true;
	o.at_once = true;
	struct bpei_files *files = open_files(&o);
	expect_mode("x.pcapng", 0644);
	write_packets(files, true, 1, true, false);
	bpei_files_close(files, NULL, NULL);
	expect_found(1, 1);
}

Test(files, a_symbolic_link_is_not_followed)
{
	struct bpei_files_options o = case_options("link.pcapng");
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };
	long n = 0;

	case_put("foreign", "theirs");
	cr_assert(!symlinkat("foreign", write_case.directory, "link.pcapng"));
	o.style = BPEI_NAMES_PLAIN;
	o.replace = true;
	o.at_once = true;
	cr_expect_eq(bpei_files_open(&files, &o, 0, &error), BPE_E_ARGUMENT);
	cr_expect(strstr(error.text, "symbolic link"), "%s", error.text);
	o.part = true;
	o.replace = false;
	o.style = BPEI_NAMES_OWN;
	o.path = "link.pcapng";
	files = open_files(&o);
	bpei_files_close(files, NULL, NULL);
	char *text = case_get("foreign", &n);
	cr_expect_str_eq(text, "theirs");
	free(text);
	cr_expect_eq(write_case.open_files, 0);
}

Test(files, opening_tells_what_is_wrong)
{
	struct bpei_files_options o = case_options("absent/x.pcapng");
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };

	cr_expect_eq(bpei_files_open(&files, &o, 0, &error), BPE_E_ABSENT);
	cr_expect(strstr(error.text, "absent/x.pcapng"), "%s", error.text);
	o.path = "%Y/x.pcapng";
	cr_expect_eq(bpei_files_open(&files, &o, 0, &error), BPE_E_ARGUMENT);
	cr_assert(!mkdirat(write_case.directory, "d", 0700));
	o.path = "d";
	o.style = BPEI_NAMES_PLAIN;
	o.at_once = true;
	o.replace = true;
	cr_expect_lt(bpei_files_open(&files, &o, 0, &error), 0, "a folder is no file");
	o.path = "d/x.pcapng";
	files = open_files(&o);
	cr_expect(case_has("d/x.pcapng"));
	bpei_files_close(files, NULL, NULL);
	cr_expect_str_eq(write_case.last_name, "d/x.pcapng");
	unlinkat(write_case.directory, "d/x.pcapng", 0);
	unlinkat(write_case.directory, "d", AT_REMOVEDIR);
	cr_expect_eq(write_case.open_files, 0);
}

Test(files, a_full_disk_cuts_back_to_the_last_whole_block)
{
	static const bool formats[] = { true, false };

	for (size_t f = 0; f < 2; f++) {
		for (int64_t room = 0; room < 900; room += 7) {
			struct bpei_files_options o = case_options("x-%N");
			case_clear();
			o.pcapng = formats[f];
			o.part = true;
			struct bpei_files *files = open_files(&o);
			write_case.disk_room = room;
			write_case.disk_size = 1000;
			write_case.short_writes = room % 2;
			uint32_t lost = write_packets(files, formats[f], 7, true, false);
			lost += write_packets(files, formats[f], 5, false, false);
			cr_expect_gt(lost, 0);
			const struct bpei_files_counts counts = *bpei_files_counts(files);
			cr_expect_eq(counts.lost, lost);
			cr_expect_eq(counts.packets + lost, 12);
			cr_expect_eq(bpei_files_close(files, NULL, NULL), BPE_E_IO);
			expect_found(counts.files, counts.packets);
			write_case.disk_room = -1;
		}
	}
}

Test(files, writing_goes_on_when_there_is_room_again)
{
	static const bool formats[] = { true, false };

	for (size_t f = 0; f < 2; f++) {
		struct bpei_files_options o = case_options("x-%N");
		case_clear();
		o.pcapng = formats[f];
		struct bpei_files *files = open_files(&o);
		cr_expect_eq(write_packets(files, formats[f], 5, true, false), 0);
		chunk_begin(&chunk, formats[f], false);
		if (formats[f])
			put_interface_block(&chunk);
		cr_expect_eq(bpei_files_write(files, &chunk.chunk), 0);
		write_case.disk_room = 100;
		uint32_t lost = write_packets(files, formats[f], 5, false, false);
		cr_expect(lost > 0 && lost < 5);
		write_case.now_ns += CASE_S / 2;
		write_case.disk_room = -1;
		cr_expect_eq(write_packets(files, formats[f], 2, false, false), 2, "too early");
		write_case.now_ns += CASE_S;
		write_case.disk_room = 1000;
		cr_expect_eq(write_packets(files, formats[f], 2, false, false), 2, "too full");
		write_case.now_ns += CASE_S;
		write_case.disk_room = -1;
		cr_expect_eq(write_packets(files, formats[f], 3, false, false), 0);
		cr_expect_eq(bpei_files_counts(files)->files, 2);
		cr_expect_eq(bpei_files_counts(files)->lost, lost + 4);
		cr_expect(strstr(write_case.notice, "writing again"), "%s", write_case.notice);
		bpei_files_close(files, NULL, NULL);
		expect_found(2, 13 - lost);
	}
}

Test(files, an_error_that_stops_leaves_a_readable_file)
{
	struct bpei_files_options o = case_options("x.pcapng");
	struct bpe_error error = { 0 };

	o.stop_on_error = true;
	struct bpei_files *files = open_files(&o);
	write_packets(files, true, 5, true, false);
	write_case.disk_room = 100;
	write_packets(files, true, 5, false, false);
	cr_expect(bpei_files_stopped(files));
	write_case.disk_room = -1;
	write_case.now_ns += 10 * CASE_S;
	cr_expect_eq(write_packets(files, true, 5, false, false), 5);
	cr_expect_eq(bpei_files_close(files, NULL, &error), BPE_E_IO);
	cr_expect(strstr(error.text, "x_00001.pcapng"), "%s", error.text);
	expect_found(1, 6);
}

Test(files, a_file_too_long_for_its_file_system_goes_on_in_the_next)
{
	struct bpei_files_options o = case_options("x-%N");
	struct bpei_files *files = open_files(&o);

	cr_expect_eq(write_packets(files, true, 5, true, false), 0);
	chunk_begin(&chunk, true, false);
	for (uint32_t i = 0; i < 4; i++)
		chunk_packet(&chunk, true, next_packet++);
	put_interface_block(&chunk);
	write_case.short_writes = 1;
	write_case.fail_at = write_case.calls + 2;
	write_case.fail_with = EFBIG;
	cr_expect_eq(bpei_files_write(files, &chunk.chunk), 0);
	cr_expect_eq(bpei_files_counts(files)->files, 2);
	bpei_files_close(files, NULL, NULL);
	expect_found(2, 9);
}

Test(files, a_file_of_nothing_does_not_stay)
{
	struct bpei_files_options o = case_options("x-%N");
	struct bpei_files *files = open_files(&o);

	write_case.disk_room = 0;
	write_case.disk_size = UINT64_C(1) << 30;
	for (int i = 0; i < 5; i++) {
		cr_expect_eq(write_packets(files, true, 2, true, true), 2);
		write_case.now_ns += 2 * CASE_S;
		cr_expect_eq(case_each(NULL, NULL), 0);
	}
	write_case.disk_room = -1;
	cr_expect_eq(write_packets(files, true, 2, true, true), 0);
	cr_expect(case_has("x-00001"), "numbers are not used up");
	bpei_files_close(files, NULL, NULL);
}

/* ---- Streams ---- */

struct slow_reader {
	int fd;
	useconds_t pause_us;
	uint64_t bytes;
};

static void *read_slowly(void *argument)
{
	struct slow_reader *r = argument;
	char bytes[1000];
	ssize_t n = 0;

	while ((n = read(r->fd, bytes, sizeof bytes)) > 0) {
		r->bytes += (uint64_t)n;
		usleep(r->pause_us);
	}
	return NULL;
}

Test(files, a_slow_pipe_gets_all)
{
	struct bpei_files_options o = case_options("-");
	struct slow_reader reader = { .pause_us = 50 };
	pthread_t thread;
	int ends[2];

	cr_assert(!pipe(ends));
	reader.fd = ends[0];
	cr_assert(!pthread_create(&thread, NULL, read_slowly, &reader));
	o.fd = ends[1];
	struct bpei_files *files = open_files(&o);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(write_packets(files, true, 100, i == 0, false), 0);
	const uint64_t bytes = bpei_files_counts(files)->file_bytes;
	cr_expect_eq(bpei_files_close(files, NULL, NULL), BPE_OK);
	close(ends[1]);
	pthread_join(thread, NULL);
	cr_expect_eq(reader.bytes, bytes);
	cr_expect_eq(bytes, 28 + 20 + 10000 * 92);
	close(ends[0]);
}

Test(files, a_pipe_without_a_reader_ends_the_writer_and_no_program)
{
	struct bpei_files_options o = case_options("-");
	struct bpe_error error = { 0 };
	int ends[2];

	signal(SIGPIPE, SIG_DFL);
	cr_assert(!pipe(ends));
	o.fd = ends[1];
	struct bpei_files *files = open_files(&o);
	cr_expect_eq(write_packets(files, true, 5, true, false), 0);
	close(ends[0]);
	cr_expect_eq(write_packets(files, true, 5, false, false), 5);
	cr_expect(bpei_files_stopped(files));
	cr_expect_eq(write_packets(files, true, 5, false, false), 5);
	cr_expect_eq(bpei_files_status(files, &error), BPE_E_END);
	cr_expect_eq(bpei_files_close(files, NULL, &error), BPE_E_END);
	sigset_t pending;
	sigpending(&pending);
	cr_expect(!sigismember(&pending, SIGPIPE), "no signal is left behind");
	close(ends[1]);
}

Test(files, a_stuck_pipe_can_be_abandoned)
{
	struct bpei_files_options o = case_options("-");
	int ends[2];
	uint32_t lost = 0;

	cr_assert(!pipe(ends));
	o.fd = ends[1];
	struct bpei_files *files = open_files(&o);
	bpei_files_abandon(files);
	write_case.stuck = 1;
	for (int i = 0; i < 100; i++)
		lost += write_packets(files, true, 100, i == 0, false);
	cr_expect(lost > 0 && bpei_files_stopped(files));
	cr_expect_eq(bpei_files_counts(files)->packets + lost, 10000);
	bpei_files_close(files, NULL, NULL);
	close(ends[0]);
	close(ends[1]);
}

Test(files, a_descriptor_of_a_file_is_written_from_where_it_stands)
{
	struct bpei_files_options o = case_options("-");
	long n = 0;

	case_put("foreign", "before");
	o.fd = openat(write_case.directory, "foreign", O_WRONLY);
	lseek(o.fd, 6, SEEK_SET);
	struct bpei_files *files = open_files(&o);
	write_packets(files, true, 2, true, false);
	write_case.disk_room = 50;
	write_packets(files, true, 2, false, false);
	write_case.disk_room = -1;
	write_case.now_ns += 2 * CASE_S;
	cr_expect_eq(write_packets(files, true, 1, false, false), 0);
	bpei_files_close(files, NULL, NULL);
	char *bytes = case_get("foreign", &n);
	cr_expect_eq(n, 6 + 48 + 2 * 92 + 48 + 92, "a section more");
	cr_expect(!memcmp(bytes, "before\x0a\x0d\x0d\x0a", 10));
	free(bytes);
	close(o.fd);
}

Test(files, names_of_descriptors_are_descriptors)
{
	char path[32];
	int ends[2];
	char bytes[4096];

	cr_assert(!pipe(ends));
	snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
	struct bpei_files_options o = case_options(path);
	o.style = BPEI_NAMES_PLAIN;
	struct bpei_files *files = open_files(&o);
	cr_expect_eq(write_packets(files, true, 1, true, false), 0);
	bpei_files_close(files, NULL, NULL);
	cr_expect_eq(read(ends[0], bytes, sizeof bytes), 48 + 92);
	cr_expect_eq(write_case.open_files, 0);
	close(ends[0]);
	close(ends[1]);
}

Test(files, a_device_is_written_and_stays)
{
	struct bpei_files_options o = case_options("/dev/null");

	o.style = BPEI_NAMES_PLAIN;
	o.replace = true;
	o.at_once = true;
	o.part = true;
	o.directory = -1;
	struct bpei_files *files = open_files(&o);
	cr_expect_eq(write_packets(files, true, 9, true, false), 0);
	cr_expect_eq(bpei_files_close(files, NULL, NULL), BPE_OK);
	struct stat st;
	cr_expect(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
}

/* ---- The clock ---- */

/* Returns how many calls a tick makes. */

static long sync_calls(struct bpei_files *files, int64_t later_ns)
{
	const long before = write_case.calls;

	write_case.now_ns += later_ns;
	bpei_files_tick(files, CASE_S * 1720958477);
	return write_case.calls - before;
}

Test(files, sync_comes_by_the_clock_if_there_is_something_new)
{
	struct bpei_files_options o = case_options("x");

	o.sync_ns = 5 * CASE_S;
	struct bpei_files *files = open_files(&o);
	write_packets(files, true, 1, true, false);
	cr_expect_eq(sync_calls(files, 4 * CASE_S), 0);
	cr_expect_eq(sync_calls(files, CASE_S), 1);
	cr_expect_eq(sync_calls(files, 50 * CASE_S), 0, "nothing new");
	write_packets(files, true, 1, false, false);
	cr_expect_eq(sync_calls(files, 0), 1);
	bpei_files_close(files, NULL, NULL);
}

Test(files, what_fails_besides_writing_is_told_once_and_counted)
{
	struct bpei_files_options o = case_options("x-%N");

	o.sync_ns = CASE_S;
	struct bpei_files *files = open_files(&o);
	for (int i = 0; i < 4; i++) {
		write_packets(files, true, 1, i == 0, false);
		write_case.fail_at = write_case.calls + 1;
		write_case.fail_with = EIO;
		sync_calls(files, CASE_S);
	}
	cr_expect_eq(write_case.notices, 1);
	cr_expect(strstr(write_case.notice, "cannot sync x-00001: "), "%s", write_case.notice);
	cr_expect_eq(bpei_files_counts(files)->errors, 4);
	cr_expect_eq(bpei_files_close(files, NULL, NULL), BPE_OK, "no packet was lost");
}
