/* SPDX-License-Identifier: MIT */
/* Counting packet lengths in eight classes, by the compilers' generic vectors.  Stateless. */
#include "stats/stats.h"

#include "base/cacheline.h"

#include <string.h>

/* The largest length of each class but the last. */
static const uint32_t size_bounds[BPE_SIZE_CLASSES - 1] = { 64, 127, 255, 511, 1023, 1518, 9216 };

const char *bpe_size_class_name(int c)
{
	static const char *const names[BPE_SIZE_CLASSES] = { "0-64", "65-127", "128-255", "256-511",
		"512-1023", "1024-1518", "1519-9216", "9217-" };

	return c >= 0 && c < BPE_SIZE_CLASSES ? names[c] : NULL;
}

typedef uint16_t vec16 __attribute__((vector_size(16)));
typedef int16_t vec16_signed __attribute__((vector_size(16)));
typedef uint32_t vec32 __attribute__((vector_size(16)));
typedef uint64_t vec64 __attribute__((vector_size(16)));

/* Returns eight lengths in lanes of 16 bits, of which each must use 15.  Adds the bits of all
 * lengths to *any. */
static inline vec16_signed load_eight_lengths(const uint32_t *lengths, vec32 *any)
{
	vec32 even;
	vec32 odd;

	memcpy(&even, lengths, sizeof even);
	memcpy(&odd, lengths + 4, sizeof odd);
	*any |= even | odd;
	return (vec16_signed)(even | odd << 16);
}

/* Counts for each bound how many of the n lengths are above.  Returns false, with the counts
 * useless, if a length has more than 15 bits. */
static bool count_above_bounds(const uint32_t *lengths, size_t n, uint32_t above[BPE_SIZE_CLASSES])
{
	uint32_t rest[8] = { 0 }; /* a length of 0 is above no bound */
	const size_t first = n % 8 || !n ? n % 8 : 8;
	vec16 sums[BPE_SIZE_CLASSES];
	vec32 any = { 0 };

	if (first < 8)
		memcpy(rest, lengths, first * sizeof *rest);
	vec16_signed v = load_eight_lengths(first < 8 ? rest : lengths, &any);

	for (uint32_t k = 0; k < BPE_SIZE_CLASSES - 1; k++)
		sums[k] = -(vec16)(v > (int16_t)size_bounds[k]);
	sums[BPE_SIZE_CLASSES - 1] = (vec16){ 0 };
	for (size_t i = first; i < n; i += 8) {
		v = load_eight_lengths(lengths + i, &any);
		for (uint32_t k = 0; k < BPE_SIZE_CLASSES - 1; k++)
			sums[k] -= (vec16)(v > (int16_t)size_bounds[k]);
	}
	/* Two bounds at a time, in the two bytes of each lane; no byte overflows. */
	for (uint32_t k = 0; k < BPE_SIZE_CLASSES; k += 2) {
		const vec64 both = (vec64)(sums[k] | sums[k + 1] << 8);
		const uint64_t sum = (both[0] + both[1]) * 0x0001000100010001u >> 48;

		above[k] = sum & 0xff;
		above[k + 1] = (uint32_t)(sum >> 8);
	}
	return (any[0] | any[1] | any[2] | any[3]) <= INT16_MAX;
}
_Static_assert(
	BPE_SIZE_CLASSES % 2 == 0 && BPE_BATCH <= 255, "what count_above_bounds packs together");

void bpei_sizes_add(bpei_counter sizes[BPE_SIZE_CLASSES], const uint32_t *lengths, uint32_t n)
{
	uint32_t above[BPE_SIZE_CLASSES];

	if (BPEI_UNLIKELY(!count_above_bounds(lengths, n, above))) {
		for (uint32_t k = 0; k < BPE_SIZE_CLASSES - 1; k++) {
			above[k] = 0;
			for (uint32_t i = 0; i < n; i++)
				above[k] += lengths[i] > size_bounds[k];
		}
	}
	bpei_counter_add(&sizes[0], n - above[0]);
	/* No length is above the last class: above[BPE_SIZE_CLASSES - 1] is 0. */
	for (uint32_t k = 1; k < BPE_SIZE_CLASSES; k++)
		bpei_counter_add(&sizes[k], above[k - 1] - above[k]);
}
