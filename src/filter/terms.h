/* SPDX-License-Identifier: MIT */
/* What the files of the language's terms share: loads and tests at places, and what a link type can
 * say. */
#ifndef BPEI_FILTER_TERMS_H
#define BPEI_FILTER_TERMS_H

#include "filter/tree.h"
#include "names/numbers.h"

enum { LINK_GENEVE = 0x10000 /* no link type: an ethertype, then the packet */ };
/* How a link header says what it carries. */
enum link_kind {
	KIND_NONE,
	KIND_ETHERNET,
	KIND_LLC,
	KIND_NULL,
	KIND_LOOP,
	KIND_RAW,
	KIND_IPV4,
	KIND_IPV6,
	KIND_PPP,
	KIND_PPP_BSDOS,
	KIND_HDLC,
	KIND_TYPE,
	KIND_SLL,
	KIND_FRELAY,
	KIND_ARCNET,
	KIND_LTALK,
	KIND_PFLOG,
	KIND_IPNET,
	KIND_JUNIPER,
	KIND_BACNET,
	KIND_ATM,
	KIND_WLAN
};
enum { SAP_ISO = 0xfe, SAP_IP = 0x06, SAP_STP = 0x42, SAP_IPX = 0xe0, SAP_NETBEUI = 0xf0 };

static inline int32_t bpei_at(struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus)
{
	return bpei_value_load(c, size, p.base, p.at + plus);
}
static inline int32_t bpei_at_is(
	struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus, uint32_t k)
{
	return bpei_test(c, bpei_at(c, size, p, plus), CMP_EQ, k);
}
static inline int32_t bpei_at_has(struct bpei_compile *c, struct place p, uint32_t plus,
	uint32_t bits) /* any of the byte's bits */
{
	return bpei_test(c, bpei_at(c, 1, p, plus), CMP_SET, bits);
}
static inline int32_t bpei_at_masked(struct bpei_compile *c, uint32_t size, struct place p,
	uint32_t plus, uint32_t k, uint32_t mask)
{
	uint32_t all = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	int32_t v = bpei_at(c, size, p, plus);
	if ((mask & all) != all)
		v = bpei_value_alu(c, OP_AND, v, bpei_value_imm(c, mask));
	return bpei_test(c, v, CMP_EQ, k & mask);
}
static inline int32_t bpei_at_mac(
	struct bpei_compile *c, struct place p, uint32_t plus, const uint8_t a[6])
{
	uint32_t high = (uint32_t)a[0] << 8 | a[1],
		 low = (uint32_t)a[2] << 24 | (uint32_t)a[3] << 16 | (uint32_t)a[4] << 8 | a[5];
	return bpei_and(c, bpei_at_is(c, 4, p, plus + 2, low), bpei_at_is(c, 2, p, plus, high));
}
/* The two ends of something, tested one by one. */
static inline int32_t bpei_both(
	struct bpei_compile *c, int32_t source, int32_t target, enum direction d)
{
	switch (d) {
	case D_SRC:
		return source;
	case D_DST:
		return target;
	case D_AND:
		return bpei_and(c, source, target);
	default:
		return bpei_or(c, source, target);
	}
}

struct place bpei_place_behind_ip4(
	struct bpei_compile *c); /* terms.c: what an IPv4 header is followed by */

/* terms_layout.c */
/* Sets the offsets for a link type's header, without anything in front, at `at`. */
void bpei_link_plain(struct bpei_compile *c, uint32_t link, struct place at);
/* Returns true for IEEE 802's kin: addresses of 6 bytes. */
bool bpei_link_is_802(const struct bpei_compile *c);

/* terms_type.c: the type field holds a length. */
int32_t bpei_link_802_3(struct bpei_compile *c);
int32_t bpei_link_frame(struct bpei_compile *c, int32_t b); /* b, of no control frame of LANE */

/* terms_wlan.c */
static inline bool bpei_link_is_wlan(const struct bpei_compile *c)
{
	return c->offsets.kind == KIND_WLAN;
}
/* Sets the offsets for an 802.11 frame that the value `base` says the place of; -1: the packet's
 * start.  may_be_padded: the radiotap header in front has a flag for that. */
void bpei_wlan_enter(struct bpei_compile *c, uint32_t link, int32_t base, bool may_be_padded);
int32_t bpei_wlan_data(struct bpei_compile *c); /* a data frame */
int32_t bpei_wlan_address(struct bpei_compile *c, const uint8_t a[6], enum direction d);
int32_t bpei_wlan_multicast(struct bpei_compile *c);

/* terms_atm.c: SunATM's packets that have an LLC header. */
int32_t bpei_term_atm_llc(struct bpei_compile *c);

#endif
