/* SPDX-License-Identifier: MIT */
/* Opening, starting, waiting, stopping, closing.
 *
 * open makes everything that can fail: device, plan, memory, tables.  start makes the threads,
 * workers first.  The reader alone ends the run: it joins the workers, writes the result, sets
 * `ended` and closes the writing end of the pipe that wait polls.  stop only sets a flag and wakes
 * the device, so that a signal handler may call it.  close stops, joins the reader, frees in the
 * reverse order of open; it may be given an engine that was made only in part. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_flow_end(void *worker, const struct bpe_flow *flow) BPEI_UNCHECKED
{
	struct bpei_worker *w = worker;
	const struct bpe_options *o = &w->engine->options;
	if (o->on_flow)
		o->on_flow(o->user, flow, w->number);
	if (w->records.bytes)
		bpei_output_put(w, flow);
}

/* Which interfaces there are, where the system knows.  Returns the one's number; 0: there are
 * several, or none. */
static uint32_t name_interfaces(struct bpe_engine *e)
{
	const char *name = e->options.interface_name;
	struct if_nameindex *all = NULL;
	if (!name || !e->device->kernel)
		return 0;
	if (e->device->many_interfaces) {
		all = if_nameindex();
		for (struct if_nameindex *i = all; i && i->if_index; i++)
			bpei_names_add(
				&e->device->names, i->if_index, i->if_name, strlen(i->if_name));
		if (all)
			if_freenameindex(all);
		return 0;
	}
	name = bpei_device_interface(name);
	uint32_t index = if_nametoindex(name);
	if (index)
		bpei_names_add(&e->device->names, index, name, strlen(name));
	return index;
}

/* Interfaces of one file may go by different clocks. */
static int make_lines(struct bpe_engine *e)
{
	if (!e->options.flows || !e->device->many_interfaces || !e->device->ops->look_ahead)
		return BPE_OK;
	e->timeline.own = bpei_mem_map(BPEI_LINES * sizeof *e->timeline.own, 0);
	return e->timeline.own ? BPE_OK : BPE_E_MEMORY;
}

static int make_tables(struct bpe_engine *e)
{
	const struct bpe_options *o = &e->options;
	uint32_t n = e->plan.workers ? e->plan.workers : 1,
		 index = o->flows ? name_interfaces(e) : 0;
	for (uint32_t k = 0; k < n && o->flows && !o->count_only; k++) {
		struct bpei_table_options t = { .max_flows =
							o->max_flows / n + (k < o->max_flows % n),
			.max_bytes = o->max_flow_bytes / n,
			.idle_ns = o->flow_idle_ns,
			.closed_ns = o->flow_closed_ns,
			.active_ns = o->flow_active_ns,
			.slack_ns = e->device->live ? 0 : BPEI_STEP_NS,
			.timeline = &e->timeline,
			.tcp_health = !o->no_tcp_health,
			.tell_duplicates = o->duplicates == BPE_DUPLICATES_TELL,
			.process = o->process,
			.lengths = o->flow_lengths,
			.direction_by_port = o->direction_by_port,
			.interface_ids = e->device->many_interfaces && !e->device->live,
			.interface_indexes = e->device->many_interfaces && e->device->live,
			.interface_index = index,
			.names = &e->device->names,
			.worker = (uint16_t)k,
			.seed = (uint64_t)e->dissector.seed.end[0] << 32 | e->dissector.seed.end[1],
			.key_seed = &e->dissector.seed,
			.on_end = o->on_flow || o->on_record ? on_flow_end : NULL,
			.user = &e->workers[k] };
		memcpy(t.timeout_ns, o->flow_timeout_ns, sizeof t.timeout_ns);
		int r = bpei_table_new(&t, &e->workers[k].table);
		if (r < 0)
			return r;
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

static int make_workers(struct bpe_engine *e)
{
	uint32_t n = e->plan.workers ? e->plan.workers : 1;
	size_t bytes = n * sizeof *e->workers;
	if (posix_memalign((void **)&e->workers, BPEI_LINE, bytes)) {
		e->workers = NULL;
		return BPE_E_MEMORY;
	}
	memset(e->workers, 0, bytes);
	for (uint32_t k = 0; k < n; k++) {
		struct bpei_worker *w = &e->workers[k];
		w->engine = e;
		w->number = k;
		if (!e->plan.workers)
			continue;
		bpei_ring_init(&w->ring, e->plan.ring_slots);
		if (bpei_columns_new(&w->columns, e->plan.ring_slots) < 0)
			return BPE_E_MEMORY;
	}
	return bpei_columns_new(&e->batch, BPE_BATCH);
}

int bpei_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error)
{
	struct bpe_engine *e;
	if (posix_memalign((void **)&e, BPEI_LINE, sizeof *e))
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for the engine");
	memset(e, 0, sizeof *e);
	e->options = *options;
	e->end_pipe[0] = e->end_pipe[1] = -1;
	e->result = BPE_E_STATE;
	atomic_init(&e->packet_now, INT64_MIN);
	bpei_change_init(&e->changes);
	bpei_scan_init(&e->scans);
	bpei_show_init(&e->shows);

	int r = bpei_dissector_new(&e->dissector, options);
	if (r < 0)
		r = bpei_fail(error, r, "open", 0, "no memory for the engine");
	else if (e->dissector.weak_seed)
		bpei_notice(options, "%s", bpei_weak_seed_text);
	if (r >= 0)
		r = bpei_device_open(options, &e->device, error);
	if (r >= 0)
		r = bpei_plan(&e->plan, options, e->device, error);
	if (r >= 0 && (make_workers(e) < 0 || make_blocks(e) < 0 || make_lines(e) < 0 ||
			      make_tables(e) < 0 || bpei_output_new(e) < 0))
		r = bpei_fail(error, BPE_E_MEMORY, "open", 0,
			"no memory for %u workers of %u slots, %u blocks of %zu bytes and the flow tables",
			e->plan.workers, e->plan.ring_slots, e->plan.blocks, e->plan.block_bytes);
	if (r >= 0 && bpei_fd_pipe(e->end_pipe, false))
		r = bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe for the engine");
	if (r < 0) {
		bpei_engine_close(e);
		return r;
	}
	*engine = e;
	return BPE_OK;
}

/* Tells once what the workers were refused. */
static void tell_refusals(struct bpe_engine *e)
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
		bpei_notice(&e->options,
			"worker %u could not be given a higher priority: %s (it needs root, or CAP_SYS_NICE on Linux)",
			k, strerror(e->workers[k].urgent_errno));
		break;
	}
}

int bpei_engine_start(struct bpe_engine *e, struct bpe_error *error)
{
	sigset_t all, before;
	int failed = 0;
	if (e->started)
		return bpei_fail(error, BPE_E_STATE, "start", 0, "the engine was started already");
	e->start_ns = bpei_clock_mono_ns();
	bpei_counter_set(&e->started_ns, (uint64_t)e->start_ns);
	/* The program's signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bpei_change_begin(e, true);
	bpei_scan_begin(e);
	bpei_show_begin(e, true);
	failed = bpei_output_begin(e);
	for (uint32_t k = 0; k < e->plan.workers && !failed; k++) {
		failed = pthread_create(
			&e->workers[k].thread, NULL, bpei_worker_main, &e->workers[k]);
		e->workers[k].started = !failed;
	}
	if (!failed)
		failed = pthread_create(&e->reader, NULL, bpei_reader_main, e);
	e->started = !failed;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		bpei_change_begin(e, false);
		bpei_show_begin(e, false);
		/* pairs: loop in worker.c */
		atomic_store_explicit(&e->reader_done, 1, memory_order_release);
		for (uint32_t k = 0; k < e->plan.workers; k++) {
			if (e->workers[k].started)
				pthread_join(e->workers[k].thread, NULL);
			e->workers[k].started = false;
		}
		bpei_role_enter(&bpei_worker_role);
		for (uint32_t k = 0; k < (e->plan.workers ? e->plan.workers : 1); k++)
			bpei_scan_leave(&e->workers[k]);
		bpei_role_leave(&bpei_worker_role);
		bpei_output_end(e);
		return bpei_fail(error, bpei_status_of(failed), "pthread_create", failed,
			"cannot start %u worker threads and the others", e->plan.workers);
	}
	tell_refusals(e);
	return BPE_OK;
}

static int has_ended(struct bpe_engine *e)
{
	/* pairs: end_run in reader.c */
	return atomic_load_explicit(&e->ended, memory_order_acquire);
}

int bpei_engine_wait(struct bpe_engine *e, int64_t timeout_ns)
{
	struct pollfd p = { .fd = e->end_pipe[0], .events = POLLIN };
	int64_t ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
	if (!e->started || has_ended(e))
		return e->started;
	poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
	return has_ended(e);
}

void bpei_engine_stop(struct bpe_engine *e)
{
	int before = errno;
	atomic_store_explicit(&e->stop, 1, memory_order_relaxed);
	e->device->ops->wake(e->device);
	errno = before;
}

void bpei_engine_close(struct bpe_engine *e)
{
	if (!e)
		return;
	if (e->started) {
		bpei_engine_stop(e);
		pthread_join(e->reader, NULL);
	} else if (e->end_pipe[1] >= 0) {
		close(e->end_pipe[1]);
	}
	if (e->end_pipe[0] >= 0)
		close(e->end_pipe[0]);
	uint32_t n = e->plan.workers ? e->plan.workers : 1;
	bpei_output_free(e);
	for (uint32_t k = 0; e->workers && k < n; k++) {
		bpei_table_free(e->workers[k].table);
		if (e->plan.workers)
			bpei_columns_free(&e->workers[k].columns, e->plan.ring_slots);
	}
	free(e->workers);
	if (e->batch.data)
		bpei_columns_free(&e->batch, BPE_BATCH);
	free(e->blocks);
	bpei_mem_unmap(e->timeline.own, BPEI_LINES * sizeof *e->timeline.own);
	bpei_device_close(e->device);
	bpei_mem_unmap(e->block_memory, e->block_memory_bytes);
	bpei_dissector_free(&e->dissector);
	bpei_change_free(&e->changes);
	bpei_scan_free(&e->scans);
	bpei_show_free(&e->shows);
	free(e);
}
