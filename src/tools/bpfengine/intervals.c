/* SPDX-License-Identifier: MIT */
/* Lines of --stats-interval for a savefile, by the packets' own time (intervals.h).
 *
 * Life: zeroed -> begin -> add for each batch -> end, when the run is over.  Owner: the reading
 * thread, and after the run the main thread.  Invariant: `packets` and `bytes` count all packets
 * since `from_ns`.
 *
 * Hazards.  A clock may step.  A packet that is a little late counts in the present interval.  A
 * packet far behind ends the interval, and a new interval begins at the packet's time.  So a packet
 * with a wrong date costs two lines.  Files with interleaved clocks would cost a line a packet:
 * after MOST_STEPS steps, late packets count where they come. */
#include "intervals.h"

#include <inttypes.h>

#define SECOND_NS INT64_C(1000000000)
enum { MOST_STEPS = 16, SECONDS_DIGITS = 6 };

void cli_intervals_begin(struct cli_intervals *v, FILE *to, int64_t interval_ns)
{
	*v = (struct cli_intervals){ .to = to, .interval_ns = interval_ns };
}

/* Returns the time between two times of packets. */
static uint64_t time_between(int64_t from, int64_t to)
{
	return (uint64_t)to - (uint64_t)from;
}

/* Prints the line of the packets from from_ns to until_ns. */
static void print_interval(struct cli_intervals *v, struct bpe_engine *engine, int64_t until_ns)
{
	struct bpe_stats s;
	struct cli_shown_rates rates = { .of = "" };
	char when[CLI_TIME], text[2 * CLI_RATE];
	const double seconds = (double)time_between(v->from_ns, until_ns) * 1e-9;

	if (seconds > 0) {
		rates.packets = (double)v->packets / seconds;
		rates.bits = (double)v->bytes * 8 / seconds;
	}
	bpe_engine_stats(engine, &s);
	s.read_packets = v->all_packets; /* the reader is ahead of its handler */
	cli_live_clear();
	cli_interval_line(v->to, cli_date(when, sizeof when, until_ns, SECONDS_DIGITS), &s,
		cli_exact_rates(text, sizeof text, &rates));
	v->packets = 0;
	v->bytes = 0;
	v->from_ns = until_ns;
}

/* Begins an interval at the time of a packet. */
static void restart_interval(struct cli_intervals *v, int64_t time_ns)
{
	v->from_ns = time_ns;
	v->latest_ns = time_ns;
	v->due_ns = INT64_MAX;
	if (time_ns < INT64_MAX - v->interval_ns)
		v->due_ns = time_ns + v->interval_ns;
}

/* Passes over whole intervals without a packet before the time, in a line. */
static void skip_empty_intervals(struct cli_intervals *v, int64_t time_ns)
{
	const uint64_t gap = time_between(v->due_ns, time_ns);
	const uint64_t whole = gap / (uint64_t)v->interval_ns;
	char length[CLI_TIME];

	v->from_ns = v->due_ns;
	if (whole) {
		const uint64_t skipped = whole * (uint64_t)v->interval_ns;

		fprintf(v->to, "no packets for %s\n", cli_duration(length, sizeof length, skipped));
		v->from_ns = (int64_t)((uint64_t)v->due_ns + skipped);
	}
	v->due_ns = INT64_MAX;
	if (v->from_ns < INT64_MAX - v->interval_ns)
		v->due_ns = v->from_ns + v->interval_ns;
}

/* Ends the interval if the packet's clock went far back. */
static void mind_step_back(struct cli_intervals *v, struct bpe_engine *engine, int64_t time_ns)
{
	const uint64_t far = (uint64_t)(v->interval_ns + SECOND_NS);
	char length[CLI_TIME];

	if (time_ns >= v->from_ns || time_between(time_ns, v->from_ns) < far)
		return;
	if (v->steps == MOST_STEPS)
		return;
	v->steps++;
	print_interval(v, engine, v->latest_ns);
	cli_duration(length, sizeof length, time_between(time_ns, v->latest_ns));
	fprintf(v->to, "the packets' clock went back by %s%s\n", length,
		v->steps == MOST_STEPS ? "; no more is said of its steps" : "");
	restart_interval(v, time_ns);
}

static void count_interval_packet(
	struct cli_intervals *v, struct bpe_engine *engine, int64_t time_ns, uint32_t wire_bytes)
{
	if (time_ns && !v->is_begun) {
		v->is_begun = true;
		restart_interval(v, time_ns);
	}
	if (time_ns) /* 0: the packet has no time */
		mind_step_back(v, engine, time_ns);
	if (time_ns >= v->due_ns && v->is_begun) {
		print_interval(v, engine, v->due_ns);
		skip_empty_intervals(v, time_ns);
	}
	if (time_ns > v->latest_ns)
		v->latest_ns = time_ns;
	v->packets++;
	v->bytes += wire_bytes;
	v->all_packets++;
}

void cli_intervals_add(
	struct cli_intervals *v, struct bpe_engine *engine, const struct bpe_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		count_interval_packet(v, engine, batch->time_ns[i], batch->wirelen[i]);
}

void cli_intervals_end(struct cli_intervals *v, struct bpe_engine *engine)
{
	if (v->packets)
		print_interval(v, engine, v->latest_ns);
}
