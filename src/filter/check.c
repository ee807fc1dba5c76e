/* SPDX-License-Identifier: MIT */
/* Which programs are well made.  The union of what the kernels accept, so MOD and XOR are known
 * here though macOS and OpenBSD refuse them (bpf_validate in each system's sys/net/bpf_filter.c);
 * which kernel takes what is the device's business. */
#include "filter/filter.h"

enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };
enum { SIZE_W = 0x00, SIZE_H = 0x08, SIZE_B = 0x10 };
enum {
	MODE_IMM = 0x00,
	MODE_ABS = 0x20,
	MODE_IND = 0x40,
	MODE_MEM = 0x60,
	MODE_LEN = 0x80,
	MODE_MSH = 0xa0
};
#define WORDS 16u

static const char *load(const struct bpe_insn *i)
{
	uint32_t mode = i->code & 0xe0, size = i->code & 0x18;
	if (i->code > 0xff || size == 0x18)
		return "an unknown load";
	if (mode == MODE_MEM)
		return size            ? "an unknown load"
		       : i->k >= WORDS ? "a memory word past the last, 15"
				       : 0;
	if (mode == MODE_IMM || mode == MODE_LEN)
		return size ? "an unknown load" : 0;
	if ((i->code & 7) == LDX)
		return mode == MODE_MSH && size == SIZE_B ? 0 : "an unknown load into X";
	return mode == MODE_ABS || mode == MODE_IND ? 0 : "an unknown load";
}

static const char *alu(const struct bpe_insn *i)
{
	uint32_t op = i->code & 0xf0, x = i->code & 8;
	if (i->code > 0xff || op > 0xa0 || (op == 0x80 && x))
		return "an unknown arithmetic operation";
	if ((op == 0x30 || op == 0x90) && !x && !i->k)
		return "a division by 0";
	if ((op == 0x60 || op == 0x70) && !x && i->k > 31)
		return "a shift by more than 31";
	return 0;
}

const char *bpei_filter_check(const struct bpe_insn *p, uint32_t n)
{
	if (!n)
		return "it is empty";
	if (n > 1u << 20)
		return "it is longer than a million instructions";
	for (uint32_t at = 0; at < n; at++) {
		const struct bpe_insn *i = &p[at];
		const char *why = 0;
		uint32_t left = n - at - 1, op = i->code & 0xf0;
		switch (i->code & 7) {
		case LD:
		case LDX:
			why = load(i);
			break;
		case ST:
		case STX:
			why = i->code > 7     ? "an unknown store"
			      : i->k >= WORDS ? "a memory word past the last, 15"
					      : 0;
			break;
		case ALU:
			why = alu(i);
			break;
		case JMP:
			if (i->code > 0xff || op > 0x40 || (!op && i->code & 8))
				why = "an unknown jump";
			else if (op ? i->jt >= left || i->jf >= left : i->k >= left)
				why = "a jump past the end";
			break;
		case RET:
			why = i->code == 0x06 || i->code == 0x16 ? 0 : "an unknown return";
			break;
		default:
			why = i->code == 0x07 || i->code == 0x87 ? 0 : "an unknown operation";
			break;
		}
		if (why)
			return why;
	}
	return (p[n - 1].code & 7) == RET ? 0 : "its last instruction is no return";
}
