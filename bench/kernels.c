/* SPDX-License-Identifier: MIT */
/* bench/kernels: measures ns a packet of parse, hash and probe, in batches of BPE_BATCH, for each
 * backend this CPU can run.  The packets are IPv4 and IPv6, TCP and UDP, either end first, some
 * behind a VLAN tag.  All are drawn by chance, in numbers no predictor learns, and lie back to back
 * as in a savefile.  Measured are the mix, each kind alone, and packets that no vector backend
 * takes.  The whole path is measured before (kernels_road.c). */
#include "kernels.h"

#include <string.h>

#define PACKETS 32768u
#define BYTES KERNELS_BYTES
#define BUCKETS 16384u
#define PASSES 4

static uint8_t bytes[PACKETS][BYTES];
static const uint8_t *data[PACKETS];
static uint32_t caplen[PACKETS], wirelen[PACKETS], hash[PACKETS], entry[PACKETS];
static struct bpe_layers layers[PACKETS];
static struct bpe_key key[PACKETS];
static struct bpei_bucket buckets[BUCKETS];
static struct bpei_seed seed;

static void make_kernel_packets(const struct kernels_mix *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		memset(bytes[i], 0, BYTES);
		data[i] = bytes[i];
		caplen[i] = wirelen[i] = kernels_packet(bytes[i], m);
	}
}

static struct bpei_columns kernel_columns_from(uint32_t i)
{
	return (struct bpei_columns){ .data = data + i,
		.caplen = caplen + i,
		.wirelen = wirelen + i,
		.layers = layers + i,
		.key = key + i,
		.hash = hash + i };
}

/* Returns the ns a packet of a backend's parse.  As in the engine, batches share columns. */
static double parse_round(const struct bpei_backend *b)
{
	int64_t start = bpei_clock_mono_ns();
	for (int pass = 0; pass < PASSES; pass++)
		for (uint32_t i = 0; i < PACKETS; i += BPE_BATCH) {
			struct bpei_columns c = kernel_columns_from(i);
			c.layers = layers;
			c.key = key;
			c.hash = hash;
			b->parse(&c, BPE_BATCH, 1, &seed);
			bench_keep(layers[0].flags);
		}
	return (double)(bpei_clock_mono_ns() - start) / PACKETS / PASSES;
}

static double hash_round(void)
{
	int64_t start = bpei_clock_mono_ns();
	for (int pass = 0; pass < PASSES; pass++)
		for (uint32_t i = 0; i < PACKETS; i += BPE_BATCH) {
			struct bpei_columns c = kernel_columns_from(i);
			bpei_hash(&c, BPE_BATCH, &seed);
			bench_keep(hash[i]);
		}
	return (double)(bpei_clock_mono_ns() - start) / PACKETS / PASSES;
}

static double probe_round(const struct bpei_backend *b)
{
	int64_t start = bpei_clock_mono_ns();
	for (int pass = 0; pass < PASSES; pass++)
		for (uint32_t i = 0; i < PACKETS; i += BPE_BATCH) {
			const struct bpei_lookup lookup = { .buckets = buckets,
				.hash = hash + i,
				.mask = BUCKETS - 1,
				.n = BPE_BATCH,
				.none = UINT32_MAX - 2 };

			bpei_probe_prefetch(&lookup, 0, BPEI_PROBE_AHEAD);
			bench_keep(b->probe(&lookup, entry + i));
			bench_keep(entry[i]);
		}
	return (double)(bpei_clock_mono_ns() - start) / PACKETS / PASSES;
}

static bool is_measured(size_t b, bool own_probe)
{
	return bpei_backends[b].cpu_fits() &&
	       (!own_probe || bpei_backend_has_probe(&bpei_backends[b]));
}

/* Measures each backend that this CPU can run; own_probe: only backends with a probe of their own.
 */
static void measure_backends(const char *what, const char *mix,
	double (*once)(const struct bpei_backend *), bool own_probe)
{
	struct bench_row rows[BPEI_BACKENDS];
	char names[BPEI_BACKENDS][64];
	int n = 0;
	for (size_t b = 0; b < BPEI_BACKENDS; b++) {
		if (!is_measured(b, own_probe))
			continue;
		snprintf(names[n], sizeof names[n], "%s %s, %s", what, bpei_backends[b].name, mix);
		rows[n].name = names[n];
		n++;
	}
	for (int r = -1; r < BENCH_ROUNDS; r++) { /* one to warm up */
		int k = 0;
		for (size_t b = 0; b < BPEI_BACKENDS; b++)
			if (is_measured(b, own_probe))
				rows[k++].ns[r < 0 ? 0 : r] = once(&bpei_backends[b]);
	}
	bench_print(rows, n, "packet");
}

static void measure_hash(const char *mix)
{
	struct bench_row row;
	char name[64];

	snprintf(name, sizeof name, "hash, %s", mix);
	row.name = name;
	for (int r = -1; r < BENCH_ROUNDS; r++) /* the first warms up */
		row.ns[r < 0 ? 0 : r] = hash_round();
	bench_print(&row, 1, "packet");
}

/* Parses `batches` of a mix by one backend, for bench/instructions.py, which counts instructions.
 */
static int parse_alone(
	const char *name, uint32_t mix, uint32_t batches, const struct kernels_mix *mixes)
{
	const uint32_t n = batches <= 24 ? 24 * BPE_BATCH
					 : PACKETS; /* of few batches as many for each count, which
						       is subtracted; emulation is slow */
	make_kernel_packets(&mixes[mix], n);
	for (uint32_t i = 0; i < n; i += BPE_BATCH) {
		struct bpei_columns c = kernel_columns_from(i);
		bpei_parse_scalar(&c, BPE_BATCH, 1, NULL);
	}
	for (size_t b = 0; b < BPEI_BACKENDS; b++) {
		if (strcmp(bpei_backends[b].name, name))
			continue;
		for (uint32_t i = 0; i < batches; i++) {
			struct bpei_columns c = kernel_columns_from(i * BPE_BATCH % n);
			bpei_backends[b].parse(&c, BPE_BATCH, 1, &seed);
		}
		return 0;
	}
	fprintf(stderr, "no backend %s here\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct kernels_mix mixes[] = {
		{ "all mixed", 30, 70, 20, 3, 0 },
		{ "mixed, 3% odd", 30, 70, 20, 3, 3 },
		{ "IPv4 TCP and UDP", 0, 70, 0, 0, 0 },
		{ "IPv4 TCP", 0, 100, 0, 0, 0 },
		{ "IPv6 TCP and UDP", 100, 70, 0, 0, 0 },
		{ "ICMP", 30, 0, 20, 100, 0 },
		{ "odd alone", 30, 70, 20, 0, 100 },
	};
	bpei_seed_init(&seed, 1);
	if (argc == 5 && !strcmp(argv[1], "parse"))
		return parse_alone(
			argv[2], (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]), mixes);
	kernels_walk();
	kernels_road(&mixes[2], &seed);
	kernels_road(&mixes[1], &seed);
	for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++) {
		make_kernel_packets(&mixes[m], PACKETS);
		measure_backends("parse", mixes[m].name, parse_round, false);
	}
	make_kernel_packets(&mixes[1], PACKETS);
	struct bpei_columns c = kernel_columns_from(0);
	for (uint32_t i = 0; i < PACKETS; i += BPE_BATCH) {
		c = kernel_columns_from(i);
		bpei_parse_scalar(&c, BPE_BATCH, 1, NULL);
		bpei_hash(&c, BPE_BATCH, &seed);
	}
	for (uint32_t i = 0; i < PACKETS; i++) { /* three in four are in the table */
		struct bpei_bucket *b = &buckets[hash[i] & (BUCKETS - 1)];
		uint32_t k = kernels_chance(BPEI_BUCKET_SLOTS);
		if (kernels_chance(4)) {
			b->tag[k] = hash[i];
			b->entry_inverted[k] = ~i;
		}
	}
	measure_hash(mixes[1].name);
	measure_backends("probe", "3 of 4 found", probe_round, true);
	return 0;
}
