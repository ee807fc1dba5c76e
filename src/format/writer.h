/* SPDX-License-Identifier: MIT */
/* Writes text into a caller's bytes, never past their end.  A writer without room sets `full`, and
 * stays full.  Pure. */
#ifndef BPEI_FORMAT_WRITER_H
#define BPEI_FORMAT_WRITER_H

#include "bpfengine.h"

#include <string.h>

struct bpei_writer {
	char *at, *end; /* end: the place of the terminating 0 */
	bool full;
};

static inline void bpei_write_bytes(struct bpei_writer *w, const char *s, size_t n)
{
	if ((size_t)(w->end - w->at) < n) {
		w->full = true;
		return;
	}
	memcpy(w->at, s, n);
	w->at += n;
}

/* Writes a string literal. */
#define BPEI_WRITE(w, literal) bpei_write_bytes(w, "" literal, sizeof literal - 1)

static inline void bpei_write_string(struct bpei_writer *w, const char *s)
{
	bpei_write_bytes(w, s, strlen(s));
}

static inline void bpei_write_char(struct bpei_writer *w, char c)
{
	bpei_write_bytes(w, &c, 1);
}

/* ---- writer.c ---- */

void bpei_write_number(struct bpei_writer *w, uint64_t v);
void bpei_write_signed(struct bpei_writer *w, int64_t v);

/* Writes `name`, which is all text before the number, and the number. */
void bpei_write_member(struct bpei_writer *w, const char *name, uint64_t v);

/* Writes `name`, which ends with an opening quote, the value and a closing quote.  The value is not
 * escaped. */
void bpei_write_quoted(struct bpei_writer *w, const char *name, const char *value);

/* Writes the last `digits` digits, with leading zeros. */
void bpei_write_digits(struct bpei_writer *w, uint64_t v, int digits);

/* Writes seconds as 1.000000000.  digits: behind the point, 6 or 9; further digits are cut off. */
void bpei_write_seconds(struct bpei_writer *w, int64_t ns, int digits);

/* Writes the time from one instant to another, which may be over 2^63 ns, as seconds. */
void bpei_write_span(struct bpei_writer *w, int64_t from_ns, int64_t to_ns, int digits);

/* Writes a time of UTC as 2026-01-31T23:59:59.123456, and the text `zone`. */
void bpei_write_iso(struct bpei_writer *w, int64_t ns, int digits, const char *zone);

/* Writes an address of IP version 4 or 6. */
void bpei_write_address(struct bpei_writer *w, const uint8_t *addr, int version);

/* Writes a quoted JSON string.  The text ends at a 0 or after `most` bytes.  Bytes that are not
 * UTF-8 become U+FFFD. */
void bpei_write_json(struct bpei_writer *w, const char *s, size_t most);

/* An object; each member is written with a comma before it. */
struct bpei_object {
	char *before, *begin;
	bool was_full;
};

/* Begins an object; name: all before its brace, as ,"tls": */
struct bpei_object bpei_write_object(struct bpei_writer *w, const char *name);
/* Ends the object.  An object without members is taken back, with its name. */
void bpei_write_object_end(struct bpei_writer *w, struct bpei_object object);

/* Writes a field of CSV by RFC 4180, quoted if needed; otherwise as bpei_write_json. */
void bpei_write_csv(struct bpei_writer *w, const char *s, size_t most);

#endif
