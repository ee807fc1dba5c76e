/* SPDX-License-Identifier: MIT */
/* Where the headers of each link type lie (the LINKTYPE_ registry of tcpdump.org, pcap-filter(7)).
 * A link type that is not listed has bytes and a length, which is all that can be asked for. */
#include "base/pktap.h"
#include "filter/terms.h"

static struct place from_start(uint32_t at)
{
	return (struct place){ -1, at };
}

/* 16 bits in little-endian order at `at`. */
static int32_t little16(struct bpei_compile *c, uint32_t at)
{
	int32_t high = bpei_value_alu(
		c, OP_LSH, bpei_at(c, 1, from_start(at + 1), 0), bpei_value_imm(c, 8));
	return bpei_value_alu(c, OP_OR, high, bpei_at(c, 1, from_start(at), 0));
}

/* Bytes from the packet's start: of the link header, and from there of its type, of what it
 * carries, of the network header; and, from what it carries, of OSI's first byte.  -2 and -1
 * are places before the packet, at which libpcap looks too: no packet has them. */
struct layout {
	uint16_t link;
	uint8_t kind, header;
	int8_t type, payload, network, osi;
};

static const struct layout layouts[] = {
	{ 0, KIND_NULL, 0, 0, 4, 4, 0 },
	{ LINK_ETHERNET, KIND_ETHERNET, 0, 12, 14, 14, 3 },
	{ LINK_IEEE802, KIND_LLC, 0, 20, 14, 22, 3 },
	{ 7, KIND_ARCNET, 0, 2, 6, 6, 0 },
	{ LINK_SLIP, KIND_RAW, 0, 0, 16, 16, 0 },
	{ LINK_PPP, KIND_PPP, 0, 2, 4, 4, 0 },
	{ LINK_FDDI, KIND_LLC, 0, 19, 13, 21, 3 },
	{ 11, KIND_LLC, 0, 6, 0, 8, 3 }, /* ATM_RFC1483, and as savefiles have it: 100 */
	{ 12, KIND_RAW, 0, 0, 0, 0, 0 },
	{ 14, KIND_RAW, 0, 0, 0, 0, 0 },
	{ 15, KIND_RAW, 0, 0, 24, 24, 0 },       /* SLIP_BSDOS, 102 */
	{ 16, KIND_PPP_BSDOS, 0, 5, 24, 24, 0 }, /* 103 */
	{ 19, KIND_LLC, 0, 6, 0, 8, 3 },         /* ATM_CLIP, 106 */
	{ LINK_PPP_SERIAL, KIND_PPP, 0, 2, 4, 4, 0 },
	{ LINK_PPP_ETHER, KIND_PPP, 0, 6, 8, 8, 0 },
	{ 99, KIND_TYPE, 0, 6, 44, 44, 0 }, /* SYMANTEC_FIREWALL */
	{ LINK_RFC1483, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_RAW, KIND_RAW, 0, 0, 0, 0, 0 },
	{ 102, KIND_RAW, 0, 0, 24, 24, 0 },
	{ 103, KIND_PPP_BSDOS, 0, 5, 24, 24, 0 },
	{ LINK_C_HDLC, KIND_HDLC, 0, 2, 4, 4, 1 }, /* a byte of padding before OSI's header */
	{ 106, KIND_LLC, 0, 6, 0, 8, 3 },
	{ LINK_FRELAY, KIND_FRELAY, 0, 2, 0, 4, 3 },
	{ LINK_LOOP, KIND_LOOP, 0, 0, 4, 4, 0 },
	{ 109, KIND_NULL, 0, 0, 12, 12, 0 }, /* ENC */
	{ 112, KIND_HDLC, 0, 2, 4, 4, 1 },
	{ LINK_SLL, KIND_SLL, 0, 14, 16, 16, 3 },
	{ 114, KIND_LTALK, 0, 0, 0, 0, 0 },
	{ LINK_FIBRE, KIND_LLC, 0, 22, 16, 24, 3 }, /* IP_OVER_FC */
	{ LINK_SUNATM, KIND_ATM, 0, 10, 4, 12, 3 },
	{ 129, KIND_ARCNET, 0, 4, 8, 8, 0 }, /* ARCNET_LINUX */
	{ 130, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 131, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 132, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 133, KIND_JUNIPER, 0, 0, 12, 12, -1 },
	{ 134, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 135, KIND_JUNIPER, 0, 0, 8, 8, 10 },
	{ 136, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 137, KIND_JUNIPER, 0, 0, 4, 4, 10 },
	{ 138, KIND_TYPE, 0, 16, 18, 18, 0 }, /* APPLE_IP_OVER_IEEE1394 */
	{ 164, KIND_JUNIPER, 0, 0, 12, 12, -1 },
	{ 165, KIND_BACNET, 0, 0, -1, -2, -1 },
	{ LINK_PPPD, KIND_PPP, 0, 2, 4, 4, 0 },
	{ 167, KIND_JUNIPER, 0, 0, 14, 32, 21 },
	{ 168, KIND_JUNIPER, 0, 0, 6, 6, -1 },
	{ 178, KIND_JUNIPER, 0, 0, 14, 32, 21 },
	{ 179, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 180, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 181, KIND_JUNIPER, 0, 0, 4, 4, -1 },
	{ 183, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 194, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 200, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ LINK_IPNET, KIND_IPNET, 0, 1, 24, 24, 0 },
	{ LINK_IPV4, KIND_IPV4, 0, 0, 0, 0, 0 },
	{ LINK_IPV6, KIND_IPV6, 0, 0, 0, 0, 0 },
	{ 232, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 233, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 234, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 238, KIND_JUNIPER, 0, 0, -1, -2, -1 },
	{ 240, KIND_ETHERNET, 4, 12, 14, 14, 3 },  /* NETANALYZER */
	{ 241, KIND_ETHERNET, 12, 12, 14, 14, 3 }, /* NETANALYZER_TRANSPARENT */
	{ LINK_SLL2, KIND_TYPE, 0, 0, 20, 20, 0 },
};

void bpei_link_plain(struct bpei_compile *c, uint32_t link, struct place at)
{
	struct offsets o = { .link = link,
		.kind = KIND_NONE,
		.header = at,
		.type = at,
		.payload = at,
		.network = at };
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
		const struct layout *l = &layouts[i];
		if (l->link != link)
			continue;
		o.kind = l->kind;
		o.header.at += l->header, o.osi = (uint32_t)l->osi;
		o.type.at = o.header.at + (uint32_t)l->type;
		o.payload.at = o.header.at + (uint32_t)l->payload;
		o.network.at = o.header.at + (uint32_t)l->network;
		break;
	}
	c->offsets = o;
}

/* PFLOG's header says its length, which leaves out what fills it up to a multiple of 4. */
static void enter_pflog(struct bpei_compile *c)
{
	int32_t said = bpei_at(c, 1, from_start(0), 0);
	int32_t up = bpei_value_alu(c, OP_ADD, said, bpei_value_imm(c, 3));
	int32_t length = bpei_value_alu(c, OP_AND, up, bpei_value_imm(c, 0xfffffffc));
	struct place behind = { length, 0 };
	c->offsets = (struct offsets){ .link = LINK_PFLOG,
		.kind = KIND_PFLOG,
		.header = from_start(0),
		.type = from_start(1),
		.payload = behind,
		.network = behind };
}

/* PKTAP: its own length, and the inner packet's DLT. */
static int enter_pktap(struct bpei_compile *c, int32_t *guard)
{
	static const struct {
		uint32_t dlt, link;
	} inner[] = { { 1, LINK_ETHERNET }, { 12, LINK_RAW }, { 0, LINK_NULL } };
	if (c->variant == sizeof inner / sizeof *inner)
		return 1;
	*guard = bpei_at_is(
		c, 4, from_start(PKTAP_DLT), 0, __builtin_bswap32(inner[c->variant].dlt));
	bpei_link_plain(c, inner[c->variant].link, (struct place){ little16(c, PKTAP_LENGTH), 0 });
	return BPE_OK;
}

/* An AVS header in Prism's place tells itself by its first word, and has its length in the second.
 * Prism's own length is of the capturing host's order and below 65536, so that half of it is 0:
 * the sum of both readings is the length. */
static int enter_prism(struct bpei_compile *c, int32_t *guard)
{
	const struct place second = from_start(4);
	int32_t length = bpei_at(c, 4, second, 0);
	if (c->variant == 2)
		return 1;
	*guard = bpei_at_masked(c, 4, from_start(0), 0, 0x80211000, 0xfffff000);
	if (c->variant) {
		*guard = bpei_not(c, *guard);
		length = bpei_value_alu(c, OP_ADD, little16(c, 4), bpei_at(c, 2, second, 2));
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
		bpei_wlan_enter(c, link, little16(c, 2), true);
		break;
	case LINK_AVS:
		bpei_wlan_enter(c, link, bpei_at(c, 4, from_start(4), 0), false);
		break;
	case LINK_PPI: /* packets that it says are 802.11 */
		*guard = bpei_at_is(c, 4, from_start(4), 0, 0x69000000);
		bpei_wlan_enter(c, link, little16(c, 2), false);
		c->offsets.no_wlan_types = true;
		break;
	case LINK_PFLOG:
		enter_pflog(c);
		break;
	default:
		bpei_link_plain(c, link, from_start(0));
	}
	return BPE_OK;
}

bool bpei_link_is_802(const struct bpei_compile *c)
{
	const struct offsets *o = &c->offsets;
	if (o->kind != KIND_LLC)
		return o->kind == KIND_ETHERNET || o->kind == KIND_WLAN;
	return o->link == LINK_FDDI || o->link == LINK_IEEE802 || o->link == LINK_FIBRE;
}
