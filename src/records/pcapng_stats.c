/* SPDX-License-Identifier: MIT */
/* Reads a pcapng file's counts of packets missing from the file, and directions, from interface
 * statistics blocks and the options of packet blocks; chooses the blocks that are kept.  The state
 * is the caller's struct bpei_pcapng.
 *
 * Statistics are totals since the beginning of the capture, written once or many times: the last
 * totals of each interface count.  An interface without statistics has lost the sum of its packets'
 * drop counts.  Damage here costs no packet: an unreadable part is passed over. */
#include "records/walk_pcapng.h"

#include "base/cursor.h"
#include "records/macos_meta.h"
#include "records/pcapng_options.h"

enum { KEPT_SHB = BPEI_PCAPNG_SHB, KEPT_IDB = 1, KEPT_NRB = 4, KEPT_DSB = 10 };
enum { OPTION_END = 0 };
enum { ISB_IFRECV = 4, ISB_IFDROP = 5, ISB_FILTERACCEPT = 6, ISB_OSDROP = 7 };
enum { EPB_FLAGS = 2, EPB_DROPCOUNT = 4 };
#define NOT_KNOWN UINT64_MAX

static bool stats_are_big_endian(const struct bpei_pcapng *ng)
{
	return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != ng->swapped;
}

/* Takes the next option.  Returns false at the end of the options. */
static bool take_option(
	struct bpei_cursor *options, bool big, uint16_t *code, struct bpei_cursor *value)
{
	if (bpei_cursor_left(options) < 4)
		return false;
	*code = bpei_cursor_u16(options, big);
	const uint16_t length = bpei_cursor_u16(options, big);
	*value = bpei_cursor_init(options->next, length);
	return *code != OPTION_END && bpei_cursor_take(options, (length + 3u) & ~3u);
}

/* Replaces an interface's total, and corrects the sum over all interfaces. */
static void replace_total(uint64_t *of_interface, uint64_t *of_all, uint64_t total)
{
	*of_all += total - *of_interface;
	*of_interface = total;
}

static void take_total(
	struct bpei_pcapng *ng, struct bpei_pcapng_interface *i, uint16_t code, uint64_t total)
{
	switch (code) {
	case ISB_IFRECV:
		ng->stats.known |= BPE_KNOWN_RECEIVED;
		replace_total(&i->stats.received, &ng->stats.received, total);
		break;
	case ISB_FILTERACCEPT:
		ng->stats.known |= BPE_KNOWN_ACCEPTED;
		replace_total(&i->stats.accepted, &ng->stats.accepted, total);
		break;
	case ISB_IFDROP:
		ng->stats.known |= BPE_KNOWN_INTERFACE_DROPPED;
		replace_total(&i->stats.interface_dropped, &ng->stats.interface_dropped, total);
		break;
	case ISB_OSDROP:
		i->has_drops = true;
		ng->stats.known |= BPE_KNOWN_DROPPED;
		replace_total(&i->stats.dropped, &ng->stats.dropped, total);
		break;
	default:
		break;
	}
}

void bpei_pcapng_read_statistics(struct bpei_pcapng *ng, const void *bytes, size_t length)
{
	struct bpei_cursor body = bpei_cursor_init(bytes, length), value;
	const bool big = stats_are_big_endian(ng);
	const uint32_t id = bpei_cursor_u32(&body, big);
	uint16_t code;

	bpei_cursor_take(&body, 8); /* the block's time */
	if (body.bad || id >= ng->count)
		return;
	while (take_option(&body, big, &code, &value)) {
		const uint64_t total = bpei_cursor_u64(&value, big);

		if (!value.bad && total != NOT_KNOWN)
			take_total(ng, &ng->interfaces[id], code, total);
	}
}

void bpei_pcapng_count_lost(struct bpei_pcapng *ng, uint32_t interface, uint64_t packets)
{
	struct bpei_pcapng_interface *i = &ng->interfaces[interface];

	if (i->has_drops)
		return;
	if (packets)
		ng->stats.known |= BPE_KNOWN_DROPPED;
	i->stats.dropped += packets;
	ng->stats.dropped += packets;
}

struct bpei_packet_options bpei_pcapng_read_options(
	const struct bpei_pcapng *ng, const void *bytes, size_t length)
{
	struct bpei_packet_options found = { .lost = 0 };
	struct bpei_cursor options = bpei_cursor_init(bytes, length), value;
	const bool big = stats_are_big_endian(ng);
	uint16_t code;

	while (take_option(&options, big, &code, &value)) {
		if (code == EPB_FLAGS) {
			const uint32_t direction = bpei_cursor_u32(&value, big) & 3;

			found.way = direction < BPEI_WAYS ? (uint16_t)direction : BPEI_WAY_UNKNOWN;
		} else if (code == EPB_DROPCOUNT) {
			found.lost = bpei_cursor_u64(&value, big);
			if (found.lost == NOT_KNOWN)
				found.lost = 0;
		}
	}
	found.meta = (uint16_t)(BPEI_EXT_PCAPNG << BPEI_META_EXT_SHIFT | found.way |
				BPEI_META_OPTIONS | (ng->swapped ? BPEI_META_SWAPPED : 0));
	return found;
}

uint16_t bpei_pcapng_old_block_meta(const struct bpei_pcapng *ng)
{
	const uint16_t order = ng->swapped ? BPEI_META_SWAPPED : 0;

	return (uint16_t)(BPEI_EXT_PCAPNG << BPEI_META_EXT_SHIFT | BPEI_META_OLD | order);
}

void bpei_pcapng_keep_block(struct bpei_pcapng *ng, uint32_t type, const void *body, size_t length)
{
	const struct bpei_kept_block block = { .type = type,
		.length = (uint32_t)length,
		.swapped = ng->swapped,
		.body = (uint8_t *)(uintptr_t)body };

	if (type == BPEI_PROCESS_BLOCK)
		bpei_pcapng_kept_process(
			ng->kept, ng->before, body, length, stats_are_big_endian(ng));
	else if (type == KEPT_IDB)
		bpei_pcapng_kept_add_interface(ng->kept, body, length, ng->swapped);
	else if (type == KEPT_SHB || type == KEPT_NRB || type == KEPT_DSB)
		bpei_pcapng_kept_block(ng->kept, &block);
}

bool bpei_pcapng_ends_batch(const struct bpei_pcapng *ng, uint32_t type)
{
	return ng->kept && (type == KEPT_NRB || type == KEPT_DSB);
}
