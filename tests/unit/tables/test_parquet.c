/* SPDX-License-Identifier: MIT */
/* Writes files of no row, one row and ten groups, and reads their frame and footer; refuses arrays
 * of another schema; goes on after a failed write.  tests/export/tables.py has the readers that
 * people use. */
#include "tools/tables/parquet.h"

#include "parquet_read.h"

#include <errno.h>

#define ROOM 4000000u

static uint8_t bytes[ROOM];
static size_t used;
static int failing; /* the errno of the next write; 0: none */

static int take_bytes(void *user, const void *from, size_t n)
{
	(void)user;
	if (failing)
		return failing;
	cr_assert_leq(n, ROOM - used);
	memcpy(bytes + used, from, n);
	used += n;
	return 0;
}

static const struct parquet_options options = { .write = take_bytes };
static char why[200];

/* Two columns: numbers and texts. */
static struct ArrowSchema number = { .format = "L", .name = "n" };
static struct ArrowSchema text = { .format = "u", .name = "t", .flags = ARROW_FLAG_NULLABLE };
static struct ArrowSchema *children[2] = { &number, &text };
static struct ArrowSchema schema = { .format = "+s", .n_children = 2, .children = children };

static const uint64_t numbers[3] = { 7, 8, 9 };
static const uint8_t validity[1] = { 5 };
static const int32_t offsets[4] = { 0, 1, 1, 3 };
static const void *number_buffers[2] = { NULL, numbers };
static const void *text_buffers[3] = { validity, offsets, "abc" };
static struct ArrowArray number_array = { .length = 3, .n_buffers = 2, .buffers = number_buffers };
static struct ArrowArray text_array = {
	.length = 3, .null_count = 1, .n_buffers = 3, .buffers = text_buffers
};
static struct ArrowArray *arrays[2] = { &number_array, &text_array };
static struct ArrowArray rows = { .length = 3, .n_children = 2, .children = arrays };

static struct parquet_file *open_file(void)
{
	struct parquet_file *file = NULL;

	used = 0;
	failing = 0;
	cr_assert_eq(parquet_open(&file, &options, &schema, why, sizeof why), 0, "%s", why);
	return file;
}

/* Passes over a value of Thrift's compact protocol. */
static void skip_value(struct reading *r, unsigned type)
{
	unsigned head;

	switch (type) {
	case 1:
	case 2:
		return;
	case 3:
		read_byte(r);
		return;
	case 5:
	case 6:
		read_varint(r);
		return;
	case 8:
		r->at += read_varint(r);
		return;
	case 9:
		head = read_byte(r);
		for (uint64_t n = head >> 4 == 15 ? read_varint(r) : head >> 4; n; n--)
			skip_value(r, head & 15);
		return;
	default:
		cr_assert_eq(type, 12);
		while ((head = read_byte(r)) != 0) {
			if (!(head >> 4))
				read_varint(r);
			skip_value(r, head & 15);
		}
	}
}

/* Reads the footer, and compares the numbers of rows and groups. */
static void check_footer(uint64_t row_count, uint64_t groups)
{
	cr_assert(!memcmp(bytes, "PAR1", 4));
	cr_assert(!memcmp(bytes + used - 4, "PAR1", 4));
	const uint8_t *tail = bytes + used - 8;
	const size_t n = tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16;
	struct reading r = { tail - n, tail };
	unsigned head, id = 0, seen = 0;

	while ((head = read_byte(&r)) != 0) {
		id = head >> 4 ? id + (head >> 4) : (unsigned)read_zigzag(&r);
		if (id == 3) {
			cr_assert_eq(read_zigzag(&r), (int64_t)row_count);
			seen++;
			continue;
		}
		if (id == 4) {
			const uint8_t list = *r.at;
			struct reading size = { r.at + 1, r.end };

			cr_assert_eq(list >> 4 == 15 ? read_varint(&size) : list >> 4, groups);
			seen++;
		}
		skip_value(&r, head & 15);
	}
	cr_assert(r.at == r.end, "the footer ends early");
	cr_assert_eq(seen, 2);
}

Test(parquet, no_row)
{
	struct parquet_file *file = open_file();

	rows.length = number_array.length = text_array.length = 0;
	text_array.null_count = 0;
	cr_assert_eq(parquet_group(file, &rows), 0);
	cr_assert_eq(parquet_finish(file), 0);
	check_footer(0, 0);
	parquet_close(file);
}

Test(parquet, one_row)
{
	struct parquet_file *file = open_file();

	rows.length = number_array.length = text_array.length = 1;
	text_array.null_count = 0;
	cr_assert_eq(parquet_group(file, &rows), 0);
	cr_assert_eq(parquet_rows(file), 1);
	cr_assert_eq(parquet_bytes(file), used);
	cr_assert_eq(parquet_finish(file), 0);
	check_footer(1, 1);
	parquet_close(file);
}

Test(parquet, groups)
{
	for (unsigned groups = 10; groups < 40; groups += 29) {
		struct parquet_file *file = open_file();

		for (unsigned k = 0; k < groups; k++)
			cr_assert_eq(parquet_group(file, &rows), 0);
		cr_assert_eq(parquet_groups(file), groups);
		cr_assert_eq(parquet_finish(file), 0);
		check_footer(groups * 3, groups);
		parquet_close(file);
	}
}

Test(parquet, a_failed_write_leaves_the_file)
{
	struct parquet_file *file = open_file();

	cr_assert_eq(parquet_group(file, &rows), 0);
	failing = ENOSPC;
	cr_assert_eq(parquet_group(file, &rows), ENOSPC);
	cr_assert_eq(parquet_finish(file), ENOSPC);
	cr_assert_eq(parquet_bytes(file), used);
	failing = 0;
	cr_assert_eq(parquet_group(file, &rows), 0);
	cr_assert_eq(parquet_finish(file), 0);
	check_footer(6, 2);
	parquet_close(file);
}

Test(parquet, refused)
{
	struct parquet_file *file = open_file();
	struct ArrowSchema *const before = children[1];
	struct ArrowSchema wrong = { .format = "g", .name = "f" };
	struct parquet_file *other = NULL;

	text_array.length = 2;
	cr_assert_eq(parquet_group(file, &rows), EINVAL, "columns of different lengths");
	text_array.length = 3;
	number_array.null_count = 1;
	cr_assert_eq(parquet_group(file, &rows), EINVAL, "a null where none may be");
	number_array.null_count = 0;
	rows.offset = 1;
	cr_assert_eq(parquet_group(file, &rows), EINVAL, "an offset");
	rows.offset = 0;
	rows.n_children = 1;
	cr_assert_eq(parquet_group(file, &rows), EINVAL, "a column is missing");
	rows.n_children = 2;
	cr_assert_eq(parquet_group(file, &rows), 0);
	parquet_close(file);

	children[1] = &wrong;
	cr_assert_eq(parquet_open(&other, &options, &schema, why, sizeof why), EINVAL);
	cr_assert_not_null(strstr(why, "column f has type g"), "%s", why);
	children[1] = before;
	schema.format = "L";
	cr_assert_eq(parquet_open(&other, &options, &schema, why, sizeof why), EINVAL);
	schema.format = "+s";
	failing = EIO;
	cr_assert_eq(parquet_open(&other, &options, &schema, why, sizeof why), EIO);
	failing = 0;
	parquet_close(NULL);
}
