/* SPDX-License-Identifier: MIT */
/* IPv4's part of tcpdump's line, and the choice of the layer above IP. */
#include "tcpdump_layers.h"

/* Puts "tos 0x0, ttl 64, ..." of -v. */
static void put_ip4_details(struct tcpdump *t, const struct span *s, uint32_t header)
{
	static const struct tcpdump_name flag_names[] = { { 0x2000, "+" }, { 0x4000, "DF" },
		{ 0x8000, "rsvd" }, { 0, NULL } };
	static const char *const ecn_names[] = { "", ",ECT(1)", ",ECT(0)", ",CE" };
	const uint32_t tos = span_u8(t, s, 1);
	const uint32_t fragment = span_u16(t, s, 6);
	const uint32_t ttl = span_u8(t, s, 8);
	uint32_t sum;

	put_text(t, "(tos ");
	put_0x(t, tos, 1);
	put_string(t, ecn_names[tos & 3]);
	if (ttl)
		put_number(t, ", ttl ", ttl);
	put_number(t, ", id ", span_u16(t, s, 4));
	put_number(t, ", offset ", (fragment & 0x1fff) * 8);
	put_text(t, ", flags [");
	put_bits(t, flag_names, fragment & 0xe000, ", ");
	put_text(t, "], proto ");
	tcpdump_put_protocol_name(t, (uint8_t)span_u8(t, s, 9));
	put_number(t, ", length ", span_u16(t, s, 2));
	if (header > 20)
		tcpdump_put_ip4_options(t, span_behind(s, 20), header - 20);
	if (!t->options->no_checksums && span_has(s, 0, header)) {
		sum = tcpdump_sum(s->at, header, 0) ^ 0xffff;
		if (sum) {
			const uint32_t found = span_u16(t, s, 10);

			put_text(t, ", bad cksum ");
			put_hex(t, found, 1);
			put_text(t, " (->");
			put_hex(t, tcpdump_right_sum(found, sum), 1);
			put_text(t, ")!");
		}
	}
	put_text(t, ")\n    ");
}

/* Puts the words before the addresses, and checks the header.  Returns the length; 0: the line ends
 * here. */
static uint32_t begin_ip4(struct tcpdump *t, const struct span *s)
{
	uint32_t header;

	t->layer = "ip";
	if (!span_need(t, s, 0, 1))
		return 0;
	if (!t->options->link)
		put_text(t, "IP");
	if (s->at[0] >> 4 != 4) {
		put_decimal(t, s->at[0] >> 4);
		if (s->at[0] >> 4 == 6)
			put_text(t, ", wrong link-layer encapsulation");
		put_text(t, " (invalid)");
		return 0;
	}
	if (!t->options->link)
		put_char(t, ' ');
	header = (s->at[0] & 15u) * 4;
	if (!span_need(t, s, 0, 20))
		return 0;
	if (s->length < 20) {
		put_number(t, "truncated-ip ", s->length);
		return 0;
	}
	if (header < 20) {
		put_number(t, "bad-hlen ", header);
		return 0;
	}
	return header;
}

/* Cuts the packet to the length in its header; returns false if the line ends there. */
static bool cut_ip4(struct tcpdump *t, struct span *s, uint32_t header)
{
	const uint32_t length = span_u16(t, s, 2);

	if (s->length < length) {
		put_number(t, "truncated-ip - ", length - s->length);
		put_text(t, " bytes missing! ");
	}
	if (length < header) {
		put_number(t, "bad-len ", length);
		return false;
	}
	*s = span_first(s, length);
	return true;
}

void tcpdump_put_ip4(struct tcpdump *t, struct span s)
{
	struct tcpdump_ip ip = { .version = 4 };
	const uint32_t header = begin_ip4(t, &s);
	uint32_t fragment;

	if (!header || !cut_ip4(t, &s, header))
		return;
	ip.next = s.at[9];
	ip.ttl = s.at[8];
	ip.source = s.at + 12;
	ip.destination = s.at + 16;
	fragment = span_u16(t, &s, 6);
	ip.is_fragment = fragment & 0x3fff;
	if (t->options->verbose)
		put_ip4_details(t, &s, header);
	if (fragment & 0x1fff) {
		tcpdump_put_addresses(t, &ip);
		put_number(t, ": ip-proto-", ip.next);
		return;
	}
	if (ip.next != 6 && ip.next != 17 && ip.next != 132 && ip.next != 33) {
		tcpdump_put_addresses(t, &ip);
		put_text(t, ": ");
	}
	if (s.caplen < header) {
		put_number(t, " [remaining caplen(", s.caplen);
		put_number(t, ") < header length(", header);
		put_text(t, ")]");
		tcpdump_put_cut(t);
		return;
	}
	tcpdump_put_protocol(t, &ip, ip.next, span_behind(&s, header));
}

/* Puts the header of AH, and the layer behind. */
static void put_ah(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s)
{
	uint32_t bytes;
	uint32_t next;

	t->layer = "ah";
	next = span_u8(t, &s, 0);
	if (!span_need(t, &s, 0, 2))
		return;
	bytes = (span_u8(t, &s, 1) + 2) * 4;
	put_text(t, "AH(");
	if (t->options->verbose) {
		put_number(t, "length=", span_u8(t, &s, 1));
		put_number(t, "(", bytes);
		put_text(t, "-bytes),");
	}
	if (span_u16(t, &s, 2)) {
		put_text(t, "reserved=");
		put_0x(t, span_u16(t, &s, 2), 1);
		put_text(t, "[MustBeZero],");
	}
	if (!span_need(t, &s, 4, 4))
		return;
	put_text(t, "spi=");
	put_0x(t, span_u32(t, &s, 4), 8);
	if (!span_need(t, &s, 8, 4))
		return;
	put_text(t, ",seq=");
	put_0x(t, span_u32(t, &s, 8), 1);
	put_text(t, ",icv=0x");
	for (uint32_t at = 12; at < bytes && !t->sealed; at++)
		put_hex(t, span_u8(t, &s, at), 2);
	put_text(t, "): ");
	tcpdump_put_protocol(t, ip, (uint8_t)next, span_behind(&s, bytes));
}

static void put_esp(struct tcpdump *t, const struct span *s)
{
	t->layer = "esp";
	if (s->length < 9 || !span_has(s, 0, 8)) {
		tcpdump_put_cut(t);
		return;
	}
	put_text(t, "ESP(spi=");
	put_0x(t, span_u32(t, s, 0), 8);
	put_text(t, ",seq=");
	put_0x(t, span_u32(t, s, 4), 1);
	put_number(t, "), length ", s->length);
}

static void put_ipcomp(struct tcpdump *t, const struct span *s)
{
	t->layer = "ipcomp";
	if (!span_need(t, s, 0, 4))
		return;
	put_text(t, "IPComp(cpi=");
	put_0x(t, span_u16(t, s, 2), 4);
	put_char(t, ')');
}

/* Puts words about a protocol of the other version of IP; returns false for others. */
static bool put_wrong_version(struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol)
{
	if (ip->version == 6 && protocol == 1)
		put_text(t, "[ICMP requires IPv4] (invalid)");
	else if (ip->version == 6 && protocol == 2)
		put_text(t, "[IGMP requires IPv4] (invalid)");
	else if (ip->version == 4 && protocol == 58)
		put_text(t, "[ICMPv6 requires IPv6] (invalid)");
	else
		return false;
	return true;
}

/* Puts a packet of IP inside this packet. */
static void put_inner_ip(struct tcpdump *t, uint8_t protocol, struct span s)
{
	if (protocol == 4)
		tcpdump_put_ip4(t, s);
	else
		t->outer->ip6(t, s);
}

void tcpdump_put_protocol(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol, struct span s)
{
	if (!tcpdump_go_deeper(t, &s) || put_wrong_version(t, ip, protocol))
		return;
	switch (protocol) {
	case 6:
		tcpdump_put_tcp(t, ip, s);
		break;
	case 17:
		tcpdump_put_udp(t, ip, s);
		break;
	case 1:
		tcpdump_put_icmp(t, ip, s);
		break;
	case 58:
		tcpdump_put_icmp6(t, ip, s);
		break;
	case 4:
	case 41:
		put_inner_ip(t, protocol, s);
		break;
	case 50:
		put_esp(t, &s);
		break;
	case 51:
		put_ah(t, ip, s);
		break;
	case 59:
		put_text(t, "no next header");
		break;
	case 108:
		put_ipcomp(t, &s);
		break;
	default:
		if (tcpdump_put_other(t, ip, protocol, s))
			break;
		put_number(t, " ip-proto-", protocol);
		put_number(t, " ", s.length);
	}
}
