/* SPDX-License-Identifier: MIT */
/* Walks the blocks of a pcapng file.  The state (byte order and interfaces of the section) is the
 * caller's.
 *
 * Each block's length is checked against the bytes left and against the copy at the block's end.
 * Only then the body is read, through a cursor.  A walk ends where the link type changes, since a
 * batch has one link type.
 *
 * Of a block longer than BPEI_PCAPNG_MAX_BLOCK the needed head is read.  The rest is skipped, by as
 * many reads as necessary.
 *
 * A packet of a simple packet block has no time, and takes the time of the interface's last packet,
 * or else of the file's.  Packets before the first time take the first time, if
 * both lie in the same block of memory. */
#include "records/walk_pcapng.h"

#include "base/bytes.h"
#include "base/cacheline.h"
#include "base/cursor.h"
#include "records/walk_pcap.h"

#include <stdlib.h>

enum {
	BLOCK_SHB = BPEI_PCAPNG_SHB,
	BLOCK_IDB = 1,
	BLOCK_PB = 2,
	BLOCK_SPB = 3,
	BLOCK_ISB = 5,
	BLOCK_EPB = 6
};
enum { OPTION_END = 0, OPTION_NAME = 2, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };
enum { BLOCK_LEAST = 12, BLOCK_TRAILER = 4 }; /* type and two lengths; the length at the end */
#define LONG_HEAD 65536u                      /* bytes read of a long block without a packet */
#define OVERSIZED_HEAD 8u                     /* of a packet too long for memory: type and length */
#define ORDER_MAGIC 0x1a2b3c4du
#define ORDER_MAGIC_SWAPPED 0x4d3c2b1au

void bpei_pcapng_free(struct bpei_pcapng *ng)
{
	free(ng->interfaces);
	*ng = (struct bpei_pcapng){ .swapped = false };
}

static uint32_t load_section32(const struct bpei_pcapng *ng, const uint8_t *p)
{
	const uint32_t v = bpei_load32(p);

	return ng->swapped ? __builtin_bswap32(v) : v;
}

static bool section_is_big_endian(const struct bpei_pcapng *ng)
{
	return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != ng->swapped;
}

static uint16_t load_section16(const struct bpei_pcapng *ng, const uint8_t *p)
{
	return section_is_big_endian(ng) ? bpei_be16(p) : bpei_le16(p);
}

/* Ends the walk at damage.  Returns 0. */
static uint32_t stop_at_damage(struct bpei_pcapng *ng, const char *why, enum bpei_walk_stop *stop)
{
	ng->why = why;
	*stop = BPEI_WALK_BAD;
	return 0;
}

/* ---- Sections and interfaces ---- */

/* Begins a section: interfaces of the section before are forgotten.  Returns NULL, or the
 * header's fault. */
static const char *begin_section(struct bpei_pcapng *ng, struct bpei_cursor body)
{
	const bool big = section_is_big_endian(ng);

	bpei_cursor_take(&body, 4); /* byte-order magic, read by read_byte_order */
	const uint16_t major = bpei_cursor_u16(&body, big);
	const uint16_t minor = bpei_cursor_u16(&body, big);
	bpei_cursor_take(&body, 8);
	if (body.bad)
		return "a section header block is too short";
	if (major != 1 || (minor != 0 && minor != 2))
		return "the version of the pcapng format is not 1.0 or 1.2";
	ng->before += ng->count;
	ng->count = 0;
	if (ng->kept)
		bpei_pcapng_kept_section(ng->kept, ng->before);
	ng->in_section = true;
	return NULL;
}

/* Takes if_tsresol.  Returns NULL, or the fault. */
static const char *set_resolution(struct bpei_pcapng_interface *i, uint8_t code)
{
	uint8_t power = code & 0x7f;

	i->units = 1;
	if (code & 0x80) {
		if (power > 63)
			return "if_tsresol asks for more than 2^63 units of a second";
		i->units <<= power;
	} else {
		if (power > 19)
			return "if_tsresol asks for more than 10^19 units of a second";
		for (; power; power--)
			i->units *= 10;
	}
	const bool divides = i->units <= 1000000000 && 1000000000 % i->units == 0;
	i->multiplier = divides ? 1000000000 / i->units : 0;
	return NULL;
}

/* Takes an option of an interface.  Returns NULL, or the fault. */
static const char *take_interface_option(struct bpei_pcapng *ng, struct bpei_pcapng_interface *i,
	uint16_t code, struct bpei_cursor value)
{
	const size_t length = bpei_cursor_left(&value);

	switch (code) {
	case OPTION_TSRESOL:
		if (length != 1)
			return "if_tsresol is not one byte long";
		return set_resolution(i, bpei_cursor_u8(&value));
	case OPTION_TSOFFSET:
		if (length != 8)
			return "if_tsoffset is not eight bytes long";
		i->offset_s = (int64_t)bpei_cursor_u64(&value, section_is_big_endian(ng));
		return NULL;
	case OPTION_NAME:
		if (ng->names)
			bpei_names_add(ng->names, ng->before + ng->count, value.next, length);
		return NULL;
	default:
		return NULL;
	}
}

/* Appends an interface to the section's.  Returns NULL, or the failure. */
static const char *append_pcapng_interface(
	struct bpei_pcapng *ng, const struct bpei_pcapng_interface *i)
{
	if (ng->count == ng->room) {
		const uint32_t room = ng->room ? ng->room * 2 : 8;
		void *more = realloc(ng->interfaces, room * sizeof *ng->interfaces);

		if (!more)
			return "no memory for so many interfaces";
		ng->interfaces = more;
		ng->room = room;
	}
	ng->interfaces[ng->count++] = *i;
	if (!ng->has_link_type) {
		ng->first_link_type = i->link_type;
		ng->has_link_type = true;
	}
	return NULL;
}

/* Takes an interface description block.  is_cut: the block goes on behind the body.  Returns NULL,
 * or the fault. */
static const char *add_interface(struct bpei_pcapng *ng, struct bpei_cursor body, bool is_cut)
{
	const bool big = section_is_big_endian(ng);
	struct bpei_pcapng_interface i = { .units = 1000000, .multiplier = 1000 };

	i.link_type = bpei_cursor_u16(&body, big);
	bpei_cursor_take(&body, 2);
	i.snaplen = bpei_cursor_u32(&body, big);
	i.most = bpei_link_most(i.link_type);
	if (body.bad)
		return "an interface description block is too short";
	while (bpei_cursor_left(&body) >= 4) {
		const uint16_t code = bpei_cursor_u16(&body, big);
		const uint16_t length = bpei_cursor_u16(&body, big);

		if (code == OPTION_END)
			break;
		const struct bpei_cursor value = bpei_cursor_init(body.next, length);
		if (!bpei_cursor_take(&body, (length + 3u) & ~3u)) {
			if (is_cut)
				break;
			return "an option is longer than its block";
		}
		const char *why = take_interface_option(ng, &i, code, value);
		if (why)
			return why;
	}
	return append_pcapng_interface(ng, &i);
}

/* ---- Packets ---- */

/* Converts part units of a second to nanoseconds; part < i->units. */
static uint64_t part_to_ns(const struct bpei_pcapng_interface *i, uint64_t part)
{
	if (i->multiplier)
		return part * i->multiplier;
	if (i->units <= 1u << 30)
		return part * 1000000000 / i->units;
	if (!(i->units & (i->units - 1)))
		return (part >> (__builtin_ctzll(i->units) - 30)) * 1000000000 >> 30;
	return part / (i->units / 1000000000); /* a power of 10 above 10^9 */
}

/* Returns units since the interface's zero as nanoseconds since 1970, held at the ends of
 * int64_t. */
static int64_t units_to_ns(const struct bpei_pcapng_interface *i, uint64_t units)
{
	const int64_t most = INT64_MAX / 1000000000 - 1; /* seconds */

	if (BPEI_LIKELY(
		    i->multiplier && !i->offset_s && units <= (uint64_t)INT64_MAX / i->multiplier))
		return (int64_t)(units * i->multiplier);
	const uint64_t s = units / i->units;
	const uint64_t ns = part_to_ns(i, units % i->units);
	if (s > (uint64_t)most || i->offset_s > most)
		return i->offset_s < -most ? 0 : INT64_MAX;
	if (i->offset_s < -most)
		return INT64_MIN;
	const int64_t sum = (int64_t)s + i->offset_s;
	return sum > most ? INT64_MAX : sum * 1000000000 + (int64_t)ns;
}

/* A packet of a packet block. */
struct found_packet {
	const uint8_t *data;
	uint32_t interface_id; /* in the section */
	uint32_t caplen, wirelen;
	int64_t time_ns;
	bool is_timed;
	struct bpei_packet_options options;
};

/* Reads the options of an enhanced packet block, or of a packet block, behind the packet. */
static __attribute__((noinline)) struct bpei_packet_options read_packet_options(
	const struct bpei_pcapng *ng, struct bpei_cursor body, uint32_t caplen)
{
	bpei_cursor_take(&body, -caplen & 3u);
	return bpei_pcapng_read_options(ng, body.next, bpei_cursor_left(&body));
}

static inline __attribute__((always_inline)) void set_packet_time(const struct bpei_pcapng *ng,
	const struct bpei_pcapng_interface *i, uint64_t units, struct found_packet *f)
{
	if (f->is_timed)
		f->time_ns = units_to_ns(i, units);
	else
		f->time_ns = i->is_timed ? i->last_ns : ng->last_ns;
}

/* Reads a packet block of any of the three kinds.  Returns NULL, or the fault. */
static inline __attribute__((always_inline)) const char *read_packet(const struct bpei_pcapng *ng,
	uint32_t type, struct bpei_cursor body, struct found_packet *f)
{
	uint32_t high = 0, low = 0;
	const uint8_t *p = bpei_cursor_take(&body, type == BLOCK_SPB ? 4 : 20);

	if (BPEI_UNLIKELY(!p))
		return "a packet block is too short";
	f->is_timed = type != BLOCK_SPB;
	if (f->is_timed) {
		f->interface_id = load_section32(ng, p);
		if (BPEI_UNLIKELY(type == BLOCK_PB))
			f->interface_id = load_section16(ng, p);
		high = load_section32(ng, p + 4);
		low = load_section32(ng, p + 8);
		f->caplen = load_section32(ng, p + 12);
		f->wirelen = load_section32(ng, p + 16);
	} else {
		f->interface_id = 0;
		f->wirelen = load_section32(ng, p);
	}
	if (f->interface_id >= ng->count)
		return "a packet came from an interface that no block describes";
	const struct bpei_pcapng_interface *i = &ng->interfaces[f->interface_id];
	if (!f->is_timed)
		f->caplen = i->snaplen && i->snaplen < f->wirelen ? i->snaplen : f->wirelen;
	if (f->caplen > i->most)
		return "its captured length is more than any packet of this link type can have";
	f->data = bpei_cursor_take(&body, f->caplen);
	if (!f->data)
		return "a packet is longer than its block";
	set_packet_time(ng, i, (uint64_t)high << 32 | low, f);
	f->options = (struct bpei_packet_options){ .lost = 0 };
	if (f->is_timed && BPEI_UNLIKELY(bpei_cursor_left(&body) > 7))
		f->options = read_packet_options(ng, body, f->caplen);
	if (BPEI_UNLIKELY(type == BLOCK_PB)) {
		const uint16_t lost = load_section16(ng, p + 2);

		if (lost != UINT16_MAX)
			f->options.lost += lost;
		f->options.meta |= bpei_pcapng_old_block_meta(ng);
	}
	return NULL;
}

/* Makes a packet the batch's n-th, and counts the packet. */
static inline __attribute__((always_inline)) void keep_packet(struct bpei_pcapng *ng,
	const struct found_packet *f, const struct bpei_columns *c, uint32_t n, uint32_t snaplen)
{
	struct bpei_pcapng_interface *i = &ng->interfaces[f->interface_id];

	c->data[n] = f->data;
	c->time_ns[n] = f->time_ns;
	c->caplen[n] = f->caplen < snaplen ? f->caplen : snaplen;
	c->wirelen[n] = f->wirelen;
	c->interface_id[n] = ng->before + f->interface_id;
	c->outgoing[n] = f->options.way == BPEI_WAY_OUT ? BPE_PKT_OUTGOING : 0;
	c->meta[n] = f->options.meta;
	if (BPEI_UNLIKELY(f->options.lost))
		bpei_pcapng_count_lost(ng, f->interface_id, f->options.lost);
	ng->inbound += f->options.way == BPEI_WAY_IN;
	ng->outbound += f->options.way == BPEI_WAY_OUT;
	if (!f->is_timed)
		return;
	if (BPEI_UNLIKELY(!ng->is_timed))
		for (uint32_t k = 0; k < n; k++)
			c->time_ns[k] = f->time_ns;
	ng->is_timed = i->is_timed = true;
	ng->last_ns = i->last_ns = f->time_ns;
}

/* Gives n packets, of which none has a time, the next time in the block; no packet before had a
 * time. */
static void borrow_time(struct bpei_pcapng *ng, const struct bpei_block *block, size_t at,
	const struct bpei_columns *c, uint32_t n)
{
	uint32_t interface_id;
	int64_t ns;

	if (!bpei_pcapng_look_ahead(ng, block, &at, &interface_id, &ns))
		return;
	ng->is_timed = true;
	ng->last_ns = ns;
	for (uint32_t k = 0; k < n; k++)
		c->time_ns[k] = ns;
}

/* ---- Blocks ---- */

/* Takes the byte order from the first word of a section header block's body.  Returns false if the
 * word is no byte-order magic. */
static bool read_byte_order(struct bpei_pcapng *ng, const uint8_t *p)
{
	const uint32_t order = bpei_load32(p + 8);

	if (order != ORDER_MAGIC && order != ORDER_MAGIC_SWAPPED)
		return false;
	ng->swapped = order == ORDER_MAGIC_SWAPPED;
	return true;
}

/* Returns the fault of a block with two lengths that differ or cannot be; NULL: no fault, the block
 * is long or not whole. */
static const char *find_length_fault(const uint8_t *p, size_t left, uint32_t length, bool is_whole)
{
	struct bpei_pcap pcap;

	if (left >= BPEI_PCAP_HEADER && bpei_pcap_init(&pcap, p))
		return "another savefile, a pcap one, begins here: read it by itself";
	if (length < BLOCK_LEAST)
		return "a block is shorter than its own header";
	if (length % 4)
		return "a block's length is not a multiple of 4";
	if (length > BPEI_PCAPNG_MAX_BLOCK || !is_whole)
		return NULL;
	return "a block's length differs at its two ends";
}

/* Returns the length of the block at p, checked; 0 and *stop if the block is not whole or cannot
 * be. */
static uint32_t read_block_length(
	struct bpei_pcapng *ng, const uint8_t *p, size_t left, enum bpei_walk_stop *stop)
{
	*stop = BPEI_WALK_PARTIAL;
	if (left < BLOCK_LEAST)
		return 0;
	if (bpei_load32(p) == BLOCK_SHB) {
		if (!read_byte_order(ng, p))
			return stop_at_damage(ng, "a section's byte-order magic is unknown", stop);
	} else if (!ng->in_section) {
		return stop_at_damage(ng, "it does not begin with a section header block", stop);
	}
	const uint32_t length = load_section32(ng, p + 4);
	const bool is_whole = length <= left;
	if (BPEI_LIKELY(length >= BLOCK_LEAST && length % 4 == 0 && is_whole &&
			length <= BPEI_PCAPNG_MAX_BLOCK &&
			load_section32(ng, p + length - BLOCK_TRAILER) == length))
		return length;
	const char *why = find_length_fault(p, left, length, is_whole);
	if (why)
		return stop_at_damage(ng, why, stop);
	return length > BPEI_PCAPNG_MAX_BLOCK ? length : 0;
}

/* Returns the bytes from a long block's beginning to the packet's end, or LONG_HEAD. */
static uint64_t long_packet_end(const struct bpei_pcapng *ng, const uint8_t *p)
{
	const uint32_t type = load_section32(ng, p);

	if (type == BLOCK_EPB || type == BLOCK_PB)
		return 28 + (uint64_t)load_section32(ng, p + 20);
	if (type == BLOCK_SPB) {
		const uint32_t cut = ng->count ? ng->interfaces[0].snaplen : 0;
		const uint32_t whole = load_section32(ng, p + 8);

		return 12 + (uint64_t)(cut && cut < whole ? cut : whole);
	}
	return LONG_HEAD;
}

/* Returns how many bytes of the long block at `at` are read: OVERSIZED_HEAD of a packet too long
 * for memory; 0 and *stop if the block cannot be, or the bytes are not all there. */
static uint32_t long_block_head(struct bpei_pcapng *ng, const struct bpei_block *block, size_t at,
	uint32_t length, enum bpei_walk_stop *stop)
{
	const size_t left = block->length - at;

	if (ng->source_end && at + (uint64_t)length > ng->source_end)
		return stop_at_damage(ng, "a block is longer than what is left of the file", stop);
	*stop = BPEI_WALK_PARTIAL;
	if (left < 28)
		return 0;
	const uint64_t head = long_packet_end(ng, block->bytes + at);
	if (head > length - BLOCK_TRAILER)
		return stop_at_damage(ng, "a packet is longer than its block", stop);
	if (head > BPEI_PCAPNG_MAX_BLOCK)
		return OVERSIZED_HEAD;
	return head > left ? 0 : (uint32_t)head;
}

/* Skips the rest of a long block.  Returns true with *at behind the block; false and *stop if the
 * block's end is not here yet, or not as expected. */
static bool skip_long_block(struct bpei_pcapng *ng, const struct bpei_block *block, size_t *at,
	enum bpei_walk_stop *stop)
{
	const size_t left = block->length - *at;
	const size_t now = ng->skip < left ? (size_t)ng->skip : left;

	*at += now;
	ng->skip -= now;
	*stop = ng->skip || left == now ? BPEI_WALK_LIMIT : BPEI_WALK_PARTIAL;
	if (ng->skip || left - now < BLOCK_TRAILER)
		return false;
	const bool matches = load_section32(ng, block->bytes + *at) == ng->trailer;
	ng->trailer = 0;
	if (!matches)
		return stop_at_damage(ng, "a block's length differs at its two ends", stop);
	*at += BLOCK_TRAILER;
	return true;
}

bool bpei_pcapng_look_ahead(const struct bpei_pcapng *ng, const struct bpei_block *block,
	size_t *at, uint32_t *interface_id, int64_t *time_ns)
{
	struct bpei_pcapng peek = *ng;
	enum bpei_walk_stop stop;
	struct found_packet f;

	if (ng->skip || ng->trailer)
		return false;
	for (size_t length; *at < block->length; *at += length) {
		const uint8_t *p = block->bytes + *at;

		length = read_block_length(&peek, p, block->length - *at, &stop);
		if (!length || length > block->length - *at)
			return false;
		const uint32_t type = load_section32(&peek, p);
		if (type == BLOCK_SHB)
			return false; /* another section, with other interfaces */
		if ((type != BLOCK_EPB && type != BLOCK_PB) ||
			read_packet(&peek, type, bpei_cursor_init(p + 8, length - BLOCK_LEAST), &f))
			continue;
		*interface_id = ng->before + f.interface_id;
		*time_ns = f.time_ns;
		*at += length;
		return true;
	}
	return false;
}

static bool is_packet_block(uint32_t type)
{
	return type == BLOCK_EPB || type == BLOCK_SPB || type == BLOCK_PB;
}

/* Takes a block without a packet.  Custom and unknown blocks are passed over.  Returns NULL, or the
 * fault. */
static const char *take_other_block(
	struct bpei_pcapng *ng, uint32_t type, struct bpei_cursor body, bool is_cut)
{
	if (ng->kept && !is_cut)
		bpei_pcapng_keep_block(ng, type, body.next, bpei_cursor_left(&body));
	switch (type) {
	case BLOCK_SHB:
		return begin_section(ng, body);
	case BLOCK_IDB:
		return add_interface(ng, body, is_cut);
	case BLOCK_ISB:
		bpei_pcapng_read_statistics(ng, body.next, bpei_cursor_left(&body));
		return NULL;
	default:
		return NULL;
	}
}

/* Returns how many bytes of the block at `at` are read, and the block's length; 0 and *stop if the
 * block is not here, or cannot be. */
static inline __attribute__((always_inline)) uint32_t measure_block(struct bpei_pcapng *ng,
	const struct bpei_block *block, size_t at, uint32_t *length, enum bpei_walk_stop *stop)
{
	*length = read_block_length(ng, block->bytes + at, block->length - at, stop);
	if (BPEI_UNLIKELY(*length > BPEI_PCAPNG_MAX_BLOCK))
		return long_block_head(ng, block, at, *length, stop);
	return *length;
}

/* Returns whether a packet fits into the batch, by the link type, which the first packet sets. */
static inline __attribute__((always_inline)) bool fits_link_type(
	struct bpei_block *block, uint32_t link_type, uint32_t n)
{
	if (!n)
		block->link_type = link_type;
	return block->link_type == link_type;
}

uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block,
	const struct bpei_columns *c, uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop)
{
	const bool stops = block->stop_offset < block->length;
	const size_t limit = stops ? block->stop_offset : block->length;
	size_t at = block->position;
	uint32_t n = 0, length, head;

	for (;; at += head) {
		const uint8_t *p = block->bytes + at;
		const char *why = NULL;
		struct found_packet f;

		head = 0;
		if (BPEI_UNLIKELY(ng->trailer)) {
			if (!skip_long_block(ng, block, &at, stop))
				break;
			continue;
		}
		if (at >= limit) {
			*stop = BPEI_WALK_LIMIT;
			break;
		}
		head = measure_block(ng, block, at, &length, stop);
		if (!head)
			break;
		__builtin_prefetch(p + length + 1024);
		const uint32_t type = load_section32(ng, p);
		const struct bpei_cursor body =
			bpei_cursor_init(p + 8, head == length ? length - BLOCK_LEAST : head - 8);
		*stop = BPEI_WALK_MORE;
		if (BPEI_UNLIKELY(head == OVERSIZED_HEAD)) {
			ng->oversized++;
		} else if (is_packet_block(type)) {
			if (n == max)
				break;
			why = read_packet(ng, type, body, &f);
			if (!why) {
				if (!fits_link_type(
					    block, ng->interfaces[f.interface_id].link_type, n))
					break;
				keep_packet(ng, &f, c, n++, snaplen);
			}
		} else if (n && bpei_pcapng_ends_batch(ng, type)) {
			break;
		} else {
			why = take_other_block(ng, type, body, head < length);
		}
		if (why) {
			stop_at_damage(ng, why, stop);
			break;
		}
		if (BPEI_UNLIKELY(head < length)) {
			ng->skip = length - BLOCK_TRAILER - head;
			ng->trailer = length;
		}
	}
	if (BPEI_UNLIKELY(n && !ng->is_timed))
		borrow_time(ng, block, at, c, n);
	block->position = at;
	return n;
}
