/* SPDX-License-Identifier: MIT */
/* Writers of savefiles: the exported functions.  Books: each packet offered is written, or
 * unwritten under a cause, or waits in memory. */
#include "writer/writer.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/roles.h"
#include "base/sized.h"
#include "writer/packets.h"
#include "writer/packing.h"
#include "writer/rewriting.h"
#include "writer/splitting.h"
#include "writer/writer_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A writer without a thread writes bytes that are still in the cache of the CPU.  Measured with
 * 64-byte packets to /dev/null: chunks of 256 KiB cost less than half of chunks of 1 MiB. */
#define WARM_BYTES (256u << 10)
#define COUNTS_EVERY_NS INT64_C(10000000000) /* statistics blocks while the file is open */

/* ---- Open and close ---- */

/* Copies the options' texts.  Returns false without memory. */
static bool copy_texts(struct bpe_writer_options *o)
{
	const char **const texts[] = { &o->path, &o->application, &o->comment, &o->hardware,
		&o->os };
	bool good = true;

	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		if (*texts[k])
			good &= (*texts[k] = strdup(*texts[k])) != NULL;
	return good;
}

/* Frees all but the files, which are closed. */
static void free_writer(struct bpe_writer *w)
{
	bpei_mem_free_const(w->o.path);
	bpei_mem_free_const(w->o.application);
	bpei_mem_free_const(w->o.comment);
	bpei_mem_free_const(w->o.hardware);
	bpei_mem_free_const(w->o.os);
	bpei_recording_close(w);
	if (w->current)
		bpei_chunks_give(&w->chunks, w->current);
	bpei_chunks_free(&w->chunks);
	bpei_packer_close(w->packer);
	bpei_interfaces_free(&w->interfaces);
	bpei_rewriting_close(w->rewriting);
	bpei_known_names_free(&w->names);
	bpei_process_table_free(&w->processes);
	bpei_passing_free(&w->passing);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->room);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static int open_writer_files(struct bpe_writer *w, struct bpe_error *error)
{
	struct bpei_files_options how;
	int status = bpei_writer_packer_open(&w->o, &w->packer, error);

	if (status == BPE_OK)
		status = bpei_rewriting_open(&w->o, &w->rewriting, error);
	if (status != BPE_OK)
		return status;
	w->interfaces.anonymous = bpei_rewriting_anonymises(w->rewriting);
	if (w->o.split)
		return bpei_splitting_open(w, error);
	bpei_writer_files_options(&how, &w->o);
	how.frame = w->packer ? bpei_packer_pack : NULL;
	how.frame_user = w->packer;
	return bpei_files_open(&w->files, &how, bpei_encoder_now(w), error);
}

/* Begins the first file of a live capture, which is whole even if no packet comes.  A pcap file's
 * head needs the link type of a packet. */
static void begin_first_file(struct bpe_writer *w)
{
	if (w->format == BPE_WRITE_PCAPNG && !w->o.packet_clock)
		bpei_encoder_begin_file(w, 0);
}

static struct bpe_writer *make_writer(const struct bpe_writer_options *o)
{
	struct bpe_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	bpei_cond_init(&w->work);
	bpei_cond_init(&w->room);
	w->o = *o;
	w->format = bpei_writer_format(o);
	w->pcap_link = -1;
	w->limits = (struct bpei_limits){ .bytes = o->rotate_bytes,
		.packets = o->rotate_packets,
		.every_ns = o->rotate_ns,
		.from_start = o->rotate_from_start };
	w->has_limits = o->rotate_bytes || o->rotate_packets || o->rotate_ns;
	bpei_chunks_init(&w->chunks, o->memory_bytes);
	w->enough = o->no_thread ? WARM_BYTES : BPEI_CHUNK_BYTES;
	if (copy_texts(&w->o) && bpei_recording_open(w) == BPE_OK)
		return w;
	free_writer(w);
	return NULL;
}

int bpe_writer_open(const struct bpe_writer_options *options, struct bpe_writer **writer,
	struct bpe_error *error)
{
	struct bpe_writer_options o;
	int status = bpei_writer_options_check(&o, options, error);

	if (status != BPE_OK)
		return status;
	struct bpe_writer *w = make_writer(&o);

	if (!w)
		return bpei_fail(error, BPE_E_MEMORY, "writer", 0, "no memory for a writer");
	status = open_writer_files(w, error);
	if (status != BPE_OK) {
		free_writer(w);
		return status;
	}
	begin_first_file(w);
	const int refused = o.no_thread ? 0 : bpei_writer_thread_start(w);

	if (refused) {
		bpei_split_close(w->split, NULL);
		bpei_files_close(w->files, &(struct bpei_books){ 0 }, NULL);
		free_writer(w);
		return bpei_fail(
			error, BPE_E_MEMORY, "pthread_create", refused, "no thread for the writer");
	}
	*writer = w;
	return BPE_OK;
}

/* Ends the last file.  A writer without a packet leaves a whole file, too. */
static void end_last_file(struct bpe_writer *w) BPEI_UNCHECKED
{
	struct bpe_write_interface told;

	if (w->head) {
		bpei_encoder_end_recorded(w);
		bpei_recording_close(w);
		w->is_in_file = false;
	} else if (!w->files_begun && w->status == BPE_OK) {
		bpe_write_interface_init(&told);
		if (w->interfaces.count || w->format == BPE_WRITE_PCAPNG ||
			bpei_interfaces_add(&w->interfaces, &told))
			bpei_encoder_begin_file(w, 0);
	}
	bpei_encoder_end_file(w);
	/* The thread is at work, so a chunk becomes free. */
	while (w->owes_end && w->has_thread) {
		pthread_cond_wait(&w->room, &w->lock);
		bpei_encoder_tick(w);
	}
}

/* Closes the files, and takes their last counters. */
static int close_last_file(struct bpe_writer *w, const struct bpei_books *books)
{
	bpei_files_finish(w->files, books);
	pthread_mutex_lock(&w->lock);
	bpei_writer_count_files(w);
	pthread_mutex_unlock(&w->lock);
	return bpei_files_close(w->files, books, &w->error);
}

int bpe_writer_finish(struct bpe_writer *w, struct bpe_error *error)
{
	struct bpei_books books = { 0 };

	if (w->files || w->split) {
		if (w->files)
			bpei_files_abandon(w->files);
		pthread_mutex_lock(&w->lock);
		end_last_file(w);
		w->is_over = true;
		pthread_mutex_unlock(&w->lock);
		bpei_writer_thread_end(w);
		bpei_encoder_books(w, &books);
		if (w->split)
			w->result = bpei_splitting_close(w);
		else
			w->result = close_last_file(w, &books);
		w->files = NULL;
	}
	if (w->result != BPE_OK && error)
		*error = w->error;
	return w->result;
}

int bpe_writer_close(struct bpe_writer *w, struct bpe_error *error)
{
	if (!w)
		return BPE_OK;
	const int status = bpe_writer_finish(w, error);

	free_writer(w);
	return status;
}

/* ---- Packets ---- */

/* Unlocks, and returns the status of a call with packets. */
static int finish_call(struct bpe_writer *w, int encoded) BPEI_UNCHECKED
{
	int status = encoded;

	const bool is_recording = w->head && !w->is_triggered;

	w->source = NULL;
	if (!is_recording &&
		(w->o.packet_buffered || (w->current && w->current->chunk.used >= w->enough)))
		bpei_encoder_hand_on(w);
	if (status == BPE_OK)
		status = w->status;
	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_batch(struct bpe_writer *w, const struct bpe_batch *batch, uint32_t first,
	uint32_t count) BPEI_UNCHECKED
{
	if (first > batch->count || count > batch->count - first)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&w->lock);
	return finish_call(w, bpei_packets_encode_batch(w, batch, first, first + count));
}

int bpe_writer_packet_sized(struct bpe_writer *w, const struct bpe_packet *packet,
	size_t packet_bytes, size_t meta_bytes, const char *comment) BPEI_UNCHECKED
{
	struct bpe_packet own = { .link_type = -1 };
	struct bpe_meta meta = { .pid = -1, .effective_pid = -1 };

	if (!bpei_sized_is_known(packet, packet_bytes, sizeof own))
		return BPE_E_UNSUPPORTED;
	memcpy(&own, packet, packet_bytes < sizeof own ? packet_bytes : sizeof own);
	if ((own.caplen && !own.data) || own.link_type > 65535 || own.link_type < -1 ||
		own.direction > BPE_DIRECTION_OUT)
		return BPE_E_ARGUMENT;
	struct bpei_offered p = { .out = { .data = own.data,
					  .interface_id = own.interface_id,
					  .caplen = own.caplen,
					  .wirelen = own.wirelen },
		.time_ns = own.time_ns,
		.link_type = own.link_type < 0 ? 1 : own.link_type,
		.extra = { .flags = own.direction, .comment = comment } };

	if (own.meta) {
		if (!bpei_sized_is_known(own.meta, meta_bytes, sizeof meta))
			return BPE_E_UNSUPPORTED;
		memcpy(&meta, own.meta, meta_bytes < sizeof meta ? meta_bytes : sizeof meta);
		p.meta = &meta;
	}

	if (own.direction)
		p.extra.has = BPEI_HAS_FLAGS;
	if (p.out.caplen > BPE_MAX_SNAPLEN)
		p.out.caplen = BPE_MAX_SNAPLEN;
	pthread_mutex_lock(&w->lock);
	if (bpei_packets_is_copy(w, &p))
		return finish_call(w, BPE_OK);
	return finish_call(w, bpei_packets_encode(w, &p));
}

/* ---- Descriptions ---- */

int bpe_writer_interface(struct bpe_writer *w, const struct bpe_write_interface *interface)
{
	struct bpe_write_interface own;

	bpe_write_interface_init(&own);
	const int status =
		bpei_sized_take(&own, sizeof own, interface, "bpe_write_interface_init", NULL);

	if (status != BPE_OK)
		return status;
	if (own.link_type < 0 || own.link_type > 65535 || !own.time_digits || own.time_digits > 9)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&w->lock);
	const struct bpei_writer_interface *known =
		bpei_interfaces_find(&w->interfaces, own.interface_id, own.link_type);
	int answer = BPE_OK;

	if (known && known->is_used)
		answer = BPE_E_STATE;
	else if (!bpei_interfaces_add(&w->interfaces, &own))
		answer = BPE_E_MEMORY;
	pthread_mutex_unlock(&w->lock);
	return answer;
}

/* Writes the counts of an interface into the file, if they are due. */
static void put_due_counts(struct bpe_writer *w, struct bpei_writer_interface *i)
{
	const int64_t now = bpei_clock_mono_ns();

	if (w->o.packet_clock || (i->counts_ns && now - i->counts_ns < COUNTS_EVERY_NS))
		return;
	if (i->counts_ns && i->counted != i->written)
		bpei_encoder_put_counts(w, i);
	i->counts_ns = now;
	i->counted = i->written;
}

int bpe_writer_counts_sized(
	struct bpe_writer *w, uint32_t interface_id, const struct bpe_stats *stats, size_t bytes)
{
	if (!bpei_sized_is_known(stats, bytes, sizeof *stats))
		return BPE_E_UNSUPPORTED;
	pthread_mutex_lock(&w->lock);
	struct bpei_writer_interface *i = bpei_interfaces_find(&w->interfaces, interface_id, -1);

	if (i) {
		bpei_sized_give(&i->counts, sizeof i->counts, stats, bytes);
		i->has_counts = true;
		put_due_counts(w, i);
	}
	pthread_mutex_unlock(&w->lock);
	return i ? BPE_OK : BPE_E_ARGUMENT;
}

int bpe_writer_name(
	struct bpe_writer *w, const uint8_t addr[16], uint32_t ip_version, const char *name)
{
	struct bpei_known_name own = { .ip_version = ip_version };

	if ((ip_version != 4 && ip_version != 6) || !*name || strlen(name) > 255)
		return BPE_E_ARGUMENT;
	memcpy(own.addr, addr, ip_version == 4 ? 4 : 16);
	own.name = (char *)(uintptr_t)name;
	if (w->interfaces.anonymous)
		return BPE_OK;
	pthread_mutex_lock(&w->lock);
	const int added = bpei_known_names_add(&w->names, &own);

	if (added > 0)
		bpei_encoder_put_name(w, &own);
	pthread_mutex_unlock(&w->lock);
	return added < 0 ? added : BPE_OK;
}

/* ---- Ticks and counters ---- */

int bpe_writer_tick(struct bpe_writer *w)
{
	pthread_mutex_lock(&w->lock);
	bpei_encoder_tick(w);
	if (!w->has_thread && w->files)
		bpei_files_tick(w->files, bpei_encoder_now(w));
	const int status = w->status;

	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_rotate(struct bpe_writer *w)
{
	if (w->o.fd >= 0 || !strcmp(w->o.path, "-") || w->split)
		return BPE_E_UNSUPPORTED;
	pthread_mutex_lock(&w->lock);
	if (w->head)
		bpei_encoder_end_recorded(w);
	else
		bpei_encoder_end_file(w);
	const int status = w->status;

	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_trigger(struct bpe_writer *w, int64_t after_ns)
{
	if (after_ns < 0)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&w->lock);
	const int status = bpei_trigger_pull(w, after_ns);

	pthread_mutex_unlock(&w->lock);
	return status;
}

void bpe_writer_stats_sized(struct bpe_writer *w, struct bpe_written *stats, size_t bytes)
{
	pthread_mutex_lock(&w->lock);
	struct bpe_written now = w->stats;

	now.memory_peak = (uint64_t)w->chunks.made * BPEI_CHUNK_BYTES;
	bpei_rewriting_counts(w->rewriting, &now);
	pthread_mutex_unlock(&w->lock);
	bpei_sized_give(stats, bytes, &now, sizeof now);
}
