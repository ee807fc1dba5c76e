/* SPDX-License-Identifier: MIT */
/* Tests tcpdump's form on made packets: their lines equal tcpdump 4.99.3's in
 * tests/data/tcpdump_lines.txt.  Each packet is then cut at every byte. */
#include "tools/print/tcpdump.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES "tests/data/tcpdump_lines.txt"

enum { ROOM = 16384, MOST_PACKET = 2048, MOST_LINE = 24000, LEAST_CASES = 1000 };

static char room[ROOM + 1];

/* A row of the file: link type, options, packet, line. */
struct tcpdump_case {
	int link_type;
	struct print_options options;
	uint8_t packet[MOST_PACKET];
	uint32_t bytes;
	char *line;
};

/* Reads tcpdump's letters. */
static struct print_options read_letters(const char *letters)
{
	struct print_options options = { .form = PRINT_TCPDUMP };

	for (; *letters; letters++) {
		options.link |= *letters == 'e';
		options.quick |= *letters == 'q';
		options.absolute |= *letters == 'S';
		options.verbose += *letters == 'v';
		options.hex += *letters == 'x';
	}
	return options;
}

/* Turns \n, \t and \\ into the characters. */
static void unescape_line(char *line)
{
	char *to = line;

	for (const char *at = line; *at; at++) {
		if (*at != '\\') {
			*to++ = *at;
			continue;
		}
		at++;
		if (*at == 'n')
			*to++ = '\n';
		else if (*at == 't')
			*to++ = '\t';
		else
			*to++ = *at;
	}
	*to = 0;
}

/* Splits a row; returns false at a comment. */
static bool read_case(char *row, struct tcpdump_case *c)
{
	char *field[4];

	if (*row == '#')
		return false;
	row[strcspn(row, "\n")] = 0;
	for (int i = 0; i < 4; i++) {
		field[i] = row;
		row += strcspn(row, "\t");
		if (i < 3) {
			cr_assert(*row, "a row of %s has less than 4 fields", LINES);
			*row++ = 0;
		}
	}
	c->link_type = atoi(field[0]);
	c->options = read_letters(field[1]);
	c->bytes = 0;
	for (const char *at = field[2]; at[0] && at[1] && c->bytes < MOST_PACKET; at += 2) {
		unsigned byte = 0;

		sscanf(at, "%2x", &byte);
		c->packet[c->bytes++] = (uint8_t)byte;
	}
	c->line = field[3];
	unescape_line(c->line);
	return true;
}

/* Puts the first caplen bytes of a packet, at the very end of a block of memory. */
static const char *put_case(
	const struct tcpdump_case *c, uint32_t caplen, struct tcpdump_sequences *table)
{
	struct print_line line = { .at = room, .end = room + ROOM };
	uint8_t *bytes = malloc(caplen ? caplen : 1);
	const struct print_packet packet = {
		.bytes = bytes, .caplen = caplen, .wirelen = c->bytes, .link_type = c->link_type
	};

	cr_assert(bytes);
	memcpy(bytes, c->packet, caplen);
	tcpdump_put_packet(&line, &c->options, table, &packet);
	cr_assert(line.at <= room + ROOM && line.end == room + ROOM);
	*line.at = 0;
	free(bytes);
	return room;
}

/* Runs a check over all rows; returns their number. */
static int for_each_case(void (*check)(const struct tcpdump_case *c))
{
	static char row[MOST_LINE];
	static struct tcpdump_case c;
	FILE *file = fopen(LINES, "r");
	int n = 0;

	cr_assert(file, "no %s", LINES);
	while (fgets(row, sizeof row, file)) {
		if (!read_case(row, &c))
			continue;
		check(&c);
		n++;
	}
	fclose(file);
	return n;
}

static void check_whole_case(const struct tcpdump_case *c)
{
	struct tcpdump_sequences *table = tcpdump_sequences_new();

	cr_expect_str_eq(put_case(c, c->bytes, table), c->line);
	tcpdump_sequences_free(table);
}

Test(tcpdump, lines_equal_those_of_tcpdump)
{
	cr_assert_geq(for_each_case(check_whole_case), LEAST_CASES);
}

/* Asserts for each captured length that the line tells the cut, or begins as the whole line. */
static void check_cut_case(const struct tcpdump_case *c)
{
	for (uint32_t caplen = 0; caplen < c->bytes; caplen++) {
		const char *line = put_case(c, caplen, NULL);
		const bool is_cut = strstr(line, "[|") || strstr(line, "caplen==");

		cr_expect(is_cut || !*line || *line == *c->line, "%u bytes of %s: %s", caplen,
			c->line, line);
	}
}

Test(tcpdump, packets_cut_at_every_byte)
{
	cr_assert_geq(for_each_case(check_cut_case), LEAST_CASES);
}

Test(tcpdump, text_without_room_is_left_out)
{
	static const uint8_t packet[] = { 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10,
		0, 0, 2, 3, 232, 7, 208, 0, 8, 0, 0 };
	static const char whole[] = "IP 10.0.0.1.1000 > 10.0.0.2.2000: UDP, length 0";
	const struct print_options options = { .form = PRINT_TCPDUMP };
	const struct print_packet p = {
		.bytes = packet, .caplen = sizeof packet, .wirelen = sizeof packet, .link_type = 101
	};

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		struct print_line line = { .at = room, .end = room + n };

		memset(room, '#', ROOM);
		tcpdump_put_packet(&line, &options, NULL, &p);
		cr_expect_leq(line.at, room + n);
		cr_expect(line.is_cut);
		cr_expect_eq(room[n], '#');
		cr_expect(!memcmp(room, whole, (size_t)(line.at - room)));
	}
}

/* Puts a packet of headers of the same kind, one in the other. */
static size_t put_nested(const uint8_t *first, size_t n_first, const uint8_t *header, size_t n)
{
	enum { BYTES = 250000 };
	const struct print_options options = { .form = PRINT_TCPDUMP };
	uint8_t *bytes = malloc(BYTES);
	const struct print_packet p = {
		.bytes = bytes, .caplen = BYTES, .wirelen = BYTES, .link_type = 1
	};
	struct print_line line = { .at = room, .end = room + ROOM };

	cr_assert(bytes);
	memcpy(bytes, first, n_first);
	for (size_t at = n_first; at < BYTES; at++)
		bytes[at] = header[(at - n_first) % n];
	tcpdump_put_packet(&line, &options, NULL, &p);
	*line.at = 0;
	free(bytes);
	return (size_t)(line.at - room);
}

Test(tcpdump, headers_in_headers_come_to_an_end)
{
	static const uint8_t ethernet[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0,
		0, 0, 255, 255, 51, 64, [22] = 0xfe, [38] = 0xfe, [53] = 1 };
	static const uint8_t ah[] = { 51, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1 };
	static const uint8_t bridged[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 5, 0xdc, 0xaa, 0xaa,
		3, 0, 0x80, 0xc2, 0, 7, 0, 0 };
	static const uint8_t ip6[] = { 0x60, 0, 0, 0, 255, 255, 41, 64, [8] = 0xfe, [39] = 1 };

	cr_assert_gt(put_nested(ethernet, 54, ah, sizeof ah), 1000);
	cr_assert(strstr(room, "nested headers, length "), "%s", room);
	put_nested(bridged, sizeof bridged, bridged, sizeof bridged);
	cr_assert(strstr(room, "nested headers, length ") || strstr(room, "[|"), "%s", room);
	put_nested(ethernet, 14, ip6, sizeof ip6);
	cr_assert(strstr(room, "nested headers, length "), "%s", room);
}

static struct tcpdump_sequences *sequences;

/* Puts a segment of a connection between two ends that the ports name. */
static const char *put_segment(uint16_t source, uint16_t destination, uint32_t sequence,
	uint32_t acknowledgment, uint8_t flags)
{
	uint8_t packet[40] = { 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 1 };
	const struct print_options options = { .form = PRINT_TCPDUMP };
	const struct print_packet p = {
		.bytes = packet, .caplen = sizeof packet, .wirelen = sizeof packet, .link_type = 101
	};
	struct print_line line = { .at = room, .end = room + ROOM };

	packet[20] = (uint8_t)(source >> 8);
	packet[21] = (uint8_t)source;
	packet[22] = (uint8_t)(destination >> 8);
	packet[23] = (uint8_t)destination;
	for (int i = 0; i < 4; i++) {
		packet[24 + i] = (uint8_t)(sequence >> (24 - 8 * i));
		packet[28 + i] = (uint8_t)(acknowledgment >> (24 - 8 * i));
	}
	packet[32] = 0x50;
	packet[33] = flags;
	tcpdump_put_packet(&line, &options, sequences, &p);
	*line.at = 0;
	return strchr(room, '[');
}

Test(tcpdump, sequence_numbers_count_from_the_first_packet)
{
	sequences = tcpdump_sequences_new();
	cr_assert_str_eq(put_segment(1000, 80, 5000, 0, 2), "[S], seq 5000, win 0, length 0");
	cr_assert_str_eq(put_segment(80, 1000, 7000, 5001, 0x12),
		"[S.], seq 7000, ack 5001, win 0, length 0");
	cr_assert_str_eq(put_segment(1000, 80, 5001, 7001, 0x10), "[.], ack 1, win 0, length 0");
	cr_assert_str_eq(
		put_segment(80, 1000, 7011, 5101, 0x11), "[F.], seq 11, ack 101, win 0, length 0");
	/* without ACK the numbers are those of the wire */
	cr_assert_str_eq(put_segment(1000, 80, 5201, 0, 4), "[R], seq 5201, win 0, length 0");
	tcpdump_sequences_free(sequences);
}

Test(tcpdump, connections_beyond_the_table_begin_anew)
{
	enum { CONNECTIONS = 200000 };
	int relative = 0;

	sequences = tcpdump_sequences_new();
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		put_segment((uint16_t)(1024 + i % 60000), (uint16_t)(1 + i / 60000), 1000000 + i, 1,
			0x11);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		const char *line = put_segment((uint16_t)(1024 + i % 60000),
			(uint16_t)(1 + i / 60000), 1000010 + i, 1, 0x11);

		relative += !strncmp(line, "[F.], seq 10,", 13);
		if (strncmp(line, "[F.], seq 10,", 13) != 0)
			cr_assert(strncmp(line, "[F.], seq 1", 11) == 0, "%s", line);
	}
	/* the table holds 131072; the order of use chooses */
	cr_assert_lt(relative, CONNECTIONS);
	/* a recent connection is there */
	cr_assert_str_eq(put_segment(1024 + 19999, 4, 1000020 + 199999, 1, 0x11),
		"[F.], seq 20, ack 1, win 0, length 0");
	tcpdump_sequences_free(sequences);
}
