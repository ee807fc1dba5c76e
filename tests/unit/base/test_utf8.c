/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(utf8, sequences_are_measured_and_decoded)
{
	static const struct {
		const char *text;
		size_t bytes;
		uint32_t code;
	} good[] = { { "a", 1, 'a' }, { "\xc2\x80", 2, 0x80 }, { "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 }, { "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xef\xbf\xbf", 3, 0xffff }, { "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff } };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		const size_t n = strlen(good[i].text);

		cr_expect_eq(bpei_utf8_bytes(good[i].text, n), good[i].bytes, "%zu", i);
		cr_expect_eq(bpei_utf8_code(good[i].text, n), good[i].code, "%zu", i);
		if (n > 1)
			cr_expect_eq(bpei_utf8_bytes(good[i].text, n - 1), 0, "%zu cut", i);
	}
}

Test(utf8, what_is_no_utf8_has_no_length)
{
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		("\xc2"
		 "a"),
		"\xff" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(bpei_utf8_bytes(bad[i], strlen(bad[i])), 0, "%zu", i);
}

static void expect_shown(const char *text, bool lines, size_t room, const char *want)
{
	char memory[64];

	snprintf(memory, sizeof memory, "%s", text);
	bpei_utf8_show(memory, room, lines);
	cr_expect_str_eq(memory, want);
}

Test(utf8, a_terminal_gets_nothing_to_obey)
{
	expect_shown("plain \xc3\xa9", false, 64, "plain \xc3\xa9");
	expect_shown("\x1b[2J", false, 64, "\\x1b[2J");
	expect_shown("a\nb", false, 64, "a\\nb");
	expect_shown("a\nb", true, 64, "a\nb");
	expect_shown("\xc2\x85", false, 64, "\\u0085");
	expect_shown("\xe2\x80\xae"
		     "abc",
		false, 64, "\\u202eabc");
	expect_shown("\xe2\x80\xa8", false, 64, "\\u2028");
	expect_shown("\xff", false, 64, "\\xff");
}

Test(utf8, the_end_is_cut_where_room_is_short)
{
	expect_shown("ab\x1b"
		     "c",
		false, 6, "ab");
	expect_shown("ab\x1b"
		     "c",
		false, 7, "ab\\x1b");
	cr_expect(bpei_utf8_is_control(0x7f) && bpei_utf8_is_control(0x2029));
	cr_expect_not(bpei_utf8_is_control('a'));
}
