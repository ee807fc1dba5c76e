/* SPDX-License-Identifier: MIT */
/* Encodes pcapng blocks into memory (pcapng_out.h).  Pure.  Each part of a block is checked against
 * the room before a byte is written; after the first part without room nothing more is written. */
#include "write/pcapng_out.h"

enum { OUT_OPTION_MOST = 65535 };
enum { SHB_HARDWARE = 2, SHB_OS = 3, SHB_APPLICATION = 4 };
enum { IDB_NAME = 2, IDB_DESCRIPTION = 3, IDB_MAC = 6, IDB_SPEED = 8, IDB_TSRESOL = 9 };
enum { IDB_FILTER = 11, IDB_OS = 12, IDB_HARDWARE = 15, IDB_EFFECTIVE_ID = 0x8001 };
enum { FILTER_IS_TEXT = 0, FILTER_IS_PROGRAM = 1 };
enum { ISB_START = 2, ISB_END, ISB_RECEIVED, ISB_INTERFACE_DROPPED, ISB_ACCEPTED, ISB_DROPPED };
enum { ISB_DELIVERED = 8 };
enum { PIB_NAME = 2, PIB_UUID = 4, PIB_UUID_BYTES = 16 };
enum { NAME_END = 0, NAME_IP4 = 1, NAME_IP6 = 2 };
#define NAMES_TAIL 8u /* the end of the names and the block's second length */

/* ---- A block, part by part ---- */

/* Returns where n bytes go; NULL: no room. */
static uint8_t *reserve_part(struct bpei_block_out *out, size_t n)
{
	uint8_t *at = out->next;

	if (out->is_full || (size_t)(out->end - at) < n) {
		out->is_full = true;
		return NULL;
	}
	out->next += n;
	return at;
}

void bpei_block_begin(struct bpei_block_out *out, uint8_t *to, size_t room, uint32_t type)
{
	*out = (struct bpei_block_out){ .begin = to, .next = to, .end = to + room };
	bpei_block_put32(out, type);
	bpei_block_put32(out, 0); /* the length, by bpei_block_finish */
}

void bpei_block_put16(struct bpei_block_out *out, uint16_t value)
{
	uint8_t *at = reserve_part(out, sizeof value);

	if (at)
		bpei_store16(at, value);
}

void bpei_block_put32(struct bpei_block_out *out, uint32_t value)
{
	uint8_t *at = reserve_part(out, sizeof value);

	if (at)
		bpei_store32(at, value);
}

void bpei_block_put_bytes(struct bpei_block_out *out, const void *bytes, size_t n)
{
	const size_t padding = -n & 3;

	if (out->is_full || n > (size_t)(out->end - out->next)) {
		out->is_full = true;
		return;
	}
	uint8_t *at = reserve_part(out, n + padding);
	if (!at || !n)
		return;
	memcpy(at, bytes, n);
	memset(at + n, 0, padding);
}

void bpei_block_put_stamp(struct bpei_block_out *out, uint64_t stamp)
{
	bpei_block_put32(out, (uint32_t)(stamp >> 32));
	bpei_block_put32(out, (uint32_t)stamp);
}

void bpei_block_put_option(struct bpei_block_out *out, uint16_t code, const void *value, size_t n)
{
	if (n > OUT_OPTION_MOST)
		n = OUT_OPTION_MOST;
	bpei_block_put16(out, code);
	bpei_block_put16(out, (uint16_t)n);
	bpei_block_put_bytes(out, value, n);
}

void bpei_block_put_option32(struct bpei_block_out *out, uint16_t code, uint32_t value)
{
	bpei_block_put_option(out, code, &value, sizeof value);
}

void bpei_block_put_option64(struct bpei_block_out *out, uint16_t code, uint64_t value)
{
	bpei_block_put_option(out, code, &value, sizeof value);
}

/* Returns how many of the text's first n bytes or fewer are whole characters of UTF-8. */
static size_t cut_text(const char *text, size_t n)
{
	size_t cut = n;

	while (cut && ((uint8_t)text[cut] & 0xc0) == 0x80 && n - cut < 3)
		cut--;
	return ((uint8_t)text[cut] & 0xc0) == 0x80 ? n : cut;
}

void bpei_block_put_text(struct bpei_block_out *out, uint16_t code, const char *text)
{
	if (!text || !text[0])
		return;
	size_t n = strlen(text);
	if (n > OUT_OPTION_MOST)
		n = cut_text(text, OUT_OPTION_MOST);
	bpei_block_put_option(out, code, text, n);
}

size_t bpei_block_finish(struct bpei_block_out *out, bool with_options)
{
	if (with_options)
		bpei_block_put32(out, BPEI_OPTION_END);
	const size_t bytes = (size_t)(out->next - out->begin) + 4;
	if (bytes > UINT32_MAX)
		return 0;
	bpei_block_put32(out, (uint32_t)bytes);
	if (out->is_full)
		return 0;
	bpei_store32(out->begin + 4, (uint32_t)bytes);
	return bytes;
}

/* ---- Whole blocks ---- */

/* Appends options that are encoded already. */
static void put_raw_options(struct bpei_block_out *out, const struct bpei_raw_options *raw)
{
	if (raw->bytes)
		bpei_block_put_bytes(out, raw->bytes, raw->length);
}

size_t bpei_section_put(uint8_t *to, size_t room, const struct bpei_section_out *s)
{
	struct bpei_block_out out;

	bpei_block_begin(&out, to, room, BPEI_BLOCK_SECTION);
	bpei_block_put32(&out, 0x1a2b3c4d);
	bpei_block_put16(&out, 1);
	bpei_block_put16(&out, 0);
	bpei_block_put_stamp(&out, UINT64_MAX); /* the section's length: unknown */
	bpei_block_put_text(&out, BPEI_OPTION_COMMENT, s->comment);
	bpei_block_put_text(&out, SHB_HARDWARE, s->hardware);
	bpei_block_put_text(&out, SHB_OS, s->os);
	put_raw_options(&out, &s->raw);
	bpei_block_put_text(&out, SHB_APPLICATION, s->application);
	return bpei_block_finish(&out, true);
}

/* Appends an option with a filter: an octet with the filter's kind, then the filter. */
static void put_filter(struct bpei_block_out *out, uint8_t kind, const void *filter, size_t n)
{
	uint8_t *at;

	if (n > OUT_OPTION_MOST - 1)
		return;
	bpei_block_put16(out, IDB_FILTER);
	bpei_block_put16(out, (uint16_t)(n + 1));
	at = reserve_part(out, (n + 1 + 3) & ~(size_t)3);
	if (!at)
		return;
	at[0] = kind;
	memcpy(at + 1, filter, n);
	memset(at + 1 + n, 0, -(n + 1) & 3);
}

size_t bpei_interface_put(uint8_t *to, size_t room, const struct bpei_interface_out *i)
{
	struct bpei_block_out out;

	bpei_block_begin(&out, to, room, BPEI_BLOCK_INTERFACE);
	bpei_block_put16(&out, (uint16_t)i->link_type);
	bpei_block_put16(&out, 0);
	bpei_block_put32(&out, i->snaplen);
	bpei_block_put_text(&out, IDB_NAME, i->name);
	if (i->has_effective_id)
		bpei_block_put_option32(&out, IDB_EFFECTIVE_ID, i->effective_id);
	bpei_block_put_text(&out, BPEI_OPTION_COMMENT, i->comment);
	bpei_block_put_text(&out, IDB_DESCRIPTION, i->description);
	if (i->has_mac)
		bpei_block_put_option(&out, IDB_MAC, i->mac, sizeof i->mac);
	if (i->speed)
		bpei_block_put_option64(&out, IDB_SPEED, i->speed);
	if (i->digits != 6)
		bpei_block_put_option(&out, IDB_TSRESOL, &i->digits, 1);
	if (i->filter_text && i->filter_text[0])
		put_filter(&out, FILTER_IS_TEXT, i->filter_text, strlen(i->filter_text));
	if (i->program && i->program_length)
		put_filter(&out, FILTER_IS_PROGRAM, i->program, (size_t)i->program_length * 8);
	bpei_block_put_text(&out, IDB_OS, i->os);
	bpei_block_put_text(&out, IDB_HARDWARE, i->hardware);
	put_raw_options(&out, &i->raw);
	return bpei_block_finish(&out, true);
}

/* Appends a time as an option. */
static void put_time_option(struct bpei_block_out *out, uint16_t code, uint64_t stamp)
{
	bpei_block_put16(out, code);
	bpei_block_put16(out, 8);
	bpei_block_put_stamp(out, stamp);
}

size_t bpei_statistics_put(uint8_t *to, size_t room, const struct bpei_statistics_out *s)
{
	struct bpei_block_out out;

	bpei_block_begin(&out, to, room, BPEI_BLOCK_STATISTICS);
	bpei_block_put32(&out, s->interface_id);
	bpei_block_put_stamp(&out, s->stamp);
	bpei_block_put_text(&out, BPEI_OPTION_COMMENT, s->comment);
	if (s->known & BPEI_STATISTICS_START)
		put_time_option(&out, ISB_START, s->start);
	if (s->known & BPEI_STATISTICS_END)
		put_time_option(&out, ISB_END, s->end);
	if (s->known & BPEI_STATISTICS_RECEIVED)
		bpei_block_put_option64(&out, ISB_RECEIVED, s->received);
	if (s->known & BPEI_STATISTICS_INTERFACE_DROPPED)
		bpei_block_put_option64(&out, ISB_INTERFACE_DROPPED, s->interface_dropped);
	if (s->known & BPEI_STATISTICS_ACCEPTED)
		bpei_block_put_option64(&out, ISB_ACCEPTED, s->accepted);
	if (s->known & BPEI_STATISTICS_DROPPED)
		bpei_block_put_option64(&out, ISB_DROPPED, s->dropped);
	if (s->known & BPEI_STATISTICS_DELIVERED)
		bpei_block_put_option64(&out, ISB_DELIVERED, s->delivered);
	return bpei_block_finish(&out, true);
}

size_t bpei_process_put(
	uint8_t *to, size_t room, uint32_t pid, const char *name, const uint8_t *uuid)
{
	struct bpei_block_out out;

	bpei_block_begin(&out, to, room, BPEI_BLOCK_PROCESS);
	bpei_block_put32(&out, pid);
	bpei_block_put_text(&out, PIB_NAME, name);
	if (uuid)
		bpei_block_put_option(&out, PIB_UUID, uuid, PIB_UUID_BYTES);
	return bpei_block_finish(&out, true);
}

void bpei_names_begin(struct bpei_block_out *out, uint8_t *to, size_t room)
{
	bpei_block_begin(out, to, room, BPEI_BLOCK_NAMES);
	if ((size_t)(out->end - out->next) < NAMES_TAIL)
		out->is_full = true;
}

bool bpei_names_put(
	struct bpei_block_out *out, const uint8_t *address, int ip_version, const char *name)
{
	const size_t address_bytes = ip_version == 4 ? 4 : 16;
	const size_t n = strlen(name) + 1; /* names end with a 0 */
	const size_t length = address_bytes + n;

	if (out->is_full || length > OUT_OPTION_MOST)
		return false;
	if ((size_t)(out->end - out->next) < 4 + ((length + 3) & ~(size_t)3) + NAMES_TAIL)
		return false;
	bpei_block_put16(out, ip_version == 4 ? NAME_IP4 : NAME_IP6);
	bpei_block_put16(out, (uint16_t)length);
	bpei_block_put_bytes(out, address, address_bytes);
	bpei_block_put_bytes(out, name, n);
	return true;
}

size_t bpei_names_finish(struct bpei_block_out *out)
{
	bpei_block_put32(out, NAME_END);
	return bpei_block_finish(out, false);
}

/* ---- Packets ---- */

/* Appends an option with a word of the packet's extra members as value, if the bit is there. */
static void put_extra32(struct bpei_block_out *out, const struct bpei_packet_extra *x, uint32_t bit,
	uint16_t code, uint32_t value)
{
	if (x->has & bit)
		bpei_block_put_option32(out, code, value);
}

/* Appends the options of pcapng that have numbers 3 to 8. */
static void put_standard_options(struct bpei_block_out *out, const struct bpei_packet_extra *x)
{
	if (x->has & BPEI_HAS_HASH)
		bpei_block_put_option(out, BPEI_OPTION_HASH, x->hash, x->hash_bytes);
	if (x->has & BPEI_HAS_DROPCOUNT)
		bpei_block_put_option64(out, BPEI_OPTION_DROPCOUNT, x->dropcount);
	if (x->has & BPEI_HAS_PACKETID)
		bpei_block_put_option64(out, BPEI_OPTION_PACKETID, x->packetid);
	put_extra32(out, x, BPEI_HAS_QUEUE, BPEI_OPTION_QUEUE, x->queue);
	if (x->has & BPEI_HAS_VERDICT)
		bpei_block_put_option(out, BPEI_OPTION_VERDICT, x->verdict, x->verdict_bytes);
	if (x->has & BPEI_HAS_PROCESS_THREAD) {
		const uint32_t both[2] = { x->pid, x->tid };

		bpei_block_put_option(out, BPEI_OPTION_PROCESS_THREAD, both, sizeof both);
	}
}

void bpei_packet_begin(
	struct bpei_block_out *out, uint8_t *to, size_t room, const struct bpei_packet_out *p)
{
	bpei_block_begin(out, to, room, BPEI_BLOCK_PACKET);
	bpei_block_put32(out, p->interface_id);
	bpei_block_put_stamp(out, p->stamp);
	bpei_block_put32(out, p->caplen);
	bpei_block_put32(out, p->wirelen);
	bpei_block_put_bytes(out, p->data, p->caplen);
}

void bpei_packet_put_extra(struct bpei_block_out *out, const struct bpei_packet_extra *x)
{
	put_extra32(out, x, BPEI_HAS_PROCESS, BPEI_OPTION_APPLE_PROCESS, x->process);
	put_extra32(out, x, BPEI_HAS_EFFECTIVE, BPEI_OPTION_APPLE_EFFECTIVE, x->effective);
	put_extra32(out, x, BPEI_HAS_FLAGS, BPEI_OPTION_FLAGS, x->flags);
	put_standard_options(out, x);
	put_extra32(
		out, x, BPEI_HAS_SERVICE_CLASS, BPEI_OPTION_APPLE_SERVICE_CLASS, x->service_class);
	put_extra32(out, x, BPEI_HAS_FLOW, BPEI_OPTION_APPLE_FLOW, x->flow);
	if (x->has & BPEI_HAS_TRACE_TAG)
		bpei_block_put_option(out, BPEI_OPTION_APPLE_TRACE_TAG, &x->trace_tag, 2);
	put_extra32(out, x, BPEI_HAS_DROP_REASON, BPEI_OPTION_APPLE_DROP_REASON, x->drop_reason);
	if (x->has & BPEI_HAS_DROP_LINE)
		bpei_block_put_option(out, BPEI_OPTION_APPLE_DROP_LINE, &x->drop_line, 2);
	bpei_block_put_text(out, BPEI_OPTION_APPLE_DROP_FUNCTION, x->drop_function);
	bpei_block_put_text(out, BPEI_OPTION_COMMENT, x->comment);
	put_extra32(out, x, BPEI_HAS_APPLE_FLAGS, BPEI_OPTION_APPLE_FLAGS, x->apple_flags);
	put_extra32(out, x, BPEI_HAS_COMPRESSION, BPEI_OPTION_APPLE_COMPRESSION, x->compression);
	put_raw_options(out, &x->raw);
}

size_t bpei_packet_put(uint8_t *to, size_t room, const struct bpei_packet_out *p,
	const struct bpei_packet_extra *x)
{
	struct bpei_block_out out;

	bpei_packet_begin(&out, to, room, p);
	const uint8_t *options = out.next;

	bpei_packet_put_extra(&out, x);
	return bpei_block_finish(&out, out.next > options);
}
