/* SPDX-License-Identifier: MIT */
/* The options of a packet's block in a pcapng file, found again behind the packet.  A batch's
 * packet lies in the block, at a fixed distance from the block's beginning.  The meta column says
 * what the walk proved of the block.  A packet that is copied elsewhere must not keep the element.
 *
 * Source: draft-ietf-opsawg-pcapng; pcap/pcap-ng.h of Apple's libpcap-144. */
#ifndef BPEI_PCAPNG_OPTIONS_H
#define BPEI_PCAPNG_OPTIONS_H

#include "base/cursor.h"
#include "bpfengine.h"

/* The meta column of packets of a pcapng file: BPEI_META_EXT is BPEI_EXT_PCAPNG, the low bits are
 * BPEI_WAY_, and these.  0: the block tells nothing. */
#define BPEI_META_SWAPPED 0x4u /* the section is not in this machine's byte order */
#define BPEI_META_OPTIONS 0x8u /* options follow the packet, up to the block's end */
#define BPEI_META_OLD 0x10u    /* a packet block, with a count of drops: not an enhanced one */

#define BPEI_PACKET_HEAD 28u /* bytes from the block's beginning to the packet */

/* Options from `rest` on, in the byte order big or little. */
struct bpei_options_in {
	struct bpei_cursor rest;
	bool big;
};

/* An option of a block. */
struct bpei_option_in {
	uint16_t code;
	struct bpei_cursor value;
};

/* Begins at the first option of the packet with this data and meta element.  Without options there
 * is nothing to take. */
struct bpei_options_in bpei_packet_options_begin(const uint8_t *data, uint16_t meta);

/* Takes the next option.  Returns false at the end of the options, or at damage. */
static inline bool bpei_options_next(struct bpei_options_in *o, struct bpei_option_in *option)
{
	if (bpei_cursor_left(&o->rest) < 4)
		return false;
	option->code = bpei_cursor_u16(&o->rest, o->big);
	const uint16_t length = bpei_cursor_u16(&o->rest, o->big);
	option->value = bpei_cursor_init(o->rest.next, length);
	return option->code != 0 && bpei_cursor_take(&o->rest, (length + 3u) & ~3u);
}

/* Returns the packets lost before a packet, as an old packet block tells; 0: none, or not known. */
uint16_t bpei_packet_old_drops(const uint8_t *data, uint16_t meta);

/* Reads what the packet's block tells into *meta, which has no value yet but -1 for processes.
 * i: below batch->count. */
void bpei_pcapng_read_meta(const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta);

#endif
