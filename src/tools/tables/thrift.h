/* SPDX-License-Identifier: MIT */
/* Structures of Thrift's compact protocol, as Parquet's page headers and footers are written.
 * Fields of a structure are written in the order of their ids. */
#ifndef TABLES_THRIFT_H
#define TABLES_THRIFT_H

#include "tools/tables/bytes.h"

#define THRIFT_DEEP 8

/* Types of fields and of elements. */
enum {
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_BYTE = 3,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_STRUCT = 12
};

struct thrift_writer {
	struct table_bytes *out;
	uint32_t depth;
	int16_t last[THRIFT_DEEP]; /* id of the last field, by depth */
};

/* Begins the outermost structure. */
void thrift_begin(struct thrift_writer *writer, struct table_bytes *out);
/* Ends a structure: of a field, of a list's element, or the outermost. */
void thrift_end(struct thrift_writer *writer);
void thrift_bool(struct thrift_writer *writer, int16_t id, bool value);
void thrift_byte(struct thrift_writer *writer, int16_t id, int8_t value);
void thrift_i32(struct thrift_writer *writer, int16_t id, int32_t value);
void thrift_i64(struct thrift_writer *writer, int16_t id, int64_t value);
void thrift_binary(struct thrift_writer *writer, int16_t id, const void *bytes, size_t n);
void thrift_text(struct thrift_writer *writer, int16_t id, const char *text);
/* Begins a field that is a structure; thrift_end ends the structure. */
void thrift_struct(struct thrift_writer *writer, int16_t id);
/* Begins a field that is a list; exactly count elements of the type follow. */
void thrift_list(struct thrift_writer *writer, int16_t id, int type, size_t count);
/* Begin or add an element of a list. */
void thrift_element_struct(struct thrift_writer *writer);
void thrift_element_i32(struct thrift_writer *writer, int32_t value);
void thrift_element_text(struct thrift_writer *writer, const char *text);

#endif
