/* SPDX-License-Identifier: MIT */
/* The rows of the live view as text (top_text.h); pure. */
#include "top_text.h"

#include <netinet/in.h>
#include <string.h>

static const char *direction_mark(const struct top_model *m, bool utf8)
{
	if (utf8)
		return m->reverse ? "\xe2\x96\xb2" : "\xe2\x96\xbc";
	return m->reverse ? "^" : "v";
}

const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8)
{
	struct top_out out = top_out_begin(text, TOP_LINE, utf8);

	for (uint32_t k = 0; k < l->count; k++) {
		const enum top_column_id id = l->column[k].id;
		const bool is_sorted = id == top_sort_column(m);
		char name[40], title[48];

		top_column_title(name, sizeof name, m, id);
		const int room = is_sorted ? l->column[k].width - 1 : 39;
		snprintf(title, sizeof title, "%.*s%s", room, name,
			is_sorted ? direction_mark(m, utf8) : "");
		if (k)
			top_out_blanks(&out, 1);
		top_out_column(&out, title, l->column[k].width, top_column_is_right(id));
	}
	return top_out_end(&out);
}

/* ---- Ends and names ---- */

/* An end of a flow, or the name of a group. */
struct end_text {
	char name[260]; /* an address, or a name of a flow */
	char port[48];  /* ":443"; "" without port */
	bool has_brackets;
};

/* Writes ":443" or ":https"; "" without port. */
static void write_port(
	char *to, size_t room, const struct top_model *m, const struct bpe_flow *f, int end)
{
	const uint16_t port = top_port(f, end);
	const char *name = NULL;

	to[0] = 0;
	if (m->names && m->service && port)
		name = m->service(port, f->ip_proto);
	if (name)
		snprintf(to, room, ":%.20s", name);
	else if (port)
		snprintf(to, room, ":%u", port);
}

/* Writes "443/tcp https", or the protocol alone. */
static void write_service(
	char *to, size_t room, const struct top_model *m, const struct bpe_flow *f)
{
	const uint16_t port = top_port(f, 1);
	const char *name = port && m->service ? m->service(port, f->ip_proto) : NULL;
	char proto[16];

	cli_protocol(proto, sizeof proto, f->ip_proto, f->ip_version);
	if (port && name)
		snprintf(to, room, "%u/%s %.20s", port, proto, name);
	else if (port)
		snprintf(to, room, "%u/%s", port, proto);
	else
		snprintf(to, room, "%s", proto);
}

static void write_process(char *to, size_t room, const struct bpe_flow *f)
{
	to[0] = 0;
	if (f->pid > 0)
		snprintf(to, room, "%.32s (%d)", f->comm, f->pid);
}

/* Returns the name of what was recognised, or "". */
static const char *name_app(const struct bpe_flow *f)
{
	const char *name = bpe_app_name(f->names.app);

	return name ? name : "?";
}

/* Fills the text of the left (0) or right (1) end of a row. */
static void fill_end(
	struct end_text *e, const struct top_model *m, const struct top_row *r, int side)
{
	const struct bpe_flow *f = r->flow;
	const int end = m->group == TOP_GROUP_HOST ? r->end : side;

	*e = (struct end_text){ .has_brackets = false };
	switch (m->group) {
	case TOP_GROUP_SERVICE:
		write_service(e->name, sizeof e->name, m, f);
		break;
	case TOP_GROUP_PROCESS:
		write_process(e->name, sizeof e->name, f);
		if (!e->name[0])
			snprintf(e->name, sizeof e->name, "not known");
		break;
	case TOP_GROUP_NAME:
		snprintf(e->name, sizeof e->name, "%.255s", f->names.server);
		if (!e->name[0])
			snprintf(e->name, sizeof e->name, "no name");
		break;
	case TOP_GROUP_APP:
		snprintf(e->name, sizeof e->name, "%s", name_app(f));
		if (!e->name[0])
			snprintf(e->name, sizeof e->name, "not recognised");
		break;
	default:
		cli_address(e->name, sizeof e->name, f->addr[end], f->ip_version);
		if (!m->group)
			write_port(e->port, sizeof e->port, m, f, end);
		e->has_brackets = f->ip_version == 6 && e->port[0];
		break;
	}
}

static int end_cells(const struct end_text *e, bool utf8)
{
	return top_cells(e->name, utf8) + top_cells(e->port, utf8) + 2 * e->has_brackets;
}

void top_need_ends(int ends[2], const struct top_model *m, const struct top_row *r, bool utf8)
{
	const int sides = !m->group || m->group == TOP_GROUP_PAIR ? 2 : 1;

	for (int side = 0; side < sides; side++) {
		struct end_text e;

		fill_end(&e, m, r, side);
		const int cells = end_cells(&e, utf8);
		if (cells > ends[side])
			ends[side] = cells;
	}
}

/* Appends an end in `width` cells.  Cuts a long address in the middle, and keeps the port as long
 * as four cells of the address are left. */
static void append_end(struct top_out *out, const struct end_text *e, int width)
{
	const int start = out->cells;
	const int room = width - end_cells(e, out->utf8) + top_cells(e->name, out->utf8);

	if (room >= 4 || room >= top_cells(e->name, out->utf8)) {
		top_out_add(out, e->has_brackets ? "[" : "", 1);
		top_out_middle(out, e->name, room);
		top_out_add(out, e->has_brackets ? "]" : "", 1);
		top_out_add(out, e->port, width);
	} else {
		top_out_middle(out, e->name, width);
	}
	top_out_blanks(out, width - (out->cells - start));
}

void top_write_name(char *to, size_t room, const struct top_model *m, const struct top_row *r)
{
	const bool has_two = !m->group || m->group == TOP_GROUP_PAIR;
	struct end_text e[2];

	fill_end(&e[0], m, r, 0);
	fill_end(&e[1], m, r, 1);
	to[0] = 0;
	for (int k = 0; k < 1 + has_two; k++) {
		const size_t used = strlen(to);
		const char *open = e[k].has_brackets ? "[" : "";
		const char *close = e[k].has_brackets ? "]" : "";
		const char *between = k ? " > " : "";

		snprintf(to + used, room - used, "%s%s%s%s%s", between, open, e[k].name, close,
			e[k].port);
	}
}

/* ---- Values ---- */

void top_write_rate(char *to, size_t room, const struct top_model *m, double bytes)
{
	if (m->bytes)
		cli_rate(to, room, bytes, "B/s");
	else
		cli_rate(to, room, bytes * 8, "bit/s");
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

/* Writes TCP's state, or the identifier of ICMP's echo, which the record has in place of ports. */
static void write_state(char *to, size_t room, const struct bpe_flow *f)
{
	to[0] = 0;
	if (f->ip_proto == IPPROTO_TCP)
		snprintf(to, room, "%s", cli_tcp_state(f->tcp_state));
	else if (!top_port(f, 0) && f->port[0])
		snprintf(to, room, "id %u", f->port[0]);
}

/* Writes the value of a column of rates; "-" if the rate is unknown. */
static void write_rate_value(char *to, size_t room, const struct top_model *m,
	const struct top_row *r, enum top_column_id id)
{
	const double unit = m->bytes ? 1 : 8;
	double value = 0;

	if (!r->known)
		return;
	switch (id) {
	case TOP_COLUMN_OUT:
		value = r->rate[m->average][0] * unit;
		break;
	case TOP_COLUMN_IN:
		value = r->rate[m->average][1] * unit;
		break;
	case TOP_COLUMN_PPS:
		value = r->packet_rate[m->average];
		break;
	default: /* TOP_COLUMN_AVERAGE and the next two */
		value = r->rate[id - TOP_COLUMN_AVERAGE][0] + r->rate[id - TOP_COLUMN_AVERAGE][1];
		value *= unit;
		break;
	}
	cli_count(to, room, value);
}

/* Writes the value of a column; "-" if the value is unknown. */
static void write_value(char *to, size_t room, const struct top_model *m, const struct top_row *r,
	enum top_column_id id)
{
	const struct bpe_flow *f = r->flow;
	const char *end = bpe_flow_end_name(f->end);

	snprintf(to, room, "-");
	switch (id) {
	case TOP_COLUMN_FLOWS:
		cli_count(to, room, r->flows);
		break;
	case TOP_COLUMN_PROTO:
		cli_protocol(to, room, f->ip_proto, f->ip_version);
		break;
	case TOP_COLUMN_BYTES:
		cli_count(to, room, (double)(r->bytes[0] + r->bytes[1]));
		break;
	case TOP_COLUMN_BYTES_OUT:
	case TOP_COLUMN_BYTES_IN:
		cli_count(to, room, (double)r->bytes[id == TOP_COLUMN_BYTES_IN]);
		break;
	case TOP_COLUMN_PACKETS:
		cli_count(to, room, (double)(r->packets[0] + r->packets[1]));
		break;
	case TOP_COLUMN_STATE:
		write_state(to, room, f);
		break;
	case TOP_COLUMN_END:
		snprintf(to, room, "%s", end ? end : "?");
		break;
	case TOP_COLUMN_RTT:
		write_rtt(to, room, r->rtt_ns);
		break;
	case TOP_COLUMN_RETRANSMISSIONS:
		if (m->group || f->ip_proto == IPPROTO_TCP)
			cli_count(to, room, (double)r->retransmissions);
		break;
	case TOP_COLUMN_AGE:
		snprintf(to, room, "%.1f", (double)r->age_ns * 1e-9);
		break;
	case TOP_COLUMN_PROCESS:
		write_process(to, room, f);
		break;
	case TOP_COLUMN_NAME:
		if (f->names.server[0])
			snprintf(to, room, "%.255s", f->names.server);
		break;
	case TOP_COLUMN_APP:
		if (f->names.app)
			snprintf(to, room, "%s", name_app(f));
		break;
	default:
		write_rate_value(to, room, m, r, id);
		break;
	}
}

const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8)
{
	struct top_out out = top_out_begin(text, TOP_LINE, utf8);

	for (uint32_t k = 0; k < l->count; k++) {
		const enum top_column_id id = l->column[k].id;
		const int width = l->column[k].width;

		if (k)
			top_out_blanks(&out, 1);
		if (id <= TOP_COLUMN_TO) {
			struct end_text e;

			fill_end(&e, m, r, id == TOP_COLUMN_TO);
			append_end(&out, &e, width);
		} else {
			char value[260];

			write_value(value, sizeof value, m, r, id);
			top_out_column(&out, value, width, top_column_is_right(id));
		}
	}
	return top_out_end(&out);
}
