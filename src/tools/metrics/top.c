/* SPDX-License-Identifier: MIT */
/* Sums by name with a bound (top.h).  The caller owns the state, and frees by metrics_top_close. */
#include "top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_A_PLACE = 4 };

bool metrics_top_open(struct metrics_top *top, uint32_t places)
{
	memset(top, 0, sizeof *top);
	if (!places)
		return true;
	top->shown = calloc(places, sizeof *top->shown);
	top->waiting = calloc(places, WAITING_A_PLACE * sizeof *top->waiting);
	if (!top->shown || !top->waiting) {
		metrics_top_close(top);
		return false;
	}
	top->places = places;
	top->waiting_room = places * WAITING_A_PLACE;
	return true;
}

void metrics_top_close(struct metrics_top *top)
{
	free(top->shown);
	free(top->waiting);
	memset(top, 0, sizeof *top);
}

/* Returns the hash FNV-1a of a name. */
static uint32_t hash_top_name(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static void add_top_share(struct metrics_share *to, const struct metrics_share *share)
{
	for (int k = 0; k < 2; k++) {
		to->bytes[k] += share->bytes[k];
		to->packets[k] += share->packets[k];
	}
	to->flows += share->flows;
}

static struct metrics_shown *find_shown(struct metrics_top *top, const char *name, uint32_t hash)
{
	for (uint32_t k = 0; k < top->shown_count; k++)
		if (top->shown[k].hash == hash && !strcmp(top->shown[k].name, name))
			return &top->shown[k];
	return NULL;
}

/* Gives a name the next place. */
static struct metrics_shown *give_place(struct metrics_top *top, const char *name, uint32_t hash)
{
	struct metrics_shown *const s = &top->shown[top->shown_count++];

	snprintf(s->name, sizeof s->name, "%s", name);
	s->hash = hash;
	return s;
}

/* Returns the counter of a waiting name: of the same name, free, or the smallest. */
static struct metrics_waiting *find_waiting(
	struct metrics_top *top, const char *name, uint32_t hash)
{
	struct metrics_waiting *least = top->waiting;

	for (uint32_t k = 0; k < top->waiting_count; k++) {
		struct metrics_waiting *const w = &top->waiting[k];

		if (w->hash == hash && !strcmp(w->name, name))
			return w;
		if (w->bytes < least->bytes)
			least = w;
	}
	if (top->waiting_count < top->waiting_room)
		least = &top->waiting[top->waiting_count++];
	snprintf(least->name, sizeof least->name, "%s", name);
	least->hash = hash;
	least->excess = least->bytes;
	return least;
}

/* Counts bytes of a hidden name.  Returns whether a place is due to the name. */
static bool wait_for_place(struct metrics_top *top, const char *name, uint32_t hash, uint64_t bytes)
{
	struct metrics_waiting *const w = find_waiting(top, name, hash);

	w->bytes += bytes;
	if ((w->bytes - w->excess) < top->bytes / (2 * (uint64_t)top->places))
		return false;
	*w = top->waiting[--top->waiting_count];
	memset(&top->waiting[top->waiting_count], 0, sizeof *w);
	return true;
}

void metrics_top_add(struct metrics_top *top, const char *name, const struct metrics_share *share)
{
	const uint64_t bytes = share->bytes[0] + share->bytes[1];
	const uint32_t hash = hash_top_name(name);
	struct metrics_shown *shown;

	if (!*name || !strcmp(name, "unknown")) {
		add_top_share(&top->unknown, share);
		return;
	}
	top->bytes += bytes;
	shown = find_shown(top, name, hash);
	if (!shown && top->shown_count < top->places && strcmp(name, "other") != 0) {
		const bool is_early = top->shown_count < (top->places + 1) / 2;

		if (is_early || wait_for_place(top, name, hash, bytes))
			shown = give_place(top, name, hash);
	}
	add_top_share(shown ? &shown->share : &top->other, share);
}
