/* SPDX-License-Identifier: MIT */
/* The lines of state and of keys below the list (top_text.h); pure. */
#include "top_text.h"

#include <string.h>

/* Appends how many flows the list is chosen from, if the snapshot has not all flows. */
static void append_limit(struct top_out *out, const struct top_model *m)
{
	char count[24], item[80];

	if (m->shows_closed) {
		if (m->closed_all <= m->closed_count)
			return;
		cli_count(count, sizeof count, (double)m->closed_all);
		snprintf(item, sizeof item, "  of the latest %zu of %s closed", m->closed_count,
			count);
	} else {
		if (m->now.about.recent <= m->now.count)
			return;
		cli_count(count, sizeof count, (double)m->now.about.recent);
		snprintf(
			item, sizeof item, "  of the %zu largest of %s flows", m->now.count, count);
	}
	top_out_item(out, item);
}

/* Appends the group that the list is restricted to. */
static void append_within(struct top_out *out, const struct top_model *m)
{
	struct top_model of = { .group = m->within.group, .service = m->service };
	const struct top_row row = { .flow = &m->within.flow, .end = m->within.end };
	char name[256], item[272];

	if (!m->within.group)
		return;
	top_write_name(name, sizeof name, &of, &row);
	snprintf(item, sizeof item, "  of %s", name);
	top_out_add(out, item, out->width);
}

const char *top_text_status(char text[TOP_LINE], const struct top_model *m,
	const struct top_cursor *c, const char *state, int width, bool utf8)
{
	struct top_out out = top_out_begin(text, width, utf8);
	const size_t place = m->shown < c->at + 1 ? m->shown : c->at + 1;
	char item[TOP_FILTER + 64];

	snprintf(item, sizeof item, "%s  ", state);
	top_out_add(&out, *state ? item : "", width);
	top_out_add(&out, m->shows_closed ? "closed " : "", width);
	snprintf(item, sizeof item, "%s by %s  %zu/%zu", top_group_name(m->group), top_sort_name(m),
		place, m->shown);
	top_out_add(&out, item, width);
	if (m->filter[0]) {
		snprintf(item, sizeof item, "  filter \"%s\"", m->filter);
		top_out_add(&out, item, width);
	}
	append_within(&out, m);
	if (!m->shows_closed) {
		snprintf(item, sizeof item, "  rates in %s", m->bytes ? "B/s" : "bit/s");
		top_out_item(&out, item);
	}
	append_limit(&out, m);
	return top_out_end(&out);
}

const char *top_text_keys(char text[TOP_LINE], enum top_keys keys, int width)
{
	static const char *const list[] = { "h help", "q quit", "Enter details", "g group",
		"c closed", "/ filter", "s sort", "w average", "space pause", "r reverse",
		"u bytes", "n names", NULL };
	static const char *const page[] = { "Esc back", "space next page", "j k arrows scroll",
		"Home End", NULL };
	const char *const *all = keys == TOP_KEYS_PAGE ? page : list;
	struct top_out out = top_out_begin(text, width, false);

	for (size_t i = 0; all[i]; i++) {
		char item[40];

		snprintf(item, sizeof item, "%s%s", i ? "   " : "", all[i]);
		if (!top_out_item(&out, item))
			break;
	}
	return top_out_end(&out);
}
