/* SPDX-License-Identifier: MIT */
/* The engine's own structures: the only place that sees devices, rings, tables and handlers at
 * once. */
#ifndef BPEI_ENGINE_H
#define BPEI_ENGINE_H

#include "arch/arch.h"
#include "base/cacheline.h"
#include "base/counter.h"
#include "records/batch.h"
#include "records/block.h"
#include "bpfengine.h"
#include "device/device.h"
#include "flow/flow.h"
#include "flow/flow_time.h"
#include "flow/top.h"
#include "packet/packet.h"
#include "ring/bytering.h"
#include "ring/ring.h"
#include "stats/stats.h"

#include <pthread.h>

#define BPEI_MAX_BLOCKS 4096

struct bpei_engine_plan { /* every automatic size settled */
	uint32_t workers; /* threads; 0: run to completion */
	uint32_t ring_slots;
	uint32_t blocks;
	size_t block_bytes;
};

/* The worker's part in a question for the largest flows (query_top.c). */
struct bpei_worker_scan {
	uint32_t seen;        /* the last question that was answered; worker's own */
	struct bpei_top *top; /* of the one at hand; worker's own */
	bool answers;         /* under scans.mutex: its thread changes the table */
};

struct bpei_worker {
	struct bpei_ring ring;       /* unused with 0 workers */
	struct bpei_columns columns; /* the ring's slots; with 0 workers: the reader's batch */
	struct bpe_engine *engine;
	struct bpei_table *table; /* NULL if no flows are kept */
	pthread_t thread;
	uint32_t number;
	struct bpei_worker_scan scan;
	bool started;
	int pin_errno, urgent_errno;  /* w: worker before ready  r: start */
	_Atomic int ready;            /* w: worker  r: start */
	bpei_counter dropped;         /* w: reader  r: any */
	bpei_counter ring_peak;       /* w: reader  r: any */
	struct bpei_bytering records; /* to the output thread; bytes NULL: no on_record */
	uint64_t records_stalled_at;  /* worker's own: output.taken, when at the end nobody took any
					 for too long; else UINT64_MAX */
	bpei_counter records_dropped, record_ring_peak, flows_shown; /* w: worker  r: any */
	uint32_t show_seen, show_from;          /* worker's own: the last question for flows that it
						   answered, and how far it is in the next */
	_Atomic uint32_t show_done;             /* w: worker  r: any; as show_seen */
	BPEI_ALIGNED struct bpei_counts counts; /* w: worker  r: any */
	BPEI_ALIGNED bpei_counter records_taken; /* w: output  r: any */
};

/* Another filter for a running engine (filter_change.c). */
struct bpei_change {
	const char *expression; /* NULL: filter alone counts */
	const struct bpei_filter *filter;
	struct bpe_error *error;
	int result;
	bool answered;
};
enum bpei_changes_state { BPEI_CHANGES_DIRECT = 0, BPEI_CHANGES_READER, BPEI_CHANGES_OVER };
struct bpei_changes {
	pthread_mutex_t mutex; /* for all below but asked */
	pthread_cond_t moved;
	uint32_t state;           /* enum bpei_changes_state */
	struct bpei_change *now;  /* the one that waits for the reader, in its asker's memory */
	uint64_t turn, last_turn; /* of those who ask, in the order in which they came */
	_Atomic int asked;        /* w: any  r: reader */
};

/* Questions for the largest flows of all tables (query_top.c). */
struct bpei_scans {
	pthread_mutex_t mutex; /* for all below but asked */
	pthread_cond_t moved;
	struct bpei_top *tops;    /* of the one who asks, one for each table */
	uint32_t pending;         /* workers that are not through */
	uint64_t turn, last_turn; /* of those who ask, in the order in which they came */
	_Atomic uint32_t
		asked; /* w: any, under mutex  r: workers; the number of the last question */
};

/* The thread that calls on_record (output.c). */
struct bpei_output {
	pthread_t thread;
	bool started;                    /* reader's own, once the run has begun */
	bool wait;                       /* set once; a full ring's record is waited for */
	_Atomic int done;                /* w: reader  r: output; nobody puts records any more */
	BPEI_ALIGNED bpei_counter taken; /* w: output  r: any; records, of all workers */
};

/* Snapshots of all flows (query_dump.c). */
struct bpei_shows {
	pthread_mutex_t mutex; /* for all below */
	bool open;             /* the workers answer */
	bpe_flow_fn fn;        /* NULL: to on_record */
	void *user;
	_Atomic uint32_t asked; /* w: any, under mutex  r: workers */
};

struct bpe_engine {
	struct bpe_options options;
	struct bpei_device *device;
	struct bpei_engine_plan plan;
	struct bpei_dissector dissector; /* reader's */
	struct bpei_worker
		*workers; /* at least one: with 0 threads it holds the reader's own share */
	struct bpei_columns
		batch; /* reader's: what walk and parse fill before the packets are dealt out */
	struct bpei_timeline timeline;
	struct bpei_block *blocks; /* a queue: blocks[first .. first + used) are out, in order */
	uint32_t first_block, used_blocks; /* reader's own */
	uint8_t *block_memory;
	size_t block_memory_bytes;
	pthread_t reader;
	bool started, reader_joined;
	int end_pipe[2];  /* [1] is closed when the run has ended */
	int64_t start_ns; /* w: start  r: reader */
	int64_t last_tick_ns, last_tick_packets, last_tick_bytes; /* reader's own */
	bool has_packet_time; /* reader's own: first_packet_ns and last_packet_ns are set */

	struct bpei_changes changes;
	struct bpei_scans scans;
	struct bpei_shows shows;
	struct bpei_output output;

	/* How the run ended: written by the reader before `ended`. */
	int result;
	struct bpe_error error;
	_Atomic int ended; /* w: reader  r: any */

	BPEI_ALIGNED _Atomic int stop;        /* w: any (only ever set to 1)  r: reader */
	BPEI_ALIGNED _Atomic int reader_done; /* w: reader  r: workers */
	_Atomic int64_t packet_now; /* w: reader  r: workers; flow time of what was pushed;
				       INT64_MIN before */

	/* w: reader  r: any */
	BPEI_ALIGNED bpei_counter started_ns, ended_ns;
	bpei_counter read_packets, captured_bytes, wire_bytes;
	bpei_counter dropped[BPE_DROP_COUNT];
	bpei_counter blocks_read, waits;
	bpei_counter packets_per_second, bits_per_second;
	bpei_counter first_packet_ns, last_packet_ns;
};

/* sizing.c */
int bpei_plan(struct bpei_engine_plan *plan, const struct bpe_options *options,
	const struct bpei_device *device, struct bpe_error *error);

/* worker.c */
void *bpei_worker_main(void *worker);
/* A batch, those columns from `from` on, of those sums, through flow table, counts and handler. */
void bpei_worker_deliver(struct bpei_worker *worker, const struct bpei_columns *columns,
	uint32_t from, const struct bpe_batch *batch, const struct bpei_sums *sums) BPEI_WORKER;
/* The same with options.count_only. */
void bpei_worker_deliver_unparsed(struct bpei_worker *worker, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type) BPEI_WORKER;
/* The end: what is due ends, what is alive is handed over. */
void bpei_worker_finish(struct bpei_worker *worker) BPEI_WORKER;

/* reader.c */
void *bpei_reader_main(void *engine);

/* filter_change.c: ask: any thread, waits for the reader; serve: the reader's, and with `last` its
 * end. */
void bpei_change_init(struct bpei_changes *changes);
void bpei_change_free(struct bpei_changes *changes);
void bpei_change_begin(struct bpe_engine *engine, bool runs); /* whether there is a reader to ask */
void bpei_change_reader(const struct bpe_engine *engine);     /* the calling thread is its reader */
void bpei_change_serve(struct bpe_engine *engine, bool last) BPEI_READER;
int bpei_change_ask(struct bpe_engine *engine, const char *expression,
	const struct bpei_filter *filter, struct bpe_error *error);

/* query_top.c: the questions' life; the worker's side, batch: behind each batch, idle: when none
 * waits (true: call again soon), finish: before its table is closed down, leave: its last (nothing
 * if it never began); and the question, by any thread that is not the engine's. */
void bpei_scan_init(struct bpei_scans *scans);
void bpei_scan_free(struct bpei_scans *scans);
void bpei_scan_begin(struct bpe_engine *engine);        /* from now on the workers are asked */
void bpei_scan_thread(const struct bpe_engine *engine); /* the calling thread is that engine's */
void bpei_scan_batch(struct bpei_worker *worker) BPEI_WORKER;
bool bpei_scan_idle(struct bpei_worker *worker) BPEI_WORKER;
void bpei_scan_finish(struct bpei_worker *worker) BPEI_WORKER;
void bpei_scan_leave(struct bpei_worker *worker) BPEI_WORKER;
int bpei_engine_snapshot(struct bpe_engine *engine, enum bpe_order order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_snapshot *snapshot, struct bpe_error *error);
/* output.c: put: a record for on_record; room: how many fit into half of the ring; begin: 0 or an
 * errno. */
int bpei_output_new(struct bpe_engine *engine);
void bpei_output_free(struct bpe_engine *engine);
int bpei_output_begin(struct bpe_engine *engine);
void bpei_output_end(struct bpe_engine *engine);
void bpei_output_put(struct bpei_worker *worker, const struct bpe_flow *flow) BPEI_WORKER;
uint32_t bpei_output_room(struct bpei_worker *worker) BPEI_WORKER;

/* query_dump.c: behind each batch; when none waits (true: call again at once); whether there is
 * something to be shown, though not at once; at the worker's end. */
void bpei_show_init(struct bpei_shows *shows);
void bpei_show_free(struct bpei_shows *shows);
void bpei_show_begin(struct bpe_engine *engine, bool runs); /* whether there are workers to ask */
void bpei_show_batch(struct bpei_worker *worker) BPEI_WORKER;
bool bpei_show_idle(struct bpei_worker *worker) BPEI_WORKER;
bool bpei_show_waits(const struct bpei_worker *worker) BPEI_WORKER;
void bpei_show_finish(struct bpei_worker *worker) BPEI_WORKER;
int bpei_engine_snapshot_flows(struct bpe_engine *engine, bpe_flow_fn fn, void *user);

/* lifecycle.c */
int bpei_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error);
int bpei_engine_start(struct bpe_engine *engine, struct bpe_error *error);
int bpei_engine_wait(struct bpe_engine *engine, int64_t timeout_ns);
void bpei_engine_stop(struct bpe_engine *engine);
void bpei_engine_close(struct bpe_engine *engine);

/* stats.c */
void bpei_engine_stats(struct bpe_engine *engine, struct bpe_stats *stats);
int bpei_engine_worker_stats(struct bpe_engine *engine, uint32_t w, struct bpe_worker_stats *stats);

/* How long to sleep after `tries` looks in vain: spins first, then from 20 us up to 500 us. */
void bpei_pause(uint32_t tries);

#endif
