/* SPDX-License-Identifier: MIT */
/* NetFlow v9 and v5 byte by byte, uptimes over years, and counts above 32 bits. */
#include "ipfix_case.h"

#include <criterion/criterion.h>

static struct ipfix_encoder encoder;
static uint8_t buffer[IPFIX_ROOM_MOST];
static struct bpe_flow flow;
static struct ipfix_message message;

static void open_netflow(uint32_t version, bool is_live)
{
	const struct ipfix_config config = { .version = version,
		.domain = 0x0a0b0c0d,
		.is_live = is_live,
		.started_ns = CASE_STARTED_NS };
	char why[128] = "";

	fill_case_flow(&flow);
	cr_assert_eq(ipfix_open(&encoder, &config, why, sizeof why), 0, "%s", why);
}

static uint64_t read_number(size_t at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | buffer[at + i];
	return value;
}

/* Returns the time of an uptime at an offset, as a collector has it: ms since 1970. */
static uint64_t read_when(size_t at)
{
	const uint64_t boot = read_number(8, 4) * 1000 - read_number(4, 4);

	return boot + read_number(at, 4);
}

/* Puts the flow into a message of its own. */
static size_t send_alone(void)
{
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), 2);
	return ipfix_finish(&encoder, CASE_NOW_NS, &message);
}

Test(ipfix_netflow, five_byte_by_byte)
{
	static const uint8_t wanted[] = {
		/* version, 2 records, uptime 1003000, 1700000003 s, 0 ns, sequence, engine 13 */
		0, 5, 0, 2, 0, 0x0f, 0x4d, 0xf8, 0x65, 0x53, 0xf1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13,
		0, 0,
		/* 192.0.2.1 to 198.51.100.2, interface 3 */
		192, 0, 2, 1, 198, 51, 100, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 10, 0, 0, 3, 0xe8,
		/* 1000123 to 1001999 */
		0, 0x0f, 0x42, 0xbb, 0, 0x0f, 0x4a, 0x0f, 0x9c, 0x40, 1, 0xbb, 0, 0x1b, 6, 0, 0, 0,
		0, 0, 0, 0, 0, 0,
		/* back */
		198, 51, 100, 2, 192, 0, 2, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 7, 0, 0, 0x13, 0x88,
		0, 0x0f, 0x42, 0xbb, 0, 0x0f, 0x4a, 0x0f, 1, 0xbb, 0x9c, 0x40, 0, 0x12, 6, 0, 0, 0,
		0, 0, 0, 0, 0, 0
	};

	open_netflow(IPFIX_NETFLOW5, true);
	cr_assert_eq(send_alone(), sizeof wanted);
	for (size_t i = 0; i < sizeof wanted; i++)
		cr_assert_eq(buffer[i], wanted[i], "byte %zu: %02x", i, buffer[i]);
	cr_assert_eq(encoder.sequence, 2);
	flow.ip_version = 6;
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), IPFIX_UNFIT);
	cr_assert_eq(ipfix_finish(&encoder, CASE_NOW_NS, &message), 0);
}

Test(ipfix_netflow, five_tells_icmp_in_the_port)
{
	open_netflow(IPFIX_NETFLOW5, true);
	flow.ip_proto = 1;
	flow.flags |= BPE_FLOW_ICMP;
	flow.icmp_type = 8;
	send_alone();
	cr_assert_eq(read_number(24 + 32, 4), 8 << 8);
}

Test(ipfix_netflow, nine_byte_by_byte)
{
	open_netflow(IPFIX_NETFLOW9, true);
	send_alone();
	/* 2 flow records, 8 templates, 2 options templates; the name comes in the next message. */
	cr_assert_eq(read_number(0, 4), 9 << 16 | 12);
	cr_assert_eq(read_number(4, 4), 1003000);
	cr_assert_eq(read_number(8, 4), 1700000003);
	cr_assert_eq(read_number(12, 4), 0);
	cr_assert_eq(read_number(16, 4), 0x0a0b0c0d);
	/* Set 0, and template 256 with 15 fields. */
	cr_assert_eq(read_number(20, 2), 0);
	cr_assert_eq(read_number(24, 4), 256 << 16 | 15);
	/* The second message has no templates: the name "en0" and two flows. */
	send_alone();
	cr_assert_eq(read_number(0, 4), 9 << 16 | 3);
	cr_assert_eq(read_number(12, 4), 1);
	cr_assert_eq(read_number(20, 4), 276 << 16 | (4 + 4 + 32));
	cr_assert_eq(read_number(24, 4), 3);
	cr_assert_str_eq((const char *)buffer + 28, "en0");
	cr_assert_eq(read_number(60, 4), 256 << 16 | (4 + 53 * 2 + 2));
	cr_assert_eq(read_when(64 + 29), 1700000000123);
	cr_assert_eq(read_when(64 + 33), 1700000001999);
	cr_assert_eq(read_number(64 + 37, 8), 1000);
	cr_assert_eq(message.length, 172);
}

Test(ipfix_netflow, times_of_flows_are_exact_for_years)
{
	/* Ends of flows, in days before and after the start, and how long the flows took. */
	static const int64_t ends[] = { 0, 48, 49, 50, 60, -3000, -2950, 10000, 12345, 1 };
	static const int64_t takes[] = { 0, 1, 20, 42 };
	const int64_t day = 86400000;

	for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
		for (size_t t = 0; t < sizeof takes / sizeof *takes; t++)
			for (uint32_t live = 0; live < 2; live++) {
				const int64_t last = 1699999000321 + ends[e] * day;
				const int64_t first = last - takes[t] * day - 7;

				open_netflow(IPFIX_NETFLOW5, live);
				flow.last_ns = last * 1000000;
				flow.first_ns = first * 1000000;
				ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
				cr_assert_eq(ipfix_add(&encoder, &flow), 2);
				ipfix_finish(&encoder, flow.last_ns + 5000000000, &message);
				cr_assert_eq(read_when(24 + 24), (uint64_t)first);
				cr_assert_eq(read_when(24 + 28), (uint64_t)last);
				cr_assert_leq(read_number(24 + 28, 4), read_number(4, 4));
			}
}

Test(ipfix_netflow, longest_flow_never_ends_before_its_begin)
{
	open_netflow(IPFIX_NETFLOW5, false);
	flow.last_ns = CASE_LAST_NS;
	flow.first_ns = CASE_LAST_NS - INT64_C(100) * 86400 * 1000000000;
	send_alone();
	cr_assert_eq(read_when(24 + 28), 1700000001999);
	cr_assert_lt(read_number(24 + 24, 4), read_number(24 + 28, 4));
	cr_assert_gt(read_when(24 + 24), 1700000001999 - INT64_C(43) * 86400000);
}

Test(ipfix_netflow, flows_years_apart_go_to_messages_of_their_own)
{
	open_netflow(IPFIX_NETFLOW9, false);
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), 2);
	flow.first_ns -= INT64_C(400) * 86400 * 1000000000;
	flow.last_ns -= INT64_C(400) * 86400 * 1000000000;
	cr_assert_eq(ipfix_add(&encoder, &flow), IPFIX_FULL);
	ipfix_finish(&encoder, CASE_NOW_NS, &message);
	cr_assert_eq(message.flows, 1);
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), 2);
}

/* Adds up the records of a message of v5. */
static void add_up(uint64_t sums[2], uint32_t *records)
{
	for (size_t i = 0; i < read_number(2, 2); i++) {
		sums[0] += read_number(24 + 48 * i + 16, 4);
		sums[1] += read_number(24 + 48 * i + 20, 4);
	}
	*records += (uint32_t)read_number(2, 2);
}

Test(ipfix_netflow, five_splits_counts_above_32_bits)
{
	static const uint64_t counts[][3] = { { UINT32_MAX, 1000, 1 },
		{ UINT64_C(1) << 32, 1000, 2 }, { UINT64_C(1) << 40, UINT64_C(5) << 32, 257 } };

	for (size_t c = 0; c < 3; c++) {
		uint64_t sums[2] = { 0, 0 };
		uint32_t records = 0;
		uint32_t messages = 0;

		open_netflow(IPFIX_NETFLOW5, true);
		flow.ip_bytes[0] = counts[c][0];
		flow.packets[0] = counts[c][1];
		flow.packets[1] = 0;
		ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
		while (ipfix_add(&encoder, &flow) == IPFIX_FULL) {
			ipfix_finish(&encoder, CASE_NOW_NS, &message);
			cr_assert_eq(message.flows, 0);
			add_up(sums, &records);
			messages++;
			ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
		}
		ipfix_finish(&encoder, CASE_NOW_NS, &message);
		cr_assert_eq(message.flows, 1);
		add_up(sums, &records);
		cr_assert_eq(sums[0], counts[c][1]);
		cr_assert_eq(sums[1], counts[c][0]);
		cr_assert_eq(records, counts[c][2]);
		cr_assert_eq(messages, (records - 1) / 28);
		cr_assert_eq(encoder.sequence, records);
	}
}

Test(ipfix_netflow, five_has_30_records_at_most)
{
	open_netflow(IPFIX_NETFLOW5, true);
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_MOST);
	for (int i = 0; i < 15; i++)
		cr_assert_eq(ipfix_add(&encoder, &flow), 2);
	cr_assert_eq(ipfix_add(&encoder, &flow), IPFIX_FULL);
	cr_assert_eq(ipfix_finish(&encoder, CASE_NOW_NS, &message), 24 + 30 * 48);
	cr_assert_eq(message.flows, 15);
}
