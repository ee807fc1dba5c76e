/* SPDX-License-Identifier: MIT */
/* Reading every counter while everybody goes on counting; stateless.  The workers' counters are
 * read before the reader's: a packet on its way is most likely seen as read and not yet delivered;
 * where the hardware shows it the other way round, in_flight is 0 rather than negative.  After the
 * end of the run the numbers are exact. */
#include "engine/engine.h"

#include "base/clock.h"

static void read_flows(const struct bpei_table *table, struct bpe_stats *s)
{
	const struct bpei_table_counts *c = bpei_table_counts(table);
	s->flows_opened += bpei_counter_get(&c->opened);
	s->flows_active += bpei_counter_get(&c->active);
	s->flows_peak += bpei_counter_get(&c->peak);
	s->flows_ended += bpei_counter_get(&c->ended);
	s->flows_evicted += bpei_counter_get(&c->evicted);
	for (int i = 0; i < BPE_EVICTED_COUNT; i++)
		s->evicted[i] += bpei_counter_get(&c->evicted_by[i]);
	s->flows_periods += bpei_counter_get(&c->periods);
	s->flow_bytes += bpei_counter_get(&c->bytes);
	s->time_steps += bpei_counter_get(&c->time_steps);
	s->duplicates += bpei_counter_get(&c->duplicates);
	s->flow_packets += bpei_counter_get(&c->packets);
	s->flows_refused += bpei_counter_get(&c->refused);
}

void bpei_engine_stats(struct bpe_engine *e, struct bpe_stats *stats)
{
	struct bpe_stats s = { .workers = e->plan.workers };
	uint64_t done = 0;
	for (uint32_t k = 0; k < (e->plan.workers ? e->plan.workers : 1); k++) {
		bpei_counts_read(&e->workers[k].counts, &s);
		if (e->workers[k].table)
			read_flows(e->workers[k].table, &s);
		s.records += bpei_counter_get(&e->workers[k].records_taken);
		s.records_dropped += bpei_counter_get(&e->workers[k].records_dropped);
		s.flows_shown += bpei_counter_get(&e->workers[k].flows_shown);
	}
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		done += s.dropped[i] = bpei_counter_get(&e->dropped[i]);
	s.read_packets = bpei_counter_get(&e->read_packets);
	done += s.delivered_packets;
	s.in_flight = s.read_packets > done ? s.read_packets - done : 0;
	s.captured_bytes = bpei_counter_get(&e->captured_bytes);
	s.wire_bytes = bpei_counter_get(&e->wire_bytes);
	s.kernel_received = bpei_counter_get(&e->device->kernel_received);
	s.kernel_dropped = bpei_counter_get(&e->device->kernel_dropped);
	s.interface_dropped = bpei_counter_get(&e->device->interface_dropped);
	s.interface_down = bpei_counter_get(&e->device->interface_down);
	s.kernel_accepted = bpei_counter_get(&e->device->kernel_accepted);
	s.kernel_known = bpei_counter_get(&e->device->kernel_known);
	s.filtered = bpei_counter_get(&e->device->filtered);
	s.inbound_packets = bpei_counter_get(&e->device->inbound);
	s.outbound_packets = bpei_counter_get(&e->device->outbound);
	const struct bpei_fragment_counts *f = bpei_fragments_counts(e->dissector.fragments);
	s.fragments_followed = bpei_counter_get(&f->followed);
	s.fragments_lost = bpei_counter_get(&f->lost);
	s.fragments_evicted = bpei_counter_get(&f->evicted);
	s.torn_blocks = bpei_counter_get(&e->device->torn_blocks);
	s.empty_reads = bpei_counter_get(&e->device->empty_reads);
	s.block_bytes = bpei_counter_get(&e->device->filled_bytes);
	s.block_capacity = bpei_counter_get(&e->device->filled_capacity);
	s.blocks = bpei_counter_get(&e->blocks_read);
	s.waits = bpei_counter_get(&e->waits);
	s.packets_per_second = bpei_counter_get(&e->packets_per_second);
	s.bits_per_second = bpei_counter_get(&e->bits_per_second);
	s.first_packet_ns = (int64_t)bpei_counter_get(&e->first_packet_ns);
	s.last_packet_ns = (int64_t)bpei_counter_get(&e->last_packet_ns);
	s.source_bytes = e->device->source_bytes;
	s.source_position = bpei_counter_get(&e->device->source_position);
	s.time_steps += bpei_counter_get(&e->timeline.steps);
	uint64_t started = bpei_counter_get(&e->started_ns), ended = bpei_counter_get(&e->ended_ns);
	if (started)
		s.elapsed_ns = (ended ? ended : (uint64_t)bpei_clock_mono_ns()) - started;
	*stats = s;
}

int bpei_engine_worker_stats(struct bpe_engine *e, uint32_t k, struct bpe_worker_stats *stats)
{
	if (k >= (e->plan.workers ? e->plan.workers : 1))
		return BPE_E_ARGUMENT;
	const struct bpei_worker *w = &e->workers[k];
	struct bpe_worker_stats s = { .packets = bpei_counter_get(&w->counts.packets),
		.captured_bytes = bpei_counter_get(&w->counts.captured_bytes),
		.wire_bytes = bpei_counter_get(&w->counts.wire_bytes),
		.batches = bpei_counter_get(&w->counts.batches),
		.dropped = bpei_counter_get(&w->dropped) };
	if (w->table) {
		s.flows_active = bpei_counter_get(&bpei_table_counts(w->table)->active);
		s.flows_peak = bpei_counter_get(&bpei_table_counts(w->table)->peak);
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
