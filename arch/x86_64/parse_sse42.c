/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with SSE4.2.  Pure. */
#include "arch/scalar/packet.h"
#include "arch/x86_64/rows.h"

#include <smmintrin.h>

#define LANES 4
#define ASK_AHEAD 1
typedef uint32_t wide __attribute__((vector_size(16)));
typedef uint64_t big __attribute__((vector_size(16)));
typedef uint16_t ports __attribute__((vector_size(4 * LANES)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline void turn(wide t[4], __m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d),
		ab2 = _mm_unpackhi_epi32(a, b), cd2 = _mm_unpackhi_epi32(c, d);
	t[0] = (wide)_mm_unpacklo_epi64(ab, cd);
	t[1] = (wide)_mm_unpackhi_epi64(ab, cd);
	t[2] = (wide)_mm_unpacklo_epi64(ab2, cd2);
	t[3] = (wide)_mm_unpackhi_epi64(ab2, cd2);
}

static inline void store(void *to, __m128i x)
{
	_mm_storeu_si128(to, x);
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, load(at[0] + plus), load(at[1] + plus), load(at[2] + plus), load(at[3] + plus));
}

static inline void load_pairs(wide c[2], const uint8_t *const *at, int plus)
{
	__m128 a = (__m128)pairs(at[0] + plus, at[1] + plus),
	       b = (__m128)pairs(at[2] + plus, at[3] + plus);
	c[0] = (wide)_mm_shuffle_ps(a, b, 0x88);
	c[1] = (wide)_mm_shuffle_ps(a, b, 0xdd);
}

static inline wide load_words(const uint8_t *const *at, int plus)
{
	return (wide)words4(at, plus);
}

static inline void advance(const uint8_t **to, const uint8_t *const *from, wide by)
{
	for (uint32_t j = 0; j < LANES; j++)
		to[j] = from[j] + by[j];
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d)
{
	turn(r, (__m128i)a, (__m128i)b, (__m128i)c, (__m128i)d);
}

#define FIRST_OF(x, j)                                                                             \
	((__m128i)_mm_insert_ps((__m128)(x), (__m128)(x), (j) << 6 | 14)) /* { x[j], 0, 0, 0 } */

static inline void store_rows(struct bpe_key *key, const uint32_t *places, wide a, wide b)
{
	row r[LANES];
	spread(r, a, b, (wide){ 0 }, (wide){ 0 });
	for (uint32_t j = 0; j < LANES; j++)
		store(key_of(key, places, j)->port, (__m128i)r[j]);
}

static inline void store_keys(
	struct bpe_key *key, const uint32_t *places, wide a, wide b, wide c, wide d)
{
	store(key_of(key, places, 0)->addr[0], FIRST_OF(a, 0)),
		store(key_of(key, places, 0)->addr[1], FIRST_OF(b, 0));
	store(key_of(key, places, 1)->addr[0], FIRST_OF(a, 1)),
		store(key_of(key, places, 1)->addr[1], FIRST_OF(b, 1));
	store(key_of(key, places, 2)->addr[0], FIRST_OF(a, 2)),
		store(key_of(key, places, 2)->addr[1], FIRST_OF(b, 2));
	store(key_of(key, places, 3)->addr[0], FIRST_OF(a, 3)),
		store(key_of(key, places, 3)->addr[1], FIRST_OF(b, 3));
	store_rows(key, places, c, d);
}

static inline void store_two_layers(char *to, __m128i a, __m128i b, __m128i c)
{
	store(to, _mm_unpacklo_epi64(a, b)),
		store(to + 16, (__m128i)_mm_shuffle_pd((__m128d)c, (__m128d)a, 2)),
		store(to + 32, _mm_unpackhi_epi64(b, c));
}

static inline void store_layers(struct bpe_layers *layers, const wide w[6])
{
	const __m128i a = (__m128i)w[0], b = (__m128i)w[1], c = (__m128i)w[2], d = (__m128i)w[3],
		      e = (__m128i)w[4], f = (__m128i)w[5];
	store_two_layers((char *)layers, _mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d),
		_mm_unpacklo_epi32(e, f));
	store_two_layers((char *)(layers + 2), _mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d),
		_mm_unpackhi_epi32(e, f));
}

static inline void store_pairs(struct bpe_layers *layers, const uint32_t *places, wide a, wide b)
{
	store_two_pairs(layers, places, 0, _mm_unpacklo_epi32((__m128i)a, (__m128i)b));
	store_two_pairs(layers, places, 2, _mm_unpackhi_epi32((__m128i)a, (__m128i)b));
}

#define EACH_QUARTER(...) _mm_setr_epi8(__VA_ARGS__)
static inline wide swap_bytes(wide x)
{
	return (wide)_mm_shuffle_epi8(
		(__m128i)x, EACH_QUARTER(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
static inline wide swap_halves(wide x)
{
	return (wide)_mm_shuffle_epi8(
		(__m128i)x, EACH_QUARTER(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
static inline wide first_half(wide x)
{
	return (wide)_mm_shuffle_epi8(
		(__m128i)x, EACH_QUARTER(1, 0, -1, -1, 5, 4, -1, -1, 9, 8, -1, -1, 13, 12, -1, -1));
}
static inline wide second_half(wide x)
{
	return (wide)_mm_shuffle_epi8((__m128i)x,
		EACH_QUARTER(3, 2, -1, -1, 7, 6, -1, -1, 11, 10, -1, -1, 15, 14, -1, -1));
}
static inline wide second_byte(wide x)
{
	return (wide)_mm_shuffle_epi8((__m128i)x,
		EACH_QUARTER(1, -1, -1, -1, 5, -1, -1, -1, 9, -1, -1, -1, 13, -1, -1, -1));
}
static inline wide least(wide a, wide b)
{
	return (wide)_mm_min_epu32((__m128i)a, (__m128i)b);
}
static inline wide more(wide a, wide b)
{
	return (wide)_mm_cmpgt_epi32((__m128i)a, (__m128i)b);
}

static inline uint32_t lane_bits(wide x)
{
	return (uint32_t)_mm_movemask_ps((__m128)x);
}
static inline bool any(wide x)
{
	return lane_bits(x) != 0;
}
static inline bool every(wide x)
{
	return lane_bits(x) == 15;
}
#define PLACES { 0, 1, 2, 3 }

static inline void pack(
	struct listed *four, size_t *fours, struct listed *six, size_t *sixes, wide x)
{
	uint32_t words[LANES];
	store(words, (__m128i)x);
	pack_words(four, fours, six, sixes, words, LANES);
}

static inline big times_even(wide a, wide b)
{
	return (big)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
static inline big times_odd(wide a, wide b)
{
	return (big)_mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), _mm_srli_epi64((__m128i)b, 32));
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
	return (big)_mm_mul_epu32((__m128i)x, _mm_srli_epi64((__m128i)x, 32));
}
static inline wide low_words(big e, big o)
{
	return (wide)_mm_blend_epi16((__m128i)e, _mm_slli_epi64((__m128i)o, 32), 0xcc);
}
static inline wide high_words(big e, big o)
{
	return (wide)_mm_blend_epi16(_mm_srli_epi64((__m128i)e, 32), (__m128i)o, 0xcc);
}

static inline wide choose(wide mask, wide yes, wide no)
{
	return (wide)_mm_blendv_epi8((__m128i)no, (__m128i)yes, (__m128i)mask);
}

static inline ports port_places(ports x)
{
	return x * BPEI_PORT_MULTIPLIER >> BPEI_PORT_SHIFT;
}

/* The table's lower bytes and its upper ones, each in a register of 16. */
static inline ports tunnel_ports(ports at)
{
	static const uint8_t lower_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_LOWER_BYTE);
	static const uint8_t upper_bytes[16] = BPEI_TUNNEL_PORTS(BPEI_UPPER_BYTE);
	__m128i low = _mm_shuffle_epi8(load(lower_bytes), (__m128i)at);
	__m128i high = _mm_shuffle_epi8(load(upper_bytes), _mm_slli_epi16((__m128i)at, 8));
	return (ports)_mm_blendv_epi8(low, high, _mm_set1_epi16((short)0xff00));
}

static inline wide load_bytes(const uint8_t *at)
{
	return (wide)_mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)bpei_load32(at)));
}

static inline void store_longs(int64_t *to, big even, big odd)
{
	store(to, _mm_unpacklo_epi64((__m128i)even, (__m128i)odd));
	store(to + 2, _mm_unpackhi_epi64((__m128i)even, (__m128i)odd));
}

#include "arch/lanes/parse_lanes.h"
#include "arch/lanes/walk_lanes.h"

void bpei_parse_sse42(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
	const struct bpei_seed *seed){ PARSE_BY_LINK_TYPE(columns, n, link_type, seed) }

uint32_t bpei_alike_sse42(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_records *how)
{
	const struct bpei_columns c = *columns;
	return alike(&c, n, how);
}
