/* SPDX-License-Identifier: MIT */
/* Prints packets of a capture in our forms, and compares whole lines: columns, marks, round trips,
 * numbers, tags, bytes, JSON, colors, and the pace of a terminal. */
#include "tools/print/printer.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_NS (INT64_C(1764417600) * 1000000000) /* 2025-11-29 12:00:00 UTC */
#define MS INT64_C(1000000)

/* A TCP segment to be pushed. */
struct segment {
	int64_t ms;
	bool is_back; /* from the responder */
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t bytes, window;
};

static const struct segment conversation[] = {
	{ 0, false, 0x02, 1000, 0, 0, 65535 },
	{ 10, true, 0x12, 5000, 1001, 0, 65535 },
	{ 11, false, 0x10, 1001, 5001, 0, 65535 },
	{ 12, false, 0x18, 1001, 5001, 10, 65535 },
	{ 500, false, 0x18, 1001, 5001, 10, 65535 },
	{ 510, true, 0x10, 5001, 1011, 0, 0 },
	{ 515, true, 0x10, 5001, 1011, 0, 65535 },
	{ 520, false, 0x18, 1111, 5001, 10, 65535 },
	{ 900, false, 0x10, 1120, 5001, 0, 65535 },
};
#define SEGMENTS (sizeof conversation / sizeof *conversation)

static uint8_t frame[200];
static char text[1 << 16];

static void put_frame_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_frame_u32(uint8_t *at, uint32_t value)
{
	put_frame_u16(at, value >> 16);
	put_frame_u16(at + 2, value);
}

/* Makes the frame of a segment.  Returns the length. */
static uint32_t make_frame(const struct segment *s, uint32_t number)
{
	const uint32_t from = s->is_back ? 2 : 1;

	memset(frame, 0, sizeof frame);
	frame[5] = (uint8_t)(3 - from);
	frame[11] = (uint8_t)from;
	put_frame_u16(frame + 12, 0x0800);
	frame[14] = 0x45;
	put_frame_u16(frame + 16, 40u + s->bytes);
	put_frame_u16(frame + 18, number); /* identification: no packet is a copy */
	frame[22] = 64;
	frame[23] = 6;
	put_frame_u32(frame + 26, 0x0a000000 + from);
	put_frame_u32(frame + 30, 0x0a000000 + 3 - from);
	put_frame_u16(frame + 34, s->is_back ? 443 : 50000);
	put_frame_u16(frame + 36, s->is_back ? 50000 : 443);
	put_frame_u32(frame + 38, s->seq);
	put_frame_u32(frame + 42, s->ack);
	frame[46] = 0x50;
	frame[47] = s->flags;
	put_frame_u16(frame + 48, s->window);
	memset(frame + 54, 'p', s->bytes);
	return 54u + s->bytes;
}

/* Pushes and prints a packet. */
static void print_frame(
	struct bpe_capture *c, struct printer *p, const uint8_t *bytes, uint32_t n, int64_t ms)
{
	struct bpe_packet packet;
	struct bpe_batch batch;

	bpe_packet_init(&packet);
	packet.data = bytes;
	packet.caplen = packet.wirelen = n;
	packet.time_ns = START_NS + ms * MS;
	cr_assert_eq(bpe_capture_push(c, &packet, 1, NULL), 1);
	cr_assert_eq(bpe_capture_next(c, &batch, 0, NULL), 1);
	print_batch(p, &batch);
}

/* Opens a capture for pushed packets, with marks. */
static struct bpe_capture *open_pushed(void)
{
	struct bpe_options o;
	struct bpe_capture *c;

	bpe_options_init(&o);
	o.push = true;
	o.flow_table = true;
	o.marks = true;
	o.fixed_seed = true;
	cr_assert_eq(bpe_capture_open(&o, &c, NULL), BPE_OK);
	return c;
}

/* Prints the conversation, or a single frame.  Returns the lines. */
static const char *print_all(const struct print_options *options, const uint8_t *one, uint32_t n)
{
	FILE *file = tmpfile();
	struct print_setup setup = { .options = *options, .fd = fileno(file) };
	struct print_counts counts;
	struct printer *p;

	setenv("TZ", "UTC", 1);
	setup.interface_name = "eth0";
	struct bpe_capture *c = open_pushed();
	cr_assert_eq(print_open(&p, &setup), 0);
	for (size_t k = 0; !one && k < SEGMENTS; k++) {
		const uint32_t length = make_frame(&conversation[k], (uint32_t)k + 1);

		print_frame(c, p, frame, length, conversation[k].ms);
	}
	if (one)
		print_frame(c, p, one, n, 0);
	print_finish(p);
	print_counts(p, &counts);
	cr_assert_eq(counts.printed, one ? 1 : SEGMENTS);
	cr_assert_eq(counts.lost + counts.withheld, 0);
	print_close(p);
	bpe_capture_close(c);
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = 0;
	fclose(file);
	return text;
}

Test(printer, columns_marks_and_round_trips)
{
	const struct print_options o = { .form = PRINT_OWN };

	cr_assert_str_eq(print_all(&o, NULL, 0),
		"12:00:00.000000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          S     len 0     win 65535\n"
		"12:00:00.010000 eth0     -   tcp    10.0.0.2:443          > 10.0.0.1:50000        S.    len 0     win 65535 rtt 10.000 ms\n"
		"12:00:00.011000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          .     len 0     win 65535 rtt 1.000 ms\n"
		"12:00:00.012000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          P.    len 10    win 65535\n"
		"12:00:00.500000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          P.    len 10    win 65535 !retransmission\n"
		"12:00:00.510000 eth0     -   tcp    10.0.0.2:443          > 10.0.0.1:50000        .     len 0     win 0     !zero-window\n"
		"12:00:00.515000 eth0     -   tcp    10.0.0.2:443          > 10.0.0.1:50000        .     len 0     win 65535\n"
		"12:00:00.520000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          P.    len 10    win 65535 !lost-before\n"
		"12:00:00.900000 eth0     -   tcp    10.0.0.1:50000        > 10.0.0.2:443          .     len 0     win 65535 !keep-alive\n");
}

Test(printer, numbers_relative_and_absolute)
{
	struct print_options o = { .form = PRINT_OWN, .time = 1, .verbose = 1, .quick = true };
	const char *lines = print_all(&o, NULL, 0);

	cr_assert(strstr(lines, "S     len 0     seq 0 ttl 64\n"), "%s", lines);
	cr_assert(strstr(lines, "S.    len 0     seq 0 ack 1 ttl 64 rtt 10.000 ms\n"), "%s", lines);
	cr_assert(
		strstr(lines, "P.    len 10    seq 111 ack 1 ttl 64 !lost-before\n"), "%s", lines);
	o.absolute = true;
	lines = print_all(&o, NULL, 0);
	cr_assert(strstr(lines, "S.    len 0     seq 5000 ack 1001 ttl 64 rtt"), "%s", lines);
}

Test(printer, number_link_and_time)
{
	const struct print_options o = {
		.form = PRINT_OWN, .time = 4, .link = true, .number = true
	};

	cr_assert_eq(strncmp(print_all(&o, NULL, 0),
			     "    1  2025-11-29 12:00:00.000000 eth0     -   tcp    "
			     "00:00:00:00:00:01 > 00:00:00:00:00:02 10.0.0.1:50000",
			     104),
		0, "%s", text);
}

Test(printer, json_is_a_flat_object)
{
	const struct print_options o = { .form = PRINT_JSON, .hex = 1 };
	const char *lines = print_all(&o, NULL, 0);

	cr_assert(
		strstr(lines,
			"{\"time\":\"2025-11-29T12:00:00.500000000Z\",\"time_ns\":1764417600500000000,\"number\":5,\"interface\":\"eth0\",\"protocol\":\"tcp\",\"from\":\"10.0.0.1\",\"from_port\":50000,\"to\":\"10.0.0.2\",\"to_port\":443,\"ip_version\":4,"),
		"%s", lines);
	cr_assert(strstr(lines, "\"marks\":[\"retransmission\"]"), "%s", lines);
	cr_assert(strstr(lines, "\"rtt_ns\":10000000"), "%s", lines);
}

Test(printer, arp_icmp_and_ip6)
{
	static const uint8_t arp[42] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1,
		8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };
	static const uint8_t echo6[62] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0,
		0, 0, 0, 8, 58, 64, 0x20, 1, 0xd, 0xb8, [37] = 1, 0x20, 1, 0xd, 0xb8, [53] = 2, 128,
		0, 0, 0, 0, 7, 0, 1 };
	const struct print_options o = { .form = PRINT_OWN, .time = 1 };

	cr_assert_str_eq(print_all(&o, arp, sizeof arp),
		"eth0     -   arp    02:00:00:00:00:01     > ff:ff:ff:ff:ff:ff           len 42    who-has 10.0.0.2 tell 10.0.0.1\n");
	cr_assert_str_eq(print_all(&o, echo6, sizeof echo6),
		"eth0     -   icmp6  2001:db8::1           > 2001:db8::2                 len 0     echo-request id 7 seq 1\n");
}

Test(printer, colors_follow_the_flow)
{
	const struct print_options o = { .form = PRINT_OWN, .color = PRINT_COLOR_ALWAYS };
	const char *lines = print_all(&o, NULL, 0);
	char color[16];
	size_t colored = 0;

	cr_assert(strstr(lines, "\33[31m !retransmission\33[39m\n"), "%s", lines);
	const char *const first = strstr(lines, "\33[38;5;");
	cr_assert(first);
	snprintf(color, sizeof color, "%.*s", (int)(strchr(first, 'm') - first + 1), first);
	for (const char *at = lines; (at = strstr(at, color)); at++)
		colored++;
	cr_assert_eq(colored, SEGMENTS, "both directions have one color: %s", lines);
}

Test(printer, bytes_as_hexadecimal_and_text)
{
	struct print_options o = { .form = PRINT_OWN, .time = 1, .hex_text = 1 };
	const char *lines = print_all(&o, NULL, 0);

	cr_assert(strstr(lines,
			  "\n\t0x0020:  5018 ffff 0000 0000 7070 7070 7070 7070  P.......pppppppp\n"
			  "\t0x0030:  7070                                     pp\n"),
		"%s", lines);
	o.hex_text = 0;
	o.hex = 2;
	lines = print_all(&o, NULL, 0);
	cr_assert(strstr(lines, "\n\t0x0000:  0000 0000 0002 0000 0000 0001 0800 4500\n"), "%s",
		lines);
	o.hex = 0;
	o.text = 1;
	lines = print_all(&o, NULL, 0);
	cr_assert(strstr(lines, "P.......pppppppppp\n"), "%s", lines);
}

Test(printer, a_terminal_gets_its_pace, .timeout = 550)
{
	const struct print_options o = { .form = PRINT_OWN, .lines_a_second = 3 };
	struct print_setup setup = { .options = o, .is_live = true, .interface_name = "eth0" };
	struct print_counts counts;
	struct printer *p;

	setup.fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (setup.fd < 0 || !isatty(setup.fd))
		cr_skip("no terminals here");
	struct bpe_capture *c = open_pushed();
	cr_assert_eq(print_open(&p, &setup), 0);
	cr_assert(print_has_terminal(p));
	for (size_t k = 0; k < SEGMENTS; k++)
		print_frame(c, p, frame, make_frame(&conversation[k], (uint32_t)k + 1),
			conversation[k].ms);
	print_ending(p); /* nobody reads this terminal for ever */
	print_finish(p);
	print_counts(p, &counts);
	cr_assert_eq(counts.printed + counts.withheld + counts.lost, SEGMENTS);
	cr_assert_gt(counts.withheld, 0);
	print_close(p);
	bpe_capture_close(c);
	close(setup.fd);
}
