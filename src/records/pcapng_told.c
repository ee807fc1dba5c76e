/* SPDX-License-Identifier: MIT */
/* What a pcapng file tells of packets that are not in it, and of directions: interface statistics
 * blocks and the options of packet blocks.  The state is the caller's struct bpei_pcapng; nobody
 * else's.
 *
 * Statistics are totals since the beginning of the capture, written once or many times: the last
 * ones of each interface count. An interface without them has lost the sum of what its packets'
 * drop counts say. Damage in here costs nobody a packet: what cannot be read is passed over. */
#include "records/walk.h"

#include "base/cursor.h"

enum { OPTION_END = 0 };
enum { ISB_IFRECV = 4, ISB_IFDROP = 5, ISB_FILTERACCEPT = 6, ISB_OSDROP = 7 };
enum { EPB_FLAGS = 2, EPB_DROPCOUNT = 4 };
#define NOT_KNOWN UINT64_MAX

static bool is_big(const struct bpei_pcapng *ng)
{
	return (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != ng->swapped;
}

/* The next option, false at the end. */
static bool next_option(
	struct bpei_cursor *options, bool big, uint16_t *code, struct bpei_cursor *value)
{
	if (bpei_cursor_left(options) < 4)
		return false;
	*code = bpei_cursor_u16(options, big);
	const uint16_t length = bpei_cursor_u16(options, big);
	*value = bpei_cursor_init(options->next, length);
	return *code != OPTION_END && bpei_cursor_take(options, (length + 3u) & ~3u);
}

/* A total of the interface is another now, and so is the sum of all. */
static void replace(uint64_t *of_one, uint64_t *of_all, uint64_t total)
{
	*of_all += total - *of_one;
	*of_one = total;
}

void bpei_pcapng_read_statistics(struct bpei_pcapng *ng, const void *bytes, size_t length)
{
	struct bpei_cursor body = bpei_cursor_init(bytes, length), value;
	const bool big = is_big(ng);
	const uint32_t id = bpei_cursor_u32(&body, big);
	uint16_t code;
	bpei_cursor_take(&body, 8); /* when */
	if (body.bad || id >= ng->count)
		return;
	struct bpei_pcapng_interface *i = &ng->interfaces[id];
	while (next_option(&body, big, &code, &value)) {
		const uint64_t total = bpei_cursor_u64(&value, big);
		if (value.bad || total == NOT_KNOWN)
			continue;
		switch (code) {
		case ISB_IFRECV:
			ng->told.known |= BPE_KNOWN_RECEIVED;
			replace(&i->told.received, &ng->told.received, total);
			break;
		case ISB_FILTERACCEPT:
			ng->told.known |= BPE_KNOWN_ACCEPTED;
			replace(&i->told.accepted, &ng->told.accepted, total);
			break;
		case ISB_IFDROP:
			ng->told.known |= BPE_KNOWN_INTERFACE_DROPPED;
			replace(&i->told.interface_dropped, &ng->told.interface_dropped, total);
			break;
		case ISB_OSDROP:
			i->has_drops = true;
			ng->told.known |= BPE_KNOWN_DROPPED;
			replace(&i->told.dropped, &ng->told.dropped, total);
			break;
		default:
			break;
		}
	}
}

void bpei_pcapng_count_lost(struct bpei_pcapng *ng, uint32_t interface, uint64_t packets)
{
	struct bpei_pcapng_interface *i = &ng->interfaces[interface];
	if (i->has_drops)
		return;
	if (packets)
		ng->told.known |= BPE_KNOWN_DROPPED;
	i->told.dropped += packets;
	ng->told.dropped += packets;
}

struct bpei_pcapng_about bpei_pcapng_read_about(
	const struct bpei_pcapng *ng, const void *bytes, size_t length)
{
	struct bpei_pcapng_about about = { .lost = 0 };
	struct bpei_cursor options = bpei_cursor_init(bytes, length), value;
	const bool big = is_big(ng);
	uint16_t code;
	while (next_option(&options, big, &code, &value)) {
		if (code == EPB_FLAGS) {
			const uint32_t direction = bpei_cursor_u32(&value, big) & 3;
			about.way = direction < 3 ? (uint16_t)direction : BPEI_WAY_UNKNOWN;
		} else if (code == EPB_DROPCOUNT) {
			about.lost = bpei_cursor_u64(&value, big);
			if (about.lost == NOT_KNOWN)
				about.lost = 0;
		}
	}
	return about;
}
