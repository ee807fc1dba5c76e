/* SPDX-License-Identifier: MIT */
/* Packets of batches as lines (printer.h).
 *
 * Locks: a lock guards all but the counters, so the main thread can write lines that wait while no
 * packets come.  The printing thread takes the lock once a batch. */
#include "printer.h"

#include "hex.h"
#include "json.h"
#include "names.h"
#include "own.h"
#include "own_words.h"
#include "pace.h"
#include "sequences.h"
#include "tcpdump.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND_NS 1000000000

struct printer {
	struct print_options options;
	struct print_setup setup;
	pthread_mutex_t lock;
	bool has_terminal;
	bool is_told;    /* the failure was told to the caller */
	uint64_t number; /* packets so far */
	struct print_stamp stamp;
	struct print_names names;
	struct print_pace pace;
	struct own_form own;
	struct tcpdump_sequences *tcpdump; /* NULL: another form */
	struct json_form json;
	struct bpe_flow flow; /* of the packet at hand */
	struct print_output out;
};

/* ---- The beginning ---- */

/* Returns whether lines are colored. */
static bool is_color_wanted(const struct print_options *options, bool has_terminal)
{
	const char *none = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (options->form == PRINT_JSON || options->color == PRINT_COLOR_NEVER)
		return false;
	if (options->color == PRINT_COLOR_ALWAYS)
		return true;
	if (!has_terminal || (none && *none))
		return false;
	return terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

/* Makes the memory of the form from packet to packet.  Returns false without memory. */
static bool prepare_form(struct printer *p)
{
	const struct print_options *o = &p->options;

	p->own.options = *o;
	p->own.has_color = is_color_wanted(o, p->has_terminal);
	own_begin();
	stamp_begin_utc(&p->json.stamp);
	p->json.has_community_id = o->verbose;
	if (o->form == PRINT_TCPDUMP) {
		p->tcpdump = tcpdump_sequences_new();
		return p->tcpdump;
	}
	if (o->form != PRINT_OWN || !o->verbose || o->absolute)
		return true;
	p->own.sequences = sequences_new();
	return p->own.sequences;
}

int print_open(struct printer **printer, const struct print_setup *setup)
{
	struct printer *p = calloc(1, sizeof *p);
	uint32_t time = setup->options.time > 5 ? 5 : (uint32_t)setup->options.time;

	if (!p)
		return ENOMEM;
	p->setup = *setup;
	p->options = setup->options;
	p->has_terminal = isatty(setup->fd);
	pthread_mutex_init(&p->lock, NULL);
	if (!prepare_form(p)) {
		print_close(p);
		return ENOMEM;
	}
	stamp_begin(&p->stamp, time, p->options.nanoseconds);
	p->names.is_any = setup->is_any;
	p->names.is_raw = p->options.form == PRINT_JSON;
	names_begin(&p->names, setup->interface_name);
	if (p->has_terminal)
		p->pace.limit = p->options.lines_a_second ? p->options.lines_a_second : PACE_LINES;
	p->pace.second_ns = pace_clock_ns();
	print_output_begin(&p->out, setup->fd);
	*printer = p;
	return 0;
}

bool print_has_terminal(const struct printer *p)
{
	return p->has_terminal;
}

/* ---- A packet ---- */

/* Returns the bytes of the link-layer header, which -x, -X and -A leave out. */
static uint32_t link_header_length(const struct bpe_batch *b, uint32_t i)
{
	struct bpe_layers l;

	if (bpe_batch_layers(b, i, BPE_LAYERS_OUTERMOST, &l, NULL) < 0)
		return 0;
	if (l.network != BPE_NO_OFFSET)
		return l.network;
	if (l.link_type == 1) {
		const uint32_t tags = 14u + 4u * l.vlan_count;

		return l.proto == BPE_PROTO_LLC ? tags + 3 : tags;
	}
	return 0;
}

/* Puts the bytes of the packet for -x, -X and -A. */
static void print_bytes(struct printer *p, const struct bpe_batch *b, uint32_t i)
{
	const struct print_options *o = &p->options;
	const uint32_t caplen = b->caplen[i];
	int form = o->text;

	if (o->hex_text)
		form = o->hex_text;
	else if (o->hex)
		form = o->hex;
	uint32_t from = form > 1 ? 0 : link_header_length(b, i);
	if (from > caplen)
		from = caplen;
	if (from == caplen && form <= 1)
		return;
	if (o->form == PRINT_JSON)
		hex_put_digits(&p->out, b->data[i] + from, caplen - from);
	else if (o->hex_text || o->hex)
		hex_put(&p->out, b->data[i] + from, caplen - from, o->hex_text);
	else
		hex_put_text(&p->out, b->data[i] + from, caplen - from);
}

/* Returns whether packet i is printed: the flow matches the condition as the flow is now.  Stores
 * the flow if the line needs the record, else NULL. */
static inline bool find_flow(
	struct printer *p, const struct bpe_batch *b, uint32_t i, const struct bpe_flow **flow)
{
	*flow = NULL;
	if (!p->setup.has_names && !p->setup.where)
		return true;
	if (bpe_batch_flow(b, i, &p->flow) != 1)
		return !p->setup.where;
	*flow = &p->flow;
	return !p->setup.where || bpe_where_match(p->setup.where, &p->flow);
}

/* Finds the facts about packet i beside the bytes.  meta, tunnel: the caller's memory. */
static inline void find_facts(struct printer *p, const struct bpe_batch *b, uint32_t i,
	struct print_facts *facts, struct bpe_meta *meta, struct bpe_tunnel *tunnel)
{
	const uint32_t flags = b->layers[i].flags;

	facts->direction = p->setup.has_directions ? BPE_DIRECTION_IN : BPE_DIRECTION_UNKNOWN;
	if (flags & BPE_PKT_OUTGOING)
		facts->direction = BPE_DIRECTION_OUT;
	facts->number = p->number;
	facts->interface_name = names_of_packet(&p->names, b, i);
	facts->marks = b->marks ? b->marks[i] : 0;
	facts->rtt_ns = facts->marks & BPE_MARK_RTT ? b->rtt_ns[i] : -1;
	facts->meta = NULL;
	facts->tunnel = NULL;
	if (flags & BPE_PKT_TUNNEL && bpe_batch_tunnel(b, i, tunnel) == 1)
		facts->tunnel = tunnel;
	if (!b->meta || bpe_batch_meta(b, i, meta) != 1)
		return;
	if (meta->flags & BPE_META_DIRECTION)
		facts->direction =
			meta->flags & BPE_META_OUT ? BPE_DIRECTION_OUT : BPE_DIRECTION_IN;
	if (meta->flags & BPE_META_PROCESS)
		facts->meta = meta;
}

/* Puts the number (-#) and the time before a line. */
static inline char *put_start(struct printer *p, char *at, int64_t time_ns)
{
	if (p->options.number) { /* tcpdump: %5u and two blanks */
		char *const start = at;
		char text[24];
		char *const end = digits_put(text, p->number);

		at = digits_pad(at, start + (end - text < 5 ? 5 - (end - text) : 0));
		memcpy(at, text, (size_t)(end - text));
		at += end - text;
		*at++ = ' ';
		*at++ = ' ';
	}
	char *const stamp = at;
	at = stamp_put(&p->stamp, at, time_ns);
	if (at > stamp)
		*at++ = ' ';
	return at;
}

/* Puts packet i in the form that options choose. */
static inline void put_in_form(struct printer *p, struct print_line *line,
	const struct bpe_batch *b, uint32_t i, const struct bpe_flow *flow)
{
	const struct print_options *o = &p->options;
	struct print_facts facts = { .flow = flow };
	struct bpe_meta meta;
	struct bpe_tunnel tunnel;

	if (o->form == PRINT_TCPDUMP) {
		const struct print_packet packet = { .bytes = b->data[i],
			.caplen = b->caplen[i],
			.wirelen = b->wirelen[i],
			.time_ns = b->time_ns[i],
			.link_type = b->layers[i].link_type,
			.layers = &b->layers[i] };

		if (p->own.has_color)
			line->at = own_begin_color(line->at, b->hash[i]);
		tcpdump_put_packet(line, o, p->tcpdump, &packet);
		if (p->own.has_color)
			line_put_text(line, "\33[39m");
		return;
	}
	find_facts(p, b, i, &facts, &meta, &tunnel);
	if (o->form == PRINT_OWN)
		own_put_packet(line, &p->own, b, i, &facts);
	else
		json_put_packet(line, &p->json, b, i, &facts);
}

/* Prints packet i. */
static inline void print_one(struct printer *p, const struct bpe_batch *b, uint32_t i)
{
	const struct print_options *o = &p->options;
	struct print_line line = print_output_line(&p->out);
	const struct bpe_flow *flow;

	p->number++;
	if (!find_flow(p, b, i, &flow))
		return;
	if (o->form != PRINT_JSON)
		line.at = put_start(p, line.at, b->time_ns[i]);
	put_in_form(p, &line, b, i, flow);
	if (o->hex | o->hex_text | o->text) {
		if (o->form == PRINT_JSON)
			line_put_text(&line, ",\"bytes\":\"");
		print_output_add(&p->out, &line);
		print_bytes(p, b, i);
		line = print_output_line(&p->out);
		if (o->form == PRINT_JSON)
			line_put_char(&line, '"');
	}
	if (o->form == PRINT_JSON)
		line_put_char(&line, '}');
	line_put_char(&line, '\n');
	print_output_add(&p->out, &line);
	print_output_packet(&p->out);
}

/* ---- The pace of a terminal ---- */

/* Puts a line in the place of the packets left out. */
static void tell_left_out(struct printer *p)
{
	struct print_line line = print_output_line(&p->out);
	char digits[24];
	const char *const end = digits_put(digits, p->pace.left_out);

	if (!p->pace.left_out)
		return;
	line_put_text(&line, "... ");
	for (const char *at = digits; at < end; at++) {
		if (at > digits && (end - at) % 3 == 0)
			line_put_char(&line, ',');
		line_put_char(&line, *at);
	}
	line_put_text(&line, " more\n");
	print_output_add(&p->out, &line);
	p->pace.left_out = 0;
}

/* Begins the next second when this second is over. */
static void advance_pace(struct printer *p)
{
	if (p->pace.limit && pace_advance(&p->pace, pace_clock_ns()))
		tell_left_out(p);
}

/* Returns the lines that ended since the place in the buffer; the buffer was not written. */
static uint64_t count_lines(const struct printer *p, size_t from)
{
	uint64_t lines = 0;

	for (size_t k = from; k < p->out.used; k++)
		lines += p->out.bytes[k] == '\n';
	return lines;
}

/* Waits until a terminal may get the next packet of a savefile.  Returns at once if the run is to
 * end. */
static void wait_for_pace(struct printer *p)
{
	while (!pace_has_room(&p->pace)) {
		if (atomic_load_explicit(&p->out.is_ending, memory_order_relaxed))
			return;
		print_output_flush(&p->out);
		pace_sleep(SECOND_NS / 20);
		advance_pace(p);
	}
}

/* Prints the packets for a terminal. */
static void print_paced(struct printer *p, const struct bpe_batch *b)
{
	const struct bpe_flow *flow;

	advance_pace(p);
	for (uint32_t i = 0; i < b->count; i++) {
		if (p->setup.where && !find_flow(p, b, i, &flow)) {
			p->number++;
			continue;
		}
		if (!p->setup.is_live)
			wait_for_pace(p);
		if (!pace_has_room(&p->pace)) {
			p->number++;
			pace_leave_out(&p->pace, 1);
			continue;
		}
		print_output_flush(&p->out);
		print_one(p, b, i);
		p->pace.lines += count_lines(p, 0);
	}
}

/* ---- Batches ---- */

/* Tells the caller of the failure to write, once. */
static void tell_failure(struct printer *p)
{
	if (p->is_told)
		return;
	p->is_told = true;
	if (p->setup.on_failure)
		p->setup.on_failure(p->setup.user);
}

void print_batch(struct printer *p, const struct bpe_batch *b)
{
	/* a batch that is not full ends a block: no more packets are at hand */
	const bool is_idle = p->setup.is_live && (b->count < BPE_BATCH || p->has_terminal);

	pthread_mutex_lock(&p->lock);
	if (p->out.error) {
		print_output_lose(&p->out, b->count);
	} else if (p->pace.limit) {
		print_paced(p, b);
	} else {
		for (uint32_t i = 0; i < b->count; i++)
			print_one(p, b, i);
	}
	if (!p->out.error && (is_idle || p->options.flush))
		print_output_flush(&p->out);
	if (p->out.error)
		tell_failure(p);
	pthread_mutex_unlock(&p->lock);
}

void print_idle(struct printer *p)
{
	if (pthread_mutex_trylock(&p->lock))
		return; /* the printing thread is at work */
	advance_pace(p);
	if (p->setup.is_live && p->out.used && print_output_is_ready(&p->out))
		print_output_flush(&p->out);
	pthread_mutex_unlock(&p->lock);
}

void print_ending(struct printer *p)
{
	atomic_store_explicit(&p->out.is_ending, 1, memory_order_relaxed);
}

void print_finish(struct printer *p)
{
	pthread_mutex_lock(&p->lock);
	tell_left_out(p);
	print_output_flush(&p->out);
	pthread_mutex_unlock(&p->lock);
}

void print_counts(struct printer *p, struct print_counts *counts)
{
	counts->printed = atomic_load_explicit(&p->out.printed, memory_order_relaxed);
	counts->lost = atomic_load_explicit(&p->out.lost, memory_order_relaxed);
	counts->withheld = atomic_load_explicit(&p->pace.withheld, memory_order_relaxed);
	counts->error = p->out.error;
}

void print_close(struct printer *p)
{
	if (!p)
		return;
	sequences_free(p->own.sequences);
	tcpdump_sequences_free(p->tcpdump);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
