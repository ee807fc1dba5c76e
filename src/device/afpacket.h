/* SPDX-License-Identifier: MIT */
/* What the three files of the AF_PACKET device share. */
#ifndef BPEI_AFPACKET_H
#define BPEI_AFPACKET_H

#include "device/device.h"
#include "filter/kernel.h"

#define BPEI_COOKED_HEADER 20u /* LINKTYPE_LINUX_SLL2 */
#define BPEI_TAG 4u
#define BPEI_TPACKET_ETHERNET 1u

struct bpei_tpacket { /* how a ring's packets are to be shown */
	uint32_t link_type;
	bool cooked;        /* a header is to be built in front of the network layer */
	bool skip_outgoing; /* of loopback interfaces alone: each packet is seen twice */
	uint32_t direction; /* enum bpe_direction */
	bpei_counter *torn_blocks, *duplicates, *duplicate_captured, *duplicate_wire;
};

/* The next packets of a TPACKET_V3 block; block->device_data counts the packets walked,
 * block->position is the next one's. */
uint32_t bpei_walk_tpacket(const struct bpei_tpacket *how, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);

/* What the socket is given of a filter, which has a program: BPE_OK or BPE_E_MEMORY. */
int bpei_tpacket_filter(const struct bpei_tpacket *how, const struct bpei_filter *filter,
	struct bpei_kernel_program *fit);
/* What the socket is given without a filter, cut to a length (but for what tags and cooked headers
 * need), into BPEI_TPACKET_NONE instructions.  Returns how many; 0: nothing is to be attached. */
#define BPEI_TPACKET_NONE 9u
uint32_t bpei_tpacket_filter_none(
	const struct bpei_tpacket *how, uint32_t snaplen, struct bpe_insn *to);

#endif
