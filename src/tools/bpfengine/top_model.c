/* SPDX-License-Identifier: MIT */
/* The live view's rows.  A rate is what a flow gained between two shots; flows are found again by
 * their key, in a hash table of the shot before. Counts that went back, or a later first packet,
 * are a flow that began anew: all that it has is new.  A flow that was not in the shot before is
 * new if it began since, or if that shot had all flows; else it was among the smaller ones, and
 * what it gained is not known until the next one. */
#include "top.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8192u /* at least four for each flow */
_Static_assert(SLOTS >= 4 * TOP_FLOWS, "SLOTS");

static bool shot_init(struct top_shot *s)
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
	if (shot_init(&m->now) && shot_init(&m->before) && m->rows && m->order && m->slots)
		return true;
	top_model_free(m);
	return false;
}

void top_model_free(struct top_model *m)
{
	free(m->rows), free(m->order), free(m->slots);
	free(m->now.flows), free(m->before.flows);
	*m = (struct top_model){ .sort = TOP_RATE };
}

/* ---- What is new ---- */

/* Who is the originator may have changed. */
static bool is_same(const struct bpe_flow *a, const struct bpe_flow *b)
{
	if (a->hash != b->hash || a->ip_proto != b->ip_proto || a->ip_version != b->ip_version ||
		memcmp(a->vlan, b->vlan, sizeof a->vlan) != 0)
		return false;
	for (int k = 0; k < 2; k++)
		if (!memcmp(a->addr[0], b->addr[k], 16) && !memcmp(a->addr[1], b->addr[!k], 16) &&
			a->port[0] == b->port[k] && a->port[1] == b->port[!k])
			return true;
	return false;
}

static uint32_t *place(const struct top_model *m, const struct bpe_flow *f)
{
	uint32_t i = f->hash * 2654435761u >> 7 & (SLOTS - 1);
	while (m->slots[i] && !is_same(&m->before.flows[m->slots[i] - 1], f))
		i = (i + 1) & (SLOTS - 1);
	return &m->slots[i];
}

static void remember(struct top_model *m)
{
	memset(m->slots, 0, SLOTS * sizeof *m->slots);
	for (size_t i = 0; i < m->before.count; i++)
		*place(m, &m->before.flows[i]) =
			(uint32_t)i + 1; /* the later of two with the same key */
}

static void gain(const struct top_model *m, struct top_row *r)
{
	const struct bpe_flow *f = r->flow;
	uint32_t at = *place(m, f);
	r->known = true;
	r->new_bytes = r->bytes, r->new_packets = r->packets;
	if (m->first)
		return;
	if (!at) {
		r->known = f->first_ns >= m->before.about.packet_ns ||
			   m->before.count == m->before.about.alive;
		if (!r->known)
			r->new_bytes = r->new_packets = 0;
		return;
	}
	const struct bpe_flow *b = &m->before.flows[at - 1];
	uint64_t bytes = b->wire_bytes[0] + b->wire_bytes[1],
		 packets = b->packets[0] + b->packets[1];
	if (f->first_ns > b->first_ns || r->bytes < bytes || r->packets < packets)
		return;
	r->new_bytes = r->bytes - bytes;
	r->new_packets = r->packets - packets;
}

static void row(struct top_model *m, struct top_row *r, const struct bpe_flow *f)
{
	*r = (struct top_row){ .flow = f,
		.bytes = f->wire_bytes[0] + f->wire_bytes[1],
		.packets = f->packets[0] + f->packets[1],
		.retransmissions = (uint64_t)f->retransmissions[0] + f->retransmissions[1],
		.rtt_ns = -1,
		.age_ns = (int64_t)((uint64_t)f->last_ns - (uint64_t)f->first_ns) };
	const int64_t *halves =
		f->rtt_ns[0] >= 0 && f->rtt_ns[1] >= 0 ? f->rtt_ns : f->handshake_ns;
	if (halves[0] >= 0 && halves[1] >= 0)
		r->rtt_ns = (int64_t)((uint64_t)halves[0] + (uint64_t)halves[1]);
	if (f->pid > 0)
		m->processes = true;
	gain(m, r);
}

void top_model_take(struct top_model *m, struct top_shot *shot)
{
	struct top_shot *last = &m->now, given = *shot;
	if (given.stats.elapsed_ns !=
		m->now.stats.elapsed_ns) { /* else the run is over, and rates stay those of its last
					      stretch */
		m->first = !m->now.stats.elapsed_ns;
		last = &m->before;
	}
	*shot = *last;
	if (last == &m->before)
		m->before = m->now;
	m->now = given;
	m->seconds = (double)(m->now.stats.elapsed_ns - m->before.stats.elapsed_ns) * 1e-9;
	remember(m);
	for (size_t i = 0; i < m->now.count; i++)
		row(m, &m->rows[i], &m->now.flows[i]);
	top_model_arrange(m);
}

/* ---- Filter ---- */

static bool has(const char *text, const char *word, size_t n)
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

/* :443 is a port, and no part of an IPv6 address. */
static bool matches(const struct bpe_flow *f, const char *text, const char *word, size_t n)
{
	unsigned long port = 0;
	if (n < 2 || n > 6 || word[0] != ':')
		return has(text, word, n);
	for (size_t i = 1; i < n; i++) {
		if (!isdigit((unsigned char)word[i]))
			return has(text, word, n);
		port = port * 10 + (unsigned long)(word[i] - '0');
	}
	return f->port[0] == port || f->port[1] == port;
}

bool top_matches(const struct top_model *m, const struct bpe_flow *f, const char *filter)
{
	char text[512], a[2][48], proto[16], service[2][40] = { "", "" };
	if (!filter[strspn(filter, " ")])
		return true;
	for (int k = 0; k < 2; k++) {
		const char *name = m->service ? m->service(f->port[k], f->ip_proto) : NULL;
		cli_address(a[k], sizeof a[k], f->addr[k], f->ip_version);
		if (name)
			snprintf(service[k], sizeof service[k], ":%s", name);
	}
	snprintf(text, sizeof text, "%s:%u %s:%u %s %s %s %s %.32s", a[0], f->port[0], a[1],
		f->port[1], cli_protocol(proto, sizeof proto, f->ip_proto, f->ip_version),
		service[0], service[1], cli_tcp_state(f->tcp_state), f->pid > 0 ? f->comm : "");
	if (f->pid > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), " (%d)", f->pid);
	while (*(filter += strspn(filter, " "))) {
		bool no = *filter == '!';
		size_t n = strcspn(filter += no, " ");
		if (n && matches(f, text, filter, n) == no)
			return false;
		filter += n;
	}
	return true;
}

/* ---- Order ---- */

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORTS] = { "rate", "bytes", "packets", "retransmissions",
		"round trip", "duration" };
	return sort < TOP_SORTS ? names[sort] : "?";
}

static int64_t value(const struct top_row *r, enum top_sort sort)
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

struct item {
	int64_t value;
	uint64_t bytes;
	uint32_t row;
};

/* Rows alike: the larger first, then in the order of the shot. */
static int by_value(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

void top_model_arrange(struct top_model *m)
{
	static struct item items[TOP_FLOWS]; /* the view has one thread that shows */
	m->shown = 0;
	for (size_t i = 0; i < m->now.count; i++)
		if (top_matches(m, &m->now.flows[i], m->filter))
			items[m->shown++] = (struct item){ value(&m->rows[i], m->sort),
				m->rows[i].bytes, (uint32_t)i };
	qsort(items, m->shown, sizeof *items, by_value);
	for (size_t i = 0; i < m->shown; i++)
		m->order[i] = items[m->reverse ? m->shown - 1 - i : i].row;
}
