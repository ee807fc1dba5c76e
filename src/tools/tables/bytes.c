/* SPDX-License-Identifier: MIT */
/* Bytes that grow (bytes.h). */
#include "tools/tables/bytes.h"

#include <stdlib.h>

#define ROOM_LEAST 256u

bool table_bytes_grow(struct table_bytes *b, size_t n)
{
	size_t room = b->room ? b->room : ROOM_LEAST;

	if (b->failed)
		return false;
	if (n <= b->room - b->used)
		return true;
	while (room - b->used < n && room <= SIZE_MAX / 2)
		room *= 2;
	uint8_t *at = room - b->used < n ? NULL : realloc(b->at, room);
	if (!at) {
		b->failed = true;
		return false;
	}
	b->at = at;
	b->room = room;
	return true;
}

void table_bytes_add(struct table_bytes *b, const void *from, size_t n)
{
	if (!n || !table_bytes_grow(b, n))
		return;
	memcpy(b->at + b->used, from, n);
	b->used += n;
}

void table_bytes_add_byte(struct table_bytes *b, uint8_t byte)
{
	if (table_bytes_grow(b, 1))
		b->at[b->used++] = byte;
}

void table_bytes_add_little(struct table_bytes *b, uint64_t number, size_t n)
{
	if (!table_bytes_grow(b, n))
		return;
	for (size_t k = 0; k < n; k++)
		b->at[b->used++] = (uint8_t)(number >> (8 * k));
}

void table_bytes_add_varint(struct table_bytes *b, uint64_t number)
{
	if (!table_bytes_grow(b, 10))
		return;
	for (; number > 127; number >>= 7)
		b->at[b->used++] = (uint8_t)(number | 128);
	b->at[b->used++] = (uint8_t)number;
}

void table_bytes_add_zigzag(struct table_bytes *b, int64_t number)
{
	const uint64_t sign = number < 0 ? UINT64_MAX : 0;

	table_bytes_add_varint(b, ((uint64_t)number << 1) ^ sign);
}

void table_bytes_empty(struct table_bytes *b)
{
	b->used = 0;
	b->failed = false;
}

void table_bytes_free(struct table_bytes *b)
{
	free(b->at);
	*b = (struct table_bytes){ 0 };
}
