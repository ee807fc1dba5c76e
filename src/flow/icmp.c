/* SPDX-License-Identifier: MIT */
/* ICMP messages and their flows: an error is counted on the flow of the packet that it quotes, and
 * is no packet of that flow's own.
 *
 * While an end has sent errors alone SUMS_ERRORS is set for it, and its packets are the count.  The
 * flow is weak as long, so that each packet comes this way.  Where both kinds come from one end,
 * the extra has the number of errors. */
#include "flow/tcp_fast.h"

/* Notes type and code of a flow's first message, if they were captured and are the flow's own. */
void bpei_icmp_note(struct bpei_detail *d, const struct bpe_batch *b, uint32_t p)
{
	const struct bpe_layers *l = &b->layers[p];
	if (!b->data || l->flags & BPE_PKT_ICMP_ERROR)
		return;
	if (l->transport == BPE_NO_OFFSET || l->transport + 2u > b->caplen[p])
		return;
	const uint8_t *icmp = b->data[p] + l->transport;
	d->icmp = ENTRY_ICMP | (uint32_t)icmp[0] << 8 | icmp[1];
}

void bpei_error_note(const struct bpei_passage *g, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_table *const t = g->t;
	struct bpei_entry *e = &t->entries[i];
	const uint32_t before = bpei_entry_packets(e, end), proto = bpei_entry_proto(e);
	const bool error = g->b->layers[p].flags & BPE_PKT_ICMP_ERROR;
	if (error && (!before || e->sums[end] & SUMS_ERRORS)) {
		e->sums[end] |= SUMS_ERRORS;
		return;
	}
	if (!error && (proto == 1 || proto == 58) && !t->details[i].icmp)
		bpei_icmp_note(&t->details[i], g->b, p);
	e->sums[end] &= ~SUMS_ERRORS;
	if (!error && !before)
		return; /* the errors were of an earlier period */
	struct bpei_extra *x = bpei_extra_get(t, i);
	const uint32_t errors = (x ? x->health[HEALTH_ICMP_ERROR][end] : 0) + (error ? 1 : before);
	if (x)
		x->health[HEALTH_ICMP_ERROR][end] =
			(uint16_t)(errors < UINT16_MAX ? errors : UINT16_MAX);
	if (!x || errors > UINT16_MAX)
		bpei_entry_mark(e, 0, STATE_CUT);
}
