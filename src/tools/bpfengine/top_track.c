/* SPDX-License-Identifier: MIT */
/* The growth of flows and of the link over time; pure.
 *
 * Time is cut into ticks of a second or more, each of whole periods between two snapshots.  A track
 * keeps the growth of a flow in the latest ticks.  A hash table, built anew for each snapshot,
 * finds a flow's track by the flow's key.  A flow with smaller counters or a later first packet
 * began anew, so all counts are new.  A flow without a track is new if the flow began since the
 * snapshot before, or if the snapshot before had all flows.  Otherwise the flow was too small for
 * the snapshot, and the growth is unknown until the next snapshot.  The growth of a flow after some
 * ticks of absence is spread evenly over these ticks. */
#include "top_model.h"

#include <string.h>

#define SLOTS 16384u      /* as top_model.c allocates */
#define TICK_NS 950000000 /* snapshots of a second come a little early or late */
#define SLACK_NS 500000000

static const int64_t window_ns[TOP_WINDOWS] = { 2000000000, 10000000000, 40000000000 };

/* ---- Ticks ---- */

const struct top_tick *top_tick_at(const struct top_model *m, uint64_t tick)
{
	return &m->past[tick % TOP_PAST];
}

/* Returns the nanoseconds from a to b; 0 if b is not later. */
static uint64_t span_of(int64_t a, int64_t b)
{
	return b > a ? (uint64_t)b - (uint64_t)a : 0;
}

/* Returns the nanoseconds that the latest ticks take together. */
static uint64_t span_of_ticks(const struct top_model *m, uint64_t ticks)
{
	const struct top_tick *oldest = top_tick_at(m, m->tick + 1 - ticks);

	return span_of(oldest->begin_ns, top_tick_at(m, m->tick)->end_ns);
}

/* Computes how many ticks each average has. */
static void compute_windows(struct top_model *m)
{
	uint64_t ticks = 1;

	for (int k = 0; k < TOP_WINDOWS; k++) {
		const uint64_t wanted = (uint64_t)(window_ns[k] - SLACK_NS);

		while (ticks <= m->tick && ticks < TOP_TICKS && span_of_ticks(m, ticks) < wanted)
			ticks++;
		m->window[k].ticks = ticks;
		m->window[k].seconds = (double)span_of_ticks(m, ticks) * 1e-9;
	}
}

void top_tick_take(struct top_model *m, int64_t begin_ns, int64_t now_ns)
{
	const struct bpe_stats *s = &m->now.stats;
	struct top_tick *t = &m->past[m->tick % TOP_PAST];

	if (!m->tick && !t->packets)
		t->begin_ns = begin_ns;
	if (span_of(t->begin_ns, t->end_ns) >= TICK_NS && now_ns > t->end_ns) {
		const int64_t end_ns = t->end_ns;

		t = &m->past[++m->tick % TOP_PAST];
		*t = (struct top_tick){ .begin_ns = end_ns };
	}
	t->end_ns = now_ns;
	t->bytes += s->wire_bytes - m->link.bytes[0];
	t->packets += s->read_packets - m->link.packets;
	m->link.bytes[0] = s->wire_bytes;
	m->link.packets = s->read_packets;
	compute_windows(m);
}

/* ---- Tracks by key ---- */

/* Returns whether the track's ends are the flow's, where the track's end `first` stands for the
 * flow's end 0. */
static bool has_track_ends(const struct top_track *t, const struct bpe_flow *f, int first)
{
	return !memcmp(f->addr[0], t->addr[first], 16) &&
	       !memcmp(f->addr[1], t->addr[!first], 16) && f->port[0] == t->port[first] &&
	       f->port[1] == t->port[!first];
}

/* Returns whether the track is the flow's; the originator may have changed. */
static bool is_track_of(const struct top_track *t, const struct bpe_flow *f)
{
	if (t->hash != f->hash || t->ip_proto != f->ip_proto || t->ip_version != f->ip_version)
		return false;
	if (memcmp(t->vlan, f->vlan, sizeof t->vlan) != 0)
		return false;
	return has_track_ends(t, f, 0) || has_track_ends(t, f, 1);
}

static uint32_t first_slot(uint32_t hash)
{
	return hash * 2654435761u >> 7 & (SLOTS - 1);
}

/* Fills the hash table with all tracks; of two tracks with the same key either counts. */
static void index_tracks(struct top_model *m)
{
	memset(m->slots, 0, SLOTS * sizeof *m->slots);
	for (uint32_t k = 0; k < TOP_TRACKS; k++) {
		uint32_t i = first_slot(m->tracks[k].hash);

		m->tracks[k].is_seen = false;
		if (!m->tracks[k].is_used)
			continue;
		while (m->slots[i])
			i = (i + 1) & (SLOTS - 1);
		m->slots[i] = k + 1;
	}
}

/* Returns the flow's track, or NULL. */
static struct top_track *find_track(const struct top_model *m, const struct bpe_flow *f)
{
	for (uint32_t i = first_slot(f->hash); m->slots[i]; i = (i + 1) & (SLOTS - 1)) {
		struct top_track *t = &m->tracks[m->slots[i] - 1];

		if (is_track_of(t, f))
			return t;
	}
	return NULL;
}

/* Gives a track that no flow of the snapshot uses to the flow.  There is always a track, since
 * there are more tracks than flows in a snapshot. */
static struct top_track *begin_track(struct top_model *m, uint32_t *next, const struct bpe_flow *f)
{
	while (*next < TOP_TRACKS - 1 && m->tracks[*next].is_seen)
		++*next;
	struct top_track *t = &m->tracks[*next];
	*t = (struct top_track){ .hash = f->hash,
		.port = { f->port[0], f->port[1] },
		.vlan = { f->vlan[0], f->vlan[1] },
		.ip_proto = f->ip_proto,
		.ip_version = f->ip_version,
		.is_used = true,
		.first_ns = f->first_ns,
		.tick = m->tick };
	memcpy(t->addr, f->addr, sizeof t->addr);
	return t;
}

/* ---- Growth ---- */

/* Turns a track after the flow's originator has changed. */
static void turn_track(struct top_track *t, const struct bpe_flow *f)
{
	memcpy(t->addr, f->addr, sizeof t->addr);
	t->port[0] = f->port[0];
	t->port[1] = f->port[1];
	const uint64_t all = t->all.bytes[0];
	t->all.bytes[0] = t->all.bytes[1];
	t->all.bytes[1] = all;
	for (uint32_t k = 0; k < TOP_TICKS; k++) {
		const uint64_t grown = t->grown[k].bytes[0];

		t->grown[k].bytes[0] = t->grown[k].bytes[1];
		t->grown[k].bytes[1] = grown;
	}
}

/* Adds growth to the ticks since the track was counted, in equal parts. */
static void spread_growth(struct top_track *t, uint64_t tick, struct top_growth grown)
{
	const uint64_t ticks = tick > t->tick ? tick - t->tick : 1;
	const uint64_t kept = ticks < TOP_TICKS ? ticks : TOP_TICKS;

	for (uint64_t k = 0; k < kept && tick > t->tick; k++)
		t->grown[(tick - k) % TOP_TICKS] = (struct top_growth){ .packets = 0 };
	for (uint64_t k = 0; k < kept; k++) {
		struct top_growth *g = &t->grown[(tick - k) % TOP_TICKS];
		const bool is_last = !k; /* the latest tick gets the remainder */

		for (int d = 0; d < 2; d++)
			g->bytes[d] +=
				grown.bytes[d] / ticks + (is_last ? grown.bytes[d] % ticks : 0);
		g->packets += grown.packets / ticks + (is_last ? grown.packets % ticks : 0);
	}
	t->tick = tick;
}

/* Counts the flow's growth since the flow was seen last. */
static void count_growth(struct top_model *m, struct top_track *t, const struct bpe_flow *f)
{
	const struct top_growth all = { { f->wire_bytes[0], f->wire_bytes[1] },
		f->packets[0] + f->packets[1] };
	struct top_growth grown = all;

	if (!has_track_ends(t, f, 0))
		turn_track(t, f);
	const bool is_anew = f->first_ns > t->first_ns || all.bytes[0] < t->all.bytes[0] ||
			     all.bytes[1] < t->all.bytes[1] || all.packets < t->all.packets;
	if (!is_anew) {
		grown.bytes[0] -= t->all.bytes[0];
		grown.bytes[1] -= t->all.bytes[1];
		grown.packets -= t->all.packets;
	}
	spread_growth(t, m->tick, grown);
	t->all = all;
	t->first_ns = f->first_ns;
	t->is_seen = true;
}

/* Begins the track of a flow that had none; counts a known growth. */
static void count_first_sight(struct top_model *m, struct top_track *t, const struct bpe_flow *f)
{
	const bool had_all = m->before.count == m->before.about.alive;

	if (m->is_first || had_all || f->first_ns >= m->before.about.packet_ns) {
		count_growth(m, t, f);
		return;
	}
	t->all = (struct top_growth){ { f->wire_bytes[0], f->wire_bytes[1] },
		f->packets[0] + f->packets[1] };
	t->since = m->tick + 1;
	t->is_seen = true;
}

/* Computes the row's averages from the track. */
static void fill_rates(const struct top_model *m, struct top_row *r)
{
	const struct top_track *t = r->track;

	/* a track that began in this tick has no whole tick yet */
	r->known = t->since <= m->tick;
	for (int k = 0; k < TOP_WINDOWS && r->known; k++) {
		const uint64_t since = m->tick + 1 - t->since;
		const uint64_t ticks = m->window[k].ticks < since ? m->window[k].ticks : since;
		const double seconds = (double)span_of_ticks(m, ticks) * 1e-9;
		double sums[3] = { 0, 0, 0 };

		for (uint64_t i = 0; i < ticks; i++) {
			const struct top_growth *g = &t->grown[(m->tick - i) % TOP_TICKS];

			sums[0] += (double)g->bytes[0];
			sums[1] += (double)g->bytes[1];
			sums[2] += (double)g->packets;
		}
		if (seconds <= 0)
			continue;
		r->rate[k][0] = sums[0] / seconds;
		r->rate[k][1] = sums[1] / seconds;
		r->packet_rate[k] = sums[2] / seconds;
	}
}

void top_tracks_take(struct top_model *m)
{
	uint32_t next = 0;

	index_tracks(m);
	for (size_t i = 0; i < m->now.count; i++) {
		struct top_track *t = find_track(m, &m->now.flows[i]);

		if (t)
			count_growth(m, t, &m->now.flows[i]);
		m->rows[i].track = t;
	}
	for (size_t i = 0; i < m->now.count; i++) {
		if (!m->rows[i].track) {
			struct top_track *t = begin_track(m, &next, &m->now.flows[i]);

			count_first_sight(m, t, &m->now.flows[i]);
			m->rows[i].track = t;
		}
		fill_rates(m, &m->rows[i]);
	}
}
