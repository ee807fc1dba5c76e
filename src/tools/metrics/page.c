/* SPDX-License-Identifier: MIT */
/* A page of metrics as text (page.h).  The page owns its memory; no other state. */
#include "page.h"

#include "tools/common/program.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16384, NS_DIGITS = 9 };

/* ---- Bytes ---- */

/* Makes room for n more bytes and the final 0.  Returns false, and marks the page, without memory.
 */
static bool reserve_page(struct metrics_page *p, size_t n)
{
	size_t room = p->room ? p->room : FIRST_ROOM;

	if (p->is_short)
		return false;
	while (room - p->used <= n)
		room *= 2;
	if (room == p->room)
		return true;
	char *const bytes = realloc(p->bytes, room);

	if (!bytes) {
		p->is_short = true;
		return false;
	}
	p->bytes = bytes;
	p->room = room;
	return true;
}

static void append_page_bytes(struct metrics_page *p, const char *bytes, size_t n)
{
	if (!reserve_page(p, n))
		return;
	memcpy(p->bytes + p->used, bytes, n);
	p->used += n;
	p->bytes[p->used] = 0;
}

static void append_page(struct metrics_page *p, const char *text)
{
	append_page_bytes(p, text, strlen(text));
}

/* Appends a text with escapes: \\ and \n, and \" if quotes are escaped.  Bytes that are no UTF-8
 * become U+FFFD. */
static void append_page_escaped(struct metrics_page *p, const char *text, bool escapes_quotes)
{
	for (size_t n; *text; text += n ? n : 1) {
		n = program_utf8(text);
		if (!n)
			append_page(p, "\xef\xbf\xbd");
		else if (*text == '\n')
			append_page(p, "\\n");
		else if (*text == '\\')
			append_page(p, "\\\\");
		else if (*text == '"' && escapes_quotes)
			append_page(p, "\\\"");
		else
			append_page_bytes(p, text, n);
	}
}

void metrics_page_begin(struct metrics_page *p, enum metrics_form form)
{
	p->used = 0;
	p->form = form;
	p->is_short = false;
	p->name[0] = 0;
	append_page_bytes(p, "", 0);
}

bool metrics_page_end(struct metrics_page *p)
{
	if (p->form == METRICS_OPENMETRICS)
		append_page(p, "# EOF\n");
	return !p->is_short;
}

void metrics_page_free(struct metrics_page *p)
{
	free(p->bytes);
	memset(p, 0, sizeof *p);
}

/* ---- Families ---- */

static bool has_unit_ending(const char *text, const char *ending)
{
	const size_t n = strlen(text);
	const size_t m = strlen(ending);

	return n >= m && !strcmp(text + n - m, ending);
}

/* Returns the ending of the samples of a family.  suffix: of a histogram's sample. */
static const char *sample_ending(enum metrics_kind kind, const char *suffix)
{
	if (kind == METRICS_COUNTER)
		return "_total";
	return kind == METRICS_INFO ? "_info" : suffix;
}

/* Appends "# WORD NAME text".  In OpenMetrics a family has the name without the ending. */
static void append_meta(struct metrics_page *p, const char *word, const char *text)
{
	append_page(p, "# ");
	append_page(p, word);
	append_page(p, " ");
	append_page(p, p->name);
	if (p->form == METRICS_TEXT)
		append_page(p, sample_ending(p->kind, ""));
	append_page(p, " ");
	append_page_escaped(p, text, p->form == METRICS_OPENMETRICS);
	append_page(p, "\n");
}

void metrics_family(
	struct metrics_page *p, enum metrics_kind kind, const char *name, const char *help)
{
	static const char *const words[][METRICS_FORMS] = { [METRICS_COUNTER] = { "counter",
								    "counter" },
		[METRICS_GAUGE] = { "gauge", "gauge" },
		[METRICS_HISTOGRAM] = { "histogram", "histogram" },
		[METRICS_INFO] = { "gauge", "info" } };
	static const char *const units[] = { "seconds", "bytes" };

	p->kind = kind;
	snprintf(p->name, sizeof p->name, "%s", name);
	append_meta(p, "HELP", help);
	append_meta(p, "TYPE", words[kind][p->form]);
	for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
		char ending[16];

		snprintf(ending, sizeof ending, "_%s", units[k]);
		if (p->form == METRICS_OPENMETRICS && has_unit_ending(name, ending))
			append_meta(p, "UNIT", units[k]);
	}
}

/* ---- Samples ---- */

/* Appends a label.  before: "{" or ",". */
static void append_label(
	struct metrics_page *p, const char *before, const char *name, const char *value)
{
	append_page(p, before);
	append_page(p, name);
	append_page(p, "=\"");
	append_page_escaped(p, value, true);
	append_page(p, "\"");
}

void metrics_line(struct metrics_page *p, const char *suffix, const struct metrics_labels *labels,
	const char *le, const char *value)
{
	const char *before = "{";

	append_page(p, p->name);
	append_page(p, sample_ending(p->kind, suffix));
	for (size_t k = 0; labels && k < METRICS_LABELS_MOST && labels->name[k]; k++) {
		append_label(p, before, labels->name[k], labels->value[k]);
		before = ",";
	}
	if (le) {
		append_label(p, before, "le", le);
		before = ",";
	}
	append_page(p, *before == ',' ? "} " : " ");
	append_page(p, value);
	append_page(p, "\n");
}

void metrics_count(struct metrics_page *p, const struct metrics_labels *labels, uint64_t n)
{
	char value[24];

	snprintf(value, sizeof value, "%" PRIu64, n);
	metrics_line(p, "", labels, NULL, value);
}

const char *metrics_seconds_text(
	char to[METRICS_SECONDS_BYTES], bool is_negative, uint64_t seconds, uint32_t ns)
{
	int n = snprintf(to, METRICS_SECONDS_BYTES, "%s%" PRIu64 ".%0*" PRIu32,
		is_negative ? "-" : "", seconds, NS_DIGITS, ns);

	for (int k = 1; k < NS_DIGITS && to[n - 1] == '0'; k++)
		to[--n] = 0;
	return to;
}

void metrics_seconds(struct metrics_page *p, const struct metrics_labels *labels, int64_t ns)
{
	const uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	char value[METRICS_SECONDS_BYTES];

	metrics_seconds_text(value, ns < 0, size / 1000000000, (uint32_t)(size % 1000000000));
	metrics_line(p, "", labels, NULL, value);
}

void metrics_family_count(struct metrics_page *p, enum metrics_kind kind, const char *name,
	const char *help, uint64_t n)
{
	metrics_family(p, kind, name, help);
	metrics_count(p, NULL, n);
}
