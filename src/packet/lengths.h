/* SPDX-License-Identifier: MIT */
/* The length of a packet from the IP header on, and of the payload, by IP's own length fields.
 * Link-layer padding does not count; bytes not captured do.  Packets of segmentation
 * offload, with a length field of 0, and jumbograms are as long as the frame.  Pure. */
#ifndef BPEI_LENGTHS_H
#define BPEI_LENGTHS_H

#include "base/bytes.h"
#include "bpfengine.h"

struct bpei_length {
	uint32_t ip, payload;
};

/* Returns both lengths; 0 and 0 for a packet without an IP header. */
static inline struct bpei_length bpei_length_of(
	const uint8_t *data, uint32_t caplen, uint32_t wirelen, const struct bpe_layers *l)
{
	struct bpei_length none = { 0, 0 };
	if (!data || !(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)) || l->network + 20u > caplen)
		return none;
	uint32_t v6 = l->flags & BPE_PKT_IP6 ? 1 : 0;
	uint32_t told = bpei_be16(data + l->network + (v6 ? 4 : 2));
	uint32_t end = told ? l->network + told + 40 * v6 : wirelen;
	if (end > wirelen)
		end = wirelen;
	const bool udp = l->transport != BPE_NO_OFFSET && (l->ip_proto == 17 || l->ip_proto == 136);
	const uint32_t payload = udp ? l->transport + 8u : l->payload;
	/* An ICMP error counts for the quoted flow, and carries no payload of the flow. */
	bool carries =
		payload != BPE_NO_OFFSET && payload < end && !(l->flags & BPE_PKT_ICMP_ERROR);
	const uint32_t ip_bytes = end > l->network ? end - l->network : 0;
	return (struct bpei_length){ ip_bytes, carries ? end - payload : 0 };
}

#endif
