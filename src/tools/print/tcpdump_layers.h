/* SPDX-License-Identifier: MIT */
/* Common parts of the layers of tcpdump's form (tcpdump*.c).
 *
 * A layer gets its bytes as a span and reads them by span_u8() and its brothers.  A read behind the
 * captured bytes ends the line of the packet as tcpdump does: " [|tcp]", with the name of the
 * innermost layer.  The line is sealed then: further text is dropped, so a layer need not ask
 * whether a read was good.  Loops end with the span, or when the line is sealed. */
#ifndef PRINT_TCPDUMP_LAYERS_H
#define PRINT_TCPDUMP_LAYERS_H

#include "tcpdump.h"

/* Bytes of a layer: caplen of them are here, length were on the wire as the layer below says.
 * caplen may be above length; the layer below has cut it where the packet says so. */
struct span {
	const uint8_t *at;
	uint32_t caplen, length;
};

struct tcpdump;

/* Layers that hold others, for tunnels: with these a file of a lower layer knows no higher one. */
struct tcpdump_outer {
	void (*ethernet)(struct tcpdump *t, struct span s);
	bool (*ethertype)(struct tcpdump *t, uint32_t type, struct span s);
	void (*ip4)(struct tcpdump *t, struct span s);
	void (*ip6)(struct tcpdump *t, struct span s);
};

/* A packet on its way through the layers. */
struct tcpdump {
	struct print_line *line;
	const struct print_options *options;
	struct tcpdump_sequences *sequences;
	const struct tcpdump_outer *outer;
	const char *layer; /* name for " [|layer]" */
	char *line_end;    /* end of the line's room, while the line is sealed */
	struct span whole; /* the packet from its link header */
	int link_type;
	unsigned depth; /* headers around this layer, and those before it in a tunnel */
	bool sealed;
};

/* The IP header above a transport layer. */
struct tcpdump_ip {
	uint8_t version;                     /* 4 or 6 */
	uint8_t next;                        /* protocol in the fixed header */
	uint8_t ttl;                         /* or hop limit */
	bool is_fragment;                    /* this packet is not the whole datagram */
	const uint8_t *source, *destination; /* 4 or 16 bytes */
};

/* Ends the packet's line with " [|layer]". */
void tcpdump_put_cut(struct tcpdump *t);
/* Counts a layer; returns false, with words put, for layers nested too deep to go on. */
bool tcpdump_go_deeper(struct tcpdump *t, const struct span *s);
/* Drops all further text of the packet. */
void tcpdump_seal(struct tcpdump *t);
/* Puts " [|layer]"; the layers below may go on behind. */
void tcpdump_put_short(struct tcpdump *t);

static inline bool span_has(const struct span *s, uint32_t at, uint32_t n)
{
	return at <= s->caplen && n <= s->caplen - at;
}

/* Tells whether n bytes at `at` are here; else ends the line. */
static inline bool span_need(struct tcpdump *t, const struct span *s, uint32_t at, uint32_t n)
{
	if (span_has(s, at, n))
		return true;
	tcpdump_put_cut(t);
	return false;
}

static inline uint32_t span_u8(struct tcpdump *t, const struct span *s, uint32_t at)
{
	return span_need(t, s, at, 1) ? s->at[at] : 0;
}

static inline uint32_t span_u16(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (!span_need(t, s, at, 2))
		return 0;
	return (uint32_t)s->at[at] << 8 | s->at[at + 1];
}

static inline uint32_t span_u24(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (!span_need(t, s, at, 3))
		return 0;
	return (uint32_t)s->at[at] << 16 | (uint32_t)s->at[at + 1] << 8 | s->at[at + 2];
}

static inline uint32_t span_u32(struct tcpdump *t, const struct span *s, uint32_t at)
{
	if (!span_need(t, s, at, 4))
		return 0;
	return (uint32_t)s->at[at] << 24 | (uint32_t)s->at[at + 1] << 16 |
	       (uint32_t)s->at[at + 2] << 8 | s->at[at + 3];
}

static inline uint64_t span_u64(struct tcpdump *t, const struct span *s, uint32_t at)
{
	const uint64_t high = span_u32(t, s, at);

	return high << 32 | span_u32(t, s, at + 4);
}

/* Returns the span behind n bytes. */
static inline struct span span_behind(const struct span *s, uint32_t n)
{
	struct span out = *s;
	const uint32_t captured = n < s->caplen ? n : s->caplen;

	out.at += captured;
	out.caplen -= captured;
	out.length -= n < s->length ? n : s->length;
	return out;
}

/* Returns the first n bytes of a span. */
static inline struct span span_first(const struct span *s, uint32_t n)
{
	struct span out = *s;

	if (out.caplen > n)
		out.caplen = n;
	out.length = n;
	return out;
}

/* Puts a text of the program's own. */
#define put_text(t, text) line_put_bytes((t)->line, text, sizeof(text) - 1)

static inline void put_string(struct tcpdump *t, const char *text)
{
	line_put_text(t->line, text);
}

void put_decimal(struct tcpdump *t, uint64_t value);
void put_ip4(struct tcpdump *t, const uint8_t *address);
void put_ip6(struct tcpdump *t, const uint8_t *address);

static inline void put_char(struct tcpdump *t, char c)
{
	line_put_char(t->line, c);
}

static inline void put_hex(struct tcpdump *t, uint64_t value, unsigned digits)
{
	line_put_hex(t->line, value, digits);
}

static inline void put_text_number(struct tcpdump *t, const char *before, size_t n, uint64_t value)
{
	line_put_bytes(t->line, before, n);
	put_decimal(t, value);
}

/* Puts "before" and a number.  The number is read first, so a cut comes before the text. */
#define put_number(t, before, value) put_text_number(t, before, sizeof(before) - 1, value)

/* Puts "0x" and a number of at least `digits` digits. */
void put_0x(struct tcpdump *t, uint64_t value, unsigned digits);
/* Puts n bytes at `at`, or ends the line if they are not here. */
void put_span_ip4(struct tcpdump *t, const struct span *s, uint32_t at);
void put_span_ip6(struct tcpdump *t, const struct span *s, uint32_t at);
void put_span_mac(struct tcpdump *t, const struct span *s, uint32_t at);
/* Puts n bytes as hexadecimal digits. */
void put_span_hex(struct tcpdump *t, const struct span *s, uint32_t at, uint32_t n);
/* Puts a byte from the wire as tcpdump does: as it is, ^X, or M- and one of these. */
void put_wire_char(struct tcpdump *t, uint8_t byte);

/* Names of numbers, ended by a row without a name. */
struct tcpdump_name {
	uint32_t value;
	const char *name;
};
/* Returns NULL if no row has the value. */
const char *tcpdump_name(const struct tcpdump_name *names, uint32_t value);
/* Puts the names of the bits that are set, with `between` between; "none" without any. */
void put_bits(
	struct tcpdump *t, const struct tcpdump_name *names, uint32_t value, const char *between);

/* Puts bytes of no known layer as lines of hexadecimal digits and text. */
void tcpdump_put_bytes(struct tcpdump *t, const struct span *s);
/* Puts lines of digits alone, each behind `indent`. */
void tcpdump_put_digits(struct tcpdump *t, const struct span *s, const char *indent);

/* Sum of RFC 1071 over n bytes (not inverted), on top of `sum`. */
uint32_t tcpdump_sum(const uint8_t *bytes, uint32_t n, uint32_t sum);
/* Sum with the pseudo header of IP; 0: the checksum is right. */
uint16_t tcpdump_checksum(
	const struct tcpdump_ip *ip, const uint8_t *bytes, uint32_t n, uint8_t protocol);

/* Returns the right checksum, from the checksum found and the rest of tcpdump_checksum(). */
uint32_t tcpdump_right_sum(uint32_t found, uint32_t left);

/* Link layer. */
void tcpdump_put_ethernet(struct tcpdump *t, struct span s);
/* Puts the payload of an ethertype; false: no layer takes that type. */
bool tcpdump_put_ethertype(struct tcpdump *t, uint32_t type, struct span s);
/* Puts ethertype's name as -e shows it: "IPv4". */
const char *tcpdump_ethertype_name(uint32_t type);
void tcpdump_put_link(struct tcpdump *t, struct span s);
/* Puts an LLC header and the layers behind; source and destination: of the frame, or NULL. */
void tcpdump_put_llc(
	struct tcpdump *t, struct span s, const uint8_t *source, const uint8_t *destination);
/* Puts a name and a length: "STP, length 35". */
void tcpdump_put_named(struct tcpdump *t, const char *name, const struct span *s);
/* Puts the payload of an ethertype other than IP's, ARP's and MPLS's; false: unknown. */
bool tcpdump_put_named_type(struct tcpdump *t, uint32_t type, struct span s);
/* Puts the payload behind an unnumbered LLC header; false: the header is to be shown. */
bool tcpdump_put_sap(struct tcpdump *t, uint32_t to, uint32_t from, struct span s);
/* Puts the payload of a SNAP header; false: the header is to be shown. */
bool tcpdump_put_snap_payload(struct tcpdump *t, uint32_t oui, uint32_t type, struct span s);
/* Returns the name of a protocol of an organisation's, or NULL. */
const char *tcpdump_snap_name(uint32_t oui, uint32_t type);

void tcpdump_put_arp(struct tcpdump *t, struct span s);
void tcpdump_put_ip4(struct tcpdump *t, struct span s);
void tcpdump_put_ip6(struct tcpdump *t, struct span s);
/* Puts an IP packet of the version in its first byte. */
void tcpdump_put_ip(struct tcpdump *t, struct span s);
/* Puts "a > b" with the two addresses. */
void tcpdump_put_addresses(struct tcpdump *t, const struct tcpdump_ip *ip);
/* Puts "a.1 > b.2: ". */
void tcpdump_put_ends(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint16_t source, uint16_t destination);
/* Puts "TCP (6)". */
void tcpdump_put_protocol_name(struct tcpdump *t, uint8_t protocol);
/* Puts the options of an IPv4 header of `bytes` bytes, for -v. */
void tcpdump_put_ip4_options(struct tcpdump *t, struct span s, uint32_t bytes);
/* Puts the layer of an IP protocol. */
void tcpdump_put_protocol(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol, struct span s);
/* Puts any other protocol above IP; false: unknown. */
bool tcpdump_put_other(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol, struct span s);
void tcpdump_put_tcp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s);
/* Puts the options; false: a bad one ends the line.  `first` holds the sequence numbers from which
 * numbers of this end and of its peer are counted. */
bool tcpdump_put_tcp_options(
	struct tcpdump *t, struct span s, uint32_t flags, const uint32_t first[2]);
/* Puts the option of Multipath TCP; false: the option is bad. */
bool tcpdump_put_mptcp(struct tcpdump *t, struct span s, uint32_t flags);
/* Puts the message of a UDP port; false: nothing was put. */
bool tcpdump_put_udp_payload(
	struct tcpdump *t, const struct tcpdump_ip *ip, struct span s, const uint16_t ports[2]);
/* Puts the message of a TCP port. */
void tcpdump_put_tcp_payload(
	struct tcpdump *t, struct span s, uint16_t source, uint16_t destination);
void tcpdump_put_udp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s);
void tcpdump_put_icmp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s);
/* Puts the packet inside a message, for -v. */
void tcpdump_put_icmp_details(struct tcpdump *t, struct span s, uint32_t type);
/* Puts flags, options and records of a message, for -v. */
void tcpdump_put_icmp6_details(struct tcpdump *t, struct span s, uint32_t type);
void tcpdump_put_icmp6(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s);
/* Puts DNS's line; a message over TCP begins with its length. */
void tcpdump_put_dns(struct tcpdump *t, struct span s, bool is_tcp, bool is_multicast);

/* Tunnels.  A PPP frame: false for an unknown protocol. */
void tcpdump_put_gre(struct tcpdump *t, struct span s);
bool tcpdump_put_ppp(struct tcpdump *t, struct span s);
bool tcpdump_put_pppoe(struct tcpdump *t, struct span s);
void tcpdump_put_vxlan(struct tcpdump *t, struct span s);
void tcpdump_put_otv(struct tcpdump *t, struct span s);
void tcpdump_put_geneve(struct tcpdump *t, struct span s);
/* Puts the first line of a protocol of text lines (-v: all lines); name: "HTTP" or another. */
void tcpdump_put_words(struct tcpdump *t, const char *name, struct span s);

/* A connection of TCP: the first sequence numbers of its two directions. */
struct tcpdump_connection {
	uint8_t address[2][16];
	uint16_t port[2];
	uint8_t version; /* 0: the place is free */
	uint8_t age;
	uint32_t first[2]; /* of the end with number 0, of its peer */
};
/* Returns the entry of a connection, which is_new if it was not known. */
struct tcpdump_connection *tcpdump_connection_find(
	struct tcpdump_sequences *sequences, const struct tcpdump_connection *key, bool *is_new);

#endif
