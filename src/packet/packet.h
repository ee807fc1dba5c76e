/* SPDX-License-Identifier: MIT */
/* A batch's way from bytes to flow keys: parsed, fragments joined to the flow of their datagram,
 * checksums verified, hashed. */
#ifndef BPEI_PACKET_H
#define BPEI_PACKET_H

#include "arch/arch.h"
#include "base/counter.h"

/* ---- fragments.c: a table of the first fragments of the latest datagrams ---- */

struct bpei_fragments;
#define BPEI_FRAGMENT_SETS 1024u
#define BPEI_FRAGMENT_WAYS 4u
/* How long a first fragment is kept (Linux: net.ipv4.ipfrag_time). */
#define BPEI_FRAGMENT_NS INT64_C(30000000000)

/* Members of struct bpe_stats with these names.  w: reader  r: any */
struct bpei_fragment_counts {
	bpei_counter followed, lost, evicted;
};

/* Returns an empty table, or NULL without memory.  seed: secret key of the table's hash. */
struct bpei_fragments *bpei_fragments_new(uint64_t seed);
void bpei_fragments_free(struct bpei_fragments *fragments);

/* Keeps first fragments, and gives later fragments the key of their first.  layers and key: as
 * parsed.  link_type: to parse packets in tunnels again. */
void bpei_fragments_follow(struct bpei_fragments *fragments, const struct bpei_columns *columns,
	uint32_t n, uint32_t link_type);
const struct bpei_fragment_counts *bpei_fragments_counts(const struct bpei_fragments *fragments);

/* Fills the key of the table's hash from the seed; returns the hash, SipHash-1-3, of n words. */
void bpei_fragment_key(uint64_t seed, uint64_t key[2]);
uint64_t bpei_fragment_hash(const uint64_t key[2], const uint64_t *words, size_t n);

/* ---- answers.c: both directions of tunnels whose ids belong to one direction ---- */

struct bpei_answers;
/* How long a key is kept after its last packet. */
#define BPEI_ANSWER_NS UINT64_C(300000000000)

/* Returns an empty table, or NULL without memory. */
struct bpei_answers *bpei_answers_new(void);
void bpei_answers_free(struct bpei_answers *answers);

/* Gives packets of a key's second and later sessions a key and a hash of their own.  columns: as
 * parsed, with `way`. */
void bpei_answers_join(struct bpei_answers *answers, const struct bpei_columns *columns, uint32_t n,
	const struct bpei_seed *seed);

/* ---- checksum.c ---- */

/* Packets with a checksum. */
struct bpei_checked {
	uint64_t verified; /* the checksum was computed */
	uint64_t cut;      /* the checksum was not computed, as the capture cut the packet */
};

/* Sets BPE_PKT_BAD_CHECKSUM of packets with a wrong checksum.  Returns how many packets were
 * verified and cut. */
struct bpei_checked bpei_checksums(const struct bpei_columns *columns, uint32_t n);

/* ---- dissect.c ---- */

/* State and choices of one reader. */
struct bpei_dissector {
	struct bpei_seed seed;
	struct bpei_fragments *fragments;
	struct bpei_answers *answers;
	uint32_t way[BPE_BATCH];
	bool checksums, outermost, ignore_tunnel, ignore_vlan;
	uint64_t closed; /* options.closed_tunnels */
	uint16_t any;    /* flags of the last batch's packets, together */
	bool weak_seed;  /* the system had no random numbers for the seed */
	/* w: reader  r: any */
	bpei_counter checksums_verified, checksums_cut;
};
extern const char bpei_weak_seed_text[]; /* the notice of weak_seed */

/* Fills the dissector by the options.  Returns BPE_OK or BPE_E_MEMORY; bpei_dissector_free is
 * needed in either case. */
int bpei_dissector_new(struct bpei_dissector *dissector, const struct bpe_options *options);
void bpei_dissector_free(struct bpei_dissector *dissector);

/* Parses a walked batch of n packets: layers, keys and hashes. */
void bpei_dissect(struct bpei_dissector *dissector, struct bpei_columns *columns, uint32_t n,
	uint32_t link_type);

/* Fills hash[0..n) with the hashes that the keys would have without VLAN ids. */
void bpei_hash_untagged(const struct bpei_dissector *dissector, const struct bpei_columns *columns,
	uint32_t n, uint32_t hash[BPE_BATCH]);

#endif
