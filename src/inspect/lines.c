/* SPDX-License-Identifier: MIT */
/* Lines of text protocols (lines.h).  Pure. */
#include "inspect/lines.h"

enum bpei_match bpei_line_find(
	const struct bpei_stream *stream, uint32_t at, uint32_t most, struct bpei_text_line *line)
{
	const uint8_t *const text = stream->bytes + at;
	const uint32_t left = stream->n - at;

	for (uint32_t i = 0; i < left; i++) {
		const uint8_t byte = text[i];

		if (i > most)
			return BPEI_MATCH_NO;
		if (byte == '\n') {
			line->text = text;
			line->n = i && text[i - 1] == '\r' ? i - 1 : i;
			line->next = at + i + 1;
			return BPEI_MATCH_YES;
		}
		if (byte == '\r' && i + 1 < left && text[i + 1] != '\n')
			return BPEI_MATCH_NO;
		if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 0x7f)
			return BPEI_MATCH_NO;
	}
	return left > most ? BPEI_MATCH_NO : BPEI_MATCH_SHORT;
}

/* Returns the letter as a capital. */
static uint8_t raise_letter(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* Returns whether n bytes are those of a text in capitals, in either case. */
static bool match_letters(const uint8_t *bytes, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (raise_letter(bytes[i]) != (uint8_t)text[i])
			return false;
	return true;
}

bool bpei_line_begins(const struct bpei_text_line *line, const char *text)
{
	const size_t n = strlen(text);

	return line->n >= n && match_letters(line->text, text, n);
}

uint32_t bpei_line_word(const struct bpei_text_line *line, const char *words)
{
	uint32_t length = 0;
	uint32_t number = 1;

	while (length < line->n && line->text[length] != ' ')
		length++;
	for (; *words; number++) {
		const size_t n = strcspn(words, " ");

		if (n == length && match_letters(line->text, words, n))
			return number;
		words += n;
		words += *words == ' ';
	}
	return 0;
}

bool bpei_line_has(const struct bpei_text_line *line, const char *text)
{
	const size_t n = strlen(text);

	for (size_t i = 0; i + n <= line->n; i++)
		if (match_letters(line->text + i, text, n))
			return true;
	return false;
}

enum bpei_match bpei_stream_word(const struct bpei_stream *stream, uint32_t at, const char *words)
{
	const uint8_t *const text = stream->bytes + at;
	const uint32_t left = stream->n - at;

	while (*words) {
		const uint32_t n = (uint32_t)strcspn(words, " ");
		const uint32_t here = left < n ? left : n;

		if (match_letters(text, words, here)) {
			if (here == left)
				return BPEI_MATCH_SHORT;
			if (text[n] == ' ' || text[n] == '\r' || text[n] == '\n')
				return BPEI_MATCH_YES;
		}
		words += n;
		words += *words == ' ';
	}
	return BPEI_MATCH_NO;
}

enum bpei_match bpei_stream_match(
	const struct bpei_stream *stream, uint32_t at, const char *bytes, uint32_t n)
{
	const uint32_t left = stream->n - at;
	const uint32_t here = left < n ? left : n;

	if (memcmp(stream->bytes + at, bytes, here) != 0)
		return BPEI_MATCH_NO;
	return here == n ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}
