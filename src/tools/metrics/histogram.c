/* SPDX-License-Identifier: MIT */
/* Histograms of times (histogram.h); the caller owns the state. */
#include "histogram.h"

#include <inttypes.h>
#include <stdio.h>

#define US INT64_C(1000)
#define MS (1000 * US)
#define S (1000 * MS)
enum { NS_A_SECOND = 1000000000 };

const struct metrics_bounds metrics_round_trips = { 16,
	{ 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
		100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S } };
const struct metrics_bounds metrics_durations = { 15,
	{ 1 * MS, 10 * MS, 100 * MS, 500 * MS, 1 * S, 5 * S, 10 * S, 30 * S, 60 * S, 300 * S,
		600 * S, 1800 * S, 3600 * S, 21600 * S, 86400 * S } };

void metrics_histogram_add(
	struct metrics_histogram *h, const struct metrics_bounds *bounds, int64_t ns)
{
	const int64_t time_ns = ns < 0 ? 0 : ns;
	uint32_t bucket = 0;

	while (bucket < bounds->count && time_ns > bounds->ns[bucket])
		bucket++;
	h->counts[bucket]++;
	h->sum_ns += (uint32_t)(time_ns % NS_A_SECOND);
	h->sum_s += (uint64_t)(time_ns / NS_A_SECOND) + h->sum_ns / NS_A_SECOND;
	h->sum_ns %= NS_A_SECOND;
}

void metrics_histogram_put(struct metrics_page *page, const struct metrics_labels *labels,
	const struct metrics_histogram *h, const struct metrics_bounds *bounds)
{
	char text[METRICS_SECONDS_BYTES], number[24];
	uint64_t count = 0;

	for (uint32_t k = 0; k <= bounds->count; k++) {
		const int64_t ns = k < bounds->count ? bounds->ns[k] : 0;
		const char *le = "+Inf";

		if (k < bounds->count)
			le = metrics_seconds_text(text, false, (uint64_t)(ns / NS_A_SECOND),
				(uint32_t)(ns % NS_A_SECOND));
		count += h->counts[k];
		snprintf(number, sizeof number, "%" PRIu64, count);
		metrics_line(page, "_bucket", labels, le, number);
	}
	metrics_line(
		page, "_sum", labels, NULL, metrics_seconds_text(text, false, h->sum_s, h->sum_ns));
	metrics_line(page, "_count", labels, NULL, number);
}
