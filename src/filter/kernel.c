/* SPDX-License-Identifier: MIT */
/* Makes a program fit a kernel.  An instruction becomes an accepting return if the kernel
 * does not run the instruction as we do; so does everything from the length limit on.  A packet
 * that meets none of these returns gets the program's verdict; any other packet is accepted.  A
 * load past every packet's end becomes a rejecting return, as the load rejects. */
#include "filter/kernel.h"

#include "base/error.h"
#include "filter/opcodes.h"

#include <stdlib.h>
#include <string.h>

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

const struct bpei_kernel *bpei_kernel_find_or_fail(const char *name, struct bpe_error *error)
{
	const struct bpei_kernel *kernel = bpei_kernel_find(name);

	if (!kernel)
		bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"no kernel is called %.64s: there are macos, freebsd, netbsd, openbsd and linux",
			name);
	return kernel;
}

static bool is_mod_or_xor(const struct bpe_insn *i)
{
	const uint32_t code = i->code & ~INSN_X;

	return code == INSN_MOD_K || code == INSN_XOR_K;
}

static bool is_indexed_load(const struct bpe_insn *i)
{
	return (i->code & ~INSN_SIZE) == (INSN_LD | MODE_IND);
}

/* Returns, for each instruction, the memory words stored on every path, as bits.
 * The caller frees the array; NULL: no memory.  The program may be any. */
static uint16_t *find_stored_words(const struct bpe_insn *p, uint32_t n)
{
	uint16_t *s = malloc(n * sizeof *s);

	if (!s)
		return NULL;
	memset(s, 0xff, n * sizeof *s);
	s[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t left = n - i - 1;
		uint16_t now = s[i];

		if ((p[i].code == INSN_ST || p[i].code == INSN_STX) && p[i].k < INSN_WORDS)
			now |= (uint16_t)(1u << p[i].k);
		if (bpei_insn_is_return(&p[i]))
			continue;
		if (bpei_insn_is_jump(&p[i])) {
			const bool always = p[i].code == INSN_JA;
			const uint32_t yes = always ? p[i].k : p[i].jt;
			const uint32_t no = always ? p[i].k : p[i].jf;

			if (yes < left)
				s[i + 1 + yes] &= now;
			if (no < left)
				s[i + 1 + no] &= now;
		} else if (left) {
			s[i + 1] &= now;
		}
	}
	return s;
}

/* Returns true for a load of a memory word not stored on every path. */
static bool loads_unset_word(const struct bpe_insn *i, uint16_t stored)
{
	if (i->code != INSN_LD_MEM && i->code != INSN_LDX_MEM)
		return false;
	return i->k < INSN_WORDS && !(stored >> i->k & 1);
}

const char *bpei_kernel_check(const struct bpei_kernel *k, const struct bpe_insn *p, uint32_t n)
{
	const char *why = n > k->most ? "it is too long" : bpei_filter_check(p, n);

	for (uint32_t i = 0; !why && i < n; i++) {
		if (!k->mod_xor && is_mod_or_xor(&p[i]))
			why = "it uses MOD or XOR";
		if (k->offsets && bpei_insn_reads_packet(&p[i]) && p[i].k >= k->offsets)
			why = "it loads from too far behind";
	}
	if (why || !k->words_checked)
		return why;
	uint16_t *stored = find_stored_words(p, n);
	if (!stored)
		return "no memory to check it";
	for (uint32_t i = 0; !why && i < n; i++)
		if (loads_unset_word(&p[i], stored[i]))
			why = "it loads a memory word that was not stored";
	free(stored);
	return why;
}

/* Returns why the kernel does not run the instruction as we do, or NULL.  x_is_computed: X can
 * hold more than an IPv4 header's length. */
static const char *explain_difference(
	const struct bpei_kernel *k, const struct bpe_insn *i, uint16_t stored, bool x_is_computed)
{
	if (!k->mod_xor && is_mod_or_xor(i))
		return "the kernel does not know MOD and XOR";
	if (i->code == INSN_LSH_X || i->code == INSN_RSH_X)
		return "kernels do not agree on shifts by a computed number";
	if (!k->words_zeroed && loads_unset_word(i, stored))
		return "it loads a memory word that was not stored";
	if (k->negative_means_else && x_is_computed && is_indexed_load(i))
		return "a computed offset may be negative";
	return NULL;
}

/* Returns true for a load past every packet's end. */
static bool loads_nowhere(const struct bpei_kernel *k, const struct bpe_insn *i)
{
	if (!bpei_insn_reads_packet(i))
		return false;
	return (k->offsets && i->k >= k->offsets) || (k->negative_means_else && i->k >> 31);
}

static bool computes_x(const struct bpe_insn *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i].code == INSN_TAX || p[i].code == INSN_LDX_MEM)
			return true;
	return false;
}

/* Makes a wider program well made again: the verdict becomes `keep` or 0, and jumps past the end
 * lead to the last instruction, which accepts. */
static void finish_wider_program(struct bpe_insn *p, uint32_t n, uint32_t keep)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t left =
			n - 1 - i - 1; /* a jump over `left` reaches the last instruction */

		if (p[i].code == INSN_RET_A || (p[i].code == INSN_RET_K && p[i].k))
			p[i] = (struct bpe_insn){ .code = INSN_RET_K, .k = keep };
		if (!bpei_insn_is_jump(&p[i]))
			continue;
		if (p[i].k > left && p[i].code == INSN_JA)
			p[i].k = left;
		if (p[i].jt > left)
			p[i].jt = (uint8_t)left;
		if (p[i].jf > left)
			p[i].jf = (uint8_t)left;
	}
}

int bpei_kernel_fit(const struct bpei_kernel *k, const struct bpe_insn *p, uint32_t n,
	uint32_t most, uint32_t keep, struct bpei_kernel_program *fit)
{
	const struct bpe_insn accept = { .code = INSN_RET_K, .k = keep };
	const struct bpe_insn reject = { .code = INSN_RET_K };
	uint32_t limit = most < k->most ? most : k->most;
	const char *why = n > limit ? "it is longer than the kernel takes" : NULL;

	limit = n < limit ? n : limit;
	uint16_t *stored = find_stored_words(p, n);
	struct bpe_insn *out = malloc(limit * sizeof *out);
	if (!stored || !out) {
		free(stored);
		free(out);
		return BPE_E_MEMORY;
	}
	const bool x_is_computed = computes_x(p, n);
	for (uint32_t i = 0; i < limit; i++) {
		const char *difference = explain_difference(k, &p[i], stored[i], x_is_computed);

		out[i] = difference ? accept : p[i];
		if (loads_nowhere(k, &p[i]))
			out[i] = reject;
		else if (difference && !why)
			why = difference;
	}
	if (n > limit)
		out[limit - 1] = accept;
	if (why)
		finish_wider_program(out, limit, keep);
	free(stored);
	*fit = (struct bpei_kernel_program){ out, limit, !why, why };
	return BPE_OK;
}

int bpei_filter_fit(const struct bpei_kernel *k, const struct bpei_filter *f, uint32_t most,
	uint32_t keep, struct bpei_kernel_program *fit)
{
	struct bpei_kernel_program wide;
	int status = bpei_kernel_fit(k, f->program, f->length, most, keep, fit);

	if (status < 0 || (fit->exact && !f->late) || !f->wide)
		return status;
	status = bpei_kernel_fit(k, f->wide, f->wide_length, most, keep, &wide);
	if (status < 0) {
		free(fit->program);
		return status;
	}
	/* The returns of the original may keep too few bytes to filter again. */
	for (uint32_t i = 0; i < wide.length; i++)
		if (wide.program[i].code == INSN_RET_K && wide.program[i].k)
			wide.program[i].k = keep;
	wide.exact = false;
	wide.why = fit->why;
	if (!wide.why)
		wide.why = "of some packets the process is known only when they are read";
	free(fit->program);
	*fit = wide;
	return status;
}
