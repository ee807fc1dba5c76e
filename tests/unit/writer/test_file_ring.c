/* SPDX-License-Identifier: MIT */
#include "writer/file_ring.h"

#include "../../support/write_case.h"

#include <criterion/criterion.h>
#include <sys/wait.h>

TestSuite(file_ring, .init = case_begin, .fini = case_end, .timeout = 550);

static struct case_chunk chunk;

static struct bpei_files *open_ring(const struct bpei_files_options *options)
{
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };

	cr_assert_eq(bpei_files_open(&files, options, 0, &error), BPE_OK, "%s", error.text);
	return files;
}

static void write_ring_file(struct bpei_files *files, uint32_t packets, bool ends)
{
	static uint32_t number;

	chunk_begin(&chunk, true, true);
	for (uint32_t i = 0; i < packets; i++)
		chunk_packet(&chunk, true, ++number);
	chunk.chunk.ends_file = ends;
	cr_expect_eq(bpei_files_write(files, &chunk.chunk), 0);
}

static struct bpei_files_options ring_options(uint64_t keep_files)
{
	struct bpei_files_options o = case_options("x-%N");

	o.part = true;
	o.ledger = true;
	o.keep.files = keep_files;
	return o;
}

Test(file_ring, the_oldest_go_and_foreign_files_stay)
{
	struct bpei_files_options o = ring_options(3);
	char name[64];

	case_put("x-00000", "foreign, older by its name");
	case_put("x-00002", "foreign, in the way");
	struct bpei_files *files = open_ring(&o);
	for (int i = 0; i < 10; i++)
		write_ring_file(files, 1, true);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 7);
	bpei_files_close(files, NULL, NULL);
	for (int i = 1; i <= 10; i++) {
		snprintf(name, sizeof name, "x-%05d", i);
		cr_expect_eq(case_has(name), i == 2 || i > 7, "%s", name);
	}
	cr_expect(case_has("x-00000"));
	cr_expect(!case_has("x-00002-2"));
}

Test(file_ring, no_file_gets_the_name_of_a_removed_file)
{
	struct bpei_files_options o = ring_options(2);

	o.path = "y-%C"; /* all files of a century have the same name but for the attempt */
	struct bpei_files *files = open_ring(&o);
	for (int i = 0; i < 5; i++)
		write_ring_file(files, 1, true);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 3);
	bpei_files_close(files, NULL, NULL);
	cr_expect(!case_has("y-20"));
	cr_expect(!case_has("y-20-3"));
	cr_expect(case_has("y-20-4"));
	cr_expect(case_has("y-20-5"));
}

Test(file_ring, the_next_run_goes_on_with_the_ring)
{
	struct bpei_files_options o = ring_options(4);

	o.path = "x-%N-";
	for (int run = 0; run < 5; run++) {
		struct bpei_files *files = open_ring(&o);
		write_ring_file(files, 1, true);
		write_ring_file(files, 2, true);
		bpei_files_close(files, NULL, NULL);
	}
	struct case_found found = { 0 };
	case_each(read_found, &found);
	cr_expect_eq(found.files, 4);
	cr_expect_eq(found.packets, 6);
}

Test(file_ring, a_file_that_was_replaced_is_not_the_rings_any_more)
{
	struct bpei_files_options o = ring_options(2);
	struct bpei_files *files = open_ring(&o);

	write_ring_file(files, 1, true);
	cr_assert(!unlinkat(write_case.directory, "x-00001", 0));
	case_put("x-00001", "foreign");
	for (int i = 0; i < 4; i++)
		write_ring_file(files, 1, true);
	cr_expect(case_has("x-00001"));
	bpei_files_close(files, NULL, NULL);
	cr_expect(case_has("x-00001"));
	cr_expect(strstr(write_case.notice, "stays"), "%s", write_case.notice);
}

Test(file_ring, what_a_killed_run_left_belongs_to_the_ring)
{
	struct bpei_files_options o = ring_options(2);
	const pid_t child = fork();

	if (!child) {
		struct bpei_files *files = open_ring(&o);
		write_ring_file(files, 3, false);
		_exit(0);
	}
	int status = 0;
	cr_assert(waitpid(child, &status, 0) == child && !status);
	cr_expect(case_has("x-00001.part"));
	struct bpei_files *files = open_ring(&o);
	write_ring_file(files, 1, true);
	cr_expect(case_has("x-00001.part"));
	write_ring_file(files, 1, true);
	cr_expect(!case_has("x-00001.part"), "the oldest of two");
	bpei_files_close(files, NULL, NULL);
}

Test(file_ring, two_runs_do_not_share_a_ledger)
{
	struct bpei_files_options o = ring_options(2);
	struct bpei_files *first = open_ring(&o);
	struct bpei_files *second = NULL;
	struct bpe_error error = { 0 };

	cr_expect_eq(bpei_files_open(&second, &o, 0, &error), BPE_E_BUSY);
	cr_expect(strstr(error.text, "another run"), "%s", error.text);
	bpei_files_close(first, NULL, NULL);
	second = open_ring(&o);
	bpei_files_close(second, NULL, NULL);
	cr_expect_eq(write_case.open_files, 0);
}

Test(file_ring, a_file_that_is_no_ledger_stays_as_it_is)
{
	struct bpei_files_options o = ring_options(2);
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };
	static const char *const texts[] = { "{\"schema\":\"bpfengine.flow/1\"}\n", "half", "\n" };
	long n = 0;

	for (size_t i = 0; i < 3; i++) {
		case_put("x.jsonl", texts[i]);
		cr_expect_eq(bpei_files_open(&files, &o, 0, &error), BPE_E_ARGUMENT);
		char *text = case_get("x.jsonl", &n);
		cr_expect_str_eq(text, texts[i]);
		free(text);
	}
}

Test(file_ring, a_torn_line_does_not_spoil_the_next)
{
	struct bpei_files_options o = ring_options(0);
	struct bpei_files *files = open_ring(&o);
	long n = 0;

	write_ring_file(files, 1, true);
	bpei_files_close(files, NULL, NULL);
	const int fd = openat(write_case.directory, "x.jsonl", O_WRONLY | O_APPEND);
	cr_assert_eq(write(fd, "{\"schema\":\"bpf", 14), 14);
	close(fd);
	files = open_ring(&o);
	write_ring_file(files, 1, true);
	bpei_files_close(files, NULL, NULL);
	char *text = case_get("x.jsonl", &n);
	cr_expect(strstr(text, "{\"schema\":\"bpf\n{\"schema\""));
	free(text);
}

Test(file_ring, a_line_that_fails_leaves_whole_lines)
{
	struct bpei_files_options o = ring_options(0);
	struct bpei_files *files = open_ring(&o);
	long n = 0;

	write_ring_file(files, 1, false);
	/* The ledger's line is the next write: half of it, then an error. */
	chunk_begin(&chunk, true, false);
	chunk.chunk.ends_file = true;
	write_case.disk_room = 30;
	bpei_files_write(files, &chunk.chunk);
	write_case.disk_room = -1;
	cr_expect(strstr(write_case.notice, "ledger"), "%s", write_case.notice);
	cr_expect_eq(bpei_files_counts(files)->errors, 1);
	write_ring_file(files, 1, true);
	bpei_files_close(files, NULL, NULL);
	char *text = case_get("x.jsonl", &n);
	int lines = 0;
	for (char *at = text; *at; lines++) {
		char *end = strchr(at, '\n');
		cr_assert_not_null(end);
		cr_expect_neq(bpei_ledger_read(at, (size_t)(end - at)).event, BPEI_LEDGER_NONE);
		at = end + 1;
	}
	cr_expect_eq(lines, 4, "begun; begun, complete; end: %d", lines);
	free(text);
}

Test(file_ring, bytes_age_and_free_room)
{
	struct bpei_files_options o = ring_options(0);
	o.keep.bytes = 1000; /* files of 140 */
	struct bpei_files *files = open_ring(&o);
	for (int i = 0; i < 20; i++)
		write_ring_file(files, 1, true);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 13);
	bpei_files_close(files, NULL, NULL);
	case_clear();
	o.keep = (struct bpei_keep){ .age_ns = 100 };
	files = open_ring(&o);
	write_ring_file(files, 1, true);
	write_case.now_ns += 2 * CASE_S;
	bpei_files_tick(files, chunk.chunk.last_ns + 100);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 0);
	write_case.now_ns += 2 * CASE_S;
	bpei_files_tick(files, chunk.chunk.last_ns + 101);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 1);
	bpei_files_close(files, NULL, NULL);
	case_clear();
	o.keep = (struct bpei_keep){ .free_percent = 10 };
	files = open_ring(&o);
	for (int i = 0; i < 4; i++)
		write_ring_file(files, 1, true);
	write_case.disk_size = 100000;
	write_case.disk_room = 9800; /* 200 bytes too few: two files */
	write_case.now_ns += 2 * CASE_S;
	bpei_files_tick(files, 0);
	cr_expect_eq(bpei_files_counts(files)->files_removed, 2);
	bpei_files_close(files, NULL, NULL);
}

Test(file_ring, tcpdumps_ring_takes_its_names_again)
{
	struct bpei_files_options o = ring_options(3);

	o.style = BPEI_NAMES_TCPDUMP;
	o.path = "x";
	o.times = false;
	o.ring = 3;
	struct bpei_files *files = open_ring(&o);
	for (int i = 0; i < 8; i++)
		write_ring_file(files, (uint32_t)i + 1, true);
	bpei_files_close(files, NULL, NULL);
	struct case_found found = { 0 };
	case_each(read_found, &found);
	cr_expect_eq(found.files, 3);
	cr_expect_eq(found.packets, 6 + 7 + 8);
	cr_expect(case_has("x0") && case_has("x1") && case_has("x2"));
}
