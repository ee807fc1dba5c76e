/* SPDX-License-Identifier: MIT */
/* Packets into chunks.  Runs of plain packets of an interface take a short loop; whatever needs a
 * decision for each packet takes the long way. */
#include "writer/splitting.h"

#include "base/cacheline.h"
#include "records/pcapng_kept.h"
#include "write/batch_out.h"
#include "write/pcap_out.h"
#include "writer/rewriting.h"

#include <string.h>

#define FLAGS_OPTION 12u  /* bytes of epb_flags with the end of options */
#define OPTIONS_ROOM 256u /* of all other options but the comment and raw ones */
#define NO_PLACE UINT32_MAX
#define HEAD_SPARE 65536u /* of the recorder's head: more than the processes of a packet take */

/* Removes addresses from an interface's description. */
static void hide_interface(struct bpe_write_interface *told)
{
	told->has_mac = 0;
	told->filter_text = NULL;
	told->filter = NULL;
	told->filter_length = 0;
}

/* Returns the place of the packet's interface in the writer's list; NO_PLACE: no memory. */
static uint32_t find_place(struct bpe_writer *w, const struct bpei_offered *p)
{
	struct bpei_writer_interface *found =
		bpei_interfaces_find(&w->interfaces, p->out.interface_id, p->link_type);
	const bool is_anonymous = bpei_rewriting_anonymises(w->rewriting);
	struct bpe_write_interface told;

	if (!found) {
		bpe_write_interface_init(&told);
		if (p->batch)
			bpe_batch_interface(p->batch, p->number, &told);
		told.interface_id = p->out.interface_id;
		told.link_type = p->link_type;
		if (is_anonymous)
			hide_interface(&told);
		found = bpei_interfaces_add(&w->interfaces, &told);
		if (found && p->batch && !is_anonymous)
			bpei_interfaces_keep_rest(
				found, bpei_batch_kept_interface(p->batch, p->number));
	}
	return found ? (uint32_t)(found - w->interfaces.list) : NO_PLACE;
}

/* Takes note of n packets that are encoded in `bytes` at the end of the current chunk. */
static void count_encoded(struct bpe_writer *w, uint32_t n, size_t bytes)
{
	w->current->chunk.used += bytes;
	w->current->chunk.packets += n;
	w->state.bytes += bytes;
	w->state.packets += n;
	w->stats.waiting += n;
}

/* Extends the chunk's span of times.  Called before count_encoded. */
static void note_times(struct bpei_chunk *chunk, int64_t first_ns, int64_t last_ns)
{
	if (!chunk->packets || first_ns < chunk->first_ns)
		chunk->first_ns = first_ns;
	if (!chunk->packets || last_ns > chunk->last_ns)
		chunk->last_ns = last_ns;
}

/* Returns whether the packet has metadata, to be written in pcapng. */
static bool has_packet_more(const struct bpe_writer *w, const struct bpei_offered *p)
{
	const bool is_head_full = w->head && BPEI_CHUNK_BYTES - w->head->chunk.used < HEAD_SPARE;

	if (w->format != BPE_WRITE_PCAPNG || is_head_full)
		return false;
	return p->meta || (p->batch && bpei_batch_packet_has_more(p->batch, p->number));
}

/* Returns the packet as the encoder of metadata has it. */
static struct bpei_batch_packet make_batch_packet(
	const struct bpe_writer *w, const struct bpei_offered *p)
{
	const struct bpei_batch_packet packet = { .batch = p->batch,
		.i = p->number,
		.out = p->out,
		.extra = p->extra,
		.is_changed = bpei_rewriting_anonymises(w->rewriting) };

	return packet;
}

/* Writes a packet with metadata. */
static size_t put_packet_more(
	struct bpe_writer *w, const struct bpei_offered *p, uint8_t *to, size_t room)
{
	const struct bpei_batch_packet packet = make_batch_packet(w, p);

	if (p->meta)
		return bpei_meta_packet_put(&w->processes, to, room, &p->out, &p->extra, p->meta);
	return bpei_batch_packet_put(&w->processes, to, room, &packet);
}

/* Writes the packet's bytes, for which there is room.  Returns their number. */
static size_t put_offered(
	struct bpe_writer *w, struct bpei_writer_interface *i, struct bpei_offered *p, size_t room)
{
	struct bpei_chunk *chunk = &w->current->chunk;
	uint8_t *to = chunk->bytes + chunk->used;

	if (w->format != BPE_WRITE_PCAPNG)
		return bpei_pcap_put_packet(to, w->format == BPE_WRITE_PCAP_NS, p->time_ns,
			p->out.data, p->out.caplen, p->out.wirelen);
	p->out.interface_id = i->place;
	p->out.stamp = bpei_stamp(p->time_ns, (uint8_t)i->told.time_digits);
	if (p->batch && i->told.directions && !(p->extra.has & BPEI_HAS_FLAGS)) {
		p->extra.has |= BPEI_HAS_FLAGS;
		p->extra.flags = BPEI_EPB_IN;
	}
	if (has_packet_more(w, p))
		return put_packet_more(w, p, to, room);
	if (p->extra.has || p->extra.comment || p->extra.raw.bytes)
		return bpei_packet_put(to, room, &p->out, &p->extra);
	return bpei_packet_put_plain(to, &p->out, 0);
}

/* Returns the bytes of process blocks in front of a packet's block. */
static size_t count_process_bytes(const struct bpe_writer *w, const uint8_t *blocks, size_t bytes)
{
	uint32_t head[2]; /* type and length, of this machine's byte order */
	size_t n = 0;

	while (w->format == BPE_WRITE_PCAPNG && n + 12 <= bytes) {
		memcpy(head, blocks + n, sizeof head);
		if (head[0] != BPEI_BLOCK_PROCESS)
			break;
		n += head[1];
	}
	return n;
}

/* Writes the packet behind a record, and new processes behind a record for all files. */
static void put_split(
	struct bpe_writer *w, struct bpei_writer_interface *i, struct bpei_offered *p, size_t room)
{
	struct bpei_chunk *chunk = &w->current->chunk;
	const size_t record = sizeof(struct bpei_split_record);
	uint8_t *to = chunk->bytes + chunk->used;

	chunk->used += record;
	size_t bytes = put_offered(w, i, p, room - 2 * record);
	const size_t processes = count_process_bytes(w, to + record, bytes);

	if (processes) {
		bytes -= processes;
		memmove(to + processes + 2 * record, to + record + processes, bytes);
		bpei_splitting_put_record(w, to, NULL, processes);
		to += record + processes;
		chunk->used += record + processes;
	}
	bpei_splitting_put_record(w, to, p, bytes);
	count_encoded(w, 1, bytes);
}

/* Writes the packet for the recorder.  New processes go to the head of the recorder. */
static void put_recorded(
	struct bpe_writer *w, struct bpei_writer_interface *i, struct bpei_offered *p, size_t room)
{
	uint8_t *const to = w->current->chunk.bytes + w->current->chunk.used;
	struct bpei_chunk *const head = &w->head->chunk;
	size_t bytes = put_offered(w, i, p, room);
	const size_t processes = count_process_bytes(w, to, bytes);

	memcpy(head->bytes + head->used, to, processes);
	head->used += processes;
	if (processes && !w->is_triggered) {
		bytes -= processes;
		memmove(to, to + processes, bytes);
	}
	count_encoded(w, 1, bytes);
}

/* Returns the room that a packet may need. */
static size_t choose_room(const struct bpe_writer *w, const struct bpei_offered *p)
{
	const size_t record = w->split ? 2 * sizeof(struct bpei_split_record) : 0;
	size_t room = bpei_packet_bytes(p->out.caplen) + OPTIONS_ROOM + record;

	if (w->format != BPE_WRITE_PCAPNG)
		return BPEI_PCAP_OUT_RECORD + p->out.caplen + record;
	if (p->meta)
		room += BPEI_META_PACKET_MORE;
	else if (has_packet_more(w, p)) {
		const struct bpei_batch_packet packet = make_batch_packet(w, p);

		return bpei_batch_packet_room(&packet) + record;
	}
	if (p->extra.comment)
		room += strlen(p->extra.comment) + 8;
	return room + p->extra.raw.length;
}

int bpei_packets_encode(struct bpe_writer *w, struct bpei_offered *p)
{
	if (w->is_over)
		return BPE_E_END;
	if (bpei_rewriting_anonymises(w->rewriting)) {
		bpei_rewriting_anonymise(w->rewriting, &p->out, p->link_type);
		p->extra.comment = NULL;
		p->extra.raw.length = 0;
		p->extra.raw.bytes = NULL;
	}
	if (w->o.snaplen && p->out.caplen > w->o.snaplen)
		p->out.caplen = w->o.snaplen;
	if (p->extra.comment && strlen(p->extra.comment) > UINT16_MAX)
		p->extra.comment = NULL;
	const uint32_t place = find_place(w, p);
	const size_t room = choose_room(w, p);
	int encoded = BPE_UNWRITTEN_FULL;

	if (place != NO_PLACE)
		encoded = bpei_encoder_prepare(w, place, room, p->time_ns);
	if (encoded == BPEI_ENCODED_OVER)
		return BPE_E_END;
	w->stats.offered++;
	if (encoded != BPEI_ENCODED) {
		w->stats.unwritten[encoded]++;
		return BPE_OK;
	}
	struct bpei_writer_interface *i = &w->interfaces.list[place];

	note_times(&w->current->chunk, p->time_ns, p->time_ns);
	w->current->chunk.captured_bytes += p->out.caplen;
	if (w->split)
		put_split(w, i, p, room);
	else if (w->head)
		put_recorded(w, i, p, room);
	else
		count_encoded(w, 1, put_offered(w, i, p, room));
	i->written++;
	i->last_ns = p->time_ns;
	return BPE_OK;
}

bool bpei_packets_is_copy(struct bpe_writer *w, const struct bpei_offered *p)
{
	if (!w->rewriting || w->is_over || w->status != BPE_OK)
		return false;
	if (!bpei_rewriting_is_copy(w->rewriting, &p->out, p->time_ns, p->link_type))
		return false;
	w->stats.offered++;
	w->stats.unwritten[BPE_UNWRITTEN_DUPLICATE]++;
	return true;
}

/* ---- Batches ---- */

/* Finds and counts the copies among packets first to end - 1.  Returns a bit for each. */
static uint64_t find_batch_copies(
	struct bpe_writer *w, const struct bpe_batch *b, uint32_t first, uint32_t end)
{
	uint64_t copies = 0;

	for (uint32_t i = first; w->rewriting && i < end; i++) {
		const struct bpei_offered p = { .out = { .data = b->data[i],
							.caplen = b->caplen[i],
							.wirelen = b->wirelen[i] },
			.time_ns = b->time_ns[i],
			.link_type = b->layers[i].link_type };

		copies |= (uint64_t)bpei_packets_is_copy(w, &p) << i;
	}
	return copies;
}

/* Sets the hash of a packet's flow, which is equal in both directions: Toeplitz, and the value in
 * network byte order. */
static void set_flow_hash(struct bpei_packet_extra *extra, const struct bpe_key *key)
{
	enum { TOEPLITZ = 5, VALUE = 4 };

	const uint32_t value = bpe_toeplitz(key, false, NULL);

	extra->has |= BPEI_HAS_HASH;
	extra->hash[0] = TOEPLITZ;
	for (int k = 0; k < VALUE; k++)
		extra->hash[1 + k] = (uint8_t)(value >> (8 * (VALUE - 1 - k)));
	extra->hash_bytes = 1 + VALUE;
}

/* Encodes a packet of a batch that is no plain packet. */
static int encode_single(
	struct bpe_writer *w, const struct bpe_batch *b, uint32_t i, uint64_t lost_before)
{
	const uint16_t flags = b->layers[i].flags;
	struct bpei_offered p = { .out = { .data = b->data[i],
					  .interface_id = b->interface_id[i],
					  .caplen = b->caplen[i],
					  .wirelen = b->wirelen[i] },
		.time_ns = b->time_ns[i],
		.link_type = b->layers[i].link_type,
		.batch = b,
		.number = i };

	if (BPE_HAS(b, keep) && b->keep) {
		if (!b->keep[i] && !w->is_over) {
			w->stats.offered++;
			w->stats.unwritten[BPE_UNWRITTEN_CUTOFF]++;
			return BPE_OK;
		}
		if (b->keep[i] < p.out.caplen)
			p.out.caplen = b->keep[i];
	}
	if (flags & BPE_PKT_OUTGOING) {
		p.extra.has |= BPEI_HAS_FLAGS;
		p.extra.flags = BPEI_EPB_OUT;
	}
	if (lost_before) {
		p.extra.has |= BPEI_HAS_DROPCOUNT;
		p.extra.dropcount = lost_before;
	}
	if (w->o.hash && flags & BPE_PKT_KEY)
		set_flow_hash(&p.extra, &b->key[i]);
	return bpei_packets_encode(w, &p);
}

/* Returns the known interface of packet i in the present file, or NULL. */
static struct bpei_writer_interface *find_ready(
	struct bpe_writer *w, const struct bpe_batch *b, uint32_t i)
{
	struct bpei_writer_interface *recent = w->interfaces.recent;

	if (!w->is_in_file || !w->current || w->is_over || w->status != BPE_OK)
		return NULL;
	if (!recent || recent->told.interface_id != b->interface_id[i] ||
		recent->told.link_type != b->layers[i].link_type)
		recent = bpei_interfaces_find(
			&w->interfaces, b->interface_id[i], b->layers[i].link_type);
	if (recent)
		w->interfaces.recent = recent;
	return recent && recent->in_section ? recent : NULL;
}

/* Encodes plain packets of a single interface from i on, as many as the current chunk has room for.
 * Returns their number. */
static uint32_t encode_run(
	struct bpe_writer *w, const struct bpe_batch *b, uint32_t i, uint32_t end)
{
	struct bpei_writer_interface *interface = find_ready(w, b, i);
	const uint32_t first = i;

	if (!interface)
		return 0;
	const uint32_t id = b->interface_id[i];
	const uint16_t link_type = b->layers[i].link_type;
	const uint32_t snaplen = w->o.snaplen ? w->o.snaplen : UINT32_MAX;
	const uint8_t digits = (uint8_t)interface->told.time_digits;
	const uint32_t in_flags = interface->told.directions ? BPEI_EPB_IN : 0;
	struct bpei_chunk *chunk = &w->current->chunk;
	const size_t room = BPEI_CHUNK_BYTES - w->tail - chunk->used;
	uint8_t *const to = chunk->bytes + chunk->used;
	uint64_t captured = 0;
	int64_t least = b->time_ns[i];
	int64_t most = least;
	size_t used = 0;

	for (; i < end && b->interface_id[i] == id && b->layers[i].link_type == link_type; i++) {
		struct bpei_packet_out out = { .data = b->data[i],
			.stamp = bpei_stamp(b->time_ns[i], digits),
			.interface_id = interface->place,
			.caplen = b->caplen[i] < snaplen ? b->caplen[i] : snaplen,
			.wirelen = b->wirelen[i] };
		uint32_t flags = in_flags;

		if (room < used + bpei_packet_bytes(out.caplen) + FLAGS_OPTION ||
			bpei_batch_packet_has_more(b, i))
			break;
		if (b->layers[i].flags & BPE_PKT_OUTGOING)
			flags = BPEI_EPB_OUT;
		used += bpei_packet_put_plain(to + used, &out, flags);
		captured += out.caplen;
		least = b->time_ns[i] < least ? b->time_ns[i] : least;
		most = b->time_ns[i] > most ? b->time_ns[i] : most;
	}
	if (i == first)
		return 0;
	note_times(chunk, least, most);
	chunk->captured_bytes += captured;
	count_encoded(w, i - first, used);
	w->stats.offered += i - first;
	interface->written += i - first;
	interface->last_ns = b->time_ns[i - 1];
	if (most > w->packet_ns)
		w->packet_ns = most;
	return i - first;
}

/* Returns the first place from i on where the bit is as `set`, at most end. */
static uint32_t skip_bits(uint64_t bits, uint32_t i, uint32_t end, bool set)
{
	while (i < end && (bits >> i & 1) != set)
		i++;
	return i;
}

int bpei_packets_encode_batch(
	struct bpe_writer *w, const struct bpe_batch *b, uint32_t first, uint32_t end)
{
	const bool is_plain = w->format == BPE_WRITE_PCAPNG && !w->has_limits && !w->head &&
			      !w->split && !w->o.hash && !(BPE_HAS(b, keep) && b->keep) &&
			      !bpei_rewriting_anonymises(w->rewriting);
	const uint64_t copies = find_batch_copies(w, b, first, end);
	uint64_t lost_before = BPE_HAS(b, lost_before) && !first ? b->lost_before : 0;
	uint32_t i = skip_bits(copies, first, end, false);

	/* Names, secrets and comments of a source would undo the work. */
	if (!bpei_rewriting_anonymises(w->rewriting))
		w->source =
			BPE_HAS(b, source) ? (const struct bpei_packet_source *)b->source : NULL;
	bpei_encoder_pass_blocks(w);
	while (i < end) {
		const uint32_t stop = skip_bits(copies, i, end, true);
		const uint32_t run = is_plain && !lost_before ? encode_run(w, b, i, stop) : 0;

		if (!run && encode_single(w, b, i, lost_before) != BPE_OK)
			return BPE_E_END;
		lost_before = 0;
		i = skip_bits(copies, i + (run ? run : 1), end, false);
	}
	return BPE_OK;
}
