/* SPDX-License-Identifier: MIT */
/* Chooses the form of the page by what clients send in Accept. */
#include "tools/metrics/page.h"

#include <criterion/criterion.h>
#include <string.h>

/* Asserts that each header chooses the form. */
static void expect_form(enum metrics_form form, const char *const *headers)
{
	for (size_t k = 0; headers[k]; k++)
		cr_assert_eq(metrics_form_accepted(headers[k]), form, "%s", headers[k]);
}

Test(accept, openmetrics)
{
	static const char *const headers[] = { /* Prometheus 2.42 */
		"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		"application/openmetrics-text", "Application/OpenMetrics-Text; Version=\"1.0.0\"",
		"text/plain;q=0.9 , application/openmetrics-text ;version=1.0.0; q=1",
		"application/openmetrics-text;q=0.5,text/plain;q=0.5", NULL
	};

	expect_form(METRICS_OPENMETRICS, headers);
}

Test(accept, plain)
{
	static const char *const headers[] = { "", "*/*", "text/plain", "text/html,*/*;q=0.8",
		"application/openmetrics-text;version=0.0.1",
		"application/openmetrics-text;q=0,text/plain;q=0.1",
		"application/openmetrics-text;q=0.4,text/plain;version=0.0.4",
		"application/openmetrics-text-extra", "application/openmetrics-tex",
		"application/openmetrics-text;version=2.0.0", ";;;,,,===", ",", NULL };

	expect_form(METRICS_TEXT, headers);
	cr_assert_eq(metrics_form_accepted(NULL), METRICS_TEXT);
}

Test(accept, media_types)
{
	cr_assert_str_eq(
		metrics_media_type(METRICS_TEXT), "text/plain; version=0.0.4; charset=utf-8");
	cr_assert_str_eq(metrics_media_type(METRICS_OPENMETRICS),
		"application/openmetrics-text; version=1.0.0; charset=utf-8");
}
