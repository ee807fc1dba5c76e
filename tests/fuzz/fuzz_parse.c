/* SPDX-License-Identifier: MIT */
/* Gives any bytes as packets of any link type.  Each packet has memory of exactly the packet's
 * size, so a sanitizer sees a read past the end.  The result of parsing is consistent, depends on
 * nothing but the packet, and is the same for both directions and for the shipped backend.
 *
 * Input: a byte for the link type (past the list: the next two bytes are the link type), then
 * packets: a byte of choices (bit 0: the packet begins with a repeated unit, 1: more on the wire
 * than captured, 2: less, 3: outgoing), if repeated a byte of unit length and two of times and the
 * unit, then a byte of length and as many bytes. */
#include "arch/arch.h"
#include "fuzz.h"
#include "layers_check.h"
#include "packet/packet.h"

#include <string.h>

#define MOST 70000u
#define PACKETS 24u

struct run {
	const uint8_t *data[PACKETS];
	int64_t time_ns[PACKETS];
	uint32_t caplen[PACKETS], wirelen[PACKETS], interface_id[PACKETS], hash[PACKETS];
	uint8_t outgoing[PACKETS];
	struct bpe_layers layers[PACKETS];
	struct bpe_key key[PACKETS];
};

static struct bpei_columns columns_of_run(struct run *r, uint32_t from)
{
	return (struct bpei_columns){ .data = r->data + from,
		.time_ns = r->time_ns + from,
		.caplen = r->caplen + from,
		.wirelen = r->wirelen + from,
		.interface_id = r->interface_id + from,
		.layers = r->layers + from,
		.key = r->key + from,
		.hash = r->hash + from,
		.outgoing = r->outgoing + from };
}

static uint8_t *take_packet(struct fuzz_input *in, uint8_t choices, uint32_t *length)
{
	size_t unit = 0, times = 0;
	const uint8_t *repeated = in->next;
	if (choices & 1) {
		unit = fuzz_u8(in);
		times = fuzz_u16(in);
		repeated = in->next;
		if (unit > fuzz_left(in))
			unit = fuzz_left(in);
		in->next += unit;
		if (unit * times > MOST)
			times = MOST / unit;
	}
	size_t rest = fuzz_u8(in);
	if (rest > fuzz_left(in))
		rest = fuzz_left(in);
	uint8_t *p = malloc(unit * times + rest + !(unit * times + rest));
	FUZZ_CHECK(p != NULL);
	for (size_t i = 0; i < times; i++)
		memcpy(p + i * unit, repeated, unit);
	memcpy(p + unit * times, in->next, rest);
	in->next += rest;
	*length = (uint32_t)(unit * times + rest);
	return p;
}

/* Compares two results for a packet; keys are compared only if the packet has a key. */
static bool is_same_packet(const struct run *a, const struct run *b, uint32_t i)
{
	return !memcmp(&a->layers[i], &b->layers[i], sizeof *a->layers) &&
	       a->hash[i] == b->hash[i] &&
	       (!(a->layers[i].flags & BPE_PKT_KEY) ||
		       !memcmp(&a->key[i], &b->key[i], sizeof *a->key));
}

static void swap_ends(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t t = a[i];
		a[i] = b[i];
		b[i] = t;
	}
}

/* Checks the packet sent back: swapped addresses and ports give the same key. */
static void turn_packet_round(
	const struct run *r, uint32_t i, uint32_t link_type, const struct bpei_seed *seed)
{
	const struct bpe_layers *l = &r->layers[i];
	bool four = l->flags & BPE_PKT_IP4;
	struct run back = { .caplen = { r->caplen[i] },
		.wirelen = { r->wirelen[i] },
		.outgoing = { r->outgoing[i] } };
	uint8_t *p = malloc(r->caplen[i]);
	uint8_t *ip = p + l->network;
	FUZZ_CHECK(p != NULL);
	memcpy(p, r->data[i], r->caplen[i]);
	if (four)
		swap_ends(ip + 12, ip + 16, 4);
	else
		swap_ends(ip + 8, ip + 24, 16);
	bool ports = l->proto == BPE_PROTO_TCP || l->proto == BPE_PROTO_UDP ||
		     l->proto == BPE_PROTO_SCTP || l->proto == BPE_PROTO_UDPLITE ||
		     l->proto == BPE_PROTO_DCCP || l->proto == BPE_PROTO_WIREGUARD ||
		     l->proto == BPE_PROTO_GTP_PRIME;
	if (l->transport != BPE_NO_OFFSET && l->transport + 4u <= l->end && ports)
		swap_ends(p + l->transport, p + l->transport + 2, 2);
	back.data[0] = p;
	struct bpei_columns c = columns_of_run(&back, 0);
	bpei_parse_scalar(&c, 1, link_type, NULL);
	bpei_hash(&c, 1, seed);
	FUZZ_CHECK(back.layers[0].flags & BPE_PKT_KEY);
	FUZZ_CHECK(!memcmp(&back.key[0], &r->key[i], sizeof back.key[0]) &&
		   back.hash[0] == r->hash[i]);
	bool one_end = !memcmp(r->key[i].addr[0], r->key[i].addr[1], 16) &&
		       r->key[i].port[0] == r->key[i].port[1];
	uint32_t turned = one_end ? 0 : BPE_PKT_REVERSED;
	FUZZ_CHECK(((back.layers[0].flags ^ l->flags) & BPE_PKT_REVERSED) == turned);
	free(p);
}

/* Parses without tunnels.  The outer packet has a flow if the inner packet has a flow, with an IP
 * header not behind the inner header.  Packets without tunnels give the same result. */
static void parse_outermost(struct run *r, uint32_t i, uint32_t link_type)
{
	const struct bpe_layers *l = &r->layers[i];
	struct bpe_layers outer;
	struct bpe_key key = { .ip_proto = 0 };
	struct bpei_columns c = { .data = &r->data[i],
		.caplen = &r->caplen[i],
		.wirelen = &r->wirelen[i],
		.layers = &outer,
		.key = &key,
		.outgoing = &r->outgoing[i],
		.outermost = true };
	bpei_parse_scalar(&c, 1, link_type, NULL);
	const char *wrong = layers_wrong(&outer, &key, r->caplen[i], link_type);
	if (wrong)
		fuzz_broken(__FILE__, __LINE__, wrong);
	FUZZ_CHECK(!(outer.flags & BPE_PKT_TUNNEL) ||
		   l->flags & BPE_PKT_TUNNEL); /* a frame in a frame is entered either way */
	if (!(l->flags & BPE_PKT_TUNNEL))
		FUZZ_CHECK(!memcmp(&outer, l, sizeof outer));
	else
		FUZZ_CHECK(outer.flags & BPE_PKT_KEY && outer.network <= l->network &&
			   outer.end >= l->end);
}

/* Runs the whole path: each later fragment is followed or lost; checksums and options read nothing
 * outside the packet. */
static void dissect_by_batches(struct run *r, uint32_t n, uint32_t link_type)
{
	struct bpei_dissector d;
	struct bpe_options o;
	struct bpe_tcp_options options;
	uint64_t later = 0;
	bpe_options_init(&o);
	o.fixed_seed = o.checksums = true;
	FUZZ_CHECK(bpei_dissector_new(&d, &o) == BPE_OK);
	struct bpei_columns c = columns_of_run(r, 0);
	bpei_dissect(&d, &c, n, link_type);
	for (uint32_t i = 0; i < n; i++) {
		const struct bpe_batch b = { .count = 1,
			.data = &r->data[i],
			.caplen = &r->caplen[i],
			.wirelen = &r->wirelen[i],
			.layers = &r->layers[i] };
		later += (r->layers[i].flags & (BPE_PKT_FRAGMENT | BPE_PKT_KEY)) ==
			 (BPE_PKT_FRAGMENT | BPE_PKT_KEY);
		FUZZ_CHECK(!(r->layers[i].flags & BPE_PKT_OUTGOING) ||
			   !(r->layers[i].flags & BPE_PKT_BAD_CHECKSUM));
		FUZZ_CHECK(!(r->layers[i].flags & BPE_PKT_KEY) == !r->hash[i]);
		if (bpe_batch_tcp_options(&b, 0, &options) == 1)
			FUZZ_CHECK(r->layers[i].proto == BPE_PROTO_TCP && options.sack_count <= 4);
	}
	const struct bpei_fragment_counts *f = bpei_fragments_counts(d.fragments);
	FUZZ_CHECK(bpei_counter_get(&f->followed) + bpei_counter_get(&f->lost) <= later);
	bpei_dissector_free(&d);
}

void fuzz_parse(const uint8_t *bytes, size_t size)
{
	static const uint16_t link_types[] = { 0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105, 127,
		6, 9, 10, 50, 51, 104, 119, 138, 163, 192, 226, 258, 109, 117 };
	struct fuzz_input in = { bytes, bytes + size };
	uint32_t n = 0;
	uint32_t choice = fuzz_u8(&in);
	uint32_t link_type = choice < sizeof link_types / sizeof *link_types ? link_types[choice]
									     : fuzz_u16(&in);
	uint8_t *memory[PACKETS];
	struct run whole = { .hash = { 0 } }, alone;
	struct bpei_seed seed;
	bpei_seed_init(&seed, 7);

	for (; n < PACKETS && fuzz_left(&in); n++) {
		uint8_t choices = fuzz_u8(&in);
		whole.data[n] = memory[n] = take_packet(&in, choices, &whole.caplen[n]);
		whole.wirelen[n] = whole.caplen[n] + (choices & 2 ? 1000 : 0);
		whole.wirelen[n] -= choices & 4 ? whole.caplen[n] / 2 : 0;
		whole.outgoing[n] = choices & 8 ? BPE_PKT_OUTGOING : 0;
	}
	alone = whole;
	for (uint32_t i = 0; i < n; i++) { /* other garbage before */
		memset(&alone.key[i], 0xa5, sizeof alone.key[i]);
		memset(&alone.layers[i], 0xff, sizeof alone.layers[i]);
	}
	struct bpei_columns c = columns_of_run(&whole, 0);
	bpei_parse_scalar(&c, n, link_type, NULL);
	bpei_hash(&c, n, &seed);
	for (uint32_t i = 0; i < n; i++) {
		static const uint8_t untouched = 0xa5;
		c = columns_of_run(&alone, i);
		bpei_parse_scalar(&c, 1, link_type, NULL);
		bpei_hash(&c, 1, &seed);
		const char *wrong =
			layers_wrong(&whole.layers[i], &whole.key[i], whole.caplen[i], link_type);
		if (wrong)
			fuzz_broken(__FILE__, __LINE__, wrong);
		FUZZ_CHECK(is_same_packet(&whole, &alone, i));
		FUZZ_CHECK(whole.layers[i].flags & BPE_PKT_KEY ||
			   (alone.key[i].zero[0] == untouched &&
				   alone.key[i].addr[0][0] == untouched));
		FUZZ_CHECK((whole.layers[i].flags & whole.outgoing[i]) == whole.outgoing[i]);
		FUZZ_CHECK(!(whole.layers[i].flags & BPE_PKT_KEY) == !whole.hash[i]);
		if (whole.layers[i].flags & BPE_PKT_KEY &&
			!(whole.layers[i].flags & BPE_PKT_ICMP_ERROR))
			turn_packet_round(&whole, i, link_type, &seed);
		parse_outermost(&whole, i, link_type);
	}
	for (uint32_t i = 0; i < n; i++) {
		memset(&alone.key[i], 0xa5, sizeof alone.key[i]);
		memset(&alone.layers[i], 0xff, sizeof alone.layers[i]);
	}
	c = columns_of_run(&alone, 0);
	bpei_parse(&c, n, link_type, &seed);
	for (uint32_t i = 0; i < n; i++)
		FUZZ_CHECK(is_same_packet(&whole, &alone, i));
	dissect_by_batches(&alone, n, link_type);
	for (uint32_t i = 0; i < n; i++)
		free(memory[i]);
}
