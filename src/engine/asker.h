/* SPDX-License-Identifier: MIT */
/* Asking who has the sockets of new flows, off the packet path (options.process).
 *
 * Each share has a ring of cells.  The share's worker puts a question into a cell; the asker's
 * thread takes the questions of all rings together, asks, and writes the answer into the same cell;
 * the worker gives the answers to the flows.  Three indices run freely through the ring:
 * applied <= answered <= asked <= applied + cells.  A full ring skips flows, which is counted: the
 * packet path never waits.
 * Life: open, where rights are there -> begin -> put and apply by workers -> finish by each worker
 * -> end, after the workers -> close.  Hazard: the handler may take long, so end waits for it. */
#ifndef BPEI_ENGINE_ASKER_H
#define BPEI_ENGINE_ASKER_H

#include "base/cacheline.h"
#include "base/counter.h"
#include "bpfengine.h"
#include "engine/bell.h"
#include "flow/owner.h"

#include <pthread.h>
#include <stdatomic.h>

struct bpe_engine;
struct bpei_worker;

#define BPEI_ASK_CELLS 4096u /* of a ring; a power of two */
#define BPEI_ASK_MOST 256u   /* questions in a call */

struct bpei_asked_batch;

struct bpei_ask_cell {
	struct bpei_flow_question question; /* w: worker */
	struct bpe_owner_answer answer;     /* w: asker */
};

struct bpei_ask_ring {
	struct bpei_ask_cell *cells;         /* NULL: owners are not asked for */
	BPEI_ALIGNED _Atomic uint32_t asked; /* w: worker  r: asker */
	BPEI_ALIGNED uint32_t own_asked;     /* worker's own, with the next */
	uint32_t applied;
	bpei_counter asked_flows, skipped;      /* w: worker  r: any */
	BPEI_ALIGNED _Atomic uint32_t answered; /* w: asker  r: worker */
	BPEI_ALIGNED uint32_t own_answered;     /* asker's own */
};

struct bpei_asker {
	bool is_used;
	bool is_refused; /* asker's own: the handler failed, and is asked no more */
	bool started;
	pthread_t thread;
	struct bpei_asked_batch *batch; /* asker's own */
	bpe_owner_fn ask;               /* NULL: the system's lists, by owners */
	void *user;
	struct bpe_owners *owners; /* NULL with ask */
	struct bpei_bell bell;     /* rings when a question was put, or the thread is to end */
	_Atomic int stop;          /* w: who ends the run  r: asker */
	bpei_counter known, none, unknown; /* w: asker  r: any */
};

/* Opens what is asked, if the options and the source want that.  A refusal by the system is a
 * notice.  Runs after the source was opened. */
void bpei_asker_open(struct bpe_engine *engine);
/* Makes the rings.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_asker_new(struct bpe_engine *engine);
/* Starts the thread.  Returns 0 or an errno. */
int bpei_asker_begin(struct bpe_engine *engine);
/* Ends the thread, once all questions are answered. */
void bpei_asker_end(struct bpe_engine *engine);
void bpei_asker_close(struct bpe_engine *engine);

/* Asks for the flows that the last batch opened. */
void bpei_asker_put(struct bpei_worker *worker) BPEI_WORKER;
/* Gives flows the answers that have come. */
void bpei_asker_apply(struct bpei_worker *worker) BPEI_WORKER;
/* Waits a little for the answers that are due, and gives them to the flows. */
void bpei_asker_finish(struct bpei_worker *worker) BPEI_WORKER;

#endif
