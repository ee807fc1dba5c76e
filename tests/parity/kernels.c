/* SPDX-License-Identifier: MIT */
/* parity_kernels [ROUNDS [SEED [BACKEND]]]: compares each backend with scalar, to the last bit.
 * The packets of packets.h are cut at every length, mutated, and mixed in batches of every size.
 * Each packet lies between two pages without access, at the end of the page or at 16 alignments.
 * Outputs are poisoned and compared to the very end.  Probes read random buckets, and walks read
 * records of uniform length.  Exit code 77: this CPU cannot run BACKEND. */
#include "arch/arch_list.h"
#include "packets.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BEHIND 8u /* elements past the batch, which must stay unchanged */
#define MOST (BPE_BATCH + BEHIND)

struct run { /* outputs */
	struct bpe_layers layers[MOST];
	struct bpe_key key[MOST];
	uint32_t hash[MOST];
};

static unsigned long passed, failed;
static const struct bpei_backend *backend;
static uint64_t state = 20;
static size_t page;
static uint8_t *room[BPE_BATCH]; /* a page each, with PROT_NONE before and behind */
static const uint8_t *data[BPE_BATCH];
static uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], numbers[BPE_BATCH];
static uint8_t outgoing[BPE_BATCH];
static bool without; /* the source never reports a direction */
static struct run expected, got;
static struct bpei_seed seed;

static uint32_t kernel_random(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 32) * below >> 32);
}

static uint32_t kernel_random_word(void)
{
	return kernel_random(0x10000) << 16 | kernel_random(0x10000);
}

static void open_guarded_rooms(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *all = mmap(NULL, (2 * BPE_BATCH + 1) * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANON, -1, 0);
	if (all == MAP_FAILED)
		exit(1);
	for (uint32_t i = 0; i <= BPE_BATCH; i++)
		if (mprotect(all + 2 * i * page, page, PROT_NONE))
			exit(1);
	for (uint32_t i = 0; i < BPE_BATCH; i++)
		room[i] = all + (2 * i + 1) * page;
}

/* Copies a packet into a room: `alignment` bytes behind the begin, or, if negative, at the end. */
static void place_packet(
	uint32_t i, const uint8_t *packet, uint32_t bytes, uint32_t wire, int alignment)
{
	uint8_t *to = alignment < 0 ? room[i] + page - bytes : room[i] + alignment;
	memcpy(to, packet, bytes);
	data[i] = to;
	caplen[i] = bytes;
	wirelen[i] = wire;
}

static struct bpei_columns run_columns(struct run *r)
{
	return (struct bpei_columns){ .data = data,
		.caplen = caplen,
		.wirelen = wirelen,
		.layers = r->layers,
		.key = r->key,
		.hash = r->hash,
		.outgoing = without ? NULL : outgoing };
}

static void record_verdict(bool same, const char *what, uint32_t i, const char *field)
{
	if (same) {
		passed++;
		return;
	}
	if (failed++ >= 20)
		return;
	printf("FAILED %s: %s of packet %u (number %u, %u captured, %u on the wire): %s\n",
		backend->name, what, i, numbers[i % BPE_BATCH], caplen[i % BPE_BATCH],
		wirelen[i % BPE_BATCH], field);
	for (uint32_t k = 0; k < caplen[i % BPE_BATCH] && i < BPE_BATCH; k++)
		printf("%02x%s", data[i][k], k % 32 == 31 ? "\n" : " ");
	printf("\n");
}

/* Returns the name of the first field of element i that differs between the runs, or NULL. */
static const char *find_difference(const struct run *a, const struct run *b, uint32_t i)
{
#define LAYER(field)                                                                               \
	if (memcmp(&a->layers[i].field, &b->layers[i].field, sizeof a->layers[i].field))           \
	return #field
	LAYER(network);
	LAYER(transport);
	LAYER(payload);
	LAYER(flags);
	LAYER(end);
	LAYER(ethertype);
	LAYER(ip_proto);
	LAYER(proto);
	LAYER(link_type);
	LAYER(tcp_flags);
	LAYER(vlan_count);
	LAYER(vlan);
#undef LAYER
#define KEY(field)                                                                                 \
	if (memcmp(&a->key[i].field, &b->key[i].field, sizeof a->key[i].field))                    \
	return "key." #field
	KEY(addr[0]);
	KEY(addr[1]);
	KEY(port);
	KEY(ip_proto);
	KEY(ip_version);
	KEY(vlan);
	KEY(zero);
#undef KEY
	return a->hash[i] == b->hash[i] ? NULL : "hash";
}

/* Parses the first n packets with scalar and the backend, into poisoned outputs, and compares. */
static void parse_both(uint32_t n, uint32_t link_type)
{
	memset(&expected, 0xa5, sizeof expected);
	bool none = kernel_random(2);
	for (uint32_t i = 0; i < n; i++)
		outgoing[i] = none || kernel_random(4) ? 0 : BPE_PKT_OUTGOING;
	got = expected;
	without = !kernel_random(8);
	struct bpei_columns a = run_columns(&expected);
	struct bpei_columns b = run_columns(&got);
	bpei_parse_scalar(&a, n, link_type, &seed);
	backend->parse(&b, n, link_type, &seed);
	for (uint32_t i = 0; i < n; i++) /* without a key the bytes of the key have no meaning */
		if (!(expected.layers[i].flags & BPE_PKT_KEY))
			got.key[i] = expected.key[i];
	if (!memcmp(&expected, &got, sizeof got)) {
		record_verdict(true, "", 0, "");
		return;
	}
	for (uint32_t i = 0; i < MOST; i++) {
		const char *field = find_difference(&expected, &got, i);
		if (field)
			record_verdict(false, "parse", i, field);
	}
}

static void compare_every_truncation(void)
{
	uint8_t packet[PACKET_MOST];
	uint32_t n = 0;
	for (uint32_t number = 0; number < SHAPES; number++) {
		uint32_t bytes = make_shaped_packet(packet, number);
		for (uint32_t k = 0; k <= bytes; k++) {
			numbers[n] = number;
			place_packet(n, packet, k, kernel_random(2) ? bytes : k, -1);
			if (++n == BPE_BATCH) {
				parse_both(n, 1);
				n = 0;
			}
		}
	}
	parse_both(n, 1);
}

static uint32_t make_any_packet(uint8_t packet[PACKET_MOST], uint32_t i)
{
	static const uint8_t common[][2] = { { 0, 0 }, { 0, 4 }, { 7, 0 }, { 7, 4 }, { 0, 8 },
		{ 7, 9 } };
	uint32_t number = kernel_random(SHAPES);
	if (kernel_random(4)) { /* mostly shapes that the vectors parse */
		uint32_t k = kernel_random(6);
		number = kernel_random(2) +
			 TAGS * (common[k][0] +
					NETWORKS *
						(common[k][1] +
							TRANSPORTS * kernel_random(ENDS * BODIES)));
	}
	numbers[i] = number;
	return make_shaped_packet(packet, number);
}

/* Changes an Ethernet packet to the link type; returns the number of bytes to skip at the front.
 * Some packets stay unchanged, for headers that nobody sends. */
static uint32_t change_link_type(uint8_t packet[PACKET_MOST], uint32_t link_type)
{
	static const uint32_t families[] = { 2, 30, 28, 24, 10, 7, 0x10002 };
	uint32_t ip = packet[12] == 0x81 && packet[13] == 0 ? 18 : 14;
	uint32_t family = families[kernel_random(7)];
	if (link_type == 1)
		return 0;
	if (!kernel_random(4))
		return kernel_random(16);
	if (link_type != 0 && link_type != 108)
		return ip;
	if (kernel_random(4))
		family = packet[ip] >> 4 == 6 ? 30 : 2;
	for (uint32_t k = 0; k < 4; k++)
		packet[ip - 4 + k] =
			(uint8_t)(family >>
				  (link_type == 108 || kernel_random(2) ? 24 - 8 * k : 8 * k));
	if (link_type == 0)
		for (uint32_t k = 0, little = kernel_random(2); k < 4; k++)
			packet[ip - 4 + k] = (uint8_t)(family >> (little ? 8 * k : 24 - 8 * k));
	return ip - 4;
}

static void compare_every_count(uint32_t link_type)
{
	uint8_t packet[PACKET_MOST];
	for (uint32_t n = 0; n <= BPE_BATCH; n++)
		for (int alignment = -1; alignment < 16; alignment++) {
			for (uint32_t i = 0; i < n; i++) {
				uint32_t bytes = make_any_packet(packet, i);
				uint32_t from = change_link_type(packet, link_type);
				place_packet(
					i, packet + from, bytes - from, bytes - from, alignment);
			}
			parse_both(n, link_type);
		}
}

static void compare_mutated(uint32_t rounds)
{
	static const uint32_t link_types[] = { 1, 1, 0, 101, 108 };
	uint8_t packet[PACKET_MOST];
	while (rounds--) {
		uint32_t link_type = link_types[kernel_random(5)];
		for (uint32_t i = 0; i < BPE_BATCH; i++) {
			uint32_t bytes = make_any_packet(packet, i);
			uint32_t cut = kernel_random(8) ? bytes : kernel_random(bytes + 1);
			for (uint32_t k = kernel_random(3); k; k--) {
				uint32_t at = 12 + kernel_random(64);
				if (kernel_random(2))
					packet[at] ^= (uint8_t)(1 << kernel_random(8));
				else
					packet[at] = (uint8_t)kernel_random(256);
			}
			uint32_t from = change_link_type(packet, link_type);
			if (from > cut)
				from = cut;
			int alignment = kernel_random(2) ? -1 : (int)kernel_random(16);
			uint32_t wire = kernel_random(8) ? bytes - from : kernel_random(2 * bytes);
			place_packet(i, packet + from, cut - from, wire, alignment);
		}
		parse_both(BPE_BATCH, link_type);
	}
}

enum { BUCKETS = 8 };

/* Returns a hash: mostly of a tag that the buckets may hold, else any word, or 0. */
static uint32_t draw_probe_hash(void)
{
	if (kernel_random(8))
		return kernel_random(12 * BUCKETS);
	return kernel_random(2) ? kernel_random_word() : 0;
}

static void compare_probes(uint32_t rounds)
{
	_Alignas(64) struct bpei_bucket buckets[BUCKETS];
	uint32_t hash[MOST], entries[2][MOST];
	while (rounds--)
		for (uint32_t n = 0; n <= BPE_BATCH; n++) {
			for (uint32_t b = 0; b < BUCKETS; b++) {
				for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) {
					buckets[b].tag[k] =
						kernel_random(3) ? b + BUCKETS * kernel_random(12)
								 : 0;
					buckets[b].entry_inverted[k] = kernel_random_word();
				}
				buckets[b].overflow = kernel_random(2)
							      ? kernel_random(2)
							      : b + BUCKETS * kernel_random(12);
				buckets[b].has_overflow = buckets[b].overflow != 0;
			}
			for (uint32_t i = 0; i < MOST; i++)
				hash[i] = draw_probe_hash();
			memset(entries, 0xa5, sizeof entries);
			const struct bpei_lookup probe = { buckets, hash, BUCKETS - 1, n,
				kernel_random(2) ? INT32_MAX : UINT32_MAX - 2 };
			const uint64_t scalar = bpei_probe_scalar(&probe, entries[0]);
			const uint64_t vector = backend->probe(&probe, entries[1]);

			record_verdict(!memcmp(entries[0], entries[1], sizeof *entries), "probe", 0,
				"entry");
			record_verdict(scalar == vector, "probe", 0, "overflowed");
		}
}

/* Writes n records at `first`: all as described, except for record `other`, which has
 * another length of the packet or, if checked, of the header. */
static void write_uniform_records(
	uint8_t *first, const struct bpei_record_run *how, uint32_t n, uint32_t other)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *r = first + (size_t)i * how->stride;
		uint32_t head[4] = { kernel_random(2) ? kernel_random_word()
						      : kernel_random(2) * 0x7fffffffu,
			kernel_random_word(), how->caplen, kernel_random_word() };
		uint16_t hdrlen = (uint16_t)how->hdrlen;
		if (i == other && (!how->checks_hdrlen || kernel_random(2)))
			head[2] ^= 1u << kernel_random(32);
		else if (i == other)
			hdrlen ^= (uint16_t)(1u << kernel_random(16));
		memcpy(r, head, sizeof head);
		memcpy(r + 16, &hdrlen, sizeof hdrlen);
	}
}

/* Compares walks over records of uniform length, up to a record that differs or up to a page
 * without access.  The first record may differ already.  A backend may stop early, behind whole
 * groups of lanes, but not within the first `n` if all of these are uniform. */
static void compare_uniform_walks(uint32_t rounds)
{
	static const uint8_t *at[2][MOST];
	static int64_t stamps[2][MOST];
	static uint32_t kept[2][MOST], wire[2][MOST];
	uint8_t *records =
		mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (records == MAP_FAILED || mprotect(records + 4 * page, page, PROT_NONE))
		exit(1);
	while (rounds--) {
		uint32_t n = kernel_random(BPE_BATCH + 1);
		uint32_t header = 18 + kernel_random(3) * 4;
		uint32_t bytes = kernel_random(page / 32 - header);
		uint32_t stride = (header + bytes + 3) & ~3u;
		uint32_t other = kernel_random(2) ? n : kernel_random(n + 1);
		uint32_t snaplen = kernel_random(2) ? BPE_MAX_SNAPLEN : kernel_random(64);
		struct bpei_record_run how = { .stride = stride,
			.hdrlen = header,
			.caplen = bytes,
			.snaplen = snaplen,
			.fraction_ns = kernel_random(2) ? 1000 : 1,
			.checks_hdrlen = kernel_random(2),
			.stamp_signed = kernel_random(2) };
		size_t all = n ? (size_t)(n - 1) * stride + header + bytes : 0;
		uint8_t *first = records + 4 * page - all;
		how.record = first;
		write_uniform_records(first, &how, n, other);
		memset(stamps, 0xa5, sizeof stamps);
		memset(kept, 0xa5, sizeof kept);
		memset(wire, 0xa5, sizeof wire);
		memset(at, 0xa5, sizeof at);
		uint32_t counts[2];
		for (int k = 0; k < 2; k++) {
			const struct bpei_columns c = { .data = at[k],
				.time_ns = stamps[k],
				.caplen = kept[k],
				.wirelen = wire[k] };
			counts[k] = k ? backend->walk_uniform(&c, n, &how)
				      : bpei_walk_uniform_scalar(&c, n, &how);
		}
		bool good = counts[0] == other && counts[1] <= other &&
			    (counts[1] + 16 > other || (other < n && counts[1] + 32 > other)) &&
			    (other < n || n < 16 || counts[1] == n);
		for (uint32_t i = 0; i < counts[1] && good; i++)
			good = at[0][i] == at[1][i] && stamps[0][i] == stamps[1][i] &&
			       kept[0][i] == kept[1][i] && wire[0][i] == wire[1][i];
		for (uint32_t i = n; i < MOST; i++)
			good &= kept[1][i] == 0xa5a5a5a5u && wire[1][i] == 0xa5a5a5a5u &&
				stamps[0][i] == stamps[1][i] && at[0][i] == at[1][i];
		record_verdict(good, "alike", 0, "columns or count");
	}
	munmap(records, 5 * page);
}

int main(int argc, char **argv)
{
	static const uint32_t link_types[] = { 1, 0, 12, 101, 108, 113, 228, 229, 276, 105, 999 };
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000;
	uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned left_out = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_guarded_rooms();
	printf("seed %llu, %u rounds\n", (unsigned long long)number, rounds);
	for (size_t b = 0; b < BPEI_BACKENDS; b++) {
		unsigned long before = passed;
		backend = &bpei_backends[b];
		state = number;
		bpei_seed_init(&seed, number);
		if (only && strcmp(only, backend->name))
			continue;
		if (!backend->cpu_fits()) {
			printf("SKIP: this CPU cannot run %s\n", backend->name);
			left_out++;
			continue;
		}
		compare_every_truncation();
		for (size_t l = 0; l < sizeof link_types / sizeof *link_types; l++)
			compare_every_count(link_types[l]);
		compare_mutated(rounds);
		if (bpei_backend_has_probe(backend))
			compare_probes(20);
		compare_uniform_walks(rounds * 4);
		printf("%s: %lu batches the same\n", backend->name, passed - before);
	}
	if (only && left_out)
		return 77;
	printf("%lu passed, %lu failed, %u skipped\n", passed, failed, left_out);
	return failed || !passed;
}
