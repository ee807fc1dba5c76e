/* SPDX-License-Identifier: MIT */
/* Bytes of samples, and readers called with them.  Each call gets its bytes in memory of their own
 * length, so that a sanitizer sees a read beyond. */
#ifndef APP_CASE_H
#define APP_CASE_H

#include "app_samples.h"

#include <stdlib.h>
#include <string.h>

struct app_bytes {
	uint8_t bytes[4096];
	uint32_t n;
	uint16_t ends[BPEI_DATAGRAMS_MOST];
	uint32_t datagrams;
};

/* Decodes a sample. */
static inline void decode_sample(const struct app_sample *sample, struct app_bytes *to)
{
	const char *p = sample->text;

	memset(to, 0, sizeof *to);
	if (!sample->hexadecimal) {
		to->n = (uint32_t)strlen(p);
		memcpy(to->bytes, p, to->n);
	}
	while (sample->hexadecimal && *p) {
		const char digits[3] = { p[0], p[1], 0 };

		if (*p == '|') {
			to->ends[to->datagrams++] = (uint16_t)to->n;
			p++;
			continue;
		}
		to->bytes[to->n++] = (uint8_t)strtoul(digits, NULL, 16);
		p += 2;
	}
	to->ends[to->datagrams++] = (uint16_t)to->n;
	if (sample->over == BPEI_OVER_TCP)
		to->datagrams = 0;
}

/* Calls a reader with the first n bytes.  *s: as the reader left the stream. */
static inline enum bpei_verdict call_reader(const struct bpei_reader *reader,
	const struct app_bytes *from, uint32_t n, struct bpei_stream *s,
	struct bpe_flow_names *said)
{
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };
	uint8_t *const bytes = malloc(n ? n : 1);
	uint16_t *const ends = malloc(sizeof from->ends);

	memcpy(bytes, from->bytes, n);
	s->bytes = bytes;
	s->n = n;
	s->datagrams = 0;
	s->ends = NULL;
	s->want = 0;
	for (uint32_t k = 0; k < from->datagrams; k++)
		if (!k || from->ends[k - 1] < n) {
			ends[s->datagrams++] = from->ends[k] < n ? from->ends[k] : (uint16_t)n;
			s->ends = ends;
		}
	const enum bpei_verdict verdict = reader->read(&in, s, said);
	free(bytes);
	free(ends);
	s->bytes = NULL;
	s->ends = NULL;
	return verdict;
}

/* Returns the reader of a protocol. */
static inline const struct bpei_reader *find_reader(uint8_t app)
{
	for (uint32_t k = 0; k < bpei_reader_count; k++)
		if (bpei_readers[k].app == app)
			return &bpei_readers[k];
	return NULL;
}

#endif
