/* SPDX-License-Identifier: MIT */
/* The meaning of the language's terms (pcap-filter(7)), as tests of the packet's bytes.  The
 * parser calls these functions.  Each returns a node, or -1 after an error. */
#ifndef BPEI_FILTER_TERMS_H
#define BPEI_FILTER_TERMS_H

#include "filter/compile.h"

enum proto {
	P_DEFAULT,
	P_LINK,
	P_IP,
	P_ARP,
	P_RARP,
	P_SCTP,
	P_TCP,
	P_UDP,
	P_ICMP,
	P_IGMP,
	P_IGRP,
	P_ATALK,
	P_DECNET,
	P_LAT,
	P_SCA,
	P_MOPRC,
	P_MOPDL,
	P_IP6,
	P_ICMP6,
	P_AH,
	P_ESP,
	P_PIM,
	P_VRRP,
	P_CARP,
	P_AARP,
	P_ISO,
	P_ESIS,
	P_ISIS,
	P_CLNP,
	P_STP,
	P_IPX,
	P_NETBEUI,
	P_L1,
	P_L2,
	P_IIH,
	P_LSP,
	P_SNP,
	P_CSNP,
	P_PSNP,
	P_RADIO,
	P_COUNT
};
enum direction {
	D_DEFAULT,
	D_SRC,
	D_DST,
	D_OR,
	D_AND,
	D_ADDR1,
	D_ADDR2,
	D_ADDR3,
	D_ADDR4,
	D_RA,
	D_TA
};

/* Numbers of the keywords of ATM, SS7 and pf. */
enum {
	ATM_WORD_LANE,
	ATM_WORD_METAC,
	ATM_WORD_BCC,
	ATM_WORD_SC,
	ATM_WORD_ILMIC,
	ATM_WORD_OAMF4SC,
	ATM_WORD_OAMF4EC,
	ATM_WORD_OAM,
	ATM_WORD_CONNECT,
	ATM_WORD_METACONNECT
};
enum { SS7_WORD_FISU, SS7_WORD_LSSU, SS7_WORD_MSU, SS7_WORD_HFISU, SS7_WORD_HLSSU, SS7_WORD_HMSU };
enum {
	FIELD_VPI,
	FIELD_VCI,
	FIELD_SIO,
	FIELD_OPC,
	FIELD_DPC,
	FIELD_SLS,
	FIELD_HSIO,
	FIELD_HOPC,
	FIELD_HDPC,
	FIELD_HSLS
};
enum {
	PF_WORD_IFNAME,
	PF_WORD_RULESET,
	PF_WORD_RULE,
	PF_WORD_SUBRULE,
	PF_WORD_REASON,
	PF_WORD_ACTION
};

/* Returns the protocol's keyword; "" for P_DEFAULT. */
const char *bpei_proto_text(enum proto p);

/* Sets the offsets for packets of the link type in their c->variant-th shape; some link types have
 * headers of different kinds in front.  Returns BPE_OK and in *guard the test for the shape (-1:
 * none is needed), or 1 if there are no more shapes.  An expression means the first shape that its
 * packet has. */
int bpei_terms_init(struct bpei_compile *c, uint32_t link_type, int32_t *guard);
/* Returns the test for `type` in the link header: an ethertype, or an LLC address. */
int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type);
/* Returns the meaning of the protocol's name alone. */
int32_t bpei_term_proto_name(struct bpei_compile *c, enum proto p);
/* Returns "`of` proto `number`". */
int32_t bpei_term_proto(struct bpei_compile *c, uint32_t number, enum proto of, enum direction d);
/* `what` is the qualifier's word for an error: "host" or "net". */
int32_t bpei_term_host(struct bpei_compile *c, uint32_t address, uint32_t mask, enum proto p,
	enum direction d, const char *what);
int32_t bpei_term_host6(struct bpei_compile *c, const uint8_t address[16], const uint8_t mask[16],
	enum proto p, enum direction d, const char *what);
int32_t bpei_term_ether(struct bpei_compile *c, const uint8_t address[6], enum direction d);
int32_t bpei_term_port(
	struct bpei_compile *c, uint32_t low, uint32_t high, enum proto p, enum direction d);
int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p);
int32_t bpei_term_multicast(struct bpei_compile *c, enum proto p);
int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound);
int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id);
int32_t bpei_term_mpls(struct bpei_compile *c, bool has_label, uint32_t label);
int32_t bpei_term_pppoe(struct bpei_compile *c, bool session, bool has_id, uint32_t id);
int32_t bpei_term_llc(struct bpei_compile *c, const char *kind); /* NULL: any */
/* value and mask are for the first byte of 802.11's frame control. */
int32_t bpei_term_wlan_type(struct bpei_compile *c, uint32_t value, uint32_t mask);
int32_t bpei_term_wlan_direction(struct bpei_compile *c, uint32_t value);
int32_t bpei_term_protochain(struct bpei_compile *c, uint32_t number, enum proto of);
int32_t bpei_term_decnet(struct bpei_compile *c, uint32_t area, uint32_t node, enum direction d);
int32_t bpei_term_ifindex(struct bpei_compile *c, uint32_t index);
int32_t bpei_term_arcnet(struct bpei_compile *c, uint32_t address, enum direction d);
int32_t bpei_term_atm(struct bpei_compile *c, uint32_t word);         /* ATM_WORD_* */
int32_t bpei_term_signal_unit(struct bpei_compile *c, uint32_t word); /* SS7_WORD_* */
/* Returns the value, not a node, of the field FIELD_*, and in *most its largest number. */
int32_t bpei_term_field(struct bpei_compile *c, uint32_t field, uint32_t *most);
int32_t bpei_term_pktap_flag(struct bpei_compile *c, uint32_t flag);
int32_t bpei_term_pktap_unknown(struct bpei_compile *c);

/* Returns the test for the encapsulation `kind` (BPE_THROUGH_*) in the `shape`-th shape, and moves
 * the offsets into the packet inside.  Returns BPEI_NO_SHAPE if there are no more shapes, -1 if the
 * encapsulation is impossible here. */
#define BPEI_NO_SHAPE (-2)
int32_t bpei_tunnel_enter(
	struct bpei_compile *c, uint32_t kind, uint32_t shape, bool has_vni, uint32_t vni);
/* Returns the term "geneve" or "vxlan". */
int32_t bpei_term_tunnel(struct bpei_compile *c, uint32_t kind, bool has_vni, uint32_t vni);

/* At most so many IPv6 extension headers are followed (BPE_THROUGH_IPV6_EXT).  each[n] is the test
 * behind n of them; the function returns the test for any number.  of_fragments: a later fragment
 * counts, too, since its header names the protocol. */
#define BPEI_EXTENSIONS 4
int32_t bpei_term_extensions(
	struct bpei_compile *c, const int32_t each[BPEI_EXTENSIONS + 1], bool of_fragments);
/* Returns the value of proto[index:size], and in *guard the test for the header (-1: none is
 * needed). */
int32_t bpei_term_load(
	struct bpei_compile *c, enum proto p, int32_t index, uint32_t size, int32_t *guard);

#endif
