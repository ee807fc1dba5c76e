/* SPDX-License-Identifier: MIT */
/* Time: the packets' clock, the timing wheel, and who goes when there is no room.
 *
 * Wheel: 1,024 slots of 134 ms; what is farther away is looked at once a turn.  In it are not flows
 * but cohorts of 32 neighbouring entries, by the earliest time at which one of them may be due, so
 * that a flow has no links and a look reads memory in a row.  A packet does not touch the wheel: a
 * cohort is looked at when the time has come that was known when it was put there; what is due
 * ends, and it goes back for the next time.  An early look costs a look and no more.  A change to a
 * state with a shorter time-out moves the cohort forward. What a packet meets is exact, whatever
 * the wheel does, since a hit looks at the time itself (table.c).
 *
 * Clock: the latest time that packets told.  A jump of more than STEP_NS, forward or back, is
 * believed when a second batch tells it: one packet with a wrong time ends nobody's flow, and a
 * file whose clock was set back goes on from there.  The wheel turns only forward.  A flow whose
 * last packet lies more than its time-out ahead of the clock is from before a step back, and due.
 *
 * Eviction: weak entries first, in the order of the entries, which is that of their opening when a
 * flood runs through the table, and as long as more than a sixteenth of the table is weak: that
 * share is for new flows to become something in.  Else the quietest of 64 neighbours that are not
 * weak.  Half-open, closed and reset connections are weak, and what had one packet. */
#include "base/cacheline.h"
#include "flow/table.h"

#define TICK_SHIFT 27
#define STEP_NS UINT64_C(10000000000)
#define WEAK_SHARE 16u
#define CANDIDATES (2 * BPEI_COHORT)
#define LATE                                                                                       \
	8 /* part of the shortest time-out by which a flow may end late; and by half of the time   \
	     that it waits for late packets */

static uint32_t tick_now(const struct bpei_table *t)
{
	uint64_t tick = (t->wheel_ns >> TICK_SHIFT) + 1;
	return tick < UINT32_MAX - BPEI_WHEEL_SLOTS ? (uint32_t)tick
						    : UINT32_MAX - BPEI_WHEEL_SLOTS;
}

/* ---- The clock ---- */

static uint64_t ahead(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : 0;
}

void bpei_clock_set(struct bpei_table *t, int64_t ns)
{
	uint64_t gone = t->has_time ? ahead(ns, t->now_ns) : 0;
	t->wheel_ns = t->wheel_ns + gone < t->wheel_ns ? UINT64_MAX : t->wheel_ns + gone;
	t->now_ns = ns;
	t->has_time = true;
	t->has_step = false;
}

void bpei_clock_follow(struct bpei_table *t, int64_t ns)
{
	if (!t->has_time) {
		bpei_clock_set(t, ns);
		return;
	}
	uint64_t forward = ahead(ns, t->now_ns), back = ahead(t->now_ns, ns);
	if (forward <= STEP_NS && back <= STEP_NS) {
		if (forward)
			bpei_clock_set(t, ns);
		t->has_step = false;
		return;
	}
	bool again = t->has_step && (forward ? t->step_ns > t->now_ns : t->step_ns < t->now_ns);
	if (again) { /* a file of few packets may jump with every batch: the earlier of two jumps
			forward is sure */
		int64_t sure = forward ? (ns < t->step_ns ? ns : t->step_ns)
				       : (ns > t->step_ns ? ns : t->step_ns);
		bpei_clock_set(t, sure);
		bpei_counter_add(&t->counts.time_steps, 1);
		if (ahead(ns, sure) <= STEP_NS)
			return;
	}
	t->has_step = true;
	t->step_ns = ns;
}

/* ---- Time-outs ---- */

static int64_t plus(int64_t a, int64_t b)
{
	return a < INT64_MAX - b ? a + b : INT64_MAX;
}

static uint32_t ticks_of(int64_t wait_ns)
{
	uint64_t ticks = ((uint64_t)wait_ns >> TICK_SHIFT) + 1;
	return ticks < BPEI_WHEEL_SLOTS - 1 ? (uint32_t)ticks : BPEI_WHEEL_SLOTS - 1;
}

void bpei_age_init(struct bpei_table *t)
{
	const struct bpei_table_options *o = &t->options;
	t->least_timeout_ns = INT64_MAX;
	for (int k = 0; k < BPE_TIMEOUT_COUNT; k++) {
		int64_t other = k == BPE_TIMEOUT_TCP_CLOSED ? o->closed_ns : o->idle_ns,
			given = o->timeout_ns[k];
		t->timeout_ns[k] = given > 0 ? given : other > 0 ? other : INT64_MAX;
		if (t->timeout_ns[k] < t->least_timeout_ns)
			t->least_timeout_ns = t->timeout_ns[k];
		t->patience_ns[k] = plus(t->timeout_ns[k], o->slack_ns);
	}
	for (uint32_t marks = 0; marks <= BPEI_AGED; marks++) {
		struct bpei_entry one_way = { .sums = { (uint64_t)marks << SUMS_MARKS, 0 } },
				  two_way = { .sums = { (uint64_t)marks << SUMS_MARKS | 1, 1 } };
		int64_t some = t->patience_ns[bpei_entry_kind(&one_way)],
			other = t->patience_ns[bpei_entry_kind(&two_way)],
			least = some < other ? some : other;
		t->least_patience_ns[marks] = least;
		t->await_ticks[marks] =
			least == INT64_MAX ? 0 : ticks_of(plus(least, o->slack_ns / 2));
	}
	t->tick = 1;
	t->weak_cohort = UINT32_MAX; /* the first is the next */
	for (uint32_t s = 0; s < BPEI_WHEEL_SLOTS; s++)
		t->slot[s] = BPEI_NO_FLOW;
}

/* ---- The wheel ---- */

void bpei_cohort_disarm(struct bpei_table *t, uint32_t i)
{
	struct bpei_cohort *b = &t->cohorts[i];
	if (!b->due)
		return;
	if (b->prev == BPEI_NO_FLOW)
		t->slot[b->due % BPEI_WHEEL_SLOTS] = b->next;
	else
		t->cohorts[b->prev].next = b->next;
	if (b->next != BPEI_NO_FLOW)
		t->cohorts[b->next].prev = b->prev;
	b->due = 0;
}

/* Looked at by then. */
static void arm(struct bpei_table *t, uint32_t i, uint32_t due)
{
	struct bpei_cohort *b = &t->cohorts[i];
	bpei_cohort_disarm(t, i);
	uint32_t *head = &t->slot[due % BPEI_WHEEL_SLOTS];
	b->due = due;
	b->prev = BPEI_NO_FLOW;
	b->next = *head;
	if (*head != BPEI_NO_FLOW)
		t->cohorts[*head].prev = i;
	*head = i;
}

/* What ending the entry will need first. */
static void prefetch_end(const struct bpei_table *t, uint32_t i)
{
	__builtin_prefetch(&t->details[i], 1);
	__builtin_prefetch(&t->details[i].hash, 1); /* may lie on the next line */
	__builtin_prefetch(&t->cohorts[i / BPEI_COHORT], 1);
}

static void prefetch_bucket(const struct bpei_table *t, uint32_t tag)
{
	__builtin_prefetch(&t->index.buckets[tag & t->index.mask], 1);
}

void bpei_entry_await(struct bpei_table *t, uint32_t i)
{
	const struct bpei_cohort *b = &t->cohorts[i / BPEI_COHORT];
	const uint32_t ticks = t->await_ticks[bpei_entry_aged(&t->entries[i])],
		       due = tick_now(t) + ticks;
	if (ticks && (!b->due || b->due > due))
		arm(t, i / BPEI_COHORT, due);
}

static inline bool over(const struct bpei_table *t, const struct bpei_entry *e, int64_t timeout)
{
	uint64_t limit = (uint64_t)timeout;
	return limit != INT64_MAX &&
	       (ahead(t->now_ns, e->last_ns) > limit ||
		       (!t->options.timeline && ahead(e->last_ns, t->now_ns) > limit + STEP_NS));
}

void bpei_table_ask_due(const struct bpei_table *t)
{
	for (uint32_t k = 0; k < t->due_count; k++)
		prefetch_bucket(t, t->details[t->due[k]].hash);
}

void bpei_table_end_due(struct bpei_table *t)
{
	for (uint32_t k = 0, n = t->due_count; k < n; k++) {
		const struct bpei_entry *e = &t->entries[t->due[k]];
		if (bpei_entry_bits(e) & ENTRY_ALIVE &&
			over(t, e, t->patience_ns[bpei_entry_kind(e)]))
			bpei_table_end(t, t->due[k], bpei_entry_why(e));
	}
	t->due_count = 0;
}

/* next: the cohort whose look comes after this one's; asked for line by line, so that nothing waits
 * for its lines all at once. */
static void look(struct bpei_table *t, uint32_t cohort, uint32_t next)
{
	const char *line = (const char *)&t->entries[(size_t)next * BPEI_COHORT];
	int64_t wait = INT64_MAX;
	const int64_t latest =
		t->options.timeline
			? INT64_MAX
			: t->now_ns; /* who lies ahead of it may be from before a step back */
	bpei_cohort_disarm(t, cohort);
	for (uint32_t i = cohort * BPEI_COHORT, end = i + BPEI_COHORT; i < end && i < t->touched;
		i++, line += sizeof *t->entries) {
		const struct bpei_entry *e = &t->entries[i];
		__builtin_prefetch(line);
		if (!(bpei_entry_bits(e) & ENTRY_ALIVE))
			continue;
		const uint64_t idle =
			ahead(t->now_ns, e->last_ns); /* of any two times, so up to 2^64 - 1 */
		int64_t patience = t->least_patience_ns[bpei_entry_aged(e)];
		if (BPEI_UNLIKELY((idle > (uint64_t)patience) |
				  (e->last_ns > latest))) { /* perhaps: by its exact kind? */
			patience = t->patience_ns[bpei_entry_kind(e)];
			if (over(t, e, patience)) {
				t->due[t->due_count++] = i;
				prefetch_end(t, i);
				continue;
			}
		}
		const int64_t left = (int64_t)((uint64_t)patience - idle);
		wait = left < wait ? left : wait;
	}
	/* Neighbours that are due soon after one another share a look. */
	if (wait < t->least_timeout_ns / LATE)
		wait = t->least_timeout_ns / LATE;
	if (t->cohorts[cohort].alive && wait < INT64_MAX)
		arm(t, cohort, tick_now(t) + ticks_of(plus(wait, t->options.slack_ns / 2)));
}

void bpei_table_sweep(struct bpei_table *t, uint32_t cohorts)
{
	uint32_t now = tick_now(t);
	bpei_table_end_due(t);
	for (uint32_t slots = 0; t->tick < now; t->tick++) {
		if (++slots > BPEI_WHEEL_SLOTS) { /* all of them have been looked after */
			t->tick = now;
			return;
		}
		while (t->slot[t->tick % BPEI_WHEEL_SLOTS] != BPEI_NO_FLOW) {
			uint32_t cohort = t->slot[t->tick % BPEI_WHEEL_SLOTS];
			if (!cohorts--)
				return;
			if (t->due_count > BPEI_DUE - BPEI_COHORT)
				bpei_table_end_due(t);
			look(t, cohort,
				t->cohorts[cohort].next != BPEI_NO_FLOW ? t->cohorts[cohort].next
									: cohort);
		}
	}
}

/* ---- No room ---- */

#define WEAK_STATES                                                                                \
	(1u << BPE_TCP_SYN_SENT | 1u << BPE_TCP_SYN_RECEIVED | 1u << BPE_TCP_CLOSED |              \
		1u << BPE_TCP_RESET)

void bpei_entry_weigh(struct bpei_table *t, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	const uint32_t state = bpei_entry_state(e), bits = bpei_entry_bits(e),
		       was = bits / ENTRY_WEAK & 1,
		       single = bpei_entry_packets(e, 0) + bpei_entry_packets(e, 1) <= 1;
	const uint32_t errors = ((e->sums[0] | e->sums[1]) & SUMS_ERRORS) != 0;
	const uint32_t weak =
		(WEAK_STATES >> state & 1) | (single & !(bits & ENTRY_CONTINUED)) | errors;
	bpei_entry_set(e, ENTRY_WEAK, weak * ENTRY_WEAK); /* without a branch: whether anything
							     changes is not to be guessed */
	t->weak += weak - was;
	t->cohorts[i / BPEI_COHORT].weak += (uint16_t)(weak - was);
}

/* The next one in the order of the entries, of a cohort looked through at once: who of it is weak
 * is not to be guessed one by one.  It may not be any more. */
static uint32_t find_weak(struct bpei_table *t)
{
	while (!t->weak_left) {
		if (++t->weak_cohort > (t->touched - 1) / BPEI_COHORT)
			t->weak_cohort = 0;
		if (!t->cohorts[t->weak_cohort].weak)
			continue;
		const uint32_t first = t->weak_cohort * BPEI_COHORT,
			       n = t->touched - first < BPEI_COHORT ? t->touched - first
								    : BPEI_COHORT;
		for (uint32_t k = 0; k < n; k++)
			t->weak_left |= (bpei_entry_bits(&t->entries[first + k]) / ENTRY_WEAK & 1)
					<< k;
	}
	const uint32_t i = t->weak_cohort * BPEI_COHORT + (uint32_t)__builtin_ctz(t->weak_left);
	t->weak_left &= t->weak_left - 1;
	__builtin_prefetch(&t->entries[i + BPEI_COHORT < t->touched
					       ? i + BPEI_COHORT
					       : i]); /* line by line: the next cohort's need not be
							 waited for all at once */
	return i;
}

/* Those that are to go soon stand in a queue, so that what is known of them comes before their
 * turn, first the detail, then the bucket.  Who has had a packet since he was put there, or ended,
 * is left out. */
static uint32_t next_weak(struct bpei_table *t)
{
	for (;;) {
		for (; t->victims_put - t->victims_taken < BPEI_VICTIMS; t->victims_put++) {
			uint32_t i = find_weak(t);
			t->victims[t->victims_put % BPEI_VICTIMS] =
				(struct bpei_victim){ t->entries[i].last_ns, i };
			prefetch_end(t, i);
		}
		prefetch_bucket(t,
			t->details[t->victims[(t->victims_taken + BPEI_VICTIMS / 2) % BPEI_VICTIMS]
					   .entry]
				.hash);
		const struct bpei_victim v = t->victims[t->victims_taken++ % BPEI_VICTIMS];
		if (bpei_entry_bits(&t->entries[v.entry]) & ENTRY_WEAK &&
			t->entries[v.entry].last_ns == v.last_ns)
			return v.entry;
	}
}

uint32_t bpei_table_victim(struct bpei_table *t)
{
	uint32_t best = BPEI_NO_FLOW;
	if (t->weak && t->weak > t->options.max_flows / WEAK_SHARE)
		return next_weak(t);
	for (uint32_t n = 0; n < CANDIDATES || best == BPEI_NO_FLOW; n++, t->hand++) {
		if (t->hand >= t->touched)
			t->hand = 0;
		const struct bpei_entry *e = &t->entries[t->hand];
		if (!(bpei_entry_bits(e) & ENTRY_ALIVE) ||
			(bpei_entry_bits(e) & ENTRY_WEAK &&
				t->weak < bpei_counter_get(&t->counts.active)))
			continue;
		if (best == BPEI_NO_FLOW || e->last_ns < t->entries[best].last_ns)
			best = t->hand;
	}
	return best;
}
