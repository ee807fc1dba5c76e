/* SPDX-License-Identifier: MIT */
/* Ageing: one first-in-first-out queue for each time-out, looked after lazily.
 *
 * A packet does not touch the queues.  An entry is examined when it has been queued for half of its time-out: it ends if it
 * has been quiet for all of it, else it goes back to the tail.  So a quiet flow ends at the latest half a time-out late, at the
 * cost of two looks per time-out.  A closed connection, of which no more comes than a last ACK, is looked at once, a little
 * after its time.  What a packet meets is exact all the same, since a hit looks at the time itself (table.c).
 * Invariant: an alive entry is in the queue of its state, and `queued` does not fall from tail to head.
 * Time is the latest that any packet carried: it never goes back, whatever a file's time stamps do. */
#include "flow/table.h"

#define TICK_SHIFT 20		/* a tick is about a millisecond; 32 bits of them are 52 days */
#define EXAMINE 16u		/* entries looked at for one eviction */

static uint32_t ticks_now(const struct bpei_table *t)
{
	uint64_t ticks = ((uint64_t)t->now_ns - (uint64_t)t->base_ns) >> TICK_SHIFT;
	return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

void bpei_queue_append(struct bpei_table *t, enum queue q, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	uint32_t tail = t->queues[q].tail;
	e->prev = tail;
	e->next = BPEI_NO_FLOW;
	e->queued = ticks_now(t);
	if (tail == BPEI_NO_FLOW) t->queues[q].head = i;
	else t->entries[tail].next = i;
	t->queues[q].tail = i;
}

void bpei_queue_remove(struct bpei_table *t, enum queue q, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	if (e->prev == BPEI_NO_FLOW) t->queues[q].head = e->next;
	else t->entries[e->prev].next = e->next;
	if (e->next == BPEI_NO_FLOW) t->queues[q].tail = e->prev;
	else t->entries[e->next].prev = e->prev;
}

bool bpei_entry_due(const struct bpei_table *t, const struct bpei_entry *e, int64_t now_ns)
{
	int64_t timeout = t->timeout_ns[bpei_queue_of(e)];
	return now_ns > e->last_ns && (uint64_t)now_ns - (uint64_t)e->last_ns > (uint64_t)timeout;
}

static enum bpe_flow_end why(enum queue q) { return q == QUEUE_CLOSED ? BPE_END_CLOSED : BPE_END_IDLE; }

void bpei_table_sweep(struct bpei_table *t, uint32_t budget)
{
	for (enum queue q = 0; q < QUEUES; q++) {
		uint64_t timeout = (uint64_t)t->timeout_ns[q], wait = (q == QUEUE_CLOSED ? timeout + timeout / 8 : timeout / 2) >> TICK_SHIFT;
		uint32_t now = ticks_now(t);
		for (uint32_t looks = 0; looks < budget && t->queues[q].head != BPEI_NO_FLOW; looks++) {
			uint32_t i = t->queues[q].head;
			struct bpei_entry *e = &t->entries[i];
			if (now - e->queued <= wait) break;
			if (bpei_entry_due(t, e, t->now_ns)) {
				bpei_table_end(t, i, why(q));
			} else {
				bpei_queue_remove(t, q, i);
				bpei_queue_append(t, q, i);
			}
		}
	}
}

/* The head of a queue, after those that were busy since they were queued went back to the tail: at most EXAMINE of them. */
static uint32_t quiet_head(struct bpei_table *t, enum queue q)
{
	for (uint32_t looks = 0; looks < EXAMINE; looks++) {
		uint32_t i = t->queues[q].head;
		if (i == BPEI_NO_FLOW) return i;
		const struct bpei_entry *e = &t->entries[i];
		uint64_t last = ((uint64_t)e->last_ns - (uint64_t)t->base_ns) >> TICK_SHIFT;
		if (e->last_ns < t->base_ns || last <= e->queued) return i;
		bpei_queue_remove(t, q, i);
		bpei_queue_append(t, q, i);
	}
	return t->queues[q].head;
}

static uint32_t quieter(const struct bpei_table *t, uint32_t a, uint32_t b)
{
	if (a == BPEI_NO_FLOW || b == BPEI_NO_FLOW) return a == BPEI_NO_FLOW ? b : a;
	return t->entries[b].last_ns < t->entries[a].last_ns ? b : a;
}

/* The entry that has been quiet longest: exact in a table of at most EXAMINE flows, near it in larger ones, where the first
 * of each queue that was not busy since it was queued is compared. */
uint32_t bpei_table_quietest(struct bpei_table *t)
{
	uint32_t best = BPEI_NO_FLOW;
	if (bpei_counter_get(&t->counts.active) > EXAMINE) {
		best = quieter(t, quiet_head(t, QUEUE_IDLE), quiet_head(t, QUEUE_CLOSED));
		if (t->entries[best].next != BPEI_NO_FLOW) __builtin_prefetch(&t->entries[t->entries[best].next]);	/* the next to go */
		return best;
	}
	for (enum queue q = 0; q < QUEUES; q++)
		for (uint32_t i = t->queues[q].head; i != BPEI_NO_FLOW; i = t->entries[i].next) best = quieter(t, best, i);
	return best;
}
