/* SPDX-License-Identifier: MIT */
/* Gives any bytes as snapshots, a filter and a window to --top.  Every flow appears once and
 * matches the filter.  Every line fits the width, and no character is a command for a terminal.
 *
 * Input: operations of a byte with operands: a snapshot of flows, an order, a letter of the filter,
 * a window to draw. */
#include "fuzz.h"
#include "json_check.h"

#include "tools/bpfengine/top_text.h"

#include <locale.h>
#include <string.h>

#define MOST_FLOWS 40u

static uint64_t read_counter(struct fuzz_input *in)
{
	static const uint64_t corners[8] = { 0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX,
		UINT32_MAX, 1000000000, 1700000000000000000 };
	uint8_t kind = fuzz_u8(in);
	if (kind & 128)
		return corners[kind & 7] + (kind >> 3 & 15);
	return (uint64_t)fuzz_u32(in) << (kind & 31);
}

__attribute__((noinline)) static void read_label(struct fuzz_input *in, char *to, size_t room)
{
	size_t n = fuzz_u8(in) % room;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)fuzz_u8(in);
	to[n] = 0;
}

static void fill_flow(struct fuzz_input *in, struct bpe_flow *f)
{
	uint8_t key = fuzz_u8(in);
	*f = (struct bpe_flow){ .version = BPE_FLOW_VERSION, .size = sizeof *f, .hash = key & 7u };
	if (key & 8)
		f->ip_version = 6;
	else
		f->ip_version = key & 16 ? 4 : (uint8_t)fuzz_u8(in);
	f->ip_proto = fuzz_u8(in);
	f->tcp_state = fuzz_u8(in);
	f->end = fuzz_u8(in);
	f->addr[0][0] = key;
	f->addr[1][15] = fuzz_u8(in);
	f->port[0] = fuzz_u16(in);
	f->port[1] = fuzz_u16(in);
	for (int k = 0; k < 2; k++) {
		f->packets[k] = read_counter(in);
		f->wire_bytes[k] = read_counter(in);
		f->rtt_ns[k] = (int64_t)read_counter(in);
		f->handshake_ns[k] = (int64_t)read_counter(in);
		f->retransmissions[k] = (uint32_t)read_counter(in);
	}
	f->first_ns = (int64_t)read_counter(in);
	f->last_ns = (int64_t)read_counter(in);
	f->pid = (int32_t)read_counter(in);
	read_label(in, f->comm, sizeof f->comm);
	read_label(in, f->interface_name, sizeof f->interface_name);
}

static void take_shot(struct fuzz_input *in, struct top_model *m, struct top_shot *shot)
{
	struct bpe_stats *s = &shot->stats;
	memset(s, 0, sizeof *s);
	s->elapsed_ns = read_counter(in);
	s->read_packets = read_counter(in);
	s->wire_bytes = read_counter(in);
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		s->dropped[k] = read_counter(in);
	s->kernel_dropped = read_counter(in);
	s->interface_dropped = read_counter(in);
	s->flows_active = read_counter(in);
	s->first_packet_ns = (int64_t)read_counter(in);
	s->last_packet_ns = (int64_t)read_counter(in);
	shot->protocol_count = fuzz_u8(in) % (TOP_PROTOCOLS + 1);
	for (size_t i = 0; i < shot->protocol_count; i++) {
		read_label(in, shot->protocols[i].name, sizeof shot->protocols[i].name);
		shot->protocols[i].packets = read_counter(in);
		shot->protocols[i].bytes = read_counter(in);
	}
	shot->about = (struct bpe_flow_totals){ (int64_t)read_counter(in), read_counter(in),
		read_counter(in) };
	shot->count = fuzz_u8(in) % (MOST_FLOWS + 1);
	for (size_t i = 0; i < shot->count; i++)
		fill_flow(in, &shot->flows[i]);
	top_model_take(m, shot);
}

/* Returns whether the list must have the flow. */
static bool is_wanted(const struct top_model *m, const struct bpe_flow *f)
{
	return top_matches(m, f, m->filter) &&
	       top_in_group(m->within.group, &m->within.flow, m->within.end, f);
}

/* Checks that each wanted flow is in the list once, and in groups once or, by host, twice. */
static void check_rows(const struct top_model *m)
{
	static bool seen[TOP_ROWS];
	const struct bpe_flow *flows = m->shows_closed ? m->closed : m->now.flows;
	size_t count = m->shows_closed ? m->closed_count : m->now.count;
	size_t wanted = 0;
	uint64_t summed = 0;
	for (size_t i = 0; i < count; i++)
		wanted += is_wanted(m, &flows[i]);
	FUZZ_CHECK(m->shown <= 2 * wanted && (m->group || m->shown == wanted));
	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < m->shown; i++) {
		FUZZ_CHECK(m->order[i] < TOP_ROWS && !seen[m->order[i]]);
		seen[m->order[i]] = true;
		FUZZ_CHECK(is_wanted(m, top_row_at(m, i)->flow));
		summed += top_row_at(m, i)->flows;
	}
	if (m->group == TOP_GROUP_HOST)
		FUZZ_CHECK(summed >= wanted && summed <= 2 * wanted);
	else
		FUZZ_CHECK(summed == wanted);
}

static void check_line(const char *line, const char *given, int width, bool utf8)
{
	size_t n = strlen(line);
	FUZZ_CHECK(line == given && n < TOP_LINE && text_harmless(line, n));
	FUZZ_CHECK(top_cells(line, utf8) <= width);
	for (size_t i = 0; i < n && !utf8; i++)
		FUZZ_CHECK(line[i] >= 0x20 && line[i] < 0x7f);
}

static void fill_page(struct fuzz_input *in, const struct top_model *m, int width, bool utf8)
{
	static struct top_page page;
	const struct top_row *row = m->shown ? top_row_at(m, fuzz_u8(in) % m->shown) : NULL;
	top_page_begin(&page, width, utf8);
	if (row)
		top_page_flow(&page, m, fuzz_u8(in) & 1 ? row : NULL, row->flow, utf8);
	else
		top_page_help(&page, utf8);
	FUZZ_CHECK(page.count > 0 && page.count <= TOP_PAGE_LINES);
	for (uint32_t i = 0; i < page.count; i++) {
		const char *line = top_page_line(&page, i);
		/* a window of a cell has no room for a character of two */
		check_line(line, line, width > 1 ? width : 2, utf8);
	}
	FUZZ_CHECK(!top_page_line(&page, page.count)[0]);
}

static void draw_window(struct fuzz_input *in, const struct top_model *m, struct top_cursor *cursor)
{
	char line[TOP_LINE], source[64];
	int width = fuzz_u16(in) % 400;
	int height = fuzz_u8(in);
	bool utf8 = fuzz_u8(in) & 1, some;
	int ends[2] = { 0, 0 };
	struct top_layout l;
	struct top_lines lines;
	read_label(in, source, sizeof source);
	top_lines(&lines, height);
	FUZZ_CHECK(lines.row_count <= height);
	top_cursor_settle(cursor, m, lines.row_count > 0 ? (size_t)lines.row_count : 0);
	FUZZ_CHECK(cursor->at < m->shown || !m->shown);
	FUZZ_CHECK(cursor->first <= cursor->at);
	for (size_t i = 0; i < m->shown; i++)
		top_need_ends(ends, m, top_row_at(m, i), utf8);
	top_layout(&l, m, width, ends);
	FUZZ_CHECK(l.count <= TOP_COLUMNS);
	int used = 0;
	for (uint32_t i = 0; i < l.count; i++)
		used += l.column[i].width + (i > 0);
	FUZZ_CHECK(l.count == 0 || used <= width);
	check_line(top_text_source(line, m, source, "paused", width, utf8), line, width, utf8);
	check_line(top_text_rate(line, m, width), line, width, true);
	check_line(top_text_drops(line, m, width, &some), line, width, true);
	check_line(top_text_protocols(line, m, width), line, width, true);
	check_line(top_text_past(line, m, NULL, width, utf8), line, width, utf8);
	check_line(top_text_status(line, m, cursor, "PAUSED", width, utf8), line, width, utf8);
	check_line(top_text_keys(line, TOP_KEYS_LIST, width), line, width, false);
	check_line(top_text_head(line, m, &l, utf8), line, width, utf8);
	for (size_t i = 0; i < m->shown; i++) {
		check_line(top_text_row(line, m, &l, top_row_at(m, i), utf8), line, width, utf8);
		check_line(
			top_text_past(line, m, top_row_at(m, i), width, utf8), line, width, utf8);
	}
	check_line(top_text_cut(line, source, width, utf8), line, width, utf8);
	fill_page(in, m, width, utf8);
}

/* Changes what is listed: groups, closed flows, the flows of a group. */
static void change_list(struct fuzz_input *in, struct top_model *m)
{
	uint8_t kind = fuzz_u8(in);
	m->sort = (enum top_sort)(kind % TOP_SORTS);
	m->group = (enum top_group)(fuzz_u8(in) % TOP_GROUPS);
	m->average = fuzz_u8(in) % TOP_WINDOWS;
	m->shows_closed = kind & 128;
	m->is_whole = kind & 64;
	m->within.group = TOP_GROUP_NONE;
	if (kind & 32 && m->now.count) {
		m->within.group = m->group;
		m->within.flow = m->now.flows[fuzz_u8(in) % m->now.count];
		m->within.end = kind & 16 ? 1 : 0;
		m->group = TOP_GROUP_NONE;
	}
	while (kind & 8 && m->closed_count < TOP_CLOSED && fuzz_u8(in) & 3)
		fill_flow(in, &m->closed[m->closed_count++]);
	m->closed_all = m->closed_count + fuzz_u8(in);
	top_model_arrange(m);
}

static void type_key(struct top_model *m, char c)
{
	size_t n = strlen(m->filter);
	if (c == 8 && n)
		m->filter[n - 1] = 0;
	else if (c && c != 8 && n + 1 < TOP_FILTER) {
		m->filter[n] = c;
		m->filter[n + 1] = 0;
	}
	top_model_arrange(m);
}

void fuzz_top(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	struct top_model m;
	struct top_cursor cursor = { .at = 0 };
	struct top_shot shot = { .flows = calloc(TOP_FLOWS, sizeof *shot.flows) };
	setlocale(LC_CTYPE, "C.UTF-8");
	FUZZ_CHECK(shot.flows && top_model_init(&m));
	while (fuzz_left(&in)) {
		uint8_t op = fuzz_u8(&in);
		m.reverse = op & 128;
		m.names = op & 64;
		m.bytes = op & 32;
		m.is_file = op & 16;
		switch (op & 3) {
		case 0:
			take_shot(&in, &m, &shot);
			break;
		case 1:
			change_list(&in, &m);
			break;
		case 2:
			type_key(&m, (char)fuzz_u8(&in));
			break;
		default:
			top_cursor_move(&cursor, &m, (enum top_move)(op >> 2 & 3),
				(long)fuzz_u8(&in) - 128, op >> 4);
			draw_window(&in, &m, &cursor);
		}
		check_rows(&m);
	}
	top_model_free(&m);
	free(shot.flows);
}
