/* SPDX-License-Identifier: MIT */
/* What decode.c writes and interpret_fast.c runs: one step for each instruction, at the same place,
 * so that jumps stay what they are; a step that does more than one instruction leads past those
 * that it did, and they keep their own steps for who jumps there.
 *
 * A step begins, if with a load, with where its bytes come from:
 *   FREE  at `at`, which an earlier load on every way here has proved to be captured
 *   ABS   at `at`; the packet must have `need` bytes
 *   IND   at X + `at`
 *   MSH   X = 4 * (byte at `msh` & 15), of which the packet must have `need` bytes; then as IND
 * and goes on with A & `mask`, and with a comparison of A with `k`: to step `yes` or `no`; or, if
 * GO, to `yes`. */
#ifndef BPEI_STEPS_H
#define BPEI_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, source, size, comparison) for every load, with what follows upon it. */
#define BPEI_LOADS(X)                                                                              \
	BPEI_SOURCE(X, FREE) BPEI_SOURCE(X, ABS) BPEI_SOURCE(X, IND) BPEI_SOURCE(X, MSH)
#define BPEI_SOURCE(X, s) BPEI_SIZE(X, s, 4) BPEI_SIZE(X, s, 2) BPEI_SIZE(X, s, 1)
#define BPEI_SIZE(X, s, n)                                                                         \
	X(s##n##_GO, s, n, GO)                                                                     \
	X(s##n##_EQ, s, n, EQ)                                                                     \
	X(s##n##_GT, s, n, GT) X(s##n##_GE, s, n, GE) X(s##n##_SET, s, n, SET)

/* X(name, comparison): of A, after `mask`, with `k`. */
#define BPEI_TESTS(X) X(TEST_GO, GO) X(TEST_EQ, EQ) X(TEST_GT, GT) X(TEST_GE, GE) X(TEST_SET, SET)

/* X(name, statement): the rest, on to the next step. */
#define BPEI_PLAIN(X)                                                                              \
	X(LEN, a = wirelen)                                                                        \
	X(X_LEN, x = wirelen)                                                                      \
	X(IMM, a = k)                                                                              \
	X(X_IMM, x = k) X(MEM, a = m[k]) X(X_MEM, x = m[k]) X(ST, m[k] = a) X(STX, m[k] = x)       \
		X(ADD, a += k) X(ADD_X, a += x) X(SUB, a -= k) X(SUB_X, a -= x) X(MUL, a *= k) X(  \
			MUL_X, a *= x) X(DIV, a /= k) X(MOD, a %= k) X(OR, a |= k) X(OR_X, a |= x) \
			X(AND_X, a &= x) X(XOR, a ^= k) X(XOR_X, a ^= x) X(LSH, a <<= k)           \
				X(RSH, a >>= k) X(LSH_X, a = x < 32 ? a << x : 0)                  \
					X(RSH_X, a = x < 32 ? a >> x : 0) X(NEG, a = 0 - a)        \
						X(TAX, x = a) X(TXA, a = x)

/* X(name, condition): with X. */
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
	STEP_SEARCH, /* A among `k` keys that begin at `at`, in their order: to the key's step, or
			`no` */
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
	bool memory;           /* it uses M[] */
	struct bpei_key *keys; /* behind the steps, in the same allocation */
	struct bpei_step steps[];
};

#endif
