/* SPDX-License-Identifier: MIT */
/* Sums by a name with too many values: at most K names are shown, and the rest is "other".
 *
 * Prometheus takes a falling counter for a start anew, and a growing counter for new events.  A
 * shown name is therefore shown until the end of the process, and the sums only grow.  A later name
 * counts from then on, and the bytes from before stay in "other".  So no byte is counted twice,
 * none is lost, and "other" never falls.
 *
 * The first half of the places goes to the first names.  Each other place goes to a name with at
 * least 1/(2 K) of all bytes.  Names that wait for a place are followed by space-saving (Metwally
 * et al., 2005) with 4 K counters; of the bytes only the sure part counts. */
#ifndef METRICS_TOP_H
#define METRICS_TOP_H

#include <stdbool.h>
#include <stdint.h>

#define METRICS_PLACES_MOST 200
#define METRICS_NAME_BYTES 256

/* The contents of flows.  Index 0: sent by the originator; 1: by the responder. */
struct metrics_share {
	uint64_t bytes[2], packets[2];
	uint64_t flows;
};

struct metrics_shown {
	char name[METRICS_NAME_BYTES];
	uint32_t hash;
	struct metrics_share share;
};

/* A name on the way to a place. */
struct metrics_waiting {
	char name[METRICS_NAME_BYTES];
	uint32_t hash;
	uint64_t bytes;  /* at most so many were the name's */
	uint64_t excess; /* of bytes: of forgotten names */
};

struct metrics_top {
	uint32_t places, shown_count;
	uint32_t waiting_room, waiting_count;
	struct metrics_shown *shown;
	struct metrics_waiting *waiting;
	struct metrics_share other;   /* of hidden names */
	struct metrics_share unknown; /* of flows without a name */
	uint64_t bytes;               /* of all names */
};

/* Opens an empty list with K places, 0 to METRICS_PLACES_MOST.  Returns false without memory. */
bool metrics_top_open(struct metrics_top *top, uint32_t places);
void metrics_top_close(struct metrics_top *top);
/* Adds a share to the sums of a name; "": the name is not known.  Names "other" and "unknown" are
 * no names of their own. */
void metrics_top_add(struct metrics_top *top, const char *name, const struct metrics_share *share);

#endif
