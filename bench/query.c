/* SPDX-License-Identifier: MIT */
/* bench/query [flows]: measures the cost of a query for the largest flows.  A batch of 64
 * packets on random flows of a table (1,000,000 flows) is counted without a query, and with the
 * query's step after each batch.  Prints the number of batches until the query is over, too, and
 * the time for the whole table in a single step. */
#include "base/clock.h"
#include "base/mem.h"
#include "bench.h"
#include "flow/top.h"

#include <string.h>

#define BATCHES 8000u
#define BATCH_BUDGET 256u /* as TOP_BATCH_BUDGET in engine/lifecycle.c */
#define WANTED 2000u

static struct bpei_table *table;
static int64_t now = 1000000000;

static uint64_t roll_random(void)
{
	static uint64_t s = 88172645463325252u;
	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static void count_bench_batch(const uint32_t *id) BPEI_WORKER
{
	static struct bpe_layers layers[BPE_BATCH];
	static struct bpe_key key[BPE_BATCH];
	static uint32_t length[BPE_BATCH], flow[BPE_BATCH], hash[BPE_BATCH];
	static int64_t time[BPE_BATCH];
	for (uint32_t i = 0; i < BPE_BATCH; i++) {
		layers[i] = (struct bpe_layers){ .flags = BPE_PKT_KEY | BPE_PKT_IP4,
			.transport = 34,
			.proto = BPE_PROTO_UDP,
			.ip_proto = 17 };
		key[i] = (struct bpe_key){ .port = { 10, 20 }, .ip_proto = 17, .ip_version = 4 };
		memcpy(key[i].addr[0], &id[i], 4);
		now += 10;
		hash[i] = id[i] * 2654435761u | 1;
		length[i] = 60;
		time[i] = now;
	}
	struct bpe_batch b = { .count = BPE_BATCH,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = layers,
		.key = key,
		.hash = hash };
	bpei_table_clock(table, now);
	bpei_table_update(table, &b, flow);
}

static double time_batches(uint32_t flows, struct bpei_top *top, uint32_t *batches) BPEI_WORKER
{
	uint32_t id[BPE_BATCH], done = 0;
	bool through = false;
	int64_t start = bpei_clock_mono_ns();
	for (uint32_t n = 0; n < BATCHES && !through; n++, done++) {
		for (uint32_t i = 0; i < BPE_BATCH; i++)
			id[i] = (uint32_t)((roll_random() >> 32) * flows >> 32);
		count_bench_batch(id);
		if (top)
			through = bpei_top_scan(table, top, BATCH_BUDGET);
	}
	if (batches)
		*batches = through ? done : 0;
	return (double)(bpei_clock_mono_ns() - start) / done;
}

static double median_of_rounds(double *v)
{
	qsort(v, BENCH_ROUNDS, sizeof *v, bench_by_double);
	return v[BENCH_ROUNDS / 2];
}

int main(int argc, char **argv)
{
	const uint32_t flows = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000000;
	uint32_t batches = 0;
	double without[BENCH_ROUNDS], with[BENCH_ROUNDS], whole[BENCH_ROUNDS];
	struct bpei_table_options o = { .max_flows = flows, .idle_ns = 3600000000000 };
	struct bpei_top top;
	if (bpei_table_new(&o, &table) < 0)
		return 1;
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t i = 0; i < flows; i += BPE_BATCH) {
		uint32_t id[BPE_BATCH];
		for (uint32_t k = 0; k < BPE_BATCH; k++)
			id[k] = (i + k) % flows;
		count_bench_batch(id);
	}
	for (int r = 0; r < BENCH_ROUNDS; r++) {
		uint32_t took;
		without[r] = time_batches(flows, NULL, NULL);
		if (bpei_top_init(&top, BPE_ORDER_BYTES, INT64_MIN, WANTED) < 0)
			exit(1);
		with[r] = time_batches(flows, &top, &took);
		if (took)
			batches = took;
		while (!bpei_top_scan(table, &top, UINT32_MAX))
			continue;
		if (top.alive != flows || top.filled != WANTED)
			exit(1);
		bpei_top_free(&top);
		if (bpei_top_init(&top, BPE_ORDER_BYTES, INT64_MIN, WANTED) < 0)
			exit(1);
		int64_t start = bpei_clock_mono_ns();
		while (!bpei_top_scan(table, &top, UINT32_MAX))
			continue;
		whole[r] = (double)(bpei_clock_mono_ns() - start);
		bpei_top_free(&top);
	}
	const double a = median_of_rounds(without);
	const double b = median_of_rounds(with);
	const double c = median_of_rounds(whole);

	printf("%u flows, medians of %d: a batch of 64 %.0f ns, with its share of a query %.0f ns (+%.0f, %.1f a packet)\n",
		flows, BENCH_ROUNDS, a, b, b - a, (b - a) / 64);
	if (batches)
		printf("a query for %u takes %u batches; ", WANTED, batches);
	printf("in one go %.1f ms (%.1f ns a flow)\n", c * 1e-6, c / flows);
	bpei_table_free(table);
	bpei_role_leave(&bpei_worker_role);
	return 0;
}
