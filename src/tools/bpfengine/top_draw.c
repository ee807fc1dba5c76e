/* SPDX-License-Identifier: MIT */
/* The live view's window: writes lines of text (top_text.h) to curses.  Main thread. */
#include "top_view.h"

#include <string.h>

#define ENDS_PATIENCE 5 /* draws that the ends keep more cells than they need */

static attr_t style_attribute(const struct top_view *v, short style)
{
	const attr_t weight = style == TOP_STYLE_ALERT ? A_BOLD : 0;

	return v->colours && style ? weight | (attr_t)COLOR_PAIR(style) : weight;
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

/* Writes a line with attributes up to the right edge. */
static void draw_bar(struct top_view *v, int y, const char *text, int width, attr_t attributes)
{
	char line[TOP_LINE];
	struct top_out out = top_out_begin(line, width, v->utf8);

	top_out_column(&out, text, width, false);
	draw_line(v, y, top_out_end(&out), attributes, TOP_STYLE_PLAIN);
}

/* ---- Pages ---- */

/* Fills the page with the latest record of the flow. */
static void fill_flow_page(struct top_view *v)
{
	const struct top_row *row = top_cursor_find(&v->detail, &v->model);

	if (row)
		v->detail.flow = *row->flow;
	else
		top_cursor_find_closed(&v->detail, &v->model);
	top_page_flow(&v->page, &v->model, row, &v->detail.flow, v->blocks);
}

/* Draws the lines of the page for which there is room, and the keys below. */
static void draw_text_page(struct top_view *v, int height, int width)
{
	const size_t rows = height > 1 ? (size_t)height - 1 : 1;
	char keys[TOP_LINE], place[64], line[TOP_LINE];
	struct top_page *p = &v->page;

	top_page_begin(p, width - 1, v->utf8);
	if (v->mode == TOP_MODE_HELP)
		top_page_help(p, v->utf8);
	else
		fill_flow_page(v);
	if (v->page_first + rows > p->count)
		v->page_first = p->count > rows ? p->count - rows : 0;
	for (size_t i = 0; i < rows; i++)
		draw_line(v, (int)i, top_page_line(p, v->page_first + i), A_NORMAL, 0);
	if (height < 2)
		return;
	const size_t last = v->page_first + rows < p->count ? v->page_first + rows : p->count;
	snprintf(place, sizeof place, "   %zu-%zu of %u", v->page_first + 1, last, p->count);
	top_text_keys(keys, TOP_KEYS_PAGE, width - 1 - (int)strlen(place));
	struct top_out out = top_out_begin(line, width - 1, false);
	top_out_add(&out, keys, width);
	top_out_add(&out, place, width);
	draw_line(v, height - 1, top_out_end(&out), A_BOLD, 0);
}

/* ---- The list ---- */

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
		return "ENDED";
	return v->is_paused ? "PAUSED" : "";
}

/* Draws the status, and the keys or the latest notice below the status. */
static void draw_status(struct top_view *v, const struct top_lines *l, int width)
{
	char text[TOP_LINE], line[TOP_LINE], notice[256];

	/* not the last cell of the window, which would scroll some terminals */
	if (v->mode == TOP_MODE_FILTER) {
		snprintf(text, sizeof text, "Filter: %s_", v->model.filter);
		top_text_cut(line, text, width - 1, v->utf8);
	} else {
		top_text_status(line, &v->model, &v->cursor, run_state(v), width - 1, v->utf8);
	}
	draw_line(v, l->status, line, A_BOLD, 0);
	copy_latest_notice(v, notice, sizeof notice);
	snprintf(text, sizeof text, "h help   %s", notice);
	if (notice[0])
		top_text_cut(line, text, width - 1, v->utf8);
	else
		top_text_keys(line, TOP_KEYS_LIST, width - 1);
	draw_line(v, l->keys, line, A_NORMAL, 0);
}

/* Draws the lines above the list. */
static void draw_totals(struct top_view *v, const struct top_lines *l, int height, int width)
{
	struct top_model *m = &v->model;
	char text[TOP_LINE];
	bool has_drops = false;

	const char *state = v->is_over ? "ended" : "";
	top_text_source(text, m, bpe_engine_source(v->engine), state, width, v->utf8);
	draw_line(v, l->source, text, A_NORMAL, 0);
	/* a window of one line has the last cell of all here */
	draw_line(v, l->rate, top_text_rate(text, m, width - (height == 1)), A_BOLD, 0);
	top_text_drops(text, m, width, &has_drops);
	draw_line(v, l->drops, text, A_NORMAL, has_drops ? TOP_STYLE_ALERT : 0);
	draw_line(v, l->protocols, top_text_protocols(text, m, width), A_NORMAL, 0);
	draw_line(v, l->past, top_text_past(text, m, NULL, width, v->blocks), A_NORMAL,
		TOP_STYLE_BARS);
}

/* Computes the cells of the ends in the visible rows.  They grow at once, and shrink after some
 * draws, so the columns do not move with each flow that comes and goes. */
static void measure_ends(struct top_view *v, size_t rows)
{
	const struct top_model *m = &v->model;
	int need[2] = { 0, 0 };

	for (size_t i = 0; i < rows && v->cursor.first + i < m->shown; i++)
		top_need_ends(need, m, top_row_at(m, v->cursor.first + i), v->utf8);
	const bool has_grown = need[0] > v->ends[0] || need[1] > v->ends[1];
	if (has_grown || (need[0] == v->ends[0] && need[1] == v->ends[1]))
		v->ends_spare = 0;
	for (int k = 0; k < 2 && has_grown; k++)
		v->ends[k] = need[k] > v->ends[k] ? need[k] : v->ends[k];
	if (has_grown)
		return;
	if (++v->ends_spare < ENDS_PATIENCE)
		return;
	v->ends[0] = need[0];
	v->ends[1] = need[1];
}

static void draw_flows(struct top_view *v, const struct top_lines *l, int width)
{
	struct top_model *m = &v->model;
	const size_t rows = l->row_count > 0 ? (size_t)l->row_count : 0;
	struct top_layout layout;
	char text[TOP_LINE];

	top_cursor_settle(&v->cursor, m, rows);
	measure_ends(v, rows);
	top_layout(&layout, m, width, v->ends);
	top_text_head(text, m, &layout, v->utf8);
	if (l->head >= 0)
		draw_bar(v, l->head, text, width, A_BOLD | A_UNDERLINE);
	for (size_t i = 0; i < rows && v->cursor.first + i < m->shown; i++) {
		const size_t at = v->cursor.first + i;

		top_text_row(text, m, &layout, top_row_at(m, at), v->utf8);
		draw_bar(v, l->rows + (int)i, text, width,
			at == v->cursor.at ? A_REVERSE : A_NORMAL);
	}
	if (!m->shown)
		return;
	top_text_past(text, m, top_row_at(m, v->cursor.at), width, v->blocks);
	draw_line(v, l->chosen, text, A_NORMAL, TOP_STYLE_BARS);
}

size_t top_draw_rows(void)
{
	struct top_lines l;

	top_lines(&l, getmaxy(stdscr));
	return l.row_count > 0 ? (size_t)l.row_count : 1;
}

void top_draw(struct top_view *v)
{
	int height, width;
	struct top_lines l;

	getmaxyx(stdscr, height, width);
	erase();
	if (v->mode == TOP_MODE_HELP || v->mode == TOP_MODE_FLOW) {
		draw_text_page(v, height, width);
		refresh();
		return;
	}
	top_lines(&l, height);
	draw_totals(v, &l, height, width);
	draw_flows(v, &l, width);
	draw_status(v, &l, width);
	refresh();
}
