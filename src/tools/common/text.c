/* SPDX-License-Identifier: MIT */
/* Text from outside, for people and for output formats (program.h).  State: the
 * program's name, set once.
 *
 * Names of files, interfaces and processes may hold characters that a terminal obeys: ESC, the C1
 * controls, marks that reverse the direction of writing. */
#include "program.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>

const char *program_name = "";

enum { SHOWN_ROOM = 8 }; /* bytes of a character as written by show_character, with the 0 */

/* Returns the length that the first byte of a UTF-8 sequence announces, or 0. */
static size_t announced_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Returns whether a sequence is longer than necessary, a surrogate, or beyond U+10FFFF. */
static bool is_forbidden_sequence(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second < 0xa0;
	case 0xed:
		return second > 0x9f;
	case 0xf0:
		return second < 0x90;
	case 0xf4:
		return second > 0x8f;
	default:
		return false;
	}
}

size_t program_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	const size_t n = announced_length(p[0]);

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n > 1 && is_forbidden_sequence(p[0], p[1]) ? 0 : n;
}

uint32_t program_utf8_code(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

static bool is_control_code(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static bool is_line_separator(uint32_t code)
{
	return code == 0x2028 || code == 0x2029;
}

/* Returns whether the code changes the order in which a terminal shows the following text. */
static bool is_direction_mark(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Writes the character at s as \x1b, \n, \u0085 if a terminal would obey it.  lines: new lines
 * stay. Returns the character's length at s. */
static size_t show_character(char to[SHOWN_ROOM], const char *s, bool lines)
{
	const size_t n = program_utf8(s);
	const uint32_t code = n ? program_utf8_code(s, n) : 0;
	const bool is_control = is_control_code(code);

	if (!n) {
		snprintf(to, SHOWN_ROOM, "\\x%02x", (unsigned char)*s);
		return 1;
	}
	if (code == '\n' && !lines) {
		snprintf(to, SHOWN_ROOM, "\\n");
	} else if (code < 0x80 && is_control && code != '\n') {
		snprintf(to, SHOWN_ROOM, "\\x%02x", code & 0xff);
	} else if (code >= 0x80 &&
		   (is_control || is_line_separator(code) || is_direction_mark(code))) {
		snprintf(to, SHOWN_ROOM, "\\u%04x", code & 0xffff);
	} else {
		memcpy(to, s, n);
		to[n] = 0;
	}
	return n;
}

const char *program_visible(char *to, size_t room, const char *s)
{
	size_t used = 0;

	while (*s) {
		char shown[SHOWN_ROOM];

		s += show_character(shown, s, false);
		const size_t length = strlen(shown);
		const size_t needed = *s ? length + strlen("...") : length;
		if (used + needed >= room) {
			used += (size_t)snprintf(
				to + used, room - used, "%.*s", (int)(room - used - 1), "...");
			break;
		}
		memcpy(to + used, shown, length);
		used += length;
	}
	to[used] = 0;
	return to;
}

static void print_visible(FILE *to, const char *s, bool lines)
{
	while (*s) {
		char shown[SHOWN_ROOM];

		s += show_character(shown, s, lines);
		fputs(shown, to);
	}
}

void program_print(FILE *to, bool lines, const char *format, va_list args)
{
	char buffer[1024];
	char *text = buffer;
	va_list again;

	va_copy(again, args);
	const int n = vsnprintf(buffer, sizeof buffer, format, args);
	if (n >= (int)sizeof buffer) {
		text = malloc((size_t)n + 1);
		if (text)
			vsnprintf(text, (size_t)n + 1, format, again);
	}
	va_end(again);
	print_visible(to, text ? text : buffer, lines);
	if (text != buffer)
		free(text);
}

void program_tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	program_print(stderr, true, format, args);
	putc('\n', stderr);
	va_end(args);
}

void program_print_json(FILE *to, const char *s)
{
	putc('"', to);
	for (size_t n; *s; s += n ? n : 1) {
		n = program_utf8(s);
		const uint32_t code = n ? program_utf8_code(s, n) : 0;

		if (!n)
			fputs("\\ufffd", to);
		else if (code == '"' || code == '\\')
			fprintf(to, "\\%c", (int)code);
		else if (is_control_code(code) || is_line_separator(code))
			fprintf(to, "\\u%04x", code);
		else
			fwrite(s, 1, n, to);
	}
	putc('"', to);
}

/* Returns whether a spreadsheet takes the text for a formula.  The last four signs are the wide
 * forms of the first four. */
static bool is_formula_start(const char *s)
{
	static const char *const signs[] = { "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b",
		"\xef\xbc\x8d", "\xef\xbc\xa0" };

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (!strncmp(s, signs[i], strlen(signs[i])))
			return true;
	return false;
}

void program_print_csv(FILE *to, const char *s)
{
	const bool is_quoted = s[strcspn(s, ",\"#")] != 0;

	if (is_quoted)
		putc('"', to);
	if (is_formula_start(s))
		putc('\'', to);
	for (size_t n; *s; s += n ? n : 1) {
		n = program_utf8(s);
		const uint32_t code = n ? program_utf8_code(s, n) : 0;

		if (!n)
			fputs("\xef\xbf\xbd", to);
		else if (is_control_code(code) || is_line_separator(code))
			fprintf(to, "\\u%04x", code);
		else if (code == '"')
			fputs("\"\"", to);
		else
			fwrite(s, 1, n, to);
	}
	if (is_quoted)
		putc('"', to);
}
