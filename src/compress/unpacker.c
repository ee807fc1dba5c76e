/* SPDX-License-Identifier: MIT */
/* Streams of frames to bytes.
 *
 * Life: between frames the next bytes say which form follows.  In a frame the form's library reads.
 * The state of the library is kept for the next frame of the same form.  Zeros behind a gzip member
 * or an xz stream are padding. */
#include "compress/compress.h"

#include "base/cursor.h"

#include <string.h>

#define SKIPPABLE_HEADER 8u

void bpei_unpacker_init(struct bpei_unpacker *u)
{
	memset(u, 0, sizeof *u);
}

void bpei_unpacker_free(struct bpei_unpacker *u)
{
	if (u->state)
		u->codec->close_reader(u->state);
	u->state = NULL;
}

/* Notes the reason of a failure.  Returns the status. */
static int fail_unpacking(struct bpei_unpacker *u, int status, const char *why)
{
	u->why = why;
	return status;
}

/* Passes over n bytes of the input. */
static void take_input(struct bpei_unpacker *u, struct bpei_codec_step *s, size_t n)
{
	s->in += n;
	s->in_bytes -= n;
	u->taken += n;
}

/* Passes over the rest of a skippable frame, as far as it is there. */
static void skip_input(struct bpei_unpacker *u, struct bpei_codec_step *s)
{
	const size_t n = u->skip < s->in_bytes ? (size_t)u->skip : s->in_bytes;

	take_input(u, s, n);
	u->skip -= n;
}

/* Passes over the zeros that may stand behind a gzip member or an xz stream. */
static void skip_padding(struct bpei_unpacker *u, struct bpei_codec_step *s)
{
	if (!u->frames || (u->packing != BPEI_PACKING_GZIP && u->packing != BPEI_PACKING_XZ))
		return;
	while (s->in_bytes && !*s->in)
		take_input(u, s, 1);
}

/* Makes the library ready for a frame. */
static int begin_frame(struct bpei_unpacker *u, enum bpei_packing packing)
{
	const struct bpei_codec *codec = bpei_codec_of(packing);

	u->packing = packing;
	if (!bpei_packing_can_read(packing))
		return fail_unpacking(u, BPE_E_UNSUPPORTED, "this build cannot read the form");
	if (u->state && u->codec != codec)
		bpei_unpacker_free(u);
	u->codec = codec;
	if (!u->state)
		u->state = codec->open_reader();
	if (!u->state || !codec->begin(u->state))
		return fail_unpacking(u, BPE_E_MEMORY, "no memory");
	u->in_frame = true;
	return BPE_OK;
}

/* Returns what the end of the input between two frames means. */
static int judge_rest(struct bpei_unpacker *u, const struct bpei_codec_step *s)
{
	if (!s->in_bytes)
		return BPE_E_END;
	if (bpei_packing_may_begin(s->in, s->in_bytes))
		return fail_unpacking(u, BPE_E_TORN, "the last frame has only its first bytes");
	return fail_unpacking(u, BPE_E_FORMAT, "no frame begins here");
}

/* Looks at the bytes between two frames.  Stores whether a step is possible in *on. */
static int look_between(struct bpei_unpacker *u, struct bpei_codec_step *s, bool at_end, bool *on)
{
	*on = false;
	skip_padding(u, s);
	if (s->in_bytes < BPEI_PACKING_HEAD && !at_end)
		return BPE_OK;
	const enum bpei_packing packing = bpei_packing_of(s->in, s->in_bytes);

	if (packing == BPEI_PACKING_NONE)
		return at_end ? judge_rest(u, s)
			      : fail_unpacking(u, BPE_E_FORMAT, "no frame begins here");
	struct bpei_cursor length = bpei_cursor_init(s->in, s->in_bytes);

	*on = true;
	if (packing != BPEI_PACKING_SKIPPABLE)
		return begin_frame(u, packing);
	if (s->in_bytes < SKIPPABLE_HEADER)
		return fail_unpacking(u, BPE_E_TORN, "the last frame has only its first bytes");
	bpei_cursor_take(&length, 4);
	u->skip = bpei_cursor_u32(&length, false);
	take_input(u, s, SKIPPABLE_HEADER);
	return BPE_OK;
}

/* Lets the library read.  Stores whether another step is possible in *on. */
static int read_frame(struct bpei_unpacker *u, struct bpei_codec_step *s, bool at_end, bool *on)
{
	const size_t in = s->in_bytes;
	const size_t out = s->out_bytes;
	const int r = u->codec->read(u->state, s, &u->why);

	u->taken += in - s->in_bytes;
	u->made += out - s->out_bytes;
	*on = r > 0 || in != s->in_bytes || out != s->out_bytes;
	if (r > 0) {
		u->in_frame = false;
		u->frames++;
	}
	if (r < 0 || *on || !at_end || !out)
		return r < 0 ? r : BPE_OK;
	return fail_unpacking(u, BPE_E_TORN, "the last frame has only its beginning");
}

int bpei_unpacker_step(struct bpei_unpacker *u, struct bpei_codec_step *s, bool at_end)
{
	int r = BPE_OK;

	for (bool on = true; on && r == BPE_OK && s->out_bytes;) {
		if (u->skip) {
			skip_input(u, s);
			on = !u->skip;
			if (u->skip && at_end)
				r = fail_unpacking(
					u, BPE_E_TORN, "the last frame has only its beginning");
		} else if (u->in_frame) {
			r = read_frame(u, s, at_end, &on);
		} else {
			r = look_between(u, s, at_end, &on);
		}
	}
	return r;
}
