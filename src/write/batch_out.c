/* SPDX-License-Identifier: MIT */
/* Writes packets with their metadata (batch_out.h).
 *
 * A pcapng file's options are copied in their order.  Numbers get this machine's byte order, and
 * processes their places in the new section.  Left out are options of a wrong length, since
 * Wireshark calls a file with a wrong length of Apple's options damaged.  Left out are also options
 * that forbid copies, and options of unknown byte order in a section of another order.  The last
 * options are left out if there is no room. */
#include "write/batch_out.h"

#include "base/pktap.h"
#include "records/macos_meta.h"
#include "records/packet_source.h"
#include "records/pcapng_options.h"

#define PROCESS_BLOCK_MOST 128u /* bytes of a process block with a name and a UUID */
#define OPTIONS_MOST 400u       /* of added options without text */
#define OPTIONS_TAIL 8u         /* the end of the options, and the block's second length */
#define CUSTOM_NOT_COPIED 0x4000u
enum { OUT_CUSTOM_TEXT = 2988, OUT_CUSTOM_BYTES = 2989 };
enum { VERDICT_TC = 1, VERDICT_XDP = 2, VERDICT_BYTES = 9 };

/* A packet being written, behind the blocks of new processes. */
struct packet_writing {
	struct bpei_process_table *processes;
	uint8_t *to;
	size_t room, used; /* used: by process blocks */
	uint32_t added;    /* processes */
	bool is_full;
};

/* ---- Processes ---- */

/* Returns the place of a process, with its block written if the section lacks the process;
 * BPEI_NO_PROCESS: not possible. */
static uint32_t place_process(struct packet_writing *w, const struct bpei_process_info *process)
{
	bool is_new;
	const uint32_t place = bpei_process_table_add(w->processes, process, &is_new);

	if (!is_new)
		return place;
	w->added++;
	const size_t bytes = bpei_process_put(w->to + w->used, w->room - w->used, process->pid,
		process->name, process->has_uuid ? process->uuid : NULL);

	w->is_full |= !bytes;
	w->used += bytes;
	return place;
}

/* Takes back the section's new processes: the packet was not written. */
static size_t give_up_packet(struct packet_writing *w)
{
	for (; w->added; w->added--)
		bpei_process_table_undo(w->processes);
	return 0;
}

/* Returns the process of a source's option; NULL: the option is no process, or there is none. */
static const struct bpei_process_info *find_option_process(
	const struct bpei_batch_packet *p, const struct bpei_option_in *o, bool big)
{
	struct bpei_cursor value = o->value;
	uint32_t interface_id;
	const struct bpei_packet_source *source =
		bpei_packet_source_of_batch(p->batch, p->i, &interface_id);

	if (!source || !source->kept || bpei_cursor_left(&value) != 4)
		return NULL;
	return bpei_pcapng_kept_find(source->kept, interface_id, bpei_cursor_u32(&value, big));
}

static bool is_process_option(uint16_t code)
{
	return code == BPEI_OPTION_APPLE_PROCESS || code == BPEI_OPTION_APPLE_EFFECTIVE;
}

/* Writes the blocks of the packet's processes that the section lacks. */
static void place_source_processes(struct packet_writing *w, const struct bpei_batch_packet *p)
{
	struct bpei_options_in options =
		bpei_packet_options_begin(p->batch->data[p->i], p->batch->meta[p->i]);
	struct bpei_option_in o;

	while (bpei_options_next(&options, &o)) {
		const struct bpei_process_info *process = NULL;

		if (is_process_option(o.code))
			process = find_option_process(p, &o, options.big);
		if (process)
			place_process(w, process);
	}
}

/* ---- Options of a pcapng file ---- */

/* Returns how many bytes an option's number has: 2, 4 or 8, or two numbers of 4 (the word 0x44); 0:
 * the value has no byte order; -1: not known. */
static int packet_option_number(uint16_t code)
{
	switch (code) {
	case BPEI_OPTION_COMMENT:
	case BPEI_OPTION_HASH:
	case BPEI_OPTION_APPLE_DROP_FUNCTION:
		return 0;
	case BPEI_OPTION_APPLE_TRACE_TAG:
	case BPEI_OPTION_APPLE_DROP_LINE:
		return 2;
	case BPEI_OPTION_FLAGS:
	case BPEI_OPTION_QUEUE:
	case BPEI_OPTION_APPLE_SERVICE_CLASS:
	case BPEI_OPTION_APPLE_FLAGS:
	case BPEI_OPTION_APPLE_FLOW:
	case BPEI_OPTION_APPLE_DROP_REASON:
	case BPEI_OPTION_APPLE_COMPRESSION:
		return 4;
	case BPEI_OPTION_DROPCOUNT:
	case BPEI_OPTION_PACKETID:
		return 8;
	case BPEI_OPTION_PROCESS_THREAD:
		return 0x44;
	default:
		return -1;
	}
}

/* Appends a number of this many bytes.  Returns whether the option has so many. */
static void pass_number(
	struct bpei_block_out *out, const struct bpei_option_in *o, bool big, int bytes)
{
	struct bpei_cursor value = o->value;
	const size_t n = bpei_cursor_left(&value);

	if (n != (size_t)(bytes == 0x44 ? 8 : bytes))
		return;
	if (bytes == 2) {
		const uint16_t number = bpei_cursor_u16(&value, big);

		bpei_block_put_option(out, o->code, &number, sizeof number);
	} else if (bytes == 4) {
		bpei_block_put_option32(out, o->code, bpei_cursor_u32(&value, big));
	} else if (bytes == 8) {
		bpei_block_put_option64(out, o->code, bpei_cursor_u64(&value, big));
	} else {
		const uint32_t first = bpei_cursor_u32(&value, big);
		const uint32_t both[2] = { first, bpei_cursor_u32(&value, big) };

		bpei_block_put_option(out, o->code, both, sizeof both);
	}
}

/* Appends a verdict: an octet with the kind, then a number of Linux's, or a network card's bytes.
 */
static void pass_verdict(struct bpei_block_out *out, const struct bpei_option_in *o, bool big)
{
	struct bpei_cursor value = o->value;
	const size_t n = bpei_cursor_left(&value);
	uint8_t own[VERDICT_BYTES] = { bpei_cursor_u8(&value) };

	if (!n)
		return;
	if (own[0] != VERDICT_TC && own[0] != VERDICT_XDP) {
		bpei_block_put_option(out, o->code, o->value.next, n);
		return;
	}
	if (n != VERDICT_BYTES)
		return;
	const uint64_t number = bpei_cursor_u64(&value, big);

	memcpy(own + 1, &number, sizeof number);
	bpei_block_put_option(out, o->code, own, sizeof own);
}

/* Appends an option with an enterprise's number.  The byte order of the rest is not known. */
static void pass_custom(struct bpei_block_out *out, const struct bpei_option_in *o,
	const struct bpei_options_in *options, bool swapped)
{
	struct bpei_cursor value = o->value;
	const size_t n = bpei_cursor_left(&value);
	const uint32_t enterprise = bpei_cursor_u32(&value, options->big);

	if (value.bad || (swapped && o->code != OUT_CUSTOM_TEXT))
		return;
	bpei_block_put16(out, o->code);
	bpei_block_put16(out, (uint16_t)n);
	bpei_block_put32(out, enterprise);
	bpei_block_put_bytes(out, value.next, n - 4);
}

/* Appends an option that is neither a process nor custom. */
static void pass_option(struct bpei_block_out *out, const struct bpei_option_in *o,
	const struct bpei_options_in *options, bool swapped)
{
	const int bytes = packet_option_number(o->code);

	if (o->code == BPEI_OPTION_HASH && !bpei_cursor_left(&o->value))
		return; /* an octet with the algorithm is the least */
	if (o->code == BPEI_OPTION_VERDICT)
		pass_verdict(out, o, options->big);
	else if (bytes > 0)
		pass_number(out, o, options->big, bytes);
	else if (bytes == 0 || !swapped)
		bpei_block_put_option(out, o->code, o->value.next, bpei_cursor_left(&o->value));
}

/* Appends a process by the place in the section, which has the process's block. */
static void pass_process(struct packet_writing *w, struct bpei_block_out *out,
	const struct bpei_batch_packet *p, const struct bpei_option_in *o, bool big)
{
	const struct bpei_process_info *process = find_option_process(p, o, big);
	bool is_new = false;
	uint32_t place = BPEI_NO_PROCESS;

	if (process)
		place = bpei_process_table_add(w->processes, process, &is_new);
	if (is_new) /* there was no room for the process before */
		bpei_process_table_undo(w->processes);
	else if (place != BPEI_NO_PROCESS)
		bpei_block_put_option32(out, o->code, place);
}

/* Returns whether the code is of an enterprise's option, whether copies are forbidden or not. */
static bool is_custom_option(uint16_t code)
{
	const uint32_t copied = code & ~CUSTOM_NOT_COPIED;

	return copied == OUT_CUSTOM_TEXT || copied == OUT_CUSTOM_BYTES;
}

/* Appends the source's options.  Returns the BPEI_HAS_* of options that need not be added. */
static uint32_t pass_options(
	struct packet_writing *w, struct bpei_block_out *out, const struct bpei_batch_packet *p)
{
	const uint16_t meta = p->batch->meta[p->i];
	const bool swapped = meta & BPEI_META_SWAPPED;
	struct bpei_options_in options = bpei_packet_options_begin(p->batch->data[p->i], meta);
	struct bpei_option_in o;
	uint32_t has = 0;

	while (bpei_options_next(&options, &o)) {
		if ((size_t)(out->end - out->next) < bpei_cursor_left(&o.value) + 8 + OPTIONS_TAIL)
			break;
		if (is_process_option(o.code)) {
			pass_process(w, out, p, &o, options.big);
		} else if (is_custom_option(o.code)) {
			if (!(o.code & CUSTOM_NOT_COPIED) && !p->is_changed)
				pass_custom(out, &o, &options, swapped);
		} else if (!p->is_changed || packet_option_number(o.code) > 0) {
			pass_option(out, &o, &options, swapped);
		}
		if (o.code == BPEI_OPTION_FLAGS)
			has |= BPEI_HAS_FLAGS;
		if (o.code == BPEI_OPTION_DROPCOUNT)
			has |= BPEI_HAS_DROPCOUNT;
		if (o.code == BPEI_OPTION_HASH && !p->is_changed)
			has |= BPEI_HAS_HASH;
	}
	return has;
}

/* Writes a packet of a pcapng file. */
static size_t put_pcapng_packet(struct packet_writing *w, const struct bpei_batch_packet *p)
{
	const uint16_t drops = bpei_packet_old_drops(p->batch->data[p->i], p->batch->meta[p->i]);
	struct bpei_packet_extra extra = p->extra;
	struct bpei_block_out out;

	if (drops && !(extra.has & BPEI_HAS_DROPCOUNT)) {
		extra.has |= BPEI_HAS_DROPCOUNT;
		extra.dropcount = drops;
	}
	place_source_processes(w, p);
	bpei_packet_begin(&out, w->to + w->used, w->room - w->used, &p->out);
	const uint8_t *options = out.next;

	extra.has &= ~pass_options(w, &out, p);
	bpei_packet_put_extra(&out, &extra);
	const size_t bytes = bpei_block_finish(&out, out.next > options);

	return bytes && !w->is_full ? w->used + bytes : 0;
}

/* ---- Metadata of a device, or of a pushed packet ---- */

/* Returns a process of the metadata. */
static struct bpei_process_info make_process(
	int32_t pid, const char *name, size_t name_room, const uint8_t *uuid)
{
	struct bpei_process_info process = { .pid = (uint32_t)pid, .has_uuid = uuid != NULL };
	const size_t n = strnlen(name, name_room);

	memcpy(process.name, name, n < sizeof process.name ? n : sizeof process.name - 1);
	if (uuid)
		memcpy(process.uuid, uuid, sizeof process.uuid);
	return process;
}

/* Adds the process and the effective process, each with a block. */
static void add_processes(struct packet_writing *w, const struct bpe_meta *m,
	const struct bpei_meta_more *more, struct bpei_packet_extra *x)
{
	if (m->flags & BPE_META_PROCESS) {
		const struct bpei_process_info process =
			make_process(m->pid, m->comm, sizeof m->comm, more->uuid);

		x->process = place_process(w, &process);
		x->has |= BPEI_HAS_PROCESS_THREAD;
		x->pid = (uint32_t)m->pid;
		x->tid = m->thread_id;
		if (x->process != BPEI_NO_PROCESS)
			x->has |= BPEI_HAS_PROCESS;
	}
	if (m->effective_pid > 0) {
		const struct bpei_process_info process = make_process(m->effective_pid,
			m->effective_comm, sizeof m->effective_comm, more->effective_uuid);

		x->effective = place_process(w, &process);
		if (x->effective != BPEI_NO_PROCESS)
			x->has |= BPEI_HAS_EFFECTIVE;
	}
}

/* Returns the packet's flags in Apple's bits. */
static uint32_t choose_apple_flags(uint32_t flags, uint32_t pktap_flags)
{
	static const uint32_t bits[][2] = { { BPE_META_NEW_FLOW, BPEI_APPLE_NEW_FLOW },
		{ BPE_META_KEEP_ALIVE, BPEI_APPLE_KEEP_ALIVE },
		{ BPE_META_RETRANSMIT, BPEI_APPLE_RETRANSMIT },
		{ BPE_META_WAKE, BPEI_APPLE_WAKE } };
	uint32_t apple = 0;

	for (size_t k = 0; k < sizeof bits / sizeof *bits; k++)
		if (flags & bits[k][0])
			apple |= bits[k][1];
	if (pktap_flags & PKTAP_SOCKET)
		apple |= BPEI_APPLE_SOCKET;
	if (pktap_flags & PKTAP_NEXUS)
		apple |= BPEI_APPLE_NEXUS;
	return apple;
}

static void add_known_number(
	struct bpei_packet_extra *x, uint32_t bit, uint32_t *member, uint32_t value)
{
	if (!value)
		return;
	*member = value;
	x->has |= bit;
}

/* Adds the metadata to the packet's options. */
static void add_meta(struct packet_writing *w, const struct bpe_meta *m,
	const struct bpei_meta_more *more, struct bpei_packet_extra *x)
{
	add_processes(w, m, more, x);
	if (m->flags & BPE_META_DIRECTION) {
		x->has |= BPEI_HAS_FLAGS;
		x->flags = m->flags & BPE_META_OUT ? BPEI_EPB_OUT : BPEI_EPB_IN;
	}
	add_known_number(x, BPEI_HAS_SERVICE_CLASS, &x->service_class, m->service_class);
	if (more->has_service_class)
		x->has |= BPEI_HAS_SERVICE_CLASS;
	if (m->service_class == UINT32_MAX)
		x->has &= ~BPEI_HAS_SERVICE_CLASS;
	add_known_number(x, BPEI_HAS_FLOW, &x->flow, m->flow_id);
	add_known_number(x, BPEI_HAS_DROP_REASON, &x->drop_reason, m->drop_reason);
	add_known_number(x, BPEI_HAS_COMPRESSION, &x->compression, more->compression);
	add_known_number(x, BPEI_HAS_APPLE_FLAGS, &x->apple_flags,
		choose_apple_flags(m->flags, more->pktap_flags));
	if (m->trace_tag && m->trace_tag <= UINT16_MAX) {
		x->trace_tag = (uint16_t)m->trace_tag;
		x->has |= BPEI_HAS_TRACE_TAG;
	}
}

/* Writes a packet with metadata. */
static size_t put_meta_packet(struct packet_writing *w, const struct bpei_packet_out *out,
	const struct bpei_packet_extra *extra, const struct bpe_meta *m,
	const struct bpei_meta_more *more)
{
	struct bpei_packet_extra x = *extra;

	add_meta(w, m, more, &x);
	if (w->is_full)
		return 0;
	const size_t bytes = bpei_packet_put(w->to + w->used, w->room - w->used, out, &x);

	return bytes ? w->used + bytes : 0;
}

size_t bpei_batch_packet_room(const struct bpei_batch_packet *p)
{
	const struct bpe_batch *b = p->batch;
	size_t room = bpei_packet_bytes(p->out.caplen) + OPTIONS_MOST + 2 * PROCESS_BLOCK_MOST;

	if (p->extra.comment)
		room += strlen(p->extra.comment) + 8;
	if (b->meta[p->i] >> BPEI_META_EXT_SHIFT == BPEI_EXT_PCAPNG) {
		const struct bpei_options_in options =
			bpei_packet_options_begin(b->data[p->i], b->meta[p->i]);

		room += bpei_cursor_left(&options.rest);
	}
	return room + p->extra.raw.length;
}

size_t bpei_batch_packet_put(struct bpei_process_table *processes, uint8_t *to, size_t room,
	const struct bpei_batch_packet *p)
{
	struct packet_writing w = { .processes = processes, .to = to, .room = room };
	struct bpei_meta_more more;
	struct bpe_meta meta;
	size_t bytes;

	if (p->batch->meta[p->i] >> BPEI_META_EXT_SHIFT == BPEI_EXT_PCAPNG) {
		bytes = put_pcapng_packet(&w, p);
	} else {
		bpei_batch_meta_more(p->batch, p->i, &meta, &more);
		bytes = put_meta_packet(&w, &p->out, &p->extra, &meta, &more);
	}
	return bytes ? bytes : give_up_packet(&w);
}

size_t bpei_meta_packet_put(struct bpei_process_table *processes, uint8_t *to, size_t room,
	const struct bpei_packet_out *out, const struct bpei_packet_extra *extra,
	const struct bpe_meta *meta)
{
	struct packet_writing w = { .processes = processes, .to = to, .room = room };
	const struct bpei_meta_more more = { .has_service_class = false };
	const size_t bytes = put_meta_packet(&w, out, extra, meta, &more);

	return bytes ? bytes : give_up_packet(&w);
}
