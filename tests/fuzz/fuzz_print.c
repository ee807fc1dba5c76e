/* SPDX-License-Identifier: MIT */
/* Gives any bytes as packets of all link types to tcpdump's form (--print=tcpdump).  Each line ends
 * in the room and holds no character for a terminal to obey.  A packet
 * gives the same line twice.
 *
 * Input: a letter for the options, a link type of two bytes, a byte for the wire length, a packet.
 */
#include "fuzz.h"

#include "tools/print/tcpdump.h"

#include <string.h>

enum { ROOM = 16384, SMALL_ROOM = 100 };

static struct print_options choose_letters(uint8_t byte)
{
	const struct print_options options = { .form = PRINT_TCPDUMP,
		.link = byte & 1,
		.quick = byte & 2,
		.absolute = byte & 4,
		.verbose = byte >> 3 & 3,
		.hex = byte >> 5 & 1,
		.no_checksums = byte >> 6 & 1 };

	return options;
}

/* Tells whether a terminal can show a line safely. */
static int is_harmless_line(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)line[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f)
			return 0;
	}
	return 1;
}

void fuzz_print(const uint8_t *bytes, size_t n)
{
	static char line_room[3][ROOM];
	struct fuzz_input in = { bytes, bytes + n };
	const struct print_options options = choose_letters(fuzz_u8(&in));
	struct print_packet packet = { .link_type = fuzz_u16(&in) };
	const uint32_t cut = fuzz_u8(&in);
	struct print_line line[3];
	uint8_t *copy;

	packet.caplen = (uint32_t)fuzz_left(&in);
	packet.wirelen = packet.caplen + (cut & 0x80 ? cut << 6 : cut & 7);
	/* memory of exactly the packet's length, so that a sanitizer sees a read behind */
	copy = malloc(packet.caplen + !packet.caplen);
	FUZZ_CHECK(copy);
	memcpy(copy, in.next, packet.caplen);
	packet.bytes = copy;
	for (int i = 0; i < 3; i++) {
		line[i].at = line_room[i];
		line[i].end = line_room[i] + (i == 2 ? SMALL_ROOM : ROOM);
		line[i].is_cut = false;
		memset(line_room[2], '#', ROOM);
		tcpdump_put_packet(&line[i], &options, NULL, &packet);
		FUZZ_CHECK(line[i].at <= line[i].end);
		FUZZ_CHECK(is_harmless_line(line_room[i], (size_t)(line[i].at - line_room[i])));
	}
	FUZZ_CHECK(line[0].at - line_room[0] == line[1].at - line_room[1]);
	FUZZ_CHECK(!memcmp(line_room[0], line_room[1], (size_t)(line[0].at - line_room[0])));
	FUZZ_CHECK(line_room[2][SMALL_ROOM] == '#');
	free(copy);
}
