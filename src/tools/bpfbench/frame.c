/* SPDX-License-Identifier: MIT */
/* Makes the frames that bpfbench sends.  Pure. */
#include "frame.h"

#include <string.h>

/* Writes a 16-bit number in network byte order and returns the place behind. */
static uint8_t *put_frame_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* Returns the checksum of an IPv4 header of 20 bytes whose checksum field is 0 (RFC 1071). */
static uint32_t sum_frame_header(const uint8_t *header)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

void sender_frame(uint8_t *f, uint32_t bytes, uint32_t n)
{
	/* to and from: locally administered addresses that spell "bpfb" */
	static const uint8_t macs[12] = { 2, 0x62, 0x70, 0x66, 0x62, 2, 2, 0x62, 0x70, 0x66, 0x62,
		1 };
	static const uint8_t addresses[8] = { 198, 18, 0, 1, 198, 19, 0, 2 };

	memset(f, 0, bytes);
	memcpy(f, macs, sizeof macs);
	uint8_t *p = put_frame_be16(f + 12, 0x0800);
	p[0] = 0x45;
	put_frame_be16(p + 2, bytes - 14);
	p[8] = 64;
	p[9] = 17;
	memcpy(p + 12, addresses, sizeof addresses);
	put_frame_be16(p + 10, sum_frame_header(p));
	p = put_frame_be16(p + 20, 1024 + n);
	p = put_frame_be16(p, 9);
	put_frame_be16(p, bytes - 34); /* the UDP checksum stays 0: none */
}
