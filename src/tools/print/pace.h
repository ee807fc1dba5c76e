/* SPDX-License-Identifier: MIT */
/* How many lines a terminal gets in a second.
 *
 * A packet of a live source beyond the limit is left out.  A savefile waits for the next second,
 * so nothing of a savefile is left out. */
#ifndef PRINT_PACE_H
#define PRINT_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PACE_LINES 2000 /* a second, unless the user says so */

struct print_pace {
	uint64_t limit;            /* lines a second; 0: none */
	uint64_t lines;            /* in this second */
	uint64_t left_out;         /* since the last line that told */
	int64_t second_ns;         /* when this second began */
	_Atomic uint64_t withheld; /* in all; w: printing thread  r: any */
};

/* Returns whether a second is over, and begins the next. */
bool pace_advance(struct print_pace *pace, int64_t now_ns);
/* Returns whether the second has room for another packet. */
static inline bool pace_has_room(const struct print_pace *pace)
{
	return !pace->limit || pace->lines < pace->limit;
}
/* Leaves packets out. */
void pace_leave_out(struct print_pace *pace, uint64_t packets);
/* Returns the monotonic clock. */
int64_t pace_clock_ns(void);
/* Waits at most so long; a signal ends the wait. */
void pace_sleep(int64_t ns);

#endif
