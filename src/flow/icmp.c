/* SPDX-License-Identifier: MIT */
/* ICMP messages and their flows.  An error is counted on the flow of the packet that the error
 * quotes, and is no packet of the flow's own.
 *
 * While an end has sent errors alone, PACKED_ICMP_ERRORS is set for the end, and the end's packets
 * are the count of errors.  As long the flow is evictable, so each packet takes the slow path.
 * Where both kinds come from one end, the anomalies have the number of errors. */
#include "flow/anomalies.h"
#include "flow/batch.h"

void bpei_icmp_keep_type(struct bpei_flow_cold *cold, const struct bpe_batch *b, uint32_t p)
{
	const struct bpe_layers *const l = &b->layers[p];

	if (!b->data || l->flags & BPE_PKT_ICMP_ERROR)
		return;
	if (l->transport == BPE_NO_OFFSET || l->transport + 2u > b->caplen[p])
		return;
	const uint8_t *const icmp = b->data[p] + l->transport;
	cold->icmp = COLD_ICMP | (uint32_t)icmp[0] << 8 | icmp[1];
}

/* Adds errors to the count of an end.  Marks the flow STATE_CUT if there is no room for the
 * count. */
static void add_errors(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t errors)
{
	struct bpei_tcp_anomalies *const a = bpei_anomalies_get(t, i);

	if (a) {
		uint16_t *const count = &a->count[ANOMALY_ICMP_ERROR][end];

		errors += *count;
		*count = (uint16_t)(errors < UINT16_MAX ? errors : UINT16_MAX);
	}
	if (!a || errors > UINT16_MAX)
		bpei_entry_set_state(&t->entries[i], 0, STATE_CUT);
}

void bpei_icmp_count_error(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_table *const t = ctx->t;
	struct bpei_entry *const e = &t->entries[i];
	const uint32_t packets_before = bpei_entry_packets(e, end);
	const uint32_t proto = bpei_entry_proto(e);
	const bool is_error = ctx->b->layers[p].flags & BPE_PKT_ICMP_ERROR;

	if (is_error && (!packets_before || e->packed[end] & PACKED_ICMP_ERRORS)) {
		e->packed[end] |= PACKED_ICMP_ERRORS;
		return;
	}
	if (!is_error && (proto == IP_ICMP || proto == IP_ICMP6) && !t->cold[i].icmp)
		bpei_icmp_keep_type(&t->cold[i], ctx->b, p);
	e->packed[end] &= ~PACKED_ICMP_ERRORS;
	if (!is_error && !packets_before)
		return; /* the errors were of an earlier period */
	add_errors(t, i, end, is_error ? 1 : packets_before);
}
