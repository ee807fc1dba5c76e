/* SPDX-License-Identifier: MIT */
/* The live view's window: writes the lines of top_text.c to curses.  Main thread. */
#include "top_view.h"

#include <string.h>

static attr_t style_attribute(const struct top_view *v, short style)
{
	if (v->colours && style)
		return (attr_t)COLOR_PAIR(style);
	return style == TOP_STYLE_ALERT ? A_BOLD : 0;
}

/* Writes a line of the window; y < 0: no line. */
static void draw_line(struct top_view *v, int y, const char *text, attr_t attributes, short style)
{
	if (y < 0)
		return;
	attrset(attributes | style_attribute(v, style));
	move(y, 0);
	clrtoeol();
	addstr(text);
	attrset(A_NORMAL);
}

static const char *const help_lines[] = {
	"s  S         sort by the next, the one before: rate, bytes, packets, retransmissions, round trip, duration",
	"b  p  t      sort by bytes, by packets, by rate",
	"r            the other way round",
	"/  f         filter: words of which all must be in address:port, protocol, state or process; !word: must not; Esc: none",
	"space        pause: the list stays as it is, the capture goes on",
	"n            names of services instead of port numbers",
	"u            rates in bytes/s or bit/s",
	"arrows, PgUp, PgDn, Home, End   through the list",
	"Ctrl-L       draw anew",
	"q            end the run, and report",
	"",
	"retr: segments sent again; rtt: lately, else of the handshake; -: not known",
	"Any key goes back.",
};

static void draw_help(struct top_view *v, int height, int width)
{
	const int count = sizeof help_lines / sizeof *help_lines;
	char text[TOP_LINE];

	for (int y = 0; y < count && y < height; y++)
		draw_line(v, y, top_text_cut(text, help_lines[y], width - 1, v->utf8), A_NORMAL, 0);
}

/* Copies the latest notice; "" if there is none. */
static void copy_latest_notice(struct top_view *v, char *to, size_t room)
{
	to[0] = 0;
	pthread_mutex_lock(&v->mutex);
	if (v->notices)
		snprintf(to, room, "%s", v->notice[(v->notices - 1) % TOP_NOTICES]);
	pthread_mutex_unlock(&v->mutex);
}

static const char *run_state(const struct top_view *v)
{
	if (v->is_over)
		return "ENDED  ";
	return v->is_paused ? "PAUSED  " : "";
}

/* Writes the order, the place in the list, the filter, and the latest notice or a hint. */
static void write_status(struct top_view *v, char text[TOP_LINE])
{
	const struct top_model *m = &v->model;
	const size_t place = m->shown < v->first + 1 ? m->shown : v->first + 1;
	char latest[256];
	int n = snprintf(text, TOP_LINE, "%s%s  %zu/%zu", run_state(v), top_sort_name(m->sort),
		place, m->shown);

	copy_latest_notice(v, latest, sizeof latest);
	if (m->now.about.recent > m->now.count)
		n += snprintf(text + n, TOP_LINE - (size_t)n, " of %llu",
			(unsigned long long)m->now.about.recent);
	if (m->filter[0])
		n += snprintf(text + n, TOP_LINE - (size_t)n, "  filter \"%s\"", m->filter);
	snprintf(text + n, TOP_LINE - (size_t)n, "  %s",
		latest[0] ? latest : "h help  q quit  s sort  r reverse  / filter  space pause");
}

static void draw_status(struct top_view *v, int y, int width)
{
	char text[TOP_LINE], line[TOP_LINE];

	if (y < 0)
		return;
	if (v->mode == TOP_MODE_FILTER)
		snprintf(text, sizeof text, "Filter: %s_", v->model.filter);
	else
		write_status(v, text);
	/* not the last cell of the window, which would scroll some terminals */
	draw_line(v, y, top_text_cut(line, text, width - 1, v->utf8), A_BOLD, 0);
}

/* Draws the lines above the list. */
static void draw_totals(struct top_view *v, const struct top_lines *l, int height, int width)
{
	struct top_model *m = &v->model;
	char text[TOP_LINE];
	bool has_drops = false;

	top_text_source(text, bpe_engine_source(v->engine), (double)m->now.stats.elapsed_ns * 1e-9,
		v->is_over ? "ended" : "", width, v->utf8);
	draw_line(v, l->source, text, A_NORMAL, TOP_STYLE_FAINT);
	/* a window of one line has the last cell of all here */
	draw_line(v, l->rate, top_text_rate(text, m, width - (height == 1)), A_BOLD, 0);
	top_text_drops(text, m, width, &has_drops);
	draw_line(v, l->drops, text, A_NORMAL, has_drops ? TOP_STYLE_ALERT : 0);
	draw_line(v, l->protocols, top_text_protocols(text, m, width), A_NORMAL, 0);
}

static void draw_flows(struct top_view *v, const struct top_lines *l, int width)
{
	struct top_model *m = &v->model;
	const size_t rows = l->row_count > 0 ? (size_t)l->row_count : 0;
	struct top_layout layout;
	char text[TOP_LINE];

	top_layout(&layout, width, m->sort, m->processes);
	draw_line(v, l->head, top_text_head(text, m, &layout, v->utf8), A_REVERSE, 0);
	if (v->first + rows > m->shown)
		v->first = m->shown > rows ? m->shown - rows : 0;
	for (size_t i = 0; i < rows && v->first + i < m->shown; i++) {
		const struct top_row *row = &m->rows[m->order[v->first + i]];

		draw_line(v, l->rows + (int)i, top_text_row(text, m, &layout, row, v->utf8),
			A_NORMAL, 0);
	}
}

void top_draw(struct top_view *v)
{
	int height, width;
	struct top_lines l;

	getmaxyx(stdscr, height, width);
	erase();
	if (v->mode == TOP_MODE_HELP) {
		draw_help(v, height, width);
		refresh();
		return;
	}
	top_lines(&l, height);
	draw_totals(v, &l, height, width);
	draw_flows(v, &l, width);
	draw_status(v, l.status, width);
	refresh();
}
