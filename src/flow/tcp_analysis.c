/* SPDX-License-Identifier: MIT */
/* Analysis of the sequence numbers of both ends by a bystander.  The definitions are the ones of
 * Wireshark's tcp.analysis, with these differences.
 * - Out of order is a segment that fills a hole seen before, soon after the segment behind the
 *   hole.  A segment that was seen already is a retransmission, however soon.  One
 *   hole is remembered for each end: the latest, for ten seconds.
 * - Fast is a retransmission within 20 ms of the duplicate ACKs for the segment, as in
 *   Wireshark, or within twice the round trip to the sender.  Fast goes before out of order.
 * - Retransmissions include fast and spurious retransmissions.
 * - The last 24 bits of ACK numbers are kept.  So spurious retransmissions and repeated ACKs are
 *   recognised up to 16 MB behind.
 *
 * Only anomalies need an element of the side table (anomalies.c).  Everything else about an
 * undisturbed connection, repeated ACKs included, lies in the cold line. */
#include "flow/tcp_analysis.h"

#include "flow/dupack.h"

#include "base/cacheline.h"

#define REORDER_NS 3000000 /* time in which segments are reordered, without a known handshake */
#define HOLE_NS INT64_C(10000000000)
#define REFUSED_NS 1000000 /* a refused client does not try again any sooner */
#define CONTROL_FLAGS (TCP_SYN | TCP_FIN | TCP_RST)

/* Returns now - then. */
static int64_t elapsed_since(int64_t then_ns, int64_t now_ns)
{
	return (int64_t)((uint64_t)now_ns - (uint64_t)then_ns);
}

/* Returns true if a comes before b in sequence space (RFC 9293, section 3.4). */
static bool is_seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* Returns true if a comes after b in sequence space. */
static bool is_seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* Returns the number after the segment. */
static uint32_t number_after(const struct bpei_flow_segment *segment)
{
	return segment->s->seq + segment->s->bytes + !!(segment->flags & TCP_SYN) +
	       !!(segment->flags & TCP_FIN);
}

/* Returns the history of the segment's flow. */
static const struct bpei_seen *history_of(
	const struct bpei_table *t, const struct bpei_flow_segment *segment)
{
	return &t->history.seen[t->cold[segment->entry].history];
}

/* ---- Segments that begin before the next number ---- */

/* Returns true if the segment repeats the last byte sent, or has none, right before the next
 * number. */
static bool is_keep_alive(const struct bpei_flow_segment *segment, uint32_t behind)
{
	return behind == 1 && segment->s->bytes <= 1 && !(segment->flags & CONTROL_FLAGS);
}

/* Returns true for segments that are old by number but no retransmission: a SYN not seen before,
 * which comes late; the SYN-ACK of a simultaneous open; a late bare ACK; new data that begins at
 * the byte of a keep-alive. */
static bool is_harmless_old_segment(
	const struct bpei_table *t, const struct bpei_flow_segment *segment, uint32_t behind)
{
	const uint32_t flags = segment->flags;
	const uint32_t bytes = segment->s->bytes;
	const bool is_syn_ack = (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	const uint32_t letters = bpei_seen_letters(history_of(t, segment), segment->end);

	if (flags & TCP_SYN && !bpei_end_has_syn(t, segment->entry, segment->end))
		return true;
	if (is_syn_ack && !(letters & 1u << HISTORY_SYN_ACK))
		return true;
	if (!bytes && !(flags & (TCP_SYN | TCP_FIN)))
		return true;
	return behind == 1 && bytes > 1;
}

/* Shrinks the end's remembered hole by the segment.  Returns true if the segment lies in the hole
 * and came within a round trip of the segment that followed the hole: the network reordered
 * both. */
static bool fill_hole(const struct bpei_flow_cold *cold, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, uint32_t next)
{
	uint32_t *const from = &a->hole[segment->end][0];
	uint32_t *const to = &a->hole[segment->end][1];
	const uint32_t seq = segment->s->seq;
	int64_t round_trip_ns = REORDER_NS;

	if (*from == *to || seq - *from >= *to - *from)
		return false;
	if (cold->rtt[0] && cold->rtt[1])
		round_trip_ns = bpei_span_unpack(cold->rtt[0]) + bpei_span_unpack(cold->rtt[1]);
	if (seq == *from)
		*from = is_seq_before(next, *to) ? next : *to;
	else if (!is_seq_before(next, *to))
		*to = seq;
	return elapsed_since(a->top_ns[segment->end], segment->ns) < round_trip_ns;
}

/* Returns true if all bytes of the segment had been acknowledged before.  ACK numbers are kept
 * modulo 2^24, so nothing is known of data farther back. */
static bool is_spurious(
	const struct bpei_flow_cold *cold, const struct bpei_flow_segment *segment, uint32_t next)
{
	const uint32_t end = segment->end;
	const uint32_t after_segment = cold->seq[end] - (segment->s->seq + segment->s->bytes);
	const uint32_t unacknowledged = (cold->seq[end] - bpei_cold_ack(cold, !end)) & ACK_NUMBER;

	return segment->s->bytes && cold->seq[end] - segment->s->seq <= ACK_NUMBER &&
	       unacknowledged <= after_segment && !is_seq_after(next, cold->seq[end]);
}

/* Classifies a segment that begins before the next number: keep-alive, reordered, or retransmitted
 * (fast, spurious, or plain).  a: the flow's anomalies, or NULL.  Returns the history letter to
 * add, as a bit, or 0. */
static uint16_t classify_old_segment(struct bpei_table *t, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, uint32_t next)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t behind = cold->seq[end] - segment->s->seq;

	if (is_keep_alive(segment, behind)) {
		a = bpei_anomaly_count(t, i, a, end, ANOMALY_KEEP_ALIVE);
		if (a)
			a->probed[end] = true;
		return 0;
	}
	if (is_harmless_old_segment(t, segment, behind))
		return 0;
	const bool has_acks = bpei_seen_flags(history_of(t, segment), !end) & TCP_ACK;
	const bool is_fast =
		has_acks && bpei_dupack_requests(t, i, !end, segment->s->seq, segment->ns);
	const bool is_reordered = a && fill_hole(cold, a, segment, next);
	if (is_reordered && !is_fast) {
		bpei_anomaly_count(t, i, a, end, ANOMALY_OUT_OF_ORDER);
		return 0;
	}
	if (is_fast)
		bpei_anomaly_count(t, i, a, end, ANOMALY_FAST);
	else if (has_acks && is_spurious(cold, segment, next))
		bpei_anomaly_count(t, i, a, end, ANOMALY_SPURIOUS);
	bpei_anomaly_count(t, i, a, end, ANOMALY_RETRANSMISSION);
	/* Karn's algorithm: an ACK for data sent twice gives no round trip. */
	bpei_rtt_sample_cancel(t, i, end);
	return 1u << HISTORY_RETRANSMISSION;
}

/* ---- ACKs ---- */

/* Returns true if an ACK with the number of the end's last ACK is a duplicate ACK (RFC 5681,
 * section 2). */
static bool is_duplicate_ack(const struct bpei_flow_cold *cold,
	const struct bpei_flow_segment *segment, bool is_in_order)
{
	return is_in_order && !segment->s->bytes && !(segment->flags & CONTROL_FLAGS) &&
	       segment->s->window && segment->s->window == cold->window[segment->end];
}

/* Adds the round trip that the segment at hand completes. */
static void add_marked_rtt(struct bpei_table *t, uint32_t i, uint32_t end, int64_t rtt_ns)
{
	bpei_rtt_add(t, i, end, rtt_ns);
	if (rtt_ns >= 0)
		bpei_mark_rtt(t, rtt_ns);
}

/* Counts a hole in the segments of the other end, which an ACK of this end tells. */
static void count_lost_of_other(
	struct bpei_table *t, uint32_t i, struct bpei_tcp_anomalies *a, uint32_t end)
{
	const uint16_t marks = t->marks[t->marked];

	bpei_anomaly_count(t, i, a, !end, ANOMALY_LOST);
	t->marks[t->marked] = marks | BPE_MARK_LOST_OTHER; /* this end has lost nothing */
}

/* Processes the ACK number of a segment.  a: the flow's anomalies, or NULL. */
static void analyze_ack(struct bpei_table *t, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, bool is_in_order)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const uint32_t ack = segment->s->ack;
	struct bpei_flow_cold *const cold = &t->cold[i];

	if (a && a->resume_flags[!end] && bpei_resume_by_ack(t, i, a, !end, ack))
		count_lost_of_other(t, i, a, end);
	const struct bpei_seen *const seen = history_of(t, segment);
	const bool has_acks = bpei_seen_flags(seen, end) & TCP_ACK;
	const bool is_same = has_acks && bpei_cold_ack(cold, end) == (ack & ACK_NUMBER);
	if (is_same && is_duplicate_ack(cold, segment, is_in_order)) {
		if (!a || !a->probed[!end]) /* otherwise the ACK answers a keep-alive */
			bpei_dupack_run_extend(t, i, end);
	} else if (!is_same) {
		struct bpei_rtt_event event;

		bpei_dupack_run_end(cold, end);
		if (bpei_rtt_sample_complete(t, i, end, ack, 1, segment->ns, &event))
			add_marked_rtt(t, i, end, event.rtt_ns);
	}
	if (!is_same && bpei_seen_letters(seen, !end) && is_seq_after(ack, cold->seq[!end]))
		a = bpei_anomaly_count(t, i, a, end, ANOMALY_UNSEEN);
	if (a)
		a->probed[!end] = false;
	if (bpei_dupack_run(cold, end) >= 2)
		bpei_dupack_run_stamp(t, i, end, segment->ns);
	cold->ack[end] = (cold->ack[end] & ~ACK_NUMBER) | (ack & ACK_NUMBER);
}

/* ---- A segment ---- */

/* Forgets holes that were not filled in time, and sets COLD_WATCH if segments in order matter to
 * the anomalies of the flow. */
static void update_watch(struct bpei_table *t, uint32_t i, int64_t now_ns)
{
	struct bpei_flow_cold *const cold = &t->cold[i];
	struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);
	bool needs_watch = a->probed[0] | a->probed[1] | (a->resume_flags[0] | a->resume_flags[1]) |
			   (a->watched[0] | a->watched[1]);

	for (uint32_t end = 0; end < 2; end++) {
		if (a->hole[end][0] == a->hole[end][1])
			continue;
		if (elapsed_since(a->hole_ns[end], now_ns) > HOLE_NS)
			a->hole[end][0] = a->hole[end][1];
		else
			needs_watch = true;
	}
	cold->inner_vlan &= (uint16_t)~COLD_WATCH;
	if (needs_watch)
		cold->inner_vlan |= COLD_WATCH;
}

/* Returns the history letters of flags and length, as bits.  As in Zeek, a segment has SYN, FIN or
 * RST alone, or is inconsistent. */
static uint16_t letters_of_segment(const struct bpei_flow_segment *segment)
{
	const uint32_t flags = segment->flags;
	const uint32_t control = flags & CONTROL_FLAGS;
	uint32_t letters = 0;

	if (control == TCP_RST)
		return 1u << HISTORY_RST;
	if (segment->s->bytes && !(flags & TCP_RST))
		letters = 1u << HISTORY_DATA;
	if (!control)
		letters |= letters || !(flags & TCP_ACK) ? 0 : 1u << HISTORY_ACK;
	else if (control & (control - 1) && !(~flags & (TCP_FIN | TCP_RST)))
		letters |= 1u << HISTORY_INCONSISTENT;
	else if (control & (control - 1))
		letters |= 1u << HISTORY_MULTI;
	else if (control == TCP_FIN)
		letters |= 1u << HISTORY_FIN;
	else
		letters |= flags & TCP_ACK ? 1u << HISTORY_SYN_ACK : 1u << HISTORY_SYN;
	return (uint16_t)letters;
}

/* Keeps the number after a stray.  Returns false if there is no room: then the segment is taken as
 * the stream's. */
static bool keep_stray(struct bpei_table *t, const struct bpei_flow_segment *segment, uint32_t next)
{
	const uint32_t i = segment->entry;
	const uint32_t fin = segment->flags & TCP_FIN ? RESUME_FIN : 0;
	const bool is_kept = segment->flags & TCP_RST ||
			     bpei_resume_keep(t, i, segment->end, next, RESUME_PLACE | fin);

	if (bpei_entry_flags(&t->entries[i]) & FLAG_ANOMALIES)
		t->cold[i].inner_vlan |= COLD_WATCH;
	return is_kept;
}

/* Takes the numbers of an end's first segment, or of a SYN with another number. */
static void start_numbers(
	struct bpei_table *t, const struct bpei_flow_segment *segment, bool is_known, uint32_t next)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const uint32_t flags = segment->flags;
	struct bpei_flow_cold *const cold = &t->cold[i];

	if (is_known && bpei_end_has_syn(t, i, end))
		bpei_resume_keep(t, i, end, cold->seq[end], RESUME_SYN);
	if (flags & TCP_SYN)
		cold->isn[end] = segment->s->seq + 1;
	if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && !bpei_end_has_syn(t, i, !end))
		cold->isn[!end] = segment->s->ack;
	cold->seq[end] = next;
}

/* Follows a segment that begins at the end's next number. */
static void follow_in_order_slowly(struct bpei_table *t, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, uint32_t next)
{
	const uint32_t end = segment->end;

	t->cold[segment->entry].seq[end] = next;
	if (segment->s->bytes)
		bpei_rtt_sample_start(t, segment->entry, end, next, segment->ns, true);
	if (a && next != segment->s->seq) {
		a->top_ns[end] = segment->ns;
		a->resume_flags[end] = 0;
	}
}

/* Opens a hole before a segment that begins after the end's next number. */
static void open_hole(struct bpei_table *t, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, uint32_t next)
{
	const uint32_t end = segment->end;
	struct bpei_flow_cold *const cold = &t->cold[segment->entry];

	a = bpei_anomaly_count(t, segment->entry, a, end, ANOMALY_LOST);
	if (a) {
		a->hole[end][0] = cold->seq[end];
		a->hole[end][1] = segment->s->seq;
		a->top_ns[end] = segment->ns;
		a->hole_ns[end] = segment->ns;
		a->resume_flags[end] = 0;
	}
	cold->seq[end] = next;
}

/* Processes the sequence number of a segment of the stream.  Returns history letters, as bits. */
static uint16_t analyze_seq(struct bpei_table *t, struct bpei_tcp_anomalies *a,
	const struct bpei_flow_segment *segment, enum bpei_segment_class class, uint32_t next)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const uint32_t seq = segment->s->seq;
	struct bpei_flow_cold *const cold = &t->cold[i];
	const bool is_known = bpei_end_is_numbered(t, i, end);
	const bool is_new_syn = segment->flags & TCP_SYN &&
				(!bpei_end_has_isn(t, i, end) || seq + 1 != cold->isn[end]);

	if (segment->flags & TCP_RST && (is_known || !(segment->flags & TCP_SYN)))
		return 0; /* the content of a reset is not the stream's */
	if (!is_known || is_new_syn) {
		start_numbers(t, segment, is_known, next);
		return 0;
	}
	if (seq == cold->seq[end]) {
		follow_in_order_slowly(t, a, segment, next);
		return 0;
	}
	if (is_seq_after(seq, cold->seq[end])) {
		open_hole(t, a, segment, next);
		return 1u << HISTORY_GAP;
	}
	if (class == SEGMENT_RESUMES) { /* the numbers ahead were not the stream's */
		a->hole[end][0] = a->hole[end][1];
		a->resume_flags[end] = 0;
		cold->seq[end] = next;
		return 0;
	}
	const uint16_t letters = classify_old_segment(t, a, segment, next);
	if (is_seq_after(next, cold->seq[end]))
		cold->seq[end] = next;
	return letters;
}

uint16_t bpei_tcp_analyze(struct bpei_table *t, const struct bpei_flow_segment *segment)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const struct bpei_segment *const s = segment->s;
	struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t next = number_after(segment);
	const bool is_in_order = bpei_end_is_numbered(t, i, end) && s->seq == cold->seq[end];
	enum bpei_segment_class class = SEGMENT_OF_STREAM;

	if (!is_in_order)
		class = bpei_segment_classify(t, i, end, s, segment->flags);
	if (BPEI_UNLIKELY(class == SEGMENT_STRAY) && keep_stray(t, segment, next))
		return letters_of_segment(segment);
	struct bpei_tcp_anomalies *a = bpei_anomalies_find(t, i);
	if (a)
		a->probed[end] = false; /* until this segment is found to be a keep-alive */
	uint16_t letters = analyze_seq(t, a, segment, class, next);
	if (segment->flags & TCP_ACK)
		analyze_ack(t, bpei_anomalies_find(t, i), segment, is_in_order);
	if (!s->window && !(segment->flags & CONTROL_FLAGS)) {
		a = bpei_anomalies_find(t, i);
		bpei_anomaly_count(t, i, a, end, ANOMALY_ZERO_WINDOW);
		letters |= 1u << HISTORY_WINDOW;
	}
	cold->window[end] = s->window;
	if (bpei_entry_flags(&t->entries[i]) & FLAG_ANOMALIES)
		update_watch(t, i, segment->ns);
	return letters | letters_of_segment(segment);
}

/* ---- Events ---- */

/* Applies a duplicate ACK of the fast path.  If the end has acknowledged further since, the run is
 * over. */
static void apply_dupack_event(struct bpei_table *t, const struct bpei_dupack_event *event)
{
	const uint32_t i = event->sender / 2;
	const uint32_t end = event->sender % 2;
	struct bpei_flow_cold *const cold = &t->cold[i];
	const bool has_moved_on = (cold->ack[end] ^ event->ack) & ACK_NUMBER;

	if (event->is_duplicate) {
		if (BPEI_UNLIKELY(bpei_fingerprint_is_near(event->fingerprint_change)) &&
			event->other_seq == event->ack && bpei_duplicate_ack_is_plausible(t, i) &&
			bpei_duplicate_count_ack(t, i, end))
			return;
		bpei_dupack_run_extend(t, i, end);
	}
	if (event->ends_run | has_moved_on)
		bpei_dupack_run_end(cold, end);
	else if (bpei_dupack_run(cold, end) >= 2)
		bpei_dupack_run_stamp(t, i, end, event->ns);
}

void bpei_tcp_events_apply(struct bpei_table *t, struct bpei_tcp_events *events)
{
	for (const struct bpei_rtt_event *e = events->rtt; e < events->rtt_tail; e++)
		bpei_rtt_add(t, e->sender / 2, e->sender % 2, e->rtt_ns);
	for (const struct bpei_dupack_event *e = events->dupack; e < events->dupack_tail; e++)
		apply_dupack_event(t, e);
	bpei_tcp_events_clear(events);
}

/* ---- New connections ---- */

/* Compares the SYN with the numbers of the flow's connection. */
bool bpei_tcp_is_new_connection(const struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t now_ns)
{
	const struct bpei_entry *const e = &t->entries[i];
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint8_t tcp_state = bpei_entry_tcp_state(e);

	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN || !tcp_state)
		return false;
	if (bpei_end_has_isn(t, i, end)) {
		const bool was_refused =
			tcp_state == BPE_TCP_RESET && !bpei_end_has_syn(t, i, !end);

		return s->seq + 1 != cold->isn[end] ||
		       (was_refused && elapsed_since(e->last_ns, now_ns) > REFUSED_NS);
	}
	if (bpei_tcp_state_reopens(e, flags))
		return true;
	if (bpei_entry_flags(e) & FLAG_CONTINUED || !bpei_end_is_numbered(t, i, end))
		return false;
	/* More may have been sent than was seen. */
	const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);
	if (bpei_flow_overflow(t, i, COUNT_BYTES, end) || (a && a->count[ANOMALY_LOST][end]))
		return false;
	return cold->seq[end] - (s->seq + 1) > bpei_entry_bytes(e, end);
}
