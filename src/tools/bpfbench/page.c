/* SPDX-License-Identifier: MIT */
/* A sweep as one page: XHTML with SVG in it, nothing fetched, no script.
 *
 * For each filter and frame size three plots: part lost, CPU a packet, and how full the buffers
 * were, against what was offered (where there are several rates) or the buffer's length; a line for
 * each combination of the other settings.  A dashed line stands where loss begins: at the least
 * rate of the plot with a loss above zero, or at the largest buffer. */
#include "result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 620
#define HEIGHT 300
#define LEFT 70
#define RIGHT 16
#define TOP 22
#define BOTTOM 44
#define SERIES_MOST 48u
#define POINTS_MOST 64u

struct point {
	double x, y;
	const struct row *row;
};
struct series {
	char name[160];
	struct point point[POINTS_MOST];
	size_t count;
};
struct axes {
	bool by_rate, modes, buffers, workers;
}; /* what differs within a sweep, and so belongs into names */

static const char *const colours[] = { "#1668b8", "#c8500a", "#2c8a3c", "#a02c8a", "#8a6d00",
	"#0a8f96", "#c02a3e", "#5b4bc4", "#6b7280", "#7a4a21" };
#define COLOURS (sizeof colours / sizeof *colours)

static void escaped(FILE *to, const char *s)
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

static const char *amount(char *to, size_t room, double v)
{
	if (v >= 1e9)
		snprintf(to, room, "%.3gG", v * 1e-9);
	else if (v >= 1e6)
		snprintf(to, room, "%.3gM", v * 1e-6);
	else if (v >= 1e3)
		snprintf(to, room, "%.3gk", v * 1e-3);
	else
		snprintf(to, room, "%.3g", v);
	return to;
}

static const char *bytes(char *to, size_t room, uint64_t v)
{
	if (v % (1u << 20) == 0)
		snprintf(to, room, "%lluM", (unsigned long long)(v >> 20));
	else if (v % 1024 == 0)
		snprintf(to, room, "%lluK", (unsigned long long)(v >> 10));
	else
		snprintf(to, room, "%llu", (unsigned long long)v);
	return to;
}

static double offered(const struct row *r)
{
	return r->seconds > 0
		       ? (double)(r->sent != ABSENT ? r->sent : r->delivered + r->lost) / r->seconds
		       : NAN;
}

static double loss_of(const struct row *r)
{
	return 100 * r->loss;
}
static double cpu_of(const struct row *r)
{
	return r->user_ns_per_packet + r->system_ns_per_packet;
}
static double fill_of(const struct row *r)
{
	return 100 * r->fill;
}

static void name_series(char *to, size_t room, const struct row *r, const struct axes *a)
{
	char b[32];
	snprintf(to, room, "%s%s%s%s%s%llu workers", a->buffers ? "buffer " : "",
		a->buffers ? bytes(b, sizeof b, r->buffer_bytes) : "", a->buffers ? ", " : "",
		a->modes ? r->mode : "", a->modes ? ", " : "", (unsigned long long)r->workers);
}

/* The rows from `from` to `to` as lines; those with no number are left out. */
static size_t gather(struct series *s, const struct row *rows, size_t n, const struct axes *a,
	double (*y)(const struct row *))
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		char name[160];
		size_t k = 0;
		double v = y(&rows[i]),
		       x = a->by_rate ? offered(&rows[i]) : (double)rows[i].buffer_bytes;
		if (isnan(v) || isnan(x))
			continue;
		name_series(name, sizeof name, &rows[i], a);
		while (k < count && strcmp(s[k].name, name) != 0)
			k++;
		if (k == SERIES_MOST)
			continue;
		if (k == count) {
			memcpy(s[k].name, name, sizeof name);
			s[k].count = 0;
			count++;
		}
		if (s[k].count < POINTS_MOST)
			s[k].point[s[k].count++] = (struct point){ x, v, &rows[i] };
	}
	return count;
}

static int by_x(const void *a, const void *b)
{
	double x = ((const struct point *)a)->x, y = ((const struct point *)b)->x;
	return (x > y) - (x < y);
}

struct scale {
	double from, to;
	bool log;
};

static double place(const struct scale *s, double v)
{
	double part = s->log ? log(v / s->from) / log(s->to / s->from)
			     : (v - s->from) / (s->to - s->from);
	return part < 0 ? 0 : part > 1 ? 1 : part;
}
static double px(const struct scale *s, double v)
{
	return LEFT + place(s, v) * (WIDTH - LEFT - RIGHT);
}
static double py(const struct scale *s, double v)
{
	return HEIGHT - BOTTOM - place(s, v) * (HEIGHT - TOP - BOTTOM);
}

/* A round number at or above v. */
static double round_up(double v)
{
	double e = pow(10, floor(log10(v))), m = v / e;
	return e * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

static void frame_and_ticks(FILE *to, const struct scale *x, const struct scale *y,
	const char *x_name, const char *y_name, bool x_bytes)
{
	char text[32];
	fprintf(to, "<rect x='%d' y='%d' width='%d' height='%d' class='frame'/>\n", LEFT, TOP,
		WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
	for (int k = 0; k <= 4; k++) {
		double v = y->from + (y->to - y->from) * k / 4, at = py(y, v);
		fprintf(to,
			"<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='grid'/><text x='%d' y='%.1f' class='tick' text-anchor='end'>%s</text>\n",
			LEFT, WIDTH - RIGHT, at, at, LEFT - 6, at + 4,
			amount(text, sizeof text, v));
	}
	for (int k = 0; k <= 4; k++) {
		double v = x->log ? x->from * pow(x->to / x->from, k / 4.0)
				  : x->from + (x->to - x->from) * k / 4;
		fprintf(to, "<text x='%.1f' y='%d' class='tick' text-anchor='middle'>%s</text>\n",
			px(x, v), HEIGHT - BOTTOM + 16,
			x_bytes ? bytes(text, sizeof text, (uint64_t)v / 1024 * 1024)
				: amount(text, sizeof text, v));
	}
	fprintf(to, "<text x='%d' y='%d' class='axis' text-anchor='middle'>%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name);
	fprintf(to, "<text x='%d' y='14' class='axis'>%s</text>\n", LEFT, y_name);
}

static void plot(FILE *to, const struct row *rows, size_t n, const struct axes *a,
	double (*value)(const struct row *), const char *name, const char *y_name)
{
	struct series *s = calloc(SERIES_MOST, sizeof *s);
	size_t count = s ? gather(s, rows, n, a, value) : 0;
	struct scale x = { INFINITY, 0, true }, y = { 0, 0, false };
	double begins = a->by_rate ? INFINITY : 0; /* by buffers it is where loss ends */
	char text[64];
	for (size_t k = 0; k < count; k++)
		for (size_t i = 0; i < s[k].count; i++) {
			const struct point *p = &s[k].point[i];
			if (p->x < x.from)
				x.from = p->x;
			if (p->x > x.to)
				x.to = p->x;
			if (p->y > y.to)
				y.to = p->y;
			if (p->row->lost && (a->by_rate ? p->x < begins : p->x > begins))
				begins = p->x;
		}
	if (!count || !(x.to > 0)) {
		fprintf(to, "<p class='%s'>%s: nothing to plot, no packets came</p>\n", name,
			y_name);
		free(s);
		return;
	}
	if (x.to <= x.from)
		x.from /= 2, x.to *= 2;
	x.log = x.from > 0 && x.to / x.from > 8;
	if (!x.log)
		x.from = 0;
	y.to = y.to > 0 ? round_up(y.to) : 1;
	fprintf(to,
		"<svg xmlns='http://www.w3.org/2000/svg' class='%s' viewBox='0 0 %d %zu' role='img' aria-label='%s'>\n",
		name, WIDTH, HEIGHT + 16 * count, y_name);
	frame_and_ticks(to, &x, &y, a->by_rate ? "offered, packets a second" : "buffer, bytes",
		y_name, !a->by_rate);
	if (begins > 0 && !isinf(begins))
		fprintf(to,
			"<line class='begins' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/><text class='begins' x='%.1f' y='%d' text-anchor='%s'>%s: %s</text>\n",
			px(&x, begins), px(&x, begins), TOP, HEIGHT - BOTTOM,
			px(&x, begins) + (place(&x, begins) < 0.7 ? 4 : -4), TOP + 12,
			place(&x, begins) < 0.7 ? "start" : "end",
			a->by_rate ? "loss begins" : "loss up to",
			a->by_rate ? amount(text, sizeof text, begins)
				   : bytes(text, sizeof text, (uint64_t)begins));
	for (size_t k = 0; k < count; k++) {
		const char *colour = colours[k % COLOURS],
			   *dash = k / COLOURS ? " stroke-dasharray='5 3'" : "";
		qsort(s[k].point, s[k].count, sizeof *s[k].point, by_x);
		fprintf(to, "<polyline fill='none' stroke='%s' stroke-width='2'%s points='", colour,
			dash);
		for (size_t i = 0; i < s[k].count; i++)
			fprintf(to, "%s%.1f,%.1f", i ? " " : "", px(&x, s[k].point[i].x),
				py(&y, s[k].point[i].y));
		fputs("'/>\n", to);
		for (size_t i = 0; i < s[k].count; i++)
			fprintf(to,
				"<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s'><title>%s: %.6g at %.6g</title></circle>\n",
				px(&x, s[k].point[i].x), py(&y, s[k].point[i].y), colour, s[k].name,
				s[k].point[i].y, s[k].point[i].x);
		fprintf(to,
			"<line x1='%d' x2='%d' y1='%zu' y2='%zu' stroke='%s' stroke-width='3'%s/><text x='%d' y='%zu' class='legend'>%s</text>\n",
			LEFT, LEFT + 24, HEIGHT + 16 * k + 2, HEIGHT + 16 * k + 2, colour, dash,
			LEFT + 30, HEIGHT + 16 * k + 6, s[k].name);
	}
	fputs("</svg>\n", to);
	free(s);
}

static bool same_plot(const struct row *a, const struct row *b)
{
	return !strcmp(a->filter, b->filter) && a->frame_bytes == b->frame_bytes;
}

static void facts(FILE *to, const char *title, const struct facts *f)
{
	fprintf(to, "<h2>%s</h2>\n<dl>\n", title);
	for (size_t i = 0; i < f->count; i++) {
		fprintf(to, "<div><dt>%s</dt><dd>", f->fact[i].name);
		escaped(to, strcmp(f->fact[i].text, "null") ? f->fact[i].text : "-");
		fputs("</dd></div>\n", to);
	}
	fputs("</dl>\n", to);
}

static void table(FILE *to, const struct result *r)
{
	char text[512];
	fputs("<h2>all cases</h2>\n<div class='wide'><table id='cases'><thead><tr>", to);
	for (const struct column *c = r->columns; c->name; c++)
		if (c->text & (unsigned)r->kind)
			fprintf(to, "<th>%s</th>", c->name);
	fputs("</tr></thead><tbody>\n", to);
	for (size_t i = 0; i < r->count; i++) {
		const struct row *row = (const struct row *)r->rows + i;
		fprintf(to, "<tr%s>", row->lost ? " class='lossy'" : "");
		for (const struct column *c = r->columns; c->name; c++) {
			if (!(c->text & (unsigned)r->kind))
				continue;
			fputs(c->type == COLUMN_TEXT ? "<td class='word'>" : "<td>", to);
			if (cell(text, sizeof text, c, row, c->decimals))
				escaped(to, text);
			fputs("</td>", to);
		}
		fputs("</tr>\n", to);
	}
	fputs("</tbody></table></div>\n", to);
}

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1330px;padding:24px;color:#1c2430;background:#fff}h1{font-size:24px;margin:0}"
	"h2{font-size:17px;margin:28px 0 8px}dl{display:flex;flex-wrap:wrap;gap:6px 28px;margin:0}dl div{max-width:640px}dt{color:#5b6675;font-size:12px}dd{margin:0;overflow-wrap:anywhere}"
	".plots{display:flex;flex-wrap:wrap;gap:20px}svg{background:#fff;width:420px;max-width:100%;height:auto}.frame{fill:none;stroke:#9aa5b1}.grid{stroke:#e3e8ee}.tick,.legend{font-size:11px;fill:#3e4c59}"
	".axis{font-size:12px;fill:#1c2430}line.begins{stroke:#c02a3e;stroke-dasharray:4 3}text.begins{font-size:11px;fill:#c02a3e}.wide{overflow-x:auto}"
	"table{border-collapse:collapse;font-size:12px;font-variant-numeric:tabular-nums}th,td{padding:3px 8px;text-align:right;border-bottom:1px solid #e3e8ee}td.word{text-align:left}"
	"tr.lossy td{background:#fdf0f0}";

int write_page(FILE *to, const struct result *r)
{
	const struct row *rows = r->rows;
	struct axes a = { .by_rate = false };
	for (size_t i = 1; i < r->count; i++) {
		a.by_rate |= rows[i].rate != rows[0].rate;
		a.modes |= strcmp(rows[i].mode, rows[0].mode) != 0;
		a.buffers |= rows[i].buffer_bytes != rows[0].buffer_bytes;
	}
	if (!a.by_rate)
		a.buffers = false; /* they are the x axis */
	fprintf(to,
		"<!DOCTYPE html>\n<html xmlns='http://www.w3.org/1999/xhtml' lang='en'>\n<head><meta charset='utf-8'/><title>bpfbench sweep</title>\n"
		"<meta name='viewport' content='width=device-width'/><style>%s</style></head>\n<body>\n<h1>bpfbench: where loss begins</h1>\n",
		style);
	facts(to, "found", &r->findings);
	for (size_t i = 0; i < r->count;) {
		size_t n = 1;
		while (i + n < r->count && same_plot(&rows[i], &rows[i + n]))
			n++;
		fputs("<section><h2>filter: ", to);
		escaped(to, rows[i].filter);
		if (rows[i].frame_bytes != ABSENT)
			fprintf(to, "; frames of %llu bytes",
				(unsigned long long)rows[i].frame_bytes);
		fputs("</h2>\n<div class='plots'>\n", to);
		plot(to, rows + i, n, &a, loss_of, "loss", "lost, percent");
		plot(to, rows + i, n, &a, cpu_of, "cpu", "CPU, ns a packet");
		plot(to, rows + i, n, &a, fill_of, "fill", "buffers filled, percent");
		fputs("</div></section>\n", to);
		i += n;
	}
	facts(to, "host", &r->host);
	facts(to, "options", &r->options);
	fputs("<h2>notes</h2>\n<ul>", to);
	for (size_t i = 0; i < r->notes.count; i++) {
		fputs("<li>", to);
		escaped(to, r->notes.fact[i].text);
		fputs("</li>", to);
	}
	fputs("</ul>\n", to);
	table(to, r);
	fputs("</body>\n</html>\n", to);
	return ferror(to) ? errno : 0;
}
