/* SPDX-License-Identifier: MIT */
/* The walk over TPACKET_V3 blocks made here: sound blocks, restored tags, cooked headers, and
 * random damage. */
#include "device/afpacket.h"

#include "base/bytes.h"
#include "records/batch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>

#define BLOCK 2048u
/* The kernel's offsets of a packet (tpacket_rcv): of an Ethernet frame, and without a link header.
 */
#define FRAME_AT 82u
#define NETWORK_AT 96u

static bpei_counter torn, duplicates, duplicate_captured, duplicate_wire;
static struct bpei_columns columns;

static struct bpei_tpacket describe_ring(bool cooked)
{
	return (struct bpei_tpacket){ .link_type = cooked ? 276 : 1,
		.cooked = cooked,
		.skip_outgoing = true,
		.torn_blocks = &torn,
		.duplicates = &duplicates,
		.duplicate_captured = &duplicate_captured,
		.duplicate_wire = &duplicate_wire };
}

/* Writes three frames of 60 bytes: plain; with a tag taken out; outgoing on a loopback interface.
 */
static void make_block(uint8_t *block, uint32_t packet_at)
{
	struct tpacket_block_desc desc = { .version = 1 };
	memset(block, 0, BLOCK);
	desc.hdr.bh1.num_pkts = 3;
	desc.hdr.bh1.offset_to_first_pkt = 48;
	memcpy(block, &desc, sizeof desc);
	for (uint32_t k = 0; k < 3; k++) {
		uint8_t *at = block + 48 + k * 184; /* a multiple of 8, not of 16 */
		struct tpacket3_hdr h = { .tp_next_offset = k < 2 ? 184 : 0,
			.tp_sec = 5,
			.tp_nsec = k,
			.tp_snaplen = 60,
			.tp_len = 100,
			.tp_mac = (uint16_t)packet_at,
			.tp_net = (uint16_t)(packet_at + 14) };
		struct sockaddr_ll from = { .sll_protocol = htons(0x800),
			.sll_ifindex = 3,
			.sll_hatype = ARPHRD_ETHER,
			.sll_halen = 6,
			.sll_pkttype = PACKET_HOST };
		if (k == 2) {
			from.sll_hatype = ARPHRD_LOOPBACK;
			from.sll_pkttype = PACKET_OUTGOING;
		}
		if (k == 1) {
			h.tp_status = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
			h.hv1.tp_vlan_tci = 0x2007;
			h.hv1.tp_vlan_tpid = 0x88a8;
		}
		memcpy(at, &h, sizeof h);
		memcpy(at + TPACKET_ALIGN(sizeof h), &from, sizeof from);
		for (uint32_t j = 0; j < 60; j++)
			at[packet_at + j] = (uint8_t)j;
	}
}

static uint32_t walk_made_block(uint8_t *block, bool cooked, uint32_t max, struct bpei_block *b)
{
	struct bpei_tpacket t = describe_ring(cooked);
	struct tpacket_block_desc desc;
	memcpy(&desc, block, sizeof desc);
	*b = (struct bpei_block){
		.bytes = block, .length = BLOCK, .position = desc.hdr.bh1.offset_to_first_pkt
	};
	return bpei_walk_tpacket(&t, b, &columns, max);
}

static uint8_t *block;
static void make_columns(void)
{
	cr_assert_eq(bpei_columns_new(&columns, BPE_BATCH), 0);
	block = malloc(BLOCK);
	make_block(block, FRAME_AT);
}
static void free_columns(void)
{
	free(block);
	bpei_columns_free(&columns, BPE_BATCH);
}
TestSuite(tpacket, .init = make_columns, .fini = free_columns);

Test(tpacket, frames_tags_and_second_sights)
{
	struct bpei_block b;
	cr_assert_eq(walk_made_block(block, false, 64, &b), 2);
	cr_assert_eq(b.link_type, 1);
	cr_assert_eq(columns.caplen[0], 60);
	cr_assert_eq(columns.wirelen[0], 100);
	cr_assert_eq(columns.time_ns[1], 5000000001);
	cr_assert_eq(columns.data[0][59], 59);
	cr_assert_eq(columns.caplen[1], 64);
	cr_assert_eq(columns.wirelen[1], 104);
	cr_assert_arr_eq(
		columns.data[1], "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\x88\xa8\x20\x07\xc\xd\xe", 19);
	cr_assert_eq(bpei_counter_get(&duplicates), 1);
	cr_assert_eq(bpei_counter_get(&duplicate_wire), 100);
	cr_assert_eq(bpei_counter_get(&torn), 0);
}

Test(tpacket, cooked_headers)
{
	struct bpei_block b;
	make_block(block, NETWORK_AT);
	cr_assert_eq(walk_made_block(block, true, 1, &b), 1);
	cr_assert_eq(columns.caplen[0], 80);
	cr_assert_arr_eq(columns.data[0], "\x8\0\0\0\0\0\0\3\0\1\0\6\0\0\0\0\0\0\0\0\0\1\2", 23);
	struct bpei_tpacket t = describe_ring(true);
	cr_assert_eq(
		bpei_walk_tpacket(&t, &b, &columns, 64), 1); /* goes on after the last packet */
	cr_assert_eq(columns.caplen[0], 84);
	cr_assert_arr_eq(columns.data[0], "\x88\xa8", 2);
	cr_assert_arr_eq(columns.data[0] + 20, "\x20\x07\x08\0\0\1\2", 7);
	cr_assert_eq(bpei_walk_tpacket(&t, &b, &columns, 64), 0);
}

/* Checks random headers: no byte outside the block is read or written (exact allocation,
 * sanitizers), and the delivered packets lie inside the block. */
Test(tpacket, random_damage_stays_inside, .timeout = 550)
{
	uint64_t random = 20240229;
	uint64_t tears = 0;
	for (int i = 0; i < 40000; i++) {
		struct bpei_block b;
		make_block(block, i & 1 ? NETWORK_AT : FRAME_AT);
		for (int k = 0; k < 2; k++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			uint32_t at = (uint32_t)(random >> 33) % 3 == 0
					      ? 12 + (uint32_t)(random >> 40) % 8
					      : 48 + (uint32_t)(random >> 40) % 3 * 184 +
							(uint32_t)(random >> 50) % 68;
			uint32_t value = random >> 63 ? (uint32_t)(random >> 20)
						      : (uint32_t)(random >> 20) % 4096;
			memcpy(block + at, &value, sizeof value);
		}
		uint32_t n = walk_made_block(block, i & 1, 64, &b);
		for (uint32_t k = 0; k < n; k++)
			cr_assert(columns.data[k] >= block &&
				  columns.data[k] + columns.caplen[k] <= block + BLOCK);
		cr_assert(bpei_counter_get(&torn) >= tears);
		tears = bpei_counter_get(&torn);
	}
	cr_assert(tears > 1000);
}
