/* SPDX-License-Identifier: MIT */
/* The generated traffic: sound packets with right checksums, the same in every run, as many as it
 * says itself. */
#include "arch/arch.h"
#include "base/bytes.h"
#include "device/synth_gen.h"

#include <criterion/criterion.h>

static uint32_t sum_be16(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += bpei_be16(p + i);
	return n & 1 ? sum + ((uint32_t)p[n - 1] << 8) : sum;
}

static uint16_t fold_sum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void is_sound_frame(const uint8_t *p, uint32_t n, const char *what)
{
	struct bpe_layers l;
	struct bpe_key key;
	struct bpei_columns c = {
		.data = &p, .caplen = &n, .wirelen = &n, .layers = &l, .key = &key
	};
	bpei_parse_scalar(&c, 1, 1, NULL);
	cr_assert_eq(l.flags & BPE_PKT_WRONG, 0, "%s", what);
	if (l.proto == BPE_PROTO_ARP)
		return;
	const uint8_t *ip = p + l.network;
	const uint8_t *l4 = p + l.transport;
	uint32_t length = l.end - l.transport;
	bool six = l.flags & BPE_PKT_IP6;
	if (!six)
		cr_assert_eq(fold_sum(sum_be16(ip, 20)), 0xffff, "%s: IPv4 checksum", what);
	uint32_t pseudo = 0; /* sum of the pseudo-header */
	if (l.proto != BPE_PROTO_ICMP) {
		pseudo = six ? sum_be16(ip + 8, 32) : sum_be16(ip + 12, 8);
		pseudo += l.ip_proto + length;
	}
	cr_assert_eq(fold_sum(sum_be16(l4, length) + pseudo), 0xffff, "%s: checksum of protocol %u",
		what, l.ip_proto);
}

Test(synth, packets_are_sound_and_counted)
{
	static const char *const names[] = { "synth:flows=200", "synth:flows=200,size=60",
		"synth:flows=50,size=1514,ipv6=100,vlan=100",
		"synth:size=61,ipv6=50,retransmit=300" };
	for (int k = 0; k < 4; k++) {
		struct bpei_synth_options o;
		char text[200];
		uint8_t p[BPEI_SYNTH_FRAME];
		uint64_t bytes = 0;
		cr_assert_null(bpei_synth_parse(names[k], &o, text, sizeof text));
		struct bpei_synth_gen *g = bpei_synth_gen_new(&o);
		for (int i = 0; i < 30000; i++) {
			uint32_t n = bpei_synth_gen_next(g, p);
			cr_assert(n >= 60 && n <= 1530);
			is_sound_frame(p, n, names[k]);
			bytes += n;
		}
		const struct bpei_synth_truth *t = bpei_synth_gen_truth(g);
		cr_assert_eq(t->packets, 30000);
		cr_assert_eq(t->wire_bytes, bytes);
		cr_assert(t->tcp_closed && t->tcp_refused && t->tcp_opened > t->tcp_closed &&
			  t->flows > t->tcp_opened);
		cr_assert_eq(!t->tcp_retransmitted, false);
		bpei_synth_gen_free(g);
	}
}

Test(synth, the_same_seed_gives_the_same_bytes)
{
	struct bpei_synth_options o;
	char text[200];
	static uint8_t a[BPEI_SYNTH_FRAME], b[BPEI_SYNTH_FRAME];
	cr_assert_null(bpei_synth_parse("synth:seed=77", &o, text, sizeof text));
	struct bpei_synth_gen *g = bpei_synth_gen_new(&o), *h = bpei_synth_gen_new(&o);
	for (int i = 0; i < 5000; i++) {
		uint32_t n = bpei_synth_gen_next(g, a);
		cr_assert_eq(bpei_synth_gen_next(h, b), n);
		cr_assert_arr_eq(a, b, n);
	}
	bpei_synth_gen_free(g);
	bpei_synth_gen_free(h);
}

Test(synth, options_are_read_or_refused)
{
	struct bpei_synth_options o;
	char text[200];
	cr_assert_null(bpei_synth_parse(
		"synth:flows=2k,size=imix,seed=0,rate=1M,count=3,vlan=0,ipv6=100,retransmit=1000",
		&o, text, sizeof text));
	cr_assert_eq(o.flows, 2000);
	cr_assert_eq(o.size, 0);
	cr_assert_eq(o.rate, 1000000);
	cr_assert_eq(o.retransmit, 1000);
	static const char *const bad[] = { "synth:flows=0", "synth:flows=", "synth:flows",
		"synth:size=59", "synth:size=1515", "synth:ipv6=101", "synth:rate=0",
		"synth:count=1x", "synth:speed=1", "synth:=", "synth:seed=99999999999999999999",
		"synth:flows=-1", "synth:flows=1kk" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not_null(bpei_synth_parse(bad[i], &o, text, sizeof text), "%s", bad[i]);
}
