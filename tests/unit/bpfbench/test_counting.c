/* SPDX-License-Identifier: MIT */
/* bpfbench's histogram, statistics, rows and frames, against what sorting and arithmetic say. */
#include "src/tools/bpfbench/frame.h"
#include "src/tools/bpfbench/histogram.h"
#include "src/tools/bpfbench/result.h"
#include "src/tools/bpfbench/spread.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 7;
static uint64_t draw_sample_bits(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 16;
}

Test(histogram, classes_lie_side_by_side_and_are_narrow)
{
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++) {
		uint64_t low = histogram_low(c);
		uint64_t high = histogram_high(c);
		cr_assert(low <= high);
		cr_assert_eq(histogram_class(low), c);
		cr_assert_eq(histogram_class(high), c);
		if (c)
			cr_assert_eq(low, histogram_high(c - 1) + 1);
		if (c + 1 < HISTOGRAM_CLASSES)
			cr_assert(high - low <= low / 32, "class %u: %llu to %llu", c,
				(unsigned long long)low, (unsigned long long)high);
	}
	cr_assert_eq(histogram_low(0), 0);
	cr_assert_eq(histogram_class(UINT64_MAX), HISTOGRAM_CLASSES - 1);
	cr_assert(histogram_low(HISTOGRAM_CLASSES - 1) < UINT64_C(1) << 42 &&
		  histogram_low(HISTOGRAM_CLASSES - 1) > UINT64_C(1) << 41);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Returns a random value of a distribution: small and large uniform values, or powers of two. */
static int64_t next_value(int shape)
{
	switch (shape) {
	case 0:
		return (int64_t)(draw_sample_bits() % 1000);
	case 1:
		return (int64_t)(draw_sample_bits() % 100000000);
	default:
		return (int64_t)(UINT64_C(1) << draw_sample_bits() % 40);
	}
}

Test(histogram, percentiles_are_those_of_the_sorted_values_to_a_class)
{
	static const double parts[] = { 0, 0.001, 0.5, 0.9, 0.99, 0.999, 1 };
	static int64_t values[20000];
	static struct histogram h;
	for (int shape = 0; shape < 4; shape++) {
		size_t n = shape == 3 ? 7 : sizeof values / sizeof *values;
		memset(&h, 0, sizeof h);
		for (size_t i = 0; i < n; i++) {
			values[i] = next_value(shape);
			histogram_add(&h, values[i]);
		}
		qsort(values, n, sizeof *values, by_size);
		uint64_t before = 0;
		for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
			size_t rank = (size_t)ceil(parts[k] * (double)n);
			uint64_t exact = (uint64_t)values[rank ? rank - 1 : 0];
			uint64_t got = histogram_at(&h, parts[k]);
			cr_assert(got >= exact && got - exact <= exact / 32,
				"part %g: %llu for %llu", parts[k], (unsigned long long)got,
				(unsigned long long)exact);
			cr_assert(got >= before, "percentiles are ordered");
			before = got;
		}
		cr_assert_eq(histogram_at(&h, 0), (uint64_t)values[0]);
		cr_assert_eq(histogram_at(&h, 1), (uint64_t)values[n - 1]);
		cr_assert_eq(bpei_counter_get(&h.samples), n);
	}
}

Test(histogram, below_zero_is_counted_and_told)
{
	static struct histogram h;
	histogram_add(&h, -5);
	histogram_add(&h, 3);
	cr_assert_eq(bpei_counter_get(&h.early), 1);
	cr_assert_eq(bpei_counter_get(&h.samples), 2);
	cr_assert_eq(bpei_counter_get(&h.least), 0);
	cr_assert_eq(bpei_counter_get(&h.most), 3);
}

Test(histogram, parts_make_the_whole)
{
	static struct histogram a, b, whole, sum, before, since;
	for (int i = 0; i < 5000; i++) {
		int64_t v = (int64_t)(draw_sample_bits() % 1000000);
		histogram_add(i % 3 ? &a : &b, v);
		histogram_add(&whole, v);
	}
	histogram_merge(&sum, &a);
	before = sum;
	histogram_merge(&sum, &b);
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++)
		cr_assert_eq(
			bpei_counter_get(&sum.classes[c]), bpei_counter_get(&whole.classes[c]));
	cr_assert_eq(bpei_counter_get(&sum.least), bpei_counter_get(&whole.least));
	cr_assert_eq(bpei_counter_get(&sum.most), bpei_counter_get(&whole.most));
	histogram_since(&since, &sum, &before);
	for (uint32_t c = 0; c < HISTOGRAM_CLASSES; c++)
		cr_assert_eq(bpei_counter_get(&since.classes[c]), bpei_counter_get(&b.classes[c]));
	cr_assert_eq(bpei_counter_get(&since.samples), bpei_counter_get(&b.samples));
	cr_assert(bpei_counter_get(&since.least) <= bpei_counter_get(&b.least));
	cr_assert(bpei_counter_get(&since.most) >= bpei_counter_get(&b.most) &&
		  bpei_counter_get(&since.most) <= bpei_counter_get(&sum.most));
	histogram_since(&since, &sum, &sum);
	cr_assert_eq(bpei_counter_get(&since.samples), 0);
}

Test(spread, quartiles)
{
	const double five[] = { 5, 1, 4, 2, 3 };
	const double four[] = { 4, 1, 3, 2 };
	const double holes[] = { NAN, 7, NAN };
	struct spread s = spread_of(five, 5);
	cr_assert(s.count == 5 && s.least == 1 && s.low == 2 && s.median == 3 && s.high == 4 &&
		  s.most == 5);
	s = spread_of(four, 4);
	cr_assert(s.median == 2.5 && s.low == 1.75 && s.high == 3.25);
	s = spread_of(holes, 3);
	cr_assert(s.count == 1 && s.least == 7 && s.low == 7 && s.median == 7 && s.high == 7 &&
		  s.most == 7);
	s = spread_of(holes, 1);
	cr_assert(s.count == 0 && isnan(s.median));
}

Test(row, what_follows_from_the_counts)
{
	struct row r;
	row_init(&r, "case");
	r.packets = 1000;
	r.delivered = 940;
	r.ring_full = 30;
	r.stalled = 10;
	r.duplicate = 20;
	r.kernel_dropped = 100;
	r.sent = 1200;
	r.arrived = 1150;
	r.seconds = 0.5;
	r.wire_bytes = 64000;
	r.reads = 10;
	r.block_bytes = 3000;
	r.block_capacity = 12000;
	r.user_ns = 20000;
	r.system_ns = 5000;
	row_work_out(&r);
	cr_assert_eq(r.dropped, 60);
	cr_assert_eq(r.packets, r.delivered + r.dropped);
	cr_assert_eq(r.lost, 100 + 30 + 10 + 50, "the second sight of a packet is no loss");
	cr_assert_float_eq(r.loss, 190.0 / (940 + 190), 1e-12);
	cr_assert(r.packets_per_second == 2000 && r.bits_per_second == 1024000 &&
		  r.packets_per_read == 100 && r.fill == 0.25);
	cr_assert(r.user_ns_per_packet == 20 && r.system_ns_per_packet == 5 &&
		  r.wall_ns_per_packet == 500000);
}

Test(row, what_is_not_known_stays_absent)
{
	struct row r;
	static struct histogram empty;
	row_init(&r, "second");
	row_work_out(&r);
	cr_assert(isnan(r.loss) && isnan(r.fill) && isnan(r.user_ns_per_packet) &&
		  isnan(r.packets_per_read) && isnan(r.packets_per_second));
	cr_assert(r.sent == ABSENT && r.latency_50 == ABSENT && r.latency_samples == ABSENT);
	r.reads = r.block_capacity = ABSENT;
	r.packets = 5;
	row_work_out(&r);
	cr_assert(isnan(r.fill) && isnan(r.packets_per_read));
	row_latency(&r, &empty);
	cr_assert(r.latency_samples == 0 && r.latency_50 == ABSENT && r.latency_least == ABSENT);
}

Test(frame, is_what_it_says)
{
	static const uint32_t lengths[] = { 60, 64, 1514 };
	for (size_t k = 0; k < 3; k++)
		for (uint32_t n = 0; n < 1000; n += 333) {
			uint8_t f[1600];
			uint32_t sum = 0;
			uint32_t bytes = lengths[k];
			memset(f, 0xa5, sizeof f);
			sender_frame(f, bytes, n);
			for (int i = 14; i < 34; i += 2)
				sum += (uint32_t)f[i] << 8 | f[i + 1];
			while (sum >> 16)
				sum = (sum & 0xffff) + (sum >> 16);
			cr_assert_eq(sum, 0xffff, "the header's checksum");
			cr_assert(!(f[0] & 1) && f[0] & 2 && f[6] & 2,
				"unicast, locally administered");
			cr_assert(f[12] == 8 && f[13] == 0 && f[14] == 0x45 && f[23] == 17);
			cr_assert_eq((uint32_t)(f[16] << 8 | f[17]), bytes - 14);
			cr_assert_eq((uint32_t)(f[34] << 8 | f[35]), 1024 + n);
			cr_assert_eq(f[36] << 8 | f[37], 9);
			cr_assert_eq((uint32_t)(f[38] << 8 | f[39]), bytes - 34);
			cr_assert(f[26] == 198 && (f[27] & 0xfe) == 18 && f[30] == 198 &&
					  (f[31] & 0xfe) == 18,
				"RFC 2544's addresses alone");
			cr_assert_eq(f[bytes], 0xa5, "nothing behind its end");
		}
}
