/* SPDX-License-Identifier: MIT */
/* Runs a condition over a record (program.h).  Reads the record and the program, writes nothing.
 * Pure. */
#include "where/program.h"

#include "base/sized.h"

#include <string.h>

bool bpei_where_glob(
	const char *pattern, size_t pattern_bytes, const char *text, size_t bytes, bool exact)
{
	size_t p = 0;
	size_t t = 0;
	size_t star = SIZE_MAX; /* behind the last star; SIZE_MAX: none yet */
	size_t star_text = 0;   /* what the last star takes ends here */

	while (t < bytes || p < pattern_bytes) {
		const bool is_escaped = p + 1 < pattern_bytes && pattern[p] == '\\' && t < bytes;
		const size_t q = p + is_escaped;

		if (p < pattern_bytes && pattern[p] == '*') {
			star = ++p;
			star_text = t;
			continue;
		}
		if (q < pattern_bytes && t < bytes) {
			const char c = exact ? text[t] : bpei_where_small(text[t]);

			if (pattern[q] == c || (!is_escaped && pattern[q] == '?')) {
				p = q + 1;
				t++;
				continue;
			}
		}
		if (star == SIZE_MAX || star_text >= bytes)
			return false;
		p = star;
		t = ++star_text;
	}
	return true;
}

static bool equals_text(
	const char *value, size_t length, const char *text, size_t bytes, bool exact)
{
	if (length != bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (value[i] != (exact ? text[i] : bpei_where_small(text[i])))
			return false;
	return true;
}

/* Compares a text, or an element of a list. */
static bool is_text_match(const struct bpe_where *where, const struct bpei_where_step *s,
	const char *text, size_t bytes)
{
	const char *value = where->texts + s->value.text;
	const bool exact = s->field->exact;

	if (s->test == BPEI_WHERE_IS_LIKE)
		return bpei_where_glob(value, s->value.length, text, bytes, exact);
	return equals_text(value, s->value.length, text, bytes, exact);
}

static bool does_text_match(const struct bpe_where *where, const struct bpei_where_step *s,
	const struct bpe_flow *flow, int k)
{
	char room[9];
	size_t bytes;
	const char *text = bpei_where_text(s->field, flow, k, room, &bytes);

	if (!bytes || s->test == BPEI_WHERE_IS_KNOWN)
		return bytes != 0;
	if (s->field->kind != BPEI_WHERE_LIST)
		return is_text_match(where, s, text, bytes);
	for (const char *at = text;; at++) {
		const size_t left = bytes - (size_t)(at - text);
		const char *comma = memchr(at, ',', left);
		const size_t length = comma ? (size_t)(comma - at) : left;

		if (is_text_match(where, s, at, length))
			return true;
		if (!comma)
			return false;
		at = comma;
	}
}

static bool does_address_match(const struct bpei_where_step *s, const struct bpe_flow *flow, int k)
{
	const uint8_t *addr = (const uint8_t *)flow + s->field->offset + (size_t)k * 16;
	const uint8_t version = *((const uint8_t *)flow + s->field->more);
	const size_t whole = (size_t)s->value.number / 8;
	const unsigned rest = (unsigned)s->value.number % 8;

	if (s->test == BPEI_WHERE_IS_KNOWN)
		return version != 0;
	if (version != s->value.version || memcmp(addr, s->value.addr, whole))
		return false;
	return !rest || !((addr[whole] ^ s->value.addr[whole]) >> (8 - rest));
}

static bool compare_numbers(uint8_t test, int64_t a, int64_t b)
{
	switch (test) {
	case BPEI_WHERE_IS_EQUAL:
		return a == b;
	case BPEI_WHERE_IS_LESS:
		return a < b;
	case BPEI_WHERE_IS_AT_MOST:
		return a <= b;
	case BPEI_WHERE_IS_MORE:
		return a > b;
	case BPEI_WHERE_IS_AT_LEAST:
		return a >= b;
	default: /* BPEI_WHERE_IS_KNOWN */
		return true;
	}
}

static bool does_end_match(const struct bpe_where *where, const struct bpei_where_step *s,
	const struct bpe_flow *flow, int k)
{
	int64_t number;

	switch (s->field->kind) {
	case BPEI_WHERE_TEXT:
	case BPEI_WHERE_LIST:
	case BPEI_WHERE_LETTERS:
		return does_text_match(where, s, flow, k);
	case BPEI_WHERE_ADDRESS:
		return does_address_match(s, flow, k);
	default:
		return bpei_where_number(s->field, flow, k, &number) &&
		       compare_numbers(s->test, number, s->value.number);
	}
}

static bool does_step_match(
	const struct bpe_where *where, const struct bpei_where_step *s, const struct bpe_flow *flow)
{
	int64_t number;

	if (s->field->way == BPEI_WHERE_SUM || s->field->way == BPEI_WHERE_DIFFERENCE)
		return bpei_where_total(s->field, flow, s->end, &number) &&
		       compare_numbers(s->test, number, s->value.number);
	if (s->field->way == BPEI_WHERE_ONE || s->end != BPEI_WHERE_BOTH)
		return does_end_match(where, s, flow, s->end == BPEI_WHERE_RESP);
	return does_end_match(where, s, flow, 0) || does_end_match(where, s, flow, 1);
}

bool bpe_where_match(const struct bpe_where *where, const struct bpe_flow *flow)
{
	struct bpe_flow room;
	const struct bpe_flow *whole = bpei_flow_whole(flow, &room);
	uint32_t at = 0;

	if (!whole)
		return false;
	while (at < where->count) {
		const struct bpei_where_step *s = &where->steps[at];

		at = does_step_match(where, s, whole) ? s->yes : s->no;
	}
	return at == BPEI_WHERE_ACCEPT;
}
