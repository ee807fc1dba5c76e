/* SPDX-License-Identifier: MIT */
/* Writes a result as a JSON document, schema bpfbench.result/1.  Later versions only add keys. */
#include "result.h"
#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void write_json_facts(FILE *to, const char *name, const struct facts *f)
{
	fprintf(to, ",\n\"%s\":{", name);
	for (size_t i = 0; i < f->count; i++) {
		fprintf(to, "%s\n ", i ? "," : "");
		program_print_json(to, f->fact[i].name);
		putc(':', to);
		if (f->fact[i].is_number)
			fputs(f->fact[i].text, to);
		else
			program_print_json(to, f->fact[i].text);
	}
	putc('}', to);
}

static void write_json_row(FILE *to, enum kind kind, const struct column *columns, const void *row)
{
	char text[512];
	bool first = true;
	for (const struct column *c = columns; c->name; c++) {
		if (!(c->kinds & (unsigned)kind))
			continue;
		bool there = cell(text, sizeof text, c, row, -1);
		fprintf(to, "%s\"%s\":", first ? "" : ",", c->name);
		first = false;
		if (!there && c->type != COLUMN_TEXT)
			fputs("null", to);
		else if (c->type == COLUMN_TEXT)
			program_print_json(to, text);
		else
			fputs(text, to);
	}
}

/* Writes the verdicts with their settings and figures, and the sentences of all of them. */
static void write_json_verdicts(FILE *to, const struct result *r)
{
	static char sentence[SENTENCE_ROOM];
	size_t next;

	fputs(",\n\"result\":[", to);
	for (size_t i = 0; i < r->verdict_count; i = next) {
		next = verdict_sentence(r, i, sentence, sizeof sentence);
		fputs(i ? ",\n " : "\n ", to);
		program_print_json(to, sentence);
	}
	fputs("],\n\"verdicts\":[", to);
	for (size_t i = 0; i < r->verdict_count; i++) {
		const struct verdict *v = &r->verdicts[i];

		fprintf(to, "%s\n {", i ? "," : "");
		write_json_row(to, r->kind, verdict_columns, v);
		fputs(",\"says\":", to);
		program_print_json(to, v->clause);
		fputs(",\"because\":", to);
		program_print_json(to, v->reason);
		putc('}', to);
	}
	fprintf(to, "],\n\"judged\":%s", verdicts_judged(r) ? "true" : "false");
}

static void write_json_histogram(FILE *to, const struct histogram *h)
{
	bool first = true;
	fprintf(to,
		",\n\"latency_histogram\":{\"unit\":\"ns\",\"samples\":%" PRIu64
		",\"early\":%" PRIu64 ",\"classes\":[",
		bpei_counter_get(&h->samples), bpei_counter_get(&h->early));
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++) {
		const uint64_t n = bpei_counter_get(&h->classes[c]);
		const uint64_t high = histogram_high(c);

		if (!n)
			continue;
		fprintf(to, "%s[%" PRIu64 ",", first ? "" : ",", histogram_low(c));
		if (high == UINT64_MAX)
			fputs("null", to);
		else
			fprintf(to, "%" PRIu64, high);
		fprintf(to, ",%" PRIu64 "]", n);
		first = false;
	}
	fputs("]}", to);
}

int write_json(FILE *to, const struct result *r)
{
	fprintf(to, "{\"schema\":\"bpfbench.result/1\",\"kind\":\"%s\"", kind_name(r->kind));
	write_json_facts(to, "host", &r->host);
	write_json_facts(to, "options", &r->options);
	write_json_facts(to, "findings", &r->findings);
	write_json_verdicts(to, r);
	fputs(",\n\"notes\":[", to);
	for (size_t i = 0; i < r->notes.count; i++) {
		fputs(i ? ",\n " : "\n ", to);
		program_print_json(to, r->notes.fact[i].text);
	}
	fputs("],\n\"rows\":[", to);
	for (size_t i = 0; i < r->count; i++) {
		fprintf(to, "%s\n {", i ? "," : "");
		write_json_row(to, r->kind, r->columns, (const char *)r->rows + i * r->row_bytes);
		putc('}', to);
	}
	putc(']', to);
	if (r->total) {
		fputs(",\n\"total\":{", to);
		write_json_row(to, r->kind, r->columns, r->total);
		putc('}', to);
	}
	if (r->latency)
		write_json_histogram(to, r->latency);
	fputs("}\n", to);
	return ferror(to) ? errno : 0;
}
