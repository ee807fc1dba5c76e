/* SPDX-License-Identifier: MIT */
/* pcapng files made in memory with options (filebuild.h), walked into a batch with its source. */
#ifndef NGWALK_H
#define NGWALK_H

#include "filebuild.h"
#include "records/batch.h"
#include "records/packet_source.h"
#include "records/walk_pcapng.h"

#include <criterion/criterion.h>

static inline void ng_option(struct image *f, uint16_t code, uint64_t value, uint16_t n)
{
	put_number(f, code, 2);
	put_number(f, n, 2);
	put_number(f, value, n);
	pad_block(f);
}

static inline void ng_text_option(struct image *f, uint16_t code, const char *text, uint16_t n)
{
	put_number(f, code, 2);
	put_number(f, n, 2);
	memcpy(f->bytes + f->length, text, n);
	f->length += n;
	pad_block(f);
}

static inline void ng_process(struct image *f, uint32_t pid, const char *name)
{
	const size_t at = ng_begin(f, BPEI_PROCESS_BLOCK);

	put_number(f, pid, 4);
	ng_text_option(f, 2, name, (uint16_t)(strlen(name) + 1)); /* with the old writers' 0 */
	ng_end(f, at);
}

/* Begins an enhanced packet block with a packet of n bytes; options follow. */
static inline size_t ng_begin_packet(struct image *f, uint32_t interface, uint32_t n)
{
	const size_t at = ng_begin(f, 6);

	put_number(f, interface, 4);
	put_number(f, 0, 8);
	put_number(f, n, 4);
	put_number(f, 60, 4);
	put_bytes(f, n, 0x55);
	pad_block(f);
	return at;
}

static inline void ng_end_packet(struct image *f, size_t at)
{
	put_number(f, 0, 4);
	ng_end(f, at);
	packet_done(f);
}

/* A walked file. */
struct walked {
	struct bpei_columns columns;
	struct bpei_pcapng ng;
	struct bpei_pcapng_kept kept;
	struct bpei_packet_source source;
	struct bpe_batch batch;
};

static inline void walk_image(struct walked *w, const struct image *f)
{
	struct bpei_block block = {
		.bytes = f->bytes, .length = f->length, .stop_offset = f->length
	};
	enum bpei_walk_stop stop;

	memset(w, 0, sizeof *w);
	bpei_pcapng_kept_init(&w->kept);
	w->ng.kept = &w->kept;
	w->source.kept = &w->kept;
	cr_assert_eq(bpei_columns_new(&w->columns, BPE_BATCH), BPE_OK);
	const uint32_t n =
		bpei_walk_pcapng(&w->ng, &block, &w->columns, BPE_BATCH, BPE_MAX_SNAPLEN, &stop);
	cr_assert_eq(n, f->packets, "%u packets: %s", n, w->ng.why ? w->ng.why : "");
	w->batch = bpei_batch_view(&w->columns, 0, n, 0);
	w->batch.source = &w->source;
}

static inline void free_walked(struct walked *w)
{
	bpei_columns_free(&w->columns, BPE_BATCH);
	bpei_pcapng_free(&w->ng);
	bpei_pcapng_kept_free(&w->kept);
}

#endif
