/* SPDX-License-Identifier: MIT */
/* Parsing the common shapes LANES packets side by side: Ethernet with no or one 802.1Q tag, or NULL, LOOP, RAW; IPv4 without options or IPv6
 * without extension headers; TCP, UDP, or ICMP that is no error; whole and sound.  The one algorithm of all vector backends; each includes this file
 * once, after it has defined LANES and the few operations below.  Everything else goes to bpei_parse_scalar, packet by packet.
 *
 * LANES packets make a group; 16 bytes of each at a time are turned into columns of 32-bit words, lane j being packet j.  Checks, order of the two
 * ends, all fields and the hash are worked out in columns; layers and key are turned back into rows to be stored.
 *    plain: LANES neighbours of the batch that are all untagged IPv4
 *    others go on a list, IPv4 from its front, IPv6 from its back, without a branch on which it is (a wrong guess costs more than a packet), and
 *    then make groups of one version, tagged or not; a group that is not full is filled up with packets that it has or that were done before
 * Every lane is stored: one that is not good is done once more, by scalar.  Of n packets the last LANES are a group, too, some for the second time.
 * Where, behind a group that is not plain, four of the batch's packets are of no common shape, or none of a group is good, the rest of the batch goes
 * to scalar at once: so traffic of other kinds costs little more.
 * Bytes read: of a lane with IP's header at ip: ip[-4 .. 36), without Ethernet ip[0 .. 36), of IPv6 ip[-4 .. 48), and of TCP in it up to ip[56); all
 * proved to be there.
 *
 * An including file gives:
 *   typedef uint32_t wide, row	vectors of LANES and of 4 words
 *   load_columns(c, at, plus)		16 bytes at each at[j] + plus as 4 columns
 *   load_pairs(c, at, plus)		8 bytes as 2
 *   load_words(at, plus)		4 bytes as 1
 *   advance(to, from, by)		to[j] = from[j] + by[j]
 *   spread(r, a, b, c, d)		r[j] = { a[j], b[j], c[j], d[j] }
 *   store_ends(key, list, a, b)		addr = { { a[j] }, { b[j] } }, the rest of them 0, at key_of(key, list, j)
 *   store_rows(key, list, a, b)		{ a[j], b[j], 0, 0 } behind the addresses
 *   store_pairs(layers, list, a, b)	{ a[j], b[j] } from link_type on, at layers_of(layers, list, j)
 *   swap_bytes(x)			each word's bytes the other way round
 *   lane_bits(x)			bit j: top bit of lane j
 *   load_bytes(at)			at[j]
 *   choose(mask, yes, no)		by lane, of masks
 *   ports				vector of 2 * LANES 16-bit words
 *   tunnel_ports(at)			port[at[j]] of the 8 of BPEI_TUNNEL_PORTS
 * and what hash_lanes.h asks for. */
#include "arch/lanes/hash_lanes.h"
#include "arch/scalar/packet.h"
#include "base/bytes.h"
#include "base/cacheline.h"

#include <stddef.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the columns' words are taken as little-endian"
#endif

#define INLINE static inline __attribute__((always_inline))
#define EVERY ((uint32_t)((UINT64_C(1) << LANES) - 1))

enum { LEAST_4 = 36, LEAST_6 = 48 };	/* bytes from the IP header on that have to be captured: packets with fewer go to scalar */
#define WORD_VLAN 0x0081u			/* ethertypes as they lie in memory */
#define WORD_IP4 0x0008u
#define WORD_IP6 0xdd86u

typedef int32_t compared __attribute__((vector_size(4 * LANES)));

/* What a link type comes to: where IP begins (Ethernet: without a tag); and the hash's parts that are the same for all of IPv4, and for all with one tag at most. */
struct shape {
	bool ethernet;
	uint32_t kind, network, link_type;
	const struct bpei_seed *seed;
	uint64_t rest, tags;
};

/* The batch's packets that are in no plain group: IPv4 from the front, IPv6 from the back; room behind for a group that is not full. */
struct list {
	const uint8_t *ip[BPE_BATCH + LANES];
	uint32_t caplen[BPE_BATCH + LANES];
	struct listed of[BPE_BATCH + LANES];
	uint32_t front, back;		/* IPv4: [0 .. front); IPv6: [back .. BPE_BATCH) */
};

/* Where in its packet each lane's headers are, and what lies there. */
struct group {
	wide caplen, network, tags, vlan, outgoing;	/* tags: 0 or 1 */
	wide low[4];				/* ip[-4 .. 12) */
	wide ends[2][4];			/* the sender's address, the receiver's; of IPv4's the first words alone */
	wide behind[2];				/* the first 8 bytes behind the IP header */
	wide word;				/* and the four from byte 12 on, where they are there */
};

INLINE wide all(uint32_t x) { return x - (wide){ 0 }; }
INLINE wide column(const uint32_t *p) { wide v; memcpy(&v, p, sizeof v); return v; }
INLINE wide more(wide a, wide b) { return (wide)((compared)a > (compared)b); }	/* signed */
INLINE wide above(wide a, wide b) { return (wide)(a > b); }

/* Lanes of which a port is one of those that are looked behind, by bpei_tunnel_port's hash. */
INLINE wide looked_behind(wide there)
{
	ports both = (ports)there, at = (ports)(both * 37) >> 13;
	return ~(wide)((wide)(both == tunnel_ports(at)) == 0);
}

/* From the columns to layers, keys and hashes, of the packets on the list, or, without one, from the first of the columns on.  Returns the lanes that are
 * good. */
INLINE uint32_t finish(const struct bpei_columns *c, const struct listed *list, struct group *g, bool six, const struct shape *s)
{
	const wide zero = { 0 }, left = g->caplen - g->network;
	const uint32_t header_bytes = six ? 40 : 20, words_of_end = six ? 4 : 1;
	wide good, room, proto;
	if (six) {
		good = (wide)((g->low[1] & 0xf0) == 0x60);
		room = swap_bytes(g->low[2]) >> 16;
		proto = g->low[2] >> 16 & 0xff;
	} else {
		good = (wide)((g->low[1] & 0xff) == 0x45) & (wide)((g->low[2] & 0xff3f0000) == 0);	/* not a fragment */
		room = (swap_bytes(g->low[1]) & 0xffff) - 20;
		proto = g->low[3] >> 8 & 0xff;
	}
	wide tcp = (wide)(proto == IP_TCP), udp = (wide)(proto == IP_UDP), icmp = (wide)(proto == (six ? IP_ICMP6 : IP_ICMP)), least = 8 + (tcp & 12);
	wide words = swap_bytes(g->behind[1]), whole = choose(udp, words >> 16, room), type = g->behind[0] & 0xff;
	good &= (tcp | udp | icmp) & ~(more(room, left - header_bytes) | more(least, room) | more(all(8), whole) | more(whole, room));
	wide header = choose(tcp, g->word >> 2 & 0x3c, all(8)), flags = g->word >> 8 & 0xff & tcp;
	good &= ~(more(least, header) | more(header, room));

	wide there = swap_bytes(g->behind[0]);
	if (BPEI_UNLIKELY(lane_bits(icmp))) {	/* errors are scalar's; echoes have their identifier for ports */
		wide error = six ? (wide)(type - 1 < all(4)) : (wide)(type - 3 < all(3)) | (wide)((type - 11) < all(2));
		wide echo = six ? (wide)((type & 0xfe) == 128) : (wide)((type & 0xf7) == 0), identifier = words >> 16 & echo;
		good &= ~(icmp & error);
		there = choose(icmp, identifier | identifier << 16, there);
	}
	wide back = there << 16 | there >> 16;
	good &= ~(looked_behind(there) & udp);

	wide order = zero, equal = ~zero;
	for (uint32_t k = 0; k < words_of_end; k++) {
		wide a = swap_bytes(g->ends[0][k]), b = swap_bytes(g->ends[1][k]);
		order |= equal & above(a, b);
		equal &= (wide)(a == b);
	}
	wide swap = order | (equal & above(there, back));

	const uint32_t *w = s->seed->word;
	wide kind = proto | (six ? 0x600 : 0x400) | g->vlan << 16, ends_ports = choose(swap, there, back);
	const uint64_t constant = six ? s->tags : s->rest;
	struct sums sums = { constant + (big){ 0 }, constant + (big){ 0 } };
	add_product(&sums, ends_ports + w[8], kind + w[9]);
	for (uint32_t k = 0; k < words_of_end; k++) {
		wide crossed = (g->ends[0][k] ^ g->ends[1][k]) & swap;
		g->ends[0][k] ^= crossed, g->ends[1][k] ^= crossed;
		add_product(&sums, g->ends[0][k] + w[k], g->ends[1][k] + w[4 + k]);
	}
	wide hash = hash_end(sums, s->seed);
#define EACH_LANE(statement) _Pragma("GCC unroll 16") for (uint32_t j = 0; j < LANES; j++) { statement; }
	if (list) {
		EACH_LANE(c->hash[list[j].place] = hash[j])
	} else {
		memcpy(c->hash, &hash, sizeof hash);
	}
	if (six) {
		row a[LANES], b[LANES];
		spread(a, g->ends[0][0], g->ends[0][1], g->ends[0][2], g->ends[0][3]);
		spread(b, g->ends[1][0], g->ends[1][1], g->ends[1][2], g->ends[1][3]);
		EACH_LANE(struct bpe_key *key = key_of(c->key, list, j); memcpy(key->addr[0], &a[j], 16); memcpy(key->addr[1], &b[j], 16))
	} else {
		store_ends(c->key, list, g->ends[0][0], g->ends[1][0]);
	}
	store_rows(c->key, list, ends_ports, kind);

	wide name = (BPE_PROTO_UDP + tcp + (icmp & ((six ? BPE_PROTO_ICMP6 : BPE_PROTO_ICMP) - BPE_PROTO_UDP))) << 24;
	row a[LANES];
	spread(a, g->network | (g->network + header_bytes) << 16,
		(g->network + header_bytes + header) | ((g->tags * BPE_PKT_VLAN) | g->outgoing | (swap & BPE_PKT_REVERSED) | (BPE_PKT_KEY | (six ? BPE_PKT_IP6 : BPE_PKT_IP4))) << 16,
		g->network + header_bytes + whole, (six ? TYPE_IP6 : TYPE_IP4) | proto << 16 | name);
	EACH_LANE(memcpy(layers_of(c->layers, list, j), &a[j], 16))
	store_pairs(c->layers, list, s->link_type | flags << 16 | g->tags << 24, g->vlan);
#undef EACH_LANE
	return lane_bits(good);
}

_Static_assert(BPE_PROTO_UDP - 1 == BPE_PROTO_TCP, "subtracted");

INLINE void load_low(wide low[4], const uint8_t *const *at, int plus, const struct shape *s)
{
	if (s->network) {
		load_columns(low, at, plus - 4);
		return;
	}
	wide from_ip[4];
	load_columns(from_ip, at, plus);
	low[0] = (wide){ 0 }, low[1] = from_ip[0], low[2] = from_ip[1], low[3] = from_ip[2];
}

/* Lanes in which IPv4 is told to be at `network`. */
INLINE wide told_four(const struct shape *s, const wide low[4])
{
	if (s->ethernet) return (wide)(low[0] >> 16 == WORD_IP4);
	if (s->kind == LINK_RAW) return (wide)((low[1] & 0xf0) == 0x40);
	if (s->kind == LINK_NULL) return (wide)(low[0] == 2) | (wide)(low[0] == 2u << 24);
	return (wide)(low[0] == 2u << 24);
}

/* The neighbours data[0 .. LANES), if all are untagged IPv4; else false, and nothing written.  *good: the lanes that are. */
INLINE bool do_plain(const struct bpei_columns *c, uint32_t *good, const struct shape *s)
{
	struct group g = { .caplen = column(c->caplen), .network = all(s->network) };
	wide high[4];
	if (BPEI_UNLIKELY(lane_bits(more(all(s->network + LEAST_4), g.caplen)))) return false;
	load_low(g.low, c->data, (int)s->network, s);
	if (lane_bits(told_four(s, g.low)) != EVERY) return false;
	load_columns(high, c->data, (int)s->network + 12);
	g.ends[0][0] = high[0], g.ends[1][0] = high[1];
	g.behind[0] = high[2], g.behind[1] = high[3];
	g.word = load_words(c->data, (int)s->network + 32);
	if (c->outgoing) g.outgoing = load_bytes(c->outgoing);
	*good = finish(c, NULL, &g, false, s);
	return true;
}

/* LANES packets of the list, of one version.  Returns the lanes that are good. */
INLINE uint32_t do_listed(const struct bpei_columns *c, const struct list *l, uint32_t first, bool six, const struct shape *s)
{
	const uint8_t *const *ip = l->ip + first;
	struct group g = { .caplen = column(l->caplen + first), .network = all(s->network), };
	wide high[4], of;
	memcpy(&of, l->of + first, sizeof of);
	g.outgoing = of >> 24 & BPE_PKT_OUTGOING;
	load_low(g.low, ip, 0, s);
	if (s->ethernet) {
		g.tags = of >> 24 & 1;
		g.network += 4 * g.tags;
		g.vlan = swap_bytes(g.low[0]) >> 16 & 0xfff & (0 - g.tags);
	}
	if (six) {
		const uint8_t *at[LANES];
		load_columns(g.ends[0], ip, 8);
		load_columns(g.ends[1], ip, 24);
		load_pairs(g.behind, ip, 40);
		advance(at, ip, 40 + (~more(g.network + 56, g.caplen) & 12));
		g.word = load_words(at, 0);
	} else {
		load_columns(high, ip, 12);
		g.ends[0][0] = high[0], g.ends[1][0] = high[1];
		g.behind[0] = high[2], g.behind[1] = high[3];
		g.word = load_words(ip, 32);
	}
	return finish(c, l->of + first, &g, six, s);
}

INLINE void copy(struct list *l, uint32_t to, uint32_t from)
{
	l->ip[to] = l->ip[from];
	l->caplen[to] = l->caplen[from];
	l->of[to] = l->of[from];
}

/* The n packets from `first` of the list on; what lies behind them in the list may be overwritten.  Returns those that scalar has to do. */
INLINE uint64_t do_list(const struct bpei_columns *c, struct list *l, uint32_t first, uint32_t n, bool six, const struct shape *s)
{
	uint64_t rest = 0;
	if (!n) return 0;
	for (uint32_t k = n; k < LANES; k++) copy(l, first + k, first);
	for (uint32_t i = 0; i < n; i += LANES) {
		uint32_t from = first + (i + LANES <= n || n < LANES ? i : n - LANES), bad = do_listed(c, l, from, six, s) ^ EVERY;
		if (BPEI_LIKELY(!bad)) continue;
		for (uint32_t lanes = bad; lanes; lanes &= lanes - 1) rest |= UINT64_C(1) << l->of[from + (uint32_t)__builtin_ctz(lanes)].place;
		if (bad != EVERY) continue;
		for (uint32_t k = i; k < n; k++) rest |= UINT64_C(1) << l->of[first + k].place;
		break;
	}
	return rest;
}

INLINE uint32_t opaque(uint32_t bit)	/* hides from the compiler that it could branch on it */
{
	__asm__("" : "+r"(bit));
	return bit;
}

/* 4 or 6 if IP of that version is told to be behind the header of 0 or 4 bytes; else 0. */
INLINE uint32_t version_of(const uint8_t *data, uint32_t kind)
{
	if (kind == LINK_RAW) return data[0] >> 4;
	uint32_t family = __builtin_bswap32(bpei_load32(data));
	if (kind == LINK_NULL && family > 0xffff) family = __builtin_bswap32(family);
	return family == 2 ? 4 : family < 32 && (1u << 10 | 1u << 24 | 1u << 28 | 1u << 30) >> family & 1 ? 6 : 0;
}

/* Packets [first .. first + n) of the batch to the list.  Returns those that are not on it. */
INLINE uint64_t put_on_list(const struct bpei_columns *c, struct list *l, uint32_t first, uint32_t n, const struct shape s)
{
	const struct bpei_columns from = *c;
	const uint8_t *outgoing = from.outgoing;
	uint32_t front = l->front, back = l->back;
	uint64_t rest = 0;
	for (uint32_t i = first, end = first + n; i < end; i++) {
		const uint8_t *data = from.data[i];
		uint32_t caplen = from.caplen[i], tag = 0, four, six, of = i * (uint32_t)sizeof(struct bpe_layers) | i << 16;
		if (BPEI_UNLIKELY(caplen < (s.ethernet ? 18 : s.network) + LEAST_4)) {
			rest |= UINT64_C(1) << i;
			continue;
		}
		if (s.ethernet) {
			tag = opaque(bpei_load16(data + 12) == WORD_VLAN);
			uint32_t type = bpei_load16(data + 12 + 4 * tag);
			four = opaque(type == WORD_IP4), six = opaque(type == WORD_IP6);
		} else {
			uint32_t version = version_of(data, s.kind);
			four = opaque(version == 4), six = opaque(version == 6);
		}
		uint32_t network = s.network + 4 * tag, to = front + ((0 - six) & (back - 1 - front));
		six &= opaque(caplen >= network + LEAST_6);	/* no branch: IPv4 is often shorter */
		if (BPEI_UNLIKELY(outgoing != NULL)) of |= (uint32_t)outgoing[i] << 24;
		l->ip[to] = data + network;
		l->caplen[to] = caplen;
		bpei_store32(&l->of[to], of | tag << 24);
		front += four;
		back -= six;
		rest |= (uint64_t)((four | six) ^ 1) << i;
	}
	l->front = front, l->back = back;
	return rest;
}

INLINE struct bpei_columns from_packet(const struct bpei_columns *c, uint32_t i)
{
	return (struct bpei_columns){ .data = c->data + i, .caplen = c->caplen + i, .wirelen = c->wirelen + i, .layers = c->layers + i, .key = c->key + i,
		.hash = c->hash + i, .outgoing = c->outgoing ? c->outgoing + i : NULL, .outermost = c->outermost };
}

/* Whether a packet may be one of those that are done side by side; Ethernet. */
static inline bool common(const uint8_t *data, uint32_t caplen)
{
	if (caplen < 18 + LEAST_4) return false;
	const uint8_t *ip = data + (bpei_load16(data + 12) == WORD_VLAN ? 18 : 14);
	uint32_t type = bpei_load16(ip - 2), proto = type == WORD_IP4 ? ip[9] : ip[6];
	if (type == WORD_IP4 ? ip[0] != 0x45 || bpei_load16(ip + 6) & 0xff3f : type != WORD_IP6) return false;
	return proto == IP_TCP || proto == IP_UDP || proto == (type == WORD_IP4 ? IP_ICMP : IP_ICMP6);
}

/* Whether any of four packets is. */
static inline bool worth_trying(const struct bpei_columns *c, uint32_t n)
{
	for (uint32_t k = 0; k < 4; k++)
		if (BPEI_LIKELY(common(c->data[n * k / 4], c->caplen[n * k / 4]))) return true;
	return false;
}

/* kind: LINK_ETHERNET, LINK_NULL, LINK_LOOP or LINK_RAW, a constant; link_type: what the layers are to say. */
INLINE void parse(const struct bpei_columns *columns, uint32_t n, uint32_t kind, uint32_t link_type, const struct bpei_seed *seed)
{
	const struct shape s = { kind == LINK_ETHERNET, kind, kind == LINK_ETHERNET ? 14 : kind == LINK_RAW ? 0 : 4, link_type, seed, bpei_hash_rest(seed), bpei_hash_tags(seed) };
	struct list l;
	uint64_t rest = 0;
	if (n < LANES) {
		bpei_parse_scalar(columns, n, link_type, seed);
		return;
	}
	l.front = 0, l.back = BPE_BATCH;
	for (uint32_t i = 0, others = 0; i < n; i += LANES) {
		uint32_t first = i + LANES <= n ? i : n - LANES, good;
		const struct bpei_columns c = from_packet(columns, first);
		if (do_plain(&c, &good, &s)) {
			rest |= (uint64_t)(good ^ EVERY) << first;
			continue;
		}
		if (!others && s.ethernet && BPEI_UNLIKELY(!worth_trying(columns, n))) {
			rest |= UINT64_MAX << i & UINT64_MAX >> (BPE_BATCH - n);
			break;
		}
		if (++others == 2) {	/* of mixed traffic no group is plain */
			rest |= put_on_list(columns, &l, i, n - i, s);
			break;
		}
		rest |= put_on_list(columns, &l, i, n - i < LANES ? n - i : LANES, s);
	}
	/* IPv6 first: a group of IPv4 that is not full may be filled over it. */
	if (l.back < BPE_BATCH) rest |= do_list(columns, &l, l.back, BPE_BATCH - l.back, true, &s);
	if (l.front) rest |= do_list(columns, &l, 0, l.front, false, &s);
	while (BPEI_UNLIKELY(rest)) {	/* run by run */
		uint32_t i = (uint32_t)__builtin_ctzll(rest);
		uint64_t beyond = ~(rest >> i);
		uint32_t run = beyond ? (uint32_t)__builtin_ctzll(beyond) : BPE_BATCH;
		const struct bpei_columns some = from_packet(columns, i);
		bpei_parse_scalar(&some, run, link_type, seed);
		rest &= run == BPE_BATCH ? 0 : ~(((UINT64_C(1) << run) - 1) << i);
	}
}

#define PARSE_BY_LINK_TYPE(columns, n, link_type, seed) \
	switch (seed ? link_type : UINT32_MAX) { \
	case LINK_ETHERNET: parse(columns, n, LINK_ETHERNET, LINK_ETHERNET, seed); return; \
	case LINK_NULL: parse(columns, n, LINK_NULL, LINK_NULL, seed); return; \
	case LINK_LOOP: parse(columns, n, LINK_LOOP, LINK_LOOP, seed); return; \
	case LINK_RAW: case LINK_RAW_12: case LINK_RAW_14: parse(columns, n, LINK_RAW, link_type, seed); return; \
	default: bpei_parse_scalar(columns, n, link_type, seed); \
	}
