/* SPDX-License-Identifier: MIT */
/* Chunks to the files, and the counters of a writer behind the files. */
#include "writer/splitting.h"

struct bpei_split_lost bpei_writer_write_chunk(struct bpe_writer *w, const struct bpei_chunk *chunk)
{
	struct bpei_split_lost lost = { 0 };

	if (w->split)
		return bpei_split_add(w->split, chunk);
	lost.error = bpei_files_write(w->files, chunk);
	return lost;
}

void bpei_writer_count_files(struct bpe_writer *w)
{
	const struct bpei_files_counts *counts = bpei_files_counts(w->files);
	struct bpe_written *s = &w->stats;

	s->captured_bytes = counts->captured_bytes;
	s->file_bytes = counts->file_bytes;
	s->files = counts->files;
	s->files_removed = counts->files_removed;
	s->errors = counts->errors;
}

void bpei_writer_count_chunk(
	struct bpe_writer *w, const struct bpei_chunk *chunk, const struct bpei_split_lost *lost)
{
	if (w->split) {
		w->stats.waiting -= chunk->packets;
		bpei_splitting_count(w, lost);
		return;
	}
	struct bpe_written *s = &w->stats;

	s->waiting -= chunk->packets;
	s->written += chunk->packets - lost->error;
	s->unwritten[BPE_UNWRITTEN_ERROR] += lost->error;
	bpei_writer_count_files(w);
	if (w->status != BPE_OK || !bpei_files_stopped(w->files))
		return;
	w->status = bpei_files_status(w->files, &w->error);
	if (w->status == BPE_OK)
		w->status = BPE_E_END; /* the reader of a pipe is gone */
}
