/* SPDX-License-Identifier: MIT */
/* Time that goes on where packets' times step back: flow time = time + shift, and a step back makes the shift larger.
 *
 * A jump of more than BPEI_STEP_NS, either way, is believed when a second packet tells it: the one before, or the next of the same batch.  Forward
 * nothing is changed but the clock.  Back, a new era begins behind the clock: flow times of two eras do not overlap, so that they can be told apart
 * by value.  A packet whose jump is not believed has the clock's time: a wrong time stamp, or a second source, ages nobody.  Only the last of a batch that
 * jumps forward has its own: it may be a rare packet of a quiet line.
 * Each answer depends on the packets before and the rest of the batch alone, not on who works on them. */
#include "flow/timeline.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static bool plus(int64_t a, int64_t b, int64_t *sum) { return !__builtin_add_overflow(a, b, sum); }
static int64_t behind(int64_t clock) { return clock < INT64_MIN + BPEI_STEP_NS ? INT64_MIN : clock - BPEI_STEP_NS; }
static int64_t beyond(int64_t clock) { return clock > INT64_MAX - BPEI_STEP_NS ? INT64_MAX : clock + BPEI_STEP_NS; }

static uint32_t eras_of(const struct bpei_timeline *l) { return atomic_load_explicit(&l->eras, memory_order_relaxed); }
static int jump_of(const struct bpei_timeline *l, int64_t flow_ns) { return flow_ns > beyond(l->clock_ns) ? 1 : flow_ns < behind(l->clock_ns) ? -1 : 0; }

/* A new era whose clock shows time_ns now; false if there are to be no more. */
static bool begin_era(struct bpei_timeline *l, int64_t time_ns)
{
	uint32_t n = eras_of(l);
	int64_t from = l->clock_ns, minus;
	if (n == BPEI_ERAS || from == INT64_MAX || __builtin_sub_overflow(++from, time_ns, &minus)) return false;
	l->era[n] = (struct bpei_era){ from, minus };
	atomic_store_explicit(&l->eras, n + 1, memory_order_release);	/* pairs: bpei_timeline_time */
	l->clock_ns = from;
	bpei_counter_add(&l->steps, 1);
	return true;
}

static int64_t follow(struct bpei_timeline *l, int64_t time_ns, const int64_t *next_ns)
{
	const struct bpei_era *e = &l->era[eras_of(l) - 1];
	int64_t ns, then;
	if (!plus(time_ns, e->shift_ns, &ns)) return l->clock_ns;
	int jump = jump_of(l, ns), before = l->jump;
	l->jump = jump;
	if (!jump) {
		if (ns < e->from_ns) ns = e->from_ns;
		if (ns > l->clock_ns) l->clock_ns = ns;
		return ns;
	}
	bool again = jump == before;
	if (!again && next_ns) {
		if (!plus(*next_ns, e->shift_ns, &then) || jump_of(l, then) != jump) return l->clock_ns;
		again = true;
		l->jump_ns = then;
	}
	if (jump > 0) {
		if (again) {	/* of two jumps forward the lesser is sure */
			l->clock_ns = ns < l->jump_ns ? ns : l->jump_ns;
			bpei_counter_add(&l->steps, 1);
		}
		l->jump_ns = ns;
		if (again && !jump_of(l, ns)) l->jump = 0, l->clock_ns = ns > l->clock_ns ? ns : l->clock_ns;
		return ns;
	}
	if (!again || !begin_era(l, time_ns)) return l->clock_ns;
	l->jump = 0;
	return l->clock_ns;
}

void bpei_timeline_follow(struct bpei_timeline *l, const int64_t *time_ns, uint32_t n, int64_t least, int64_t most, int64_t *flow_ns, uint8_t *kind)
{
	if (!n) return;
	if (!l->has_time) {
		l->era[0] = (struct bpei_era){ INT64_MIN, 0 };
		atomic_store_explicit(&l->eras, 1, memory_order_release);	/* pairs: bpei_timeline_time */
		l->clock_ns = time_ns[0];
		l->has_time = true;
	}
	if (eras_of(l) == 1 && least >= behind(l->clock_ns) && most <= beyond(l->clock_ns) && most <= beyond(least)) {
		if (most > l->clock_ns) l->clock_ns = most;
		l->jump = 0;
		memset(kind, BPEI_TIME_OWN, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		flow_ns[i] = follow(l, time_ns[i], i + 1 < n ? &time_ns[i + 1] : NULL);
		kind[i] = flow_ns[i] > l->clock_ns ? BPEI_TIME_AHEAD : BPEI_TIME_SHIFTED;
	}
}

int64_t bpei_timeline_now(const struct bpei_timeline *l, int64_t ns)
{
	int64_t now;
	if (!l->has_time || !plus(ns, l->era[eras_of(l) - 1].shift_ns, &now)) return ns;
	return now > l->clock_ns ? now : l->clock_ns;
}

int64_t bpei_timeline_time(const struct bpei_timeline *l, int64_t flow_ns)
{
	if (!l) return flow_ns;
	uint32_t n = atomic_load_explicit(&l->eras, memory_order_acquire);	/* pairs: begin_era, bpei_timeline_follow */
	if (n <= 1) return flow_ns;
	uint32_t low = 0;
	while (n - low > 1) {	/* the last era that begins by then */
		uint32_t middle = low + (n - low) / 2;
		if (l->era[middle].from_ns <= flow_ns) low = middle;
		else n = middle;
	}
	return (int64_t)((uint64_t)flow_ns - (uint64_t)l->era[low].shift_ns);
}
