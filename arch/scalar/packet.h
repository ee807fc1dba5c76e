/* SPDX-License-Identifier: MIT */
/* One packet on its way through the scalar parser, and the doors between its files: link.c finds
 * the network header, network.c goes on from there, tunnel.c finds the packet in the packet.  Pure.
 */
#ifndef BPEI_ARCH_PACKET_H
#define BPEI_ARCH_PACKET_H

#include "arch/arch.h"
#include "names/numbers.h"

/* LINKTYPE 105 with the two bytes of its frame control swapped: a tunnel's content, no link type.
 */
enum { LINK_WLAN_SWAPPED = 0x10000 };

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
