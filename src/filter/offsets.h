/* SPDX-License-Identifier: MIT */
/* The places of a packet's headers.  vlan, mpls and pppoes move the places as they are parsed. */
#ifndef BPEI_FILTER_OFFSETS_H
#define BPEI_FILTER_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

/* How a link header says which protocol the packet carries. */
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

/* `at` bytes behind the position that the value `base` holds; -1: behind the packet's start. */
struct place {
	int32_t base;
	uint32_t at;
};

struct offsets {
	uint32_t link;        /* the link type whose rules hold */
	uint8_t kind;         /* enum link_kind */
	struct place header;  /* begin of the link header */
	struct place type;    /* its type field */
	struct place payload; /* behind the link header; an LLC header is part of the payload */
	struct place network; /* the network header */
	uint32_t osi;         /* bytes from the payload to OSI's first byte */
	uint32_t mpls;        /* labels parsed; the last label lies at network - 4 */
	bool lane;            /* inside a frame of ATM's LAN emulation */
	bool no_wlan_types;   /* PPI: libpcap knows no frame types there */
};

#endif
