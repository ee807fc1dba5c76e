/* SPDX-License-Identifier: MIT */
/* ICMPv6's part of tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG,
	ICMP6_EXCEEDED,
	ICMP6_PARAMETER,
	ICMP6_ECHO = 128,
	ICMP6_REPLY,
	ICMP6_LISTENER_QUERY,
	ICMP6_LISTENER_REPORT,
	ICMP6_LISTENER_DONE,
	ICMP6_ROUTER_SOLICIT,
	ICMP6_ROUTER,
	ICMP6_NEIGHBOR_SOLICIT,
	ICMP6_NEIGHBOR,
	ICMP6_REDIRECT,
	ICMP6_LISTENER_REPORT_2 = 143,
	INNER = 8, /* the packet that the message is about */
	INNER_SOURCE = 8 + 8,
	INNER_TARGET = 8 + 24,
	MOST_EXTENSIONS = 16,
};

static const struct tcpdump_name message_names[] = { { 1, "destination unreachable" },
	{ 2, "packet too big" }, { 3, "time exceeded in-transit" }, { 4, "parameter problem" },
	{ 128, "echo request" }, { 129, "echo reply" }, { 130, "multicast listener query" },
	{ 131, "multicast listener report" }, { 132, "multicast listener done" },
	{ 133, "router solicitation" }, { 134, "router advertisement" },
	{ 135, "neighbor solicitation" }, { 136, "neighbor advertisement" }, { 137, "redirect" },
	{ 138, "router renumbering" }, { 139, "who-are-you request" }, { 140, "who-are-you reply" },
	{ 141, "inverse neighbor solicitation" }, { 142, "inverse neighbor advertisement" },
	{ 143, "multicast listener report v2" }, { 144, "ha discovery request" },
	{ 145, "ha discovery reply" }, { 146, "mobile router solicitation" },
	{ 147, "mobile router advertisement" }, { 155, "RPL" }, { 200, "mtrace response" },
	{ 201, "mtrace message" }, { 0, NULL } };

/* Finds the UDP or TCP header of the packet inside; returns false without one. */
static bool find_inner_ports(
	struct tcpdump *t, const struct span *s, uint32_t *protocol, uint32_t *at)
{
	*protocol = span_u8(t, s, INNER + 6);
	*at = INNER + 40;
	for (int i = 0; i < MOST_EXTENSIONS && span_has(s, *at, 4); i++) {
		const uint32_t next = s->at[*at];

		if (*protocol == 6 || *protocol == 17)
			return true;
		if (*protocol == 44)
			*at += 8;
		else if (*protocol == 0 || *protocol == 60 || *protocol == 43)
			*at += (s->at[*at + 1] + 1u) * 8;
		else
			break;
		*protocol = next;
	}
	return false;
}

static void put_port_unreachable6(struct tcpdump *t, const struct span *s)
{
	uint32_t protocol;
	uint32_t at;

	put_text(t, ", unreachable port");
	if (!find_inner_ports(t, s, &protocol, &at)) {
		tcpdump_put_cut(t);
		return;
	}
	put_text(t, ", ");
	put_span_ip6(t, s, INNER_TARGET);
	put_string(t, protocol == 6 ? " tcp port " : " udp port ");
	put_decimal(t, span_u16(t, s, at + 2));
}

/* Returns false for a code that is not known, which ends the line. */
static bool put_no_destination6(struct tcpdump *t, const struct span *s, uint32_t code)
{
	static const char *const words[] = { ", unreachable route", ",  unreachable prohibited",
		", beyond scope", ", unreachable address" };

	if (code == 4) {
		put_port_unreachable6(t, s);
	} else if (code < 4) {
		put_string(t, words[code]);
		if (!span_need(t, s, INNER_TARGET, 16))
			return true;
		put_char(t, ' ');
		put_span_ip6(t, s, INNER_TARGET);
		if (code == 2) {
			put_text(t, ", source address ");
			put_span_ip6(t, s, INNER_SOURCE);
		}
	} else {
		put_number(t, ", unknown unreach code (", code);
		put_char(t, ')');
		tcpdump_put_digits(t, s, "\n\t");
		return false;
	}
	return true;
}

static void put_exceeded6(struct tcpdump *t, const struct span *s, uint32_t code)
{
	span_need(t, s, INNER_TARGET, 16);
	if (code == 0) {
		put_text(t, " for ");
		put_span_ip6(t, s, INNER_TARGET);
	} else if (code == 1) {
		put_text(t, " (reassembly)");
	} else {
		put_number(t, ", unknown code (", code);
		put_char(t, ')');
	}
}

static void put_parameter6(struct tcpdump *t, const struct span *s, uint32_t code)
{
	static const char *const words[] = { ", erroneous", ", next header", ", option",
		", incomplete header chain" };

	span_need(t, s, INNER_TARGET, 16);
	if (code < 4) {
		put_string(t, words[code]);
		put_number(t, " - octet ", span_u32(t, s, 4));
	} else {
		put_number(t, ", code-#", code);
	}
}

static void put_listener(struct tcpdump *t, const struct span *s)
{
	put_text(t, "max resp delay: ");
	put_decimal(t, span_u16(t, s, 4));
	put_text(t, " addr: ");
	put_span_ip6(t, s, 8);
}

static void put_query2(struct tcpdump *t, const struct span *s)
{
	const uint32_t sources = span_u16(t, s, 26);

	put_text(t, " v2");
	if (t->options->verbose) {
		put_number(t, " [max resp delay=", span_u16(t, s, 4));
		put_char(t, ']');
	}
	put_text(t, " [gaddr ");
	put_span_ip6(t, s, 8);
	if (t->options->verbose) {
		if (span_u8(t, s, 24) & 8)
			put_text(t, " sflag");
		put_number(t, " robustness=", span_u8(t, s, 24) & 7);
		put_number(t, " qqi=", span_u8(t, s, 25));
	}
	if (sources)
		put_number(t, ", ", sources), put_text(t, " source(s)");
	put_char(t, ']');
}

static void put_redirect6(struct tcpdump *t, const struct span *s)
{
	span_need(t, s, 24, 16);
	put_text(t, ", ");
	put_span_ip6(t, s, 24);
	put_text(t, " to ");
	put_span_ip6(t, s, 8);
}

/* Puts what stands behind the name of a message; returns false if the line ends with that. */
static bool put_message6(struct tcpdump *t, const struct span *s, uint32_t type, uint32_t code)
{
	switch (type) {
	case ICMP6_UNREACHABLE:
		return put_no_destination6(t, s, code);
	case ICMP6_TOO_BIG:
		span_need(t, s, INNER_TARGET, 16);
		put_number(t, ", mtu ", span_u32(t, s, 4));
		break;
	case ICMP6_EXCEEDED:
		put_exceeded6(t, s, code);
		break;
	case ICMP6_PARAMETER:
		put_parameter6(t, s, code);
		break;
	case ICMP6_ECHO:
	case ICMP6_REPLY:
		span_need(t, s, 6, 2);
		put_number(t, ", id ", span_u16(t, s, 4));
		put_number(t, ", seq ", span_u16(t, s, 6));
		break;
	case ICMP6_LISTENER_QUERY:
		if (s->length == 24) {
			put_listener(t, s);
		} else if (s->length >= 28) {
			put_query2(t, s);
		}
		break;
	case ICMP6_LISTENER_REPORT:
	case ICMP6_LISTENER_DONE:
		put_listener(t, s);
		break;
	case ICMP6_NEIGHBOR_SOLICIT:
		span_need(t, s, 8, 16);
		put_text(t, ", who has ");
		put_span_ip6(t, s, 8);
		break;
	case ICMP6_NEIGHBOR:
		span_need(t, s, 8, 16);
		put_text(t, ", tgt is ");
		put_span_ip6(t, s, 8);
		break;
	case ICMP6_REDIRECT:
		put_redirect6(t, s);
		break;
	case ICMP6_LISTENER_REPORT_2:
		put_number(t, ", ", span_u16(t, s, 6));
		put_text(t, " group record(s)");
		break;
	default:
		break;
	}
	return true;
}

static void put_icmp6_checksum(struct tcpdump *t, const struct tcpdump_ip *ip, const struct span *s)
{
	uint16_t left;
	uint32_t found;

	if (!t->options->verbose || t->options->no_checksums || ip->is_fragment ||
		!span_has(s, 0, s->length) || s->length < 4)
		return;
	left = tcpdump_checksum(ip, s->at, s->length, 58);
	if (!left) {
		put_text(t, "[icmp6 sum ok] ");
		return;
	}
	found = span_u16(t, s, 2);
	put_text(t, "[bad icmp6 cksum ");
	put_0x(t, found, 4);
	put_text(t, " -> ");
	put_0x(t, tcpdump_right_sum(found, left), 4);
	put_text(t, "!] ");
}

void tcpdump_put_icmp6(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s)
{
	const char *name;
	uint32_t type;
	bool is_early;

	t->layer = "icmp6";
	if (!s.length) {
		put_text(t, "ICMP6, length 0 (invalid)");
		return;
	}
	put_icmp6_checksum(t, ip, &s);
	put_text(t, "ICMP6, ");
	type = span_u8(t, &s, 0);
	name = tcpdump_name(message_names, type);
	if (name) {
		put_string(t, name);
	} else {
		put_number(t, "unknown icmp6 type (", type);
		put_char(t, ')');
	}
	span_u8(t, &s, 1);
	is_early = t->options->verbose && type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT;
	if (is_early)
		put_number(t, ", length ", s.length);
	if (t->sealed || !put_message6(t, &s, type, span_u8(t, &s, 1)))
		return;
	if (t->options->verbose)
		tcpdump_put_icmp6_details(t, s, type);
	else
		put_number(t, ", length ", s.length);
	if (!name || type == 200 || type == 201)
		tcpdump_put_digits(t, &s, "\n\t");
}
