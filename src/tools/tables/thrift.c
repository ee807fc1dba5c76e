/* SPDX-License-Identifier: MIT */
/* Thrift's compact protocol (thrift.h); the specification is thrift-compact-protocol.md of Apache
 * Thrift.  State: the caller's. */
#include "tools/tables/thrift.h"

void thrift_begin(struct thrift_writer *w, struct table_bytes *out)
{
	*w = (struct thrift_writer){ .out = out };
}

void thrift_end(struct thrift_writer *w)
{
	table_bytes_add_byte(w->out, 0);
	if (w->depth)
		w->depth--;
}

/* Writes the head of a field: the step from the last id, or the id itself. */
static void write_field_head(struct thrift_writer *w, int16_t id, int type)
{
	const int step = id - w->last[w->depth];

	if (step > 0 && step < 16) {
		table_bytes_add_byte(w->out, (uint8_t)(step << 4 | type));
	} else {
		table_bytes_add_byte(w->out, (uint8_t)type);
		table_bytes_add_zigzag(w->out, id);
	}
	w->last[w->depth] = id;
}

/* Enters a structure.  A depth that cannot be kept fails as memory does. */
static void enter_struct(struct thrift_writer *w)
{
	if (w->depth + 1 >= THRIFT_DEEP) {
		w->out->failed = true;
		return;
	}
	w->last[++w->depth] = 0;
}

static void write_binary(struct thrift_writer *w, const void *bytes, size_t n)
{
	table_bytes_add_varint(w->out, n);
	table_bytes_add(w->out, bytes, n);
}

void thrift_bool(struct thrift_writer *w, int16_t id, bool value)
{
	write_field_head(w, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_byte(struct thrift_writer *w, int16_t id, int8_t value)
{
	write_field_head(w, id, THRIFT_BYTE);
	table_bytes_add_byte(w->out, (uint8_t)value);
}

void thrift_i32(struct thrift_writer *w, int16_t id, int32_t value)
{
	write_field_head(w, id, THRIFT_I32);
	table_bytes_add_zigzag(w->out, value);
}

void thrift_i64(struct thrift_writer *w, int16_t id, int64_t value)
{
	write_field_head(w, id, THRIFT_I64);
	table_bytes_add_zigzag(w->out, value);
}

void thrift_binary(struct thrift_writer *w, int16_t id, const void *bytes, size_t n)
{
	write_field_head(w, id, THRIFT_BINARY);
	write_binary(w, bytes, n);
}

void thrift_text(struct thrift_writer *w, int16_t id, const char *text)
{
	thrift_binary(w, id, text, strlen(text));
}

void thrift_struct(struct thrift_writer *w, int16_t id)
{
	write_field_head(w, id, THRIFT_STRUCT);
	enter_struct(w);
}

void thrift_list(struct thrift_writer *w, int16_t id, int type, size_t count)
{
	write_field_head(w, id, THRIFT_LIST);
	if (count < 15) {
		table_bytes_add_byte(w->out, (uint8_t)(count << 4 | (unsigned)type));
		return;
	}
	table_bytes_add_byte(w->out, (uint8_t)(0xf0 | type));
	table_bytes_add_varint(w->out, count);
}

void thrift_element_struct(struct thrift_writer *w)
{
	enter_struct(w);
}

void thrift_element_i32(struct thrift_writer *w, int32_t value)
{
	table_bytes_add_zigzag(w->out, value);
}

void thrift_element_text(struct thrift_writer *w, const char *text)
{
	write_binary(w, text, strlen(text));
}
