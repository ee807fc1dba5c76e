/* SPDX-License-Identifier: MIT */
/* The page's part on flow records: sums and histograms, growing with each record.
 *
 * A record is a whole flow, or a period of a flow (--flow-active).  So a long flow counts at
 * the end, or period by period. */
#ifndef METRICS_TOTALS_H
#define METRICS_TOTALS_H

#include "bpfengine.h"
#include "histogram.h"
#include "top.h"

#define METRICS_ENDS 8

enum metrics_health {
	METRICS_RETRANSMISSION = 0,
	METRICS_SPURIOUS,
	METRICS_OUT_OF_ORDER,
	METRICS_LOST_SEGMENT,
	METRICS_ZERO_WINDOW,
	METRICS_HEALTH_COUNT
};

struct metrics_totals {
	uint64_t records[METRICS_ENDS]; /* by enum bpe_flow_end */
	struct metrics_histogram durations;
	/* Index 0: the originator; 1: the responder. */
	struct metrics_histogram handshakes[2], round_trips[2];
	uint64_t health[METRICS_HEALTH_COUNT][2];
	struct metrics_share apps[BPE_APP_COUNT];
	struct metrics_top processes, interfaces, servers;
};

/* Opens empty totals.  places: of processes and of interfaces; servers: of names of responders, 0:
 * none.  Returns false without memory. */
bool metrics_totals_open(struct metrics_totals *totals, uint32_t places, uint32_t servers);
void metrics_totals_close(struct metrics_totals *totals);
void metrics_totals_add(struct metrics_totals *totals, const struct bpe_flow *flow);
/* Writes the families. */
void metrics_totals_put(struct metrics_page *page, const struct metrics_totals *totals);

#endif
