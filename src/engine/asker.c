/* SPDX-License-Identifier: MIT */
/* The thread that asks for owners, and the rings between workers and it (asker.h). */
#include "engine/asker.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "engine/engine.h"
#include "owners/owners.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100                           /* at the system's lists, without a question */
#define FINISH_PATIENCE_NS INT64_C(500000000) /* for the last answers of a run */

/* ---- The worker's side ---- */

/* Returns how many cells are free. */
static uint32_t count_free_cells(const struct bpei_ask_ring *r)
{
	return BPEI_ASK_CELLS - (r->own_asked - r->applied);
}

void bpei_asker_put(struct bpei_worker *w)
{
	struct bpei_ask_ring *const r = &w->asks;
	const uint32_t *entries;
	const uint32_t n = bpei_table_opened(w->table, &entries);
	const uint32_t before = r->own_asked;

	for (uint32_t k = 0; k < n; k++) {
		struct bpei_flow_question question;

		if (!bpei_table_question(w->table, entries[k], &question))
			continue;
		if (!count_free_cells(r)) {
			bpei_counter_add(&r->skipped, 1);
			continue;
		}
		r->cells[r->own_asked++ % BPEI_ASK_CELLS].question = question;
	}
	if (r->own_asked == before)
		return;
	bpei_counter_add(&r->asked_flows, r->own_asked - before);
	/* pairs: gather_questions */
	atomic_store_explicit(&r->asked, r->own_asked, memory_order_release);
	bpei_bell_ring(&w->engine->asker.bell);
}

void bpei_asker_apply(struct bpei_worker *w)
{
	struct bpei_ask_ring *const r = &w->asks;
	const uint32_t answered =
		/* pairs: publish_answers */
		atomic_load_explicit(&r->answered, memory_order_acquire);

	for (; r->applied != answered; r->applied++) {
		const struct bpei_ask_cell *const c = &r->cells[r->applied % BPEI_ASK_CELLS];

		bpei_table_answer(w->table, &c->question, &c->answer);
	}
}

void bpei_asker_finish(struct bpei_worker *w)
{
	const int64_t since = bpei_clock_mono_ns();

	for (uint32_t tries = 0;; bpei_pause(tries++)) {
		bpei_asker_apply(w);
		if (w->asks.applied == w->asks.own_asked ||
			bpei_clock_mono_ns() - since > FINISH_PATIENCE_NS)
			return;
	}
}

/* ---- The asker's side ---- */

/* Questions of all rings, in the order of the shares. */
struct bpei_asked_batch {
	uint32_t count;
	uint32_t of[BPE_MAX_WORKERS]; /* questions of each share */
	struct bpe_owner_question questions[BPEI_ASK_MOST];
	struct bpe_owner_answer answers[BPEI_ASK_MOST];
};

/* Copies the questions that wait. */
static void gather_questions(struct bpe_engine *e, struct bpei_asked_batch *b)
{
	b->count = 0;
	for (uint32_t k = 0; k < e->plan.shares; k++) {
		const struct bpei_ask_ring *const r = &e->workers[k].asks;
		const uint32_t asked =
			/* pairs: bpei_asker_put */
			atomic_load_explicit(&((struct bpei_ask_ring *)(uintptr_t)r)->asked,
				memory_order_acquire);
		uint32_t n = 0;

		for (; r->own_answered + n != asked && b->count < BPEI_ASK_MOST; n++) {
			const uint32_t at = (r->own_answered + n) % BPEI_ASK_CELLS;

			b->questions[b->count++] = r->cells[at].question.asked;
		}
		b->of[k] = n;
	}
}

/* Writes the answers into the cells of their questions, and counts them. */
static void publish_answers(struct bpe_engine *e, const struct bpei_asked_batch *b)
{
	uint64_t counts[3] = { 0 };
	uint32_t from = 0;

	for (uint32_t k = 0; k < b->count; k++)
		counts[b->answers[k].owner % 3]++;
	bpei_counter_add(&e->asker.unknown, counts[BPE_OWNER_UNKNOWN]);
	bpei_counter_add(&e->asker.none, counts[BPE_OWNER_NONE]);
	bpei_counter_add(&e->asker.known, counts[BPE_OWNER_KNOWN]);
	for (uint32_t k = 0; k < e->plan.shares; k++) {
		struct bpei_ask_ring *const r = &e->workers[k].asks;

		for (uint32_t n = 0; n < b->of[k]; n++)
			r->cells[r->own_answered++ % BPEI_ASK_CELLS].answer = b->answers[from++];
		/* pairs: bpei_asker_apply */
		atomic_store_explicit(&r->answered, r->own_answered, memory_order_release);
	}
}

/* Asks the questions of a batch; none only lets the system's lists be looked at. */
static void ask_batch(struct bpei_asker *a, struct bpei_asked_batch *b)
{
	int status = BPE_OK;

	for (uint32_t k = 0; k < b->count; k++)
		b->answers[k] = (struct bpe_owner_answer){ .pid = -1, .uid = -1 };
	if (a->is_refused)
		return;
	if (a->owners)
		status = bpei_owners_ask(a->owners, b->questions, b->answers, b->count);
	else if (b->count)
		status = a->ask(a->user, b->questions, b->answers, b->count);
	a->is_refused = status < 0;
	for (uint32_t k = 0; k < b->count; k++) {
		struct bpe_owner_answer *const answer = &b->answers[k];

		if (answer->owner > BPE_OWNER_KNOWN || status < 0)
			answer->owner = BPE_OWNER_UNKNOWN;
		answer->comm[sizeof answer->comm - 1] = 0;
		answer->container[sizeof answer->container - 1] = 0;
	}
}

/* Runs the asker's thread. */
static void *run_owner_asker(void *engine)
{
	struct bpe_engine *e = engine;
	struct bpei_asker *const a = &e->asker;
	struct bpei_asked_batch *const b = a->batch;

	bpei_thread_name("bpe-asker");
	bpei_query_thread(e, false);
	for (;;) {
		struct pollfd p = { .fd = a->bell.pipe[0], .events = POLLIN };
		const int is_ending =
			/* pairs: bpei_asker_end */
			atomic_load_explicit(&a->stop, memory_order_acquire);

		bpei_bell_quiet(&a->bell);
		gather_questions(e, b);
		ask_batch(a, b);
		publish_answers(e, b);
		if (b->count)
			continue;
		if (is_ending)
			break;
		poll(&p, 1, LOOK_MS);
	}
	return NULL;
}

/* ---- Life ---- */

/* Returns whether flows of the source are asked for. */
static bool wants_owners(const struct bpe_engine *e)
{
	const struct bpe_options *o = &e->options;
	const struct bpei_device *d = e->input.device;

	const bool has_list = d->kernel && bpei_owners_are_told;

	return o->process && e->plan.has_tables && d->live && (o->on_owner || has_list) &&
	       !(d->kernel && d->has_meta && d->many_interfaces); /* pktap tells by itself */
}

void bpei_asker_open(struct bpe_engine *e)
{
	struct bpei_asker *const a = &e->asker;
	struct bpe_error error;

	if (!wants_owners(e))
		return;
	a->ask = e->options.on_owner;
	a->user = e->options.user;
	a->is_used = a->ask || bpei_owners_open(&a->owners, &error) >= 0;
	e->input.asks_owners = a->is_used;
	if (!a->is_used)
		bpei_notice(&e->options, "processes are not told: %s", error.text);
}

int bpei_asker_new(struct bpe_engine *e)
{
	struct bpei_asker *const a = &e->asker;

	if (!a->is_used)
		return BPE_OK;
	a->batch = calloc(1, sizeof *a->batch);
	if (!a->batch || bpei_bell_open(&a->bell))
		return BPE_E_MEMORY;
	for (uint32_t k = 0; k < e->plan.shares; k++) {
		struct bpei_ask_ring *const r = &e->workers[k].asks;

		r->cells = calloc(BPEI_ASK_CELLS, sizeof *r->cells);
		if (!r->cells)
			return BPE_E_MEMORY;
	}
	return BPE_OK;
}

int bpei_asker_begin(struct bpe_engine *e)
{
	struct bpei_asker *const a = &e->asker;

	if (!a->is_used)
		return 0;
	const int failed = pthread_create(&a->thread, NULL, run_owner_asker, e);

	a->started = !failed;
	return failed;
}

void bpei_asker_end(struct bpe_engine *e)
{
	struct bpei_asker *const a = &e->asker;

	if (!a->started)
		return;
	/* pairs: run_owner_asker */
	atomic_store_explicit(&a->stop, 1, memory_order_release);
	bpei_bell_ring(&a->bell);
	pthread_join(a->thread, NULL);
	a->started = false;
}

void bpei_asker_close(struct bpe_engine *e)
{
	bpei_owners_close(e->asker.owners);
	bpei_bell_free(&e->asker.bell);
	free(e->asker.batch);
	for (uint32_t k = 0; e->workers && k < e->plan.shares; k++)
		free(e->workers[k].asks.cells);
}
