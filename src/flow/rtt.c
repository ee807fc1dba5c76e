/* SPDX-License-Identifier: MIT */
/* Round trips: packing of times, smoothing, and the end of a sample without an ACK. */
#include "flow/rtt.h"

#define MANTISSA_BITS 11

uint16_t bpei_span_pack(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 1;
	const uint32_t bits = 64 - (uint32_t)__builtin_clzll(v);
	uint32_t shift = bits > MANTISSA_BITS ? bits - MANTISSA_BITS : 0;

	v += shift ? UINT64_C(1) << (shift - 1) : 0; /* rounds to the nearest */
	if (v >> shift == 1u << MANTISSA_BITS)
		shift++;
	return shift < 32 ? (uint16_t)(v >> shift | shift << MANTISSA_BITS) : UINT16_MAX;
}

int64_t bpei_span_unpack(uint16_t packed)
{
	return (int64_t)(packed & ((1u << MANTISSA_BITS) - 1)) << (packed >> MANTISSA_BITS);
}

void bpei_rtt_add(struct bpei_table *t, uint32_t entry, uint32_t end, int64_t rtt_ns)
{
	uint16_t *const smoothed = &t->cold[entry].smoothed_rtt[end];

	if (rtt_ns < 0)
		return; /* packets out of order */
	if (*smoothed)
		rtt_ns = bpei_span_unpack(*smoothed) / 8 * 7 + rtt_ns / 8;
	*smoothed = bpei_span_pack(rtt_ns);
}

void bpei_rtt_sample_cancel(struct bpei_table *t, uint32_t entry, uint32_t end)
{
	struct bpei_rtt_sample *const sample = &bpei_rtt_slots_of(t, entry)[end];

	if (sample->flow == entry + 1)
		*sample = (struct bpei_rtt_sample){ 0, 0, INT64_MIN };
}
