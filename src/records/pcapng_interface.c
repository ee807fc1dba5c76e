/* SPDX-License-Identifier: MIT */
/* Reads an interface description block for writers (pcapng_interface.h).  The walk has proved the
 * options to lie in the block; here each is proved again.  An option of unknown byte order is left
 * out in a swapped section. */
#include "records/pcapng_interface.h"

#include "records/pcapng_options.h"

#include <stdlib.h>

enum { KI_COMMENT = 1, KI_NAME = 2, KI_DESCRIPTION = 3, KI_IP4 = 4, KI_IP6 = 5, KI_MAC = 6 };
enum { KI_EUI = 7, KI_SPEED = 8, KI_TSRESOL = 9, KI_FILTER = 11, KI_OS = 12, KI_FCS = 13 };
enum { KI_TSOFFSET = 14, KI_HARDWARE = 15, KI_TX_SPEED = 16, KI_RX_SPEED = 17, KI_ZONE = 18 };
enum { KI_EFFECTIVE_ID = 0x8001, KI_CUSTOM_TEXT = 2988, KI_CUSTOM_BYTES = 2989 };
#define KI_NOT_COPIED 0x4000

/* Where the next bytes of the interface's memory go. */
struct interface_memory {
	uint8_t *next;  /* strings */
	uint8_t *other; /* options, from the other half on */
};

/* Copies a text, without the 0 that old writers left.  Returns NULL for an empty text. */
static const char *keep_interface_text(struct interface_memory *m, struct bpei_cursor value)
{
	const size_t n = strnlen((const char *)value.next, bpei_cursor_left(&value));
	char *text = (char *)m->next;

	if (!n)
		return NULL;
	memcpy(text, value.next, n);
	text[n] = 0;
	m->next += n + 1;
	return text;
}

/* Copies a program of classic BPF: 8 bytes an instruction. */
static void keep_program(struct bpei_kept_interface *i, struct interface_memory *m,
	struct bpei_cursor value, bool swapped)
{
	const size_t n = bpei_cursor_left(&value) / 8 * 8;

	m->next += -(uintptr_t)m->next & 7; /* there are 8 bytes more than the options need */
	uint8_t *to = m->next;

	memcpy(to, value.next, n);
	for (size_t at = 0; swapped && at < n; at += 8) {
		bpei_store16(to + at, __builtin_bswap16(bpei_load16(to + at)));
		bpei_store32(to + at + 4, __builtin_bswap32(bpei_load32(to + at + 4)));
	}
	i->program = to;
	i->program_length = (uint32_t)(n / 8);
	m->next += n;
}

/* Takes a filter: an octet with the kind, then the filter. */
static void keep_filter(struct bpei_kept_interface *i, struct interface_memory *m,
	struct bpei_cursor value, bool swapped)
{
	const uint8_t kind = bpei_cursor_u8(&value);

	if (value.bad)
		return;
	if (kind == 0 && !i->filter_text)
		i->filter_text = keep_interface_text(m, value);
	else if (kind == 1 && !i->program)
		keep_program(i, m, value, swapped);
}

/* Returns how many bytes a number of the option has, to be swapped; 0: the value has no byte order;
 * -1: not known. */
static int interface_option_number(uint16_t code)
{
	switch (code) {
	case KI_COMMENT:
	case KI_IP4:
	case KI_IP6:
	case KI_EUI:
	case KI_FCS:
	case KI_ZONE:
		return 0;
	case KI_EFFECTIVE_ID:
		return 4;
	case KI_TX_SPEED:
	case KI_RX_SPEED:
		return 8;
	default:
		return -1;
	}
}

/* Appends any other option to the rest. */
static void keep_other_option(
	struct interface_memory *m, const struct bpei_option_in *o, bool swapped)
{
	const size_t n = bpei_cursor_left(&o->value);
	const int number = interface_option_number(o->code);
	uint8_t *to = m->other;

	if (number > 0 && n != (size_t)number)
		return;
	/* An enterprise's number is the least; with bit 0x4000 copies are forbidden. */
	if ((o->code & ~KI_NOT_COPIED) == KI_CUSTOM_TEXT ||
		(o->code & ~KI_NOT_COPIED) == KI_CUSTOM_BYTES)
		if (n < 4 || (o->code & KI_NOT_COPIED))
			return;
	if (swapped && number < 0)
		return;
	bpei_store16(to, o->code);
	bpei_store16(to + 2, (uint16_t)n);
	memcpy(to + 4, o->value.next, n);
	memset(to + 4 + n, 0, -n & 3);
	if (swapped && number == 4)
		bpei_store32(to + 4, __builtin_bswap32(bpei_load32(to + 4)));
	if (swapped && number == 8)
		bpei_store64(to + 4, __builtin_bswap64(bpei_load64(to + 4)));
	m->other += 4 + ((n + 3) & ~(size_t)3);
}

static void keep_interface_option(struct bpei_kept_interface *i, struct interface_memory *m,
	const struct bpei_option_in *o, bool swapped)
{
	struct bpei_cursor value = o->value;
	const size_t n = bpei_cursor_left(&value);
	const bool big = (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != swapped;

	if (o->code == KI_NAME)
		i->name = keep_interface_text(m, value);
	else if (o->code == KI_DESCRIPTION)
		i->description = keep_interface_text(m, value);
	else if (o->code == KI_HARDWARE)
		i->hardware = keep_interface_text(m, value);
	else if (o->code == KI_OS)
		i->os = keep_interface_text(m, value);
	else if (o->code == KI_FILTER)
		keep_filter(i, m, value, swapped);
	else if (o->code == KI_SPEED && n == 8)
		i->speed = bpei_cursor_u64(&value, big);
	else if (o->code == KI_TSRESOL)
		i->digits = n == 1 && value.next[0] <= 9 ? value.next[0] : 9;
	else if (o->code == KI_MAC && n == sizeof i->mac) {
		memcpy(i->mac, value.next, n);
		i->has_mac = true;
	} else if (o->code != KI_TSOFFSET)
		keep_other_option(m, o, swapped);
}

int bpei_kept_interface_read(
	struct bpei_kept_interface *interface, const void *body, size_t length, bool swapped)
{
	const bool big = (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != swapped;
	struct bpei_cursor bytes = bpei_cursor_init(body, length);
	struct bpei_kept_interface i = { .digits = 6 };
	struct bpei_option_in o;
	bool has_offset = false;

	i.link_type = bpei_cursor_u16(&bytes, big);
	bpei_cursor_take(&bytes, 2);
	i.snaplen = bpei_cursor_u32(&bytes, big);
	/* A text needs its option's bytes, and so does an option that is copied whole. */
	i.memory = malloc(2 * length + 16);
	if (!i.memory)
		return -1;
	struct interface_memory m = { .next = (uint8_t *)i.memory };
	m.other = m.next + length + 8;
	i.rest = m.other;
	struct bpei_options_in options = { .rest = bytes, .big = big };
	while (bpei_options_next(&options, &o)) {
		keep_interface_option(&i, &m, &o, swapped);
		has_offset |= o.code == KI_TSOFFSET;
	}
	if (has_offset)
		i.digits = 9;
	i.rest_bytes = (uint32_t)(m.other - i.rest);
	*interface = i;
	return 0;
}
