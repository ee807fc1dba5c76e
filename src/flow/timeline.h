/* SPDX-License-Identifier: MIT */
/* One clock for all workers' flow tables, of a source whose packets' times may step back.  The reader makes of each packet's time one that never
 * goes back by more than BPEI_STEP_NS; by it tables age, whichever packets fall to them.  Records have their times mapped back. */
#ifndef BPEI_TIMELINE_H
#define BPEI_TIMELINE_H

#include "base/counter.h"

#include <stdbool.h>
#include <stdint.h>

#define BPEI_STEP_NS INT64_C(10000000000)
#define BPEI_ERAS 4096u		/* steps back that are told apart; those after them are not followed */

/* From then on (flow time) a packet's time + shift is its flow time. */
struct bpei_era { int64_t from_ns, shift_ns; };

struct bpei_timeline {
	struct bpei_era era[BPEI_ERAS];	/* w: reader, before eras  r: any below eras */
	_Atomic uint32_t eras;		/* w: reader  r: any */
	bpei_counter steps;		/* w: reader  r: any; jumps that were believed */
	int64_t clock_ns;		/* flow time; reader's own, and those below */
	int64_t jump_ns;		/* where the last packet jumped to */
	int jump;			/* 1: it jumped forward, -1: back, 0: it did not */
	bool has_time;
};

enum { BPEI_TIME_OWN = 0 /* flow_ns was not written */, BPEI_TIME_SHIFTED, BPEI_TIME_AHEAD /* of the clock, which is not believed to be there */ };

/* Flow times of the next n packets, and of what kind they are.  least_ns, most_ns: of time_ns. */
void bpei_timeline_follow(struct bpei_timeline *timeline, const int64_t *time_ns, uint32_t n, int64_t least_ns, int64_t most_ns,
			  int64_t *flow_ns, uint8_t *kind);
/* A moment of the source's clock as flow time, for when no packets come. */
int64_t bpei_timeline_now(const struct bpei_timeline *timeline, int64_t ns);
/* Back to the packets' time.  timeline NULL: nothing is to be mapped.  Any thread that a packet of that time has reached. */
int64_t bpei_timeline_time(const struct bpei_timeline *timeline, int64_t flow_ns);

#endif
