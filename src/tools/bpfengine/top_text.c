/* SPDX-License-Identifier: MIT */
/* The lines of totals above the list (top_text.h); pure. */
#include "top_text.h"

#include <string.h>

void top_lines(struct top_lines *l, int height)
{
	int at = 0;
	*l = (struct top_lines){ -1, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1 };
	if (height >= 10)
		l->source = at++;
	if (height >= 1)
		l->rate = at++;
	if (height >= 8)
		l->drops = at++;
	if (height >= 11)
		l->protocols = at++;
	if (height >= 12)
		l->past = at++;
	if (height >= 3)
		l->head = at++;
	int bottom = height;
	if (height >= 7)
		l->keys = --bottom;
	if (height >= 2)
		l->status = --bottom;
	if (height >= 14)
		l->chosen = --bottom;
	if (bottom > at) {
		l->rows = at;
		l->row_count = bottom - at;
	}
}

const char *top_text_source(char text[TOP_LINE], const struct top_model *m, const char *source,
	const char *state, int width, bool utf8)
{
	struct top_out l = top_out_begin(text, width, utf8);
	char time[64];

	const char *of = m->is_file ? " of packets" : "";
	const char *blanks = *state ? "  " : "";
	snprintf(time, sizeof time, "  %.1f s%s%s%s", top_run_seconds(m), of, blanks, state);
	const int room = width - (int)strlen(time);
	top_out_middle(&l, source, room > 8 ? room : 8);
	top_out_add(&l, time, width);
	return top_out_end(&l);
}

/* Returns the bytes (or packets) a second of the latest ticks together. */
static double link_rate(const struct top_model *m, int window, bool packets)
{
	double sum = 0;

	if (m->is_whole) {
		const struct bpe_stats *s = &m->now.stats;
		const double seconds = top_run_seconds(m);
		const double all = (double)(packets ? s->read_packets : s->wire_bytes);

		return seconds > 0 ? all / seconds : 0;
	}
	if (m->window[window].seconds <= 0)
		return 0;
	for (uint64_t k = 0; k < m->window[window].ticks; k++) {
		const struct top_tick *t = top_tick_at(m, m->tick - k);

		sum += (double)(packets ? t->packets : t->bytes);
	}
	return sum / m->window[window].seconds;
}

/* Appends "  10 s 1.2 Mbit/s  40 s 1.1 Mbit/s": the averages besides the chosen. */
static void append_averages(struct top_out *l, const struct top_model *m)
{
	static const char *const names[TOP_WINDOWS] = { "2 s", "10 s", "40 s" };
	char rate[32], item[64];

	for (int k = 0; k < TOP_WINDOWS && !m->is_whole; k++) {
		if (k == (int)m->average || (k && m->window[k].ticks == m->window[k - 1].ticks))
			continue;
		top_write_rate(rate, sizeof rate, m, link_rate(m, k, false));
		snprintf(item, sizeof item, "  %s: %s", names[k], rate);
		top_out_item(l, item);
	}
}

const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width)
{
	const struct bpe_stats *s = &m->now.stats;
	struct top_out l = top_out_begin(text, width, false);
	char count[24], rate[32], item[96];

	cli_count(count, sizeof count, link_rate(m, (int)m->average, true));
	snprintf(item, sizeof item, "%s%s packets/s", m->is_whole ? "Mean: " : "", count);
	top_out_add(&l, item, width);
	top_write_rate(rate, sizeof rate, m, link_rate(m, (int)m->average, false));
	snprintf(item, sizeof item, "  %s", rate);
	top_out_item(&l, item);
	snprintf(item, sizeof item, "  %s flows",
		cli_count(count, sizeof count, (double)s->flows_active));
	top_out_item(&l, item);
	if (s->flows_evicted) {
		snprintf(item, sizeof item, ", %s evicted",
			cli_count(count, sizeof count, (double)s->flows_evicted));
		top_out_item(&l, item);
	}
	cli_rate(rate, sizeof rate, (double)s->wire_bytes, "B");
	snprintf(item, sizeof item, "  in all %s packets, %s",
		cli_count(count, sizeof count, (double)s->read_packets), rate);
	top_out_item(&l, item);
	append_averages(&l, m);
	return top_out_end(&l);
}

/* ---- Drops ---- */

/* A line of drops.  With is_short, our own causes that dropped nothing are left out. */
struct drop_line {
	struct top_out out;
	const struct top_model *m;
	bool is_short, has_grown;
};

/* Appends a counter of drops, and the rate of a counter that grew. */
static void append_drop_count(struct drop_line *l, const char *name, uint64_t now, uint64_t before)
{
	const bool has_grown = !l->m->is_first && now > before;
	char count[24], rate[24], item[96];

	snprintf(item, sizeof item, "  %s %s", name, cli_count(count, sizeof count, (double)now));
	top_out_add(&l->out, item, l->out.width);
	if (!has_grown)
		return;
	const double grown = (double)(now - before);
	cli_count(rate, sizeof rate, l->m->seconds > 0 ? grown / l->m->seconds : 0);
	snprintf(item, sizeof item, " (+%s/s)", rate);
	top_out_add(&l->out, item, l->out.width);
	l->has_grown = true;
}

static void write_drops(struct drop_line *l)
{
	const struct bpe_stats *s = &l->m->now.stats;
	const struct bpe_stats *b = &l->m->before.stats;

	top_out_add(&l->out, "Dropped", l->out.width);
	if (s->kernel_known & BPE_KNOWN_DROPPED)
		append_drop_count(l, "kernel", s->kernel_dropped, b->kernel_dropped);
	else
		top_out_add(&l->out, "  kernel -", l->out.width); /* the source has no count */
	if (s->kernel_known & BPE_KNOWN_INTERFACE_DROPPED)
		append_drop_count(l, "interface", s->interface_dropped, b->interface_dropped);
	else
		top_out_add(&l->out, "  interface -", l->out.width);
	bool has_own = false;
	for (int k = 0; k < BPE_DROP_COUNT; k++) {
		if (l->is_short && !s->dropped[k])
			continue;
		append_drop_count(l, bpe_drop_name(k), s->dropped[k], b->dropped[k]);
		has_own = true;
	}
	if (!has_own)
		top_out_item(&l->out, "  by us 0");
}

const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width, bool *some)
{
	struct drop_line l = { .out = top_out_begin(text, TOP_LINE, false), .m = m };

	write_drops(&l);
	if (l.out.cells > width) {
		l = (struct drop_line){
			.out = top_out_begin(text, width, false), .m = m, .is_short = true
		};
		write_drops(&l);
	}
	*some = l.has_grown;
	return top_out_end(&l.out);
}

/* ---- Protocols ---- */

/* Computes the packets of each protocol since the snapshot before. */
static void compute_protocol_growth(const struct top_model *m, uint64_t *gained)
{
	for (size_t i = 0; i < m->now.protocol_count; i++) {
		const struct bpe_protocol *now = &m->now.protocols[i];

		gained[i] = now->packets;
		for (size_t k = 0; k < m->before.protocol_count && !m->is_whole; k++) {
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
		if (numbers[i] && (largest == count || numbers[i] > numbers[largest]))
			largest = i;
	return largest;
}

/* Returns the seconds which the growth of protocols took; 0: unknown. */
static double protocol_seconds(const struct top_model *m)
{
	const struct bpe_stats *s = &m->now.stats;
	const struct bpe_stats *b = &m->before.stats;

	if (m->is_whole)
		return top_run_seconds(m);
	if (!m->is_file)
		return m->seconds;
	const int64_t begin_ns = m->is_first ? s->first_packet_ns : b->last_packet_ns;
	const double ns = (double)((uint64_t)s->last_packet_ns - (uint64_t)begin_ns);
	return s->last_packet_ns > begin_ns ? ns * 1e-9 : 0;
}

const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width)
{
	const size_t count = m->now.protocol_count;
	const double seconds = protocol_seconds(m);
	struct top_out l = top_out_begin(text, width, false);
	uint64_t gained[TOP_PROTOCOLS];

	compute_protocol_growth(m, gained);
	top_out_add(&l, "Packets/s", width);
	for (;;) { /* the busiest first; silent protocols are left out */
		const size_t busiest = find_largest(gained, count);
		char rate[24], item[64];

		if (busiest == count)
			break;
		cli_count(rate, sizeof rate, seconds > 0 ? (double)gained[busiest] / seconds : 0);
		snprintf(item, sizeof item, "  %s %s", m->now.protocols[busiest].name, rate);
		if (!top_out_item(&l, item))
			break;
		gained[busiest] = 0;
	}
	return top_out_end(&l);
}

/* ---- History ---- */

/* Returns the bytes a second in a tick: of a flow's track, or of the link. */
static double tick_rate(const struct top_model *m, const struct top_track *track, uint64_t tick)
{
	const struct top_tick *t = top_tick_at(m, tick);
	const double seconds = (double)((uint64_t)t->end_ns - (uint64_t)t->begin_ns) * 1e-9;
	double bytes = (double)t->bytes;

	if (track) {
		const struct top_growth *g = &track->grown[tick % TOP_TICKS];

		bytes = (double)g->bytes[0] + (double)g->bytes[1];
	}
	return t->end_ns > t->begin_ns && seconds > 0 ? bytes / seconds : 0;
}

/* Appends the bar of a rate: a blank for nothing, else an eighth of the peak or more. */
static void append_bar(struct top_out *l, double rate, double peak, bool blocks)
{
	static const char ascii[] = "_.:-=+*#";
	const int level = peak > 0 ? (int)(rate / peak * 7.999) : 0;
	char bar[4] = { (char)0xe2, (char)0x96, (char)(0x81 + level), 0 };

	if (!blocks) {
		bar[0] = ascii[level];
		bar[1] = 0;
	}
	top_out_add(l, rate > 0 ? bar : " ", 1);
}

const char *top_text_past(char text[TOP_LINE], const struct top_model *m, const struct top_row *row,
	int width, bool blocks)
{
	enum { LABEL = 9, PEAK = 21 };
	const struct top_track *track = row ? row->track : NULL;
	const uint64_t most = row ? TOP_TICKS : TOP_PAST;
	struct top_out l = top_out_begin(text, width, blocks);
	char rate[32], item[64], name[256];
	double peak = 0;

	top_out_add(&l, row ? "Chosen   " : "Link     ", width);
	if (row && !track) { /* a group, or a flow that ended, has no history */
		top_write_name(name, sizeof name, m, row);
		top_out_add(&l, name, width);
	}
	if (width <= LABEL + PEAK || (row && !track))
		return top_out_end(&l);
	uint64_t count = (uint64_t)(width - LABEL - PEAK);
	if (count > most)
		count = most;
	if (count > m->tick + 1)
		count = m->tick + 1;
	for (uint64_t k = 0; k < count; k++) {
		const double r = tick_rate(m, track, m->tick - k);

		peak = r > peak ? r : peak;
	}
	for (uint64_t k = count; k-- > 0;)
		append_bar(&l, tick_rate(m, track, m->tick - k), peak, blocks);
	top_write_rate(rate, sizeof rate, m, peak);
	snprintf(item, sizeof item, "  peak %s", rate);
	top_out_item(&l, item);
	return top_out_end(&l);
}
