/* SPDX-License-Identifier: MIT */
/* The cutoff of flows (cutoff.h).  The state lies in the table. */
#include "flow/cutoff.h"

/* Returns the bytes up to the last known header; the captured bytes if a header is cut. */
static uint32_t find_header_bytes(const struct bpe_layers *l, uint32_t captured)
{
	return l->payload < captured ? l->payload : captured;
}

void bpei_cutoff_count(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_table *const t = ctx->t;
	struct bpei_cutoff *const c = &t->cutoffs[i];
	const uint32_t captured = ctx->b->caplen[p];

	if (c->seen_bytes < t->options.cutoff_bytes) {
		c->seen_bytes += captured;
		return;
	}
	uint32_t kept = 0;

	if (!t->options.cutoff_drop)
		kept = find_header_bytes(&ctx->b->layers[p], captured);
	t->keep[p] = kept;
	c->unwritten_packets[end] += kept == 0;
	c->unwritten_bytes[end] += captured - kept;
}

void bpei_cutoff_begin(struct bpei_table *t, const struct bpe_batch *b)
{
	memcpy(t->keep, b->caplen, b->count * sizeof *t->keep);
}

void bpei_cutoff_open(struct bpei_table *t, uint32_t i)
{
	t->cutoffs[i] = (struct bpei_cutoff){ .seen_bytes = 0 };
}

void bpei_cutoff_end_period(struct bpei_table *t, uint32_t i)
{
	t->cutoffs[i] = (struct bpei_cutoff){ .seen_bytes = t->cutoffs[i].seen_bytes };
}

void bpei_cutoff_record(
	const struct bpei_table *t, uint32_t i, uint32_t k, uint32_t end, struct bpe_flow *r)
{
	const struct bpei_cutoff *const c = &t->cutoffs[i];

	r->unwritten_packets[k] = c->unwritten_packets[end];
	r->unwritten_bytes[k] = c->unwritten_bytes[end];
	r->flags |= BPE_FLOW_CUTOFF;
}

const uint32_t *bpei_table_keep(const struct bpei_table *t)
{
	return t->cutoffs ? t->keep : NULL;
}
