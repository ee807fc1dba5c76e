/* SPDX-License-Identifier: MIT */
/* Columns in one piece of memory, each beginning on a line of its own, and sums over them;
 * stateless. */
#include "records/batch.h"

#include "base/cacheline.h"
#include "base/mem.h"

#include <string.h>

static size_t round_up(size_t bytes)
{
	return (bytes + BPEI_LINE - 1) & ~(size_t)(BPEI_LINE - 1);
}

static size_t lay_out(struct bpei_columns *c, uint8_t *base, uint32_t n)
{
	size_t at = 0;
#define COLUMN(name)                                                                               \
	(c->name = (void *)(base + at),                                                            \
		at +=                                                                              \
		round_up(n * sizeof *c->name) +                                                    \
		BPEI_LINE) /* apart by a line: no two columns alike in the low address bits */
	COLUMN(data), COLUMN(time_ns), COLUMN(caplen), COLUMN(wirelen), COLUMN(interface_id),
		COLUMN(layers), COLUMN(key), COLUMN(hash), COLUMN(outgoing), COLUMN(meta),
		COLUMN(flow_ns), COLUMN(flow_kind);
#undef COLUMN
	return at;
}

static size_t size_of(uint32_t n)
{
	struct bpei_columns *c = NULL;
	return round_up(n *
			(sizeof *c->data + sizeof *c->time_ns + sizeof *c->caplen +
				sizeof *c->wirelen + sizeof *c->interface_id + sizeof *c->layers +
				sizeof *c->key + sizeof *c->hash + sizeof *c->outgoing +
				sizeof *c->meta + sizeof *c->flow_ns + sizeof *c->flow_kind)) +
	       24 * BPEI_LINE;
}

int bpei_columns_new(struct bpei_columns *columns, uint32_t n)
{
	uint8_t *base = bpei_mem_map(size_of(n), 0);
	if (!base)
		return BPE_E_MEMORY;
	*columns = (struct bpei_columns){ .outermost = false };
	lay_out(columns, base, n);
	return BPE_OK;
}

void bpei_columns_free(struct bpei_columns *columns, uint32_t n)
{
	bpei_mem_unmap((void *)(uintptr_t)columns->data, size_of(n));
	*columns = (struct bpei_columns){ 0 };
}

typedef uint32_t lanes __attribute__((vector_size(16)));
typedef uint64_t pair __attribute__((vector_size(16)));

static inline lanes load_lanes(const uint32_t *from)
{
	lanes v;
	memcpy(&v, from, sizeof v);
	return v;
}

static inline pair load_pair(const int64_t *from)
{
	pair v;
	memcpy(&v, from, sizeof v);
	return v;
}

/* Sums, whatever the lengths and times are. */
static void sum_plainly(const struct bpe_batch *b, struct bpei_sums *s)
{
	*s = (struct bpei_sums){ .least_ns = b->time_ns[0], .most_ns = b->time_ns[0] };
	for (uint32_t i = 0; i < b->count; i++) {
		const int64_t ns = b->time_ns[i];
		s->captured += b->caplen[i];
		s->wire += b->wirelen[i];
		s->least_ns = ns < s->least_ns ? ns : s->least_ns;
		s->most_ns = ns > s->most_ns ? ns : s->most_ns;
	}
}

/* Four packets at a time, in the compilers' generic vectors, as long as no sum of 64 lengths leaves
 * 32 bits, and times never go back.  No step is above 2^57 ns, so that 63 of them stay below 2^63,
 * and the last time, which is not negative either, is the first and all the steps. */
void bpei_batch_sum(const struct bpe_batch *b, struct bpei_sums *sums)
{
	const size_t n = b->count;
	const uint32_t *caplen = b->caplen, *wirelen = b->wirelen;
	const int64_t *time_ns = b->time_ns;
	lanes captured = { 0 }, wire = { 0 }, lengths = { 0 };
	pair steps = { 0 };
	size_t i = 0;
	for (; i + 4 < n; i += 4) {
		const lanes c = load_lanes(caplen + i), w = load_lanes(wirelen + i);
		captured += c;
		wire += w;
		lengths |= c | w;
		steps |= (load_pair(time_ns + i + 1) - load_pair(time_ns + i)) |
			 (load_pair(time_ns + i + 3) - load_pair(time_ns + i + 2));
	}
	uint32_t length = lengths[0] | lengths[1] | lengths[2] | lengths[3];
	uint64_t step = steps[0] | steps[1];
	struct bpei_sums s = { captured[0] + captured[1] + captured[2] + captured[3],
		wire[0] + wire[1] + wire[2] + wire[3], time_ns[0], time_ns[n - 1] };
	for (; i < n; i++) {
		s.captured += caplen[i];
		s.wire += wirelen[i];
		length |= caplen[i] | wirelen[i];
		step |= i + 1 < n ? (uint64_t)time_ns[i + 1] - (uint64_t)time_ns[i] : 0;
	}
	if (BPEI_UNLIKELY(length >> 26 || step >> 57 || s.least_ns < 0 || s.most_ns < 0))
		sum_plainly(b, &s);
	*sums = s;
}
_Static_assert(BPE_BATCH <= 64, "what bpei_batch_sum adds up");
