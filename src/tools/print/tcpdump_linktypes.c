/* SPDX-License-Identifier: MIT */
/* Link types other than Ethernet in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_SLL = 113,
	LINK_SLL2 = 276,
	LINK_LOOP = 108,
	LINK_PPP = 9,
	LINK_PPP_SERIAL = 50,
	LINK_HDLC = 104,
	SLARP = 0x8035, /* in frames of HDLC */
	SLL_IPX = 1,
	SLL_LLC = 4,
};

/* The header of Linux's cooked packets, of both versions. */
struct sll_header {
	uint32_t type, kind, interface, address_bytes, header_bytes;
	const uint8_t *address;
};

static void put_null(struct tcpdump *t, struct span s, bool is_big_endian)
{
	static const struct tcpdump_name names[] = { { 2, "IPv4" }, { 7, "ISO" },
		{ 16, "Appletalk" }, { 23, "IPX" }, { 24, "IPv6" }, { 28, "IPv6" }, { 30, "IPv6" },
		{ 0, NULL } };
	uint32_t family;
	const char *name;

	t->layer = "null";
	family = span_u32(t, &s, 0);
	if (t->sealed)
		return;
	/* The family is in the byte order of the capturing host. */
	if (family & 0xffff0000)
		family = family >> 24 | (family >> 8 & 0xff00) | (family << 8 & 0xff0000) |
			 family << 24;
	(void)is_big_endian;
	name = tcpdump_name(names, family);
	if (t->options->link || !name) {
		if (t->options->quick) {
			put_string(t, name ? name : "Unknown");
		} else {
			put_text(t, "AF ");
			put_string(t, name ? name : "Unknown");
			put_number(t, " (", family);
			put_char(t, ')');
		}
		put_number(t, ", length ", s.length);
		put_text(t, ": ");
	}
	s = span_behind(&s, 4);
	if (family == 2)
		tcpdump_put_ip4(t, s);
	else if (family == 24 || family == 28 || family == 30)
		tcpdump_put_ip6(t, s);
	else if (name)
		tcpdump_put_named(t, name, &s);
	else
		tcpdump_put_bytes(t, &s);
}

static void put_raw(struct tcpdump *t, struct span s)
{
	t->layer = "raw";
	if (t->options->link)
		put_text(t, "ip: ");
	tcpdump_put_ip(t, s);
}

static void put_sll_type(struct tcpdump *t, uint32_t type)
{
	const char *name = tcpdump_ethertype_name(type);

	put_text(t, "ethertype ");
	put_string(t, name ? name : "Unknown");
	put_text(t, " (");
	put_0x(t, type, 4);
	put_char(t, ')');
}

/* Puts the header of -e: address, type, length. */
static void put_sll_header(
	struct tcpdump *t, const struct sll_header *sll, const struct span *frame)
{
	if (sll->address_bytes == 6 && sll->address) {
		line_put_mac(t->line, sll->address);
		put_char(t, ' ');
	}
	if (t->options->quick)
		return;
	if (sll->type == SLL_IPX)
		put_text(t, "802.3");
	else if (sll->type == SLL_LLC)
		put_text(t, "802.2");
	else if (sll->type <= 1500)
		put_text(t, "Unknown"), put_text(t, " ("), put_0x(t, sll->type, 4),
			put_char(t, ')');
	else
		put_sll_type(t, sll->type);
	put_number(t, ", length ", frame->length);
	put_text(t, ": ");
}

/* Puts a VLAN tag; returns the type behind. */
static uint32_t take_sll_tag(struct tcpdump *t, struct span *s)
{
	const uint32_t tag = span_u16(t, s, 0);
	const uint32_t type = span_u16(t, s, 2);
	const char *name = tcpdump_ethertype_name(type);

	if (t->options->link) {
		put_number(t, "vlan ", tag & 0xfff);
		put_number(t, ", p ", tag >> 13);
		put_string(t, tag & 0x1000 ? ", DEI, " : ", ");
	}
	if (type > 1500) {
		put_text(t, "ethertype ");
		put_string(t, name ? name : "Unknown");
		put_text(t, ", ");
	}
	*s = span_behind(s, 4);
	return type;
}

static void put_sll_payload(
	struct tcpdump *t, const struct sll_header *sll, const struct span *frame, struct span s)
{
	uint32_t type = sll->type;

	for (int i = 0; i < 64 && !t->sealed &&
			(type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200);
		i++)
		type = take_sll_tag(t, &s);
	if (t->sealed)
		return;
	if (type == SLL_LLC) {
		tcpdump_put_llc(t, s, NULL, NULL);
		return;
	}
	if (type == SLL_IPX) {
		tcpdump_put_named(t, "IPX", &s);
		return;
	}
	if (type > 1500 && tcpdump_put_ethertype(t, type, s))
		return;
	if (!t->options->link && type > 1500)
		put_sll_header(t, sll, frame);
	if (!t->options->quick)
		tcpdump_put_bytes(t, &s);
}

static void put_sll(struct tcpdump *t, struct span s)
{
	static const char *const kinds[] = { " In ", "  B ", "  M ", "  P ", "Out " };
	struct sll_header sll = { .header_bytes = 16 };
	const struct span frame = s;

	t->layer = "sll";
	if (s.length < 16 || !span_has(&s, 0, 16)) {
		tcpdump_put_cut(t);
		return;
	}
	sll.kind = span_u16(t, &s, 0);
	sll.address_bytes = span_u16(t, &s, 4);
	sll.address = s.at + 6;
	sll.type = span_u16(t, &s, 14);
	if (t->options->link) {
		put_string(t, sll.kind < 5 ? kinds[sll.kind] : "  ? ");
		put_sll_header(t, &sll, &frame);
	}
	put_sll_payload(t, &sll, &frame, span_behind(&s, 16));
}

static void put_sll2(struct tcpdump *t, struct span s)
{
	static const char *const kinds[] = { "In  ", "B   ", "M   ", "P   ", "Out " };
	struct sll_header sll = { .header_bytes = 20 };
	const struct span frame = s;

	t->layer = "sll2";
	if (s.length < 20 || !span_has(&s, 0, 20)) {
		tcpdump_put_cut(t);
		return;
	}
	sll.type = span_u16(t, &s, 0);
	sll.interface = span_u32(t, &s, 4);
	sll.kind = span_u8(t, &s, 10);
	sll.address_bytes = span_u8(t, &s, 11);
	sll.address = s.at + 12;
	/* the reading machine may know another interface of that number, so no name is asked for */
	put_text(t, "?     ");
	put_string(t, sll.kind < 5 ? kinds[sll.kind] : "?   ");
	if (t->options->link) {
		put_number(t, "ifindex ", sll.interface);
		put_char(t, ' ');
		put_sll_header(t, &sll, &frame);
	}
	put_sll_payload(t, &sll, &frame, span_behind(&s, 20));
}

/* Puts a frame of Cisco's HDLC: address, control, ethertype. */
static void put_hdlc(struct tcpdump *t, struct span s)
{
	uint32_t type;

	t->layer = "chdlc";
	if (s.length < 4 || !span_has(&s, 0, 4)) {
		tcpdump_put_cut(t);
		return;
	}
	type = span_u16(t, &s, 2);
	s = span_behind(&s, 4);
	if (type == SLARP)
		tcpdump_put_named(t, "SLARP", &s);
	else if (!tcpdump_put_ethertype(t, type, s))
		tcpdump_put_named(t, "C_HDLC", &s);
}

/* Puts the name of any other link type, or the number. */
static void put_unknown_link(struct tcpdump *t, const struct span *s)
{
	const char *name = bpe_link_type_name(t->link_type);

	if (name) {
		tcpdump_put_named(t, name, s);
		return;
	}
	put_number(t, "linktype-", (uint32_t)t->link_type);
	tcpdump_put_named(t, "", s);
}

void tcpdump_put_link(struct tcpdump *t, struct span s)
{
	switch (t->link_type) {
	case LINK_ETHERNET:
		tcpdump_put_ethernet(t, s);
		break;
	case LINK_NULL:
		put_null(t, s, false);
		break;
	case LINK_LOOP:
		put_null(t, s, true);
		break;
	case 12:
	case 14:
	case 101:
	case 228:
	case 229:
		put_raw(t, s);
		break;
	case LINK_PPP:
	case LINK_PPP_SERIAL:
		if (!tcpdump_put_ppp(t, s))
			tcpdump_put_named(t, "PPP", &s);
		break;
	case LINK_HDLC:
		put_hdlc(t, s);
		break;
	case LINK_SLL:
		put_sll(t, s);
		break;
	case LINK_SLL2:
		put_sll2(t, s);
		break;
	default:
		put_unknown_link(t, &s);
	}
}
