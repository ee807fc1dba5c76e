/* SPDX-License-Identifier: MIT */
/* Changes of packets on their way to a file: copies are dropped, addresses are replaced.  The
 * writer's lock is held. */
#ifndef BPEI_REWRITING_H
#define BPEI_REWRITING_H

#include "bpfengine.h"

struct bpei_rewriting;

/* A packet on its way to the file. */
struct bpei_rewritten {
	const uint8_t *data; /* replaced by the changed copy, valid until the next packet */
	int64_t time_ns;
	uint32_t caplen; /* replaced */
	uint32_t wirelen, link_type;
};

/* Fills *rewriting by the options; NULL if packets are written unchanged.  Returns BPE_OK,
 * BPE_E_ARGUMENT or BPE_E_MEMORY. */
int bpei_rewriting_open(const struct bpe_writer_options *options, struct bpei_rewriting **rewriting,
	struct bpe_error *error);
void bpei_rewriting_close(struct bpei_rewriting *rewriting);

/* Returns false for a copy of an earlier packet; otherwise changes the packet as asked. */
bool bpei_rewriting_packet(struct bpei_rewriting *rewriting, struct bpei_rewritten *packet);
/* Returns whether addresses are replaced.  rewriting may be NULL. */
bool bpei_rewriting_anonymises(const struct bpei_rewriting *rewriting);
/* Fills the counters of the rewriting.  rewriting may be NULL. */
void bpei_rewriting_counts(const struct bpei_rewriting *rewriting, struct bpe_writer_stats *stats);

#endif
