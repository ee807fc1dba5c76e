/* SPDX-License-Identifier: MIT */
/* Writes families in both forms: names, units, escapes, values, and growth. */
#include "tools/metrics/page.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct metrics_page page;

/* Asserts the whole page. */
static void expect_page(const char *text)
{
	cr_assert(metrics_page_end(&page));
	cr_assert_str_eq(page.bytes, text, "%s", page.bytes);
	cr_assert_eq(page.used, strlen(text));
	metrics_page_free(&page);
}

/* Writes a family of each kind. */
static void write_kinds(void)
{
	const struct metrics_labels labels = { { "cause", "n", NULL },
		{ "a\\b\"c\nd", "\xff\xc3\xa9", NULL } };

	metrics_family(&page, METRICS_COUNTER, "x_bytes", "Bytes \\ \"of\"\nx.");
	metrics_count(&page, &labels, UINT64_MAX);
	metrics_family_count(&page, METRICS_GAUGE, "y", "Y.", 0);
	metrics_family(&page, METRICS_INFO, "b", "B.");
	metrics_count(&page, NULL, 1);
	metrics_family(&page, METRICS_GAUGE, "t_seconds", "T.");
	metrics_seconds(&page, NULL, -1500000000);
	metrics_seconds(&page, NULL, INT64_MIN);
}

#define SAMPLES_X                                                                                  \
	"x_bytes_total{cause=\"a\\\\b\\\"c\\nd\",n=\"\xef\xbf\xbd\xc3\xa9\"} 18446744073709551615\n"

Test(page, text)
{
	metrics_page_begin(&page, METRICS_TEXT);
	write_kinds();
	expect_page(
		"# HELP x_bytes_total Bytes \\\\ \"of\"\\nx.\n# TYPE x_bytes_total counter\n" SAMPLES_X
		"# HELP y Y.\n# TYPE y gauge\ny 0\n"
		"# HELP b_info B.\n# TYPE b_info gauge\nb_info 1\n"
		"# HELP t_seconds T.\n# TYPE t_seconds gauge\n"
		"t_seconds -1.5\nt_seconds -9223372036.854775808\n");
}

Test(page, openmetrics)
{
	metrics_page_begin(&page, METRICS_OPENMETRICS);
	write_kinds();
	expect_page("# HELP x_bytes Bytes \\\\ \\\"of\\\"\\nx.\n# TYPE x_bytes counter\n"
		    "# UNIT x_bytes bytes\n" SAMPLES_X "# HELP y Y.\n# TYPE y gauge\ny 0\n"
		    "# HELP b B.\n# TYPE b info\nb_info 1\n"
		    "# HELP t_seconds T.\n# TYPE t_seconds gauge\n# UNIT t_seconds seconds\n"
		    "t_seconds -1.5\nt_seconds -9223372036.854775808\n# EOF\n");
}

Test(page, seconds)
{
	char text[METRICS_SECONDS_BYTES];

	cr_assert_str_eq(metrics_seconds_text(text, false, 0, 0), "0.0");
	cr_assert_str_eq(metrics_seconds_text(text, false, 10, 0), "10.0");
	cr_assert_str_eq(metrics_seconds_text(text, false, 0, 250000), "0.00025");
	cr_assert_str_eq(metrics_seconds_text(text, false, UINT64_MAX, 999999999),
		"18446744073709551615.999999999");
	cr_assert_str_eq(metrics_seconds_text(text, true, 1, 1), "-1.000000001");
}

Test(page, grows_and_is_used_again)
{
	metrics_page_begin(&page, METRICS_TEXT);
	metrics_family(&page, METRICS_GAUGE, "g", "G.");
	for (uint64_t k = 0; k < 20000; k++)
		metrics_count(&page, NULL, k);
	cr_assert(metrics_page_end(&page));
	cr_assert_eq(page.used, strlen(page.bytes));
	cr_assert_not_null(strstr(page.bytes, "\ng 19999\n"));
	metrics_page_begin(&page, METRICS_OPENMETRICS);
	expect_page("# EOF\n");
}
