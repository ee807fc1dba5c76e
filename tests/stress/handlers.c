/* SPDX-License-Identifier: MIT */
/* handlers [rounds]: runs engines with the handlers of live flows, again and again.  The runs have
 * evictions, periods, time-outs, dropped packets, and stops by a handler or by another thread.
 * Each flow opens once, is updated in order, and ends once, on one thread.  A plain program, meant
 * for ThreadSanitizer, too. */
#include "flow_books.h"

#include <time.h>

#define ROOM 4096u

static const char *const sources[] = {
	"synth:count=60000,flows=300,seed=5",
	"synth:flows=2000,seed=9,vlan=40,ipv6=30", /* without an end */
	"synth:count=60000,flows=5000,seed=7,size=imix",
};

static void *stop_soon(void *engine)
{
	struct timespec nap = { 0, 20000000 };

	nanosleep(&nap, NULL);
	bpe_engine_stop(engine);
	return NULL;
}

/* Runs the engine, and stops an endless run from another thread, or from a handler. */
static int run_handlers(struct bpe_engine *engine, bool stops, struct bpe_error *error)
{
	pthread_t stopper;

	if (!stops)
		return bpe_engine_run(engine, 0, error);
	if (pthread_create(&stopper, NULL, stop_soon, engine))
		return BPE_E_MEMORY;
	const int status = bpe_engine_run(engine, 0, error);
	pthread_join(stopper, NULL);
	return status;
}

/* Returns 1 if the books of a round are right. */
static int run_handlers_round(uint32_t k)
{
	struct flow_books books;
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_error error = { 0 };
	struct bpe_stats s;
	uint64_t updated;
	const bool has_end = k % 3 != 1;
	const bool handler_stops = k % 2;

	flow_books_init(&books, ROOM);
	books.update_ns = k % 4 ? 1000000 << k % 7 : 0;
	books.update_bytes = k % 5 ? 1000u << k % 6 : 0;
	books.stop_after = handler_stops ? 100 : 0;
	bpe_options_init(&o);
	o.interface_name = sources[k % 3];
	o.workers = (int32_t)(k % 5);
	o.ring_slots = 64u << k % 4;
	o.overload = k & 2 ? BPE_OVERLOAD_DROP : BPE_OVERLOAD_WAIT;
	o.max_flows = k % 2 ? ROOM : 64;
	o.flow_active_ns = k % 3 ? 5000000 : 0;
	o.flow_idle_ns = k % 7 ? 300000000 : 30000000;
	flow_books_options(&o, &books);
	if (bpe_engine_open(&o, &engine, &error) < 0) {
		printf("round %u: %s\n", k, error.text);
		return 0;
	}
	books.engine = engine;
	if (run_handlers(engine, !has_end && !handler_stops, &error) < 0) {
		printf("round %u: %s\n", k, error.text);
		return 0;
	}
	bpe_engine_stats(engine, &s);
	bpe_engine_close(engine);
	const char *wrong = check_flow_books(&books, &s, &updated);
	flow_books_free(&books);
	if (!wrong && !s.flows_opened)
		wrong = "no flow opened";
	printf("round %u: %u workers, %llu flows, %llu evicted, %llu periods, %llu updates: %s\n",
		k, (unsigned)s.workers, (unsigned long long)s.flows_opened,
		(unsigned long long)s.flows_evicted, (unsigned long long)s.flows_periods,
		(unsigned long long)updated, wrong ? wrong : "good");
	return !wrong;
}

int main(int argc, char **argv)
{
	const uint32_t rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 30;
	uint32_t good = 0;

	for (uint32_t k = 0; k < rounds; k++)
		good += (uint32_t)run_handlers_round(k);
	printf("%u passed, %u failed\n", good, rounds - good);
	return good != rounds;
}
