/* SPDX-License-Identifier: MIT */
/* Bytes that grow.  A failure of memory is kept in `failed`: the caller looks once at the end. */
#ifndef TABLES_BYTES_H
#define TABLES_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct table_bytes {
	uint8_t *at;
	size_t used, room;
	bool failed; /* no memory: the bytes are not complete */
};

/* Makes room for n more bytes.  Returns false, and sets failed, without memory. */
bool table_bytes_grow(struct table_bytes *bytes, size_t n);
void table_bytes_add(struct table_bytes *bytes, const void *from, size_t n);
void table_bytes_add_byte(struct table_bytes *bytes, uint8_t byte);
/* Adds the n low bytes of a number, the lowest first. */
void table_bytes_add_little(struct table_bytes *bytes, uint64_t number, size_t n);
/* Adds a number in groups of 7 bits, the lowest first (ULEB128). */
void table_bytes_add_varint(struct table_bytes *bytes, uint64_t number);
/* Adds a signed number as a varint: 0, -1, 1, -2 become 0, 1, 2, 3. */
void table_bytes_add_zigzag(struct table_bytes *bytes, int64_t number);
/* Forgets the bytes and a failure; keeps the memory. */
void table_bytes_empty(struct table_bytes *bytes);
void table_bytes_free(struct table_bytes *bytes);

#endif
