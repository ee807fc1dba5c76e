/* SPDX-License-Identifier: MIT */
/* The check of programs.  Programs pass if any kernel accepts them, so MOD and XOR are known here,
 * although macOS and OpenBSD refuse them.  (Sources: bpf_validate in each system's
 * sys/net/bpf_filter.c.)  kernel.c says which kernel takes which program. */
#include "filter/filter.h"

#include "filter/opcodes.h"

static const char *const word_past_last = "a memory word past the last, 15";

static const char *check_load(const struct bpe_insn *i)
{
	const uint32_t mode = i->code & INSN_MODE;
	const uint32_t size = i->code & INSN_SIZE;

	if (i->code > 0xff || size == INSN_SIZE)
		return "an unknown load";
	if (mode == MODE_MEM && !size)
		return i->k >= INSN_WORDS ? word_past_last : NULL;
	if (mode == MODE_MEM || mode == MODE_IMM || mode == MODE_LEN)
		return size ? "an unknown load" : NULL;
	if (bpei_insn_class(i) == INSN_LDX)
		return i->code == INSN_LDX_MSH ? NULL : "an unknown load into X";
	return mode == MODE_ABS || mode == MODE_IND ? NULL : "an unknown load";
}

static const char *check_store(const struct bpe_insn *i)
{
	if (i->code != INSN_ST && i->code != INSN_STX)
		return "an unknown store";
	return i->k >= INSN_WORDS ? word_past_last : NULL;
}

static const char *check_arithmetic(const struct bpe_insn *i)
{
	const uint32_t op = i->code & INSN_OP;
	const bool by_x = i->code & INSN_X;

	if (i->code > 0xff || op > OP_XOR || (op == OP_NEG && by_x))
		return "an unknown arithmetic operation";
	if ((op == OP_DIV || op == OP_MOD) && !by_x && !i->k)
		return "a division by 0";
	if ((op == OP_LSH || op == OP_RSH) && !by_x && i->k > INSN_SHIFT_MOST)
		return "a shift by more than 31";
	return NULL;
}

/* Checks a jump; `left` instructions follow it. */
static const char *check_jump(const struct bpe_insn *i, uint32_t left)
{
	const uint32_t op = i->code & INSN_OP;

	if (i->code > 0xff || op > CMP_SET || (op == CMP_ALWAYS && i->code & INSN_X))
		return "an unknown jump";
	const bool too_far = op == CMP_ALWAYS ? i->k >= left : i->jt >= left || i->jf >= left;
	return too_far ? "a jump past the end" : NULL;
}

static const char *check_insn(const struct bpe_insn *i, uint32_t left)
{
	switch (bpei_insn_class(i)) {
	case INSN_LD:
	case INSN_LDX:
		return check_load(i);
	case INSN_ST:
	case INSN_STX:
		return check_store(i);
	case INSN_ALU:
		return check_arithmetic(i);
	case INSN_JMP:
		return check_jump(i, left);
	case INSN_RET:
		return i->code == INSN_RET_K || i->code == INSN_RET_A ? NULL : "an unknown return";
	default:
		return i->code == INSN_TAX || i->code == INSN_TXA ? NULL : "an unknown operation";
	}
}

const char *bpei_filter_check(const struct bpe_insn *p, uint32_t n)
{
	if (!n)
		return "it is empty";
	if (n > INSNS_MOST)
		return "it is longer than a million instructions";
	for (uint32_t at = 0; at < n; at++) {
		const char *why = check_insn(&p[at], n - at - 1);

		if (why)
			return why;
	}
	return bpei_insn_is_return(&p[n - 1]) ? NULL : "its last instruction is no return";
}
