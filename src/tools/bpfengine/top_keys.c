/* SPDX-License-Identifier: MIT */
/* The live view's keys.  Main thread. */
#include "top_view.h"

#include <string.h>

enum { KEY_CTRL_H = 8, KEY_CTRL_L = 12, KEY_CTRL_U = 21, KEY_ESCAPE = 27, KEY_DELETE = 127 };

static void change_sort(struct top_view *v, enum top_sort sort)
{
	v->model.sort = sort;
	v->first = 0;
	v->due_ns = 0; /* another order may be of other flows: ask the engine at once */
	if (v->is_over)
		v->settled = 1;
	top_model_arrange(&v->model);
}

static bool is_backspace(int key)
{
	return key == KEY_BACKSPACE || key == KEY_DELETE || key == KEY_CTRL_H;
}

/* Handles a key while the filter is typed. */
static void edit_filter(struct top_view *v, int key)
{
	char *filter = v->model.filter;
	const size_t length = strlen(filter);

	if (key == '\r' || key == '\n' || key == KEY_ENTER) {
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
	v->first = 0;
	top_model_arrange(&v->model);
}

/* Handles the keys which move through the list. */
static void scroll_list(struct top_view *v, int key)
{
	const size_t page = getmaxy(stdscr) > 8 ? (size_t)getmaxy(stdscr) - 7 : 1;

	switch (key) {
	case KEY_DOWN:
		v->first++;
		break;
	case KEY_UP:
		v->first -= v->first > 0;
		break;
	case KEY_NPAGE:
		v->first += page;
		break;
	case KEY_PPAGE:
		v->first -= v->first > page ? page : v->first;
		break;
	case KEY_HOME:
		v->first = 0;
		break;
	case KEY_END:
		v->first = v->model.shown;
		break;
	default:
		break;
	}
}

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
	case 'r':
		v->model.reverse = !v->model.reverse;
		top_model_arrange(&v->model);
		return true;
	default:
		return false;
	}
}

/* Handles a key in the list.  Returns false if the user wants to leave. */
static bool handle_list_key(struct top_view *v, int key)
{
	struct top_model *m = &v->model;

	if (handle_sort_key(v, key))
		return true;
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'h':
	case '?':
		v->mode = TOP_MODE_HELP;
		break;
	case '/':
	case 'f':
		memcpy(v->filter_before, m->filter, TOP_FILTER);
		v->mode = TOP_MODE_FILTER;
		break;
	case KEY_ESCAPE:
		m->filter[0] = 0;
		top_model_arrange(m);
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
		scroll_list(v, key);
		break;
	}
	return true;
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
		v->mode = TOP_MODE_LIST;
		return true;
	default:
		return handle_list_key(v, key);
	}
}
