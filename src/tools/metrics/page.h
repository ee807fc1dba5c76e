/* SPDX-License-Identifier: MIT */
/* A page of metrics as text: Prometheus' text format 0.0.4, or OpenMetrics 1.0.
 *
 * A family is a name with a kind and a help text, and samples follow at once.  Values are
 * written with all digits: whole numbers as they are, times as seconds with up to 9 digits behind
 * the point.  Both forms have the same samples. */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_form { METRICS_TEXT = 0, METRICS_OPENMETRICS, METRICS_FORMS };
enum metrics_kind { METRICS_COUNTER = 0, METRICS_GAUGE, METRICS_HISTOGRAM, METRICS_INFO };

#define METRICS_LABELS_MOST 3

struct metrics_page {
	char *bytes; /* ends with a 0, which used does not count */
	size_t used, room;
	enum metrics_form form;
	bool is_short; /* there was no memory: the page is not whole */
	/* Of the latest family. */
	enum metrics_kind kind;
	char name[128];
};

/* Labels of a sample: pairs up to the first NULL name. */
struct metrics_labels {
	const char *name[METRICS_LABELS_MOST];
	const char *value[METRICS_LABELS_MOST];
};

/* Returns the media type of a form. */
const char *metrics_media_type(enum metrics_form form);
/* Chooses a form by the header Accept of HTTP (RFC 9110); NULL: no header. */
enum metrics_form metrics_form_accepted(const char *accept);

/* Empties the page.  A page of zeros is empty, too. */
void metrics_page_begin(struct metrics_page *page, enum metrics_form form);
/* Writes the end of the form.  Returns whether the page is whole. */
bool metrics_page_end(struct metrics_page *page);
void metrics_page_free(struct metrics_page *page);

/* Begins a family.  name: without _total and _info; a unit stands in the name. */
void metrics_family(
	struct metrics_page *page, enum metrics_kind kind, const char *name, const char *help);
/* Write a sample of the family; labels NULL: none. */
void metrics_count(struct metrics_page *page, const struct metrics_labels *labels, uint64_t n);
void metrics_seconds(struct metrics_page *page, const struct metrics_labels *labels, int64_t ns);
/* Writes a family with a single sample without labels. */
void metrics_family_count(struct metrics_page *page, enum metrics_kind kind, const char *name,
	const char *help, uint64_t n);
/* Writes a sample with a suffix behind the name, and a label le (NULL: none) behind the labels.
 * value is taken unchanged. */
void metrics_line(struct metrics_page *page, const char *suffix,
	const struct metrics_labels *labels, const char *le, const char *value);

/* Writes ns as seconds, with at least one digit behind the point: "0.00025", "10.0".  Returns to.
 */
#define METRICS_SECONDS_BYTES 32
const char *metrics_seconds_text(
	char to[METRICS_SECONDS_BYTES], bool is_negative, uint64_t seconds, uint32_t ns);

#endif
