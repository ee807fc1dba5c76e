/* SPDX-License-Identifier: MIT */
/* Tests of the less common link types: the same datagram follows each link header. */
#include "parse_one.h"

#include <criterion/criterion.h>

#define UDP4 "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1\0\x35\0\x36\0\x08\0\0"
#define LLC4 "\xaa\xaa\3\0\0\0\x08\0" UDP4
#define WLAN(control, more)                                                                        \
	control "\0\0"                                                                             \
		"AAAAAA"                                                                           \
		"BBBBBB"                                                                           \
		"CCCCCC"                                                                           \
		"\x10\0" more

struct where {
	uint32_t link, length, network;
	const char *bytes;
};
#define AT(link, network, bytes) { link, sizeof(bytes) - 1, network, bytes }

static const struct where packets[] = {
	AT(9, 2, "\0\x21" UDP4), /* PPP with the protocol field alone, in two bytes or in one */
	AT(9, 1, "\x21" UDP4),
	AT(9, 4, "\xff\3\0\x21" UDP4),
	AT(50, 4, "\xff\3\0\x21" UDP4),
	AT(50, 4, "\x0f\0\x08\0" UDP4),           /* PPP with Cisco's framing */
	AT(50, 8, "\xff\3\2\x81\0\1\1\x40" UDP4), /* MPLS in PPP */
	AT(51, 8, "\x11\0\0\1\0\x1e\0\x21" UDP4),
	AT(104, 4, "\x0f\0\x08\0" UDP4),
	AT(104, 8, "\x8f\0\x88\x47\0\1\1\x40" UDP4),
	AT(10, 21,
		"\x50"
		"AAAAAABBBBBB" LLC4),
	AT(6, 22,
		"\x10\x40"
		"AAAAAABBBBBB" LLC4),
	AT(6, 26,
		"\x10\x40"
		"AAAAAA"
		"\x80"
		"BBBBB"
		"\4\x10\0\1" LLC4), /* with a route */
	AT(138, 18,
		"AAAAAAAABBBBBBBB"
		"\x08\0" UDP4),
	AT(226, 24,
		"\1\2"
		"\0\0"
		"\0\0\0\x1c"
		"\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0" UDP4),
	AT(109, 12,
		"\2\0\0\0"
		"spi."
		"flag" UDP4),
	AT(117, 64,
		"\x3d\2\0\0"
		"em0............."
		"................"
		"................"
		"............" UDP4),
	AT(105, 32, WLAN("\x08\0", LLC4)),
	AT(105, 34, WLAN("\x88\0", "\0\0" LLC4)),   /* QoS */
	AT(105, 38, WLAN("\x08\3", "DDDDDD" LLC4)), /* from one distribution system to another */
	AT(127, 40, "\0\0\x08\0\0\0\0\0" WLAN("\x08\0", LLC4)),
	AT(127, 45,
		"\0\0\x09\0\2\0\0\0\x20" WLAN(
			"\x88\0", "\0\0\0\0" LLC4)), /* filled up to a multiple of 4 */
	AT(119, 40, "\0\0\0\x44\x08\0\0\0" WLAN("\x08\0", LLC4)),
	AT(163, 40, "\x80\x21\x10\1\0\0\0\x08" WLAN("\x08\0", LLC4)),
	AT(192, 8, "\0\0\x08\0\x65\0\0\0" UDP4),
	AT(192, 22, "\0\0\x08\0\1\0\0\0" ETHER("\x08\0") UDP4),
	AT(192, 40, "\0\0\x08\0\x69\0\0\0" WLAN("\x08\0", LLC4)),
	AT(258, 54,
		"\x28\0\0\0\0\0\1\0"
		"............................"
		"\1\0\x08\0" ETHER("\x08\0") UDP4), /* version 2 */
	AT(1, 18, ETHER("\x88\x47") "\0\1\1\x40" UDP4),
	AT(1, 22, ETHER("\x88\x47") "\0\1\0\x40\0\1\1\x40" UDP4),
	AT(1, 22, ETHER("\x88\x64") "\x11\0\0\1\0\x1e\0\x21" UDP4),
	AT(1, 26, ETHER("\x81\0\0\7\x88\x64") "\x11\0\0\1\0\x1e\0\x21" UDP4),
	AT(1, 22, ETHER("\0\x24") LLC4),
};

Test(link, the_datagram_is_found_behind_every_header)
{
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		const struct where *w = &packets[i];
		struct parsed r = parse_bytes(w->link, w->bytes, w->length, w->length);
		cr_assert_eq(r.layers.network, w->network, "packet %zu: network %u", i,
			r.layers.network);
		cr_assert_eq(
			r.layers.proto, BPE_PROTO_UDP, "packet %zu: proto %u", i, r.layers.proto);
		cr_assert_eq(r.layers.transport, w->network + 20);
		cr_assert_eq(r.layers.payload, w->length);
		cr_assert_eq(r.layers.end, w->length);
		cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0, "packet %zu: flags %x", i,
			r.layers.flags);
		cr_assert_eq(r.key.port[0], 0x36);
		cr_assert_eq(r.layers.link_type, w->link);
	}
}

/* Parses each packet cut at each length: the result is no flow or the right flow, never another. */
Test(link, every_prefix)
{
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++)
		for (uint32_t n = 0; n < packets[i].length; n++) {
			struct parsed r = parse_bytes(
				packets[i].link, packets[i].bytes, n, packets[i].length);
			cr_assert(r.layers.end <= n);
			cr_assert(r.layers.network == BPE_NO_OFFSET || r.layers.network <= n);
			if (r.layers.flags & BPE_PKT_KEY)
				cr_assert_eq(r.layers.network, packets[i].network);
			else
				cr_assert(r.layers.flags & BPE_PKT_TRUNCATED ||
						  r.layers.proto != BPE_PROTO_NONE,
					"packet %zu cut to %u", i, n);
		}
}

Test(link, what_is_no_datagram)
{
	struct parsed r = PARSE(105, WLAN("\x80\0", "beacon"));
	cr_assert_eq(r.layers.proto, BPE_PROTO_LINKTYPE);
	cr_assert_eq(r.layers.payload, 0);
	r = PARSE(105, WLAN("\x08\x40", LLC4)); /* encrypted */
	cr_assert_eq(r.layers.proto, BPE_PROTO_LINKTYPE);
	r = PARSE(9, "\xff\3\xc0\x21\1\1\0\4"); /* LCP */
	cr_assert_eq(r.layers.proto, BPE_PROTO_ETHERTYPE);
	cr_assert_eq(r.layers.ethertype, 0x880b);
	r = PARSE(104, "\x8f\0\x80\x35\0\0\0\2\0\0\0\1\0\0\0\1\xff\xff"); /* SLARP, not RARP */
	cr_assert_eq(r.layers.proto, BPE_PROTO_ETHERTYPE);
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
	r = PARSE(192, "\0\0\x08\0\x8f\3\0\0"
		       "who knows");
	cr_assert_eq(r.layers.proto, BPE_PROTO_LINKTYPE);
	r = PARSE(192, "\0\0\x04\0\1\0\0\0");
	cr_assert(r.layers.flags & BPE_PKT_BAD_HEADER);
	cr_assert(PARSE(117, "\3\2\0\0xxxxyyyy").layers.flags & BPE_PKT_BAD_HEADER);
	r = PARSE(258, "\x28\0\0\0\0\0\1\0"
		       "............................"
		       "\2\0\x08\0" ETHER("\x08\0") UDP4);
	cr_assert(r.layers.flags & BPE_PKT_OUTGOING);
	r = PARSE(1, ETHER("\x88\x63") "\x11\x09\0\0\0\4\1\1\0\0");
	cr_assert_eq(r.layers.ethertype, 0x8863);
	cr_assert_eq(r.layers.flags & BPE_PKT_WRONG, 0);
}

/* Parses a padded PPPoE session: the length of the PPPoE header ends the packet. */
Test(link, pppoe_length)
{
	struct parsed r =
		PARSE(1, ETHER("\x88\x64") "\x11\0\0\1\0\x1e\0\x21"
					   "\x45\0\0\0\0\0\0\0\x40\xfd\0\0\x0a\0\0\2\x0a\0\0\1"
					   "12345678"
					   "padding");
	cr_assert_eq(r.layers.end, 50);
}
