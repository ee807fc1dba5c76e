/* SPDX-License-Identifier: MIT */
/* Gives any bytes as a block of TPACKET_V3's ring.  The walked packets lie inside the block.  Every
 * packet of an intact block is given or counted as a duplicate, and nothing else is written.
 *
 * Input: a byte of choices (bit 0 cooked, 1 loopback's packets are skipped, 2 another link type
 * than Ethernet, 3-4 the packets a call may give), then the block. */
#include "fuzz.h"

#ifdef __linux__

#include "records/batch.h"
#include "device/afpacket.h"

#include <linux/if_packet.h>
#include <string.h>

#define SMALLEST 112u /* the block's head and one frame's */

struct walked {
	uint64_t packets, captured, wire;
};

static void check_tpacket_batch(const struct bpei_columns *c, uint32_t n, const uint8_t *block,
	size_t length, struct walked *w)
{
	for (uint32_t i = 0; i < n; i++) {
		FUZZ_CHECK(c->data[i] >= block &&
			   c->caplen[i] <= (size_t)(block + length - c->data[i]));
		FUZZ_CHECK(c->caplen[i] <= BPE_MAX_SNAPLEN &&
			   c->wirelen[i] <= (uint32_t)INT32_MAX + 24);
		FUZZ_CHECK(c->outgoing[i] == 0 || c->outgoing[i] == BPE_PKT_OUTGOING);
		for (uint32_t k = 0; k < c->caplen[i]; k++)
			w->captured += c->data[i][k] != 0;
		w->packets++;
		w->wire += c->wirelen[i];
	}
}

void fuzz_tpacket(const uint8_t *bytes, size_t n)
{
	static const uint32_t steps[4] = { 64, 1, 3, 17 };
	struct fuzz_input in = { bytes, bytes + n };
	bpei_counter torn = { 0 }, duplicates = { 0 }, captured = { 0 }, wire = { 0 };
	struct bpei_columns columns;
	struct tpacket_block_desc desc;
	struct walked w = { 0, 0, 0 };
	uint8_t choices = fuzz_u8(&in);
	size_t length = fuzz_left(&in);
	if (length < SMALLEST)
		return; /* the kernel's blocks are pages */
	struct bpei_tpacket how = { .cooked = choices & 1,
		.skip_outgoing = choices & 2,
		.torn_blocks = &torn,
		.duplicates = &duplicates,
		.duplicate_captured = &captured,
		.duplicate_wire = &wire };
	how.link_type = choices & 4 ? 101 : BPEI_TPACKET_ETHERNET;
	if (how.cooked)
		how.link_type = 276;
	uint8_t *block = malloc(length); /* exact: a sanitizer sees a read past the end */
	FUZZ_CHECK(block && bpei_columns_new(&columns, BPE_BATCH) == BPE_OK);
	memcpy(block, in.next, length);
	memcpy(&desc, block, sizeof desc);
	uint32_t packets = desc.hdr.bh1.num_pkts;
	uint32_t max = steps[choices >> 3 & 3];
	uint32_t got;
	struct bpei_block b = {
		.bytes = block, .length = length, .position = desc.hdr.bh1.offset_to_first_pkt
	};
	while ((got = bpei_walk_tpacket(&how, &b, &columns, max))) {
		FUZZ_CHECK(got <= max && b.link_type == how.link_type);
		check_tpacket_batch(&columns, got, block, length, &w);
		FUZZ_CHECK(w.packets <= packets);
	}
	FUZZ_CHECK(bpei_counter_get(&torn) <= 1);
	if (!bpei_counter_get(&torn))
		FUZZ_CHECK(w.packets + bpei_counter_get(&duplicates) == packets);
	FUZZ_CHECK(how.skip_outgoing || !bpei_counter_get(&duplicates));
	FUZZ_CHECK(bpei_walk_tpacket(&how, &b, &columns, max) == 0);
	bpei_columns_free(&columns, BPE_BATCH);
	free(block);
}

#else

void fuzz_tpacket(const uint8_t *bytes, size_t n)
{
	(void)bytes, (void)n;
} /* Linux's alone */

#endif
