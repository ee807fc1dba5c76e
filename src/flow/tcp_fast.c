/* SPDX-License-Identifier: MIT */
/* TCP segments of a batch: those in turn are followed in one loop without a guess, the others are
 * judged one by one (tcp_analysis.c). */
#include "flow/tcp_fast.h"

/* A SYN is what most connections begin with, and all that a flood brings: it comes to the same as
 * the long way. */
static bool first_syn(struct bpei_table *t, const struct bpe_batch *b, const struct bpei_segment *s,
	uint32_t p, uint32_t i)
{
	struct bpei_detail *d = &t->details[i];
	const struct bpe_layers *l = &b->layers[p];
	const uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	bool cut = false;
	if (d->history || l->tcp_flags != TCP_SYN || s->bytes || l->flags & BPE_PKT_BAD_CHECKSUM)
		return false;
	if (!t->first_syn[end])
		t->first_syn[end] =
			bpei_history_add(&t->history, 0, end, TCP_SYN, 1u << HISTORY_SYN, &cut);
	if (cut)
		return false;
	d->history = t->first_syn[end];
	d->seq[end] = d->isn[end] = s->seq + 1;
	d->window[end] = s->window;
	return true;
}

static void note_options(struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	struct bpe_tcp_options o;
	if (b->data[p][b->layers[p].transport + 12] >> 4 > 5 &&
		bpe_batch_tcp_options(b, p, &o) == 1 && o.present)
		bpei_setup_note(t, i, !!(b->layers[p].flags & BPE_PKT_REVERSED), &o);
}

__attribute__((noinline)) void bpei_tcp_note(const struct bpei_passage *g, uint32_t p, uint32_t i)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *const b = g->b;
	struct bpei_detail *d = &t->details[i];
	struct bpei_segment s;
	const struct bpe_layers *l = &b->layers[p];
	const uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	uint16_t letters = 0;
	bool cut = false;
	if (bpei_packet_segment(t, b, p, &s)) {
		const uint8_t *const data = b->data[p];
		const uint32_t sight =
			bpei_sight_of(data + l->network, data + l->transport, b->time_ns[p]);
		if (BPEI_LIKELY(!bpei_duplicate_maybe(t, i, end, sight)))
			d->sight[end] = sight;
		else if (bpei_duplicate_look(t, i, end, sight, &s, l->tcp_flags, b->time_ns[p]))
			return;
		if (BPEI_UNLIKELY(l->tcp_flags & TCP_SYN)) {
			const bool of_stream =
				!bpei_end_is_numbered(t, i, end) ||
				bpei_segment_judge(t, i, end, &s, l->tcp_flags) != SEGMENT_STRAY;
			if (of_stream)
				note_options(t, b, p, i);
			if (first_syn(t, b, &s, p, i))
				return;
		}
		letters = bpei_health_step(t, i, end, &s, l->tcp_flags, b->time_ns[p]);
		if (l->flags & BPE_PKT_BAD_CHECKSUM)
			letters |= 1u << HISTORY_CHECKSUM;
	}
	const struct bpei_seen *seen = &t->history.seen[d->history];
	if ((l->tcp_flags & ~bpei_seen_flags(seen, end)) |
		(letters & ~bpei_seen_letters(seen, end)))
		d->history =
			bpei_history_add(&t->history, d->history, end, l->tcp_flags, letters, &cut);
	if (BPEI_UNLIKELY(cut))
		bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
}

/* What is new of a segment in turn goes into the history; false if it is the first that the end
 * sends, or acknowledges: there is more to do. */
static __attribute__((noinline)) bool learn(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t flags, uint32_t letter)
{
	struct bpei_detail *d = &t->details[i];
	const struct bpei_seen *seen = &t->history.seen[d->history];
	bool cut = false;
	if (!bpei_seen_letters(seen, end) || !(bpei_seen_flags(seen, end) & TCP_ACK))
		return false;
	d->history = bpei_history_add(
		&t->history, d->history, end, (uint8_t)flags, (uint16_t)letter, &cut);
	if (cut)
		bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
	return true;
}

/* The segment next in turn of a connection with which nothing is wrong just now: it is followed
 * here, and true.  flags have no FIN, SYN or RST. One branch asks for all that must hold; there is
 * none but it, since each alone costs more. */
static inline __attribute__((always_inline)) bool in_turn(struct bpei_table *t, uint32_t i,
	uint32_t end, const struct bpei_segment *s, uint32_t flags, const uint8_t *ip,
	const uint8_t *tcp, int64_t ns, struct bpei_told *told)
{
	struct bpei_detail *const d = &t->details[i];
	const uint32_t next = s->seq + s->bytes, word = d->ack[end],
		       differ = (word ^ s->ack) & ACK_NUMBER,
		       seen = t->history.seen[d->history].known[end];
	const bool same = !(differ | s->bytes | (uint32_t)(s->window ^ d->window[end]));
	const uint32_t odd = (s->seq ^ d->seq[end]) | (~flags & TCP_ACK) |
			     (d->inner_vlan & DETAIL_ALERT) |
			     ((s->window - 1u) | (d->seq[!end] - s->ack) /* not seen yet */) >> 31;
	const uint32_t letter = s->bytes ? 1u << HISTORY_DATA : 1u << HISTORY_ACK,
		       news = (letter | flags << SEEN_FLAGS) & ~seen;
	if (BPEI_UNLIKELY(odd | news) && (odd || !learn(t, i, end, flags, letter)))
		return false;
	d->seq[end] = next;
	d->ack[end] = word ^ differ;
	d->window[end] = s->window;
	const uint32_t sight = bpei_sight_of(ip, tcp, ns);
	*told->echo = (struct bpei_echo){ ns, 2 * i + end, s->ack, d->seq[!end], same, differ != 0,
		sight - d->sight[end] };
	d->sight[end] = sight;
	told->echo += same | !!(word & (uint32_t)3 << ACK_STREAK);
	told->trip += bpei_round_met(t, i, end, s->ack, differ, ns, told->trip);
	bpei_round_begin(t, i, end, next, ns, s->bytes);
	return true;
}

/* cut: the passage's; 0 is known when this is compiled. */
static inline __attribute__((always_inline)) void follow(
	const struct bpei_passage *g, uint64_t which, uint64_t cut)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *const b = g->b;
	struct bpei_told told;
	bpei_told_clear(&told);
	for (; which; which &= which - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(which), i = g->flow[p];
		const struct bpe_layers *l = &b->layers[p];
		const uint32_t flags = l->flags, end = flags / BPE_PKT_REVERSED & 1;
		if (BPEI_LIKELY(!((cut >> p & 1) | (flags & BPE_PKT_BAD_CHECKSUM)) &&
				bpei_segment_has_header(l))) {
			struct bpei_segment s;
			bpei_segment_numbers(b->data[p] + l->transport, &s);
			s.bytes = l->end - l->payload;
			const uint8_t *const ip = b->data[p] + l->network, *const tcp =
										   b->data[p] +
										   l->transport;
			if (BPEI_LIKELY(in_turn(
				    t, i, end, &s, l->tcp_flags, ip, tcp, b->time_ns[p], &told)))
				continue;
		}
		bpei_health_tell(t, &told);
		bpei_tcp_note(g, p, i);
	}
	bpei_health_tell(t, &told);
}

/* Without health: flags that are new to the history. */
static void follow_flags(const struct bpei_passage *g, uint64_t which)
{
	struct bpei_table *const t = g->t;
	for (; which; which &= which - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(which), i = g->flow[p];
		const struct bpe_layers *l = &g->b->layers[p];
		if (!(l->tcp_flags & ~bpei_seen_flags(&t->history.seen[t->details[i].history],
					     l->flags / BPE_PKT_REVERSED & 1)))
			continue;
		bpei_tcp_note(g, p, i);
	}
}

void bpei_tcp_follow(const struct bpei_passage *g, uint64_t which)
{
	if (!g->t->options.tcp_health || !g->b->data)
		follow_flags(g, which);
	else if (g->cut)
		follow(g, which, g->cut);
	else
		follow(g, which, 0);
}
