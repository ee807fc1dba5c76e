/* SPDX-License-Identifier: MIT */
/* A table of text.  Columns are as wide as their content, and nothing is cut. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CLI_CELL = 192 }; /* bytes of a cell, with the 0 */
enum { CLI_COLUMNS = 8 };

struct cli_table {
	const char *align; /* a letter for each column: l (left) or r (right) */
	size_t columns;
	size_t split; /* the first columns stand on a line of their own if a row is too long */
	size_t cells, room;
	char (*cell)[CLI_CELL];
};

/* Prepares a table with room for rows, the heading included.  Returns false without memory. */
bool cli_table_begin(struct cli_table *table, const char *align, size_t rows);
/* Returns the next cell, an empty string of CLI_CELL bytes.  Rows fill from left to right. */
char *cli_table_next(struct cli_table *table);
/* Fills the next cell with a text. */
void cli_table_add(struct cli_table *table, const char *text);
/* Prints the rows, indented by two blanks.  width: of the terminal; 0: no limit. */
void cli_table_print(FILE *to, const struct cli_table *table, size_t width);
void cli_table_end(struct cli_table *table);

#endif
