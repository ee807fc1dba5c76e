/* SPDX-License-Identifier: MIT */
/* gzip's members by zlib.  The format itself bounds the memory: windows have 32 KiB. */
#include "compress/codec.h"

#ifdef BPEI_HAVE_ZLIB

#include "bpfengine.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#define WINDOW_BITS 15
#define GZIP 16 /* added to the bits of the window: gzip's header and trailer */
#define MEMORY_LEVEL 8
#define GZIP_HEADER_ROOM 32

static void *open_zlib_reader(void)
{
	z_stream *z = calloc(1, sizeof *z);

	if (z && inflateInit2(z, WINDOW_BITS + GZIP) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static bool begin_zlib(void *state)
{
	return inflateReset(state) == Z_OK;
}

/* Returns the length as far as zlib can take it. */
static uInt fit_zlib(size_t n)
{
	return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

static int read_zlib(void *state, struct bpei_codec_step *s, const char **why)
{
	z_stream *z = state;

	z->next_in = s->in;
	z->avail_in = fit_zlib(s->in_bytes);
	z->next_out = s->out;
	z->avail_out = fit_zlib(s->out_bytes);
	const int r = inflate(z, Z_NO_FLUSH);

	s->in_bytes -= (size_t)(z->next_in - s->in);
	s->in = z->next_in;
	s->out_bytes -= (size_t)(z->next_out - s->out);
	s->out = z->next_out;
	if (r == Z_OK || r == Z_BUF_ERROR)
		return 0;
	if (r == Z_STREAM_END)
		return 1;
	*why = z->msg ? z->msg : "damaged gzip data";
	return r == Z_MEM_ERROR ? BPE_E_MEMORY : BPE_E_FORMAT;
}

static void close_zlib_reader(void *state)
{
	inflateEnd(state);
	free(state);
}

static void *open_zlib_writer(int level)
{
	z_stream *z = calloc(1, sizeof *z);

	if (z && deflateInit2(z, level, Z_DEFLATED, WINDOW_BITS + GZIP, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static size_t bound_zlib(void *state, size_t n)
{
	return deflateBound(state, (uLong)n) + GZIP_HEADER_ROOM;
}

static size_t write_zlib(void *state, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	z_stream *z = state;

	if (n > UINT_MAX || deflateReset(z) != Z_OK)
		return 0;
	z->next_in = in;
	z->avail_in = (uInt)n;
	z->next_out = out;
	z->avail_out = fit_zlib(room);
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return 0;
	return (size_t)(z->next_out - out);
}

static void close_zlib_writer(void *state)
{
	deflateEnd(state);
	free(state);
}

const struct bpei_codec bpei_codec_zlib = {
	.library = "zlib " ZLIB_VERSION,
	.open_reader = open_zlib_reader,
	.begin = begin_zlib,
	.read = read_zlib,
	.close_reader = close_zlib_reader,
	.levels = { 1, 9, 1 },
	.open_writer = open_zlib_writer,
	.bound = bound_zlib,
	.write = write_zlib,
	.close_writer = close_zlib_writer,
};

#else

const struct bpei_codec bpei_codec_zlib = { .library = "zlib" };

#endif
