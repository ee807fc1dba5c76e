/* SPDX-License-Identifier: MIT */
/* The meaning of addresses and ports of the network and transport layers (pcap-filter(7)): hosts
 * and nets of IPv4, ARP and IPv6, ports, and DECnet's addresses. */
#include "filter/links.h"
#include "filter/terms_ip6.h"

/* A 4-byte address under a mask, and the offsets of both ends in the network header. */
struct host4 {
	uint32_t address, mask;
	enum direction direction;
};

/* Offsets of the source and target addresses. */
struct ends {
	uint32_t source, target;
};

static const struct ends ip4_ends = { 12, 16 };
static const struct ends arp_ends = { 14, 24 };
static const struct ends ip6_ends = { 8, 24 };

/* ---- Hosts and nets ---- */

static int32_t test_host4_end(
	struct bpei_compile *c, uint32_t type, uint32_t at, const struct host4 *h)
{
	const int32_t b = bpei_place_is_masked(c, 4, c->offsets.network, at, h->address, h->mask);

	return bpei_and(c, bpei_term_linktype(c, type), b);
}

static int32_t test_host4(
	struct bpei_compile *c, uint32_t type, const struct ends *ends, const struct host4 *h)
{
	const int32_t source = test_host4_end(c, type, ends->source, h);
	const int32_t target = test_host4_end(c, type, ends->target, h);

	return bpei_by_direction(c, source, target, h->direction);
}

int32_t bpei_term_host(struct bpei_compile *c, uint32_t address, uint32_t mask, enum proto p,
	enum direction d, const char *what)
{
	const struct host4 h = { address, mask, d };
	int32_t b;

	switch (p) {
	case P_DEFAULT:
		b = test_host4(c, TYPE_IP4, &ip4_ends, &h);
		if (c->offsets.mpls)
			return b;
		b = bpei_or(c, b, test_host4(c, TYPE_ARP, &arp_ends, &h));
		return bpei_or(c, b, test_host4(c, TYPE_RARP, &arp_ends, &h));
	case P_IP:
		return test_host4(c, TYPE_IP4, &ip4_ends, &h);
	case P_ARP:
		return test_host4(c, TYPE_ARP, &arp_ends, &h);
	case P_RARP:
		return test_host4(c, TYPE_RARP, &arp_ends, &h);
	case P_LINK:
		return bpei_compile_fail_term(c,
			"an IPv4 address is no link-layer address: leave out \"ether\", or give aa:bb:cc:dd:ee:ff");
	default:
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before %s", bpei_proto_text(p), what);
	}
}

/* Returns the test of a 16-byte address, word by word.  A word with the mask 0 is left out, since
 * loading the word would demand bytes that the term does not need. */
static int32_t test_address6(
	struct bpei_compile *c, uint32_t at, const uint8_t address[16], const uint8_t mask[16])
{
	int32_t b = -1;

	for (uint32_t word = 4; word-- > 0;) {
		uint32_t k = 0, m = 0;

		for (uint32_t j = 4 * word; j < 4 * word + 4; j++) {
			k = k << 8 | address[j];
			m = m << 8 | mask[j];
		}
		if (!m)
			continue;
		const int32_t t =
			bpei_place_is_masked(c, 4, c->offsets.network, at + 4 * word, k, m);
		b = b < 0 ? t : bpei_and(c, t, b);
	}
	return b < 0 ? bpei_const(c, true) : b;
}

static int32_t test_host6_end(
	struct bpei_compile *c, uint32_t at, const uint8_t address[16], const uint8_t mask[16])
{
	const int32_t b = test_address6(c, at, address, mask);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), b);
}

int32_t bpei_term_host6(struct bpei_compile *c, const uint8_t address[16], const uint8_t mask[16],
	enum proto p, enum direction d, const char *what)
{
	if (p != P_DEFAULT && p != P_IP6)
		return bpei_compile_fail_term(
			c, "\"%s\" cannot stand before an IPv6 %s", bpei_proto_text(p), what);
	const int32_t source = test_host6_end(c, ip6_ends.source, address, mask);
	const int32_t target = test_host6_end(c, ip6_ends.target, address, mask);

	return bpei_by_direction(c, source, target, d);
}

/* ---- Ports ---- */

struct ports {
	enum proto proto;
	uint32_t low, high;
	enum direction direction;
};

static int32_t test_port_at(
	struct bpei_compile *c, struct place transport, uint32_t at, const struct ports *p)
{
	const int32_t v = bpei_place_load(c, 2, transport, at);

	if (p->low == p->high)
		return bpei_test(c, v, CMP_EQ, p->low);
	const int32_t not_above = bpei_not(c, bpei_test(c, v, CMP_GT, p->high));

	return bpei_and(c, bpei_test(c, v, CMP_GE, p->low), not_above);
}

/* Returns the test of the ports in the header h. */
static int32_t test_header_ports(
	struct bpei_compile *c, bool six, const struct carried_header *h, const struct ports *p)
{
	static const struct {
		enum proto proto;
		uint32_t number;
	} kinds[] = { { P_SCTP, IP_SCTP }, { P_TCP, IP_TCP }, { P_UDP, IP_UDP } };
	int32_t all = -1;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (p->proto != P_DEFAULT && p->proto != kinds[i].proto)
			continue;
		int32_t b = bpei_place_is(c, 1, h->next, 0, kinds[i].number);
		if (!six)
			b = bpei_and(c, b, bpei_place_no_fragment(c));
		const int32_t target = test_port_at(c, h->at, 2, p);
		const int32_t source = test_port_at(c, h->at, 0, p);
		b = bpei_and(c, b, bpei_by_direction(c, source, target, p->direction));
		all = bpei_or_optional(c, all, b);
	}
	return all;
}

static int32_t test_ports4(struct bpei_compile *c, const struct ports *p)
{
	const struct place n = c->offsets.network;
	const struct carried_header h = { { n.base, n.at + IP4_PROTOCOL },
		bpei_place_behind_ip4(c) };
	const int32_t b = test_header_ports(c, false, &h, p);

	return bpei_and(c, bpei_term_linktype(c, TYPE_IP4), b);
}

static int32_t test_ports6(struct bpei_compile *c, const struct ports *p)
{
	const bool through = c->through & BPE_THROUGH_IPV6_EXT;
	int32_t each[BPEI_EXTENSIONS + 1];

	for (uint32_t depth = 0; depth <= (through ? BPEI_EXTENSIONS : 0); depth++) {
		const struct carried_header h = bpei_ip6_carried(c, depth);

		each[depth] = test_header_ports(c, true, &h, p);
	}
	if (through)
		return bpei_term_extensions(c, each, false);
	return bpei_and(c, bpei_term_linktype(c, TYPE_IP6), each[0]);
}

int32_t bpei_term_port(
	struct bpei_compile *c, uint32_t low, uint32_t high, enum proto p, enum direction d)
{
	if (p != P_DEFAULT && p != P_TCP && p != P_UDP && p != P_SCTP)
		return bpei_compile_fail_term(
			c, "\"%s\" has no ports: tcp, udp and sctp have", bpei_proto_text(p));
	if (low > 65535 || high > 65535)
		return bpei_compile_fail_term(c, "ports end at 65535");
	const struct ports upward = { p, low, high, d };
	const struct ports downward = { p, high, low, d };
	const struct ports *ports = low < high ? &upward : &downward;
	const int32_t four = test_ports4(c, ports);

	return bpei_or(c, test_ports6(c, ports), four);
}

/* ---- DECnet ---- */

/* Returns the test of an address in a routing header of DECnet: a short or long data packet, with
 * or without a byte of padding (0x81) in front. */
static int32_t test_decnet_end(
	struct bpei_compile *c, uint32_t in_short, uint32_t in_long, uint32_t address)
{
	const struct place n = c->offsets.network;
	const struct {
		uint32_t size, flags, mask, at;
	} shapes[] = {
		{ 1, 2, 7, in_short },
		{ 2, 0x8102, 0xff07, in_short + 1 },
		{ 1, 6, 7, in_long },
		{ 2, 0x8106, 0xff07, in_long + 1 },
	};
	int32_t b = -1;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const int32_t equal = bpei_place_is(c, 2, n, shapes[i].at, address);
		const int32_t shape = bpei_place_is_masked(
			c, shapes[i].size, n, 2, shapes[i].flags, shapes[i].mask);

		b = bpei_or_optional(c, b, bpei_and(c, shape, equal));
	}
	return bpei_and(c, bpei_term_linktype(c, TYPE_DECNET), b);
}

int32_t bpei_term_decnet(struct bpei_compile *c, uint32_t area, uint32_t node, enum direction d)
{
	if (area > 63 || node > 1023)
		return bpei_compile_fail_term(c, "a DECnet address is AREA.NODE, up to 63.1023");
	const uint32_t address = area << 10 | node;
	const uint32_t swapped = (address & 0xff) << 8 | address >> 8; /* little-endian */
	const int32_t source = test_decnet_end(c, 5, 17, swapped);
	const int32_t target = test_decnet_end(c, 3, 9, swapped);

	return bpei_by_direction(c, source, target, d);
}
