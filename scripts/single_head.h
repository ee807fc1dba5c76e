/* SPDX-License-Identifier: MIT */
/* bpfengine_single.h: bpfengine @VERSION@, a packet capture engine, whole, in one file.  Made by
 * scripts/single_header.py.
 *
 * Include the header wherever you call the engine.  In one file, C11 or C++17, define
 * BPFENGINE_IMPLEMENTATION first.  There the header must come before all others, because the header
 * requests declarations that the system's headers show only then:
 *
 *	#define BPFENGINE_IMPLEMENTATION
 *	#include "bpfengine_single.h"
 *
 * Compile with -pthread.  Nothing else is needed: no library, no flags, no generated file.  GCC or
 * Clang; Linux, macOS, FreeBSD, NetBSD, OpenBSD.
 *
 * You may define before the include
 *	BPE_API			text in front of each bpe_ function.  By default the functions are
 *				hidden, so a shared library with the implementation does not export
 *				them.  To export, #define BPE_API
 *				__attribute__((visibility("default"))), the same in all files.
 *	BPFENGINE_SCALAR	no vector kernels.  By default arm64 has NEON.  x86-64 has every
 *				level, and the CPU's best is chosen at run time.  (The functions
 *				have target attributes, so your flags need not name a level.)
 *				bpe_build_info tells the choice.  The environment's
 *				BPFENGINE_ARCH (avx2, for instance) makes another choice.
 *
 * Names: without the implementation, the names of bpfengine.h, bpe_ and BPE_.  The file with the
 * implementation also has bpei_ and BPEI_, the included system headers, and the system's feature
 * macros (Linux: _GNU_SOURCE).
 *
 * The implementation is marked as a system header, so your warnings are about your own code.
 *
 * @LICENSE@
 */
#ifdef BPFENGINE_IMPLEMENTATION
#if defined(__GLIBC__) && !defined(__USE_GNU)
#error "bpfengine_single.h: with BPFENGINE_IMPLEMENTATION include it before any other header, or compile with -D_GNU_SOURCE"
#endif
@FEATURES@
#endif

