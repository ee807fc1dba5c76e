/* SPDX-License-Identifier: MIT */
/* Eight packets side by side (arch/lanes/parse_lanes.h), with AVX2: packets 0 to 3 in the lower
 * halves of the registers, 4 to 7 in the upper ones.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/rows.h"

#include <immintrin.h>

#define LANES 8
#define ASK_AHEAD 1
typedef uint32_t wide __attribute__((vector_size(32)));
typedef uint64_t big __attribute__((vector_size(32)));
typedef uint16_t ports __attribute__((vector_size(4 * LANES)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline void turn(wide t[4], __m256i a, __m256i b, __m256i c, __m256i d)
{
	__m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d),
		ab2 = _mm256_unpackhi_epi32(a, b), cd2 = _mm256_unpackhi_epi32(c, d);
	t[0] = (wide)_mm256_unpacklo_epi64(ab, cd);
	t[1] = (wide)_mm256_unpackhi_epi64(ab, cd);
	t[2] = (wide)_mm256_unpacklo_epi64(ab2, cd2);
	t[3] = (wide)_mm256_unpackhi_epi64(ab2, cd2);
}

static inline __m256i two(__m128i lower, __m128i upper)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(lower), upper, 1);
}
static inline __m128i lower(__m256i x)
{
	return _mm256_castsi256_si128(x);
}
static inline __m128i upper(__m256i x)
{
	return _mm256_extracti128_si256(x, 1);
}
static inline void store(void *to, __m128i x)
{
	_mm_storeu_si128(to, x);
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, two(load(at[0] + plus), load(at[4] + plus)),
		two(load(at[1] + plus), load(at[5] + plus)),
		two(load(at[2] + plus), load(at[6] + plus)),
		two(load(at[3] + plus), load(at[7] + plus)));
}

static inline void load_pairs(wide c[2], const uint8_t *const *at, int plus)
{
	__m256i a = two(pairs(at[0] + plus, at[1] + plus), pairs(at[4] + plus, at[5] + plus));
	__m256i b = two(pairs(at[2] + plus, at[3] + plus), pairs(at[6] + plus, at[7] + plus));
	c[0] = (wide)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88);
	c[1] = (wide)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xdd);
}

static inline wide load_words(const uint8_t *const *at, int plus)
{
	return (wide)two(words4(at, plus), words4(at + 4, plus));
}

static inline void advance(const uint8_t **to, const uint8_t *const *from, wide by)
{
	_mm256_storeu_si256((void *)to, _mm256_add_epi64(_mm256_loadu_si256((const void *)from),
						_mm256_cvtepu32_epi64(lower((__m256i)by))));
	_mm256_storeu_si256(
		(void *)(to + 4), _mm256_add_epi64(_mm256_loadu_si256((const void *)(from + 4)),
					  _mm256_cvtepu32_epi64(upper((__m256i)by))));
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d)
{
	wide t[4];
	turn(t, (__m256i)a, (__m256i)b, (__m256i)c, (__m256i)d);
	for (uint32_t j = 0; j < 4; j++) {
		r[j] = (row)lower((__m256i)t[j]);
		r[j + 4] = (row)upper((__m256i)t[j]);
	}
}

/* Of each half the bytes of its word j, the rest 0. */
#define FIRST_OF(j)                                                                                \
	_mm256_setr_epi8(4 * (j), 4 * (j) + 1, 4 * (j) + 2, 4 * (j) + 3, -1, -1, -1, -1, -1, -1,   \
		-1, -1, -1, -1, -1, -1, 4 * (j), 4 * (j) + 1, 4 * (j) + 2, 4 * (j) + 3, -1, -1,    \
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1)

static inline void store_four_ends(
	struct bpe_key *key, const uint32_t *places, uint32_t j, __m256i ends)
{
	_mm256_storeu_si256(
		(void *)key_of(key, places, j)->addr, _mm256_shuffle_epi8(ends, FIRST_OF(0)));
	_mm256_storeu_si256(
		(void *)key_of(key, places, j + 1)->addr, _mm256_shuffle_epi8(ends, FIRST_OF(1)));
	_mm256_storeu_si256(
		(void *)key_of(key, places, j + 2)->addr, _mm256_shuffle_epi8(ends, FIRST_OF(2)));
	_mm256_storeu_si256(
		(void *)key_of(key, places, j + 3)->addr, _mm256_shuffle_epi8(ends, FIRST_OF(3)));
}

static inline void store_rows(struct bpe_key *key, const uint32_t *places, wide a, wide b)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i first = _mm256_unpacklo_epi32((__m256i)a, (__m256i)b),
		last = _mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
	__m256i r[4] = { _mm256_unpacklo_epi64(first, zero), _mm256_unpackhi_epi64(first, zero),
		_mm256_unpacklo_epi64(last, zero), _mm256_unpackhi_epi64(last, zero) };
	for (uint32_t j = 0; j < 4; j++)
		store(key_of(key, places, j)->port, lower(r[j])),
			store(key_of(key, places, j + 4)->port, upper(r[j]));
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *places, wide a, wide b, wide c, wide d)
{
	store_four_ends(key, places, 0, _mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x20));
	store_four_ends(key, places, 4, _mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x31));
	store_rows(key, places, c, d);
}

/* Of two packets and, in the upper halves, of two others 96 bytes behind: 16 bytes each. */
static inline void store_two_layers(char *to, __m256i a, __m256i b, __m256i c)
{
	__m256i x = _mm256_unpacklo_epi64(a, b),
		y = (__m256i)_mm256_shuffle_pd((__m256d)c, (__m256d)a, 10),
		z = _mm256_unpackhi_epi64(b, c);
	store(to, lower(x)), store(to + 16, lower(y)), store(to + 32, lower(z));
	store(to + 96, upper(x)), store(to + 112, upper(y)), store(to + 128, upper(z));
}

static inline void store_layers(struct bpe_layers *layers, const wide w[6])
{
	const __m256i a = (__m256i)w[0], b = (__m256i)w[1], c = (__m256i)w[2], d = (__m256i)w[3],
		      e = (__m256i)w[4], f = (__m256i)w[5];
	store_two_layers((char *)layers, _mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d),
		_mm256_unpacklo_epi32(e, f));
	store_two_layers((char *)(layers + 2), _mm256_unpackhi_epi32(a, b),
		_mm256_unpackhi_epi32(c, d), _mm256_unpackhi_epi32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *places, wide a, wide b)
{
	__m256i first = _mm256_unpacklo_epi32((__m256i)a, (__m256i)b),
		last = _mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
	store_two_pairs(layers, places, 0, lower(first)),
		store_two_pairs(layers, places, 2, lower(last));
	store_two_pairs(layers, places, 4, upper(first)),
		store_two_pairs(layers, places, 6, upper(last));
}

#define EACH_QUARTER(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
static inline wide swap_bytes(wide x)
{
	return (wide)_mm256_shuffle_epi8(
		(__m256i)x, EACH_QUARTER(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline wide swap_halves(wide x)
{
	return (wide)_mm256_shuffle_epi8(
		(__m256i)x, EACH_QUARTER(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline wide first_half(wide x)
{
	return (wide)_mm256_shuffle_epi8(
		(__m256i)x, EACH_QUARTER(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline wide second_half(wide x)
{
	return (wide)_mm256_shuffle_epi8((__m256i)x,
		EACH_QUARTER(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline wide second_byte(wide x)
{
	return (wide)_mm256_shuffle_epi8((__m256i)x,
		EACH_QUARTER(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline wide least(wide a, wide b)
{
	return (wide)_mm256_min_epu32((__m256i)a, (__m256i)b);
}
static inline wide more(wide a, wide b)
{
	return (wide)_mm256_cmpgt_epi32((__m256i)a, (__m256i)b);
}

static inline uint32_t lane_bits(wide x)
{
	return (uint32_t)_mm256_movemask_ps((__m256)x);
}
static inline bool any(wide x)
{
	return lane_bits(x) != 0;
}
static inline bool every(wide x)
{
	return lane_bits(x) == 255;
}
#define PLACES { 0, 1, 2, 3, 4, 5, 6, 7 }

static inline void pack(
	struct listed *four, size_t *fours, struct listed *six, size_t *sixes, wide x)
{
	uint32_t words[LANES];
	_mm256_storeu_si256((void *)words, (__m256i)x);
	pack_words(four, fours, six, sixes, words, LANES);
}

static inline big times_even(wide a, wide b)
{
	return (big)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
static inline big times_odd(wide a, wide b)
{
	return (big)_mm256_mul_epu32(
		_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));
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
	return (big)_mm256_mul_epu32((__m256i)x, _mm256_srli_epi64((__m256i)x, 32));
}
static inline wide low_words(big e, big o)
{
	return (wide)_mm256_blend_epi32((__m256i)e, _mm256_slli_epi64((__m256i)o, 32), 0xaa);
}
static inline wide high_words(big e, big o)
{
	return (wide)_mm256_blend_epi32(_mm256_srli_epi64((__m256i)e, 32), (__m256i)o, 0xaa);
}

/* As written: gcc would compare a mask that is used twice with 0 first, and multiply by shifts. */
static inline wide choose(wide mask, wide yes, wide no)
{
	__asm__("vpblendvb %3, %2, %1, %0" : "=x"(no) : "x"(no), "xm"(yes), "x"(mask));
	return no;
}

static inline __m256i times(__m256i x, short by)
{
	__m256i y = _mm256_set1_epi16(by);
	__asm__("vpmullw %1, %2, %0" : "=x"(x) : "xm"(y), "x"(x));
	return x;
}

static inline ports port_places(ports x)
{
	return (ports)_mm256_srli_epi16(times((__m256i)x, BPEI_PORT_MULTIPLIER), BPEI_PORT_SHIFT);
}

/* The table's lower bytes and its upper ones, each in a register of 16. */
static inline ports tunnel_ports(ports at)
{
	static const uint8_t lower_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_LOWER_BYTE);
	static const uint8_t upper_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_UPPER_BYTE);
	__m256i low =
		_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load(lower_bytes)), (__m256i)at);
	__m256i high = _mm256_shuffle_epi8(
		_mm256_broadcastsi128_si256(load(upper_bytes)), _mm256_slli_epi16((__m256i)at, 8));
	return (ports)_mm256_blendv_epi8(low, high, _mm256_set1_epi16((short)0xff00));
}

static inline wide load_bytes(const uint8_t *at)
{
	return (wide)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)at));
}

static inline void store_longs(int64_t *to, big even, big odd)
{
	__m256i first = _mm256_unpacklo_epi64((__m256i)even, (__m256i)odd),
		last = _mm256_unpackhi_epi64((__m256i)even, (__m256i)odd);
	_mm256_storeu_si256((void *)to, _mm256_permute2x128_si256(first, last, 0x20));
	_mm256_storeu_si256((void *)(to + 4), _mm256_permute2x128_si256(first, last, 0x31));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_avx2(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed){ PARSE_BY_LINK_TYPE(columns, n, link_type, seed) }

uint32_t bpei_alike_avx2(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_records *how)
{
	const struct bpei_columns c = *columns;
	return alike(&c, n, how);
}
