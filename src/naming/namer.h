/* SPDX-License-Identifier: MIT */
/* The names of a worker's flows: gives payload to the readers (inspect/), and keeps the answers.
 *
 * Life: new -> ids, once the flow table is there -> batch for each batch behind the table
 * -> age while no packets come -> finish -> free.  The flow table keeps a number for each entry
 * (ids.h), and calls fill, close and free for records and at the end of flows.  Owner: the table's
 * owner thread; counters may be read by any thread, and fill may be called by any thread once the
 * owner is through. */
#ifndef BPEI_NAMER_H
#define BPEI_NAMER_H

#include "base/counter.h"
#include "base/roles.h"
#include "bpfengine.h"
#include "naming/dns_pairs.h"
#include "naming/form.h"

/* Unfinished payload is given up after this time, and after so many packets with payload. */
#define BPEI_NAMER_WAIT_NS 10000000000ll
#define BPEI_NAMER_PACKETS 64u

struct bpei_table;
struct bpei_namer;

struct bpei_namer_options {
	uint32_t names;           /* BPE_NAMES_* */
	uint64_t bytes;           /* of this worker, without hosts */
	uint64_t quic_per_second; /* Initials */
	const struct bpe_crypto *crypto;
	struct bpei_hosts *hosts; /* borrowed; NULL: none */
	uint32_t worker;
	const struct bpei_form *form; /* borrowed; NULL: names as they are */
	uint64_t seed;                /* secret, so collisions cannot be made */
	/* Returns which end of a flow the key's end is: 0 the originator; -1: the flow is gone. */
	int (*end_of)(const struct bpei_table *table, uint32_t entry, const struct bpe_key *key,
		uint32_t end);
	/* Called with an event of a flow (enum bpe_event_kind), with whole names; NULL: no events.
	 */
	void (*emit)(void *user, uint32_t kind, uint32_t entry, int64_t time_ns,
		const struct bpe_dns *dns);
	void *user;
};

/* w: the worker  r: any */
struct bpei_namer_counts {
	bpei_counter flows, pending, evicted, expired, lost, bytes;
	bpei_counter quic_opened, quic_failed, quic_skipped;
	bpei_counter dns_messages, dns_evicted;
};

/* Returns a namer, or NULL without memory. */
struct bpei_namer *bpei_namer_new(const struct bpei_namer_options *options);
void bpei_namer_free(struct bpei_namer *namer); /* NULL is allowed */
/* Gives the numbers of the table's entries: count of them, the last of which belongs to no flow. */
void bpei_namer_ids(
	struct bpei_namer *namer, const struct bpei_table *table, uint32_t *ids, uint64_t count);

/* Reads the payload of a batch, behind the table.  flow_ns: the table's clock. */
void bpei_namer_batch(
	struct bpei_namer *namer, const struct bpe_batch *batch, int64_t flow_ns) BPEI_WORKER;
/* Gives up unfinished payload after BPEI_NAMER_WAIT_NS. */
void bpei_namer_age(struct bpei_namer *namer, int64_t flow_ns) BPEI_WORKER;
/* Gives up all unfinished payload, before the last records. */
void bpei_namer_finish(struct bpei_namer *namer) BPEI_WORKER;

const struct bpei_namer_counts *bpei_namer_counts(const struct bpei_namer *namer);

/* ---- Called by the flow table ---- */

/* Fills record->names, all the rest of which is filled. */
void bpei_namer_fill(void *namer, uint32_t entry, struct bpe_flow *record);
/* Concludes an ending flow, before the last record. */
void bpei_namer_close(void *namer, uint32_t entry);
/* Forgets a flow, after the last record. */
void bpei_namer_drop(void *namer, uint32_t entry);

#endif
