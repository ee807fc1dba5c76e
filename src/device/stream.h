/* SPDX-License-Identifier: MIT */
/* The bytes of a savefile below the savefile device: as they are, or unpacked if their first bytes
 * are those of a compressed form.  The source is a file, a pipe, or the program's memory. */
#ifndef BPEI_STREAM_H
#define BPEI_STREAM_H

#include "bpfengine.h"
#include "compress/compress.h"

#include <sys/types.h>

struct bpei_file_stream {
	int file;              /* -1: memory */
	const uint8_t *memory; /* packed bytes of the program, not yet taken; NULL: a file */
	size_t memory_bytes;
	bool regular; /* never waited for: a file or memory */
	bool packed;
	bool starved;    /* the next read asks the source */
	bool source_end; /* the source has no more bytes */
	int ended;       /* status of the end or of a failure; 0 before */
	uint64_t start;  /* position of the source when the stream was opened */
	uint8_t *input;  /* bytes of the source, not yet taken */
	size_t input_at, input_bytes, input_room;
	struct bpei_unpacker unpacker;
	struct bpe_error error; /* of `ended` */
	const char *name;       /* for people; the caller's */
};

/* bpei_file_stream_read's result if no bytes are there yet, or none came out of many packed ones.
 */
#define BPEI_STREAM_LATER INT32_MIN

/* Reads the first bytes from `file` and looks for a compressed form.  A pipe is waited for.  Fails
 * with BPE_E_IO or BPE_E_MEMORY, or BPE_E_UNSUPPORTED for a form that this build lacks. */
int bpei_file_stream_open(struct bpei_file_stream *stream, struct bpe_error *error);
/* Returns the bytes read, at most `room`; 0 at the end; BPEI_STREAM_LATER; or a status, with the
 * reason in stream->error, which each later call repeats.  Waits for a pipe only if `starved`. */
ssize_t bpei_file_stream_read(struct bpei_file_stream *stream, uint8_t *to, size_t room);
/* Returns how far the source is read: packed bytes if it is packed. */
uint64_t bpei_file_stream_position(const struct bpei_file_stream *stream);
/* Closes the file. */
void bpei_file_stream_close(struct bpei_file_stream *stream);

#endif
