/* SPDX-License-Identifier: MIT */
/* Flow time: one clock for the flow tables of all workers, where packets' times may step, or where
 * interfaces go by different clocks.
 *
 * The reader maps each packet's time to a flow time, which never goes back by more than
 * BPEI_STEP_NS.  Tables age by flow time, whichever packets a worker gets.  Records have their
 * times mapped back.  Owner: the reader writes; any thread maps back. */
#ifndef BPEI_TIMELINE_H
#define BPEI_TIMELINE_H

#include "base/counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_STEP_NS INT64_C(10000000000)
#define BPEI_ERAS 4096u /* steps of a line that are kept apart; later steps are not followed */
#define BPEI_LINES 64u  /* interfaces with a line of their own; others share the common line */

/* From flow time from_ns on, flow time = packet's time + shift_ns. */
struct bpei_era {
	int64_t from_ns, shift_ns;
};

/* The eras of packets that go by one clock. */
struct bpei_line {
	struct bpei_era era[BPEI_ERAS]; /* w: reader, before eras  r: any below eras */
	_Atomic uint32_t eras;          /* w: reader  r: any */
	int64_t jump_ns; /* reader's own: flow time to which the last packet jumped */
	int jump;        /* reader's own: 1 forward, -1 back, 0 no jump of the last packet */
};

struct bpei_timeline {
	struct bpei_line common; /* of all interfaces without a line of their own */
	struct bpei_line *own; /* BPEI_LINES, zeroed; NULL: all interfaces share the common line */
	uint32_t own_of[BPEI_LINES]; /* w: reader, before lines  r: any below lines; interface */
	_Atomic uint32_t lines;      /* w: reader  r: any; elements of own in use */
	bpei_counter steps;          /* w: reader  r: any; jumps believed, and lines started */
	int64_t clock_ns;            /* reader's own, as all below: flow time */
	uint32_t looks;              /* packets ahead that may still be looked at */
	bool has_time;
};

/* Packets in the order of arrival, of a source with several interfaces. */
struct bpei_arrivals {
	const int64_t *time_ns;
	const uint32_t *interface_id; /* NULL: all packets go by the common line */
	uint32_t n;
	int64_t least_ns, most_ns; /* of time_ns */
	/* Reads the next packet after the n packets, from *at (0 at first).  Returns false at the
	 * end.  May be NULL. */
	bool (*ahead)(void *user, size_t *at, uint32_t *interface_id, int64_t *time_ns);
	void *user;
};

/* Kinds of flow times.  BPEI_TIME_AHEAD: the flow time is ahead of the clock, which does not follow
 * yet. */
enum {
	BPEI_TIME_OWN = 0, /* the packet's own time; flow_ns was not written */
	BPEI_TIME_SHIFTED,
	BPEI_TIME_AHEAD
};

/* Writes flow times and their kinds (BPEI_TIME_) of the next n packets.  least_ns, most_ns: of
 * time_ns.  Reader's thread. */
void bpei_timeline_follow(struct bpei_timeline *timeline, const int64_t *time_ns, uint32_t n,
	int64_t least_ns, int64_t most_ns, int64_t *flow_ns, uint8_t *kind);

/* Writes flow times and their kinds, of a source whose interfaces may go by different clocks
 * (timeline->own is not NULL).  Reader's thread. */
void bpei_timeline_follow_interfaces(struct bpei_timeline *timeline,
	const struct bpei_arrivals *arrivals, int64_t *flow_ns, uint8_t *kind);

/* Returns a time of the source's clock as flow time, for when no packets come.  Reader's thread. */
int64_t bpei_timeline_now(const struct bpei_timeline *timeline, int64_t ns);

/* Returns the packet's time of a flow time, on the common line.  timeline NULL: returns flow_ns.
 * Any thread that a packet of that flow time has reached. */
int64_t bpei_timeline_time(const struct bpei_timeline *timeline, int64_t flow_ns);

/* Returns the packet's time of a flow time, on the line of an interface. */
int64_t bpei_timeline_time_of(
	const struct bpei_timeline *timeline, uint32_t interface_id, int64_t flow_ns);

/* Returns true if all flow times so far are the packets' own times.  Any thread. */
bool bpei_timeline_is_plain(const struct bpei_timeline *timeline);

#endif
