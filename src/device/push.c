/* SPDX-License-Identifier: MIT */
/* The program's side of the push device (push.h): checks packets, copies them into the ring, and
 * waits for room.
 *
 * Records are published a stretch at a time, so that the reader begins while a long call goes on.
 * The pusher rings the pipe only if the reader sleeps.  A pusher without room looks again after a
 * pause, since the reader has no time to call. */
#include "device/push.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/sized.h"
#include "base/pause.h"
#include "base/roles.h"
#include "records/macos_meta.h"
#include "records/pushed.h"
#include "records/walk_pcapng.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define STRETCH (64u << 10) /* bytes that are published together */
#define HIGHEST_LINK_TYPE 65535
#define LEAST_PACKET offsetof(struct bpe_packet, interface_id)
#define MOST_STRUCTURE 65536u

_Static_assert(
	(int)BPE_DIRECTION_IN == (int)BPEI_WAY_IN && (int)BPE_DIRECTION_OUT == (int)BPEI_WAY_OUT,
	"a packet's direction is its BPEI_WAY_");
_Static_assert(BPEI_EXTS <= 7, "BPEI_PUSHED_FILLER is no packet's element");

/* ---- Arguments ---- */

/* Reads packet i of the input.  Members that an older caller does not know have their defaults. */
static struct bpe_packet read_input(const struct bpei_push_input *in, size_t i)
{
	struct bpe_packet p = { .link_type = -1 };
	const size_t known = in->packet_bytes < sizeof p ? in->packet_bytes : sizeof p;

	memcpy(&p, (const uint8_t *)in->packets + i * in->packet_bytes, known);
	return p;
}

/* Returns what is wrong with a packet, or NULL. */
static const char *find_packet_fault(const struct bpe_packet *p)
{
	if (!p->data && p->caplen)
		return "data is NULL, and caplen is not 0";
	if (p->link_type < -1 || p->link_type > HIGHEST_LINK_TYPE)
		return "link_type is neither -1 nor 0 to 65535";
	if (p->direction > BPE_DIRECTION_OUT)
		return "direction is none of enum bpe_direction";
	return NULL;
}

/* Checks packet i of the input. */
static int check_packet(const struct bpei_push_input *in, size_t i, struct bpe_error *error)
{
	const struct bpe_packet p = read_input(in, i);
	const uint8_t *given = (const uint8_t *)in->packets + i * in->packet_bytes;
	const char *why = find_packet_fault(&p);

	if (why)
		return bpei_fail(error, BPE_E_ARGUMENT, "push", 0, "packet %zu: %s", i, why);
	if (!bpei_sized_is_known(given, in->packet_bytes, sizeof p) ||
		(p.meta && !bpei_sized_is_known(p.meta, in->meta_bytes, sizeof *p.meta)))
		return bpei_fail(error, BPE_E_UNSUPPORTED, "push", 0,
			"packet %zu: made with a newer header, a member is set that library " BPE_VERSION
			" does not have: use the newer library, or leave the member",
			i);
	return BPE_OK;
}

/* Checks all packets before the first is taken. */
static int check_input(const struct bpei_push_input *in, struct bpe_error *error)
{
	int status = BPE_OK;

	if (in->packet_bytes < LEAST_PACKET || in->packet_bytes > MOST_STRUCTURE ||
		in->meta_bytes < sizeof(uint32_t) || in->meta_bytes > MOST_STRUCTURE)
		return bpei_fail(error, BPE_E_ARGUMENT, "push", 0,
			"structures of %zu and %zu bytes: pass sizeof(struct bpe_packet) and "
			"sizeof(struct bpe_meta)",
			in->packet_bytes, in->meta_bytes);
	if (in->n && !in->packets)
		return bpei_fail(error, BPE_E_ARGUMENT, "push", 0, "packets is NULL");
	if (in->n > INT_MAX)
		return bpei_fail(error, BPE_E_ARGUMENT, "push", 0,
			"at most %d packets in a call, not %zu", INT_MAX, in->n);
	for (size_t i = 0; i < in->n && status == BPE_OK; i++)
		status = check_packet(in, i, error);
	return status;
}

/* ---- Records ---- */

/* Returns the packet's direction, from the packet or else from the metadata. */
static uint16_t choose_way(const struct bpe_packet *p)
{
	if (p->direction || !p->meta || !(p->meta->flags & BPE_META_DIRECTION))
		return (uint16_t)p->direction;
	return p->meta->flags & BPE_META_OUT ? BPEI_WAY_OUT : BPEI_WAY_IN;
}

/* Returns the packet's element in the meta column. */
static uint16_t pack_pushed_element(const struct bpe_packet *p)
{
	const uint16_t low = (uint16_t)(choose_way(p) | (p->meta ? BPEI_META_OWN : 0));

	return low ? (uint16_t)(low | BPEI_EXT_PUSHED << BPEI_META_EXT_SHIFT) : 0;
}

/* Writes the packet's record to `to`. */
static void write_pushed_record(struct bpei_push *q, uint8_t *to, const struct bpe_packet *p,
	struct bpei_pushed_record record, size_t meta_bytes)
{
	const int32_t link_type = p->link_type < 0 ? (int32_t)q->device.link_type : p->link_type;

	record.link_type = (uint16_t)link_type;
	record.meta = pack_pushed_element(p);
	record.time_ns = p->time_ns;
	record.wirelen = p->wirelen;
	record.interface_id = p->interface_id;
	memcpy(to, &record, sizeof record);
	to += sizeof record;
	if (p->meta) {
		struct bpe_meta meta = { .pid = -1, .effective_pid = -1 };

		memcpy(&meta, p->meta, meta_bytes < sizeof meta ? meta_bytes : sizeof meta);
		memcpy(to, &meta, sizeof meta);
		to += BPEI_PUSHED_META;
	}
	if (record.caplen)
		memcpy(to, p->data, record.caplen);
}

/* Returns room for a record of `bytes`, behind a filler if need be; NULL: the ring is full. */
static uint8_t *find_record_room(struct bpei_push *q, uint32_t bytes)
{
	uint64_t at = q->own_tail & (q->size - 1);
	const uint64_t to_end = q->size - at;
	const uint64_t filler = to_end < bytes ? to_end : 0;

	if (q->size - (q->own_tail - q->seen_head) < bytes + filler) {
		/* pairs: release_push */
		q->seen_head = atomic_load_explicit(&q->head, memory_order_acquire);
		if (q->size - (q->own_tail - q->seen_head) < bytes + filler)
			return NULL;
	}
	if (filler) {
		/* At least 8 bytes are there: the length and the mark. */
		const struct bpei_pushed_record end = { .bytes = (uint32_t)filler,
			.meta = BPEI_PUSHED_FILLER };

		memcpy(q->ring + at, &end, offsetof(struct bpei_pushed_record, time_ns));
		q->own_tail += filler;
		at = 0;
	}
	return q->ring + at;
}

/* Copies a packet into the ring.  Returns false if the ring is full. */
static bool put_packet(struct bpei_push *q, const struct bpe_packet *p, size_t meta_bytes)
{
	struct bpei_pushed_record record = { .caplen = p->caplen };

	if (record.caplen > BPE_MAX_SNAPLEN)
		record.caplen = BPE_MAX_SNAPLEN;
	record.bytes = (uint32_t)(sizeof record + (p->meta ? BPEI_PUSHED_META : 0) +
				  ((record.caplen + 7u) & ~7u));
	uint8_t *to = find_record_room(q, record.bytes);
	if (!to)
		return false;
	write_pushed_record(q, to, p, record, meta_bytes);
	q->own_tail += record.bytes;
	q->unpublished++;
	return true;
}

/* ---- Publishing ---- */

/* Returns true if packets are taken. */
static bool is_push_open(struct bpei_push *q)
{
	return atomic_load_explicit(&q->state, memory_order_relaxed) == BPEI_PUSH_OPEN;
}

/* Hands the reader what was copied, and wakes the reader.  The bell is held.  After the end, what
 * was copied since the last call is not taken. */
static void publish_under_bell(struct bpei_push *q)
{
	const uint64_t packets = q->unpublished;

	q->unpublished = 0;
	if (!packets || !is_push_open(q))
		return;
	/* pairs: has_records */
	atomic_store_explicit(&q->tail, q->own_tail, memory_order_release);
	bpei_counter_add(&q->pushed, packets);
	if (q->asleep)
		q->device.ops->wake(&q->device);
	q->asleep = false;
}

static void publish_records(struct bpei_push *q)
{
	pthread_mutex_lock(&q->bell);
	publish_under_bell(q);
	pthread_mutex_unlock(&q->bell);
}

/* ---- Waiting ---- */

/* Returns the time at which a wait ends. */
static int64_t wait_deadline(int64_t timeout_ns)
{
	const int64_t now = timeout_ns > 0 ? bpei_clock_mono_ns() : 0;

	if (timeout_ns < 0 || timeout_ns > INT64_MAX - now)
		return INT64_MAX;
	return now + timeout_ns;
}

/* Pauses for the tries-th time.  Returns false if the deadline has passed; 0 always has. */
static bool pause_until(uint32_t tries, int64_t deadline)
{
	if (!deadline || (deadline != INT64_MAX && bpei_clock_mono_ns() >= deadline))
		return false;
	bpei_pause(tries);
	return true;
}

/* Waits for the other pushers.  The bell is held, except in a pause.  Returns false if the deadline
 * passed, or if no more packets are taken.  Unchecked: FreeBSD's mutexes are capabilities, and this
 * function releases a mutex that its caller took. */
static bool wait_for_turn(struct bpei_push *q, int64_t deadline) BPEI_UNCHECKED
{
	for (uint32_t tries = 0; q->busy && is_push_open(q); tries++) {
		pthread_mutex_unlock(&q->bell);
		const bool goes_on = pause_until(tries, deadline);

		pthread_mutex_lock(&q->bell);
		if (!goes_on)
			break;
	}
	return !q->busy && is_push_open(q);
}

/* Copies packet i, waiting for room.  Returns false if the deadline passed, or if no more packets
 * are taken.  The packets before are published first: the reader makes room by reading them. */
static bool put_when_room(
	struct bpei_push *q, const struct bpei_push_input *in, size_t i, int64_t deadline)
{
	const struct bpe_packet p = read_input(in, i);

	for (uint32_t tries = 0; !put_packet(q, &p, in->meta_bytes); tries++) {
		publish_records(q);
		if (!is_push_open(q) || !pause_until(tries, deadline))
			return false;
	}
	return true;
}

/* Copies the packets; the last of them may not be published yet. */
static void put_all(struct bpei_push *q, const struct bpei_push_input *in, int64_t deadline)
{
	uint64_t published = q->own_tail;

	for (size_t i = 0; i < in->n && put_when_room(q, in, i, deadline); i++) {
		if (q->own_tail - published < STRETCH)
			continue;
		publish_records(q);
		published = q->own_tail;
	}
}

/* ---- For the program ---- */

/* Says why no packet is taken any more. */
static int refuse_push(struct bpei_push *q, struct bpe_error *error)
{
	const bool ended = atomic_load_explicit(&q->state, memory_order_relaxed) == BPEI_PUSH_ENDED;

	return bpei_fail(error, BPE_E_STATE, "push", 0, "%s",
		ended ? "the end of the packets was pushed already"
		      : "the run is over: no more packets are taken");
}

int bpei_push_put(struct bpei_device *device, const struct bpei_push_input *in, int64_t timeout_ns,
	struct bpe_error *error)
{
	struct bpei_push *q = bpei_push_of(device);
	const int64_t deadline = wait_deadline(timeout_ns);
	int status = check_input(in, error);

	if (status < 0)
		return status;
	pthread_mutex_lock(&q->bell);
	q->inside++;
	if (wait_for_turn(q, deadline)) {
		const uint64_t before = bpei_counter_get(&q->pushed);

		q->busy = true;
		pthread_mutex_unlock(&q->bell);
		put_all(q, in, deadline);
		pthread_mutex_lock(&q->bell);
		publish_under_bell(q);
		q->busy = false;
		status = (int)(bpei_counter_get(&q->pushed) - before);
	}
	if (!status && in->n && !is_push_open(q))
		status = refuse_push(q, error);
	q->inside--;
	pthread_mutex_unlock(&q->bell); /* the device may be gone from here on */
	return status;
}

int bpei_push_finish(
	struct bpei_device *device, enum bpei_push_state reason, struct bpe_error *error)
{
	struct bpei_push *q = bpei_push_of(device);
	int status = BPE_OK;

	pthread_mutex_lock(&q->bell);
	if (!is_push_open(q))
		status = refuse_push(q, error);
	if (atomic_load_explicit(&q->state, memory_order_relaxed) < (int)reason)
		atomic_store_explicit(&q->state, reason, memory_order_relaxed);
	if (q->asleep)
		device->ops->wake(device);
	q->asleep = false;
	pthread_mutex_unlock(&q->bell);
	return status;
}

void bpei_push_settle(struct bpei_push *q)
{
	uint32_t inside = 1;

	for (uint32_t tries = 0; inside; tries++) {
		pthread_mutex_lock(&q->bell);
		inside = q->inside;
		pthread_mutex_unlock(&q->bell);
		if (inside)
			bpei_pause(tries);
	}
}
