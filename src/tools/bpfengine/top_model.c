/* SPDX-License-Identifier: MIT */
/* The rows of the live view; pure.
 *
 * A rate is the growth of a flow's counters between two snapshots.  A hash table of the snapshot
 * before finds a flow again by its key.  A flow with smaller counters or a later first packet began
 * anew, so all its counts are new.  A flow which is missing in the snapshot before is new if the
 * flow began since, or if the snapshot had all flows.  Otherwise the flow was too small for
 * the snapshot, and its growth is unknown until the next snapshot. */
#include "top.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8192u /* at least four for each flow */
_Static_assert(SLOTS >= 4 * TOP_FLOWS, "SLOTS");

static bool init_snapshot(struct top_shot *s)
{
	s->flows = calloc(TOP_FLOWS, sizeof *s->flows);
	return s->flows;
}

bool top_model_init(struct top_model *m)
{
	*m = (struct top_model){ .sort = TOP_RATE };
	m->rows = calloc(TOP_FLOWS, sizeof *m->rows);
	m->order = calloc(TOP_FLOWS, sizeof *m->order);
	m->slots = calloc(SLOTS, sizeof *m->slots);
	const bool has_snapshots = init_snapshot(&m->now) && init_snapshot(&m->before);
	if (has_snapshots && m->rows && m->order && m->slots)
		return true;
	top_model_free(m);
	return false;
}

void top_model_free(struct top_model *m)
{
	free(m->rows);
	free(m->order);
	free(m->slots);
	free(m->now.flows);
	free(m->before.flows);
	*m = (struct top_model){ .sort = TOP_RATE };
}

/* ---- Growth since the snapshot before ---- */

/* Returns whether a's endpoints equal b's, where b's endpoint `first` stands for a's endpoint 0. */
static bool has_same_ends(const struct bpe_flow *a, const struct bpe_flow *b, int first)
{
	return !memcmp(a->addr[0], b->addr[first], 16) &&
	       !memcmp(a->addr[1], b->addr[!first], 16) && a->port[0] == b->port[first] &&
	       a->port[1] == b->port[!first];
}

/* Returns whether two records have the same key; the originator may have changed. */
static bool is_same_flow(const struct bpe_flow *a, const struct bpe_flow *b)
{
	if (a->hash != b->hash || a->ip_proto != b->ip_proto || a->ip_version != b->ip_version)
		return false;
	if (memcmp(a->vlan, b->vlan, sizeof a->vlan) != 0)
		return false;
	return has_same_ends(a, b, 0) || has_same_ends(a, b, 1);
}

/* Returns the slot of the flow's key, or the free slot for the key. */
static uint32_t *find_slot(const struct top_model *m, const struct bpe_flow *f)
{
	uint32_t i = f->hash * 2654435761u >> 7 & (SLOTS - 1);

	while (m->slots[i] && !is_same_flow(&m->before.flows[m->slots[i] - 1], f))
		i = (i + 1) & (SLOTS - 1);
	return &m->slots[i];
}

/* Fills the hash table with the snapshot before; of two flows with one key the later counts. */
static void index_snapshot_before(struct top_model *m)
{
	memset(m->slots, 0, SLOTS * sizeof *m->slots);
	for (size_t i = 0; i < m->before.count; i++)
		*find_slot(m, &m->before.flows[i]) = (uint32_t)i + 1;
}

/* Computes the row's growth; bytes and packets are set. */
static void compute_growth(const struct top_model *m, struct top_row *r)
{
	const struct bpe_flow *f = r->flow;
	const uint32_t at = *find_slot(m, f);

	r->known = true;
	r->new_bytes = r->bytes;
	r->new_packets = r->packets;
	if (m->first)
		return;
	if (!at) {
		r->known = f->first_ns >= m->before.about.packet_ns ||
			   m->before.count == m->before.about.alive;
		if (!r->known) {
			r->new_bytes = 0;
			r->new_packets = 0;
		}
		return;
	}
	const struct bpe_flow *b = &m->before.flows[at - 1];
	const uint64_t bytes = b->wire_bytes[0] + b->wire_bytes[1];
	const uint64_t packets = b->packets[0] + b->packets[1];
	if (f->first_ns > b->first_ns || r->bytes < bytes || r->packets < packets)
		return;
	r->new_bytes = r->bytes - bytes;
	r->new_packets = r->packets - packets;
}

static void fill_row(struct top_model *m, struct top_row *r, const struct bpe_flow *f)
{
	const bool has_rtt = f->rtt_ns[0] >= 0 && f->rtt_ns[1] >= 0;
	const int64_t *halves = has_rtt ? f->rtt_ns : f->handshake_ns;

	*r = (struct top_row){
		.flow = f,
		.bytes = f->wire_bytes[0] + f->wire_bytes[1],
		.packets = f->packets[0] + f->packets[1],
		.retransmissions = (uint64_t)f->retransmissions[0] + f->retransmissions[1],
		.rtt_ns = -1,
		.age_ns = (int64_t)((uint64_t)f->last_ns - (uint64_t)f->first_ns),
	};
	if (halves[0] >= 0 && halves[1] >= 0)
		r->rtt_ns = (int64_t)((uint64_t)halves[0] + (uint64_t)halves[1]);
	if (f->pid > 0)
		m->processes = true;
	compute_growth(m, r);
}

void top_model_take(struct top_model *m, struct top_shot *shot)
{
	const struct top_shot given = *shot;

	if (given.stats.elapsed_ns != m->now.stats.elapsed_ns) {
		m->first = !m->now.stats.elapsed_ns;
		*shot = m->before;
		m->before = m->now;
	} else { /* the run is over: rates stay at the last period's */
		*shot = m->now;
	}
	m->now = given;
	m->seconds = (double)(m->now.stats.elapsed_ns - m->before.stats.elapsed_ns) * 1e-9;
	index_snapshot_before(m);
	for (size_t i = 0; i < m->now.count; i++)
		fill_row(m, &m->rows[i], &m->now.flows[i]);
	top_model_arrange(m);
}

/* ---- Filter ---- */

/* Returns whether the text contains the word, in letters of either case. */
static bool contains_word(const char *text, const char *word, size_t n)
{
	for (; *text; text++) {
		size_t i = 0;

		while (i < n && text[i] &&
			tolower((unsigned char)text[i]) == tolower((unsigned char)word[i]))
			i++;
		if (i == n)
			return true;
	}
	return !n;
}

/* Reads ":443" as a port.  Returns whether the word is a port. */
static bool parse_port_word(const char *word, size_t n, unsigned long *port)
{
	if (n < 2 || n > 6 || word[0] != ':')
		return false;
	*port = 0;
	for (size_t i = 1; i < n; i++) {
		if (!isdigit((unsigned char)word[i]))
			return false;
		*port = *port * 10 + (unsigned long)(word[i] - '0');
	}
	return true;
}

/* Returns whether a word of the filter matches; ":443" is a port, and no part of an IPv6 address.
 */
static bool matches_word(const struct bpe_flow *f, const char *text, const char *word, size_t n)
{
	unsigned long port;

	if (parse_port_word(word, n, &port))
		return f->port[0] == port || f->port[1] == port;
	return contains_word(text, word, n);
}

/* Writes all which the filter's words are searched in. */
static void write_searched_text(
	const struct top_model *m, const struct bpe_flow *f, char *text, size_t room)
{
	char address[2][48], proto[16], service[2][40] = { "", "" };

	for (int k = 0; k < 2; k++) {
		const char *name = m->service ? m->service(f->port[k], f->ip_proto) : NULL;

		cli_address(address[k], sizeof address[k], f->addr[k], f->ip_version);
		if (name)
			snprintf(service[k], sizeof service[k], ":%s", name);
	}
	snprintf(text, room, "%s:%u %s:%u %s %s %s %s %.32s", address[0], f->port[0], address[1],
		f->port[1], cli_protocol(proto, sizeof proto, f->ip_proto, f->ip_version),
		service[0], service[1], cli_tcp_state(f->tcp_state), f->pid > 0 ? f->comm : "");
	if (f->pid > 0)
		snprintf(text + strlen(text), room - strlen(text), " (%d)", f->pid);
}

bool top_matches(const struct top_model *m, const struct bpe_flow *f, const char *filter)
{
	char text[512];

	filter += strspn(filter, " ");
	if (!*filter)
		return true;
	write_searched_text(m, f, text, sizeof text);
	for (; *filter; filter += strspn(filter, " ")) {
		const bool is_negated = *filter == '!';

		filter += is_negated;
		const size_t n = strcspn(filter, " ");
		if (n && matches_word(f, text, filter, n) == is_negated)
			return false;
		filter += n;
	}
	return true;
}

/* ---- Order ---- */

/* Returns the name of an order as the status line shows the name. */
const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORTS] = { "rate", "bytes", "packets", "retransmissions",
		"round trip", "duration" };

	return sort < TOP_SORTS ? names[sort] : "?";
}

static int64_t sort_value(const struct top_row *r, enum top_sort sort)
{
	switch (sort) {
	case TOP_RATE:
		return r->known ? (int64_t)r->new_bytes : -1;
	case TOP_PACKETS:
		return (int64_t)r->packets;
	case TOP_RETRANSMISSIONS:
		return (int64_t)r->retransmissions;
	case TOP_RTT:
		return r->rtt_ns;
	case TOP_AGE:
		return r->age_ns;
	default:
		return (int64_t)r->bytes;
	}
}

struct sort_item {
	int64_t value;
	uint64_t bytes;
	uint32_t row;
};

/* Compares for qsort: the larger value first, then more bytes, then the order of the snapshot. */
static int compare_sort_items(const void *x, const void *y)
{
	const struct sort_item *a = x;
	const struct sort_item *b = y;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

void top_model_arrange(struct top_model *m)
{
	static struct sort_item items[TOP_FLOWS]; /* only one thread shows the view */

	m->shown = 0;
	for (size_t i = 0; i < m->now.count; i++)
		if (top_matches(m, &m->now.flows[i], m->filter))
			items[m->shown++] = (struct sort_item){ sort_value(&m->rows[i], m->sort),
				m->rows[i].bytes, (uint32_t)i };
	qsort(items, m->shown, sizeof *items, compare_sort_items);
	for (size_t i = 0; i < m->shown; i++)
		m->order[i] = items[m->reverse ? m->shown - 1 - i : i].row;
}
