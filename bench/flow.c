/* SPDX-License-Identifier: MIT */
/* bench/flow [flows ... | flood | memory [FLOWS]]: look-up and update per packet, random hits,
 * beside DPDK's rte_hash (CRC, bulk look-up of 64, and a count on the entry found).  Both have the
 * same keys in the same order, in alternating rounds.  The flow table probes, compares, counts
 * packets and bytes, and keeps time, time-outs and state, with UDP and with analyzed TCP.
 * Keys and hashes lie in batches as the parser leaves the columns.  Memory is in huge pages where
 * the system allows, for both. */
#include "arch/arch.h"
#include "base/mem.h"
#include "bench.h"
#include "flow/flow.h"

#include <string.h>
#ifdef HAVE_DPDK
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_memory.h>
#include <sys/mman.h>
#endif

#define PACKETS (1u << 20) /* of a round, in batches of 64 */

enum contender { RTE_LOOKUP, RTE_COUNT, OURS_UDP, OURS_TCP, CONTENDERS };

static struct bpe_key *keys;
static struct bpe_key *packet; /* the keys of a round's packets, in order, and their hashes */
static uint32_t hashes[PACKETS];
static struct bpei_seed seed;
static struct bpei_table *table[2];
static struct bpe_layers layers[2][BPE_BATCH];
static uint8_t frame[BPE_BATCH][64];
static int64_t now = 1000000000;
#ifdef HAVE_DPDK
static struct rte_hash *rte;
static hash_sig_t signatures[PACKETS];
static struct entry {
	uint64_t packets, bytes, captured, time;
} *entries;
#endif

#ifdef HAVE_DPDK
/* Requests the same pages for both. */
static int use_huge_pages(const struct rte_memseg_list *list, void *unused)
{
	(void)unused;
	return madvise(list->base_va, list->len, MADV_HUGEPAGE) && 0;
}
#endif

/* Returns 64 random bits. */
static uint64_t random_word(void)
{
	static uint64_t s = 88172645463325252u;
	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

/* Updates the table of UDP or TCP with a batch of keys. */
static void update_table(
	uint32_t tcp, struct bpe_key *key, const uint32_t *hash, uint32_t n) BPEI_WORKER
{
	static uint32_t length[BPE_BATCH], flow[BPE_BATCH];
	static int64_t time[BPE_BATCH];
	static const uint8_t *data[BPE_BATCH];
	static uint64_t dropped;
	static uint16_t windows = 1;
	for (uint32_t i = 0; i < n; i++) {
		now += 10;
		length[i] = 60;
		time[i] = now;
		data[i] = frame[i];
		/* ACKs with ever new windows are no duplicates. */
		memcpy(frame[i] + 48, &windows, sizeof windows);
		windows += 7;
		windows += !windows;
	}
	struct bpe_batch b = { .count = n,
		.data = data,
		.time_ns = time,
		.caplen = length,
		.wirelen = length,
		.layers = layers[tcp],
		.key = key,
		.hash = hash };
	bpei_table_clock(table[tcp], now);
	bpei_table_update(table[tcp], &b, flow);
	for (uint32_t i = 0; i < n; i++)
		dropped += flow[i] == BPEI_NO_FLOW;
	if (dropped)
		abort();
}

/* Computes the hashes of keys. */
static void hash_keys(struct bpe_key *key, uint32_t *to, uint32_t n)
{
	struct bpei_columns c = { .layers = layers[0], .key = key, .hash = to };
	bpei_hash(&c, n, &seed);
}

/* Returns the nanoseconds a packet of a round. */
static double time_contender(enum contender c) BPEI_WORKER
{
	int64_t start = bpei_clock_mono_ns();
	for (uint32_t p = 0; p < PACKETS; p += BPE_BATCH) {
		if (c >= OURS_UDP) {
			update_table(c == OURS_TCP, packet + p, hashes + p, BPE_BATCH);
			continue;
		}
#ifdef HAVE_DPDK
		const void *at[BPE_BATCH];
		void *data[BPE_BATCH];
		uint64_t hits;
		for (uint32_t i = 0; i < BPE_BATCH; i++)
			at[i] = &packet[p + i];
		if (rte_hash_lookup_with_hash_bulk_data(
			    rte, at, signatures + p, BPE_BATCH, &hits, data) != BPE_BATCH)
			abort();
		for (uint32_t i = 0; c == RTE_COUNT && i < BPE_BATCH; i++)
			__builtin_prefetch(&entries[(uintptr_t)data[i]], 1);
		for (uint32_t i = 0; c == RTE_COUNT && i < BPE_BATCH; i++) {
			struct entry *e = &entries[(uintptr_t)data[i]];
			now += 10;
			e->packets++;
			e->bytes += 60;
			e->captured += 60;
			e->time = (uint64_t)now;
		}
#endif
	}
	return (double)(bpei_clock_mono_ns() - start) / PACKETS;
}

/* Aborts if a flow has anomalies: segments in order are measured. */
static void check_undisturbed_flow(void *unused, const struct bpe_flow *f, uint32_t worker)
{
	(void)unused;
	(void)worker;
	for (int k = 0; k < 2; k++)
		if (f->retransmissions[k] | f->repeated_acks[k] | f->keep_alives[k])
			abort();
}

/* Measures all contenders with n flows. */
static void measure_size(uint32_t n) BPEI_WORKER
{
	uint32_t from = 0;
	static struct bench_row rows[CONTENDERS];
	static const char *const names[CONTENDERS] = { "rte_hash, bulk look-up of 64",
		"... and count", "bpei_table, UDP", "bpei_table, TCP and its health" };
	keys = bpei_mem_map(n * sizeof *keys, 1);
	packet = bpei_mem_map(PACKETS * sizeof *packet, 1);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t r = random_word();
		keys[i] = (struct bpe_key){
			.port = { (uint16_t)(r >> 32), 443 }, .ip_proto = 17, .ip_version = 4
		}; /* also for TCP: the protocol of the key does not matter */
		memcpy(keys[i].addr[0], &i, 4);
		memcpy(keys[i].addr[1], &r, 4);
	}
#ifdef HAVE_DPDK
	char name[32];
	snprintf(name, sizeof name, "h%u", n);
	struct rte_hash_parameters how = { .name = name,
		.entries = n + n / 8 + 64,
		.key_len = sizeof *keys,
		.hash_func = rte_hash_crc,
		.socket_id = -1 };
	rte = rte_hash_create(&how);
	entries = bpei_mem_map(n * sizeof *entries, 1);
	for (uint32_t i = 0; i < n && rte; i++) {
		if (rte_hash_add_key_data(rte, &keys[i], (void *)(uintptr_t)i) < 0)
			abort();
	}
	if (!rte)
		printf("rte_hash could not be made: too little memory\n");
#endif
	for (uint32_t tcp = 0; tcp < 2; tcp++) {
		struct bpei_table_options o = { .max_flows = n,
			.idle_ns = 3600000000000,
			.closed_ns = 10000000000,
			.tcp_health = true };
		if (bpei_table_new(&o, &table[tcp]) < 0)
			abort();
		for (uint32_t twice = 0; twice < 2; twice++)
			for (uint32_t i = 0; i < n;) {
				uint32_t m = 0;
				struct bpe_key some[BPE_BATCH];
				while (m < BPE_BATCH && i < n)
					some[m++] = keys[i++];
				hash_keys(some, hashes, m);
				update_table(tcp, some, hashes, m);
			}
		const struct bpei_table_counts *counts = bpei_table_counts(table[tcp]);
		printf("%u flows: %.1f bytes a flow as touched, %.1f at most\n", n,
			(double)bpei_counter_get(&counts->bytes) / n,
			(double)bpei_table_max_bytes(n, false) / n);
	}
	bpei_table_dump(table[1], &from, n, check_undisturbed_flow, NULL);
	for (int k = 0; k < CONTENDERS; k++)
		rows[k].name = names[k];
	for (int r = -1; r < BENCH_ROUNDS; r++) {
		for (uint32_t i = 0; i < PACKETS; i++)
			packet[i] = keys[(random_word() >> 32) * n >> 32];
		for (uint32_t i = 0; i < PACKETS; i += BPE_BATCH)
			hash_keys(packet + i, hashes + i, BPE_BATCH);
#ifdef HAVE_DPDK
		for (uint32_t i = 0; i < PACKETS; i++)
			signatures[i] = rte_hash_hash(rte, &packet[i]);
#endif
		for (int c = 0; c < CONTENDERS; c++) {
#ifdef HAVE_DPDK
			if (!rte && c < OURS_UDP)
				continue;
#else
			if (c < OURS_UDP)
				continue;
#endif
			double ns = time_contender((enum contender)c);
			if (r >= 0)
				rows[c].ns[r] = ns;
		}
	}
#ifdef HAVE_DPDK
	bench_print(rows, CONTENDERS, "packet, random hits");
	rte_hash_free(rte);
	bpei_mem_unmap(entries, n * sizeof *entries);
#else
	bench_print(rows + OURS_UDP, 2, "packet, random hits");
#endif
	for (int k = 0; k < 2; k++)
		bpei_table_free(table[k]);
	bpei_mem_unmap(keys, n * sizeof *keys);
	bpei_mem_unmap(packet, PACKETS * sizeof *packet);
}

/* 1,000 established connections in a table of a million flows, filled by SYNs of random addresses.
 * Measured is a packet's cost, alone and with as many SYNs between, in separate batches and in the
 * same batches; and the packets of connections a second with each. */
enum { CONNECTIONS = 1000, FLOOD_PACKETS = 200000 };
enum flood { ALONE, APART, APART_SYN, TOGETHER, FLOODS };

/* Makes a batch of packets of connections and SYNs.  Returns the number of packets. */
static uint32_t make_flood_batch(
	uint32_t established, uint32_t syns, struct bpe_key *some, uint32_t *some_hashes)
{
	for (uint32_t i = 0; i < established + syns; i++) {
		uint64_t x = random_word();
		bool syn = i & 1 ? syns : !established;
		some[i] = (struct bpe_key){ .port = { 1, 443 },
			.ip_version = 4,
			.ip_proto = 6,
			.addr = { { 10, 0, (uint8_t)(x % CONNECTIONS >> 8),
					  (uint8_t)(x % CONNECTIONS) },
				{ 11 } } };
		if (syn) {
			memcpy(some[i].addr[0], &x, 8);
			some[i].addr[0][0] = 9;
			some[i].port[0] = (uint16_t)(x >> 40);
		}
		frame[i][47] = syn ? 2 : 16;
		layers[1][i].tcp_flags = frame[i][47];
	}
	hash_keys(some, some_hashes, established + syns);
	return established + syns;
}

/* Returns the nanoseconds of a batch. */
static int64_t time_flood_batch(uint32_t established, uint32_t syns) BPEI_WORKER
{
	static struct bpe_key some[BPE_BATCH];
	static uint32_t some_hashes[BPE_BATCH];
	uint32_t n = make_flood_batch(established, syns, some, some_hashes);
	int64_t start = bpei_clock_mono_ns();
	update_table(1, some, some_hashes, n);
	return bpei_clock_mono_ns() - start;
}

/* Measures connections in a flood of SYNs. */
static void measure_flood(void) BPEI_WORKER
{
	static struct bench_row rows[FLOODS] = { { .name = "a connection's, no flood" },
		{ .name = "a connection's, SYNs in batches between" }, { .name = "a SYN of those" },
		{ .name = "a connection's and a SYN, in one batch" } };
	static struct bpe_key some[BPE_BATCH];
	static uint32_t some_hashes[BPE_BATCH];
	struct bpei_table_options o = { .max_flows = 1000000,
		.idle_ns = 300000000000,
		.closed_ns = 10000000000,
		.tcp_health = true };
	if (bpei_table_new(&o, &table[1]) < 0)
		abort();
	for (uint32_t r = 0; r < 3; r++)
		for (uint32_t i = 0; i < CONNECTIONS; i++) {
			some[0] = (struct bpe_key){ .port = { 1, 443 },
				.ip_version = 4,
				.ip_proto = 6,
				.addr = { { 10, 0, (uint8_t)(i >> 8), (uint8_t)i }, { 11 } } };
			hash_keys(some, some_hashes, 1);
			update_table(1, some, some_hashes, 1);
		}
	for (int r = -8; r < BENCH_ROUNDS; r++) { /* the first eight fill the table */
		int64_t took[FLOODS] = { 0 };
		for (uint32_t p = 0; p < FLOOD_PACKETS; p += BPE_BATCH)
			took[ALONE] += time_flood_batch(BPE_BATCH, 0);
		for (uint32_t p = 0; p < FLOOD_PACKETS; p += BPE_BATCH) {
			took[APART] += time_flood_batch(BPE_BATCH, 0);
			took[APART_SYN] += time_flood_batch(0, BPE_BATCH);
		}
		for (uint32_t p = 0; p < FLOOD_PACKETS; p += BPE_BATCH / 2)
			took[TOGETHER] += time_flood_batch(BPE_BATCH / 2, BPE_BATCH / 2);
		for (int k = 0; k < FLOODS && r >= 0; k++)
			rows[k].ns[r] = (double)took[k] / FLOOD_PACKETS;
	}
	bench_print(rows, FLOODS, "packet, the clock's own 1 ns or less in it");
	const double alone = rows[ALONE].ns[BENCH_ROUNDS / 2];
	const double apart = rows[APART].ns[BENCH_ROUNDS / 2];
	const double syn = rows[APART_SYN].ns[BENCH_ROUNDS / 2];
	const double together = rows[TOGETHER].ns[BENCH_ROUNDS / 2];
	printf("packets of connections worked off, M/s: %.1f without a flood; with as many SYNs %.1f, which is %.2f of it (%.2f of the core's time goes to the SYNs)\n",
		1e3 / alone, 1e3 / together, alone / together, syn / (apart + syn));
	printf("slowed by the flood, each by itself: %.2f times\n", apart / alone);
	const struct bpei_table_counts *c = bpei_table_counts(table[1]);
	printf("evicted: %llu half-open, %llu alive, %llu others\n",
		(unsigned long long)bpei_counter_get(&c->evicted_by[BPE_EVICTED_HALF_OPEN]),
		(unsigned long long)bpei_counter_get(&c->evicted_by[BPE_EVICTED_ALIVE]),
		(unsigned long long)(bpei_counter_get(&c->evicted) -
				     bpei_counter_get(&c->evicted_by[BPE_EVICTED_HALF_OPEN]) -
				     bpei_counter_get(&c->evicted_by[BPE_EVICTED_ALIVE])));
	bpei_table_free(table[1]);
}

/* Returns the resident memory of this process. */
static uint64_t resident_process_bytes(void)
{
	unsigned long long all, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%llu %llu", &all, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4096;
}

/* Prints bytes a flow while a table of `most` flows fills: as counted by the table, as counted by
 * the system, and the most that the table can take. */
static void measure_memory(uint32_t most) BPEI_WORKER
{
	static struct bpe_key some[BPE_BATCH];
	static uint32_t some_hashes[BPE_BATCH];
	uint64_t before = resident_process_bytes();
	struct bpei_table_options o = { .max_flows = most,
		.idle_ns = 3600000000000,
		.closed_ns = 10000000000,
		.tcp_health = true };
	if (bpei_table_new(&o, &table[1]) < 0)
		abort();
	printf("a table for %u flows: %.1f bytes a flow at most\n%12s %18s %18s\n", most,
		(double)bpei_table_max_bytes(most, false) / most, "flows", "bytes a flow",
		"resident a flow");
	for (uint32_t n = 0, step = most / 16; n < most;) {
		for (uint32_t to = n + step < most ? n + step : most; n < to;) {
			uint32_t m = 0;
			for (; m < BPE_BATCH && n < to; m++, n++) {
				some[m] = (struct bpe_key){ .port = { 1, 443 },
					.ip_version = 4,
					.ip_proto = 6,
					.addr = { { 0 }, { 11 } } };
				memcpy(some[m].addr[0], &n, 4);
			}
			hash_keys(some, some_hashes, m);
			update_table(1, some, some_hashes, m);
		}
		printf("%12u %18.1f %18.1f\n", n,
			(double)bpei_counter_get(&bpei_table_counts(table[1])->bytes) / n,
			(double)(resident_process_bytes() - before) / n);
	}
	bpei_table_free(table[1]);
}

int main(int argc, char **argv)
{
#ifdef HAVE_DPDK
	char *eal[] = { "flow", "--no-pci", "--no-huge", "--no-telemetry", "-m", "6000", "-l", "0",
		"--log-level", "1" };
	if (rte_eal_init(10, eal) < 0)
		return 1;
	rte_memseg_list_walk(use_huge_pages, NULL);
#else
	printf("built without DPDK: rte_hash is not measured\n");
#endif
	bpei_seed_init(&seed, 1);
	for (uint32_t i = 0; i < BPE_BATCH; i++) {
		frame[i][17] = 40; /* IP's length: the rest is padding */
		frame[i][46] = 0x50;
		frame[i][48] = 4;
		for (uint32_t tcp = 0; tcp < 2; tcp++)
			layers[tcp][i] = (struct bpe_layers){ .network = 14,
				.transport = 34,
				.payload = 54,
				.end = 54,
				.flags = BPE_PKT_IP4 | BPE_PKT_KEY,
				.proto = tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
				.ip_proto = (uint8_t)(17 - 11 * tcp),
				.tcp_flags = (uint8_t)(16 * tcp) };
	}
	bpei_role_enter(&bpei_worker_role);
	static const uint32_t sizes[] = { 100000, 2000000, 10000000 };
	if (argc > 1 && !strcmp(argv[1], "flood"))
		measure_flood();
	else if (argc > 1 && !strcmp(argv[1], "memory"))
		measure_memory(argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 2000000);
	else if (argc > 1)
		for (int k = 1; k < argc; k++)
			measure_size((uint32_t)strtoul(argv[k], NULL, 10));
	else
		for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
			measure_size(sizes[k]);
	bpei_role_leave(&bpei_worker_role);
	return 0;
}
