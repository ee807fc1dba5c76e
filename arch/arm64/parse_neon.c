/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with NEON.  Pure. */
#include "base/bytes.h"

#include <arm_neon.h>

#define LANES 4
typedef uint32_t wide __attribute__((vector_size(16)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline uint32x4_t pairs1(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(vzip1q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline uint32x4_t pairs2(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(vzip2q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline void turn(wide t[4], uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
	uint32x4_t ab = vzip1q_u32(a, b), cd = vzip1q_u32(c, d), ab2 = vzip2q_u32(a, b), cd2 = vzip2q_u32(c, d);
	t[0] = (wide)pairs1(ab, cd);
	t[1] = (wide)pairs2(ab, cd);
	t[2] = (wide)pairs1(ab2, cd2);
	t[3] = (wide)pairs2(ab2, cd2);
}

static inline uint32x4_t load(const uint8_t *p) { return vreinterpretq_u32_u8(vld1q_u8(p)); }

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, load(at[0] + plus), load(at[1] + plus), load(at[2] + plus), load(at[3] + plus));
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d) { turn(r, (uint32x4_t)a, (uint32x4_t)b, (uint32x4_t)c, (uint32x4_t)d); }
static inline wide swap_bytes(wide x) { return (wide)vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32((uint32x4_t)x))); }

static inline wide gather16(const uint8_t *const *at, const uint32_t plus[LANES])
{
	return (wide){ bpei_load16(at[0] + plus[0]), bpei_load16(at[1] + plus[1]), bpei_load16(at[2] + plus[2]), bpei_load16(at[3] + plus[3]) };
}

static inline wide from_words(const uint32_t w[LANES]) { return (wide){ w[0], w[1], w[2], w[3] }; }
static inline uint32_t lane_bits(wide x)
{
	const int32x4_t place = { 0, 1, 2, 3 };
	return vaddvq_u32(vshlq_u32(vshrq_n_u32((uint32x4_t)x, 31), place));
}

static inline int order16(const uint8_t *a, const uint8_t *b)
{
	uint64_t a0 = bpei_be64(a), a1 = bpei_be64(a + 8), b0 = bpei_be64(b), b1 = bpei_be64(b + 8);
	return ((a0 > b0) - (a0 < b0)) * 2 + (a1 > b1) - (a1 < b1);
}

#include "arch/lanes/parse_lanes.h"

void bpei_parse_neon(const struct bpei_columns *columns, uint32_t n, uint32_t link_type)
{
	PARSE_BY_LINK_TYPE(columns, n, link_type)
}
