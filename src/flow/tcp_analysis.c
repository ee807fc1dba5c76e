/* SPDX-License-Identifier: MIT */
/* TCP health: what both ends' sequence numbers tell a bystander, by the definitions of Wireshark's
 * tcp.analysis, but for these:
 * - Out of order is a segment that fills a hole seen before, soon after what followed the hole.
 * What was seen already is a retransmission, however soon it comes.  One hole is remembered for
 * each end: the latest, for ten seconds.
 * - Fast is a retransmission within 20 ms of the ACKs that ask for it, as there, or within twice
 * its sender's distance; it goes before out of order.
 * - Retransmissions are all of them, fast and spurious ones included.
 * - Of acknowledgement numbers the last 24 bits are kept: spurious retransmissions and repeated
 * ACKs are told up to 16 MB behind. Only what went wrong needs an extra (overflow.c); an
 * undisturbed connection has all that is asked of it in its entry, repeated ACKs included. */
#include "flow/tcp_analysis.h"

#define FAST_NS 20000000   /* Wireshark's */
#define REORDER_NS 3000000 /* where no handshake was seen */
#define HOLE_NS INT64_C(10000000000)
#define AGAIN_NS 1000000 /* who was refused does not try again any sooner */

static int64_t since(int64_t then, int64_t now)
{
	return (int64_t)((uint64_t)now - (uint64_t)then);
}

/* A time in 16 bits, to one part in 1,024: eleven bits and how far to shift them.  0: not known. */
uint16_t bpei_span_pack(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 1;
	uint32_t bits = 64 - (uint32_t)__builtin_clzll(v), shift = bits > 11 ? bits - 11 : 0;
	v += shift ? UINT64_C(1) << (shift - 1) : 0; /* rounded */
	if (v >> shift == 2048)
		shift++;
	return shift < 32 ? (uint16_t)(v >> shift | shift << 11) : UINT16_MAX;
}

int64_t bpei_span_unpack(uint16_t packed)
{
	return (int64_t)(packed & 2047) << (packed >> 11);
}

/* Smoothed as RFC 6298, section 2, does it. */
void bpei_round_trip(struct bpei_table *t, uint32_t i, uint32_t end, int64_t took_ns)
{
	uint16_t *r = &t->details[i].running[end];
	if (took_ns < 0)
		return; /* out of order */
	*r = bpei_span_pack(*r ? bpei_span_unpack(*r) / 8 * 7 + took_ns / 8 : took_ns);
}

static void end_round(struct bpei_table *t, uint32_t i, uint32_t end)
{
	struct bpei_round *r = &bpei_rounds_of(t, i)[end];
	if (r->who == i + 1)
		bpei_round_free(r);
}

void bpei_health_open(struct bpei_table *t, uint32_t i)
{
	for (uint32_t end = 0; end < 2; end++)
		end_round(t, i, end);
}

/* x: the entry's extra, if it has one.  Returns the one that it has now. */
struct bpei_extra *bpei_health_note(
	struct bpei_table *t, uint32_t i, struct bpei_extra *x, uint32_t end, enum bpei_health what)
{
	if (!x)
		x = bpei_extra_get(t, i);
	if (!x || x->health[what][end] == UINT16_MAX)
		bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
	else
		x->health[what][end]++;
	return x;
}

/* How soon behind the ACKs that ask for it a segment is sent again because of them: twice the way
 * from here to this end and back. */
static int64_t fast_within(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	int64_t way =
		2 * bpei_span_unpack(t->details[i]
				    .rtt[end ^ !!(bpei_entry_bits(&t->entries[i]) & ENTRY_ORIGIN)]);
	return way > FAST_NS ? way : FAST_NS;
}

/* The other end has repeated its ACK for seq at least twice, and just now. */
static bool asked_for(struct bpei_table *t, uint32_t i, uint32_t other, uint32_t seq, int64_t ns)
{
	const struct bpei_detail *d = &t->details[i];
	const struct bpei_repeater *r = &t->shared->repeater[i % BPEI_REPEATERS][other];
	return bpei_streak(d, other) >= 2 && bpei_detail_ack(d, other) == (seq & ACK_NUMBER) &&
	       r->who == i + 1 && since(r->ns, ns) < fast_within(t, i, !other);
}

/* The bytes of two segments may be the same, too, where repeated ACKs ask for the segment, or where
 * an ACK is repeated itself since data is missing: these are copies only if the end is watched.  Of
 * IPv6 an ACK that is repeated is a copy only if the connection has had copies. */
bool bpei_health_may_copy(struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns)
{
	const struct bpei_extra *x = bpei_extra_find(t, i);
	if (flags & (TCP_SYN | TCP_FIN | TCP_RST) || (x && x->watched[end]))
		return true;
	if (s->bytes)
		return !asked_for(t, i, !end, s->seq, ns);
	if (t->details[i].seq[!end] != s->ack)
		return false;
	return bpei_duplicate_may_echo(t, i);
}

/* A segment that begins before what this end has sent already. */
static uint16_t again(struct bpei_table *t, uint32_t i, struct bpei_extra *x, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, uint32_t next, int64_t ns)
{
	struct bpei_detail *d = &t->details[i];
	uint32_t behind = d->seq[end] - s->seq;
	if (behind == 1 && s->bytes <= 1 && !(flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		x = bpei_health_note(t, i, x, end, HEALTH_KEEP_ALIVE);
		if (x)
			x->probed[end] = true;
		return 0;
	}
	if (flags & TCP_SYN && !bpei_end_has_syn(t, i, end))
		return 0; /* late, but not seen before */
	if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		!(bpei_seen_letters(&t->history.seen[d->history], end) & 1u << HISTORY_SYN_ACK))
		return 0; /* simultaneous open */
	if ((!s->bytes && !(flags & (TCP_SYN | TCP_FIN))) || (behind == 1 && s->bytes > 1))
		return 0;
	bool acked = bpei_seen_flags(&t->history.seen[d->history], !end) & TCP_ACK,
	     fast = acked && asked_for(t, i, !end, s->seq, ns);
	if (x && x->hole[end][0] != x->hole[end][1] &&
		s->seq - x->hole[end][0] < x->hole[end][1] - x->hole[end][0]) {
		int64_t patience = d->rtt[0] && d->rtt[1] ? bpei_span_unpack(d->rtt[0]) +
								    bpei_span_unpack(d->rtt[1])
							  : REORDER_NS;
		bool soon = since(x->top_ns[end], ns) < patience;
		if (s->seq == x->hole[end][0])
			x->hole[end][0] =
				(int32_t)(next - x->hole[end][1]) < 0 ? next : x->hole[end][1];
		else if ((int32_t)(next - x->hole[end][1]) >= 0)
			x->hole[end][1] = s->seq;
		if (soon && !fast) {
			bpei_health_note(t, i, x, end, HEALTH_OUT_OF_ORDER);
			return 0;
		}
	}
	if (fast) {
		bpei_health_note(t, i, x, end, HEALTH_FAST);
	} else if (s->bytes && acked && behind <= ACK_NUMBER &&
		   ((d->seq[end] - bpei_detail_ack(d, !end)) & ACK_NUMBER) <=
			   d->seq[end] - (s->seq + s->bytes) &&
		   (int32_t)(next - d->seq[end]) <= 0) {
		bpei_health_note(t, i, x, end, HEALTH_SPURIOUS);
	}
	bpei_health_note(t, i, x, end, HEALTH_RETRANSMISSION);
	end_round(t, i, end); /* Karn: whose ACK comes cannot be told */
	return 1u << HISTORY_RETRANSMISSION;
}

static void acknowledge(struct bpei_table *t, uint32_t i, struct bpei_extra *x, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, bool in_order, int64_t ns)
{
	struct bpei_detail *d = &t->details[i];
	const struct bpei_seen *seen = &t->history.seen[d->history];
	if (x && x->apart_is[!end] && bpei_apart_take(t, i, x, !end, s->ack))
		bpei_health_note(t, i, x, !end, HEALTH_LOST);
	bool known = bpei_seen_flags(seen, end) & TCP_ACK,
	     same = known && bpei_detail_ack(d, end) == (s->ack & ACK_NUMBER);
	if (same && in_order && !s->bytes && !(flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
		s->window && s->window == d->window[end]) {
		if (!x || !x->probed[!end])
			bpei_streak_add(t, i, end); /* else it answers a keep-alive */
	} else if (!same) {
		bpei_streak_end(d, end);
		bpei_round_end(t, i, end, s->ack, ns);
	}
	if (!same && bpei_seen_letters(seen, !end) && (int32_t)(s->ack - d->seq[!end]) > 0)
		x = bpei_health_note(t, i, x, end, HEALTH_UNSEEN);
	if (x)
		x->probed[!end] = false;
	if (bpei_streak(d, end) >= 2)
		bpei_streak_note(t, i, end, ns);
	d->ack[end] = (d->ack[end] & ~ACK_NUMBER) | (s->ack & ACK_NUMBER);
}

/* Whether segments in turn matter just now; a hole that nobody fills is forgotten. */
static void alert(struct bpei_table *t, uint32_t i, int64_t ns)
{
	struct bpei_detail *d = &t->details[i];
	struct bpei_extra *x = bpei_extra_find(t, i);
	bool is = x->probed[0] | x->probed[1] | (x->apart_is[0] | x->apart_is[1]) |
		  (x->watched[0] | x->watched[1]);
	for (uint32_t end = 0; end < 2; end++) {
		if (x->hole[end][0] == x->hole[end][1])
			continue;
		if (since(x->hole_ns[end], ns) > HOLE_NS)
			x->hole[end][0] = x->hole[end][1];
		else
			is = true;
	}
	d->inner_vlan = (uint16_t)((d->inner_vlan & ~DETAIL_ALERT) | (is ? DETAIL_ALERT : 0));
}

/* The history's letters that flags and length say, as Zeek has them: a segment has one of SYN, FIN
 * and RST, or is odd. */
static uint16_t letters_of(const struct bpei_segment *s, uint8_t flags)
{
	const uint32_t control = flags & (TCP_SYN | TCP_FIN | TCP_RST),
		       data = s->bytes && !(flags & TCP_RST) ? 1u << HISTORY_DATA : 0;
	if (control & (control - 1))
		return (uint16_t)(data |
				  (!(~flags & (TCP_FIN | TCP_RST)) ? 1u << HISTORY_INCONSISTENT
								   : 1u << HISTORY_MULTI));
	if (control == TCP_SYN)
		return (uint16_t)(data |
				  (flags & TCP_ACK ? 1u << HISTORY_SYN_ACK : 1u << HISTORY_SYN));
	if (control == TCP_FIN)
		return (uint16_t)(data | 1u << HISTORY_FIN);
	if (control == TCP_RST)
		return 1u << HISTORY_RST;
	return (uint16_t)(data ? data : flags & TCP_ACK ? 1u << HISTORY_ACK : 0);
}

/* A segment that is not the stream's.  False: there is no room to remember it in, and it is
 * believed. */
static bool leave_apart(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t next, uint8_t flags)
{
	const bool room =
		flags & TCP_RST ||
		bpei_apart_put(t, i, end, next, APART_PLACE | (flags & TCP_FIN ? APART_FIN : 0));
	if (bpei_entry_bits(&t->entries[i]) & ENTRY_EXTRA)
		t->details[i].inner_vlan |= DETAIL_ALERT;
	return room;
}

/* Before the entry's counts and history know of the segment.  Returns the letters that it adds. */
uint16_t bpei_health_step(struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns)
{
	struct bpei_entry *e = &t->entries[i];
	struct bpei_detail *d = &t->details[i];
	const uint32_t next = s->seq + s->bytes + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
	uint16_t letters = 0;
	const bool known = bpei_end_is_numbered(t, i, end),
		   in_order = known && s->seq == d->seq[end];
	const enum bpei_verdict verdict =
		known && !in_order ? bpei_segment_judge(t, i, end, s, flags) : SEGMENT_OF_STREAM;
	const bool fresh =
		flags & TCP_SYN && (!bpei_end_has_isn(t, i, end) || s->seq + 1 != d->isn[end]);

	if (BPEI_UNLIKELY(verdict == SEGMENT_STRAY) && leave_apart(t, i, end, next, flags))
		return letters_of(s, flags);
	struct bpei_extra *x = bpei_extra_find(t, i);
	if (x)
		x->probed[end] = false; /* until this one is found to be a keep-alive */
	if (flags & TCP_RST && (known || !(flags & TCP_SYN))) {
		; /* what it carries is not the stream's */
	} else if (!known || fresh) {
		if (known && bpei_end_has_syn(t, i, end))
			bpei_apart_put(t, i, end, d->seq[end], APART_SYN);
		if (flags & TCP_SYN)
			d->isn[end] = s->seq + 1;
		if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
			!bpei_end_has_syn(t, i, !end))
			d->isn[!end] = s->ack;
		d->seq[end] = next;
	} else if (in_order) {
		d->seq[end] = next;
		if (s->bytes)
			bpei_round_begin(t, i, end, next, ns, true);
		if (x && next != s->seq)
			x->top_ns[end] = ns, x->apart_is[end] = 0;
	} else if ((int32_t)(s->seq - d->seq[end]) > 0) {
		x = bpei_health_note(t, i, x, end, HEALTH_LOST);
		if (x)
			x->hole[end][0] = d->seq[end], x->hole[end][1] = s->seq,
			x->top_ns[end] = x->hole_ns[end] = ns, x->apart_is[end] = 0;
		letters |= 1u << HISTORY_GAP;
		d->seq[end] = next;
	} else if (verdict ==
		   SEGMENT_RESUMES) { /* farther back: what lay ahead was not the stream */
		x->hole[end][0] = x->hole[end][1];
		x->apart_is[end] = 0;
		d->seq[end] = next;
	} else {
		letters |= again(t, i, x, end, s, flags, next, ns);
		if ((int32_t)(next - d->seq[end]) > 0)
			d->seq[end] = next;
	}
	if (bpei_entry_bits(e) & ENTRY_EXTRA && !x)
		x = bpei_extra_find(t, i);
	if (flags & TCP_ACK)
		acknowledge(t, i, x, end, s, flags, in_order, ns);
	if (bpei_entry_bits(e) & ENTRY_EXTRA && !x)
		x = bpei_extra_find(t, i);
	if (!s->window && !(flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		bpei_health_note(t, i, x, end, HEALTH_ZERO_WINDOW);
		letters |= 1u << HISTORY_WINDOW;
	}
	d->window[end] = s->window;
	if (bpei_entry_bits(e) & ENTRY_EXTRA)
		alert(t, i, ns);
	return letters | letters_of(s, flags);
}

/* An end that has acknowledged more by now has no streak of what it acknowledged then. */
static void echo(struct bpei_table *t, const struct bpei_echo *e)
{
	const uint32_t i = e->who / 2, end = e->who % 2;
	struct bpei_detail *d = &t->details[i];
	const bool gone = (d->ack[end] ^ e->ack) & ACK_NUMBER;
	if (e->same) {
		if (BPEI_UNLIKELY(bpei_sight_near(e->since)) && e->sent == e->ack &&
			bpei_duplicate_may_echo(t, i) && bpei_duplicate_echo(t, i, end))
			return;
		bpei_streak_add(t, i, end);
	}
	if (e->other | gone)
		bpei_streak_end(d, end);
	else if (bpei_streak(d, end) >= 2)
		bpei_streak_note(t, i, end, e->ns);
}

void bpei_health_tell(struct bpei_table *t, struct bpei_told *told)
{
	for (const struct bpei_trip *trip = told->trips; trip < told->trip; trip++)
		bpei_round_trip(t, trip->who / 2, trip->who % 2, trip->took_ns);
	for (const struct bpei_echo *e = told->echoes; e < told->echo; e++)
		echo(t, e);
	bpei_told_clear(told);
}

void bpei_health_forget(struct bpei_table *t, uint32_t i)
{
	struct bpei_extra *x = bpei_extra_find(t, i);
	t->details[i].repeated[0] = t->details[i].repeated[1] = 0;
	if (x)
		memset(x->health, 0, sizeof x->health);
}

/* A SYN on a connection that is not its own sent again, or late: its number is another.  ns: its
 * time. */
bool bpei_health_begins_anew(const struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns)
{
	const struct bpei_entry *e = &t->entries[i];
	const struct bpei_detail *d = &t->details[i];
	const struct bpei_extra *x = bpei_extra_find(t, i);
	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN || !bpei_entry_state(e))
		return false;
	if (bpei_end_has_isn(t, i, end)) {
		const bool refused =
			bpei_entry_state(e) == BPE_TCP_RESET && !bpei_end_has_syn(t, i, !end);
		return s->seq + 1 != d->isn[end] || (refused && since(e->last_ns, ns) > AGAIN_NS);
	}
	if (bpei_tcp_reopens(e, flags))
		return true;
	if (bpei_entry_bits(e) & ENTRY_CONTINUED || !bpei_end_is_numbered(t, i, end))
		return false;
	/* More may have been sent than was seen. */
	if (bpei_upper(t, i, COUNT_WIRE, end) || (x && x->health[HEALTH_LOST][end]))
		return false;
	return d->seq[end] - (s->seq + 1) > bpei_entry_wire(e, end);
}

/* MSS and window scale of a SYN, by a number that flows with the same ones share. */
void bpei_setup_note(
	struct bpei_table *t, uint32_t i, uint32_t end, const struct bpe_tcp_options *o)
{
	struct bpei_detail *d = &t->details[i];
	struct bpei_setup s = t->setups[bpei_detail_setup(d)];
	s.present[end] = o->present & (BPE_TCP_MSS | BPE_TCP_WINDOW_SCALE | BPE_TCP_SACK_PERMITTED |
					      BPE_TCP_TIMESTAMPS);
	s.mss[end] = o->mss;
	s.scale[end] = o->window_scale;
	uint32_t h = (s.mss[0] | (uint32_t)s.mss[1] << 16) * 2654435769u ^
		     (s.scale[0] | (uint32_t)s.scale[1] << 8 | (uint32_t)s.present[0] << 16 |
			     (uint32_t)s.present[1] << 24) *
			     2246822519u;
	h ^= h >> 15;
	for (uint32_t k = 0; k < 8; k++) {
		uint32_t at = (h + k) % BPEI_SETUPS;
		if (!at)
			continue;
		if (!(t->setups[at].present[0] | t->setups[at].present[1]))
			t->setups[at] = s;
		if (memcmp(&t->setups[at], &s, sizeof s))
			continue;
		for (uint32_t half = 0; half < 2; half++)
			d->ack[half] = (d->ack[half] & (((uint32_t)1 << ACK_SETUP) - 1)) |
				       (at >> 6 * half & 63) << ACK_SETUP;
		return;
	}
	bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
}
