/* SPDX-License-Identifier: MIT */
#include "write/file_names.h"

#include "bpfengine.h"

#include <criterion/criterion.h>
#include <string.h>

/* 2024-07-14 12:01:17 */
static const struct tm when = {
	.tm_year = 124, .tm_mon = 6, .tm_mday = 14, .tm_hour = 12, .tm_min = 1, .tm_sec = 17
};

static void expect_name(
	struct bpei_file_names names, uint64_t number, uint32_t attempt, const char *expected)
{
	char name[BPEI_NAME_ROOM] = "untouched";
	const int status = bpei_name_make(&names, &when, number, attempt, name);

	cr_expect_eq(status, expected ? BPE_OK : BPE_E_ARGUMENT, "%s", names.text);
	cr_expect_str_eq(name, expected ? expected : "untouched", "%s", names.text);
}

Test(file_names, plain_names_are_taken_as_they_are)
{
	expect_name((struct bpei_file_names){ "a%Y.pcap", BPEI_NAMES_PLAIN, true, 0 }, 9, 0,
		"a%Y.pcap");
	expect_name(
		(struct bpei_file_names){ "a.pcap", BPEI_NAMES_PLAIN, false, 0 }, 9, 1, "a-2.pcap");
}

Test(file_names, own_names_have_times_and_numbers)
{
	const struct {
		const char *text, *expected;
	} cases[] = {
		{ "%Y%m%d-%H%M%S.pcapng.zst", "20240714-120117.pcapng.zst" },
		{ "x-%N.pcap", "x-00012.pcap" },
		{ "x-%3N.pcap", "x-012.pcap" },
		{ "x-%1N.pcap", "x-12.pcap" },
		{ "x.pcap", "x_00012.pcap" },
		{ "x.pcapng.gz", "x_00012.pcapng.gz" },
		{ "x", "x_00012" },
		{ ".x", ".x_00012" },
		{ "100%%.pcap", "100%%_00012.pcap" },
		{ "100%%-%N.pcap", "100%-00012.pcap" },
		{ "%Ey-%Od", "24-14" },
		{ "%", "%_00012" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_name((struct bpei_file_names){ cases[i].text, BPEI_NAMES_OWN, true, 0 }, 12,
			0, cases[i].expected);
}

Test(file_names, a_collision_gets_a_number_before_the_end)
{
	const struct bpei_file_names names = { "%H.pcapng.zst", BPEI_NAMES_OWN, true, 0 };

	expect_name(names, 1, 0, "12.pcapng.zst");
	expect_name(names, 1, 1, "12-2.pcapng.zst");
	expect_name(names, 1, 998, "12-999.pcapng.zst");
}

Test(file_names, tcpdumps_names)
{
	const struct bpei_file_names plain = { "x.pcap", BPEI_NAMES_TCPDUMP, false, 0 };
	const struct bpei_file_names ring = { "x", BPEI_NAMES_TCPDUMP, false, 11 };
	const struct bpei_file_names timed = { "x%H%M", BPEI_NAMES_TCPDUMP, true, 0 };

	expect_name(plain, 1, 0, "x.pcap");
	expect_name(plain, 2, 0, "x.pcap1");
	expect_name(plain, 12, 0, "x.pcap11");
	expect_name(ring, 1, 0, "x00");
	expect_name(ring, 11, 0, "x10");
	expect_name(ring, 12, 0, "x00");
	expect_name((struct bpei_file_names){ "x", BPEI_NAMES_TCPDUMP, false, 10 }, 10, 0, "x9");
	expect_name((struct bpei_file_names){ "x", BPEI_NAMES_TCPDUMP, false, 1 }, 10, 0, "x0");
	expect_name((struct bpei_file_names){ "x", BPEI_NAMES_TCPDUMP, false, 101 }, 8, 0, "x007");
	expect_name(timed, 1, 0, "x1201");
	expect_name(timed, 3, 0, "x12012");
}

Test(file_names, dumpcaps_names)
{
	expect_name((struct bpei_file_names){ "x.pcapng", BPEI_NAMES_DUMPCAP, false, 0 }, 1, 0,
		"x_00001_20240714120117.pcapng");
	expect_name((struct bpei_file_names){ "x%Y.pcapng", BPEI_NAMES_DUMPCAP, false, 0 }, 123456,
		0, "x%Y_123456_20240714120117.pcapng");
	expect_name((struct bpei_file_names){ "x", BPEI_NAMES_DUMPCAP_TIME, false, 0 }, 7, 0,
		"x_20240714120117_00007");
}

Test(file_names, impossible_names_are_refused)
{
	char longest[BPEI_NAME_ROOM + 1];
	struct bpei_file_names names = { longest, BPEI_NAMES_PLAIN, true, 0 };

	memset(longest, 'x', BPEI_NAME_ROOM);
	longest[BPEI_NAME_ROOM] = 0;
	expect_name(names, 1, 0, NULL);
	longest[BPEI_NAME_ROOM - 1] = 0;
	expect_name(names, 1, 0, longest);
	expect_name(names, 1, 1, NULL);
	names.text = "";
	expect_name(names, 1, 0, NULL);
	names.text = "..";
	expect_name(names, 1, 0, NULL);
	names.text = "%D";
	names.style = BPEI_NAMES_OWN;
	expect_name(names, 1, 0, NULL);
}

Test(file_names, names_that_differ_by_themselves)
{
	const struct {
		const char *text;
		enum bpei_name_style style;
		bool times, varies;
	} cases[] = {
		{ "x", BPEI_NAMES_PLAIN, true, false },
		{ "%H", BPEI_NAMES_PLAIN, true, false },
		{ "x", BPEI_NAMES_OWN, true, false },
		{ "%%", BPEI_NAMES_OWN, true, false },
		{ "%", BPEI_NAMES_OWN, true, false },
		{ "%H", BPEI_NAMES_OWN, true, true },
		{ "%2N", BPEI_NAMES_OWN, true, true },
		{ "%H", BPEI_NAMES_OWN, false, false },
		{ "x", BPEI_NAMES_TCPDUMP, false, true },
		{ "x", BPEI_NAMES_DUMPCAP, false, true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct bpei_file_names names = { cases[i].text, cases[i].style,
			cases[i].times, 0 };
		cr_expect_eq(bpei_name_varies(&names), cases[i].varies, "%zu", i);
	}
}

Test(file_names, ledgers_are_named_by_the_templates_words)
{
	const struct {
		const char *text;
		bool times;
		const char *expected;
	} cases[] = {
		{ "cap-%Y%m%d-%H.pcapng.zst", true, "cap.jsonl" },
		{ "%Y%m%d.pcapng", true, "ledger.jsonl" },
		{ "%Y-eth0_%N.pcap", true, "eth0.jsonl" },
		{ "a-%Hb.c-%d.pcap", true, "a-b.c.jsonl" },
		{ "x.pcap", false, "x.jsonl" },
		{ "x%.pcap", false, "x%.jsonl" },
		{ "", true, "ledger.jsonl" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct bpei_file_names names = { cases[i].text, BPEI_NAMES_OWN,
			cases[i].times, 0 };
		char name[BPEI_NAME_ROOM];
		bpei_name_ledger(&names, name);
		cr_expect_str_eq(name, cases[i].expected);
	}
}

Test(file_names, a_ledgers_name_fits)
{
	char longest[2 * BPEI_NAME_ROOM];
	char name[BPEI_NAME_ROOM];
	const struct bpei_file_names names = { longest, BPEI_NAMES_OWN, true, 0 };

	memset(longest, 'y', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	bpei_name_ledger(&names, name);
	cr_expect_eq(strlen(name), BPEI_NAME_ROOM - 1);
	cr_expect_str_eq(name + strlen(name) - 6, ".jsonl");
}

Test(file_names, stems)
{
	cr_expect_eq(bpei_name_stem("a.pcap"), 1);
	cr_expect_eq(bpei_name_stem("a.b.pcapng.lz4"), 3);
	cr_expect_eq(bpei_name_stem("a.gz"), 1);
	cr_expect_eq(bpei_name_stem(".gz"), 3);
	cr_expect_eq(bpei_name_stem("abc"), 3);
	cr_expect_eq(bpei_name_stem(""), 0);
}
