/* SPDX-License-Identifier: MIT */
/* What the lines of our own forms say of a packet beside the packet's bytes. */
#ifndef PRINT_FACTS_H
#define PRINT_FACTS_H

#include "digits.h"
#include "print.h"

/* Borrowed for the call. */
struct print_facts {
	uint64_t number;                 /* of the packet, from 1 */
	const char *interface_name;      /* fit for a terminal; "-": unknown */
	uint32_t direction;              /* enum bpe_direction; UNKNOWN: the source does not say */
	uint32_t marks;                  /* BPE_MARK_* */
	int64_t rtt_ns;                  /* with BPE_MARK_RTT */
	const struct bpe_meta *meta;     /* of a process; NULL: unknown */
	const struct bpe_flow *flow;     /* the packet's, as of now; NULL: none, or not asked for */
	const struct bpe_tunnel *tunnel; /* NULL: none */
};

/* Both ends of a packet, as its own headers name them. */
struct print_ends {
	const uint8_t *addr[2]; /* from, to; NULL: no IP addresses were captured */
	uint32_t version;       /* 4, 6 or 0 */
	bool has_ports;
	uint16_t port[2];
};

static inline uint32_t facts_u16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t facts_u32(const uint8_t *at)
{
	return facts_u16(at) << 16 | facts_u16(at + 2);
}

/* Finds the ends of packet i. */
static inline void facts_find_ends(struct print_ends *ends, const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_layers *const l = &b->layers[i];
	const uint8_t *const data = b->data[i];
	const uint32_t caplen = b->caplen[i];
	const bool has_ip = l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6);
	const bool is_ip6 = l->flags & BPE_PKT_IP6;
	const uint32_t header = is_ip6 ? 40 : 20;

	*ends = (struct print_ends){ .version = 0 };
	if (!has_ip || l->network == BPE_NO_OFFSET || l->network + header > caplen)
		return;
	ends->version = is_ip6 ? 6 : 4;
	ends->addr[0] = data + l->network + (is_ip6 ? 8 : 12);
	ends->addr[1] = ends->addr[0] + (is_ip6 ? 16 : 4);
	if (l->transport == BPE_NO_OFFSET || l->transport + 4u > caplen)
		return;
	switch (l->proto) {
	case BPE_PROTO_TCP:
	case BPE_PROTO_UDP:
	case BPE_PROTO_SCTP:
	case BPE_PROTO_UDPLITE:
	case BPE_PROTO_DCCP:
	case BPE_PROTO_WIREGUARD:
	case BPE_PROTO_GTP_PRIME:
		ends->has_ports = true;
		ends->port[0] = (uint16_t)facts_u16(data + l->transport);
		ends->port[1] = (uint16_t)facts_u16(data + l->transport + 2);
		break;
	default:
		break;
	}
}

/* Returns the bytes behind the last known header by the length fields of IP; of other packets, on
 * the wire. */
static inline uint32_t facts_payload(const struct bpe_batch *b, uint32_t i, uint32_t version)
{
	const struct bpe_layers *const l = &b->layers[i];
	const uint32_t from = l->payload == BPE_NO_OFFSET ? 0 : l->payload;
	uint32_t end = 0;

	if (version == 4)
		end = facts_u16(b->data[i] + l->network + 2);
	else if (version == 6)
		end = facts_u16(b->data[i] + l->network + 4);
	if (!end) /* no IP, or a packet that the network card will divide */
		return b->wirelen[i] > from ? b->wirelen[i] - from : 0;
	end += l->network + (version == 6 ? 40 : 0);
	return end > from ? end - from : 0;
}

/* Returns the name of the packet's protocol, in the words of the filter where these exist. */
const char *facts_protocol(const struct bpe_layers *layers);
/* Returns the words of BPE_MARK_* by bit, without the mark's sign; NULL: no word. */
const char *facts_mark_name(uint32_t bit);

#endif
