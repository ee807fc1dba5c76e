/* SPDX-License-Identifier: MIT */
/* Structures of programs with an older and a newer header. */
#include "base/sized.h"

#include <criterion/criterion.h>
#include <string.h>

struct inputs {
	uint32_t struct_size;
	uint32_t one, two;
};

Test(sized, gives_what_both_have_and_zeroes_the_rest)
{
	const uint8_t from[4] = { 1, 2, 3, 4 };
	uint8_t to[8];

	for (size_t bytes = 0; bytes <= sizeof to; bytes++) {
		memset(to, 0xee, sizeof to);
		bpei_sized_give(to, bytes, from, sizeof from);
		for (size_t i = 0; i < sizeof to; i++) {
			const uint8_t common = i < sizeof from ? from[i] : 0;

			cr_assert_eq(to[i], i < bytes ? common : 0xee, "%zu of %zu", i, bytes);
		}
	}
}

Test(sized, takes_an_older_program_s_members_and_keeps_the_defaults)
{
	const uint32_t given[2] = { sizeof given, 7 };
	struct inputs to = { .struct_size = 0, .one = 1, .two = 2 };

	cr_assert_eq(bpei_sized_take(&to, sizeof to, given, "init", NULL), BPE_OK);
	cr_assert(to.struct_size == sizeof to && to.one == 7 && to.two == 2);
}

Test(sized, refuses_what_only_a_newer_program_has_unless_it_is_zero)
{
	uint32_t given[5] = { sizeof given, 7, 8, 0, 0 };
	struct inputs to = { .one = 1, .two = 2 };
	struct bpe_error error;

	given[4] = 1;
	cr_assert_eq(bpei_sized_take(&to, sizeof to, given, "init", &error), BPE_E_UNSUPPORTED);
	cr_assert_not_null(strstr(error.text, "newer header"), "%s", error.text);
	cr_assert(to.one == 1 && to.two == 2, "outputs are left alone");
	given[4] = 0;
	cr_assert_eq(bpei_sized_take(&to, sizeof to, given, "init", &error), BPE_OK);
	cr_assert(to.one == 7 && to.two == 8);
}

Test(sized, refuses_sizes_that_no_init_function_sets)
{
	const uint32_t sizes[] = { 0, 3, 65537, UINT32_MAX };
	struct inputs to;
	struct bpe_error error;

	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		const struct inputs given = { .struct_size = sizes[k] };

		cr_assert_eq(bpei_sized_take(&to, sizeof to, &given, "the_init", &error),
			BPE_E_ARGUMENT);
		cr_assert_not_null(strstr(error.text, "the_init"), "%s", error.text);
	}
}

Test(sized, gives_records_with_the_size_that_is_filled)
{
	struct bpe_flow from = { .version = BPE_FLOW_VERSION, .size = sizeof from, .last_ns = 5 };
	struct {
		struct bpe_flow flow;
		uint64_t more;
	} to;

	memset(&to, 0xee, sizeof to);
	bpei_flow_give(&to.flow, sizeof to, &from);
	cr_assert(to.flow.size == sizeof from && to.flow.last_ns == 5 && to.more == 0);
	memset(&to, 0xee, sizeof to);
	bpei_flow_give(&to.flow, offsetof(struct bpe_flow, last_ns), &from);
	cr_assert_eq(to.flow.size, offsetof(struct bpe_flow, last_ns));
	cr_assert_eq(to.flow.last_ns, (int64_t)0xeeeeeeeeeeeeeeeeu);
	cr_assert(BPE_HAS(&to.flow, first_ns) && !BPE_HAS(&to.flow, last_ns));
}

Test(sized, completes_a_shorter_record_with_unknown_members)
{
	struct bpe_flow flow = { .size = sizeof flow, .ip_proto = 6 };
	struct bpe_flow room;

	cr_assert_eq(bpei_flow_whole(&flow, &room), &flow);
	flow.size = offsetof(struct bpe_flow, pid);
	cr_assert_eq(bpei_flow_whole(&flow, &room), &room);
	cr_assert(room.ip_proto == 6 && room.pid == -1 && room.rtt_ns[1] == -1);
	cr_assert_eq(room.size, sizeof room);
	flow.size = 3;
	cr_assert_null(bpei_flow_whole(&flow, &room));
}
