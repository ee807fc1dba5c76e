/* SPDX-License-Identifier: MIT */
/* A result as comma-separated values (RFC 4180), the facts before it as lines that begin with #;
 * what is absent is an empty field.  The total, where there is one, is the last row. */
#include "result.h"

#include <errno.h>
#include <string.h>

static void facts(FILE *to, const char *what, const struct facts *f)
{
	char text[1024];
	for (size_t i = 0; i < f->count; i++)
		fprintf(to, "# %s%s%s: %s\n", what, *f->fact[i].name ? " " : "", f->fact[i].name,
			program_visible(text, sizeof text, f->fact[i].text));
}

static void one_row(FILE *to, const struct result *r, const void *row)
{
	char text[512];
	bool first = true;
	for (const struct column *c = r->columns; c->name; c++) {
		if (!(c->kinds & (unsigned)r->kind))
			continue;
		if (!first)
			putc(',', to);
		first = false;
		if (!cell(text, sizeof text, c, row, -1))
			continue;
		if (c->type == COLUMN_TEXT)
			program_print_csv(to, text);
		else
			fputs(text, to);
	}
	fputs("\n", to);
}

int write_csv(FILE *to, const struct result *r)
{
	bool first = true;
	fprintf(to, "# bpfbench %s\n", kind_name(r->kind));
	facts(to, "host", &r->host);
	facts(to, "option", &r->options);
	facts(to, "found", &r->findings);
	facts(to, "note", &r->notes);
	for (const struct column *c = r->columns; c->name; c++) {
		if (!(c->kinds & (unsigned)r->kind))
			continue;
		fprintf(to, "%s%s", first ? "" : ",", c->name);
		first = false;
	}
	fputs("\n", to);
	for (size_t i = 0; i < r->count; i++)
		one_row(to, r, (const char *)r->rows + i * r->row_bytes);
	if (r->total)
		one_row(to, r, r->total);
	return ferror(to) ? errno : 0;
}
