/* SPDX-License-Identifier: MIT */
/* The flow table: one per worker, one owner, no locks.  Lives here: table.c (life, update), index.c
 * (finding), wheel.c (wheel, time-outs, eviction), tcp_state.c (states), tcp_fast.c and
 * tcp_analysis.c (sequence numbers), duplicate.c (packets seen twice), window.c (what is not the
 * stream's), icmp.c (errors that speak of a flow), history.c, overflow.c (side tables), record.c
 * (record made from an entry), top.c (the
 * largest flows). */
#ifndef BPEI_FLOW_H
#define BPEI_FLOW_H

#include "base/counter.h"
#include "base/ifnames.h"
#include "base/roles.h"
#include "bpfengine.h"

#define BPEI_NO_FLOW UINT32_MAX

struct bpei_table;
struct bpei_timeline;
struct bpei_seed;

struct bpei_table_options {
	uint64_t max_flows; /* never more alive than these */
	uint64_t max_bytes; /* and never more memory; 0: no bound */
	int64_t idle_ns,
		closed_ns; /* of those below that are 0: TCP_CLOSED, all others; 0: never */
	int64_t timeout_ns[BPE_TIMEOUT_COUNT];
	int64_t active_ns; /* 0: no periods */
	int64_t slack_ns; /* so much longer a flow waits in the table, for packets that come late; a
			     packet past its time-out begins anew all the same */
	const struct bpei_timeline *timeline; /* by which records' times are mapped back; NULL:
						 batches have the packets' own */
	bool tcp_health;
	bool tell_duplicates; /* with tcp_health: packets seen twice are no retransmissions */
	bool process;         /* keep the process that packets' metadata names */
	bool lengths;         /* count IP's and payload's bytes */
	bool direction_by_port;
	bool interface_ids,
		interface_indexes;      /* the batches' interface_id is the file's number of it, the
					   system's; neither: there is one interface */
	uint32_t interface_index;       /* that one's */
	const struct bpei_names *names; /* of them all; NULL: none */
	uint16_t worker;
	uint64_t seed; /* of the tables that hang on the flows' numbers; for others to be unable to
			  guess it */
	const struct bpei_seed *key_seed; /* of the keys' hash; NULL: siblings do not join */
	void (*on_end)(void *user,
		const struct bpe_flow *flow); /* a flow ended, or its period; NULL: nobody cares */
	void *user;
};

/* w: worker  r: any.  opened = active + ended + evicted */
struct bpei_table_counts {
	bpei_counter opened, active, peak, ended, evicted;
	bpei_counter evicted_by[BPE_EVICTED_COUNT];
	bpei_counter periods;
	bpei_counter packets; /* packets that belong to a flow */
	bpei_counter refused; /* packets with a key that found no room (max_flows is 0) */
	bpei_counter bytes;   /* memory touched */
	bpei_counter time_steps;
	bpei_counter duplicates; /* packets that were seen twice */
};

int bpei_table_new(const struct bpei_table_options *options, struct bpei_table **table);
void bpei_table_free(struct bpei_table *table); /* NULL is allowed; hands nothing over */

/* Most memory that a table of so many flows ever takes, while it grows, too; beside: what a flow
 * has in arrays of their own. */
uint64_t bpei_table_most_bytes(uint64_t max_flows, size_t beside);
size_t bpei_table_beside(const struct bpei_table_options *options);

/* Counts the batch's packets on their flows, opens and ends flows, ages by the packets' time.
 * flow[i]: where packet i was counted, BPEI_NO_FLOW if it has no key or found no room. */
void bpei_table_update(struct bpei_table *table, const struct bpe_batch *batch,
	uint32_t flow[BPE_BATCH]) BPEI_WORKER;

/* The last batch as it was counted, if that is not as it came: packets of a connection of which one
 * direction alone has VLAN tags have the key, and the hash, of the tagged ones.  NULL: as it came.
 * Good until the next one. */
const struct bpe_batch *bpei_table_joined(const struct bpei_table *table) BPEI_WORKER;

/* With options.timeline batches do not tell the time, but this does, before them. */
void bpei_table_clock(struct bpei_table *table, int64_t now_ns) BPEI_WORKER;

/* Ends what is due at now_ns, when no packets come that carry the time. */
void bpei_table_age(struct bpei_table *table, int64_t now_ns) BPEI_WORKER;

/* Hands every flow alive to on_end with BPE_END_STOP, in order of their opening; they stay, and
 * stay active, for top.c. */
void bpei_table_end_all(struct bpei_table *table) BPEI_WORKER;

/* Hands flows alive from number *from on, at most so many looked at, to fn with BPE_END_DUMPED;
 * *from is then the next.  True: that was the last. */
bool bpei_table_show(const struct bpei_table *table, uint32_t *from, uint32_t look_at,
	bpe_flow_fn fn, void *user) BPEI_WORKER;

/* The flow at index as a record; 1, or 0 if there is none there with that key. */
int bpei_table_get(const struct bpei_table *table, uint32_t flow, const struct bpe_key *key,
	struct bpe_flow *record);

const struct bpei_table_counts *bpei_table_counts(const struct bpei_table *table);

#endif
