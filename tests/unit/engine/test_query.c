/* SPDX-License-Identifier: MIT */
/* The query protocol with answerers played by the test, and with a thread. */
#include "engine/query.h"

#include <criterion/criterion.h>
#include <pthread.h>

/* A query whose every part takes a number of steps. */
struct counted_query {
	struct bpei_query query;
	uint32_t steps_needed;
	_Atomic uint32_t steps, finished;
	enum bpei_progress meanwhile;
};

static enum bpei_progress step_counted_query(
	struct bpei_query *query, struct bpei_answerer *answerer, uint32_t budget)
{
	struct counted_query *q = (struct counted_query *)query;

	cr_assert_gt(budget, 0);
	q->steps++;
	if (++answerer->position < q->steps_needed)
		return q->meanwhile;
	q->finished++;
	return BPEI_QUERY_DONE;
}

static struct bpei_query_desk desk;
static struct bpei_answerer answerers[2];
static struct counted_query query;

static void set_up_desk(void)
{
	bpei_query_desk_init(&desk);
	for (int k = 0; k < 2; k++)
		bpei_query_join(&desk, &answerers[k], NULL, false);
	query.query.step = step_counted_query;
	query.steps_needed = 3;
	query.meanwhile = BPEI_QUERY_MORE;
}

TestSuite(query, .init = set_up_desk, .timeout = 550);

/* Starts the query as a dump does. */
static void start_counted_query(void)
{
	pthread_mutex_lock(&desk.mutex);
	bpei_query_start(&desk, &query.query);
	pthread_mutex_unlock(&desk.mutex);
}

Test(query, an_asker_answers_instead_of_absent_threads)
{
	bpei_query_ask(&desk, &query.query);
	cr_assert_eq(query.finished, 2);
	cr_assert_eq(query.steps, 6);
	cr_assert(!bpei_query_waits(&answerers[0]) && !bpei_query_waits(&answerers[1]));
}

Test(query, each_answerer_works_in_steps_and_reports_once)
{
	bpei_query_begin(&desk);
	start_counted_query();
	cr_assert_eq(desk.pending, 2);
	for (int k = 0; k < 2; k++) {
		cr_assert(bpei_query_waits(&answerers[k]));
		cr_assert_eq(bpei_query_serve(&answerers[k], 1), BPEI_QUERY_MORE);
		cr_assert_eq(bpei_query_serve(&answerers[k], 1), BPEI_QUERY_MORE);
		cr_assert_eq(bpei_query_serve(&answerers[k], 1), BPEI_QUERY_DONE);
		cr_assert(!bpei_query_waits(&answerers[k]));
		cr_assert_eq(desk.pending, 1u - (uint32_t)k);
	}
	cr_assert_eq(query.finished, 2);
}

Test(query, a_blocked_step_is_told_apart)
{
	query.meanwhile = BPEI_QUERY_BLOCKED;
	bpei_query_begin(&desk);
	start_counted_query();
	cr_assert_eq(bpei_query_serve(&answerers[0], 1), BPEI_QUERY_BLOCKED);
	bpei_query_finish(&answerers[0]);
	bpei_query_finish(&answerers[1]);
	cr_assert_eq(desk.pending, 0);
}

Test(query, a_taken_mutex_delays_an_answerer_and_nothing_is_done_twice)
{
	bpei_query_begin(&desk);
	query.steps_needed = 1;
	start_counted_query();
	pthread_mutex_lock(&desk.mutex);
	cr_assert_eq(bpei_query_serve(&answerers[0], 1), BPEI_QUERY_MORE);
	cr_assert_eq(query.steps, 0, "the query is not learnt yet");
	pthread_mutex_unlock(&desk.mutex);
	cr_assert_eq(bpei_query_serve(&answerers[0], 1), BPEI_QUERY_DONE);
	cr_assert_eq(query.steps, 1);
}

Test(query, who_leaves_answers_first_and_is_replaced_later)
{
	bpei_query_begin(&desk);
	start_counted_query();
	bpei_query_leave(&answerers[0], BPEI_ANSWERER_LEFT);
	bpei_query_leave(&answerers[1], BPEI_ANSWERER_LEFT);
	cr_assert_eq(query.finished, 2);
	cr_assert_eq(desk.pending, 0);
	bpei_query_ask(&desk, &query.query);
	cr_assert_eq(query.finished, 4);
}

static _Atomic int over;

/* Plays the thread of an answerer. */
static void *run_test_answerer(void *answerer)
{
	struct bpei_answerer *a = answerer;

	while (!over)
		if (bpei_query_waits(a))
			bpei_query_serve(a, 1);
	bpei_query_leave(a, BPEI_ANSWERER_LEFT);
	return NULL;
}

/* Asks again and again. */
static void *run_test_asker(void *unused)
{
	for (int k = 0; k < 200; k++) {
		struct counted_query mine = { .query = { step_counted_query },
			.steps_needed = 2,
			.meanwhile = BPEI_QUERY_MORE };

		bpei_query_ask(&desk, &mine.query);
		cr_assert_eq(mine.finished, 2);
	}
	return unused;
}

Test(query, many_askers_are_all_answered)
{
	pthread_t answering[2];
	pthread_t asking[3];

	bpei_query_begin(&desk);
	for (int k = 0; k < 2; k++)
		cr_assert_eq(
			pthread_create(&answering[k], NULL, run_test_answerer, &answerers[k]), 0);
	for (int k = 0; k < 3; k++)
		cr_assert_eq(pthread_create(&asking[k], NULL, run_test_asker, NULL), 0);
	for (int k = 0; k < 3; k++)
		pthread_join(asking[k], NULL);
	over = 1;
	for (int k = 0; k < 2; k++)
		pthread_join(answering[k], NULL);
	cr_assert_eq(desk.pending, 0);
	cr_assert_eq(desk.tickets.next, 600);
	cr_assert_eq(desk.tickets.served, 600);
}

Test(query, a_thread_knows_its_engine)
{
	struct bpe_engine *engine = (struct bpe_engine *)&desk;

	cr_assert(!bpei_query_is_own_thread(engine));
	cr_assert_null(bpei_query_own_engine());
	bpei_query_thread(engine, false);
	cr_assert(bpei_query_is_own_thread(engine) && !bpei_query_is_reader(engine));
	bpei_query_thread(engine, true);
	cr_assert(bpei_query_is_reader(engine));
	cr_assert_eq(bpei_query_own_engine(), engine);
}
