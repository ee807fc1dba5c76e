/* SPDX-License-Identifier: MIT */
/* bpfengine_single.h: bpfengine @VERSION@, a packet capture engine, whole, in one file.  Made by
 * scripts/single_header.py.
 *
 * Include it wherever you call the engine.  In one file, C11 or C++17, define
 * BPFENGINE_IMPLEMENTATION before, and include it first there, as it asks the system's headers for
 * what they show only then:
 *
 *	#define BPFENGINE_IMPLEMENTATION
 *	#include "bpfengine_single.h"
 *
 * and compile with -pthread.  Nothing else is needed: no library, no flags, no generated file.  GCC
 * or Clang; Linux, macOS, FreeBSD, NetBSD, OpenBSD.
 *
 * You may define before
 *	BPE_API			what stands before each bpe_ function; else they are hidden, so that
 *				a shared library that you make of it does not export them: #define
 *				BPE_API __attribute__((visibility("default"))) to do so, the same
 *				wherever you include it
 *	BPFENGINE_SCALAR	no kernels for vectors.  Otherwise: arm64, NEON; x86-64, at run time
 *				the best of what the CPU has (functions with a target attribute:
 *				your flags need not name it).  bpe_build_info tells arch=best either
 *				way.
 *
 * Names: outside of the implementation those of bpfengine.h, bpe_ and BPE_.  In the file that has it
 * also bpei_ and BPEI_, the system's headers that it includes, and the system's feature macros
 * (Linux: _GNU_SOURCE).
 *
 * The implementation is marked as a system's header, so that your warnings are about your own code.
 *
 * @LICENSE@
 */
#ifdef BPFENGINE_IMPLEMENTATION
#if defined(__GLIBC__) && !defined(__USE_GNU)
#error "bpfengine_single.h: with BPFENGINE_IMPLEMENTATION include it before any other header, or compile with -D_GNU_SOURCE"
#endif
@FEATURES@
#endif

