/* SPDX-License-Identifier: MIT */
/* Text written into a caller's bytes, never past their end: a writer that did not have room says so
 * once and for all (full).  Pure. */
#ifndef BPEI_WRITER_H
#define BPEI_WRITER_H

#include "bpfengine.h"

#include <string.h>

struct bpei_writer {
	char *at, *end; /* end: where the 0 goes */
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

/* Of a literal. */
#define BPEI_WRITE(w, literal) bpei_write_bytes(w, "" literal, sizeof literal - 1)

static inline void bpei_write_string(struct bpei_writer *w, const char *s)
{
	bpei_write_bytes(w, s, strlen(s));
}
static inline void bpei_write_char(struct bpei_writer *w, char c)
{
	bpei_write_bytes(w, &c, 1);
}

/* writer.c */
void bpei_write_number(struct bpei_writer *w, uint64_t v);
void bpei_write_member(struct bpei_writer *w, const char *name,
	uint64_t v); /* name is all that stands before the number */
void bpei_write_quoted(struct bpei_writer *w, const char *name,
	const char *value); /* and before the value, whose quotes it begins; not escaped */
void bpei_write_signed(struct bpei_writer *w, int64_t v);
void bpei_write_digits(
	struct bpei_writer *w, uint64_t v, int digits); /* the last so many, with zeros before */
void bpei_write_seconds(struct bpei_writer *w, int64_t ns,
	int digits); /* 1.000000000; digits behind the point: 6 or 9, cut off */
void bpei_write_span(struct bpei_writer *w, int64_t from_ns, int64_t to_ns,
	int digits); /* the same, of what lies between, which may be over 2^63 ns */
void bpei_write_iso(struct bpei_writer *w, int64_t ns, int digits,
	const char *zone); /* 2026-01-31T23:59:59.123456 and the zone, of UTC; digits as above */
void bpei_write_address(struct bpei_writer *w, const uint8_t *addr, int version);
void bpei_write_json(struct bpei_writer *w, const char *s,
	size_t most); /* quoted; ends at a 0 or after `most` bytes; what is not UTF-8 becomes U+FFFD
		       */
void bpei_write_csv(struct bpei_writer *w, const char *s,
	size_t most); /* the same by RFC 4180: quoted where it must be */

#endif
