/* SPDX-License-Identifier: MIT */
/* Parts of a pcapng file kept for later readers and writers of the packets: the processes of
 * Apple's process information blocks, and copies of the blocks that a writer passes on.
 *
 * Sources: pcap/pcap-ng.h and pcap-darwin.c of Apple's libpcap-144; draft-ietf-opsawg-pcapng. */
#ifndef BPEI_PCAPNG_KEPT_H
#define BPEI_PCAPNG_KEPT_H

#include "base/cursor.h"
#include "base/list.h"
#include "records/pcapng_interface.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpe_batch;

#define BPEI_PROCESS_NAME 64u
#define BPEI_PROCESS_BLOCK 0x80000001u

/* A process. */
struct bpei_process_info {
	uint32_t pid;
	uint32_t has_uuid;
	uint8_t uuid[16];
	char name[BPEI_PROCESS_NAME]; /* with a final 0; longer names are cut */
};

/* From an interface on, packets name processes by their places behind first_process.  The section
 * ends where the next begins. */
struct bpei_kept_section {
	uint32_t first_interface, first_process;
};

/* A block as in the file. */
struct bpei_kept_block {
	uint32_t type;
	uint32_t length; /* of the body */
	bool swapped;    /* not in this machine's byte order */
	uint8_t *body;
};

struct bpei_pcapng_kept {
	struct bpei_list processes;  /* struct bpei_process_info */
	struct bpei_list sections;   /* struct bpei_kept_section, by first_interface */
	struct bpei_list blocks;     /* struct bpei_kept_block, in the file's order */
	struct bpei_list interfaces; /* struct bpei_kept_interface, by number over all sections */
	int64_t opened_ns;           /* tells lists at the same address apart */
	size_t block_bytes;          /* w: reader; of all bodies */
	bool is_broken;              /* w: reader; a section was lost: no more processes */
	bool in_processes;           /* w: reader; the last of sections has processes */
	_Atomic uint64_t left_out;   /* w: reader  r: any; blocks without room here */
};

/* Sets up empty lists. */
void bpei_pcapng_kept_init(struct bpei_pcapng_kept *kept);

/* Frees all; no thread reads any more. */
void bpei_pcapng_kept_free(struct bpei_pcapng_kept *kept);

/* Ends the processes of a section: the next section's first interface is the given.  The reader. */
void bpei_pcapng_kept_section(struct bpei_pcapng_kept *kept, uint32_t first_interface);

/* Takes a process block's body; a damaged block has a place, without a process.
 * first_interface: of the section.  The reader. */
void bpei_pcapng_kept_process(struct bpei_pcapng_kept *kept, uint32_t first_interface,
	const void *body, size_t length, bool big);

/* Takes the body of the next interface's block.  The reader. */
void bpei_pcapng_kept_add_interface(
	struct bpei_pcapng_kept *kept, const void *body, size_t length, bool swapped);

/* Finds an interface.  NULL: not kept.  Any thread. */
const struct bpei_kept_interface *bpei_pcapng_kept_interface(
	const struct bpei_pcapng_kept *kept, uint32_t interface_id);

/* Finds the interface of the batch's packet i in the packet's file.  NULL: no pcapng file, or not
 * kept.  Any thread, while the batch is valid. */
const struct bpei_kept_interface *bpei_batch_kept_interface(
	const struct bpe_batch *batch, uint32_t i);

/* Copies a block, if there is room.  The reader. */
void bpei_pcapng_kept_block(struct bpei_pcapng_kept *kept, const struct bpei_kept_block *block);

/* Finds the process that packets of the interface call `place`.  NULL: there is none.  Any
 * thread. */
const struct bpei_process_info *bpei_pcapng_kept_find(
	const struct bpei_pcapng_kept *kept, uint32_t interface_id, uint32_t place);

#endif
