/* SPDX-License-Identifier: MIT */
/* Names of a source's interfaces by number, at most 1,024.  A single thread adds names (the opener,
 * later the reader), any thread reads.  A name keeps the address until all names are freed. */
#ifndef BPEI_NAMES_H
#define BPEI_NAMES_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BPEI_NAMES 1024u
#define BPEI_NAME_BYTES 255u /* longer names are cut */

struct bpei_names {
	_Atomic uint32_t count; /* w: opener, reader  r: any */
	struct {
		uint32_t number;
		char *name;
	} of[BPEI_NAMES];
};

/* Adds the first n bytes of text as a name; a long name is cut. */
static inline void bpei_names_add(
	struct bpei_names *names, uint32_t number, const void *text, size_t n)
{
	uint32_t count = atomic_load_explicit(&names->count, memory_order_relaxed);
	if (count == BPEI_NAMES || !n)
		return;
	if (n > BPEI_NAME_BYTES)
		n = BPEI_NAME_BYTES;
	char *name = malloc(n + 1);
	if (!name)
		return; /* the interface stays nameless */
	memcpy(name, text, n);
	name[n] = 0;
	names->of[count].name = name;
	names->of[count].number = number;
	atomic_store_explicit(
		&names->count, count + 1, memory_order_release); /* pairs: bpei_names_find */
}

/* Returns the name of an interface, or "". */
static inline const char *bpei_names_find(const struct bpei_names *names, uint32_t number)
{
	uint32_t count = atomic_load_explicit(&((struct bpei_names *)(uintptr_t)names)->count,
		memory_order_acquire); /* pairs: bpei_names_add */
	if (number < BPEI_NAMES && number < count && names->of[number].number == number)
		return names->of[number].name;
	for (uint32_t i = 0; i < count; i++)
		if (names->of[i].number == number)
			return names->of[i].name;
	return "";
}

/* Frees all names, which no thread reads any more. */
static inline void bpei_names_free(struct bpei_names *names)
{
	for (uint32_t i = 0; i < atomic_load_explicit(&names->count, memory_order_relaxed); i++)
		free(names->of[i].name);
}

#endif
