/* SPDX-License-Identifier: MIT */
/* Reading a file ahead by a second thread.
 *
 * The thread reads piece after piece into free buffers, up to DISTANCE pieces before the caller.
 * The caller never depends on the thread.  The caller reads a piece which the thread has not begun.
 * While the thread reads the needed piece, the caller reads the next piece.  After PATIENCE_NS the
 * thread seems to have lost the CPU: the caller reads the same piece into another buffer, and the
 * thread drops the result.
 *
 * The lock guards all members shared by both.  Both take the lock a few times for each piece of a
 * megabyte, and never hold the lock while reading.  The beginner of a piece owns the piece's
 * buffer; the caller owns ready pieces.  Hazard: stop waits for a read under way. */
#include "device/ahead.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/pause.h"
#include "base/roles.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define DISTANCE 4u
#define PIECES 64u
#define KEPT_BUFFERS 2u  /* for the caller's pieces */
#define EXTRA_BUFFERS 4u /* with the kept ones, and one for a piece read twice */
#define PATIENCE_NS 300000

enum ahead_state { PIECE_FREE, PIECE_READ_AHEAD, PIECE_READ_HERE, PIECE_READY };

struct ahead_piece {
	struct bpei_ahead_piece shown;
	enum ahead_state state;
	uint8_t *buffer;
};

struct bpei_ahead {
	int file;
	uint64_t start, origin; /* first offset; rounded down to a stretch */
	size_t piece_bytes;
	uint8_t *memory;
	size_t memory_bytes;
	uint64_t taken;    /* caller's: number of the piece that next returns next */
	uint64_t released; /* caller's: pieces before this number are free again */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct ahead_piece pieces[PIECES];
	uint8_t *buffers[PIECES]; /* free ones, the last used on top */
	uint32_t buffer_count;
	uint64_t wanted; /* copy of `taken` */
	bool sleeps, ends;
};

static struct ahead_piece *piece_at(struct bpei_ahead *a, uint64_t k)
{
	return &a->pieces[k % PIECES];
}

/* Begins a free piece: takes a buffer.  Called with the lock held. */
static void begin_piece(struct bpei_ahead *a, struct ahead_piece *p, enum ahead_state state)
{
	p->state = state;
	p->buffer = a->buffers[--a->buffer_count];
}

/* Reads piece k into the buffer.  Called without the lock. */
static struct bpei_ahead_piece read_piece(struct bpei_ahead *a, uint64_t k, uint8_t *buffer)
{
	const uint64_t begin = k ? a->origin + k * a->piece_bytes : a->start;
	const size_t room = a->piece_bytes - (k ? 0 : (size_t)(a->start - a->origin));
	struct bpei_ahead_piece p = { .bytes = buffer + BPEI_AHEAD_HEADROOM, .begin = begin };

	while (p.length < room) {
		const ssize_t n = pread(
			a->file, p.bytes + p.length, room - p.length, (off_t)(begin + p.length));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			p.failure = errno;
		if (n <= 0)
			break;
		p.length += (size_t)n;
	}
	p.is_last = p.length < room;
	return p;
}

/* ---- The thread ---- */

/* Returns the next piece to begin, from number *k on; NULL if the thread is to end.  Waits while
 * the caller is too far behind.  Called with the lock held. */
static struct ahead_piece *await_free_piece(struct bpei_ahead *a, uint64_t *k) BPEI_UNCHECKED
{
	while (!a->ends) {
		if (*k < a->wanted)
			*k = a->wanted;
		struct ahead_piece *p = piece_at(a, *k);
		const bool is_near = *k < a->wanted + DISTANCE;

		if (is_near && p->state == PIECE_FREE && a->buffer_count > KEPT_BUFFERS)
			return p;
		if (is_near && p->state != PIECE_FREE) {
			++*k;
			continue;
		}
		a->sleeps = true;
		pthread_cond_wait(&a->work, &a->lock);
		a->sleeps = false;
	}
	return NULL;
}

static void *run_ahead(void *ahead)
{
	struct bpei_ahead *a = ahead;
	struct ahead_piece *p;
	uint64_t k = 0;

	bpei_thread_name("bpe-ahead");
	pthread_mutex_lock(&a->lock);
	while ((p = await_free_piece(a, &k))) {
		begin_piece(a, p, PIECE_READ_AHEAD);
		uint8_t *const buffer = p->buffer;

		pthread_mutex_unlock(&a->lock);
		const struct bpei_ahead_piece result = read_piece(a, k, buffer);

		pthread_mutex_lock(&a->lock);
		if (p->state == PIECE_READ_AHEAD && p->buffer == buffer) {
			p->shown = result;
			p->state = PIECE_READY;
		} else { /* the caller has read the piece meanwhile */
			a->buffers[a->buffer_count++] = buffer;
		}
		if (result.is_last)
			break;
		k++;
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- The caller ---- */

/* Wakes the thread once half of its pieces are to be read.  Called with the lock held. */
static void wake_ahead_thread(struct bpei_ahead *a)
{
	if (a->sleeps && piece_at(a, a->taken + DISTANCE / 2)->state == PIECE_FREE)
		pthread_cond_signal(&a->work);
}

/* Takes a piece for the caller to read: a free piece, or with `takes_over` a piece of the thread.
 * Called with the lock held. */
static bool take_piece(struct bpei_ahead *a, struct ahead_piece *p, bool takes_over)
{
	const bool is_stuck = takes_over && p->state == PIECE_READ_AHEAD;

	if ((p->state != PIECE_FREE && !is_stuck) || !a->buffer_count)
		return false;
	begin_piece(a, p, PIECE_READ_HERE);
	return true;
}

/* Reads piece k, which the caller has taken.  The lock is held before and after. */
static void read_taken_piece(struct bpei_ahead *a, uint64_t k) BPEI_UNCHECKED
{
	struct ahead_piece *p = piece_at(a, k);
	uint8_t *const buffer = p->buffer;

	pthread_mutex_unlock(&a->lock);
	const struct bpei_ahead_piece result = read_piece(a, k, buffer);

	pthread_mutex_lock(&a->lock);
	p->shown = result;
	p->state = PIECE_READY;
}

const struct bpei_ahead_piece *bpei_ahead_next(struct bpei_ahead *a)
{
	const uint64_t k = a->taken++;
	struct ahead_piece *p = piece_at(a, k);
	int64_t since = 0;

	pthread_mutex_lock(&a->lock);
	a->wanted = a->taken;
	for (uint32_t tries = 0; p->state != PIECE_READY; tries++) {
		const int64_t now = bpei_clock_mono_ns();

		since = since ? since : now;
		if (take_piece(a, p, now - since > PATIENCE_NS)) {
			read_taken_piece(a, k);
		} else if (a->buffer_count > KEPT_BUFFERS &&
			   take_piece(a, piece_at(a, k + 1), false)) {
			read_taken_piece(a, k + 1);
		} else {
			pthread_mutex_unlock(&a->lock);
			bpei_pause(tries);
			pthread_mutex_lock(&a->lock);
		}
	}
	wake_ahead_thread(a);
	pthread_mutex_unlock(&a->lock);
	return &p->shown;
}

void bpei_ahead_release(struct bpei_ahead *a, uint64_t end)
{
	if (a->released == a->taken || end < a->origin + (a->released + 1) * a->piece_bytes)
		return;
	pthread_mutex_lock(&a->lock);
	while (a->released < a->taken && a->origin + (a->released + 1) * a->piece_bytes <= end) {
		struct ahead_piece *p = piece_at(a, a->released++);

		a->buffers[a->buffer_count++] = p->buffer;
		p->state = PIECE_FREE;
	}
	wake_ahead_thread(a);
	pthread_mutex_unlock(&a->lock);
}

/* ---- Start and stop ---- */

/* Starts the thread with all signals blocked.  Returns false without a thread. */
static bool start_ahead_thread(struct bpei_ahead *a)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&a->thread, NULL, run_ahead, a);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

struct bpei_ahead *bpei_ahead_start(int file, uint64_t start, size_t stretch, size_t lent)
{
	const size_t piece = BPEI_AHEAD_PIECE / stretch * stretch;
	const size_t most = lent / piece + 2 + DISTANCE + EXTRA_BUFFERS;
	const size_t each = BPEI_AHEAD_HEADROOM + piece;
	if (most > PIECES)
		return NULL;
	struct bpei_ahead *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->file = file;
	a->start = start;
	a->origin = start - start % stretch;
	a->piece_bytes = piece;
	a->memory_bytes = most * each;
	a->memory = bpei_mem_map(a->memory_bytes, 1);
	if (!a->memory) {
		free(a);
		return NULL;
	}
	for (size_t i = most; i--;)
		a->buffers[a->buffer_count++] = a->memory + i * each;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->work, NULL);
	if (start_ahead_thread(a))
		return a;
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	bpei_mem_unmap(a->memory, a->memory_bytes);
	free(a);
	return NULL;
}

void bpei_ahead_stop(struct bpei_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->ends = true;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	bpei_mem_unmap(a->memory, a->memory_bytes);
	free(a);
}
