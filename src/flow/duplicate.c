/* SPDX-License-Identifier: MIT */
/* Packets seen twice, as a mirror port of both directions, or a capture on several interfaces,
 * shows them.
 *
 * A copy comes within a millisecond, with the same part of the IP header and the same TCP header.
 * The part is identification to checksum in IPv4, length to hop limit in IPv6.  The TCP checksum
 * stands for the payload.  Headers
 * before the IP header, a VLAN tag for example, may differ.  A packet that a router forwarded has
 * another TTL, and is another packet.
 *
 * The cold line has the last segment of each end, so an undisturbed connection pays for keeping a
 * fingerprint alone.  An end is watched after a segment with data, SYN or FIN came twice: the
 * anomalies keep the end's last segments, until WATCHED_SEGMENTS segments have had no copy.  All of
 * this belongs to the flow, so results depend neither on batches nor on the number of workers.
 *
 * A true retransmission has another identification.  But IPv6 has no identification, and some hosts
 * send the same identification with every packet.  A segment that may well be sent twice within a
 * millisecond is left to tcp_analysis.c. */
#include "flow/duplicate.h"

#include "flow/dupack.h"
#include "flow/window.h"

#define WATCHED_SEGMENTS 64

/* Keeps a fingerprint of a watched end. */
static void keep_fingerprint(struct bpei_tcp_anomalies *a, uint32_t end, uint32_t fingerprint)
{
	a->watched[end]--;
	a->fingerprints[a->fingerprint_tail++ % BPEI_FINGERPRINTS] = fingerprint;
}

/* Returns true if a fingerprint of the same segment is kept. */
static bool is_fingerprint_kept(const struct bpei_tcp_anomalies *a, uint32_t fingerprint)
{
	uint32_t any = 0;

	for (uint32_t k = 0; k < BPEI_FINGERPRINTS; k++)
		any |= bpei_fingerprint_is_near(fingerprint - a->fingerprints[k]);
	return any;
}

/* Counts a copy.  starts_watch: the end is watched from now on; otherwise a watched end is watched
 * anew, and any other end is not. */
static void count_duplicate_segment(struct bpei_table *t, uint32_t i, struct bpei_tcp_anomalies *a,
	uint32_t end, bool starts_watch)
{
	a = bpei_anomaly_count(t, i, a, end, ANOMALY_DUPLICATE);
	bpei_counter_add(&t->counts.duplicates, 1);
	if (!a || !(starts_watch | a->watched[end]))
		return;
	a->watched[end] = WATCHED_SEGMENTS;
	t->cold[i].inner_vlan |= COLD_WATCH;
}

/* Returns true if the segment has nothing new, so it may be the segment before once more. */
static bool has_nothing_new(const struct bpei_table *t, const struct bpei_flow_segment *segment)
{
	const struct bpei_segment *const s = segment->s;
	const uint32_t flags = segment->flags;
	const uint32_t end = segment->end;
	const struct bpei_flow_cold *const cold = &t->cold[segment->entry];
	const uint32_t syn = flags >> 1 & 1;
	const uint32_t fin = flags & TCP_FIN;
	const uint32_t next = s->seq + s->bytes + syn + fin;
	const uint32_t newer_ack = (s->ack - cold->ack[end]) & ACK_NUMBER;
	const bool is_ahead = (int32_t)(next - cold->seq[end]) > 0;

	if (is_ahead && !(cold->inner_vlan & COLD_WATCH))
		return false;
	if (!bpei_end_is_numbered(t, segment->entry, end))
		return false;
	if (is_ahead) {
		const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, segment->entry);

		return a && a->resume_flags[end] && next == a->resume_seq[end];
	}
	if (s->bytes || flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return true;
	if (newer_ack)
		return newer_ack > ACK_NUMBER / 2; /* a copy may come after another ACK */
	return cold->window[end] == s->window;
}

/* Returns true if a segment with the bytes of a segment just before is a copy, not sent twice.  The
 * bytes may be the same also where duplicate ACKs request the segment, or where an ACK is repeated
 * since data is missing: such a segment is a copy only if the end is watched. */
static bool is_plausible_copy(struct bpei_table *t, const struct bpei_flow_segment *segment)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	const struct bpei_segment *const s = segment->s;
	const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);

	if (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST) || (a && a->watched[end]))
		return true;
	if (s->bytes)
		return !bpei_dupack_requests(t, i, !end, s->seq, segment->ns);
	if (t->cold[i].seq[!end] != s->ack)
		return false;
	return bpei_duplicate_ack_is_plausible(t, i);
}

bool bpei_duplicate_check(
	struct bpei_table *t, const struct bpei_flow_segment *segment, uint32_t fingerprint)
{
	const uint32_t i = segment->entry;
	const uint32_t end = segment->end;
	struct bpei_flow_cold *const cold = &t->cold[i];
	struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);
	const bool is_watched = a && a->watched[end];
	const bool is_last = bpei_fingerprint_is_near(fingerprint - cold->fingerprint[end]);
	const bool is_near = is_last || (is_watched && is_fingerprint_kept(a, fingerprint));

	if (is_near && t->options.report_duplicates && has_nothing_new(t, segment) &&
		is_plausible_copy(t, segment)) {
		const bool has_number = segment->s->bytes || segment->flags & (TCP_SYN | TCP_FIN);

		if (is_last)
			cold->fingerprint[end] = fingerprint; /* as the fast path does for ACKs */
		count_duplicate_segment(t, i, a, end, has_number);
		return true;
	}
	cold->fingerprint[end] = fingerprint;
	if (is_watched)
		keep_fingerprint(a, end, fingerprint);
	return false;
}

bool bpei_duplicate_count_ack(struct bpei_table *t, uint32_t i, uint32_t end)
{
	if (!t->options.report_duplicates)
		return false;
	count_duplicate_segment(t, i, bpei_anomalies_find(t, i), end, false);
	return true;
}
