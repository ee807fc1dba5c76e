/* SPDX-License-Identifier: MIT */
/* Tests of packets inside packets: each way to carry a packet, nested, cut, and look-alikes; ICMP
 * errors. */
#include "arch/scalar/packet.h"
#include "parse_one.h"

#include <criterion/criterion.h>

/* The inner packet, 28 bytes. */
#define IN4 "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\0\x08\0\0"
#define IN6 IP6("\0\x08", "\x11") "\0\x35\0\x36\0\x08\0\0" /* 48 bytes */
#define OUT4(length, proto) "\x45\0" length "\0\0\0\0\x40" proto "\0\0\x0a\0\0\2\x0a\0\0\1"
#define OUT6(length, next)                                                                         \
	"\x60\0\0\0" length next "\x40"                                                            \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x04"                                               \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x03"
#define UDP(length, source, target) source target length "\0\0"
#define E4 ETHER("\x08\0") IN4 /* 42 bytes */

struct carried {
	const char *how;
	uint32_t length, network;
	const char *bytes;
};
#define CARRIED(how, network, bytes) { how, sizeof(bytes) - 1, network, bytes }

static const struct carried all[] = {
	CARRIED("IPIP", 20, OUT4("\0\x30", "\4") IN4),
	CARRIED("6in4", 20, OUT4("\0\x44", "\x29") IN6),
	CARRIED("4in6", 40, OUT6("\0\x1c", "\4") IN4),
	CARRIED("6in6 behind options", 48, OUT6("\0\x38", "\x3c") "\x29\0\1\4\0\0\0\0" IN6),
	CARRIED("GRE", 24, OUT4("\0\x34", "\x2f") "\0\0\x08\0" IN4),
	CARRIED("GRE, all fields", 36,
		OUT4("\0\x40", "\x2f") "\xb0\0\x08\0"
				       "sum."
				       "key."
				       "seq." IN4),
	CARRIED("GRE, Ethernet", 38, OUT4("\0\x42", "\x2f") "\0\0\x65\x58" E4),
	CARRIED("GRE, PPP", 34,
		OUT4("\0\x3e", "\x2f") "\x30\x01\x88\x0b"
				       "\0\x1e\0\0"
				       "seq."
				       "\0\x21" IN4),
	CARRIED("GRE, PPP with address and control", 36,
		OUT4("\0\x40", "\x2f") "\x30\x01\x88\x0b"
				       "\0\x20\0\0"
				       "seq."
				       "\xff\3\0\x21" IN4),
	CARRIED("GRE, MPLS", 28,
		OUT4("\0\x38", "\x2f") "\0\0\x88\x47"
				       "\0\1\1\x40" IN4),
	CARRIED("ERSPAN I", 38, OUT4("\0\x42", "\x2f") "\0\0\x88\xbe" E4),
	CARRIED("ERSPAN II", 50,
		OUT4("\0\x4e", "\x2f") "\x10\0\x88\xbe"
				       "seq."
				       "\x10\1\0\1\0\0\0\0" E4),
	CARRIED("ERSPAN III", 54,
		OUT4("\0\x52", "\x2f") "\x10\0\x22\xeb"
				       "seq."
				       "\x20\1\0\1"
				       "123456\0\6" E4),
	CARRIED("EtherIP", 36, OUT4("\0\x40", "\x61") "\x30\0" E4),
	CARRIED("VXLAN", 50,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\xc0\0", "\x12\xb5") "\x08\0\0\0\0\0\1\0" E4),
	CARRIED("VXLAN in IPv6", 70,
		OUT6("\0\x3a", "\x11") UDP("\0\x3a", "\xc0\0", "\x12\xb5") "\x08\0\0\0\0\0\1\0" E4),
	CARRIED("VXLAN, old port", 50,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\xc0\0", "\x21\x18") "\x08\0\0\0\0\0\1\0" E4),
	CARRIED("Geneve", 54,
		OUT4("\0\x52", "\x11") UDP("\0\x3e", "\xc0\0", "\x17\xc1") "\1\0\x65\x58\0\0\1\0"
									   "opt." E4),
	CARRIED("Geneve, IP", 36,
		OUT4("\0\x40", "\x11")
			UDP("\0\x2c", "\xc0\0", "\x17\xc1") "\0\0\x08\0\0\0\1\0" IN4),
	CARRIED("GTP-U", 36,
		OUT4("\0\x40", "\x11")
			UDP("\0\x2c", "\x08\x68", "\x08\x68") "\x30\xff\0\x1c\0\0\0\1" IN4),
	CARRIED("GTP-U, extension", 44,
		OUT4("\0\x48", "\x11")
			UDP("\0\x34", "\x08\x68", "\x08\x68") "\x34\xff\0\x24\0\0\0\1"
							      "\0\0\0\x85"
							      "\1\0\0\0" IN4),
	CARRIED("Teredo", 28, OUT4("\0\x4c", "\x11") UDP("\0\x38", "\x0d\xd8", "\xc0\0") IN6),
	CARRIED("Teredo, both headers", 49,
		OUT4("\0\x61", "\x11")
			UDP("\0\x4d", "\x0d\xd8", "\xc0\0") "\0\1\0\0"
							    "12345678\0"
							    "\0\0"
							    "\x3f\xff\xf5\xff\xff\xfd" IN6),
	CARRIED("L2TP", 38,
		OUT4("\0\x42", "\x11") UDP("\0\x2e", "\x06\xa5", "\x06\xa5") "\0\2\0\1\0\1"
									     "\xff\3\0\x21" IN4),
	CARRIED("L2TP, all fields", 46,
		OUT4("\0\x4a", "\x11") UDP("\0\x36", "\x06\xa5", "\x06\xa5") "\x4a\2\0\x2e\0\1\0\1"
									     "\0\1\0\2"
									     "\0\3..."
									     "\x21" IN4),
	CARRIED("GRE in VXLAN", 74,
		OUT4("\0\x66", "\x11")
			UDP("\0\x52", "\xc0\0", "\x12\xb5") "\x08\0\0\0\0\0\1\0" ETHER("\x08\0")
				OUT4("\0\x34", "\x2f") "\0\0\x08\0" IN4),
};

Test(tunnel, innermost_and_outermost)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const struct carried *t = &all[i];
		bool six = (uint8_t)t->bytes[t->network] >> 4 == 6;
		struct parsed r = parse_bytes(101, t->bytes, t->length, t->length);
		cr_assert(r.layers.flags & BPE_PKT_TUNNEL, "%s", t->how);
		cr_assert_eq(r.layers.network, t->network, "%s: %u", t->how, r.layers.network);
		cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0, "%s: %x", t->how, r.layers.flags);
		cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
		cr_assert_eq(r.layers.end, t->length);
		cr_assert_eq(r.layers.payload, t->length);
		cr_assert_eq(r.key.ip_version, six ? 6 : 4);
		cr_assert_arr_eq(r.key.addr[0],
			six ? "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			    : "\xc0\xa8\0\1\0\0\0\0\0\0\0\0\0\0\0\0",
			16, "%s", t->how);
		cr_assert_eq(r.key.port[0], 0x36);
		cr_assert_eq(r.key.port[1], 0x35);
		struct parsed outer = parse_as(101, t->bytes, t->length, t->length, true);
		cr_assert(!(outer.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_WRONG)), "%s", t->how);
		cr_assert_eq(outer.layers.network, 0);
		cr_assert_eq(outer.key.addr[0][0], (uint8_t)t->bytes[0] >> 4 == 6 ? 0x20 : 10);
	}
}

/* Parses each captured prefix: the flow is the innermost flow with a complete key. */
Test(tunnel, every_prefix)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (uint32_t n = 0; n < all[i].length; n++) {
			struct parsed r = parse_bytes(101, all[i].bytes, n, all[i].length);
			cr_assert(r.layers.end <= n &&
				  (r.layers.network == BPE_NO_OFFSET || r.layers.network <= n));
			cr_assert(r.layers.payload == BPE_NO_OFFSET ||
				  r.layers.payload <= r.layers.end);
			if (n >= ((uint8_t)all[i].bytes[0] >> 4 == 6 ? 40u : 20u))
				cr_assert(r.layers.flags & BPE_PKT_KEY, "%s cut to %u", all[i].how,
					n);
			cr_assert(!(r.layers.flags & BPE_PKT_BAD_LENGTH), "%s cut to %u",
				all[i].how, n);
		}
}

Test(tunnel, tags_are_those_of_the_inner_frame)
{
	struct parsed r = PARSE(1, ETHER("\x81\0\0\7\x08\0") OUT4("\0\x46",
					   "\x2f") "\0\0\x65\x58" ETHER("\x81\0\0\x09\x08\0") IN4);
	cr_assert_eq(r.layers.vlan_count, 1);
	cr_assert_eq(r.key.vlan[0], 9);
	r = PARSE(
		1, ETHER("\x81\0\0\7\x08\0") OUT4("\0\x30", "\4") IN4); /* without an inner frame */
	cr_assert_eq(r.key.vlan[0], 7);
	r = parse_as(1,
		ETHER("\x81\0\0\7\x08\0")
			OUT4("\0\x46", "\x2f") "\0\0\x65\x58" ETHER("\x81\0\0\x09\x08\0") IN4,
		88, 88, true);
	cr_assert_eq(r.key.vlan[0], 7);
}

/* Parses packets with a tunnel's number and without an inner flow: they belong to the outer flow,
 * without an error flag. */
Test(tunnel, look_alikes_keep_the_outer_flow)
{
	struct parsed r =
		PARSE(101, OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\xc0\0",
				   "\x12\xb5") "\0\0\0\0\0\0\1\0" E4); /* VXLAN without its flag */
	cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_WRONG), 0);
	cr_assert_eq(r.layers.transport, 20);
	cr_assert_eq(r.layers.payload, 28);
	cr_assert_eq(r.key.port[0] | r.key.port[1], 4789 | 0xc000);
	r = PARSE(101, OUT4("\0\x40", "\x2f") "\0\0\x65\x58" ETHER("\x08\x06") "arp, or not");
	cr_assert_eq(r.layers.ip_proto, 47);
	cr_assert_eq(r.layers.proto, BPE_PROTO_IP_OTHER);
	cr_assert_eq(r.layers.network, 0);
	r = PARSE(101, OUT4("\0\x18", "\x2f") "\0\0\0\0"); /* keepalive */
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
	r = PARSE(101, OUT4("\0\x30", "\x06") IN4); /* TCP is no tunnel */
	cr_assert(!(r.layers.flags & BPE_PKT_TUNNEL));
}

Test(tunnel, nested_to_a_bound)
{
	enum { MANY = 40 };
	uint8_t p[MANY * 20 + 28];
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t total = sizeof p - i * 20;
		memcpy(p + i * 20, OUT4("\0\0", "\4"), 20);
		p[i * 20 + 2] = (uint8_t)(total >> 8);
		p[i * 20 + 3] = (uint8_t)total;
	}
	memcpy(p + MANY * 20, IN4, 28);
	struct parsed r = parse_bytes(101, p, sizeof p, sizeof p);
	cr_assert_eq(r.layers.network, BPEI_MOST_TUNNELS * 20);
	cr_assert_eq(r.layers.ip_proto, 4);
	r = parse_bytes(101, p + (MANY - BPEI_MOST_TUNNELS) * 20, BPEI_MOST_TUNNELS * 20 + 28,
		BPEI_MOST_TUNNELS * 20 + 28);
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
}

/* Parses fragments of a tunnel packet: the first holds less than the inner packet's length, and
 * later fragments hold no inner header. */
Test(tunnel, fragments)
{
	struct parsed r = PARSE(101,
		"\x45\0\0\x30\0\1\x20\0\x40\4\0\0\x0a\0\0\2\x0a\0\0\1"
		"\x45\0\2\0\0\0\0\0\x40\x11\0\0\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\1\xec\0\0");
	cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_FIRST_FRAGMENT | BPE_PKT_WRONG),
		BPE_PKT_TUNNEL | BPE_PKT_FIRST_FRAGMENT);
	r = PARSE(101, "\x45\0\0\x30\0\1\0\2\x40\4\0\0\x0a\0\0\2\x0a\0\0\1" IN4);
	cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_FRAGMENT), BPE_PKT_FRAGMENT);
	cr_assert_eq(r.layers.network, 0);
}

Test(tunnel, an_icmp_error_is_of_the_flow_it_speaks_of)
{
#define SENT                                                                                       \
	"\x45\0\0\x28\0\1\x40\0\x40\6\0\0\x0a\0\0\2\xc0\xa8\0\1"                                   \
	"\xc0\x01\0\x50\0\0\0\1" /* 10.0.0.2 49153 > 192.168.0.1 80 */
	struct parsed flow = PARSE(101, "\x45\0\0\x28\0\1\x40\0\x40\6\0\0\x0a\0\0\2\xc0\xa8\0\1"
					"\xc0\x01\0\x50\0\0\0\1\0\0\0\2\x50\x10\xff\xff\0\0\0\0");
	struct parsed r = PARSE(101, "\x45\0\0\x38\0\0\0\0\x40\1\0\0\x0a\0\0\xfe\x0a\0\0\2"
				     "\3\1\0\0\0\0\0\0" SENT);
	cr_assert_eq(r.layers.proto, BPE_PROTO_ICMP);
	cr_assert_eq(r.layers.ip_proto, 1);
	cr_assert(r.layers.flags & BPE_PKT_ICMP_ERROR);
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
	cr_assert_eq(r.layers.transport, 20);
	cr_assert_eq(r.layers.payload, 28);
	cr_assert_arr_eq(&r.key, &flow.key, sizeof r.key);
	cr_assert_neq(r.layers.flags & BPE_PKT_REVERSED,
		flow.layers.flags & BPE_PKT_REVERSED); /* goes the other way */
	/* The quoted packet is too short, belongs to a later fragment, or follows no error message.
	 */
	r = PARSE(101, "\x45\0\0\x30\0\0\0\0\x40\1\0\0\x0a\0\0\xfe\x0a\0\0\2"
		       "\3\1\0\0\0\0\0\0"
		       "\x45\0\0\x28\0\1\x40\0\x40\6\0\0\x0a\0\0\2\xc0\xa8\0\1");
	cr_assert(!(r.layers.flags & BPE_PKT_ICMP_ERROR));
	cr_assert_eq(r.key.ip_proto, 1);
	r = PARSE(101, "\x45\0\0\x38\0\0\0\0\x40\1\0\0\x0a\0\0\xfe\x0a\0\0\2"
		       "\x0b\1\0\0\0\0\0\0"
		       "\x45\0\0\x28\0\1\0\2\x40\6\0\0\x0a\0\0\2\xc0\xa8\0\1"
		       "12345678");
	cr_assert_eq(r.key.ip_proto, 6);
	cr_assert_eq(r.key.port[0] | r.key.port[1], 0);
	r = PARSE(101, "\x45\0\0\x38\0\0\0\0\x40\1\0\0\x0a\0\0\xfe\x0a\0\0\2"
		       "\x0d\1\0\0\0\0\0\0" SENT);
	cr_assert(!(r.layers.flags & BPE_PKT_ICMP_ERROR));
	/* ICMPv6: packet too big, about an echo request. */
	r = PARSE(229, IP6("\0\x38", "\x3a") "\2\0\0\0\0\0\5\0" OUT6(
			       "\0\x08", "\x3a") "\x80\0\0\0\x12\x34\0\1");
	cr_assert(r.layers.flags & BPE_PKT_ICMP_ERROR);
	cr_assert_eq(r.key.port[0], 0x1234);
	cr_assert_eq(r.key.addr[0][15], 3);
}

Test(tunnel, recognised)
{
	struct parsed r = PARSE(101,
		OUT4("\0\x3c", "\x11") UDP("\0\x28", "\xca\x6c", "\xca\x6c") "\4\0\0\0"
									     "idx."
									     "counter."
									     "................");
	cr_assert_eq(r.layers.proto, BPE_PROTO_WIREGUARD);
	cr_assert_eq(r.layers.ip_proto, 17);
	cr_assert_eq(r.layers.payload, 28);
	r = PARSE(101, OUT4("\0\x24", "\x11") UDP("\0\x10", "\xca\x6c", "\xca\x6c") "\4\0\0\0"
										    "idx.");
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
	r = PARSE(101, OUT4("\0\x38", "\x70") "\x21\1\0\7\0\1\0\0"
					      "cccccccchhhhhhhhhhhhhhhhhhhh");
	cr_assert_eq(r.layers.proto, BPE_PROTO_CARP);
	r = PARSE(101, OUT4("\0\x28", "\x70") "\x21\1\x64\1\0\1\0\0"
					      "\x0a\0\0\1........");
	cr_assert_eq(r.layers.proto, BPE_PROTO_IP_OTHER);
	r = PARSE(101, OUT4("\0\x1c", "\x88") UDP("\0\x08", "\0\x35", "\0\x36"));
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDPLITE);
	cr_assert_eq(r.key.port[0], 0x36);
	cr_assert_eq(r.layers.payload, 28);
	r = PARSE(101, OUT4("\0\x24", "\x21") "\0\x35\0\x36\4\0\0\0\1\0\0\0\0\0\0\1");
	cr_assert_eq(r.layers.proto, BPE_PROTO_DCCP);
	cr_assert_eq(r.layers.payload, 36);
	cr_assert(PARSE(101, OUT4("\0\x24", "\x21") "\0\x35\0\x36\2\0\0\0\1\0\0\0\0\0\0\1")
			  .layers.flags &
		  BPE_PKT_BAD_HEADER);
	r = PARSE(101, OUT4("\0\x30", "\x33") "\x11\2\0\0\0\0\0\1\0\0\0\1....\0\x35\0\x36\0\x0c\0\0"
					      "pay."); /* AH in IPv4 */
	cr_assert_eq(r.layers.proto, BPE_PROTO_UDP);
	cr_assert_eq(r.layers.transport, 36);
}

Test(tunnel, ports_by_their_table)
{
	static const uint32_t ports[] = { 1701, 2152, 3386, 3544, 4754, 4789, 4790, 5247, 6081,
		6635, 8472, 37008, 51820 };
	const uint32_t n = sizeof ports / sizeof *ports;
	uint32_t found = 0;
	for (uint32_t p = 0; p < 65536; p++)
		found += bpei_tunnel_port(p);
	cr_assert_eq(found, n);
	for (uint32_t i = 0; i < n; i++)
		cr_assert(bpei_tunnel_port(ports[i]));
}
