/* SPDX-License-Identifier: MIT */
/* Tests numbers, addresses and bytes from the wire as text, and the end of the room. */
#include "tools/print/line.h"

#include <criterion/criterion.h>

static char room[256];

static struct print_line begin_text_line(size_t bytes)
{
	memset(room, '#', sizeof room);
	return (struct print_line){ .at = room, .end = room + bytes };
}

/* Ends the text with a zero and returns it. */
static const char *end_line(struct print_line *line)
{
	*line->at = 0;
	return room;
}

Test(line, decimal_and_padded_numbers)
{
	struct print_line line = begin_text_line(200);

	line_put_decimal(&line, 0);
	line_put_char(&line, ' ');
	line_put_decimal(&line, UINT64_MAX);
	line_put_char(&line, ' ');
	line_put_padded(&line, 42, 6);
	line_put_char(&line, ' ');
	line_put_padded(&line, 1234567, 6);
	cr_assert_str_eq(end_line(&line), "0 18446744073709551615 000042 1234567");
	cr_assert(!line.is_cut);
}

Test(line, hexadecimal_numbers)
{
	struct print_line line = begin_text_line(200);

	line_put_hex(&line, 0, 1);
	line_put_char(&line, ' ');
	line_put_hex(&line, 0xbeef, 8);
	line_put_char(&line, ' ');
	line_put_hex(&line, UINT64_MAX, 1);
	cr_assert_str_eq(end_line(&line), "0 0000beef ffffffffffffffff");
}

Test(line, addresses)
{
	static const uint8_t ip4[4] = { 192, 0, 2, 255 };
	static const uint8_t ip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	static const uint8_t mac[6] = { 2, 0, 0x5e, 0x10, 0, 0xff };
	struct print_line line = begin_text_line(200);

	line_put_ip4(&line, ip4);
	line_put_char(&line, ' ');
	line_put_ip6(&line, ip6);
	line_put_char(&line, ' ');
	line_put_mac(&line, mac);
	cr_assert_str_eq(end_line(&line), "192.0.2.255 2001:db8::1 02:00:5e:10:00:ff");
}

Test(line, bytes_from_the_wire_reach_no_terminal)
{
	static const uint8_t bytes[] = { 'a', 0x1b, '[', '\n', '\\', 0x7f, 0x9b, 0 };
	struct print_line line = begin_text_line(200);

	line_put_escaped(&line, bytes, sizeof bytes);
	cr_assert_str_eq(end_line(&line), "a\\x1b[\\x0a\\\\\\x7f\\x9b\\x00");
}

Test(line, text_without_room_is_cut)
{
	struct print_line line = begin_text_line(5);

	line_put_text(&line, "abc");
	line_put_decimal(&line, 12345);
	cr_assert(line.is_cut);
	cr_assert_eq(line.at - room, 5);
	line_put_char(&line, '!');
	cr_assert_eq(room[5], '#');
	cr_assert_eq(memcmp(room, "abc12", 5), 0);
}
