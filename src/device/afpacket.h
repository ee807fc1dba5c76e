/* SPDX-License-Identifier: MIT */
/* Declarations shared by the files of the AF_PACKET device: afpacket.c (the device's functions),
 * afpacket_open.c (opening), afpacket_interface.c (the interface), afpacket_walk.c (records),
 * afpacket_filter.c (filters). */
#ifndef BPEI_AFPACKET_H
#define BPEI_AFPACKET_H

#include "device/device.h"
#include "filter/kernel.h"

#include <net/if.h>

#define BPEI_COOKED_HEADER 20u /* LINKTYPE_LINUX_SLL2 */
#define BPEI_TAG 4u
#define BPEI_TPACKET_ETHERNET 1u

/* How the packets of a ring are to be presented. */
struct bpei_tpacket {
	uint32_t link_type;
	bool cooked;        /* a header is built in front of the network layer */
	bool skip_outgoing; /* on loopback interfaces alone, where each packet appears twice */
	uint32_t direction; /* enum bpe_direction */
	bpei_counter *torn_blocks, *duplicates, *duplicate_captured, *duplicate_wire;
};

struct bpei_afpacket {
	struct bpei_device device;
	struct bpe_options options;
	struct bpei_tpacket how;
	char name[IFNAMSIZ];
	int wake;        /* eventfd */
	int index;       /* of the interface; 0: all */
	int counters[2]; /* the interface's counters in sysfs; -1: none */
	uint8_t *ring;
	size_t ring_bytes, block_bytes;
	uint32_t blocks;
	uint32_t next; /* block which fill returns next */
	uint32_t lent; /* blocks filled and not done */
	bool down, gone;
	bool away; /* the interface was removed, and its return is waited for */
	bool shut; /* a filter without packets is attached, until the real filter is */
	uint64_t interface_base; /* the interface's drops at open */
	uint64_t earlier_drops;  /* of the interfaces of this name before */
};

extern const struct bpei_device_ops bpei_afpacket_ops;

/* afpacket.c */

/* Attaches a program to the socket.  Returns 0 or -errno. */
int bpei_afpacket_attach(
	struct bpei_afpacket *device, const struct bpe_insn *program, uint32_t length);
/* Attaches the program for captures without a filter, which shows every packet once and cut to the
 * snapshot length.  Returns 0 or -errno. */
int bpei_afpacket_attach_none(struct bpei_afpacket *device);

/* afpacket_interface.c */

/* Sets how packets of an interface with the hardware (ARPHRD_) are presented.  Types without a
 * LINKTYPE_ are cooked. */
void bpei_afpacket_present(struct bpei_tpacket *how, unsigned hardware);
/* Binds the socket to the interface.  Returns BPE_OK or a failure. */
int bpei_afpacket_bind(struct bpei_afpacket *device, struct bpe_error *error);
/* Asks for promiscuous mode.  A failure is no error. */
void bpei_afpacket_promiscuous(struct bpei_afpacket *device);
/* Opens the interface's drop counters in sysfs, for reading later without privileges. */
void bpei_afpacket_open_counters(struct bpei_afpacket *device);
void bpei_afpacket_close_counters(struct bpei_afpacket *device);
/* Notes, and reports a change, whether the interface is down, away or gone. */
void bpei_afpacket_check_interface(struct bpei_afpacket *device);
/* Returns the packets which the interface dropped since boot. */
uint64_t bpei_afpacket_interface_drops(const struct bpei_afpacket *device);
/* Binds the socket again if there is an interface of the name; otherwise the device stays away.
 * Ring and filter stay.  Needs no rights.  Returns BPE_OK in both cases, or BPE_E_GONE for another
 * link type. */
int bpei_afpacket_return(struct bpei_afpacket *device, struct bpe_error *error);

/* afpacket_walk.c */

/* Returns the next packets of a TPACKET_V3 block.  block->device_data counts the packets walked,
 * block->position is the offset of the next packet. */
uint32_t bpei_walk_tpacket(const struct bpei_tpacket *how, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);

/* afpacket_filter.c */

/* Makes the socket's version of a filter, which has a program.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_tpacket_filter(const struct bpei_tpacket *how, const struct bpei_filter *filter,
	struct bpei_kernel_program *fit);
/* Makes the socket's program for captures without a filter: packets are cut to `snaplen`, but not
 * below the length which tags and cooked headers need.  `to` has room for BPEI_TPACKET_NONE
 * instructions.  Returns how many; 0: no program is needed. */
#define BPEI_TPACKET_NONE 9u
uint32_t bpei_tpacket_filter_none(
	const struct bpei_tpacket *how, uint32_t snaplen, struct bpe_insn *to);

#endif
