/* SPDX-License-Identifier: MIT */
/* Which segments are a connection's stream: those that its receiver may take (RFC 9293, section
 * 3.10.7.4; RFC 5961 for RST and SYN).  What is not is a stray, and moves no number: a SYN of
 * another number in a connection that is established, or a segment outside of the window.
 *
 * A capture that lost more than a window looks the same at first.  So the place behind a stray is
 * remembered (apart in the extra), and the stream goes on there when another segment, or an ACK,
 * continues from it.  Before the handshake's last ACK two SYNs of one end may both be its own: the
 * ACK tells which is.
 * The window is known where both SYNs were seen, since they tell its scale, and the other end has
 * acknowledged; else a segment may lie a megabyte ahead.  Pure, but for the extra. */
#include "flow/tcp_analysis.h"

#define HAS_SYN (1u << HISTORY_SYN | 1u << HISTORY_SYN_ACK | 1u << HISTORY_MULTI)
#define REACH_SHIFT 4 /* of a window whose scale is not known: 1 MB of the largest */
#define MOST_BEHIND                                                                                \
	(1u << 24)         /* a segment sent again lies no farther back, where no scale is known */
#define APART_REACH 65536u /* so near behind a stray its stream goes on */
#define MOST_SCALE 14u     /* RFC 7323, section 2.3 */

static uint32_t letters_of(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_seen_letters(&t->history.seen[t->details[i].history], end);
}

bool bpei_end_has_syn(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return letters_of(t, i, end) & HAS_SYN;
}

bool bpei_end_has_isn(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_end_has_syn(t, i, end) || letters_of(t, i, !end) & 1u << HISTORY_SYN_ACK;
}

static bool has_acknowledged(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_seen_flags(&t->history.seen[t->details[i].history], end) & TCP_ACK;
}

/* Of the windows that this end tells; -1: not known. */
static int scale_of(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	const struct bpei_setup *s = &t->setups[bpei_detail_setup(&t->details[i])];
	if (bpei_entry_marks(&t->entries[i]) & STATE_CUT || !bpei_end_has_syn(t, i, 0) ||
		!bpei_end_has_syn(t, i, 1))
		return -1;
	if (!(s->present[0] & s->present[1] & BPE_TCP_WINDOW_SCALE))
		return 0;
	return s->scale[end] < MOST_SCALE ? s->scale[end] : (int)MOST_SCALE;
}

/* What the other end acknowledged last; of its number 24 bits are known. */
static uint32_t left_edge(const struct bpei_detail *d, uint32_t end)
{
	return d->seq[end] + (uint32_t)((int32_t)((d->ack[!end] - d->seq[end]) << 8) >> 8);
}

static bool is_ahead(const struct bpei_table *t, uint32_t i, uint32_t end, uint32_t seq)
{
	const struct bpei_detail *d = &t->details[i];
	const int scale = scale_of(t, i, !end);
	const uint32_t told = d->window[!end];
	if (scale < 0 || !has_acknowledged(t, i, !end))
		return seq - d->seq[end] > (told > UINT16_MAX / 2 ? told : UINT16_MAX)
						   << REACH_SHIFT;
	const int32_t window = told ? (int32_t)(told << scale) : 1;
	return (int32_t)(seq - left_edge(d, end)) >= window;
}

/* Of a segment without anything new. */
static bool is_behind(
	const struct bpei_table *t, uint32_t i, uint32_t end, uint32_t seq, bool reset)
{
	const struct bpei_detail *d = &t->details[i];
	const uint32_t behind = d->seq[end] - seq;
	const int scale = scale_of(t, i, !end);
	if (reset && has_acknowledged(t, i, !end) && (int32_t)(seq - left_edge(d, end)) < 0)
		return true;
	if (behind == 1)
		return false; /* a keep-alive may lie before all */
	const bool all = !(bpei_entry_bits(&t->entries[i]) & ENTRY_CONTINUED) &&
			 !bpei_upper(t, i, COUNT_WIRE, end);
	if (all && bpei_end_has_isn(t, i, end) && behind > d->seq[end] - d->isn[end] + 1)
		return true;
	return behind > (scale > 8 ? (uint32_t)UINT16_MAX << scale : MOST_BEHIND);
}

enum bpei_verdict bpei_segment_judge(const struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint32_t flags)
{
	const struct bpei_detail *d = &t->details[i];
	const uint32_t next = s->seq + s->bytes + !!(flags & TCP_FIN);
	if (!bpei_end_is_numbered(t, i, end))
		return SEGMENT_OF_STREAM;
	if (flags & TCP_SYN) {
		if (!bpei_end_has_isn(t, i, end))
			return letters_of(t, i, end) & 1u << HISTORY_DATA ? SEGMENT_STRAY
									  : SEGMENT_OF_STREAM;
		return s->seq + 1 != d->isn[end] && has_acknowledged(t, i, !end)
			       ? SEGMENT_STRAY
			       : SEGMENT_OF_STREAM;
	}
	const int32_t ahead = (int32_t)(s->seq - d->seq[end]);
	if (!ahead || (ahead < 0 && (int32_t)(next - d->seq[end]) > 0))
		return SEGMENT_OF_STREAM;
	if (!(ahead > 0 ? is_ahead(t, i, end, s->seq)
			: is_behind(t, i, end, s->seq, flags & TCP_RST)))
		return SEGMENT_OF_STREAM;
	const struct bpei_extra *x = bpei_extra_find(t, i);
	const bool resumes = x && x->apart_is[end] & APART_PLACE &&
			     s->seq - x->apart[end] < APART_REACH && !(flags & TCP_RST);
	return resumes ? SEGMENT_RESUMES : SEGMENT_STRAY;
}

/* Remembers the place behind a stray, or that of another SYN.  False without room: the segment is
 * believed. */
bool bpei_apart_put(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t next, uint32_t what)
{
	struct bpei_extra *x = bpei_extra_get(t, i);
	if (!x) {
		bpei_entry_mark(&t->entries[i], 0, STATE_CUT);
		return false;
	}
	x->apart[end] = next;
	x->apart_is[end] = (uint8_t)what;
	return true;
}

bool bpei_apart_take(
	struct bpei_table *t, uint32_t i, struct bpei_extra *x, uint32_t end, uint32_t ack)
{
	struct bpei_detail *d = &t->details[i];
	const uint32_t what = x->apart_is[end], apart = x->apart[end];
	const bool forward = (int32_t)(apart - d->seq[end]) > 0;
	if (!what)
		return false;
	if (ack == d->seq[end]) { /* it is not where the stream goes on, or not yet */
		if (what & APART_SYN)
			x->apart_is[end] = 0;
		return false;
	}
	if (ack != apart && (what & APART_SYN || !forward || ack - apart >= APART_REACH))
		return false;
	d->seq[end] = apart;
	if (what & APART_SYN)
		d->isn[end] = apart;
	if (what & APART_FIN) {
		bpei_tcp_step(&t->entries[i], end, TCP_FIN | TCP_ACK);
		bpei_entry_await(t, i);
		bpei_entry_weigh(t, i);
	}
	x->apart_is[end] = 0;
	return forward && what & APART_PLACE;
}
