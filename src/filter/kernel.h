/* SPDX-License-Identifier: MIT */
/* What each system's kernel does with a program, as data, and the program that it can be given: the
 * same one, or where the kernel refuses that or runs it otherwise, a wider one, which lets through
 * all that the program does and more.  What a wider one lets through is filtered again here.  Pure.
 * Sources: bpf_validate and bpf_filter in each system's sys/net/bpf_filter.c (xnu-11417, FreeBSD
 * 14, NetBSD 10, OpenBSD 7.7); bpf_check_classic and bpf_convert_filter in Linux's
 * net/core/filter.c. */
#ifndef BPEI_FILTER_KERNEL_H
#define BPEI_FILTER_KERNEL_H

#include "filter/filter.h"

struct bpei_kernel {
	const char *name, *title;
	uint32_t most;      /* instructions */
	uint32_t given;     /* by our devices: Linux's programs grow when they are moved
			       (device/afpacket_filter.c) */
	uint32_t offsets;   /* constant offsets of loads lie below it, or the program is refused; 0:
			       any */
	uint32_t family6;   /* its AF_INET6, which DLT_NULL and DLT_LOOP show */
	bool mod_xor;       /* knows MOD and XOR */
	bool words_checked; /* refuses loads of a memory word that was not stored on every way there
			     */
	bool words_zeroed;  /* such a word is 0 */
	bool negative_means_else; /* offsets from 2^31 on are no place in the packet, but something
				     that the kernel knows of it */
};

enum {
	BPEI_KERNEL_MACOS,
	BPEI_KERNEL_FREEBSD,
	BPEI_KERNEL_NETBSD,
	BPEI_KERNEL_OPENBSD,
	BPEI_KERNEL_LINUX,
	BPEI_KERNELS
}; /* BSDs as enum bpei_bpf_system */
extern const struct bpei_kernel bpei_kernels[BPEI_KERNELS];
const struct bpei_kernel *bpei_kernel_find(const char *name); /* NULL: none of that name */

/* Why that kernel refuses the program; NULL: it does not.  The program may be any. */
const char *bpei_kernel_check(
	const struct bpei_kernel *kernel, const struct bpe_insn *program, uint32_t length);

struct bpei_kernel_program {
	struct bpe_insn *program; /* for free */
	uint32_t length;
	bool exact; /* its verdict is the program's; else it is wider, and its verdict is `keep` or
		       0 */
	const char *why; /* what stood in the way of an exact one; NULL */
};

/* Of a program that bpei_filter_check finds no fault with; at most `most` instructions, and the
 * kernel's own limit.  BPE_OK or BPE_E_MEMORY. */
int bpei_kernel_fit(const struct bpei_kernel *kernel, const struct bpe_insn *program,
	uint32_t length, uint32_t most, uint32_t keep, struct bpei_kernel_program *fit);

/* An expression's program, and, where that is longer than was asked for or comes too early in the
 * kernel, what a kernel can be given instead (else NULL, 0).  Both for free. */
struct bpei_filter {
	struct bpe_insn *program, *wide;
	uint32_t length, wide_length;
	bool late; /* the verdict may change between the kernel's look and the read: the wide one
		      allows for that */
};

/* What that kernel can be given of a filter: bpei_kernel_fit of its program, or of its wide one if
 * the program does not fit. */
int bpei_filter_fit(const struct bpei_kernel *kernel, const struct bpei_filter *filter,
	uint32_t most, uint32_t keep, struct bpei_kernel_program *fit);

/* bpe_filter_compile_with for a kernel (NULL: any), in at most `most` instructions. */
int bpei_compile_for(const char *expression, const struct bpe_filter_options *options,
	const struct bpei_kernel *kernel, uint32_t most, struct bpei_filter *filter,
	struct bpe_error *error);

#endif
