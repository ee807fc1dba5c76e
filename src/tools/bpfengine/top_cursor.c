/* SPDX-License-Identifier: MIT */
/* The cursor of the live view (top_model.h); pure. */
#include "top_model.h"

#include <string.h>

/* Returns whether two records have the same key; the originator may have changed. */
static bool has_same_key(const struct bpe_flow *a, const struct bpe_flow *b)
{
	if (a->hash != b->hash || a->ip_proto != b->ip_proto || a->ip_version != b->ip_version)
		return false;
	if (memcmp(a->vlan, b->vlan, sizeof a->vlan) != 0)
		return false;
	const bool is_same = !memcmp(a->addr, b->addr, sizeof a->addr) &&
			     !memcmp(a->port, b->port, sizeof a->port);
	const bool is_turned = !memcmp(a->addr[0], b->addr[1], 16) &&
			       !memcmp(a->addr[1], b->addr[0], 16) && a->port[0] == b->port[1] &&
			       a->port[1] == b->port[0];
	return is_same || is_turned;
}

/* Returns whether a row is what the cursor follows. */
static bool is_followed(
	const struct top_cursor *c, const struct top_model *m, const struct top_row *r)
{
	if (m->group)
		return top_same_group(m->group, &c->flow, c->end, r->flow, r->end);
	if (m->shows_closed && r->flow->first_ns != c->flow.first_ns)
		return false;
	return has_same_key(&c->flow, r->flow);
}

const struct top_row *top_cursor_find(const struct top_cursor *c, const struct top_model *m)
{
	for (size_t i = 0; i < m->shown; i++)
		if (is_followed(c, m, top_row_at(m, i)))
			return top_row_at(m, i);
	return NULL;
}

bool top_cursor_find_closed(struct top_cursor *c, const struct top_model *m)
{
	for (size_t i = 0; i < m->closed_count; i++) {
		const struct bpe_flow *f = &m->closed[i];

		if (f->first_ns != c->flow.first_ns || !has_same_key(&c->flow, f))
			continue;
		c->flow = *f;
		return true;
	}
	return false;
}

/* Puts the cursor inside the list, and the window around the cursor. */
static void keep_in_window(struct top_cursor *c, const struct top_model *m, size_t rows)
{
	const size_t last = m->shown ? m->shown - 1 : 0;

	if (c->at > last)
		c->at = last;
	if (!rows)
		rows = 1;
	if (c->first > c->at)
		c->first = c->at;
	if (c->at - c->first >= rows)
		c->first = c->at - rows + 1;
	if (c->first + rows > m->shown)
		c->first = m->shown > rows ? m->shown - rows : 0;
}

/* Notes the row under the cursor. */
static void note_row(struct top_cursor *c, const struct top_model *m)
{
	if (c->at >= m->shown)
		return;
	const struct top_row *r = top_row_at(m, c->at);
	c->flow = *r->flow;
	c->end = r->end;
}

void top_cursor_move(struct top_cursor *c, const struct top_model *m, enum top_move move,
	long lines, size_t rows)
{
	const size_t up = lines < 0 ? (size_t)-lines : 0;

	switch (move) {
	case TOP_MOVE_LINES:
		if (lines >= 0)
			c->at += (size_t)lines;
		else
			c->at -= up < c->at ? up : c->at;
		break;
	case TOP_MOVE_HOME:
		c->at = 0;
		break;
	case TOP_MOVE_END:
		c->at = m->shown;
		break;
	default:
		return;
	}
	keep_in_window(c, m, rows);
	c->follows = c->at > 0;
	note_row(c, m);
}

void top_cursor_settle(struct top_cursor *c, const struct top_model *m, size_t rows)
{
	const size_t end = c->first + rows < m->shown ? c->first + rows : m->shown;

	for (size_t i = c->first; c->follows && i < end; i++) {
		if (!is_followed(c, m, top_row_at(m, i)))
			continue;
		c->at = i;
		break;
	}
	keep_in_window(c, m, rows);
	note_row(c, m);
}
