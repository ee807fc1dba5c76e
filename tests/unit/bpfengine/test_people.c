/* SPDX-License-Identifier: MIT */
/* Tests numbers, rates, durations, dates and ends of flows as people read them, and
 * tables. */
#include "tools/bpfengine/cli.h"
#include "tools/bpfengine/table.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
static char text[256];

Test(people, numbers_have_separators)
{
	cr_assert_str_eq(cli_number(text, sizeof text, 0), "0");
	cr_assert_str_eq(cli_number(text, sizeof text, 999), "999");
	cr_assert_str_eq(cli_number(text, sizeof text, 1000), "1,000");
	cr_assert_str_eq(cli_number(text, sizeof text, 12345678), "12,345,678");
	cr_assert_str_eq(cli_number(text, sizeof text, UINT64_MAX), "18,446,744,073,709,551,615");
	char narrow[4];
	cli_number(narrow, sizeof narrow, 123456); /* cut, and within its room */
	cr_assert(strlen(narrow) < sizeof narrow);
}

Test(people, words_are_plural_but_for_1)
{
	cr_assert_str_eq(cli_counted(text, sizeof text, 0, "packet"), "0 packets");
	cr_assert_str_eq(cli_counted(text, sizeof text, 1, "packet"), "1 packet");
	cr_assert_str_eq(cli_counted(text, sizeof text, 2000, "packet"), "2,000 packets");
	cr_assert_str_eq(cli_counted_as(text, sizeof text, 1, "batch", "batches"), "1 batch");
	cr_assert_str_eq(cli_counted_as(text, sizeof text, 2, "batch", "batches"), "2 batches");
}

Test(people, a_blank_stands_before_each_unit)
{
	cr_assert_str_eq(cli_rate(text, sizeof text, 0, "bit/s"), "0 bit/s");
	cr_assert_str_eq(cli_rate(text, sizeof text, 999, "bit/s"), "999 bit/s");
	cr_assert_str_eq(cli_rate(text, sizeof text, 1200, "bit/s"), "1.2 kbit/s");
	cr_assert_str_eq(cli_rate(text, sizeof text, 3.9e9, "bit/s"), "3.9 Gbit/s");
	cr_assert_str_eq(cli_packet_rate(text, sizeof text, 0), "0 packets/s");
	cr_assert_str_eq(cli_packet_rate(text, sizeof text, 0.05), "0.05 packets/s");
	cr_assert_str_eq(cli_packet_rate(text, sizeof text, 5.2), "5.2 packets/s");
	cr_assert_str_eq(cli_packet_rate(text, sizeof text, 9.99), "10 packets/s");
	cr_assert_str_eq(cli_packet_rate(text, sizeof text, 8.3e6), "8.3 M packets/s");
	cr_assert_str_eq(
		cli_rates_text(text, sizeof text, 10, 1000, 2), "5.0 packets/s, 4.0 kbit/s");
	cr_assert_str_eq(cli_rates_text(text, sizeof text, 10, 1000, 0), "0 packets/s, 0 bit/s");
}

Test(people, durations)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = { { 0, "0.000000 s" }, { 123456, "0.000123 s" }, { SECOND, "1.000 s" },
		{ 59 * SECOND + SECOND / 2, "59.500 s" }, { 60 * SECOND, "1 min 00 s" },
		{ 3723 * SECOND, "1 h 02 min 03 s" }, { 86400 * SECOND, "1 day 00 h 00 min" },
		{ 86399 * SECOND, "23 h 59 min 59 s" },
		{ 2 * 86400 * SECOND + 3661 * SECOND, "2 days 01 h 01 min" },
		{ UINT64_MAX, "213,503 days 23 h 34 min" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_str_eq(cli_duration(text, sizeof text, cases[i].ns), cases[i].text);
}

Test(people, dates_are_iso_8601_in_utc)
{
	const int64_t ns = INT64_C(1700000000000005001);

	cr_assert_str_eq(cli_date(text, sizeof text, ns, 6), "2023-11-14T22:13:20.000005Z");
	cr_assert_str_eq(cli_date(text, sizeof text, ns, 9), "2023-11-14T22:13:20.000005001Z");
	cr_assert_str_eq(cli_date(text, sizeof text, ns, 0), "2023-11-14T22:13:20Z");
	cr_assert_str_eq(cli_date(text, sizeof text, 0, 3), "1970-01-01T00:00:00.000Z");
	cr_assert_str_eq(cli_date(text, sizeof text, -1, 9), "1969-12-31T23:59:59.999999999Z");
	cr_assert_str_eq(cli_date(text, sizeof text, INT64_MAX, 0), "2262-04-11T23:47:16Z");
	cr_assert_str_eq(cli_date(text, sizeof text, INT64_MIN, 0), "1677-09-21T00:12:43Z");
}

Test(people, icmp_has_no_ports)
{
	struct bpe_flow f = { .addr = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } },
		.port = { 512, 512 },
		.ip_proto = 1,
		.ip_version = 4 };

	cr_assert_str_eq(cli_endpoint(text, sizeof text, &f, 0), "10.0.0.1");
	f.ip_proto = 17;
	cr_assert_str_eq(cli_endpoint(text, sizeof text, &f, 1), "10.0.0.2:512");
	f.ip_version = 6;
	f.ip_proto = 58;
	cr_assert_str_eq(cli_endpoint(text, sizeof text, &f, 1), "a00:2::");
	f.ip_proto = 6;
	cr_assert_str_eq(cli_endpoint(text, sizeof text, &f, 1), "[a00:2::]:512");
}

/* ---- Tables ---- */

/* Prints a table of two rows for a width.  The caller frees the text. */
static char *print_table(size_t width)
{
	struct cli_table t;
	char *out = NULL;
	size_t bytes;
	FILE *to = open_memstream(&out, &bytes);

	cr_assert(cli_table_begin(&t, "llrl", 2));
	t.split = 2;
	cli_table_add(&t, "from");
	cli_table_add(&t, "to");
	cli_table_add(&t, "n");
	cli_table_add(&t, "state");
	cli_table_add(&t, "10.0.0.1");
	cli_table_add(&t, "[2001:db8::1]:443");
	cli_table_add(&t, "1,234");
	cli_table_add(&t, "");
	cli_table_print(to, &t, width);
	cli_table_end(&t);
	fclose(to);
	return out;
}

Test(table, columns_are_as_wide_as_their_content)
{
	char *out = print_table(0);

	cr_assert_str_eq(out, "  from      to                     n  state\n"
			      "  10.0.0.1  [2001:db8::1]:443  1,234\n");
	free(out);
}

Test(table, a_row_too_long_for_the_terminal_takes_two_lines)
{
	char *out = print_table(43);

	cr_assert_str_eq(out, "  from      to                     n  state\n"
			      "  10.0.0.1  [2001:db8::1]:443  1,234\n");
	free(out);
	out = print_table(42);
	cr_assert_str_eq(out, "  from      to\n        n  state\n"
			      "  10.0.0.1  [2001:db8::1]:443\n    1,234\n");
	free(out);
}
