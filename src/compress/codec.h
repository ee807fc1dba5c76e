/* SPDX-License-Identifier: MIT */
/* The contract of a compression library: a structure of functions.  A build without the library
 * has a structure without functions. */
#ifndef BPEI_CODEC_H
#define BPEI_CODEC_H

#include "compress/packing.h"

/* The most memory for a window: bytes of the past to which a packed stream refers. */
#define BPEI_CODEC_WINDOW_LOG 27
#define BPEI_CODEC_WINDOW_TEXT "128 MiB"

/* Bytes to take and room to fill; a step moves both on. */
struct bpei_codec_step {
	const uint8_t *in;
	size_t in_bytes;
	uint8_t *out;
	size_t out_bytes;
};

struct bpei_codec {
	const char *library;
	/* Makes the state of a reader.  NULL: no memory. */
	void *(*open_reader)(void);
	/* Makes the state ready for a frame's first byte.  Returns false without memory. */
	bool (*begin)(void *state);
	/* Returns 1 behind the frame's last byte; 0 to go on; or a status, with the reason in
	 * *why. */
	int (*read)(void *state, struct bpei_codec_step *step, const char **why);
	void (*close_reader)(void *state);

	struct bpei_packing_levels levels;
	/* Makes the state of a writer.  NULL: no memory. */
	void *(*open_writer)(int level);
	/* Returns the most bytes that a frame of n bytes has. */
	size_t (*bound)(void *state, size_t n);
	/* Makes a whole frame.  Returns its length; 0: the library failed. */
	size_t (*write)(void *state, const uint8_t *in, size_t n, uint8_t *out, size_t room);
	void (*close_writer)(void *state);
};

extern const struct bpei_codec bpei_codec_zlib;
extern const struct bpei_codec bpei_codec_zstd;
extern const struct bpei_codec bpei_codec_lz4;
extern const struct bpei_codec bpei_codec_lzma;

/* Returns the form's codec; NULL for a form without codec. */
const struct bpei_codec *bpei_codec_of(enum bpei_packing packing);

#endif
