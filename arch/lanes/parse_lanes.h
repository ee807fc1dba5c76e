/* SPDX-License-Identifier: MIT */
/* Parses the common shapes of packets, LANES packets side by side.  The algorithm of all vector
 * backends.  Each backend includes this file once, after LANES, PREFETCH_NEXT (0 or 1) and the
 * operations below.
 *
 * Common shapes: Ethernet with no or one 802.1Q tag, or NULL, LOOP, RAW; IPv4 without options or
 * IPv6 without extension headers; TCP, UDP, or ICMP that is no error; whole and sound.  Every other
 * packet goes to bpei_parse_scalar.
 *
 * LANES packets make a group.  16 bytes of each at a time are transposed into columns of 32-bit
 * words, lane j being packet j.  Checks, the order of the two ends, all members and the hash are
 * computed on columns; layers and key are transposed back into rows and stored.
 *
 * A group is one of two kinds.  LANES neighbours of the batch that are all untagged IPv4, or all
 * untagged IPv6, are parsed in place.  Of mixed neighbours, packets of one version, tagged or not,
 * are gathered through a list for each version.  The lists grow without a branch on the version,
 * since a mispredicted branch costs more than a packet.  A gathered group that is not full is
 * filled up with packets of the list, or with packets that were parsed before.  Of n packets the
 * last LANES are a group as well, so some are parsed twice.
 *
 * Every lane is stored.  A lane that fails a check is parsed once more, by scalar.
 *
 * Other traffic costs little more than with scalar alone.  Where, at the first mixed group, four
 * packets of the batch have no common shape, the rest of the batch goes to scalar at once.  So does
 * the rest of a list after a group without a good lane.
 *
 * Bytes read of a lane with IP's header at ip: ip[-4 .. 36), without Ethernet ip[0 .. 36); of IPv6
 * ip[-4 .. 48), and with TCP up to ip[56).  All are proved to be captured.  Of a packet with fewer
 * bytes, empty_packet is read instead.  With PREFETCH_NEXT, each packet's address plus the span of
 * the batch is prefetched: the next batch's packets lie there if their distances are equal.
 *
 * The including file gives:
 *     typedef uint32_t vec32, vec32x4      vectors of LANES and of 4 words
 *     typedef uint16_t vec16               vector of 2 * LANES 16-bit words
 *     load_columns(c, at, plus)            16 bytes at each at[j] + plus, as 4 columns
 *     load_pairs(c, at, plus)              8 bytes at each, as 2 columns
 *     load_words(at, plus)                 4 bytes at each, as 1 column
 *     load_bytes(at)                       at[j]
 *     advance_pointers(to, from, by)       to[j] = from[j] + by[j]
 *     columns_to_rows(r, a, b, c, d)       r[j] = { a[j], b[j], c[j], d[j] }
 *     store_keys(key, indexes, a, b, c, d) { { a[j] }, { b[j] }, c[j], d[j] }, the rest 0, at
 *                                          key_at(key, indexes, j)
 *     store_rows(key, indexes, a, b)       { a[j], b[j], 0, 0 } behind the addresses of these keys
 *     store_layers(layers, w)              { w[0][j] .. w[5][j] } at layers + j
 *     store_pairs(layers, indexes, a, b)   { a[j], b[j] } from link_type on, at layers_at(j)
 *     swap_word_bytes(x)                   each word's bytes reversed
 *     swap_halves(x)                       each word's 16-bit halves exchanged
 *     be16_low(x), be16_high(x)            the number in network order in the first 2 bytes of a
 *                                          word, in the last 2
 *     second_byte(x)                       a word's second byte
 *     gt_s32(a, b)                         masks: a > b, signed
 *     min_u32(a, b)                        the lesser, unsigned
 *     select_lanes(mask, yes, no)          by lane, of masks
 *     lane_bits(x)                         bit j: top bit of lane j
 *     any_lane(x), all_lanes(x)            whether one lane, each lane of masks is set
 *     LANE_INDEXES                         { 0, 1, .. }
 *     append_to_lists(lists, x)            appends lanes with GATHER_IP4 in the highest byte to a
 *                                          list, lanes with GATHER_IP6 to the other; writes up to
 *                                          LANES words behind an end; with at most 8 lanes
 *     append_ip6(to, x, mask)              stores the lanes of mask at `to`, returns the number
 *                                          of lanes; with more than 8 lanes
 *     hash_ports(x), lookup_ports(at)      bpei_tunnel_port's hash of 16-bit ports, and its table
 *
 * The operations of hash_lanes.h are given as well.  A mask is a lane of all ones or all zeros. */
#include "arch/lanes/group_lanes.h"
#include "base/bytes.h"
#include "base/cacheline.h"

#include <stddef.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the columns' words are taken as little-endian"
#endif

/* Bytes from the IP header on that have to be captured.  A packet with fewer goes to scalar. */
enum { LEAST_IP4 = 36, LEAST_IP6 = 48 };

/* Ethertypes as they lie in memory. */
#define WORD_VLAN 0x0081u
#define WORD_IP4 0x0008u
#define WORD_IP6 0xdd86u

/* Room of a gather list: each group of neighbours adds at most LANES, the last group again, and
 * append_to_lists writes up to LANES words behind the end. */
#define GATHER_ROOM (BPE_BATCH + 2 * LANES)

/* The state of a batch while it is parsed. */
struct batch_work {
	struct gather_lists lists;
	uint64_t rest;   /* packets for scalar, by bit */
	uintptr_t ahead; /* bytes from a packet to the place that is prefetched */
	bool tried;      /* is_worth_trying was asked */
};

/* Read in place of packets that are too short: no IP version behind any link header. */
static const uint8_t empty_packet[18 + LEAST_IP4] = { 0 };

/* Loads ip[-4 .. 12), or ip[0 .. 12) if the link type has no header, of IP headers at at[j] +
 * plus. */
INLINE void load_low(vec32 low[4], const uint8_t *const *at, int plus, const struct link_shape *s)
{
	if (s->network) {
		load_columns(low, at, plus - 4);
		return;
	}
	vec32 from_ip[4];
	load_columns(from_ip, at, plus);
	low[0] = (vec32){ 0 };
	low[1] = from_ip[0];
	low[2] = from_ip[1];
	low[3] = from_ip[2];
}

/* Returns masks: lanes with the address family in network order. */
INLINE vec32 is_family(vec32 word, uint32_t number)
{
	return (vec32)(word == number << 24);
}

/* Returns masks: lanes whose link header, or first half byte, says IPv4; Ethernet: untagged. */
INLINE vec32 claims_ip4(const struct link_shape *s, const vec32 low[4])
{
	if (s->ethernet)
		return (vec32)(low[0] >> 16 == WORD_IP4);
	if (s->kind == LINK_RAW)
		return (vec32)((low[1] & 0xf0) == 0x40);
	/* AF_INET is 2 everywhere; NULL has it in either byte order */
	const vec32 host_order = (vec32)(low[0] == 2);
	return is_family(low[0], 2) | (s->kind == LINK_NULL ? host_order : (vec32){ 0 });
}

/* Returns masks: lanes whose link header, or first half byte, says IPv6; Ethernet: untagged. */
INLINE vec32 claims_ip6(const struct link_shape *s, const vec32 low[4])
{
	if (s->ethernet)
		return (vec32)(low[0] >> 16 == WORD_IP6);
	if (s->kind == LINK_RAW)
		return (vec32)((low[1] & 0xf0) == 0x60);
	/* AF_INET6 of Linux; of NetBSD and OpenBSD; of FreeBSD; of macOS */
	const vec32 network_order = is_family(low[0], 10) | is_family(low[0], 24) |
				    is_family(low[0], 28) | is_family(low[0], 30);
	if (s->kind == LINK_LOOP)
		return network_order;
	return network_order | (vec32)(low[0] == 10) | (vec32)(low[0] == 24) |
	       (vec32)(low[0] == 28) | (vec32)(low[0] == 30);
}

/* Parses a group of one version with IP headers at at[j] + plus.  Returns masks: the good lanes. */
INLINE vec32 parse_version(const struct lane_context *ctx, size_t first, const uint32_t *indexes,
	struct lane_group *g, bool ip6, const uint8_t *const *at, int plus)
{
	if (ip6) {
		const uint8_t *behind[LANES];

		load_columns(g->ends[0], at, plus + 8);
		load_columns(g->ends[1], at, plus + 24);
		load_pairs(g->behind, at, plus + 40);
		/* A packet too short for TCP's word reads its own bytes 0 to 3: anything will do,
		 * since such a lane is good only for other protocols. */
		advance_pointers(behind, at, gt_s32(g->left, broadcast_word(HEADER_IP6 + 15)) & 12);
		g->flags_word = load_words(behind, plus + 40);
	} else {
		vec32 high[4];

		load_columns(high, at, plus + 12);
		g->ends[0][0] = high[0];
		g->ends[1][0] = high[1];
		g->behind[0] = high[2];
		g->behind[1] = high[3];
		g->flags_word = load_words(at, plus + 32);
	}
	return finish_group(ctx, first, indexes, g, ip6);
}

/* Leaves the lanes that are not good to scalar; lane 0 is packet `first`. */
INLINE void leave_to_scalar(struct batch_work *w, size_t first, vec32 good)
{
	if (BPEI_UNLIKELY(!all_lanes(good)))
		w->rest |= (uint64_t)(lane_bits(good) ^ ALL_LANES) << first;
}

/* Returns whether an Ethernet packet may have a common shape. */
static inline bool has_common_shape(const uint8_t *data, uint32_t caplen)
{
	if (caplen < 18 + LEAST_IP4)
		return false;
	const uint8_t *ip = data + (bpei_load16(data + 12) == WORD_VLAN ? 18 : 14);
	const uint32_t type = bpei_load16(ip - 2);
	uint32_t proto;

	if (type == WORD_IP4) {
		if (ip[0] != 0x45 || bpei_load16(ip + 6) & 0xff3f)
			return false;
		proto = ip[9];
	} else if (type == WORD_IP6) {
		proto = ip[6];
	} else {
		return false;
	}
	const uint32_t icmp = type == WORD_IP4 ? IP_ICMP : IP_ICMP6;
	return proto == IP_TCP || proto == IP_UDP || proto == icmp;
}

/* Returns whether one of four packets of the batch has a common shape. */
static inline bool is_worth_trying(const uint8_t *const *data, const uint32_t *caplen, uint32_t n)
{
	for (uint32_t k = 0; k < 4; k++)
		if (BPEI_LIKELY(has_common_shape(data[n * k / 4], caplen[n * k / 4])))
			return true;
	return false;
}

INLINE vec32 vlan_ids(const vec32 low[4], vec32 tags)
{
	return be16_low(low[0]) & 0xfff & tags;
}

#if LANES > 8
/* Parses the IPv4 packets of mixed neighbours in place.  With many lanes the lanes of another
 * version cost less than a list does.  Returns masks: the good lanes. */
INLINE vec32 parse_scattered(const struct lane_context *ctx, size_t first, struct lane_group *g,
	vec32 ip4, const uint8_t *const *data)
{
	const struct link_shape *s = ctx->shape;
	const uint8_t *at[LANES];
	const vec32 few = ~gt_s32(g->left, broadcast_word(LEAST_IP4 - 1));

	advance_pointers(at, data, (g->tags & 4) + s->network);
	if (BPEI_UNLIKELY(any_lane(few)))
		for (uint32_t lanes = lane_bits(few); lanes; lanes &= lanes - 1)
			at[__builtin_ctz(lanes)] = empty_packet + 14;
	load_low(g->low, at, 0, s);
	if (s->ethernet)
		g->vlan = vlan_ids(g->low, g->tags);
	return parse_version(ctx, first, NULL, g, false, at, 0) & ip4;
}
#endif

/* Parses, or gathers, the IPv4 and IPv6 packets of mixed neighbours from `first` on. */
INLINE void parse_mixed(const struct lane_context *ctx, struct batch_work *w, size_t first,
	struct lane_group *g, vec32 ip4, vec32 ip6, const uint8_t *const *data)
{
	const uint32_t place = (uint32_t)first << 16 | ctx->shape->network << 24;
	const vec32 lane_indexes = (vec32)LANE_INDEXES << 16;
	const vec32 entries = min_u32(g->left, broadcast_word(UINT16_MAX)) + (g->tags & 4u << 24) +
			      (lane_indexes + place);

#if LANES <= 8
	(void)data; /* the lists hold indexes */
	append_to_lists(&w->lists,
		entries | (ip4 & (uint32_t)GATHER_IP4 << 24) | (ip6 & (uint32_t)GATHER_IP6 << 24));
#else
	w->lists.ip6_count +=
		append_ip6(w->lists.ip6 + w->lists.ip6_count, entries | GATHER_IP6 << 24, ip6);
	if (any_lane(ip4))
		ip4 = parse_scattered(ctx, first, g, ip4, data);
#endif
	leave_to_scalar(w, first, ip4 | ip6);
}

/* Loads the first bytes of the neighbours at `first`; of packets with fewer than LEAST_IP4 bytes
 * behind the link header, empty_packet's.  *data becomes the array of the packets that were read,
 * in `replaced` if there are such packets. */
INLINE void load_neighbours(const struct lane_context *ctx, size_t first, struct lane_group *g,
	const uint8_t *const **data, const uint8_t *replaced[LANES])
{
	const struct bpei_columns *c = ctx->columns;
	const struct link_shape *s = ctx->shape;
	const vec32 few =
		gt_s32(broadcast_word(s->network + LEAST_IP4), load_vec32(c->caplen + first));

	if (BPEI_UNLIKELY(any_lane(few))) {
		memcpy(replaced, *data, LANES * sizeof *replaced);
		for (uint32_t lanes = lane_bits(few); lanes; lanes &= lanes - 1)
			replaced[__builtin_ctz(lanes)] = empty_packet;
		*data = replaced;
	}
	load_low(g->low, *data, (int)s->network, s);
	if (c->outgoing)
		g->outgoing = load_bytes(c->outgoing + first) << 16;
}

/* Parses the neighbours from `first` on, of a batch of n.  Returns false, with all packets from
 * there on left to scalar, where they are mixed and the batch's packets have no common shape. */
INLINE bool parse_neighbours(
	const struct lane_context *ctx, struct batch_work *w, size_t first, uint32_t n)
{
	const struct bpei_columns *c = ctx->columns;
	const struct link_shape *s = ctx->shape;
	const uint8_t *const *data = c->data + first, *replaced[LANES];
	struct lane_group g = { .left = load_vec32(c->caplen + first) - s->network };
	const int network = (int)s->network;

	if (PREFETCH_NEXT)
		EACH_LANE(__builtin_prefetch((const void *)((uintptr_t)data[j] + w->ahead)))
	load_neighbours(ctx, first, &g, &data, replaced);
	vec32 ip4 = claims_ip4(s, g.low), ip6;
	if (all_lanes(ip4)) {
		leave_to_scalar(
			w, first, parse_version(ctx, first, NULL, &g, false, data, network));
		return true;
	}
	if (s->ethernet) {
		if (!w->tried && BPEI_UNLIKELY(!is_worth_trying(c->data, c->caplen, n))) {
			w->rest |= UINT64_MAX << first & UINT64_MAX >> (BPE_BATCH - n);
			return false;
		}
		w->tried = true;
		g.tags = (vec32)(g.low[0] >> 16 == WORD_VLAN);
		const vec32 type = select_lanes(g.tags, g.low[1], g.low[0]) >> 16;
		ip4 = (vec32)(type == WORD_IP4);
		ip6 = (vec32)(type == WORD_IP6);
	} else {
		ip6 = claims_ip6(s, g.low);
	}
	g.left -= g.tags & 4;
	ip6 &= gt_s32(g.left, broadcast_word(LEAST_IP6 - 1));
	if (all_lanes(ip6 & ~g.tags)) {
		g.tags = broadcast_word(0);
		leave_to_scalar(w, first, parse_version(ctx, first, NULL, &g, true, data, network));
		return true;
	}
	ip4 &= gt_s32(g.left, broadcast_word(LEAST_IP4 - 1));
	parse_mixed(ctx, w, first, &g, ip4, ip6, data);
	return true;
}

/* Parses LANES packets of a list.  Returns masks: the good lanes. */
INLINE vec32 parse_gathered(
	const struct lane_context *ctx, const struct gather_entry *entries, bool ip6)
{
	const struct bpei_columns *c = ctx->columns;
	const struct link_shape *s = ctx->shape;
	const int flag = ip6 ? GATHER_IP6 : GATHER_IP4;
	const uint8_t *at[LANES];
	uint32_t indexes[LANES];
	vec32 words;

	memcpy(&words, entries, sizeof words);
	/* `network` holds the flag, too: parse_version's plus takes it off again */
	EACH_LANE(indexes[j] = entries[j].index; at[j] = c->data[indexes[j]] + entries[j].network)
	struct lane_group g = { .left = words & 0xffff };
	if (BPEI_UNLIKELY(c->outgoing != NULL))
		EACH_LANE(g.outgoing[j] = (uint32_t)c->outgoing[indexes[j]] << 16)
	load_low(g.low, at, -flag, s);
	if (s->ethernet) {
		g.tags = (vec32)((words & 16u << 24) != 0); /* bit 4 is in 18, and not in 14 */
		g.vlan = vlan_ids(g.low, g.tags);
	}
	return parse_version(ctx, 0, indexes, &g, ip6, at, -flag);
}

/* Parses the n packets of a list.  Returns the packets for scalar, by bit. */
INLINE uint64_t parse_gather_list(
	const struct lane_context *ctx, struct gather_entry *list, size_t n, bool ip6)
{
	uint64_t rest = 0;
	uint32_t first_entry;

	if (!n)
		return 0;
	memcpy(&first_entry, list, sizeof first_entry);
	const vec32 filling = broadcast_word(first_entry);
	memcpy(list + n, &filling, sizeof filling);
	for (size_t i = 0; i < n; i += LANES) {
		const struct gather_entry *entries = list + i;
		const vec32 good = parse_gathered(ctx, entries, ip6);

		if (BPEI_LIKELY(all_lanes(good)))
			continue;
		const uint32_t bad = lane_bits(good) ^ ALL_LANES;
		for (uint32_t lanes = bad; lanes; lanes &= lanes - 1)
			rest |= UINT64_C(1) << entries[__builtin_ctz(lanes)].index;
		if (bad != ALL_LANES)
			continue;
		for (size_t k = i; k < n; k++)
			rest |= UINT64_C(1) << list[k].index;
		break;
	}
	return rest;
}

/* Gives the packets of `rest` to scalar, run by run. */
INLINE void parse_rest(const struct bpei_columns *c, uint64_t rest, uint32_t link_type,
	const struct bpei_seed *seed)
{
	while (BPEI_UNLIKELY(rest)) {
		const uint32_t i = (uint32_t)__builtin_ctzll(rest);
		const uint64_t beyond = ~(rest >> i);
		const uint32_t run = beyond ? (uint32_t)__builtin_ctzll(beyond) : BPE_BATCH;
		const struct bpei_columns some = bpei_columns_from(c, i);

		bpei_parse_scalar(&some, run, link_type, seed);
		rest &= run == BPE_BATCH ? 0 : ~(((UINT64_C(1) << run) - 1) << i);
	}
}

/* Parses a batch.  kind: LINK_ETHERNET, LINK_NULL, LINK_LOOP or LINK_RAW, a constant; link_type:
 * the number for the layers. */
INLINE void parse_link_type(const struct bpei_columns *columns, uint32_t n, uint32_t kind,
	uint32_t link_type, const struct bpei_seed *seed)
{
	struct link_shape s = { .kind = kind, .network = 4, .link_type = link_type };
	const struct bpei_columns c = *columns;
	struct gather_entry ip4[GATHER_ROOM], ip6[GATHER_ROOM];
	struct hash_secret h;

	if (kind == LINK_ETHERNET) {
		s.ethernet = true;
		s.network = 14;
	} else if (kind == LINK_RAW) {
		s.network = 0;
	}
	if (n < LANES) {
		bpei_parse_scalar(columns, n, link_type, seed);
		return;
	}
	struct batch_work w = {
		.lists = { .ip4 = ip4, .ip6 = ip6 },
		.ahead = (uintptr_t)c.data[n - 1] - (uintptr_t)c.data[0],
	};
	const struct lane_context ctx = { &c, &h, &s };
	broadcast_secret(&h, seed);
	const size_t last = n - LANES;
	for (size_t first = 0; parse_neighbours(&ctx, &w, first, n);) {
		if (first == last)
			break;
		first = first + LANES < last ? first + LANES : last;
	}
	w.rest |= parse_gather_list(&ctx, ip4, w.lists.ip4_count, false);
	w.rest |= parse_gather_list(&ctx, ip6, w.lists.ip6_count, true);
	parse_rest(&c, w.rest, link_type, seed);
}

/* Parses a batch: of the link types above here, of all others, and without a hash, by scalar. */
INLINE void parse_by_link_type(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	switch (seed ? link_type : UINT32_MAX) {
	case LINK_ETHERNET:
		parse_link_type(columns, n, LINK_ETHERNET, LINK_ETHERNET, seed);
		return;
	case LINK_NULL:
		parse_link_type(columns, n, LINK_NULL, LINK_NULL, seed);
		return;
	case LINK_LOOP:
		parse_link_type(columns, n, LINK_LOOP, LINK_LOOP, seed);
		return;
	case LINK_RAW:
	case LINK_RAW_12:
	case LINK_RAW_14:
		parse_link_type(columns, n, LINK_RAW, link_type, seed);
		return;
	default:
		bpei_parse_scalar(columns, n, link_type, seed);
	}
}
