/* SPDX-License-Identifier: MIT */
/* Tables of text (table.h).  The caller owns the state. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2, INDENT = 2, DEEPER = 4 }; /* blanks */

bool cli_table_begin(struct cli_table *t, const char *align, size_t rows)
{
	*t = (struct cli_table){ .align = align, .columns = strlen(align) };
	t->room = t->columns * rows;
	t->cell = calloc(t->room + 1, sizeof *t->cell); /* the last: for a cell too many */
	return t->cell != NULL;
}

char *cli_table_next(struct cli_table *t)
{
	return t->cells < t->room ? t->cell[t->cells++] : t->cell[t->room];
}

void cli_table_add(struct cli_table *t, const char *text)
{
	snprintf(cli_table_next(t), CLI_CELL, "%s", text);
}

void cli_table_end(struct cli_table *t)
{
	free(t->cell);
	t->cell = NULL;
}

/* ---- Printing ---- */

/* Finds the longest text of each column. */
static void measure_columns(const struct cli_table *t, size_t width[CLI_COLUMNS])
{
	memset(width, 0, CLI_COLUMNS * sizeof *width);
	for (size_t i = 0; i < t->cells; i++) {
		const size_t column = i % t->columns;
		const size_t length = strlen(t->cell[i]);

		if (length > width[column])
			width[column] = length;
	}
}

/* Returns the columns that the row has: empty cells at its end are left out. */
static size_t count_filled_cells(const struct cli_table *t, size_t row)
{
	size_t n = t->columns;

	while (n && !t->cell[row + n - 1][0])
		n--;
	return n;
}

/* Prints the row's columns from `from` to `to` - 1.  No blanks stand at the end. */
static void print_cells(FILE *out, const struct cli_table *t, size_t row, size_t from, size_t to,
	const size_t width[CLI_COLUMNS])
{
	for (size_t k = from; k < to; k++) {
		const char *text = t->cell[row + k];
		int wide = (int)width[k];

		if (t->align[k] == 'l')
			wide = k + 1 < to ? -wide : 0;
		fprintf(out, "%*s%*s", k > from ? GAP : 0, "", wide, text);
	}
	fputc('\n', out);
}

void cli_table_print(FILE *to, const struct cli_table *t, size_t terminal)
{
	size_t width[CLI_COLUMNS];
	size_t all = INDENT;
	size_t split = 0;

	measure_columns(t, width);
	for (size_t k = 0; k < t->columns; k++)
		all += width[k] + GAP;
	if (terminal && all - GAP > terminal)
		split = t->split;
	for (size_t row = 0; row + t->columns <= t->cells; row += t->columns) {
		const size_t filled = count_filled_cells(t, row);

		fprintf(to, "%*s", INDENT, "");
		if (split && filled > split) {
			print_cells(to, t, row, 0, split, width);
			fprintf(to, "%*s", DEEPER, "");
		}
		print_cells(to, t, row, split && filled > split ? split : 0, filled, width);
	}
}
