/* SPDX-License-Identifier: MIT */
/* The numbers of a TCP segment, from the headers.  The length is IP's, however few bytes were
 * captured.  Where segmentation offload made a packet too long for IP's length field, the length is
 * the frame's.  Pure. */
#ifndef BPEI_SEGMENT_H
#define BPEI_SEGMENT_H

#include "base/bytes.h"
#include "bpfengine.h"

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_PSH = 8,
	TCP_ACK = 16
}; /* byte 13 of the header (RFC 9293, 3.1) */

struct bpei_segment {
	uint32_t seq, ack, bytes;
	uint16_t window;
};

static inline void bpei_segment_numbers(const uint8_t *tcp, struct bpei_segment *s)
{
	s->seq = bpei_be32(tcp + 4);
	s->ack = bpei_be32(tcp + 8);
	s->window = bpei_be16(tcp + 14);
}

/* Returns whether the fixed header is there, of a packet that was captured whole. */
static inline bool bpei_segment_has_header(const struct bpe_layers *l)
{
	return (l->payload != BPE_NO_OFFSET) & (l->transport + 20u <= l->payload) &
	       (l->payload <= l->end);
}

/* Fills *s.  Returns false if the fixed header was not captured whole. */
static inline bool bpei_segment_of(const uint8_t *data, uint32_t caplen, uint32_t wirelen,
	const struct bpe_layers *l, struct bpei_segment *s)
{
	if (!data)
		return false;
	if (caplen == wirelen && bpei_segment_has_header(l)) {
		bpei_segment_numbers(data + l->transport, s);
		s->bytes = l->end - l->payload;
		return true;
	}
	if (l->transport + 20u > caplen || l->network + 20u > l->transport)
		return false;
	const uint8_t *ip = data + l->network;
	const uint8_t *tcp = data + l->transport;
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
	const bool ip6 = l->flags & BPE_PKT_IP6;
	const uint32_t length = bpei_be16(ip + (ip6 ? 4 : 2));
	if (header < 20)
		return false;
	uint32_t end = length ? l->network + length + 40u * ip6 : wirelen;
	if (end > wirelen)
		end = wirelen;
	bpei_segment_numbers(tcp, s);
	s->bytes = end > l->transport + header ? end - l->transport - header : 0;
	return true;
}

#endif
