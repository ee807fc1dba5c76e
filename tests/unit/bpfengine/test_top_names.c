/* SPDX-License-Identifier: MIT */
/* Names and protocols in the live view: groups, the filter, and the condition of --where. */
#include "top_shots.h"

#include <stdio.h>

/* Adds four flows: two to a name in letters of either case, a flow to another name, and a flow
 * without a name. */
static void add_named_flows(void)
{
	static const char *const names[] = { "www.example.com", "WWW.Example.com",
		"cdn.example.net", "" };

	for (uint32_t k = 0; k < 4; k++) {
		struct bpe_flow f = make_top_flow(k, 10, 1000, T0);

		strcpy(f.names.server, names[k]);
		f.names.app = k < 3 ? BPE_APP_TLS : BPE_APP_NONE;
		add_top_flow(f);
	}
	take_top_shot(2, 4, T0);
}

Test(top_names, groups_and_filters_of_names_and_apps)
{
	struct bpe_where *where;
	char name[300];

	make_top_model();
	add_named_flows();
	cr_assert(m.has_names && m.has_apps);
	m.group = TOP_GROUP_NAME;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 3);
	cr_assert_eq(top_row_at(&m, 0)->flows, 2);
	top_write_name(name, sizeof name, &m, top_row_at(&m, 0));
	cr_assert_str_eq(name, "www.example.com");
	top_write_name(name, sizeof name, &m, top_row_at(&m, 2));
	cr_assert_str_eq(name, "no name");
	m.group = TOP_GROUP_APP;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	cr_assert_eq(top_row_at(&m, 0)->flows, 3);
	top_write_name(name, sizeof name, &m, top_row_at(&m, 0));
	cr_assert_str_eq(name, "tls");
	m.group = TOP_GROUP_NONE;
	snprintf(m.filter, sizeof m.filter, "example.com tls");
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 2);
	m.filter[0] = 0;
	cr_assert_eq(bpe_where_compile("name like \"*.net\"", &where, NULL), BPE_OK);
	m.where = where;
	top_model_arrange(&m);
	cr_assert_eq(m.shown, 1);
	cr_assert_str_eq(top_row_at(&m, 0)->flow->names.server, "cdn.example.net");
	bpe_where_free(where);
	free_top_model();
}
