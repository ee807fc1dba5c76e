/* SPDX-License-Identifier: MIT */
/* Counts times in buckets, and writes them as they add up. */
#include "tools/metrics/histogram.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(histogram, bounds_rise)
{
	const struct metrics_bounds *const all[] = { &metrics_round_trips, &metrics_durations };

	for (size_t k = 0; k < 2; k++) {
		cr_assert_lt(all[k]->count, METRICS_BUCKETS_MOST);
		cr_assert_gt(all[k]->ns[0], 0);
		for (uint32_t j = 1; j < all[k]->count; j++)
			cr_assert_gt(all[k]->ns[j], all[k]->ns[j - 1]);
	}
}

Test(histogram, an_upper_end_belongs_to_its_bucket)
{
	const struct metrics_bounds *const b = &metrics_round_trips;
	struct metrics_histogram h;

	for (uint32_t k = 0; k < b->count; k++) {
		memset(&h, 0, sizeof h);
		metrics_histogram_add(&h, b, b->ns[k]);
		cr_assert_eq(h.counts[k], 1);
		metrics_histogram_add(&h, b, b->ns[k] + 1);
		cr_assert_eq(h.counts[k + 1], 1);
	}
}

Test(histogram, sums_do_not_wrap)
{
	struct metrics_histogram h = { .sum_s = 0 };

	for (int k = 0; k < 5; k++)
		metrics_histogram_add(&h, &metrics_durations, INT64_MAX);
	metrics_histogram_add(&h, &metrics_durations, -7);
	cr_assert_eq(h.sum_s, 46116860184u);
	cr_assert_eq(h.sum_ns, 273879035u);
	cr_assert_eq(h.counts[metrics_durations.count], 5);
	cr_assert_eq(h.counts[0], 1);
}

Test(histogram, page)
{
	const struct metrics_bounds bounds = { 2, { 1000000, 2500000000 } };
	const struct metrics_labels labels = { { "end", NULL }, { "x", NULL } };
	struct metrics_histogram h = { .sum_s = 0 };
	struct metrics_page page = { .used = 0 };

	metrics_histogram_add(&h, &bounds, 0);
	metrics_histogram_add(&h, &bounds, 1000000);
	metrics_histogram_add(&h, &bounds, 1500000000);
	metrics_histogram_add(&h, &bounds, 3500000000);
	metrics_page_begin(&page, METRICS_TEXT);
	metrics_family(&page, METRICS_HISTOGRAM, "h_seconds", "H.");
	metrics_histogram_put(&page, &labels, &h, &bounds);
	metrics_histogram_put(&page, NULL, &h, &bounds);
	cr_assert(metrics_page_end(&page));
	cr_assert_str_eq(page.bytes,
		"# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
		"h_seconds_bucket{end=\"x\",le=\"0.001\"} 2\n"
		"h_seconds_bucket{end=\"x\",le=\"2.5\"} 3\n"
		"h_seconds_bucket{end=\"x\",le=\"+Inf\"} 4\n"
		"h_seconds_sum{end=\"x\"} 5.001\nh_seconds_count{end=\"x\"} 4\n"
		"h_seconds_bucket{le=\"0.001\"} 2\nh_seconds_bucket{le=\"2.5\"} 3\n"
		"h_seconds_bucket{le=\"+Inf\"} 4\nh_seconds_sum 5.001\nh_seconds_count 4\n",
		"%s", page.bytes);
	metrics_page_free(&page);
}
