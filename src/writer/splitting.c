/* SPDX-License-Identifier: MIT */
/* The writer with a split (split.h) in place of its files. */
#include "writer/splitting.h"

#include "base/error.h"

#include <string.h>
#include <unistd.h>

/* Returns how many files may be open: a part of the descriptors that the system gives. */
static uint32_t choose_most_open(void)
{
	const long limit = sysconf(_SC_OPEN_MAX);
	const long part = limit / 4;

	if (limit < 0 || part > (long)BPEI_SPLIT_OPEN)
		return BPEI_SPLIT_OPEN;
	return part > 1 ? (uint32_t)part : 1;
}

int bpei_splitting_open(struct bpe_writer *w, struct bpe_error *error)
{
	const struct bpe_writer_options *const o = &w->o;
	const struct bpei_split_options how = { .path = o->path,
		.directory = o->directory,
		.most_open = choose_most_open(),
		.most_files = o->split_files ? o->split_files : BPEI_SPLIT_FILES,
		.most_bytes = o->memory_bytes / 2,
		.stop_on_error = o->on_error == BPE_WRITE_STOP,
		.on_notice = o->on_notice,
		.user = o->user };

	if (w->packer)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "split", 0,
			"a capture that is split into many files is not compressed");
	return bpei_split_open(&w->split, &how, error);
}

void bpei_splitting_count(struct bpe_writer *w, const struct bpei_split_lost *lost)
{
	const struct bpei_split_counts *const counts = bpei_split_counts(w->split);
	struct bpe_written *const s = &w->stats;

	s->waiting += counts->waiting - w->split_waiting;
	w->split_waiting = counts->waiting;
	s->written = counts->packets;
	s->unwritten[BPE_UNWRITTEN_ERROR] += lost->error;
	s->unwritten[BPE_UNWRITTEN_SPLIT] += lost->files;
	s->captured_bytes = counts->captured_bytes;
	s->file_bytes = counts->file_bytes;
	s->files = counts->files;
	s->errors = counts->errors;
	if (w->status == BPE_OK && w->o.on_error == BPE_WRITE_STOP)
		w->status = bpei_split_status(w->split, &w->error);
}

int bpei_splitting_close(struct bpe_writer *w)
{
	const struct bpei_split_lost lost = bpei_split_flush(w->split);

	pthread_mutex_lock(&w->lock);
	bpei_splitting_count(w, &lost);
	const int status = bpei_split_close(w->split, &w->error);

	w->split = NULL;
	pthread_mutex_unlock(&w->lock);
	return status;
}

/* Finds the layers and key of a packet that is not of a batch. */
static void fill_alone_key(
	const struct bpe_writer *w, const struct bpei_offered *p, struct bpei_split_key *key)
{
	struct bpe_layers layers;
	struct bpe_key flow;
	const struct bpe_batch alone = {
		.size = sizeof alone, .count = 1, .layers = &layers, .key = &flow
	};

	memset(key, 0, sizeof *key);
	if (bpe_parse(p->out.data, p->out.caplen, p->out.wirelen, p->link_type, &layers, &flow) > 0)
		bpei_split_key_of(&alone, 0, w->o.split, key);
}

size_t bpei_splitting_put_record(
	const struct bpe_writer *w, uint8_t *to, const struct bpei_offered *p, size_t bytes)
{
	struct bpei_split_record r;

	memset(&r, 0, sizeof r);
	r.bytes = (uint32_t)bytes;
	if (p) {
		r.is_packet = 1;
		r.caplen = p->out.caplen;
		if (p->batch)
			bpei_split_key_of(p->batch, p->number, w->o.split, &r.key);
		else
			fill_alone_key(w, p, &r.key);
	}
	memcpy(to, &r, sizeof r);
	return sizeof r;
}
