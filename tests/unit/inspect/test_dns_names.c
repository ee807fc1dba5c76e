/* SPDX-License-Identifier: MIT */
/* Names: pointers, lengths, text, comparison. */
#include "inspect/dns.h"

#include "dns_build.h"

#include <criterion/criterion.h>

static struct dns_build built;
static uint8_t wire[BPEI_DNS_WIRE];
static uint32_t behind;

/* Reads the name at an offset out of a copy that ends where the message ends. */
static uint32_t read_test_name(uint32_t at, uint32_t n)
{
	uint8_t *exact = malloc(n + !n);
	const struct bpei_dns_message message = { .bytes = exact, .n = n };
	uint32_t length = 0;

	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, n);
	memset(wire, 0xee, sizeof wire);
	behind = 0;
	length = bpei_dns_name(&message, at, wire, &behind);
	free(exact);
	return length;
}

static const char *text_of_wire(void)
{
	static char text[256];

	cr_assert(bpei_dns_name_text(text, sizeof text, wire));
	return text;
}

Test(dns_names, names_are_read_through_pointers)
{
	uint32_t first = 0;
	uint32_t second = 0;

	build_header(&built, 1, 0, 0, 0, 0);
	first = built.n;
	build_name(&built, "example.com");
	second = built.n;
	build_labels(&built, "www", false);
	build_pointer(&built, first);
	build_labels(&built, "a.b", false);
	build_pointer(&built, second);
	cr_assert_eq(read_test_name(first, built.n), 13);
	cr_assert_eq(behind, second);
	cr_assert_str_eq(text_of_wire(), "example.com");
	cr_assert_eq(read_test_name(second, built.n), 17);
	cr_assert_eq(behind, second + 6);
	cr_assert_str_eq(text_of_wire(), "www.example.com");
	cr_assert_eq(read_test_name(second + 6, built.n), 21);
	cr_assert_eq(behind, built.n);
	cr_assert_str_eq(text_of_wire(), "a.b.www.example.com");
	cr_assert_eq(read_test_name(first + 12, built.n), 1, "the root");
	cr_assert_str_eq(text_of_wire(), ".");
}

Test(dns_names, pointers_that_do_not_go_back_are_refused)
{
	build_header(&built, 1, 0, 0, 0, 0);
	build_pointer(&built, 12);
	cr_assert_eq(read_test_name(12, built.n), 0, "to itself");
	build_header(&built, 1, 0, 0, 0, 0);
	build_pointer(&built, 14);
	build_name(&built, "forward.example");
	cr_assert_eq(read_test_name(12, built.n), 0, "forward");
	build_header(&built, 1, 0, 0, 0, 0);
	build_labels(&built, "loop", false);
	build_pointer(&built, 12);
	cr_assert_eq(read_test_name(12, built.n), 0, "a loop with a label");
	build_header(&built, 1, 0, 0, 0, 0);
	build_pointer(&built, 14);
	build_pointer(&built, 12);
	cr_assert_eq(read_test_name(14, built.n), 0, "a loop of two");
	build_header(&built, 1, 0, 0, 0, 0);
	build_pointer(&built, 4);
	cr_assert_eq(read_test_name(12, built.n), 0, "into the header");
	build_header(&built, 1, 0, 0, 0, 0);
	build_bytes(&built, "\x40", 1);
	build_name(&built, "x");
	cr_assert_eq(read_test_name(12, built.n), 0, "a label of an unknown kind");
}

Test(dns_names, many_pointers_are_refused)
{
	build_header(&built, 1, 0, 0, 0, 0);
	build_name(&built, "");
	for (uint32_t i = 0; i < 130; i++)
		build_pointer(&built, i ? built.n - 2 : 12);
	cr_assert_eq(read_test_name(13 + 2 * 126, built.n), 1, "127 pointers");
	cr_assert_eq(read_test_name(13 + 2 * 127, built.n), 0, "128 pointers");
}

Test(dns_names, lengths_end_at_255_bytes_and_127_labels)
{
	char label[64];

	memset(label, 'x', 63);
	label[63] = 0;
	build_header(&built, 1, 0, 0, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		build_labels(&built, label, false);
	label[61] = 0;
	build_labels(&built, label, true);
	cr_assert_eq(read_test_name(12, built.n), 255);
	cr_assert_eq(strlen(text_of_wire()), 253);
	built.n -= 1;
	build_labels(&built, "y", true);
	cr_assert_eq(read_test_name(12, built.n), 0, "257 bytes");
	build_header(&built, 1, 0, 0, 0, 0);
	for (uint32_t i = 0; i < 127; i++)
		build_labels(&built, "l", false);
	build_labels(&built, "", true);
	cr_assert_eq(read_test_name(12, built.n), 255, "127 labels");
	built.n--;
	build_labels(&built, "l", true);
	cr_assert_eq(read_test_name(12, built.n), 0, "128 labels");
}

Test(dns_names, each_truncation_is_refused)
{
	build_header(&built, 1, 0, 0, 0, 0);
	build_name(&built, "example.com");
	build_labels(&built, "www", false);
	build_pointer(&built, 12);
	for (uint32_t n = 0; n < 25; n++)
		cr_assert_eq(read_test_name(12, n), 0, "%u bytes", n);
	for (uint32_t n = 25; n < built.n; n++)
		cr_assert_eq(read_test_name(25, n), 0, "%u bytes", n);
	cr_assert_eq(read_test_name(12, 25), 13);
	cr_assert_eq(read_test_name(25, built.n), 17);
	cr_assert_eq(read_test_name(5000, built.n), 0);
}

Test(dns_names, odd_bytes_are_escaped)
{
	static const uint8_t odd[] = "\x0c"
				     "a.b\\c\"d;e@f("
				     "\x0b"
				     "\0\x1f \x7f\xff\xc3\xa9\xe2\x80\xa8z";
	char text[256];

	cr_assert(bpei_dns_name_text(text, sizeof text, odd));
	cr_assert_str_eq(text,
		"a\\.b\\\\c\\\"d\\;e\\@f\\(.\\000\\031\\032\\127\\255\xc3\xa9\\226\\128\\168z");
}

Test(dns_names, text_is_cut_between_characters)
{
	static const uint8_t name[] = "\3www\1\1\2\xc3\xa9";
	static const char whole[] = "www.\\001.\xc3\xa9";
	char text[16];

	for (size_t room = 1; room < sizeof text; room++) {
		const bool fits = bpei_dns_name_text(text, room, name);

		cr_assert_eq(fits, room >= sizeof whole);
		cr_assert_lt(strlen(text), room);
		cr_assert_eq(strncmp(text, whole, strlen(text)), 0);
		cr_assert_neq(strlen(text), 5, "within an escape");
		cr_assert_neq(strlen(text), 10, "within a character");
	}
}

Test(dns_names, case_is_ignored)
{
	cr_assert(bpei_dns_name_equal((const uint8_t *)"\3wWw\2Ab", (const uint8_t *)"\3WwW\2aB"));
	cr_assert(!bpei_dns_name_equal((const uint8_t *)"\3www", (const uint8_t *)"\3wwx"));
	cr_assert(!bpei_dns_name_equal((const uint8_t *)"\3www", (const uint8_t *)"\3www\1a"));
	cr_assert(!bpei_dns_name_equal((const uint8_t *)"\1[", (const uint8_t *)"\1{"));
	cr_assert(bpei_dns_name_equal((const uint8_t *)"", (const uint8_t *)""));
}
