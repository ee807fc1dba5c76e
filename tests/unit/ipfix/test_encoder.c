/* SPDX-License-Identifier: MIT */
/* Messages of IPFIX byte by byte, the sequence, full messages, and refusals. */
#include "ipfix_case.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct ipfix_encoder encoder;
static uint8_t buffer[IPFIX_ROOM_MOST];
static struct bpe_flow flow;
static struct ipfix_message message;

static void open_plain(uint32_t version, bool is_biflow)
{
	const struct ipfix_config config = { .version = version,
		.domain = 0x0a0b0c0d,
		.is_biflow = is_biflow,
		.is_live = true,
		.started_ns = CASE_STARTED_NS };
	char why[128] = "";

	fill_case_flow(&flow);
	cr_assert_eq(ipfix_open(&encoder, &config, why, sizeof why), 0, "%s", why);
}

/* Sends the templates and what else is due, so that messages of flows alone follow. */
static void pass_due(void)
{
	do {
		ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
		ipfix_finish(&encoder, CASE_NOW_NS, &message);
	} while (ipfix_is_due(&encoder));
	encoder.sequence = 0;
}

/* Compares bytes, and shows both if they differ. */
static void expect_bytes(const uint8_t *bytes, size_t n, const uint8_t *wanted, size_t wanted_n)
{
	cr_assert_eq(n, wanted_n, "%zu bytes in place of %zu", n, wanted_n);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(bytes[i], wanted[i], "byte %zu: %02x in place of %02x", i, bytes[i],
			wanted[i]);
}

Test(ipfix_encoder, message_with_two_uniflows)
{
	static const uint8_t wanted[] = {
		/* version, length, export time 1700000002, sequence 0, domain */
		0, 10, 0, 144, 0x65, 0x53, 0xf1, 0x02, 0, 0, 0, 0, 10, 11, 12, 13,
		/* set 256 of 128 bytes */
		1, 0, 0, 128,
		/* 192.0.2.1:40000 to 198.51.100.2:443 */
		192, 0, 2, 1, 198, 51, 100, 2, 0x9c, 0x40, 1, 0xbb, 6, 0x1b, 3, 0, 1,
		/* interface 3, flow 01020304 04000005 */
		0, 0, 0, 3, 1, 2, 3, 4, 4, 0, 0, 5,
		/* 1700000000123 ms, 1700000001999 ms */
		0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x6f, 0xcf,
		/* 1000 octets, 10 packets */
		0, 0, 0, 0, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0, 0, 0, 10,
		/* back: flags 0x12, direction 1, the source is the responder */
		198, 51, 100, 2, 192, 0, 2, 1, 1, 0xbb, 0x9c, 0x40, 6, 0x12, 3, 1, 2, 0, 0, 0, 3, 1,
		2, 3, 4, 4, 0, 0, 5, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b, 0, 0, 1, 0x8b, 0xcf,
		0xe5, 0x6f, 0xcf, 0, 0, 0, 0, 0, 0, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 7,
		/* padding */
		0, 0
	};

	open_plain(IPFIX_IPFIX, false);
	pass_due();
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), 2);
	cr_assert_eq(ipfix_finish(&encoder, CASE_NOW_NS, &message), sizeof wanted);
	expect_bytes(buffer, message.length, wanted, sizeof wanted);
	cr_assert_eq(message.records, 2);
	cr_assert_eq(message.flows, 1);
	cr_assert_eq(encoder.sequence, 2);
}

Test(ipfix_encoder, first_template)
{
	static const uint8_t wanted[] = { 0, 2, 2, 68, 1, 0, 0, 15, 0, 8, 0, 4, 0, 12, 0, 4, 0, 7,
		0, 2, 0, 11, 0, 2, 0, 4, 0, 1, 0, 6, 0, 1, 0, 136, 0, 1, 0, 61, 0, 1, 0, 239, 0, 1,
		0, 10, 0, 4, 0, 148, 0, 8, 0, 152, 0, 8, 0, 153, 0, 8, 0, 1, 0, 8, 0, 2, 0, 8, 1, 1,
		0, 15, 0, 27, 0, 16, 0, 28, 0, 16 };

	open_plain(IPFIX_IPFIX, false);
	cr_assert(ipfix_is_due(&encoder));
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_not(ipfix_is_due(&encoder));
	cr_assert_gt(ipfix_finish(&encoder, CASE_NOW_NS, &message), sizeof wanted);
	/* Eight templates share the set; VLANs are three fields more, and ICMP is a field more. */
	cr_assert_eq((buffer[18] << 8) + buffer[19],
		4 + 4 * 8 + 4 * (15 + 15 + 18 + 18 + 16 + 16 + 19 + 19));
	expect_bytes(buffer + 20, sizeof wanted - 4, wanted + 4, sizeof wanted - 4);
	/* Templates do not count on the sequence. */
	cr_assert_eq(message.records, 0);
	cr_assert_eq(encoder.sequence, 0);
	/* Nothing is due: no message. */
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_finish(&encoder, CASE_NOW_NS, &message), 0);
}

Test(ipfix_encoder, biflow_has_the_reverse_counts)
{
	static const uint8_t wanted[] = { 0, 0, 0, 0, 0, 0, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 7,
		0x12 };

	open_plain(IPFIX_IPFIX, true);
	pass_due();
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	cr_assert_eq(ipfix_add(&encoder, &flow), 1);
	cr_assert_eq(ipfix_finish(&encoder, CASE_NOW_NS, &message), 16 + 4 + 61 + 17 + 2);
	cr_assert_eq(buffer[17], 8); /* template 264 */
	expect_bytes(buffer + 20 + 61, sizeof wanted, wanted, sizeof wanted);
}

Test(ipfix_encoder, directions_without_packets_are_not_sent)
{
	open_plain(IPFIX_IPFIX, false);
	pass_due();
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	flow.packets[1] = 0;
	cr_assert_eq(ipfix_add(&encoder, &flow), 1);
	flow.packets[0] = 0;
	flow.packets[1] = 1;
	cr_assert_eq(ipfix_add(&encoder, &flow), 1);
	/* The last record of a flow without new packets tells the end. */
	flow.packets[1] = 0;
	cr_assert_eq(ipfix_add(&encoder, &flow), 1);
	ipfix_finish(&encoder, CASE_NOW_NS, &message);
	cr_assert_eq(message.records, 3);
	cr_assert_eq(buffer[20 + 61], 198);
}

Test(ipfix_encoder, full_messages_and_the_sequence)
{
	uint32_t flows = 0, records = 0, messages = 0;

	open_plain(IPFIX_IPFIX, false);
	encoder.sequence = UINT32_MAX - 5;
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	for (int i = 0; i < 1000; i++)
		while (ipfix_add(&encoder, &flow) == IPFIX_FULL) {
			cr_assert_leq(
				ipfix_finish(&encoder, CASE_NOW_NS, &message), IPFIX_ROOM_PATH);
			cr_assert_eq(message.sequence, UINT32_MAX - 5 + records);
			records += message.records;
			flows += message.flows;
			messages++;
			ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
		}
	ipfix_finish(&encoder, CASE_NOW_NS, &message);
	records += message.records;
	flows += message.flows;
	cr_assert_eq(flows, 1000);
	/* A record is the interface's name. */
	cr_assert_eq(records, 2001);
	cr_assert_eq(encoder.sequence, 1995);
	/* 11 flows of 122 bytes a message, the templates in the first. */
	cr_assert_geq(messages, 90);
	cr_assert_leq(messages, 92);
}

Test(ipfix_encoder, records_that_no_message_can_say)
{
	static const uint8_t ends[] = { BPE_END_NONE, BPE_END_DUMPED, BPE_END_BEGUN };

	open_plain(IPFIX_IPFIX, false);
	ipfix_begin(&encoder, buffer, IPFIX_ROOM_PATH);
	for (size_t i = 0; i < sizeof ends; i++) {
		flow.end = ends[i];
		cr_assert_eq(ipfix_add(&encoder, &flow), IPFIX_UNFIT);
	}
	flow.end = BPE_END_IDLE;
	flow.ip_version = 0;
	cr_assert_eq(ipfix_add(&encoder, &flow), IPFIX_UNFIT);
}

Test(ipfix_encoder, configs_that_do_not_fit)
{
	static const struct ipfix_config refused[] = { { .version = 8 },
		{ .version = IPFIX_NETFLOW9, .is_biflow = true },
		{ .version = IPFIX_NETFLOW5, .is_ns = true },
		{ .version = IPFIX_NETFLOW9, .profile = IPFIX_NTOP },
		{ .version = IPFIX_IPFIX, .profile = 4 },
		{ .version = IPFIX_IPFIX, .profile = IPFIX_OWN },
		{ .version = IPFIX_IPFIX, .profile = IPFIX_OWN, .pen = 29305 },
		{ .version = IPFIX_IPFIX, .pen = 32473 } };
	char why[128];

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		why[0] = 0;
		cr_assert_eq(ipfix_open(&encoder, &refused[i], why, sizeof why), -1, "%zu", i);
		cr_assert_neq(why[0], 0);
	}
	cr_assert_eq(ipfix_profile_find("cesnet"), IPFIX_CESNET);
	cr_assert_eq(ipfix_profile_find("none"), -1);
}
