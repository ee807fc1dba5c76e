/* SPDX-License-Identifier: MIT */
#include "write/ledger.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bpei_ledger_known read_line_back(const struct bpei_ledger_entry *entry, char **line)
{
	size_t n = 0;

	*line = bpei_ledger_line(entry, &n);
	cr_assert(*line && n == strlen(*line) && (*line)[n - 1] == '\n');
	return bpei_ledger_read(*line, n - 1);
}

Test(ledger, a_complete_file)
{
	const struct bpei_ledger_frame frames[] = { { 0, 5, 6, 7 },
		{ 1000, 1500000000, -1500000000, 8 } };
	const struct bpe_written_file file = { .name = "a.pcap",
		.number = 3,
		.first_ns = INT64_C(1720958477000000001),
		.last_ns = INT64_C(1720958478900000000),
		.packets = 4,
		.captured_bytes = 5,
		.file_bytes = 6,
		.unwritten = { 7, 8, 9, 10, 11, 12 },
		.kernel_dropped = 13,
		.interface_dropped = 14,
		.sha256 = "00ff" };
	const struct bpei_ledger_entry entry = { .event = BPEI_LEDGER_COMPLETE,
		.file = &file,
		.device = 15,
		.inode = 16,
		.frames = frames,
		.frame_count = 2 };
	char *line = NULL;
	const struct bpei_ledger_known known = read_line_back(&entry, &line);

	cr_expect_str_eq(line,
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"complete\",\"name\":\"a.pcap\","
		"\"number\":3,\"device\":15,\"inode\":16,\"first\":1720958477.000000001,"
		"\"last\":1720958478.900000000,\"packets\":4,\"captured_bytes\":5,\"file_bytes\":6,"
		"\"unwritten\":{\"writer_full\":7,\"write_error\":8,\"link_type\":9,\"cutoff\":10,"
		"\"duplicate\":11,\"overwritten\":12,\"split_files\":0},\"kernel_dropped\":13,"
		"\"interface_dropped\":14,\"sha256\":\"00ff\",\"frames\":[{\"offset\":0,"
		"\"packets\":7,\"first\":0.000000005,\"last\":0.000000006},{\"offset\":1000,"
		"\"packets\":8,\"first\":1.500000000,\"last\":-1.500000000}]}\n");
	cr_expect_eq(known.event, BPEI_LEDGER_COMPLETE);
	cr_expect_str_eq(known.name, "a.pcap");
	cr_expect(known.device == 15 && known.inode == 16 && known.number == 3);
	cr_expect_eq(known.file_bytes, 6);
	cr_expect_eq(known.last_ns, INT64_C(1720958478900000000));
	free(line);
}

Test(ledger, names_of_any_bytes_come_back)
{
	char name[BPEI_NAME_ROOM];
	const struct bpe_written_file file = { .name = name };
	char *line = NULL;

	for (int event = BPEI_LEDGER_BEGUN; event <= BPEI_LEDGER_REMOVED; event++) {
		for (unsigned byte = 1; byte < 256; byte++) {
			if (byte == '/')
				continue;
			memset(name, (int)byte, sizeof name - 1);
			name[sizeof name - 1] = 0;
			memcpy(name + 100, "\xc3\xa4\xe2\x82\xac", 5);
			const struct bpei_ledger_entry entry = {
				.event = (enum bpei_ledger_event)event, .file = &file
			};
			const struct bpei_ledger_known known = read_line_back(&entry, &line);
			cr_expect_eq((int)known.event, event, "byte %u: %s", byte, line);
			cr_expect(!strcmp(known.name, name), "byte %u", byte);
			cr_expect_null(strchr(line, '\r'));
			free(line);
		}
	}
}

Test(ledger, the_end_has_sums_and_no_name)
{
	const struct bpe_written_file sums = { .packets = 1, .unwritten = { 2 } };
	const struct bpei_ledger_entry entry = {
		.event = BPEI_LEDGER_END, .file = &sums, .files = 17
	};
	char *line = NULL;
	const struct bpei_ledger_known known = read_line_back(&entry, &line);

	cr_expect_eq(known.event, BPEI_LEDGER_END);
	cr_expect(strstr(line, "\"files\":17,\"packets\":1,") && !strstr(line, "name"));
	free(line);
}

Test(ledger, other_lines_are_not_ours)
{
	static const char *const lines[] = { "", "{}", "{\"schema\":\"bpfengine.flow/1\"}",
		"{\"schema\":\"bpfengine.file/1\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"..\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"../x\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\"} ",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\\u0000\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\\u00e4\"}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\",\"inode\":-1}",
		("{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\","
		 "\"inode\":99999999999999999999}"),
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\",\"last\":1.5}",
		"{\"schema\":\"bpfengine.file/1\",\"event\":\"begun\",\"name\":\"x\",\"a\":[{]}" };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		cr_expect_eq(bpei_ledger_read(lines[i], strlen(lines[i])).event, BPEI_LEDGER_NONE,
			"%s", lines[i]);
}

/* Reads each cut of a line, and each change of a byte. */
Test(ledger, damaged_lines_do_no_harm)
{
	const struct bpe_written_file file = { .name = "a\"\x80.pcap", .last_ns = 5 };
	const struct bpei_ledger_frame frame = { 1, 2, 3, 4 };
	const struct bpei_ledger_entry entry = {
		.event = BPEI_LEDGER_CUT, .file = &file, .frames = &frame, .frame_count = 1
	};
	char *line = NULL;

	cr_expect_eq(read_line_back(&entry, &line).event, BPEI_LEDGER_CUT);
	const size_t n = strlen(line) - 1;
	for (size_t cut = 0; cut < n; cut++) {
		char *part = malloc(cut + 1);
		memcpy(part, line, cut);
		cr_expect_eq(bpei_ledger_read(part, cut).event, BPEI_LEDGER_NONE, "%zu", cut);
		free(part);
	}
	for (size_t at = 0; at < n; at++) {
		const char before = line[at];
		for (int byte = 0; byte < 256; byte++) {
			line[at] = (char)byte;
			const struct bpei_ledger_known known = bpei_ledger_read(line, n);
			cr_expect_null(strchr(known.name, '/'));
		}
		line[at] = before;
	}
	free(line);
}
