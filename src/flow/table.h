/* SPDX-License-Identifier: MIT */
/* What the files of the flow table share. */
#ifndef BPEI_TABLE_H
#define BPEI_TABLE_H

#include "arch/arch.h"
#include "flow/flow.h"

#include <string.h>

#define BPEI_PROBE_LIMIT 32u	/* buckets that a key may lie behind its own */

/* entry.bits */
enum { ENTRY_ALIVE = 1, ENTRY_ORIGIN = 2 /* the originator is end 1 of the key */, ENTRY_MIDSTREAM = 4, ENTRY_FIN = 8 /* << end */ };

/* One flow, by the ends of its key.  Two lines on x86, one on Apple silicon. */
struct bpei_entry {
	uint64_t key[5];		/* struct bpe_key but for its last 4 bytes, which are 0 */
	uint32_t key_end;
	uint32_t hash;
	uint64_t packets[2], captured[2], wire[2];
	int64_t first_ns, last_ns;
	uint32_t prev, next;		/* neighbours in the queue; next alone in the free list */
	uint32_t queued;		/* when it was put into the queue, in ticks since the table's first packet */
	uint8_t state;			/* enum bpe_tcp_state */
	uint8_t bits;
	uint8_t tcp_flags[2];
};
_Static_assert(sizeof(struct bpei_entry) == 128, "an entry is two lines");

/* Whose a flow is, apart: few captures know it.  pid 0: nobody has said. */
struct bpei_process {
	int32_t pid, effective_pid;
	char comm[32], effective_comm[32];
};

enum queue { QUEUE_IDLE, QUEUE_CLOSED, QUEUES };
struct bpei_queue { uint32_t head, tail; };

struct bpei_table {
	struct bpei_bucket *buckets;
	uint32_t mask, used;		/* buckets - 1; entries in the index */
	struct bpei_entry *entries;	/* max_flows of them reserved, `touched` of them used so far */
	uint32_t touched, free;		/* free: head of the list of entries given back */
	struct bpei_process *processes;	/* of the entry of the same number; NULL: not kept */
	struct bpei_queue queues[QUEUES];
	int64_t timeout_ns[QUEUES];	/* INT64_MAX: never */
	int64_t least_timeout_ns;
	int64_t base_ns, now_ns;	/* first and latest packet time seen */
	bool has_time;
	struct bpei_table_options options;
	struct bpei_table_counts counts;
};

static inline bool bpei_entry_is(const struct bpei_entry *e, const struct bpe_key *key)
{
	const char *k = (const char *)key;
	uint64_t differ = 0, w;
	uint32_t end;
	for (int i = 0; i < 5; i++) memcpy(&w, k + 8 * i, sizeof w), differ |= e->key[i] ^ w;
	memcpy(&end, k + 40, sizeof end);
	return !(differ | (e->key_end ^ end));
}

static inline enum queue bpei_queue_of(const struct bpei_entry *e) { return e->state >= BPE_TCP_CLOSED ? QUEUE_CLOSED : QUEUE_IDLE; }

/* table.c: takes the entry out of index and queue, hands it over and frees it. */
void bpei_table_end(struct bpei_table *t, uint32_t entry, enum bpe_flow_end why);

/* age.c */
void bpei_queue_append(struct bpei_table *t, enum queue q, uint32_t entry);
void bpei_queue_remove(struct bpei_table *t, enum queue q, uint32_t entry);
void bpei_table_sweep(struct bpei_table *t, uint32_t budget);
bool bpei_entry_due(const struct bpei_table *t, const struct bpei_entry *e, int64_t now_ns);
uint32_t bpei_table_quietest(struct bpei_table *t);	/* the entry to evict; the table is not empty */

/* tcp.c */
void bpei_tcp_open(struct bpei_entry *e, uint32_t end, uint8_t flags);
void bpei_tcp_step(struct bpei_entry *e, uint32_t end, uint8_t flags);
bool bpei_tcp_reopens(const struct bpei_entry *e, uint8_t flags);

/* record.c */
void bpei_entry_record(const struct bpei_table *t, uint32_t entry, enum bpe_flow_end why, struct bpe_flow *record);

#endif
