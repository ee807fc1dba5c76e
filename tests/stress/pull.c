/* SPDX-License-Identifier: MIT */
/* pull [ROUNDS [SEED]]: takes records by the descriptor alone, out of engines with 0 to 3 workers.
 *
 * Each round has its own source, ring, overload mode and way of taking: a record for each wait,
 * all that wait, a few, or slowly.  The program waits without limit, by poll, or by epoll told of
 * changes only, so a lost wake-up hangs.  Some rounds ask for dumps, stop the run, or close in the
 * middle.  Every record is taken or counted as dropped, and each record is sound.  The last line
 * is "N passed, N failed", counted in rounds. */
#include "bpfengine.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <unistd.h>
#endif

struct pull_round {
	uint32_t random;
	uint32_t most; /* records taken after a wait; 0: until none waits */
	bool slow, by_changes, dumps, stops, closes;
	struct bpe_engine *engine;
	uint64_t taken, waits, unsound;
};

static uint32_t draw_choice(uint32_t *random, uint32_t n)
{
	*random = *random * 1664525 + 1013904223;
	return (*random >> 8) % n;
}

static struct bpe_options round_options(struct pull_round *r, char source[96])
{
	static const uint64_t rates[] = { 0, 0, 0, 200000 };
	const uint64_t rate = rates[draw_choice(&r->random, 4)];
	struct bpe_options o;

	bpe_options_init(&o);
	snprintf(source, 96, "synth:count=%u,flows=%u,seed=%u",
		2000 + draw_choice(&r->random, 40000), 1 + draw_choice(&r->random, 5000),
		draw_choice(&r->random, 1000));
	if (rate)
		strcat(source, ",rate=200000");
	o.interface_name = source;
	o.workers = (int32_t)draw_choice(&r->random, 4);
	o.pull_records = true;
	o.record_overload = draw_choice(&r->random, 3);
	o.record_ring_bytes = draw_choice(&r->random, 2) ? 4096 : 0;
	o.max_flows = draw_choice(&r->random, 2) ? 50 : 100000;
	o.flow_active_ns = draw_choice(&r->random, 2) ? 1000000 : 0;
	return o;
}

/* Waits for the descriptor without limit.  queue: an epoll that is told of changes; -1: by poll. */
static void await_records(struct pull_round *r, int queue)
{
	struct pollfd p = { .fd = bpe_engine_records_fd(r->engine), .events = POLLIN };

	r->waits++;
#ifdef __linux__
	struct epoll_event event;

	if (queue >= 0) {
		if (epoll_wait(queue, &event, 1, -1) != 1)
			abort();
		return;
	}
#endif
	(void)queue;
	if (poll(&p, 1, -1) != 1 || !(p.revents & POLLIN))
		abort();
}

/* Takes records after a wait.  Returns the last result. */
static int take_some(struct pull_round *r)
{
	const struct bpe_flow *flow;
	int found = 1;

	for (uint32_t k = 0; found > 0 && (!r->most || k < r->most); k++) {
		found = bpe_engine_next_record(r->engine, &flow, NULL);
		if (found <= 0)
			break;
		r->taken++;
		if (flow->version != BPE_FLOW_VERSION || flow->size != sizeof *flow ||
			!(flow->packets[0] + flow->packets[1]) || flow->first_ns > flow->last_ns ||
			!flow->end)
			r->unsound++;
	}
	return found;
}

static void take_round(struct pull_round *r, int queue)
{
	int found = 0;

	while (found != BPE_E_END) {
		await_records(r, queue);
		found = take_some(r);
		if (r->slow && !draw_choice(&r->random, 4))
			nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
		if (r->dumps && !draw_choice(&r->random, 20))
			bpe_engine_dump_flows(r->engine, NULL, NULL);
		if (r->stops && r->taken > 100)
			bpe_engine_stop(r->engine);
		if (r->closes && r->taken > 20)
			return;
	}
}

/* Returns true if the books of a whole round balance. */
static bool check_round(struct pull_round *r)
{
	struct pollfd p = { .fd = bpe_engine_records_fd(r->engine), .events = POLLIN };
	const struct bpe_flow *flow;
	struct bpe_stats s;

	if (bpe_engine_wait(r->engine, 0) != 1 || bpe_engine_result(r->engine, NULL) != BPE_OK)
		return false;
	bpe_engine_stats(r->engine, &s);
	/* The end stays. */
	return s.records == r->taken && !r->unsound &&
	       s.records + s.records_dropped == s.flows_opened + s.flows_periods + s.flows_dumped &&
	       poll(&p, 1, 0) == 1 && bpe_engine_next_record(r->engine, &flow, NULL) == BPE_E_END &&
	       poll(&p, 1, 0) == 1;
}

static bool run_round(uint32_t number, uint32_t seed)
{
	struct pull_round r = { .random = seed + number * 7919 };
	char source[96];
	const struct bpe_options o = round_options(&r, source);
	struct bpe_error error = { 0 };
	int queue = -1;

	r.most = draw_choice(&r.random, 3);
	r.slow = !draw_choice(&r.random, 3);
	r.dumps = !draw_choice(&r.random, 3);
	r.stops = !draw_choice(&r.random, 4);
	r.closes = !draw_choice(&r.random, 6);
	/* Who is told of changes only takes all before the next wait. */
	r.by_changes = !r.most && draw_choice(&r.random, 2);
	if (bpe_engine_open(&o, &r.engine, &error) < 0 || bpe_engine_start(r.engine, &error) < 0) {
		printf("round %u: %s\n", number, error.text);
		return false;
	}
#ifdef __linux__
	if (r.by_changes) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLET };

		queue = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_ctl(queue, EPOLL_CTL_ADD, bpe_engine_records_fd(r.engine), &event))
			abort();
	}
#endif
	take_round(&r, queue);
	const bool good = r.closes ? !r.unsound : check_round(&r);

	bpe_engine_close(r.engine);
#ifdef __linux__
	if (queue >= 0)
		close(queue);
#endif
	if (!good)
		printf("round %u (%s): %llu taken in %llu waits: wrong\n", number, source,
			(unsigned long long)r.taken, (unsigned long long)r.waits);
	return good;
}

int main(int argc, char **argv)
{
	const uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 60;
	const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1;
	uint32_t passed = 0;

	for (uint32_t k = 0; k < rounds; k++)
		passed += run_round(k, seed);
	printf("%u passed, %u failed\n", passed, rounds - passed);
	return passed != rounds;
}
