/* SPDX-License-Identifier: MIT */
/* The contract of an arch backend: each kernel's signature, written once.  Kernels are pure
 * functions of a batch: they allocate nothing, keep nothing, know no device, and read nothing of a
 * packet but data[i][0 .. caplen[i]) (to ask the cache for lines is no reading). The scalar backend
 * is the judge: every other gives the same answers to the last bit. */
#ifndef BPEI_ARCH_H
#define BPEI_ARCH_H

#include "bpfengine.h"

#include <string.h>

/* Where the columns of a run of packets begin (at most BPE_BATCH); the writable form of struct
 * bpe_batch's. */
struct bpei_columns {
	const uint8_t **data;
	int64_t *time_ns;
	uint32_t *caplen, *wirelen, *interface_id;
	struct bpe_layers *layers;
	struct bpe_key *key;
	uint32_t *hash;
	uint8_t *outgoing; /* BPE_PKT_OUTGOING where the source says so, else 0; NULL: it never does
			    */
	uint16_t *meta;    /* records/layout.h; written by sources that have it */
	int64_t *flow_ns;  /* flow/flow_time.h; good where the next column says so */
	uint8_t *flow_kind;
	bool outermost; /* parse: no tunnel in IP is gone into */
	/* Of parse.  Tunnels of the kinds in `closed` (BPE_TUNNEL_BIT) stay closed. */
	uint64_t closed;
	bool no_identity; /* parse: key.tunnel is 0 */
	/* Of parse: for a packet with BPE_PKT_TUNNEL, a digest of the ids that its direction alone
	 * has. NULL: not wanted. */
	uint32_t *way;
	/* Of scalar's parse: the tunnel of the same packets.  NULL: not wanted. */
	struct bpe_tunnel *tunnel;
};

/* The hash's secret: a 32-bit word for each 32-bit word of a key, and two for the end.  See
 * arch/hash.h. */
struct bpei_seed {
	uint32_t word[sizeof(struct bpe_key) / 4];
	uint32_t end[2];
};
void bpei_seed_init(struct bpei_seed *seed, uint64_t value);

/* Records one `stride` behind the other, from `record` on, their bytes after `hdrlen` bytes. */
struct bpei_records {
	const uint8_t *record;
	size_t stride;
	uint32_t hdrlen, caplen, snaplen;
	uint32_t fraction_ns; /* a unit of the stamp's fraction: 1000 or 1 */
	bool hdrlen_told;     /* each header ends with its length, 16 bits at byte 16 */
	bool stamp_signed;
};

/* A bucket of the flow table's index: one 64-byte line.  tag 0 is empty. */
#define BPEI_BUCKET_SLOTS 7
#define BPEI_BUCKET_ALL ((1u << BPEI_BUCKET_SLOTS) - 1)
struct bpei_bucket {
	uint32_t tag[BPEI_BUCKET_SLOTS];
	uint32_t overflow; /* entries that found this bucket full and went on to the next */
	uint32_t not_entry[BPEI_BUCKET_SLOTS]; /* complements of entry numbers: so a probe reads
						  what it answers where no tag is found, too */
	uint32_t look_on;                      /* overflow != 0 */
};
_Static_assert(sizeof(struct bpei_bucket) == 64 && BPEI_BUCKET_SLOTS == 7,
	"a bucket is a line, and look_on lies behind its entries");
_Static_assert(sizeof(struct bpe_key) == 48, "keys are compared as blocks");
_Static_assert(sizeof(struct bpe_layers) == 24, "layers");

/* Bit k set where the bucket's k-th slot has the tag.  Four lanes at a time, in the compilers'
 * generic vectors. */
static inline uint32_t bpei_bucket_match(const struct bpei_bucket *bucket, uint32_t tag)
{
	typedef uint32_t lanes __attribute__((vector_size(16)));
	lanes low, high, tags = { tag, tag, tag, tag };
	uint64_t half[2];
	memcpy(&low, bucket->tag, sizeof low);
	memcpy(&high, (const char *)bucket + sizeof low,
		sizeof high); /* its last lane is `overflow`: masked out */
	lanes found = ((lanes)(low == tags) & (lanes){ 1, 2, 4, 8 }) |
		      ((lanes)(high == tags) & (lanes){ 16, 32, 64, 0 });
	memcpy(half, &found, sizeof half);
	half[0] |= half[1];
	return (uint32_t)(half[0] | half[0] >> 32);
}

/* parse: fills layers[0..n), hash[0..n) and, where a packet has a flow, key[] (and sets
 * BPE_PKT_KEY).  Every field is written; key[i] means nothing where there is none.  All n packets
 * have the one link type. alike: fills data, time_ns, caplen and wirelen of the first records, of
 * n, that have the lengths of `how`, and returns how many they are (vectors: of whole groups, so
 * fewer than there may be).  All of the n, if they have them, lie in the buffer.  Host byte order.
 * hash: hash[i] of key[i] where layers[i].flags has BPE_PKT_KEY, else 0.  Never 0 for a key.  For
 * keys that changed after parse. seed NULL: parse writes no hash. probe: entry[i] of the first slot
 * in bucket hash[i] & mask whose tag is hash[i]; BPEI_NO_ENTRY where there is none and nothing
 * overflowed; BPEI_LOOK_ON where there is none but the bucket overflowed.  BPEI_NO_ENTRY where
 * hash[i] is 0. */
#define BPEI_NO_ENTRY UINT32_MAX
#define BPEI_LOOK_ON (UINT32_MAX - 1)
#define BPEI_DECLARE_BACKEND(arch)                                                                 \
	void bpei_parse_##arch(const struct bpei_columns *columns, uint32_t n, uint32_t link_type, \
		const struct bpei_seed *seed);                                                     \
	void bpei_hash_##arch(                                                                     \
		const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed);     \
	void bpei_probe_##arch(const struct bpei_bucket *buckets, uint32_t mask,                   \
		const uint32_t *hash, uint32_t n, uint32_t *entry);                                \
	uint32_t bpei_alike_##arch(                                                                \
		const struct bpei_columns *columns, uint32_t n, const struct bpei_records *how);   \
	int bpei_cpu_fits_##arch(void)

BPEI_DECLARE_BACKEND(scalar);
BPEI_DECLARE_BACKEND(sse42);  /* x86-64: SSE4.2 */
BPEI_DECLARE_BACKEND(avx2);   /* x86-64: AVX2, BMI1, BMI2 */
BPEI_DECLARE_BACKEND(avx512); /* x86-64: AVX2's, and AVX-512 F, BW, DQ, VL, VBMI */
BPEI_DECLARE_BACKEND(neon);   /* arm64, little-endian */

/* The backend that ships, chosen by -Darch: a direct call, no pointer. */
#ifndef BPEI_ARCH
#define BPEI_ARCH scalar
#endif
#define BPEI_JOIN2(a, b) a##b
#define BPEI_JOIN(a, b) BPEI_JOIN2(a, b)
#define bpei_parse BPEI_JOIN(bpei_parse_, BPEI_ARCH)
#define bpei_hash BPEI_JOIN(bpei_hash_, BPEI_ARCH)
#define bpei_alike BPEI_JOIN(bpei_alike_, BPEI_ARCH)
#define bpei_probe BPEI_JOIN(bpei_probe_, BPEI_ARCH)
#define bpei_cpu_fits BPEI_JOIN(bpei_cpu_fits_, BPEI_ARCH)

#endif
