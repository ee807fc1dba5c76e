/* SPDX-License-Identifier: MIT */
/* Link layers in the grammar: 802.11's types, subtypes and directions, LLC's frame types. */
#include "base/pktap.h"
#include "filter/parse.h"

#include <string.h>

/* A name, and bits of frame control's first byte. */
struct frame_name {
	const char *name;
	uint8_t value;
};

/* The type is in the lower 4 bits, the subtype in the upper 4 (IEEE Std 802.11, table of valid
 * combinations). */
static const struct frame_name subtypes[] = { { "assoc-req", 0x00 }, { "assocreq", 0x00 },
	{ "assoc-resp", 0x10 }, { "assocresp", 0x10 }, { "reassoc-req", 0x20 },
	{ "reassocreq", 0x20 }, { "reassoc-resp", 0x30 }, { "reassocresp", 0x30 },
	{ "probe-req", 0x40 }, { "probereq", 0x40 }, { "probe-resp", 0x50 }, { "proberesp", 0x50 },
	{ "beacon", 0x80 }, { "atim", 0x90 }, { "disassoc", 0xa0 }, { "disassociation", 0xa0 },
	{ "auth", 0xb0 }, { "authentication", 0xb0 }, { "deauth", 0xc0 },
	{ "deauthentication", 0xc0 }, { "bar", 0x84 }, { "ba", 0x94 }, { "ps-poll", 0xa4 },
	{ "rts", 0xb4 }, { "cts", 0xc4 }, { "ack", 0xd4 }, { "cf-end", 0xe4 },
	{ "cf-end-ack", 0xf4 }, { "data", 0x08 }, { "data-cf-ack", 0x18 }, { "data-cf-poll", 0x28 },
	{ "data-cf-ack-poll", 0x38 }, { "null", 0x48 }, { "cf-ack", 0x58 }, { "cf-poll", 0x68 },
	{ "cf-ack-poll", 0x78 }, { "qos-data", 0x88 }, { "qos-data-cf-ack", 0x98 },
	{ "qos-data-cf-poll", 0xa8 }, { "qos-data-cf-ack-poll", 0xb8 }, { "qos", 0xc8 },
	{ "qos-cf-poll", 0xe8 }, { "qos-cf-ack-poll", 0xf8 } };

static const struct frame_name frame_types[] = { { "mgt", 0 }, { "management", 0 }, { "ctl", 4 },
	{ "control", 4 }, { "data", 8 } };

/* Returns the subtype of this name and type (-1: any type), or -1. */
static int find_subtype(const char *name, int type)
{
	for (size_t i = 0; i < sizeof subtypes / sizeof *subtypes; i++)
		if (!strcmp(subtypes[i].name, name) &&
			(type < 0 || (subtypes[i].value & 0x0c) == type))
			return subtypes[i].value;
	return -1;
}

static int32_t fail_subtype(struct bpei_compile *c, int type)
{
	if (type >= 0)
		return bpei_compile_fail(c, "no subtype of that type");
	return bpei_compile_fail(c,
		"no subtype of an 802.11 frame: assoc-req, beacon, rts, qos-data and others are");
}

/* Parses a subtype by name, or, of a given type, by number.  type -1: any. */
static int32_t parse_subtype(struct bpei_compile *c, int type)
{
	int value;

	bpei_lex_next(c);
	if (c->token == T_NAME) {
		value = find_subtype(c->word, type);
		if (value < 0)
			return fail_subtype(c, type);
	} else if (c->token == T_NUMBER && type >= 0) {
		if (c->number & ~0xf0u)
			return bpei_compile_fail(
				c, "a subtype is the upper half of a byte: 0x10 to 0xf0");
		value = type | (int)c->number;
	} else {
		return bpei_parse_unexpected(c, "the name of a frame's subtype, such as beacon");
	}
	bpei_lex_next(c);
	return bpei_term_wlan_type(c, (uint32_t)value, 0xfc);
}

/* Returns the type that the current token names, or -1. */
static int read_frame_type(const struct bpei_compile *c)
{
	if (c->token == T_NUMBER)
		return c->number & ~0x0cu ? -1 : (int)c->number;
	for (size_t i = 0; c->token == T_NAME && i < sizeof frame_types / sizeof *frame_types; i++)
		if (!strcmp(frame_types[i].name, c->word))
			return frame_types[i].value;
	return -1;
}

static int32_t parse_frame_type(struct bpei_compile *c)
{
	bpei_lex_next(c);
	const int type = read_frame_type(c);
	if (type < 0 && c->token != T_NAME && c->token != T_NUMBER)
		return bpei_parse_unexpected(c, "the type of a frame: mgt, ctl or data");
	if (type < 0)
		return bpei_compile_fail(
			c, "no type of an 802.11 frame: mgt, ctl and data are (0, 4, 8)");
	bpei_lex_next(c);
	if (c->token == T_SUBTYPE)
		return parse_subtype(c, type);
	return bpei_term_wlan_type(c, (uint32_t)type, 0x0c);
}

/* Parses "in" or "out" behind dir: a direction of PKTAP, not of 802.11. */
static int32_t parse_pktap_direction(struct bpei_compile *c)
{
	const bool out = c->word[0] == 'o';

	bpei_lex_next(c);
	return bpei_term_pktap_flag(c, out ? PKTAP_OUT : PKTAP_IN);
}

static int32_t parse_frame_direction(struct bpei_compile *c)
{
	static const char *const names[] = { "nods", "tods", "fromds", "dstods" };
	uint32_t value = 4;

	bpei_lex_next(c);
	const bool is_name = c->token == T_NAME;
	if (c->pktap && is_name && (!strcmp(c->word, "in") || !strcmp(c->word, "out")))
		return parse_pktap_direction(c);
	if (!is_name && c->token != T_NUMBER)
		return bpei_parse_unexpected(
			c, "the direction of a frame: nods, tods, fromds or dstods");
	if (!is_name)
		value = c->number;
	for (uint32_t i = 0; is_name && i < 4; i++)
		if (!strcmp(names[i], c->word))
			value = i;
	if (!is_name && value > 3)
		return bpei_compile_fail(
			c, "directions end at 3: nods, tods, fromds and dstods are 0 to 3");
	if (is_name && value == 4)
		return bpei_compile_fail(
			c, "no direction of an 802.11 frame: nods, tods, fromds and dstods are");
	bpei_lex_next(c);
	return bpei_term_wlan_direction(c, value);
}

static int32_t parse_llc(struct bpei_compile *c)
{
	bpei_lex_next(c);
	if (c->token != T_NAME && strcmp(c->word, "rnr") != 0) /* "rnr" is a keyword of pf, too */
		return bpei_term_llc(c, NULL);
	const int32_t b = bpei_term_llc(c, c->word);
	bpei_lex_next(c);
	return b;
}

int32_t bpei_parse_link(struct bpei_compile *c)
{
	switch (c->token) {
	case T_TYPE:
		return parse_frame_type(c);
	case T_SUBTYPE:
		return parse_subtype(c, -1);
	case T_DIR:
		return parse_frame_direction(c);
	default:
		return parse_llc(c);
	}
}
