/* SPDX-License-Identifier: MIT */
/* The part of TCP health (health.c) that most segments need: inline for the table's loop. */
#ifndef BPEI_HEALTH_H
#define BPEI_HEALTH_H

#include "flow/table.h"

static inline uint32_t bpei_who(uint32_t i, uint32_t end) { return i * 2 + end + 1; }
/* First of a set, of 2^bits things. */
static inline uint32_t bpei_set_of(uint32_t who, uint32_t bits) { return who * 2654435769u >> (32 - bits) & ~(BPEI_WAYS - 1); }
_Static_assert(BPEI_REPEATERS == 1u << 11 && BPEI_ROUNDS == 1u << 12, "bpei_set_of");

static inline uint32_t bpei_streak(const struct bpei_entry *e, uint32_t end) { return e->setup >> (BPEI_SETUP_BITS + 2 * end) & 3; }
static inline void bpei_streak_end(struct bpei_entry *e, uint32_t end) { e->setup &= (uint16_t)~(3u << (BPEI_SETUP_BITS + 2 * end)); }

/* This end has sent the same ACK once more. */
static inline void bpei_streak_add(struct bpei_entry *e, uint32_t end)
{
	if (e->repeated[end] == UINT16_MAX) e->state |= STATE_CUT;
	else e->repeated[end]++;
	if (bpei_streak(e, end) < 3) e->setup += (uint16_t)(1u << (BPEI_SETUP_BITS + 2 * end));
}

/* Of an end whose streak is two or more: when its last ACK was. */
static inline void bpei_streak_note(struct bpei_table *t, uint32_t i, uint32_t end, int64_t ns)
{
	const uint32_t who = bpei_who(i, end);
	struct bpei_repeater *set = &t->repeaters[bpei_set_of(who, 11)], *to = set;
	for (uint32_t k = 0; k < BPEI_WAYS; k++) {
		if (set[k].who == who) {
			to = &set[k];
			break;
		}
		if (set[k].ns < to->ns) to = &set[k];
	}
	*to = (struct bpei_repeater){ who, ns };
}

#define BPEI_ROUND_NS 1000000000

/* The end's round, or NULL. */
static inline struct bpei_round *bpei_round_of(struct bpei_table *t, uint32_t i, uint32_t end)
{
	const uint32_t who = bpei_who(i, end);
	struct bpei_round *set = &t->rounds[bpei_set_of(who, 12)];
	for (uint32_t k = 0; k < BPEI_WAYS; k++)
		if (set[k].who == who) return &set[k];
	return NULL;
}

/* This end sends what it has not sent before. */
static inline void bpei_round_begin(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t next, int64_t ns)
{
	const uint32_t who = bpei_who(i, end);
	struct bpei_round *set = &t->rounds[bpei_set_of(who, 12)], *to = NULL;
	for (uint32_t k = 0; k < BPEI_WAYS; k++) {
		const bool old = !set[k].who || (uint64_t)ns - (uint64_t)set[k].ns >= BPEI_ROUND_NS;
		if (set[k].who == who) {
			if (!old) return;
			to = &set[k];
			break;
		}
		if (old) to = &set[k];
	}
	if (to) *to = (struct bpei_round){ who, next, ns };
}

/* This end acknowledges more than before. */
static inline void bpei_round_end(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t ack, int64_t ns)
{
	struct bpei_round *r = bpei_round_of(t, i, !end);
	if (!r || (int32_t)(ack - r->next) < 0) return;
	r->who = 0;
	bpei_round_trip(t, i, end, (int64_t)((uint64_t)ns - (uint64_t)r->ns));
}

/* The segment next in turn of a connection with which nothing is wrong just now, and new to nothing in its history: it is followed here, and true. */
static inline bool bpei_health_in_turn(struct bpei_table *t, uint32_t i, uint32_t end, const struct bpei_segment *s, uint32_t flags, int64_t ns)
{
	enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
	struct bpei_entry *e = &t->entries[i];
	const struct bpei_seen *seen = &t->history.seen[e->history];
	const uint32_t state = e->state, window = s->window, letters = seen->letters[end], known = seen->flags[end];
	const uint32_t letter = s->bytes ? 1u << HISTORY_DATA : 1u << HISTORY_ACK;
	if ((s->seq ^ e->seq[end]) | ((flags & (FIN | SYN | RST | ACK)) ^ ACK) | (state & STATE_ALERT) | (letter & ~letters) | (flags & ~known) | !window) return false;
	if ((int32_t)(s->ack - e->seq[!end]) > 0) return false;
	bool same = !((bpei_entry_ack(e, end) ^ s->ack) & 0xffffff);
	if (!same) bpei_streak_end(e, end), bpei_round_end(t, i, end, s->ack, ns);
	else if (!s->bytes && s->window == e->window[end]) bpei_streak_add(e, end);
	if (bpei_streak(e, end) >= 2) bpei_streak_note(t, i, end, ns);
	e->seq[end] += s->bytes;
	if (s->bytes) bpei_round_begin(t, i, end, e->seq[end], ns);
	e->window[end] = s->window;
	bpei_entry_set_ack(e, end, s->ack);
	return true;
}

#endif
