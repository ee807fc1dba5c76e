/* SPDX-License-Identifier: MIT */
/* Tests of the pcapng encoder: each block word by word, options in order, every room too small. */
#include "write/pcapng_out.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Returns the value of a block's option, and the length.  at: where the options begin. */
static const uint8_t *option_of(const uint8_t *block, size_t at, uint16_t code, uint16_t *length)
{
	const size_t end = bpei_load32(block + 4) - 4;

	while (at + 4 <= end && bpei_load16(block + at) != code)
		at += 4 + ((bpei_load16(block + at + 2) + 3u) & ~3u);
	cr_assert(at + 4 <= end, "no option 0x%x", code);
	*length = bpei_load16(block + at + 2);
	return block + at + 4;
}

static void expect_option(
	const uint8_t *block, size_t at, uint16_t code, const void *value, uint16_t n)
{
	uint16_t length;
	const uint8_t *got = option_of(block, at, code, &length);

	cr_assert_eq(length, n, "option 0x%x is %u bytes long", code, length);
	cr_assert_arr_eq(got, value, n, "option 0x%x", code);
	for (; length % 4; length++)
		cr_assert_eq(got[length], 0, "padding of option 0x%x", code);
}

static void expect_block(const uint8_t *block, size_t bytes, uint32_t type)
{
	cr_assert(bytes >= 12 && bytes % 4 == 0);
	cr_assert_eq(bpei_load32(block), type);
	cr_assert_eq(bpei_load32(block + 4), bytes);
	cr_assert_eq(bpei_load32(block + bytes - 4), bytes);
}

Test(pcapng_out, a_section_header_says_who_wrote)
{
	const struct bpei_section_out s = {
		.comment = "c", .hardware = "x86_64", .os = "Darwin 22", .application = "bpfengine"
	};
	uint8_t block[256];
	const size_t n = bpei_section_put(block, sizeof block, &s);

	expect_block(block, n, BPEI_BLOCK_SECTION);
	cr_assert_eq(bpei_load32(block + 8), 0x1a2b3c4d);
	cr_assert_eq(bpei_load16(block + 12), 1);
	cr_assert_eq(bpei_load16(block + 14), 0);
	cr_assert_eq(bpei_load64(block + 16), UINT64_MAX);
	expect_option(block, 24, 1, "c", 1);
	expect_option(block, 24, 2, "x86_64", 6);
	expect_option(block, 24, 3, "Darwin 22", 9);
	expect_option(block, 24, 4, "bpfengine", 9);
	expect_option(block, 24, 0, "", 0);
	for (size_t room = 0; room < n; room++)
		cr_assert_eq(bpei_section_put(block, room, &s), 0, "room %zu", room);
	cr_assert_eq(bpei_section_put(block, n, &s), n);
}

Test(pcapng_out, an_interface_has_its_options)
{
	const uint64_t program[2] = { 0x1122334455667788, 6 };
	const struct bpei_interface_out i = { .link_type = 1,
		.snaplen = 65535,
		.digits = 9,
		.has_mac = true,
		.has_effective_id = true,
		.mac = { 2, 4, 6, 8, 10, 12 },
		.effective_id = 77,
		.speed = 10000000000,
		.name = "en0",
		.description = "Wi-Fi",
		.hardware = "AirPort",
		.os = "macOS",
		.filter_text = "tcp port 80",
		.comment = "hm",
		.program = program,
		.program_length = 2 };
	uint8_t block[512];
	const size_t n = bpei_interface_put(block, sizeof block, &i);

	expect_block(block, n, BPEI_BLOCK_INTERFACE);
	cr_assert_eq(bpei_load16(block + 8), 1);
	cr_assert_eq(bpei_load16(block + 10), 0);
	cr_assert_eq(bpei_load32(block + 12), 65535);
	expect_option(block, 16, 2, "en0", 3);
	expect_option(block, 16, 3, "Wi-Fi", 5);
	expect_option(block, 16, 6, i.mac, 6);
	expect_option(block, 16, 8, &i.speed, 8);
	expect_option(block, 16, 9, "\x09", 1);
	expect_option(block, 16, 11, "\0tcp port 80", 12);
	expect_option(block, 16, 12, "macOS", 5);
	expect_option(block, 16, 15, "AirPort", 7);
	expect_option(block, 16, 0x8001, &i.effective_id, 4);
	expect_option(block, 16, 1, "hm", 2);
	/* The text stands before the program: a reader of a single filter takes the text. */
	uint16_t length;
	const uint8_t *text = option_of(block, 16, 11, &length);
	cr_assert_eq(bpei_load16(text + 12), 11);
	cr_assert_eq(bpei_load16(text + 14), 17);
	cr_assert_eq(text[16], 1);
	cr_assert_arr_eq(text + 17, program, 16);
	for (size_t room = 0; room < n; room++)
		cr_assert_eq(bpei_interface_put(block, room, &i), 0, "room %zu", room);
}

Test(pcapng_out, an_interface_like_apples_has_a_name_alone)
{
	const struct bpei_interface_out i = {
		.link_type = 0, .snaplen = 524288, .digits = 6, .name = "lo0"
	};
	uint8_t block[64];

	cr_assert_eq(bpei_interface_put(block, sizeof block, &i), 32);
	expect_option(block, 16, 2, "lo0", 3);
}

Test(pcapng_out, statistics_are_those_that_are_known)
{
	struct bpei_statistics_out s = { .interface_id = 3,
		.known = 0x7f,
		.stamp = 0x0102030405060708,
		.start = 0x1112131415161718,
		.end = 0x2122232425262728,
		.received = 4,
		.interface_dropped = 5,
		.accepted = 6,
		.dropped = 7,
		.delivered = 8,
		.comment = "end" };
	const uint32_t start[2] = { 0x11121314, 0x15161718 };
	const uint32_t end[2] = { 0x21222324, 0x25262728 };
	uint8_t block[256];

	size_t n = bpei_statistics_put(block, sizeof block, &s);
	expect_block(block, n, BPEI_BLOCK_STATISTICS);
	cr_assert_eq(bpei_load32(block + 8), 3);
	cr_assert_eq(bpei_load32(block + 12), 0x01020304);
	cr_assert_eq(bpei_load32(block + 16), 0x05060708);
	expect_option(block, 20, 1, "end", 3);
	expect_option(block, 20, 2, start, 8);
	expect_option(block, 20, 3, end, 8);
	for (uint64_t code = 4; code <= 8; code++)
		expect_option(block, 20, (uint16_t)code, &code, 8);
	s.known = BPEI_STATISTICS_DROPPED;
	s.comment = NULL;
	n = bpei_statistics_put(block, sizeof block, &s);
	cr_assert_eq(n, 24 + 12 + 4);
	expect_option(block, 20, 7, &s.dropped, 8);
}

Test(pcapng_out, a_process_block_is_apples)
{
	static const uint8_t uuid[] = "0123456789abcdef";
	uint8_t block[128];
	size_t n = bpei_process_put(block, sizeof block, 53245, "iperf", uuid);

	expect_block(block, n, 0x80000001);
	cr_assert_eq(n, 52); /* as in radar-101007576-iperf.pcapng */
	cr_assert_eq(bpei_load32(block + 8), 53245);
	expect_option(block, 12, 2, "iperf", 5);
	expect_option(block, 12, 4, uuid, 16);
	cr_assert_eq(bpei_process_put(block, sizeof block, 53245, "iperf", NULL), 32);
	cr_assert_eq(bpei_process_put(block, sizeof block, 7, "", NULL), 20);
}

Test(pcapng_out, names_fill_a_block_and_no_more)
{
	static const uint8_t four[] = { 10, 0, 0, 1 };
	static const uint8_t six[16] = { 0x20, 1 };
	uint8_t block[64];
	struct bpei_block_out out;

	bpei_names_begin(&out, block, sizeof block);
	cr_assert(bpei_names_put(&out, four, 4, "a.example"));
	cr_assert(bpei_names_put(&out, six, 6, "b"));
	cr_assert_not(bpei_names_put(&out, four, 4, "c"));
	const size_t n = bpei_names_finish(&out);
	expect_block(block, n, BPEI_BLOCK_NAMES);
	cr_assert_eq(n, 8 + 4 + 16 + 4 + 20 + 4 + 4);
	cr_assert_eq(bpei_load16(block + 8), 1);
	cr_assert_eq(bpei_load16(block + 10), 14);
	cr_assert_arr_eq(block + 12, four, 4);
	cr_assert_str_eq((const char *)block + 16, "a.example");
	cr_assert_eq(bpei_load16(block + 28), 2);
	cr_assert_eq(bpei_load16(block + 30), 18);
	cr_assert_eq(bpei_load32(block + 52), 0);
}

Test(pcapng_out, a_plain_packet_is_whole_at_every_length)
{
	uint8_t data[300], block[400], slow[400];

	for (uint32_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + 1);
	for (uint32_t n = 0; n <= sizeof data; n++) {
		for (uint32_t flags = 0; flags < 3; flags++) {
			const struct bpei_packet_out p = { .data = data,
				.stamp = 0x1122334455667788,
				.interface_id = 9,
				.caplen = n,
				.wirelen = 1500 };
			const struct bpei_packet_extra x = { .has = flags ? BPEI_HAS_FLAGS : 0,
				.flags = flags };
			memset(block, 0xee, sizeof block);
			const size_t bytes = bpei_packet_put_plain(block, &p, flags);
			expect_block(block, bytes, BPEI_BLOCK_PACKET);
			cr_assert_eq(bytes, bpei_packet_bytes(n) + (flags ? 12 : 0));
			cr_assert_eq(block[bytes], 0xee);
			cr_assert_eq(bpei_load32(block + 8), 9);
			cr_assert_eq(bpei_load32(block + 12), 0x11223344);
			cr_assert_eq(bpei_load32(block + 16), 0x55667788);
			cr_assert_eq(bpei_load32(block + 20), n);
			cr_assert_eq(bpei_load32(block + 24), 1500);
			cr_assert_arr_eq(block + 28, data, n);
			cr_assert_eq(bpei_packet_put(slow, sizeof slow, &p, &x), bytes);
			cr_assert_arr_eq(slow, block, bytes);
		}
	}
}

/* Returns a packet's extra members, all different. */
static struct bpei_packet_extra full_extra(void)
{
	struct bpei_packet_extra x = { .has = 0xffff,
		.process = 1,
		.effective = 2,
		.flags = 0x0201,
		.dropcount = 40,
		.packetid = 50,
		.queue = 60,
		.pid = 80,
		.tid = 81,
		.service_class = 900,
		.flow = 0x11223344,
		.apple_flags = BPEI_APPLE_NEW_FLOW,
		.drop_reason = 0x01020003,
		.compression = 12,
		.trace_tag = 13,
		.drop_line = 14,
		.hash = { BPEI_HASH_TOEPLITZ, 1, 2, 3, 4 },
		.verdict = { 1, 7 },
		.hash_bytes = 5,
		.verdict_bytes = 9,
		.drop_function = "tcp_input",
		.comment = "caf\xc3\xa9" };

	return x;
}

Test(pcapng_out, options_stand_in_apples_order)
{
	static const uint16_t order[] = { 0x8001, 0x8003, 2, 3, 4, 5, 6, 7, 8, 0x8002, 0x8005,
		0x8006, 0x8007, 0x8008, 0x8009, 1, 0x8004, 0x800a, 0x7777, 0 };
	static const uint8_t raw[8] = { 0x77, 0x77, 4, 0, 'r', 'a', 'w', '!' };
	const struct bpei_packet_out p = { .data = raw, .caplen = 5, .wirelen = 5 };
	struct bpei_packet_extra x = full_extra();
	uint8_t own[8], block[512];

	memcpy(own, raw, sizeof own);
	bpei_store16(own, 0x7777);
	bpei_store16(own + 2, 4);
	x.raw = (struct bpei_raw_options){ own, sizeof own };
	const size_t n = bpei_packet_put(block, sizeof block, &p, &x);
	expect_block(block, n, BPEI_BLOCK_PACKET);
	size_t at = 36;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		cr_assert_eq(bpei_load16(block + at), order[i], "place %zu", i);
		at += 4 + ((bpei_load16(block + at + 2) + 3u) & ~3u);
	}
	cr_assert_eq(at, n - 4);
	for (size_t room = 0; room < n; room++)
		cr_assert_eq(bpei_packet_put(block, room, &p, &x), 0, "room %zu", room);
}

Test(pcapng_out, options_have_their_values)
{
	const struct bpei_packet_out p = { .data = (const uint8_t *)"", .wirelen = 5 };
	const struct bpei_packet_extra x = full_extra();
	const uint32_t both[2] = { 80, 81 };
	uint8_t block[512];

	bpei_packet_put(block, sizeof block, &p, &x);
	expect_option(block, 28, 0x8001, &x.process, 4);
	expect_option(block, 28, 0x8003, &x.effective, 4);
	expect_option(block, 28, 2, &x.flags, 4);
	expect_option(block, 28, 3, "\5\1\2\3\4", 5);
	expect_option(block, 28, 4, &x.dropcount, 8);
	expect_option(block, 28, 5, &x.packetid, 8);
	expect_option(block, 28, 6, &x.queue, 4);
	expect_option(block, 28, 7, x.verdict, 9);
	expect_option(block, 28, 8, both, 8);
	expect_option(block, 28, 0x8002, &x.service_class, 4);
	expect_option(block, 28, 0x8005, &x.flow, 4);
	expect_option(block, 28, 0x8006, &x.trace_tag, 2);
	expect_option(block, 28, 0x8007, &x.drop_reason, 4);
	expect_option(block, 28, 0x8008, &x.drop_line, 2);
	expect_option(block, 28, 0x8009, "tcp_input", 9);
	expect_option(block, 28, 1, "caf\xc3\xa9", 5);
	expect_option(block, 28, 0x8004, &x.apple_flags, 4);
	expect_option(block, 28, 0x800a, &x.compression, 4);
}

Test(pcapng_out, a_long_text_is_cut_behind_a_character)
{
	const struct bpei_packet_out p = { .data = (const uint8_t *)"" };
	struct bpei_packet_extra x = { .has = 0 };
	char *text = calloc(1, 70001);
	uint8_t *block = malloc(80000);
	uint16_t length;

	for (size_t i = 0; i < 70000; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	x.comment = text;
	cr_assert_neq(bpei_packet_put(block, 80000, &p, &x), 0);
	option_of(block, 28, 1, &length);
	cr_assert_eq(length, 65534);
	memset(text, 'x', 70000);
	cr_assert_neq(bpei_packet_put(block, 80000, &p, &x), 0);
	option_of(block, 28, 1, &length);
	cr_assert_eq(length, 65535);
	free(block);
	free(text);
}

Test(pcapng_out, stamps_are_of_the_resolution)
{
	cr_assert_eq(bpei_stamp(INT64_C(1700000000987654321), 9), UINT64_C(1700000000987654321));
	cr_assert_eq(bpei_stamp(INT64_C(1700000000987654321), 6), UINT64_C(1700000000987654));
	cr_assert_eq(bpei_stamp(INT64_C(1700000000987654321), 0), UINT64_C(1700000000));
	cr_assert_eq(bpei_stamp(-5, 9), 0);
	cr_assert_eq(bpei_stamp(INT64_MAX, 9), (uint64_t)INT64_MAX);
}
