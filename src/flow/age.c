/* SPDX-License-Identifier: MIT */
/* Time: the packets' clock, the timing wheel, and who goes when there is no room.
 *
 * Wheel: 1,024 slots of 134 ms; what is farther away is looked at once a turn.  In it are not flows but cohorts of 32 neighbouring entries, by the
 * earliest time at which one of them may be due, so that a flow has no links and a look reads memory in a row.  A packet does not touch the wheel: a
 * cohort is looked at when the time has come that was known when it was put there; what is due ends, and it goes back for the next time.  An early
 * look costs a look and no more.  A change to a state with a shorter time-out moves the cohort forward.
 * What a packet meets is exact, whatever the wheel does, since a hit looks at the time itself (table.c).
 *
 * Clock: the latest time that packets told.  A jump of more than STEP_NS, forward or back, is believed when a second batch tells it: one packet
 * with a wrong time ends nobody's flow, and a file whose clock was set back goes on from there.  The wheel turns only forward.  A flow whose last
 * packet lies more than its time-out ahead of the clock is from before a step back, and due.
 *
 * Eviction: weak entries first, in the order of the entries, which is that of their opening when a flood runs through the table, and as long as
 * more than a sixteenth of the table is weak: that share is for new flows to become something in.  Else the quietest of 64 neighbours that are not
 * weak.  Half-open, closed and reset connections are weak, and what had one packet. */
#include "flow/table.h"

#define TICK_SHIFT 27
#define STEP_NS UINT64_C(10000000000)
#define WEAK_SHARE 16u
#define CANDIDATES (2 * BPEI_COHORT)
#define LATE 8			/* part of the shortest time-out by which a flow may end late; and by half of the time that it waits for late packets */

static uint32_t tick_now(const struct bpei_table *t)
{
	uint64_t tick = (t->wheel_ns >> TICK_SHIFT) + 1;
	return tick < UINT32_MAX - BPEI_WHEEL_SLOTS ? (uint32_t)tick : UINT32_MAX - BPEI_WHEEL_SLOTS;
}

/* ---- The clock ---- */

static uint64_t ahead(int64_t a, int64_t b) { return a > b ? (uint64_t)a - (uint64_t)b : 0; }

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
		if (forward) bpei_clock_set(t, ns);
		t->has_step = false;
		return;
	}
	bool again = t->has_step && (forward ? t->step_ns > t->now_ns : t->step_ns < t->now_ns);
	if (again) {	/* a file of few packets may jump with every batch: the earlier of two jumps forward is sure */
		int64_t sure = forward ? (ns < t->step_ns ? ns : t->step_ns) : (ns > t->step_ns ? ns : t->step_ns);
		bpei_clock_set(t, sure);
		bpei_counter_add(&t->counts.time_steps, 1);
		if (ahead(ns, sure) <= STEP_NS) return;
	}
	t->has_step = true;
	t->step_ns = ns;
}

/* ---- Time-outs ---- */

enum bpe_timeout bpei_entry_kind(const struct bpei_entry *e)
{
	static const uint8_t tcp[] = { [BPE_TCP_NONE] = BPE_TIMEOUT_OTHER, [BPE_TCP_SYN_SENT] = BPE_TIMEOUT_TCP_OPENING, [BPE_TCP_SYN_RECEIVED] = BPE_TIMEOUT_TCP_OPENING,
		[BPE_TCP_ESTABLISHED] = BPE_TIMEOUT_TCP_ESTABLISHED, [BPE_TCP_CLOSING] = BPE_TIMEOUT_TCP_CLOSING, [BPE_TCP_CLOSED] = BPE_TIMEOUT_TCP_CLOSED,
		[BPE_TCP_RESET] = BPE_TIMEOUT_TCP_CLOSED };
	uint8_t proto = bpei_entry_proto(e);
	if (bpei_entry_state(e)) return tcp[bpei_entry_state(e)];
	if (proto == 17 || proto == 136) return (bpei_entry_packets(e, 0) && bpei_entry_packets(e, 1)) || bpei_entry_bits(e) & ENTRY_CONTINUED ? BPE_TIMEOUT_UDP_TWO_WAY : BPE_TIMEOUT_UDP_ONE_WAY;
	return proto == 1 || proto == 58 ? BPE_TIMEOUT_ICMP : BPE_TIMEOUT_OTHER;
}

bool bpei_entry_due(const struct bpei_table *t, const struct bpei_entry *e, int64_t now_ns)
{
	return ahead(now_ns, e->last_ns) > (uint64_t)t->timeout_ns[bpei_entry_kind(e)];
}

/* ---- The wheel ---- */

void bpei_cohort_disarm(struct bpei_table *t, uint32_t i)
{
	struct bpei_cohort *b = &t->cohorts[i];
	if (!b->due) return;
	if (b->prev == BPEI_NO_FLOW) t->slot[b->due % BPEI_WHEEL_SLOTS] = b->next;
	else t->cohorts[b->prev].next = b->next;
	if (b->next != BPEI_NO_FLOW) t->cohorts[b->next].prev = b->prev;
	b->due = 0;
}

void bpei_cohort_arm(struct bpei_table *t, uint32_t i, int64_t wait_ns)
{
	struct bpei_cohort *b = &t->cohorts[i];
	uint64_t ticks = ((uint64_t)wait_ns >> TICK_SHIFT) + 1;
	if (wait_ns == INT64_MAX) return;
	uint32_t due = tick_now(t) + (ticks < BPEI_WHEEL_SLOTS - 1 ? (uint32_t)ticks : BPEI_WHEEL_SLOTS - 1);
	if (b->due && b->due <= due) return;
	bpei_cohort_disarm(t, i);
	uint32_t *head = &t->slot[due % BPEI_WHEEL_SLOTS];
	b->due = due;
	b->prev = BPEI_NO_FLOW;
	b->next = *head;
	if (*head != BPEI_NO_FLOW) t->cohorts[*head].prev = i;
	*head = i;
}

static void prefetch_cohort(const struct bpei_table *t, uint32_t cohort)
{
	const char *from = (const char *)&t->entries[cohort * BPEI_COHORT], *to = from + BPEI_COHORT * sizeof *t->entries;
	for (; from < to; from += 64) __builtin_prefetch(from);
}

static void prefetch_bucket(const struct bpei_table *t, uint32_t tag) { __builtin_prefetch(&t->index.buckets[tag & t->index.mask], 1); }

static int64_t plus(int64_t a, int64_t b) { return a < INT64_MAX - b ? a + b : INT64_MAX; }

/* How long the entry may be quiet; INT64_MAX: for ever. */
static int64_t patience(const struct bpei_table *t, const struct bpei_entry *e)
{
	int64_t timeout = t->timeout_ns[bpei_entry_kind(e)];
	return plus(timeout, t->options.slack_ns);
}

void bpei_entry_await(struct bpei_table *t, uint32_t i) { bpei_cohort_arm(t, i / BPEI_COHORT, plus(patience(t, &t->entries[i]), t->options.slack_ns / 2)); }

static bool over(const struct bpei_table *t, const struct bpei_entry *e, int64_t timeout)
{
	uint64_t limit = (uint64_t)timeout;
	return limit != INT64_MAX && (ahead(t->now_ns, e->last_ns) > limit || (!t->options.timeline && ahead(e->last_ns, t->now_ns) > limit + STEP_NS));
}

void bpei_table_ask_due(const struct bpei_table *t)
{
	for (uint32_t k = 0; k < t->due_count; k++) prefetch_bucket(t, t->details[t->due[k]].hash);
}

void bpei_table_end_due(struct bpei_table *t)
{
	for (uint32_t k = 0, n = t->due_count; k < n; k++) {
		const struct bpei_entry *e = &t->entries[t->due[k]];
		if (bpei_entry_bits(e) & ENTRY_ALIVE && over(t, e, patience(t, e))) bpei_table_end(t, t->due[k], bpei_entry_why(e));
	}
	t->due_count = 0;
}

static void look(struct bpei_table *t, uint32_t cohort)
{
	int64_t wait = INT64_MAX;
	bpei_cohort_disarm(t, cohort);
	for (uint32_t i = cohort * BPEI_COHORT, end = i + BPEI_COHORT; i < end && i < t->touched; i++) {
		const struct bpei_entry *e = &t->entries[i];
		if (!(bpei_entry_bits(e) & ENTRY_ALIVE)) continue;
		int64_t timeout = patience(t, e);
		uint64_t quiet = ahead(t->now_ns, e->last_ns);
		if (timeout == INT64_MAX) continue;
		if (over(t, e, timeout)) {
			t->due[t->due_count++] = i;
			__builtin_prefetch(&t->details[i], 1);
		} else if (timeout - (int64_t)quiet < wait) {
			wait = timeout - (int64_t)quiet;
		}
	}
	/* Neighbours that are due soon after one another share a look. */
	if (wait < t->least_timeout_ns / LATE) wait = t->least_timeout_ns / LATE;
	if (t->cohorts[cohort].alive) bpei_cohort_arm(t, cohort, plus(wait, t->options.slack_ns / 2));
}

void bpei_table_sweep(struct bpei_table *t, uint32_t cohorts)
{
	uint32_t now = tick_now(t);
	bpei_table_end_due(t);
	for (uint32_t slots = 0; t->tick < now; t->tick++) {
		if (++slots > BPEI_WHEEL_SLOTS) {	/* all of them have been looked after */
			t->tick = now;
			return;
		}
		while (t->slot[t->tick % BPEI_WHEEL_SLOTS] != BPEI_NO_FLOW) {
			uint32_t cohort = t->slot[t->tick % BPEI_WHEEL_SLOTS];
			prefetch_cohort(t, t->cohorts[cohort].next != BPEI_NO_FLOW ? t->cohorts[cohort].next : cohort);
			if (!cohorts--) return;
			if (t->due_count > BPEI_DUE - BPEI_COHORT) bpei_table_end_due(t);
			look(t, cohort);
		}
	}
}

/* ---- No room ---- */

void bpei_entry_weigh(struct bpei_table *t, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	uint8_t state = bpei_entry_state(e);
	bool weak = state == BPE_TCP_SYN_SENT || state == BPE_TCP_SYN_RECEIVED || state >= BPE_TCP_CLOSED
		    || (!(bpei_entry_bits(e) & ENTRY_CONTINUED) && bpei_entry_packets(e, 0) + bpei_entry_packets(e, 1) <= 1);
	if (weak == !!(bpei_entry_bits(e) & ENTRY_WEAK)) return;
	bpei_entry_set(e, ENTRY_WEAK, weak ? ENTRY_WEAK : 0);
	t->weak += weak ? 1 : -1u;
	t->cohorts[i / BPEI_COHORT].weak += weak ? 1 : 0xffff;
}

static uint32_t find_weak(struct bpei_table *t)
{
	for (uint32_t i = t->weak_hand;;) {
		if (i >= t->touched) i = 0;
		if (i % BPEI_COHORT == 0 && !t->cohorts[i / BPEI_COHORT].weak) {
			i += BPEI_COHORT;
			continue;
		}
		if (bpei_entry_bits(&t->entries[i]) & ENTRY_WEAK) {
			t->weak_hand = i + 1;
			return i;
		}
		i++;
	}
}

/* Those that are to go soon stand in a queue, so that what is known of them comes before their turn, first the detail, then the bucket.  Who has had a packet
 * since he was put there, or ended, is left out. */
static uint32_t next_weak(struct bpei_table *t)
{
	for (;;) {
		for (; t->victims_put - t->victims_taken < BPEI_VICTIMS; t->victims_put++) {
			uint32_t i = find_weak(t);
			t->victims[t->victims_put % BPEI_VICTIMS] = (struct bpei_victim){ t->entries[i].last_ns, i };
			__builtin_prefetch(&t->details[i], 1);
		}
		prefetch_bucket(t, t->details[t->victims[(t->victims_taken + BPEI_VICTIMS / 2) % BPEI_VICTIMS].entry].hash);
		const struct bpei_victim v = t->victims[t->victims_taken++ % BPEI_VICTIMS];
		if (bpei_entry_bits(&t->entries[v.entry]) & ENTRY_WEAK && t->entries[v.entry].last_ns == v.last_ns) return v.entry;
	}
}

uint32_t bpei_table_victim(struct bpei_table *t)
{
	uint32_t best = BPEI_NO_FLOW;
	if (t->weak && t->weak > t->options.max_flows / WEAK_SHARE) return next_weak(t);
	for (uint32_t n = 0; n < CANDIDATES || best == BPEI_NO_FLOW; n++, t->hand++) {
		if (t->hand >= t->touched) t->hand = 0;
		const struct bpei_entry *e = &t->entries[t->hand];
		if (!(bpei_entry_bits(e) & ENTRY_ALIVE) || (bpei_entry_bits(e) & ENTRY_WEAK && t->weak < bpei_counter_get(&t->counts.active))) continue;
		if (best == BPEI_NO_FLOW || e->last_ns < t->entries[best].last_ns) best = t->hand;
	}
	return best;
}
