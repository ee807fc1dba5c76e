/* SPDX-License-Identifier: MIT */
/* Steps, which decode.c writes and interpret_fast.c runs.  Each instruction has a step at the same
 * index, so jump targets stay valid.  A step that covers several instructions jumps past the
 * others; these keep their own steps for jumps into the middle.
 *
 * A step with a load begins with the source of the bytes:
 *   FREE  at `at`; an earlier load on every path here has proved that the bytes are captured
 *   ABS   at `at`; the packet must have `need` bytes
 *   IND   at X + `at`
 *   MSH   X = 4 * (byte at `msh` & 15), for which the packet must have `need` bytes; then as IND
 * The step goes on with A & `mask`, and with a comparison of A with `k`, which jumps to step `yes`
 * or `no`.  With GO the step jumps to `yes` always. */
#ifndef BPEI_STEPS_H
#define BPEI_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, source, size, comparison) for every load and the comparison behind the load. */
#define BPEI_LOADS(X)                                                                              \
	BPEI_SOURCE(X, FREE) BPEI_SOURCE(X, ABS) BPEI_SOURCE(X, IND) BPEI_SOURCE(X, MSH)
#define BPEI_SOURCE(X, s) BPEI_SIZE(X, s, 4) BPEI_SIZE(X, s, 2) BPEI_SIZE(X, s, 1)
#define BPEI_SIZE(X, s, n)                                                                         \
	X(s##n##_GO, s, n, GO)                                                                     \
	X(s##n##_EQ, s, n, EQ)                                                                     \
	X(s##n##_GT, s, n, GT) X(s##n##_GE, s, n, GE) X(s##n##_SET, s, n, SET)

/* Distances in enum bpei_step_code, which BPEI_SIZE and BPEI_SOURCE make. */
#define BPEI_STEPS_OF_SIZE 5u

/* X(name, comparison): of A, after `mask`, with `k`. */
#define BPEI_TESTS(X) X(TEST_GO, GO) X(TEST_EQ, EQ) X(TEST_GT, GT) X(TEST_GE, GE) X(TEST_SET, SET)

/* X(name, statement): all other steps that go on to the next. */
/* clang-format off */
#define BPEI_PLAIN(X)                                                                              \
	X(LEN, a = wirelen)                                                                        \
	X(X_LEN, x = wirelen)                                                                      \
	X(IMM, a = k)                                                                              \
	X(X_IMM, x = k)                                                                            \
	X(MEM, a = m[k])                                                                           \
	X(X_MEM, x = m[k])                                                                         \
	X(ST, m[k] = a)                                                                            \
	X(STX, m[k] = x)                                                                           \
	X(ADD, a += k)                                                                             \
	X(ADD_X, a += x)                                                                           \
	X(SUB, a -= k)                                                                             \
	X(SUB_X, a -= x)                                                                           \
	X(MUL, a *= k)                                                                             \
	X(MUL_X, a *= x)                                                                           \
	X(DIV, a /= k)                                                                             \
	X(MOD, a %= k)                                                                             \
	X(OR, a |= k)                                                                              \
	X(OR_X, a |= x)                                                                            \
	X(AND_X, a &= x)                                                                           \
	X(XOR, a ^= k)                                                                             \
	X(XOR_X, a ^= x)                                                                           \
	X(LSH, a <<= k)                                                                            \
	X(RSH, a >>= k)                                                                            \
	X(LSH_X, a = x < 32 ? a << x : 0)                                                          \
	X(RSH_X, a = x < 32 ? a >> x : 0)                                                          \
	X(NEG, a = 0 - a)                                                                          \
	X(TAX, x = a)                                                                              \
	X(TXA, a = x)
/* clang-format on */

/* X(name, condition): comparisons with X. */
#define BPEI_TESTS_X(X) X(EQ_X, a == x) X(GT_X, a > x) X(GE_X, a >= x) X(SET_X, a &x)

enum bpei_step_code {
#define X(name, ...) STEP_##name,
	BPEI_LOADS(X) BPEI_TESTS(X) BPEI_PLAIN(X) BPEI_TESTS_X(X)
#undef X
		STEP_RET,
	STEP_RET_A,
	STEP_X_MSH,
	STEP_DIV_X,
	STEP_MOD_X,
	STEP_SEARCH, /* looks A up among `k` sorted keys from index `at`: to the key's step, or `no`
		      */
	STEP_COUNT
};

struct bpei_step {
	uint32_t code; /* enum bpei_step_code */
	uint32_t at, need, msh;
	uint32_t mask, k;
	uint32_t yes, no;
};

struct bpei_key {
	uint32_t k, to;
};

struct bpei_decoded {
	bool memory;           /* the program uses M[] */
	struct bpei_key *keys; /* behind the steps, in the same allocation */
	struct bpei_step steps[];
};

#endif
