/* SPDX-License-Identifier: MIT */
/* The flow table: an index (index.c) of one-line buckets that hold tags and entry numbers, and the
 * entries apart (table.h).
 *
 * Life: new -> update ... -> end_all -> top -> free.  One thread owns it all; only the counts are
 * read by others. Entries: reserved for max_flows at once, but memory is taken only as they are
 * touched; numbers stay good for life. Invariant: alive entries = entries in the index <=
 * max_flows; opened = active + ended + evicted. Hazard: within a batch, an entry found early may be
 * ended and used anew before its packet's turn; the whole key is compared again at that turn, and a
 * freed entry's key fits nothing. A batch goes through in passes, so that cache misses overlap and
 * nothing is guessed wrong: ask for the buckets; probe them and ask for the entries and the details
 * of TCP; count what is simply one more packet of its flow; follow its segments; open the flows
 * that are new; then, one by one, the packets that are more than one more, TCP's apart.  A flow of
 * which one is has all that come behind it in the batch there, so that its packets keep their
 * order.  What it does beside that is bounded: a step of growth, a few cohorts of the wheel. */
#include "flow/tcp_fast.h"

#include "base/cacheline.h"
#include "packet/lengths.h"

#include <stdlib.h>

#define SWEEP_BATCH 2u /* cohorts looked at per batch */
#define SWEEP_IDLE 256u
#define KEY_TCP 6

const struct bpei_table_counts *bpei_table_counts(const struct bpei_table *t)
{
	return &t->counts;
}

/* ---- Entries ---- */

static void hand_over(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)
{
	struct bpe_flow record;
	if (!t->options.on_end)
		return;
	bpei_entry_record(t, i, why, &record);
	t->options.on_end(t->options.user, &record);
}

void bpei_table_end(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)
{
	struct bpei_entry *e = &t->entries[i];
	struct bpei_cohort *b = &t->cohorts[i / BPEI_COHORT];
	bpei_index_remove(t, t->details[i].hash, i);
	bpei_counter_set(&t->counts.active, bpei_counter_get(&t->counts.active) - 1);
	bpei_counter_add(why == BPE_END_EVICTED ? &t->counts.evicted : &t->counts.ended, 1);
	hand_over(t, i, why);
	bpei_extra_drop(t, i);
	if (BPEI_UNLIKELY(bpei_entry_marks(e) & STATE_TUNNEL))
		bpei_via_drop(t, i);
	if (bpei_entry_bits(e) & ENTRY_WEAK)
		t->weak--, b->weak--;
	if (!--b->alive)
		bpei_cohort_disarm(t, i / BPEI_COHORT);
	e->sums[1] = 0;
	e->key[4] = BPEI_NO_KEY;
	e->key[0] = t->free;
	t->free = i;
}

void bpei_table_evict(struct bpei_table *t, uint32_t i, bool crowded)
{
	uint8_t state = bpei_entry_state(&t->entries[i]);
	enum bpe_evicted kind = crowded ? BPE_EVICTED_COLLISION
				: !(bpei_entry_bits(&t->entries[i]) & ENTRY_WEAK)
					? BPE_EVICTED_ALIVE
				: state >= BPE_TCP_CLOSED ? BPE_EVICTED_CLOSED
				: state                   ? BPE_EVICTED_HALF_OPEN
							  : BPE_EVICTED_SINGLE;
	bpei_counter_add(&t->counts.evicted_by[kind], 1);
	bpei_table_end(t, i, BPE_END_EVICTED);
}

/* A new flow for packet p of the batch: its entry, or BPEI_NO_FLOW if no flows are to be kept. tcp:
 * so says its key, which a fragment has, too; header: TCP's was found. */
static inline __attribute__((always_inline)) uint32_t open_entry(
	struct bpei_table *t, const struct bpe_batch *b, uint32_t p, bool tcp, bool header)
{
	const struct bpe_layers *l = &b->layers[p];
	uint32_t i, end = l->flags / BPE_PKT_REVERSED & 1, tag = b->hash[p];
	if (!t->options.max_flows)
		return BPEI_NO_FLOW;
	if (bpei_counter_get(&t->counts.active) >= t->options.max_flows)
		bpei_table_evict(t, bpei_table_victim(t), false);
	if (t->free != BPEI_NO_FLOW)
		i = t->free, t->free = (uint32_t)t->entries[i].key[0];
	else
		i = t->touched++;
	bpei_index_insert(t, tag, i);

	const struct bpe_key *key = &b->key[p];
	struct bpei_entry *e = &t->entries[i];
	struct bpei_detail *d = &t->details[i];
	memcpy(e->key, key->addr, 32);
	const bool via = !!(l->flags & BPE_PKT_TUNNEL) | !!key->tunnel;
	e->key[4] = bpei_key_rest(key) | bpei_key_beside(key);
	e->last_ns = b->time_ns[p];
	e->sums[0] =
		(uint64_t)((via ? STATE_TUNNEL : 0) | bpei_stateless(key->ip_proto) << CLASS_SHIFT)
		<< SUMS_MARKS;
	const uint32_t origin = l->flags & BPE_PKT_ICMP_ERROR
					? !end
					: end; /* an error goes to the end that it quotes */
	e->sums[1] = (uint64_t)(ENTRY_ALIVE | ENTRY_WEAK | (header ? 0 : origin * ENTRY_ORIGIN))
		     << SUMS_MARKS;
	*d = (struct bpei_detail){
		.inner_vlan = key->vlan[1], .hash = tag, .first_ns = b->time_ns[p]
	};
	if (BPEI_UNLIKELY(via))
		bpei_via_open(t, i, b, p);
	if (t->processes)
		t->processes[i].pid = 0;
	if (t->any_missed)
		memset(t->missed[i], 0, sizeof t->missed[i]);
	if (t->any_upper)
		t->uppers[i] = (struct bpei_upper){ .count = { { 0 } } };
	if (tcp && t->options.tcp_health)
		bpei_health_open(t, i);
	if (t->lengths)
		t->lengths[i] = (struct bpei_lengths){ .ip = { 0 } };
	if (t->interfaces)
		t->interfaces[i] = b->interface_id ? b->interface_id[p] : 0;
	if (!tcp && (l->proto == BPE_PROTO_ICMP || l->proto == BPE_PROTO_ICMP6))
		bpei_icmp_note(d, b, p);
	if (header)
		bpei_tcp_open(e, end, l->tcp_flags);
	if (t->options.direction_by_port)
		bpei_entry_direct(e, l->tcp_flags);
	t->weak++, t->cohorts[i / BPEI_COHORT].weak++;
	t->cohorts[i / BPEI_COHORT].alive++;
	bpei_entry_await(t, i);
	bpei_counter_add(&t->counts.opened, 1);
	uint64_t active = bpei_counter_get(&t->counts.active) + 1;
	bpei_counter_set(&t->counts.active, active);
	bpei_counter_max(&t->counts.peak, active);
	return i;
}

/* The same, apart: of a packet that was thought to be of a flow. */
static __attribute__((noinline)) uint32_t open_flow(
	struct bpei_table *t, const struct bpe_batch *b, uint32_t p, bool header)
{
	return b->key[p].ip_proto == KEY_TCP ? open_entry(t, b, p, true, header)
					     : open_entry(t, b, p, false, false);
}

/* ---- Packets ---- */

/* A period of a flow is over: it is handed over, and counts begin anew with the packet of now_ns.
 */
static void end_period(struct bpei_table *t, uint32_t i, int64_t now_ns)
{
	struct bpei_entry *e = &t->entries[i];
	hand_over(t, i, BPE_END_ACTIVE);
	bpei_counter_add(&t->counts.periods, 1);
	for (int end = 0; end < 2; end++)
		e->sums[end] &= ~SUMS_COUNTS;
	if (t->any_missed)
		memset(t->missed[i], 0, sizeof t->missed[i]);
	if (t->any_upper)
		t->uppers[i] = (struct bpei_upper){ .count = { { 0 } } };
	bpei_health_forget(t, i);
	if (t->lengths)
		t->lengths[i] = (struct bpei_lengths){ .ip = { 0 } };
	bpei_entry_set(e, 0, ENTRY_CONTINUED);
	t->details[i].first_ns = now_ns;
}

/* TCP that does more than carry on, or whose time-out has passed: may end the flow and open
 * another.  Returns the entry. */
static uint32_t unusual(
	struct bpei_table *t, const struct bpe_batch *b, bool tcp, uint32_t p, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	struct bpei_detail *d = &t->details[i];
	struct bpei_segment s;
	const struct bpe_layers *l = &b->layers[p];
	uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	if (bpei_entry_due(t, e, b->time_ns[p])) {
		bpei_table_end(t, i, bpei_entry_why(e));
		return open_flow(t, b, p, tcp);
	}
	const bool control = tcp && l->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST),
		   known = control && bpei_packet_segment(t, b, p, &s);
	if (control && l->tcp_flags & TCP_SYN &&
		(known ? bpei_health_begins_anew(t, i, end, &s, l->tcp_flags, b->time_ns[p])
		       : bpei_tcp_reopens(e, l->tcp_flags))) {
		bpei_table_end(t, i, BPE_END_CLOSED);
		return open_flow(t, b, p, tcp);
	}
	if (t->active_ns != INT64_MAX && b->time_ns[p] > d->first_ns &&
		(uint64_t)b->time_ns[p] - (uint64_t)d->first_ns > (uint64_t)t->active_ns)
		end_period(t, i, b->time_ns[p]);
	if (!tcp || (known && s.seq != d->seq[end] &&
			    bpei_segment_judge(t, i, end, &s, l->tcp_flags) == SEGMENT_STRAY))
		return i;
	uint8_t before = bpei_entry_state(e);
	bpei_tcp_step(e, end, l->tcp_flags);
	uint8_t after = bpei_entry_state(e);
	if (!before && t->options.direction_by_port)
		bpei_entry_mark(e, STATE_BY_PORT, 0), bpei_entry_direct(e, l->tcp_flags);
	if (t->options.tcp_health && after != before && b->time_ns[p] >= e->last_ns) {
		uint16_t took =
			bpei_span_pack((int64_t)((uint64_t)b->time_ns[p] - (uint64_t)e->last_ns));
		const bool answer = (before == BPE_TCP_SYN_SENT) & (after == BPE_TCP_SYN_RECEIVED) &
				    !!(l->tcp_flags & TCP_ACK);
		const bool last = (before == BPE_TCP_SYN_RECEIVED) &
				  (after == BPE_TCP_ESTABLISHED) &
				  (end == !!(bpei_entry_bits(e) & ENTRY_ORIGIN));
		uint16_t *rtt =
			&d->rtt[answer]; /* arithmetic: which of them it is is not to be guessed */
		*rtt ^= (uint16_t)((*rtt ^ took) & (0u - (answer | last)));
	}
	if (after != before)
		bpei_entry_await(t, i);
	return i;
}

/* Whose the batch's packets are goes to their flows: who was named first stays until another is. */
static void note_processes(
	struct bpei_table *t, const struct bpe_batch *b, const uint32_t flow[BPE_BATCH])
{
	for (uint32_t p = 0; p < b->count; p++) {
		struct bpe_meta m;
		if (!b->hash[p] || flow[p] == BPEI_NO_FLOW || !bpe_batch_meta(b, p, &m) ||
			!(m.flags & BPE_META_PROCESS))
			continue;
		if (!bpei_entry_is(t, flow[p], &b->key[p]))
			continue; /* ended within this batch, and used anew */
		struct bpei_process *w = &t->processes[flow[p]];
		w->pid = m.pid;
		w->effective_pid = m.effective_pid;
		memcpy(w->comm, m.comm, sizeof w->comm);
		memcpy(w->effective_comm, m.effective_comm, sizeof w->effective_comm);
	}
}

/* By state: TCP's flags that may change it, and whether any packet may end a flow's being weak:
 * that of what is over never ends.  A table, since a branch on the state is guessed wrong. */
#define WATCH_WEAK (ENTRY_WEAK << 3)
static const uint16_t watch[8] = {
	[BPE_TCP_NONE] = WATCH_WEAK | 0xff /* TCP whose flow an ICMP error or a fragment began */,
	[BPE_TCP_SYN_SENT] = 0xff,
	[BPE_TCP_SYN_RECEIVED] = 0xff,
	[BPE_TCP_ESTABLISHED] = WATCH_WEAK | 7,
	[BPE_TCP_CLOSING] = WATCH_WEAK | 7,
	[BPE_TCP_CLOSED] = 7,
	[BPE_TCP_RESET] = 7
};
_Static_assert(WATCH_WEAK == 0x100, "beside the flags");

static __attribute__((noinline)) void note_length(
	struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_length n = bpei_length_of(
		b->data ? b->data[p] : NULL, b->caplen[p], b->wirelen[p], &b->layers[p]);
	t->lengths[i].ip[end] += n.ip;
	t->lengths[i].payload[end] += n.payload;
}

/* ---- A batch ---- */

/* One packet more.  No carry goes from one part to the next: each, and what is added to it, is less
 * than its end, but where wire has more bits than its part: such sums are not kept. */
static inline uint64_t sums_with(uint64_t sums, uint32_t wire)
{
	return sums + ((uint64_t)wire << SUMS_WIRE) + 1;
}

/* What only some tables count of a packet. */
static inline void count_beside(struct bpei_passage *g, uint32_t p, uint32_t i, uint32_t end)
{
	if (g->cut >> p & 1)
		bpei_count_missed(g->t, i, end, g->b->wirelen[p], g->b->caplen[p]);
	if (g->t->lengths)
		note_length(g->t, g->b, p, i, end);
}

/* A packet more in the entry's sums. */
static inline void add_packet(struct bpei_passage *g, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_entry *e = &g->t->entries[i];
	const uint32_t wire = g->b->wirelen[p];
	if (BPEI_UNLIKELY(g->b->layers[p].flags & BPE_PKT_ICMP_ERROR || e->sums[end] & SUMS_ERRORS))
		bpei_error_note(g, p, i, end);
	const uint64_t sums = sums_with(e->sums[end], wire);
	if (BPEI_UNLIKELY((sums & SUMS_FULL) | wire >> SUMS_WIRE_BITS))
		bpei_count_large(g->t, i, end, wire);
	else
		e->sums[end] = sums;
	count_beside(g, p, i, end);
}

/* Whether one of them has the hash of packet p. */
static bool among(const uint32_t *hash, uint64_t which, uint32_t p)
{
	for (; which; which &= which - 1)
		if (hash[__builtin_ctzll(which)] == hash[p])
			return true;
	return false;
}

/* Packets of flows that were not known before the batch, in their order; tcp: so say their keys.
 * doubtful: the flow may be known by now, and is looked up once more.  Returns those whose flow
 * was, which are left for later; so is who comes behind such a one even if his flow had to go
 * meanwhile, or he would be first. */
static inline __attribute__((always_inline)) uint64_t begin_flows(
	struct bpei_passage *g, uint64_t which, uint64_t doubtful, bool tcp)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *b = g->b;
	uint64_t known = 0;
	for (; which; which &= which - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(which);
		if (BPEI_UNLIKELY(doubtful >> p & 1)) {
			const uint32_t i = bpei_index_find(t, b->hash[p], &b->key[p]);
			if (i != BPEI_NO_FLOW || among(b->hash, known, p)) {
				g->flow[p] = i != BPEI_NO_FLOW ? i : (uint32_t)t->options.max_flows;
				known |= (uint64_t)1 << p;
				continue;
			}
		}
		const bool header = tcp && g->tcp >> p & 1;
		const uint32_t i = g->flow[p] = open_entry(t, b, p, tcp, header);
		add_packet(g, p, i, b->layers[p].flags / BPE_PKT_REVERSED & 1);
		if (header)
			bpei_tcp_note(g, p, i);
	}
	return known;
}

/* A packet that is not simply one more of the flow at flow[p]: a change of state, a time-out, a
 * flow that was opened or ended in this batch. */
static inline __attribute__((always_inline)) void count_slowly(
	struct bpei_passage *g, uint32_t p, bool maybe_tcp)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *b = g->b;
	const bool tcp = maybe_tcp && g->tcp >> p & 1;
	const int64_t ns = b->time_ns[p];
	const uint32_t end = b->layers[p].flags / BPE_PKT_REVERSED & 1;
	uint32_t i = g->flow[p];
	if (BPEI_UNLIKELY(!b->hash[p])) {
		g->flow[p] = BPEI_NO_FLOW;
		g->unkeyed++;
		return;
	}
	if (BPEI_UNLIKELY(!bpei_entry_is(t, i, &b->key[p])))
		i = bpei_index_find(t, b->hash[p], &b->key[p]);
	g->flow[p] = i =
		i >= t->options.max_flows ? open_flow(t, b, p, tcp) : unusual(t, b, tcp, p, i);
	if (i == BPEI_NO_FLOW) {
		g->refused++;
		return;
	}
	struct bpei_entry *e = &t->entries[i];
	add_packet(g, p, i, end);
	if (tcp)
		bpei_tcp_note(g, p, i);
	if (BPEI_LIKELY(ns >= e->last_ns))
		e->last_ns = ns; /* the detail of another than TCP was not asked for */
	else if (ns < t->details[i].first_ns)
		t->details[i].first_ns = ns;
	bpei_entry_weigh(t, i);
}

/* What count_packets left: the first packets of flows, then the others, of each flow in their
 * order, and TCP's apart, so that one is much like the next.  TCP's are those whose key says so: a
 * flow's are never on both sides.  Which ones are first is exact, so that entries are given in the
 * same order whatever the hashes are, and a file tells the same every time. */
static void count_rest(struct bpei_passage *g, uint64_t slow)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *b = g->b;
	const uint32_t none = (uint32_t)t->options.max_flows;
	uint64_t first = 0, doubtful = 0, tcp = 0,
		 fresh[4] = {
			 0
		 }; /* fresh: bit by some of the hash: such a one is among the first */
	for (uint64_t m = slow; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m), i = g->flow[p], h = b->hash[p];
		const uint64_t other = i != none && !bpei_entry_is(t, i, &b->key[p]),
			       unknown =
				       (h != 0) &
				       ((i == none) |
					       other); /* other: its hash is that of another key */
		uint64_t *const word = &fresh[h >> 6 & 3];
		first |= unknown << p;
		doubtful |= ((*word >> (h & 63) & 1) | other) << p;
		*word |= unknown << (h & 63);
		tcp |= (uint64_t)((h != 0) & (b->key[p].ip_proto == KEY_TCP)) << p;
		t->odd[i % BPEI_ODD] = 0;
		__builtin_prefetch(&t->cohorts[i / BPEI_COHORT], 1);
	}
	if (!none)
		first = 0; /* refused, all of them */
	slow &= ~first;
	slow |= begin_flows(g, first & tcp, doubtful, true);
	slow |= begin_flows(g, first & ~tcp, doubtful, false);
	for (uint64_t m = slow & tcp; m; m &= m - 1)
		count_slowly(g, (uint32_t)__builtin_ctzll(m), true);
	for (uint64_t m = slow & ~tcp; m; m &= m - 1)
		count_slowly(g, (uint32_t)__builtin_ctzll(m), false);
}

/* Apart, or its registers are the loop's. */
static __attribute__((noinline)) uint64_t differs_within(
	const struct bpei_table *t, uint32_t i, const struct bpe_key *key)
{
	return !bpei_entry_is(t, i, key);
}

/* Counts each packet that is simply one more of its flow, and returns the others (bit p), which are
 * for count_rest: those of a flow that has had such a one in this batch, too, so that each flow's
 * packets keep their order.  No branch is on what a packet is: it would be guessed wrong. plain:
 * nothing but packets and bytes on the wire is to be counted, and there are no periods and no ICMP
 * errors. */
static inline __attribute__((always_inline)) uint64_t count_packets(
	struct bpei_passage *g, bool plain)
{
	struct bpei_entry *const entries = g->t->entries;
	uint8_t *const odd = g->t->odd;
	const uint32_t n = g->b->count, *const flow = g->flow;
	const uint64_t least_timeout_ns = (uint64_t)g->t->least_timeout_ns,
		       active_ns = (uint64_t)g->t->active_ns;
	const struct bpe_layers *l = g->b->layers;
	const struct bpe_key *key = g->b->key;
	const int64_t *const time_ns = g->b->time_ns;
	const uint32_t *const wires = g->b->wirelen;
	uint64_t slow = 0;
	for (uint32_t p = 0; p < n; p++, l++, key++) {
		const uint32_t i = flow[p], end = l->flags / BPE_PKT_REVERSED & 1, wire = wires[p];
		struct bpei_entry *const e = &entries[i];
		const uint64_t ns = (uint64_t)time_ns[p], last_ns = (uint64_t)e->last_ns,
			       old = e->sums[end];
		const uint64_t sums = sums_with(old, wire);
		uint64_t differs = bpei_entry_differs(e, key);
		if (BPEI_UNLIKELY(bpei_key_has_more(key)))
			differs = differs_within(g->t, i, key);
		differs |= odd[i % BPEI_ODD] |
			   ((l->tcp_flags | (bpei_entry_bits(e) & ENTRY_WEAK) << 3) &
				   watch[bpei_entry_state(e)]) |
			   (sums & SUMS_FULL) | wire >> SUMS_WIRE_BITS;
		differs |= ns - last_ns > least_timeout_ns; /* or it is out of order: then the
							       difference wraps round */
		if (!plain)
			differs |= (ns - (uint64_t)g->t->details[i].first_ns > active_ns) |
				   (l->flags & BPE_PKT_ICMP_ERROR);
		const uint64_t is = differs != 0,
			       keep = is - 1; /* arithmetic: of a choice gcc may make a branch */
		odd[i % BPEI_ODD] = (uint8_t)is;
		slow |= is << p;
		e->sums[end] = old + ((sums - old) & keep);
		e->last_ns = (int64_t)(last_ns + ((ns - last_ns) & keep));
		if (!plain && !is)
			count_beside(g, p, i, end);
	}
	return slow;
}

static uint64_t cut_packets(const struct bpe_batch *b)
{
	uint32_t differ = 0;
	uint64_t cut = 0;
	for (uint32_t p = 0; p < b->count; p++)
		differ |= b->wirelen[p] ^ b->caplen[p];
	for (uint32_t p = 0; differ && p < b->count; p++)
		cut |= (uint64_t)(b->wirelen[p] != b->caplen[p]) << p;
	return cut;
}

/* Buckets, then entries, and of TCP what belongs to them are asked for all together, so that what
 * must be waited for is waited for once. */
static void find_flows(struct bpei_passage *g)
{
	struct bpei_table *const t = g->t;
	const uint32_t n = g->b->count, *const hash = g->b->hash, mask = t->index.mask;
	const struct bpei_bucket *const buckets = t->index.buckets;
	const struct bpe_layers *l = g->b->layers;
	struct bpei_entry *const entries = t->entries;
	const uint32_t none = (uint32_t)t->options.max_flows;
	uint32_t *const flow = g->flow, far = 0;
	uint8_t on[BPE_BATCH];
	uint64_t tcp = 0;
	uint32_t flags = 0;
	for (uint32_t p = 0; p < n; p++) {
		flags |= l[p].flags;
		__builtin_prefetch(&buckets[hash[p] & mask]);
		tcp |= (uint64_t)((l[p].proto == BPE_PROTO_TCP) & (l[p].transport != BPE_NO_OFFSET))
		       << p;
	}
	if (BPEI_UNLIKELY(t->old.buckets))
		for (uint32_t p = 0; p < n; p++)
			__builtin_prefetch(&t->old.buckets[hash[p] & t->old.mask]);
	bpei_probe(buckets, mask, hash, n, flow);
	if (BPEI_UNLIKELY(t->old.buckets)) {
		uint32_t older[BPE_BATCH];
		bpei_probe(t->old.buckets, t->old.mask, hash, n, older);
		for (uint32_t p = 0; p < n; p++)
			flow[p] = older[p] < flow[p]
					  ? older[p]
					  : flow[p]; /* entries < BPEI_PROBE_NEXT < BPEI_NO_ENTRY */
	}
	/* Not in the bucket itself: its neighbour is asked for, and looked at when the others'
	 * entries have been. */
	for (uint32_t p = 0; p < n; p++) {
		const uint32_t i = flow[p], found = i < none ? i : none;
		flow[p] = found;
		__builtin_prefetch(&entries[found], 1);
		on[far] = (uint8_t)p;
		far += i == BPEI_PROBE_NEXT;
	}
	for (uint32_t k = 0; k < far; k++)
		__builtin_prefetch(&buckets[(hash[on[k]] + 1) & mask]);
	for (uint32_t k = 0; k < far; k++) {
		const uint32_t p = on[k], i = bpei_index_find(t, hash[p], NULL);
		if (i == BPEI_NO_FLOW)
			continue;
		flow[p] = i;
		__builtin_prefetch(&entries[i], 1);
	}
	g->tcp = tcp;
	g->errors = flags & BPE_PKT_ICMP_ERROR;
	g->tagged = flags & BPE_PKT_VLAN;
	for (; tcp; tcp &= tcp - 1) {
		const uint32_t i = flow[__builtin_ctzll(tcp)];
		__builtin_prefetch(&t->details[i], 1);
		__builtin_prefetch(bpei_rounds_of(t, i), 1);
	}
}

/* Without a timeline the packets tell the time. */
static void follow_clock(struct bpei_table *t, const struct bpe_batch *b)
{
	int64_t latest = INT64_MIN;
	bool any = false;
	for (uint32_t p = 0; p < b->count; p++) {
		any |= !!b->hash[p];
		if (b->hash[p] && b->time_ns[p] > latest)
			latest = b->time_ns[p];
	}
	if (any)
		bpei_clock_follow(t, latest);
}

void bpei_table_update(struct bpei_table *t, const struct bpe_batch *b, uint32_t flow[BPE_BATCH])
{
	const uint32_t touched = t->touched;
	struct bpei_passage g = { .t = t, .b = b, .flow = flow, .cut = cut_packets(b) };
	if (!t->options.timeline)
		follow_clock(t, b);
	bpei_table_ask_due(t);
	find_flows(&g);
	t->joined.any = false;
	t->any_tagged |= g.tagged;
	if (BPEI_UNLIKELY(t->any_tagged)) {
		bpei_siblings_join(&g);
		b = g.b;
	}
	const bool plain = !(g.cut | (uint64_t)(t->lengths != NULL) |
			     (uint64_t)(t->active_ns != INT64_MAX) | (uint64_t)g.errors);
	uint64_t slow = plain ? count_packets(&g, true) : count_packets(&g, false);
	bpei_tcp_follow(&g, g.tcp & ~slow);
	count_rest(&g, slow);
	if (BPEI_UNLIKELY(t->processes && b->meta))
		note_processes(t, b, flow);
	bpei_counter_add(&t->counts.packets, b->count - g.unkeyed - g.refused);
	if (g.refused)
		bpei_counter_add(&t->counts.refused, g.refused);
	if (t->touched != touched)
		bpei_table_count_bytes(t);
	bpei_index_step(t);
	if (t->has_time)
		bpei_table_sweep(t, SWEEP_BATCH);
}

const struct bpe_batch *bpei_table_joined(const struct bpei_table *t)
{
	return t->joined.any ? &t->joined.batch : NULL;
}

void bpei_table_clock(struct bpei_table *t, int64_t now_ns)
{
	if (!t->has_time || now_ns > t->now_ns)
		bpei_clock_set(t, now_ns);
}

void bpei_table_age(struct bpei_table *t, int64_t now_ns)
{
	if (!t->has_time && !t->options.timeline)
		return;
	bpei_table_clock(t, now_ns);
	bpei_index_step(t);
	bpei_table_sweep(t, SWEEP_IDLE);
	bpei_table_end_due(t);
}

/* ---- The end ---- */

struct opened {
	int64_t first_ns;
	uint32_t entry;
};

static int by_opening(const void *x, const void *y)
{
	const struct opened *a = x, *b = y;
	return a->first_ns != b->first_ns ? a->first_ns < b->first_ns ? -1 : 1
	       : a->entry < b->entry      ? -1
					  : a->entry > b->entry;
}

void bpei_table_end_all(struct bpei_table *t)
{
	size_t n = 0;
	for (uint32_t i = 0; i < t->touched; i++) {
		struct bpei_entry *e = &t->entries[i];
		if (bpei_entry_bits(e) & ENTRY_ALIVE && bpei_entry_due(t, e, t->now_ns))
			bpei_table_end(t, i, bpei_entry_why(e));
	}
	uint64_t active = bpei_counter_get(&t->counts.active);
	if (!t->options.on_end || !active)
		return;
	struct opened *order = malloc(active * sizeof *order);
	for (uint32_t i = 0; i < t->touched; i++) {
		if (!(bpei_entry_bits(&t->entries[i]) & ENTRY_ALIVE))
			continue;
		if (order) {
			order[n++] = (struct opened){ t->details[i].first_ns, i };
		} else { /* no memory to sort in: any order is better than none */
			hand_over(t, i, BPE_END_STOP);
		}
	}
	if (order)
		qsort(order, n, sizeof *order, by_opening);
	for (size_t k = 0; k < n; k++)
		hand_over(t, order[k].entry, BPE_END_STOP);
	free(order);
}
