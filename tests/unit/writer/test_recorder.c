/* SPDX-License-Identifier: MIT */
/* The flight recorder's ring: what is kept, and what is forgotten in which order. */
#include "writer/recorder.h"

#include <criterion/criterion.h>

#define CHUNK 1000

static struct bpei_chunk chunks[64];

/* Keeps chunk n with packets from n to n + 1 seconds. */
static struct bpei_chunk *keep_chunk(struct bpei_recorder *r, int n)
{
	chunks[n] = (struct bpei_chunk){ .packets = 10,
		.first_ns = n * INT64_C(1000000000),
		.last_ns = (n + 1) * INT64_C(1000000000) };
	return bpei_recorder_keep(r, &chunks[n]);
}

Test(recorder, the_oldest_is_forgotten)
{
	struct bpei_recorder r;

	cr_assert_eq(bpei_recorder_init(&r, 6 * CHUNK + 999, 0, CHUNK), BPE_OK);
	cr_expect_eq(r.room, 5); /* the sixth is being filled */
	for (int n = 0; n < 5; n++)
		cr_expect_null(keep_chunk(&r, n));
	for (int n = 5; n < 64; n++)
		cr_expect_eq(keep_chunk(&r, n), &chunks[n - 5]);
	cr_expect_null(bpei_recorder_forget(&r, INT64_MAX)); /* no bound by time */
	for (int n = 59; n < 64; n++)
		cr_expect_eq(bpei_recorder_take(&r), &chunks[n]);
	cr_expect_null(bpei_recorder_take(&r));
	cr_expect_null(keep_chunk(&r, 7)); /* goes on after a trigger */
	cr_expect_eq(bpei_recorder_take(&r), &chunks[7]);
	bpei_recorder_free(&r);
}

Test(recorder, old_packets_are_forgotten)
{
	struct bpei_recorder r;

	cr_assert_eq(bpei_recorder_init(&r, 0, INT64_C(4000000000), CHUNK), BPE_OK);
	cr_expect_eq(r.room, BPEI_RECORDER_BYTES / CHUNK - 1);
	for (int n = 0; n < 6; n++)
		keep_chunk(&r, n);
	cr_expect_null(bpei_recorder_forget(&r, INT64_C(5000000000)));
	cr_expect_eq(bpei_recorder_forget(&r, INT64_C(6500000000)), &chunks[0]);
	cr_expect_eq(bpei_recorder_forget(&r, INT64_C(6500000000)), &chunks[1]);
	cr_expect_null(bpei_recorder_forget(&r, INT64_C(6500000000)));
	cr_expect_null(bpei_recorder_forget(&r, INT64_MIN)); /* a clock that steps back */
	while (bpei_recorder_take(&r))
		;
	cr_expect_null(bpei_recorder_forget(&r, INT64_MAX));
	bpei_recorder_free(&r);
}

Test(recorder, a_slow_source_fills_slices)
{
	struct bpei_recorder r;
	struct bpei_chunk c = { .packets = 0 };

	cr_assert_eq(bpei_recorder_init(&r, 0, 16000, CHUNK), BPE_OK);
	cr_expect_not(bpei_recorder_ends_slice(&r, &c, INT64_MAX)); /* nothing to keep */
	c.packets = 1;
	c.first_ns = INT64_MIN;
	cr_expect(bpei_recorder_ends_slice(&r, &c, INT64_MAX));
	cr_expect_not(bpei_recorder_ends_slice(&r, &c, INT64_MIN + 1000));
	cr_expect(bpei_recorder_ends_slice(&r, &c, INT64_MIN + 1001));
	r.most_ns = 0;
	cr_expect_not(bpei_recorder_ends_slice(&r, &c, INT64_MAX));
	bpei_recorder_free(&r);
}

Test(recorder, has_room_for_two)
{
	struct bpei_recorder r;

	cr_assert_eq(bpei_recorder_init(&r, 1, 0, CHUNK), BPE_OK);
	cr_expect_eq(r.room, 2);
	bpei_recorder_free(&r);
	cr_expect_eq(bpei_recorder_init(&r, UINT64_MAX, 0, 1), BPE_E_MEMORY);
	bpei_recorder_free(&r);
}
