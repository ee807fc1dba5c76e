/* SPDX-License-Identifier: MIT */
/* The blocks of a pcapng file.  The state (byte order of the section, its interfaces) is the
 * caller's; nobody else's. Each block's length is checked against what is left and against its copy
 * at the block's end before its body is read, through a cursor.  A walk ends where the link type
 * changes, since a batch has one. Of a block that is longer than memory is kept for, what is needed
 * is read, and the rest is skipped, however many reads that takes. A packet without a time (in a
 * simple packet block) has the time of its interface's last packet, or of the last one in the file;
 * those before the first time have that one, as far as it lies in the same block. */
#include "base/bytes.h"
#include "base/cacheline.h"
#include "base/cursor.h"
#include "records/walk.h"

#include <stdlib.h>

enum {
	BLOCK_SHB = 0x0a0d0d0a,
	BLOCK_IDB = 1,
	BLOCK_PB = 2,
	BLOCK_SPB = 3,
	BLOCK_ISB = 5,
	BLOCK_EPB = 6
};
#define LONG_HEAD 65536u /* of a long block that is none of a packet so much is looked at */
enum { OPTION_END = 0, OPTION_NAME = 2, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

bool bpei_pcapng_is(const uint8_t magic[4])
{
	return bpei_load32(magic) == BLOCK_SHB;
}

void bpei_pcapng_free(struct bpei_pcapng *ng)
{
	free(ng->interfaces);
	*ng = (struct bpei_pcapng){ .swapped = false };
}

static uint32_t u32(const struct bpei_pcapng *ng, const uint8_t *p)
{
	uint32_t v = bpei_load32(p);
	return ng->swapped ? __builtin_bswap32(v) : v;
}

static bool big(const struct bpei_pcapng *ng)
{
	return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != ng->swapped;
}

/* A new section: what was known of interfaces is over. */
static const char *section(struct bpei_pcapng *ng, struct bpei_cursor body)
{
	bpei_cursor_take(&body, 4); /* byte-order magic, looked at already */
	uint16_t major = bpei_cursor_u16(&body, big(ng)), minor = bpei_cursor_u16(&body, big(ng));
	bpei_cursor_take(&body, 8);
	if (body.bad)
		return "a section header block is too short";
	if (major != 1 || (minor != 0 && minor != 2))
		return "the version of the pcapng format is not 1.0 or 1.2";
	ng->before += ng->count;
	ng->count = 0;
	ng->in_section = true;
	return NULL;
}

static const char *resolution(struct bpei_pcapng_interface *i, uint8_t code)
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
	i->multiplier =
		i->units <= 1000000000 && 1000000000 % i->units == 0 ? 1000000000 / i->units : 0;
	return NULL;
}

/* is_cut: the block goes on behind the body. */
static const char *interface(struct bpei_pcapng *ng, struct bpei_cursor body, bool is_cut)
{
	struct bpei_pcapng_interface i = { .units = 1000000, .multiplier = 1000 };
	const char *why = NULL;
	i.link_type = bpei_cursor_u16(&body, big(ng));
	bpei_cursor_take(&body, 2);
	i.snaplen = bpei_cursor_u32(&body, big(ng));
	if (body.bad)
		return "an interface description block is too short";
	while (bpei_cursor_left(&body) >= 4) {
		uint16_t code = bpei_cursor_u16(&body, big(ng)),
			 length = bpei_cursor_u16(&body, big(ng));
		if (code == OPTION_END)
			break;
		struct bpei_cursor value = bpei_cursor_init(body.next, length);
		if (!bpei_cursor_take(&body, (length + 3u) & ~3u)) {
			if (is_cut)
				break;
			return "an option is longer than its block";
		}
		if (code == OPTION_TSRESOL) {
			if (length != 1)
				return "if_tsresol is not one byte long";
			why = resolution(&i, bpei_cursor_u8(&value));
		} else if (code == OPTION_TSOFFSET) {
			if (length != 8)
				return "if_tsoffset is not eight bytes long";
			i.offset_s = (int64_t)bpei_cursor_u64(&value, big(ng));
		} else if (code == OPTION_NAME && ng->names) {
			bpei_names_add(ng->names, ng->before + ng->count, value.next, length);
		}
		if (why)
			return why;
	}
	if (ng->count == ng->room) {
		uint32_t room = ng->room ? ng->room * 2 : 8;
		void *more = realloc(ng->interfaces, room * sizeof *ng->interfaces);
		if (!more)
			return "no memory for so many interfaces";
		ng->interfaces = more;
		ng->room = room;
	}
	i.most = bpei_link_most(i.link_type);
	ng->interfaces[ng->count++] = i;
	if (!ng->has_link_type)
		ng->first_link_type = i.link_type, ng->has_link_type = true;
	return NULL;
}

/* Units since the interface's zero as nanoseconds since 1970, held at the ends of what an int64_t
 * can say. */
static int64_t to_ns(const struct bpei_pcapng_interface *i, uint64_t units)
{
	if (BPEI_LIKELY(
		    i->multiplier && !i->offset_s && units <= (uint64_t)INT64_MAX / i->multiplier))
		return (int64_t)(units * i->multiplier);
	const int64_t most = INT64_MAX / 1000000000 - 1; /* seconds */
	uint64_t s = units / i->units, rest = units % i->units, ns;
	if (i->multiplier)
		ns = rest * i->multiplier;
	else if (i->units <= 1u << 30)
		ns = rest * 1000000000 / i->units;
	else if (!(i->units & (i->units - 1)))
		ns = (rest >> (__builtin_ctzll(i->units) - 30)) * 1000000000 >> 30;
	else
		ns = rest / (i->units / 1000000000); /* a power of 10 above 10^9 */
	if (s > (uint64_t)most || i->offset_s > most)
		return i->offset_s < -most ? 0 : INT64_MAX;
	if (i->offset_s < -most)
		return INT64_MIN;
	int64_t sum = (int64_t)s + i->offset_s;
	return sum > most ? INT64_MAX : sum * 1000000000 + (int64_t)ns;
}

struct found {
	const uint8_t *data;
	uint32_t interface_id, caplen, wirelen;
	int64_t time_ns;
	bool is_timed;
	struct bpei_pcapng_about about;
};

/* The rest of an enhanced packet block, or of one of its elder kind, behind the packet. */
static __attribute__((noinline)) struct bpei_pcapng_about about(
	const struct bpei_pcapng *ng, struct bpei_cursor body, uint32_t caplen)
{
	bpei_cursor_take(&body, -caplen & 3u);
	return bpei_pcapng_read_about(ng, body.next, bpei_cursor_left(&body));
}

/* What a packet block of any of the three kinds holds. */
static inline __attribute__((always_inline)) const char *packet(
	const struct bpei_pcapng *ng, uint32_t type, struct bpei_cursor body, struct found *f)
{
	uint32_t high = 0, low = 0;
	const uint8_t *p = bpei_cursor_take(&body, type == BLOCK_SPB ? 4 : 20);
	if (BPEI_UNLIKELY(!p))
		return "a packet block is too short";
	f->is_timed = type != BLOCK_SPB;
	if (f->is_timed) {
		f->interface_id = u32(ng, p);
		if (BPEI_UNLIKELY(type == BLOCK_PB))
			f->interface_id = big(ng) ? bpei_be16(p) : bpei_le16(p);
		high = u32(ng, p + 4);
		low = u32(ng, p + 8);
		f->caplen = u32(ng, p + 12);
		f->wirelen = u32(ng, p + 16);
	} else {
		f->interface_id = 0;
		f->wirelen = u32(ng, p);
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
	f->time_ns = f->is_timed   ? to_ns(i, (uint64_t)high << 32 | low)
		     : i->is_timed ? i->last_ns
				   : ng->last_ns;
	f->about = (struct bpei_pcapng_about){ .lost = 0 };
	if (f->is_timed && BPEI_UNLIKELY(bpei_cursor_left(&body) > 7))
		f->about = about(ng, body, f->caplen);
	if (BPEI_UNLIKELY(type == BLOCK_PB)) {
		const uint16_t lost = big(ng) ? bpei_be16(p + 2) : bpei_le16(p + 2);
		if (lost != UINT16_MAX)
			f->about.lost += lost;
	}
	return NULL;
}

/* The length of the block at p, checked: 0 and *stop if it is not whole or cannot be. */
static uint32_t block_length(
	struct bpei_pcapng *ng, const uint8_t *p, size_t left, enum bpei_walk_stop *stop)
{
	*stop = BPEI_WALK_PARTIAL;
	if (left < 12)
		return 0;
	if (bpei_load32(p) ==
		BLOCK_SHB) { /* its own byte order is told in the first word of its body */
		uint32_t order = bpei_load32(p + 8);
		if (order == 0x1a2b3c4d)
			ng->swapped = false;
		else if (order == 0x4d3c2b1a)
			ng->swapped = true;
		else
			return ng->why = "a section's byte-order magic is unknown",
			       *stop = BPEI_WALK_BAD, 0;
	} else if (!ng->in_section) {
		return ng->why = "it does not begin with a section header block",
		       *stop = BPEI_WALK_BAD, 0;
	}
	uint32_t length = u32(ng, p + 4);
	const bool may_be = length >= 12 && length % 4 == 0;
	struct bpei_pcap pcap;
	if (BPEI_LIKELY(may_be && length <= left && length <= BPEI_PCAPNG_MAX_BLOCK &&
			u32(ng, p + length - 4) == length))
		return length;
	if (left >= BPEI_PCAP_HEADER && bpei_pcap_init(&pcap, p))
		ng->why = "another savefile, a pcap one, begins here: read it by itself";
	else if (length < 12)
		ng->why = "a block is shorter than its own header";
	else if (!may_be)
		ng->why = "a block's length is not a multiple of 4";
	else if (length > BPEI_PCAPNG_MAX_BLOCK)
		return length;
	else if (length > left)
		return 0;
	else
		ng->why = "a block's length differs at its two ends";
	*stop = BPEI_WALK_BAD;
	return 0;
}

/* How many bytes of a long block are read, 8 for a packet that is too long; 0 and *stop if they
 * cannot be, or are not all there. */
static uint32_t head_of_long(struct bpei_pcapng *ng, const struct bpei_block *block, size_t at,
	uint32_t length, enum bpei_walk_stop *stop)
{
	const uint8_t *p = block->bytes + at;
	const size_t left = block->length - at;
	const uint32_t type = u32(ng, p);
	uint64_t head = LONG_HEAD;
	if (ng->source_end && at + (uint64_t)length > ng->source_end)
		return ng->why = "a block is longer than what is left of the file",
		       *stop = BPEI_WALK_BAD, 0;
	*stop = BPEI_WALK_PARTIAL;
	if (left < 28)
		return 0;
	if (type == BLOCK_EPB || type == BLOCK_PB) {
		head = 28 + (uint64_t)u32(ng, p + 20);
	} else if (type == BLOCK_SPB) {
		const uint32_t cut = ng->count ? ng->interfaces[0].snaplen : 0,
			       whole = u32(ng, p + 8);
		head = 12 + (uint64_t)(cut && cut < whole ? cut : whole);
	}
	if (head > length - 4)
		return ng->why = "a packet is longer than its block", *stop = BPEI_WALK_BAD, 0;
	if (head > BPEI_PCAPNG_MAX_BLOCK)
		return 8;
	return head > left ? 0 : (uint32_t)head;
}

/* Goes on behind the head of a long block; false: its end is not here yet, or not what it should
 * be. */
static bool skip_long(struct bpei_pcapng *ng, const struct bpei_block *block, size_t *at,
	enum bpei_walk_stop *stop)
{
	const size_t left = block->length - *at, now = ng->skip < left ? (size_t)ng->skip : left;
	*at += now;
	ng->skip -= now;
	*stop = ng->skip || left == now ? BPEI_WALK_LIMIT : BPEI_WALK_PARTIAL;
	if (ng->skip || left - now < 4)
		return false;
	const bool alike = u32(ng, block->bytes + *at) == ng->trailer;
	ng->trailer = 0;
	if (!alike)
		return ng->why = "a block's length differs at its two ends", *stop = BPEI_WALK_BAD,
		       false;
	*at += 4;
	return true;
}

/* A packet of the batch, the n-th. */
static inline __attribute__((always_inline)) void keep(struct bpei_pcapng *ng,
	const struct found *f, const struct bpei_columns *c, uint32_t n, uint32_t snaplen)
{
	struct bpei_pcapng_interface *i = &ng->interfaces[f->interface_id];
	c->data[n] = f->data;
	c->time_ns[n] = f->time_ns;
	c->caplen[n] = f->caplen < snaplen ? f->caplen : snaplen;
	c->wirelen[n] = f->wirelen;
	c->interface_id[n] = ng->before + f->interface_id;
	c->outgoing[n] = f->about.way == BPEI_WAY_OUT ? BPE_PKT_OUTGOING : 0;
	c->meta[n] = f->about.way;
	if (BPEI_UNLIKELY(f->about.lost))
		bpei_pcapng_count_lost(ng, f->interface_id, f->about.lost);
	ng->inbound += f->about.way == BPEI_WAY_IN;
	ng->outbound += f->about.way == BPEI_WAY_OUT;
	if (!f->is_timed)
		return;
	if (BPEI_UNLIKELY(!ng->is_timed))
		for (uint32_t k = 0; k < n; k++)
			c->time_ns[k] = f->time_ns;
	ng->is_timed = i->is_timed = true;
	ng->last_ns = i->last_ns = f->time_ns;
}

/* Of n packets none has a time, nor had one before: the next time in the block is theirs. */
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

bool bpei_pcapng_look_ahead(const struct bpei_pcapng *ng, const struct bpei_block *block,
	size_t *at, uint32_t *interface_id, int64_t *time_ns)
{
	struct bpei_pcapng peek = *ng;
	enum bpei_walk_stop stop;
	struct found f;
	if (ng->skip || ng->trailer)
		return false;
	for (size_t length; *at < block->length; *at += length) {
		const uint8_t *p = block->bytes + *at;
		length = block_length(&peek, p, block->length - *at, &stop);
		if (!length || length > block->length - *at)
			return false;
		const uint32_t type = u32(&peek, p);
		if (type == BLOCK_SHB)
			return false; /* another section, with interfaces of its own */
		if ((type != BLOCK_EPB && type != BLOCK_PB) ||
			packet(&peek, type, bpei_cursor_init(p + 8, length - 12), &f))
			continue;
		*interface_id = ng->before + f.interface_id;
		*time_ns = f.time_ns;
		*at += length;
		return true;
	}
	return false;
}

uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block,
	const struct bpei_columns *c, uint32_t max, uint32_t snaplen, enum bpei_walk_stop *stop)
{
	size_t at = block->position,
	       limit = block->stop_offset < block->length ? block->stop_offset : block->length;
	uint32_t n = 0, length, head;
	for (;; at += head) {
		const uint8_t *p = block->bytes + at;
		const char *why = NULL;
		struct found f;
		head = 0;
		if (BPEI_UNLIKELY(ng->trailer)) {
			if (!skip_long(ng, block, &at, stop))
				break;
			continue;
		}
		if (at >= limit) {
			*stop = BPEI_WALK_LIMIT;
			break;
		}
		length = head = block_length(ng, p, block->length - at, stop);
		if (!length)
			break;
		if (BPEI_UNLIKELY(length > BPEI_PCAPNG_MAX_BLOCK) &&
			!(head = head_of_long(ng, block, at, length, stop)))
			break;
		__builtin_prefetch(p + length + 1024);
		const uint32_t body_bytes = head == length ? length - 12 : head - 8,
			       type = u32(ng, p);
		struct bpei_cursor body = bpei_cursor_init(p + 8, body_bytes);
		*stop = BPEI_WALK_MORE;
		if (BPEI_UNLIKELY(head == 8)) {
			ng->oversized++;
		} else if (type == BLOCK_EPB || type == BLOCK_SPB || type == BLOCK_PB) {
			if (n == max)
				break;
			why = packet(ng, type, body, &f);
			if (!why) {
				uint32_t link_type = ng->interfaces[f.interface_id].link_type;
				if (!n)
					block->link_type = link_type;
				else if (block->link_type != link_type)
					break;
				keep(ng, &f, c, n++, snaplen);
			}
		} else if (type == BLOCK_SHB) {
			why = section(ng, body);
		} else if (type == BLOCK_IDB) {
			why = interface(ng, body, head < length);
		} else if (type == BLOCK_ISB) {
			bpei_pcapng_read_statistics(ng, body.next, body_bytes);
		} /* names, secrets, custom and unknown blocks are passed over */
		if (why) {
			ng->why = why;
			*stop = BPEI_WALK_BAD;
			break;
		}
		if (BPEI_UNLIKELY(head < length))
			ng->skip = length - 4 - head, ng->trailer = length;
	}
	if (BPEI_UNLIKELY(n && !ng->is_timed))
		borrow_time(ng, block, at, c, n);
	block->position = at;
	return n;
}
