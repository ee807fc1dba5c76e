/* SPDX-License-Identifier: MIT */
/* The reader's side: fill a block, walk it batch by batch, parse, hash, and deal the packets out to
 * the workers' rings; with 0 workers, deliver them itself.
 *
 * Blocks are a queue: the oldest ones out are freed as soon as every ring's head has passed their
 * marks.  No free block: the reader waits, and does not read; the kernel counts the loss.  A full
 * ring: it waits, or drops and counts (overload). Books: every record that walk gave is counted as
 * read, and then delivered, or dropped under a cause.  A worker that takes nothing for STALL_NS
 * while the engine is to stop is given up: what is left for it is counted as stalled. End:
 * reader_done is published after the last push; then the reader waits for the workers, and only
 * then says `ended`. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

#include <string.h>
#include <unistd.h>

#define TICK_NS 1000000000
#define FILL_WAIT_NS 100000000
#define STALL_NS 2000000000

static bool stopping(struct bpe_engine *e)
{
	return atomic_load_explicit(&e->stop, memory_order_relaxed);
}

/* Once a second: the device's counters, and the rates. */
static void tick(struct bpe_engine *e, bool force) BPEI_READER
{
	int64_t now = bpei_clock_mono_ns(), span = now - e->last_tick_ns;
	if (span < TICK_NS && !force)
		return;
	bpei_device_stats(e->device);
	int64_t packets = (int64_t)bpei_counter_get(&e->read_packets),
		bytes = (int64_t)bpei_counter_get(&e->wire_bytes);
	if (span >= TICK_NS || !e->last_tick_packets) {
		double seconds = (double)(span > 0 ? span : 1) * 1e-9;
		bpei_counter_set(&e->packets_per_second,
			(uint64_t)((double)(packets - e->last_tick_packets) / seconds));
		bpei_counter_set(&e->bits_per_second,
			(uint64_t)((double)(bytes - e->last_tick_bytes) * 8 / seconds));
	}
	e->last_tick_ns = now;
	e->last_tick_packets = packets;
	e->last_tick_bytes = bytes;
}

/* The records that walk left out as second sights belong to the books, too. */
static void count_duplicates(struct bpe_engine *e) BPEI_READER
{
	struct bpei_device *d = e->device;
	uint64_t all = bpei_counter_get(&d->duplicates),
		 known = bpei_counter_get(&e->dropped[BPE_DROP_DUPLICATE]);
	if (BPEI_LIKELY(all == known))
		return;
	bpei_counter_add(&e->read_packets, all - known);
	bpei_counter_add(&e->captured_bytes, bpei_counter_get(&d->duplicate_captured));
	bpei_counter_add(&e->wire_bytes, bpei_counter_get(&d->duplicate_wire));
	bpei_counter_set(&d->duplicate_captured, 0);
	bpei_counter_set(&d->duplicate_wire, 0);
	bpei_counter_set(&e->dropped[BPE_DROP_DUPLICATE], all);
}

static void count_read(
	struct bpe_engine *e, const struct bpe_batch *b, const struct bpei_sums *sums) BPEI_READER
{
	if (BPEI_UNLIKELY(e->device->timeless)) {
		/* Nothing is known of any packet's time yet. */
	} else if (BPEI_UNLIKELY(!e->has_packet_time)) {
		e->has_packet_time = true;
		bpei_counter_set(&e->first_packet_ns, (uint64_t)sums->least_ns);
		bpei_counter_set(&e->last_packet_ns, (uint64_t)sums->most_ns);
	} else {
		if (sums->least_ns < (int64_t)bpei_counter_get(&e->first_packet_ns))
			bpei_counter_set(&e->first_packet_ns, (uint64_t)sums->least_ns);
		if (sums->most_ns > (int64_t)bpei_counter_get(&e->last_packet_ns))
			bpei_counter_set(&e->last_packet_ns, (uint64_t)sums->most_ns);
	}
	bpei_counter_add(&e->captured_bytes, sums->captured);
	bpei_counter_add(&e->wire_bytes, sums->wire);
	bpei_counter_add(&e->read_packets, b->count);
}

struct place {
	struct bpei_device *device;
	const struct bpei_block *block;
};

/* What comes behind the batch, for the timeline. */
static bool look_ahead(
	void *place, size_t *at, uint32_t *interface_id, int64_t *time_ns) BPEI_READER
{
	const struct place *p = place;
	return p->device->ops->look_ahead(p->device, p->block, at, interface_id, time_ns);
}

/* The packets' flow times, where they are not their own. */
static void keep_time(struct bpe_engine *e, const struct bpei_block *b, uint32_t n,
	const struct bpei_sums *sums) BPEI_READER
{
	const struct bpei_columns *c = &e->batch;
	struct place place = { e->device, b };
	const struct bpei_arrivals a = { c->time_ns, e->timeline.own ? c->interface_id : NULL, n,
		sums->least_ns, sums->most_ns, e->device->ops->look_ahead ? look_ahead : NULL,
		&place };
	if (BPEI_UNLIKELY(e->device->timeless))
		memset(c->flow_kind, BPEI_TIME_OWN, n);
	else
		bpei_timeline_follow_interfaces(&e->timeline, &a, c->flow_ns, c->flow_kind);
}

static void publish_time(struct bpe_engine *e, int64_t now) BPEI_READER
{
	if (now > atomic_load_explicit(&e->packet_now, memory_order_relaxed))
		atomic_store_explicit(
			&e->packet_now, now, memory_order_release); /* pairs: loop in worker.c */
}

/* Waits until ring w has room: how much; 0 if packets are to be dropped, *cause telling why. */
static uint32_t wait_for_room(struct bpe_engine *e, struct bpei_worker *w, int *cause) BPEI_READER
{
	uint32_t room = bpei_ring_room(&w->ring, 1), seen = w->ring.seen_head, tries = 0;
	int64_t since = 0;
	if (room)
		return room;
	*cause = BPE_DROP_RING_FULL;
	if (e->options.overload == BPE_OVERLOAD_DROP)
		return 0;
	bpei_counter_add(&e->waits, 1);
	while (!(room = bpei_ring_room(&w->ring, 1))) {
		bpei_pause(tries++);
		tick(e, false);
		bpei_change_serve(e, false);
		if (!stopping(e))
			continue;
		int64_t now = bpei_clock_mono_ns();
		if (w->ring.seen_head != seen || !since) {
			seen = w->ring.seen_head;
			since = now;
		}
		if (now - since > STALL_NS) {
			*cause = BPE_DROP_STALLED;
			return 0;
		}
	}
	return room;
}

/* Deals the n packets of the batch out to the rings, flow by flow to the same worker: a flow may
 * have packets with VLAN tags and without (sibling.c). */
static void deal(struct bpe_engine *e, uint32_t n) BPEI_READER
{
	uint32_t pushed[BPE_MAX_WORKERS], room[BPE_MAX_WORKERS], workers = e->plan.workers;
	uint32_t untagged[BPE_BATCH];
	const uint32_t *hash = e->batch.hash;
	if (BPEI_UNLIKELY(e->dissector.any & BPE_PKT_VLAN)) {
		bpei_hash_untagged(&e->dissector, &e->batch, n, untagged);
		hash = untagged;
	}
	memset(pushed, 0, workers * sizeof *pushed);
	for (uint32_t k = 0; k < workers; k++)
		room[k] = bpei_ring_room(&e->workers[k].ring, BPE_BATCH);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)((uint64_t)hash[i] * workers >> 32);
		struct bpei_worker *w = &e->workers[k];
		if (BPEI_UNLIKELY(pushed[k] == room[k])) {
			int cause;
			bpei_ring_push(&w->ring, pushed[k]);
			pushed[k] = 0;
			room[k] = wait_for_room(e, w, &cause);
			if (!room[k]) {
				bpei_counter_add(&e->dropped[cause], 1);
				bpei_counter_add(&w->dropped, 1);
				continue;
			}
		}
		bpei_columns_copy(
			&w->columns, (w->ring.own_tail + pushed[k]) & w->ring.mask, &e->batch, i);
		pushed[k]++;
	}
	for (uint32_t k = 0; k < workers; k++) {
		if (!pushed[k])
			continue;
		bpei_ring_push(&e->workers[k].ring, pushed[k]);
		bpei_counter_max(&e->workers[k].ring_peak,
			e->workers[k].ring.own_tail - e->workers[k].ring.seen_head);
	}
}

/* Gives back, oldest first, the blocks that nobody looks at any more. */
static void reclaim(struct bpe_engine *e) BPEI_READER
{
	while (e->used_blocks) {
		struct bpei_block *b = &e->blocks[e->first_block];
		for (uint32_t k = 0; k < e->plan.workers; k++)
			if (!bpei_ring_passed(&e->workers[k].ring, b->ring_position[k]))
				return;
		bpei_device_done(e->device, b);
		e->first_block = (e->first_block + 1) % e->plan.blocks;
		e->used_blocks--;
	}
}

/* A free block, waiting for one if need be; NULL if the engine is to stop. */
static struct bpei_block *take_block(struct bpe_engine *e) BPEI_READER
{
	reclaim(e);
	if (e->used_blocks == e->plan.blocks)
		bpei_counter_add(&e->waits, 1);
	for (uint32_t tries = 0; e->used_blocks == e->plan.blocks; reclaim(e)) {
		if (stopping(e))
			return NULL;
		bpei_pause(tries++);
		tick(e, false);
		bpei_change_serve(e, false);
	}
	return &e->blocks[(e->first_block + e->used_blocks) % e->plan.blocks];
}

/* options.count_only: the n packets are called of a link type that nobody parses. */
static void count_only(struct bpe_engine *e, uint32_t n, uint32_t link_type) BPEI_READER
{
	struct bpei_columns *c = &e->batch;
	for (uint32_t i = 0; i < n; i++)
		c->layers[i] = (struct bpe_layers){ .network = BPE_NO_OFFSET,
			.transport = BPE_NO_OFFSET,
			.payload = BPE_NO_OFFSET,
			.flags = c->layers[i].flags,
			.end = c->caplen[i],
			.proto = BPE_PROTO_LINKTYPE,
			.link_type = (uint16_t)link_type };
	struct bpe_batch batch = bpei_batch_view(c, 0, n, 0);
	struct bpei_sums sums;
	bpei_batch_sum(&batch, &sums);
	count_read(e, &batch, &sums);
	bpei_role_enter(&bpei_worker_role);
	bpei_worker_deliver_unparsed(&e->workers[0], &batch, &sums, link_type);
	bpei_role_leave(&bpei_worker_role);
}

/* Walks a filled block to its end, or to the packet limit: true if the limit was reached. */
static bool read_block(struct bpe_engine *e, struct bpei_block *b) BPEI_READER
{
	uint64_t limit = e->options.max_packets;
	for (;;) {
		bpei_change_serve(e, false);
		uint64_t left = limit ? limit - bpei_counter_get(&e->read_packets) : BPE_BATCH;
		uint32_t n = left ? bpei_device_walk(e->device, b, &e->batch,
					    left < BPE_BATCH ? (uint32_t)left : BPE_BATCH)
				  : 0;
		count_duplicates(e);
		if (!n)
			return limit && bpei_counter_get(&e->read_packets) >= limit;
		if (e->options.count_only) {
			count_only(e, n, b->link_type);
			continue;
		}
		bpei_dissect(&e->dissector, &e->batch, n, b->link_type);
		struct bpe_batch batch = bpei_batch_view(&e->batch, 0, n, 0);
		struct bpei_sums sums;
		bpei_batch_sum(&batch, &sums);
		count_read(e, &batch, &sums);
		keep_time(e, b, n, &sums);
		if (e->plan.workers) {
			deal(e, n);
		} else {
			bpei_role_enter(&bpei_worker_role);
			bpei_worker_deliver(&e->workers[0], &e->batch, 0, &batch, &sums);
			bpei_role_leave(&bpei_worker_role);
		}
	}
}

/* Nothing came: live flows age by the clock.  A second behind, since the kernel may hold packets
 * back for a while.  True: there is more to do as long as nothing comes; *waits: there is, but it
 * must wait for somebody. */
static bool idle(struct bpe_engine *e, bool *waits) BPEI_READER
{
	bool more;
	if (e->device->live)
		publish_time(e, bpei_timeline_now(&e->timeline, bpei_clock_wall_ns() - 1000000000));
	if (e->plan.workers)
		return false;
	bpei_role_enter(&bpei_worker_role);
	if (e->device->live && e->workers[0].table)
		bpei_table_age(e->workers[0].table,
			atomic_load_explicit(&e->packet_now, memory_order_relaxed));
	more = bpei_scan_idle(&e->workers[0]);
	more |= bpei_show_idle(&e->workers[0]);
	*waits = bpei_show_waits(&e->workers[0]);
	bpei_role_leave(&bpei_worker_role);
	return more;
}

static int loop(struct bpe_engine *e) BPEI_READER
{
	bool busy = false, waits = false;
	while (!stopping(e)) {
		bpei_change_serve(e, false);
		struct bpei_block *b = take_block(e);
		if (!b)
			return BPE_OK;
		int r = bpei_device_fill(e->device, b,
			busy                      ? 0
			: e->used_blocks || waits ? FILL_WAIT_NS / 100
						  : FILL_WAIT_NS,
			&e->error);
		tick(e, false);
		if (r < 0)
			return r == BPE_E_END ? BPE_OK : r;
		if (!r) {
			busy = idle(e, &waits);
			continue;
		}
		bpei_counter_add(&e->blocks_read, 1);
		e->used_blocks++;
		bool enough = read_block(e, b);
		for (uint32_t k = 0; k < e->plan.workers; k++)
			b->ring_position[k] = e->workers[k].ring.own_tail;
		if (e->timeline.has_time)
			publish_time(e, e->timeline.clock_ns);
		if (enough)
			return BPE_OK;
	}
	return BPE_OK;
}

static void end_run(struct bpe_engine *e, int result) BPEI_READER
{
	bpei_change_serve(e, true); /* before the workers are waited for: one may be asking */
	e->result = result;
	atomic_store_explicit(
		&e->reader_done, 1, memory_order_release); /* pairs: loop in worker.c */
	for (uint32_t k = 0; k < e->plan.workers; k++)
		pthread_join(e->workers[k].thread, NULL);
	if (!e->plan.workers) {
		bpei_role_enter(&bpei_worker_role);
		bpei_worker_finish(&e->workers[0]);
		bpei_role_leave(&bpei_worker_role);
	}
	bpei_output_end(e);
	reclaim(e);
	tick(e, true);
	bpei_counter_set(&e->ended_ns, (uint64_t)bpei_clock_mono_ns());
	atomic_store_explicit(
		&e->ended, 1, memory_order_release); /* pairs: has_ended in lifecycle.c */
	close(e->end_pipe[1]);
}

void *bpei_reader_main(void *engine)
{
	struct bpe_engine *e = engine;
	bpei_thread_name("bpe-reader");
	bpei_role_enter(&bpei_reader_role);
	bpei_change_reader(e);
	bpei_scan_thread(e);
	e->last_tick_ns = e->start_ns;
	end_run(e, loop(e));
	bpei_role_leave(&bpei_reader_role);
	return NULL;
}
