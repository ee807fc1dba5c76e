/* SPDX-License-Identifier: MIT */
/* Queries: how any thread asks the engine's running threads for something, without a lock on the
 * packets' way.
 *
 * Roles.  An asker (any thread) starts a query on a desk.  A desk serves one query at a time and
 * has an answerer for each thread able to answer.  An answerer polls the desk between two batches
 * and works on a query in steps of a limited budget, so packets never wait long.  The query is
 * over when every answerer has finished.
 *
 * Three desks: the largest flows and the dump of all flows are answered by the owners of
 * flow tables (the workers, or the reader with 0 workers); a change of filter is answered by the
 * reader.  Largest flows and filter changes are waited for: askers queue by tickets.  A dump is
 * started and not waited for.
 *
 * Locking.  `number` alone is read without the mutex; all else of a desk is under the mutex.  An
 * answerer takes the mutex twice for each query: to learn the query, and to report the part as
 * finished.  Steps run without the mutex.  A worker never blocks on the mutex while packets come:
 * when the mutex is taken, the worker tries again after the next batch.
 *
 * If an answerer's thread has not begun, or has left, the asker runs the steps instead.  The asker
 * holds the mutex meanwhile, so the thread cannot begin. */
#ifndef BPEI_QUERY_H
#define BPEI_QUERY_H

#include "base/cacheline.h"
#include "base/tickets.h"
#include "bpfengine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bpei_device;
struct bpei_query_desk;

/* How far an answerer is; in order of urgency. */
enum bpei_progress {
	BPEI_QUERY_DONE = 0, /* nothing is left to do */
	BPEI_QUERY_BLOCKED,  /* work is left, but must wait for another thread */
	BPEI_QUERY_MORE      /* work is left: call again at once when idle */
};

enum bpei_answerer_state {
	BPEI_ANSWERER_ABSENT = 0, /* the thread does not run */
	BPEI_ANSWERER_SERVES,
	BPEI_ANSWERER_LEFT /* the thread answers no more */
};

/* A thread's part in a desk. */
struct bpei_answerer {
	struct bpei_query_desk *desk;
	void *self; /* handed to the query's step: struct bpei_worker, or struct bpe_engine */
	struct bpei_query *query; /* thread's own: the query at hand; NULL: not learnt yet */
	uint32_t position;        /* thread's own: progress of the query, 0 at the start */
	uint32_t answered;        /* thread's own: number of the last query answered */
	bool finished;            /* thread's own: the part is done, but not reported yet */
	bool may_block;           /* the thread waits for the mutex, also while packets come */
	uint32_t state;           /* enum bpei_answerer_state, under the desk's mutex */
};

/* A query; the asker's memory, valid until the query is over. */
struct bpei_query {
	/* Works on the answerer's part, looking at no more than `budget` table entries. */
	enum bpei_progress (*step)(
		struct bpei_query *query, struct bpei_answerer *answerer, uint32_t budget);
};

struct bpei_query_desk {
	pthread_mutex_t mutex; /* for all below but number, and for every answerer's state */
	pthread_cond_t cond;
	struct bpei_tickets tickets; /* of the waiting askers */
	struct bpei_device *device;  /* woken for each query; NULL: answerers wake by themselves */
	struct bpei_query *query;    /* at hand, while pending is not 0 */
	uint32_t pending;            /* answerers not finished yet */
	uint32_t batch_budget;       /* of a step after a batch */
	uint32_t idle_budget;        /* of a step when no packets wait */
	bool open;                   /* queries without a waiting asker are accepted */
	uint32_t count;              /* answerers */
	struct bpei_answerer *answerers[BPE_MAX_WORKERS];
	/* w: askers, under mutex  r: answerers; of the latest query. */
	BPEI_ALIGNED _Atomic uint32_t number;
};

void bpei_query_desk_init(struct bpei_query_desk *desk);
void bpei_query_desk_free(struct bpei_query_desk *desk);
/* Adds an answerer to a desk.  Before the threads start. */
void bpei_query_join(
	struct bpei_query_desk *desk, struct bpei_answerer *answerer, void *self, bool may_block);

/* Opens or closes the desk for bpei_query_start.  Any thread. */
void bpei_query_open(struct bpei_query_desk *desk, bool open);
/* Marks all answerers of a desk as serving.  Before the threads start. */
void bpei_query_begin(struct bpei_query_desk *desk);

/* ---- The answerer's thread ---- */

/* Works on a query with the given budget.  Returns how far the answerer is. */
enum bpei_progress bpei_query_serve(struct bpei_answerer *answerer, uint32_t budget);
/* Answers the query at hand, if any, to the end. */
void bpei_query_finish(struct bpei_answerer *answerer);
/* Leaves the desk with the state ABSENT or LEFT, then answers the query asked before, if
 * any.  Later askers run the steps for this answerer themselves. */
void bpei_query_leave(struct bpei_answerer *answerer, enum bpei_answerer_state state);

/* Returns true if a query waits for this answerer. */
static inline bool bpei_query_waits(const struct bpei_answerer *a)
{
	return BPEI_UNLIKELY(
		atomic_load_explicit(&a->desk->number, memory_order_relaxed) != a->answered);
}

/* ---- The asker ---- */

/* Runs a query and waits until the query is over.  Waits for earlier askers first.  Any thread but
 * an answerer's, which would wait for itself. */
void bpei_query_ask(struct bpei_query_desk *desk, struct bpei_query *query);
/* Starts a query on an idle desk; the mutex is held.  The query runs on after the return. */
void bpei_query_start(struct bpei_query_desk *desk, struct bpei_query *query);

/* ---- The calling thread ---- */

/* Marks the calling thread as a thread of the engine; reader: as the reader. */
void bpei_query_thread(struct bpe_engine *engine, bool reader);
/* Returns the engine that the calling thread is a thread of; NULL: of none. */
struct bpe_engine *bpei_query_own_engine(void);
/* Returns true if the calling thread is a thread of the engine. */
bool bpei_query_is_own_thread(const struct bpe_engine *engine);
/* Returns true if the calling thread is the engine's reader. */
bool bpei_query_is_reader(const struct bpe_engine *engine);

#endif
