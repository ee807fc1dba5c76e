/* SPDX-License-Identifier: MIT */
/* TCP segments of a batch: those in turn are followed in one loop without a guess (health.h), the others are judged one by one (health.c). */
#include "flow/follow.h"

/* A SYN is what most connections begin with, and all that a flood brings: it comes to the same as the long way. */
static bool first_syn(struct bpei_table *t, const struct bpe_batch *b, const struct bpei_segment *s, uint32_t p, uint32_t i)
{
	struct bpei_detail *d = &t->details[i];
	const struct bpe_layers *l = &b->layers[p];
	const uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	bool cut = false;
	if (d->history || l->tcp_flags != TCP_SYN || s->bytes || l->flags & BPE_PKT_BAD_CHECKSUM) return false;
	if (!t->first_syn[end]) t->first_syn[end] = bpei_history_add(&t->history, 0, end, TCP_SYN, 1u << HISTORY_SYN, &cut);
	if (cut) return false;
	d->history = t->first_syn[end];
	d->seq[end] = s->seq + 1;
	d->window[end] = s->window;
	return true;
}

static void note_options(struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	struct bpe_tcp_options o;
	if (b->data[p][b->layers[p].transport + 12] >> 4 > 5 && bpe_batch_tcp_options(b, p, &o) == 1 && o.present) bpei_setup_note(t, i, !!(b->layers[p].flags & BPE_PKT_REVERSED), &o);
}

__attribute__((noinline)) void bpei_tcp_note(struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	struct bpei_detail *d = &t->details[i];
	struct bpei_segment s;
	const struct bpe_layers *l = &b->layers[p];
	const uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	uint16_t letters = 0;
	bool cut = false;
	if (bpei_packet_segment(t, b, p, &s)) {
		if (BPEI_UNLIKELY(l->tcp_flags & TCP_SYN)) {
			note_options(t, b, p, i);
			if (first_syn(t, b, &s, p, i)) return;
		}
		letters = bpei_health_step(t, i, end, &s, l->tcp_flags, b->time_ns[p]);
		if (l->flags & BPE_PKT_BAD_CHECKSUM) letters |= 1u << HISTORY_CHECKSUM;
	}
	const struct bpei_seen *seen = &t->history.seen[d->history];
	if ((l->tcp_flags & ~bpei_seen_flags(seen, end)) | (letters & ~bpei_seen_letters(seen, end))) d->history = bpei_history_add(&t->history, d->history, end, l->tcp_flags, letters, &cut);
	if (BPEI_UNLIKELY(cut)) bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
}

static void follow(const struct bpei_passage *g, uint64_t which)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *const b = g->b;
	const uint64_t cut = g->cut;
	struct bpei_told told;
	told.trip = told.trips;
	told.echo = told.echoes;
	for (; which; which &= which - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(which), i = g->flow[p];
		const struct bpe_layers *l = &b->layers[p];
		const uint32_t flags = l->flags, end = flags / BPE_PKT_REVERSED & 1;
		if (BPEI_LIKELY(!((cut >> p & 1) | (flags & BPE_PKT_BAD_CHECKSUM)) && bpei_segment_has_header(l))) {
			struct bpei_segment s;
			bpei_segment_numbers(b->data[p] + l->transport, &s);
			s.bytes = l->end - l->payload;
			if (BPEI_LIKELY(bpei_health_in_turn(t, i, end, &s, l->tcp_flags, b->time_ns[p], &told))) continue;
		}
		bpei_health_tell(t, &told);
		if (l->transport != BPE_NO_OFFSET) bpei_tcp_note(t, b, p, i);
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
		if (!(l->tcp_flags & ~bpei_seen_flags(&t->history.seen[t->details[i].history], l->flags / BPE_PKT_REVERSED & 1))) continue;
		if (l->transport != BPE_NO_OFFSET) bpei_tcp_note(t, g->b, p, i);
	}
}

void bpei_tcp_follow(const struct bpei_passage *g, uint64_t which)
{
	if (g->t->options.tcp_health && g->b->data) follow(g, which);
	else follow_flags(g, which);
}
