/* SPDX-License-Identifier: MIT */
/* Gives any bytes as snapshots, a filter and a window to --top.  Every row appears once and matches
 * the filter; every line fits the width and has no character for a terminal to obey.
 *
 * Input: operations of a byte with operands: a snapshot of flows, an order, a letter of the filter
 * typed or removed, a window to draw. */
#include "fuzz.h"
#include "json_check.h"

#include "tools/bpfengine/top.h"

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
	s->packets_per_second = read_counter(in);
	s->bits_per_second = read_counter(in);
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

static void check_rows(const struct top_model *m)
{
	bool seen[MOST_FLOWS] = { false };
	size_t wanted = 0;
	for (size_t i = 0; i < m->now.count; i++)
		wanted += top_matches(m, &m->now.flows[i], m->filter);
	FUZZ_CHECK(m->shown == wanted);
	for (size_t i = 0; i < m->shown; i++) {
		FUZZ_CHECK(m->order[i] < m->now.count && !seen[m->order[i]]);
		seen[m->order[i]] = true;
		FUZZ_CHECK(top_matches(m, m->rows[m->order[i]].flow, m->filter));
	}
}

static void check_line(const char *line, const char *given, int width, bool utf8)
{
	size_t n = strlen(line);
	FUZZ_CHECK(line == given && n < TOP_LINE && text_harmless(line, n));
	FUZZ_CHECK(top_cells(line, utf8) <= width);
	for (size_t i = 0; i < n && !utf8; i++)
		FUZZ_CHECK(line[i] >= 0x20 && line[i] < 0x7f);
}

static void draw_window(struct fuzz_input *in, const struct top_model *m)
{
	char line[TOP_LINE], source[64];
	int width = fuzz_u16(in) % 400;
	int height = fuzz_u8(in);
	bool utf8 = fuzz_u8(in) & 1, some;
	struct top_layout l;
	struct top_lines lines;
	read_label(in, source, sizeof source);
	top_lines(&lines, height);
	FUZZ_CHECK(lines.row_count <= height);
	top_layout(&l, width, m->sort, m->processes);
	FUZZ_CHECK(l.count <= TOP_COLUMNS);
	int used = 0;
	for (uint32_t i = 0; i < l.count; i++)
		used += l.column[i].width + (i > 0);
	FUZZ_CHECK(l.count == 0 || used <= width);
	double seconds = (double)read_counter(in) * 1e-9;
	check_line(
		top_text_source(line, source, seconds, "paused", width, utf8), line, width, utf8);
	check_line(top_text_rate(line, m, width), line, width, true);
	check_line(top_text_drops(line, m, width, &some), line, width, true);
	check_line(top_text_protocols(line, m, width), line, width, true);
	check_line(top_text_head(line, m, &l, utf8), line, width, utf8);
	for (size_t i = 0; i < m->shown; i++)
		check_line(
			top_text_row(line, m, &l, &m->rows[m->order[i]], utf8), line, width, utf8);
	check_line(top_text_cut(line, source, width, utf8), line, width, utf8);
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
	struct top_shot shot = { .flows = calloc(TOP_FLOWS, sizeof *shot.flows) };
	setlocale(LC_CTYPE, "C.UTF-8");
	FUZZ_CHECK(shot.flows && top_model_init(&m));
	while (fuzz_left(&in)) {
		uint8_t op = fuzz_u8(&in);
		m.reverse = op & 128;
		m.names = op & 64;
		m.bytes = op & 32;
		switch (op & 3) {
		case 0:
			take_shot(&in, &m, &shot);
			break;
		case 1:
			m.sort = (enum top_sort)(fuzz_u8(&in) % TOP_SORTS);
			top_model_arrange(&m);
			break;
		case 2:
			type_key(&m, (char)fuzz_u8(&in));
			break;
		default:
			draw_window(&in, &m);
		}
		check_rows(&m);
	}
	top_model_free(&m);
	free(shot.flows);
}
