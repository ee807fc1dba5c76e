/* SPDX-License-Identifier: MIT */
/* The columns of the live view which a window has room for (top_text.h); pure. */
#include "top_text.h"

#include <string.h>

static const struct {
	const char *title;
	int width, least; /* cells; least: before the column is left out */
	int keep;         /* the column with the lowest number goes first in a narrow window */
	bool right;
} columns[TOP_COLUMNS] = {
	[TOP_COLUMN_FROM] = { "originator", 10, 9, 99, false },
	[TOP_COLUMN_TO] = { "responder", 9, 9, 98, false },
	[TOP_COLUMN_FLOWS] = { "flows", 6, 6, 13, true },
	[TOP_COLUMN_PROTO] = { "proto", 6, 5, 11, false },
	[TOP_COLUMN_APP] = { "app", 8, 5, 9, false },
	[TOP_COLUMN_OUT] = { "->", 7, 7, 15, true },
	[TOP_COLUMN_IN] = { "<-", 7, 7, 14, true },
	[TOP_COLUMN_AVERAGE] = { "2 s", 6, 6, 6, true },
	[TOP_COLUMN_AVERAGE_10] = { "10 s", 6, 6, 5, true },
	[TOP_COLUMN_AVERAGE_40] = { "40 s", 6, 6, 4, true },
	[TOP_COLUMN_PPS] = { "pkt/s", 6, 6, 7, true },
	[TOP_COLUMN_BYTES] = { "bytes", 6, 6, 10, true },
	[TOP_COLUMN_BYTES_OUT] = { "-> bytes", 8, 8, 1, true },
	[TOP_COLUMN_BYTES_IN] = { "<- bytes", 8, 8, 0, true },
	[TOP_COLUMN_PACKETS] = { "packets", 8, 8, 2, true },
	[TOP_COLUMN_STATE] = { "state", 12, 11, 8, false },
	[TOP_COLUMN_END] = { "end", 8, 7, 12, false },
	[TOP_COLUMN_RTT] = { "rtt ms", 7, 7, 3, true },
	[TOP_COLUMN_RETRANSMISSIONS] = { "retr", 5, 5, 3, true },
	[TOP_COLUMN_AGE] = { "time s", 8, 8, 3, true },
	[TOP_COLUMN_NAME] = { "name", 28, 12, 12, false },
	[TOP_COLUMN_PROCESS] = { "process", 20, 8, 9, false },
};
#define ENDS_LEAST 9 /* 10.0.0.1 without port; longer addresses are cut */

bool top_column_is_right(enum top_column_id id)
{
	return columns[id].right;
}

enum top_column_id top_sort_column(const struct top_model *m)
{
	static const uint8_t of[TOP_SORTS] = { TOP_COLUMN_AVERAGE, TOP_COLUMN_BYTES,
		TOP_COLUMN_PACKETS, TOP_COLUMN_RETRANSMISSIONS, TOP_COLUMN_RTT, TOP_COLUMN_AGE };
	const enum top_sort sort = m->sort < TOP_SORTS ? m->sort : TOP_BYTES;

	if (sort != TOP_RATE)
		return of[sort];
	if (m->shows_closed)
		return m->group ? TOP_COLUMN_BYTES : TOP_COLUMN_END;
	return m->is_whole ? TOP_COLUMN_AVERAGE
			   : (enum top_column_id)(TOP_COLUMN_AVERAGE + (int)m->average);
}

/* Returns the seconds in the name of an average, at least the time between two snapshots. */
static unsigned window_name(const struct top_model *m, int window)
{
	static const unsigned names[TOP_WINDOWS] = { 2, 10, 40 };
	const double seconds = m->seconds + 0.5;

	if (seconds < names[window] + 1.0)
		return names[window];
	return seconds < 1e9 ? (unsigned)seconds : 1000000000;
}

/* Writes the title of an average: "2 s", or "mean" over the whole run. */
static void write_window_title(char *to, size_t room, const struct top_model *m, int window)
{
	if (m->is_whole)
		snprintf(to, room, "mean");
	else
		snprintf(to, room, "%u s", window_name(m, window));
}

static const char *first_title(const struct top_model *m)
{
	static const char *const names[TOP_GROUPS] = { "originator", "host", "host", "service",
		"process", "name", "app" };

	return names[m->group < TOP_GROUPS ? m->group : 0];
}

void top_column_title(char *to, size_t room, const struct top_model *m, enum top_column_id id)
{
	char window[24];

	snprintf(to, room, "%s", columns[id].title);
	switch (id) {
	case TOP_COLUMN_FROM:
		snprintf(to, room, "%s", first_title(m));
		break;
	case TOP_COLUMN_TO:
		snprintf(to, room, "%s", m->group ? "other host" : "responder");
		break;
	case TOP_COLUMN_OUT:
	case TOP_COLUMN_IN:
		write_window_title(window, sizeof window, m, (int)m->average);
		snprintf(to, room, "%s %s", columns[id].title, window);
		break;
	case TOP_COLUMN_AVERAGE:
	case TOP_COLUMN_AVERAGE_10:
	case TOP_COLUMN_AVERAGE_40:
		write_window_title(to, room, m, (int)id - TOP_COLUMN_AVERAGE);
		break;
	default:
		break;
	}
}

/* Returns whether the average differs from the average before. */
static bool has_average(const struct top_model *m, int window)
{
	if (!window)
		return true;
	if (window == (int)m->average)
		return !m->is_whole;
	return !m->is_whole && window_name(m, window) > window_name(m, window - 1);
}

/* Returns whether the list has the column in a window of any width. */
static bool has_column(const struct top_model *m, enum top_column_id id)
{
	switch (id) {
	case TOP_COLUMN_TO:
		return !m->group || m->group == TOP_GROUP_PAIR;
	case TOP_COLUMN_FLOWS:
		return m->group;
	case TOP_COLUMN_OUT:
	case TOP_COLUMN_IN:
	case TOP_COLUMN_PPS:
		return !m->shows_closed;
	case TOP_COLUMN_AVERAGE:
	case TOP_COLUMN_AVERAGE_10:
	case TOP_COLUMN_AVERAGE_40:
		return !m->shows_closed && has_average(m, (int)id - TOP_COLUMN_AVERAGE);
	case TOP_COLUMN_END:
		return m->shows_closed && !m->group;
	case TOP_COLUMN_PROTO:
	case TOP_COLUMN_STATE:
	case TOP_COLUMN_RTT:
		return !m->group;
	case TOP_COLUMN_PROCESS:
		return m->has_processes && !m->group;
	case TOP_COLUMN_NAME:
		return m->has_names && !m->group;
	case TOP_COLUMN_APP:
		return m->has_apps && !m->group;
	default:
		return true;
	}
}

/* ---- Widths ---- */

/* Widths of all columns (0: left out), and their sum with the blanks between them. */
struct widths {
	int width[TOP_COLUMNS];
	int sum;
};

static void remove_column(struct widths *w, int column)
{
	if (w->width[column])
		w->sum -= w->width[column] + 1;
	w->width[column] = 0;
}

/* Returns the column to narrow or remove first, or -1 if only the ends and the sorted column are
 * left. */
static int least_wanted_column(const struct widths *w, int sorted)
{
	int least = -1;

	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (!w->width[k] || columns[k].keep >= 90 || k == sorted)
			continue;
		if (least < 0 || columns[k].keep <= columns[least].keep)
			least = k;
	}
	return least;
}

/* Narrows or removes columns, and at last narrows the ends, until the sum fits. */
static void shrink_columns(struct widths *w, int width, int sorted)
{
	int *from = &w->width[TOP_COLUMN_FROM];
	int *to = &w->width[TOP_COLUMN_TO];

	for (int k; w->sum > width && (k = least_wanted_column(w, sorted)) >= 0;) {
		const int spare = w->width[k] - columns[k].least;

		if (w->sum - spare > width) {
			remove_column(w, k);
			continue;
		}
		w->width[k] -= w->sum - width;
		w->sum = width;
	}
	while (w->sum > width && (*from > ENDS_LEAST || *to > ENDS_LEAST)) {
		--*(*from > *to ? from : to);
		w->sum--;
	}
	if (w->sum > width)
		remove_column(w, TOP_COLUMN_TO);
	if (w->sum > width)
		remove_column(w, sorted);
	if (w->sum > width) {
		*from = width > 0 ? width : 0;
		w->sum = width;
	}
}

/* Gives free cells to the ends: no more than half as much again as they need. */
static void widen_ends(struct widths *w, int width, const int ends[2])
{
	for (int k = 0; k < 2; k++) {
		int *end = &w->width[TOP_COLUMN_FROM + k];
		const int most = ends[k] + ends[k] / 2 > 24 ? ends[k] + ends[k] / 2 : 24;
		const int share = k ? width - w->sum : (width - w->sum) / 2;

		if (!*end || share <= 0)
			continue;
		const int more = *end + share < most ? share : most - *end;
		if (more <= 0)
			continue;
		*end += more;
		w->sum += more;
	}
}

void top_layout(struct top_layout *l, const struct top_model *m, int width, const int ends[2])
{
	struct widths w = { .sum = -1 }; /* a blank less than columns */

	*l = (struct top_layout){ .count = 0 };
	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (!has_column(m, (enum top_column_id)k))
			continue;
		w.width[k] = columns[k].width;
		if (k <= TOP_COLUMN_TO && ends[k] > w.width[k])
			w.width[k] = ends[k];
		w.sum += w.width[k] + 1;
	}
	shrink_columns(&w, width, top_sort_column(m));
	widen_ends(&w, width, ends);
	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (!w.width[k])
			continue;
		l->column[l->count].id = (enum top_column_id)k;
		l->column[l->count].width = w.width[k];
		l->count++;
	}
}
