/* SPDX-License-Identifier: MIT */
/* Lines of statistics while the program runs: the line in place on a terminal, and the lines of
 * --stats-interval.  State: whether a line stands on the terminal; main thread and, for
 * cli_live_clear, the engine's output thread. */
#include "cli.h"

#include <inttypes.h>

static bool is_line_shown;

/* Returns the packets that this program dropped. */
static uint64_t count_own_drops(const struct bpe_stats *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < BPE_DROP_COUNT; i++)
		sum += s->dropped[i];
	return sum;
}

static void print_position(const struct bpe_stats *s)
{
	double percent = 100;

	if (!s->source_bytes)
		return;
	if (s->source_position < s->source_bytes) /* a growing savefile may be longer by now */
		percent = 100 * (double)s->source_position / (double)s->source_bytes;
	fprintf(stderr, "%3.0f%%  ", percent);
}

bool cli_live_line(const struct bpe_stats *s)
{
	char packets[32], pps[32], bps[32], kernel[32], own[32], flows[32];

	clearerr(stderr);
	fprintf(stderr, "\r\033[K");
	print_position(s);
	if (s->kernel_known & BPE_KNOWN_DROPPED)
		cli_count(kernel, sizeof kernel, (double)s->kernel_dropped);
	else
		snprintf(kernel, sizeof kernel, "-");
	fprintf(stderr, "%s packets  %s/s  %sbit/s  dropped %s kernel %s us  %s flows",
		cli_count(packets, sizeof packets, (double)s->read_packets),
		cli_count(pps, sizeof pps, (double)s->packets_per_second),
		cli_count(bps, sizeof bps, (double)s->bits_per_second), kernel,
		cli_count(own, sizeof own, (double)count_own_drops(s)),
		cli_count(flows, sizeof flows, (double)s->flows_active));
	fflush(stderr);
	is_line_shown = !ferror(stderr);
	return is_line_shown;
}

void cli_live_clear(void)
{
	if (is_line_shown)
		fprintf(stderr, "\r\033[K");
	is_line_shown = false;
}

void cli_interval_line(FILE *to, const struct bpe_stats *s)
{
	char kernel[24];

	cli_kernel_count(kernel, sizeof kernel, s, BPE_KNOWN_DROPPED, s->kernel_dropped, "-");
	fprintf(to,
		"%.1f s: %" PRIu64 " packets, %" PRIu64 " packets/s, %" PRIu64
		" bit/s, dropped %s kernel %" PRIu64 " us, %" PRIu64 " flows\n",
		(double)s->elapsed_ns * 1e-9, s->read_packets, s->packets_per_second,
		s->bits_per_second, kernel, count_own_drops(s), s->flows_active);
	fflush(to);
}
