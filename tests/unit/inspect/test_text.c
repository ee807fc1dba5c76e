/* SPDX-License-Identifier: MIT */
/* Texts from payload: escapes, room, and what does not fit. */
#include "inspect/inspect.h"

#include <criterion/criterion.h>
#include <string.h>

struct text_case {
	const char *bytes;
	const char *said;
};

static const struct text_case cases[] = {
	{ "", "" }, { "www.example.com", "www.example.com" },
	{ "b\xc3\xbc"
	  "cher.example",
		"b\xc3\xbc"
		"cher.example" },
	{ "\xf0\x9f\x90\x9d", "\xf0\x9f\x90\x9d" }, { "a\nb", "a\\x0ab" },
	{ "\x1b[2J", "\\x1b[2J" }, { "\x7f", "\\x7f" }, { "\xff", "\\xff" },
	{ "\xc3", "\\xc3" },                   /* cut within a character */
	{ "\xc0\x80", "\\xc0\\x80" },          /* overlong */
	{ "\xc2\x85", "\\xc2\\x85" },          /* NEL, a control of C1 */
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* a line separator */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
};

Test(said_text, escapes)
{
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		char said[64];

		cr_assert(bpei_said_text(said, sizeof said, (const uint8_t *)cases[k].bytes,
			strlen(cases[k].bytes)));
		cr_assert_str_eq(said, cases[k].said);
	}
	char zero[8];
	cr_assert(bpei_said_text(zero, sizeof zero, (const uint8_t *)"a\0", 2));
	cr_assert_str_eq(zero, "a\\x00");
}

/* Proves that characters are left out whole where room is short, and nothing is written beyond. */
Test(said_text, room_is_kept_to_the_byte)
{
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		const size_t whole = strlen(cases[k].said);

		for (size_t room = 0; room <= whole + 1; room++) {
			char said[64];

			memset(said, '#', sizeof said);
			const bool fits = bpei_said_text(said, room,
				(const uint8_t *)cases[k].bytes, strlen(cases[k].bytes));
			cr_assert_eq(fits, room > whole);
			cr_assert_eq(said[room], '#');
			if (!room)
				continue;
			const size_t length = strlen(said);
			cr_assert_lt(length, room);
			cr_assert_eq(strncmp(said, cases[k].said, length), 0);
			cr_assert_eq(length && said[length - 1] == '\\', false);
		}
	}
}
