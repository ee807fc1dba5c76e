/* SPDX-License-Identifier: MIT */
/* Columns in one piece of memory, each beginning on a line of its own, and sums over batches.
 * Stateless. */
#include "records/batch.h"

#include "base/cacheline.h"
#include "base/mem.h"

#include <string.h>

static size_t round_to_line(size_t bytes)
{
	return (bytes + BPEI_LINE - 1) & ~(size_t)(BPEI_LINE - 1);
}

/* Returns the bytes that n columns' elements take.  Columns are a line apart, so no two of them are
 * equal in the low bits of their addresses. */
static size_t columns_bytes(uint32_t n)
{
	const struct bpei_columns *c = NULL;
	size_t bytes = 0;

#define BPEI_COLUMN_BYTES(type, name, condition)                                                   \
	bytes += round_to_line(n * sizeof *c->name) + BPEI_LINE;
	BPEI_COLUMNS(BPEI_COLUMN_BYTES)
#undef BPEI_COLUMN_BYTES
	return bytes;
}

static void lay_out_columns(struct bpei_columns *c, uint8_t *base, uint32_t n)
{
#define BPEI_COLUMN_LAY_OUT(type, name, condition)                                                 \
	c->name = (void *)base;                                                                    \
	base += round_to_line(n * sizeof *c->name) + BPEI_LINE;
	BPEI_COLUMNS(BPEI_COLUMN_LAY_OUT)
#undef BPEI_COLUMN_LAY_OUT
}

int bpei_columns_new(struct bpei_columns *columns, uint32_t n)
{
	uint8_t *base = bpei_mem_map(columns_bytes(n), 0);

	if (!base)
		return BPE_E_MEMORY;
	*columns = (struct bpei_columns){ .outermost = false };
	lay_out_columns(columns, base, n);
	return BPE_OK;
}

void bpei_columns_free(struct bpei_columns *columns, uint32_t n)
{
	bpei_mem_unmap((void *)(uintptr_t)columns->data, columns_bytes(n));
	*columns = (struct bpei_columns){ 0 };
}

typedef uint32_t lanes __attribute__((vector_size(16)));
typedef uint64_t pair __attribute__((vector_size(16)));

static inline lanes load_lengths(const uint32_t *from)
{
	lanes v;

	memcpy(&v, from, sizeof v);
	return v;
}

static inline pair load_times(const int64_t *from)
{
	pair v;

	memcpy(&v, from, sizeof v);
	return v;
}

/* Sums packet by packet, whatever the lengths and times are. */
static void sum_by_packet(const struct bpe_batch *b, struct bpei_sums *s)
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

/* Sums four packets at a time, in the compilers' generic vectors.  The sums are right as long as no
 * sum of 64 lengths leaves 32 bits, and times never go back.  No step between times is above 2^57
 * ns then, so 63 of them stay below 2^63, and the last time is the first plus all steps. */
void bpei_batch_sum(const struct bpe_batch *b, struct bpei_sums *sums)
{
	const size_t n = b->count;
	const uint32_t *caplen = b->caplen;
	const uint32_t *wirelen = b->wirelen;
	const int64_t *time_ns = b->time_ns;
	lanes captured = { 0 }, wire = { 0 }, lengths = { 0 };
	pair steps = { 0 };
	size_t i = 0;

	for (; i + 4 < n; i += 4) {
		const lanes c = load_lengths(caplen + i);
		const lanes w = load_lengths(wirelen + i);

		captured += c;
		wire += w;
		lengths |= c | w;
		steps |= (load_times(time_ns + i + 1) - load_times(time_ns + i)) |
			 (load_times(time_ns + i + 3) - load_times(time_ns + i + 2));
	}
	uint32_t length = lengths[0] | lengths[1] | lengths[2] | lengths[3];
	uint64_t step = steps[0] | steps[1];
	struct bpei_sums s = {
		.captured = captured[0] + captured[1] + captured[2] + captured[3],
		.wire = wire[0] + wire[1] + wire[2] + wire[3],
		.least_ns = time_ns[0],
		.most_ns = time_ns[n - 1],
	};
	for (; i < n; i++) {
		s.captured += caplen[i];
		s.wire += wirelen[i];
		length |= caplen[i] | wirelen[i];
		step |= i + 1 < n ? (uint64_t)time_ns[i + 1] - (uint64_t)time_ns[i] : 0;
	}
	if (BPEI_UNLIKELY(length >> 26 || step >> 57 || s.least_ns < 0 || s.most_ns < 0))
		sum_by_packet(b, &s);
	*sums = s;
}
_Static_assert(BPE_BATCH <= 64, "what bpei_batch_sum adds up");
