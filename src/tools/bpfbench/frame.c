/* SPDX-License-Identifier: MIT */
/* The frames that are sent.  Pure. */
#include "frame.h"

#include <string.h>

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
	return p + 2;
}

void sender_frame(uint8_t *f, uint32_t bytes, uint32_t n)
{
	static const uint8_t ends[12] = { 2, 0x62, 0x70, 0x66, 0x62, 2, 2, 0x62, 0x70, 0x66, 0x62,
		1 }; /* locally administered: to, from */
	uint32_t sum = 0;
	memset(f, 0, bytes);
	memcpy(f, ends, sizeof ends);
	uint8_t *p = put16(f + 12, 0x0800);
	p[0] = 0x45;
	put16(p + 2, bytes - 14);
	p[8] = 64, p[9] = 17;
	p[12] = 198, p[13] = 18, p[15] = 1;
	p[16] = 198, p[17] = 19, p[19] = 2;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, ~(sum + (sum >> 16)));
	p = put16(put16(p + 20, 1024 + n), 9);
	put16(p, bytes - 34); /* no checksum: 0 */
}
