/* SPDX-License-Identifier: MIT */
/* Writes a sweep as a page: XHTML with SVG inside, without scripts and without anything to fetch.
 *
 * Each filter and frame size has three plots: loss, CPU time a packet, and the fill of the buffers.
 * The x axis is the offered rate if the sweep has several rates, else the buffer size.  Each
 * combination of the other settings is a line.  A dashed line marks where loss begins: at the
 * lowest rate with loss, or up to the largest buffer with loss. */
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
/* The settings that differ within a sweep, and so belong into the names of lines. */
struct axes {
	bool by_rate, modes, buffers, workers;
};

static const char *const colours[] = { "#1668b8", "#c8500a", "#2c8a3c", "#a02c8a", "#8a6d00",
	"#0a8f96", "#c02a3e", "#5b4bc4", "#6b7280", "#7a4a21" };
#define COLOURS (sizeof colours / sizeof *colours)

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

static const char *format_amount(char *to, size_t room, double v)
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

static const char *format_bytes(char *to, size_t room, uint64_t v)
{
	if (v % (1u << 20) == 0)
		snprintf(to, room, "%lluM", (unsigned long long)(v >> 20));
	else if (v % 1024 == 0)
		snprintf(to, room, "%lluK", (unsigned long long)(v >> 10));
	else
		snprintf(to, room, "%llu", (unsigned long long)v);
	return to;
}

static double measure_offered(const struct row *r)
{
	const uint64_t packets = r->sent != ABSENT ? r->sent : r->delivered + r->lost;

	return r->seconds > 0 ? (double)packets / r->seconds : NAN;
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

/* Names a line by the settings that differ. */
static void name_series(char *to, size_t room, const struct row *r, const struct axes *a)
{
	char buffer[48] = "", size[32], mode[32] = "";

	if (a->buffers)
		snprintf(buffer, sizeof buffer, "buffer %s, ",
			format_bytes(size, sizeof size, r->buffer_bytes));
	if (a->modes)
		snprintf(mode, sizeof mode, "%s, ", r->mode);
	snprintf(to, room, "%s%s%llu workers", buffer, mode, (unsigned long long)r->workers);
}

/* Fills s with the lines of n rows and returns the number of lines.  Rows without a number are left
 * out. */
static size_t gather_series(struct series *s, const struct row *rows, size_t n,
	const struct axes *a, double (*y)(const struct row *))
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		char name[160];
		size_t k = 0;
		const double v = y(&rows[i]);
		const double x =
			a->by_rate ? measure_offered(&rows[i]) : (double)rows[i].buffer_bytes;
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

static int compare_points(const void *a, const void *b)
{
	const double x = ((const struct point *)a)->x;
	const double y = ((const struct point *)b)->x;

	return (x > y) - (x < y);
}

struct scale {
	double from, to;
	bool log;
};

static double scale_value(const struct scale *s, double v)
{
	const double part = s->log ? log(v / s->from) / log(s->to / s->from)
				   : (v - s->from) / (s->to - s->from);

	if (part < 0)
		return 0;
	return part > 1 ? 1 : part;
}
static double plot_x(const struct scale *s, double v)
{
	return LEFT + scale_value(s, v) * (WIDTH - LEFT - RIGHT);
}
static double plot_y(const struct scale *s, double v)
{
	return HEIGHT - BOTTOM - scale_value(s, v) * (HEIGHT - TOP - BOTTOM);
}

/* Returns the next number at or above v that is 1, 2 or 5 times a power of ten. */
static double round_axis_up(double v)
{
	static const double steps[] = { 1, 2, 5, 10 };
	const double power = pow(10, floor(log10(v)));
	size_t k = 0;

	while (k < 3 && v / power > steps[k])
		k++;
	return power * steps[k];
}

static void write_axes(FILE *to, const struct scale *x, const struct scale *y, const char *x_name,
	const char *y_name, bool x_bytes)
{
	char text[32];
	fprintf(to, "<rect x='%d' y='%d' width='%d' height='%d' class='frame'/>\n", LEFT, TOP,
		WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
	for (int k = 0; k <= 4; k++) {
		const double v = y->from + (y->to - y->from) * k / 4;
		const double at = plot_y(y, v);

		fprintf(to,
			"<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='grid'/><text x='%d' y='%.1f' class='tick' text-anchor='end'>%s</text>\n",
			LEFT, WIDTH - RIGHT, at, at, LEFT - 6, at + 4,
			format_amount(text, sizeof text, v));
	}
	for (int k = 0; k <= 4; k++) {
		double v = x->log ? x->from * pow(x->to / x->from, k / 4.0)
				  : x->from + (x->to - x->from) * k / 4;
		fprintf(to, "<text x='%.1f' y='%d' class='tick' text-anchor='middle'>%s</text>\n",
			plot_x(x, v), HEIGHT - BOTTOM + 16,
			x_bytes ? format_bytes(text, sizeof text, (uint64_t)v / 1024 * 1024)
				: format_amount(text, sizeof text, v));
	}
	fprintf(to, "<text x='%d' y='%d' class='axis' text-anchor='middle'>%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name);
	fprintf(to, "<text x='%d' y='14' class='axis'>%s</text>\n", LEFT, y_name);
}

/* The lines of a plot with their scales. */
struct plot {
	struct series *series;
	size_t count;
	struct scale x, y;
	bool by_rate;
	double begins; /* where loss begins; by buffers: where loss ends */
};

/* Widens the scales and moves the border of loss for a point. */
static void extend_plot(struct plot *p, const struct point *point)
{
	if (point->x < p->x.from)
		p->x.from = point->x;
	if (point->x > p->x.to)
		p->x.to = point->x;
	if (point->y > p->y.to)
		p->y.to = point->y;
	if (point->row->lost && (p->by_rate ? point->x < p->begins : point->x > p->begins))
		p->begins = point->x;
}

/* Rounds the scales.  Returns false if there is nothing to plot. */
static bool fit_scales(struct plot *p)
{
	for (size_t k = 0; k < p->count; k++)
		for (size_t i = 0; i < p->series[k].count; i++)
			extend_plot(p, &p->series[k].point[i]);
	if (!p->count || !(p->x.to > 0))
		return false;
	if (p->x.to <= p->x.from) {
		p->x.from /= 2;
		p->x.to *= 2;
	}
	p->x.log = p->x.from > 0 && p->x.to / p->x.from > 8;
	if (!p->x.log)
		p->x.from = 0;
	p->y.to = p->y.to > 0 ? round_axis_up(p->y.to) : 1;
	return true;
}

/* Writes the dashed line where loss begins, if there is loss. */
static void write_loss_border(FILE *to, const struct plot *p)
{
	const double at = plot_x(&p->x, p->begins);
	const bool left = scale_value(&p->x, p->begins) < 0.7;
	char text[64];

	if (!(p->begins > 0) || isinf(p->begins))
		return;
	if (p->by_rate)
		format_amount(text, sizeof text, p->begins);
	else
		format_bytes(text, sizeof text, (uint64_t)p->begins);
	fprintf(to, "<line class='begins' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/>", at, at, TOP,
		HEIGHT - BOTTOM);
	if (left)
		fprintf(to, "<text class='begins' x='%.1f' y='%d' text-anchor='start'>", at + 4,
			TOP + 12);
	else
		fprintf(to, "<text class='begins' x='%.1f' y='%d' text-anchor='end'>", at - 4,
			TOP + 12);
	fprintf(to, "%s: %s</text>\n", p->by_rate ? "loss begins" : "loss up to", text);
}

/* Writes line number k with its points and its legend. */
static void write_series(FILE *to, const struct plot *p, size_t k)
{
	struct series *s = &p->series[k];
	const char *colour = colours[k % COLOURS];
	const char *dash = k / COLOURS ? " stroke-dasharray='5 3'" : "";

	qsort(s->point, s->count, sizeof *s->point, compare_points);
	fprintf(to, "<polyline fill='none' stroke='%s' stroke-width='2'%s points='", colour, dash);
	for (size_t i = 0; i < s->count; i++)
		fprintf(to, "%s%.1f,%.1f", i ? " " : "", plot_x(&p->x, s->point[i].x),
			plot_y(&p->y, s->point[i].y));
	fputs("'/>\n", to);
	for (size_t i = 0; i < s->count; i++)
		fprintf(to,
			"<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s'><title>%s: %.6g at %.6g</title></circle>\n",
			plot_x(&p->x, s->point[i].x), plot_y(&p->y, s->point[i].y), colour, s->name,
			s->point[i].y, s->point[i].x);
	fprintf(to,
		"<line x1='%d' x2='%d' y1='%zu' y2='%zu' stroke='%s' stroke-width='3'%s/><text x='%d' y='%zu' class='legend'>%s</text>\n",
		LEFT, LEFT + 24, HEIGHT + 16 * k + 2, HEIGHT + 16 * k + 2, colour, dash, LEFT + 30,
		HEIGHT + 16 * k + 6, s->name);
}

static void write_plot(FILE *to, const struct row *rows, size_t n, const struct axes *a,
	double (*value)(const struct row *), const char *name, const char *y_name)
{
	struct plot p = { .x = { INFINITY, 0, true },
		.by_rate = a->by_rate,
		.begins = a->by_rate ? INFINITY : 0 };

	p.series = calloc(SERIES_MOST, sizeof *p.series);
	p.count = p.series ? gather_series(p.series, rows, n, a, value) : 0;
	if (!fit_scales(&p)) {
		fprintf(to, "<p class='%s'>%s: nothing to plot, no packets came</p>\n", name,
			y_name);
		free(p.series);
		return;
	}
	fprintf(to,
		"<svg xmlns='http://www.w3.org/2000/svg' class='%s' viewBox='0 0 %d %zu' role='img' aria-label='%s'>\n",
		name, WIDTH, HEIGHT + 16 * p.count, y_name);
	write_axes(to, &p.x, &p.y, a->by_rate ? "offered, packets a second" : "buffer, bytes",
		y_name, !a->by_rate);
	write_loss_border(to, &p);
	for (size_t k = 0; k < p.count; k++)
		write_series(to, &p, k);
	fputs("</svg>\n", to);
	free(p.series);
}

static bool shares_plot(const struct row *a, const struct row *b)
{
	return !strcmp(a->filter, b->filter) && a->frame_bytes == b->frame_bytes;
}

static void write_page_facts(FILE *to, const char *title, const struct facts *f)
{
	fprintf(to, "<h2>%s</h2>\n<dl>\n", title);
	for (size_t i = 0; i < f->count; i++) {
		fprintf(to, "<div><dt>%s</dt><dd>", f->fact[i].name);
		write_escaped(to, strcmp(f->fact[i].text, "null") ? f->fact[i].text : "-");
		fputs("</dd></div>\n", to);
	}
	fputs("</dl>\n", to);
}

static void write_page_table(FILE *to, const struct result *r)
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
				write_escaped(to, text);
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
		a.buffers = false; /* the x axis */
	fprintf(to,
		"<!DOCTYPE html>\n<html xmlns='http://www.w3.org/1999/xhtml' lang='en'>\n<head><meta charset='utf-8'/><title>bpfbench sweep</title>\n"
		"<meta name='viewport' content='width=device-width'/><style>%s</style></head>\n<body>\n<h1>bpfbench: where loss begins</h1>\n",
		style);
	write_page_facts(to, "found", &r->findings);
	for (size_t i = 0; i < r->count;) {
		size_t n = 1;
		while (i + n < r->count && shares_plot(&rows[i], &rows[i + n]))
			n++;
		fputs("<section><h2>filter: ", to);
		write_escaped(to, rows[i].filter);
		if (rows[i].frame_bytes != ABSENT)
			fprintf(to, "; frames of %llu bytes",
				(unsigned long long)rows[i].frame_bytes);
		fputs("</h2>\n<div class='plots'>\n", to);
		write_plot(to, rows + i, n, &a, measure_loss, "loss", "lost, percent");
		write_plot(to, rows + i, n, &a, measure_cpu, "cpu", "CPU, ns a packet");
		write_plot(to, rows + i, n, &a, measure_fill, "fill", "buffers filled, percent");
		fputs("</div></section>\n", to);
		i += n;
	}
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
	fputs("</body>\n</html>\n", to);
	return ferror(to) ? errno : 0;
}
