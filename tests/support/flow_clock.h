/* SPDX-License-Identifier: MIT */
/* The product's clock for a flow table under test: as the reader and a worker of the engine do,
 * maps each packet's time to flow time, sets the table's clock, and updates the table. */
#ifndef FLOW_CLOCK_H
#define FLOW_CLOCK_H

#include "flow/flow.h"
#include "flow/flow_time.h"

/* Updates the table with a batch.  timeline: zeroed before the first batch, and the table's
 * options.timeline.  flow: as bpei_table_update. */
static inline void flow_clock_update(struct bpei_timeline *timeline, struct bpei_table *table,
	const struct bpe_batch *batch, uint32_t flow[BPE_BATCH]) BPEI_WORKER
{
	int64_t flow_ns[BPE_BATCH];
	uint8_t kind[BPE_BATCH];
	int64_t least_ns = INT64_MAX;
	int64_t most_ns = INT64_MIN;
	int64_t clock_ns = INT64_MIN;
	struct bpe_batch view = *batch;

	for (uint32_t p = 0; p < batch->count; p++) {
		least_ns = batch->time_ns[p] < least_ns ? batch->time_ns[p] : least_ns;
		most_ns = batch->time_ns[p] > most_ns ? batch->time_ns[p] : most_ns;
	}
	bpei_timeline_follow(
		timeline, batch->time_ns, batch->count, least_ns, most_ns, flow_ns, kind);
	for (uint32_t p = 0; p < batch->count; p++) {
		if (kind[p] == BPEI_TIME_OWN)
			flow_ns[p] = batch->time_ns[p];
		if (kind[p] != BPEI_TIME_AHEAD && flow_ns[p] > clock_ns)
			clock_ns = flow_ns[p];
	}
	view.time_ns = flow_ns;
	if (clock_ns > INT64_MIN)
		bpei_table_clock(table, clock_ns);
	bpei_table_update(table, &view, flow);
}

/* Ages the table to a time of the packets' clock, as the engine does when no packets come. */
static inline void flow_clock_age(
	const struct bpei_timeline *timeline, struct bpei_table *table, int64_t now_ns) BPEI_WORKER
{
	bpei_table_age(table, bpei_timeline_now(timeline, now_ns));
}

#endif
