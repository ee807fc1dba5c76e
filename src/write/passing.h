/* SPDX-License-Identifier: MIT */
/* Blocks of pcapng files that pass from a batch's sources into written files: names of addresses
 * and decryption secrets.  Each section gets all of them, before the packets behind the blocks in
 * the source.  Pure but for the memory of the state. */
#ifndef BPEI_PASSING_H
#define BPEI_PASSING_H

#include "records/packet_source.h"
#include "write/pcapng_out.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a source's blocks are in the section. */
struct bpei_passed_source {
	const struct bpei_pcapng_kept *kept; /* compared, never read: may be gone */
	int64_t opened_ns;
	uint32_t passed; /* blocks */
};

struct bpei_passing {
	struct bpei_passed_source *sources;
	uint32_t count;
	uint64_t left_out; /* blocks that could not pass: damaged, or too long */
};

/* Returns whether the section lacks blocks of the sources. */
bool bpei_passing_waits(struct bpei_passing *passing, const struct bpei_packet_source *source);

/* Writes the next block that the section lacks.  most: bytes of the room for any block; a
 * longer block is left out.  Returns the block's bytes; 0: none waits, or *is_full: the room is too
 * small for the next. */
size_t bpei_passing_put(struct bpei_passing *passing, const struct bpei_packet_source *source,
	uint8_t *to, size_t room, size_t most, bool *is_full);

/* Takes comments, hardware, system and other texts of the first source's first section header into
 * the section's raw options, which the caller frees; hardware and system are not the writer's then.
 * Without a pcapng file, or without memory, nothing changes. */
void bpei_section_take_source(
	struct bpei_section_out *section, const struct bpei_packet_source *source);

/* Begins a section without blocks. */
void bpei_passing_begin(struct bpei_passing *passing);
void bpei_passing_free(struct bpei_passing *passing);

#endif
