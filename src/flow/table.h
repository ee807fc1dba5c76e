/* SPDX-License-Identifier: MIT */
/* The table's state, shared by the files of this folder alone.
 *
 * Memory for one flow, IPv4 or IPv6, with TCP analysis, in bytes.
 *   entry                        64    one cache line, needed by each packet.
 *   cold line                    64    40 of them for TCP packets, the rest for start and end.
 *   slot in the index            12.2  64-byte buckets of 7 slots, at 75% load.
 *   share of a cohort             0.5  16 bytes for 32 entries.
 *   share of the anomalies        2.8  176 bytes for each 64 possible flows, at least 1,024.
 *   share of the histories        0.7  90 bytes for each 128 possible flows, 1,024 to 65,536.
 *   in all                      144.2.
 * Further bytes where they are needed.
 * 16 for each flow once the snap length has cut a packet.
 * 16 for each flow once a counter has left its part of the entry.
 * 8 for each flow once a packet came in a tunnel, and 52 for each tunnel.  There is room for a
 * tunnel for each 8 possible flows, at least for 1,024.
 * 16 for each flow with a VLAN tag, at most for each possible flow.
 * 4 for each flow with names (options.id_hooks).
 *
 * Owner: a single thread calls everything here.  Hazard: an entry's number is good until the flow
 * ends, and is used again for another flow. */
#ifndef BPEI_FLOW_TABLE_H
#define BPEI_FLOW_TABLE_H

#include "base/cacheline.h"
#include "flow/entry.h"
#include "flow/flow.h"
#include "flow/history.h"

#define BPEI_PROBE_LIMIT 32u   /* buckets after a key's own in which the key may lie */
#define BPEI_COHORT 32u        /* entries that share a place in the wheel */
#define BPEI_ENTRIES_AHEAD 24u /* an entry is prefetched so many packets before its use */
#define BPEI_SLOW_FILTER 1024u
#define BPEI_SIBLING_FILTER 262144u /* bits */
#define BPEI_VICTIMS 16u
#define BPEI_MAX_DUE (2 * BPEI_COHORT)
#define BPEI_WHEEL_SLOTS 1024u
#define BPEI_WHEEL_BATCH 2u  /* cohorts checked after each batch */
#define BPEI_WHEEL_IDLE 256u /* cohorts checked when no packets come */
#define BPEI_GROW_BATCH 16u  /* buckets moved after each batch */
#define BPEI_FIRST_PACKETS 8u
#define BPEI_SYN_OPTIONS_BITS 12
#define BPEI_SYN_OPTIONS (1u << BPEI_SYN_OPTIONS_BITS)
_Static_assert(BPEI_SYN_OPTIONS_BITS == 2 * ACK_OPTIONS_HALF, "bpei_cold_syn_options");

enum { COUNT_PACKETS, COUNT_BYTES };

/* Upper parts of the counters in entry.packed, by COUNT_ and end, in units of
 * 2^OVERFLOW_PACKETS_SHIFT and 2^OVERFLOW_BYTES_SHIFT. */
struct bpei_flow_overflow {
	uint32_t count[2][2];
};

/* TCP options of both SYNs, interned: flows with equal options share one element. */
struct bpei_syn_options {
	uint16_t mss[2];
	uint8_t scale[2], present[2]; /* present: BPE_TCP_ bits; both 0: the element is free */
};

/* Entries 32 * number to 32 * number + 31.  A cohort with a time-out is in a list of the wheel. */
struct bpei_cohort {
	uint32_t next, prev; /* cohorts in the same slot of the wheel; BPEI_NO_FLOW: none */
	uint32_t due;        /* tick at which the cohort is checked; 0: not in the wheel */
	uint16_t alive, evictable;
};

/* The tunnel of a flow: the digest in the key, and the element of table.tunnels; 0: not known. */
struct bpei_flow_tunnel {
	uint32_t digest, number;
};

/* A tunnel that flows share.  Elements of one hash chain are linked. */
struct bpei_tunnel_slot {
	struct bpe_tunnel tunnel;
	uint32_t flows;      /* 0: free */
	uint32_t next, prev; /* in the chain or in the free list; 0: none */
};

/* A tagged key that had a flow, and how untagged packets of the same key are counted. */
struct bpei_sibling {
	uint32_t base; /* hash of the key without VLAN ids; 0: free */
	uint32_t used; /* table.sibling_uses when the sibling was used last */
	uint16_t vlan[2];
	uint8_t state; /* SIBLING_ of sibling.c */
	uint8_t plain; /* joined: bit by end, whose untagged packets belong to the flow */
	uint8_t zero[2];
};

/* The first packet of a flow, kept to recognise a copy with or without a VLAN tag. */
struct bpei_first_packet {
	int64_t ns;
	uint64_t heads[2];
	uint32_t hash, end;
};

/* A batch in which some packets are counted under another key than their own. */
struct bpei_joined_batch {
	bool any;
	struct bpe_batch batch; /* with the columns below */
	struct bpe_key key[BPE_BATCH];
	uint32_t hash[BPE_BATCH];
};

/* The process that owns a flow, kept separately, since most captures do not have it.  pid 0:
 * unknown. */
struct bpei_process {
	int32_t pid, effective_pid;
	char comm[32], effective_comm[32];
};

/* What an answer told of a flow's owner beside the process (options.owners). */
struct bpei_flow_owner {
	uint8_t owner; /* enum bpe_owner */
	int32_t uid;
	char container[64];
};

/* Bytes of IP and of payload by end, counted with options.lengths. */
struct bpei_lengths {
	uint64_t ip[2], payload[2];
};

/* When the next update of a flow is due, kept with options.on_update. */
struct bpei_flow_update {
	int64_t since_ns;    /* flow time of the opening or of the last update */
	uint64_t left_bytes; /* on the wire, until the next update by bytes */
};

/* An entry that is to be evicted soon, if last_ns is still the entry's. */
struct bpei_victim {
	int64_t last_ns;
	uint32_t entry;
};

struct bpei_index {
	struct bpei_bucket *buckets;
	uint32_t mask; /* number of buckets - 1 */
};

struct bpei_tcp_anomalies; /* anomalies.h */
struct bpei_cutoff;        /* cutoff.h */
struct bpei_tcp_scratch;   /* rtt.h */

struct bpei_table {
	struct bpei_index index, old; /* old.buckets NULL: the index does not grow just now */
	uint32_t moved;               /* buckets of old that have been emptied for good */
	uint32_t used, grow_at;       /* entries in both indexes; number at which to grow */
	struct bpei_entry *entries;   /* max_flows + 1; the last entry matches no key */
	struct bpei_flow_cold *cold;  /* by entry, as all arrays below that say so */
	uint64_t (*missed)[2];        /* by entry and end: bytes on the wire not captured, modulo
				       * 2^64 */
	bool any_missed;              /* missed has been touched */
	struct bpei_flow_overflow *overflow; /* by entry; reserved for all, so no count is lost */
	bool any_overflow;                   /* overflow has been touched */
	bool bytes_are_stale;                /* counts.bytes must be computed again */

	/* Tunnels; tunnels.c */
	struct bpei_flow_tunnel *flow_tunnels; /* by entry, if the entry has STATE_TUNNEL */
	bool any_tunnel;                       /* flow_tunnels has been touched */
	struct bpei_tunnel_slot *tunnels;      /* numbered from 1 */
	uint32_t *tunnel_chains;               /* first element of each hash chain */
	uint32_t tunnels_size, tunnels_touched, tunnels_free;

	/* VLAN tags of one direction; sibling.c */
	struct bpei_sibling *siblings; /* in sets */
	uint32_t siblings_size, siblings_used, sibling_uses;
	bool any_tagged; /* a packet with a VLAN tag has come */
	/* A bit by the lower bits of the plain key's hash: such a sibling has been made. */
	uint64_t sibling_filter[BPEI_SIBLING_FILTER / 64];
	struct bpei_first_packet first_packets[BPEI_FIRST_PACKETS]; /* a ring */
	uint32_t first_packet_tail;
	struct bpei_joined_batch joined; /* the last batch */

	/* Entries in use */
	uint32_t touched; /* entries used so far */
	uint32_t free;    /* first entry of the free list, linked by key[0] */

	struct bpei_cohort *cohorts; /* by entry / BPEI_COHORT */
	void *closing;               /* list of bpei_table_end_all at work; else NULL */

	/* Eviction; evict.c */
	uint32_t evictable;                        /* entries with FLAG_EVICTABLE */
	uint32_t evictable_cohort, evictable_left; /* cohort at hand; its candidates, bits */
	uint32_t clock_hand;                       /* entry, as in the CLOCK algorithm */
	struct bpei_victim victims[BPEI_VICTIMS];  /* a ring of evictable entries */
	uint32_t victim_tail, victim_head;         /* free-running */

	/* TCP */
	struct bpei_tcp_anomalies *anomalies; /* a hash table by entry number */
	uint32_t anomalies_size, anomalies_used;
	uint64_t anomalies_key; /* odd, made of options.seed */
	struct bpei_history history;
	uint16_t first_syn[2]; /* by end: history node of a first SYN; 0: not made */
	struct bpei_syn_options syn_options[BPEI_SYN_OPTIONS]; /* [0]: no options */
	struct bpei_tcp_scratch *scratch;

	/* What was found of the batch's packets; marks.h */
	uint32_t marked; /* the packet at hand */
	uint16_t marks[BPE_BATCH];
	int64_t rtt_ns[BPE_BATCH];

	uint32_t found[BPE_BATCH + BPEI_ENTRIES_AHEAD]; /* entries of the batch's packets, then 0 */

	/* By the lower bits of an entry's number: within the batch, a packet of such an entry was
	 * left to the slow path. */
	uint8_t slow_filter[BPEI_SLOW_FILTER];

	struct bpei_process *processes; /* by entry; NULL: not kept */
	struct bpei_flow_owner *owners; /* by entry; NULL: owners are not asked for */
	uint32_t opened[BPE_BATCH];     /* entries that the batch opened, with options.owners */
	uint32_t opened_count;
	struct bpei_lengths *lengths; /* by entry; NULL: not kept */
	struct bpei_cutoff *cutoffs;  /* by entry; NULL: no cutoff */
	uint32_t keep[BPE_BATCH];     /* of the batch's packets; cutoff.h */
	bool counts_more;             /* lengths or cutoffs are kept */
	uint32_t *interfaces;         /* by entry; NULL: not kept */
	uint32_t *ids;                /* by entry, and the caller's; NULL: not kept */

	/* Reports about live flows; live.c */
	struct bpei_flow_update *updates; /* by entry; NULL: no updates are wanted */
	int64_t update_ns;                /* INT64_MAX: not by time */
	uint64_t update_bytes;            /* UINT64_MAX: not by bytes */
	bool is_watched;                  /* openings or updates are wanted */

	/* Time-outs and the wheel; wheel.c.  INT64_MAX: never. */
	int64_t timeout_ns[BPE_TIMEOUT_COUNT];
	int64_t expiry_ns[BPE_TIMEOUT_COUNT]; /* time-out + options.slack_ns */
	/* Indexed by bpei_entry_expiry_index: the shortest expiry of the state, and the ticks
	 * after which an entry without packets is checked (0: never). */
	int64_t min_expiry_ns[BPEI_EXPIRY_MASK + 1];
	uint32_t wheel_ticks[BPEI_EXPIRY_MASK + 1];
	int64_t min_timeout_ns, active_ns;
	int64_t now_ns; /* the table's clock: flow time */
	bool has_time;
	uint64_t wheel_ns;          /* by how much the clock has gone forward */
	uint32_t tick;              /* tick up to which the wheel has been checked */
	uint32_t due[BPEI_MAX_DUE]; /* entries found expired, to be ended next time */
	uint32_t due_count;
	uint32_t slot[BPEI_WHEEL_SLOTS]; /* first cohort of each slot; BPEI_NO_FLOW: none */

	struct bpei_table_options options;
	struct bpei_table_counts counts;
};

/* ---- Counters of a flow ---- */

/* Returns the upper part of a counter; what: COUNT_. */
static inline uint64_t bpei_flow_overflow(
	const struct bpei_table *t, uint32_t entry, uint32_t what, uint32_t end)
{
	return t->any_overflow ? t->overflow[entry].count[what][end] : 0;
}

/* Returns the packets of one end of a flow. */
static inline uint64_t bpei_flow_packets(const struct bpei_table *t, uint32_t entry, uint32_t end)
{
	const uint64_t upper = bpei_flow_overflow(t, entry, COUNT_PACKETS, end);

	return bpei_entry_packets(&t->entries[entry], end) + (upper << OVERFLOW_PACKETS_SHIFT);
}

/* Returns the bytes on the wire of one end of a flow. */
static inline uint64_t bpei_flow_bytes(const struct bpei_table *t, uint32_t entry, uint32_t end)
{
	const uint64_t upper = bpei_flow_overflow(t, entry, COUNT_BYTES, end);

	return bpei_entry_bytes(&t->entries[entry], end) + (upper << OVERFLOW_BYTES_SHIFT);
}

/* ---- Finding an entry ---- */

/* Compares inner VLAN id and tunnel, given bpei_entry_key_difference; tunnels.c. */
bool bpei_entry_matches_extension(
	const struct bpei_table *t, uint32_t entry, const struct bpe_key *key, uint64_t difference);

/* Returns true if the key is the entry's. */
static inline bool bpei_entry_matches(
	const struct bpei_table *t, uint32_t entry, const struct bpe_key *key)
{
	const uint64_t difference = bpei_entry_key_difference(&t->entries[entry], key);

	if (bpei_key_has_extension(key))
		return bpei_entry_matches_extension(t, entry, key, difference);
	return !difference;
}

/* Returns true if the entry's time-out has passed for a packet that comes at now_ns. */
static inline bool bpei_entry_has_timed_out(
	const struct bpei_table *t, const struct bpei_entry *e, int64_t now_ns)
{
	const uint64_t idle_ns = (uint64_t)now_ns - (uint64_t)e->last_ns;

	/* Hardly any packet comes so late that the kind of time-out matters. */
	if (now_ns <= e->last_ns || BPEI_LIKELY(idle_ns <= (uint64_t)t->min_timeout_ns))
		return false;
	return idle_ns > (uint64_t)t->timeout_ns[bpei_entry_timeout_kind(e)];
}

/* ---- memory.c ---- */

/* Computes counts.bytes. */
void bpei_table_count_memory(struct bpei_table *t);

/* ---- index.c ---- */

/* Returns BPE_OK or BPE_E_MEMORY. */
int bpei_index_init(struct bpei_table *t);
void bpei_index_free(struct bpei_table *t);

/* Returns the most bytes that the index of so many flows takes, while growing included. */
uint64_t bpei_index_max_bytes(uint64_t max_flows);

/* Returns the entry with that tag and key, or BPEI_NO_FLOW.  key NULL: the tag alone decides. */
uint32_t bpei_index_find(const struct bpei_table *t, uint32_t tag, const struct bpe_key *key);

/* Returns BPEI_NO_FLOW once the entry is in the index.  Returns another entry if that entry must be
 * evicted to make room: the caller evicts the entry and calls again. */
uint32_t bpei_index_insert(struct bpei_table *t, uint32_t tag, uint32_t entry);

void bpei_index_remove(struct bpei_table *t, uint32_t tag, uint32_t entry);

/* Moves up to *buckets buckets of a growing index, and reduces *buckets by the moved ones.  Returns
 * BPEI_NO_FLOW when done, or an entry that the caller must evict before calling again. */
uint32_t bpei_index_grow(struct bpei_table *t, uint32_t *buckets);

/* ---- wheel.c ---- */

/* Progress of one check of the wheel. */
struct bpei_wheel_check {
	uint32_t cohorts; /* that may still be checked */
	uint32_t slots;   /* passed */
};

/* Computes the table's time-outs from the options of a zeroed table. */
void bpei_wheel_init(struct bpei_table *t);

/* Sets the clock, which turns the wheel forward only. */
void bpei_wheel_set_clock(struct bpei_table *t, int64_t now_ns);

/* Moves the entry's cohort forward in the wheel, if the entry's state may expire earlier. */
void bpei_entry_schedule(struct bpei_table *t, uint32_t entry);

/* Takes a cohort out of the wheel. */
void bpei_cohort_unschedule(struct bpei_table *t, uint32_t cohort);

/* Checks cohorts whose tick has come, and puts expired entries into table.due.  Returns true when
 * done; false if table.due is full: the caller ends those entries and calls again. */
bool bpei_wheel_advance(struct bpei_table *t, struct bpei_wheel_check *check);

/* Returns true if the entry in table.due is alive and has had no packet since. */
bool bpei_entry_has_expired(const struct bpei_table *t, const struct bpei_entry *e);

/* Prefetches what ending the entry needs: the cold line, which is read for the bucket. */
void bpei_prefetch_end(const struct bpei_table *t, uint32_t entry);

/* Prefetches the bucket of a hash for writing. */
static inline void bpei_prefetch_bucket(const struct bpei_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->index.buckets[hash & t->index.mask], 1);
}

/* ---- evict.c ---- */

/* Returns the entry to be evicted when the table, which is not empty, is full. */
uint32_t bpei_evict_candidate(struct bpei_table *t);

/* Sets or clears FLAG_EVICTABLE after a change of state or packets. */
void bpei_entry_update_evictable(struct bpei_table *t, uint32_t entry);

/* ---- entry.c ---- */

/* Reports the flow to on_end and frees the entry. */
void bpei_entry_end(struct bpei_table *t, uint32_t entry, enum bpe_flow_end why);

/* Counts the reason and ends the flow.  collision: all buckets in reach of a key were full. */
void bpei_entry_evict(struct bpei_table *t, uint32_t entry, bool collision);

/* Puts the entry into the index, and evicts others where all buckets in reach are full. */
void bpei_entry_insert(struct bpei_table *t, uint32_t tag, uint32_t entry);

/* Reports the flow to on_end, if there is a handler; the flow stays. */
void bpei_entry_report(struct bpei_table *t, uint32_t entry, enum bpe_flow_end why);

/* Reports a period of the flow, and starts the next period at now_ns. */
void bpei_entry_end_period(struct bpei_table *t, uint32_t entry, int64_t now_ns);

/* ---- live.c ---- */

/* Returns true if updates are wanted. */
static inline bool bpei_live_has_updates(const struct bpei_table_options *o)
{
	return o->on_update && (o->update_ns || o->update_bytes);
}

/* Prepares updates by the options of a table. */
void bpei_live_init(struct bpei_table *t);

/* Reports a flow to on_open, after the first packet has been counted. */
void bpei_live_opened(struct bpei_table *t, uint32_t entry);

/* Reports a flow to on_update, if an update is due by a packet of now_ns that has been counted. */
void bpei_live_counted(struct bpei_table *t, uint32_t entry, int64_t now_ns, uint32_t wire);

/* ---- overflow.c ---- */

/* Counts a packet for which the entry's counters have no room. */
void bpei_count_overflow(struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t wire)
	__attribute__((noinline));

/* Counts the missing bytes of a packet that was not captured whole.  A damaged record may have more
 * bytes captured than were on the wire: the count is modulo 2^64. */
void bpei_count_missed(struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t wire,
	uint32_t captured) __attribute__((noinline));

/* ---- record.c ---- */

/* Writes the flow's record. */
void bpei_entry_record(
	const struct bpei_table *t, uint32_t entry, enum bpe_flow_end why, struct bpe_flow *record);

#endif
