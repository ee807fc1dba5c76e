/* SPDX-License-Identifier: MIT */
/* Large memory straight from the system; stateless. */
#include "base/mem.h"

#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

void *bpei_mem_map(size_t bytes, int huge)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
#ifdef MADV_HUGEPAGE
	if (huge)
		madvise(p, bytes, MADV_HUGEPAGE);
#else
	(void)huge;
#endif
	return p;
}

void bpei_mem_unmap(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}
