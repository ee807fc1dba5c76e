/* SPDX-License-Identifier: MIT */
/* One packet on its way through the scalar parser, and the doors between its files: link.c finds
 * the network header, network.c goes on from there, tunnel.c finds the packet in the packet.  Pure.
 */
#ifndef BPEI_ARCH_PACKET_H
#define BPEI_ARCH_PACKET_H

#include "arch/arch.h"

/* The last has no LINKTYPE_: 105 with the frame control's bytes the other way round. */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_12 = 12,
	LINK_RAW_14 = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
	LINK_IEEE802 = 6,
	LINK_PPP = 9,
	LINK_FDDI = 10,
	LINK_PPP_SERIAL = 50,
	LINK_PPP_ETHER = 51,
	LINK_C_HDLC = 104,
	LINK_WLAN = 105,
	LINK_ENC = 109,
	LINK_PFLOG = 117,
	LINK_PRISM = 119,
	LINK_RADIOTAP = 127,
	LINK_IP1394 = 138,
	LINK_AVS = 163,
	LINK_PPI = 192,
	LINK_IPNET = 226,
	LINK_PKTAP = 258,
	LINK_WLAN_SWAPPED = 0x10000
};
/* What is less than the last is an IEEE 802.3 length. */
enum {
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_RARP = 0x8035,
	TYPE_BRIDGED = 0x6558,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN3 = 0x22eb,
	TYPE_EOIP = 0x6400,
	TYPE_WCCP = 0x883e,
	TYPE_MACSEC = 0x88e5,
	TYPE_PBB = 0x88e7,
	TYPE_FABRICPATH = 0x8903,
	TYPE_CISCO_METADATA = 0x8909,
	TYPE_VNTAG = 0x8926,
	TYPE_HSR = 0x892f,
	TYPE_ETAG = 0x893f,
	TYPE_NSH = 0x894f,
	TYPE_ARISTA = 0xd28b,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_LEAST = 0x0600
};
enum {
	IP_HOPOPTS = 0,
	IP_ICMP = 1,
	IP_IGMP = 2,
	IP_IPIP = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_DCCP = 33,
	IP_IPV6 = 41,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_GRE = 47,
	IP_AH = 51,
	IP_ICMP6 = 58,
	IP_DSTOPTS = 60,
	IP_ETHERIP = 97,
	IP_VRRP = 112,
	IP_SCTP = 132,
	IP_MOBILITY = 135,
	IP_UDPLITE = 136,
	IP_MPLS = 137,
	IP_HIP = 139,
	IP_SHIM6 = 140,
	IP_ETHERNET = 143
};

#define BPEI_MOST_TUNNELS 8u /* packets inside each other that are gone into */

struct bpei_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen; /* of a packet in a tunnel: as far as the outer one reaches */
	struct bpe_layers *layers;
	struct bpe_key *key;
	const struct bpei_columns *columns; /* for what the caller chose */
	uint32_t *way;                      /* columns' element; NULL: not asked for */
	uint32_t depth;                     /* packets gone into */
	/* Identity of the tunnels so far: of both directions; of this one's ids alone. */
	uint32_t tunnel, direction;
};

/* Fills layers and key from offset on, at most caplen.  layers are as bpei_parse_scalar begins with
 * them. */
void bpei_packet_link(const struct bpei_packet *p, uint32_t link_type);
void bpei_packet_ppp(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ethertype(const struct bpei_packet *p, uint32_t offset,
	uint16_t type); /* VLAN tags are taken first */
void bpei_packet_ip4(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ip6(const struct bpei_packet *p, uint32_t offset);

void bpei_packet_wlan(const struct bpei_packet *p, uint32_t offset, uint32_t link_type);
/* shim.c: a header between two ethertypes.  True: it was passed, *offset and *type are what comes
 * behind it. */
bool bpei_packet_shim(const struct bpei_packet *p, uint32_t *offset, uint16_t *type);

/* What may be a packet inside this one: behind an ethertype, behind MPLS labels, behind the IP
 * header, behind the UDP header.  True: the layers and the key are the inner packet's now.  False:
 * they are untouched. */
bool bpei_packet_in_frame(const struct bpei_packet *p, uint32_t offset, uint16_t type);
bool bpei_packet_in_labels(const struct bpei_packet *p, uint32_t offset);
bool bpei_packet_in_ip(const struct bpei_packet *p, uint32_t offset, uint8_t proto);
bool bpei_packet_in_udp(const struct bpei_packet *p, uint32_t offset, uint32_t ports);

/* Whether packets of that kind (enum bpe_tunnel_kind) are gone into. */
static inline bool bpei_packet_opens(const struct bpei_packet *p, uint32_t kind)
{
	return !(p->columns->closed >> kind & 1);
}

/* UDP ports that are looked behind, by a hash without collisions; the vectors leave their packets
 * to scalar. */
enum {
	PORT_L2TP = 1701,
	PORT_GTPU = 2152,
	PORT_GTP_PRIME = 3386,
	PORT_TEREDO = 3544,
	PORT_GRE = 4754,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_CAPWAP = 5247,
	PORT_GENEVE = 6081,
	PORT_MPLS = 6635,
	PORT_VXLAN_OLD = 8472,
	PORT_TZSP = 37008,
	PORT_WIREGUARD = 51820
};
#define BPEI_PORT_MULTIPLIER 5757
#define BPEI_PORT_SHIFT 12
#define BPEI_LIST_PORTS(of)                                                                        \
	of(PORT_GTPU), of(PORT_WIREGUARD), of(PORT_GENEVE), of(PORT_VXLAN_OLD), of(0),             \
		of(PORT_TEREDO), of(PORT_L2TP), of(PORT_GTP_PRIME), of(0), of(PORT_GRE), of(0),    \
		of(PORT_VXLAN), of(PORT_VXLAN_GPE), of(PORT_MPLS), of(PORT_CAPWAP), of(PORT_TZSP)
#define BPEI_TUNNEL_PORTS(of) { BPEI_LIST_PORTS(of) }
#define BPEI_WHOLE(port) (port)
#define BPEI_LOWER_BYTE(port) ((port) & 0xff)
#define BPEI_UPPER_BYTE(port) ((port) >> 8)
static inline bool bpei_tunnel_port(uint32_t port)
{
	static const uint16_t ports[16] = BPEI_TUNNEL_PORTS(BPEI_WHOLE);
	return ports[(port * BPEI_PORT_MULTIPLIER & 0xffff) >> BPEI_PORT_SHIFT] == port;
}

/* Whether n bytes are there and offsets can still say where; else the packet ends here, with what
 * it was until then. */
static inline bool bpei_packet_there(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	if (offset <= p->caplen && p->caplen - offset >= n && offset <= BPE_NO_OFFSET - 64)
		return true;
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
