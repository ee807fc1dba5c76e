/* SPDX-License-Identifier: MIT */
/* Reading every counter while all threads go on counting; stateless.
 *
 * The shares' counters are read before the reader's, so a packet on its way is most likely seen as
 * read and not yet delivered.  Where the hardware shows the opposite order, in_flight is 0 and not
 * negative.  After the end of the run the numbers are exact.
 *
 * Which counter belongs to which member of struct bpe_stats is in stats/stat_list.h alone. */
#include "engine/engine.h"

#include "base/clock.h"
#include "stats/stat_list.h"

#define AT_INPUT(member) offsetof(struct bpei_input, member)
#define AT_DEVICE(member) offsetof(struct bpei_device, member)
#define AT_FRAGMENTS(member) offsetof(struct bpei_fragment_counts, member)
#define AT_ENGINE(member) offsetof(struct bpe_engine, member)
#define AT_TIMELINE(member) offsetof(struct bpei_timeline, member)
#define AT_TABLE(member) offsetof(struct bpei_table_counts, member)
#define AT_WORKER(member) offsetof(struct bpei_worker, member)
#define AT_NAMER(member) offsetof(struct bpei_namer_counts, member)
#define AT_NONE(member) 0
#define AT_COUNTS(member) 0 /* bpei_counts_read */
#define ONE(member, key, unit, flags, owner, source, help)                                         \
	MANY(member, 1, key, unit, flags, owner, source, help)
#define MANY(member, count, key, unit, flags, owner, source, help)                                 \
	{ BPEI_OWNER_##owner, count, offsetof(struct bpe_stats, member), AT_##owner(source) },

static const struct bpei_stat_source engine_sources[] = { BPEI_STATS(ONE, MANY) };

/* Adds an owner's counters to *stats. */
static void add_owner_stats(
	struct bpe_stats *stats, enum bpei_stat_owner owner, const void *counters)
{
	bpei_stats_add(stats, engine_sources, sizeof engine_sources / sizeof *engine_sources, owner,
		counters);
}

void bpei_input_stats(const struct bpei_input *in, struct bpe_stats *stats)
{
	add_owner_stats(stats, BPEI_OWNER_INPUT, in);
	add_owner_stats(stats, BPEI_OWNER_DEVICE, in->device);
	add_owner_stats(
		stats, BPEI_OWNER_FRAGMENTS, bpei_fragments_counts(in->dissector.fragments));
	stats->source_bytes = in->device->source_bytes;
}

void bpei_flows_stats(const struct bpei_flows *f, const struct bpei_table *table,
	const struct bpei_namer *namer, struct bpe_stats *stats)
{
	add_owner_stats(stats, BPEI_OWNER_TIMELINE, &f->timeline);
	if (table)
		add_owner_stats(stats, BPEI_OWNER_TABLE, bpei_table_counts(table));
	if (namer)
		add_owner_stats(stats, BPEI_OWNER_NAMER, bpei_namer_counts(namer));
}

/* Returns how many packets were read, but neither delivered nor dropped. */
static uint64_t count_in_flight(const struct bpe_stats *s)
{
	uint64_t done = s->delivered_packets;

	for (int i = 0; i < BPE_DROP_COUNT; i++)
		done += s->dropped[i];
	return s->read_packets > done ? s->read_packets - done : 0;
}

void bpei_engine_stats(struct bpe_engine *e, struct bpe_stats *stats)
{
	struct bpe_stats s = { .workers = e->plan.workers };

	for (uint32_t k = 0; k < e->plan.shares; k++) {
		const struct bpei_worker *w = &e->workers[k];

		bpei_counts_read(&w->counts, &s);
		if (w->table)
			add_owner_stats(&s, BPEI_OWNER_TABLE, bpei_table_counts(w->table));
		if (w->names.namer)
			add_owner_stats(&s, BPEI_OWNER_NAMER, bpei_namer_counts(w->names.namer));
		add_owner_stats(&s, BPEI_OWNER_WORKER, w);
	}
	bpei_input_stats(&e->input, &s);
	add_owner_stats(&s, BPEI_OWNER_ENGINE, e);
	add_owner_stats(&s, BPEI_OWNER_TIMELINE, &e->flows.timeline);
	s.in_flight = count_in_flight(&s);
	const uint64_t started = bpei_counter_get(&e->started_ns);
	const uint64_t ended = bpei_counter_get(&e->ended_ns);

	if (started)
		s.elapsed_ns = (ended ? ended : (uint64_t)bpei_clock_mono_ns()) - started;
	*stats = s;
}

int bpei_engine_worker_stats(struct bpe_engine *e, uint32_t share, struct bpe_worker_stats *stats)
{
	if (share >= e->plan.shares)
		return BPE_E_ARGUMENT;
	const struct bpei_worker *w = &e->workers[share];
	struct bpe_worker_stats s = { .packets = bpei_counter_get(&w->counts.packets),
		.captured_bytes = bpei_counter_get(&w->counts.captured_bytes),
		.wire_bytes = bpei_counter_get(&w->counts.wire_bytes),
		.batches = bpei_counter_get(&w->counts.batches),
		.dropped = bpei_counter_get(&w->dropped) };

	if (w->table) {
		const struct bpei_table_counts *counts = bpei_table_counts(w->table);

		s.flows_active = bpei_counter_get(&counts->active);
		s.flows_peak = bpei_counter_get(&counts->peak);
	}
	if (w->records.bytes) {
		s.records = bpei_counter_get(&w->records_taken);
		s.records_dropped = bpei_counter_get(&w->records_dropped);
		s.record_ring_peak = (uint32_t)bpei_counter_get(&w->record_ring_peak);
		s.record_ring_bytes = w->records.mask + 1;
	}
	if (e->plan.workers) {
		s.ring_depth = bpei_ring_depth(&w->ring);
		s.ring_peak = (uint32_t)bpei_counter_get(&w->ring_peak);
		s.ring_slots = e->plan.ring_slots;
	}
	*stats = s;
	return BPE_OK;
}
