/* SPDX-License-Identifier: MIT */
/* The flows of an input: the clock of all flow tables, and how a table is made, fed and aged.  The
 * engine has a table for each share; the capture level has at most one table.
 *
 * Life: open, after the input's -> a table for each share -> for each batch: the reader assigns
 * flow times, the table's owner counts -> finish for each table -> close, after the tables are
 * freed.  The reader writes the clock and `now`; the owners of tables read `now`. */
#ifndef BPEI_ENGINE_FLOWS_H
#define BPEI_ENGINE_FLOWS_H

#include "engine/input.h"
#include "engine/names.h"
#include "flow/flow.h"
#include "flow/flow_time.h"

struct bpei_flows {
	struct bpei_input *input;
	struct bpei_timeline timeline;
	struct bpei_naming naming;
	uint32_t interface_index; /* of the only interface; 0: several, or unknown */
	/* w: reader  r: owners of tables; flow time of the packets handed on so far; INT64_MIN
	 * before. */
	BPEI_ALIGNED _Atomic int64_t now;
};

/* A table's share of the flows.  Handlers and user: as in struct bpei_table_options. */
struct bpei_flow_share {
	uint32_t number, shares; /* this share's, and how many there are */
	void (*on_end)(void *user, const struct bpe_flow *flow);
	void (*on_open)(void *user, const struct bpe_flow *flow);
	void (*on_update)(void *user, const struct bpe_flow *flow);
	void (*on_event)(void *user, const struct bpe_event *event);
	void *user;
	struct bpei_share_names *names; /* with options.names: zeroed */
};

/* Prepares the flow times of an open input, before the first packet is read.
 * keeps_flows false: no table will be made.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_flows_open(struct bpei_flows *flows, struct bpei_input *input,
	const struct bpe_options *options, bool keeps_flows);
/* Frees all but the tables and namers.  Flows that were never opened are allowed, if they are
 * zeroed. */
void bpei_flows_close(struct bpei_flows *flows);

/* Checks that the flow memory of the options has room for a flow of each share.  Gives a notice if
 * the memory has no room for max_flows.  Returns BPE_OK, or BPE_E_ARGUMENT with *error filled. */
int bpei_flows_check_memory(const struct bpei_input *input, const struct bpe_options *options,
	uint32_t shares, struct bpe_error *error);

/* Makes the flow table of a share; max_flows and max_flow_bytes are divided among the shares.
 * Returns BPE_OK or BPE_E_MEMORY. */
int bpei_flows_table(struct bpei_flows *flows, const struct bpe_options *options,
	const struct bpei_flow_share *share, struct bpei_table **table);

/* ---- The reader's side ---- */

/* Computes flow times for the n packets in the columns, where the packets' own times are no
 * use.  block: where the packets come from. */
void bpei_flows_assign_times(struct bpei_flows *flows, const struct bpei_columns *columns,
	const struct bpei_block *block, uint32_t n, const struct bpei_sums *sums) BPEI_READER;
/* Publishes the time of the packets handed on so far. */
void bpei_flows_publish_packets(struct bpei_flows *flows) BPEI_READER;
/* Publishes the clock's time while no packets come; only a live source goes by the clock.  The
 * time is a second behind, since a kernel may hold packets back. */
void bpei_flows_publish_clock(struct bpei_flows *flows) BPEI_READER;

/* ---- The side of a table's owner ---- */

/* Counts a batch on a flow table, and gives the view flows, and keys and hashes as counted.  The
 * batch lies in `columns` from `from` on.  flow: BPE_BATCH elements, which the view keeps. */
void bpei_flows_count(struct bpei_table *table, const struct bpei_columns *columns, uint32_t from,
	const struct bpei_sums *sums, struct bpe_batch *view, uint32_t *flow) BPEI_WORKER;
/* Ends the flows due at `now`, and gives up payload that has waited too long.  Before the first
 * packet there is no time to age by. */
void bpei_flows_age(
	struct bpei_table *table, struct bpei_share_names *names, int64_t now) BPEI_WORKER;
/* Ends the flows that are due, and hands over all others, which stay in the table. */
void bpei_flows_finish(struct bpei_flows *flows, struct bpei_table *table,
	struct bpei_share_names *names) BPEI_WORKER;

/* ---- Any thread ---- */

/* Adds the counters of the clock, and of a table and a namer that are not NULL, to *stats
 * (engine/stats.c). */
void bpei_flows_stats(const struct bpei_flows *flows, const struct bpei_table *table,
	const struct bpei_namer *namer, struct bpe_stats *stats);

#endif
