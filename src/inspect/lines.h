/* SPDX-License-Identifier: MIT */
/* Lines of text protocols, and fixed bytes, at a place of a stream.  Pure. */
#ifndef BPEI_LINES_H
#define BPEI_LINES_H

#include "base/bytes.h"
#include "inspect/inspect.h"

/* Most bytes of a line of a text protocol. */
#define BPEI_LINE_MOST 8192u

enum bpei_match {
	BPEI_MATCH_NO = 0,
	BPEI_MATCH_SHORT, /* the bytes end before the answer is known; no byte differs so far */
	BPEI_MATCH_YES
};

/* A line without its end. */
struct bpei_text_line {
	const uint8_t *text;
	uint32_t n;
	uint32_t next; /* where the line behind begins */
};

/* Finds the line that begins at `at`, which ends with LF or CR LF.  NO: a control byte other than
 * HT is in the line, or the line has more than `most` bytes. */
enum bpei_match bpei_line_find(
	const struct bpei_stream *stream, uint32_t at, uint32_t most, struct bpei_text_line *line);
/* Returns whether the line begins with the text, in either case; the text is in capitals. */
bool bpei_line_begins(const struct bpei_text_line *line, const char *text);
/* Returns the word of a list separated by blanks with which the line begins, counted from 1; a word
 * ends at a blank or with the line.  0: none. */
uint32_t bpei_line_word(const struct bpei_text_line *line, const char *words);
/* Returns whether the text is in the line, in either case; the text is in capitals. */
bool bpei_line_has(const struct bpei_text_line *line, const char *text);
/* Compares the word at `at` of a stream with words in capitals, separated by blanks.  The word ends
 * at a blank or at the end of the line. */
enum bpei_match bpei_stream_word(const struct bpei_stream *stream, uint32_t at, const char *words);
/* Compares the bytes at `at` with n given ones. */
enum bpei_match bpei_stream_match(
	const struct bpei_stream *stream, uint32_t at, const char *bytes, uint32_t n);

/* Returns true if no more bytes will come. */
static inline bool bpei_stream_over(const struct bpei_stream *stream)
{
	return stream->last || stream->n >= BPEI_STREAM_MOST;
}

/* Asks for more bytes, at least up to `want` in all; 0: any. */
static inline enum bpei_verdict bpei_stream_more(struct bpei_stream *stream, uint32_t want)
{
	stream->want = want;
	return BPEI_MORE;
}

/* Says that another protocol begins at `at`. */
static inline enum bpei_verdict bpei_stream_inner(struct bpei_stream *stream, uint32_t at)
{
	stream->inner = at;
	return BPEI_INNER;
}

/* Compares the bytes at `at` with the start of a TLS handshake record: type 22, version 3.0 to
 * 3.4 (RFC 8446 5.1). */
static inline enum bpei_match bpei_stream_tls(const struct bpei_stream *stream, uint32_t at)
{
	const uint8_t *const p = stream->bytes + at;
	const uint32_t left = stream->n - at;

	if ((left > 0 && p[0] != 22) || (left > 1 && p[1] != 3) || (left > 2 && p[2] > 4))
		return BPEI_MATCH_NO;
	return left > 2 ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}

/* Returns whether TLS begins at `at`, where else a line of text would. */
static inline bool bpei_stream_ciphers(const struct bpei_stream *stream, uint32_t at)
{
	return stream->n > at && bpei_stream_tls(stream, at) != BPEI_MATCH_NO;
}

#endif
