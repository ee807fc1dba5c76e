/* SPDX-License-Identifier: MIT */
/* The writer's thread: takes chunks from the queue to the files, and looks at the clock. */
#include "base/clock.h"
#include "base/cond.h"
#include "base/roles.h"
#include "base/thread.h"
#include "writer/splitting.h"

#define TICK_NS 100000000       /* while nothing comes */
#define FILES_TICK_NS 500000000 /* fsync and the age of files */

/* Calls the tick of the files now and then.  The lock is held, but not by a thread. */
static void tick_files(struct bpe_writer *w) BPEI_UNCHECKED
{
	const int64_t now = bpei_clock_mono_ns();

	if (now - w->ticked_ns < FILES_TICK_NS)
		return;
	w->ticked_ns = now;
	const int64_t wall = bpei_encoder_now(w);
	struct bpei_split_lost lost = { 0 };

	if (w->has_thread)
		pthread_mutex_unlock(&w->lock);
	if (w->split)
		lost = bpei_split_tick(w->split);
	else
		bpei_files_tick(w->files, wall);
	if (w->has_thread)
		pthread_mutex_lock(&w->lock);
	if (w->split)
		bpei_splitting_count(w, &lost);
}

/* Takes the oldest chunk to the files.  Returns false if there is none. */
static bool write_oldest(struct bpe_writer *w) BPEI_UNCHECKED
{
	struct bpei_chunk_node *node = bpei_chunks_pop(&w->chunks);

	if (!node)
		return false;
	w->is_writing = true;
	pthread_mutex_unlock(&w->lock);
	const struct bpei_split_lost lost = bpei_writer_write_chunk(w, &node->chunk);

	pthread_mutex_lock(&w->lock);
	w->is_writing = false;
	bpei_writer_count_chunk(w, &node->chunk, &lost);
	bpei_chunks_give(&w->chunks, node);
	pthread_cond_broadcast(&w->room);
	return true;
}

static void *run_writer_thread(void *writer)
{
	struct bpe_writer *w = writer;

	bpei_thread_name("bpe-writer");
	pthread_mutex_lock(&w->lock);
	for (;;) {
		const bool wrote = write_oldest(w);

		if (!wrote && w->is_closing)
			break;
		if (!wrote)
			bpei_cond_wait_ns(&w->work, &w->lock, TICK_NS);
		bpei_encoder_tick(w);
		tick_files(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int bpei_writer_thread_start(struct bpe_writer *w)
{
	const int refused = pthread_create(&w->thread, NULL, run_writer_thread, w);

	w->has_thread = !refused;
	return refused;
}

void bpei_writer_thread_end(struct bpe_writer *w)
{
	if (!w->has_thread)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_closing = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}
