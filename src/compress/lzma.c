/* SPDX-License-Identifier: MIT */
/* xz's streams by liblzma, read only.  A dictionary above the bound is refused by the library
 * before memory is taken for it. */
#include "compress/codec.h"

#ifdef BPEI_HAVE_LZMA

#include "bpfengine.h"

#include <lzma.h>
#include <stdlib.h>

#define MEMORY_LIMIT ((uint64_t)1 << BPEI_CODEC_WINDOW_LOG)

static void *open_lzma_reader(void)
{
	const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *l = malloc(sizeof *l);

	if (l)
		*l = fresh;
	return l;
}

static bool begin_lzma(void *state)
{
	return lzma_stream_decoder(state, MEMORY_LIMIT, 0) == LZMA_OK;
}

static int read_lzma(void *state, struct bpei_codec_step *s, const char **why)
{
	lzma_stream *l = state;

	l->next_in = s->in;
	l->avail_in = s->in_bytes;
	l->next_out = s->out;
	l->avail_out = s->out_bytes;
	const lzma_ret r = lzma_code(l, LZMA_RUN);

	s->in = l->next_in;
	s->in_bytes = l->avail_in;
	s->out = l->next_out;
	s->out_bytes = l->avail_out;
	*why = "damaged xz data";
	switch (r) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return 0;
	case LZMA_STREAM_END:
		return 1;
	case LZMA_MEM_ERROR:
		*why = "no memory";
		return BPE_E_MEMORY;
	case LZMA_MEMLIMIT_ERROR:
		*why = "its dictionary is larger than " BPEI_CODEC_WINDOW_TEXT;
		return BPE_E_UNSUPPORTED;
	case LZMA_OPTIONS_ERROR:
		*why = "it uses a filter that liblzma does not know";
		return BPE_E_UNSUPPORTED;
	default:
		return BPE_E_FORMAT;
	}
}

static void close_lzma_reader(void *state)
{
	lzma_end(state);
	free(state);
}

const struct bpei_codec bpei_codec_lzma = {
	.library = "liblzma " LZMA_VERSION_STRING,
	.open_reader = open_lzma_reader,
	.begin = begin_lzma,
	.read = read_lzma,
	.close_reader = close_lzma_reader,
};

#else

const struct bpei_codec bpei_codec_lzma = { .library = "liblzma" };

#endif
