/* SPDX-License-Identifier: MIT */
/* Our own line of a packet (own.h).
 *
 * The columns: interface, direction, protocol, both ends, TCP's flags, length, and TCP's window.
 * The words behind the columns are rare, and own_words.c puts them.  A line is written without
 * checks of room, since each part has a bound. */
#include "own.h"

#include "own_words.h"

#define INTERFACE_WIDTH 8
#define PROTOCOL_WIDTH 6
#define END_WIDTH 21 /* 255.255.255.255:65535 */
#define ENDS_WIDTH (2 * END_WIDTH + 3)
#define FLAGS_WIDTH 5
#define NUMBER_WIDTH 5

#define TCP_LETTERS "FSRP.UEW" /* by bit, as tcpdump */

/* Texts of TCP's flags, and their length in the last place; made by own_begin. */
static char flag_texts[256][FLAGS_WIDTH + 5];

void own_begin(void)
{
	/* tcpdump's order: F S R P . U E W, none for no flag */
	for (uint32_t flags = 0; flags < 256; flags++) {
		char *at = flag_texts[flags];

		for (uint32_t bit = 0; bit < 8; bit++)
			if (flags >> bit & 1)
				*at++ = TCP_LETTERS[bit];
		if (!flags)
			at = DIGITS_PUT_TEXT(at, "none");
		at = digits_pad(at, flag_texts[flags] + FLAGS_WIDTH);
		flag_texts[flags][FLAGS_WIDTH + 4] = (char)(at - flag_texts[flags]);
	}
}

/* Puts an end: 192.0.2.1:443, [2001:db8::1]:443, or the address alone. */
static inline char *put_end(char *at, const struct print_ends *ends, uint32_t k)
{
	const bool has_brackets = ends->version == 6 && ends->has_ports;

	if (ends->version == 4) {
		at = digits_put_ip4(at, ends->addr[k]);
	} else {
		if (has_brackets)
			*at++ = '[';
		at = digits_put_ip6(at, ends->addr[k]);
		if (has_brackets)
			*at++ = ']';
	}
	if (!ends->has_ports)
		return at;
	*at++ = ':';
	return digits_put_short(at, ends->port[k]);
}

/* Puts a hardware address. */
static char *put_hardware(char *at, const uint8_t *address)
{
	static const char hex[] = "0123456789abcdef";

	for (int k = 0; k < 6; k++) {
		if (k)
			*at++ = ':';
		*at++ = hex[address[k] >> 4];
		*at++ = hex[address[k] & 15];
	}
	return at;
}

/* Puts both ends and the blank behind them.  Packets without IP have the ends of Ethernet. */
static inline char *put_ends(
	char *at, const struct bpe_batch *b, uint32_t i, const struct print_ends *ends)
{
	char *const start = at;
	const bool is_hardware =
		!ends->version && b->layers[i].link_type == OWN_ETHERNET && b->caplen[i] >= 12;

	if (!ends->version && !is_hardware) {
		*at++ = '-';
		return digits_pad(at, start + ENDS_WIDTH + 1);
	}
	at = is_hardware ? put_hardware(at, b->data[i] + 6) : put_end(at, ends, 0);
	at = digits_pad(at, start + END_WIDTH);
	at = DIGITS_PUT_TEXT(at, " > ");
	at = is_hardware ? put_hardware(at, b->data[i]) : put_end(at, ends, 1);
	*at++ = ' ';
	return digits_pad(at, start + ENDS_WIDTH + 1);
}

/* Puts a number and blanks up to the width of the column. */
static inline char *put_number_column(char *at, uint32_t number)
{
	char *const end = at + NUMBER_WIDTH;

	memcpy(at, "        ", 8);
	at = digits_put(at, number);
	return at < end ? end : at;
}

/* Puts a text of at most `most` bytes and blanks up to the width of the column, and a blank. */
static inline char *put_column(char *at, const char *text, size_t width)
{
	const size_t n = strlen(text);

	memcpy(at, text, n);
	at[n] = ' ';
	return digits_pad(at + n + 1, at + width + 1);
}

/* Puts interface, direction and protocol. */
static inline char *put_place(char *at, const struct own_form *form, const struct bpe_layers *l,
	const struct print_facts *facts)
{
	static const char directions[3][4] = { "-  ", "in ", "out" };

	if (!form->options.quick) {
		at = put_column(at, facts->interface_name, INTERFACE_WIDTH);
		memcpy(at, directions[facts->direction], 4);
		at[3] = ' ';
		at += 4;
	}
	if (l->proto == BPE_PROTO_TCP) {
		memcpy(at, "tcp     ", 8);
		return at + PROTOCOL_WIDTH + 1;
	}
	if (l->proto == BPE_PROTO_UDP) {
		memcpy(at, "udp     ", 8);
		return at + PROTOCOL_WIDTH + 1;
	}
	return put_column(at, facts_protocol(l), PROTOCOL_WIDTH);
}

/* Puts the addresses of the link layer (-e). */
static char *put_link_ends(char *at, const struct bpe_batch *b, uint32_t i)
{
	char *const start = at;

	if (b->layers[i].link_type == OWN_ETHERNET && b->caplen[i] >= 14) {
		at = put_hardware(at, b->data[i] + 6);
		at = DIGITS_PUT_TEXT(at, " > ");
		at = put_hardware(at, b->data[i]);
	} else {
		*at++ = '-';
	}
	return digits_pad(at, start + 38);
}

void own_put_packet(struct print_line *line, struct own_form *form, const struct bpe_batch *b,
	uint32_t i, const struct print_facts *facts)
{
	const struct bpe_layers *const l = &b->layers[i];
	const bool is_tcp = l->proto == BPE_PROTO_TCP && l->transport != BPE_NO_OFFSET &&
			    l->transport + 20u <= b->caplen[i];
	struct print_ends ends;
	char *at = line->at;

	facts_find_ends(&ends, b, i);
	at = put_place(at, form, l, facts);
	if (form->options.link)
		at = put_link_ends(at, b, i);
	if (form->has_color)
		at = own_begin_color(at, b->hash[i]);
	at = put_ends(at, b, i, &ends);
	if (form->has_color)
		at = own_end_color(at);
	if (is_tcp) {
		memcpy(at, flag_texts[l->tcp_flags], FLAGS_WIDTH + 4);
		at += (uint8_t)flag_texts[l->tcp_flags][FLAGS_WIDTH + 4];
	} else {
		memcpy(at, "     ", FLAGS_WIDTH);
		at += FLAGS_WIDTH;
	}
	at = DIGITS_PUT_TEXT(at, " len ");
	at = put_number_column(at, facts_payload(b, i, ends.version));
	if (is_tcp && !form->options.quick) {
		at = DIGITS_PUT_TEXT(at, " win ");
		at = put_number_column(at, facts_u16(b->data[i] + l->transport + 14));
	}
	line->at = at;
	own_put_words(line, form, b, i, facts);
	while (line->at[-1] == ' ') /* columns at the end of the line */
		line->at--;
}
