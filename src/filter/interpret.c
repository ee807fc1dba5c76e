/* SPDX-License-Identifier: MIT */
/* The reference interpreter: an accumulator A, an index X, sixteen words M[].  The lists below
 * are the machine: an opcode and the effect on a line.  Pure; every load is proved to lie in the
 * captured bytes. */
#include "filter/filter.h"

#include "base/bytes.h"
#include "filter/opcodes.h"

static inline uint32_t load_packet_byte(const uint8_t *at)
{
	return *at;
}

/* clang-format off */
/* X(opcode, offset, bytes, function to read the bytes): loads from the packet into A. */
#define PACKET_LOADS(X)                                                                            \
	X(INSN_LD_ABS_W, k, 4, bpei_be32)                                                          \
	X(INSN_LD_ABS_H, k, 2, bpei_be16)                                                          \
	X(INSN_LD_ABS_B, k, 1, load_packet_byte)                                                   \
	X(INSN_LD_IND_W, (uint64_t)x + k, 4, bpei_be32)                                            \
	X(INSN_LD_IND_H, (uint64_t)x + k, 2, bpei_be16)                                            \
	X(INSN_LD_IND_B, (uint64_t)x + k, 1, load_packet_byte)

/* X(opcode, effect): instructions without a failure. */
#define EFFECTS(X)                                                                                 \
	X(INSN_LD_LEN, a = wirelen)                                                                \
	X(INSN_LDX_LEN, x = wirelen)                                                               \
	X(INSN_LD_IMM, a = k)                                                                      \
	X(INSN_LDX_IMM, x = k)                                                                     \
	X(INSN_LD_MEM, a = m[k])                                                                   \
	X(INSN_LDX_MEM, x = m[k])                                                                  \
	X(INSN_ST, m[k] = a)                                                                       \
	X(INSN_STX, m[k] = x)                                                                      \
	X(INSN_ADD_K, a += k)                                                                      \
	X(INSN_ADD_X, a += x)                                                                      \
	X(INSN_SUB_K, a -= k)                                                                      \
	X(INSN_SUB_X, a -= x)                                                                      \
	X(INSN_MUL_K, a *= k)                                                                      \
	X(INSN_MUL_X, a *= x)                                                                      \
	X(INSN_DIV_K, a /= k)                                                                      \
	X(INSN_MOD_K, a %= k)                                                                      \
	X(INSN_OR_K, a |= k)                                                                       \
	X(INSN_OR_X, a |= x)                                                                       \
	X(INSN_AND_K, a &= k)                                                                      \
	X(INSN_AND_X, a &= x)                                                                      \
	X(INSN_XOR_K, a ^= k)                                                                      \
	X(INSN_XOR_X, a ^= x)                                                                      \
	X(INSN_LSH_K, a <<= k)                                                                     \
	X(INSN_LSH_X, a = x < 32 ? a << x : 0)                                                     \
	X(INSN_RSH_K, a >>= k)                                                                     \
	X(INSN_RSH_X, a = x < 32 ? a >> x : 0)                                                     \
	X(INSN_NEG, a = 0 - a)                                                                     \
	X(INSN_JA, p += k)                                                                         \
	X(INSN_TAX, x = a)                                                                         \
	X(INSN_TXA, a = x)

/* X(opcode, effect): divisions by X. */
#define DIVISIONS(X)                                                                               \
	X(INSN_DIV_X, a /= x)                                                                      \
	X(INSN_MOD_X, a %= x)

/* X(opcode, condition): conditional jumps. */
#define JUMPS(X)                                                                                   \
	X(INSN_JEQ_K, a == k)                                                                      \
	X(INSN_JEQ_X, a == x)                                                                      \
	X(INSN_JGT_K, a > k)                                                                       \
	X(INSN_JGT_X, a > x)                                                                       \
	X(INSN_JGE_K, a >= k)                                                                      \
	X(INSN_JGE_X, a >= x)                                                                      \
	X(INSN_JSET_K, a & k)                                                                      \
	X(INSN_JSET_X, a & x)
/* clang-format on */

#define CASE_LOAD(opcode, offset, bytes, get)                                                      \
	case opcode:                                                                               \
		at = offset;                                                                       \
		if (at + bytes > caplen)                                                           \
			return 0;                                                                  \
		a = get(data + at);                                                                \
		break;
#define CASE_EFFECT(opcode, effect)                                                                \
	case opcode:                                                                               \
		effect;                                                                            \
		break;
#define CASE_DIVISION(opcode, effect)                                                              \
	case opcode:                                                                               \
		if (!x)                                                                            \
			return 0;                                                                  \
		effect;                                                                            \
		break;
#define CASE_JUMP(opcode, condition)                                                               \
	case opcode:                                                                               \
		p += (condition) ? p->jt : p->jf;                                                  \
		break;

uint32_t bpei_filter_run(
	const struct bpe_insn *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	uint32_t m[INSN_WORDS] = { 0 };
	uint32_t a = 0, x = 0;

	for (;; p++) {
		const uint32_t k = p->k;
		uint64_t at; /* a sum of more than 32 bits lies past every end */

		switch (p->code) {
			PACKET_LOADS(CASE_LOAD)
			EFFECTS(CASE_EFFECT)
			DIVISIONS(CASE_DIVISION)
			JUMPS(CASE_JUMP)
		case INSN_LDX_MSH:
			if (k >= caplen)
				return 0;
			x = (data[k] & 15u) * 4;
			break;
		case INSN_RET_K:
			return k;
		case INSN_RET_A:
			return a;
		default:
			return 0; /* bpei_filter_check accepts no other opcode */
		}
	}
}

uint32_t bpe_filter_run(
	const struct bpe_insn *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	return bpei_filter_run(p, data, wirelen, caplen);
}
