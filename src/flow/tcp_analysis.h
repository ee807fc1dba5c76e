/* SPDX-License-Identifier: MIT */
/* What the two ways in which a segment is followed share: in turn (tcp_fast.c), and judged
 * (tcp_analysis.c). */
#ifndef BPEI_HEALTH_H
#define BPEI_HEALTH_H

#include "base/cacheline.h"
#include "flow/table.h"

/* ---- What a segment is known again by; duplicate.c ---- */

#define SIGHT_SHIFT 10   /* its unit of time: 1,024 ns */
#define SIGHT_TWICE 977u /* so many are a millisecond */

/* Returns a hash of the segment's headers plus its time, so that the difference of two is that of
 * their times where the headers are the same. */
static inline uint32_t bpei_sight_of(const uint8_t *ip, const uint8_t *tcp, int64_t ns)
{
	uint64_t heads, numbers, beside;
	/* IPv4: identification to checksum; IPv6: length to hop limit. */
	memcpy(&heads, ip + 4, sizeof heads);
	memcpy(&numbers, tcp + 4, sizeof numbers);
	memcpy(&beside, tcp + 12, sizeof beside); /* flags, window, checksum */
	heads = ((heads ^ beside) + numbers) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(heads >> 32) + (uint32_t)((uint64_t)ns >> SIGHT_SHIFT);
}

/* Whether two that differ by that are of the same headers, within a millisecond. */
static inline bool bpei_sight_near(uint32_t since)
{
	return since + SIGHT_TWICE <= 2 * SIGHT_TWICE;
}

/* Whether a segment may be a copy.  If not, it only has to be remembered as its end's last. */
static inline bool bpei_duplicate_maybe(
	const struct bpei_table *t, uint32_t i, uint32_t end, uint32_t sight)
{
	const bool near = bpei_sight_near(sight - t->details[i].sight[end]);
	return near | (bpei_entry_bits(&t->entries[i]) / ENTRY_EXTRA & 1);
}

/* Whether it is a copy of a segment before it, which is then counted.  Remembers it else. */
bool bpei_duplicate_look(struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t sight,
	const struct bpei_segment *s, uint8_t flags, int64_t ns);

/* Whether an ACK that leaves nothing missing, and is the one before it once more, may be its copy:
 * always with IPv4's identification, else only if the connection has had copies. */
static inline bool bpei_duplicate_may_echo(const struct bpei_table *t, uint32_t i)
{
	const struct bpei_entry *const e = &t->entries[i];
	if ((e->key[4] >> KEY_VERSION & 15) == 4)
		return true;
	if (!(bpei_entry_bits(e) & ENTRY_EXTRA))
		return false;
	const struct bpei_extra *const x = bpei_extra_find(t, i);
	return x->health[HEALTH_DUPLICATE][0] | x->health[HEALTH_DUPLICATE][1];
}
/* Counts an ACK in turn that is a copy of the one before it.  False: copies are not told. */
bool bpei_duplicate_echo(struct bpei_table *t, uint32_t entry, uint32_t end);

/* Returns the entry's extra after a count of its health, or NULL. */
struct bpei_extra *bpei_health_note(struct bpei_table *t, uint32_t entry, struct bpei_extra *x,
	uint32_t end, enum bpei_health what);

/* ---- Streaks and rounds ---- */

static inline uint32_t bpei_streak(const struct bpei_detail *d, uint32_t end)
{
	return d->ack[end] >> ACK_STREAK & 3;
}
static inline void bpei_streak_end(struct bpei_detail *d, uint32_t end)
{
	d->ack[end] &= ~((uint32_t)3 << ACK_STREAK);
}

/* This end has sent the same ACK once more. */
static inline void bpei_streak_add(struct bpei_table *t, uint32_t i, uint32_t end)
{
	struct bpei_detail *d = &t->details[i];
	if (d->repeated[end] == UINT16_MAX)
		bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
	else
		d->repeated[end]++;
	if (bpei_streak(d, end) < 3)
		d->ack[end] += (uint32_t)1 << ACK_STREAK;
}

/* Those of both ends. */
static inline struct bpei_round *bpei_rounds_of(struct bpei_table *t, uint32_t i)
{
	return t->shared->round[i % BPEI_ROUNDS + 1];
}

/* Of an end whose streak is two or more: when its last ACK was. */
static inline void bpei_streak_note(struct bpei_table *t, uint32_t i, uint32_t end, int64_t ns)
{
	t->shared->repeater[i % BPEI_REPEATERS][end] = (struct bpei_repeater){ ns, i + 1 };
}

static inline void bpei_round_free(struct bpei_round *r)
{
	*r = (struct bpei_round){ 0, 0, INT64_MIN };
}

/* What is told of segments in turn, and done behind their loop: whether there is something to be
 * told is not to be guessed.  who: twice the entry, and the end that acknowledges.  A round trip;
 * and an ACK that is the one before it once more (same), ends a streak of such (other) or comes
 * within one. */
struct bpei_trip {
	int64_t took_ns;
	uint32_t who;
};
struct bpei_echo {
	int64_t ns;
	uint32_t who, ack;
	uint32_t sent; /* the other end's next number */
	bool same, other;
	uint32_t since; /* the difference of its sight and that of its end's last segment */
};
struct bpei_told {
	struct bpei_trip trips[BPE_BATCH + 1];
	struct bpei_echo echoes[BPE_BATCH + 1];
	struct bpei_trip *trip; /* behind the last */
	struct bpei_echo *echo;
};
static inline void bpei_told_clear(struct bpei_told *told)
{
	told->trip = told->trips, told->echo = told->echoes;
}

/* This end sends what it has not sent before.  Without a branch: whether its place is free is not
 * to be guessed. */
static inline void bpei_round_begin(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t next, int64_t ns, bool data)
{
	struct bpei_round *const rounds = bpei_rounds_of(t, i);
	const uint64_t take =
		-(uint64_t)(data & ((uint64_t)ns - (uint64_t)rounds[end].ns >= BPEI_ROUND_NS));
	struct bpei_round *to =
		(struct bpei_round *)((char *)t->shared->round[0] +
				      ((uint64_t)((char *)rounds - (char *)t->shared->round[0]) &
					      take)) +
		end;
	to->who = i + 1;
	to->next = next;
	to->ns = ns;
}

/* Whether this end acknowledges a round of the other's, which is then over: to is told of it.
 * differ: 0, or up to 24 bits: the ACK is another than its last, which may have come before the
 * data.  Without a branch, as above. */
static inline uint32_t bpei_round_met(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t ack,
	uint32_t differ, int64_t ns, struct bpei_trip *to)
{
	struct bpei_round *r = &bpei_rounds_of(t, i)[!end];
	const uint32_t who = r->who,
		       other = (who ^ (i + 1)) | ((ack - r->next) | (differ - 1)) >> 31;
	const int64_t then = r->ns;
	*to = (struct bpei_trip){ (int64_t)((uint64_t)ns - (uint64_t)then), 2 * i + end };
	r->who = other ? who : 0;
	r->ns = other ? then : INT64_MIN;
	return !other;
}

/* This end acknowledges, and has not sent this ACK just before. */
static inline void bpei_round_end(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t ack, int64_t ns)
{
	struct bpei_trip trip;
	if (bpei_round_met(t, i, end, ack, 1, ns, &trip))
		bpei_round_trip(t, i, end, trip.took_ns);
}

#endif
