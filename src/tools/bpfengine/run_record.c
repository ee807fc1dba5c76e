/* SPDX-License-Identifier: MIT */
/* Cutoff and flight recorder of a run (run.h).  With a cutoff packets are written once the flow
 * table has decided.  Handlers are chained: earlier handlers run first.  Stateless. */
#include "run.h"
#include "trigger.h"

#include <stdatomic.h>

/* Writes the recorder's packets.  Any thread. */
static void pull_trigger(struct run *r)
{
	const int64_t after_ns = r->trigger ? trigger_after_ns(r->trigger) : TRIGGER_AFTER_NS;

	if (bpe_writer_trigger(r->cli.writer, after_ns) != BPE_E_BUSY)
		return;
	if (!atomic_exchange_explicit(&r->is_busy_told, true, memory_order_relaxed))
		run_tell(r,
			"what was recorded before is not all written yet: nothing more is taken");
}

/* Looks for packets of the trigger's filter, once the batch is written; on_read of the engine. */
static void watch_read_batch(void *user, const struct bpe_batch *batch)
{
	struct run *r = user;

	r->next_read(user, batch);
	if (trigger_takes_batch(r->trigger, batch))
		pull_trigger(r);
}

/* Writes a batch with flows; on_batch of the engine. */
static void write_flow_batch(void *user, const struct bpe_batch *batch)
{
	struct run *r = user;

	if (r->next_batch)
		r->next_batch(user, batch);
	if (r->cli.write.cutoff &&
		bpe_writer_batch(r->cli.writer, batch, 0, batch->count) != BPE_OK)
		bpe_engine_stop(r->engine);
	if (r->trigger && trigger_takes_batch(r->trigger, batch))
		pull_trigger(r);
}

/* Takes the engine's handlers by the options. */
static void take_handlers(struct run *r)
{
	struct bpe_options *const o = &r->cli.engine;
	const struct write_options *const w = &r->cli.write;
	const bool needs_flows =
		r->trigger && trigger_kind_of(r->trigger) == TRIGGER_RETRANSMISSIONS;
	const bool needs_packets = r->trigger && trigger_kind_of(r->trigger) == TRIGGER_FILTER;

	if (w->cutoff) {
		o->cutoff = true;
		o->cutoff_bytes = w->cutoff_bytes;
		o->cutoff_drop = w->cutoff_drop;
		/* a single thread keeps the order of the packets */
		if (o->workers == BPE_WORKERS_AUTO)
			o->workers = 0;
	}
	o->marks |= needs_flows;
	if (w->cutoff || needs_flows) {
		r->next_batch = o->on_batch;
		o->on_batch = write_flow_batch;
	} else if (needs_packets) {
		r->next_read = o->on_read;
		o->on_read = watch_read_batch;
	}
}

int run_record_open(struct run *r)
{
	const struct write_options *const w = &r->cli.write;
	const bool has_recorder = w->recorder_bytes || w->recorder_ns;

	if (!w->path)
		return 0;
	if (w->trigger && !has_recorder) {
		program_tell(
			"--trigger writes what a recorder has: give --recorder 256M or 30s, too");
		return EXIT_USAGE;
	}
	if (w->cutoff && !r->cli.engine.flows) {
		program_tell("--cutoff counts the bytes of flows: leave out --no-flows");
		return EXIT_USAGE;
	}
	if (w->trigger) {
		r->trigger = trigger_open(w->trigger);
		if (!r->trigger)
			return EXIT_USAGE;
	}
	const bool needs_health =
		r->trigger && trigger_kind_of(r->trigger) == TRIGGER_RETRANSMISSIONS;

	if (needs_health && (!r->cli.engine.flows || r->cli.engine.no_tcp_health)) {
		program_tell("--trigger retransmissions>N needs flows with TCP health: leave out"
			     " --no-flows and --no-tcp-health");
		return EXIT_USAGE;
	}
	take_handlers(r);
	return 0;
}

bool run_record_trigger(struct run *r)
{
	if (!r->cli.writer || !(r->cli.write.recorder_bytes || r->cli.write.recorder_ns))
		return false;
	pull_trigger(r);
	if (!r->cli.quiet)
		run_tell(r, "what the recorder has is written");
	return true;
}

bool run_record_watches(const struct run *r)
{
	return r->trigger && trigger_kind_of(r->trigger) == TRIGGER_DROPS;
}

void run_record_look(struct run *r, const struct bpe_stats *stats)
{
	if (run_record_watches(r) && trigger_takes_counts(r->trigger, stats))
		pull_trigger(r);
}

void run_record_close(struct run *r)
{
	trigger_close(r->trigger);
	r->trigger = NULL;
}
