/* SPDX-License-Identifier: MIT */
/* Functions shared by the tunnels of tunnel.c and tunnel_udp.c. */
#ifndef BPEI_ARCH_TUNNEL_H
#define BPEI_ARCH_TUNNEL_H

#include "arch/scalar/packet.h"

/* Contents of tunnels that have no ethertype.  AS_IP: the first half byte is the version.
 * AS_WLAN_SWAPPED: the two bytes of the frame control are exchanged. */
enum { AS_ETHERNET = 0x10000, AS_PPP, AS_IP, AS_WLAN, AS_WLAN_SWAPPED, AS_PRISM, AS_AVS };

/* The identity of a tunnel. */
struct bpei_identity {
	uint32_t kind; /* enum bpe_tunnel_kind */
	bool has_id;
	bool one_way; /* the answers have another id */
	bool ends;    /* the outer packet's addresses belong to the identity */
	uint32_t id;
};

/* Parses the content at offset.  Returns true if the content has a flow; otherwise nothing is
 * changed. */
bool bpei_packet_enter(const struct bpei_packet *p, uint32_t offset, uint32_t as,
	const struct bpei_identity *identity);

/* Opens the GRE header at offset, in IP (BPE_TUNNEL_GRE) or in UDP.  Returns as
 * bpei_packet_enter. */
bool bpei_tunnel_gre(const struct bpei_packet *p, uint32_t offset, uint32_t kind);

/* Returns the content of NSH's and VXLAN-GPE's next protocol; 0: not parsed. */
uint32_t bpei_tunnel_next(uint8_t next_protocol);

/* Returns whether n bytes at offset belong to the packet. */
static inline bool bpei_tunnel_has(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	return offset <= p->layers->end && p->layers->end - offset >= n;
}

#endif
