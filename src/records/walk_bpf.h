/* SPDX-License-Identifier: MIT */
/* Walks the records of a BPF buffer in place. */
#ifndef BPEI_WALK_BPF_H
#define BPEI_WALK_BPF_H

#include "arch/arch.h"
#include "base/counter.h"
#include "records/block.h"
#include "records/layout.h"

/* How a device's buffers are walked; set when the device opens. */
struct bpei_bpf_walk {
	const struct bpei_layout *layout;
	uint32_t link_type; /* LINKTYPE_*; of PKTAP: 258 */
	uint32_t snaplen;
	bool plain;    /* no direction, extended header or PKTAP header is wanted: the fast path */
	bool extended; /* macOS, BIOCSEXTHDR: headers that are long enough are struct bpf_hdr_ext */
	bool compression_known; /* the kernel is 13 or later (bpei_ext_generation) */
	bool pktap;             /* packets lie behind PKTAP headers; each says its own link type */
	bool keeps_pktap;       /* the header stays: a filter runs first, then bpei_bpf_unwrap */
	bool meta;              /* the meta column is wanted */
	uint32_t (*link_type_of)(uint32_t dlt); /* PKTAP's DLTs, the system's own, to LINKTYPE_ */
	bpei_counter *torn_blocks;
};

/* Fills the columns with up to max packets of the block, from block->position on.  The position
 * moves behind the packets (struct bpei_device_ops.walk).  Returns the number of packets.  A record
 * whose lengths do not fit ends the block, and counts it as torn. */
uint32_t bpei_walk_bpf(const struct bpei_bpf_walk *how, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);

/* Takes the PKTAP header off packet i, which bpei_walk_bpf left on (keeps_pktap).  Returns the link
 * type of the packet behind the header; of a damaged header LINKTYPE_PKTAP, and the packet is left
 * as it was. */
uint32_t bpei_bpf_unwrap(
	const struct bpei_bpf_walk *how, const struct bpei_columns *columns, uint32_t i);

#endif
