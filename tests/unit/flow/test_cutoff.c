/* SPDX-License-Identifier: MIT */
/* The cutoff of flows: kept packets, their kept bytes, and the counts of the record. */
#include "table_harness.h"

#define CAPTURED 60
#define HEADERS 42

static struct bpe_flow last_record;
static uint64_t given[2][2]; /* by end: packets and captured bytes of the open flow */

static void keep_last_record(void *user, const struct bpe_flow *flow)
{
	(void)user;
	last_record = *flow;
	ended_count++;
}

/* Makes a table with a cutoff. */
static void make_cutoff_table(uint64_t cutoff_bytes, bool drops, int64_t active_ns)
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 16,
		.idle_ns = 60 * (int64_t)SECOND,
		.active_ns = active_ns,
		.cutoff = true,
		.cutoff_bytes = cutoff_bytes,
		.cutoff_drop = drops,
		.on_end = keep_last_record };

	ended_count = 0;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
}

/* Sends n equal UDP packets of flow `id` in a batch, by ends 0 and 1 in turn.  Copies the bytes to
 * keep. */
static void send_batch(uint32_t id, uint32_t n, uint16_t payload, int64_t ns, uint32_t *keep)
{
	static struct bpe_key key[BPE_BATCH];
	static struct bpe_layers layers[BPE_BATCH];
	int64_t time[BPE_BATCH] = { 0 };
	uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], hash[BPE_BATCH], flow[BPE_BATCH];
	struct bpe_batch b = { .count = n,
		.time_ns = time,
		.caplen = caplen,
		.wirelen = wirelen,
		.layers = layers,
		.key = key,
		.hash = hash };

	for (uint32_t p = 0; p < n; p++) {
		const uint16_t reversed = p % 2 ? BPE_PKT_REVERSED : 0;

		key[p] = (struct bpe_key){ .port = { 10, 20 }, .ip_proto = 17, .ip_version = 4 };
		memcpy(key[p].addr[0], &id, 4);
		layers[p] = (struct bpe_layers){ .flags = BPE_PKT_KEY | BPE_PKT_IP4 | reversed,
			.transport = 34,
			.payload = payload,
			.proto = BPE_PROTO_UDP,
			.ip_proto = 17 };
		time[p] = ns;
		caplen[p] = CAPTURED;
		wirelen[p] = 100;
		hash[p] = id * 2654435761u | 1;
		given[p % 2][0]++;
		given[p % 2][1] += CAPTURED;
	}
	flow_clock_update(&timeline, table, &b, flow);
	const uint32_t *kept = bpei_table_keep(table);
	cr_assert_not_null(kept);
	memcpy(keep, kept, n * sizeof *keep);
}

Test(cutoff, headers_follow_the_first_bytes)
{
	uint32_t keep[BPE_BATCH];
	struct bpe_flow f;

	make_cutoff_table(3 * CAPTURED - 1, false, 0);
	send_batch(1, 5, HEADERS, T0, keep);
	for (int p = 0; p < 5; p++)
		cr_expect_eq(keep[p], p < 3 ? CAPTURED : HEADERS, "packet %d: %u", p, keep[p]);
	send_batch(1, 2, HEADERS, T0 + 1, keep);
	cr_expect_eq(keep[0], HEADERS);
	/* the cutoff of another flow */
	send_batch(2, 1, HEADERS, T0 + 2, keep);
	cr_expect_eq(keep[0], CAPTURED);
	bpei_table_end_all(table);
	cr_expect_eq(ended_count, 2);
	f = last_record; /* flow 2 opened last */
	cr_expect(f.flags & BPE_FLOW_CUTOFF);
	cr_expect_eq(f.unwritten_bytes[0] + f.unwritten_bytes[1], 0);
	bpei_table_free(table);
}

Test(cutoff, records_tell_what_was_not_kept)
{
	uint32_t keep[BPE_BATCH];
	uint64_t kept_bytes = 0;
	uint64_t kept_packets = 0;

	make_cutoff_table(200, true, 0);
	memset(given, 0, sizeof given);
	for (int k = 0; k < 3; k++) {
		send_batch(1, 9, HEADERS, T0 + k, keep);
		for (int p = 0; p < 9; p++) {
			kept_packets += keep[p] != 0;
			kept_bytes += keep[p];
		}
	}
	cr_expect_eq(kept_packets, 4); /* 180 bytes lie before the fourth, 240 before the fifth */
	bpei_table_end_all(table);
	const struct bpe_flow *f = &last_record;
	for (int k = 0; k < 2; k++) {
		cr_expect_eq(f->packets[k], given[k][0]);
		cr_expect_eq(f->captured_bytes[k], given[k][1]);
	}
	cr_expect_eq(f->packets[0] + f->packets[1],
		kept_packets + f->unwritten_packets[0] + f->unwritten_packets[1]);
	cr_expect_eq(f->captured_bytes[0] + f->captured_bytes[1],
		kept_bytes + f->unwritten_bytes[0] + f->unwritten_bytes[1]);
	bpei_table_free(table);
}

Test(cutoff, none_of_the_bytes)
{
	uint32_t keep[BPE_BATCH];

	make_cutoff_table(0, false, 0);
	send_batch(1, 1, HEADERS, T0, keep);
	cr_expect_eq(keep[0], HEADERS);
	/* a header without its end is kept as far as captured */
	send_batch(1, 1, BPE_NO_OFFSET, T0, keep);
	cr_expect_eq(keep[0], CAPTURED);
	bpei_table_free(table);
}

Test(cutoff, an_entry_used_again_begins_anew)
{
	uint32_t keep[BPE_BATCH];

	make_cutoff_table(1, true, 0);
	send_batch(1, 2, HEADERS, T0, keep);
	cr_expect_eq(keep[1], 0);
	send_batch(1, 2, HEADERS, T0 + 61 * (int64_t)SECOND, keep); /* after the time-out */
	cr_expect_eq(ended_count, 1);
	cr_expect_eq(last_record.unwritten_packets[1], 1);
	cr_expect_eq(keep[0], CAPTURED);
	cr_expect_eq(keep[1], 0);
	bpei_table_free(table);
}

Test(cutoff, goes_on_over_periods)
{
	uint32_t keep[BPE_BATCH];

	make_cutoff_table(1, true, SECOND);
	send_batch(1, 3, HEADERS, T0, keep);
	send_batch(1, 2, HEADERS, T0 + 2 * (int64_t)SECOND, keep);
	cr_expect_eq(ended_count, 1);
	cr_expect_eq(last_record.end, BPE_END_ACTIVE);
	cr_expect_eq(last_record.unwritten_packets[0] + last_record.unwritten_packets[1], 2);
	cr_expect_eq(keep[0], 0);
	bpei_table_end_all(table);
	cr_expect_eq(last_record.unwritten_packets[0] + last_record.unwritten_packets[1], 2);
	bpei_table_free(table);
}

Test(cutoff, packets_without_a_flow_are_kept)
{
	struct bpe_layers layers = { .network = BPE_NO_OFFSET };
	struct bpe_key key = { .ip_proto = 0 };
	const int64_t time = T0;
	const uint32_t caplen = CAPTURED;
	const uint32_t hash = 0;
	uint32_t flow[BPE_BATCH];
	const struct bpe_batch b = { .count = 1,
		.time_ns = &time,
		.caplen = &caplen,
		.wirelen = &caplen,
		.layers = &layers,
		.key = &key,
		.hash = &hash };

	make_cutoff_table(0, true, 0);
	flow_clock_update(&timeline, table, &b, flow);
	cr_expect_eq(flow[0], BPEI_NO_FLOW);
	cr_expect_eq(bpei_table_keep(table)[0], CAPTURED);
	bpei_table_free(table);
}

Test(cutoff, takes_no_memory_without_the_option)
{
	const struct bpei_table_options without = { .max_flows = 1 };
	const struct bpei_table_options with = { .max_flows = 1, .cutoff = true };

	cr_expect_eq(bpei_table_optional_bytes(&with), bpei_table_optional_bytes(&without) + 40);
	make_table(16, 0, 0);
	send_packet(1, 17, 0, 0, T0, 0);
	cr_expect_null(bpei_table_keep(table));
	bpei_table_free(table);
}
