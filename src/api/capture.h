/* SPDX-License-Identifier: MIT */
/* The capture level's own structure, shared by capture.c and capture_flows.c. */
#ifndef BPEI_CAPTURE_H
#define BPEI_CAPTURE_H

#include "engine/input.h"

struct bpei_capture_flows;

struct bpe_capture {
	struct bpei_input input;
	struct bpe_options options;
	struct bpei_block block;
	struct bpei_capture_flows *flows; /* NULL without options.flow_table */
	bool holds_block;                 /* block is filled and not given back */
	bool inside;                      /* a call that may run handlers has not returned */
	_Atomic int woken; /* w: any (only ever set to 1)  r: caller of bpe_capture_next */
	int end;           /* status of the end; 0 before */
	struct bpe_error error;
	int64_t start_ns, tick_ns;
	uint64_t delivered_packets, batches;
	struct bpe_where *where;   /* options.where, compiled; NULL: none */
	uint64_t records_filtered; /* left out by options.where */
};

/* Begins a call that may run handlers; *c says so until bpei_capture_leave.  Returns BPE_OK, or
 * BPE_E_STATE if a handler of the capture is at work, or has left by longjmp. */
int bpei_capture_enter(struct bpe_capture *c, const char *step, struct bpe_error *error);
static inline void bpei_capture_leave(struct bpe_capture *c)
{
	c->inside = false;
}

/* ---- capture_flows.c; c->flows may be NULL, except where said ---- */

/* Makes the flow table that options.flow_table asks for.  Returns BPE_OK, or a failure with *error
 * filled. */
int bpei_capture_flows_open(struct bpe_capture *c, struct bpe_error *error);
void bpei_capture_flows_close(struct bpe_capture *c);
/* Counts a batch on the flow table; the batch gets flows. */
void bpei_capture_flows_count(
	struct bpe_capture *c, struct bpe_batch *batch, const struct bpei_sums *sums) BPEI_READER;
/* Notes that the block at hand is read to the end. */
void bpei_capture_flows_pass_block(struct bpe_capture *c) BPEI_READER;
/* Returns how long a wait may last at most, so that flows age by the clock meanwhile; below 0: no
 * limit. */
int64_t bpei_capture_flows_step(const struct bpe_capture *c);
/* Ages the flows by the clock, now and then.  Called while no packets come. */
void bpei_capture_flows_idle(struct bpe_capture *c) BPEI_READER;
/* Hands over all flows at the end of the source, once. */
void bpei_capture_flows_finish(struct bpe_capture *c) BPEI_READER;
/* Returns whether options.where lets a record or event of the flow through; else counts it. */
bool bpei_capture_takes(struct bpe_capture *c, const struct bpe_flow *flow);
/* Adds the flows' counters to *stats. */
void bpei_capture_flows_stats(const struct bpe_capture *c, struct bpe_stats *stats);

#endif
