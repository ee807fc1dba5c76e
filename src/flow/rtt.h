/* SPDX-License-Identifier: MIT */
/* Round trips of a connection, as a bystander sees them: from data to the ACK for the data.
 *
 * A sample in progress is a sequence number, with its ACK awaited, at most one for each end.  Few
 * connections have a sample in progress at a time.  So samples lie in slots, shared by flows by the
 * lower bits of the entry's number.  If the slot holds a sample younger than BPEI_RTT_SAMPLE_NS,
 * the flow is not sampled.  The times of duplicate ACKs (dupack.h) are shared alike. */
#ifndef BPEI_FLOW_RTT_H
#define BPEI_FLOW_RTT_H

#include "flow/marks.h"

#define BPEI_RTT_SLOTS 4096u
#define BPEI_RTT_SAMPLE_NS 1000000000u
#define BPEI_DUPACK_SLOTS 8192u

struct bpei_rtt_sample {
	uint32_t flow; /* entry + 1; 0: free */
	uint32_t next; /* number after the data */
	int64_t ns;    /* when the data was sent; INT64_MIN if free */
};

/* When an end that repeats an ACK sent the last duplicate. */
struct bpei_dupack_time {
	int64_t ns;
	uint32_t flow; /* entry + 1 */
};

/* Slots shared by connections.  rtt[0] takes samples which are not kept, to spare a branch. */
struct bpei_tcp_scratch {
	struct bpei_rtt_sample rtt[BPEI_RTT_SLOTS + 1][2];    /* by the end that sent the data */
	struct bpei_dupack_time dupack[BPEI_DUPACK_SLOTS][2]; /* by end */
};

/* A round trip found by the fast path.  sender: 2 * entry + the end that acknowledged. */
struct bpei_rtt_event {
	int64_t rtt_ns;
	uint32_t sender;
};

/* Returns a time in 16 bits, to a precision of 1/1,024: 11 bits and a shift.  Never returns 0. */
uint16_t bpei_span_pack(int64_t ns);

/* Returns the packed time, rounded. */
int64_t bpei_span_unpack(uint16_t packed);

/* Adds a round trip to the smoothed one (RFC 6298, section 2).  end: the end that acknowledged. */
void bpei_rtt_add(struct bpei_table *t, uint32_t entry, uint32_t end, int64_t rtt_ns);

/* Frees the sample of the end's data, if the slot is the flow's. */
void bpei_rtt_sample_cancel(struct bpei_table *t, uint32_t entry, uint32_t end);

/* Returns the slots of both ends of the flow. */
static inline struct bpei_rtt_sample *bpei_rtt_slots_of(struct bpei_table *t, uint32_t entry)
{
	return t->scratch->rtt[entry % BPEI_RTT_SLOTS + 1];
}

/* Starts a sample for data sent by the end for the first time, if has_data and the slot is free
 * or old.  Branch-free, since whether the slot is free is unpredictable: rtt[0] is written instead
 * by masking the slot's distance from rtt[0]. */
static inline void bpei_rtt_sample_start(struct bpei_table *t, uint32_t entry, uint32_t end,
	uint32_t next, int64_t ns, bool has_data)
{
	struct bpei_rtt_sample *const slots = bpei_rtt_slots_of(t, entry);
	char *const unused = (char *)t->scratch->rtt[0];
	const uint64_t age_ns = (uint64_t)ns - (uint64_t)slots[end].ns;
	const uint64_t mask = -(uint64_t)(has_data & (age_ns >= BPEI_RTT_SAMPLE_NS));
	const uint64_t distance = (uint64_t)((char *)slots - unused) & mask;
	struct bpei_rtt_sample *to = (struct bpei_rtt_sample *)(unused + distance) + end;

	to->flow = entry + 1;
	to->next = next;
	to->ns = ns;
}

/* Completes the sample of the other end's data if this end's ACK covers the data.  ack_change: 0 if
 * the ACK number is the end's last, which may have come before the data; else up to 24 bits.
 * Writes *event in any case.  Returns 1 if the sample is complete, else 0.  Branch-free, since the
 * result is unpredictable. */
static inline uint32_t bpei_rtt_sample_complete(struct bpei_table *t, uint32_t entry, uint32_t end,
	uint32_t ack, uint32_t ack_change, int64_t ns, struct bpei_rtt_event *event)
{
	struct bpei_rtt_sample *sample = &bpei_rtt_slots_of(t, entry)[!end];
	const uint32_t flow = sample->flow;
	const uint32_t before_data_or_same = ((ack - sample->next) | (ack_change - 1)) >> 31;
	const uint32_t keep = (flow ^ (entry + 1)) | before_data_or_same;
	const int64_t sent_ns = sample->ns;

	*event = (struct bpei_rtt_event){ (int64_t)((uint64_t)ns - (uint64_t)sent_ns),
		2 * entry + end };
	sample->flow = keep ? flow : 0;
	sample->ns = keep ? sent_ns : INT64_MIN;
	return !keep;
}

#endif
