/* SPDX-License-Identifier: MIT */
/* Which segments belong to a connection's stream; window.c. */
#ifndef BPEI_FLOW_WINDOW_H
#define BPEI_FLOW_WINDOW_H

#include "flow/anomalies.h"

/* SEGMENT_RESUMES: the segment continues after a stray, so the stream is there. */
enum bpei_segment_class { SEGMENT_OF_STREAM, SEGMENT_STRAY, SEGMENT_RESUMES };

/* History letters by which cold.seq is known. */
#define BPEI_NUMBERED                                                                              \
	(1u << HISTORY_SYN | 1u << HISTORY_SYN_ACK | 1u << HISTORY_ACK | 1u << HISTORY_DATA |      \
		1u << HISTORY_FIN | 1u << HISTORY_MULTI)

/* Returns true if cold.seq of the end is known. */
static inline bool bpei_end_is_numbered(const struct bpei_table *t, uint32_t entry, uint32_t end)
{
	return t->history.seen[t->cold[entry].history].known[end] & BPEI_NUMBERED;
}

/* Returns true if the end's SYN was seen. */
bool bpei_end_has_syn(const struct bpei_table *t, uint32_t entry, uint32_t end);

/* Returns true if cold.isn of the end is known. */
bool bpei_end_has_isn(const struct bpei_table *t, uint32_t entry, uint32_t end);

/* Returns whether a segment with those TCP flags is part of the end's stream. */
enum bpei_segment_class bpei_segment_classify(const struct bpei_table *t, uint32_t entry,
	uint32_t end, const struct bpei_segment *s, uint32_t flags);

/* Keeps the number after a stray, or after another SYN, at which the stream may resume.  flags:
 * RESUME_.  Returns false without room: then the segment is taken as the stream's. */
bool bpei_resume_keep(
	struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t next, uint32_t flags);

/* Checks the kept number of an end against an ACK by the other end.  Returns true if the stream
 * resumes farther ahead, so segments between were not seen. */
bool bpei_resume_by_ack(struct bpei_table *t, uint32_t entry, struct bpei_tcp_anomalies *a,
	uint32_t end, uint32_t ack);

#endif
