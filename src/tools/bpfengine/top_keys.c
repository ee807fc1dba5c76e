/* SPDX-License-Identifier: MIT */
/* The live view's keys.  Main thread. */
#include "top_view.h"

#include <string.h>

enum { KEY_CTRL_H = 8, KEY_CTRL_L = 12, KEY_CTRL_U = 21, KEY_ESCAPE = 27, KEY_DELETE = 127 };

static bool is_enter(int key)
{
	return key == '\r' || key == '\n' || key == KEY_ENTER;
}

static bool is_backspace(int key)
{
	return key == KEY_BACKSPACE || key == KEY_DELETE || key == KEY_CTRL_H;
}

/* ---- What is shown ---- */

/* Shows a changed list from its beginning. */
static void show_changed_list(struct top_view *v)
{
	v->cursor = (struct top_cursor){ .at = 0 };
	v->ends_spare = 0;
	v->ends[0] = 0;
	v->ends[1] = 0;
	top_model_arrange(&v->model);
}

/* Asks the engine at once, since another order may be of other flows. */
static void ask_anew(struct top_view *v)
{
	v->due_ns = 0;
	if (v->is_over)
		v->settled = 1;
}

static void change_sort(struct top_view *v, enum top_sort sort)
{
	v->model.sort = sort;
	ask_anew(v);
	show_changed_list(v);
}

static void change_group(struct top_view *v, int group)
{
	v->model.group = (enum top_group)(group % TOP_GROUPS);
	v->model.within.group = TOP_GROUP_NONE;
	show_changed_list(v);
}

static void change_closed(struct top_view *v)
{
	struct top_model *m = &v->model;

	m->shows_closed = !m->shows_closed;
	if (!v->is_paused)
		m->closed_count = top_closed_copy(&v->closed, m->closed, &m->closed_all);
	show_changed_list(v);
}

/* Shows all of the flow under the cursor, or the flows of the group under the cursor. */
static void open_row(struct top_view *v)
{
	struct top_model *m = &v->model;

	if (v->cursor.at >= m->shown)
		return;
	const struct top_row *r = top_row_at(m, v->cursor.at);
	if (m->group) {
		m->within.group = m->group;
		m->within.flow = *r->flow;
		m->within.end = r->end;
		m->group = TOP_GROUP_NONE;
		show_changed_list(v);
		return;
	}
	v->detail = v->cursor;
	v->detail.flow = *r->flow;
	v->page_first = 0;
	v->mode = TOP_MODE_FLOW;
}

/* Goes back: from the flows of a group to the groups, then to a list without a filter. */
static void go_back(struct top_view *v)
{
	struct top_model *m = &v->model;

	if (m->within.group) {
		m->group = m->within.group;
		m->within.group = TOP_GROUP_NONE;
	} else {
		m->filter[0] = 0;
	}
	show_changed_list(v);
}

/* ---- The filter ---- */

/* Handles a key while the filter is typed. */
static void edit_filter(struct top_view *v, int key)
{
	char *filter = v->model.filter;
	const size_t length = strlen(filter);

	if (is_enter(key)) {
		v->mode = TOP_MODE_LIST;
	} else if (key == KEY_ESCAPE) {
		memcpy(filter, v->filter_before, TOP_FILTER);
		v->mode = TOP_MODE_LIST;
	} else if (is_backspace(key) && length) {
		filter[length - 1] = 0;
	} else if (key == KEY_CTRL_U) {
		filter[0] = 0;
	} else if (key >= ' ' && key < KEY_DELETE && length + 1 < TOP_FILTER) {
		filter[length] = (char)key;
		filter[length + 1] = 0;
	}
	show_changed_list(v);
}

/* ---- Moving ---- */

/* Sets the lines to move by for a key that moves.  Returns TOP_MOVE_NONE for another key. */
static enum top_move read_move(int key, long page, long *lines)
{
	*lines = 0;
	switch (key) {
	case KEY_DOWN:
	case 'j':
		*lines = 1;
		return TOP_MOVE_LINES;
	case KEY_UP:
	case 'k':
		*lines = -1;
		return TOP_MOVE_LINES;
	case KEY_NPAGE:
		*lines = page;
		return TOP_MOVE_LINES;
	case KEY_PPAGE:
		*lines = -page;
		return TOP_MOVE_LINES;
	case KEY_HOME:
		return TOP_MOVE_HOME;
	case KEY_END:
		return TOP_MOVE_END;
	default:
		return TOP_MOVE_NONE;
	}
}

/* Handles a key while a page of text is shown. */
static void read_page(struct top_view *v, int key)
{
	const long page = getmaxy(stdscr) > 3 ? getmaxy(stdscr) - 2 : 1;
	const size_t first = v->page_first;
	long lines;

	switch (read_move(key == ' ' ? KEY_NPAGE : key, page, &lines)) {
	case TOP_MOVE_LINES:
		if (lines < 0)
			v->page_first = first > (size_t)-lines ? first - (size_t)-lines : 0;
		else
			v->page_first = first + (size_t)lines; /* top_draw.c sets the bounds */
		return;
	case TOP_MOVE_HOME:
		v->page_first = 0;
		return;
	case TOP_MOVE_END:
		v->page_first = TOP_PAGE_LINES;
		return;
	default:
		break;
	}
	const bool leaves = key == KEY_ESCAPE || key == 'q' || key == 'h' || key == '?';
	if (leaves || is_enter(key) || is_backspace(key))
		v->mode = TOP_MODE_LIST;
}

/* ---- The list ---- */

/* Handles the keys which change the order.  Returns whether the key does so. */
static bool handle_sort_key(struct top_view *v, int key)
{
	const enum top_sort sort = v->model.sort;

	switch (key) {
	case 's':
		change_sort(v, (enum top_sort)((sort + 1) % TOP_SORTS));
		return true;
	case 'S':
		change_sort(v, (enum top_sort)((sort + TOP_SORTS - 1) % TOP_SORTS));
		return true;
	case 'b':
		change_sort(v, TOP_BYTES);
		return true;
	case 'p':
		change_sort(v, TOP_PACKETS);
		return true;
	case 't':
		change_sort(v, TOP_RATE);
		return true;
	case 'w':
		v->model.average = (v->model.average + 1) % TOP_WINDOWS;
		ask_anew(v);
		top_model_arrange(&v->model);
		return true;
	case 'r':
		v->model.reverse = !v->model.reverse;
		show_changed_list(v);
		return true;
	default:
		return false;
	}
}

/* Handles the keys which change what the rows are.  Returns whether the key does so. */
static bool handle_group_key(struct top_view *v, int key)
{
	const int group = (int)v->model.group;

	switch (key) {
	case 'g':
		change_group(v, group + 1);
		return true;
	case 'G':
		change_group(v, group + TOP_GROUPS - 1);
		return true;
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
		change_group(v, key - '1');
		return true;
	case 'c':
		change_closed(v);
		return true;
	case KEY_ESCAPE:
		go_back(v);
		return true;
	default:
		return false;
	}
}

/* Handles the other keys of the list.  Returns false if the user wants to leave. */
static bool handle_list_key(struct top_view *v, int key)
{
	struct top_model *m = &v->model;

	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'h':
	case '?':
		v->mode = TOP_MODE_HELP;
		v->page_first = 0;
		break;
	case '/':
	case 'f':
		memcpy(v->filter_before, m->filter, TOP_FILTER);
		v->mode = TOP_MODE_FILTER;
		break;
	case ' ':
		v->is_paused = !v->is_paused;
		v->due_ns = 0;
		break;
	case 'n':
		m->names = !m->names;
		break;
	case 'u':
		m->bytes = !m->bytes;
		break;
	default:
		if (is_enter(key))
			open_row(v);
		break;
	}
	return true;
}

static bool handle_key_in_list(struct top_view *v, int key)
{
	const size_t rows = top_draw_rows();
	long lines;
	const enum top_move move = read_move(key, rows > 1 ? (long)rows - 1 : 1, &lines);

	if (move) {
		top_cursor_move(&v->cursor, &v->model, move, lines, rows);
		return true;
	}
	if (handle_sort_key(v, key) || handle_group_key(v, key))
		return true;
	return handle_list_key(v, key);
}

bool top_handle_key(struct top_view *v, int key)
{
	v->is_changed = true;
	if (key == KEY_RESIZE || key == KEY_CTRL_L) {
		clearok(curscr, TRUE);
		return true;
	}
	switch (v->mode) {
	case TOP_MODE_FILTER:
		edit_filter(v, key);
		return true;
	case TOP_MODE_HELP:
	case TOP_MODE_FLOW:
		read_page(v, key);
		return true;
	default:
		return handle_key_in_list(v, key);
	}
}
