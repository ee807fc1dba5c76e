/* SPDX-License-Identifier: MIT */
/* Tests GoFlow2's message byte by byte.  The expected bytes were made by hand from flow.proto;
 * tests/export/kafka.py has a decoder of protobuf's own read the messages. */
#include "tools/kafka/goflow2.h"

#include <criterion/criterion.h>

static struct bpe_flow make_goflow2_tcp(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION, .size = sizeof f };

	f.ip_version = 4;
	f.ip_proto = 6;
	memcpy(f.addr[0], "\x0a\x00\x00\x01", 4);
	memcpy(f.addr[1], "\xc0\x00\x02\x02", 4);
	f.port[0] = 50160;
	f.port[1] = 443;
	f.tcp_flags[0] = 0x1b;
	f.tcp_flags[1] = 0x12;
	f.packets[0] = 3;
	f.packets[1] = 2;
	f.wire_bytes[0] = 300;
	f.wire_bytes[1] = 128;
	f.first_ns = 1;
	f.last_ns = 300;
	return f;
}

static void expect_message_bytes(const struct bpe_flow *f, uint32_t end,
	const struct goflow2_facts *facts, const char *bytes, size_t n)
{
	uint8_t to[GOFLOW2_BYTES];

	cr_assert_eq(goflow2_write(to, f, end, facts), n);
	for (size_t k = 0; k < n; k++)
		cr_assert_eq(to[k], (uint8_t)bytes[k], "byte %zu is %02x", k, to[k]);
}
#define EXPECT(flow, end, facts, text)                                                             \
	expect_message_bytes(flow, end, facts, text, sizeof(text) - 1)

Test(goflow2, both_directions_of_tcp)
{
	const struct goflow2_facts facts = { .received_ns = 5, .sequence = 7 };
	struct bpe_flow f = make_goflow2_tcp();

	EXPECT(&f, 0, &facts,
		"\x18\x01\x20\x07\x32\x04\x0a\x00\x00\x01\x3a\x04\xc0\x00\x02\x02\x48\xac\x02\x50\x03"
		"\xa0\x01\x06\xa8\x01\xf0\x87\x03\xb0\x01\xbb\x03\xd0\x01\x1b\xf0\x01\x80\x10"
		"\xf0\x06\x05\xf8\x06\x01\x80\x07\xac\x02");
	EXPECT(&f, 1, &facts,
		"\x18\x01\x20\x07\x32\x04\xc0\x00\x02\x02\x3a\x04\x0a\x00\x00\x01\x48\x80\x01\x50\x02"
		"\xa0\x01\x06\xa8\x01\xbb\x03\xb0\x01\xf0\x87\x03\xd0\x01\x12\xf0\x01\x80\x10"
		"\xf0\x06\x05\xf8\x06\x01\x80\x07\xac\x02");
}

Test(goflow2, length_in_front)
{
	const struct goflow2_facts facts = { .is_delimited = true };
	const struct bpe_flow f = { .ip_version = 4, .ip_proto = 47 };

	EXPECT(&f, 0, &facts,
		"\x15\x18\x01\x32\x04\0\0\0\0\x3a\x04\0\0\0\0\xa0\x01\x2f\xf0\x01\x80\x10");
}

Test(goflow2, icmp_has_types_and_no_ports)
{
	const struct goflow2_facts facts = { 0 };
	struct bpe_flow f = { .ip_version = 4, .ip_proto = 1, .flags = BPE_FLOW_ICMP };

	f.port[0] = 77;
	f.port[1] = 77;
	f.icmp_type = 8;
	f.icmp_code = 3;
	EXPECT(&f, 0, &facts,
		"\x18\x01\x32\x04\0\0\0\0\x3a\x04\0\0\0\0\xa0\x01\x01\xf0\x01\x80\x10\xf8\x01\x08"
		"\x80\x02\x03");
	f.icmp_type = 13; /* the answer has 14 */
	EXPECT(&f, 1, &facts,
		"\x18\x01\x32\x04\0\0\0\0\x3a\x04\0\0\0\0\xa0\x01\x01\xf0\x01\x80\x10\xf8\x01\x0e");
	f.icmp_type = 3; /* has no answer */
	EXPECT(&f, 1, &facts,
		"\x18\x01\x32\x04\0\0\0\0\x3a\x04\0\0\0\0\xa0\x01\x01\xf0\x01\x80\x10");
}

Test(goflow2, bytes_of_ip_if_counted)
{
	const struct goflow2_facts facts = { 0 };
	struct bpe_flow f = { .ip_version = 4, .flags = BPE_FLOW_LENGTHS };

	f.wire_bytes[0] = 64;
	f.ip_bytes[0] = 46;
	EXPECT(&f, 0, &facts, "\x18\x01\x32\x04\0\0\0\0\x3a\x04\0\0\0\0\x48\x2e\xf0\x01\x80\x10");
}

Test(goflow2, a_message_for_each_end_with_packets)
{
	struct bpe_flow f = make_goflow2_tcp();
	uint32_t ends[2];

	cr_assert_eq(goflow2_ends(&f, ends), 2);
	cr_assert_eq(ends[0], 0);
	cr_assert_eq(ends[1], 1);
	f.packets[0] = 0;
	cr_assert_eq(goflow2_ends(&f, ends), 1);
	cr_assert_eq(ends[0], 1);
	f.packets[1] = 0;
	cr_assert_eq(goflow2_ends(&f, ends), 1);
	cr_assert_eq(ends[0], 0);
}

Test(goflow2, longest_message_fits)
{
	struct goflow2_facts facts = { .received_ns = -1,
		.sequence = UINT32_MAX,
		.domain = UINT32_MAX,
		.sampler_bytes = 16,
		.is_delimited = true };
	uint8_t to[GOFLOW2_BYTES];
	struct bpe_flow f;

	memset(&f, 0xff, sizeof f);
	memset(facts.sampler, 0xff, sizeof facts.sampler);
	f.ip_version = 6;
	f.ip_proto = 6;
	cr_assert_leq(goflow2_write(to, &f, 0, &facts), 172);
	f.ip_proto = 58;
	f.icmp_type = 128;
	cr_assert_leq(goflow2_write(to, &f, 0, &facts), 172);
}
