/* SPDX-License-Identifier: MIT */
/* The place of a flow in the side table of anomalies, which is probed linearly, cannot be predicted
 * without the seed. */
#include "flow/anomalies.h"

#include <criterion/criterion.h>

enum { SIZE = 15625, FLOWS = 1000000, NEAR = 64, CHOSEN = 200 };

/* Stores entries with homes within NEAR places under the seed, as an attacker with the seed would.
 * Returns the number of entries. */
static uint32_t choose_entries(uint64_t seed, uint32_t entry[CHOSEN])
{
	const uint64_t key = bpei_anomalies_key(seed);
	uint32_t n = 0;
	for (uint32_t e = 0; e < FLOWS && n < CHOSEN; e++)
		if (bpei_anomalies_home(key, SIZE, e) < NEAR)
			entry[n++] = e;
	return n;
}

/* Returns how many entries lie in the fullest stretch of NEAR places. */
static uint32_t count_fullest(uint64_t seed, const uint32_t *entry, uint32_t n)
{
	static uint32_t at[SIZE / NEAR + 1];
	const uint64_t key = bpei_anomalies_key(seed);
	uint32_t most = 0;
	memset(at, 0, sizeof at);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *here = &at[bpei_anomalies_home(key, SIZE, entry[i]) / NEAR];
		if (++*here > most)
			most = *here;
	}
	return most;
}

Test(anomalies, lies_elsewhere_under_another_seed)
{
	uint32_t entry[CHOSEN], n = choose_entries(1, entry);
	cr_assert_eq(n, CHOSEN);
	cr_assert_eq(count_fullest(1, entry, n), CHOSEN);
	/* 200 entries in 245 stretches: more than 30 in a stretch would be a pattern. */
	for (uint64_t seed = 2; seed < 500; seed++)
		cr_assert_leq(count_fullest(seed, entry, n), 30, "seed %u", (unsigned)seed);
}

Test(anomalies, has_a_place_in_the_table_for_every_entry)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		const uint64_t key = bpei_anomalies_key(seed);
		cr_assert(key & 1);
		for (uint32_t e = 0; e < 4096; e++) {
			cr_assert_lt(bpei_anomalies_home(key, SIZE, e), SIZE);
			cr_assert_lt(bpei_anomalies_home(key, 1024, UINT32_MAX - e), 1024);
		}
	}
}
