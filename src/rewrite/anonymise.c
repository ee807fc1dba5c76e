/* SPDX-License-Identifier: MIT */
/* Finds a packet's headers by the parser, and replaces the addresses in them.  Headers are edited
 * from the outermost inwards, and checksums mended from the innermost outwards, since an outer
 * checksum covers the inner headers. */
#include "rewrite/anonymise.h"
#include "base/bytes.h"
#include "names/numbers.h"
#include "rewrite/edit.h"

#include <stdlib.h>

struct bpei_anonymiser {
	struct bpei_prefix *prefix;
	uint32_t flags;
	struct bpei_anonymise_counts counts;
};

static void edit_arp(struct bpei_edit *e, uint32_t offset)
{
	enum { IP4_BYTES = 4, MAC_BYTES = 6 };

	if (!bpei_edit_has(e, offset, 8) || bpei_be16(e->from + offset + 2) != TYPE_IP4)
		return;
	const uint32_t hardware = e->from[offset + 4];
	const uint32_t protocol = e->from[offset + 5];
	for (uint32_t end = 0; end < 2; end++) {
		const uint32_t at = offset + 8 + end * (hardware + protocol);

		if (e->macs && hardware == MAC_BYTES)
			bpei_edit_mac_address(e, at);
		if (protocol == IP4_BYTES)
			bpei_edit_ip4_address(e, at + hardware);
	}
}

/* Edits the MAC header at offset, in front of the network header at `network` (0: of none).  The
 * multicast address of an IPv6 group holds the group's last four bytes. */
static void edit_ethernet(struct bpei_edit *e, uint32_t offset, const struct bpei_place *next)
{
	static const uint8_t group6[2] = { 0x33, 0x33 };

	if (e->macs) {
		bpei_edit_mac_address(e, offset);
		bpei_edit_mac_address(e, offset + 6);
	}
	if (!next || next->kind != BPEI_PLACE_IP6 || !bpei_edit_has(e, next->offset, 40) ||
		memcmp(e->from + offset, group6, sizeof group6) != 0 ||
		e->from[next->offset + 24] != 0xff ||
		memcmp(e->from + offset + 2, e->from + next->offset + 36, 4) != 0)
		return;
	bpei_edit_changed(e, offset + 2, 4);
	bpei_prefix_ip6(e->prefix, e->from + next->offset + 24, e->to + next->offset + 24);
	memcpy(e->to + offset + 2, e->to + next->offset + 36, 4);
}

/* The IP headers of a packet: the outermost first, and a packet before the packets inside. */
struct ip_levels {
	struct bpei_ip_level at[BPEI_PLACES * (1 + BPEI_MOST_QUOTATIONS)];
	uint32_t count;
};

/* Edits the headers at the places, which the parser counted from `base`, and adds the IP headers to
 * the levels. */
static void edit_places(struct bpei_edit *e, const struct bpei_places *places, uint32_t base,
	struct ip_levels *levels)
{
	const uint32_t count = places->count < BPEI_PLACES ? places->count : BPEI_PLACES;

	for (uint32_t i = 0; i < count; i++) {
		struct bpei_place place = places->at[i];
		struct bpei_place next = { 0, BPEI_PLACE_ETHERNET };

		place.offset += base;
		if (i + 1 < count)
			next = places->at[i + 1];
		next.offset += base;
		if (place.kind == BPEI_PLACE_ETHERNET) {
			edit_ethernet(e, place.offset, &next);
		} else if (place.kind == BPEI_PLACE_ARP) {
			edit_arp(e, place.offset);
		} else {
			struct bpei_ip_level *level = &levels->at[levels->count];

			*level = (struct bpei_ip_level){ .offset = place.offset,
				.six = place.kind == BPEI_PLACE_IP6 };
			levels->count += bpei_edit_ip(e, level);
		}
	}
}

/* Parses caplen bytes, and fills the places and the layers. */
static void find_header_places(const uint8_t *data, uint32_t caplen, uint32_t wirelen,
	uint32_t link_type, struct bpei_places *places, struct bpe_layers *layers)
{
	struct bpe_key key;
	struct bpei_columns columns = { .data = &data,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = layers,
		.key = &key,
		.no_identity = true,
		.places = places };

	bpei_parse_scalar(&columns, 1, link_type, NULL);
}

/* Edits the packets that ICMP messages of the packet quote.  A quoted message can quote, too. */
static void edit_quotations(struct bpei_edit *e, struct ip_levels *levels)
{
	for (uint32_t i = 0; i < e->quotations; i++) {
		const struct bpei_quotation q = e->quotation[i];
		struct bpei_places places;
		struct bpe_layers layers;

		find_header_places(e->from + q.offset, q.end - q.offset, UINT32_MAX, LINK_RAW,
			&places, &layers);
		edit_places(e, &places, q.offset, levels);
	}
}

/* Edits the sender's MAC address in Linux' cooked header. */
static bool edit_cooked(struct bpei_edit *e, uint32_t link_type)
{
	const uint32_t length_at = link_type == LINK_SLL ? 4 : 11;
	const uint32_t address_at = link_type == LINK_SLL ? 6 : 12;

	if (link_type != LINK_SLL && link_type != LINK_SLL2)
		return false;
	if (!bpei_edit_has(e, 0, address_at))
		return true;
	const uint32_t length =
		link_type == LINK_SLL ? bpei_be16(e->from + length_at) : e->from[length_at];
	if (length == 6)
		bpei_edit_mac_address(e, address_at);
	return true;
}

/* Returns whether a message of ICMPv6 is all headers: MLD, neighbour discovery but for redirects.
 */
static bool is_neighbour_message(uint8_t type)
{
	enum { QUERY = 130, NEIGHBOUR = 136, REPORT_2 = 143 };

	return (type >= QUERY && type <= NEIGHBOUR) || type == REPORT_2;
}

/* Returns how many bytes of the packet are headers. */
static uint32_t header_bytes(const uint8_t *data, const struct bpe_layers *l, uint32_t caplen)
{
	uint32_t n = 0;

	if (l->network != BPE_NO_OFFSET)
		n = l->network;
	if (l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6) && l->transport != BPE_NO_OFFSET)
		n = l->transport;
	if (l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6) && l->payload != BPE_NO_OFFSET)
		n = l->payload;
	if (l->proto == BPE_PROTO_ARP || l->proto == BPE_PROTO_IGMP)
		n = l->end;
	if (l->proto == BPE_PROTO_ICMP6 && l->transport < caplen &&
		is_neighbour_message(data[l->transport]))
		n = l->end;
	return n < caplen ? n : caplen;
}

uint32_t bpei_anonymise(struct bpei_anonymiser *a, const uint8_t *from, uint8_t *to,
	uint32_t caplen, uint32_t wirelen, uint32_t link_type)
{
	struct bpei_places places;
	struct bpe_layers layers;
	struct ip_levels levels;
	struct bpei_edit e = { .prefix = a->prefix,
		.from = from,
		.to = to,
		.caplen = caplen,
		.macs = a->flags & BPEI_ANONYMISE_MAC,
		.first = UINT32_MAX };

	find_header_places(from, caplen, wirelen, link_type, &places, &layers);
	const bool ethernet = places.count && places.at[0].kind == BPEI_PLACE_ETHERNET;
	if (e.macs && !ethernet && !edit_cooked(&e, link_type))
		a->counts.macs_kept++;
	levels.count = 0;
	edit_places(&e, &places, 0, &levels);
	edit_quotations(&e, &levels);
	while (levels.count)
		bpei_mend_checksums(&e, &levels.at[--levels.count]);
	if (e.addresses)
		a->counts.changed++;
	else
		a->counts.unreached++;
	return a->flags & BPEI_ANONYMISE_CUT_PAYLOAD ? header_bytes(from, &layers, caplen) : caplen;
}

const struct bpei_anonymise_counts *bpei_anonymise_counts(const struct bpei_anonymiser *a)
{
	return &a->counts;
}

struct bpei_anonymiser *bpei_anonymiser_new(
	const uint8_t key[BPEI_PREFIX_KEY_BYTES], uint32_t flags)
{
	struct bpei_anonymiser *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->flags = flags;
	a->prefix = bpei_prefix_new(key, flags & BPEI_ANONYMISE_ALL);
	if (!a->prefix) {
		free(a);
		return NULL;
	}
	return a;
}

void bpei_anonymiser_free(struct bpei_anonymiser *a)
{
	if (a)
		bpei_prefix_free(a->prefix);
	free(a);
}
