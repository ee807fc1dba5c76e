/* SPDX-License-Identifier: MIT */
/* Which segments are a connection's stream: the segments that the receiver may accept (RFC 9293,
 * section 3.10.7.4; RFC 5961 for RST and SYN).  Any other segment is a stray, and moves no number:
 * a SYN of another number in an established connection, or a segment outside of the window.
 *
 * A capture that lost more than a window looks the same at first.  So the number after a stray is
 * kept (anomalies.resume_seq), and the stream resumes there when another segment, or an ACK,
 * continues from there.  Before the handshake's last ACK, two SYNs of one end may both be valid:
 * the ACK tells which SYN is.
 *
 * The window is known where both SYNs were seen, since SYNs tell the window scale, and the other
 * end has acknowledged.  Otherwise a segment may lie a megabyte ahead.  Pure, but for the
 * anomalies. */
#include "flow/window.h"

#define HAS_SYN (1u << HISTORY_SYN | 1u << HISTORY_SYN_ACK | 1u << HISTORY_MULTI)
#define REACH_SHIFT 4         /* for a window of unknown scale: 1 MB of the largest window */
#define MAX_BEHIND (1u << 24) /* a retransmission lies no farther back, without a known scale */
#define RESUME_REACH 65536u   /* a stream resumes within so many bytes after a stray */
#define MAX_SCALE 14u         /* RFC 7323, section 2.3 */

/* Returns the history letters of an end, as bits. */
static uint32_t history_letters(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_seen_letters(&t->history.seen[t->cold[i].history], end);
}

bool bpei_end_has_syn(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return history_letters(t, i, end) & HAS_SYN;
}

bool bpei_end_has_isn(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_end_has_syn(t, i, end) || history_letters(t, i, !end) & 1u << HISTORY_SYN_ACK;
}

/* Returns true if the end has sent an ACK. */
static bool has_acknowledged(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_seen_flags(&t->history.seen[t->cold[i].history], end) & TCP_ACK;
}

/* Returns the scale of the windows that the end sends; -1: not known. */
static int window_scale_of(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	const struct bpei_syn_options *const o =
		&t->syn_options[bpei_cold_syn_options(&t->cold[i])];

	if (bpei_entry_state(&t->entries[i]) & STATE_CUT || !bpei_end_has_syn(t, i, 0) ||
		!bpei_end_has_syn(t, i, 1))
		return -1;
	if (!(o->present[0] & o->present[1] & BPE_TCP_WINDOW_SCALE))
		return 0;
	return o->scale[end] < MAX_SCALE ? o->scale[end] : (int)MAX_SCALE;
}

/* Returns the number of the end that the other end acknowledged last, from 24 bits of the ACK. */
static uint32_t left_window_edge(const struct bpei_flow_cold *cold, uint32_t end)
{
	return cold->seq[end] + (uint32_t)((int32_t)((cold->ack[!end] - cold->seq[end]) << 8) >> 8);
}

/* Returns true if a number after the end's next number lies beyond the window. */
static bool is_beyond_window(const struct bpei_table *t, uint32_t i, uint32_t end, uint32_t seq)
{
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const int scale = window_scale_of(t, i, !end);
	const uint32_t unscaled = cold->window[!end];

	if (scale < 0 || !has_acknowledged(t, i, !end)) {
		const uint32_t assumed = unscaled > UINT16_MAX / 2 ? unscaled : UINT16_MAX;

		return seq - cold->seq[end] > assumed << REACH_SHIFT;
	}
	const int32_t window = unscaled ? (int32_t)(unscaled << scale) : 1;
	return (int32_t)(seq - left_window_edge(cold, end)) >= window;
}

/* Returns true if a segment without new data lies too far back to be a retransmission. */
static bool is_before_window(
	const struct bpei_table *t, uint32_t i, uint32_t end, uint32_t seq, bool is_reset)
{
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t behind = cold->seq[end] - seq;
	const int scale = window_scale_of(t, i, !end);

	if (is_reset && has_acknowledged(t, i, !end) &&
		(int32_t)(seq - left_window_edge(cold, end)) < 0)
		return true;
	if (behind == 1)
		return false; /* a keep-alive may lie before all data */
	const bool is_continued = bpei_entry_flags(&t->entries[i]) & FLAG_CONTINUED;
	const bool saw_all = !is_continued && !bpei_flow_overflow(t, i, COUNT_BYTES, end);
	if (saw_all && bpei_end_has_isn(t, i, end) && behind > cold->seq[end] - cold->isn[end] + 1)
		return true;
	return behind > (scale > 8 ? (uint32_t)UINT16_MAX << scale : MAX_BEHIND);
}

/* Classifies a SYN of an end with known numbers. */
static enum bpei_segment_class classify_syn(
	const struct bpei_table *t, uint32_t i, uint32_t end, const struct bpei_segment *s)
{
	bool is_stray;

	if (!bpei_end_has_isn(t, i, end))
		is_stray = history_letters(t, i, end) & 1u << HISTORY_DATA;
	else
		is_stray = s->seq + 1 != t->cold[i].isn[end] && has_acknowledged(t, i, !end);
	return is_stray ? SEGMENT_STRAY : SEGMENT_OF_STREAM;
}

enum bpei_segment_class bpei_segment_classify(const struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint32_t flags)
{
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t next = s->seq + s->bytes + !!(flags & TCP_FIN);
	const int32_t ahead = (int32_t)(s->seq - cold->seq[end]);
	bool is_outside;

	if (!bpei_end_is_numbered(t, i, end))
		return SEGMENT_OF_STREAM;
	if (flags & TCP_SYN)
		return classify_syn(t, i, end, s);
	if (!ahead || (ahead < 0 && (int32_t)(next - cold->seq[end]) > 0))
		return SEGMENT_OF_STREAM;
	if (ahead > 0)
		is_outside = is_beyond_window(t, i, end, s->seq);
	else
		is_outside = is_before_window(t, i, end, s->seq, flags & TCP_RST);
	if (!is_outside)
		return SEGMENT_OF_STREAM;
	const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);
	const bool resumes = a && a->resume_flags[end] & RESUME_PLACE &&
			     s->seq - a->resume_seq[end] < RESUME_REACH && !(flags & TCP_RST);
	return resumes ? SEGMENT_RESUMES : SEGMENT_STRAY;
}

bool bpei_resume_keep(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t next, uint32_t flags)
{
	struct bpei_tcp_anomalies *const a = bpei_anomalies_get(t, i);

	if (!a) {
		bpei_entry_set_state(&t->entries[i], 0, STATE_CUT);
		return false;
	}
	a->resume_seq[end] = next;
	a->resume_flags[end] = (uint8_t)flags;
	return true;
}

/* Moves the end's stream to the kept number. */
static void resume_stream(
	struct bpei_table *t, uint32_t i, struct bpei_tcp_anomalies *a, uint32_t end)
{
	struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t flags = a->resume_flags[end];

	cold->seq[end] = a->resume_seq[end];
	if (flags & RESUME_SYN)
		cold->isn[end] = a->resume_seq[end];
	if (flags & RESUME_FIN) {
		bpei_tcp_state_advance(&t->entries[i], end, TCP_FIN | TCP_ACK);
		bpei_entry_schedule(t, i);
		bpei_entry_update_evictable(t, i);
	}
	a->resume_flags[end] = 0;
}

bool bpei_resume_by_ack(
	struct bpei_table *t, uint32_t i, struct bpei_tcp_anomalies *a, uint32_t end, uint32_t ack)
{
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t flags = a->resume_flags[end];
	const uint32_t resume_seq = a->resume_seq[end];
	const bool is_ahead = (int32_t)(resume_seq - cold->seq[end]) > 0;

	if (!flags)
		return false;
	if (ack == cold->seq[end]) { /* the stream does not resume there, or not yet */
		if (flags & RESUME_SYN)
			a->resume_flags[end] = 0;
		return false;
	}
	if (ack != resume_seq &&
		(flags & RESUME_SYN || !is_ahead || ack - resume_seq >= RESUME_REACH))
		return false;
	resume_stream(t, i, a, end);
	return is_ahead && flags & RESUME_PLACE;
}
