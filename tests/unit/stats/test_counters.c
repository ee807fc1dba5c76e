/* SPDX-License-Identifier: MIT */
/* Counting batches and the protocol table made of the counts. */
#include "stats/stats.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bpei_counts counts[2];

static void count_test_batch(
	struct bpei_counts *c, const struct bpe_layers *layers, const uint32_t *wire, uint32_t n)
{
	static const int64_t time_ns[64];
	struct bpe_batch b = {
		.count = n, .time_ns = time_ns, .caplen = wire, .wirelen = wire, .layers = layers
	};
	struct bpei_sums sums;
	bpei_batch_sum(&b, &sums);
	bpei_role_enter(&bpei_worker_role);
	bpei_counts_add(c, &b, &sums);
	bpei_role_leave(&bpei_worker_role);
}

Test(stats, sizes_fall_into_their_classes)
{
	static const uint32_t wire[] = { 0, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 1518,
		1519, 9216, 9217, 65549 };
	struct bpe_layers layers[16] = { { 0 } };
	struct bpe_stats s = { 0 };
	count_test_batch(counts, layers, wire, 16);
	bpei_counts_read(counts, &s);
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		cr_expect_eq(s.sizes[k], 2, "class %s has %llu", bpe_size_class_name(k),
			(unsigned long long)s.sizes[k]);
	cr_assert_eq(s.delivered_packets, 16);
	cr_assert_eq(s.batches, 1);
	cr_assert_null(bpe_size_class_name(BPE_SIZE_CLASSES));
	cr_assert_null(bpe_drop_name(BPE_DROP_COUNT));
	cr_assert_null(bpe_drop_name(-1));
}

Test(stats, flags_and_protocols_over_two_workers)
{
	static const uint32_t wire[] = { 100, 100, 100, 100, 100, 100, 100 };
	struct bpe_layers layers[] = {
		{ .proto = BPE_PROTO_TCP, .flags = BPE_PKT_IP4 | BPE_PKT_VLAN },
		{ .proto = BPE_PROTO_TCP, .flags = BPE_PKT_IP6 | BPE_PKT_TRUNCATED },
		{ .proto = BPE_PROTO_IP_OTHER,
			.ip_proto = 89,
			.flags = BPE_PKT_IP4 | BPE_PKT_FRAGMENT },
		{ .proto = BPE_PROTO_ETHERTYPE, .ethertype = 0x88cc },
		{ .proto = BPE_PROTO_LINKTYPE, .link_type = 105 },
		{ .proto = BPE_PROTO_NONE, .flags = BPE_PKT_BAD_VERSION },
		{ .proto = BPE_PROTO_LLC },
	};
	struct bpe_stats s = { 0 };
	count_test_batch(&counts[0], layers, wire, 7);
	count_test_batch(&counts[1], layers, wire, 5);
	for (int w = 0; w < 2; w++)
		bpei_counts_read(&counts[w], &s);
	cr_assert_eq(s.delivered_packets, 12);
	cr_assert_eq(s.ip4_packets, 4);
	cr_assert_eq(s.ip6_packets, 2);
	cr_assert_eq(s.vlan_packets, 2);
	cr_assert_eq(s.truncated, 2);
	cr_assert_eq(s.fragments, 2);
	cr_assert_eq(s.bad_version, 1);

	const struct bpei_counts *both[] = { &counts[0], &counts[1] };
	struct bpe_protocol p[16];
	cr_assert_eq(bpei_counts_protocols(both, 2, p, sizeof(struct bpe_protocol), 16), 6);
	cr_assert_str_eq(p[0].name, "tcp");
	cr_assert_eq(p[0].packets, 4);
	cr_assert_eq(p[0].bytes, 400);
	cr_assert_str_eq(p[1].name, "IEEE802_11");
	cr_assert_str_eq(p[2].name, "lldp");
	cr_assert_str_eq(p[3].name, "ospf");
	cr_assert_str_eq(p[4].name, "damaged");
	cr_assert_str_eq(p[5].name, "llc");
	struct bpe_protocol one = { 0 };
	cr_assert_eq(bpei_counts_protocols(both, 2, &one, sizeof(struct bpe_protocol), 1), 6);
	cr_assert_str_eq(one.name, "tcp");
}

/* Counts more ethertypes than the table holds: no packet is lost, the rest shares a line. */
Test(stats, hostile_ethertypes_are_all_counted)
{
	static const uint32_t wire = 60;
	for (uint32_t type = 0x600; type < 0x600 + 5000; type++) {
		struct bpe_layers l = { .proto = BPE_PROTO_ETHERTYPE, .ethertype = (uint16_t)type };
		count_test_batch(counts, &l, &wire, 1);
	}
	const struct bpei_counts *one[] = { &counts[0] };
	static struct bpe_protocol p[1000];
	size_t n = bpei_counts_protocols(one, 1, p, sizeof(struct bpe_protocol), 1000);
	uint64_t packets = 0, bytes = 0;
	cr_assert(n > 200 && n <= 257, "%zu lines", n);
	for (size_t i = 0; i < n; i++) {
		packets += p[i].packets;
		bytes += p[i].bytes;
	}
	cr_assert_eq(packets, 5000);
	cr_assert_eq(bytes, 300000);
	cr_assert_str_eq(p[0].name, "ethertype-other");
}

/* Compares batches of any size and contents with counts made packet by packet. */
Test(stats, counts_are_those_of_a_plain_loop)
{
	static const uint32_t lengths[] = { 0, 60, 64, 65, 127, 128, 1518, 1519, 9216, 9217, 32767,
		32768, 65536, 65600, 0x7fffffff, 0x80000000, 0xffffffff };
	static const uint16_t flags[] = { BPE_PKT_IP4, BPE_PKT_IP6, BPE_PKT_IP4 | BPE_PKT_VLAN,
		BPE_PKT_IP6 | BPE_PKT_VLAN, BPE_PKT_VLAN, 0, BPE_PKT_IP4 | BPE_PKT_FRAGMENT,
		BPE_PKT_BAD_CHECKSUM | BPE_PKT_IP4,
		BPE_PKT_TUNNEL | BPE_PKT_KEY | BPE_PKT_REVERSED | BPE_PKT_OUTGOING };
	static const uint32_t bounds[] = { 64, 127, 255, 511, 1023, 1518, 9216, UINT32_MAX };
	static struct bpei_counts c;
	struct bpe_stats want = { 0 }, got = { 0 };
	uint64_t packets[BPE_PROTO_COUNT] = { 0 };
	uint64_t bytes[BPE_PROTO_COUNT] = { 0 };
	uint64_t state = 3;

	for (int round = 0; round < 3000; round++) {
		struct bpe_layers layers[BPE_BATCH];
		const uint32_t n = 1 + (uint32_t)(state >> 40) % BPE_BATCH;
		const uint32_t rare = (uint32_t)(state >> 33) % 3;
		uint32_t wire[BPE_BATCH];

		memset(layers, 0, sizeof layers);
		for (uint32_t i = 0; i < n; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			uint32_t r = (uint32_t)(state >> 32);
			struct bpe_layers *l = &layers[i];
			wire[i] = lengths[(r & 0xff) % (rare < 2 ? 11 : 17)];
			l->flags = flags[(r >> 8 & 0xff) % (rare ? 9 : 6)];
			l->proto = (uint8_t)((r >> 16 & 0xff) % (rare ? BPE_PROTO_COUNT : 8));
			packets[l->proto]++;
			bytes[l->proto] += wire[i];
			want.ip4_packets += !!(l->flags & BPE_PKT_IP4);
			want.ip6_packets += !!(l->flags & BPE_PKT_IP6);
			want.vlan_packets += !!(l->flags & BPE_PKT_VLAN);
			want.fragments += !!(l->flags & BPE_PKT_FRAGMENT);
			want.bad_checksum += !!(l->flags & BPE_PKT_BAD_CHECKSUM);
			want.tunnel_packets += !!(l->flags & BPE_PKT_TUNNEL);
			int k = 0;
			while (wire[i] > bounds[k])
				k++;
			want.sizes[k]++;
		}
		want.delivered_packets += n;
		want.batches++;
		count_test_batch(&c, layers, wire, n);
	}
	bpei_counts_read(&c, &got);
	cr_assert_eq(memcmp(&got, &want, sizeof got), 0);
	for (int k = 0; k < BPE_PROTO_COUNT; k++) {
		cr_expect_eq(bpei_counter_get(&c.proto[k].packets), packets[k]);
		cr_expect_eq(bpei_counter_get(&c.proto[k].bytes), bytes[k]);
	}
	cr_assert_eq(bpei_counter_get(&c.ip_proto[0].packets), packets[BPE_PROTO_IP_OTHER]);
}
