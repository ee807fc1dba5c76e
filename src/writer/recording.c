/* SPDX-License-Identifier: MIT */
/* The writer with a flight recorder (recorder.h).  The lock is held.
 *
 * The recorder has a single section for the writer's whole life.  The head keeps the describing
 * blocks, and chunks have packets alone.  So any run of chunks behind a copy of the head is a file.
 * Before a trigger full chunks go to the recorder.  After a trigger they go to the files, until the
 * time is over.  Only the head is ever copied. */
#include "writer/writer.h"

#include <string.h>

/* Gives a chunk back, and counts the packets as forgotten. */
static void forget_chunk(struct bpe_writer *w, struct bpei_chunk *chunk)
{
	w->stats.waiting -= chunk->packets;
	w->stats.unwritten[BPE_UNWRITTEN_RECORDER] += chunk->packets;
	/* the chunk is the node's first member */
	bpei_chunks_give(&w->chunks, (struct bpei_chunk_node *)(void *)chunk);
}

void bpei_recording_forget(struct bpe_writer *w, int64_t now_ns)
{
	struct bpei_chunk *old;

	while ((old = bpei_recorder_forget(&w->recorder, now_ns)))
		forget_chunk(w, old);
}

int bpei_recording_open(struct bpe_writer *w)
{
	const struct bpe_writer_options *const o = &w->o;

	if (!o->recorder_bytes && !o->recorder_ns)
		return BPE_OK;
	const int status = bpei_recorder_init(
		&w->recorder, o->recorder_bytes, o->recorder_ns, BPEI_CHUNK_BYTES);

	if (status != BPE_OK)
		return status;
	/* the ring's, the chunk at hand, and the head */
	w->chunks.most += w->recorder.room + 2;
	w->head = bpei_chunks_take(&w->chunks);
	return w->head ? BPE_OK : BPE_E_MEMORY;
}

void bpei_recording_close(struct bpe_writer *w)
{
	struct bpei_chunk *chunk;

	if (!w->recorder.kept)
		return;
	while ((chunk = bpei_recorder_take(&w->recorder)))
		forget_chunk(w, chunk);
	if (w->current) {
		forget_chunk(w, &w->current->chunk);
		w->current = NULL;
	}
	if (w->head)
		bpei_chunks_give(&w->chunks, w->head);
	w->head = NULL;
	bpei_recorder_free(&w->recorder);
}

bool bpei_recording_keeps(struct bpe_writer *w, struct bpei_chunk_node *node, int64_t now_ns)
{
	if (!w->head || w->is_triggered || node->chunk.ends_file)
		return false;
	struct bpei_chunk *const oldest = bpei_recorder_keep(&w->recorder, &node->chunk);

	if (oldest)
		forget_chunk(w, oldest);
	bpei_recording_forget(w, now_ns);
	return true;
}

bool bpei_recording_gives_room(struct bpe_writer *w)
{
	struct bpei_chunk *const oldest = bpei_recorder_take(&w->recorder);

	if (!oldest)
		return false;
	forget_chunk(w, oldest);
	return true;
}
