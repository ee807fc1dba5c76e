/* SPDX-License-Identifier: MIT */
/* Replaces the addresses in messages of ICMP, ICMPv6 and IGMP.  Pure.
 *
 * Sources: ICMP: RFC 792, router advertisements: RFC 1256; ICMPv6: RFC 4443; neighbour discovery:
 * RFC 4861, route information: RFC 4191, name servers: RFC 8106; MLD: RFC 2710, 9777; IGMP: RFC
 * 9776. */
#include "base/bytes.h"
#include "names/numbers.h"
#include "rewrite/edit.h"

/* Replaces an address of a family at offset. */
static void edit_any_address(struct bpei_edit *e, uint32_t offset, bool six)
{
	if (six)
		bpei_edit_ip6_address(e, offset);
	else
		bpei_edit_ip4_address(e, offset);
}

/* Replaces n addresses at `at`, as far as they begin before end. */
static void edit_address_list(struct bpei_edit *e, uint32_t at, uint32_t end, uint32_t n, bool six)
{
	const uint32_t bytes = six ? 16 : 4;

	for (; n && at < end; n--, at += bytes)
		edit_any_address(e, at, six);
}

/* Replaces the addresses of the group records of a membership report at `at`. */
static void edit_group_records(
	struct bpei_edit *e, uint32_t at, uint32_t end, uint32_t records, bool six)
{
	const uint32_t bytes = six ? 16 : 4;

	for (; records && at < end && end - at > 4; records--) {
		const uint32_t sources = bpei_be16(e->from + at + 2);
		const uint32_t words = e->from[at + 1];

		edit_address_list(e, at + 4, end, 1 + sources, six);
		at += 4 + (1 + sources) * bytes + words * 4;
	}
}

/* Replaces the first 8 or all 16 bytes of a route's prefix, which its option has. */
static void edit_route_prefix(struct bpei_edit *e, uint32_t at, uint32_t units)
{
	uint8_t address[16] = { 0 };

	if (units >= 3)
		bpei_edit_ip6_address(e, at);
	if (units != 2 || !bpei_edit_has(e, at, 8))
		return;
	memcpy(address, e->from + at, 8);
	bpei_prefix_ip6(e->prefix, address, address);
	memcpy(e->to + at, address, 8);
	bpei_edit_changed(e, at, 8);
}

/* Replaces the addresses in the options of neighbour discovery in [at, end). */
static void edit_neighbour_options(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum { SOURCE = 1, TARGET, PREFIX, REDIRECTED, ROUTE = 24, NAME_SERVERS = 25 };

	while (at < end && end - at >= 2 && e->from[at + 1]) {
		const uint32_t units = e->from[at + 1];
		const uint32_t behind = units * 8 < end - at ? at + units * 8 : end;

		switch (e->from[at]) {
		case SOURCE:
		case TARGET:
			if (e->macs && units == 1)
				bpei_edit_mac_address(e, at + 2);
			break;
		case PREFIX:
			if (units == 4)
				bpei_edit_ip6_address(e, at + 16);
			break;
		case REDIRECTED:
			bpei_edit_quotation(e, at + 8, behind);
			break;
		case ROUTE:
			edit_route_prefix(e, at + 8, units);
			break;
		case NAME_SERVERS:
			edit_address_list(e, at + 8, behind, (units - 1) / 2, true);
			break;
		default:
			break;
		}
		at += units * 8;
	}
}

/* Replaces the addresses of ICMPv6's message in [at, end). */
static void edit_icmp6(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum { QUERY = 130, REPORT, DONE, SOLICIT_ROUTER, ROUTER, SOLICIT, NEIGHBOUR, REDIRECT };
	enum { REPORT_2 = 143 };

	switch (e->from[at]) {
	case SOLICIT_ROUTER:
		edit_neighbour_options(e, at + 8, end);
		break;
	case ROUTER:
		edit_neighbour_options(e, at + 16, end);
		break;
	case SOLICIT:
	case NEIGHBOUR:
		edit_address_list(e, at + 8, end, 1, true);
		edit_neighbour_options(e, at + 24, end);
		break;
	case REDIRECT:
		edit_address_list(e, at + 8, end, 2, true);
		edit_neighbour_options(e, at + 40, end);
		break;
	case QUERY:
		edit_address_list(e, at + 8, end, 1, true);
		if (end - at >= 28)
			edit_address_list(e, at + 28, end, bpei_be16(e->from + at + 26), true);
		break;
	case REPORT:
	case DONE:
		edit_address_list(e, at + 8, end, 1, true);
		break;
	case REPORT_2:
		if (end - at >= 8)
			edit_group_records(e, at + 8, end, bpei_be16(e->from + at + 6), true);
		break;
	default:
		if (e->from[at] >= 1 && e->from[at] <= 4)
			bpei_edit_quotation(e, at + 8, end);
	}
}

/* Replaces the addresses of ICMP's message in [at, end). */
static void edit_icmp4(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum { UNREACHABLE = 3, QUENCH, REDIRECT, ROUTER = 9, EXCEEDED = 11, PARAMETER };

	switch (e->from[at]) {
	case REDIRECT:
		edit_address_list(e, at + 4, end, 1, false);
		bpei_edit_quotation(e, at + 8, end);
		break;
	case UNREACHABLE:
	case QUENCH:
	case EXCEEDED:
	case PARAMETER:
		bpei_edit_quotation(e, at + 8, end);
		break;
	case ROUTER:
		for (uint32_t i = at + 8; i < end; i += 8)
			edit_address_list(e, i, end, 1, false);
		break;
	default:
		break;
	}
}

/* Replaces the addresses of IGMP's message in [at, end). */
static void edit_igmp(struct bpei_edit *e, uint32_t at, uint32_t end)
{
	enum { QUERY = 0x11, REPORT_1, REPORT_2 = 0x16, LEAVE, REPORT_3 = 0x22 };
	const uint8_t type = e->from[at];

	if (type == QUERY || type == REPORT_1 || type == REPORT_2 || type == LEAVE)
		edit_address_list(e, at + 4, end, 1, false);
	if (type == QUERY && end - at >= 12)
		edit_address_list(e, at + 12, end, bpei_be16(e->from + at + 10), false);
	if (type == REPORT_3 && end - at >= 8)
		edit_group_records(e, at + 8, end, bpei_be16(e->from + at + 6), false);
}

void bpei_edit_message(struct bpei_edit *e, const struct bpei_ip_level *l)
{
	if (l->proto == IP_ICMP && !l->six)
		edit_icmp4(e, l->upper, l->end);
	else if (l->proto == IP_ICMP6 && l->six)
		edit_icmp6(e, l->upper, l->end);
	else if (l->proto == IP_IGMP && !l->six)
		edit_igmp(e, l->upper, l->end);
}
