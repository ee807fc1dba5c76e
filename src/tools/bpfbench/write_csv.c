/* SPDX-License-Identifier: MIT */
/* Writes a result as comma-separated values (RFC 4180).  The facts come first, as lines that begin
 * with #.  An absent figure is an empty field.  The total, if any, is the last row. */
#include "result.h"
#include "verdict.h"

#include <errno.h>
#include <string.h>

static void write_csv_facts(FILE *to, const char *what, const struct facts *f)
{
	char text[1024];
	for (size_t i = 0; i < f->count; i++)
		fprintf(to, "# %s%s%s: %s\n", what, *f->fact[i].name ? " " : "", f->fact[i].name,
			program_visible(text, sizeof text, f->fact[i].text));
}

static void write_csv_row(FILE *to, const struct result *r, const void *row)
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

static void write_csv_sentences(FILE *to, const struct result *r)
{
	static char sentence[SENTENCE_ROOM], text[SENTENCE_ROOM];

	for (size_t i = 0; i < r->verdict_count;) {
		i = verdict_sentence(r, i, sentence, sizeof sentence);
		fprintf(to, "# result: %s\n", program_visible(text, sizeof text, sentence));
	}
}

int write_csv(FILE *to, const struct result *r)
{
	bool first = true;
	fprintf(to, "# bpfbench %s\n", kind_name(r->kind));
	write_csv_facts(to, "host", &r->host);
	write_csv_facts(to, "option", &r->options);
	write_csv_facts(to, "found", &r->findings);
	write_csv_facts(to, "note", &r->notes);
	write_csv_sentences(to, r);
	for (const struct column *c = r->columns; c->name; c++) {
		if (!(c->kinds & (unsigned)r->kind))
			continue;
		fprintf(to, "%s%s", first ? "" : ",", c->name);
		first = false;
	}
	fputs("\n", to);
	for (size_t i = 0; i < r->count; i++)
		write_csv_row(to, r, (const char *)r->rows + i * r->row_bytes);
	if (r->total)
		write_csv_row(to, r, r->total);
	return ferror(to) ? errno : 0;
}
