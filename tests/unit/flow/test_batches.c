/* SPDX-License-Identifier: MIT */
/* Records do not depend on where batches end.  The same packets give the same records one by one,
 * in full batches, and in batches of any size.  The packets belong to few flows, so a batch has
 * several packets of each flow.  All kinds are there: in order and not, opening, ending, reopening,
 * repeated, cut.  Packets are out of order in time, or flows time out, but not both: a late packet
 * may or may not find the flow. */
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

struct test_packet {
	uint8_t frame[96];
	struct bpe_layers layers;
	struct bpe_key key;
	uint32_t hash, caplen, wirelen;
	int64_t time_ns;
};

static struct bpei_timeline timeline;
static struct test_packet packets[PACKETS];
static char (*lines)[BYTES];
static uint32_t line_count;
static uint64_t state;

/* Returns a random number below n. */
static uint32_t random_below_n(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % n;
}

/* Keeps a record as a line of text. */
static void keep_record_line(void *user, const struct bpe_flow *flow)
{
	(void)user;
	cr_assert(line_count < MOST_RECORDS);
	cr_assert_gt(bpe_flow_format(flow, BPE_FORMAT_JSON, lines[line_count++], BYTES), 0);
}

/* Stores a number in network byte order. */
static void store_big_endian(uint8_t *to, uint32_t v, uint32_t bytes)
{
	while (bytes) {
		to[--bytes] = (uint8_t)v;
		v >>= 8;
	}
}

/* Makes packet p a copy of a recent packet, sooner or later after the original. */
static void copy_recent_packet(uint32_t p)
{
	const uint32_t back = 1 + random_below_n(random_below_n(2) ? 2 : 12);
	const int64_t now = packets[p - 1].time_ns;
	packets[p] = packets[p - (back < p ? back : p)];
	packets[p].time_ns = now + random_below_n(4) * 400000;
}

/* What a flow sends next, by end. */
struct sending_flow {
	uint32_t seq[2], acked[2];
	uint16_t window[2];
};

/* A segment's numbers. */
struct segment_numbers {
	uint8_t flags;
	uint32_t seq, ack, bytes;
};

/* Chooses the numbers of the flow's next segment by `end`: usually the next in order, now and then
 * something special. */
static struct segment_numbers choose_numbers(struct sending_flow *c, uint32_t end)
{
	struct segment_numbers n = { .flags = ACK, .seq = c->seq[end], .ack = c->seq[!end] };

	if (!random_below_n(3))
		n.bytes = 1 + random_below_n(30);
	switch (random_below_n(40)) {
	case 0:
		n.flags = SYN;
		break;
	case 1:
		n.flags = SYN | ACK;
		break;
	case 2:
		n.flags = FIN | ACK;
		break;
	case 3:
		n.flags = random_below_n(4) ? ACK : RST;
		break;
	case 4:
		n.seq -= 1 + random_below_n(60);
		break;
	case 5:
		n.seq += random_below_n(50);
		break;
	case 6:
		n.ack += random_below_n(100);
		break;
	case 7:
		c->window[end] = 0;
		if (random_below_n(3))
			c->window[end] = (uint16_t)(1 + random_below_n(4));
		break;
	case 8:
		n.flags = 0;
		break;
	case 9:
		n.flags = PSH | ACK;
		break;
	default:
		if (random_below_n(3))
			n.ack = c->acked[end]; /* nothing new is acknowledged */
		break;
	}
	c->acked[end] = n.ack;
	if ((int32_t)(n.seq + n.bytes - c->seq[end]) > 0)
		c->seq[end] = n.seq + n.bytes;
	if (n.flags & (SYN | FIN))
		c->seq[end]++;
	return n;
}

/* Writes the headers of packet p of flow f. */
static void write_packet_frame(
	uint32_t p, uint32_t f, const struct segment_numbers *n, uint16_t window)
{
	uint8_t *const frame = packets[p].frame;
	uint8_t *const tcp = frame + 34;

	frame[14] = f % 3 ? 0x45 : 0x60;
	store_big_endian(frame + 16, 20 + 20 + n->bytes, 2);
	store_big_endian(frame + 18, f % 2 ? p : 0, 2);
	frame[22] = 64;
	store_big_endian(tcp + 4, n->seq, 4);
	store_big_endian(tcp + 8, n->ack, 4);
	store_big_endian(tcp + 14, window, 2);
	tcp[12] = 0x50;
	tcp[13] = n->flags;
}

/* Fills columns of packet p: a segment of flow f, or a datagram of each fourth flow. */
static void fill_packet_columns(
	uint32_t p, uint32_t f, uint32_t end, const struct segment_numbers *n)
{
	struct test_packet *const k = &packets[p];
	const bool is_tcp = f % 4 != 3;
	const uint8_t proto = is_tcp ? 6 : 17;
	uint32_t flags = BPE_PKT_KEY | BPE_PKT_IP4;

	k->wirelen = 54 + n->bytes;
	k->caplen = random_below_n(30) ? k->wirelen : 54;
	k->hash = 1000 + f % 5 + 64 * f;
	k->key = (struct bpe_key){ .port = { (uint16_t)(1000 + f), 80 },
		.ip_proto = proto,
		.ip_version = f % 3 ? 4 : 6,
		.addr = { { 1 }, { 2 } } };
	if (f == 5) {
		k->key.vlan[0] = 7;
		k->key.vlan[1] = 9;
	}
	if (end)
		flags |= BPE_PKT_REVERSED;
	if (!random_below_n(50))
		flags |= BPE_PKT_BAD_CHECKSUM;
	k->layers = (struct bpe_layers){ .network = 14,
		.transport = 34,
		.payload = 54,
		.end = k->caplen,
		.proto = is_tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
		.ip_proto = proto,
		.flags = (uint16_t)flags };
	if (is_tcp)
		k->layers.tcp_flags = n->flags;
}

/* Makes all packets.  has_late: some come late in time. */
static void make_packets(uint64_t seed, bool has_late)
{
	struct sending_flow c[FLOWS] = { 0 };
	int64_t now = INT64_C(1700000000000000000);

	state = seed * 0x9e3779b97f4a7c15u;
	memset(packets, 0, sizeof packets);
	for (uint32_t f = 0; f < FLOWS; f++)
		for (uint32_t end = 0; end < 2; end++) {
			/* A third of the numbers wrap round soon. */
			const uint32_t from = 0u - random_below_n(200);

			c[f].seq[end] = random_below_n(3) ? random_below_n(UINT32_MAX) : from;
			c[f].window[end] = 1000;
		}
	for (uint32_t p = 0; p < PACKETS; p++) {
		if (p && !random_below_n(5)) {
			copy_recent_packet(p);
			continue;
		}
		const uint32_t f = random_below_n(random_below_n(2) ? FLOWS : 2);
		const uint32_t end = random_below_n(2);
		const struct segment_numbers n = choose_numbers(&c[f], end);
		if (random_below_n(2))
			now += random_below_n(1000) * 1000;
		else
			now += random_below_n(30) * 1000000;
		write_packet_frame(p, f, &n, c[f].window[end]);
		fill_packet_columns(p, f, end, &n);
		packets[p].time_ns = now;
		if (has_late && !random_below_n(20))
			packets[p].time_ns -= random_below_n(50) * 1000000;
	}
}

/* Compares two lines, for qsort. */
static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Puts all packets through a table in batches of `size` (0: any size), and sorts the records' lines
 * into `to`.  has_late: packets come late in time, so nothing times out. */
static void record_packets(
	uint32_t size, bool health, bool has_late, int64_t active_ns, char (*to)[BYTES])
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 1000,
		.on_end = keep_record_line,
		.tcp_health = health,
		.report_duplicates = true,
		.active_ns = active_ns,
		.lengths = active_ns > 0 };
	if (!has_late) {
		o.idle_ns = INT64_C(3000000000);
		o.closed_ns = 200000000;
	}
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
		n = size ? size : 1 + random_below_n(BPE_BATCH);
		if (n > PACKETS - p)
			n = PACKETS - p;
		for (uint32_t i = 0; i < n; i++) {
			const struct test_packet *k = &packets[p + i];
			data[i] = k->frame;
			layers[i] = k->layers;
			key[i] = k->key;
			hash[i] = k->hash;
			caplen[i] = k->caplen;
			wirelen[i] = k->wirelen;
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
	qsort(lines, line_count, sizeof *lines, compare_lines);
}

/* Compares the records of batches of several sizes with the records of single packets. */
static void compare_batch_sizes(bool health, int64_t active_ns)
{
	static char one[MOST_RECORDS][BYTES], other[MOST_RECORDS][BYTES];
	static const uint32_t sizes[] = { BPE_BATCH, 0, 0, 7 };
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		const bool late = seed % 2;
		make_packets(seed, late);
		record_packets(1, health, late, active_ns, one);
		const uint32_t count = line_count;
		cr_assert_gt(count, FLOWS);
		for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			record_packets(sizes[s], health, late, active_ns, other);
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
	compare_batch_sizes(true, 0);
}
Test(batches, nor_without_health)
{
	compare_batch_sizes(false, 0);
}
Test(batches, nor_with_periods_and_lengths)
{
	compare_batch_sizes(true, 300000000);
}

/* ---- Hashes ---- */

enum { KEYS = 100, BATCHES = 3 };

/* Collects the entries of BATCHES batches of packets.  alike: many hashes have bits in common, and
 * some keys share a hash. */
static void collect_entries(uint64_t seed, bool alike, uint32_t flow[BATCHES][BPE_BATCH])
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
			const uint32_t id = random_below_n((k + 1) * KEYS / BATCHES);
			const bool is_tcp = id % 3;
			const uint8_t proto = is_tcp ? 6 : 17;
			layers[p] = (struct bpe_layers){ .network = 14,
				.transport = 34,
				.payload = 54,
				.end = 54,
				.proto = is_tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
				.ip_proto = proto,
				.flags = BPE_PKT_KEY | BPE_PKT_IP4 };
			if (is_tcp)
				layers[p].tcp_flags = (uint8_t)random_below_n(8);
			key[p] = (struct bpe_key){ .port = { (uint16_t)id, 80 },
				.ip_proto = proto,
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

/* Checks that entries are taken in the same order whatever the hashes are.  Shared slots, eviction
 * and the end go by the entry's number, so a file must give the same records every time. */
Test(batches, entries_are_given_in_the_same_order_whatever_the_hashes)
{
	static uint32_t flow[2][BATCHES][BPE_BATCH];
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		collect_entries(seed, false, flow[0]);
		collect_entries(seed, true, flow[1]);
		for (uint32_t k = 0; k < BATCHES; k++)
			for (uint32_t p = 0; p < BPE_BATCH; p++)
				cr_assert_eq(flow[0][k][p], flow[1][k][p],
					"seed %u, batch %u, packet %u: entry %u, not %u",
					(unsigned)seed, k, p, flow[1][k][p], flow[0][k][p]);
	}
}
