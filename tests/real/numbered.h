/* SPDX-License-Identifier: MIT */
/* Numbered packets, and the ways of sending packets on a real system. */
#ifndef TESTS_REAL_NUMBERED_H
#define TESTS_REAL_NUMBERED_H

#include <stdint.h>
#include <string.h>

/* The payload of a packet begins with MARK and the packet's number, 8 bytes, big-endian. */
#define NUMBERED_MARK "bpfenum1"
#define NUMBERED_PAYLOAD 16u
#define NUMBERED_PORT 9u   /* the UDP port of all packets: discard */
#define NUMBERED_FRAME 60u /* the least Ethernet frame, without its check sequence */

static inline void numbered_put(uint8_t *payload, uint64_t number)
{
	memcpy(payload, NUMBERED_MARK, 8);
	for (int k = 0; k < 8; k++)
		payload[8 + k] = (uint8_t)(number >> (56 - 8 * k));
}

static inline uint64_t numbered_get(const uint8_t *payload)
{
	uint64_t number = 0;

	for (int k = 0; k < 8; k++)
		number = number << 8 | payload[8 + k];
	return number;
}

/* Opens an interface for sending whole frames: Linux by a packet socket, macOS and the BSDs by a
 * BPF device.  Returns a descriptor, or -errno with *step naming the call that failed. */
int numbered_wire_open(const char *interface, const char **step);

#endif
