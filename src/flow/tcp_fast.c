/* SPDX-License-Identifier: MIT */
/* TCP segments of a batch: segments in order are followed in a loop without unpredictable
 * branches; other segments take the general path, one by one (tcp_analysis.c). */
#include "flow/batch.h"
#include "flow/dupack.h"
#include "flow/tcp_analysis.h"

#include "base/cacheline.h"

/* ---- The general path ---- */

/* Follows the first SYN of a connection, which is the common case and the only segment in a SYN
 * flood.  Gives the same result as the general path.  Returns false, with nothing changed, for any
 * other segment. */
static bool follow_first_syn(
	struct bpei_table *t, const struct bpei_flow_segment *segment, const struct bpe_layers *l)
{
	struct bpei_flow_cold *const cold = &t->cold[segment->entry];
	const uint32_t end = segment->end;
	bool is_cut = false;

	if (cold->history || segment->flags != TCP_SYN || segment->s->bytes ||
		l->flags & BPE_PKT_BAD_CHECKSUM)
		return false;
	if (!t->first_syn[end])
		t->first_syn[end] =
			bpei_history_add(&t->history, 0, end, TCP_SYN, 1u << HISTORY_SYN, &is_cut);
	if (is_cut)
		return false;
	cold->history = t->first_syn[end];
	cold->isn[end] = segment->s->seq + 1;
	cold->seq[end] = cold->isn[end];
	cold->window[end] = segment->s->window;
	return true;
}

/* Keeps the options of a SYN, if the header has any. */
static void keep_syn_options(
	struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	const uint32_t header_words = b->data[p][b->layers[p].transport + 12] >> 4;
	struct bpe_tcp_options o;

	if (header_words > 5 && bpe_batch_tcp_options(b, p, &o) == 1 && o.present)
		bpei_syn_options_intern(t, i, bpei_sender_end(&b->layers[p]), &o);
}

/* Analyzes a segment whose numbers are known.  Returns false if nothing is to be added to the
 * history, else writes the letters to be added. */
static inline __attribute__((always_inline)) bool track_segment(struct bpei_table *t,
	const struct bpe_batch *b, uint32_t p, const struct bpei_flow_segment *segment,
	uint16_t *letters)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const struct bpe_layers *const l = &b->layers[p];
	const uint8_t *const data = b->data[p];
	const uint32_t fingerprint =
		bpei_fingerprint(data + l->network, data + l->transport, segment->ns);

	if (BPEI_LIKELY(!bpei_duplicate_is_possible(t, i, end, fingerprint)))
		t->cold[i].fingerprint[end] = fingerprint;
	else if (bpei_duplicate_check(t, segment, fingerprint))
		return false;
	if (BPEI_UNLIKELY(segment->flags & TCP_SYN)) {
		if (bpei_segment_classify(t, i, end, segment->s, segment->flags) != SEGMENT_STRAY)
			keep_syn_options(t, b, p, i);
		if (follow_first_syn(t, segment, l))
			return false;
	}
	*letters = bpei_tcp_analyze(t, segment);
	if (l->flags & BPE_PKT_BAD_CHECKSUM)
		*letters |= 1u << HISTORY_CHECKSUM;
	return true;
}

__attribute__((noinline)) void bpei_tcp_track(
	const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_layers *const l = &ctx->b->layers[p];
	const uint32_t end = bpei_sender_end(l);
	struct bpei_flow_cold *const cold = &t->cold[i];
	struct bpei_segment s;
	uint16_t letters = 0;
	bool is_cut = false;

	if (bpei_batch_segment(t, ctx->b, p, &s)) {
		const struct bpei_flow_segment segment = { .entry = i,
			.end = end,
			.s = &s,
			.flags = l->tcp_flags,
			.ns = ctx->b->time_ns[p] };

		if (!track_segment(t, ctx->b, p, &segment, &letters))
			return;
	}
	const struct bpei_seen *const seen = &t->history.seen[cold->history];
	const uint32_t new_flags = l->tcp_flags & ~bpei_seen_flags(seen, end);
	const uint32_t new_letters = letters & ~bpei_seen_letters(seen, end);
	if (new_flags | new_letters)
		cold->history = bpei_history_add(
			&t->history, cold->history, end, l->tcp_flags, letters, &is_cut);
	if (BPEI_UNLIKELY(is_cut))
		bpei_entry_set_state(&t->entries[i], 0, STATE_CUT);
}

/* ---- The fast path ---- */

/* Adds new flags and a letter to the history.  Returns false for an end's first segment or first
 * ACK, which the general path must see. */
static __attribute__((noinline)) bool add_news_to_history(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t flags, uint32_t letter)
{
	struct bpei_flow_cold *const cold = &t->cold[i];
	const struct bpei_seen *const seen = &t->history.seen[cold->history];
	bool is_cut = false;

	if (!bpei_seen_letters(seen, end) || !(bpei_seen_flags(seen, end) & TCP_ACK))
		return false;
	cold->history = bpei_history_add(
		&t->history, cold->history, end, (uint8_t)flags, (uint16_t)letter, &is_cut);
	if (is_cut)
		bpei_entry_set_state(&t->entries[i], 0, STATE_CUT);
	return true;
}

/* Follows an in-order segment of a healthy connection, without FIN, SYN or RST.  Returns false,
 * with nothing changed, if a condition fails.  All conditions are tested in a single branch,
 * because each separate branch costs more.  ip, tcp: the headers. */
static inline __attribute__((always_inline)) bool follow_in_order(struct bpei_table *t,
	const struct bpei_flow_segment *segment, const uint8_t *ip, const uint8_t *tcp,
	struct bpei_tcp_events *events)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const uint32_t flags = segment->flags;
	const int64_t ns = segment->ns;
	const struct bpei_segment *const s = segment->s;
	struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t next = s->seq + s->bytes;
	const uint32_t ack_word = cold->ack[end];
	const uint32_t ack_change = (ack_word ^ s->ack) & ACK_NUMBER;
	const uint32_t seen = t->history.seen[cold->history].known[end];
	const uint32_t window_change = s->window ^ cold->window[end];
	const bool is_duplicate = !(ack_change | s->bytes | window_change);
	/* The top bit: the window is 0, or the ACK is for data not seen yet. */
	const uint32_t zero_or_unseen = ((s->window - 1u) | (cold->seq[!end] - s->ack)) >> 31;
	const uint32_t not_in_order = (s->seq ^ cold->seq[end]) | (~flags & TCP_ACK) |
				      (cold->inner_vlan & COLD_WATCH) | zero_or_unseen;
	const uint32_t letter = s->bytes ? 1u << HISTORY_DATA : 1u << HISTORY_ACK;
	const uint32_t news = (letter | flags << SEEN_FLAGS) & ~seen;

	if (BPEI_UNLIKELY(not_in_order | news) &&
		(not_in_order || !add_news_to_history(t, i, end, flags, letter)))
		return false;
	cold->seq[end] = next;
	cold->ack[end] = ack_word ^ ack_change;
	cold->window[end] = s->window;
	const uint32_t fingerprint = bpei_fingerprint(ip, tcp, ns);
	*events->dupack_tail = (struct bpei_dupack_event){ ns, 2 * i + end, s->ack, cold->seq[!end],
		is_duplicate, ack_change != 0, fingerprint - cold->fingerprint[end] };
	cold->fingerprint[end] = fingerprint;
	events->dupack_tail += is_duplicate | !!(ack_word & ACK_DUPACK_MASK);
	events->rtt_tail +=
		bpei_rtt_sample_complete(t, i, end, s->ack, ack_change, ns, events->rtt_tail);
	bpei_rtt_sample_start(t, i, end, next, ns, s->bytes);
	return true;
}

/* Tries the fast path for packet p.  Returns false if the general path has to follow. */
static inline __attribute__((always_inline)) bool track_fast(
	const struct bpei_flow_batch *ctx, uint32_t p, uint64_t cut, struct bpei_tcp_events *events)
{
	const struct bpe_batch *const b = ctx->b;
	const struct bpe_layers *const l = &b->layers[p];
	const uint32_t flags = l->flags;
	const bool is_damaged = (cut >> p & 1) | (flags & BPE_PKT_BAD_CHECKSUM);
	struct bpei_segment s;

	if (BPEI_UNLIKELY(is_damaged || !bpei_segment_has_header(l)))
		return false;
	const uint8_t *const ip = b->data[p] + l->network;
	const uint8_t *const tcp = b->data[p] + l->transport;
	bpei_segment_numbers(tcp, &s);
	s.bytes = l->end - l->payload;
	const struct bpei_flow_segment segment = {
		.entry = ctx->flow[p],
		.end = flags / BPE_PKT_REVERSED & 1,
		.s = &s,
		.flags = l->tcp_flags,
		.ns = b->time_ns[p],
	};
	return BPEI_LIKELY(follow_in_order(ctx->t, &segment, ip, tcp, events));
}

/* Tracks segments in order.  cut: ctx->cut, or 0, known at compile time. */
static inline __attribute__((always_inline)) void track_segments(
	const struct bpei_flow_batch *ctx, uint64_t packets, uint64_t cut)
{
	struct bpei_tcp_events events;

	bpei_tcp_events_clear(&events);
	for (; packets; packets &= packets - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(packets);

		if (BPEI_LIKELY(track_fast(ctx, p, cut, &events)))
			continue;
		bpei_tcp_events_apply(ctx->t, &events);
		bpei_tcp_track(ctx, p, ctx->flow[p]);
	}
	bpei_tcp_events_apply(ctx->t, &events);
}

/* Tracks segments in order, and marks them.  Events are applied packet by packet, since an event
 * does not name its packet. */
static void track_marked_segments(const struct bpei_flow_batch *ctx, uint64_t packets)
{
	struct bpei_tcp_events events;

	bpei_tcp_events_clear(&events);
	for (; packets; packets &= packets - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(packets);

		bpei_mark_packet(ctx->t, p);
		if (!track_fast(ctx, p, ctx->cut, &events))
			bpei_tcp_track(ctx, p, ctx->flow[p]);
		if (events.rtt_tail > events.rtt && events.rtt->rtt_ns >= 0)
			bpei_mark_rtt(ctx->t, events.rtt->rtt_ns);
		bpei_tcp_events_apply(ctx->t, &events);
	}
}

/* Adds flags new to the history, where segments are not analyzed. */
static void track_flags(const struct bpei_flow_batch *ctx, uint64_t packets)
{
	const struct bpei_table *const t = ctx->t;

	for (; packets; packets &= packets - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(packets);
		const uint32_t i = ctx->flow[p];
		const struct bpe_layers *const l = &ctx->b->layers[p];
		const struct bpei_seen *const seen = &t->history.seen[t->cold[i].history];

		if (l->tcp_flags & ~bpei_seen_flags(seen, bpei_sender_end(l)))
			bpei_tcp_track(ctx, p, i);
	}
}

void bpei_tcp_track_batch(const struct bpei_flow_batch *ctx, uint64_t packets)
{
	if (!ctx->t->options.tcp_health || !ctx->b->data)
		track_flags(ctx, packets);
	else if (BPEI_UNLIKELY(ctx->t->options.marks))
		track_marked_segments(ctx, packets);
	else if (ctx->cut)
		track_segments(ctx, packets, ctx->cut);
	else
		track_segments(ctx, packets, 0);
}
