/* SPDX-License-Identifier: MIT */
/* From bytes to tokens (lex.h). */
#include "where/lex.h"

#include <string.h>

static bool is_value_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80 || (c && strchr("_.:/*?%+-@#$~^", c));
}

static bool equals_keyword(const char *word, size_t length, const char *keyword)
{
	if (strlen(keyword) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((word[i] | 0x20) != keyword[i])
			return false;
	return true;
}

static uint32_t find_keyword(const char *word, size_t length)
{
	static const struct {
		const char *word;
		uint32_t kind;
	} keywords[] = { { "and", BPEI_WHERE_AND }, { "or", BPEI_WHERE_OR },
		{ "not", BPEI_WHERE_NOT }, { "in", BPEI_WHERE_IN }, { "like", BPEI_WHERE_LIKE } };

	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (equals_keyword(word, length, keywords[i].word))
			return keywords[i].kind;
	return BPEI_WHERE_WORD;
}

/* Finds the sign at s.  Two characters go before one. */
static struct bpei_where_token find_sign(const char *s, uint32_t at)
{
	static const struct {
		char text[3];
		uint8_t kind;
	} signs[] = { { "==", BPEI_WHERE_EQUAL }, { "!=", BPEI_WHERE_UNEQUAL },
		{ "<=", BPEI_WHERE_AT_MOST }, { ">=", BPEI_WHERE_AT_LEAST },
		{ "&&", BPEI_WHERE_AND }, { "||", BPEI_WHERE_OR }, { "=", BPEI_WHERE_EQUAL },
		{ "<", BPEI_WHERE_LESS }, { ">", BPEI_WHERE_MORE }, { "(", BPEI_WHERE_OPEN },
		{ ")", BPEI_WHERE_CLOSE }, { ",", BPEI_WHERE_COMMA }, { "!", BPEI_WHERE_NOT } };

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		const size_t n = strlen(signs[i].text);

		if (!strncmp(s, signs[i].text, n))
			return (struct bpei_where_token){ signs[i].kind, at, (uint32_t)n };
	}
	return (struct bpei_where_token){ BPEI_WHERE_STRAY, at, 1 };
}

static struct bpei_where_token find_quoted(const char *s, uint32_t at)
{
	const char *end = s + 1;

	while (*end && *end != *s)
		end += *end == '\\' && end[1] ? 2 : 1;
	const uint32_t length = (uint32_t)(end - s);

	if (!*end)
		return (struct bpei_where_token){ BPEI_WHERE_OPEN_QUOTE, at, length };
	return (struct bpei_where_token){ BPEI_WHERE_QUOTED, at, length + 1 };
}

struct bpei_where_token bpei_where_lex(const char *expression, uint32_t at)
{
	uint32_t length = 0;

	while (expression[at] && strchr(" \t\r\n", expression[at]))
		at++;
	const char *s = expression + at;

	if (!*s)
		return (struct bpei_where_token){ BPEI_WHERE_END, at, 0 };
	if (*s == '"' || *s == '\'')
		return find_quoted(s, at);
	while (is_value_byte(s[length]))
		length++;
	if (length)
		return (struct bpei_where_token){ find_keyword(s, length), at, length };
	return find_sign(s, at);
}

size_t bpei_where_unquote(const char *expression, const struct bpei_where_token *t, char *to)
{
	const char *s = expression + t->at;
	const char *end = s + t->length;
	size_t n = 0;

	if (t->kind != BPEI_WHERE_QUOTED) {
		memcpy(to, s, t->length);
		return t->length;
	}
	for (s++, end--; s < end; s++) {
		if (*s == '\\' && s + 1 < end && strchr("\"'\\", s[1]))
			s++;
		to[n++] = *s;
	}
	return n;
}
