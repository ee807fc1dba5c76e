/* SPDX-License-Identifier: MIT */
/* The engine's own structures: the only place that sees devices, rings, tables and handlers at
 * once.
 *
 * A share is a part of the traffic with counters, and a flow table if flows are kept.  Each worker
 * thread has a share.  With 0 workers the reader has the only share and plays the worker's part. */
#ifndef BPEI_ENGINE_H
#define BPEI_ENGINE_H

#include "arch/arch.h"
#include "base/cacheline.h"
#include "base/counter.h"
#include "base/pause.h"
#include "records/batch.h"
#include "records/block.h"
#include "bpfengine.h"
#include "device/device.h"
#include "engine/asker.h"
#include "engine/bell.h"
#include "engine/flows.h"
#include "engine/input.h"
#include "engine/query.h"
#include "flow/flow.h"
#include "flow/top.h"
#include "packet/packet.h"
#include "packet/spread.h"
#include "ring/bytering.h"
#include "ring/ring.h"
#include "stats/stats.h"

#include <pthread.h>

#define BPEI_MAX_BLOCKS 4096

/* All that a run has, settled once at open. */
struct bpei_engine_plan {
	uint32_t workers;    /* threads; 0: run to completion */
	uint32_t shares;     /* elements of workers[]: workers, or 1 with 0 workers */
	uint32_t ring_slots; /* of each worker's ring */
	uint32_t slots;      /* for packets, of all workers together; 0 with 0 workers */
	uint32_t blocks;
	size_t block_bytes;
	bool has_tables;   /* each share has a flow table */
	bool has_records;  /* records go to on_record, or are pulled */
	bool has_rings;    /* each share has a ring of records and events */
	bool waits_record; /* a worker waits for a full ring of records */
	bool pulls;        /* the program takes the records (pull.c) */
};

/* Where the reader puts packets for the workers.  An only worker's ring is these slots, and the
 * worker takes the reader's batches as they are: its records are those of no worker.  Of several
 * workers each has a ring with numbers of slots: each copies its own packets, so that the reader
 * copies none.  The slots are used in turn, part by part.  A part is free again when every worker
 * is done with the packets in it, as a block is. */
#define BPEI_SLOT_PARTS 16u
struct bpei_slots {
	/* plan.slots elements, and room for a batch that begins at the last slot */
	struct bpei_columns columns;
	/* Only worker: packets of the batch that begins at a slot.  w: reader  r: worker */
	uint8_t *batch_sizes;
	/* Reader's own, with several workers: number of the next slot; and each ring's tail when
	 * the reader left the part. */
	uint32_t next;
	uint32_t left[BPEI_SLOT_PARTS][BPE_MAX_WORKERS];
};

struct bpei_worker {
	struct bpei_ring ring; /* unused with 0 workers */
	/* Of several workers, else NULL: the ring's elements, and room for a batch. */
	uint32_t *slot_numbers;      /* w: reader  r: worker */
	struct bpei_columns columns; /* worker's own */
	struct bpe_engine *engine;
	struct bpei_table *table; /* NULL if no flows are kept */
	struct bpei_share_names names;
	pthread_t thread;
	uint32_t number;
	struct bpei_answerer answers_top, answers_dump;
	bool started;
	int pin_errno, urgent_errno; /* w: worker before ready  r: start */
	_Atomic int ready;           /* w: worker  r: start */
	bpei_counter dropped;        /* w: reader  r: any */
	bpei_counter ring_peak;      /* w: reader  r: any */
	struct bpei_ask_ring asks;
	struct bpei_bytering records; /* to the output thread; bytes NULL: none */
	/* Worker's own: output.taken when, at the end, no record was taken for too long; else
	 * UINT64_MAX. */
	uint64_t records_stalled_at;
	bpei_counter records_dropped;            /* w: worker  r: any */
	bpei_counter events_dropped;             /* w: worker  r: any */
	bpei_counter record_ring_peak;           /* w: worker  r: any */
	bpei_counter flows_dumped;               /* w: worker  r: any; to on_record */
	bpei_counter flows_begun;                /* w: worker  r: any; likewise */
	bpei_counter records_filtered;           /* w: worker  r: any; left out by options.where */
	BPEI_ALIGNED struct bpei_counts counts;  /* w: worker  r: any */
	BPEI_ALIGNED bpei_counter records_taken; /* w: output  r: any */
	bpei_counter events_taken;               /* w: output  r: any */
};

/* The thread that calls on_record and on_event (output.c). */
struct bpei_output {
	pthread_t thread;
	bool started;                    /* reader's own, once the run has begun */
	_Atomic int done;                /* w: reader  r: output; no more records are put */
	BPEI_ALIGNED bpei_counter taken; /* w: output  r: any; of all shares */
};

/* The program's taking of records (pull.c). */
struct bpei_pull {
	struct bpei_bell bell; /* rings while a record waits, or the run has ended */
	_Atomic int closing;   /* w: close  r: workers; nobody takes a record any more */
	uint32_t turn;         /* program's own: number of the share to look at next */
	struct bpe_flow flow;  /* program's own: the record given last */
};

/* The dump of all flows at hand (query_dump.c); changed only while no dump runs. */
struct bpei_dump {
	struct bpei_query query;
	bpe_flow_fn fn; /* NULL: to on_record */
	void *user;
};

struct bpe_engine {
	struct bpe_options options;
	struct bpei_engine_plan plan;
	struct bpei_spread spread; /* reader's */
	struct bpei_input input;   /* reader's */
	struct bpei_slots slots;
	struct bpei_worker *workers; /* plan.shares of them */
	struct bpei_flows flows;
	struct bpe_where *where;   /* options.where, compiled; NULL: none */
	struct bpei_block *blocks; /* a queue: blocks[first .. first + used) are out, in order */
	uint32_t first_block, used_blocks; /* reader's own */
	uint8_t *block_memory;
	size_t block_memory_bytes;
	pthread_t reader;
	bool started;
	int end_pipe[2];      /* [1] is closed when the run has ended */
	int64_t start_ns;     /* w: start  r: reader */
	int64_t last_tick_ns; /* reader's own, with the next two: when rates were counted last */
	int64_t last_tick_packets, last_tick_bytes;
	uint64_t lost_told; /* reader's: the kernel's losses that batches told (on_read) */

	struct bpei_query_desk top_desk, dump_desk, filter_desk;
	struct bpei_answerer reader_answers; /* of filter_desk */
	struct bpei_dump dump;
	struct bpei_output output;
	struct bpei_pull pull;
	struct bpei_asker asker;

	/* How the run ended; w: reader, before `ended`  r: any, after `ended`. */
	int result;
	struct bpe_error error;
	_Atomic int ended;      /* w: reader  r: any */
	_Atomic int close_told; /* rw: own handlers that close the engine; the notice was given */

	BPEI_ALIGNED _Atomic int stop;        /* w: any (only ever set to 1)  r: reader */
	BPEI_ALIGNED _Atomic int reader_done; /* w: reader  r: workers */

	/* w: reader  r: any */
	BPEI_ALIGNED bpei_counter started_ns, ended_ns;
	bpei_counter packets_per_second, bits_per_second;
};

/* ---- sizing.c ---- */

/* Settles the plan of a run.  Returns BPE_OK, or BPE_E_ARGUMENT with *error filled. */
int bpei_plan(struct bpei_engine_plan *plan, const struct bpe_options *options,
	const struct bpei_device *device, struct bpe_error *error);

/* ---- worker.c ---- */

/* Runs a worker's thread. */
void *bpei_worker_main(void *worker);
/* Takes a batch through flow table, handler and counters.  The batch lies in `columns` from `from`
 * on; sums: the batch's. */
void bpei_worker_deliver(struct bpei_worker *worker, const struct bpei_columns *columns,
	uint32_t from, const struct bpe_batch *batch, const struct bpei_sums *sums) BPEI_WORKER;
/* Takes a batch that was not parsed (options.count_only) through handler and counters. */
void bpei_worker_deliver_unparsed(struct bpei_worker *worker, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type) BPEI_WORKER;
/* Answers queries after a batch, or with a larger budget when idle.  Returns how far the worker is
 * with them. */
enum bpei_progress bpei_worker_answer(struct bpei_worker *worker, bool idle) BPEI_WORKER;
/* Returns whether options.where lets a record or event of the flow through; else counts it. */
bool bpei_worker_takes(struct bpei_worker *worker, const struct bpe_flow *flow) BPEI_WORKER;
/* Closes the share down: answers queries, ends the flows that are due, hands over all others. */
void bpei_worker_finish(struct bpei_worker *worker) BPEI_WORKER;

/* ---- reader.c ---- */

/* Runs the reader's thread. */
void *bpei_reader_main(void *engine);

/* ---- push.c: any thread but the engine's own ---- */

struct bpei_push_input;
/* Pushes packets, as bpei_push_put.  Returns BPE_E_STATE also if the source is no push source, and
 * if the calling thread is the engine's own. */
int bpei_engine_push(struct bpe_engine *engine, const struct bpei_push_input *input,
	int64_t timeout_ns, struct bpe_error *error);
/* Says that no more packets will come.  Returns BPE_OK or BPE_E_STATE.  Handlers included. */
int bpei_engine_push_end(struct bpe_engine *engine, struct bpe_error *error);

/* ---- Queries; any thread ---- */

/* Changes the filter, to a program or, if expression is not NULL, to what bpei_device_compile made
 * of the expression.  Returns BPE_OK, the device's failure, or BPE_E_STATE after the end. */
int bpei_engine_change_filter(struct bpe_engine *engine, const char *expression,
	const struct bpei_filter *filter, struct bpe_error *error);
/* Fills the n largest flows; bpe_engine_largest_flows describes parameters and results. */
int bpei_engine_largest_flows(struct bpe_engine *engine, const struct bpe_flow_question *question,
	struct bpe_error *error);
/* Starts a dump of all flows; bpe_engine_dump_flows describes parameters and results. */
int bpei_engine_dump_flows(struct bpe_engine *engine, bpe_flow_fn fn, void *user);

/* ---- output.c ---- */

/* Makes the shares' rings of records.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_output_new(struct bpe_engine *engine);
void bpei_output_free(struct bpe_engine *engine);
/* Starts the output thread, if there is an on_record or an on_event.  Returns 0 or an errno. */
int bpei_output_begin(struct bpe_engine *engine);
/* Waits until the output thread has handed over every record. */
void bpei_output_end(struct bpe_engine *engine);
/* Puts a record into the worker's ring for on_record, or drops and counts the record. */
void bpei_output_put(struct bpei_worker *worker, const struct bpe_flow *flow) BPEI_WORKER;
/* Puts an event into the worker's ring for on_event, or drops and counts the event. */
void bpei_output_put_event(struct bpei_worker *worker, const struct bpe_event *event) BPEI_WORKER;
/* Returns how many more records fit into the first half of the worker's ring. */
uint32_t bpei_output_room(struct bpei_worker *worker) BPEI_WORKER;

/* What was taken out of a ring. */
enum bpei_taken {
	BPEI_TAKEN_NONE = 0, /* the ring is empty */
	BPEI_TAKEN_RECORD,
	BPEI_TAKEN_EVENT /* on_event has the event already */
};
/* Takes the oldest record or event out of the worker's ring; *flow: the record. */
enum bpei_taken bpei_output_take(struct bpei_worker *worker, struct bpe_flow *flow) BPEI_OUTPUT;

/* ---- pull.c ---- */

/* Takes the next record into engine->pull.flow.  Returns 1, 0 if none waits, or BPE_E_END.  Any
 * thread, but one at a time. */
int bpei_pull_next(struct bpe_engine *engine);

/* ---- lifecycle.c: as the public functions of these names, for checked options ---- */

int bpei_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error);
int bpei_engine_start(struct bpe_engine *engine, struct bpe_error *error);
int bpei_engine_wait(struct bpe_engine *engine, int64_t timeout_ns);
void bpei_engine_stop(struct bpe_engine *engine);
void bpei_engine_close(struct bpe_engine *engine);

/* ---- stats.c ---- */

void bpei_engine_stats(struct bpe_engine *engine, struct bpe_stats *stats);
/* Returns BPE_E_ARGUMENT if there is no share of this number. */
int bpei_engine_worker_stats(
	struct bpe_engine *engine, uint32_t share, struct bpe_worker_stats *stats);

#endif
