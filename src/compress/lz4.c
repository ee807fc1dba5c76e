/* SPDX-License-Identifier: MIT */
/* lz4's frames by liblz4.  The format itself bounds the memory: blocks have at most 4 MiB.  The
 * library gets a block or a header at a time, because a failing call loses its output. */
#include "compress/codec.h"

#ifdef BPEI_HAVE_LZ4

#include "bpfengine.h"

#include <lz4.h>
#include <lz4frame.h>
#include <stdlib.h>

#define FIRST_BYTES 7u
#define BLOCK_HEADER 4u /* of the next block: the library wants a block and a header */

struct lz4_reader {
	LZ4F_dctx *context;
	size_t wanted; /* bytes for the next call */
};

static void *open_lz4_reader(void)
{
	struct lz4_reader *r = calloc(1, sizeof *r);

	if (r && LZ4F_isError(LZ4F_createDecompressionContext(&r->context, LZ4F_VERSION))) {
		free(r);
		return NULL;
	}
	return r;
}

static bool begin_lz4(void *state)
{
	struct lz4_reader *r = state;

	r->wanted = FIRST_BYTES;
	LZ4F_resetDecompressionContext(r->context);
	return true;
}

static int read_lz4(void *state, struct bpei_codec_step *s, const char **why)
{
	struct lz4_reader *reader = state;
	size_t in = s->in_bytes < reader->wanted ? s->in_bytes : reader->wanted;
	size_t out = s->out_bytes;
	const size_t r = LZ4F_decompress(reader->context, s->out, &out, s->in, &in, NULL);

	if (LZ4F_isError(r)) {
		*why = LZ4F_getErrorName(r);
		return BPE_E_FORMAT;
	}
	s->in += in;
	s->in_bytes -= in;
	s->out += out;
	s->out_bytes -= out;
	reader->wanted = r > BLOCK_HEADER ? r - BLOCK_HEADER : r;
	return !r;
}

static void close_lz4_reader(void *state)
{
	struct lz4_reader *r = state;

	LZ4F_freeDecompressionContext(r->context);
	free(r);
}

/* Makes blocks independent of each other, as the library's program does. */
static void *open_lz4_writer(int level)
{
	LZ4F_preferences_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->frameInfo.blockSizeID = LZ4F_max1MB;
	p->frameInfo.blockMode = LZ4F_blockIndependent;
	p->frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	p->compressionLevel = level;
	return p;
}

static size_t bound_lz4(void *state, size_t n)
{
	return LZ4F_compressFrameBound(n, state);
}

static size_t write_lz4(void *state, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	LZ4F_preferences_t *p = state;

	p->frameInfo.contentSize = n;
	const size_t r = LZ4F_compressFrame(out, room, in, n, p);

	return LZ4F_isError(r) ? 0 : r;
}

const struct bpei_codec bpei_codec_lz4 = {
	.library = "liblz4 " LZ4_VERSION_STRING,
	.open_reader = open_lz4_reader,
	.begin = begin_lz4,
	.read = read_lz4,
	.close_reader = close_lz4_reader,
	.levels = { -9, 12, 0 },
	.open_writer = open_lz4_writer,
	.bound = bound_lz4,
	.write = write_lz4,
	.close_writer = free,
};

#else

const struct bpei_codec bpei_codec_lz4 = { .library = "liblz4" };

#endif
