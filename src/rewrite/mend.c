/* SPDX-License-Identifier: MIT */
/* Mends the Internet checksum (RFC 1071) of a packet with replaced bytes by the difference alone
 * (RFC 1624, equation 3).  So cut packets are mended, too, and a wrong checksum stays wrong by the
 * same amount.  Pure.
 *
 * A field with the sum of the pseudo header alone was left to the network card.  The field gets the
 * sum of the new pseudo header.  A datagram of UDP without a checksum stays without. */
#include "base/bytes.h"
#include "names/numbers.h"
#include "rewrite/edit.h"

/* The part of a packet that a checksum covers: bytes, and a pseudo header. */
struct cover {
	uint32_t field;      /* offset of the checksum */
	uint32_t start, end; /* bytes of the packet, at most up to caplen */
	bool pseudo;
	bool whole; /* all of the bytes were captured, and are in this fragment */
	uint32_t length;
	uint32_t old_addresses, new_addresses; /* folded sums */
	uint8_t proto;
};

/* Returns the folded sum of the 16-bit words in [start, end). */
static uint32_t sum_packet_words(const uint8_t *bytes, uint32_t start, uint32_t end)
{
	uint64_t s = 0;

	for (; end - start >= 4; start += 4)
		s += bpei_be32(bytes + start);
	if (end - start >= 2) {
		s += bpei_be16(bytes + start);
		start += 2;
	}
	if (start < end)
		s += (uint32_t)bytes[start] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint32_t)s;
}

static uint32_t fold_words(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return (s & 0xffff) + (s >> 16);
}

/* Returns the sum of the pseudo header with these addresses. */
static uint32_t sum_pseudo(const struct cover *c, uint32_t addresses)
{
	return fold_words(addresses + fold_words(c->length) + c->proto);
}

/* Returns whether the captured packet's checksum is right; false if that cannot be told. */
static bool is_right(const struct bpei_edit *e, const struct cover *c)
{
	uint32_t s = 0;

	if (!c->whole)
		return false;
	if (c->pseudo)
		s = sum_pseudo(c, c->old_addresses);
	return fold_words(s + sum_packet_words(e->from, c->start, c->end)) == 0xffff;
}

/* Returns the checksum behind a change from the sum `was` to the sum `is`. */
static uint16_t mend_sum(uint32_t checksum, uint32_t was, uint32_t is)
{
	return (uint16_t)~fold_words((~checksum & 0xffff) + (~was & 0xffff) + is);
}

/* Mends the checksum by the difference of the covered bytes.  zero: written in place of 0. */
static void mend_cover(struct bpei_edit *e, const struct cover *c, uint16_t zero)
{
	const uint32_t checksum = bpei_be16(e->from + c->field);
	uint32_t start = c->start;
	uint32_t end = c->end;
	uint32_t was = 0;
	uint32_t is = 0;

	if (start < e->first && e->first < end)
		start += (e->first - start) & ~1u;
	if (e->last < end)
		end = e->last;
	if (e->first < c->end && start < end) {
		was = sum_packet_words(e->from, start, end);
		is = sum_packet_words(e->to, start, end);
	}
	if (c->pseudo) {
		was = fold_words(was + c->old_addresses);
		is = fold_words(is + c->new_addresses);
	}
	if (was % 0xffff == is % 0xffff)
		return;
	uint16_t mended = mend_sum(checksum, was, is);
	if (c->pseudo && checksum == sum_pseudo(c, c->old_addresses) && !is_right(e, c))
		mended = (uint16_t)sum_pseudo(c, c->new_addresses);
	if (!mended)
		mended = zero;
	e->to[c->field] = (uint8_t)(mended >> 8);
	e->to[c->field + 1] = (uint8_t)mended;
	bpei_edit_changed(e, c->field, 2);
}

static void mend_ip4_header(struct bpei_edit *e, const struct bpei_ip_level *l)
{
	const uint32_t header = (e->from[l->offset] & 15u) * 4;
	struct cover c = { .field = l->offset + 10,
		.start = l->offset,
		.end = l->offset + header,
		.whole = true };

	if (!bpei_edit_has(e, l->offset, 20) || header < 20)
		return;
	if (!bpei_edit_has(e, l->offset, header)) {
		c.end = e->caplen;
		c.whole = false;
	}
	const bool right = is_right(e, &c);
	if (!right && !bpei_be16(e->from + c.field))
		return; /* left to the network card */
	mend_cover(e, &c, right ? 0 : 0xffff);
}

/* Returns the offset of the checksum in a header of the protocol; 0: none that addresses or a
 * packet inside can change.  *pseudo: whether the pseudo header is covered. */
static uint32_t find_checksum(
	const struct bpei_edit *e, const struct bpei_ip_level *l, bool *pseudo)
{
	const uint8_t first = e->from[l->upper];

	*pseudo = true;
	switch (l->proto) {
	case IP_TCP:
		return 16;
	case IP_UDP:
	case IP_UDPLITE:
	case IP_DCCP:
		return 6;
	case IP_ICMP6:
		return l->six ? 2 : 0;
	case IP_PIM:
		return l->six ? 2 : 0;
	case IP_OSPF:
		return l->six ? 12 : 0;
	case IP_VRRP:
		return l->six || first >> 4 == 3 ? 6 : 0;
	case IP_ICMP:
	case IP_IGMP:
		*pseudo = false;
		return l->six ? 0 : 2;
	case IP_GRE:
		*pseudo = false;
		return first & 0x80 ? 4 : 0;
	default:
		return 0;
	}
}

/* Shortens the cover to UDP's length, or to UDP-Lite's or DCCP's coverage. */
static void limit_cover(const struct bpei_edit *e, const struct bpei_ip_level *l, struct cover *c)
{
	uint32_t length = l->whole - l->upper;

	c->length = length;
	if (l->proto == IP_UDP || l->proto == IP_UDPLITE) {
		const uint32_t field = bpei_be16(e->from + l->upper + 4);

		if (field >= 8 && field < length)
			length = field;
		if (l->proto == IP_UDP && field >= 8)
			c->length = field;
	}
	if (l->proto == IP_DCCP && e->from[l->upper + 5] & 15) {
		const uint32_t words = e->from[l->upper + 4] + (e->from[l->upper + 5] & 15u) - 1;

		if (words * 4 < length)
			length = words * 4;
	}
	if (length < l->end - l->upper)
		c->end = l->upper + length;
	c->whole = !l->fragment && l->upper + length <= e->caplen;
}

/* Mends GRE's checksum in a datagram to GRE's port. */
static void mend_gre_in_udp(struct bpei_edit *e, const struct bpei_ip_level *l)
{
	enum { GRE_PORT = 4754 };
	const struct cover c = { .field = l->upper + 12, .start = l->upper + 8, .end = l->end };

	if (l->end - l->upper < 16 || bpei_be16(e->from + l->upper + 2) != GRE_PORT ||
		!(e->from[l->upper + 8] & 0x80))
		return;
	mend_cover(e, &c, 0);
}

void bpei_mend_checksums(struct bpei_edit *e, const struct bpei_ip_level *l)
{
	const uint32_t bytes = l->six ? 16 : 4;
	const uint32_t source = l->offset + (l->six ? 8 : 12);
	struct cover c = { .start = l->upper, .end = l->end, .proto = l->proto };

	if (!l->six)
		mend_ip4_header(e, l);
	if (!l->upper || l->end - l->upper < 8)
		return;
	if (l->proto == IP_UDP)
		mend_gre_in_udp(e, l);
	const uint32_t field = find_checksum(e, l, &c.pseudo);
	if (!field || l->end - l->upper < field + 2)
		return;
	c.field = l->upper + field;
	if (l->proto == IP_UDP && !bpei_be16(e->from + c.field))
		return;
	limit_cover(e, l, &c);
	c.old_addresses = fold_words(sum_packet_words(e->from, source, source + bytes) +
				     sum_packet_words(e->from, l->target, l->target + bytes));
	c.new_addresses = fold_words(sum_packet_words(e->to, source, source + bytes) +
				     sum_packet_words(e->to, l->target, l->target + bytes));
	mend_cover(e, &c, l->proto == IP_UDP || l->proto == IP_UDPLITE ? 0xffff : 0);
}
