/* SPDX-License-Identifier: MIT */
/* Whether duplicate ACKs request a segment. */
#include "flow/dupack.h"

#define FAST_NS 20000000 /* the limit of Wireshark's tcp.analysis */

/* Returns the window after duplicate ACKs in which a retransmission counts as fast: twice the round
 * trip between here and the sender, but at least FAST_NS. */
static int64_t fast_retransmission_window(
	const struct bpei_table *t, uint32_t entry, uint32_t sender)
{
	const uint32_t originator = bpei_entry_originator(&t->entries[entry]);
	const int64_t rtt_ns = bpei_span_unpack(t->cold[entry].rtt[sender ^ originator]);

	return 2 * rtt_ns > FAST_NS ? 2 * rtt_ns : FAST_NS;
}

bool bpei_dupack_requests(
	struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t seq, int64_t ns)
{
	const struct bpei_flow_cold *const cold = &t->cold[entry];
	const struct bpei_dupack_time *const last =
		&t->scratch->dupack[entry % BPEI_DUPACK_SLOTS][end];
	const int64_t since_ns = (int64_t)((uint64_t)ns - (uint64_t)last->ns);

	return bpei_dupack_run(cold, end) >= 2 && bpei_cold_ack(cold, end) == (seq & ACK_NUMBER) &&
	       last->flow == entry + 1 && since_ns < fast_retransmission_window(t, entry, !end);
}
