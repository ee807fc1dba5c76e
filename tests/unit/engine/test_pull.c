/* SPDX-License-Identifier: MIT */
/* Records taken by the program: states, full rings, the end. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE "synth:count=20000,flows=3000,seed=9"

static struct bpe_options pull_options(void)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = SOURCE;
	o.fixed_seed = true;
	o.workers = 0;
	o.pull_records = true;
	return o;
}

static struct bpe_engine *open_to_pull(const struct bpe_options *o)
{
	struct bpe_error error = { 0 };
	struct bpe_engine *e = NULL;

	cr_assert_eq(bpe_engine_open(o, &e, &error), BPE_OK, "%s", error.text);
	return e;
}

static void start_to_pull(struct bpe_engine *e)
{
	struct bpe_error error = { 0 };

	cr_assert_eq(bpe_engine_start(e, &error), BPE_OK, "%s", error.text);
}

static bool is_readable(struct bpe_engine *e, int timeout_ms)
{
	struct pollfd p = { .fd = bpe_engine_records_fd(e), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

struct record_list {
	struct bpe_flow *flows;
	size_t count, room;
};

static void add_record(void *list, const struct bpe_flow *flow, uint32_t worker)
{
	struct record_list *l = list;

	(void)worker;
	if (!flow)
		return;
	if (l->count == l->room) {
		l->room = l->room * 2 + 64;
		l->flows = realloc(l->flows, l->room * sizeof *l->flows);
		cr_assert_not_null(l->flows);
	}
	l->flows[l->count++] = *flow;
}

/* Takes records by the descriptor until the end. */
static void pull_to_end(struct bpe_engine *e, struct record_list *list)
{
	const struct bpe_flow *flow;
	int found;

	while ((found = bpe_engine_next_record(e, &flow, NULL)) != BPE_E_END) {
		cr_assert(found >= 0);
		if (found)
			add_record(list, flow, 0);
		else
			cr_assert(is_readable(e, -1));
	}
}

Test(pull, gives_what_on_record_gets, .timeout = 550)
{
	struct record_list handed = { .count = 0 }, taken = { .count = 0 };
	struct bpe_options o = pull_options();

	o.pull_records = false;
	o.on_record = add_record;
	o.user = &handed;
	o.flow_active_ns = 1000000;
	struct bpe_engine *e = open_to_pull(&o);
	cr_assert_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
	bpe_engine_close(e);

	o.pull_records = true;
	o.on_record = NULL;
	o.record_ring_bytes = 4096;
	e = open_to_pull(&o);
	start_to_pull(e);
	pull_to_end(e, &taken);
	cr_assert_eq(bpe_engine_wait(e, 0), 1);
	cr_assert_eq(bpe_engine_result(e, NULL), BPE_OK);
	cr_assert(is_readable(e, 0));
	bpe_engine_close(e);

	cr_assert(handed.count > 3000);
	cr_assert_eq(taken.count, handed.count);
	cr_assert_eq(memcmp(taken.flows, handed.flows, taken.count * sizeof *taken.flows), 0);
	free(handed.flows);
	free(taken.flows);
}

Test(pull, refuses_what_does_not_fit, .timeout = 550)
{
	struct record_list list = { .count = 0 };
	struct bpe_options o = pull_options();
	struct bpe_error error = { 0 };
	const struct bpe_flow *flow = NULL;
	struct bpe_engine *e = NULL;

	o.on_record = add_record;
	o.user = &list;
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
	cr_assert_not_null(strstr(error.text, "on_record"));

	o.pull_records = false;
	e = open_to_pull(&o);
	cr_assert_eq(bpe_engine_records_fd(e), -1);
	cr_assert_eq(bpe_engine_next_record(e, &flow, &error), BPE_E_STATE);
	cr_assert_not_null(strstr(error.text, "pull_records"));
	bpe_engine_close(e);

	o = pull_options();
	e = open_to_pull(&o);
	cr_assert_geq(bpe_engine_records_fd(e), 3);
	cr_assert_not(is_readable(e, 0));
	cr_assert_eq(bpe_engine_next_record(e, &flow, &error), BPE_E_STATE);
	cr_assert_not_null(strstr(error.text, "bpe_engine_start"));
	cr_assert_eq(bpe_engine_run(e, 0, &error), BPE_E_STATE);
	cr_assert_not_null(strstr(error.text, "bpe_engine_next_record"));
	cr_assert_null(flow);
	start_to_pull(e); /* the refused run has not begun */
	pull_to_end(e, &list);
	cr_assert(list.count > 0);
	free(list.flows);
	bpe_engine_close(e);
}

/* No record is taken until the run is over. */
Test(pull, a_full_ring_that_drops_balances_the_books, .timeout = 550)
{
	struct record_list list = { .count = 0 };
	struct bpe_options o = pull_options();
	struct bpe_stats s;

	o.record_ring_bytes = 4096;
	o.record_overload = BPE_RECORD_DROP;
	struct bpe_engine *e = open_to_pull(&o);
	start_to_pull(e);
	while (bpe_engine_wait(e, -1) != 1)
		continue;
	cr_assert(is_readable(e, -1));
	bpe_engine_stats(e, &s);
	cr_assert_eq(s.records, 0);
	cr_assert_lt(s.records_dropped, s.flows_opened);
	pull_to_end(e, &list);
	bpe_engine_stats(e, &s);
	cr_assert(s.records_dropped > 0 && list.count > 0);
	cr_assert_eq(s.records, list.count);
	cr_assert_eq(s.records + s.records_dropped, s.flows_opened + s.flows_periods);
	free(list.flows);
	bpe_engine_close(e);
}

/* The worker waits for room, in the middle of the run or at the end.  Only the close can end the
 * wait. */
Test(pull, a_close_ends_the_wait_at_a_full_ring, .timeout = 550)
{
	for (int stops = 0; stops < 2; stops++) {
		struct bpe_options o = pull_options();
		const struct bpe_flow *flow;
		struct bpe_worker_stats w;
		struct bpe_error error;

		o.record_ring_bytes = 4096;
		o.record_overload = BPE_RECORD_WAIT;
		o.max_flows = 100; /* evicts early */
		o.interface_name = "synth:flows=3000,seed=9";
		struct bpe_engine *e = open_to_pull(&o);
		start_to_pull(e);
		do
			cr_assert_eq(bpe_engine_worker_stats(e, 0, &w), BPE_OK);
		while (w.record_ring_peak < 3000);
		cr_assert(is_readable(e, -1));
		cr_assert_eq(bpe_engine_next_record(e, &flow, &error), 1);
		if (stops) {
			bpe_engine_stop(e);
			cr_assert_eq(bpe_engine_wait(e, 10000000), 0);
		}
		bpe_engine_close(e);
	}
}

Test(pull, ends_without_a_record, .timeout = 550)
{
	struct record_list list = { .count = 0 };
	struct bpe_options o = pull_options();
	struct bpe_engine *e = NULL;

	o.flows = false;
	cr_assert_eq(bpe_engine_open(&o, &e, NULL), BPE_E_ARGUMENT);
	o.flows = true;
	o.max_flows = 0;
	e = open_to_pull(&o);
	start_to_pull(e);
	pull_to_end(e, &list);
	cr_assert_eq(list.count, 0);
	bpe_engine_close(e);
}
