/* SPDX-License-Identifier: MIT */
/* The places of each link type's headers (the LINKTYPE_ registry of tcpdump.org, pcap-filter(7)).
 * Packets of a link type that is not listed have bytes and a length; no other term holds there. */
#include "base/pktap.h"
#include "filter/links.h"

/* Returns the 16 bits in little-endian order at `at`. */
static int32_t load_little16(struct bpei_compile *c, uint32_t at)
{
	const int32_t second = bpei_place_load(c, 1, bpei_place_from_start(at + 1), 0);
	const int32_t high = bpei_value_alu_imm(c, OP_LSH, second, 8);
	const int32_t low = bpei_place_load(c, 1, bpei_place_from_start(at), 0);

	return bpei_value_alu(c, OP_OR, high, low);
}

/* header: bytes from the packet's start to the link header.  type, payload, network: bytes from the
 * link header.  osi: bytes from the payload to OSI's first byte.  -2 and -1 are places before the
 * packet, at which libpcap looks, too; no packet has them. */
struct link_layout {
	uint16_t link;
	uint8_t kind, header;
	int8_t type, payload, network, osi;
};

static const struct link_layout link_layouts[] = {
	{ LINK_NULL, KIND_NULL, 0, 0, 4, 4, 0 },
	{ LINK_ETHERNET, KIND_ETHERNET, 0, 12, 14, 14, 3 },
	{ LINK_IEEE802, KIND_LLC, 0, 20, 14, 22, 3 },
	{ LINK_ARCNET, KIND_ARCNET, 0, 2, 6, 6, 0 },
	{ LINK_SLIP, KIND_RAW, 0, 0, 16, 16, 0 },
	{ LINK_PPP, KIND_PPP, 0, 2, 4, 4, 0 },
	{ LINK_FDDI, KIND_LLC, 0, 19, 13, 21, 3 },
	{ LINK_RFC1483_11, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_RAW_12, KIND_RAW, 0, 0, 0, 0, 0 },
	{ LINK_RAW_14, KIND_RAW, 0, 0, 0, 0, 0 },
	{ LINK_SLIP_BSDOS_15, KIND_RAW, 0, 0, 24, 24, 0 },
	{ LINK_PPP_BSDOS_16, KIND_PPP_BSDOS, 0, 5, 24, 24, 0 },
	{ LINK_ATM_CLIP_19, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_PPP_SERIAL, KIND_PPP, 0, 2, 4, 4, 0 },
	{ LINK_PPP_ETHER, KIND_PPP, 0, 6, 8, 8, 0 },
	{ LINK_SYMANTEC_FIREWALL, KIND_TYPE, 0, 6, 44, 44, 0 },
	{ LINK_RFC1483, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_RAW, KIND_RAW, 0, 0, 0, 0, 0 },
	{ LINK_SLIP_BSDOS, KIND_RAW, 0, 0, 24, 24, 0 },
	{ LINK_PPP_BSDOS, KIND_PPP_BSDOS, 0, 5, 24, 24, 0 },
	{ LINK_C_HDLC, KIND_HDLC, 0, 2, 4, 4, 1 }, /* a byte of padding before OSI's header */
	{ LINK_ATM_CLIP, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_FRELAY, KIND_FRELAY, 0, 2, 0, 4, 3 },
	{ LINK_LOOP, KIND_LOOP, 0, 0, 4, 4, 0 },
	{ LINK_ENC, KIND_NULL, 0, 0, 12, 12, 0 },
	{ LINK_CISCO_IOS_HDLC, KIND_HDLC, 0, 2, 4, 4, 1 },
	{ LINK_SLL, KIND_SLL, 0, 14, 16, 16, 3 },
	{ LINK_LTALK, KIND_LTALK, 0, 0, 0, 0, 0 },
	{ LINK_FIBRE, KIND_LLC, 0, 22, 16, 24, 3 },
	{ LINK_SUNATM, KIND_ATM, 0, 10, 4, 12, 3 },
	{ LINK_ARCNET_LINUX, KIND_ARCNET, 0, 4, 8, 8, 0 },
	{ LINK_JUNIPER_MLPPP, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_MLFR, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_ES, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_GGSN, KIND_JUNIPER, 0, 0, 12, 12, -1 },
	{ LINK_JUNIPER_MFR, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_ATM2, KIND_JUNIPER, 0, 0, 8, 8, 10 },
	{ LINK_JUNIPER_SERVICES, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_ATM1, KIND_JUNIPER, 0, 0, 4, 4, 10 },
	{ LINK_IP1394, KIND_TYPE, 0, 16, 18, 18, 0 },
	{ LINK_JUNIPER_MONITOR, KIND_JUNIPER, 0, 0, 12, 12, -1 },
	{ LINK_BACNET_MS_TP, KIND_BACNET, 0, 0, -1, -2, -1 },
	{ LINK_PPPD, KIND_PPP, 0, 2, 4, 4, 0 },
	{ LINK_JUNIPER_PPPOE, KIND_JUNIPER, 0, 0, 14, 32, 21 },
	{ LINK_JUNIPER_PPPOE_ATM, KIND_JUNIPER, 0, 0, 6, 6, -1 },
	{ LINK_JUNIPER_ETHER, KIND_JUNIPER, 0, 0, 14, 32, 21 },
	{ LINK_JUNIPER_PPP, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_FRELAY, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_CHDLC, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ LINK_JUNIPER_VP, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_ISM, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_ST, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_IPNET, KIND_IPNET, 0, 1, 24, 24, 0 },
	{ LINK_IPV4, KIND_IPV4, 0, 0, 0, 0, 0 },
	{ LINK_IPV6, KIND_IPV6, 0, 0, 0, 0, 0 },
	{ LINK_JUNIPER_VS, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_SRX_E2E, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_FIBRECHANNEL, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_JUNIPER_ATM_CEMIC, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_NETANALYZER, KIND_ETHERNET, 4, 12, 14, 14, 3 },
	{ LINK_NETANALYZER_TRANSPARENT, KIND_ETHERNET, 12, 12, 14, 14, 3 },
	{ LINK_SLL2, KIND_TYPE, 0, 0, 20, 20, 0 },
};

void bpei_link_enter(struct bpei_compile *c, uint32_t link, struct place at)
{
	struct offsets o = { .link = link,
		.kind = KIND_NONE,
		.header = at,
		.type = at,
		.payload = at,
		.network = at };
	for (size_t i = 0; i < sizeof link_layouts / sizeof *link_layouts; i++) {
		const struct link_layout *l = &link_layouts[i];

		if (l->link != link)
			continue;
		o.kind = l->kind;
		o.header.at += l->header;
		o.osi = (uint32_t)l->osi;
		o.type.at = o.header.at + (uint32_t)l->type;
		o.payload.at = o.header.at + (uint32_t)l->payload;
		o.network.at = o.header.at + (uint32_t)l->network;
		break;
	}
	c->offsets = o;
}

/* Enters PFLOG.  The length in the header leaves out the padding to a multiple of 4. */
static void enter_pflog(struct bpei_compile *c)
{
	const int32_t unpadded = bpei_place_load(c, 1, bpei_place_from_start(0), 0);
	const int32_t sum = bpei_value_alu_imm(c, OP_ADD, unpadded, 3);
	const int32_t length = bpei_value_alu_imm(c, OP_AND, sum, 0xfffffffc);
	const struct place behind = { length, 0 };

	c->offsets = (struct offsets){ .link = LINK_PFLOG,
		.kind = KIND_PFLOG,
		.header = bpei_place_from_start(0),
		.type = bpei_place_from_start(1),
		.payload = behind,
		.network = behind };
}

/* Enters PKTAP, whose header has a length and the DLT of the packet inside. */
static int enter_pktap(struct bpei_compile *c, int32_t *guard)
{
	static const struct {
		uint32_t dlt, link;
	} inner[] = { { 1, LINK_ETHERNET }, { 12, LINK_RAW }, { 0, LINK_NULL } };

	if (c->variant == sizeof inner / sizeof *inner)
		return 1;
	*guard = bpei_place_is(c, 4, bpei_place_from_start(PKTAP_DLT), 0,
		__builtin_bswap32(inner[c->variant].dlt));
	bpei_link_enter(
		c, inner[c->variant].link, (struct place){ load_little16(c, PKTAP_LENGTH), 0 });
	return BPE_OK;
}

/* Enters Prism, or AVS in Prism's place.  AVS has a magic number in the first word and the length
 * in the second.  Prism's length is in the capturing host's order and below 65536.  So either half
 * of the word is 0, and the sum of both readings is the length. */
static int enter_prism(struct bpei_compile *c, int32_t *guard)
{
	const struct place second = bpei_place_from_start(4);
	int32_t length = bpei_place_load(c, 4, second, 0);

	if (c->variant == 2)
		return 1;
	*guard = bpei_place_is_masked(c, 4, bpei_place_from_start(0), 0, 0x80211000, 0xfffff000);
	if (c->variant) {
		*guard = bpei_not(c, *guard);
		length = bpei_value_alu(
			c, OP_ADD, load_little16(c, 4), bpei_place_load(c, 2, second, 2));
	}
	bpei_wlan_enter(c, LINK_PRISM, length, false);
	return BPE_OK;
}

int bpei_terms_init(struct bpei_compile *c, uint32_t link, int32_t *guard)
{
	*guard = -1;
	if (link == LINK_PKTAP)
		return enter_pktap(c, guard);
	if (link == LINK_PRISM)
		return enter_prism(c, guard);
	if (c->variant)
		return 1;
	switch (link) {
	case LINK_WLAN:
		bpei_wlan_enter(c, link, -1, false);
		break;
	case LINK_RADIOTAP:
		bpei_wlan_enter(c, link, load_little16(c, 2), true);
		break;
	case LINK_AVS:
		bpei_wlan_enter(c, link, bpei_place_load(c, 4, bpei_place_from_start(4), 0), false);
		break;
	case LINK_PPI: /* only packets marked as 802.11 */
		*guard = bpei_place_is(c, 4, bpei_place_from_start(4), 0, 0x69000000);
		bpei_wlan_enter(c, link, load_little16(c, 2), false);
		c->offsets.no_wlan_types = true;
		break;
	case LINK_PFLOG:
		enter_pflog(c);
		break;
	default:
		bpei_link_enter(c, link, bpei_place_from_start(0));
	}
	return BPE_OK;
}

bool bpei_link_has_macs(const struct bpei_compile *c)
{
	const struct offsets *o = &c->offsets;

	if (o->kind != KIND_LLC)
		return o->kind == KIND_ETHERNET || o->kind == KIND_WLAN;
	return o->link == LINK_FDDI || o->link == LINK_IEEE802 || o->link == LINK_FIBRE;
}
