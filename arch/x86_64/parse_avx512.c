/* SPDX-License-Identifier: MIT */
/* Sixteen packets side by side (arch/lanes/parse_lanes.h), with AVX-512: quarter q of a register
 * has packets 4q to 4q + 3.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/probe_256.h"
#include "arch/x86_64/rows.h"

#include <immintrin.h>

#define LANES 16
#define PREFETCH_NEXT 1
typedef uint32_t vec32 __attribute__((vector_size(64)));
typedef uint64_t vec64 __attribute__((vector_size(64)));
typedef uint16_t vec16 __attribute__((vector_size(4 * LANES)));
typedef uint32_t vec32x4 __attribute__((vector_size(16)));

static inline void transpose_avx512(vec32 t[4], __m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i ab = _mm512_unpacklo_epi32(a, b);
	__m512i cd = _mm512_unpacklo_epi32(c, d);
	__m512i ab2 = _mm512_unpackhi_epi32(a, b);
	__m512i cd2 = _mm512_unpackhi_epi32(c, d);
	t[0] = (vec32)_mm512_unpacklo_epi64(ab, cd);
	t[1] = (vec32)_mm512_unpackhi_epi64(ab, cd);
	t[2] = (vec32)_mm512_unpacklo_epi64(ab2, cd2);
	t[3] = (vec32)_mm512_unpackhi_epi64(ab2, cd2);
}

static inline __m512i join_quarters(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
	__m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);
	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

static inline __m512i load_four_rows(const uint8_t *const *at, int plus)
{
	return join_quarters(load_128(at[0] + plus), load_128(at[4] + plus), load_128(at[8] + plus),
		load_128(at[12] + plus));
}

static inline void load_columns(vec32 c[4], const uint8_t *const *at, int plus)
{
	transpose_avx512(c, load_four_rows(at, plus), load_four_rows(at + 1, plus),
		load_four_rows(at + 2, plus), load_four_rows(at + 3, plus));
}

static inline __m512i load_four_pairs(const uint8_t *const *at, int plus)
{
	return join_quarters(load_two_pairs(at[0] + plus, at[1] + plus),
		load_two_pairs(at[4] + plus, at[5] + plus),
		load_two_pairs(at[8] + plus, at[9] + plus),
		load_two_pairs(at[12] + plus, at[13] + plus));
}

static inline void load_pairs(vec32 c[2], const uint8_t *const *at, int plus)
{
	__m512 a = (__m512)load_four_pairs(at, plus);
	__m512 b = (__m512)load_four_pairs(at + 2, plus);
	c[0] = (vec32)_mm512_shuffle_ps(a, b, 0x88);
	c[1] = (vec32)_mm512_shuffle_ps(a, b, 0xdd);
}

static inline vec32 load_words(const uint8_t *const *at, int plus)
{
	return (vec32)join_quarters(load_four_words(at, plus), load_four_words(at + 4, plus),
		load_four_words(at + 8, plus), load_four_words(at + 12, plus));
}

static inline void advance_pointers(const uint8_t **to, const uint8_t *const *from, vec32 by)
{
	__m256i low = _mm512_castsi512_si256((__m512i)by);
	__m256i high = _mm512_extracti64x4_epi64((__m512i)by, 1);
	_mm512_storeu_si512(
		to, _mm512_add_epi64(_mm512_loadu_si512(from), _mm512_cvtepu32_epi64(low)));
	_mm512_storeu_si512(to + 8,
		_mm512_add_epi64(_mm512_loadu_si512(from + 8), _mm512_cvtepu32_epi64(high)));
}

#define QUARTER(x, q) _mm512_extracti32x4_epi32((__m512i)(x), q)

static inline void columns_to_rows(vec32x4 r[LANES], vec32 a, vec32 b, vec32 c, vec32 d)
{
	vec32 t[4];
	transpose_avx512(t, (__m512i)a, (__m512i)b, (__m512i)c, (__m512i)d);
	for (uint32_t j = 0; j < 4; j++) {
		r[j] = (vec32x4)QUARTER(t[j], 0);
		r[j + 4] = (vec32x4)QUARTER(t[j], 1);
		r[j + 8] = (vec32x4)QUARTER(t[j], 2);
		r[j + 12] = (vec32x4)QUARTER(t[j], 3);
	}
}

static inline __m512i join_low_halves(vec32 a, vec32 b)
{
	return _mm512_inserti64x4((__m512i)a, _mm512_castsi512_si256((__m512i)b), 1);
}
static inline __m512i join_high_halves(vec32 a, vec32 b)
{
	return _mm512_shuffle_i64x2((__m512i)a, (__m512i)b, 0xee);
}

/* Shuffles that turn columns of eight packets into keys, or layers, a 64-byte line at a time.
 * *_words[k]: for each word of line k, the index in { a, b, c, d } of eight words each.
 * *_mask[k]: the words of line k that come from the columns; the rest is 0 (keys) or from the other
 * shuffle (layers).  Word w of line k is word (16 k + w) % 12 of key (16 k + w) / 12; of layers,
 * with 6 in place of 12. */
static const uint32_t key_words[6][16] = {
	{ 0, 0, 0, 0, 8, 0, 0, 0, 16, 24, 0, 0, 1, 0, 0, 0 },
	{ 9, 0, 0, 0, 17, 25, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0 },
	{ 18, 26, 0, 0, 3, 0, 0, 0, 11, 0, 0, 0, 19, 27, 0, 0 },
	{ 4, 0, 0, 0, 12, 0, 0, 0, 20, 28, 0, 0, 5, 0, 0, 0 },
	{ 13, 0, 0, 0, 21, 29, 0, 0, 6, 0, 0, 0, 14, 0, 0, 0 },
	{ 22, 30, 0, 0, 7, 0, 0, 0, 15, 0, 0, 0, 23, 31, 0, 0 },
};
static const __mmask16 key_mask[6] = { 0x1311, 0x1131, 0x3113, 0x1311, 0x1131, 0x3113 };
static const uint32_t layer_words[3][16] = {
	{ 0, 8, 16, 24, 0, 0, 1, 9, 17, 25, 0, 0, 2, 10, 18, 26 },
	{ 0, 0, 3, 11, 19, 27, 0, 0, 4, 12, 20, 28, 0, 0, 5, 13 },
	{ 21, 29, 0, 0, 6, 14, 22, 30, 0, 0, 7, 15, 23, 31, 0, 0 },
};
static const uint32_t last_words[3][16] = {
	{ 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0 },
	{ 2, 10, 0, 0, 0, 0, 3, 11, 0, 0, 0, 0, 4, 12, 0, 0 },
	{ 0, 0, 5, 13, 0, 0, 0, 0, 6, 14, 0, 0, 0, 0, 7, 15 },
};
static const __mmask16 last_mask[3] = { 0x0c30, 0x30c3, 0xc30c };

static inline void store_eight_keys(char *to, __m512i ab, __m512i cd)
{
	_Pragma("GCC unroll 6") for (uint32_t k = 0; k < 6; k++)
		_mm512_storeu_si512(to + 64 * k, _mm512_maskz_permutex2var_epi32(key_mask[k], ab,
							 _mm512_loadu_si512(key_words[k]), cd));
}

static inline void store_quarters(
	struct bpe_key *key, const uint32_t *indexes, uint32_t j, __m512i x)
{
	_mm_storeu_si128((void *)key_at(key, indexes, j)->port, QUARTER(x, 0));
	_mm_storeu_si128((void *)key_at(key, indexes, j + 4)->port, QUARTER(x, 1));
	_mm_storeu_si128((void *)key_at(key, indexes, j + 8)->port, QUARTER(x, 2));
	_mm_storeu_si128((void *)key_at(key, indexes, j + 12)->port, QUARTER(x, 3));
}

static inline void store_rows(struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i first = _mm512_unpacklo_epi32((__m512i)a, (__m512i)b);
	__m512i last = _mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
	store_quarters(key, indexes, 0, _mm512_unpacklo_epi64(first, zero));
	store_quarters(key, indexes, 1, _mm512_unpackhi_epi64(first, zero));
	store_quarters(key, indexes, 2, _mm512_unpacklo_epi64(last, zero));
	store_quarters(key, indexes, 3, _mm512_unpackhi_epi64(last, zero));
}

/* Stores { a[j], 0, 0, 0, b[j], 0, 0, 0 } and { c[j], d[j], 0, 0 } at key_at(j), two lanes at a
 * time. */
static inline void store_gathered_keys(
	struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b, vec32 c, vec32 d)
{
	static const uint32_t first[16] = { 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 17, 0, 0, 0 };
	__m512i at = _mm512_loadu_si512(first);
	_Pragma("GCC unroll 8") for (uint32_t j = 0; j < LANES; j += 2)
	{
		__m512i x = _mm512_maskz_permutex2var_epi32(0x1111, (__m512i)a, at, (__m512i)b);
		_mm256_storeu_si256(
			(void *)key_at(key, indexes, j)->addr, _mm512_castsi512_si256(x));
		_mm256_storeu_si256(
			(void *)key_at(key, indexes, j + 1)->addr, _mm512_extracti64x4_epi64(x, 1));
		at = _mm512_add_epi32(at, _mm512_set1_epi32(2));
	}
	store_rows(key, indexes, c, d);
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b, vec32 c, vec32 d)
{
	if (indexes) {
		store_gathered_keys(key, indexes, a, b, c, d);
		return;
	}
	store_eight_keys((char *)key, join_low_halves(a, b), join_low_halves(c, d));
	store_eight_keys((char *)(key + 8), join_high_halves(a, b), join_high_halves(c, d));
}

static inline void store_eight_layers(char *to, __m512i ab, __m512i cd, __m512i ef)
{
	_Pragma("GCC unroll 3") for (uint32_t k = 0; k < 3; k++)
	{
		__m512i x = _mm512_permutex2var_epi32(ab, _mm512_loadu_si512(layer_words[k]), cd);
		_mm512_storeu_si512(to + 64 * k, _mm512_mask_permutexvar_epi32(x, last_mask[k],
							 _mm512_loadu_si512(last_words[k]), ef));
	}
}

static inline void store_layers(struct bpe_layers *layers, const vec32 w[6])
{
	store_eight_layers((char *)layers, join_low_halves(w[0], w[1]), join_low_halves(w[2], w[3]),
		join_low_halves(w[4], w[5]));
	store_eight_layers((char *)(layers + 8), join_high_halves(w[0], w[1]),
		join_high_halves(w[2], w[3]), join_high_halves(w[4], w[5]));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *indexes, vec32 a, vec32 b)
{
	__m512i first = _mm512_unpacklo_epi32((__m512i)a, (__m512i)b);
	__m512i last = _mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
	store_two_pairs(layers, indexes, 0, QUARTER(first, 0));
	store_two_pairs(layers, indexes, 2, QUARTER(last, 0));
	store_two_pairs(layers, indexes, 4, QUARTER(first, 1));
	store_two_pairs(layers, indexes, 6, QUARTER(last, 1));
	store_two_pairs(layers, indexes, 8, QUARTER(first, 2));
	store_two_pairs(layers, indexes, 10, QUARTER(last, 2));
	store_two_pairs(layers, indexes, 12, QUARTER(first, 3));
	store_two_pairs(layers, indexes, 14, QUARTER(last, 3));
}

typedef int8_t bytes __attribute__((vector_size(64)));
#define REPEAT_BYTES(...) ((__m512i)(bytes){ __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__ })
static inline vec32 swap_word_bytes(vec32 x)
{
	return (vec32)_mm512_shuffle_epi8(
		(__m512i)x, REPEAT_BYTES(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline vec32 swap_halves(vec32 x)
{
	return (vec32)_mm512_shuffle_epi8(
		(__m512i)x, REPEAT_BYTES(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline vec32 be16_low(vec32 x)
{
	return (vec32)_mm512_shuffle_epi8(
		(__m512i)x, REPEAT_BYTES(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline vec32 be16_high(vec32 x)
{
	return (vec32)_mm512_shuffle_epi8((__m512i)x,
		REPEAT_BYTES(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline vec32 second_byte(vec32 x)
{
	return (vec32)_mm512_shuffle_epi8((__m512i)x,
		REPEAT_BYTES(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline vec32 min_u32(vec32 a, vec32 b)
{
	return (vec32)_mm512_min_epu32((__m512i)a, (__m512i)b);
}
static inline vec32 gt_s32(vec32 a, vec32 b)
{
	typedef int32_t compared __attribute__((vector_size(64)));
	return (vec32)((compared)a > (compared)b);
}

static inline uint32_t lane_bits(vec32 x)
{
	return _mm512_movepi32_mask((__m512i)x);
}
static inline vec32 select_lanes(vec32 mask, vec32 yes, vec32 no)
{
	return (vec32)_mm512_ternarylogic_epi32((__m512i)mask, (__m512i)yes, (__m512i)no, 0xca);
}

static inline vec16 hash_ports(vec16 x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}
static inline vec16 lookup_ports(vec16 at)
{
	static const uint16_t table[16] = BPEI_TUNNEL_PORTS(BPEI_WHOLE);
	const __m256i once = _mm256_loadu_si256((const void *)table);
	return (vec16)_mm512_permutexvar_epi16((__m512i)at, _mm512_broadcast_i64x4(once));
}

static inline vec32 load_bytes(const uint8_t *at)
{
	return (vec32)_mm512_cvtepu8_epi32(load_128(at));
}
static inline bool any_lane(vec32 x)
{
	return lane_bits(x) != 0;
}
static inline bool all_lanes(vec32 x)
{
	return lane_bits(x) == 0xffff;
}
#define LANE_INDEXES { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }

static inline uint32_t append_ip6(struct gather_entry *entries, vec32 x, vec32 mask)
{
	__mmask16 which = _mm512_movepi32_mask((__m512i)mask);
	_mm512_storeu_si512(entries, _mm512_maskz_compress_epi32(which, (__m512i)x));
	return (uint32_t)__builtin_popcount(which);
}

static inline vec64 mul_even(vec32 a, vec32 b)
{
	return (vec64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
static inline vec64 mul_odd(vec32 a, vec32 b)
{
	return (vec64)_mm512_mul_epu32(
		_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));
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
	return (vec64)_mm512_mul_epu32((__m512i)x, _mm512_srli_epi64((__m512i)x, 32));
}
static inline vec32 join_low_words(vec64 e, vec64 o)
{
	return (vec32)_mm512_mask_blend_epi32(
		0xaaaa, (__m512i)e, _mm512_slli_epi64((__m512i)o, 32));
}
static inline vec32 join_high_words(vec64 e, vec64 o)
{
	return (vec32)_mm512_mask_blend_epi32(
		0xaaaa, _mm512_srli_epi64((__m512i)e, 32), (__m512i)o);
}

static inline void store_i64(int64_t *to, vec64 even, vec64 odd)
{
	const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
	const __m512i high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
	_mm512_storeu_si512(to, _mm512_permutex2var_epi64((__m512i)even, low, (__m512i)odd));
	_mm512_storeu_si512(to + 8, _mm512_permutex2var_epi64((__m512i)even, high, (__m512i)odd));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_avx512(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	parse_by_link_type(columns, n, link_type, seed);
}

uint32_t bpei_walk_uniform_avx512(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run)
{
	const struct bpei_columns c = *columns;

	return walk_uniform_lanes(&c, n, run);
}

uint64_t bpei_probe_avx512(const struct bpei_lookup *probe, uint32_t *entry)
{
	return probe_256(probe, entry);
}
