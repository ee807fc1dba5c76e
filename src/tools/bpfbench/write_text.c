/* SPDX-License-Identifier: MIT */
/* Writes a result for people: the most important columns, and the findings.  A column is as wide as
 * the widest cell.  A column without a figure in any row is left out. */
#include "amounts.h"
#include "result.h"
#include "verdict.h"

#include <errno.h>
#include <string.h>

#define COLUMNS 64
#define ROWS_SHOWN 400u

static void write_text_facts(FILE *to, const char *title, const struct facts *f)
{
	char text[1024];
	if (f->count)
		fprintf(to, "%s\n", title);
	for (size_t i = 0; i < f->count; i++) {
		const struct fact *fact = &f->fact[i];

		if (!strcmp(fact->text, "null"))
			snprintf(text, sizeof text, "-");
		else if (fact->is_number)
			amount_separate(text, sizeof text, fact->text);
		else
			program_visible(text, sizeof text, fact->text);
		fprintf(to, "  %-32s %s\n", fact->name, text);
	}
}

/* Writes the sentences of the result; the last lines, which a terminal shows. */
static void write_text_sentences(FILE *to, const struct result *r)
{
	static char sentence[SENTENCE_ROOM], text[SENTENCE_ROOM];

	if (r->verdict_count)
		fputs("\nresult\n", to);
	for (size_t i = 0; i < r->verdict_count;) {
		i = verdict_sentence(r, i, sentence, sizeof sentence);
		fprintf(to, "  %s\n", program_visible(text, sizeof text, sentence));
	}
}

static const void *find_text_row(const struct result *r, size_t i)
{
	return i < r->count ? (const char *)r->rows + i * r->row_bytes : r->total;
}

/* Formats a cell for a terminal.  Returns false if the figure is absent. */
static bool format_shown_cell(char *to, size_t room, const struct column *c, const void *row)
{
	char text[512];
	bool there = cell(text, sizeof text, c, row, c->decimals);
	if (c->type == COLUMN_TEXT)
		program_visible(to, room, text);
	else
		amount_separate(to, room, text);
	return there;
}

/* The columns that the text shows. */
struct text_columns {
	const struct column *column[COLUMNS];
	size_t width[COLUMNS], count;
};

/* Fills *t with the columns that have a figure in any row. */
static void choose_text_columns(const struct result *r, struct text_columns *t)
{
	const size_t rows = r->count + (r->total != NULL);
	char text[512];

	t->count = 0;
	for (const struct column *c = r->columns; c->name && t->count < COLUMNS; c++) {
		size_t width = strlen(c->name);
		bool any = false;

		if (!(c->kinds & (unsigned)r->kind) || !(c->text & (unsigned)r->kind))
			continue;
		for (size_t i = 0; i < rows; i++) {
			if (!format_shown_cell(text, sizeof text, c, find_text_row(r, i)))
				continue;
			any = true;
			if (strlen(text) > width)
				width = strlen(text);
		}
		if (!any)
			continue;
		t->column[t->count] = c;
		t->width[t->count] = width;
		t->count++;
	}
}

/* Writes the text of column k, padded: words to the left, figures to the right. */
static void write_padded(FILE *to, const struct text_columns *t, size_t k, const char *text)
{
	const char *format = t->column[k]->type == COLUMN_TEXT ? "%s%-*s" : "%s%*s";
	const char *gap = k ? "  " : "";

	fprintf(to, format, gap, (int)t->width[k], text);
}

static void write_text_table(FILE *to, const struct result *r)
{
	const size_t rows = r->count + (r->total != NULL);
	struct text_columns t;
	char text[512];

	choose_text_columns(r, &t);
	for (size_t k = 0; k < t.count; k++)
		write_padded(to, &t, k, t.column[k]->name);
	fputs("\n", to);
	for (size_t i = 0; i < rows; i++) {
		if (i == ROWS_SHOWN && i + 1 < rows) {
			fprintf(to, "... %zu more rows: -o FILE.csv has them all\n",
				r->count - ROWS_SHOWN);
			i = r->total ? r->count : rows - 1;
		}
		for (size_t k = 0; k < t.count; k++) {
			if (!format_shown_cell(text, sizeof text, t.column[k], find_text_row(r, i)))
				snprintf(text, sizeof text, "-");
			write_padded(to, &t, k, text);
		}
		fputs("\n", to);
	}
}

int write_text(FILE *to, const struct result *r)
{
	fprintf(to, "bpfbench %s\n", kind_name(r->kind));
	write_text_facts(to, "host", &r->host);
	write_text_facts(to, "options", &r->options);
	fputs("\n", to);
	write_text_table(to, r);
	fputs("\n", to);
	write_text_facts(to, "found", &r->findings);
	char text[1024];
	for (size_t i = 0; i < r->notes.count; i++)
		fprintf(to, "note: %s\n",
			program_visible(text, sizeof text, r->notes.fact[i].text));
	write_text_sentences(to, r);
	return ferror(to) ? errno : 0;
}
