/* SPDX-License-Identifier: MIT */
/* RDATA as text; also dns_text.c and svcb.c. */
#include "inspect/svcb.h"

#include "dns_build.h"

#include <criterion/criterion.h>

static struct dns_build built;
static char text[256];

/* Begins an answer with a name to which RDATA may point, at offset 12. */
static void begin_record(uint32_t type, uint32_t class_)
{
	build_header(&built, 1, 0x8180, 1, 1, 0);
	build_question(&built, "example.com", type, 1);
	build_pointer(&built, 12);
	build_record(&built, type, class_, 60);
}

/* Ends the record, and returns its text, cut to `room`. */
static const char *end_record(size_t room)
{
	struct bpei_dns_message message;
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;
	uint8_t *exact = malloc(built.n);

	build_record_end(&built);
	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, built.n);
	cr_assert(bpei_dns_open(&message, exact, built.n));
	bpei_dns_walk_init(&walk, &message);
	cr_assert(bpei_dns_walk_next(&walk, &record));
	memset(text, 'x', sizeof text);
	bpei_dns_data_text(text, room, &message, &record);
	free(exact);
	cr_assert_lt(strlen(text), room);
	return text;
}

/* Returns the text of a record with the bytes as RDATA. */
static const char *text_of_data(uint32_t type, uint32_t class_, const void *data, uint32_t n)
{
	begin_record(type, class_);
	build_bytes(&built, data, n);
	return end_record(sizeof text);
}

Test(dns_records, addresses)
{
	cr_assert_str_eq(text_of_data(1, 1, "\xc0\0\2\1", 4), "192.0.2.1");
	cr_assert_str_eq(
		text_of_data(28, 1, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16), "2001:db8::1");
	cr_assert_str_eq(text_of_data(1, 0x8001, "\xc0\0\2\1", 4), "192.0.2.1");
	cr_assert_str_eq(text_of_data(1, 1, "\xc0\0\2", 3), "\\# 3 c00002");
	cr_assert_str_eq(text_of_data(1, 3, "\xc0\0\2\1", 4), "\\# 4 c0000201");
	cr_assert_str_eq(text_of_data(28, 1, "", 0), "\\# 0");
}

Test(dns_records, names)
{
	static const uint32_t types[] = { 2, 5, 12, 39 };

	for (uint32_t i = 0; i < 4; i++) {
		begin_record(types[i], 1);
		build_labels(&built, "ns", false);
		build_pointer(&built, 12);
		cr_assert_str_eq(end_record(sizeof text), "ns.example.com");
	}
	begin_record(15, 1);
	build_u16(&built, 10);
	build_name(&built, "mail.example.net");
	cr_assert_str_eq(end_record(sizeof text), "10 mail.example.net");
	begin_record(15, 1);
	build_u16(&built, 0);
	build_name(&built, "");
	cr_assert_str_eq(end_record(sizeof text), "0 .");
	begin_record(33, 1);
	build_u16(&built, 1);
	build_u16(&built, 2);
	build_u16(&built, 5060);
	build_name(&built, "sip.example.net");
	cr_assert_str_eq(end_record(sizeof text), "1 2 5060 sip.example.net");
	begin_record(6, 1);
	build_labels(&built, "ns1", false);
	build_pointer(&built, 12);
	build_name(&built, "root.example.org");
	for (uint32_t i = 1; i < 6; i++)
		build_u32(&built, i * 1000000000u);
	cr_assert_str_eq(end_record(sizeof text),
		"ns1.example.com root.example.org 1000000000 2000000000 3000000000 4000000000 "
		"705032704");
	cr_assert_str_eq(text_of_data(5, 1, "\1a\0x", 4), "\\# 4 01610078", "a byte too many");
	cr_assert_str_eq(text_of_data(5, 1, "\2a", 2), "\\# 2 0261", "cut off");
}

Test(dns_records, strings)
{
	cr_assert_str_eq(
		text_of_data(16, 1, "\7v=spf1 \0\3a\"\\", 13), "\"v=spf1 \" \"\" \"a\\\"\\\\\"");
	cr_assert_str_eq(text_of_data(16, 3, "\2ok", 3), "\"ok\"", "CHAOS");
	cr_assert_str_eq(text_of_data(16, 1, "\4 \xc3\xa9\n", 5), "\" \xc3\xa9\\010\"");
	cr_assert_str_eq(text_of_data(16, 1, "\5ok", 3), "\\# 3 056f6b");
	cr_assert_str_eq(text_of_data(16, 1, "", 0), "\\# 0");
}

Test(dns_records, services)
{
	begin_record(65, 1);
	build_u16(&built, 1);
	build_name(&built, "");
	build_bytes(&built, "\0\1\0\6\2h3\2h2", 10);
	build_bytes(&built, "\0\3\0\2\x20\xfb", 6);
	build_bytes(&built, "\0\4\0\10\1\2\3\4\5\6\7\10", 12);
	build_bytes(&built, "\0\5\0\5hello", 9);
	build_bytes(&built, "\0\6\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 20);
	build_bytes(&built, "\x12\x34\0\2\"\1", 6);
	cr_assert_str_eq(end_record(sizeof text),
		"1 . alpn=\"h3,h2\" port=8443 ipv4hint=1.2.3.4,5.6.7.8 ech=aGVsbG8= "
		"ipv6hint=2001:db8::1 key4660=\"\\\"\\001\"");
	begin_record(64, 1);
	build_u16(&built, 0);
	build_labels(&built, "svc", false);
	build_pointer(&built, 12);
	cr_assert_str_eq(end_record(sizeof text), "0 svc.example.com");
	begin_record(64, 1);
	build_u16(&built, 1);
	build_name(&built, "");
	build_bytes(&built, "\0\0\0\4\0\1\0\2\0\1\0\3\2h2\0\2\0\0", 18 + 1);
	cr_assert_eq(strncmp(end_record(sizeof text),
			     "1 . mandatory=alpn,no-default-alpn alpn=\"h2\" ", 45),
		0, "%s", text);
}

Test(dns_records, malformed_services_are_bytes)
{
	static const struct {
		const char *bytes;
		uint32_t n;
	} wrong[] = { { "\0\1\0", 3 }, { "\0\1\0\2\2h", 6 }, { "\0\4\0\3\1\2\3", 7 },
		{ "\0\3\0\2\0\1\0\1\0\2\1h", 12 }, { "\0\3\0\1\1", 5 }, { "\0\2\0\1x", 5 },
		{ "\0\1\0\5x", 5 }, { "\0\0\0\0", 4 }, { "\0\6\0\0", 4 } };

	for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		begin_record(65, 1);
		build_u16(&built, 1);
		build_name(&built, "");
		build_bytes(&built, wrong[i].bytes, wrong[i].n);
		cr_assert_eq(strncmp(end_record(sizeof text), "\\# ", 3), 0, "%u: %s", i, text);
	}
}

Test(dns_records, unknown_types_and_long_data_are_cut)
{
	uint8_t data[300];

	memset(data, 0xab, sizeof data);
	cr_assert_str_eq(text_of_data(99, 1, data, 3), "\\# 3 ababab");
	text_of_data(99, 1, data, sizeof data);
	cr_assert_eq(strlen(text), 255 - (255 - 7) % 2);
	cr_assert_eq(strncmp(text, "\\# 300 abab", 11), 0);
	for (size_t room = 1; room < 40; room++) {
		begin_record(15, 1);
		build_u16(&built, 10);
		build_name(&built, "mail.example.net");
		end_record(room);
		cr_assert_eq(strncmp(text, "10 mail.example.net", strlen(text)), 0);
	}
}
