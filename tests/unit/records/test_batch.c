/* SPDX-License-Identifier: MIT */
/* Tests of the sums over a batch beside plain sums: times in order and out of order, at the ends of
 * their range, and lengths of any size. */
#include "records/batch.h"

#include <criterion/criterion.h>

static uint64_t state = 9;

static uint64_t batch_random(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 16) % below;
}

static int64_t random_time_after(int64_t ns, int way)
{
	static const int64_t far[] = { INT64_MIN, INT64_MIN + 1, -1, 0, INT64_C(1) << 57,
		INT64_C(1) << 62, INT64_MAX - 1, INT64_MAX };
	if (way == 2 && !batch_random(4))
		return far[batch_random(8)];
	if (way == 1 && !batch_random(8))
		return ns < 0 ? ns : ns - (int64_t)batch_random(1000);
	return ns > INT64_MAX - 1000 ? ns : ns + (int64_t)batch_random(1000);
}

Test(batch, sums_are_those_of_a_plain_loop)
{
	for (int round = 0; round < 20000; round++) {
		uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH];
		int64_t time_ns[BPE_BATCH], ns = batch_random(2) ? INT64_C(1700000000000000000) : 0;
		struct bpei_sums want = { .least_ns = INT64_MAX, .most_ns = INT64_MIN }, got;
		uint32_t n = 1 + (uint32_t)batch_random(BPE_BATCH);
		uint32_t large = batch_random(3) ? 2000 : UINT32_MAX;
		int way = (int)batch_random(3);
		for (uint32_t i = 0; i < n; i++) {
			time_ns[i] = ns = random_time_after(ns, way);
			caplen[i] = (uint32_t)batch_random(2000);
			wirelen[i] = (uint32_t)batch_random(batch_random(8) ? 2000 : large);
			if (batch_random(100) == 0)
				caplen[i] = large;
			want.captured += caplen[i];
			want.wire += wirelen[i];
			if (ns < want.least_ns)
				want.least_ns = ns;
			if (ns > want.most_ns)
				want.most_ns = ns;
		}
		const struct bpe_batch b = {
			.count = n, .time_ns = time_ns, .caplen = caplen, .wirelen = wirelen
		};
		bpei_batch_sum(&b, &got);
		cr_assert_eq(got.captured, want.captured, "round %d", round);
		cr_assert_eq(got.wire, want.wire, "round %d", round);
		cr_assert_eq(got.least_ns, want.least_ns, "round %d", round);
		cr_assert_eq(got.most_ns, want.most_ns, "round %d", round);
	}
}

/* Advances the time in steps that wrap round: each step looks forward if the size is ignored. */
Test(batch, times_that_go_round)
{
	const int64_t most = INT64_MAX;
	const int64_t time_ns[] = { most / 2, most, INT64_MIN / 2, 0, most / 2, most, -5, 7 };
	const uint32_t lengths[8] = { 0 };
	const struct bpe_batch b = {
		.count = 8, .time_ns = time_ns, .caplen = lengths, .wirelen = lengths
	};
	struct bpei_sums got;
	bpei_batch_sum(&b, &got);
	cr_assert_eq(got.least_ns, INT64_MIN / 2);
	cr_assert_eq(got.most_ns, most);
}
