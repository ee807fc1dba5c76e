/* SPDX-License-Identifier: MIT */
/* Random packets of a mix, for the parts of bench/kernels.  The numbers come from one generator
 * with a fixed start, so each run measures the same packets. */
#include "kernels.h"

static uint64_t state = 1;

uint32_t kernels_chance(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 32) * below >> 32);
}

static uint8_t *put_be16_bytes(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* Returns ICMP's protocol number, or TCP's or UDP's where icmp is 0. */
static uint8_t choose_ip_protocol(uint8_t icmp, bool tcp)
{
	if (icmp)
		return icmp;
	return tcp ? 6 : 17;
}

uint32_t kernels_packet(uint8_t packet[KERNELS_BYTES], const struct kernels_mix *m)
{
	bool six = kernels_chance(100) < m->six;
	bool tcp = kernels_chance(100) < m->tcp;
	bool tagged = kernels_chance(100) < m->tagged;
	bool icmp = kernels_chance(100) < m->icmp;
	bool odd = kernels_chance(100) < m->odd;
	uint32_t length = tcp && !icmp ? 20 : 8;
	uint32_t body = kernels_chance(3);
	uint32_t hosts[2] = { kernels_chance(4096), kernels_chance(4096) };
	uint32_t way = kernels_chance(2);
	uint8_t *p = packet + 12;
	if (tagged)
		p = put_be16_bytes(put_be16_bytes(p, 0x8100), 7);
	p = put_be16_bytes(p, six ? 0x86dd : 0x0800);
	if (six) {
		p[0] = 0x60;
		put_be16_bytes(p + 4, length + body + (odd ? 8 : 0));
		if (!odd)
			p[6] = choose_ip_protocol(icmp ? 58 : 0, tcp);
		for (uint32_t end = 0; end < 2; end++) {
			put_be16_bytes(p + 8 + 16 * end, 0x2001);
			put_be16_bytes(p + 22 + 16 * end, hosts[end ^ way]);
		}
		p += 40;
		if (odd) {
			p[0] = tcp ? 6 : 17;
			p += 8;
		}
	} else {
		p[0] = 0x45;
		put_be16_bytes(p + 2, 20 + length + body);
		if (odd)
			p[6] = 0x20; /* a first fragment */
		p[9] = choose_ip_protocol(icmp ? 1 : 0, tcp);
		for (uint32_t end = 0; end < 2; end++) {
			p[12 + 4 * end] = 10;
			put_be16_bytes(p + 14 + 4 * end, hosts[end ^ way]);
		}
		p += 20;
	}
	if (icmp)
		put_be16_bytes(put_be16_bytes(p, six ? 0x8000 : 0x0800) + 2, kernels_chance(50000));
	else
		put_be16_bytes(put_be16_bytes(p, 1024 + kernels_chance(50000)), 443);
	if (tcp && !icmp) {
		p[12] = 0x50;
		p[13] = 0x10;
	} else if (!icmp)
		put_be16_bytes(p + 4, length + body);
	uint32_t end = (uint32_t)(p - packet) + length + body;
	return end < 60 ? 60 : end;
}
