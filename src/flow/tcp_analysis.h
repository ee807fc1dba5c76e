/* SPDX-License-Identifier: MIT */
/* Analysis of a connection's sequence numbers: events of the fast path (tcp_fast.c), handled
 * after the loop, and the general path (tcp_analysis.c). */
#ifndef BPEI_FLOW_TCP_ANALYSIS_H
#define BPEI_FLOW_TCP_ANALYSIS_H

#include "flow/duplicate.h"
#include "flow/rtt.h"
#include "flow/window.h"

/* ---- Events of the fast path ---- */

/* An ACK which is a duplicate (is_duplicate), ends a run of duplicates (ends_run), or comes within
 * a run.  sender: 2 * entry + the end that acknowledged. */
struct bpei_dupack_event {
	int64_t ns;
	uint32_t sender, ack;
	uint32_t other_seq; /* the other end's next number */
	bool is_duplicate, ends_run;
	uint32_t fingerprint_change; /* from the end's last segment */
};

/* Events found by the fast path and processed after the loop, so the loop has no unpredictable
 * branch. */
struct bpei_tcp_events {
	struct bpei_rtt_event rtt[BPE_BATCH + 1];
	struct bpei_dupack_event dupack[BPE_BATCH + 1];
	struct bpei_rtt_event *rtt_tail; /* after the last */
	struct bpei_dupack_event *dupack_tail;
};

/* Forgets all events. */
static inline void bpei_tcp_events_clear(struct bpei_tcp_events *events)
{
	events->rtt_tail = events->rtt;
	events->dupack_tail = events->dupack;
}

/* Applies all events to their connections, and clears them. */
void bpei_tcp_events_apply(struct bpei_table *t, struct bpei_tcp_events *events);

/* ---- The general path ---- */

/* Analyzes a segment, before the flow's counters and history have it.  Returns the history letters
 * of the segment, as bits. */
uint16_t bpei_tcp_analyze(struct bpei_table *t, const struct bpei_flow_segment *segment);

/* Returns true if a SYN on the flow's ports starts a new connection: not a SYN sent again or late,
 * since the number is another.  now_ns: flow time of the SYN. */
bool bpei_tcp_is_new_connection(const struct bpei_table *t, uint32_t entry, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t now_ns);

/* ---- syn_options.c ---- */

/* Keeps MSS and window scale of the end's SYN, by a number shared by flows with the same
 * options.  Marks the flow STATE_CUT if there is no room. */
void bpei_syn_options_intern(
	struct bpei_table *t, uint32_t entry, uint32_t end, const struct bpe_tcp_options *options);

#endif
