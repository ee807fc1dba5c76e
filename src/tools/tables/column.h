/* SPDX-License-Identifier: MIT */
/* A column of rows on its way to a Parquet file: values of an Arrow array become a dictionary and
 * codes, or values in their own encoding. */
#ifndef TABLES_COLUMN_H
#define TABLES_COLUMN_H

#include "bpfengine.h"
#include "tools/tables/bytes.h"

#include <stdbool.h>

#define COLUMN_CODES_MOST 16384u /* entries of a dictionary; a column with more has none */
#define COLUMN_SLOTS 65536u      /* of the tables, for a range of numbers or a text's hash */
#define COLUMN_TEXT_MOST 64u     /* a longest text in the statistics; longer texts leave none */

/* Numbers of parquet.thrift. */
enum parquet_type { PARQUET_BOOLEAN = 0, PARQUET_INT32 = 1, PARQUET_INT64 = 2, PARQUET_BYTES = 6 };
enum parquet_encoding {
	PARQUET_PLAIN = 0,
	PARQUET_RLE = 3,
	PARQUET_DELTA = 5,
	PARQUET_DELTA_LENGTHS = 6,
	PARQUET_DICTIONARY = 8
};

struct column_type {
	char name[64];
	char format;    /* first letter of Arrow's format: "CSILcsil", 'b', 'u'; 't': nanoseconds */
	bool may_null;  /* a value may be missing */
	uint8_t bits;   /* of a number: 8, 16, 32, 64 */
	bool is_signed; /* of a number */
	enum parquet_type type;
};

struct column_slot {
	uint32_t hash;
	uint16_t turn; /* of the column that filled the slot; another one's slot is free */
	uint16_t code;
};

/* A text of at most 16 bytes, which was seen lately, and its code. */
#define COLUMN_RECENT 256u
struct column_recent {
	uint64_t low, high; /* the bytes, and zeros */
	uint32_t bytes;
	uint32_t code;
};

/* A column as encoded, and what the encoding needs.  One for all columns of a file in turn. */
struct column {
	const struct column_type *type;
	size_t rows, values; /* values: rows that are not null */
	/* The result. */
	enum parquet_encoding encoding;
	uint32_t entries;              /* of the dictionary; 0: none */
	struct table_bytes levels;     /* of rows that are null; empty if none may be */
	struct table_bytes dictionary; /* plain */
	struct table_bytes data;       /* behind the levels */
	bool has_least_and_most;       /* of the values */
	uint8_t least[COLUMN_TEXT_MOST], most[COLUMN_TEXT_MOST];
	size_t least_bytes, most_bytes;
	/* For the work. */
	uint64_t range; /* of numbers: the most less the least */
	size_t room;    /* of the two arrays: rows */
	uint64_t *numbers;
	uint32_t *codes; /* behind them room for a group (encode.h) */
	struct column_slot *slots;
	uint16_t turn; /* the number of the slots' contents; never 0 */
	struct column_recent recent[COLUMN_RECENT];
	uint16_t *ranges; /* numbers below COLUMN_SLOTS: the code and 1; 0: none */
	uint32_t *starts; /* texts of the dictionary: where each begins in `dictionary` */
	uint64_t *entry;  /* numbers of the dictionary */
	struct table_bytes clean, ends; /* texts that were not UTF-8, mended; their offsets */
	uint64_t seed;                  /* of the hash */
};

/* Reads the type of a column.  Returns false if the type is not written. */
bool column_type_read(struct column_type *type, const struct ArrowSchema *schema);
/* Makes the tables.  Returns false without memory. */
bool column_begin(struct column *column, uint64_t seed);
/* Encodes an array, which begins at offset 0.  Returns false without memory. */
bool column_encode(
	struct column *column, const struct column_type *type, const struct ArrowArray *array);
void column_free(struct column *column);

/* ---- Parts (numbers.c, texts.c, codes.c) ---- */

/* Encodes the values of an array of numbers or texts. */
void column_encode_numbers(struct column *column, const struct ArrowArray *array);
void column_encode_texts(struct column *column, const struct ArrowArray *array);
/* Frees all slots. */
void column_clear_slots(struct column *column);
/* Adds the codes of a dictionary with `entries` entries as a page's data. */
void column_add_codes(struct column *column);

#endif
