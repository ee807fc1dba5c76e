/* SPDX-License-Identifier: MIT */
/* Every backend that was built, for tests and benches.  arch/meson.build defines a macro for each.
 */
#ifndef BPEI_ARCH_LIST_H
#define BPEI_ARCH_LIST_H

#include "arch/arch.h"

struct bpei_backend {
	const char *name;
	void (*parse)(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
		const struct bpei_seed *seed);
	uint32_t (*walk_uniform)(
		const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run);
	/* scalar's, where the backend has no probe of its own */
	void (*probe)(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
		uint32_t n, uint32_t *entry);
	int (*cpu_fits)(void);
};

#define BPEI_BACKEND(arch)                                                                         \
	{ #arch, bpei_parse_##arch, bpei_walk_uniform_##arch, bpei_probe_##arch,                   \
		bpei_cpu_fits_##arch }
static const struct bpei_backend bpei_backends[] = {
	BPEI_BACKEND(scalar), /* the reference comes first */
#ifdef BPEI_WITH_SSE42
	BPEI_BACKEND(sse42),
#endif
#ifdef BPEI_WITH_AVX2
	BPEI_BACKEND(avx2),
#endif
#ifdef BPEI_WITH_AVX512
	BPEI_BACKEND(avx512),
#endif
#ifdef BPEI_WITH_NEON
	BPEI_BACKEND(neon),
#endif
};
#define BPEI_BACKENDS (sizeof bpei_backends / sizeof *bpei_backends)

/* Returns whether the backend has a probe of its own. */
static inline bool bpei_backend_has_probe(const struct bpei_backend *backend)
{
	return backend == bpei_backends || backend->probe != bpei_backends[0].probe;
}

#endif
