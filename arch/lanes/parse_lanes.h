/* SPDX-License-Identifier: MIT */
/* Parsing the common shapes LANES packets side by side: Ethernet with no or one 802.1Q tag, or
 *NULL, LOOP, RAW; IPv4 without options or IPv6 without extension headers; TCP, UDP, or ICMP that is
 *no error; whole and sound.  The one algorithm of all vector backends; each includes this file
 * once, after it has defined LANES, ASK_AHEAD (0 or 1) and the few operations below.  Everything
 *else goes to bpei_parse_scalar, packet by packet.
 *
 * LANES packets make a group; 16 bytes of each at a time are turned into columns of 32-bit words,
 *lane j being packet j.  Checks, order of the two ends, all fields and the hash are worked out in
 *columns; layers and key are turned back into rows to be stored.  A group is LANES neighbours of
 *the batch that are all untagged IPv4, or all untagged IPv6, done where they are; or, of mixed
 *neighbours, those of one version, tagged or not, gathered by a list of each, which is filled
 *without a branch on which they are (a wrong guess costs more than a packet); a group that is not
 *full is filled up with packets that it has or that were done before. Every lane is stored: one
 *that is not good is done once more, by scalar.  Of n packets the last LANES are a group, too, some
 *for the second time. Where, at the first mixed group, four of the batch's packets are of no common
 *shape, the rest of the batch goes to scalar at once, and so does the rest of a list behind a group
 *of which nothing is good: so traffic of other kinds costs little more. Bytes read: of a lane with
 *IP's header at ip: ip[-4 .. 36), without Ethernet ip[0 .. 36), of IPv6 ip[-4 .. 48), and of TCP in
 *it up to ip[56); all proved to be there.  A packet with fewer is not read, but `nothing`.  With
 *ASK_AHEAD the cache is asked for what lies as far behind each packet as the batch is long: where
 *the next batch's packets will be, if they are as far apart.
 *
 * An including file gives:
 *   typedef uint32_t wide, row	vectors of LANES and of 4 words
 *   load_columns(c, at, plus)		16 bytes at each at[j] + plus as 4 columns
 *   load_pairs(c, at, plus)		8 bytes as 2
 *   load_words(at, plus)		4 bytes as 1
 *   advance(to, from, by)		to[j] = from[j] + by[j]
 *   spread(r, a, b, c, d)		r[j] = { a[j], b[j], c[j], d[j] }
 *   store_keys(key, places, a, b, c, d)	{ { a[j] }, { b[j] }, c[j], d[j] }, the rest 0, at
 *key_of(key, places, j) store_layers(layers, w)		of neighbours: { w[0][j] .. w[5][j]
 *} store_rows(key, places, a, b)	{ a[j], b[j], 0, 0 } behind the addresses, at key_of(key,
 *places, j) store_pairs(layers, places, a, b)	{ a[j], b[j] } from link_type on, at
 *layers_of(layers, places, j) swap_bytes(x)			each word's bytes the other way
 *round swap_halves(x)			its 16 bits first_half(x), second_half(x)	the number
 *in network order in its first 2 bytes, in its last second_byte(x)			that more(a,
 *b)				a > b, signed, as masks least(a, b)				the
 *lesser one, unsigned lane_bits(x)			bit j: top bit of lane j any(x), every(x)
 *of masks: whether one lane is set; all are pack(four, &fours, six, &sixes, x)	puts the lanes that
 *have LISTED_4 in their highest byte on the one list, those that have LISTED_6 on the other, which
 *have so many; up to LANES words behind an end are written.  With more than 8 lanes instead
 *   pack_six(six, x, mask)		those of the mask; returns how many
 *   PLACES				{ 0, 1, .. }
 *   load_bytes(at)			at[j]
 *   choose(mask, yes, no)		by lane, of masks
 *   ports				vector of 2 * LANES 16-bit words
 *   port_places(x)			of the ports, as bpei_tunnel_port finds them
 *   tunnel_ports(at)			port[at[j]] of the 16 of BPEI_TUNNEL_PORTS
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
#define EACH_LANE(statement)                                                                       \
	_Pragma("GCC unroll 16") for (uint32_t j = 0; j < LANES; j++)                              \
	{                                                                                          \
		statement;                                                                         \
	}
#define EVERY ((uint32_t)((UINT64_C(1) << LANES) - 1))

enum { HEADER_4 = 20, HEADER_6 = 40 };
enum {
	LEAST_4 = 36,
	LEAST_6 = 48
}; /* bytes from the IP header on that have to be captured: packets with fewer go to scalar */
#define WORD_VLAN 0x0081u /* ethertypes as they lie in memory */
#define WORD_IP4 0x0008u
#define WORD_IP6 0xdd86u

/* What a link type comes to: where IP begins (Ethernet: without a tag). */
struct shape {
	bool ethernet;
	uint32_t kind, network, link_type;
};

/* Packets of one version that are gathered: room for those of the last group that are on it twice,
 * and for words that are written behind the last. */
struct list {
	struct listed of[BPE_BATCH + 2 * LANES];
};

/* A batch on its way: how many packets are on its lists; those that scalar has to do; how far
 * behind each packet the next batch's will be. */
struct work {
	size_t fours, sixes;
	uint64_t rest;
	uintptr_t ahead;
	bool tried; /* whether a mixed batch is of common shapes was asked */
};

/* Where in its packet each lane's headers are, and what lies there. */
struct group {
	wide left; /* bytes captured from the IP header on; 65535: so many or more */
	wide tags, vlan, outgoing; /* tags: masks; outgoing: in the upper half */
	wide low[4];               /* ip[-4 .. 12) */
	wide ends[2][4]; /* the sender's address, the receiver's; of IPv4's the first words alone */
	wide behind[2];  /* the first 8 bytes behind the IP header */
	wide word;       /* and the four from byte 12 on, where they are there */
};

static const uint8_t nothing[18 + LEAST_4] = { 0 }; /* of no version behind any header */

INLINE wide all(uint32_t x)
{
	return x - (wide){ 0 };
}
INLINE wide column(const uint32_t *p)
{
	wide v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* Lanes of `which` of which no port is one of those that are looked behind, by bpei_tunnel_port's
 * hash; and all others. */
INLINE wide not_looked_behind(wide there, wide which)
{
	ports both = (ports)there, at = port_places(both);
	return ~(wide)(((wide)(both == tunnel_ports(at)) & which) != 0);
}

/* From the columns to layers, keys and hashes, of the packets at `places`, or, without them, of the
 * neighbours from `first` on.  Returns the lanes that are good. */
INLINE wide finish(const struct bpei_columns *c, const struct secret *h, size_t first,
	const uint32_t *places, struct group *g, bool six, const struct shape *s)
{
	const uint32_t header_bytes = six ? HEADER_6 : HEADER_4, words_of_end = six ? 4 : 1,
		       transport = s->network + header_bytes;
	wide good, room, proto, past; /* past: where the packet ends behind what was captured */
	if (six) {
		good = (wide)((g->low[1] & 0xf0) == 0x60);
		room = first_half(g->low[2]);
		past = more(room, g->left - HEADER_6);
		proto = g->low[2] >> 16 & 0xff;
	} else {
		good = (wide)(choose(all(0xff), g->low[1], g->low[2] & 0xff3f0000) ==
			      0x45); /* not a fragment */
		wide total = second_half(g->low[1]);
		room = total - HEADER_4;
		past = more(total, g->left);
		proto = second_byte(g->low[3]);
	}
	/* told: what a header says of its own length, or UDP's of the packet's. */
	wide tcp = (wide)(proto == IP_TCP), udp = (wide)(proto == IP_UDP), known = tcp | udp;
	wide header = choose(tcp, g->word >> 2 & 0x3c, all(8)),
	     told = choose(udp, first_half(g->behind[1]), header), whole = choose(udp, told, room);
	good &= ~(past | more(choose(tcp, all(20), all(8)), told) | more(told, room));

	wide there = swap_bytes(g->behind[0]), name = tcp << 24;
	if (BPEI_UNLIKELY(any(good & ~known))) { /* of ICMP, errors are scalar's; echoes have their
						    identifier for ports */
		wide icmp = (wide)(proto == (six ? IP_ICMP6 : IP_ICMP)), type = g->behind[0] & 0xff;
		wide error = six ? (wide)(type - 1 < all(4))
				 : (wide)(type - 3 < all(3)) | (wide)((type - 11) < all(2));
		wide echo = six ? (wide)((type & 0xfe) == 128) : (wide)((type & 0xf7) == 0),
		     identifier = first_half(g->behind[1]) & echo;
		known |= icmp & ~error;
		there = choose(icmp, identifier | identifier << 16, there);
		name += icmp & (((six ? BPE_PROTO_ICMP6 : BPE_PROTO_ICMP) - BPE_PROTO_UDP) << 24);
	}
	good &= known;
	wide back = swap_halves(there);
	good &= not_looked_behind(there, udp);

	/* The first words in which the ends differ, else the ports, decide. */
	wide from = g->ends[0][words_of_end - 1], to = g->ends[1][words_of_end - 1];
	for (uint32_t k = words_of_end - 1; k-- > 0;) {
		wide same = (wide)(g->ends[0][k] == g->ends[1][k]);
		from = choose(same, from, g->ends[0][k]), to = choose(same, to, g->ends[1][k]);
	}
	wide equal = (wide)(from == to), keep = (wide)(choose(equal, there, swap_bytes(from)) <=
						       choose(equal, back, swap_bytes(to)));

	wide kind = proto | (six ? 0x600 : 0x400) | g->vlan << 16,
	     ends_ports = choose(keep, back, there);
	struct sums sums = { six ? h->tags : h->rest, six ? h->tags : h->rest };
	add_product(&sums, ends_ports + h->word[8], kind + h->word[9]);
	for (uint32_t k = 0; k < words_of_end; k++) {
		wide lower = choose(keep, g->ends[0][k], g->ends[1][k]),
		     upper = choose(keep, g->ends[1][k], g->ends[0][k]);
		g->ends[0][k] = lower, g->ends[1][k] = upper;
		add_product(&sums, lower + h->word[k], upper + h->word[4 + k]);
	}
	wide hash = hash_end(sums, h);
	if (places) {
		EACH_LANE(c->hash[places[j]] = hash[j])
	} else {
		memcpy(c->hash + first, &hash, sizeof hash);
	}

	const uint32_t flags = (BPE_PKT_KEY | (six ? BPE_PKT_IP6 : BPE_PKT_IP4)) << 16;
	wide layers[6] = { (g->tags & 0x40004) + (s->network | transport << 16),
		header + (transport + flags) + (~keep & (BPE_PKT_REVERSED << 16)) +
			(g->tags & (4 | BPE_PKT_VLAN << 16)) + g->outgoing,
		whole + transport + (g->tags & 4),
		(proto << 16) + name +
			((six ? TYPE_IP6 : TYPE_IP4) | (uint32_t)BPE_PROTO_UDP << 24),
		(second_byte(g->word) << 16 & tcp) - (g->tags << 24) + s->link_type, g->vlan };
	if (six) {
		row lower[LANES], upper[LANES];
		spread(lower, g->ends[0][0], g->ends[0][1], g->ends[0][2], g->ends[0][3]);
		spread(upper, g->ends[1][0], g->ends[1][1], g->ends[1][2], g->ends[1][3]);
		EACH_LANE(struct bpe_key *key = key_of(c->key + first, places, j);
			memcpy(key->addr[0], &lower[j], 16); memcpy(key->addr[1], &upper[j], 16))
		store_rows(c->key + first, places, ends_ports, kind);
	} else {
		store_keys(c->key + first, places, g->ends[0][0], g->ends[1][0], ends_ports, kind);
	}
	if (places) {
		row rows[LANES];
		spread(rows, layers[0], layers[1], layers[2], layers[3]);
		EACH_LANE(memcpy(layers_of(c->layers, places, j), &rows[j], 16))
		store_pairs(c->layers, places, layers[4], layers[5]);
	} else {
		store_layers(c->layers + first, layers);
	}
	return good;
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

INLINE wide family(wide word, uint32_t number)
{
	return (wide)(word == number << 24);
}

/* Lanes in which IPv4, or IPv6, is told to be at `network`; Ethernet: without a tag. */
INLINE wide told_four(const struct shape *s, const wide low[4])
{
	if (s->ethernet)
		return (wide)(low[0] >> 16 == WORD_IP4);
	if (s->kind == LINK_RAW)
		return (wide)((low[1] & 0xf0) == 0x40);
	return family(low[0], 2) | (s->kind == LINK_NULL ? (wide)(low[0] == 2) : (wide){ 0 });
}

INLINE wide told_six(const struct shape *s, const wide low[4])
{
	if (s->ethernet)
		return (wide)(low[0] >> 16 == WORD_IP6);
	if (s->kind == LINK_RAW)
		return (wide)((low[1] & 0xf0) == 0x60);
	wide six = family(low[0], 10) | family(low[0], 24) | family(low[0], 28) |
		   family(low[0], 30); /* Linux; NetBSD and OpenBSD; FreeBSD; macOS */
	return s->kind == LINK_LOOP ? six
				    : six | (wide)(low[0] == 10) | (wide)(low[0] == 24) |
					      (wide)(low[0] == 28) | (wide)(low[0] == 30);
}

/* A group of one version, each with IP's header at at[j] + plus. */
INLINE wide do_one(const struct bpei_columns *c, const struct secret *h, size_t first,
	const uint32_t *places, struct group *g, bool six, const uint8_t *const *at, int plus,
	const struct shape *s)
{
	if (six) {
		const uint8_t *behind[LANES];
		load_columns(g->ends[0], at, plus + 8);
		load_columns(g->ends[1], at, plus + 24);
		load_pairs(g->behind, at, plus + 40);
		advance(behind, at,
			more(g->left, all(HEADER_6 + 15)) &
				12); /* too short for TCP: anything, and not good */
		g->word = load_words(behind, plus + 40);
	} else {
		wide high[4];
		load_columns(high, at, plus + 12);
		g->ends[0][0] = high[0], g->ends[1][0] = high[1];
		g->behind[0] = high[2], g->behind[1] = high[3];
		g->word = load_words(at, plus + 32);
	}
	return finish(c, h, first, places, g, six, s);
}

INLINE void leave(struct work *w, size_t first, wide good)
{
	if (BPEI_UNLIKELY(!every(good)))
		w->rest |= (uint64_t)(lane_bits(good) ^ EVERY) << first;
}

/* Whether a packet may be one of those that are done side by side; Ethernet. */
static inline bool common(const uint8_t *data, uint32_t caplen)
{
	if (caplen < 18 + LEAST_4)
		return false;
	const uint8_t *ip = data + (bpei_load16(data + 12) == WORD_VLAN ? 18 : 14);
	uint32_t type = bpei_load16(ip - 2), proto = type == WORD_IP4 ? ip[9] : ip[6];
	if (type == WORD_IP4 ? ip[0] != 0x45 || bpei_load16(ip + 6) & 0xff3f : type != WORD_IP6)
		return false;
	return proto == IP_TCP || proto == IP_UDP ||
	       proto == (type == WORD_IP4 ? IP_ICMP : IP_ICMP6);
}

/* Whether any of four packets is. */
static inline bool worth_trying(const uint8_t *const *data, const uint32_t *caplen, uint32_t n)
{
	for (uint32_t k = 0; k < 4; k++)
		if (BPEI_LIKELY(common(data[n * k / 4], caplen[n * k / 4])))
			return true;
	return false;
}

INLINE wide vlan_of(const wide low[4], wide tags)
{
	return first_half(low[0]) & 0xfff & tags;
}

#if LANES > 8
/* Mixed neighbours of IPv4 where they are: with many lanes those that are another version's cost
 * less than a list. */
INLINE wide do_scattered(const struct bpei_columns *c, const struct secret *h, size_t first,
	struct group *g, wide four, const uint8_t *const *data, const struct shape *s)
{
	const uint8_t *at[LANES];
	wide few = ~more(g->left, all(LEAST_4 - 1));
	advance(at, data, (g->tags & 4) + s->network);
	if (BPEI_UNLIKELY(any(few)))
		for (uint32_t lanes = lane_bits(few); lanes; lanes &= lanes - 1)
			at[__builtin_ctz(lanes)] = nothing + 14;
	load_low(g->low, at, 0, s);
	if (s->ethernet)
		g->vlan = vlan_of(g->low, g->tags);
	return do_one(c, h, first, NULL, g, false, at, 0, s) & four;
}
#endif

/* The neighbours from `first` on.  False, and all from there on left to scalar, where they are
 * mixed and the batch's packets are of no common shape. */
INLINE bool do_group(const struct bpei_columns *c, const struct secret *h, struct work *w,
	struct list *fours, struct list *sixes, size_t first, uint32_t n, const struct shape *s)
{
	const wide caplen = column(c->caplen + first),
		   few = more(all(s->network + LEAST_4), caplen);
	const uint8_t *const *data = c->data + first, *at[LANES];
	struct group g = { .left = caplen - s->network };
	if (ASK_AHEAD)
		EACH_LANE(__builtin_prefetch((const void *)((uintptr_t)data[j] + w->ahead)))
	if (BPEI_UNLIKELY(any(few))) {
		memcpy(at, data, sizeof at);
		for (uint32_t lanes = lane_bits(few); lanes; lanes &= lanes - 1)
			at[__builtin_ctz(lanes)] = nothing;
		data = at;
	}
	load_low(g.low, data, (int)s->network, s);
	if (c->outgoing)
		g.outgoing = load_bytes(c->outgoing + first) << 16;
	wide four = told_four(s, g.low), six;
	if (every(four)) {
		leave(w, first, do_one(c, h, first, NULL, &g, false, data, (int)s->network, s));
		return true;
	}
	if (s->ethernet) {
		if (!w->tried && BPEI_UNLIKELY(!worth_trying(c->data, c->caplen, n))) {
			w->rest |= UINT64_MAX << first & UINT64_MAX >> (BPE_BATCH - n);
			return false;
		}
		w->tried = true;
		g.tags = (wide)(g.low[0] >> 16 == WORD_VLAN);
		wide type = choose(g.tags, g.low[1], g.low[0]) >> 16;
		four = (wide)(type == WORD_IP4), six = (wide)(type == WORD_IP6);
	} else {
		six = told_six(s, g.low);
	}
	g.left -= g.tags & 4;
	six &= more(g.left, all(LEAST_6 - 1));
	if (every(six & ~g.tags)) {
		g.tags = all(0);
		leave(w, first, do_one(c, h, first, NULL, &g, true, data, (int)s->network, s));
		return true;
	}
	four &= more(g.left, all(LEAST_4 - 1));
	wide of = least(g.left, all(UINT16_MAX)) + (g.tags & 4u << 24) +
		  (((wide)PLACES << 16) + ((uint32_t)first << 16 | s->network << 24));
#if LANES <= 8
	pack(fours->of, &w->fours, sixes->of, &w->sixes,
		of | (four & (uint32_t)LISTED_4 << 24) | (six & (uint32_t)LISTED_6 << 24));
#else
	(void)fours;
	w->sixes += pack_six(sixes->of + w->sixes, of | LISTED_6 << 24, six);
	if (any(four))
		four = do_scattered(c, h, first, &g, four, data, s);
#endif
	leave(w, first, four | six);
	return true;
}

/* LANES packets of the list.  Returns the lanes that are good. */
INLINE wide do_listed(const struct bpei_columns *c, const struct secret *h,
	const struct listed *list, bool six, const struct shape *s)
{
	const int flag = six ? LISTED_6 : LISTED_4;
	const uint8_t *at[LANES];
	uint32_t places[LANES];
	wide of;
	memcpy(&of, list, sizeof of);
	EACH_LANE(places[j] = list[j].place; at[j] = c->data[places[j]] + list[j].network)
	struct group g = { .left = of & 0xffff };
	if (BPEI_UNLIKELY(c->outgoing != NULL))
		EACH_LANE(g.outgoing[j] = (uint32_t)c->outgoing[places[j]] << 16)
	load_low(g.low, at, -flag, s);
	if (s->ethernet) {
		g.tags = (wide)((of & 16u << 24) != 0); /* of 14 and 18 */
		g.vlan = vlan_of(g.low, g.tags);
	}
	return do_one(c, h, 0, places, &g, six, at, -flag, s);
}

/* Returns those that scalar has to do. */
INLINE uint64_t do_list(const struct bpei_columns *c, const struct secret *h, struct list *l,
	size_t n, bool six, const struct shape *s)
{
	uint64_t rest = 0;
	if (!n)
		return 0;
	uint32_t any_of_them;
	memcpy(&any_of_them, l->of, sizeof any_of_them);
	const wide filling = all(any_of_them);
	memcpy(l->of + n, &filling, sizeof filling);
	for (size_t i = 0; i < n; i += LANES) {
		const struct listed *list = l->of + i;
		wide good = do_listed(c, h, list, six, s);
		if (BPEI_LIKELY(every(good)))
			continue;
		uint32_t bad = lane_bits(good) ^ EVERY;
		for (uint32_t lanes = bad; lanes; lanes &= lanes - 1)
			rest |= UINT64_C(1) << list[__builtin_ctz(lanes)].place;
		if (bad != EVERY)
			continue;
		for (size_t k = i; k < n; k++)
			rest |= UINT64_C(1) << l->of[k].place;
		break;
	}
	return rest;
}

/* kind: LINK_ETHERNET, LINK_NULL, LINK_LOOP or LINK_RAW, a constant; link_type: what the layers are
 * to say. */
INLINE void parse(const struct bpei_columns *columns, uint32_t n, uint32_t kind, uint32_t link_type,
	const struct bpei_seed *seed)
{
	const struct shape s = { kind == LINK_ETHERNET, kind,
		kind == LINK_ETHERNET ? 14
		: kind == LINK_RAW    ? 0
				      : 4,
		link_type };
	const struct bpei_columns c = *columns;
	struct list fours, sixes;
	struct secret h;
	if (n < LANES) {
		bpei_parse_scalar(columns, n, link_type, seed);
		return;
	}
	struct work w = { .ahead = (uintptr_t)c.data[n - 1] - (uintptr_t)c.data[0] };
	make_secret(&h, seed);
	const size_t last = n - LANES;
	for (size_t first = 0; do_group(&c, &h, &w, &fours, &sixes, first, n, &s);) {
		if (first == last)
			break;
		first = first + LANES < last ? first + LANES : last;
	}
	w.rest |= do_list(&c, &h, &fours, w.fours, false, &s) |
		  do_list(&c, &h, &sixes, w.sixes, true, &s);
	while (BPEI_UNLIKELY(w.rest)) { /* run by run */
		uint32_t i = (uint32_t)__builtin_ctzll(w.rest);
		uint64_t beyond = ~(w.rest >> i);
		uint32_t run = beyond ? (uint32_t)__builtin_ctzll(beyond) : BPE_BATCH;
		const struct bpei_columns some = { .data = c.data + i,
			.caplen = c.caplen + i,
			.wirelen = c.wirelen + i,
			.layers = c.layers + i,
			.key = c.key + i,
			.hash = c.hash + i,
			.outgoing = c.outgoing ? c.outgoing + i : NULL,
			.outermost = c.outermost,
			.closed = c.closed,
			.no_identity = c.no_identity,
			.way = c.way ? c.way + i : NULL };
		bpei_parse_scalar(&some, run, link_type, seed);
		w.rest &= run == BPE_BATCH ? 0 : ~(((UINT64_C(1) << run) - 1) << i);
	}
}

#define PARSE_BY_LINK_TYPE(columns, n, link_type, seed)                                            \
	switch (seed ? link_type : UINT32_MAX) {                                                   \
	case LINK_ETHERNET:                                                                        \
		parse(columns, n, LINK_ETHERNET, LINK_ETHERNET, seed);                             \
		return;                                                                            \
	case LINK_NULL:                                                                            \
		parse(columns, n, LINK_NULL, LINK_NULL, seed);                                     \
		return;                                                                            \
	case LINK_LOOP:                                                                            \
		parse(columns, n, LINK_LOOP, LINK_LOOP, seed);                                     \
		return;                                                                            \
	case LINK_RAW:                                                                             \
	case LINK_RAW_12:                                                                          \
	case LINK_RAW_14:                                                                          \
		parse(columns, n, LINK_RAW, link_type, seed);                                      \
		return;                                                                            \
	default:                                                                                   \
		bpei_parse_scalar(columns, n, link_type, seed);                                    \
	}
