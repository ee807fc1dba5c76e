/* SPDX-License-Identifier: MIT */
/* The input of the engine and of the capture level: the packets that max_packets counts. */
#include "engine/engine.h"

#include <criterion/criterion.h>
#include <string.h>

/* Generated traffic, seen as on a loopback interface: each packet comes twice, and the walk counts
 * and leaves out the first sight. */
static const struct bpei_device_ops *real_ops;
static struct bpei_device_ops loopback_ops;

static uint32_t walk_like_loopback(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	uint32_t n = 0;

	while (n < max) {
		const struct bpei_columns at = bpei_columns_from(c, n);

		if (!real_ops->walk(d, b, &at, 1))
			break;
		bpei_counter_add(&d->duplicates, 1);
		bpei_counter_add(&d->duplicate_captured, at.caplen[0]);
		bpei_counter_add(&d->duplicate_wire, at.wirelen[0]);
		n++;
	}
	return n;
}

static void show_each_packet_twice(struct bpei_device *d)
{
	real_ops = d->ops;
	loopback_ops = *d->ops;
	loopback_ops.walk = walk_like_loopback;
	d->ops = &loopback_ops;
}

static void expect_counted(const struct bpe_stats *s, uint64_t packets)
{
	cr_expect_eq(
		s->delivered_packets, packets, "%llu", (unsigned long long)s->delivered_packets);
	cr_expect_eq(s->dropped[BPE_DROP_DUPLICATE], packets);
	cr_expect_eq(s->read_packets, 2 * packets);
}

/* A limit that the count of read packets jumps over, and limits of whole batches. */
Test(input, duplicates_do_not_count_towards_max_packets, .timeout = 550)
{
	static const uint64_t limits[] = { 1, 63, 64, 65, 100, 500, 999 };

	for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
		for (int workers = 0; workers < 2; workers++) {
			struct bpe_options o;
			struct bpe_engine *e;
			struct bpe_stats s;

			bpe_options_init(&o);
			o.interface_name = "synth:count=1000,flows=10,seed=1";
			o.workers = workers;
			o.max_packets = limits[k];
			cr_assert_eq(bpe_engine_open(&o, &e, NULL), BPE_OK);
			show_each_packet_twice(e->input.device);
			cr_expect_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
			bpe_engine_stats(e, &s);
			expect_counted(&s, limits[k]);
			bpe_engine_close(e);
		}
	}
}

/* Without a limit all packets of the source come, and the books hold the duplicates. */
Test(input, reads_to_the_end_without_max_packets, .timeout = 550)
{
	struct bpe_options o;
	struct bpe_engine *e;
	struct bpe_stats s;

	bpe_options_init(&o);
	o.interface_name = "synth:count=1000,flows=10,seed=1";
	cr_assert_eq(bpe_engine_open(&o, &e, NULL), BPE_OK);
	show_each_packet_twice(e->input.device);
	cr_expect_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
	bpe_engine_stats(e, &s);
	expect_counted(&s, 1000);
	bpe_engine_close(e);
}

/* The capture level counts as the engine does.  The input is the first member of a capture. */
Test(input, a_capture_counts_max_packets_as_an_engine, .timeout = 550)
{
	static const uint64_t limits[] = { 1, 64, 100, 999, 0 };

	for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
		struct bpe_options o;
		struct bpe_capture *c;
		struct bpe_batch b;
		struct bpe_stats s;
		int n;

		bpe_options_init(&o);
		o.interface_name = "synth:count=1000,flows=10,seed=1";
		o.max_packets = limits[k];
		cr_assert_eq(bpe_capture_open(&o, &c, NULL), BPE_OK);
		show_each_packet_twice(((struct bpei_input *)(void *)c)->device);
		while ((n = bpe_capture_next(c, &b, -1, NULL)) > 0)
			continue;
		cr_expect_eq(n, BPE_E_END);
		bpe_capture_stats(c, &s);
		expect_counted(&s, limits[k] ? limits[k] : 1000);
		bpe_capture_close(c);
	}
}
