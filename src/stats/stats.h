/* SPDX-License-Identifier: MIT */
/* What one worker counts of the packets that it delivers, and reading that from elsewhere. */
#ifndef BPEI_STATS_H
#define BPEI_STATS_H

#include "base/counter.h"
#include "base/roles.h"
#include "records/batch.h"
#include "bpfengine.h"

struct bpei_tally {
	bpei_counter packets, bytes;
};

/* Ethertypes and link types seen, by an open table; when it is full, the rest shares one line. */
#define BPEI_KINDS 256
struct bpei_kind {
	bpei_counter kind; /* 0: free; else 1 + ethertype, or 1 + 65536 + link type */
	struct bpei_tally tally;
};

/* w: the worker  r: any */
struct bpei_counts {
	bpei_counter packets, captured_bytes, wire_bytes, batches;
	bpei_counter sizes[BPE_SIZE_CLASSES];
	bpei_counter truncated, bad_version, bad_header, bad_length, fragments, vlan_packets,
		ip4_packets, ip6_packets, bad_checksum, tunnel_packets, icmp_errors;
	struct bpei_tally proto[BPE_PROTO_COUNT];
	struct bpei_tally ip_proto[256];
	struct bpei_kind kinds[BPEI_KINDS];
	struct bpei_tally other_kinds;
};

void bpei_counts_add(struct bpei_counts *counts, const struct bpe_batch *batch,
	const struct bpei_sums *sums) BPEI_WORKER;
/* The same for a batch that nobody parsed: all of its packets are of link_type. */
void bpei_counts_add_unparsed(struct bpei_counts *counts, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type) BPEI_WORKER;

/* Adds what one worker counted to a snapshot.  Any thread. */
void bpei_counts_read(const struct bpei_counts *counts, struct bpe_stats *stats);

/* The protocol table over several workers, most packets first; fills at most max, returns how many
 * there are.  Any thread. */
size_t bpei_counts_protocols(const struct bpei_counts *const *counts, uint32_t n,
	struct bpe_protocol *protocols, size_t max);

#endif
