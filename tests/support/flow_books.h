/* SPDX-License-Identifier: MIT */
/* The books of the handlers of flows: each flow opens once, is updated in order, ends once, all on
 * one thread.  Give the handlers below to an engine, with struct flow_books as user, and compare
 * the sums with the engine's statistics after the end. */
#ifndef FLOW_BOOKS_H
#define FLOW_BOOKS_H

#include "bpfengine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last record of the flow in a slot. */
struct flow_book {
	bool is_open;
	bool has_updates; /* since the opening or the start of the period */
	struct bpe_flow last;
	int64_t reported_ns;    /* last packet's time at the opening or the last update */
	uint64_t counted_bytes; /* of earlier periods since then */
};

struct flow_books {
	int64_t update_ns;
	uint64_t update_bytes;
	uint32_t slots;
	struct bpe_engine *engine; /* NULL: bpe_engine_current is not checked */
	bool loose_time;           /* records' times do not tell when updates were due */
	uint64_t stop_after;       /* openings after which a worker stops the engine; 0: never */
	struct {
		struct flow_book **book; /* by slot; NULL: never used */
		pthread_t thread;
		bool has_thread;
		uint64_t opened, updated, ended, periods, wrong;
		const char *what;     /* the first fault */
		uint64_t wrong_times; /* records that go back in time, updates early or missing */
	} worker[BPE_MAX_WORKERS];    /* w: the worker's thread */
};

static inline void flow_books_init(struct flow_books *books, uint32_t slots)
{
	memset(books, 0, sizeof *books);
	books->slots = slots;
}

static inline void flow_books_free(struct flow_books *books)
{
	for (uint32_t w = 0; w < BPE_MAX_WORKERS; w++) {
		for (uint32_t k = 0; books->worker[w].book && k < books->slots; k++)
			free(books->worker[w].book[k]);
		free(books->worker[w].book);
	}
}

static inline void expect_in_books(
	struct flow_books *books, uint32_t worker, bool is_right, const char *what)
{
	if (is_right)
		return;
	if (!books->worker[worker].what)
		books->worker[worker].what = what;
	books->worker[worker].wrong++;
}

/* Returns the book of the flow, and checks thread, engine, worker and slot. */
static inline struct flow_book *find_flow_book(
	struct flow_books *books, const struct bpe_flow *f, uint32_t worker)
{
	if (!books->worker[worker].book) {
		books->worker[worker].book = calloc(books->slots, sizeof(struct flow_book *));
		books->worker[worker].thread = pthread_self();
	}
	if (!books->worker[worker].book || f->slot >= books->slots) {
		fprintf(stderr, "flow_books: slot %u of %u\n", f->slot, books->slots);
		abort();
	}
	expect_in_books(books, worker, pthread_equal(books->worker[worker].thread, pthread_self()),
		"another thread");
	expect_in_books(books, worker, f->worker == worker, "another worker");
	if (books->engine)
		expect_in_books(books, worker, bpe_engine_current() == books->engine,
			"another engine is current");
	struct flow_book **book = &books->worker[worker].book[f->slot];
	if (!*book)
		*book = calloc(1, sizeof **book);
	if (!*book)
		abort();
	return *book;
}

static inline uint64_t packets_in_books(const struct bpe_flow *f)
{
	return f->packets[0] + f->packets[1];
}

static inline uint64_t bytes_in_books(const struct bpe_flow *f)
{
	return f->wire_bytes[0] + f->wire_bytes[1];
}

/* Returns true if both records are of one flow.  The ends may have changed places. */
static inline bool is_flow_in_books(const struct bpe_flow *a, const struct bpe_flow *b)
{
	const uint32_t k = memcmp(a->addr[0], b->addr[0], 16) || a->port[0] != b->port[0];

	return a->ip_proto == b->ip_proto && a->ip_version == b->ip_version &&
	       !memcmp(a->addr[0], b->addr[k], 16) && !memcmp(a->addr[1], b->addr[!k], 16) &&
	       a->port[0] == b->port[k] && a->port[1] == b->port[!k] &&
	       a->tunnel.kind == b->tunnel.kind;
}

/* Checks that a record goes on from the book's last record. */
static inline void check_later_record(
	struct flow_books *books, struct flow_book *book, const struct bpe_flow *f, uint32_t worker)
{
	expect_in_books(books, worker, book->is_open, "not opened before");
	expect_in_books(books, worker, is_flow_in_books(&book->last, f), "another flow");
	books->worker[worker].wrong_times += f->last_ns < book->last.last_ns;
	if (!book->has_updates)
		return;
	expect_in_books(books, worker,
		packets_in_books(f) >= packets_in_books(&book->last) &&
			bytes_in_books(f) >= bytes_in_books(&book->last),
		"counts go back");
}

static inline void book_flow_open(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct flow_books *books = user;
	struct flow_book *book = find_flow_book(books, f, worker);

	books->worker[worker].opened++;
	expect_in_books(books, worker, f->end == BPE_END_NONE, "opened with an end");
	expect_in_books(books, worker, !book->is_open, "opened twice");
	expect_in_books(books, worker, packets_in_books(f) == 1, "opened without one packet");
	*book = (struct flow_book){
		.is_open = true, .has_updates = true, .last = *f, .reported_ns = f->last_ns
	};
	book->counted_bytes = 0 - bytes_in_books(f);
	if (books->stop_after && books->worker[worker].opened == books->stop_after)
		bpe_engine_stop(bpe_engine_current());
}

static inline void book_flow_update(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct flow_books *books = user;
	struct flow_book *book = find_flow_book(books, f, worker);
	const uint64_t bytes = bytes_in_books(f) + book->counted_bytes;
	const bool by_time =
		books->update_ns &&
		(uint64_t)f->last_ns - (uint64_t)book->reported_ns > (uint64_t)books->update_ns;

	books->worker[worker].updated++;
	expect_in_books(books, worker, f->end == BPE_END_NONE, "updated with an end");
	check_later_record(books, book, f, worker);
	if (!by_time && (!books->update_bytes || bytes < books->update_bytes))
		books->worker[worker].wrong_times++;
	book->has_updates = true;
	book->last = *f;
	book->reported_ns = f->last_ns;
	book->counted_bytes = 0 - bytes_in_books(f);
}

static inline void book_flow_end(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct flow_books *books = user;
	struct flow_book *book = find_flow_book(books, f, worker);
	const uint64_t bytes = bytes_in_books(f) + book->counted_bytes;

	check_later_record(books, book, f, worker);
	expect_in_books(books, worker, f->end != BPE_END_NONE, "ended without an end");
	expect_in_books(books, worker, !books->update_bytes || bytes < books->update_bytes,
		"an update by bytes is missing");
	if (books->update_ns &&
		(uint64_t)f->last_ns - (uint64_t)book->reported_ns > (uint64_t)books->update_ns)
		books->worker[worker].wrong_times++;
	if (f->end == BPE_END_ACTIVE) {
		books->worker[worker].periods++;
		book->has_updates = false;
		book->last = *f;
		book->counted_bytes = bytes;
		return;
	}
	books->worker[worker].ended++;
	book->is_open = false;
}

/* Gives the handlers and the books to the options. */
static inline void flow_books_options(struct bpe_options *o, struct flow_books *books)
{
	o->on_flow_open = book_flow_open;
	o->on_flow_update = book_flow_update;
	o->on_flow = book_flow_end;
	o->flow_update_ns = books->update_ns;
	o->flow_update_bytes = books->update_bytes;
	o->user = books;
}

/* Returns the first fault of the books after the end; NULL: the books balance.  *updated: number of
 * updates. */
static inline const char *check_flow_books(
	const struct flow_books *books, const struct bpe_stats *s, uint64_t *updated)
{
	uint64_t opened = 0, ended = 0, periods = 0;

	*updated = 0;
	for (uint32_t w = 0; w < BPE_MAX_WORKERS; w++) {
		opened += books->worker[w].opened;
		ended += books->worker[w].ended;
		periods += books->worker[w].periods;
		*updated += books->worker[w].updated;
		if (books->worker[w].wrong)
			return books->worker[w].what;
		if (books->worker[w].wrong_times && !books->loose_time)
			return "times go back, or updates are early or missing";
	}
	if (opened != s->flows_opened)
		return "openings are not flows_opened";
	if (ended != opened)
		return "ends are not openings";
	if (periods != s->flows_periods)
		return "periods are not flows_periods";
	return NULL;
}

#endif
