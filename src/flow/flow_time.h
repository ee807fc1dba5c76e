/* SPDX-License-Identifier: MIT */
/* One clock for all workers' flow tables, of a source whose packets' times may step, or whose
 * interfaces go by different clocks.  The reader makes of each packet's time one that never goes
 * back by more than BPEI_STEP_NS; by it tables age, whichever packets fall to them.  Records have
 * their times mapped back. */
#ifndef BPEI_TIMELINE_H
#define BPEI_TIMELINE_H

#include "base/counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_STEP_NS INT64_C(10000000000)
#define BPEI_ERAS                                                                                  \
	4096u /* steps of a line that are told apart; those after them are not followed            \
	       */
#define BPEI_LINES                                                                                 \
	64u /* interfaces with a line of their own; those after them share the common one */

/* From then on (flow time) a packet's time + shift is its flow time. */
struct bpei_era {
	int64_t from_ns, shift_ns;
};

/* The eras of packets that go by one clock. */
struct bpei_line {
	struct bpei_era era[BPEI_ERAS]; /* w: reader, before eras  r: any below eras */
	_Atomic uint32_t eras;          /* w: reader  r: any */
	int64_t jump_ns; /* where the last packet jumped to; reader's own, and that below */
	int jump;        /* 1: it jumped forward, -1: back, 0: it did not */
};

struct bpei_timeline {
	struct bpei_line common; /* of all interfaces that have none of their own */
	struct bpei_line
		*own; /* BPEI_LINES of them, zeroed; NULL: all interfaces share the common one */
	uint32_t own_of[BPEI_LINES]; /* w: reader, before lines  r: any below lines; interface */
	_Atomic uint32_t lines;      /* w: reader  r: any; of own, in use */
	bpei_counter
		steps; /* w: reader  r: any; jumps that were believed, and lines that were begun */
	int64_t clock_ns; /* flow time; reader's own, and those below */
	uint32_t looks;   /* packets that may be looked at ahead of their turn */
	bool has_time;
};

/* Packets in the order of their arrival, of a source with several interfaces.  ahead: those behind
 * them, from *at on (0 at first), one a call, until it returns false; may be NULL. */
struct bpei_arrivals {
	const int64_t *time_ns;
	const uint32_t *interface_id;
	uint32_t n;
	int64_t least_ns, most_ns; /* of time_ns */
	bool (*ahead)(void *user, size_t *at, uint32_t *interface_id, int64_t *time_ns);
	void *user;
};

enum {
	BPEI_TIME_OWN = 0 /* flow_ns was not written */,
	BPEI_TIME_SHIFTED,
	BPEI_TIME_AHEAD /* of the clock, which is not believed to be there */
};

/* Flow times of the next n packets, and of what kind they are.  least_ns, most_ns: of time_ns. */
void bpei_timeline_follow(struct bpei_timeline *timeline, const int64_t *time_ns, uint32_t n,
	int64_t least_ns, int64_t most_ns, int64_t *flow_ns, uint8_t *kind);
/* The same of a source whose interfaces may go by different clocks (timeline->own is there). */
void bpei_timeline_follow_interfaces(struct bpei_timeline *timeline,
	const struct bpei_arrivals *arrivals, int64_t *flow_ns, uint8_t *kind);
/* A moment of the source's clock as flow time, for when no packets come. */
int64_t bpei_timeline_now(const struct bpei_timeline *timeline, int64_t ns);
/* Back to the packets' time, on the common line or an interface's.  timeline NULL: nothing is to be
 * mapped.  Any thread that a packet of that time has reached. */
int64_t bpei_timeline_time(const struct bpei_timeline *timeline, int64_t flow_ns);
int64_t bpei_timeline_time_of(
	const struct bpei_timeline *timeline, uint32_t interface_id, int64_t flow_ns);
/* Flow times are the packets' own, all of them so far.  Any thread. */
bool bpei_timeline_is_plain(const struct bpei_timeline *timeline);

#endif
