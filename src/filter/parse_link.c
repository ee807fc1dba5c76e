/* SPDX-License-Identifier: MIT */
/* The part of the grammar that speaks of link layers: 802.11's types, subtypes and directions,
 * LLC's kinds. */
#include "base/pktap.h"
#include "filter/parse.h"

#include <string.h>

/* Type in the lower 4 bits, subtype in the upper ones, as in frame control (IEEE Std 802.11, table
 * of valid combinations). */
static const struct {
	const char *name;
	uint8_t value;
} subtypes[] = { { "assoc-req", 0x00 }, { "assocreq", 0x00 }, { "assoc-resp", 0x10 },
	{ "assocresp", 0x10 }, { "reassoc-req", 0x20 }, { "reassocreq", 0x20 },
	{ "reassoc-resp", 0x30 }, { "reassocresp", 0x30 }, { "probe-req", 0x40 },
	{ "probereq", 0x40 }, { "probe-resp", 0x50 }, { "proberesp", 0x50 }, { "beacon", 0x80 },
	{ "atim", 0x90 }, { "disassoc", 0xa0 }, { "disassociation", 0xa0 }, { "auth", 0xb0 },
	{ "authentication", 0xb0 }, { "deauth", 0xc0 }, { "deauthentication", 0xc0 },
	{ "bar", 0x84 }, { "ba", 0x94 }, { "ps-poll", 0xa4 }, { "rts", 0xb4 }, { "cts", 0xc4 },
	{ "ack", 0xd4 }, { "cf-end", 0xe4 }, { "cf-end-ack", 0xf4 }, { "data", 0x08 },
	{ "data-cf-ack", 0x18 }, { "data-cf-poll", 0x28 }, { "data-cf-ack-poll", 0x38 },
	{ "null", 0x48 }, { "cf-ack", 0x58 }, { "cf-poll", 0x68 }, { "cf-ack-poll", 0x78 },
	{ "qos-data", 0x88 }, { "qos-data-cf-ack", 0x98 }, { "qos-data-cf-poll", 0xa8 },
	{ "qos-data-cf-ack-poll", 0xb8 }, { "qos", 0xc8 }, { "qos-cf-poll", 0xe8 },
	{ "qos-cf-ack-poll", 0xf8 } };

static void next(struct bpei_compile *c)
{
	bpei_lex_next(c);
}

/* Of the type, or of any (-1). */
static int named_subtype(const char *name, int type)
{
	for (size_t i = 0; i < sizeof subtypes / sizeof *subtypes; i++)
		if (!strcmp(subtypes[i].name, name) &&
			(type < 0 || (subtypes[i].value & 0x0c) == type))
			return subtypes[i].value;
	return -1;
}

static int32_t frame_subtype(struct bpei_compile *c, int type)
{
	int value;
	next(c);
	if (c->token == T_NAME) {
		value = named_subtype(c->word, type);
		if (value < 0)
			return bpei_compile_fail(c,
				type < 0
					? "no subtype of an 802.11 frame: assoc-req, beacon, rts, qos-data and others are"
					: "no subtype of that type");
	} else if (c->token == T_NUMBER && type >= 0) {
		if (c->number & ~0xf0u)
			return bpei_compile_fail(
				c, "a subtype is the upper half of a byte: 0x10 to 0xf0");
		value = type | (int)c->number;
	} else {
		return bpei_parse_unexpected(c, "the name of a frame's subtype, such as beacon");
	}
	next(c);
	return bpei_term_wlan_type(c, (uint32_t)value, 0xfc);
}

static int32_t frame_type(struct bpei_compile *c)
{
	static const struct {
		const char *name;
		uint8_t value;
	} types[] = { { "mgt", 0 }, { "management", 0 }, { "ctl", 4 }, { "control", 4 },
		{ "data", 8 } };
	int type = -1;
	next(c);
	for (size_t i = 0; c->token == T_NAME && i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].name, c->word))
			type = types[i].value;
	if (c->token == T_NUMBER)
		type = c->number & ~0x0cu ? -1 : (int)c->number;
	if (type < 0)
		return c->token == T_NAME || c->token == T_NUMBER
			       ? bpei_compile_fail(c,
					 "no type of an 802.11 frame: mgt, ctl and data are (0, 4, 8)")
			       : bpei_parse_unexpected(c, "the type of a frame: mgt, ctl or data");
	next(c);
	return c->token == T_SUBTYPE ? frame_subtype(c, type)
				     : bpei_term_wlan_type(c, (uint32_t)type, 0x0c);
}

static int32_t frame_direction(struct bpei_compile *c)
{
	static const char *const names[] = { "nods", "tods", "fromds", "dstods" };
	uint32_t value = 4;
	next(c);
	if (c->pktap && c->token == T_NAME && (!strcmp(c->word, "in") || !strcmp(c->word, "out"))) {
		bool out = c->word[0] == 'o';
		next(c);
		return bpei_term_pktap_flag(c, out ? PKTAP_OUT : PKTAP_IN);
	}
	if (c->token == T_NUMBER)
		value = c->number;
	else if (c->token != T_NAME)
		return bpei_parse_unexpected(
			c, "the direction of a frame: nods, tods, fromds or dstods");
	for (uint32_t i = 0; c->token == T_NAME && i < 4; i++)
		if (!strcmp(names[i], c->word))
			value = i;
	if (c->token == T_NUMBER && value > 3)
		return bpei_compile_fail(
			c, "directions end at 3: nods, tods, fromds and dstods are 0 to 3");
	if (c->token == T_NAME && value == 4)
		return bpei_compile_fail(
			c, "no direction of an 802.11 frame: nods, tods, fromds and dstods are");
	next(c);
	return bpei_term_wlan_direction(c, value);
}

int32_t bpei_parse_link(struct bpei_compile *c)
{
	int32_t b;
	switch (c->token) {
	case T_TYPE:
		return frame_type(c);
	case T_SUBTYPE:
		return frame_subtype(c, -1);
	case T_DIR:
		return frame_direction(c);
	default:
		next(c);
		if (c->token != T_NAME && strcmp(c->word, "rnr") != 0)
			return bpei_term_llc(c, NULL);
		b = bpei_term_llc(c, c->word);
		next(c);
		return b;
	}
}
