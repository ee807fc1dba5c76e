/* SPDX-License-Identifier: MIT */
/* Tests of each kind of tunnel and of each header that the parser skips.  Packets made by hand are
 * reported, cut at every length, closed by option and damaged.  The last tests cover the parts of a
 * tunnel header that belong to a flow's identity. */
#include "arch/scalar/packet.h"
#include "parse_one.h"

#include <criterion/criterion.h>

/* The inner packet, 28 bytes. */
#define IN4 "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\0\x08\0\0"
#define OUT4(length, proto) "\x45\0" length "\0\0\0\0\x40" proto "\0\0\x0a\0\0\2\x0a\0\0\1"
#define OUT6(length, next)                                                                         \
	"\x60\0\0\0" length next "\x40"                                                            \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x04"                                               \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x03"
#define UDP(length, target) "\xc0\0" target length "\0\0"
#define E4 ETHER("\x08\0") IN4            /* 42 bytes */
#define LLC4 "\xaa\xaa\3\0\0\0\x08\0" IN4 /* 36 bytes */
/* 802.11 frames: to the access point, and with QoS control. */
#define DATA                                                                                       \
	"\x08\1\0\0"                                                                               \
	"\2\0\0\0\0\1"                                                                             \
	"\2\0\0\0\0\2"                                                                             \
	"\2\0\0\0\0\3"                                                                             \
	"\0\0"
#define QOS(first, second)                                                                         \
	"\x88\1\0\0"                                                                               \
	"\2\0\0\0\0\1"                                                                             \
	"\2\0\0\0\0\2"                                                                             \
	"\2\0\0\0\0\3"                                                                             \
	"\0\0" first second
#define SWAPPED                                                                                    \
	"\1\x08\0\0"                                                                               \
	"\2\0\0\0\0\1"                                                                             \
	"\2\0\0\0\0\2"                                                                             \
	"\2\0\0\0\0\3"                                                                             \
	"\0\0"

struct carried {
	const char *how;
	uint32_t link_type, kind, id, length, network;
	const char *bytes;
};
#define IP(how, kind, id, network, bytes)                                                          \
	{ how, 101, BPE_TUNNEL_##kind, id, sizeof(bytes) - 1, network, bytes }
#define FRAME(how, kind, id, network, bytes)                                                       \
	{ how, 1, BPE_TUNNEL_##kind, id, sizeof(bytes) - 1, network, bytes }
#define AIR(how, kind, network, bytes)                                                             \
	{ how, 105, BPE_TUNNEL_##kind, 0, sizeof(bytes) - 1, network, bytes }
#define NO_ID 0xffffffffu

static const struct carried tunnels[] = {
	IP("IPIP", IPIP, NO_ID, 20, OUT4("\0\x30", "\4") IN4),
	IP("GRE with a key", GRE, 0x01020304, 28,
		OUT4("\0\x38", "\x2f") "\x20\0\x08\0"
				       "\1\2\3\4" IN4),
	IP("GRE, reserved bits", GRE, NO_ID, 24, OUT4("\0\x34", "\x2f") "\x0f\xf8\x08\0" IN4),
	IP("GRE with routes", GRE, NO_ID, 40,
		OUT4("\0\x44", "\x2f") "\x40\0\x08\0"
				       "sum."
				       "\x08\0\0\4\x0a\0\0\1"
				       "\0\0\0\0" IN4),
	IP("PPTP", GRE, 0x1234, 34,
		OUT4("\0\x3e", "\x2f") "\x30\x01\x88\x0b"
				       "\0\x1e\x12\x34"
				       "seq."
				       "\0\x21" IN4),
	IP("ERSPAN II", ERSPAN, 0x123, 50,
		OUT4("\0\x4e", "\x2f") "\x10\0\x88\xbe"
				       "seq."
				       "\x10\1\xfd\x23\0\0\0\0" E4),
	IP("ERSPAN III", ERSPAN, 1, 54,
		OUT4("\0\x52", "\x2f") "\x10\0\x22\xeb"
				       "seq."
				       "\x20\1\0\1"
				       "1234"
				       "56\x00\x06" E4),
	IP("ERSPAN III, IP", ERSPAN, 1, 40,
		OUT4("\0\x44", "\x2f") "\x10\0\x22\xeb"
				       "seq."
				       "\x20\1\0\1"
				       "1234"
				       "56\x88\x06" IN4),
	IP("EoIP", EOIP, 7, 42,
		OUT4("\0\x46", "\x2f") "\x20\x01\x64\0"
				       "\0\x2a\7\0" E4),
	IP("WCCP", WCCP, NO_ID, 24, OUT4("\0\x34", "\x2f") "\0\0\x88\x3e" IN4),
	IP("WCCP 2", WCCP, NO_ID, 28,
		OUT4("\0\x38", "\x2f") "\0\0\x88\x3e"
				       "\1\0\0\0" IN4),
	IP("EtherIP, reserved bits", ETHERIP, NO_ID, 36, OUT4("\0\x40", "\x61") "\x3f\xff" E4),
	IP("MPLS in IP", MPLS_IP, NO_ID, 24, OUT4("\0\x34", "\x89") "\0\1\1\x40" IN4),
	IP("protocol 143", SRV6, 0, 54, OUT6("\0\x2a", "\x8f") E4),
	IP("VXLAN, all reserved bits", VXLAN, 0x123456, 50,
		OUT4("\0\x4e", "\x11")
			UDP("\0\x3a", "\x12\xb5") "\xff\xff\xff\xff\x12\x34\x56\xff" E4),
	IP("VXLAN-GPE, IPv4", VXLAN_GPE, 5, 36,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x12\xb6") "\x0c\0\0\1\0\0\5\0" IN4),
	IP("VXLAN-GPE, Ethernet", VXLAN_GPE, 5, 50,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x12\xb6") "\x0c\0\0\3\0\0\5\0" E4),
	IP("VXLAN-GPE, as VXLAN", VXLAN_GPE, 5, 50,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x12\xb6") "\x08\0\0\0\0\0\5\0" E4),
	IP("VXLAN-GPE, NSH", NSH, 9, 44,
		OUT4("\0\x48", "\x11") UDP("\0\x34", "\x12\xb6") "\x0c\0\0\4\0\0\5\0"
								 "\0\2\2\1\0\0\x09\xff" IN4),
	IP("Geneve, reserved bits", GENEVE, 1, 36,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x17\xc1") "\0\x3f\x08\0\0\0\1\xff" IN4),
	IP("GTP-U, spare bit", GTPU, 1, 36,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x08\x68") "\x38\xff\0\x1c\0\0\0\1" IN4),
	IP("L2TP, reserved bits", L2TP, 0x00030004, 38,
		OUT4("\0\x42", "\x11") UDP("\0\x2e", "\x06\xa5") "\x34\xf2\0\3\0\4"
								 "\xff\3\0\x21" IN4),
	IP("Teredo", TEREDO, NO_ID, 28,
		OUT4("\0\x4c", "\x11") UDP("\0\x38", "\x0d\xd8")
			IP6("\0\x08", "\x11") "\0\x35\0\x36\0\x08\0\0"),
	IP("GRE in UDP", GRE_UDP, 8, 36,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x12\x92") "\x20\0\x08\0\0\0\0\x08" IN4),
	IP("MPLS in UDP", MPLS_UDP, NO_ID, 32,
		OUT4("\0\x3c", "\x11") UDP("\0\x28", "\x19\xeb") "\0\1\1\x40" IN4),
	IP("TZSP", TZSP, NO_ID, 51,
		OUT4("\0\x4f", "\x11") UDP("\0\x3b", "\x90\x90") "\1\0\0\1"
								 "\0"
								 "\x0a\1\x33"
								 "\1" E4),
	IP("TZSP, 802.11", TZSP, NO_ID, 65,
		OUT4("\0\x5d", "\x11") UDP("\0\x49", "\x90\x90") "\1\0\0\x12"
								 "\1" DATA LLC4),
	IP("CAPWAP, 802.3", CAPWAP, NO_ID, 50,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x14\x7f") "\0\x10\2\0\0\0\0\0" E4),
	IP("CAPWAP, 802.11", CAPWAP, NO_ID, 76,
		OUT4("\0\x68", "\x11") UDP("\0\x54", "\x14\x7f") "\0\x20\3\0\0\0\0\0"
								 "wireless" DATA LLC4),
	IP("CAPWAP, swapped", CAPWAP, NO_ID, 68,
		OUT4("\0\x60", "\x11") UDP("\0\x4c", "\x14\x7f") "\0\x10\3\0\0\0\0\0" SWAPPED LLC4),
	FRAME("PBB", PBB, 0x123456, 32, ETHER("\x88\xe7") "\x01\x12\x34\x56" E4),
	FRAME("PBB behind a tag", PBB, 1, 36, ETHER("\x88\xa8\0\5\x88\xe7") "\0\0\0\1" E4),
	FRAME("Ethernet over MPLS, control word", EOMPLS, 0x10, 36,
		ETHER("\x88\x47") "\0\1\1\x40"
				  "\0\0\0\1" E4),
	FRAME("Ethernet over MPLS", EOMPLS, 0x20, 36,
		ETHER("\x88\x47") "\0\1\0\x40"
				  "\0\2\1\x40" E4),
	FRAME("Ethernet over MPLS, like IPv4", EOMPLS, 0x10, 32,
		ETHER("\x88\x47") "\0\1\1\x40"
				  "\x48\0\0\0\0\1\2\0\0\0\0\1\x08\0" IN4),
	FRAME("Ethernet over MPLS, like IPv6", EOMPLS, 0x10, 32,
		ETHER("\x88\x47") "\0\1\1\x40"
				  "\x60\0\0\0\xff\1\2\0\0\0\0\1\x08\0" IN4),
	FRAME("NSH", NSH, 0x12, 30,
		ETHER("\x89\x4f") "\x0f\xc4\2\1\0\0\x12\xff"
				  "context." IN4),
	FRAME("NSH, Ethernet", NSH, 0x12, 36, ETHER("\x89\x4f") "\x0f\xc2\2\3\0\0\x12\xff" E4),
	FRAME("FabricPath", FABRICPATH, NO_ID, 30, ETHER("\x89\x03") "\0\1" E4),
};

/* Frames with the packet IN4 behind a header that the parser skips. */
static const struct carried shims[] = {
	FRAME("VN-Tag", VNTAG, 0, 20, ETHER("\x89\x26") "\0\1\0\0\x08\0" IN4),
	FRAME("VN-Tag and a VLAN tag", VNTAG, 0, 24,
		ETHER("\x89\x26") "\0\1\0\0\x81\0\0\5\x08\0" IN4),
	FRAME("E-Tag", ETAG, 0, 22, ETHER("\x89\x3f") "\0\0\0\1\0\0\x08\0" IN4),
	FRAME("Cisco metadata", CISCO_METADATA, 0, 22,
		ETHER("\x89\x09") "\1\1\0\1\0\x0a\x08\0" IN4),
	FRAME("HSR", HSR, 0, 20, ETHER("\x89\x2f") "\0\x22\0\7\x08\0" IN4),
	FRAME("Arista, 64 bits", ARISTA, 0, 28,
		ETHER("\xd2\x8b") "\0\1\1\x10"
				  "seconds."
				  "\x08\0" IN4),
	FRAME("Arista, 48 bits", ARISTA, 0, 26,
		ETHER("\xd2\x8b") "\0\1\0\x20"
				  "second"
				  "\x08\0" IN4),
	FRAME("MACsec", MACSEC, 0, 22, ETHER("\x88\xe5") "\0\0\0\0\0\1\x08\0" IN4),
	FRAME("MACsec, channel", MACSEC, 0, 30,
		ETHER("\x88\xe5") "\x23\0\0\0\0\1"
				  "channel."
				  "\x08\0" IN4),
	FRAME("LLC 06", LLC_IP, 0, 17, ETHER("\0\x1f") "\6\6\3" IN4),
	AIR("mesh control", MESH, 40, QOS("\0", "\1") "\0\x1f\0\0\0\1" LLC4),
	AIR("mesh control, two addresses", MESH, 52,
		QOS("\0", "\1") "\2\x1f\0\0\0\1"
				"addr4.addr5." LLC4),
	AIR("A-MSDU", AMSDU, 48, QOS("\x80", "\0") "\2\0\0\0\0\4\2\0\0\0\0\5\0\x24" LLC4),
};

static struct parsed parse_with_closed(
	const struct carried *t, uint32_t n, uint64_t closed, struct bpe_tunnel *reported)
{
	struct parsed r;
	uint8_t *copy = malloc(n ? n : 1);
	uint8_t outgoing = 0;
	memcpy(copy, t->bytes, n);
	const uint8_t *data = copy;
	uint32_t wirelen = t->length;
	struct bpei_columns c = { .data = &data,
		.caplen = &n,
		.wirelen = &wirelen,
		.layers = &r.layers,
		.key = &r.key,
		.outgoing = &outgoing,
		.closed = closed,
		.tunnel = reported };
	bpei_parse_scalar(&c, 1, t->link_type, NULL);
	free(copy);
	return r;
}

static void check_inner_key(const struct carried *t, const struct parsed *r)
{
	const bool six = r->key.ip_version == 6;
	cr_assert(r->layers.flags & BPE_PKT_KEY, "%s", t->how);
	cr_assert_eq(r->layers.network, t->network, "%s: %u", t->how, r->layers.network);
	cr_assert_eq(r->layers.flags & BPE_PKT_WRONG, 0, "%s: %x", t->how, r->layers.flags);
	cr_assert_eq(r->layers.proto, BPE_PROTO_UDP, "%s", t->how);
	cr_assert_arr_eq(r->key.addr[0], six ? "\x20\1\x0d\xb8" : "\xc0\xa8\0\1", 4, "%s", t->how);
	cr_assert_eq(r->key.port[0] | r->key.port[1] << 16, 0x350036, "%s", t->how);
	cr_assert_eq(r->layers.end, t->length, "%s: %u", t->how, r->layers.end);
}

Test(encapsulation, tunnels_are_entered_and_reported)
{
	for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++) {
		const struct carried *t = &tunnels[i];
		struct bpe_tunnel reported = { .kind = 0 };
		struct parsed r = parse_with_closed(t, t->length, 0, &reported);
		check_inner_key(t, &r);
		cr_assert(r.layers.flags & BPE_PKT_TUNNEL, "%s", t->how);
		cr_assert_eq(reported.kind, t->kind, "%s: %u", t->how, reported.kind);
		const bool in_ip = t->link_type != 1 && reported.depth == 1;
		cr_assert_eq(
			reported.ip_version, in_ip ? (uint8_t)t->bytes[0] >> 4 : 0, "%s", t->how);
		if (reported.ip_version == 4)
			cr_assert_arr_eq(reported.addr, "\x0a\0\0\2", 4, "%s", t->how);
		if (t->kind == BPE_TUNNEL_SRV6)
			continue; /* the id is a digest of the segments */
		cr_assert_eq(reported.has_id, t->id != NO_ID, "%s", t->how);
		if (reported.has_id)
			cr_assert_eq(reported.id, t->id, "%s: %x", t->how, reported.id);
	}
}

Test(encapsulation, shims_are_skipped)
{
	for (size_t i = 0; i < sizeof shims / sizeof *shims; i++) {
		struct bpe_tunnel reported = { .kind = 0 };
		struct parsed r = parse_with_closed(&shims[i], shims[i].length, 0, &reported);
		check_inner_key(&shims[i], &r);
		cr_assert(!(r.layers.flags & BPE_PKT_TUNNEL) && !reported.kind && !r.key.tunnel,
			"%s", shims[i].how);
		cr_assert(r.layers.ethertype == 0x0800, "%s: %x", shims[i].how, r.layers.ethertype);
	}
	struct parsed r = parse_with_closed(&shims[1], shims[1].length, 0, NULL);
	cr_assert_eq(r.key.vlan[0], 5);
}

/* Parses each captured prefix: no read passes the end, and no length is reported as wrong. */
static void parse_every_prefix(const struct carried *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < t[i].length; k++) {
			struct parsed r = parse_with_closed(&t[i], k, 0, NULL);
			cr_assert(r.layers.end <= k && (r.layers.network == BPE_NO_OFFSET ||
							       r.layers.network <= k),
				"%s", t[i].how);
			cr_assert(r.layers.payload == BPE_NO_OFFSET || r.layers.payload <= k,
				"%s cut to %u", t[i].how, k);
			cr_assert(!(r.layers.flags & BPE_PKT_BAD_LENGTH), "%s cut to %u", t[i].how,
				k);
		}
}

Test(encapsulation, every_prefix)
{
	parse_every_prefix(tunnels, sizeof tunnels / sizeof *tunnels);
	parse_every_prefix(shims, sizeof shims / sizeof *shims);
}

/* Closes each kind by option: the parser does not enter closed kinds, and enters all others. */
Test(encapsulation, closed)
{
	uint64_t all = 0;
	for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
		all |= BPE_TUNNEL_BIT(tunnels[i].kind);
	for (size_t i = 0; i < sizeof shims / sizeof *shims; i++)
		all |= BPE_TUNNEL_BIT(shims[i].kind);
	cr_assert_eq(all, BPE_TUNNEL_BIT(BPE_TUNNEL_COUNT) - 2, "each kind is tried");
	for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++) {
		const struct carried *t = &tunnels[i];
		struct parsed r = parse_with_closed(t, t->length, BPE_TUNNEL_BIT(t->kind), NULL);
		cr_assert_neq(r.layers.network, t->network, "%s", t->how);
		r = parse_with_closed(t, t->length, UINT64_MAX, NULL);
		cr_assert(!(r.layers.flags & BPE_PKT_TUNNEL), "%s", t->how);
	}
	for (size_t i = 0; i < sizeof shims / sizeof *shims; i++) {
		struct parsed r = parse_with_closed(
			&shims[i], shims[i].length, BPE_TUNNEL_BIT(shims[i].kind), NULL);
		cr_assert(!(r.layers.flags & BPE_PKT_KEY), "%s", shims[i].how);
		r = parse_with_closed(
			&shims[i], shims[i].length, all & ~BPE_TUNNEL_BIT(shims[i].kind), NULL);
		cr_assert(r.layers.flags & BPE_PKT_KEY, "%s", shims[i].how);
	}
}

/* Packets that keep the outer flow: other versions, encrypted, fragments, other payloads. */
static const struct carried look_alikes[] = {
	IP("GRE, version 2", GRE, 0, 0, OUT4("\0\x34", "\x2f") "\0\2\x08\0" IN4),
	IP("GRE, routes without an end", GRE, 0, 0,
		OUT4("\0\x3c", "\x2f") "\x40\0\x08\0"
				       "sum."
				       "\x08\0\0\x80" IN4),
	IP("EoIP without a key", EOIP, 0, 0,
		OUT4("\0\x46", "\x2f") "\0\x01\x64\0"
				       "\0\x2a\7\0" E4),
	IP("ERSPAN III, another frame", ERSPAN, 0, 0,
		OUT4("\0\x44", "\x2f") "\x10\0\x22\xeb"
				       "seq."
				       "\x20\1\0\1"
				       "1234"
				       "56\x84\x06" IN4),
	IP("EtherIP, version 4", ETHERIP, 0, 0, OUT4("\0\x40", "\x61") "\x40\0" E4),
	IP("VXLAN without a VNI", VXLAN, 0, 0,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x12\xb5") "\xf7\0\0\0\0\0\1\0" E4),
	IP("VXLAN-GPE, version 1", VXLAN_GPE, 0, 0,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x12\xb6") "\x1c\0\0\1\0\0\5\0" IN4),
	IP("VXLAN-GPE, unknown protocol", VXLAN_GPE, 0, 0,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x12\xb6") "\x0c\0\0\x80\0\0\5\0" IN4),
	IP("Geneve, version 1", GENEVE, 0, 0,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x17\xc1") "\x40\0\x08\0\0\0\1\0" IN4),
	IP("GTP-U, version 2", GTPU, 0, 0,
		OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x08\x68") "\x50\xff\0\x1c\0\0\0\1" IN4),
	IP("L2TP, version 3", L2TP, 0, 0,
		OUT4("\0\x42", "\x11") UDP("\0\x2e", "\x06\xa5") "\0\3\0\3\0\4"
								 "\xff\3\0\x21" IN4),
	IP("TZSP, keep-alive", TZSP, 0, 0,
		OUT4("\0\x4b", "\x11") UDP("\0\x37", "\x90\x90") "\1\4\0\1"
								 "\1" E4),
	IP("TZSP without an end", TZSP, 0, 0,
		OUT4("\0\x4c", "\x11") UDP("\0\x38", "\x90\x90") "\1\0\0\1"
								 "\x0a\xff" E4),
	IP("TZSP's port as a source", TZSP, 0, 0,
		OUT4("\0\x4b", "\x11") "\x90\x90\0\x35\0\x37\0\0"
				       "\1\0\0\1"
				       "\1" E4),
	IP("CAPWAP, DTLS", CAPWAP, 0, 0,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x14\x7f") "\1\x10\2\0\0\0\0\0" E4),
	IP("CAPWAP, fragment", CAPWAP, 0, 0,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x14\x7f") "\0\x10\2\x80\0\0\0\0" E4),
	IP("CAPWAP, keep-alive", CAPWAP, 0, 0,
		OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x14\x7f") "\0\x10\2\x08\0\0\0\0" E4),
};

/* Frames that belong to no flow, because the parser finds no IP header behind the shim. */
static const struct carried no_flow[] = {
	FRAME("NSH, version 1", NSH, 0, 0, ETHER("\x89\x4f") "\x4f\xc2\2\1\0\0\x12\xff" IN4),
	FRAME("NSH, too short", NSH, 0, 0, ETHER("\x89\x4f") "\x0f\xc1\2\1\0\0\x12\xff" IN4),
	FRAME("MACsec, encrypted", MACSEC, 0, 0, ETHER("\x88\xe5") "\x0c\0\0\0\0\1\x08\0" IN4),
	FRAME("MACsec, version 1", MACSEC, 0, 0, ETHER("\x88\xe5") "\x80\0\0\0\0\1\x08\0" IN4),
	FRAME("Cisco metadata, version 2", CISCO_METADATA, 0, 0,
		ETHER("\x89\x09") "\2\1\0\1\0\x0a\x08\0" IN4),
	FRAME("Arista, another kind", ARISTA, 0, 0,
		ETHER("\xd2\x8b") "\0\2\1\x10"
				  "seconds."
				  "\x08\0" IN4),
	FRAME("LLC 06, no IP", LLC_IP, 0, 0,
		ETHER("\0\x1f") "\6\6\3"
				"\x65\0\0\x1c\0\0\0\0\x40\x11\0\0\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\0\x08\0\0"),
	FRAME("PBB, no IP in it", PBB, 0, 0,
		ETHER("\x88\xe7") "\0\0\0\1" ETHER("\x08\x06") "arp, or not"),
	FRAME("a pseudowire's own channel", EOMPLS, 0, 0,
		ETHER("\x88\x47") "\0\1\1\x40"
				  "\x10\0\0\x21" IN4),
};

/* Parses other versions, encrypted packets, fragments and other payloads: the parser does not enter
 * them. */
Test(encapsulation, look_alikes_keep_the_outer_flow)
{
	for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes; i++) {
		const struct carried *t = &look_alikes[i];
		struct parsed r = parse_with_closed(t, t->length, 0, NULL);
		cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_KEY | BPE_PKT_WRONG),
			BPE_PKT_KEY, "%s: %x", t->how, r.layers.flags);
		cr_assert_eq(r.layers.network, 0, "%s", t->how);
	}
	for (size_t i = 0; i < sizeof no_flow / sizeof *no_flow; i++) {
		struct parsed r = parse_with_closed(&no_flow[i], no_flow[i].length, 0, NULL);
		cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_KEY | BPE_PKT_WRONG), 0,
			"%s: %x", no_flow[i].how, r.layers.flags);
	}
}

Test(encapsulation, mesh_control_only_where_no_llc_header_is)
{
	struct parsed r = PARSE(
		105, QOS("\0", "\1") LLC4); /* the bit has another meaning for other stations */
	cr_assert(r.layers.flags & BPE_PKT_KEY);
	cr_assert_eq(r.layers.network, 34);
	r = PARSE(105, QOS("\0", "\1") "\3\x1f\0\0\0\1" LLC4);
	cr_assert(!(r.layers.flags & BPE_PKT_KEY));
}

Test(encapsulation, labels_before_ip_are_no_tunnel)
{
	struct parsed r = PARSE(1,
		ETHER("\x88\x47") "\0\1\1\x40"
				  "\x45\0\0\x1c\0\0\0\0\x40\x11\xf9\x7c\xc0\xa8\0\2\xc0\xa8\0\1\0\x35\0\x36\0\x08\0\0");
	cr_assert_eq(r.layers.flags & (BPE_PKT_TUNNEL | BPE_PKT_KEY), BPE_PKT_KEY);
	cr_assert_eq(r.key.tunnel, 0);
}

static struct parsed parse_changed_tunnel(const struct carried *t, const char *from, const char *to,
	size_t at, size_t n, uint32_t *way)
{
	struct parsed r;
	uint8_t copy[256];
	memcpy(copy, t->bytes, t->length);
	if (from) {
		cr_assert(!memcmp(copy + at, from, n));
		memcpy(copy + at, to, n);
	}
	const uint8_t *data = copy;
	uint32_t length = t->length;
	struct bpei_columns c = { .data = &data,
		.caplen = &length,
		.wirelen = &length,
		.layers = &r.layers,
		.key = &r.key,
		.way = way };
	bpei_parse_scalar(&c, 1, t->link_type, NULL);
	return r;
}

/* Changed bytes of a tunnel header: the same key (0), another key (1), or the same key and another
 * way (2) follows. */
static const struct {
	struct carried t;
	const char *from, *to;
	size_t at, n;
	int other;
} changes[] = {
	{ IP("VXLAN", VXLAN, 0, 0,
		  OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x12\xb5") "\x08\0\0\0\0\0\1\0" E4),
		"\1", "\2", 34, 1, 1 },
	{ IP("VXLAN, another end", VXLAN, 0, 0,
		  OUT4("\0\x4e", "\x11") UDP("\0\x3a", "\x12\xb5") "\x08\0\0\0\0\0\1\0" E4),
		"\2", "\3", 15, 1, 0 },
	{ IP("GRE, key", GRE, 0, 0,
		  OUT4("\0\x38", "\x2f") "\x20\0\x08\0"
					 "\1\2\3\4" IN4),
		"\4", "\5", 27, 1, 1 },
	{ IP("GRE, ends", GRE, 0, 0, OUT4("\0\x34", "\x2f") "\0\0\x08\0" IN4), "\2", "\3", 15, 1,
		1 },
	{ IP("GRE, the way back", GRE, 0, 0, OUT4("\0\x34", "\x2f") "\0\0\x08\0" IN4),
		"\x0a\0\0\2\x0a\0\0\1", "\x0a\0\0\1\x0a\0\0\2", 12, 8, 0 },
	{ IP("IPIP", IPIP, 0, 0, OUT4("\0\x30", "\4") IN4), "\2", "\3", 15, 1, 1 },
	{ IP("IPIP, the way back", IPIP, 0, 0, OUT4("\0\x30", "\4") IN4), "\x0a\0\0\2\x0a\0\0\1",
		"\x0a\0\0\1\x0a\0\0\2", 12, 8, 0 },
	{ IP("GTP-U, TEID", GTPU, 0, 0,
		  OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x08\x68") "\x30\xff\0\x1c\0\0\0\1" IN4),
		"\1", "\2", 35, 1, 2 },
	{ IP("GTP-U, ends", GTPU, 0, 0,
		  OUT4("\0\x40", "\x11") UDP("\0\x2c", "\x08\x68") "\x30\xff\0\x1c\0\0\0\1" IN4),
		"\2", "\3", 15, 1, 1 },
	{ IP("L2TP", L2TP, 0, 0,
		  OUT4("\0\x42", "\x11") UDP("\0\x2e", "\x06\xa5") "\0\2\0\3\0\4"
								   "\xff\3\0\x21" IN4),
		"\4", "\5", 33, 1, 2 },
	{ IP("EoIP", EOIP, 0, 0,
		  OUT4("\0\x46", "\x2f") "\x20\x01\x64\0"
					 "\0\x2a\7\0" E4),
		"\7", "\x08", 26, 1, 1 },
	{ IP("ERSPAN", ERSPAN, 0, 0,
		  OUT4("\0\x4e", "\x2f") "\x10\0\x88\xbe"
					 "seq."
					 "\x10\1\0\1\0\0\0\0" E4),
		"\1", "\2", 31, 1, 1 },
	{ IP("ERSPAN, index", ERSPAN, 0, 0,
		  OUT4("\0\x4e", "\x2f") "\x10\0\x88\xbe"
					 "seq."
					 "\x10\1\0\1\0\0\0\0" E4),
		"\0", "\1", 35, 1, 0 },
	{ IP("SRv6", SRV6, 0, 0, OUT6("\0\x2a", "\x8f") E4), "\x03", "\x05", 39, 1, 2 },
	{ IP("WCCP", WCCP, 0, 0, OUT4("\0\x34", "\x2f") "\0\0\x88\x3e" IN4), "\2", "\3", 15, 1, 0 },
	{ FRAME("PBB", PBB, 0, 0, ETHER("\x88\xe7") "\0\0\0\1" E4), "\1", "\2", 17, 1, 1 },
	{ FRAME("EoMPLS", EOMPLS, 0, 0,
		  ETHER("\x88\x47") "\0\1\1\x40"
				    "\0\0\0\1" E4),
		"\1", "\2", 15, 1, 2 },
	{ FRAME("NSH", NSH, 0, 0, ETHER("\x89\x4f") "\x0f\xc2\2\1\0\0\x12\xff" IN4), "\x12", "\x13",
		20, 1, 2 },
};

Test(encapsulation, the_tunnel_belongs_to_the_key)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		uint32_t way[2] = { 77, 77 };
		struct parsed a = parse_changed_tunnel(&changes[i].t, NULL, NULL, 0, 0, &way[0]);
		struct parsed b = parse_changed_tunnel(&changes[i].t, changes[i].from,
			changes[i].to, changes[i].at, changes[i].n, &way[1]);
		cr_assert(a.layers.flags & b.layers.flags & BPE_PKT_TUNNEL, "%s", changes[i].t.how);
		cr_assert_eq(a.key.tunnel != b.key.tunnel, changes[i].other == 1, "%s",
			changes[i].t.how);
		cr_assert_eq(way[0] != way[1], changes[i].other == 2, "%s: %x %x", changes[i].t.how,
			way[0], way[1]);
		cr_assert_eq(!a.key.tunnel, changes[i].t.kind == BPE_TUNNEL_WCCP, "%s",
			changes[i].t.how);
	}
}

Test(encapsulation, gtp_prime_is_recognised)
{
	struct parsed r =
		PARSE(101, OUT4("\0\x24", "\x11") UDP("\0\x10", "\x0d\x3a") "\x4e\1\0\2\0\1"
									    "..");
	cr_assert_eq(r.layers.proto, BPE_PROTO_GTP_PRIME);
	cr_assert_eq(r.key.port[0] | (uint32_t)r.key.port[1] << 16, 0xc0000d3au);
	cr_assert_eq(PARSE(101, OUT4("\0\x24", "\x11") UDP("\0\x10", "\x0d\x3a") "\x4e\1\0\3\0\1"
										 "..")
			     .layers.proto,
		BPE_PROTO_UDP);
	cr_assert_eq(PARSE(101, OUT4("\0\x24", "\x11") UDP("\0\x10", "\x0d\x3a") "\x32\1\0\2\0\1"
										 "..")
			     .layers.proto,
		BPE_PROTO_UDP);
}
