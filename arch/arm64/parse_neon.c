/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with NEON.  Pure. */
#include "arch/lanes/gather_list.h"
#include "arch/scalar/packet.h"
#include "base/bytes.h"

#include <arm_neon.h>

#define LANES 4
#define PREFETCH_NEXT 0
typedef uint32_t vec32 __attribute__((vector_size(16)));
typedef uint64_t vec64 __attribute__((vector_size(16)));
typedef uint16_t vec16 __attribute__((vector_size(4 * LANES)));
typedef uint32_t vec32x4 __attribute__((vector_size(16)));

static inline uint32x4_t zip_low_64(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(
		vzip1q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline uint32x4_t zip_high_64(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(
		vzip2q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline void transpose_neon(
	vec32 t[4], uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
	uint32x4_t ab = vzip1q_u32(a, b);
	uint32x4_t cd = vzip1q_u32(c, d);
	uint32x4_t ab2 = vzip2q_u32(a, b);
	uint32x4_t cd2 = vzip2q_u32(c, d);
	t[0] = (vec32)zip_low_64(ab, cd);
	t[1] = (vec32)zip_high_64(ab, cd);
	t[2] = (vec32)zip_low_64(ab2, cd2);
	t[3] = (vec32)zip_high_64(ab2, cd2);
}

static inline uint32x4_t load_neon_row(const uint8_t *p)
{
	return vreinterpretq_u32_u8(vld1q_u8(p));
}
static inline void store_neon_row(void *to, uint32x4_t x)
{
	vst1q_u8(to, vreinterpretq_u8_u32(x));
}

static inline void load_columns(vec32 c[4], const uint8_t *const *at, int plus)
{
	transpose_neon(c, load_neon_row(at[0] + plus), load_neon_row(at[1] + plus),
		load_neon_row(at[2] + plus), load_neon_row(at[3] + plus));
}

static inline uint32x4_t load_two_neon_pairs(const uint8_t *a, const uint8_t *b)
{
	return vcombine_u32(vreinterpret_u32_u8(vld1_u8(a)), vreinterpret_u32_u8(vld1_u8(b)));
}

static inline void load_pairs(vec32 c[2], const uint8_t *const *at, int plus)
{
	uint32x4_t a = load_two_neon_pairs(at[0] + plus, at[1] + plus);
	uint32x4_t b = load_two_neon_pairs(at[2] + plus, at[3] + plus);
	c[0] = (vec32)vuzp1q_u32(a, b);
	c[1] = (vec32)vuzp2q_u32(a, b);
}

static inline vec32 load_words(const uint8_t *const *at, int plus)
{
	uint32x4_t v = vdupq_n_u32(bpei_load32(at[0] + plus));
	v = vld1q_lane_u32((const uint32_t *)(const void *)(at[1] + plus), v, 1);
	v = vld1q_lane_u32((const uint32_t *)(const void *)(at[2] + plus), v, 2);
	return (vec32)vld1q_lane_u32((const uint32_t *)(const void *)(at[3] + plus), v, 3);
}

static inline void advance_pointers(const uint8_t **to, const uint8_t *const *from, vec32 by)
{
	for (uint32_t j = 0; j < LANES; j++)
		to[j] = from[j] + by[j];
}

static inline void columns_to_rows(vec32x4 r[LANES], vec32 a, vec32 b, vec32 c, vec32 d)
{
	transpose_neon(r, (uint32x4_t)a, (uint32x4_t)b, (uint32x4_t)c, (uint32x4_t)d);
}

static inline uint32x4_t keep_low_half(uint32x4_t x)
{
	return vcombine_u32(vget_low_u32(x), vdup_n_u32(0));
}
static inline uint32x4_t keep_high_half(uint32x4_t x)
{
	return vextq_u32(x, vdupq_n_u32(0), 2);
}

static inline void store_rows(struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, (uint32x4_t)b);
	uint32x4_t last = vzip2q_u32((uint32x4_t)a, (uint32x4_t)b);
	store_neon_row(key_at(key, indexes, 0)->port, keep_low_half(first));
	store_neon_row(key_at(key, indexes, 1)->port, keep_high_half(first));
	store_neon_row(key_at(key, indexes, 2)->port, keep_low_half(last));
	store_neon_row(key_at(key, indexes, 3)->port, keep_high_half(last));
}

static inline void store_end(struct bpe_key *key, const uint32_t *indexes, uint32_t end, vec32 a)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, vdupq_n_u32(0));
	uint32x4_t last = vzip2q_u32((uint32x4_t)a, vdupq_n_u32(0));
	store_neon_row(key_at(key, indexes, 0)->addr[end], keep_low_half(first));
	store_neon_row(key_at(key, indexes, 1)->addr[end], keep_high_half(first));
	store_neon_row(key_at(key, indexes, 2)->addr[end], keep_low_half(last));
	store_neon_row(key_at(key, indexes, 3)->addr[end], keep_high_half(last));
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b, vec32 c, vec32 d)
{
	store_end(key, indexes, 0, a);
	store_end(key, indexes, 1, b);
	store_rows(key, indexes, c, d);
}

static inline void store_two_neon_layers(char *to, uint32x4_t a, uint32x4_t b, uint32x4_t c)
{
	uint64x2_t y = vcopyq_laneq_u64(vreinterpretq_u64_u32(c), 1, vreinterpretq_u64_u32(a), 1);
	store_neon_row(to, zip_low_64(a, b));
	store_neon_row(to + 16, vreinterpretq_u32_u64(y));
	store_neon_row(to + 32, zip_high_64(b, c));
}

static inline void store_layers(struct bpe_layers *layers, const vec32 w[6])
{
	const uint32x4_t a = (uint32x4_t)w[0];
	const uint32x4_t b = (uint32x4_t)w[1];
	const uint32x4_t c = (uint32x4_t)w[2];
	const uint32x4_t d = (uint32x4_t)w[3];
	const uint32x4_t e = (uint32x4_t)w[4];
	const uint32x4_t f = (uint32x4_t)w[5];
	store_two_neon_layers((char *)layers, vzip1q_u32(a, b), vzip1q_u32(c, d), vzip1q_u32(e, f));
	store_two_neon_layers(
		(char *)(layers + 2), vzip2q_u32(a, b), vzip2q_u32(c, d), vzip2q_u32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *indexes, vec32 a, vec32 b)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, (uint32x4_t)b);
	uint32x4_t last = vzip2q_u32((uint32x4_t)a, (uint32x4_t)b);
	vst1_u8((uint8_t *)&layers_at(layers, indexes, 0)->link_type,
		vreinterpret_u8_u32(vget_low_u32(first)));
	vst1_u8((uint8_t *)&layers_at(layers, indexes, 1)->link_type,
		vreinterpret_u8_u32(vget_high_u32(first)));
	vst1_u8((uint8_t *)&layers_at(layers, indexes, 2)->link_type,
		vreinterpret_u8_u32(vget_low_u32(last)));
	vst1_u8((uint8_t *)&layers_at(layers, indexes, 3)->link_type,
		vreinterpret_u8_u32(vget_high_u32(last)));
}

static inline vec32 swap_word_bytes(vec32 x)
{
	return (vec32)vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32((uint32x4_t)x)));
}
static inline vec32 swap_halves(vec32 x)
{
	return (vec32)vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32((uint32x4_t)x)));
}
static inline vec32 be16_low(vec32 x)
{
	return swap_word_bytes(x) >> 16;
}
static inline vec32 be16_high(vec32 x)
{
	return (vec32)vreinterpretq_u32_u8(vrev16q_u8(vreinterpretq_u8_u32((uint32x4_t)x))) >> 16;
}
static inline vec32 second_byte(vec32 x)
{
	return x << 16 >> 24;
}
static inline vec32 min_u32(vec32 a, vec32 b)
{
	return (vec32)vminq_u32((uint32x4_t)a, (uint32x4_t)b);
}
static inline vec32 gt_s32(vec32 a, vec32 b)
{
	return (vec32)vcgtq_s32((int32x4_t)a, (int32x4_t)b);
}
static inline vec32 select_lanes(vec32 mask, vec32 yes, vec32 no)
{
	return (vec32)vbslq_u32((uint32x4_t)mask, (uint32x4_t)yes, (uint32x4_t)no);
}

static inline uint32_t lane_bits(vec32 x)
{
	const int32x4_t place = { 0, 1, 2, 3 };
	return vaddvq_u32(vshlq_u32(vshrq_n_u32((uint32x4_t)x, 31), place));
}

static inline bool any_lane(vec32 x)
{
	return vmaxvq_u32((uint32x4_t)x) != 0;
}
static inline bool all_lanes(vec32 x)
{
	return vminvq_u32((uint32x4_t)x) != 0;
}
#define LANE_INDEXES { 0, 1, 2, 3 }

static inline void append_to_lists(struct gather_lists *lists, vec32 x)
{
	const uint32_t words[LANES] = { x[0], x[1], x[2], x[3] };
	append_words(lists, words, LANES);
}

static inline vec16 hash_ports(vec16 x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}

/* Returns port[at[j]] of BPEI_TUNNEL_PORTS, from a table of all lower bytes, then all upper bytes.
 */
static inline vec16 lookup_ports(vec16 at)
{
	static const uint8_t table[32] = { BPEI_LIST_PORTS(BPEI_LOWER_BYTE),
		BPEI_LIST_PORTS(BPEI_UPPER_BYTE) };
	const uint8x16x2_t halves = { { vld1q_u8(table), vld1q_u8(table + 16) } };
	uint16x8_t low = (uint16x8_t)at;
	uint16x8_t both = vorrq_u16(vsliq_n_u16(low, low, 8), vdupq_n_u16(0x1000));
	return (vec16)vqtbl2q_u8(halves, vreinterpretq_u8_u16(both));
}

static inline vec32 load_bytes(const uint8_t *at)
{
	return (vec32)vmovl_u16(
		vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bpei_load32(at))))));
}

/* "Even" lanes are the lower two here, "odd" lanes the upper two: only join_*_words must agree. */
static inline vec64 mul_even(vec32 a, vec32 b)
{
	return (vec64)vmull_u32(vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b));
}
static inline vec64 mul_odd(vec32 a, vec32 b)
{
	return (vec64)vmull_high_u32((uint32x4_t)a, (uint32x4_t)b);
}
static inline vec64 mul_add_even(vec64 s, vec32 a, vec32 b)
{
	return (vec64)vmlal_u32(
		(uint64x2_t)s, vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b));
}
static inline vec64 mul_add_odd(vec64 s, vec32 a, vec32 b)
{
	return (vec64)vmlal_high_u32((uint64x2_t)s, (uint32x4_t)a, (uint32x4_t)b);
}
static inline vec64 mul_halves(vec64 s, vec32 ends)
{
	uint64x2_t x = (uint64x2_t)((vec32)s + ends);
	return (vec64)vmull_u32(vmovn_u64(x), vshrn_n_u64(x, 32));
}
static inline vec32 join_low_words(vec64 e, vec64 o)
{
	return (vec32)vuzp1q_u32((uint32x4_t)e, (uint32x4_t)o);
}
static inline vec32 join_high_words(vec64 e, vec64 o)
{
	return (vec32)vuzp2q_u32((uint32x4_t)e, (uint32x4_t)o);
}

static inline void store_i64(int64_t *to, vec64 even, vec64 odd)
{
	memcpy(to, &even, sizeof even);
	memcpy(to + 2, &odd, sizeof odd);
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_neon(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	parse_by_link_type(columns, n, link_type, seed);
}

uint32_t bpei_walk_uniform_neon(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run)
{
	const struct bpei_columns c = *columns;

	return walk_uniform_lanes(&c, n, run);
}

int bpei_cpu_fits_neon(void)
{
	return 1; /* NEON is part of every arm64 */
}
