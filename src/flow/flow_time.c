/* SPDX-License-Identifier: MIT */
/* Time that goes on where packets' times step back: flow time = time + shift, and a step back makes
 * the shift larger.
 *
 * A jump of more than BPEI_STEP_NS, either way, is believed when a second packet tells it: the one
 * before, or the next of the same batch. Forward nothing is changed but the clock.  Back, a new era
 * begins behind the clock: flow times of two eras do not overlap, so that they can be told apart by
 * value.  A jump forward that is longer than any time-out begins an era, too, LEAP_NS on: the clock
 * never comes near the end of what its type can say, whatever the packets tell. A packet whose jump
 * is not believed has the clock's time: a wrong time stamp, or a second source, ages nobody.  Only
 * the last of a batch that jumps forward, and not beyond FAR_NS, has its own: it may be a rare
 * packet of a quiet line.
 *
 * Interfaces of one file may go by different clocks.  Whether a jump is that, or all interfaces
 * jump, packets further on tell: if others stay where the clock is, and the interface stays where
 * it jumped to, it gets a line of its own, which begins at the clock. Each answer depends on the
 * packets alone, not on who works on them. */
#include "flow/flow_time.h"

#include <stdatomic.h>
#include <string.h>

#define LONG_JUMP_NS (INT64_C(1) << 55) /* more than a year */
#define LEAP_NS                                                                                    \
	(INT64_C(1) << 50) /* 13 days of flow time are longer than any time-out that matters */
#define FAR_NS (INT64_C(1) << 62) /* the clock is not set beyond it, but by leaps */
#define LOOKS_MOST                                                                                 \
	65536u /* saved up; so that looking ahead costs no more than a few packets' time for each  \
		  packet */
#define LOOKS_EACH 16u /* for each packet */
#define LOOKS_ONCE 4096u

static bool plus(int64_t a, int64_t b, int64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}
static int64_t behind(int64_t clock)
{
	return clock < INT64_MIN + BPEI_STEP_NS ? INT64_MIN : clock - BPEI_STEP_NS;
}
static int64_t beyond(int64_t clock)
{
	return clock > INT64_MAX - BPEI_STEP_NS ? INT64_MAX : clock + BPEI_STEP_NS;
}

static uint32_t eras_of(const struct bpei_line *l)
{
	return atomic_load_explicit(&l->eras, memory_order_relaxed);
}
static int jump_of(const struct bpei_timeline *t, int64_t flow_ns)
{
	return flow_ns > beyond(t->clock_ns) ? 1 : flow_ns < behind(t->clock_ns) ? -1 : 0;
}

static bool is_far(const struct bpei_timeline *t, int64_t flow_ns)
{
	return flow_ns > FAR_NS ||
	       (flow_ns > t->clock_ns && (uint64_t)flow_ns - (uint64_t)t->clock_ns > LONG_JUMP_NS);
}

/* A new era of the line, at `from`, which lies behind the clock: it shows time_ns then.  False if
 * there are to be no more. */
static bool begin_era(struct bpei_timeline *t, struct bpei_line *l, int64_t from, int64_t time_ns)
{
	const uint32_t n = eras_of(l);
	int64_t shift;
	if (n == BPEI_ERAS || from <= t->clock_ns || __builtin_sub_overflow(from, time_ns, &shift))
		return false;
	l->era[n] = (struct bpei_era){ from, shift };
	atomic_store_explicit(&l->eras, n + 1, memory_order_release); /* pairs: time_on */
	t->clock_ns = from;
	bpei_counter_add(&t->steps, 1);
	return true;
}

static bool begin_era_now(struct bpei_timeline *t, struct bpei_line *l, int64_t time_ns)
{
	return t->clock_ns < INT64_MAX && begin_era(t, l, t->clock_ns + 1, time_ns);
}

/* ---- Lines ---- */

static const struct bpei_line *find_line(
	const struct bpei_timeline *t, uint32_t interface_id, uint32_t lines)
{
	for (uint32_t k = 0; k < lines; k++)
		if (t->own_of[k] == interface_id)
			return &t->own[k];
	return &t->common;
}

static struct bpei_line *line_of(struct bpei_timeline *t, const struct bpei_arrivals *a, uint32_t i)
{
	if (!a->interface_id)
		return &t->common;
	return (struct bpei_line *)(uintptr_t)find_line(
		t, a->interface_id[i], atomic_load_explicit(&t->lines, memory_order_relaxed));
}

/* The interface goes by a clock of its own, which shows time_ns now.  False if there are no more
 * lines or eras. */
static bool begin_line(
	struct bpei_timeline *t, struct bpei_line *now, uint32_t interface_id, int64_t time_ns)
{
	const uint32_t k = atomic_load_explicit(&t->lines, memory_order_relaxed);
	if (now != &t->common)
		return begin_era_now(t, now, time_ns);
	if (k == BPEI_LINES || !begin_era_now(t, &t->own[k], time_ns))
		return false;
	t->own_of[k] = interface_id;
	atomic_store_explicit(
		&t->lines, k + 1, memory_order_release); /* pairs: bpei_timeline_time_of */
	return true;
}

/* What packets further on tell of a jump. */
enum witness {
	WITNESS_NONE,  /* nothing: or the interface itself comes back */
	WITNESS_ALONE, /* the others stay where the clock is, and the interface does not come back
			*/
	WITNESS_ALL    /* another jumps likewise */
};

static enum witness ask(struct bpei_timeline *t, const struct bpei_arrivals *a, uint32_t i,
	const struct bpei_line *line, int64_t flow_ns, int jump)
{
	const uint32_t id = a->interface_id[i];
	const int64_t shift = line->era[eras_of(line) - 1].shift_ns;
	bool again = false, others_stay = false;
	size_t at = 0;
	for (uint32_t k = i + 1, looks = 0; t->looks && looks < LOOKS_ONCE;
		k++, looks++, t->looks--) {
		uint32_t other;
		int64_t ns, then;
		if (k < a->n)
			other = a->interface_id[k], ns = a->time_ns[k];
		else if (!a->ahead || !a->ahead(a->user, &at, &other, &ns))
			return WITNESS_NONE;
		if (other == id) {
			if (again)
				continue;
			again = plus(ns, shift, &then) && jump_of(t, then) == jump;
			if (!again)
				return WITNESS_NONE;
		} else {
			const struct bpei_line *its = find_line(
				t, other, atomic_load_explicit(&t->lines, memory_order_relaxed));
			if (!plus(ns, its->era[eras_of(its) - 1].shift_ns, &then))
				continue;
			if (!jump_of(t, then))
				others_stay = true;
			else if (!others_stay && then >= behind(flow_ns) && then <= beyond(flow_ns))
				return WITNESS_ALL;
		}
		if (again && others_stay)
			return WITNESS_ALONE;
	}
	return WITNESS_NONE;
}

/* ---- Packets ---- */

/* A jump forward to flow_ns that is believed: of two jumps the lesser, `sure`, is.  Returns the
 * packet's flow time. */
static int64_t jump_forward(
	struct bpei_timeline *t, struct bpei_line *l, int64_t flow_ns, int64_t sure)
{
	if (is_far(t, sure)) {
		const int64_t shift = l->era[eras_of(l) - 1].shift_ns,
			      from = t->clock_ns > INT64_MAX - LEAP_NS ? t->clock_ns
								       : t->clock_ns + LEAP_NS;
		if (!begin_era(t, l, from, sure - shift))
			return t->clock_ns;
		flow_ns = plus(from, flow_ns - sure, &flow_ns) ? flow_ns : from;
	} else {
		t->clock_ns = sure;
		bpei_counter_add(&t->steps, 1);
	}
	l->jump_ns = flow_ns;
	if (jump_of(t, flow_ns))
		return is_far(t, flow_ns) ? t->clock_ns : flow_ns;
	l->jump = 0;
	if (flow_ns > t->clock_ns)
		t->clock_ns = flow_ns;
	return flow_ns;
}

static int64_t follow(struct bpei_timeline *t, const struct bpei_arrivals *a, uint32_t i)
{
	struct bpei_line *l = line_of(t, a, i);
	const struct bpei_era *e = &l->era[eras_of(l) - 1];
	const int64_t time_ns = a->time_ns[i];
	int64_t ns, then;
	if (!plus(time_ns, e->shift_ns, &ns))
		return t->clock_ns;
	const int jump = jump_of(t, ns), before = l->jump;
	l->jump = jump;
	if (!jump) {
		if (ns < e->from_ns)
			ns = e->from_ns;
		if (ns > t->clock_ns)
			t->clock_ns = ns;
		return ns;
	}
	bool again = jump == before;
	if (a->interface_id) {
		const enum witness w = ask(t, a, i, l, ns, jump);
		if (w == WITNESS_ALONE && begin_line(t, l, a->interface_id[i], time_ns)) {
			l->jump = 0;
			return t->clock_ns;
		}
		if (w == WITNESS_ALL && !again)
			again = true, l->jump_ns = ns;
	}
	if (!again && i + 1 < a->n) {
		if (line_of(t, a, i + 1) != l || !plus(a->time_ns[i + 1], e->shift_ns, &then) ||
			jump_of(t, then) != jump)
			return t->clock_ns;
		again = true;
		l->jump_ns = then;
	}
	if (jump > 0) {
		if (again)
			return jump_forward(t, l, ns, ns < l->jump_ns ? ns : l->jump_ns);
		l->jump_ns = ns;
		return ns > FAR_NS ? t->clock_ns : ns;
	}
	if (!again || !begin_era_now(t, l, time_ns))
		return t->clock_ns;
	l->jump = 0;
	return t->clock_ns;
}

/* The first time: the clock's own, unless it lies so far out that no steps would fit behind it. */
static void begin(struct bpei_timeline *t, int64_t time_ns)
{
	const int64_t shift = time_ns > FAR_NS ? -FAR_NS : time_ns < -FAR_NS ? FAR_NS : 0;
	t->common.era[0] = (struct bpei_era){ INT64_MIN, shift };
	atomic_store_explicit(&t->common.eras, 1, memory_order_release); /* pairs: time_on */
	t->clock_ns = time_ns + shift;
	t->looks = LOOKS_MOST;
	t->has_time = true;
}

bool bpei_timeline_is_plain(const struct bpei_timeline *t)
{
	const uint32_t eras = atomic_load_explicit(
		&t->common.eras, memory_order_acquire); /* pairs: begin, begin_era */
	if (eras > 1 || (eras && t->common.era[0].shift_ns))
		return false;
	return !atomic_load_explicit(&t->lines, memory_order_relaxed);
}

void bpei_timeline_follow_interfaces(
	struct bpei_timeline *t, const struct bpei_arrivals *a, int64_t *flow_ns, uint8_t *kind)
{
	if (!a->n)
		return;
	if (!t->has_time)
		begin(t, a->time_ns[0]);
	if (bpei_timeline_is_plain(t) && a->least_ns >= behind(t->clock_ns) &&
		a->most_ns <= beyond(t->clock_ns) && a->most_ns <= beyond(a->least_ns)) {
		if (a->most_ns > t->clock_ns)
			t->clock_ns = a->most_ns;
		t->common.jump = 0;
		memset(kind, BPEI_TIME_OWN, a->n);
		return;
	}
	for (uint32_t i = 0; i < a->n; i++) {
		t->looks = t->looks < LOOKS_MOST - LOOKS_EACH ? t->looks + LOOKS_EACH : LOOKS_MOST;
		flow_ns[i] = follow(t, a, i);
		kind[i] = flow_ns[i] > t->clock_ns ? BPEI_TIME_AHEAD : BPEI_TIME_SHIFTED;
	}
}

void bpei_timeline_follow(struct bpei_timeline *t, const int64_t *time_ns, uint32_t n,
	int64_t least, int64_t most, int64_t *flow_ns, uint8_t *kind)
{
	const struct bpei_arrivals a = {
		.time_ns = time_ns, .n = n, .least_ns = least, .most_ns = most
	};
	bpei_timeline_follow_interfaces(t, &a, flow_ns, kind);
}

int64_t bpei_timeline_now(const struct bpei_timeline *t, int64_t ns)
{
	int64_t now;
	if (!t->has_time || !plus(ns, t->common.era[eras_of(&t->common) - 1].shift_ns, &now))
		return ns;
	return now > t->clock_ns ? now : t->clock_ns;
}

/* ---- Back ---- */

/* The shift of the line's last era that begins by then; false: none does. */
static bool shift_on(const struct bpei_line *l, int64_t flow_ns, int64_t *shift)
{
	uint32_t n =
		atomic_load_explicit(&l->eras, memory_order_acquire); /* pairs: begin_era, begin */
	uint32_t low = 0;
	if (!n || l->era[0].from_ns > flow_ns)
		return false;
	while (n - low > 1) {
		uint32_t middle = low + (n - low) / 2;
		if (l->era[middle].from_ns <= flow_ns)
			low = middle;
		else
			n = middle;
	}
	*shift = l->era[low].shift_ns;
	return true;
}

int64_t bpei_timeline_time(const struct bpei_timeline *t, int64_t flow_ns)
{
	int64_t shift;
	if (!t || !shift_on(&t->common, flow_ns, &shift))
		return flow_ns;
	return (int64_t)((uint64_t)flow_ns - (uint64_t)shift);
}

int64_t bpei_timeline_time_of(const struct bpei_timeline *t, uint32_t interface_id, int64_t flow_ns)
{
	int64_t shift;
	if (!t)
		return flow_ns;
	const struct bpei_line *l = find_line(t, interface_id,
		atomic_load_explicit(&t->lines, memory_order_acquire)); /* pairs: begin_line */
	if (l == &t->common || !shift_on(l, flow_ns, &shift))
		return bpei_timeline_time(t, flow_ns);
	return (int64_t)((uint64_t)flow_ns - (uint64_t)shift);
}
