/* SPDX-License-Identifier: MIT */
/* Changes of packets on their way to a file: copies are dropped, addresses are replaced.  The
 * writer's lock is held. */
#ifndef BPEI_REWRITING_H
#define BPEI_REWRITING_H

#include "bpfengine.h"
#include "write/pcapng_out.h"

struct bpei_rewriting;

/* Fills *rewriting by the options; NULL if packets are written unchanged.  Returns BPE_OK,
 * BPE_E_ARGUMENT or BPE_E_MEMORY. */
int bpei_rewriting_open(const struct bpe_writer_options *options, struct bpei_rewriting **rewriting,
	struct bpe_error *error);
void bpei_rewriting_close(struct bpei_rewriting *rewriting);

/* Returns whether the packet is a copy of an earlier packet, and remembers the packet. */
bool bpei_rewriting_is_copy(struct bpei_rewriting *rewriting, const struct bpei_packet_out *packet,
	int64_t time_ns, int32_t link_type);
/* Replaces the packet's addresses in a copy, which packet->data points to until the next call.
 * packet->caplen may become less. */
void bpei_rewriting_anonymise(
	struct bpei_rewriting *rewriting, struct bpei_packet_out *packet, int32_t link_type);
/* Returns whether addresses are replaced.  rewriting may be NULL. */
bool bpei_rewriting_anonymises(const struct bpei_rewriting *rewriting);
/* Fills the counters of the rewriting.  rewriting may be NULL. */
void bpei_rewriting_counts(const struct bpei_rewriting *rewriting, struct bpe_written *stats);

#endif
