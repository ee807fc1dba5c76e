/* SPDX-License-Identifier: MIT */
/* The datagrams of one direction, for readers of protocols over UDP.  Pure. */
#ifndef BPEI_DATAGRAMS_H
#define BPEI_DATAGRAMS_H

#include "base/bytes.h"
#include "inspect/inspect.h"

/* Returns datagram k, below stream->datagrams; *n: its bytes. */
static inline const uint8_t *bpei_datagram(
	const struct bpei_stream *stream, uint32_t k, uint32_t *n)
{
	const uint32_t begin = k ? stream->ends[k - 1] : 0;

	*n = stream->ends[k] - begin;
	return stream->bytes + begin;
}

/* Asks for datagrams up to `want` in all. */
static inline enum bpei_verdict bpei_datagrams_more(struct bpei_stream *stream, uint32_t want)
{
	if (stream->last || want > BPEI_DATAGRAMS_MOST)
		return BPEI_NOT;
	stream->want = want;
	return BPEI_MORE;
}

/* Counts the zeros of n bytes: few are in ciphertext. */
static inline uint32_t bpei_count_zeros(const uint8_t *p, uint32_t n)
{
	uint32_t zeros = 0;

	for (uint32_t i = 0; i < n; i++)
		zeros += p[i] == 0;
	return zeros;
}

#endif
