/* SPDX-License-Identifier: MIT */
/* Packed bytes in and out.
 *
 * In: an unpacker takes any number of frames (zstd, lz4), members (gzip) and streams (xz), also of
 * several forms.  All are called frames here.  Memory is bounded whatever the bytes say: windows
 * have at most 128 MiB, and the caller gives the room for the output.  A step ends when the room is
 * full.  So the caller can leave a small input with a huge output at any time.
 *
 * Out: a packer makes independent frames.  A file of frames which was cut anywhere is readable up
 * to the last whole frame. */
#ifndef BPEI_COMPRESS_H
#define BPEI_COMPRESS_H

#include "bpfengine.h"
#include "compress/codec.h"

/* ---- In ---- */

struct bpei_unpacker {
	enum bpei_packing packing; /* of the frame at hand, or of the last frame */
	bool in_frame;
	uint64_t skip;                  /* bytes of a skippable frame to pass over */
	uint64_t taken;                 /* packed bytes so far */
	uint64_t made;                  /* unpacked bytes so far */
	uint64_t frames;                /* whole frames so far, without skippable frames */
	const char *why;                /* the reason of a failure at `taken` */
	const struct bpei_codec *codec; /* of `state` */
	void *state;
};

/* Makes an unpacker before the first byte.  Libraries are called from the first frame on, so
 * nothing fails here. */
void bpei_unpacker_init(struct bpei_unpacker *unpacker);
/* Takes bytes and fills room until either is used up.  at_end: no bytes come behind the bytes.
 * Returns BPE_OK.  Between frames fewer than BPEI_PACKING_HEAD bytes may be left; the caller passes
 * them again, with more bytes behind them.  At the end: BPE_E_END behind a whole frame, BPE_E_TORN
 * inside a frame.  BPE_E_FORMAT: damaged.  BPE_E_UNSUPPORTED: the build lacks the form, or the
 * window is too large.  BPE_E_MEMORY.  All bytes before the failure were filled in; `why` and
 * `taken` tell the reason and the place; inside a frame the damage lies behind `taken`. */
int bpei_unpacker_step(struct bpei_unpacker *unpacker, struct bpei_codec_step *step, bool at_end);
void bpei_unpacker_free(struct bpei_unpacker *unpacker);

/* ---- Out ---- */

struct bpei_packer;

/* Makes a packer of GZIP, ZSTD or LZ4.  level: BPEI_PACKING_LEVEL_USUAL, or a level within
 * bpei_packing_levels.  Fails with BPE_E_UNSUPPORTED if the build lacks the library, BPE_E_ARGUMENT
 * for another level, or BPE_E_MEMORY. */
int bpei_packer_open(
	enum bpei_packing packing, int level, struct bpei_packer **packer, struct bpe_error *error);
/* Returns the most bytes of a frame for n bytes. */
size_t bpei_packer_bound(struct bpei_packer *packer, size_t n);
/* Packs n bytes into a frame, which depends on no other frame.  Returns the frame's length, or 0 if
 * the room is too small or the library has no memory.  One thread at a time. */
size_t bpei_packer_frame(
	struct bpei_packer *packer, const uint8_t *in, size_t n, uint8_t *out, size_t room);
/* Packs n bytes into a frame in memory of the packer (a struct bpei_packer), which is good until
 * the next call.  Returns BPE_OK, or BPE_E_MEMORY.  The type is bpei_frame_fn of writer/files.h. */
int bpei_packer_pack(
	void *packer, const void *bytes, size_t n, const void **out, size_t *out_bytes);
void bpei_packer_close(struct bpei_packer *packer); /* NULL is allowed */

#endif
