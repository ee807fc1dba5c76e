/* SPDX-License-Identifier: MIT */
/* limit FILE [FLOWS] | limit memory [FLOWS ...]: the least that counting flows costs on a machine,
 * as a measure for goals.  No engine: no connection states, no time-outs, a table that never grows.
 *
 * With FILE, batches of 32 packets of a pcap file are walked in place.  Each gets a key of 40
 * bytes, the lower end first, and a hash; the entry is prefetched.  Then each entry, a line of 64
 * bytes, is compared and counted.  The rows end after the keys, after the hashes, or do all; the
 * file is mapped already, mapped anew, or read in pieces of 256 KiB.  The table has twice FLOWS
 * entries (100,000 flows by default), in huge pages.
 *
 * "memory" updates entries drawn at random, prefetched a batch of 64 ahead, as a flow table does:
 * a line of 64 bytes, a pair of neighbours, or two lines in two tables. */
#include "base/bytes.h"
#include "bench.h"
#include "traffic.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH = 32,
	AHEAD = 64,
	PIECE = 262144,
	FILE_HEAD = 24,
	RECORD_HEAD = 16,
	UPDATES = 1 << 20
};
enum what { PARSE, HASH, COUNT };

struct limit_key {
	uint64_t a[2], b[2];
	uint16_t port[2];
	uint8_t protocol, ip6, unused[2];
};

struct limit_entry {
	struct limit_key key;
	uint64_t packets, bytes;
	uint32_t hash, used;
};
_Static_assert(sizeof(struct limit_entry) == 64, "a line");

static struct limit_entry *table;
static uint32_t mask;
static uint64_t packet_total;

/* ---- Packets ---- */

static inline uint64_t mix_product(uint64_t x, uint64_t y)
{
	__extension__ const unsigned __int128 product = (unsigned __int128)x * y;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_limit_key(const struct limit_key *k)
{
	const uint64_t m = 0x9e3779b97f4a7c15u;

	return (uint32_t)(mix_product(k->a[0] ^ m, k->b[0] ^ bpei_load64(k->port) ^ (m << 1)) ^
			  mix_product(k->a[1] ^ (m << 2), k->b[1] ^ (m << 3)));
}

/* Stores ends and ports, the lower end first. */
static inline void sort_ends(
	struct limit_key *k, const uint64_t *from, const uint64_t *to, uint32_t ports)
{
	bool swap = from[1] != to[1] ? from[1] > to[1] : from[0] > to[0];

	if (from[0] == to[0] && from[1] == to[1])
		swap = (ports & 65535) > ports >> 16;
	for (int w = 0; w < 2; w++) {
		k->a[w] = swap ? to[w] : from[w];
		k->b[w] = swap ? from[w] : to[w];
	}
	ports = swap ? ports >> 16 | ports << 16 : ports;
	memcpy(k->port, &ports, sizeof ports);
}

static inline bool has_ports(const uint8_t *transport, const uint8_t *end, uint8_t protocol)
{
	return (protocol == 6 || protocol == 17) && end - transport >= 4;
}

/* Makes a packet's key.  Returns false if the packet is not IP, or too short. */
static inline bool read_limit_key(const uint8_t *p, uint32_t length, struct limit_key *k)
{
	const uint8_t *end = p + length;
	uint32_t type = (uint32_t)(p[12] << 8 | p[13]);
	uint64_t from[2] = { 0 };
	uint64_t to[2] = { 0 };
	bool first = true;

	if (length < 60)
		return false;
	for (p += 14; (type == 0x8100 || type == 0x88a8) && end - p >= 44; p += 4)
		type = (uint32_t)(p[2] << 8 | p[3]);
	memset(&k->protocol, 0, 4);
	if (type == 0x0800) {
		const uint8_t *transport = p + (p[0] & 15) * 4;

		k->protocol = p[9];
		from[0] = bpei_load32(p + 12);
		to[0] = bpei_load32(p + 16);
		first = !(p[6] & 0x3f) && !p[7];
		first = first && has_ports(transport, end, k->protocol);
		sort_ends(k, from, to, first ? bpei_load32(transport) : 0);
		return true;
	}
	if (type != 0x86dd || end - p < 40)
		return false;
	const uint8_t *transport = p + 40;

	k->protocol = p[6];
	k->ip6 = 1;
	memcpy(from, p + 8, sizeof from);
	memcpy(to, p + 24, sizeof to);
	if (k->protocol == 44 && end - transport >= 8) {
		k->protocol = transport[0];
		first = false;
	}
	first = first && has_ports(transport, end, k->protocol);
	sort_ends(k, from, to, first ? bpei_load32(transport) : 0);
	return true;
}

static inline bool match_limit_key(const struct limit_key *x, const struct limit_key *y)
{
	return !((x->a[0] ^ y->a[0]) | (x->a[1] ^ y->a[1]) | (x->b[0] ^ y->b[0]) |
		 (x->b[1] ^ y->b[1]) | (bpei_load64(x->port) ^ bpei_load64(y->port)));
}

static inline void count_limit_key(const struct limit_key *k, uint32_t hash, uint32_t length)
{
	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		struct limit_entry *e = &table[i];

		if (e->used && e->hash == hash && match_limit_key(&e->key, k)) {
			e->packets++;
			e->bytes += length;
			return;
		}
		if (!e->used) {
			*e = (struct limit_entry){ *k, 1, length, hash, 1 };
			return;
		}
	}
}

/* Works through whole records.  Returns the bytes that are left. */
static inline __attribute__((always_inline)) size_t work_records(
	const uint8_t *p, const uint8_t *end, enum what what)
{
	struct limit_key keys[BATCH];
	uint32_t hashes[BATCH];
	uint32_t lengths[BATCH];

	for (uint32_t n = BATCH; n == BATCH;) {
		n = 0;
		while (n < BATCH && end - p >= RECORD_HEAD) {
			const uint32_t length = bpei_load32(p + 8);

			if (length > (size_t)(end - p) - RECORD_HEAD)
				break;
			for (uint32_t at = 0; at < RECORD_HEAD + length; at += 64)
				__builtin_prefetch(p + 4096 + at);
			lengths[n] = bpei_load32(p + 12);
			if (read_limit_key(p + RECORD_HEAD, length, &keys[n])) {
				if (what != PARSE)
					hashes[n] = hash_limit_key(&keys[n]);
				if (what == COUNT)
					__builtin_prefetch(&table[hashes[n] & mask], 1);
				n++;
			}
			packet_total++;
			p += RECORD_HEAD + length;
		}
		for (uint32_t i = 0; what == COUNT && i < n; i++)
			count_limit_key(&keys[i], hashes[i], lengths[i]);
		__asm__ volatile("" : : "r"(keys), "r"(hashes) : "memory");
	}
	return (size_t)(end - p);
}

static void work_file(const uint8_t *p, const uint8_t *end, enum what what)
{
	p += FILE_HEAD;
	if (what == PARSE)
		work_records(p, end, PARSE);
	else if (what == HASH)
		work_records(p, end, HASH);
	else
		work_records(p, end, COUNT);
}

/* ---- The rows of a file ---- */

enum row { ROW_PARSE, ROW_HASH, ROW_READ_HASH, ROW_COUNT, ROW_ANEW, ROW_READ, ROWS };
static const char *const row_names[ROWS] = { "parse, mapped already",
	"parse and hash, mapped already", "parse and hash, read", "count, mapped already",
	"count, mapped anew", "count, read" };

static const uint8_t *map_capture(const char *path, size_t *bytes, int flags)
{
	struct stat st;
	const int fd = open(path, O_RDONLY);
	void *p = MAP_FAILED;

	if (fd >= 0 && !fstat(fd, &st))
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | flags, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	*bytes = (size_t)st.st_size;
	return p;
}

/* Reads the file in pieces; the rest of a record goes before the next piece. */
static void read_pieces(const char *path, enum what what)
{
	static uint8_t piece[PIECE + 65536];
	const int fd = open(path, O_RDONLY);
	size_t left = 0;
	ssize_t got;

	if (fd < 0 || read(fd, piece, FILE_HEAD) != FILE_HEAD)
		exit(1);
	while ((got = read(fd, piece + left, PIECE)) > 0) {
		const uint8_t *end = piece + left + got;

		left = what == HASH ? work_records(piece, end, HASH)
				    : work_records(piece, end, COUNT);
		memmove(piece, end - left, left);
	}
	close(fd);
}

/* Returns the nanoseconds a packet of a row. */
static double time_row(enum row row, const char *path, const uint8_t *mapped, size_t bytes)
{
	if (row >= ROW_COUNT)
		memset(table, 0, (mask + UINT64_C(1)) * sizeof *table);
	packet_total = 0;
	const int64_t start = bpei_clock_mono_ns();

	if (row == ROW_ANEW) {
		const uint8_t *anew = map_capture(path, &bytes, 0);

		work_file(anew, anew + bytes, COUNT);
		munmap((void *)(uintptr_t)anew, bytes);
	} else if (row == ROW_READ_HASH || row == ROW_READ) {
		read_pieces(path, row == ROW_READ ? COUNT : HASH);
	} else {
		work_file(mapped, mapped + bytes, row == ROW_COUNT ? COUNT : (enum what)row);
	}
	return (double)(bpei_clock_mono_ns() - start) / (double)packet_total;
}

static void *map_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
#ifdef MADV_HUGEPAGE
	madvise(p, bytes, MADV_HUGEPAGE);
#endif
	return memset(p, 1, bytes);
}

static void measure_capture(const char *path, uint32_t flows)
{
	static struct bench_row rows[ROWS];
	size_t bytes;
#ifdef MAP_POPULATE
	const uint8_t *mapped = map_capture(path, &bytes, MAP_POPULATE);
#else
	const uint8_t *mapped = map_capture(path, &bytes, 0);
#endif

	for (mask = 1; mask < 2 * flows; mask *= 2)
		continue;
	table = map_memory(mask-- * sizeof *table);
	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < ROWS; k++) {
			rows[k].name = row_names[k];
			rows[k].ns[r < 0 ? 0 : r] = time_row((enum row)k, path, mapped, bytes);
		}
	bench_print(rows, ROWS, "packet");
}

/* ---- The rows of memory ---- */

enum { LINE, PAIR, TWO_TABLES, PATTERNS };

/* Updates lines drawn at random.  Returns the nanoseconds an update. */
static double time_updates(uint8_t *memory, uint32_t flows, int pattern)
{
	static uint32_t drawn[UPDATES + AHEAD];
	static uint64_t randomness;
	const size_t stride = pattern == PAIR ? 128 : 64;
	const size_t second = pattern == PAIR ? 64 : (size_t)flows * 64;

	for (uint32_t i = 0; i < UPDATES + AHEAD; i++)
		drawn[i] = take_below(&randomness, flows);
	const int64_t start = bpei_clock_mono_ns();

	for (uint32_t i = 0; i < UPDATES; i++) {
		uint8_t *next = memory + drawn[i + AHEAD] * stride;
		uint8_t *line = memory + drawn[i] * stride;

		__builtin_prefetch(next, 1);
		if (pattern != LINE)
			__builtin_prefetch(next + second, 1);
		for (int w = 0; w < 4; w++)
			((uint64_t *)(void *)line)[w] += i;
		if (pattern != LINE)
			for (int w = 0; w < 4; w++)
				((uint64_t *)(void *)(line + second))[w] += i;
	}
	return (double)(bpei_clock_mono_ns() - start) / UPDATES;
}

static void measure_memory_of(uint32_t flows)
{
	static struct bench_row rows[PATTERNS];
	static const char *const names[PATTERNS] = { "a line of 64 bytes", "a pair of neighbours",
		"two lines in two tables" };
	uint8_t *memory = map_memory((size_t)flows * 128);

	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < PATTERNS; k++) {
			rows[k].name = names[k];
			rows[k].ns[r < 0 ? 0 : r] = time_updates(memory, flows, k);
		}
	printf("%u flows\n", flows);
	bench_print(rows, PATTERNS, "update");
	munmap(memory, (size_t)flows * 128);
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = { 10000, 100000, 500000, 2000000, 8000000 };

	if (argc < 2)
		return fprintf(stderr, "usage: limit FILE [FLOWS] | limit memory [FLOWS ...]\n"), 2;
	if (strcmp(argv[1], "memory")) {
		measure_capture(argv[1], argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100000);
		return 0;
	}
	for (int k = 2; k < argc; k++)
		measure_memory_of((uint32_t)strtoul(argv[k], NULL, 10));
	for (size_t k = 0; argc == 2 && k < sizeof usual / sizeof *usual; k++)
		measure_memory_of(usual[k]);
	return 0;
}
