/* SPDX-License-Identifier: MIT */
/* bench_names: the cost of names for packets of flows with known names: the namer looks at the
 * numbers of a batch's flows, and finds all finished.  Flows are drawn at random; in a small table
 * the numbers are cached, in a large table 4 MB of numbers are not. */
#include "naming/watch.h"

#include "bench.h"

#define BATCHES 512u
#define REPEATS 20u

static uint32_t flows[BATCHES][BPE_BATCH];
static uint32_t random_state = 1;

/* Returns a number below n. */
static uint32_t draw_bench_number(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* Returns the end of the flow, which no packet of a finished flow asks for. */
static int refuse_end(
	const struct bpei_table *table, uint32_t entry, const struct bpe_key *key, uint32_t end)
{
	(void)table;
	(void)entry;
	(void)key;
	(void)end;
	abort();
}

/* Returns the nanoseconds a packet of a table of so many flows. */
static double measure_known_flows(uint32_t entries) BPEI_UNCHECKED
{
	static const int64_t time_ns[BPE_BATCH];
	const struct bpei_namer_options options = {
		.names = BPE_NAMES_ALL, .bytes = 1u << 20, .end_of = refuse_end
	};
	struct bpei_namer *const namer = bpei_namer_new(&options);
	uint32_t *const ids = calloc(entries + 1u, sizeof *ids);

	if (!namer || !ids)
		abort();
	bpei_namer_ids(namer, NULL, ids, entries + 1ull);
	for (uint32_t k = 0; k < entries; k++)
		ids[k] = BPEI_ID_NOTHING + draw_bench_number(BPE_APP_COUNT);
	for (uint32_t b = 0; b < BATCHES; b++)
		for (uint32_t p = 0; p < BPE_BATCH; p++)
			flows[b][p] = draw_bench_number(entries);
	const int64_t begin = bpei_clock_mono_ns();

	for (uint32_t k = 0; k < REPEATS * BATCHES; k++) {
		const struct bpe_batch batch = { .size = sizeof batch,
			.count = BPE_BATCH,
			.flow = flows[k % BATCHES],
			.time_ns = time_ns };

		bpei_namer_batch(namer, &batch, 1000);
	}
	const double ns = (double)(bpei_clock_mono_ns() - begin);

	bpei_namer_free(namer);
	free(ids);
	return ns / (REPEATS * BATCHES * BPE_BATCH);
}

int main(void)
{
	struct bench_row rows[] = { { .name = "1,000 flows" }, { .name = "1,000,000 flows" } };

	for (int round = 0; round < BENCH_ROUNDS; round++) {
		rows[0].ns[round] = measure_known_flows(1000);
		rows[1].ns[round] = measure_known_flows(1000000);
	}
	bench_print(rows, 2, "packet of a flow with known names");
	return 0;
}
