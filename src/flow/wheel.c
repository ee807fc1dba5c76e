/* SPDX-License-Identifier: MIT */
/* Time-outs: the table's clock and the timing wheel.
 *
 * Wheel: 1,024 slots of 134 ms; an entry farther away is checked once a turn.  The wheel holds
 * cohorts of 32 neighbouring entries, so a flow has no links and a check reads memory in order.  A
 * cohort is scheduled by the earliest time at which an entry of the cohort may expire.  A packet
 * does not touch the wheel.  A cohort is checked at the time that was known when the cohort was put
 * into the wheel; expired entries end, and the cohort goes back for the next time.  A check that
 * comes too early costs a check and nothing else.  A change to a state with a shorter time-out
 * moves the cohort forward.
 *
 * Time-outs are exact for packets, whatever the wheel does, since each packet checks the time of
 * the flow (bpei_entry_has_timed_out).  A flow without packets ends late by at most
 * min_timeout_ns / LATE + slack_ns / 2, and a tick.
 *
 * The wheel never ends a flow: expired entries are put into table.due, and the caller ends them one
 * batch later, when their cold lines and buckets have been prefetched. */
#include "base/cacheline.h"
#include "flow/table.h"

#define TICK_SHIFT 27
#define LATE 8

/* Returns the tick of the table's clock, from 1. */
static uint32_t current_tick(const struct bpei_table *t)
{
	const uint64_t tick = (t->wheel_ns >> TICK_SHIFT) + 1;
	const uint32_t max_tick = UINT32_MAX - BPEI_WHEEL_SLOTS;

	return tick < max_tick ? (uint32_t)tick : max_tick;
}

/* Returns a - b, or 0 if b is later. */
static uint64_t positive_difference(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : 0;
}

/* Returns a + b, at most INT64_MAX. */
static int64_t add_saturating(int64_t a, int64_t b)
{
	return a < INT64_MAX - b ? a + b : INT64_MAX;
}

/* Returns the ticks after which a wait is over, at most one turn of the wheel. */
static uint32_t ticks_of_wait(int64_t wait_ns)
{
	const uint64_t ticks = ((uint64_t)wait_ns >> TICK_SHIFT) + 1;

	return ticks < BPEI_WHEEL_SLOTS - 1 ? (uint32_t)ticks : BPEI_WHEEL_SLOTS - 1;
}

void bpei_wheel_set_clock(struct bpei_table *t, int64_t now_ns)
{
	const uint64_t forward = t->has_time ? positive_difference(now_ns, t->now_ns) : 0;

	t->wheel_ns = t->wheel_ns + forward < t->wheel_ns ? UINT64_MAX : t->wheel_ns + forward;
	t->now_ns = now_ns;
	t->has_time = true;
}

/* ---- Start ---- */

/* Returns the time-out of a kind; INT64_MAX: never. */
static int64_t timeout_option(const struct bpei_table_options *o, int kind)
{
	const int64_t common = kind == BPE_TIMEOUT_TCP_CLOSED ? o->closed_ns : o->idle_ns;

	if (o->timeout_ns[kind] > 0)
		return o->timeout_ns[kind];
	return common > 0 ? common : INT64_MAX;
}

/* Returns the shorter expiry of a flow in that state, with packets of one end or of both ends. */
static int64_t min_expiry_of_state(const struct bpei_table *t, uint32_t state)
{
	const uint64_t packed = (uint64_t)state << PACKED_STATE_SHIFT;
	const struct bpei_entry one_way = { .packed = { packed, 0 } };
	const struct bpei_entry two_way = { .packed = { packed | 1, 1 } };
	const int64_t one_way_ns = t->expiry_ns[bpei_entry_timeout_kind(&one_way)];
	const int64_t two_way_ns = t->expiry_ns[bpei_entry_timeout_kind(&two_way)];

	return one_way_ns < two_way_ns ? one_way_ns : two_way_ns;
}

void bpei_wheel_init(struct bpei_table *t)
{
	const int64_t slack_ns = t->options.slack_ns;

	t->min_timeout_ns = INT64_MAX;
	for (int kind = 0; kind < BPE_TIMEOUT_COUNT; kind++) {
		t->timeout_ns[kind] = timeout_option(&t->options, kind);
		if (t->timeout_ns[kind] < t->min_timeout_ns)
			t->min_timeout_ns = t->timeout_ns[kind];
		t->expiry_ns[kind] = add_saturating(t->timeout_ns[kind], slack_ns);
	}
	for (uint32_t state = 0; state <= BPEI_EXPIRY_MASK; state++) {
		const int64_t expiry_ns = min_expiry_of_state(t, state);

		t->min_expiry_ns[state] = expiry_ns;
		if (expiry_ns < INT64_MAX)
			t->wheel_ticks[state] =
				ticks_of_wait(add_saturating(expiry_ns, slack_ns / 2));
	}
	t->tick = 1;
	for (uint32_t s = 0; s < BPEI_WHEEL_SLOTS; s++)
		t->slot[s] = BPEI_NO_FLOW;
}

/* ---- Cohorts in the wheel ---- */

void bpei_cohort_unschedule(struct bpei_table *t, uint32_t number)
{
	struct bpei_cohort *const cohort = &t->cohorts[number];

	if (!cohort->due)
		return;
	if (cohort->prev == BPEI_NO_FLOW)
		t->slot[cohort->due % BPEI_WHEEL_SLOTS] = cohort->next;
	else
		t->cohorts[cohort->prev].next = cohort->next;
	if (cohort->next != BPEI_NO_FLOW)
		t->cohorts[cohort->next].prev = cohort->prev;
	cohort->due = 0;
}

/* Puts a cohort into the wheel, to be checked at tick `due`. */
static void schedule_cohort(struct bpei_table *t, uint32_t number, uint32_t due)
{
	struct bpei_cohort *const cohort = &t->cohorts[number];
	uint32_t *const head = &t->slot[due % BPEI_WHEEL_SLOTS];

	bpei_cohort_unschedule(t, number);
	cohort->due = due;
	cohort->prev = BPEI_NO_FLOW;
	cohort->next = *head;
	if (*head != BPEI_NO_FLOW)
		t->cohorts[*head].prev = number;
	*head = number;
}

void bpei_entry_schedule(struct bpei_table *t, uint32_t i)
{
	const struct bpei_cohort *const cohort = &t->cohorts[i / BPEI_COHORT];
	const uint32_t ticks = t->wheel_ticks[bpei_entry_expiry_index(&t->entries[i])];
	const uint32_t due = current_tick(t) + ticks;

	if (ticks && (!cohort->due || cohort->due > due))
		schedule_cohort(t, i / BPEI_COHORT, due);
}

/* ---- Checks ---- */

void bpei_prefetch_end(const struct bpei_table *t, uint32_t i)
{
	__builtin_prefetch(&t->cold[i], 1);
	__builtin_prefetch(&t->cold[i].hash, 1); /* may lie on the next line */
	__builtin_prefetch(&t->cohorts[i / BPEI_COHORT], 1);
}

/* Returns true if the entry has been idle for longer than expiry_ns, INT64_MAX excepted. */
static inline bool is_idle_beyond(
	const struct bpei_table *t, const struct bpei_entry *e, int64_t expiry_ns)
{
	return expiry_ns != INT64_MAX &&
	       positive_difference(t->now_ns, e->last_ns) > (uint64_t)expiry_ns;
}

bool bpei_entry_has_expired(const struct bpei_table *t, const struct bpei_entry *e)
{
	return bpei_entry_flags(e) & FLAG_ALIVE &&
	       is_idle_beyond(t, e, t->expiry_ns[bpei_entry_timeout_kind(e)]);
}

/* Puts a checked cohort back into the wheel.  wait_ns: until the first of its entries expires. */
static void reschedule_cohort(struct bpei_table *t, uint32_t number, int64_t wait_ns)
{
	/* Neighbours that expire soon after one another share a check. */
	if (wait_ns < t->min_timeout_ns / LATE)
		wait_ns = t->min_timeout_ns / LATE;
	if (!t->cohorts[number].alive || wait_ns == INT64_MAX)
		return;
	wait_ns = add_saturating(wait_ns, t->options.slack_ns / 2);
	schedule_cohort(t, number, current_tick(t) + ticks_of_wait(wait_ns));
}

/* Checks the entries of a cohort.  next: the cohort to be checked afterwards, whose entries are
 * prefetched line by line, so no single prefetch has to wait for all lines. */
static void check_cohort(struct bpei_table *t, uint32_t number, uint32_t next)
{
	const uint32_t first = number * BPEI_COHORT;
	const uint32_t rest = t->touched - first;
	const struct bpei_entry *const begin = &t->entries[first];
	const struct bpei_entry *const behind_last =
		begin + (rest < BPEI_COHORT ? rest : BPEI_COHORT);
	const struct bpei_entry *ahead = &t->entries[(size_t)next * BPEI_COHORT];
	const int64_t now_ns = t->now_ns;
	int64_t wait_ns = INT64_MAX;

	bpei_cohort_unschedule(t, number);
	for (const struct bpei_entry *e = begin; e < behind_last; e++, ahead++) {
		__builtin_prefetch(ahead);
		if (!(bpei_entry_flags(e) & FLAG_ALIVE))
			continue;
		/* The times may be any two, so the difference is up to 2^64 - 1. */
		const uint64_t idle_ns = positive_difference(now_ns, e->last_ns);
		int64_t expiry_ns = t->min_expiry_ns[bpei_entry_expiry_index(e)];
		if (BPEI_UNLIKELY(idle_ns > (uint64_t)expiry_ns)) {
			/* The exact kind of time-out may allow more. */
			expiry_ns = t->expiry_ns[bpei_entry_timeout_kind(e)];
			if (is_idle_beyond(t, e, expiry_ns)) {
				const uint32_t i = first + (uint32_t)(e - begin);

				t->due[t->due_count++] = i;
				bpei_prefetch_end(t, i);
				continue;
			}
		}
		const int64_t left_ns = (int64_t)((uint64_t)expiry_ns - idle_ns);
		wait_ns = left_ns < wait_ns ? left_ns : wait_ns;
	}
	reschedule_cohort(t, number, wait_ns);
}

bool bpei_wheel_advance(struct bpei_table *t, struct bpei_wheel_check *check)
{
	const uint32_t now = current_tick(t);

	for (; t->tick < now; t->tick++, check->slots++) {
		const uint32_t *const head = &t->slot[t->tick % BPEI_WHEEL_SLOTS];

		if (check->slots >= BPEI_WHEEL_SLOTS) { /* each slot has been checked */
			t->tick = now;
			return true;
		}
		while (*head != BPEI_NO_FLOW) {
			const uint32_t number = *head;
			const uint32_t next = t->cohorts[number].next;

			if (!check->cohorts)
				return true;
			if (t->due_count > BPEI_MAX_DUE - BPEI_COHORT)
				return false;
			check->cohorts--;
			check_cohort(t, number, next != BPEI_NO_FLOW ? next : number);
		}
	}
	return true;
}
