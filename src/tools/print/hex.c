/* SPDX-License-Identifier: MIT */
/* Bytes of packets as lines (hex.h).  Each line finds its room in the output anew, so a packet may
 * have any length. */
#include "hex.h"

#define ROW 16u
#define TEXT_PIECE 4096u

static const char hex_letters[] = "0123456789abcdef";

/* Returns whether the byte is printed unchanged beside the hexadecimal digits. */
static bool is_graph(uint8_t byte)
{
	return byte > 0x20 && byte < 0x7f;
}

/* Puts a row of at most 16 bytes. */
static void put_row(
	struct print_line *line, const uint8_t *bytes, size_t n, size_t offset, bool has_text)
{
	line_put_text(line, "\n\t0x");
	line_put_hex(line, offset, 4);
	line_put_text(line, ": ");
	for (size_t k = 0; k < n; k++) {
		if (!(k & 1))
			line_put_char(line, ' ');
		line_put_char(line, hex_letters[bytes[k] >> 4]);
		line_put_char(line, hex_letters[bytes[k] & 15]);
	}
	if (!has_text)
		return;
	for (size_t k = n; k < ROW; k++) /* a pair of bytes is a blank and four digits wide */
		line_put_text(line, k & 1 ? "  " : "   ");
	line_put_text(line, "  ");
	for (size_t k = 0; k < n; k++)
		line_put_char(line, is_graph(bytes[k]) ? (char)bytes[k] : '.');
}

void hex_put(struct print_output *out, const uint8_t *bytes, size_t n, bool has_text)
{
	for (size_t from = 0; from < n; from += ROW) {
		struct print_line line = print_output_line(out);
		const size_t left = n - from;

		put_row(&line, bytes + from, left < ROW ? left : ROW, from, has_text);
		print_output_add(out, &line);
	}
}

void hex_put_digits(struct print_output *out, const uint8_t *bytes, size_t n)
{
	struct print_line line = print_output_line(out);

	for (size_t k = 0; k < n; k++) {
		if (k % TEXT_PIECE == TEXT_PIECE - 1) {
			print_output_add(out, &line);
			line = print_output_line(out);
		}
		line_put_char(&line, hex_letters[bytes[k] >> 4]);
		line_put_char(&line, hex_letters[bytes[k] & 15]);
	}
	print_output_add(out, &line);
}

/* Puts a byte of -A.  behind: how many bytes follow; next: the first of those, or 0. */
static void put_text_byte(struct print_line *line, uint8_t byte, size_t behind, uint8_t next)
{
	if (byte ==
		'\r') { /* no dot at the end of a line, or within the last two bytes (tcpdump) */
		if (behind > 1 && next != '\n')
			line_put_char(line, '.');
		return;
	}
	const bool is_plain = is_graph(byte) || byte == '\t' || byte == ' ' || byte == '\n';
	line_put_char(line, is_plain ? (char)byte : '.');
}

void hex_put_text(struct print_output *out, const uint8_t *bytes, size_t n)
{
	struct print_line line = print_output_line(out);

	line_put_char(&line, '\n');
	for (size_t k = 0; k < n; k++) {
		const size_t behind = n - k - 1;

		if (k % TEXT_PIECE == TEXT_PIECE - 1) {
			print_output_add(out, &line);
			line = print_output_line(out);
		}
		put_text_byte(&line, bytes[k], behind, behind ? bytes[k + 1] : 0);
	}
	print_output_add(out, &line);
}
