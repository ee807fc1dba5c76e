/* SPDX-License-Identifier: MIT */
/* A result for people: the most important columns, each as wide as it must be, and what was found.  Columns that are absent in every row are
 * left out. */
#include "result.h"

#include <errno.h>
#include <string.h>

#define COLUMNS 64
#define ROWS_SHOWN 400u

static void facts(FILE *to, const char *title, const struct facts *f)
{
	if (f->count) fprintf(to, "%s\n", title);
	for (size_t i = 0; i < f->count; i++) fprintf(to, "  %-32s %s\n", f->fact[i].name, strcmp(f->fact[i].text, "null") ? f->fact[i].text : "-");
}

static const void *row_at(const struct result *r, size_t i) { return i < r->count ? (const char *)r->rows + i * r->row_bytes : r->total; }

static void table(FILE *to, const struct result *r)
{
	const struct column *shown[COLUMNS];
	size_t width[COLUMNS], n = 0, count = r->count + (r->total != NULL);
	char text[512];
	for (const struct column *c = r->columns; c->name && n < COLUMNS; c++) {
		bool any = false;
		if (!(c->kinds & (unsigned)r->kind) || !(c->text & (unsigned)r->kind)) continue;
		width[n] = strlen(c->name);
		for (size_t i = 0; i < count; i++) {
			if (!cell(text, sizeof text, c, row_at(r, i), c->decimals)) continue;
			any = true;
			if (strlen(text) > width[n]) width[n] = strlen(text);
		}
		if (any) shown[n++] = c;
	}
	for (size_t k = 0; k < n; k++) fprintf(to, shown[k]->type == COLUMN_TEXT ? "%s%-*s" : "%s%*s", k ? "  " : "", (int)width[k], shown[k]->name);
	fputs("\n", to);
	for (size_t i = 0; i < count; i++) {
		if (i == ROWS_SHOWN && i + 1 < count) {
			fprintf(to, "... %zu more rows: -o FILE.csv has them all\n", r->count - ROWS_SHOWN);
			i = r->total ? r->count : count - 1;
		}
		for (size_t k = 0; k < n; k++) {
			if (!cell(text, sizeof text, shown[k], row_at(r, i), shown[k]->decimals)) snprintf(text, sizeof text, "-");
			fprintf(to, shown[k]->type == COLUMN_TEXT ? "%s%-*s" : "%s%*s", k ? "  " : "", (int)width[k], text);
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
	for (size_t i = 0; i < r->notes.count; i++) fprintf(to, "note: %s\n", r->notes.fact[i].text);
	return ferror(to) ? errno : 0;
}
