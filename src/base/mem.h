/* SPDX-License-Identifier: MIT */
/* Large memory straight from the system: zeroed, page-aligned, taken only as it is touched. */
#ifndef BPEI_MEM_H
#define BPEI_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Returns zeroed memory, or NULL.  Untouched pages cost nothing.  huge: asks for huge pages where
 * the system has some. */
void *bpei_mem_map(size_t bytes, int huge);
void bpei_mem_unmap(void *p, size_t bytes); /* NULL is allowed */

/* Frees memory of malloc that is read-only to others, as a copied text.  NULL is allowed. */
static inline void bpei_mem_free_const(const void *p)
{
	free((void *)(uintptr_t)p);
}

#endif
