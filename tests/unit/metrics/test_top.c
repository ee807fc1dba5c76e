/* SPDX-License-Identifier: MIT */
/* Gives places to names, keeps them, and never loses or repeats a byte. */
#include "tools/metrics/top.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct metrics_top top;

/* Adds bytes of the originator, and a flow. */
static void add_top_bytes(const char *name, uint64_t bytes)
{
	const struct metrics_share share = {
		.bytes = { bytes, 1 }, .packets = { 2, 3 }, .flows = 1
	};

	metrics_top_add(&top, name, &share);
}

static const struct metrics_shown *find_top_name(const char *name)
{
	for (uint32_t k = 0; k < top.shown_count; k++)
		if (!strcmp(top.shown[k].name, name))
			return &top.shown[k];
	return NULL;
}

/* Returns the flows of all sums. */
static uint64_t sum_flows(void)
{
	uint64_t sum = top.other.flows + top.unknown.flows;

	for (uint32_t k = 0; k < top.shown_count; k++)
		sum += top.shown[k].share.flows;
	return sum;
}

Test(top, first_names_get_the_first_half)
{
	cr_assert(metrics_top_open(&top, 4));
	add_top_bytes("a", 100);
	add_top_bytes("b", 1);
	add_top_bytes("c", 1);
	cr_assert_not_null(find_top_name("a"));
	cr_assert_not_null(find_top_name("b"));
	cr_assert_null(find_top_name("c"), "c has no eighth of the bytes");
	cr_assert_eq(top.other.bytes[0], 1);
	add_top_bytes("c", 100);
	cr_assert_not_null(find_top_name("c"));
	cr_assert_eq(find_top_name("c")->share.bytes[0], 100, "what c had before stays in other");
	cr_assert_eq(top.other.bytes[0], 1);
	cr_assert_eq(find_top_name("c")->share.packets[1], 3);
	cr_assert_eq(sum_flows(), 4);
	metrics_top_close(&top);
}

Test(top, a_name_that_is_shown_stays)
{
	char name[16];
	uint64_t before = 0;

	cr_assert(metrics_top_open(&top, 2));
	add_top_bytes("first", 5);
	for (int k = 0; k < 1000; k++) {
		snprintf(name, sizeof name, "n%d", k);
		add_top_bytes(name, 1000);
		cr_assert_eq(find_top_name("first")->share.bytes[0], 5);
		cr_assert_geq(top.other.bytes[0], before, "other never falls");
		before = top.other.bytes[0];
		cr_assert_leq(top.shown_count, 2);
		cr_assert_eq(sum_flows(), (uint64_t)k + 2);
	}
	cr_assert_eq(top.bytes, 5 + 1 + 1000 * 1001);
	metrics_top_close(&top);
}

Test(top, a_late_heavy_name_gets_a_place_among_many)
{
	char name[16];

	cr_assert(metrics_top_open(&top, 8));
	for (int k = 0; k < 4; k++) {
		snprintf(name, sizeof name, "early%d", k);
		add_top_bytes(name, 1000000);
	}
	for (int k = 0; k < 3000; k++) {
		snprintf(name, sizeof name, "light%d", k);
		add_top_bytes(name, 10);
		if (k % 10 == 0)
			add_top_bytes("heavy", 10000);
	}
	cr_assert_not_null(find_top_name("heavy"));
	cr_assert_eq(top.shown_count, 5, "no light name has a sixteenth");
	metrics_top_close(&top);
}

Test(top, reserved_names_and_none)
{
	cr_assert(metrics_top_open(&top, 4));
	add_top_bytes("other", 7);
	add_top_bytes("unknown", 8);
	add_top_bytes("", 9);
	cr_assert_eq(top.shown_count, 0);
	cr_assert_eq(top.other.bytes[0], 7);
	cr_assert_eq(top.unknown.bytes[0], 17);
	metrics_top_close(&top);
	cr_assert(metrics_top_open(&top, 0));
	add_top_bytes("a", 7);
	cr_assert_eq(top.shown_count, 0);
	cr_assert_eq(top.other.bytes[0], 7);
	metrics_top_close(&top);
}
