/* SPDX-License-Identifier: MIT */
/* Rows: their absent figures, and the figures computed from counts.  Pure, except for the clocks at
 * the end. */
#include "result.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void row_init(struct row *r, const char *what)
{
	memset(r, 0, sizeof *r);
	snprintf(r->what, sizeof r->what, "%s", what);
	r->round = r->buffer_bytes = r->frame_bytes = r->workers = r->rate = r->sent = r->arrived =
		ABSENT;
	r->packets_per_read = r->fill = r->user_ns_per_packet = r->system_ns_per_packet =
		r->wall_ns_per_packet = r->loss = NAN;
	r->packets_per_second = r->bits_per_second = NAN;
	row_latency(r, NULL);
}

void row_work_out(struct row *r)
{
	const double packets = (double)r->packets;
	const double seconds = r->seconds;

	r->dropped = r->ring_full + r->stalled + r->duplicate;
	r->lost = r->ring_full + r->stalled;
	if (r->kernel_dropped != ABSENT)
		r->lost += r->kernel_dropped;
	if (r->sent != ABSENT && r->arrived != ABSENT && r->sent > r->arrived)
		r->lost += r->sent - r->arrived;
	if (r->delivered + r->lost)
		r->loss = (double)r->lost / (double)(r->delivered + r->lost);
	if (seconds > 0) {
		r->packets_per_second = packets / seconds;
		r->bits_per_second = (double)r->wire_bytes * 8 / seconds;
	}
	if (r->reads && r->reads != ABSENT)
		r->packets_per_read = packets / (double)r->reads;
	if (r->block_capacity && r->block_capacity != ABSENT)
		r->fill = (double)r->block_bytes / (double)r->block_capacity;
	if (r->packets) {
		r->user_ns_per_packet = (double)r->user_ns / packets;
		r->system_ns_per_packet = (double)r->system_ns / packets;
		r->wall_ns_per_packet = seconds * 1e9 / packets;
	}
}

double row_offered(const struct row *r)
{
	const uint64_t packets = r->sent != ABSENT ? r->sent : r->delivered + r->lost;

	return r->seconds > 0 ? (double)packets / r->seconds : NAN;
}

void row_latency(struct row *r, const struct histogram *h)
{
	r->latency_samples = h ? bpei_counter_get(&h->samples) : ABSENT;
	r->latency_early = h ? bpei_counter_get(&h->early) : ABSENT;
	r->latency_least = r->latency_50 = r->latency_90 = r->latency_99 = r->latency_99_9 =
		r->latency_most = ABSENT;
	if (!h || !r->latency_samples)
		return;
	r->latency_least = bpei_counter_get(&h->least);
	r->latency_50 = histogram_at(h, 0.5);
	r->latency_90 = histogram_at(h, 0.9);
	r->latency_99 = histogram_at(h, 0.99);
	r->latency_99_9 = histogram_at(h, 0.999);
	r->latency_most = bpei_counter_get(&h->most);
}

void row_hide_reads(struct row *r)
{
	r->reads = ABSENT;
	r->empty_reads = ABSENT;
	r->block_bytes = ABSENT;
	r->block_capacity = ABSENT;
	r->waits = ABSENT;
	r->filtered = ABSENT;
}

int64_t mono_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t wall_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void cpu_now(uint64_t *user, uint64_t *system)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	*user = (uint64_t)u.ru_utime.tv_sec * 1000000000 + (uint64_t)u.ru_utime.tv_usec * 1000;
	*system = (uint64_t)u.ru_stime.tv_sec * 1000000000 + (uint64_t)u.ru_stime.tv_usec * 1000;
}
