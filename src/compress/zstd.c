/* SPDX-License-Identifier: MIT */
/* zstd by libzstd.  A window above the bound is refused before memory is taken for it.  The library
 * gets a block or a header at a time, because a failing call loses its output. */
#include "compress/codec.h"

#ifdef BPEI_HAVE_ZSTD

#include "bpfengine.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define FIRST_BYTES 5u
#define BLOCK_HEADER 3u /* of the next block: the library wants a block and a header */

struct zstd_reader {
	ZSTD_DCtx *context;
	size_t wanted; /* bytes for the next call */
};

static void *open_zstd_reader(void)
{
	struct zstd_reader *r = calloc(1, sizeof *r);

	if (r)
		r->context = ZSTD_createDCtx();
	if (r && !r->context) {
		free(r);
		return NULL;
	}
	return r;
}

static bool begin_zstd(void *state)
{
	struct zstd_reader *r = state;

	r->wanted = FIRST_BYTES;
	ZSTD_DCtx_reset(r->context, ZSTD_reset_session_and_parameters);
	return !ZSTD_isError(
		ZSTD_DCtx_setParameter(r->context, ZSTD_d_windowLogMax, BPEI_CODEC_WINDOW_LOG));
}

static int read_zstd(void *state, struct bpei_codec_step *s, const char **why)
{
	struct zstd_reader *reader = state;
	const size_t most = s->in_bytes < reader->wanted ? s->in_bytes : reader->wanted;
	ZSTD_inBuffer in = { s->in, most, 0 };
	ZSTD_outBuffer out = { s->out, s->out_bytes, 0 };
	const size_t r = ZSTD_decompressStream(reader->context, &out, &in);

	s->in += in.pos;
	s->in_bytes -= in.pos;
	s->out += out.pos;
	s->out_bytes -= out.pos;
	if (!ZSTD_isError(r)) {
		reader->wanted = r > BLOCK_HEADER ? r - BLOCK_HEADER : r;
		return !r;
	}
	*why = ZSTD_getErrorName(r);
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		*why = "its window is larger than " BPEI_CODEC_WINDOW_TEXT;
		return BPE_E_UNSUPPORTED;
	case ZSTD_error_dictionary_wrong:
		*why = "it needs a dictionary";
		return BPE_E_UNSUPPORTED;
	case ZSTD_error_memory_allocation:
		return BPE_E_MEMORY;
	default:
		return BPE_E_FORMAT;
	}
}

static void close_zstd_reader(void *state)
{
	struct zstd_reader *r = state;

	ZSTD_freeDCtx(r->context);
	free(r);
}

static void *open_zstd_writer(int level)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	if (c && (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) ||
			 ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)))) {
		ZSTD_freeCCtx(c);
		return NULL;
	}
	return c;
}

static size_t bound_zstd(void *state, size_t n)
{
	(void)state;
	return ZSTD_compressBound(n) + 4; /* the checksum */
}

static size_t write_zstd(void *state, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	const size_t r = ZSTD_compress2(state, out, room, in, n);

	return ZSTD_isError(r) ? 0 : r;
}

static void close_zstd_writer(void *state)
{
	ZSTD_freeCCtx(state);
}

const struct bpei_codec bpei_codec_zstd = {
	.library = "libzstd " ZSTD_VERSION_STRING,
	.open_reader = open_zstd_reader,
	.begin = begin_zstd,
	.read = read_zstd,
	.close_reader = close_zstd_reader,
	.levels = { -7, 22, 1 },
	.open_writer = open_zstd_writer,
	.bound = bound_zstd,
	.write = write_zstd,
	.close_writer = close_zstd_writer,
};

#else

const struct bpei_codec bpei_codec_zstd = { .library = "libzstd" };

#endif
