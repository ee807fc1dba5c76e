/* SPDX-License-Identifier: MIT */
/* A Parquet file from Arrow arrays: row groups, and the footer at the end.  A file is readable once
 * its footer is written.  Pages are compressed by zstd where the build has libzstd. */
#ifndef TABLES_PARQUET_H
#define TABLES_PARQUET_H

#include "bpfengine.h"

#include <stdbool.h>
#include <stddef.h>

#define PARQUET_COLUMNS_MOST 256
#define PARQUET_GROUPS_MOST 32767 /* of a file: the format counts them in 16 bits */

struct parquet_file;

struct parquet_options {
	/* Takes the next bytes of the file.  Returns 0, or an errno: the file is not complete. */
	int (*write)(void *user, const void *bytes, size_t n);
	void *user;
	bool is_plain; /* pages are not compressed */
};

/* Begins a file: columns of the schema, a struct, which is not kept.  Returns 0, or an errno with
 * the reason in why. */
int parquet_open(struct parquet_file **file, const struct parquet_options *options,
	const struct ArrowSchema *schema, char *why, size_t room);
/* Writes the rows of an array of the schema as a row group.  No rows: no group.  Returns 0 or an
 * errno; after an errno the caller cuts the file back to parquet_bytes, and may go on. */
int parquet_group(struct parquet_file *file, const struct ArrowArray *array);
/* Returns the bytes that the file has so far, without the footer. */
uint64_t parquet_bytes(const struct parquet_file *file);
uint64_t parquet_rows(const struct parquet_file *file);
uint32_t parquet_groups(const struct parquet_file *file);
/* Writes the footer: the file is complete.  Returns 0 or an errno; after an errno the file may be
 * cut back to parquet_bytes, and finished again. */
int parquet_finish(struct parquet_file *file);
void parquet_close(struct parquet_file *file); /* NULL is allowed */

/* ---- Packing of pages (pack.c) ---- */

struct page_packer;

/* Makes a packer.  NULL: the build has no libzstd, or no memory. */
struct page_packer *page_packer_open(void);
/* Returns the room that packing n bytes needs. */
size_t page_packer_bound(size_t n);
/* Returns the packed bytes, or 0 on a failure. */
size_t page_packer_pack(
	struct page_packer *packer, const void *from, size_t n, void *to, size_t room);
void page_packer_close(struct page_packer *packer);

#endif
