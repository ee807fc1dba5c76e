/* SPDX-License-Identifier: MIT */
/* The built backends, slowest first.  arch/meson.build defines a macro for each one: the core knows
 * the backends that ship; tests and benches know all. */
#ifndef BPEI_ARCH_LIST_H
#define BPEI_ARCH_LIST_H

#include "arch/arch.h"

#ifdef BPEI_WITH_SSE42
#define BPEI_IF_SSE42(X) X(sse42)
#define BPEI_SSE42_NAME ",sse42"
#else
#define BPEI_IF_SSE42(X)
#define BPEI_SSE42_NAME ""
#endif
#ifdef BPEI_WITH_AVX2
#define BPEI_IF_AVX2(X) X(avx2)
#define BPEI_AVX2_NAME ",avx2"
#else
#define BPEI_IF_AVX2(X)
#define BPEI_AVX2_NAME ""
#endif
#ifdef BPEI_WITH_AVX512
#define BPEI_IF_AVX512(X) X(avx512)
#define BPEI_AVX512_NAME ",avx512"
#else
#define BPEI_IF_AVX512(X)
#define BPEI_AVX512_NAME ""
#endif
#ifdef BPEI_WITH_NEON
#define BPEI_IF_NEON(X) X(neon)
#define BPEI_NEON_NAME ",neon"
#else
#define BPEI_IF_NEON(X)
#define BPEI_NEON_NAME ""
#endif

/* Calls X(name) for each backend but scalar. */
#define BPEI_VECTOR_BACKENDS(X) BPEI_IF_SSE42(X) BPEI_IF_AVX2(X) BPEI_IF_AVX512(X) BPEI_IF_NEON(X)

/* All names in one string. */
#define BPEI_BACKEND_NAMES "scalar" BPEI_SSE42_NAME BPEI_AVX2_NAME BPEI_AVX512_NAME BPEI_NEON_NAME

#define BPEI_BACKEND(name)                                                                         \
	{ #name, bpei_parse_##name, bpei_walk_uniform_##name, bpei_probe_##name,                   \
		bpei_cpu_fits_##name },
/* Scalar, the reference, is the first. */
#define BPEI_EVERY_BACKEND BPEI_BACKEND(scalar) BPEI_VECTOR_BACKENDS(BPEI_BACKEND)
static const struct bpei_backend bpei_backends[] = { BPEI_EVERY_BACKEND };
#define BPEI_BACKENDS (sizeof bpei_backends / sizeof *bpei_backends)

/* Returns whether the backend has a probe of its own. */
static inline bool bpei_backend_has_probe(const struct bpei_backend *backend)
{
	return backend == bpei_backends || backend->probe != bpei_backends[0].probe;
}

#endif
