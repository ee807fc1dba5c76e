/* SPDX-License-Identifier: MIT */
/* The payload of a TCP segment or UDP datagram, by the length fields.  Pure. */
#ifndef BPEI_PAYLOAD_H
#define BPEI_PAYLOAD_H

#include "packet/lengths.h"
#include "packet/segment.h"

struct bpei_payload {
	const uint8_t *bytes;
	uint32_t n;        /* bytes captured */
	uint32_t sent;     /* bytes on the wire; more than n: the packet, or its datagram, is cut */
	uint32_t seq, ack; /* TCP */
};

/* Fills *payload from a TCP segment.  Returns false if the fixed header was not captured whole. */
static inline bool bpei_payload_of_segment(const uint8_t *data, uint32_t caplen, uint32_t wirelen,
	const struct bpe_layers *l, struct bpei_payload *payload)
{
	struct bpei_segment s;

	if (!bpei_segment_of(data, caplen, wirelen, l, &s))
		return false;
	const uint32_t from = l->transport + (uint32_t)(data[l->transport + 12] >> 4) * 4;
	const uint32_t there = l->end > from ? l->end - from : 0;

	*payload = (struct bpei_payload){ .bytes = data + from,
		.n = there < s.bytes ? there : s.bytes,
		.sent = s.bytes,
		.seq = s.seq,
		.ack = s.ack };
	return true;
}

/* Fills *payload from a UDP datagram.  Returns false if the header was not captured whole.  Of a
 * fragmented datagram, the first fragment has the bytes. */
static inline bool bpei_payload_of_datagram(const uint8_t *data, uint32_t caplen, uint32_t wirelen,
	const struct bpe_layers *l, struct bpei_payload *payload)
{
	const uint32_t from = l->transport + 8u;

	if (!data || from > l->end)
		return false;
	const uint32_t told = bpei_be16(data + l->transport + 4);
	const uint32_t by_ip = bpei_length_of(data, caplen, wirelen, l).payload;
	const uint32_t sent = told >= 8 ? told - 8 : by_ip;
	const uint32_t there = l->end - from;

	*payload = (struct bpei_payload){
		.bytes = data + from, .n = there < sent ? there : sent, .sent = sent
	};
	return true;
}

#endif
