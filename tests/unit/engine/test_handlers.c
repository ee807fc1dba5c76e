/* SPDX-License-Identifier: MIT */
/* The handlers of live flows in the whole engine: each flow opens once, is updated in order and
 * ends once, on the same thread, however the run goes. */
#include "flow_books.h"

#include <criterion/criterion.h>

#define SOURCE "synth:flows=500,seed=3,count=200000"
#define ROOM 1000000u

/* Runs an engine to the end with the books' handlers.  Returns the number of updates. */
static uint64_t run_with_books(struct bpe_options *o, struct flow_books *books)
{
	struct bpe_engine *engine;
	struct bpe_error error = { 0 };
	struct bpe_stats s;
	uint64_t updated;

	flow_books_options(o, books);
	cr_assert_eq(bpe_engine_open(o, &engine, &error), BPE_OK, "%s", error.text);
	books->engine = engine;
	cr_assert_eq(bpe_engine_run(engine, 0, &error), BPE_OK, "%s", error.text);
	bpe_engine_stats(engine, &s);
	const char *wrong = check_flow_books(books, &s, &updated);
	cr_assert_null(wrong, "%s", wrong);
	cr_assert(s.flows_opened > 0);
	cr_assert_null(bpe_engine_current());
	bpe_engine_close(engine);
	flow_books_free(books);
	return updated;
}

static struct bpe_options make_handler_options(int workers)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = SOURCE;
	o.workers = workers;
	o.fixed_seed = true;
	return o;
}

Test(handlers, updates_do_not_depend_on_workers, .timeout = 550)
{
	uint64_t first = 0;

	for (int workers = 0; workers <= 3; workers++) {
		struct flow_books books;
		struct bpe_options o = make_handler_options(workers);

		flow_books_init(&books, ROOM);
		books.update_ns = 100000000;
		books.update_bytes = 20000;
		const uint64_t updated = run_with_books(&o, &books);
		cr_assert(updated > 1000);
		if (!workers)
			first = updated;
		cr_assert_eq(updated, first);
	}
}

Test(handlers, of_a_capture_see_the_same_as_of_an_engine, .timeout = 550)
{
	struct flow_books books;
	struct bpe_options o = make_handler_options(0);
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error = { 0 };
	struct bpe_stats s;
	uint64_t updated;

	flow_books_init(&books, ROOM);
	books.update_bytes = 20000;
	const uint64_t wanted = run_with_books(&o, &books);
	flow_books_init(&books, ROOM);
	books.update_bytes = 20000;
	o.flow_table = true;
	cr_assert_eq(bpe_capture_open(&o, &capture, &error), BPE_OK, "%s", error.text);
	while (bpe_capture_next(capture, &batch, -1, &error) > 0)
		cr_assert_null(bpe_engine_current());
	bpe_capture_stats(capture, &s);
	const char *wrong = check_flow_books(&books, &s, &updated);
	cr_assert_null(wrong, "%s", wrong);
	cr_assert_eq(updated, wanted);
	bpe_capture_close(capture);
	flow_books_free(&books);
}

Test(handlers, nothing_is_updated_unless_wanted, .timeout = 550)
{
	struct flow_books books;
	struct bpe_options o = make_handler_options(0);

	flow_books_init(&books, ROOM);
	cr_assert_eq(run_with_books(&o, &books), 0);
}

Test(handlers, balance_with_evictions_periods_and_timeouts, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers += 3) {
		struct flow_books books;
		struct bpe_options o = make_handler_options(workers);

		flow_books_init(&books, 50);
		books.update_bytes = 3000;
		o.interface_name = "synth:flows=500,seed=3,count=200000,vlan=30";
		o.max_flows = 50;
		o.flow_active_ns = 20000000;
		o.flow_idle_ns = 50000000;
		cr_assert(run_with_books(&o, &books) > 0);
	}
}

Test(handlers, a_handler_stops_its_engine, .timeout = 550)
{
	for (int workers = 0; workers <= 3; workers += 3) {
		struct flow_books books;
		struct bpe_options o = make_handler_options(workers);

		flow_books_init(&books, ROOM);
		books.update_ns = 1;
		books.stop_after = 40;
		o.interface_name = "synth:flows=500,seed=3"; /* without an end */
		run_with_books(&o, &books);
	}
}

/* ---- The current engine ---- */

struct engine_calls {
	struct bpe_engine *engine;
	uint32_t batches, records, opened, wrong;
	bool batch_was_opened;
};

static void check_current_engine(struct engine_calls *calls)
{
	calls->wrong += bpe_engine_current() != calls->engine;
}

static void open_current_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct engine_calls *calls = user;

	(void)worker;
	check_current_engine(calls);
	calls->opened++;
	calls->wrong += f->packets[0] + f->packets[1] != 1;
}

static void check_current_batch(void *user, const struct bpe_batch *b)
{
	struct engine_calls *calls = user;

	check_current_engine(calls);
	if (!calls->batches++)
		calls->batch_was_opened = calls->opened > 0 && b->count > 0;
}

static void check_current_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct engine_calls *calls = user;
	struct bpe_flow largest;

	(void)worker;
	check_current_engine(calls);
	/* A worker that waits for room would never answer. */
	if (!calls->records++ && f)
		calls->wrong += bpe_engine_largest_flows(calls->engine, BPE_ORDER_BYTES, INT64_MIN,
					&largest, 1, NULL, NULL) != BPE_E_STATE;
}

Test(handlers, know_their_engine, .timeout = 550)
{
	for (int workers = 0; workers <= 1; workers++) {
		struct engine_calls calls = { 0 };
		struct bpe_options o = make_handler_options(workers);
		struct bpe_error error = { 0 };

		o.on_batch = check_current_batch;
		o.on_flow_open = open_current_flow;
		o.on_record = check_current_record;
		o.user = &calls;
		cr_assert_null(bpe_engine_current());
		cr_assert_eq(bpe_engine_open(&o, &calls.engine, &error), BPE_OK, "%s", error.text);
		cr_assert_eq(bpe_engine_run(calls.engine, 0, &error), BPE_OK, "%s", error.text);
		cr_assert(calls.batches && calls.records && calls.batch_was_opened);
		cr_assert_eq(calls.wrong, 0);
		bpe_engine_close(calls.engine);
	}
}

/* ---- Handlers wait for the calling engine, or close the engine ---- */

struct own_close {
	_Atomic uint32_t batches, records, notices, wrong;
};

static void end_own_engine(struct own_close *c)
{
	struct bpe_engine *own = bpe_engine_current();

	c->wrong += bpe_engine_wait(own, 0) != 0;
	c->wrong += bpe_engine_wait(own, -1) != BPE_E_STATE;
	c->wrong += bpe_engine_wait(own, 1000000) != BPE_E_STATE;
	c->wrong += bpe_engine_run(own, 0, NULL) != BPE_E_STATE;
	bpe_engine_close(own);
}

static void close_in_batch(void *user, const struct bpe_batch *b)
{
	struct own_close *c = user;

	c->wrong += !b->count;
	c->batches++;
	end_own_engine(c);
}

static void close_in_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct own_close *c = user;

	(void)worker;
	if (!f)
		return;
	c->records++;
	end_own_engine(c);
}

/* Closes the engine once more, which must not tell again. */
static void close_in_notice(void *user, const char *text)
{
	struct own_close *c = user;

	if (!strstr(text, "closed its own engine"))
		return;
	c->notices++;
	end_own_engine(c);
}

Test(handlers, a_handler_that_closes_its_engine_stops_the_run, .timeout = 550)
{
	for (int kind = 0; kind < 4; kind++) {
		struct own_close c = { 0 };
		struct bpe_options o = make_handler_options(kind & 1 ? 3 : 0);
		struct bpe_engine *engine;
		struct bpe_error error = { 0 };
		struct bpe_stats s;

		o.interface_name = "synth:flows=500,seed=3"; /* without an end */
		o.flow_active_ns = 20000000;                 /* records during the run */
		o.on_batch = kind & 2 ? NULL : close_in_batch;
		o.on_record = kind & 2 ? close_in_record : NULL;
		o.on_notice = close_in_notice;
		o.user = &c;
		cr_assert_eq(bpe_engine_open(&o, &engine, &error), BPE_OK, "%s", error.text);
		cr_assert_eq(bpe_engine_run(engine, 0, &error), BPE_OK, "%s", error.text);
		bpe_engine_stats(engine, &s);
		bpe_engine_close(engine);
		cr_assert_eq(c.wrong, 0);
		cr_assert(kind & 2 ? c.records > 0 : c.batches > 0);
		cr_assert(c.notices >= 1 && c.notices <= 5); /* at most 1 of each thread */
		cr_assert(s.read_packets > 0 && s.in_flight == 0);
	}
}

Test(handlers, a_time_below_zero_is_told)
{
	struct bpe_options o = make_handler_options(0);
	struct bpe_engine *engine;
	struct bpe_error error = { 0 };

	o.flow_update_ns = -1;
	cr_assert_eq(bpe_engine_open(&o, &engine, &error), BPE_E_ARGUMENT);
	cr_assert_not_null(strstr(error.text, "flow_update_ns"));
}
