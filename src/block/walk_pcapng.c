/* SPDX-License-Identifier: MIT */
/* The blocks of a pcapng file.  The state (byte order of the section, its interfaces) is the caller's; nobody else's.
 * Each block's length is checked against what is left and against its copy at the block's end before its body is read,
 * through a cursor.  A walk ends where the link type changes, since a batch has one. */
#include "base/bytes.h"
#include "base/cacheline.h"
#include "base/cursor.h"
#include "block/walk.h"

#include <stdlib.h>

enum { BLOCK_SHB = 0x0a0d0d0a, BLOCK_IDB = 1, BLOCK_PB = 2, BLOCK_SPB = 3, BLOCK_EPB = 6 };
enum { OPTION_END = 0, OPTION_NAME = 2, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

bool bpei_pcapng_is(const uint8_t magic[4]) { return bpei_load32(magic) == BLOCK_SHB; }

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

static bool big(const struct bpei_pcapng *ng) { return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != ng->swapped; }

/* A new section: what was known of interfaces is over. */
static const char *section(struct bpei_pcapng *ng, struct bpei_cursor body)
{
	bpei_cursor_take(&body, 4);	/* byte-order magic, looked at already */
	uint16_t major = bpei_cursor_u16(&body, big(ng)), minor = bpei_cursor_u16(&body, big(ng));
	bpei_cursor_take(&body, 8);
	if (body.bad) return "a section header block is too short";
	if (major != 1 || (minor != 0 && minor != 2)) return "the version of the pcapng format is not 1.0 or 1.2";
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
		if (power > 63) return "if_tsresol asks for more than 2^63 units of a second";
		i->units <<= power;
	} else {
		if (power > 19) return "if_tsresol asks for more than 10^19 units of a second";
		for (; power; power--) i->units *= 10;
	}
	i->multiplier = i->units <= 1000000000 && 1000000000 % i->units == 0 ? 1000000000 / i->units : 0;
	return NULL;
}

static const char *interface(struct bpei_pcapng *ng, struct bpei_cursor body)
{
	struct bpei_pcapng_interface i = { .units = 1000000, .multiplier = 1000 };
	const char *why = NULL;
	i.link_type = bpei_cursor_u16(&body, big(ng));
	bpei_cursor_take(&body, 2);
	i.snaplen = bpei_cursor_u32(&body, big(ng));
	if (body.bad) return "an interface description block is too short";
	while (bpei_cursor_left(&body) >= 4) {
		uint16_t code = bpei_cursor_u16(&body, big(ng)), length = bpei_cursor_u16(&body, big(ng));
		if (code == OPTION_END) break;
		struct bpei_cursor value = bpei_cursor_init(body.next, length);
		if (!bpei_cursor_take(&body, (length + 3u) & ~3u)) return "an option is longer than its block";
		if (code == OPTION_TSRESOL) {
			if (length != 1) return "if_tsresol is not one byte long";
			why = resolution(&i, bpei_cursor_u8(&value));
		} else if (code == OPTION_TSOFFSET) {
			if (length != 8) return "if_tsoffset is not eight bytes long";
			i.offset_s = (int64_t)bpei_cursor_u64(&value, big(ng));
		} else if (code == OPTION_NAME && ng->names) {
			bpei_names_add(ng->names, ng->before + ng->count, value.next, length);
		}
		if (why) return why;
	}
	if (ng->count == ng->room) {
		uint32_t room = ng->room ? ng->room * 2 : 8;
		void *more = realloc(ng->interfaces, room * sizeof *ng->interfaces);
		if (!more) return "no memory for so many interfaces";
		ng->interfaces = more;
		ng->room = room;
	}
	ng->interfaces[ng->count++] = i;
	if (!ng->has_link_type) ng->first_link_type = i.link_type, ng->has_link_type = true;
	return NULL;
}

/* Units since the interface's zero as nanoseconds since 1970, held at the ends of what an int64_t can say. */
static int64_t to_ns(const struct bpei_pcapng_interface *i, uint64_t units)
{
	if (BPEI_LIKELY(i->multiplier && !i->offset_s && units <= (uint64_t)INT64_MAX / i->multiplier)) return (int64_t)(units * i->multiplier);
	const int64_t most = INT64_MAX / 1000000000 - 1;	/* seconds */
	uint64_t s = units / i->units, rest = units % i->units, ns;
	if (i->multiplier) ns = rest * i->multiplier;
	else if (i->units <= 1u << 30) ns = rest * 1000000000 / i->units;
	else if (!(i->units & (i->units - 1))) ns = (rest >> (__builtin_ctzll(i->units) - 30)) * 1000000000 >> 30;
	else ns = rest / (i->units / 1000000000);		/* a power of 10 above 10^9 */
	if (s > (uint64_t)most || i->offset_s > most) return i->offset_s < -most ? 0 : INT64_MAX;
	if (i->offset_s < -most) return INT64_MIN;
	int64_t sum = (int64_t)s + i->offset_s;
	return sum > most ? INT64_MAX : sum * 1000000000 + (int64_t)ns;
}

struct found { const uint8_t *data; uint32_t interface_id, caplen, wirelen; int64_t time_ns; };

/* What a packet block of any of the three kinds holds. */
static const char *packet(const struct bpei_pcapng *ng, uint32_t type, struct bpei_cursor body, struct found *f)
{
	bool b = big(ng);
	uint64_t high = 0, low = 0;
	if (type == BLOCK_SPB) {
		f->interface_id = 0;
		f->wirelen = bpei_cursor_u32(&body, b);
	} else {
		f->interface_id = type == BLOCK_EPB ? bpei_cursor_u32(&body, b) : bpei_cursor_u16(&body, b);
		if (type == BLOCK_PB) bpei_cursor_take(&body, 2);
		high = bpei_cursor_u32(&body, b);
		low = bpei_cursor_u32(&body, b);
		f->caplen = bpei_cursor_u32(&body, b);
		f->wirelen = bpei_cursor_u32(&body, b);
	}
	if (body.bad) return "a packet block is too short";
	if (f->interface_id >= ng->count) return "a packet came from an interface that no block describes";
	const struct bpei_pcapng_interface *i = &ng->interfaces[f->interface_id];
	if (type == BLOCK_SPB) f->caplen = i->snaplen && i->snaplen < f->wirelen ? i->snaplen : f->wirelen;
	if (f->caplen > bpei_link_most(i->link_type)) return "its captured length is more than any packet of this link type can have";
	f->data = bpei_cursor_take(&body, f->caplen);
	if (!f->data) return "a packet is longer than its block";
	f->time_ns = type == BLOCK_SPB ? 0 : to_ns(i, high << 32 | low);
	return NULL;
}

/* The length of the block at p, checked: 0 and *stop if it is not whole or cannot be. */
static uint32_t block_length(struct bpei_pcapng *ng, const uint8_t *p, size_t left, enum bpei_walk_stop *stop)
{
	*stop = BPEI_WALK_PARTIAL;
	if (left < 12) return 0;
	if (bpei_load32(p) == BLOCK_SHB) {	/* its own byte order is told in the first word of its body */
		uint32_t order = bpei_load32(p + 8);
		if (order == 0x1a2b3c4d) ng->swapped = false;
		else if (order == 0x4d3c2b1a) ng->swapped = true;
		else return ng->why = "a section's byte-order magic is unknown", *stop = BPEI_WALK_BAD, 0;
	} else if (!ng->in_section) {
		return ng->why = "it does not begin with a section header block", *stop = BPEI_WALK_BAD, 0;
	}
	uint32_t length = u32(ng, p + 4);
	if (length < 12) ng->why = "a block is shorter than its own header";
	else if (length % 4) ng->why = "a block's length is not a multiple of 4";
	else if (length > BPEI_PCAPNG_MAX_BLOCK) ng->why = "a block is longer than 16 MiB";
	else if (length > left) return 0;
	else if (u32(ng, p + length - 4) != length) ng->why = "a block's length differs at its two ends";
	else return length;
	*stop = BPEI_WALK_BAD;
	return 0;
}

uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block, const struct bpei_columns *c, uint32_t max, uint32_t snaplen,
			  enum bpei_walk_stop *stop)
{
	size_t at = block->position, limit = block->limit < block->length ? block->limit : block->length;
	uint32_t n = 0, length;
	for (; ; at += length) {
		const uint8_t *p = block->bytes + at;
		const char *why = NULL;
		struct found f;
		if (at >= limit) {
			*stop = BPEI_WALK_LIMIT;
			break;
		}
		length = block_length(ng, p, block->length - at, stop);
		if (!length) break;
		__builtin_prefetch(p + length + 1024);
		struct bpei_cursor body = bpei_cursor_init(p + 8, length - 12);
		uint32_t type = u32(ng, p);
		*stop = BPEI_WALK_MORE;
		if (type == BLOCK_EPB || type == BLOCK_SPB || type == BLOCK_PB) {
			if (n == max) break;
			why = packet(ng, type, body, &f);
			if (!why) {
				uint32_t link_type = ng->interfaces[f.interface_id].link_type;
				if (!n) block->link_type = link_type;
				else if (block->link_type != link_type) break;
				c->data[n] = f.data;
				c->time_ns[n] = f.time_ns;
				c->caplen[n] = f.caplen < snaplen ? f.caplen : snaplen;
				c->wirelen[n] = f.wirelen;
				c->interface_id[n] = ng->before + f.interface_id;
				c->outgoing[n] = 0;
				n++;
			}
		} else if (type == BLOCK_SHB) {
			why = section(ng, body);
		} else if (type == BLOCK_IDB) {
			why = interface(ng, body);
		}	/* statistics, names, secrets, custom and unknown blocks are passed over */
		if (why) {
			ng->why = why;
			*stop = BPEI_WALK_BAD;
			break;
		}
	}
	block->position = at;
	return n;
}
