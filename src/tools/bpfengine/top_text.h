/* SPDX-License-Identifier: MIT */
/* The text of the live view: chooses lines and columns for a window, and writes them; pure.  Of
 * text from outside (names of processes and interfaces), printable characters alone are written,
 * since a terminal obeys control characters. */
#ifndef CLI_TOP_TEXT_H
#define CLI_TOP_TEXT_H

#include "top_model.h"

#define TOP_LINE 1024

/* ---- Cells (top_cells.c) ---- */

/* A line that is being written: at most `width` cells. */
struct top_out {
	char *text;
	size_t used;
	int cells, width;
	bool utf8; /* the terminal can show more than ASCII */
};

struct top_out top_out_begin(char text[TOP_LINE], int width, bool utf8);
/* Appends as much of s as fits in `most` cells and in the line.  '?' stands for a character which
 * the terminal must not get. */
void top_out_add(struct top_out *out, const char *s, int most);
/* Appends s if all of s fits.  Returns false otherwise. */
bool top_out_item(struct top_out *out, const char *s);
void top_out_blanks(struct top_out *out, int n);
/* Appends s in a column of `width` cells. */
void top_out_column(struct top_out *out, const char *s, int width, bool right);
/* Appends s in `width` cells; cuts a longer text in the middle. */
void top_out_middle(struct top_out *out, const char *s, int width);
/* Ends the text and returns the text. */
const char *top_out_end(struct top_out *out);
/* Returns the cells of a text. */
int top_cells(const char *s, bool utf8);
/* Cuts any text, and makes the text harmless for a terminal. */
const char *top_text_cut(char text[TOP_LINE], const char *s, int width, bool utf8);

/* ---- Lines above and below the list (top_text.c, top_status.c) ---- */

/* Line numbers in a window; -1: no room for the line. */
struct top_lines {
	int source, rate, drops, protocols, past, head, rows, row_count, chosen, status, keys;
};
void top_lines(struct top_lines *l, int height);

/* Each call writes a line of at most `width` cells, without colours, and returns the text. */
const char *top_text_source(char text[TOP_LINE], const struct top_model *m, const char *source,
	const char *state, int width, bool utf8);
const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width);
/* *some: packets were dropped since the snapshot before. */
const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width, bool *some);
const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width);
/* Writes the rate of each tick as a bar.  row NULL: of the link.  blocks: the terminal's font has
 * U+2581 to U+2588. */
const char *top_text_past(char text[TOP_LINE], const struct top_model *m, const struct top_row *row,
	int width, bool blocks);
/* Writes the place in the list, the order, the group, the filter. */
const char *top_text_status(char text[TOP_LINE], const struct top_model *m,
	const struct top_cursor *c, const char *state, int width, bool utf8);
enum top_keys { TOP_KEYS_LIST, TOP_KEYS_PAGE };
/* Writes the keys as far as whole entries fit; "h help" first. */
const char *top_text_keys(char text[TOP_LINE], enum top_keys keys, int width);

/* ---- Columns (top_layout.c, top_columns.c) ---- */

enum top_column_id {
	TOP_COLUMN_FROM, /* or the group's name */
	TOP_COLUMN_TO,
	TOP_COLUMN_FLOWS,
	TOP_COLUMN_PROTO,
	TOP_COLUMN_APP,
	TOP_COLUMN_OUT, /* rate of the left end, over the chosen average */
	TOP_COLUMN_IN,
	TOP_COLUMN_AVERAGE, /* both ways, over each of the averages */
	TOP_COLUMN_AVERAGE_10,
	TOP_COLUMN_AVERAGE_40,
	TOP_COLUMN_PPS,
	TOP_COLUMN_BYTES,
	TOP_COLUMN_BYTES_OUT,
	TOP_COLUMN_BYTES_IN,
	TOP_COLUMN_PACKETS,
	TOP_COLUMN_STATE,
	TOP_COLUMN_END,
	TOP_COLUMN_RTT,
	TOP_COLUMN_RETRANSMISSIONS,
	TOP_COLUMN_AGE,
	TOP_COLUMN_NAME,
	TOP_COLUMN_PROCESS,
	TOP_COLUMNS
};

/* Columns from left to right, with a blank between two columns.  Widths and blanks together are no
 * wider than the window. */
struct top_layout {
	uint32_t count;
	struct {
		enum top_column_id id;
		int width;
	} column[TOP_COLUMNS];
};
/* ends: the cells which the two ends need; they are cut last, after all other columns but the
 * sorted column are gone. */
void top_layout(struct top_layout *l, const struct top_model *m, int width, const int ends[2]);
/* Returns the sorted column. */
enum top_column_id top_sort_column(const struct top_model *m);
bool top_column_is_right(enum top_column_id id);
/* Writes the title of a column without a mark. */
void top_column_title(char *to, size_t room, const struct top_model *m, enum top_column_id id);

/* Raises ends[] to the cells that the row's ends take. */
void top_need_ends(int ends[2], const struct top_model *m, const struct top_row *r, bool utf8);
const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8);
const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8);
/* Writes both ends of a flow, or the name of a group. */
void top_write_name(char *to, size_t room, const struct top_model *m, const struct top_row *r);
/* Writes a rate given in bytes a second in the chosen unit. */
void top_write_rate(char *to, size_t room, const struct top_model *m, double bytes);

/* ---- Pages of text (top_page.c, top_help.c) ---- */

#define TOP_PAGE_LINES 512u

/* Lines that are longer than a window may be. */
struct top_page {
	char text[32768];
	size_t used;
	uint32_t count; /* lines */
	uint32_t start[TOP_PAGE_LINES];
	int width;
	bool utf8;
};

void top_page_begin(struct top_page *p, int width, bool utf8);
/* Appends text, wrapped between words.  The lines behind the first begin with `indent` blanks. */
void top_page_add(struct top_page *p, const char *text, int indent);
/* Returns line i; "" behind the last. */
const char *top_page_line(const struct top_page *p, size_t i);
/* Writes the rates and the history of a flow, and each column of the CSV record. */
void top_page_flow(struct top_page *p, const struct top_model *m, const struct top_row *row,
	const struct bpe_flow *f, bool blocks);
/* Writes every key, column and mark. */
void top_page_help(struct top_page *p, bool utf8);

#endif
