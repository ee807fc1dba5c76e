/* SPDX-License-Identifier: MIT */
/* bench_reading FILE [ROUNDS [NAME ...]]: costs of the ways to the bytes of a pcap file in the page
 * cache, with the engine's work behind: walk and parse, and the same with a flow table.  NAMEs
 * choose ways by a part of the name; no NAME chooses all.  Opening, mapping and unmapping count,
 * except for mappings of the first rows, made before all.  Figures are nanoseconds a packet, by the
 * clock and of CPU time in all threads. */
#include "reading.h"

#include "base/mem.h"
#include "bench.h"
#include "engine/flows.h"
#include "engine/input.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024u
#define MIB (1024u * 1024u)
#define LONGEST_STEP (4u * MIB)

static const char *path;

static void stop_at(const char *what)
{
	perror(what);
	exit(1);
}

static void open_nothing(struct reading *r)
{
	(void)r;
}

static const uint8_t *read_next(struct reading *r, size_t *length)
{
	const uint32_t slot = r->slot++ % r->way->slots;
	const uint8_t *from = reading_carry(r, slot);
	const ssize_t n =
		pread(r->fd, r->buffer[slot] + READING_HEADROOM, r->way->step, (off_t)r->at);

	if (n < 0)
		stop_at("pread");
	r->at += (uint64_t)n;
	*length = n ? r->left_bytes + (size_t)n : 0;
	return from;
}

static void open_thread_way(struct reading *r)
{
	r->thread = bpei_ahead_start(r->fd, r->at, r->way->step, 0);
	if (!r->thread)
		stop_at("bpei_ahead_start");
	r->piece_end = 0;
}

static const uint8_t *next_of_thread(struct reading *r, size_t *length)
{
	static const struct bpei_ahead_piece *piece;

	*length = 0;
	if (r->piece_end && piece->is_last && r->at == r->piece_end)
		return r->left;
	if (r->at >= r->piece_end) {
		const uint64_t left_end = r->at - r->left_bytes;

		bpei_ahead_release(r->thread, left_end);
		piece = bpei_ahead_next(r->thread);
		r->piece_end = piece->begin + piece->length;
		memcpy(piece->bytes - r->left_bytes, r->left, r->left_bytes);
	}
	const uint8_t *from = piece->bytes + (r->at - piece->begin) - r->left_bytes;
	const uint64_t end = r->at - r->at % r->way->step + r->way->step;
	const size_t n = (size_t)((end < r->piece_end ? end : r->piece_end) - r->at);

	r->at += n;
	*length = n ? r->left_bytes + n : 0;
	return from;
}

static void close_thread_way(struct reading *r)
{
	bpei_ahead_stop(r->thread);
}

static void map_file(struct reading *r)
{
	if (r->way->keeps && r->kept) {
		r->map = r->kept;
		return;
	}
	void *p = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE | r->way->map_flags, r->fd, 0);

	if (p == MAP_FAILED)
		stop_at("mmap");
	r->map = p;
	r->populated = 0;
	if (r->way->keeps)
		r->kept = p;
	if (r->way->advice >= 0)
		madvise(p, r->size, r->way->advice);
}

/* Populates the mapping window by window, ahead of the walk. */
static void populate_window(struct reading *r, uint64_t to)
{
	while (r->populated < to) {
		const uint64_t rest = r->size - r->populated;
		const size_t n = r->way->window < rest ? r->way->window : (size_t)rest;

#ifdef MADV_POPULATE_READ
		if (madvise(r->map + r->populated, n, MADV_POPULATE_READ))
			stop_at("MADV_POPULATE_READ");
#endif
		r->populated += n;
	}
}

static const uint8_t *take_mapped(struct reading *r, size_t *length)
{
	const uint64_t begin = r->at - r->left_bytes;
	const uint64_t rest = r->size - r->at;
	const size_t n = r->way->step < rest ? r->way->step : (size_t)rest;

	r->at += n;
	if (r->way->window)
		populate_window(r, r->at);
	*length = n ? r->left_bytes + n : 0;
	return r->map + begin;
}

static void unmap_file(struct reading *r)
{
	if (r->way->keeps)
		return;
	munmap(r->map, r->size);
}

static int fill_measured(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct reading *r = (struct reading *)(void *)d;
	size_t length;

	(void)timeout_ns, (void)error;
	b->bytes = r->way->next(r, &length);
	b->length = length;
	b->stop_offset = length;
	b->position = 0;
	return length ? 1 : BPE_E_END;
}

/* Prefetches as many bytes as were walked, `ahead` bytes before the walk. */
static void prefetch_ahead(const struct reading *r, const struct bpei_block *b, size_t walked)
{
	const uint8_t *p = b->bytes + b->position + r->way->ahead;

	for (const uint8_t *end = p + walked; p < end; p += 64)
		__builtin_prefetch(p);
}

static uint32_t walk_measured(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	struct reading *r = (struct reading *)(void *)d;
	const uint8_t *const before = b->bytes + b->position;
	const uint32_t n = bpei_walk_pcap(&r->pcap, b, c, max, BPE_MAX_SNAPLEN, &r->stop);

	if (r->way->ahead)
		prefetch_ahead(r, b, (size_t)(b->bytes + b->position - before));
	r->left = b->bytes + b->position;
	r->left_bytes = b->length - b->position;
	return n;
}

static void release_measured(struct bpei_device *d, struct bpei_block *b)
{
	(void)d, (void)b;
}

static const struct bpei_device_ops ops = {
	.name = "reading", .fill = fill_measured, .walk = walk_measured, .done = release_measured
};

static void open_measured_file(struct reading *r)
{
	uint8_t header[BPEI_PCAP_HEADER];
	struct stat st;

	r->fd = open(path, O_RDONLY);
	if (r->fd < 0 || fstat(r->fd, &st))
		stop_at(path);
	if (pread(r->fd, header, sizeof header, 0) != sizeof header ||
		bpei_pcap_init(&r->pcap, header) != 1) {
		fprintf(stderr, "%s: no pcap file\n", path);
		exit(1);
	}
	r->device.ops = &ops;
	r->device.snaplen = BPE_MAX_SNAPLEN;
	r->device.link_type = r->pcap.link_type;
	r->size = (uint64_t)st.st_size;
	r->at = sizeof header;
	r->left_bytes = 0;
	r->slot = 0;
}

enum { BY_CLOCK, OF_CPU, BY_CLOCK_FLOWS, OF_CPU_FLOWS, FIGURES };

static double measure_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Reads the whole file through the engine's input.  Returns the packets. */
static uint64_t read_measured_file(struct reading *r, bool keeps_flows) BPEI_READER
{
	static struct bpei_input in;
	static struct bpei_flows flows;
	struct bpei_flow_share share = { .shares = 1 };
	struct bpei_table *table = NULL;
	struct bpei_block block = { .bytes = NULL };
	struct bpe_batch batch;
	struct bpei_sums sums;
	struct bpe_options o;
	uint32_t flow[BPE_BATCH];

	bpe_options_init(&o);
	memset(&in, 0, sizeof in);
	memset(&flows, 0, sizeof flows);
	in.device = &r->device;
	if (bpei_dissector_new(&in.dissector, &o) < 0 ||
		bpei_columns_new(&in.columns, BPE_BATCH) < 0 ||
		bpei_flows_open(&flows, &in, &o, keeps_flows) < 0 ||
		(keeps_flows && bpei_flows_table(&flows, &o, &share, &table) < 0))
		abort();
	while (bpei_device_fill(&r->device, &block, -1, NULL) == 1) {
		while (bpei_input_next(&in, &block, &in.columns, &batch, &sums)) {
			if (!keeps_flows)
				continue;
			bpei_flows_assign_times(&flows, &in.columns, &block, batch.count, &sums);
			bpei_role_enter(&bpei_worker_role);
			bpei_flows_count(table, &in.columns, 0, &sums, &batch, flow);
			bpei_role_leave(&bpei_worker_role);
		}
	}
	if (table)
		bpei_table_free(table);
	bpei_flows_close(&flows);
	bpei_columns_free(&in.columns, BPE_BATCH);
	bpei_dissector_free(&in.dissector);
	return bpei_counter_get(&in.read_packets);
}

static void measure_way(struct reading *r, const struct reading_way *way, bool keeps_flows,
	double *by_clock, double *of_cpu) BPEI_READER
{
	r->way = way;
	const double clock = measure_clock(CLOCK_MONOTONIC);
	const double cpu = measure_clock(CLOCK_PROCESS_CPUTIME_ID);

	open_measured_file(r);
	way->open(r);
	const double packets = (double)read_measured_file(r, keeps_flows);

	way->close(r);
	close(r->fd);
	*by_clock = (measure_clock(CLOCK_MONOTONIC) - clock) / packets;
	*of_cpu = (measure_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu) / packets;
}

#define READ(kib)                                                                                  \
	{ .name = "read, " #kib " KiB",                                                            \
		.step = kib * KIB,                                                                 \
		.slots = 1,                                                                        \
		.advice = -1,                                                                      \
		.open = open_nothing,                                                              \
		.next = read_next,                                                                 \
		.close = open_nothing }
#define MAPPED .step = 256 * KIB, .open = map_file, .next = take_mapped, .close = unmap_file
#define URING                                                                                      \
	.step = 256 * KIB, .advice = -1, .open = reading_uring_open, .next = reading_uring_next,   \
	.close = reading_uring_close
#define AHEAD 4096 /* bytes that a walk in a mapping prefetches ahead */

#ifndef MAP_POPULATE
#define MAP_POPULATE 0
#endif

static const struct reading_way ways[] = {
	{ "mapped before all", .map_flags = MAP_POPULATE, .advice = -1, .keeps = true, MAPPED },
	{ "... prefetched", .map_flags = MAP_POPULATE, .advice = -1, .keeps = true, .ahead = AHEAD,
		MAPPED },
	READ(32),
	READ(64),
	READ(128),
	READ(256),
	READ(512),
	READ(1024),
	READ(4096),
	{ "mapped", .advice = -1, MAPPED },
	{ "mapped, prefetched", .advice = -1, .ahead = AHEAD, MAPPED },
	{ "mapped, MAP_POPULATE", .map_flags = MAP_POPULATE, .advice = -1, MAPPED },
#ifdef MADV_POPULATE_READ
	{ "mapped, populated by 256 KiB", .window = 256 * KIB, .advice = -1, MAPPED },
	{ "mapped, populated by 1 MiB", .window = MIB, .advice = -1, MAPPED },
	{ "mapped, populated by 2 MiB", .window = 2 * MIB, .advice = -1, MAPPED },
	{ "mapped, populated by 4 MiB", .window = 4 * MIB, .advice = -1, MAPPED },
	{ "mapped, populated by 8 MiB", .window = 8 * MIB, .advice = -1, MAPPED },
	{ "mapped, by 8 MiB, prefetched", .window = 8 * MIB, .advice = -1, .ahead = AHEAD, MAPPED },
#endif
#ifdef MADV_HUGEPAGE
	{ "mapped, MADV_HUGEPAGE", .advice = MADV_HUGEPAGE, MAPPED },
#endif
#ifdef __linux__
	{ "io_uring, 1 x 256 KiB", .slots = 1, URING },
	{ "io_uring, 4 x 256 KiB", .slots = 4, URING },
	{ "io_uring, 4 x 256 KiB, its threads", .slots = 4, .window = 1, URING },
#endif
	{ "second thread", .step = 256 * KIB, .advice = -1, .open = open_thread_way,
		.next = next_of_thread, .close = close_thread_way },
};
#define WAYS (sizeof ways / sizeof *ways)

static bool is_way_wanted(const char *name, int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 4;
}

static void print_rows(struct bench_row (*rows)[FIGURES], int rounds, int argc, char **argv)
{
	printf("%-38s %8s %8s %8s %8s\n", "", "parse", "CPU", "flows", "CPU");
	for (size_t w = 0; w < WAYS; w++) {
		if (!is_way_wanted(ways[w].name, argc, argv))
			continue;
		printf("%-38s", ways[w].name);
		for (int k = 0; k < FIGURES; k++) {
			double *ns = rows[w][k].ns;

			qsort(ns, (size_t)rounds, sizeof *ns, bench_by_double);
			printf(" %8.1f", ns[rounds / 2]);
		}
		printf("\n");
	}
	printf("(ns a packet, medians of %d rounds in turn)\n", rounds);
}

int main(int argc, char **argv)
{
	static struct bench_row rows[WAYS][FIGURES];
	static struct reading r;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;

	if (argc < 2) {
		fprintf(stderr, "bench_reading FILE [ROUNDS [NAME ...]]\n");
		return 2;
	}
	path = argv[1];
	if (rounds < 1 || rounds > BENCH_ROUNDS)
		rounds = BENCH_ROUNDS;
	for (uint32_t k = 0; k < READING_SLOTS; k++)
		r.buffer[k] = bpei_mem_map(READING_HEADROOM + LONGEST_STEP, 1);
	bpei_role_enter(&bpei_reader_role);
	for (int i = -1; i < rounds; i++)
		for (size_t w = 0; w < WAYS; w++) {
			struct bench_row *row = rows[w];
			const int at = i < 0 ? 0 : i;

			if (!is_way_wanted(ways[w].name, argc, argv))
				continue;
			measure_way(
				&r, &ways[w], false, &row[BY_CLOCK].ns[at], &row[OF_CPU].ns[at]);
			measure_way(&r, &ways[w], true, &row[BY_CLOCK_FLOWS].ns[at],
				&row[OF_CPU_FLOWS].ns[at]);
		}
	bpei_role_leave(&bpei_reader_role);
	print_rows(rows, rounds, argc, argv);
	return 0;
}
