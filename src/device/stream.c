/* SPDX-License-Identifier: MIT */
/* Savefiles' bytes, plain or unpacked.
 *
 * Life: open reads the source's first bytes into the input.  Of a plain source, the input is handed
 * out first, and all later bytes are read into the caller's room.  Packed bytes always go through
 * the input.  A failure behind good bytes is reported after the good bytes.
 * Hazard: a source of empty frames never makes a byte, so a call takes a bounded input. */
#include "device/stream.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_BYTES (256u << 10)
/* Packed bytes that a call takes without a result. */
#define FRUITLESS_BYTES (4u << 20)
#define HEAD_BYTES 4096u

/* ---- The source ---- */

/* Reads from the file.  Returns the bytes, 0 at the end, BPEI_STREAM_LATER, or a status. */
static ssize_t read_source_file(struct bpei_file_stream *s, uint8_t *to, size_t room)
{
	ssize_t n;

	do
		n = read(s->file, to, room);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return BPEI_STREAM_LATER;
	return bpei_fail(&s->error, BPE_E_IO, "read", errno, "%s", s->name);
}

/* Copies from the memory.  Returns as read_source_file. */
static ssize_t copy_source_memory(struct bpei_file_stream *s, uint8_t *to, size_t room)
{
	const size_t n = s->memory_bytes < room ? s->memory_bytes : room;

	memcpy(to, s->memory, n);
	s->memory += n;
	s->memory_bytes -= n;
	return (ssize_t)n;
}

/* Reads more input behind the bytes that are there.  Returns as read_source_file. */
static ssize_t refill_input(struct bpei_file_stream *s)
{
	memmove(s->input, s->input + s->input_at, s->input_bytes);
	s->input_at = 0;
	uint8_t *const to = s->input + s->input_bytes;
	const size_t room = s->input_room - s->input_bytes;
	const ssize_t n =
		s->memory ? copy_source_memory(s, to, room) : read_source_file(s, to, room);

	if (n > 0)
		s->input_bytes += (size_t)n;
	s->source_end = !n;
	return n;
}

/* ---- Opening ---- */

/* Reads until the form is known, or until there is no more. */
static int read_first_bytes(struct bpei_file_stream *s)
{
	while (s->input_bytes < BPEI_PACKING_HEAD && !s->source_end) {
		struct pollfd p = { .fd = s->file, .events = POLLIN };
		const ssize_t n = refill_input(s);

		if (n == BPEI_STREAM_LATER)
			poll(&p, 1, -1);
		else if (n < 0)
			return (int)n;
	}
	return BPE_OK;
}

/* Refuses a form that this build does not read, and says what does. */
static int check_packing(
	const struct bpei_file_stream *s, enum bpei_packing packing, struct bpe_error *error)
{
	const char *name = bpei_packing_name(packing);
	const char *library = bpei_packing_library(packing);
	const char *command = bpei_packing_command(packing);
	char how[200];

	if (packing == BPEI_PACKING_SKIPPABLE || bpei_packing_can_read(packing))
		return BPE_OK;
	snprintf(how, sizeof how, "decompress it first, as %s does", command);
	if (s->file >= 0)
		snprintf(how, sizeof how, "read it with %s FILE | bpfengine -r -", command);
	if (*library)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "open", 0,
			"%s is compressed (%s), and this build was made without %s: %s", s->name,
			name, library, how);
	return bpei_fail(error, BPE_E_UNSUPPORTED, "open", 0, "%s is compressed (%s): %s", s->name,
		name, how);
}

int bpei_file_stream_open(struct bpei_file_stream *s, struct bpe_error *error)
{
	bpei_unpacker_init(&s->unpacker);
	s->input_room = HEAD_BYTES;
	s->input = malloc(INPUT_BYTES);
	if (!s->input)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for %s", s->name);
	const int r = read_first_bytes(s);

	if (r < 0) {
		if (error)
			*error = s->error;
		return r;
	}
	const enum bpei_packing packing = bpei_packing_of(s->input, s->input_bytes);

	s->input_room = INPUT_BYTES;
	s->packed = packing != BPEI_PACKING_NONE;
	return s->packed ? check_packing(s, packing, error) : BPE_OK;
}

/* ---- Reading ---- */

/* Notes the end or a failure.  Returns 0, or the status. */
static ssize_t end_stream(struct bpei_file_stream *s, int status)
{
	const struct bpei_unpacker *u = &s->unpacker;
	const unsigned long long at = s->start + u->taken;
	const char *form = bpei_packing_name(u->packing);
	/* Inside a frame, a library names no place. */
	const char *where = u->in_frame ? "behind" : "at";

	s->ended = status;
	if (status == BPE_E_END)
		return 0;
	if (status == BPE_E_TORN)
		bpei_fail(&s->error, status, "read", 0,
			"%s: truncated %s file: it ends inside a frame, at its byte %llu", s->name,
			form, at);
	else if (status == BPE_E_UNSUPPORTED)
		bpei_fail(&s->error, status, "read", 0,
			"%s: cannot be decompressed from byte %llu of the %s file: %s; try %s FILE "
			"| bpfengine -r -",
			s->name, at, form, u->why, bpei_packing_command(u->packing));
	else
		bpei_fail(&s->error, status, "read", 0,
			"%s: damaged %s byte %llu of the %s file: %s", s->name, where, at, form,
			u->why);
	return status;
}

/* Unpacks what is in the input.  Returns the bytes made, 0 if none; *r has the status. */
static size_t unpack_input(struct bpei_file_stream *s, uint8_t *to, size_t room, int *r)
{
	struct bpei_codec_step step = { s->input + s->input_at, s->input_bytes, to, room };

	*r = bpei_unpacker_step(&s->unpacker, &step, s->source_end);
	s->input_at += s->input_bytes - step.in_bytes;
	s->input_bytes = step.in_bytes;
	s->starved = step.out_bytes && !s->source_end;
	return room - step.out_bytes;
}

/* Reads packed bytes.  Returns as bpei_file_stream_read. */
static ssize_t read_packed(struct bpei_file_stream *s, uint8_t *to, size_t room)
{
	for (size_t taken = 0; taken < FRUITLESS_BYTES;) {
		int r = BPE_OK;

		if (s->starved) {
			const ssize_t n = refill_input(s);

			if (n == BPEI_STREAM_LATER)
				return n;
			if (n < 0)
				s->ended = (int)n;
			if (n < 0)
				return n;
			taken += (size_t)n;
		}
		const size_t made = unpack_input(s, to, room, &r);

		if (r < 0)
			end_stream(s, r);
		if (made)
			return (ssize_t)made;
		if (r < 0)
			return r == BPE_E_END ? 0 : r;
		if (!s->regular)
			break;
	}
	return BPEI_STREAM_LATER;
}

/* Hands out bytes of the input as they are. */
static ssize_t take_plain(struct bpei_file_stream *s, uint8_t *to, size_t room)
{
	const size_t n = s->input_bytes < room ? s->input_bytes : room;

	memcpy(to, s->input + s->input_at, n);
	s->input_at += n;
	s->input_bytes -= n;
	s->starved = !s->input_bytes && !s->source_end;
	return (ssize_t)n;
}

ssize_t bpei_file_stream_read(struct bpei_file_stream *s, uint8_t *to, size_t room)
{
	if (s->ended)
		return s->ended == BPE_E_END ? 0 : s->ended;
	if (s->packed)
		return read_packed(s, to, room);
	if (s->input_bytes)
		return take_plain(s, to, room);
	const ssize_t n = s->source_end ? 0 : read_source_file(s, to, room);

	if (n < 0 && n != BPEI_STREAM_LATER)
		s->ended = (int)n;
	return n;
}

uint64_t bpei_file_stream_position(const struct bpei_file_stream *s)
{
	return s->start + s->unpacker.taken;
}

void bpei_file_stream_close(struct bpei_file_stream *s)
{
	bpei_unpacker_free(&s->unpacker);
	if (s->file > 0)
		close(s->file);
	s->file = -1;
	free(s->input);
	s->input = NULL;
}
