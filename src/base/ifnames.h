/* SPDX-License-Identifier: MIT */
/* The names of a source's interfaces by their numbers, the first 1,024 that have one.  One thread
 * adds (the one that opens, then the reader), any looks. A name stays where it is until all are
 * freed. */
#ifndef BPEI_NAMES_H
#define BPEI_NAMES_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BPEI_NAMES 1024u
#define BPEI_NAME_BYTES 255u /* the longest name that is kept whole */

struct bpei_names {
	_Atomic uint32_t count; /* w: opener, reader  r: any */
	struct {
		uint32_t number;
		char *name;
	} of[BPEI_NAMES];
};

/* The first n bytes of text, up to a 0; what is too long is cut. */
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
		return; /* an interface without a name */
	memcpy(name, text, n);
	name[n] = 0;
	names->of[count].name = name;
	names->of[count].number = number;
	atomic_store_explicit(
		&names->count, count + 1, memory_order_release); /* pairs: bpei_names_find */
}

/* "" if there is none. */
static inline const char *bpei_names_find(const struct bpei_names *names, uint32_t number)
{
	uint32_t count = atomic_load_explicit(&((struct bpei_names *)(uintptr_t)names)->count,
		memory_order_acquire); /* pairs: bpei_names_add */
	if (number < count && names->of[number].number == number)
		return names->of[number].name;
	for (uint32_t i = 0; i < count; i++)
		if (names->of[i].number == number)
			return names->of[i].name;
	return "";
}

/* Nobody looks any more. */
static inline void bpei_names_free(struct bpei_names *names)
{
	for (uint32_t i = 0; i < atomic_load_explicit(&names->count, memory_order_relaxed); i++)
		free(names->of[i].name);
}

#endif
