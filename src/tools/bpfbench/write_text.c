/* SPDX-License-Identifier: MIT */
/* A result for people: the most important columns, each as wide as it must be, and what was found.
 * Columns that are absent in every row are left out. */
#include "result.h"

#include <errno.h>
#include <string.h>

#define COLUMNS 64
#define ROWS_SHOWN 400u

static void facts(FILE *to, const char *title, const struct facts *f)
{
	char text[1024];
	if (f->count)
		fprintf(to, "%s\n", title);
	for (size_t i = 0; i < f->count; i++)
		fprintf(to, "  %-32s %s\n", f->fact[i].name,
			strcmp(f->fact[i].text, "null")
				? program_visible(text, sizeof text, f->fact[i].text)
				: "-");
}

static const void *row_at(const struct result *r, size_t i)
{
	return i < r->count ? (const char *)r->rows + i * r->row_bytes : r->total;
}

/* A cell fit for a terminal; false: it is absent. */
static bool shown_cell(char *to, size_t room, const struct column *c, const void *row)
{
	char text[512];
	bool there = cell(text, sizeof text, c, row, c->decimals);
	program_visible(to, room, text);
	return there;
}

static void table(FILE *to, const struct result *r)
{
	const struct column *shown[COLUMNS];
	size_t width[COLUMNS], n = 0, count = r->count + (r->total != NULL);
	char text[512];
	for (const struct column *c = r->columns; c->name && n < COLUMNS; c++) {
		bool any = false;
		if (!(c->kinds & (unsigned)r->kind) || !(c->text & (unsigned)r->kind))
			continue;
		width[n] = strlen(c->name);
		for (size_t i = 0; i < count; i++) {
			if (!shown_cell(text, sizeof text, c, row_at(r, i)))
				continue;
			any = true;
			if (strlen(text) > width[n])
				width[n] = strlen(text);
		}
		if (any)
			shown[n++] = c;
	}
	for (size_t k = 0; k < n; k++)
		fprintf(to, shown[k]->type == COLUMN_TEXT ? "%s%-*s" : "%s%*s", k ? "  " : "",
			(int)width[k], shown[k]->name);
	fputs("\n", to);
	for (size_t i = 0; i < count; i++) {
		if (i == ROWS_SHOWN && i + 1 < count) {
			fprintf(to, "... %zu more rows: -o FILE.csv has them all\n",
				r->count - ROWS_SHOWN);
			i = r->total ? r->count : count - 1;
		}
		for (size_t k = 0; k < n; k++) {
			if (!shown_cell(text, sizeof text, shown[k], row_at(r, i)))
				snprintf(text, sizeof text, "-");
			fprintf(to, shown[k]->type == COLUMN_TEXT ? "%s%-*s" : "%s%*s",
				k ? "  " : "", (int)width[k], text);
		}
		fputs("\n", to);
	}
}

int write_text(FILE *to, const struct result *r)
{
	fprintf(to, "bpfbench %s\n", kind_name(r->kind));
	facts(to, "host", &r->host);
	facts(to, "options", &r->options);
	fputs("\n", to);
	table(to, r);
	fputs("\n", to);
	facts(to, "found", &r->findings);
	char text[1024];
	for (size_t i = 0; i < r->notes.count; i++)
		fprintf(to, "note: %s\n",
			program_visible(text, sizeof text, r->notes.fact[i].text));
	return ferror(to) ? errno : 0;
}
