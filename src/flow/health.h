/* SPDX-License-Identifier: MIT */
/* The part of TCP health (health.c) that most segments need: inline for the table's loop. */
#ifndef BPEI_HEALTH_H
#define BPEI_HEALTH_H

#include "base/cacheline.h"
#include "flow/table.h"

static inline uint32_t bpei_streak(const struct bpei_detail *d, uint32_t end) { return d->side[end].ack >> ACK_STREAK & 3; }
static inline void bpei_streak_end(struct bpei_detail *d, uint32_t end) { d->side[end].ack &= ~((uint32_t)3 << ACK_STREAK); }

/* This end has sent the same ACK once more. */
static inline void bpei_streak_add(struct bpei_table *t, uint32_t i, uint32_t end)
{
	struct bpei_detail *d = &t->details[i];
	if (d->repeated[end] == UINT16_MAX) bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
	else d->repeated[end]++;
	if (bpei_streak(d, end) < 3) d->side[end].ack += (uint32_t)1 << ACK_STREAK;
}

/* Those of both ends. */
static inline struct bpei_round *bpei_rounds_of(struct bpei_table *t, uint32_t i) { return t->shared->round[i % BPEI_ROUNDS + 1]; }

/* Of an end whose streak is two or more: when its last ACK was. */
static inline void bpei_streak_note(struct bpei_table *t, uint32_t i, uint32_t end, int64_t ns)
{
	t->shared->repeater[i % BPEI_REPEATERS][end] = (struct bpei_repeater){ ns, i + 1 };
}


static inline void bpei_round_free(struct bpei_round *r) { *r = (struct bpei_round){ 0, 0, INT64_MIN }; }

/* This end sends what it has not sent before.  Without a branch: whether its place is free is not to be guessed. */
static inline void bpei_round_begin(struct bpei_table *t, struct bpei_round *rounds, uint32_t i, uint32_t end, uint32_t next, int64_t ns, bool data)
{
	const uint64_t take = -(uint64_t)(data & ((uint64_t)ns - (uint64_t)rounds[end].ns >= BPEI_ROUND_NS));
	struct bpei_round *to = (struct bpei_round *)((char *)t->shared->round[0] + (((uint64_t)(i % BPEI_ROUNDS) + 1) * sizeof t->shared->round[0] & take)) + end;
	to->who = i + 1;
	to->next = next;
	to->ns = ns;
}

/* This end acknowledges. */
static inline void bpei_round_end(struct bpei_table *t, struct bpei_round *rounds, uint32_t i, uint32_t end, uint32_t ack, int64_t ns)
{
	struct bpei_round *r = &rounds[!end];
	if ((r->who ^ (i + 1)) | (ack - r->next) >> 31) return;
	int64_t then = r->ns;
	bpei_round_free(r);
	bpei_round_trip(t, i, end, (int64_t)((uint64_t)ns - (uint64_t)then));
}

/* The segment next in turn of a connection with which nothing is wrong just now, and new to nothing in its history: it is followed here, and true.
 * flags have no FIN, SYN or RST.  One branch asks for all that must hold: each alone costs more. */
static inline __attribute__((always_inline)) bool bpei_health_in_turn(struct bpei_table *t, uint32_t i, uint32_t end, const struct bpei_segment *s, uint32_t flags, int64_t ns)
{
	enum { ACK = 16 };
	struct bpei_detail *d = &t->details[i];
	struct bpei_side *me = &d->side[end];
	const uint32_t wanted = (s->bytes ? 1u << HISTORY_DATA : 1u << HISTORY_ACK) | flags << SEEN_FLAGS, known = t->history.seen[d->history].known[end];
	const uint32_t word = me->ack, differ = (word ^ s->ack) & ACK_NUMBER, window = s->window;
	const uint32_t odd = (s->seq ^ me->seq) | (~flags & ACK) | (d->inner_vlan & DETAIL_ALERT) | (wanted & ~known) | (window - 1) >> 31 /* 0 */
			     | (d->side[!end].seq - s->ack) >> 31 /* not seen yet */;
	if (BPEI_UNLIKELY(odd)) return false;
	me->ack = (word ^ differ) & ~(-(uint32_t)!!differ & (uint32_t)3 << ACK_STREAK);
	if (BPEI_UNLIKELY(!(differ | s->bytes | (window ^ me->window)))) bpei_streak_add(t, i, end);
	if (BPEI_UNLIKELY(me->ack >> (ACK_STREAK + 1) & 1)) bpei_streak_note(t, i, end, ns);
	me->seq = s->seq + s->bytes;
	me->window = s->window;
	struct bpei_round *const rounds = bpei_rounds_of(t, i);
	bpei_round_end(t, rounds, i, end, s->ack, ns);
	bpei_round_begin(t, rounds, i, end, s->seq + s->bytes, ns, s->bytes);
	return true;
}

#endif
