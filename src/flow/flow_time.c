/* SPDX-License-Identifier: MIT */
/* Flow time goes on where packets' times step back.  Flow time = time + shift, and a step back
 * makes the shift larger.
 *
 * A jump of more than BPEI_STEP_NS, either way, is believed when a second packet confirms the jump.
 * The second packet is the packet before, or the next packet of the same batch.  A jump forward
 * changes the clock alone.  A jump back starts a new era after the clock.  Flow times of two eras
 * do not overlap, so the era is known from the value.  A jump forward beyond any time-out starts an
 * era, too, LEAP_NS ahead.  So the clock never comes near the end of the type, whatever the packets
 * say.  A packet with an unconfirmed jump gets the clock's time.  So a wrong time stamp, or a
 * second source, ages no flow.  Only the last packet of a batch, if the packet jumps forward
 * and not beyond FAR_NS, keeps its time.  The packet may be a rare packet of a quiet line.
 *
 * Interfaces of one file may go by different clocks.  Later packets show whether a jump is a second
 * clock, or all interfaces jump.  If others stay at the clock, and the interface stays at the new
 * time, the interface gets a separate line.  The line begins at the clock.  Each result depends on
 * the packets alone, not on the worker. */
#include "flow/flow_time.h"

#include <stdatomic.h>
#include <string.h>

#define LONG_JUMP_NS (INT64_C(1) << 55) /* more than a year */
#define LEAP_NS (INT64_C(1) << 50)      /* 13 days: longer than any time-out that matters */
#define FAR_NS (INT64_C(1) << 62)       /* beyond, the clock is set by leaps alone */

/* Looking ahead costs no more than a few packets' time for each packet.  Each packet adds
 * LOOKS_EACH to a budget of at most MAX_LOOKS, and a search takes at most LOOKS_ONCE. */
#define MAX_LOOKS 65536u
#define LOOKS_EACH 16u
#define LOOKS_ONCE 4096u

/* Writes a + b.  Returns false if the sum overflows. */
static bool add_times(int64_t a, int64_t b, int64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

/* Returns the earliest time without a jump back from the clock. */
static int64_t step_before(int64_t clock_ns)
{
	return clock_ns < INT64_MIN + BPEI_STEP_NS ? INT64_MIN : clock_ns - BPEI_STEP_NS;
}

/* Returns the latest time without a jump forward from the clock. */
static int64_t step_after(int64_t clock_ns)
{
	return clock_ns > INT64_MAX - BPEI_STEP_NS ? INT64_MAX : clock_ns + BPEI_STEP_NS;
}

/* Returns the number of eras of a line.  Reader's thread. */
static uint32_t eras_of_line(const struct bpei_line *l)
{
	return atomic_load_explicit(&l->eras, memory_order_relaxed);
}

/* Returns the shift of the line's last era. */
static int64_t last_shift_of(const struct bpei_line *l)
{
	return l->era[eras_of_line(l) - 1].shift_ns;
}

/* Returns 1 for a jump forward from the clock, -1 for a jump back, 0 for none. */
static int jump_direction(const struct bpei_timeline *t, int64_t flow_ns)
{
	if (flow_ns > step_after(t->clock_ns))
		return 1;
	return flow_ns < step_before(t->clock_ns) ? -1 : 0;
}

/* Returns true if a flow time is so far ahead that the clock goes there by a leap. */
static bool is_time_far(const struct bpei_timeline *t, int64_t flow_ns)
{
	if (flow_ns > FAR_NS)
		return true;
	return flow_ns > t->clock_ns && (uint64_t)flow_ns - (uint64_t)t->clock_ns > LONG_JUMP_NS;
}

/* Starts a new era of the line at flow time from_ns, after the clock, where packets' time is
 * time_ns.  Returns false if no eras are left. */
static bool start_era(
	struct bpei_timeline *t, struct bpei_line *l, int64_t from_ns, int64_t time_ns)
{
	const uint32_t n = eras_of_line(l);
	int64_t shift_ns;

	if (n == BPEI_ERAS || from_ns <= t->clock_ns ||
		__builtin_sub_overflow(from_ns, time_ns, &shift_ns))
		return false;
	l->era[n] = (struct bpei_era){ from_ns, shift_ns };
	atomic_store_explicit(&l->eras, n + 1, memory_order_release); /* pairs: find_shift */
	t->clock_ns = from_ns;
	bpei_counter_add(&t->steps, 1);
	return true;
}

/* Starts a new era of the line right after the clock. */
static bool start_era_now(struct bpei_timeline *t, struct bpei_line *l, int64_t time_ns)
{
	return t->clock_ns < INT64_MAX && start_era(t, l, t->clock_ns + 1, time_ns);
}

/* ---- Lines ---- */

/* Returns the line of an interface, among the first `lines` lines of interfaces. */
static const struct bpei_line *find_line(
	const struct bpei_timeline *t, uint32_t interface_id, uint32_t lines)
{
	for (uint32_t k = 0; k < lines; k++)
		if (t->own_of[k] == interface_id)
			return &t->own[k];
	return &t->common;
}

/* Returns the line of an interface.  Reader's thread. */
static const struct bpei_line *line_of_interface(
	const struct bpei_timeline *t, uint32_t interface_id)
{
	return find_line(t, interface_id, atomic_load_explicit(&t->lines, memory_order_relaxed));
}

/* Returns the line of packet i. */
static struct bpei_line *line_of_packet(
	struct bpei_timeline *t, const struct bpei_arrivals *a, uint32_t i)
{
	if (!a->interface_id)
		return &t->common;
	return (struct bpei_line *)(uintptr_t)line_of_interface(t, a->interface_id[i]);
}

/* Gives an interface, whose line so far is `now`, a line of its own, where packets' time is time_ns
 * at the clock.  Returns false if no lines or eras are left. */
static bool start_line(
	struct bpei_timeline *t, struct bpei_line *now, uint32_t interface_id, int64_t time_ns)
{
	const uint32_t k = atomic_load_explicit(&t->lines, memory_order_relaxed);

	if (now != &t->common)
		return start_era_now(t, now, time_ns);
	if (k == BPEI_LINES || !start_era_now(t, &t->own[k], time_ns))
		return false;
	t->own_of[k] = interface_id;
	/* pairs: bpei_timeline_time_of */
	atomic_store_explicit(&t->lines, k + 1, memory_order_release);
	return true;
}

/* ---- Packets ahead ---- */

/* What later packets say about a jump.  WITNESS_NONE: nothing, or the interface itself comes back.
 * WITNESS_ALONE: other interfaces stay at the clock, and the interface does not come back.
 * WITNESS_ALL: another interface jumps likewise. */
enum witness { WITNESS_NONE, WITNESS_ALONE, WITNESS_ALL };

/* A jump under check. */
struct jump_search {
	uint32_t interface_id;
	int64_t shift_ns; /* of the interface's line */
	int64_t flow_ns;  /* to which the interface jumped */
	int direction;
	bool is_confirmed; /* the interface stays there */
	bool others_stay;  /* another interface stays at the clock */
};

/* Reads packet k, counted from the first of the arrivals.  Returns false at the end. */
static bool read_arrival(const struct bpei_arrivals *a, uint32_t k, size_t *at,
	uint32_t *interface_id, int64_t *time_ns)
{
	if (k >= a->n)
		return a->ahead && a->ahead(a->user, at, interface_id, time_ns);
	*interface_id = a->interface_id[k];
	*time_ns = a->time_ns[k];
	return true;
}

/* Takes a later packet as evidence.  Returns false if the packet shows that the jump is no second
 * clock; writes then what the packet shows. */
static bool add_evidence(const struct bpei_timeline *t, struct jump_search *search,
	uint32_t interface_id, int64_t time_ns, enum witness *witness)
{
	int64_t flow_ns;

	if (interface_id == search->interface_id) {
		if (search->is_confirmed)
			return true;
		search->is_confirmed = add_times(time_ns, search->shift_ns, &flow_ns) &&
				       jump_direction(t, flow_ns) == search->direction;
		*witness = WITNESS_NONE;
		return search->is_confirmed;
	}
	if (!add_times(time_ns, last_shift_of(line_of_interface(t, interface_id)), &flow_ns))
		return true;
	if (!jump_direction(t, flow_ns)) {
		search->others_stay = true;
		return true;
	}
	*witness = WITNESS_ALL;
	return search->others_stay || flow_ns < step_before(search->flow_ns) ||
	       flow_ns > step_after(search->flow_ns);
}

/* Returns what packets after packet i say about the packet's jump to flow_ns. */
static enum witness ask_witnesses(struct bpei_timeline *t, const struct bpei_arrivals *a,
	uint32_t i, const struct bpei_line *line, int64_t flow_ns)
{
	struct jump_search search = {
		.interface_id = a->interface_id[i],
		.shift_ns = last_shift_of(line),
		.flow_ns = flow_ns,
		.direction = jump_direction(t, flow_ns),
	};
	size_t at = 0;

	for (uint32_t looks = 0; t->looks && looks < LOOKS_ONCE; looks++, t->looks--) {
		enum witness witness;
		uint32_t interface_id;
		int64_t time_ns;

		if (!read_arrival(a, i + 1 + looks, &at, &interface_id, &time_ns))
			return WITNESS_NONE;
		if (!add_evidence(t, &search, interface_id, time_ns, &witness))
			return witness;
		if (search.is_confirmed && search.others_stay)
			return WITNESS_ALONE;
	}
	return WITNESS_NONE;
}

/* ---- Packets ---- */

/* Starts an era for a confirmed far jump, at the clock plus LEAP_NS.  sure_ns: flow time of
 * the jump by the era before.  Returns the flow time of a packet at flow_ns by the era before. */
static int64_t leap_forward(
	struct bpei_timeline *t, struct bpei_line *l, int64_t flow_ns, int64_t sure_ns)
{
	const int64_t time_ns = sure_ns - last_shift_of(l);
	int64_t from_ns = t->clock_ns;
	int64_t leaped_ns;

	if (from_ns <= INT64_MAX - LEAP_NS)
		from_ns += LEAP_NS;
	if (!start_era(t, l, from_ns, time_ns))
		return INT64_MIN;
	return add_times(from_ns, flow_ns - sure_ns, &leaped_ns) ? leaped_ns : from_ns;
}

/* Follows a confirmed jump forward to flow_ns.  sure_ns: the smaller of both jumps, to which
 * the clock goes.  Returns the packet's flow time. */
static int64_t jump_forward(
	struct bpei_timeline *t, struct bpei_line *l, int64_t flow_ns, int64_t sure_ns)
{
	if (is_time_far(t, sure_ns)) {
		flow_ns = leap_forward(t, l, flow_ns, sure_ns);
		if (flow_ns == INT64_MIN)
			return t->clock_ns; /* no era is left */
	} else {
		t->clock_ns = sure_ns;
		bpei_counter_add(&t->steps, 1);
	}
	l->jump_ns = flow_ns;
	if (jump_direction(t, flow_ns))
		return is_time_far(t, flow_ns) ? t->clock_ns : flow_ns;
	l->jump = 0;
	if (flow_ns > t->clock_ns)
		t->clock_ns = flow_ns;
	return flow_ns;
}

/* Follows a packet without a jump.  Returns the packet's flow time. */
static int64_t advance_clock(struct bpei_timeline *t, const struct bpei_line *l, int64_t flow_ns)
{
	const int64_t from_ns = l->era[eras_of_line(l) - 1].from_ns;

	if (flow_ns < from_ns)
		flow_ns = from_ns;
	if (flow_ns > t->clock_ns)
		t->clock_ns = flow_ns;
	return flow_ns;
}

/* Returns true if the packet after packet i confirms a jump, and keeps where to. */
static bool is_confirmed_by_next(struct bpei_timeline *t, struct bpei_line *l,
	const struct bpei_arrivals *a, uint32_t i, int direction)
{
	int64_t next_ns;

	if (line_of_packet(t, a, i + 1) != l ||
		!add_times(a->time_ns[i + 1], last_shift_of(l), &next_ns) ||
		jump_direction(t, next_ns) != direction)
		return false;
	l->jump_ns = next_ns;
	return true;
}

/* Returns the flow time of packet i, which jumps to flow_ns.  before: the direction of the line's
 * last jump. */
static int64_t follow_jump(struct bpei_timeline *t, struct bpei_line *l,
	const struct bpei_arrivals *a, uint32_t i, int64_t flow_ns, int before)
{
	const int direction = l->jump;
	bool is_confirmed = direction == before;

	if (a->interface_id) {
		const enum witness w = ask_witnesses(t, a, i, l, flow_ns);

		if (w == WITNESS_ALONE && start_line(t, l, a->interface_id[i], a->time_ns[i])) {
			l->jump = 0;
			return t->clock_ns;
		}
		if (w == WITNESS_ALL && !is_confirmed) {
			is_confirmed = true;
			l->jump_ns = flow_ns;
		}
	}
	if (!is_confirmed && i + 1 < a->n) {
		if (!is_confirmed_by_next(t, l, a, i, direction))
			return t->clock_ns;
		is_confirmed = true;
	}
	if (direction > 0 && is_confirmed)
		return jump_forward(t, l, flow_ns, flow_ns < l->jump_ns ? flow_ns : l->jump_ns);
	if (direction > 0) {
		l->jump_ns = flow_ns;
		return flow_ns > FAR_NS ? t->clock_ns : flow_ns;
	}
	if (is_confirmed && start_era_now(t, l, a->time_ns[i]))
		l->jump = 0;
	return t->clock_ns;
}

/* Returns the flow time of packet i. */
static int64_t assign_flow_time(struct bpei_timeline *t, const struct bpei_arrivals *a, uint32_t i)
{
	struct bpei_line *const l = line_of_packet(t, a, i);
	const int before = l->jump;
	int64_t flow_ns;

	if (!add_times(a->time_ns[i], last_shift_of(l), &flow_ns))
		return t->clock_ns;
	l->jump = jump_direction(t, flow_ns);
	if (!l->jump)
		return advance_clock(t, l, flow_ns);
	return follow_jump(t, l, a, i, flow_ns, before);
}

/* Starts the clock at the first packet's time, unless that time lies so far out that no steps would
 * fit after it. */
static void start_clock(struct bpei_timeline *t, int64_t time_ns)
{
	int64_t shift_ns = 0;

	if (time_ns > FAR_NS)
		shift_ns = -FAR_NS;
	else if (time_ns < -FAR_NS)
		shift_ns = FAR_NS;
	t->common.era[0] = (struct bpei_era){ INT64_MIN, shift_ns };
	atomic_store_explicit(&t->common.eras, 1, memory_order_release); /* pairs: find_shift */
	t->clock_ns = time_ns + shift_ns;
	t->looks = MAX_LOOKS;
	t->has_time = true;
}

bool bpei_timeline_is_plain(const struct bpei_timeline *t)
{
	/* pairs: start_clock, start_era */
	const uint32_t eras = atomic_load_explicit(&t->common.eras, memory_order_acquire);

	if (eras > 1 || (eras && t->common.era[0].shift_ns))
		return false;
	return !atomic_load_explicit(&t->lines, memory_order_relaxed);
}

/* Returns true if all packets have their own times, and none jumps. */
static bool are_times_plain(const struct bpei_timeline *t, const struct bpei_arrivals *a)
{
	return bpei_timeline_is_plain(t) && a->least_ns >= step_before(t->clock_ns) &&
	       a->most_ns <= step_after(t->clock_ns) && a->most_ns <= step_after(a->least_ns);
}

void bpei_timeline_follow_interfaces(
	struct bpei_timeline *t, const struct bpei_arrivals *a, int64_t *flow_ns, uint8_t *kind)
{
	if (!a->n)
		return;
	if (!t->has_time)
		start_clock(t, a->time_ns[0]);
	if (are_times_plain(t, a)) {
		if (a->most_ns > t->clock_ns)
			t->clock_ns = a->most_ns;
		t->common.jump = 0;
		memset(kind, BPEI_TIME_OWN, a->n);
		return;
	}
	for (uint32_t i = 0; i < a->n; i++) {
		t->looks = t->looks < MAX_LOOKS - LOOKS_EACH ? t->looks + LOOKS_EACH : MAX_LOOKS;
		flow_ns[i] = assign_flow_time(t, a, i);
		kind[i] = flow_ns[i] > t->clock_ns ? BPEI_TIME_AHEAD : BPEI_TIME_SHIFTED;
	}
}

void bpei_timeline_follow(struct bpei_timeline *t, const int64_t *time_ns, uint32_t n,
	int64_t least_ns, int64_t most_ns, int64_t *flow_ns, uint8_t *kind)
{
	const struct bpei_arrivals a = {
		.time_ns = time_ns, .n = n, .least_ns = least_ns, .most_ns = most_ns
	};

	bpei_timeline_follow_interfaces(t, &a, flow_ns, kind);
}

int64_t bpei_timeline_now(const struct bpei_timeline *t, int64_t ns)
{
	int64_t now_ns;

	if (!t->has_time || !add_times(ns, last_shift_of(&t->common), &now_ns))
		return ns;
	return now_ns > t->clock_ns ? now_ns : t->clock_ns;
}

/* ---- Mapping back ---- */

/* Writes the shift of the line's last era that begins at or before flow_ns.  Returns false if no
 * era does. */
static bool find_shift(const struct bpei_line *l, int64_t flow_ns, int64_t *shift_ns)
{
	/* pairs: start_era, start_clock */
	uint32_t high = atomic_load_explicit(&l->eras, memory_order_acquire);
	uint32_t low = 0;

	if (!high || l->era[0].from_ns > flow_ns)
		return false;
	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;

		if (l->era[middle].from_ns <= flow_ns)
			low = middle;
		else
			high = middle;
	}
	*shift_ns = l->era[low].shift_ns;
	return true;
}

int64_t bpei_timeline_time(const struct bpei_timeline *t, int64_t flow_ns)
{
	int64_t shift_ns;

	if (!t || !find_shift(&t->common, flow_ns, &shift_ns))
		return flow_ns;
	return (int64_t)((uint64_t)flow_ns - (uint64_t)shift_ns);
}

int64_t bpei_timeline_time_of(const struct bpei_timeline *t, uint32_t interface_id, int64_t flow_ns)
{
	int64_t shift_ns;

	if (!t)
		return flow_ns;
	/* pairs: start_line */
	const uint32_t lines = atomic_load_explicit(&t->lines, memory_order_acquire);
	const struct bpei_line *const l = find_line(t, interface_id, lines);
	if (l == &t->common || !find_shift(l, flow_ns, &shift_ns))
		return bpei_timeline_time(t, flow_ns);
	return (int64_t)((uint64_t)flow_ns - (uint64_t)shift_ns);
}
