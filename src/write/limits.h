/* SPDX-License-Identifier: MIT */
/* When a file ends: at the first limit reached.  Pure. */
#ifndef BPEI_LIMITS_H
#define BPEI_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* The limits of each file; 0: none. */
struct bpei_limits {
	uint64_t bytes;   /* the file's length, before compression */
	uint64_t packets; /* packets in the file */
	int64_t every_ns; /* by the clock, aligned to multiples of local time */
	bool from_start;  /* every_ns counts from the file's start instead, as tcpdump -G does */
};

/* A file so far.  Fill with bpei_limits_begin. */
struct bpei_limit_state {
	uint64_t bytes;    /* the file's length so far, its header included */
	uint64_t packets;  /* in the file so far */
	uint64_t tail;     /* bytes that the file still needs at its end (statistics) */
	int64_t opened_ns; /* since 1970: the time in the file's name */
	int64_t ends_ns;   /* since 1970: the clock's limit; INT64_MAX: none */
};

/* Begins a file at now_ns.  local_offset_s: seconds of local time ahead of UTC. */
void bpei_limits_begin(struct bpei_limit_state *state, const struct bpei_limits *limits,
	int64_t now_ns, int32_t local_offset_s);

/* Returns true if the file ends before a packet of next_bytes (its whole record) is written at
 * now_ns.  next_bytes 0: no packet comes, and only the clock counts.  A file has at least a packet,
 * however long, unless the clock ends the file.  A clock that was set back behind the file's start
 * by more than every_ns ends the file, too. */
bool bpei_limits_reached(const struct bpei_limits *limits, const struct bpei_limit_state *state,
	uint64_t next_bytes, int64_t now_ns);

#endif
