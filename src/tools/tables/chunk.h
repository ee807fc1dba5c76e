/* SPDX-License-Identifier: MIT */
/* A column chunk of a Parquet file: the pages of an encoded column, and the chunk's metadata. */
#ifndef TABLES_CHUNK_H
#define TABLES_CHUNK_H

#include "tools/tables/column.h"
#include "tools/tables/parquet.h"
#include "tools/tables/thrift.h"

/* What the making of pages needs.  One for all columns of a file in turn. */
struct chunk_room {
	struct page_packer *packer; /* NULL: pages are not compressed */
	struct table_bytes head, page, packed[2];
};

/* Adds the pages of a column to a group's bytes, and the chunk's metadata to the group's.  at: of
 * the group's first byte in the file.  *unpacked grows by the bytes without compression.  A failure
 * of memory is in `pages`. */
void chunk_add(struct chunk_room *room, const struct column *column, uint64_t at,
	struct table_bytes *pages, struct thrift_writer *meta, uint64_t *unpacked);
void chunk_room_free(struct chunk_room *room);

#endif
