/* SPDX-License-Identifier: MIT */
/* Counting a batch.  The state is the caller's struct bpei_counts (stats.h). */
#include "stats/stats.h"

#include "base/cacheline.h"

static void add_tally(struct bpei_tally *t, uint64_t packets, uint64_t bytes)
{
	bpei_counter_add(&t->packets, packets);
	bpei_counter_add(&t->bytes, bytes);
}

/* Counts packets of an ethertype or a link type, by the table's kind of number. */
static void count_kind(struct bpei_counts *c, uint32_t kind, uint64_t packets, uint64_t bytes)
{
	uint32_t at = kind * 0x9e3779b1u >> 24;

	for (uint32_t tries = 0; tries < 16; tries++, at = (at + 1) % BPEI_KINDS) {
		struct bpei_kind *k = &c->kinds[at];

		if (!bpei_counter_get(&k->kind))
			bpei_counter_set(&k->kind, kind);
		if (bpei_counter_get(&k->kind) == kind) {
			add_tally(&k->tally, packets, bytes);
			return;
		}
	}
	add_tally(&c->other_kinds, packets, bytes);
}

/* Flags of few packets: damage, fragments, tunnels. */
#define RARE_FLAGS                                                                                 \
	(BPE_PKT_WRONG | BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT | BPE_PKT_TUNNEL |              \
		BPE_PKT_ICMP_ERROR | BPE_PKT_BAD_CHECKSUM)

/* Counts a packet that ends within a header: damaged, unless the capture cut the packet. */
static void count_truncated_packet(
	struct bpei_counts *c, const struct bpe_layers *l, uint32_t captured, uint32_t bytes)
{
	if (captured >= bytes) {
		bpei_counter_add(&c->truncated, 1);
		return;
	}
	bpei_counter_add(&c->cut_headers, 1);
	if (l->proto == BPE_PROTO_NONE)
		add_tally(&c->cut_short, 1, bytes);
}

/* Counts packet i, which has a rare flag, or a protocol without a counter. */
static void count_rare_packet(struct bpei_counts *c, const struct bpe_batch *b, size_t i)
{
	const struct bpe_layers *l = &b->layers[i];
	const uint32_t bytes = b->wirelen[i];

	if (l->flags & BPE_PKT_TRUNCATED)
		count_truncated_packet(c, l, b->caplen[i], bytes);
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
		add_tally(&c->ip_proto[l->ip_proto], 1, bytes);
	if (l->proto == BPE_PROTO_ETHERTYPE)
		count_kind(c, BPEI_KIND_ETHERTYPE + l->ethertype, 1, bytes);
	if (l->proto == BPE_PROTO_LINKTYPE)
		count_kind(c, BPEI_KIND_LINK_TYPE + l->link_type, 1, bytes);
}

/* Returns how many packets of the batch have fewer bytes captured than on the wire. */
static uint64_t count_cut_packets(const struct bpe_batch *b)
{
	uint64_t cut = 0;

	for (size_t i = 0; i < b->count; i++)
		cut += b->caplen[i] < b->wirelen[i];
	return cut;
}

/* Counts packets and bytes of a batch as a whole. */
static void count_batch(
	struct bpei_counts *c, const struct bpe_batch *b, const struct bpei_sums *sums)
{
	bpei_sizes_add(c->sizes, b->wirelen, b->count);
	bpei_counter_add(&c->captured_bytes, sums->captured);
	bpei_counter_add(&c->wire_bytes, sums->wire);
	bpei_counter_add(&c->batches, 1);
	bpei_counter_add(&c->packets, b->count);
	if (BPEI_UNLIKELY(sums->captured != sums->wire))
		bpei_counter_add(&c->cut_packets, count_cut_packets(b));
}

void bpei_counts_add_unparsed(struct bpei_counts *c, const struct bpe_batch *b,
	const struct bpei_sums *sums, uint32_t link_type)
{
	count_kind(c, BPEI_KIND_LINK_TYPE + link_type, b->count, sums->wire);
	count_batch(c, b, sums);
}

/* Packets of a protocol stand above bit PACKET_SHIFT of a sum, their bytes below: 64 packets of
 * 32-bit lengths stay below. */
#define PACKET_SHIFT 40
#define BYTES_MASK (((uint64_t)1 << PACKET_SHIFT) - 1)

/* Frequent flags are counted in the bytes of a word: IPv4, IPv6, VLAN from the lowest byte up.
 * The table gives each combination of flags an addend. */
#define FREQUENT_FLAGS (BPE_PKT_IP4 | BPE_PKT_IP6 | BPE_PKT_VLAN)
#define NONE4 0, 0, 0, 0
#define NONE20 NONE4, NONE4, NONE4, NONE4, NONE4
static const uint32_t flag_addend[FREQUENT_FLAGS + 1] = { 0, 1, 0x100, 0x101, NONE20, NONE20,
	NONE20, 0x10000, 0x10001, 0x10100, 0x10101 };
_Static_assert(BPE_PKT_IP4 == 1 && BPE_PKT_IP6 == 2 && BPE_PKT_VLAN == 0x40 && BPE_BATCH <= 255,
	"what bpei_counts_add packs together");
_Static_assert(BPE_PROTO_IP_OTHER == 8, "protocols that are all below have no higher bit");

/* Sums of a batch by protocol and flag. */
struct packet_sums {
	/* Packets and bytes, see PACKET_SHIFT.  Neighbouring packets go to different halves, so
	 * no addition waits for the previous addition. */
	uint64_t protos[2][BPE_PROTO_COUNT];
	uint32_t known; /* frequent flags */
	uint16_t flags; /* of any packet */
	uint8_t proto;  /* bits of all protocols */
};

static inline void sum_packets(struct packet_sums *s, const struct bpe_batch *b)
{
	const struct bpe_layers *l = b->layers;
	const uint32_t *bytes = b->wirelen;
	const size_t n = b->count;
	uint32_t known = 0;
	uint16_t flags = 0;
	uint8_t proto = 0;
	size_t i = 0;

	for (; i + 2 <= n; i += 2) {
		s->protos[0][l[i].proto] += (uint64_t)1 << PACKET_SHIFT | bytes[i];
		s->protos[1][l[i + 1].proto] += (uint64_t)1 << PACKET_SHIFT | bytes[i + 1];
		known += flag_addend[l[i].flags & FREQUENT_FLAGS];
		known += flag_addend[l[i + 1].flags & FREQUENT_FLAGS];
		flags |= l[i].flags | l[i + 1].flags;
		proto |= l[i].proto | l[i + 1].proto;
	}
	if (i < n) {
		s->protos[0][l[i].proto] += (uint64_t)1 << PACKET_SHIFT | bytes[i];
		known += flag_addend[l[i].flags & FREQUENT_FLAGS];
		flags |= l[i].flags;
		proto |= l[i].proto;
	}
	s->known = known;
	s->flags = flags;
	s->proto = proto;
}

void bpei_counts_add(struct bpei_counts *c, const struct bpe_batch *b, const struct bpei_sums *sums)
{
	struct packet_sums s = { .known = 0 };

	sum_packets(&s, b);
	bpei_counter_add(&c->ip4_packets, s.known & 0xff);
	bpei_counter_add(&c->ip6_packets, s.known >> 8 & 0xff);
	bpei_counter_add(&c->vlan_packets, s.known >> 16);
	/* All protocols but the rare are added, present or not: a mispredicted branch costs
	 * more. */
	const uint32_t end = s.proto < BPE_PROTO_IP_OTHER ? BPE_PROTO_IP_OTHER : BPE_PROTO_COUNT;

	for (uint32_t k = 0; k < end; k++) {
		const uint64_t sum = s.protos[0][k] + s.protos[1][k];

		add_tally(&c->proto[k], sum >> PACKET_SHIFT, sum & BYTES_MASK);
	}
	if (s.flags & RARE_FLAGS || s.proto >= BPE_PROTO_IP_OTHER) {
		for (size_t i = 0; i < b->count; i++) {
			const struct bpe_layers *l = &b->layers[i];

			if (BPEI_UNLIKELY(l->flags & RARE_FLAGS || l->proto >= BPE_PROTO_IP_OTHER))
				count_rare_packet(c, b, i);
		}
	}
	count_batch(c, b, sums);
}
