/* SPDX-License-Identifier: MIT */
/* Eight packets side by side (arch/lanes/parse_lanes.h), with AVX2: packets 0 to 3 in the lower
 * halves of the registers, 4 to 7 in the upper halves.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/probe_256.h"
#include "arch/x86_64/rows.h"

#include <immintrin.h>

#define LANES 8
#define PREFETCH_NEXT 1
typedef uint32_t vec32 __attribute__((vector_size(32)));
typedef uint64_t vec64 __attribute__((vector_size(32)));
typedef uint16_t vec16 __attribute__((vector_size(4 * LANES)));
typedef uint32_t vec32x4 __attribute__((vector_size(16)));

static inline void transpose_avx2(vec32 t[4], __m256i a, __m256i b, __m256i c, __m256i d)
{
	__m256i ab = _mm256_unpacklo_epi32(a, b);
	__m256i cd = _mm256_unpacklo_epi32(c, d);
	__m256i ab2 = _mm256_unpackhi_epi32(a, b);
	__m256i cd2 = _mm256_unpackhi_epi32(c, d);
	t[0] = (vec32)_mm256_unpacklo_epi64(ab, cd);
	t[1] = (vec32)_mm256_unpackhi_epi64(ab, cd);
	t[2] = (vec32)_mm256_unpacklo_epi64(ab2, cd2);
	t[3] = (vec32)_mm256_unpackhi_epi64(ab2, cd2);
}

static inline __m256i join_halves(__m128i lower_128, __m128i upper_128)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(lower_128), upper_128, 1);
}
static inline __m128i lower_128(__m256i x)
{
	return _mm256_castsi256_si128(x);
}
static inline __m128i upper_128(__m256i x)
{
	return _mm256_extracti128_si256(x, 1);
}
static inline void store_avx2_row(void *to, __m128i x)
{
	_mm_storeu_si128(to, x);
}

static inline void load_columns(vec32 c[4], const uint8_t *const *at, int plus)
{
	transpose_avx2(c, join_halves(load_128(at[0] + plus), load_128(at[4] + plus)),
		join_halves(load_128(at[1] + plus), load_128(at[5] + plus)),
		join_halves(load_128(at[2] + plus), load_128(at[6] + plus)),
		join_halves(load_128(at[3] + plus), load_128(at[7] + plus)));
}

static inline void load_pairs(vec32 c[2], const uint8_t *const *at, int plus)
{
	__m256i a = join_halves(load_two_pairs(at[0] + plus, at[1] + plus),
		load_two_pairs(at[4] + plus, at[5] + plus));
	__m256i b = join_halves(load_two_pairs(at[2] + plus, at[3] + plus),
		load_two_pairs(at[6] + plus, at[7] + plus));
	c[0] = (vec32)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88);
	c[1] = (vec32)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xdd);
}

static inline vec32 load_words(const uint8_t *const *at, int plus)
{
	return (vec32)join_halves(load_four_words(at, plus), load_four_words(at + 4, plus));
}

static inline void advance_pointers(const uint8_t **to, const uint8_t *const *from, vec32 by)
{
	_mm256_storeu_si256((void *)to, _mm256_add_epi64(_mm256_loadu_si256((const void *)from),
						_mm256_cvtepu32_epi64(lower_128((__m256i)by))));
	_mm256_storeu_si256(
		(void *)(to + 4), _mm256_add_epi64(_mm256_loadu_si256((const void *)(from + 4)),
					  _mm256_cvtepu32_epi64(upper_128((__m256i)by))));
}

static inline void columns_to_rows(vec32x4 r[LANES], vec32 a, vec32 b, vec32 c, vec32 d)
{
	vec32 t[4];
	transpose_avx2(t, (__m256i)a, (__m256i)b, (__m256i)c, (__m256i)d);
	for (uint32_t j = 0; j < 4; j++) {
		r[j] = (vec32x4)lower_128((__m256i)t[j]);
		r[j + 4] = (vec32x4)upper_128((__m256i)t[j]);
	}
}

/* A shuffle that keeps word j of each half in place 0, and zeroes the rest. */
#define KEEP_WORD(j)                                                                               \
	_mm256_setr_epi8(4 * (j), 4 * (j) + 1, 4 * (j) + 2, 4 * (j) + 3, -1, -1, -1, -1, -1, -1,   \
		-1, -1, -1, -1, -1, -1, 4 * (j), 4 * (j) + 1, 4 * (j) + 2, 4 * (j) + 3, -1, -1,    \
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1)

static inline void store_four_ends(
	struct bpe_key *key, const uint32_t *indexes, uint32_t j, __m256i ends)
{
	_mm256_storeu_si256(
		(void *)key_at(key, indexes, j)->addr, _mm256_shuffle_epi8(ends, KEEP_WORD(0)));
	_mm256_storeu_si256(
		(void *)key_at(key, indexes, j + 1)->addr, _mm256_shuffle_epi8(ends, KEEP_WORD(1)));
	_mm256_storeu_si256(
		(void *)key_at(key, indexes, j + 2)->addr, _mm256_shuffle_epi8(ends, KEEP_WORD(2)));
	_mm256_storeu_si256(
		(void *)key_at(key, indexes, j + 3)->addr, _mm256_shuffle_epi8(ends, KEEP_WORD(3)));
}

static inline void store_rows(struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i first = _mm256_unpacklo_epi32((__m256i)a, (__m256i)b);
	__m256i last = _mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
	__m256i r[4] = { _mm256_unpacklo_epi64(first, zero), _mm256_unpackhi_epi64(first, zero),
		_mm256_unpacklo_epi64(last, zero), _mm256_unpackhi_epi64(last, zero) };
	for (uint32_t j = 0; j < 4; j++) {
		store_avx2_row(key_at(key, indexes, j)->port, lower_128(r[j]));
		store_avx2_row(key_at(key, indexes, j + 4)->port, upper_128(r[j]));
	}
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *indexes, vec32 a, vec32 b, vec32 c, vec32 d)
{
	store_four_ends(key, indexes, 0, _mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x20));
	store_four_ends(key, indexes, 4, _mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x31));
	store_rows(key, indexes, c, d);
}

/* Stores the layers of two packets at `to`, and of two more, in the upper halves, 96 bytes on. */
static inline void store_two_avx2_layers(char *to, __m256i a, __m256i b, __m256i c)
{
	__m256i x = _mm256_unpacklo_epi64(a, b);
	__m256i y = (__m256i)_mm256_shuffle_pd((__m256d)c, (__m256d)a, 10);
	__m256i z = _mm256_unpackhi_epi64(b, c);
	store_avx2_row(to, lower_128(x));
	store_avx2_row(to + 16, lower_128(y));
	store_avx2_row(to + 32, lower_128(z));
	store_avx2_row(to + 96, upper_128(x));
	store_avx2_row(to + 112, upper_128(y));
	store_avx2_row(to + 128, upper_128(z));
}

static inline void store_layers(struct bpe_layers *layers, const vec32 w[6])
{
	const __m256i a = (__m256i)w[0];
	const __m256i b = (__m256i)w[1];
	const __m256i c = (__m256i)w[2];
	const __m256i d = (__m256i)w[3];
	const __m256i e = (__m256i)w[4];
	const __m256i f = (__m256i)w[5];
	store_two_avx2_layers((char *)layers, _mm256_unpacklo_epi32(a, b),
		_mm256_unpacklo_epi32(c, d), _mm256_unpacklo_epi32(e, f));
	store_two_avx2_layers((char *)(layers + 2), _mm256_unpackhi_epi32(a, b),
		_mm256_unpackhi_epi32(c, d), _mm256_unpackhi_epi32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *indexes, vec32 a, vec32 b)
{
	__m256i first = _mm256_unpacklo_epi32((__m256i)a, (__m256i)b);
	__m256i last = _mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
	store_two_pairs(layers, indexes, 0, lower_128(first));
	store_two_pairs(layers, indexes, 2, lower_128(last));
	store_two_pairs(layers, indexes, 4, upper_128(first));
	store_two_pairs(layers, indexes, 6, upper_128(last));
}

#define REPEAT_BYTES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
static inline vec32 swap_word_bytes(vec32 x)
{
	return (vec32)_mm256_shuffle_epi8(
		(__m256i)x, REPEAT_BYTES(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline vec32 swap_halves(vec32 x)
{
	return (vec32)_mm256_shuffle_epi8(
		(__m256i)x, REPEAT_BYTES(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline vec32 be16_low(vec32 x)
{
	return (vec32)_mm256_shuffle_epi8(
		(__m256i)x, REPEAT_BYTES(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline vec32 be16_high(vec32 x)
{
	return (vec32)_mm256_shuffle_epi8((__m256i)x,
		REPEAT_BYTES(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline vec32 second_byte(vec32 x)
{
	return (vec32)_mm256_shuffle_epi8((__m256i)x,
		REPEAT_BYTES(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline vec32 min_u32(vec32 a, vec32 b)
{
	return (vec32)_mm256_min_epu32((__m256i)a, (__m256i)b);
}
static inline vec32 gt_s32(vec32 a, vec32 b)
{
	return (vec32)_mm256_cmpgt_epi32((__m256i)a, (__m256i)b);
}

static inline uint32_t lane_bits(vec32 x)
{
	return (uint32_t)_mm256_movemask_ps((__m256)x);
}
static inline bool any_lane(vec32 x)
{
	return lane_bits(x) != 0;
}
static inline bool all_lanes(vec32 x)
{
	return lane_bits(x) == 255;
}
#define LANE_INDEXES { 0, 1, 2, 3, 4, 5, 6, 7 }

static inline void append_to_lists(struct gather_lists *lists, vec32 x)
{
	uint32_t words[LANES];
	_mm256_storeu_si256((void *)words, (__m256i)x);
	append_words(lists, words, LANES);
}

static inline vec64 mul_even(vec32 a, vec32 b)
{
	return (vec64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
static inline vec64 mul_odd(vec32 a, vec32 b)
{
	return (vec64)_mm256_mul_epu32(
		_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));
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
	return (vec64)_mm256_mul_epu32((__m256i)x, _mm256_srli_epi64((__m256i)x, 32));
}
static inline vec32 join_low_words(vec64 e, vec64 o)
{
	return (vec32)_mm256_blend_epi32((__m256i)e, _mm256_slli_epi64((__m256i)o, 32), 0xaa);
}
static inline vec32 join_high_words(vec64 e, vec64 o)
{
	return (vec32)_mm256_blend_epi32(_mm256_srli_epi64((__m256i)e, 32), (__m256i)o, 0xaa);
}

/* Selects lanes.  In assembly, since gcc would first compare a mask with 0 if it is used twice. */
static inline vec32 select_lanes(vec32 mask, vec32 yes, vec32 no)
{
	__asm__("vpblendvb %3, %2, %1, %0" : "=x"(no) : "x"(no), "xm"(yes), "x"(mask));
	return no;
}

/* Multiplies 16-bit words.  In assembly, since gcc would multiply by shifts. */
static inline __m256i mul_u16(__m256i x, short by)
{
	__m256i y = _mm256_set1_epi16(by);
	__asm__("vpmullw %1, %2, %0" : "=x"(x) : "xm"(y), "x"(x));
	return x;
}

static inline vec16 hash_ports(vec16 x)
{
	return (vec16)_mm256_srli_epi16(mul_u16((__m256i)x, BPEI_PORT_MULTIPLIER), BPEI_PORT_SHIFT);
}

/* Returns port[at[j]] of BPEI_TUNNEL_PORTS: lower and upper bytes are looked up apart, each in a
 * table of 16 bytes. */
static inline vec16 lookup_ports(vec16 at)
{
	static const uint8_t lower_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_LOWER_BYTE);
	static const uint8_t upper_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_UPPER_BYTE);
	__m256i low = _mm256_shuffle_epi8(
		_mm256_broadcastsi128_si256(load_128(lower_bytes)), (__m256i)at);
	__m256i high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_128(upper_bytes)),
		_mm256_slli_epi16((__m256i)at, 8));
	return (vec16)_mm256_blendv_epi8(low, high, _mm256_set1_epi16((short)0xff00));
}

static inline vec32 load_bytes(const uint8_t *at)
{
	return (vec32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)at));
}

static inline void store_i64(int64_t *to, vec64 even, vec64 odd)
{
	__m256i first = _mm256_unpacklo_epi64((__m256i)even, (__m256i)odd);
	__m256i last = _mm256_unpackhi_epi64((__m256i)even, (__m256i)odd);
	_mm256_storeu_si256((void *)to, _mm256_permute2x128_si256(first, last, 0x20));
	_mm256_storeu_si256((void *)(to + 4), _mm256_permute2x128_si256(first, last, 0x31));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_avx2(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed)
{
	parse_by_link_type(columns, n, link_type, seed);
}

uint32_t bpei_walk_uniform_avx2(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run)
{
	const struct bpei_columns c = *columns;

	return walk_uniform_lanes(&c, n, run);
}

uint64_t bpei_probe_avx2(const struct bpei_lookup *probe, uint32_t *entry)
{
	return probe_256(probe, entry);
}
