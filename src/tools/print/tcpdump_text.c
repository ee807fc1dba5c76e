/* SPDX-License-Identifier: MIT */
/* Texts common to the layers of tcpdump's form, and the sums of their headers. */
#include "tcpdump_layers.h"

#include "digits.h"

enum { MOST_DEPTH = 64 };

void tcpdump_put_short(struct tcpdump *t)
{
	put_text(t, " [|");
	put_string(t, t->layer);
	put_char(t, ']');
}

void tcpdump_put_cut(struct tcpdump *t)
{
	if (t->sealed)
		return;
	tcpdump_put_short(t);
	tcpdump_seal(t);
}

bool tcpdump_go_deeper(struct tcpdump *t, const struct span *s)
{
	if (t->depth++ < MOST_DEPTH)
		return true;
	put_number(t, "nested headers, length ", s->length);
	tcpdump_seal(t);
	return false;
}

void tcpdump_seal(struct tcpdump *t)
{
	if (t->sealed)
		return;
	t->sealed = true;
	t->line_end = t->line->end;
	t->line->end = t->line->at;
}

void put_decimal(struct tcpdump *t, uint64_t value)
{
	char text[20 + DIGITS_SLACK];
	const char *end;

	if ((size_t)(t->line->end - t->line->at) >= sizeof text) {
		t->line->at = digits_put(t->line->at, value);
		return;
	}
	end = digits_put(text, value);

	line_put_bytes(t->line, text, (size_t)(end - text));
}

void put_ip4(struct tcpdump *t, const uint8_t *address)
{
	char text[15 + DIGITS_SLACK];
	const char *end;

	if ((size_t)(t->line->end - t->line->at) >= sizeof text) {
		t->line->at = digits_put_ip4(t->line->at, address);
		return;
	}
	end = digits_put_ip4(text, address);

	line_put_bytes(t->line, text, (size_t)(end - text));
}

void put_ip6(struct tcpdump *t, const uint8_t *address)
{
	char text[45 + DIGITS_SLACK];
	const char *end = digits_put_ip6(text, address);

	line_put_bytes(t->line, text, (size_t)(end - text));
}

void put_0x(struct tcpdump *t, uint64_t value, unsigned digits)
{
	put_text(t, "0x");
	put_hex(t, value, digits);
}

void put_span_ip4(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (span_need(t, s, at, 4))
		put_ip4(t, s->at + at);
}

void put_span_ip6(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (span_need(t, s, at, 16))
		put_ip6(t, s->at + at);
}

void put_span_mac(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (span_need(t, s, at, 6))
		line_put_mac(t->line, s->at + at);
}

void put_span_hex(struct tcpdump *t, const struct span *s, uint32_t at, uint32_t n)
{
	if (!span_need(t, s, at, n))
		return;
	for (uint32_t i = 0; i < n; i++)
		put_hex(t, s->at[at + i], 2);
}

void put_wire_char(struct tcpdump *t, uint8_t byte)
{
	if (byte & 0x80) {
		put_text(t, "M-");
		byte &= 0x7f;
	}
	if (byte < 0x20 || byte == 0x7f) {
		put_char(t, '^');
		byte ^= 0x40;
	}
	put_char(t, (char)byte);
}

const char *tcpdump_name(const struct tcpdump_name *names, uint32_t value)
{
	while (names->name && names->value != value)
		names++;
	return names->name;
}

void put_bits(
	struct tcpdump *t, const struct tcpdump_name *names, uint32_t value, const char *between)
{
	bool any = false;

	for (; names->name; names++) {
		if ((value & names->value) != names->value)
			continue;
		if (any)
			put_string(t, between);
		put_string(t, names->name);
		any = true;
	}
	if (!any)
		put_text(t, "none");
}

/* Puts a row of up to 16 bytes as digits, in groups of two bytes. */
static void put_row_digits(struct tcpdump *t, const uint8_t *bytes, uint32_t n, bool padded)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!(i & 1))
			put_char(t, ' ');
		put_hex(t, bytes[i], 2);
	}
	for (uint32_t i = n; padded && i < 16; i++) {
		if (!(i & 1))
			put_char(t, ' ');
		put_text(t, "  ");
	}
}

void tcpdump_put_bytes(struct tcpdump *t, const struct span *s)
{
	/* -x and -X put the bytes behind the line themselves. */
	if (t->options->hex | t->options->hex_text)
		return;
	for (uint32_t at = 0; at < s->caplen && !t->sealed; at += 16) {
		const uint32_t n = s->caplen - at < 16 ? s->caplen - at : 16;

		put_text(t, "\n\t0x");
		put_hex(t, at, 4);
		put_text(t, ": ");
		put_row_digits(t, s->at + at, n, true);
		put_text(t, "  ");
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t byte = s->at[at + i];

			put_char(t, byte > 0x20 && byte < 0x7f ? (char)byte : '.');
		}
	}
}

void tcpdump_put_digits(struct tcpdump *t, const struct span *s, const char *indent)
{
	for (uint32_t at = 0; at < s->caplen && !t->sealed; at += 16) {
		const uint32_t n = s->caplen - at < 16 ? s->caplen - at : 16;

		put_string(t, indent);
		put_0x(t, at, 4);
		put_text(t, ": ");
		put_row_digits(t, s->at + at, n, false);
	}
}

uint32_t tcpdump_right_sum(uint32_t found, uint32_t left)
{
	const uint32_t sum = (left & 0xffff) + (found & 0xffff);

	return (sum & 0xffff) + (sum >> 16);
}

uint32_t tcpdump_sum(const uint8_t *bytes, uint32_t n, uint32_t sum)
{
	uint64_t wide = sum;
	uint32_t i = 0;

	for (; i + 1 < n; i += 2)
		wide += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (i < n)
		wide += (uint32_t)bytes[i] << 8;
	while (wide >> 16)
		wide = (wide & 0xffff) + (wide >> 16);
	return (uint32_t)wide;
}

uint16_t tcpdump_checksum(
	const struct tcpdump_ip *ip, const uint8_t *bytes, uint32_t n, uint8_t protocol)
{
	const uint32_t address_bytes = ip->version == 4 ? 4 : 16;
	uint32_t sum = tcpdump_sum(ip->source, address_bytes, n + protocol);

	sum = tcpdump_sum(ip->destination, address_bytes, sum);
	return (uint16_t)~tcpdump_sum(bytes, n, sum);
}

void tcpdump_put_addresses(struct tcpdump *t, const struct tcpdump_ip *ip)
{
	if (ip->version == 4) {
		put_ip4(t, ip->source);
		put_text(t, " > ");
		put_ip4(t, ip->destination);
	} else {
		put_ip6(t, ip->source);
		put_text(t, " > ");
		put_ip6(t, ip->destination);
	}
}

static void put_ip_end(
	struct tcpdump *t, const struct tcpdump_ip *ip, const uint8_t *address, uint16_t port)
{
	if (ip->version == 4)
		put_ip4(t, address);
	else
		put_ip6(t, address);
	put_char(t, '.');
	put_decimal(t, port);
}

void tcpdump_put_ends(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint16_t source, uint16_t destination)
{
	const uint8_t next = ip->next;

	if (next == 6 || next == 17 || next == 132 || next == 33) {
		put_ip_end(t, ip, ip->source, source);
		put_text(t, " > ");
		put_ip_end(t, ip, ip->destination, destination);
	} else {
		/* The addresses stand before the header that lies between. */
		put_decimal(t, source);
		put_number(t, " > ", destination);
	}
	put_text(t, ": ");
}

static const struct tcpdump_name protocol_names[] = { { 1, "ICMP" }, { 2, "IGMP" }, { 4, "IPIP" },
	{ 6, "TCP" }, { 17, "UDP" }, { 41, "IPv6" }, { 44, "Fragment" }, { 46, "RSVP" },
	{ 47, "GRE" }, { 50, "ESP" }, { 51, "AH" }, { 58, "ICMPv6" }, { 88, "EIGRP" },
	{ 89, "OSPF" }, { 103, "PIM" }, { 108, "Compressed IP" }, { 112, "VRRP" }, { 113, "PGM" },
	{ 132, "SCTP" }, { 135, "Mobile IP" }, { 0, "Options" }, { 43, "Routing" }, { 0, NULL } };

void tcpdump_put_protocol_name(struct tcpdump *t, uint8_t protocol)
{
	const char *name = tcpdump_name(protocol_names, protocol);

	put_string(t, name ? name : "unknown");
	put_number(t, " (", protocol);
	put_char(t, ')');
}

void tcpdump_put_ip(struct tcpdump *t, struct span s)
{
	const uint32_t version = span_u8(t, &s, 0) >> 4;

	if (version == 4)
		t->outer->ip4(t, s);
	else if (version == 6)
		t->outer->ip6(t, s);
	else
		put_number(t, "unknown ip ", version);
}

static const struct tcpdump_name ethertype_names[] = { { 0x800, "IPv4" }, { 0x806, "ARP" },
	{ 0x86dd, "IPv6" }, { 0x8100, "802.1Q" }, { 0x88a8, "802.1Q-QinQ" },
	{ 0x9100, "802.1Q-9100" }, { 0x9200, "802.1Q-9200" }, { 0x8035, "Reverse ARP" },
	{ 0x8847, "MPLS unicast" }, { 0x8848, "MPLS multicast" }, { 0x8863, "PPPoE D" },
	{ 0x8864, "PPPoE S" }, { 0x600, "NS" }, { 0x707, "GeoNet (old)" }, { 0x1000, "Trail" },
	{ 0x1111, "CALM FAST" }, { 0x6001, "MOP DL" }, { 0x6002, "MOP RC" }, { 0x6003, "DN" },
	{ 0x6004, "LAT" }, { 0x6007, "SCA" }, { 0x6558, "TEB" }, { 0x8038, "Lanbridge" },
	{ 0x803c, "DEC DNS" }, { 0x803e, "DEC DTS" }, { 0x805b, "VEXP" }, { 0x805c, "VPROD" },
	{ 0x809b, "Appletalk" }, { 0x80f3, "Appletalk ARP" }, { 0x8137, "IPX" }, { 0x8808, "MPCP" },
	{ 0x8809, "Slow Protocols" }, { 0x880b, "PPP" }, { 0x886f, "MS NLB heartbeat" },
	{ 0x888e, "EAPOL" }, { 0x8899, "Realtek protocols" }, { 0x88a2, "AoE" }, { 0x88ca, "TIPC" },
	{ 0x88cc, "LLDP" }, { 0x88e5, "802.1AE MACsec" }, { 0x88f7, "PTP" }, { 0x8902, "CFM" },
	{ 0x893a, "IEEE1905.1" }, { 0x8947, "GeoNet" }, { 0x894f, "NSH" }, { 0x9000, "Loopback" },
	{ 0xabcd, "CFM (old)" }, { 0xd28b, "Arista Vendor Specific Protocol" }, { 0xfefe, "OSI" },
	{ 0, NULL } };

const char *tcpdump_ethertype_name(uint32_t type)
{
	return tcpdump_name(ethertype_names, type);
}
