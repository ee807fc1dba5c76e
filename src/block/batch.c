/* SPDX-License-Identifier: MIT */
/* Columns in one piece of memory, each beginning on a line of its own; stateless. */
#include "block/batch.h"

#include "base/cacheline.h"
#include "base/mem.h"

static size_t round_up(size_t bytes) { return (bytes + BPEI_LINE - 1) & ~(size_t)(BPEI_LINE - 1); }

static size_t lay_out(struct bpei_columns *c, uint8_t *base, uint32_t n)
{
	size_t at = 0;
#define COLUMN(name) (c->name = (void *)(base + at), at += round_up(n * sizeof *c->name) + BPEI_LINE)	/* apart by a line: no two columns alike in the low address bits */
	COLUMN(data), COLUMN(time_ns), COLUMN(caplen), COLUMN(wirelen), COLUMN(interface_id), COLUMN(layers), COLUMN(key), COLUMN(hash), COLUMN(outgoing), COLUMN(meta), COLUMN(flow_ns), COLUMN(flow_kind);
#undef COLUMN
	return at;
}

static size_t size_of(uint32_t n)
{
	struct bpei_columns *c = NULL;
	return round_up(n * (sizeof *c->data + sizeof *c->time_ns + sizeof *c->caplen + sizeof *c->wirelen + sizeof *c->interface_id
			     + sizeof *c->layers + sizeof *c->key + sizeof *c->hash + sizeof *c->outgoing + sizeof *c->meta + sizeof *c->flow_ns + sizeof *c->flow_kind)) + 24 * BPEI_LINE;
}

int bpei_columns_new(struct bpei_columns *columns, uint32_t n)
{
	uint8_t *base = bpei_mem_map(size_of(n), 0);
	if (!base) return BPE_E_MEMORY;
	*columns = (struct bpei_columns){ .outermost = false };
	lay_out(columns, base, n);
	return BPE_OK;
}

void bpei_columns_free(struct bpei_columns *columns, uint32_t n)
{
	bpei_mem_unmap((void *)(uintptr_t)columns->data, size_of(n));
	*columns = (struct bpei_columns){ 0 };
}
