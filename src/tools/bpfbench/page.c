/* SPDX-License-Identifier: MIT */
/* Writes a sweep as a page: XHTML with SVG inside, without scripts and without anything to fetch.
 *
 * The result in sentences comes first.  Each filter and frame size has three plots (plot.c): loss,
 * CPU time a packet, and the fill of the buffers.  The page fits a phone: plots shrink and stand
 * below each other, and a wide table scrolls alone.  Colours follow the system's
 * light or dark mode. */
#include "amounts.h"
#include "plot.h"
#include "verdict.h"

#include <errno.h>
#include <string.h>

static void write_escaped(FILE *to, const char *s)
{
	for (size_t n; *s; s += n ? n : 1) {
		n = program_utf8(s);
		if (!n)
			fputs("&#xfffd;", to);
		else if (*s == '<')
			fputs("&lt;", to);
		else if (*s == '>')
			fputs("&gt;", to);
		else if (*s == '&')
			fputs("&amp;", to);
		else if (*s == '"')
			fputs("&quot;", to);
		else if ((unsigned char)*s < 0x20)
			putc(' ', to); /* XML has no such characters */
		else if (*s == 0x7f ||
			 (n == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0))
			fputs("&#xfffd;", to);
		else
			fwrite(s, 1, n, to);
	}
}

static double measure_loss(const struct row *r)
{
	return 100 * r->loss;
}
static double measure_cpu(const struct row *r)
{
	return r->user_ns_per_packet + r->system_ns_per_packet;
}
static double measure_fill(const struct row *r)
{
	return 100 * r->fill;
}

static const struct plot_kind plots[] = { { "loss", "lost, percent", measure_loss },
	{ "cpu", "CPU, ns a packet", measure_cpu },
	{ "fill", "buffers filled, percent", measure_fill } };

static bool shares_plot(const struct row *a, const struct row *b)
{
	return !strcmp(a->filter, b->filter) && a->frame_bytes == b->frame_bytes;
}

static void write_page_facts(FILE *to, const char *title, const struct facts *f)
{
	char text[400];

	fprintf(to, "<h2>%s</h2>\n<dl>\n", title);
	for (size_t i = 0; i < f->count; i++) {
		const struct fact *fact = &f->fact[i];

		fprintf(to, "<div><dt>%s</dt><dd>", fact->name);
		if (!strcmp(fact->text, "null"))
			fputs("-", to);
		else if (fact->is_number)
			fputs(amount_separate(text, sizeof text, fact->text), to);
		else
			write_escaped(to, fact->text);
		fputs("</dd></div>\n", to);
	}
	fputs("</dl>\n", to);
}

static void write_page_cell(FILE *to, const struct column *c, const void *row)
{
	char text[512], shown[512];

	fputs(c->type == COLUMN_TEXT ? "<td class='word'>" : "<td>", to);
	if (!cell(text, sizeof text, c, row, c->decimals))
		fputs("-", to);
	else if (c->type == COLUMN_TEXT)
		write_escaped(to, text);
	else
		fputs(amount_separate(shown, sizeof shown, text), to);
	fputs("</td>", to);
}

static void write_page_table(FILE *to, const struct result *r)
{
	fputs("<h2 id='runs'>all runs</h2>\n<p class='small'>A bar at the left marks runs with loss.</p>\n<div class='wide' role='region' aria-labelledby='runs' tabindex='0'><table id='cases'><thead><tr>",
		to);
	for (const struct column *c = r->columns; c->name; c++)
		if (c->text & (unsigned)r->kind)
			fprintf(to, "<th scope='col'>%s</th>", c->name);
	fputs("</tr></thead><tbody>\n", to);
	for (size_t i = 0; i < r->count; i++) {
		const struct row *row = (const struct row *)r->rows + i;
		fprintf(to, "<tr%s>", row->lost ? " class='lossy'" : "");
		for (const struct column *c = r->columns; c->name; c++)
			if (c->text & (unsigned)r->kind)
				write_page_cell(to, c, row);
		fputs("</tr>\n", to);
	}
	fputs("</tbody></table></div>\n", to);
}

static const char style[] =
	":root{color-scheme:light dark;--ink:#1c2430;--soft:#4a5666;--back:#fff;--box:#f3f6f9;--rule:#dde3ea;--edge:#8592a1;--loss:#b3202f}"
	".c0{--c:#1668b8}.c1{--c:#b84a08}.c2{--c:#247a34}.c3{--c:#a02c8a}.c4{--c:#7d6200}.c5{--c:#087f86}.c6{--c:#c02a3e}.c7{--c:#5b4bc4}.c8{--c:#5d6470}.c9{--c:#7a4a21}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#a9b4c1;--back:#12171d;--box:#1c242d;--rule:#303a46;--edge:#75828f;--loss:#ff8a92}"
	".c0{--c:#6cb4ff}.c1{--c:#ff9a5c}.c2{--c:#6fd183}.c3{--c:#ee8ad9}.c4{--c:#dcb93c}.c5{--c:#4fd0d8}.c6{--c:#ff8592}.c7{--c:#aba0ff}.c8{--c:#b3bcc7}.c9{--c:#d9a273}}"
	"*{box-sizing:border-box}html{-webkit-text-size-adjust:100%;text-size-adjust:100%}"
	"body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1330px;padding:16px;color:var(--ink);background:var(--back);overflow-wrap:anywhere}"
	"h1{font-size:24px;line-height:1.25;margin:0 0 12px}h2{font-size:18px;margin:28px 0 8px}.small,dt{color:var(--soft);font-size:13px}.small{margin:0 0 8px}"
	".result{background:var(--box);border-left:4px solid var(--edge);padding:10px 14px;margin:0}.result p{margin:4px 0;max-width:80ch}"
	"dl{display:flex;flex-wrap:wrap;gap:6px 28px;margin:0}dl div{max-width:100%}dd{margin:0}ul{margin:0;padding-left:20px}"
	".plots{display:flex;flex-wrap:wrap;gap:20px}.plot{flex:1 1 320px;min-width:0;width:100%;max-width:420px;height:auto;align-self:flex-start}"
	".frame{fill:none;stroke:var(--edge)}.grid{stroke:var(--rule)}.tick,.legend,.begins{font-size:12px}.tick,.legend{fill:var(--soft)}.axis{font-size:13px;fill:var(--ink)}"
	"line.begins{stroke:var(--loss);stroke-width:1.5;stroke-dasharray:4 3}text.begins{fill:var(--loss)}"
	".line{fill:none;stroke:var(--c);stroke-width:2}.bar{fill:none;stroke:var(--c);stroke-width:1.3}.mark{fill:var(--c)}"
	".wide{overflow-x:auto;max-width:100%}.wide:focus-visible{outline:2px solid var(--edge)}"
	"table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;overflow-wrap:normal}th,td{padding:4px 8px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}td.word{text-align:left}"
	"tr.lossy td{background:var(--box);font-weight:600}tr.lossy td:first-child{border-left:4px solid var(--loss)}";

/* Writes the result in sentences. */
static void write_page_result(FILE *to, const struct result *r)
{
	static char sentence[SENTENCE_ROOM];

	fputs("<section class='result' aria-label='result'>\n", to);
	for (size_t i = 0; i < r->verdict_count;) {
		i = verdict_sentence(r, i, sentence, sizeof sentence);
		fputs("<p>", to);
		write_escaped(to, sentence);
		fputs("</p>\n", to);
	}
	if (!verdicts_judged(r))
		fputs("<p><strong>Some samples are too small to be judged.</strong></p>\n", to);
	fputs("</section>\n", to);
}

/* Returns the settings that differ. */
static struct axes find_axes(const struct result *r)
{
	const struct row *rows = r->rows;
	struct axes a = { .by_rate = false };

	for (size_t i = 1; i < r->count; i++) {
		a.by_rate |= rows[i].rate != rows[0].rate;
		a.modes |= strcmp(rows[i].mode, rows[0].mode) != 0;
		a.buffers |= rows[i].buffer_bytes != rows[0].buffer_bytes;
		a.workers |= rows[i].workers != rows[0].workers;
		a.rounds |= rows[i].round != rows[0].round;
	}
	if (!a.by_rate)
		a.buffers = false; /* the x axis */
	return a;
}

static void write_page_plots(FILE *to, const struct result *r)
{
	const struct row *rows = r->rows;
	const struct axes a = find_axes(r);
	size_t number = 0;

	for (size_t i = 0; i < r->count; number++) {
		size_t n = 1;
		while (i + n < r->count && shares_plot(&rows[i], &rows[i + n]))
			n++;
		fputs("<section><h2>filter: ", to);
		write_escaped(to, rows[i].filter);
		if (rows[i].frame_bytes != ABSENT)
			fprintf(to, "; frames of %llu bytes",
				(unsigned long long)rows[i].frame_bytes);
		fprintf(to, "</h2>\n<p class='small'>%s</p>\n<div class='plots'>\n",
			a.rounds
				? "Points are medians of the rounds; bars go from the least to the most."
				: "One round: how much a case varies is not known (--rounds).");
		for (size_t k = 0; k < sizeof plots / sizeof *plots; k++)
			plot_write(to, rows + i, n, &a, &plots[k], number);
		fputs("</div></section>\n", to);
		i += n;
	}
}

int write_page(FILE *to, const struct result *r)
{
	fprintf(to,
		"<!DOCTYPE html>\n<html xmlns='http://www.w3.org/1999/xhtml' lang='en'>\n<head><meta charset='utf-8'/><title>bpfbench: where loss begins</title>\n"
		"<meta name='viewport' content='width=device-width, initial-scale=1'/><meta name='color-scheme' content='light dark'/><style>%s</style></head>\n<body>\n<main>\n<h1>bpfbench: where loss begins</h1>\n",
		style);
	write_page_result(to, r);
	write_page_plots(to, r);
	write_page_facts(to, "found", &r->findings);
	write_page_facts(to, "host", &r->host);
	write_page_facts(to, "options", &r->options);
	fputs("<h2>notes</h2>\n<ul>", to);
	for (size_t i = 0; i < r->notes.count; i++) {
		fputs("<li>", to);
		write_escaped(to, r->notes.fact[i].text);
		fputs("</li>", to);
	}
	fputs("</ul>\n", to);
	write_page_table(to, r);
	fputs("</main>\n</body>\n</html>\n", to);
	return ferror(to) ? errno : 0;
}
