/* SPDX-License-Identifier: MIT */
/* Packets seen twice, as a mirror port of both directions, or a capture on several interfaces,
 * shows them: the same IP header from its length or identification to its checksum or hop limit,
 * and the same TCP header, whose checksum stands for the payload, within a millisecond.  What lies
 * before the IP header, a VLAN tag say, may differ.  A copy that a router forwarded has another
 * TTL: it is another packet.
 *
 * The detail has the last segment of each end, so that an undisturbed connection pays for keeping
 * that alone.  An end of which a segment with data or a SYN or FIN came twice is watched: the extra
 * keeps the last segments of it, until WATCHED of them have had no copy.  All this is of the flow,
 * so that neither batches nor the number of workers show.
 *
 * A true retransmission has another identification, but IPv6 has none, and some hosts send the same
 * identification with every packet: what may well be sent twice within a millisecond is left to
 * tcp_analysis.c. */
#include "flow/tcp_analysis.h"

#define WATCHED 64

static void keep(struct bpei_extra *x, uint32_t end, uint32_t sight)
{
	x->watched[end]--;
	x->sights[x->sights_put++ % BPEI_SIGHTS] = sight;
}

static bool is_kept(const struct bpei_extra *x, uint32_t sight)
{
	uint32_t any = 0;
	for (uint32_t k = 0; k < BPEI_SIGHTS; k++)
		any |= bpei_sight_near(sight - x->sights[k]);
	return any;
}

/* starts: the end is watched from now on; else it is as long as before. */
static void count(struct bpei_table *t, uint32_t i, struct bpei_extra *x, uint32_t end, bool starts)
{
	x = bpei_health_note(t, i, x, end, HEALTH_DUPLICATE);
	bpei_counter_add(&t->counts.duplicates, 1);
	if (!x || !(starts | x->watched[end]))
		return;
	x->watched[end] = WATCHED;
	t->details[i].inner_vlan |= DETAIL_ALERT;
}

bool bpei_duplicate_look(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t sight,
	const struct bpei_segment *s, uint8_t flags, int64_t ns)
{
	struct bpei_detail *const d = &t->details[i];
	struct bpei_extra *const x = bpei_extra_find(t, i);
	const bool watched = x && x->watched[end];
	const bool next = bpei_sight_near(sight - d->sight[end]);
	const bool near = next || (watched && is_kept(x, sight));
	if (near && t->options.tell_duplicates && bpei_health_repeats(t, i, end, s, flags) &&
		bpei_health_may_copy(t, i, end, s, flags, ns)) {
		if (next)
			d->sight[end] = sight; /* as of an ACK in turn */
		count(t, i, x, end, s->bytes || flags & (TCP_SYN | TCP_FIN));
		return true;
	}
	d->sight[end] = sight;
	if (watched)
		keep(x, end, sight);
	return false;
}

bool bpei_duplicate_echo(struct bpei_table *t, uint32_t i, uint32_t end)
{
	if (!t->options.tell_duplicates)
		return false;
	count(t, i, bpei_extra_find(t, i), end, false);
	return true;
}
