/* SPDX-License-Identifier: MIT */
/* The live view's text: which lines and columns a window has room for, and what stands in them;
 * pure.  What comes from outside (names of processes and interfaces) is shown as far as it can be
 * printed: a terminal obeys control characters. */
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

/* The character at s: its bytes, its cells on the terminal, and whether it is to be shown as it is.
 */
static int character(const char *s, bool utf8, int *cells)
{
	const unsigned char *u = (const unsigned char *)s;
	*cells = 1;
	if (*u >= 0x20 && *u < 0x7f)
		return 1;
	int n = *u >= 0xc2 && *u < 0xe0   ? 2
		: *u >= 0xe0 && *u < 0xf0 ? 3
		: *u >= 0xf0 && *u < 0xf5 ? 4
					  : 0;
	uint32_t code = n ? *u & (0x7fu >> n) : 0;
	for (int i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (u[i] & 0x3f);
	}
	if (!n || !utf8 || (n == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
		(n == 4 && (code < 0x10000 || code > 0x10ffff)))
		return -1;
	*cells = wcwidth((wchar_t)code);
	return *cells > 0 ? n : -n;
}

/* As much of s as there is room for, in at most `most` cells. */
static void add(struct line *l, const char *s, int most)
{
	int end = l->cells + most < l->width ? l->cells + most : l->width;
	while (*s) {
		int cells, n = character(s, l->utf8, &cells);
		if (n < 0)
			cells = 1;
		if (l->cells + cells > end || l->used + 5 > TOP_LINE)
			return;
		if (n < 0) {
			l->text[l->used++] = '?';
			s += n < -1 ? -n : 1;
		} else {
			memcpy(l->text + l->used, s, (size_t)n);
			l->used += (size_t)n;
			s += n;
		}
		l->cells += cells;
	}
}

static void blanks(struct line *l, int n)
{
	while (n-- > 0)
		add(l, " ", 1);
}

static const char *done(struct line *l)
{
	l->text[l->used] = 0;
	return l->text;
}

static struct line begin(char text[TOP_LINE], int width, bool utf8)
{
	return (struct line){ .text = text, .width = width, .utf8 = utf8 };
}

int top_cells(const char *s, bool utf8)
{
	char text[TOP_LINE];
	struct line l = begin(text, TOP_LINE, utf8);
	add(&l, s, TOP_LINE);
	return l.cells;
}

const char *top_text_cut(char text[TOP_LINE], const char *s, int width, bool utf8)
{
	struct line l = begin(text, width, utf8);
	add(&l, s, width);
	return done(&l);
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
	if (l->status > at)
		l->rows = at, l->row_count = l->status - at;
}

const char *top_text_source(char text[TOP_LINE], const char *source, double seconds,
	const char *state, int width, bool utf8)
{
	struct line l = begin(text, width, utf8);
	char time[48];
	snprintf(time, sizeof time, "  %.1f s%s%s", seconds, *state ? "  " : "", state);
	int room = width - (int)strlen(time);
	add(&l, source, room > 8 ? room : 8);
	add(&l, time, width);
	return done(&l);
}

static double per_second(const struct top_model *m, uint64_t now, uint64_t before)
{
	return m->seconds > 0 && now > before ? (double)(now - before) / m->seconds : 0;
}

/* "1.2 MB", "5 B". */
static void with_unit(char *to, size_t room, double n, const char *unit)
{
	char count[24];
	cli_count(count, sizeof count, n);
	snprintf(to, room, "%s%s%s", count, strchr(count, ' ') ? "" : " ", unit);
}

const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width)
{
	const struct bpe_stats *s = &m->now.stats, *b = &m->before.stats;
	char pps[24], rate[32], packets[24], bytes[32], flows[24], all[TOP_LINE];
	struct line l = begin(text, width, false);
	cli_count(pps, sizeof pps, per_second(m, s->read_packets, b->read_packets));
	with_unit(rate, sizeof rate,
		per_second(m, s->wire_bytes, b->wire_bytes) * (m->bytes ? 1 : 8),
		m->bytes ? "B/s" : "bit/s");
	cli_count(packets, sizeof packets, (double)s->read_packets);
	with_unit(bytes, sizeof bytes, (double)s->wire_bytes, "B");
	cli_count(flows, sizeof flows, (double)s->flows_active);
	snprintf(all, sizeof all, "%s packets/s  %s  %s flows  in all %s packets, %s", pps, rate,
		flows, packets, bytes);
	add(&l, all, width);
	if (s->flows_evicted) {
		snprintf(all, sizeof all, ", %s flows evicted",
			cli_count(flows, sizeof flows, (double)s->flows_evicted));
		add(&l, all, width);
	}
	return done(&l);
}

static void drop(struct line *l, const char *name, const struct top_model *m, uint64_t now,
	uint64_t before, bool *some)
{
	char count[24], text[96];
	snprintf(text, sizeof text, "  %s %s", name, cli_count(count, sizeof count, (double)now));
	add(l, text, l->width);
	if (m->first || now <= before)
		return;
	snprintf(text, sizeof text, " (+%s/s)",
		cli_count(count, sizeof count, per_second(m, now, before)));
	add(l, text, l->width);
	*some = true;
}

const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width, bool *some)
{
	const struct bpe_stats *s = &m->now.stats, *b = &m->before.stats;
	struct line l = begin(text, width, false);
	*some = false;
	add(&l, "Dropped", width);
	if (s->kernel_known & BPE_KNOWN_DROPPED)
		drop(&l, "kernel", m, s->kernel_dropped, b->kernel_dropped, some);
	else
		add(&l, "  kernel -", width); /* the source does not tell */
	if (s->kernel_known & BPE_KNOWN_INTERFACE_DROPPED)
		drop(&l, "interface", m, s->interface_dropped, b->interface_dropped, some);
	else
		add(&l, "  interface -", width);
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		drop(&l, bpe_drop_name(k), m, s->dropped[k], b->dropped[k], some);
	return done(&l);
}

const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width)
{
	struct line l = begin(text, width, false);
	uint64_t gained[TOP_PROTOCOLS], most;
	for (size_t i = 0; i < m->now.protocol_count; i++) {
		gained[i] = m->now.protocols[i].packets;
		for (size_t k = 0; k < m->before.protocol_count; k++)
			if (!strcmp(m->now.protocols[i].name, m->before.protocols[k].name) &&
				gained[i] >= m->before.protocols[k].packets)
				gained[i] -= m->before.protocols[k].packets;
	}
	add(&l, "Packets/s", width);
	do { /* the busiest first, those that are silent at the end */
		size_t best = m->now.protocol_count;
		most = 0;
		for (size_t i = 0; i < m->now.protocol_count; i++)
			if (gained[i] > most)
				most = gained[best = i];
		if (!most)
			break;
		char count[24], one[64];
		snprintf(one, sizeof one, "  %s %s", m->now.protocols[best].name,
			cli_count(count, sizeof count, per_second(m, most, 0)));
		if (l.cells + (int)strlen(one) > width)
			break;
		add(&l, one, width);
		gained[best] = 0;
	} while (most);
	return done(&l);
}

/* ---- Columns ---- */

static const struct {
	const char *title;
	int width, keep;
	bool right;
} columns[TOP_COLUMNS] = {
	/* keep: the lower goes first when the window is too narrow */
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
#define ENDS_LEAST 9 /* 10.0.0.1 and no port, cut in the middle else */
#define ENDS_MOST 47 /* [IPv6]:port */

static enum top_column_id column_of(enum top_sort sort)
{
	static const uint8_t of[TOP_SORTS] = { TOP_COLUMN_RATE, TOP_COLUMN_BYTES,
		TOP_COLUMN_PACKETS, TOP_COLUMN_RETRANSMISSIONS, TOP_COLUMN_RTT, TOP_COLUMN_AGE };
	return of[sort < TOP_SORTS ? sort : TOP_BYTES];
}

void top_layout(struct top_layout *l, int width, enum top_sort sort, bool processes)
{
	int w[TOP_COLUMNS], sum = -1;
	*l = (struct top_layout){ .count = 0 };
	for (int k = 0; k < TOP_COLUMNS; k++) {
		w[k] = k == TOP_COLUMN_PROCESS && !processes ? 0 : columns[k].width;
		if (w[k])
			sum += w[k] + 1;
	}
	while (sum > width) {
		int least = -1;
		for (int k = 0; k < TOP_COLUMNS; k++)
			if (w[k] && columns[k].keep < 90 && k != (int)column_of(sort) &&
				(least < 0 || columns[k].keep < columns[least].keep))
				least = k;
		if (least < 0)
			break;
		sum -= w[least] + 1;
		w[least] = 0;
	}
	while (sum > width && (w[TOP_COLUMN_FROM] > ENDS_LEAST || w[TOP_COLUMN_TO] > ENDS_LEAST))
		w[w[TOP_COLUMN_FROM] > w[TOP_COLUMN_TO] ? TOP_COLUMN_FROM : TOP_COLUMN_TO]--, sum--;
	if (sum > width)
		sum -= w[TOP_COLUMN_TO] + 1, w[TOP_COLUMN_TO] = 0;
	if (sum > width)
		sum -= w[column_of(sort)] + 1, w[column_of(sort)] = 0;
	if (sum > width)
		w[TOP_COLUMN_FROM] = width > 0 ? width : 0, sum = width;
	for (int k = 0; sum < width && k < 2 * (ENDS_MOST - ENDS_LEAST);
		k++) { /* what is left goes to both ends */
		int end = k & 1 ? TOP_COLUMN_TO : TOP_COLUMN_FROM;
		if (w[end] && w[end] < ENDS_MOST)
			w[end]++, sum++;
	}
	for (int k = 0; k < TOP_COLUMNS; k++)
		if (w[k])
			l->column[l->count].id = (enum top_column_id)k,
			l->column[l->count++].width = w[k];
}

static void cell(struct line *l, const char *s, int width, bool right)
{
	int start = l->cells, cells = top_cells(s, l->utf8);
	if (right)
		blanks(l, width - cells);
	add(l, s, width - (l->cells - start));
	blanks(l, width - (l->cells - start));
}

const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8)
{
	struct line line = begin(text, TOP_LINE, utf8);
	for (uint32_t k = 0; k < l->count; k++) {
		enum top_column_id id = l->column[k].id;
		char title[32];
		const char *name = id == TOP_COLUMN_RATE && m->bytes ? "B/s" : columns[id].title,
			   *mark = m->reverse ? utf8 ? "\xe2\x96\xb2" : "^"
				   : utf8     ? "\xe2\x96\xbc"
					      : "v";
		snprintf(title, sizeof title, "%.*s%s",
			id == column_of(m->sort) ? l->column[k].width - 1 : 31, name,
			id == column_of(m->sort) ? mark : "");
		if (k)
			blanks(&line, 1);
		cell(&line, title, l->column[k].width, columns[id].right);
	}
	return done(&line);
}

/* An end of a flow in so many cells: of what is too long the address is cut, not the port. */
static void end_text(char *to, size_t room, const struct top_model *m, const struct bpe_flow *f,
	int end, int width)
{
	char a[48], port[48] = "";
	const char *name = m->names && m->service && f->port[end]
				   ? m->service(f->port[end], f->ip_proto)
				   : NULL;
	cli_address(a, sizeof a, f->addr[end], f->ip_version);
	if (name)
		snprintf(port, sizeof port, ":%.20s", name);
	else if (f->port[end])
		snprintf(port, sizeof port, ":%u", f->port[end]);
	bool brackets = f->ip_version == 6 && port[0];
	int left = width - (int)strlen(port) - 2 * brackets;
	if ((int)strlen(a) > left && left >= 2)
		a[left - 1] = '~', a[left] = 0;
	snprintf(to, room, "%s%s%s%s", brackets ? "[" : "", a, brackets ? "]" : "", port);
}

static void value_text(char *to, size_t room, const struct top_model *m, const struct top_row *r,
	enum top_column_id id)
{
	const struct bpe_flow *f = r->flow;
	char proto[16];
	double rate = m->seconds > 0 ? 1 / m->seconds : 0;
	bool tcp = f->ip_proto == 6;
	snprintf(to, room, "-");
	switch (id) {
	case TOP_COLUMN_PROTO:
		snprintf(to, room, "%s",
			cli_protocol(proto, sizeof proto, f->ip_proto, f->ip_version));
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
		snprintf(to, room, "%s", tcp ? cli_tcp_state(f->tcp_state) : "");
		break;
	case TOP_COLUMN_RTT:
		if (r->rtt_ns >= 0)
			snprintf(to, room,
				r->rtt_ns < 10000000     ? "%.2f"
				: r->rtt_ns < 1000000000 ? "%.1f"
							 : "%.0f",
				(double)r->rtt_ns * 1e-6);
		break;
	case TOP_COLUMN_RETRANSMISSIONS:
		if (tcp)
			cli_count(to, room, (double)r->retransmissions);
		break;
	case TOP_COLUMN_AGE:
		snprintf(to, room, "%.1f", (double)r->age_ns * 1e-9);
		break;
	case TOP_COLUMN_PROCESS:
		if (f->pid > 0)
			snprintf(to, room, "%.32s (%d)", f->comm, f->pid);
		else
			to[0] = 0;
		break;
	default:
		break;
	}
}

const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8)
{
	struct line line = begin(text, TOP_LINE, utf8);
	for (uint32_t k = 0; k < l->count; k++) {
		char s[128];
		enum top_column_id id = l->column[k].id;
		int width = l->column[k].width;
		if (id <= TOP_COLUMN_TO)
			end_text(s, sizeof s, m, r->flow, id == TOP_COLUMN_TO, width);
		else
			value_text(s, sizeof s, m, r, id);
		if (k)
			blanks(&line, 1);
		cell(&line, s, width, columns[id].right);
	}
	return done(&line);
}
