/* SPDX-License-Identifier: MIT */
/* Running a prepared program (ops.h).  Pure.  Where the compiler has labels as values every step
 * jumps to the next one itself, which CPUs foresee better than one jump for all. */
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

static const struct bpei_key *find(const struct bpei_key *key, uint32_t n, uint32_t a)
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

uint32_t bpei_decoded_run(
	const struct bpei_decoded *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	const struct bpei_step *steps = p->steps, *s = steps;
	uint32_t a = 0, x = 0, m[16];
	const struct bpei_key *key;
	if (p->memory)
		memset(m, 0, sizeof m);
#ifdef LABEL_VALUES
	static const void *const way[STEP_COUNT] = {
#define X(name, ...) [STEP_##name] = &&at_##name,
		BPEI_LOADS(X) BPEI_TESTS(X) BPEI_PLAIN(X) BPEI_TESTS_X(X) X(RET, 0) X(RET_A, 0)
			X(X_MSH, 0) X(DIV_X, 0) X(MOD_X, 0) X(SEARCH, 0)
#undef X
	};
	goto *way[s->code];
#else
again:
	switch (s->code) {
#endif
#define X(name, source, n, test)                                                                   \
	CASE(name) : BYTES_##source(n);                                                            \
	a &= s->mask;                                                                              \
	if (IS_##test)                                                                             \
		GO(s->yes);                                                                        \
	GO(s->no);
	BPEI_LOADS(X)
#undef X
#define X(name, test)                                                                              \
	CASE(name) : a &= s->mask;                                                                 \
	if (IS_##test)                                                                             \
		GO(s->yes);                                                                        \
	GO(s->no);
	BPEI_TESTS(X)
#undef X
#define X(name, does)                                                                              \
	CASE(name) :                                                                               \
	{                                                                                          \
		uint32_t k = s->k;                                                                 \
		(void)k;                                                                           \
		does;                                                                              \
	}                                                                                          \
	GO(s->yes);
	BPEI_PLAIN(X)
#undef X
#define X(name, holds)                                                                             \
	CASE(name) : if (holds) GO(s->yes);                                                        \
	GO(s->no);
	BPEI_TESTS_X(X)
#undef X
	CASE(X_MSH) : if (caplen < s->need) return 0;
	x = (data[s->msh] & 15u) * 4;
	GO(s->yes);
	CASE(DIV_X) : if (!x) return 0;
	a /= x;
	GO(s->yes);
	CASE(MOD_X) : if (!x) return 0;
	a %= x;
	GO(s->yes);
	CASE(SEARCH) : key = find(p->keys + s->at, s->k, a);
	GO(key ? key->to : s->no);
	CASE(RET_A) : return a;
	CASE(RET) : return s->k;
#ifndef LABEL_VALUES
default:
	return 0; /* bpei_decode writes no other */
}
#endif
}
