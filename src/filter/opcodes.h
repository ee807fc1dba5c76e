/* SPDX-License-Identifier: MIT */
/* Opcodes of classic BPF, the numbers in bpe_insn.code (bpf(4); McCanne and Jacobson, 1993).  The
 * lowest three bits are the class; the class says how the other bits are read. */
#ifndef BPEI_FILTER_OPCODES_H
#define BPEI_FILTER_OPCODES_H

#include "bpfengine.h"

/* Classes, the bits INSN_CLASS. */
enum {
	INSN_CLASS = 0x07,
	INSN_LD = 0x00,
	INSN_LDX = 0x01,
	INSN_ST = 0x02, /* the whole opcode, too: M[k] = A */
	INSN_STX = 0x03,
	INSN_ALU = 0x04,
	INSN_JMP = 0x05,
	INSN_RET = 0x06,
	INSN_MISC = 0x07
};

/* Loads: the bits INSN_SIZE are the number of bytes, the bits INSN_MODE their source. */
enum {
	INSN_SIZE = 0x18,
	SIZE_W = 0x00,
	SIZE_H = 0x08,
	SIZE_B = 0x10,
	INSN_MODE = 0xe0,
	MODE_IMM = 0x00,
	MODE_ABS = 0x20,
	MODE_IND = 0x40,
	MODE_MEM = 0x60,
	MODE_LEN = 0x80,
	MODE_MSH = 0xa0
};

/* Arithmetic and jumps: the bits INSN_OP are the operation; with the bit INSN_X the right operand
 * is X, otherwise k. */
enum {
	INSN_X = 0x08,
	INSN_OP = 0xf0,
	OP_ADD = 0x00,
	OP_SUB = 0x10,
	OP_MUL = 0x20,
	OP_DIV = 0x30,
	OP_OR = 0x40,
	OP_AND = 0x50,
	OP_LSH = 0x60,
	OP_RSH = 0x70,
	OP_NEG = 0x80,
	OP_MOD = 0x90,
	OP_XOR = 0xa0,
	CMP_ALWAYS = 0x00,
	CMP_EQ = 0x10,
	CMP_GT = 0x20,
	CMP_GE = 0x30,
	CMP_SET = 0x40
};

/* Whole opcodes. */
enum {
	INSN_LD_IMM = 0x00,
	INSN_LD_ABS_W = 0x20,
	INSN_LD_ABS_H = 0x28,
	INSN_LD_ABS_B = 0x30,
	INSN_LD_IND_W = 0x40,
	INSN_LD_IND_H = 0x48,
	INSN_LD_IND_B = 0x50,
	INSN_LD_MEM = 0x60,
	INSN_LD_LEN = 0x80,
	INSN_LDX_IMM = 0x01,
	INSN_LDX_MEM = 0x61,
	INSN_LDX_LEN = 0x81,
	INSN_LDX_MSH = 0xb1, /* X = 4 * (byte k & 15), an IPv4 header's length */
	INSN_ADD_K = INSN_ALU | OP_ADD,
	INSN_ADD_X = INSN_ALU | OP_ADD | INSN_X,
	INSN_SUB_K = INSN_ALU | OP_SUB,
	INSN_SUB_X = INSN_ALU | OP_SUB | INSN_X,
	INSN_MUL_K = INSN_ALU | OP_MUL,
	INSN_MUL_X = INSN_ALU | OP_MUL | INSN_X,
	INSN_DIV_K = INSN_ALU | OP_DIV,
	INSN_DIV_X = INSN_ALU | OP_DIV | INSN_X,
	INSN_MOD_K = INSN_ALU | OP_MOD,
	INSN_MOD_X = INSN_ALU | OP_MOD | INSN_X,
	INSN_OR_K = INSN_ALU | OP_OR,
	INSN_OR_X = INSN_ALU | OP_OR | INSN_X,
	INSN_AND_K = INSN_ALU | OP_AND,
	INSN_AND_X = INSN_ALU | OP_AND | INSN_X,
	INSN_XOR_K = INSN_ALU | OP_XOR,
	INSN_XOR_X = INSN_ALU | OP_XOR | INSN_X,
	INSN_LSH_K = INSN_ALU | OP_LSH,
	INSN_LSH_X = INSN_ALU | OP_LSH | INSN_X,
	INSN_RSH_K = INSN_ALU | OP_RSH,
	INSN_RSH_X = INSN_ALU | OP_RSH | INSN_X,
	INSN_NEG = INSN_ALU | OP_NEG,
	INSN_JA = INSN_JMP | CMP_ALWAYS,
	INSN_JEQ_K = INSN_JMP | CMP_EQ,
	INSN_JEQ_X = INSN_JMP | CMP_EQ | INSN_X,
	INSN_JGT_K = INSN_JMP | CMP_GT,
	INSN_JGT_X = INSN_JMP | CMP_GT | INSN_X,
	INSN_JGE_K = INSN_JMP | CMP_GE,
	INSN_JGE_X = INSN_JMP | CMP_GE | INSN_X,
	INSN_JSET_K = INSN_JMP | CMP_SET,
	INSN_JSET_X = INSN_JMP | CMP_SET | INSN_X,
	INSN_RET_K = 0x06,
	INSN_RET_A = 0x16,
	INSN_TAX = 0x07,
	INSN_TXA = 0x87
};

#define INSN_WORDS 16u        /* words of memory M[] */
#define INSN_SHIFT_MOST 31u   /* bits that a constant shift can have */
#define INSNS_MOST (1u << 20) /* instructions of a program that is run here */

/* Returns the instruction's class. */
static inline uint32_t bpei_insn_class(const struct bpe_insn *insn)
{
	return insn->code & INSN_CLASS;
}
static inline bool bpei_insn_is_jump(const struct bpe_insn *insn)
{
	return bpei_insn_class(insn) == INSN_JMP;
}
static inline bool bpei_insn_is_return(const struct bpe_insn *insn)
{
	return bpei_insn_class(insn) == INSN_RET;
}

/* Returns true for instructions that read the packet: LD ABS, LD IND, LDX MSH. */
static inline bool bpei_insn_reads_packet(const struct bpe_insn *insn)
{
	const uint32_t mode = insn->code & INSN_MODE;

	if (bpei_insn_class(insn) > INSN_LDX)
		return false;
	return mode == MODE_ABS || mode == MODE_IND || mode == MODE_MSH;
}

#endif
