/* SPDX-License-Identifier: MIT */
/* Measures a run through the public header alone.
 *
 * The counters are read each second.  The difference to the last reading is a row, so that rows sum
 * up to the total.  The last row is read after the end, with the packets that were still on their
 * way. The kernel's counters are as recent as the engine's last question, up to a second old; in
 * the total they are exact.  Latency is taken on the workers' threads, with a look at the clock for
 * each batch; each worker has a histogram.  CPU time is of the whole process: reader, workers, and
 * the look of this thread each second. */
#include "amounts.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000

static void add_batch_latency(void *user, const struct bpe_batch *b)
{
	struct run *r = user;
	struct histogram *h = &r->worker_latency[b->worker];
	int64_t now = wall_now();
	for (uint32_t i = 0; i < b->count; i++)
		histogram_add(h, now - b->time_ns[i]);
}

static void forward_notice(void *user, const char *text)
{
	struct run *r = user;
	if (r->on_notice)
		r->on_notice(r->user, text);
}

int run_open(
	struct run *r, const struct bpe_options *options, bool latency, struct bpe_error *error)
{
	struct bpe_options o = *options;
	r->engine = NULL;
	r->rows = NULL;
	r->worker_latency = NULL;
	r->count = r->room = 0;
	if (o.count_only)
		o.workers = BPE_WORKERS_AUTO; /* describe_run tells that -p changes nothing */
	o.user = r;
	o.on_notice = forward_notice;
	r->latency = latency && o.interface_name && !is_synth(o.interface_name);
	if (r->latency) {
		o.on_batch = add_batch_latency;
		r->worker_latency = calloc(BPE_MAX_WORKERS, sizeof *r->worker_latency);
		if (!r->worker_latency) {
			*error = (struct bpe_error){ .status = BPE_E_MEMORY,
				.step = "open",
				.text = "no memory for the histograms" };
			return BPE_E_MEMORY;
		}
	}
	int status = bpe_engine_open(&o, &r->engine, error);
	if (status < 0) {
		free(r->worker_latency);
		r->worker_latency = NULL;
		return status;
	}
	snprintf(r->source, sizeof r->source, "%s", bpe_engine_source(r->engine));
	snprintf(r->link_type, sizeof r->link_type, "%s", bpe_engine_link_type(r->engine));
	return BPE_OK;
}

int run_start(struct run *r, struct bpe_error *error)
{
	memset(&r->last, 0, sizeof r->last);
	memset(&r->all, 0, sizeof r->all);
	memset(&r->before, 0, sizeof r->before);
	cpu_now(&r->user_ns, &r->system_ns);
	r->first_user_ns = r->user_ns;
	r->first_system_ns = r->system_ns;
	r->start_ns = r->last_ns = mono_now();
	return bpe_engine_start(r->engine, error);
}

/* Fills the row with the counts between two readings.  The first reading is all zeros. */
static void count_between(struct row *row, const struct bpe_stats *now, const struct bpe_stats *s)
{
	row->packets = now->read_packets - s->read_packets;
	row->delivered = now->delivered_packets - s->delivered_packets;
	row->ring_full = now->dropped[BPE_DROP_RING_FULL] - s->dropped[BPE_DROP_RING_FULL];
	row->stalled = now->dropped[BPE_DROP_STALLED] - s->dropped[BPE_DROP_STALLED];
	row->duplicate = now->dropped[BPE_DROP_DUPLICATE] - s->dropped[BPE_DROP_DUPLICATE];
	row->in_flight = now->in_flight;
	row->wire_bytes = now->wire_bytes - s->wire_bytes;
	row->captured_bytes = now->captured_bytes - s->captured_bytes;
	row->kernel_received = row->kernel_dropped = row->interface_dropped = ABSENT;
	if (now->kernel_known & BPE_KNOWN_RECEIVED)
		row->kernel_received = now->kernel_received - s->kernel_received;
	if (now->kernel_known & BPE_KNOWN_DROPPED)
		row->kernel_dropped = now->kernel_dropped - s->kernel_dropped;
	if (now->kernel_known & BPE_KNOWN_INTERFACE_DROPPED)
		row->interface_dropped = now->interface_dropped - s->interface_dropped;
	row->filtered = now->filtered - s->filtered;
	row->reads = now->blocks - s->blocks;
	row->empty_reads = now->empty_reads - s->empty_reads;
	row->block_bytes = now->block_bytes - s->block_bytes;
	row->block_capacity = now->block_capacity - s->block_capacity;
	row->waits = now->waits - s->waits;
	row->workers = now->workers;
}

static void gather_latency(struct run *r)
{
	memset(&r->all, 0, sizeof r->all);
	for (uint32_t k = 0; k < BPE_MAX_WORKERS; k++)
		histogram_merge(&r->all, &r->worker_latency[k]);
}

static void tell_second(const struct row *row, double seconds)
{
	char packets[AMOUNT_ROOM], bits[AMOUNT_ROOM], ours[AMOUNT_ROOM], lost[AMOUNT_ROOM] = "-";

	if (row->kernel_dropped != ABSENT)
		amount_count(lost, sizeof lost, row->kernel_dropped);
	program_tell("%6.1f s  %13s packets/s  %17s bit/s  kernel dropped %s  we dropped %s",
		seconds, amount_count(packets, sizeof packets, (uint64_t)row->packets_per_second),
		amount_count(bits, sizeof bits, (uint64_t)row->bits_per_second), lost,
		amount_count(ours, sizeof ours, row->ring_full + row->stalled));
}

static void add_row(struct run *r, int64_t now)
{
	struct bpe_stats s;
	struct histogram second;
	uint64_t user, system;
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct row *rows = realloc(r->rows, room * sizeof *rows);
		if (!rows)
			return; /* the next row takes this second as well, so sums stay right */
		r->rows = rows;
		r->room = room;
	}
	bpe_engine_stats(r->engine, &s);
	cpu_now(&user, &system);
	struct row *row = &r->rows[r->count++];
	row_init(row, "second");
	row->start_s = (double)(r->last_ns - r->start_ns) * 1e-9;
	row->seconds = (double)(now - r->last_ns) * 1e-9;
	count_between(row, &s, &r->last);
	row->user_ns = user - r->user_ns;
	row->system_ns = system - r->system_ns;
	row_work_out(row);
	if (r->latency) {
		gather_latency(r);
		histogram_since(&second, &r->all, &r->before);
		row_latency(row, &second);
		r->before = r->all;
	}
	if (r->tells)
		tell_second(row, (double)(now - r->start_ns) * 1e-9);
	r->last = s;
	r->last_ns = now;
	r->user_ns = user;
	r->system_ns = system;
}

int run_wait(struct run *r, int64_t ns)
{
	for (;;) {
		const int64_t now = mono_now();
		const int64_t next = r->last_ns + SECOND;
		const int64_t end = r->start_ns + ns;

		if (now >= end || asked_to_stop())
			return 0;
		if (now >= next &&
			end - now > SECOND / 10) { /* a shorter rest joins the last row */
			add_row(r, now);
			continue;
		}
		int64_t until = next > now && next < end ? next : end;
		if (bpe_engine_wait(
			    r->engine, until - now < SECOND / 10 ? until - now : SECOND / 10))
			return 1;
	}
}

uint64_t run_delivered(struct run *r)
{
	struct bpe_stats s;
	bpe_engine_stats(r->engine, &s);
	return s.delivered_packets;
}

int run_end(struct run *r, struct bpe_error *error)
{
	static const struct bpe_stats none = { 0 };
	bpe_engine_stop(r->engine);
	while (!bpe_engine_wait(r->engine, SECOND))
		continue;
	int status = bpe_engine_result(r->engine, error);
	add_row(r, mono_now());
	row_init(&r->total, "total");
	r->total.start_s = 0;
	r->total.seconds = (double)(r->last_ns - r->start_ns) * 1e-9;
	count_between(&r->total, &r->last, &none);
	r->total.user_ns = r->user_ns - r->first_user_ns;
	r->total.system_ns = r->system_ns - r->first_system_ns;
	row_work_out(&r->total);
	if (r->latency)
		row_latency(&r->total, &r->all);
	r->workers = r->last.workers;
	return status;
}

bool run_balanced(const struct run *r)
{
	const struct row *t = &r->total;
	return t->packets == t->delivered + t->dropped && !t->in_flight;
}

void run_close(struct run *r)
{
	bpe_engine_close(r->engine);
	free(r->rows);
	free(r->worker_latency);
	r->engine = NULL;
	r->rows = NULL;
	r->worker_latency = NULL;
}
