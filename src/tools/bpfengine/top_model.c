/* SPDX-License-Identifier: MIT */
/* The rows of the live view and their order (top_model.h); pure. */
#include "top_model.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384u /* at least four for each track (top_track.c) */
_Static_assert(SLOTS >= 4 * TOP_TRACKS, "SLOTS");

bool top_model_init(struct top_model *m)
{
	*m = (struct top_model){ .sort = TOP_RATE };
	m->now.flows = calloc(TOP_FLOWS, sizeof *m->now.flows);
	m->tracks = calloc(TOP_TRACKS, sizeof *m->tracks);
	m->slots = calloc(SLOTS, sizeof *m->slots);
	m->closed = calloc(TOP_CLOSED, sizeof *m->closed);
	m->rows = calloc(TOP_FLOWS, sizeof *m->rows);
	m->others = calloc(TOP_ROWS, sizeof *m->others);
	m->order = calloc(TOP_ROWS, sizeof *m->order);
	m->listed = m->rows;
	const bool has_flows = m->now.flows && m->tracks && m->slots && m->closed;
	if (has_flows && m->rows && m->others && m->order)
		return true;
	top_model_free(m);
	return false;
}

void top_model_free(struct top_model *m)
{
	free(m->now.flows);
	free(m->tracks);
	free(m->slots);
	free(m->closed);
	free(m->rows);
	free(m->others);
	free(m->order);
	*m = (struct top_model){ .sort = TOP_RATE };
}

/* ---- Rows ---- */

/* Fills a row with all but the rates, which come from the flow's track. */
static void fill_row(struct top_row *r, const struct bpe_flow *f)
{
	const bool has_rtt = f->rtt_ns[0] >= 0 && f->rtt_ns[1] >= 0;
	const int64_t *halves = has_rtt ? f->rtt_ns : f->handshake_ns;

	*r = (struct top_row){
		.flow = f,
		.flows = 1,
		.bytes = { f->wire_bytes[0], f->wire_bytes[1] },
		.packets = { f->packets[0], f->packets[1] },
		.retransmissions = (uint64_t)f->retransmissions[0] + f->retransmissions[1],
		.rtt_ns = -1,
		.age_ns = (int64_t)((uint64_t)f->last_ns - (uint64_t)f->first_ns),
	};
	if (halves[0] >= 0 && halves[1] >= 0)
		r->rtt_ns = (int64_t)((uint64_t)halves[0] + (uint64_t)halves[1]);
}

/* Returns the time that rates are computed with. */
static int64_t model_time(const struct top_model *m)
{
	return m->is_file ? m->now.stats.last_packet_ns : (int64_t)m->now.stats.elapsed_ns;
}

double top_run_seconds(const struct top_model *m)
{
	const struct bpe_stats *s = &m->now.stats;

	if (!m->is_file)
		return (double)s->elapsed_ns * 1e-9;
	return (double)((uint64_t)s->last_packet_ns - (uint64_t)s->first_packet_ns) * 1e-9;
}

/* Sets the rates of a row to the averages over the whole run. */
static void fill_whole_rates(struct top_row *r, double seconds)
{
	r->known = seconds > 0;
	for (int k = 0; k < TOP_WINDOWS && r->known; k++) {
		r->rate[k][0] = (double)r->bytes[0] / seconds;
		r->rate[k][1] = (double)r->bytes[1] / seconds;
		r->packet_rate[k] = (double)(r->packets[0] + r->packets[1]) / seconds;
	}
}

void top_model_take(struct top_model *m, struct top_shot *shot)
{
	const struct top_shot given = *shot;
	const bool is_first = !m->now.stats.elapsed_ns;

	if (given.stats.elapsed_ns != m->now.stats.elapsed_ns) {
		m->is_first = is_first;
		m->before = m->now;
		m->before.flows = NULL;
	} /* else the run is over: rates stay at the last period's */
	shot->flows = m->now.flows;
	m->now = given;
	m->seconds = (double)(m->now.stats.elapsed_ns - m->before.stats.elapsed_ns) * 1e-9;
	top_tick_take(m, m->is_file ? m->now.stats.first_packet_ns : 0, model_time(m));
	for (size_t i = 0; i < m->now.count; i++) {
		fill_row(&m->rows[i], &m->now.flows[i]);
		m->has_processes |= m->now.flows[i].pid > 0;
		m->has_names |= m->now.flows[i].names.server[0] != 0;
		m->has_apps |= m->now.flows[i].names.app != BPE_APP_NONE;
	}
	top_tracks_take(m);
	for (size_t i = 0; i < m->now.count && m->is_whole; i++)
		fill_whole_rates(&m->rows[i], top_run_seconds(m));
	top_model_arrange(m);
}

/* ---- Order ---- */

/* Returns the name of the order, which for closed flows has another default. */
const char *top_sort_name(const struct top_model *m)
{
	static const char *const names[TOP_SORTS] = { "rate", "bytes", "packets", "retransmissions",
		"round trip", "duration" };

	if (m->shows_closed && m->sort == TOP_RATE)
		return m->group ? "bytes" : "latest";
	return m->sort < TOP_SORTS ? names[m->sort] : "?";
}

struct sort_item {
	double value;
	uint64_t bytes;
	uint32_t row;
};

static double sort_value(const struct top_model *m, const struct top_row *r, uint32_t row)
{
	const double bytes = (double)(r->bytes[0] + r->bytes[1]);

	switch (m->sort) {
	case TOP_RATE:
		if (m->shows_closed)
			return m->group ? bytes : -(double)row;
		return r->known ? r->rate[m->average][0] + r->rate[m->average][1] : -1;
	case TOP_PACKETS:
		return (double)(r->packets[0] + r->packets[1]);
	case TOP_RETRANSMISSIONS:
		return (double)r->retransmissions;
	case TOP_RTT:
		return (double)r->rtt_ns;
	case TOP_AGE:
		return (double)r->age_ns;
	default:
		return bytes;
	}
}

/* Compares for qsort: the larger value first, then more bytes, then the order of the snapshot. */
static int compare_sort_items(const void *x, const void *y)
{
	const struct sort_item *a = x;
	const struct sort_item *b = y;

	if (a->value > b->value || a->value < b->value)
		return a->value > b->value ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

static void sort_rows(struct top_model *m)
{
	static struct sort_item items[TOP_ROWS]; /* only one thread shows the view */

	for (size_t i = 0; i < m->shown; i++) {
		const struct top_row *r = &m->listed[m->order[i]];

		items[i] = (struct sort_item){ sort_value(m, r, m->order[i]),
			r->bytes[0] + r->bytes[1], m->order[i] };
	}
	qsort(items, m->shown, sizeof *items, compare_sort_items);
	for (size_t i = 0; i < m->shown; i++)
		m->order[i] = items[m->reverse ? m->shown - 1 - i : i].row;
}

/* Fills m->order with the rows that the filter and the chosen group let through. */
static void select_rows(struct top_model *m, size_t count)
{
	m->shown = 0;
	for (size_t i = 0; i < count; i++) {
		const struct bpe_flow *f = m->listed[i].flow;

		if (m->where && !bpe_where_match(m->where, f))
			continue;
		if (!top_matches(m, f, m->filter))
			continue;
		if (!top_in_group(m->within.group, &m->within.flow, m->within.end, f))
			continue;
		m->order[m->shown++] = (uint32_t)i;
	}
}

void top_model_arrange(struct top_model *m)
{
	/* rows of closed flows, which groups are made of; only one thread shows the view */
	static struct top_row closed_rows[TOP_CLOSED];

	m->listed = m->rows;
	size_t count = m->now.count;
	if (m->shows_closed) {
		count = m->closed_count;
		for (size_t i = 0; i < count; i++)
			fill_row(&closed_rows[i], &m->closed[i]);
		m->listed = closed_rows;
	}
	select_rows(m, count);
	if (m->group) {
		m->shown = top_group_rows(m->listed, m->order, m->shown, m->group, m->others);
		m->listed = m->others;
		for (size_t i = 0; i < m->shown; i++)
			m->order[i] = (uint32_t)i;
	} else if (m->shows_closed) {
		memcpy(m->others, closed_rows, count * sizeof *m->others);
		m->listed = m->others;
	}
	sort_rows(m);
}

const struct top_row *top_row_at(const struct top_model *m, size_t i)
{
	return &m->listed[m->order[i]];
}
