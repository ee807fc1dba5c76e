/* SPDX-License-Identifier: MIT */
/* Counts of delivered packets, one set for each share, and reading them from other threads.
 *
 * A set belongs to its worker, which alone writes.  Any thread reads, at any time.  Counters grow
 * once a batch, so a reader sees whole batches in each counter, but not the same instant in all. */
#ifndef BPEI_STATS_H
#define BPEI_STATS_H

#include "base/counter.h"
#include "base/roles.h"
#include "records/batch.h"
#include "bpfengine.h"

struct bpei_tally {
	bpei_counter packets, bytes;
};

/* Ethertypes and link types seen, in an open-addressed table.  When the table is full, all further
 * kinds share other_kinds. */
#define BPEI_KINDS 256
#define BPEI_KIND_ETHERTYPE 1u              /* kind of ethertype 0 */
#define BPEI_KIND_LINK_TYPE (1u + 0x10000u) /* kind of link type 0 */
struct bpei_kind {
	bpei_counter kind; /* 0: free; else BPEI_KIND_* + number */
	struct bpei_tally tally;
};

/* w: the worker  r: any */
struct bpei_counts {
	bpei_counter packets, captured_bytes, wire_bytes, batches;
	bpei_counter sizes[BPE_SIZE_CLASSES];
	bpei_counter truncated, bad_version, bad_header, bad_length, fragments, vlan_packets,
		ip4_packets, ip6_packets, bad_checksum, tunnel_packets, icmp_errors, cut_packets,
		cut_headers;
	struct bpei_tally cut_short; /* of proto[BPE_PROTO_NONE]: packets that the capture cut */
	struct bpei_tally proto[BPE_PROTO_COUNT];
	struct bpei_tally ip_proto[256];
	struct bpei_kind kinds[BPEI_KINDS];
	struct bpei_tally other_kinds;
};

/* ---- counters.c ---- */

/* Counts a parsed batch; sums: the batch's. */
void bpei_counts_add(struct bpei_counts *counts, const struct bpe_batch *batch,
	const struct bpei_sums *sums) BPEI_WORKER;
/* Counts a batch that was not parsed; all packets are of link_type. */
void bpei_counts_add_unparsed(struct bpei_counts *counts, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type) BPEI_WORKER;

/* ---- size_classes.c ---- */

/* Counts the n lengths in the class of each.  n: at most BPE_BATCH. */
void bpei_sizes_add(bpei_counter sizes[BPE_SIZE_CLASSES], const uint32_t *lengths, uint32_t n);

/* ---- protocols.c ---- */

/* Fills the protocol table over n sets of counts, most packets first, with at most max lines of so
 * many bytes.  Returns the number of all lines.  protocols may be NULL if max is 0.  Any thread. */
size_t bpei_counts_protocols(const struct bpei_counts *const *counts, uint32_t n,
	struct bpe_protocol *protocols, size_t bytes, size_t max);

/* ---- stat_sum.c ---- */

/* Where a statistic is counted; engine/stats.c and stat_sum.c make lists from stat_list.h. */
struct bpei_stat_source {
	uint32_t owner;  /* enum bpei_stat_owner */
	uint32_t count;  /* neighbouring counters */
	size_t to, from; /* offsets in struct bpe_stats and in the owner */
};

/* Adds the counters of one owner to *stats, by a list of n sources. */
void bpei_stats_add(struct bpe_stats *stats, const struct bpei_stat_source *sources, size_t n,
	uint32_t owner, const void *counters);
/* Adds a share's counts to *stats.  Any thread. */
void bpei_counts_read(const struct bpei_counts *counts, struct bpe_stats *stats);

#endif
