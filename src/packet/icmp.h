/* SPDX-License-Identifier: MIT */
/* ICMP's request and reply types (RFC 792, 950, 1256, 4443, 4861, 2710, 4620, 6275).  Pure. */
#ifndef BPEI_ICMP_H
#define BPEI_ICMP_H

#include <stdint.h>

/* Returns the reply type of a request, or the request type of a reply; -1 for other types. */
static inline int bpei_icmp_counterpart(uint8_t ip_proto, uint8_t type)
{
	static const uint8_t pairs[2][7][2] = { { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 10, 9 },
							{ 17, 18 }, { 8, 0 }, { 8, 0 } },
		{ { 128, 129 }, { 133, 134 }, { 135, 136 }, { 130, 131 }, { 139, 140 },
			{ 144, 145 }, { 128, 129 } } };
	for (int k = 0; k < 7; k++) {
		const uint8_t *pair = pairs[ip_proto == 58][k];
		if (type == pair[0])
			return pair[1];
		if (type == pair[1])
			return pair[0];
	}
	return -1;
}

#endif
