/* SPDX-License-Identifier: MIT */
/* Counting a batch, and reading the counts.  The state is the caller's struct bpei_counts: its
 * worker writes, anybody reads; counters are bumped once a batch, so a reader sees whole batches
 * per counter, not one instant over all counters. */
#include "names/names.h"
#include "stats/stats.h"

#include "base/cacheline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t size_bounds[BPE_SIZE_CLASSES - 1] = { 64, 127, 255, 511, 1023, 1518, 9216 };
static const char *const size_names[BPE_SIZE_CLASSES] = { "0-64", "65-127", "128-255", "256-511",
	"512-1023", "1024-1518", "1519-9216", "9217-" };

const char *bpe_size_class_name(int c)
{
	return c >= 0 && c < BPE_SIZE_CLASSES ? size_names[c] : NULL;
}

static void tally(struct bpei_tally *t, uint64_t packets, uint64_t bytes)
{
	bpei_counter_add(&t->packets, packets);
	bpei_counter_add(&t->bytes, bytes);
}

static void count_kind(struct bpei_counts *c, uint32_t kind, uint64_t packets, uint64_t bytes)
{
	uint32_t at = kind * 0x9e3779b1u >> 24;
	for (uint32_t tries = 0; tries < 16; tries++, at = (at + 1) % BPEI_KINDS) {
		uint64_t there = bpei_counter_get(&c->kinds[at].kind);
		if (!there)
			bpei_counter_set(&c->kinds[at].kind, there = kind);
		if (there == kind) {
			tally(&c->kinds[at].tally, packets, bytes);
			return;
		}
	}
	tally(&c->other_kinds, packets, bytes);
}

/* What few packets have: damage, fragments, tunnels, and protocols without a counter of their own.
 */
#define RARE                                                                                       \
	(BPE_PKT_WRONG | BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT | BPE_PKT_TUNNEL |              \
		BPE_PKT_ICMP_ERROR | BPE_PKT_BAD_CHECKSUM)
static void count_rare(struct bpei_counts *c, const struct bpe_layers *l, uint32_t bytes)
{
	if (l->flags & BPE_PKT_TRUNCATED)
		bpei_counter_add(&c->truncated, 1);
	if (l->flags & BPE_PKT_BAD_VERSION)
		bpei_counter_add(&c->bad_version, 1);
	if (l->flags & BPE_PKT_BAD_HEADER)
		bpei_counter_add(&c->bad_header, 1);
	if (l->flags & BPE_PKT_BAD_LENGTH)
		bpei_counter_add(&c->bad_length, 1);
	if (l->flags & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT))
		bpei_counter_add(&c->fragments, 1);
	if (l->flags & BPE_PKT_BAD_CHECKSUM)
		bpei_counter_add(&c->bad_checksum, 1);
	if (l->flags & BPE_PKT_TUNNEL)
		bpei_counter_add(&c->tunnel_packets, 1);
	if (l->flags & BPE_PKT_ICMP_ERROR)
		bpei_counter_add(&c->icmp_errors, 1);
	if (l->proto == BPE_PROTO_IP_OTHER)
		tally(&c->ip_proto[l->ip_proto], 1, bytes);
	if (l->proto == BPE_PROTO_ETHERTYPE)
		count_kind(c, 1u + l->ethertype, 1, bytes);
	if (l->proto == BPE_PROTO_LINKTYPE)
		count_kind(c, 1u + 65536 + l->link_type, 1, bytes);
}

typedef uint16_t eight __attribute__((vector_size(16)));
typedef int16_t eight_signed __attribute__((vector_size(16)));
typedef uint32_t four __attribute__((vector_size(16)));
typedef uint64_t two __attribute__((vector_size(16)));

/* Eight lengths, in the compilers' generic vectors, each in 15 bits of a lane; *any gets their
 * bits, too. */
static inline eight_signed load_sizes(const uint32_t *lengths, four *any)
{
	four even, odd;
	memcpy(&even, lengths, sizeof even);
	memcpy(&odd, lengths + 4, sizeof odd);
	*any |= even | odd;
	return (eight_signed)(even | odd << 16);
}

/* above[k]: how many of the n lengths are above bound k; false if some length has more than 15
 * bits. */
static bool count_sizes(const uint32_t *lengths, size_t n, uint32_t above[BPE_SIZE_CLASSES])
{
	uint32_t part[8] = { 0 }; /* 0 is above no bound */
	size_t i = n % 8;
	eight sums[BPE_SIZE_CLASSES];
	four any = { 0 };
	if (i || !n)
		memcpy(part, lengths, i * sizeof *part);
	else
		i = 8;
	eight_signed v = load_sizes(i < 8 ? part : lengths, &any);
	for (uint32_t k = 0; k < BPE_SIZE_CLASSES; k++)
		sums[k] = k < BPE_SIZE_CLASSES - 1 ? -(eight)(v > (int16_t)size_bounds[k])
						   : (eight){ 0 };
	for (; i < n; i += 8) {
		v = load_sizes(lengths + i, &any);
		for (uint32_t k = 0; k < BPE_SIZE_CLASSES - 1; k++)
			sums[k] -= (eight)(v > (int16_t)size_bounds[k]);
	}
	for (uint32_t k = 0; k < BPE_SIZE_CLASSES;
		k += 2) { /* two bounds in the two bytes of each lane, none of which overflows */
		const two both = (two)(sums[k] | sums[k + 1] << 8);
		const uint64_t sum = (both[0] + both[1]) * 0x0001000100010001u >> 48;
		above[k] = sum & 0xff;
		above[k + 1] = (uint32_t)(sum >> 8);
	}
	return (any[0] | any[1] | any[2] | any[3]) <= INT16_MAX;
}
_Static_assert(BPE_SIZE_CLASSES % 2 == 0 && BPE_BATCH <= 255, "what count_sizes packs together");

static void add_sizes(struct bpei_counts *c, const struct bpe_batch *b)
{
	uint32_t above[BPE_SIZE_CLASSES], n = b->count;
	if (BPEI_UNLIKELY(!count_sizes(b->wirelen, n, above))) {
		for (uint32_t k = 0; k < BPE_SIZE_CLASSES - 1; k++) {
			above[k] = 0;
			for (uint32_t i = 0; i < n; i++)
				above[k] += b->wirelen[i] > size_bounds[k];
		}
	}
	bpei_counter_add(&c->sizes[0], n - above[0]);
	for (uint32_t k = 1; k < BPE_SIZE_CLASSES; k++)
		bpei_counter_add(&c->sizes[k], above[k - 1] - above[k]); /* above the last: none */
}

void bpei_counts_add_unparsed(struct bpei_counts *c, const struct bpe_batch *b,
	const struct bpei_sums *sums, uint32_t link_type)
{
	add_sizes(c, b);
	count_kind(c, 1u + 65536 + link_type, b->count, sums->wire);
	bpei_counter_add(&c->captured_bytes, sums->captured);
	bpei_counter_add(&c->wire_bytes, sums->wire);
	bpei_counter_add(&c->batches, 1);
	bpei_counter_add(&c->packets, b->count);
}

#define PACKET 40 /* 64 packets of 32-bit lengths stay below */

/* The flags that many packets have are counted in bytes of one word: IPv4, IPv6, VLAN, by a table
 * of what each of them adds. */
#define SPREAD (BPE_PKT_IP4 | BPE_PKT_IP6 | BPE_PKT_VLAN)
#define NONE4 0, 0, 0, 0
#define NONE20 NONE4, NONE4, NONE4, NONE4, NONE4
static const uint32_t spread[SPREAD + 1] = { 0, 1, 0x100, 0x101, NONE20, NONE20, NONE20, 0x10000,
	0x10001, 0x10100, 0x10101 };
_Static_assert(BPE_PKT_IP4 == 1 && BPE_PKT_IP6 == 2 && BPE_PKT_VLAN == 0x40 && BPE_BATCH <= 255,
	"what bpei_counts_add packs together");
_Static_assert(BPE_PROTO_IP_OTHER == 8, "protocols that are all below have no higher bit");

void bpei_counts_add(struct bpei_counts *c, const struct bpe_batch *b, const struct bpei_sums *sums)
{
	/* Bytes, and packets from bit PACKET up.  Neighbours apart, so that no addition waits for
	 * the one before. */
	uint64_t protos[2][BPE_PROTO_COUNT] = { { 0 } };
	uint32_t known = 0;
	uint16_t flags = 0;
	uint8_t proto = 0;
	const struct bpe_layers *l = b->layers;
	const uint32_t *bytes = b->wirelen;
	size_t i = 0, n = b->count;

	for (; i + 2 <= n; i += 2) {
		const uint32_t flags0 = l[i].flags, flags1 = l[i + 1].flags, proto0 = l[i].proto,
			       proto1 = l[i + 1].proto;
		protos[0][proto0] += (uint64_t)1 << PACKET | bytes[i];
		protos[1][proto1] += (uint64_t)1 << PACKET | bytes[i + 1];
		known += spread[flags0 & SPREAD];
		known += spread[flags1 & SPREAD];
		flags |= l[i].flags | l[i + 1].flags;
		proto |= l[i].proto | l[i + 1].proto;
	}
	if (i < n) {
		protos[0][l[i].proto] += (uint64_t)1 << PACKET | bytes[i];
		known += spread[l[i].flags & SPREAD];
		flags |= l[i].flags;
		proto |= l[i].proto;
	}
	bpei_counter_add(&c->ip4_packets, known & 0xff);
	bpei_counter_add(&c->ip6_packets, known >> 8 & 0xff);
	bpei_counter_add(&c->vlan_packets, known >> 16);
	/* All of them up to the rare ones, without asking which there are: a wrong guess costs
	 * more. */
	for (uint32_t k = 0,
		      end = proto < BPE_PROTO_IP_OTHER ? BPE_PROTO_IP_OTHER : BPE_PROTO_COUNT;
		k < end; k++) {
		const uint64_t sum = protos[0][k] + protos[1][k];
		tally(&c->proto[k], sum >> PACKET, sum & (((uint64_t)1 << PACKET) - 1));
	}
	if (flags & RARE || proto >= BPE_PROTO_IP_OTHER)
		for (i = 0; i < n; i++)
			if (BPEI_UNLIKELY(l[i].flags & RARE || l[i].proto >= BPE_PROTO_IP_OTHER))
				count_rare(c, &l[i], bytes[i]);
	add_sizes(c, b);
	bpei_counter_add(&c->captured_bytes, sums->captured);
	bpei_counter_add(&c->wire_bytes, sums->wire);
	bpei_counter_add(&c->batches, 1);
	bpei_counter_add(&c->packets, n);
}

void bpei_counts_read(const struct bpei_counts *c, struct bpe_stats *s)
{
	s->delivered_packets += bpei_counter_get(&c->packets);
	s->batches += bpei_counter_get(&c->batches);
	for (uint32_t k = 0; k < BPE_SIZE_CLASSES; k++)
		s->sizes[k] += bpei_counter_get(&c->sizes[k]);
	s->truncated += bpei_counter_get(&c->truncated);
	s->bad_version += bpei_counter_get(&c->bad_version);
	s->bad_header += bpei_counter_get(&c->bad_header);
	s->bad_length += bpei_counter_get(&c->bad_length);
	s->fragments += bpei_counter_get(&c->fragments);
	s->vlan_packets += bpei_counter_get(&c->vlan_packets);
	s->ip4_packets += bpei_counter_get(&c->ip4_packets);
	s->ip6_packets += bpei_counter_get(&c->ip6_packets);
	s->bad_checksum += bpei_counter_get(&c->bad_checksum);
	s->tunnel_packets += bpei_counter_get(&c->tunnel_packets);
	s->icmp_errors += bpei_counter_get(&c->icmp_errors);
}

/* A protocol table being put together: at most one line for each thing that can be counted. */
struct lines {
	struct bpe_protocol *line;
	size_t count, room;
};

static void add_line(
	struct lines *l, const struct bpei_tally *t, const char *format, unsigned number)
{
	uint64_t packets = bpei_counter_get(&t->packets);
	struct bpe_protocol p = { .packets = packets, .bytes = bpei_counter_get(&t->bytes) };
	if (!packets)
		return;
	snprintf(p.name, sizeof p.name, format, number);
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->line[i].name, p.name))
			continue;
		l->line[i].packets += p.packets;
		l->line[i].bytes += p.bytes;
		return;
	}
	if (l->count < l->room)
		l->line[l->count++] = p;
}

static int most_packets_first(const void *x, const void *y)
{
	const struct bpe_protocol *a = x, *b = y;
	return a->packets != b->packets ? a->packets < b->packets ? 1 : -1
					: strcmp(a->name, b->name);
}

struct numbered {
	uint32_t number;
	const char *name;
};

static const char *name_of(const struct numbered *names, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

/* ICMP in the wrong IP version is not called by its name. */
static const char *odd_name(uint32_t ip_proto)
{
	return ip_proto == 1 || ip_proto == 58 ? NULL : bpe_ip_proto_name((int)ip_proto);
}

static void add_numbered(struct lines *l, const struct bpei_tally *t, const char *name,
	const char *format, uint32_t number)
{
	add_line(l, t, name ? name : format, number);
}

size_t bpei_counts_protocols(const struct bpei_counts *const *counts, uint32_t n,
	struct bpe_protocol *protocols, size_t max)
{
	static const char *const names[BPE_PROTO_COUNT] = { "damaged", "arp", "tcp", "udp", "icmp",
		"icmp6", "igmp", "sctp", NULL, NULL, "llc", NULL, "udplite", "dccp", "carp",
		"wireguard", "stp", "gtp-prime" };
	struct lines l = { .room = BPE_PROTO_COUNT + 256 + (size_t)n * BPEI_KINDS + 1 };
	l.line = malloc(l.room * sizeof *l.line);
	if (!l.line)
		return 0;
	for (uint32_t w = 0; w < n; w++) {
		const struct bpei_counts *c = counts[w];
		for (uint32_t k = 0; k < BPE_PROTO_COUNT; k++)
			if (names[k])
				add_line(&l, &c->proto[k], names[k], 0);
		for (uint32_t k = 0; k < 256; k++)
			add_numbered(&l, &c->ip_proto[k], odd_name(k), "ip-proto-%u", k);
		for (uint32_t k = 0; k < BPEI_KINDS; k++) {
			uint32_t kind = (uint32_t)bpei_counter_get(&c->kinds[k].kind);
			if (kind > 65536)
				add_numbered(&l, &c->kinds[k].tally,
					bpe_link_type_name((int)kind - 65537), "linktype-%u",
					kind - 65537);
			else if (kind)
				add_numbered(&l, &c->kinds[k].tally, bpei_ethertype_name(kind - 1),
					"ethertype-0x%04x", kind - 1);
		}
		add_line(&l, &c->other_kinds, "ethertype-other", 0);
	}
	qsort(l.line, l.count, sizeof *l.line, most_packets_first);
	if (max)
		memcpy(protocols, l.line,
			(l.count < max ? l.count : max) *
				sizeof *protocols); /* NULL with 0: only to count */
	size_t count = l.count;
	free(l.line);
	return count;
}
