/* SPDX-License-Identifier: MIT */
/* A bounded reader of bytes.  Every take checks the bounds first.  A failed take sets `bad`, and
 * all later takes return zeros. */
#ifndef BPEI_CURSOR_H
#define BPEI_CURSOR_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct bpei_cursor {
	const uint8_t *next, *end;
	bool bad;
};

static inline struct bpei_cursor bpei_cursor_init(const void *p, size_t length)
{
	return (struct bpei_cursor){ (const uint8_t *)p, (const uint8_t *)p + length, false };
}

static inline size_t bpei_cursor_left(const struct bpei_cursor *c)
{
	return (size_t)(c->end - c->next);
}

/* Returns the next n bytes, or NULL (and sets bad) if fewer are left. */
static inline const uint8_t *bpei_cursor_take(struct bpei_cursor *c, size_t n)
{
	const uint8_t *p = c->next;
	if (c->bad || bpei_cursor_left(c) < n) {
		c->bad = true;
		return NULL;
	}
	c->next += n;
	return p;
}

/* Returns the next byte; 0 if there is none. */
static inline uint8_t bpei_cursor_u8(struct bpei_cursor *c)
{
	const uint8_t *p = bpei_cursor_take(c, 1);
	return p ? *p : 0;
}

/* Returns the next number, big-endian or little-endian; 0 if there are fewer bytes. */
static inline uint16_t bpei_cursor_u16(struct bpei_cursor *c, bool big)
{
	const uint8_t *p = bpei_cursor_take(c, 2);
	if (!p)
		return 0;
	return big ? bpei_be16(p) : bpei_le16(p);
}

static inline uint32_t bpei_cursor_u32(struct bpei_cursor *c, bool big)
{
	const uint8_t *p = bpei_cursor_take(c, 4);
	if (!p)
		return 0;
	return big ? bpei_be32(p) : bpei_le32(p);
}

static inline uint64_t bpei_cursor_u64(struct bpei_cursor *c, bool big)
{
	const uint8_t *p = bpei_cursor_take(c, 8);
	if (!p)
		return 0;
	return big ? bpei_be64(p) : bpei_le64(p);
}

#endif
