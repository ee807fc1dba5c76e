/* SPDX-License-Identifier: MIT */
/* Runs of duplicate ACKs: how many an end has sent in a row, and when the last one came, by which a
 * fast retransmission is recognised. */
#ifndef BPEI_FLOW_DUPACK_H
#define BPEI_FLOW_DUPACK_H

#include "flow/rtt.h"

/* Returns the number of duplicate ACKs that the end has sent in a row, at most 3. */
static inline uint32_t bpei_dupack_run(const struct bpei_flow_cold *cold, uint32_t end)
{
	return cold->ack[end] >> ACK_DUPACK_SHIFT & 3;
}

/* Ends the run of the end. */
static inline void bpei_dupack_run_end(struct bpei_flow_cold *cold, uint32_t end)
{
	cold->ack[end] &= ~ACK_DUPACK_MASK;
}

/* Counts a duplicate ACK of the end. */
static inline void bpei_dupack_run_extend(struct bpei_table *t, uint32_t entry, uint32_t end)
{
	struct bpei_flow_cold *const cold = &t->cold[entry];

	bpei_mark_add(t, BPE_MARK_REPEATED_ACK);
	if (cold->repeated[end] == UINT16_MAX)
		bpei_entry_set_state(&t->entries[entry], 0, STATE_CUT);
	else
		cold->repeated[end]++;
	if (bpei_dupack_run(cold, end) < 3)
		cold->ack[end] += (uint32_t)1 << ACK_DUPACK_SHIFT;
}

/* Keeps the time of the last ACK in a run of two or more. */
static inline void bpei_dupack_run_stamp(
	struct bpei_table *t, uint32_t entry, uint32_t end, int64_t ns)
{
	t->scratch->dupack[entry % BPEI_DUPACK_SLOTS][end] =
		(struct bpei_dupack_time){ ns, entry + 1 };
}

/* Returns true if the end has just sent at least two duplicate ACKs for number seq of the other
 * end. */
bool bpei_dupack_requests(
	struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t seq, int64_t ns);

#endif
