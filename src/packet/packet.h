/* SPDX-License-Identifier: MIT */
/* A batch from bytes to flows: parsed, fragments brought to their datagram's flow, checksums
 * verified, hashed. */
#ifndef BPEI_PACKET_H
#define BPEI_PACKET_H

#include "arch/arch.h"
#include "base/counter.h"

struct bpei_fragments;

/* fragments.c: the first fragments of the latest datagrams. */
#define BPEI_FRAGMENT_SETS 1024u
#define BPEI_FRAGMENT_WAYS 4u
#define BPEI_FRAGMENT_NS                                                                           \
	INT64_C(30000000000) /* how long a first fragment is remembered (Linux:                    \
				net.ipv4.ipfrag_time) */
struct bpei_fragment_counts {
	bpei_counter followed, lost,
		evicted; /* struct bpe_stats's of those names; w: reader  r: any */
};
/* The seed is the key of the table's hash, which others must not know.  NULL: no memory. */
struct bpei_fragments *bpei_fragments_new(uint64_t seed);
void bpei_fragments_free(struct bpei_fragments *fragments);
/* Remembers first fragments and gives later ones the flow of theirs.  layers, key: as parsed; what
 * is behind tunnels is found again by link_type. */
void bpei_fragments_follow(struct bpei_fragments *fragments, const struct bpei_columns *columns,
	uint32_t n, uint32_t link_type);
const struct bpei_fragment_counts *bpei_fragments_counts(const struct bpei_fragments *fragments);
/* The table's hash, SipHash-1-3 of whole words, and its key. */
void bpei_fragment_key(uint64_t seed, uint64_t key[2]);
uint64_t bpei_fragment_hash(const uint64_t key[2], const uint64_t *words, size_t n);

/* answers.c: the first answer in a tunnel whose ids belong to one direction joins its
 * conversation. */
struct bpei_answers;
#define BPEI_ANSWER_NS                                                                             \
	UINT64_C(300000000000) /* how long a key is remembered behind its last packet */
struct bpei_answers *bpei_answers_new(void); /* NULL: no memory */
void bpei_answers_free(struct bpei_answers *answers);
/* Gives packets by another id than the first a key and a hash of their own.  columns: as parsed,
 * with `way`. */
void bpei_answers_join(struct bpei_answers *answers, const struct bpei_columns *columns, uint32_t n,
	const struct bpei_seed *seed);

/* checksum.c: sets BPE_PKT_BAD_CHECKSUM where it is so. */
void bpei_checksums(const struct bpei_columns *columns, uint32_t n);

/* dissect.c */
struct bpei_dissector {
	struct bpei_seed seed;
	struct bpei_fragments *fragments;
	struct bpei_answers *answers;
	uint32_t way[BPE_BATCH];
	bool checksums, outermost, ignore_tunnel, ignore_vlan;
	uint64_t closed; /* options.closed_tunnels */
	uint16_t any;    /* flags that packets of the last batch have */
	bool weak_seed;  /* the system had no random numbers for it */
};
int bpei_dissector_new(
	struct bpei_dissector *dissector, const struct bpe_options *options); /* BPE_E_MEMORY */
extern const char bpei_weak_seed_text[]; /* the notice of weak_seed */
void bpei_dissector_free(struct bpei_dissector *dissector);
void bpei_dissect(struct bpei_dissector *dissector, struct bpei_columns *columns, uint32_t n,
	uint32_t link_type);
/* The hashes that the keys would have without VLAN ids. */
void bpei_hash_untagged(const struct bpei_dissector *dissector, const struct bpei_columns *columns,
	uint32_t n, uint32_t hash[BPE_BATCH]);

#endif
