/* SPDX-License-Identifier: MIT */
/* How each system's kernel treats a program, as data, and the program to give to the kernel.  That
 * is the same program, or a wider program where the kernel refuses the original or runs it
 * differently.  A wider program accepts at least the same packets; they are filtered again here.
 * Pure.
 * Sources: bpf_validate and bpf_filter in each system's sys/net/bpf_filter.c (xnu-11417, FreeBSD
 * 14, NetBSD 10, OpenBSD 7.7); bpf_check_classic and bpf_convert_filter in Linux's
 * net/core/filter.c. */
#ifndef BPEI_FILTER_KERNEL_H
#define BPEI_FILTER_KERNEL_H

#include "filter/filter.h"

struct bpei_kernel {
	const char *name, *title;
	uint32_t most;    /* instructions that the kernel accepts */
	uint32_t given;   /* instructions that our devices give at most: Linux's programs grow when
			     rewritten (device/afpacket_filter.c) */
	uint32_t offsets; /* loads at constant offsets from here on are refused; 0: none are */
	uint32_t family6; /* the system's AF_INET6, which DLT_NULL and DLT_LOOP show */
	bool mod_xor;     /* the kernel knows MOD and XOR */
	bool words_checked;       /* loads of a memory word not stored on every path are refused */
	bool words_zeroed;        /* a memory word that was not stored is 0 */
	bool negative_means_else; /* offsets from 2^31 on are no place in the packet, but something
				     that the kernel knows of the packet */
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
const struct bpei_kernel *bpei_kernel_find(const char *name); /* NULL: none of this name */
/* As bpei_kernel_find; stores an error (BPE_E_ARGUMENT) if there is no kernel of this name. */
const struct bpei_kernel *bpei_kernel_find_or_fail(const char *name, struct bpe_error *error);

/* Returns why the kernel refuses the program, or NULL if the kernel accepts it.  The program may
 * be any. */
const char *bpei_kernel_check(
	const struct bpei_kernel *kernel, const struct bpe_insn *program, uint32_t length);

struct bpei_kernel_program {
	struct bpe_insn *program; /* the caller frees it */
	uint32_t length;
	bool exact;      /* the verdict is the original's; otherwise it is `keep` or 0, and the
			    program is wider */
	const char *why; /* what prevented an exact program; NULL */
};

/* Makes a program for the kernel from a program in which bpei_filter_check finds no fault.  The
 * result has at most `most` instructions, and at most the kernel's limit.  keep: bytes to keep of
 * a packet that a wider program accepts.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_kernel_fit(const struct bpei_kernel *kernel, const struct bpe_insn *program,
	uint32_t length, uint32_t most, uint32_t keep, struct bpei_kernel_program *fit);

/* An expression's program.  `wide` is a wider program for the kernel, or NULL and 0.  Made if
 * the exact program is too long, or if the verdict is not final in the kernel.  The caller frees
 * both.
 */
struct bpei_filter {
	struct bpe_insn *program, *wide;
	uint32_t length, wide_length;
	bool late; /* the verdict can change between the kernel's filter and the read; `wide`
		      allows for the change */
};

/* Makes the program for the kernel with bpei_kernel_fit: from filter->program, or from
 * filter->wide if the program does not fit. */
int bpei_filter_fit(const struct bpei_kernel *kernel, const struct bpei_filter *filter,
	uint32_t most, uint32_t keep, struct bpei_kernel_program *fit);

/* Copies a caller's options, with the defaults for members that the caller does not have.  Returns
 * the errors of bpei_sized_take. */
int bpei_filter_options_take(struct bpe_filter_options *copy,
	const struct bpe_filter_options *given, struct bpe_error *error);

/* Compiles as bpe_filter_compile_with, for a kernel (NULL: any), in at most `most` instructions. */
int bpei_compile_for(const char *expression, const struct bpe_filter_options *options,
	const struct bpei_kernel *kernel, uint32_t most, struct bpei_filter *filter,
	struct bpe_error *error);

#endif
