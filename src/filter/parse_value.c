/* SPDX-License-Identifier: MIT */
/* A single value behind qualifiers: a name, a number, or an address in any notation. */
#include "filter/parse.h"

#include <string.h>

static bool has_host_qualifier(const struct qualifiers *q)
{
	return q->address == A_HOST || q->address == A_DEFAULT;
}

static int32_t parse_arcnet(struct bpei_compile *c, const struct qualifiers *q)
{
	const uint32_t address = c->number;

	if (!has_host_qualifier(q) || q->proto != P_LINK)
		return bpei_compile_fail(c,
			"an ARCnet address belongs to \"link host\", \"link src\" or \"link dst\"");
	bpei_lex_next(c);
	return bpei_term_arcnet(c, address, q->direction);
}

/* Parses AREA.NODE, or both in a number. */
static int32_t parse_decnet(struct bpei_compile *c, const struct qualifiers *q)
{
	const bool dotted = c->token == T_DOTTED;
	const uint32_t area = dotted ? c->parts[0] : c->number >> 10;
	const uint32_t node = dotted ? c->parts[1] : c->number & 1023;

	if (dotted && c->part_count != 2)
		return bpei_compile_fail(c, "a DECnet address is AREA.NODE");
	bpei_lex_next(c);
	return bpei_term_decnet(c, area, node, q->direction);
}

/* Returns the term for a network of IPv4.  parts: how many parts of the address were written. */
static int32_t term_network4(struct bpei_compile *c, uint32_t address, uint32_t parts,
	uint32_t mask, const struct qualifiers *q)
{
	if (parts < 4)
		address <<= 32 - 8 * parts;
	if (q->address != A_NET)
		return bpei_compile_fail_term(c, "a mask belongs to a net: net ADDRESS/LENGTH");
	if (address & ~mask)
		return bpei_compile_fail_term(
			c, "the network address has bits set behind its mask");
	return bpei_term_host(c, address, mask, q->proto, q->direction, "net");
}

/* Parses the length of a mask behind "/".  Returns false after an error. */
static bool parse_mask_length(struct bpei_compile *c, uint32_t most, uint32_t *length)
{
	bpei_lex_next(c);
	*length = c->number;
	if (c->token == T_NUMBER && *length <= most)
		return true;
	bpei_compile_fail(c, "a mask length from 0 to %u should be here", most);
	return false;
}

/* Parses a dotted address, with a mask or without. */
static int32_t parse_dotted(struct bpei_compile *c, const struct qualifiers *q)
{
	const uint32_t address = c->number;
	const uint32_t parts = c->part_count;
	uint32_t length, mask = 0;

	if (c->has_large_part)
		return bpei_compile_fail(c, "an address has no part above 255");
	bpei_lex_next(c);
	if (c->token == '/') {
		if (!parse_mask_length(c, 32, &length))
			return -1;
		if (length)
			mask = UINT32_MAX << (32 - length);
	} else if (c->token == T_MASK) {
		bpei_lex_next(c);
		if (c->token != T_DOTTED || c->has_large_part)
			return bpei_parse_unexpected(c, "a netmask");
		mask = c->number;
		if (c->part_count < 4)
			mask <<= 32 - 8 * c->part_count;
	} else {
		return bpei_parse_numbered(c, address, 8 * parts, q);
	}
	const int32_t b = term_network4(c, address, parts, mask, q);
	bpei_lex_next(c);
	return b;
}

static int32_t parse_ip6(struct bpei_compile *c, const struct qualifiers *q)
{
	const bool is_net = q->address == A_NET;
	uint8_t address[16], mask[16] = { 0 };
	uint32_t length = 128;

	memcpy(address, c->bytes, sizeof address);
	bpei_lex_next(c);
	if (c->token == '/') {
		if (!parse_mask_length(c, 128, &length))
			return -1;
		bpei_lex_next(c);
	}
	for (uint32_t i = 0; i < length; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (!is_net && length != 128)
		return bpei_compile_fail_term(c, "a mask belongs to a net: net ADDRESS/LENGTH");
	for (int i = 0; i < 16; i++)
		if (address[i] & ~mask[i])
			return bpei_compile_fail_term(
				c, "the network address has bits set behind its mask");
	if (!is_net && !has_host_qualifier(q))
		return bpei_compile_fail_term(c, "an IPv6 address is a host or a net");
	return bpei_term_host6(c, address, mask, q->proto, q->direction, is_net ? "net" : "host");
}

static int32_t parse_mac(struct bpei_compile *c, const struct qualifiers *q)
{
	uint8_t address[6];

	if (!has_host_qualifier(q) || q->proto != P_LINK)
		return bpei_compile_fail(c,
			"an Ethernet address belongs to \"ether host\", \"ether src\" or \"ether dst\"");
	memcpy(address, c->bytes, sizeof address);
	bpei_lex_next(c);
	return bpei_term_ether(c, address, q->direction);
}

static int32_t parse_name(struct bpei_compile *c, const struct qualifiers *q)
{
	char word[sizeof c->word];

	memcpy(word, c->word, sizeof word);
	const int32_t b = bpei_parse_named(c, word, q);
	bpei_lex_next(c);
	return b;
}

static int32_t parse_number(struct bpei_compile *c, const struct qualifiers *q)
{
	const uint32_t number = c->number;

	bpei_lex_next(c);
	return bpei_parse_numbered(c, number, 0, q);
}

/* Returns what should stand behind the qualifier, for an error. */
static const char *describe_wanted_value(enum address address)
{
	switch (address) {
	case A_PORT:
		return "a port's number or name";
	case A_PORTRANGE:
		return "a range of ports, such as 80-90";
	case A_NET:
		return "a network";
	case A_PROTO:
	case A_PROTOCHAIN:
	case A_GATEWAY:
		return "a protocol's number or name (with a backslash: \\tcp)";
	case A_HOST:
		return "an address or a host's name";
	default:
		return "an address, or host, net, port, portrange or proto";
	}
}

/* Returns true if the token can stand behind addr1 to addr4, ra and ta. */
static bool is_wlan_address(const struct bpei_compile *c, const struct qualifiers *q)
{
	return c->token == T_MAC || c->token == T_ARC || (c->token == T_NAME && q->proto == P_LINK);
}

int32_t bpei_parse_value(struct bpei_compile *c, const struct qualifiers *q)
{
	if (q->direction > D_AND && !is_wlan_address(c, q))
		return bpei_compile_fail(
			c, "addr1 to addr4, ra and ta want an 802.11 address: aa:bb:cc:dd:ee:ff");
	if (q->address == A_GATEWAY && c->token != T_NAME)
		return bpei_parse_unexpected(
			c, "a gateway's name, which both ethers(5) and hosts(5) or DNS know,");
	if (q->proto == P_DECNET && q->address <= A_NET &&
		(c->token == T_NUMBER || c->token == T_DOTTED))
		return parse_decnet(c, q);
	switch (c->token) {
	case T_ARC:
		return parse_arcnet(c, q);
	case T_NAME:
		return parse_name(c, q);
	case T_NUMBER:
		return parse_number(c, q);
	case T_DOTTED:
		return parse_dotted(c, q);
	case T_IP6:
		return parse_ip6(c, q);
	case T_MAC:
		return parse_mac(c, q);
	default:
		return bpei_parse_unexpected(c, describe_wanted_value(q->address));
	}
}
