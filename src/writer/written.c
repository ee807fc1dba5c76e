/* SPDX-License-Identifier: MIT */
/* The counters of a writer, brought up to date behind the files.  The lock is held. */
#include "writer/writer.h"

void bpei_writer_count_chunk(struct bpe_writer *w, const struct bpei_chunk *chunk, uint32_t lost)
{
	const struct bpei_files_counts *counts = bpei_files_counts(w->files);
	struct bpe_writer_stats *s = &w->stats;

	s->waiting -= chunk->packets;
	s->written += chunk->packets - lost;
	s->unwritten[BPE_UNWRITTEN_ERROR] += lost;
	s->captured_bytes = counts->captured_bytes;
	s->file_bytes = counts->file_bytes;
	s->files = counts->files;
	s->files_removed = counts->files_removed;
	s->errors = counts->errors;
	if (w->status != BPE_OK || !bpei_files_stopped(w->files))
		return;
	w->status = bpei_files_status(w->files, &w->error);
	if (w->status == BPE_OK)
		w->status = BPE_E_END; /* the reader of a pipe is gone */
}
