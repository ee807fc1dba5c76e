/* SPDX-License-Identifier: MIT */
/* Remembers the packets of a window in a ring, oldest first, and finds them by chains.
 *
 * A packet has a number; the ring's slot of a number is its lowest bits.  A chain begins in
 * `newest`, by the hash, and goes to ever older packets.  Nothing is taken out of a chain: a packet
 * that was overwritten has a number out of the ring's reach, and ends the chain.
 *
 * The ring doubles when the packet to be overwritten may still have copies, up to BPEI_DEDUP_MOST.
 * Invariant: ring and newest have mask + 1 elements each.  Owner: one thread. */
#include "rewrite/dedup.h"
#include "arch/arch.h"
#include "base/bytes.h"
#include "names/numbers.h"
#include "rewrite/digest.h"

#include <stdlib.h>

#define LEAST_SLOTS 1024u

struct seen {
	uint64_t digest[2];
	int64_t time_ns;
	uint32_t older; /* number of the next older packet of the chain */
	uint32_t used;
};

struct bpei_dedup {
	struct bpei_dedup_options options;
	struct bpei_digest_key key;
	uint64_t forgotten;
	struct seen *ring;
	uint32_t *newest; /* number of the newest packet of a chain */
	uint32_t mask;
	uint32_t next; /* number of the next packet */
};

/* The bytes of a packet that copies have in common. */
struct common {
	const uint8_t *bytes;
	uint32_t n;
	uint64_t words[3]; /* MAC addresses; link type, what was taken, and length on the wire */
};
enum { TAKEN_AS_FRAME = 1 << 24, TAKEN_AS_IP = 2 << 24 };

/* Returns the ethertype's offset behind the VLAN tags; caplen if there is none. */
static uint32_t skip_vlan_tags(const uint8_t *data, uint32_t caplen)
{
	uint32_t at = 12;

	while (caplen - at >= 4) {
		const uint16_t type = bpei_be16(data + at);

		if (type != TYPE_VLAN && type != TYPE_QINQ && type != TYPE_QINQ_OLD)
			break;
		at += 4;
	}
	return caplen - at >= 2 ? at : caplen;
}

/* Returns the bytes of the IP or ARP packet of an ethertype, by its own length; 0: unknown. */
static uint32_t network_bytes(const uint8_t *network, uint32_t left, uint16_t type)
{
	if (type == TYPE_IP4 && left >= 20 && network[0] >> 4 == 4)
		return bpei_be16(network + 2);
	if (type == TYPE_IP6 && left >= 40 && network[0] >> 4 == 6 && bpei_be16(network + 4))
		return 40u + bpei_be16(network + 4);
	if (type == TYPE_ARP && left >= 8)
		return 8 + 2u * (network[4] + network[5]);
	return 0;
}

/* Takes an Ethernet frame without tags and padding. */
static void take_frame(const struct bpei_dedup_packet *p, struct common *c)
{
	const uint32_t at = skip_vlan_tags(p->data, p->caplen);
	const uint32_t left = p->caplen - at;

	c->words[0] = bpei_le64(p->data);
	c->words[1] = bpei_le32(p->data + 8);
	c->bytes = p->data + at;
	c->n = left;
	c->words[2] |= TAKEN_AS_FRAME;
	const uint32_t bytes =
		left < 2 ? 0 : network_bytes(c->bytes + 2, left - 2, bpei_be16(c->bytes));
	if (!bytes || p->wirelen - at < bytes + 2) {
		c->words[2] |= (uint64_t)(p->wirelen - (at - 12)) << 32;
		return;
	}
	if (bytes + 2 < c->n)
		c->n = bytes + 2;
}

/* Takes a packet from the outermost IP header on.  Returns false if there is none. */
static bool take_ip(const struct bpei_dedup_packet *p, struct common *c)
{
	struct bpe_layers layers;
	struct bpe_key key;
	struct bpei_dedup_packet own = *p;
	const struct bpei_columns columns = { .data = &own.data,
		.caplen = &own.caplen,
		.wirelen = &own.wirelen,
		.layers = &layers,
		.key = &key,
		.outermost = true };

	bpei_parse_scalar(&columns, 1, p->link_type, NULL);
	if (!(layers.flags & (BPE_PKT_IP4 | BPE_PKT_IP6)) || layers.network > p->caplen)
		return false;
	const uint8_t *ip = p->data + layers.network;
	const uint32_t left = p->caplen - layers.network;
	const uint32_t bytes =
		network_bytes(ip, left, layers.flags & BPE_PKT_IP4 ? TYPE_IP4 : TYPE_IP6);
	c->bytes = ip;
	c->n = bytes && bytes < left ? bytes : left;
	c->words[2] = TAKEN_AS_IP;
	return true;
}

static void take_common(
	const struct bpei_dedup *d, const struct bpei_dedup_packet *p, struct common *c)
{
	*c = (struct common){ .bytes = p->data, .n = p->caplen };
	if (d->options.compare == BPEI_DEDUP_IP && take_ip(p, c))
		return;
	c->words[2] = p->link_type;
	if (d->options.compare != BPEI_DEDUP_EXACT && p->link_type == LINK_ETHERNET &&
		p->caplen >= 14 && p->wirelen >= p->caplen)
		take_frame(p, c);
	else
		c->words[2] |= (uint64_t)p->wirelen << 32;
}

/* Returns whether two times lie within the window. */
static bool is_within(const struct bpei_dedup *d, int64_t a, int64_t b)
{
	const uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;

	return d->options.window_ns < 0 || apart <= (uint64_t)d->options.window_ns;
}

/* Returns how many packets back copies may lie. */
static uint32_t most_back(const struct bpei_dedup *d)
{
	const uint32_t packets = d->options.window_packets;

	return packets && packets < d->mask + 1 ? packets : d->mask + 1;
}

/* Returns whether the packet of the digest was seen. */
static bool find_seen(const struct bpei_dedup *d, const uint64_t digest[2], int64_t time_ns)
{
	const uint32_t most = most_back(d);
	uint32_t number = d->newest[digest[0] & d->mask];
	uint32_t back = 0;

	for (;;) {
		const uint32_t now = d->next - number;
		const struct seen *s = &d->ring[number & d->mask];

		if (now <= back || now > most || !s->used)
			return false;
		if (s->digest[0] == digest[0] && s->digest[1] == digest[1] &&
			is_within(d, s->time_ns, time_ns))
			return true;
		back = now;
		number = s->older;
	}
}

static void remember_packet(struct bpei_dedup *d, const uint64_t digest[2], int64_t time_ns)
{
	uint32_t *newest = &d->newest[digest[0] & d->mask];

	d->ring[d->next & d->mask] = (struct seen){
		.digest = { digest[0], digest[1] },
		.time_ns = time_ns,
		.older = *newest,
		.used = 1,
	};
	*newest = d->next++;
}

/* Allocates an empty ring of n slots.  Returns false without memory. */
static bool make_seen_ring(struct bpei_dedup *d, uint32_t n)
{
	struct seen *ring = calloc(n, sizeof *ring);
	uint32_t *newest = calloc(n, sizeof *newest);

	if (!ring || !newest) {
		free(ring);
		free(newest);
		return false;
	}
	d->ring = ring;
	d->newest = newest;
	d->mask = n - 1;
	d->next = n; /* chains begin at 0, which is out of reach or not used */
	return true;
}

/* Doubles the ring.  Returns false if that is not possible. */
static bool grow_seen_ring(struct bpei_dedup *d)
{
	const struct bpei_dedup old = *d;

	if (old.mask + 1 >= BPEI_DEDUP_MOST || !make_seen_ring(d, (old.mask + 1) * 2))
		return false;
	for (uint32_t i = 0; i <= old.mask; i++) {
		const struct seen *s = &old.ring[(old.next + i) & old.mask];

		if (s->used)
			remember_packet(d, s->digest, s->time_ns);
	}
	free(old.ring);
	free(old.newest);
	return true;
}

bool bpei_dedup_is_copy(struct bpei_dedup *d, const struct bpei_dedup_packet *packet)
{
	const uint32_t packets = d->options.window_packets;
	struct common c;
	uint64_t digest[2];

	take_common(d, packet, &c);
	bpei_digest(&d->key, c.bytes, c.n, c.words, digest);
	const bool found = find_seen(d, digest, packet->time_ns);
	const struct seen *oldest = &d->ring[d->next & d->mask];
	const bool wanted = oldest->used && is_within(d, oldest->time_ns, packet->time_ns) &&
			    (!packets || packets > d->mask + 1);
	if (wanted && !grow_seen_ring(d))
		d->forgotten++;
	remember_packet(d, digest, packet->time_ns);
	return found;
}

uint64_t bpei_dedup_forgotten(const struct bpei_dedup *d)
{
	return d->forgotten;
}

struct bpei_dedup *bpei_dedup_new(const struct bpei_dedup_options *options)
{
	struct bpei_dedup *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->options = *options;
	bpei_digest_key(&d->key, options->key);
	if (!make_seen_ring(d, LEAST_SLOTS)) {
		free(d);
		return NULL;
	}
	return d;
}

void bpei_dedup_free(struct bpei_dedup *d)
{
	if (!d)
		return;
	free(d->ring);
	free(d->newest);
	free(d);
}
