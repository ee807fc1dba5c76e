/* SPDX-License-Identifier: MIT */
/* Random numbers, and numbers and checksums of frames, for the programs that make packets. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

/* Returns 64 random bits (splitmix64). */
static inline uint64_t draw_bits(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t take_below(uint64_t *s, uint32_t n)
{
	return (uint32_t)((draw_bits(s) >> 32) * n >> 32);
}

static inline double draw_unit(uint64_t *s)
{
	return (double)(draw_bits(s) >> 11) * 0x1p-53;
}

static inline void store_short(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void store_long(uint8_t *p, uint32_t v)
{
	store_short(p, v >> 16);
	store_short(p + 2, v & 65535);
}

static inline uint32_t sum_shorts(const uint8_t *p, size_t n, uint32_t s)
{
	for (; n > 1; p += 2, n -= 2)
		s += (uint32_t)(p[0] << 8 | p[1]);
	return n ? s + (uint32_t)(p[0] << 8) : s;
}

static inline uint32_t finish_sum(uint32_t s)
{
	while (s >> 16)
		s = (s & 65535) + (s >> 16);
	return ~s & 65535;
}

#endif
