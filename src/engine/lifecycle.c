/* SPDX-License-Identifier: MIT */
/* Opening, starting, waiting, stopping, closing.
 *
 * open makes everything able to fail: input, plan, memory, tables.  start makes the threads,
 * workers first.  The reader alone ends the run: the reader joins the workers, writes the result,
 * sets `ended` and closes the writing end of the pipe polled by wait.  stop only sets a flag and
 * wakes the device, so a signal handler may call it.  close stops, joins the reader, and frees in
 * the reverse order of open; close also takes an engine made only in part. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Entries scanned by a query in a step: after a batch of up to 64 packets, and when idle, where
 * 16,384 entries take about 0.1 ms.  A dumped flow costs more than a scanned entry. */
#define TOP_BATCH_BUDGET 256u
#define TOP_IDLE_BUDGET 16384u
#define DUMP_BATCH_BUDGET 64u
#define DUMP_IDLE_BUDGET 4096u

/* ---- Open ---- */

/* Hands an ended flow to on_flow and on_record. */
static void hand_over_flow(void *worker, const struct bpe_flow *flow) BPEI_UNCHECKED
{
	struct bpei_worker *w = worker;
	const struct bpe_options *o = &w->engine->options;

	if (!bpei_worker_takes(w, flow))
		return;
	if (o->on_flow)
		o->on_flow(o->user, flow, w->number);
	if (w->engine->plan.has_records)
		bpei_output_put(w, flow);
}

/* Puts the record of a flow that has begun into the worker's ring. */
static void put_begun_flow(struct bpei_worker *w, const struct bpe_flow *flow) BPEI_UNCHECKED
{
	struct bpe_flow begun = *flow;

	begun.end = BPE_END_BEGUN;
	bpei_counter_add(&w->flows_begun, 1);
	if (bpei_worker_takes(w, &begun))
		bpei_output_put(w, &begun);
}

/* Hands a flow that has opened to on_flow_open and on_record. */
static void hand_over_opening(void *worker, const struct bpe_flow *flow)
{
	struct bpei_worker *w = worker;
	const struct bpe_options *o = &w->engine->options;

	if (o->on_flow_open)
		o->on_flow_open(o->user, flow, w->number);
	if (o->record_begins && w->engine->plan.has_records)
		put_begun_flow(w, flow);
}

/* Hands an update of a live flow to on_flow_update. */
static void hand_over_update(void *worker, const struct bpe_flow *flow)
{
	const struct bpei_worker *w = worker;
	const struct bpe_options *o = &w->engine->options;

	o->on_flow_update(o->user, flow, w->number);
}

/* Hands an event to on_event. */
static void hand_over_event(void *worker, const struct bpe_event *event) BPEI_UNCHECKED
{
	struct bpei_worker *w = worker;

	if (bpei_worker_takes(w, event->flow))
		bpei_output_put_event(w, event);
}

/* Makes a flow table for each share. */
static int make_flow_tables(struct bpe_engine *e)
{
	const struct bpe_options *o = &e->options;
	const int status = bpei_flows_open(&e->flows, &e->input, o, o->flows);

	if (status < 0)
		return status;
	for (uint32_t k = 0; k < e->plan.shares && e->plan.has_tables; k++) {
		const bool has_handler = o->on_flow || e->plan.has_records;
		struct bpei_flow_share share = { .number = k,
			.shares = e->plan.shares,
			.on_end = has_handler ? hand_over_flow : NULL,
			.user = &e->workers[k],
			.names = &e->workers[k].names };

		if (o->on_flow_open || (o->record_begins && e->plan.has_records))
			share.on_open = hand_over_opening;
		if (o->on_flow_update)
			share.on_update = hand_over_update;
		if (o->on_event)
			share.on_event = hand_over_event;
		const int made = bpei_flows_table(&e->flows, o, &share, &e->workers[k].table);

		if (made < 0)
			return made;
	}
	return BPE_OK;
}

static int make_blocks(struct bpe_engine *e)
{
	e->blocks = calloc(e->plan.blocks, sizeof *e->blocks);
	if (!e->blocks)
		return BPE_E_MEMORY;
	if (!e->plan.block_bytes)
		return BPE_OK;
	e->block_memory_bytes = e->plan.blocks * e->plan.block_bytes;
	e->block_memory = bpei_mem_map(e->block_memory_bytes, 1);
	if (!e->block_memory)
		return BPE_E_MEMORY;
	for (uint32_t i = 0; i < e->plan.blocks; i++) {
		e->blocks[i].memory = e->block_memory + i * e->plan.block_bytes;
		e->blocks[i].memory_bytes = e->plan.block_bytes;
	}
	return BPE_OK;
}

/* Makes a worker's ring.  Returns BPE_OK or BPE_E_MEMORY. */
static int make_share_ring(struct bpe_engine *e, struct bpei_worker *w)
{
	const struct bpei_engine_plan *p = &e->plan;

	if (!p->workers)
		return BPE_OK;
	bpei_ring_init(&w->ring, p->ring_slots);
	if (p->workers == 1)
		return BPE_OK;
	w->slot_numbers = bpei_mem_map(p->ring_slots * sizeof *w->slot_numbers, 0);
	return w->slot_numbers ? bpei_columns_new(&w->columns, BPE_BATCH) : BPE_E_MEMORY;
}

static void free_share_ring(struct bpe_engine *e, struct bpei_worker *w)
{
	if (w->columns.data)
		bpei_columns_free(&w->columns, BPE_BATCH);
	bpei_mem_unmap(w->slot_numbers, e->plan.ring_slots * sizeof *w->slot_numbers);
}

/* Makes the slots for packets of workers.  Returns BPE_OK or BPE_E_MEMORY. */
static int make_slots(struct bpe_engine *e)
{
	if (!e->plan.slots)
		return BPE_OK;
	if (e->plan.workers == 1) {
		e->slots.batch_sizes = bpei_mem_map(e->plan.slots, 0);
		if (!e->slots.batch_sizes)
			return BPE_E_MEMORY;
	}
	return bpei_columns_new(&e->slots.columns, e->plan.slots + BPE_BATCH);
}

static void free_slots(struct bpe_engine *e)
{
	bpei_mem_unmap(e->slots.batch_sizes, e->plan.slots);
	if (e->slots.columns.data)
		bpei_columns_free(&e->slots.columns, e->plan.slots + BPE_BATCH);
}

/* Makes the shares, which answer queries for flows, the slots for packets and the input's columns.
 */
static int make_workers(struct bpe_engine *e)
{
	const size_t bytes = e->plan.shares * sizeof *e->workers;

	if (posix_memalign((void **)&e->workers, BPEI_LINE, bytes)) {
		e->workers = NULL;
		return BPE_E_MEMORY;
	}
	memset(e->workers, 0, bytes);
	for (uint32_t k = 0; k < e->plan.shares; k++) {
		struct bpei_worker *w = &e->workers[k];

		w->engine = e;
		w->number = k;
		bpei_query_join(&e->top_desk, &w->answers_top, w, false);
		bpei_query_join(&e->dump_desk, &w->answers_dump, w, false);
		if (make_share_ring(e, w) < 0)
			return BPE_E_MEMORY;
	}
	if (make_slots(e) < 0)
		return BPE_E_MEMORY;
	return bpei_columns_new(&e->input.columns, BPE_BATCH);
}

/* Makes the desks.  The reader may block on the desk's mutex, which is never held for long once the
 * reader runs. */
static void make_desks(struct bpe_engine *e)
{
	bpei_query_desk_init(&e->top_desk);
	e->top_desk.batch_budget = TOP_BATCH_BUDGET;
	e->top_desk.idle_budget = TOP_IDLE_BUDGET;
	bpei_query_desk_init(&e->dump_desk);
	e->dump_desk.batch_budget = DUMP_BATCH_BUDGET;
	e->dump_desk.idle_budget = DUMP_IDLE_BUDGET;
	bpei_query_desk_init(&e->filter_desk);
	bpei_query_join(&e->filter_desk, &e->reader_answers, e, true);
}

/* Makes all parts in need of memory.  Returns BPE_OK or a failure. */
static int make_parts(struct bpe_engine *e, struct bpe_error *error)
{
	if (make_workers(e) < 0 || bpei_asker_new(e) < 0 || make_blocks(e) < 0 ||
		make_flow_tables(e) < 0 || bpei_output_new(e) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0,
			"no memory for %u workers of %u slots, %u blocks of %zu bytes and the flow tables",
			e->plan.workers, e->plan.ring_slots, e->plan.blocks, e->plan.block_bytes);
	/* The reader answers at these desks, so an asker wakes the device. */
	e->filter_desk.device = e->input.device;
	if (!e->plan.workers)
		e->top_desk.device = e->input.device;
	if ((e->plan.pulls && bpei_bell_open(&e->pull.bell)) || bpei_fd_pipe(e->end_pipe, false))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe for the engine");
	return BPE_OK;
}

int bpei_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error)
{
	struct bpe_engine *e;

	if (posix_memalign((void **)&e, BPEI_LINE, sizeof *e))
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for the engine");
	memset(e, 0, sizeof *e);
	e->options = *options;
	e->end_pipe[0] = -1;
	e->end_pipe[1] = -1;
	bpei_bell_init(&e->pull.bell);
	bpei_bell_init(&e->asker.bell);
	e->result = BPE_E_STATE;
	make_desks(e);
	e->input.count_only = options->count_only;
	int status = bpei_spread_init(&e->spread, options, error);

	if (status >= 0 && options->where)
		status = bpe_where_compile(options->where, &e->where, error);
	if (status >= 0)
		status = bpei_input_open(&e->input, options, "engine", error);
	if (status >= 0)
		status = bpei_plan(&e->plan, options, e->input.device, error);
	if (status >= 0)
		e->input.device->threads = 1 + e->plan.workers;
	if (status >= 0)
		bpei_asker_open(e);
	if (status >= 0 && e->plan.has_tables)
		status = bpei_flows_check_memory(&e->input, options, e->plan.shares, error);
	if (status >= 0 && e->plan.has_tables)
		status = bpei_naming_open(&e->flows.naming, options, e->plan.shares, error);
	if (status >= 0)
		status = make_parts(e, error);
	if (status < 0) {
		bpei_engine_close(e);
		return status;
	}
	*engine = e;
	return BPE_OK;
}

/* ---- Start ---- */

/* Tells why worker k has no higher priority. */
static void tell_priority(struct bpe_engine *e, uint32_t k)
{
	const int failed = e->workers[k].urgent_errno;

	if (failed == ENOTSUP)
		bpei_notice(&e->options,
			"worker %u has no higher priority: this system has only %s for threads", k,
			e->options.option_words ? "--priority realtime" : "BPE_PRIORITY_REALTIME");
	else
		bpei_notice(&e->options,
			"worker %u could not be given a higher priority: %s (it needs root, or CAP_SYS_NICE on Linux)",
			k, strerror(failed));
}

/* Waits until every worker has begun, and reports once each kind of refusal met by a worker. */
static void report_refusals(struct bpe_engine *e)
{
	for (uint32_t k = 0; k < e->plan.workers; k++) {
		struct bpei_worker *w = &e->workers[k];

		/* pairs: bpei_worker_main */
		while (!atomic_load_explicit(&w->ready, memory_order_acquire))
			bpei_clock_sleep_ns(50000);
		if (w->pin_errno) {
			bpei_notice(&e->options, "worker %u could not be pinned to a core: %s", k,
				strerror(w->pin_errno));
			break;
		}
	}
	for (uint32_t k = 0; k < e->plan.workers; k++) {
		if (!e->workers[k].urgent_errno)
			continue;
		tell_priority(e, k);
		break;
	}
}

/* Starts all threads, workers before the reader.  Returns 0 or an errno. */
static int start_threads(struct bpe_engine *e)
{
	int failed = bpei_output_begin(e);

	if (!failed)
		failed = bpei_asker_begin(e);
	for (uint32_t k = 0; k < e->plan.workers && !failed; k++) {
		struct bpei_worker *w = &e->workers[k];

		failed = pthread_create(&w->thread, NULL, bpei_worker_main, w);
		w->started = !failed;
	}
	return failed ? failed : pthread_create(&e->reader, NULL, bpei_reader_main, e);
}

/* Ends the threads of a failed start, and undoes all other effects of the start. */
static void undo_start(struct bpe_engine *e)
{
	bpei_query_leave(&e->reader_answers, BPEI_ANSWERER_ABSENT);
	bpei_query_open(&e->dump_desk, false);
	/* pairs: run_worker_loop in worker.c */
	atomic_store_explicit(&e->reader_done, 1, memory_order_release);
	for (uint32_t k = 0; k < e->plan.workers; k++) {
		if (e->workers[k].started)
			pthread_join(e->workers[k].thread, NULL);
		e->workers[k].started = false;
	}
	for (uint32_t k = 0; k < e->plan.shares; k++) {
		bpei_query_leave(&e->workers[k].answers_dump, BPEI_ANSWERER_ABSENT);
		bpei_query_leave(&e->workers[k].answers_top, BPEI_ANSWERER_ABSENT);
	}
	bpei_asker_end(e);
	bpei_output_end(e);
}

int bpei_engine_start(struct bpe_engine *e, struct bpe_error *error)
{
	sigset_t all;
	sigset_t before;

	/* Own threads may run before `started` is set. */
	if (bpei_query_is_own_thread(e) || e->started)
		return bpei_fail(error, BPE_E_STATE, "start", 0, "the engine was started already");
	e->start_ns = bpei_clock_mono_ns();
	bpei_counter_set(&e->started_ns, (uint64_t)e->start_ns);
	/* The program's signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bpei_query_begin(&e->filter_desk);
	bpei_query_begin(&e->top_desk);
	bpei_query_begin(&e->dump_desk);
	bpei_query_open(&e->dump_desk, e->plan.has_tables);
	const int failed = start_threads(e);

	e->started = !failed;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		undo_start(e);
		return bpei_fail(error, bpei_status_of(failed), "pthread_create", failed,
			"cannot start %u worker threads and the others", e->plan.workers);
	}
	report_refusals(e);
	return BPE_OK;
}

/* ---- Wait, stop, close ---- */

/* Returns 1 once the reader has published the result, else 0. */
static int has_run_ended(struct bpe_engine *e)
{
	/* pairs: end_run in reader.c */
	return atomic_load_explicit(&e->ended, memory_order_acquire);
}

int bpei_engine_wait(struct bpe_engine *e, int64_t timeout_ns)
{
	struct pollfd p = { .fd = e->end_pipe[0], .events = POLLIN };
	const int64_t ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;

	if (bpei_query_is_own_thread(e)) /* the run ends only after the handler has returned */
		return ms ? BPE_E_STATE : 0;
	if (!e->started || has_run_ended(e))
		return e->started;
	poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
	return has_run_ended(e);
}

void bpei_engine_stop(struct bpe_engine *e)
{
	const int before = errno;

	atomic_store_explicit(&e->stop, 1, memory_order_relaxed);
	e->input.device->ops->wake(e->input.device);
	errno = before;
}

/* Stops the run for a handler that closes the engine, and tells that the engine stays.  A thread
 * tells at most once, so that a handler of notices may close the engine, too. */
static void refuse_close(struct bpe_engine *e)
{
	bpei_engine_stop(e);
	if (atomic_load_explicit(&e->close_told, memory_order_relaxed))
		return;
	atomic_store_explicit(&e->close_told, 1, memory_order_relaxed);
	bpei_notice(&e->options,
		"a handler closed its own engine, which cannot end before the handler returns: the run is stopped; close the engine on another thread");
}

void bpei_engine_close(struct bpe_engine *e)
{
	if (!e)
		return;
	if (bpei_query_is_own_thread(e)) {
		refuse_close(e);
		return;
	}
	/* Workers drop the records that find no room. */
	atomic_store_explicit(&e->pull.closing, 1, memory_order_relaxed);
	if (e->started) {
		bpei_engine_stop(e);
		pthread_join(e->reader, NULL);
	} else if (e->end_pipe[1] >= 0) {
		close(e->end_pipe[1]);
	}
	if (e->end_pipe[0] >= 0)
		close(e->end_pipe[0]);
	bpei_output_free(e);
	bpei_asker_close(e);
	bpei_bell_free(&e->pull.bell);
	for (uint32_t k = 0; e->workers && k < e->plan.shares; k++) {
		bpei_table_free(e->workers[k].table);
		bpei_share_names_close(&e->workers[k].names);
		free_share_ring(e, &e->workers[k]);
	}
	free_slots(e);
	free(e->workers);
	free(e->blocks);
	bpei_flows_close(&e->flows);
	bpei_input_close(&e->input);
	bpe_where_free(e->where);
	bpei_mem_unmap(e->block_memory, e->block_memory_bytes);
	bpei_query_desk_free(&e->top_desk);
	bpei_query_desk_free(&e->dump_desk);
	bpei_query_desk_free(&e->filter_desk);
	free(e);
}
