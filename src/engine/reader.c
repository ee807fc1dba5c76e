/* SPDX-License-Identifier: MIT */
/* The reader's side: fills a block, reads the block batch by batch through the input, and
 * dispatches the packets to the workers' rings; with 0 workers, delivers them itself.  Packets for
 * workers are walked and parsed in their slots: the reader copies none.
 *
 * Blocks are a queue: the oldest block out is freed as soon as every ring's head has passed the
 * block's position.  Without a free block the reader waits and does not read; the kernel counts the
 * loss.  At a full ring the reader waits, or drops and counts (options.overload). Books: every
 * packet of the input is counted as read, and then delivered, or dropped under a cause.  A worker
 * taking nothing for STALL_NS while the engine is to stop is given up: its remaining packets are
 * counted as stalled.  Pushed packets that were taken are read, even if the engine is to stop. End:
 * reader_done is published after the last push.  The reader then waits for the workers, and sets
 * `ended` last. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "device/push.h"

#include <string.h>
#include <unistd.h>

#define TICK_NS 1000000000
#define FILL_WAIT_NS 100000000
#define SHORT_FILL_WAIT_NS (FILL_WAIT_NS / 100)
#define STALL_NS 2000000000

/* Returns true once the engine is to stop. */
static bool is_stopping(struct bpe_engine *e)
{
	return atomic_load_explicit(&e->stop, memory_order_relaxed);
}

/* Returns true if the reader is to go on.  Of pushed packets, those that were taken are still read
 * when the engine is to stop: no more are taken, so the device comes to its end. */
static bool goes_on_reading(struct bpe_engine *e) BPEI_READER
{
	if (!is_stopping(e))
		return true;
	if (e->options.push)
		bpei_push_finish(e->input.device, BPEI_PUSH_OVER, NULL);
	return e->options.push && !bpei_counter_get(&e->input.dropped[BPE_DROP_STALLED]);
}

/* Updates the device's counters and the rates, once a second or if forced. */
static void update_rates(struct bpe_engine *e, bool force) BPEI_READER
{
	const int64_t now = bpei_clock_mono_ns();
	const int64_t span = now - e->last_tick_ns;

	if (span < TICK_NS && !force)
		return;
	bpei_device_stats(e->input.device);
	const int64_t packets = (int64_t)bpei_counter_get(&e->input.read_packets);
	const int64_t bytes = (int64_t)bpei_counter_get(&e->input.wire_bytes);

	if (span >= TICK_NS || !e->last_tick_packets) {
		const double seconds = (double)(span > 0 ? span : 1) * 1e-9;

		bpei_counter_set(&e->packets_per_second,
			(uint64_t)((double)(packets - e->last_tick_packets) / seconds));
		bpei_counter_set(&e->bits_per_second,
			(uint64_t)((double)(bytes - e->last_tick_bytes) * 8 / seconds));
	}
	e->last_tick_ns = now;
	e->last_tick_packets = packets;
	e->last_tick_bytes = bytes;
}

/* Answers a request for another filter, if any. */
static void serve_filter_change(struct bpe_engine *e) BPEI_READER
{
	if (bpei_query_waits(&e->reader_answers))
		bpei_query_serve(&e->reader_answers, UINT32_MAX);
}

/* ---- Dispatch ---- */

/* Waits until the worker has dropped all that was in its ring before the mark.  Returns false if
 * packets are to be dropped, with *cause. */
static bool wait_for_worker(
	struct bpe_engine *e, struct bpei_worker *w, uint32_t mark, int *cause) BPEI_READER
{
	uint32_t seen = w->ring.seen_head;
	uint32_t tries = 0;
	int64_t since = 0;

	if (BPEI_LIKELY(bpei_ring_passed(&w->ring, mark)))
		return true;
	*cause = BPE_DROP_RING_FULL;
	if (e->options.overload == BPE_OVERLOAD_DROP)
		return false;
	bpei_counter_add(&e->input.waits, 1);
	while (!bpei_ring_passed(&w->ring, mark)) {
		bpei_pause(tries++);
		update_rates(e, false);
		serve_filter_change(e);
		if (!is_stopping(e))
			continue;
		const int64_t now = bpei_clock_mono_ns();

		if (w->ring.seen_head != seen || !since) {
			seen = w->ring.seen_head;
			since = now;
		}
		if (now - since > STALL_NS) {
			*cause = BPE_DROP_STALLED;
			return false;
		}
	}
	return true;
}

/* Where a batch is read to. */
struct batch_place {
	struct bpei_columns columns;
	bool is_in_slots; /* else the batch stays with the reader, or is dropped */
	int cause;        /* of the drop */
};

/* Takes free slots of an only worker's ring, waiting if need be.  A batch always has room for
 * BPE_BATCH packets, behind the last slot as well: records depend on where batches end. */
static void take_ring_slots(struct bpe_engine *e, struct batch_place *place) BPEI_READER
{
	struct bpei_worker *w = &e->workers[0];
	const uint32_t mark = w->ring.own_tail + BPE_BATCH - e->plan.slots;

	place->is_in_slots = wait_for_worker(e, w, mark, &place->cause);
	if (place->is_in_slots)
		place->columns =
			bpei_columns_from(&e->slots.columns, w->ring.own_tail & w->ring.mask);
}

/* Moves on behind n slots, at the end of a part to the next part. */
static void leave_slots(struct bpe_engine *e, uint32_t n) BPEI_READER
{
	const uint32_t part_slots = e->plan.slots / BPEI_SLOT_PARTS;
	const uint32_t part = e->slots.next / part_slots;

	e->slots.next = (e->slots.next + n) & (e->plan.slots - 1);
	for (uint32_t k = 0; e->slots.next % part_slots == 0 && k < e->plan.workers; k++)
		e->slots.left[part][k] = e->workers[k].ring.own_tail;
}

/* Takes free slots for packets of several workers, waiting at the begin of a part if need be. Slots
 * at the end of a part that have no room for a batch are passed over. */
static void take_shared_slots(struct bpe_engine *e, struct batch_place *place) BPEI_READER
{
	const uint32_t part_slots = e->plan.slots / BPEI_SLOT_PARTS;
	const uint32_t rest = part_slots - e->slots.next % part_slots;

	if (rest < BPE_BATCH)
		leave_slots(e, rest);
	const uint32_t at = e->slots.next;
	const uint32_t *const left = e->slots.left[at / part_slots];

	for (uint32_t k = 0; at % part_slots == 0 && k < e->plan.workers; k++)
		if (!wait_for_worker(e, &e->workers[k], left[k], &place->cause))
			return;
	place->columns = bpei_columns_from(&e->slots.columns, at);
	place->is_in_slots = true;
}

/* Returns where the next batch is to be read to. */
static struct batch_place choose_batch_place(struct bpe_engine *e) BPEI_READER
{
	struct batch_place place = { .columns = e->input.columns };

	if (e->plan.workers == 1)
		take_ring_slots(e, &place);
	else if (e->plan.workers)
		take_shared_slots(e, &place);
	return place;
}

/* Hands over the next n elements of the worker's ring, which are filled. */
static void publish_packets(struct bpei_worker *w, uint32_t n) BPEI_READER
{
	if (!n)
		return;
	bpei_ring_push(&w->ring, n);
	bpei_counter_max(&w->ring_peak, w->ring.own_tail - w->ring.seen_head);
}

/* Hands over the n packets in the next slots of an only worker, as a batch. */
static void publish_batch(struct bpe_engine *e, uint32_t n) BPEI_READER
{
	const struct bpei_ring *ring = &e->workers[0].ring;

	e->slots.batch_sizes[ring->own_tail & ring->mask] = (uint8_t)n;
	publish_packets(&e->workers[0], n);
}

/* Returns the number of the worker that gets a packet with this hash. */
static uint32_t choose_worker(const struct bpe_engine *e, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * e->plan.workers >> 32);
}

static void drop_packet(struct bpe_engine *e, uint32_t worker, int cause) BPEI_READER
{
	bpei_counter_add(&e->input.dropped[cause], 1);
	bpei_counter_add(&e->workers[worker].dropped, 1);
}

/* A worker's ring while a batch is dealt: numbers are put up to `tail`, and find room up to `end`.
 */
struct ring_end {
	uint32_t *numbers;
	uint32_t tail, end;
};

/* Waits until a full ring has room again.  Returns false if packets are to be dropped, with *cause.
 */
static bool make_ring_room(
	struct bpe_engine *e, struct bpei_worker *w, struct ring_end *to, int *cause) BPEI_READER
{
	struct bpei_ring *ring = &w->ring;

	bpei_ring_push(ring, to->tail - ring->own_tail);
	if (!wait_for_worker(e, w, ring->own_tail - ring->mask, cause))
		return false;
	to->end = ring->own_tail + bpei_ring_room(ring, 1);
	return true;
}

/* Deals the n packets in the next slots: puts the slots' numbers into the workers' rings. */
static void deal_packets(struct bpe_engine *e, const uint32_t *hash, uint32_t n) BPEI_READER
{
	struct ring_end ends[BPE_MAX_WORKERS];
	const uint32_t workers = e->plan.workers;
	const uint32_t mask = e->plan.ring_slots - 1;
	int cause;

	for (uint32_t k = 0; k < workers; k++) {
		struct bpei_worker *w = &e->workers[k];
		const uint32_t tail = w->ring.own_tail;
		const uint32_t room = bpei_ring_room(&w->ring, BPE_BATCH);

		ends[k] = (struct ring_end){ w->slot_numbers, tail, tail + room };
	}
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t k = choose_worker(e, hash[i]);
		struct ring_end *to = &ends[k];

		if (BPEI_UNLIKELY(to->tail == to->end) &&
			!make_ring_room(e, &e->workers[k], to, &cause))
			drop_packet(e, k, cause);
		else
			to->numbers[to->tail++ & mask] = e->slots.next + i;
	}
	for (uint32_t k = 0; k < workers; k++)
		publish_packets(&e->workers[k], ends[k].tail - e->workers[k].ring.own_tail);
}

/* Dispatches the n packets of a batch that was read to the place (options.spread). */
static void dispatch_batch(
	struct bpe_engine *e, const struct batch_place *place, uint32_t n) BPEI_READER
{
	uint32_t hashes[BPE_BATCH];

	if (e->plan.workers == 1 && place->is_in_slots) {
		publish_batch(e, n);
		return;
	}
	const uint32_t *const hash =
		bpei_spread_hashes(&e->spread, &e->input.dissector, &place->columns, n, hashes);

	if (place->is_in_slots) {
		deal_packets(e, hash, n);
		leave_slots(e, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		drop_packet(e, choose_worker(e, hash[i]), place->cause);
}

/* ---- Blocks ---- */

/* Gives back, oldest first, the blocks no longer in use by any worker. */
static void release_blocks(struct bpe_engine *e) BPEI_READER
{
	while (e->used_blocks) {
		struct bpei_block *b = &e->blocks[e->first_block];

		for (uint32_t k = 0; k < e->plan.workers; k++)
			if (!bpei_ring_passed(&e->workers[k].ring, b->ring_position[k]))
				return;
		bpei_device_done(e->input.device, b);
		e->first_block = (e->first_block + 1) % e->plan.blocks;
		e->used_blocks--;
	}
}

/* Returns true if the reader waits on for a free block.  Once the engine is to stop, the reader
 * waits for the sake of pushed packets alone, for STALL_NS at most.  *since: begin of this wait; 0:
 * none. */
static bool may_wait_for_block(struct bpe_engine *e, int64_t *since) BPEI_READER
{
	if (!is_stopping(e))
		return true;
	const int64_t now = bpei_clock_mono_ns();

	if (!*since)
		*since = now;
	return goes_on_reading(e) && now - *since < STALL_NS;
}

/* Returns a free block, waiting if need be; NULL if the engine is to stop. */
static struct bpei_block *take_free_block(struct bpe_engine *e) BPEI_READER
{
	int64_t since = 0;

	release_blocks(e);
	if (e->used_blocks == e->plan.blocks)
		bpei_counter_add(&e->input.waits, 1);
	for (uint32_t tries = 0; e->used_blocks == e->plan.blocks; release_blocks(e)) {
		if (!may_wait_for_block(e, &since))
			return NULL;
		bpei_pause(tries++);
		update_rates(e, false);
		serve_filter_change(e);
	}
	return &e->blocks[(e->first_block + e->used_blocks) % e->plan.blocks];
}

/* Delivers the input's batch on the reader's own share. */
static void deliver_here(struct bpe_engine *e, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type) BPEI_READER
{
	bpei_role_enter(&bpei_worker_role);
	if (e->options.count_only)
		bpei_worker_deliver_unparsed(&e->workers[0], batch, sums, link_type);
	else
		bpei_worker_deliver(&e->workers[0], &e->input.columns, 0, batch, sums);
	bpei_role_leave(&bpei_worker_role);
}

/* Calls on_read.  The kernel's losses up to now came before the batch, or among its packets; the
 * device asks the kernel once a second. */
static void hand_to_on_read(struct bpe_engine *e, struct bpe_batch *batch) BPEI_READER
{
	const struct bpei_device *d = e->input.device;

	if (d->live && !d->many_interfaces) {
		const uint64_t lost = bpei_counter_get(&d->kernel_dropped);

		batch->lost_before = lost - e->lost_told;
		e->lost_told = lost;
	}
	e->options.on_read(e->options.user, batch);
	batch->lost_before = 0;
}

/* Reads a filled block to its end, or to the packet limit.  Returns true at the limit. */
static bool read_filled_block(struct bpe_engine *e, struct bpei_block *b) BPEI_READER
{
	for (;;) {
		struct bpe_batch batch;
		struct bpei_sums sums;

		serve_filter_change(e);
		struct batch_place to = choose_batch_place(e);
		const uint32_t n = bpei_input_next(&e->input, b, &to.columns, &batch, &sums);

		if (!n)
			return bpei_input_is_complete(&e->input);
		if (e->options.on_read)
			hand_to_on_read(e, &batch);
		if (!e->options.count_only)
			bpei_flows_assign_times(&e->flows, &to.columns, b, n, &sums);
		if (e->plan.workers)
			dispatch_batch(e, &to, n);
		else
			deliver_here(e, &batch, &sums, b->link_type);
	}
}

/* ---- The thread ---- */

/* Ages live flows by the clock and answers queries while no packets come.  Returns how far the
 * reader is with queries. */
static enum bpei_progress run_idle_work(struct bpe_engine *e) BPEI_READER
{
	const bool live = e->input.device->live;
	struct bpei_worker *own = &e->workers[0];

	bpei_flows_publish_clock(&e->flows);
	if (e->plan.workers)
		return BPEI_QUERY_DONE;
	bpei_role_enter(&bpei_worker_role);
	if (live && own->table)
		bpei_flows_age(own->table, &own->names,
			atomic_load_explicit(&e->flows.now, memory_order_relaxed));
	if (own->asks.cells)
		bpei_asker_apply(own);
	const enum bpei_progress progress = bpei_worker_answer(own, true);
	bpei_role_leave(&bpei_worker_role);
	return progress;
}

/* Returns how long the next fill may wait. */
static int64_t choose_fill_wait(const struct bpe_engine *e, enum bpei_progress progress) BPEI_READER
{
	if (progress == BPEI_QUERY_MORE)
		return 0;
	if (e->used_blocks || progress == BPEI_QUERY_BLOCKED)
		return SHORT_FILL_WAIT_NS;
	return FILL_WAIT_NS;
}

/* Reads until the source ends, the limit is reached or the engine is to stop.  Returns BPE_OK, or
 * the device's failure with e->error filled. */
static int run_reader_loop(struct bpe_engine *e) BPEI_READER
{
	enum bpei_progress progress = BPEI_QUERY_DONE;

	while (goes_on_reading(e)) {
		serve_filter_change(e);
		struct bpei_block *b = take_free_block(e);

		if (!b)
			return BPE_OK;
		const int filled = bpei_device_fill(
			e->input.device, b, choose_fill_wait(e, progress), &e->error);

		update_rates(e, false);
		if (filled < 0)
			return filled == BPE_E_END ? BPE_OK : filled;
		if (!filled) {
			progress = run_idle_work(e);
			continue;
		}
		bpei_counter_add(&e->input.blocks_read, 1);
		e->used_blocks++;
		const bool enough = read_filled_block(e, b);

		for (uint32_t k = 0; k < e->plan.workers; k++)
			b->ring_position[k] = e->workers[k].ring.own_tail;
		bpei_flows_publish_packets(&e->flows);
		if (enough)
			return BPE_OK;
	}
	return BPE_OK;
}

/* Waits for workers and output, frees the blocks, and publishes the result. */
static void end_run(struct bpe_engine *e, int result) BPEI_READER
{
	/* Before the workers are waited for: a worker's handler may be asking. */
	bpei_query_leave(&e->reader_answers, BPEI_ANSWERER_LEFT);
	if (e->options.push)
		bpei_push_leave(e->input.device);
	e->result = result;
	/* pairs: run_worker_loop in worker.c */
	atomic_store_explicit(&e->reader_done, 1, memory_order_release);
	for (uint32_t k = 0; k < e->plan.workers; k++)
		pthread_join(e->workers[k].thread, NULL);
	if (!e->plan.workers) {
		bpei_role_enter(&bpei_worker_role);
		bpei_worker_finish(&e->workers[0]);
		bpei_role_leave(&bpei_worker_role);
	}
	bpei_asker_end(e);
	bpei_output_end(e);
	release_blocks(e);
	update_rates(e, true);
	bpei_counter_set(&e->ended_ns, (uint64_t)bpei_clock_mono_ns());
	/* pairs: has_run_ended in lifecycle.c, take_record_or_end in pull.c */
	atomic_store_explicit(&e->ended, 1, memory_order_release);
	if (e->plan.pulls)
		bpei_bell_ring(&e->pull.bell);
	close(e->end_pipe[1]);
}

void *bpei_reader_main(void *engine)
{
	struct bpe_engine *e = engine;

	bpei_thread_name("bpe-reader");
	bpei_role_enter(&bpei_reader_role);
	bpei_query_thread(e, true);
	e->last_tick_ns = e->start_ns;
	end_run(e, run_reader_loop(e));
	bpei_role_leave(&bpei_reader_role);
	return NULL;
}
