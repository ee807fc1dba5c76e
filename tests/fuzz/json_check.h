/* SPDX-License-Identifier: MIT */
/* Tells whether a text is one JSON value (RFC 8259), and whether it may be shown on a terminal. */
#ifndef FUZZ_JSON_CHECK_H
#define FUZZ_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_DEPTH 16u

/* Tells whether a text is UTF-8 (RFC 3629) without the control characters C0, DEL and C1. */
static inline bool text_harmless(const char *text, size_t n)
{
	const uint8_t *s = (const uint8_t *)text;
	for (size_t i = 0; i < n;) {
		uint32_t more = 4;
		if (s[i] < 0x80)
			more = 0;
		else if (s[i] >> 5 == 6)
			more = 1;
		else if (s[i] >> 4 == 14)
			more = 2;
		else if (s[i] >> 3 == 30)
			more = 3;
		uint32_t c = more ? s[i] & (0x3fu >> more) : s[i];
		static const uint32_t least[4] = { 0, 0x80, 0x800, 0x10000 };
		if (more > 3 || more >= n - i)
			return false;
		for (uint32_t k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3f);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
		i += more + 1;
	}
	return true;
}

struct json {
	const char *at, *end;
};

static inline bool json_take(struct json *j, char c)
{
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static inline bool json_string(struct json *j)
{
	if (!json_take(j, '"'))
		return false;
	while (j->at < j->end && *j->at != '"') {
		if ((unsigned char)*j->at < 0x20)
			return false;
		if (*j->at++ != '\\')
			continue;
		if (j->at == j->end)
			return false;
		char c = *j->at++;
		for (int k = 0; c == 'u' && k < 4; k++)
			if (j->at == j->end || !strchr("0123456789abcdefABCDEF", *j->at++))
				return false;
		if (!strchr("\"\\/bfnrtu", c))
			return false;
	}
	return json_take(j, '"');
}

static inline size_t json_digits(struct json *j)
{
	size_t n = 0;
	while (j->at < j->end && *j->at >= '0' && *j->at <= '9') {
		j->at++;
		n++;
	}
	return n;
}

static inline bool json_number(struct json *j)
{
	json_take(j, '-');
	if (!json_take(j, '0') && !json_digits(j))
		return false;
	if (json_take(j, '.') && !json_digits(j))
		return false;
	if (!json_take(j, 'e') && !json_take(j, 'E'))
		return true;
	if (!json_take(j, '+'))
		json_take(j, '-');
	return json_digits(j) > 0;
}

static inline bool json_word(struct json *j, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n))
		return false;
	j->at += n;
	return true;
}

/* Parses a value.  The lines of the formats have no blanks between parts. */
static inline bool json_value(struct json *j, unsigned depth)
{
	if (j->at == j->end || depth > JSON_DEPTH)
		return false;
	if (*j->at == '"')
		return json_string(j);
	if (*j->at == '{' || *j->at == '[') {
		char close = *j->at == '{' ? '}' : ']';
		bool names = *j->at++ == '{';
		if (json_take(j, close))
			return true;
		do {
			if (names && (!json_string(j) || !json_take(j, ':')))
				return false;
			if (!json_value(j, depth + 1))
				return false;
		} while (json_take(j, ','));
		return json_take(j, close);
	}
	return json_word(j, "true") || json_word(j, "false") || json_word(j, "null") ||
	       json_number(j);
}

static inline bool json_valid(const char *text, size_t n)
{
	struct json j = { text, text + n };
	return json_value(&j, 0) && j.at == j.end;
}

#endif
