/* SPDX-License-Identifier: MIT */
/* Pure.  Values below 64 have a class each.  The class of a larger value is made of the exponent
 * and the five bits behind the first set bit. */
#include "histogram.h"

#include <math.h>

#define STEPS (1u << HISTOGRAM_STEPS_LOG2)

uint32_t histogram_class(uint64_t v)
{
	if (v < 2 * STEPS)
		return (uint32_t)v;
	uint32_t e = 63u - (uint32_t)__builtin_clzll(v) - HISTOGRAM_STEPS_LOG2;
	uint32_t c = e * STEPS + (uint32_t)(v >> e);

	return c < HISTOGRAM_CLASSES ? c : HISTOGRAM_CLASSES - 1;
}

uint64_t histogram_low(uint32_t c)
{
	if (c < 2 * STEPS)
		return c;
	return (uint64_t)(c % STEPS + STEPS) << (c / STEPS - 1);
}

uint64_t histogram_high(uint32_t c)
{
	return c == HISTOGRAM_CLASSES - 1 ? UINT64_MAX : histogram_low(c + 1) - 1;
}

void histogram_add(struct histogram *h, int64_t value)
{
	uint64_t v = value < 0 ? 0 : (uint64_t)value;
	if (value < 0)
		bpei_counter_add(&h->early, 1);
	if (!bpei_counter_get(&h->samples) || v < bpei_counter_get(&h->least))
		bpei_counter_set(&h->least, v);
	bpei_counter_max(&h->most, v);
	bpei_counter_add(&h->classes[histogram_class(v)], 1);
	bpei_counter_add(&h->samples, 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	/* The classes are summed up here, since the count of samples may be a little ahead or
	 * behind while another thread adds to `from`. */
	uint64_t samples = 0;
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++) {
		uint64_t n = bpei_counter_get(&from->classes[c]);
		samples += n;
		bpei_counter_add(&to->classes[c], n);
	}
	if (!samples)
		return;
	if (!bpei_counter_get(&to->samples) ||
		bpei_counter_get(&from->least) < bpei_counter_get(&to->least))
		bpei_counter_set(&to->least, bpei_counter_get(&from->least));
	bpei_counter_max(&to->most, bpei_counter_get(&from->most));
	bpei_counter_add(&to->samples, samples);
	bpei_counter_add(&to->early, bpei_counter_get(&from->early));
}

void histogram_since(
	struct histogram *to, const struct histogram *now, const struct histogram *before)
{
	uint64_t samples = 0, least = 0, most = 0;
	*to = (struct histogram){ 0 };
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++) {
		uint64_t n =
			bpei_counter_get(&now->classes[c]) - bpei_counter_get(&before->classes[c]);
		if (!n)
			continue;
		if (!samples)
			least = histogram_low(c);
		most = histogram_high(c);
		samples += n;
		bpei_counter_set(&to->classes[c], n);
	}
	if (!samples)
		return;
	uint64_t all_least = bpei_counter_get(&now->least);
	uint64_t all_most = bpei_counter_get(&now->most);
	bpei_counter_set(&to->least, least < all_least ? all_least : least);
	bpei_counter_set(&to->most, most > all_most ? all_most : most);
	bpei_counter_set(&to->samples, samples);
	bpei_counter_set(
		&to->early, bpei_counter_get(&now->early) - bpei_counter_get(&before->early));
}

uint64_t histogram_at(const struct histogram *h, double part)
{
	uint64_t all = bpei_counter_get(&h->samples);
	uint64_t least = bpei_counter_get(&h->least);
	uint64_t most = bpei_counter_get(&h->most);
	uint64_t seen = 0;
	uint64_t rank = (uint64_t)ceil(part * (double)all);
	if (rank < 1)
		return least;
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++) {
		seen += bpei_counter_get(&h->classes[c]);
		if (seen < rank)
			continue;
		uint64_t v = histogram_high(c);
		if (v < least)
			return least;
		return v > most ? most : v;
	}
	return most;
}
