/* SPDX-License-Identifier: MIT */
/* Sixteen packets side by side (arch/lanes/parse_lanes.h), with AVX-512: quarter q of a register
 * has packets 4q to 4q + 3.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/rows.h"

#include <immintrin.h>

#define LANES 16
#define ASK_AHEAD 1
typedef uint32_t wide __attribute__((vector_size(64)));
typedef uint64_t big __attribute__((vector_size(64)));
typedef uint16_t ports __attribute__((vector_size(4 * LANES)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline void turn(wide t[4], __m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d),
		ab2 = _mm512_unpackhi_epi32(a, b), cd2 = _mm512_unpackhi_epi32(c, d);
	t[0] = (wide)_mm512_unpacklo_epi64(ab, cd);
	t[1] = (wide)_mm512_unpackhi_epi64(ab, cd);
	t[2] = (wide)_mm512_unpacklo_epi64(ab2, cd2);
	t[3] = (wide)_mm512_unpackhi_epi64(ab2, cd2);
}

static inline __m512i four(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1),
		high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);
	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

static inline __m512i rows_of(const uint8_t *const *at, int plus)
{
	return four(
		load(at[0] + plus), load(at[4] + plus), load(at[8] + plus), load(at[12] + plus));
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, rows_of(at, plus), rows_of(at + 1, plus), rows_of(at + 2, plus),
		rows_of(at + 3, plus));
}

static inline __m512i pairs_of(const uint8_t *const *at, int plus)
{
	return four(pairs(at[0] + plus, at[1] + plus), pairs(at[4] + plus, at[5] + plus),
		pairs(at[8] + plus, at[9] + plus), pairs(at[12] + plus, at[13] + plus));
}

static inline void load_pairs(wide c[2], const uint8_t *const *at, int plus)
{
	__m512 a = (__m512)pairs_of(at, plus), b = (__m512)pairs_of(at + 2, plus);
	c[0] = (wide)_mm512_shuffle_ps(a, b, 0x88);
	c[1] = (wide)_mm512_shuffle_ps(a, b, 0xdd);
}

static inline wide load_words(const uint8_t *const *at, int plus)
{
	return (wide)four(words4(at, plus), words4(at + 4, plus), words4(at + 8, plus),
		words4(at + 12, plus));
}

static inline void advance(const uint8_t **to, const uint8_t *const *from, wide by)
{
	__m256i low = _mm512_castsi512_si256((__m512i)by),
		high = _mm512_extracti64x4_epi64((__m512i)by, 1);
	_mm512_storeu_si512(
		to, _mm512_add_epi64(_mm512_loadu_si512(from), _mm512_cvtepu32_epi64(low)));
	_mm512_storeu_si512(to + 8,
		_mm512_add_epi64(_mm512_loadu_si512(from + 8), _mm512_cvtepu32_epi64(high)));
}

#define QUARTER(x, q) _mm512_extracti32x4_epi32((__m512i)(x), q)

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d)
{
	wide t[4];
	turn(t, (__m512i)a, (__m512i)b, (__m512i)c, (__m512i)d);
	for (uint32_t j = 0; j < 4; j++) {
		r[j] = (row)QUARTER(t[j], 0);
		r[j + 4] = (row)QUARTER(t[j], 1);
		r[j + 8] = (row)QUARTER(t[j], 2);
		r[j + 12] = (row)QUARTER(t[j], 3);
	}
}

static inline __m512i low_halves(wide a, wide b)
{
	return _mm512_inserti64x4((__m512i)a, _mm512_castsi512_si256((__m512i)b), 1);
}
static inline __m512i high_halves(wide a, wide b)
{
	return _mm512_shuffle_i64x2((__m512i)a, (__m512i)b, 0xee);
}

/* Rows of eight packets, line by line: which word of { a, b, c, d }, eight of each, comes where,
 * and where one does.  Made by counting: word w of line k is word (16 k + w) % 12 of key (16 k + w)
 * / 12, and of layers with 6. */
static const uint32_t key_words[6][16] = {
	{ 0, 0, 0, 0, 8, 0, 0, 0, 16, 24, 0, 0, 1, 0, 0, 0 },
	{ 9, 0, 0, 0, 17, 25, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0 },
	{ 18, 26, 0, 0, 3, 0, 0, 0, 11, 0, 0, 0, 19, 27, 0, 0 },
	{ 4, 0, 0, 0, 12, 0, 0, 0, 20, 28, 0, 0, 5, 0, 0, 0 },
	{ 13, 0, 0, 0, 21, 29, 0, 0, 6, 0, 0, 0, 14, 0, 0, 0 },
	{ 22, 30, 0, 0, 7, 0, 0, 0, 15, 0, 0, 0, 23, 31, 0, 0 },
};
static const __mmask16 key_places[6] = { 0x1311, 0x1131, 0x3113, 0x1311, 0x1131, 0x3113 };
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
static const __mmask16 last_places[3] = { 0x0c30, 0x30c3, 0xc30c };

static inline void store_eight_keys(char *to, __m512i ab, __m512i cd)
{
	_Pragma("GCC unroll 6") for (uint32_t k = 0; k < 6; k++)
		_mm512_storeu_si512(to + 64 * k, _mm512_maskz_permutex2var_epi32(key_places[k], ab,
							 _mm512_loadu_si512(key_words[k]), cd));
}

static inline void store_quarters(
	struct bpe_key *key, const uint32_t *places, uint32_t j, __m512i x)
{
	_mm_storeu_si128((void *)key_of(key, places, j)->port, QUARTER(x, 0));
	_mm_storeu_si128((void *)key_of(key, places, j + 4)->port, QUARTER(x, 1));
	_mm_storeu_si128((void *)key_of(key, places, j + 8)->port, QUARTER(x, 2));
	_mm_storeu_si128((void *)key_of(key, places, j + 12)->port, QUARTER(x, 3));
}

static inline void store_rows(struct bpe_key *key, const uint32_t *places, wide a, wide b)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i first = _mm512_unpacklo_epi32((__m512i)a, (__m512i)b),
		last = _mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
	store_quarters(key, places, 0, _mm512_unpacklo_epi64(first, zero)),
		store_quarters(key, places, 1, _mm512_unpackhi_epi64(first, zero));
	store_quarters(key, places, 2, _mm512_unpacklo_epi64(last, zero)),
		store_quarters(key, places, 3, _mm512_unpackhi_epi64(last, zero));
}

/* { a[j], 0, 0, 0, b[j], 0, 0, 0 } of two lanes at a time. */
static inline void store_listed_keys(
	struct bpe_key *key, const uint32_t *places, wide a, wide b, wide c, wide d)
{
	static const uint32_t first[16] = { 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 17, 0, 0, 0 };
	__m512i at = _mm512_loadu_si512(first);
	_Pragma("GCC unroll 8") for (uint32_t j = 0; j < LANES; j += 2)
	{
		__m512i x = _mm512_maskz_permutex2var_epi32(0x1111, (__m512i)a, at, (__m512i)b);
		_mm256_storeu_si256(
			(void *)key_of(key, places, j)->addr, _mm512_castsi512_si256(x));
		_mm256_storeu_si256(
			(void *)key_of(key, places, j + 1)->addr, _mm512_extracti64x4_epi64(x, 1));
		at = _mm512_add_epi32(at, _mm512_set1_epi32(2));
	}
	store_rows(key, places, c, d);
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *places, wide a, wide b, wide c, wide d)
{
	if (places) {
		store_listed_keys(key, places, a, b, c, d);
		return;
	}
	store_eight_keys((char *)key, low_halves(a, b), low_halves(c, d));
	store_eight_keys((char *)(key + 8), high_halves(a, b), high_halves(c, d));
}

static inline void store_eight_layers(char *to, __m512i ab, __m512i cd, __m512i ef)
{
	_Pragma("GCC unroll 3") for (uint32_t k = 0; k < 3; k++)
	{
		__m512i x = _mm512_permutex2var_epi32(ab, _mm512_loadu_si512(layer_words[k]), cd);
		_mm512_storeu_si512(to + 64 * k, _mm512_mask_permutexvar_epi32(x, last_places[k],
							 _mm512_loadu_si512(last_words[k]), ef));
	}
}

static inline void store_layers(struct bpe_layers *layers, const wide w[6])
{
	store_eight_layers((char *)layers, low_halves(w[0], w[1]), low_halves(w[2], w[3]),
		low_halves(w[4], w[5]));
	store_eight_layers((char *)(layers + 8), high_halves(w[0], w[1]), high_halves(w[2], w[3]),
		high_halves(w[4], w[5]));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *places, wide a, wide b)
{
	__m512i first = _mm512_unpacklo_epi32((__m512i)a, (__m512i)b),
		last = _mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
	store_two_pairs(layers, places, 0, QUARTER(first, 0)),
		store_two_pairs(layers, places, 2, QUARTER(last, 0));
	store_two_pairs(layers, places, 4, QUARTER(first, 1)),
		store_two_pairs(layers, places, 6, QUARTER(last, 1));
	store_two_pairs(layers, places, 8, QUARTER(first, 2)),
		store_two_pairs(layers, places, 10, QUARTER(last, 2));
	store_two_pairs(layers, places, 12, QUARTER(first, 3)),
		store_two_pairs(layers, places, 14, QUARTER(last, 3));
}

typedef int8_t bytes __attribute__((vector_size(64)));
#define EACH_QUARTER(...) ((__m512i)(bytes){ __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__ })
static inline wide swap_bytes(wide x)
{
	return (wide)_mm512_shuffle_epi8(
		(__m512i)x, EACH_QUARTER(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline wide swap_halves(wide x)
{
	return (wide)_mm512_shuffle_epi8(
		(__m512i)x, EACH_QUARTER(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline wide first_half(wide x)
{
	return (wide)_mm512_shuffle_epi8(
		(__m512i)x, EACH_QUARTER(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline wide second_half(wide x)
{
	return (wide)_mm512_shuffle_epi8((__m512i)x,
		EACH_QUARTER(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline wide second_byte(wide x)
{
	return (wide)_mm512_shuffle_epi8((__m512i)x,
		EACH_QUARTER(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline wide least(wide a, wide b)
{
	return (wide)_mm512_min_epu32((__m512i)a, (__m512i)b);
}
static inline wide more(wide a, wide b)
{
	typedef int32_t compared __attribute__((vector_size(64)));
	return (wide)((compared)a > (compared)b);
}

static inline uint32_t lane_bits(wide x)
{
	return _mm512_movepi32_mask((__m512i)x);
}
static inline wide choose(wide mask, wide yes, wide no)
{
	return (wide)_mm512_ternarylogic_epi32((__m512i)mask, (__m512i)yes, (__m512i)no, 0xca);
}

static inline ports port_places(ports x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}
static inline ports tunnel_ports(ports at)
{
	static const uint16_t table[16] = BPEI_TUNNEL_PORTS(BPEI_WHOLE);
	const __m256i once = _mm256_loadu_si256((const void *)table);
	return (ports)_mm512_permutexvar_epi16((__m512i)at, _mm512_broadcast_i64x4(once));
}

static inline wide load_bytes(const uint8_t *at)
{
	return (wide)_mm512_cvtepu8_epi32(load(at));
}
static inline bool any(wide x)
{
	return lane_bits(x) != 0;
}
static inline bool every(wide x)
{
	return lane_bits(x) == 0xffff;
}
#define PLACES { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }

static inline uint32_t pack_six(struct listed *six, wide x, wide mask)
{
	__mmask16 which = _mm512_movepi32_mask((__m512i)mask);
	_mm512_storeu_si512(six, _mm512_maskz_compress_epi32(which, (__m512i)x));
	return (uint32_t)__builtin_popcount(which);
}

static inline big times_even(wide a, wide b)
{
	return (big)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
static inline big times_odd(wide a, wide b)
{
	return (big)_mm512_mul_epu32(
		_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));
}
static inline big plus_even(big s, wide a, wide b)
{
	return s + times_even(a, b);
}
static inline big plus_odd(big s, wide a, wide b)
{
	return s + times_odd(a, b);
}
static inline big times_itself(big s, wide ends)
{
	wide x = (wide)s + ends;
	return (big)_mm512_mul_epu32((__m512i)x, _mm512_srli_epi64((__m512i)x, 32));
}
static inline wide low_words(big e, big o)
{
	return (wide)_mm512_mask_blend_epi32(0xaaaa, (__m512i)e, _mm512_slli_epi64((__m512i)o, 32));
}
static inline wide high_words(big e, big o)
{
	return (wide)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64((__m512i)e, 32), (__m512i)o);
}

static inline void store_longs(int64_t *to, big even, big odd)
{
	const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
		      high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
	_mm512_storeu_si512(to, _mm512_permutex2var_epi64((__m512i)even, low, (__m512i)odd));
	_mm512_storeu_si512(to + 8, _mm512_permutex2var_epi64((__m512i)even, high, (__m512i)odd));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_avx512(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed){ PARSE_BY_LINK_TYPE(columns, n, link_type, seed) }

uint32_t bpei_alike_avx512(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_records *how)
{
	const struct bpei_columns c = *columns;
	return alike(&c, n, how);
}
