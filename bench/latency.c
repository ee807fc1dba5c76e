/* SPDX-License-Identifier: MIT */
/* bench_latency -i SOURCE [-a ABI] [-d DEVICE] [-m MODE] [-t SECONDS]: measures the time from a
 * packet's stamp to the delivery on the caller's thread, for sources with stamps by the wall clock.
 * Prints minimum, median, 99th percentile and maximum in microseconds, the CPU time a packet, and
 * how many reads found nothing.
 */
#include "bpfengine.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MOST 1000000u

static int compare_latencies(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t read_clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Reads the command line.  Returns false if an option is unknown. */
static bool read_latency_options(int argc, char **argv, struct bpe_options *o, double *seconds)
{
	int letter;

	while ((letter = getopt(argc, argv, "i:a:d:m:t:")) != -1) {
		switch (letter) {
		case 'i':
			o->interface_name = optarg;
			break;
		case 'a':
			o->bpf_abi = optarg;
			break;
		case 'd':
			o->bpf_device = optarg;
			break;
		case 'm':
			o->read_mode = (uint32_t)atoi(optarg);
			break;
		case 't':
			*seconds = atof(optarg);
			break;
		default:
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	struct bpe_error e = { 0 };
	double seconds = 5;
	int n = 0;

	bpe_options_init(&o);
	if (!read_latency_options(argc, argv, &o, &seconds))
		return 2;
	const int64_t start = read_clock_ns(CLOCK_MONOTONIC);
	int64_t *latency = malloc(MOST * sizeof *latency);

	if (!latency || bpe_capture_open(&o, &c, &e) < 0) {
		fprintf(stderr, "%s: %s\n", e.step, e.text);
		return 1;
	}
	uint64_t packets = 0, kept = 0;
	while ((double)(read_clock_ns(CLOCK_MONOTONIC) - start) < seconds * 1e9 &&
		(n = bpe_capture_next(c, &b, 100000000, &e)) >= 0) {
		int64_t t = read_clock_ns(CLOCK_REALTIME);
		for (int i = 0; i < n && kept < MOST; i++)
			latency[kept++] = t - b.time_ns[i];
		packets += (uint64_t)n;
	}
	struct rusage u;
	struct bpe_stats s;
	getrusage(RUSAGE_SELF, &u);
	bpe_capture_stats(c, &s);
	double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
		     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
	qsort(latency, kept, sizeof *latency, compare_latencies);
	printf("{\"packets\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"reads\":%" PRIu64
	       ",\"empty_reads\":%" PRIu64 ",\"cpu_ns\":%.1f,\"us\":{",
		packets, s.kernel_dropped, s.blocks + s.empty_reads, s.empty_reads,
		packets ? cpu / (double)packets : 0);
	if (kept)
		printf("\"min\":%.1f,\"50\":%.1f,\"99\":%.1f,\"max\":%.1f",
			(double)latency[0] * 1e-3, (double)latency[kept / 2] * 1e-3,
			(double)latency[kept - kept / 100 - 1] * 1e-3,
			(double)latency[kept - 1] * 1e-3);
	puts("}}");
	bpe_capture_close(c);
	free(latency);
	return 0;
}
