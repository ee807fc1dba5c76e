/* SPDX-License-Identifier: MIT */
/* One packet on its way through the scalar parser, and the doors between its files: link.c finds the network header, network.c goes on from
 * there, tunnel.c finds the packet in the packet.  Pure. */
#ifndef BPEI_ARCH_PACKET_H
#define BPEI_ARCH_PACKET_H

#include "arch/arch.h"

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_12 = 12, LINK_RAW_14 = 14, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229,
       LINK_SLL2 = 276, LINK_IEEE802 = 6, LINK_PPP = 9, LINK_FDDI = 10, LINK_PPP_SERIAL = 50, LINK_PPP_ETHER = 51, LINK_C_HDLC = 104, LINK_WLAN = 105, LINK_ENC = 109, LINK_PFLOG = 117,
       LINK_PRISM = 119, LINK_RADIOTAP = 127, LINK_IP1394 = 138, LINK_AVS = 163, LINK_PPI = 192, LINK_IPNET = 226, LINK_PKTAP = 258 };
enum { TYPE_IP4 = 0x0800, TYPE_ARP = 0x0806, TYPE_RARP = 0x8035, TYPE_BRIDGED = 0x6558, TYPE_VLAN = 0x8100, TYPE_IP6 = 0x86dd, TYPE_PPP = 0x880b,
       TYPE_MPLS = 0x8847, TYPE_MPLS_MULTICAST = 0x8848, TYPE_PPPOE = 0x8864, TYPE_QINQ = 0x88a8, TYPE_ERSPAN = 0x88be, TYPE_ERSPAN3 = 0x22eb,
       TYPE_QINQ_OLD = 0x9100, TYPE_LEAST = 0x0600 };	/* less is an IEEE 802.3 length */
enum { IP_HOPOPTS = 0, IP_ICMP = 1, IP_IGMP = 2, IP_IPIP = 4, IP_TCP = 6, IP_UDP = 17, IP_DCCP = 33, IP_IPV6 = 41, IP_ROUTING = 43, IP_FRAGMENT = 44, IP_GRE = 47,
       IP_AH = 51, IP_ICMP6 = 58, IP_DSTOPTS = 60, IP_ETHERIP = 97, IP_VRRP = 112, IP_SCTP = 132, IP_MOBILITY = 135, IP_UDPLITE = 136, IP_HIP = 139,
       IP_SHIM6 = 140 };

#define BPEI_MOST_TUNNELS 8u	/* packets inside each other that are gone into */

struct bpei_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen;	/* of a packet in a tunnel: as far as the outer one reaches */
	struct bpe_layers *layers;
	struct bpe_key *key;
	uint32_t depth;			/* tunnels gone into; BPEI_MOST_TUNNELS: none is */
};

/* Fills layers and key from offset on, at most caplen.  layers are as bpei_parse_scalar begins with them. */
void bpei_packet_link(const struct bpei_packet *p, uint32_t link_type);
void bpei_packet_ppp(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ethertype(const struct bpei_packet *p, uint32_t offset, uint16_t type);	/* VLAN tags are taken first */
void bpei_packet_ip4(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ip6(const struct bpei_packet *p, uint32_t offset);

/* What may be a packet inside this one: behind the IP header (false for protocols that carry none), behind the UDP header.  True: the layers and the
 * key are the inner packet's now.  False: they are untouched. */
bool bpei_packet_in_ip(const struct bpei_packet *p, uint32_t offset, uint8_t proto);
bool bpei_packet_in_udp(const struct bpei_packet *p, uint32_t offset, uint32_t ports);

/* UDP ports that are looked behind, by a hash without collisions; the vectors leave their packets to scalar. */
enum { PORT_L2TP = 1701, PORT_GTPU = 2152, PORT_TEREDO = 3544, PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_VXLAN_OLD = 8472, PORT_WIREGUARD = 51820 };
#define BPEI_TUNNEL_PORTS { PORT_TEREDO, PORT_GTPU, PORT_WIREGUARD, PORT_GENEVE, 0, PORT_VXLAN, PORT_VXLAN_OLD, PORT_L2TP }
static inline bool bpei_tunnel_port(uint32_t port)
{
	static const uint16_t ports[8] = BPEI_TUNNEL_PORTS;
	return ports[(port * 37u & 0xffff) >> 13] == port;
}

/* Whether n bytes are there and offsets can still say where; else the packet ends here, with what it was until then. */
static inline bool bpei_packet_there(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	if (offset <= p->caplen && p->caplen - offset >= n && offset <= BPE_NO_OFFSET - 64) return true;
	p->layers->flags |= BPE_PKT_TRUNCATED;
	p->layers->proto = BPE_PROTO_ETHERTYPE;
	return false;
}

/* Something that is not gone into, which begins at offset. */
static inline void bpei_packet_unknown(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	p->layers->network = p->layers->payload = (uint16_t)offset;
	p->layers->proto = proto;
}

#endif
