/* SPDX-License-Identifier: MIT */
/* A packet in the scalar parser, and the functions between its files.  link.c finds the network
 * header, network.c parses from there, tunnel.c and tunnel_udp.c find a packet in the packet.
 * Pure. */
#ifndef BPEI_ARCH_PACKET_H
#define BPEI_ARCH_PACKET_H

#include "arch/arch.h"
#include "base/cacheline.h"
#include "names/numbers.h"

/* LINKTYPE 105 with the two bytes of the frame control swapped: a tunnel's content, no link type.
 */
enum { LINK_WLAN_SWAPPED = 0x10000 };

#define BPEI_MOST_TUNNELS 8u /* depth of packets in packets */

struct bpei_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen; /* of a packet in a tunnel: up to the outer packet's end */
	struct bpe_layers *layers;
	struct bpe_key *key;
	const struct bpei_columns *columns; /* the caller's options */
	uint32_t *way;                      /* columns' element; NULL: not wanted */
	struct bpei_places *places;         /* columns' element; NULL: not wanted */
	uint32_t depth;                     /* tunnels entered */
	/* Identity of the tunnels so far: equal in both directions; of this direction's ids
	 * alone. */
	uint32_t tunnel, direction;
};

/* Each fills layers and key from offset on, at most caplen.  layers begin as in
 * bpei_parse_scalar. */
void bpei_packet_link(const struct bpei_packet *p, uint32_t link_type);
void bpei_packet_ppp(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ethertype(const struct bpei_packet *p, uint32_t offset,
	uint16_t type); /* VLAN tags are taken first */
void bpei_packet_ip4(const struct bpei_packet *p, uint32_t offset);
void bpei_packet_ip6(const struct bpei_packet *p, uint32_t offset);

void bpei_packet_wlan(const struct bpei_packet *p, uint32_t offset, uint32_t link_type);
/* Passes a header between two ethertypes (shim.c).  Returns true, with *offset and *type of the
 * content behind the header; false if there is no such header. */
bool bpei_packet_shim(const struct bpei_packet *p, uint32_t *offset, uint16_t *type);

/* Each tries a packet inside this packet: behind an ethertype, MPLS labels, the IP header, the
 * UDP header.  Returns true if the layers and the key are the inner packet's now; false if they
 * are untouched. */
bool bpei_packet_in_frame(const struct bpei_packet *p, uint32_t offset, uint16_t type);
bool bpei_packet_in_labels(const struct bpei_packet *p, uint32_t offset);
bool bpei_packet_in_ip(const struct bpei_packet *p, uint32_t offset, uint8_t proto);
bool bpei_packet_in_udp(const struct bpei_packet *p, uint32_t offset, uint32_t ports);

/* Returns whether tunnels of this kind (enum bpe_tunnel_kind) are entered. */
static inline bool bpei_packet_opens(const struct bpei_packet *p, uint32_t kind)
{
	return !(p->columns->closed >> kind & 1);
}

/* UDP ports that may carry a packet, in a hash table without collisions.  Vector backends leave
 * datagrams with such a port to scalar. */
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

/* Returns whether n bytes at offset were captured, and 16-bit offsets still reach.  If not, the
 * packet ends here, with the layers found so far. */
static inline bool bpei_packet_there(const struct bpei_packet *p, uint32_t offset, uint32_t n)
{
	if (offset <= p->caplen && p->caplen - offset >= n && offset <= BPE_NO_OFFSET - 64)
		return true;
	p->layers->flags |= BPE_PKT_TRUNCATED;
	p->layers->proto = BPE_PROTO_ETHERTYPE;
	return false;
}

/* Notes a header with addresses; kind: enum bpei_place_kind. */
static inline void bpei_packet_place(const struct bpei_packet *p, uint32_t offset, uint32_t kind)
{
	struct bpei_places *places = p->places;
	if (BPEI_LIKELY(!places))
		return;
	if (places->count < BPEI_PLACES)
		places->at[places->count] = (struct bpei_place){ offset, kind };
	places->count++;
}

/* Ends the packet at content that is not parsed, which begins at offset. */
static inline void bpei_packet_unknown(const struct bpei_packet *p, uint32_t offset, uint8_t proto)
{
	p->layers->network = p->layers->payload = (uint16_t)offset;
	p->layers->proto = proto;
}

#endif
