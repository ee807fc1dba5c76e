/* SPDX-License-Identifier: MIT */
/* The trigger of a writer with a flight recorder: kept chunks become a file (recording.c).  The
 * lock is held. */
#include "writer/writer.h"

#include <string.h>

/* Returns a chunk with a copy of the head; NULL: all chunks are on their way to the files. */
static struct bpei_chunk_node *copy_head(struct bpe_writer *w, int64_t now_ns)
{
	struct bpei_chunk_node *node = bpei_chunks_take(&w->chunks);
	size_t next = 0;

	if (!node && bpei_recording_gives_room(w))
		node = bpei_chunks_take(&w->chunks);
	if (!node)
		return NULL;
	struct bpei_chunk *const chunk = &node->chunk;

	memcpy(chunk->bytes, w->head->chunk.bytes, w->head->chunk.used);
	chunk->used = w->head->chunk.used;
	chunk->starts_file = true;
	chunk->describes = true;
	chunk->opened_ns = now_ns;
	if (w->names.count && w->format == BPE_WRITE_PCAPNG)
		chunk->used += bpei_known_names_put(&w->names, &next, chunk->bytes + chunk->used,
			BPEI_CHUNK_BYTES - chunk->used);
	return node;
}

/* Returns the end of a file triggered now. */
static int64_t find_end(int64_t now_ns, int64_t after_ns)
{
	return now_ns > INT64_MAX - after_ns ? INT64_MAX : now_ns + after_ns;
}

int bpei_trigger_pull(struct bpe_writer *w, int64_t after_ns)
{
	const int64_t now = bpei_encoder_now(w);
	const int64_t until = find_end(now, after_ns);
	const bool goes_on = w->is_triggered || w->owes_end;
	struct bpei_chunk *chunk;

	if (!w->head || !w->is_in_file)
		return BPE_E_STATE;
	if (w->status != BPE_OK || w->is_over)
		return w->status != BPE_OK ? w->status : BPE_E_END;
	if (!goes_on) {
		bpei_recording_forget(w, now);
		struct bpei_chunk_node *const head = copy_head(w, now);

		if (!head)
			return BPE_E_BUSY;
		w->files_begun++;
		bpei_encoder_pass(w, head);
	}
	if (!w->is_triggered || until > w->until_ns)
		w->until_ns = until;
	w->owes_end = false; /* the file goes on */
	w->is_triggered = true;
	while ((chunk = bpei_recorder_take(&w->recorder)))
		bpei_encoder_pass(w, (struct bpei_chunk_node *)(void *)chunk);
	return BPE_OK;
}
