/* SPDX-License-Identifier: MIT */
/* Tests of the scalar parser against packets made by hand: a person wrote each byte below from the
 * RFC. */
#include "arch/arch.h"
#include "base/bytes.h"
#include "parse_one.h"

#include <criterion/criterion.h>

Test(parse, ethernet_ip4_tcp)
{
	struct parsed r = PARSE(1, ETHER("\x08\x00") IP4("\0\x28", "\x40\0", "\x06", TCP));
	cr_assert_eq(r.layers.proto, BPE_PROTO_TCP);
	cr_assert_eq(r.layers.flags, BPE_PKT_IP4 | BPE_PKT_KEY | BPE_PKT_REVERSED);
	cr_assert_eq(r.layers.network, 14);
	cr_assert_eq(r.layers.transport, 34);
	cr_assert_eq(r.layers.payload, 54);
	cr_assert_eq(r.layers.end, 54);
	cr_assert_eq(r.layers.ethertype, 0x800);
	cr_assert_eq(r.layers.ip_proto, 6);
	cr_assert_eq(r.layers.tcp_flags, 0x12);
	cr_assert_eq(r.layers.link_type, 1);
	cr_assert_eq(r.key.port[0], 49152);
	cr_assert_eq(r.key.port[1], 8080);
	cr_assert_arr_eq(r.key.addr[0], "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	cr_assert_arr_eq(r.key.addr[1], "\x0a\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	cr_assert_eq(r.key.ip_version, 4);
	cr_assert_arr_eq(r.key.zero, "\0\0\0\0\0\0", 6);
}

Test(parse, padding_is_outside_the_packet)
{
	struct parsed r = PARSE(1, ETHER("\x08\x00") IP4("\0\x1e", "\0\0", "\x11",
					   UDP_HEADER "hi"
						      "\0\0\0\0\0\0"));
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(r.layers.payload, 42);
	cr_assert_eq(r.layers.end, 44);
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
}

/* Parses records with fewer bytes on the wire than captured: the packet is whole all the same,
 * tagged or not. */
Test(parse, wire_length_below_the_captured)
{
	static const char plain[] = ETHER("\x86\xdd") IP6("\0\x0a", "\x11") UDP_HEADER "hi";
	static const char tagged[] =
		ETHER("\x81\x00\x00\x07\x86\xdd") IP6("\0\x0a", "\x11") UDP_HEADER "hi";
	struct parsed a = parse_bytes(1, plain, sizeof plain - 1, 20);
	struct parsed b = parse_bytes(1, tagged, sizeof tagged - 1, 20);
	cr_assert_eq(a.layers.flags & BPE_PKT_WRONG, 0);
	cr_assert_eq(b.layers.flags & BPE_PKT_WRONG, 0);
	cr_assert_eq(a.layers.end, sizeof plain - 1);
	cr_assert_eq(b.layers.end, sizeof tagged - 1);
}

Test(parse, both_directions_make_one_key)
{
	struct parsed a = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02"
				     "\0\x35\xc0\x01\0\x08\0\0");
	struct parsed b = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\x02\x0a\0\0\x01"
				     "\xc0\x01\0\x35\0\x08\0\0");
	cr_assert_arr_eq(&a.key, &b.key, sizeof a.key);
	cr_assert_eq(a.layers.flags & BPE_PKT_REVERSED, 0);
	cr_assert_neq(b.layers.flags & BPE_PKT_REVERSED, 0);
	/* A host sends to itself: the ports decide the order of the key. */
	struct parsed c = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x7f\0\0\x01\x7f\0\0\x01"
				     "\xc0\x01\0\x35\0\x08\0\0");
	struct parsed d = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x7f\0\0\x01\x7f\0\0\x01"
				     "\0\x35\xc0\x01\0\x08\0\0");
	cr_assert_arr_eq(&c.key, &d.key, sizeof c.key);
	cr_assert_eq(c.key.port[0], 53);
	cr_assert_neq(c.layers.flags & BPE_PKT_REVERSED, d.layers.flags & BPE_PKT_REVERSED);
}

Test(parse, vlan_stack)
{
	struct parsed r = PARSE(1, ETHER("\x88\xa8") "\xe0\x64\x81\x00\x00\xc8\x08\x00" IP4(
					   "\0\x1c", "\0\0", "\x11", "\0\x35\0\x36\0\x08\0\0"));
	cr_assert_eq(r.layers.vlan_count, 2);
	cr_assert_eq(r.layers.vlan[0], 100);
	cr_assert_eq(r.layers.vlan[1], 200);
	cr_assert_eq(r.key.vlan[0], 100);
	cr_assert_eq(r.key.vlan[1], 200);
	cr_assert_eq(r.layers.ethertype, 0x800);
	cr_assert_eq(r.layers.network, 22);
	cr_assert(r.layers.flags & BPE_PKT_VLAN);
	struct parsed cut = parse_bytes(1, ETHER("\x81\x00") "\0\1", 16, 60);
	cr_assert(cut.layers.flags & BPE_PKT_TRUNCATED);
}

Test(parse, ip4_options_and_fragments)
{
	struct parsed r = PARSE(101, "\x46\0\0\x20\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02"
				     "\1\1\1\0"
				     "\0\x35\xc0\x01\0\x08\0\0");
	cr_assert_eq(r.layers.transport, 24);
	cr_assert_eq(r.key.port[0], 53);
	struct parsed first =
		PARSE(101, "\x45\0\0\x24\0\1\x20\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02"
			   "\0\x35\xc0\x01\x01\0\0\0payload!");
	cr_assert_eq(first.layers.flags & (BPE_PKT_FIRST_FRAGMENT | BPE_PKT_WRONG),
		BPE_PKT_FIRST_FRAGMENT);
	cr_assert_eq(first.key.port[0], 53);
	struct parsed later = PARSE(101, "\x45\0\0\x1c\0\1\0\2\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02"
					 "\0\x35\xc0\x01");
	cr_assert_eq(later.layers.flags & BPE_PKT_FRAGMENT, BPE_PKT_FRAGMENT);
	cr_assert_eq(later.layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(later.layers.transport, BPE_NO_OFFSET);
	cr_assert_eq(later.layers.payload, 20);
	cr_assert_eq(later.key.port[0] | later.key.port[1], 0);
}

Test(parse, ip4_damage)
{
	cr_assert(PARSE(101, "\x44\0\0\x14\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02")
			  .layers.flags &
		  BPE_PKT_BAD_HEADER);
	cr_assert(PARSE(228, "\x65\0\0\x14\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02")
			  .layers.flags &
		  BPE_PKT_BAD_VERSION);
	cr_assert(PARSE(101, "\x45\0\0\x10\0\0\0\0\x40\xfd\0\0\x0a\0\0\x01\x0a\0\0\x02")
			  .layers.flags &
		  BPE_PKT_BAD_LENGTH);
	cr_assert(PARSE(101, "\x45\0\0\xff\0\0\0\0\x40\xfd\0\0\x0a\0\0\x01\x0a\0\0\x02")
			  .layers.flags &
		  BPE_PKT_BAD_LENGTH);
	/* The capture cut the packet, and the wire had the rest: no damage. */
	cr_assert_eq(parse_bytes(101, "\x45\0\0\xff\0\0\0\0\x40\xfd\0\0\x0a\0\0\x01\x0a\0\0\x02",
			     20, 255)
				     .layers.flags &
			     BPE_PKT_WRONG,
		0);
	cr_assert(PARSE(101, "\x45\0\0\x14").layers.flags & BPE_PKT_TRUNCATED);
	cr_assert(PARSE(101, "").layers.flags & BPE_PKT_TRUNCATED);
	struct parsed r = PARSE(101, "\x45\0\0\x18\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02"
				     "\0\x50\0\x51");
	cr_assert(r.layers.flags & BPE_PKT_TRUNCATED);
	cr_assert_eq(r.key.port[0], 80); /* the ports were there */
	cr_assert_eq(r.layers.payload, BPE_NO_OFFSET);
	cr_assert(PARSE(101, "\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02"
			     "\x1f\x90\xc0\x00\0\0\0\1\0\0\0\2\x40\x12\xff\xff\0\0\0\0")
			  .layers.flags &
		  BPE_PKT_BAD_HEADER);
	/* Total length 0: segmentation offload; the packet reaches to its end. */
	r = PARSE(101, "\x45\0\0\0\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02" TCP "data");
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
	cr_assert_eq(r.layers.end, 44);
}

Test(parse, ip6_extensions)
{
	struct parsed r = PARSE(229, IP6("\0\x20", "\0") "\x3c\0\1\4\0\0\0\0"
							 "\x3a\0\1\4\0\0\0\0"
							 "\x80\0\0\0\x12\x34\0\1"
							 "\0\0\0\0\0\0\0\0");
	cr_assert_eq(r.layers.proto, BPE_PROTO_ICMP6);
	cr_assert_eq(r.layers.ip_proto, 58);
	cr_assert_eq(r.layers.transport, 56);
	cr_assert_eq(r.key.port[0], 0x1234);
	cr_assert_eq(r.key.port[1], 0x1234);
	cr_assert_eq(r.key.ip_version, 6);
	cr_assert_eq(r.key.addr[0][15], 1);
	struct parsed f = PARSE(229, IP6("\0\x10", "\x2c") "\x06\0\0\x08\0\0\0\x01"
							   "12345678");
	cr_assert(f.layers.flags & BPE_PKT_FRAGMENT);
	cr_assert_eq(f.layers.ip_proto, 6);
	cr_assert_eq(f.layers.payload, 48);
	struct parsed first = PARSE(229, IP6("\0\x10", "\x2c") "\x11\0\0\x01\0\0\0\x01" UDP_HEADER);
	cr_assert(first.layers.flags & BPE_PKT_FIRST_FRAGMENT);
	cr_assert_eq(first.key.port[1], 53);
	struct parsed cut = parse_bytes(229, IP6("\0\x20", "\0") "\x3c\x09\1\4", 44, 72);
	cr_assert(cut.layers.flags & BPE_PKT_TRUNCATED);
	cr_assert_eq(cut.layers.proto, BPE_PROTO_IP_OTHER);
	struct parsed ah = PARSE(229,
		IP6("\0\x20",
			"\x33") "\x11\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" UDP_HEADER);
	cr_assert_eq(ah.layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(ah.layers.transport, 64);
	cr_assert(PARSE(229, "\x40").layers.flags & BPE_PKT_TRUNCATED);
	cr_assert(PARSE(229, "\x40"
			     "123456789012345678901234567890123456789")
			  .layers.flags &
		  BPE_PKT_BAD_VERSION);
}

Test(parse, icmp_igmp_sctp_other)
{
	struct parsed r = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x01\0\0\x0a\0\0\x01\x0a\0\0\x02"
				     "\0\0\0\0\xbe\xef\0\1");
	cr_assert_eq(r.layers.proto, BPE_PROTO_ICMP);
	cr_assert_eq(r.key.port[0], 0xbeef);
	r = PARSE(101, "\x45\0\0\x1c\0\0\0\0\x40\x01\0\0\x0a\0\0\x01\x0a\0\0\x02"
		       "\3\1\0\0\xbe\xef\0\1");
	cr_assert_eq(r.key.port[0], 0);
	r = PARSE(101, "\x45\0\0\x1c\0\0\0\0\1\2\0\0\x0a\0\0\x01\xe0\0\0\x01"
		       "\x11\0\0\0\0\0\0\0");
	cr_assert_eq(r.layers.proto, BPE_PROTO_IGMP);
	r = PARSE(101, "\x45\0\0\x20\0\0\0\0\x40\x84\0\0\x0a\0\0\x01\x0a\0\0\x02"
		       "\0\1\0\2\0\0\0\0\0\0\0\0");
	cr_assert_eq(r.layers.proto, BPE_PROTO_SCTP);
	cr_assert_eq(r.key.port[1], 2);
	r = PARSE(101, "\x45\0\0\x18\0\0\0\0\x40\x59\0\0\x0a\0\0\x01\x0a\0\0\x02"
		       "ospf");
	cr_assert_eq(r.layers.proto, BPE_PROTO_IP_OTHER);
	cr_assert_eq(r.layers.ip_proto, 89);
	cr_assert_eq(r.layers.payload, 20);
}

Test(parse, below_ip)
{
	struct parsed r = PARSE(1, ETHER("\x08\x06") "\0\1\x08\0\6\4\0\1"
						     "12345678901234567890"
						     "pad");
	cr_assert_eq(r.layers.proto, BPE_PROTO_ARP);
	cr_assert_eq(r.layers.end, 42);
	cr_assert_eq(r.layers.flags, 0);
	r = PARSE(1, ETHER("\x88\xcc") "lldp");
	cr_assert_eq(r.layers.proto, BPE_PROTO_ETHERTYPE);
	cr_assert_eq(r.layers.ethertype, 0x88cc);
	cr_assert_eq(r.layers.payload, 14);
	r = PARSE(1, ETHER("\0\3") "\xe0\xe0\3pad");
	cr_assert_eq(r.layers.proto, BPE_PROTO_LLC);
	cr_assert_eq(r.layers.end, 17);
	r = PARSE(1, "short");
	cr_assert_eq(r.layers.proto, BPE_PROTO_NONE);
	cr_assert(r.layers.flags & BPE_PKT_TRUNCATED);
	r = PARSE(147, "whatever");
	cr_assert_eq(r.layers.proto, BPE_PROTO_LINKTYPE);
	cr_assert_eq(r.layers.link_type, 147);
	cr_assert_eq(r.layers.payload, 0);
	r = PARSE(1, ETHER("\0\x07") "\x42\x42\3\0\0\0\0");
	cr_assert_eq(r.layers.proto, BPE_PROTO_STP);
	r = PARSE(1, ETHER("\x80\x35") "\0\1\x08\0\6\4\0\3"
				       "12345678901234567890"
				       "pad");
	cr_assert_eq(r.layers.proto, BPE_PROTO_ETHERTYPE);
	cr_assert_eq(r.layers.end, 42);
}

Test(parse, loopback_families_of_every_system)
{
#define UDP4 "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x7f\0\0\x01\x7f\0\0\x01\0\x35\0\x36\0\x08\0\0"
	cr_assert_eq(PARSE(0, "\2\0\0\0" UDP4).layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(PARSE(0, "\0\0\0\2" UDP4).layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(PARSE(108, "\0\0\0\2" UDP4).layers.transport, 24);
	static const char families[] = { 10, 24, 28, 30 };
	for (size_t i = 0; i < sizeof families; i++) {
		char p[4 + 48] = { families[i] };
		memcpy(p + 4, IP6("\0\x08", "\x11") "\0\x35\0\x36\0\x08\0\0", 48);
		cr_assert_eq(parse_bytes(0, p, sizeof p, sizeof p).layers.proto, BPE_PROTO_UDP,
			"family %d", families[i]);
	}
	cr_assert_eq(PARSE(0, "\7\0\0\0xyz").layers.proto, BPE_PROTO_ETHERTYPE);
	cr_assert(PARSE(0, "\2\0").layers.flags & BPE_PKT_TRUNCATED);
}

Test(parse, cooked)
{
	struct parsed r = PARSE(113, "\0\4\0\1\0\6\0\0\0\0\0\0\0\0\x08\0" UDP4);
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
	cr_assert(r.layers.flags & BPE_PKT_OUTGOING);
	r = PARSE(276, "\x08\0\0\0\0\0\0\1\0\1\4\6\0\0\0\0\0\0\0\0" UDP4);
	cr_assert_eq(r.layers.network, 20);
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
	cr_assert(r.layers.flags & BPE_PKT_OUTGOING);
	r = PARSE(113, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\0\4llc");
	cr_assert_eq(r.layers.proto, BPE_PROTO_LLC);
	cr_assert(PARSE(276, "\x08\0").layers.flags & BPE_PKT_TRUNCATED);
}

/* Parses each prefix of each packet in an allocation of exactly the same length: no read and no
 * offset passes the end. */
Test(parse, every_prefix)
{
	static const struct {
		uint32_t link, length;
		const char *bytes;
	} packets[] = {
#define P(link, bytes) { link, sizeof(bytes) - 1, bytes }
		P(1, ETHER("\x08\x00") IP4("\0\x28", "\x40\0", "\x06", TCP)),
		P(1, ETHER("\x88\xa8") "\xe0\x64\x81\x00\x00\xc8\x08\x00" IP4(
			     "\0\x1c", "\0\0", "\x11", "\0\x35\0\x36\0\x08\0\0")),
		P(229, IP6("\0\x20", "\0") "\x3c\0\1\4\0\0\0\0"
					   "\x3a\0\1\4\0\0\0\0"
					   "\x80\0\0\0\x12\x34\0\1"
					   "\0\0\0\0\0\0\0\0"),
		P(1, ETHER("\x08\x06") "\0\1\x08\0\6\4\0\1"
				       "12345678901234567890"),
		P(276, "\x08\0\0\0\0\0\0\1\0\1\4\6\0\0\0\0\0\0\0\0" UDP4),
		P(0, "\2\0\0\0" UDP4),
	};
	for (size_t k = 0; k < sizeof packets / sizeof *packets; k++) {
		struct bpe_layers whole = parse_bytes(
			packets[k].link, packets[k].bytes, packets[k].length, packets[k].length)
						  .layers;
		uint32_t headers = whole.payload != BPE_NO_OFFSET ? whole.payload : whole.end;
		cr_assert(!(whole.flags & BPE_PKT_WRONG));
		for (uint32_t n = 0; n <= packets[k].length; n++) {
			struct bpe_layers l =
				parse_bytes(packets[k].link, packets[k].bytes, n, packets[k].length)
					.layers;
			cr_assert(l.end <= n);
			cr_assert(l.network == BPE_NO_OFFSET || l.network <= n);
			cr_assert(l.transport == BPE_NO_OFFSET || l.transport < n);
			cr_assert(l.payload == BPE_NO_OFFSET || l.payload <= n);
			cr_assert(n >= headers || l.flags & BPE_PKT_TRUNCATED,
				"packet %zu cut to %u", k, n);
			cr_assert(!(l.flags & (BPE_PKT_BAD_VERSION | BPE_PKT_BAD_HEADER |
						      BPE_PKT_BAD_LENGTH)));
		}
	}
}
