/* SPDX-License-Identifier: MIT */
/* Tests of fragments on their flow, checksums, TCP options and both views of a tunnelled packet. */
#include "packet/packet.h"
#include "parse_one.h"

#include <criterion/criterion.h>

struct one {
	const uint8_t *data;
	uint32_t caplen, wirelen, interface_id, hash;
	int64_t time_ns;
	struct bpe_layers layers;
	struct bpe_key key;
	uint8_t bytes[512];
};

static struct bpei_dissector dissector;

static void begin_packet(bool checksums, bool outermost)
{
	struct bpe_options o;
	bpe_options_init(&o);
	o.fixed_seed = true;
	o.checksums = checksums;
	o.outermost = outermost;
	cr_assert_eq(bpei_dissector_new(&dissector, &o), BPE_OK);
}

static struct bpei_columns packet_columns(struct one *p)
{
	return (struct bpei_columns){ .data = &p->data,
		.time_ns = &p->time_ns,
		.caplen = &p->caplen,
		.wirelen = &p->wirelen,
		.layers = &p->layers,
		.key = &p->key,
		.hash = &p->hash };
}

static struct bpe_batch make_packet_batch(const struct one *p)
{
	return (struct bpe_batch){ .count = 1,
		.data = &p->data,
		.caplen = &p->caplen,
		.wirelen = &p->wirelen,
		.layers = &p->layers,
		.key = &p->key };
}

static void dissect_packets(struct one *p, const void *bytes, uint32_t n, int64_t time_ns)
{
	memset(p, 0, sizeof *p);
	memcpy(p->bytes, bytes, n);
	p->data = p->bytes;
	p->caplen = p->wirelen = n;
	p->time_ns = time_ns;
	struct bpei_columns c = packet_columns(p);
	bpei_dissect(&dissector, &c, 1, 101);
}
#define DISSECT(p, bytes, time) dissect_packets(p, bytes, sizeof(bytes) - 1, time)

static void count_packet_checksums(uint64_t followed, uint64_t lost, uint64_t evicted)
{
	const struct bpei_fragment_counts *c = bpei_fragments_counts(dissector.fragments);
	cr_assert_eq(bpei_counter_get(&c->followed), followed);
	cr_assert_eq(bpei_counter_get(&c->lost), lost);
	cr_assert_eq(bpei_counter_get(&c->evicted), evicted);
}

#define S INT64_C(1000000000)
#define FIRST(id)                                                                                  \
	"\x45\0\0\x24" id "\x20\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1"                                 \
	"\0\x35\xc0\x01\x01\0\0\0payload!"
#define LATER(id)                                                                                  \
	"\x45\0\0\x1c" id "\0\2\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1"                                   \
	"the rest"

Test(fragments, go_with_their_first)
{
	struct one first, later;
	begin_packet(false, false);
	/* Before the first fragment: lost, and on a separate flow. */
	DISSECT(&later, LATER("\0\1"), 0);
	cr_assert_eq(later.key.port[1], 0);
	count_packet_checksums(0, 1, 0);
	DISSECT(&first, FIRST("\0\1"), 1 * S);
	DISSECT(&later, LATER("\0\1"), 2 * S);
	cr_assert_arr_eq(&later.key, &first.key, sizeof first.key);
	cr_assert_eq(later.hash, first.hash);
	cr_assert_eq(later.layers.flags,
		(first.layers.flags & ~BPE_PKT_FIRST_FRAGMENT) | BPE_PKT_FRAGMENT);
	cr_assert_eq(later.layers.transport, BPE_NO_OFFSET);
	count_packet_checksums(1, 1, 0);
	DISSECT(&later, LATER("\0\2"), 2 * S); /* another datagram */
	count_packet_checksums(1, 2, 0);
	DISSECT(&later, LATER("\0\1"), 32 * S); /* too late */
	count_packet_checksums(1, 3, 0);
	DISSECT(&later, LATER("\0\1"), 0); /* records out of order */
	count_packet_checksums(2, 3, 0);
	bpei_dissector_free(&dissector);
}

Test(fragments, ip6)
{
	struct one first, later, other;
	begin_packet(false, false);
	DISSECT(&first,
		IP6("\0\x18", "\x3c") "\x2c\0\1\4\0\0\0\0"
				      "\x11\0\0\x01\0\0\0\7"
				      "\0\x35\xc0\x01\x01\0\0\0",
		S);
	DISSECT(&later,
		IP6("\0\x18", "\x3c") "\x2c\0\1\4\0\0\0\0"
				      "\x11\0\0\x08\0\0\0\7"
				      "the rest",
		S);
	DISSECT(&other,
		IP6("\0\x18", "\x3c") "\x2c\0\1\4\0\0\0\0"
				      "\x11\0\0\x08\0\0\0\x08"
				      "the rest",
		S);
	cr_assert_arr_eq(&later.key, &first.key, sizeof first.key);
	cr_assert_eq(later.key.port[1] | later.key.port[0], 0x35 | 0xc001);
	count_packet_checksums(1, 1, 0);
	bpei_dissector_free(&dissector);
}

/* Fragments a tunnel's packet and an inner packet: fragments outside go with the inner flow, and
 * fragments inside go with their own. */
Test(fragments, of_tunnels_and_in_tunnels)
{
	struct one first, later;
	begin_packet(false, false);
	DISSECT(&first,
		"\x45\0\0\x30\0\1\x20\0\x40\4\0\0\x0a\0\0\2\x0a\0\0\1"
		"\x45\0\2\0\0\0\0\0\x40\x11\0\0\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\1\xec\0\0",
		S);
	DISSECT(&later,
		"\x45\0\0\x1c\0\1\0\2\x40\4\0\0\x0a\0\0\2\x0a\0\0\1"
		"the rest",
		S);
	cr_assert_eq(later.key.addr[0][0], 0xc0);
	cr_assert_arr_eq(&later.key, &first.key, sizeof first.key);
	DISSECT(&first, "\x45\0\0\x38\0\0\0\0\x40\4\0\0\x0a\0\0\2\x0a\0\0\1" FIRST("\0\1"), S);
	DISSECT(&later, "\x45\0\0\x30\0\0\0\0\x40\4\0\0\x0a\0\0\2\x0a\0\0\1" LATER("\0\1"), S);
	cr_assert_arr_eq(&later.key, &first.key, sizeof first.key);
	count_packet_checksums(2, 0, 0);
	bpei_dissector_free(&dissector);
}

/* Sends more datagrams than the table has room for: as many first fragments are forgotten, as many
 * later fragments are lost, and all are counted. */
Test(fragments, a_flood)
{
	enum { MANY = 3 * BPEI_FRAGMENT_SETS * BPEI_FRAGMENT_WAYS };
	struct one p;
	const struct bpei_fragment_counts *c;
	begin_packet(false, false);
	c = bpei_fragments_counts(dissector.fragments);
	for (int later = 0; later < 2; later++)
		for (uint32_t i = 0; i < MANY; i++) {
			uint8_t bytes[sizeof(FIRST("\0\0"))];
			uint32_t n = later ? sizeof(LATER("\0\0")) - 1 : sizeof(FIRST("\0\0")) - 1;
			if (later)
				memcpy(bytes, LATER("\0\0"), n);
			else
				memcpy(bytes, FIRST("\0\0"), n);
			bytes[4] = (uint8_t)(i >> 8);
			bytes[5] = (uint8_t)i;
			dissect_packets(&p, bytes, n, S + i);
		}
	uint64_t evicted = bpei_counter_get(&c->evicted);
	cr_assert(evicted >= MANY - BPEI_FRAGMENT_SETS * BPEI_FRAGMENT_WAYS);
	count_packet_checksums(MANY - evicted, evicted, evicted);
	bpei_dissector_free(&dissector);
}

/* Compares with CPython 3.11's hash of bytes, which is SipHash-1-3, with a key of zeros
 * (PYTHONHASHSEED=0). */
Test(fragments, hash_is_siphash)
{
	static const uint64_t zeros[2], words[] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u,
		0x1716151413121110u, 0x1f1e1d1c1b1a1918u, 0x2726252423222120u };
	cr_assert_eq(bpei_fragment_hash(zeros, words, 1), 0xead411e67ebe2eeau);
	cr_assert_eq(bpei_fragment_hash(zeros, words, 5), 0x95bc321ab41d8206u);
}

static uint32_t set_checksum_by(const uint64_t key[2], const uint8_t *ip)
{
	uint64_t words[5] = { 0 };
	memcpy(&words[0], ip + 12, 4);
	memcpy(&words[2], ip + 16, 4);
	words[4] = (uint64_t)((uint32_t)ip[4] << 8 | ip[5]) << 32 | 4 << 8 | ip[9];
	return bpei_fragment_hash(key, words, 5) & (BPEI_FRAGMENT_SETS - 1);
}

/* Makes four datagrams that push a fifth out of the set under one seed: under other seeds the fifth
 * stays. */
Test(fragments, sets_are_unpredictable)
{
	uint8_t bad[4][sizeof(FIRST("\0\0"))], victim[sizeof(FIRST("\0\0"))];
	uint64_t key[2];
	struct one p;
	unsigned found = 0, followed = 0;
	bpei_fragment_key(0, key);
	memcpy(victim, FIRST("\0\1"), sizeof victim);
	for (uint32_t id = 2; id < 65536 && found < 4; id++) {
		memcpy(bad[found], FIRST("\0\0"), sizeof victim);
		bad[found][4] = (uint8_t)(id >> 8);
		bad[found][5] = (uint8_t)id;
		found += set_checksum_by(key, bad[found]) == set_checksum_by(key, victim);
	}
	cr_assert_eq(found, 4);
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct bpe_options o;
		bpe_options_init(&o);
		o.fixed_seed = true;
		o.hash_seed = seed;
		cr_assert_eq(bpei_dissector_new(&dissector, &o), BPE_OK);
		dissect_packets(&p, victim, sizeof victim - 1, S);
		for (int i = 0; i < 4; i++)
			dissect_packets(&p, bad[i], sizeof victim - 1, S + 1);
		DISSECT(&p, LATER("\0\1"), 2 * S);
		const uint64_t kept =
			bpei_counter_get(&bpei_fragments_counts(dissector.fragments)->followed);
		if (!seed)
			cr_assert_eq(
				kept, 0, "the words of the table are others: nothing is proved");
		followed += kept == 1;
		bpei_dissector_free(&dissector);
	}
	cr_assert_eq(followed, 199);
}

#define GOOD_UDP                                                                                   \
	"\x45\0\0\x20\0\1\0\0\x40\x11\x66\xca\x0a\0\0\1\x0a\0\0\2"                                 \
	"\0\x35\xc0\x01\0\x0c\x63\x04"                                                             \
	"data"

static bool flip_checksum(const void *bytes, uint32_t n, uint16_t flags)
{
	struct one p;
	memset(&p, 0, sizeof p);
	memcpy(p.bytes, bytes, n);
	p.data = p.bytes;
	p.caplen = p.wirelen = n;
	struct bpei_columns c = packet_columns(&p);
	c.outgoing = &(uint8_t){ (uint8_t)flags };
	bpei_dissect(&dissector, &c, 1, 101);
	return p.layers.flags & BPE_PKT_BAD_CHECKSUM;
}

/* Computes the checksum by the definition: RFC 1071's sum, one word after another. */
static uint16_t checksum_by_definition(const uint8_t *p, uint32_t n, uint32_t s)
{
	for (uint32_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put_packet_bytes(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t pseudo_header_ip4(const uint8_t *ip, uint32_t length)
{
	uint32_t s = ip[9] + length;
	for (int i = 12; i < 20; i += 2)
		s += (uint32_t)ip[i] << 8 | ip[i + 1];
	return s;
}

Test(checksums, every_protocol_and_every_bit)
{
	static const struct {
		uint8_t proto;
		uint32_t at, length, pseudo;
	} all[] = { { 6, 16, 25, 1 }, { 17, 6, 13, 1 }, { 17, 6, 12, 1 }, { 1, 2, 11, 0 },
		{ 2, 2, 8, 0 }, { 136, 6, 13, 1 } };
	begin_packet(true, false);
	for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
		uint8_t p[64] = { 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0,
			2 };
		uint8_t *l4 = p + 20;
		uint32_t n = 20 + all[k].length;
		for (uint32_t i = 0; i < all[k].length; i++)
			l4[i] = (uint8_t)(i * 37 + 11);
		p[9] = all[k].proto;
		put_packet_bytes(p + 2, (uint16_t)n);
		if (all[k].proto == 6)
			l4[12] = 0x50;
		if (all[k].proto == 17)
			put_packet_bytes(l4 + 4, (uint16_t)all[k].length);
		if (all[k].proto == 136)
			put_packet_bytes(l4 + 4, 0); /* covers all */
		put_packet_bytes(p + 10, checksum_by_definition(p, 20, 0));
		put_packet_bytes(l4 + all[k].at, 0);
		put_packet_bytes(l4 + all[k].at,
			checksum_by_definition(l4, all[k].length,
				all[k].pseudo ? pseudo_header_ip4(p, all[k].length) : 0));
		cr_assert(!flip_checksum(p, n, 0), "protocol %u", all[k].proto);
		for (uint32_t bit = 0; bit < 8 * all[k].length; bit++) {
			if (bit / 8 == 12 && all[k].proto == 6)
				continue; /* the header's length */
			if (all[k].proto != 6 && all[k].pseudo && (bit / 8 == 4 || bit / 8 == 5))
				continue; /* the datagram's length or coverage */
			l4[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert(flip_checksum(p, n, 0), "protocol %u bit %u", all[k].proto, bit);
			cr_assert(!flip_checksum(
				p, n, BPE_PKT_OUTGOING)); /* sent by this host: the card computes
							     the checksum */
			l4[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		p[8]--; /* IPv4's header checksum */
		cr_assert(flip_checksum(p, n, 0));
		p[8]++;
		cr_assert(!flip_checksum(p, n - 1, 0)); /* cut: not checked */
	}
	bpei_dissector_free(&dissector);
}

Test(checksums, offload_and_absence)
{
	uint8_t p[32] = { 0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 53,
		0xc0, 1, 0, 12, 0, 0, 'd', 'a', 't', 'a' };
	begin_packet(true, false);
	put_packet_bytes(p + 10, checksum_by_definition(p, 20, 0));
	cr_assert(!flip_checksum(p, 32, 0)); /* UDP without a checksum */
	put_packet_bytes(p + 26,
		(uint16_t)~checksum_by_definition(p, 0,
			pseudo_header_ip4(p,
				12))); /* the pseudo header's sum alone: the card adds the rest */
	cr_assert(!flip_checksum(p, 32, 0));
	put_packet_bytes(p + 26, 0x1234);
	cr_assert(flip_checksum(p, 32, 0));
	bpei_dissector_free(&dissector);
	begin_packet(false, false);
	cr_assert(!flip_checksum(p, 32, 0)); /* not requested */
	bpei_dissector_free(&dissector);
	/* IPv6: ICMPv6 with its pseudo header, behind options. */
	begin_packet(true, false);
	uint8_t six[] = IP6("\0\x10", "\0") "\x3a\0\1\4\0\0\0\0"
					    "\x80\0\0\0\x12\x34\0\1";
	uint32_t s = 58 + 8;
	for (int i = 8; i < 40; i += 2)
		s += (uint32_t)six[i] << 8 | six[i + 1];
	put_packet_bytes(six + 50, checksum_by_definition(six + 48, 8, s));
	cr_assert(!flip_checksum(six, 56, 0));
	six[55] ^= 1;
	cr_assert(flip_checksum(six, 56, 0));
	bpei_dissector_free(&dissector);
}

static int read_tcp_option_bytes(const char *options, uint32_t n, struct bpe_tcp_options *o)
{
	struct one p;
	uint8_t bytes[80] = "\x45\0\0\0\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"
			    "\0\x35\xc0\x01\0\0\0\1\0\0\0\2\0\x12\xff\xff\0\0\0\0";
	bytes[3] = (uint8_t)(40 + n);
	bytes[32] = (uint8_t)((20 + n) / 4 << 4);
	memcpy(bytes + 40, options, n);
	dissect_packets(&p, bytes, 40 + n, 0);
	struct bpe_batch b = make_packet_batch(&p);
	return bpe_batch_tcp_options(&b, 0, o);
}

Test(tcp_options, all_of_them)
{
	struct bpe_tcp_options o = { .mss = 7 };
	begin_packet(false, false);
	cr_assert_eq(
		read_tcp_option_bytes("\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7", 20, &o), 1);
	cr_assert_eq(o.present,
		BPE_TCP_MSS | BPE_TCP_SACK_PERMITTED | BPE_TCP_TIMESTAMPS | BPE_TCP_WINDOW_SCALE);
	cr_assert_eq(o.mss, 1460);
	cr_assert_eq(o.window_scale, 7);
	cr_assert_eq(o.timestamp, 1);
	cr_assert_eq(o.timestamp_echo, 2);
	cr_assert_eq(
		read_tcp_option_bytes("\1\1\5\x12\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4", 20, &o), 1);
	cr_assert_eq(o.present, BPE_TCP_SACK);
	cr_assert_eq(o.sack_count, 2);
	cr_assert_eq(o.sack[1][1], 4);
	cr_assert_eq(read_tcp_option_bytes("", 0, &o), 1);
	cr_assert_eq(o.present, 0);
	cr_assert_eq(read_tcp_option_bytes("\0\2\4\5", 4, &o), 1); /* behind the end */
	cr_assert_eq(o.present, 0);
	cr_assert_eq(read_tcp_option_bytes("\2\3\5\0", 4, &o),
		1); /* of a wrong length: the options behind are read */
	cr_assert_eq(o.present, BPE_TCP_OPTIONS_BAD);
	cr_assert_eq(read_tcp_option_bytes("\3\3\2\2\xff\0\0\0", 8, &o), 1); /* past the header */
	cr_assert_eq(o.present, BPE_TCP_OPTIONS_BAD | BPE_TCP_WINDOW_SCALE);
	cr_assert_eq(read_tcp_option_bytes("\1\1\1\2", 4, &o), 1); /* without a length */
	cr_assert_eq(o.present, BPE_TCP_OPTIONS_BAD);
	cr_assert_eq(read_tcp_option_bytes("\1\1\2\0", 4, &o), 1);
	cr_assert_eq(o.present, BPE_TCP_OPTIONS_BAD);
	struct one p;
	DISSECT(&p, GOOD_UDP, 0);
	struct bpe_batch b = make_packet_batch(&p);
	cr_assert_eq(bpe_batch_tcp_options(&b, 0, &o), 0);
	cr_assert_eq(bpe_batch_tcp_options(&b, 1, &o), BPE_E_ARGUMENT);
	bpei_dissector_free(&dissector);
}

/* Compares with Microsoft's "Verifying the RSS Hash Calculation". */
Test(toeplitz, published)
{
	static const uint8_t key[BPE_RSS_KEY_BYTES] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e,
		0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae,
		0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7,
		0x3b, 0xbe, 0xac, 0x01, 0xfa };
	struct bpe_key four = { .addr = { { 66, 9, 149, 187 }, { 161, 142, 100, 80 } },
		.port = { 2794, 1766 },
		.ip_proto = 6,
		.ip_version = 4 };
	cr_assert_eq(bpe_toeplitz(&four, false, key), 0x51ccc178);
	four.ip_proto = 1;
	cr_assert_eq(bpe_toeplitz(&four, false, key), 0x323e8fc2);
	struct bpe_key six = { .addr = { "\x3f\xfe\x25\x01\x02\0\0\x03\0\0\0\0\0\0\0\1",
				       "\x3f\xfe\x25\x01\x02\0\x1f\xff\0\0\0\0\0\0\0\7" },
		.port = { 1766, 2794 },
		.ip_proto = 6,
		.ip_version = 6 };
	cr_assert_eq(bpe_toeplitz(&six, true, key), 0x40207d3d);
	six.ip_proto = 58;
	cr_assert_eq(bpe_toeplitz(&six, true, key), 0x2cc18cd5);
}

Test(toeplitz, both_directions_by_the_symmetric_key)
{
	struct bpe_key k = { .port = { 1, 2 }, .ip_proto = 17, .ip_version = 6 };
	uint32_t last = 0, changes = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		for (uint32_t b = 0; b < 32; b++)
			k.addr[b / 16][b % 16] = (uint8_t)(i * 31 + b * b * 7 + i * b);
		cr_assert_eq(bpe_toeplitz(&k, false, NULL), bpe_toeplitz(&k, true, NULL));
		changes += bpe_toeplitz(&k, false, NULL) != last;
		last = bpe_toeplitz(&k, false, NULL);
	}
	cr_assert(changes > 900);
}

Test(layers, both_views_of_a_tunnel)
{
#define TUNNEL "\x45\0\0\x34\0\0\0\0\x40\4\0\0\x0a\0\0\2\x0a\0\0\1" GOOD_UDP
	for (int outermost = 0; outermost < 2; outermost++) {
		struct one p;
		struct bpe_layers l;
		struct bpe_key k;
		begin_packet(false, outermost);
		DISSECT(&p, TUNNEL, 0);
		struct bpe_batch b = make_packet_batch(&p);
		cr_assert_eq(p.layers.network, outermost ? 0 : 20);
		cr_assert_eq(bpe_batch_layers(&b, 0, BPE_LAYERS_OUTERMOST, &l, &k), 1);
		cr_assert_eq(l.network, 0);
		cr_assert_eq(k.ip_proto, 4);
		cr_assert_eq(bpe_batch_layers(&b, 0, BPE_LAYERS_INNERMOST, &l, &k), 1);
		cr_assert_eq(l.network, 20);
		cr_assert_eq(k.ip_proto, 17);
		cr_assert_eq(bpe_batch_layers(&b, 0, 2, &l, &k), BPE_E_ARGUMENT);
		cr_assert_eq(bpe_batch_layers(&b, 1, 0, &l, &k), BPE_E_ARGUMENT);
		bpei_dissector_free(&dissector);
	}
}
