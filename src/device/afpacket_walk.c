/* SPDX-License-Identifier: MIT */
/* Walking a TPACKET_V3 block in place (linux/if_packet.h;
 * Documentation/networking/packet_mmap.rst).  Pure over the block's memory, which is ours to write
 * until it is given back: VLAN tags that the kernel took out are put back where they were, and
 * cooked headers are built, in the room in front of each packet that PACKET_RESERVE made.  Every
 * offset is proved to lie in the block; one that does not ends the walk, and the block counts as
 * torn. */
#include "device/afpacket.h"

#include "base/bytes.h"
#include "base/cacheline.h"

#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define FRAME_ALIGNMENT 8u /* V3_ALIGNMENT in net/packet/af_packet.c; not TPACKET_ALIGNMENT */
#define HEADER ((uint32_t)(TPACKET_ALIGN(sizeof(struct tpacket3_hdr)) + sizeof(struct sockaddr_ll)))

struct frame {
	uint8_t *data;
	uint32_t caplen, wirelen;
};

/* Ethernet: the addresses go 4 bytes down, the tag between them and the type. */
static void put_tag_back(struct frame *f, uint16_t tpid, uint16_t tci)
{
	memmove(f->data - BPEI_TAG, f->data, 12);
	f->data -= BPEI_TAG;
	bpei_put_be16(f->data + 12, tpid);
	bpei_put_be16(f->data + 14, tci);
	f->caplen += BPEI_TAG;
	f->wirelen += BPEI_TAG;
}

static void cook(
	struct frame *f, const struct sockaddr_ll *from, bool tagged, uint16_t tpid, uint16_t tci)
{
	uint32_t grown = BPEI_COOKED_HEADER;
	if (tagged) {
		bpei_put_be16(f->data - 4, tci);
		memcpy(f->data - 2, &from->sll_protocol, 2);
		f->data -= BPEI_TAG;
		grown += BPEI_TAG;
	}
	uint8_t *h = f->data -= BPEI_COOKED_HEADER;
	memset(h, 0, BPEI_COOKED_HEADER);
	if (tagged)
		bpei_put_be16(h, tpid);
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

static uint32_t torn(
	const struct bpei_tpacket *how, struct bpei_block *b, uint32_t n, uint64_t packets)
{
	bpei_counter_add(how->torn_blocks, 1);
	b->device_data = packets;
	return n;
}

uint32_t bpei_walk_tpacket(const struct bpei_tpacket *how, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max)
{
	uint8_t *block = (uint8_t *)(uintptr_t)b->bytes;
	const struct tpacket_block_desc *desc = (const void *)block;
	uint64_t packets = desc->hdr.bh1.num_pkts;
	uint32_t n = 0;
	b->link_type = how->link_type;
	while (n < max && b->device_data < packets) {
		size_t at = b->position, left = at < b->length ? b->length - at : 0;
		if (BPEI_UNLIKELY(left < HEADER || at % FRAME_ALIGNMENT))
			return torn(how, b, n, packets);
		const struct tpacket3_hdr *h = (const void *)(block + at);
		struct sockaddr_ll from;
		memcpy(&from, block + at + TPACKET_ALIGN(sizeof *h), sizeof from);
		struct frame f = { block + at + h->tp_mac, h->tp_snaplen, h->tp_len };
		bool tagged = h->tp_status & TP_STATUS_VLAN_VALID || h->hv1.tp_vlan_tci;
		uint32_t grow = (tagged ? BPEI_TAG : 0) + (how->cooked ? BPEI_COOKED_HEADER : 0);
		if (BPEI_UNLIKELY(h->tp_mac > left || f.caplen > left - h->tp_mac ||
				  h->tp_mac < HEADER + grow || f.wirelen > INT32_MAX))
			return torn(how, b, n, packets);
		int64_t time = (int64_t)h->tp_sec * 1000000000 + h->tp_nsec;
		uint32_t next = h->tp_next_offset;
		b->device_data++;
		if (b->device_data < packets && BPEI_UNLIKELY(next < HEADER || next > left))
			return torn(how, b, n, packets);
		b->position = at + next;
		__builtin_prefetch(block + at + next);
		__builtin_prefetch(block + at + next + 128);

		bool outgoing = from.sll_pkttype == PACKET_OUTGOING;
		uint16_t tpid = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid
									 : ETH_P_8021Q,
			 tci = (uint16_t)h->hv1.tp_vlan_tci;
		if (how->cooked)
			cook(&f, &from, tagged, tpid, tci);
		else if (BPEI_UNLIKELY(tagged && f.caplen >= 12 &&
				       how->link_type == BPEI_TPACKET_ETHERNET))
			put_tag_back(&f, tpid, tci);
		uint32_t caplen = f.caplen < BPE_MAX_SNAPLEN ? f.caplen : BPE_MAX_SNAPLEN;
		if (BPEI_UNLIKELY(
			    outgoing && how->skip_outgoing && from.sll_hatype == ARPHRD_LOOPBACK)) {
			bpei_counter_add(how->duplicates, 1);
			bpei_counter_add(how->duplicate_captured, caplen);
			bpei_counter_add(how->duplicate_wire, f.wirelen);
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
