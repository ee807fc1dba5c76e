/* SPDX-License-Identifier: MIT */
/* Replaces the addresses of an IP header, of IPv4's options and of IPv6's extension headers.  Pure.
 *
 * Sources: IPv4's options: RFC 791; IPv6: RFC 8200; routing headers: RFC 5095 (0), 6275 (2), 8754
 * (4); home address: RFC 6275, "6.3". */
#include "base/bytes.h"
#include "names/numbers.h"
#include "rewrite/edit.h"

/* Replaces the addresses in IPv4's options, which lie in [at, end). */
static void edit_ip4_options(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum {
		END = 0,
		NOP = 1,
		RECORD_ROUTE = 7,
		TIME = 68,
		LOOSE_ROUTE = 131,
		STRICT_ROUTE = 137
	};

	while (at < end && e->from[at] != END) {
		const uint8_t type = e->from[at];
		uint32_t first = 3;
		uint32_t step = 4;

		if (type == NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || e->from[at + 1] < 2)
			return;
		uint32_t length = e->from[at + 1];
		if (length > end - at)
			length = end - at;
		if (type == TIME) {
			first = 4;
			step = 8;
		}
		const bool addresses = type == RECORD_ROUTE || type == LOOSE_ROUTE ||
				       type == STRICT_ROUTE ||
				       (type == TIME && length >= 4 && e->from[at + 3] & 3);
		for (uint32_t i = first; addresses && i < length; i += step)
			bpei_edit_ip4_address(e, at + i);
		at += length;
	}
}

static bool edit_ip4_header(struct bpei_edit *e, struct bpei_ip_level *l)
{
	const uint8_t *ip = e->from + l->offset;
	const uint32_t left = e->caplen - l->offset;

	bpei_edit_ip4_address(e, l->offset + 12);
	bpei_edit_ip4_address(e, l->offset + 16);
	l->target = l->offset + 16;
	l->end = l->whole = e->caplen;
	if (left < 20)
		return true;
	const uint32_t header = (ip[0] & 15u) * 4;
	const uint32_t total = bpei_be16(ip + 2);
	const uint32_t fragment = bpei_be16(ip + 6);
	if (header < 20)
		return true;
	if (total >= header)
		l->whole = l->offset + total;
	if (l->whole < l->end)
		l->end = l->whole;
	edit_ip4_options(e, l->offset + 20, l->offset + (header < left ? header : left));
	l->proto = ip[9];
	l->fragment = fragment & 0x2000;
	if (fragment & 0x1fff || header > left)
		return true;
	l->upper = l->offset + header;
	if (l->proto == IP_AH && bpei_edit_has(e, l->upper, 12)) {
		l->proto = e->from[l->upper];
		l->upper += (e->from[l->upper + 1] + 2u) * 4;
	}
	return true;
}

/* Replaces the addresses of a routing header of n bytes. */
static void edit_routing_header(
	struct bpei_edit *e, struct bpei_ip_level *l, uint32_t at, uint32_t n)
{
	enum { SOURCE_ROUTE = 0, HOME = 2, SEGMENTS = 4 };
	const uint8_t type = e->from[at + 2];
	uint32_t count = n / 16;

	if (type != SOURCE_ROUTE && type != HOME && type != SEGMENTS)
		return;
	if (type == SEGMENTS && count > e->from[at + 4] + 1u)
		count = e->from[at + 4] + 1u; /* tags lie behind */
	for (uint32_t i = 0; i < count; i++)
		bpei_edit_ip6_address(e, at + 8 + i * 16);
	if (e->from[at + 3] && count && bpei_edit_has(e, at + 8, count * 16))
		l->target = at + 8 + (type == SEGMENTS ? 0 : (count - 1) * 16);
}

/* Replaces the home address among the destination options in [at, end). */
static void edit_home_address(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum { PAD1 = 0, HOME_ADDRESS = 0xc9 };

	while (at < end) {
		if (e->from[at] == PAD1) {
			at++;
			continue;
		}
		if (e->from[at] == HOME_ADDRESS)
			bpei_edit_ip6_address(e, at + 2);
		if (end - at < 2)
			return;
		at += 2u + e->from[at + 1];
	}
}

/* Passes the extension headers, and sets the level's transport header. */
static void edit_extensions(struct bpei_edit *e, struct bpei_ip_level *l, uint8_t next)
{
	for (uint32_t at = l->offset + 40; at < l->end;) {
		uint32_t length = 8;

		switch (next) {
		case IP_HOPOPTS:
		case IP_ROUTING:
		case IP_DSTOPTS:
		case IP_MOBILITY:
		case IP_HIP:
		case IP_SHIM6:
		case IP_AH:
		case IP_FRAGMENT:
			break;
		default:
			l->proto = next;
			l->upper = at;
			return;
		}
		if (l->end - at < 8)
			return;
		const uint8_t *h = e->from + at;
		if (next == IP_AH)
			length = (h[1] + 2u) * 4;
		else if (next != IP_FRAGMENT)
			length = (h[1] + 1u) * 8;
		const uint32_t end = length < l->end - at ? at + length : l->end;
		if (next == IP_ROUTING)
			edit_routing_header(e, l, at, length - 8);
		else if (next == IP_DSTOPTS)
			edit_home_address(e, at + 2, end);
		else if (next == IP_FRAGMENT && bpei_be16(h + 2) & 0xfff8)
			return;
		l->fragment |= next == IP_FRAGMENT && bpei_be16(h + 2) & 1;
		next = h[0];
		at += length;
	}
}

static bool edit_ip6_header(struct bpei_edit *e, struct bpei_ip_level *l)
{
	bpei_edit_ip6_address(e, l->offset + 8);
	bpei_edit_ip6_address(e, l->offset + 24);
	l->target = l->offset + 24;
	l->end = l->whole = e->caplen;
	if (e->caplen - l->offset < 40)
		return true;
	const uint32_t length = bpei_be16(e->from + l->offset + 4);
	if (length)
		l->whole = l->offset + 40 + length;
	if (l->whole < l->end)
		l->end = l->whole;
	edit_extensions(e, l, e->from[l->offset + 6]);
	return true;
}

bool bpei_edit_ip(struct bpei_edit *e, struct bpei_ip_level *l)
{
	const unsigned version = l->six ? 6 : 4;

	if (!bpei_edit_has(e, l->offset, 1) || e->from[l->offset] >> 4 != version)
		return false;
	if (!(l->six ? edit_ip6_header(e, l) : edit_ip4_header(e, l)))
		return false;
	if (l->upper >= l->end)
		l->upper = 0;
	if (l->upper)
		bpei_edit_message(e, l);
	return true;
}
