/* SPDX-License-Identifier: MIT */
/* Plots of a sweep, as SVG without scripts.
 *
 * The x axis is the offered rate if the sweep has several rates, else the buffer size.  Each
 * combination of the other settings is a line with a colour, dashes and marks: nobody has to see
 * colours.  A point is the median of the rounds of a case, and the error bar goes from the least to
 * the most.  A dashed line marks where loss begins: at the lowest rate with
 * loss, or up to the largest buffer with loss.  Colours come from the page's style. */
#include "plot.h"

#include "amounts.h"
#include "spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 420
#define HEIGHT 270
#define LEFT 50
#define RIGHT 14
#define TOP 24
#define BOTTOM 42
#define LINE_HEIGHT 17
#define CAP 4 /* half of the width of an error bar's ends */
#define SERIES_MOST 48u
#define POINTS_MOST 64u
#define TICKS_MOST 12u
#define ROUNDS_MOST 999u

struct point {
	double x;
	struct spread y;
	bool lossy;
};
struct series {
	char name[160];
	struct point point[POINTS_MOST];
	size_t count;
};
struct scale {
	double from, to;
	bool log;
};

/* The lines of a plot with their scales. */
struct plot {
	const struct axes *axes;
	const struct plot_kind *kind;
	struct series *series;
	size_t count;
	struct scale x, y;
	double begins; /* where loss begins; by buffers: where loss ends */
};

/* The marks of points, around the middle; %s is the class. */
static const char *const marks[] = { "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
	"M-3.2 -3.2h6.4v6.4h-6.4z", "M0 -4.2L4 3.2H-4z", "M0 -4.6L4.2 0L0 4.6L-4.2 0z",
	"M0 4.2L4 -3.2H-4z" };
#define MARKS (sizeof marks / sizeof *marks)
static const char *const dashes[] = { "none", "7 3", "2 3", "8 3 2 3" };
#define DASHES (sizeof dashes / sizeof *dashes)

/* ---- Points ---- */

static const char *format_tick(char *to, size_t room, double v)
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

/* Names a line by the settings with several values. */
static void name_series(char *to, size_t room, const struct row *r, const struct axes *a)
{
	char buffer[64] = "", size[AMOUNT_ROOM], mode[32] = "", workers[AMOUNT_ROOM] = "";
	const bool alone = !a->buffers && !a->modes;

	if (a->buffers)
		snprintf(buffer, sizeof buffer, "buffer %s, ",
			amount_bytes(size, sizeof size, r->buffer_bytes));
	if (a->modes)
		snprintf(mode, sizeof mode, "%s, ", r->mode);
	if (a->workers || alone)
		amount_of(workers, sizeof workers, r->workers, "worker");
	snprintf(to, room, "%s%s%s", buffer, mode, workers);
	const size_t n = strlen(to);

	if (!*workers)
		to[n - 2] = 0; /* the last comma */
}

/* Returns true if both rows are rounds of a case. */
static bool is_same_case(const struct row *a, const struct row *b)
{
	return a->rate == b->rate && a->buffer_bytes == b->buffer_bytes &&
	       a->workers == b->workers && !strcmp(a->mode, b->mode);
}

/* Summarises the rounds of a case.  Rounds without the figure are left out. */
static struct point summarise_case(const struct plot *p, const struct row *rows, size_t n)
{
	static double values[ROUNDS_MOST], offered[ROUNDS_MOST];
	struct point point = { .lossy = false };

	for (size_t i = 0; i < n && i < ROUNDS_MOST; i++) {
		values[i] = p->kind->value(&rows[i]);
		offered[i] = row_offered(&rows[i]);
		point.lossy |= rows[i].lost > 0;
	}
	point.y = spread_of(values, n);
	point.x = p->axes->by_rate ? spread_of(offered, n).median : (double)rows->buffer_bytes;
	return point;
}

/* Returns the series with the name of the row, or NULL if there are too many. */
static struct series *find_series(struct plot *p, const struct row *row)
{
	char name[160];
	size_t k = 0;

	name_series(name, sizeof name, row, p->axes);
	while (k < p->count && strcmp(p->series[k].name, name) != 0)
		k++;
	if (k == SERIES_MOST)
		return NULL;
	if (k == p->count) {
		memcpy(p->series[k].name, name, sizeof name);
		p->series[k].count = 0;
		p->count++;
	}
	return &p->series[k];
}

/* Fills the lines of n rows.  Cases without a number are left out. */
static void gather_series(struct plot *p, const struct row *rows, size_t n)
{
	size_t rounds;

	for (size_t i = 0; i < n; i += rounds) {
		for (rounds = 1; i + rounds < n && is_same_case(&rows[i], &rows[i + rounds]);)
			rounds++;
		const struct point point = summarise_case(p, &rows[i], rounds);

		if (!point.y.count || isnan(point.x))
			continue;
		struct series *s = find_series(p, &rows[i]);

		if (s && s->count < POINTS_MOST)
			s->point[s->count++] = point;
	}
}

static int compare_points(const void *a, const void *b)
{
	const double x = ((const struct point *)a)->x;
	const double y = ((const struct point *)b)->x;

	return (x > y) - (x < y);
}

/* ---- Scales ---- */

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

/* Widens the scales and moves the border of loss for a point. */
static void extend_plot(struct plot *p, const struct point *point)
{
	p->x.from = fmin(p->x.from, point->x);
	p->x.to = fmax(p->x.to, point->x);
	p->y.to = fmax(p->y.to, point->y.most);
	if (point->lossy && (p->axes->by_rate ? point->x < p->begins : point->x > p->begins))
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

/* ---- SVG ---- */

/* The numbers at an axis. */
struct ticks {
	double at[TICKS_MOST];
	size_t count;
};

/* Adds a number if the axis has room for the number. */
static void add_tick(struct ticks *t, const struct scale *s, double v)
{
	if (t->count < TICKS_MOST && v >= s->from && v <= s->to * 1.0001)
		t->at[t->count++] = v;
}

/* Fills the ticks of a linear axis from 0: multiples of 1, 2 or 5 times a power of ten. */
static void place_linear_ticks(struct ticks *t, const struct scale *s)
{
	const double step = round_axis_up(s->to / 5);

	t->count = 0;
	for (int k = 0; k * step <= s->to * 1.0001 && k < (int)TICKS_MOST; k++)
		add_tick(t, s, k * step);
}

/* Fills the ticks of a logarithmic axis: powers of ten with 2 and 5 between where there is room, or
 * powers of two for sizes. */
static void place_log_ticks(struct ticks *t, const struct scale *s, bool bytes)
{
	const double decades = log10(s->to / s->from);
	const int doubles = (int)ceil(log2(s->to / s->from) / 4);

	t->count = 0;
	if (bytes) {
		for (double v = exp2(ceil(log2(s->from))); v <= s->to * 1.0001;
			v *= exp2(fmax(1, doubles)))
			add_tick(t, s, v);
		return;
	}
	for (double v = pow(10, floor(log10(s->from))); v <= s->to; v *= 10) {
		add_tick(t, s, v);
		if (decades < 3)
			add_tick(t, s, 2 * v);
		if (decades < 3)
			add_tick(t, s, 5 * v);
	}
}

static void write_y_axis(FILE *to, const struct plot *p)
{
	struct ticks ticks;
	char text[32];

	place_linear_ticks(&ticks, &p->y);
	for (size_t k = 0; k < ticks.count; k++) {
		const double at = plot_y(&p->y, ticks.at[k]);

		fprintf(to,
			"<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='grid'/><text x='%d' y='%.1f' class='tick' text-anchor='end'>%s</text>\n",
			LEFT, WIDTH - RIGHT, at, at, LEFT - 5, at + 4,
			format_tick(text, sizeof text, ticks.at[k]));
	}
	fprintf(to, "<text x='4' y='15' class='axis'>%s</text>\n", p->kind->y_name);
}

static void write_x_axis(FILE *to, const struct plot *p)
{
	const char *name = p->axes->by_rate ? "offered, packets/s" : "buffer";
	struct ticks ticks;
	char text[AMOUNT_ROOM];

	if (p->x.log)
		place_log_ticks(&ticks, &p->x, !p->axes->by_rate);
	else
		place_linear_ticks(&ticks, &p->x);
	for (size_t k = 0; k < ticks.count; k++) {
		const double v = ticks.at[k];
		const double at = plot_x(&p->x, v);
		const char *anchor = at > WIDTH - RIGHT - 16 ? "end" : "middle";

		if (p->axes->by_rate)
			format_tick(text, sizeof text, v);
		else
			amount_bytes(text, sizeof text, (uint64_t)v);
		fprintf(to,
			"<path class='frame' d='M%.1f %dv4'/><text x='%.1f' y='%d' class='tick' text-anchor='%s'>%s</text>\n",
			at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 16, anchor, text);
	}
	fprintf(to, "<text x='%d' y='%d' class='axis' text-anchor='middle'>%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, name);
}

/* Writes the dashed line where loss begins, if there is loss. */
static void write_loss_border(FILE *to, const struct plot *p)
{
	const double at = plot_x(&p->x, p->begins);
	const bool left = scale_value(&p->x, p->begins) < 0.6;
	char text[64];

	if (!(p->begins > 0) || isinf(p->begins))
		return;
	if (p->axes->by_rate)
		format_tick(text, sizeof text, p->begins);
	else
		amount_bytes(text, sizeof text, (uint64_t)p->begins);
	fprintf(to, "<line class='begins' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/>", at, at, TOP,
		HEIGHT - BOTTOM);
	if (left)
		fprintf(to, "<text class='begins' x='%.1f' y='%d' text-anchor='start'>", at + 4,
			TOP + 12);
	else
		fprintf(to, "<text class='begins' x='%.1f' y='%d' text-anchor='end'>", at - 4,
			TOP + 12);
	fprintf(to, "%s %s</text>\n", p->axes->by_rate ? "loss from" : "loss up to", text);
}

/* Writes a point: mark, error bar, and a text for the pointer. */
static void write_point(FILE *to, const struct plot *p, const struct series *s, size_t i, size_t k)
{
	const struct point *point = &s->point[i];
	const double x = plot_x(&p->x, point->x);
	const double low = plot_y(&p->y, point->y.least);
	const double high = plot_y(&p->y, point->y.most);

	fprintf(to,
		"<g class='point' data-x='%.8g' data-y='%.8g' data-least='%.8g' data-most='%.8g'><title>%s: %.4g at %.4g",
		point->x, point->y.median, point->y.least, point->y.most, s->name, point->y.median,
		point->x);
	if (point->y.count > 1)
		fprintf(to, ", %.4g to %.4g in %zu rounds", point->y.least, point->y.most,
			point->y.count);
	fputs("</title>", to);
	if (point->y.count > 1)
		fprintf(to,
			"<path class='bar c%zu' d='M%.1f %.1fH%.1fM%.1f %.1fV%.1fM%.1f %.1fH%.1f'/>",
			k % PLOT_COLOURS, x - CAP, high, x + CAP, x, high, low, x - CAP, low,
			x + CAP);
	fprintf(to, "<path class='mark c%zu' transform='translate(%.1f %.1f)' d='%s'/></g>\n",
		k % PLOT_COLOURS, x, plot_y(&p->y, point->y.median), marks[k % MARKS]);
}

/* Writes line number k with points and legend. */
static void write_series(FILE *to, const struct plot *p, size_t k)
{
	struct series *s = &p->series[k];
	const char *dash = dashes[k % DASHES];
	const size_t y = HEIGHT + LINE_HEIGHT * k + 8;

	qsort(s->point, s->count, sizeof *s->point, compare_points);
	fprintf(to, "<polyline class='line c%zu' stroke-dasharray='%s' points='", k % PLOT_COLOURS,
		dash);
	for (size_t i = 0; i < s->count; i++)
		fprintf(to, "%s%.1f,%.1f", i ? " " : "", plot_x(&p->x, s->point[i].x),
			plot_y(&p->y, s->point[i].y.median));
	fputs("'/>\n", to);
	for (size_t i = 0; i < s->count; i++)
		write_point(to, p, s, i, k);
	fprintf(to,
		"<path class='line c%zu' stroke-dasharray='%s' d='M%d %zuH%d'/><path class='mark c%zu' transform='translate(%d %zu)' d='%s'/><text x='%d' y='%zu' class='legend'>%s</text>\n",
		k % PLOT_COLOURS, dash, LEFT, y, LEFT + 32, k % PLOT_COLOURS, LEFT + 16, y,
		marks[k % MARKS], LEFT + 40, y + 4, s->name);
}

/* Formats a place on the x axis: a rate, or the size of a buffer. */
static const char *format_place(char *to, size_t room, const struct plot *p, double x)
{
	if (p->axes->by_rate)
		return format_tick(to, room, x);
	return amount_bytes(to, room, (uint64_t)x);
}

/* Writes the plot as text, for screen readers. */
static void write_description(FILE *to, const struct plot *p)
{
	char text[AMOUNT_ROOM];

	for (size_t k = 0; k < p->count; k++) {
		const struct series *s = &p->series[k];

		fprintf(to, "%s%s:", k ? " " : "", s->name);
		for (size_t i = 0; i < s->count; i++)
			fprintf(to, "%s %.3g at %s", i ? "," : "", s->point[i].y.median,
				format_place(text, sizeof text, p, s->point[i].x));
		fputs(".", to);
	}
}

void plot_write(FILE *to, const struct row *rows, size_t n, const struct axes *a,
	const struct plot_kind *kind, size_t number)
{
	struct plot p = { .axes = a,
		.kind = kind,
		.x = { INFINITY, 0, true },
		.begins = a->by_rate ? INFINITY : 0 };
	const char *against = a->by_rate ? "the offered rate" : "the size of the buffer";

	p.series = calloc(SERIES_MOST, sizeof *p.series);
	if (p.series)
		gather_series(&p, rows, n);
	if (!fit_scales(&p)) {
		fprintf(to, "<p class='%s'>%s: nothing to plot, no packets came</p>\n", kind->name,
			kind->y_name);
		free(p.series);
		return;
	}
	fprintf(to,
		"<svg xmlns='http://www.w3.org/2000/svg' class='plot %s' viewBox='0 0 %d %zu' role='img' aria-labelledby='%s%zu' aria-describedby='%s%zu-says'>\n<title id='%s%zu'>%s, against %s</title><desc id='%s%zu-says'>",
		kind->name, WIDTH, HEIGHT + LINE_HEIGHT * (p.count + 1), kind->name, number,
		kind->name, number, kind->name, number, kind->y_name, against, kind->name, number);
	write_description(to, &p);
	fprintf(to, "</desc>\n<rect x='%d' y='%d' width='%d' height='%d' class='frame'/>\n", LEFT,
		TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
	write_y_axis(to, &p);
	write_x_axis(to, &p);
	write_loss_border(to, &p);
	for (size_t k = 0; k < p.count; k++)
		write_series(to, &p, k);
	fputs("</svg>\n", to);
	free(p.series);
}
