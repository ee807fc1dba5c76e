/* SPDX-License-Identifier: MIT */
/* The frame of what is encoded: files, interfaces, statistics and names, and room for packets.  The
 * lock is held. */
#include "writer/splitting.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/roles.h"
#include "write/pcap_out.h"

#include <string.h>
#include <time.h>

#define STATISTICS_BYTES 128u /* a block of statistics at the end of a file, rounded up */
#define TAIL_MOST (BPEI_CHUNK_BYTES / 4)
#define HEAD_MOST (BPEI_CHUNK_BYTES / 4)   /* descriptions at the beginning of a file */
#define PASSED_MOST (BPEI_CHUNK_BYTES / 2) /* longer blocks of a source are left out */
#define PATIENCE_NS 1000000000             /* a part-filled chunk waits so long */

static bool writes_pcapng(const struct bpe_writer *w)
{
	return w->format == BPE_WRITE_PCAPNG;
}

/* Returns the bytes that packets may still take of the current chunk. */
static size_t count_room(const struct bpe_writer *w)
{
	return BPEI_CHUNK_BYTES - w->tail - w->current->chunk.used;
}

/* Takes note of a block of `bytes` at the end of the current chunk. */
static void add_block(struct bpe_writer *w, size_t bytes)
{
	struct bpei_chunk *const chunk = &w->current->chunk;

	if (w->split && bytes)
		chunk->used +=
			bpei_splitting_put_record(w, chunk->bytes + chunk->used, NULL, bytes);
	chunk->used += bytes;
	w->state.bytes += bytes;
}

static uint8_t *find_next_byte(const struct bpe_writer *w)
{
	const size_t record = w->split ? sizeof(struct bpei_split_record) : 0;

	return w->current->chunk.bytes + w->current->chunk.used + record;
}

int64_t bpei_encoder_now(const struct bpe_writer *w)
{
	if (w->o.packet_clock)
		return w->packet_ns;
	return w->o.now ? w->o.now(w->o.user) : bpei_clock_wall_ns();
}

/* Returns the seconds of local time ahead of UTC. */
static int32_t find_local_offset(int64_t now_ns)
{
	const time_t seconds = (time_t)(now_ns / 1000000000);
	struct tm local, utc;

	if (!localtime_r(&seconds, &local) || !gmtime_r(&seconds, &utc))
		return 0;
	int32_t days = local.tm_yday - utc.tm_yday;

	if (local.tm_year != utc.tm_year)
		days = local.tm_year > utc.tm_year ? 1 : -1;
	return days * 86400 + (local.tm_hour - utc.tm_hour) * 3600 +
	       (local.tm_min - utc.tm_min) * 60 + (local.tm_sec - utc.tm_sec);
}

/* ---- Chunks ---- */

void bpei_encoder_books(const struct bpe_writer *w, struct bpei_books *books)
{
	memcpy(books->unwritten, w->stats.unwritten, sizeof books->unwritten);
	for (uint32_t k = 0; k < w->interfaces.count; k++) {
		const struct bpei_writer_interface *i = &w->interfaces.list[k];

		books->kernel_dropped += i->counts.kernel_dropped;
		books->interface_dropped += i->counts.interface_dropped;
	}
}

void bpei_encoder_hand_on(struct bpe_writer *w)
{
	struct bpei_chunk_node *node = w->current;

	if (!node)
		return;
	w->current = NULL;
	if (w->head && bpei_recording_keeps(w, node, bpei_encoder_now(w)))
		return;
	bpei_encoder_pass(w, node);
}

void bpei_encoder_pass(struct bpe_writer *w, struct bpei_chunk_node *node)
{
	bpei_encoder_books(w, &node->chunk.books);
	if (w->has_thread) {
		bpei_chunks_push(&w->chunks, node);
		pthread_cond_signal(&w->work);
		return;
	}
	const struct bpei_split_lost lost = bpei_writer_write_chunk(w, &node->chunk);

	bpei_writer_count_chunk(w, &node->chunk, &lost);
	bpei_chunks_give(&w->chunks, node);
}

/* Writes the statistics of each interface of the file, and ends the file with the current chunk. */
static void finish_file(struct bpe_writer *w)
{
	const int64_t now = bpei_encoder_now(w);
	const size_t tail = w->head ? w->tail : 0; /* a recorder's next file has the same section */

	w->tail = 0;
	for (uint32_t k = 0; writes_pcapng(w) && !w->split && k < w->interfaces.count; k++) {
		struct bpei_writer_interface *i = &w->interfaces.list[k];

		if (i->in_section)
			add_block(w, bpei_interfaces_put_counts(find_next_byte(w), count_room(w), i,
					     w->o.packet_clock ? i->last_ns : now));
	}
	w->current->chunk.ends_file = true;
	w->owes_end = false;
	w->tail = tail;
	bpei_encoder_hand_on(w);
}

/* Takes a free chunk as the current one.  Returns false if there is none. */
static bool take_chunk(struct bpe_writer *w)
{
	for (;;) {
		w->current = bpei_chunks_take(&w->chunks);
		if (!w->current && bpei_recording_gives_room(w))
			continue;
		if (!w->current)
			return false;
		w->current_since_ns = bpei_clock_mono_ns();
		if (!w->owes_end)
			return true;
		finish_file(w);
	}
}

/* Hands the current chunk on, and takes the next.  Returns false if none is free and the caller
 * does not wait.  Waiting lets go of the lock. */
static bool change_chunk(struct bpe_writer *w) BPEI_UNCHECKED
{
	bpei_encoder_hand_on(w);
	if (take_chunk(w))
		return true;
	if (!w->o.wait || !w->has_thread || w->status != BPE_OK || w->chunks.made < w->chunks.most)
		return false;
	w->stats.waits++;
	while (!w->chunks.free && w->chunks.made == w->chunks.most && w->status == BPE_OK)
		pthread_cond_wait(&w->room, &w->lock);
	return true;
}

/* ---- Files ---- */

void bpei_encoder_end_file(struct bpe_writer *w)
{
	if (!w->is_in_file)
		return;
	w->is_in_file = false;
	w->is_over = w->o.stop_files && w->files_begun >= w->o.stop_files;
	w->owes_end = true;
	bpei_encoder_pay_end(w);
}

void bpei_encoder_pay_end(struct bpe_writer *w)
{
	if (w->current)
		finish_file(w);
	else if (take_chunk(w) && !w->head) /* which has ended the file */
		w->tail = 0;
}

/* Writes an interface's description.  The caller has proved the room. */
static void put_interface(struct bpe_writer *w, struct bpei_writer_interface *i)
{
	const size_t bytes =
		bpei_interfaces_put(find_next_byte(w), BPEI_DESCRIPTION_MOST, i, w->o.snaplen);

	i->place = w->interfaces.in_section++;
	i->in_section = true;
	w->current->chunk.describes = true;
	add_block(w, bytes);
	if (w->tail + STATISTICS_BYTES <= TAIL_MOST)
		w->tail += STATISTICS_BYTES;
	if (!w->head || w->current == w->head)
		return;
	/* the next file of the recorder describes the interface, too */
	struct bpei_chunk *const head = &w->head->chunk;

	memcpy(head->bytes + head->used, find_next_byte(w) - bytes, bytes);
	head->used += bytes;
}

/* Writes an interface's description to the recorder's head, and if a file is being written, there
 * too.  Returns false if the head is full. */
static bool put_recorded_interface(struct bpe_writer *w, struct bpei_writer_interface *i)
{
	struct bpei_chunk_node *const current = w->current;

	if (BPEI_CHUNK_BYTES - w->head->chunk.used < 2 * BPEI_DESCRIPTION_MOST)
		return false;
	if (!w->is_triggered)
		w->current = w->head;
	put_interface(w, i);
	w->current = current;
	return true;
}

/* Writes blocks of the batch's source into at most `room` bytes of the chunk.  Returns whether none
 * waits. */
static bool pass_into_chunk(struct bpe_writer *w, size_t room)
{
	bool is_full = false;
	size_t bytes;

	while (w->source && (bytes = bpei_passing_put(&w->passing, w->source, find_next_byte(w),
				     room, PASSED_MOST, &is_full))) {
		w->current->chunk.describes = true;
		add_block(w, bytes);
		room -= bytes;
	}
	return !is_full;
}

/* Writes the section's header: the file's own texts for packets that are read from a file. */
static void put_section_header(struct bpe_writer *w)
{
	struct bpei_section_out section = { .comment = w->o.comment,
		.hardware = w->o.hardware,
		.os = w->o.os,
		.application = w->o.application };

	bpei_section_take_source(&section, w->source);
	add_block(w, bpei_section_put(find_next_byte(w), BPEI_CHUNK_BYTES / 2, &section));
	bpei_mem_free_const(section.raw.bytes);
}

/* Writes the section's head, and what earlier files described, as far as a quarter of the chunk
 * has room; the rest follows with the packets. */
static void put_section(struct bpe_writer *w)
{
	size_t next = 0;

	put_section_header(w);
	bpei_interfaces_begin_section(&w->interfaces);
	bpei_process_table_clear(&w->processes);
	bpei_passing_begin(&w->passing);
	for (uint32_t k = 0; k < w->interfaces.count; k++)
		if (w->interfaces.list[k].is_used && w->current->chunk.used < HEAD_MOST)
			put_interface(w, &w->interfaces.list[k]);
	if (w->names.count)
		add_block(w, bpei_known_names_put(&w->names, &next, find_next_byte(w), HEAD_MOST));
	pass_into_chunk(w, HEAD_MOST);
}

/* Writes the head of a pcap file. */
static void put_pcap_header(struct bpe_writer *w, const struct bpei_writer_interface *i)
{
	uint32_t snaplen = w->o.snaplen;

	/* A pcap file that is read does not tell its snap length: twice through gives the same. */
	if (!w->o.packet_clock && i->told.snaplen && (!snaplen || i->told.snaplen < snaplen))
		snaplen = i->told.snaplen;
	if (w->pcap_link < 0)
		w->pcap_link = i->told.link_type;
	bpei_pcap_put_header(find_next_byte(w), w->format == BPE_WRITE_PCAP_NS,
		(uint32_t)w->pcap_link, snaplen ? snaplen : BPE_MAX_SNAPLEN);
	add_block(w, BPEI_PCAP_OUT_HEADER);
}

/* Begins the recorder's section, in the head. */
static void begin_head(struct bpe_writer *w, uint32_t interface)
{
	struct bpei_chunk_node *const current = w->current;

	w->current = w->head;
	if (writes_pcapng(w))
		put_section(w);
	else
		put_pcap_header(w, &w->interfaces.list[interface]);
	w->current = current;
	w->is_in_file = true;
}

bool bpei_encoder_begin_file(struct bpe_writer *w, uint32_t interface)
{
	const int64_t now = bpei_encoder_now(w);

	if (w->head) {
		begin_head(w, interface);
		return true;
	}

	if (w->current && w->current->chunk.used)
		bpei_encoder_hand_on(w);
	if (!w->current && !take_chunk(w))
		return false;
	w->current->chunk.starts_file = true;
	w->current->chunk.opened_ns = now;
	w->tail = 0;
	bpei_limits_begin(
		&w->state, &w->limits, now, w->limits.every_ns ? find_local_offset(now) : 0);
	if (writes_pcapng(w))
		put_section(w);
	else
		put_pcap_header(w, &w->interfaces.list[interface]);
	w->is_in_file = true;
	w->files_begun++;
	return true;
}

/* Returns true if the file ends before a packet. */
static bool is_file_full(struct bpe_writer *w, size_t bytes)
{
	if (!w->has_limits)
		return false;
	w->state.tail = w->tail;
	return bpei_limits_reached(&w->limits, &w->state, bytes, bpei_encoder_now(w));
}

void bpei_encoder_end_recorded(struct bpe_writer *w)
{
	if (!w->is_triggered)
		return;
	w->is_over = w->o.stop_files && w->files_begun >= w->o.stop_files;
	w->owes_end = true;
	bpei_encoder_pay_end(w);
	w->is_triggered = false;
}

/* Ends the file of a trigger, or the slice of a chunk, before a packet.  Returns true if either
 * ended. */
static bool ends_recorded_part(struct bpe_writer *w, int64_t time_ns)
{
	if (w->is_triggered && time_ns > w->until_ns) {
		bpei_encoder_end_recorded(w);
		return true;
	}
	if (w->is_triggered || !w->current ||
		!bpei_recorder_ends_slice(&w->recorder, &w->current->chunk, time_ns))
		return false;
	bpei_encoder_hand_on(w);
	return true;
}

/* Ends the file of a trigger, and forgets old packets, by the clock. */
static void tick_recording(struct bpe_writer *w)
{
	if (!w->head || w->o.packet_clock)
		return;
	const int64_t now = bpei_encoder_now(w);

	if (w->is_triggered && now > w->until_ns)
		bpei_encoder_end_recorded(w);
	bpei_recording_forget(w, now);
}

int bpei_encoder_prepare(struct bpe_writer *w, uint32_t interface, size_t bytes, int64_t time_ns)
{
	for (;;) {
		/* After a wait all may have changed, and the list may have moved. */
		struct bpei_writer_interface *i = &w->interfaces.list[interface];
		size_t need = bytes;

		if (w->is_over)
			return BPEI_ENCODED_OVER;
		if (w->status != BPE_OK)
			return BPE_UNWRITTEN_ERROR;
		if (!writes_pcapng(w) && w->pcap_link >= 0 && w->pcap_link != i->told.link_type)
			return BPE_UNWRITTEN_LINK;
		if (time_ns > w->packet_ns)
			w->packet_ns = time_ns;
		if (w->head && ends_recorded_part(w, time_ns))
			continue;
		if (w->is_in_file && is_file_full(w, bytes)) {
			bpei_encoder_end_file(w);
			continue;
		}
		i->is_used = true;
		if (!w->is_in_file && !bpei_encoder_begin_file(w, interface)) {
			if (!change_chunk(w))
				return BPE_UNWRITTEN_FULL;
			continue;
		}
		if (writes_pcapng(w) && !i->in_section)
			need += BPEI_DESCRIPTION_MOST;
		if (!w->current || count_room(w) < need) {
			if (!change_chunk(w))
				return BPE_UNWRITTEN_FULL;
			continue;
		}
		if (writes_pcapng(w) && !i->in_section) {
			if (w->head && !put_recorded_interface(w, i))
				return BPE_UNWRITTEN_FULL;
			if (!w->head)
				put_interface(w, i);
			continue;
		}
		return BPEI_ENCODED;
	}
}

/* ---- Blocks between packets, and the clock ---- */

/* Makes room for a block that may be left out.  Returns false without. */
static bool make_block_room(struct bpe_writer *w, size_t bytes)
{
	const bool is_recording = w->head && !w->is_triggered;

	if (!writes_pcapng(w) || !w->is_in_file || is_recording || w->split || w->status != BPE_OK)
		return false;
	if (w->current && count_room(w) < bytes)
		bpei_encoder_hand_on(w);
	return w->current || take_chunk(w);
}

void bpei_encoder_put_counts(struct bpe_writer *w, struct bpei_writer_interface *interface)
{
	if (!interface->in_section || !make_block_room(w, STATISTICS_BYTES))
		return;
	add_block(w, bpei_interfaces_put_counts(
			     find_next_byte(w), count_room(w), interface, bpei_encoder_now(w)));
}

void bpei_encoder_put_name(struct bpe_writer *w, const struct bpei_known_name *name)
{
	struct bpei_block_out out;
	const size_t bytes = strlen(name->name) + 64;

	if (!make_block_room(w, bytes))
		return;
	bpei_names_begin(&out, find_next_byte(w), bytes);
	if (!bpei_names_put(&out, name->addr, (int)name->ip_version, name->name))
		return;
	w->current->chunk.describes = true;
	add_block(w, bpei_names_finish(&out));
}

void bpei_encoder_pass_blocks(struct bpe_writer *w)
{
	/* a recorder passes the blocks of the section's beginning alone */
	if (w->head || !w->source || !bpei_passing_waits(&w->passing, w->source))
		return;
	while (writes_pcapng(w) && w->is_in_file && w->status == BPE_OK) {
		if (!w->current && !change_chunk(w))
			return; /* the next batch tries again */
		if (w->current && pass_into_chunk(w, count_room(w)))
			return;
		if (w->current && !change_chunk(w))
			return;
	}
}

void bpei_encoder_tick(struct bpe_writer *w)
{
	const bool is_recording = w->head && !w->is_triggered;
	const bool is_steady = is_recording || (w->o.packet_clock && w->packer);

	tick_recording(w);
	if (w->is_in_file && w->has_limits && !w->o.packet_clock &&
		bpei_limits_reached(&w->limits, &w->state, 0, bpei_encoder_now(w)))
		bpei_encoder_end_file(w);
	if (w->owes_end && !w->current && take_chunk(w) && !w->head)
		w->tail = 0;
	/* The frames of a compressed file must not depend on the clock if its packets do not. */
	if (w->current && w->current->chunk.used && !is_steady &&
		bpei_clock_mono_ns() - w->current_since_ns >= PATIENCE_NS)
		bpei_encoder_hand_on(w);
}
