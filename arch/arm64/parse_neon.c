/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with NEON.  Pure. */
#include "arch/lanes/gather_list.h"
#include "arch/scalar/packet.h"
#include "base/bytes.h"

#include <arm_neon.h>

#define LANES 4
#define ASK_AHEAD 0
typedef uint32_t wide __attribute__((vector_size(16)));
typedef uint64_t big __attribute__((vector_size(16)));
typedef uint16_t ports __attribute__((vector_size(4 * LANES)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline uint32x4_t pairs1(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(
		vzip1q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline uint32x4_t pairs2(uint32x4_t a, uint32x4_t b)
{
	return vreinterpretq_u32_u64(
		vzip2q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)));
}

static inline void turn(wide t[4], uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
	uint32x4_t ab = vzip1q_u32(a, b), cd = vzip1q_u32(c, d), ab2 = vzip2q_u32(a, b),
		   cd2 = vzip2q_u32(c, d);
	t[0] = (wide)pairs1(ab, cd);
	t[1] = (wide)pairs2(ab, cd);
	t[2] = (wide)pairs1(ab2, cd2);
	t[3] = (wide)pairs2(ab2, cd2);
}

static inline uint32x4_t load(const uint8_t *p)
{
	return vreinterpretq_u32_u8(vld1q_u8(p));
}
static inline void store(void *to, uint32x4_t x)
{
	vst1q_u8(to, vreinterpretq_u8_u32(x));
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, load(at[0] + plus), load(at[1] + plus), load(at[2] + plus), load(at[3] + plus));
}

static inline uint32x4_t two(const uint8_t *a, const uint8_t *b) /* 8 bytes of each */
{
	return vcombine_u32(vreinterpret_u32_u8(vld1_u8(a)), vreinterpret_u32_u8(vld1_u8(b)));
}

static inline void load_pairs(wide c[2], const uint8_t *const *at, int plus)
{
	uint32x4_t a = two(at[0] + plus, at[1] + plus), b = two(at[2] + plus, at[3] + plus);
	c[0] = (wide)vuzp1q_u32(a, b);
	c[1] = (wide)vuzp2q_u32(a, b);
}

static inline wide load_words(const uint8_t *const *at, int plus)
{
	uint32x4_t v = vdupq_n_u32(bpei_load32(at[0] + plus));
	v = vld1q_lane_u32((const uint32_t *)(const void *)(at[1] + plus), v, 1);
	v = vld1q_lane_u32((const uint32_t *)(const void *)(at[2] + plus), v, 2);
	return (wide)vld1q_lane_u32((const uint32_t *)(const void *)(at[3] + plus), v, 3);
}

static inline void advance(const uint8_t **to, const uint8_t *const *from, wide by)
{
	for (uint32_t j = 0; j < LANES; j++)
		to[j] = from[j] + by[j];
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d)
{
	turn(r, (uint32x4_t)a, (uint32x4_t)b, (uint32x4_t)c, (uint32x4_t)d);
}

static inline uint32x4_t low_half(uint32x4_t x)
{
	return vcombine_u32(vget_low_u32(x), vdup_n_u32(0));
} /* the rest 0 */
static inline uint32x4_t high_half(uint32x4_t x)
{
	return vextq_u32(x, vdupq_n_u32(0), 2);
}

static inline void store_rows(struct bpe_key *key, const uint32_t *places, wide a, wide b)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, (uint32x4_t)b),
		   last = vzip2q_u32((uint32x4_t)a, (uint32x4_t)b);
	store(key_of(key, places, 0)->port, low_half(first)),
		store(key_of(key, places, 1)->port, high_half(first));
	store(key_of(key, places, 2)->port, low_half(last)),
		store(key_of(key, places, 3)->port, high_half(last));
}

static inline void store_end(struct bpe_key *key, const uint32_t *places, uint32_t end, wide a)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, vdupq_n_u32(0)),
		   last = vzip2q_u32((uint32x4_t)a, vdupq_n_u32(0));
	store(key_of(key, places, 0)->addr[end], low_half(first)),
		store(key_of(key, places, 1)->addr[end], high_half(first));
	store(key_of(key, places, 2)->addr[end], low_half(last)),
		store(key_of(key, places, 3)->addr[end], high_half(last));
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *places, wide a, wide b, wide c, wide d)
{
	store_end(key, places, 0, a);
	store_end(key, places, 1, b);
	store_rows(key, places, c, d);
}

static inline void store_two_layers(char *to, uint32x4_t a, uint32x4_t b, uint32x4_t c)
{
	uint64x2_t y = vcopyq_laneq_u64(vreinterpretq_u64_u32(c), 1, vreinterpretq_u64_u32(a), 1);
	store(to, pairs1(a, b)), store(to + 16, vreinterpretq_u32_u64(y)),
		store(to + 32, pairs2(b, c));
}

static inline void store_layers(struct bpe_layers *layers, const wide w[6])
{
	const uint32x4_t a = (uint32x4_t)w[0], b = (uint32x4_t)w[1], c = (uint32x4_t)w[2],
			 d = (uint32x4_t)w[3], e = (uint32x4_t)w[4], f = (uint32x4_t)w[5];
	store_two_layers((char *)layers, vzip1q_u32(a, b), vzip1q_u32(c, d), vzip1q_u32(e, f));
	store_two_layers(
		(char *)(layers + 2), vzip2q_u32(a, b), vzip2q_u32(c, d), vzip2q_u32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *places, wide a, wide b)
{
	uint32x4_t first = vzip1q_u32((uint32x4_t)a, (uint32x4_t)b),
		   last = vzip2q_u32((uint32x4_t)a, (uint32x4_t)b);
	vst1_u8((uint8_t *)&layers_of(layers, places, 0)->link_type,
		vreinterpret_u8_u32(vget_low_u32(first)));
	vst1_u8((uint8_t *)&layers_of(layers, places, 1)->link_type,
		vreinterpret_u8_u32(vget_high_u32(first)));
	vst1_u8((uint8_t *)&layers_of(layers, places, 2)->link_type,
		vreinterpret_u8_u32(vget_low_u32(last)));
	vst1_u8((uint8_t *)&layers_of(layers, places, 3)->link_type,
		vreinterpret_u8_u32(vget_high_u32(last)));
}

static inline wide swap_bytes(wide x)
{
	return (wide)vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32((uint32x4_t)x)));
}
static inline wide swap_halves(wide x)
{
	return (wide)vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32((uint32x4_t)x)));
}
static inline wide first_half(wide x)
{
	return swap_bytes(x) >> 16;
}
static inline wide second_half(wide x)
{
	return (wide)vreinterpretq_u32_u8(vrev16q_u8(vreinterpretq_u8_u32((uint32x4_t)x))) >> 16;
}
static inline wide second_byte(wide x)
{
	return x << 16 >> 24;
}
static inline wide least(wide a, wide b)
{
	return (wide)vminq_u32((uint32x4_t)a, (uint32x4_t)b);
}
static inline wide more(wide a, wide b)
{
	return (wide)vcgtq_s32((int32x4_t)a, (int32x4_t)b);
}
static inline wide choose(wide mask, wide yes, wide no)
{
	return (wide)vbslq_u32((uint32x4_t)mask, (uint32x4_t)yes, (uint32x4_t)no);
}

static inline uint32_t lane_bits(wide x)
{
	const int32x4_t place = { 0, 1, 2, 3 };
	return vaddvq_u32(vshlq_u32(vshrq_n_u32((uint32x4_t)x, 31), place));
}

static inline bool any(wide x)
{
	return vmaxvq_u32((uint32x4_t)x) != 0;
}
static inline bool every(wide x)
{
	return vminvq_u32((uint32x4_t)x) != 0;
}
#define PLACES { 0, 1, 2, 3 }

static inline void pack(
	struct listed *four, size_t *fours, struct listed *six, size_t *sixes, wide x)
{
	const uint32_t words[LANES] = { x[0], x[1], x[2], x[3] };
	pack_words(four, fours, six, sixes, words, LANES);
}

static inline ports port_places(ports x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}

/* The table's lower bytes, and its upper ones behind them. */
static inline ports tunnel_ports(ports at)
{
	static const uint8_t table[32] = { BPEI_LIST_PORTS(BPEI_LOWER_BYTE),
		BPEI_LIST_PORTS(BPEI_UPPER_BYTE) };
	const uint8x16x2_t halves = { { vld1q_u8(table), vld1q_u8(table + 16) } };
	uint16x8_t low = (uint16x8_t)at,
		   both = vorrq_u16(vsliq_n_u16(low, low, 8), vdupq_n_u16(0x1000));
	return (ports)vqtbl2q_u8(halves, vreinterpretq_u8_u16(both));
}

static inline wide load_bytes(const uint8_t *at)
{
	return (wide)vmovl_u16(
		vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bpei_load32(at))))));
}

/* The lower lanes, and the upper ones. */
static inline big times_even(wide a, wide b)
{
	return (big)vmull_u32(vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b));
}
static inline big times_odd(wide a, wide b)
{
	return (big)vmull_high_u32((uint32x4_t)a, (uint32x4_t)b);
}
static inline big plus_even(big s, wide a, wide b)
{
	return (big)vmlal_u32(
		(uint64x2_t)s, vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b));
}
static inline big plus_odd(big s, wide a, wide b)
{
	return (big)vmlal_high_u32((uint64x2_t)s, (uint32x4_t)a, (uint32x4_t)b);
}
static inline big times_itself(big s, wide ends)
{
	uint64x2_t x = (uint64x2_t)((wide)s + ends);
	return (big)vmull_u32(vmovn_u64(x), vshrn_n_u64(x, 32));
}
static inline wide low_words(big e, big o)
{
	return (wide)vuzp1q_u32((uint32x4_t)e, (uint32x4_t)o);
}
static inline wide high_words(big e, big o)
{
	return (wide)vuzp2q_u32((uint32x4_t)e, (uint32x4_t)o);
}

static inline void store_longs(int64_t *to, big even, big odd)
{
	memcpy(to, &even, sizeof even);
	memcpy(to + 2, &odd, sizeof odd);
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_neon(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed){ PARSE_BY_LINK_TYPE(columns, n, link_type, seed) }

uint32_t bpei_alike_neon(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_records *how)
{
	const struct bpei_columns c = *columns;
	return alike(&c, n, how);
}
