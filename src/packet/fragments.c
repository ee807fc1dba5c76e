/* SPDX-License-Identifier: MIT */
/* Joins later fragments to the flow of their first fragment (RFC 791, RFC 8200 4.5).  A bounded
 * table holds the datagrams whose first fragment was seen, in small sets that evict their oldest
 * element.  Addresses, identification and, in IPv4, the protocol identify a datagram.  An element
 * is valid within BPEI_FRAGMENT_NS of packet time, before or after, since savefiles are not always
 * in order.  A keyed hash (SipHash-1-3, Aumasson and Bernstein) chooses the set, so nobody can fill
 * the set of a foreign datagram.
 *
 * Counts: every later fragment is followed, or lost if the table has no first fragment.  A valid
 * first fragment that is evicted is counted.  A lost fragment keeps the key of the parser, with
 * ports 0.  Owner: the reader, alone. */
#include "names/numbers.h"
#include "packet/packet.h"

#include "base/bytes.h"
#include "base/cacheline.h"
#include "base/siphash.h"

#include <stdlib.h>

/* The identity of a datagram. */
struct datagram {
	uint8_t addr[2][16]; /* as in the packet: source, target */
	uint32_t id;
	uint16_t vlan;
	uint8_t version, proto; /* proto: 0 in IPv6 */
};

struct entry {
	struct datagram datagram;
	int64_t time_ns;
	struct bpe_key key;
	bool used, reversed;
};

struct bpei_fragments {
	struct bpei_fragment_counts counts;
	uint64_t key[2];
	struct entry entry[BPEI_FRAGMENT_SETS][BPEI_FRAGMENT_WAYS];
};

/* Returns SplitMix64's output for a state: so every bit of the seed changes both halves of the key.
 * The flow keys' hash starts from other states. */
static uint64_t mix_fragment_seed(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void bpei_fragment_key(uint64_t seed, uint64_t key[2])
{
	for (uint64_t i = 0; i < 2; i++)
		key[i] = mix_fragment_seed(
			(seed ^ 0x667261676d656e74u) + (i + 1) * 0x9e3779b97f4a7c15u);
}

struct bpei_fragments *bpei_fragments_new(uint64_t seed)
{
	struct bpei_fragments *f = calloc(1, sizeof *f);
	if (f)
		bpei_fragment_key(seed, f->key);
	return f;
}
void bpei_fragments_free(struct bpei_fragments *f)
{
	free(f);
}
const struct bpei_fragment_counts *bpei_fragments_counts(const struct bpei_fragments *f)
{
	return &f->counts;
}

/* Fills *d with the datagram of the fragment with its IP header at l->network.  Returns false if
 * its headers are not all captured. */
static bool read_datagram(
	struct datagram *d, const uint8_t *data, uint32_t caplen, const struct bpe_layers *l)
{
	const uint8_t *ip = data + l->network;
	memset(d, 0, sizeof *d);
	d->vlan = l->vlan[0];
	if (l->flags & BPE_PKT_IP4) {
		memcpy(d->addr[0], ip + 12, 4);
		memcpy(d->addr[1], ip + 16, 4);
		d->id = bpei_be16(ip + 4);
		d->version = 4;
		d->proto = ip[9];
		return true;
	}
	uint32_t at = l->network + 40u;
	uint32_t next = ip[6];
	/* The parser has found a fragment header, so only headers that the parser knows come
	 * before. */
	while (next != IP_FRAGMENT) {
		if (at + 8 > caplen)
			return false;
		uint32_t length = next == IP_AH ? (data[at + 1] + 2u) * 4 : (data[at + 1] + 1u) * 8;
		next = data[at];
		at += length;
	}
	if (at + 8 > caplen)
		return false;
	memcpy(d->addr, ip + 8, sizeof d->addr);
	d->id = bpei_be32(data + at + 4);
	d->version = 6;
	return true;
}

uint64_t bpei_fragment_hash(const uint64_t key[2], const uint64_t *words, size_t n)
{
	uint64_t v[4];

	bpei_siphash_begin(v, key);
	for (size_t i = 0; i <= n; i++) {
		const uint64_t word = i < n ? words[i] : (uint64_t)n * 8 << 56;
		v[3] ^= word;
		bpei_siphash_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		bpei_siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct entry *datagram_set(struct bpei_fragments *f, const struct datagram *d)
{
	const uint64_t words[] = { bpei_le64(d->addr[0]), bpei_le64(d->addr[0] + 8),
		bpei_le64(d->addr[1]), bpei_le64(d->addr[1] + 8),
		(uint64_t)d->id << 32 | (uint64_t)d->vlan << 16 | (uint64_t)d->version << 8 |
			d->proto };
	return f->entry[bpei_fragment_hash(f->key, words, sizeof words / sizeof *words) &
			(BPEI_FRAGMENT_SETS - 1)];
}

static bool entry_is_fresh(const struct entry *e, int64_t now)
{
	return e->used && now - e->time_ns <= BPEI_FRAGMENT_NS &&
	       e->time_ns - now <= BPEI_FRAGMENT_NS;
}

static bool is_same_datagram(const struct datagram *a, const struct datagram *b)
{
	return a->id == b->id && a->version == b->version && a->proto == b->proto &&
	       a->vlan == b->vlan && !memcmp(a->addr, b->addr, sizeof a->addr);
}

static void remember_first(struct bpei_fragments *f, const struct datagram *d,
	const struct bpei_columns *c, uint32_t i)
{
	struct entry *set = datagram_set(f, d);
	struct entry *to = NULL;
	int64_t now = c->time_ns[i];
	for (uint32_t k = 0; k < BPEI_FRAGMENT_WAYS && !to; k++)
		if (set[k].used && is_same_datagram(&set[k].datagram, d))
			to = &set[k]; /* a duplicate: the latest is kept */
	for (uint32_t k = 0; k < BPEI_FRAGMENT_WAYS && !to; k++)
		if (!entry_is_fresh(&set[k], now))
			to = &set[k];
	if (!to) {
		to = set;
		for (uint32_t k = 1; k < BPEI_FRAGMENT_WAYS; k++)
			if (set[k].time_ns < to->time_ns)
				to = &set[k];
		bpei_counter_add(&f->counts.evicted, 1);
	}
	*to = (struct entry){ .datagram = *d,
		.time_ns = now,
		.key = c->key[i],
		.used = true,
		.reversed = c->layers[i].flags & BPE_PKT_REVERSED };
}

static void join_fragment(struct bpei_fragments *f, const struct datagram *d,
	const struct bpei_columns *c, uint32_t i)
{
	struct entry *set = datagram_set(f, d);
	struct bpe_layers *l = &c->layers[i];
	for (uint32_t k = 0; k < BPEI_FRAGMENT_WAYS; k++) {
		if (!entry_is_fresh(&set[k], c->time_ns[i]) ||
			!is_same_datagram(&set[k].datagram, d))
			continue;
		c->key[i] = set[k].key;
		l->flags = (uint16_t)((l->flags & ~BPE_PKT_REVERSED) | BPE_PKT_KEY |
				      (set[k].reversed ? BPE_PKT_REVERSED : 0));
		bpei_counter_add(&f->counts.followed, 1);
		return;
	}
	bpei_counter_add(&f->counts.lost, 1);
}

void bpei_fragments_follow(
	struct bpei_fragments *f, const struct bpei_columns *c, uint32_t n, uint32_t link_type)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpe_layers *l = &c->layers[i];
		if (BPEI_LIKELY(!(l->flags & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT))) ||
			!(l->flags & BPE_PKT_KEY))
			continue;
		struct bpe_layers outer = *l;
		struct bpe_key unused;
		struct datagram d;
		/* Either the outer or the inner packet is fragmented: the outer headers tell. */
		if (l->flags & BPE_PKT_TUNNEL && l->flags & BPE_PKT_FIRST_FRAGMENT) {
			const struct bpei_columns one = { .data = c->data + i,
				.caplen = c->caplen + i,
				.wirelen = c->wirelen + i,
				.layers = &outer,
				.key = &unused,
				.outermost = true,
				.closed = c->closed };
			bpei_parse_scalar(&one, 1, link_type, NULL);
			if (!(outer.flags & BPE_PKT_FIRST_FRAGMENT))
				outer = *l;
		}
		if (!read_datagram(&d, c->data[i], c->caplen[i], &outer))
			continue;
		if (l->flags & BPE_PKT_FRAGMENT)
			join_fragment(f, &d, c, i);
		else
			remember_first(f, &d, c, i);
	}
}
