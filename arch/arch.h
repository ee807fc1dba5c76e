/* SPDX-License-Identifier: MIT */
/* The contract of an arch backend: the signature of each kernel, written once.
 *
 * Kernels are pure functions of a batch.  They allocate nothing, keep nothing and know no device.
 * Of a packet they read only data[i][0 .. caplen[i]); prefetching may go beyond.  The scalar
 * backend is the reference: every other backend gives the same answers to the last bit
 * (tests/parity/kernels.c).
 *
 * A backend is a single file, arch/<cpu>/parse_<name>.c.  The file defines bpei_parse_<name> and
 * bpei_walk_uniform_<name>, and bpei_probe_<name> if the CPU has a better probe than scalar's.  To
 * add a backend, copy a backend's file, and name the new backend here, in arch_list.h and in
 * arch/meson.build. */
#ifndef BPEI_ARCH_H
#define BPEI_ARCH_H

#include "bpfengine.h"

#include <stdatomic.h>
#include <string.h>

/* The columns of a run of packets, each listed once: X(type, name, condition).  condition: when
 * bpei_columns_copy copies an element (records/batch.h). */

/* Columns that a walk fills.  meta: records/macos_meta.h; by sources that have metadata. */
#define BPEI_WALKED_COLUMNS(X)                                                                     \
	X(const uint8_t *, data, BPEI_COPY_ALWAYS)                                                 \
	X(int64_t, time_ns, BPEI_COPY_ALWAYS)                                                      \
	X(uint32_t, caplen, BPEI_COPY_ALWAYS)                                                      \
	X(uint32_t, wirelen, BPEI_COPY_ALWAYS)                                                     \
	X(uint32_t, interface_id, BPEI_COPY_ALWAYS)                                                \
	X(uint16_t, meta, BPEI_COPY_ALWAYS)

/* Columns that parse fills. */
#define BPEI_PARSED_COLUMNS(X)                                                                     \
	X(struct bpe_layers, layers, BPEI_COPY_ALWAYS)                                             \
	X(struct bpe_key, key, BPEI_COPY_IF_KEY)                                                   \
	X(uint32_t, hash, BPEI_COPY_ALWAYS)

/* The columns of struct bpe_batch. */
#define BPEI_PUBLIC_COLUMNS(X) BPEI_WALKED_COLUMNS(X) BPEI_PARSED_COLUMNS(X)

/* outgoing: BPE_PKT_OUTGOING if the source says so, else 0; filled by a walk, and in the layers
 * after parse.  flow_ns (flow/flow_time.h) is valid where flow_kind is not 0. */
#define BPEI_PRIVATE_COLUMNS(X)                                                                    \
	X(uint8_t, outgoing, BPEI_COPY_NEVER)                                                      \
	X(uint8_t, flow_kind, BPEI_COPY_ALWAYS)                                                    \
	X(int64_t, flow_ns, BPEI_COPY_IF_TIMED)

#define BPEI_COLUMNS(X) BPEI_PUBLIC_COLUMNS(X) BPEI_PRIVATE_COLUMNS(X)

/* A header with addresses.  IP4, IP6, ARP (and RARP): the network header.  ETHERNET: a MAC header.
 */
enum bpei_place_kind { BPEI_PLACE_IP4, BPEI_PLACE_IP6, BPEI_PLACE_ARP, BPEI_PLACE_ETHERNET };
struct bpei_place {
	uint32_t offset;
	uint32_t kind; /* enum bpei_place_kind */
};
/* The headers with addresses of a packet and of those in its tunnels, outermost first.  A header
 * may be cut, or have another version than its kind.  Places past the room are only counted. */
#define BPEI_PLACES 20u
struct bpei_places {
	uint32_t count;
	struct bpei_place at[BPEI_PLACES];
};

/* Where the columns of a run of packets (at most BPE_BATCH) begin: the writable form of struct
 * bpe_batch, and what parse is asked for. */
struct bpei_columns {
#define BPEI_COLUMN_MEMBER(type, name, condition) type *name;
	BPEI_COLUMNS(BPEI_COLUMN_MEMBER) /* outgoing NULL: the source never tells a direction */
#undef BPEI_COLUMN_MEMBER

	/* parse: options and further results. */
	bool outermost;   /* stop at the outermost IP header: no tunnel in IP is entered */
	bool no_identity; /* key.tunnel is 0 */
	uint64_t closed;  /* tunnels of these kinds (BPE_TUNNEL_BIT) are not entered */
	uint32_t *way;    /* of packets with BPE_PKT_TUNNEL: digest of the tunnel ids that belong to
			   * this direction alone; NULL: not wanted */
	struct bpe_tunnel *tunnel;  /* scalar's parse only: the packet's tunnel; NULL: not wanted */
	struct bpei_places *places; /* scalar's parse only: headers; NULL: not wanted */
};

/* Returns the columns from element i on. */
static inline struct bpei_columns bpei_columns_from(const struct bpei_columns *c, uint32_t i)
{
	struct bpei_columns from = *c;

#define BPEI_COLUMN_FROM(type, name, condition) from.name = c->name ? c->name + i : NULL;
	BPEI_COLUMNS(BPEI_COLUMN_FROM)
#undef BPEI_COLUMN_FROM
	from.way = c->way ? c->way + i : NULL;
	from.tunnel = c->tunnel ? c->tunnel + i : NULL;
	from.places = c->places ? c->places + i : NULL;
	return from;
}

/* The hash's secret: a 32-bit word for each 32-bit word of a key, and two for the end
 * (arch/hash.h). */
struct bpei_seed {
	uint32_t word[sizeof(struct bpe_key) / 4];
	uint32_t end[2];
};

/* Fills the secret with numbers derived from value.  Equal values give equal secrets. */
void bpei_seed_init(struct bpei_seed *seed, uint64_t value);

/* Fills hash[0..n): the hash of key[i] where layers[i].flags has BPE_PKT_KEY, else 0.  The hash of
 * a key is never 0.  For keys that changed after parse. */
void bpei_hash(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed);

/* Capture records at a fixed stride.  Each begins with four 32-bit words { seconds, fraction, bytes
 * captured, bytes on the wire }; the packet's bytes follow after hdrlen bytes. */
struct bpei_record_run {
	const uint8_t *record; /* the first */
	size_t stride;         /* bytes from a record to the next */
	uint32_t hdrlen, caplen;
	uint32_t snaplen;     /* bytes of a packet that the columns may show */
	uint32_t fraction_ns; /* nanoseconds in a unit of the fraction: 1000 or 1 */
	bool checks_hdrlen;   /* headers hold their own length: 16 bits at byte 16 */
	bool stamp_signed;    /* seconds are signed */
};

/* A bucket of the flow table's index: one 64-byte line.  A tag of 0 marks an empty slot. */
#define BPEI_BUCKET_SLOTS 7
#define BPEI_BUCKET_ALL ((1u << BPEI_BUCKET_SLOTS) - 1)
struct bpei_bucket {
	uint32_t tag[BPEI_BUCKET_SLOTS];
	uint32_t overflow; /* entries that found this bucket full and went to the next */
	/* Complements of entry numbers.  So a probe that finds no tag reads its answer from the
	 * word behind the array, without a branch. */
	uint32_t entry_inverted[BPEI_BUCKET_SLOTS];
	uint32_t has_overflow; /* overflow != 0 */
};
_Static_assert(sizeof(struct bpei_bucket) == 64 && BPEI_BUCKET_SLOTS == 7,
	"a bucket is a line, and has_overflow lies behind its entries");
_Static_assert(sizeof(struct bpe_key) == 48, "keys are compared as blocks");
_Static_assert(sizeof(struct bpe_layers) == 24, "layers");

/* Returns a mask with bit k set where the bucket's k-th slot has the tag.  Four lanes at a time, in
 * the compilers' generic vectors. */
static inline uint32_t bpei_bucket_match(const struct bpei_bucket *bucket, uint32_t tag)
{
	typedef uint32_t lanes __attribute__((vector_size(16)));
	lanes low, high, tags = { tag, tag, tag, tag };
	uint64_t half[2];

	memcpy(&low, bucket->tag, sizeof low);
	/* The last lane of `high` is `overflow`, which the masks below leave out. */
	memcpy(&high, (const char *)bucket + sizeof low, sizeof high);
	lanes found = ((lanes)(low == tags) & (lanes){ 1, 2, 4, 8 }) |
		      ((lanes)(high == tags) & (lanes){ 16, 32, 64, 0 });
	memcpy(half, &found, sizeof half);
	half[0] |= half[1];
	return (uint32_t)(half[0] | half[0] >> 32);
}

/* A question to the flow table's index: the entries of n packets, at most 64. */
struct bpei_lookup {
	const struct bpei_bucket *buckets;
	const uint32_t *hash; /* by packet */
	uint32_t mask;        /* number of buckets - 1 */
	uint32_t n;
	uint32_t none; /* the answer without an entry; above all entries */
};

/* The complement of has_overflow: no slot has the tag, and the search goes on. */
#define BPEI_PROBE_NEXT (UINT32_MAX - 1)

/* How many packets before its use a bucket is prefetched. */
#define BPEI_PROBE_AHEAD 40u

/* Prefetches the buckets of up to `count` packets from packet `from` on.  The caller of a probe has
 * prefetched the first BPEI_PROBE_AHEAD, and has done other work since. */
static inline void bpei_probe_prefetch(
	const struct bpei_lookup *probe, uint32_t from, uint32_t count)
{
	const uint32_t to = from + count < probe->n ? from + count : probe->n;

	for (uint32_t i = from; i < to; i++)
		__builtin_prefetch(&probe->buckets[probe->hash[i] & probe->mask]);
}

/* parse: fills layers[0..n), hash[0..n) and, of packets with a flow, key[i] (and sets BPE_PKT_KEY).
 * Every member is written; a key without BPE_PKT_KEY means nothing.  All n packets have link_type.
 * seed NULL: no hash is written.
 *
 * walk_uniform: fills data, time_ns, caplen and wirelen of the first of n records, up to the first
 * whose lengths differ from the run's.  Returns their number; a vector backend may stop earlier,
 * after a whole group.  All n records lie in the buffer, in host byte order.
 *
 * probe: entry[i] becomes the entry of the first slot in bucket hash[i] & mask with tag hash[i];
 * `none` if no slot has the tag, or hash[i] is 0.  Returns bits of the packets to be searched for
 * in later buckets: hash[i] is not 0, no slot has the tag, and the bucket has overflowed.
 *
 * cpu_fits: returns 1 if this CPU, and the system, can run the backend, else 0. */
#define BPEI_DECLARE_BACKEND(arch)                                                                 \
	void bpei_parse_##arch(const struct bpei_columns *columns, uint32_t n, uint32_t link_type, \
		const struct bpei_seed *seed);                                                     \
	uint32_t bpei_walk_uniform_##arch(const struct bpei_columns *columns, uint32_t n,          \
		const struct bpei_record_run *run);                                                \
	uint64_t bpei_probe_##arch(const struct bpei_lookup *probe, uint32_t *entry);              \
	int bpei_cpu_fits_##arch(void)

BPEI_DECLARE_BACKEND(scalar);
BPEI_DECLARE_BACKEND(sse42);  /* x86-64: SSE4.2 */
BPEI_DECLARE_BACKEND(avx2);   /* x86-64: AVX2, BMI1, BMI2 */
BPEI_DECLARE_BACKEND(avx512); /* x86-64: AVX2's, and AVX-512 F, BW, DQ, VL, VBMI */
BPEI_DECLARE_BACKEND(neon);   /* arm64, little-endian */

/* Backends without a probe of their own.  Scalar's two compares of 16 bytes are all that SSE4.2 and
 * NEON can do, too: a probe written for SSE4.2 took 0.99 of scalar's time, one for NEON as many
 * instructions. */
#define bpei_probe_sse42 bpei_probe_scalar
#define bpei_probe_neon bpei_probe_scalar

/* A backend's kernels by name.  probe: scalar's, where the backend has no probe of its own. */
struct bpei_backend {
	const char *name;
	void (*parse)(const struct bpei_columns *columns, uint32_t n, uint32_t link_type,
		const struct bpei_seed *seed);
	uint32_t (*walk_uniform)(
		const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run);
	uint64_t (*probe)(const struct bpei_lookup *probe, uint32_t *entry);
	int (*cpu_fits)(void);
};

/* ---- The choice at run time (arch/choose.c) ---- */

/* The backend that runs; NULL before the first question.  Every thread writes the same value.
 * w: any  r: any */
extern const struct bpei_backend *_Atomic bpei_backend_chosen;

/* Chooses the backend, and returns the choice: in a build with -Darch=all the last of arch_list.h
 * that this CPU runs, or the one in BPFENGINE_ARCH; in a build with -Darch=NAME always NAME. */
const struct bpei_backend *bpei_backend_choose(void);

/* Returns the backend that runs. */
static inline const struct bpei_backend *bpei_backend_get(void)
{
	const struct bpei_backend *chosen =
		atomic_load_explicit(&bpei_backend_chosen, memory_order_relaxed);

	return chosen ? chosen : bpei_backend_choose();
}

/* Reasons against a run. */
enum bpei_unfit {
	BPEI_FITS,
	BPEI_UNFIT_CPU,   /* the CPU lacks the backend of -Darch=NAME */
	BPEI_UNFIT_WANTED /* the build or the CPU lacks the backend in BPFENGINE_ARCH */
};
#define BPEI_UNFIT_TEXT 200u /* bytes that hold any text of bpei_backend_check */

/* Returns whether the backend may run here, and writes the reason to `text` if not. */
enum bpei_unfit bpei_backend_check(char *text, size_t room);

/* Finds the last backend of a list that fits, or the one with the wanted name (NULL: any name).
 * Returns NULL if there is none. */
const struct bpei_backend *bpei_backend_find(
	const struct bpei_backend *list, size_t count, const char *wanted);

/* Parses by the backend that runs (-Darch=all): a call by pointer for each batch. */
static inline void bpei_parse_all(const struct bpei_columns *columns, uint32_t n,
	uint32_t link_type, const struct bpei_seed *seed)
{
	bpei_backend_get()->parse(columns, n, link_type, seed);
}

static inline uint32_t bpei_walk_uniform_all(
	const struct bpei_columns *columns, uint32_t n, const struct bpei_record_run *run)
{
	return bpei_backend_get()->walk_uniform(columns, n, run);
}

static inline uint64_t bpei_probe_all(const struct bpei_lookup *probe, uint32_t *entry)
{
	return bpei_backend_get()->probe(probe, entry);
}

/* What the engine calls, by -Darch: a backend, directly; or all, by pointer. */
#ifndef BPEI_ARCH
#define BPEI_ARCH scalar
#endif
#define BPEI_JOIN2(a, b) a##b
#define BPEI_JOIN(a, b) BPEI_JOIN2(a, b)
#define BPEI_ARCH_TEXT2(name) #name
#define BPEI_ARCH_TEXT1(name) BPEI_ARCH_TEXT2(name)
#define BPEI_ARCH_TEXT BPEI_ARCH_TEXT1(BPEI_ARCH)
#define bpei_parse BPEI_JOIN(bpei_parse_, BPEI_ARCH)
#define bpei_walk_uniform BPEI_JOIN(bpei_walk_uniform_, BPEI_ARCH)
#define bpei_probe BPEI_JOIN(bpei_probe_, BPEI_ARCH)

#endif
