/* SPDX-License-Identifier: MIT */
/* Chunks into the open file (files.h): writing, cutting back after an error, beginning anew.
 *
 * Owner: the writer's thread.  Invariant: between calls a regular file ends with a whole block,
 * also after an error, unless even the cut failed.  Hazard: a pipe takes a part of a block and no
 * more; then no more blocks may follow. */
#include "base/error.h"
#include "writer/files_parts.h"

#include "write/whole.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS INT64_C(100000000)
#define WAITS_LEFT 50 /* of an abandoned pipe without progress */
#define RETRY_NS INT64_C(1000000000)
#define SETTLE_BYTES (UINT64_C(8) << 20)
#define RETRY_FREE (UINT64_C(4) << 20)    /* free bytes for another try on a full disk */
#define DESCRIBED_MOST ((size_t)16 << 20) /* bytes of descriptions kept */

int bpei_file_write(struct bpei_files *files, const void *bytes, size_t n, size_t *written)
{
	const struct bpei_file_calls *calls = files->calls;
	const uint8_t *from = bytes;
	const struct bpei_open_file *file = &files->file;
	int waits = 0;

	*written = 0;
	while (*written < n) {
		const int64_t done = calls->write(
			calls->context, file->fd, from + *written, n - *written, file->stream);
		if (done > 0) {
			*written += (size_t)done;
			waits = 0;
			continue;
		}
		if (done == -EINTR)
			continue;
		if (done != -EAGAIN && done != -EWOULDBLOCK)
			return done ? (int)done : -EIO;
		const int ready = calls->wait(calls->context, file->fd, WAIT_NS);
		if (ready < 0 && ready != -EINTR)
			return ready;
		/* pairs: bpei_files_abandon; only the word itself is published */
		if (ready <= 0 && atomic_load_explicit(&files->abandoned, memory_order_relaxed) &&
			++waits > WAITS_LEFT)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Cuts the open file back to `bytes`, the end of the last whole block. */
static void cut_back(struct bpei_files *files, uint64_t bytes)
{
	struct bpei_open_file *file = &files->file;
	const struct bpei_file_calls *calls = files->calls;
	int failed = -EINTR;

	for (int i = 0; i < 100 && failed == -EINTR; i++)
		failed = calls->truncate(calls->context, file->fd, file->start + bytes);
	if (failed < 0)
		bpei_files_tell(files, BPEI_TOLD_CUT, failed,
			"its last block is torn: cannot cut back", file->name);
}

/* Hands written bytes on to the disk. */
static void settle_bytes(struct bpei_files *files)
{
	struct bpei_open_file *file = &files->file;
	const uint64_t end = file->facts.file_bytes;

	if (file->stream || end - file->settled < SETTLE_BYTES)
		return;
	files->calls->settle(
		files->calls->context, file->fd, file->start + file->settled, file->start + end);
	file->settled = end;
}

/* Counts bytes in the file. */
static void count_bytes(struct bpei_files *files, const void *bytes, size_t n)
{
	struct bpei_open_file *file = &files->file;

	if (!n)
		return;
	file->fresh = false;
	file->facts.file_bytes += n;
	files->counts.file_bytes += n;
	if (files->o.sha256)
		bpei_sha256_add(&file->hash, bytes, n);
	settle_bytes(files);
}

/* Counts a chunk's packets in the file. */
static void count_written(
	struct bpei_files *files, const struct bpei_chunk *chunk, const struct bpei_whole *whole)
{
	struct bpe_written_file *facts = &files->file.facts;

	if (!whole->packets)
		return;
	if (!facts->packets || chunk->first_ns < facts->first_ns)
		facts->first_ns = chunk->first_ns;
	if (!facts->packets || chunk->last_ns > facts->last_ns)
		facts->last_ns = chunk->last_ns;
	facts->packets += whole->packets;
	facts->captured_bytes += whole->captured_bytes;
	files->counts.packets += whole->packets;
	files->counts.captured_bytes += whole->captured_bytes;
}

/* Notes where a frame begins. */
static void note_frame(struct bpei_files *files, const struct bpei_chunk *chunk)
{
	struct bpei_open_file *file = &files->file;

	if (!files->o.ledger)
		return;
	if (file->frame_count == file->frame_room) {
		const size_t room = file->frame_room ? 2 * file->frame_room : 64;
		void *more = realloc(file->frames, room * sizeof *file->frames);
		if (!more) {
			bpei_files_tell(files, BPEI_TOLD_MEMORY, -ENOMEM,
				"the ledger lacks frames of", file->name);
			return;
		}
		file->frames = more;
		file->frame_room = room;
	}
	struct bpei_ledger_frame *frame = &file->frames[file->frame_count++];
	memset(frame, 0, sizeof *frame);
	frame->offset = file->facts.file_bytes;
	frame->packets = chunk->packets;
	if (chunk->packets) {
		frame->first_ns = chunk->first_ns;
		frame->last_ns = chunk->last_ns;
	}
}

/* Writes a part of a chunk; *whole tells the part in the file afterwards. Returns 0 or a negative
 * errno; then the file ends with the last whole block. */
static int put_plain(struct bpei_files *files, const uint8_t *bytes, size_t n, bool begins,
	struct bpei_whole *whole)
{
	const uint64_t before = files->file.facts.file_bytes;
	size_t written = 0;
	const int failed = bpei_file_write(files, bytes, n, &written);

	if (!failed) {
		count_bytes(files, bytes, n);
		return 0;
	}
	*whole = bpei_whole_measure(bytes, written, files->o.pcapng, begins);
	count_bytes(files, bytes, whole->bytes);
	if (!files->file.stream && written > whole->bytes)
		cut_back(files, before + whole->bytes);
	return failed;
}

/* Writes a chunk as a frame.  On failure nothing of the frame stays. */
static int put_frame(
	struct bpei_files *files, const struct bpei_chunk *chunk, struct bpei_whole *whole)
{
	const uint64_t before = files->file.facts.file_bytes;
	const void *out = NULL;
	size_t n = 0;
	size_t written = 0;
	int failed = files->o.frame(files->o.frame_user, chunk->bytes, chunk->used, &out, &n);

	if (failed)
		failed = failed == BPE_E_MEMORY ? -ENOMEM : -EIO;
	else
		failed = bpei_file_write(files, out, n, &written);
	if (!failed) {
		note_frame(files, chunk);
		count_bytes(files, out, n);
		return 0;
	}
	*whole = (struct bpei_whole){ 0 };
	if (!files->file.stream && written)
		cut_back(files, before);
	return failed;
}

static int put_chunk(
	struct bpei_files *files, const struct bpei_chunk *chunk, struct bpei_whole *whole)
{
	int failed = 0;

	*whole = (struct bpei_whole){ chunk->used, chunk->packets, chunk->captured_bytes };
	if (chunk->used && files->o.frame)
		failed = put_frame(files, chunk, whole);
	else if (chunk->used)
		failed = put_plain(files, chunk->bytes, chunk->used, chunk->starts_file, whole);
	count_written(files, chunk, whole);
	return failed;
}

/* Keeps the descriptions of a part of a chunk, for a file begun amid chunks. */
static void keep_descriptions(
	struct bpei_files *files, const struct bpei_chunk *chunk, size_t from, size_t to)
{
	const bool begins = chunk->starts_file && !from;
	const uint8_t *bytes = chunk->bytes + from;
	const bool pcapng = files->o.pcapng;

	if (begins)
		files->described_bytes = 0;
	if (!begins && !chunk->describes)
		return;
	const size_t n = bpei_whole_describe(bytes, to - from, pcapng, begins, NULL, 0);
	const size_t total = files->described_bytes + n;
	if (total > DESCRIBED_MOST)
		return;
	if (total > files->described_room) {
		void *more = realloc(files->described, 2 * total);
		if (!more) {
			bpei_files_tell(files, BPEI_TOLD_MEMORY, -ENOMEM,
				"no memory to repeat the interfaces of", files->base);
			return;
		}
		files->described = more;
		files->described_room = 2 * total;
	}
	if (n)
		bpei_whole_describe(bytes, to - from, pcapng, begins,
			files->described + files->described_bytes, n);
	files->described_bytes = total;
}

/* Writes the descriptions, which begin a section. */
static int put_descriptions(struct bpei_files *files)
{
	const struct bpei_chunk again = {
		.bytes = files->described, .used = files->described_bytes, .starts_file = true
	};
	struct bpei_whole whole;

	/* A pcap file has a single header. */
	if (!files->o.pcapng && files->file.facts.file_bytes)
		return 0;
	return put_chunk(files, &again, &whole);
}

/* Returns true if a file may be tried after an error. */
static bool may_retry(struct bpei_files *files)
{
	const int64_t now = files->calls->now(files->calls->context);
	uint64_t size = 0;
	uint64_t space = 0;

	if (files->retry_ns && now < files->retry_ns)
		return false;
	files->retry_ns = now + RETRY_NS;
	if (!files->full)
		return true;
	if (files->calls->space(files->calls->context, files->directory, &size, &space) < 0)
		return true;
	return space >= RETRY_FREE + files->described_bytes;
}

/* Ends a file after an error. */
static void break_file(struct bpei_files *files, int failed)
{
	struct bpei_open_file *file = &files->file;
	char name[BPEI_NAME_ROOM];

	memcpy(name, file->name, sizeof name);
	files->broken = true;
	files->full = failed == -ENOSPC || failed == -EDQUOT;
	files->retry_ns = files->calls->now(files->calls->context) + RETRY_NS;
	if (failed == -EFBIG)
		files->retry_ns = 0;
	/* An error that stops is told by the status, and a pipe's end is no error. */
	if (files->o.stop_on_error || failed == -EPIPE)
		files->told |= BPEI_TOLD_WRITE;
	bpei_files_tell(files, BPEI_TOLD_WRITE, failed, "cannot write", name);
	files->failed = failed;
	memcpy(files->failed_name, name, sizeof name);
	if (files->o.stop_on_error || file->stream)
		files->stopped = true;
	/* A descriptor of the caller's has no next file: writing goes on behind the cut. */
	if (files->o.fd < 0 && file->fd >= 0)
		bpei_file_complete(files, bpei_status_of(-failed));
}

/* Makes sure of an open file for the chunk.  Returns false if there is none. */
static bool has_file(struct bpei_files *files, const struct bpei_chunk *chunk)
{
	int failed = 0;

	if (chunk->starts_file) {
		if (files->file.fd >= 0 && !files->file.fresh && files->o.fd < 0)
			bpei_file_complete(files, BPE_OK);
		files->opened_ns = chunk->opened_ns;
	}
	if (files->file.fd >= 0 && !files->broken)
		return true;
	if (!may_retry(files))
		return false;
	if (files->file.fd < 0)
		failed = bpei_file_begin(files);
	if (!failed && !chunk->starts_file)
		failed = put_descriptions(files);
	if (failed) {
		break_file(files, failed);
		return false;
	}
	if (files->broken)
		bpei_files_tell(files, BPEI_TOLD_AGAIN, 0, "writing again, to", files->file.name);
	files->broken = false;
	files->full = false;
	files->retry_ns = 0;
	return true;
}

/* Writes a part of a chunk, from a whole block on.  Returns 0 or a negative errno; *part tells the
 * part in a file afterwards. */
static int write_from(struct bpei_files *files, const struct bpei_chunk *chunk, size_t from,
	struct bpei_whole *part)
{
	struct bpei_chunk rest = *chunk;
	struct bpei_whole before = { 0 };
	int failed = -EAGAIN;

	if (from)
		before =
			bpei_whole_measure(chunk->bytes, from, files->o.pcapng, chunk->starts_file);
	rest.bytes += from;
	rest.used -= from;
	rest.packets -= before.packets;
	rest.captured_bytes -= before.captured_bytes;
	rest.starts_file = chunk->starts_file && !from;
	*part = (struct bpei_whole){ 0 };
	if (!files->stopped && has_file(files, &rest)) {
		failed = put_chunk(files, &rest, part);
		if (failed)
			break_file(files, failed);
	}
	return failed;
}

uint32_t bpei_files_write(struct bpei_files *files, const struct bpei_chunk *chunk)
{
	struct bpei_whole part;
	uint32_t lost = chunk->packets;
	size_t from = 0;

	files->books = chunk->books;
	if (write_from(files, chunk, 0, &part) == -EFBIG && part.bytes) {
		/* The file is too long for the file system; the next file is not. */
		lost -= part.packets;
		from = part.bytes;
		keep_descriptions(files, chunk, 0, from);
		write_from(files, chunk, from, &part);
	}
	lost -= part.packets;
	keep_descriptions(files, chunk, from, chunk->used);
	files->counts.lost += lost;
	if (files->failed && (lost || files->stopped))
		bpei_files_blame(files, files->failed, files->failed_name);
	if (chunk->ends_file && files->file.fd >= 0 && files->o.fd < 0)
		bpei_file_complete(files, BPE_OK);
	if (files->o.keep.bytes)
		bpei_files_trim(files, INT64_MIN);
	return lost;
}
