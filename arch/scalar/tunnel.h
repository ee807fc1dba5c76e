/* SPDX-License-Identifier: MIT */
/* What the ways of carrying a packet in a packet share. */
#ifndef BPEI_ARCH_TUNNEL_H
#define BPEI_ARCH_TUNNEL_H

#include "arch/scalar/packet.h"

/* What lies in a tunnel, beside ethertypes.  AS_IP: its first half byte tells.  AS_WLAN_SWAPPED:
 * the two bytes of the frame control have changed places. */
enum { AS_ETHERNET = 0x10000, AS_PPP, AS_IP, AS_WLAN, AS_WLAN_SWAPPED, AS_PRISM, AS_AVS };

/* What a tunnel is known by. */
struct bpei_identity {
	uint32_t kind; /* enum bpe_tunnel_kind */
	bool has_id;
	bool one_way; /* the answers have another id */
	bool ends;    /* the addresses of the packet that carries it belong to it */
	uint32_t id;
};

/* Goes into what lies at offset.  True if that has a flow; else nothing is changed. */
bool bpei_packet_enter(const struct bpei_packet *p, uint32_t offset, uint32_t as,
	const struct bpei_identity *identity);

/* A GRE header at offset: in IP (BPE_TUNNEL_GRE) or in UDP. */
bool bpei_tunnel_gre(const struct bpei_packet *p, uint32_t offset, uint32_t kind);

/* What NSH's and VXLAN-GPE's next protocol means; 0: nothing that is gone into. */
uint32_t bpei_tunnel_next(uint8_t next_protocol);

/* Whether n bytes at offset are the packet's. */
static inline bool bpei_tunnel_has(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	return offset <= p->layers->end && p->layers->end - offset >= n;
}

#endif
