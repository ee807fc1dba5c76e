/* SPDX-License-Identifier: MIT */
/* The reader's side of the push device (push.h): opens the ring, hands out what was pushed as
 * blocks, walks them and gives them back.
 *
 * A block is a part of the ring, from a record that was not walked yet.  The walk moves `read`, so
 * a block that was walked in part goes on in the next block.  done moves `head` to the block's end,
 * in the order of the blocks. */
#include "device/push.h"

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/mem.h"
#include "names/numbers.h"
#include "records/pushed.h"
#include "records/walk_pcapng.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE (256u << 10) /* bytes of a block: they stay in the second-level cache */
#define DEFAULT_RING (UINT64_C(4) << 20)
#define LEAST_RING (UINT64_C(1) << 20) /* the longest record fits, and a filler before it */
#define MOST_RING (UINT64_C(1) << 40)
#define BLOCKS_IN_FLIGHT 64u
#define POLL_MOST_MS 1000000

_Static_assert(2 * (sizeof(struct bpei_pushed_record) + BPEI_PUSHED_META + BPE_MAX_SNAPLEN + 8) <
		       LEAST_RING,
	"the longest record always fits");

/* ---- Blocks ---- */

/* Returns true if records wait. */
static bool has_records(struct bpei_push *q)
{
	/* pairs: publish_records */
	return atomic_load_explicit(&q->tail, memory_order_acquire) != q->read;
}

/* Waits for a byte in the pipe. */
static void wait_for_bell(struct bpei_push *q, int64_t timeout_ns)
{
	struct pollfd p = { .fd = q->wake_pipe[0], .events = POLLIN };
	char drain[64];
	int ms = -1;

	if (timeout_ns / 1000000 > POLL_MOST_MS)
		ms = POLL_MOST_MS;
	else if (timeout_ns >= 0)
		ms = (int)((timeout_ns + 999999) / 1000000);
	if (poll(&p, 1, ms) > 0)
		while (read(q->wake_pipe[0], drain, sizeof drain) > 0)
			continue;
}

/* Looks for records under the bell, and notes whether the reader goes to sleep.  Returns 1 if there
 * are some, BPE_E_END if none will come, else 0. */
static int look_for_records(struct bpei_push *q, bool sleeps)
{
	pthread_mutex_lock(&q->bell);
	const bool found = has_records(q);
	const bool ended = atomic_load_explicit(&q->state, memory_order_relaxed) != BPEI_PUSH_OPEN;

	q->asleep = sleeps && !found && !ended;
	pthread_mutex_unlock(&q->bell);
	if (found)
		return 1;
	return ended ? BPE_E_END : 0;
}

/* Waits for records.  Returns 1 if there are some, BPE_E_END if none will come, else 0. */
static int wait_for_records(struct bpei_push *q, int64_t timeout_ns)
{
	const int found = look_for_records(q, timeout_ns != 0);

	if (found || !timeout_ns)
		return found;
	wait_for_bell(q, timeout_ns);
	return look_for_records(q, false);
}

static int fill_push(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct bpei_push *q = bpei_push_of(d);
	(void)error;

	if (!has_records(q)) {
		const int found = wait_for_records(q, timeout_ns);

		if (found != 1)
			return found;
	}
	/* pairs: publish_records */
	const uint64_t waiting = atomic_load_explicit(&q->tail, memory_order_acquire) - q->read;
	const uint64_t at = q->read & (q->size - 1);
	const uint64_t to_end = q->size - at;
	const uint64_t length = waiting < to_end ? waiting : to_end;

	bpei_device_filled(d, length, q->size);
	b->bytes = q->ring + at;
	b->length = (size_t)length;
	b->stop_offset = length < PIECE ? (size_t)length : PIECE;
	b->position = 0;
	b->device_data = q->read;
	return 1;
}

/* Gives the ring's memory up to the block's end back to the pushers. */
static void release_push(struct bpei_device *d, struct bpei_block *b)
{
	/* pairs: find_record_room */
	atomic_store_explicit(
		&bpei_push_of(d)->head, b->device_data + b->position, memory_order_release);
}

/* ---- Walking ---- */

/* Returns the record at `at`; NULL at the end of the block. */
static const struct bpei_pushed_record *record_at(const struct bpei_block *b, size_t at)
{
	const struct bpei_pushed_record *r = (const void *)(b->bytes + at);

	return at < b->length && r->meta != BPEI_PUSHED_FILLER ? r : NULL;
}

static size_t pushed_data_offset(const struct bpei_pushed_record *r)
{
	return sizeof *r + (r->meta & BPEI_META_OWN ? BPEI_PUSHED_META : 0);
}

/* Notes the interface's name from the packet's metadata, once. */
static void note_pushed_name(struct bpei_push *q, const struct bpei_pushed_record *r)
{
	struct bpei_names *names = &q->device.names;
	struct bpe_meta meta;

	if (q->named == (uint64_t)r->interface_id + 1)
		return;
	memcpy(&meta, r + 1, sizeof meta);
	const size_t length = strnlen(meta.interface_name, sizeof meta.interface_name);
	if (!length)
		return;
	q->named = (uint64_t)r->interface_id + 1;
	if (!bpei_names_find(names, r->interface_id)[0])
		bpei_names_add(names, r->interface_id, meta.interface_name, length);
}

/* Counts the packet's direction.  Returns true if options.direction lets the packet pass. */
static bool passes_direction(struct bpei_push *q, uint16_t way)
{
	if (way == BPEI_WAY_IN)
		bpei_counter_add(&q->device.inbound, 1);
	if (way == BPEI_WAY_OUT)
		bpei_counter_add(&q->device.outbound, 1);
	if (q->options.direction == BPE_DIRECTION_IN)
		return way != BPEI_WAY_OUT;
	return q->options.direction == BPE_DIRECTION_BOTH || way == BPEI_WAY_OUT;
}

/* Makes the record the batch's n-th packet. */
static void show_record(
	const struct bpei_pushed_record *r, const struct bpei_columns *c, uint32_t n)
{
	c->data[n] = (const uint8_t *)r + pushed_data_offset(r);
	c->time_ns[n] = r->time_ns;
	c->caplen[n] = r->caplen;
	c->wirelen[n] = r->wirelen;
	c->interface_id[n] = r->interface_id;
	c->outgoing[n] = (r->meta & BPEI_META_WAY) == BPEI_WAY_OUT ? BPE_PKT_OUTGOING : 0;
	c->meta[n] = r->meta;
}

static uint32_t walk_push(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	struct bpei_push *q = bpei_push_of(d);
	const struct bpei_pushed_record *r = NULL;
	size_t at = b->position;
	uint32_t n = 0;

	while (n < max && at < b->stop_offset && (r = record_at(b, at))) {
		if (!n)
			b->link_type = r->link_type;
		if (r->link_type != b->link_type)
			break;
		at += r->bytes;
		q->walked++;
		if (BPEI_UNLIKELY(r->meta & BPEI_META_OWN))
			note_pushed_name(q, r);
		if (passes_direction(q, r->meta & BPEI_META_WAY))
			show_record(r, c, n++);
		else
			bpei_counter_add(&d->filtered, 1);
	}
	if (at < b->length && !record_at(b, at))
		at = b->length; /* the filler */
	b->position = at;
	q->read = b->device_data + at;
	return n;
}

static bool look_ahead_push(struct bpei_device *d, const struct bpei_block *b, size_t *at,
	uint32_t *interface_id, int64_t *time_ns)
{
	(void)d;
	if (!*at)
		*at = b->position;
	const struct bpei_pushed_record *r = record_at(b, *at);
	if (!r)
		return false;
	*interface_id = r->interface_id;
	*time_ns = r->time_ns;
	*at += r->bytes;
	return true;
}

/* ---- The rest of the contract ---- */

/* Ends pushing as well. */
void bpei_push_leave(struct bpei_device *d)
{
	struct bpei_push *q = bpei_push_of(d);

	bpei_push_finish(d, BPEI_PUSH_OVER, NULL);
	q->has_left = true;
}

static void update_push_stats(struct bpei_device *d)
{
	const struct bpei_push *q = bpei_push_of(d);
	const uint64_t pushed = bpei_counter_get(&q->pushed);

	bpei_counter_set(&d->kernel_received, pushed);
	if (q->has_left)
		bpei_counter_set(&d->kernel_dropped, pushed - q->walked);
}

static void wake_push(struct bpei_device *d)
{
	ssize_t n = write(bpei_push_of(d)->wake_pipe[1], "", 1);

	(void)n; /* a full pipe has woken the reader already */
}

static void close_push(struct bpei_device *d)
{
	struct bpei_push *q = bpei_push_of(d);

	bpei_push_finish(d, BPEI_PUSH_OVER, NULL);
	bpei_push_settle(q);
	for (int i = 0; i < 2; i++)
		if (q->wake_pipe[i] >= 0)
			close(q->wake_pipe[i]);
	bpei_mem_unmap(q->ring, (size_t)q->size);
	pthread_mutex_destroy(&q->bell);
	free(q);
}

static const struct bpei_device_ops push_ops = {
	.name = "push",
	.fill = fill_push,
	.walk = walk_push,
	.done = release_push,
	.stats = update_push_stats,
	.wake = wake_push,
	.close = close_push,
	.look_ahead = look_ahead_push,
};

/* ---- Open ---- */

/* Returns the size of the ring: a power of two, not below options.buffer_bytes; 0: too much. */
static uint64_t choose_ring_bytes(const struct bpe_options *o)
{
	uint64_t size = o->buffer_bytes ? LEAST_RING : DEFAULT_RING;

	while (size < o->buffer_bytes && size < MOST_RING)
		size *= 2;
	return size < o->buffer_bytes || size > SIZE_MAX / 2 ? 0 : size;
}

static int make_push_ring(struct bpei_push *q, struct bpe_error *error)
{
	q->size = choose_ring_bytes(&q->options);
	q->ring = q->size ? bpei_mem_map((size_t)q->size, 1) : NULL;
	if (!q->ring)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0,
			"no memory for a buffer of %llu bytes for pushed packets",
			(unsigned long long)q->options.buffer_bytes);
	if (bpei_fd_pipe(q->wake_pipe, true))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe");
	return BPE_OK;
}

int bpei_push_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_push *q;
	const uint32_t link_type = o->link_type < 0 ? LINK_ETHERNET : (uint32_t)o->link_type;

	if (link_type > UINT16_MAX)
		return bpei_fail(error, BPE_E_ARGUMENT, "link type", 0,
			"link_type of pushed packets is 0 to 65535, not %u", link_type);
	if (posix_memalign((void **)&q, BPEI_LINE, sizeof *q))
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	memset(q, 0, sizeof *q);
	q->device = (struct bpei_device){ .ops = &push_ops,
		.fd = -1,
		.maps_blocks = true,
		.has_meta = true,
		.live = o->push_live,
		.many_interfaces = true,
		.is_directed = true,
		.max_blocks_in_flight = BLOCKS_IN_FLIGHT,
		.link_type = link_type,
		.snaplen = o->snaplen };
	q->options = *o;
	q->wake_pipe[0] = -1;
	q->wake_pipe[1] = -1;
	pthread_mutex_init(&q->bell, NULL);
	int r = make_push_ring(q, error);
	if (r < 0) {
		bpei_device_close(&q->device);
		return r;
	}
	snprintf(q->device.source, sizeof q->device.source, "pushed packets");
	bpei_counter_set(&q->device.kernel_known, BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED);
	*device = &q->device;
	return BPE_OK;
}
