/* SPDX-License-Identifier: MIT */
/* Ethernet, VLAN tags and ethertypes in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	TYPE_IP = 0x800,
	TYPE_ARP = 0x806,
	TYPE_REVERSE_ARP = 0x8035,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_PPPOE_DISCOVERY = 0x8863,
	TYPE_PPPOE = 0x8864,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_QINQ = 0x88a8,
	TYPE_VLAN_9100 = 0x9100,
	TYPE_VLAN_9200 = 0x9200,
	MOST_LENGTH = 1500, /* the largest length of 802.3; types are above */
	MOST_TAGS = 64,
};

/* Puts "ethertype IPv4 (0x0800)", or with -q "IPv4". */
static void put_ethertype_words(struct tcpdump *t, uint32_t type)
{
	const char *name = tcpdump_ethertype_name(type);

	if (t->options->quick && name) {
		put_string(t, name);
		return;
	}
	if (t->options->quick) {
		put_text(t, "Unknown Ethertype (");
	} else {
		put_text(t, "ethertype ");
		put_string(t, name ? name : "Unknown");
		put_text(t, " (");
	}
	put_0x(t, type, 4);
	put_char(t, ')');
}

static bool is_tag_type(uint32_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_VLAN_9100 ||
	       type == TYPE_VLAN_9200;
}

/* Puts the link header: the two addresses, the type and the length of the frame. */
static void put_ethernet_header(
	struct tcpdump *t, const struct span *frame, uint32_t type, uint32_t length)
{
	put_span_mac(t, frame, 6);
	put_text(t, " > ");
	put_span_mac(t, frame, 0);
	put_text(t, ", ");
	if (is_tag_type(type) && !span_has(frame, 14, 4)) {
		t->layer = "vlan";
		tcpdump_put_cut(t);
	} else if (type > MOST_LENGTH) {
		put_ethertype_words(t, type);
		put_number(t, ", length ", length);
	} else {
		put_number(t, "802.3, length ", type < length - 14 ? type : length - 14);
	}
	put_text(t, ": ");
}

static void put_tag(struct tcpdump *t, uint32_t tag)
{
	put_number(t, "vlan ", tag & 0xfff);
	put_number(t, ", p ", tag >> 13);
	if (tag & 0x1000)
		put_text(t, ", DEI");
}

/* Takes the VLAN tags, puts them for -e, and returns the type behind. */
static uint32_t take_tags(struct tcpdump *t, uint32_t type, struct span *s)
{
	for (int i = 0; i < MOST_TAGS && is_tag_type(type) && !t->sealed; i++) {
		t->layer = "vlan";
		if (!span_need(t, s, 0, 4))
			return type;
		if (t->options->link)
			put_tag(t, span_u16(t, s, 0));
		type = span_u16(t, s, 2);
		*s = span_behind(s, 4);
		if (!t->options->link)
			continue;
		put_text(t, ", ");
		if (type > MOST_LENGTH) {
			put_ethertype_words(t, type);
			put_text(t, ", ");
		} else {
			put_text(t, "802.3");
		}
	}
	return type;
}

/* Puts a payload that is not taken apart: the link header if -e did not, and the bytes. */
static void put_unknown_payload(
	struct tcpdump *t, const struct span *frame, uint32_t type, const struct span *s)
{
	if (!t->options->link)
		put_ethernet_header(t, frame, type, frame->length);
	if (!t->options->quick)
		tcpdump_put_bytes(t, s);
}

void tcpdump_put_ethernet(struct tcpdump *t, struct span s)
{
	const struct span frame = s;
	uint32_t type;

	t->layer = "ether";
	if (!tcpdump_go_deeper(t, &s))
		return;
	if (s.length < 14 || !span_has(&s, 0, 14)) {
		tcpdump_put_cut(t);
		return;
	}
	type = span_u16(t, &s, 12);
	if (t->options->link)
		put_ethernet_header(t, &frame, type, s.length);
	s = span_behind(&s, 14);
	type = take_tags(t, type, &s);
	if (t->sealed)
		return;
	if (type <= MOST_LENGTH) {
		/* Bytes behind the length are the padding. */
		if (s.length > type) {
			s.length = type;
			if (s.caplen > type)
				s.caplen = type;
		}
		tcpdump_put_llc(t, s, frame.at + 6, frame.at);
	} else if (!tcpdump_put_ethertype(t, type, s)) {
		put_unknown_payload(t, &frame, type, &s);
	}
}

/* Puts the labels of MPLS and the packet behind. */
static void put_mpls(struct tcpdump *t, struct span s)
{
	uint32_t entry = 0;

	t->layer = "mpls";
	put_text(t, "MPLS");
	if (s.length < 4) {
		put_text(t, " (invalid)");
		return;
	}
	while (!(entry & 0x100) && !t->sealed) {
		entry = span_u32(t, &s, 0);
		put_number(t, " (label ", entry >> 12);
		if (t->options->verbose && entry >> 12 < 4) {
			static const char *const names[] = { " (IPv4 explicit NULL)",
				" (router alert)", " (IPv6 explicit NULL)", " (implicit NULL)" };

			put_string(t, names[entry >> 12]);
		}
		put_number(t, ", tc ", entry >> 9 & 7);
		if (entry & 0x100)
			put_text(t, ", [S]");
		put_number(t, ", ttl ", entry & 255);
		put_char(t, ')');
		s = span_behind(&s, 4);
	}
	if (t->sealed || !span_need(t, &s, 0, 1))
		return;
	if ((s.at[0] >> 4 == 4 && entry >> 12 != 2) || entry >> 12 == 0) {
		put_string(t, t->options->verbose ? "\n\t" : " ");
		tcpdump_put_ip4(t, s);
	} else if (s.at[0] >> 4 == 6 || entry >> 12 == 2) {
		put_string(t, t->options->verbose ? "\n\t" : " ");
		tcpdump_put_ip6(t, s);
	} else {
		tcpdump_put_bytes(t, &s);
	}
}

bool tcpdump_put_ethertype(struct tcpdump *t, uint32_t type, struct span s)
{
	switch (type) {
	case TYPE_IP:
		tcpdump_put_ip4(t, s);
		return true;
	case TYPE_IP6:
		tcpdump_put_ip6(t, s);
		return true;
	case TYPE_ARP:
	case TYPE_REVERSE_ARP:
		tcpdump_put_arp(t, s);
		return true;
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		put_mpls(t, s);
		return true;
	case TYPE_PPPOE:
		return tcpdump_put_pppoe(t, s);
	default:
		return tcpdump_put_named_type(t, type, s);
	}
}
