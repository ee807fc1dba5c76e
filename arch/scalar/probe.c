/* SPDX-License-Identifier: MIT */
/* The flow table's probe, and the CPUs that the scalar backend runs on: all.  Pure. */
#include "arch/arch.h"

#include <stddef.h>

/* Returns the entry of the slot with a tag, else BPEI_PROBE_NEXT or a larger number. */
static inline uint32_t read_bucket(const struct bpei_bucket *bucket, uint32_t tag)
{
	const uint32_t found = bpei_bucket_match(bucket, tag) | 1u << BPEI_BUCKET_SLOTS;
	const uint32_t k = (uint32_t)__builtin_ctz(found);
	const char *inverted = (const char *)bucket + offsetof(struct bpei_bucket, entry_inverted);
	uint32_t word;

	/* Without a tag k is 7, and the word is has_overflow.  There is no branch, since nothing
	 * predicts whether a flow is known. */
	memcpy(&word, inverted + k * sizeof word, sizeof word);
	return ~word | (0u - !tag);
}
_Static_assert(BPEI_PROBE_NEXT == ~1u, "the complement of has_overflow");

uint64_t bpei_probe_scalar(const struct bpei_lookup *probe, uint32_t *entry)
{
	const struct bpei_bucket *const buckets = probe->buckets;
	const uint32_t *const hash = probe->hash;
	const uint32_t n = probe->n;
	const uint32_t mask = probe->mask;
	const uint32_t none = probe->none;
	uint64_t overflowed = 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t later = i + BPEI_PROBE_AHEAD < n ? i + BPEI_PROBE_AHEAD : i;
		const uint32_t found = read_bucket(&buckets[hash[i] & mask], hash[i]);

		__builtin_prefetch(&buckets[hash[later] & mask]);
		overflowed |= (uint64_t)(found == BPEI_PROBE_NEXT) << i;
		entry[i] = found < none ? found : none;
	}
	return overflowed;
}

int bpei_cpu_fits_scalar(void)
{
	return 1;
}
