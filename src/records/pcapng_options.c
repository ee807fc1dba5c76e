/* SPDX-License-Identifier: MIT */
/* Finds the options of a packet's block, and reads macOS's and pcapng's own metadata from them
 * (pcapng_options.h).  Pure.  An option of a wrong length tells nothing. */
#include "records/pcapng_options.h"

#include "base/bytes.h"
#include "records/macos_meta.h"
#include "records/packet_source.h"
#include "records/pcapng_kept.h"
#include "records/walk_pcapng.h"

enum { IN_FLAGS = 2, IN_PROCESS_THREAD = 8, IN_PROCESS = 0x8001 };
enum { IN_SERVICE_CLASS = 0x8002, IN_EFFECTIVE = 0x8003, IN_APPLE_FLAGS = 0x8004 };
enum { IN_FLOW = 0x8005, IN_TRACE_TAG = 0x8006, IN_DROP_REASON = 0x8007 };
enum { IN_NEW_FLOW = 1, IN_KEEP_ALIVE = 2, IN_RETRANSMIT = 4, IN_WAKE = 0x20 };
enum { FROM_CAPLEN = 8, FROM_LENGTH = 24, FROM_DROPS = 18 }; /* bytes before the packet */

static uint32_t load_ordered32(const uint8_t *p, uint16_t meta)
{
	const uint32_t v = bpei_load32(p);

	return meta & BPEI_META_SWAPPED ? __builtin_bswap32(v) : v;
}

static bool element_is_big_endian(uint16_t meta)
{
	return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != !!(meta & BPEI_META_SWAPPED);
}

struct bpei_options_in bpei_packet_options_begin(const uint8_t *data, uint16_t meta)
{
	struct bpei_options_in none = { .rest = bpei_cursor_init(data, 0) };

	if (meta >> BPEI_META_EXT_SHIFT != BPEI_EXT_PCAPNG || !(meta & BPEI_META_OPTIONS))
		return none;
	const uint32_t caplen = load_ordered32(data - FROM_CAPLEN, meta);
	const uint32_t length = load_ordered32(data - FROM_LENGTH, meta);
	const uint64_t at = BPEI_PACKET_HEAD + (uint64_t)caplen + (-caplen & 3u);

	if (at + 4 > length) /* the walk has excluded this */
		return none;
	none.rest = bpei_cursor_init(data + at - BPEI_PACKET_HEAD, length - 4 - (size_t)at);
	none.big = element_is_big_endian(meta);
	return none;
}

uint16_t bpei_packet_old_drops(const uint8_t *data, uint16_t meta)
{
	uint16_t drops;

	if (meta >> BPEI_META_EXT_SHIFT != BPEI_EXT_PCAPNG || !(meta & BPEI_META_OLD))
		return 0;
	drops = element_is_big_endian(meta) ? bpei_be16(data - FROM_DROPS)
					    : bpei_le16(data - FROM_DROPS);
	return drops == UINT16_MAX ? 0 : drops;
}

/* ---- Metadata ---- */

/* Finds a process by the place in the packet's section. */
static const struct bpei_process_info *find_packet_process(
	const struct bpe_batch *b, uint32_t i, uint32_t place)
{
	uint32_t interface_id;
	const struct bpei_packet_source *source = bpei_packet_source_of_batch(b, i, &interface_id);

	if (!source || !source->kept)
		return NULL;
	return bpei_pcapng_kept_find(source->kept, interface_id, place);
}

/* Takes the packet's process, or the effective process. */
static void take_process(
	const struct bpe_batch *b, uint32_t i, const struct bpei_option_in *o, struct bpe_meta *m)
{
	const struct bpei_process_info *process;
	struct bpei_cursor value = o->value;
	const bool big = element_is_big_endian(b->meta[i]);

	process = find_packet_process(b, i, bpei_cursor_u32(&value, big));
	if (!process || (int32_t)process->pid <= 0)
		return;
	if (o->code == IN_EFFECTIVE) {
		m->effective_pid = (int32_t)process->pid;
		bpei_meta_copy_name(m->effective_comm, sizeof m->effective_comm,
			(const uint8_t *)process->name, sizeof process->name);
		return;
	}
	m->pid = (int32_t)process->pid;
	m->flags |= BPE_META_PROCESS;
	bpei_meta_copy_name(
		m->comm, sizeof m->comm, (const uint8_t *)process->name, sizeof process->name);
}

static void take_apple_flags(uint32_t flags, struct bpe_meta *m)
{
	if (flags & IN_NEW_FLOW)
		m->flags |= BPE_META_NEW_FLOW;
	if (flags & IN_KEEP_ALIVE)
		m->flags |= BPE_META_KEEP_ALIVE;
	if (flags & IN_RETRANSMIT)
		m->flags |= BPE_META_RETRANSMIT;
	if (flags & IN_WAKE)
		m->flags |= BPE_META_WAKE;
}

/* Takes pcapng's own process and thread, unless Apple's option told the process. */
static void take_process_thread(struct bpei_cursor value, bool big, struct bpe_meta *m)
{
	const uint32_t pid = bpei_cursor_u32(&value, big);

	m->thread_id = bpei_cursor_u32(&value, big);
	if (m->pid >= 0 || !pid || pid > INT32_MAX)
		return;
	m->pid = (int32_t)pid;
	m->flags |= BPE_META_PROCESS;
}

static void take_word(uint16_t code, uint32_t word, struct bpe_meta *m)
{
	switch (code) {
	case IN_FLAGS:
		word &= 3;
		if (word == BPEI_WAY_IN || word == BPEI_WAY_OUT)
			m->flags |= BPE_META_DIRECTION;
		if (word == BPEI_WAY_OUT)
			m->flags |= BPE_META_OUT;
		break;
	case IN_SERVICE_CLASS:
		m->service_class = word;
		break;
	case IN_APPLE_FLAGS:
		take_apple_flags(word, m);
		break;
	case IN_FLOW:
		m->flow_id = word;
		break;
	case IN_DROP_REASON:
		m->drop_reason = word;
		break;
	default:
		break;
	}
}

void bpei_pcapng_read_meta(const struct bpe_batch *b, uint32_t i, struct bpe_meta *m)
{
	struct bpei_options_in options = bpei_packet_options_begin(b->data[i], b->meta[i]);
	struct bpei_option_in o;

	while (bpei_options_next(&options, &o)) {
		const size_t length = bpei_cursor_left(&o.value);

		if ((o.code == IN_PROCESS || o.code == IN_EFFECTIVE) && length == 4)
			take_process(b, i, &o, m);
		else if (o.code == IN_PROCESS_THREAD && length == 8)
			take_process_thread(o.value, options.big, m);
		else if (o.code == IN_TRACE_TAG && length == 2)
			m->trace_tag = bpei_cursor_u16(&o.value, options.big);
		else if (length == 4)
			take_word(o.code, bpei_cursor_u32(&o.value, options.big), m);
	}
}

int bpe_batch_comment(
	const struct bpe_batch *b, uint32_t i, uint32_t n, const char **comment, size_t *bytes)
{
	struct bpei_option_in o;

	if (!BPE_HAS(b, meta) || !b->meta || i >= b->count)
		return 0;
	struct bpei_options_in options = bpei_packet_options_begin(b->data[i], b->meta[i]);
	while (bpei_options_next(&options, &o)) {
		size_t length = bpei_cursor_left(&o.value);

		if (o.code != 1 || n--)
			continue;
		if (length && !o.value.next[length - 1])
			length--; /* old writers left a 0 */
		*comment = (const char *)o.value.next;
		*bytes = length;
		return 1;
	}
	return 0;
}
