/* SPDX-License-Identifier: MIT */
/* Making a program fit a kernel.  An instruction that stands in the way becomes a return that
 * accepts, and so does everything from the limit on: a packet whose way through the program meets
 * none of them has the program's verdict, any other is let through.  A load that no packet is long
 * enough for becomes a return that rejects, which is what it does. */
#include "filter/kernel.h"

#include <stdlib.h>
#include <string.h>

enum {
	LD_MEM = 0x60,
	LDX_MEM = 0x61,
	ST = 0x02,
	STX = 0x03,
	LSH_X = 0x6c,
	RSH_X = 0x7c,
	JA = 0x05,
	TAX = 0x07,
	RET_K = 0x06,
	RET_A = 0x16
};

const struct bpei_kernel bpei_kernels[BPEI_KERNELS] = {
	[BPEI_KERNEL_MACOS] = { .name = "macos",
		.title = "macOS",
		.most = BPE_MAX_INSNS,
		.given = BPE_MAX_INSNS,
		.offsets = 512u << 10,
		.family6 = 30,
		.words_zeroed = true },
	[BPEI_KERNEL_FREEBSD] = { .name = "freebsd",
		.title = "FreeBSD",
		.most = BPE_MAX_INSNS,
		.given = BPE_MAX_INSNS,
		.family6 = 28,
		.mod_xor = true },
	[BPEI_KERNEL_NETBSD] = { .name = "netbsd",
		.title = "NetBSD",
		.most = BPE_MAX_INSNS,
		.given = BPE_MAX_INSNS,
		.family6 = 24,
		.mod_xor = true,
		.words_checked = true },
	[BPEI_KERNEL_OPENBSD] = { .name = "openbsd",
		.title = "OpenBSD",
		.most = BPE_MAX_INSNS,
		.given = BPE_MAX_INSNS,
		.family6 = 24 },
	[BPEI_KERNEL_LINUX] = { .name = "linux",
		.title = "Linux",
		.most = 4096,
		.given = 1000,
		.family6 = 10,
		.mod_xor = true,
		.words_checked = true,
		.negative_means_else = true },
};

const struct bpei_kernel *bpei_kernel_find(const char *name)
{
	for (int i = 0; i < BPEI_KERNELS; i++)
		if (!strcmp(bpei_kernels[i].name, name))
			return &bpei_kernels[i];
	return NULL;
}

static bool is_mod_xor(const struct bpe_insn *i)
{
	return (i->code & 0xf7) == 0x94 || (i->code & 0xf7) == 0xa4;
}
static bool is_packet_load(const struct bpe_insn *i) /* at an offset: LD ABS, LD IND, LDX MSH */
{
	uint32_t mode = i->code & 0xe0;
	return (i->code & 7) <= 1 && (mode == 0x20 || mode == 0x40 || mode == 0xa0);
}
static bool is_indexed(const struct bpe_insn *i)
{
	return (i->code & 0xe7) == 0x40;
}

/* stored[i]: words that were stored on every way to instruction i. */
static uint16_t *stored_before(const struct bpe_insn *p, uint32_t n)
{
	uint16_t *s = malloc(n * sizeof *s);
	if (!s)
		return NULL;
	memset(s, 0xff, n * sizeof *s);
	s[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t now = s[i];
		if ((p[i].code == ST || p[i].code == STX) && p[i].k < 16)
			now |= (uint16_t)(1u << p[i].k);
		if ((p[i].code & 7) == 6)
			continue;
		if ((p[i].code & 7) == 5) {
			uint32_t left = n - i - 1, yes = p[i].code == JA ? p[i].k : p[i].jt,
				 no = p[i].code == JA ? p[i].k : p[i].jf;
			if (yes < left)
				s[i + 1 + yes] &= now;
			if (no < left)
				s[i + 1 + no] &= now;
		} else if (i + 1 < n) {
			s[i + 1] &= now;
		}
	}
	return s;
}

static bool unset(const struct bpe_insn *i, uint16_t stored)
{
	return (i->code == LD_MEM || i->code == LDX_MEM) && i->k < 16 && !(stored >> i->k & 1);
}

const char *bpei_kernel_check(const struct bpei_kernel *k, const struct bpe_insn *p, uint32_t n)
{
	const char *why = n > k->most ? "it is too long" : bpei_filter_check(p, n);
	for (uint32_t i = 0; !why && i < n; i++) {
		if (!k->mod_xor && is_mod_xor(&p[i]))
			why = "it uses MOD or XOR";
		if (k->offsets && is_packet_load(&p[i]) && p[i].k >= k->offsets)
			why = "it loads from too far behind";
	}
	if (why || !k->words_checked)
		return why;
	uint16_t *stored = stored_before(p, n);
	if (!stored)
		return "no memory to check it";
	for (uint32_t i = 0; !why && i < n; i++)
		if (unset(&p[i], stored[i]))
			why = "it loads a memory word that was not stored";
	free(stored);
	return why;
}

/* Why this kernel does not run the instruction as we do, NULL if it does. */
static const char *differs(
	const struct bpei_kernel *k, const struct bpe_insn *i, uint16_t stored, bool x_is_reckoned)
{
	if (!k->mod_xor && is_mod_xor(i))
		return "the kernel does not know MOD and XOR";
	if (i->code == LSH_X || i->code == RSH_X)
		return "kernels do not agree on shifts by a computed number";
	if (!k->words_zeroed && unset(i, stored))
		return "it loads a memory word that was not stored";
	if (k->negative_means_else && x_is_reckoned && is_indexed(i))
		return "a computed offset may be negative";
	return NULL;
}

int bpei_kernel_fit(const struct bpei_kernel *k, const struct bpe_insn *p, uint32_t n,
	uint32_t most, uint32_t keep, struct bpei_kernel_program *fit)
{
	uint32_t limit = most < k->most ? most : k->most;
	uint16_t *stored = stored_before(p, n);
	const char *why = n > limit ? "it is longer than the kernel takes" : NULL;
	bool reckoned = false; /* X comes from more than an IPv4 header's length */
	limit = n < limit ? n : limit;
	struct bpe_insn *out = malloc(limit * sizeof *out);
	if (!stored || !out) {
		free(stored), free(out);
		return BPE_E_MEMORY;
	}
	for (uint32_t i = 0; i < n; i++)
		reckoned |= p[i].code == TAX || p[i].code == LDX_MEM;
	for (uint32_t i = 0; i < limit; i++) {
		const char *this = differs(k, &p[i], stored[i], reckoned);
		bool nowhere =
			is_packet_load(&p[i]) && ((k->offsets && p[i].k >= k->offsets) ||
							 (k->negative_means_else && p[i].k >> 31));
		out[i] = p[i];
		if (nowhere)
			out[i] = (struct bpe_insn){ .code = RET_K };
		else if (this)
			out[i] = (struct bpe_insn){ .code = RET_K, .k = keep };
		if (!nowhere && this && !why)
			why = this;
	}
	if (n > limit)
		out[limit - 1] = (struct bpe_insn){ .code = RET_K, .k = keep };
	for (uint32_t i = 0; why && i < limit; i++) {
		struct bpe_insn *o = &out[i];
		uint32_t left = limit - 1 - i - 1; /* a jump of so many reaches the last one */
		if (o->code == RET_A || (o->code == RET_K && o->k))
			*o = (struct bpe_insn){ .code = RET_K, .k = keep };
		if ((o->code & 7) != 5)
			continue;
		if (o->k > left && o->code == JA)
			o->k = left;
		if (o->jt > left)
			o->jt = (uint8_t)left;
		if (o->jf > left)
			o->jf = (uint8_t)left;
	}
	free(stored);
	*fit = (struct bpei_kernel_program){ out, limit, !why, why };
	return BPE_OK;
}

int bpei_filter_fit(const struct bpei_kernel *k, const struct bpei_filter *f, uint32_t most,
	uint32_t keep, struct bpei_kernel_program *fit)
{
	struct bpei_kernel_program wide;
	int r = bpei_kernel_fit(k, f->program, f->length, most, keep, fit);
	if (r < 0 || (fit->exact && !f->late) || !f->wide)
		return r;
	r = bpei_kernel_fit(k, f->wide, f->wide_length, most, keep, &wide);
	if (r < 0) {
		free(fit->program);
		return r;
	}
	for (uint32_t i = 0; i < wide.length;
		i++) /* its returns are the program's, which may be too few bytes to filter again */
		if (wide.program[i].code == RET_K && wide.program[i].k)
			wide.program[i].k = keep;
	wide.exact = false;
	wide.why = fit->why ? fit->why
			    : "of some packets the process is known only when they are read";
	free(fit->program);
	*fit = wide;
	return r;
}
