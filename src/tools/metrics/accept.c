/* SPDX-License-Identifier: MIT */
/* Which form of the page a client wants (page.h); pure.
 *
 * Accept lists media ranges with weights: "application/openmetrics-text;version=1.0.0,
 * text/plain;version=0.0.4;q=0.5".  OpenMetrics is chosen if its weight is above 0, and not below
 * the weight of plain text. */
#include "page.h"

#include <string.h>
#include <strings.h>

enum { WHOLE = 1000 }; /* a weight of 1 */

const char *metrics_media_type(enum metrics_form form)
{
	if (form == METRICS_OPENMETRICS)
		return "application/openmetrics-text; version=1.0.0; charset=utf-8";
	return "text/plain; version=0.0.4; charset=utf-8";
}

/* A stretch of the header. */
struct stretch {
	const char *at;
	size_t n;
};

/* Cuts the first part off *rest, up to the sign, without blanks around.  The part is empty at the
 * end. */
static struct stretch cut_stretch(struct stretch *rest, char sign)
{
	const char *const end = memchr(rest->at, sign, rest->n);
	struct stretch part = { rest->at, end ? (size_t)(end - rest->at) : rest->n };
	const size_t taken = end ? part.n + 1 : part.n;

	rest->at += taken;
	rest->n -= taken;
	while (part.n && (*part.at == ' ' || *part.at == '\t')) {
		part.at++;
		part.n--;
	}
	while (part.n && (part.at[part.n - 1] == ' ' || part.at[part.n - 1] == '\t'))
		part.n--;
	return part;
}

static bool is_stretch(struct stretch s, const char *text)
{
	return s.n == strlen(text) && !strncasecmp(s.at, text, s.n);
}

/* Returns a weight as "0.75" in thousandths; what is no weight counts as whole. */
static int read_weight(struct stretch s)
{
	int weight = 0;
	int unit = WHOLE / 10;

	if (!s.n || (s.at[0] != '0' && s.at[0] != '1'))
		return WHOLE;
	if (s.at[0] == '1')
		return WHOLE;
	for (size_t k = 2; k < s.n && unit && s.at[k] >= '0' && s.at[k] <= '9'; k++) {
		weight += (s.at[k] - '0') * unit;
		unit /= 10;
	}
	return weight;
}

/* Reads the parameters of a media range.  Returns the weight, or 0 for another version than the
 * given version (NULL: any). */
static int read_range(struct stretch rest, const char *version)
{
	int weight = WHOLE;

	while (rest.n) {
		struct stretch value = cut_stretch(&rest, ';');
		const struct stretch name = cut_stretch(&value, '=');

		if (value.n > 1 && value.at[0] == '"' && value.at[value.n - 1] == '"') {
			value.at++;
			value.n -= 2;
		}
		if (is_stretch(name, "q"))
			weight = read_weight(value);
		else if (is_stretch(name, "version") && version && !is_stretch(value, version))
			return 0;
	}
	return weight;
}

enum metrics_form metrics_form_accepted(const char *accept)
{
	const char *const header = accept ? accept : "";
	struct stretch rest = { header, strlen(header) };
	int open = 0;
	int plain = 0;

	while (rest.n) {
		struct stretch range = cut_stretch(&rest, ',');
		const struct stretch type = cut_stretch(&range, ';');

		if (is_stretch(type, "application/openmetrics-text")) {
			const int weight = read_range(range, "1.0.0");

			open = weight > open ? weight : open;
		} else if (is_stretch(type, "text/plain")) {
			const int weight = read_range(range, NULL);

			plain = weight > plain ? weight : plain;
		}
	}
	return open && open >= plain ? METRICS_OPENMETRICS : METRICS_TEXT;
}
