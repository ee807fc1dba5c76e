/* SPDX-License-Identifier: MIT */
/* Walking a TPACKET_V3 block in place (linux/if_packet.h;
 * Documentation/networking/packet_mmap.rst).  Pure over the block's memory, which may be written to
 * until the block is released.  VLAN tags which the kernel took out are put back, and cooked
 * headers are built.  The kernel leaves room for both in front of each packet: tpacket_rcv puts a
 * packet without link header behind 96 bytes, and an Ethernet frame behind 82.  Every offset is
 * checked to lie in the block.  A wrong offset ends the walk, and the block counts as torn. */
#include "device/afpacket.h"

#include "base/bytes.h"
#include "base/cacheline.h"

#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define FRAME_ALIGNMENT 8u /* V3_ALIGNMENT in net/packet/af_packet.c; not TPACKET_ALIGNMENT */
/* Records ahead which are prefetched, and the bytes of a record up to the end of a packet's own
 * headers. */
#define AHEAD 16u
#define RECORD_HEAD 192u
#define HEADER ((uint32_t)(TPACKET_ALIGN(sizeof(struct tpacket3_hdr)) + sizeof(struct sockaddr_ll)))

struct frame {
	uint8_t *data;
	uint32_t caplen, wirelen;
};

/* A VLAN tag which the kernel took out of the packet. */
struct tag {
	bool present;
	uint16_t tpid, tci;
};

/* Puts the tag back into an Ethernet header: moves the addresses 4 bytes down, and writes the tag
 * between the addresses and the type. */
static void restore_tag(struct frame *f, const struct tag *tag)
{
	memmove(f->data - BPEI_TAG, f->data, 12);
	f->data -= BPEI_TAG;
	bpei_put_be16(f->data + 12, tag->tpid);
	bpei_put_be16(f->data + 14, tag->tci);
	f->caplen += BPEI_TAG;
	f->wirelen += BPEI_TAG;
}

/* Builds a LINKTYPE_LINUX_SLL2 header in front of the packet, and the tag behind the header. */
static void build_cooked_header(
	struct frame *f, const struct sockaddr_ll *from, const struct tag *tag)
{
	uint32_t grown = BPEI_COOKED_HEADER;

	if (tag->present) {
		bpei_put_be16(f->data - 4, tag->tci);
		memcpy(f->data - 2, &from->sll_protocol, 2);
		f->data -= BPEI_TAG;
		grown += BPEI_TAG;
	}
	f->data -= BPEI_COOKED_HEADER;
	uint8_t *h = f->data;
	memset(h, 0, BPEI_COOKED_HEADER);
	if (tag->present)
		bpei_put_be16(h, tag->tpid);
	else
		memcpy(h, &from->sll_protocol, 2);
	bpei_put_be32(h + 4, (uint32_t)from->sll_ifindex);
	bpei_put_be16(h + 8, from->sll_hatype);
	h[10] = from->sll_pkttype;
	h[11] = from->sll_halen;
	memcpy(h + 12, from->sll_addr, 8);
	f->caplen += grown;
	f->wirelen += grown;
}

/* Ends a damaged block.  Returns n, the packets before the damage. */
static uint32_t end_torn_tpacket(
	const struct bpei_tpacket *how, struct bpei_block *b, uint32_t n, uint64_t packets)
{
	bpei_counter_add(how->torn_blocks, 1);
	b->device_data = packets;
	return n;
}

static inline __attribute__((always_inline)) struct tag read_tag(const struct tpacket3_hdr *h)
{
	const bool has_tpid = h->tp_status & TP_STATUS_VLAN_TPID_VALID;

	return (struct tag){ .present = h->tp_status & TP_STATUS_VLAN_VALID || h->hv1.tp_vlan_tci,
		.tpid = has_tpid ? h->hv1.tp_vlan_tpid : ETH_P_8021Q,
		.tci = (uint16_t)h->hv1.tp_vlan_tci };
}

/* Puts back what the kernel left out of the packet. */
static inline __attribute__((always_inline)) void complete_frame(const struct bpei_tpacket *how,
	struct frame *f, const struct sockaddr_ll *from, const struct tag *tag)
{
	if (how->cooked)
		build_cooked_header(f, from, tag);
	else if (BPEI_UNLIKELY(tag->present && f->caplen >= 12 &&
			       how->link_type == BPEI_TPACKET_ETHERNET))
		restore_tag(f, tag);
}

/* Asks for a later record at the offset `at`, which another CPU has just written.  The chain of
 * offsets tells the next record only, so a record is taken to be as long as the one at hand.  A
 * wrong guess costs a line. */
static inline __attribute__((always_inline)) void prefetch_record(const uint8_t *block, size_t at)
{
	for (size_t line = 0; line < RECORD_HEAD; line += 64)
		__builtin_prefetch((const void *)((uintptr_t)block + at + line));
}

static void count_duplicate(const struct bpei_tpacket *how, uint32_t caplen, uint32_t wirelen)
{
	bpei_counter_add(how->duplicates, 1);
	bpei_counter_add(how->duplicate_captured, caplen);
	bpei_counter_add(how->duplicate_wire, wirelen);
}

/* Returns true if the packet lies in the `left` bytes of the block.  `grow`: bytes to be put back
 * in front of the packet. */
static inline __attribute__((always_inline)) bool frame_fits(
	const struct tpacket3_hdr *h, size_t left, uint32_t grow)
{
	return h->tp_mac <= left && h->tp_snaplen <= left - h->tp_mac &&
	       h->tp_mac >= HEADER + grow && h->tp_len <= INT32_MAX;
}

uint32_t bpei_walk_tpacket(const struct bpei_tpacket *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	uint8_t *block = (uint8_t *)(uintptr_t)b->bytes;
	const struct tpacket_block_desc *desc = (const void *)block;
	const uint64_t packets = desc->hdr.bh1.num_pkts;
	uint32_t n = 0;

	b->link_type = how->link_type;
	while (n < max && b->device_data < packets) {
		const size_t at = b->position;
		const size_t left = at < b->length ? b->length - at : 0;
		struct sockaddr_ll from;

		if (BPEI_UNLIKELY(left < HEADER || at % FRAME_ALIGNMENT))
			return end_torn_tpacket(how, b, n, packets);
		const struct tpacket3_hdr *h = (const void *)(block + at);
		memcpy(&from, block + at + TPACKET_ALIGN(sizeof *h), sizeof from);
		const struct tag tag = read_tag(h);
		uint32_t grow = tag.present ? BPEI_TAG : 0;
		if (how->cooked)
			grow += BPEI_COOKED_HEADER;
		if (BPEI_UNLIKELY(!frame_fits(h, left, grow)))
			return end_torn_tpacket(how, b, n, packets);
		struct frame f = { block + at + h->tp_mac, h->tp_snaplen, h->tp_len };
		const int64_t time = (int64_t)h->tp_sec * 1000000000 + h->tp_nsec;
		const uint32_t next = h->tp_next_offset;
		b->device_data++;
		if (b->device_data < packets && BPEI_UNLIKELY(next < HEADER || next > left))
			return end_torn_tpacket(how, b, n, packets);
		b->position = at + next;
		prefetch_record(block, at + AHEAD * (size_t)next);

		const bool outgoing = from.sll_pkttype == PACKET_OUTGOING;
		complete_frame(how, &f, &from, &tag);
		const uint32_t caplen = f.caplen < BPE_MAX_SNAPLEN ? f.caplen : BPE_MAX_SNAPLEN;
		if (BPEI_UNLIKELY(
			    outgoing && how->skip_outgoing && from.sll_hatype == ARPHRD_LOOPBACK)) {
			count_duplicate(how, caplen, f.wirelen);
			continue;
		}
		c->data[n] = f.data;
		c->time_ns[n] = time;
		c->caplen[n] = caplen;
		c->wirelen[n] = f.wirelen;
		c->interface_id[n] = how->cooked ? (uint32_t)from.sll_ifindex : 0;
		c->outgoing[n] = outgoing ? BPE_PKT_OUTGOING : 0;
		n++;
	}
	return n;
}
