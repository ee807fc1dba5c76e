/* SPDX-License-Identifier: MIT */
/* The flow table: one for each worker, owned by the worker's thread, without locks.
 *
 * Life: bpei_table_new -> bpei_table_clock and bpei_table_update for each batch ->
 * bpei_table_end_all -> bpei_table_free.  Times are flow times (flow_time.h): the caller maps the
 * packets' times, and sets the clock before each batch.
 *
 * Files of this folder.  A batch: table.c (fast path), slow_path.c.  Entries: entry.c (end, evict),
 * live.c (opened, updates), memory.c (new, free), index.c (finding), wheel.c (clock, time-outs),
 * evict.c (victims).  Side tables: overflow.c, anomalies.c, tunnels.c, syn_options.c, history.c.
 * TCP: tcp_state.c, tcp_fast.c and tcp_analysis.c (sequence numbers), rtt.c, dupack.c, window.c
 * (segments outside of the stream).  Packets: duplicate.c (seen twice), sibling.c (VLAN tags of one
 * direction), icmp.c (errors about a flow).
 * Processes: owner.c (asked for outside).  Savefiles: cutoff.c (bytes to keep).  Results:
 * record.c, top.c (the largest flows).  flow_time.c is the clock of all tables. */
#ifndef BPEI_FLOW_H
#define BPEI_FLOW_H

#include "base/counter.h"
#include "base/ifnames.h"
#include "base/roles.h"
#include "bpfengine.h"

/* No entry: the packet was counted on no flow. */
#define BPEI_NO_FLOW UINT32_MAX

struct bpei_table;
struct bpei_timeline;
struct bpei_seed;

struct bpei_table_options {
	uint64_t max_flows; /* most flows alive */
	uint64_t max_bytes; /* most memory; reduces max_flows; 0: no bound */
	int64_t idle_ns;    /* for each time-out below that is 0, TCP_CLOSED excepted; 0: never */
	int64_t closed_ns;  /* for TCP_CLOSED, if 0 below; 0: never */
	int64_t timeout_ns[BPE_TIMEOUT_COUNT];
	int64_t active_ns;     /* reporting period; 0: none */
	int64_t update_ns;     /* on_update after so long; 0: not by time */
	uint64_t update_bytes; /* on_update after so many bytes on the wire; 0: not by bytes */
	int64_t slack_ns; /* extra time for which a flow is kept after its time-out, for packets
			   * out of order; a packet after the time-out opens a new flow anyway */
	const struct bpei_timeline *timeline; /* maps records' times back; NULL: flow times are the
					       * packets' own times */
	bool tcp_health;                      /* analyze TCP segments */
	bool report_duplicates; /* with tcp_health: packets seen twice are no retransmissions */
	bool process;           /* keep the process that packets' metadata names */
	bool owners;            /* with process: flows ask for their owners (owner.h) */
	bool lengths;           /* count bytes of IP and of payload */
	bool marks;             /* with tcp_health: keep what was found of each packet */
	bool cutoff;            /* decide how much of each packet is kept (cutoff.h) */
	bool cutoff_drop;       /* behind the cutoff, packets are not kept at all */
	uint64_t cutoff_bytes;  /* of each flow, both ends together, that are kept */
	bool direction_by_port;
	bool interface_ids;             /* interface_id of batches is the file's number */
	bool interface_indexes;         /* interface_id of batches is the system's index */
	uint32_t interface_index;       /* of the only interface, if both are false */
	const struct bpei_names *names; /* of all interfaces; NULL: none */
	uint16_t worker;                /* written into records */
	uint64_t seed; /* of tables indexed by entry number; secret, so collisions cannot be made */
	const struct bpei_seed *key_seed; /* of the keys' hash; NULL: VLAN siblings do not join */
	/* Called when a flow ends or a period is over; may be NULL.  The record is good during the
	 * call alone. */
	void (*on_end)(void *user, const struct bpe_flow *flow);
	/* Called when a flow's first packet has been counted; may be NULL. */
	void (*on_open)(void *user, const struct bpe_flow *flow);
	/* Called when an update is due and its packet has been counted (live.c); may be NULL. */
	void (*on_update)(void *user, const struct bpe_flow *flow);
	void *user;
	/* A number for each entry, which is the caller's (bpei_table_ids); id_hooks NULL: none. */
	const struct bpei_id_hooks *id_hooks;
	void *id_user;
};

/* What the owner of the entries' numbers does with flows.  fill: fills record->names, once all the
 * rest is filled.  close, drop: a flow with a number ends, and has ended: before and after its last
 * record.  The number becomes 0 when the entry is opened again. */
struct bpei_id_hooks {
	void (*fill)(void *id_user, uint32_t entry, struct bpe_flow *record);
	void (*close)(void *id_user, uint32_t entry);
	void (*drop)(void *id_user, uint32_t entry);
};

/* w: worker  r: any.  opened = active + ended + evicted */
struct bpei_table_counts {
	bpei_counter opened, active, peak, ended, evicted;
	bpei_counter evicted_by[BPE_EVICTED_COUNT];
	bpei_counter periods;
	bpei_counter packets;    /* packets that belong to a flow */
	bpei_counter refused;    /* packets with a key, but no room (max_flows is 0) */
	bpei_counter bytes;      /* memory touched, after the last batch */
	bpei_counter duplicates; /* packets seen twice */
};

/* Returns BPE_OK or BPE_E_MEMORY.  Copies the options; timeline, names and key_seed must outlive
 * the table. */
int bpei_table_new(const struct bpei_table_options *options, struct bpei_table **table);

/* Frees a table, or NULL.  Reports no flow. */
void bpei_table_free(struct bpei_table *table);

/* Returns the most memory that a table of so many flows takes.  optional:
 * bpei_table_optional_bytes. */
uint64_t bpei_table_max_bytes(uint64_t max_flows, size_t optional);

/* Returns how many flows, up to max_flows, fit into max_bytes; max_bytes 0: no bound. */
uint64_t bpei_table_room(uint64_t max_flows, uint64_t max_bytes, size_t optional);

/* Returns the bytes a flow that the options add. */
size_t bpei_table_optional_bytes(const struct bpei_table_options *options);

/* Sets the table's clock, before each update.  A time before the clock changes nothing. */
void bpei_table_clock(struct bpei_table *table, int64_t now_ns) BPEI_WORKER;

/* Counts the batch's packets on their flows, opens and ends flows.  Writes to flow[i] the entry of
 * packet i, or BPEI_NO_FLOW if packet i has no key or found no room. */
void bpei_table_update(struct bpei_table *table, const struct bpe_batch *batch,
	uint32_t flow[BPE_BATCH]) BPEI_WORKER;

/* Returns the last batch as counted, if some keys and hashes were replaced.  Packets of a
 * connection with VLAN tags in one direction alone are counted under the tagged key.  Returns NULL
 * if none was.  Good until the next update. */
const struct bpe_batch *bpei_table_joined(const struct bpei_table *table) BPEI_WORKER;

/* Sets the clock and ends flows that have timed out, when no packets come. */
void bpei_table_age(struct bpei_table *table, int64_t now_ns) BPEI_WORKER;

/* Ends flows that have timed out, and reports all others to on_end with BPE_END_STOP, in the order
 * of their opening.  The others stay active for bpei_top_scan. */
void bpei_table_end_all(struct bpei_table *table) BPEI_WORKER;

/* Ends flows that have timed out, then all others with BPE_END_STOP, in the order of their opening.
 * The table is empty then, and may be used on. */
void bpei_table_empty(struct bpei_table *table) BPEI_WORKER;

/* Passes records of alive flows to fn with BPE_END_DUMPED, from entry *from on, after at most
 * max_entries entries have been looked at.  Advances *from.  Returns true after the last entry. */
bool bpei_table_dump(const struct bpei_table *table, uint32_t *from, uint32_t max_entries,
	bpe_flow_fn fn, void *user) BPEI_WORKER;

/* Returns the marks of the last batch's packets (bpe_batch.marks), and in *rtt_ns the round trips.
 * Returns NULL without options.marks.  Good until the next update. */
const uint16_t *bpei_table_marks(
	const struct bpei_table *table, const int64_t **rtt_ns) BPEI_WORKER;

/* Returns the bytes to keep of each of the last batch's packets (bpe_batch.keep).  Returns NULL
 * without options.cutoff.  Good until the next update. */
const uint32_t *bpei_table_keep(const struct bpei_table *table) BPEI_WORKER;

/* Writes the record of the flow at an entry.  Returns 1, or 0 if no alive flow with that key is
 * there. */
int bpei_table_get(const struct bpei_table *table, uint32_t flow, const struct bpe_key *key,
	struct bpe_flow *record);

/* Returns the end of the flow's record, 0 the originator, that is end `end` of the key.  Returns -1
 * if no alive flow with that key is there. */
int bpei_table_end(
	const struct bpei_table *table, uint32_t flow, const struct bpe_key *key, uint32_t end);

/* Writes the record of the alive flow at an entry, with BPE_END_NONE. */
void bpei_table_record(const struct bpei_table *table, uint32_t flow, struct bpe_flow *record);

/* Returns the entries' numbers, an element for each entry and a last one that belongs to no flow;
 * *count: their number.  NULL without options.id_hooks.  Element i is the number of entry i. */
uint32_t *bpei_table_ids(struct bpei_table *table, uint64_t *count);

/* Returns the table's clock, which is flow time; INT64_MIN before the first packet. */
int64_t bpei_table_now(const struct bpei_table *table) BPEI_WORKER;

/* Returns the table's counters.  Any thread may read the counters. */
const struct bpei_table_counts *bpei_table_counts(const struct bpei_table *table);

#endif
