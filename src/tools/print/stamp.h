/* SPDX-License-Identifier: MIT */
/* Time stamps before lines, as tcpdump's -t, -tt, -ttt, -tttt and -ttttt write them. */
#ifndef PRINT_STAMP_H
#define PRINT_STAMP_H

#include "line.h"

#define STAMP_BYTES 48 /* room that stamp_put needs */

struct print_stamp {
	uint32_t form;    /* enum print_time */
	uint32_t digits;  /* of the fraction: 6 or 9 */
	bool is_utc;      /* RFC 3339 without the Z at the end */
	bool has_base;    /* base_ns is known */
	int64_t base_ns;  /* the packet before, or the first packet */
	int64_t second;   /* the second of `text`; INT64_MIN: none */
	int64_t block;    /* the quarter of an hour of offset_s; INT64_MIN: none */
	int64_t offset_s; /* of local time from UTC */
	uint32_t length;  /* of text */
	char text[32];    /* all before the fraction */
};

/* Reads the time zone.  Runs before the program is confined. */
void stamp_begin(struct print_stamp *stamp, uint32_t form, bool nanoseconds);
/* Prepares stamps of RFC 3339 in UTC, with nanoseconds and without the Z at the end. */
void stamp_begin_utc(struct print_stamp *stamp);
/* Writes the stamp of a packet without a blank behind it.  Returns the end; no stamp: `at`. */
char *stamp_put(struct print_stamp *stamp, char *at, int64_t ns);

#endif
