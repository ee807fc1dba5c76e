/* SPDX-License-Identifier: MIT */
/* Protocols above IP other than TCP, UDP and ICMP in tcpdump's line: IGMP and VRRP, and the names
 * and lengths of others. */
#include "tcpdump_layers.h"

static void put_igmp_query(struct tcpdump *t, const struct span *s)
{
	uint32_t delay;
	bool has_group;
	uint32_t sources;

	put_text(t, "igmp query");
	if (s->length >= 12) {
		put_text(t, " v3");
		has_group = span_u32(t, s, 4);
		sources = span_has(s, 10, 2) ? (uint32_t)s->at[10] << 8 | s->at[11] : 1;
		if (!has_group && !sources)
			return;
		put_text(t, " [gaddr ");
		put_span_ip4(t, s, 4);
		span_need(t, s, 10, 2);
		if (sources) {
			put_number(t, ", ", sources);
			put_text(t, " source(s)");
		}
		put_char(t, ']');
		return;
	}
	delay = span_u8(t, s, 1);
	put_string(t, delay ? " v2" : " v1");
	if (delay && delay != 100)
		put_number(t, " [max resp time ", delay), put_char(t, ']');
	has_group = span_u32(t, s, 4);
	if (has_group) {
		put_text(t, " [gaddr ");
		put_span_ip4(t, s, 4);
		put_char(t, ']');
	}
}

static void put_igmp(struct tcpdump *t, const struct span *s)
{
	static const struct tcpdump_name names[] = { { 0x12, "igmp v1 report " },
		{ 0x16, "igmp v2 report " }, { 0x17, "igmp leave " }, { 0, NULL } };
	uint32_t type;
	const char *name;

	t->layer = "igmp";
	if (t->options->quick) {
		put_text(t, "igmp");
		return;
	}
	type = span_u8(t, s, 0);
	name = tcpdump_name(names, type);
	if (type == 0x11) {
		put_igmp_query(t, s);
	} else if (name) {
		if (!span_need(t, s, 4, 4))
			return;
		put_string(t, name);
		put_span_ip4(t, s, 4);
	} else if (type == 0x22) {
		put_text(t, "igmp v3 report");
		put_number(t, ", ", span_u16(t, s, 6));
		put_text(t, " group record(s)");
	} else {
		put_number(t, "igmp-", type);
	}
}

static void put_vrrp(struct tcpdump *t, const struct tcpdump_ip *ip, const struct span *s)
{
	static const struct tcpdump_name keys[] = { { 0, "none" }, { 1, "simple" }, { 2, "ah" },
		{ 0, NULL } };
	uint32_t version;
	uint32_t type;
	const char *key;

	t->layer = "vrrp";
	version = span_has(s, 0, 1) ? s->at[0] >> 4 : 0;
	type = span_has(s, 0, 1) ? s->at[0] & 15 : 1;
	put_text(t, "VRRP");
	span_need(t, s, 0, 1);
	put_number(t, "v", version);
	if (type == 1)
		put_text(t, ", Advertisement");
	else
		put_number(t, ", unknown type (", type), put_char(t, ')');
	if (ip->ttl != 255)
		put_number(t, ", (ttl ", ip->ttl), put_char(t, ')');
	if (version < 2 || version > 3 || type != 1)
		return;
	span_need(t, s, 1, 2);
	put_number(t, ", vrid ", span_u8(t, s, 1));
	put_number(t, ", prio ", span_u8(t, s, 2));
	if (version == 2) {
		key = tcpdump_name(keys, span_u8(t, s, 4));
		put_text(t, ", authtype ");
		if (key)
			put_string(t, key);
		else
			put_number(t, "unknown type", span_u8(t, s, 4)), put_char(t, ')');
		put_number(t, ", intvl ", span_u8(t, s, 5));
		put_text(t, "s, length ");
	} else {
		put_number(t, ", intvl ", span_u16(t, s, 4) & 0xfff);
		put_text(t, "cs, length ");
	}
	put_decimal(t, s->length);
}

/* Puts OSPF's version, message and length. */
static void put_ospf(struct tcpdump *t, const struct tcpdump_ip *ip, const struct span *s)
{
	static const struct tcpdump_name names[] = { { 1, "Hello" }, { 2, "Database Description" },
		{ 3, "LS-Request" }, { 4, "LS-Update" }, { 5, "LS-Ack" }, { 0, NULL } };
	uint32_t type;
	const char *name;

	t->layer = span_has(s, 0, 1) && s->at[0] == 2 ? "ospf2" : "ospf3";
	if (ip->version == 4)
		t->layer = "ospf2";
	if (!span_need(t, s, 0, ip->version == 4 ? 16 : 2))
		return;
	type = span_u8(t, s, 1);
	name = tcpdump_name(names, type);
	put_number(t, "OSPFv", span_u8(t, s, 0));
	if (name)
		put_text(t, ", "), put_string(t, name);
	else
		put_number(t, ", unknown packet type (", type), put_char(t, ')');
	put_number(t, ", length ", s->length);
}

/* Puts PIM's version, message and length. */
static void put_pim(struct tcpdump *t, const struct span *s)
{
	static const struct tcpdump_name names[] = { { 0, "Hello" }, { 1, "Register" },
		{ 2, "Register Stop" }, { 3, "Join / Prune" }, { 4, "Bootstrap" }, { 5, "Assert" },
		{ 6, "Graft" }, { 7, "Graft-ACK" }, { 8, "Candidate RP Advertisement" },
		{ 9, "Prune-Refresh" }, { 10, "DF Election" }, { 11, "ECMP Redirect" },
		{ 0, NULL } };
	uint32_t first;
	const char *name;

	t->layer = "pim";
	first = span_u8(t, s, 0);
	name = tcpdump_name(names, first & 15);
	put_number(t, "PIMv", first >> 4);
	if (first >> 4 == 2) {
		if (name)
			put_text(t, ", "), put_string(t, name);
		else
			put_number(t, ", unknown type (", first & 15), put_char(t, ')');
	}
	put_number(t, ", length ", s->length);
}

bool tcpdump_put_other(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol, struct span s)
{
	static const struct tcpdump_name names[] = { { 8, "EGP" }, { 9, "igrp" }, { 33, "DCCP" },
		{ 46, "RSVP" }, { 55, "mobile" }, { 88, "EIGRP" }, { 113, "PGM" }, { 132, "sctp" },
		{ 135, "mobility" }, { 0, NULL } };
	const char *name = tcpdump_name(names, protocol);

	if (protocol == 62)
		name = "mobility";
	if (protocol == 2) {
		put_igmp(t, &s);
	} else if (protocol == 47) {
		tcpdump_put_gre(t, s);
	} else if (protocol == 77) {
		put_number(t, " nd ", s.length);
	} else if (protocol == 89) {
		put_ospf(t, ip, &s);
	} else if (protocol == 103) {
		put_pim(t, &s);
	} else if (protocol == 112) {
		put_vrrp(t, ip, &s);
	} else if (protocol == 132 || protocol == 33) {
		t->layer = name;
		if (span_has(&s, 0, 4)) {
			tcpdump_put_ends(
				t, ip, (uint16_t)span_u16(t, &s, 0), (uint16_t)span_u16(t, &s, 2));
			tcpdump_put_named(t, name, &s);
		} else {
			tcpdump_put_cut(t);
		}
	} else if (name) {
		tcpdump_put_named(t, name, &s);
	} else {
		return false;
	}
	return true;
}
