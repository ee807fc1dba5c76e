/* SPDX-License-Identifier: MIT */
/* GRE, PPP, PPPoE, VXLAN, Geneve and OTV in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	GRE_SUM = 0x8000,
	GRE_ROUTE = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGMENT = 0x80,
	PPP_IP4 = 0x21,
	PPP_IP6 = 0x57,
	PPP_MPLS = 0x281,
};

bool tcpdump_put_ppp(struct tcpdump *t, struct span s)
{
	static const struct tcpdump_name names[] = { { 0xc021, "LCP" }, { 0xc023, "PAP" },
		{ 0xc025, "LQM" }, { 0xc223, "CHAP" }, { 0x8021, "IPCP" }, { 0x8057, "IPV6CP" },
		{ 0x80fd, "CCP" }, { 0xc227, "EAP" }, { 0xfd, "Comp" }, { 0x3d, "MLPPP" },
		{ 0xc02b, "BAP" }, { 0xc029, "CBCP" }, { 0x8281, "MPLSCP" }, { 0x8023, "OSICP" },
		{ 0x23, "OSI" }, { 0, NULL } };
	uint32_t protocol;
	const char *name;

	t->layer = "ppp";
	if (s.length > 2 && span_has(&s, 0, 2) && s.at[0] == 0xff && s.at[1] == 3)
		s = span_behind(&s, 2);
	protocol = span_u8(t, &s, 0);
	if (protocol & 1) {
		s = span_behind(&s, 1);
	} else {
		protocol = span_u16(t, &s, 0);
		s = span_behind(&s, 2);
	}
	name = tcpdump_name(names, protocol);
	if (protocol == PPP_IP4)
		t->outer->ip4(t, s);
	else if (protocol == PPP_IP6)
		t->outer->ip6(t, s);
	else if (protocol == PPP_MPLS)
		t->outer->ethertype(t, 0x8847, s);
	else if (name)
		tcpdump_put_named(t, name, &s);
	else
		return false;
	return true;
}

bool tcpdump_put_pppoe(struct tcpdump *t, struct span s)
{
	struct span payload;
	uint32_t length;

	t->layer = "pppoe";
	if (s.length < 6 || !span_has(&s, 0, 6)) {
		tcpdump_put_cut(t);
		return true;
	}
	length = span_u16(t, &s, 4);
	payload = span_behind(&s, 6);
	payload = span_first(&payload, length);
	put_text(t, "PPPoE  [ses ");
	put_0x(t, span_u16(t, &s, 2), 1);
	put_text(t, "] ");
	if (!tcpdump_put_ppp(t, payload))
		tcpdump_put_named(t, "unknown PPP protocol", &payload);
	return true;
}

static void put_gre_protocol(struct tcpdump *t, uint32_t protocol)
{
	const char *name = tcpdump_ethertype_name(protocol);

	if (!t->options->link)
		return;
	put_text(t, ", proto ");
	put_string(t, name ? name : "unknown");
	put_text(t, " (");
	put_0x(t, protocol, 4);
	put_char(t, ')');
}

/* Puts GRE of RFC 2784 and RFC 2890. */
static void put_gre_0(struct tcpdump *t, struct span s)
{
	const uint32_t length = s.length;
	const uint32_t flags = span_u16(t, &s, 0);
	const uint32_t protocol = span_u16(t, &s, 2);

	s = span_behind(&s, 4);
	if (flags & (GRE_SUM | GRE_ROUTE)) {
		span_need(t, &s, 0, 4);
		put_text(t, ", off ");
		put_0x(t, span_u16(t, &s, 2), 1);
		s = span_behind(&s, 4);
	}
	if (flags & GRE_KEY) {
		span_need(t, &s, 0, 4);
		put_text(t, ", key=");
		put_0x(t, span_u32(t, &s, 0), 1);
		s = span_behind(&s, 4);
	}
	if (flags & GRE_SEQUENCE) {
		put_number(t, ", seq ", span_u32(t, &s, 0));
		s = span_behind(&s, 4);
	}
	put_gre_protocol(t, protocol);
	put_number(t, ", length ", length);
	put_string(t, t->options->verbose ? "\n\t" : ": ");
	if (flags & GRE_ROUTE)
		tcpdump_put_named(t, "source routes, payload", &s);
	else if (protocol == 0x6558)
		t->outer->ethernet(t, s);
	else if (protocol == 0x800 || protocol == 0x86dd || protocol == 0x8847)
		t->outer->ethertype(t, protocol, s);
	else
		put_text(t, "gre-proto-"), put_0x(t, protocol, 1);
}

/* Puts GRE of PPTP (RFC 2637). */
static void put_gre_1(struct tcpdump *t, struct span s)
{
	const uint32_t length = s.length;
	const uint32_t flags = span_u16(t, &s, 0);
	const uint32_t protocol = span_u16(t, &s, 2);

	s = span_behind(&s, 4);
	if (flags & GRE_KEY) {
		put_number(t, ", call ", span_u16(t, &s, 2));
		s = span_behind(&s, 4);
	}
	if (flags & GRE_SEQUENCE) {
		put_number(t, ", seq ", span_u32(t, &s, 0));
		s = span_behind(&s, 4);
	}
	if (flags & GRE_ACKNOWLEDGMENT) {
		put_number(t, ", ack ", span_u32(t, &s, 0));
		s = span_behind(&s, 4);
	}
	if (!(flags & GRE_SEQUENCE))
		put_text(t, ", no-payload");
	put_gre_protocol(t, protocol);
	put_number(t, ", length ", length);
	if (!(flags & GRE_SEQUENCE))
		return;
	put_string(t, t->options->verbose ? "\n\t" : ": ");
	if (protocol != 0x880b || !tcpdump_put_ppp(t, s))
		put_text(t, "gre-proto-"), put_0x(t, protocol, 1);
}

void tcpdump_put_gre(struct tcpdump *t, struct span s)
{
	uint32_t version;

	t->layer = "gre";
	version = span_u16(t, &s, 0) & 7;
	put_number(t, "GREv", version);
	span_u16(t, &s, 2);
	if (version == 0)
		put_gre_0(t, s);
	else if (version == 1)
		put_gre_1(t, s);
	else
		put_text(t, " ERROR: unknown-version");
}

/* Puts a frame of Ethernet on a line of its own. */
static void put_inner_frame(struct tcpdump *t, struct span s)
{
	put_char(t, '\n');
	t->outer->ethernet(t, s);
}

void tcpdump_put_vxlan(struct tcpdump *t, struct span s)
{
	uint32_t flags;

	t->layer = "vxlan";
	put_text(t, "VXLAN");
	if (s.length < 8) {
		put_text(t, " (invalid)");
		return;
	}
	flags = span_u8(t, &s, 0);
	put_string(t, flags & 8 ? ", flags [I] (" : ", flags [invalid] (");
	put_0x(t, flags, 2);
	put_text(t, "), ");
	span_need(t, &s, 0, 8);
	put_number(t, "vni ", span_u24(t, &s, 4));
	put_inner_frame(t, span_behind(&s, 8));
}

void tcpdump_put_otv(struct tcpdump *t, struct span s)
{
	uint32_t flags;

	t->layer = "otv";
	put_text(t, "OTV, ");
	if (s.length < 8) {
		put_text(t, " (invalid)");
		return;
	}
	flags = span_u8(t, &s, 0);
	put_string(t, flags & 8 ? "flags [I] (" : "flags [.] (");
	put_0x(t, flags, 2);
	put_number(t, "), overlay ", span_u24(t, &s, 1));
	put_number(t, ", instance ", span_u24(t, &s, 4));
	span_need(t, &s, 0, 8);
	put_inner_frame(t, span_behind(&s, 8));
}

void tcpdump_put_geneve(struct tcpdump *t, struct span s)
{
	static const char *const flags[] = { "none", "C", "O", "OC" };
	uint32_t first;
	uint32_t options;
	uint32_t type;

	t->layer = "geneve";
	put_text(t, "Geneve");
	first = span_u16(t, &s, 0);
	options = (first >> 8 & 63) * 4;
	if (first >> 14) {
		put_number(t, " ERROR: unknown-version ", first >> 14);
		return;
	}
	if (!span_need(t, &s, 0, 8))
		return;
	put_text(t, ", Flags [");
	put_string(t, flags[first >> 6 & 3]);
	type = span_u16(t, &s, 2);
	put_text(t, "], vni ");
	put_0x(t, span_u24(t, &s, 4), 1);
	span_need(t, &s, 8, options);
	if (options) {
		put_number(t, ", options [", options);
		put_text(t, " bytes]");
	}
	put_string(t, t->options->verbose ? "\n\t" : ": ");
	if (!span_need(t, &s, 8, options))
		return;
	s = span_behind(&s, 8 + options);
	if (type == 0x6558)
		t->outer->ethernet(t, s);
	else if (!t->outer->ethertype(t, type, s))
		put_text(t, "geneve-proto-"), put_0x(t, type, 1);
}
