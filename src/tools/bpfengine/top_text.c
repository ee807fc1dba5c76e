/* SPDX-License-Identifier: MIT */
/* The text of the live view: chooses the lines and columns which a window has room for, and writes
 * them; pure.  Text from outside (names of processes and interfaces) is written only as far as it
 * is printable, since a terminal obeys control characters. */
#include "top.h"

#include <inttypes.h>
#include <string.h>
#include <wchar.h>

/* ---- Cells ---- */

struct line {
	char *text;
	size_t used;
	int cells, width;
	bool utf8;
};

/* A character of a text: its bytes, its cells, and whether the terminal may get it. */
struct character {
	size_t bytes;
	int cells;
	bool is_printable;
};

static struct character decode_character(const char *s, bool utf8)
{
	struct character c = { .bytes = 1, .cells = 1, .is_printable = *s >= 0x20 && *s < 0x7f };
	uint32_t code;

	if (c.is_printable || !utf8)
		return c;
	const size_t bytes = program_utf8(s);
	if (bytes < 2)
		return c;
	code = program_utf8_code(s, bytes);
	c.bytes = bytes;
	c.cells = wcwidth((wchar_t)code);
	c.is_printable = c.cells > 0;
	if (!c.is_printable)
		c.cells = 1;
	return c;
}

/* Appends as much of s as fits in `most` cells and in the line.  '?' stands for a character which
 * the terminal must not get. */
static void append_cells(struct line *l, const char *s, int most)
{
	const int end = l->cells + most < l->width ? l->cells + most : l->width;

	while (*s) {
		const struct character c = decode_character(s, l->utf8);

		if (l->cells + c.cells > end || l->used + 5 > TOP_LINE)
			return;
		if (c.is_printable) {
			memcpy(l->text + l->used, s, c.bytes);
			l->used += c.bytes;
		} else {
			l->text[l->used++] = '?';
		}
		s += c.bytes;
		l->cells += c.cells;
	}
}

static void append_blanks(struct line *l, int n)
{
	while (n-- > 0)
		append_cells(l, " ", 1);
}

static const char *finish_line(struct line *l)
{
	l->text[l->used] = 0;
	return l->text;
}

static struct line begin_line(char text[TOP_LINE], int width, bool utf8)
{
	return (struct line){ .text = text, .width = width, .utf8 = utf8 };
}

int top_cells(const char *s, bool utf8)
{
	char text[TOP_LINE];
	struct line l = begin_line(text, TOP_LINE, utf8);

	append_cells(&l, s, TOP_LINE);
	return l.cells;
}

const char *top_text_cut(char text[TOP_LINE], const char *s, int width, bool utf8)
{
	struct line l = begin_line(text, width, utf8);

	append_cells(&l, s, width);
	return finish_line(&l);
}

/* ---- Lines ---- */

void top_lines(struct top_lines *l, int height)
{
	int at = 0;
	*l = (struct top_lines){ -1, -1, -1, -1, -1, -1, 0, -1 };
	if (height >= 10)
		l->source = at++;
	if (height >= 1)
		l->rate = at++;
	if (height >= 7)
		l->drops = at++;
	if (height >= 9)
		l->protocols = at++;
	if (height >= 3)
		l->head = at++;
	if (height >= 2)
		l->status = height - 1;
	if (l->status > at) {
		l->rows = at;
		l->row_count = l->status - at;
	}
}

const char *top_text_source(char text[TOP_LINE], const char *source, double seconds,
	const char *state, int width, bool utf8)
{
	struct line l = begin_line(text, width, utf8);
	char time[48];
	snprintf(time, sizeof time, "  %.1f s%s%s", seconds, *state ? "  " : "", state);
	int room = width - (int)strlen(time);
	append_cells(&l, source, room > 8 ? room : 8);
	append_cells(&l, time, width);
	return finish_line(&l);
}

/* Returns the growth per second between the two snapshots. */
static double growth_rate(const struct top_model *m, uint64_t now, uint64_t before)
{
	return m->seconds > 0 && now > before ? (double)(now - before) / m->seconds : 0;
}

/* Writes "1.2 MB", "5 B". */
static void write_with_unit(char *to, size_t room, double n, const char *unit)
{
	char count[24];

	cli_count(count, sizeof count, n);
	snprintf(to, room, "%s%s%s", count, strchr(count, ' ') ? "" : " ", unit);
}

const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width)
{
	const struct bpe_stats *s = &m->now.stats;
	const struct bpe_stats *b = &m->before.stats;
	char pps[24], rate[32], packets[24], bytes[32], flows[24], all[TOP_LINE];
	struct line l = begin_line(text, width, false);
	cli_count(pps, sizeof pps, growth_rate(m, s->read_packets, b->read_packets));
	const double byte_rate = growth_rate(m, s->wire_bytes, b->wire_bytes);
	if (m->bytes)
		write_with_unit(rate, sizeof rate, byte_rate, "B/s");
	else
		write_with_unit(rate, sizeof rate, byte_rate * 8, "bit/s");
	cli_count(packets, sizeof packets, (double)s->read_packets);
	write_with_unit(bytes, sizeof bytes, (double)s->wire_bytes, "B");
	cli_count(flows, sizeof flows, (double)s->flows_active);
	snprintf(all, sizeof all, "%s packets/s  %s  %s flows  in all %s packets, %s", pps, rate,
		flows, packets, bytes);
	append_cells(&l, all, width);
	if (s->flows_evicted) {
		snprintf(all, sizeof all, ", %s flows evicted",
			cli_count(flows, sizeof flows, (double)s->flows_evicted));
		append_cells(&l, all, width);
	}
	return finish_line(&l);
}

/* Appends a counter of drops, and its rate if the counter grew; then *some becomes true. */
static void append_drop_count(struct line *l, const char *name, const struct top_model *m,
	uint64_t now, uint64_t before, bool *some)
{
	char count[24], text[96];

	snprintf(text, sizeof text, "  %s %s", name, cli_count(count, sizeof count, (double)now));
	append_cells(l, text, l->width);
	if (m->first || now <= before)
		return;
	snprintf(text, sizeof text, " (+%s/s)",
		cli_count(count, sizeof count, growth_rate(m, now, before)));
	append_cells(l, text, l->width);
	*some = true;
}

const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width, bool *some)
{
	const struct bpe_stats *s = &m->now.stats;
	const struct bpe_stats *b = &m->before.stats;
	struct line l = begin_line(text, width, false);
	*some = false;
	append_cells(&l, "Dropped", width);
	if (s->kernel_known & BPE_KNOWN_DROPPED)
		append_drop_count(&l, "kernel", m, s->kernel_dropped, b->kernel_dropped, some);
	else
		append_cells(&l, "  kernel -", width); /* the source reports no count */
	if (s->kernel_known & BPE_KNOWN_INTERFACE_DROPPED)
		append_drop_count(
			&l, "interface", m, s->interface_dropped, b->interface_dropped, some);
	else
		append_cells(&l, "  interface -", width);
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		append_drop_count(&l, bpe_drop_name(k), m, s->dropped[k], b->dropped[k], some);
	return finish_line(&l);
}

/* Computes the packets of each protocol since the snapshot before. */
static void compute_protocol_growth(const struct top_model *m, uint64_t *gained)
{
	for (size_t i = 0; i < m->now.protocol_count; i++) {
		const struct bpe_protocol *now = &m->now.protocols[i];

		gained[i] = now->packets;
		for (size_t k = 0; k < m->before.protocol_count; k++) {
			const struct bpe_protocol *before = &m->before.protocols[k];

			if (!strcmp(now->name, before->name) && gained[i] >= before->packets)
				gained[i] -= before->packets;
		}
	}
}

/* Returns the index of the largest number, or count if all are 0. */
static size_t find_largest(const uint64_t *numbers, size_t count)
{
	size_t largest = count;

	for (size_t i = 0; i < count; i++)
		if (numbers[i] > (largest < count ? numbers[largest] : 0))
			largest = i;
	return largest;
}

const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width)
{
	const size_t count = m->now.protocol_count;
	struct line l = begin_line(text, width, false);
	uint64_t gained[TOP_PROTOCOLS];

	compute_protocol_growth(m, gained);
	append_cells(&l, "Packets/s", width);
	for (;;) { /* the busiest first; silent protocols are left out */
		const size_t busiest = find_largest(gained, count);
		char rate[24], item[64];

		if (busiest == count)
			break;
		cli_count(rate, sizeof rate, growth_rate(m, gained[busiest], 0));
		snprintf(item, sizeof item, "  %s %s", m->now.protocols[busiest].name, rate);
		if (l.cells + (int)strlen(item) > width)
			break;
		append_cells(&l, item, width);
		gained[busiest] = 0;
	}
	return finish_line(&l);
}

/* ---- Columns ---- */

static const struct {
	const char *title;
	int width, keep;
	bool right;
} columns[TOP_COLUMNS] = {
	/* keep: the column with the lowest number goes first in a narrow window */
	[TOP_COLUMN_FROM] = { "originator", 15, 99, false },
	[TOP_COLUMN_TO] = { "responder", 15, 98, false },
	[TOP_COLUMN_PROTO] = { "proto", 5, 8, false },
	[TOP_COLUMN_RATE] = { "bit/s", 7, 9, true },
	[TOP_COLUMN_PPS] = { "pkt/s", 7, 4, true },
	[TOP_COLUMN_BYTES] = { "bytes", 7, 7, true },
	[TOP_COLUMN_PACKETS] = { "packets", 8, 3, true },
	[TOP_COLUMN_STATE] = { "state", 12, 5, false },
	[TOP_COLUMN_RTT] = { "rtt ms", 7, 2, true },
	[TOP_COLUMN_RETRANSMISSIONS] = { "retr", 5, 1, true },
	[TOP_COLUMN_AGE] = { "time s", 7, 0, true },
	[TOP_COLUMN_PROCESS] = { "process", 16, 6, false },
};
#define ENDS_LEAST 9 /* 10.0.0.1 without port; longer addresses are cut */
#define ENDS_MOST 47 /* [IPv6]:port */

static enum top_column_id sort_column(enum top_sort sort)
{
	static const uint8_t of[TOP_SORTS] = { TOP_COLUMN_RATE, TOP_COLUMN_BYTES,
		TOP_COLUMN_PACKETS, TOP_COLUMN_RETRANSMISSIONS, TOP_COLUMN_RTT, TOP_COLUMN_AGE };

	return of[sort < TOP_SORTS ? sort : TOP_BYTES];
}

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

/* Returns the column to remove first, or -1 if only the ends and the sorted column are left. */
static int least_wanted_column(const struct widths *w, enum top_sort sort)
{
	int least = -1;

	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (!w->width[k] || columns[k].keep >= 90 || k == (int)sort_column(sort))
			continue;
		if (least < 0 || columns[k].keep < columns[least].keep)
			least = k;
	}
	return least;
}

/* Removes columns and narrows both ends until the sum fits. */
static void shrink_columns(struct widths *w, int width, enum top_sort sort)
{
	int *from = &w->width[TOP_COLUMN_FROM];
	int *to = &w->width[TOP_COLUMN_TO];

	for (int k; w->sum > width && (k = least_wanted_column(w, sort)) >= 0;)
		remove_column(w, k);
	while (w->sum > width && (*from > ENDS_LEAST || *to > ENDS_LEAST)) {
		--*(*from > *to ? from : to);
		w->sum--;
	}
	if (w->sum > width)
		remove_column(w, TOP_COLUMN_TO);
	if (w->sum > width)
		remove_column(w, sort_column(sort));
	if (w->sum > width) {
		*from = width > 0 ? width : 0;
		w->sum = width;
	}
}

/* Widens both ends in turn by the cells which are left. */
static void widen_ends(struct widths *w, int width)
{
	for (int k = 0; w->sum < width && k < 2 * (ENDS_MOST - ENDS_LEAST); k++) {
		int *end = &w->width[k & 1 ? TOP_COLUMN_TO : TOP_COLUMN_FROM];

		if (!*end || *end >= ENDS_MOST)
			continue;
		++*end;
		w->sum++;
	}
}

void top_layout(struct top_layout *l, int width, enum top_sort sort, bool processes)
{
	struct widths w = { .sum = -1 }; /* one blank less than columns */

	*l = (struct top_layout){ .count = 0 };
	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (k == TOP_COLUMN_PROCESS && !processes)
			continue;
		w.width[k] = columns[k].width;
		w.sum += w.width[k] + 1;
	}
	shrink_columns(&w, width, sort);
	widen_ends(&w, width);
	for (int k = 0; k < TOP_COLUMNS; k++) {
		if (!w.width[k])
			continue;
		l->column[l->count].id = (enum top_column_id)k;
		l->column[l->count].width = w.width[k];
		l->count++;
	}
}

/* Appends a text in a column of `width` cells. */
static void append_column(struct line *l, const char *s, int width, bool right)
{
	const int start = l->cells;

	if (right)
		append_blanks(l, width - top_cells(s, l->utf8));
	append_cells(l, s, width - (l->cells - start));
	append_blanks(l, width - (l->cells - start));
}

/* Returns the mark of the sorted column's direction. */
static const char *direction_mark(const struct top_model *m, bool utf8)
{
	if (utf8)
		return m->reverse ? "\xe2\x96\xb2" : "\xe2\x96\xbc";
	return m->reverse ? "^" : "v";
}

const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8)
{
	struct line line = begin_line(text, TOP_LINE, utf8);

	for (uint32_t k = 0; k < l->count; k++) {
		const enum top_column_id id = l->column[k].id;
		const bool is_sorted = id == sort_column(m->sort);
		const char *name = columns[id].title;
		char title[32];

		if (id == TOP_COLUMN_RATE && m->bytes)
			name = "B/s";
		const int room = is_sorted ? l->column[k].width - 1 : 31;
		snprintf(title, sizeof title, "%.*s%s", room, name,
			is_sorted ? direction_mark(m, utf8) : "");
		if (k)
			append_blanks(&line, 1);
		append_column(&line, title, l->column[k].width, columns[id].right);
	}
	return finish_line(&line);
}

/* Writes ":443" or ":https"; "" without port. */
static void write_port(
	char *to, size_t room, const struct top_model *m, const struct bpe_flow *f, int end)
{
	const char *name = NULL;

	to[0] = 0;
	if (m->names && m->service && f->port[end])
		name = m->service(f->port[end], f->ip_proto);
	if (name)
		snprintf(to, room, ":%.20s", name);
	else if (f->port[end])
		snprintf(to, room, ":%u", f->port[end]);
}

/* Writes an end of a flow in `width` cells.  Cuts the address of a text which is too long, not the
 * port. */
static void write_end(char *to, size_t room, const struct top_model *m, const struct bpe_flow *f,
	int end, int width)
{
	char address[48], port[48];

	cli_address(address, sizeof address, f->addr[end], f->ip_version);
	write_port(port, sizeof port, m, f, end);
	const bool has_brackets = f->ip_version == 6 && port[0];
	const int left = width - (int)strlen(port) - 2 * has_brackets;
	if ((int)strlen(address) > left && left >= 2) {
		address[left - 1] = '~';
		address[left] = 0;
	}
	snprintf(to, room, has_brackets ? "[%s]%s" : "%s%s", address, port);
}

static void write_rtt(char *to, size_t room, int64_t rtt_ns)
{
	const double ms = (double)rtt_ns * 1e-6;
	int digits = 0;

	if (rtt_ns < 0)
		return;
	if (rtt_ns < 10000000)
		digits = 2;
	else if (rtt_ns < 1000000000)
		digits = 1;
	snprintf(to, room, "%.*f", digits, ms);
}

/* Writes the value of a column; "-" if the value is unknown. */
static void write_value(char *to, size_t room, const struct top_model *m, const struct top_row *r,
	enum top_column_id id)
{
	const struct bpe_flow *f = r->flow;
	const double rate = m->seconds > 0 ? 1 / m->seconds : 0;
	const bool is_tcp = f->ip_proto == 6;

	snprintf(to, room, "-");
	switch (id) {
	case TOP_COLUMN_PROTO:
		cli_protocol(to, room, f->ip_proto, f->ip_version);
		break;
	case TOP_COLUMN_RATE:
		if (r->known)
			cli_count(to, room, (double)r->new_bytes * rate * (m->bytes ? 1 : 8));
		break;
	case TOP_COLUMN_PPS:
		if (r->known)
			cli_count(to, room, (double)r->new_packets * rate);
		break;
	case TOP_COLUMN_BYTES:
		cli_count(to, room, (double)r->bytes);
		break;
	case TOP_COLUMN_PACKETS:
		cli_count(to, room, (double)r->packets);
		break;
	case TOP_COLUMN_STATE:
		snprintf(to, room, "%s", is_tcp ? cli_tcp_state(f->tcp_state) : "");
		break;
	case TOP_COLUMN_RTT:
		write_rtt(to, room, r->rtt_ns);
		break;
	case TOP_COLUMN_RETRANSMISSIONS:
		if (is_tcp)
			cli_count(to, room, (double)r->retransmissions);
		break;
	case TOP_COLUMN_AGE:
		snprintf(to, room, "%.1f", (double)r->age_ns * 1e-9);
		break;
	case TOP_COLUMN_PROCESS:
		to[0] = 0;
		if (f->pid > 0)
			snprintf(to, room, "%.32s (%d)", f->comm, f->pid);
		break;
	default:
		break;
	}
}

const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8)
{
	struct line line = begin_line(text, TOP_LINE, utf8);

	for (uint32_t k = 0; k < l->count; k++) {
		const enum top_column_id id = l->column[k].id;
		const int width = l->column[k].width;
		char value[128];

		if (id <= TOP_COLUMN_TO)
			write_end(value, sizeof value, m, r->flow, id == TOP_COLUMN_TO, width);
		else
			write_value(value, sizeof value, m, r, id);
		if (k)
			append_blanks(&line, 1);
		append_column(&line, value, width, columns[id].right);
	}
	return finish_line(&line);
}
