/* SPDX-License-Identifier: MIT */
/* Checks the headers of a group of LANES packets, in columns, and stores layers, keys and hashes:
 * the second half of arch/lanes/parse_lanes.h, which includes this file and describes the
 * operations used here.  All packets of a group have one IP version. */
#include "arch/lanes/gather_list.h"
#include "arch/lanes/hash_lanes.h"
#include "arch/scalar/packet.h"
#include "base/cacheline.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_LANE(statement)                                                                       \
	_Pragma("GCC unroll 16") for (uint32_t j = 0; j < LANES; j++)                              \
	{                                                                                          \
		statement;                                                                         \
	}
#define ALL_LANES ((uint32_t)((UINT64_C(1) << LANES) - 1))

enum { HEADER_IP4 = 20, HEADER_IP6 = 40, HEADER_TCP = 20, HEADER_UDP = 8 };

/* What a link type means for the parser; constant in each copy of parse_link_type. */
struct link_shape {
	bool ethernet;
	uint32_t kind;      /* LINK_ETHERNET, LINK_NULL, LINK_LOOP or LINK_RAW */
	uint32_t network;   /* offset of the IP header; Ethernet: without a tag */
	uint32_t link_type; /* for the layers */
};

/* What all groups of a batch share. */
struct lane_context {
	const struct bpei_columns *columns;
	const struct hash_secret *secret;
	const struct link_shape *shape;
};

/* A group's headers, in columns. */
struct lane_group {
	vec32 left;       /* bytes captured from the IP header on; 65535: so many or more */
	vec32 tags;       /* masks: tagged */
	vec32 vlan;       /* VLAN id */
	vec32 outgoing;   /* BPE_PKT_OUTGOING in the upper half */
	vec32 low[4];     /* ip[-4 .. 12) */
	vec32 ends[2][4]; /* addresses of sender and receiver; IPv4: the first words only */
	vec32 behind[2];  /* the first 8 bytes behind the IP header */
	vec32 flags_word; /* bytes 12 to 15 behind the IP header, if they are captured */
};

/* What the checks found in a group. */
struct lane_result {
	vec32 good;         /* masks: lanes that are parsed here */
	vec32 proto;        /* IP protocol */
	vec32 tcp;          /* masks */
	vec32 room;         /* bytes behind the IP header, by IP's length */
	vec32 header_bytes; /* of the transport header */
	vec32 l4_bytes;     /* from the transport header to the packet's end */
	vec32 layers_proto; /* highest byte: BPE_PROTO_* less BPE_PROTO_UDP */
	vec32 ports;        /* source << 16 | target */
	vec32 ports_swapped;
	vec32 keeps_order; /* masks: the sender is the lower end */
};

INLINE vec32 broadcast_word(uint32_t x)
{
	return x - (vec32){ 0 };
}

INLINE vec32 load_vec32(const uint32_t *p)
{
	vec32 v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* Returns masks: lanes of `which` without a port of BPEI_TUNNEL_PORTS, and all lanes outside of
 * `which`. */
INLINE vec32 has_no_tunnel_port(vec32 port_pairs, vec32 which)
{
	const vec16 ports = (vec16)port_pairs;
	const vec32 found = (vec32)(ports == lookup_ports(hash_ports(ports)));

	return ~(vec32)((found & which) != 0);
}

/* Checks the IP header.  Fills good, proto and room. */
INLINE void check_ip(const struct lane_group *g, bool ip6, struct lane_result *r)
{
	vec32 is_cut; /* the packet ends behind the captured bytes */

	if (ip6) {
		r->good = (vec32)((g->low[1] & 0xf0) == 0x60);
		r->room = be16_low(g->low[2]);
		is_cut = gt_s32(r->room, g->left - HEADER_IP6);
		r->proto = g->low[2] >> 16 & 0xff;
	} else {
		/* version 4, 5 words of header, no fragment: in one compare */
		const vec32 first =
			select_lanes(broadcast_word(0xff), g->low[1], g->low[2] & 0xff3f0000);
		const vec32 total = be16_high(g->low[1]);

		r->good = (vec32)(first == 0x45);
		r->room = total - HEADER_IP4;
		is_cut = gt_s32(total, g->left);
		r->proto = second_byte(g->low[3]);
	}
	r->good &= ~is_cut;
}

/* Takes ICMP queries and answers.  Echoes have their identifier for ports; errors are left to
 * scalar.  Returns masks: lanes that are ICMP and no error. */
INLINE vec32 check_icmp(const struct lane_group *g, bool ip6, struct lane_result *r)
{
	const uint32_t layers_proto = ip6 ? BPE_PROTO_ICMP6 : BPE_PROTO_ICMP;
	const vec32 icmp = (vec32)(r->proto == (ip6 ? IP_ICMP6 : IP_ICMP));
	const vec32 type = g->behind[0] & 0xff;
	vec32 error, echo;

	if (ip6) {
		error = (vec32)(type - 1 < broadcast_word(4));
		echo = (vec32)((type & 0xfe) == 128);
	} else {
		error = (vec32)(type - 3 < broadcast_word(3)) |
			(vec32)((type - 11) < broadcast_word(2));
		echo = (vec32)((type & 0xf7) == 0);
	}
	const vec32 identifier = be16_low(g->behind[1]) & echo;
	r->ports = select_lanes(icmp, identifier | identifier << 16, r->ports);
	r->layers_proto += icmp & ((layers_proto - BPE_PROTO_UDP) << 24);
	return icmp & ~error;
}

/* Checks the transport header.  Fills tcp, header_bytes, l4_bytes, layers_proto and ports, and
 * clears lanes of good. */
INLINE void check_transport(const struct lane_group *g, bool ip6, struct lane_result *r)
{
	r->tcp = (vec32)(r->proto == IP_TCP);
	const vec32 udp = (vec32)(r->proto == IP_UDP);
	vec32 known = r->tcp | udp;

	r->header_bytes =
		select_lanes(r->tcp, g->flags_word >> 2 & 0x3c, broadcast_word(HEADER_UDP));
	/* the length that the header claims: TCP's of itself, UDP's of the datagram */
	const vec32 claimed = select_lanes(udp, be16_low(g->behind[1]), r->header_bytes);
	const vec32 least =
		select_lanes(r->tcp, broadcast_word(HEADER_TCP), broadcast_word(HEADER_UDP));
	r->l4_bytes = select_lanes(udp, claimed, r->room);
	r->good &= ~(gt_s32(least, claimed) | gt_s32(claimed, r->room));

	r->ports = swap_word_bytes(g->behind[0]);
	r->layers_proto = r->tcp << 24; /* BPE_PROTO_TCP is BPE_PROTO_UDP - 1 */
	if (BPEI_UNLIKELY(any_lane(r->good & ~known)))
		known |= check_icmp(g, ip6, r);
	r->good &= known;
	r->ports_swapped = swap_halves(r->ports);
	r->good &= has_no_tunnel_port(r->ports, udp);
}
_Static_assert(BPE_PROTO_UDP - 1 == BPE_PROTO_TCP, "subtracted");

/* Orders the two ends of each lane: by the first words of the addresses that differ, else by ports.
 * Fills keeps_order. */
INLINE void order_ends(const struct lane_group *g, uint32_t words, struct lane_result *r)
{
	vec32 from = g->ends[0][words - 1];
	vec32 to = g->ends[1][words - 1];

	for (uint32_t k = words - 1; k-- > 0;) {
		const vec32 same = (vec32)(g->ends[0][k] == g->ends[1][k]);

		from = select_lanes(same, from, g->ends[0][k]);
		to = select_lanes(same, to, g->ends[1][k]);
	}
	const vec32 equal = (vec32)(from == to);
	const vec32 sender = select_lanes(equal, r->ports, swap_word_bytes(from));
	const vec32 receiver = select_lanes(equal, r->ports_swapped, swap_word_bytes(to));
	r->keeps_order = (vec32)(sender <= receiver);
}

/* Puts the lower end first in ends[], and returns the keys' hashes. */
INLINE vec32 hash_ordered_ends(struct lane_group *g, const struct hash_secret *h, bool ip6,
	vec32 key_ports, vec32 key_kind, vec32 keeps_order)
{
	const uint32_t words = ip6 ? 4 : 1;
	const vec64 begin = ip6 ? h->tags : h->ip4_constant;
	struct hash_sums sums = { begin, begin };

	add_product(&sums, key_ports + h->word[8], key_kind + h->word[9]);
	for (uint32_t k = 0; k < words; k++) {
		const vec32 lower = select_lanes(keeps_order, g->ends[0][k], g->ends[1][k]);
		const vec32 upper = select_lanes(keeps_order, g->ends[1][k], g->ends[0][k]);

		g->ends[0][k] = lower;
		g->ends[1][k] = upper;
		add_product(&sums, lower + h->word[k], upper + h->word[4 + k]);
	}
	return finish_hash(sums, h);
}

INLINE void store_group_keys(struct bpe_key *keys, const uint32_t *indexes,
	const struct lane_group *g, bool ip6, vec32 key_ports, vec32 key_kind)
{
	if (!ip6) {
		store_keys(keys, indexes, g->ends[0][0], g->ends[1][0], key_ports, key_kind);
		return;
	}
	vec32x4 lower[LANES], upper[LANES];
	columns_to_rows(lower, g->ends[0][0], g->ends[0][1], g->ends[0][2], g->ends[0][3]);
	columns_to_rows(upper, g->ends[1][0], g->ends[1][1], g->ends[1][2], g->ends[1][3]);
	EACH_LANE(struct bpe_key *key = key_at(keys, indexes, j);
		memcpy(key->addr[0], &lower[j], 16); memcpy(key->addr[1], &upper[j], 16))
	store_rows(keys, indexes, key_ports, key_kind);
}

/* Computes the six words of struct bpe_layers.  tags is a mask: & 4 is the length of a tag. */
INLINE void make_layers(const struct lane_group *g, const struct lane_result *r, bool ip6,
	const struct link_shape *s, vec32 layers[6])
{
	const uint32_t transport = s->network + (ip6 ? HEADER_IP6 : HEADER_IP4);
	const uint32_t flags = (uint32_t)(BPE_PKT_KEY | (ip6 ? BPE_PKT_IP6 : BPE_PKT_IP4)) << 16;
	const uint32_t ethertype = ip6 ? TYPE_IP6 : TYPE_IP4;

	layers[0] = (g->tags & 0x40004) + (s->network | transport << 16);
	layers[1] = r->header_bytes + (transport + flags) +
		    (~r->keeps_order & (BPE_PKT_REVERSED << 16)) +
		    (g->tags & (4 | BPE_PKT_VLAN << 16)) + g->outgoing;
	layers[2] = r->l4_bytes + transport + (g->tags & 4);
	layers[3] =
		(r->proto << 16) + r->layers_proto + (ethertype | (uint32_t)BPE_PROTO_UDP << 24);
	layers[4] = (second_byte(g->flags_word) << 16 & r->tcp) - (g->tags << 24) + s->link_type;
	layers[5] = g->vlan;
}

INLINE void store_group_layers(
	struct bpe_layers *to, const uint32_t *indexes, const vec32 layers[6])
{
	if (!indexes) {
		store_layers(to, layers);
		return;
	}
	vec32x4 rows[LANES];
	columns_to_rows(rows, layers[0], layers[1], layers[2], layers[3]);
	EACH_LANE(memcpy(layers_at(to, indexes, j), &rows[j], 16))
	store_pairs(to, indexes, layers[4], layers[5]);
}

INLINE void store_group_hashes(uint32_t *to, const uint32_t *indexes, vec32 hash)
{
	if (indexes) {
		EACH_LANE(to[indexes[j]] = hash[j])
	} else {
		memcpy(to, &hash, sizeof hash);
	}
}

/* Turns a group's columns into layers, keys and hashes, of the packets at `indexes`, or of the
 * neighbours from `first` on if indexes is NULL.  Returns masks: the good lanes. */
INLINE vec32 finish_group(const struct lane_context *ctx, size_t first, const uint32_t *indexes,
	struct lane_group *g, bool ip6)
{
	const struct bpei_columns *c = ctx->columns;
	struct lane_result r;
	vec32 layers[6];

	check_ip(g, ip6, &r);
	check_transport(g, ip6, &r);
	order_ends(g, ip6 ? 4 : 1, &r);
	const vec32 kind = r.proto | (ip6 ? 0x600 : 0x400) | g->vlan << 16;
	const vec32 key_ports = select_lanes(r.keeps_order, r.ports_swapped, r.ports);
	const vec32 hash = hash_ordered_ends(g, ctx->secret, ip6, key_ports, kind, r.keeps_order);
	store_group_hashes(c->hash + first, indexes, hash);
	make_layers(g, &r, ip6, ctx->shape, layers);
	store_group_keys(c->key + first, indexes, g, ip6, key_ports, kind);
	store_group_layers(c->layers + first, indexes, layers);
	return r.good;
}
