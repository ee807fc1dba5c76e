/* SPDX-License-Identifier: MIT */
/* Where a batch ends is chance, so it must not show: the same packets, one by one, in full batches
 * and in batches of any size, give the same records. The packets are of few flows, so that a batch
 * has several of each, and of every kind that the table knows: in turn and not, opening, ending,
 * begun anew, repeated, cut; and either out of order in time or such that flows time out (a packet
 * that comes late may find its flow still there or not). */
#include "flow_clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIN = 1,
	SYN = 2,
	RST = 4,
	PSH = 8,
	ACK = 16,
	FLOWS = 12,
	PACKETS = 3000,
	MOST_RECORDS = PACKETS,
	BYTES = 1024
};

struct packet {
	uint8_t frame[96];
	struct bpe_layers layers;
	struct bpe_key key;
	uint32_t hash, caplen, wirelen;
	int64_t time_ns;
};

static struct bpei_timeline timeline;
static struct packet packets[PACKETS];
static char (*lines)[BYTES];
static uint32_t line_count;
static uint64_t state;

static uint32_t chance(uint32_t n)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (uint32_t)(state >> 33) % n;
}

static void on_end(void *user, const struct bpe_flow *flow)
{
	(void)user;
	cr_assert(line_count < MOST_RECORDS);
	cr_assert_gt(bpe_flow_format(flow, BPE_FORMAT_JSON, lines[line_count++], BYTES), 0);
}

static void store(uint8_t *to, uint32_t v, uint32_t bytes)
{
	while (bytes)
		to[--bytes] = (uint8_t)v, v >>= 8;
}

/* A packet seen again, a copy of one of the last few, soon or not so soon behind it. */
static void copy_packet(uint32_t p)
{
	const uint32_t back = 1 + chance(chance(2) ? 2 : 12);
	const int64_t now = packets[p - 1].time_ns;
	packets[p] = packets[p - (back < p ? back : p)];
	packets[p].time_ns = now + chance(4) * 400000;
}

static void make_packets(uint64_t seed, bool late)
{
	struct {
		uint32_t seq[2], told[2];
		uint16_t window[2];
	} c[FLOWS];
	int64_t now = INT64_C(1700000000000000000);
	state = seed * 0x9e3779b97f4a7c15u;
	memset(packets, 0, sizeof packets);
	for (uint32_t f = 0; f < FLOWS; f++)
		for (uint32_t end = 0; end < 2; end++)
			c[f].seq[end] = chance(3) ? chance(UINT32_MAX) : 0u - chance(200),
			c[f].window[end] = 1000, c[f].told[end] = 0;
	for (uint32_t p = 0; p < PACKETS; p++) {
		struct packet *k = &packets[p];
		if (p && !chance(5)) {
			copy_packet(p);
			continue;
		}
		const uint32_t f = chance(chance(2) ? FLOWS : 2), end = chance(2);
		const bool tcp = f % 4 != 3;
		uint8_t *tcp_header = k->frame + 34, flags = ACK;
		uint32_t bytes = chance(3) ? 0 : 1 + chance(30), seq = c[f].seq[end],
			 ack = c[f].seq[!end];
		switch (chance(40)) { /* what happens now and then */
		case 0:
			flags = SYN;
			break;
		case 1:
			flags = SYN | ACK;
			break;
		case 2:
			flags = FIN | ACK;
			break;
		case 3:
			flags = chance(4) ? ACK : RST;
			break;
		case 4:
			seq -= 1 + chance(60);
			break;
		case 5:
			seq += chance(50);
			break;
		case 6:
			ack += chance(100);
			break;
		case 7:
			c[f].window[end] = (uint16_t)(chance(3) ? 1 + chance(4) : 0);
			break;
		case 8:
			flags = 0;
			break;
		case 9:
			flags = PSH | ACK;
			break;
		default:
			if (chance(3))
				ack = c[f].told[end];
			break; /* nothing new is acknowledged */
		}
		c[f].told[end] = ack;
		if ((int32_t)(seq + bytes - c[f].seq[end]) > 0)
			c[f].seq[end] = seq + bytes;
		if (flags & (SYN | FIN))
			c[f].seq[end]++;
		now += chance(2) ? chance(1000) * 1000 : chance(30) * 1000000;
		k->frame[14] = f % 3 ? 0x45 : 0x60;
		store(k->frame + 18, f % 2 ? p : 0, 2), k->frame[22] = 64;
		store(k->frame + 16, 20 + 20 + bytes, 2);
		store(tcp_header + 4, seq, 4), store(tcp_header + 8, ack, 4),
			store(tcp_header + 14, c[f].window[end], 2);
		tcp_header[12] = 0x50, tcp_header[13] = flags;
		k->wirelen = k->caplen = 54 + bytes;
		if (!chance(30))
			k->caplen = 54;
		k->time_ns = now - (late && !chance(20) ? chance(50) * 1000000 : 0);
		k->hash = 1000 + f % 5 + 64 * f;
		k->key = (struct bpe_key){ .port = { (uint16_t)(1000 + f), 80 },
			.ip_proto = tcp ? 6 : 17,
			.ip_version = f % 3 ? 4 : 6,
			.addr = { { 1 }, { 2 } } };
		if (f == 5)
			k->key.vlan[0] = 7, k->key.vlan[1] = 9;
		k->layers = (struct bpe_layers){ .network = 14,
			.transport = 34,
			.payload = 54,
			.end = k->caplen,
			.proto = tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
			.ip_proto = tcp ? 6 : 17,
			.tcp_flags = tcp ? flags : 0,
			.flags = (uint16_t)(BPE_PKT_KEY | BPE_PKT_IP4 |
					    (end ? BPE_PKT_REVERSED : 0) |
					    (chance(50) ? 0 : BPE_PKT_BAD_CHECKSUM)) };
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* size 0: any. */
static void run(uint32_t size, bool health, bool late, int64_t active_ns, char (*to)[BYTES])
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 1000,
		.on_end = on_end,
		.tcp_health = health,
		.report_duplicates = true,
		.idle_ns = late ? 0 : INT64_C(3000000000),
		.closed_ns = late ? 0 : 200000000,
		.active_ns = active_ns,
		.lengths = active_ns > 0 };
	struct bpei_table *table;
	const uint8_t *data[BPE_BATCH];
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
	uint32_t hash[BPE_BATCH], caplen[BPE_BATCH], wirelen[BPE_BATCH], flow[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	timeline = (struct bpei_timeline){ .has_time = false };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	lines = to;
	line_count = 0;
	for (uint32_t p = 0, n; p < PACKETS; p += n) {
		n = size ? size : 1 + chance(BPE_BATCH);
		if (n > PACKETS - p)
			n = PACKETS - p;
		for (uint32_t i = 0; i < n; i++) {
			const struct packet *k = &packets[p + i];
			data[i] = k->frame, layers[i] = k->layers, key[i] = k->key,
			hash[i] = k->hash, caplen[i] = k->caplen, wirelen[i] = k->wirelen,
			time_ns[i] = k->time_ns;
		}
		struct bpe_batch b = { .count = n,
			.data = data,
			.time_ns = time_ns,
			.caplen = caplen,
			.wirelen = wirelen,
			.layers = layers,
			.key = key,
			.hash = hash };
		flow_clock_update(&timeline, table, &b, flow);
	}
	bpei_table_end_all(table);
	bpei_table_free(table);
	qsort(lines, line_count, sizeof *lines, by_text);
}

static void compare(bool health, int64_t active_ns)
{
	static char one[MOST_RECORDS][BYTES], other[MOST_RECORDS][BYTES];
	static const uint32_t sizes[] = { BPE_BATCH, 0, 0, 7 };
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		const bool late = seed % 2;
		make_packets(seed, late);
		run(1, health, late, active_ns, one);
		const uint32_t count = line_count;
		cr_assert_gt(count, FLOWS);
		for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			run(sizes[s], health, late, active_ns, other);
			cr_assert_eq(line_count, count,
				"seed %u, batches of %u: %u records instead of %u", (unsigned)seed,
				sizes[s], line_count, count);
			for (uint32_t l = 0; l < count; l++)
				cr_assert_str_eq(other[l], one[l],
					"seed %u, batches of %u:\n%sinstead of\n%s", (unsigned)seed,
					sizes[s], other[l], one[l]);
		}
	}
}

Test(batches, do_not_show_in_the_records)
{
	compare(true, 0);
}
Test(batches, nor_without_health)
{
	compare(false, 0);
}
Test(batches, nor_with_periods_and_lengths)
{
	compare(true, 300000000);
}

/* ---- What the hashes are is chance, too ---- */

enum { KEYS = 100, BATCHES = 3 };

/* The entries of BATCHES batches of packets.  alike: many hashes have bits in common, and some keys
 * have the hash of another, and not only those. */
static void number_entries(uint64_t seed, bool alike, uint32_t flow[BATCHES][BPE_BATCH])
{
	struct bpei_table_options o = {
		.timeline = &timeline, .max_flows = 1000, .tcp_health = true
	};
	struct bpei_table *table;
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
	uint32_t hash[BPE_BATCH], wirelen[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	timeline = (struct bpei_timeline){ .has_time = false };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	state = seed * 0x9e3779b97f4a7c15u;
	for (uint32_t k = 0; k < BATCHES; k++) {
		for (uint32_t p = 0; p < BPE_BATCH; p++) {
			const uint32_t id = chance((k + 1) * KEYS / BATCHES);
			const bool tcp = id % 3;
			layers[p] = (struct bpe_layers){ .network = 14,
				.transport = 34,
				.payload = 54,
				.end = 54,
				.proto = tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
				.ip_proto = tcp ? 6 : 17,
				.tcp_flags = tcp ? chance(8) : 0,
				.flags = BPE_PKT_KEY | BPE_PKT_IP4 };
			key[p] = (struct bpe_key){ .port = { (uint16_t)id, 80 },
				.ip_proto = tcp ? 6 : 17,
				.ip_version = 4,
				.addr = { { 1 }, { 2 } } };
			hash[p] = alike ? 1 + id % 7 + 256 * (id % 50) : 1 + id * 2654435761u;
			wirelen[p] = 54;
			time_ns[p] = INT64_C(1700000000000000000) +
				     (int64_t)(k * BPE_BATCH + p) * 1000000;
		}
		struct bpe_batch b = { .count = BPE_BATCH,
			.time_ns = time_ns,
			.caplen = wirelen,
			.wirelen = wirelen,
			.layers = layers,
			.key = key,
			.hash = hash };
		flow_clock_update(&timeline, table, &b, flow[k]);
	}
	bpei_table_free(table);
}

/* By the entry's number flows share places, stand in line for eviction and come to their end: a
 * file must tell the same every time. */
Test(batches, entries_are_given_in_the_same_order_whatever_the_hashes)
{
	static uint32_t flow[2][BATCHES][BPE_BATCH];
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		number_entries(seed, false, flow[0]);
		number_entries(seed, true, flow[1]);
		for (uint32_t k = 0; k < BATCHES; k++)
			for (uint32_t p = 0; p < BPE_BATCH; p++)
				cr_assert_eq(flow[0][k][p], flow[1][k][p],
					"seed %u, batch %u, packet %u: entry %u, not %u",
					(unsigned)seed, k, p, flow[1][k][p], flow[0][k][p]);
	}
}
