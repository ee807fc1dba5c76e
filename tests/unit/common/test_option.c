/* SPDX-License-Identifier: MIT */
/* Tests the table of options and the readers of values: accepted words, limits, the nearest option,
 * and the layout of --help. */
#include "tools/common/option.h"

#include "tools/common/option_line.h"
#include "tools/common/program.h"

#include <criterion/criterion.h>
#include <getopt.h>
#include <string.h>

struct target {
	bool flag, cleared, given;
	int uses;
	const char *text;
	uint32_t number, choice;
	uint64_t bytes;
	int64_t ns;
};

#define MEMBER(m) .offset = offsetof(struct target, m), .bytes = sizeof((struct target *)0)->m

static int stop_reading(void *target)
{
	(void)target;
	return OPTION_STOP;
}

static const struct option_spec specs[] = {
	{ "flag", "fF", OPTION_SET, MEMBER(flag), .help = "sets\nthe flag" },
	{ "clear", NULL, OPTION_CLEAR, MEMBER(cleared), .beside = true },
	{ NULL, "v", OPTION_COUNT, MEMBER(uses), .help = "counts" },
	{ "text", NULL, OPTION_TEXT, MEMBER(text), .argument = "WORD", .once = "twice" },
	{ "number", "n", OPTION_WHOLE, MEMBER(number), .given = offsetof(struct target, given),
		.least = 2, .most = 9, .wants = "wants 2 to 9", .argument = "N" },
	{ "power", NULL, OPTION_POWER, MEMBER(number), .least = 1, .most = 64,
		.wants = "wants it" },
	{ "size", NULL, OPTION_SIZE, MEMBER(bytes), .unit = 1024, .least = 4096, .most = 1 << 20,
		.wants = "wants bytes" },
	{ "wait", NULL, OPTION_SECONDS, MEMBER(ns), .most = 10000000000 },
	{ "choice", NULL, OPTION_CHOICE, MEMBER(choice), .argument = "one|two|three" },
	{ "stop", NULL, OPTION_ACT, .act = stop_reading, .heading = "\nEnd" },
};

static int refuse_misuse(int problem, const char *given)
{
	(void)given;
	return problem == ':' ? 3 : 4;
}

static uint8_t uses[OPTION_MOST];

static const struct option_program program = {
	.uses = uses,
	.specs = specs,
	.count = sizeof specs / sizeof *specs,
	.head = "head\n",
	.tail = "tail\n",
	.misused = refuse_misuse,
};

/* Reads words, at most 8, ended by NULL, as a command line.  Returns option_read's result. */
static int read_test_options(struct target *t, const char *const *words)
{
	static char name[] = "test";
	char *argv[10] = { name };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	*t = (struct target){ .cleared = true };
	memset(uses, 0, sizeof uses);
	optind = 0; /* getopt begins anew */
	return option_read(&program, t, argc, argv);
}

/* stderr of the tests is not looked at: the system tests compare the messages */
#define READ(t, ...) read_test_options(t, (const char *[]){ __VA_ARGS__, NULL })

Test(option, values_are_stored)
{
	struct target t;

	cr_assert_eq(READ(&t, "-Fvv", "--clear", "--text=a", "-n", "7", "--choice", "three"), 0);
	cr_assert(t.flag && !t.cleared && t.given);
	cr_assert_eq(t.uses, 2);
	cr_assert_eq(t.number, 7);
	cr_assert_eq(t.choice, 2);
	cr_assert(!strcmp(t.text, "a"));
	cr_assert_eq(READ(&t, "--size", "8K", "--wait", "0.5"), 0);
	cr_assert_eq(t.bytes, 8192);
	cr_assert_eq(t.ns, 500000000);
	cr_assert_eq(READ(&t, "--wait", "1e-12"), 0);
	cr_assert_eq(t.ns, 1); /* never 0, which would be no limit */
	cr_assert_not(t.given);
}

Test(option, wrong_values_are_refused)
{
	static const char *const wrong[][2] = { { "--number", "1" }, { "--number", "10" },
		{ "--number", "-3" }, { "--power", "12" }, { "--size", "3K" }, { "--size", "2M" },
		{ "--wait", "0" }, { "--wait", "11" }, { "--wait", "nan" },
		{ "--choice", "one|two" }, { "--choice", "" } };
	struct target t;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_eq(READ(&t, wrong[i][0], wrong[i][1]), OPTION_USAGE, "%s %s", wrong[i][0],
			wrong[i][1]);
	cr_assert_eq(READ(&t, "--text", "a", "--text", "b"), OPTION_USAGE);
	cr_assert_eq(READ(&t, "-fv", "-fv"), 0, "options without a value may be repeated");
	cr_assert_eq(READ(&t, "--text", "-n"), OPTION_USAGE, "an option is no text");
	cr_assert_eq(READ(&t, "--text", "-"), 0);
	cr_assert_eq(READ(&t, "-n=7"), OPTION_USAGE);
	cr_assert_eq(READ(&t, "--number"), 3);
	cr_assert_eq(READ(&t, "--nothing"), 4);
	cr_assert_eq(READ(&t, "--stop", "--nothing"), OPTION_STOP);
}

Test(option, the_last_of_two_values_counts_and_is_told)
{
	char told[100];
	struct target t;

	cr_assert_eq(READ(&t, "--wait", "1", "-fv", "-fv"), 0);
	cr_assert_not(option_tell_repeated(&program, told, sizeof told));
	cr_assert_eq(READ(&t, "--wait", "1", "--wait", "2"), 0);
	cr_assert_eq(t.ns, 2000000000);
	cr_assert(option_tell_repeated(&program, told, sizeof told));
	cr_assert(
		!strcmp(told, "--wait is given more than once: the last value counts"), "%s", told);
	cr_assert_eq(READ(&t, "--wait", "1", "-n", "7", "--wait", "2", "-n", "8"), 0);
	cr_assert(option_tell_repeated(&program, told, sizeof told));
	cr_assert(!strcmp(told, "-n, --wait are given more than once: the last value counts"), "%s",
		told);
}

Test(option, sizes_and_whole_numbers)
{
	uint64_t value = 0;

	cr_assert(parse_size("5", 1024, &value) && value == 5120);
	cr_assert(parse_size("5B", 1024, &value) && value == 5);
	cr_assert(parse_size("2GiB", 1, &value) && value == 2ull << 30);
	cr_assert(parse_size("3mb", 1, &value) && value == 3u << 20);
	cr_assert(parse_size("1024G", 1, &value) && value == 1ull << 40);
	cr_assert_not(parse_size("1025G", 1, &value));
	cr_assert_not(parse_size("0", 1, &value));
	cr_assert_not(parse_size("5Bb", 1, &value));
	cr_assert_not(parse_size("5T", 1, &value));
	cr_assert(
		parse_whole("18446744073709551615", 0, UINT64_MAX, &value) && value == UINT64_MAX);
	cr_assert_not(parse_whole("18446744073709551616", 0, UINT64_MAX, &value));
	cr_assert_not(parse_whole("+1", 0, 9, &value));
	cr_assert_not(parse_whole("0x1", 0, 9, &value));
	cr_assert_eq(value, UINT64_MAX, "a wrong word leaves the value");
}

Test(option, durations_have_units)
{
	static const struct {
		const char *word;
		double seconds;
	} right[] = { { "5", 5 }, { "0.5", 0.5 }, { "200ms", 0.2 }, { "90s", 90 }, { "5m", 300 },
		{ "2min", 120 }, { "1h", 3600 }, { "1d", 86400 } };
	static const char *const wrong[] = { "", "m", "5x", "5 m", "5ms2", "-5s", "0m", "infm" };
	double seconds;

	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		cr_assert(
			parse_seconds(right[i].word, 0, UINT64_MAX, &seconds), "%s", right[i].word);
		cr_assert(seconds > right[i].seconds - 1e-9 && seconds < right[i].seconds + 1e-9);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_not(parse_seconds(wrong[i], 0, UINT64_MAX, &seconds), "%s", wrong[i]);
}

Test(option, the_line_to_type)
{
	static char words[5][20] = { "x", "-n", "it's", "", "tcp port" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], NULL };
	const struct option_edit edits[] = { { 1, 1, "-i lo" }, { 5, 0, "end" } };
	char line[OPTION_LINE];

	program_begin("name");
	option_line_keep(5, argv);
	option_line_write(line, edits, 2);
	cr_assert(!strcmp(line, "name -i lo 'it'\\''s' '' 'tcp port' end"), "%s", line);
	cr_assert_eq(option_line_index(words[2] + 1), 2);
	words[4][3] = '\n';
	cr_assert(!*option_line_write(line, edits, 2), "a line with a control character");
}

Test(option, the_nearest_option)
{
	cr_assert_eq(edit_distance("flow", "flow"), 0);
	cr_assert_eq(edit_distance("flow", "flows"), 1);
	cr_assert_eq(edit_distance("folw", "flow"), 2);
	cr_assert(!strcmp(option_nearest(&program, "numbr"), "number"));
	cr_assert(!strcmp(option_nearest(&program, "chioce"), "choice"));
	cr_assert_null(option_nearest(&program, "something"));
	cr_assert_null(option_nearest(&program, "h"), "at most a third of the letters may differ");
	cr_assert_null(option_nearest(&program, "stab"));
}

Test(option, help_is_laid_out_in_columns)
{
	static const char wanted[] = "head\n"
				     "  -f, -F, --flag           sets\n"
				     "                           the flag\n"
				     "  -v                       counts\n"
				     "      --text WORD\n"
				     "  -n, --number N\n"
				     "      --power\n"
				     "      --size\n"
				     "      --wait\n"
				     "      --choice one|two|three\n"
				     "\nEnd\n"
				     "      --stop\n"
				     "tail\n";
	char text[2000] = "";
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	option_print_help(f, &program);
	rewind(f);
	const size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	cr_assert_eq(n, strlen(wanted));
	cr_assert(!strcmp(text, wanted), "%s", text);
}
