/* SPDX-License-Identifier: MIT */
/* Runs a decoded program (ops.h).  Pure.  Where the compiler has labels as values, every step jumps
 * to the next step directly, which CPUs predict better than a shared jump. */
#include "filter/decode.h"

#include "base/bytes.h"
#include "filter/ops.h"

#include <string.h>

#define IS_GO true
#define IS_EQ (a == s->k)
#define IS_GT (a > s->k)
#define IS_GE (a >= s->k)
#define IS_SET ((a & s->k) != 0)

#define GET4(at) bpei_be32(data + (at))
#define GET2(at) bpei_be16(data + (at))
#define GET1(at) data[at]

#define BYTES_FREE(n) a = GET##n(s->at)
#define BYTES_ABS(n)                                                                               \
	if (caplen < s->need)                                                                      \
		return 0;                                                                          \
	a = GET##n(s->at)
#define BYTES_IND(n)                                                                               \
	if ((uint64_t)x + s->at + n > caplen)                                                      \
		return 0;                                                                          \
	a = GET##n(x + s->at)
#define BYTES_MSH(n)                                                                               \
	if (caplen < s->need)                                                                      \
		return 0;                                                                          \
	x = (data[s->msh] & 15u) * 4;                                                              \
	BYTES_IND(n)

#if defined(__GNUC__) && !defined(BPEI_NO_LABEL_VALUES)
#define LABEL_VALUES 1
#pragma GCC diagnostic ignored "-Wpedantic" /* goto *p */
#define CASE(name) at_##name
#define GO(to)                                                                                     \
	do {                                                                                       \
		s = steps + (to);                                                                  \
		goto *way[s->code];                                                                \
	} while (0)
#else
#define CASE(name) case STEP_##name
#define GO(to)                                                                                     \
	do {                                                                                       \
		s = steps + (to);                                                                  \
		goto again;                                                                        \
	} while (0)
#endif

/* Returns the key equal to `a` among the n sorted keys, or NULL. */
static const struct bpei_key *find_key(const struct bpei_key *key, uint32_t n, uint32_t a)
{
	const struct bpei_key *end = key + n;

	while (n > 1) {
		uint32_t half = n / 2;
		if (key[half].k <= a)
			key += half;
		n -= half;
	}
	return key < end && key->k == a ? key : NULL;
}

/* The steps of the lists in ops.h. */
#define RUN_LOAD(name, source, n, test)                                                            \
	CASE(name) : BYTES_##source(n);                                                            \
	a &= s->mask;                                                                              \
	if (IS_##test)                                                                             \
		GO(s->yes);                                                                        \
	GO(s->no);
#define RUN_TEST(name, test)                                                                       \
	CASE(name) : a &= s->mask;                                                                 \
	if (IS_##test)                                                                             \
		GO(s->yes);                                                                        \
	GO(s->no);
#define RUN_PLAIN(name, effect)                                                                    \
	CASE(name) :                                                                               \
	{                                                                                          \
		uint32_t k = s->k;                                                                 \
		(void)k;                                                                           \
		effect;                                                                            \
	}                                                                                          \
	GO(s->yes);
#define RUN_TEST_X(name, holds)                                                                    \
	CASE(name) : if (holds) GO(s->yes);                                                        \
	GO(s->no);
#define LABEL(name, ...) [STEP_##name] = &&at_##name,

uint32_t bpei_decoded_run(
	const struct bpei_decoded *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	const struct bpei_step *steps = p->steps;
	const struct bpei_step *s = steps;
	uint32_t a = 0, x = 0, m[16];
	const struct bpei_key *key;

	if (p->memory)
		memset(m, 0, sizeof m);
#ifdef LABEL_VALUES
	static const void *const way[STEP_COUNT] = { BPEI_LOADS(LABEL) BPEI_TESTS(LABEL)
			BPEI_PLAIN(LABEL) BPEI_TESTS_X(LABEL) LABEL(RET, 0) LABEL(RET_A, 0)
				LABEL(X_MSH, 0) LABEL(DIV_X, 0) LABEL(MOD_X, 0) LABEL(SEARCH, 0) };
	goto *way[s->code];
#else
again:
	switch (s->code) {
#endif
	BPEI_LOADS(RUN_LOAD)
	BPEI_TESTS(RUN_TEST)
	BPEI_PLAIN(RUN_PLAIN)
	BPEI_TESTS_X(RUN_TEST_X)
	CASE(X_MSH) : if (caplen < s->need) return 0;
	x = (data[s->msh] & 15u) * 4;
	GO(s->yes);
	CASE(DIV_X) : if (!x) return 0;
	a /= x;
	GO(s->yes);
	CASE(MOD_X) : if (!x) return 0;
	a %= x;
	GO(s->yes);
	CASE(SEARCH) : key = find_key(p->keys + s->at, s->k, a);
	GO(key ? key->to : s->no);
	CASE(RET_A) : return a;
	CASE(RET) : return s->k;
#ifndef LABEL_VALUES
default:
	return 0; /* bpei_decode writes no other */
}
#endif
}
