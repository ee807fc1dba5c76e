/* SPDX-License-Identifier: MIT */
/* Text that comes from outside, for people and for formats (program.h); stateless.
 *
 * Names of files, interfaces and processes may hold what a terminal obeys: ESC, the C1 controls,
 * marks that turn the direction of writing round. */
#include "program.h"

#include "names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t program_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80                   ? 1
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		   : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
						 : 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool odd = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		   (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f);
	return n > 1 && odd ? 0 : n; /* longer than it must be, surrogates, or past the last one */
}

/* Returns the code point of the n bytes at s, which program_utf8 found good. */
static uint32_t code_of(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
static bool is_line_end(uint32_t code)
{
	return code == 0x2028 || code == 0x2029;
}

/* Marks that change the order in which a terminal shows what follows. */
static bool is_turning(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Writes the character at s as it is to be shown, at most 7 bytes and a 0.  Returns its length at
 * s. */
static size_t show(char to[8], const char *s, bool lines)
{
	size_t n = program_utf8(s);
	uint32_t code = n ? code_of(s, n) : 0;
	if (!n)
		snprintf(to, 8, "\\x%02x", (unsigned char)*s);
	else if (code == '\n' && !lines)
		snprintf(to, 8, "\\n");
	else if (code < 0x80 && is_control(code) && code != '\n')
		snprintf(to, 8, "\\x%02x", code & 0xff);
	else if ((code >= 0x80 && is_control(code)) || is_line_end(code) || is_turning(code))
		snprintf(to, 8, "\\u%04x", code & 0xffff);
	else
		memcpy(to, s, n), to[n] = 0;
	return n ? n : 1;
}

const char *program_visible(char *to, size_t room, const char *s)
{
	size_t used = 0;
	while (*s) {
		char one[8];
		s += show(one, s, false);
		if (used + strlen(one) + (*s ? 3 : 0) >=
			room) { /* so that "..." fits in any case */
			used += (size_t)snprintf(
				to + used, room - used, "%.*s", (int)(room - used - 1), "...");
			break;
		}
		memcpy(to + used, one, strlen(one));
		used += strlen(one);
	}
	to[used] = 0;
	return to;
}

static void put_visible(FILE *to, const char *s, bool lines)
{
	while (*s) {
		char one[8];
		s += show(one, s, lines);
		fputs(one, to);
	}
}

void program_print(FILE *to, bool lines, const char *format, va_list args)
{
	char few[1024], *text = few;
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(few, sizeof few, format, args);
	if (n >= (int)sizeof few && (text = malloc((size_t)n + 1)))
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	put_visible(to, text ? text : few, lines);
	if (text != few)
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
		uint32_t code = n ? code_of(s, n) : 0;
		if (!n)
			fputs("\\ufffd", to);
		else if (code == '"' || code == '\\')
			fprintf(to, "\\%c", (int)code);
		else if (is_control(code) || is_line_end(code))
			fprintf(to, "\\u%04x", code);
		else
			fwrite(s, 1, n, to);
	}
	putc('"', to);
}

/* A spreadsheet takes these for the beginning of a formula; the last four are their wide forms. */
static bool begins_formula(const char *s)
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
	bool quoted = s[strcspn(s, ",\"#")] != 0;
	if (quoted)
		putc('"', to);
	if (begins_formula(s))
		putc('\'', to);
	for (size_t n; *s; s += n ? n : 1) {
		n = program_utf8(s);
		uint32_t code = n ? code_of(s, n) : 0;
		if (!n)
			fputs("\xef\xbf\xbd", to);
		else if (is_control(code) || is_line_end(code))
			fprintf(to, "\\u%04x", code);
		else if (code == '"')
			fputs("\"\"", to);
		else
			fwrite(s, 1, n, to);
	}
	if (quoted)
		putc('"', to);
}
