/* SPDX-License-Identifier: MIT */
/* A Parquet file from Arrow arrays (parquet.h): the file's frame, the schema, the footer.  The
 * format is parquet-format 2.9 (Apache); the numbers of fields are parquet.thrift's. */
#include "tools/tables/parquet.h"

#include "tools/tables/chunk.h"
#include "tools/tables/thrift.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAGIC "PAR1"
#define MAGIC_BYTES 4u

struct parquet_file {
	struct parquet_options o;
	uint32_t columns;
	struct column_type types[PARQUET_COLUMNS_MOST];
	uint64_t bytes; /* that are written and counted in groups */
	uint64_t rows;
	uint32_t groups;
	struct table_bytes pages;  /* of the group at hand */
	struct table_bytes meta;   /* of all groups, for the footer */
	struct table_bytes footer; /* at the end */
	struct chunk_room room;
	struct column column;
};

/* ---- Opening ---- */

/* Returns a number that no sender of data can foresee. */
static uint64_t make_seed(const void *place)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_nsec << 32 | (uint32_t)t.tv_sec) ^ (uint64_t)(uintptr_t)place;
}

/* Reads the types of the columns.  Returns 0, or an errno and why. */
static int read_columns(
	struct parquet_file *f, const struct ArrowSchema *schema, char *why, size_t room)
{
	if (strcmp(schema->format, "+s") != 0 || schema->n_children < 1 ||
		schema->n_children > PARQUET_COLUMNS_MOST) {
		snprintf(why, room, "the rows are no struct of 1 to %d columns",
			PARQUET_COLUMNS_MOST);
		return EINVAL;
	}
	f->columns = (uint32_t)schema->n_children;
	for (uint32_t k = 0; k < f->columns; k++) {
		const struct ArrowSchema *child = schema->children[k];

		if (column_type_read(&f->types[k], child))
			continue;
		snprintf(why, room, "column %.60s has type %.20s, which is not written",
			child->name ? child->name : "?", child->format);
		return EINVAL;
	}
	return 0;
}

int parquet_open(struct parquet_file **file, const struct parquet_options *options,
	const struct ArrowSchema *schema, char *why, size_t room)
{
	struct parquet_file *f = calloc(1, sizeof *f);
	int failed = ENOMEM;

	snprintf(why, room, "no memory");
	if (!f)
		return ENOMEM;
	f->o = *options;
	if (column_begin(&f->column, make_seed(f)))
		failed = read_columns(f, schema, why, room);
	if (!failed && !f->o.is_plain)
		f->room.packer = page_packer_open();
	if (!failed)
		failed = f->o.write(f->o.user, MAGIC, MAGIC_BYTES);
	if (failed) {
		if (failed != ENOMEM && failed != EINVAL)
			snprintf(why, room, "%s", strerror(failed));
		parquet_close(f);
		return failed;
	}
	f->bytes = MAGIC_BYTES;
	*file = f;
	return 0;
}

/* ---- Groups ---- */

/* Returns whether the array is of the schema, and begins at offset 0. */
static bool is_array_fit(const struct parquet_file *f, const struct ArrowArray *array)
{
	if (array->n_children != f->columns || array->offset || array->null_count > 0)
		return false;
	for (uint32_t k = 0; k < f->columns; k++) {
		const struct ArrowArray *child = array->children[k];

		if (child->length != array->length || child->offset || child->null_count < 0 ||
			child->null_count > child->length)
			return false;
		if (child->null_count && (!f->types[k].may_null || !child->buffers[0]))
			return false;
	}
	return true;
}

/* Adds the metadata of a group, an element of the footer's list. */
static void write_group_meta(
	struct parquet_file *f, const struct ArrowArray *array, uint64_t *unpacked, bool *is_whole)
{
	struct thrift_writer w;

	thrift_begin(&w, &f->meta);
	thrift_list(&w, 1, THRIFT_STRUCT, f->columns);
	*is_whole = true;
	for (uint32_t k = 0; k < f->columns && *is_whole; k++) {
		*is_whole = column_encode(&f->column, &f->types[k], array->children[k]);
		if (*is_whole)
			chunk_add(&f->room, &f->column, f->bytes, &f->pages, &w, unpacked);
	}
	thrift_i64(&w, 2, (int64_t)*unpacked);
	thrift_i64(&w, 3, array->length);
	thrift_i64(&w, 5, (int64_t)f->bytes);
	thrift_i64(&w, 6, (int64_t)f->pages.used);
	thrift_end(&w);
}

int parquet_group(struct parquet_file *f, const struct ArrowArray *array)
{
	const size_t before = f->meta.used;
	uint64_t unpacked = 0;
	bool is_whole;
	int failed;

	if (!is_array_fit(f, array))
		return EINVAL;
	if (!array->length)
		return 0;
	if (f->groups == PARQUET_GROUPS_MOST)
		return EFBIG;
	table_bytes_empty(&f->pages);
	write_group_meta(f, array, &unpacked, &is_whole);
	failed = is_whole && !f->pages.failed && !f->meta.failed ? 0 : ENOMEM;
	if (!failed)
		failed = f->o.write(f->o.user, f->pages.at, f->pages.used);
	if (failed) {
		f->meta.used = before;
		f->meta.failed = false;
		return failed;
	}
	f->bytes += f->pages.used;
	f->rows += (uint64_t)array->length;
	f->groups++;
	return 0;
}

uint64_t parquet_bytes(const struct parquet_file *f)
{
	return f->bytes;
}

uint64_t parquet_rows(const struct parquet_file *f)
{
	return f->rows;
}

uint32_t parquet_groups(const struct parquet_file *f)
{
	return f->groups;
}

/* ---- The footer ---- */

/* Writes what a column's numbers or bytes mean, by the old and the new words of the format. */
static void write_logical_type(struct thrift_writer *w, const struct column_type *t)
{
	if (t->type == PARQUET_BYTES) {
		thrift_i32(w, 6, 0); /* UTF8 */
		thrift_struct(w, 10);
		thrift_struct(w, 1); /* STRING */
		thrift_end(w);
		thrift_end(w);
	} else if (t->format == 't') {
		thrift_struct(w, 10);
		thrift_struct(w, 8); /* TIMESTAMP */
		thrift_bool(w, 1, true);
		thrift_struct(w, 2);
		thrift_struct(w, 3); /* NANOS */
		thrift_end(w);
		thrift_end(w);
		thrift_end(w);
		thrift_end(w);
	} else if (t->bits) {
		int shift = 0;

		while (8 << shift < t->bits)
			shift++;
		thrift_i32(w, 6, (t->is_signed ? 15 : 11) + shift); /* UINT_8 is 11, INT_8 is 15 */
		thrift_struct(w, 10);
		thrift_struct(w, 10); /* INTEGER */
		thrift_byte(w, 1, (int8_t)t->bits);
		thrift_bool(w, 2, t->is_signed);
		thrift_end(w);
		thrift_end(w);
	}
}

static void write_schema(struct thrift_writer *w, const struct parquet_file *f)
{
	thrift_list(w, 2, THRIFT_STRUCT, f->columns + 1);
	thrift_element_struct(w);
	thrift_text(w, 4, "schema");
	thrift_i32(w, 5, (int32_t)f->columns);
	thrift_end(w);
	for (uint32_t k = 0; k < f->columns; k++) {
		const struct column_type *t = &f->types[k];

		thrift_element_struct(w);
		thrift_i32(w, 1, t->type);
		thrift_i32(w, 3, t->may_null); /* REQUIRED, OPTIONAL */
		thrift_text(w, 4, t->name);
		write_logical_type(w, t);
		thrift_end(w);
	}
}

static void write_footer(struct parquet_file *f)
{
	char program[80];
	struct thrift_writer w;

	snprintf(program, sizeof program, "bpfengine version %s", bpe_version());
	thrift_begin(&w, &f->footer);
	thrift_i32(&w, 1, 2); /* version of the format */
	write_schema(&w, f);
	thrift_i64(&w, 3, (int64_t)f->rows);
	thrift_list(&w, 4, THRIFT_STRUCT, f->groups);
	table_bytes_add(&f->footer, f->meta.at, f->meta.used);
	thrift_text(&w, 6, program);
	thrift_list(&w, 7, THRIFT_STRUCT, f->columns);
	for (uint32_t k = 0; k < f->columns; k++) {
		thrift_element_struct(&w);
		thrift_struct(&w, 1); /* the order of the statistics is the type's */
		thrift_end(&w);
		thrift_end(&w);
	}
	thrift_end(&w);
}

int parquet_finish(struct parquet_file *f)
{
	table_bytes_empty(&f->footer);
	write_footer(f);
	const size_t n = f->footer.used;
	table_bytes_add_little(&f->footer, n, 4);
	table_bytes_add(&f->footer, MAGIC, MAGIC_BYTES);
	if (f->footer.failed || n > INT32_MAX)
		return ENOMEM;
	return f->o.write(f->o.user, f->footer.at, f->footer.used);
}

void parquet_close(struct parquet_file *f)
{
	if (!f)
		return;
	table_bytes_free(&f->pages);
	table_bytes_free(&f->meta);
	table_bytes_free(&f->footer);
	chunk_room_free(&f->room);
	column_free(&f->column);
	free(f);
}
