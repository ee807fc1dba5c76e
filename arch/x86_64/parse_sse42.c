/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with SSE4.2.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/rows.h"

#include <smmintrin.h>

#define LANES 4
#define PREFETCH_NEXT 1
typedef uint32_t vec32 __attribute__((vector_size(16)));
typedef uint64_t vec64 __attribute__((vector_size(16)));
typedef uint16_t vec16 __attribute__((vector_size(4 * LANES)));
typedef uint32_t vec32x4 __attribute__((vector_size(16)));

static inline void transpose_sse(vec32 t[4], __m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i ab = _mm_unpacklo_epi32(a, b);
	__m128i cd = _mm_unpacklo_epi32(c, d);
	__m128i ab2 = _mm_unpackhi_epi32(a, b);
	__m128i cd2 = _mm_unpackhi_epi32(c, d);
	t[0] = (vec32)_mm_unpacklo_epi64(ab, cd);
	t[1] = (vec32)_mm_unpackhi_epi64(ab, cd);
	t[2] = (vec32)_mm_unpacklo_epi64(ab2, cd2);
	t[3] = (vec32)_mm_unpackhi_epi64(ab2, cd2);
}

static inline void store_sse_row(void *to, __m128i x)
{
	_mm_storeu_si128(to, x);
}

static inline void load_columns(vec32 c[4], const uint8_t *const *at, int plus)
{
	transpose_sse(c, load_128(at[0] + plus), load_128(at[1] + plus), load_128(at[2] + plus),
		load_128(at[3] + plus));
}

static inline void load_pairs(vec32 c[2], const uint8_t *const *at, int plus)
{
	__m128 a = (__m128)load_two_pairs(at[0] + plus, at[1] + plus);
	__m128 b = (__m128)load_two_pairs(at[2] + plus, at[3] + plus);
	c[0] = (vec32)_mm_shuffle_ps(a, b, 0x88);
	c[1] = (vec32)_mm_shuffle_ps(a, b, 0xdd);
}

static inline vec32 load_words(const uint8_t *const *at, int plus)
{
	return (vec32)load_four_words(at, plus);
}

static inline void advance_pointers(const uint8_t **to, const uint8_t *const *from, vec32 by)
{
	for (uint32_t j = 0; j < LANES; j++)
		to[j] = from[j] + by[j];
}

static inline void columns_to_rows(vec32x4 r[LANES], vec32 a, vec32 b, vec32 c, vec32 d)
{
	transpose_sse(r, (__m128i)a, (__m128i)b, (__m128i)c, (__m128i)d);
}

#define KEEP_WORD(x, j)                                                                            \
	((__m128i)_mm_insert_ps((__m128)(x), (__m128)(x), (j) << 6 | 14)) /* { x[j], 0, 0, 0 } */

static inline void store_rows(struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b)
{
	vec32x4 r[LANES];
	columns_to_rows(r, a, b, (vec32){ 0 }, (vec32){ 0 });
	for (uint32_t j = 0; j < LANES; j++)
		store_sse_row(key_at(key, indexes, j)->port, (__m128i)r[j]);
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b, vec32 c, vec32 d)
{
	store_sse_row(key_at(key, indexes, 0)->addr[0], KEEP_WORD(a, 0));
	store_sse_row(key_at(key, indexes, 0)->addr[1], KEEP_WORD(b, 0));
	store_sse_row(key_at(key, indexes, 1)->addr[0], KEEP_WORD(a, 1));
	store_sse_row(key_at(key, indexes, 1)->addr[1], KEEP_WORD(b, 1));
	store_sse_row(key_at(key, indexes, 2)->addr[0], KEEP_WORD(a, 2));
	store_sse_row(key_at(key, indexes, 2)->addr[1], KEEP_WORD(b, 2));
	store_sse_row(key_at(key, indexes, 3)->addr[0], KEEP_WORD(a, 3));
	store_sse_row(key_at(key, indexes, 3)->addr[1], KEEP_WORD(b, 3));
	store_rows(key, indexes, c, d);
}

static inline void store_two_sse_layers(char *to, __m128i a, __m128i b, __m128i c)
{
	store_sse_row(to, _mm_unpacklo_epi64(a, b));
	store_sse_row(to + 16, (__m128i)_mm_shuffle_pd((__m128d)c, (__m128d)a, 2));
	store_sse_row(to + 32, _mm_unpackhi_epi64(b, c));
}

static inline void store_layers(struct bpe_layers *layers, const vec32 w[6])
{
	const __m128i a = (__m128i)w[0];
	const __m128i b = (__m128i)w[1];
	const __m128i c = (__m128i)w[2];
	const __m128i d = (__m128i)w[3];
	const __m128i e = (__m128i)w[4];
	const __m128i f = (__m128i)w[5];
	store_two_sse_layers((char *)layers, _mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d),
		_mm_unpacklo_epi32(e, f));
	store_two_sse_layers((char *)(layers + 2), _mm_unpackhi_epi32(a, b),
		_mm_unpackhi_epi32(c, d), _mm_unpackhi_epi32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *indexes, vec32 a, vec32 b)
{
	store_two_pairs(layers, indexes, 0, _mm_unpacklo_epi32((__m128i)a, (__m128i)b));
	store_two_pairs(layers, indexes, 2, _mm_unpackhi_epi32((__m128i)a, (__m128i)b));
}

#define REPEAT_BYTES(...) _mm_setr_epi8(__VA_ARGS__)
static inline vec32 swap_word_bytes(vec32 x)
{
	return (vec32)_mm_shuffle_epi8(
		(__m128i)x, REPEAT_BYTES(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline vec32 swap_halves(vec32 x)
{
	return (vec32)_mm_shuffle_epi8(
		(__m128i)x, REPEAT_BYTES(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline vec32 be16_low(vec32 x)
{
	return (vec32)_mm_shuffle_epi8(
		(__m128i)x, REPEAT_BYTES(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline vec32 be16_high(vec32 x)
{
	return (vec32)_mm_shuffle_epi8((__m128i)x,
		REPEAT_BYTES(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline vec32 second_byte(vec32 x)
{
	return (vec32)_mm_shuffle_epi8((__m128i)x,
		REPEAT_BYTES(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline vec32 min_u32(vec32 a, vec32 b)
{
	return (vec32)_mm_min_epu32((__m128i)a, (__m128i)b);
}
static inline vec32 gt_s32(vec32 a, vec32 b)
{
	return (vec32)_mm_cmpgt_epi32((__m128i)a, (__m128i)b);
}

static inline uint32_t lane_bits(vec32 x)
{
	return (uint32_t)_mm_movemask_ps((__m128)x);
}
static inline bool any_lane(vec32 x)
{
	return lane_bits(x) != 0;
}
static inline bool all_lanes(vec32 x)
{
	return lane_bits(x) == 15;
}
#define LANE_INDEXES { 0, 1, 2, 3 }

static inline void append_to_lists(struct gather_lists *lists, vec32 x)
{
	uint32_t words[LANES];
	store_sse_row(words, (__m128i)x);
	append_words(lists, words, LANES);
}

static inline vec64 mul_even(vec32 a, vec32 b)
{
	return (vec64)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
static inline vec64 mul_odd(vec32 a, vec32 b)
{
	return (vec64)_mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), _mm_srli_epi64((__m128i)b, 32));
}
static inline vec64 mul_add_even(vec64 s, vec32 a, vec32 b)
{
	return s + mul_even(a, b);
}
static inline vec64 mul_add_odd(vec64 s, vec32 a, vec32 b)
{
	return s + mul_odd(a, b);
}
static inline vec64 mul_halves(vec64 s, vec32 ends)
{
	vec32 x = (vec32)s + ends;
	return (vec64)_mm_mul_epu32((__m128i)x, _mm_srli_epi64((__m128i)x, 32));
}
static inline vec32 join_low_words(vec64 e, vec64 o)
{
	return (vec32)_mm_blend_epi16((__m128i)e, _mm_slli_epi64((__m128i)o, 32), 0xcc);
}
static inline vec32 join_high_words(vec64 e, vec64 o)
{
	return (vec32)_mm_blend_epi16(_mm_srli_epi64((__m128i)e, 32), (__m128i)o, 0xcc);
}

static inline vec32 select_lanes(vec32 mask, vec32 yes, vec32 no)
{
	return (vec32)_mm_blendv_epi8((__m128i)no, (__m128i)yes, (__m128i)mask);
}

static inline vec16 hash_ports(vec16 x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}

/* Returns port[at[j]] of BPEI_TUNNEL_PORTS: lower and upper bytes are looked up apart, each in a
 * table of 16 bytes. */
static inline vec16 lookup_ports(vec16 at)
{
	static const uint8_t lower_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_LOWER_BYTE);
	static const uint8_t upper_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_UPPER_BYTE);
	__m128i low = _mm_shuffle_epi8(load_128(lower_bytes), (__m128i)at);
	__m128i high = _mm_shuffle_epi8(load_128(upper_bytes), _mm_slli_epi16((__m128i)at, 8));
	return (vec16)_mm_blendv_epi8(low, high, _mm_set1_epi16((short)0xff00));
}

static inline vec32 load_bytes(const uint8_t *at)
{
	return (vec32)_mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)bpei_load32(at)));
}

static inline void store_i64(int64_t *to, vec64 even, vec64 odd)
{
	store_sse_row(to, _mm_unpacklo_epi64((__m128i)even, (__m128i)odd));
	store_sse_row(to + 2, _mm_unpackhi_epi64((__m128i)even, (__m128i)odd));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_sse42(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	parse_by_link_type(columns, n, link_type, seed);
}

uint32_t bpei_walk_uniform_sse42(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run)
{
	const struct bpei_columns c = *columns;

	return walk_uniform_lanes(&c, n, run);
}
