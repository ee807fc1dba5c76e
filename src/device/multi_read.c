/* SPDX-License-Identifier: MIT */
/* Filling and giving in order, for the device over several sources.
 *
 * The device's blocks are rounds.  A round has packets of all sources, until a source has nothing
 * more at hand.  The packets lie in blocks of the sources.  A source gets a walked block back when
 * the round, and all rounds before, are done: workers may read the packets until then.
 *
 * Order.  The earliest packet at hand is given first (merge.h).  The order of savefiles is exact,
 * since the device waits for each savefile's next packet.  An interface may stay silent.  A kernel
 * hands packets over late, by at most late_ns.  A block came at the time T, with packets from
 * before T.  The block is given once every silent interface was asked after T + late_ns.  The
 * packets of interfaces are then in the order of time.  There are two exceptions.  A kernel may be
 * later than late_ns.  An interface may fill as many blocks as the device holds back: packets are
 * given early then. */
#include "device/multi.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_NS 1000000       /* between two looks at sources that cannot be waited for */
#define IDLE_STEP_NS 10000000 /* likewise, while no packets come */
#define AWAY_STEP_NS 200000000
#define POLL_MOST_MS 1000000
#define SHORT_RUN 6u /* packets that are copied one by one */
#define LEAST_IDS 8u
#define MOST_IDS (1u << 24) /* interfaces of a savefile */
#define MEMORY_BLOCKS 8u    /* most blocks of a source without memory */

/* ---- Blocks ---- */

static void append_block(struct bpei_multi_queue *q, struct bpei_multi_block *b)
{
	b->next = NULL;
	if (q->last)
		q->last->next = b;
	else
		q->first = b;
	q->last = b;
	q->count++;
}

static struct bpei_multi_block *shift_block(struct bpei_multi_queue *q)
{
	struct bpei_multi_block *b = q->first;

	if (!b)
		return NULL;
	q->first = b->next;
	if (!q->first)
		q->last = NULL;
	q->count--;
	return b;
}

/* Returns a block to fill; NULL without memory. */
static struct bpei_multi_block *get_spare(struct bpei_multi_source *s)
{
	struct bpei_multi_block *b = s->spare;

	if (b) {
		s->spare = b->next;
		return b;
	}
	b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->source = s;
	if (s->device->maps_blocks)
		return b;
	b->block.memory_bytes = s->device->block_bytes;
	b->block.memory = bpei_mem_map(b->block.memory_bytes, 0);
	if (b->block.memory)
		return b;
	free(b);
	return NULL;
}

static void put_spare(struct bpei_multi_block *b)
{
	b->next = b->source->spare;
	b->source->spare = b;
}

/* Gives back the blocks of the rounds before `round`. */
static void release_retired(struct bpei_multi *m, uint64_t round)
{
	while (m->retired.first && m->retired.first->round < round) {
		struct bpei_multi_block *b = shift_block(&m->retired);
		struct bpei_multi_source *s = b->source;

		s->device->ops->done(s->device, &b->block);
		s->lent--;
		put_spare(b);
	}
}

void bpei_multi_done(struct bpei_device *d, struct bpei_block *block)
{
	struct bpei_multi *m = bpei_multi_of(d);

	m->rounds--;
	/* Without other rounds nobody reads what was walked since. */
	release_retired(m, m->rounds ? block->device_data + 1 : UINT64_MAX);
}

/* ---- A source's packets ---- */

/* Returns our number for a source's interface: for a new interface the next number. */
static uint32_t map_interface(struct bpei_multi *m, struct bpei_multi_source *s, uint32_t id)
{
	if (s->keeps_ids || id >= MOST_IDS)
		return id;
	if (id >= s->id_count) {
		const uint32_t room = id < LEAST_IDS ? LEAST_IDS : 2 * id;
		uint32_t *more = realloc(s->ids, room * sizeof *more);

		if (!more)
			return id;
		memset(more + s->id_count, 0xff, (room - s->id_count) * sizeof *more);
		s->ids = more;
		s->id_count = room;
	}
	if (s->ids[id] == UINT32_MAX) {
		const char *name = bpei_names_find(&s->device->names, id);

		const struct bpei_multi_origin origin = { m->next_id, id, &s->device->told };

		s->ids[id] = m->next_id++;
		bpei_list_append(&m->origins, &origin, sizeof origin, BPEI_MULTI_ORIGINS);
		bpei_names_add(&m->device.names, s->ids[id], name, strlen(name));
	}
	return s->ids[id];
}

/* Gives the walked packets our numbers of interfaces. */
static void number_interfaces(struct bpei_multi *m, struct bpei_multi_source *s)
{
	uint32_t *id = s->columns.interface_id;
	uint32_t last = 0;
	uint32_t mapped = 0;

	if (!s->has_many) {
		for (uint32_t i = 0; i < s->count; i++)
			id[i] = s->own_id;
		return;
	}
	for (uint32_t i = 0; i < s->count; i++) {
		if (!i || id[i] != last) {
			last = id[i];
			mapped = map_interface(m, s, last);
		}
		id[i] = mapped;
	}
}

/* Walks the next packets of the source's block.  Returns false at the block's end. */
static bool walk_source(struct bpei_multi *m, struct bpei_multi_source *s)
{
	struct bpei_device *d = s->device;
	struct bpei_block *b = &s->current->block;
	const bool cut_here = d->snaplen < BPE_MAX_SNAPLEN && !d->walk_cuts;

	s->at = 0;
	if (d->filter || d->way_programs || cut_here)
		s->count = bpei_device_walk_filtered(d, b, &s->columns, BPE_BATCH);
	else
		s->count = d->ops->walk(d, b, &s->columns, BPE_BATCH);
	bpei_multi_collect(m, s);
	if (!s->count)
		return false;
	s->link_type = b->link_type;
	if (!d->has_meta && m->device.has_meta)
		memset(s->columns.meta, 0, s->count * sizeof *s->columns.meta);
	m->device.timeless &= d->timeless;
	number_interfaces(m, s);
	return true;
}

/* Walks on to the source's next packets, through the filled blocks.  Returns false if
 * there are none. */
static bool advance_source(struct bpei_multi *m, struct bpei_multi_source *s)
{
	for (;;) {
		if (s->current && walk_source(m, s))
			return true;
		if (s->current) {
			s->current->round = m->round;
			append_block(&m->retired, s->current);
		}
		s->current = shift_block(&s->waiting);
		if (!s->current)
			return false;
	}
}

/* ---- Filling ---- */

/* Ends a source.  A failure is told; of savefiles the first failure is the run's. */
static void end_source(struct bpei_multi *m, struct bpei_multi_source *s, int status,
	const struct bpe_error *error)
{
	const bool is_first = m->failure.status == BPE_OK;

	atomic_store_explicit(&s->ended, status, memory_order_relaxed);
	if (status == BPE_E_END)
		return;
	if (is_first || s->device->live)
		m->failure = *error;
	if (bpei_multi_count_going(m) || m->watches)
		bpei_notice(&m->options, "%s; the other sources go on", error->text);
	else if (!is_first)
		bpei_notice(&m->options, "%s", error->text);
}

/* Fills a block of the source if there is one at hand. */
static void fill_source(struct bpei_multi *m, struct bpei_multi_source *s, int64_t now)
{
	uint32_t most = s->device->max_blocks_in_flight;
	struct bpe_error error = { .status = BPE_OK };

	if (now < s->look_ns)
		return;
	if (!s->device->maps_blocks && (!most || most > MEMORY_BLOCKS))
		most = MEMORY_BLOCKS;
	s->full = most && s->lent >= most;
	struct bpei_multi_block *b = s->full ? NULL : get_spare(s);
	if (!b) {
		s->full = true;
		return;
	}
	/* A CPU for a savefile's second thread is taken by the sources before, if they are files,
	 * too. */
	if (m->device.threads)
		s->device->threads = m->device.threads + s->number;
	const int filled = s->device->ops->fill(s->device, &b->block, 0, &error);

	s->look_ns = now + s->pace_ns;
	if (filled > 0) {
		b->filled_ns = now;
		s->lent++;
		append_block(&s->waiting, b);
		return;
	}
	put_spare(b);
	s->empty_ns = now;
	if (s->device->fd < 0 && bpei_counter_get(&s->device->interface_down))
		s->look_ns = now + AWAY_STEP_NS;
	if (filled < 0)
		end_source(m, s, filled, &error);
}

/* Fills a source again, after a block with rejected packets only.  Returns whether there is another
 * block. */
static bool refill_source(struct bpei_multi *m, struct bpei_multi_source *s, int64_t now)
{
	if (!m->rounds)
		release_retired(m, UINT64_MAX);
	if (!bpei_multi_has_ended(s))
		fill_source(m, s, now);
	return s->waiting.count;
}

/* Fills the blocks at hand, and brings every source with packets into the heap.  Returns
 * whether a source had a block. */
static bool fill_sources(struct bpei_multi *m, int64_t now)
{
	const uint32_t count = atomic_load_explicit(&m->count, memory_order_relaxed);
	bool any = false;

	for (uint32_t k = 0; k < count; k++) {
		struct bpei_multi_source *s = m->sources[k];
		const uint32_t before = s->waiting.count;

		while (!bpei_multi_has_ended(s) && s->waiting.count + !!s->current < s->ahead) {
			const uint32_t filled = s->waiting.count;

			fill_source(m, s, now);
			if (s->waiting.count == filled)
				break;
		}
		any |= s->waiting.count > before;
		if (s->current || !s->waiting.count)
			continue;
		while (!advance_source(m, s) && refill_source(m, s, now))
			continue;
		if (s->current)
			bpei_merge_add(&m->merge, k, s->columns.time_ns[0]);
	}
	return any;
}

/* Sets clear_ns, the time before which blocks must have come to be given now.  Returns false if no
 * block may be given, as a savefile has nothing at hand. */
static bool find_clear_time(struct bpei_multi *m)
{
	const uint32_t count = atomic_load_explicit(&m->count, memory_order_relaxed);

	m->clear_ns = INT64_MAX;
	m->forced = false;
	for (uint32_t k = 0; k < count; k++) {
		const struct bpei_multi_source *s = m->sources[k];

		if (s->current && s->waiting.count + 1 >= s->ahead && s->ahead > 1)
			m->forced = true;
		if (bpei_multi_has_ended(s) || s->current)
			continue;
		if (!s->device->live)
			return false;
		const int64_t clear = s->full ? INT64_MIN : s->empty_ns - s->device->late_ns;

		if (clear < m->clear_ns)
			m->clear_ns = clear;
	}
	return true;
}

/* Returns whether the first source's packets may be given. */
static bool may_give(const struct bpei_multi *m)
{
	if (!m->merge.count)
		return false;
	const struct bpei_multi_source *s = m->sources[m->merge.heap[0].source];

	return m->forced || s->current->filled_ns <= m->clear_ns;
}

/* ---- Waiting ---- */

/* Returns how long the next wait may be.  had: a source had a block at the last look. */
static int64_t choose_wait(const struct bpei_multi *m, bool had, int64_t left_ns)
{
	const uint32_t count = atomic_load_explicit(&m->count, memory_order_relaxed);
	int64_t step = INT64_MAX;

	for (uint32_t k = 0; k < count; k++) {
		const struct bpei_multi_source *s = m->sources[k];
		const bool is_looked_at = s->device->fd < 0 || !s->device->maps_blocks;

		if (bpei_multi_has_ended(s))
			continue;
		if (s->full || (s->device->live && (had || s->lent || m->merge.count)))
			step = STEP_NS;
		else if (s->device->live && is_looked_at && step > IDLE_STEP_NS)
			step = IDLE_STEP_NS;
	}
	return left_ns < 0 || step < left_ns ? step : left_ns;
}

/* Waits for a source, a wake or the time.  Returns false if the reader was woken. */
static bool wait_for_sources(struct bpei_multi *m, int64_t wait_ns)
{
	const uint32_t count = atomic_load_explicit(&m->count, memory_order_relaxed);
	int ms = POLL_MOST_MS;
	uint32_t n = 1;

	m->polled[0] = (struct pollfd){ .fd = m->wake[0], .events = POLLIN };
	for (uint32_t k = 0; k < count; k++) {
		const struct bpei_multi_source *s = m->sources[k];
		/* A packet socket with blocks out is always called readable. */
		const bool is_silent = !s->device->live || !s->lent;

		if (!bpei_multi_has_ended(s) && !s->current && is_silent && s->device->fd >= 0)
			m->polled[n++] = (struct pollfd){ .fd = s->device->fd, .events = POLLIN };
	}
	if (wait_ns / 1000000 < POLL_MOST_MS)
		ms = (int)((wait_ns + 999999) / 1000000);
	poll(m->polled, n, ms);
	if (!m->polled[0].revents)
		return true;
	char drain[64];

	while (read(m->wake[0], drain, sizeof drain) > 0)
		continue;
	return false;
}

/* Returns the device's end, with the failure kept by end_source. */
static int report_all_ended(const struct bpei_multi *m, struct bpe_error *error)
{
	if (m->failure.status == BPE_OK)
		return BPE_E_END;
	if (error)
		*error = m->failure;
	return m->failure.status;
}

int bpei_multi_fill(struct bpei_device *d, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error)
{
	struct bpei_multi *m = bpei_multi_of(d);
	int64_t now = bpei_clock_mono_ns();
	const int64_t begun = now;
	bool spins = false;

	for (;;) {
		if (!m->rounds)
			release_retired(m, UINT64_MAX);
		const bool had = fill_sources(m, now);

		if (find_clear_time(m) && may_give(m)) {
			block->device_data = m->round;
			m->in_round = true;
			m->rounds++;
			return 1;
		}
		if (!m->merge.count && !bpei_multi_count_going(m) && !m->watches)
			return report_all_ended(m, error);
		const int64_t left = timeout_ns < 0 ? -1 : timeout_ns - (now - begun);

		if (timeout_ns >= 0 && left <= 0)
			return 0;
		if (spins) /* ready without data */
			bpei_clock_sleep_ns(STEP_NS);
		const int64_t wait = choose_wait(m, had, left);

		if (!wait_for_sources(m, wait))
			return 0;
		const int64_t after = bpei_clock_mono_ns();

		spins = !had && after - now < STEP_NS / 2 && wait > STEP_NS / 2;
		now = after;
	}
}

/* ---- Giving ---- */

/* Copies n walked packets of the source to the batch. */
static void copy_packets(
	const struct bpei_columns *to, uint32_t at, const struct bpei_multi_source *s, uint32_t n)
{
	const struct bpei_columns *from = &s->columns;

	if (n < SHORT_RUN) {
		for (uint32_t i = 0; i < n; i++) {
#define COPY_ELEMENT(type, name, condition) to->name[at + i] = from->name[s->at + i];
			BPEI_WALKED_COLUMNS(COPY_ELEMENT)
#undef COPY_ELEMENT
			to->outgoing[at + i] = from->outgoing[s->at + i];
		}
		return;
	}
#define COPY_RUN(type, name, condition)                                                            \
	memcpy(to->name + at, from->name + s->at, n * sizeof *to->name);
	BPEI_WALKED_COLUMNS(COPY_RUN)
#undef COPY_RUN
	memcpy(to->outgoing + at, from->outgoing + s->at, n);
}

/* Counts n packets of the source as given. */
static void count_given(struct bpei_multi_source *s, uint32_t n)
{
	uint64_t captured = 0;
	uint64_t wire = 0;

	for (uint32_t i = s->at; i < s->at + n; i++) {
		captured += s->columns.caplen[i];
		wire += s->columns.wirelen[i];
	}
	bpei_counter_add(&s->read_packets, n);
	bpei_counter_add(&s->captured_bytes, captured);
	bpei_counter_add(&s->wire_bytes, wire);
}

/* Moves the first source behind n given packets.  A source without another packet at hand
 * leaves the heap, and ends the round. */
static void move_first(struct bpei_multi *m, struct bpei_multi_source *s, uint32_t n)
{
	s->at += n;
	if (s->at < s->count || advance_source(m, s)) {
		bpei_merge_change_first(&m->merge, s->columns.time_ns[s->at]);
		return;
	}
	bpei_merge_remove_first(&m->merge);
	m->in_round = false;
}

uint32_t bpei_multi_walk(
	struct bpei_device *d, struct bpei_block *block, const struct bpei_columns *c, uint32_t max)
{
	struct bpei_multi *m = bpei_multi_of(d);
	uint32_t n = 0;

	while (n < max && m->in_round) {
		if (!may_give(m)) {
			m->in_round = false;
			break;
		}
		struct bpei_multi_source *s = m->sources[m->merge.heap[0].source];
		const uint32_t have = s->count - s->at;
		const uint32_t room = max - n;

		if (!n)
			block->link_type = s->link_type;
		else if (block->link_type != s->link_type)
			break;
		const uint32_t run = bpei_merge_run(
			&m->merge, s->columns.time_ns + s->at, have < room ? have : room);

		copy_packets(c, n, s, run);
		count_given(s, run);
		move_first(m, s, run);
		n += run;
	}
	if (!n)
		m->round++;
	return n;
}
