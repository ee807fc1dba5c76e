/* SPDX-License-Identifier: MIT */
/* Parsing the common shapes several packets side by side: Ethernet with no or one 802.1Q tag, or NULL, LOOP, RAW; IPv4 without options or IPv6
 * without extension headers; TCP, UDP, or ICMP that is no error; whole and sound.  The one algorithm of all vector backends; each includes this file
 * once, after it has defined LANES and the few operations below.  Everything else goes to bpei_parse_scalar, packet by packet.
 *
 * 1. sort: where IP begins, and IPv4 to the front of one list, IPv6 to its back, without a branch on which it is (a wrong guess
 *    costs more than a packet).  What is neither, or too short for the loads to come, is left to scalar.
 * 2. group: LANES packets of one kind; 32 bytes of each are turned into columns of 32-bit words, lane j being packet j:
 *       IPv4: the 4 bytes before the header, the header, the first 8 bytes behind it
 *       IPv6: the 4 bytes before the header, its first 12; the last 8 of the target, the first 8 bytes behind it
 *    Checks, order of the two ends and all fields are worked out in columns, and turned back into rows to be stored.
 *    A group that is not full is filled with packets that it has or that were done before: the same is written twice.
 * 0. sample: where four of the batch's packets are of no common shape, all go to scalar at once.
 * Bytes read: sort and group look at ip[-4 .. 28) or ip[-4 .. 48), without Ethernet at ip[0 .. 28) or ip[0 .. 48), and sort sees to it that they are there; TCP's bytes 12 and
 * 13 are read only in lanes whose lengths were proved.
 *
 * An including file gives:
 *   typedef uint32_t wide, row	vectors of LANES and of 4 words
 *   load_columns(c, at, plus)		16 bytes at each at[j] + plus as 4 columns
 *   spread(r, a, b, c, d)		r[j] = { a[j], b[j], c[j], d[j] }
 *   swap_bytes(x)			each word's bytes the other way round
 *   gather16(at, plus)			16 bits at each at[j] + plus[j], zero above
 *   lane_bits(x)			bit j: top bit of lane j
 *   order16(a, b)			16 bytes as big-endian numbers: > 0, 0 or < 0 */
#include "arch/scalar/packet.h"
#include "base/bytes.h"
#include "base/cacheline.h"

#include <stddef.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the columns' words are taken as little-endian"
#endif

#define INLINE static inline __attribute__((always_inline))

enum { BEHIND_4 = 28, BEHIND_6 = 48 };	/* bytes from the IP header on that have to be captured: packets with fewer go to scalar */
#define WORD_VLAN 0x0081u			/* ethertypes as they lie in memory */
#define WORD_IP4 0x0008u
#define WORD_IP6 0xdd86u

typedef int32_t compared __attribute__((vector_size(4 * LANES)));
typedef uint16_t ports __attribute__((vector_size(4 * LANES)));

/* UDP ports whose packets may hold another one: scalar's to see. */
static const uint16_t tunnel_ports[] = { PORT_L2TP, PORT_GTPU, PORT_TEREDO, PORT_VXLAN, PORT_GENEVE, PORT_VXLAN_OLD, PORT_WIREGUARD };

/* What a link type comes to: where IP begins (Ethernet: without a tag). */
struct shape {
	bool ethernet;
	uint32_t network, link_type;
};

/* The batch's common packets: IPv4 from the front, IPv6 from the back; room behind for a group that is not full. */
struct list {
	const uint8_t *ip[BPE_BATCH + LANES];
	uint32_t caplen[BPE_BATCH + LANES];
	uint32_t info[BPE_BATCH + LANES];	/* where its layers lie in their column | TAGGED | flags on entry, the lower 8 */
};
#define TAGGED 0x100u
#define PLACE 16	/* shifted by */
_Static_assert(sizeof(struct bpe_key) == 2 * sizeof(struct bpe_layers) && BPE_BATCH * sizeof(struct bpe_layers) < 1 << (32 - PLACE), "one place for both");
_Static_assert(BPE_PKT_OUTGOING < TAGGED && BPE_PKT_VLAN == TAGGED >> 2 && BPE_PROTO_UDP - 1 == BPE_PROTO_TCP, "in info; shifted; subtracted");

INLINE uint32_t place_of(const struct list *l, uint32_t i)	/* its own 16 bits: the compiler would work out several in a vector, and take them out again */
{
	return bpei_load16((const char *)&l->info[i] + PLACE / 8);
}

INLINE uint64_t packet_bit(const struct list *l, uint32_t i) { return UINT64_C(1) << place_of(l, i) / sizeof(struct bpe_layers); }

INLINE wide all(uint32_t x) { return x - (wide){ 0 }; }
INLINE wide column(const uint32_t *p) { wide v; memcpy(&v, p, sizeof v); return v; }
INLINE wide more(wide a, wide b) { return (wide)((compared)a > (compared)b); }	/* signed */
INLINE wide above(wide a, wide b) { return (wide)(a > b); }
INLINE wide choose(wide mask, wide yes, wide no) { return no ^ ((no ^ yes) & mask); }

INLINE uint32_t opaque(uint32_t bit)	/* hides from the compiler that it could branch on it */
{
	__asm__("" : "+r"(bit));
	return bit;
}

/* What a group comes to: the fields as columns. */
struct group {
	wide addr[2], ports, kind;			/* of the key; addr: IPv4's */
	wide offsets, payload_flags, end, type_protos, link_tcp_vlans, vlan;	/* of the layers, in their order */
};

INLINE void store_row(void *to, row r) { memcpy(to, &r, sizeof r); }

/* Writes keys and layers of all lanes: one that is not good is done once more, by scalar. */
INLINE void store(const struct bpei_columns *c, const struct list *l, uint32_t first, const struct group *g, uint32_t swapped, bool six)
{
	const wide zero = { 0 };
	row a[LANES], b[LANES], d[LANES];
	char *const keys = (char *)c->key, *const layers = (char *)c->layers;
#define EACH_LANE(statement) _Pragma("GCC unroll 8") for (uint32_t j = 0; j < LANES; j++) { \
		const uint32_t place = place_of(l, first + j); \
		statement; \
	}
	spread(d, g->ports, g->kind, zero, zero);
	if (six) {
		EACH_LANE(
			row source; row target;
			char *key = keys + 2 * place;
			uint32_t swap = (swapped >> j & 1) * 16;
			memcpy(&source, l->ip[first + j] + 8, sizeof source);
			memcpy(&target, l->ip[first + j] + 24, sizeof target);
			store_row(key + swap, source);
			store_row(key + 16 - swap, target);
			store_row(key + offsetof(struct bpe_key, port), d[j]))
	} else {
		spread(a, g->addr[0], zero, zero, zero);
		spread(b, g->addr[1], zero, zero, zero);
		EACH_LANE(
			char *key = keys + 2 * place;
			store_row(key, a[j]);
			store_row(key + 16, b[j]);
			store_row(key + offsetof(struct bpe_key, port), d[j]))
	}
	spread(a, g->offsets, g->payload_flags, g->end, g->type_protos);
	spread(b, g->link_tcp_vlans, g->vlan, zero, zero);
	EACH_LANE(
		char *to = layers + place;
		store_row(to, a[j]);
		memcpy(to + offsetof(struct bpe_layers, link_type), &b[j], 8))
#undef EACH_LANE
}

/* The lanes that scalar has to do, which wants to find the flags on entry. */
static __attribute__((noinline, cold)) uint64_t undo(const struct bpei_columns *c, const struct list *l, uint32_t first, uint32_t bad)
{
	uint64_t rest = 0;
	for (; bad; bad &= bad - 1) {
		uint32_t i = first + (uint32_t)__builtin_ctz(bad);
		c->layers[place_of(l, i) / sizeof(struct bpe_layers)].flags = (uint16_t)(l->info[i] & (TAGGED - 1));
		rest |= packet_bit(l, i);
	}
	return rest;
}

/* LANES packets from `first` of the list on.  Returns the packets, by number, that scalar has to do. */
INLINE uint64_t do_group(const struct bpei_columns *c, const struct list *l, uint32_t first, bool six, const struct shape s)
{
	const uint8_t *const *ip = l->ip + first;
	const uint32_t header_bytes = six ? 40 : 20;
	wide low[4], high[4], info = column(l->info + first), good, room, proto;
	wide tags = info / TAGGED & 1, network = s.network + tags * 4, left = column(l->caplen + first) - network;
	if (s.ethernet) {
		load_columns(low, ip, -4);
	} else {
		wide from_ip[4];
		load_columns(from_ip, ip, 0);
		low[0] = (wide){ 0 }, low[1] = from_ip[0], low[2] = from_ip[1], low[3] = from_ip[2];
	}
	load_columns(high, ip, (int)header_bytes - 8);

	if (six) {
		good = (wide)((low[1] & 0xf0) == 0x60);
		room = swap_bytes(low[2]) >> 16;
		proto = low[2] >> 16 & 0xff;
	} else {
		good = (wide)((low[1] & 0xff) == 0x45) & (wide)((low[2] & 0xff3f0000) == 0);	/* not a fragment */
		room = (swap_bytes(low[1]) & 0xffff) - 20;
		proto = low[3] >> 8 & 0xff;
	}
	wide tcp = (wide)(proto == IP_TCP), udp = (wide)(proto == IP_UDP), icmp = (wide)(proto == (six ? IP_ICMP6 : IP_ICMP)), least = 8 + (tcp & 12);
	wide words = swap_bytes(high[3]), whole = choose(udp, words >> 16, room), type = high[2] & 0xff;
	/* Of ICMP: errors are scalar's; echoes have their identifier for ports. */
	wide error = six ? (wide)(type - 1 < all(4)) : (wide)(type - 3 < all(3)) | (wide)((type - 11) < all(2));
	wide echo = six ? (wide)((type & 0xfe) == 128) : (wide)((type & 0xf7) == 0);
	good &= (tcp | udp | (icmp & ~error)) & ~(more(room, left - header_bytes) | more(least, room) | more(all(8), whole) | more(whole, room));

	uint32_t plus[LANES];
	wide where = header_bytes + (tcp & good & 12);
	memcpy(plus, &where, sizeof plus);
	wide word = gather16(ip, plus), header = choose(tcp, word >> 2 & 0x3c, all(8)), flags = word >> 8 & tcp;
	good &= ~(more(least, header) | more(header, room));

	wide identifier = words >> 16 & echo, there = choose(icmp, identifier | identifier << 16, swap_bytes(high[2])), back = there << 16 | there >> 16, order, equal;
	ports looked_behind = { 0 }, both = (ports)there;
	_Pragma("GCC unroll 8") for (uint32_t k = 0; k < sizeof tunnel_ports / sizeof *tunnel_ports; k++) looked_behind |= (ports)(both == tunnel_ports[k]);
	good &= (wide)((wide)looked_behind == 0) | ~udp;
	if (six) {
		uint32_t orders[LANES];
		_Pragma("GCC unroll 8") for (uint32_t j = 0; j < LANES; j++) orders[j] = (uint32_t)order16(ip[j] + 8, ip[j] + 24);
		wide o = from_words(orders);
		order = more(o, all(0));
		equal = (wide)(o == 0);
	} else {
		order = above(swap_bytes(high[0]), swap_bytes(high[1]));
		equal = (wide)(high[0] == high[1]);
	}
	wide swap = order | (equal & above(there, back));

	wide crossed = (high[0] ^ high[1]) & swap;
	wide vlan = swap_bytes(low[0]) >> 16 & 0xfff & (0 - tags);
	struct group g = {
		.addr = { high[0] ^ crossed, high[1] ^ crossed },
		.ports = choose(swap, there, back),
		.kind = proto | (six ? 0x600 : 0x400) | vlan << 16,
		.offsets = network | (network + header_bytes) << 16,
		.payload_flags = (network + header_bytes + header) | ((info >> 2 & BPE_PKT_VLAN) | (info & BPE_PKT_OUTGOING) | (swap & BPE_PKT_REVERSED)
				| BPE_PKT_KEY | (six ? BPE_PKT_IP6 : BPE_PKT_IP4)) << 16,
		.end = network + header_bytes + whole,
		.type_protos = (six ? TYPE_IP6 : TYPE_IP4) | proto << 16 | (BPE_PROTO_UDP + tcp + (icmp & ((six ? BPE_PROTO_ICMP6 : BPE_PROTO_ICMP) - BPE_PROTO_UDP))) << 24,
		.link_tcp_vlans = s.link_type | flags << 16 | tags << 24,
		.vlan = vlan,
	};
	store(c, l, first, &g, six ? lane_bits(swap) : 0, six);
	uint32_t bad = lane_bits(good) ^ ((1u << LANES) - 1);
	return BPEI_LIKELY(!bad) ? 0 : undo(c, l, first, bad);
}

INLINE void copy(struct list *l, uint32_t to, uint32_t from)
{
	l->ip[to] = l->ip[from];
	l->caplen[to] = l->caplen[from];
	l->info[to] = l->info[from];
}

/* The n packets from `first` of the list on, n > 0; what lies behind them in the list may be overwritten.  After a group in
 * which no packet was common the others of the batch are not tried either: so traffic of another kind costs little more. */
INLINE uint64_t do_kind(const struct bpei_columns *c, struct list *l, uint32_t first, uint32_t n, bool six, const struct shape s)
{
	uint64_t rest = 0;
	uint32_t i = 0;
	for (; i + LANES <= n; i += LANES) {
		uint64_t bad = do_group(c, l, first + i, six, s);
		rest |= bad;
		if (BPEI_LIKELY(!bad) || __builtin_popcountll(bad) < LANES) continue;
		for (i += LANES; i < n; i++) rest |= packet_bit(l, first + i);
		return rest;
	}
	if (i == n) return rest;
	if (i) return rest | do_group(c, l, first + n - LANES, six, s);
	for (uint32_t k = n; k < LANES; k++) copy(l, first + k, first);
	return do_group(c, l, first, six, s);
}

/* Those of the n packets that are on neither list. */
static __attribute__((noinline, cold)) uint64_t unlisted(const struct list *l, uint32_t n, uint32_t front, uint32_t back)
{
	uint64_t listed = 0;
	for (uint32_t i = 0; i < front; i++) listed |= packet_bit(l, i);
	for (uint32_t i = back; i < BPE_BATCH; i++) listed |= packet_bit(l, i);
	return ~listed & UINT64_MAX >> (BPE_BATCH - n);
}

/* Whether a packet may be one of those that are done side by side; Ethernet. */
static inline bool common(const uint8_t *data, uint32_t caplen)
{
	if (caplen < 18 + BEHIND_4) return false;
	const uint8_t *ip = data + (bpei_load16(data + 12) == WORD_VLAN ? 18 : 14);
	uint32_t type = bpei_load16(ip - 2), proto = type == WORD_IP4 ? ip[9] : ip[6];
	if (type == WORD_IP4 ? ip[0] != 0x45 || bpei_load16(ip + 6) & 0xff3f : type != WORD_IP6) return false;
	return proto == IP_TCP || proto == IP_UDP || proto == (type == WORD_IP4 ? IP_ICMP : IP_ICMP6);
}

/* Whether any of four packets is. */
INLINE bool worth_trying(const struct bpei_columns *c, uint32_t n)
{
	for (uint32_t k = 0; k < 4; k++)
		if (BPEI_LIKELY(common(c->data[n * k / 4], c->caplen[n * k / 4]))) return true;
	return false;
}

/* 4 or 6 if IP of that version is told to be behind the header of 0 or 4 bytes; else 0. */
INLINE uint32_t version_of(const uint8_t *data, uint32_t link_type)
{
	if (link_type == LINK_RAW) return data[0] >> 4;
	uint32_t family = __builtin_bswap32(bpei_load32(data));
	if (link_type == LINK_NULL && family > 0xffff) family = __builtin_bswap32(family);
	return family == 2 ? 4 : family < 32 && (1u << 10 | 1u << 24 | 1u << 28 | 1u << 30) >> family & 1 ? 6 : 0;
}

/* kind: LINK_ETHERNET, LINK_NULL, LINK_LOOP or LINK_RAW, a constant; link_type: what the layers are to say. */
INLINE void parse(const struct bpei_columns *c, uint32_t n, uint32_t kind, uint32_t link_type)
{
	struct list l;
	uint64_t rest = 0;
	uint32_t front = 0, back = BPE_BATCH - 1;	/* IPv4: l[0 .. front); IPv6: l(back .. BPE_BATCH) */
	const struct shape s = { kind == LINK_ETHERNET, kind == LINK_ETHERNET ? 14 : kind == LINK_RAW ? 0 : 4, link_type };
	const struct bpei_columns from = *c;
	if (s.ethernet && BPEI_UNLIKELY(n && !worth_trying(c, n))) {
		bpei_parse_scalar(c, n, link_type);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *data = from.data[i];
		uint32_t caplen = from.caplen[i], tag = 0, four, six;
		if (BPEI_UNLIKELY(caplen < (s.ethernet ? 18 : s.network) + BEHIND_4)) continue;
		if (s.ethernet) {
			tag = opaque(bpei_load16(data + 12) == WORD_VLAN);
			uint32_t type = bpei_load16(data + 12 + 4 * tag);
			four = opaque(type == WORD_IP4), six = opaque(type == WORD_IP6);
		} else {
			uint32_t version = version_of(data, kind);
			four = opaque(version == 4), six = opaque(version == 6);
		}
		uint32_t to = six ? back : front;
		l.ip[to] = data + s.network + 4 * tag;
		l.caplen[to] = caplen;
		l.info[to] = i * (uint32_t)(sizeof(struct bpe_layers) << PLACE) | tag * TAGGED | (from.layers[i].flags & (TAGGED - 1));
		front += four;
		back -= six;
	}
	back++;
	if (BPEI_UNLIKELY(front + BPE_BATCH - back != n)) rest = unlisted(&l, n, front, back);
	for (uint32_t i = back; i < BPE_BATCH; i++) {
		if (BPEI_LIKELY(l.caplen[i] >= s.network + BEHIND_6 + (l.info[i] / TAGGED & 1) * 4)) continue;
		rest |= packet_bit(&l, i);
		copy(&l, i, back++);
	}
	/* IPv6 first: a group of IPv4 that is not full may be filled over it. */
	if (back < BPE_BATCH) rest |= do_kind(&from, &l, back, BPE_BATCH - back, true, s);
	if (front) rest |= do_kind(&from, &l, 0, front, false, s);
	while (BPEI_UNLIKELY(rest)) {	/* run by run */
		uint32_t i = (uint32_t)__builtin_ctzll(rest);
		uint64_t beyond = ~(rest >> i);
		uint32_t run = beyond ? (uint32_t)__builtin_ctzll(beyond) : BPE_BATCH;
		const struct bpei_columns some = { .data = from.data + i, .caplen = from.caplen + i, .wirelen = from.wirelen + i,
			.layers = from.layers + i, .key = from.key + i, .outermost = from.outermost };
		bpei_parse_scalar(&some, run, link_type);
		rest &= run == BPE_BATCH ? 0 : ~(((UINT64_C(1) << run) - 1) << i);
	}
}

#define PARSE_BY_LINK_TYPE(columns, n, link_type) \
	switch (link_type) { \
	case LINK_ETHERNET: parse(columns, n, LINK_ETHERNET, LINK_ETHERNET); return; \
	case LINK_NULL: parse(columns, n, LINK_NULL, LINK_NULL); return; \
	case LINK_LOOP: parse(columns, n, LINK_LOOP, LINK_LOOP); return; \
	case LINK_RAW: case LINK_RAW_12: case LINK_RAW_14: parse(columns, n, LINK_RAW, link_type); return; \
	default: bpei_parse_scalar(columns, n, link_type); \
	}
