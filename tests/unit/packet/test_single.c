/* SPDX-License-Identifier: MIT */
/* Single packets: bpe_parse and its brothers. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <string.h>

/* Ethernet, IPv4, TCP SYN with an MSS of 1460 and a window scale of 7. */
static const uint8_t syn[62] =
	"\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x30\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2\x04\xd2\0"
	"\x50\0\0\0\1\0\0\0\0\x70\2\1\0\0\0\0\0\2\4\5\xb4\1\3\3\7";
/* Ethernet, IPv4 10.0.0.1 to 10.0.0.4, GRE, IPv4 10.9.0.1 to 10.9.0.2, UDP. */
static const uint8_t gre[66] =
	"\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x34\0\1\0\0\x40\x2f\0\0\x0a\0\0\1\x0a\0\0\4\0\0\x08"
	"\0\x45\0\0\x1c\0\2\0\0\x40\x11\0\0\x0a\x09\0\1\x0a\x09\0\2\0\x35\0\x36\0\x08\0\0";

Test(single, parses_a_packet, .timeout = 550)
{
	struct bpe_layers l;
	struct bpe_key k;

	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, 1, &l, &k), 1);
	cr_assert_eq(l.network, 14);
	cr_assert_eq(l.transport, 34);
	cr_assert_eq(l.payload, 62);
	cr_assert_eq(l.end, 62);
	cr_assert_eq(l.proto, BPE_PROTO_TCP);
	cr_assert_eq(l.tcp_flags, 2);
	cr_assert_eq(l.link_type, 1);
	cr_assert_eq(k.port[0], 1234);
	cr_assert_eq(k.port[1], 80);
	cr_assert_eq(k.ip_version, 4);
	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, 1, &l, NULL), 1);
	cr_assert_eq(bpe_parse(syn + 14, sizeof syn - 14, sizeof syn - 14, 101, &l, &k), 1);
	cr_assert_eq(l.transport, 20);
}

Test(single, parses_what_is_no_packet, .timeout = 550)
{
	struct bpe_layers l = { .network = 77 };
	struct bpe_key k;

	cr_assert_eq(bpe_parse(NULL, 0, 60, 1, &l, &k), 0);
	cr_assert(l.flags & BPE_PKT_TRUNCATED);
	cr_assert_eq(l.network, BPE_NO_OFFSET);
	cr_assert_eq(bpe_parse(syn, 20, sizeof syn, 1, &l, &k), 0);
	cr_assert(l.flags & BPE_PKT_TRUNCATED);
	cr_assert_eq(bpe_parse(syn, sizeof syn, 0, 1, &l, &k), 1); /* wirelen below caplen */
	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, 65000, &l, &k), 0);
	cr_assert_eq(l.proto, BPE_PROTO_LINKTYPE);
	cr_assert_eq(l.link_type, 65000);
	l.network = 77;
	cr_assert_eq(bpe_parse(NULL, 1, 1, 1, &l, &k), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, -1, &l, &k), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, 65536, &l, &k), BPE_E_ARGUMENT);
	cr_assert_eq(l.network, 77); /* outputs stay as they were */
}

Test(single, finds_tunnels, .timeout = 550)
{
	struct bpe_tunnel t = { .kind = 99 };
	struct bpe_layers l;
	struct bpe_key k;

	cr_assert_eq(bpe_parse(gre, sizeof gre, sizeof gre, 1, &l, &k), 1);
	cr_assert(l.flags & BPE_PKT_TUNNEL);
	cr_assert_eq(k.addr[0][1], 9);
	cr_assert_eq(l.network, 38);
	cr_assert_eq(bpe_parse_outermost(gre, sizeof gre, sizeof gre, 1, &l, &k), 1);
	cr_assert_eq(k.addr[0][1], 0);
	cr_assert_eq(l.network, 14);
	cr_assert_eq(bpe_parse_tunnel(syn, sizeof syn, sizeof syn, 1, &t), 0);
	cr_assert_eq(t.kind, 99);
	cr_assert_eq(bpe_parse_tunnel(gre, sizeof gre, sizeof gre, 1, &t), 1);
	cr_assert_eq(t.kind, BPE_TUNNEL_GRE);
	cr_assert_eq(t.addr[1][3], 4);
	cr_assert_eq(bpe_parse_tunnel(NULL, 5, 5, 1, &t), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_parse_outermost(NULL, 5, 5, 1, &l, &k), BPE_E_ARGUMENT);
}

Test(single, reads_tcp_options, .timeout = 550)
{
	struct bpe_tcp_options o;
	struct bpe_layers l;

	cr_assert_eq(bpe_parse(syn, sizeof syn, sizeof syn, 1, &l, NULL), 1);
	cr_assert_eq(bpe_parse_tcp_options(syn, sizeof syn, &l, &o), 1);
	cr_assert_eq(o.present, BPE_TCP_MSS | BPE_TCP_WINDOW_SCALE);
	cr_assert_eq(o.mss, 1460);
	cr_assert_eq(o.window_scale, 7);
	/* Layers of other bytes. */
	cr_assert_eq(bpe_parse_tcp_options(syn, sizeof syn - 1, &l, &o), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_parse_tcp_options(NULL, sizeof syn, &l, &o), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_parse(gre, sizeof gre, sizeof gre, 1, &l, NULL), 1);
	cr_assert_eq(bpe_parse_tcp_options(gre, sizeof gre, &l, &o), 0);
}
